//! What explains a visit that nothing explained when it began?
//!
//! An admission, an order or a note is often recorded hours after the work. Visits that nothing
//! explained are asked again a day, a week and a month later, each time by what was known at that
//! instant and never by what came after it. Only a record that somebody else made counts here:
//! custom does not, nor a record of the reader's own.

use crate::visit::{Verdict, Visit};
use crate::visits::{awaits, near_in_time, template};
use bavn_model::{Context, IdentityId, PatientId, Tie, Timestamp, UnitId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What explains one visit, or that nothing does, as far as was known at an instant. A later one
/// takes the place of an earlier one of the same visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub identity: IdentityId,
    pub patient: PatientId,
    /// When the visit began: with reader and patient, this names it.
    pub since: Timestamp,
    /// By what was known at this instant it was judged.
    pub at: Timestamp,
    pub verdict: Verdict,
    /// From when the record was known that explains it, if it came after the visit had begun.
    pub known_at: Option<Timestamp>,
}

impl Judgement {
    /// As the visit was judged when it began.
    pub(crate) fn first(visit: &Visit) -> Self {
        Self {
            identity: visit.identity,
            patient: visit.patient,
            since: visit.first,
            at: visit.first,
            verdict: visit.verdict,
            known_at: None,
        }
    }

    /// Whole hours between the visit and the record that explains it.
    pub(crate) fn hours_late(&self) -> u32 {
        let secs = self.known_at.map_or(0, |known_at| known_at.secs_since(self.since));
        u32::try_from(secs / 3_600).unwrap_or(0)
    }
}

/// Visits that wait to be asked again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Later {
    /// By how often they have been asked again; each in order of time.
    waiting: [VecDeque<Waiting>; WAITS.len()],
}

/// A visit that nothing explained when it began.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) identity: IdentityId,
    pub(crate) patient: PatientId,
    unit: Option<UnitId>,
    pub(crate) since: Timestamp,
}

impl Later {
    /// Keeps a visit that began now and that nothing explains.
    pub(crate) fn wait(&mut self, visit: &Visit) {
        let held: usize = self.waiting.iter().map(VecDeque::len).sum();
        if held >= WAITING_MAX
            && let Some(oldest) = self.waiting.iter_mut().rev().find(|queue| !queue.is_empty())
        {
            oldest.pop_front();
        }
        if let Some(first) = self.waiting.first_mut() {
            first.push_back(Waiting::of(visit));
        }
    }

    /// What has become explained by `now`, in the order of the visits.
    pub(crate) fn due(&mut self, now: Timestamp, context: &Context) -> Vec<Judgement> {
        let mut explained = Vec::new();
        for (turn, wait_secs) in WAITS.into_iter().enumerate() {
            while let Some(visit) = self.next_due(turn, wait_secs, now) {
                match visit.judge(visit.since.plus_secs(wait_secs), context) {
                    Some(judgement) => explained.push(judgement),
                    None => {
                        if let Some(queue) = self.waiting.get_mut(turn + 1) {
                            queue.push_back(visit);
                        }
                    }
                }
            }
        }
        explained
    }

    fn next_due(&mut self, turn: usize, wait_secs: i64, now: Timestamp) -> Option<Waiting> {
        let queue = self.waiting.get_mut(turn)?;
        queue.pop_front_if(|visit| visit.since.plus_secs(wait_secs) <= now)
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.waiting.iter().map(|queue| queue.capacity() * size_of::<Waiting>()).sum()
    }
}

/// What explains a visit by what was known until `now`, and did not when it began.
pub(crate) fn later(visit: &Visit, now: Timestamp, context: &Context) -> Option<Judgement> {
    if matches!(visit.verdict, Verdict::Explained { .. }) {
        return None;
    }
    let waiting = Waiting::of(visit);
    let asked = WAITS.into_iter().map(|wait| visit.first.plus_secs(wait));
    asked.take_while(|&at| at <= now).find_map(|at| waiting.judge(at, context))
}

impl Waiting {
    pub(crate) fn of(visit: &Visit) -> Self {
        let Visit { identity, patient, unit, first: since, .. } = *visit;
        Self { identity, patient, unit, since }
    }

    /// What explains it by what was known at an instant, and did not when it began.
    pub(crate) fn judge(&self, at: Timestamp, context: &Context) -> Option<Judgement> {
        let ties = context.ties(self.patient).iter();
        let known = ties.filter(|tie| self.since < tie.known_at && tie.known_at <= at);
        let explains = known.filter(|tie| self.is_of_another(tie) && self.was_at_the_time(tie));
        let first = explains.min_by_key(|tie| (tie.known_at, tie.from, tie.kind))?;
        Some(Judgement {
            identity: self.identity,
            patient: self.patient,
            since: self.since,
            at,
            verdict: Verdict::Explained { template: template(first.kind) },
            known_at: Some(first.known_at),
        })
    }

    /// Made by somebody else, or of the reader's unit as a whole. A record that names the reader,
    /// came after he had looked and does not say who made it, may be his own.
    fn is_of_another(&self, tie: &Tie) -> bool {
        let of_unit = tie.unit.is_some() && tie.unit == self.unit;
        let of_reader = tie.identity == Some(self.identity);
        match tie.author {
            Some(author) => author != self.identity && (of_unit || of_reader),
            None => of_unit,
        }
    }

    /// Whether the record tells of the time of the visit, and not of something new. Whatever is on a
    /// list comes of a decision, which somebody may well have read the record for.
    fn was_at_the_time(&self, tie: &Tie) -> bool {
        let begun = tie.from <= self.since.plus_secs(AHEAD_SECS);
        let decided = awaits(tie.kind) && tie.known_at.secs_since(self.since) <= DECIDED_SECS;
        near_in_time(tie, self.since) && (begun || decided)
    }
}

/// After which times a visit is asked again.
const WAITS: [i64; 3] = [86_400, 7 * 86_400, 30 * 86_400];
/// 24 bytes each: of a region where 300,000 look-ups a day have no reason, two weeks. Beyond, the
/// oldest are given up.
const WAITING_MAX: usize = 4_000_000;
/// A ward reads the record of whoever is on the way to it.
const AHEAD_SECS: i64 = 86_400;
/// Between reading a record and writing what was decided on it.
const DECIDED_SECS: i64 = 7 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visit::{Grade, Warmth};
    use bavn_model::{ContextBuilder, PurposeSet, TieKind};

    const HOUR: i64 = 3_600;

    fn waiting() -> Waiting {
        Waiting {
            identity: IdentityId(0),
            patient: PatientId(0),
            unit: Some(UnitId(3)),
            since: Timestamp::start_of_day(100),
        }
    }

    fn tie(kind: TieKind, from_hours: i64, known_hours: i64) -> Tie {
        let since = waiting().since;
        Tie {
            patient: PatientId(0),
            kind,
            unit: Some(UnitId(3)),
            identity: None,
            author: None,
            from: since.plus_secs(from_hours * HOUR),
            to: Timestamp::MAX,
            known_at: since.plus_secs(known_hours * HOUR),
        }
    }

    fn judged(tie: Tie, hours: i64) -> Option<Judgement> {
        let mut builder = ContextBuilder::default();
        builder.directory.patients.declare("p");
        builder.ties.push(tie);
        let (_, context) = builder.build();
        waiting().judge(waiting().since.plus_secs(hours * HOUR), &context)
    }

    #[test]
    fn a_stay_written_down_five_hours_late_explains_from_then_on() {
        let late = tie(TieKind::Stay, -2, 5);
        assert_eq!(judged(late, 4), None, "the future is not known");
        let found = judged(late, 24).unwrap();
        assert_eq!(found.hours_late(), 5);
        assert_eq!(found.verdict, Verdict::Explained { template: "stay_in_unit" });
    }

    #[test]
    fn what_begins_after_the_visit_explains_only_if_it_was_decided_then() {
        assert_eq!(judged(tie(TieKind::Stay, 25, 26), 7 * 24), None);
        assert!(judged(tie(TieKind::Stay, 24, 26), 7 * 24).is_some());
        assert!(judged(tie(TieKind::Booking, 300, 26), 7 * 24).is_some());
        assert_eq!(judged(tie(TieKind::Booking, 300, 169), 30 * 24), None);
    }

    #[test]
    fn a_record_that_may_be_the_readers_own_explains_nothing() {
        let own = Tie { unit: None, identity: Some(IdentityId(0)), ..tie(TieKind::Order, 0, 1) };
        assert_eq!(judged(own, 24), None, "nobody says who made it");
        assert_eq!(judged(Tie { author: Some(IdentityId(0)), ..own }, 24), None);
        assert!(judged(Tie { author: Some(IdentityId(1)), ..own }, 24).is_some());
        let of_unit = Tie { author: Some(IdentityId(0)), ..tie(TieKind::Order, 0, 1) };
        assert_eq!(judged(of_unit, 24), None);
        assert_eq!(judged(Tie { unit: Some(UnitId(4)), ..tie(TieKind::Stay, 0, 1) }, 24), None);
    }

    #[test]
    fn what_waits_is_bounded_and_the_oldest_goes_first() {
        let mut later = Later::default();
        let visit = |number: u32| Waiting { patient: PatientId(number), ..waiting() };
        later.waiting[1].push_back(visit(0));
        later.waiting[0].extend((1..WAITING_MAX as u32).map(visit));
        let new = Visit {
            identity: IdentityId(0),
            patient: PatientId(7),
            first: waiting().since,
            last: waiting().since,
            reads: 1,
            grade: Grade::Opened,
            source: None,
            host: None,
            client: None,
            found_by: None,
            purpose: PurposeSet::default(),
            unit: None,
            role: None,
            verdict: Verdict::Unexplained,
            warmth: Warmth::Cold,
            surprise: 0.0,
            first_ever: true,
        };
        later.wait(&new);
        assert!(later.waiting[1].is_empty());
        assert_eq!(later.waiting[0].len(), WAITING_MAX);
        later.wait(&new);
        assert_eq!(later.waiting[0].len(), WAITING_MAX);
        assert_eq!(later.waiting[0].front().unwrap().patient, PatientId(2));
    }
}
