//! Is this folder a store, and of which format?

use crate::error::{Result, StoreError, io};
use crate::files;
use crate::keys::RING;
use crate::manifest::{FOLDERS, MANIFEST};
use crate::proof::PROOF;
use std::path::Path;

/// Makes the folders. True if this is a new store.
pub(crate) fn make_folders(store: &Path) -> Result<bool> {
    let format = store.join(FORMAT_FILE);
    if format.symlink_metadata().is_ok() {
        let is_one = store.join(RING).exists() && store.join(MANIFEST).exists();
        check_format(store).map_err(|error| match error {
            StoreError::NotAStore { .. } if is_one => {
                StoreError::damaged(&format, "it does not say that this is a store")
            }
            error => error,
        })?;
        return Ok(false);
    }
    if let Ok(mut entries) = std::fs::read_dir(store)
        && entries.any(|entry| entry.is_ok_and(|entry| !is_begun(&entry.file_name())))
    {
        return Err(StoreError::NotAStore { path: store.to_owned() });
    }
    let segments = store.join("segments");
    if std::fs::read_dir(&segments).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(StoreError::Missing { path: store.join(FORMAT_FILE) });
    }
    for folder in FOLDERS.into_iter().chain(["keys"]) {
        let path = store.join(folder);
        std::fs::create_dir_all(&path).map_err(io(&path, "made"))?;
    }
    Ok(true)
}

/// What a store that was killed while being made may hold: it holds no look-up yet.
fn is_begun(name: &std::ffi::OsStr) -> bool {
    let begun = ["keys", "lock", "manifest", "manifest.new", "FORMAT.new", "asked", PROOF];
    FOLDERS.into_iter().chain(begun).any(|known| name == known)
}

/// The format of the store that the folder holds, if this release reads it.
pub(crate) fn check_format(store: &Path) -> Result<u32> {
    let path = store.join(FORMAT_FILE);
    let not_a_store = || StoreError::NotAStore { path: store.to_owned() };
    let text = std::fs::read_to_string(&path).map_err(|_| not_a_store())?;
    let number = text.strip_prefix("bavn store ").and_then(|rest| rest.trim_end().parse().ok());
    match number {
        Some(found) if found > FORMAT => {
            Err(StoreError::NewerFormat { path: store.to_owned(), found, known: FORMAT })
        }
        Some(found) if found > 0 && text == format_line(found) => Ok(found),
        _ => Err(not_a_store()),
    }
}

/// Says that the store is of today's format before anything of that is written.
pub(crate) fn upgrade(store: &Path) -> Result<()> {
    if check_format(store)? < FORMAT {
        files::replace(&store.join(FORMAT_FILE), format_line(FORMAT).as_bytes())?;
    }
    Ok(())
}

pub(crate) fn format_line(format: u32) -> String {
    format!("bavn store {format}\n")
}

pub(crate) const FORMAT_FILE: &str = "FORMAT";
/// 2: segments made of others, and what is past its time. 3: pages found by time, lists of the index
/// that say how long they are. 4: the index tells each look-up of a reader (all 2026-11). Reads those
/// before too.
pub(crate) const FORMAT: u32 = 4;
