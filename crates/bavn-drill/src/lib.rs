//! Would we have seen it?
//!
//! A simulated region with ordinary hospital life and thieves in it, all from one seed, written as
//! real servers export it; and the score of what was alarmed against what was stolen. Shares no
//! constant with the detectors.

#![expect(
    clippy::indexing_slicing,
    reason = "every index here was drawn from the length of the table that it indexes, never from input"
)]

mod attacks;
mod chance;
pub mod evaluate;
mod hospital;
mod key;
mod life;
mod people;
mod region;
mod score;
mod services;
mod shape;
mod truth;
mod work;
mod write;

pub use attacks::{ATTACK_OPTIONS, ATTACKS, AttackPlan, PlanError, attack_in_words};
pub use region::{Files, Settings, SettingsError, generate, generate_files};
pub use score::{Alarm, AttackScore, Curve, Score, ScoreError, bare, score};
pub use shape::{Identifiers, Missing, Shape};
pub use truth::{Read, Truth, TruthEntry};
pub use write::{LAST_LOG, Memory, Sink};
