//! Whose patients does a unit keep opening?
//!
//! What no record tells is learned: a ward, its consultants and its laboratory share patients every
//! day, and a visit along such a path is explained by it.

use crate::calibrate::Standing;
use crate::visit::{Verdict, Warmth};
use bavn_model::UnitId;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// How often a unit opens the patients of another one.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// (reader's unit, patient's unit): visits, fading.
    #[serde(with = "crate::sorted")]
    visits: HashMap<(UnitId, UnitId), f32, foldhash::fast::FixedState>,
    /// All visits of a unit, fading.
    #[serde(with = "crate::sorted")]
    of_unit: HashMap<UnitId, f32, foldhash::fast::FixedState>,
}

impl Flow {
    /// A visit of one of the unit.
    pub(crate) fn visit(&mut self, unit: UnitId) {
        *self.of_unit.entry(unit).or_default() += 1.0;
    }

    /// A visit of one of the unit to a patient of these others.
    pub(crate) fn share(&mut self, unit: UnitId, others: &[UnitId]) {
        for &other in others {
            *self.visits.entry((unit, other)).or_default() += 1.0;
        }
    }

    pub(crate) fn close_day(&mut self) {
        for visits in self.visits.values_mut().chain(self.of_unit.values_mut()) {
            *visits *= FADE;
        }
    }

    /// Whether the patients of these units are the reader's unit's as well.
    pub(crate) fn judge(&self, standing: Standing, units: &[UnitId]) -> (Verdict, Warmth) {
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

const FADE: f32 = 0.97;
const FLOW_VISITS_MIN: f32 = 30.0;
/// Share of a unit's visits that go to another unit's patients.
const FLOW_EXPLAINS: f32 = 0.08;
const FLOW_NEAR: f32 = 0.006;
