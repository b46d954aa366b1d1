//! `bavn coverage`: which source was heard when, and where is a gap?

use super::keep::{chance, open, take_in, window};
use crate::cli::{Coverage as Arguments, ProofPromise};
use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_model::Timestamp;
use bavn_store::{Coverage, OfSource, Said};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let window = window(&arguments.period)?;
    let rejects = arguments.rejects.as_deref().map(rejects).transpose()?;
    let coverage = open(&arguments.access)?.coverage(window)?;
    let mut out = std::io::stdout();
    if arguments.json {
        writeln!(out, "{}", as_json(&coverage, rejects.as_ref()))?;
    } else {
        write!(out, "{}", in_words(&coverage, rejects.as_ref()))?;
    }
    let with_gaps = coverage.sources.iter().filter(|source| source.has_gap()).count();
    if with_gaps == 0 {
        return Ok(());
    }
    let sentence = match with_gaps {
        1 => "one source has a gap".to_owned(),
        count => format!("{count} sources have gaps"),
    };
    Err(CommandError::new(Kind::Incomplete, anyhow::anyhow!("{sentence}"))
        .hint("every answer about this time may be incomplete; ask the source for what is missing"))
}

/// `bavn proof promise`.
pub(crate) fn promise(arguments: &ProofPromise) -> CommandResult {
    let store = open(&arguments.access)?;
    let (source, every_secs) = (arguments.source.clone(), i64::from(arguments.every) * 60);
    store.leave_said(&Said::Promised { source, every_secs }, &mut *chance())?;
    take_in(&arguments.access, &store)?;
    super::say(match arguments.every {
        0 => "nothing is expected of the source any more".to_owned(),
        minutes => {
            format!("whenever the source says nothing for {minutes} minutes, the log will say so")
        }
    });
    Ok(())
}

/// Rejects by the file they stood in and their reason.
type Rejects = BTreeMap<(String, String), u64>;

fn rejects(path: &Path) -> CommandResult<Rejects> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the rejects `{}` cannot be read", path.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let mut counted = Rejects::new();
    for (number, line) in (1..).zip(text.lines()) {
        let reject: Option<Value> = serde_json::from_str(line).ok();
        let word = |key: &str| Some(reject.as_ref()?.get(key)?.as_str()?.to_owned());
        let Some(of) = word("file").zip(word("reason")) else {
            let path = path.display();
            let sentence = format_args!("line {number} of `{path}` is no reject");
            return Err(
                CommandError::usage(sentence).hint("give what `bavn watch --rejects` wrote")
            );
        };
        *counted.entry(of).or_default() += 1;
    }
    Ok(counted)
}

fn in_words(coverage: &Coverage, rejects: Option<&Rejects>) -> String {
    let mut words = String::new();
    if coverage.sources.is_empty() {
        words.push_str("no source has said anything yet\n");
    }
    for source in &coverage.sources {
        of_source(source, &mut words);
    }
    let mut line = |line: std::fmt::Arguments<'_>| {
        let _never = writeln!(words, "{line}");
    };
    for ((file, reason), count) in rejects.into_iter().flatten() {
        line(format_args!("{count} records of `{file}` could not be read: {reason}"));
    }
    match &coverage.canaries {
        Some(probed) => line(format_args!(
            "of reads made to be looked for, {} of {} arrived: less than {:.3} % are lost, at 95 %",
            probed.found,
            probed.planned,
            (probed.loss_below * 1e5).ceil() / 1e3
        )),
        None => line(format_args!(
            "what a source leaves out is not measured: no reads were made to be looked for (`bavn proof \
             canary`)"
        )),
    }
    words
}

fn of_source(source: &OfSource, words: &mut String) {
    let mut line = |line: std::fmt::Arguments<'_>| {
        let _never = writeln!(words, "{line}");
    };
    let own = if source.is_own { ", who asked bavn" } else { "" };
    line(format_args!("{}{own}: {} look-ups", source.source, source.look_ups));
    let busiest = source.hours.values().copied().max().unwrap_or(1);
    let days: BTreeSet<i32> = source.hours.keys().map(|&(day, _)| day).collect();
    for day in days {
        let of = |hour| source.hours.get(&(day, hour)).copied().unwrap_or_default();
        let strip: String = (0..24).map(|hour| digit(of(hour), busiest)).collect();
        let sum: u64 = (0..24).map(of).sum();
        let date = Timestamp::start_of_day(day).to_string();
        line(format_args!("  {}  {strip}  {sum}", date.get(..10).unwrap_or(&date)));
    }
    for silence in &source.silences {
        let end = if silence.ended { "to" } else { "and still at" };
        let promise = match source.promised_secs {
            Some(secs) => format!(", and promised to speak every {} minutes", secs / 60),
            None => String::new(),
        };
        line(format_args!("  silent from {} {end} {}{promise}", silence.from, silence.to));
    }
    for gap in &source.gaps {
        let numbers = gap.last - gap.first + 1;
        line(format_args!(
            "  {numbers} records are missing, numbers {} to {}, between {} and {}",
            gap.first, gap.last, gap.from, gap.to
        ));
    }
}

/// A point for nothing, 1 to 9 for a part of the source's busiest hour.
pub(super) fn digit(count: u64, busiest: u64) -> char {
    match (count * 9).div_ceil(busiest.max(1)) {
        0 => '.',
        ninths => char::from_digit(ninths as u32, 10).unwrap_or('9'),
    }
}

fn as_json(coverage: &Coverage, rejects: Option<&Rejects>) -> Value {
    let at = |(day, hour): (i32, u8)| {
        Timestamp::start_of_day(day).plus_secs(i64::from(hour) * 3_600).to_string()
    };
    let source = |source: &OfSource| {
        json!({
            "source": source.source,
            "is_own": source.is_own,
            "look_ups": source.look_ups,
            "first": source.first.map(|at| at.to_string()),
            "last": source.last.map(|at| at.to_string()),
            "promised_secs": source.promised_secs,
            "hours": source.hours.iter().map(|(&hour, &look_ups)| json!({
                "from": at(hour), "look_ups": look_ups,
            })).collect::<Vec<_>>(),
            "silences": source.silences.iter().map(|silence| json!({
                "from": silence.from.to_string(), "to": silence.to.to_string(), "ended": silence.ended,
            })).collect::<Vec<_>>(),
            "gaps": source.gaps.iter().map(|gap| json!({
                "first": gap.first, "last": gap.last,
                "from": gap.from.to_string(), "to": gap.to.to_string(),
            })).collect::<Vec<_>>(),
        })
    };
    let rejects = rejects.map(|rejects| {
        let of = rejects.iter();
        of.map(
            |((file, reason), count)| json!({ "file": file, "reason": reason, "records": count }),
        )
        .collect::<Vec<_>>()
    });
    json!({
        "sources": coverage.sources.iter().map(source).collect::<Vec<_>>(),
        "rejects": rejects,
        "canaries": coverage.canaries.as_ref().map(|probed| json!({
            "planned": probed.planned, "found": probed.found, "loss_below": probed.loss_below,
        })),
        "as_of": {
            "commit": coverage.as_of.commit,
            "committed_at": coverage.as_of.committed_at.to_string(),
            "look_ups": coverage.as_of.look_ups,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_with_a_single_look_up_is_not_an_empty_one() {
        assert_eq!(
            (digit(0, 1_000_000), digit(1, 1_000_000), digit(1_000_000, 1_000_000)),
            ('.', '1', '9')
        );
        assert_eq!(digit(0, 0), '.');
    }
}
