//! One row or JSON record through a mapping: which event is it?

use super::compile::Field;
use super::names::{identifier, spelling, spellings_of};
use super::words::{self, Target};
use super::{Mapping, Reason};
use crate::event_id;
use crate::tree::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bavn_model::{
    Flag, Flags, Kind, Origin, Outcome, PatientName, Record, RejectReason, Timestamp, Zone,
};
use smallvec::SmallVec;
use std::borrow::Cow;

/// The values of one record, by slot of its mapping.
pub(crate) trait Cells<'a> {
    /// Calls `found` with each non-empty text under the slot.
    fn texts(&self, slot: usize, found: &mut dyn FnMut(Cow<'a, str>));

    /// Calls `found` with each person under the slot, in all the spellings that stand there.
    fn names(&self, slot: usize, found: &mut dyn FnMut(Vec<Cow<'a, str>>)) {
        self.texts(slot, &mut |text| found(vec![text]));
    }
}

/// A CSV row.
pub(crate) struct CsvCells<'r, 'a> {
    pub(crate) cells: &'r [Cow<'a, str>],
    pub(crate) columns: &'r [Option<u32>],
}

impl<'a> Cells<'a> for CsvCells<'_, 'a> {
    fn texts(&self, slot: usize, found: &mut dyn FnMut(Cow<'a, str>)) {
        let column = self.columns.get(slot).copied().flatten();
        if let Some(text) = column.and_then(|column| self.cells.get(column as usize)) {
            found(trim(text.clone()));
        }
    }
}

/// A JSON record.
pub(crate) struct JsonCells<'r, 'a> {
    pub(crate) mapping: &'r Mapping,
    pub(crate) root: &'r Value<'a>,
}

impl<'a> Cells<'a> for JsonCells<'_, 'a> {
    fn texts(&self, slot: usize, found: &mut dyn FnMut(Cow<'a, str>)) {
        if let Some(slot) = self.mapping.slots.get(slot) {
            slot.path.each(self.root, &mut |value| {
                if let Some(text) = value.text() {
                    found(text);
                }
            });
        }
    }

    fn names(&self, slot: usize, found: &mut dyn FnMut(Vec<Cow<'a, str>>)) {
        if let Some(slot) = self.mapping.slots.get(slot) {
            slot.path.each(self.root, &mut |value| match value.text() {
                Some(text) => found(vec![text]),
                None => found(spellings_of(value, self.root)),
            });
        }
    }
}

/// The texts of a field after everything that the mapping says about them.
pub(crate) type Texts<'a> = SmallVec<[Cow<'a, str>; 1]>;

impl Mapping {
    /// Reads a JSON record that no built-in decoder knows. `raw` is the record's own bytes.
    pub fn read_json<'a>(
        &self,
        record: &Value<'a>,
        raw: &[u8],
        origin: Origin,
    ) -> Result<Record<'a>, RejectReason> {
        self.record(&JsonCells { mapping: self, root: record }, raw, origin)
    }

    /// Adds to a record that a built-in decoder read what only this mapping knows to find.
    pub fn add_to<'a>(&self, value: &Value<'a>, record: &mut Record<'a>) {
        let cells = JsonCells { mapping: self, root: value };
        self.fill(&cells, record);
    }

    pub(crate) fn record<'a>(
        &self,
        cells: &dyn Cells<'a>,
        raw: &[u8],
        origin: Origin,
    ) -> Result<Record<'a>, RejectReason> {
        let (at, zone) =
            self.time(cells, Target::At)?.ok_or(RejectReason::Missing { field: "at" })?;
        let mut record = Record {
            id: event_id(raw),
            at,
            who: None,
            who_also: Vec::new(),
            on_behalf_of: None,
            application: None,
            patients: SmallVec::new(),
            resource: None,
            action: None,
            kind: Kind::Other,
            found_by: None,
            purpose: SmallVec::new(),
            reason: None,
            outcome: Outcome::Unknown,
            source: None,
            address: None,
            session: None,
            query: None,
            sequence: None,
            origin: origin.spanning(raw),
            flags: Flags::NONE,
        };
        if zone == Zone::Missing {
            record.flags.insert(Flag::NoZone);
        }
        self.fill(cells, &mut record);
        Ok(record)
    }

    /// The instant of a field; an error if there is a text that is no time.
    pub(crate) fn time(
        &self,
        cells: &dyn Cells<'_>,
        target: Target,
    ) -> Result<Option<(Timestamp, Zone)>, RejectReason> {
        let Some(field) = self.field(target) else { return Ok(None) };
        let texts = self.texts_of(field, cells);
        let Some(text) = texts.first() else { return Ok(None) };
        let read = field.clock.as_ref().and_then(|clock| clock.read(text));
        read.map(Some).ok_or(RejectReason::WrongType {
            field: target.name(),
            expected: "a time in a format of the mapping",
        })
    }

    pub(crate) fn field(&self, target: Target) -> Option<&Field> {
        self.fields.iter().find(|field| field.target == target)
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn fill<'a>(&self, cells: &dyn Cells<'a>, record: &mut Record<'a>) {
        let mut kind = None;
        let mut hand_picked = None;
        let mut reason = None;
        for field in &self.fields {
            if !self.applies(field, cells) {
                continue;
            }
            if field.target.is_condition() {
                let holds = self.holds(field, cells);
                match field.target {
                    Target::HandPicked => hand_picked = holds,
                    target => set_flag(target, holds, record),
                }
                continue;
            }
            match field.target {
                Target::At => {}
                Target::Who => self.fill_who(field, cells, record),
                Target::Patients => self.fill_patients(field, cells, record),
                Target::Purpose => {
                    for code in self.texts_of(field, cells) {
                        if !record.purpose.contains(&code) {
                            record.purpose.push(code);
                        }
                    }
                }
                Target::Reason => reason = self.reason_of(field, cells),
                target => {
                    if let Some(text) = self.texts_of(field, cells).into_iter().next() {
                        set_text(target, text, record, &mut kind);
                    }
                }
            }
        }
        record.action = record.action.or_else(|| kind.and_then(words::action_of));
        match (kind, record.action) {
            (Some(kind), _) => record.kind = kind,
            (None, Some(action)) if record.kind == Kind::Other => {
                record.kind = words::kind_of(action);
            }
            _ => {}
        }
        if let Some(found) = reason {
            record.reason = Some(found.in_words(hand_picked));
        }
    }

    fn fill_who<'a>(&self, field: &Field, cells: &dyn Cells<'a>, record: &mut Record<'a>) {
        let mut names = self.people_of(field, cells).into_iter().flatten();
        let Some(name) = names.next() else { return };
        if record.who.is_none() {
            record.who = Some(name);
        } else if record.who.as_ref() != Some(&name) {
            record.who_also.push(name);
        }
        for name in names {
            if record.who.as_ref() != Some(&name) && !record.who_also.contains(&name) {
                record.who_also.push(name);
            }
        }
    }

    fn fill_patients<'a>(&self, field: &Field, cells: &dyn Cells<'a>, record: &mut Record<'a>) {
        for mut names in self.people_of(field, cells) {
            let known = record.patients.iter_mut().find(|held| {
                names.iter().any(|name| held.name == *name || held.also.contains(name))
            });
            if let Some(held) = known {
                names.retain(|name| held.name != *name && !held.also.contains(name));
                held.also.append(&mut names);
            } else if !names.is_empty() {
                let name = names.remove(0);
                record.patients.push(PatientName { name, also: names });
            }
        }
    }

    /// The people of a field, each in all spellings: those of the column itself, then of `also`.
    pub(crate) fn people_of<'a>(
        &self,
        field: &Field,
        cells: &dyn Cells<'a>,
    ) -> Vec<Vec<Cow<'a, str>>> {
        let mut people = self.main_people(field, cells);
        for further in &field.also {
            let names: Vec<_> = self.main_people(further, cells).into_iter().flatten().collect();
            match people.as_mut_slice() {
                [] if !names.is_empty() => people.push(names),
                // Further spellings can only belong to somebody if there is one person.
                [person] => person.extend(names),
                _ => {}
            }
        }
        for person in &mut people {
            let mut seen = Vec::with_capacity(person.len());
            person.retain(|name| {
                let new = !seen.contains(name);
                if new {
                    seen.push(name.clone());
                }
                new
            });
        }
        people
    }

    fn main_people<'a>(&self, field: &Field, cells: &dyn Cells<'a>) -> Vec<Vec<Cow<'a, str>>> {
        let plain = field.values.is_none() && !field.base64 && field.after_last.is_none();
        if field.join.is_empty() && plain && field.value.is_none() {
            for &slot in &field.from {
                let mut people: Vec<Vec<Cow<'a, str>>> = Vec::new();
                cells.names(slot, &mut |names| {
                    if let [one] = names.as_slice() {
                        let parts = self.split(field, one.clone());
                        people.extend(parts.into_iter().map(|part| vec![named(field, part)]));
                    } else if !names.is_empty() {
                        people.push(names);
                    }
                });
                if !people.is_empty() {
                    return people;
                }
            }
            return Vec::new();
        }
        let texts = self.texts_of(field, cells).into_iter();
        texts.map(|text| vec![named(field, text)]).collect()
    }

    /// The texts of a field, cleaned, split, decoded and turned into the mapping's words.
    pub(crate) fn texts_of<'a>(&self, field: &Field, cells: &dyn Cells<'a>) -> Texts<'a> {
        let mut texts = self.raw_texts(field, cells);
        if let Some(mark) = &field.after_last {
            for text in &mut texts {
                let tail = text.rsplit_once(mark.as_str()).map(|(_, tail)| tail.to_owned());
                if let Some(tail) = tail {
                    *text = Cow::Owned(tail);
                }
            }
        }
        if field.base64 {
            for text in &mut texts {
                if let Some(decoded) = decode_base64(text) {
                    *text = Cow::Owned(decoded);
                }
            }
        }
        if let Some(table) = &field.values {
            for text in &mut texts {
                let word = table.find(text).or(field.otherwise.as_deref());
                if let Some(word) = word {
                    *text = Cow::Owned(word.to_owned());
                }
            }
            texts.retain(|text| !text.is_empty());
        }
        if texts.is_empty() {
            let constant = field.value.as_ref().or(field.otherwise.as_ref());
            texts.extend(constant.map(|text| Cow::Owned(text.clone())));
        }
        texts
    }

    /// What stands in the record, before the mapping's words: for [`Self::texts_of`] and to show.
    pub(crate) fn raw_texts<'a>(&self, field: &Field, cells: &dyn Cells<'a>) -> Texts<'a> {
        let mut texts = Texts::new();
        if !field.join.is_empty() {
            let mut parts: Vec<String> = Vec::new();
            for &slot in &field.join {
                cells.texts(slot, &mut |text| {
                    if self.says_something(field, &text) {
                        parts.push(text.into_owned());
                    }
                });
            }
            if !parts.is_empty() {
                texts.push(Cow::Owned(parts.join(" ")));
            }
        }
        for &slot in &field.from {
            if !texts.is_empty() {
                break;
            }
            cells.texts(slot, &mut |text| texts.extend(self.split(field, text)));
        }
        texts
    }

    fn split<'a>(&self, field: &Field, text: Cow<'a, str>) -> Texts<'a> {
        let Some(separator) = &field.split else {
            let says = self.says_something(field, &text);
            return if says { SmallVec::from_iter([text]) } else { Texts::new() };
        };
        text.split(separator.as_str())
            .map(str::trim)
            .filter(|part| self.says_something(field, part))
            .map(|part| Cow::Owned(part.to_owned()))
            .collect()
    }

    fn says_something(&self, field: &Field, text: &str) -> bool {
        let mut nothing = self.empty.iter().chain(&field.empty);
        !text.is_empty() && !nothing.any(|nothing| nothing.eq_ignore_ascii_case(text))
    }

    pub(crate) fn applies(&self, field: &Field, cells: &dyn Cells<'_>) -> bool {
        field.when.as_ref().is_none_or(|when| self.holds(when, cells) == Some(true))
    }

    /// Whether a condition holds; `None` where the record says nothing about it.
    pub(crate) fn holds(&self, field: &Field, cells: &dyn Cells<'_>) -> Option<bool> {
        let texts = self.texts_of(field, cells);
        if texts.is_empty() {
            return None;
        }
        Some(texts.iter().any(|text| match field.is.as_slice() {
            [] => words::says_yes(text),
            wanted => wanted.iter().any(|word| words::fits(word, text)),
        }))
    }

    fn reason_of<'a>(&self, field: &Field, cells: &dyn Cells<'a>) -> Option<StatedReason<'a, '_>> {
        let texts = self.texts_of(field, cells);
        if field.look_up_reason {
            let known = texts.iter().find_map(|code| self.reasons.get(code.as_ref()));
            if let Some(reason) = known {
                return Some(StatedReason::Known(reason));
            }
        }
        texts.into_iter().next().map(StatedReason::Text)
    }
}

enum StatedReason<'a, 'm> {
    Known(&'m Reason),
    Text(Cow<'a, str>),
}

impl<'a> StatedReason<'a, '_> {
    fn in_words(self, hand_picked: Option<bool>) -> Cow<'a, str> {
        use super::Choice;
        let stated = hand_picked
            .map(|hand_picked| if hand_picked { Choice::HandPicked } else { Choice::Derived });
        match self {
            Self::Known(reason) => {
                let choice = stated.unwrap_or(reason.choice);
                Cow::Owned(format!("{} ({})", reason.en, choice.in_words()))
            }
            Self::Text(text) => match stated {
                Some(choice) => Cow::Owned(format!("{text} ({})", choice.in_words())),
                None => text,
            },
        }
    }
}

fn named<'a>(field: &Field, text: Cow<'a, str>) -> Cow<'a, str> {
    match (&field.system, &field.reference) {
        (Some(system), _) if !text.contains('|') => Cow::Owned(identifier(system, &text)),
        (_, Some(kind)) if !text.contains('/') => Cow::Owned(format!("{kind}/{text}")),
        _ => spelling(text),
    }
}

fn set_flag(target: Target, holds: Option<bool>, record: &mut Record<'_>) {
    let flag = match target {
        Target::BreakGlass => Flag::BreakGlass,
        Target::OwnAccess => Flag::OwnAccess,
        Target::SystemIdentity => Flag::SystemIdentity,
        Target::DecisionOnly => Flag::DecisionOnly,
        _ => return,
    };
    if holds == Some(true) {
        record.flags.insert(flag);
    }
}

fn set_text<'a>(
    target: Target,
    text: Cow<'a, str>,
    record: &mut Record<'a>,
    kind: &mut Option<Kind>,
) {
    match target {
        Target::OnBehalfOf => record.on_behalf_of = Some(spelling(text)),
        Target::Application => record.application = Some(text),
        Target::Resource => record.resource = Some(text),
        Target::Source => record.source = Some(text),
        Target::Address => record.address = Some(text),
        Target::Session => record.session = Some(text),
        Target::Query => record.query = Some(text),
        Target::Sequence => record.sequence = text.trim().parse().ok().or(record.sequence),
        Target::Action => record.action = words::action(&text).or(record.action),
        Target::Kind => *kind = words::kind(&text).or(*kind),
        Target::FoundBy => record.found_by = words::found_by(&text).or(record.found_by),
        Target::Outcome => {
            record.outcome = words::outcome(&text).unwrap_or(record.outcome);
        }
        _ => {}
    }
}

fn decode_base64(text: &str) -> Option<String> {
    // Short words may be base64 by accident; a log's comment is longer.
    if text.len() < 8 || !text.len().is_multiple_of(4) {
        return None;
    }
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => {
            let trimmed = text.trim();
            if trimmed.len() == text.len() { Cow::Owned(text) } else { Cow::Owned(trimmed.into()) }
        }
    }
}
