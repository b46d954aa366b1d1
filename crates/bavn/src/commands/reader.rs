//! `bavn case rule-out`, `ask` and `answer`: a friendly question to a reader, and what was said.
//!
//! Off until the controller's file says who asks, where answers go and into which folder messages
//! are written; held back until an officer has ruled out a stolen account.

use super::case::{desk, told};
use super::keep::{now, open, os_user};
use super::notice::spoken;
use crate::breach::{About, ReaderMail, instant};
use crate::cli::{CaseStore, SpokenLanguage};
use crate::desk::{Desk, refused};
use crate::error::{CommandError, CommandResult, Kind};
use bavn_detect::cases::{CaseNumber, Deed, Refusal};
use bavn_model::Timestamp;
use bavn_share::{Language, ReaderMessage};
use bavn_store::{Store, Subject, Window};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum ReaderCommand {
    /// As an officer: hold that nobody else used the account, so that its owner may be asked.
    RuleOut {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        /// On what that rests: whom you spoke with, what you saw.
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Write the message that asks a reader of the case about a look-up, into the outbox.
    Ask(Ask),
    /// Write down what a reader answered, in the reader's own words.
    Answer {
        #[command(flatten)]
        store: CaseStore,
        #[arg(value_name = "CASE")]
        case: CaseNumber,
        /// As the case names the reader.
        #[arg(long, value_name = "ID")]
        reader: String,
        #[arg(value_name = "TEXT")]
        text: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Ask {
    #[command(flatten)]
    store: CaseStore,
    #[arg(value_name = "CASE")]
    case: CaseNumber,
    /// As the case names the reader.
    #[arg(long, value_name = "ID")]
    reader: String,
    /// How the message addresses the reader [default: colleague].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Of which look-up, in RFC 3339 [default: the reader's first in this case].
    #[arg(long, value_name = "TIME")]
    opened_at: Option<String>,
    /// What to say of the record, such as `on ward 3`; never who the patient is.
    #[arg(long, value_name = "TEXT")]
    record_hint: Option<String>,
    /// The controller's file; its `reader_message` has `sender`, `answer_to` and `outbox`.
    #[arg(long, value_name = "FILE")]
    about: PathBuf,
    #[arg(long, value_enum, default_value = "en")]
    language: SpokenLanguage,
}

pub(crate) fn run(command: &ReaderCommand) -> CommandResult {
    let act = |store: &CaseStore, case, deed| {
        told(&desk(store)?.act(now(), &os_user(), case, deed, None))
    };
    match command {
        ReaderCommand::RuleOut { store, case, why } => {
            act(store, *case, Deed::RuledOut { why: why.clone() })
        }
        ReaderCommand::Ask(arguments) => {
            let about = crate::register::read_about(&arguments.about)?;
            let desk = desk(&arguments.store)?;
            let question = Question {
                case: arguments.case,
                reader: &arguments.reader,
                name: arguments.name.as_deref(),
                opened_at: arguments.opened_at.as_deref(),
                record_hint: arguments.record_hint.as_deref(),
                language: spoken(arguments.language),
            };
            let store = open(&arguments.store.access)?;
            let name = ask(&desk, &store, &about, &os_user(), now(), &question)?;
            super::say(format_args!("written: {name}"));
            Ok(())
        }
        ReaderCommand::Answer { store, case, reader, text } => {
            let (reader, text) = (reader.clone(), text.clone());
            act(store, *case, Deed::Replied { reader, text })
        }
    }
}

/// Whom to ask, about what.
pub(crate) struct Question<'a> {
    pub(crate) case: CaseNumber,
    pub(crate) reader: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) opened_at: Option<&'a str>,
    pub(crate) record_hint: Option<&'a str>,
    pub(crate) language: Language,
}

/// Writes message and act, and gives the name of the file.
pub(crate) fn ask(
    desk: &Desk,
    store: &Store,
    about: &About,
    by: &str,
    now: Timestamp,
    question: &Question<'_>,
) -> CommandResult<String> {
    let mail = about.reader_message.as_ref().ok_or_else(off)?;
    let case = desk.look(|book| book.case(book.settled(question.case)).cloned())?;
    let case = case.ok_or_else(|| refused(Refusal::UnknownCase { case: question.case }))?;
    if !case.identities().contains(question.reader) {
        return Err(CommandError::usage("the case has no such reader"));
    }
    let ruled_out = case.file.ruled_out.as_ref();
    let officer = ruled_out.ok_or_else(|| refused(Refusal::ThiefNotRuledOut))?;
    let opened_at = match question.opened_at {
        Some(text) => Timestamp::parse(text)
            .map(|(at, _)| at)
            .map_err(|_| CommandError::usage(format_args!("`--opened-at {text}` is not a time")))?,
        None => first_look_up(store, question.reader, case.first_seen())?,
    };
    let message = message(question, mail, about, &officer.by, opened_at);
    message.check().map_err(CommandError::usage)?;
    let (subject, body) = message.parts(question.language);
    let text = format!("To: {}\nSubject: {subject}\n\n{body}", one_line(question.reader));
    let sha256 = crate::keyed::sha256(text.as_bytes());
    let deed = Deed::Asked { reader: question.reader.to_owned(), sha256: sha256.clone() };
    desk.would(now, by, case.number, deed.clone(), None)?.map_err(refused)?;
    let name = format!("case-{}-reader-{}.txt", case.number, sha256.get(..16).unwrap_or(""));
    crate::outbox::write(&mail.outbox, &name, text.as_bytes())?;
    desk.act(now, by, case.number, deed, None)?.map_err(refused)?;
    Ok(name)
}

fn message(
    question: &Question<'_>,
    mail: &ReaderMail,
    about: &About,
    officer: &str,
    opened_at: Timestamp,
) -> ReaderMessage {
    let colleague = match question.language {
        Language::En => "colleague",
        Language::Nb => "kollega",
    };
    ReaderMessage {
        reader: question.name.unwrap_or(colleague).to_owned(),
        opened_at: instant(opened_at),
        time_zone: about.time_zone.clone(),
        record_hint: question.record_hint.map(str::to_owned),
        sender: mail.sender.clone(),
        answer_to: mail.answer_to.clone(),
        stolen_account_ruled_out_by: officer.to_owned(),
    }
}

fn first_look_up(
    store: &Store,
    reader: &str,
    since: Option<Timestamp>,
) -> CommandResult<Timestamp> {
    let window = Window { from: since.unwrap_or(Window::ALL.from), to: Window::ALL.to };
    let scope = store.scope(&Subject::Identities(vec![reader.to_owned()]), window)?;
    let first = scope.exposed.iter().map(|held| held.first).min();
    first.ok_or_else(|| CommandError::usage("the reader opened no record since the case began"))
}

fn off() -> CommandError {
    let error = anyhow::anyhow!("messages to readers are off");
    CommandError::new(Kind::Refused, error)
        .hint("switch them on by `[reader_message]` in the controller's file")
}

/// A name from a source starts no header of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
