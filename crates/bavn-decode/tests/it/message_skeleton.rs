//! An audit message in XML of a known shape reads as it does by parsing, whatever stands in it.

use crate::cases;
use crate::mutated::Random;
use bavn_decode::{Decoded, Decoder, Format, Mappings, digest};
use bavn_model::{Record, RejectReason};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Every awkward value in every attribute and text of all samples, alone and before or behind the
/// part of the value that stays.
#[test]
fn every_value_reads_as_parsing_reads_it() {
    let (mut hits, mut read, mut turn) = (0, 0, 0);
    for message in messages() {
        let mut learnt = decoder();
        for _ in 0..3 {
            assert_eq!(decode(&mut learnt, &message), decode(&mut decoder(), &message));
        }
        for value in values(&message) {
            let (head, rest) = message.split_at(value.start);
            let (content, tail) = rest.split_at(value.len());
            let mut contexts = vec![("", "")];
            if let Some(last) = content.rfind(['/', ':', '@']) {
                contexts.push((content.split_at(last + 1).0, ""));
            }
            if let Some(first) = content.find(['^', '~', '|']) {
                contexts.push(("", content.split_at(first).1));
            }
            for (before, after) in contexts {
                turn += 1;
                for new in VALUES.iter().skip(turn % 5).step_by(5) {
                    let changed = [head, before, new, after, tail].concat();
                    let known = learnt.recalled();
                    let fast = decode(&mut learnt, &changed);
                    assert_eq!(fast, decode(&mut decoder(), &changed), "{changed}");
                    hits += learnt.recalled() - known;
                    read += 1;
                }
            }
        }
    }
    assert!(hits > 1_000, "only {hits} of {read} values were read by skeleton");
}

/// Bytes changed, doubled and cut anywhere, in a row that teaches the decoder new shapes.
#[test]
fn harmed_messages_read_alike_both_ways() {
    let mut random = Random(17);
    for message in messages() {
        let mut learnt = decoder();
        for _ in 0..20 {
            let bytes = random.harm(message.as_bytes());
            for _ in 0..3 {
                let fast = decode_bytes(&mut learnt, &bytes);
                assert_eq!(fast, decode_bytes(&mut decoder(), &bytes));
            }
            let fast = decode(&mut learnt, &message);
            assert_eq!(fast, decode(&mut decoder(), &message));
        }
    }
}

type Told = (Vec<u64>, Vec<(u64, u64, RejectReason)>);

fn decoder() -> Decoder {
    Decoder::new(Format::Xml, Arc::new(Mappings::default()), 0, "input.xml")
}

fn decode(decoder: &mut Decoder, message: &str) -> Told {
    decode_bytes(decoder, message.as_bytes())
}

/// As digests, without where in the input the decoder has come to.
fn decode_bytes(decoder: &mut Decoder, bytes: &[u8]) -> Told {
    let mut out = Decoded::default();
    let base = decoder.place();
    decoder.decode(bytes, true, &mut out);
    let records = out.records.into_iter().map(|record| {
        let mut origin = record.origin;
        origin.line -= base.line;
        origin.byte_offset -= base.byte_offset;
        digest(&Record { origin, ..record })
    });
    let rejects = out
        .rejects
        .into_iter()
        .map(|told| (told.origin.byte_offset - base.byte_offset, told.bytes, told.reason));
    (records.collect(), rejects.collect())
}

/// The audit messages of all samples, one of each outline.
fn messages() -> Vec<String> {
    let mut outlines = HashSet::new();
    let mut found = Vec::new();
    for (_, bytes) in cases::inputs() {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for (start, _) in text.match_indices("<AuditMessage") {
            let (_, rest) = text.split_at(start);
            let Some(length) = rest.find(END) else { continue };
            let (message, _) = rest.split_at(length + END.len());
            let outline: String =
                message.chars().filter(|letter| !letter.is_ascii_digit()).collect();
            if outlines.insert(outline) {
                found.push(message.to_owned());
            }
        }
    }
    assert!(found.len() > 30, "only {} samples", found.len());
    found
}

/// Where the attributes' values and the texts stand.
fn values(message: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, mark) in message.match_indices(['"', '<', '>']) {
        let between = from..at;
        from = at + mark.len();
        let (before, rest) = message.split_at(between.start);
        let is_value = before.ends_with("=\"") && mark == "\"";
        let is_text = before.ends_with('>') && mark == "<";
        if is_value || (is_text && !rest.split_at(between.len()).0.trim().is_empty()) {
            found.push(between);
        }
    }
    found
}

const END: &str = "</AuditMessage>";

const VALUES: &[&str] = &[
    "7",
    "pat-17",
    "Anna Nother",
    " a",
    "a ",
    "",
    "unknown",
    "Anonymous",
    "-",
    "_history",
    "1.2.3",
    "10.0.0.1",
    "2001:db8::1",
    "urn:ipv6:::1",
    "urn:oid:1.2.3",
    "Practitioner/7",
    "Patient/17",
    "Patient/17/_history/2",
    "Patient/unknown",
    "https://e.example/fhir/Patient/3",
    "#c1",
    "Patient?identifier=urn:oid:1.2.3|17",
    "17^^^&amp;1.2.3&amp;ISO",
    "17^^^NS",
    "17~18",
    "a|b",
    "^^^",
    "17^^^&amp;1.2.3&amp;ISO~18^^^&amp;1.2.4&amp;ISO",
    "alias&lt;user@issuer>",
    "a<user@issuer>",
    "a&amp;b",
    "a&#65;b",
    "a&quot;b",
    "&lol;",
    "a]]>b",
    "a\\b",
    "a'b",
    "\u{d8}ye",
    "\u{a0}x",
    "\t",
    "a\nb",
    "/x",
    "a/b",
    "AETITLE=X",
    "1234",
    "4194305",
    "true",
    "false",
    "0",
    "1",
    "2",
    "110150",
    "110152",
    "ITI-9",
    "ITI-8",
    "Z3Q9UGF0aWVudC8xNw==",
    "UGF0aWVudC8xNw==",
    "2020-01-01T00:00:00Z",
    "2020-01-01T00:00:00",
    "user$",
    "$",
    "Zq7Slot0x",
    "Zq7Slot1xZq7Slot2x",
    "http://x/y",
    "a^b",
    "AuditMessage>",
    "</AuditMessage>",
];
