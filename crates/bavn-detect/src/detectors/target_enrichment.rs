//! What one reader's unexplained patients share is no chance.
//!
//! ## What it sees
//! Over the last weeks, how many of the reader's unexplained patients are on one list (armed
//! forces and the like), live in one postal area or were born in one year, against the share of
//! all unexplained patients in the region that are.
//! ## Why it matters
//! Who selects by an attribute is collecting, whatever the daily number.
//! ## What makes it harmless
//! A clinic for just that group, whose look-ups no system explains.
//! ## First thing to do
//! Ask the unit's head whether the reader has work with that group.
//! ## Memory
//! At most 1.6 KB a reader.
//! ## Source
//! Kulldorff, A spatial scan statistic (1997), with fixed windows.

use super::{
    Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError, is_unexplained,
};
use crate::calibrate::Person;
use crate::clientele::{Attribute, attributes_of};
use bavn_model::{
    Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, PatientId, Trait,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TargetEnrichment {
    readers: PerReader<Shares>,
    /// Unexplained patients of all readers: how many, and how many with each attribute.
    seen: f32,
    #[serde(with = "crate::sorted")]
    with: HashMap<Attribute, f32, foldhash::fast::FixedState>,
    #[serde(skip)]
    groups: usize,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Shares {
    /// Newest last: day and patient, each patient once.
    patients: Vec<(i32, PatientId)>,
    counts: Vec<(Attribute, u16)>,
    strongest: Option<Strongest>,
}

/// The attribute that is least likely by chance: of how many patients, and how many were expected.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Strongest {
    attribute: Attribute,
    own: u16,
    of: u32,
    expected: f32,
    nats: f32,
}

impl TargetEnrichment {
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            readers: PerReader::new(),
            seen: 0.0,
            with: HashMap::default(),
            groups: context.groups().len(),
        }
    }

    /// Share of unexplained patients with the attribute, the reader's own ones apart.
    fn share(&self, attribute: Attribute, own: u16, own_seen: usize, context: &Context) -> f32 {
        let with = self.with.get(&attribute).copied().unwrap_or(0.0) - f32::from(own);
        let seen = self.seen - own_seen as f32;
        let prior = match attribute {
            Attribute::Group(index) => {
                let members = context.groups().get(index as usize).map_or(0, |g| g.members.len());
                members as f32 / (context.patient_count() as f32).max(1.0)
            }
            Attribute::Area(_) => 0.002,
            Attribute::Born(_) => 0.012,
        };
        ((with.max(0.0) + PRIOR_SEEN * prior) / (seen.max(0.0) + PRIOR_SEEN)).max(1e-5)
    }
}

impl Detector for TargetEnrichment {
    fn name(&self) -> &'static str {
        "target_enrichment"
    }

    fn family(&self) -> Family {
        Family::Target
    }

    fn lane(&self) -> Lane {
        Lane::Slow
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let Some(visit) = seen.visit.filter(|visit| seen.opens && is_unexplained(visit)) else {
            return;
        };
        if seen.person.system {
            return;
        }
        let (patient, day) = (visit.patient, seen.person.day);
        let added =
            self.readers.with(seen.identity, |shares| shares.add(day, patient, seen.context));
        if added != Some(true) {
            return;
        }
        self.seen += 1.0;
        for attribute in attributes_of(patient, seen.context) {
            *self.with.entry(attribute).or_default() += 1.0;
        }
        let Some(shares) = self.readers.get(seen.identity) else { return };
        let scans = (self.groups + 2) as f32;
        let mut strongest: Option<Strongest> = None;
        for attribute in attributes_of(patient, seen.context) {
            let own = shares.count(attribute);
            if own < MEMBERS_MIN {
                continue;
            }
            let of = shares.patients.len();
            let share = self.share(attribute, own, of, seen.context);
            let share = seen.clientele.share(visit.unit, attribute, share);
            // Any area or year could have been the one: about one over its share were tried.
            let tried = match attribute {
                Attribute::Group(_) => scans,
                Attribute::Area(_) | Attribute::Born(_) => scans / share,
            };
            let nats = binomial_nats(own, of, share) - tried.ln();
            if strongest.is_none_or(|held| nats > held.nats) {
                let expected = share * of as f32;
                strongest = Some(Strongest { attribute, own, of: of as u32, expected, nats });
            }
        }
        if let Some(found) = strongest.filter(|found| found.nats > 0.0) {
            self.readers.with(seen.identity, |shares| shares.strongest = Some(found));
            out.raise(0, found.nats);
        }
    }

    fn evidence(&self, identity: IdentityId, _person: &Person, _context: &Context) -> Evidence {
        let found = self.readers.get(identity).and_then(|shares| shares.strongest);
        let Some(Strongest { attribute, own, of, expected, .. }) = found else {
            return Evidence::nothing();
        };
        let (own, expected) = (u32::from(own), f64::from(expected));
        let fact = match attribute {
            Attribute::Group(group) => Fact::ListedPatients { group, opened: own, of, expected },
            Attribute::Area(_) | Attribute::Born(_) => {
                Fact::SharedTrait { shared: Trait::Patients, accounts: own, of, expected }
            }
        };
        Evidence::of(vec![fact], InnocentStory::RegistryProject, NextStep::AskUnitManager)
    }

    fn bytes_held(&self) -> usize {
        let each = |shares: &Shares| {
            shares.patients.capacity() * size_of::<(i32, PatientId)>()
                + shares.counts.capacity() * size_of::<(Attribute, u16)>()
        };
        self.readers.bytes_held()
            + self.readers.held.iter().map(each).sum::<usize>()
            + self.with.capacity() * size_of::<(Attribute, f32)>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = Self { groups: self.groups, ..from.take()? };
        Ok(())
    }
}

impl Shares {
    /// Whether the patient is new among those held.
    fn add(&mut self, day: i32, patient: PatientId, context: &Context) -> bool {
        if self.patients.iter().any(|&(_, held)| held == patient) {
            return false;
        }
        let old = self
            .patients
            .iter()
            .position(|&(held, _)| day - held <= WINDOW_DAYS)
            .unwrap_or(self.patients.len())
            .max((self.patients.len() + 1).saturating_sub(PATIENTS_MAX));
        let gone: Vec<(i32, PatientId)> = self.patients.drain(..old).collect();
        for (_, patient) in gone {
            for attribute in attributes_of(patient, context) {
                if let Some(held) = self.counts.iter_mut().find(|(held, _)| *held == attribute) {
                    held.1 = held.1.saturating_sub(1);
                }
            }
        }
        self.counts.retain(|&(_, count)| count > 0);
        self.patients.push((day, patient));
        for attribute in attributes_of(patient, context) {
            match self.counts.iter_mut().find(|(held, _)| *held == attribute) {
                Some((_, count)) => *count += 1,
                None => self.counts.push((attribute, 1)),
            }
        }
        true
    }

    fn count(&self, attribute: Attribute) -> u16 {
        self.counts.iter().find(|(held, _)| *held == attribute).map_or(0, |&(_, count)| count)
    }
}

/// Chernoff's bound on a binomial's upper tail, in nats.
fn binomial_nats(own: u16, of: usize, share: f32) -> f32 {
    let (n, x) = (of as f32, f32::from(own));
    let found = x / n;
    if found <= share {
        return 0.0;
    }
    let rest = if found < 1.0 { (1.0 - found) * ((1.0 - found) / (1.0 - share)).ln() } else { 0.0 };
    n * (found * (found / share).ln() + rest)
}

const WINDOW_DAYS: i32 = 21;
/// Patients held of a reader: over any alarm level, and bounds the search.
const PATIENTS_MAX: usize = 64;
const MEMBERS_MIN: u16 = 3;
const PRIOR_SEEN: f32 = 500.0;
