//! One access as its source states it, in the source's own names.

use crate::{EventId, Timestamp};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;

/// What a decoder makes of one audit record: one access, every name still as text.
///
/// Borrows from the input where the text stands there unescaped. Its JSON form (`bavn decode`) is a
/// contract: see `docs/schema/event.schema.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Record<'a> {
    pub id: EventId,
    pub at: Timestamp,
    /// The human requestor, else the system: `Type/id` if the record has a reference, else
    /// `system|value`, else the bare value, else the display.
    pub who: Option<Cow<'a, str>>,
    /// The same reader's other spellings in this record.
    #[serde(skip)]
    pub who_also: Vec<Cow<'a, str>>,
    pub on_behalf_of: Option<Cow<'a, str>>,
    pub application: Option<Cow<'a, str>>,
    #[serde(serialize_with = "patient_names")]
    pub patients: SmallVec<[PatientName<'a>; 1]>,
    /// What kind of content was opened, by reference (`Observation/17`) or code.
    pub resource: Option<Cow<'a, str>>,
    pub action: Option<Action>,
    pub kind: Kind,
    /// How the reader came to the record, where the source says so.
    pub found_by: Option<FoundBy>,
    /// Purpose-of-use codes (v3-ActReason and national ones), as the source spells them.
    pub purpose: SmallVec<[Cow<'a, str>; 1]>,
    /// The stated reason in words, where the source has one.
    pub reason: Option<Cow<'a, str>>,
    pub outcome: Outcome,
    /// Site and observer of the system that wrote the record.
    pub source: Option<Cow<'a, str>>,
    pub address: Option<Cow<'a, str>>,
    pub session: Option<Cow<'a, str>>,
    /// The query's text, base64 undone.
    pub query: Option<Cow<'a, str>>,
    /// The number that the source gave the record, where it counts what it writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Printed by the edge, which knows the file's path.
    #[serde(skip)]
    pub origin: Origin,
    pub flags: Flags,
}

impl Record<'_> {
    /// The same record, borrowing nothing: it fits wherever one is wanted.
    pub fn into_owned<'b>(self) -> Record<'b> {
        let all = |texts: Vec<Cow<'_, str>>| texts.into_iter().map(owned).collect::<Vec<_>>();
        let patients = self.patients.into_iter();
        Record {
            id: self.id,
            at: self.at,
            who: self.who.map(owned),
            who_also: all(self.who_also),
            on_behalf_of: self.on_behalf_of.map(owned),
            application: self.application.map(owned),
            patients: patients
                .map(|patient| PatientName { name: owned(patient.name), also: all(patient.also) })
                .collect(),
            resource: self.resource.map(owned),
            action: self.action,
            kind: self.kind,
            found_by: self.found_by,
            purpose: self.purpose.into_iter().map(owned).collect(),
            reason: self.reason.map(owned),
            outcome: self.outcome,
            source: self.source.map(owned),
            address: self.address.map(owned),
            session: self.session.map(owned),
            query: self.query.map(owned),
            sequence: self.sequence,
            origin: self.origin,
            flags: self.flags,
        }
    }
}

fn owned<'b>(text: Cow<'_, str>) -> Cow<'b, str> {
    Cow::Owned(text.into_owned())
}

/// One patient of a record: the spelling to show, and others that the record says mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientName<'a> {
    pub name: Cow<'a, str>,
    pub also: Vec<Cow<'a, str>>,
}

fn patient_names<S: serde::Serializer>(
    patients: &[PatientName<'_>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut names = serializer.serialize_seq(Some(patients.len()))?;
    for patient in patients {
        names.serialize_element(&patient.name)?;
    }
    names.end()
}

/// Where a record stands. `file` is an index into the run's list of inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub file: u32,
    /// Line on which the record begins, from 1.
    pub line: u64,
    /// Position in its Bundle or array, from 0.
    pub entry: Option<u32>,
    /// Of the record's first byte in the (uncompressed) input, from 0.
    pub byte_offset: u64,
    /// How many bytes of the input the record is, from `byte_offset` on; its frame included where
    /// it came in one.
    pub bytes: u64,
}

impl Origin {
    /// The same place, of a record that is `raw` long.
    pub const fn spanning(self, raw: &[u8]) -> Self {
        Self { bytes: raw.len() as u64, ..self }
    }
}

/// FHIR `AuditEvent.action`, DICOM `EventActionCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Action {
    #[serde(rename = "C")]
    Create,
    #[serde(rename = "R")]
    Read,
    #[serde(rename = "U")]
    Update,
    #[serde(rename = "D")]
    Delete,
    #[serde(rename = "E")]
    Execute,
}

/// What was really done, which the bare action often hides: reading the log is `C`, a search `E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Read,
    Search,
    Create,
    Update,
    Delete,
    Export,
    Print,
    Login,
    Decision,
    Other,
}

/// How the reader came to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    List,
    SearchByName,
    SearchById,
    Link,
    ApiPage,
}

/// In words, so that no reader needs the code table. Absent in the source = `Unknown`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Success,
    MinorFailure,
    SeriousFailure,
    MajorFailure,
    #[default]
    Unknown,
}

impl Outcome {
    /// Whether the access may have returned content: a source that states no outcome
    /// may have.
    pub const fn may_expose(self) -> bool {
        matches!(self, Self::Success | Self::Unknown)
    }
}

/// Something about a record that a later reader must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Flag {
    /// Only a token, a path or a placeholder names the reader.
    OpaqueIdentity,
    /// The patient, or somebody who acts for the patient, read it: an access, never an exposure.
    OwnAccess,
    /// A policy decision was logged, not an access.
    DecisionOnly,
    /// The time states no zone; it was read as UTC or in the mapping's zone.
    NoZone,
    /// A patient is concerned, but the record does not say which one.
    PatientUnresolved,
    /// The query names another patient than the entities do.
    QueryDisagrees,
    /// The reader is a system, not a person.
    SystemIdentity,
    /// The record states an emergency override.
    BreakGlass,
    /// Base64, address or another detail could not be read; the rest stands.
    PartlyUnreadable,
    /// The time is the activity's, since the record states no time of recording.
    TimeOfActivity,
}

impl Flag {
    pub const ALL: [Self; 10] = [
        Self::OpaqueIdentity,
        Self::OwnAccess,
        Self::DecisionOnly,
        Self::NoZone,
        Self::PatientUnresolved,
        Self::QueryDisagrees,
        Self::SystemIdentity,
        Self::BreakGlass,
        Self::PartlyUnreadable,
        Self::TimeOfActivity,
    ];
}

/// A set of [`Flag`]s, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    pub const NONE: Self = Self(0);

    pub const fn with(self, flag: Flag) -> Self {
        Self(self.0 | 1 << flag as u8)
    }

    pub fn insert(&mut self, flag: Flag) {
        *self = self.with(flag);
    }

    pub const fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }
}

impl Serialize for Flags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Flag::ALL.into_iter().filter(|&flag| self.has(flag)))
    }
}

/// One record that could not be read; its neighbours were. Never quotes the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    pub origin: Origin,
    /// Length of the record in bytes, so that the edge can digest it with its key.
    pub bytes: u64,
    pub reason: RejectReason,
}

/// Why a record could not be read. Never quotes the record: it may hold a patient's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    #[error("not well-formed {format} at byte {at} of the record")]
    Malformed { format: &'static str, at: u64 },
    #[error("record ends before it is complete")]
    CutShort,
    #[error("not valid UTF-8 at byte {at} of the record")]
    NotUtf8 { at: u64 },
    #[error("field `{field}` is missing")]
    Missing { field: &'static str },
    #[error("field `{field}` is not {expected}")]
    WrongType { field: &'static str, expected: &'static str },
    #[error("key `{field}` stands twice in one object")]
    DuplicateKey { field: &'static str },
    #[error("record of {bytes} bytes is over the limit of {bytes_max}")]
    TooLong { bytes: u64, bytes_max: u64 },
    #[error("nested deeper than {levels_max} levels")]
    TooDeep { levels_max: u32 },
    #[error("resource is of another type than AuditEvent")]
    OtherResource,
    #[error("XML entity or DTD refused")]
    EntityRefused,
    #[error("row has {found} columns, the header {expected}")]
    ColumnCount { found: u32, expected: u32 },
    #[error("no mapping is for this record")]
    NoMapping,
}

impl RejectReason {
    /// A word of its own for each reason, by which rejects are counted.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::CutShort => "cut_short",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::Missing { .. } => "missing_field",
            Self::WrongType { .. } => "wrong_type",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::TooLong { .. } => "too_long",
            Self::TooDeep { .. } => "too_deep",
            Self::OtherResource => "other_resource",
            Self::EntityRefused => "entity_refused",
            Self::ColumnCount { .. } => "column_count",
            Self::NoMapping => "no_mapping",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_as_words_in_a_fixed_order() {
        let flags = Flags::NONE.with(Flag::NoZone).with(Flag::OpaqueIdentity);
        assert!(flags.has(Flag::NoZone) && !flags.has(Flag::OwnAccess));
        assert_eq!(Flag::ALL.map(|flag| flag as usize), std::array::from_fn(|index| index));
    }
}
