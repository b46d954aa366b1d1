//! Many readers open one patient's record, and few of them have a reason.
//!
//! ## What it sees
//! Readers of one patient within three days whom nothing explains, from different units and not in
//! company: how seldom one of each reader's function reads so far from an explanation, all together,
//! beyond what a patient with as much care usually draws, against the crowds of the past.
//! ## Why it matters
//! A politician, a colleague, a face from the news: each of twelve curious readers looks once.
//! ## What makes it harmless
//! A rare case shown at a conference, a resuscitation to which everybody ran.
//! ## First thing to do
//! Ask each of the readers named, the same day; consider a stricter lock on the record.
//! ## Memory
//! 48 bytes a patient opened in the last three days, 32 an unexplained reader of one, 1 KB a reader.
//! ## Source
//! Boxwala and others (2011) for the case; the score is ours.

use super::{Evidence, Gathered, Gathering, Restoring, Saving, Seen, StateError, is_unexplained};
use crate::calibrate::People;
use crate::queue::Cause;
use bavn_model::{
    Fact, Family, IdentityId, InnocentStory, NextStep, PatientId, Timestamp, Tried, TriedOutcome,
    UnitId,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CuriousReaders {
    #[serde(with = "crate::sorted")]
    patients: HashMap<PatientId, Crowd, foldhash::fast::FixedState>,
    /// Of each reader: his last look-ups.
    #[serde(with = "crate::sorted")]
    by_reader: HashMap<IdentityId, Vec<Opened>, foldhash::fast::FixedState>,
    /// Patients opened on a day: the number of chances.
    patients_per_day: f64,
    /// Readers, over all patients: with a reason, unexplained.
    pairs: [f32; 2],
    /// Crowds judged worth telling today.
    crowds_today: u32,
    /// Patients with a new reader in this hour.
    pending: Vec<PatientId>,
    past: Past,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Crowd {
    last_day: i32,
    with_reason: u16,
    readers: Vec<Reader>,
    /// Of the day it was last judged on: the highest score.
    highest: f32,
    scored_day: i32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Reader {
    identity: IdentityId,
    at_secs: i64,
    /// How seldom one of his function reads so far from an explanation, in nats.
    surprise: f32,
    unit: Option<UnitId>,
    /// The hospital that the unit is part of.
    hospital: Option<UnitId>,
}

/// The crowds of the past: how many, and how far they went.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Past {
    /// Days of patients opened, fading.
    patient_days: f32,
    /// Those with a crowd beyond [`NATS_MIN`], and how far beyond, all together.
    crowds: f32,
    over: f32,
}

impl Past {
    fn shipped() -> Self {
        Self { patient_days: PATIENT_DAYS_SHIPPED, crowds: 1.0, over: OVER_SHIPPED }
    }

    /// Chance of a crowd as surprising: they fall off as an exponential law does.
    fn p(self, nats: f32) -> f64 {
        let mean = (self.over + CROWDS_SHIPPED * OVER_SHIPPED) / (self.crowds + CROWDS_SHIPPED);
        f64::from(self.crowds / self.patient_days * (-(nats - NATS_MIN) / mean).exp().min(1.0))
    }

    fn learn(&mut self, nats: f32) {
        self.patient_days += 1.0;
        if nats > NATS_MIN {
            self.crowds += 1.0;
            self.over += nats - NATS_MIN;
        }
    }

    fn close_day(&mut self) {
        for held in [&mut self.patient_days, &mut self.crowds, &mut self.over] {
            *held *= FADE;
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Opened {
    patient: PatientId,
    at_secs: i64,
    unexplained: bool,
}

impl CuriousReaders {
    pub(crate) fn new() -> Self {
        Self {
            patients: HashMap::default(),
            by_reader: HashMap::default(),
            patients_per_day: 1.0,
            pairs: [200.0, 40.0],
            crowds_today: 0,
            pending: Vec::new(),
            past: Past::shipped(),
        }
    }

    /// How surprising the patient's readers without a reason are, in nats, but for those who read in
    /// company: a board or a team opens the same list of patients together, the curious share
    /// nothing but the one.
    fn score(&self, patient: PatientId) -> Option<f32> {
        let crowd = self.patients.get(&patient)?;
        let none = Vec::new();
        let of = |identity: IdentityId| self.by_reader.get(&identity).unwrap_or(&none);
        let together = |a: &Reader, b: &Reader| {
            let theirs = of(b.identity);
            let mut shared = 0;
            for mine in of(a.identity).iter().filter(|mine| mine.patient != patient) {
                let Some(other) = theirs.iter().rfind(|other| other.patient == mine.patient) else {
                    continue;
                };
                let apart = (other.at_secs - mine.at_secs).abs();
                // Two with one more patient whom nothing explains have a list in common. Who works
                // together shares the others anyhow, but colleagues of one unit always do.
                if mine.unexplained && other.unexplained && apart <= LIST_SECS {
                    return true;
                }
                shared += usize::from(a.unit != b.unit && apart <= TOGETHER_SECS);
            }
            shared >= SHARED_MIN
        };
        let in_company = |reader: &Reader| {
            crowd
                .readers
                .iter()
                .any(|with| with.identity != reader.identity && together(reader, with))
        };
        let alone: Vec<&Reader> = crowd.readers.iter().filter(|held| !in_company(held)).collect();
        // Where nobody at all has a reason, a stay was never entered: its readers are of one hospital.
        let mut hospitals: Vec<UnitId> = alone.iter().filter_map(|held| held.hospital).collect();
        hospitals.sort_unstable();
        hospitals.dedup();
        let (units, nats) = by_unit(&alone);
        let unentered = crowd.with_reason == 0
            && hospitals.len() < HOSPITALS_MIN
            && units < READERS_UNENTERED_MAX;
        let beyond_usual = (nats - NATS_USUAL * crowd.usual(self.rate())).max(0.0);
        Some(if unentered || units < READERS_MIN { 0.0 } else { beyond_usual })
    }

    /// Readers without a reason for each with one.
    fn rate(&self) -> f32 {
        self.pairs[1] / self.pairs[0]
    }

    fn judge(&mut self, patient: PatientId, at: Timestamp, out: &mut Vec<Gathered>) {
        let Some(nats) = self.score(patient).filter(|&nats| nats > 0.0) else { return };
        let chances =
            self.patients_per_day.max((self.patients.len() / WINDOW_DAYS as usize) as f64);
        let rate = self.rate();
        let Some(crowd) = self.patients.get_mut(&patient) else { return };
        if crowd.scored_day != at.day() {
            (crowd.scored_day, crowd.highest) = (at.day(), 0.0);
        }
        crowd.highest = crowd.highest.max(nats);
        let false_per_day = self.past.p(nats) * chances;
        if false_per_day < WORTH_PER_DAY {
            out.push(crowd.gathered(patient, false_per_day, f64::from(crowd.usual(rate)), at));
        }
    }
}

impl Gathering for CuriousReaders {
    fn name(&self) -> &'static str {
        "curious_readers"
    }

    fn observe(&mut self, seen: &Seen<'_>, _out: &mut Vec<Gathered>) {
        let (Some(visit), Some(patient)) = (seen.visit.filter(|_| seen.opens), seen.patient) else {
            return;
        };
        if seen.person.system {
            return;
        }
        let (at, day) = (seen.access.at, seen.person.day);
        let known = self.by_reader.entry(seen.identity).or_default();
        if known.len() >= KNOWN_MAX {
            known.drain(..KNOWN_MAX / 2);
        }
        let unexplained = is_unexplained(visit);
        known.push(Opened { patient, at_secs: at.secs(), unexplained });
        let crowd = self.patients.entry(patient).or_default();
        crowd.last_day = day;
        if !is_unexplained(visit) {
            crowd.with_reason = crowd.with_reason.saturating_add(1);
            self.pairs[0] += 1.0;
            // Whoever has a reason now had one all along.
            crowd.readers.retain(|held| held.identity != seen.identity);
            return;
        }
        if crowd.readers.iter().any(|held| held.identity == seen.identity) {
            return;
        }
        crowd.readers.retain(|held| at.secs() - held.at_secs <= WINDOW_SECS);
        if crowd.readers.len() >= READERS_MAX {
            return;
        }
        let known_unit =
            visit.unit.is_some_and(|unit| crowd.readers.iter().any(|held| held.unit == Some(unit)));
        crowd.readers.push(Reader {
            identity: seen.identity,
            at_secs: at.secs(),
            surprise: visit.surprise,
            unit: visit.unit,
            hospital: visit.unit.map(|unit| seen.context.hospital(unit)),
        });
        if !known_unit {
            self.pairs[1] += 1.0;
        }
        if self.patients.get(&patient).is_none_or(|crowd| crowd.readers.len() < READERS_MIN) {
            return;
        }
        self.pending.push(patient);
    }

    fn close_hour(
        &mut self,
        now: Timestamp,
        _chances: &[(IdentityId, f32)],
        _people: &People,
        out: &mut Vec<Gathered>,
    ) {
        // Judged when the hour is over: only then does a board show that it is one.
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_unstable();
        pending.dedup();
        // Whoever has just come may be the first of a board.
        let settled = |patient: &PatientId| {
            let readers = self.patients.get(patient).map(|crowd| crowd.readers.iter());
            let last = readers.into_iter().flatten().map(|held| held.at_secs).max();
            last.is_none_or(|last| now.secs() - last >= SETTLED_SECS)
        };
        let (pending, waiting): (Vec<_>, Vec<_>) = pending.into_iter().partition(settled);
        self.pending = waiting;
        let mut found = Vec::new();
        for patient in pending {
            self.judge(patient, now.minus_secs(1), &mut found);
        }
        // The curious come for one patient; crowds about many at once are an event.
        for mut gathered in found {
            self.crowds_today += 1;
            if self.crowds_today > CROWDS_APART_MAX {
                gathered.subject = EVENT_SUBJECT - now.minus_secs(1).day().unsigned_abs();
            }
            out.push(gathered);
        }
    }

    fn close_day(&mut self, day: i32) {
        // In one order: sums of fractions depend on it.
        let mut today: Vec<(PatientId, &Crowd)> = self
            .patients
            .iter()
            .filter(|(_, crowd)| crowd.last_day == day)
            .map(|(&patient, crowd)| (patient, crowd))
            .collect();
        today.sort_unstable_by_key(|&(patient, _)| patient);
        for (_, crowd) in &today {
            self.past.learn(if crowd.scored_day == day { crowd.highest } else { 0.0 });
        }
        let opened = today.len() as f64;
        self.past.close_day();
        self.patients_per_day = (self.patients_per_day * 0.9).max(opened);
        self.crowds_today = 0;
        self.patients.retain(|_, crowd| day - crowd.last_day < WINDOW_DAYS);
        for crowd in self.patients.values_mut() {
            crowd.readers.retain(|held| {
                Timestamp::start_of_day(day + 1).secs() - held.at_secs <= WINDOW_SECS
            });
            // Care of days ago counts less and less.
            crowd.with_reason -= crowd.with_reason / 3;
        }
        for pairs in &mut self.pairs {
            *pairs *= 0.97;
        }
        self.pairs[0] = self.pairs[0].max(50.0);
        self.pairs[1] = self.pairs[1].max(1.0);
    }

    fn bytes_held(&self) -> usize {
        let of_reader = |known: &Vec<Opened>| {
            size_of::<(IdentityId, Vec<Opened>)>() + known.capacity() * size_of::<Opened>()
        };
        self.patients.capacity() * size_of::<(PatientId, Crowd)>()
            + self.by_reader.values().map(of_reader).sum::<usize>()
            + self
                .patients
                .values()
                .map(|held| held.readers.capacity() * size_of::<Reader>())
                .sum::<usize>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

impl Crowd {
    /// Readers without a reason that a patient with as much care draws, at so many for one with a reason.
    fn usual(&self, rate: f32) -> f32 {
        rate * (f32::from(self.with_reason) + 1.0)
    }

    fn gathered(
        &self,
        patient: PatientId,
        false_per_day: f64,
        usual: f64,
        at: Timestamp,
    ) -> Gathered {
        let without_reason = self.readers.len() as u32;
        let first = self.readers.iter().map(|held| held.at_secs).min().unwrap_or(at.secs());
        let fact = Fact::ReadersOfPatient {
            readers: without_reason + u32::from(self.with_reason),
            without_reason,
            usual,
            window_secs: WINDOW_SECS as u64,
        };
        Gathered {
            detector: "curious_readers",
            cause: Cause::Patient,
            family: Family::Target,
            subject: patient.0,
            false_per_day,
            first_seen: Timestamp::from_secs(first),
            entities: self.readers.iter().map(|held| held.identity).collect(),
            patients: vec![patient],
            tried: vec![Tried {
                template: "record_of_care",
                outcome: TriedOutcome::NotFound,
                visits: without_reason,
            }],
            evidence: Evidence::of(vec![fact], InnocentStory::SharedPatient, NextStep::AskReader),
        }
    }
}

/// Four readers from as many units.
const NATS_MIN: f32 = 8.0;
const CROWDS_SHIPPED: f32 = 5.0;
const OVER_SHIPPED: f32 = 4.0;
/// With one crowd: a fortnight of a hospital of five hundred.
const PATIENT_DAYS_SHIPPED: f32 = 10_000.0;
/// Of one reader more than usual.
const NATS_USUAL: f32 = 1.0;
const FADE: f32 = 0.99;
const WINDOW_DAYS: i32 = 3;
/// Units that the readers come from, and how surprising the most surprising one of each is, all
/// together: several of one unit are a team whose patient was never entered.
fn by_unit(readers: &[&Reader]) -> (usize, f32) {
    let mut of_units: Vec<(UnitId, f32)> = Vec::new();
    let mut units = 0;
    let mut nats = 0.0;
    for reader in readers {
        let known = of_units.iter_mut().find(|(unit, _)| Some(*unit) == reader.unit);
        if let Some((_, most)) = known {
            nats += (reader.surprise - *most).max(0.0);
            *most = most.max(reader.surprise);
            continue;
        }
        units += 1;
        nats += reader.surprise;
        of_units.extend(reader.unit.map(|unit| (unit, reader.surprise)));
    }
    (units, nats)
}

const WINDOW_SECS: i64 = 3 * 86_400;
/// More crowds than this on one day are told as one event.
const CROWDS_APART_MAX: u32 = 2;
/// Far over any dense patient id.
const EVENT_SUBJECT: u32 = u32::MAX;
const SETTLED_SECS: i64 = 15 * 60;
/// The first readers of a stay that was never entered come from four units.
const READERS_MIN: usize = 4;
/// Readers of a stay that was never entered come from fewer units than this, and than so many hospitals.
const READERS_UNENTERED_MAX: usize = 8;
const HOSPITALS_MIN: usize = 3;
/// Patients that make readers a team.
const SHARED_MIN: usize = 3;
/// The members of a board prepare its list within this time.
const LIST_SECS: i64 = 12 * 3_600;
const TOGETHER_SECS: i64 = 2 * 3_600;
const KNOWN_MAX: usize = 48;
/// Far over any alarm level.
const READERS_MAX: usize = 200;
/// Not worth telling the queue beyond this.
const WORTH_PER_DAY: f64 = 1.0;
