//! Rows back from a segment's two files.

use super::pages::{Damage, ParquetFile};
use super::schema::{
    AT, CLIENT, FLAGS, HOST, IDENTITY, NOTE_NUMBER, NOTE_PART, NUMBERS, PATIENT, Part, SOURCE,
    WORDS,
};
use crate::error::{Result, StoreError};
use crate::index::By;
use crate::keys::KEY_BYTES;
use crate::row::{
    Evidence, NOBODY, NONCE_BYTES, Row, action_of, flags_of, found_by_of, kind_of, outcome_of,
};
use bavn_model::{Kind, Outcome};
use foldhash::fast::FixedState;
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use smallvec::SmallVec;
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
    pub(crate) fn each(
        &self,
        mut found: impl FnMut(u64, Row<'static>) -> Result<()>,
    ) -> Result<()> {
        let mut place = 0;
        for group in 0..self.rows.row_groups() {
            for row in read_rows(&self.rows, group, &whole(&self.rows, group))? {
                found(place, row)?;
                place += 1;
            }
        }
        Ok(())
    }

    /// Calls `found` for every row with what the source said of it.
    pub(crate) fn each_with_evidence(
        &self,
        mut found: impl FnMut(u64, &Row<'_>, &Evidence<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(evidence) = &self.evidence else { return Ok(()) };
        let mut groups = 0..evidence.row_groups();
        let mut said = Vec::new().into_iter();
        self.each(|place, row| {
            let next = loop {
                match said.next() {
                    Some(next) => break next,
                    None => match groups.next() {
                        Some(group) => {
                            said = read_evidence(evidence, group, &whole(evidence, group))?
                                .into_iter();
                        }
                        None => return Err(evidence.wrong()),
                    },
                }
            };
            found(place, &row, &next)
        })
    }

    /// One row, by its place in the segment.
    pub(crate) fn at(&self, place: u64) -> Result<Option<(Row<'static>, Evidence<'static>)>> {
        let Some(evidence) = &self.evidence else { return Ok(None) };
        let row = in_groups(&self.rows, &[place], read_rows)?.pop();
        Ok(row.zip(in_groups(evidence, &[place], read_evidence)?.pop()))
    }

    /// Rows by their places, which are sorted, each with its id. Opens only pages that hold one.
    pub(crate) fn pick(&self, places: &[u64]) -> Result<Vec<(Row<'static>, u128)>> {
        let Some(evidence) = &self.evidence else { return Ok(Vec::new()) };
        let rows = in_groups(&self.rows, places, read_rows)?;
        let ids = in_groups(evidence, places, |file, group, runs| fixed(file, group, 0, runs))?;
        Ok(rows.into_iter().zip(ids.into_iter().map(u128::from_be_bytes)).collect())
    }

    /// Places of the rows that concern one of the keys: one column is read, and no other.
    pub(crate) fn places(&self, by: By, keys: &BTreeSet<u32>) -> Result<Vec<u64>> {
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
            let runs = whole(&self.rows, group);
            let mut note = |row: usize, is_it: bool| {
                if is_it {
                    places.push(before + row as u64);
                }
            };
            if by == By::Patient {
                let Levelled { values, defined, repeated } =
                    levelled(&self.rows, group, column, &runs)?;
                let mut values = values.into_iter();
                let mut row = 0_usize;
                let mut last = None;
                for (level, again) in defined.into_iter().zip(repeated) {
                    row += usize::from(again == 0);
                    let is_it = level > 0 && values.next().is_some_and(|one| is_key(one as u32));
                    if is_it && last != Some(row) {
                        last = Some(row);
                        note(row - 1, true);
                    }
                }
            } else {
                let rows = numbers(&self.rows, group, column, &runs)?.into_iter().enumerate();
                rows.for_each(|(row, one)| note(row, is_key(one)));
            }
            before += self.rows.rows_in(group) as u64;
        }
        Ok(places)
    }

    /// The inputs from which rows came, each once.
    pub(crate) fn inputs(&self) -> Result<BTreeSet<u32>> {
        let mut found = BTreeSet::new();
        if let Some(evidence) = &self.evidence {
            for group in 0..evidence.row_groups() {
                found.extend(plain_numbers(evidence, group, 2, &whole(evidence, group))?);
            }
        }
        Ok(found)
    }

    /// When each row was, and the number of its source.
    pub(crate) fn heard(&self) -> Result<Vec<(i64, u32)>> {
        let mut heard = Vec::new();
        for group in 0..self.rows.row_groups() {
            let runs = whole(&self.rows, group);
            let times = longs(&self.rows, group, AT, &runs)?;
            heard.extend(times.into_iter().zip(numbers(&self.rows, group, SOURCE, &runs)?));
        }
        Ok(heard)
    }

    /// The ids of all rows with their times, in order.
    pub(crate) fn ids(&self) -> Result<Vec<(i64, u128)>> {
        let Some(evidence) = &self.evidence else { return Ok(Vec::new()) };
        let mut times = Vec::new();
        for group in 0..self.rows.row_groups() {
            times.extend(longs(&self.rows, group, AT, &whole(&self.rows, group))?);
        }
        let mut ids = Vec::with_capacity(times.len());
        for group in 0..evidence.row_groups() {
            for id in fixed(evidence, group, 0, &whole(evidence, group))? {
                ids.push(u128::from_be_bytes(id));
            }
        }
        Ok(times.into_iter().zip(ids).collect())
    }
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

/// What stands at places, which are sorted; reads only row groups that hold one.
fn in_groups<T>(
    file: &ParquetFile,
    places: &[u64],
    read: impl Fn(&ParquetFile, usize, &Runs) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    let (mut found, mut before, mut rest) = (Vec::new(), 0, places);
    for group in 0..file.row_groups() {
        let end = before + file.rows_in(group) as u64;
        let (here, after) = rest.split_at(rest.partition_point(|&place| place < end));
        let mut runs: Vec<Range<usize>> = Vec::new();
        for row in here.iter().filter_map(|place| Some(place.checked_sub(before)? as usize)) {
            match runs.last_mut() {
                Some(run) if run.end == row => run.end += 1,
                _ => runs.push(row..row + 1),
            }
        }
        if !runs.is_empty() {
            found.extend(read(file, group, &runs)?);
        }
        (before, rest) = (end, after);
    }
    Ok(found)
}

fn read_rows(file: &ParquetFile, group: usize, runs: &Runs) -> Result<Vec<Row<'static>>> {
    let at = longs(file, group, AT, runs)?;
    let [who, behalf, client, host, source] = {
        let mut columns = NUMBERS.map(|column| numbers(file, group, column, runs));
        let mut taken = [const { Vec::new() }; NUMBERS.len()];
        for (slot, column) in taken.iter_mut().zip(&mut columns) {
            *slot = std::mem::replace(column, Ok(Vec::new()))?;
        }
        taken
    };
    let patients = lists(file, group, PATIENT, runs)?;
    let mut words = [const { Vec::new() }; WORDS.len()];
    for (slot, column) in words.iter_mut().zip(WORDS) {
        *slot = texts(file, group, column, runs)?;
    }
    let flags = plain_numbers(file, group, FLAGS, runs)?;
    let number = |column: &[u32], row: usize| column.get(row).copied().unwrap_or(NOBODY);
    let mut rows = Vec::with_capacity(at.len());
    for (row, (at, patients)) in at.into_iter().zip(patients).enumerate() {
        let word = |column: usize| {
            words.get(column).and_then(|texts| texts.get(row)?.as_ref()).map(ByteArray::data)
        };
        let text = |column: usize| {
            word(column).map(|bytes| String::from_utf8_lossy(bytes).into_owned().into())
        };
        rows.push(Row {
            at,
            identity: number(&who, row),
            on_behalf_of: number(&behalf, row),
            client: number(&client, row),
            host: number(&host, row),
            source: number(&source, row),
            patients,
            session: text(0),
            resource: text(1),
            purpose: text(2),
            reason: text(3),
            action: word(4).and_then(action_of),
            kind: word(5).and_then(kind_of).unwrap_or(Kind::Other),
            found_by: word(6).and_then(found_by_of),
            outcome: word(7).and_then(outcome_of).unwrap_or(Outcome::Unknown),
            flags: flags_of(flags.get(row).copied().unwrap_or(0) as u16),
        });
    }
    Ok(rows)
}

fn read_evidence(file: &ParquetFile, group: usize, runs: &Runs) -> Result<Vec<Evidence<'static>>> {
    let (ids, nonces) = (fixed(file, group, 0, runs)?, fixed::<NONCE_BYTES>(file, group, 1, runs)?);
    let (files, lines) = (plain_numbers(file, group, 2, runs)?, longs(file, group, 3, runs)?);
    let (entries, offsets) = (numbers(file, group, 4, runs)?, longs(file, group, 5, runs)?);
    let (queries, originals) = (texts(file, group, 6, runs)?, texts(file, group, 7, runs)?);
    let all = ids.into_iter().zip(nonces).zip(files.into_iter().zip(lines));
    let all = all.zip(entries.into_iter().zip(offsets)).zip(queries.into_iter().zip(originals));
    Ok(all
        .map(|((((id, nonce), (file, line)), (entry, byte_offset)), (query, original))| Evidence {
            id: u128::from_be_bytes(id),
            nonce,
            file,
            line: line as u64,
            entry,
            byte_offset: byte_offset as u64,
            query: query.map(|text| String::from_utf8_lossy(text.data()).into_owned().into()),
            original: original.map(|bytes| bytes.data().to_vec().into()),
        })
        .collect())
}

/// Reads the wanted rows of a column of a row group: values, and the levels of each.
macro_rules! read_all {
    ($file:expr, $group:expr, $column:expr, $runs:expr, $variant:path, $defined:expr, $repeated:expr) => {{
        let $variant(mut reader) = $file.column($group, $column)? else {
            return Err($file.wrong());
        };
        let mut values = Vec::with_capacity(count($runs));
        let mut at = 0;
        for run in $runs {
            if run.start > at {
                match reader.skip_records(run.start - at) {
                    Ok(skipped) if skipped == run.start - at => {}
                    _ => return Err($file.wrong()),
                }
            }
            match reader.read_records(run.len(), $defined, $repeated, &mut values) {
                Ok((records, ..)) if records == run.len() => {}
                _ => return Err($file.wrong()),
            }
            at = run.end;
        }
        values
    }};
}

/// Rows of a row group, in order.
type Runs = [Range<usize>];

fn count(runs: &Runs) -> usize {
    runs.iter().map(ExactSizeIterator::len).sum()
}

fn whole(file: &ParquetFile, group: usize) -> [Range<usize>; 1] {
    std::array::from_fn(|_| 0..file.rows_in(group))
}

fn longs(file: &ParquetFile, group: usize, column: usize, runs: &Runs) -> Result<Vec<i64>> {
    Ok(read_all!(file, group, column, runs, ColumnReader::Int64ColumnReader, None, None))
}

fn plain_numbers(file: &ParquetFile, group: usize, column: usize, runs: &Runs) -> Result<Vec<u32>> {
    let values = read_all!(file, group, column, runs, ColumnReader::Int32ColumnReader, None, None);
    Ok(values.into_iter().map(|number: i32| number as u32).collect())
}

/// A number for each row, [`NOBODY`] where there is none.
fn numbers(file: &ParquetFile, group: usize, column: usize, runs: &Runs) -> Result<Vec<u32>> {
    let mut defined = Vec::new();
    let values = read_all!(
        file,
        group,
        column,
        runs,
        ColumnReader::Int32ColumnReader,
        Some(&mut defined),
        None
    );
    let mut values = values.into_iter();
    Ok(defined
        .into_iter()
        .map(|level: i16| match level {
            0 => NOBODY,
            _ => values.next().map_or(NOBODY, |number: i32| number as u32),
        })
        .collect())
}

/// The values of a column of lists, each with its levels.
struct Levelled {
    values: Vec<i32>,
    defined: Vec<i16>,
    repeated: Vec<i16>,
}

fn levelled(file: &ParquetFile, group: usize, column: usize, runs: &Runs) -> Result<Levelled> {
    let (mut defined, mut repeated) = (Vec::new(), Vec::new());
    let values = read_all!(
        file,
        group,
        column,
        runs,
        ColumnReader::Int32ColumnReader,
        Some(&mut defined),
        Some(&mut repeated)
    );
    Ok(Levelled { values, defined, repeated })
}

fn lists(
    file: &ParquetFile,
    group: usize,
    column: usize,
    runs: &Runs,
) -> Result<Vec<SmallVec<[u32; 2]>>> {
    let Levelled { values, defined, repeated } = levelled(file, group, column, runs)?;
    let mut values = values.into_iter();
    let mut lists: Vec<SmallVec<[u32; 2]>> = Vec::with_capacity(count(runs));
    for (level, again) in defined.into_iter().zip(repeated) {
        if again == 0 {
            lists.push(SmallVec::new());
        }
        if level > 0
            && let (Some(list), Some(value)) = (lists.last_mut(), values.next())
        {
            list.push(value as u32);
        }
    }
    Ok(lists)
}

fn texts(
    file: &ParquetFile,
    group: usize,
    column: usize,
    runs: &Runs,
) -> Result<Vec<Option<ByteArray>>> {
    let mut defined = Vec::new();
    let values = read_all!(
        file,
        group,
        column,
        runs,
        ColumnReader::ByteArrayColumnReader,
        Some(&mut defined),
        None
    );
    let mut values = values.into_iter();
    Ok(defined
        .into_iter()
        .map(|level: i16| if level == 0 { None } else { values.next() })
        .collect())
}

fn fixed<const N: usize>(
    file: &ParquetFile,
    group: usize,
    column: usize,
    runs: &Runs,
) -> Result<Vec<[u8; N]>> {
    let values = read_all!(
        file,
        group,
        column,
        runs,
        ColumnReader::FixedLenByteArrayColumnReader,
        None,
        None
    );
    values.iter().map(|value| value.data().try_into().map_err(|_| file.wrong())).collect()
}
