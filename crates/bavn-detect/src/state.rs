//! What was learned, as bytes: saved, and gone on from after a restart.
//!
//! ```text
//! version | digest of the context | names of the detectors        compared, and refused if others
//! part, part, ...                                                 each with its name and length
//! ```
//! Values are written as `postcard` does: floats by their bits, maps in the order of their keys. So the
//! same state is the same bytes, and what is read is what was written.

use bavn_model::{Context, Directory, EventId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// Why a saved state is not gone on from. Nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Of another release.
    #[error("the saved state has version {found}; this release goes on from {known}")]
    OtherVersion { found: u32, known: u32 },
    /// What detectors have learned cannot be given to others.
    #[error("the saved state is of other detectors: {}", difference(missing, unknown))]
    OtherDetectors {
        /// Detectors of this release that the state does not know.
        missing: Vec<String>,
        /// Detectors of the state that this release does not have.
        unknown: Vec<String>,
    },
    /// Numbers of readers and patients mean others there.
    #[error("the saved state was made with another context")]
    OtherContext,
    /// The bytes are no state.
    #[error("the saved state cannot be read at `{part}`")]
    Unreadable { part: String },
    /// Nothing that is kept in memory should be so.
    #[error("the state cannot be written at `{part}`")]
    Unwritable { part: String },
}

fn difference(missing: &[String], unknown: &[String]) -> String {
    let list = |what: &str, names: &[String]| match names {
        [] => String::new(),
        _ => format!("{what} {}", names.join(", ")),
    };
    let lists = [list("it lacks", missing), list("it has", unknown)];
    let lists: Vec<String> = lists.into_iter().filter(|list| !list.is_empty()).collect();
    if lists.is_empty() { "in another order".to_owned() } else { lists.join("; ") }
}

/// By what a patient could be found again in what was learned, where names are numbers.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// The numbers in the patient's names.
    pub numbers: Vec<u64>,
    /// The ids that look-ups of the patient had: digests of records that name the patient.
    pub look_ups: Vec<EventId>,
}

/// Digest of everything that decides what numbers mean and what context says: a state is gone on from
/// only under the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextDigest(u128);

impl ContextDigest {
    /// Of a context and its names, before any event was read.
    pub fn of(directory: &Directory, context: &Context) -> Self {
        let mut digest = Digesting(Xxh3::new());
        directory.each_name(|name, id| {
            digest.0.update(&(name.len() as u32).to_le_bytes());
            digest.0.update(name.as_bytes());
            digest.0.update(&id.to_le_bytes());
        });
        // Writing into a digest cannot fail.
        let digested = postcard::serialize_with_flavor(context, digest);
        Self(digested.unwrap_or_default())
    }
}

struct Digesting(Xxh3);

impl postcard::ser_flavors::Flavor for Digesting {
    type Output = u128;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.update(&[byte]);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.update(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<u128> {
        Ok(self.0.digest128())
    }
}

/// Where a state is written to.
#[derive(Debug, Default)]
pub(crate) struct Saving {
    bytes: Vec<u8>,
    failed: bool,
}

impl Saving {
    pub(crate) fn put(&mut self, value: &(impl Serialize + ?Sized)) {
        match postcard::to_extend(value, std::mem::take(&mut self.bytes)) {
            Ok(bytes) => self.bytes = bytes,
            Err(_) => self.failed = true,
        }
    }

    /// One part, under a name.
    pub(crate) fn part(
        &mut self,
        name: &str,
        save: impl FnOnce(&mut Self),
    ) -> Result<(), StateError> {
        let mut part = Self::default();
        save(&mut part);
        self.put(name);
        self.put(&(part.bytes.len() as u64));
        self.bytes.append(&mut part.bytes);
        if self.failed || part.failed {
            return Err(StateError::Unwritable { part: name.to_owned() });
        }
        Ok(())
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Where a state is read from.
#[derive(Debug)]
pub(crate) struct Restoring<'s> {
    rest: &'s [u8],
    part: String,
}

impl<'s> Restoring<'s> {
    pub(crate) fn new(bytes: &'s [u8]) -> Self {
        Self { rest: bytes, part: "head".to_owned() }
    }

    pub(crate) fn take<T: DeserializeOwned>(&mut self) -> Result<T, StateError> {
        let (value, rest) = postcard::take_from_bytes(self.rest).map_err(|_| self.unreadable())?;
        self.rest = rest;
        Ok(value)
    }

    /// The next part, which must be the one of this name and be read to its end.
    pub(crate) fn part<T>(
        &mut self,
        name: &str,
        restore: impl FnOnce(&mut Self) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        name.clone_into(&mut self.part);
        let found: String = self.take()?;
        let length = usize::try_from(self.take::<u64>()?).map_err(|_| self.unreadable())?;
        let (part, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.unreadable())?;
        if found != name {
            return Err(self.unreadable());
        }
        let mut inside = Restoring { rest: part, part: name.to_owned() };
        let restored = restore(&mut inside)?;
        inside.end()?;
        self.rest = rest;
        Ok(restored)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), StateError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.unreadable()) }
    }

    fn unreadable(&self) -> StateError {
        StateError::Unreadable { part: self.part.clone() }
    }
}
