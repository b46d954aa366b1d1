//! Accesses in, findings out.

mod judging;
mod pace;
mod saving;

use crate::calibrate::{
    Load, People, Rankings, Reference, STREAMS, SYSTEM_CLASS, Standing, SubjectDay, Tail,
    combined_nats,
};
use crate::clientele::Clientele;
use crate::company::Company;
use crate::detectors::{
    self, Detector, Ended, Gathered, Gathering, Scores, Seen, counted, is_away,
};
use crate::dossier::Dossiers;
use crate::explain::{self, Explanation};
use crate::later::{self, Judgement, Later};
use crate::observed::Observed;
use crate::queue::Queue;
use crate::report::{Report, Tally};
use crate::solitude::Solitude;
use crate::visit::Verdict;
use crate::visits::Visits;
use bavn_model::{
    Access, Assignment, Context, Family, Finding, Flag, IdentityId, Lane, PatientId, Timestamp,
};
use pace::Pace;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the hospital sets.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// False alarms that people can live with, per 10,000 staff a day.
    pub budget_per_10k_staff_day: f64,
}

/// Everything that explains, detects, calibrates and ranks, behind one door.
#[derive(Debug)]
pub struct Engine {
    context: Context,
    settings: Settings,
    visits: Visits,
    later: Later,
    /// Kept only if somebody takes them.
    judgements: Option<Vec<Judgement>>,
    people: People,
    detectors: Vec<Box<dyn Detector>>,
    gatherings: Vec<Box<dyn Gathering>>,
    /// For each column of scores: its detector.
    columns: Vec<Column>,
    tails: Vec<Tail>,
    /// The combined chance, calibrated once more.
    combined: Rankings,
    reference: Reference,
    /// For each column; none of a detector that has no say.
    families: Vec<Option<Family>>,
    muted: Vec<String>,
    days: Vec<ReaderDay>,
    active: Vec<IdentityId>,
    pace: Pace,
    day: Option<i32>,
    days_closed: u32,
    /// Day, and which readers crossed the line on it.
    crossed: (i32, BTreeSet<IdentityId>),
    hour: i64,
    dossiers: Dossiers,
    company: Company,
    clientele: Clientele,
    solitude: Solitude,
    load: Load,
    queue: Queue,
    tally: Tally,
    observed: Observed,
    scratch: Scores,
    alone: Vec<IdentityId>,
}

#[derive(Clone, Copy, Debug)]
struct Column {
    detector: usize,
    family: Family,
    lane: Lane,
    shipped_nats: f32,
    is_volume: bool,
    muted: bool,
}

impl Column {
    fn tail(&self) -> Tail {
        match self.lane {
            Lane::Deterministic => Tail::of_rule(self.shipped_nats),
            _ if self.is_volume => Tail::of_volume(self.shipped_nats),
            _ => Tail::new(self.shipped_nats),
        }
    }
}

/// A reader's highest scores of one day, and how rare they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ReaderDay {
    day: i32,
    class: u8,
    /// For each column: score and chance.
    best: Vec<(f32, f32)>,
}

impl Engine {
    pub fn new(context: Context, settings: Settings) -> Self {
        Self::without(context, settings, &[])
    }

    /// Names of all detectors.
    pub fn detector_names() -> Vec<&'static str> {
        let (all, gatherings) = (detectors::all(&Context::default()), detectors::gatherings());
        let names = all.iter().map(|held| held.name());
        names.chain(gatherings.iter().map(|held| held.name())).collect()
    }

    /// An engine in which the named detectors have no say. They go on learning, so that it matters to
    /// no saved state who is muted when.
    pub fn without(context: Context, settings: Settings, muted: &[String]) -> Self {
        let detectors = detectors::all(&context);
        let mut columns = Vec::new();
        for (index, detector) in detectors.iter().enumerate() {
            for channel in 0..detector.channels() {
                let (family, lane) = (detector.family(), detector.lane());
                let shipped_nats = detector.shipped_nats();
                let is_volume = detector.is_volume(channel);
                let muted = muted.iter().any(|held| held == detector.name());
                columns.push(Column {
                    detector: index,
                    family,
                    lane,
                    shipped_nats,
                    is_volume,
                    muted,
                });
            }
        }
        Self {
            visits: Visits::new(&context),
            later: Later::default(),
            judgements: None,
            people: People::default(),
            gatherings: detectors::gatherings(),
            muted: muted.to_vec(),
            tails: columns.iter().map(Column::tail).collect(),
            combined: Rankings::default(),
            days_closed: 0,
            reference: Reference::default(),
            families: columns
                .iter()
                .map(|column| (!column.muted).then_some(column.family))
                .collect(),
            columns,
            detectors,
            days: Vec::new(),
            active: Vec::new(),
            pace: Pace::new(context.staff_count(), settings.budget_per_10k_staff_day / 1e4),
            day: None,
            crossed: (0, BTreeSet::new()),
            hour: i64::MIN,
            dossiers: Dossiers::default(),
            company: Company::default(),
            clientele: Clientele::default(),
            solitude: Solitude::default(),
            load: Load::default(),
            queue: Queue::new(settings.budget_per_10k_staff_day / 1e4),
            tally: Tally::default(),
            observed: Observed::default(),
            scratch: Scores::default(),
            alone: Vec::new(),
            context,
            settings,
        }
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// One access, in (`at`, `seq`) order. One that comes late by hours is judged at its own time; one
    /// of a day that is closed, at the beginning of today: no day is opened again.
    pub fn observe(&mut self, access: &Access, out: &mut Vec<Finding>) {
        match self.day {
            Some(day) if access.at.day() < day => {
                let at = Timestamp::start_of_day(day);
                self.observe_today(&Access { at, ..access.clone() }, out);
            }
            _ => self.observe_today(access, out),
        }
    }

    fn observe_today(&mut self, access: &Access, out: &mut Vec<Finding>) {
        self.advance(access.at, out);
        for gathering in &mut self.gatherings {
            gathering.heard(access);
        }
        let Some(identity) = access.identity else {
            self.tally.nameless += 1;
            return;
        };
        if access.flags.has(Flag::OwnAccess) || access.flags.has(Flag::DecisionOnly) {
            return;
        }
        if access.patients.is_empty() || !access.exposes() {
            self.look(access, identity, None, out);
            return;
        }
        for &patient in &access.patients {
            self.look(access, identity, Some(patient), out);
        }
    }

    /// From now on judgements are kept until [`Self::take_judgements`] takes them.
    pub fn keep_judgements(&mut self) {
        self.judgements.get_or_insert_default();
    }

    /// What each visit was found to be explained by since the last call, and what has become
    /// explained by records that came later. The caller asked for it: [`Self::keep_judgements`].
    pub fn take_judgements(&mut self) -> Vec<Judgement> {
        self.judgements.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Lets event time pass without an access, as a live watermark does.
    pub fn advance(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        let hour = now.secs().div_euclid(3_600);
        if hour > self.hour {
            if self.hour != i64::MIN {
                // The hour's own end: accesses may be far apart.
                self.close_hour(Timestamp::from_secs((self.hour + 1) * 3_600), out);
                let begun = Timestamp::from_secs(hour * 3_600);
                self.gather_each(begun, out, |gathering, found| gathering.hours_over(begun, found));
                self.ask_again(begun, out);
            }
            self.hour = hour;
        }
        match self.day {
            Some(day) if now.day() > day => {
                self.close_day(day, now, out);
                self.day = Some(now.day());
            }
            None => self.day = Some(now.day()),
            Some(_) => {}
        }
        self.solitude.over(now, &self.context, &mut self.alone);
        for identity in self.alone.drain(..) {
            self.people.count_alone(identity, now.day());
        }
    }

    /// What the run has shown so far: coverage, expected and observed alarms, memory.
    pub fn report(&self) -> Report {
        let names: Vec<&'static str> = self.detectors.iter().map(|held| held.name()).collect();
        let mut report = self.tally.report(
            &self.context,
            self.settings.budget_per_10k_staff_day,
            self.pace.staff,
            |identity| self.queue.is_suspect(identity),
            self.detectors.iter().map(|held| (held.name(), held.bytes_held())),
            self.bytes_held(),
        );
        report.by_cell = self.observed.report_cells(&self.context);
        report.by_detector = self.observed.report_detectors(&names);
        report
    }

    /// What was tried to explain the visit that is open between a reader and a patient.
    pub fn explain(&self, identity: IdentityId, patient: PatientId) -> Option<Explanation> {
        self.visits.open(identity, patient).map(|visit| explain::explain(visit, &self.context))
    }

    /// What explains the visit that is open between a reader and a patient by what was known until
    /// `now`, if it was asked again and something does that did not at first.
    pub fn explain_later(
        &self,
        identity: IdentityId,
        patient: PatientId,
        now: Timestamp,
    ) -> Option<Judgement> {
        later::later(self.visits.open(identity, patient)?, now, &self.context)
    }

    pub fn bytes_held(&self) -> usize {
        self.visits.bytes_held()
            + self.later.bytes_held()
            + self.people.bytes_held()
            + self.detectors.iter().map(|held| held.bytes_held()).sum::<usize>()
            + self.gatherings.iter().map(|held| held.bytes_held()).sum::<usize>()
            + self.tails.iter().map(Tail::bytes_held).sum::<usize>()
            + self.dossiers.bytes_held()
            + self.queue.bytes_held()
            + self.company.bytes_held()
            + self.clientele.bytes_held()
            + self.solitude.bytes_held()
            + self.load.bytes_held()
            + self.observed.bytes_held()
            + self.reference.bytes_held()
            + self.combined.bytes_held()
            + self.days.capacity() * (size_of::<ReaderDay>() + self.columns.len() * 8)
    }

    fn look(
        &mut self,
        access: &Access,
        identity: IdentityId,
        patient: Option<PatientId>,
        out: &mut Vec<Finding>,
    ) {
        let mut standing = standing(&self.context, access, identity);
        if !standing.rostered {
            standing.unit = self.visits.home(identity);
        }
        let first_of_day = self.enter(identity, access);
        self.people.open(identity, access.at, standing);
        let (visit, opens) = match patient {
            Some(patient) => {
                let (visit, opens) =
                    self.visits.observe(access, identity, patient, standing, &self.context);
                (Some(visit), opens)
            }
            None => (None, false),
        };
        let mut crowded = false;
        if let (Some(visit), true) = (visit, opens) {
            crowded = self.company.note(visit.patient, identity, access.at.day());
            let counted = counted(visit, crowded);
            self.people.count(identity, counted, &mut self.load);
            if !standing.system {
                self.solitude.note(visit, is_away(visit));
                self.clientele.note(visit, &self.context);
            }
            self.dossiers.note(access, identity, visit, self.queue.is_suspect(identity));
            self.tally.visit(standing.role, visit, first_of_day);
            if let Some(judgements) = &mut self.judgements {
                judgements.push(Judgement::first(visit));
            }
            if !matches!(visit.verdict, Verdict::Explained { .. }) {
                self.later.wait(visit);
            }
        }
        let Some(person) = self.people.get(identity) else { return };
        let (clientele, context) = (&self.clientele, &self.context);
        let seen =
            Seen { access, identity, patient, visit, opens, crowded, person, clientele, context };
        // A system account is compared with its own past only, so it needs one first.
        let judged = !person.system || person.days_seen >= SYSTEM_DAYS_MIN;
        let mut risen = false;
        for (index, detector) in self.detectors.iter_mut().enumerate() {
            self.scratch.raised.clear();
            detector.observe(&seen, &mut self.scratch);
            if self.scratch.raised.is_empty() {
                continue;
            }
            let Some(first) = self.columns.iter().position(|column| column.detector == index)
            else {
                continue;
            };
            risen |= raise(&mut self.days, &self.tails, first, identity, &self.scratch) && judged;
        }
        let mut gathered = Vec::new();
        for gathering in &mut self.gatherings {
            gathering.observe(&seen, &mut gathered);
        }
        if risen {
            self.judge(identity, access.at, out);
        }
        for found in gathered {
            self.gather(found, access.at, out);
        }
    }

    /// Opens the reader's day; true if it is the first access of it.
    fn enter(&mut self, identity: IdentityId, access: &Access) -> bool {
        let index = usize::from(identity);
        if self.days.len() <= index {
            self.days.resize_with(index + 1, ReaderDay::default);
        }
        let columns = self.columns.len();
        let Some(held) = self.days.get_mut(index) else { return false };
        let day = access.at.day();
        if held.day == day && !held.best.is_empty() {
            return false;
        }
        let standing = standing(&self.context, access, identity);
        held.day = day;
        held.class = class_of(standing);
        held.best.clear();
        held.best.resize(columns, (0.0, 1.0));
        self.active.push(identity);
        true
    }

    fn close_hour(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        let cold = self.columns.iter().position(|column| {
            let detector = self.detectors.get(column.detector);
            !column.muted && detector.is_some_and(|held| held.name() == "cold_reads")
        });
        let chances: Vec<(IdentityId, f32)> = self
            .active
            .iter()
            .filter(|_| cold.is_some())
            .filter(|&&identity| self.people.get(identity).is_some_and(|person| !person.system))
            .filter_map(|&identity| {
                let best = &self.days.get(usize::from(identity))?.best;
                Some((identity, best.get(cold?)?.1))
            })
            .collect();
        let mut gathered = Vec::new();
        for gathering in &mut self.gatherings {
            gathering.close_hour(now, &chances, &self.people, &mut gathered);
        }
        for found in gathered {
            self.gather(found, now, out);
        }
    }

    /// Asks again about visits that nothing explained, and closes alarms whose whole evidence has
    /// become explained. What was scored stays: a later record takes no line back.
    fn ask_again(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        let explained = self.later.due(now, &self.context);
        let readers: BTreeSet<IdentityId> = explained.iter().map(|held| held.identity).collect();
        for judgement in explained {
            self.dossiers.explain(&judgement);
            self.tally.explained_later += 1;
            if let Some(judgements) = &mut self.judgements {
                judgements.push(judgement);
            }
        }
        for reader in readers {
            let dossiers = &self.dossiers;
            self.queue.close_explained(
                reader,
                now,
                |finding| dossiers.answer(reader, finding),
                out,
            );
        }
    }

    /// Freezes the day's lessons for the days to come.
    fn close_day(&mut self, day: i32, now: Timestamp, out: &mut Vec<Finding>) {
        let active = std::mem::take(&mut self.active);
        self.days_closed += 1;
        for &identity in &active {
            if let Some(person) = self.people.get(identity) {
                for detector in &mut self.detectors {
                    detector.close_person_day(identity, person);
                }
            }
            let Some(held) = self.days.get(usize::from(identity)) else { continue };
            // A case counts once, however long it goes on.
            let suspect_since = self.queue.suspect_since(identity);
            if suspect_since.is_some_and(|since| since.day() < day) {
                continue;
            }
            let class = held.class;
            let of = SubjectDay { subject: identity.0, class, day };
            if self.days_closed > HISTORY_DAYS && class != SYSTEM_CLASS {
                let nats = combined_nats(&self.families, &held.best.iter().map(|&(_, p)| p));
                if let Some(person) = self.people.get(identity) {
                    self.observed.note(person, self.combined.p(of, nats));
                }
                for (column, &(_, p)) in self.columns.iter().zip(&held.best) {
                    self.observed.note_column(column.detector, f64::from(p));
                }
            }
            for (tail, &(score, _)) in self.tails.iter_mut().zip(&held.best) {
                tail.learn(of, score, suspect_since.is_some());
            }
            self.reference.add(day, identity, held.class, &held.best);
        }
        let queue = &self.queue;
        self.people.close_day(day, |identity| !queue.is_suspect(identity));
        for tail in &mut self.tails {
            tail.freeze();
        }
        self.recombine(day);
        let budget_per_day = self.settings.budget_per_10k_staff_day / 1e4 * self.pace.staff;
        let mut told = Vec::new();
        let queue = &self.queue;
        let is_suspect = |identity| queue.is_suspect(identity);
        let ended = Ended { day, budget_per_day, is_suspect: &is_suspect };
        for gathering in &mut self.gatherings {
            gathering.end_day(&ended, &mut told);
            gathering.close_day(day);
        }
        for found in told {
            self.gather(found, Timestamp::start_of_day(day + 1), out);
        }
        self.visits.close_day(day);
        self.company.close_day(day);
        self.solitude.close_day(Timestamp::start_of_day(day + 1));
        let is_system = |identity: &&IdentityId| {
            self.days.get(usize::from(**identity)).is_some_and(|held| held.class == SYSTEM_CLASS)
        };
        let systems = active.iter().filter(is_system).count();
        self.pace.learn(active.len(), systems, self.people.met());
        self.tally.close_day(active.len());
        self.queue.settle(now, self.pace.staff, f64::from(self.days_closed));
        self.queue.close_old(now, out);
    }
}

impl Engine {
    /// Asks each gathering, and offers the queue what it found.
    fn gather_each(
        &mut self,
        at: Timestamp,
        out: &mut Vec<Finding>,
        ask: impl Fn(&mut dyn Gathering, &mut Vec<Gathered>),
    ) {
        let mut gathered = Vec::new();
        for gathering in &mut self.gatherings {
            ask(gathering.as_mut(), &mut gathered);
        }
        for found in gathered {
            self.gather(found, at, out);
        }
    }

    /// Combines the last weeks' days anew, by the tails of this evening.
    fn recombine(&mut self, day: i32) {
        let innocent = self.queue.innocence(self.pace.staff * f64::from(self.days_closed));
        self.combined = self
            .reference
            .combine(day, &self.families, &self.tails, |reader| innocent.get(&reader).copied());
    }
}

/// Enters raised scores; true if any of them is unlikely enough to judge the reader anew.
fn raise(
    days: &mut [ReaderDay],
    tails: &[Tail],
    first: usize,
    identity: IdentityId,
    scores: &Scores,
) -> bool {
    let Some(day) = days.get_mut(usize::from(identity)) else { return false };
    let of = SubjectDay { subject: identity.0, class: day.class, day: day.day };
    let mut risen = false;
    for &(channel, score) in &scores.raised {
        let column = first + usize::from(channel);
        if let (Some(held), Some(tail)) = (day.best.get_mut(column), tails.get(column))
            && score > held.0
        {
            let p = tail.p(of, score) as f32;
            *held = (score, p.min(held.1));
            risen |= p < UNLIKELY;
        }
    }
    risen
}

/// Where the reader works now; after the last day, where he worked.
fn standing(context: &Context, access: &Access, identity: IdentityId) -> Standing {
    let assignments = context.assignments(identity);
    let now = |held: &&Assignment| held.from <= access.at && access.at < held.to;
    let held = assignments.iter().rev().find(now).or_else(|| assignments.last());
    let system = context.staff(identity).system || access.flags.has(Flag::SystemIdentity);
    Standing {
        unit: held.and_then(|held| held.unit),
        role: held.and_then(|held| held.role),
        system,
        rostered: system || held.is_some_and(|held| held.unit.is_some()),
    }
}

/// Readers who are calibrated together: by function, system accounts apart.
fn class_of(standing: Standing) -> u8 {
    if standing.system {
        return SYSTEM_CLASS;
    }
    standing.role.map_or(1, |role| 2 + (role.0 % 250) as u8)
}

/// Over a week-end at least.
const SYSTEM_DAYS_MIN: u32 = 8;
/// Before that many days, chances lean to caution and are not held to account.
const HISTORY_DAYS: u32 = 14;
/// Scores likelier than this never move a decision.
const UNLIKELY: f32 = 0.02;
/// This many times beyond the line, a finding is hardly innocent.
const FAR_OUT: f64 = 100.0;
const _: () = assert!(STREAMS == 5);
