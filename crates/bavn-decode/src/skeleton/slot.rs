//! What may stand in this slot of a known skeleton?
//!
//! A slot's class is the promise under which reading takes no turn on the value: whatever fits the
//! class is picked alike. What does not fit goes to the full parser.

use crate::fhir;
use crate::tree;
use core::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Never read: any string of JSON.
    Unread,
    /// Carried but not looked into: a string with something in it that is not white space.
    Text,
    /// As `Text`, and may become a person's name: no placeholder, path, address or HL7 v2 parts.
    Name,
    /// As `Text`, and no web address: a policy that is a token.
    Token,
    /// As `Text`, and no URN: a network address.
    Address,
    /// The id in a reference, or the number in a composed identifier.
    Id,
    /// The digits of a whole number.
    Digits,
    /// In XML, as `Text`; no reference to a character or entity.
    XmlText,
    /// In XML, as `Name`.
    XmlName,
    /// In XML, as `Address`.
    XmlAddress,
    /// In XML: an id that is the whole of an attribute, and no network address.
    Whole,
    /// In XML: an id that is the first component of HL7 v2.
    Component,
}

/// Where a slot's value ends, and whether it holds escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: usize,
    pub(super) escaped: bool,
}

impl Class {
    /// The end of the value that begins at `from`, if it is of this class. Names and texts end at
    /// the closing quote, which follows as part of the skeleton.
    pub(super) fn end(self, text: &str, from: usize) -> Option<End> {
        let plain = |at| End { at, escaped: false };
        match self {
            // Never read, so never unescaped.
            Self::Unread => tree::end_of_string(text, from).map(plain),
            Self::Text | Self::Token | Self::Address => self.end_of_text(text, from),
            Self::Name => end_of_name(text, from),
            Self::Id => end_of_id(text, from).map(plain),
            Self::Digits => end_of_digits(text, from).map(plain),
            Self::XmlText | Self::XmlName | Self::XmlAddress => {
                self.end_in_xml(text, from).map(plain)
            }
            Self::Whole => end_of_whole(text, from).map(plain),
            Self::Component => end_of_id(text, from)
                .filter(|&end| text.as_bytes().get(end) == Some(&b'^'))
                .map(plain),
        }
    }

    fn end_of_text(self, text: &str, from: usize) -> Option<End> {
        let bytes = text.as_bytes();
        let at = tree::plain_end(bytes, from);
        match bytes.get(at)? {
            b'"' => self.holds(text.get(from..at)?).then_some(End { at, escaped: false }),
            b'\\' => self.end_of_escaped(text, from),
            _ => None,
        }
    }

    /// As the others, for a string with escapes: what they stand for must be of the class.
    fn end_of_escaped(self, text: &str, from: usize) -> Option<End> {
        let at = tree::end_of_string(text, from)?;
        let value = tree::unescape(text.get(from..at)?)?;
        self.holds(&value).then_some(End { at, escaped: true })
    }

    /// Whether an unescaped value is of the class.
    fn holds(self, value: &str) -> bool {
        is_trimmed(value)
            && match self {
                Self::Unread | Self::Text | Self::XmlText => true,
                Self::Name | Self::XmlName => {
                    !value.contains(['^', '|', '/']) && !fhir::is_placeholder(value)
                }
                Self::Token => {
                    !(memchr::memchr(b':', value.as_bytes()).is_some() && value.contains("://"))
                }
                Self::Address | Self::XmlAddress => !value.starts_with("urn:"),
                Self::Id | Self::Digits | Self::Whole | Self::Component => false,
            }
    }

    fn end_in_xml(self, text: &str, from: usize) -> Option<usize> {
        let rest = text.as_bytes().get(from..)?;
        let length = rest.iter().position(|&byte| kind(byte) & MARKUP != 0)?;
        self.holds(text.get(from..from + length)?).then_some(from + length)
    }
}

/// Something that neither begins nor ends with white space.
fn is_trimmed(value: &str) -> bool {
    match (value.as_bytes().first(), value.as_bytes().last()) {
        (Some(0x21..=0x7f), Some(0x21..=0x7f)) => true,
        (None, _) => false,
        _ => value.trim().len() == value.len(),
    }
}

fn end_of_name(text: &str, from: usize) -> Option<End> {
    let bytes = text.as_bytes();
    let mut at = from;
    let stopped_by = loop {
        let byte = *bytes.get(at)?;
        if kind(byte) & (STOP | PARTS) != 0 {
            break byte;
        }
        at += 1;
    };
    match stopped_by {
        b'"' => {
            let value = text.get(from..at)?;
            let fits = is_trimmed(value) && !fhir::is_placeholder(value);
            fits.then_some(End { at, escaped: false })
        }
        b'\\' => Class::Name.end_of_escaped(text, from),
        _ => None,
    }
}

fn end_of_id(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let length = rest.iter().take_while(|&&byte| kind(byte) & ID != 0).count();
    let value = text.get(from..from + length)?;
    (length > 0 && rest.first() != Some(&b'_') && !fhir::is_placeholder(value))
        .then_some(from + length)
}

fn end_of_whole(text: &str, from: usize) -> Option<usize> {
    let end = end_of_id(text, from)?;
    let is_address = || text.get(from..end).is_some_and(|id| id.parse::<IpAddr>().is_ok());
    (text.as_bytes().get(end) == Some(&b'"') && !is_address()).then_some(end)
}

fn end_of_digits(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let leading_zero = length > 1 && rest.first() == Some(&b'0');
    (length > 0 && !leading_zero).then_some(from + length)
}

/// Quote, backslash, control.
const STOP: u8 = 1;
/// What a reference's id consists of.
const ID: u8 = 2;
/// What divides HL7 v2, `system|value` and paths.
const PARTS: u8 = 4;
/// What ends a plain text in XML: quote, bracket, ampersand, control.
const MARKUP: u8 = 8;

#[expect(clippy::indexing_slicing, reason = "in a constant, the loop's bound is the array's")]
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'"' | 0..0x20 => STOP | MARKUP,
            b'\\' => STOP,
            b'<' | b'>' | b'&' => MARKUP,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => ID,
            b'^' | b'|' | b'/' => PARTS,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

fn kind(byte: u8) -> u8 {
    KINDS.get(usize::from(byte)).copied().unwrap_or(STOP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(class: Class, value: &str) -> bool {
        let text = format!("\"{value}\"}}");
        class.end(&text, 1).map(|end| end.at) == Some(1 + value.len())
    }

    #[test]
    fn each_class_refuses_what_would_steer_reading() {
        use Class::{Address, Digits, Id, Name, Text, Token, Unread};
        for (class, good, bad) in [
            (Unread, &["", "a", " ", "\\u0041\\n", "/x"][..], &["\\q", "tab\there"][..]),
            (
                Text,
                &["2020-01-01", "a b", "/x", "\u{f8}", "a\\u0020\\\"b"],
                &["", " a", "a ", "\u{a0}a", "a\\n", "a\\q"],
            ),
            (
                Name,
                &["John Smith", "95", "a@b", "\u{d8}ye 1. etasje", "a:b", "a\\\"b"],
                &[
                    "",
                    "unknown",
                    "Anonymous",
                    "/x",
                    "a/b",
                    "http://x",
                    "a^b",
                    "a|b",
                    " a",
                    "a\\n",
                    "a\\/b",
                    "\\u002d",
                ],
            ),
            (Token, &["urn:uuid:1", "C187", "a:b//c"], &["http://x/y", ""]),
            (Address, &["10.0.0.1", "2001:db8::1", "http://x"], &["urn:ipv6:::1", ""]),
            (Id, &["pat-17", "A.b_c"], &["", "_history", "a/b", "a#b", "unknown", "\u{f8}", "a|b"]),
            (Digits, &["0", "17"], &["", "017", "1.5", "-1"]),
        ] {
            for value in good {
                assert!(fits(class, value), "{class:?} {value}");
            }
            for value in bad {
                assert!(!fits(class, value), "{class:?} {value}");
            }
        }
    }
}
