//! `bavn who`: everyone who has read a patient's record.

use super::keep::{open, purpose, record_asking, window};
use crate::cli::{Who as Arguments, WhoFormat, WhoLanguage};
use crate::error::CommandResult;
use crate::report::{csv, fhir, html, json, text};
use std::io::Write as _;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let wanted = window(&arguments.period)?;
    let why = purpose(arguments.purpose.as_deref())?;
    let store = open(&arguments.access)?;
    let who = store.who(&arguments.patient, wanted, &why)?;
    record_asking(&arguments.access, &store, &why, "bavn who", &[&who.patient])?;
    let words = match arguments.language {
        WhoLanguage::En => &crate::report::ENGLISH,
        WhoLanguage::Nb => &crate::report::BOKMAAL,
    };
    let report = match arguments.format {
        WhoFormat::Text => text(&who, words),
        WhoFormat::Csv => csv(&who),
        WhoFormat::Json => json(&who),
        WhoFormat::Html => html(&who, words),
        WhoFormat::Fhir => fhir(&who),
        WhoFormat::Pdf => {
            let language = match arguments.language {
                WhoLanguage::En => bavn_share::Language::En,
                WhoLanguage::Nb => bavn_share::Language::Nb,
            };
            let bytes = super::notice::on_paper(&crate::who_paper::document(&who, language))?;
            return Ok(std::io::stdout().write_all(&bytes)?);
        }
    };
    Ok(std::io::stdout().write_all(report.as_bytes())?)
}
