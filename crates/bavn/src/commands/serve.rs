//! `bavn serve`: sources, detection, cases and console as one service, until it is told to stop.

use super::go_on::{self, Learned, Under};
use super::{console, keep, say};
use crate::agreement;
use crate::alarms::{Alarms, Waiting as Untold};
use crate::cli::Serve;
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use crate::input::load_context;
use crate::pipeline::{Meeting, Seen};
use crate::serve::{Config, Sources, Take, Waiting, watermark};
use crate::watchers::Watchers;
use bavn_decode::context::Loaded;
use bavn_detect::cases::Alarm;
use bavn_detect::house::{House, HouseDeed, Run};
use bavn_detect::{Engine, OcsfOptions, Settings, ocsf_line};
use bavn_model::{Access, Directory, Finding, FindingState, Origin, Record, Reject, Timestamp};
use bavn_store::{Frame, OWN_SOURCE, Own, Person, Store, Window, Writer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) fn run(arguments: &Serve) -> CommandResult {
    let config = Config::read(&arguments.config)?;
    let mut service = Service::open(&config, arguments.fresh_state)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(internal)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let pages = config.console().map(|pages| console::open(&pages)).transpose()?;
    {
        let _inside = runtime.enter();
        let told = Arc::clone(&stopping);
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        let mut terminate = signal(terminate).map_err(internal)?;
        let mut interrupt = signal(interrupt).map_err(internal)?;
        runtime.spawn(async move {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
            told.store(true, Ordering::Relaxed);
        });
        if let Some(pages) = pages {
            let told = Arc::clone(&stopping);
            runtime.spawn(async move {
                // Without its pages the service is not what it was asked to be.
                if let Err(error) = pages.serve().await {
                    say(&error);
                    told.store(true, Ordering::Relaxed);
                }
            });
        }
    }
    say(format_args!("serving {} sources; stop with ctrl-c or SIGTERM", config.source.len()));
    let outcome = service.serve(&stopping);
    runtime.shutdown_background();
    outcome
}

/// Everything that a service holds.
struct Service<'c> {
    config: &'c Config,
    keeper: Mutex<Writer>,
    desk: Desk,
    house: HouseDesk,
    engine: Engine,
    under: Under,
    sources: Sources,
    intake: Intake,
    seen: Seen,
    watchers: Watchers,
    alarms: Alarms,
    /// Where alarms wait while nobody may be named.
    untold: Untold,
    is_shadow: bool,
    findings: Vec<Finding>,
    options: OcsfOptions,
    /// Of the look-up that was judged last.
    day: Option<i32>,
    state_day: Option<i32>,
    looked_at: Timestamp,
    committed_at: Timestamp,
    state_at: Timestamp,
    ticked_at: Timestamp,
    judged: u64,
    raised: u64,
    /// Findings, alarms or not.
    found: u64,
    too_old: u64,
    /// Look-ups of this program's users.
    own: u64,
}

/// What was read, and is not yet stored or judged.
#[derive(Default)]
struct Intake {
    directory: Directory,
    waiting: Waiting,
    frame: Frame,
    read: u64,
    rejects: u64,
    /// Look-ups since the last commit.
    uncommitted: u64,
}

impl Take for Intake {
    fn record(&mut self, label: &str, record: &Record<'_>, original: &[u8], seq: u64) {
        self.waiting.push(self.directory.intern(record, seq));
        self.frame.push(record, original, label);
        self.read += 1;
        self.uncommitted += 1;
    }

    fn reject(&mut self, label: &str, reject: &Reject, _bytes: &[u8]) {
        self.rejects += 1;
        if self.rejects <= REJECTS_TOLD {
            say(format_args!("`{label}` line {}: {}", reject.origin.line, reject.reason));
        }
    }
}

impl<'c> Service<'c> {
    fn open(config: &'c Config, fresh: bool) -> CommandResult<Self> {
        let now = keep::now();
        let store = &config.store;
        let writer = keep::kek(&config.key())
            .and_then(|kek| keep::open_writer(&store.folder, &store.controller, kek))?;
        let keeper = Mutex::new(writer);
        let kek = keep::kek(&config.key())?;
        let saved = if fresh { None } else { go_on::read(&keeper)? };
        let Loaded { mut directory, context, problem_count, .. } =
            load_context(&config.context_paths(), &config.context_mappings()?)?;
        if problem_count > 0 {
            say(format_args!("context: {problem_count} records could not be read"));
        }
        let under = Under::of(&directory, &context);
        // What two persons have set holds from the next start on.
        let house = HouseDesk::open(&store.folder, &kek)?;
        let in_force = house.look(|house| house.in_force().clone())?;
        if !house.look(House::is_served)? {
            house.note(now, HouseDeed::Served)?;
        }
        let budget = in_force.budget_per_10k_staff_day.unwrap_or(config.detection.budget);
        let settings = Settings { budget_per_10k_staff_day: budget };
        let muted = in_force.muted_at(now);
        let (mut engine, from) = if let Some(saved) = &saved {
            let settings = (settings, &muted[..]);
            go_on::begin(saved, &keeper, &mut directory, context, settings, &under, FILES_MAX)?
        } else {
            let from = go_on::anew(&keeper, &mut directory, REPLAYED_DAYS, FILES_MAX)?;
            (Engine::without(context, settings, &muted), from)
        };
        engine.keep_judgements();
        let mut watchers = Watchers::default();
        let own = Store::open(&store.folder, &kek)?.own(Window::ALL)?;
        watchers.add(own.into_iter().filter_map(|own| own.who));
        watchers.meet(&mut directory, engine.context());
        let mut seen = from.seen;
        let mut intake = Intake { directory, ..Intake::default() };
        if saved.is_some() {
            for access in from.missed {
                intake.waiting.push(access);
            }
        } else {
            // What the store holds has been told: here it is only learned from.
            for access in from.missed {
                if seen.meet(access.id, access.at) == Meeting::New {
                    engine.observe(&access, &mut Vec::new());
                }
            }
        }
        let done = saved.as_ref().map(|saved| saved.head().files.clone()).unwrap_or_default();
        let alarms = config.alarms.file.display().to_string();
        // The file is never begun anew: others follow it.
        let alarms = Alarms::open(
            &alarms,
            Some(saved.as_ref().map_or(0, |saved| saved.head().alarm_bytes)),
        )?;
        let duty = super::case::read_duty(config.cases.duty.as_deref())?;
        Ok(Self {
            desk: Desk::open(&store.folder, &kek, duty)?,
            house,
            untold: Untold::open(&store.folder, &kek)?,
            is_shadow: true,
            sources: Sources::new(&config.source, config.reading.whole_after_seconds, done, now)?,
            options: OcsfOptions { patients: config.alarms.patients, ..OcsfOptions::default() },
            config,
            keeper,
            engine,
            under,
            intake,
            seen,
            watchers,
            alarms,
            findings: Vec::new(),
            day: None,
            state_day: None,
            looked_at: Timestamp::default(),
            committed_at: now,
            state_at: now,
            ticked_at: Timestamp::default(),
            judged: 0,
            raised: 0,
            found: 0,
            too_old: 0,
            own: 0,
        })
    }

    fn serve(&mut self, stopping: &AtomicBool) -> CommandResult {
        self.tell_what_waits()?;
        if self.is_shadow {
            say("shadow mode: the employees' side has not signed yet; alarms wait in the store, \
                 encrypted, and nobody is named");
        }
        let pause = Duration::from_millis(self.config.reading.look_every_milliseconds.min(PAUSE));
        while !stopping.load(Ordering::Relaxed) {
            if !self.turn(keep::now(), stopping)? {
                std::thread::sleep(pause);
            }
        }
        self.commit(keep::now(), true)?;
        say(format_args!(
            "stopped; read {} look-ups, {} rejected, judged {}, {} alarms; {} wait for earlier ones \
             and are judged when it goes on",
            self.intake.read,
            self.intake.rejects,
            self.judged,
            self.raised,
            self.intake.waiting.len(),
        ));
        if self.too_old > 0 {
            say(format_args!("{} look-ups came days too late and were only stored", self.too_old));
        }
        Ok(())
    }

    /// Looks, reads, judges and commits. False when there was nothing to do.
    fn turn(&mut self, now: Timestamp, stopping: &AtomicBool) -> CommandResult<bool> {
        let look_every = self.config.reading.look_every_milliseconds as i64 * 1_000;
        if now.micros().saturating_sub(self.looked_at.micros()) >= look_every {
            self.looked_at = now;
            self.sources.look(now);
        }
        let mut is_busy = false;
        while !stopping.load(Ordering::Relaxed) && self.sources.read(now, &mut self.intake) {
            is_busy = true;
            if self.intake.frame.bytes_held() >= FRAME_BYTES {
                break;
            }
        }
        self.store(now)?;
        self.judge(now)?;
        if now.secs_since(self.ticked_at) >= TICK_SECS {
            self.ticked_at = now;
            self.desk.tick(now)?;
        }
        let commit = &self.config.commit;
        let is_due = now.secs_since(self.committed_at) >= i64::from(commit.every_seconds);
        if is_due || self.intake.uncommitted >= commit.every_look_ups {
            let since = now.secs_since(self.state_at);
            let is_midnight = self.day != self.state_day && since >= STATE_SECS_MIN;
            let with_state = is_midnight || since >= i64::from(commit.state_every_minutes) * 60;
            self.commit(now, with_state)?;
        }
        Ok(is_busy)
    }

    /// What was read goes to the store before it is judged: no state may know more than the store.
    fn store(&mut self, now: Timestamp) -> CommandResult {
        if self.intake.frame.is_empty() {
            return Ok(());
        }
        let frame = std::mem::take(&mut self.intake.frame);
        let mut writer = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        writer.take(&frame, now)?;
        Ok(())
    }

    /// Judges what nothing earlier is awaited for.
    fn judge(&mut self, now: Timestamp) -> CommandResult {
        let disorder = i64::from(self.config.detection.disorder_seconds);
        let until = watermark(self.sources.fronts(now), now, disorder);
        while let Some(access) = self.intake.waiting.pop(until) {
            self.observe(&access)?;
        }
        Ok(())
    }

    fn observe(&mut self, access: &Access) -> CommandResult {
        if self.seen.is_forgotten(access.at) {
            self.too_old += u64::from(!self.seen.was_before(access.id, access.at));
            return Ok(());
        }
        if self.seen.meet(access.id, access.at) != Meeting::New {
            return Ok(());
        }
        self.judged += 1;
        self.day = self.day.max(Some(access.at.day()));
        self.engine.observe(access, &mut self.findings);
        let context = self.engine.context();
        for finding in self.findings.drain(..) {
            let names = &self.intake.directory;
            let line = ocsf_line(&finding, names, context, self.options);
            if self.is_shadow {
                self.untold.write(&line);
            } else {
                self.alarms.write(&line)?;
            }
            self.found += 1;
            self.raised += u64::from(finding.is_alert);
            let is_news = finding.is_alert
                || finding.state == FindingState::Closed
                || self.watchers.read_their_own(&finding, names);
            if is_news {
                self.desk.receive(Alarm::of(&finding, names, context), keep::now())?;
            }
        }
        Ok(())
    }

    /// The employees' side may agree, or no longer agree, while the service runs.
    fn tell_what_waits(&mut self) -> CommandResult {
        self.is_shadow = agreement::of(&self.desk, &self.house)?.is_none();
        if self.is_shadow { self.untold.sync() } else { self.untold.tell(&mut self.alarms) }
    }

    /// What it came to so far: from this, pages say how many alarms there were and were expected.
    fn note_run(&self, now: Timestamp) -> CommandResult {
        let report = self.engine.report();
        let run = Run::of(&report, &self.intake.directory, self.engine.context());
        let run = run.with(self.judged, self.found, self.raised, Vec::new());
        self.house.note(now, HouseDeed::Ran(Box::new(run)))
    }

    /// What users of this program looked up, as the commit took it in, waits to be judged like all else.
    fn watch_own(&mut self) -> CommandResult {
        let own = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take_own();
        for Own { who, original, .. } in own {
            let mut record =
                bavn_decode::fhir::read_json(&original, Origin::default()).map_err(internal)?;
            record.source = Some(OWN_SOURCE.into());
            self.watchers.add(who);
            self.watchers.meet(&mut self.intake.directory, self.engine.context());
            self.own += 1;
            self.intake.waiting.push(self.intake.directory.intern(&record, OWN_FROM + self.own));
        }
        Ok(())
    }

    fn commit(&mut self, now: Timestamp, with_state: bool) -> CommandResult {
        self.store(now)?;
        // Alarms are told, or wait, before anything says that they do.
        self.tell_what_waits()?;
        let alarm_bytes = self.alarms.sync()?;
        {
            let mut writer = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
            let names = &self.intake.directory;
            writer.link(|person, name| match person {
                Person::Identity => names.identities.find_exact(name).map(|id| id.0),
                Person::Patient => names.patients.find_exact(name).map(|id| id.0),
            });
            writer.judge(self.engine.take_judgements().iter().map(super::watch::judged));
        }
        let learned = with_state.then(|| {
            let files = self.sources.done();
            let seen = self.seen.save();
            Learned::of(&self.engine, &self.intake.directory, seen, &self.under, files)
        });
        go_on::keep(&self.keeper, learned.transpose()?, alarm_bytes)?;
        self.watch_own()?;
        if with_state && self.state_day != self.day {
            self.note_run(now)?;
        }
        (self.committed_at, self.intake.uncommitted) = (now, 0);
        if with_state {
            (self.state_at, self.state_day) = (now, self.day);
        }
        Ok(())
    }
}

fn internal(error: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(Kind::Internal, error)
}

/// Bytes of look-ups that are stored at once.
const FRAME_BYTES: usize = 4 << 20;
/// Pause when there is nothing to do, in milliseconds: it is told to stop within this time.
const PAUSE: u64 = 200;
const TICK_SECS: i64 = 30;
/// Days that go by fast, as when old logs are read, are not saved one by one.
const STATE_SECS_MIN: i64 = 30;
/// Of the store's past, when nothing learned is gone on from.
const REPLAYED_DAYS: i32 = 90;
/// Own look-ups are numbered from here on, apart from those of files.
const OWN_FROM: u64 = 1 << 63;
/// Numbers of files are below it.
const FILES_MAX: usize = (1 << 24) - 1;
/// Records that could not be read and are told one by one.
const REJECTS_TOLD: u64 = 20;
