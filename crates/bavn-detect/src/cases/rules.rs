//! What may be done to a case, and what is refused with which words?

use super::act::{Act, CaseNumber, Deed, NOTE_BYTES_MAX, SYSTEM, Verdict, Waiver};
use super::book::{Book, Case, State};
use super::breach::ENDED;
use bavn_model::Timestamp;
use std::collections::BTreeSet;

/// Why an act does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("there is no case {case}")]
    UnknownCase { case: CaseNumber },
    #[error("case {case} goes on in case {into}")]
    Merged { case: CaseNumber, into: CaseNumber },
    /// Two people act at once: the second looks again.
    #[error("case {case} has changed since you looked: {by} acted at {at}")]
    Changed { case: CaseNumber, by: String, at: Timestamp },
    #[error("a reason or text is needed")]
    NoText,
    #[error("a text of {bytes} bytes is over the limit of {bytes_max}")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("case {case} is closed; reopen it first")]
    Closed { case: CaseNumber },
    #[error("case {case} is open")]
    NotClosed { case: CaseNumber },
    #[error("nobody works on a case about oneself; an answer to it may be written as a note")]
    OwnCase,
    #[error("a case cannot be merged into itself")]
    Itself,
    #[error("the case has no such alarm, or no other than these")]
    NoSuchAlarm,
    #[error("the case has no open task {task}")]
    NoSuchTask { task: usize },
    #[error("evidence is named by a SHA-256 of 64 hexadecimal digits")]
    NotADigest,
    #[error("there is nothing of yours to undo in case {case}")]
    NothingToUndo { case: CaseNumber },
    #[error("an act can be undone for {minutes} minutes; write a new one instead")]
    TooLate { minutes: i64 },
    #[error("others have acted on it since")]
    BuiltUpon,
    #[error("an explanation is for a unit or project that every reader of the case belongs to")]
    NotTheUnit,
    #[error("all these cases are of one person, and no explanation is for a person")]
    ForAPerson,
    #[error("an explanation lasts from now for {days} days at most")]
    TooLongTime { days: i64 },
    #[error("no explanation covers an alarm that suggests a stolen account")]
    StolenAccount,
    #[error("`{event}` was declared by {by} to hold since {since}; a clock is not set later")]
    ClockRuns { event: String, by: String, since: Timestamp },
    #[error("a time that is still to come cannot be declared")]
    Future,
    #[error("it cannot have ended before it was first seen, at {first}")]
    EndedBefore { first: Timestamp },
    #[error("nothing waits for this signature; it may have been made ready anew")]
    NothingToSign,
    #[error("who made it ready does not sign it: a second person must")]
    SecondPerson,
    #[error(
        "no reader is asked until an officer has ruled out a stolen account: a thief would be warned"
    )]
    ThiefNotRuledOut,
    #[error("write the day as 2026-11-27, not in the future")]
    NotADay,
    /// Says no more than that: an open case warns nobody.
    #[error("somebody else must agree for the employees")]
    OwnCaseOpen,
    #[error("this reader was not asked")]
    NotAsked,
    #[error("this reader has been asked already")]
    AskedBefore,
}

impl Book {
    /// What a person wants to do, checked: the acts to write down. `seen` is the revision of the
    /// case that the person looked at.
    pub fn propose(
        &self,
        at: Timestamp,
        by: &str,
        number: CaseNumber,
        deed: Deed,
        seen: Option<usize>,
    ) -> Result<Vec<Act>, Refusal> {
        let case = self.case(number).ok_or(Refusal::UnknownCase { case: number })?;
        if let (Some(into), false) = (case.merged_into, matches!(deed, Deed::Undone { .. })) {
            return Err(Refusal::Merged { case: number, into });
        }
        if case.is_about(by) && !matches!(deed, Deed::Noted { .. }) {
            return Err(Refusal::OwnCase);
        }
        self.unchanged(case, seen)?;
        self.check(case, &deed)?;
        case.file.check(by, &deed)?;
        if matches!(deed, Deed::Declared { since, .. } if since > at) {
            return Err(Refusal::Future);
        }
        Ok(vec![Act { at, by: by.to_owned(), case: number, deed }])
    }

    /// Undoes the last act of this person on the case.
    pub fn propose_undo(
        &self,
        at: Timestamp,
        by: &str,
        number: CaseNumber,
    ) -> Result<Vec<Act>, Refusal> {
        let case = self.case(number).ok_or(Refusal::UnknownCase { case: number })?;
        let nothing = Refusal::NothingToUndo { case: number };
        let mine = case.acts.iter().rev().filter_map(|&act| Some((act, self.acts().get(act)?)));
        let mut mine = mine.filter(|(_, act)| act.by == by && act.deed.can_be_undone());
        let (target, act) = mine.next().ok_or(nothing)?;
        if at.secs_since(act.at) > UNDO_SECS {
            return Err(Refusal::TooLate { minutes: UNDO_SECS / 60 });
        }
        if let Deed::Merged { into } | Deed::Split { into, .. } = act.deed {
            let into = self.case(into).map_or(&[][..], |case| &case.acts);
            if into.iter().any(|&act| act > target && self.is_of_person(act)) {
                return Err(Refusal::BuiltUpon);
            }
        }
        let undo = |act, case| {
            let deed = Deed::Undone { act };
            Act { at, by: by.to_owned(), case, deed }
        };
        let mut acts = vec![undo(target, number)];
        if let Deed::Explained(_) = act.deed {
            for (closed, held) in self.acts().iter().enumerate() {
                if held.deed == (Deed::Covered { by_act: target }) && !self.is_undone(closed) {
                    acts.push(undo(closed, held.case));
                }
            }
        }
        Ok(acts)
    }

    /// Signs an explanation of a unit's alarms of the kinds of this case, and closes every open
    /// case that it covers. Undone as one.
    pub fn propose_waiver(
        &self,
        at: Timestamp,
        by: &str,
        number: CaseNumber,
        mut waiver: Waiver,
    ) -> Result<Vec<Act>, Refusal> {
        let case = self.case(number).ok_or(Refusal::UnknownCase { case: number })?;
        if case.is_about(by) {
            return Err(Refusal::OwnCase);
        }
        text(&waiver.reason)?;
        if case.state() == State::Closed {
            return Err(Refusal::Closed { case: number });
        }
        if case.units() != BTreeSet::from([waiver.unit.as_str()]) {
            return Err(Refusal::NotTheUnit);
        }
        if case.hand() == super::alarm::Hand::Stolen {
            return Err(Refusal::StolenAccount);
        }
        let days = waiver.until.secs_since(at).div_euclid(86_400);
        if waiver.until <= at || days > WAIVER_DAYS_MAX {
            return Err(Refusal::TooLongTime { days: WAIVER_DAYS_MAX });
        }
        waiver.detectors = case.alarms.iter().map(|alarm| alarm.detector.clone()).collect();
        waiver.from = at;
        waiver.closes = self.covered(&waiver, at).into_iter().collect();
        let closed = waiver.closes.iter().filter_map(|&number| self.case(number));
        let people: BTreeSet<&str> = closed.flat_map(Case::identities).collect();
        if people.len() < PEOPLE_MIN {
            return Err(Refusal::ForAPerson);
        }
        let by_act = self.acts().len();
        let act = |case, deed| Act { at, by: by.to_owned(), case, deed };
        let closes = waiver.closes.clone();
        let mut acts = vec![act(number, Deed::Explained(waiver))];
        acts.extend(closes.into_iter().map(|case| act(case, Deed::Covered { by_act })));
        Ok(acts)
    }

    fn unchanged(&self, case: &Case, seen: Option<usize>) -> Result<(), Refusal> {
        let Some(seen) = seen else { return Ok(()) };
        let later = case.acts.iter().rev().filter(|&&act| act > seen);
        let later = later.filter_map(|&act| self.acts().get(act)).find(|act| act.by != SYSTEM);
        later.map_or(Ok(()), |act| {
            Err(Refusal::Changed { case: case.number, by: act.by.clone(), at: act.at })
        })
    }

    fn check(&self, case: &Case, deed: &Deed) -> Result<(), Refusal> {
        let number = case.number;
        let is_closed = case.state() == State::Closed;
        match deed {
            Deed::Decided { verdict: Verdict::Reopened, reason } => {
                text(reason)?;
                if is_closed { Ok(()) } else { Err(Refusal::NotClosed { case: number }) }
            }
            Deed::Decided { reason, .. } => {
                text(reason)?;
                if is_closed { Err(Refusal::Closed { case: number }) } else { Ok(()) }
            }
            Deed::Noted { text: words }
            | Deed::Weighed { text: words, .. }
            | Deed::Replied { text: words, .. } => text(words),
            Deed::Planned { task } => text(task),
            Deed::Assigned { to } => text(to),
            Deed::Done { task } => {
                let held = task.checked_sub(1).and_then(|at| case.tasks.get(at));
                let open = held.is_some_and(|held| held.done.is_none());
                if open { Ok(()) } else { Err(Refusal::NoSuchTask { task: *task }) }
            }
            Deed::Filed { what: words, sha256 } | Deed::Asked { reader: words, sha256 } => {
                text(words)?;
                digest(sha256)
            }
            Deed::Declared { event, since, why } => {
                text(event)?;
                text(why)?;
                match case.first_seen() {
                    Some(first) if event == ENDED && *since < first => {
                        Err(Refusal::EndedBefore { first })
                    }
                    _ => Ok(()),
                }
            }
            Deed::Answered { question, text: words, .. } => {
                text(question)?;
                text(words)
            }
            Deed::RuledOut { why } | Deed::ListWanted { why } => text(why),
            Deed::Prepared { regime, phase, record, sha256 } => {
                text(regime)?;
                text(phase)?;
                digest(sha256)?;
                let (bytes, bytes_max) = (record.len(), RECORD_BYTES_MAX);
                if bytes > bytes_max { Err(Refusal::TooLong { bytes, bytes_max }) } else { Ok(()) }
            }
            Deed::ListReleased { sha256, .. } => digest(sha256),
            Deed::Merged { into } => {
                let target = self.case(*into).ok_or(Refusal::UnknownCase { case: *into })?;
                if self.settled(*into) == number {
                    return Err(Refusal::Itself);
                }
                match (is_closed, target.state()) {
                    (true, _) => Err(Refusal::Closed { case: number }),
                    (_, State::Closed) => Err(Refusal::Closed { case: *into }),
                    (_, State::Merged) => {
                        Err(Refusal::Merged { case: *into, into: self.settled(*into) })
                    }
                    _ => Ok(()),
                }
            }
            Deed::Split { alarms, into } => {
                let held = case.alarms.iter().filter(|alarm| alarms.contains(&alarm.uid)).count();
                let good = held == alarms.len() && held > 0 && held < case.alarms.len();
                let is_new = *into == self.next_number();
                if good && is_new { Ok(()) } else { Err(Refusal::NoSuchAlarm) }
            }
            Deed::Read | Deed::Signed { .. } => Ok(()),
            Deed::Raised(_)
            | Deed::Escalated { .. }
            | Deed::Covered { .. }
            | Deed::Explained(_)
            | Deed::SignedOff { .. }
            | Deed::SignOffWithdrawn { .. }
            | Deed::Undone { .. }
            | Deed::Expired => Err(Refusal::NoText),
        }
    }

    /// Whether a person did it; to look changes nothing.
    fn is_of_person(&self, act: usize) -> bool {
        self.acts().get(act).is_some_and(|act| act.by != SYSTEM && act.deed != Deed::Read)
    }
}

impl Deed {
    fn can_be_undone(&self) -> bool {
        !matches!(
            self,
            // A closing by an explanation goes with the explanation.
            Self::Raised(_)
                | Self::Escalated { .. }
                | Self::Read
                | Self::Undone { .. }
                | Self::Covered { .. }
                // These are out of the house.
                | Self::Signed { .. }
                | Self::Asked { .. }
                | Self::Replied { .. }
                | Self::ListReleased { .. }
        )
    }
}

pub(super) fn digest(sha256: &str) -> Result<(), Refusal> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if sha256.len() == 64 && sha256.bytes().all(is_hex) { Ok(()) } else { Err(Refusal::NotADigest) }
}

pub(super) fn text(words: &str) -> Result<(), Refusal> {
    if words.trim().is_empty() {
        return Err(Refusal::NoText);
    }
    let bytes = words.len();
    let bytes_max = NOTE_BYTES_MAX;
    if bytes > bytes_max { Err(Refusal::TooLong { bytes, bytes_max }) } else { Ok(()) }
}

/// Whether this is a day, `2026-11-27`, that is not still to come.
pub(crate) fn is_day_until(date: &str, at: Timestamp) -> bool {
    let day = Timestamp::parse(&format!("{date}T00:00:00Z"));
    date.len() == 10 && day.is_ok_and(|(day, _)| day.day() <= at.day())
}

/// Of a record that a notice is made from.
const RECORD_BYTES_MAX: usize = 1 << 20;
const UNDO_SECS: i64 = 600;
/// Half a year: a unit that needs longer needs a feed.
const WAIVER_DAYS_MAX: i64 = 183;
/// An explanation that closes the cases of fewer people is one for a person.
const PEOPLE_MIN: usize = 2;
