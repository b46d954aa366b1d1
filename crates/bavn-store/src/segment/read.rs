//! Rows back from a segment's two files.

use super::column::{Column, Columns, Cursor};
use super::pages::{Damage, ParquetFile};
use super::row_columns::{BareColumns, EvidenceColumns, IdColumn, RowColumns};
use super::schema::{
    AT, CLIENT, FILE, HOST, IDENTITY, NOTE_NUMBER, NOTE_PART, PATIENT, Part, SOURCE,
};
use crate::error::{Result, StoreError};
use crate::index::By;
use crate::keys::KEY_BYTES;
use crate::row::{Evidence, NOBODY, Row};
use foldhash::fast::FixedState;
use parquet::data_type::{DataType, Int32Type, Int64Type};
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::path::Path;

/// One segment, open for reading.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    rows: ParquetFile,
    evidence: Option<ParquetFile>,
}

impl SegmentReader {
    /// Opens the rows, and the evidence if it is asked for.
    pub(crate) fn open(
        rows: &Path,
        evidence: Option<&Path>,
        number: u64,
        key: &[u8; KEY_BYTES],
    ) -> Result<Self> {
        let rows = open(rows, Part::Rows, number, key)?;
        let evidence = evidence.map(|path| open(path, Part::Evidence, number, key)).transpose()?;
        if let Some(evidence) = &evidence
            && evidence.rows() != rows.rows()
        {
            return Err(StoreError::damaged(
                evidence.path(),
                "it has not as many rows as there are",
            ));
        }
        Ok(Self { rows, evidence })
    }

    pub(crate) fn len(&self) -> u64 {
        self.rows.rows()
    }

    /// Calls `found` for every row with its place in the segment.
    pub(crate) fn each(&self, mut found: impl FnMut(u64, &Row<'_>) -> Result<()>) -> Result<()> {
        let mut place = 0;
        each_of::<RowColumns>(Cursor::all(&self.rows), |row| {
            found(place, row)?;
            place += 1;
            Ok(())
        })
    }

    /// Calls `found` for every row with what the source said of it.
    pub(crate) fn each_with_evidence(
        &self,
        mut found: impl FnMut(u64, &Row<'_>, &Evidence<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(evidence) = &self.evidence else { return Ok(()) };
        let mut said = Cursor::<EvidenceColumns>::all(evidence);
        self.each(|place, row| {
            let said = said.next()?.ok_or_else(|| evidence.wrong())?;
            found(place, row, &said)
        })
    }

    /// Rows by their places, which are sorted, with what the source said of them.
    pub(crate) fn pick_with_evidence(
        &self,
        places: &[u64],
        mut found: impl FnMut(&Row<'_>, &Evidence<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(evidence) = &self.evidence else { return Ok(()) };
        let mut said = Cursor::<EvidenceColumns>::at(evidence, places);
        self.pick(places, |row| {
            let said = said.next()?.ok_or_else(|| evidence.wrong())?;
            found(row, &said)
        })
    }

    /// One row, by its place in the segment.
    pub(crate) fn at<T>(
        &self,
        place: u64,
        found: impl FnOnce(&Row<'_>, &Evidence<'_>) -> T,
    ) -> Result<Option<T>> {
        let Some(evidence) = &self.evidence else { return Ok(None) };
        let mut rows = Cursor::<RowColumns>::at(&self.rows, &[place]);
        let mut said = Cursor::<EvidenceColumns>::at(evidence, &[place]);
        Ok(rows.next()?.zip(said.next()?).map(|(row, said)| found(&row, &said)))
    }

    /// Rows by their places, which are sorted. Opens only pages that hold one.
    pub(crate) fn pick(
        &self,
        places: &[u64],
        found: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        each_of::<RowColumns>(Cursor::at(&self.rows, places), found)
    }

    /// The same without texts, action and who acted on whose behalf, in half the time.
    pub(crate) fn pick_bare(
        &self,
        places: &[u64],
        found: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        each_of::<BareColumns>(Cursor::at(&self.rows, places), found)
    }

    /// Ids of rows by their places, which are sorted.
    pub(crate) fn pick_ids(&self, places: &[u64]) -> Result<Vec<u128>> {
        let Some(evidence) = &self.evidence else { return Ok(Vec::new()) };
        let mut found = Vec::with_capacity(places.len());
        let mut ids = Cursor::<IdColumn>::at(evidence, places);
        while let Some(id) = ids.next()? {
            found.push(id);
        }
        Ok(found)
    }

    /// Places of the rows that concern one of the keys, of those that may lie in spans of time
    /// (microseconds, both ends included): one column is read, and no other.
    pub(crate) fn places(
        &self,
        by: By,
        keys: &BTreeSet<u32>,
        mut spans: Vec<(i64, i64)>,
    ) -> Result<Vec<u64>> {
        spans.sort_unstable();
        spans.dedup_by(|next, span| {
            let meets = next.0 <= span.1;
            if meets {
                span.1 = span.1.max(next.1);
            }
            meets
        });
        let column = match by {
            By::Patient => PATIENT,
            By::Identity => IDENTITY,
            By::Client => CLIENT,
            By::Host => HOST,
        };
        let (Some(&least), Some(&most)) = (keys.first(), keys.last()) else {
            return Ok(Vec::new());
        };
        // Of millions of rows nearly none is meant, and a tree takes long to say so.
        let hashed: HashSet<u32, FixedState> = keys.iter().copied().collect();
        let is_key = |one: u32| (least..=most).contains(&one) && hashed.contains(&one);
        let (mut places, mut before) = (Vec::new(), 0);
        for group in 0..self.rows.row_groups() {
            let runs = self.runs_within(group, &spans)?;
            if !runs.is_empty() {
                let mut numbers = Column::<Int32Type>::open(&self.rows, group, column)?;
                for run in runs {
                    numbers.read(&self.rows, std::slice::from_ref(&run))?;
                    // Most pages hold no such row, and their numbers alone say so fast.
                    if !numbers.values().iter().any(|&one| is_key(one as u32)) {
                        continue;
                    }
                    for row in run {
                        let is_it = match by {
                            By::Patient => numbers.list().iter().any(|&one| is_key(one as u32)),
                            _ => numbers.optional().is_some_and(|&one| is_key(one as u32)),
                        };
                        if is_it {
                            places.push(before + row as u64);
                        }
                    }
                }
            }
            before += self.rows.rows_in(group) as u64;
        }
        Ok(places)
    }

    /// Pages of a row group that may hold rows of spans of time, which are sorted and apart, as runs of
    /// rows; all of it if the file does not say which times its pages hold.
    fn runs_within(&self, group: usize, spans: &[(i64, i64)]) -> Result<Vec<Range<usize>>> {
        let meets = |least: i64, most: i64| {
            let after = spans.partition_point(|&(_, last)| last < least);
            spans.get(after).is_some_and(|&(first, _)| first <= most)
        };
        let pages = self.rows.bounds(group, AT)?.into_iter();
        Ok(pages.filter(|&(_, least, most)| meets(least, most)).map(|(rows, ..)| rows).collect())
    }

    /// The inputs from which rows came, each once.
    pub(crate) fn inputs(&self) -> Result<BTreeSet<u32>> {
        let mut found = BTreeSet::new();
        if let Some(evidence) = &self.evidence {
            for group in 0..evidence.row_groups() {
                let files = whole::<Int32Type>(evidence, group, FILE)?;
                found.extend(files.values().iter().map(|&file| file as u32));
            }
        }
        Ok(found)
    }

    /// When each row was, and the number of its source.
    pub(crate) fn heard(&self) -> Result<Vec<(i64, u32)>> {
        let mut heard = Vec::new();
        for group in 0..self.rows.row_groups() {
            let times = whole::<Int64Type>(&self.rows, group, AT)?;
            let mut sources = whole::<Int32Type>(&self.rows, group, SOURCE)?;
            let source = |&at| (at, sources.optional().map_or(NOBODY, |&source| source as u32));
            heard.extend(times.values().iter().map(source));
        }
        Ok(heard)
    }

    /// Places of the rows of one source: one column is read, and no other.
    pub(crate) fn places_of_source(&self, source: u32) -> Result<Vec<u64>> {
        let (mut places, mut before) = (Vec::new(), 0);
        for group in 0..self.rows.row_groups() {
            let rows = self.rows.rows_in(group) as u64;
            let mut sources = whole::<Int32Type>(&self.rows, group, SOURCE)?;
            let is_it = |_: &u64| sources.optional().is_some_and(|&one| one as u32 == source);
            places.extend((before..before + rows).filter(is_it));
            before += rows;
        }
        Ok(places)
    }

    /// The ids of all rows with their times, in order.
    pub(crate) fn ids(&self) -> Result<Vec<(i64, u128)>> {
        let Some(evidence) = &self.evidence else { return Ok(Vec::new()) };
        let mut ids = Cursor::<IdColumn>::all(evidence);
        let mut found = Vec::with_capacity(self.rows.rows() as usize);
        for group in 0..self.rows.row_groups() {
            for &at in whole::<Int64Type>(&self.rows, group, AT)?.values() {
                found.push((at, ids.next()?.ok_or_else(|| evidence.wrong())?));
            }
        }
        Ok(found)
    }
}

/// A column of a row group, all of it read.
fn whole<T: DataType>(file: &ParquetFile, group: usize, column: usize) -> Result<Column<T>> {
    let mut column = Column::open(file, group, column)?;
    column.read(file, std::slice::from_ref(&(0..file.rows_in(group))))?;
    Ok(column)
}

fn each_of<C: for<'c> Columns<Row<'c> = Row<'c>>>(
    mut rows: Cursor<'_, C>,
    mut found: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    while let Some(row) = rows.next()? {
        found(&row)?;
    }
    Ok(())
}

fn open(path: &Path, part: Part, number: u64, key: &[u8; KEY_BYTES]) -> Result<ParquetFile> {
    let file = ParquetFile::open(path, key)?;
    let number = number.to_string();
    let is_it = file.note(NOTE_NUMBER) == Some(number.as_str())
        && file.note(NOTE_PART) == Some(part.word());
    if is_it {
        return Ok(file);
    }
    Err(StoreError::damaged(path, "it is another file of the store"))
}

/// Where one of a segment's files does not open; none if all of it does.
pub(crate) fn damage(
    path: &Path,
    part: Part,
    number: u64,
    key: &[u8; KEY_BYTES],
) -> Result<Option<Damage>> {
    open(path, part, number, key)?.first_damage()
}
