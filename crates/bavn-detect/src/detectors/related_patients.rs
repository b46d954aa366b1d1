//! One reader opens the record of himself, his household, a colleague or a neighbour.
//!
//! ## What it sees
//! Unexplained look-ups of patients who stand near the reader in the registers: himself, kin, the
//! same household, a colleague of his unit, the same postal area with a rare surname, a rare
//! surname alone. Each by how seldom chance brings such a pair, given how many unexplained
//! patients this reader opens and how many people stand in that relation to him.
//! ## Why it matters
//! Most snooping is on people one knows, and one look-up is the whole deed.
//! ## What makes it harmless
//! A colleague who is the unit's patient (then a stay explains it), help asked for at work.
//! ## First thing to do
//! Ask the reader for the reason, kindly and the same day.
//! ## Memory
//! 16 bytes a reader, 8 a member of staff who is a patient too, 8 a surname or household.
//! ## Source
//! Hedda, Malin, Yan and Fabbri (2017): rules are to be scored by observed against expected.

use super::{Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::{Person, Stream};
use crate::visit::{Visit, Warmth};
use bavn_model::{
    Assignment, Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, PatientId,
    Relation, Timestamp, UnitId,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct RelatedPatients {
    readers: PerReader<Near>,
    /// Members of staff by their record as a patient.
    staff_of: HashMap<PatientId, IdentityId, foldhash::fast::FixedState>,
    /// Staff with a record of their own, by unit.
    staff_patients: HashMap<UnitId, u32, foldhash::fast::FixedState>,
    surnames: HashMap<u32, u32, foldhash::fast::FixedState>,
    postal_areas: HashMap<u32, u32, foldhash::fast::FixedState>,
    patients: f32,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Near {
    day: i32,
    nats: f32,
    relation: Option<Relation>,
    patients: u16,
    reads: u16,
}

impl RelatedPatients {
    pub(crate) fn new(context: &Context) -> Self {
        let mut detector = Self {
            readers: PerReader::new(),
            staff_of: HashMap::default(),
            staff_patients: HashMap::default(),
            surnames: HashMap::default(),
            postal_areas: HashMap::default(),
            patients: (context.patient_count() as f32).max(1.0),
        };
        for (identity, staff) in context.all_staff() {
            let Some(patient) = staff.patient else { continue };
            detector.staff_of.insert(patient, identity);
            let mut units: Vec<UnitId> =
                context.assignments(identity).iter().filter_map(|held| held.unit).collect();
            units.sort_unstable();
            units.dedup();
            for unit in units {
                *detector.staff_patients.entry(unit).or_default() += 1;
            }
        }
        for index in 0..context.patient_count() {
            let patient = context.patient(PatientId(index as u32));
            for (counts, key) in [
                (&mut detector.surnames, patient.family_name),
                (&mut detector.postal_areas, patient.postal_area),
            ] {
                if let Some(key) = key {
                    *counts.entry(key).or_default() += 1;
                }
            }
        }
        detector
    }

    /// The nearest relation, and how many patients stand in one as near to the reader.
    fn relation(&self, seen: &Seen<'_>, patient: PatientId) -> Option<(Relation, f32)> {
        let context = seen.context;
        let reader = context.staff(seen.identity);
        if reader.patient == Some(patient) {
            return Some((Relation::Oneself, 1.0));
        }
        if reader.patient.is_some_and(|own| context.are_kin(own, patient)) {
            return Some((Relation::Kin, 5.0));
        }
        let of = context.patient(patient);
        let same = |a: Option<u32>, b: Option<u32>| a.is_some() && a == b;
        if same(reader.household, of.household) {
            return Some((Relation::Household, 4.0));
        }
        if let Some(&colleague) = self.staff_of.get(&patient)
            && let Some(unit) = shared_unit(context, seen.identity, colleague, seen.access.at)
        {
            let colleagues = self.staff_patients.get(&unit).copied().unwrap_or(1);
            return Some((Relation::Colleague, colleagues as f32));
        }
        let count = |counts: &HashMap<u32, u32, _>, key: Option<u32>| {
            key.and_then(|key| counts.get(&key)).map_or(f32::MAX, |&count| count as f32)
        };
        let surname = count(&self.surnames, of.family_name);
        let area = count(&self.postal_areas, of.postal_area);
        let same_surname = same(reader.family_name, of.family_name);
        let same_area = same(reader.postal_area, of.postal_area);
        match (same_surname, same_area) {
            (true, true) => Some((Relation::Neighbour, (surname * area / self.patients).max(2.0))),
            (false, true) if area <= NEIGHBOURS_MAX => Some((Relation::Neighbour, area)),
            (true, false) if surname <= SURNAME_BEARERS_MAX => Some((Relation::Surname, surname)),
            _ => None,
        }
    }
}

impl Detector for RelatedPatients {
    fn name(&self) -> &'static str {
        "related_patients"
    }

    fn family(&self) -> Family {
        Family::Target
    }

    fn lane(&self) -> Lane {
        Lane::Deterministic
    }

    fn shipped_nats(&self) -> f32 {
        1.5
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let (Some(visit), Some(patient)) = (seen.visit, seen.patient) else { return };
        if !super::is_unexplained(visit) || seen.person.system || !seen.access.exposes() {
            return;
        }
        let Some((relation, standing_so)) = self.relation(seen, patient) else { return };
        let nats = nats_of(visit, seen.person, standing_so, self.patients);
        let day = seen.person.day;
        self.readers.with(seen.identity, |near| {
            if near.day != day {
                *near = Near { day, ..Near::default() };
            }
            near.reads = near.reads.saturating_add(1);
            if seen.opens {
                near.patients = near.patients.saturating_add(1);
                // A second one on the same day is as unlikely again, but of one deed: half counts.
                near.nats = near.nats.max(nats) + 0.5 * near.nats.min(nats);
                if near.relation.is_none_or(|held| relation < held) {
                    near.relation = Some(relation);
                }
                out.raise(0, near.nats);
            }
        });
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let near = self.readers.get(identity).filter(|near| near.day == person.day);
        let Some((near, relation)) = near.and_then(|near| Some((near, near.relation?))) else {
            return Evidence::nothing();
        };
        let because = vec![Fact::RelatedPatients {
            relation,
            patients: u32::from(near.patients),
            reads: u32::from(near.reads),
        }];
        Evidence::of(because, InnocentStory::AskedToHelp, NextStep::AskReader)
    }

    fn bytes_held(&self) -> usize {
        self.readers.bytes_held()
            + (self.staff_of.capacity() + self.surnames.capacity() + self.postal_areas.capacity())
                * 9
    }

    fn save(&self, out: &mut Saving) {
        out.put(&self.readers);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        self.readers = from.take()?;
        Ok(())
    }
}

/// How seldom chance alone brings this reader to a patient who stands so: his unexplained patients
/// of a day that are as far from his work, times the share of patients that stand so.
fn nats_of(visit: &Visit, person: &Person, standing_so: f32, patients: f32) -> f32 {
    let stream = match visit.warmth {
        Warmth::Cold => Stream::Cold,
        Warmth::Elsewhere => Stream::Away,
        _ => Stream::Unexplained,
    };
    // Patients near the reader's work are fewer than all patients: chance meets them more often.
    let among = match visit.warmth {
        Warmth::Cold => patients,
        Warmth::Elsewhere => patients / 4.0,
        _ => patients / 20.0,
    };
    let expected = person.mean(stream).max(RATE_MIN) * standing_so / among.max(50.0);
    -expected.clamp(1e-9, 1.0).ln()
}

fn shared_unit(context: &Context, a: IdentityId, b: IdentityId, at: Timestamp) -> Option<UnitId> {
    let now = |held: &&Assignment| held.from <= at && at < held.to && held.unit.is_some();
    let units_of_b = context.assignments(b);
    context
        .assignments(a)
        .iter()
        .filter(now)
        .find(|own| units_of_b.iter().filter(now).any(|held| held.unit == own.unit))
        .and_then(|own| own.unit)
}

const RATE_MIN: f32 = 0.05;
/// Postal areas of more people say nothing about being neighbours.
const NEIGHBOURS_MAX: f32 = 40.0;
const SURNAME_BEARERS_MAX: f32 = 12.0;
