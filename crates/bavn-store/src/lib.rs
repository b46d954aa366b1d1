//! Whose records, exactly, and is the log untouched?
//!
//! Look-ups kept encrypted, and an index of who read whom. Reads and writes files; time and
//! randomness are arguments.

mod again;
mod asked;
mod canary;
mod content;
mod counted;
mod coverage;
mod error;
mod everything;
mod explained;
mod files;
mod forecast;
mod format;
mod frame;
mod heard;
mod history;
mod hunt;
mod in_force;
mod index;
mod journal;
mod keys;
mod known;
mod letter_box;
mod manifest;
mod names;
mod promise;
mod proof;
mod reader;
mod retention;
mod row;
mod said;
mod scope;
mod sealed;
mod segment;
mod silence;
mod state;
mod step;
mod stretches;
mod varint;
mod verdict;
mod verify;
mod who;
mod writer;

pub use canary::{PlannedRead, Probed, loss_below};
pub use content::{Contents, Heard};
pub use coverage::{Coverage, Gap, OfSource};
pub use error::{Result, StoreError};
pub use everything::everything;
pub use explained::Explained;
pub use forecast::Forecast;
pub use frame::Frame;
pub use heard::{HeardDay, Own};
pub use hunt::Trace;
pub use journal::{Journal, List};
pub use keys::{Chance, KEY_BYTES, Kek, export, rotate, to_hex};
pub use letter_box::{open_list, seal_list};
pub use manifest::Progress;
pub use proof::{Checkpoint, CheckpointError, Opening, Receipt, Signer, append_batches};
pub use reader::{AsOf, Sizes, Store, Window};
pub use retention::{Gone, Hold, Keep, Order, Original, Policy, Retired};
pub use row::{Class, Grade, class};
pub use said::{Canaries, Said};
pub use scope::{
    Attempts, Exposed, OfDay, PatientNumber, Purpose, Reason, Scope, Subject, UnknownPurpose,
};
pub use silence::Silence;
pub use verdict::{Judged, Reached, Verdict};
pub use verify::{Depth, Fault, Place, Verified, What, verify, verify_and_tell};
pub use who::{Reader, Reading, Who};
pub use writer::{
    Compacted, Expired, OWN_SOURCE, Person, Renamed, Shredded, Taken, Tombstone, Writer,
};
