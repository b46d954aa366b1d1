//! One CSV file and the mapping that reads it: which column is which, and row after row.

use super::compile::Field;
use super::read::CsvCells;
use super::{Mapping, MappingError, Mappings, same_column};
use crate::Decoded;
use crate::csv::{Dialect, Encoding, Rows, first_line};
use bavn_model::{Origin, Reject, RejectReason};
use std::borrow::Cow;
use std::sync::Arc;

/// Called with each row's bytes, place and cells.
pub(crate) type RowFound<'f, 'a> =
    dyn FnMut(&'a [u8], Origin, Result<CsvCells<'_, 'a>, RejectReason>) + 'f;

/// One CSV file, bound to the mapping that reads it.
#[derive(Clone, Debug)]
pub struct CsvTable {
    mapping: Arc<Mapping>,
    dialect: Dialect,
    /// By slot of the mapping: the column that it reads.
    columns: Vec<Option<u32>>,
    width: u32,
    header_bytes: usize,
    header: Vec<String>,
}

impl CsvTable {
    /// Binds the file whose first bytes are `head` (the whole first line at least) to its mapping.
    /// `None`: no mapping is for it. The error is the mapping's: it names a column that the header
    /// lacks.
    pub fn open(
        mappings: &Mappings,
        file_name: &str,
        head: &[u8],
    ) -> Result<Option<Self>, MappingError> {
        Self::open_with(file_name, head, |name, header| mappings.find_for_header(name, header))
    }

    /// As [`Self::open`], for a file of context.
    pub fn open_context(
        mappings: &Mappings,
        file_name: &str,
        head: &[u8],
    ) -> Result<Option<Self>, MappingError> {
        Self::open_with(file_name, head, |name, header| {
            mappings.find_context_for_header(name, header)
        })
    }

    fn open_with<'m>(
        file_name: &str,
        head: &[u8],
        find: impl Fn(&str, &[&str]) -> Option<&'m Arc<Mapping>>,
    ) -> Result<Option<Self>, MappingError> {
        let (line, line_bytes) = first_line(head);
        // Which mapping it is must be known before its dialect is: the header is read as guessed.
        let guessed = Dialect { encoding: Encoding::Latin1, ..Dialect::guess(line) };
        let header = cells_of(line, guessed);
        let cells: Vec<&str> = header.iter().map(String::as_str).collect();
        let Some(mapping) = find(file_name, &cells) else { return Ok(None) };
        let mut dialect = mapping.dialect;
        if !mapping.delimiter_stated {
            dialect.delimiter = guessed.delimiter;
        }
        let (header, header_bytes) = if mapping.columns.is_empty() {
            (cells_of(line, dialect), line_bytes)
        } else {
            (mapping.columns.clone(), line_bytes_of_mark(head))
        };
        let columns: Vec<Option<u32>> = mapping
            .slots
            .iter()
            .map(|slot| {
                let name = slot.path.as_str();
                header.iter().position(|cell| same_column(cell, name)).map(|index| index as u32)
            })
            .collect();
        for field in &mapping.fields {
            mapping.check_columns(field, &columns)?;
        }
        let width = header.len() as u32;
        let mapping = Arc::clone(mapping);
        Ok(Some(Self { mapping, dialect, columns, width, header_bytes, header }))
    }

    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Bytes of the file before its first row; the header is one line.
    pub fn header_bytes(&self) -> usize {
        self.header_bytes
    }

    /// Lines of the file before its first row.
    pub fn header_lines(&self) -> u64 {
        u64::from(self.mapping.columns.is_empty())
    }

    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Decodes the whole rows of a block that begins where a row begins. `at` is where the block
    /// stands. Returns how many bytes and lines were read; what is left belongs before the next
    /// block.
    pub fn decode<'a>(
        &self,
        block: &'a [u8],
        at: Origin,
        last: bool,
        out: &mut Decoded<'a>,
    ) -> (usize, u64) {
        self.each_row(block, at, last, &mut |raw, origin, row| match row
            .and_then(|cells| self.mapping.record(&cells, raw, origin))
        {
            Ok(record) => out.records.push(record),
            Err(reason) => {
                out.rejects.push(Reject { origin, bytes: raw.len() as u64, reason });
            }
        })
    }

    /// Walks the rows of a block, each with its bytes and place.
    pub(crate) fn each_row<'a>(
        &self,
        block: &'a [u8],
        at: Origin,
        last: bool,
        found: &mut RowFound<'_, 'a>,
    ) -> (usize, u64) {
        let mut rows = Rows::new(block, self.dialect, last);
        let mut cells = Vec::new();
        while let Some((place, outcome)) = rows.read(&mut cells) {
            let origin = Origin {
                line: at.line + place.lines_before,
                byte_offset: at.byte_offset + place.offset as u64,
                ..at
            };
            let row = outcome.and_then(|()| self.check_width(&mut cells));
            let row = row.map(|()| CsvCells { cells: &cells, columns: &self.columns });
            found(place.raw, origin, row);
        }
        (rows.consumed(), rows.lines())
    }

    /// A delimiter at the end of every row makes one cell too many, and an empty one.
    fn check_width(&self, cells: &mut Vec<Cow<'_, str>>) -> Result<(), RejectReason> {
        if cells.len() as u32 == self.width + 1 && cells.last().is_some_and(|cell| cell.is_empty())
        {
            cells.pop();
        }
        let found = cells.len() as u32;
        let expected = self.width;
        if found == expected { Ok(()) } else { Err(RejectReason::ColumnCount { found, expected }) }
    }
}

impl Mapping {
    fn check_columns(&self, field: &Field, columns: &[Option<u32>]) -> Result<(), MappingError> {
        for further in field.also.iter().chain(field.when.as_deref()) {
            self.check_columns(further, columns)?;
        }
        let has = |slot: &usize| columns.get(*slot).copied().flatten().is_some();
        let from_lacks = !field.from.is_empty() && !field.from.iter().any(has);
        let join_lacks = field.join.iter().find(|slot| !has(slot));
        let lacks = match join_lacks {
            Some(slot) => Some(*slot),
            None if from_lacks => field.from.first().copied(),
            None => None,
        };
        match lacks {
            Some(slot) if !field.optional => Err(MappingError::MissingColumn {
                field: field.target.name().to_owned(),
                column: self
                    .slots
                    .get(slot)
                    .map_or_else(String::new, |slot| slot.path.as_str().to_owned()),
                span: field.span.clone(),
            }),
            _ => Ok(()),
        }
    }
}

fn cells_of(line: &[u8], dialect: Dialect) -> Vec<String> {
    let mut cells = Vec::new();
    let _read = Rows::new(line, dialect, true).read(&mut cells);
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

fn line_bytes_of_mark(head: &[u8]) -> usize {
    if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}
