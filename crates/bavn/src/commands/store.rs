//! `bavn store`: the index, and the keys.

use super::keep::{chance, kek, now, open_writer};
use super::{life, shred};
use crate::cli::{ExportKey, KeySource, MakeKey, RotateKey, StoreAccess, StoreCommand};
use crate::error::{CommandError, CommandResult, Kind};
use crate::progress::{Progress, Unit};
use anyhow::Context as _;
use std::io::Write as _;

pub(crate) fn run(command: &StoreCommand) -> CommandResult {
    match command {
        StoreCommand::RebuildIndex(access) => rebuild_index(access),
        StoreCommand::Compact(access) => compact(access),
        StoreCommand::Status(arguments) => life::status(arguments),
        StoreCommand::Retain(arguments) => life::retain(arguments),
        StoreCommand::Hold(arguments) => life::hold(arguments),
        StoreCommand::Release(arguments) => life::release(arguments),
        StoreCommand::Shred(arguments) => shred::shred(arguments),
        StoreCommand::Replay(arguments) => shred::replay(arguments),
        StoreCommand::MakeKey(arguments) => make_key(arguments),
        StoreCommand::RotateKey(arguments) => rotate_key(arguments),
        StoreCommand::ExportKey(arguments) => export_key(arguments),
    }
}

fn rebuild_index(access: &StoreAccess) -> CommandResult {
    let rows = opened(access)?.rebuild_index(now())?;
    super::say(format_args!("index rebuilt from {rows} look-ups"));
    Ok(())
}

fn compact(access: &StoreAccess) -> CommandResult {
    let compacted = opened(access)?.compact(now())?;
    super::say(format_args!(
        "{} segments are {} now, {} files are {}; {} look-ups were copied",
        compacted.segments_before,
        compacted.segments,
        compacted.files_before,
        compacted.files,
        compacted.look_ups
    ));
    Ok(())
}

/// A store held for writing that is there already: a folder that holds no store is not made one.
pub(super) fn opened(access: &StoreAccess) -> CommandResult<bavn_store::Writer> {
    let controller = super::keep::open(access)?.controller().to_owned();
    let mut writer = open_writer(&access.store, &controller, kek(&access.key)?)?;
    let progress = Progress::begin(true, Some(0), Unit::LookUps);
    writer.tell(move |done, of| progress.reached_of(done, of));
    Ok(writer)
}

fn make_key(arguments: &MakeKey) -> CommandResult {
    let mut key = [0; bavn_store::KEY_BYTES];
    if !chance()(&mut key) {
        let error = anyhow::anyhow!("the operating system gives no random bytes");
        return Err(CommandError::new(Kind::Internal, error));
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut digits = bavn_store::to_hex(&key);
    digits.push('\n');
    options
        .open(&arguments.file)
        .and_then(|mut file| file.write_all(digits.as_bytes()).and_then(|()| file.sync_all()))
        .with_context(|| format!("`{}` cannot be made", arguments.file.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    super::say("key made; whoever loses it loses the store: keep a copy in another safe place");
    Ok(())
}

fn rotate_key(arguments: &RotateKey) -> CommandResult {
    let access = &arguments.access;
    let old = kek(&access.key)?;
    let new = KeySource { key_file: Some(arguments.new_key_file.clone()), key_command: None };
    bavn_store::rotate(&access.store, &old, &kek(&new)?, &mut *chance())?;
    super::say("the store opens with the new key only; backups still open with the old one");
    Ok(())
}

fn export_key(arguments: &ExportKey) -> CommandResult {
    let month: Option<u32> = arguments.month.split_once('-').and_then(|(year, month)| {
        Some(year.parse::<u32>().ok()? * 100 + month.parse::<u32>().ok()?)
    });
    let Some(month) = month else {
        return Err(CommandError::usage("`--month` must be such as 2026-11"));
    };
    let kek = kek(&arguments.access.key)?;
    match bavn_store::export(&arguments.access.store, &kek, month)? {
        Some(key) => Ok(writeln!(std::io::stdout(), "{key}")?),
        None => {
            Err(CommandError::usage(format_args!("nothing was written in {}", arguments.month)))
        }
    }
}
