//! Is the log untouched?
//!
//! An append-only Merkle log of everything that was stored, in forms that other programs know:
//! hashing of RFC 6962 section 2.1, plain files of C2SP tlog-tiles, checkpoints of C2SP
//! tlog-checkpoint as C2SP signed notes under an Ed25519 key, proofs of C2SP tlog-proof. Nothing in
//! it names anybody, so anybody may serve and copy it.

mod entry;
mod hash;
mod ledger;
mod log;
mod note;
mod receipt;
mod tiles;

pub(crate) use entry::{CommitEntry, Entry};
pub(crate) use hash::{Hash, fold, leaf_hash, sha256};
pub(crate) use ledger::Ledger;
pub(crate) use log::Log;
pub use log::append_batches;
pub(crate) use note::{CHECKPOINT, VERIFIER};
pub use note::{Checkpoint, CheckpointError, Signer};
pub use receipt::{Opening, Receipt};
pub(crate) use tiles::{Kind, PROOF, TileName, Tiles, WIDTH, bundle_entries, hashes_of};
