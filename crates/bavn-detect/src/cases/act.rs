//! What can happen to a case. The list of acts is what is kept; everything else follows from it.

use super::alarm::Alarm;
use bavn_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Of a case, counted from 1 and never given twice.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct CaseNumber(pub u32);

impl std::fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// `17`, or `C-17`.
impl std::str::FromStr for CaseNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim_start_matches("C-").parse().map(Self)
    }
}

/// One thing that somebody, or the program, did to a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// By the clock of whoever acted; for an escalation, when it fell due.
    pub at: Timestamp,
    /// A user, or [`SYSTEM`].
    pub by: String,
    pub case: CaseNumber,
    pub deed: Deed,
}

/// The deeds. Saved as JSON: a variant may be added, and none changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// An alarm began the case or joined it, or one of its alarms grew.
    Raised(Box<Alarm>),
    /// The owner, whom the duty list or a person chose.
    Assigned {
        to: String,
    },
    /// Nobody acted in time.
    Escalated {
        level: u8,
        to: String,
    },
    /// Somebody opened the case, for the first time.
    Read,
    Decided {
        verdict: Verdict,
        reason: String,
    },
    /// Closed by an explanation that another act of this number wrote down.
    Covered {
        by_act: usize,
    },
    /// One innocent cause of several cases, signed, for a unit or project and for a time.
    Explained(Waiver),
    Noted {
        text: String,
    },
    /// Something to be done.
    Planned {
        task: String,
    },
    /// The task of this number, counted from 1, is done.
    Done {
        task: usize,
    },
    /// A file or answer that was kept elsewhere, by its SHA-256.
    Filed {
        what: String,
        sha256: String,
    },
    /// What speaks for a stolen account or misuse, or against it, beside what the alarms say.
    Weighed {
        side: Side,
        text: String,
    },
    /// All of this case goes on in another.
    Merged {
        into: CaseNumber,
    },
    /// These alarms go on in a case of their own.
    Split {
        alarms: BTreeSet<String>,
        into: CaseNumber,
    },
    /// An event that a clock of the law counts from, and since when it holds.
    Declared {
        event: String,
        since: Timestamp,
        why: String,
    },
    /// What a person says of the breach where no record does.
    Answered {
        question: String,
        text: String,
        /// `en` or `nb`; none: it was not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// A notice made ready, and the record that it was made from, as JSON and by its SHA-256.
    Prepared {
        regime: String,
        phase: String,
        record: String,
        sha256: String,
    },
    /// A second person has read the notice of this act, and sends it.
    Signed {
        act: usize,
    },
    /// An officer holds that nobody else used the account, so that its owner may be asked.
    RuledOut {
        why: String,
    },
    /// A message to a reader was written, by its SHA-256.
    Asked {
        reader: String,
        sha256: String,
    },
    Replied {
        reader: String,
        text: String,
    },
    /// Somebody wants the list of those to be told.
    ListWanted {
        why: String,
    },
    /// A second person lets that list go, sealed: by the SHA-256 of the sealed file.
    ListReleased {
        act: usize,
        sha256: String,
    },
    /// The employees' side agrees to the assessment of this SHA-256. Of no case.
    SignedOff {
        by: String,
        on: String,
        sha256: String,
    },
    /// That agreement no longer holds. Of no case.
    SignOffWithdrawn {
        why: String,
    },
    /// The act of this number never counted.
    Undone {
        act: usize,
    },
    /// What the act was is past its time, and was taken out of the list.
    Expired,
}

/// How a case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Somebody read what was not theirs to read.
    Snooping,
    /// An account or a machine in the hands of somebody else.
    Compromise,
    /// Care, or other work with a ground.
    Harmless,
    /// Not an alarm at all: a fault of data or program.
    Fault,
    /// Opened once more.
    Reopened,
}

impl Verdict {
    pub const ALL: [Self; 5] =
        [Self::Snooping, Self::Compromise, Self::Harmless, Self::Fault, Self::Reopened];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Snooping => "snooping",
            Self::Compromise => "compromise",
            Self::Harmless => "harmless",
            Self::Fault => "fault",
            Self::Reopened => "reopened",
        }
    }

    /// Whether patients were wronged, which starts the clocks of the law.
    pub const fn is_breach(self) -> bool {
        matches!(self, Self::Snooping | Self::Compromise)
    }
}

/// Which way something points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    For,
    Against,
}

/// Why a unit's alarms are innocent. There is no such thing for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Unit or project, as the context names it.
    pub unit: String,
    /// Detectors that it speaks for.
    pub detectors: BTreeSet<String>,
    pub cause: InnocentCause,
    pub reason: String,
    pub from: Timestamp,
    pub until: Timestamp,
    /// The cases that it closed when it was signed.
    pub closes: BTreeSet<CaseNumber>,
}

/// What kind of innocent work a unit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InnocentCause {
    WardMoved,
    CrossCover,
    ConsultTeam,
    RegistryProject,
    MissingFeed,
}

impl InnocentCause {
    pub const ALL: [Self; 5] = [
        Self::WardMoved,
        Self::CrossCover,
        Self::ConsultTeam,
        Self::RegistryProject,
        Self::MissingFeed,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::WardMoved => "ward-moved",
            Self::CrossCover => "cross-cover",
            Self::ConsultTeam => "consult-team",
            Self::RegistryProject => "registry-project",
            Self::MissingFeed => "missing-feed",
        }
    }
}

/// Who acts when nobody does.
pub const SYSTEM: &str = "bavn";
/// Of a note or reason.
pub const NOTE_BYTES_MAX: usize = 8_192;
