//! What was tried to explain one visit, and why did it hold or not?
//!
//! The verdict is the engine's own; what stands beside it is every template of record with the
//! record that it rests on, or nearly rests on.

use crate::visit::{Verdict, Visit};
use crate::visits::{WAITING_LIST, near_in_time, template};
use bavn_model::{Context, Tie, TieKind};

/// One visit with all that was tried.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub visit: Visit,
    /// What holds first, then by template.
    pub trials: Vec<Trial>,
}

/// One template, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    pub template: &'static str,
    pub outcome: TrialOutcome,
}

/// Why a template holds or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialOutcome {
    /// A record made by somebody else ties the patient to the reader or the reader's unit.
    Held {
        tie: Tie,
    },
    /// Learned from history rather than recorded.
    HeldByCustom,
    /// Such a record there is, but the reader made it.
    MadeByReader {
        tie: Tie,
    },
    /// It was known only after the visit had begun.
    KnownLater {
        tie: Tie,
    },
    /// It had ended long before, or began long after.
    OutOfTime {
        tie: Tie,
    },
    /// It ties the patient to another unit or person.
    OfOthers {
        tie: Tie,
    },
    NotFound,
    /// No such record of anybody was handed over: this feed would settle it.
    CannotJudge {
        feed: Feed,
    },
}

impl TrialOutcome {
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::HeldByCustom)
    }
}

/// A kind of record that the hospital could hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    Roster,
    Records(TieKind),
}

/// Tries every template on a visit.
pub(crate) fn explain(visit: &Visit, context: &Context) -> Explanation {
    let ties = context.ties(visit.patient);
    let mut trials: Vec<Trial> = TEMPLATES
        .iter()
        .map(|&kind| Trial { template: template(kind), outcome: tried(kind, visit, ties, context) })
        .collect();
    trials.extend(by_custom(visit));
    trials.sort_by_key(|trial| !trial.outcome.holds());
    Explanation { visit: visit.clone(), trials }
}

fn tried(kind: TieKind, visit: &Visit, ties: &[Tie], context: &Context) -> TrialOutcome {
    let of_kind = |tie: &Tie| template(tie.kind) == template(kind);
    let nearest = ties
        .iter()
        .filter(|tie| of_kind(tie))
        .map(|tie| outcome_of(tie, visit))
        .min_by_key(|outcome| rank(*outcome));
    if let Some(outcome) = nearest {
        return outcome;
    }
    if context.all_ties().iter().any(of_kind) {
        TrialOutcome::NotFound
    } else {
        TrialOutcome::CannotJudge { feed: Feed::Records(kind) }
    }
}

fn outcome_of(tie: &Tie, visit: &Visit) -> TrialOutcome {
    let tie = *tie;
    let of_reader = tie.identity == Some(visit.identity);
    let of_unit = tie.unit.is_some() && tie.unit == visit.unit;
    if !near_in_time(&tie, visit.first) {
        TrialOutcome::OutOfTime { tie }
    } else if !of_reader && !of_unit {
        TrialOutcome::OfOthers { tie }
    } else if tie.known_at > visit.first {
        TrialOutcome::KnownLater { tie }
    } else if tie.author == Some(visit.identity) {
        TrialOutcome::MadeByReader { tie }
    } else {
        TrialOutcome::Held { tie }
    }
}

/// The nearer to holding, the lower.
const fn rank(outcome: TrialOutcome) -> u8 {
    match outcome {
        TrialOutcome::Held { .. } | TrialOutcome::HeldByCustom => 0,
        TrialOutcome::MadeByReader { .. } => 1,
        TrialOutcome::KnownLater { .. } => 2,
        TrialOutcome::OfOthers { .. } => 3,
        TrialOutcome::OutOfTime { .. } => 4,
        TrialOutcome::NotFound | TrialOutcome::CannotJudge { .. } => 5,
    }
}

/// What is learned and not recorded; tried where no record holds.
fn by_custom(visit: &Visit) -> Vec<Trial> {
    let recorded = TEMPLATES.iter().any(|&kind| match visit.verdict {
        Verdict::Explained { template: held } | Verdict::MadeByReader { template: held } => {
            held == template(kind)
        }
        Verdict::Unexplained | Verdict::CannotJudge { .. } => false,
    });
    if recorded {
        return Vec::new();
    }
    if let Verdict::Explained { template } = visit.verdict {
        return vec![Trial { template, outcome: TrialOutcome::HeldByCustom }];
    }
    let outcome = if visit.unit.is_none() {
        TrialOutcome::CannotJudge { feed: Feed::Roster }
    } else {
        TrialOutcome::NotFound
    };
    CUSTOMS.iter().map(|&template| Trial { template, outcome }).collect()
}

const TEMPLATES: [TieKind; 8] = [
    TieKind::Stay,
    TieKind::Booking,
    TieKind::Order,
    TieKind::Referral,
    TieKind::CareTeam,
    TieKind::Responsible,
    TieKind::Task,
    TieKind::Project,
];
const CUSTOMS: [&str; 3] = ["colleagues_of_unit", "flow_between_units", WAITING_LIST];
