//! `bavn watch`: look-ups in, alarms out.

use super::decode::by_reason;
use super::formats::{complain_of_unread, formats};
use crate::cli::{ContextPaths, Watch};
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::{Formats, Input, expand, load_context};
use crate::pipeline::{Batch, RejectWriter, Stream, StreamError, Totals};
use anyhow::Context as _;
use bavn_decode::context::Loaded;
use bavn_detect::{Engine, OcsfOptions, Settings, ocsf_line};
use bavn_model::{Directory, Finding};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub(crate) fn run(arguments: &Watch) -> CommandResult {
    let inputs = expand(&arguments.inputs)?;
    let formats = formats(&arguments.reading)?;
    if !(arguments.budget > 0.0 && arguments.budget.is_finite()) {
        return Err(CommandError::usage("`--budget` must be more than 0"));
    }
    let alarms: Box<dyn Write> = match arguments.alarms.as_str() {
        "-" => Box::new(std::io::stdout().lock()),
        path => Box::new(
            std::fs::File::create(path)
                .with_context(|| format!("`{path}` cannot be written"))
                .map_err(|error| CommandError::new(Kind::Usage, error))?,
        ),
    };
    let plan = Plan {
        inputs: &inputs,
        formats: &formats,
        context: &arguments.context,
        budget: arguments.budget,
        rejects: arguments.reading.rejects.as_deref(),
        options: OcsfOptions { patients: arguments.alarm_patients, ..OcsfOptions::default() },
        progress: std::io::IsTerminal::is_terminal(&std::io::stderr()),
    };
    let mut out = BufWriter::new(alarms);
    let watched = plan.watch(|line| {
        out.write_all(line.as_bytes())?;
        Ok(out.write_all(b"\n")?)
    })?;
    out.flush()?;
    drop(out);
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
}

/// The summary that ends a watch.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) read: u64,
    pub(crate) rejected: u64,
    pub(crate) rejected_by_reason: std::collections::BTreeMap<&'static str, u64>,
    pub(crate) duplicates: u64,
    pub(crate) late: u64,
    pub(crate) bytes: u64,
    pub(crate) identities: usize,
    pub(crate) patients: usize,
    pub(crate) findings: u64,
    pub(crate) alarms: usize,
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
        )
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
                    return Ok(watched);
                }
                Err(file) => unsorted.insert(file),
            };
        }
    }

    /// One pass. The inner error names an input that is out of order.
    #[expect(clippy::disallowed_methods, reason = "the edge measures its own speed")]
    fn run_once(
        &self,
        unsorted: &BTreeSet<u32>,
        mut raise: impl FnMut(&str) -> CommandResult,
    ) -> CommandResult<Result<Watched, u32>> {
        let Loaded { directory, context, problems, problem_count, .. } =
            load_context(self.context, &self.formats.mappings)?;
        for problem in problems.iter().take(PROBLEMS_SHOWN) {
            super::say(format_args!("context: {problem}"));
        }
        if problem_count > PROBLEMS_SHOWN as u64 {
            super::say(format_args!("context: {problem_count} records could not be read"));
        }
        let mut engine = Engine::new(context, Settings { budget_per_10k_staff_day: self.budget });
        let mut rejects = self.rejects.map(RejectWriter::create).transpose()?;
        let started = Instant::now();
        let directory = Mutex::new(directory);
        let stream = Stream { inputs: self.inputs, formats: self.formats, unsorted };
        let mut tally = Tally::default();
        let totals = std::thread::scope(|scope| {
            let (give, take) = sync_channel::<Batch>(BATCHES_IN_FLIGHT);
            let reader = scope.spawn(|| {
                let give = give;
                stream.run(
                    &directory,
                    |input, reject, bytes| match &mut rejects {
                        Some(writer) => writer
                            .write(&input.label(), reject, bytes)
                            .map_err(StreamError::Rejects),
                        None => Ok(()),
                    },
                    |batch, _totals| give.send(batch).map_err(|_| StreamError::Stopped),
                )
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
                for finding in findings.drain(..) {
                    tally.count(&finding);
                    let names = directory.lock().unwrap_or_else(PoisonError::into_inner);
                    raise(&ocsf_line(&finding, &names, engine.context(), self.options))?;
                }
            }
            if let Some(line) = &progress {
                line.finish_and_clear();
            }
            match reader.join() {
                Ok(Ok(totals)) => Ok(Ok(totals)),
                Ok(Err(StreamError::Unsorted { file })) => Ok(Err(file)),
                Ok(Err(StreamError::Rejects(error))) => Err(error),
                Ok(Err(error @ StreamError::Stopped)) => {
                    Err(CommandError::new(Kind::Internal, error))
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        let totals = match totals {
            Ok(totals) => totals,
            Err(file) => return Ok(Err(file)),
        };
        if let Some(writer) = rejects {
            writer.finish()?;
        }
        let directory = directory.into_inner().unwrap_or_else(PoisonError::into_inner);
        let seconds = started.elapsed().as_secs_f64();
        Ok(Ok(Watched {
            summary: tally.summary(&totals, &directory, seconds),
            report: engine.report(),
            unread: totals.unread,
        }))
    }
}

/// Counts findings as they are raised.
#[derive(Debug, Default)]
struct Tally {
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

    fn summary(&self, totals: &Totals, directory: &Directory, seconds: f64) -> Summary {
        Summary {
            read: totals.records,
            rejected: totals.rejects.values().sum(),
            rejected_by_reason: totals.rejects.clone(),
            duplicates: totals.duplicates,
            late: totals.late,
            bytes: totals.bytes,
            identities: directory.identities.len(),
            patients: directory.patients.len(),
            findings: self.findings.len() as u64,
            alarms: self.alarms.len(),
            seconds,
            events_per_second: totals.records as f64 / seconds.max(f64::MIN_POSITIVE),
        }
    }
}

/// A line at the terminal that says the run is alive.
fn progress_line() -> indicatif::ProgressBar {
    let line = indicatif::ProgressBar::new_spinner();
    line.enable_steady_tick(std::time::Duration::from_millis(200));
    line
}

/// Problems of context that are told one by one; `bavn context check` tells all.
const PROBLEMS_SHOWN: usize = 5;
/// Batches that may wait between reading and detecting.
const BATCHES_IN_FLIGHT: usize = 64;
