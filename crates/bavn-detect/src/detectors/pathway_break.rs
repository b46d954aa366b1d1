//! One reader opens patients without a reason, and nothing follows.
//!
//! ## What it sees
//! Patients whom nothing explained, and for whom in the 24 hours after nobody ordered, booked,
//! referred or admitted, nobody else wrote in the record, and nobody with a reason opened it. Judged
//! when the hours are over, against how often that happens to the reader and to everybody.
//! ## Why it matters
//! Care leaves traces of many hands. A record that was only read, and never acted upon, was read for
//! something else.
//! ## What makes it harmless
//! The wrong patient; a question that ended with the answer; a system whose orders come a day late.
//! ## First thing to do
//! Ask the reader what the look-up was for.
//! ## Memory
//! 24 bytes a look-up without a reason of the last day, at most 400,000 of them; 24 bytes a reader.
//! ## Source
//! Zhang and others, Detecting anomalies in clinical workflow (2013), for the idea.

use super::{
    Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError, is_unexplained,
};
use crate::calibrate::{Person, negative_binomial_surprise};
use crate::visit::Verdict;
use bavn_model::{
    Action, Context, Fact, Family, IdentityId, InnocentStory, Kind, Lane, NextStep, PatientId,
    Timestamp,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PathwayBreak {
    readers: PerReader<Ends>,
    /// Look-ups without a reason, in the order of time, whose day is not over.
    waiting: VecDeque<Waiting>,
    /// Of their patients: when somebody last did something, and who.
    #[serde(with = "crate::sorted")]
    acted: HashMap<PatientId, Acted, foldhash::fast::FixedState>,
    days: f32,
    ends: f32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Waiting {
    at: Timestamp,
    identity: IdentityId,
    patient: PatientId,
}

/// What others did to a patient whom somebody opened without a reason.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Acted {
    waiting: u32,
    /// The last two hands, so that a reader's own is not mistaken for another's.
    hands: [Option<(IdentityId, Timestamp)>; 2],
}

/// Look-ups of one reader after which nothing followed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Ends {
    day: i32,
    today: u16,
    /// Settled since the reader was last at work.
    ready: u16,
    days: f32,
    sum: f32,
}

impl PathwayBreak {
    pub(crate) fn new() -> Self {
        Self {
            readers: PerReader::new(),
            waiting: VecDeque::new(),
            acted: HashMap::default(),
            days: 0.0,
            ends: 0.0,
        }
    }

    fn usual(&self, held: &Ends) -> f32 {
        let of_all = (self.ends + ENDS_SHIPPED) / (self.days + DAYS_SHIPPED);
        ((held.sum + OWN_PRIOR_DAYS * of_all) / (held.days + OWN_PRIOR_DAYS)).max(USUAL_MIN)
    }

    /// Judges what is a day old.
    fn settle(&mut self, now: Timestamp, context: &Context) {
        while let Some(&first) = self.waiting.front() {
            let full = self.waiting.len() > WAITING_MAX;
            if !full && now.secs_since(first.at) <= HOURS_SECS {
                break;
            }
            self.waiting.pop_front();
            let hands = self.forget(first.patient);
            // Who had to make room is not judged: his day is not over.
            if full || was_acted_on(first, hands) || was_recorded(first, context) {
                continue;
            }
            self.readers.with(first.identity, |held| held.ready = held.ready.saturating_add(1));
        }
    }

    fn forget(&mut self, patient: PatientId) -> [Option<(IdentityId, Timestamp)>; 2] {
        let Some(acted) = self.acted.get_mut(&patient) else { return [None; 2] };
        let hands = acted.hands;
        acted.waiting -= 1;
        if acted.waiting == 0 {
            self.acted.remove(&patient);
        }
        hands
    }
}

impl Detector for PathwayBreak {
    fn name(&self) -> &'static str {
        "pathway_break"
    }

    fn family(&self) -> Family {
        Family::Relation
    }

    fn lane(&self) -> Lane {
        Lane::Slow
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let at = seen.access.at;
        self.settle(at, seen.context);
        if let Some(acted) = seen.patient.and_then(|patient| self.acted.get_mut(&patient))
            && is_step(seen)
        {
            acted.note(seen.identity, at);
        }
        let is_new = seen.opens && !seen.person.system && !seen.crowded;
        if let Some(visit) = seen.visit.filter(|visit| is_new && is_unexplained(visit)) {
            let patient = visit.patient;
            self.waiting.push_back(Waiting { at, identity: seen.identity, patient });
            let acted = self.acted.entry(patient);
            acted.or_insert(Acted { waiting: 0, hands: [None; 2] }).waiting += 1;
        }
        let day = seen.person.day;
        let usual = self.readers.get(seen.identity).map_or(USUAL_MIN, |held| self.usual(held));
        self.readers.with(seen.identity, |held| {
            if held.day != day {
                *held = Ends { day, today: 0, ..*held };
            }
            if held.ready > 0 {
                held.today = held.today.saturating_add(std::mem::take(&mut held.ready));
                // One is a slip.
                if held.today > 1 {
                    out.raise(0, negative_binomial_surprise(u32::from(held.today), usual, SIZE));
                }
            }
        });
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        let today = self.readers.with(identity, |held| {
            let today = if held.day == person.day { f32::from(held.today) } else { 0.0 };
            let kept = today.min(LEARNED_MAX);
            held.days = held.days * FADE + 1.0;
            held.sum = held.sum * FADE + kept;
            kept
        });
        self.days = self.days * FADE_ALL + 1.0;
        self.ends = self.ends * FADE_ALL + today.unwrap_or(0.0);
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let held = self.readers.get(identity).filter(|held| held.day == person.day);
        let Some(held) = held.filter(|held| held.today > 0) else { return Evidence::nothing() };
        let fact = Fact::NothingFollowed {
            patients: u32::from(held.today),
            usual: f64::from(self.usual(held)),
            hours: (HOURS_SECS / 3_600) as u32,
        };
        Evidence::of(vec![fact], InnocentStory::CrossCover, NextStep::AskReader)
    }

    fn bytes_held(&self) -> usize {
        self.readers.bytes_held()
            + self.waiting.capacity() * size_of::<Waiting>()
            + self.acted.capacity() * size_of::<(PatientId, Acted)>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

impl Acted {
    fn note(&mut self, by: IdentityId, at: Timestamp) {
        let [last, before] = &mut self.hands;
        if last.is_none_or(|(held, _)| held != by) {
            *before = *last;
        }
        *last = Some((by, at));
    }
}

/// Somebody writes, or opens the record with a reason.
fn is_step(seen: &Seen<'_>) -> bool {
    let wrote = matches!(seen.access.kind, Kind::Create | Kind::Update)
        || matches!(seen.access.action, Some(Action::Create | Action::Update));
    let explained = |visit: &crate::visit::Visit| {
        seen.opens && matches!(visit.verdict, Verdict::Explained { .. })
    };
    wrote || seen.visit.is_some_and(explained)
}

fn was_acted_on(look: Waiting, hands: [Option<(IdentityId, Timestamp)>; 2]) -> bool {
    let others = hands.into_iter().flatten().filter(|&(by, _)| by != look.identity);
    others.into_iter().any(|(_, at)| at > look.at)
}

/// A record of care that somebody else made, from a little before on.
fn was_recorded(look: Waiting, context: &Context) -> bool {
    let (from, to) = (look.at.minus_secs(BEFORE_SECS), look.at.plus_secs(HOURS_SECS));
    context.ties(look.patient).iter().any(|tie| {
        let made = (from <= tie.known_at && tie.known_at <= to)
            || (from <= tie.from && tie.from <= to && tie.known_at <= to);
        made && tie.author != Some(look.identity)
    })
}

/// What care needs to leave a trace.
const HOURS_SECS: i64 = 24 * 3_600;
/// A referral is written, and then somebody looks.
const BEFORE_SECS: i64 = 6 * 3_600;
const WAITING_MAX: usize = 400_000;
const ENDS_SHIPPED: f32 = 3.0;
const DAYS_SHIPPED: f32 = 10.0;
const OWN_PRIOR_DAYS: f32 = 5.0;
const USUAL_MIN: f32 = 0.05;
const SIZE: f32 = 1.5;
const LEARNED_MAX: f32 = 12.0;
const FADE: f32 = 0.985;
/// Over all readers' days.
const FADE_ALL: f32 = 0.9999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_what_had_to_make_room_is_not_judged() {
        let mut held = PathwayBreak::new();
        let context = Context::default();
        let at = Timestamp::from_secs(86_400);
        for number in 0..WAITING_MAX + 1_000 {
            let patient = PatientId(number as u32);
            held.waiting.push_back(Waiting { at, identity: IdentityId(1), patient });
            held.acted.insert(patient, Acted { waiting: 1, hands: [None; 2] });
            held.settle(at, &context);
        }
        assert_eq!((held.waiting.len(), held.acted.len()), (WAITING_MAX, WAITING_MAX));
        assert_eq!(held.readers.get(IdentityId(1)).map_or(0, |ends| ends.ready), 0);
        held.settle(at.plus_secs(HOURS_SECS + 1), &context);
        assert_eq!((held.waiting.len(), held.acted.len()), (0, 0));
    }

    #[test]
    fn ones_own_hand_is_no_step() {
        let at = Timestamp::from_secs(0);
        let look = Waiting { at, identity: IdentityId(1), patient: PatientId(1) };
        let mut acted = Acted { waiting: 1, hands: [None; 2] };
        acted.note(IdentityId(1), at.plus_secs(60));
        assert!(!was_acted_on(look, acted.hands));
        acted.note(IdentityId(2), at.plus_secs(90));
        acted.note(IdentityId(1), at.plus_secs(120));
        assert!(was_acted_on(look, acted.hands));
    }
}
