//! Puts look-ups of one patient by one reader together, and asks the records for a reason.

use crate::calibrate::Standing;
use crate::visit::{Grade, Verdict, Visit, Warmth};
use bavn_model::{Access, Context, IdentityId, Kind, PatientId, Tie, TieKind};
use hashbrown::HashMap;

/// The visits of the last half day.
#[derive(Debug)]
pub(crate) struct Visits {
    open: HashMap<(IdentityId, PatientId), Visit, foldhash::fast::FixedState>,
}

impl Visits {
    pub(crate) fn new(_context: &Context) -> Self {
        Self { open: HashMap::default() }
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
        let held = self.open.get(&(identity, patient));
        let first_ever = held.is_none();
        let begins = held.is_none_or(|visit| access.at.secs_since(visit.first) > VISIT_SECS);
        let visit = self
            .open
            .entry((identity, patient))
            .or_insert_with(|| judge(access, identity, patient, standing, context, true));
        if begins {
            *visit = judge(access, identity, patient, standing, context, first_ever);
        } else {
            visit.last = access.at;
            visit.reads += 1;
        }
        (visit, begins)
    }

    pub(crate) fn close_day(&mut self, day: i32) {
        self.open.retain(|_, visit| visit.last.day() >= day);
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.open.capacity() * size_of::<((IdentityId, PatientId), Visit)>()
    }
}

fn judge(
    access: &Access,
    identity: IdentityId,
    patient: PatientId,
    standing: Standing,
    context: &Context,
    first_ever: bool,
) -> Visit {
    let ties = context.ties(patient);
    let known = || ties.iter().filter(|tie| tie.known_at <= access.at);
    let mine = |tie: &&Tie| {
        tie.identity == Some(identity) || (tie.unit.is_some() && tie.unit == standing.unit)
    };
    let near_in_time = |tie: &&Tie| {
        tie.from.minus_secs(BEFORE_SECS) <= access.at && access.at <= tie.to.plus_secs(AFTER_SECS)
    };
    let verdict = match known().filter(mine).find(near_in_time) {
        Some(tie) if tie.author == Some(identity) => {
            Verdict::MadeByReader { template: template(tie.kind) }
        }
        Some(tie) => Verdict::Explained { template: template(tie.kind) },
        None => Verdict::Unexplained,
    };
    let warmth = if known().any(|tie| tie.identity == Some(identity)) {
        Warmth::Own
    } else if known().any(|tie| mine(&tie)) {
        Warmth::Unit
    } else if known().any(|tie| near_in_time(&tie)) {
        Warmth::Elsewhere
    } else {
        Warmth::Cold
    };
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
        surprise: match (verdict, warmth) {
            (Verdict::Explained { .. }, _) => 0.0,
            (_, Warmth::Cold) => 6.0,
            (_, Warmth::Elsewhere) => 4.0,
            _ => 2.0,
        },
        first_ever,
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

const VISIT_SECS: i64 = 12 * 3_600;
const BEFORE_SECS: i64 = 7 * 86_400;
const AFTER_SECS: i64 = 30 * 86_400;
