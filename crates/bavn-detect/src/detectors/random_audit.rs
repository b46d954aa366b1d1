//! A few visits that nothing explains, and that nobody was alarmed on, are drawn by lot for review.
//!
//! ## What it sees
//! Every visit without a reason whose reader is not under alarm. A lot that the visit's own id decides
//! draws them, by turns from each function, as many as a twentieth of the budget, and one a week
//! at least. What is drawn is written as a finding that is no alarm and ranks below all others.
//! ## Why it matters
//! Without it nobody knows what is missed: the share of true ones among those drawn, times how many
//! there were to draw from, is an estimate of it. And no way of reading is safe.
//! ## What makes it harmless
//! Being drawn says nothing about the reader. Most are ordinary work that no system records.
//! ## First thing to do
//! Ask the reader what the visit was for, as everybody is asked once in a while.
//! ## Memory
//! One visit for each function, at most 300.
//! ## Source
//! Horvitz and Thompson, Sampling without replacement (1952); Blocki and others, Audit games (2013).

use super::{Ended, Evidence, Gathered, Gathering, Restoring, Saving, Seen, StateError, Traces};
use crate::queue::{Cause, spread};
use bavn_model::{
    Fact, Family, IdentityId, InnocentStory, NextStep, PatientId, RoleId, Timestamp, Tried,
    TriedOutcome,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RandomAudit {
    today: BTreeMap<Option<RoleId>, Drawn>,
    /// Visits that the budget still owes.
    owed: f64,
    /// Days since each function was last drawn from.
    turns: BTreeMap<Option<RoleId>, i32>,
}

/// The visit of a function's day with the lowest lot, and of how many.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Drawn {
    of: u32,
    lot: u64,
    identity: IdentityId,
    patient: PatientId,
    at: Timestamp,
}

impl RandomAudit {
    pub(crate) fn new() -> Self {
        Self { today: BTreeMap::new(), owed: 0.0, turns: BTreeMap::new() }
    }
}

impl Gathering for RandomAudit {
    fn name(&self) -> &'static str {
        "random_audit"
    }

    fn observe(&mut self, seen: &Seen<'_>, _out: &mut Vec<Gathered>) {
        let Some(visit) = seen.unexplained().filter(|_| !seen.person.system) else { return };
        let lot = lot(seen.access.id.0);
        let fresh = Drawn {
            of: 0,
            lot: u64::MAX,
            identity: seen.identity,
            patient: visit.patient,
            at: seen.access.at,
        };
        if self.today.len() >= ROLES_MAX && !self.today.contains_key(&visit.role) {
            return;
        }
        let held = self.today.entry(visit.role).or_insert(fresh);
        held.of += 1;
        if lot < held.lot {
            *held = Drawn { of: held.of, lot, ..fresh };
        }
    }

    fn end_day(&mut self, ended: &Ended<'_>, out: &mut Vec<Gathered>) {
        let today = std::mem::take(&mut self.today);
        let most = today.len() as f64 + 1.0;
        self.owed = (self.owed + (ended.budget_per_day * SHARE).max(PER_DAY_MIN)).min(most);
        let mut in_turn: Vec<(i32, Option<RoleId>, Drawn)> = today
            .into_iter()
            // Whoever is under alarm is looked at anyhow.
            .filter(|(_, drawn)| !(ended.is_suspect)(drawn.identity))
            .map(|(role, drawn)| (self.turns.get(&role).copied().unwrap_or(i32::MIN), role, drawn))
            .collect();
        in_turn.sort_by_key(|&(last, _, drawn)| (last, drawn.lot));
        for (_, role, drawn) in in_turn {
            if self.owed < 1.0 {
                break;
            }
            self.owed -= 1.0;
            self.turns.insert(role, ended.day);
            out.push(drawn.gathered());
        }
    }

    fn bytes_held(&self) -> usize {
        self.today.len() * size_of::<(Option<RoleId>, Drawn)>()
            + self.turns.len() * size_of::<(Option<RoleId>, i32)>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }

    /// By the whole lot of a visit a guess of its record could be tested.
    fn forget(&mut self, traces: &Traces) {
        let lots: HashSet<u64> = traces.look_ups.iter().map(|id| lot(id.0)).collect();
        for drawn in self.today.values_mut().filter(|drawn| lots.contains(&drawn.lot)) {
            drawn.lot &= LOT_BITS_KEPT;
        }
    }
}

impl Drawn {
    fn gathered(self) -> Gathered {
        Gathered {
            detector: "random_audit",
            cause: Cause::Lot,
            family: Family::Relation,
            subject: self.lot as u32,
            false_per_day: f64::INFINITY,
            first_seen: self.at,
            entities: vec![self.identity],
            patients: vec![self.patient],
            tried: vec![Tried {
                template: "record_of_care",
                outcome: TriedOutcome::NotFound,
                visits: 1,
            }],
            evidence: Evidence::of(
                vec![Fact::DrawnByLot { of: self.of }],
                InnocentStory::CrossCover,
                NextStep::AskReader,
            ),
        }
    }
}

/// The same for the same look-up on every run, and spread evenly whatever its id is made of.
fn lot(id: u128) -> u64 {
    spread(id as u64 ^ spread((id >> 64) as u64))
}

/// Enough to go on drawing by, and the same for one guess in 256.
const LOT_BITS_KEPT: u64 = 0xff << 56;
/// Of the budget.
const SHARE: f64 = 0.05;
const PER_DAY_MIN: f64 = 1.0 / 7.0;
const ROLES_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_are_even_whatever_ids_are_made_of() {
        let mean =
            (0..4_000_u128).map(|id| lot(id << 40) as f64 / u64::MAX as f64).sum::<f64>() / 4e3;
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
    }
}
