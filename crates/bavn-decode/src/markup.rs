//! Which piece of markup stands here?
//!
//! For the stretches between records, which may be cut anywhere and broken anyhow. A few bytes of
//! look-ahead decide; what is inside a record is read by `xml`.

use crate::csv::Encoding;
use memchr::{memchr, memchr_iter, memchr2, memmem};

/// One piece of markup, and its length.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Markup<'a> {
    /// `<?xml ..?>`.
    Declaration(usize),
    /// Processing instruction, comment, the opening of a CDATA section (some exports keep each
    /// message in one), or a bracket that opens nothing.
    Aside(usize),
    Doctype(usize),
    End {
        name: &'a str,
        bytes: usize,
    },
    Start {
        name: &'a str,
        empty: bool,
        bytes: usize,
    },
    /// The block ends within it.
    Cut,
}

/// The markup with which `rest` begins: its first byte is `<`.
pub(crate) fn markup(rest: &[u8]) -> Markup<'_> {
    let through = |end: &[u8]| memmem::find(rest, end).map(|at| at + end.len());
    let found = match rest {
        [b'<', b'?', b'x', b'm', b'l', ..] => through(b"?>").map(Markup::Declaration),
        [b'<', b'?', ..] => through(b"?>").map(Markup::Aside),
        [b'<', b'!', b'-', b'-', ..] => through(b"-->").map(Markup::Aside),
        [b'<', b'!', b'[', ..] => cdata(rest),
        [b'<', b'!', b'D' | b'd', ..] => doctype_end(rest).map(Markup::Doctype),
        [b'<', b'!'] | [b'<', b'!', b'-'] | [b'<'] => None,
        [b'<', b'/', ..] => end_tag(rest),
        _ => start_tag(rest),
    };
    found.unwrap_or(Markup::Cut)
}

fn cdata(rest: &[u8]) -> Option<Markup<'_>> {
    const OPEN: &[u8] = b"<![CDATA[";
    rest.get(..OPEN.len()).map(|head| Markup::Aside(if head == OPEN { OPEN.len() } else { 1 }))
}

fn end_tag(rest: &[u8]) -> Option<Markup<'_>> {
    let end = 2 + memchr2(b'>', b'<', rest.get(2..)?)?;
    if rest.get(end) == Some(&b'<') {
        return Some(Markup::Aside(end));
    }
    let (name, bytes) = (local_name(rest.get(2..end)?.trim_ascii_end()), end + 1);
    Some(Markup::End { name, bytes })
}

fn start_tag(rest: &[u8]) -> Option<Markup<'_>> {
    let name_bytes = rest.iter().skip(1).take_while(|byte| is_name_byte(**byte)).count();
    let name = local_name(rest.get(1..=name_bytes)?);
    let mut at = name_bytes + 1;
    // No tag at all: the bracket is stray text.
    if name.is_empty() && at < rest.len() {
        return Some(Markup::Aside(1));
    }
    loop {
        match *rest.get(at)? {
            b'>' => {
                let empty = rest.get(at - 1) == Some(&b'/');
                return Some(Markup::Start { name, empty, bytes: at + 1 });
            }
            b'<' => return Some(Markup::Aside(at)),
            quote @ (b'"' | b'\'') => {
                at += memchr2(quote, b'<', rest.get(at + 1..)?)? + 1;
                // No value holds a bracket: the closing quote is missing.
                at += usize::from(rest.get(at) == Some(&quote));
            }
            _ => at += 1,
        }
    }
}

fn local_name(qualified: &[u8]) -> &str {
    let name = std::str::from_utf8(qualified).unwrap_or("");
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// One past the end of a DOCTYPE, its internal subset and quoted text included.
fn doctype_end(rest: &[u8]) -> Option<usize> {
    let mut at = 2;
    let mut in_subset = false;
    loop {
        match *rest.get(at)? {
            b'[' => in_subset = true,
            b']' => in_subset = false,
            b'>' if !in_subset => return Some(at + 1),
            quote @ (b'"' | b'\'') => at += memchr(quote, rest.get(at + 1..)?)? + 1,
            b'<' if rest.get(at..)?.starts_with(b"<!--") => {
                at += memmem::find(rest.get(at..)?, b"-->")? + 2;
            }
            _ => {}
        }
        at += 1;
    }
}

/// The encoding that an XML declaration names, if it is one of a byte a character.
pub(crate) fn declared_encoding(declaration: &[u8]) -> Option<Encoding> {
    let at = memmem::find(declaration, b"encoding")?;
    let named = declaration.get(at..)?.split(|byte| b"'\"".contains(byte)).nth(1)?;
    match named.to_ascii_lowercase().as_slice() {
        b"iso-8859-1" | b"latin1" | b"latin-1" | b"iso_8859-1" => Some(Encoding::Latin1),
        b"windows-1252" | b"cp1252" | b"iso-8859-15" => Some(Encoding::Windows1252),
        _ => None,
    }
}

/// Behind the next end tag of a record, or at the next start tag of one.
pub(crate) fn resync(bytes: &[u8]) -> Option<usize> {
    for open in memchr_iter(b'<', bytes) {
        let rest = bytes.get(open + 1..).unwrap_or_default();
        let closes = rest.first() == Some(&b'/');
        let qualified = rest.get(usize::from(closes)..).unwrap_or_default();
        let length = qualified.iter().take_while(|byte| is_name_byte(**byte)).count();
        if !is_record(local_name(qualified.get(..length).unwrap_or_default())) {
            continue;
        }
        if !closes {
            // The name may go on behind the end of the block.
            return (length < qualified.len()).then_some(open);
        }
        let end = memchr2(b'>', b'<', rest)?;
        return Some(open + 1 + end + usize::from(rest.get(end) == Some(&b'>')));
    }
    None
}

/// Whether an element of this name is a record by itself.
pub(crate) fn is_record(name: &str) -> bool {
    matches!(name, "AuditMessage" | "AuditEvent")
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_ends_where_it_should() {
        let start = |name, empty, bytes| Markup::Start { name, empty, bytes };
        for (text, expected) in [
            ("<?xml version='1.0'?><a/>", Markup::Declaration(21)),
            ("<?pi > ?>x", Markup::Aside(9)),
            ("<!-- <a> - -->x", Markup::Aside(14)),
            ("<![CDATA[<a>]]>", Markup::Aside(9)),
            ("<!DOCTYPE a [<!ENTITY b '>'><!-- ]> -->] >x", Markup::Doctype(42)),
            ("<p:a b='>' c=\"/\"/>x", start("a", true, 18)),
            ("<a\n>", start("a", false, 4)),
            ("</p:a >x", Markup::End { name: "a", bytes: 7 }),
            ("< 5", Markup::Aside(1)),
            ("<a <b>", Markup::Aside(3)),
            ("</a <b>", Markup::Aside(4)),
            ("<a b='c><d e='f'>", Markup::Aside(8)),
        ] {
            assert_eq!(markup(text.as_bytes()), expected, "{text}");
        }
        for cut in
            ["<", "<?x", "<!", "<!-", "<!-- x --", "<![CD", "<!DOCTYPE a [>", "<p:", "<a b='>"]
        {
            assert_eq!(markup(cut.as_bytes()), Markup::Cut, "{cut}");
        }
    }

    #[test]
    fn reading_goes_on_at_the_next_record() {
        assert_eq!(resync(b"x <b></p:AuditMessage ><AuditEvent>"), Some(23));
        assert_eq!(resync(b"x <AuditSource> <p:AuditMessage>"), Some(16));
        assert_eq!(resync(b"AuditMessage> <b> </AuditMessage"), None);
    }
}
