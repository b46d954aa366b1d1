//! Whose records, exactly, and is the log untouched?
//!
//! Look-ups kept encrypted, and an index of who read whom. Reads and writes files; time and
//! randomness are arguments.

mod again;
mod asked;
mod error;
mod files;
mod format;
mod frame;
mod hunt;
mod index;
mod journal;
mod keys;
mod known;
mod manifest;
mod names;
mod proof;
mod reader;
mod row;
mod scope;
mod sealed;
mod segment;
mod silence;
mod state;
mod varint;
mod verify;
mod who;
mod writer;

pub use error::{Result, StoreError};
pub use frame::Frame;
pub use hunt::Trace;
pub use journal::Journal;
pub use keys::{Chance, KEY_BYTES, Kek, export, rotate, to_hex};
pub use manifest::Progress;
pub use proof::{Checkpoint, CheckpointError, Opening, Receipt, Signer, append_batches};
pub use reader::{AsOf, Sizes, Store, Window};
pub use row::{Class, Grade, class};
pub use scope::{
    Attempts, Exposed, OfDay, PatientNumber, Purpose, Reason, Scope, Subject, UnknownPurpose,
};
pub use silence::Silence;
pub use verify::{Depth, Fault, Place, Verified, What, verify};
pub use who::{Reader, Reading, Who};
pub use writer::{OWN_SOURCE, Person, Taken, Writer};
