//! What waits for the officer this morning, and does it fit the half hour?

use super::act::{CaseNumber, Deed};
use super::book::{Book, Case, State};
use super::duty::Zone;
use bavn_model::Timestamp;
use serde::Serialize;

/// The morning's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Digest {
    pub at: Timestamp,
    /// The digest of the morning before.
    pub since: Timestamp,
    /// The most urgent first.
    pub lines: Vec<Line>,
    /// Of all lines.
    pub minutes: u32,
    /// What an officer has.
    pub minutes_max: u32,
    /// Lines that fit, from the top.
    pub fits: usize,
    pub new: usize,
    /// Open since before the digest of the morning before.
    pub carried_over: usize,
    pub escalated: usize,
    pub closed: usize,
}

/// One case that waits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub case: CaseNumber,
    pub work: Work,
    pub minutes: u32,
    pub owner: Option<String>,
    pub carried_over: bool,
    pub escalations: u8,
    pub open_tasks: usize,
}

/// What a case needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// To be read and judged.
    Triage,
    /// To be judged, or its tasks done.
    Decide,
    /// Decided to be a breach, and nobody has been told: clocks of the law may run.
    Tell,
    /// Decided, and its alarm has grown since.
    LookAgain,
}

impl Book {
    /// As of the last half past seven at or before `now`.
    pub fn digest(&self, now: Timestamp, zone: Zone) -> Digest {
        let at = zone.last(DIGEST_MINUTE, now);
        let since = zone.last(DIGEST_MINUTE, at.minus_secs(1));
        // What the law counts in hours comes first, then what was thought to be done with.
        let untold = self.cases().filter(|case| case.is_untold());
        let grown = self.cases().filter(|case| !case.is_untold() && case.grown().is_some());
        let all = untold.chain(grown).chain(self.queue());
        let lines: Vec<Line> = all.map(|case| line(case, since)).collect();
        let mut spent = 0;
        let fits = lines.iter().take_while(|line| {
            spent += line.minutes;
            spent <= MINUTES_MAX
        });
        let fits = fits.count();
        let closed = |case: &&Case| {
            let decided = case.verdict.as_ref().is_some_and(|decision| decision.at >= since);
            case.state() == State::Closed && decided
        };
        let escalated = self
            .acts()
            .iter()
            .filter(|act| act.at >= since && matches!(act.deed, Deed::Escalated { .. }));
        Digest {
            at,
            since,
            minutes: lines.iter().map(|line| line.minutes).sum(),
            minutes_max: MINUTES_MAX,
            fits,
            new: lines.iter().filter(|line| !line.carried_over).count(),
            carried_over: lines.iter().filter(|line| line.carried_over).count(),
            escalated: escalated.count(),
            closed: self.cases().filter(closed).count(),
            lines,
        }
    }
}

fn line(case: &Case, since: Timestamp) -> Line {
    let open_tasks = case.tasks.iter().filter(|task| task.done.is_none()).count();
    let (work, minutes) = match case.state() {
        State::New => (Work::Triage, TRIAGE_MINUTES),
        State::Closed if case.is_untold() => (Work::Tell, TELL_MINUTES),
        State::Closed => (Work::LookAgain, TRIAGE_MINUTES),
        _ => (Work::Decide, DECIDE_MINUTES + TASK_MINUTES * open_tasks as u32),
    };
    Line {
        case: case.number,
        work,
        minutes,
        owner: case.owner.clone(),
        carried_over: case.opened_at < since,
        escalations: case.escalations,
        open_tasks,
    }
}

/// Half past seven.
const DIGEST_MINUTE: u16 = 7 * 60 + 30;
const MINUTES_MAX: u32 = 30;
/// The budget of a triage; the others are guesses until officers' own times are known.
const TRIAGE_MINUTES: u32 = 2;
const DECIDE_MINUTES: u32 = 5;
const TELL_MINUTES: u32 = 10;
const TASK_MINUTES: u32 = 5;
