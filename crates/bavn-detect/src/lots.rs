//! Which ordinary look-ups does somebody look into, so that what no detector sees is met too?
//!
//! ## Source
//! Of the visits that nothing explains, those with the lowest lots of each function are kept: a
//! uniform draw without knowing how many there will be (bottom-k sampling).

use crate::visit::{Verdict, Visit};
use bavn_model::{IdentityId, RoleId, Timestamp, UnitId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One visit, drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// Says nothing of reader or patient.
    pub lot: u64,
    pub identity: IdentityId,
    pub at: Timestamp,
    pub role: Option<RoleId>,
    pub unit: Option<UnitId>,
    pub first_ever: bool,
}

/// The draw, by function.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lots {
    roles: BTreeMap<Option<RoleId>, BTreeMap<u64, Lot>>,
}

impl Lots {
    pub(crate) fn visit(&mut self, role: Option<RoleId>, visit: &Visit) {
        if visit.verdict != Verdict::Unexplained {
            return;
        }
        let lot = drawn(visit);
        let held = self.roles.entry(role).or_default();
        if held.len() >= SPARE && held.last_key_value().is_some_and(|(&last, _)| lot > last) {
            return;
        }
        let (identity, at, unit, first_ever) =
            (visit.identity, visit.first, visit.unit, visit.first_ever);
        held.insert(lot, Lot { lot, identity, at, role, unit, first_ever });
        if held.len() > SPARE {
            held.pop_last();
        }
    }

    /// The lowest of each function among readers whom no finding names.
    pub(crate) fn drawn(&self, is_suspect: impl Fn(IdentityId) -> bool) -> Vec<Lot> {
        let of_role = |held: &BTreeMap<u64, Lot>| -> Vec<Lot> {
            let quiet = held.values().filter(|lot| !is_suspect(lot.identity));
            quiet.take(OF_A_ROLE).copied().collect()
        };
        let mut drawn: Vec<Lot> = self.roles.values().flat_map(of_role).collect();
        drawn.sort_by_key(|lot| (lot.role, lot.lot));
        drawn
    }
}

/// The lot of a visit: as good as random, and the same in every run.
fn drawn(visit: &Visit) -> u64 {
    let parts = [
        u64::from(visit.identity.0),
        u64::from(visit.patient.0),
        visit.first.micros().cast_unsigned(),
    ];
    parts.into_iter().fold(0x9e37_79b9_7f4a_7c15, |hash: u64, part| {
        let mixed = (hash ^ part).wrapping_mul(0xff51_afd7_ed55_8ccd);
        (mixed ^ (mixed >> 32)).wrapping_mul(0xc4ce_b9fe_1a85_ec53) ^ (mixed >> 29)
    })
}

/// Of each function: half an hour's work for a person, over all functions of a hospital.
const OF_A_ROLE: usize = 3;
/// Kept in case those before turn out to be alarmed on.
const SPARE: usize = 24;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::visit::{Grade, Warmth};
    use bavn_model::{PatientId, PurposeSet};

    pub(crate) fn visit(identity: u32) -> Visit {
        Visit {
            identity: IdentityId(identity),
            patient: PatientId(identity * 7),
            first: Timestamp::from_secs(i64::from(identity) * 60),
            last: Timestamp::default(),
            reads: 1,
            grade: Grade::Opened,
            source: None,
            host: None,
            client: None,
            found_by: None,
            purpose: PurposeSet::default(),
            unit: None,
            role: None,
            verdict: Verdict::Unexplained,
            warmth: Warmth::Cold,
            surprise: 0.0,
            first_ever: true,
        }
    }

    #[test]
    fn a_few_of_each_function_are_drawn_and_nobody_who_is_alarmed_on() {
        let mut lots = Lots::default();
        for identity in 0..1_000 {
            let role = Some(RoleId(identity % 2));
            let explained = Verdict::Explained { template: "stay" };
            let verdict = if identity % 10 == 0 { explained } else { Verdict::Unexplained };
            lots.visit(role, &Visit { verdict, ..visit(identity) });
        }
        let first = lots.drawn(|_| false);
        assert_eq!(first.len(), 2 * OF_A_ROLE);
        assert!(first.iter().all(|lot| lot.identity.0 % 10 != 0), "explained ones are not drawn");
        let out = first[0].identity;
        let second = lots.drawn(|identity| identity == out);
        assert_eq!(second.len(), first.len());
        assert!(second.iter().all(|lot| lot.identity != out));
    }

    #[test]
    fn every_visit_has_the_same_chance() {
        let mut low = 0;
        for identity in 0..4_000 {
            low += usize::from(drawn(&visit(identity)) < u64::MAX / 4);
        }
        assert!((900..1_100).contains(&low), "{low} of 4000 in the lowest quarter");
    }
}
