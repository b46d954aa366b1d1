//! What can be wrong with a store, and whether that is a lock, a fault or tampering.

use bavn_model::Timestamp;
use std::path::{Path, PathBuf};

/// Why a store could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused.
    #[error("`{}` cannot be {doing}", path.display())]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
    /// The folder holds something else, or nothing.
    #[error("`{}` is not a store of bavn", path.display())]
    NotAStore { path: PathBuf },
    /// Written by a later release.
    #[error("`{}` has format {found}; this release reads up to {known}", path.display())]
    NewerFormat { path: PathBuf, found: u32, known: u32 },
    /// Another process writes.
    #[error("`{}` is being written by another process", path.display())]
    Busy { path: PathBuf },
    /// The key is whole, but another one.
    #[error("the key is not that of controller `{controller}`; nothing was changed")]
    WrongKey { controller: String },
    /// Not 32 bytes in a form that is understood.
    #[error("the key must be 32 bytes, or 64 hexadecimal digits; it has {bytes} bytes")]
    NotAKey { bytes: usize },
    /// A file that the last commit names is gone.
    #[error("`{}` is missing, and the last commit names it", path.display())]
    Missing { path: PathBuf },
    /// The bytes are not those that were written.
    #[error("`{}` was changed: {what}", path.display())]
    Damaged { path: PathBuf, what: &'static str },
    /// The disk does not give back a file that the last commit names.
    #[error("`{}` cannot be read, and the last commit names it", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// No look-up of the store names it.
    #[error("no look-up in the store names the {what} `{name}`")]
    Unknown { what: &'static str, name: String },
    /// A bare value that several bear.
    #[error("`{name}` is the bare value of {count} different {what} names: {some}")]
    Ambiguous { what: &'static str, name: String, count: usize, some: String },
    /// What an entry of the log hides is no longer held.
    #[error("entry {entry} of the log was retired on {at}: what it hides is no longer held")]
    Retired { entry: u64, at: Timestamp },
    /// A legal hold forbids it.
    #[error("hold {number} keeps it; nothing was changed")]
    Held { number: u32 },
    /// A tombstone of another store, or of another history of this one.
    #[error("the tombstone is not of this store's history; nothing was changed")]
    OtherHistory,
    /// The store has been written anew since it was opened.
    #[error("the store was written anew while it was read; ask again")]
    Superseded,
    /// More than a store is made for.
    #[error("a store takes at most {max} {what}")]
    TooMany { what: &'static str, max: u64 },
    /// The cipher or the compressor failed on good input.
    #[error("{doing} failed")]
    Library { doing: &'static str },
}

impl StoreError {
    /// Whether the store's bytes are not what was written (exit code 5).
    pub const fn is_integrity(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Damaged { .. } | Self::Unreadable { .. })
    }

    /// Whether the key is the matter (exit code 6).
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::WrongKey { .. } | Self::NotAKey { .. } | Self::Held { .. })
    }

    /// Which file it is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::NotAStore { path }
            | Self::NewerFormat { path, .. }
            | Self::Busy { path }
            | Self::Missing { path }
            | Self::Damaged { path, .. }
            | Self::Unreadable { path, .. } => Some(path),
            _ => None,
        }
    }

    pub(crate) fn damaged(path: &Path, what: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), what }
    }
}

/// What store functions return.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Turns an I/O error into one that names the file; a file that is gone was named by a commit.
pub(crate) fn io<'p>(
    path: &'p Path,
    doing: &'static str,
) -> impl FnOnce(std::io::Error) -> StoreError + 'p {
    move |source| StoreError::Io { path: path.to_owned(), doing, source }
}

/// As [`io`], for reading a file that the last commit names.
pub(crate) fn named(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    move |source| match source.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing { path: path.to_owned() },
        std::io::ErrorKind::UnexpectedEof => StoreError::damaged(path, "it is shorter than it was"),
        // Neither the disk's fault nor anybody's who changed it.
        std::io::ErrorKind::PermissionDenied => {
            StoreError::Io { path: path.to_owned(), doing: "read", source }
        }
        _ => StoreError::Unreadable { path: path.to_owned(), source },
    }
}
