//! Look-ups as encrypted Parquet, which other programs read too.
//!
//! A segment is two files: `rows`, typed columns of all that a decoded event holds, and `evidence`,
//! the bytes that the source wrote. Row for row they are the same.

mod column;
mod pages;
mod read;
mod row_columns;
mod schema;
mod thrift;
mod write;

pub(crate) use read::{SegmentReader, damage};
pub(crate) use schema::Part;
pub(crate) use write::SegmentWriter;
