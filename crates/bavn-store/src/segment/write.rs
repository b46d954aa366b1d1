//! Rows into an encrypted Parquet file, row group by row group.

use super::schema::{AT, FLAGS, NUMBERS, PATIENT, Part, WORDS};
use crate::error::{Result, StoreError, io};
use crate::keys::KEY_BYTES;
use crate::names::NameId;
use crate::row::{
    Evidence, NOBODY, NONCE_BYTES, Row, action_word, flag_bits, found_by_word, kind_word,
    outcome_word,
};
use bavn_model::Interner;
use bytes::Bytes;
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The two Parquet files of one segment, being written.
pub(crate) struct SegmentWriter {
    rows: PartWriter,
    evidence: PartWriter,
    columns: Columns,
    said: Said,
    count: u64,
}

impl std::fmt::Debug for SegmentWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentWriter").field("rows", &self.count).finish_non_exhaustive()
    }
}

impl SegmentWriter {
    pub(crate) fn create(
        rows: &Path,
        evidence: &Path,
        number: u64,
        key: &[u8; KEY_BYTES],
    ) -> Result<Self> {
        Ok(Self {
            rows: PartWriter::create(rows, Part::Rows, number, key)?,
            evidence: PartWriter::create(evidence, Part::Evidence, number, key)?,
            columns: Columns::default(),
            said: Said::default(),
            count: 0,
        })
    }

    pub(crate) fn push(&mut self, row: &Row<'_>, evidence: &Evidence<'_>) -> Result<()> {
        self.columns.push(row);
        self.said.push(evidence);
        self.count += 1;
        if self.columns.at.len() == GROUP_ROWS {
            self.flush_rows()?;
        }
        if self.said.files.len() == GROUP_EVIDENCE || self.said.originals.bytes.len() >= GROUP_BYTES
        {
            self.flush_evidence()?;
        }
        Ok(())
    }

    /// Ends both files, durably.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.flush_rows()?;
        self.flush_evidence()?;
        self.rows.finish()?;
        self.evidence.finish()
    }

    fn flush_rows(&mut self) -> Result<()> {
        if self.columns.at.is_empty() {
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns);
        self.rows.group(|group| columns.write(group))
    }

    fn flush_evidence(&mut self) -> Result<()> {
        if self.said.files.is_empty() {
            return Ok(());
        }
        let said = std::mem::take(&mut self.said);
        self.evidence.group(|group| said.write(group))
    }
}

/// One Parquet file being written.
struct PartWriter {
    path: PathBuf,
    file: SerializedFileWriter<File>,
}

type Group<'a> = SerializedRowGroupWriter<'a, File>;

impl PartWriter {
    fn create(path: &Path, part: Part, number: u64, key: &[u8; KEY_BYTES]) -> Result<Self> {
        let file = File::create(path).map_err(io(path, "written"))?;
        let properties = part.properties(number, key)?;
        let file =
            SerializedFileWriter::new(file, part.schema()?, properties).map_err(failed(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn group(
        &mut self,
        write: impl FnOnce(&mut Group<'_>) -> parquet::errors::Result<()>,
    ) -> Result<()> {
        let mut group = self.file.next_row_group().map_err(failed(&self.path))?;
        write(&mut group).map_err(failed(&self.path))?;
        group.close().map_err(failed(&self.path))?;
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        // Not `into_inner`, which makes words of the disk's error.
        self.file.finish().map_err(failed(&self.path))?;
        self.file.inner().sync_all().map_err(io(&self.path, "written"))
    }
}

/// What fails while a file is written is the disk.
fn failed(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> StoreError + '_ {
    use parquet::errors::ParquetError;
    move |error| match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(error) => io(path, "written")(*error),
            Err(_) => StoreError::Library { doing: "writing a segment" },
        },
        error => io(path, "written")(std::io::Error::other(error.to_string())),
    }
}

/// Rows as columns. Numbers that are absent stand as [`NOBODY`].
#[derive(Default)]
struct Columns {
    at: Vec<i64>,
    numbers: [Vec<u32>; NUMBERS.len()],
    patients: Vec<i32>,
    patients_of: Vec<u16>,
    words: [Words; WORDS.len()],
    flags: Vec<i32>,
}

impl Columns {
    fn push(&mut self, row: &Row<'_>) {
        self.at.push(row.at);
        let numbers = [row.identity, row.on_behalf_of, row.client, row.host, row.source];
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
        self.patients.extend(row.patients.iter().map(|&patient| patient as i32));
        self.patients_of.push(row.patients.len() as u16);
        let words = [
            row.session.as_deref(),
            row.resource.as_deref(),
            row.purpose.as_deref(),
            row.reason.as_deref(),
            row.action.map(action_word),
            Some(kind_word(row.kind)),
            row.found_by.map(found_by_word),
            Some(outcome_word(row.outcome)),
        ];
        for (column, word) in self.words.iter_mut().zip(words) {
            column.push(word);
        }
        self.flags.push(i32::from(flag_bits(row.flags)));
    }

    fn write(&self, group: &mut Group<'_>) -> parquet::errors::Result<()> {
        let (mut numbers, mut words) = (self.numbers.iter(), self.words.iter());
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            match number {
                AT => {
                    column.typed::<Int64Type>().write_batch(&self.at, None, None)?;
                }
                PATIENT => {
                    let (defined, repeated) = self.patient_levels();
                    column.typed::<Int32Type>().write_batch(
                        &self.patients,
                        Some(&defined),
                        Some(&repeated),
                    )?;
                }
                FLAGS => {
                    column.typed::<Int32Type>().write_batch(&self.flags, None, None)?;
                }
                place if NUMBERS.contains(&place) => {
                    let all = numbers.next().map_or(&[][..], Vec::as_slice);
                    let (values, defined) = present(all);
                    column.typed::<Int32Type>().write_batch(&values, Some(&defined), None)?;
                }
                _ => {
                    if let Some(all) = words.next() {
                        let (values, defined) = all.values();
                        let defined = Some(defined.as_slice());
                        column.typed::<ByteArrayType>().write_batch(&values, defined, None)?;
                    }
                }
            }
            column.close()?;
            number += 1;
        }
        Ok(())
    }

    /// Definition and repetition levels of the list of patients.
    fn patient_levels(&self) -> (Vec<i16>, Vec<i16>) {
        let (mut defined, mut repeated) = (Vec::new(), Vec::new());
        for &count in &self.patients_of {
            defined.push(i16::from(count > 0));
            repeated.push(0);
            for _ in 1..count {
                defined.push(1);
                repeated.push(1);
            }
        }
        (defined, repeated)
    }
}

/// The numbers that are there, and where.
fn present(all: &[u32]) -> (Vec<i32>, Vec<i16>) {
    let values = all.iter().filter(|&&number| number != NOBODY).map(|&number| number as i32);
    (values.collect(), all.iter().map(|&number| i16::from(number != NOBODY)).collect())
}

/// A column of words that repeat.
#[derive(Default)]
struct Words {
    known: Interner<NameId>,
    rows: Vec<u32>,
}

impl Words {
    fn push(&mut self, word: Option<&str>) {
        self.rows.push(word.map_or(NOBODY, |word| self.known.intern(word).0));
    }

    fn values(&self) -> (Vec<ByteArray>, Vec<i16>) {
        let text = |number| Bytes::copy_from_slice(self.known.name(NameId(number)).as_bytes());
        let texts: Vec<ByteArray> =
            (0..self.known.len() as u32).map(|number| text(number).into()).collect();
        let values = self.rows.iter().filter_map(|&row| texts.get(row as usize).cloned());
        (values.collect(), self.rows.iter().map(|&row| i16::from(row != NOBODY)).collect())
    }
}

/// What the source said, as columns.
#[derive(Default)]
struct Said {
    ids: Vec<u8>,
    nonces: Vec<u8>,
    files: Vec<i32>,
    lines: Vec<i64>,
    entries: Vec<u32>,
    byte_offsets: Vec<i64>,
    queries: Texts,
    originals: Texts,
}

impl Said {
    fn push(&mut self, evidence: &Evidence<'_>) {
        self.ids.extend_from_slice(&evidence.id.to_be_bytes());
        self.nonces.extend_from_slice(&evidence.nonce);
        self.files.push(evidence.file as i32);
        self.lines.push(evidence.line as i64);
        self.entries.push(evidence.entry);
        self.byte_offsets.push(evidence.byte_offset as i64);
        self.queries.push(evidence.query.as_deref().map(str::as_bytes));
        self.originals.push(evidence.original.as_deref());
    }

    fn write(self, group: &mut Group<'_>) -> parquet::errors::Result<()> {
        let mut fixed = [self.ids, self.nonces].into_iter();
        let mut longs = [self.lines, self.byte_offsets].into_iter();
        let mut texts = [self.queries, self.originals].into_iter();
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            match number {
                0 | 1 => {
                    let all = Bytes::from(fixed.next().unwrap_or_default());
                    let places = (0..all.len()).step_by(NONCE_BYTES);
                    let values: Vec<FixedLenByteArray> = places
                        .map(|at| ByteArray::from(all.slice(at..at + NONCE_BYTES)).into())
                        .collect();
                    column.typed::<FixedLenByteArrayType>().write_batch(&values, None, None)?;
                }
                2 => {
                    column.typed::<Int32Type>().write_batch(&self.files, None, None)?;
                }
                4 => {
                    let (values, defined) = present(&self.entries);
                    column.typed::<Int32Type>().write_batch(&values, Some(&defined), None)?;
                }
                3 | 5 => {
                    let values = longs.next().unwrap_or_default();
                    column.typed::<Int64Type>().write_batch(&values, None, None)?;
                }
                _ => {
                    let (values, defined) = texts.next().unwrap_or_default().values();
                    column.typed::<ByteArrayType>().write_batch(&values, Some(&defined), None)?;
                }
            }
            column.close()?;
            number += 1;
        }
        Ok(())
    }
}

/// A column of texts that seldom repeat, one behind the other.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    /// None where there is no text.
    ends: Vec<Option<usize>>,
}

impl Texts {
    fn push(&mut self, text: Option<&[u8]>) {
        self.bytes.extend_from_slice(text.unwrap_or_default());
        self.ends.push(text.map(|_| self.bytes.len()));
    }

    fn values(self) -> (Vec<ByteArray>, Vec<i16>) {
        let bytes = Bytes::from(self.bytes);
        let mut start = 0;
        let text = |&end: &usize| bytes.slice(std::mem::replace(&mut start, end)..end).into();
        let values = self.ends.iter().flatten().map(text).collect();
        (values, self.ends.iter().map(|end| i16::from(end.is_some())).collect())
    }
}

/// Dictionaries of identities and hosts come once a row group: long ones cost little a row.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_EVIDENCE: usize = 1 << 17;
/// Original bytes that wait in memory.
const GROUP_BYTES: usize = 32 << 20;
