//! Every sample, harmed in many ways: no decoder panics, and sound neighbours are read.

use crate::cases::inputs;
use bavn_decode::{Decoded, Decoder, Format, Mappings, event_id, fuzz};
use std::sync::Arc;

#[test]
fn no_decoder_panics_on_mutated_samples() {
    let mut random = Random(0x6261_766e);
    let mut mutated = 0;
    for (name, bytes) in inputs() {
        let bytes = bytes.get(..SAMPLE_BYTES_MAX).unwrap_or(&bytes);
        for _ in 0..MUTATIONS {
            let harmed = random.harm(bytes);
            let check = match name.rsplit('.').next() {
                Some("xml") => fuzz::fuzz_xml,
                Some("syslog" | "log") => fuzz::fuzz_syslog,
                Some("csv") => fuzz::fuzz_csv,
                Some("json") => fuzz::fuzz_json,
                _ => fuzz::fuzz_lines,
            };
            check(&harmed);
            fuzz::fuzz_any(&harmed);
            mutated += 1;
        }
    }
    assert!(mutated > 1_000, "only {mutated} mutations were tried");
}

#[test]
fn neighbours_of_a_mutated_record_are_read() {
    let mut random = Random(0x7072_6f6f);
    for (format, first, last) in sound() {
        let samples: Vec<Vec<u8>> = inputs()
            .into_iter()
            .filter(|(name, bytes)| is_of(&format, name) && bytes.len() <= SAMPLE_BYTES_MAX)
            .map(|(_, bytes)| bytes)
            // What follows a DOCTYPE belongs to its document, and is refused with it.
            .filter(|bytes| !bytes.windows(9).any(|word| word == b"<!DOCTYPE"))
            .collect();
        assert!(samples.len() > 3, "{} has {} samples", format.name(), samples.len());
        for sample in samples {
            for _ in 0..MUTATIONS {
                let harmed = random.harm(&sample);
                let stream = [first.as_bytes(), &harmed, last.as_bytes()].join(&b'\n');
                let found = decode(&format, &stream);
                for neighbour in [&first, &last] {
                    assert!(
                        found.contains(&event_id(payload(neighbour))),
                        "{}: a neighbour was lost beside {:?}",
                        format.name(),
                        String::from_utf8_lossy(&harmed)
                    );
                }
            }
        }
    }
}

/// For each format whose records stand apart, two records that must always be read.
fn sound() -> [(Format, String, String); 3] {
    let json = |id: u32| {
        format!(
            r#"{{"resourceType":"AuditEvent","recorded":"2024-03-01T08:00:00Z","id":"{id}","agent":[]}}"#
        )
    };
    let xml = |id: u32| {
        format!(
            "<AuditMessage><EventIdentification EventDateTime='2024-03-01T08:00:00Z'/>\
             <ActiveParticipant UserID='nurse{id}'/></AuditMessage>"
        )
    };
    let syslog = |id: u32| format!("<85>1 2024-03-01T08:00:00Z host app - - - {}", xml(id));
    [
        (Format::Lines, json(1), json(2)),
        (Format::Xml, xml(1), xml(2)),
        (Format::Syslog, syslog(1), syslog(2)),
    ]
}

fn payload(record: &str) -> &[u8] {
    record.split_once("- - - ").map_or(record, |(_, payload)| payload).as_bytes()
}

fn is_of(format: &Format, name: &str) -> bool {
    match format {
        Format::Lines => name.ends_with("ndjson"),
        Format::Xml => name.ends_with("xml"),
        Format::Syslog => name.ends_with("log"),
        _ => false,
    }
}

fn decode(format: &Format, bytes: &[u8]) -> Vec<bavn_model::EventId> {
    let mut decoder = Decoder::new(format.clone(), Arc::new(Mappings::default()), 0, "");
    let mut out = Decoded::default();
    decoder.decode(bytes, true, &mut out);
    out.records.iter().map(|record| record.id).collect()
}

/// A small generator of its own, so that every run is the same.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64*, Vigna 2016.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }

    /// One to four harms: bytes changed, cut out, repeated, or words put in that mean something.
    pub(crate) fn harm(&mut self, sample: &[u8]) -> Vec<u8> {
        let mut bytes = sample.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let length = self.below(40).min(bytes.len() - at);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => drop(bytes.drain(at..at + length)),
                2 => {
                    let piece = bytes[at..at + length].to_vec();
                    bytes.splice(at..at, piece);
                }
                3 => bytes.truncate(at),
                _ => {
                    let word = WORDS[self.below(WORDS.len())];
                    bytes.splice(at..at, word.iter().copied());
                }
            }
        }
        bytes
    }
}

const WORDS: [&[u8]; 27] = [
    b"<",
    b">",
    b"&",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xc3",
    b"<!--",
    b"]]>",
    b"<![CDATA[",
    b"&lol;",
    b"</AuditMessage>",
    b"<AuditEvent>",
    b"<85>1 ",
    b"999999 <85>1 ",
    b"null",
    b"\\ud800",
];
const MUTATIONS: usize = 20;
const SAMPLE_BYTES_MAX: usize = 12_000;

/// Whoever keeps the bytes of a record keeps exactly these.
#[test]
fn a_record_says_which_bytes_it_was_read_from() {
    let mappings = Arc::new(Mappings::default());
    let mut checked = 0;
    for (name, bytes) in inputs() {
        let Ok(format) = bavn_decode::sniff(&name, &bytes, &mappings) else { continue };
        let framed = format.name().contains("syslog");
        let mut decoder = Decoder::new(format, Arc::clone(&mappings), 0, &name);
        let mut decoded = Decoded::default();
        decoder.decode(&bytes, true, &mut decoded);
        for record in &decoded.records {
            let start = record.origin.byte_offset as usize;
            let original = &bytes[start..start + record.origin.bytes as usize];
            assert!(!original.is_empty(), "{name}");
            assert!(
                framed || event_id(original) == record.id,
                "{name}, {:?} {:?}",
                record.origin,
                String::from_utf8_lossy(original)
            );
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} records");
}
