//! One ranked queue, and the alarm budget that it keeps.
//!
//! Every candidate comes with the number of findings as strong that innocent work is expected to
//! cause per member of staff and day. Those under the budget's line are alarms; those up to ten
//! times weaker are written too, so that a curve can be drawn. One open finding an identity and
//! cause: it is updated when it gets materially stronger, not repeated.

use bavn_model::{
    Counterfactual, Entity, Fact, Family, Finding, FindingState, IdentityId, InnocentStory, Lane,
    NextStep, PatientId, Timestamp, Tried,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a finding is about: with its subject, what makes two findings one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// How much and whom somebody reads.
    Reading,
    /// Whom he reads stands near him or on a list.
    Target,
    /// The account itself.
    Account,
    /// Many readers of one patient.
    Patient,
    /// Many accounts at once.
    Cohort,
    /// What a source no longer tells.
    Source,
    /// Drawn by lot.
    Lot,
}

impl Cause {
    const fn is_of_reader(self) -> bool {
        matches!(self, Self::Reading | Self::Target | Self::Account)
    }

    /// The lane of what is not one reader's own; none of the last two is ever an alarm.
    pub(crate) const fn lane(self) -> Lane {
        match self {
            Self::Source => Lane::Coverage,
            Self::Lot => Lane::Audit,
            _ => Lane::Cohort,
        }
    }

    pub(crate) fn of(family: Family) -> Self {
        match family {
            Family::Volume | Family::Relation | Family::Pattern => Self::Reading,
            Family::Target => Self::Target,
            Family::Identity => Self::Account,
        }
    }
}

/// A finding before the queue has judged it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) cause: Cause,
    /// Dense id of the identity or patient, or the day of a cohort.
    pub(crate) subject: u32,
    pub(crate) detectors: Vec<&'static str>,
    pub(crate) family: Family,
    pub(crate) lane: Lane,
    pub(crate) at: Timestamp,
    pub(crate) first_seen: Timestamp,
    pub(crate) entities: Vec<Entity>,
    /// Expected innocent findings as strong, per member of staff and day.
    pub(crate) false_per_staff_day: f64,
    pub(crate) calibrated: bool,
    pub(crate) patients: Vec<PatientId>,
    pub(crate) because: Vec<Fact>,
    pub(crate) tried: Vec<Tried>,
    pub(crate) innocent_story: InnocentStory,
    pub(crate) next_step: NextStep,
}

/// Findings that are open, and what has been written of each.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// The budget's, which is set and not learned.
    #[serde(skip)]
    line: f64,
    /// How much more the estimates expect than comes.
    ease: f64,
    #[serde(with = "crate::sorted")]
    open: HashMap<(Cause, u32), Open, foldhash::fast::FixedState>,
    /// Identities that an open alarm names.
    pub(crate) alarms: u64,
}

/// An open alarm, and its chance of being false.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    cause: Cause,
    subject: u32,
    since: Timestamp,
    innocent: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Open {
    finding: Finding,
    alarm_since: Option<Timestamp>,
    /// It was an alarm, of which everything has become explained since.
    answered: bool,
    written_false: f64,
    written_patients: usize,
    written_entities: usize,
}

impl Queue {
    /// `line` is the budget: expected false alarms per member of staff and day.
    pub(crate) fn new(line: f64) -> Self {
        Self { line, ease: 1.0, open: HashMap::default(), alarms: 0 }
    }

    /// Takes over what is open, but not the budget.
    pub(crate) fn go_on(&mut self, saved: Self) {
        *self = Self { line: self.line, ..saved };
    }

    /// Whether a candidate this strong would be written at all.
    pub(crate) fn is_worth_writing(&self, false_per_staff_day: f64) -> bool {
        false_per_staff_day <= self.line * WEAKER_WRITTEN
    }

    pub(crate) fn is_alarm(&self, false_per_staff_day: f64) -> bool {
        false_per_staff_day <= self.line
    }

    /// The strongest that a finding can be without being an alarm.
    pub(crate) fn weaker_than_alarm(&self) -> f64 {
        self.line * 1.001
    }

    /// What is open of a subject and cause: its strength, whether it is an alarm, its patients.
    pub(crate) fn held(&self, cause: Cause, subject: u32) -> Option<(f64, bool, usize)> {
        self.open
            .get(&(cause, subject))
            .map(|open| (open.finding.p_value, open.finding.is_alert, open.finding.patients.len()))
    }

    /// Whether an alarm on this identity's own work is open.
    pub(crate) fn is_suspect(&self, identity: IdentityId) -> bool {
        [Cause::Reading, Cause::Target, Cause::Account].into_iter().any(|cause| {
            self.open.get(&(cause, identity.0)).is_some_and(|open| open.finding.is_alert)
        })
    }

    /// Estimates lean to caution in a young or a troubled region. Where the alarms of the last weeks,
    /// each counted by its chance of being false, stay under the budget, they are eased; where they
    /// do not, tightened. Returns nothing that depends on whether an alarm was true.
    pub(crate) fn settle(&mut self, now: Timestamp, staff: f64, days: f64) {
        let days = days.min(SETTLED_DAYS);
        if days < SETTLED_DAYS_MIN {
            return;
        }
        let since = now.minus_secs((days * 86_400.0) as i64);
        let lately = self.chances_of_false(staff * days);
        let lately = lately.iter().filter(|alarm| alarm.since >= since);
        let spent: f64 = lately.map(|alarm| alarm.innocent).sum();
        let budget = self.line * staff * days;
        self.ease = if spent < EASED_UNDER * budget {
            (self.ease * EASE_STEP).min(EASE_MAX)
        } else if spent > budget {
            (self.ease / EASE_STEP.powi(2)).max(1.0)
        } else {
            self.ease
        };
    }

    /// An estimate of false findings a member of staff and day, eased.
    pub(crate) fn eased(&self, false_per_staff_day: f64) -> f64 {
        false_per_staff_day / self.ease
    }

    /// Readers under alarm, each with the chance that the alarm is false.
    pub(crate) fn innocence(&self, staff_days: f64) -> BTreeMap<IdentityId, f32> {
        let mut innocent = BTreeMap::new();
        for alarm in self.chances_of_false(staff_days) {
            if alarm.cause.is_of_reader() {
                innocent.entry(IdentityId(alarm.subject)).or_insert(alarm.innocent as f32);
            }
        }
        innocent
    }

    /// For each open alarm: as many false ones as strong as were to be expected in so many days of
    /// staff, shared among all alarms as strong.
    fn chances_of_false(&self, staff_days: f64) -> Vec<Alarm> {
        let mut alarms: Vec<(f64, Alarm)> = self
            .open
            .iter()
            .filter_map(|(&(cause, subject), open)| {
                let since = open.alarm_since?;
                Some((open.finding.p_value, Alarm { cause, subject, since, innocent: 1.0 }))
            })
            .collect();
        alarms.sort_by(|a, b| {
            a.0.total_cmp(&b.0).then((a.1.cause, a.1.subject).cmp(&(b.1.cause, b.1.subject)))
        });
        let expected = |p: f64| p * self.ease * staff_days;
        alarms
            .into_iter()
            .enumerate()
            .map(|(index, (p, alarm))| Alarm {
                innocent: (expected(p) / (index + 1) as f64).min(1.0),
                ..alarm
            })
            .collect()
    }

    /// When the first open alarm on this identity's own work was raised.
    pub(crate) fn suspect_since(&self, identity: IdentityId) -> Option<Timestamp> {
        [Cause::Reading, Cause::Target, Cause::Account]
            .into_iter()
            .filter_map(|cause| self.open.get(&(cause, identity.0))?.alarm_since)
            .min()
    }

    /// Creates or updates; writes a line where there is something to tell.
    pub(crate) fn offer(&mut self, candidate: Candidate, out: &mut Vec<Finding>) {
        let key = (candidate.cause, candidate.subject);
        let is_alert = self.is_alarm(candidate.false_per_staff_day);
        match self.open.get_mut(&key) {
            None => {
                let finding = create(candidate, is_alert);
                self.alarms += u64::from(is_alert);
                out.push(finding.clone());
                self.open.insert(
                    key,
                    Open {
                        alarm_since: is_alert.then_some(finding.raised_at),
                        answered: false,
                        written_false: finding.p_value,
                        written_patients: finding.patients.len(),
                        written_entities: finding.entities.len(),
                        finding,
                    },
                );
            }
            Some(open) => {
                let first_alert = is_alert && !open.finding.is_alert;
                if first_alert {
                    open.alarm_since = Some(candidate.at);
                    open.answered = false;
                }
                open.absorb(candidate, is_alert);
                let stronger = open.finding.p_value <= open.written_false * UPDATE_FACTOR;
                let grown = open.finding.patients.len() >= 2 * open.written_patients.max(5);
                let more = has_grown(open.finding.entities.len(), open.written_entities);
                if first_alert || (open.finding.is_alert && (stronger || grown || more)) {
                    self.alarms += u64::from(first_alert);
                    open.written_false = open.finding.p_value;
                    open.written_patients = open.finding.patients.len();
                    open.written_entities = open.finding.entities.len();
                    open.finding.state = FindingState::Updated;
                    out.push(open.finding.clone());
                }
            }
        }
    }

    /// Writes what suspects nobody, once: it ranks below every finding and is never an alarm.
    pub(crate) fn note(candidate: Candidate, out: &mut Vec<Finding>) {
        let candidate = Candidate { false_per_staff_day: 1.0, ..candidate };
        out.push(create(candidate, false));
    }

    /// Closes what has had no new evidence for a month.
    pub(crate) fn close_old(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        let mut closed: Vec<Finding> = self
            .open
            .extract_if(|_, open| now.secs_since(open.finding.last_seen) > OPEN_SECS)
            .map(|(_, open)| open.finding)
            .filter(|finding| finding.is_alert)
            .collect();
        closed.sort_by_key(|finding| (finding.first_seen, finding.uid));
        for mut finding in closed {
            finding.state = FindingState::Closed;
            finding.raised_at = now;
            out.push(finding);
        }
    }

    /// Since when an alarm was gathered that was closed because everything in it became explained.
    pub(crate) fn answered_since(&self, cause: Cause, subject: u32) -> Option<Timestamp> {
        let open = self.open.get(&(cause, subject)).filter(|open| open.answered)?;
        Some(open.finding.first_seen)
    }

    /// Closes a reader's alarms that rest on missing reasons alone, if `answer` says that all of them
    /// have come, and how many hours late the last.
    pub(crate) fn close_explained(
        &mut self,
        reader: IdentityId,
        now: Timestamp,
        answer: impl Fn(&Finding) -> Option<u32>,
        out: &mut Vec<Finding>,
    ) {
        for cause in [Cause::Reading, Cause::Target] {
            let Some(open) = self.open.get_mut(&(cause, reader.0)) else { continue };
            let finding = &open.finding;
            if !finding.is_alert || !finding.because.iter().all(Fact::is_of_missing_reasons) {
                continue;
            }
            let Some(hours) = answer(finding) else { continue };
            let patients = finding.patients.len() as u32;
            let mut closed = finding.clone();
            closed.state = FindingState::Closed;
            closed.raised_at = now;
            closed.because.insert(0, Fact::ExplainedLater { patients, hours });
            out.push(closed);
            // Kept, so that the same evidence is no second alarm.
            (open.finding.is_alert, open.answered) = (false, true);
        }
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.open
            .values()
            .map(|open| size_of::<Open>() + open.finding.patients.capacity() * 4 + 256)
            .sum()
    }
}

impl Open {
    fn absorb(&mut self, candidate: Candidate, is_alert: bool) {
        let finding = &mut self.finding;
        finding.last_seen = finding.last_seen.max(candidate.at);
        finding.first_seen = finding.first_seen.min(candidate.first_seen);
        finding.raised_at = candidate.at;
        let patients = finding.patients.len();
        // Two sorted lists, which this sort merges in one pass: a mass read must not be the slow case.
        finding.patients.extend(candidate.patients);
        finding.patients.sort();
        finding.patients.dedup();
        for entity in candidate.entities {
            match finding.entities.iter_mut().find(|held| held.identity == entity.identity) {
                Some(held) => *held = entity,
                None => finding.entities.push(entity),
            }
        }
        // The strongest statement stands; fresh facts replace it when they are as strong.
        if candidate.false_per_staff_day <= finding.p_value {
            finding.p_value = candidate.false_per_staff_day;
            finding.expected_false_per_10k_staff_day = candidate.false_per_staff_day * 1e4;
            finding.detector = candidate.detectors.first().copied().unwrap_or(finding.detector);
            finding.detectors = candidate.detectors;
            finding.family = candidate.family;
            finding.lane = candidate.lane;
            finding.because = candidate.because;
            finding.tried = candidate.tried;
            finding.innocent_story = candidate.innocent_story;
            finding.next_step = candidate.next_step;
            finding.calibrated = candidate.calibrated;
        }
        if is_alert && !finding.is_alert {
            finding.counterfactual = one_less(&finding.because);
        }
        finding.is_alert |= is_alert;
        if finding.patients.len() != patients || is_alert {
            finding.rank = rank(finding);
        }
    }
}

fn create(candidate: Candidate, is_alert: bool) -> Finding {
    let mut patients = candidate.patients;
    patients.sort_unstable();
    patients.dedup();
    let mut finding = Finding {
        uid: uid(candidate.cause, candidate.subject, candidate.at),
        detector: candidate.detectors.first().copied().unwrap_or("reading"),
        detectors: candidate.detectors,
        family: candidate.family,
        lane: candidate.lane,
        state: FindingState::Created,
        raised_at: candidate.at,
        first_seen: candidate.first_seen,
        last_seen: candidate.at,
        entities: candidate.entities,
        p_value: candidate.false_per_staff_day,
        expected_false_per_10k_staff_day: candidate.false_per_staff_day * 1e4,
        is_alert,
        calibrated: candidate.calibrated,
        rank: 0.0,
        patients,
        because: candidate.because,
        tried: candidate.tried,
        innocent_story: candidate.innocent_story,
        next_step: candidate.next_step,
        counterfactual: None,
    };
    if is_alert {
        finding.counterfactual = one_less(&finding.because);
    }
    finding.rank = rank(&finding);
    finding
}

/// Whether a case has enough more accounts to be written again. In thousands, as in a region of many
/// readers without any history, each more by itself would make lines that grow with their square.
fn has_grown(accounts: usize, written: usize) -> bool {
    accounts > written + written / ACCOUNTS_EACH_TOLD
}

/// Each look-up is judged as it comes: with one patient less than when it was raised, an alarm was none.
fn one_less(because: &[Fact]) -> Option<Counterfactual> {
    let patients = because.first()?.patients_of_one_reader()?;
    Some(Counterfactual { at_most: patients.saturating_sub(1) })
}

/// Order inside the budget: how likely it is true, times the harm.
fn rank(finding: &Finding) -> f64 {
    // Prior: about as many true cases a day as the budget allows false ones (6.3).
    let likely = 1.0 / (1.0 + finding.expected_false_per_10k_staff_day / TRUE_PER_10K_STAFF_DAY);
    let sensitive = f64::from(u8::from(finding.family == Family::Target)) * 2.0;
    likely * ((1.0 + finding.patients.len() as f64).log2() + sensitive + 1.0)
}

/// The same on every run: made of the subject and the time of the first evidence.
fn uid(cause: Cause, subject: u32, at: Timestamp) -> u128 {
    let first = spread(at.micros() as u64 ^ spread(u64::from(subject) << 8 | cause as u64));
    u128::from(first) << 64 | u128::from(spread(first))
}

/// The same on every run, its bits spread evenly (`SplitMix64`); no secret.
pub(crate) fn spread(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Findings this many times weaker than the line are still written.
const WEAKER_WRITTEN: f64 = 10.0;
/// A finding is written again when its chance has fallen tenfold.
const UPDATE_FACTOR: f64 = 0.1;
/// Over how long the budget is balanced, and from when on.
const SETTLED_DAYS: f64 = 28.0;
const SETTLED_DAYS_MIN: f64 = 14.0;
/// Share of the budget under which estimates are eased.
const EASED_UNDER: f64 = 0.7;
const EASE_STEP: f64 = 1.1;
const EASE_MAX: f64 = 3.0;
const OPEN_SECS: i64 = 30 * 86_400;
/// Up to so many accounts of one case, each more is told.
const ACCOUNTS_EACH_TOLD: usize = 64;
/// 444 confirmed snoopers in seven months at one centre.
const TRUE_PER_10K_STAFF_DAY: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_of_thousands_is_not_told_for_each_account() {
        assert!(!has_grown(63, 63) && has_grown(64, 63));
        assert!(!has_grown(65, 64) && has_grown(66, 64));
        let mut written = 1;
        let lines = (1..=10_000).filter(|&accounts| {
            let grown = has_grown(accounts, written);
            if grown {
                written = accounts;
            }
            grown
        });
        assert!(lines.count() < 400);
    }
}
