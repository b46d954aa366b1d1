//! Does any input make a decoder panic, lose bytes, or read blocks otherwise than the whole?
//!
//! Called by the fuzz targets in `fuzz/`, and by the tests on mutated samples.

use crate::context::ContextLoader;
use crate::mapping::{CsvTable, Mapping, Mappings};
use crate::{Decoded, Decoder, Format, Skeletons, digest, fhir, sniff};
use bavn_model::{EventId, Origin};
use std::sync::{Arc, OnceLock};

/// JSON lines.
pub fn fuzz_lines(bytes: &[u8]) {
    check(&Format::Lines, bytes);
}

/// JSON documents, Bundles and arrays.
pub fn fuzz_json(bytes: &[u8]) {
    check(&Format::Json, bytes);
}

/// DICOM audit messages and FHIR in XML.
pub fn fuzz_xml(bytes: &[u8]) {
    check(&Format::Xml, bytes);
}

/// Syslog frames.
pub fn fuzz_syslog(bytes: &[u8]) {
    check(&Format::Syslog, bytes);
}

/// CSV through whichever shipped mapping fits its header.
pub fn fuzz_csv(bytes: &[u8]) {
    if let Ok(Some(table)) = CsvTable::open(&mappings(), "input.csv", bytes) {
        check(&Format::Csv(Arc::new(table)), bytes);
    }
}

/// The text of a mapping: an answer, and an error that names a place in the text.
///
/// # Panics
/// If the place lies outside the text.
pub fn fuzz_mapping(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = Mapping::parse(text) {
        let span = error.span();
        assert!(span.start <= span.end && span.end <= text.len(), "no place in the text");
    }
}

/// A file of context, whole and in two blocks.
///
/// # Panics
/// If the two do not say the same.
pub fn fuzz_context(bytes: &[u8]) {
    let cut = bytes.first().map_or(0, |&first| bytes.len() * usize::from(first) / 256);
    let load = |cut: usize| {
        let mut loader = ContextLoader::new(mappings());
        let (head, tail) = bytes.split_at_checked(cut).unwrap_or((bytes, &[]));
        let told = loader.begin("input").and_then(|()| loader.push(head));
        let told = told.and_then(|()| loader.push(tail)).and_then(|()| loader.end());
        let loaded = loader.finish(None).ok()?;
        let ties = loaded.context.all_ties().to_vec();
        Some((told.is_ok(), ties, loaded.completeness.lines(), loaded.problems))
    };
    assert!(load(0) == load(cut), "other context in two blocks than in one");
}

/// Each line by parsing and by skeleton.
///
/// # Panics
/// If the two do not say the same.
pub fn fuzz_skeletons(bytes: &[u8]) {
    let mut skeletons = Skeletons::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let full = fhir::read_json(line, Origin::default()).map(|record| digest(&record));
        // Seen, learnt, known.
        for _ in 0..3 {
            let fast = skeletons.decode_line(line, Origin::default());
            assert!(fast.map(|record| digest(&record)) == full, "a skeleton reads otherwise");
        }
    }
}

/// Whatever the content says that it is.
pub fn fuzz_any(bytes: &[u8]) {
    if let Ok(format) = sniff("input", bytes, &mappings()) {
        check(&format, bytes);
    }
}

/// Decodes `bytes` whole and in two blocks, and holds the one against the other.
fn check(format: &Format, bytes: &[u8]) {
    let whole = decode(format, bytes, bytes.len());
    let cut = bytes.first().map_or(0, |&first| bytes.len() * usize::from(first) / 256);
    let in_blocks = decode(format, bytes, cut);
    assert!(whole.0 == in_blocks.0, "other records in two blocks than in one");
    assert!(whole.1 == in_blocks.1, "other rejects in two blocks than in one");
}

/// Ids of the records, and places of the rejects.
fn decode(format: &Format, bytes: &[u8], cut: usize) -> (Vec<EventId>, Vec<(u64, u64)>) {
    let mut decoder = Decoder::new(format.clone(), mappings(), 0, "input");
    let (mut records, mut rejects) = (Vec::new(), Vec::new());
    let head = bytes.get(..cut).unwrap_or_default();
    let mut out = Decoded::default();
    let taken = decoder.decode(head, false, &mut out);
    assert!(taken <= head.len(), "more bytes were taken than there were");
    let rest = bytes.get(taken..).unwrap_or_default();
    let mut tail = Decoded::default();
    let taken = decoder.decode(rest, true, &mut tail);
    assert!(taken == rest.len(), "bytes were left at the end");
    for part in [out, tail] {
        records.extend(part.records.iter().map(|record| record.id));
        rejects.extend(part.rejects.iter().map(|told| (told.origin.byte_offset, told.bytes)));
    }
    rejects.sort_unstable();
    (records, rejects)
}

fn mappings() -> Arc<Mappings> {
    static SHIPPED: OnceLock<Arc<Mappings>> = OnceLock::new();
    Arc::clone(SHIPPED.get_or_init(|| Arc::new(Mappings::shipped())))
}
