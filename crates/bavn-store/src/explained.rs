//! Which exposed patients would be in any answer, because their look-ups were explained?

use crate::error::Result;
use crate::index::{By, Posting};
use crate::names::Of;
use crate::reader::{Store, Window, With};
use crate::row::NOBODY;
use crate::verdict::{Reached, Verdicts};
use bavn_model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What was subtracted from a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Patients all of whose exposing look-ups in the window were explained, and those look-ups.
    pub patients: u64,
    pub look_ups: u64,
    /// Patients left of whom nothing can be said: no verdict, or what would settle it is missing.
    pub not_judged: u64,
    /// As of when the store's verdicts are.
    pub judged_until: Option<Timestamp>,
}

/// What all exposing look-ups of each patient (the leader of its spellings) came to.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    patients: BTreeMap<u32, BTreeSet<Option<Reached>>>,
}

impl Outcomes {
    /// Whether every look-up was explained.
    pub(crate) fn is_explained(&self, patient: u32) -> bool {
        let reached = self.patients.get(&patient);
        reached.is_some_and(|reached| reached.iter().all(|one| *one == Some(Reached::Explained)))
    }

    /// Whether at least one was looked into, and nothing was found.
    pub(crate) fn is_unexplained(&self, patient: u32) -> bool {
        let found = |one: &Option<Reached>| {
            matches!(one, Some(Reached::Unexplained | Reached::MadeByReader))
        };
        self.patients.get(&patient).is_some_and(|reached| reached.iter().any(found))
    }

    fn note(&mut self, patient: u32, reached: impl IntoIterator<Item = Option<Reached>>) {
        self.patients.entry(patient).or_default().extend(reached);
    }
}

impl Store {
    /// What explains the look-ups that these postings count. Readers' postings know the first and
    /// the last look-up of a day, which nearly always says all; else the look-ups are read.
    pub(crate) fn outcomes(
        &self,
        by: By,
        keys: &[u32],
        window: Window,
        postings: &[Posting],
    ) -> Result<Outcomes> {
        if by != By::Identity {
            return self.outcomes_of_rows(by, keys, window);
        }
        let verdicts = self.verdicts(keys, window)?;
        let (identity, patient) = (self.same(Of::Identity), self.same(Of::Patient));
        let mut outcomes = Outcomes::default();
        // Reader, day: where more than two look-ups leave a gap between visits.
        let mut open: BTreeSet<(u32, i32)> = BTreeSet::new();
        let exposing = postings.iter().filter(|posting| posting.class().exposes());
        for posting in exposing.filter(|posting| posting.partner != NOBODY) {
            let (reader, of) = (identity.leader(posting.key), patient.leader(posting.partner));
            let reached = |at| verdicts.of(reader, of, at).map(|verdict| verdict.reached);
            if posting.count <= 2 {
                outcomes.note(of, [reached(posting.first), reached(posting.last)]);
                continue;
            }
            match verdicts.between(reader, of, (posting.first, posting.last)) {
                Some(found) => outcomes.note(of, found),
                None => {
                    open.insert((posting.key, posting.day));
                }
            }
        }
        for (key, day) in open {
            let of_day = Window {
                from: Timestamp::start_of_day(day).max(window.from),
                to: Timestamp::start_of_day(day.saturating_add(1)).min(window.to),
            };
            let more = self.outcomes_of_rows(by, &[key], of_day)?;
            for (of, reached) in more.patients {
                outcomes.note(of, reached);
            }
        }
        Ok(outcomes)
    }

    /// The same, look-up by look-up.
    fn outcomes_of_rows(&self, by: By, keys: &[u32], window: Window) -> Result<Outcomes> {
        let (identity, patient) = (self.same(Of::Identity), self.same(Of::Patient));
        let mut touched: Vec<(u32, u32, i64)> = Vec::new();
        self.look_ups(by, keys, window, With::Nothing, |look_up| {
            if look_up.class.exposes() {
                let of = |&of: &u32| (look_up.identity, patient.leader(of), look_up.at);
                touched.extend(look_up.patients.iter().map(of));
            }
            Ok(())
        })?;
        let readers: BTreeSet<u32> = touched.iter().map(|&(reader, ..)| reader).collect();
        let readers: Vec<u32> = readers.into_iter().filter(|&reader| reader != NOBODY).collect();
        let verdicts = self.verdicts(&identity.all_of(&readers), window)?;
        let mut outcomes = Outcomes::default();
        for (reader, of, at) in touched {
            outcomes.note(of, [reached(&verdicts, identity.leader(reader), of, at)]);
        }
        Ok(outcomes)
    }
}

fn reached(verdicts: &Verdicts, reader: u32, patient: u32, at: i64) -> Option<Reached> {
    verdicts.of(reader, patient, at).map(|verdict| verdict.reached)
}
