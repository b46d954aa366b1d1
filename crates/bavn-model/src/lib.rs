//! What is an access to a health record, and what could explain it?
//!
//! The types every other crate speaks. No IO, no formats, no clock: see `ARCHITECTURE.md`.

mod access;
mod context;
mod directory;
mod finding;
mod names;
mod record;
mod time;
mod word;

pub use access::{Access, Network, PatientSet, PurposeSet};
pub use context::{
    Assignment, Context, ContextBuilder, Group, Kin, Patient, Role, Staff, Tie, TieKind, Unit,
};
pub use directory::{Directory, DirectoryMark, LaterNames, PersonNames, number_in};
pub use finding::{
    Counterfactual, Entity, Fact, Family, Finding, FindingState, InnocentStory, Lane, NextStep,
    Relation, Trait, Tried, TriedOutcome,
};
pub use names::{
    ClientId, EventId, HostId, IdentityId, Interner, PatientId, ResourceId, RoleId, SessionId,
    SourceId, UnitId,
};
pub use record::{
    Action, Flag, Flags, FoundBy, Kind, Origin, Outcome, PatientName, Record, Reject, RejectReason,
};
pub use time::{ParseTimeError, Timestamp, Zone};
pub use word::{Word, word, words};
