//! Do innocent days look as odd as often as the chances say?
//!
//! A calibrated chance of one in a hundred should fall to one reader's day in a hundred, in every cell of
//! function and shift. Where it surely does not, the report says so.

use crate::calibrate::{Person, Shift};
use bavn_model::{Context, RoleId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of readers' days since the region had some history.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Observed {
    cells: BTreeMap<Cell, Counts>,
    /// For each detector: channels' days, and how many were at least as odd as each level.
    columns: Vec<(u64, [u64; LEVELS.len()])>,
}

/// Readers who should be alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Cell {
    role: Option<RoleId>,
    shift: Shift,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Counts {
    visits: u64,
    reader_days: u64,
    observed: [u64; LEVELS.len()],
}

/// One cell in `bavn watch --report`.
#[derive(Clone, Debug, Serialize)]
pub struct CellReport {
    pub role: String,
    pub shift: &'static str,
    pub visits: u64,
    pub reader_days: u64,
    pub levels: Vec<LevelReport>,
}

/// Readers' days at least as odd as a calibrated chance says.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LevelReport {
    pub chance: f64,
    pub expected: f64,
    pub observed: u64,
    /// Surely (99 %) outside 0.7 to 1.3 times what was expected. Thefts count as well.
    pub off: bool,
}

/// One detector in `bavn watch --report`.
#[derive(Clone, Debug, Serialize)]
pub struct DetectorReport {
    pub detector: &'static str,
    pub levels: Vec<LevelReport>,
}

impl Observed {
    /// A reader's day is over; `p` is its combined chance.
    pub(crate) fn note(&mut self, person: &Person, p: f64) {
        let counts = self.cells.entry(Cell::of(person)).or_default();
        counts.visits += u64::from(person.today.first().copied().unwrap_or(0));
        counts.reader_days += 1;
        for (level, observed) in LEVELS.into_iter().zip(&mut counts.observed) {
            *observed += u64::from(p <= level);
        }
    }

    /// One channel of a detector on one reader's day.
    pub(crate) fn note_column(&mut self, detector: usize, p: f64) {
        if self.columns.len() <= detector {
            self.columns.resize(detector + 1, (0, [0; LEVELS.len()]));
        }
        let Some((days, observed)) = self.columns.get_mut(detector) else { return };
        *days += 1;
        for (level, observed) in LEVELS.into_iter().zip(observed) {
            *observed += u64::from(p <= level);
        }
    }

    pub(crate) fn report_cells(&self, context: &Context) -> Vec<CellReport> {
        let mut cells: Vec<CellReport> = self
            .cells
            .iter()
            .map(|(cell, counts)| CellReport {
                role: cell.role.map_or("(none)", |role| context.role_name(role)).to_owned(),
                shift: shift_name(cell.shift),
                visits: counts.visits,
                reader_days: counts.reader_days,
                levels: levels(counts.reader_days, counts.observed),
            })
            .collect();
        cells.sort_by(|a, b| (&a.role, a.shift).cmp(&(&b.role, b.shift)));
        cells
    }

    pub(crate) fn report_detectors(&self, names: &[&'static str]) -> Vec<DetectorReport> {
        let each = names.iter().zip(&self.columns);
        each.map(|(&detector, &(days, observed))| DetectorReport {
            detector,
            levels: levels(days, observed),
        })
        .collect()
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.cells.len() * size_of::<(Cell, Counts)>()
    }
}

impl Cell {
    fn of(person: &Person) -> Self {
        Self { role: person.role, shift: person.shift }
    }
}

fn levels(days: u64, observed: [u64; LEVELS.len()]) -> Vec<LevelReport> {
    let each = LEVELS.into_iter().zip(observed);
    each.map(|(chance, observed)| {
        let expected = days as f64 * chance;
        let (low, high) = (limit(observed as f32, -Z), limit(observed as f32 + 1.0, Z));
        let off = f64::from(low) > f64::from(OVER) * expected
            || f64::from(high) < f64::from(UNDER) * expected;
        LevelReport { chance, expected, observed, off }
    })
    .collect()
}

/// A limit of the mean of a Poisson count (Byar's approximation).
fn limit(count: f32, z: f32) -> f32 {
    if count <= 0.0 {
        return 0.0;
    }
    count * (1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt())).max(0.0).powi(3)
}

const fn shift_name(shift: Shift) -> &'static str {
    match shift {
        Shift::Day => "day",
        Shift::Evening => "evening",
        Shift::Night => "night",
        Shift::WeekendDay => "weekend day",
        Shift::WeekendEvening => "weekend evening",
        Shift::WeekendNight => "weekend night",
    }
}

const LEVELS: [f64; 3] = [0.01, 0.003, 0.001];
/// For 99 %.
const Z: f32 = 2.576;
const OVER: f32 = 1.3;
const UNDER: f32 = 0.7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_off_on_both_sides_and_only_if_chance_alone_does_not_make_it_so() {
        let off = |days, observed| levels(days, [observed; LEVELS.len()])[0].off;
        assert!(!off(1_000, 10) && !off(1_000, 15) && !off(100, 3));
        assert!(off(1_000, 40) && off(10_000, 30));
    }
}
