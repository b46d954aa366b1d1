//! From `--format` and `--mapping` to how inputs are read.

use crate::cli::Reading;
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::{Family, Formats, Input};
use anyhow::Context as _;
use bavn_decode::mapping::MappingError;
use bavn_decode::{Mapping, Mappings};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The shipped mappings, then the hospital's own, which go first where both fit.
pub(crate) fn mappings(own: &[impl AsRef<Path>]) -> CommandResult<Mappings> {
    let mut mappings = Mappings::shipped();
    for path in own {
        mappings.add(read_mapping(path.as_ref())?);
    }
    Ok(mappings)
}

pub(crate) fn formats(reading: &Reading) -> CommandResult<Formats> {
    let mut mappings = mappings(&reading.mapping)?;
    let family = match reading.format.as_str() {
        "auto" => Family::Any,
        "fhir" => Family::Fhir,
        "atna" => Family::Atna,
        other => match other.strip_prefix("map:") {
            Some(path) => {
                // This mapping and no other.
                mappings = Mappings::default();
                mappings.add(read_mapping(Path::new(path))?);
                Family::Any
            }
            None => {
                return Err(CommandError::usage(format!("`{other}` is no format"))
                    .hint("use auto, fhir, atna or map:FILE"));
            }
        },
    };
    Ok(Formats { family, mappings: Arc::new(mappings) })
}

/// Says which inputs could not be read to their end; everything else was.
pub(crate) fn complain_of_unread(inputs: &[Input], unread: &[(u32, String)]) -> CommandResult {
    let Some(((file, why), others)) = unread.split_last() else { return Ok(()) };
    for (file, why) in others {
        super::say(format_args!("error: `{}` {why}", label(inputs, *file)));
    }
    Err(CommandError::input(format!("`{}` {why}", label(inputs, *file)))
        .hint("everything that could be read was read"))
}

pub(crate) fn label(inputs: &[Input], file: u32) -> String {
    inputs.get(file as usize).map_or_else(String::new, Input::label)
}

fn read_mapping(path: &Path) -> CommandResult<Mapping> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("mapping `{}` cannot be read", path.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    Mapping::parse(&text).map_err(|error: MappingError| {
        let name = path.display().to_string();
        CommandError::usage(drawn(&name, &text, &error.to_string(), error.span()))
    })
}

/// What is wrong, with the line of the file that it is about, and a caret.
pub(crate) fn drawn(name: &str, text: &str, words: &str, span: Range<usize>) -> String {
    let label = miette::LabeledSpan::at(span.start..span.end.max(span.start), "here");
    let report = miette::miette!(labels = vec![label], "{words}")
        .with_source_code(miette::NamedSource::new(name, text.to_owned()));
    let mut drawing = String::new();
    match miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
        .render_report(&mut drawing, report.as_ref())
    {
        Ok(()) => drawing.trim().to_owned(),
        Err(_) => words.to_owned(),
    }
}
