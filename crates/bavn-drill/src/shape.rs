//! What kind of region is it?
//!
//! No two regions are alike, and what is measured on one kind alone is tuned to it: rhythm, desks,
//! identifiers, how much work no record explains, and which records are missing all differ.

use crate::chance::{happens, stream};

/// Traits of one region beside its size and its tidiness.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Work that no record explains, as a multiple of the usual share.
    pub unexplained: f64,
    /// Share of ward staff who work round the clock.
    pub rotating_share: f64,
    pub shift_hours: i64,
    /// Hour (UTC) at which the day shift begins.
    pub day_begins_hour: i64,
    /// Share of staff with a desk of their own; the others share their unit's workstations.
    pub own_desk_share: f64,
    pub identifiers: Identifiers,
    pub missing: Missing,
    /// Day and number of days in which no record of care reaches anybody until they are over.
    pub outage: Option<(i32, i32)>,
}

/// How patients are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifiers {
    /// In the order in which they came.
    Sequential,
    /// By a rule that scatters neighbours.
    Scattered,
}

impl Identifiers {
    /// The number of a patient; each has one of its own.
    pub(crate) const fn number(self, index: usize) -> usize {
        match self {
            Self::Sequential => index,
            // A unit of a prime field: different for every index below the prime.
            Self::Scattered => (index * 7_654_321 + 17) % PATIENTS_PRIME,
        }
    }
}

/// What the region's systems do not hand over, beside what tidiness leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Nothing,
    Appointments,
    /// No post of anybody in the first hospital.
    Roster,
    /// Orders are known a day after they were made.
    OrdersLate,
    /// One in five has no post on record.
    HrGaps,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            unexplained: 1.0,
            rotating_share: 0.6,
            shift_hours: 8,
            day_begins_hour: 7,
            own_desk_share: 0.3,
            identifiers: Identifiers::Sequential,
            missing: Missing::Nothing,
            outage: None,
        }
    }
}

impl Shape {
    /// A shape of its own for each seed, in a log of `days`.
    pub fn of_seed(seed: u64, days: i32) -> Self {
        let mut rng = stream(seed, "shape");
        let missing = [
            Missing::Nothing,
            Missing::Nothing,
            Missing::Appointments,
            Missing::Roster,
            Missing::OrdersLate,
            Missing::HrGaps,
        ];
        Self {
            unexplained: 0.5 + 1.1 * rng.f64(),
            rotating_share: 0.3 + 0.5 * rng.f64(),
            shift_hours: if happens(&mut rng, 0.3) { 12 } else { 8 },
            day_begins_hour: rng.i64(5..9),
            own_desk_share: 0.05 + 0.65 * rng.f64(),
            identifiers: if happens(&mut rng, 0.5) {
                Identifiers::Sequential
            } else {
                Identifiers::Scattered
            },
            missing: missing[rng.usize(0..missing.len())],
            outage: (days > 10 && happens(&mut rng, 0.5))
                .then(|| (rng.i32(days / 2..days - 2), rng.i32(1..3))),
        }
    }

    /// In a few words, for a table of regions.
    pub fn in_words(&self) -> String {
        let missing = match self.missing {
            Missing::Nothing => "nothing missing",
            Missing::Appointments => "no appointments",
            Missing::Roster => "no roster in one hospital",
            Missing::OrdersLate => "orders a day late",
            Missing::HrGaps => "HR gaps",
        };
        let numbers = match self.identifiers {
            Identifiers::Sequential => "numbered in order",
            Identifiers::Scattered => "scattered numbers",
        };
        let outage = if self.outage.is_some() { ", an outage" } else { "" };
        format!(
            "unexplained work x{:.1}, {} h shifts, {:.0} % own desks, {numbers}, {missing}{outage}",
            self.unexplained,
            self.shift_hours,
            self.own_desk_share * 100.0
        )
    }
}

/// More than any region has patients.
const PATIENTS_PRIME: usize = 9_999_991;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_patient_has_a_number_of_its_own() {
        for identifiers in [Identifiers::Sequential, Identifiers::Scattered] {
            let numbers: BTreeSet<usize> = (0..50_000).map(|i| identifiers.number(i)).collect();
            assert_eq!(numbers.len(), 50_000);
        }
    }

    #[test]
    fn seeds_differ_and_a_seed_does_not() {
        let words: BTreeSet<String> =
            (0..20).map(|seed| Shape::of_seed(seed, 60).in_words()).collect();
        assert!(words.len() > 15, "{words:?}");
        assert_eq!(Shape::of_seed(3, 60).in_words(), Shape::of_seed(3, 60).in_words());
    }
}
