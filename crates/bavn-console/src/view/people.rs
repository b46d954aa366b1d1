//! What the pages show that name people: asked for with a [`crate::Granted`].

use super::AsOf;
use super::{HourBar, SilenceRow};
use bavn_model::Timestamp;
use serde::Serialize;

/// Everyone who has read a record, in the forms of `bavn who`.
#[derive(Clone, Debug, Default)]
pub struct PatientView {
    /// As the store spells it first; shown on the page, never in its address.
    pub patient: String,
    pub look_ups: u64,
    /// Newest first: what is shown together.
    pub groups: Vec<ReadingGroup>,
    pub silences: Vec<SilenceRow>,
    pub as_of: AsOf,
    /// The whole report in the patient's words: English, bokmål.
    pub html: [String; 2],
    pub json: String,
    pub csv: String,
}

/// Look-ups of one reader on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadingGroup {
    pub day: String,
    pub who: Option<String>,
    /// Role and unit at the time, in English and bokmål.
    pub post: Option<[String; 2]>,
    pub look_ups: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Kinds of content, in English and bokmål; what is not known stays as the source names it.
    pub content: Vec<[String; 2]>,
    /// As stated, in both languages if it was a code.
    pub reasons: Vec<[String; 2]>,
    pub place: String,
    pub emergency: bool,
    pub denied: u64,
}

/// One account, as far as its case tells.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PersonView {
    pub account: String,
    pub look_ups: u64,
    pub patients: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// Patients by the hour around the alarm, with the peers.
    pub hours: Vec<HourBar>,
    /// Machine or application, look-ups, patients, and since when in this case.
    pub machines: Vec<Machine>,
    /// Kind, look-ups, patients.
    pub kinds: Vec<(String, u64, u64)>,
    /// The last look-ups, newest first; patients are counted.
    pub rows: Vec<PersonRow>,
    pub as_of: AsOf,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    pub name: String,
    pub look_ups: u64,
    pub patients: u64,
    pub first: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    pub at: Timestamp,
    pub kind: String,
    pub machine: String,
    pub source: String,
    pub patients: u64,
}

/// What a list from a CERT turned up.
#[derive(Clone, Debug, Default)]
pub struct HuntView {
    pub lower: u64,
    pub best: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub entries: Vec<HuntRow>,
    /// Values that one hand seems to hold.
    pub clusters: Vec<Vec<String>>,
    pub silences: Vec<SilenceRow>,
    pub as_of: Option<AsOf>,
    /// SHA-256 of what was found.
    pub digest: String,
    pub json: String,
    /// Every look-up.
    pub csv: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HuntRow {
    pub value: String,
    /// `identity`, `host` or `client`; none: no look-up names it.
    pub found: Option<String>,
    pub problem: Option<String>,
    pub look_ups: u64,
    pub patients: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// A patient of a case, named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revealed {
    pub patient: String,
    pub grade: String,
    pub certain: bool,
    pub look_ups: u64,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// What is held about somebody, beside what they did to cases.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HeldAbout {
    /// Look-ups kept of this account, if the store knows it.
    pub look_ups: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// What they looked at here, newest first.
    pub looked_at: Vec<(Timestamp, String)>,
    /// Who looked at a case about them that is closed: when, who, what.
    pub looked_at_by: Vec<(Timestamp, String, String)>,
}
