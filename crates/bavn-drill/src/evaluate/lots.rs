//! Which regions an evaluation makes, and what is stolen in each.

use crate::chance::stream;
use crate::region::Settings;
use crate::shape::Shape;

/// What is asked of an evaluation.
#[derive(Clone, Debug)]
pub struct EvaluationPlan {
    pub seeds: std::ops::RangeInclusive<u64>,
    /// Of an untidy region; the others are about as large.
    pub staff: usize,
    pub patients: usize,
    pub days: i32,
    /// Of the regions of ordinary tidiness.
    pub tidiness: f64,
    /// Regions without any theft.
    pub clean: usize,
    /// With a region of [`LARGE_STAFF`].
    pub large: bool,
}

/// What a region is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lot {
    /// Everything that hospitals do and every kind of theft.
    Untidy,
    /// Ordinary tidiness and a few thieves.
    Ordinary,
    /// Nobody steals.
    Clean,
    /// So large that a spray is thin.
    Large,
}

/// One region to be made.
#[derive(Clone, Debug)]
pub struct RegionPlan {
    pub lot: Lot,
    pub settings: Settings,
}

impl EvaluationPlan {
    /// Every region, the longest to watch first.
    pub fn regions(&self) -> Vec<RegionPlan> {
        let mut regions = Vec::new();
        if self.large {
            regions.push(self.large_region());
        }
        for seed in self.seeds.clone() {
            regions.push(self.untidy(seed));
            for (place, mix) in MIXES.iter().enumerate() {
                regions.push(self.ordinary(seed, place, mix));
            }
        }
        for seed in 0..self.clean as u64 {
            regions.push(self.clean_region(seed));
        }
        regions
    }

    fn settings(&self, seed: u64, attacks: &[&str]) -> Settings {
        Settings {
            staff: self.staff,
            patients: self.patients,
            days: self.days,
            seed,
            attacks: attacks.iter().map(|&name| name.to_owned()).collect(),
            tidiness: self.tidiness,
            quiet_days: self.days * 2 / 5,
            shape: Shape::of_seed(seed, self.days),
            ..Settings::default()
        }
    }

    fn untidy(&self, seed: u64) -> RegionPlan {
        let mut settings = self.settings(seed, &UNTIDY_THEFTS);
        settings.tidiness = UNTIDY;
        RegionPlan { lot: Lot::Untidy, settings }
    }

    /// Of a size and density of its own.
    fn sized(&self, seed: u64, attacks: &[&str]) -> Settings {
        let mut settings = self.settings(seed, attacks);
        let mut rng = stream(seed, "size");
        let staff = self.staff as f64 * (0.6 + rng.f64());
        let patients_each = self.patients as f64 / self.staff as f64 * (0.6 + 0.9 * rng.f64());
        settings.staff = staff as usize;
        settings.patients = (staff * patients_each) as usize;
        settings
    }

    fn ordinary(&self, seed: u64, place: usize, mix: &[&str]) -> RegionPlan {
        // Seeds of their own, so that no two regions are the same life with other thieves.
        let mut settings = self.sized(seed * 100 + 10 + place as u64, mix);
        if mix.iter().any(|name| name.starts_with("sprayed")) {
            settings.staff = self.staff * 8 / 5;
        }
        if mix.contains(&IN_OUTAGE) && settings.shape.outage.is_none() {
            settings.shape.outage = Some((self.days * 2 / 3, 1));
        }
        RegionPlan { lot: Lot::Ordinary, settings }
    }

    fn clean_region(&self, seed: u64) -> RegionPlan {
        let mut settings = self.sized(1_000_000 + seed, &[]);
        // From ordinary to untidy by turns.
        let untidy = (seed % 5) as f64 / 4.0;
        settings.tidiness = self.tidiness + (UNTIDY - self.tidiness) * untidy;
        RegionPlan { lot: Lot::Clean, settings }
    }

    fn large_region(&self) -> RegionPlan {
        let mut settings =
            self.settings(*self.seeds.start() + 5_000, &["sprayed:accounts=50:take=3:days=1"]);
        settings.staff = LARGE_STAFF;
        settings.patients = LARGE_STAFF * 40;
        settings.days = LARGE_DAYS;
        settings.quiet_days = LARGE_DAYS - 4;
        settings.shape = Shape::of_seed(settings.seed, LARGE_DAYS);
        RegionPlan { lot: Lot::Large, settings }
    }
}

/// Tidiness of an untidy region: records late or missing, clocks apart.
const UNTIDY: f64 = 0.1;
/// Staff of the large region.
pub const LARGE_STAFF: usize = 10_000;
const LARGE_DAYS: i32 = 18;

const UNTIDY_THEFTS: [&str; 22] = [
    "burst_night",
    "burst_day",
    "blend",
    "slow",
    "half_own_unit",
    "sprayed:accounts=20",
    "dripped",
    "batch_in_profile",
    "api_ordered",
    "api_random",
    "vip",
    "news",
    "household",
    "co_worker",
    "neighbour",
    "targeting",
    "leaver",
    "search_harvest",
    "covering",
    "dormant",
    "batch_elsewhere",
    "own_record",
];

pub(crate) const SLOW: &str = "slow:take=10:accounts=2";
pub(crate) const SLOW_COVERED: &str = "slow:take=10:cover=20:accounts=2";
pub(crate) const SLOW_POISONED: &str = "slow:take=10:poison=60:accounts=2";
pub(crate) const SLOW_HALF_OWN: &str = "slow:take=10:own=0.5:accounts=2";
pub(crate) const SLOW_MOSTLY_OWN: &str = "slow:take=10:own=0.9:accounts=2";
pub(crate) const SLOWEST: &str = "slow:share=0.1:days=45:accounts=2";
pub(crate) const IN_OUTAGE: &str = "slow:take=10:outage=1";

/// Thieves of the regions of ordinary tidiness: a handful in each, so that one does not hide or
/// give away the next.
const MIXES: [&[&str]; 6] = [
    &["burst_night:take=3000", "api_ordered", "leaver", SLOW, "household"],
    &["api_random", "blend", "batch_elsewhere", SLOW_COVERED, "co_worker"],
    &[SLOWEST, SLOW_HALF_OWN, "dormant", "targeting:take=12", "own_record"],
    &[SLOW_POISONED, SLOW_MOSTLY_OWN, "vip", IN_OUTAGE, "batch_in_profile"],
    &["sprayed:accounts=40:take=15:days=1", "burst_day", "household", "co_worker", "own_record"],
    &["linked", "two_places", "log_cut"],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attacks::{ATTACKS, AttackPlan};
    use std::collections::BTreeSet;

    #[test]
    fn regions_differ_and_every_kind_is_stolen() {
        let plan = EvaluationPlan {
            seeds: 1..=3,
            staff: 500,
            patients: 40_000,
            days: 75,
            tidiness: 0.6,
            clean: 20,
            large: true,
        };
        let regions = plan.regions();
        assert_eq!(regions.len(), 1 + 3 * (1 + MIXES.len()) + 20);
        let seeds: BTreeSet<u64> = regions.iter().map(|region| region.settings.seed).collect();
        assert_eq!(seeds.len(), regions.len(), "two regions share a seed");
        let names: BTreeSet<&str> = UNTIDY_THEFTS
            .iter()
            .chain(MIXES.into_iter().flatten())
            .map(|written| AttackPlan::parse(written).unwrap().name)
            .collect();
        assert_eq!(names.len(), ATTACKS.len());
        let sizes: BTreeSet<usize> = regions.iter().map(|region| region.settings.staff).collect();
        assert!(sizes.len() > 20, "{sizes:?}");
    }
}
