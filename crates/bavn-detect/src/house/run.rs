//! What a run of the watch came to, as a house keeps it.

use crate::lots::Lot;
use crate::report::Report;
use bavn_model::{Context, Directory, Timestamp};
use serde::{Deserialize, Serialize};

/// One run. Holds no patient; of members of staff only those whose look-ups were drawn by lot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    pub look_ups: u64,
    pub identities: u64,
    pub patients: u64,
    pub findings: u64,
    pub alarms: u64,
    pub days: u64,
    pub staff: f64,
    pub budget_per_10k_staff_day: f64,
    pub false_alarms_allowed: f64,
    pub visits: u64,
    pub explained_share: f64,
    pub cannot_judge: u64,
    pub inputs: Vec<SourceCount>,
    pub lanes: Vec<LaneCount>,
    pub units: Vec<UnitWeek>,
    pub drawn: Vec<Drawn>,
}

/// What an input gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCount {
    pub input: String,
    pub read: u64,
    pub rejected: u64,
}

/// Candidates that a lane offered the queue, and how many of them were alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneCount {
    pub lane: String,
    pub offered: u64,
    pub alarms: u64,
}

/// How much of a unit's work in a week records explain: of units, never of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitWeek {
    pub unit: String,
    /// The Monday, in days since the epoch.
    pub week: i32,
    pub visits: u64,
    pub explained: u64,
    pub cannot_judge: u64,
    /// Different readers, by which small cells are told.
    pub readers: u64,
}

/// A visit that nothing explains and nothing alarmed on, drawn by lot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// Of the lot: says nothing of reader or patient.
    pub lot: String,
    pub at: Timestamp,
    pub reader: String,
    pub role: String,
    pub unit: String,
    pub first_ever: bool,
}

impl Run {
    pub fn of(report: &Report, directory: &Directory, context: &Context) -> Self {
        let all = &report.explained;
        let unit = |unit| context.unit(unit).map(|unit| unit.name.clone());
        let drawn = |lot: &Lot| Drawn {
            lot: format!("{:016x}", lot.lot),
            at: lot.at,
            reader: directory.identities.name(lot.identity).to_owned(),
            role: lot.role.map_or("", |role| context.role_name(role)).to_owned(),
            unit: lot.unit.and_then(unit).unwrap_or_default(),
            first_ever: lot.first_ever,
        };
        Self {
            days: report.days,
            staff: report.staff,
            budget_per_10k_staff_day: report.budget_per_10k_staff_day,
            false_alarms_allowed: report.false_alarms_allowed,
            visits: all.visits,
            explained_share: all.explained_share,
            cannot_judge: all.cannot_judge,
            lanes: report
                .by_lane
                .iter()
                .map(|lane| LaneCount {
                    lane: lane.lane.to_owned(),
                    offered: lane.offered,
                    alarms: lane.alarms,
                })
                .collect(),
            units: report.by_unit.clone(),
            drawn: report.drawn.iter().map(drawn).collect(),
            identities: directory.identities.len() as u64,
            patients: directory.patients.len() as u64,
            ..Self::default()
        }
    }

    /// What only the one who read the inputs knows.
    pub fn with(self, look_ups: u64, findings: u64, alarms: u64, inputs: Vec<SourceCount>) -> Self {
        Self { look_ups, findings, alarms, inputs, ..self }
    }
}
