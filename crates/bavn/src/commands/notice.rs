//! `bavn notice`: documents from a breach record. Nothing is sent.

use super::keep;
use super::notice_case::{self, CaseNotice, OfCase};
use crate::cli::{CaseStore, ContextPaths, KeySource, SpokenLanguage, StoreAccess};
use crate::error::{CommandError, CommandResult, Kind};
use bavn_detect::cases::CaseNumber;
use bavn_share::{
    Assessed, Breach, Document, Instant, Language, Notice, RECORD_BYTES_MAX, ReaderMessage, Regime,
    clocks, clocks_document, clocks_html, clocks_text, incident_finding, notice_document,
    notice_html, notice_text, pdf, shipped,
};
use clap::{Args, Subcommand, ValueEnum};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeCommand {
    /// Write one notice from a breach record: a draft that a person reads, signs and sends.
    Draft(Draft),
    /// When is each notice due, what is overdue, and who started the clock?
    Clocks(Clocks),
    /// List the laws that are known, their clocks, and by when each must be read again.
    Regimes(Regimes),
    /// Write the breach as OCSF Incident Finding, for a security system.
    Incident(Incident),
    /// Write the message that asks a reader about one look-up.
    Message(Message),
    #[command(flatten)]
    Case(CaseNotice),
}

/// A breach record in a file, or made from a case.
#[derive(Args, Debug)]
pub(crate) struct Record {
    /// Breach record (JSON, see docs/schema/breach.schema.json).
    #[arg(long, value_name = "FILE", required_unless_present = "case", conflicts_with = "case")]
    breach: Option<PathBuf>,
    /// The case whose record is made from its scope and acts; needs `--store`.
    #[arg(long, value_name = "CASE", requires = "store")]
    case: Option<CaseNumber>,
    #[arg(long, value_name = "DIR", requires = "case")]
    store: Option<PathBuf>,
    #[command(flatten)]
    key: KeySource,
    /// What is the same in every breach (TOML, as for `bavn notice record`).
    #[arg(long, value_name = "FILE", requires = "case")]
    about: Option<PathBuf>,
    #[command(flatten)]
    context: ContextPaths,
}

impl Record {
    /// The case, if one is meant.
    fn of(&self) -> Option<OfCase> {
        let (case, store) = (self.case?, self.store.clone()?);
        let access = StoreAccess { store, key: self.key.clone() };
        let store = CaseStore { access, duty: None };
        Some(OfCase { store, case, about: self.about.clone(), context: self.context.clone() })
    }
}

/// What every document needs.
#[derive(Args, Debug)]
pub(crate) struct Shown {
    #[arg(long, value_enum, default_value = "en")]
    pub(crate) language: SpokenLanguage,
    /// The time that is now, in RFC 3339 [default: the clock of this machine].
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Draft {
    #[command(flatten)]
    record: Record,
    /// As `bavn notice regimes` lists it.
    #[arg(long, value_name = "ID")]
    regime: String,
    /// [default: the regime's first]
    #[arg(long)]
    phase: Option<String>,
    /// The record as of the last notice: what has changed since is marked [default: of a case, as
    /// the last notice of this regime was signed].
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: DocumentFormat,
    /// A regime of your own (TOML), in place of those built in.
    #[arg(long, value_name = "FILE")]
    regime_file: Option<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args, Debug)]
pub(crate) struct Clocks {
    #[command(flatten)]
    record: Record,
    #[arg(long, value_enum, default_value = "text")]
    format: DocumentFormat,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args, Debug)]
pub(crate) struct Regimes {
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args, Debug)]
pub(crate) struct Incident {
    #[command(flatten)]
    record: Record,
    /// The alarm that it rests on (`finding_info.uid`); may be repeated [default: of a case, all].
    #[arg(long, value_name = "UID")]
    finding: Vec<String>,
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Message {
    /// JSON: `reader`, `opened_at`, `time_zone`, `record_hint`, `sender`, `answer_to`,
    /// `stolen_account_ruled_out_by`.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    format: PlainFormat,
    #[arg(long, value_enum, default_value = "en")]
    language: SpokenLanguage,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DocumentFormat {
    Text,
    Html,
    Json,
    /// PDF/UA-1, tagged.
    Pdf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PlainFormat {
    Text,
    Html,
    /// PDF/UA-1, tagged.
    Pdf,
}

pub(crate) fn run(command: &NoticeCommand) -> CommandResult {
    let document = match command {
        NoticeCommand::Draft(arguments) => draft(arguments)?,
        NoticeCommand::Clocks(arguments) => clock_sheet(arguments)?,
        NoticeCommand::Regimes(arguments) => regimes(&arguments.shown)?.into_bytes(),
        NoticeCommand::Incident(arguments) => {
            let breach = of_record(&arguments.record, Language::En)?;
            let findings = findings(arguments)?;
            let now = instant(arguments.now.as_deref())?;
            format!("{}\n", incident_finding(&breach, &findings, now)).into_bytes()
        }
        NoticeCommand::Message(arguments) => {
            let message = ReaderMessage::parse(&bytes(&arguments.input)?)
                .map_err(|error| wrong(&arguments.input, &error))?;
            let language = spoken(arguments.language);
            match arguments.format {
                PlainFormat::Text => message.text(language).into_bytes(),
                PlainFormat::Html => message.html(language).into_bytes(),
                PlainFormat::Pdf => on_paper(&message.document(language))?,
            }
        }
        NoticeCommand::Case(command) => notice_case::run(command)?,
    };
    Ok(std::io::stdout().write_all(&document)?)
}

/// The facts of an assessment, as a controller wrote them down.
pub(super) fn assessed(path: &Path) -> CommandResult<Assessed> {
    toml::from_str(&text(path)?).map_err(|error| wrong(path, &error.message()))
}

/// A document as PDF.
pub(crate) fn on_paper(document: &Document) -> CommandResult<Vec<u8>> {
    pdf(document).map_err(|error| CommandError::new(Kind::Internal, error))
}

fn draft(arguments: &Draft) -> CommandResult<Vec<u8>> {
    let language = spoken(arguments.shown.language);
    let breach = of_record(&arguments.record, language)?;
    let previous = match (&arguments.previous, &arguments.record.of()) {
        (Some(file), _) => Some(self::breach(file)?),
        (None, Some(of)) => notice_case::before(of, &arguments.regime)?,
        (None, None) => None,
    };
    let known = known(arguments.regime_file.as_deref())?;
    let Some(regime) = known.iter().find(|regime| regime.id == arguments.regime) else {
        return Err(CommandError::usage(format_args!("no regime `{}` is known", arguments.regime))
            .hint("`bavn notice regimes` lists them"));
    };
    let first = regime.phases.first().map_or("", |phase| phase.id.as_str());
    let phase = arguments.phase.as_deref().unwrap_or(first);
    let now = instant(arguments.shown.now.as_deref())?;
    let notice = Notice::fill(&breach, regime, phase, language, previous.as_ref(), now)
        .map_err(CommandError::usage)?;
    if !notice.missing.is_empty() {
        super::say(format_args!("still missing: {}", notice.missing.join(", ")));
    }
    Ok(match arguments.format {
        DocumentFormat::Text => notice_text(&notice).into_bytes(),
        DocumentFormat::Html => notice_html(&notice).into_bytes(),
        DocumentFormat::Json => format!("{}\n", serde_json::to_string_pretty(&notice)?).into(),
        DocumentFormat::Pdf => on_paper(&notice_document(&notice))?,
    })
}

fn clock_sheet(arguments: &Clocks) -> CommandResult<Vec<u8>> {
    let language = spoken(arguments.shown.language);
    let breach = of_record(&arguments.record, language)?;
    let now = instant(arguments.shown.now.as_deref())?;
    let due = clocks(&breach, &known(None)?, now);
    Ok(match arguments.format {
        DocumentFormat::Text => clocks_text(&due, language, &breach.time_zone, now).into_bytes(),
        DocumentFormat::Html => clocks_html(&due, language, &breach.time_zone, now).into_bytes(),
        DocumentFormat::Json => format!("{}\n", serde_json::to_string_pretty(&due)?).into(),
        DocumentFormat::Pdf => on_paper(&clocks_document(&due, language, &breach.time_zone, now))?,
    })
}

fn regimes(shown: &Shown) -> CommandResult<String> {
    let now = serde_json::to_value(instant(shown.now.as_deref())?)?;
    let today: String = now.as_str().unwrap_or_default().chars().take(10).collect();
    let language = spoken(shown.language);
    let mut out = String::new();
    for regime in known(None)? {
        let banner = if regime.is_overdue(&today) { "  PAST REVIEW" } else { "" };
        let phases: Vec<&str> = regime.phases.iter().map(|phase| phase.id.as_str()).collect();
        let (title, source) = (regime.title.of(language), regime.source.of(language));
        let _ = writeln!(out, "{} ({}) {title}\n  {}", regime.id, regime.version, source);
        let _ = writeln!(out, "  review by {}, {}{banner}", regime.review_by, regime.reviewer);
        let _ = writeln!(out, "  phases: {}", phases.join(", "));
        for clock in &regime.clocks {
            let time = match (clock.hours, clock.months) {
                (0, 0) => "without undue delay".to_owned(),
                (hours, 0) => format!("{hours} hours"),
                (_, months) => format!("{months} month(s)"),
            };
            let _ =
                writeln!(out, "  {}: {time} from `{}` [{}]", clock.phase, clock.from, clock.law);
        }
    }
    Ok(out)
}

fn known(own: Option<&Path>) -> CommandResult<Vec<Regime>> {
    match own {
        None => shipped().map_err(|error| CommandError::usage(&error)),
        Some(path) => Ok(vec![Regime::parse(&text(path)?).map_err(|error| wrong(path, &error))?]),
    }
}

/// From a file, or made from a case.
fn of_record(record: &Record, language: Language) -> CommandResult<Breach> {
    match (&record.breach, &record.of()) {
        (Some(path), _) => breach(path),
        (None, Some(of)) => Ok(notice_case::made(of, language)?.0),
        (None, None) => Err(CommandError::usage("give `--breach FILE` or `--case CASE`")),
    }
}

/// The alarms that an incident rests on.
fn findings(arguments: &Incident) -> CommandResult<Vec<String>> {
    match (&arguments.record.of(), arguments.finding.is_empty()) {
        (Some(of), true) => super::case::desk(&of.store)?.look(|book| {
            let case = book.case(book.settled(of.case));
            case.map_or_else(Vec::new, |case| {
                case.alarms.iter().map(|alarm| alarm.uid.clone()).collect()
            })
        }),
        _ => Ok(arguments.finding.clone()),
    }
}

fn breach(path: &Path) -> CommandResult<Breach> {
    Breach::parse(&bytes(path)?).map_err(|error| wrong(path, &error))
}

/// Reads one byte past the limit at most, so that the reader of the record can say it is too long.
pub(crate) fn bytes(path: &Path) -> CommandResult<Vec<u8>> {
    let mut held = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(RECORD_BYTES_MAX as u64 + 1).read_to_end(&mut held))
        .map_err(|error| {
            CommandError::input(format_args!("`{}` could not be read: {error}", path.display()))
        })?;
    Ok(held)
}

pub(crate) fn text(path: &Path) -> CommandResult<String> {
    String::from_utf8(bytes(path)?).map_err(|_| wrong(path, &"it is not UTF-8 text"))
}

pub(crate) fn wrong(path: &Path, why: &dyn std::fmt::Display) -> CommandError {
    CommandError::usage(format_args!("`{}`: {why}", path.display()))
}

fn instant(given: Option<&str>) -> CommandResult<Instant> {
    let now = given.map_or_else(|| keep::now().to_string(), str::to_owned);
    Instant::parse(&now).map_err(|error| CommandError::usage(format_args!("`--now`: {error}")))
}

pub(crate) fn spoken(language: SpokenLanguage) -> Language {
    match language {
        SpokenLanguage::En => Language::En,
        SpokenLanguage::Nb => Language::Nb,
    }
}
