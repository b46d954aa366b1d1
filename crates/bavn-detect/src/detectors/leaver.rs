//! An account reads after its owner left, before he came, or after long disuse.
//!
//! ## What it sees
//! Look-ups outside every period of work that personnel records state, and the first look-ups
//! after sixty days of disuse. An account that simply goes on as before, in the same unit, is
//! rather a late personnel record, and scores far less.
//! ## Why it matters
//! An account that nobody uses is the one whose theft nobody notices.
//! ## What makes it harmless
//! A contract prolonged on paper; a locum whose record comes late; parental leave.
//! ## First thing to do
//! Ask personnel whether the person works here; close the account if not.
//! ## Memory
//! 20 bytes a reader.
//! ## Source
//! Vendors of monitoring list "terminated users" among their first rules.

use super::{Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::Person;
use crate::visit::{Verdict, Warmth};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, Timestamp};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Leaver {
    readers: PerReader<Use>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Use {
    /// Day of the last look-up before today, and today; 0 = none.
    before: i32,
    last: i32,
    reads: u32,
    wrong: Option<Wrong>,
}

/// What is wrong with today's look-ups.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Wrong {
    AfterEnd { days: u32 },
    BeforeStart { days: u32 },
    Dormant { days: u32 },
}

impl Leaver {
    pub(crate) fn new() -> Self {
        Self { readers: PerReader::new() }
    }
}

impl Detector for Leaver {
    fn name(&self) -> &'static str {
        "leaver"
    }

    fn family(&self) -> Family {
        Family::Identity
    }

    fn lane(&self) -> Lane {
        Lane::Deterministic
    }

    fn shipped_nats(&self) -> f32 {
        1.0
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let day = seen.access.at.day();
        let Some(held) = self.readers.with(seen.identity, |held| {
            if held.last != day {
                *held = Use { before: held.last, last: day, reads: 0, wrong: None };
            }
            held.reads += 1;
            *held
        }) else {
            return;
        };
        // Judged at the first look-ups of a day; a patient opened later may still add to it.
        if !seen.opens && held.reads > 1 {
            return;
        }
        let Some((wrong, nats)) = judge(seen, held) else { return };
        self.readers.with(seen.identity, |held| held.wrong = Some(wrong));
        out.raise(0, nats);
    }

    fn evidence(&self, identity: IdentityId, _person: &Person, _context: &Context) -> Evidence {
        let held = self.readers.get(identity);
        let Some((held, wrong)) = held.and_then(|held| Some((held, held.wrong?))) else {
            return Evidence::nothing();
        };
        let reads = held.reads;
        let because = match wrong {
            Wrong::AfterEnd { days } => Fact::AfterEnd { days, reads },
            Wrong::BeforeStart { days } => Fact::BeforeStart { days, reads },
            Wrong::Dormant { days } => Fact::Dormant { days, reads },
        };
        Evidence::of(vec![because], InnocentStory::LateHrRecord, NextStep::CheckHr)
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

fn judge(seen: &Seen<'_>, held: Use) -> Option<(Wrong, f32)> {
    let at = seen.access.at;
    let day = at.day();
    let quiet_days = if held.before == 0 { None } else { Some((day - held.before).max(0)) };
    let assignments = seen.context.assignments(seen.identity);
    let works = assignments
        .iter()
        .any(|held| held.from <= at.plus_secs(GRACE_SECS) && at.minus_secs(GRACE_SECS) < held.to);
    let strange = strangeness(seen);
    if assignments.is_empty() || works {
        // Dormant: only a log that goes back far enough can tell.
        let days = quiet_days.filter(|&days| days > DORMANT_DAYS)?;
        // Who comes back from leave opens his unit's patients; a stranger's record is not where he
        // begins.
        let base = if strange >= STRANGE { 5.5 } else { 1.0 };
        return Some((Wrong::Dormant { days: days as u32 }, base + strange));
    }
    let ended = assignments.iter().map(|held| held.to).filter(|&to| to <= at).max();
    let Some(end) = ended else {
        let start = assignments.iter().map(|held| held.from).min()?;
        let days = days_between(at, start);
        return Some((Wrong::BeforeStart { days }, 1.0 + strange));
    };
    let days = days_between(end, at);
    // Still at work to the end, and going on without a break: personnel records lag.
    let went_on = quiet_days.is_some_and(|quiet| quiet <= WENT_ON_DAYS);
    let gap = if went_on { 0.0 } else { (1.0 + quiet_days.unwrap_or(days as i32) as f32).ln() };
    let inactive = if seen.context.staff(seen.identity).active == Some(false) { 2.0 } else { 0.0 };
    let base = if went_on { 0.5 } else { 4.0 };
    Some((Wrong::AfterEnd { days }, base + gap + inactive + strange))
}

/// How far from the account's old work the look-up is, in nats.
fn strangeness(seen: &Seen<'_>) -> f32 {
    let Some(visit) = seen.visit else { return 0.5 };
    match (visit.verdict, visit.warmth) {
        (Verdict::Explained { .. }, _) => 0.0,
        (Verdict::CannotJudge { .. }, _) => 0.5,
        (_, Warmth::Cold) => 4.0,
        (_, Warmth::Elsewhere) => 3.0,
        _ => 1.0,
    }
}

fn days_between(from: Timestamp, to: Timestamp) -> u32 {
    (to.secs_since(from) / 86_400).clamp(0, i64::from(u32::MAX)) as u32
}

/// Night shifts run past midnight, and last days are finished at home: two days.
const GRACE_SECS: i64 = 2 * 86_400;
const STRANGE: f32 = 3.0;
const DORMANT_DAYS: i32 = 60;
const WENT_ON_DAYS: i32 = 5;
