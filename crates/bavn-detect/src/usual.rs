//! What is usual for a function: how often is a visit of it unexplained, and what does it do?

use crate::visit::{Verdict, Visit};
use bavn_model::{PurposeSet, RoleId};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// How often a visit of a function is unexplained, and how far away then.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Usual {
    #[serde(with = "crate::sorted")]
    roles: HashMap<Option<RoleId>, RoleVisits, foldhash::fast::FixedState>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
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
    pub(crate) fn surprise(&mut self, visit: &Visit) -> f32 {
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
    pub(crate) fn never_treats(&self, role: Option<RoleId>) -> bool {
        let held = role.and_then(|role| self.roles.get(&Some(role)));
        held.is_some_and(|held| {
            held.stated >= STATED_MIN && held.treating < TREATING_MAX * held.stated
        })
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
