//! `bavn dpia`: the impact assessment of what is really there, and that the employees' side agrees.

use super::case::told;
use super::keep::{kek, now, os_user};
use super::notice::{PlainFormat, on_paper, spoken};
use crate::cli::{KeySource, SpokenLanguage, StoreAccess};
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult};
use bavn_console::{Purpose, Right, Role, permits};
use bavn_detect::cases::{Deed, Duty};
use bavn_share::{
    Assessed, Language, SignOff, Source, assessment_digest, assessment_document, assessment_html,
    assessment_markdown,
};
use bavn_store::Store;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct Dpia {
    /// What people decided (TOML: `controller`, `purposes`, `lawful_basis`, `retention`, `roles`,
    /// `sources`, `budget`, `not_measured`, `necessity`, `risks_and_measures`, `sign_off`); what it
    /// lacks is said to be missing.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take controller, sources and sign-off from this store, where `--config` does not say.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    #[command(flatten)]
    key: KeySource,
    /// Write down who, for the employees' side, has agreed to this very assessment.
    #[arg(long, value_name = "WHO", requires_all = ["store", "on"], conflicts_with = "withdraw")]
    sign_off: Option<String>,
    /// The day on the paper, such as 2026-11-01.
    #[arg(long, value_name = "DATE", requires = "sign_off")]
    on: Option<String>,
    /// Write down that they no longer agree, and why.
    #[arg(long, value_name = "TEXT", requires = "store")]
    withdraw: Option<String>,
    /// Text is Markdown.
    #[arg(long, value_enum, default_value = "text")]
    format: PlainFormat,
    #[arg(long, value_enum, default_value = "en")]
    language: SpokenLanguage,
}

pub(crate) fn run(arguments: &Dpia) -> CommandResult {
    let language = spoken(arguments.language);
    let mut assessed: Assessed = match &arguments.config {
        None => Assessed::default(),
        Some(path) => super::notice::assessed(path)?,
    };
    assessed.detectors =
        bavn_detect::Engine::detector_names().into_iter().map(str::to_owned).collect();
    if assessed.roles.is_empty() {
        assessed.roles = roles();
    }
    if let Some(folder) = &arguments.store {
        let access = StoreAccess { store: folder.clone(), key: arguments.key.clone() };
        let store = super::keep::open(&access)?;
        // What is signed is one text, in whatever language it was read.
        let mut signed = assessed.clone();
        see(&mut signed, &store, Language::En)?;
        let digest = assessment_digest(&signed, Language::En);
        see(&mut assessed, &store, language)?;
        let desk = Desk::open(folder, &kek(&arguments.key)?, Duty::default())?;
        write_down(arguments, &digest, &desk)?;
        add_sign_off(&mut assessed, &digest, &desk, language)?;
    }
    let document = match arguments.format {
        PlainFormat::Text => assessment_markdown(&assessed, language).into_bytes(),
        PlainFormat::Html => assessment_html(&assessed, language).into_bytes(),
        PlainFormat::Pdf => on_paper(&assessment_document(&assessed, language))?,
    };
    Ok(std::io::stdout().write_all(&document)?)
}

/// What the store itself shows.
fn see(assessed: &mut Assessed, store: &Store, language: Language) -> CommandResult {
    if assessed.controller.is_none() {
        assessed.controller = Some(store.controller().to_owned());
    }
    let what = match language {
        Language::En => "look-ups in health records, as the source logs them",
        Language::Nb => "oppslag i journaler, slik kilden logger dem",
    };
    for heard in store.sources()? {
        if !assessed.sources.iter().any(|known| known.name == heard.source) {
            assessed.sources.push(Source { name: heard.source, what: what.to_owned() });
        }
    }
    Ok(())
}

fn write_down(arguments: &Dpia, digest: &str, desk: &Desk) -> CommandResult {
    let deed = match (&arguments.sign_off, &arguments.on, &arguments.withdraw) {
        (Some(by), Some(on), _) => {
            if !bavn_share::is_date(on) {
                let error = format_args!("`--on {on}` is not a date").to_string();
                return Err(CommandError::usage(error).hint("write it as 2026-11-01"));
            }
            Deed::SignedOff { by: by.clone(), on: on.clone(), sha256: digest.to_owned() }
        }
        (_, _, Some(why)) => Deed::SignOffWithdrawn { why: why.clone() },
        _ => return Ok(()),
    };
    told(&desk.sign_off(now(), &os_user(), deed))
}

/// The agreement in force; that it was for another text than today's is said.
fn add_sign_off(
    assessed: &mut Assessed,
    digest: &str,
    desk: &Desk,
    language: Language,
) -> CommandResult {
    let Some(held) = desk.look(bavn_detect::cases::Book::sign_off)? else { return Ok(()) };
    let by = match (held.sha256 == digest, language) {
        (true, _) => held.by,
        (false, Language::En) => {
            format!(
                "{}, of an earlier text (SHA-256 {}); what changed is to be signed again",
                held.by, held.sha256
            )
        }
        (false, Language::Nb) => {
            format!(
                "{}, av en tidligere tekst (SHA-256 {}); det som er endret, skal signeres på nytt",
                held.by, held.sha256
            )
        }
    };
    assessed.sign_off = Some(SignOff { by, date: held.on });
    Ok(())
}

/// Each role, and what the table of the pages lets it do.
fn roles() -> Vec<String> {
    let may = |role| {
        let held = Right::ALL.into_iter().filter(move |&right| {
            Purpose::ALL.into_iter().any(|purpose| permits(right, role, purpose))
        });
        held.map(|right| in_words(&format!("{right:?}"))).collect::<Vec<_>>().join(", ")
    };
    Role::ALL.into_iter().map(|role| format!("{}: {}", role.word(), may(role))).collect()
}

/// `SeeQueue` as `see queue`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
