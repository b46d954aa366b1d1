//! Many small segments become few.
//!
//! A live source makes a segment every few seconds. Neighbours of one month's key are put together:
//! by themselves when more than [`SMALL_SEGMENTS_MAX`] of a size stand at the end, so that a look-up is
//! copied once a size, and all of them when somebody asks. What is put together is in one commit, like
//! all else; the log's entries commit to look-ups and not to files, so no proof changes.

use super::remake::{Fate, rows_of};
use super::{SEGMENT_ROWS, Writer};
use crate::error::{Result, StoreError};
use crate::manifest::{Manifest, Segment};
use bavn_model::Timestamp;
use std::ops::Range;

/// What a compaction came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    pub segments_before: u64,
    pub segments: u64,
    pub files_before: u64,
    pub files: u64,
    /// Look-ups that were copied.
    pub look_ups: u64,
}

impl Writer {
    /// Puts all neighbouring small segments of a month together, and all files of names.
    pub fn compact(&mut self, now: Timestamp) -> Result<Compacted> {
        self.attempt(|writer| writer.compact_all(now))
    }

    fn compact_all(&mut self, now: Timestamp) -> Result<Compacted> {
        self.commit_all(now)?;
        let groups = all_groups(&self.manifest.segments);
        let is_one = self.manifest.dictionaries.len() < 2;
        if groups.is_empty() && is_one {
            return Ok(Compacted::of(&self.manifest, &self.manifest, 0));
        }
        let names_from = if is_one { self.manifest.dictionaries.len() } else { 0 };
        self.put_together(groups, names_from, now)
    }

    /// After a commit. A disk that is too full for this keeps what it has.
    pub(super) fn compact_if_due(&mut self, now: Timestamp) -> Result<()> {
        let groups = due_groups(&self.manifest.segments);
        if groups.is_empty() {
            return Ok(());
        }
        let names_from = names_due(&self.manifest);
        match self.put_together(groups, names_from, now) {
            Err(StoreError::Io { .. }) => self.go_back(),
            compacted => compacted.map(|_| ()),
        }
    }

    fn put_together(
        &mut self,
        groups: Vec<Range<usize>>,
        names_from: usize,
        now: Timestamp,
    ) -> Result<Compacted> {
        let mut manifest = self.next_replacing(now)?;
        let mut look_ups = 0;
        let range = |group: &Range<usize>| manifest.segments.get(group.clone()).unwrap_or_default();
        self.passed.begin(rows_of(groups.iter().flat_map(range)));
        // From the end, so that the places of the groups before stay what they are.
        for group in groups.into_iter().rev() {
            let remade = self.remake(&mut manifest, group, &mut |_, _| Fate::Stays, now)?;
            look_ups += remade.segment.map_or(0, |segment| segment.rows);
        }
        if names_from < manifest.dictionaries.len() {
            self.merge_names(&mut manifest, names_from, &|_, _| false, now)?;
        }
        let before = self.manifest.clone();
        let log = self.ledger.log();
        self.put_in_force(manifest, log)?;
        Ok(Compacted::of(&before, &self.manifest, look_ups))
    }
}

impl Compacted {
    fn of(before: &Manifest, after: &Manifest, look_ups: u64) -> Self {
        Self {
            segments_before: before.segments.len() as u64,
            segments: after.segments.len() as u64,
            files_before: before.files().count() as u64,
            files: after.files().count() as u64,
            look_ups,
        }
    }
}

/// Neighbours of one month's key, as ranges of places.
fn months(segments: &[Segment]) -> Vec<Range<usize>> {
    let mut start = 0;
    let months = segments.chunk_by(|a, b| a.key == b.key).map(|month| {
        let range = start..start + month.len();
        start = range.end;
        range
    });
    months.collect()
}

/// Neighbours that together make at most one full segment; at least two in each group.
fn all_groups(segments: &[Segment]) -> Vec<Range<usize>> {
    months(segments).into_iter().flat_map(|month| fill(segments, month)).collect()
}

fn fill(segments: &[Segment], within: Range<usize>) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut rows = 0;
    for (place, segment) in within.clone().zip(segments.get(within).unwrap_or_default()) {
        match groups.last_mut() {
            Some(group) if rows + segment.rows <= SEGMENT_ROWS => {
                group.end = place + 1;
                rows += segment.rows;
            }
            _ => {
                groups.push(place..place + 1);
                rows = segment.rows;
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// What must be put together by itself: of the month under way, the last segments of a size or less;
/// of months before, all small ones.
fn due_groups(segments: &[Segment]) -> Vec<Range<usize>> {
    let mut months = months(segments);
    let Some(last) = months.pop() else { return Vec::new() };
    let mut due = Vec::new();
    for month in months {
        let small = segments.get(month.clone()).unwrap_or_default();
        if small.iter().filter(|segment| segment.rows < SEGMENT_ROWS / 2).count()
            > SMALL_SEGMENTS_MAX
        {
            due.extend(fill(segments, month));
        }
    }
    let under_way = segments.get(last.clone()).unwrap_or_default();
    for size in 0..=size_of(SEGMENT_ROWS / 2) {
        let is_small =
            |segment: &&Segment| size_of(segment.rows) <= size && segment.rows < SEGMENT_ROWS / 2;
        let small = under_way.iter().rev().take_while(is_small).count();
        let of_size = under_way.iter().rev().take(small);
        let of_size = of_size.filter(|segment| size_of(segment.rows) == size).count();
        if of_size > SMALL_SEGMENTS_MAX {
            due.extend(fill(segments, last.end - small..last.end));
            break;
        }
    }
    due
}

/// Sizes are powers of [`SMALL_SEGMENTS_MAX`]: as many of one size make one of the next.
const fn size_of(rows: u64) -> u32 {
    match rows.checked_ilog(SMALL_SEGMENTS_MAX as u64) {
        Some(size) => size,
        None => 0,
    }
}

/// From which file of names on they are merged: as long as a file is not twice as large as all after it.
fn names_due(manifest: &Manifest) -> usize {
    let mut from = manifest.dictionaries.len();
    let mut bytes = 0;
    for file in manifest.dictionaries.iter().rev() {
        if from < manifest.dictionaries.len() && file.bytes > bytes * 2 {
            break;
        }
        bytes += file.bytes;
        from -= 1;
    }
    if manifest.dictionaries.len() - from < 2 { manifest.dictionaries.len() } else { from }
}

/// Segments of a size that stand beside each other; one more, and they are put together. Each costs
/// a question six files to open, and each size a look-up one more copy.
pub(crate) const SMALL_SEGMENTS_MAX: usize = 16;
