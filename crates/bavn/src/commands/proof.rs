//! `bavn proof`: files that others check without this program.

use super::explain::event_id;
use super::keep::{open, purpose, record_asking};
use super::verify::read_note;
use crate::cli::{ProofCheckpoint, ProofCommand, ProofConsistency, ProofInclusion};
use crate::error::{CommandError, CommandResult, Kind};
use bavn_model::Timestamp;
use bavn_store::{Opening, Store};
use std::io::Write as _;
use std::path::Path;

pub(crate) fn run(command: &ProofCommand) -> CommandResult {
    let text = match command {
        ProofCommand::Checkpoint(arguments) => checkpoint(arguments)?,
        ProofCommand::Key(access) => format!("{}\n", open(access)?.signer()?.verifier()),
        ProofCommand::Inclusion(arguments) => inclusion(arguments)?,
        ProofCommand::Consistency(arguments) => consistency(arguments)?,
        ProofCommand::Canary(arguments) => return super::canary::run(arguments),
        ProofCommand::Promise(arguments) => return super::coverage::promise(arguments),
    };
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn checkpoint(arguments: &ProofCheckpoint) -> CommandResult<String> {
    let store = open(&arguments.access)?;
    match &arguments.at {
        None => Ok(store.last_checkpoint()?),
        Some(text) => at(&store, text),
    }
}

fn at(store: &Store, text: &str) -> CommandResult<String> {
    let Ok((at, _)) = Timestamp::parse(text) else {
        return Err(CommandError::usage(format_args!("`{text}` is neither a file nor a time"))
            .hint("write a time as in RFC 3339: 2026-11-23T08:00:00+01:00"));
    };
    let missing =
        || CommandError::usage(format_args!("nothing had been committed to the store at {text}"));
    store.checkpoint_at(at)?.ok_or_else(missing)
}

fn inclusion(arguments: &ProofInclusion) -> CommandResult<String> {
    let why = arguments
        .show
        .then(|| purpose(arguments.purpose.as_deref(), &arguments.access))
        .transpose()?;
    let store = open(&arguments.access)?;
    let entry = match (&arguments.which.event, arguments.which.entry) {
        (Some(event), _) => entry_of(&store, event)?,
        (None, entry) => entry.unwrap_or_default(),
    };
    let size = store.as_of().entries;
    if entry >= size {
        return Err(CommandError::usage(format_args!("the log has {size} entries, from 0 on")));
    }
    let Some(why) = why else { return Ok(store.prove(entry, Opening::Hidden)?.text) };
    let receipt = store.prove(entry, Opening::Shown)?;
    let patients: Vec<&str> = receipt.patients.iter().map(String::as_str).collect();
    record_asking(&arguments.access, &store, &why, "bavn proof inclusion", &patients)?;
    Ok(receipt.text)
}

fn entry_of(store: &Store, event: &str) -> CommandResult<u64> {
    let id = event_id(event)?.0;
    let missing =
        || CommandError::usage(format_args!("no look-up in the store has the id `{event}`"));
    store.entry_of(id)?.ok_or_else(missing)
}

fn consistency(arguments: &ProofConsistency) -> CommandResult<String> {
    let store = open(&arguments.access)?;
    let note = |given: &str| {
        let path = Path::new(given);
        if path.is_file() { read_note(path) } else { at(&store, given) }
    };
    let older = note(&arguments.from)?;
    let newer = match &arguments.to {
        Some(to) => note(to)?,
        None => store.last_checkpoint()?,
    };
    store.prove_consistency(&older, &newer)?.map_err(|why| {
        let error = anyhow::Error::new(why).context("the checkpoints cannot be joined by a proof");
        CommandError::new(Kind::Integrity, error)
            .hint("`bavn verify --checkpoint FILE` says whether the store is still what it was")
    })
}
