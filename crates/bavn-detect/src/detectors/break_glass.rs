//! One reader overrides the lock more often than his work asks for.
//!
//! ## What it sees
//! Patients opened by emergency override in a day that no record explains, against the reader's
//! usual day.
//! ## Why it matters
//! The override opens every record; who finds that nobody asks will use it again.
//! ## What makes it harmless
//! A night in the emergency department, where overriding is the work.
//! ## First thing to do
//! Read the stated reasons one beside the other.
//! ## Memory
//! 16 bytes a reader.
//! ## Source
//! Normen factsheet 15: emergency access is to be followed up.

use super::{
    DAY_SECS, Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError,
    is_unexplained,
};
use crate::calibrate::{Person, negative_binomial_surprise};
use bavn_model::{
    Context, Fact, Family, Flag, IdentityId, InnocentStory, Lane, NextStep, PurposeSet,
};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct BreakGlass {
    readers: PerReader<Overrides>,
    days: f32,
    overrides: f32,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Overrides {
    day: i32,
    today: u32,
    days: f32,
    sum: f32,
}

impl BreakGlass {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new(), days: 0.0, overrides: 0.0 }
    }

    fn usual(&self, held: &Overrides) -> f32 {
        let of_all = (self.overrides + 0.1) / (self.days + 10.0);
        ((held.sum + 5.0 * of_all) / (held.days + 5.0)).max(USUAL_MIN)
    }
}

impl Detector for BreakGlass {
    fn name(&self) -> &'static str {
        "break_glass"
    }

    fn family(&self) -> Family {
        Family::Target
    }

    fn lane(&self) -> Lane {
        Lane::Daily
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let glass = seen.access.flags.has(Flag::BreakGlass)
            || seen.access.purpose.has(PurposeSet::EMERGENCY);
        if !glass || !seen.opens || !seen.visit.is_some_and(is_unexplained) {
            return;
        }
        let day = seen.person.day;
        let usual = self.readers.get(seen.identity).map_or(USUAL_MIN, |held| self.usual(held));
        self.readers.with(seen.identity, |held| {
            if held.day != day {
                *held = Overrides { day, today: 0, ..*held };
            }
            held.today += 1;
            out.raise(0, negative_binomial_surprise(held.today, usual, 1.0));
        });
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        let today = self.readers.with(identity, |held| {
            let today = if held.day == person.day { held.today } else { 0 };
            held.days = held.days * FADE + 1.0;
            held.sum = held.sum * FADE + today.min(LEARNED_MAX) as f32;
            today
        });
        self.days += 1.0;
        self.overrides += today.unwrap_or(0).min(LEARNED_MAX) as f32;
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let held = self.readers.get(identity).filter(|held| held.day == person.day);
        let Some(held) = held.filter(|held| held.today > 0) else { return Evidence::nothing() };
        let because = vec![Fact::BreakGlass {
            times: held.today,
            usual: f64::from(self.usual(held)),
            window_secs: DAY_SECS,
        }];
        Evidence::of(because, InnocentStory::CrossCover, NextStep::AskReader)
    }

    fn bytes_held(&self) -> usize {
        self.readers.bytes_held()
    }

    fn save(&self, out: &mut Saving) {
        out.put(&(&self.readers, &self.days, &self.overrides));
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        (self.readers, self.days, self.overrides) = from.take()?;
        Ok(())
    }
}

const USUAL_MIN: f32 = 0.02;
const LEARNED_MAX: u32 = 20;
const FADE: f32 = 0.98;
