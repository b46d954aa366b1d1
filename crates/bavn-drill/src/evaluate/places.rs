//! Rows on where look-ups come from, and on logs that say nothing.

use super::bar::thieves;
use super::outcome::{RegionOutcome, Thief};
use super::rows::{Asked, Met, Row, percent, percent_span, share_row};
use super::statistics;
use crate::score::time;
use bavn_model::Timestamp;

pub(crate) fn rows(outcomes: &[RegionOutcome]) -> Vec<Row> {
    let found = |thief: &Thief| thief.found();
    let in_days =
        |most: usize| move |thief: &Thief| thief.days_to_alarm.is_some_and(|days| days <= most);
    vec![
        share_row(
            "linked: a stranger a week on each account, one address; named at all",
            (">= 70 %", ">= 90 %"),
            &thieves(outcomes, "linked"),
            &Asked { share: 0.7, of: &found },
            &Asked { share: 0.9, of: &found },
        ),
        share_row(
            "account used elsewhere while its owner is at work",
            ("always; <= 2 working days", "day 1"),
            &thieves(outcomes, "two_places"),
            &Asked { share: 1.0, of: &in_days(2) },
            &Asked { share: 1.0, of: &in_days(1) },
        ),
        share_row(
            "thief who stops the log after eight minutes",
            ("always", "always, same hour"),
            &thieves(outcomes, "log_cut"),
            &Asked { share: 1.0, of: &found },
            &Asked { share: 1.0, of: &in_days(1) },
        ),
        silences(outcomes),
    ]
}

/// Logs that were silent for an hour or more, and whether that was told within [`TOLD_SECS`].
fn silences(outcomes: &[RegionOutcome]) -> Row {
    let (mut told, mut all, mut others, mut days) = (0, 0, 0, 0.0);
    for outcome in outcomes {
        let lines: Vec<Timestamp> = outcome
            .watched
            .alarms
            .iter()
            .filter(|alarm| alarm.detectors.iter().any(|name| name == SILENCE))
            .map(|alarm| alarm.at)
            .collect();
        let entries = outcome.truth.truth.iter();
        let silent = entries.filter(|entry| matches!(&*entry.name, "silent_log" | "log_cut"));
        let begins: Vec<Timestamp> =
            silent.filter_map(|entry| entry.start.as_deref().and_then(time)).collect();
        let within =
            |line: Timestamp, begin: Timestamp| (0..=TOLD_SECS).contains(&line.secs_since(begin));
        let is_told = |begin: &&Timestamp| lines.iter().any(|&line| within(line, **begin));
        told += begins.iter().filter(is_told).count();
        all += begins.len();
        let is_other = |line: &&Timestamp| !begins.iter().any(|&begin| within(**line, begin));
        others += lines.iter().filter(is_other).count();
        days += f64::from(outcome.plan.settings.days);
    }
    let share = statistics::share(told, all);
    let mut row = Row {
        what: "silent logs told within four hours, naming nobody".to_owned(),
        bar: "-".to_owned(),
        moonshot: "-".to_owned(),
        measured: format!(
            "{told} of {all} ({}); {others} other lines on sources in {days:.0} days of regions",
            percent(share.value)
        ),
        interval: percent_span(share),
        n: format!("{all} silences"),
        met: Met::Shown,
    };
    if all == 0 {
        row.not_measured();
    }
    row
}

/// The detector that tells of sources.
const SILENCE: &str = "source_silence";
const TOLD_SECS: i64 = 4 * 3_600 + 600;
