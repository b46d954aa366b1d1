//! Which stretches of an audit message in XML are the same in its kin, and which are slots?
//!
//! As in `shape`, slots are told by where they stand. But texts of a message are often made up on
//! the way (`&amp;` becomes `&`, an identifier is split), so where its pieces stand cannot be told
//! from what they borrow. It is told by trial: a message whose slots hold marks that stand nowhere
//! else is read, and the pieces are found again by their marks.

use super::shape::Slot;
use super::slot::Class;
use super::{Place, place, place_of};
use crate::atna;
use crate::fhir::{self, Draft, Target};
use crate::xml::{self, Style};
use memchr::memmem::{self, Finder};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// One past the end tag of the message with which `bytes` begin, or of something like it: what is
/// found is held against known skeletons.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"AuditMessage>"));
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(byte);
    NAME.find_iter(bytes)
        .find(|&at| {
            let before = bytes.get(..at).unwrap_or_default();
            before.iter().rev().find(|byte| !in_name(byte)) == Some(&b'/')
        })
        .map(|at| at + NAME.needle().len())
}

/// The slots of a message that has been read, in order. `text` is a well-formed element. `None`
/// if it holds comments or the like.
pub(super) fn slots(text: &str) -> Option<Vec<Slot>> {
    let mut walk = Walk { text, bytes: text.as_bytes(), at: 0, slots: Vec::new() };
    while walk.at < text.len() {
        walk.element()?;
    }
    Some(walk.slots)
}

/// Where the pieces of every such message stand. `None` if one stands nowhere as it is told.
pub(super) fn draft(text: &str, slots: &[Slot]) -> Option<Draft<Place>> {
    if text.contains(MARK) {
        return None;
    }
    let (trial, slots) = marked(text, slots)?;
    let element = xml::element(trial.as_bytes(), Style::Plain, None).ok()?;
    let draft = atna::draft(&element.value)?;
    draft.try_map(|piece| match piece {
        Cow::Borrowed(_) => place(&trial, piece, &slots).or_else(|| find(&trial, piece, &slots)),
        Cow::Owned(_) => find(&trial, piece, &slots),
    })
}

/// The message with a mark of its own in each slot.
fn marked(text: &str, slots: &[Slot]) -> Option<(String, Vec<Slot>)> {
    let mut trial = String::with_capacity(text.len() + slots.len() * (MARK.len() + 4));
    let mut at = 0;
    let mut marked = Vec::with_capacity(slots.len());
    for (number, slot) in slots.iter().enumerate() {
        trial.push_str(text.get(at..slot.range.start)?);
        let start = trial.len();
        trial.push_str(MARK);
        trial.push_str(&number.to_string());
        trial.push('x');
        marked.push(Slot { range: start..trial.len(), class: slot.class });
        at = slot.range.end;
    }
    trial.push_str(text.get(at..)?);
    Some((trial, marked))
}

/// The one place where a piece with a mark stands, or any place of one that every such message has.
fn find(trial: &str, piece: &str, slots: &[Slot]) -> Option<Place> {
    memmem::find_iter(trial.as_bytes(), piece.as_bytes())
        .find_map(|at| place_of(at..at + piece.len(), slots))
}

struct Walk<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    slots: Vec<Slot>,
}

impl Walk<'_> {
    /// Walks over one tag and the text behind it.
    fn element(&mut self) -> Option<()> {
        let open = self.at + memchr::memchr(b'<', self.bytes.get(self.at..)?)?;
        self.at = open + 1;
        match *self.bytes.get(self.at)? {
            b'!' | b'?' => return None,
            b'/' => {
                self.at += 1 + memchr::memchr(b'>', self.bytes.get(self.at..)?)?;
                return Some(());
            }
            _ => {}
        }
        let name = self.name()?;
        let name = name.rsplit_once(':').map_or(name, |(_, local)| local).to_owned();
        loop {
            self.skip_space();
            match *self.bytes.get(self.at)? {
                b'/' => self.at += 1,
                b'>' => break,
                _ => self.attribute(&name)?,
            }
        }
        self.at += 1;
        let length = memchr::memchr(b'<', self.bytes.get(self.at..)?).unwrap_or(0);
        match name.as_str() {
            "ParticipantObjectQuery" => self.add(self.at..self.at + length, Class::XmlText),
            "ParticipantObjectName" => self.add(self.at..self.at + length, Class::XmlName),
            _ => {}
        }
        self.at += length;
        Some(())
    }

    fn attribute(&mut self, element: &str) -> Option<()> {
        let name = self.name()?.to_owned();
        self.skip_space();
        self.at += 1;
        self.skip_space();
        let quote = *self.bytes.get(self.at)?;
        let start = self.at + 1;
        let end = start + memchr::memchr(quote, self.bytes.get(start..)?)?;
        self.at = end + 1;
        if quote != b'"' {
            return Some(());
        }
        let value = start..end;
        match (element, name.as_str()) {
            ("EventIdentification", "EventDateTime") => self.add(value, Class::XmlText),
            ("ActiveParticipant", "UserName") => self.add(value, Class::XmlName),
            ("ActiveParticipant", "NetworkAccessPointID") => self.add(value, Class::XmlAddress),
            ("ActiveParticipant", "UserID")
            | ("ParticipantObjectIdentification", "ParticipantObjectID") => self.add_id(value),
            _ => {}
        }
        Some(())
    }

    /// A whole identifier, the first component of HL7 v2, or the id of a reference.
    fn add_id(&mut self, value: Range<usize>) {
        let before = self.slots.len();
        self.add(value.clone(), Class::Whole);
        let Some(text) = self.text.get(value.clone()) else { return };
        if self.slots.len() > before {
            return;
        }
        if let Some((first, _)) = text.split_once('^') {
            self.add(value.start..value.start + first.len(), Class::Component);
        } else if let (Target::Instance { kind, folded }, false) =
            (fhir::target(text), text.contains('&'))
        {
            let from = (folded.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
            let start = value.start + from + kind.len() + 1;
            self.add(start..value.start + from + folded.len(), Class::Id);
        }
    }

    /// Adds a slot if all of `range` fits the class.
    fn add(&mut self, range: Range<usize>, class: Class) {
        if class.end(self.text, range.start).is_some_and(|end| end.at == range.end) {
            self.slots.push(Slot { range, class });
        }
    }

    fn name(&mut self) -> Option<&str> {
        let start = self.at;
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"=/>".contains(byte);
        self.at += self.bytes.get(start..)?.iter().position(ends)?;
        self.text.get(start..self.at).filter(|name| !name.is_empty())
    }

    fn skip_space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }
}

/// Fits every class; a message that holds it is never learnt.
const MARK: &str = "Zq7Slot";
