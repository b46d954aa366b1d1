//! The unit of evidence: one reader, one patient, within twelve hours.

use bavn_model::{
    ClientId, FoundBy, HostId, IdentityId, PatientId, PurposeSet, RoleId, SourceId, Timestamp,
    UnitId, Word,
};
use serde::{Deserialize, Serialize};

/// All reads of one patient by one reader within twelve hours, judged as one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Visit {
    pub identity: IdentityId,
    pub patient: PatientId,
    pub first: Timestamp,
    pub last: Timestamp,
    pub reads: u32,
    pub grade: Grade,
    pub source: Option<SourceId>,
    pub host: Option<HostId>,
    pub client: Option<ClientId>,
    pub found_by: Option<FoundBy>,
    pub purpose: PurposeSet,
    /// Where the reader worked at the time, as far as context says.
    pub unit: Option<UnitId>,
    pub role: Option<RoleId>,
    pub verdict: Verdict,
    pub warmth: Warmth,
    /// How unlikely this visit is among the peers' visits, in nats; 0 when explained.
    pub surprise: f32,
    /// The reader had never opened this record before, as far back as the log goes.
    pub first_ever: bool,
}

/// How much of the record left it (`docs/contracts.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    Listed,
    Opened,
    Taken,
}

/// Whether a record made by somebody else explains the visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// By the named template, made by another person or system (class A).
    Explained {
        #[serde(deserialize_with = "bavn_model::word")]
        template: Word,
    },
    /// Only by something the reader made (class B), which never explains alone.
    MadeByReader {
        #[serde(deserialize_with = "bavn_model::word")]
        template: Word,
    },
    Unexplained,
    /// The feed that would settle it is missing: coverage, not suspicion.
    CannotJudge {
        #[serde(deserialize_with = "bavn_model::word")]
        missing: Word,
    },
}

/// How near the patient is to the reader, from near to far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Warmth {
    /// The reader has had to do with the patient within a year.
    Own,
    /// The reader's unit has.
    Unit,
    /// A unit that often shares patients with the reader's unit has.
    Near,
    /// The patient is being treated somewhere, but nowhere near the reader.
    Elsewhere,
    /// No link of any unit near the reader to the patient in a year.
    Cold,
}
