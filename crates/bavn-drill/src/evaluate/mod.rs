//! Would we have seen it, in regions nobody has tuned to?
//!
//! Many regions of many shapes, each watched by the real thing; the bar, and how sure each figure
//! is.

mod ablations;
mod bar;
mod curves;
mod lots;
mod outcome;
mod places;
mod rows;
mod statistics;
mod tables;

pub use ablations::{Ablation, ablation_csv, ablation_table};
pub use bar::bar;
pub use curves::{lost_against_time, recall_against_budget};
pub use lots::{EvaluationPlan, LARGE_STAFF, Lot, RegionPlan};
pub use outcome::{FalseAlarm, RegionOutcome, Spray, Thief, Watched};
pub use rows::{Met, Row};
pub use tables::{csv, markdown};
