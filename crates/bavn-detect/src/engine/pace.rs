//! How many readers are judged a day, which is how many chances of a false alarm there are?

use super::SYSTEM_CLASS;
use serde::{Deserialize, Serialize};

/// How many readers work on a day, which is how many chances of a false alarm there are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Pace {
    active_per_day: f64,
    systems_per_day: f64,
    pub(super) staff: f64,
    /// The budget's, which is set and not learned.
    #[serde(skip)]
    line: f64,
}

impl Pace {
    /// `line`: false alarms for one of the staff a day that the hospital accepts.
    pub(super) fn new(staff: usize, line: f64) -> Self {
        let staff = staff as f64;
        Self {
            active_per_day: (staff * ACTIVE_SHIPPED).max(1.0),
            systems_per_day: 1.0,
            staff: staff.max(STAFF_MIN),
            line,
        }
    }

    /// Tests a day for one of the staff, each worth the share that its kind has of the budget.
    pub(super) fn tests(&self, class: u8) -> f64 {
        if class == SYSTEM_CLASS {
            // Few accounts in a large region: the budget would bear one of them every night.
            let fewest = self.line / SYSTEM_CHANCE_MAX;
            (self.systems_per_day / self.staff / SYSTEMS_SHARE).max(fewest)
        } else {
            self.active_per_day / self.staff / PEOPLE_SHARE
        }
    }

    /// Takes over what was learned, but not the budget.
    pub(super) fn go_on(&mut self, saved: Self) {
        *self = Self { line: self.line, ..saved };
    }

    pub(super) fn learn(&mut self, active: usize, systems: usize, met: usize) {
        // Never fewer than worked on a day of the last weeks: an upper bound keeps the budget.
        self.active_per_day = (self.active_per_day * 0.9).max((active - systems) as f64).max(1.0);
        self.systems_per_day = (self.systems_per_day * 0.9).max(systems as f64).max(1.0);
        self.staff = self.staff.max(met as f64);
    }
}

/// Shares of the budget: findings on one person, on one system account, and on many at once.
pub(super) const PEOPLE_SHARE: f64 = 0.7;
const SYSTEMS_SHARE: f64 = 0.1;
pub(super) const COHORT_SHARE: f64 = 0.2;
/// Of staff, on a day, before any day was seen.
const ACTIVE_SHIPPED: f64 = 0.6;
const STAFF_MIN: f64 = 20.0;
/// One night in a hundred of an account's own past is no alarm, however large the budget.
const SYSTEM_CHANCE_MAX: f64 = 0.01;
