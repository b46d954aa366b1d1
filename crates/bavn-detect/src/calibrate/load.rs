//! What is today like for everybody?
//!
//! A major accident, an upgrade, a feed that stands still: on such a day many readers open patients
//! whom nothing explains. What the unit and the region share is divided out before anybody is
//! called unusual. One reader's part is capped, so that no thief makes his own weather.

use super::{Person, STREAMS};
use bavn_model::UnitId;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Unexplained patients of today against what as much work usually brings, by unit and in all.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Load {
    day: i32,
    #[serde(with = "crate::sorted")]
    units: HashMap<Option<UnitId>, Sums, foldhash::fast::FixedState>,
    region: Sums,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Sums {
    found: [f32; STREAMS],
    expected: [f32; STREAMS],
}

impl Load {
    /// How much more than usual each stream brings today; at least 1. Call after the visit is
    /// counted in `person`.
    pub(crate) fn note(&mut self, person: &Person, counted: [bool; STREAMS]) -> [f32; STREAMS] {
        if person.day != self.day {
            *self = Self { day: person.day, ..Self::default() };
        }
        let unit = self.units.entry(person.unit).or_default();
        let mut load = [1.0; STREAMS];
        let own = person.usual();
        let volume = own.first().copied().unwrap_or(1.0).max(1.0);
        for stream in 1..STREAMS {
            let usual = own.get(stream).copied().unwrap_or(0.0);
            let count = person.today.get(stream).copied().unwrap_or(0) as f32;
            let cap = PART_TIMES * usual + PART_MAX;
            let counts = counted.get(stream).copied().unwrap_or(false) && count <= cap;
            for sums in [&mut *unit, &mut self.region] {
                if let (Some(found), Some(expected)) =
                    (sums.found.get_mut(stream), sums.expected.get_mut(stream))
                {
                    *found += f32::from(u8::from(counts));
                    *expected += usual / volume;
                }
            }
            let at = |values: &[f32; STREAMS]| values.get(stream).copied().unwrap_or(0.0);
            // Without the reader's own part.
            let part = count.min(cap);
            let region =
                ratio(at(&self.region.found) - part, at(&self.region.expected), 1.0, REGION_PRIOR);
            let of_unit = ratio(at(&unit.found) - part, at(&unit.expected), region, UNIT_PRIOR);
            if let Some(load) = load.get_mut(stream) {
                *load = of_unit.clamp(1.0, LOAD_MAX);
            }
        }
        load
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.units.capacity() * size_of::<(Option<UnitId>, Sums)>()
    }
}

fn ratio(found: f32, expected: f32, prior: f32, weight: f32) -> f32 {
    (found.max(0.0) + weight * prior) / (expected + weight)
}

const PART_TIMES: f32 = 2.0;
const PART_MAX: f32 = 2.0;
/// Expected patients that "as usual" is worth.
const REGION_PRIOR: f32 = 30.0;
const UNIT_PRIOR: f32 = 5.0;
const LOAD_MAX: f32 = 30.0;
