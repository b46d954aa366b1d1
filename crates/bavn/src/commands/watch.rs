//! `bavn watch`: look-ups in, alarms out.

use super::decode::by_reason;
use super::formats::{complain_of_unread, formats};
use super::go_on::{self, Learned};
use crate::alarms::Alarms;
use crate::cli::{ContextPaths, Watch};
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use crate::input::{Formats, Input, expand, load_context};
use crate::pipeline::{Batch, GoOn, RejectWriter, Saved, Stream, StreamError, Totals};
use crate::progress::{Progress, Unit};
use crate::watchers::Watchers;
use anyhow::Context as _;
use bavn_decode::context::Loaded;
use bavn_detect::cases::Alarm;
use bavn_detect::house::{HouseDeed, Run, SourceCount};
use bavn_detect::{Engine, Judgement, OcsfOptions, Settings, Verdict, ocsf_line};
use bavn_model::{Context, Directory, Finding, FindingState};
use bavn_store::{Frame, Judged, Person, Reached};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub(crate) fn run(arguments: &Watch) -> CommandResult {
    let inputs = expand(&arguments.inputs)?;
    let formats = formats(&arguments.reading)?;
    if arguments.budget.is_some_and(|budget| !(budget > 0.0 && budget.is_finite())) {
        return Err(CommandError::usage("`--budget` must be more than 0"));
    }
    let keeper = match &arguments.store {
        Some(folder) => {
            let kek = super::keep::kek(&arguments.key)?;
            let mut writer = super::keep::open_writer(folder, &arguments.controller, kek)?;
            // What users of this program looked up since is watched with the rest.
            writer.commit(super::keep::now())?;
            Some(Mutex::new(writer))
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
    let house = match &arguments.store {
        Some(folder) => Some(HouseDesk::open(folder, &super::keep::kek(&arguments.key)?)?),
        None => None,
    };
    if let (Some(desk), Some(house)) = (&desk, &house) {
        // The lines of this run name people, and the service tells them when it may.
        crate::agreement::refuse_names(desk, house)?;
    }
    let in_force = house.as_ref().map(|house| house.look(|house| house.in_force().clone()));
    let in_force = in_force.transpose()?.unwrap_or_default();
    let mut inputs = inputs;
    let mut watchers = Watchers::default();
    if let Some(folder) = &arguments.store {
        let own = own_look_ups(folder, &super::keep::kek(&arguments.key)?, &mut watchers)?;
        inputs.extend(own);
    }
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
        watchers: &watchers,
        muted: &in_force.muted_at(super::keep::now()),
        inputs: &inputs,
        formats: &formats,
        context: &arguments.context,
        budget: arguments.budget.or(in_force.budget_per_10k_staff_day).unwrap_or(BUDGET),
        rejects: arguments.reading.rejects.as_deref(),
        options: OcsfOptions { patients: arguments.alarm_patients, ..OcsfOptions::default() },
        progress: true,
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
    if let Some(house) = &house {
        house.note(super::keep::now(), HouseDeed::Ran(Box::new(watched.run.clone())))?;
    }
    if let Some(path) = &arguments.report {
        let report = if path.extension().is_some_and(|ending| ending == "txt") {
            watched.report.to_string().into_bytes()
        } else {
            serde_json::to_vec_pretty(&watched.report)?
        };
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

/// What users of this program looked up so far: they are watched like everybody else.
fn own_look_ups(
    folder: &std::path::Path,
    kek: &bavn_store::Kek,
    watchers: &mut Watchers,
) -> CommandResult<Option<Input>> {
    let own = bavn_store::Store::open(folder, kek)?.own(bavn_store::Window::ALL)?;
    watchers.add(own.iter().filter_map(|own| own.who.clone()));
    let lines: Vec<u8> = own.iter().flat_map(|own| [&own.original[..], b"\n"].concat()).collect();
    Ok((!lines.is_empty()).then(|| Input::Own(lines.into())))
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
    /// Users of this program, as its own look-ups name them.
    pub(crate) watchers: &'a Watchers,
    /// Detectors that are not heard.
    pub(crate) muted: &'a [String],
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
    /// As the house keeps it.
    pub(crate) run: Run,
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
            let is_news = finding.is_alert
                || finding.state == FindingState::Closed
                || self.watchers.read_their_own(&finding, &names);
            if let Some(desk) = self.desk.filter(|_| is_news) {
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

    /// What watches one pass, and what is not given to it again; its verdicts are kept where
    /// look-ups are.
    fn engine(
        &self,
        directory: &mut Directory,
        context: Context,
        under: Option<&go_on::Under>,
    ) -> CommandResult<(Engine, GoOn)> {
        let settings = Settings { budget_per_10k_staff_day: self.budget };
        let begun = match (self.saved, self.keeper, under) {
            (Some(saved), Some(keeper), Some(under)) => go_on::begin(
                saved,
                keeper,
                directory,
                context,
                (settings, self.muted),
                under,
                self.inputs.len(),
            )?,
            _ => (Engine::without(context, settings, self.muted), GoOn::default()),
        };
        let (mut engine, from) = begun;
        if let Some(keeper) = self.keeper {
            engine.keep_judgements();
            // People are numbered anew in every pass.
            keeper.lock().unwrap_or_else(PoisonError::into_inner).begin_again();
        }
        Ok((engine, from))
    }

    /// One pass. The inner error names an input that is out of order.
    #[expect(clippy::disallowed_methods, reason = "the edge measures its own speed")]
    fn run_once(
        &self,
        unsorted: &BTreeSet<u32>,
        mut raise: impl FnMut(&str) -> CommandResult,
    ) -> CommandResult<Result<Watched, u32>> {
        let Loaded { mut directory, context, problems, problem_count, .. } =
            load_context(self.context, &self.formats.mappings)?;
        tell_problems(&problems, problem_count);
        let under = self.keeper.map(|_| go_on::Under::of(&directory, &context));
        let (mut engine, from) = self.engine(&mut directory, context, under.as_ref())?;
        self.watchers.meet(&mut directory, engine.context());
        let first_day = from.seen.first_day();
        let mut rejects = self.rejects.map(RejectWriter::create).transpose()?;
        let mut alarms = Vec::new();
        let started = Instant::now();
        let directory = Mutex::new(directory);
        let stream = Stream { inputs: self.inputs, formats: self.formats, unsorted };
        let mut tally = Tally::default();
        let whole_bytes = self.inputs.iter().map(Input::bytes).sum::<Option<u64>>();
        let read_bytes = AtomicU64::new(0);
        let totals = std::thread::scope(|scope| {
            let (give, take) = sync_channel::<Batch>(BATCHES_IN_FLIGHT);
            let (store, frames) = sync_channel::<Kept>(FRAMES_IN_FLIGHT);
            let judged = self.keeper.map(|_| store.clone());
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
                        if self.keeper.is_none() || matches!(input, Input::Own(_)) {
                            return Ok(());
                        }
                        frame.push(record, original, &input.label());
                        if frame.bytes_held() < FRAME_BYTES {
                            return Ok(());
                        }
                        let full = std::mem::take(&mut frame);
                        store.send(Kept::Frame(full)).map_err(|_| StreamError::StoreStopped)
                    },
                    |batch, totals| {
                        read_bytes.store(totals.bytes_packed, Ordering::Relaxed);
                        give.send(batch).map_err(|_| StreamError::Stopped)
                    },
                );
                if !frame.is_empty() && store.send(Kept::Frame(frame)).is_err() {
                    return Err(StreamError::StoreStopped);
                }
                read
            });
            let mut findings = Vec::new();
            let progress = Progress::begin(self.progress, whole_bytes, Unit::Bytes);
            for batch in take {
                tally.accesses += batch.len() as u64;
                progress.reached(read_bytes.load(Ordering::Relaxed));
                progress.say(tally.in_words());
                for access in &batch {
                    engine.observe(access, &mut findings);
                }
                if let Some(judged) = &judged {
                    // If the store has stopped, it says itself why.
                    let _stopped = judged.send(Kept::Verdicts(engine.take_judgements()));
                }
                let mut told =
                    Told { findings: &mut findings, alarms: &mut alarms, tally: &mut tally };
                self.tell(&mut told, &directory, engine.context(), &mut raise)?;
            }
            drop(progress);
            drop(judged);
            let read = reader.join();
            let stored = storing.map(|storing| {
                storing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            stored.transpose()?;
            unless_unsorted(read.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
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
        let summary = tally.summary(&totals, &directory, seconds);
        let (report, inputs) = (engine.report(), self.by_input(&totals));
        let run = Run::of(&report, &directory, engine.context());
        let run = run.with(summary.read, summary.findings, summary.alarms as u64, inputs);
        let learned = under
            .map(|under| Learned::of(&engine, &directory, seen.save(), &under, BTreeMap::new()))
            .transpose()?;
        Ok(Ok(Watched { learned, run, summary, report, unread: totals.unread, alarms }))
    }

    fn by_input(&self, totals: &Totals) -> Vec<SourceCount> {
        let of = |(&file, &(read, rejected)): (&u32, &(u64, u64))| {
            let input = self.inputs.get(file as usize)?.label();
            Some(SourceCount { input, read, rejected })
        };
        totals.by_input.iter().filter_map(of).collect()
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

fn tell_problems(problems: &[impl std::fmt::Display], count: u64) {
    for problem in problems.iter().take(PROBLEMS_SHOWN) {
        super::say(format_args!("context: {problem}"));
    }
    if count > PROBLEMS_SHOWN as u64 {
        super::say(format_args!("context: {count} records could not be read"));
    }
}

/// What the store is given.
#[derive(Debug)]
enum Kept {
    Frame(Frame),
    /// What was found of look-ups of this or an earlier frame, or of one yet to come.
    Verdicts(Vec<Judgement>),
}

/// As the store keeps it.
pub(crate) fn judged(judgement: &Judgement) -> Judged {
    let (reached, by) = match judgement.verdict {
        Verdict::Explained { template } => (Reached::Explained, template),
        Verdict::MadeByReader { template } => (Reached::MadeByReader, template),
        Verdict::Unexplained => (Reached::Unexplained, ""),
        Verdict::CannotJudge { missing } => (Reached::CannotJudge, missing),
    };
    Judged {
        identity: judgement.identity.0,
        patient: judgement.patient.0,
        since: judgement.since,
        at: judgement.at,
        reached,
        by,
        known_at: judgement.known_at,
    }
}

/// What was read; or the file that has to be read again, since it is not in order.
fn unless_unsorted<T>(read: Result<T, StreamError>) -> CommandResult<Result<T, u32>> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(StreamError::Unsorted { file }) => Ok(Err(file)),
        Err(StreamError::Rejects(error)) => Err(error),
        Err(error @ (StreamError::Stopped | StreamError::StoreStopped)) => {
            Err(CommandError::new(Kind::Internal, error))
        }
    }
}

/// Keeps frames and verdicts as they come; at the end says who is whom. A live input is committed
/// every [`COMMIT_SECS`], so that answers are not much behind it.
fn store_frames(
    keeper: &Mutex<bavn_store::Writer>,
    frames: &Receiver<Kept>,
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
    let mut verdicts = 0;
    for kept in frames {
        let now = super::keep::now();
        match kept {
            Kept::Frame(frame) => {
                writer.take(&frame, now)?;
            }
            Kept::Verdicts(found) => {
                verdicts += found.len();
                writer.judge(found.iter().map(judged));
            }
        }
        // Back by as much is a jump, after which the wait would be long.
        let is_time = now.secs_since(committed_at).abs() >= COMMIT_SECS;
        if is_time || verdicts >= VERDICTS_MAX {
            super::keep::say_clock(&writer);
            link(&mut writer);
            writer.commit(now)?;
            (committed_at, verdicts) = (now, 0);
        }
    }
    link(&mut writer);
    Ok(())
}

/// False alarms per 10,000 staff a day, unless somebody says otherwise.
const BUDGET: f64 = 2.0;
/// Problems of context that are told one by one; `bavn context check` tells all.
const PROBLEMS_SHOWN: usize = 5;
/// Bytes of look-ups that go to the store at once.
const FRAME_BYTES: usize = 1 << 20;
/// Frames that may wait between reading and storing.
const FRAMES_IN_FLIGHT: usize = 8;
/// Verdicts of one commit, 64 bytes each in memory.
const VERDICTS_MAX: usize = 1 << 20;
/// A live input ends only when the machine does.
const COMMIT_SECS: i64 = 600;
/// Batches that may wait between reading and detecting.
const BATCHES_IN_FLIGHT: usize = 64;
