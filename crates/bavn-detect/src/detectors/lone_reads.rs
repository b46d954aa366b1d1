//! One reader opens patients whom nobody else opens, a day before or after.
//!
//! ## What it sees
//! Unexplained patients of a working day whom no other person opened within a day, by an exact tail
//! at low counts, and over weeks by a Shiryaev-Roberts sum. Known a day after the look-up, and not
//! counted where a record that came meanwhile explains it.
//! ## Why it matters
//! Care is shared: whoever is ill is opened by several. Strangers chosen from a register, however
//! few a day and however well hidden among one's own patients, stay alone.
//! ## What makes it harmless
//! A question by telephone, an old case looked up for teaching, the wrong patient opened and closed.
//! ## First thing to do
//! Ask the reader for the reason, kindly and the same day.
//! ## Memory
//! 12 bytes a reader; a day's look-ups wait with 32 bytes each.
//! ## Source
//! Chen and others (2012), who ask how a reader changes the group that reads a record; Shiryaev
//! (1963) and Roberts (1966) for the sum.

use super::{DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::{Odds, Person, Stream};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct LoneReads {
    readers: PerReader<Held>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Held {
    day: i32,
    told: u32,
    /// At the end of the last working day.
    odds: Odds,
}

impl LoneReads {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for LoneReads {
    fn name(&self) -> &'static str {
        "lone_reads"
    }

    fn family(&self) -> Family {
        Family::Relation
    }

    fn lane(&self) -> Lane {
        Lane::Slow
    }

    fn channels(&self) -> usize {
        2
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let person = seen.person;
        let count = person.count(Stream::Alone);
        self.readers.with(seen.identity, |held| {
            if held.day != person.day {
                (held.day, held.told) = (person.day, 0);
            }
            if count > held.told {
                held.told = count;
                out.raise(0, person.surprise(Stream::Alone));
                out.raise(1, held.with_day(person).nats());
            }
        });
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        self.readers.with(identity, |held| held.odds = held.with_day(person));
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let alone = person.count(Stream::Alone);
        let usual = f64::from(person.mean(Stream::Alone));
        let mut because = Vec::new();
        if alone > 0 {
            because.push(Fact::LonePatients { alone, usual, window_secs: DAY_SECS });
        }
        if let Some(held) = self.readers.get(identity) {
            held.with_day(person).tell(alone, &mut because);
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
        self.odds.with_day(person, person.count(Stream::Alone), person.mean(Stream::Alone))
    }
}
