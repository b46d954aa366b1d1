//! One reader searches and searches, and opens nothing.
//!
//! ## What it sees
//! Searches of a day that no opened record follows, against the reader's own usual day.
//! ## Why it matters
//! A result list shows names, birth dates and numbers of hundreds; nobody need open a record.
//! ## What makes it harmless
//! A receptionist on the telephone, a register being cleaned.
//! ## First thing to do
//! Look at the searched terms, in order.
//! ## Memory
//! 24 bytes a reader.
//! ## Source
//! None known with a measured rate.

use super::{DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::{Person, negative_binomial_surprise};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Kind, Lane, NextStep};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct SearchHarvest {
    readers: PerReader<Hunt>,
    /// Searches without opening, over all readers' days.
    days: f32,
    idle: f32,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Hunt {
    day: i32,
    searches: u32,
    opened: u32,
    /// The search before was not yet followed by an opened record.
    pending: bool,
    next: u32,
    days: f32,
    idle: f32,
}

impl SearchHarvest {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new(), days: 0.0, idle: 0.0 }
    }

    fn usual(&self, held: &Hunt) -> f32 {
        let of_all = (self.idle + 0.5) / (self.days + 5.0);
        ((held.idle + 4.0 * of_all) / (held.days + 4.0)).max(USUAL_MIN)
    }
}

impl Detector for SearchHarvest {
    fn name(&self) -> &'static str {
        "search_harvest"
    }

    fn family(&self) -> Family {
        Family::Pattern
    }

    fn lane(&self) -> Lane {
        Lane::Daily
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let search = seen.access.kind == Kind::Search;
        if !search && !seen.opens {
            return;
        }
        let day = seen.access.at.day();
        let mut usual = USUAL_MIN;
        if let Some(held) = self.readers.get(seen.identity) {
            usual = self.usual(held);
        }
        self.readers.with(seen.identity, |held| {
            if held.day != day {
                *held = Hunt { day, days: held.days, idle: held.idle, ..Hunt::default() };
            }
            if search {
                held.searches += 1;
                held.pending = true;
            } else if held.pending {
                held.pending = false;
                held.opened += 1;
            }
            let idle = held.searches - held.opened;
            if search && idle >= held.next.max(IDLE_MIN) {
                held.next = idle + 1 + idle / 50;
                out.raise(0, negative_binomial_surprise(idle, usual, 1.0));
            }
        });
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        let idle = self.readers.with(identity, |held| {
            let idle = if held.day == person.day { held.searches - held.opened } else { 0 };
            held.days = held.days * FADE + 1.0;
            held.idle = held.idle * FADE + idle.min(IDLE_LEARNED_MAX) as f32;
            idle
        });
        self.days += 1.0;
        self.idle += idle.unwrap_or(0).min(IDLE_LEARNED_MAX) as f32;
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let held = self.readers.get(identity).filter(|held| held.day == person.day);
        let Some(held) = held.filter(|held| held.searches > 0) else { return Evidence::nothing() };
        let because = vec![Fact::Searches {
            searches: held.searches,
            opened: held.opened,
            usual: f64::from(self.usual(held)),
            window_secs: DAY_SECS,
        }];
        Evidence::of(because, InnocentStory::None, NextStep::AskReader)
    }

    fn bytes_held(&self) -> usize {
        self.readers.bytes_held()
    }

    fn save(&self, out: &mut Saving) {
        out.put(&(&self.readers, &self.days, &self.idle));
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        (self.readers, self.days, self.idle) = from.take()?;
        Ok(())
    }
}

const IDLE_MIN: u32 = 5;
/// One harvest must not teach that harvests are usual.
const IDLE_LEARNED_MAX: u32 = 30;
const USUAL_MIN: f32 = 0.2;
const FADE: f32 = 0.98;
