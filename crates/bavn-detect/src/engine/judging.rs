//! From chances to candidates: is this worth a human's time, and what is there to say?

use super::pace::{COHORT_SHARE, PEOPLE_SHARE};
use super::{Column, Engine, FAR_OUT, UNLIKELY};
use crate::calibrate::{Stream, SubjectDay, combined_nats};
use crate::detectors::{Evidence, Gathered};
use crate::queue::{Candidate, Cause, Queue};
use bavn_model::{Fact, Family, Finding, IdentityId, Lane, NextStep, Timestamp};
use std::collections::BTreeSet;

impl Engine {
    /// Combines a reader's chances, and offers the queue what is worth it.
    pub(super) fn judge(&mut self, identity: IdentityId, at: Timestamp, out: &mut Vec<Finding>) {
        let Some(day) = self.days.get(usize::from(identity)) else { return };
        let nats = combined_nats(&self.families, &day.best.iter().map(|&(_, p)| p));
        let of = SubjectDay { subject: identity.0, class: day.class, day: day.day };
        let p = self.combined.p(of, nats);
        let Some(lead) = strongest(&self.columns, &day.best) else { return };
        // A rule knows before any history what it looks for.
        let (p, caution) = if lead.lane == Lane::Deterministic {
            (p.min(f64::from(-nats).exp()), 1.0)
        } else {
            (p, self.caution())
        };
        let false_per_staff_day = self.queue.eased(p * caution * self.pace.tests(day.class));
        if !self.queue.is_worth_writing(false_per_staff_day) {
            return;
        }
        let cause = Cause::of(lead.family);
        if let Some((held, is_alert, patients)) = self.queue.held(cause, identity.0) {
            // Nothing new to say: neither stronger, nor materially more patients.
            let same = false_per_staff_day > held * 0.5
                && (is_alert || !self.queue.is_alarm(false_per_staff_day));
            let counted = self.people.get(identity).map_or(0, |person| person.count(Stream::All));
            if same && !(counted as usize).is_multiple_of(patients / 4 + 1) {
                return;
            }
        }
        if self.is_answered(cause, identity) {
            return;
        }
        let fold = cause == Cause::Reading && self.is_one_of_many(identity, false_per_staff_day);
        if let Some(mut candidate) = self.candidate(identity, at, lead, cause, false_per_staff_day)
        {
            // One patient opened by mistake is nobody's alarm, in however orderly a hospital.
            if self.is_one_slip(identity, lead) {
                let weakest = self.queue.weaker_than_alarm();
                candidate.false_per_staff_day = candidate.false_per_staff_day.max(weakest);
            }
            let candidate = if fold { self.folded(candidate) } else { candidate };
            self.tally.offered(lead.lane, self.queue.is_alarm(candidate.false_per_staff_day));
            self.queue.offer(candidate, out);
        }
    }

    /// Whether the reader's alarm was closed because everything in it became explained, and there is
    /// hardly anything new: scores still count what they counted.
    fn is_answered(&self, cause: Cause, identity: IdentityId) -> bool {
        let new_min = if cause == Cause::Target { 1 } else { UNEXPLAINED_MIN as usize };
        self.queue
            .answered_since(cause, identity.0)
            .is_some_and(|since| self.dossiers.unexplained(identity, since) < new_min)
    }

    /// Whether all there is to a finding of today is one patient whom nothing explains.
    fn is_one_slip(&self, identity: IdentityId, lead: Column) -> bool {
        let unexplained = self
            .people
            .get(identity)
            .map_or(0, |held| held.count(Stream::Unexplained).max(held.count(Stream::Alone)));
        lead.lane != Lane::Slow
            && !lead.is_volume
            && matches!(lead.family, Family::Volume | Family::Relation)
            && unexplained < UNEXPLAINED_MIN
    }

    /// Whether more readers crossed the line today than ever do each for himself. Those far beyond
    /// it stand alone all the same.
    fn is_one_of_many(&mut self, identity: IdentityId, false_per_staff_day: f64) -> bool {
        let open = self.queue.held(Cause::Reading, identity.0).is_some_and(|(_, alert, _)| alert);
        if open || !self.queue.is_alarm(false_per_staff_day) {
            return false;
        }
        let day = self.day.unwrap_or_default();
        if self.crossed.0 != day {
            self.crossed = (day, BTreeSet::new());
        }
        // Who is told of as one of many has no alarm of his own, and crosses with every look-up.
        self.crossed.1.insert(identity);
        let expected = self.expected_per_day();
        self.crossed.1.len() as f64 > 2.0 + 3.0 * expected
            && !self.queue.is_alarm(false_per_staff_day * FAR_OUT)
    }

    fn expected_per_day(&self) -> f64 {
        self.settings.budget_per_10k_staff_day / 1e4 * self.pace.staff * PEOPLE_SHARE
    }

    /// The same evidence as part of one case of the day.
    fn folded(&self, mut candidate: Candidate) -> Candidate {
        let (day, accounts) = (self.crossed.0, self.crossed.1.len() as u32);
        candidate.cause = Cause::Cohort;
        candidate.subject = day.unsigned_abs();
        candidate.lane = Lane::Cohort;
        candidate.detectors.push(MANY_ACCOUNTS);
        candidate.because.insert(
            0,
            Fact::AccountsOnOneDay {
                accounts,
                expected: self.expected_per_day(),
                patients: candidate.patients.len() as u32,
            },
        );
        candidate
    }

    /// A young region's own tail is not to be trusted yet.
    fn caution(&self) -> f64 {
        let few = CAUTION_DAYS / (f64::from(self.combined.days()) + YOUNGEST_DAYS);
        // Boards and reviews come once a week or a month, however many readers there are.
        let early = 1.0 - f64::from(self.days_closed) / SEASONED_DAYS;
        (1.0 + few) * (1.0 + EARLY_TIMES * early.max(0.0))
    }

    fn candidate(
        &self,
        identity: IdentityId,
        at: Timestamp,
        lead: Column,
        cause: Cause,
        false_per_staff_day: f64,
    ) -> Option<Candidate> {
        let person = self.people.get(identity)?;
        let best = &self.days.get(usize::from(identity))?.best;
        let (detectors, evidence) = self.evidence(identity, lead, best)?;
        let back = if lead.lane == Lane::Slow { SLOW_DAYS } else { 0 };
        let from = Timestamp::start_of_day(person.day - back);
        let exposed = self.dossiers.since(identity, from);
        Some(Candidate {
            cause,
            subject: identity.0,
            detectors,
            family: lead.family,
            lane: lead.lane,
            at,
            first_seen: exposed.first.unwrap_or(at),
            entities: vec![self.dossiers.entity(identity)],
            false_per_staff_day,
            calibrated: self.combined.days() >= CALIBRATED_DAYS,
            patients: exposed.patients,
            because: evidence.because,
            tried: exposed.tried,
            innocent_story: evidence.innocent_story,
            next_step: evidence.next_step,
        })
    }

    /// The facts of every detector that finds the day unlikely, the strongest first.
    fn evidence(
        &self,
        identity: IdentityId,
        lead: Column,
        best: &[(f32, f32)],
    ) -> Option<(Vec<&'static str>, Evidence)> {
        let person = self.people.get(identity)?;
        let mut by_chance: Vec<(f32, Column)> = self
            .columns
            .iter()
            .zip(best)
            .filter(|(column, (score, p))| !column.muted && *score > 0.0 && *p < UNLIKELY)
            .map(|(&column, &(_, p))| (p, column))
            .collect();
        by_chance.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut names: Vec<&'static str> = Vec::new();
        let mut whole: Option<Evidence> = None;
        for (p, column) in std::iter::once((0.0, lead)).chain(by_chance) {
            let Some(detector) = self.detectors.get(column.detector) else { continue };
            if names.contains(&detector.name()) {
                continue;
            }
            let evidence = detector.evidence(identity, person, &self.context);
            if evidence.because.is_empty() {
                continue;
            }
            names.push(detector.name());
            match &mut whole {
                None => whole = Some(evidence),
                Some(whole) => {
                    // Whoever reads at such a pace may be a thief on somebody's account: nobody
                    // asks him first.
                    if evidence.next_step == NextStep::BlockAccount && p < URGENT {
                        whole.next_step = evidence.next_step;
                    }
                    for fact in evidence.because {
                        let same = |held: &bavn_model::Fact| {
                            std::mem::discriminant(held) == std::mem::discriminant(&fact)
                        };
                        if whole.because.len() < FACTS_MAX && !whole.because.iter().any(same) {
                            whole.because.push(fact);
                        }
                    }
                }
            }
        }
        whole.map(|evidence| (names, evidence))
    }

    pub(super) fn gather(&mut self, found: Gathered, at: Timestamp, out: &mut Vec<Finding>) {
        if self.muted.iter().any(|name| name == found.detector) {
            return;
        }
        let lane = found.cause.lane();
        let is_note = lane != Lane::Cohort;
        let false_per_staff_day =
            self.queue.eased(found.false_per_day * self.caution() / self.pace.staff / COHORT_SHARE);
        if !is_note && !self.queue.is_worth_writing(false_per_staff_day) {
            return;
        }
        let mut patients = found.patients;
        if found.entities.len() > 1 && patients.is_empty() {
            for &identity in &found.entities {
                patients.extend(self.dossiers.since(identity, found.first_seen).patients);
            }
        }
        let entities =
            found.entities.iter().map(|&identity| self.dossiers.entity(identity)).collect();
        self.tally.offered(lane, !is_note && self.queue.is_alarm(false_per_staff_day));
        let candidate = Candidate {
            cause: found.cause,
            subject: found.subject,
            detectors: vec![found.detector],
            family: found.family,
            lane,
            at,
            first_seen: found.first_seen,
            entities,
            false_per_staff_day,
            calibrated: self.combined.days() >= CALIBRATED_DAYS,
            patients,
            because: found.evidence.because,
            tried: found.tried,
            innocent_story: found.evidence.innocent_story,
            next_step: found.evidence.next_step,
        };
        if is_note {
            Queue::note(candidate, out);
        } else {
            self.queue.offer(candidate, out);
        }
    }
}

fn strongest(columns: &[Column], best: &[(f32, f32)]) -> Option<Column> {
    let by_chance = columns.iter().zip(best);
    let by_chance = by_chance.filter(|(column, (score, _))| !column.muted && *score > 0.0);
    by_chance.min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(&column, _)| column)
}

/// Readers' days after which the line stands where the budget puts it.
const CAUTION_DAYS: f64 = 3_000.0;
/// Calendar days after which whatever comes once a month has come, and how much wider the line begins.
const SEASONED_DAYS: f64 = 28.0;
const EARLY_TIMES: f64 = 2.0;
/// Days that even the youngest region is taken to have.
const YOUNGEST_DAYS: f64 = 70.0;
/// Readers' days before the region's own tail is trusted in name.
const CALIBRATED_DAYS: f32 = 5_000.0;
const SLOW_DAYS: i32 = 30;
/// Chance of a pace under which the account is blocked before its owner is asked.
const URGENT: f32 = 1e-4;
const FACTS_MAX: usize = 5;
const UNEXPLAINED_MIN: u32 = 2;
/// The detector whose case takes in readers who cross the line in numbers.
const MANY_ACCOUNTS: &str = "sprayed_accounts";
