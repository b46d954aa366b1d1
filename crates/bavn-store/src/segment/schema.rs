//! The columns of a segment, as other programs see them.

use crate::error::{Result, StoreError};
use crate::keys::KEY_BYTES;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, Type};
use std::sync::Arc;

/// Names of people and machines are numbers of the dictionaries; all else is in words.
pub(super) const ROWS: &str = "message look_up {
    required int64 at (TIMESTAMP(MICROS,true));
    optional int32 identity;
    optional int32 on_behalf_of;
    optional int32 client;
    repeated int32 patient;
    optional int32 host;
    optional int32 source;
    optional binary session (STRING);
    optional binary resource (STRING);
    optional binary purpose (STRING);
    optional binary reason (STRING);
    optional binary action (STRING);
    optional binary kind (STRING);
    optional binary found_by (STRING);
    optional binary outcome (STRING);
    required int32 flags;
}";

/// What the source said, row by row as in the other file.
pub(super) const EVIDENCE: &str = "message evidence {
    required fixed_len_byte_array(16) id;
    required fixed_len_byte_array(16) nonce;
    required int32 file;
    required int64 line;
    optional int32 entry;
    required int64 byte_offset;
    optional binary query (STRING);
    optional binary original;
}";

pub(super) const AT: usize = 0;
pub(super) const IDENTITY: usize = 1;
pub(super) const ON_BEHALF_OF: usize = 2;
pub(super) const CLIENT: usize = 3;
pub(super) const PATIENT: usize = 4;
pub(super) const HOST: usize = 5;
pub(super) const SOURCE: usize = 6;
pub(super) const SESSION: usize = 7;
pub(super) const RESOURCE: usize = 8;
pub(super) const PURPOSE: usize = 9;
pub(super) const REASON: usize = 10;
pub(super) const ACTION: usize = 11;
pub(super) const KIND: usize = 12;
pub(super) const FOUND_BY: usize = 13;
pub(super) const OUTCOME: usize = 14;
pub(super) const FLAGS: usize = 15;
pub(super) const NUMBERS: [usize; 5] = [IDENTITY, ON_BEHALF_OF, CLIENT, HOST, SOURCE];
pub(super) const WORDS: [usize; 8] =
    [SESSION, RESOURCE, PURPOSE, REASON, ACTION, KIND, FOUND_BY, OUTCOME];
/// Of what the source said.
pub(super) const ID: usize = 0;
pub(super) const FILE: usize = 2;

/// Which of a store's two Parquet files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Rows,
    Evidence,
}

impl Part {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Evidence => "evidence",
        }
    }

    pub(super) fn schema(self) -> Result<Arc<Type>> {
        let text = match self {
            Self::Rows => ROWS,
            Self::Evidence => EVIDENCE,
        };
        let failed = |_| StoreError::Library { doing: "reading the schema" };
        parse_message_type(text).map(Arc::new).map_err(failed)
    }

    /// Written so that pyarrow and Spark read it: one key, first version of pages.
    pub(super) fn properties(
        self,
        number: u64,
        key: &[u8; KEY_BYTES],
    ) -> Result<Arc<WriterProperties>> {
        let failed = |_| StoreError::Library { doing: "setting up a segment" };
        let encryption = FileEncryptionProperties::builder(key.to_vec()).build().map_err(failed)?;
        let level = match self {
            Self::Rows => 1,
            Self::Evidence => 3,
        };
        let notes = vec![
            KeyValue::new(NOTE_NUMBER.to_owned(), number.to_string()),
            KeyValue::new(NOTE_PART.to_owned(), self.word().to_owned()),
        ];
        let path = |name: &str| ColumnPath::new(vec![name.to_owned()]);
        let mut builder = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by("bavn".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(level).map_err(failed)?))
            .set_statistics_enabled(EnabledStatistics::None)
            // A question for a few rows opens their pages alone.
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_max_row_group_row_count(Some(usize::MAX))
            .set_key_value_metadata(Some(notes))
            .with_file_encryption_properties(encryption);
        if self == Self::Rows {
            builder = builder.set_column_statistics_enabled(path("at"), EnabledStatistics::Page);
        }
        // Nearly sorted, or with so many values that a dictionary would only be in the way.
        for name in ["at", "patient", "line", "byte_offset"] {
            builder = builder
                .set_column_dictionary_enabled(path(name), false)
                .set_column_encoding(path(name), Encoding::DELTA_BINARY_PACKED);
        }
        for name in ["id", "nonce", "query", "original"] {
            builder = builder
                .set_column_dictionary_enabled(path(name), false)
                .set_column_encoding(path(name), Encoding::PLAIN);
        }
        for name in ["id", "nonce"] {
            builder = builder.set_column_compression(path(name), Compression::UNCOMPRESSED);
        }
        Ok(Arc::new(builder.build()))
    }
}

/// Smaller pages would be found as fast and compressed worse.
const PAGE_ROWS: usize = 4_096;
/// Notes in the footer: a segment moved to another's place is found out.
pub(super) const NOTE_NUMBER: &str = "bavn.segment";
pub(super) const NOTE_PART: &str = "bavn.part";
