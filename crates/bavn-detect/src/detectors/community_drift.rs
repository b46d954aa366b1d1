//! One reader's patients come from other units than before, and than his colleagues' do.
//!
//! ## What it sees
//! Visits that no record of care explains, by the unit in which the patient is treated (or none), among
//! all visits: those of the last week or so against the reader's own before, shrunk to the mix of his
//! colleagues of the same function and unit. A custom that explains a visit for the unit still counts
//! if it is new to the reader.
//! ## Why it matters
//! Who prepares the ground reads a few more of other wards' patients each day, until they look usual;
//! no single day of it stands out.
//! ## What makes it harmless
//! A new task, a second post, a neighbouring ward that closed for the summer.
//! ## First thing to do
//! Ask the unit's head whether the reader's work moved.
//! ## Memory
//! At most 24 units of 12 bytes a reader, and as many for each function in a unit.
//! ## Source
//! Chen and Malin, Detection of anomalous insiders in collaborative environments (2011), for the idea;
//! the statistic is the likelihood ratio of a multinomial.

use super::{Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::Person;
use crate::visit::{Verdict, Visit};
use bavn_model::{
    Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, RoleId, Timestamp, UnitId,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CommunityDrift {
    readers: PerReader<Mix>,
    /// Colleagues: what those of one function in one unit open.
    #[serde(with = "crate::sorted")]
    peers: HashMap<(Option<RoleId>, Option<UnitId>), Mix, foldhash::fast::FixedState>,
}

/// Visits by the unit that treats the patient, fading.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Mix {
    units: Vec<Share>,
    recent: f32,
    old: f32,
}

/// Whose patient somebody opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Of {
    /// A record of care says why.
    Record,
    Unit(UnitId),
    Nobody,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Share {
    of: Of,
    recent: f32,
    old: f32,
}

/// What stands out in a mix.
#[derive(Clone, Copy, Debug, Default)]
struct Drift {
    nats: f32,
    patients: f32,
    units: u32,
    usual: f32,
}

impl CommunityDrift {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new(), peers: HashMap::default() }
    }

    fn drift(&self, identity: IdentityId, person: &Person) -> Drift {
        let Some(mix) = self.readers.get(identity).filter(|mix| mix.old >= OLD_MIN) else {
            return Drift::default();
        };
        let none = Mix::default();
        let peers = self.peers.get(&(person.role, person.unit)).unwrap_or(&none);
        let mut drift = Drift::default();
        for share in mix.units.iter().filter(|share| share.of != Of::Record) {
            let of_peers = peers.held(share.of).map_or(0.0, |held| held.old + held.recent);
            let of_peers = (of_peers + 0.5) / (peers.old + peers.recent + 0.5 * UNITS_MAX as f32);
            let expected =
                mix.recent * (share.old + PEERS_VISITS * of_peers) / (mix.old + PEERS_VISITS);
            if share.recent > expected {
                drift.nats += share.recent * (share.recent / expected).ln();
                if share.recent >= 1.0 && share.recent > STANDS_OUT * expected {
                    drift.patients += share.recent;
                    drift.units += u32::from(matches!(share.of, Of::Unit(_)));
                    drift.usual += expected;
                }
            }
        }
        drift
    }
}

impl Detector for CommunityDrift {
    fn name(&self) -> &'static str {
        "community_drift"
    }

    fn family(&self) -> Family {
        Family::Relation
    }

    fn lane(&self) -> Lane {
        Lane::Slow
    }

    fn shipped_nats(&self) -> f32 {
        4.0
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let Some(visit) = seen.visit.filter(|_| seen.opens) else { return };
        if seen.person.system {
            return;
        }
        let of = if is_recorded(visit) {
            Of::Record
        } else {
            treating(seen.context, visit, seen.access.at).map_or(Of::Nobody, Of::Unit)
        };
        self.readers.with(seen.identity, |mix| mix.add(of));
        self.peers.entry((seen.person.role, seen.person.unit)).or_default().add(of);
        if of == Of::Record {
            return;
        }
        let drift = self.drift(seen.identity, seen.person);
        if drift.units > 0 {
            out.raise(0, drift.nats);
        }
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        self.readers.with(identity, |mix| mix.close_day(OLD_KEPT));
        // As many colleagues close as work, so each takes his part of the fading.
        if let Some(peers) = self.peers.get_mut(&(person.role, person.unit)) {
            peers.close_day(1.0 - (1.0 - OLD_KEPT) / COLLEAGUES);
        }
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let drift = self.drift(identity, person);
        let patients = drift.patients.round() as u32;
        if patients == 0 || drift.units == 0 {
            return Evidence::nothing();
        }
        let fact = Fact::NewUnits {
            patients,
            units: drift.units,
            usual: f64::from(drift.usual),
            days: RECENT_DAYS,
        };
        Evidence::of(vec![fact], InnocentStory::NewAssignment, NextStep::AskUnitManager)
    }

    fn bytes_held(&self) -> usize {
        let of = |mix: &Mix| mix.units.capacity() * size_of::<Share>();
        self.readers.bytes_held()
            + self.readers.held.iter().map(of).sum::<usize>()
            + self.peers.capacity() * size_of::<((Option<RoleId>, Option<UnitId>), Mix)>()
            + self.peers.values().map(of).sum::<usize>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

impl Mix {
    fn held(&self, of: Of) -> Option<&Share> {
        self.units.iter().find(|held| held.of == of)
    }

    fn add(&mut self, of: Of) {
        self.recent += 1.0;
        if let Some(held) = self.units.iter_mut().find(|held| held.of == of) {
            held.recent += 1.0;
            return;
        }
        if self.units.len() >= UNITS_MAX {
            let least = |a: &Share, b: &Share| (a.recent + a.old).total_cmp(&(b.recent + b.old));
            let index = self.units.iter().enumerate().min_by(|a, b| least(a.1, b.1));
            if let Some(index) = index.map(|(index, _)| index) {
                let gone = self.units.swap_remove(index);
                self.recent -= gone.recent;
                self.old -= gone.old;
            }
        }
        self.units.push(Share { of, recent: 1.0, old: 0.0 });
    }

    /// What leaves the last days is old from then on.
    fn close_day(&mut self, old_kept: f32) {
        (self.recent, self.old) = (0.0, 0.0);
        for held in &mut self.units {
            let leaves = held.recent * (1.0 - RECENT_KEPT);
            held.recent -= leaves;
            held.old = (held.old + leaves) * old_kept;
            self.recent += held.recent;
            self.old += held.old;
        }
    }
}

/// A record of care says why; what colleagues or their unit keep doing is a custom.
fn is_recorded(visit: &Visit) -> bool {
    match visit.verdict {
        Verdict::Explained { template } => !CUSTOMS.contains(&template),
        Verdict::CannotJudge { .. } => true,
        Verdict::Unexplained | Verdict::MadeByReader { .. } => false,
    }
}

/// A unit that has to do with the patient at the time; the first one recorded.
fn treating(context: &Context, visit: &Visit, at: Timestamp) -> Option<UnitId> {
    let ties = context.ties(visit.patient).iter();
    let mut held = ties.filter(|tie| {
        tie.known_at <= at
            && tie.from.minus_secs(NEAR_SECS) <= at
            && at <= tie.to.plus_secs(NEAR_SECS)
    });
    held.find_map(|tie| tie.unit)
}

const CUSTOMS: [&str; 2] = ["colleagues_of_unit", "flow_between_units"];
/// Of a day's weight, at the end of each day at work: a week is what lies five such days back.
const RECENT_KEPT: f32 = 0.8;
const RECENT_DAYS: u32 = 7;
/// Half weight after some seventy days at work.
const OLD_KEPT: f32 = 0.99;
/// Visits that the colleagues' mix is worth against the reader's own.
const PEERS_VISITS: f32 = 15.0;
/// Those of a function and unit who work on one day, about.
const COLLEAGUES: f32 = 8.0;
/// Own visits before a reader can be new to anything.
const OLD_MIN: f32 = 60.0;
const STANDS_OUT: f32 = 2.0;
const UNITS_MAX: usize = 24;
const NEAR_SECS: i64 = 14 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_holds_few_units_and_forgets_the_least() {
        let mut mix = Mix::default();
        for number in 0..1_000 {
            mix.add(Of::Unit(UnitId(number % 200)));
            mix.add(Of::Record);
            if number % 20 == 0 {
                mix.close_day(OLD_KEPT);
            }
        }
        assert!(mix.units.len() <= UNITS_MAX && mix.units.capacity() <= 2 * UNITS_MAX);
        assert!(mix.held(Of::Record).is_some());
        let sums: f32 = mix.units.iter().map(|held| held.recent + held.old).sum();
        assert!((sums - mix.recent - mix.old).abs() < 0.01 * sums);
    }
}
