//! Which entries of the log?
//!
//! The look-ups of a segment stand one after another in the log as a commit writes them; those of a
//! segment made of others, or of what is left of one, in several stretches. So do the entries that
//! were retired.

use crate::error::{Result, StoreError};
use crate::keys::KeyRing;
use crate::manifest::Segment;
use crate::sealed::{Sealed, SealedWriter};
use crate::varint::{Input, put};
use std::path::Path;

/// Entries of the log, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stretches(Vec<Stretch>);

/// Entries without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// Entries in the stretches before this one.
    before: u64,
    first: u64,
    count: u64,
}

impl Stretch {
    const fn end(&self) -> u64 {
        self.first + self.count
    }
}

impl Stretches {
    /// Those of the rows of a segment, row by row.
    pub(crate) fn of(store: &Path, ring: &KeyRing, segment: &Segment) -> Result<Self> {
        let mut stretches = Self::default();
        match &segment.places {
            None => stretches.extend(segment.first_entry, segment.rows),
            Some(file) => {
                let path = store.join(&file.name);
                stretches = Self::read(&path, PLACES, ring)?;
                if stretches.len() != segment.rows {
                    let what = "it does not tell the place of every look-up";
                    return Err(StoreError::damaged(&path, what));
                }
            }
        }
        Ok(stretches)
    }

    /// The entries that any of several hold.
    pub(crate) fn any_of(several: &[Self]) -> Self {
        let mut all: Vec<(u64, u64)> = several.iter().flat_map(Self::ends).collect();
        all.sort_unstable();
        let mut together = Self::default();
        for (first, last) in all {
            let next = together.0.last().map_or(0, Stretch::end).max(first);
            together.extend(next, (last + 1).saturating_sub(next));
        }
        together
    }

    /// Adds an entry behind all others.
    pub(crate) fn push(&mut self, entry: u64) {
        self.extend(entry, 1);
    }

    /// Adds entries behind all others.
    pub(crate) fn extend(&mut self, first: u64, count: u64) {
        match self.0.last_mut() {
            Some(last) if last.end() == first => last.count += count,
            _ if count == 0 => {}
            _ => self.0.push(Stretch { before: self.len(), first, count }),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.last().map_or(0, |last| last.before + last.count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they stand without a gap.
    pub(crate) fn is_one(&self) -> bool {
        self.0.len() < 2
    }

    pub(crate) fn first(&self) -> u64 {
        self.0.first().map_or(0, |stretch| stretch.first)
    }

    /// The entry at a place among them.
    pub(crate) fn at(&self, place: u64) -> Option<u64> {
        let after = self.0.partition_point(|stretch| stretch.before <= place);
        let stretch = self.0.get(after.checked_sub(1)?)?;
        let within = place - stretch.before;
        (within < stretch.count).then_some(stretch.first + within)
    }

    /// The place among them of an entry.
    pub(crate) fn place(&self, entry: u64) -> Option<u64> {
        let after = self.0.partition_point(|stretch| stretch.first <= entry);
        let stretch = self.0.get(after.checked_sub(1)?)?;
        (entry < stretch.end()).then_some(stretch.before + (entry - stretch.first))
    }

    /// First and last of each stretch.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|stretch| (stretch.first, stretch.end() - 1))
    }

    pub(crate) fn write(&self, mut file: SealedWriter) -> Result<()> {
        let mut block = Vec::new();
        let mut before = 0;
        for part in self.0.chunks(STRETCHES_A_BLOCK) {
            block.clear();
            for stretch in part {
                put(&mut block, stretch.first - before);
                put(&mut block, stretch.count);
                before = stretch.end();
            }
            file.block(&block)?;
        }
        file.finish(&[])
    }

    pub(crate) fn read(path: &Path, what: &'static [u8], ring: &KeyRing) -> Result<Self> {
        let file = Sealed::open(path, what, ring)?;
        let cut = || StoreError::damaged(path, "a stretch of entries is cut");
        let (mut found, mut end) = (Self::default(), 0_u64);
        for number in 0..file.blocks() {
            let block = file.block(number)?;
            let mut input = Input(&block);
            while !input.is_empty() {
                let first = input.number().and_then(|gap| end.checked_add(gap)).ok_or_else(cut)?;
                let count = input.number().filter(|&count| count > 0).ok_or_else(cut)?;
                end = first.checked_add(count).ok_or_else(cut)?;
                found.extend(first, count);
            }
        }
        Ok(found)
    }
}

/// What the places of a segment's look-ups are sealed as.
pub(crate) const PLACES: &[u8] = b"bavn places 1";
/// What a list of retired entries is sealed as.
pub(crate) const RETIRED: &[u8] = b"bavn retired 1";
const STRETCHES_A_BLOCK: usize = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_and_place_are_each_others_inverse_and_lists_are_put_together() {
        let mut stretches = Stretches::default();
        let entries = [3, 4, 5, 9, 10, 20, 21, 22, 23, 40];
        for entry in entries {
            stretches.push(entry);
        }
        assert_eq!((stretches.len(), stretches.is_one(), stretches.first()), (10, false, 3));
        for (place, &entry) in (0..).zip(&entries) {
            assert_eq!(stretches.at(place), Some(entry));
            assert_eq!(stretches.place(entry), Some(place));
        }
        assert_eq!(stretches.at(10), None);
        let mut others = Stretches::default();
        others.extend(4, 2);
        others.extend(8, 3);
        others.extend(30, 1);
        let all: Vec<_> = Stretches::any_of(&[stretches.clone(), others]).ends().collect();
        assert_eq!(all, [(3, 5), (8, 10), (20, 23), (30, 30), (40, 40)]);
        for entry in [0, 2, 6, 8, 11, 19, 24, 39, 41] {
            assert_eq!(stretches.place(entry), None, "{entry}");
        }
    }
}
