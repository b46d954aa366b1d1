//! XML with records in it: one, several one after the other, one a line, in a root element of any
//! name, or in a FHIR Bundle.
//!
//! Only the markup between records is walked here (`markup`); each record is read by itself, so
//! that a broken one costs itself alone: reading goes on behind its end tag, or at the next
//! record's start.

use crate::csv::Encoding;
use crate::frame::{Block, Endless, RECORD_BYTES_MAX, reject, too_long};
use crate::markup::{Markup, declared_encoding, is_record, markup, resync};
use crate::xml::{self, Broken, Style};
use crate::{Decoded, Skeletons, atna, fhir};
use bavn_model::{Origin, Record, RejectReason};
use memchr::memchr;

/// Takes records off blocks of XML.
#[derive(Debug, Default)]
pub(crate) struct XmlStream {
    /// Elements open around the next record.
    depth: u32,
    /// The document that is open, and whether anything of it was told.
    document: Option<(Origin, bool)>,
    /// The Bundle's entry that is open, and whether a resource was seen in it.
    entry: Option<(Origin, bool)>,
    entries: u32,
    /// Directly inside `resource`, where any FHIR resource may stand.
    in_resource: bool,
    /// As declared, where it is not UTF-8.
    encoding: Option<Encoding>,
    doctype: Doctype,
    /// A record that could not be read is being skipped, with the reason.
    broken: Option<(Endless, RejectReason)>,
}

/// A DOCTYPE stands before the document's root: nothing in it is read.
#[derive(Clone, Copy, Debug, Default)]
enum Doctype {
    #[default]
    None,
    /// Not yet told by a reject of its own.
    Untold(Endless),
    Told,
}

impl XmlStream {
    pub(crate) fn decode<'a>(
        &mut self,
        block: &mut Block<'a>,
        skeletons: &mut Skeletons,
        out: &mut Decoded<'a>,
    ) {
        if !self.skip_broken(block, out) {
            return;
        }
        while self.gap(block, out) {
            let rest = block.rest();
            let walked = match markup(rest) {
                Markup::Declaration(bytes) => {
                    self.encoding = declared_encoding(rest.get(..bytes).unwrap_or_default());
                    bytes
                }
                Markup::Aside(bytes) => bytes,
                Markup::Doctype(bytes) => {
                    self.doctype =
                        Doctype::Untold(Endless { origin: block.place(), bytes: bytes as u64 });
                    bytes
                }
                Markup::End { name, bytes } => {
                    self.close(name, block.place(), bytes, out);
                    bytes
                }
                Markup::Start { name, empty, bytes } => {
                    if let Some(kind) = self.record_kind(name) {
                        if !self.record(kind, block, skeletons, out) {
                            return;
                        }
                        continue;
                    }
                    self.open(name, empty, block.place());
                    bytes
                }
                Markup::Cut if block.at_end || rest.len() > RECORD_BYTES_MAX => {
                    // Whatever opened here never closes: the next record is looked for behind it.
                    if !self.skip_from(1, RejectReason::CutShort, block.place(), block, out) {
                        return;
                    }
                    continue;
                }
                Markup::Cut => return,
            };
            block.advance(walked);
        }
        if block.at_end {
            self.end_document(block.place(), out);
        }
    }

    /// Moves to the next markup. Text that stands outside all elements is no record: it is told
    /// once. False at the end of the block.
    fn gap(&self, block: &mut Block<'_>, out: &mut Decoded<'_>) -> bool {
        let rest = block.rest();
        let next = memchr(b'<', rest);
        let text = rest.get(..next.unwrap_or(rest.len())).unwrap_or_default();
        let blank = text.iter().take_while(|byte| is_blank(**byte)).count();
        let stray = self.depth == 0 && blank < text.len() && text.trim_ascii() != b"]]>";
        if !stray {
            block.advance(text.len());
            return next.is_some();
        }
        if next.is_none() && !block.at_end && text.len() <= RECORD_BYTES_MAX {
            return false;
        }
        block.advance(blank);
        let words = text.get(blank..).unwrap_or_default();
        let malformed = RejectReason::Malformed { format: "XML", at: 0 };
        out.rejects.push(reject(block.place(), words, malformed));
        block.advance(words.len());
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
        skeletons: &mut Skeletons,
        out: &mut Decoded<'a>,
    ) -> bool {
        let rest = block.rest();
        let entry = self.entry.is_some().then(|| self.entries.saturating_sub(1));
        let origin = Origin { entry, ..block.place() };
        if let (RecordKind::AuditMessage, Doctype::None) = (kind, self.doctype)
            && let Some(bytes) = skeletons.recall_message(rest, origin, &mut out.records)
        {
            block.advance(bytes);
            self.record_over(block.place(), out);
            return true;
        }
        let (raw, value) = match xml::element(rest, kind.style(), kind.until()) {
            Ok(element) => (rest.get(..element.bytes).unwrap_or_default(), element.value),
            Err(broken) if !block.at_end && self.wants_more(&broken, rest) => {
                return rest.len() > RECORD_BYTES_MAX
                    && self.skip_from(1, broken.reason, origin, block, out);
            }
            Err(broken) => {
                if let Some(end) = self.recode(kind, &broken.reason, origin, rest, out) {
                    block.advance(end);
                    self.record_over(block.place(), out);
                    return true;
                }
                // A record cut by the next one ends where that begins.
                let from = if broken.nested { broken.at } else { 1 };
                let reason = self.refusal().unwrap_or(broken.reason);
                return self.skip_from(from, reason, origin, block, out);
            }
        };
        let read = match self.refusal() {
            Some(refusal) => Err(refusal),
            None if raw.len() > RECORD_BYTES_MAX => Err(too_long(raw.len() as u64)),
            None => match memchr(0, raw) {
                Some(at) => Err(RejectReason::Malformed { format: "XML", at: at as u64 }),
                None => kind.read(&value, raw, origin),
            },
        };
        match read {
            Ok(record) => {
                if kind == RecordKind::AuditMessage {
                    skeletons.learn_message(raw, &record);
                }
                out.records.push(record);
            }
            Err(reason) => out.rejects.push(reject(origin, raw, reason)),
        }
        block.advance(raw.len());
        self.record_over(block.place(), out);
        true
    }

    /// Whether more bytes may make a record whole that could not be read.
    fn wants_more(&self, broken: &Broken, rest: &[u8]) -> bool {
        let other_encoding =
            self.encoding.is_some() && matches!(broken.reason, RejectReason::NotUtf8 { .. });
        broken.reached_end
            || (other_encoding && resync(rest.get(1..).unwrap_or_default()).is_none())
    }

    /// Reads a record that is not UTF-8 in the encoding that its document declares. Returns its
    /// length; `None` if none is declared or its end is not found.
    fn recode(
        &mut self,
        kind: RecordKind,
        reason: &RejectReason,
        origin: Origin,
        rest: &[u8],
        out: &mut Decoded<'_>,
    ) -> Option<usize> {
        let RejectReason::NotUtf8 { .. } = reason else { return None };
        let end = 1 + resync(rest.get(1..)?)?;
        let raw = rest.get(..end).filter(|raw| raw.len() <= RECORD_BYTES_MAX)?;
        let text = self.encoding?.decode(raw).ok()?;
        let element = xml::element(text.as_bytes(), kind.style(), kind.until()).ok()?;
        match self.refusal() {
            Some(refusal) => out.rejects.push(reject(origin, raw, refusal)),
            None => match kind.read(&element.value, raw, origin) {
                Ok(record) => out.records.push(record.into_owned()),
                Err(reason) => out.rejects.push(reject(origin, raw, reason)),
            },
        }
        Some(end)
    }

    /// Why nothing of a document with a DOCTYPE is read.
    fn refusal(&mut self) -> Option<RejectReason> {
        if matches!(self.doctype, Doctype::None) {
            return None;
        }
        self.doctype = Doctype::Told;
        Some(RejectReason::EntityRefused)
    }

    fn record_over(&mut self, place: Origin, out: &mut Decoded<'_>) {
        for (_, told) in self.entry.iter_mut().chain(&mut self.document) {
            *told = true;
        }
        self.in_resource = false;
        if self.depth == 0 {
            self.end_document(place, out);
        }
    }

    /// Skips a record that cannot be read: to behind its end tag, or to the start of the next one.
    fn skip_from(
        &mut self,
        from: usize,
        reason: RejectReason,
        origin: Origin,
        block: &mut Block<'_>,
        out: &mut Decoded<'_>,
    ) -> bool {
        block.advance(from);
        self.broken = Some((Endless { origin, bytes: from as u64 }, reason));
        self.skip_broken(block, out)
    }

    /// False if the block ends before the broken record does.
    fn skip_broken(&mut self, block: &mut Block<'_>, out: &mut Decoded<'_>) -> bool {
        let Some((mut endless, reason)) = self.broken.take() else { return true };
        let rest = block.rest();
        let end = resync(rest);
        let walked = match end {
            Some(end) => end,
            None if block.at_end => rest.len(),
            // The tag that ends the record may stand across the end of the block.
            None => rest.len().saturating_sub(TAG_BYTES_MAX),
        };
        block.advance(walked);
        endless.bytes += walked as u64;
        if end.is_none() && !block.at_end {
            self.broken = Some((endless, reason));
            return false;
        }
        let mut told = endless.ended(0);
        if endless.bytes <= RECORD_BYTES_MAX as u64 {
            told.reason = reason;
        }
        out.rejects.push(told);
        self.record_over(block.place(), out);
        true
    }

    fn open(&mut self, name: &str, empty: bool, place: Origin) {
        if self.depth == 0 {
            // An empty search result is nothing to tell.
            self.document = Some((place, name == "Bundle"));
        }
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

    fn close(&mut self, name: &str, place: Origin, bytes: usize, out: &mut Decoded<'_>) {
        let end = place.byte_offset + bytes as u64;
        if is_record(name) {
            // Its start tag was broken, so its parts were taken for wrapping.
            let malformed = RejectReason::Malformed { format: "XML", at: 0 };
            let (origin, _) = self.document.unwrap_or((place, false));
            let origin = Origin { entry: None, ..origin };
            out.rejects.push(told(origin, end, malformed));
            for (_, told) in self.entry.iter_mut().chain(&mut self.document) {
                *told = true;
            }
        }
        if name == "entry"
            && let Some((origin, false)) = self.entry.take()
        {
            let origin = Origin { entry: Some(self.entries.saturating_sub(1)), ..origin };
            let missing = RejectReason::Missing { field: "entry.resource" };
            out.rejects.push(told(origin, end, missing));
        }
        self.depth = self.depth.saturating_sub(1);
        self.in_resource = false;
        if self.depth == 0 {
            self.end_document(Origin { byte_offset: end, ..place }, out);
        }
    }

    /// What the document's DOCTYPE announced is over; a document without any record is told.
    fn end_document(&mut self, place: Origin, out: &mut Decoded<'_>) {
        let document = self.document.take();
        if let Doctype::Untold(found) = self.doctype {
            out.rejects.push(told(
                found.origin,
                found.origin.byte_offset + found.bytes,
                RejectReason::EntityRefused,
            ));
        } else if let Some((origin, false)) = document {
            out.rejects.push(told(origin, place.byte_offset, RejectReason::OtherResource));
        }
        self.doctype = Doctype::None;
        self.entry = None;
        self.depth = 0;
    }
}

/// The reject of what stands from `origin` to `end`.
fn told(origin: Origin, end: u64, reason: RejectReason) -> bavn_model::Reject {
    bavn_model::Reject { origin, bytes: end.saturating_sub(origin.byte_offset), reason }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordKind {
    AuditMessage,
    AuditEvent,
    OtherResource,
}

impl RecordKind {
    fn read<'a>(
        self,
        value: &crate::tree::Value<'a>,
        raw: &[u8],
        origin: Origin,
    ) -> Result<Record<'a>, RejectReason> {
        match self {
            Self::AuditMessage => atna::read(value, raw, origin),
            Self::AuditEvent => fhir::read(value, raw, origin),
            Self::OtherResource => Err(RejectReason::OtherResource),
        }
    }

    fn style(self) -> Style {
        match self {
            Self::AuditMessage | Self::OtherResource => Style::Plain,
            Self::AuditEvent => Style::Fhir,
        }
    }

    /// The element that cannot stand inside one of this kind.
    fn until(self) -> Option<&'static str> {
        match self {
            Self::AuditMessage => Some("AuditMessage"),
            Self::AuditEvent => Some("AuditEvent"),
            Self::OtherResource => None,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    // A byte order mark may stand before each of several documents; NUL ends a syslog frame.
    byte.is_ascii_whitespace() || b"\xef\xbb\xbf\0".contains(&byte)
}

/// Longer than any end tag with its prefix.
const TAG_BYTES_MAX: usize = 256;
