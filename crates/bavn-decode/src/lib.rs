//! Here are bytes; what happened?
//!
//! One file per format. Nothing here opens a file or a socket, and nothing fails as a whole: each
//! record becomes a [`Record`] or a [`Reject`].

pub mod atna;
pub mod context;
pub mod csv;
mod decoder;
mod digest;
pub mod encode;
pub mod fhir;
mod frame;
mod frame_json;
mod frame_lines;
mod frame_xml;
pub mod fuzz;
pub mod mapping;
mod markup;
mod query_hl7;
mod records;
mod skeleton;
mod sniff;
mod syslog;
pub mod tree;
pub mod xml;

pub use decoder::{Decoder, Format};
pub use digest::digest;
pub use frame::RECORD_BYTES_MAX;
pub use mapping::{Mapping, Mappings};
pub use skeleton::Skeletons;
pub use sniff::{SniffError, sniff, sniff_atna, sniff_fhir};

use bavn_model::{EventId, Record, Reject};

/// What became of a block of input, in the order of the input.
#[derive(Debug, Default)]
pub struct Decoded<'a> {
    pub records: Vec<Record<'a>>,
    pub rejects: Vec<Reject>,
}

/// The id of a record: a digest of its own bytes, so that the same record met twice is one event.
/// Fast, not secret: proof of the log is the store's work.
pub fn event_id(record: &[u8]) -> EventId {
    EventId(xxhash_rust::xxh3::xxh3_128(record.trim_ascii()))
}
