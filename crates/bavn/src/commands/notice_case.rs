//! `bavn notice` on a case: declare, answer, make ready, sign; and how the persons are told.

use super::case::desk;
use super::keep::{now, os_user};
use super::notice::{Shown, spoken};
use crate::breach::instant;
use crate::cli::{CaseStore, ContextPaths};
use crate::error::{CommandError, CommandResult};
use crate::recipients::Way;
use crate::register::{By, Looked, Register};
use bavn_detect::cases::{CaseNumber, Deed, Prepared};
use bavn_model::Timestamp;
use bavn_share::{Breach, Language, Notice, check_answer, questions, shipped};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// A case, and what its record is made with.
#[derive(Args, Debug)]
pub(crate) struct OfCase {
    #[command(flatten)]
    pub(crate) store: CaseStore,
    /// The case whose record is made from its scope and acts.
    #[arg(long, value_name = "CASE")]
    pub(crate) case: CaseNumber,
    /// What is the same in every breach (TOML: `controller`, `controller_number`, `contacts`,
    /// `processors`, `measures_before`, `time_zone`, `letter_to_guardian_below`).
    #[arg(long, value_name = "FILE")]
    pub(crate) about: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) context: ContextPaths,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaseNotice {
    /// Print the breach record of a case (JSON), as notices are made from it.
    Record {
        #[command(flatten)]
        of: OfCase,
        #[arg(long, value_enum, default_value = "en")]
        language: crate::cli::SpokenLanguage,
    },
    /// Which questions are left for a person? With drafts where one is honest.
    Questions {
        #[command(flatten)]
        of: OfCase,
        #[arg(long, value_enum, default_value = "en")]
        language: crate::cli::SpokenLanguage,
    },
    /// Say that an event holds that a clock of the law counts from: `aware`, `significant`, …; or
    /// `ended`, after which look-ups are no longer of the case.
    Declare {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        #[arg(value_name = "EVENT")]
        event: String,
        /// Since when, in RFC 3339; never later than was declared before, but for `ended` [default: now].
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Answer a question that the records leave open.
    Answer {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        /// As `bavn notice questions` names it.
        #[arg(value_name = "QUESTION")]
        question: String,
        #[arg(value_name = "TEXT")]
        text: String,
        /// In which the text is written: a notice in the other language marks it.
        #[arg(long, value_enum)]
        language: Option<crate::cli::SpokenLanguage>,
    },
    /// Make a notice ready, for a second person to sign.
    Prepare(Phase),
    /// As a second person: sign the notice that waits, as you send it. Its clock stops.
    Sign(Phase),
    /// How many are told in which way; with `--want`, ask for the list of them.
    Recipients {
        #[command(flatten)]
        of: OfCase,
        /// Ask for the list, for this reason; a second person lets it go.
        #[arg(long, value_name = "TEXT", conflicts_with = "release")]
        want: Option<String>,
        /// As a second person: write the list that was asked for, sealed, into this folder, and
        /// print its key once.
        #[arg(long, value_name = "DIR")]
        release: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Open a sealed list with its key.
    OpenList {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// 64 hexadecimal digits, as they were printed once.
        #[arg(long, value_name = "KEY")]
        key: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Phase {
    #[command(flatten)]
    of: OfCase,
    /// As `bavn notice regimes` lists it.
    #[arg(long, value_name = "ID")]
    regime: String,
    /// [default: the regime's first]
    #[arg(long = "phase", value_name = "PHASE")]
    named: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

/// What is printed.
pub(crate) fn run(command: &CaseNotice) -> CommandResult<Vec<u8>> {
    let act = |store: &CaseStore, case, deed| -> CommandResult<Vec<u8>> {
        super::case::told(&desk(store)?.act(now(), &os_user(), case, deed, None))?;
        Ok(Vec::new())
    };
    match command {
        CaseNotice::Record { of, language } => {
            let (breach, _) = made(of, spoken(*language))?;
            Ok(format!("{}\n", serde_json::to_string_pretty(&breach)?).into_bytes())
        }
        CaseNotice::Questions { of, language } => Ok(left(of, spoken(*language))?.into_bytes()),
        CaseNotice::Declare { store, case, event, since, why } => {
            let since = since.as_deref().map_or_else(|| Ok(now()), time)?;
            let deed = Deed::Declared { event: event.clone(), since, why: why.clone() };
            act(store, *case, deed)
        }
        CaseNotice::Answer { store, case, question, text, language } => {
            check_answer(question, text).map_err(CommandError::usage)?;
            let deed = Deed::Answered {
                question: question.clone(),
                text: text.clone(),
                language: language.map(|language| spoken(language).code().to_owned()),
            };
            act(store, *case, deed)
        }
        CaseNotice::Prepare(phase) => prepare(phase),
        CaseNotice::Sign(phase) => sign(phase),
        CaseNotice::Recipients { of, want: Some(why), .. } => {
            act(&of.store, of.case, Deed::ListWanted { why: why.clone() })
        }
        CaseNotice::Recipients { of, release: Some(folder), .. } => release(of, folder),
        CaseNotice::Recipients { of, json, .. } => Ok(recipients(of, *json)?.into_bytes()),
        CaseNotice::OpenList { file, key } => {
            let bytes = super::notice::bytes(file)?;
            bavn_store::open_list(&bytes, key).ok_or_else(|| {
                let error = anyhow::anyhow!("the key is another's, or the file was changed");
                CommandError::new(crate::error::Kind::Refused, error)
            })
        }
    }
}

/// The record of a case as it stands.
pub(crate) fn made(of: &OfCase, language: Language) -> CommandResult<(Breach, Arc<Looked>)> {
    let register = Register::new(&of.store.access, of.about.as_deref(), &of.context)?;
    let user = os_user();
    register.record(&desk(&of.store)?, of.case, by(&user), language)
}

/// The record as of the last notice of this regime that was signed: what a follow-up differs from.
pub(crate) fn before(of: &OfCase, regime: &str) -> CommandResult<Option<Breach>> {
    let desk = desk(&of.store)?;
    let record = desk.look(|book| {
        let case = book.case(book.settled(of.case))?;
        case.file.last_signed(regime).map(|notice| notice.record.clone())
    })?;
    record.map(|record| Breach::parse(record.as_bytes()).map_err(CommandError::usage)).transpose()
}

fn left(of: &OfCase, language: Language) -> CommandResult<String> {
    let desk = desk(&of.store)?;
    let answers = desk.look(|book| {
        let case = book.case(book.settled(of.case))?;
        Some(case.file.answers.clone())
    })?;
    let answers = answers.ok_or_else(|| CommandError::usage("there is no such case"))?;
    let mut out = String::new();
    for question in questions() {
        let label = question.label(language);
        let _ = writeln!(out, "{}: {label}", question.path);
        match (answers.get(question.path), question.draft(language)) {
            (Some(answer), _) => {
                let _ = writeln!(out, "  = {} ({}, {})", answer.text, answer.by, answer.at);
            }
            (None, Some(draft)) => {
                let _ = writeln!(out, "  ? {draft}");
            }
            (None, None) if !question.choices.is_empty() => {
                let _ = writeln!(out, "  ? {}", question.choices.join(" | "));
            }
            (None, None) => {}
        }
    }
    Ok(out)
}

fn prepare(phase: &Phase) -> CommandResult<Vec<u8>> {
    let language = spoken(phase.shown.language);
    let (breach, _) = made(&phase.of, language)?;
    let (regime, named) = regime_and_phase(phase)?;
    let previous = before(&phase.of, &regime)?;
    let notice = filled(&breach, previous.as_ref(), &regime, &named, language)?;
    if !notice.missing.is_empty() {
        let missing = notice.missing.join(", ");
        return Err(CommandError::usage(format_args!("still missing: {missing}"))
            .hint("`bavn notice answer` says what a person knows"));
    }
    let record = serde_json::to_string(&breach)?;
    let deed = Deed::Prepared { regime, phase: named, record, sha256: breach.digest() };
    let acted = desk(&phase.of.store)?.act(now(), &os_user(), phase.of.case, deed, None);
    super::case::told(&acted)?;
    Ok(format!("{}\n", notice.record).into_bytes())
}

fn sign(phase: &Phase) -> CommandResult<Vec<u8>> {
    let (regime, named) = regime_and_phase(phase)?;
    let desk = desk(&phase.of.store)?;
    let waiting = desk.look(|book| {
        let case = book.case(book.settled(phase.of.case))?;
        case.notice_waiting(&regime, &named).cloned()
    })?;
    let waiting: Prepared = waiting.ok_or_else(|| {
        CommandError::usage(format_args!("no notice {regime} {named} waits for a signature"))
            .hint("`bavn notice prepare` makes one ready")
    })?;
    let deed = Deed::Signed { act: waiting.act };
    super::case::told(&desk.act(now(), &os_user(), phase.of.case, deed, None))?;
    Ok(format!("{}\n", waiting.sha256).into_bytes())
}

fn regime_and_phase(phase: &Phase) -> CommandResult<(String, String)> {
    let known = shipped().map_err(|error| CommandError::usage(&error))?;
    let regime = known.iter().find(|regime| regime.id == phase.regime).ok_or_else(|| {
        CommandError::usage(format_args!("no regime `{}` is known", phase.regime))
            .hint("`bavn notice regimes` lists them")
    })?;
    let first = regime.phases.first().map_or("", |phase| phase.id.as_str());
    let named = phase.named.as_deref().unwrap_or(first);
    if regime.phase(named).is_none() {
        return Err(CommandError::usage(format_args!("`{}` has no phase `{named}`", regime.id)));
    }
    Ok((regime.id.clone(), named.to_owned()))
}

fn filled(
    breach: &Breach,
    previous: Option<&Breach>,
    regime: &str,
    phase: &str,
    language: Language,
) -> CommandResult<Notice> {
    let known = shipped().map_err(|error| CommandError::usage(&error))?;
    let regime = known.iter().find(|held| held.id == regime);
    let regime = regime.ok_or_else(|| CommandError::usage("no such regime is known"))?;
    Notice::fill(breach, regime, phase, language, previous, instant(now()))
        .map_err(CommandError::usage)
}

fn recipients(of: &OfCase, as_json: bool) -> CommandResult<String> {
    let (breach, looked) = made(of, Language::En)?;
    let told = looked.told.as_ref().ok_or_else(|| {
        CommandError::usage("who can be reached how is in the context: give `--context`")
    })?;
    if as_json {
        let (ways, minors_below) = told.recipients().counts();
        let value = serde_json::json!({
            "case": of.case, "persons": breach.persons, "ways": ways, "minors_below": minors_below,
            "categories": told.categories(),
        });
        return Ok(format!("{value}\n"));
    }
    let (mut out, ways) = (String::new(), told.recipients());
    for (way, count) in told.counts() {
        let years = match way {
            Way::Guardian => ways
                .minors_below
                .map_or_else(String::new, |years| format!("  (below {years} years)")),
            _ => String::new(),
        };
        let _ = writeln!(out, "{:<18} {count}{years}", way.word());
    }
    Ok(out)
}

fn release(of: &OfCase, folder: &std::path::Path) -> CommandResult<Vec<u8>> {
    let register = Register::new(&of.store.access, of.about.as_deref(), &of.context)?;
    let user = os_user();
    let (name, key) = register.release(&desk(&of.store)?, of.case, by(&user), folder, None)?;
    super::say(format_args!("written: {name}"));
    super::say("the key below is kept nowhere; send it another way than the file");
    Ok(format!("{key}\n").into_bytes())
}

/// The user of the operating system, as look-ups name them.
fn by(user: &str) -> By<'_> {
    By { who: ("urn:bavn:os-user", user), at: now() }
}

fn time(text: &str) -> CommandResult<Timestamp> {
    Timestamp::parse(text).map(|(at, _)| at).map_err(|_| {
        CommandError::usage(format_args!("`{text}` is not a time"))
            .hint("write it as in RFC 3339: 2026-11-23T08:00:00+01:00")
    })
}
