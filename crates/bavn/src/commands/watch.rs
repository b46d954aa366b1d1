//! `bavn watch`: look-ups in, alarms out.

use super::decode::by_reason;
use super::formats::{complain_of_unread, formats};
use super::go_on::{self, Learned};
use crate::alarms::Alarms;
use crate::cli::{ContextPaths, Watch};
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::{Formats, Input, expand, load_context};
use crate::pipeline::{Batch, GoOn, RejectWriter, Saved, Stream, StreamError, Totals};
use anyhow::Context as _;
use bavn_decode::context::Loaded;
use bavn_detect::cases::Alarm;
use bavn_detect::{Engine, OcsfOptions, Settings, ocsf_line};
use bavn_model::{Context, Directory, Finding};
use bavn_store::{Frame, Person};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub(crate) fn run(arguments: &Watch) -> CommandResult {
    let inputs = expand(&arguments.inputs)?;
    let formats = formats(&arguments.reading)?;
    if !(arguments.budget > 0.0 && arguments.budget.is_finite()) {
        return Err(CommandError::usage("`--budget` must be more than 0"));
    }
    let keeper = match &arguments.store {
        Some(folder) => {
            let kek = super::keep::kek(&arguments.key)?;
            Some(Mutex::new(super::keep::open_writer(folder, &arguments.controller, kek)?))
        }
        None => None,
    };
    let desk = match &arguments.store {
        Some(folder) => {
            let duty = super::case::read_duty(arguments.duty.as_deref())?;
            Some(Desk::open(folder, &super::keep::kek(&arguments.key)?, duty)?)
        }
        None => None,
    };
    let saved = match &keeper {
        Some(keeper) if !arguments.fresh_state => go_on::read(keeper)?,
        _ => None,
    };
    let mut out =
        Alarms::open(&arguments.alarms, saved.as_ref().map(|saved| saved.head().alarm_bytes))?;
    let plan = Plan {
        keeper: keeper.as_ref(),
        saved: saved.as_ref(),
        desk: desk.as_ref(),
        inputs: &inputs,
        formats: &formats,
        context: &arguments.context,
        budget: arguments.budget,
        rejects: arguments.reading.rejects.as_deref(),
        options: OcsfOptions { patients: arguments.alarm_patients, ..OcsfOptions::default() },
        progress: std::io::IsTerminal::is_terminal(&std::io::stderr()),
    };
    // Only what has been told counts as judged: whoever is stopped before this does it again.
    let told = plan.watch(|line| out.write(line)).and_then(|watched| Ok((watched, out.sync()?)));
    let (mut watched, alarm_bytes) = match told {
        Ok(told) => told,
        Err(error) => {
            if let Some(keeper) = &keeper {
                go_on::keep(keeper, None, 0)?;
            }
            return Err(error);
        }
    };
    if let Some(keeper) = &keeper {
        go_on::keep(keeper, watched.learned.take(), alarm_bytes)?;
    }
    if let Some(path) = &arguments.report {
        let report = serde_json::to_vec_pretty(&watched.report)?;
        std::fs::write(path, report)
            .with_context(|| format!("`{}` cannot be written", path.display()))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
    }
    if arguments.json {
        let summary = serde_json::to_string(&watched.summary)?;
        if arguments.alarms == "-" {
            super::say(summary);
        } else {
            writeln!(std::io::stdout(), "{summary}")?;
        }
    } else {
        super::say(&watched.summary);
    }
    complain_of_unread(&inputs, &watched.unread)?;
    if arguments.fail_on_alarm && watched.summary.alarms > 0 {
        let sentence = format!("{} alarms were raised", watched.summary.alarms);
        return Err(CommandError::new(Kind::Alarms, anyhow::anyhow!("{sentence}")));
    }
    Ok(())
}

/// One run of the whole house over a set of inputs.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Where every look-up is kept.
    pub(crate) keeper: Option<&'a Mutex<bavn_store::Writer>>,
    /// What the run before has learned, if it is gone on from.
    pub(crate) saved: Option<&'a Saved>,
    /// Where alarms become cases.
    pub(crate) desk: Option<&'a Desk>,
    pub(crate) inputs: &'a [Input],
    pub(crate) formats: &'a Formats,
    pub(crate) context: &'a ContextPaths,
    pub(crate) budget: f64,
    pub(crate) rejects: Option<&'a std::path::Path>,
    pub(crate) options: OcsfOptions,
    pub(crate) progress: bool,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) summary: Summary,
    pub(crate) report: bavn_detect::Report,
    pub(crate) unread: Vec<(u32, String)>,
    /// What the next run goes on from, if there is a store.
    learned: Option<Learned>,
    /// Not yet folded into cases.
    alarms: Vec<Alarm>,
}

/// The summary that ends a watch.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) read: u64,
    pub(crate) rejected: u64,
    pub(crate) rejected_by_reason: std::collections::BTreeMap<&'static str, u64>,
    pub(crate) duplicates: u64,
    /// Judged by an earlier run on the same store.
    pub(crate) judged_before: u64,
    /// Stored, but so old that nobody can tell any more whether they were judged: they were not.
    pub(crate) too_old: u64,
    pub(crate) late: u64,
    pub(crate) bytes: u64,
    pub(crate) identities: usize,
    pub(crate) patients: usize,
    pub(crate) findings: u64,
    pub(crate) alarms: usize,
    /// Look-ups that the store did not hold before, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stored: Option<u64>,
    /// Cases that wait for a person, if there is a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cases: Option<usize>,
    pub(crate) seconds: f64,
    pub(crate) events_per_second: f64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "read {} look-ups by {} identities of {} patients; {} rejected{}, {} duplicates",
            self.read,
            self.identities,
            self.patients,
            self.rejected,
            by_reason(&self.rejected_by_reason),
            self.duplicates,
        )?;
        write!(
            f,
            "{} alarms within the budget, {} findings in all; {:.1} s, {:.0} look-ups/s",
            self.alarms, self.findings, self.seconds, self.events_per_second,
        )?;
        if let Some(stored) = self.stored {
            write!(f, "\n{stored} look-ups are new in the store")?;
        }
        if self.judged_before > 0 {
            write!(f, "; {} were judged before", self.judged_before)?;
        }
        if self.too_old > 0 {
            let too_old = self.too_old;
            write!(f, "; {too_old} came too late to be judged (`--fresh-state` judges all)")?;
        }
        self.cases.map_or(Ok(()), |cases| write!(f, "; {cases} cases wait for a person"))
    }
}

impl Plan<'_> {
    /// Runs until the inputs end. An input that turns out to be out of order is sorted in a second
    /// run; alarms are held until then, unless the input is live.
    pub(crate) fn watch(
        &self,
        mut raise: impl FnMut(&str) -> CommandResult,
    ) -> CommandResult<Watched> {
        let live = self.inputs.contains(&Input::Stdin);
        let mut unsorted = BTreeSet::new();
        loop {
            let mut held = Vec::new();
            let outcome = self.run_once(&unsorted, |line| {
                if live {
                    return raise(line);
                }
                held.push(line.to_owned());
                Ok(())
            });
            match outcome? {
                Ok(watched) => {
                    held.iter().try_for_each(|line| raise(line))?;
                    return self.fold(watched);
                }
                Err(file) => unsorted.insert(file),
            };
        }
    }

    /// Alarms become cases, by the clock of the machine: that is when somebody could know.
    fn fold(&self, mut watched: Watched) -> CommandResult<Watched> {
        let Some(desk) = self.desk else { return Ok(watched) };
        let now = super::keep::now();
        watched.alarms.drain(..).try_for_each(|alarm| desk.receive(alarm, now))?;
        desk.tick(now)?;
        watched.summary.cases = Some(desk.look(|book| book.queue().len())?);
        Ok(watched)
    }

    /// Writes the findings of a batch, and keeps their alarms; those of a live input become cases at
    /// once.
    fn tell(
        &self,
        told: &mut Told<'_>,
        directory: &Mutex<Directory>,
        context: &Context,
        raise: &mut impl FnMut(&str) -> CommandResult,
    ) -> CommandResult {
        let live = self.inputs.contains(&Input::Stdin);
        for finding in told.findings.drain(..) {
            told.tally.count(&finding);
            let names = directory.lock().unwrap_or_else(PoisonError::into_inner);
            raise(&ocsf_line(&finding, &names, context, self.options))?;
            if let Some(desk) = self.desk.filter(|_| finding.is_alert) {
                let alarm = Alarm::of(&finding, &names, context);
                if live {
                    desk.receive(alarm, super::keep::now())?;
                } else {
                    told.alarms.push(alarm);
                }
            }
        }
        Ok(())
    }

    /// Context, its problems told.
    fn loaded_context(&self) -> CommandResult<Loaded> {
        let loaded = load_context(self.context, &self.formats.mappings)?;
        for problem in loaded.problems.iter().take(PROBLEMS_SHOWN) {
            super::say(format_args!("context: {problem}"));
        }
        if loaded.problem_count > PROBLEMS_SHOWN as u64 {
            super::say(format_args!("context: {} records could not be read", loaded.problem_count));
        }
        Ok(loaded)
    }

    /// One pass. The inner error names an input that is out of order.
    #[expect(clippy::disallowed_methods, reason = "the edge measures its own speed")]
    fn run_once(
        &self,
        unsorted: &BTreeSet<u32>,
        mut raise: impl FnMut(&str) -> CommandResult,
    ) -> CommandResult<Result<Watched, u32>> {
        let Loaded { mut directory, context, .. } = self.loaded_context()?;
        let settings = Settings { budget_per_10k_staff_day: self.budget };
        let under = self.keeper.map(|_| go_on::Under::of(&directory, &context));
        let (mut engine, from) = match (self.saved, self.keeper, &under) {
            (Some(saved), Some(keeper), Some(under)) => go_on::begin(
                saved,
                keeper,
                &mut directory,
                context,
                settings,
                under,
                self.inputs.len(),
            )?,
            _ => (Engine::new(context, settings), GoOn::default()),
        };
        let first_day = from.seen.first_day();
        let mut rejects = self.rejects.map(RejectWriter::create).transpose()?;
        let mut alarms = Vec::new();
        let started = Instant::now();
        let directory = Mutex::new(directory);
        let stream = Stream { inputs: self.inputs, formats: self.formats, unsorted };
        let mut tally = Tally::default();
        let totals = std::thread::scope(|scope| {
            let (give, take) = sync_channel::<Batch>(BATCHES_IN_FLIGHT);
            let (store, frames) = sync_channel::<Frame>(FRAMES_IN_FLIGHT);
            let storing = self.keeper.map(|keeper| {
                let directory = &directory;
                scope.spawn(move || store_frames(keeper, &frames, directory))
            });
            let reader = scope.spawn(|| {
                let (give, store) = (give, store);
                let mut frame = Frame::default();
                let read = stream.go_on(
                    from,
                    &directory,
                    |input, reject, bytes| match &mut rejects {
                        Some(writer) => writer
                            .write(&input.label(), reject, bytes)
                            .map_err(StreamError::Rejects),
                        None => Ok(()),
                    },
                    |input, record, original| {
                        if self.keeper.is_none() {
                            return Ok(());
                        }
                        frame.push(record, original, &input.label());
                        if frame.bytes_held() < FRAME_BYTES {
                            return Ok(());
                        }
                        let full = std::mem::take(&mut frame);
                        store.send(full).map_err(|_| StreamError::StoreStopped)
                    },
                    |batch, _totals| give.send(batch).map_err(|_| StreamError::Stopped),
                );
                if !frame.is_empty() && store.send(frame).is_err() {
                    return Err(StreamError::StoreStopped);
                }
                read
            });
            let mut findings = Vec::new();
            let progress = self.progress.then(progress_line);
            for batch in take {
                tally.accesses += batch.len() as u64;
                if let Some(line) = &progress {
                    line.set_message(tally.in_words());
                }
                for access in &batch {
                    engine.observe(access, &mut findings);
                }
                let mut told =
                    Told { findings: &mut findings, alarms: &mut alarms, tally: &mut tally };
                self.tell(&mut told, &directory, engine.context(), &mut raise)?;
            }
            if let Some(line) = &progress {
                line.finish_and_clear();
            }
            let read = reader.join();
            let stored = storing.map(|storing| {
                storing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            stored.transpose()?;
            match read {
                Ok(Ok(read)) => Ok(Ok(read)),
                Ok(Err(StreamError::Unsorted { file })) => Ok(Err(file)),
                Ok(Err(StreamError::Rejects(error))) => Err(error),
                Ok(Err(error @ (StreamError::Stopped | StreamError::StoreStopped))) => {
                    Err(CommandError::new(Kind::Internal, error))
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        let (totals, seen) = match totals {
            Ok(read) => read,
            Err(file) => return Ok(Err(file)),
        };
        tally.count_stored(self.keeper, first_day);
        if let Some(writer) = rejects {
            writer.finish()?;
        }
        let directory = directory.into_inner().unwrap_or_else(PoisonError::into_inner);
        let seconds = started.elapsed().as_secs_f64();
        let learned = under
            .map(|under| Learned::of(&engine, &directory, seen.save(), &under, BTreeMap::new()))
            .transpose()?;
        Ok(Ok(Watched {
            learned,
            summary: tally.summary(&totals, &directory, seconds),
            report: engine.report(),
            unread: totals.unread,
            alarms,
        }))
    }
}

/// What a batch gave, and where it is noted.
struct Told<'a> {
    findings: &'a mut Vec<Finding>,
    alarms: &'a mut Vec<Alarm>,
    tally: &'a mut Tally,
}

/// Counts findings as they are raised.
#[derive(Debug, Default)]
struct Tally {
    stored: Option<u64>,
    too_old: u64,
    accesses: u64,
    findings: BTreeSet<u128>,
    alarms: BTreeSet<u128>,
}

impl Tally {
    fn in_words(&self) -> String {
        format!("{} look-ups watched, {} alarms", self.accesses, self.alarms.len())
    }

    fn count(&mut self, finding: &Finding) {
        self.findings.insert(finding.uid);
        if finding.is_alert {
            self.alarms.insert(finding.uid);
        }
    }

    /// Of all passes: an input out of order is read twice.
    fn count_stored(&mut self, keeper: Option<&Mutex<bavn_store::Writer>>, first_day: Option<i32>) {
        let Some(keeper) = keeper else { return };
        let writer = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        self.stored = Some(writer.added());
        self.too_old = first_day.map_or(0, |day| writer.added_before(day));
    }

    fn summary(&self, totals: &Totals, directory: &Directory, seconds: f64) -> Summary {
        Summary {
            read: totals.records,
            rejected: totals.rejects.values().sum(),
            rejected_by_reason: totals.rejects.clone(),
            duplicates: totals.duplicates,
            judged_before: totals.before.saturating_sub(self.too_old),
            too_old: self.too_old,
            late: totals.late,
            bytes: totals.bytes,
            identities: directory.identities.len(),
            patients: directory.patients.len(),
            findings: self.findings.len() as u64,
            alarms: self.alarms.len(),
            stored: self.stored,
            cases: None,
            seconds,
            events_per_second: totals.records as f64 / seconds.max(f64::MIN_POSITIVE),
        }
    }
}

/// Keeps frames as they come; at the end says who is whom. A live input is committed every [`COMMIT_SECS`], so that answers are not much behind it.
fn store_frames(
    keeper: &Mutex<bavn_store::Writer>,
    frames: &Receiver<Frame>,
    directory: &Mutex<Directory>,
) -> CommandResult {
    let mut writer = keeper.lock().unwrap_or_else(PoisonError::into_inner);
    let link = |writer: &mut bavn_store::Writer| {
        let names = directory.lock().unwrap_or_else(PoisonError::into_inner);
        writer.link(|person, name| match person {
            Person::Identity => names.identities.find_exact(name).map(|id| id.0),
            Person::Patient => names.patients.find_exact(name).map(|id| id.0),
        });
    };
    let mut committed_at = super::keep::now();
    for frame in frames {
        let now = super::keep::now();
        writer.take(&frame, now)?;
        if now.secs_since(committed_at) >= COMMIT_SECS {
            link(&mut writer);
            writer.commit(now)?;
            committed_at = now;
        }
    }
    link(&mut writer);
    Ok(())
}

/// A line at the terminal that says the run is alive.
fn progress_line() -> indicatif::ProgressBar {
    let line = indicatif::ProgressBar::new_spinner();
    line.enable_steady_tick(std::time::Duration::from_millis(200));
    line
}

/// Problems of context that are told one by one; `bavn context check` tells all.
const PROBLEMS_SHOWN: usize = 5;
/// Bytes of look-ups that go to the store at once.
const FRAME_BYTES: usize = 1 << 20;
/// Frames that may wait between reading and storing.
const FRAMES_IN_FLIGHT: usize = 8;
/// A live input ends only when the machine does.
const COMMIT_SECS: i64 = 600;
/// Batches that may wait between reading and detecting.
const BATCHES_IN_FLIGHT: usize = 64;
