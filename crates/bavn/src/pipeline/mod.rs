//! From files to accesses in the order of time, each name interned and each event once.

mod ahead;
mod cursor;
mod rejects;
mod seen;
mod stream;

pub use cursor::plain_words;
pub use rejects::{RejectCounts, RejectWriter, bytes_of, original};
pub use stream::{Batch, Stream, StreamError, Totals};
