//! How much of a unit's work do records explain, week by week? Never of a person.

use crate::house::UnitWeek;
use crate::visit::{Verdict, Visit};
use bavn_model::{Context, IdentityId, UnitId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Counts by unit and week.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Units {
    cells: BTreeMap<(UnitId, i32), Cell>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Cell {
    visits: u64,
    explained: u64,
    cannot_judge: u64,
    /// Of a week that is over: how many; its set is let go.
    readers_then: u64,
    readers: BTreeSet<IdentityId>,
}

impl Units {
    pub(crate) fn visit(&mut self, visit: &Visit) {
        let Some(unit) = visit.unit else { return };
        let week = monday(visit.first.day());
        let is_new = !self.cells.contains_key(&(unit, week));
        if is_new && let Some(over) = self.cells.get_mut(&(unit, week - OPEN_DAYS)) {
            over.readers_then = over.readers.len() as u64;
            over.readers = BTreeSet::new();
        }
        let cell = self.cells.entry((unit, week)).or_default();
        cell.visits += 1;
        cell.explained += u64::from(matches!(visit.verdict, Verdict::Explained { .. }));
        cell.cannot_judge += u64::from(matches!(visit.verdict, Verdict::CannotJudge { .. }));
        if cell.readers_then == 0 {
            cell.readers.insert(visit.identity);
        }
    }

    /// By unit and week; a cell of fewer than [`READERS_MIN`] readers is left out, since it could
    /// be a person's.
    pub(crate) fn report(&self, context: &Context) -> Vec<UnitWeek> {
        let shown = self.cells.iter().filter_map(|(&(unit, week), cell)| {
            let readers = cell.readers_then.max(cell.readers.len() as u64);
            let unit = context.unit(unit)?.name.clone();
            let (visits, explained, cannot_judge) =
                (cell.visits, cell.explained, cell.cannot_judge);
            (readers >= READERS_MIN).then_some(UnitWeek {
                unit,
                week,
                visits,
                explained,
                cannot_judge,
                readers,
            })
        });
        let mut shown: Vec<UnitWeek> = shown.collect();
        shown.sort_by(|a, b| (&a.unit, a.week).cmp(&(&b.unit, b.week)));
        shown
    }
}

/// The Monday of a day's week; the epoch was a Thursday.
fn monday(day: i32) -> i32 {
    day - (day + 3).rem_euclid(7)
}

const READERS_MIN: u64 = 5;
/// A week is over when the one after the next has begun.
const OPEN_DAYS: i32 = 14;

#[cfg(test)]
mod tests {
    use super::*;
    use bavn_model::{ContextBuilder, Timestamp, Unit};

    fn visit(unit: u32, identity: u32, day: i64, verdict: Verdict) -> Visit {
        let first = Timestamp::from_secs(day * 86_400);
        let unit = Some(UnitId(unit));
        Visit { first, unit, verdict, ..crate::lots::tests::visit(identity) }
    }

    #[test]
    fn a_cell_of_four_is_no_cell() {
        let mut builder = ContextBuilder::default();
        for name in ["ward", "office"] {
            let id = builder.directory.units.intern(name);
            builder.units.push(Unit { id, name: name.to_owned(), part_of: None });
        }
        let context = builder.build().1;
        let mut units = Units::default();
        for week in 0..5 {
            for reader in 0..5 {
                let verdict = Verdict::Explained { template: "stay" };
                units.visit(&visit(0, reader, 4 + week * 7, verdict));
                units.visit(&visit(0, reader, 5 + week * 7, Verdict::Unexplained));
            }
            for reader in 0..4 {
                units.visit(&visit(1, reader, 4 + week * 7, Verdict::Unexplained));
            }
        }
        let report = units.report(&context);
        assert_eq!(report.len(), 5, "{report:?}");
        assert!(report.iter().all(|cell| cell.unit == "ward" && cell.readers == 5));
        assert!(report.iter().all(|cell| (cell.visits, cell.explained) == (10, 5)));
        assert_eq!(report[0].week, 4, "1970-01-05 was a Monday");
    }
}
