//! Puts look-ups of one patient by one reader together, and asks the records for a reason.
//!
//! A record made by somebody else that ties the patient to the reader or his unit explains. What
//! no record tells is learned: which units' patients a unit keeps opening.

use crate::calibrate::Standing;
use crate::homes::Homes;
use crate::visit::{Grade, Verdict, Visit, Warmth};
use bavn_model::{
    Access, Context, IdentityId, Kind, PatientId, PurposeSet, RoleId, Tie, TieKind, UnitId,
};
use hashbrown::HashMap;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// The visits of the last half day, and what was learned from those before.
#[derive(Debug)]
pub(crate) struct Visits {
    open: Map<(IdentityId, PatientId), Visit>,
    /// Day on which a reader last opened a patient.
    own: Map<(IdentityId, PatientId), i32>,
    /// Units that lately opened a patient, by two readers at least where `by` is none.
    units_of: Map<PatientId, Vec<Opened>>,
    flow: Flow,
    homes: Homes,
    usual: Usual,
    /// Whether the context names projects, with whom they may read.
    has_projects: bool,
}

#[derive(Clone, Copy, Debug)]
struct Opened {
    unit: UnitId,
    day: i32,
    /// The only reader so far; none when there were several.
    by: Option<IdentityId>,
    /// A record explained one of them.
    explained: bool,
}

/// How often a unit opens the patients of another one.
#[derive(Debug, Default)]
struct Flow {
    /// (reader's unit, patient's unit): visits, fading.
    visits: Map<(UnitId, UnitId), f32>,
    /// All visits of a unit, fading.
    of_unit: Map<UnitId, f32>,
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

    pub(crate) fn close_day(&mut self, day: i32) {
        self.open.retain(|_, visit| visit.last.day() >= day);
        for visits in self.flow.visits.values_mut().chain(self.flow.of_unit.values_mut()) {
            *visits *= FADE;
        }
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
            + self.units_of.capacity() * (size_of::<(PatientId, Vec<Opened>)>() + 24)
    }

    fn judge(
        &mut self,
        access: &Access,
        identity: IdentityId,
        patient: PatientId,
        standing: Standing,
        context: &Context,
    ) -> Visit {
        let day = access.at.day();
        let ties = context.ties(patient);
        let known = || ties.iter().filter(|tie| tie.known_at <= access.at);
        let mine = |tie: &&Tie| {
            tie.identity == Some(identity) || (tie.unit.is_some() && tie.unit == standing.unit)
        };
        let near_in_time = |tie: &&Tie| {
            tie.from.minus_secs(BEFORE_SECS) <= access.at
                && access.at <= tie.to.plus_secs(AFTER_SECS)
        };
        let held = |template, verdict, warmth| {
            let _: &'static str = template;
            blank(access, identity, patient, standing, verdict, warmth)
        };
        let first_ever = !self.own.contains_key(&(identity, patient));
        let mut found = match known().filter(mine).find(near_in_time) {
            Some(tie) if tie.author == Some(identity) => {
                let template = template(tie.kind);
                held(template, Verdict::MadeByReader { template }, Warmth::Unit)
            }
            Some(tie) => {
                let template = template(tie.kind);
                held(template, Verdict::Explained { template }, Warmth::Unit)
            }
            None => {
                let mut units: Vec<UnitId> =
                    known().filter(near_in_time).filter_map(|tie| tie.unit).collect();
                let opened = self.units_of.get(&patient).into_iter().flatten();
                let lately =
                    opened.filter(|held| day - held.day < UNIT_DAYS && held.by != Some(identity));
                let mut colleague = false;
                for held in lately {
                    // One colleague's look-up that nothing explains makes no other one right;
                    // several are how a unit works.
                    if held.by.is_none() || held.explained {
                        units.push(held.unit);
                    } else {
                        colleague |= Some(held.unit) == standing.unit;
                    }
                }
                let (verdict, mut warmth) = self.flow.judge(standing, &units);
                if colleague {
                    warmth = warmth.min(Warmth::Near);
                }
                held("flow_between_units", verdict, warmth)
            }
        };
        found.first_ever = first_ever;
        if !first_ever && found.warmth > Warmth::Unit {
            found.warmth = Warmth::Near;
        }
        if found.verdict == Verdict::Unexplained
            && !self.has_projects
            && is_project_work(access.purpose)
            && self.usual.never_treats(standing.role)
        {
            found.verdict = Verdict::CannotJudge { missing: "project" };
        }
        found.surprise = self.usual.surprise(&found);
        let theirs = known().filter(mine).find(near_in_time).is_none();
        if theirs || !standing.rostered {
            let mut seen: Vec<UnitId> =
                known().filter(near_in_time).filter_map(|tie| tie.unit).collect();
            seen.sort_unstable();
            seen.dedup();
            if let Some(unit) = standing.unit.filter(|_| theirs) {
                for &other in &seen {
                    *self.flow.visits.entry((unit, other)).or_default() += 1.0;
                }
            }
            if !standing.rostered {
                self.homes.learn(identity, &seen);
            }
        }
        found
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
        self.own.insert((identity, patient), day);
        let Some(unit) = standing.unit else { return };
        *self.flow.of_unit.entry(unit).or_default() += 1.0;
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

/// How often a visit of a function is unexplained, and how far away then.
#[derive(Debug, Default)]
struct Usual {
    roles: Map<Option<RoleId>, RoleVisits>,
}

#[derive(Clone, Copy, Debug, Default)]
struct RoleVisits {
    all: f32,
    /// With a stated purpose, and with treatment as such.
    stated: f32,
    treating: f32,
    unexplained: [f32; WARMTHS],
}

impl Usual {
    /// `-ln` of the share of the function's visits so far that are as far from an explanation; 0
    /// when explained.
    fn surprise(&mut self, visit: &Visit) -> f32 {
        let held = self.roles.entry(visit.role).or_default();
        held.all += 1.0;
        held.stated += f32::from(u8::from(!visit.purpose.is_empty()));
        held.treating += f32::from(u8::from(visit.purpose.has(PurposeSet::TREATMENT)));
        if matches!(visit.verdict, Verdict::Explained { .. }) {
            return 0.0;
        }
        let warmth = visit.warmth as usize;
        let as_far: f32 = held.unexplained.iter().skip(warmth).sum();
        if let Some(count) = held.unexplained.get_mut(warmth) {
            *count += 1.0;
        }
        if matches!(visit.verdict, Verdict::CannotJudge { .. }) {
            return 0.0;
        }
        let wrong = WRONG_PATIENTS * held.all + UNEXPLAINED_SHIPPED;
        ((held.all + VISITS_SHIPPED) / (as_far + wrong)).ln()
    }
}

impl Usual {
    /// A function whose stated purposes are hardly ever treatment: coding, registries, billing.
    fn never_treats(&self, role: Option<RoleId>) -> bool {
        let held = role.and_then(|role| self.roles.get(&Some(role)));
        held.is_some_and(|held| {
            held.stated >= STATED_MIN && held.treating < TREATING_MAX * held.stated
        })
    }
}

/// Work on a cohort, which a register of projects would settle. The reader states it himself, so it
/// explains nothing; but without the register nobody can tell.
fn is_project_work(purpose: PurposeSet) -> bool {
    purpose.has(PurposeSet::QUALITY) || purpose.has(PurposeSet::RESEARCH)
}

impl Flow {
    fn judge(&self, standing: Standing, units: &[UnitId]) -> (Verdict, Warmth) {
        if units.is_empty() {
            return (Verdict::Unexplained, Warmth::Cold);
        }
        let Some(reader) = standing.unit else {
            // Somebody treats the patient; whether the reader belongs there, nobody knows.
            let verdict = if standing.rostered {
                Verdict::Unexplained
            } else {
                Verdict::CannotJudge { missing: "roster" }
            };
            return (verdict, Warmth::Elsewhere);
        };
        if units.contains(&reader) {
            return (Verdict::Explained { template: "colleagues_of_unit" }, Warmth::Unit);
        }
        let all = self.of_unit.get(&reader).copied().unwrap_or(0.0) + 20.0;
        let most = units
            .iter()
            .filter_map(|&unit| self.visits.get(&(reader, unit)))
            .fold(0.0_f32, |most, &visits| most.max(visits));
        let share = most / all;
        if most >= FLOW_VISITS_MIN && share >= FLOW_EXPLAINS {
            (Verdict::Explained { template: "flow_between_units" }, Warmth::Near)
        } else if share >= FLOW_NEAR {
            (Verdict::Unexplained, Warmth::Near)
        } else {
            (Verdict::Unexplained, Warmth::Elsewhere)
        }
    }
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

const fn template(kind: TieKind) -> &'static str {
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

const WARMTHS: usize = 5;
/// Before a function has any visits: one in twenty is unexplained.
const VISITS_SHIPPED: f32 = 100.0;
const UNEXPLAINED_SHIPPED: f32 = 5.0;
/// Share of visits that are to the wrong patient, however orderly a log has been so far.
const WRONG_PATIENTS: f32 = 0.002;
/// Stated purposes of a function, from which on they tell what it does.
const STATED_MIN: f32 = 200.0;
const TREATING_MAX: f32 = 0.05;
const VISIT_SECS: i64 = 12 * 3_600;
const BEFORE_SECS: i64 = 21 * 86_400;
const AFTER_SECS: i64 = 30 * 86_400;
const OWN_DAYS: i32 = 365;
/// A unit's own reading explains its colleagues' for so long.
const UNIT_DAYS: i32 = 14;
const UNITS_MAX: usize = 6;
const FADE: f32 = 0.97;
const FLOW_VISITS_MIN: f32 = 30.0;
/// Share of a unit's visits that go to another unit's patients.
const FLOW_EXPLAINS: f32 = 0.03;
const FLOW_NEAR: f32 = 0.006;
