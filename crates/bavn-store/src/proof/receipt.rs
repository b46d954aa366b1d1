//! Proofs as files, for programs that trust neither the store nor this one.
//!
//! That an entry is in the log: C2SP tlog-proof, whose extra line holds the entry and, where it is
//! opened, the nonce and the canonical bytes that the entry hides. That one checkpoint is a later
//! state of another: the same lines between two checkpoints (the proof's page in the manual).

use super::entry::Entry;
use super::hash::Hash;
use super::ledger::{last_checkpoint, root_of, signer};
use super::note::{Checkpoint, CheckpointError, Signer};
use super::tiles::Tiles;
use crate::error::{Result, StoreError};
use crate::keys::from_hex;
use crate::names::{Dictionary, Of};
use crate::reader::Store;
use crate::row::{Evidence, Row};
use crate::silence::Silent;
use crate::stretches::Stretches;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bavn_model::Timestamp;
use std::fmt::Write as _;

/// Proof of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The file.
    pub text: String,
    /// Whom it names, if it was opened.
    pub patients: Vec<String>,
}

/// Whether a proof shows what the entry hides, which names people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Hidden,
    Shown,
}

impl Store {
    /// The key that signs this store's checkpoints.
    pub fn signer(&self) -> Result<Signer> {
        signer(&self.ring)
    }

    pub(crate) fn tiles(&self) -> Tiles {
        Tiles::new(&self.folder, self.manifest.log.size)
    }

    /// The signed checkpoint of the last commit.
    pub fn last_checkpoint(&self) -> Result<String> {
        Ok(last_checkpoint(&self.signer()?, &self.manifest))
    }

    /// That of the last commit at or before an instant, by the clock of the machine that wrote.
    pub fn checkpoint_at(&self, at: Timestamp) -> Result<Option<String>> {
        let commits = self.manifest.all_commits(&self.folder, &self.ring)?;
        let mut before = commits.iter().rev();
        let Some(found) = before.find(|commit| commit.at <= at.micros()) else { return Ok(None) };
        let root = self.tiles().root(found.size)?;
        Ok(Some(self.signer()?.sign(found.size, &root)))
    }

    /// Whether a checkpoint that was kept elsewhere is of this log, and this log still begins as it
    /// says.
    pub fn agrees_with(
        &self,
        outside: &str,
    ) -> Result<std::result::Result<Checkpoint, CheckpointError>> {
        let checkpoint = match self.signer()?.open(outside) {
            Ok(checkpoint) => checkpoint,
            Err(why) => return Ok(Err(why)),
        };
        let (size, here) = (checkpoint.size, self.manifest.log.size);
        if size > here {
            return Ok(Err(CheckpointError::RolledBack { outside: size, here }));
        }
        let is_it = self.tiles().root(size)? == checkpoint.root;
        Ok(if is_it { Ok(checkpoint) } else { Err(CheckpointError::Forked { size }) })
    }

    /// Place in the log of the look-up with this id.
    pub fn entry_of(&self, id: u128) -> Result<Option<u64>> {
        for segment in &self.manifest.segments {
            let ids = self.segment(segment, true)?.ids()?;
            if let Some(row) = ids.iter().position(|&(_, of_row)| of_row == id) {
                return Ok(Stretches::of(&self.folder, &self.ring, segment)?.at(row as u64));
            }
        }
        Ok(None)
    }

    /// Proof that an entry is in the log of the last commit.
    pub fn prove(&self, index: u64, opening: Opening) -> Result<Receipt> {
        let tiles = self.tiles();
        let mut extra = tiles.entry(index)?;
        let mut patients = Vec::new();
        if opening == Opening::Shown {
            let (opened, named) = self.opened(index, &extra)?;
            extra.extend_from_slice(&opened);
            patients = named;
        }
        let hashes = tiles.inclusion(index, tiles.size())?;
        let mut text = format!("{INCLUSION}\nextra {}\nindex {index}\n", STANDARD.encode(extra));
        put_hashes(&mut text, &hashes);
        text.push('\n');
        text.push_str(&self.last_checkpoint()?);
        Ok(Receipt { text, patients })
    }

    /// What an entry hides: nonce and canonical bytes. A commit hides nothing.
    fn opened(&self, index: u64, entry: &[u8]) -> Result<(Vec<u8>, Vec<String>)> {
        let wrong = || StoreError::damaged(&self.folder.join(super::PROOF), "an entry is no entry");
        match Entry::read(entry).ok_or_else(wrong)? {
            Entry::Commit(_) => Ok((Vec::new(), Vec::new())),
            Entry::Silence(_) => {
                let silences = &self.manifest.silences;
                let silence = silences.iter().find(|silence| silence.entry == index);
                let (source, from, to, ended) =
                    silence.map(|s| (s.source, s.from, s.to, s.ended)).ok_or_else(wrong)?;
                let nonce = silence.and_then(|s| from_hex(&s.nonce)).unwrap_or_default();
                let names = self.dictionary()?;
                let name = names.of(Of::Source).known(source).unwrap_or_default();
                let canonical = Silent { source, from, to, ended }.canonical(name);
                Ok(([nonce, canonical].concat(), Vec::new()))
            }
            Entry::Statement(_) => {
                let mut statements = self.manifest.statements.iter();
                let statement = statements.find(|statement| statement.entry == index);
                Ok((statement.ok_or_else(wrong)?.opened(), Vec::new()))
            }
            Entry::Retired(_) => {
                let mut retired = self.manifest.retired.iter();
                let retirement = retired.find(|retirement| retirement.entry == index);
                let retirement = retirement.ok_or_else(wrong)?;
                let nonce = from_hex(&retirement.nonce).unwrap_or_default();
                let canonical = retirement.canonical(&self.retired_list(retirement)?);
                Ok(([nonce, canonical].concat(), Vec::new()))
            }
            Entry::LookUp(_) => {
                for retirement in &self.manifest.retired {
                    if self.retired_list(retirement)?.place(index).is_some() {
                        let at = retirement.said.at;
                        return Err(StoreError::Retired { entry: index, at });
                    }
                }
                let names = self.dictionary()?;
                let opened = self.look_up_at(index, |row, evidence| {
                    let mut canonical = Vec::new();
                    row.canonical(evidence, row.names(evidence, &names), &mut canonical);
                    ([&evidence.nonce[..], &canonical].concat(), patients(row, &names))
                })?;
                opened.ok_or_else(wrong)
            }
        }
    }

    fn look_up_at<T>(
        &self,
        index: u64,
        found: impl FnOnce(&Row<'_>, &Evidence<'_>) -> T,
    ) -> Result<Option<T>> {
        // Segments stand in the order of the log.
        let segments = &self.manifest.segments;
        let after = segments.partition_point(|segment| segment.first_entry <= index);
        let Some(segment) = after.checked_sub(1).and_then(|at| segments.get(at)) else {
            return Ok(None);
        };
        match Stretches::of(&self.folder, &self.ring, segment)?.place(index) {
            Some(row) => self.segment(segment, true)?.at(row, found),
            None => Ok(None),
        }
    }

    /// Proof that this log, as of `newer`, holds all that it held as of `older`, in the same order.
    pub fn prove_consistency(
        &self,
        older: &str,
        newer: &str,
    ) -> Result<std::result::Result<String, CheckpointError>> {
        let mut sizes = [0; 2];
        for (size, note) in sizes.iter_mut().zip([older, newer]) {
            match self.agrees_with(note)? {
                Ok(checkpoint) => *size = checkpoint.size,
                Err(why) => return Ok(Err(why)),
            }
        }
        let [old, new] = sizes;
        if old > new {
            return Ok(Err(CheckpointError::RolledBack { outside: old, here: new }));
        }
        let mut text = format!("{CONSISTENCY}\n");
        put_hashes(&mut text, &self.tiles().consistency(old, new)?);
        let _never = write!(text, "\n{older}\n{newer}");
        Ok(Ok(text))
    }

    /// The root of the last commit, from the manifest.
    pub(crate) fn root(&self) -> Result<Hash> {
        root_of(&self.folder, &self.signer()?, &self.manifest)
    }
}

fn patients(row: &Row<'_>, names: &Dictionary) -> Vec<String> {
    let all = names.of(Of::Patient);
    row.patients.iter().filter_map(|&id| all.known(id)).map(str::to_owned).collect()
}

fn put_hashes(text: &mut String, hashes: &[Hash]) {
    for hash in hashes {
        text.push_str(&STANDARD.encode(hash));
        text.push('\n');
    }
}

const INCLUSION: &str = "c2sp.org/tlog-proof@v1";
const CONSISTENCY: &str = "bavn/consistency-proof@v1";
