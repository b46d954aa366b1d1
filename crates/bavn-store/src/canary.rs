//! Reads on patients that were made up for it: did they all arrive?
//!
//! Only a measurement can bound what a source leaves out. Reads are planned, done at random times and
//! looked for; of `n` that are all found, less than `3 / n` are lost, at 95 % (the rule of three; here
//! the exact bound of Clopper and Pearson, 1934, so that some may be missing).

use crate::error::{Result, StoreError};
use crate::index::By;
use crate::names::Of;
use crate::reader::{Store, Window, With};
use crate::said::Canaries;
use bavn_model::Timestamp;
use std::collections::BTreeMap;

/// A read that was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRead {
    pub patient: String,
    pub at: Timestamp,
}

/// What was found of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    pub canaries: Canaries,
    /// Places in the plan, from 0, of reads that are not in the store.
    pub missing: Vec<usize>,
    /// Reads for which it is too early.
    pub not_due: u64,
}

impl Store {
    /// Looks for each planned read: a look-up of that patient within `tolerance_secs` of its time, each
    /// look-up for one read. A read is due `within_secs` after its time. `plan` is the digest of the
    /// plan's file.
    pub fn probe(
        &self,
        planned: &[PlannedRead],
        tolerance_secs: i64,
        within_secs: i64,
        now: Timestamp,
        plan: String,
    ) -> Result<Probed> {
        let is_due = |read: &PlannedRead| now.secs_since(read.at) >= within_secs;
        let mut of_patients: BTreeMap<&str, Vec<(usize, i64)>> = BTreeMap::new();
        let mut not_due = 0;
        let (mut from, mut to) = (i64::MAX, i64::MIN);
        for (place, read) in planned.iter().enumerate() {
            if !is_due(read) {
                not_due += 1;
                continue;
            }
            let at = read.at.micros();
            (from, to) = (from.min(at), to.max(at));
            of_patients.entry(&read.patient).or_default().push((place, at));
        }
        let mut missing = Vec::new();
        let tolerance = tolerance_secs.saturating_mul(1_000_000);
        let window = Window {
            from: Timestamp::from_micros(from.saturating_sub(tolerance)),
            to: Timestamp::from_micros(to.saturating_add(tolerance).saturating_add(1)),
        };
        for (patient, mut reads) in of_patients {
            let keys = match self.find(Of::Patient, "patient", patient) {
                Err(StoreError::Unknown { .. }) => Vec::new(),
                found => found?,
            };
            let mut times = Vec::new();
            self.look_ups(By::Patient, &keys, window, With::Nothing, |look_up| {
                times.push(look_up.at);
                Ok(())
            })?;
            times.sort_unstable();
            reads.sort_unstable_by_key(|&(_, at)| at);
            missing.extend(unmatched(&reads, &times, tolerance));
        }
        missing.sort_unstable();
        let due = planned.len() as u64 - not_due;
        let found = due - missing.len() as u64;
        let (from, to) = if due == 0 { (0, 0) } else { (from, to) };
        let loss_below = loss_below(due, due - found);
        let canaries = Canaries { planned: due, found, from, to, loss_below, plan };
        Ok(Probed { canaries, missing, not_due })
    }
}

/// Gives each read the earliest look-up that is free and near enough; both are sorted by time, so no
/// other way finds more.
fn unmatched(reads: &[(usize, i64)], times: &[i64], tolerance: i64) -> Vec<usize> {
    let mut free = times.iter().copied().peekable();
    let mut missing = Vec::new();
    for &(place, at) in reads {
        while free.next_if(|&time| time < at.saturating_sub(tolerance)).is_some() {}
        if free.next_if(|&time| time <= at.saturating_add(tolerance)).is_none() {
            missing.push(place);
        }
    }
    missing
}

/// The part of all reads that is lost at most, with 95 % confidence, if `missing` of `planned` are.
pub fn loss_below(planned: u64, missing: u64) -> f64 {
    if missing >= planned {
        return 1.0;
    }
    // The loss at which so few missing would happen once in twenty times.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if chance_of_at_most(planned, missing, middle) > 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// That of `planned` reads at most `missing` are lost, each with probability `loss`.
fn chance_of_at_most(planned: u64, missing: u64, loss: f64) -> f64 {
    let odds = (loss / (1.0 - loss)).ln();
    let mut log_term = planned as f64 * (-loss).ln_1p();
    let mut chance = log_term.exp();
    for lost in 1..=missing {
        log_term += ((planned - lost + 1) as f64 / lost as f64).ln() + odds;
        chance += log_term.exp();
    }
    chance
}

/// Finer than a double.
const HALVINGS: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    /// Against tables: 1 - 0.05^(1/n) where none is missing; Clopper and Pearson's upper bounds else.
    #[test]
    fn bounds_are_those_of_the_tables() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} {b}");
        near(loss_below(3_000, 0), 0.000_998);
        near(loss_below(10, 0), 0.258_9);
        near(loss_below(100, 1), 0.046_6);
        near(loss_below(20, 5), 0.455_6);
        assert!(loss_below(3_000, 0) < 0.001 && loss_below(2_990, 0) > 0.001);
        assert!((loss_below(0, 0) - 1.0).abs() < f64::EPSILON);
        assert!((loss_below(7, 7) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn each_look_up_stands_for_one_read() {
        assert_eq!(unmatched(&[(0, 10), (1, 12)], &[11], 5), [1]);
        assert_eq!(unmatched(&[(0, 10), (1, 12)], &[11, 13], 5), [0; 0]);
        assert_eq!(unmatched(&[(0, 10), (1, 30)], &[4, 36], 5), [0, 1]);
        assert_eq!(unmatched(&[(0, 10), (1, 30)], &[5, 35], 5), [0; 0]);
        assert_eq!(unmatched(&[(0, 0), (1, 10)], &[8, 9], 9), [0; 0]);
    }
}
