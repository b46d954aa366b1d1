//! Which case does an alarm belong to, and who is called when nobody comes?

use super::act::{Act, CaseNumber, Deed, SYSTEM, Verdict, Waiver};
use super::alarm::{Alarm, Shared};
use super::book::{Book, Case, State};
use super::duty::Duty;
use bavn_model::Timestamp;

impl Book {
    /// The acts that an alarm causes at `now`; none if it is known already. Nothing is changed: who
    /// keeps the list writes them down first.
    pub fn receive(&self, alarm: Alarm, now: Timestamp, duty: &Duty) -> Vec<Act> {
        let act = |case, deed| Act { at: now, by: SYSTEM.to_owned(), case, deed };
        if let Some((case, held)) = self.holding(&alarm.uid) {
            if alarm.raised_at <= held.raised_at {
                return Vec::new();
            }
            let (number, patients) = (case.number, alarm.patients);
            let mut acts = vec![act(number, Deed::Raised(Box::new(alarm)))];
            let outgrown = case.verdict.as_ref().is_some_and(|decision| {
                decision.verdict != Verdict::Reopened && patients >= 2 * decision.patients.max(1)
            });
            if outgrown {
                let reason = format!("{patients} patients are exposed now");
                acts.push(act(number, Deed::Decided { verdict: Verdict::Reopened, reason }));
            }
            return acts;
        }
        if let Some(case) = self.queue().into_iter().find(|case| case.joins(&alarm)) {
            return vec![act(case.number, Deed::Raised(Box::new(alarm)))];
        }
        let number = self.next_number();
        let waiver = self.waivers().find(|(.., waiver)| waiver.covers(&alarm, now));
        let next = if let Some((by_act, ..)) = waiver {
            Deed::Covered { by_act }
        } else {
            let about = |name: &str| alarm.is_about(name);
            let to = duty.owner(self.controller(), alarm.hand(), now, about).to_owned();
            Deed::Assigned { to }
        };
        vec![act(number, Deed::Raised(Box::new(alarm))), act(number, next)]
    }

    /// Every escalation that fell due until `now`, each at its own time, so that a program that was
    /// stopped for a day writes down what one that ran would have.
    pub fn due(&self, now: Timestamp, duty: &Duty) -> Vec<Act> {
        let mut acts = Vec::new();
        for case in self.cases() {
            let mut case = case.clone();
            while let Some((at, level, to)) = duty.due(&case, now) {
                case.owner = Some(to.clone());
                (case.escalations, case.called_at) = (level, at);
                let deed = Deed::Escalated { level, to };
                acts.push(Act { at, by: SYSTEM.to_owned(), case: case.number, deed });
            }
        }
        acts.sort_by_key(|act| (act.at, act.case));
        acts
    }

    fn holding(&self, uid: &str) -> Option<(&Case, &Alarm)> {
        self.cases().find_map(|case| {
            case.alarms.iter().find(|alarm| alarm.uid == uid).map(|alarm| (case, alarm))
        })
    }

    /// Open cases that an explanation would close; see [`Waiver`].
    pub(super) fn covered(&self, waiver: &Waiver, now: Timestamp) -> Vec<CaseNumber> {
        let covers = |case: &&Case| case.alarms.iter().all(|alarm| waiver.covers(alarm, now));
        self.queue().into_iter().filter(covers).map(|case| case.number).collect()
    }
}

impl Case {
    /// Same reader, same patients, or the same trait where the alarm says that it is the trait that
    /// its look-ups have in common; within a month.
    fn joins(&self, alarm: &Alarm) -> bool {
        let near = |held: &Alarm| {
            let from = held.first_seen.minus_secs(JOIN_SECS);
            from <= alarm.last_seen && alarm.first_seen <= held.last_seen.plus_secs(JOIN_SECS)
        };
        let same = |held: &Alarm| {
            let traits = held.shared.intersection(&alarm.shared);
            let mut traits = traits.map(|shared| match shared {
                Shared::Host => !held.hosts.is_disjoint(&alarm.hosts),
                Shared::Client => !held.clients.is_disjoint(&alarm.clients),
            });
            !held.identities.is_disjoint(&alarm.identities)
                || held.same_patients(alarm)
                || traits.any(|same| same)
        };
        self.state() != State::Merged
            && self.alarms.len() < ALARMS_MAX
            && self.alarms.iter().any(|held| near(held) && same(held))
    }
}

impl Waiver {
    /// Whether every reader of the alarm is of the unit, and the alarm of a kind that the
    /// explanation speaks for.
    fn covers(&self, alarm: &Alarm, now: Timestamp) -> bool {
        let is_unit = alarm.units.len() == 1 && alarm.units.contains(&self.unit);
        is_unit && self.detectors.contains(&alarm.detector) && self.from <= now && now < self.until
    }
}

/// Longer silence is another story.
const JOIN_SECS: i64 = 30 * 86_400;
/// Alarms of a case; one more begins a case of its own.
const ALARMS_MAX: usize = 1_000;
