//! XML with records in it: one, several one after the other, one a line, in a root element of any
//! name, or in a FHIR Bundle.
//!
//! Only the markup between records is walked here; each record is read by itself, so that a broken
//! one costs itself alone: reading goes on behind its end tag, or at the next record's start.

use crate::Decoded;
use crate::atna;
use crate::fhir;
use crate::frame::{Block, Endless, RECORD_BYTES_MAX, reject, too_long};
use crate::xml::{self, Style};
use bavn_model::{Origin, RejectReason};
use memchr::{memchr, memmem};

/// Takes records off blocks of XML.
#[derive(Debug, Default)]
pub(crate) struct XmlStream {
    /// Elements open around the next record.
    depth: u32,
    /// The Bundle's entry that is open: its place and whether a resource was seen in it.
    entry: Option<(Origin, bool)>,
    entries: u32,
    /// Directly inside `resource`, where any FHIR resource may stand.
    in_resource: bool,
    /// A DOCTYPE stands before the document's root: nothing in it is read.
    doctype: Doctype,
    /// A record that could not be read is being skipped, with the reason.
    broken: Option<(Endless, RejectReason, &'static str)>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Doctype {
    #[default]
    None,
    /// Not yet told by a reject of its own.
    Untold(Endless),
    Told,
}

/// One piece of markup between records, and its length.
enum Markup<'a> {
    /// Declaration, processing instruction, comment.
    Aside(usize),
    /// Opens a CDATA section: some exports keep each message in one.
    Cdata(usize),
    Doctype(usize),
    End(usize),
    Start {
        name: &'a str,
        empty: bool,
        bytes: usize,
    },
    /// The block ends within it.
    Cut,
}

impl XmlStream {
    pub(crate) fn decode<'a>(&mut self, block: &mut Block<'a>, out: &mut Decoded<'a>) {
        if !self.skip_broken(block, out) {
            return;
        }
        while self.gap(block, out) {
            let rest = block.rest();
            let walked = match markup(rest) {
                Markup::Aside(bytes) | Markup::Cdata(bytes) => bytes,
                Markup::Doctype(bytes) => {
                    self.doctype =
                        Doctype::Untold(Endless { origin: block.place(), bytes: bytes as u64 });
                    bytes
                }
                Markup::End(bytes) => {
                    self.close(out);
                    bytes
                }
                Markup::Start { name, empty, bytes } => {
                    if let Some(kind) = self.record_kind(name) {
                        if !self.record(kind, block, out) {
                            return;
                        }
                        continue;
                    }
                    self.open(name, empty, block.place());
                    bytes
                }
                Markup::Cut if block.at_end || rest.len() > RECORD_BYTES_MAX => {
                    out.rejects.push(reject(block.place(), rest, RejectReason::CutShort));
                    rest.len()
                }
                Markup::Cut => return,
            };
            block.advance(walked);
        }
        if block.at_end {
            self.tell_doctype(out);
        }
    }

    /// Moves to the next markup. Text that stands outside all elements is no record: it is told
    /// once. False at the end of the block.
    fn gap(&self, block: &mut Block<'_>, out: &mut Decoded<'_>) -> bool {
        let rest = block.rest();
        let next = memchr(b'<', rest);
        let text = rest.get(..next.unwrap_or(rest.len())).unwrap_or_default();
        let blank = text.iter().take_while(|byte| is_blank(**byte)).count();
        let words = text.trim_ascii();
        let stray = self.depth == 0 && blank < text.len() && words != b"]]>";
        if stray {
            if next.is_none() && !block.at_end && text.len() <= RECORD_BYTES_MAX {
                return false;
            }
            block.advance(blank);
            let malformed = RejectReason::Malformed { format: "XML", at: 0 };
            out.rejects.push(reject(
                block.place(),
                text.get(blank..).unwrap_or_default(),
                malformed,
            ));
            block.advance(text.len() - blank);
        } else {
            block.advance(text.len());
        }
        next.is_some()
    }

    fn record_kind(&self, name: &str) -> Option<RecordKind> {
        match name {
            "AuditMessage" => Some(RecordKind::AuditMessage),
            "AuditEvent" => Some(RecordKind::AuditEvent),
            // Holds more of them.
            "Bundle" => None,
            _ if (self.in_resource || self.depth == 0) && fhir::is_resource_type(name) => {
                Some(RecordKind::OtherResource)
            }
            _ => None,
        }
    }

    /// Reads the record at which `block` stands. False if more bytes are needed.
    fn record<'a>(
        &mut self,
        kind: RecordKind,
        block: &mut Block<'a>,
        out: &mut Decoded<'a>,
    ) -> bool {
        let rest = block.rest();
        let entry = self.entry.is_some().then(|| self.entries.saturating_sub(1));
        let origin = Origin { entry, ..block.place() };
        let element = xml::element(rest, kind.style(), kind.until());
        let (raw, value) = match element {
            Ok(element) => (rest.get(..element.bytes).unwrap_or_default(), element.value),
            Err(broken) if broken.reached_end && !block.at_end => {
                if rest.len() <= RECORD_BYTES_MAX {
                    return false;
                }
                return self.skip_from(1, RejectReason::CutShort, kind, origin, block, out);
            }
            Err(broken) => {
                let from = if kind.until().is_some() && broken.reason == RejectReason::CutShort {
                    broken.at
                } else {
                    1
                };
                let reason = self.refusal().unwrap_or(broken.reason);
                return self.skip_from(from.max(1), reason, kind, origin, block, out);
            }
        };
        let read = match (self.refusal(), kind) {
            (Some(refusal), _) => Err(refusal),
            _ if raw.len() > RECORD_BYTES_MAX => Err(too_long(raw.len() as u64)),
            (_, RecordKind::OtherResource) => Err(RejectReason::OtherResource),
            (_, RecordKind::AuditEvent) => fhir::read(&value, raw, origin),
            (_, RecordKind::AuditMessage) => atna::read(&value, raw, origin),
        };
        match read {
            Ok(record) => out.records.push(record),
            Err(reason) => out.rejects.push(reject(origin, raw, reason)),
        }
        block.advance(raw.len());
        self.record_over(out);
        true
    }

    /// Why nothing of a document with a DOCTYPE is read.
    fn refusal(&mut self) -> Option<RejectReason> {
        if matches!(self.doctype, Doctype::None) {
            return None;
        }
        self.doctype = Doctype::Told;
        Some(RejectReason::EntityRefused)
    }

    fn record_over(&mut self, out: &mut Decoded<'_>) {
        if let Some((_, seen)) = &mut self.entry {
            *seen = true;
        }
        self.in_resource = false;
        if self.depth == 0 {
            self.tell_doctype(out);
        }
    }

    /// Skips a record that cannot be read: to behind its end tag, or to the start of the next one.
    fn skip_from(
        &mut self,
        from: usize,
        reason: RejectReason,
        kind: RecordKind,
        origin: Origin,
        block: &mut Block<'_>,
        out: &mut Decoded<'_>,
    ) -> bool {
        block.advance(from);
        let endless = Endless { origin, bytes: from as u64 };
        self.broken = Some((endless, reason, kind.name()));
        self.skip_broken(block, out)
    }

    /// False if the block ends before the broken record does.
    fn skip_broken(&mut self, block: &mut Block<'_>, out: &mut Decoded<'_>) -> bool {
        let Some((mut endless, reason, name)) = self.broken.take() else { return true };
        let rest = block.rest();
        let end = resync(rest, name);
        let walked = match end {
            Some(end) => end,
            None if block.at_end => rest.len(),
            // The tag that ends the record may stand across the end of the block.
            None => rest.len().saturating_sub(TAG_BYTES_MAX),
        };
        block.advance(walked);
        endless.bytes += walked as u64;
        if end.is_none() && !block.at_end {
            self.broken = Some((endless, reason, name));
            return false;
        }
        let mut told = endless.ended(0);
        if endless.bytes <= RECORD_BYTES_MAX as u64 {
            told.reason = reason;
        }
        out.rejects.push(told);
        self.record_over(out);
        true
    }

    fn open(&mut self, name: &str, empty: bool, place: Origin) {
        self.in_resource = name == "resource" && !empty;
        match name {
            "Bundle" => self.entries = 0,
            "entry" if !empty => {
                self.entries += 1;
                self.entry = Some((place, false));
            }
            _ => {}
        }
        self.depth += u32::from(!empty);
    }

    fn close(&mut self, out: &mut Decoded<'_>) {
        self.depth = self.depth.saturating_sub(1);
        self.in_resource = false;
        if self.depth == 0 {
            self.entry = None;
            self.tell_doctype(out);
        }
    }

    /// The end of a document: what its DOCTYPE announced is over.
    fn tell_doctype(&mut self, out: &mut Decoded<'_>) {
        if let Doctype::Untold(found) = self.doctype {
            let mut told = found.ended(0);
            told.reason = RejectReason::EntityRefused;
            out.rejects.push(told);
        }
        self.doctype = Doctype::None;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordKind {
    AuditMessage,
    AuditEvent,
    OtherResource,
}

impl RecordKind {
    fn style(self) -> Style {
        match self {
            Self::AuditMessage | Self::OtherResource => Style::Plain,
            Self::AuditEvent => Style::Fhir,
        }
    }

    /// Whose tag is looked for behind a broken record of this kind.
    fn name(self) -> &'static str {
        match self {
            Self::AuditMessage => "AuditMessage",
            Self::AuditEvent | Self::OtherResource => "AuditEvent",
        }
    }

    fn until(self) -> Option<&'static str> {
        (self != Self::OtherResource).then(|| self.name())
    }
}

/// Behind the next end tag of `name`, or at its next start tag.
fn resync(bytes: &[u8], name: &str) -> Option<usize> {
    for found in memmem::find_iter(bytes, name.as_bytes()) {
        let after = found + name.len();
        let is_name_end = bytes
            .get(after)
            .is_some_and(|&byte| byte.is_ascii_whitespace() || b">/".contains(&byte));
        let head = bytes.get(..found).unwrap_or_default();
        let prefix = head.iter().rev().take_while(|byte| is_name_byte(**byte)).count();
        let head = head.get(..found - prefix).unwrap_or_default();
        if !is_name_end {
            continue;
        }
        if head.ends_with(b"</") {
            return memchr(b'>', bytes.get(after..)?).map(|length| after + length + 1);
        }
        if head.ends_with(b"<") {
            return Some(head.len() - 1);
        }
    }
    None
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte)
}

fn is_blank(byte: u8) -> bool {
    // A byte order mark may stand before each of several documents; NUL ends a syslog frame.
    byte.is_ascii_whitespace() || b"\xef\xbb\xbf\0".contains(&byte)
}

/// The markup with which `rest` begins: its first byte is `<`.
fn markup(rest: &[u8]) -> Markup<'_> {
    let through = |end: &[u8]| memmem::find(rest, end).map(|at| at + end.len());
    let found = match rest {
        [b'<', b'?', ..] => through(b"?>").map(Markup::Aside),
        [b'<', b'!', b'-', b'-', ..] => through(b"-->").map(Markup::Aside),
        [b'<', b'!', b'[', ..] => return cdata(rest),
        [b'<', b'!', b'D' | b'd', ..] => doctype_end(rest).map(Markup::Doctype),
        [b'<', b'/', ..] => memchr(b'>', rest).map(|at| Markup::End(at + 1)),
        [b'<', b'!'] | [b'<', b'!', b'-'] | [b'<'] => None,
        _ => return start_tag(rest),
    };
    found.unwrap_or(Markup::Cut)
}

fn cdata(rest: &[u8]) -> Markup<'_> {
    const OPEN: &[u8] = b"<![CDATA[";
    match rest.get(..OPEN.len()) {
        Some(head) if head == OPEN => Markup::Cdata(OPEN.len()),
        Some(_) => Markup::Aside(1),
        None => Markup::Cut,
    }
}

fn start_tag(rest: &[u8]) -> Markup<'_> {
    let name_bytes = rest.iter().skip(1).take_while(|byte| is_name_byte(**byte)).count();
    let qualified = rest.get(1..=name_bytes).unwrap_or_default();
    let qualified = std::str::from_utf8(qualified).unwrap_or("");
    let name = qualified.rsplit_once(':').map_or(qualified, |(_, name)| name);
    // No tag at all: the bracket is stray text.
    if name.is_empty() {
        return Markup::Aside(1);
    }
    let mut at = name_bytes + 1;
    loop {
        let Some(&byte) = rest.get(at) else { return Markup::Cut };
        match byte {
            b'>' => {
                let empty = rest.get(at - 1) == Some(&b'/');
                return Markup::Start { name, empty, bytes: at + 1 };
            }
            b'<' => return Markup::Aside(at),
            b'"' | b'\'' => match memchr(byte, rest.get(at + 1..).unwrap_or_default()) {
                Some(length) => at += length + 2,
                None => return Markup::Cut,
            },
            _ => at += 1,
        }
    }
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

/// Longer than any end tag with its prefix.
const TAG_BYTES_MAX: usize = 256;
