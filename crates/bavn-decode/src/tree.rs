//! What does this piece of JSON hold?
//!
//! A borrowed tree, and the parser that every JSON record goes through unless its skeleton is
//! known. FHIR XML is turned into the same tree, so readers must not ask which of the two it was:
//! a number may stand where a string belongs, and one element where a list belongs.
//!
//! Strict where leniency would let two readers see two records: UTF-8, escapes, numbers, trailing
//! bytes. A lone surrogate escape becomes U+FFFD, since the rest of such a record is sound. Where a
//! key stands twice, [`Value::get`] gives the last; `fhir` refuses it for keys that it reads.

use bavn_model::RejectReason;
use std::borrow::Cow;

/// Deeper records are refused: recursion is bounded by it.
pub const LEVELS_MAX: u32 = 128;

/// A JSON value that borrows from its text wherever the text stands unescaped.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// As spelt in the text.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    /// In the order of the text, duplicates included.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// What every look-up of an absent key gives, so that paths can be followed without `?`.
pub static NULL: Value<'static> = Value::Null;

impl<'a> Value<'a> {
    /// The value under `key`, the last one if it stands twice; [`NULL`] if there is none.
    pub fn get(&self, key: &str) -> &Value<'a> {
        match self {
            Self::Object(fields) => {
                fields.iter().rev().find(|(name, _)| name == key).map_or(&NULL, |(_, value)| value)
            }
            _ => &NULL,
        }
    }

    /// The elements of a list; a single value counts as a list of one, and null as an empty one.
    pub fn items(&self) -> &[Value<'a>] {
        match self {
            Self::Null => &[],
            Self::Array(items) => items,
            one => std::slice::from_ref(one),
        }
    }

    /// The fields of an object, in the order of the text.
    pub fn fields(&self) -> &[(Cow<'a, str>, Value<'a>)] {
        match self {
            Self::Object(fields) => fields,
            _ => &[],
        }
    }

    /// The first element of a list, or the value itself.
    pub fn first(&self) -> &Value<'a> {
        self.items().first().unwrap_or(&NULL)
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string, number or boolean, trimmed; `None` where nothing is left.
    pub fn str(&self) -> Option<&str> {
        let text = match self {
            Self::String(text) => text.trim(),
            Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// As [`Self::str`], but borrowing from the input where that is possible.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let text = match self {
            Self::String(Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
            Self::String(Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
            Self::Number(text) => Cow::Borrowed(*text),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A boolean, also as the words that XML and careless writers use.
    pub fn bool(&self) -> Option<bool> {
        match self.str()? {
            "true" | "True" | "TRUE" | "1" => Some(true),
            "false" | "False" | "FALSE" | "0" => Some(false),
            _ => None,
        }
    }
}

/// Parses one JSON value that fills all of `bytes` but for white space and a byte order mark.
pub fn parse(bytes: &[u8]) -> Result<Value<'_>, RejectReason> {
    let text = simdutf8::compat::from_utf8(bytes)
        .map_err(|error| RejectReason::NotUtf8 { at: error.valid_up_to() as u64 })?;
    let mut parser = Parser { text, bytes, at: 0 };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        parser.at = 3;
    }
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at < bytes.len() { Err(parser.malformed()) } else { Ok(value) }
}

/// Position of the next quote, backslash or control byte at or after `at`, or the end. Eight bytes
/// at a time.
pub(crate) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

/// Position of the closing quote of a string whose content begins at `at`, if it is well-formed.
pub(crate) fn end_of_string(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let end = plain_end(bytes, at);
    if bytes.get(end) == Some(&b'"') {
        return Some(end);
    }
    let mut parser = Parser { text, bytes, at };
    parser.string().ok()?;
    Some(parser.at - 1)
}

/// The content of a string with its escapes undone.
pub(crate) fn unescape(content: &str) -> Option<String> {
    let mut parser = Parser { text: content, bytes: content.as_bytes(), at: 0 };
    let mut value = String::with_capacity(content.len());
    loop {
        let plain = parser.at;
        parser.skip_plain();
        value.push_str(content.get(plain..parser.at)?);
        match parser.next() {
            None => return Some(value),
            Some(b'\\') => value.push(parser.escape().ok()?),
            Some(_) => return None,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, level: u32) -> Result<Value<'a>, RejectReason> {
        self.skip_space();
        match self.peek().ok_or(RejectReason::CutShort)? {
            b'"' => {
                self.at += 1;
                self.string().map(Value::String)
            }
            b'{' => self.object(level),
            b'[' => self.array(level),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, level: u32) -> Result<Value<'a>, RejectReason> {
        let level = self.enter(level)?;
        let mut fields = Vec::new();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Value::Object(fields));
        }
        fields.reserve(FIELDS_USUAL);
        loop {
            self.skip_space();
            self.expect(b'"')?;
            let name = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            fields.push((name, self.value(level)?));
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Value::Object(fields));
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, level: u32) -> Result<Value<'a>, RejectReason> {
        let level = self.enter(level)?;
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        items.reserve_exact(ITEMS_USUAL);
        loop {
            items.push(self.value(level)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            self.expect(b',')?;
        }
    }

    /// Steps over the opening bracket, one level deeper.
    fn enter(&mut self, level: u32) -> Result<u32, RejectReason> {
        if level >= LEVELS_MAX {
            return Err(RejectReason::TooDeep { levels_max: LEVELS_MAX });
        }
        self.at += 1;
        Ok(level + 1)
    }

    /// The rest of a string whose opening quote has been read.
    fn string(&mut self) -> Result<Cow<'a, str>, RejectReason> {
        let start = self.at;
        self.skip_plain();
        match self.peek() {
            Some(b'"') => {
                let text = self.text.get(start..self.at).unwrap_or("");
                self.at += 1;
                Ok(Cow::Borrowed(text))
            }
            Some(b'\\') => self.escaped_string(start),
            Some(_) => Err(self.malformed()),
            None => Err(RejectReason::CutShort),
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<Cow<'a, str>, RejectReason> {
        let mut text = self.text.get(start..self.at).unwrap_or("").to_owned();
        loop {
            match self.next().ok_or(RejectReason::CutShort)? {
                b'"' => return Ok(Cow::Owned(text)),
                b'\\' => text.push(self.escape()?),
                _ => {
                    self.at -= 1;
                    return Err(self.malformed());
                }
            }
            let plain = self.at;
            self.skip_plain();
            text.push_str(self.text.get(plain..self.at).unwrap_or(""));
        }
    }

    fn escape(&mut self) -> Result<char, RejectReason> {
        let escaped = match self.next().ok_or(RejectReason::CutShort)? {
            plain @ (b'"' | b'\\' | b'/') => char::from(plain),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => {
                self.at -= 1;
                return Err(self.malformed());
            }
        };
        Ok(escaped)
    }

    fn unicode_escape(&mut self) -> Result<char, RejectReason> {
        let unit = self.four_hex_digits()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_high = self.at;
        if self.next() == Some(b'\\') && self.next() == Some(b'u') {
            let low = self.four_hex_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                let scalar = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        // A lone high surrogate: what follows it is read on its own.
        self.at = after_high;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_hex_digits(&mut self) -> Result<u32, RejectReason> {
        let mut unit = 0;
        for _ in 0..4 {
            let byte = self.next().ok_or(RejectReason::CutShort)?;
            let Some(digit) = char::from(byte).to_digit(16) else {
                self.at -= 1;
                return Err(self.malformed());
            };
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Value<'a>, RejectReason> {
        let start = self.at;
        let _negative = self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(Value::Number(self.text.get(start..self.at).unwrap_or("")))
    }

    fn digits(&mut self) -> Result<(), RejectReason> {
        match self.peek() {
            Some(b'0'..=b'9') => {}
            Some(_) => return Err(self.malformed()),
            None => return Err(RejectReason::CutShort),
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, RejectReason> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else if word.as_bytes().starts_with(rest) {
            Err(RejectReason::CutShort)
        } else {
            Err(self.malformed())
        }
    }

    /// Steps to the next quote, backslash or control byte.
    fn skip_plain(&mut self) {
        self.at = plain_end(self.bytes, self.at);
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: u8) -> Result<(), RejectReason> {
        match self.peek() {
            Some(byte) if byte == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.malformed()),
            None => Err(RejectReason::CutShort),
        }
    }

    fn malformed(&self) -> RejectReason {
        RejectReason::Malformed { format: "JSON", at: self.at as u64 }
    }
}

/// The high bit of each byte that is a quote, a backslash or below 0x20; exact up to and with the
/// first such byte, which is all that is asked of it.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zero_quote = quote.wrapping_sub(ONES) & !quote;
    let zero_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero_quote | zero_backslash | control) & HIGH
}

/// Measured on the public samples: objects hold 1 to 12 fields, half of them at most 3.
const FIELDS_USUAL: usize = 4;
const ITEMS_USUAL: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value<'_> {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn plain_text_is_borrowed_and_escapes_are_undone() {
        let value =
            read(r#" {"a":"plain","b":"\u00d8\ud83d\ude00\n\"","n":-1.5e3,"t":[true,null]} "#);
        assert!(matches!(value.get("a"), Value::String(Cow::Borrowed("plain"))));
        assert_eq!(value.get("b").str(), Some("\u{d8}\u{1f600}\n\""));
        assert_eq!(value.get("n").str(), Some("-1.5e3"));
        assert_eq!(value.get("t").items(), [Value::Bool(true), Value::Null]);
        assert_eq!(value.get("absent").get("further").items(), []);
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        assert_eq!(read(r#""\ud800x""#).str(), Some("\u{fffd}x"));
        assert_eq!(read(r#""\udc00""#).str(), Some("\u{fffd}"));
        assert_eq!(read(r#""\ud800\ud83d\ude00""#).str(), Some("\u{fffd}\u{1f600}"));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(read(r#"{"a":1,"a":2}"#).get("a").str(), Some("2"));
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        let malformed = |at| Err(RejectReason::Malformed { format: "JSON", at });
        for (text, at) in [
            ("{\"a\":1,}", 7),
            ("{a:1}", 1),
            ("[1 2]", 3),
            ("01", 1),
            ("1.x", 2),
            ("\"tab\there\"", 4),
            ("\"\\q\"", 2),
            ("\"\\u12g4\"", 5),
            ("{} {}", 3),
            ("nul1", 0),
            ("'a'", 0),
        ] {
            assert_eq!(parse(text.as_bytes()), malformed(at), "{text}");
        }
        for text in
            ["", "  ", "{", "{\"a\"", "[1,", "\"abc", "\"abc\\", "\"\\u12", "tru", "-", "1."]
        {
            assert_eq!(parse(text.as_bytes()), Err(RejectReason::CutShort), "{text}");
        }
        assert_eq!(parse(b"\"a\xff\""), Err(RejectReason::NotUtf8 { at: 2 }));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(LEVELS_MAX as usize).as_bytes()).is_ok());
        let refused = Err(RejectReason::TooDeep { levels_max: LEVELS_MAX });
        assert_eq!(parse(nested(LEVELS_MAX as usize + 1).as_bytes()), refused);
        assert_eq!(parse("{\"a\":".repeat(100_000).as_bytes()), refused);
    }

    #[test]
    fn every_special_byte_is_found_at_every_place() {
        for special in (0..0x20).chain([b'"', b'\\']) {
            for place in 0..20 {
                let mut bytes = [b'\xc3'; 24];
                for (index, byte) in bytes.iter_mut().enumerate() {
                    *byte = if index % 2 == 0 { 0xc3 } else { 0xbf };
                }
                let place = place * 2 % 24;
                bytes[place] = special;
                assert_eq!(plain_end(&bytes, 0), place, "{special}");
            }
        }
    }
}
