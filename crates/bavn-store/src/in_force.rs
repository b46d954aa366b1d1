//! What is the last commit that is in force?
//!
//! Read when a store is opened for writing, and again after anything has failed: what was being
//! written is swept away, so that what a process holds and what lies on the disk agree.

use crate::error::Result;
use crate::files::sync_folder;
use crate::keys::{Kek, KeyRing, RING};
use crate::manifest::Manifest;
use crate::names::{Dictionary, Of};
use crate::proof::Ledger;
use std::path::Path;

/// What a writer holds of the commit in force.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) ring: KeyRing,
    pub(crate) manifest: Manifest,
    pub(crate) ledger: Ledger,
    pub(crate) dictionary: Dictionary,
}

impl InForce {
    /// Reads it, and removes what no commit names. The store must be held for writing.
    pub(crate) fn read(store: &Path, kek: &Kek) -> Result<Self> {
        let ring = KeyRing::open(&store.join(RING), kek)?;
        // A rename that was not made durable could still be undone by a crash, and its checkpoint
        // must not be seen before.
        sync_folder(store)?;
        let (manifest, _) = Manifest::read(store, &ring)?;
        manifest.sweep(store)?;
        let ledger = Ledger::open(store, &ring, &manifest)?;
        let mut dictionary = Dictionary::default();
        for file in &manifest.dictionaries {
            dictionary.read(&store.join(&file.name), &ring, &Of::ALL)?;
        }
        Ok(Self { ring, manifest, ledger, dictionary })
    }
}
