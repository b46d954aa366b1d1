//! One input as a row of accesses in the order of time.

use super::rejects::{bytes_of, original};
use super::stream::{StreamError, Totals};
use crate::input::{Source, SourceError};
use bavn_model::{Access, Directory, Record, Reject};
use std::collections::VecDeque;

/// One input, its accesses sorted over a window, so that a source whose lines are a little out of
/// order still gives its events in the order of time.
#[derive(Debug)]
pub(super) struct Cursor {
    source: Option<Source>,
    file: u32,
    /// In order and ready to go.
    ready: VecDeque<Access>,
    /// Sorted, but an earlier one may still come.
    held: Vec<Access>,
    last_given: Option<(bavn_model::Timestamp, u64)>,
    records: u64,
    order: Order,
}

/// How far an input's lines may be out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By at most [`WINDOW`] records; more is an error, and the input is read again as `Any`.
    Near,
    /// Live: what comes too late is given late.
    Live,
    /// In any order, newest first for one: read to its end before the first access is given.
    Any,
}

/// What the cursor does with what it reads, and where it keeps names.
pub(super) struct Sinks<'a, 't> {
    pub(super) directory: &'a mut Directory,
    pub(super) totals: &'a mut Totals,
    pub(super) reject: &'a mut TakeReject<'t>,
    pub(super) keep: &'a mut TakeRecord<'t>,
}

/// Takes a reject of an input (by its index) with the bytes it stands for.
pub(super) type TakeReject<'t> = dyn FnMut(u32, &Reject, &[u8]) -> Result<(), StreamError> + 't;

/// Takes a record of an input (by its index) with the bytes it was read from.
pub(super) type TakeRecord<'t> = dyn FnMut(u32, &Record<'_>, &[u8]) -> Result<(), StreamError> + 't;

impl std::fmt::Debug for Sinks<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sinks").finish_non_exhaustive()
    }
}

impl Cursor {
    pub(super) fn new(source: Source, file: u32, order: Order) -> Self {
        Self {
            source: Some(source),
            file,
            ready: VecDeque::new(),
            held: Vec::new(),
            last_given: None,
            records: 0,
            order,
        }
    }

    /// When the next access happened, without taking it.
    pub(super) fn peek(&self) -> Option<(bavn_model::Timestamp, u64)> {
        self.ready.front().map(|access| (access.at, access.seq))
    }

    pub(super) fn pop(&mut self) -> Option<Access> {
        let access = self.ready.pop_front()?;
        self.last_given = Some((access.at, access.seq));
        Some(access)
    }

    /// Reads until an access is ready or the input has ended.
    pub(super) fn fill(&mut self, sinks: &mut Sinks<'_, '_>) -> Result<(), StreamError> {
        while self.ready.is_empty() {
            let window = match self.order {
                Order::Near | Order::Live => WINDOW,
                Order::Any => usize::MAX,
            };
            while self.source.is_some() && self.held.len() < window.saturating_mul(2) {
                self.read_block(sinks)?;
            }
            let given =
                if self.source.is_some() { self.held.len() - window } else { self.held.len() };
            if given == 0 {
                return Ok(());
            }
            // Nearly sorted already, which this sort turns to use.
            self.held.sort_by_key(|access| (access.at, access.seq));
            let first = self.held.first().map(|access| (access.at, access.seq));
            if self.order == Order::Near && first < self.last_given {
                return Err(StreamError::Unsorted { file: self.file });
            }
            if first < self.last_given {
                sinks.totals.late += 1;
            }
            self.ready.extend(self.held.drain(..given));
        }
        Ok(())
    }

    fn read_block(&mut self, sinks: &mut Sinks<'_, '_>) -> Result<(), StreamError> {
        let Some(source) = self.source.as_mut() else { return Ok(()) };
        let bytes_before = source.bytes_read();
        let mut outcome = Ok(());
        let read = source.next_block(|decoded, block, block_offset| {
            for record in &decoded.records {
                let seq = u64::from(self.file) << RECORD_BITS | self.records;
                self.records += 1;
                self.held.push(sinks.directory.intern(record, seq));
                if outcome.is_ok() {
                    let bytes = original(record.origin, block, block_offset);
                    outcome = (sinks.keep)(self.file, record, bytes);
                }
            }
            sinks.totals.records += decoded.records.len() as u64;
            for reject in &decoded.rejects {
                *sinks.totals.rejects.entry(reject.reason.code()).or_default() += 1;
                let bytes = bytes_of(reject, block, block_offset);
                if outcome.is_ok() {
                    outcome = (sinks.reject)(self.file, reject, bytes);
                }
            }
        });
        sinks.totals.bytes += source.bytes_read() - bytes_before;
        outcome?;
        match read {
            Ok(true) => {}
            Ok(false) => self.source = None,
            Err(error) => {
                self.source = None;
                sinks.totals.unread.push((self.file, plain_words(&error)));
            }
        }
        Ok(())
    }
}

pub fn plain_words(error: &SourceError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// Records by which a source's lines may be out of order without being read twice.
const WINDOW: usize = 4_096;
/// Bits of `seq` for the record's place in its file; the file's index stands above them.
const RECORD_BITS: u32 = 40;
