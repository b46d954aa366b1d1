//! Which piece of markup stands here?
//!
//! For the stretches between records, which may be cut anywhere and broken anyhow. A few bytes of
//! look-ahead decide; what is inside a record is read by `xml`.

use crate::csv::Encoding;
use memchr::{memchr, memchr_iter, memmem};

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
    let bytes = memchr(b'>', rest)? + 1;
    let name = local_name(rest.get(2..bytes - 1)?.trim_ascii_end());
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
            quote @ (b'"' | b'\'') => at += memchr(quote, rest.get(at + 1..)?)? + 2,
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

/// Behind the next end tag whose name begins so, or at the next such start tag.
pub(crate) fn resync(bytes: &[u8], name: &str) -> Option<usize> {
    for open in memchr_iter(b'<', bytes) {
        let rest = bytes.get(open + 1..).unwrap_or_default();
        let closes = rest.first() == Some(&b'/');
        let qualified = rest.get(usize::from(closes)..).unwrap_or_default();
        let length = qualified.iter().take_while(|byte| is_name_byte(**byte)).count();
        if !local_name(qualified.get(..length).unwrap_or_default()).starts_with(name) {
            continue;
        }
        if !closes {
            return Some(open);
        }
        return memchr(b'>', rest).map(|length| open + length + 2);
    }
    None
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
    fn reading_goes_on_at_the_next_tag_of_that_name() {
        assert_eq!(resync(b"x <b></p:A ><A>", "A"), Some(12));
        assert_eq!(resync(b"x <b> <p:A>", "A"), Some(6));
        assert_eq!(resync(b"A <b> </A", "A"), None);
    }
}
