//! `bavn verify`: is every byte of a store exactly as it was written?

use super::keep::{kek, now};
use crate::cli::{StoreAccess, Verify as Arguments};
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use crate::progress::{Progress, Unit};
use anyhow::Context as _;
use bavn_detect::house::HouseDeed;
use bavn_store::{Depth, Fault, Kek, Verified, to_hex, verify_and_tell};
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let access = &arguments.access;
    let kek = kek(&access.key)?;
    let outside: Vec<(PathBuf, String)> = arguments
        .checkpoint
        .iter()
        .map(|path| Ok((path.clone(), read_note(path)?)))
        .collect::<CommandResult<_>>()?;
    let depth = if arguments.look_ups { Depth::LookUps } else { Depth::Bytes };
    let progress = Progress::begin(!arguments.json, Some(0), Unit::LookUps);
    let told = &mut |done, of| progress.reached_of(done, of);
    let found = verify_and_tell(&access.store, &kek, depth, &outside, told)?;
    drop(progress);
    if found.is_whole()
        && let Err(error) = note(access, &kek, &found, depth)
    {
        super::say(format_args!("that it was verified is not on record: {}", error.source));
    }
    let mut out = std::io::stdout();
    if arguments.json {
        writeln!(out, "{}", as_json(&found))?;
    } else if found.is_whole() {
        write!(out, "{}", in_words(&found, outside.is_empty()))?;
    }
    match found.faults.first() {
        None => Ok(()),
        Some(first) => Err(integrity(first, &found)),
    }
}

/// When it was last read again stands on the console's page of proof. A store that cannot be
/// written to is verified all the same.
fn note(access: &StoreAccess, kek: &Kek, found: &Verified, depth: Depth) -> CommandResult {
    let deed = HouseDeed::Verified {
        look_ups: found.look_ups,
        entries: found.log.as_ref().map_or(0, |log| log.size),
        faults: found.faults.len() as u64 + found.more_faults,
        every_look_up: depth == Depth::LookUps,
    };
    HouseDesk::open(&access.store, kek)?.note(now(), deed)
}

/// A checkpoint that was kept elsewhere.
pub(super) fn read_note(path: &std::path::Path) -> CommandResult<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("the checkpoint `{}` cannot be read", path.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))
}

fn integrity(first: &Fault, found: &Verified) -> CommandError {
    let mut error = CommandError::new(Kind::Integrity, anyhow::anyhow!("{first}"));
    for fault in found.faults.iter().skip(1).take(SHOWN_MAX) {
        error = error.hint(format!("also {fault}"));
    }
    let count = found.faults.len() as u64 + found.more_faults;
    let rest = count.saturating_sub(1 + SHOWN_MAX as u64);
    if rest > 0 {
        error =
            error.hint(format!("and {rest} more; `--json` names the first {}", found.faults.len()));
    }
    error
        .hint(format!(
            "still good: {} of {} segments with {} of {} look-ups, and everything not named here",
            found.good_segments, found.segments, found.good_look_ups, found.look_ups
        ))
        .hint(crate::mend::for_fault(first))
}

fn in_words(found: &Verified, without_checkpoint: bool) -> String {
    use std::fmt::Write as _;
    let mut words = format!(
        "as written: {} look-ups in {} segments, {} commits; {} files, {} bytes read\n",
        found.look_ups, found.segments, found.commits, found.files, found.bytes
    );
    if let Some(log) = &found.log {
        let root = to_hex(&log.root);
        let _never = writeln!(words, "log `{}`: {} entries, root {root}", log.origin, log.size);
    }
    for checkpoint in &found.agreed {
        let _never = writeln!(words, "agrees with the checkpoint of {} entries", checkpoint.size);
    }
    if without_checkpoint {
        words.push_str(
            "no checkpoint from elsewhere was given: that the whole store was put back to an earlier \
             state, or written anew by someone with the key, would not show\n",
        );
    }
    if found.published_late {
        words.push_str("the published checkpoint is one commit behind, as a crash leaves it\n");
    }
    for gone in &found.retired {
        let _never = writeln!(words, "{}", super::life::gone_in_words(gone));
    }
    for stranger in &found.strangers {
        let _never = writeln!(words, "no part of the store: `{}`", stranger.display());
    }
    words
}

fn as_json(found: &Verified) -> serde_json::Value {
    let log = found.log.as_ref();
    json!({
        "whole": found.is_whole(),
        "files": found.files,
        "bytes": found.bytes,
        "look_ups": found.look_ups,
        "commits": found.commits,
        "log": log.map(|log| json!({ "origin": log.origin, "entries": log.size, "root": to_hex(&log.root) })),
        "agrees_with": found.agreed.iter().map(|checkpoint| checkpoint.size).collect::<Vec<_>>(),
        "published_late": found.published_late,
        "faults": found.faults.iter().map(|fault| json!({
            "file": fault.file.display().to_string(),
            "words": fault.to_string(),
        })).collect::<Vec<_>>(),
        "more_faults": found.more_faults,
        "good": { "segments": found.good_segments, "of": found.segments, "look_ups": found.good_look_ups },
        "retired": found.retired.iter().map(super::life::gone_as_json).collect::<Vec<_>>(),
        "strangers": found.strangers.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
    })
}

/// Faults after the first that are shown as words.
const SHOWN_MAX: usize = 9;
