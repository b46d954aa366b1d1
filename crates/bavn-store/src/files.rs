//! Files that are whole after a crash, and one writer at a time.

use crate::error::{Result, StoreError, io};
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::Path;

/// Writes `bytes` beside `path` and puts them in its place at once, durably.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut file = File::create(beside).map_err(io(beside, "written"))?;
    file.write_all(bytes).map_err(io(beside, "written"))?;
    file.sync_all().map_err(io(beside, "written"))?;
    drop(file);
    std::fs::rename(beside, path).map_err(io(path, "written"))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    let opened = File::open(folder).map_err(io(folder, "read"))?;
    opened.sync_all().map_err(io(folder, "written"))
}

/// Makes everything written to the store's file system durable, contents and names: one call for
/// thousands of small files, where a call for each would take minutes.
pub(crate) fn sync_all(store: &Path) -> Result<()> {
    let opened = File::open(store).map_err(io(store, "read"))?;
    rustix::fs::syncfs(&opened).map_err(|error| io(store, "written")(error.into()))
}

/// Holds the store for writing for as long as the file lives.
pub(crate) fn lock(store: &Path) -> Result<File> {
    let path = store.join("lock");
    let file = File::create(&path).map_err(io(&path, "written"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: store.to_owned() }),
        Err(TryLockError::Error(error)) => Err(io(&path, "locked")(error)),
    }
}
