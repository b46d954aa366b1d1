//! JSON that is not one record a line: a document over many lines, an array, a Bundle.
//!
//! Such a document is cut into its records by its brackets alone, and each is parsed by itself: one
//! bad entry costs that entry, and no tree of the whole document is ever held.

use crate::Decoded;
use crate::frame::{Block, RECORD_BYTES_MAX, reject, too_long};
use crate::records::Records;
use bavn_model::{Origin, RejectReason};
use memchr::memchr2;

/// Reads all values of a document, once all of it is there.
pub(crate) fn decode<'a>(block: &mut Block<'a>, records: &mut Records, out: &mut Decoded<'a>) {
    if !block.at_end {
        return;
    }
    loop {
        let rest = block.rest();
        let mark = if rest.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
        let skipped = mark + rest.iter().skip(mark).take_while(blank).count();
        block.advance(skipped);
        let rest = block.rest();
        if rest.is_empty() {
            return;
        }
        let end = value_end(rest).unwrap_or(rest.len());
        let value = rest.get(..end).unwrap_or_default();
        document(&mut Block::new(value, block.place(), true), records, out, 0);
        block.advance(end);
    }
}

/// Reads the one value that a block holds: a record, or a list or Bundle of records.
pub(crate) fn document<'a>(
    block: &mut Block<'a>,
    records: &mut Records,
    out: &mut Decoded<'a>,
    level: u32,
) {
    let value = block.rest();
    if level > LISTS_LEVELS_MAX {
        let reason = RejectReason::TooDeep { levels_max: LISTS_LEVELS_MAX };
        out.rejects.push(reject(block.place(), value, reason));
        return;
    }
    let list = match value.first() {
        Some(b'[') => Some((0, false)),
        Some(b'{') => bundle_entries(value).map(|at| (at, true)),
        _ => None,
    };
    let Some((at, in_bundle)) = list else {
        let origin = block.place();
        if value.len() > RECORD_BYTES_MAX {
            out.rejects.push(reject(origin, value, too_long(value.len() as u64)));
        } else {
            records.value(value, origin, out);
        }
        block.finish();
        return;
    };
    block.advance(at + 1);
    let mut entry = 0;
    while let Some((element, is_cut)) = next_element(block, entry, out) {
        let origin = Origin { entry: Some(entry), ..block.place() };
        entry += 1;
        let resource = if in_bundle { member(element, "resource") } else { Some(0..element.len()) };
        match resource {
            Some(range) => {
                let mut place = Block::new(element, origin, true);
                place.advance(range.start);
                let resource = element.get(range).unwrap_or_default();
                let mut inner = Block::new(resource, place.place(), true);
                document(&mut inner, records, out, level + 1);
            }
            None if is_cut => {
                out.rejects.push(reject(origin, element, RejectReason::CutShort));
            }
            None => {
                let missing = RejectReason::Missing { field: "entry.resource" };
                out.rejects.push(reject(origin, element, missing));
            }
        }
        block.advance(element.len());
        // The list was cut with its element, which has been told.
        if is_cut {
            return;
        }
    }
}

/// The next element of the list in which `block` stands, not yet advanced over, and whether it is
/// cut. `None` at the end of the list.
fn next_element<'a>(
    block: &mut Block<'a>,
    entry: u32,
    out: &mut Decoded<'a>,
) -> Option<(&'a [u8], bool)> {
    let between = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b',';
    let skipped = block.rest().iter().take_while(between).count();
    block.advance(skipped);
    let rest = block.rest();
    match rest.first() {
        Some(b']') => None,
        None => {
            let origin = Origin { entry: Some(entry), ..block.place() };
            out.rejects.push(reject(origin, rest, RejectReason::CutShort));
            None
        }
        // The list's own brackets are broken: what follows cannot be told apart.
        Some(b'}' | b':') => {
            let origin = Origin { entry: Some(entry), ..block.place() };
            let malformed = RejectReason::Malformed { format: "JSON", at: 0 };
            out.rejects.push(reject(origin, rest, malformed));
            None
        }
        Some(_) => match value_end(rest) {
            Some(end) => rest.get(..end).map(|element| (element, false)),
            None => Some((rest, true)),
        },
    }
}

/// Where the list of entries of a Bundle begins; `None` if the object is no Bundle.
fn bundle_entries(object: &[u8]) -> Option<usize> {
    let kind = object.get(member(object, "resourceType")?)?;
    if kind != b"\"Bundle\"" {
        return None;
    }
    let entries = member(object, "entry")?;
    (object.get(entries.start) == Some(&b'[')).then_some(entries.start)
}

/// Where in an object the value of a key stands. A value that is cut runs to the end.
pub(crate) fn member(object: &[u8], wanted: &str) -> Option<std::ops::Range<usize>> {
    let mut at = 1;
    loop {
        at = after_space(object, at);
        if object.get(at) == Some(&b',') {
            at = after_space(object, at + 1);
        }
        if object.get(at) != Some(&b'"') {
            return None;
        }
        let name_end = at + value_end(object.get(at..)?)?;
        let is_wanted = object.get(at + 1..name_end - 1) == Some(wanted.as_bytes());
        at = after_space(object, name_end);
        if object.get(at) != Some(&b':') {
            return None;
        }
        at = after_space(object, at + 1);
        let rest = object.get(at..).filter(|rest| !rest.is_empty())?;
        let end = value_end(rest).map_or(object.len(), |length| at + length);
        if is_wanted {
            return Some(at..end);
        }
        if end == at {
            return None;
        }
        at = end;
    }
}

fn after_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// One past the end of the value with which `bytes` begin, by brackets and quotes alone; `None` if
/// it is cut. Never 0.
pub(crate) fn value_end(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' => string_end(bytes, 0),
        b'{' | b'[' => brackets_end(bytes),
        _ => {
            let stops = |byte: &u8| byte.is_ascii_whitespace() || b",]}{[\"".contains(byte);
            let length = bytes.iter().skip(1).position(stops).unwrap_or(bytes.len() - 1);
            Some(length + 1)
        }
    }
}

fn brackets_end(bytes: &[u8]) -> Option<usize> {
    let mut open = 0_u64;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' => {
                open -= 1;
                if open == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// One past the closing quote of the string whose opening quote is at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Lists within lists: an array of Bundles, a Bundle of Bundles.
const LISTS_LEVELS_MAX: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_their_brackets_do() {
        for (text, end) in [
            ("{\"a\":\"}\\\"\"} x", Some(11)),
            ("[1,[2]],", Some(7)),
            ("\"a\\\\\"b", Some(5)),
            ("12,3", Some(2)),
            ("]", Some(1)),
            ("{\"a\":[}", None),
            ("\"abc\\", None),
            ("", None),
        ] {
            assert_eq!(value_end(text.as_bytes()), end, "{text}");
        }
    }

    #[test]
    fn members_are_found_by_name_at_the_top_only() {
        let object = br#"{ "x": {"entry": 1}, "entry" : [2], "cut": [1 "#;
        let text = |wanted| member(object, wanted).and_then(|range| object.get(range));
        assert_eq!(text("entry"), Some(b"[2]".as_slice()));
        assert_eq!(text("cut"), Some(b"[1 ".as_slice()));
        assert_eq!(text("absent"), None);
        for broken in ["{", "{\"a\"", "{\"a\":", "{a:1}", "{\"a\":}", "{\"a\":1"] {
            assert_eq!(member(broken.as_bytes(), "b"), None, "{broken}");
        }
    }
}
