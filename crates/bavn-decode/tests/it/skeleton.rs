//! Reading by skeleton says what parsing says, whatever has been learnt before.

use crate::cases;
use bavn_decode::fuzz::fuzz_skeletons;
use bavn_decode::{Decoded, Decoder, Format, Mappings, Skeletons, digest, fhir};
use bavn_model::{Origin, Record, RejectReason};
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_record_reads_alike_both_ways(
        sample in any::<prop::sample::Index>(),
        changes in prop::collection::vec(any::<Change>(), 1..4),
        more in prop::collection::vec(any::<Change>(), 1..3),
    ) {
        let sample = sample.get(samples());
        let mut skeletons = Skeletons::new();
        // The sample's own shape is known, then that of its first mutation as well.
        same_twice(&mut skeletons, sample)?;
        same_twice(&mut skeletons, sample)?;
        let changed = changes.iter().fold(sample.clone(), |line, change| change.make(line));
        same_twice(&mut skeletons, &changed)?;
        same_twice(&mut skeletons, &changed)?;
        let changed = more.iter().fold(changed, |line, change| change.make(line));
        same_twice(&mut skeletons, &changed)?;
        same_twice(&mut skeletons, sample)?;
        fuzz_skeletons(&changed);
    }
}

/// Every awkward value in the slots of all samples, alone and behind or before the part of the
/// value that stays. A slot takes every fourth value, since each kind of slot comes many times.
#[test]
fn every_slot_takes_every_value_as_parsing_does() {
    let (mut hits, mut slots) = (0, 0);
    let mut shapes = HashSet::new();
    for sample in samples() {
        let strings = strings(sample);
        let outline: Vec<&[u8]> =
            strings.iter().map(|string| head(&sample[string.clone()])).collect();
        if !shapes.insert(outline) {
            continue;
        }
        let mut skeletons = Skeletons::new();
        same_twice(&mut skeletons, sample).unwrap();
        for string in &strings {
            let with =
                |value: &[u8]| [&sample[..string.start], value, &sample[string.end..]].concat();
            let content = &sample[string.clone()];
            if !is_hit(&mut skeletons, &with(&[content, b"7"].concat()))
                && !is_hit(&mut skeletons, &with(&[b"7", content].concat()))
            {
                continue;
            }
            let mut contexts = vec![(&b""[..], &b""[..])];
            let mark = |byte: &u8| matches!(byte, b'/' | b'|' | b':');
            if let Some(last) = content.iter().rposition(mark) {
                contexts.push((&content[..=last], b""));
            }
            if let Some(first) = content.iter().position(|byte| *byte == b'^') {
                contexts.push((b"", &content[first..]));
            }
            for (before, after) in contexts {
                slots += 1;
                for value in VALUES.iter().skip(slots % 4).step_by(4) {
                    let line = with(&[before, value.as_bytes(), after].concat());
                    hits += u32::from(is_hit(&mut skeletons, &line));
                    same(&mut skeletons, &line).unwrap();
                }
            }
        }
    }
    assert!(hits > 5_000, "only {hits} values were read by skeleton");
}

fn is_hit(skeletons: &mut Skeletons, line: &[u8]) -> bool {
    let before = skeletons.hits_and_misses().0;
    let _read = skeletons.decode_line(line, Origin::default());
    skeletons.hits_and_misses().0 > before
}

/// The letters with which a text begins: enough to tell shapes from ids.
fn head(text: &[u8]) -> &[u8] {
    let letters = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    &text[..letters]
}

/// Over all samples, with the shipped mappings: a decoder that knows them, and a new one for each.
#[test]
fn a_decoder_that_has_learnt_says_what_a_new_one_says() {
    let mappings = Arc::new(Mappings::shipped());
    let decode = |decoder: &mut Decoder, line: &[u8]| {
        let mut out = Decoded::default();
        decoder.decode(line, true, &mut out);
        let records: Vec<u64> = out
            .records
            .into_iter()
            .map(|record| digest(&Record { origin: Origin::default(), ..record }))
            .collect();
        (records, out.rejects.into_iter().map(|reject| reject.reason).collect::<Vec<_>>())
    };
    let new = || Decoder::new(Format::Lines, Arc::clone(&mappings), 0, "input.ndjson");
    let mut learnt = new();
    for _ in 0..4 {
        for line in samples() {
            assert_eq!(decode(&mut learnt, line), decode(&mut new(), line));
        }
    }
}

fn same_twice(skeletons: &mut Skeletons, line: &[u8]) -> Result<(), TestCaseError> {
    same(skeletons, line)?;
    same(skeletons, line)
}

fn same(skeletons: &mut Skeletons, line: &[u8]) -> Result<(), TestCaseError> {
    let fast = told(skeletons.decode_line(line, Origin::default()));
    let full = told(fhir::read_json(line, Origin::default()));
    prop_assert_eq!(fast, full, "{}", String::from_utf8_lossy(line));
    Ok(())
}

fn told(read: Result<Record<'_>, RejectReason>) -> Result<u64, RejectReason> {
    read.map(|record| digest(&record))
}

/// Every FHIR record in JSON under `tests/data`, as one line, with the shapes of one line apart.
fn samples() -> &'static Vec<Vec<u8>> {
    static SAMPLES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let mut samples = Vec::new();
        for (_, text) in cases::inputs() {
            if !text.windows(12).any(|window| window == b"\"AuditEvent\"") {
                continue;
            }
            match serde_json::from_slice::<serde_json::Value>(&text) {
                Ok(one) => samples.push(one.to_string().into_bytes()),
                Err(_) => samples.extend(text.split(|&b| b == b'\n').map(<[u8]>::to_vec)),
            }
        }
        samples.retain(|line| !line.is_empty() && line.len() < 20_000);
        assert!(samples.len() > 150, "only {} samples", samples.len());
        samples
    })
}

/// One change to a record. `at` and `with` choose a place and a value, scaled to what is there.
#[derive(Clone, Debug)]
struct Change {
    kind: u8,
    at: prop::sample::Index,
    with: prop::sample::Index,
}

impl Arbitrary for Change {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let parts = (0..12_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>());
        parts.prop_map(|(kind, at, with)| Self { kind, at, with }).boxed()
    }
}

impl Change {
    fn make(&self, mut line: Vec<u8>) -> Vec<u8> {
        if line.is_empty() {
            return line;
        }
        let strings = strings(&line);
        match self.kind {
            0 => {
                let at = self.at.index(line.len());
                line[at] ^= 1 << self.with.index(8);
            }
            1 => {
                let from = self.at.index(line.len());
                let to = (from + self.with.index(40)).min(line.len());
                line.drain(from..to);
            }
            2 => line.extend_from_slice(TRAILING[self.with.index(TRAILING.len())]),
            // A member once more, or a piece moved: duplicated keys and other key orders.
            3 | 4 if !strings.is_empty() => {
                let members = members(&line, &strings);
                if let Some(member) = members.get(self.at.index(members.len().max(1))) {
                    let text = line[member.clone()].to_vec();
                    if self.kind == 4 {
                        let comma = usize::from(line.get(member.end) == Some(&b','));
                        line.drain(member.start..member.end + comma);
                    }
                    let opened: Vec<usize> =
                        (0..line.len()).filter(|&at| line[at] == b'{').collect();
                    if let Some(&at) = opened.get(self.with.index(opened.len().max(1))) {
                        let piece = [&text[..], b","].concat();
                        line.splice((at + 1)..=at, piece);
                    }
                }
            }
            5 if !strings.is_empty() => {
                // One of the record's own strings: equal where others differ.
                let from = line[self.with.get(&strings).clone()].to_vec();
                line.splice(self.at.get(&strings).clone(), from);
            }
            6 => {
                let at = self.at.index(line.len());
                line.splice(at..at, self.with.get(VALUES).bytes());
            }
            _ if !strings.is_empty() => {
                line.splice(self.at.get(&strings).clone(), self.with.get(VALUES).bytes());
            }
            _ => {}
        }
        line
    }
}

/// The contents of all strings, keys included.
fn strings(line: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < line.len() {
        match (line[at], start) {
            (b'\\', Some(_)) => at += 1,
            (b'"', Some(from)) => {
                found.push(from..at);
                start = None;
            }
            (b'"', None) => start = Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    found
}

/// `"key":value`, where the value ends before the next comma or bracket outside strings.
fn members(line: &[u8], strings: &[std::ops::Range<usize>]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    for key in strings {
        if line.get(key.end + 1) != Some(&b':') {
            continue;
        }
        let (mut at, mut open) = (key.end + 2, 0);
        while at < line.len() {
            match line[at] {
                b'"' => match strings.iter().find(|string| string.start == at + 1) {
                    Some(string) => at = string.end,
                    None => break,
                },
                b'{' | b'[' => open += 1,
                b'}' | b']' | b',' if open == 0 => break,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            at += 1;
        }
        found.push(key.start - 1..at.min(line.len()));
    }
    found
}

const TRAILING: &[&[u8]] = &[
    b" ",
    b"\r",
    b"\r\n",
    b"\t\n ",
    b"x",
    b"}",
    b",{}",
    b"\x0c",
    b"\0",
    b"\xc2\xa0",
    b"\"",
    b" 1",
];

const VALUES: &[&str] = &[
    "",
    " ",
    "#x",
    "#p",
    "unknown",
    "Unknown",
    "anonymous",
    "-",
    "n/a",
    "none",
    "Patient/x",
    "Patient/x/_history/2",
    "Patient/x/_history",
    "Patient/unknown",
    "Patient/x?y=z",
    "Patient",
    "Patient/_search",
    "Patient/Patient/7",
    "Patient?identifier=urn:oid:1.2.3|17",
    "Group/1",
    "Practitioner/7",
    "PractitionerRole/7",
    "Device/7",
    "Organization/o",
    "RelatedPerson/r",
    "https://ehr.example/fhir/Patient/1",
    "https://ehr.example/fhir/R4/Patient/1/_history/3",
    "http://x",
    "://",
    "/fhir/Patient/1",
    "a/b",
    "a//b",
    "urn:uuid:1",
    "urn:uuid:unknown",
    "urn:oid:1.2.3",
    "URN:OID:1.2.3",
    "1.2.3",
    "urn:ipv6:::1",
    "10.0.0.1",
    "17^^^&1.2.3&ISO",
    "7^A^B^^^^^^&1.2.3&ISO",
    "^",
    "a|b",
    "1.2.3|17",
    "|",
    "a|",
    "unknown|unknown",
    "x ",
    " x",
    "\u{a0}x",
    "\u{f8}y\u{e5}",
    "\\u0041",
    "\\u0020x",
    "x\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\u002d",
    "\\ud800",
    "\\q",
    "\\",
    "\u{1}",
    "\"",
    "2024-05-02",
    "2024-05-02T07:15:00",
    "yesterday",
    "2024-05-02T07:15:00.123456789+02:00",
    "0",
    "4",
    "8",
    "12",
    "error",
    "R",
    "C",
    "E",
    "read",
    "search-type",
    "operation",
    "$export",
    "110106",
    "110153",
    "humanuser",
    "PAT",
    "REP",
    "HCP",
    "ASS",
    "DELEGATEE",
    "DELEGATOR",
    "TREAT",
    "BTG",
    "true",
    "false",
    "1",
    "24",
    "20",
    "6",
    "26",
    "XrequestId",
    "cGF0aWVudD0xMjM0",
    "P3BhdGllbnQ9cDE=",
    "%%%",
    "?patient=1",
    "Patient/1,Patient/2",
    "process ID",
    "TraceID",
    "decision-ref-description",
    "valueString",
    "url",
    "id",
    "who",
    "resourceType",
    "AuditEvent",
    "text",
    "meta",
    "profile",
    "contained",
    "http://hl7.no/fhir/StructureDefinition/no-domain-Trustframework-Auditevent",
];
