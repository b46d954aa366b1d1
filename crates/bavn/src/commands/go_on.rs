//! What does a run go on from, and what does it leave to the next one?
//!
//! The state of the detectors lies in the store, under the same commit as the look-ups that they have
//! seen. What the store holds beyond (a run was stopped in between) is judged from there.

use crate::error::{CommandError, CommandResult, Kind};
use crate::pipeline::{FileMark, GoOn, Head, RECORD_BITS, Saved, Seen, SeenDays};
use bavn_detect::{ContextDigest, Engine, Settings, StateError};
use bavn_model::{Access, Context, Directory, DirectoryMark};
use bavn_store::Writer;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Under what a run learns: a state is gone on from only under the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Under {
    context: ContextDigest,
    mark: DirectoryMark,
}

impl Under {
    /// Of context as it was loaded, before any event.
    pub(crate) fn of(directory: &Directory, context: &Context) -> Self {
        Self { context: ContextDigest::of(directory, context), mark: directory.mark() }
    }
}

/// All that a run has learned, not yet kept.
#[derive(Debug)]
pub(crate) struct Learned {
    head: Head,
    engine: Vec<u8>,
}

impl Learned {
    pub(crate) fn of(
        engine: &Engine,
        directory: &Directory,
        seen: SeenDays,
        under: &Under,
        files: BTreeMap<String, FileMark>,
    ) -> CommandResult<Self> {
        let engine = engine.save(under.context).map_err(internal)?;
        let names = directory.later_than(&under.mark);
        Ok(Self { head: Head { names, seen, alarm_bytes: 0, files }, engine })
    }
}

/// The state that the store holds, if it holds one.
pub(crate) fn read(keeper: &Mutex<Writer>) -> CommandResult<Option<Saved>> {
    let writer = keeper.lock().unwrap_or_else(PoisonError::into_inner);
    writer.state()?.map(Saved::read).transpose().map_err(refused)
}

/// The engine as the run before left it, and what is not to be given to it again.
pub(crate) fn begin(
    saved: &Saved,
    keeper: &Mutex<Writer>,
    directory: &mut Directory,
    context: Context,
    (settings, muted): (Settings, &[String]),
    under: &Under,
    inputs: usize,
) -> CommandResult<(Engine, GoOn)> {
    let engine = Engine::restore(context, settings, muted, under.context, saved.engine())
        .map_err(refused)?;
    saved.name(directory).map_err(refused)?;
    let seen = saved.seen();
    let first_day = seen.first_day().unwrap_or(i32::MIN);
    let missed = missed(&seen, first_day, keeper, directory, inputs)?;
    Ok((engine, GoOn { seen, missed }))
}

/// What the store holds of its last days, for an engine that has learned nothing yet.
pub(crate) fn anew(
    keeper: &Mutex<Writer>,
    directory: &mut Directory,
    days: i32,
    inputs: usize,
) -> CommandResult<GoOn> {
    let last = keeper.lock().unwrap_or_else(PoisonError::into_inner).last_day();
    let Some(last) = last else { return Ok(GoOn::default()) };
    let seen = Seen::default();
    let missed = missed(&seen, last - days, keeper, directory, inputs)?;
    Ok(GoOn { seen, missed })
}

/// Look-ups that the store holds and the state does not know: the run that stored them was stopped,
/// and their input may be gone.
fn missed(
    seen: &Seen,
    first_day: i32,
    keeper: &Mutex<Writer>,
    directory: &mut Directory,
    inputs: usize,
) -> CommandResult<Vec<Access>> {
    let writer = keeper.lock().unwrap_or_else(PoisonError::into_inner);
    let mut missed = Vec::new();
    writer.each_since(first_day, |record| {
        if !seen.was_before(record.id, record.at) {
            // Behind every input: where one of them holds it too, that one is taken.
            let seq = (inputs as u64) << RECORD_BITS | missed.len() as u64;
            missed.push(directory.intern(record, seq));
        }
    })?;
    missed.sort_by_key(|access| (access.at, access.seq));
    Ok(missed)
}

/// Commits the look-ups taken so far together with what was learned from them.
pub(crate) fn keep(
    keeper: &Mutex<Writer>,
    learned: Option<Learned>,
    alarm_bytes: u64,
) -> CommandResult {
    let mut writer = keeper.lock().unwrap_or_else(PoisonError::into_inner);
    let now = super::keep::now();
    let Some(Learned { mut head, engine }) = learned else { return Ok(writer.commit(now)?) };
    head.alarm_bytes = alarm_bytes;
    let state = Saved::write(&head, &engine).map_err(internal)?;
    Ok(writer.commit_with_state(now, &state)?)
}

fn internal(error: StateError) -> CommandError {
    CommandError::new(Kind::Internal, error)
}

pub(super) fn refused(error: StateError) -> CommandError {
    CommandError::new(Kind::Refused, error).hint(
        "`--fresh-state` learns anew from the inputs given; look-ups and cases stay as they are",
    )
}
