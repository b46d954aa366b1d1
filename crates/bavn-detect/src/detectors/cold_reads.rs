//! One reader opens patients that nobody near him has had to do with in a year.
//!
//! ## What it sees
//! Cold patients of today by an exact tail at low counts, and over weeks by a Shiryaev-Roberts
//! sum; away patients (in care, but nowhere near) of today likewise.
//! ## Why it matters
//! Cold look-ups are rare in honest work; two in a day are news, and a thief can hardly avoid them.
//! ## What makes it harmless
//! A call for advice, a wrong patient opened and closed, a transfer that was never booked.
//! ## First thing to do
//! Ask the reader for the reason, kindly and the same day.
//! ## Memory
//! 16 bytes a reader.
//! ## Source
//! Shiryaev (1963), Roberts (1966); Pollak and Tartakovsky (2009).

use super::{DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::{Odds, Person, Stream};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct ColdReads {
    readers: PerReader<Held>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Held {
    day: i32,
    /// At the end of the last working day.
    odds: Odds,
    next: [u32; 2],
}

impl ColdReads {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for ColdReads {
    fn name(&self) -> &'static str {
        "cold_reads"
    }

    fn family(&self) -> Family {
        Family::Relation
    }

    fn lane(&self) -> Lane {
        Lane::Live
    }

    fn channels(&self) -> usize {
        3
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        if !seen.opens {
            return;
        }
        let person = seen.person;
        self.readers.with(seen.identity, |held| {
            if held.day != person.day {
                held.day = person.day;
                held.next = [0; 2];
            }
            let with_day = held.with_day(person);
            for ((channel, stream), next) in
                [Stream::Cold, Stream::Away].into_iter().enumerate().zip(&mut held.next)
            {
                let count = person.count(stream);
                if count >= (*next).max(1) {
                    *next = count + 1 + count / 50;
                    out.raise(channel as u8, person.surprise(stream));
                    if channel == 0 {
                        out.raise(2, with_day.nats());
                    }
                }
            }
        });
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        self.readers.with(identity, |held| held.odds = held.with_day(person));
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let (cold, away) = (person.count(Stream::Cold), person.count(Stream::Away));
        let mut because = Vec::new();
        if cold > 0 {
            because.push(Fact::ColdPatients {
                cold,
                usual: f64::from(person.mean(Stream::Cold)),
                window_secs: DAY_SECS,
            });
        }
        if away > cold {
            because.push(Fact::AwayPatients {
                away: away - cold,
                usual: f64::from(person.mean(Stream::Away) - person.mean(Stream::Cold)).max(0.0),
                window_secs: DAY_SECS,
            });
        }
        if let Some(held) = self.readers.get(identity) {
            held.with_day(person).tell(cold, &mut because);
        }
        Evidence::of(because, InnocentStory::ConsultTeam, NextStep::AskReader)
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

impl Held {
    fn with_day(&self, person: &Person) -> Odds {
        self.odds.with_day(person, person.count(Stream::Cold), person.mean(Stream::Cold))
    }
}
