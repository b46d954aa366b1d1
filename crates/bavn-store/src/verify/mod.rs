//! Is every stored byte as it was written?
//!
//! The chain: a checkpoint (one kept elsewhere, at best) fixes the root of the log; the log is
//! recomputed from its entries; each commit's entry fixes the files that it added, the last one the
//! manifest, which names every file with its digest; every file is read and its digest taken. What
//! differs is then looked into, to say where.

mod fault;
mod files;
mod tree;

pub use fault::{Fault, Place, What};

use crate::error::{Result, StoreError};
use crate::keys::Kek;
use crate::proof::{Checkpoint, CheckpointError};
use crate::reader::Store;
use crate::retention::Gone;
use std::path::{Path, PathBuf};

/// How much is recomputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Every byte against its digest, and the whole log.
    Bytes,
    /// Besides, every look-up's entry of the log, and the index, from the look-ups themselves.
    LookUps,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    pub files: u64,
    /// Bytes read, of files that the store names.
    pub bytes: u64,
    pub look_ups: u64,
    pub commits: u64,
    pub log: Option<Checkpoint>,
    /// The published checkpoint is that of the commit before, as a crash leaves it.
    pub published_late: bool,
    /// Checkpoints from elsewhere with which the log agrees.
    pub agreed: Vec<Checkpoint>,
    /// What is wrong, in the order of the store; at most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more_faults: u64,
    /// Look-ups in segments in which nothing is wrong.
    pub good_look_ups: u64,
    pub good_segments: u64,
    pub segments: u64,
    /// What was retired, by policy or to shred who a patient was.
    pub retired: Vec<Gone>,
    /// Files that are no part of the store.
    pub strangers: Vec<PathBuf>,
}

impl Verified {
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX { self.faults.push(fault) } else { self.more_faults += 1 }
    }
}

/// As [`verify_and_tell`], and tells nobody on the way.
pub fn verify(
    folder: &Path,
    kek: &Kek,
    depth: Depth,
    outside: &[(PathBuf, String)],
) -> Result<Verified> {
    verify_and_tell(folder, kek, depth, outside, &mut |_, _| {})
}

/// Reads a whole store. `outside` are checkpoints that were kept elsewhere, with where they lie. An
/// error means that the store cannot be opened at all, and says why. `told` hears of how many
/// look-ups the files have been read, and of how many there are.
pub fn verify_and_tell(
    folder: &Path,
    kek: &Kek,
    depth: Depth,
    outside: &[(PathBuf, String)],
    told: &mut dyn FnMut(u64, u64),
) -> Result<Verified> {
    let mut tries = 0;
    loop {
        let store = Store::open(folder, kek)?;
        let found = verify_once(&store, depth, outside, told)?;
        tries += 1;
        // A commit meanwhile takes away parts that the next ones have made whole.
        let is_same = Store::open(folder, kek)?.as_of() == store.as_of();
        if found.is_whole() || is_same || tries == TRIES_MAX {
            return Ok(found);
        }
    }
}

fn verify_once(
    store: &Store,
    depth: Depth,
    outside: &[(PathBuf, String)],
    told: &mut dyn FnMut(u64, u64),
) -> Result<Verified> {
    let mut found = Verified {
        look_ups: store.manifest.rows,
        commits: store.manifest.commit,
        segments: store.manifest.segments.len() as u64,
        ..Verified::default()
    };
    tree::check(store, &mut found)?;
    files::check(store, depth, &mut found, told);
    match store.gone() {
        Ok(gone) => found.retired = gone,
        // The list is named among the files.
        Err(error) if error.is_integrity() => {}
        Err(error) => return Err(error),
    }
    for (path, note) in outside {
        let checked = match store.agrees_with(note) {
            Ok(checked) => checked,
            // The log's own files are damaged, which has been said.
            Err(error) if error.is_integrity() => continue,
            Err(error) => return Err(error),
        };
        match checked {
            Ok(checkpoint) => found.agreed.push(checkpoint),
            Err(why) => {
                found.fault(Fault {
                    file: path.clone(),
                    place: Place::Checkpoint,
                    what: why.into(),
                });
            }
        }
    }
    Ok(found)
}

impl From<CheckpointError> for What {
    fn from(why: CheckpointError) -> Self {
        Self::Checkpoint(why)
    }
}

impl From<StoreError> for What {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { what, .. } => Self::Changed(what),
            StoreError::Missing { .. } => Self::Gone,
            StoreError::Unreadable { source, .. } => Self::Unreadable(source.to_string()),
            error => Self::Unreadable(error.to_string()),
        }
    }
}

/// Faults that are told one by one.
pub(crate) const FAULTS_MAX: usize = 100;
/// How often a store that is written meanwhile is read again.
const TRIES_MAX: u32 = 5;
