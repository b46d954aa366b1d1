//! Look-ups by the stay or visit that they belong to, the newest first.

use super::words::Words;
use bavn_detect::cases::Zone;
use bavn_detect::words::post;
use bavn_model::{Context, Directory, PatientId, Tie, TieKind, Timestamp};
use bavn_store::{Reading, Who};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What the hospital's systems add to a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'c> {
    pub(crate) directory: &'c Directory,
    pub(crate) context: &'c Context,
}

/// Look-ups that belong together.
#[derive(Debug)]
pub(crate) struct Group<'w> {
    pub(crate) about: About,
    /// The newest first.
    pub(crate) rows: Vec<Row<'w>>,
}

/// What holds look-ups together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    /// The patient was there.
    Stay { from: Timestamp, to: Timestamp, unit: Option<String> },
    /// No stay is known: a day's work of one unit, or of one source.
    Day { day: i32, place: Option<String> },
}

/// One look-up, with what the reader was at the time.
#[derive(Debug)]
pub(crate) struct Row<'w> {
    pub(crate) reading: &'w Reading,
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) unit: Option<String>,
}

/// All look-ups of a report.
pub(crate) fn groups<'w>(who: &'w Who, around: Option<Around<'_>>) -> Vec<Group<'w>> {
    let patient = around.and_then(|around| around.directory.patients.find(&who.patient));
    let mut found: BTreeMap<About, Vec<Row<'w>>> = BTreeMap::new();
    for reading in who.readings.iter().rev() {
        let [name, role, unit] = around.map_or([const { None }; 3], |around| around.post(reading));
        let stay = around.zip(patient).and_then(|(around, of)| around.stay(of, reading.at));
        let about = stay.unwrap_or_else(|| About::Day {
            day: Zone::default().local(reading.at).day(),
            place: unit.clone().or_else(|| reading.source.clone()),
        });
        found.entry(about).or_default().push(Row { reading, name, role, unit });
    }
    let mut groups: Vec<Group<'w>> =
        found.into_iter().map(|(about, rows)| Group { about, rows }).collect();
    groups.sort_by_key(|group| Reverse(group.rows.first().map(|row| row.reading.at)));
    groups
}

impl Around<'_> {
    /// Name of a reader, role and unit when he looked.
    pub(crate) fn post(&self, reading: &Reading) -> [Option<String>; 3] {
        let who = reading.who.as_deref().and_then(|who| self.directory.identities.find(who));
        let Some(identity) = who else { return [const { None }; 3] };
        let held = self.context.assignments(identity).iter().rev();
        let now = held.clone().find(|held| held.from <= reading.at && reading.at < held.to);
        let role = now.and_then(|held| held.role).map(|role| self.context.role_name(role));
        let unit = now.and_then(|held| held.unit).and_then(|unit| self.context.unit(unit));
        let role = role.filter(|name| !name.is_empty()).map(str::to_owned);
        let name = self.context.staff_name(identity).map(str::to_owned);
        [name, role, unit.map(|unit| unit.name.clone())]
    }

    /// The stay or visit during which a look-up was made; of several, the one that began last.
    fn stay(&self, patient: PatientId, at: Timestamp) -> Option<About> {
        let is_stay =
            |tie: &&Tie| matches!(tie.kind, TieKind::Stay | TieKind::Move | TieKind::Booking);
        let ties = self.context.ties(patient).iter().filter(is_stay);
        let now = ties.filter(|tie| {
            Timestamp::start_of_day(tie.from.day()) <= at
                && at < Timestamp::start_of_day(tie.to.day().saturating_add(1))
        });
        let tie = now.max_by_key(|tie| (tie.from, tie.unit.is_some(), tie.to))?;
        let unit = tie.unit.and_then(|unit| self.context.unit(unit));
        Some(About::Stay { from: tie.from, to: tie.to, unit: unit.map(|unit| unit.name.clone()) })
    }
}

impl About {
    pub(super) fn title(&self, words: &Words) -> String {
        match self {
            Self::Stay { from, to, unit } => {
                let unit = unit
                    .as_deref()
                    .map(|unit| format!(", {}", post(words.language, unit)))
                    .unwrap_or_default();
                let (from, last) = (words.date(*from), words.date(*to));
                if *to == Timestamp::MAX {
                    format!("{}{unit}, {from} –", words.stay)
                } else if from == last {
                    format!("{}{unit}, {from}", words.stay)
                } else {
                    format!("{}{unit}, {from} – {last}", words.stay)
                }
            }
            Self::Day { day, place } => {
                let place = place
                    .as_deref()
                    .map(|place| format!(", {}", post(words.language, place)))
                    .unwrap_or_default();
                format!("{}{place}", words.date(Timestamp::start_of_day(*day).plus_secs(43_200)))
            }
        }
    }
}
