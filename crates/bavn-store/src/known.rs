//! Which look-ups does the store hold already? Each is stored once, however often it comes.

use crate::error::Result;
use crate::keys::KeyRing;
use crate::manifest::Segment;
use crate::segment::SegmentReader;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Ids of the look-ups of the days being written, loaded from the store as days come up.
#[derive(Debug, Default)]
pub(crate) struct Known {
    days: HashMap<i32, Day>,
    held: usize,
    clock: u64,
}

#[derive(Debug, Default)]
struct Day {
    ids: Ids,
    used: u64,
}

impl Known {
    /// Whether the look-up is new; from then on it is known.
    pub(crate) fn is_new(&mut self, day: i32, id: u128, past: &Past<'_>) -> Result<bool> {
        self.clock += 1;
        let clock = self.clock;
        if !self.days.contains_key(&day) {
            let ids = past.ids(day)?;
            self.held += ids.len();
            self.days.insert(day, Day { ids, used: clock });
        }
        let Some(held) = self.days.get_mut(&day) else { return Ok(true) };
        held.used = clock;
        let is_new = held.ids.insert(id);
        self.held += usize::from(is_new);
        Ok(is_new)
    }

    /// Makes asking for these next faster: they wait for memory together.
    pub(crate) fn fetch(&self, asked: impl Iterator<Item = (i32, u128)>) {
        let is_there = |(day, id)| self.days.get(&day).is_some_and(|held| held.ids.contains(&id));
        std::hint::black_box(asked.filter(|&one| is_there(one)).count());
    }

    /// Forgets days not used lately, which all lie in committed segments.
    pub(crate) fn shrink(&mut self) {
        while self.held > IDS_MAX && self.days.len() > 1 {
            let oldest = self.days.iter().min_by_key(|(_, day)| day.used).map(|(&day, _)| day);
            let Some(day) = oldest.and_then(|day| self.days.remove(&day)) else { return };
            self.held -= day.ids.len();
        }
    }
}

/// The committed segments, to ask for ids.
#[derive(Debug)]
pub(crate) struct Past<'a> {
    pub(crate) store: &'a Path,
    pub(crate) ring: &'a KeyRing,
    pub(crate) segments: &'a [Segment],
}

impl Past<'_> {
    fn ids(&self, day: i32) -> Result<Ids> {
        let mut found = Ids::default();
        for segment in self.segments.iter().filter(|segment| segment.has_days((day, day))) {
            let reader = open(self.store, self.ring, segment, true)?;
            let of_day = |at: i64| bavn_model::Timestamp::from_micros(at).day() == day;
            found.extend(reader.ids()?.into_iter().filter(|&(at, _)| of_day(at)).map(|(_, id)| id));
        }
        Ok(found)
    }
}

/// Opens a segment that the manifest names.
pub(crate) fn open(
    store: &Path,
    ring: &KeyRing,
    segment: &Segment,
    with_evidence: bool,
) -> Result<SegmentReader> {
    let rows = store.join(&segment.columns.name);
    let evidence = store.join(&segment.evidence.name);
    let wrong = || crate::StoreError::damaged(&rows, "it names a key that is not there");
    let key = ring.key(segment.key).ok_or_else(wrong)?;
    let evidence = with_evidence.then_some(evidence.as_path());
    SegmentReader::open(&rows, evidence, segment.number, key)
}

/// Ids are digests: any hash spreads them.
type Ids = HashSet<u128, foldhash::fast::FixedState>;

/// Ids kept in memory, 34 bytes each at worst.
const IDS_MAX: usize = 12_000_000;
