//! Rows and evidence out of their columns.

use super::column::{Column, Columns, Runs};
use super::pages::ParquetFile;
use super::schema::{
    ACTION, AT, CLIENT, FLAGS, FOUND_BY, HOST, ID, IDENTITY, KIND, ON_BEHALF_OF, OUTCOME, PATIENT,
    PURPOSE, REASON, RESOURCE, SESSION, SOURCE,
};
use crate::error::Result;
use crate::row::{
    Evidence, NOBODY, NONCE_BYTES, Row, action_of, flags_of, found_by_of, kind_of, outcome_of,
};
use bavn_model::{Kind, Outcome};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArrayType, Int32Type, Int64Type};
use std::borrow::Cow;

/// What a row says of who, whom, when and where: the columns that most questions are about. The rows
/// that these lend have nothing of the others.
pub(super) struct BareColumns {
    at: Column<Int64Type>,
    identity: Column<Int32Type>,
    client: Column<Int32Type>,
    patients: Column<Int32Type>,
    host: Column<Int32Type>,
    source: Column<Int32Type>,
    kind: Column<ByteArrayType>,
    outcome: Column<ByteArrayType>,
    flags: Column<Int32Type>,
}

impl Columns for BareColumns {
    type Row<'c> = Row<'c>;

    fn open(file: &ParquetFile, group: usize) -> Result<Self> {
        Ok(Self {
            at: Column::open(file, group, AT)?,
            identity: Column::open(file, group, IDENTITY)?,
            client: Column::open(file, group, CLIENT)?,
            patients: Column::open(file, group, PATIENT)?,
            host: Column::open(file, group, HOST)?,
            source: Column::open(file, group, SOURCE)?,
            kind: Column::open(file, group, KIND)?,
            outcome: Column::open(file, group, OUTCOME)?,
            flags: Column::open(file, group, FLAGS)?,
        })
    }

    fn read(&mut self, file: &ParquetFile, runs: &Runs) -> Result<()> {
        self.at.read(file, runs)?;
        self.identity.read(file, runs)?;
        self.client.read(file, runs)?;
        self.patients.read(file, runs)?;
        self.host.read(file, runs)?;
        self.source.read(file, runs)?;
        self.kind.read(file, runs)?;
        self.outcome.read(file, runs)?;
        self.flags.read(file, runs)
    }

    fn next(&mut self) -> Row<'_> {
        Row {
            at: self.at.required().copied().unwrap_or_default(),
            identity: number(&mut self.identity),
            on_behalf_of: NOBODY,
            client: number(&mut self.client),
            host: number(&mut self.host),
            source: number(&mut self.source),
            patients: self.patients.list().iter().map(|&patient| patient as u32).collect(),
            session: None,
            resource: None,
            purpose: None,
            reason: None,
            action: None,
            kind: word(&mut self.kind).and_then(kind_of).unwrap_or(Kind::Other),
            found_by: None,
            outcome: word(&mut self.outcome).and_then(outcome_of).unwrap_or(Outcome::Unknown),
            flags: flags_of(self.flags.required().copied().unwrap_or_default() as u16),
        }
    }
}

/// All columns of a segment's rows.
pub(super) struct RowColumns {
    bare: BareColumns,
    on_behalf_of: Column<Int32Type>,
    session: Column<ByteArrayType>,
    resource: Column<ByteArrayType>,
    purpose: Column<ByteArrayType>,
    reason: Column<ByteArrayType>,
    action: Column<ByteArrayType>,
    found_by: Column<ByteArrayType>,
}

impl Columns for RowColumns {
    type Row<'c> = Row<'c>;

    fn open(file: &ParquetFile, group: usize) -> Result<Self> {
        Ok(Self {
            bare: BareColumns::open(file, group)?,
            on_behalf_of: Column::open(file, group, ON_BEHALF_OF)?,
            session: Column::open(file, group, SESSION)?,
            resource: Column::open(file, group, RESOURCE)?,
            purpose: Column::open(file, group, PURPOSE)?,
            reason: Column::open(file, group, REASON)?,
            action: Column::open(file, group, ACTION)?,
            found_by: Column::open(file, group, FOUND_BY)?,
        })
    }

    fn read(&mut self, file: &ParquetFile, runs: &Runs) -> Result<()> {
        self.bare.read(file, runs)?;
        self.on_behalf_of.read(file, runs)?;
        self.session.read(file, runs)?;
        self.resource.read(file, runs)?;
        self.purpose.read(file, runs)?;
        self.reason.read(file, runs)?;
        self.action.read(file, runs)?;
        self.found_by.read(file, runs)
    }

    fn next(&mut self) -> Row<'_> {
        Row {
            on_behalf_of: number(&mut self.on_behalf_of),
            session: text(&mut self.session),
            resource: text(&mut self.resource),
            purpose: text(&mut self.purpose),
            reason: text(&mut self.reason),
            action: word(&mut self.action).and_then(action_of),
            found_by: word(&mut self.found_by).and_then(found_by_of),
            ..self.bare.next()
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
