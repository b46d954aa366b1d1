//! Asking for names is a look-up too, and must be on record even while another process writes.
//!
//! Whoever asks leaves the look-up, sealed, in a folder of its own; the next commit takes it in. So
//! does whoever has something to say of a source.

use crate::error::{Result, StoreError, io};
use crate::files::sync_folder;
use crate::frame::Frame;
use crate::keys::{Chance, KeyRing, STORE_KEY, random, to_hex};
use crate::reader::Store;
use crate::said::Said;
use crate::sealed::{Sealed, SealedWriter};
use crate::varint::{Input, put};
use std::path::{Path, PathBuf};

impl Store {
    /// Puts on record, durably, who asks this store for names. Call it before the answer is shown.
    pub fn leave_asked(&self, asked: &Frame, chance: &mut Chance) -> Result<()> {
        let mut head = Vec::new();
        put(&mut head, asked.look_ups() as u64);
        self.leave(SEALED_AS, "asked", asked.bytes(), &head, chance)
    }

    /// Leaves a statement for the log.
    pub fn leave_said(&self, said: &Said, chance: &mut Chance) -> Result<()> {
        let failed = |_| StoreError::Library { doing: "writing a statement" };
        let text = serde_json::to_vec(said).map_err(failed)?;
        self.leave(SAID_SEALED_AS, "said", &text, &[], chance)
    }

    fn leave(
        &self,
        what: &'static [u8],
        ending: &str,
        bytes: &[u8],
        head: &[u8],
        chance: &mut Chance,
    ) -> Result<()> {
        let folder = self.folder.join(ASKED);
        std::fs::create_dir_all(&folder).map_err(io(&folder, "made"))?;
        let name: [u8; 16] = random(chance)?;
        let begun = folder.join(format!("{}.new", to_hex(&name)));
        let missing = StoreError::Library { doing: "finding the store's key" };
        let key = self.ring.key(STORE_KEY).ok_or(missing)?;
        let mut file = SealedWriter::create(&begun, what, STORE_KEY, key, chance)?;
        file.block(bytes)?;
        file.finish(head)?;
        let done = folder.join(format!("{}.{ending}", to_hex(&name)));
        std::fs::rename(&begun, &done).map_err(io(&done, "written"))?;
        sync_folder(&folder)
    }
}

/// What has been left since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) asked: Vec<(PathBuf, Frame)>,
    pub(crate) said: Vec<(PathBuf, Said)>,
}

impl Left {
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.asked.iter().map(|(path, _)| path).chain(self.said.iter().map(|(path, _)| path))
    }
}

pub(crate) fn left(store: &Path, ring: &KeyRing) -> Result<Left> {
    let folder = store.join(ASKED);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Left::default()),
        entries => entries.map_err(io(&folder, "read"))?,
    };
    let mut left = Left::default();
    for entry in entries {
        let path = entry.map_err(io(&folder, "read"))?.path();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("asked") => {
                let file = match Sealed::open(&path, SEALED_AS, ring) {
                    // A commit has just taken it in.
                    Err(StoreError::Missing { .. }) => continue,
                    file => file?,
                };
                let look_ups = Input(file.head()).number();
                let look_ups =
                    look_ups.ok_or_else(|| StoreError::damaged(&path, "its head is cut"))?;
                let bytes = file.block(0)?;
                left.asked.push((path, Frame::from_parts(bytes, look_ups as usize)));
            }
            Some("said") => {
                let text = Sealed::open(&path, SAID_SEALED_AS, ring)?.block(0)?;
                let wrong = |_| StoreError::damaged(&path, "it is no statement");
                let said = serde_json::from_slice(&text).map_err(wrong)?;
                left.said.push((path, said));
            }
            _ => {}
        }
    }
    left.asked.sort_by(|a, b| a.0.cmp(&b.0));
    left.said.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(left)
}

pub(crate) const ASKED: &str = "asked";
pub(crate) const SEALED_AS: &[u8] = b"bavn asked 1";
pub(crate) const SAID_SEALED_AS: &[u8] = b"bavn said 1";
