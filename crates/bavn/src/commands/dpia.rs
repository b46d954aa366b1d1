//! `bavn dpia`: the impact assessment of what is really there, and that the employees' side agrees.

use super::case::told;
use super::keep::{kek, now, os_user};
use super::life::policy_in_force;
use super::notice::{PlainFormat, on_paper, spoken};
use crate::agreement;
use crate::cli::{KeySource, SpokenLanguage, StoreAccess};
use crate::desk::{Acted, Desk};
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use bavn_console::roles_in_words;
use bavn_detect::Engine;
use bavn_detect::cases::{Deed, Duty};
use bavn_detect::house::{Agreement, InForce};
use bavn_detect::words::{self, shortest, title};
use bavn_share::{
    Assessed, Language, SignOff, Source, assessment_digest, assessment_document, assessment_gaps,
    assessment_html, assessment_markdown,
};
use bavn_store::Store;
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(crate) struct Dpia {
    /// What people decided (TOML: `controller`, `purposes`, `lawful_basis`, `retention`, `roles`,
    /// `sources`, `budget`, `not_measured`, `necessity`, `risks_and_measures`, `sign_off`); what it
    /// lacks is said to be missing.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take controller and sources from this store, where `--config` does not say, and what two persons
    /// set on the page of settings: budget, retention, muted detectors, sign-off.
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
    /// They agreed although parts of it are missing.
    #[arg(long, requires = "sign_off")]
    with_gaps: bool,
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
    let stated = arguments.config.as_deref().map(super::notice::assessed).transpose()?;
    let stated = stated.unwrap_or_default();
    let assessed = match &arguments.store {
        None => of_program(stated, &InForce::default(), language),
        Some(folder) => {
            let access = StoreAccess { store: folder.clone(), key: arguments.key.clone() };
            let (store, kek) = (super::keep::open(&access)?, kek(&arguments.key)?);
            let desk = Desk::open(folder, &kek, Duty::default())?;
            let house = HouseDesk::open(folder, &kek)?;
            // What is signed is one text, in whatever language it was read.
            let signed = of_store(stated.clone(), &store, &house, Language::En)?;
            let digest = assessment_digest(&signed, Language::En);
            write_down(arguments, &signed, &digest, &desk, &house)?;
            let in_force = agreement::of(&desk, &house)?;
            let mut assessed = of_store(stated, &store, &house, language)?;
            assessed.sign_off = in_force.map(|held| sign_off(held, &digest, language));
            assessed
        }
    };
    let document = match arguments.format {
        PlainFormat::Text => assessment_markdown(&assessed, language).into_bytes(),
        PlainFormat::Html => assessment_html(&assessed, language).into_bytes(),
        PlainFormat::Pdf => on_paper(&assessment_document(&assessed, language))?,
    };
    Ok(std::io::stdout().write_all(&document)?)
}

/// What is stated, with what this program is and does.
fn of_program(mut assessed: Assessed, in_force: &InForce, language: Language) -> Assessed {
    let spoken = said_in(language);
    assessed.detectors = Engine::detector_names()
        .into_iter()
        .map(|name| {
            let words = title(spoken, name);
            match (in_force.muted.get(name).filter(|&&until| now() < until), language) {
                (None, _) => format!("{words} ({name})"),
                (Some(until), Language::En) => {
                    format!("{words} ({name}): not heard until {}", super::scope::date(*until))
                }
                (Some(until), Language::Nb) => {
                    format!("{words} ({name}): høres ikke før {}", super::scope::date(*until))
                }
            }
        })
        .collect();
    if assessed.roles.is_empty() {
        let roles = roles_in_words(spoken).into_iter();
        assessed.roles = roles.map(|[role, rights]| format!("{role}: {rights}")).collect();
    }
    assessed
}

/// The same, with what the store shows and what two persons have set.
fn of_store(
    stated: Assessed,
    store: &Store,
    house: &HouseDesk,
    language: Language,
) -> CommandResult<Assessed> {
    let in_force = house.look(|house| house.in_force().clone())?;
    let mut assessed = of_program(stated, &in_force, language);
    if assessed.controller.is_none() {
        assessed.controller = Some(store.controller().to_owned());
    }
    let [what, set] = match language {
        Language::En => {
            ["look-ups in health records, as the source logs them", "set by two persons"]
        }
        Language::Nb => ["oppslag i journaler, slik kilden logger dem", "satt av to personer"],
    };
    for heard in store.sources()? {
        if !assessed.sources.iter().any(|known| known.name == heard.source) {
            assessed.sources.push(Source { name: heard.source, what: what.to_owned() });
        }
    }
    if let Some(budget) = in_force.budget_per_10k_staff_day {
        let budget = shortest(said_in(language), budget);
        let allowed = match language {
            Language::En => "false alarms per 10,000 staff a day",
            Language::Nb => "falske alarmer per 10 000 ansatte per døgn",
        };
        add(&mut assessed.budget, format!("{budget} {allowed}, {set}"));
    }
    let policy = policy_in_force(store, &in_force);
    let of = |days: u32| match language {
        Language::En => format!("look-ups are kept for {days} days"),
        Language::Nb => format!("oppslag oppbevares i {days} dager"),
    };
    match (in_force.retention_days, policy.look_ups_days) {
        (Some(days), _) => add(&mut assessed.retention, format!("{}, {set}", of(days))),
        (None, Some(days)) => add(&mut assessed.retention, of(days)),
        (None, None) => {}
    }
    Ok(assessed)
}

/// What a file states and what is in force are both said.
fn add(stated: &mut Option<String>, in_force: String) {
    *stated = Some(match stated.take() {
        Some(stated) => format!("{stated}; {in_force}"),
        None => in_force,
    });
}

const fn said_in(language: Language) -> words::Language {
    match language {
        Language::En => words::Language::English,
        Language::Nb => words::Language::Bokmaal,
    }
}

fn write_down(
    arguments: &Dpia,
    signed: &Assessed,
    digest: &str,
    desk: &Desk,
    house: &HouseDesk,
) -> CommandResult {
    let deed = match (&arguments.sign_off, &arguments.on, &arguments.withdraw) {
        (Some(by), Some(on), _) => {
            let gaps = assessment_gaps(signed, spoken(arguments.language));
            if !gaps.is_empty() && !arguments.with_gaps {
                return Err(CommandError::usage(format_args!(
                    "nobody can agree to what is missing: {}",
                    gaps.join("; ")
                ))
                .hint("state it in `--config FILE`, or on the page of settings")
                .hint("`--with-gaps`: they agreed all the same"));
            }
            Deed::SignedOff { by: by.clone(), on: on.clone(), sha256: digest.to_owned() }
        }
        (_, _, Some(why)) => Deed::SignOffWithdrawn { why: why.clone() },
        _ => return Ok(()),
    };
    told(&write(desk, house, deed)?)
}

fn write(desk: &Desk, house: &HouseDesk, deed: Deed) -> CommandResult<Acted> {
    let in_force = agreement::of(desk, house)?;
    Ok(desk.sign_off(now(), &os_user(), deed, in_force.as_ref()))
}

/// Takes over the sign-off that a file of the assessment holds, once: what was withdrawn since stays so.
pub(super) fn take_over(
    file: &Path,
    access: &StoreAccess,
    desk: &Desk,
    house: &HouseDesk,
) -> CommandResult {
    let stated = super::notice::assessed(file)?;
    let Some(SignOff { by, date: on }) = stated.sign_off.clone() else { return Ok(()) };
    let is_this = |deed: &Deed| matches!(deed, Deed::SignedOff { by: held, on: day, .. } if *held == by && *day == on);
    if desk.look(|book| book.acts().iter().any(|act| is_this(&act.deed)))? {
        return Ok(());
    }
    let signed = of_store(stated, &super::keep::open(access)?, house, Language::En)?;
    let gaps = assessment_gaps(&signed, Language::En);
    if !gaps.is_empty() {
        let error = anyhow::anyhow!(
            "`{}` holds a sign-off of what is missing: {}",
            file.display(),
            gaps.join("; ")
        );
        return Err(CommandError::new(Kind::Usage, error).hint(
            "state it there, or keep their agreement with `bavn dpia --sign-off --with-gaps`",
        ));
    }
    let sha256 = assessment_digest(&signed, Language::En);
    told(&write(desk, house, Deed::SignedOff { by, on, sha256 })?)
}

/// That it was for another text than today's is said.
fn sign_off(held: Agreement, digest: &str, language: Language) -> SignOff {
    let by = match (held.sha256.filter(|sha256| sha256 != digest), language) {
        (None, _) => held.by,
        (Some(sha256), Language::En) => {
            format!(
                "{}, of an earlier text (SHA-256 {sha256}); what changed is to be signed again",
                held.by
            )
        }
        (Some(sha256), Language::Nb) => {
            format!(
                "{}, av en tidligere tekst (SHA-256 {sha256}); det som er endret, skal signeres på nytt",
                held.by
            )
        }
    };
    SignOff { by, date: held.date }
}
