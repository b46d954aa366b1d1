//! Where does somebody work whom no roster places?
//!
//! Whoever is missing from the roster still opens the patients of some unit day after day. That unit
//! stands in for the roster's, for explaining and for comparing; strangers' records are spread over
//! all units, and make none of them a home.

use bavn_model::{IdentityId, UnitId};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Units whose patients each reader without a roster opens.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Homes {
    #[serde(with = "crate::sorted")]
    readers: HashMap<IdentityId, Units, foldhash::fast::FixedState>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Units {
    visits: f32,
    held: Vec<(UnitId, f32)>,
}

impl Homes {
    /// The unit, once enough visits show it.
    pub(crate) fn of(&self, identity: IdentityId) -> Option<UnitId> {
        let units = self.readers.get(&identity).filter(|units| units.visits >= VISITS_MIN)?;
        let most = units.held.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        (most.1 >= SHARE_MIN * units.visits).then_some(most.0)
    }

    /// Learns from a visit to a patient of these units.
    pub(crate) fn learn(&mut self, identity: IdentityId, of_patient: &[UnitId]) {
        let units = self.readers.entry(identity).or_default();
        units.visits += 1.0;
        for &unit in of_patient {
            if let Some(held) = units.held.iter_mut().find(|held| held.0 == unit) {
                held.1 += 1.0;
            } else if units.held.len() < UNITS_MAX {
                units.held.push((unit, 1.0));
            }
        }
        if units.visits >= VISITS_MAX {
            units.visits /= 2.0;
            units.held.iter_mut().for_each(|held| held.1 /= 2.0);
            units.held.retain(|held| held.1 >= 1.0);
        }
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.readers.capacity() * size_of::<(IdentityId, Units)>()
            + self.readers.values().map(|units| units.held.capacity() * 8).sum::<usize>()
    }
}

const VISITS_MIN: f32 = 15.0;
const VISITS_MAX: f32 = 400.0;
const SHARE_MIN: f32 = 0.25;
/// Units counted of one reader.
const UNITS_MAX: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_shows_and_strangers_make_none() {
        let mut homes = Homes::default();
        let (nurse, thief) = (IdentityId(1), IdentityId(2));
        for number in 0..30 {
            homes.learn(nurse, &[UnitId(number % 3), UnitId(7)]);
            homes.learn(thief, &[UnitId(number % 20)]);
        }
        assert_eq!(homes.of(nurse), Some(UnitId(7)));
        assert_eq!(homes.of(thief), None);
        assert_eq!(homes.of(IdentityId(3)), None);
    }

    #[test]
    fn old_habits_fade() {
        let mut homes = Homes::default();
        for number in 0..2_000 {
            homes.learn(IdentityId(1), &[UnitId(u32::from(number >= 1_000))]);
        }
        assert_eq!(homes.of(IdentityId(1)), Some(UnitId(1)));
    }
}
