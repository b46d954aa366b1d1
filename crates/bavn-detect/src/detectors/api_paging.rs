//! One account walks through the register: patient after patient, in order or at a steady beat.
//!
//! ## What it sees
//! Among unexplained patients: the longest run in ascending or descending order of their
//! identifiers; how even the pauses between new patients are; and new patients of one account at
//! a pace that no hand keeps.
//! ## Why it matters
//! A stolen token pages through an interface until somebody stops it.
//! ## What makes it harmless
//! A sorted work list, a nightly job (which has a profile of its own).
//! ## First thing to do
//! Revoke the token.
//! ## Memory
//! 56 bytes a reader.
//! ## Source
//! Runs up and down in random order: chance of a run of length n is 2/n! (Levene 1944).

use super::{
    DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError, Traces,
};
use crate::calibrate::{Person, Stream};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep};
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct ApiPaging {
    readers: PerReader<Walk>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Walk {
    day: i32,
    last: Option<u64>,
    last_micros: i64,
    up: u32,
    down: u32,
    longest: u32,
    opened: u32,
    /// Pauses of the present steady stretch: how many, their mean and squares (Welford), seconds.
    pauses: u32,
    mean: f32,
    squares: f32,
    highest: [f32; 2],
}

impl ApiPaging {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for ApiPaging {
    fn name(&self) -> &'static str {
        "api_paging"
    }

    fn family(&self) -> Family {
        Family::Pattern
    }

    fn lane(&self) -> Lane {
        Lane::Live
    }

    fn channels(&self) -> usize {
        2
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        // A sorted work list explains its patients, and a system account keeps a beat by nature:
        // its profile judges it.
        if seen.unexplained().is_none() || seen.person.system {
            return;
        }
        let number = seen.access.patient_number;
        let (day, micros) = (seen.person.day, seen.access.at.micros());
        self.readers.with(seen.identity, |walk| {
            if walk.day != day {
                *walk = Walk { day, ..Walk::default() };
            }
            walk.step(number, micros);
            let scores = [walk.order_nats(), walk.beat_nats()];
            for (channel, (nats, highest)) in scores.into_iter().zip(&mut walk.highest).enumerate()
            {
                if nats > *highest {
                    *highest = nats;
                    out.raise(channel as u8, nats);
                }
            }
        });
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let walk = self.readers.get(identity).filter(|walk| walk.day == person.day);
        let Some(walk) = walk else { return Evidence::nothing() };
        let mut because = Vec::new();
        if walk.longest >= RUN_MIN {
            because.push(Fact::IdentifierRun { run: walk.longest, of: walk.opened });
        }
        if walk.pauses >= PAUSES_MIN {
            because.push(Fact::RegularGaps {
                reads: walk.pauses + 1,
                gap_secs: f64::from(walk.mean),
                spread: f64::from(walk.variation()),
            });
        }
        because.push(Fact::PatientsInWindow {
            opened: person.count(Stream::All),
            usual: f64::from(person.mean(Stream::All)),
            highest_of_peers: 0,
            window_secs: DAY_SECS,
        });
        Evidence::of(because, InnocentStory::ChangedJob, NextStep::RotateCredential)
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

    /// Of a day that is over, the number is not asked for again.
    fn forget(&mut self, traces: &Traces) {
        let last_day = self.readers.held.iter().map(|walk| walk.day).max();
        for walk in &mut self.readers.held {
            let is_over = Some(walk.day) < last_day;
            walk.last = walk.last.filter(|last| !is_over && !traces.numbers.contains(last));
        }
    }
}

impl Walk {
    fn step(&mut self, number: Option<u64>, micros: i64) {
        self.opened += 1;
        let risen = self.last.zip(number).map(|(last, number)| number.cmp(&last));
        self.up = if risen == Some(Ordering::Greater) { self.up + 1 } else { 1 };
        self.down = if risen == Some(Ordering::Less) { self.down + 1 } else { 1 };
        if self.opened > 1 {
            self.longest = self.longest.max(self.up).max(self.down);
            let pause = ((micros - self.last_micros) as f64 / 1e6) as f32;
            // A pause far off the beat ends the stretch.
            if pause > PAUSE_MAX_SECS || (self.pauses > 3 && pause > 4.0 * self.mean + 1.0) {
                (self.pauses, self.mean, self.squares) = (0, 0.0, 0.0);
            } else {
                self.pauses += 1;
                let off = pause - self.mean;
                self.mean += off / self.pauses as f32;
                self.squares += off * (pause - self.mean);
            }
        }
        (self.last, self.last_micros) = (number, micros);
    }

    /// `-ln(2 n / run!)`, over the `n` look-ups of the day in which such a run could begin.
    fn order_nats(&self) -> f32 {
        if self.longest < RUN_MIN {
            return 0.0;
        }
        let ln_factorial: f32 = (2..=self.longest.min(200)).map(|k| (k as f32).ln()).sum();
        (ln_factorial - (2.0 * self.opened as f32).ln()).max(0.0)
    }

    fn variation(&self) -> f32 {
        if self.pauses < 2 {
            return 1.0;
        }
        (self.squares / (self.pauses - 1) as f32).sqrt() / self.mean.max(0.05)
    }

    /// Hands pause unevenly (variation about 1); what beats evenly for long is a machine.
    fn beat_nats(&self) -> f32 {
        if self.pauses < PAUSES_MIN {
            return 0.0;
        }
        let even = (HAND_VARIATION / self.variation().max(0.02)).ln().max(0.0);
        even * (self.pauses - PAUSES_MIN + 1) as f32 * 0.5
    }
}

const RUN_MIN: u32 = 6;
const PAUSES_MIN: u32 = 12;
const PAUSE_MAX_SECS: f32 = 120.0;
const HAND_VARIATION: f32 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_days_that_are_over_go_and_of_today_those_that_are_named() {
        let mut paging = ApiPaging::new();
        for (reader, day, last) in [(0, 8, 11), (1, 9, 12), (2, 9, 13)] {
            let walk = Walk { day, last: Some(last), up: 4, ..Walk::default() };
            paging.readers.with(IdentityId::from(reader), |held| *held = walk);
        }
        paging.forget(&Traces { numbers: vec![12], look_ups: Vec::new() });
        let left: Vec<_> = paging.readers.held.iter().map(|walk| (walk.last, walk.up)).collect();
        assert_eq!(left, [(None, 4), (None, 4), (Some(13), 4)]);
    }
}
