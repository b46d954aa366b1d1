//! The log as part of a commit: what a commit adds, and the checkpoint it leaves.

use super::entry::{CommitEntry, Entry};
use super::hash::{fold, sha256};
use super::log::Log;
use super::note::{CHECKPOINT, Signer, VERIFIER};
use super::tiles::PROOF;
use crate::error::{Result, StoreError, io};
use crate::files;
use crate::keys::{Chance, KeyRing, LOG_KEY, random, to_hex};
use crate::manifest::{Committed, Logged, LoggedSilence, Manifest};
use crate::names::{Dictionary, Of};
use crate::reader::Window;
use crate::row::NONCE_BYTES;
use std::path::{Path, PathBuf};

/// The log of a store that is held for writing.
#[derive(Debug)]
pub(crate) struct Ledger {
    store: PathBuf,
    signer: Signer,
    log: Log,
}

impl Ledger {
    /// Opens the log as the manifest names it, and publishes its checkpoint if a crash came between
    /// the commit and that.
    pub(crate) fn open(store: &Path, ring: &KeyRing, manifest: &Manifest) -> Result<Self> {
        let folder = store.join(PROOF);
        std::fs::create_dir_all(&folder).map_err(io(&folder, "made"))?;
        let signer = signer(ring)?;
        let root = root_of(store, &signer, manifest)?;
        let log = Log::open(store, manifest.log.size, &root)?;
        let ledger = Self { store: store.to_owned(), signer, log };
        ledger.publish(manifest)?;
        Ok(ledger)
    }

    pub(crate) fn origin(&self) -> &str {
        self.signer.origin()
    }

    /// A copy to add to: it takes the place of this one when the commit is in force.
    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }

    /// Ends a commit's part of the log: new silences of sources, the commit's own entry, and the
    /// checkpoint, which goes into the manifest.
    pub(crate) fn close(
        &self,
        log: &mut Log,
        manifest: &mut Manifest,
        dictionary: &Dictionary,
        chance: &mut Chance,
    ) -> Result<()> {
        let known: Vec<_> = manifest.silences.iter().map(|s| (s.source, s.from, s.ended)).collect();
        let silences = manifest.silences_in(Window::ALL).into_iter();
        let new = silences.filter(|s| !known.contains(&(s.source, s.from, s.ended)));
        for silent in new.take(SILENCES_A_COMMIT_MAX) {
            let nonce: [u8; NONCE_BYTES] = random(chance)?;
            let source = dictionary.of(Of::Source).known(silent.source).unwrap_or_default();
            let hidden = sha256(&[&nonce, &silent.canonical(source)]);
            manifest.silences.push(LoggedSilence {
                source: silent.source,
                from: silent.from,
                to: silent.to,
                ended: silent.ended,
                nonce: to_hex(&nonce),
                entry: log.size(),
            });
            log.append(&Entry::Silence(hidden).bytes())?;
        }
        manifest.commits.push(Committed { at: manifest.committed_at, size: log.size() + 1 });
        let entry = Entry::Commit(CommitEntry {
            commit: manifest.commit,
            at: manifest.committed_at,
            rows: manifest.rows,
            manifest: manifest.digest()?,
            added: manifest.added_digests().of(manifest.commit),
        });
        log.append(&entry.bytes())?;
        log.write_edge()?;
        let checkpoint = self.signer.sign(log.size(), &log.root());
        let before = last_checkpoint(&self.signer, manifest);
        manifest.log = Logged { size: log.size(), checkpoint, before };
        Ok(())
    }

    /// The commit is in force: its checkpoint may be seen by everybody.
    pub(crate) fn in_force(&mut self, log: Log, manifest: &Manifest) -> Result<()> {
        self.log = log;
        // Both, whatever becomes of either: the commit is in force already.
        let cleared = self.log.committed();
        self.publish(manifest)?;
        cleared
    }

    /// Never before the commit is in force: what has been seen must not be taken back.
    fn publish(&self, manifest: &Manifest) -> Result<()> {
        let verifier = format!("{}\n", self.signer.verifier());
        let checkpoint = last_checkpoint(&self.signer, manifest);
        for (name, text) in [(VERIFIER, &verifier), (CHECKPOINT, &checkpoint)] {
            let path = self.store.join(name);
            if std::fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
                continue;
            }
            files::replace(&path, text.as_bytes())?;
        }
        Ok(())
    }
}

/// The key that signs the checkpoints of a store.
pub(crate) fn signer(ring: &KeyRing) -> Result<Signer> {
    let missing = StoreError::Library { doing: "finding the key of the log" };
    Signer::new(ring.controller(), ring.key(LOG_KEY).ok_or(missing)?)
}

/// The checkpoint of the last commit; of an empty log before the first.
pub(crate) fn last_checkpoint(signer: &Signer, manifest: &Manifest) -> String {
    match manifest.log.size {
        0 => signer.sign(0, &fold(&[])),
        _ => manifest.log.checkpoint.clone(),
    }
}

/// The root that the manifest's checkpoint names.
pub(crate) fn root_of(store: &Path, signer: &Signer, manifest: &Manifest) -> Result<super::Hash> {
    if manifest.log.size == 0 {
        return Ok(fold(&[]));
    }
    let path = store.join(crate::manifest::MANIFEST);
    let wrong = |_| StoreError::damaged(&path, "its checkpoint is not signed by the log's key");
    Ok(signer.open(&manifest.log.checkpoint).map_err(wrong)?.root)
}

/// What is left comes with the next commit.
const SILENCES_A_COMMIT_MAX: usize = 1_000;
