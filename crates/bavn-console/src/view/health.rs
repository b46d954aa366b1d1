//! What the pages on sources, log and drills show: no person.

use super::AsOf;
use bavn_model::Timestamp;
use serde::Serialize;

/// What can be seen, and what cannot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CoverageView {
    /// The columns: days (`2026-11-27`), oldest first.
    pub days: Vec<String>,
    /// A row for each source, with a cell for each day.
    pub sources: Vec<SourceRow>,
    pub silences: Vec<SilenceRow>,
    /// Of the last run of the watch; nothing if none has ended.
    pub run: Option<RunView>,
    pub as_of: AsOf,
}

#[derive(Clone, Debug, Serialize)]
pub struct SourceRow {
    pub source: String,
    pub cells: Vec<DayCell>,
}

/// One source on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DayCell {
    pub look_ups: u64,
    pub state: DayState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    OnTime,
    /// It came more than a day after the day was over.
    Late,
    /// Nothing, of a source that speaks on other days.
    Silent,
    /// Before its first word: nothing was to be expected.
    NotYet,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SilenceRow {
    pub source: String,
    pub from: Timestamp,
    pub to: Timestamp,
    pub ended: bool,
}

/// What the last run came to, and how it was judged.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunView {
    pub at: Timestamp,
    pub look_ups: u64,
    pub days: u64,
    pub staff: f64,
    pub explained_share: f64,
    pub cannot_judge_share: f64,
    pub budget: f64,
    pub false_alarms_allowed: f64,
    pub alarms: u64,
    /// Closed as harmless or as a fault, of all that were closed.
    pub judged_false: u64,
    pub judged: u64,
    /// Input, read, rejected.
    pub inputs: Vec<(String, u64, u64)>,
    /// Lane, candidates, alarms.
    pub lanes: Vec<(String, u64, u64)>,
    /// The columns of `units`: Mondays.
    pub weeks: Vec<String>,
    pub units: Vec<UnitRow>,
}

/// How much of a unit's work records explain, week by week; nothing where fewer than five people
/// worked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitRow {
    pub unit: String,
    pub shares: Vec<Option<f64>>,
}

/// The log, from outside.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProofView {
    pub entries: u64,
    pub look_ups: u64,
    pub commits: u64,
    pub committed_at: Option<Timestamp>,
    /// Signed, as it is published.
    pub checkpoint: String,
    pub verified: Option<VerifiedView>,
}

/// When the store was last read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedView {
    pub at: Timestamp,
    pub by: String,
    pub look_ups: u64,
    pub faults: u64,
    /// Not only every file, but every look-up's entry.
    pub every_look_up: bool,
}

/// How a drill went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DrillView {
    /// From where the score is.
    pub source: String,
    pub thefts: Vec<Theft>,
    pub false_alarms_per_10k_staff_day: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Theft {
    pub name: String,
    /// What it is, in English and bokmål.
    pub words: [String; 2],
    /// From the first stolen record to the first alarm on the thief; none: never.
    pub secs_to_alarm: Option<i64>,
    pub patients_lost: u64,
    pub patients_stolen: u64,
}

/// One law or rule that is kept as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegimeLine {
    pub id: String,
    pub version: String,
    /// English, bokmål.
    pub title: [String; 2],
    /// `2027-05-01`
    pub review_by: String,
    /// A lawyer, if one has read it.
    pub reviewed_by: Option<String>,
    pub is_overdue: bool,
}
