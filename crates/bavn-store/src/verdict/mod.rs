//! What explains each visit, as far as was known when it was judged?
//!
//! A verdict is about a visit: all that one reader opened of one patient within twelve hours. It is
//! stored with the reader, the patient and the beginning of the visit, a few bytes each. One that
//! comes later takes the place of an earlier one by standing after it; nothing is written over.

mod file;
mod pending;

pub(crate) use file::{Entry, SEALED_AS, VerdictFile, write};
pub(crate) use pending::Pending;

use crate::error::Result;
use crate::reader::{Store, Window};
use bavn_model::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One verdict on its way in. Reader and patient are the caller's numbers, those that
/// [`crate::Writer::link`] was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    pub identity: u32,
    pub patient: u32,
    /// When the visit began.
    pub since: Timestamp,
    /// By what was known at this instant it was judged.
    pub at: Timestamp,
    pub reached: Reached,
    /// The template that explains, or the feed that is missing; empty if there is none.
    pub by: &'static str,
    /// When the record came that explains it, if that was later than the visit began.
    pub known_at: Option<Timestamp>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// A record made by somebody else, or what is custom.
    Explained,
    /// Only by what the reader made, which explains nothing.
    MadeByReader,
    Unexplained,
    /// What would settle it is missing.
    CannotJudge,
}

impl Reached {
    const ALL: [Self; 4] =
        [Self::Explained, Self::MadeByReader, Self::Unexplained, Self::CannotJudge];

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// A verdict of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub since: Timestamp,
    pub at: Timestamp,
    pub reached: Reached,
    pub by: String,
    pub known_at: Option<Timestamp>,
}

/// The verdicts on the visits of some readers, the last of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts {
    words: Vec<(Reached, String)>,
    /// By reader and patient, each the leader of its spellings; then by time.
    visits: HashMap<(u32, u32), BTreeMap<i64, Held>>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    word: usize,
    at: i64,
    known_at: Option<i64>,
}

impl Store {
    /// Verdicts that speak of look-ups of these readers (numbers of the dictionary, all spellings)
    /// within a window.
    pub(crate) fn verdicts(&self, readers: &[u32], window: Window) -> Result<Verdicts> {
        let (identity, patient) =
            (self.same(crate::names::Of::Identity), self.same(crate::names::Of::Patient));
        let from = window.from.micros().saturating_sub((VISIT_SECS + 1) * 1_000_000);
        let to = window.to.micros();
        let mut found = Verdicts::default();
        for held in &self.manifest.verdicts {
            if held.last < from || held.first >= to {
                continue;
            }
            let file = VerdictFile::open(&self.folder.join(&held.file.name), &self.ring)?;
            let words: Vec<usize> = file.words().iter().map(|word| found.word(word)).collect();
            for &reader in readers {
                file.each(reader, (from, to), &mut |entry| {
                    let Some(&word) = words.get(entry.word as usize) else { return };
                    let key = (identity.leader(entry.identity), patient.leader(entry.patient));
                    let visits = found.visits.entry(key).or_default();
                    let new = Held { word, at: entry.at, known_at: entry.known_at };
                    let slot = visits.entry(entry.since).or_insert(new);
                    // Of two as of the same instant, the one that was written later.
                    if slot.at <= new.at {
                        *slot = new;
                    }
                })?;
            }
        }
        Ok(found)
    }

    /// Until when visits have been judged, and asked again, in this store.
    pub(crate) fn judged_until(&self) -> Option<Timestamp> {
        let files = self.manifest.verdicts.iter();
        files.map(|held| held.judged_until).max().map(Timestamp::from_micros)
    }
}

impl Verdicts {
    fn word(&mut self, word: &(Reached, String)) -> usize {
        self.words.iter().position(|held| held == word).unwrap_or_else(|| {
            self.words.push(word.clone());
            self.words.len() - 1
        })
    }

    /// The verdict on the visit that a look-up belongs to: the last that had begun by then, if that
    /// was at most twelve hours before. Leaders, and microseconds since the epoch.
    pub(crate) fn of(&self, reader: u32, patient: u32, at: i64) -> Option<Verdict> {
        let visits = self.visits.get(&(reader, patient))?;
        let (&since, held) = visits.range(..=at).next_back()?;
        if !is_within(since, at) {
            return None;
        }
        let (reached, by) = self.words.get(held.word)?.clone();
        Some(Verdict {
            since: Timestamp::from_micros(since),
            at: Timestamp::from_micros(held.at),
            reached,
            by,
            known_at: held.known_at.map(Timestamp::from_micros),
        })
    }

    /// What the visits came to that hold the look-ups of a reader and a patient between two
    /// instants, at both of which there was one. None for a stretch that no visit covers, so that
    /// only the look-ups themselves can say.
    pub(crate) fn between(
        &self,
        reader: u32,
        patient: u32,
        (first, last): (i64, i64),
    ) -> Option<BTreeSet<Option<Reached>>> {
        let one = |at| self.of(reader, patient, at).map(|verdict| verdict.reached);
        let mut reached = BTreeSet::from([one(first), one(last)]);
        if first == last {
            return Some(reached);
        }
        let none = BTreeMap::new();
        let visits = self.visits.get(&(reader, patient)).unwrap_or(&none);
        let mut covered = match visits.range(..=first).next_back() {
            Some((&since, _)) if is_within(since, first) => since,
            _ => return None,
        };
        for (&since, held) in visits.range(first.saturating_add(1)..=last) {
            if !is_within(covered, since) && !is_next(covered, since) {
                return None;
            }
            covered = since;
            reached.insert(self.words.get(held.word).map(|&(reached, _)| reached));
        }
        is_within(covered, last).then_some(reached)
    }
}

/// The last instant at which a look-up belongs to a visit.
pub(crate) fn visit_end(since: i64) -> i64 {
    since.saturating_add((VISIT_SECS + 1) * 1_000_000 - 1)
}

fn is_within(since: i64, at: i64) -> bool {
    at.saturating_sub(since).div_euclid(1_000_000) <= VISIT_SECS
}

/// Whether no look-up fits between the end of a visit and the beginning of the next.
fn is_next(since: i64, next: i64) -> bool {
    next <= since.saturating_add((VISIT_SECS + 1) * 1_000_000)
}

/// As the visits are cut that are judged.
const VISIT_SECS: i64 = 12 * 3_600;
