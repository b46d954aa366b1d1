//! Columns of a row group, read some thousands of rows at a time and lent row by row.

use super::pages::ParquetFile;
use crate::error::Result;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::DataType;
use std::ops::Range;

/// Rows of a row group, in order.
pub(super) type Runs = [Range<usize>];

/// One column of one row group.
pub(super) struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// Row at which the reader stands.
    at: usize,
    values: Vec<T::T>,
    defined: Vec<i16>,
    repeated: Vec<i16>,
    /// Of what was read: what comes next.
    value: usize,
    level: usize,
}

impl<T: DataType> Column<T> {
    pub(super) fn open(file: &ParquetFile, group: usize, column: usize) -> Result<Self> {
        let reader = T::get_column_reader(file.column(group, column)?);
        Ok(Self {
            reader: reader.ok_or_else(|| file.wrong())?,
            at: 0,
            values: Vec::new(),
            defined: Vec::new(),
            repeated: Vec::new(),
            value: 0,
            level: 0,
        })
    }

    /// Reads rows behind those read before, which are forgotten.
    pub(super) fn read(&mut self, file: &ParquetFile, runs: &Runs) -> Result<()> {
        self.values.clear();
        self.defined.clear();
        self.repeated.clear();
        (self.value, self.level) = (0, 0);
        for run in runs {
            let before = run.start - self.at;
            // What has failed once is not asked again: the library would go on without a dictionary.
            if !self.reader.skip_records(before).is_ok_and(|skipped| skipped == before) {
                return Err(file.wrong());
            }
            let (defined, repeated) = (Some(&mut self.defined), Some(&mut self.repeated));
            let read = self.reader.read_records(run.len(), defined, repeated, &mut self.values);
            if !read.is_ok_and(|(records, ..)| records == run.len()) {
                return Err(file.wrong());
            }
            self.at = run.end;
        }
        Ok(())
    }

    /// The values that were read, one a row if the column always has one.
    pub(super) fn values(&self) -> &[T::T] {
        &self.values
    }

    /// The value of the next row, in a column that always has one.
    pub(super) fn required(&mut self) -> Option<&T::T> {
        self.value += 1;
        self.values.get(self.value - 1)
    }

    /// The value of the next row, in a column that may have none.
    pub(super) fn optional(&mut self) -> Option<&T::T> {
        self.level += 1;
        match self.defined.get(self.level - 1) {
            Some(&level) if level > 0 => self.required(),
            _ => None,
        }
    }

    /// The values of the next row, in a column of lists.
    pub(super) fn list(&mut self) -> &[T::T] {
        let first = self.value;
        loop {
            self.value += usize::from(self.defined.get(self.level).is_some_and(|&level| level > 0));
            self.level += 1;
            if self.repeated.get(self.level).is_none_or(|&level| level == 0) {
                return self.values.get(first..self.value).unwrap_or_default();
            }
        }
    }
}

/// Columns that together make one thing of each row.
pub(super) trait Columns: Sized {
    type Row<'c>
    where
        Self: 'c;

    fn open(file: &ParquetFile, group: usize) -> Result<Self>;

    fn read(&mut self, file: &ParquetFile, runs: &Runs) -> Result<()>;

    /// Of the next row that was read.
    fn next(&mut self) -> Self::Row<'_>;
}

/// What stands in the rows of a file, one after another.
pub(super) struct Cursor<'f, C> {
    file: &'f ParquetFile,
    batches: std::vec::IntoIter<Batch>,
    /// Of which row group, and how many rows were read and not lent yet.
    open: Option<(usize, C)>,
    left: usize,
}

/// Rows of a row group that are read together.
struct Batch {
    group: usize,
    runs: Vec<Range<usize>>,
    rows: usize,
}

impl<'f, C: Columns> Cursor<'f, C> {
    pub(super) fn all(file: &'f ParquetFile) -> Self {
        let mut batches = Batches::default();
        for group in 0..file.row_groups() {
            batches.add(group, 0..file.rows_in(group));
        }
        Self::over(file, batches)
    }

    /// The rows at places of the file, which are sorted.
    pub(super) fn at(file: &'f ParquetFile, places: &[u64]) -> Self {
        let (mut batches, mut before, mut rest) = (Batches::default(), 0, places);
        for group in 0..file.row_groups() {
            let end = before + file.rows_in(group) as u64;
            let (here, after) = rest.split_at(rest.partition_point(|&place| place < end));
            for run in here.chunk_by(|a, b| a + 1 == *b) {
                let first = run.first().map_or(0, |&first| (first - before) as usize);
                batches.add(group, first..first + run.len());
            }
            (before, rest) = (end, after);
        }
        Self::over(file, batches)
    }

    fn over(file: &'f ParquetFile, batches: Batches) -> Self {
        Self { file, batches: batches.0.into_iter(), open: None, left: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<C::Row<'_>>> {
        while self.left == 0 {
            let Some(batch) = self.batches.next() else { return Ok(None) };
            let columns = match &mut self.open {
                Some((group, columns)) if *group == batch.group => columns,
                open => &mut open.insert((batch.group, C::open(self.file, batch.group)?)).1,
            };
            columns.read(self.file, &batch.runs)?;
            self.left = batch.rows;
        }
        self.left -= 1;
        Ok(self.open.as_mut().map(|(_, columns)| columns.next()))
    }
}

#[derive(Default)]
struct Batches(Vec<Batch>);

impl Batches {
    /// Adds rows behind those added before.
    fn add(&mut self, group: usize, mut rows: Range<usize>) {
        while !rows.is_empty() {
            let batch = match self.0.last_mut() {
                Some(batch) if batch.group == group && batch.rows < BATCH_ROWS => batch,
                _ => {
                    self.0.push(Batch { group, runs: Vec::new(), rows: 0 });
                    continue;
                }
            };
            let count = rows.len().min(BATCH_ROWS - batch.rows);
            batch.runs.push(rows.start..rows.start + count);
            batch.rows += count;
            rows.start += count;
        }
    }
}

/// So many rows of all columns stay in the processor's cache.
const BATCH_ROWS: usize = 4_096;
