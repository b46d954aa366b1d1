//! Dense numbers for the names in the logs, and the one table that turns them back.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::BuildHasher;
use std::marker::PhantomData;

macro_rules! dense_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u32);

        impl From<u32> for $name {
            fn from(index: u32) -> Self { Self(index) }
        }

        impl From<$name> for usize {
            fn from(id: $name) -> usize { id.0 as usize }
        }
    )+};
}

dense_id! {
    /// A person or system account that reads records.
    IdentityId,
    /// A network address or workstation.
    HostId,
    /// An application through which records are read.
    ClientId,
    /// A system that writes audit records; each belongs to one controller.
    SourceId,
    /// A ward, clinic, laboratory or hospital (FHIR `Organization` or `Location`).
    UnitId,
    /// A function code of a member of staff, such as nurse or coder.
    RoleId,
    /// A log-in session or trace.
    SessionId,
    /// A kind of record content, such as `Observation` (FHIR resource type).
    ResourceId,
}

/// A person whose record is read. Has no `Display`, and its `Debug` is redacted, so that no patient
/// reaches a log by accident.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientId(pub u32);

impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientId(redacted)")
    }
}

/// Saved as a number, and never written as text.
impl Serialize for PatientId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return Err(serde::ser::Error::custom("a patient is not written as text"));
        }
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for PatientId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self)
    }
}

impl From<u32> for PatientId {
    fn from(index: u32) -> Self {
        Self(index)
    }
}

impl From<PatientId> for usize {
    fn from(id: PatientId) -> usize {
        id.0 as usize
    }
}

/// Digest of a record's own bytes and its source: the same record read twice is one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u128);

/// 32 hexadecimal digits.
impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Half a hash, kept beside what it is the hash of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Digest(u32);

impl Digest {
    /// Spread over all the bits that a table asks for.
    pub(crate) fn hash(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Names to dense ids and back. Several spellings may share one id; ids are never reused.
///
/// All spellings lie in one string, so that three million patients cost their text and 12 bytes
/// each rather than an allocation each.
#[derive(Clone)]
pub struct Interner<Id> {
    text: String,
    /// End of each spelling in `text`, and the id that it means.
    spellings: Vec<(u32, u32)>,
    /// For each id, the index of the spelling to show.
    shown: Vec<u32>,
    /// Digest and index of each spelling: a growing table of millions need not read their text.
    table: HashTable<(Digest, u32)>,
    /// The spelling that was met last: the next record of a source is often like the one before.
    last: u32,
    hasher: foldhash::fast::FixedState,
    id: PhantomData<Id>,
}

impl<Id: From<u32> + Into<usize> + Copy> Interner<Id> {
    pub fn new() -> Self {
        Self {
            text: String::new(),
            spellings: Vec::new(),
            shown: Vec::new(),
            table: HashTable::new(),
            last: 0,
            hasher: foldhash::fast::FixedState::with_seed(0x6261_766e),
            id: PhantomData,
        }
    }

    /// How many ids have been given out; they are `0..len`.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    pub fn find(&self, name: &str) -> Option<Id> {
        self.spelling_index(name).map(|spelling| self.id_at(spelling))
    }

    /// Finds many names. Each step is taken for all of them: a name waits four times for memory, and
    /// many wait together no longer than one.
    pub fn find_all(&self, names: &[&str]) -> Vec<Option<Id>> {
        let digests: Vec<Digest> = names.iter().map(|name| self.digest(name)).collect();
        let likely = |&digest: &Digest| {
            self.table.find(digest.hash(), |&(held, _)| held == digest).map(|&(_, place)| place)
        };
        let places: Vec<Option<u32>> = digests.iter().map(likely).collect();
        let spelled = |place: Option<u32>| place.map_or("", |place| self.spelling(place));
        let spellings: Vec<&str> = places.iter().map(|&place| spelled(place)).collect();
        let all = names.iter().zip(places).zip(spellings);
        all.map(|((&name, place), spelling)| match place? {
            place if spelling == name => Some(self.id_at(place)),
            // Two of some millions of names may have one digest.
            _ => self.find(name),
        })
        .collect()
    }

    /// As [`Self::find`], and at once if the name is that of the last call.
    pub fn find_again(&mut self, name: &str) -> Option<Id> {
        if self.is_last(name) {
            return Some(self.id_at(self.last));
        }
        self.last = self.spelling_index(name)?;
        Some(self.id_at(self.last))
    }

    fn is_last(&self, name: &str) -> bool {
        !self.spellings.is_empty() && self.spelling(self.last) == name
    }

    /// The id of `name`, new if it has not been seen.
    pub fn intern(&mut self, name: &str) -> Id {
        if self.is_last(name) {
            return self.id_at(self.last);
        }
        let (index, is_new) = self.place(name);
        self.last = index;
        if is_new {
            let id = self.shown.len() as u32;
            self.shown.push(index);
            self.spellings.push((self.text.len() as u32, id));
        }
        self.id_at(index)
    }

    /// Lets `name` mean `id` as well. Returns the id that it already had, if it had another.
    pub fn alias(&mut self, name: &str, id: Id) -> Option<Id> {
        let (place, is_new) = self.place(name);
        let index: usize = id.into();
        if is_new {
            self.spellings.push((self.text.len() as u32, index as u32));
        }
        let held = self.id_at(place);
        let held_index: usize = held.into();
        (held_index != index).then_some(held)
    }

    /// The index of a spelling, and whether it is new. The text of a new one is stored, but what
    /// it means is for the caller to push at once.
    fn place(&mut self, name: &str) -> (u32, bool) {
        let digest = self.digest(name);
        let (spellings, text) = (&self.spellings, &self.text);
        let entry = self.table.entry(
            digest.hash(),
            |&(held, index)| held == digest && spelling_of(spellings, text, index) == name,
            |(held, _)| held.hash(),
        );
        match entry {
            Entry::Occupied(held) => (held.get().1, false),
            Entry::Vacant(slot) => {
                let index = self.spellings.len() as u32;
                slot.insert((digest, index));
                self.text.push_str(name);
                (index, true)
            }
        }
    }

    /// Whom the spelling with this index means.
    pub(crate) fn id_at(&self, spelling: u32) -> Id {
        Id::from(self.spellings.get(spelling as usize).map_or(0, |&(_, id)| id))
    }

    /// How many spellings there are.
    pub(crate) fn spelling_count(&self) -> u32 {
        self.spellings.len() as u32
    }

    /// The spelling under which an id was first given out.
    pub fn name(&self, id: Id) -> &str {
        let index: usize = id.into();
        self.shown.get(index).map_or("", |&spelling| self.spelling(spelling))
    }

    /// Every spelling, and the id that it means.
    pub fn spellings(&self) -> impl Iterator<Item = (&str, Id)> {
        let ids = self.spellings.iter().map(|&(_, id)| Id::from(id));
        (0..self.spellings.len() as u32).map(|index| self.spelling(index)).zip(ids)
    }

    /// The place of a spelling among all spellings.
    pub fn spelling_index(&self, name: &str) -> Option<u32> {
        let digest = self.digest(name);
        let same = |&(held, index): &(Digest, u32)| held == digest && self.spelling(index) == name;
        self.table.find(digest.hash(), same).map(|&(_, index)| index)
    }

    /// Takes in a spelling as another run had it, in the order in which that run met them. False if
    /// it cannot have been so.
    pub(crate) fn take_later(&mut self, name: &str, id: u32) -> bool {
        if id as usize > self.shown.len() {
            return false;
        }
        let (index, is_new) = self.place(name);
        if !is_new {
            return false;
        }
        if id as usize == self.shown.len() {
            self.shown.push(index);
        }
        self.spellings.push((self.text.len() as u32, id));
        true
    }

    pub(crate) fn digest(&self, text: &str) -> Digest {
        let hash = self.hasher.hash_one(text);
        Digest((hash >> 32) as u32 ^ hash as u32)
    }

    /// Lets the spelling with this index mean a new id.
    pub fn detach(&mut self, spelling: u32) {
        if let Some((_, id)) = self.spellings.get_mut(spelling as usize) {
            *id = self.shown.len() as u32;
            self.shown.push(spelling);
        }
    }

    /// Gives every spelling the id that its old id now is, by index.
    pub fn remap(&mut self, settled: &[Id]) {
        for (_, id) in &mut self.spellings {
            if let Some(&new) = settled.get(*id as usize) {
                let index: usize = new.into();
                *id = index as u32;
            }
        }
    }

    /// Bytes held, for the memory reports.
    pub fn bytes_held(&self) -> usize {
        self.text.capacity()
            + self.spellings.capacity() * 8
            + self.shown.capacity() * 4
            + self.table.allocation_size()
    }

    /// The spelling with this index.
    pub(crate) fn spelling(&self, index: u32) -> &str {
        spelling_of(&self.spellings, &self.text, index)
    }
}

fn spelling_of<'t>(spellings: &[(u32, u32)], text: &'t str, index: u32) -> &'t str {
    let end_of = |index: usize| spellings.get(index).map_or(0, |&(end, _)| end as usize);
    let start = (index as usize).checked_sub(1).map_or(0, end_of);
    text.get(start..end_of(index as usize)).unwrap_or("")
}

impl<Id: From<u32> + Into<usize> + Copy> Default for Interner<Id> {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts only: the spellings may be patients' identifiers.
impl<Id> fmt::Debug for Interner<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interner").field("ids", &self.shown.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_id_and_spellings_share_one() {
        let mut patients = Interner::<PatientId>::new();
        let first = patients.intern("Patient/1");
        let second = patients.intern("Patient/2");
        assert_ne!(first, second);
        assert_eq!(patients.alias("urn:oid:1|17", first), None);
        assert_eq!(patients.alias("Patient/2", first), Some(second));
        assert_eq!(patients.intern("urn:oid:1|17"), first);
        assert_eq!(patients.name(first), "Patient/1");
        assert_eq!((patients.len(), format!("{first:?}")), (2, "PatientId(redacted)".to_owned()));
    }

    #[test]
    fn many_names_stay_apart() {
        let mut hosts = Interner::<HostId>::new();
        for number in 0..5_000_u32 {
            assert_eq!(hosts.intern(&format!("10.0.{number}")), HostId(number));
        }
        assert_eq!(hosts.find("10.0.4999"), Some(HostId(4_999)));
        assert_eq!(hosts.find("10.0.5000"), None);
    }
}
