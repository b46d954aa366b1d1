//! What can happen in a house beside its cases.

use super::run::Run;
use crate::cases::CaseNumber;
use bavn_model::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that somebody, or the program, did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HouseAct {
    pub at: Timestamp,
    /// A user, or [`crate::cases::SYSTEM`].
    pub by: String,
    /// As what the person acted; empty for the program.
    pub role: String,
    pub deed: HouseDeed,
}

/// The deeds. Saved as JSON: a variant may be added, and none changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HouseDeed {
    /// One person wants it.
    Proposed { change: Change, reason: String },
    /// Another one agrees: from now on it is in force.
    Confirmed { proposal: usize },
    /// Either of them, or a third, is against it.
    Declined { proposal: usize },
    /// A run of the watch ended.
    Ran(Box<Run>),
    /// The whole store was read again.
    Verified { look_ups: u64, entries: u64, faults: u64, every_look_up: bool },
    /// The employees' side no longer agrees.
    Withdrawn { reason: String },
    /// A service began to work on this store: nobody is named until the employees' side agrees.
    Served,
    /// What a person says of a look-up that was drawn by lot.
    Ruled { drawn: String, ruling: Ruling, reason: String },
}

/// What needs two persons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// False alarms that people can live with, per 10,000 staff a day.
    Budget { per_10k_staff_day: f64 },
    /// A detector is not heard until then.
    Muted { detector: String, until: Timestamp },
    /// For how long look-ups are to be kept.
    Retention { days: u32 },
    /// The employees' side has agreed, on this day (`2026-11-27`).
    SignOff { date: String },
    /// The patients of a case are named to whoever asked, until then.
    Reveal { case: CaseNumber, until: Timestamp },
}

impl Change {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Budget { .. } => "budget",
            Self::Muted { .. } => "mute",
            Self::Retention { .. } => "retention",
            Self::SignOff { .. } => "sign-off",
            Self::Reveal { .. } => "reveal",
        }
    }
}

/// What an ordinary look-up turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    InOrder,
    /// Nobody could say why.
    NoReason,
}

impl Ruling {
    pub const ALL: [Self; 2] = [Self::InOrder, Self::NoReason];

    pub const fn word(self) -> &'static str {
        match self {
            Self::InOrder => "in-order",
            Self::NoReason => "no-reason",
        }
    }
}
