//! The demonstration's region: made, written, read back and put in order, all in memory.

use crate::error::{CommandError, CommandResult, Kind};
use crate::pipeline::original;
use bavn_decode::context::ContextLoader;
use bavn_decode::{Decoded, Decoder, Mappings};
use bavn_drill::{Memory, Settings, Truth};
use bavn_model::{Access, Context, Directory, Record, Timestamp};
use bavn_store::Frame;
use std::sync::Arc;

/// Everything that the watch needs, and the answer key for telling how it went.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) directory: Directory,
    pub(crate) context: Context,
    /// In the order of time.
    pub(crate) accesses: Vec<Access>,
    /// For the store: everything before the night of the theft, and then look-up by look-up.
    pub(crate) before: Vec<Frame>,
    pub(crate) night: Vec<(Timestamp, Frame)>,
    /// Somebody whose record is stolen, as a source spells it.
    pub(crate) example: String,
    pub(crate) thief: String,
    /// When each record is stolen, in order.
    pub(crate) thefts: Vec<Timestamp>,
    pub(crate) truth: Truth,
}

impl Region {
    pub(crate) fn new(seed: u64) -> CommandResult<Self> {
        let settings = Settings {
            staff: STAFF,
            patients: PATIENTS,
            days: QUIET_DAYS + 2,
            quiet_days: QUIET_DAYS,
            seed,
            attacks: vec![ATTACK.to_owned()],
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
        let (thief, thefts) = theft(&truth);
        let night_from = thefts.first().map_or(Timestamp::MAX, |begin| begin.minus_secs(LEAD_SECS));
        let mut kept = Kept { night_from, before: vec![Frame::default()], night: Vec::new() };
        for (name, bytes) in files.files.iter().filter(|(name, _)| name.starts_with("events/")) {
            read_log(name, bytes, &mappings, &mut directory, &mut accesses, &mut kept)?;
        }
        accesses.sort_by_key(|access| (access.at, access.seq));
        accesses.dedup_by_key(|access| access.id);
        let Kept { before, mut night, .. } = kept;
        night.sort_by_key(|(at, _)| *at);
        let (context, example) = (loaded.context, example(&truth));
        Ok(Self { directory, context, accesses, before, night, example, thief, thefts, truth })
    }
}

/// Look-ups as the store takes them.
struct Kept {
    night_from: Timestamp,
    before: Vec<Frame>,
    night: Vec<(Timestamp, Frame)>,
}

impl Kept {
    fn push(&mut self, record: &Record<'_>, original: &[u8], input: &str) {
        if record.at >= self.night_from {
            let mut frame = Frame::default();
            frame.push(record, original, input);
            self.night.push((record.at, frame));
            return;
        }
        if self.before.last().is_none_or(|frame| frame.bytes_held() >= FRAME_BYTES) {
            self.before.push(Frame::default());
        }
        if let Some(frame) = self.before.last_mut() {
            frame.push(record, original, input);
        }
    }
}

fn read_log(
    name: &str,
    bytes: &[u8],
    mappings: &Arc<Mappings>,
    directory: &mut Directory,
    accesses: &mut Vec<Access>,
    kept: &mut Kept,
) -> CommandResult {
    let format = bavn_decode::sniff(name, bytes, mappings)
        .map_err(|error| CommandError::new(Kind::Internal, error))?;
    let mut decoder = Decoder::new(format, Arc::clone(mappings), 0, name);
    let mut rest = bytes;
    let mut offset = 0;
    while !rest.is_empty() {
        let block = rest.get(..crate::input::BLOCK_BYTES).unwrap_or(rest);
        let mut decoded = Decoded::default();
        let taken = decoder.decode(block, block.len() == rest.len(), &mut decoded);
        for record in &decoded.records {
            let seq = accesses.len() as u64;
            accesses.push(directory.intern(record, seq));
            kept.push(record, original(record.origin, block, offset), name);
        }
        if taken == 0 {
            break;
        }
        rest = rest.get(taken..).unwrap_or_default();
        offset += taken as u64;
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

/// A record that the thief reads.
fn example(truth: &Truth) -> String {
    let attack = truth.truth.iter().find(|entry| entry.kind == "attack");
    let read = attack.and_then(|attack| attack.reads.first());
    read.map(|read| read.1.clone()).unwrap_or_default()
}

/// Look-ups that go to the store at once.
const FRAME_BYTES: usize = 1 << 20;
/// Of event time, before the theft.
pub(crate) const LEAD_SECS: i64 = 300;
/// The theft that is told.
pub(crate) const ATTACK: &str = "burst_night";
const STAFF: usize = 320;
const PATIENTS: usize = 25_000;
/// Before the theft.
pub(crate) const QUIET_DAYS: i32 = 14;
