//! What is wrong, and where.

use crate::proof::CheckpointError;
use std::fmt;
use std::path::PathBuf;

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Below the store's folder; of a checkpoint from elsewhere, as it was given.
    pub file: PathBuf,
    pub place: Place,
    pub what: What,
}

/// Where in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// A column of a segment: row groups are counted from 0, bytes from the start of the file.
    Column { row_group: usize, column: String, from: u64, to: u64 },
    /// A row of a segment, counted from 0, and its entry in the log.
    Row { row: u64, entry: u64 },
    /// A sealed block.
    Block { number: usize, from: u64, to: u64 },
    /// An entry of the log, or its hash.
    Entry { index: u64 },
    /// A hash of a tile above the lowest.
    Hash { level: u8, index: u64 },
    /// What a checkpoint says.
    Checkpoint,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Gone,
    Changed(&'static str),
    Unreadable(String),
    Checkpoint(CheckpointError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.file.display())?;
        match &self.place {
            Place::Whole | Place::Checkpoint => {}
            Place::Column { row_group, column, from, to } => {
                write!(f, ", row group {row_group}, column `{column}`, bytes {from} to {to}")?;
            }
            Place::Row { row, entry } => write!(f, ", row {row} (entry {entry} of the log)")?,
            Place::Block { number, from, to } => {
                write!(f, ", block {number}, bytes {from} to {to}")?;
            }
            Place::Entry { index } => write!(f, ", entry {index} of the log")?,
            Place::Hash { level, index } => write!(f, ", hash {index} of level {level}")?,
        }
        match &self.what {
            What::Gone => f.write_str(": it is missing"),
            What::Changed(what) => write!(f, ": {what}"),
            What::Unreadable(why) => write!(f, ": it cannot be read: {why}"),
            What::Checkpoint(why) => write!(f, ": {why}"),
        }
    }
}
