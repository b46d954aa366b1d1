//! Which files are meant, and what records are in them?

mod context;
mod open;
mod paths;
mod source;

pub use context::load_context;
pub use open::{BlockReader, OpenError};
pub use paths::{Input, expand};
pub use source::{BLOCK_BYTES, Family, Formats, HEAD_BYTES, Source, SourceError};
