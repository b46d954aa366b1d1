//! One input as a row of accesses in the order of time.

use super::ahead::{Blocks, Sinks};
use super::stream::{StreamError, Totals};
use crate::input::SourceError;
use bavn_model::{Access, Timestamp};
use std::collections::VecDeque;
use std::sync::Mutex;

/// One input, its accesses sorted over a window, so that a source whose lines are a little out of
/// order still gives its events in the order of time.
#[derive(Debug)]
pub(super) struct Cursor {
    /// None once it has been read to its end.
    blocks: Option<Blocks>,
    file: u32,
    /// Sorted once `fill` is through; before those behind the first `ready` an earlier one may still
    /// come.
    held: VecDeque<Access>,
    sorted: bool,
    ready: usize,
    last_given: Option<(Timestamp, u64)>,
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

impl Cursor {
    pub(super) fn new(blocks: Blocks, file: u32, order: Order) -> Self {
        let held = VecDeque::with_capacity(2 * WINDOW);
        Self { blocks: Some(blocks), file, held, sorted: true, ready: 0, last_given: None, order }
    }

    /// Accesses that are there already, in the order of time.
    pub(super) fn of(accesses: Vec<Access>, file: u32) -> Self {
        Self {
            blocks: None,
            file,
            ready: accesses.len(),
            held: accesses.into(),
            sorted: true,
            last_given: None,
            order: Order::Live,
        }
    }

    /// When the next access happened, without taking it.
    pub(super) fn peek(&self) -> Option<(Timestamp, u64)> {
        let next = self.held.front().filter(|_| self.ready > 0)?;
        Some((next.at, next.seq))
    }

    pub(super) fn pop(&mut self) -> Option<Access> {
        self.ready = self.ready.checked_sub(1)?;
        let access = self.held.pop_front()?;
        self.last_given = Some((access.at, access.seq));
        Some(access)
    }

    /// Reads until an access is ready or the input has ended.
    pub(super) fn fill(
        &mut self,
        sinks: &Mutex<Sinks<'_, '_>>,
        totals: &mut Totals,
    ) -> Result<(), StreamError> {
        if self.ready > 0 {
            return Ok(());
        }
        let window = match self.order {
            Order::Near | Order::Live => WINDOW,
            Order::Any => usize::MAX,
        };
        while self.blocks.is_some() && self.held.len() <= window {
            self.read_block(sinks, totals)?;
        }
        if !self.sorted {
            // Nearly sorted already, which this sort turns to use.
            self.held.make_contiguous().sort_by_key(|access| (access.at, access.seq));
            self.sorted = true;
        }
        let first = self.held.front().map(|access| (access.at, access.seq));
        if first.is_some() && first < self.last_given {
            if self.order == Order::Near {
                return Err(StreamError::Unsorted { file: self.file });
            }
            totals.late += 1;
        }
        let unsure = if self.blocks.is_some() { window } else { 0 };
        self.ready = self.held.len().saturating_sub(unsure);
        Ok(())
    }

    fn read_block(
        &mut self,
        sinks: &Mutex<Sinks<'_, '_>>,
        totals: &mut Totals,
    ) -> Result<(), StreamError> {
        let Some(blocks) = self.blocks.as_mut() else { return Ok(()) };
        let taken = blocks.next(sinks)?;
        totals.bytes += taken.bytes;
        totals.bytes_packed += taken.bytes_packed;
        totals.records += taken.accesses.len() as u64;
        let (read, rejected) = totals.by_input.entry(self.file).or_default();
        *read += taken.accesses.len() as u64;
        *rejected += taken.rejects.values().sum::<u64>();
        for (reason, count) in taken.rejects {
            *totals.rejects.entry(reason).or_default() += count;
        }
        for access in taken.accesses {
            let last = self.held.back().map(|held| (held.at, held.seq));
            self.sorted &= last <= Some((access.at, access.seq));
            self.held.push_back(access);
        }
        totals.unread.extend(taken.unread.map(|error| (self.file, plain_words(&error))));
        if taken.ended {
            self.blocks = None;
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
