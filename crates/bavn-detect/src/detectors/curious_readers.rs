//! Many readers open one patient's record, and few of them have a reason.
//!
//! ## What it sees
//! Distinct readers of one patient within three days whom nothing explains, away ones above all,
//! against how many such readers a patient with as much care usually draws.
//! ## Why it matters
//! A politician, a colleague, a face from the news: each of twelve curious readers looks once.
//! ## What makes it harmless
//! A rare case shown at a conference, a resuscitation to which everybody ran.
//! ## First thing to do
//! Ask each of the readers named, the same day; consider a stricter lock on the record.
//! ## Memory
//! 48 bytes a patient opened in the last three days, 16 an unexplained reader of one.
//! ## Source
//! Boxwala and others (2011) for the case; the count is ours.

use super::{
    Evidence, Gathered, Gathering, Restoring, Saving, Seen, StateError, is_away, is_unexplained,
};
use crate::calibrate::{People, SubjectDay, Tail, negative_binomial_surprise};
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
    /// Readers, over all patients: with a reason, unexplained, away.
    pairs: [f32; 3],
    /// Crowds judged worth telling today.
    crowds_today: u32,
    /// Patients with a new reader in this hour.
    pending: Vec<PatientId>,
    tails: [Tail; 2],
    /// How far counts scatter beyond Poisson, for each kind: excess over squares of the mean.
    scatter: [(f32, f32); 2],
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Crowd {
    last_day: i32,
    with_reason: u16,
    readers: Vec<Reader>,
    /// Of today: the highest score of each kind.
    highest: [f32; 2],
    scored_day: i32,
    /// Readers not in company, where they were last judged.
    alone: Option<[u8; 2]>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Reader {
    identity: IdentityId,
    at_secs: i64,
    away: bool,
    unit: Option<UnitId>,
    /// The hospital that the unit is part of.
    hospital: Option<UnitId>,
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
            pairs: [200.0, 40.0, 4.0],
            crowds_today: 0,
            pending: Vec::new(),
            // Readers from afar come as Poisson's law says; those near the patient in crowds.
            tails: [Tail::new(2.0), Tail::of_rule(2.0)],
            scatter: [(10.0, 10.0); 2],
        }
    }

    /// Readers of the patient, all and away, who do not read in company: a board or a team opens
    /// the same list of patients together, the curious share nothing but the one.
    fn alone(&self, patient: PatientId) -> Option<[usize; 2]> {
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
        let away: Vec<&Reader> = alone.iter().copied().filter(|held| held.away).collect();
        // Where nobody at all has a reason, a stay was never entered: its readers are of one hospital.
        let mut hospitals: Vec<UnitId> = alone.iter().filter_map(|held| held.hospital).collect();
        hospitals.sort_unstable();
        hospitals.dedup();
        let [all, away] = [units(&alone), units(&away)];
        let unentered = crowd.with_reason == 0
            && hospitals.len() < HOSPITALS_MIN
            && all < READERS_UNENTERED_MAX;
        Some(if unentered { [0, 0] } else { [all, away] })
    }

    fn score(&mut self, day: i32, patient: PatientId, alone: [usize; 2]) -> Option<(f64, f32)> {
        let [with_reason, unexplained, away] = self.pairs;
        let crowd = self.patients.get_mut(&patient)?;
        let reasons = f32::from(crowd.with_reason) + 1.0;
        let counts = alone;
        let mut rarest = 1.0_f64;
        let mut score = 0.0;
        let rates = [unexplained / with_reason, away / with_reason];
        if crowd.scored_day != day {
            crowd.scored_day = day;
            crowd.highest = [0.0; 2];
        }
        for ((((count, rate), tail), highest), scatter) in
            counts.into_iter().zip(rates).zip(&self.tails).zip(&mut crowd.highest).zip(self.scatter)
        {
            let size = (scatter.1 / scatter.0.max(0.01)).clamp(0.2, 20.0);
            if count < READERS_MIN {
                continue;
            }
            let nats = negative_binomial_surprise(count as u32, (rate * reasons).max(0.01), size);
            if nats > *highest {
                *highest = nats;
            }
            let p = tail.p(of_patient(patient, day), nats);
            if p < rarest {
                (rarest, score) = (p, nats);
            }
        }
        // Two kinds were looked at, and so was every way of the crowd to grow.
        Some(((2.0 * rarest).min(1.0), score))
    }

    fn judge(&mut self, patient: PatientId, at: Timestamp, out: &mut Vec<Gathered>) {
        let Some(alone) = self.alone(patient) else { return };
        let Some((p, _)) = self.score(at.day(), patient, alone) else { return };
        let Some(crowd) = self.patients.get_mut(&patient) else { return };
        crowd.alone = Some(alone.map(|count| count.min(255) as u8));
        let false_per_day = p * self.patients_per_day;
        if false_per_day < WORTH_PER_DAY {
            let usual = f64::from(self.pairs[1] / self.pairs[0]) * f64::from(crowd.with_reason + 1);
            out.push(crowd.gathered(patient, false_per_day, usual, at));
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
        let away = is_away(visit);
        let known_unit = visit.unit.is_some_and(|unit| {
            crowd.readers.iter().any(|held| held.unit == Some(unit) && held.away == away)
        });
        crowd.readers.push(Reader {
            identity: seen.identity,
            at_secs: at.secs(),
            away,
            unit: visit.unit,
            hospital: visit.unit.map(|unit| seen.context.hospital(unit)),
        });
        if !known_unit {
            self.pairs[1] += 1.0;
            self.pairs[2] += f32::from(u8::from(away));
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
        let mut quiet = 0.0;
        let mut opened = 0_u32;
        let rates = [self.pairs[1] / self.pairs[0], self.pairs[2] / self.pairs[0]];
        // In one order: sums of fractions depend on it.
        let mut today: Vec<(PatientId, &Crowd)> = self
            .patients
            .iter()
            .filter(|(_, crowd)| crowd.last_day == day)
            .map(|(&patient, crowd)| (patient, crowd))
            .collect();
        today.sort_unstable_by_key(|&(patient, _)| patient);
        for (patient, crowd) in today {
            let counts = crowd.alone.unwrap_or_else(|| {
                let all: Vec<&Reader> = crowd.readers.iter().collect();
                let away: Vec<&Reader> = all.iter().copied().filter(|held| held.away).collect();
                [units(&all).min(255) as u8, units(&away).min(255) as u8]
            });
            for ((scatter, rate), count) in self.scatter.iter_mut().zip(rates).zip(counts) {
                let count = f32::from(count);
                let mean = rate * (f32::from(crowd.with_reason) + 1.0);
                // One crowd must not teach that crowds are usual.
                let off = count.min(mean + 6.0) - mean;
                scatter.0 += off * off - mean;
                scatter.1 += mean * mean;
            }
            opened += 1;
            if crowd.scored_day == day && crowd.highest.iter().any(|&nats| nats > 0.0) {
                for (tail, &nats) in self.tails.iter_mut().zip(&crowd.highest) {
                    tail.learn(of_patient(patient, day), nats, false);
                }
            } else {
                quiet += 1.0;
            }
        }
        for tail in &mut self.tails {
            tail.learn_quiet(0, quiet);
            tail.freeze();
        }
        self.patients_per_day = (self.patients_per_day * 0.9).max(f64::from(opened));
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
        for scatter in &mut self.scatter {
            *scatter = (scatter.0 * 0.97, scatter.1 * 0.97);
        }
        self.pairs[0] = self.pairs[0].max(50.0);
        self.pairs[1] = self.pairs[1].max(1.0);
        self.pairs[2] = self.pairs[2].max(0.2);
    }

    fn bytes_held(&self) -> usize {
        self.patients.capacity() * size_of::<(PatientId, Crowd)>()
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

const WINDOW_DAYS: i32 = 3;
/// Units that the readers come from, fewer where several come from one: a team whose patient was
/// never entered does.
fn units(readers: &[&Reader]) -> usize {
    let mut units: Vec<UnitId> = readers.iter().filter_map(|held| held.unit).collect();
    let without = readers.len() - units.len();
    units.sort_unstable();
    units.dedup();
    let units = units.len() + without;
    (units * units).checked_div(readers.len()).unwrap_or(0)
}

fn of_patient(patient: PatientId, day: i32) -> SubjectDay {
    SubjectDay { subject: usize::from(patient) as u32, class: 0, day }
}

const WINDOW_SECS: i64 = 3 * 86_400;
/// More crowds than this on one day are told as one event.
const CROWDS_APART_MAX: u32 = 2;
/// Far over any dense patient id.
const EVENT_SUBJECT: u32 = u32::MAX;
const SETTLED_SECS: i64 = 15 * 60;
/// The first readers of a stay that was never entered come from four units.
const READERS_MIN: usize = 5;
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
