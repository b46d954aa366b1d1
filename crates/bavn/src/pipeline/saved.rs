//! What one run leaves for the next one to go on from.

use super::seen::{Seen, SeenDays};
use bavn_detect::StateError;
use bavn_model::{Directory, LaterNames};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that a run goes on from: names and what was met, and what the engine has learned.
///
/// ```text
/// "bavn state " | version, a number of 4 bytes | head | what the engine wrote
/// ```
#[derive(Debug)]
pub struct Saved {
    head: Head,
    bytes: Vec<u8>,
    engine_at: usize,
}

/// What the edge itself has to remember.
#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    /// Names that came after the context.
    pub names: LaterNames,
    /// Look-ups that were given to the engine.
    pub seen: SeenDays,
    /// Bytes of the file of alarms.
    pub alarm_bytes: u64,
    /// Files that were read to their end by a service, as they were then.
    pub files: BTreeMap<String, FileMark>,
}

/// By what a file is known not to have changed: bytes, and when it was changed, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    pub bytes: u64,
    pub changed_at: i128,
}

impl Saved {
    /// # Errors
    /// If it is of another version, or none.
    pub fn read(bytes: Vec<u8>) -> Result<Self, StateError> {
        let unreadable = || StateError::Unreadable { part: "head".to_owned() };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(unreadable)?;
        let (version, rest) = rest.split_first_chunk().ok_or_else(unreadable)?;
        let found = u32::from_le_bytes(*version);
        if found != VERSION {
            return Err(StateError::OtherVersion { found, known: VERSION });
        }
        let (head, engine) = postcard::take_from_bytes(rest).map_err(|_| unreadable())?;
        let engine_at = bytes.len() - engine.len();
        Ok(Self { head, bytes, engine_at })
    }

    /// The bytes of a state.
    ///
    /// # Errors
    /// Only if memory holds what cannot be written.
    pub fn write(head: &Head, engine: &[u8]) -> Result<Vec<u8>, StateError> {
        let mut bytes = [MAGIC, &VERSION.to_le_bytes()].concat();
        bytes = postcard::to_extend(head, bytes)
            .map_err(|_| StateError::Unwritable { part: "head".to_owned() })?;
        bytes.extend_from_slice(engine);
        Ok(bytes)
    }

    /// The bytes of the same state without names that are not known any more.
    ///
    /// # Errors
    /// Only if memory holds what cannot be written.
    pub fn forget(mut self, is_known: impl Fn(&str) -> bool) -> Result<Vec<u8>, StateError> {
        self.head.names.forget(is_known);
        Self::write(&self.head, self.engine())
    }

    pub fn engine(&self) -> &[u8] {
        self.bytes.get(self.engine_at..).unwrap_or_default()
    }

    pub fn seen(&self) -> Seen {
        Seen::restore(&self.head.seen)
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Gives names the numbers that they had.
    ///
    /// # Errors
    /// If they cannot have had them.
    pub fn name(&self, directory: &mut Directory) -> Result<(), StateError> {
        if directory.take_later(&self.head.names) {
            return Ok(());
        }
        Err(StateError::Unreadable { part: "names".to_owned() })
    }
}

const MAGIC: &[u8] = b"bavn state ";
/// Of the head's layout; the engine's part has one of its own.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use bavn_model::Directory;

    #[test]
    fn who_is_forgotten_is_in_no_byte_and_numbers_stay() {
        let mut directory = Directory::default();
        let mark = directory.mark();
        let ids =
            ["Practitioner/old", "Practitioner/new"].map(|name| directory.identities.intern(name));
        let head = Head {
            names: directory.later_than(&mark),
            seen: SeenDays::default(),
            alarm_bytes: 0,
            files: BTreeMap::new(),
        };
        let saved = Saved::read(Saved::write(&head, b"engine").unwrap()).unwrap();
        let bytes = saved.forget(|name| name.ends_with("new")).unwrap();
        assert!(!bytes.windows(3).any(|part| part == b"old"));
        let again = Saved::read(bytes).unwrap();
        assert_eq!(again.engine(), b"engine");
        let mut next = Directory::default();
        again.name(&mut next).unwrap();
        assert_eq!(next.identities.intern("Practitioner/new"), ids[1]);
    }
}
