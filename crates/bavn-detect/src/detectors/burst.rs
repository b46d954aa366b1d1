//! One reader opens many new patients within minutes.
//!
//! ## What it sees
//! Patients that a reader opens, in four kinds (any, unexplained, away, cold), each by a
//! sequential probability ratio test: the usual rate against twenty an hour more. Quiet minutes
//! take back what patients added, so only a crowd of them counts.
//! ## Why it matters
//! A stolen account, or a thief who will be gone tomorrow, takes thousands in an hour or two.
//! ## What makes it harmless
//! A waiting-list review, a tumour board's preparation, a registry project with a cohort.
//! ## First thing to do
//! Block the account, then ask its owner where he is.
//! ## Memory
//! 64 bytes a reader.
//! ## Source
//! Wald, Sequential tests of statistical hypotheses (1945).

use super::{
    DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError, counted,
};
use crate::calibrate::{Person, STREAMS, Stream};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, Timestamp};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Burst {
    readers: PerReader<Spell>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Spell {
    ratio: [f32; STREAMS],
    highest: [f32; STREAMS],
    /// Patients since the ratio last left zero, and when that was.
    patients: [u32; STREAMS],
    began: [u32; STREAMS],
    last_secs: i64,
    day: i32,
}

impl Default for Spell {
    fn default() -> Self {
        Self {
            ratio: [0.0; STREAMS],
            highest: [0.0; STREAMS],
            patients: [0; STREAMS],
            began: [0; STREAMS],
            last_secs: 0,
            day: i32::MIN,
        }
    }
}

impl Burst {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for Burst {
    fn name(&self) -> &'static str {
        "burst"
    }

    fn family(&self) -> Family {
        Family::Volume
    }

    fn lane(&self) -> Lane {
        Lane::Live
    }

    fn channels(&self) -> usize {
        Stream::AT_ONCE.len()
    }

    fn shipped_nats(&self) -> f32 {
        // Half a dozen unexplained patients within minutes are ordinary.
        20.0
    }

    fn is_volume(&self, channel: usize) -> bool {
        channel == Stream::All as usize
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let Some(visit) = seen.visit.filter(|_| seen.opens) else { return };
        let counted = counted(visit, seen.crowded);
        let (at, person) = (seen.access.at, seen.person);
        self.readers.with(seen.identity, |spell| {
            if spell.day != at.day() {
                spell.day = at.day();
                spell.highest = [0.0; STREAMS];
            }
            let hours = (at.secs() - spell.last_secs).clamp(0, 86_400) as f32 / 3_600.0;
            spell.last_secs = at.secs();
            for stream in Stream::AT_ONCE {
                spell.step(stream, counted, hours, person, at, out);
            }
        });
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let Some(spell) = self.readers.get(identity) else { return Evidence::nothing() };
        let fact = |stream: Stream| {
            let index = stream as usize;
            let patients = spell.patients.get(index).copied().unwrap_or(0);
            let began = spell.began.get(index).copied().unwrap_or(0);
            let window_secs = (spell.last_secs - i64::from(began)).clamp(60, 86_400) as u64;
            let share = (window_secs as f64 / WORKING_DAY_SECS).min(1.0);
            (patients, f64::from(person.mean(stream)) * share, window_secs)
        };
        let mut because = Vec::new();
        let (cold, usual, window_secs) = fact(Stream::Cold);
        if cold >= FACT_PATIENTS_MIN {
            because.push(Fact::ColdPatients { cold, usual, window_secs });
        }
        let (unexplained, usual, window_secs) = fact(Stream::Unexplained);
        if unexplained >= FACT_PATIENTS_MIN {
            because.push(Fact::UnexplainedPatients { unexplained, usual, window_secs });
        }
        let (opened, usual, window_secs) = fact(Stream::All);
        because.push(Fact::PatientsInWindow {
            opened,
            usual,
            highest_of_peers: 0,
            window_secs: window_secs.min(DAY_SECS),
        });
        Evidence::of(because, InnocentStory::RegistryProject, NextStep::BlockAccount)
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

impl Spell {
    fn step(
        &mut self,
        stream: Stream,
        counted: [bool; STREAMS],
        hours: f32,
        person: &Person,
        at: Timestamp,
        out: &mut Scores,
    ) {
        let index = stream as usize;
        let usual = (person.mean(stream) / WORKING_DAY_HOURS).max(RATE_MIN);
        let raised = if stream == Stream::All {
            (RAISED_TIMES * usual).max(usual + RAISED_BY)
        } else {
            usual + RAISED_BY
        };
        let (Some(ratio), Some(highest), Some(patients), Some(began), Some(counts)) = (
            self.ratio.get_mut(index),
            self.highest.get_mut(index),
            self.patients.get_mut(index),
            self.began.get_mut(index),
            counted.get(index),
        ) else {
            return;
        };
        *ratio = (*ratio - (raised - usual) * hours).max(0.0);
        if *ratio <= 0.0 {
            *patients = 0;
        }
        if !*counts {
            return;
        }
        if *patients == 0 {
            *began = at.secs() as u32;
        }
        *patients += 1;
        *ratio += (raised / usual).ln();
        if *ratio > *highest {
            *highest = *ratio;
            out.raise(index as u8, *ratio);
        }
    }
}

const WORKING_DAY_HOURS: f32 = 8.0;
const WORKING_DAY_SECS: f64 = 28_800.0;
/// Patients an hour; below it every single patient would look like a burst.
const RATE_MIN: f32 = 0.05;
/// Patients an hour beyond the usual that make a burst.
const RAISED_BY: f32 = 20.0;
const RAISED_TIMES: f32 = 3.0;
const FACT_PATIENTS_MIN: u32 = 3;
