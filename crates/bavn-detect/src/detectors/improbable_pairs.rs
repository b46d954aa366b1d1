//! One reader's strangest patients of the day, taken together, are too strange.
//!
//! ## What it sees
//! The five most surprising look-ups of the day, each by how unlikely its patient is for the
//! reader's unit, function and hour; explained look-ups count nothing and can't dilute the rest.
//! ## Why it matters
//! A thief who picks his patients opens few of them, but each is far from his work.
//! ## What makes it harmless
//! A transfer, a rare consult, a day of work in another unit.
//! ## First thing to do
//! Ask the reader for the reason of the strangest one.
//! ## Memory
//! 28 bytes a reader.
//! ## Source
//! Turcotte, Poisson factorization for peer-based anomaly detection (2016), for the idea.

use super::{DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::{Person, Stream};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct ImprobablePairs {
    readers: PerReader<Top>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Top {
    day: i32,
    /// In nats, the highest first.
    nats: [f32; TOP],
}

impl ImprobablePairs {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for ImprobablePairs {
    fn name(&self) -> &'static str {
        "improbable_pairs"
    }

    fn family(&self) -> Family {
        Family::Relation
    }

    fn lane(&self) -> Lane {
        Lane::Daily
    }

    fn channels(&self) -> usize {
        2
    }

    fn shipped_nats(&self) -> f32 {
        6.0
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let Some(visit) = seen.unexplained().filter(|_| !seen.crowded) else { return };
        let nats = visit.surprise.clamp(0.0, NATS_MAX);
        let day = seen.person.day;
        self.readers.with(seen.identity, |top| {
            if top.day != day {
                *top = Top { day, nats: [0.0; TOP] };
            }
            let mut pushed = nats;
            for held in &mut top.nats {
                if pushed > *held {
                    std::mem::swap(held, &mut pushed);
                }
            }
            out.raise(0, top.nats.iter().sum());
            out.raise(1, top.nats.iter().copied().fold(0.0, f32::max));
        });
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let Some(top) = self.readers.get(identity) else { return Evidence::nothing() };
        let patients = top.nats.iter().filter(|&&nats| nats > 0.0).count() as u32;
        if patients == 0 {
            return Evidence::nothing();
        }
        let mean = top.nats.iter().sum::<f32>() / patients as f32;
        let because = vec![
            Fact::ImprobablePatients { patients, one_in: f64::from(mean).exp() },
            Fact::UnexplainedPatients {
                unexplained: person.count(Stream::Unexplained),
                usual: f64::from(person.mean(Stream::Unexplained)),
                window_secs: DAY_SECS,
            },
        ];
        Evidence::of(because, InnocentStory::CrossCover, NextStep::AskReader)
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

const TOP: usize = 5;
const NATS_MAX: f32 = 20.0;
