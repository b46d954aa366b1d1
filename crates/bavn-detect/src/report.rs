//! What a run shows of itself: how much was explained, what was expected, what it cost.

use crate::house::UnitWeek;
use crate::lots::{Lot, Lots};
use crate::observed::{CellReport, DetectorReport, LevelReport};
use crate::units::Units;
use crate::visit::{Verdict, Visit};
use bavn_model::{Context, IdentityId, Lane, RoleId};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Counts while a run goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) nameless: u64,
    pub(crate) explained_later: u64,
    #[serde(with = "crate::sorted")]
    roles: HashMap<Option<RoleId>, Shares, foldhash::fast::FixedState>,
    all: Shares,
    lanes: [LaneTally; LANES.len()],
    reader_days: u64,
    days: u64,
    /// Of this run: what is told of units and lots begins anew when a run goes on.
    #[serde(skip)]
    units: Units,
    #[serde(skip)]
    lots: Lots,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Shares {
    visits: u64,
    explained: u64,
    made_by_reader: u64,
    cannot_judge: u64,
    first_visits: u64,
    first_visits_explained: u64,
    cold: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct LaneTally {
    offered: u64,
    alarms: u64,
}

/// `bavn watch --report`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Days closed, and readers' days in them.
    pub days: u64,
    pub reader_days: u64,
    pub budget_per_10k_staff_day: f64,
    /// Staff that the budget is reckoned for, and the false alarms it allows so far.
    pub staff: f64,
    pub false_alarms_allowed: f64,
    pub accesses_without_reader: u64,
    /// Visits that a record explains which came after they had begun.
    pub visits_explained_later: u64,
    pub explained: RoleReport,
    pub by_role: Vec<RoleReport>,
    pub by_lane: Vec<LaneReport>,
    /// Cells of fewer than five readers are left out.
    pub by_unit: Vec<UnitWeek>,
    /// Visits that nothing explains and nothing alarmed on, drawn by lot.
    #[serde(skip)]
    pub drawn: Vec<Lot>,
    /// Odd days of readers against what the calibrated chances expect, since the region had a
    /// fortnight's history: by function and shift, and by detector.
    pub by_cell: Vec<CellReport>,
    pub by_detector: Vec<DetectorReport>,
    pub bytes_by_detector: Vec<(&'static str, usize)>,
    pub bytes_held: usize,
}

/// How much of a function's work is explained by records that somebody else made.
#[derive(Clone, Debug, Serialize)]
pub struct RoleReport {
    pub role: String,
    pub visits: u64,
    pub explained_share: f64,
    pub first_visits: u64,
    pub first_visits_explained_share: f64,
    pub made_by_reader: u64,
    pub cannot_judge: u64,
    pub cold: u64,
}

/// Candidates that a lane offered the queue, and how many of them were alarms.
#[derive(Clone, Debug, Serialize)]
pub struct LaneReport {
    pub lane: &'static str,
    pub offered: u64,
    pub alarms: u64,
}

impl Tally {
    pub(crate) fn visit(&mut self, role: Option<RoleId>, visit: &Visit, _first_of_day: bool) {
        self.units.visit(visit);
        self.lots.visit(role, visit);
        let of_role = self.roles.entry(role).or_default();
        for held in [of_role, &mut self.all] {
            let explained = u64::from(matches!(visit.verdict, Verdict::Explained { .. }));
            held.visits += 1;
            held.explained += explained;
            held.made_by_reader += u64::from(matches!(visit.verdict, Verdict::MadeByReader { .. }));
            held.cannot_judge += u64::from(matches!(visit.verdict, Verdict::CannotJudge { .. }));
            held.first_visits += u64::from(visit.first_ever);
            held.first_visits_explained += u64::from(visit.first_ever) * explained;
            held.cold += u64::from(crate::detectors::is_cold(visit));
        }
    }

    pub(crate) fn offered(&mut self, lane: Lane, is_alarm: bool) {
        let index = LANES.iter().position(|&(held, _)| held == lane);
        if let Some(held) = index.and_then(|index| self.lanes.get_mut(index)) {
            held.offered += 1;
            held.alarms += u64::from(is_alarm);
        }
    }

    pub(crate) fn close_day(&mut self, active: usize) {
        self.days += 1;
        self.reader_days += active as u64;
    }

    pub(crate) fn report(
        &self,
        context: &Context,
        budget: f64,
        staff: f64,
        is_suspect: impl Fn(IdentityId) -> bool,
        bytes: impl Iterator<Item = (&'static str, usize)>,
        bytes_held: usize,
    ) -> Report {
        let mut by_role: Vec<RoleReport> = self
            .roles
            .iter()
            .map(|(role, held)| {
                held.report(role.map_or("(none)", |role| context.role_name(role)).to_owned())
            })
            .collect();
        by_role.sort_by(|a, b| b.visits.cmp(&a.visits).then_with(|| a.role.cmp(&b.role)));
        Report {
            days: self.days,
            reader_days: self.reader_days,
            budget_per_10k_staff_day: budget,
            staff,
            false_alarms_allowed: budget * staff / 1e4 * self.days as f64,
            accesses_without_reader: self.nameless,
            visits_explained_later: self.explained_later,
            explained: self.all.report("(all)".to_owned()),
            by_role,
            by_lane: LANES
                .iter()
                .zip(&self.lanes)
                .map(|(&(_, lane), held)| LaneReport {
                    lane,
                    offered: held.offered,
                    alarms: held.alarms,
                })
                .collect(),
            by_unit: self.units.report(context),
            drawn: self.lots.drawn(is_suspect),
            by_cell: Vec::new(),
            by_detector: Vec::new(),
            bytes_by_detector: bytes.collect(),
            bytes_held,
        }
    }
}

/// For a person at a terminal; the file of JSON says more.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} days, {} readers' days, {:.0} staff; the budget of {} per 10,000 staff a day allows \
             {:.1} false alarms so far",
            self.days,
            self.reader_days,
            self.staff,
            self.budget_per_10k_staff_day,
            self.false_alarms_allowed
        )?;
        writeln!(
            f,
            "\n{:<24}{:>12}{:>12}{:>14}{:>12}",
            "explained", "visits", "share", "first visits", "share"
        )?;
        for role in std::iter::once(&self.explained).chain(&self.by_role) {
            writeln!(
                f,
                "{:<24}{:>12}{:>11.1}%{:>14}{:>11.1}%",
                role.role,
                role.visits,
                role.explained_share * 100.0,
                role.first_visits,
                role.first_visits_explained_share * 100.0
            )?;
        }
        writeln!(f, "\n{:<24}{:>12}{:>12}", "lane", "candidates", "alarms")?;
        for lane in &self.by_lane {
            writeln!(f, "{:<24}{:>12}{:>12}", lane.lane, lane.offered, lane.alarms)?;
        }
        writeln!(f, "\nodd days, observed / expected by chance (! surely outside 0.7 to 1.3)")?;
        for cell in &self.by_cell {
            let name = format!("{}, {}", cell.role, cell.shift);
            write!(f, "{name:<40}{:>8} days", cell.reader_days)?;
            write_levels(f, &cell.levels)?;
            writeln!(f)?;
        }
        for detector in &self.by_detector {
            write!(f, "{:<53}", detector.detector)?;
            write_levels(f, &detector.levels)?;
            writeln!(f)?;
        }
        Ok(())
    }
}

fn write_levels(f: &mut fmt::Formatter<'_>, levels: &[LevelReport]) -> fmt::Result {
    for level in levels {
        let mark = if level.off { "!" } else { " " };
        write!(f, "   {}: {:>4}/{:<7.1}{mark}", level.chance, level.observed, level.expected)?;
    }
    Ok(())
}

impl Shares {
    fn report(&self, role: String) -> RoleReport {
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        RoleReport {
            role,
            visits: self.visits,
            explained_share: share(self.explained, self.visits),
            first_visits: self.first_visits,
            first_visits_explained_share: share(self.first_visits_explained, self.first_visits),
            made_by_reader: self.made_by_reader,
            cannot_judge: self.cannot_judge,
            cold: self.cold,
        }
    }
}

const LANES: [(Lane, &str); 7] = [
    (Lane::Live, "live"),
    (Lane::Daily, "daily"),
    (Lane::Slow, "slow"),
    (Lane::Cohort, "cohort"),
    (Lane::Deterministic, "deterministic"),
    (Lane::Coverage, "coverage"),
    (Lane::Audit, "audit"),
];
