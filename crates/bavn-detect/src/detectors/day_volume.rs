//! One reader opens more patients in a day than he and his peers do.
//!
//! ## What it sees
//! Distinct patients today, all and unexplained, against a negative binomial about the reader's
//! own usual day (shrunk to function and unit, corrected for weekday and shift).
//! ## Why it matters
//! Three times the usual work in one shift is either a bad day on the ward or somebody taking.
//! ## What makes it harmless
//! A full house, an upgrade that reopens every chart, a colleague's list taken over.
//! ## First thing to do
//! Look at the unexplained ones among them; ask the unit's head about the day.
//! ## Memory
//! 16 bytes a reader.
//! ## Source
//! Cameron and Trivedi, Regression analysis of count data (2013), for the law.

use super::{DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::{Person, Stream};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct DayVolume {
    readers: PerReader<Looked>,
}

/// Counts at which the tails are worth computing again.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Looked {
    day: i32,
    next: [u32; 2],
}

impl DayVolume {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for DayVolume {
    fn name(&self) -> &'static str {
        "day_volume"
    }

    fn family(&self) -> Family {
        Family::Volume
    }

    fn lane(&self) -> Lane {
        Lane::Daily
    }

    fn channels(&self) -> usize {
        CHANNELS.len()
    }

    fn is_volume(&self, channel: usize) -> bool {
        channel == Stream::All as usize
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        if !seen.opens {
            return;
        }
        let person = seen.person;
        self.readers.with(seen.identity, |looked| {
            if looked.day != person.day {
                *looked = Looked { day: person.day, next: [0; 2] };
            }
            for ((channel, &stream), next) in CHANNELS.iter().enumerate().zip(&mut looked.next) {
                let count = person.count(stream);
                if count >= *next && f32::from(count as u16) > person.mean(stream) {
                    *next = count + 1 + count / 50;
                    out.raise(channel as u8, person.surprise(stream));
                }
            }
        });
    }

    fn evidence(&self, _identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let opened = person.count(Stream::All);
        let unexplained = person.count(Stream::Unexplained);
        let because = vec![
            Fact::UnexplainedPatients {
                unexplained,
                usual: f64::from(person.mean(Stream::Unexplained)),
                window_secs: DAY_SECS,
            },
            Fact::PatientsInWindow {
                opened,
                usual: f64::from(person.mean(Stream::All)),
                highest_of_peers: 0,
                window_secs: DAY_SECS,
            },
        ];
        Evidence::of(because, InnocentStory::CrossCover, NextStep::AskUnitManager)
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

const CHANNELS: [Stream; 2] = [Stream::All, Stream::Unexplained];
