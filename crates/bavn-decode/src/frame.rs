//! Where does one record end and the next begin?
//!
//! Each framing takes whole records off a block and leaves a record that the block cuts for the
//! next call. One file a framing: `frame_lines`, `frame_json`, `frame_xml`, and `syslog`.

use bavn_model::{Origin, Reject, RejectReason};
use memchr::memchr_iter;

/// A longer record is refused, and its neighbours are read. An audit record is 1 to 20 KB; one that
/// lists all hits of a large search may be some MB.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// A stretch of one input, and how far into it reading has come.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where `at` is in the input.
    place: Origin,
    /// The input ends where the block does.
    pub(crate) at_end: bool,
}

impl<'a> Block<'a> {
    /// `place` says where the first of `bytes` is in the input.
    pub(crate) fn new(bytes: &'a [u8], place: Origin, at_end: bool) -> Self {
        Self { bytes, at: 0, place, at_end }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Bytes read so far.
    pub(crate) fn consumed(&self) -> usize {
        self.at
    }

    /// Where reading has come to.
    pub(crate) fn place(&self) -> Origin {
        self.place
    }

    /// Moves over `bytes` bytes, counting lines.
    pub(crate) fn advance(&mut self, bytes: usize) {
        let walked = self.rest().get(..bytes).unwrap_or(self.rest());
        self.place.line += memchr_iter(b'\n', walked).count() as u64;
        self.step(walked.len());
    }

    /// Moves to behind the line end that is the last of the next `bytes` bytes.
    pub(crate) fn advance_line(&mut self, bytes: usize) {
        self.place.line += 1;
        self.step(bytes);
    }

    /// Moves to the end.
    pub(crate) fn finish(&mut self) {
        self.advance(self.rest().len());
    }

    fn step(&mut self, bytes: usize) {
        self.at += bytes;
        self.place.byte_offset += bytes as u64;
    }
}

/// A record over the limit whose end has not been seen yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endless {
    pub(crate) origin: Origin,
    pub(crate) bytes: u64,
}

impl Endless {
    /// The reject, once the rest of the record has been seen.
    pub(crate) fn ended(self, bytes: usize) -> Reject {
        let bytes = self.bytes + bytes as u64;
        Reject { origin: self.origin, bytes, reason: too_long(bytes) }
    }
}

pub(crate) fn too_long(bytes: u64) -> RejectReason {
    RejectReason::TooLong { bytes, bytes_max: RECORD_BYTES_MAX as u64 }
}

pub(crate) fn reject(origin: Origin, raw: &[u8], reason: RejectReason) -> Reject {
    Reject { origin, bytes: raw.len() as u64, reason }
}
