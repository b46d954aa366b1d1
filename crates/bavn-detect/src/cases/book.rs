//! The cases, as they follow from the acts.

use super::act::{Act, CaseNumber, Deed, SYSTEM, Side, Verdict, Waiver};
use super::alarm::{Alarm, Hand};
use super::breach::BreachFile;
use bavn_model::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// All cases of one controller.
#[derive(Clone, Debug, Default)]
pub struct Book {
    controller: String,
    acts: Vec<Act>,
    undone: BTreeSet<usize>,
    cases: BTreeMap<CaseNumber, Case>,
}

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    pub number: CaseNumber,
    #[serde(skip)]
    pub controller: String,
    pub opened_at: Timestamp,
    /// In the order in which they joined, each finding once, as it was last raised.
    #[serde(skip)]
    pub alarms: Vec<Alarm>,
    pub owner: Option<String>,
    /// When somebody was last told that the case waits.
    pub called_at: Timestamp,
    pub escalations: u8,
    /// By a person, for the first time.
    pub read_at: Option<Timestamp>,
    /// When a person first did more than look.
    pub taken_at: Option<Timestamp>,
    pub verdict: Option<Decision>,
    pub notes: Vec<Note>,
    pub tasks: Vec<Task>,
    /// What was filed, and its SHA-256.
    pub evidence: Vec<(String, String)>,
    /// What people put on the scales.
    pub weighed: Vec<(Side, Note)>,
    pub merged_into: Option<CaseNumber>,
    /// What notices are made from.
    #[serde(skip)]
    pub file: BreachFile,
    /// Numbers of the acts that count, the last of which is the case's revision.
    #[serde(skip)]
    pub acts: Vec<usize>,
}

/// What was decided, by whom, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    pub verdict: Verdict,
    pub reason: String,
    pub by: String,
    pub at: Timestamp,
    /// Patients that were known then.
    pub patients: u32,
    /// The act that wrote down the explanation of a unit.
    pub by_act: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    pub at: Timestamp,
    pub by: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    pub text: String,
    pub by: String,
    pub done: Option<Timestamp>,
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No person has done more than look at it.
    New,
    InHand,
    Closed,
    /// Goes on in another.
    Merged,
}

impl State {
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InHand => "in hand",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

impl Book {
    pub fn new(controller: &str) -> Self {
        Self { controller: controller.to_owned(), ..Self::default() }
    }

    pub fn controller(&self) -> &str {
        &self.controller
    }

    /// Takes the next act of the list, as it was kept.
    pub fn push(&mut self, act: Act) {
        let is_undo = matches!(act.deed, Deed::Undone { .. });
        self.acts.push(act);
        if is_undo {
            self.fold_anew();
        } else {
            self.fold(self.acts.len() - 1);
        }
    }

    /// Every act, by its number; undone ones too.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    pub fn is_undone(&self, act: usize) -> bool {
        self.undone.contains(&act)
    }

    pub fn case(&self, number: CaseNumber) -> Option<&Case> {
        self.cases.get(&number)
    }

    /// By number.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }

    /// Whether somebody is the subject of a case that nobody has closed.
    pub fn is_open_about(&self, name: &str) -> bool {
        let open = |case: &&Case| matches!(case.state(), State::New | State::InHand);
        self.cases().filter(open).any(|case| case.is_about(name))
    }

    /// Cases that wait for a person, the most urgent first.
    pub fn queue(&self) -> Vec<&Case> {
        let open = |case: &&Case| matches!(case.state(), State::New | State::InHand);
        let mut queue: Vec<&Case> = self.cases().filter(open).collect();
        queue.sort_by(|a, b| b.rank().total_cmp(&a.rank()).then(a.number.cmp(&b.number)));
        queue
    }

    /// Signed explanations that count, with the number of their act.
    pub fn waivers(&self) -> impl Iterator<Item = (usize, &Act, &Waiver)> {
        let counts = |&(number, _): &(usize, &Act)| !self.undone.contains(&number);
        self.acts.iter().enumerate().filter(counts).filter_map(|(number, act)| match &act.deed {
            Deed::Explained(waiver) => Some((number, act, waiver)),
            _ => None,
        })
    }

    /// Numbers are never given twice, not even that of a case that was undone.
    pub fn next_number(&self) -> CaseNumber {
        let named = |act: &Act| match &act.deed {
            Deed::Split { into, .. } | Deed::Merged { into } => act.case.max(*into),
            _ => act.case,
        };
        CaseNumber(self.acts.iter().map(named).max().map_or(0, |number| number.0) + 1)
    }

    /// Where a case goes on, if it was merged.
    pub fn settled(&self, number: CaseNumber) -> CaseNumber {
        let mut at = number;
        // A circle is refused when it would be closed; the bound is for a list from elsewhere.
        for _ in 0..self.cases.len() {
            match self.cases.get(&at).and_then(|case| case.merged_into) {
                Some(into) => at = into,
                None => break,
            }
        }
        at
    }

    fn fold_anew(&mut self) {
        // The last undo counts first: it may undo another.
        self.undone.clear();
        for (number, act) in self.acts.iter().enumerate().rev() {
            if let (Deed::Undone { act }, false) = (&act.deed, self.undone.contains(&number)) {
                self.undone.insert(*act);
            }
        }
        self.cases.clear();
        for number in 0..self.acts.len() {
            if !self.undone.contains(&number) {
                self.fold(number);
            }
        }
    }

    fn fold(&mut self, number: usize) {
        let Some(act) = self.acts.get(number) else { return };
        if let Deed::Raised(_) = &act.deed {
            let new = || Case::new(act.case, &self.controller, act.at);
            self.cases.entry(act.case).or_insert_with(new);
        }
        let Some(case) = self.cases.get_mut(&act.case) else { return };
        case.acts.push(number);
        match &act.deed {
            Deed::Merged { into } => {
                let from = case.clone();
                case.merged_into = Some(*into);
                case.alarms.clear();
                if let Some(into) = self.cases.get_mut(into) {
                    into.take_in(from, number);
                }
            }
            Deed::Split { alarms, into } => {
                let mut split = Case::new(*into, &self.controller, act.at);
                split.owner.clone_from(&case.owner);
                split.acts.push(number);
                let (go, stay) = std::mem::take(&mut case.alarms)
                    .into_iter()
                    .partition(|alarm| alarms.contains(&alarm.uid));
                (split.alarms, case.alarms) = (go, stay);
                (split.read_at, split.taken_at) = (case.read_at, case.taken_at);
                self.cases.insert(*into, split);
            }
            _ => case.apply(number, act),
        }
    }
}

impl Case {
    fn new(number: CaseNumber, controller: &str, at: Timestamp) -> Self {
        Self {
            number,
            controller: controller.to_owned(),
            opened_at: at,
            alarms: Vec::new(),
            owner: None,
            called_at: at,
            escalations: 0,
            read_at: None,
            taken_at: None,
            verdict: None,
            notes: Vec::new(),
            tasks: Vec::new(),
            evidence: Vec::new(),
            weighed: Vec::new(),
            merged_into: None,
            file: BreachFile::default(),
            acts: Vec::new(),
        }
    }

    pub fn state(&self) -> State {
        match (&self.merged_into, &self.verdict, self.taken_at) {
            (Some(_), ..) => State::Merged,
            (None, Some(decision), _) if decision.verdict != Verdict::Reopened => State::Closed,
            (None, _, None) => State::New,
            (None, ..) => State::InHand,
        }
    }

    /// The alarm that weighs most.
    pub fn leading(&self) -> Option<&Alarm> {
        self.alarms.iter().max_by(|a, b| a.rank.total_cmp(&b.rank))
    }

    pub fn rank(&self) -> f64 {
        self.leading().map_or(0.0, |alarm| alarm.rank)
    }

    /// Stolen, if any alarm suggests it: that is the worse mistake to make.
    pub fn hand(&self) -> Hand {
        self.alarms.iter().map(Alarm::hand).min().unwrap_or(Hand::Own)
    }

    /// Patients exposed by the largest alarm: alarms of one case overlap, and the scope is exact.
    pub fn patients(&self) -> u32 {
        self.alarms.iter().map(|alarm| alarm.patients).max().unwrap_or(0)
    }

    pub fn first_seen(&self) -> Option<Timestamp> {
        self.alarms.iter().map(|alarm| alarm.first_seen).min()
    }

    pub fn last_seen(&self) -> Option<Timestamp> {
        self.alarms.iter().map(|alarm| alarm.last_seen).max()
    }

    pub fn identities(&self) -> BTreeSet<&str> {
        self.alarms.iter().flat_map(|alarm| &alarm.identities).map(String::as_str).collect()
    }

    /// Whether a person, by the bare name, is one of its readers: nobody looks into oneself.
    pub fn is_about(&self, name: &str) -> bool {
        self.alarms.iter().any(|alarm| alarm.is_about(name))
    }

    pub fn hosts(&self) -> BTreeSet<&str> {
        self.alarms.iter().flat_map(|alarm| &alarm.hosts).map(String::as_str).collect()
    }

    pub fn clients(&self) -> BTreeSet<&str> {
        self.alarms.iter().flat_map(|alarm| &alarm.clients).map(String::as_str).collect()
    }

    /// Patients of a closed case's largest alarm when it was decided and now, if they have become more.
    pub fn grown(&self) -> Option<(u32, u32)> {
        let decision = self.verdict.as_ref().filter(|_| self.state() == State::Closed)?;
        let now = self.patients();
        (now > decision.patients).then_some((decision.patients, now))
    }

    /// Whether it was decided to be a breach, and no notice of it has been signed.
    pub fn is_untold(&self) -> bool {
        let is_breach = self.verdict.as_ref().is_some_and(|held| held.verdict.is_breach());
        let is_told = self.file.notices.iter().any(|notice| notice.signed.is_some());
        self.state() == State::Closed && is_breach && !is_told
    }

    pub fn units(&self) -> BTreeSet<&str> {
        self.alarms.iter().flat_map(|alarm| &alarm.units).map(String::as_str).collect()
    }

    /// Number of the last act that counts: who acts on an older one has not seen everything.
    pub fn revision(&self) -> usize {
        self.acts.last().copied().unwrap_or(0)
    }

    fn apply(&mut self, number: usize, act: &Act) {
        let is_person = act.by != SYSTEM && !self.is_about(&act.by);
        if is_person {
            self.read_at.get_or_insert(act.at);
            if act.deed != Deed::Read {
                self.taken_at.get_or_insert(act.at);
            }
        }
        let note = |text: &str| Note { at: act.at, by: act.by.clone(), text: text.to_owned() };
        match &act.deed {
            Deed::Raised(alarm) => {
                match self.alarms.iter_mut().find(|held| held.uid == alarm.uid) {
                    Some(held) => held.clone_from(alarm),
                    None => self.alarms.push((**alarm).clone()),
                }
            }
            Deed::Assigned { to } => {
                self.owner = Some(to.clone());
                self.called_at = act.at;
            }
            Deed::Escalated { level, to } => {
                self.owner = Some(to.clone());
                (self.escalations, self.called_at) = (*level, act.at);
            }
            Deed::Decided { verdict, reason } => {
                self.verdict = Some(self.decision(act, *verdict, reason, None));
            }
            Deed::Covered { by_act } => {
                let verdict = self.decision(act, Verdict::Harmless, "", Some(*by_act));
                self.verdict = Some(verdict);
            }
            Deed::Noted { text } => self.notes.push(note(text)),
            Deed::Planned { task } => {
                let (text, by) = (task.clone(), act.by.clone());
                self.tasks.push(Task { text, by, done: None });
            }
            Deed::Done { task } => {
                let task = task.checked_sub(1).and_then(|at| self.tasks.get_mut(at));
                if let Some(task) = task {
                    task.done = Some(act.at);
                }
            }
            Deed::Filed { what, sha256 } => self.evidence.push((what.clone(), sha256.clone())),
            Deed::Weighed { side, text } => self.weighed.push((*side, note(text))),
            Deed::Read
            | Deed::Explained(_)
            | Deed::Undone { .. }
            | Deed::Merged { .. }
            | Deed::Split { .. }
            | Deed::Expired => {}
            _ => self.file.apply(number, act),
        }
    }

    fn decision(
        &self,
        act: &Act,
        verdict: Verdict,
        reason: &str,
        by_act: Option<usize>,
    ) -> Decision {
        let (reason, by) = (reason.to_owned(), act.by.clone());
        Decision { verdict, reason, by, at: act.at, patients: self.patients(), by_act }
    }

    fn take_in(&mut self, from: Self, by_act: usize) {
        self.alarms.extend(from.alarms);
        self.notes.extend(from.notes);
        self.notes.sort_by_key(|note| note.at);
        self.tasks.extend(from.tasks);
        self.evidence.extend(from.evidence);
        self.weighed.extend(from.weighed);
        self.file.take_in(from.file);
        self.opened_at = self.opened_at.min(from.opened_at);
        self.read_at = self.read_at.or(from.read_at);
        self.taken_at = self.taken_at.or(from.taken_at);
        self.acts.push(by_act);
    }
}
