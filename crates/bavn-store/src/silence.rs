//! When did a source that usually speaks say nothing?

use crate::error::Result;
use crate::keys::from_hex;
use crate::manifest::{LoggedSilence, Manifest};
use crate::names::Of;
use crate::proof::{Entry, sha256};
use crate::reader::{Store, Window};
use crate::row::NOBODY;
use bavn_model::Timestamp;
use std::collections::BTreeMap;

/// A stretch of time in which a source wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    pub source: String,
    pub from: Timestamp,
    /// The next word of the source; without one, the last word of any.
    pub to: Timestamp,
    pub ended: bool,
}

impl Store {
    /// Silences of [`SILENCE_SECS`] or more that touch the window, of sources that are busy on the
    /// days on which they speak. A source that has never spoken is not known.
    pub(crate) fn silences(&self, window: Window) -> Result<Vec<Silence>> {
        let found = self.manifest.silences_in(window);
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let names = self.names(Of::Source)?;
        let silence = |silent: Silent| Silence {
            source: names.name(silent.source).to_owned(),
            from: Timestamp::from_micros(silent.from),
            to: Timestamp::from_micros(silent.to),
            ended: silent.ended,
        };
        Ok(found.into_iter().map(silence).collect())
    }
}

/// A silence, its source as a number of the dictionary, times in microseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Silent {
    pub(crate) source: u32,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) ended: bool,
}

impl Silent {
    /// What an entry of the log commits to, laid out as a look-up's canonical bytes are.
    pub(crate) fn canonical(self, source: &str) -> Vec<u8> {
        let mut bytes = b"bavn silence 1\0".to_vec();
        bytes.extend_from_slice(&self.from.to_be_bytes());
        bytes.extend_from_slice(&self.to.to_be_bytes());
        bytes.push(u8::from(self.ended));
        bytes.extend_from_slice(&(source.len() as u64).to_be_bytes());
        bytes.extend_from_slice(source.as_bytes());
        bytes
    }
}

impl LoggedSilence {
    /// What its entry of the log must be.
    pub(crate) fn logged(&self, source: &str) -> Entry {
        let (from, to, ended) = (self.from, self.to, self.ended);
        let canonical = Silent { source: self.source, from, to, ended }.canonical(source);
        let nonce = from_hex(&self.nonce).unwrap_or_default();
        Entry::Silence(sha256(&[&nonce, &canonical]))
    }
}

impl Manifest {
    /// As [`Store::silences`], by number.
    pub(crate) fn silences_in(&self, window: Window) -> Vec<Silent> {
        let mut days: BTreeMap<u32, BTreeMap<i32, (i64, i64, u64)>> = BTreeMap::new();
        for heard in self.heard() {
            let day = days.entry(heard.source).or_default();
            let (first, last, count) = day.entry(heard.day).or_insert((i64::MAX, i64::MIN, 0));
            *first = (*first).min(heard.first);
            *last = (*last).max(heard.last);
            *count += heard.look_ups;
        }
        let own = self.own_source;
        let end = self.last_heard().unwrap_or(0).min(window.to.micros());
        let mut found = Vec::new();
        for (&source, days) in &days {
            let look_ups: u64 = days.values().map(|&(.., count)| count).sum();
            if source == NOBODY || Some(source) == own || look_ups < BUSY_A_DAY * days.len() as u64
            {
                continue;
            }
            let mut spoke = None;
            let ends = days.values().map(|&(first, last, _)| (first, last, true));
            for (first, last, ended) in ends.chain([(end, end, false)]) {
                let from = spoke.replace(last).unwrap_or(first);
                let touches = from < window.to.micros() && first > window.from.micros();
                if first.saturating_sub(from) >= SILENCE_SECS * 1_000_000 && touches {
                    found.push(Silent { source, from, to: first, ended });
                }
            }
        }
        found
    }
}

/// A night without a look-up is nothing in a clinic.
const SILENCE_SECS: i64 = 36 * 3_600;
/// Look-ups a day, on days with any, from which a source is missed.
const BUSY_A_DAY: u64 = 100;
