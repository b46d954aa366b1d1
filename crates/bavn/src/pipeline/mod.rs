//! From files to accesses in the order of time, each name interned and each event once.

mod ahead;
mod cursor;
mod rejects;
mod saved;
mod seen;
mod stream;

pub use ahead::RECORD_BITS;
pub use cursor::plain_words;
pub use rejects::{RejectCounts, RejectWriter, bytes_of, original};
pub use saved::{FileMark, Head, Saved};
pub use seen::{Meeting, Seen, SeenDays};
pub use stream::{Batch, GoOn, Stream, StreamError, Totals};
