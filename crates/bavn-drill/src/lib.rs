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
mod hospital;
mod life;
mod people;
mod region;
mod score;
mod services;
mod truth;
mod work;
mod write;

pub use attacks::ATTACKS;
pub use region::{Settings, SettingsError, generate};
pub use score::{AttackScore, Curve, Score, ScoreError, score};
pub use truth::{Read, Truth, TruthEntry};
pub use write::{Memory, Sink};
