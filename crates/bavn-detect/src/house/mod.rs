//! What is in force, who wanted it so, and what was checked?
//!
//! Beside the cases a house keeps a second list of acts: settings that one person proposes and
//! another confirms, what a run of the watch came to, when the log was last verified, what was said
//! of look-ups that were drawn by lot. As with cases, everything follows from the list, which only
//! grows. Time is an argument.

mod act;
mod agreement;
mod fold;
mod refused;
mod run;

pub use act::{Change, HouseAct, HouseDeed, Ruling};
pub use agreement::{Agreement, agreement};
pub use fold::{House, HouseRefusal, InForce, Open, SignedOff};
pub use run::{Drawn, LaneCount, Run, SourceCount, UnitWeek};
