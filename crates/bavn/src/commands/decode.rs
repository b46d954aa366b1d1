//! `bavn decode`: one normalised event a line.

use super::formats::{complain_of_unread, formats};
use crate::cli::Decode;
use crate::error::CommandResult;
use crate::input::{Formats, Input, Source, expand};
use crate::pipeline::{RejectCounts, RejectWriter, bytes_of, plain_words};
use bavn_model::{Origin, Record, Reject};
use serde::Serialize;
use std::io::{BufWriter, Write};

/// A record as it is printed: its own fields, and where it stands.
#[derive(Serialize)]
struct Line<'a, 'r> {
    #[serde(flatten)]
    record: &'a Record<'r>,
    origin: OriginLine<'a>,
}

#[derive(Serialize)]
struct OriginLine<'a> {
    file: &'a str,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u32>,
    byte_offset: u64,
}

pub(crate) fn run(arguments: &Decode) -> CommandResult {
    let inputs = expand(&arguments.inputs)?;
    let formats = formats(&arguments.reading)?;
    if arguments.explain_mapping {
        return super::explain_mapping::run(&inputs, &formats);
    }
    let mut rejects = arguments.reading.rejects.as_deref().map(RejectWriter::create).transpose()?;
    let mut counts = RejectCounts::new();
    let mut unread = Vec::new();
    let mut records = 0_u64;
    let mut out = BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, std::io::stdout().lock());
    for (file, input) in (0_u32..).zip(&inputs) {
        let outcome = decode_input(input, file, &formats, |label, item| {
            match item {
                Item::Record(record) => {
                    records += 1;
                    let line = Line { record, origin: origin(label, record.origin) };
                    serde_json::to_writer(&mut out, &line)?;
                    out.write_all(b"\n")?;
                }
                Item::Reject(reject, bytes) => {
                    *counts.entry(reject.reason.code()).or_default() += 1;
                    match &mut rejects {
                        Some(writer) => writer.write(label, reject, bytes)?,
                        None => super::say(format_args!(
                            "{label}, line {}, byte {}: {}",
                            reject.origin.line, reject.origin.byte_offset, reject.reason
                        )),
                    }
                }
            }
            Ok(())
        })?;
        unread.extend(outcome.map(|why| (file, why)));
    }
    out.flush()?;
    if let Some(writer) = rejects {
        writer.finish()?;
    }
    let rejected: u64 = counts.values().sum();
    super::say(format_args!("{records} records read, {rejected} rejected{}", by_reason(&counts)));
    complain_of_unread(&inputs, &unread)
}

/// ` (3 malformed, 1 missing_field)`, or nothing.
pub(crate) fn by_reason(counts: &RejectCounts) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let parts: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    format!(" ({})", parts.join(", "))
}

fn origin(file: &str, origin: Origin) -> OriginLine<'_> {
    OriginLine { file, line: origin.line, entry: origin.entry, byte_offset: origin.byte_offset }
}

/// A record, or a reject with the bytes it stands for.
enum Item<'a, 'r> {
    Record(&'a Record<'r>),
    Reject(&'a Reject, &'a [u8]),
}

/// Decodes one input to its end. The inner value says why it could not be read further.
fn decode_input(
    input: &Input,
    file: u32,
    formats: &Formats,
    mut take: impl FnMut(&str, Item<'_, '_>) -> CommandResult,
) -> CommandResult<Option<String>> {
    let label = input.label();
    let mut source = match Source::open(input, file, formats) {
        Ok(source) => source,
        Err(error) => return Ok(Some(plain_words(&error))),
    };
    loop {
        let mut outcome = Ok(());
        let read = source.next_block(|decoded, block, block_offset| {
            outcome = decoded
                .records
                .iter()
                .try_for_each(|record| take(&label, Item::Record(record)))
                .and_then(|()| {
                    decoded.rejects.iter().try_for_each(|reject| {
                        take(&label, Item::Reject(reject, bytes_of(reject, block, block_offset)))
                    })
                });
        });
        outcome?;
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Ok(Some(plain_words(&error))),
        }
    }
}

const OUTPUT_BUFFER_BYTES: usize = 1 << 18;
