//! Puts look-ups of one patient by one reader together, and asks the records for a reason.
//!
//! A record made by somebody else that ties the patient to the reader or his unit explains. What
//! no record tells is learned: which units' patients a unit keeps opening.

use crate::calibrate::Standing;
use crate::flow::Flow;
use crate::homes::Homes;
use crate::lists::Lists;
use crate::usual::Usual;
use crate::visit::{Grade, Verdict, Visit, Warmth};
use bavn_model::{
    Access, Context, IdentityId, Kind, PatientId, PurposeSet, Tie, TieKind, Timestamp, UnitId,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

type Units = SmallVec<[UnitId; 8]>;
type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// The visits of the last half day, and what was learned from those before.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Visits {
    #[serde(with = "crate::sorted")]
    open: Map<(IdentityId, PatientId), Visit>,
    /// Day on which a reader last opened a patient.
    #[serde(with = "crate::sorted")]
    own: Map<(IdentityId, PatientId), i32>,
    /// Units that lately opened a patient, by two readers at least where `by` is none.
    #[serde(with = "crate::sorted")]
    units_of: Map<PatientId, SmallVec<[Opened; 2]>>,
    flow: Flow,
    homes: Homes,
    usual: Usual,
    lists: Lists,
    /// Whether the context names projects, with whom they may read.
    has_projects: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Opened {
    unit: UnitId,
    day: i32,
    /// The only reader so far; none when there were several.
    by: Option<IdentityId>,
    /// A record explained one of them.
    explained: bool,
}

impl Visits {
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            open: Map::default(),
            own: Map::default(),
            units_of: Map::default(),
            flow: Flow::default(),
            homes: Homes::default(),
            usual: Usual::default(),
            lists: Lists::default(),
            has_projects: context.all_ties().iter().any(|tie| tie.kind == TieKind::Project),
        }
    }

    /// The visit that an access belongs to, and whether it began with it.
    pub(crate) fn observe(
        &mut self,
        access: &Access,
        identity: IdentityId,
        patient: PatientId,
        standing: Standing,
        context: &Context,
    ) -> (&Visit, bool) {
        let key = (identity, patient);
        let begins =
            self.open.get(&key).is_none_or(|visit| access.at.secs_since(visit.first) > VISIT_SECS);
        if begins {
            let visit = self.judge(access, identity, patient, standing, context);
            let explained = matches!(visit.verdict, Verdict::Explained { .. });
            self.learn(access, identity, patient, standing, explained);
            self.open.insert(key, visit);
        }
        let visit = self.open.entry(key).or_insert_with(|| {
            blank(access, identity, patient, standing, Verdict::Unexplained, Warmth::Cold)
        });
        if !begins {
            visit.last = access.at;
            visit.reads += 1;
        }
        (visit, begins)
    }

    /// The unit of a reader whom no roster places, learned from his patients.
    pub(crate) fn home(&self, identity: IdentityId) -> Option<UnitId> {
        self.homes.of(identity)
    }

    /// The visit that is open between a reader and a patient.
    pub(crate) fn open(&self, identity: IdentityId, patient: PatientId) -> Option<&Visit> {
        self.open.get(&(identity, patient))
    }

    pub(crate) fn close_day(&mut self, day: i32) {
        self.open.retain(|_, visit| visit.last.day() >= day);
        self.flow.close_day();
        self.lists.close_day();
        if day % 7 == 0 {
            self.own.retain(|_, last| day - *last < OWN_DAYS);
            self.units_of.retain(|_, opened| {
                opened.retain(|held| day - held.day < UNIT_DAYS);
                !opened.is_empty()
            });
        }
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.open.capacity() * size_of::<((IdentityId, PatientId), Visit)>()
            + self.own.capacity() * size_of::<((IdentityId, PatientId), i32)>()
            + self.homes.bytes_held()
            + self.lists.bytes_held()
            + self.units_of.capacity() * (size_of::<(PatientId, SmallVec<[Opened; 2]>)>())
    }

    fn judge(
        &mut self,
        access: &Access,
        identity: IdentityId,
        patient: PatientId,
        standing: Standing,
        context: &Context,
    ) -> Visit {
        let mut mine: Option<&Tie> = None;
        let mut units = Units::new();
        let hospital = standing.unit.map(|unit| context.hospital(unit));
        let mut waits = false;
        for tie in context.ties(patient).iter().filter(|tie| holds(tie, access)) {
            let on_a_list = match tie.kind {
                TieKind::Booking => access.at < tie.from,
                kind => kind == TieKind::Referral,
            };
            waits |= on_a_list
                && hospital.is_some()
                && tie.unit.map(|unit| context.hospital(unit)) == hospital;
            let of_unit = tie.unit.is_some() && tie.unit == standing.unit;
            if mine.is_none() && (tie.identity == Some(identity) || of_unit) {
                mine = Some(tie);
            }
            units.extend(tie.unit.filter(|unit| !units.contains(unit)));
        }
        let (mut verdict, mut warmth) = match mine {
            Some(tie) if tie.author == Some(identity) => {
                (Verdict::MadeByReader { template: template(tie.kind) }, Warmth::Unit)
            }
            Some(tie) => (Verdict::Explained { template: template(tie.kind) }, Warmth::Unit),
            None => self.by_custom(identity, patient, standing, access.at.day(), &units),
        };
        if warmth > Warmth::Near && self.was_near(access, patient, standing, context) {
            warmth = Warmth::Near;
        }
        waits &= verdict == Verdict::Unexplained;
        if verdict == Verdict::Unexplained && self.lists.explain(identity, standing, waits) {
            (verdict, warmth) = (Verdict::Explained { template: WAITING_LIST }, Warmth::Near);
        }
        self.lists.learn(identity, standing, waits);
        let first_ever = self.own.insert((identity, patient), access.at.day()).is_none();
        if !first_ever && warmth > Warmth::Unit {
            warmth = Warmth::Near;
        }
        if verdict == Verdict::Unexplained
            && !self.has_projects
            && is_project_work(access.purpose)
            && self.usual.never_treats(standing.role)
        {
            verdict = Verdict::CannotJudge { missing: "project" };
        }
        if let (Some(unit), None) = (standing.unit, mine) {
            self.flow.share(unit, &units);
        }
        if !standing.rostered {
            self.homes.learn(identity, &units);
        }
        let mut found = blank(access, identity, patient, standing, verdict, warmth);
        found.first_ever = first_ever;
        found.surprise = self.usual.surprise(&found);
        found
    }

    /// What no record tells: whether the reader's unit opens this patient anyhow, or keeps opening
    /// the patients of one of these units or of those that lately opened this one.
    fn by_custom(
        &self,
        identity: IdentityId,
        patient: PatientId,
        standing: Standing,
        day: i32,
        treating: &[UnitId],
    ) -> (Verdict, Warmth) {
        let mut units = Units::from_slice(treating);
        let opened = self.units_of.get(&patient).into_iter().flatten();
        let mut colleague = false;
        for held in opened.filter(|held| day - held.day < UNIT_DAYS && held.by != Some(identity)) {
            // One colleague's look-up that nothing explains makes no other one right; several are
            // how a unit works.
            if held.by.is_none() || held.explained {
                units.push(held.unit);
            } else {
                colleague |= Some(held.unit) == standing.unit;
            }
        }
        let (verdict, warmth) = self.flow.judge(standing, &units);
        (verdict, if colleague { warmth.min(Warmth::Near) } else { warmth })
    }

    /// Whether the reader's unit, or one near it, had to do with the patient within a year.
    fn was_near(
        &self,
        access: &Access,
        patient: PatientId,
        standing: Standing,
        context: &Context,
    ) -> bool {
        let of_the_year = |tie: &&Tie| {
            tie.known_at <= access.at
                && tie.to.plus_secs(AFTER_SECS) < access.at
                && access.at <= tie.to.plus_secs(YEAR_SECS)
        };
        let ties = context.ties(patient).iter().filter(of_the_year);
        let units: Units = ties.filter_map(|tie| tie.unit).collect();
        standing.unit.is_some() && self.flow.judge(standing, &units).1 <= Warmth::Near
    }

    fn learn(
        &mut self,
        access: &Access,
        identity: IdentityId,
        patient: PatientId,
        standing: Standing,
        explained: bool,
    ) {
        let day = access.at.day();
        let Some(unit) = standing.unit else { return };
        self.flow.visit(unit);
        let opened = self.units_of.entry(patient).or_default();
        if let Some(held) = opened.iter_mut().find(|held| held.unit == unit) {
            held.day = day;
            held.explained |= explained;
            if held.by != Some(identity) {
                held.by = None;
            }
        } else if opened.len() < UNITS_MAX {
            opened.push(Opened { unit, day, by: Some(identity), explained });
        }
    }
}

/// Whether a tie was known at the access, and near it in time.
fn holds(tie: &Tie, access: &Access) -> bool {
    tie.known_at <= access.at && near_in_time(tie, access.at)
}

/// Whether somebody whom a tie concerns has reason to open the record at this time.
pub(crate) fn near_in_time(tie: &Tie, at: Timestamp) -> bool {
    (awaits(tie.kind) || tie.from.minus_secs(BEFORE_SECS) <= at)
        && at <= tie.to.plus_secs(AFTER_SECS)
}

/// Whoever is booked or referred is on a list that somebody works through long before the day.
pub(crate) const fn awaits(kind: TieKind) -> bool {
    matches!(kind, TieKind::Booking | TieKind::Referral | TieKind::Order | TieKind::OrderRequest)
}

/// Work on a cohort, which a register of projects would settle. The reader states it himself, so it
/// explains nothing; but without the register nobody can tell.
fn is_project_work(purpose: PurposeSet) -> bool {
    purpose.has(PurposeSet::QUALITY) || purpose.has(PurposeSet::RESEARCH)
}

fn blank(
    access: &Access,
    identity: IdentityId,
    patient: PatientId,
    standing: Standing,
    verdict: Verdict,
    warmth: Warmth,
) -> Visit {
    Visit {
        identity,
        patient,
        first: access.at,
        last: access.at,
        reads: 1,
        grade: match access.kind {
            Kind::Export | Kind::Print => Grade::Taken,
            Kind::Search => Grade::Listed,
            _ => Grade::Opened,
        },
        source: access.source,
        host: access.host,
        client: access.client,
        found_by: access.found_by,
        purpose: access.purpose,
        unit: standing.unit,
        role: standing.role,
        verdict,
        warmth,
        surprise: 0.0,
        first_ever: true,
    }
}

pub(crate) const fn template(kind: TieKind) -> &'static str {
    match kind {
        TieKind::Stay | TieKind::Move => "stay_in_unit",
        TieKind::Booking => "booking",
        TieKind::Order | TieKind::OrderRequest => "order",
        TieKind::Referral => "referral",
        TieKind::CareTeam => "care_team",
        TieKind::Responsible => "standing_responsibility",
        TieKind::Task => "task",
        TieKind::Project => "project",
    }
}

pub(crate) const WAITING_LIST: &str = "waiting_list";
const VISIT_SECS: i64 = 12 * 3_600;
const BEFORE_SECS: i64 = 21 * 86_400;
const AFTER_SECS: i64 = 30 * 86_400;
const YEAR_SECS: i64 = 365 * 86_400;
const OWN_DAYS: i32 = 365;
/// A unit's own reading explains its colleagues' for so long.
const UNIT_DAYS: i32 = 14;
const UNITS_MAX: usize = 6;
