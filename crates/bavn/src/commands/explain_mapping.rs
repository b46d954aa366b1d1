//! `bavn decode --explain-mapping`: which column gave which field, and by which rule?

use super::formats::complain_of_unread;
use crate::error::CommandResult;
use crate::input::{BlockReader, Formats, HEAD_BYTES, Input};
use bavn_decode::Format;
use bavn_decode::mapping::{Base, ExplainedRow};
use bavn_decode::tree;
use bavn_model::Origin;
use std::io::Write;

/// Explains the first record of every input that a mapping reads; patients are masked.
pub(crate) fn run(inputs: &[Input], formats: &Formats) -> CommandResult {
    let mut out = std::io::stdout().lock();
    let mut unread = Vec::new();
    for (file, input) in (0_u32..).zip(inputs) {
        let label = input.label();
        match first_row(input, &label, formats) {
            Ok(Some(row)) => print(&mut out, &label, &row)?,
            Ok(None) => writeln!(out, "{label}: read as it stands, no mapping is for it")?,
            Err(why) => unread.push((file, why)),
        }
    }
    complain_of_unread(inputs, &unread)
}

fn first_row(
    input: &Input,
    label: &str,
    formats: &Formats,
) -> Result<Option<ExplainedRow>, String> {
    let in_words = |error: &dyn std::error::Error| error.to_string();
    let mut reader = BlockReader::open(input).map_err(|error| in_words(&error))?;
    reader.refill(0, HEAD_BYTES).map_err(|error| in_words(&error))?;
    let block = reader.block();
    let format = formats.of(label, block).map_err(|error| in_words(&error))?;
    if let Format::Csv(table) = &format {
        let rows = block.get(table.header_bytes()..).unwrap_or_default();
        let at = Origin { line: table.header_lines() + 1, ..Origin::default() };
        return Ok(table.explain(rows, at, 1).into_iter().next());
    }
    let line =
        block.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    // A document spread over lines is one record, if it is whole.
    let candidates = [line.unwrap_or_default(), block.trim_ascii()];
    for bytes in candidates {
        let Ok(record) = tree::parse(bytes) else { continue };
        let mappings = &formats.mappings;
        let found = mappings
            .find_for_json(label, &record)
            .or_else(|| mappings.find_over(Base::Fhir, label, &record));
        let origin = Origin { line: 1, ..Origin::default() };
        return Ok(found.map(|mapping| mapping.explain_json(&record, bytes, origin)));
    }
    Ok(None)
}

fn print(out: &mut impl Write, label: &str, row: &ExplainedRow) -> CommandResult {
    writeln!(out, "{label}, line {}, by mapping `{}`:", row.line, row.mapping)?;
    for field in &row.fields {
        let name = serde_json::to_value(field.field)?;
        writeln!(
            out,
            "  {:<14} {} <- {} ({}), {}",
            name.as_str().unwrap_or_default(),
            shown(&field.read),
            shown(&field.from),
            shown(&field.raw),
            field.rule,
        )?;
    }
    if let Some(reject) = &row.reject {
        writeln!(out, "  rejected: {reject}")?;
    }
    Ok(())
}

fn shown(parts: &[String]) -> String {
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" | ") }
}
