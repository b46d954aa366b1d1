//! What one run leaves for the next one to go on from.

use super::seen::{Seen, SeenDays};
use crate::forgotten::Forgotten;
use bavn_detect::{Engine, StateError, Traces};
use bavn_model::{Directory, LaterNames, number_in};
use bavn_store::Renamed;
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
    /// If the engine's part is of another version.
    pub fn forget(mut self, is_known: impl Fn(&str) -> bool) -> Result<Vec<u8>, StateError> {
        self.head.names.forget(is_known);
        Self::write(&self.head, &Engine::forget(self.engine(), &Traces::default())?)
    }

    /// The bytes of the same state without the patient of these spellings: no name that tells of them, no
    /// number out of one, and no id of a look-up by which a guess could be tested.
    ///
    /// # Errors
    /// If the engine's part is of another version.
    pub fn shred(
        mut self,
        spellings: &[String],
        renamed: &[Renamed],
    ) -> Result<Vec<u8>, StateError> {
        let forgotten = Forgotten::new(spellings);
        let is_it = |name: &str| spellings.iter().any(|spelling| spelling == name);
        self.head.names.forget_what(|name| is_it(name) || forgotten.stands_in(name));
        for renamed in renamed {
            self.head.seen.rename(renamed.at, renamed.from, renamed.to);
        }
        let traces = Traces {
            numbers: spellings.iter().filter_map(|name| number_in(name)).collect(),
            look_ups: renamed.iter().map(|renamed| renamed.from).collect(),
        };
        Self::write(&self.head, &Engine::forget(self.engine(), &traces)?)
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
    use bavn_detect::{ContextDigest, Settings};
    use bavn_model::{Context, EventId, Timestamp};

    fn head(names: LaterNames, seen: SeenDays) -> Head {
        Head { names, seen, alarm_bytes: 0, files: BTreeMap::new() }
    }

    fn engine() -> Vec<u8> {
        let settings = Settings { budget_per_10k_staff_day: 3.0 };
        let digest = ContextDigest::of(&Directory::default(), &Context::default());
        Engine::new(Context::default(), settings).save(digest).unwrap()
    }

    fn has(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn who_is_forgotten_is_in_no_byte_and_numbers_stay() {
        let mut directory = Directory::default();
        let mark = directory.mark();
        let ids =
            ["Practitioner/old", "Practitioner/new"].map(|name| directory.identities.intern(name));
        let head = head(directory.later_than(&mark), SeenDays::default());
        let saved = Saved::read(Saved::write(&head, &engine()).unwrap()).unwrap();
        let bytes = saved.forget(|name| name.ends_with("new")).unwrap();
        assert!(!has(&bytes, b"Practitioner/old"));
        let again = Saved::read(bytes).unwrap();
        assert_eq!(again.engine(), engine());
        let mut next = Directory::default();
        again.name(&mut next).unwrap();
        assert_eq!(next.identities.intern("Practitioner/new"), ids[1]);
    }

    #[test]
    fn who_is_shredded_is_in_no_byte_neither_by_name_nor_by_an_id() {
        let mut directory = Directory::default();
        let mark = directory.mark();
        let other = directory.patients.intern("Patient/70");
        for name in ["Patient/7", "urn:oid:1.2.3|12345678901"] {
            directory.patients.intern(name);
        }
        directory.hosts.intern("10.0.0.7");
        directory.resources.intern("record-12345678901");
        let (at, from, to) = (Timestamp::start_of_day(100), EventId(5 << 64), EventId(1 << 100));
        let mut seen = Seen::default();
        for id in [EventId(9), from, EventId(4)] {
            seen.meet(id, at);
        }
        let head = head(directory.later_than(&mark), seen.save());
        let saved = Saved::read(Saved::write(&head, &engine()).unwrap()).unwrap();
        let spellings = ["Patient/7", "urn:oid:1.2.3|12345678901"].map(str::to_owned);
        let bytes = saved.shred(&spellings, &[Renamed { at, from, to }]).unwrap();
        assert!(!has(&bytes, b"12345678901") && !has(&bytes, b"\x09Patient/7"));
        assert!(has(&bytes, b"10.0.0.7"));
        let again = Saved::read(bytes).unwrap();
        let known = [from, to, EventId(9), EventId(4)].map(|id| again.seen().was_before(id, at));
        assert_eq!(known, [false, true, true, true]);
        let mut next = Directory::default();
        again.name(&mut next).unwrap();
        assert_eq!(next.patients.intern("Patient/70"), other);
    }
}
