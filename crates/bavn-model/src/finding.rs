//! What bavn says is wrong, why, and what would explain it.

use crate::{ClientId, HostId, IdentityId, PatientId, Timestamp, UnitId};

/// Whom a finding names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    pub identity: IdentityId,
    pub host: Option<HostId>,
    pub client: Option<ClientId>,
}

/// One alarm, or one candidate for it: same identity and cause = one finding, updated in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Stable over updates: digest of detector, entity and first evidence.
    pub uid: u128,
    /// Name of the detector, which is also its file, manual page and test folder.
    pub detector: &'static str,
    pub family: Family,
    pub lane: Lane,
    pub state: FindingState,
    /// Event time at which this line was raised.
    pub raised_at: Timestamp,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// One element an identity, each with evidence of its own.
    pub entities: Vec<Entity>,
    /// Calibrated chance of a score as extreme from innocent work.
    pub p_value: f64,
    /// Findings at least this strong that innocent work is expected to cause.
    pub expected_false_per_10k_staff_day: f64,
    /// Inside the budget.
    pub is_alert: bool,
    /// Order by harm within the budget; higher is more urgent.
    pub rank: f64,
    /// Distinct patients exposed by the evidence so far; sorted.
    pub patients: Vec<PatientId>,
    pub because: Vec<Fact>,
    pub tried: Vec<Tried>,
    pub innocent_story: InnocentStory,
    pub next_step: NextStep,
}

/// Create, update or close, as OCSF's `activity_id` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingState {
    Created,
    Updated,
    Closed,
}

/// Detectors whose scores depend on one another are combined inside their family first
/// (detection.md 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Volume,
    Relation,
    Target,
    Identity,
    Pattern,
}

/// Which share of the alarm budget pays for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    Live,
    Daily,
    Slow,
    Cohort,
    /// Rules with a measured rate of their own: honey, self, leaver.
    Deterministic,
}

/// One countable fact. Sentences are made of it in one place, in each language.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fact {
    /// Distinct patients in a window, against what the peers open in as long.
    PatientsInWindow { opened: u32, usual: f64, highest_of_peers: u32, window_secs: u64 },
    /// Of them, without any record that explains the access.
    UnexplainedPatients { unexplained: u32, usual: f64, window_secs: u64 },
    /// Of them, with no link of the unit, or a unit near it, in a year.
    ColdPatients { cold: u32, usual: f64, window_secs: u64 },
}

/// An explanation that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Name of the template, such as `stay_in_unit`.
    pub template: &'static str,
    pub outcome: TriedOutcome,
    /// Of how many visits.
    pub visits: u32,
}

/// What became of an explanation that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TriedOutcome {
    NotFound,
    /// Found, but made by the reader.
    MadeByReader,
    /// The feed that would settle it is missing for this unit.
    CannotJudge {
        unit: Option<UnitId>,
    },
}

/// The innocent reading that fits best, and the record that would confirm it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InnocentStory {
    None,
    CrossCover,
    ConsultTeam,
    RegistryProject,
    NewAssignment,
    SharedWorkstation,
}

/// What the officer does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextStep {
    AskReader,
    AskUnitManager,
    BlockAccount,
    RotateCredential,
    CheckHr,
}
