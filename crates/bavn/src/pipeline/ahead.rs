//! Decodes an input a block ahead of whoever takes its accesses.
//!
//! Decoding is most of the work, and each input can be decoded by itself. Names get their numbers in
//! the order in which blocks are asked for, which is that of the events: so it is the same in every
//! run, whichever thread was faster.

use super::rejects::{RejectCounts, bytes_of, original};
use super::stream::StreamError;
use crate::input::{Source, SourceError};
use bavn_decode::Decoded;
use bavn_model::{Access, Directory, Record, Reject};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;

/// Who gets what is read, beside the accesses.
pub(super) struct Sinks<'a, 't> {
    pub(super) directory: &'a Mutex<Directory>,
    pub(super) reject: &'a mut TakeReject<'t>,
    pub(super) keep: &'a mut TakeRecord<'t>,
}

/// Takes a reject of an input (by its index) with the bytes it stands for.
pub(super) type TakeReject<'t> =
    dyn FnMut(u32, &Reject, &[u8]) -> Result<(), StreamError> + Send + 't;

/// Takes a record of an input (by its index) with the bytes it was read from.
pub(super) type TakeRecord<'t> =
    dyn FnMut(u32, &Record<'_>, &[u8]) -> Result<(), StreamError> + Send + 't;

impl std::fmt::Debug for Sinks<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sinks").finish_non_exhaustive()
    }
}

/// What became of one block of an input.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) accesses: Vec<Access>,
    pub(super) bytes: u64,
    /// Of the input as it lies there, which may be packed.
    pub(super) bytes_packed: u64,
    pub(super) rejects: RejectCounts,
    /// Nothing comes after this block.
    pub(super) ended: bool,
    /// Why the input could not be read to its end.
    pub(super) unread: Option<SourceError>,
}

/// One input, read block by block.
#[derive(Debug)]
pub(super) enum Blocks {
    /// By a thread of its own, which waits with a decoded block until it is asked for.
    Ahead { ask: SyncSender<()>, answers: Receiver<Result<Taken, StreamError>> },
    /// By whoever asks.
    Here(Box<Reading>),
}

impl Blocks {
    /// `'s`: until when the thread may run.
    pub(super) fn ahead<'s>(
        mut reading: Reading,
        scope: &'s Scope<'s, '_>,
        sinks: &'s Mutex<Sinks<'_, '_>>,
    ) -> Self {
        let (ask, asked) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        scope.spawn(move || {
            let mut wanted = true;
            while wanted {
                let taken = reading.next(sinks, || asked.recv().is_ok());
                let goes_on = taken.as_ref().is_ok_and(|taken| !taken.ended);
                wanted = answer.send(taken).is_ok() && goes_on;
            }
        });
        Self::Ahead { ask, answers }
    }

    pub(super) fn next(&mut self, sinks: &Mutex<Sinks<'_, '_>>) -> Result<Taken, StreamError> {
        match self {
            Self::Ahead { ask, answers } => {
                // A thread that panicked ends the run by itself.
                ask.send(()).map_err(|_| StreamError::Stopped)?;
                answers.recv().map_err(|_| StreamError::Stopped)?
            }
            Self::Here(reading) => reading.next(sinks, || true),
        }
    }
}

/// An input on its way, and how many records it gave.
#[derive(Debug)]
pub(super) struct Reading {
    source: Source,
    file: u32,
    records: u64,
}

impl Reading {
    pub(super) fn new(source: Source, file: u32) -> Self {
        Self { source, file, records: 0 }
    }

    /// Decodes the next block, and gives it away once `asked` says that it is wanted.
    fn next(
        &mut self,
        sinks: &Mutex<Sinks<'_, '_>>,
        asked: impl FnOnce() -> bool,
    ) -> Result<Taken, StreamError> {
        let mut taken = Taken::default();
        let mut asked = Some(asked);
        let mut outcome = Ok(());
        let before = (self.source.bytes_read(), self.source.bytes_taken());
        let (file, records) = (self.file, &mut self.records);
        let read = self.source.next_block(|decoded, block, block_offset| {
            outcome = if asked.take().is_some_and(|asked| asked()) {
                let mut sinks = sinks.lock().unwrap_or_else(PoisonError::into_inner);
                sinks.take(file, records, &decoded, (block, block_offset), &mut taken)
            } else {
                Err(StreamError::Stopped)
            };
        });
        outcome?;
        if asked.take().is_some_and(|asked| !asked()) {
            return Err(StreamError::Stopped);
        }
        taken.bytes = self.source.bytes_read() - before.0;
        taken.bytes_packed = self.source.bytes_taken() - before.1;
        taken.ended = !matches!(read, Ok(true));
        taken.unread = read.err();
        Ok(taken)
    }
}

impl Sinks<'_, '_> {
    /// Interns the names of a block and tells what was refused.
    fn take(
        &mut self,
        file: u32,
        records: &mut u64,
        decoded: &Decoded<'_>,
        (block, block_offset): (&[u8], u64),
        taken: &mut Taken,
    ) -> Result<(), StreamError> {
        // A writer that panicked ends the run by itself; the names are whole all the same.
        let mut directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        taken.accesses.reserve(decoded.records.len());
        for record in &decoded.records {
            let seq = u64::from(file) << RECORD_BITS | *records;
            *records += 1;
            taken.accesses.push(directory.intern(record, seq));
            (self.keep)(file, record, original(record.origin, block, block_offset))?;
        }
        for reject in &decoded.rejects {
            *taken.rejects.entry(reject.reason.code()).or_default() += 1;
            (self.reject)(file, reject, bytes_of(reject, block, block_offset))?;
        }
        Ok(())
    }
}

/// Bits of `seq` for the record's place in its file; the file's index stands above them.
pub const RECORD_BITS: u32 = 40;
