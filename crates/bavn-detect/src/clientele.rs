//! Whom does a unit usually treat?
//!
//! What a reader's patients share says something only beyond what the patients of his unit share
//! anyhow: an orthopaedic ward reads the hip register's cohort, and a local hospital its own valley.

use crate::visit::{Verdict, Visit};
use bavn_model::{Context, PatientId, UnitId};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// What patients may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Attribute {
    /// A list, by its index in the context.
    Group(u32),
    /// Of their address.
    Area(u32),
    /// Year of birth.
    Born(i32),
}

/// Explained visits of every unit: how many, and how many to patients with each attribute.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Clientele {
    #[serde(with = "crate::sorted")]
    visits: HashMap<UnitId, f32, foldhash::fast::FixedState>,
    #[serde(with = "crate::sorted")]
    with: HashMap<(UnitId, Attribute), f32, foldhash::fast::FixedState>,
}

impl Clientele {
    /// Learns from a visit that begins.
    pub(crate) fn note(&mut self, visit: &Visit, context: &Context) {
        let (Some(unit), Verdict::Explained { .. }) = (visit.unit, visit.verdict) else { return };
        *self.visits.entry(unit).or_default() += 1.0;
        for attribute in attributes_of(visit.patient, context) {
            *self.with.entry((unit, attribute)).or_default() += 1.0;
        }
    }

    /// The attribute's share of the unit's patients, or of all where the unit has fewer.
    pub(crate) fn share(&self, unit: Option<UnitId>, attribute: Attribute, of_all: f32) -> f32 {
        let Some(unit) = unit else { return of_all };
        let visits = self.visits.get(&unit).copied().unwrap_or(0.0);
        let with = self.with.get(&(unit, attribute)).copied().unwrap_or(0.0);
        of_all.max((with + VISITS_SHIPPED * of_all) / (visits + VISITS_SHIPPED))
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.visits.capacity() * size_of::<(UnitId, f32)>()
            + self.with.capacity() * size_of::<((UnitId, Attribute), f32)>()
    }
}

pub(crate) fn attributes_of(
    patient: PatientId,
    context: &Context,
) -> impl Iterator<Item = Attribute> {
    let of = context.patient(patient);
    let groups = context
        .groups()
        .iter()
        .enumerate()
        .filter(move |(_, group)| group.members.binary_search(&patient).is_ok())
        .map(|(index, _)| Attribute::Group(index as u32));
    groups
        .chain(of.postal_area.map(Attribute::Area))
        .chain(of.born.map(|day| Attribute::Born(day.div_euclid(365))))
}

/// Visits before a unit's own share speaks.
const VISITS_SHIPPED: f32 = 100.0;
