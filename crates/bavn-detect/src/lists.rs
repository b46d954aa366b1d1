//! Who works through the lists of those who wait?
//!
//! Whoever is booked or referred is on a list that an office of the same hospital reviews, letters
//! and moves, and no record says which member of it will. That a function does so is learned: where
//! several of it keep opening waiting patients whom nothing else explains, waiting explains. Bookings
//! are entered late or not at all: who is amid such a list today is taken to open the rest of it too.

use crate::calibrate::Standing;
use bavn_model::{IdentityId, RoleId};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// How often each function opens patients who wait for another unit of the hospital.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lists {
    #[serde(with = "crate::sorted")]
    roles: HashMap<RoleId, Reviews, foldhash::fast::FixedState>,
    #[serde(with = "crate::sorted")]
    today: HashMap<IdentityId, Today, foldhash::fast::FixedState>,
}

/// A reader's visits that a list explains, and those that nothing does.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Today {
    listed: u32,
    unexplained: u32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Reviews {
    /// Fading.
    visits: f32,
    waiting: f32,
    readers: SmallVec<[IdentityId; READERS_MIN]>,
}

impl Lists {
    /// Whether the list explains a visit that no record explains.
    pub(crate) fn explain(
        &mut self,
        identity: IdentityId,
        standing: Standing,
        waits: bool,
    ) -> bool {
        if !self.are_of(standing.role) {
            return false;
        }
        let today = self.today.entry(identity).or_default();
        today.listed += u32::from(waits);
        today.unexplained += u32::from(!waits);
        waits || (today.listed >= LISTED_MIN && today.listed >= LISTED_TIMES * today.unexplained)
    }

    /// Learns from a visit that no record explains, if the patient waits, and from any other.
    pub(crate) fn learn(&mut self, identity: IdentityId, standing: Standing, waits: bool) {
        let Some(role) = standing.role else { return };
        let held = self.roles.entry(role).or_default();
        held.visits += 1.0;
        if waits {
            held.waiting += 1.0;
            if held.readers.len() < READERS_MIN && !held.readers.contains(&identity) {
                held.readers.push(identity);
            }
        }
    }

    /// Whether working through such lists is what the function does.
    fn are_of(&self, role: Option<RoleId>) -> bool {
        role.and_then(|role| self.roles.get(&role)).is_some_and(|held| {
            held.readers.len() >= READERS_MIN
                && held.waiting >= WAITING_MIN
                && held.waiting >= SHARE_MIN * held.visits
        })
    }

    pub(crate) fn close_day(&mut self) {
        self.today.clear();
        for held in self.roles.values_mut() {
            held.visits *= FADE;
            held.waiting *= FADE;
        }
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.roles.capacity() * size_of::<(RoleId, Reviews)>()
            + self.today.capacity() * size_of::<(IdentityId, Today)>()
    }
}

/// So many of a function, at least, make a habit.
const READERS_MIN: usize = 4;
const WAITING_MIN: f32 = 40.0;
/// Of the function's visits. Strangers taken from a register by a few are fewer.
const SHARE_MIN: f32 = 0.02;
/// Patients of a list before the rest of it is believed, and how many for each that is not on it.
const LISTED_MIN: u32 = 15;
const LISTED_TIMES: u32 = 4;
const FADE: f32 = 0.98;
