//! `bavn who`: everyone who has read a patient's record.

use super::keep::{open, purpose, record_asking, window};
use crate::cli::{Who as Arguments, WhoFormat, WhoLanguage};
use crate::error::CommandResult;
use crate::input::load_context;
use crate::report::{Around, Style, csv, document, fhir, groups, html, json, text};
use bavn_decode::Mappings;
use std::io::Write as _;
use std::sync::Arc;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let wanted = window(&arguments.period)?;
    let why = purpose(arguments.purpose.as_deref(), &arguments.access)?;
    let store = open(&arguments.access)?;
    let who = store.who(&arguments.patient, wanted, &why)?;
    record_asking(&arguments.access, &store, &why, "bavn who", &[&who.patient])?;
    let words = match arguments.language {
        WhoLanguage::En => &crate::report::ENGLISH,
        WhoLanguage::Nb => &crate::report::BOKMAAL,
    };
    let loaded = if arguments.context.context.is_empty() {
        None
    } else {
        Some(load_context(&arguments.context, &Arc::new(Mappings::default()))?)
    };
    let around = loaded
        .as_ref()
        .map(|loaded| Around { directory: &loaded.directory, context: &loaded.context });
    let groups = groups(&who, around);
    let report = match arguments.format {
        WhoFormat::Text => text(&who, &groups, words),
        WhoFormat::Csv => csv(&groups, words),
        WhoFormat::Json => json(&who, &groups, words),
        WhoFormat::Html => html(&who, &groups, words, Style::Within),
        WhoFormat::Fhir => fhir(&who, &groups),
        WhoFormat::Pdf => {
            let language = match arguments.language {
                WhoLanguage::En => bavn_share::Language::En,
                WhoLanguage::Nb => bavn_share::Language::Nb,
            };
            let bytes = super::notice::on_paper(&document(&who, &groups, words, language))?;
            return Ok(std::io::stdout().write_all(&bytes)?);
        }
    };
    Ok(std::io::stdout().write_all(report.as_bytes())?)
}
