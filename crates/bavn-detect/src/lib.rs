//! Here is what happened; is it wrong?
//!
//! Accesses come in event-time order and leave as findings with reasons. No clock, no file, no
//! random number: the same accesses give the same findings, and a prefix gives a prefix.

mod calibrate;
pub mod cases;
mod clientele;
mod company;
mod detectors;
mod dossier;
mod engine;
mod explain;
mod flow;
mod homes;
pub mod house;
mod later;
mod lists;
mod lots;
mod observed;
mod ocsf;
mod queue;
mod report;
mod solitude;
mod sorted;
mod state;
mod units;
mod usual;
mod visit;
mod visits;
pub mod words;

pub use engine::{Engine, Settings};
pub use explain::{Explanation, Feed, Trial, TrialOutcome};
pub use later::Judgement;
pub use lots::Lot;
pub use observed::{CellReport, DetectorReport, LevelReport};
pub use ocsf::{OcsfOptions, ocsf_line, risk_score};
pub use report::{LaneReport, Report, RoleReport};
pub use state::{ContextDigest, StateError, Traces};
pub use visit::{Grade, Verdict, Visit, Warmth};
