//! One reader opens a few more unexplained patients every day, for weeks.
//!
//! ## What it sees
//! Cumulative sums over working days on four kinds of patient (unexplained, away, cold, alone),
//! each against three alternatives at once: 5, 10 and 30 % of the reader's usual volume on top.
//! ## Why it matters
//! The patient thief: ten strangers a day drown in any count of volume, but not here.
//! ## What makes it harmless
//! A new task that no system records: a consult list, a board, a neighbouring ward to cover.
//! ## First thing to do
//! Ask the unit's head whether the reader's work changed at the date given.
//! ## Memory
//! 170 bytes a reader.
//! ## Source
//! Page, Continuous inspection schemes (1954); Moustakides (1986) for its optimality.

use super::{Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError, counted};
use crate::calibrate::{Person, STREAMS, Stream, negative_binomial_gain};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, Timestamp};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct UnexplainedPatients {
    readers: PerReader<Sums>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Sums {
    day: i32,
    kinds: [Kind; STREAMS_WATCHED.len()],
}

/// One kind of patient.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Kind {
    /// At the day's start, for each alternative; and what each patient of the day adds.
    opened_at: [f32; RAISED_SHARES.len()],
    gain: [f32; RAISED_SHARES.len()],
    today: u32,
    /// Since the strongest sum last left zero.
    patients: u32,
    expected: f32,
    days: u16,
    since_day: i32,
}

impl UnexplainedPatients {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for UnexplainedPatients {
    fn name(&self) -> &'static str {
        "unexplained_patients"
    }

    fn family(&self) -> Family {
        Family::Relation
    }

    fn lane(&self) -> Lane {
        Lane::Slow
    }

    fn channels(&self) -> usize {
        STREAMS_WATCHED.len()
    }

    fn shipped_nats(&self) -> f32 {
        4.0
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let person = seen.person;
        let fresh = self.readers.with(seen.identity, |sums| {
            let fresh = sums.day != person.day;
            if fresh {
                sums.day = person.day;
                for (kind, &stream) in sums.kinds.iter_mut().zip(&STREAMS_WATCHED) {
                    kind.open(person, stream);
                }
            }
            fresh
        });
        let visit = seen.unexplained();
        if visit.is_none() && fresh != Some(true) {
            return;
        }
        let counted = visit.map_or([false; STREAMS], |visit| counted(visit, seen.crowded));
        self.readers.with(seen.identity, |sums| {
            for (channel, (kind, counts)) in
                sums.kinds.iter_mut().zip(counted.into_iter().skip(1)).enumerate()
            {
                if channel == ALONE {
                    kind.today = person.count(Stream::Alone);
                }
                kind.today += u32::from(counts);
                if counts || fresh == Some(true) {
                    out.raise(channel as u8, kind.highest());
                }
            }
        });
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        self.readers.with(identity, |sums| {
            if sums.day == person.day {
                for kind in &mut sums.kinds {
                    kind.close();
                }
            }
        });
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let Some(sums) = self.readers.get(identity) else { return Evidence::nothing() };
        let strongest = sums.kinds.iter().max_by(|a, b| a.highest().total_cmp(&b.highest()));
        let Some(kind) = strongest.filter(|kind| kind.patients + kind.today > 0) else {
            return Evidence::nothing();
        };
        let stream = Stream::Unexplained;
        let because = vec![Fact::SlowRise {
            patients: kind.patients + kind.today,
            usual: f64::from(kind.expected) + f64::from(person.mean(stream)),
            working_days: u32::from(kind.days) + 1,
            since: Timestamp::start_of_day(kind.since_day),
        }];
        Evidence::of(because, InnocentStory::ConsultTeam, NextStep::AskUnitManager)
    }

    fn bytes_held(&self) -> usize {
        self.readers.bytes_held()
    }

    fn save(&self, out: &mut Saving) {
        out.put(&self.readers);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        self.readers = from.take()?;
        Ok(())
    }
}

impl Kind {
    fn open(&mut self, person: &Person, stream: Stream) {
        let (mean, size) = (person.mean(stream).max(MEAN_MIN), person.size(stream));
        let volume = person.mean(Stream::All);
        self.today = 0;
        if self.days == 0 {
            self.since_day = person.day;
        }
        self.expected += mean;
        for ((opened, gain), share) in
            self.opened_at.iter_mut().zip(&mut self.gain).zip(RAISED_SHARES)
        {
            let (each, day) = negative_binomial_gain(mean, mean + share * volume, size);
            *gain = each;
            *opened += day;
        }
    }

    fn highest(&self) -> f32 {
        let today = self.today as f32;
        self.opened_at
            .iter()
            .zip(&self.gain)
            .map(|(opened, gain)| opened + (today * gain).min(DAY_GAIN_MAX))
            .fold(0.0, f32::max)
    }

    fn close(&mut self) {
        let today = self.today as f32;
        for (opened, gain) in self.opened_at.iter_mut().zip(&self.gain) {
            *opened = (*opened + (today * gain).min(DAY_GAIN_MAX)).max(0.0);
        }
        if self.opened_at.iter().all(|&sum| sum <= 0.0) {
            (self.patients, self.expected, self.days) = (0, 0.0, 0);
        } else {
            self.patients += self.today;
            self.days = self.days.saturating_add(1);
        }
        self.today = 0;
    }
}

const STREAMS_WATCHED: [Stream; 4] =
    [Stream::Unexplained, Stream::Away, Stream::Cold, Stream::Alone];
/// Counted elsewhere, and a day later.
const ALONE: usize = 3;
/// Unexplained patients on top, as a share of the usual volume.
const RAISED_SHARES: [f32; 3] = [0.05, 0.1, 0.3];
const MEAN_MIN: f32 = 0.05;
/// One wild day is for the day's detectors; here it may not carry weeks, in nats.
const DAY_GAIN_MAX: f32 = 6.0;
