//! Which format is this?
//!
//! Told from the content, never from the name: names lie, and pipes have none.

use crate::decoder::Format;
use crate::frame_json::value_end;
use crate::mapping::{CsvTable, MappingError, Mappings};
use crate::{syslog, tree};
use bavn_model::RejectReason;
use memchr::memmem;
use std::sync::Arc;

/// Why nothing can be read from an input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SniffError {
    /// Nothing, or nothing but white space.
    #[error("is empty")]
    Empty,
    /// Text of two or four bytes a character.
    #[error("is encoded in {name}, not in UTF-8")]
    Encoding { name: &'static str },
    #[error("holds no audit records of a known format, and no mapping is for it")]
    Unknown,
    /// A mapping is for this input, but does not fit it.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

/// Finds the format from the first bytes of an input: a whole block, or all of a short input.
/// `file_name` chooses among mappings that ask for one.
pub fn sniff(file_name: &str, head: &[u8], mappings: &Mappings) -> Result<Format, SniffError> {
    let text = text_of(head)?;
    if let Some(format) = built_in(text) {
        return Ok(format);
    }
    if let Some(table) = CsvTable::open(mappings, file_name, head)? {
        return Ok(Format::Csv(Arc::new(table)));
    }
    let holds = |mark: &[u8]| memmem::find(text, mark).is_some();
    if holds(b"AuditMessage") || holds(b"AuditEvent") {
        return Ok(if syslog::begins_message(text) { Format::Syslog } else { Format::Xml });
    }
    Err(SniffError::Unknown)
}

/// The format of an input that is known to hold FHIR.
pub fn sniff_fhir(head: &[u8]) -> Format {
    text_of(head).ok().and_then(built_in).unwrap_or(Format::Lines)
}

/// The format of an input that is known to hold DICOM audit messages.
pub fn sniff_atna(head: &[u8]) -> Format {
    text_of(head).ok().and_then(built_in).unwrap_or(Format::Xml)
}

/// What begins like JSON, XML or syslog.
fn built_in(text: &[u8]) -> Option<Format> {
    match text.first()? {
        b'{' | b'[' => Some(if is_document(text) { Format::Json } else { Format::Lines }),
        _ if syslog::has_priority(text) => Some(Format::Syslog),
        b'<' => Some(Format::Xml),
        _ => None,
    }
}

/// The head without byte order mark, leading white space and NUL bytes.
fn text_of(head: &[u8]) -> Result<&[u8], SniffError> {
    let encoded = |name| Err(SniffError::Encoding { name });
    let text = match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return encoded("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<' | b'{' | b'[', 0, _, 0, ..] => {
            return encoded("UTF-16");
        }
        [0, b'<' | b'{' | b'[', 0, _, ..] => return encoded("UTF-16"),
        [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        all => all,
    };
    let blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
    let skipped = text.iter().take_while(blank).count();
    match text.get(skipped..) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(SniffError::Empty),
    }
}

/// Whether JSON stands over several lines, or in one that is longer than any record: not one
/// value a line.
fn is_document(text: &[u8]) -> bool {
    let Some(end) = value_end(text) else {
        // No end in sight: a long document, or lines of which the first is cut.
        return !has_whole_line(text, true)
            && (is_whole_so_far(text) || !has_whole_line(text, false));
    };
    let value = text.get(..end).unwrap_or_default();
    let one_line = memchr::memchr(b'\n', value).is_none();
    if one_line {
        let rest = text.get(end..).unwrap_or_default().trim_ascii_start();
        return value.first() == Some(&b'[') && rest.is_empty();
    }
    is_whole_so_far(value) || !has_whole_line(text, false)
}

/// Whether nothing is wrong with this JSON but that it may end too early.
fn is_whole_so_far(text: &[u8]) -> bool {
    let valid = match std::str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => text.len(),
    };
    !matches!(
        tree::parse(text.get(..valid).unwrap_or_default()),
        Err(RejectReason::Malformed { .. })
    )
}

/// Whether some line is an object by itself, and (if asked) a resource: lines of a Bundle may hold
/// an entry each, but not the bare resource.
fn has_whole_line(text: &[u8], resource: bool) -> bool {
    text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).any(|line| {
        line.len() > 2
            && line.starts_with(b"{")
            && line.ends_with(b"}")
            && tree::parse(line)
                .is_ok_and(|value| !resource || !value.get("resourceType").is_null())
    })
}
