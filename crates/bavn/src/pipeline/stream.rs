//! All inputs merged by the time of the event.

use super::ahead::{Blocks, Reading, Sinks};
use super::cursor::{Cursor, Order};
use super::rejects::RejectCounts;
use super::seen::{Meeting, Seen};
use crate::input::{Formats, Input, Source};
use bavn_model::{Access, Directory, Record, Reject, Timestamp};
use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Mutex;
use std::thread::Scope;

/// Accesses in the order of time.
pub type Batch = Vec<Access>;

/// Why the stream ended before its inputs did.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// More than a little out of order: start again and sort this one.
    #[error("input {file} is not in the order of time")]
    Unsorted { file: u32 },
    #[error("whoever took the accesses has stopped")]
    Stopped,
    #[error("{0}")]
    Rejects(crate::error::CommandError),
    #[error("the store has stopped")]
    StoreStopped,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub bytes: u64,
    /// Of the inputs as they lie there, which may be packed.
    pub bytes_packed: u64,
    pub records: u64,
    pub duplicates: u64,
    /// Given away by an earlier run, or older than can be told.
    pub before: u64,
    /// Live inputs only: came after later ones had gone.
    pub late: u64,
    pub rejects: RejectCounts,
    /// By input: read and rejected.
    pub by_input: BTreeMap<u32, (u64, u64)>,
    /// Inputs that could not be read to their end, and why.
    pub unread: Vec<(u32, String)>,
}

/// What an earlier run leaves to the next one.
#[derive(Debug, Default)]
pub struct GoOn {
    /// Whom it met, and gave away.
    pub seen: Seen,
    /// What came too late for it: accesses that no input may hold any more, with the highest
    /// numbers, in the order of time.
    pub missed: Vec<Access>,
}

/// The inputs of one run.
#[derive(Debug)]
pub struct Stream<'a> {
    pub inputs: &'a [Input],
    pub formats: &'a Formats,
    /// Files known to be out of order, which are read whole and sorted.
    pub unsorted: &'a BTreeSet<u32>,
}

impl Stream<'_> {
    /// Reads everything and gives it away in batches, in (time, input, record) order. Names are
    /// added to `directory` as their records are read. `keep` gets each record as it is read, twice
    /// if it stands there twice, with the bytes that it was read from.
    pub fn run(
        &self,
        directory: &Mutex<Directory>,
        reject: impl FnMut(&Input, &Reject, &[u8]) -> Result<(), StreamError> + Send,
        keep: impl FnMut(&Input, &Record<'_>, &[u8]) -> Result<(), StreamError> + Send,
        give: impl FnMut(Batch, &Totals) -> Result<(), StreamError>,
    ) -> Result<Totals, StreamError> {
        self.go_on(GoOn::default(), directory, reject, keep, give).map(|(totals, _)| totals)
    }

    /// As [`Self::run`], after an earlier run: what that one gave away is not given again. Says
    /// whom this one leaves as met.
    pub fn go_on(
        &self,
        from: GoOn,
        directory: &Mutex<Directory>,
        mut reject: impl FnMut(&Input, &Reject, &[u8]) -> Result<(), StreamError> + Send,
        mut keep: impl FnMut(&Input, &Record<'_>, &[u8]) -> Result<(), StreamError> + Send,
        mut give: impl FnMut(Batch, &Totals) -> Result<(), StreamError>,
    ) -> Result<(Totals, Seen), StreamError> {
        let mut reject = |file: u32, rejected: &Reject, bytes: &[u8]| {
            self.inputs.get(file as usize).map_or(Ok(()), |input| reject(input, rejected, bytes))
        };
        let mut keep = |file: u32, record: &Record<'_>, bytes: &[u8]| {
            self.inputs.get(file as usize).map_or(Ok(()), |input| keep(input, record, bytes))
        };
        let sinks = Mutex::new(Sinks { directory, reject: &mut reject, keep: &mut keep });
        std::thread::scope(|scope| self.merge(from, scope, &sinks, &mut give))
    }

    fn merge<'s>(
        &self,
        from: GoOn,
        scope: &'s Scope<'s, '_>,
        sinks: &'s Mutex<Sinks<'_, '_>>,
        give: &mut impl FnMut(Batch, &Totals) -> Result<(), StreamError>,
    ) -> Result<(Totals, Seen), StreamError> {
        let mut totals = Totals::default();
        let mut cursors = self.open(scope, sinks, &mut totals);
        cursors.push(Cursor::of(from.missed, self.inputs.len() as u32));
        let mut seen = from.seen;
        let mut next: BinaryHeap<Reverse<(Timestamp, u64, usize)>> = BinaryHeap::new();
        for (index, cursor) in cursors.iter_mut().enumerate() {
            cursor.fill(sinks, &mut totals)?;
            next.extend(cursor.peek().map(|(at, seq)| Reverse((at, seq, index))));
        }
        let mut batch = Batch::with_capacity(BATCH_ACCESSES);
        while let Some(mut first) = next.peek_mut() {
            let Reverse((_, _, index)) = *first;
            let Some(cursor) = cursors.get_mut(index) else { break };
            if let Some(access) = cursor.pop() {
                match seen.meet(access.id, access.at) {
                    Meeting::New => batch.push(access),
                    Meeting::Again => totals.duplicates += 1,
                    Meeting::Before => totals.before += 1,
                }
            }
            if batch.len() == BATCH_ACCESSES {
                let full = std::mem::replace(&mut batch, Batch::with_capacity(BATCH_ACCESSES));
                give(full, &totals)?;
            }
            cursor.fill(sinks, &mut totals)?;
            match cursor.peek() {
                Some((at, seq)) => *first = Reverse((at, seq, index)),
                None => drop(PeekMut::pop(first)),
            }
        }
        give(batch, &totals)?;
        Ok((totals, seen))
    }

    fn open<'s>(
        &self,
        scope: &'s Scope<'s, '_>,
        sinks: &'s Mutex<Sinks<'_, '_>>,
        totals: &mut Totals,
    ) -> Vec<Cursor> {
        let mut cursors = Vec::new();
        for (file, input) in (0_u32..).zip(self.inputs) {
            let order = match input {
                Input::Stdin => Order::Live,
                Input::Own(_) => Order::Any,
                Input::File(_) if self.unsorted.contains(&file) => Order::Any,
                Input::File(_) => Order::Near,
            };
            match Source::open(input, file, self.formats) {
                Ok(source) => {
                    let reading = Reading::new(source, file);
                    // Nobody knows when a live input goes on, and nothing else need wait for it.
                    let blocks = if order == Order::Live || cursors.len() >= THREADS_MAX {
                        Blocks::Here(Box::new(reading))
                    } else {
                        Blocks::ahead(reading, scope, sinks)
                    };
                    cursors.push(Cursor::new(blocks, file, order));
                }
                Err(error) => totals.unread.push((file, super::cursor::plain_words(&error))),
            }
        }
        cursors
    }
}

/// Enough that handing over costs nothing an access, few enough for alarms to be prompt.
const BATCH_ACCESSES: usize = 1_024;
/// Inputs that are decoded in threads of their own; enough for any machine's cores.
const THREADS_MAX: usize = 64;
