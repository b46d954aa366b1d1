//! The verdicts of one commit as a file: by reader, then by time, in blocks.

use super::Reached;
use crate::error::{Result, StoreError};
use crate::keys::KeyRing;
use crate::sealed::{Sealed, SealedWriter};
use crate::varint::{Input, put, put_bytes, put_signed};
use std::path::Path;

/// One verdict as it is stored; times in microseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) identity: u32,
    pub(crate) since: i64,
    pub(crate) patient: u32,
    pub(crate) at: i64,
    /// Place among the words of the file.
    pub(crate) word: u32,
    pub(crate) known_at: Option<i64>,
}

/// Writes entries, which are sorted.
pub(crate) fn write(
    mut file: SealedWriter,
    words: &[(Reached, String)],
    entries: &[Entry],
) -> Result<()> {
    let mut head = Vec::new();
    let unit = unit(entries);
    put(&mut head, unit as u64);
    put(&mut head, words.len() as u64);
    for (reached, by) in words {
        head.push(*reached as u8);
        put_bytes(&mut head, by.as_bytes());
    }
    let mut block = Vec::with_capacity(BLOCK_BYTES * 2);
    let mut before = 0;
    for of_reader in entries.chunk_by(|a, b| a.identity == b.identity) {
        for part in of_reader.chunks(PART_MAX) {
            let Some(first) = part.first() else { continue };
            if block.is_empty() {
                put(&mut head, u64::from(first.identity));
                put_signed(&mut head, first.since);
                before = 0;
            }
            put(&mut block, u64::from(first.identity - before));
            before = first.identity;
            put(&mut block, part.len() as u64);
            put_signed(&mut block, first.since / unit);
            put_part(&mut block, part, unit);
            if block.len() >= BLOCK_BYTES {
                file.block(&block)?;
                block.clear();
            }
        }
    }
    if !block.is_empty() {
        file.block(&block)?;
    }
    file.finish(&head)
}

fn put_part(block: &mut Vec<u8>, part: &[Entry], unit: i64) {
    let mut since = part.first().map_or(0, |first| first.since);
    for entry in part {
        put(block, ((entry.since - since) / unit) as u64);
        since = entry.since;
        put(block, u64::from(entry.patient));
        // Most are judged as the visit begins, and there is nothing more to say.
        let is_later = entry.at != entry.since;
        put(block, u64::from(entry.word) << 1 | u64::from(is_later));
        if is_later {
            put(block, ((entry.at - entry.since) / unit) as u64);
            put(block, entry.known_at.map_or(0, |known| ((known - entry.since) / unit) as u64 + 1));
        }
    }
}

/// The coarsest unit of time in which all are whole.
fn unit(entries: &[Entry]) -> i64 {
    let whole = |at: i64, unit: i64| at % unit == 0;
    let fits = |unit: i64| {
        entries.iter().all(|entry| {
            whole(entry.since, unit)
                && whole(entry.at, unit)
                && entry.known_at.is_none_or(|known| whole(known, unit))
        })
    };
    [1_000_000, 1_000].into_iter().find(|&unit| fits(unit)).unwrap_or(1)
}

/// The verdicts of one commit.
#[derive(Debug)]
pub(crate) struct VerdictFile {
    file: Sealed,
    unit: i64,
    words: Vec<(Reached, String)>,
    /// Reader and time at which each block begins.
    fence: Vec<(u32, i64)>,
}

impl VerdictFile {
    pub(crate) fn open(path: &Path, ring: &KeyRing) -> Result<Self> {
        let file = Sealed::open(path, SEALED_AS, ring)?;
        let mut input = Input(file.head());
        let read = (|| {
            let unit = i64::try_from(input.number()?).ok().filter(|&unit| unit > 0)?;
            let words = (0..input.number()?)
                .map(|_| {
                    let [code] = input.array()?;
                    Some((Reached::from_code(code)?, input.text()?.to_owned()))
                })
                .collect::<Option<Vec<_>>>()?;
            let mut fence = Vec::new();
            while !input.is_empty() {
                fence.push((input.number32()?, input.signed()?));
            }
            (fence.len() == file.blocks()).then_some((unit, words, fence))
        })();
        match read {
            Some((unit, words, fence)) => Ok(Self { file, unit, words, fence }),
            None => Err(StoreError::damaged(path, "its fence is cut")),
        }
    }

    pub(crate) fn words(&self) -> &[(Reached, String)] {
        &self.words
    }

    /// Calls `found` for every verdict on a visit of a reader that began within the window.
    pub(crate) fn each(
        &self,
        reader: u32,
        (from, to): (i64, i64),
        found: &mut dyn FnMut(&Entry),
    ) -> Result<()> {
        let first = self.fence.partition_point(|&start| start < (reader, from)).saturating_sub(1);
        for (number, start) in self.fence.iter().enumerate().skip(first) {
            if *start >= (reader, to) {
                break;
            }
            self.block(number, &mut |entry| {
                if entry.identity == reader && (from..to).contains(&entry.since) {
                    found(entry);
                }
            })?;
        }
        Ok(())
    }

    /// Calls `found` for every verdict.
    pub(crate) fn all(&self, found: &mut dyn FnMut(&Entry)) -> Result<()> {
        (0..self.fence.len()).try_for_each(|number| self.block(number, found))
    }

    fn block(&self, number: usize, found: &mut dyn FnMut(&Entry)) -> Result<()> {
        let block = self.file.block(number)?;
        self.read_block(&block, found)
            .ok_or_else(|| StoreError::damaged(self.file.path(), "a block is cut"))
    }

    fn read_block(&self, block: &[u8], found: &mut dyn FnMut(&Entry)) -> Option<()> {
        let mut input = Input(block);
        let time = |base: i64, units: u64| {
            base.checked_add(i64::try_from(units).ok()?.checked_mul(self.unit)?)
        };
        let mut identity = 0_u32;
        while !input.is_empty() {
            identity = identity.checked_add(input.number32()?)?;
            let count = input.number()?;
            let mut since = input.signed()?.checked_mul(self.unit)?;
            for _ in 0..count {
                since = time(since, input.number()?)?;
                let patient = input.number32()?;
                let word = input.number32()?;
                let (mut at, mut known_at) = (since, None);
                if word & 1 == 1 {
                    at = time(since, input.number()?)?;
                    if let Some(late) = input.number()?.checked_sub(1) {
                        known_at = Some(time(since, late)?);
                    }
                }
                found(&Entry { identity, since, patient, at, word: word >> 1, known_at });
            }
        }
        Some(())
    }
}

/// What a file of verdicts is sealed as.
pub(crate) const SEALED_AS: &[u8] = b"bavn verdicts 1";
/// As of the index: read whole to answer for one reader.
const BLOCK_BYTES: usize = 8 << 10;
const PART_MAX: usize = 1_024;
