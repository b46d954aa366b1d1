//! Here is what happened; is it wrong?
//!
//! Accesses come in event-time order and leave as findings with reasons. No clock, no file, no
//! random number: the same accesses give the same findings, and a prefix gives a prefix.

mod engine;
mod visit;

pub use engine::{Engine, Settings};
pub use visit::{Grade, Verdict, Visit, Warmth};
