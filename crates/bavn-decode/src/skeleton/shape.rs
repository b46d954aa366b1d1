//! Which stretches of this record are the same in its kin, and which are slots?
//!
//! Slots are told by where they stand: the keys on the way to a value decide its class, and a value
//! that does not fit its class stays part of the skeleton.

use super::slot::Class;
use crate::fhir::{self, Target};
use std::ops::Range;

/// A slot of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) range: Range<usize>,
    pub(super) class: Class,
}

/// The slots of a record that has been read, in order. `text` is well-formed JSON.
pub(super) fn slots(text: &str) -> Option<Vec<Slot>> {
    let mut walk = Walk { text, bytes: text.as_bytes(), at: 0, slots: Vec::new() };
    walk.value(Place::Root, "", 0)?;
    Some(walk.slots)
}

/// What kind of object the walk is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The record.
    Root,
    /// `meta` and narrative: nothing in there is read.
    Unread,
    /// A coded value: everything in there steers.
    Coded,
    /// A Reference.
    Reference,
    /// An Identifier.
    Identifier,
    /// A contained resource.
    Contained,
    /// The name of a person in a contained resource.
    HumanName,
    /// Anything else.
    Plain,
}

struct Walk<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    slots: Vec<Slot>,
}

impl Walk<'_> {
    /// Walks over the value at hand, which stands under `key` in an object of kind `place`.
    fn value(&mut self, place: Place, key: &str, level: u32) -> Option<()> {
        self.skip_space();
        match *self.bytes.get(self.at)? {
            b'{' => self.object(if level == 0 { Place::Root } else { inside(place, key) }, level),
            b'[' => {
                self.at += 1;
                self.skip_space();
                while !self.eat(b']') {
                    self.value(place, key, level + 1)?;
                    self.skip_space();
                    let _more = self.eat(b',');
                    self.skip_space();
                }
                Some(())
            }
            b'"' => {
                let content = self.string()?;
                self.add_string(place, key, content);
                Some(())
            }
            _ => {
                let start = self.at;
                let rest = self.bytes.get(start..)?;
                let is_end =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                self.at += rest.iter().position(is_end).unwrap_or(rest.len());
                if place == Place::Unread || key.starts_with("value") {
                    let from = start + usize::from(rest.first() == Some(&b'-'));
                    self.add(from..self.at, Class::Digits);
                }
                Some(())
            }
        }
    }

    fn object(&mut self, place: Place, level: u32) -> Option<()> {
        self.at += 1;
        self.skip_space();
        let mut stated = None;
        let mut is_reason = false;
        while !self.eat(b'}') {
            let key = self.string()?;
            let key = self.text.get(key)?;
            self.skip_space();
            self.at += 1;
            self.skip_space();
            let (from, slots_before) = (self.at, self.slots.len());
            self.value(place, key, level + 1)?;
            match key {
                "valueString" => stated = Some(slots_before),
                "url" => {
                    let url = self.text.get(from..self.at)?;
                    is_reason |= url.ends_with("decision-ref-description\"");
                }
                _ => {}
            }
            self.skip_space();
            let _more = self.eat(b',');
            self.skip_space();
        }
        // Mappings put stated reasons into words by what they say: such a text steers.
        if let (true, Some(slot)) = (is_reason, stated)
            && slot < self.slots.len()
        {
            self.slots.remove(slot);
        }
        Some(())
    }

    /// The content of the string at hand.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at + 1;
        let end = crate::tree::end_of_string(self.text, start)?;
        self.at = end + 1;
        Some(start..end)
    }

    fn add_string(&mut self, place: Place, key: &str, content: Range<usize>) {
        match (place, key) {
            // Mappings are chosen by profile.
            (Place::Unread, "profile") => {}
            (Place::Unread, _) | (Place::Root, "id") | (Place::Contained, "birthDate") => {
                self.add(content, Class::Unread);
            }
            (Place::Reference, "reference") => self.add_reference(content),
            (Place::Reference, "display") | (Place::HumanName, "text" | "family" | "given") => {
                self.add(content, Class::Name);
            }
            (Place::Identifier, "value" | "id") | (Place::Plain, "altId") => {
                self.add_identifier(content);
            }
            (
                Place::Coded
                | Place::Reference
                | Place::Identifier
                | Place::Contained
                | Place::HumanName,
                _,
            ) => {}
            (_, "recorded" | "dateTime" | "occurredDateTime" | "start" | "end") => {
                self.add(content, Class::Text);
            }
            (_, "site" | "query" | "description" | "valueString") => self.add(content, Class::Text),
            (_, "name") => self.add(content, Class::Name),
            (_, "policy") => self.add(content, Class::Token),
            (_, "address" | "networkString" | "networkUri") => self.add(content, Class::Address),
            (_, "outcomeDesc" | "valueBase64Binary" | "valueDateTime" | "valueInstant") => {
                self.add(content, Class::Unread);
            }
            _ => {}
        }
    }

    /// Adds a slot if all of `range` fits the class.
    fn add(&mut self, range: Range<usize>, class: Class) {
        if class.end(self.text, range.start).is_some_and(|end| end.at == range.end) {
            self.slots.push(Slot { range, class });
        }
    }

    /// The id and the version of a reference of a known form.
    fn add_reference(&mut self, content: Range<usize>) {
        let Some(text) = self.text.get(content.clone()) else { return };
        let id = match fhir::target(text) {
            Target::Instance { folded, kind } => {
                let at = (folded.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
                at + kind.len() + 1..at + folded.len()
            }
            Target::Other(_) if text.starts_with(UUID) => UUID.len()..text.len(),
            _ => return,
        };
        let after = content.start + id.end;
        self.add(content.start + id.start..after, Class::Id);
        let rest = self.text.get(after..content.end).unwrap_or("");
        if let Some(version) = rest.strip_prefix("/_history/") {
            let start = content.end - version.len();
            self.add(start..content.end, Class::Id);
        }
    }

    /// The number in an identifier: all of it, or the part that is not its system.
    fn add_identifier(&mut self, content: Range<usize>) {
        let before = self.slots.len();
        self.add(content.clone(), Class::Name);
        if self.slots.len() > before {
            return;
        }
        let Some(text) = self.text.get(content.clone()) else { return };
        let part = if let Some((id, _)) = text.split_once('^') {
            0..id.len()
        } else if let Some((_, id)) = text.rsplit_once('|') {
            text.len() - id.len()..text.len()
        } else {
            return;
        };
        self.add(content.start + part.start..content.start + part.end, Class::Id);
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&wanted);
        self.at += usize::from(found);
        found
    }
}

/// The kind of the object under `key` in an object of kind `place`.
fn inside(place: Place, key: &str) -> Place {
    match key {
        _ if place == Place::Unread => Place::Unread,
        _ if place == Place::Coded => Place::Coded,
        "meta" | "text" if matches!(place, Place::Root | Place::Contained) => Place::Unread,
        "who" | "what" | "reference" | "observer" | "site" | "patient" | "subject"
        | "practitioner" | "valueReference" | "encounter" | "basedOn" | "location"
        | "organization" | "networkReference" => Place::Reference,
        "identifier" | "userId" | "valueIdentifier" => Place::Identifier,
        "type" | "subtype" | "code" | "category" | "role" | "coding" | "purposeOfUse"
        | "purposeOfEvent" | "authorization" | "outcome" | "lifecycle" | "securityLabel"
        | "assigner" => Place::Coded,
        "contained" => Place::Contained,
        "name" if place == Place::Contained => Place::HumanName,
        _ => Place::Plain,
    }
}

const UUID: &str = "urn:uuid:";
