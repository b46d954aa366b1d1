//! Where does one row of a delimited text file end, and what are its cells?
//!
//! RFC 4180 with what real exports add: any delimiter, `\` escapes (as `MySQL` writes them), lone CR at line ends,
//! blank lines, Latin-1. A broken quote costs the line it stands on, never the rest of the file:
//! reading resumes at the line after the one on which the bad row began.

use bavn_model::RejectReason;
use memchr::{memchr, memchr_iter, memchr2};
use std::borrow::Cow;

/// A row longer than this has lost its closing quote.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// How one file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    pub quote: u8,
    /// `MySQL` writes `\"` and `\\` inside text; most others double the quote.
    pub escape: Option<u8>,
    pub encoding: Encoding,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"', escape: None, encoding: Encoding::Utf8 }
    }
}

impl Dialect {
    /// The dialect of a file by its first line: the delimiter that stands there most often.
    pub fn guess(first_line: &[u8]) -> Self {
        let count = |wanted: u8| {
            let mut quoted = false;
            let mut found = 0;
            for &byte in first_line {
                quoted ^= byte == b'"';
                found += usize::from(byte == wanted && !quoted);
            }
            found
        };
        // The last of equals wins, so the comma stands last.
        let delimiter = [b'|', b'\t', b';', b','].into_iter().max_by_key(|&byte| count(byte));
        Self { delimiter: delimiter.unwrap_or(b','), ..Self::default() }
    }
}

/// How a file spells its characters in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO 8859-1.
    #[serde(rename = "latin-1")]
    Latin1,
    /// Latin-1 with typographic marks in 0x80 to 0x9F.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) if self == Self::Utf8 || text.is_ascii() => Ok(Cow::Borrowed(text)),
            Err(error) if self == Self::Utf8 => Err(error.valid_up_to()),
            _ => Ok(Cow::Owned(bytes.iter().map(|&byte| self.char(byte)).collect())),
        }
    }

    fn char(self, byte: u8) -> char {
        match (self, byte.checked_sub(0x80)) {
            (Self::Windows1252, Some(high)) => {
                WINDOWS_1252.get(usize::from(high)).copied().unwrap_or(char::from(byte))
            }
            _ => char::from(byte),
        }
    }
}

/// 0x80 to 0x9F of Windows-1252; the five unassigned ones stay control characters (WHATWG).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// One row as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowPlace<'a> {
    /// The row's bytes, without its line end.
    pub raw: &'a [u8],
    /// Of the row's first byte in the block.
    pub offset: usize,
    /// Lines of the block before the row.
    pub lines_before: u64,
}

/// Walks the rows of a block of one file.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    block: &'a [u8],
    dialect: Dialect,
    at: usize,
    lines: u64,
    /// Whether the file ends with this block.
    last: bool,
}

enum Cell {
    /// Ends at this index of the block; whether its row ends there too.
    Ends(usize, bool),
    /// The block ends first.
    Unfinished,
    Bad(RejectReason),
}

impl<'a> Rows<'a> {
    /// `block` begins where a row begins. Unless it is the `last` one of its file, a row that it
    /// cuts is left for the next block, which begins at [`Self::consumed`].
    pub fn new(block: &'a [u8], dialect: Dialect, last: bool) -> Self {
        Self { block, dialect, at: 0, lines: 0, last }
    }

    pub fn consumed(&self) -> usize {
        self.at
    }

    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Reads the next row into `cells`. `None` at the end of the whole rows of the block.
    pub fn read(
        &mut self,
        cells: &mut Vec<Cow<'a, str>>,
    ) -> Option<(RowPlace<'a>, Result<(), RejectReason>)> {
        self.skip_blank_lines();
        let start = self.at;
        if start >= self.block.len() {
            return None;
        }
        cells.clear();
        let mut at = start;
        let outcome = loop {
            match self.cell(start, at, cells) {
                Cell::Ends(end, false) => at = end + 1,
                Cell::Ends(end, true) if end - start > ROW_BYTES_MAX => {
                    break Err(too_long(end - start));
                }
                Cell::Ends(end, true) => break Ok(end),
                Cell::Bad(reason) => break Err(reason),
                Cell::Unfinished if !self.last && self.block.len() - start <= ROW_BYTES_MAX => {
                    return None;
                }
                Cell::Unfinished if self.last => break Err(RejectReason::CutShort),
                Cell::Unfinished => break Err(too_long(self.block.len() - start)),
            }
        };
        let end = match outcome {
            Ok(end) => end,
            Err(_) => match self.line_end(start) {
                Some(end) => end,
                // The whole of a broken line is told at once.
                None if !self.last && self.block.len() - start <= ROW_BYTES_MAX => return None,
                None => self.block.len(),
            },
        };
        let place = RowPlace {
            raw: trim_cr(self.block.get(start..end).unwrap_or_default()),
            offset: start,
            lines_before: self.lines,
        };
        self.at = (end + 1).min(self.block.len());
        let walked = self.block.get(start..self.at).unwrap_or_default();
        self.lines += memchr_iter(b'\n', walked).count() as u64;
        Some((place, outcome.map(|_| ())))
    }

    fn cell(&self, row: usize, start: usize, cells: &mut Vec<Cow<'a, str>>) -> Cell {
        let rest = self.block.get(start..).unwrap_or_default();
        if rest.first() == Some(&self.dialect.quote) {
            return self.quoted_cell(row, start + 1, cells);
        }
        let stop = memchr2(self.dialect.delimiter, b'\n', rest);
        let end = match stop {
            Some(length) => start + length,
            None if self.last => self.block.len(),
            None => return Cell::Unfinished,
        };
        let row_ends = self.block.get(end) != Some(&self.dialect.delimiter);
        let mut bytes = self.block.get(start..end).unwrap_or_default();
        if row_ends {
            bytes = trim_cr(bytes);
        }
        let text = match self.dialect.escape {
            Some(escape) if memchr(escape, bytes).is_some_and(|_| bytes != b"\\N") => {
                self.owned(&unescape(bytes, escape))
            }
            _ => self.dialect.encoding.decode(bytes),
        };
        match text {
            Ok(text) => cells.push(text),
            Err(at) => return Cell::Bad(RejectReason::NotUtf8 { at: (start - row + at) as u64 }),
        }
        Cell::Ends(end, row_ends)
    }

    fn quoted_cell(&self, row: usize, start: usize, cells: &mut Vec<Cow<'a, str>>) -> Cell {
        let (quote, escape) =
            (self.dialect.quote, self.dialect.escape.unwrap_or(self.dialect.quote));
        let mut text: Option<Vec<u8>> = None;
        let mut plain = start;
        let close = loop {
            let rest = self.block.get(plain..).unwrap_or_default();
            let Some(length) = memchr2(quote, escape, rest) else { return Cell::Unfinished };
            let mark = plain + length;
            let next = self.block.get(mark + 1).copied();
            let is_quote = self.block.get(mark) == Some(&quote);
            if is_quote && next != Some(quote) {
                break mark;
            }
            let Some(next) = next else { return Cell::Unfinished };
            let text = text.get_or_insert_default();
            text.extend_from_slice(self.block.get(plain..mark).unwrap_or_default());
            text.push(if is_quote { quote } else { escaped(next) });
            plain = mark + 2;
        };
        let tail = self.block.get(plain..close).unwrap_or_default();
        let read = match text {
            None => self.dialect.encoding.decode(tail),
            Some(mut text) => {
                text.extend_from_slice(tail);
                self.owned(&text)
            }
        };
        let mut end = close + 1;
        if self.block.get(end) == Some(&b'\r') {
            end += 1;
        }
        let row_ends = match self.block.get(end) {
            Some(&byte) if byte == self.dialect.delimiter => false,
            Some(b'\n') => true,
            None if self.last => true,
            None => return Cell::Unfinished,
            Some(_) => {
                let at = (end - row) as u64;
                return Cell::Bad(RejectReason::Malformed { format: "CSV", at });
            }
        };
        match read {
            Ok(text) => cells.push(text),
            Err(at) => return Cell::Bad(RejectReason::NotUtf8 { at: (start - row + at) as u64 }),
        }
        Cell::Ends(end, row_ends)
    }

    fn owned(&self, bytes: &[u8]) -> Result<Cow<'a, str>, usize> {
        self.dialect.encoding.decode(bytes).map(|text| Cow::Owned(text.into_owned()))
    }

    fn skip_blank_lines(&mut self) {
        while let Some(rest) = self.block.get(self.at..) {
            match rest {
                [b'\n', ..] => self.at += 1,
                [b'\r', b'\n', ..] => self.at += 2,
                _ => return,
            }
            self.lines += 1;
        }
    }

    fn line_end(&self, from: usize) -> Option<usize> {
        let rest = self.block.get(from..).unwrap_or_default();
        memchr(b'\n', rest).map(|length| from + length)
    }
}

fn too_long(bytes: usize) -> RejectReason {
    RejectReason::TooLong { bytes: bytes as u64, bytes_max: ROW_BYTES_MAX as u64 }
}

fn trim_cr(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn escaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        plain => plain,
    }
}

fn unescape(bytes: &[u8], escape: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        match rest.as_slice().first() {
            Some(&next) if byte == escape => {
                text.push(escaped(next));
                rest.next();
            }
            _ => text.push(byte),
        }
    }
    text
}

/// The bytes of a file's first line, without a byte order mark and the line end, and how many
/// bytes of the file stand before its second line.
pub fn first_line(head: &[u8]) -> (&[u8], usize) {
    let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let text = head.get(mark..).unwrap_or_default();
    let length = memchr(b'\n', text).unwrap_or(text.len());
    let line = trim_cr(text.get(..length).unwrap_or_default());
    (line, (mark + length + 1).min(head.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Vec<(u64, Result<Vec<String>, RejectReason>)>;

    fn read(text: &[u8], dialect: Dialect) -> Read {
        let mut rows = Rows::new(text, dialect, true);
        let mut cells = Vec::new();
        let mut all = Vec::new();
        while let Some((place, outcome)) = rows.read(&mut cells) {
            let read = outcome.map(|()| cells.iter().map(ToString::to_string).collect());
            all.push((place.lines_before + 1, read));
        }
        all
    }

    fn cells(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn quoted_newlines_doubled_quotes_and_empty_cells_are_read() {
        let text = b"a,\"b \"\"c\"\"\nd\",\r\n\n,,x\r\n\"last\"";
        let expected = vec![
            (1, Ok(cells(&["a", "b \"c\"\nd", ""]))),
            (4, Ok(cells(&["", "", "x"]))),
            (5, Ok(cells(&["last"]))),
        ];
        assert_eq!(read(text, Dialect::default()), expected);
    }

    #[test]
    fn a_broken_quote_costs_its_line_only() {
        let text = b"1,\"never closed\n2,fine\n3,\"x\"y\n4,fine\n";
        let malformed = |at| Err(RejectReason::Malformed { format: "CSV", at });
        let found = read(text, Dialect::default());
        assert_eq!(found.len(), 4);
        assert_eq!(found[0], (1, malformed(26)));
        assert_eq!(found[1], (2, Ok(cells(&["2", "fine"]))));
        assert_eq!(found[2], (3, malformed(5)));
        assert_eq!(found[3], (4, Ok(cells(&["4", "fine"]))));
    }

    #[test]
    fn latin_1_and_windows_1252_are_read_and_bad_utf_8_costs_one_row() {
        let text = b"K\xe5re;\x96\nOle;x\n";
        let semicolon = Dialect { delimiter: b';', ..Dialect::default() };
        let windows = Dialect { encoding: Encoding::Windows1252, ..semicolon };
        assert_eq!(read(text, windows)[0], (1, Ok(cells(&["Kåre", "–"]))));
        assert_eq!(read(text, semicolon)[0], (1, Err(RejectReason::NotUtf8 { at: 1 })));
        assert_eq!(read(text, semicolon)[1], (2, Ok(cells(&["Ole", "x"]))));
    }

    #[test]
    fn mysql_escapes_are_undone_and_null_stands() {
        let mysql =
            Dialect { delimiter: b'\t', escape: Some(b'\\'), quote: b'"', ..Dialect::default() };
        let found = read(b"1\t\\N\ta\\tb\t\"x\\\"y\"\n", mysql);
        assert_eq!(found, vec![(1, Ok(cells(&["1", "\\N", "a\tb", "x\"y"])))]);
    }

    #[test]
    fn a_cut_row_waits_for_the_next_block() {
        let text = b"1,a\n2,\"b\nc\"\n3,d\n";
        for cut in 0..text.len() {
            let mut all = Vec::new();
            let mut row = Vec::new();
            let mut first = Rows::new(&text[..cut], Dialect::default(), false);
            while let Some((_, outcome)) = first.read(&mut row) {
                assert_eq!(outcome, Ok(()));
                all.push(row.join("|"));
            }
            let mut rest = Rows::new(&text[first.consumed()..], Dialect::default(), true);
            let mut row = Vec::new();
            while let Some((_, outcome)) = rest.read(&mut row) {
                assert_eq!(outcome, Ok(()));
                all.push(row.join("|"));
            }
            assert_eq!(all, ["1|a", "2|b\nc", "3|d"], "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_row_is_refused_at_its_limit() {
        let mut text = b"1,\"".to_vec();
        text.resize(ROW_BYTES_MAX, b'x');
        let mut row = Vec::new();
        assert_eq!(Rows::new(&text, Dialect::default(), false).read(&mut row), None);
        text.extend_from_slice(b"xx\n2,b\n");
        let mut rows = Rows::new(&text, Dialect::default(), false);
        let mut row = Vec::new();
        let (_, outcome) = rows.read(&mut row).unwrap();
        assert!(matches!(outcome, Err(RejectReason::TooLong { .. })));
        assert_eq!(rows.read(&mut row).unwrap().1, Ok(()));
    }

    #[test]
    fn the_delimiter_is_guessed_from_the_header() {
        for (line, delimiter) in [
            ("a;b;\"c,d,e\"", b';'),
            ("a\tb", b'\t'),
            ("a,b", b','),
            ("one", b','),
            ("a|b|c", b'|'),
        ] {
            assert_eq!(Dialect::guess(line.as_bytes()).delimiter, delimiter, "{line}");
        }
        assert_eq!(first_line(b"\xef\xbb\xbfa,b\r\nc"), (b"a,b".as_slice(), 8));
    }
}
