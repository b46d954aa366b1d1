//! What bavn says is wrong, why, and what would explain it.

use crate::{ClientId, HostId, IdentityId, PatientId, SourceId, Timestamp, UnitId, Word};
use serde::{Deserialize, Serialize};

/// Whom a finding names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    pub identity: IdentityId,
    pub host: Option<HostId>,
    pub client: Option<ClientId>,
}

/// One alarm, or one candidate for it: same identity and cause = one finding, updated in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable over updates: digest of cause, entity and first evidence.
    pub uid: u128,
    /// Name of the leading detector, which is also its file, manual page and test folder.
    #[serde(deserialize_with = "crate::word")]
    pub detector: Word,
    /// Every detector that found this unlikely, the strongest first; holds `detector`.
    #[serde(deserialize_with = "crate::words")]
    pub detectors: Vec<Word>,
    pub family: Family,
    pub lane: Lane,
    pub state: FindingState,
    /// Event time at which this line was raised.
    pub raised_at: Timestamp,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// One element an identity, each with evidence of its own.
    pub entities: Vec<Entity>,
    /// Calibrated chance, for one member of staff on one day, of a finding as strong from
    /// innocent work. Comparable over all detectors and lanes.
    pub p_value: f64,
    /// Findings at least this strong that innocent work is expected to cause.
    pub expected_false_per_10k_staff_day: f64,
    /// Inside the budget.
    pub is_alert: bool,
    /// Whether the region's own history was long enough to calibrate on.
    pub calibrated: bool,
    /// Order by harm within the budget; higher is more urgent.
    pub rank: f64,
    /// Distinct patients exposed by the evidence so far; sorted.
    pub patients: Vec<PatientId>,
    /// The strongest first; never empty.
    pub because: Vec<Fact>,
    pub tried: Vec<Tried>,
    pub innocent_story: InnocentStory,
    pub next_step: NextStep,
    pub counterfactual: Option<Counterfactual>,
}

/// Create, update or close, as OCSF's `activity_id` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FindingState {
    Created,
    Updated,
    Closed,
}

/// Detectors whose scores depend on one another are combined inside their family first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    Volume,
    Relation,
    Target,
    Identity,
    Pattern,
}

/// Which share of the alarm budget pays for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lane {
    Live,
    Daily,
    Slow,
    Cohort,
    /// Rules with a measured rate of their own: self, leaver.
    Deterministic,
    /// What a source no longer tells; names nobody and is paid by no budget.
    Coverage,
    /// Drawn by lot, to learn what is missed; a suspicion of nobody.
    Audit,
}

/// One countable fact. Sentences are made of it in one place, in each language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Fact {
    /// Distinct patients in a window, against what the peers open in as long.
    PatientsInWindow { opened: u32, usual: f64, highest_of_peers: u32, window_secs: u64 },
    /// Of them, without any record that explains the access.
    UnexplainedPatients { unexplained: u32, usual: f64, window_secs: u64 },
    /// Of them, treated only by units that have nothing to do with the reader's.
    AwayPatients { away: u32, usual: f64, window_secs: u64 },
    /// Of them, with no link of the unit, or a unit near it, in a year.
    ColdPatients { cold: u32, usual: f64, window_secs: u64 },
    /// Without a reason, and opened by nobody else a day before or after.
    LonePatients { alone: u32, usual: f64, window_secs: u64 },
    /// More unexplained patients than usual over many working days.
    SlowRise { patients: u32, usual: f64, working_days: u32, since: Timestamp },
    /// The least likely of the patients, given what the peers open: one in `one_in`.
    ImprobablePatients { patients: u32, one_in: f64 },
    /// Records of people who stand in this relation to the reader.
    RelatedPatients { relation: Relation, patients: u32, reads: u32 },
    /// Members of a protected or watched list (index into the context's groups).
    ListedPatients { group: u32, opened: u32, of: u32, expected: f64 },
    /// Invented patients, whom no work can lead to.
    Decoys { opened: u32 },
    /// Readers of one patient.
    ReadersOfPatient { readers: u32, without_reason: u32, usual: f64, window_secs: u64 },
    /// Reads after the last period of work ended.
    AfterEnd { days: u32, reads: u32 },
    /// Reads before the first period of work began.
    BeforeStart { days: u32, reads: u32 },
    /// The account had been unused.
    Dormant { days: u32, reads: u32 },
    /// A system account read in a way that it never did before.
    NewTrait { shared: Trait, reads: u32, reads_before: u32 },
    /// Patients opened in the order of their identifiers.
    IdentifierRun { run: u32, of: u32 },
    /// Reads with nearly equal pauses.
    RegularGaps { reads: u32, gap_secs: f64, spread: f64 },
    /// Accounts that opened such patients on one day.
    AccountsWithColdReads { accounts: u32, expected: f64, patients: u32 },
    /// Accounts that crossed the line on one day, where so many are hardly each for himself.
    AccountsOnOneDay { accounts: u32, expected: f64, patients: u32 },
    /// What those accounts share.
    SharedTrait { shared: Trait, accounts: u32, of: u32, expected: f64 },
    /// Searches, and how many of them were followed by opening a record.
    Searches { searches: u32, opened: u32, usual: f64, window_secs: u64 },
    /// Emergency overrides.
    BreakGlass { times: u32, usual: f64, window_secs: u64 },
    /// Nothing came from a source.
    SourceSilent { source: SourceId, hours: f64, usual_per_hour: f64 },
    /// Records that somebody else made, the last of them known so many hours after the look-up,
    /// explain all that the finding rested on.
    ExplainedLater { patients: u32, hours: u32 },
    /// A source said far less or far more than usual for some hours.
    SourceVolume { source: SourceId, records: u32, usual: f64, hours: f64 },
    /// A source's day runs hours late (or early, if negative), while other sources' do not.
    SourceClock { source: SourceId, hours: i32 },
    /// An account read from a place that neither its owner nor his unit had used.
    NewPlace { place: Trait, patients: u32, one_in: f64 },
    /// An account was in use at two places by turns.
    TwoPlaces { times: u32, minutes: u32 },
    /// One visit, drawn from so many of the same function whom nothing explains either.
    DrawnByLot { of: u32 },
}

impl Fact {
    /// Whether nothing would be left of the fact if every look-up it counts had a recorded reason. An
    /// ordinary number of patients says nothing against anybody as it is.
    pub fn is_of_missing_reasons(&self) -> bool {
        match *self {
            Self::UnexplainedPatients { .. }
            | Self::AwayPatients { .. }
            | Self::ColdPatients { .. }
            | Self::SlowRise { .. }
            | Self::ImprobablePatients { .. }
            | Self::ListedPatients { .. } => true,
            Self::RelatedPatients { relation, .. } => relation != Relation::Oneself,
            Self::PatientsInWindow { opened, usual, .. } => {
                f64::from(opened) <= usual * ORDINARY_TIMES
            }
            _ => false,
        }
    }

    /// How many patients one reader opened that the fact counts, where it counts such.
    pub const fn patients_of_one_reader(&self) -> Option<u32> {
        match *self {
            Self::PatientsInWindow { opened: patients, .. }
            | Self::UnexplainedPatients { unexplained: patients, .. }
            | Self::AwayPatients { away: patients, .. }
            | Self::ColdPatients { cold: patients, .. }
            | Self::LonePatients { alone: patients, .. }
            | Self::ListedPatients { opened: patients, .. }
            | Self::RelatedPatients { patients, .. } => Some(patients),
            _ => None,
        }
    }
}

/// Up to so many times what is usual is an ordinary day.
const ORDINARY_TIMES: f64 = 1.5;

/// How a patient is related to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Relation {
    Oneself,
    Kin,
    Household,
    Colleague,
    Neighbour,
    Surname,
}

/// What reads can have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trait {
    Host,
    Client,
    Hour,
    RecordKind,
    Patients,
    Group(u32),
    /// The part of the network that the address lies in.
    Network,
}

/// What would have kept a finding below the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// Of the fact that led `because` when the alarm was raised: this many, or fewer.
    pub at_most: u32,
}

/// An explanation that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Name of the template, such as `stay_in_unit`.
    #[serde(deserialize_with = "crate::word")]
    pub template: Word,
    pub outcome: TriedOutcome,
    /// Of how many visits.
    pub visits: u32,
}

/// What became of an explanation that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InnocentStory {
    None,
    CrossCover,
    ConsultTeam,
    RegistryProject,
    NewAssignment,
    SharedWorkstation,
    /// Care for a relative or colleague that was asked for at work.
    AskedToHelp,
    /// Personnel records lag behind a prolonged contract.
    LateHrRecord,
    /// A job that was changed or moved.
    ChangedJob,
    /// Many called to one patient's bed.
    SharedPatient,
}

/// What the officer does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NextStep {
    AskReader,
    AskUnitManager,
    BlockAccount,
    RotateCredential,
    CheckHr,
    CheckSource,
}
