//! The demonstration's region: made, written, read back and put in order, all in memory.

use crate::error::{CommandError, CommandResult, Kind};
use bavn_decode::context::ContextLoader;
use bavn_decode::{Decoded, Decoder, Mappings};
use bavn_drill::{Memory, Settings, Truth};
use bavn_model::{Access, Context, Directory, Timestamp};
use std::sync::Arc;

/// Everything that the watch needs, and the answer key for telling how it went.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) directory: Directory,
    pub(crate) context: Context,
    /// In the order of time.
    pub(crate) accesses: Vec<Access>,
    pub(crate) thief: String,
    /// When each record is stolen, in order.
    pub(crate) thefts: Vec<Timestamp>,
}

impl Region {
    pub(crate) fn new(seed: u64) -> CommandResult<Self> {
        let settings = Settings {
            staff: STAFF,
            patients: PATIENTS,
            days: QUIET_DAYS + 2,
            quiet_days: QUIET_DAYS,
            seed,
            attacks: vec!["burst_night".to_owned()],
            tidiness: 0.8,
            ..Settings::default()
        };
        let mut files = Memory::default();
        let truth = bavn_drill::generate(&settings, &mut files)
            .map_err(|error| CommandError::new(Kind::Internal, error))?;
        let mappings = Arc::new(Mappings::default());
        let mut loader = ContextLoader::new(Arc::clone(&mappings));
        for (name, bytes) in files.files.iter().filter(|(name, _)| name.starts_with("context/")) {
            loader.file(name, bytes).map_err(|error| CommandError::new(Kind::Internal, error))?;
        }
        let loaded =
            loader.finish(None).map_err(|error| CommandError::new(Kind::Internal, error))?;
        let mut directory = loaded.directory;
        let mut accesses = Vec::new();
        for (name, bytes) in files.files.iter().filter(|(name, _)| name.starts_with("events/")) {
            read_log(name, bytes, &mappings, &mut directory, &mut accesses)?;
        }
        accesses.sort_by_key(|access| (access.at, access.seq));
        accesses.dedup_by_key(|access| access.id);
        let (thief, thefts) = theft(&truth);
        Ok(Self { directory, context: loaded.context, accesses, thief, thefts })
    }
}

fn read_log(
    name: &str,
    bytes: &[u8],
    mappings: &Arc<Mappings>,
    directory: &mut Directory,
    accesses: &mut Vec<Access>,
) -> CommandResult {
    let format = bavn_decode::sniff(name, bytes, mappings)
        .map_err(|error| CommandError::new(Kind::Internal, error))?;
    let mut decoder = Decoder::new(format, Arc::clone(mappings), 0, name);
    let mut rest = bytes;
    while !rest.is_empty() {
        let block = rest.get(..crate::input::BLOCK_BYTES).unwrap_or(rest);
        let mut decoded = Decoded::default();
        let taken = decoder.decode(block, block.len() == rest.len(), &mut decoded);
        for record in &decoded.records {
            let seq = accesses.len() as u64;
            accesses.push(directory.intern(record, seq));
        }
        if taken == 0 {
            break;
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(())
}

fn theft(truth: &Truth) -> (String, Vec<Timestamp>) {
    let Some(entry) = truth.truth.iter().find(|entry| entry.kind == "attack") else {
        return (String::new(), Vec::new());
    };
    let times = entry.reads.iter().filter_map(|read| Timestamp::parse(&read.2).ok());
    (entry.who.first().cloned().unwrap_or_default(), times.map(|(at, _)| at).collect())
}

const STAFF: usize = 320;
const PATIENTS: usize = 25_000;
/// Before the theft.
pub(crate) const QUIET_DAYS: i32 = 14;
