//! One look-up as it lies in the store, and what it exposed.

use crate::names::{Dictionary, Of};
use bavn_model::{Action, Flag, Flags, FoundBy, Kind, Outcome};
use smallvec::SmallVec;
use std::borrow::Cow;

/// No reader, patient or other name.
pub(crate) const NOBODY: u32 = u32::MAX;

/// One look-up, its people and machines as numbers of the store's dictionaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    /// Microseconds since the epoch.
    pub(crate) at: i64,
    pub(crate) identity: u32,
    pub(crate) on_behalf_of: u32,
    pub(crate) client: u32,
    pub(crate) host: u32,
    pub(crate) source: u32,
    pub(crate) patients: SmallVec<[u32; 2]>,
    pub(crate) session: Option<Cow<'a, str>>,
    pub(crate) resource: Option<Cow<'a, str>>,
    /// Codes, with a space between them.
    pub(crate) purpose: Option<Cow<'a, str>>,
    pub(crate) reason: Option<Cow<'a, str>>,
    pub(crate) action: Option<Action>,
    pub(crate) kind: Kind,
    pub(crate) found_by: Option<FoundBy>,
    pub(crate) outcome: Outcome,
    pub(crate) flags: Flags,
}

/// What the source said and where, kept apart from what was made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evidence<'a> {
    pub(crate) id: u128,
    /// Without it nobody can test a guess against the log's leaf.
    pub(crate) nonce: [u8; NONCE_BYTES],
    pub(crate) file: u32,
    pub(crate) line: u64,
    pub(crate) entry: u32,
    pub(crate) byte_offset: u64,
    pub(crate) query: Option<Cow<'a, str>>,
    pub(crate) original: Option<Cow<'a, [u8]>>,
}

/// Bytes of the nonce that hides a look-up in its leaf.
pub(crate) const NONCE_BYTES: usize = 16;

/// What a look-up says of who, whom, when and where, without its texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookUp<'a> {
    /// Microseconds since the epoch.
    pub(crate) at: i64,
    pub(crate) identity: u32,
    pub(crate) host: u32,
    pub(crate) client: u32,
    pub(crate) source: u32,
    pub(crate) kind: Kind,
    pub(crate) class: Class,
    /// The source names a patient that nobody could be found for.
    pub(crate) is_unresolved: bool,
    /// Type of content as the source names it (`DocumentReference`); empty: it names none.
    pub(crate) content: &'a str,
    pub(crate) patients: &'a [u32],
}

impl LookUp<'_> {
    /// Calls `found` with each patient and what the look-up was to them. One that may have shown
    /// patients it does not name concerns [`NOBODY`]; so does one of no patient, without exposing
    /// anybody.
    pub(crate) fn concerns(&self, mut found: impl FnMut(u32, Class)) {
        for (place, patient) in self.patients.iter().enumerate() {
            // One record may name a patient twice.
            if self.patients.iter().take(place).all(|before| before != patient) {
                found(*patient, self.class);
            }
        }
        if self.hides_patients() {
            found(NOBODY, self.class);
        } else if self.patients.is_empty() {
            found(NOBODY, Class::NoExposure);
        }
    }

    /// Whether content may have come back of patients that the record does not name.
    fn hides_patients(&self) -> bool {
        let shows_many = matches!(self.kind, Kind::Search | Kind::Export | Kind::Print);
        self.class.exposes() && (self.is_unresolved || (self.patients.is_empty() && shows_many))
    }
}

impl Row<'_> {
    pub(crate) fn class(&self) -> Class {
        class(self.kind, self.outcome, self.flags)
    }

    pub(crate) fn look_up(&self) -> LookUp<'_> {
        LookUp {
            at: self.at,
            identity: self.identity,
            host: self.host,
            client: self.client,
            source: self.source,
            kind: self.kind,
            class: self.class(),
            is_unresolved: self.flags.has(Flag::PatientUnresolved),
            content: self.resource.as_deref().map(type_of).unwrap_or_default(),
            patients: &self.patients,
        }
    }

    pub(crate) fn day(&self) -> i32 {
        bavn_model::Timestamp::from_micros(self.at).day()
    }

    /// Names of the patients, and of all else that is a number.
    pub(crate) fn names<'n>(
        &self,
        evidence: &Evidence<'_>,
        names: &'n Dictionary,
    ) -> impl Iterator<Item = Option<Cow<'n, str>>> {
        let patients = self.patients.iter().map(|&patient| (Of::Patient, patient));
        let others = [
            (Of::Identity, self.identity),
            (Of::Identity, self.on_behalf_of),
            (Of::Client, self.client),
            (Of::Host, self.host),
            (Of::Source, self.source),
            (Of::File, evidence.file),
        ];
        patients.chain(others).map(|(of, id)| names.of(of).known(id).map(Cow::Borrowed))
    }

    /// What an entry of the log commits to: every field of the look-up, names in full, in one order,
    /// for ever. Numbers are big-endian; a text stands behind its length in 8 bytes, all ones for none.
    pub(crate) fn canonical<'n>(
        &self,
        evidence: &Evidence<'_>,
        names: impl Iterator<Item = Option<Cow<'n, str>>>,
        out: &mut Vec<u8>,
    ) {
        out.clear();
        out.extend_from_slice(b"bavn look-up 1\0");
        out.extend_from_slice(&evidence.id.to_be_bytes());
        out.extend_from_slice(&self.at.to_be_bytes());
        out.extend_from_slice(&evidence.line.to_be_bytes());
        out.extend_from_slice(&evidence.entry.to_be_bytes());
        out.extend_from_slice(&evidence.byte_offset.to_be_bytes());
        out.extend_from_slice(&flag_bits(self.flags).to_be_bytes());
        out.extend_from_slice(&(self.patients.len() as u32).to_be_bytes());
        for name in names {
            put_text(out, name.as_deref().map(str::as_bytes));
        }
        let words = [
            self.session.as_deref(),
            self.resource.as_deref(),
            self.purpose.as_deref(),
            self.reason.as_deref(),
            self.action.map(action_word),
            Some(kind_word(self.kind)),
            self.found_by.map(found_by_word),
            Some(outcome_word(self.outcome)),
            evidence.query.as_deref(),
        ];
        for word in words {
            put_text(out, word.map(str::as_bytes));
        }
        put_text(out, evidence.original.as_deref());
    }
}

/// The type of a reference or address, without the part that names one record.
fn type_of(resource: &str) -> &str {
    let letter = |at: char| at.is_alphabetic() || matches!(at, '-' | '_' | ' ');
    let first = resource.split(['/', '?', '#']).next().unwrap_or_default();
    let is_type = (1..=TYPE_BYTES_MAX).contains(&first.len()) && first.chars().all(letter);
    if is_type { first } else { "" }
}

/// A source has dozens of types of content; one that has more names single records, which go under one
/// name.
pub(crate) const CONTENTS_MAX: usize = 200;
pub(crate) const OTHERS: &str = "other";
/// Of the name of a type; what is longer is a sentence.
const TYPE_BYTES_MAX: usize = 64;

fn put_text(out: &mut Vec<u8>, text: Option<&[u8]>) {
    let length = text.map_or(u64::MAX, |text| text.len() as u64);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.unwrap_or_default());
}

/// How far a record came out: a hit in a list, its content, or a copy that left the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Listed,
    Opened,
    Taken,
}

/// What one look-up was to one patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The source says that it succeeded.
    Certain(Grade),
    /// The source does not say whether it succeeded.
    Possible(Grade),
    /// Denied or failed.
    Attempt,
    /// The patient's own access, a decision, a log-in: no exposure.
    NoExposure,
}

impl Class {
    /// All of them, by [`Self::code`].
    pub const ALL: [Self; 8] = [
        Self::Certain(Grade::Listed),
        Self::Certain(Grade::Opened),
        Self::Certain(Grade::Taken),
        Self::Possible(Grade::Listed),
        Self::Possible(Grade::Opened),
        Self::Possible(Grade::Taken),
        Self::Attempt,
        Self::NoExposure,
    ];

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Certain(grade) => grade as u8,
            Self::Possible(grade) => 3 + grade as u8,
            Self::Attempt => 6,
            Self::NoExposure => 7,
        }
    }

    pub(crate) fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::NoExposure)
    }

    /// Whether content may have come back to somebody else than the patient.
    pub const fn exposes(self) -> bool {
        self.exposed().is_some()
    }

    /// How far it came out, if it may have, and whether the source says that it did.
    pub(crate) const fn exposed(self) -> Option<(Grade, bool)> {
        match self {
            Self::Certain(grade) => Some((grade, true)),
            Self::Possible(grade) => Some((grade, false)),
            Self::Attempt | Self::NoExposure => None,
        }
    }
}

/// `docs/contracts.md`, "What counts as an exposure".
pub fn class(kind: Kind, outcome: Outcome, flags: Flags) -> Class {
    let is_none = flags.has(Flag::OwnAccess)
        || flags.has(Flag::DecisionOnly)
        || matches!(kind, Kind::Login | Kind::Decision);
    let grade = match kind {
        Kind::Search => Grade::Listed,
        Kind::Export | Kind::Print => Grade::Taken,
        _ => Grade::Opened,
    };
    match outcome {
        _ if is_none => Class::NoExposure,
        Outcome::Success => Class::Certain(grade),
        Outcome::Unknown => Class::Possible(grade),
        _ => Class::Attempt,
    }
}

pub(crate) fn flag_bits(flags: Flags) -> u16 {
    Flag::ALL
        .into_iter()
        .filter(|&flag| flags.has(flag))
        .fold(0, |bits, flag| bits | 1 << flag as u8)
}

pub(crate) fn flags_of(bits: u16) -> Flags {
    let set = Flag::ALL.into_iter().filter(|&flag| bits & (1 << flag as u8) != 0);
    set.fold(Flags::NONE, Flags::with)
}

macro_rules! words {
    ($to:ident, $from:ident, $kind:ty, $($variant:path => $word:literal),+ $(,)?) => {
        pub(crate) const fn $to(value: $kind) -> &'static str {
            match value { $($variant => $word),+ }
        }

        pub(crate) fn $from(word: &[u8]) -> Option<$kind> {
            $(if word == $word.as_bytes() { return Some($variant); })+
            None
        }
    };
}

words!(action_word, action_of, Action,
    Action::Create => "C", Action::Read => "R", Action::Update => "U", Action::Delete => "D",
    Action::Execute => "E");
words!(kind_word, kind_of, Kind,
    Kind::Read => "read", Kind::Search => "search", Kind::Create => "create",
    Kind::Update => "update", Kind::Delete => "delete", Kind::Export => "export",
    Kind::Print => "print", Kind::Login => "login", Kind::Decision => "decision",
    Kind::Other => "other");
words!(found_by_word, found_by_of, FoundBy,
    FoundBy::List => "list", FoundBy::SearchByName => "search_by_name",
    FoundBy::SearchById => "search_by_id", FoundBy::Link => "link",
    FoundBy::ApiPage => "api_page");
words!(outcome_word, outcome_of, Outcome,
    Outcome::Success => "success", Outcome::MinorFailure => "minor-failure",
    Outcome::SeriousFailure => "serious-failure", Outcome::MajorFailure => "major-failure",
    Outcome::Unknown => "unknown");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_type_names_a_record() {
        for (resource, wanted) in [
            ("Observation", "Observation"),
            ("DocumentReference/77-1", "DocumentReference"),
            ("Patient?name=x", "Patient"),
            ("lab result", "lab result"),
            ("13097000017", ""),
            ("https://a.example/Patient/1", ""),
            ("", ""),
        ] {
            assert_eq!(type_of(resource), wanted, "{resource}");
        }
    }

    #[test]
    fn every_class_has_its_code() {
        for (code, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!((usize::from(class.code()), Class::from_code(code as u8)), (code, class));
        }
    }

    #[test]
    fn a_denied_read_is_an_attempt_and_an_unstated_outcome_only_possible() {
        let read = |outcome| class(Kind::Read, outcome, Flags::NONE);
        assert_eq!(read(Outcome::Success), Class::Certain(Grade::Opened));
        assert_eq!(read(Outcome::Unknown), Class::Possible(Grade::Opened));
        assert_eq!(read(Outcome::MinorFailure), Class::Attempt);
        let own = Flags::NONE.with(Flag::OwnAccess);
        assert_eq!(class(Kind::Print, Outcome::Success, own), Class::NoExposure);
        assert_eq!(class(Kind::Print, Outcome::Success, Flags::NONE), Class::Certain(Grade::Taken));
        assert_eq!(flags_of(flag_bits(own.with(Flag::NoZone))), own.with(Flag::NoZone));
    }
}
