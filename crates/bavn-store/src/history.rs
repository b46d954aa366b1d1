//! The commits of which files have been replaced since.
//!
//! The log says of each commit which files it added. Once such files have been made into others, what it
//! said is all that is left of them, and it is kept here, in files that are merged as they grow.

use crate::error::{Result, StoreError};
use crate::keys::KeyRing;
use crate::manifest::{Manifest, Named};
use crate::proof::Hash;
use crate::sealed::{Sealed, SealedWriter};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A file of commits, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    pub(crate) commits: u64,
    pub(crate) file: Named,
}

/// A commit as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PastCommit {
    /// Microseconds since the epoch, by the clock of the machine that wrote.
    pub(crate) at: i64,
    /// Entries of the log after it.
    pub(crate) size: u64,
    /// As in [`crate::proof::CommitEntry`].
    pub(crate) added: Hash,
}

impl Manifest {
    /// All commits, in order.
    pub(crate) fn all_commits(&self, store: &Path, ring: &KeyRing) -> Result<Vec<PastCommit>> {
        let mut all = Vec::new();
        for part in &self.history {
            all.extend(part.read(store, ring)?);
        }
        all.extend(self.late_commits());
        Ok(all)
    }

    /// Those that are in no file yet: what they added is still there.
    pub(crate) fn late_commits(&self) -> Vec<PastCommit> {
        let added = self.added_digests();
        let before: u64 = self.history.iter().map(|part| part.commits).sum();
        let commits = (before + 1..).zip(&self.commits);
        commits
            .map(|(number, commit)| PastCommit {
                at: commit.at,
                size: commit.size,
                added: added.of(number),
            })
            .collect()
    }
}

impl History {
    pub(crate) fn read(&self, store: &Path, ring: &KeyRing) -> Result<Vec<PastCommit>> {
        let path = store.join(&self.file.name);
        let file = Sealed::open(&path, HISTORY, ring)?;
        let cut = || StoreError::damaged(&path, "it does not hold as many commits as it did");
        let mut commits = Vec::new();
        for number in 0..file.blocks() {
            let block = file.block(number)?;
            let (parts, rest) = block.as_chunks::<COMMIT_BYTES>();
            if !rest.is_empty() {
                return Err(cut());
            }
            commits.extend(parts.iter().filter_map(PastCommit::read));
        }
        if commits.len() as u64 == self.commits { Ok(commits) } else { Err(cut()) }
    }
}

impl PastCommit {
    fn read(bytes: &[u8; COMMIT_BYTES]) -> Option<Self> {
        let mut input = crate::varint::Input(bytes);
        Some(Self {
            at: i64::from_le_bytes(input.array()?),
            size: u64::from_le_bytes(input.array()?),
            added: input.array()?,
        })
    }
}

pub(crate) fn write(mut file: SealedWriter, commits: &[PastCommit]) -> Result<()> {
    for part in commits.chunks(COMMITS_A_BLOCK) {
        let mut block = Vec::with_capacity(part.len() * COMMIT_BYTES);
        for commit in part {
            block.extend_from_slice(&commit.at.to_le_bytes());
            block.extend_from_slice(&commit.size.to_le_bytes());
            block.extend_from_slice(&commit.added);
        }
        file.block(&block)?;
    }
    file.finish(&[])
}

/// What such a file is sealed as.
pub(crate) const HISTORY: &[u8] = b"bavn commits 1";
const COMMIT_BYTES: usize = 8 + 8 + 32;
const COMMITS_A_BLOCK: usize = 4_096;
