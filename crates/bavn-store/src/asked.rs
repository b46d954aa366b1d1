//! Asking for names is a look-up too, and must be on record even while another process writes.
//!
//! Whoever asks leaves the look-up, sealed, in a folder of its own; the next commit takes it in.

use crate::error::{Result, StoreError, io};
use crate::files::sync_folder;
use crate::frame::Frame;
use crate::keys::{Chance, KeyRing, STORE_KEY, random, to_hex};
use crate::reader::Store;
use crate::sealed::{Sealed, SealedWriter};
use crate::varint::{Input, put};
use std::path::{Path, PathBuf};

impl Store {
    /// Puts on record, durably, who asks this store for names. Call it before the answer is shown.
    pub fn leave_asked(&self, asked: &Frame, chance: &mut Chance) -> Result<()> {
        let folder = self.folder.join(ASKED);
        std::fs::create_dir_all(&folder).map_err(io(&folder, "made"))?;
        let name: [u8; 16] = random(chance)?;
        let begun = folder.join(format!("{}.new", to_hex(&name)));
        let missing = StoreError::Library { doing: "finding the store's key" };
        let key = self.ring.key(STORE_KEY).ok_or(missing)?;
        let mut file = SealedWriter::create(&begun, SEALED_AS, STORE_KEY, key, chance)?;
        file.block(asked.bytes())?;
        let mut head = Vec::new();
        put(&mut head, asked.look_ups() as u64);
        file.finish(&head)?;
        let done = folder.join(format!("{}.asked", to_hex(&name)));
        std::fs::rename(&begun, &done).map_err(io(&done, "written"))?;
        sync_folder(&folder)
    }
}

/// What has been left since the last commit.
pub(crate) fn left(store: &Path, ring: &KeyRing) -> Result<Vec<(PathBuf, Frame)>> {
    let folder = store.join(ASKED);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io(&folder, "read"))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(io(&folder, "read"))?.path();
        if path.extension().is_none_or(|extension| extension != "asked") {
            continue;
        }
        let file = Sealed::open(&path, SEALED_AS, ring)?;
        let look_ups = Input(file.head()).number();
        let look_ups = look_ups.ok_or_else(|| StoreError::damaged(&path, "its head is cut"))?;
        let bytes = file.block(0)?;
        found.push((path, Frame::from_parts(bytes, look_ups as usize)));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

pub(crate) const ASKED: &str = "asked";
const SEALED_AS: &[u8] = b"bavn asked 1";
