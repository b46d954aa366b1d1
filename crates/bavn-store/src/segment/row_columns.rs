//! Rows and evidence out of their columns.

use super::column::{Column, Columns, Runs};
use super::pages::ParquetFile;
use super::schema::{AT, FLAGS, ID, NUMBERS, PATIENT, WORDS};
use crate::error::Result;
use crate::row::{
    Evidence, NOBODY, NONCE_BYTES, Row, action_of, flags_of, found_by_of, kind_of, outcome_of,
};
use bavn_model::{Kind, Outcome};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArrayType, Int32Type, Int64Type};
use std::borrow::Cow;

/// The columns of a segment's rows.
pub(super) struct RowColumns {
    at: Column<Int64Type>,
    numbers: [Column<Int32Type>; NUMBERS.len()],
    patients: Column<Int32Type>,
    words: [Column<ByteArrayType>; WORDS.len()],
    flags: Column<Int32Type>,
}

impl Columns for RowColumns {
    type Row<'c> = Row<'c>;

    fn open(file: &ParquetFile, group: usize) -> Result<Self> {
        Ok(Self {
            at: Column::open(file, group, AT)?,
            numbers: all(NUMBERS, |column| Column::open(file, group, column))?,
            patients: Column::open(file, group, PATIENT)?,
            words: all(WORDS, |column| Column::open(file, group, column))?,
            flags: Column::open(file, group, FLAGS)?,
        })
    }

    fn read(&mut self, file: &ParquetFile, runs: &Runs) -> Result<()> {
        self.at.read(file, runs)?;
        self.numbers.iter_mut().try_for_each(|column| column.read(file, runs))?;
        self.patients.read(file, runs)?;
        self.words.iter_mut().try_for_each(|column| column.read(file, runs))?;
        self.flags.read(file, runs)
    }

    fn next(&mut self) -> Row<'_> {
        let [identity, on_behalf_of, client, host, source] = &mut self.numbers;
        let [session, resource, purpose, reason, action, kind, found_by, outcome] = &mut self.words;
        Row {
            at: self.at.required().copied().unwrap_or_default(),
            identity: number(identity),
            on_behalf_of: number(on_behalf_of),
            client: number(client),
            host: number(host),
            source: number(source),
            patients: self.patients.list().iter().map(|&patient| patient as u32).collect(),
            session: text(session),
            resource: text(resource),
            purpose: text(purpose),
            reason: text(reason),
            action: word(action).and_then(action_of),
            kind: word(kind).and_then(kind_of).unwrap_or(Kind::Other),
            found_by: word(found_by).and_then(found_by_of),
            outcome: word(outcome).and_then(outcome_of).unwrap_or(Outcome::Unknown),
            flags: flags_of(self.flags.required().copied().unwrap_or_default() as u16),
        }
    }
}

/// The columns of what the source said.
pub(super) struct EvidenceColumns {
    id: Column<FixedLenByteArrayType>,
    nonce: Column<FixedLenByteArrayType>,
    file: Column<Int32Type>,
    line: Column<Int64Type>,
    entry: Column<Int32Type>,
    byte_offset: Column<Int64Type>,
    query: Column<ByteArrayType>,
    original: Column<ByteArrayType>,
}

impl Columns for EvidenceColumns {
    type Row<'c> = Evidence<'c>;

    fn open(file: &ParquetFile, group: usize) -> Result<Self> {
        Ok(Self {
            id: Column::open(file, group, ID)?,
            nonce: Column::open(file, group, 1)?,
            file: Column::open(file, group, 2)?,
            line: Column::open(file, group, 3)?,
            entry: Column::open(file, group, 4)?,
            byte_offset: Column::open(file, group, 5)?,
            query: Column::open(file, group, 6)?,
            original: Column::open(file, group, 7)?,
        })
    }

    fn read(&mut self, file: &ParquetFile, runs: &Runs) -> Result<()> {
        self.id.read(file, runs)?;
        self.nonce.read(file, runs)?;
        self.file.read(file, runs)?;
        self.line.read(file, runs)?;
        self.entry.read(file, runs)?;
        self.byte_offset.read(file, runs)?;
        self.query.read(file, runs)?;
        self.original.read(file, runs)
    }

    fn next(&mut self) -> Evidence<'_> {
        Evidence {
            id: u128::from_be_bytes(fixed(&mut self.id)),
            nonce: fixed::<NONCE_BYTES>(&mut self.nonce),
            file: self.file.required().copied().unwrap_or_default() as u32,
            line: self.line.required().copied().unwrap_or_default() as u64,
            entry: number(&mut self.entry),
            byte_offset: self.byte_offset.required().copied().unwrap_or_default() as u64,
            query: text(&mut self.query),
            original: self.original.optional().map(ByteArray::data).map(Cow::Borrowed),
        }
    }
}

/// The column of the ids alone.
pub(super) struct IdColumn(Column<FixedLenByteArrayType>);

impl Columns for IdColumn {
    type Row<'c> = u128;

    fn open(file: &ParquetFile, group: usize) -> Result<Self> {
        Ok(Self(Column::open(file, group, ID)?))
    }

    fn read(&mut self, file: &ParquetFile, runs: &Runs) -> Result<()> {
        self.0.read(file, runs)
    }

    fn next(&mut self) -> u128 {
        u128::from_be_bytes(fixed(&mut self.0))
    }
}

fn all<T, const N: usize>(
    columns: [usize; N],
    open: impl Fn(usize) -> Result<T>,
) -> Result<[T; N]> {
    let mut opened = Vec::with_capacity(N);
    for column in columns {
        opened.push(open(column)?);
    }
    let wrong = |_| crate::error::StoreError::Library { doing: "opening columns" };
    opened.try_into().map_err(wrong)
}

/// [`NOBODY`] where there is none.
fn number(column: &mut Column<Int32Type>) -> u32 {
    column.optional().map_or(NOBODY, |&number| number as u32)
}

fn word(column: &mut Column<ByteArrayType>) -> Option<&[u8]> {
    column.optional().map(ByteArray::data)
}

fn text(column: &mut Column<ByteArrayType>) -> Option<Cow<'_, str>> {
    word(column).map(String::from_utf8_lossy)
}

fn fixed<const N: usize>(column: &mut Column<FixedLenByteArrayType>) -> [u8; N] {
    let value = column.required().and_then(|value| value.data().try_into().ok());
    value.unwrap_or([0; N])
}
