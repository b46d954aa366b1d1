//! `bavn case` and `bavn digest`: who looks into it, what is decided, what waits.

use super::keep::{kek, now, os_user};
use crate::agreement;
use crate::cli::{CaseCommand, CaseList, CaseStore, Digest as DigestArguments, SpokenLanguage};
use crate::desk::{Acted, Desk, refused};
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use anyhow::Context as _;
use bavn_detect::cases::{
    Book, Case, CaseNumber, Deed, Duty, InnocentCause, Side, Verdict, Waiver, Work, deed_in_words,
    json_of,
};
use bavn_detect::words::Language;
use bavn_model::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;

pub(crate) fn run(command: CaseCommand) -> CommandResult {
    let (now, by) = (now(), os_user());
    let act = |store: &CaseStore, case, deed| {
        let desk = desk(store)?;
        told(&desk.act(now, &by, case, deed, None))
    };
    match command {
        CaseCommand::List(arguments) => list(&arguments),
        CaseCommand::Show { store, case, since, language, json } => {
            let since = since.as_deref().map(read_date).transpose()?;
            show(&store, case, since, spoken(language), json)
        }
        CaseCommand::Trail { store, case, language, json } => {
            super::trail::run(&store, case, spoken(language), json)
        }
        CaseCommand::Assign { store, case, to } => act(&store, case, Deed::Assigned { to }),
        CaseCommand::Verdict { store, case, verdict, reason } => {
            act(&store, case, Deed::Decided { verdict: read_verdict(&verdict)?, reason })
        }
        CaseCommand::Note { store, case, text } => act(&store, case, Deed::Noted { text }),
        CaseCommand::Task { store, case, text } => act(&store, case, Deed::Planned { task: text }),
        CaseCommand::Done { store, case, task } => act(&store, case, Deed::Done { task }),
        CaseCommand::File { store, case, file } => {
            let bytes = std::fs::read(&file)
                .with_context(|| format!("`{}` cannot be read", file.display()))
                .map_err(|error| CommandError::new(Kind::Usage, error))?;
            let what = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let sha256 = bavn_store::to_hex(&Sha256::digest(&bytes));
            act(&store, case, Deed::Filed { what, sha256 })
        }
        CaseCommand::Merge { store, case, into } => act(&store, case, Deed::Merged { into }),
        CaseCommand::Split { store, case, alarms } => {
            told(&desk(&store)?.split(now, &by, case, alarms.into_iter().collect()))
        }
        CaseCommand::Reader(command) => super::reader::run(&command),
        CaseCommand::Undo { store, case } => told(&desk(&store)?.undo(now, &by, case)),
        CaseCommand::ExplainUnit { store, case, unit, cause, reason, until } => {
            let waiver = Waiver {
                unit,
                detectors: BTreeSet::new(),
                cause: read_cause(&cause)?,
                reason,
                from: now,
                until: read_date(&until)?,
                closes: BTreeSet::new(),
            };
            told(&desk(&store)?.explain(now, &by, case, waiver))
        }
    }
}

pub(crate) fn digest(arguments: &DigestArguments) -> CommandResult {
    let desk = nameless_desk(&arguments.store)?;
    let at = match &arguments.at {
        Some(text) => read_date(text)?,
        None => now(),
    };
    let digest = desk.look(|book| book.digest(at, desk.duty().zone))?;
    if arguments.json {
        return Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&digest)?)?);
    }
    let mut text = format!(
        "{} of {} minutes of work wait; {} new, {} carried over, {} escalated, {} closed since {}\n",
        digest.minutes,
        digest.minutes_max,
        digest.new,
        digest.carried_over,
        digest.escalated,
        digest.closed,
        digest.since,
    );
    for (place, line) in digest.lines.iter().enumerate() {
        if place == digest.fits {
            text.push_str("-- does not fit this morning --\n");
        }
        let work = match line.work {
            Work::Triage => "to read and judge",
            Work::Decide => "to decide",
            Work::Tell => "a breach that nobody has been told of",
            Work::LookAgain => "decided, and grown since",
        };
        let carried = if line.carried_over { ", carried over" } else { "" };
        let owner = line.owner.as_deref().unwrap_or("nobody");
        let (case, minutes) = (line.case, line.minutes);
        // Writing to a string cannot fail.
        let _never = writeln!(text, "C-{case} {work}, {minutes} min, {owner}{carried}");
    }
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// The desk of a store, for whoever is told who a case is about.
pub(crate) fn desk(store: &CaseStore) -> CommandResult<Desk> {
    let desk = nameless_desk(store)?;
    let access = &store.access;
    agreement::refuse_names(&desk, &HouseDesk::open(&access.store, &kek(&access.key)?)?)?;
    Ok(desk)
}

/// The desk of a store, its escalations written down.
pub(crate) fn nameless_desk(store: &CaseStore) -> CommandResult<Desk> {
    let duty = read_duty(store.duty.as_deref())?;
    let desk = Desk::open(&store.access.store, &kek(&store.access.key)?, duty)?;
    desk.tick(now())?;
    Ok(desk)
}

/// The controller's duty list.
pub(crate) fn read_duty(file: Option<&std::path::Path>) -> CommandResult<Duty> {
    let Some(file) = file else { return Ok(Duty::default()) };
    let usage = |error: anyhow::Error| CommandError::new(Kind::Usage, error);
    let text = std::fs::read(file)
        .with_context(|| format!("the duty list `{}` cannot be read", file.display()))
        .map_err(usage)?;
    let duty: Duty = serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is no duty list", file.display()))
        .map_err(usage)?;
    duty.check().map_err(|error| CommandError::new(Kind::Usage, error))?;
    Ok(duty)
}

fn list(arguments: &CaseList) -> CommandResult {
    let desk = desk(&arguments.store)?;
    let lines: Vec<String> = desk.look(|book| {
        let all = || book.cases().collect::<Vec<_>>();
        let cases = if arguments.all { all() } else { book.queue() };
        let line = |case: &&Case| {
            if arguments.json { json_of(book, case, false).to_string() } else { line_of(case) }
        };
        cases.iter().map(line).collect()
    })?;
    for line in lines {
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}

fn line_of(case: &Case) -> String {
    let summary = case.leading().map_or("", |alarm| alarm.english.summary.as_str());
    format!(
        "C-{} {}, {}: {} patients; {summary}",
        case.number,
        case.state().word(),
        case.owner.as_deref().unwrap_or("nobody"),
        case.patients(),
    )
}

fn show(
    store: &CaseStore,
    number: CaseNumber,
    since: Option<Timestamp>,
    language: Language,
    as_json: bool,
) -> CommandResult {
    let desk = desk(store)?;
    let case = desk.look(|book| book.case(number).map(Case::state))?;
    if case.is_none() {
        return Err(refused(bavn_detect::cases::Refusal::UnknownCase { case: number }));
    }
    // Who looks has seen it: the clock of escalation stops.
    desk.act(now(), &os_user(), number, Deed::Read, None)?.ok();
    let text = desk.look(|book| {
        let Some(case) = book.case(number) else { return String::new() };
        match since {
            _ if as_json => format!("{}\n", json_of(book, case, true)),
            Some(since) => format!("{}\n{}", line_of(case), acts_of(book, case, since, language)),
            None => text_of(book, case, language),
        }
    })?;
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn text_of(book: &Book, case: &Case, language: Language) -> String {
    let mut lines = vec![line_of(case)];
    let span = case.first_seen().zip(case.last_seen());
    if let Some((first, last)) = span {
        lines.push(format!("  seen from {first} to {last}, opened {}", case.opened_at));
    }
    if let Some(into) = case.merged_into {
        lines.push(format!("  goes on in C-{into}"));
    }
    for (title, side) in [("for misuse", Side::For), ("against", Side::Against)] {
        lines.push(format!("{title}:"));
        let grounds = case.grounds(language).into_iter().filter(|ground| ground.side == side);
        lines.extend(grounds.map(|ground| format!("  {} ({})", ground.text, ground.from)));
    }
    if let Some(alarm) = case.leading() {
        lines.push(format!("first: {}", alarm.said(language).next_step));
    }
    lines.push("alarms:".to_owned());
    lines.extend(case.alarms.iter().map(|alarm| {
        format!(
            "  {} {} {}: {}",
            alarm.uid,
            alarm.raised_at,
            alarm.detector,
            alarm.said(language).summary
        )
    }));
    for alike in book.alike(case) {
        let names: Vec<String> = [&alike.identities, &alike.hosts, &alike.clients]
            .into_iter()
            .flatten()
            .take(NAMES_SHOWN)
            .cloned()
            .collect();
        let patients = if alike.patients { ", the same patients" } else { "" };
        lines.push(format!("same hand? C-{}: {}{patients}", alike.case, names.join(", ")));
    }
    lines.extend(case.tasks.iter().enumerate().map(|(at, task)| {
        format!(
            "task {}: {} ({})",
            at + 1,
            task.text,
            if task.done.is_some() { "done" } else { "open" }
        )
    }));
    lines.extend(case.evidence.iter().map(|(what, sha256)| format!("filed: {what} {sha256}")));
    lines.push(format!("acts:\n{}", acts_of(book, case, case.opened_at, language)));
    lines.join("\n")
}

fn acts_of(book: &Book, case: &Case, since: Timestamp, language: Language) -> String {
    let acts = book.acts().iter().enumerate();
    let mut text = String::new();
    for (number, act) in acts.filter(|(_, act)| act.case == case.number && act.at >= since) {
        let undone = if book.is_undone(number) { " (undone)" } else { "" };
        let said = deed_in_words(act, language);
        // Writing to a string cannot fail.
        let _never = writeln!(text, "  {} {}: {said}{undone}", act.at, act.by);
    }
    text
}

pub(crate) fn told(acted: &Acted) -> CommandResult {
    match acted {
        Ok(Ok(acts)) => {
            for act in acts {
                super::say(format_args!(
                    "C-{}: {}",
                    act.case,
                    deed_in_words(act, Language::English)
                ));
            }
            Ok(())
        }
        Ok(Err(refusal)) => Err(refused(refusal.clone())),
        Err(error) => Err(CommandError::new(error.kind, anyhow::anyhow!("{}", error.source))),
    }
}

fn read_verdict(text: &str) -> CommandResult<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| verdict.word() == text).ok_or_else(|| {
        let words: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.word()).collect();
        CommandError::usage(format_args!("`{text}` is no verdict"))
            .hint(format!("one of {}", words.join(", ")))
    })
}

fn read_cause(text: &str) -> CommandResult<InnocentCause> {
    InnocentCause::ALL.into_iter().find(|cause| cause.word() == text).ok_or_else(|| {
        let words: Vec<&str> = InnocentCause::ALL.iter().map(|cause| cause.word()).collect();
        CommandError::usage(format_args!("`{text}` is no cause"))
            .hint(format!("one of {}", words.join(", ")))
    })
}

/// A time, or the beginning of a day (UTC).
fn read_date(text: &str) -> CommandResult<Timestamp> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&whole).map(|(at, _)| at).map_err(|_| {
        CommandError::usage(format_args!("`{text}` is not a day or time"))
            .hint("write it as 2026-11-23, or as in RFC 3339")
    })
}

pub(crate) const fn spoken(language: SpokenLanguage) -> Language {
    match language {
        SpokenLanguage::En => Language::English,
        SpokenLanguage::Nb => Language::Bokmaal,
    }
}

/// Names that a line of text shows.
const NAMES_SHOWN: usize = 5;
