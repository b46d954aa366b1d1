//! Who looks into it, by when, and what did they decide?
//!
//! An alarm that nobody owns is a liability. Alarms are folded into cases; a case has an owner, a
//! clock and an escalation that fires by itself. Everything that happens to a case is an [`Act`] in
//! a list that only grows, and a [`Book`] is the fold over that list: undo and audit need nothing
//! more. Time is an argument.

mod act;
mod alarm;
mod book;
mod breach;
mod digest;
mod duty;
mod expire;
mod fold;
mod refused;
mod rules;
mod tell;
mod weigh;

pub use act::{
    Act, CaseNumber, Deed, InnocentCause, NOTE_BYTES_MAX, SYSTEM, Side, Verdict, Waiver,
};
pub use alarm::{Alarm, Hand, Said, Shared, mark};
pub use book::{Book, Case, Note, State, Task};
pub use breach::{Answer, BreachFile, Declaration, ENDED, ListWanted, Prepared};
pub use digest::{Digest, Line, Work};
pub use duty::{Desk, Duty, DutyError, Hours, Person, Zone};
pub use rules::Refusal;
pub(crate) use rules::is_day_until;
pub use tell::{deed_in_words, json_of};
pub use weigh::{Alike, Ground};
