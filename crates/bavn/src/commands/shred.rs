//! `bavn store shred` and `replay`: nobody can tell any more who a patient was.

use super::keep::{kek, purpose, record_asking};
use super::life::{held_by_cases, said};
use super::store::opened;
use crate::alarms::Waiting as Untold;
use crate::cli::{StoreAccess, StoreReplay, StoreShred};
use crate::desk::Desk;
use crate::error::{CommandError, CommandResult, Kind};
use crate::house_desk::HouseDesk;
use crate::pipeline::Saved;
use anyhow::Context as _;
use bavn_detect::cases::Duty;
use bavn_store::{Order, Shredded, Tombstone, Writer};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::Path;

/// A line of the file that lies outside the store.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    said: Order,
    tombstone: Tombstone,
}

pub(crate) fn shred(arguments: &StoreShred) -> CommandResult {
    let (access, patient) = (&arguments.access, &arguments.patient);
    let why = purpose(arguments.purpose.as_deref(), &arguments.access)?;
    refuse_below_the_store(&arguments.tombstones, access)?;
    let store = super::keep::open(access)?;
    // Who shreds has asked for a patient by name, and that stays on record, without the name.
    record_asking(access, &store, &why, "bavn store shred", &[patient])?;
    drop(store);
    let mut writer = opened(access)?;
    let said = said(&arguments.reason);
    let tombstone = writer.tombstone(patient, said.at)?;
    let line = serde_json::to_string(&Line { said: said.clone(), tombstone: tombstone.clone() })?;
    append(&arguments.tombstones, &line)
        .with_context(|| format!("`{}` cannot be written", arguments.tombstones.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error).hint("nothing was shredded"))?;
    let shredded = shred_everywhere(access, &mut writer, &tombstone, &said)?;
    super::say(format_args!(
        "shredded: {} spellings, and all that could tell in {} look-ups; a backup from before is shredded \
         by `bavn store replay {}`",
        shredded.spellings,
        shredded.look_ups,
        arguments.tombstones.display()
    ));
    Ok(())
}

pub(crate) fn replay(arguments: &StoreReplay) -> CommandResult {
    let text = std::fs::read_to_string(&arguments.tombstones)
        .with_context(|| format!("`{}` cannot be read", arguments.tombstones.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let lines: Vec<Line> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("`{}` holds no tombstones", arguments.tombstones.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let mut writer = opened(&arguments.access)?;
    let mut again = 0;
    for line in &lines {
        let said = said(&line.said.why);
        let shredded = shred_everywhere(&arguments.access, &mut writer, &line.tombstone, &said)?;
        again += u64::from(shredded.spellings > 0);
    }
    super::say(format_args!("{} tombstones; {again} patients were in this copy", lines.len()));
    Ok(())
}

/// In the acts on cases and of the house first, for which the spellings are needed: a crash between is
/// mended by a replay.
fn shred_everywhere(
    access: &StoreAccess,
    writer: &mut Writer,
    tombstone: &Tombstone,
    said: &Order,
) -> CommandResult<Shredded> {
    let kek = kek(&access.key)?;
    let desk = Desk::open(&access.store, &kek, Duty::default())?;
    let house = HouseDesk::open(&access.store, &kek)?;
    let mut untold = Untold::open(&access.store, &kek)?;
    let held = held_by_cases(&super::keep::open(access)?, &desk)?;
    let learned = writer.state()?;
    let mut forgot = Ok(());
    let mut all_spellings = Vec::new();
    let shredded = writer.shred(tombstone, &held, said, &mut |spellings| {
        all_spellings = spellings.to_vec();
        forgot = desk
            .forget(spellings)
            .and_then(|()| house.forget(spellings))
            .and_then(|()| untold.forget(spellings));
        forgot.is_ok()
    });
    forgot?;
    let shredded = shredded?;
    // What was learned went with the patient; without the patient it comes back. A state of another
    // release stays away.
    let learned = learned.filter(|_| shredded.spellings > 0);
    let without = learned
        .and_then(|bytes| Saved::read(bytes).ok())
        .and_then(|saved| saved.shred(&all_spellings, &shredded.renamed).ok());
    if let Some(without) = without {
        writer.commit_with_state(said.at, &without)?;
    }
    Ok(shredded)
}

/// A tombstone that lies in the store is put back together with it.
fn refuse_below_the_store(tombstones: &Path, access: &StoreAccess) -> CommandResult {
    let folder = tombstones.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    let store = access.store.canonicalize();
    match (folder, store) {
        (Ok(folder), Ok(store)) if folder.starts_with(&store) => {
            Err(CommandError::usage("tombstones must lie outside the store")
                .hint("a backup that is put back would bring the old ones back"))
        }
        _ => Ok(()),
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()
}
