//! A store could not be opened, read or written: what is still good, and what is to be done?

use crate::error::{CommandError, Kind};
use bavn_store::{CheckpointError, Fault, StoreError, What};
use std::io::ErrorKind;
use std::path::Path;

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            error if error.is_integrity() => Kind::Integrity,
            error if error.is_refusal() => Kind::Refused,
            StoreError::Library { .. } => Kind::Internal,
            _ => Kind::Usage,
        };
        let hints = hints(&error);
        hints.into_iter().fold(Self::new(kind, error), Self::hint)
    }
}

fn hints(error: &StoreError) -> Vec<String> {
    match error {
        StoreError::Missing { path }
        | StoreError::Damaged { path, .. }
        | StoreError::Unreadable { path, .. } => vec![
            "every other file is still good unless `bavn verify` names it too".to_owned(),
            for_file(path).to_owned(),
        ],
        StoreError::WrongKey { .. } | StoreError::NotAKey { .. } => {
            vec!["without the controller's own key nobody can read this store".to_owned()]
        }
        StoreError::Held { .. } => {
            vec!["`bavn store release` ends a hold, once nobody needs it any more".to_owned()]
        }
        StoreError::NewerFormat { .. } => vec![
            "nothing was changed; install the release that wrote it, or a later one".to_owned(),
        ],
        StoreError::NotAStore { .. } => vec![
            "nothing was changed; give the folder of a store, or an empty one for a new store"
                .to_owned(),
        ],
        StoreError::Busy { .. } => vec![
            "nothing was changed; questions (`bavn scope`, `bavn verify`) are answered meanwhile"
                .to_owned(),
            "wait until the other has ended, or end it: what it has committed is safe".to_owned(),
        ],
        StoreError::Io { source, .. } => for_disk(source.kind()),
        _ => Vec::new(),
    }
}

fn for_disk(kind: ErrorKind) -> Vec<String> {
    let safe = "everything up to the last commit is safe, and nothing is stored twice".to_owned();
    let again = |mend: &str| vec![safe.clone(), format!("{mend}, then run the same again")];
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            again("make room")
        }
        ErrorKind::ReadOnlyFilesystem => vec![
            "what is stored can be asked for (`bavn scope`, `bavn verify`), but names cannot: asking \
             for them is itself stored"
                .to_owned(),
            "make the disk writable, then run the same again".to_owned(),
        ],
        ErrorKind::PermissionDenied => again("run it as the user who owns the store"),
        _ => again("look at the disk (`dmesg`)"),
    }
}

/// What to do about a file of a store that is not what was written.
pub(crate) fn for_fault(fault: &Fault) -> &'static str {
    match &fault.what {
        What::Checkpoint(CheckpointError::RolledBack { .. }) => {
            "write nothing to this copy; find the newer one, and who put this one here"
        }
        What::Checkpoint(CheckpointError::Forked { .. }) => {
            "keep both as evidence; the copy that agrees with the checkpoint is the true one"
        }
        What::Checkpoint(_) if !fault.file.starts_with("proof") => {
            "make sure that the checkpoint is of this store (`bavn proof key`); if it is, this store is not"
        }
        _ => for_file(&fault.file),
    }
}

/// The path may be that below the store, or the whole.
fn for_file(path: &Path) -> &'static str {
    let has = |part: &str| path.components().any(|component| component.as_os_str() == part);
    if has("index") {
        "`bavn store rebuild-index` makes it anew from the segments"
    } else if has("tile") {
        "copy the file from a backup, or from anybody who holds a copy of the log"
    } else if has("proof") {
        "keep it as evidence; the next `bavn watch --store` publishes what is in force again"
    } else if has("asked") {
        "move it out of the folder, as evidence: it says who asked for names and was not yet stored"
    } else {
        "keep it as evidence, and restore the file from a backup"
    }
}
