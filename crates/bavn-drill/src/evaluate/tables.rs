//! The table as Markdown and as CSV.

use super::lots::Lot;
use super::outcome::RegionOutcome;
use super::rows::{Met, Row, duration, percent};
use super::statistics::{mean, median};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The rows as Markdown, shortfalls first, and what stands behind them.
pub fn markdown(rows: &[Row], outcomes: &[RegionOutcome]) -> String {
    let mut text = String::new();
    let count = |met: Met| rows.iter().filter(|row| row.met == met).count();
    let _ = writeln!(
        text,
        "{} rows missed, {} met, {} of them at the moonshot.\n",
        count(Met::Missed),
        count(Met::Bar) + count(Met::Moonshot),
        count(Met::Moonshot)
    );
    text.push_str("| what | bar | moonshot | measured | 95 % interval | n | |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in rows {
        let Row { what, bar, moonshot, measured, interval, n, met } = row;
        let met = met.in_words();
        let _ = writeln!(
            text,
            "| {what} | {bar} | {moonshot} | {measured} | {interval} | {n} | {met} |"
        );
    }
    text.push_str(&by_theft(outcomes));
    text.push_str(&by_detector(outcomes));
    text.push_str(&by_region(outcomes));
    text
}

/// The rows for a spreadsheet.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from("what,bar,moonshot,measured,interval_95,n,met\n");
    for row in rows {
        let met = row.met.in_words().trim_matches('*');
        let Row { what, bar, moonshot, measured, interval, n, .. } = row;
        let cells = [what, bar, moonshot, measured, interval, n].map(|cell| cell.replace('"', "'"));
        let _ = writeln!(text, "\"{}\",{met}", cells.join("\",\""));
    }
    text
}

/// Every kind of theft in the untidy regions.
fn by_theft(outcomes: &[RegionOutcome]) -> String {
    let mut by_name: BTreeMap<&str, Vec<&super::Thief>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.is(Lot::Untidy)) {
        for thief in &outcome.thieves {
            by_name.entry(&thief.name).or_default().push(thief);
        }
    }
    let mut text = String::from(
        "\n## Each kind of theft in the untidy regions\n\n\
         | theft | named | patients lost, of those wanted | median time to the alarm |\n|---|---|---|---|\n",
    );
    for (name, thieves) in by_name {
        let found = thieves.iter().filter(|thief| thief.found()).count();
        let lost: usize = thieves.iter().map(|thief| thief.lost).sum();
        let wanted: usize = thieves.iter().map(|thief| thief.taken_after_secs.len()).sum();
        let secs: Vec<f64> = thieves
            .iter()
            .map(|thief| thief.secs_to_alarm().map_or(f64::INFINITY, |secs| secs as f64))
            .collect();
        let _ = writeln!(
            text,
            "| {name} | {found} of {} | {} of {wanted} | {} |",
            thieves.len(),
            lost,
            duration(median(&secs))
        );
    }
    text
}

/// Which detectors cry wolf, in the clean regions.
fn by_detector(outcomes: &[RegionOutcome]) -> String {
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    let clean = outcomes.iter().filter(|outcome| outcome.is(Lot::Clean));
    for alarm in clean.flat_map(|outcome| &outcome.false_alarms) {
        *by_name.entry(&alarm.detector).or_default() += 1;
    }
    let mut text = String::from("\n## False alarms of the clean regions by leading detector\n\n");
    if by_name.is_empty() {
        text.push_str("None.\n");
        return text;
    }
    text.push_str("| detector | false alarms |\n|---|---|\n");
    for (name, alarms) in by_name {
        let _ = writeln!(text, "| {name} | {alarms} |");
    }
    text
}

fn by_region(outcomes: &[RegionOutcome]) -> String {
    let mut text = String::from("\n## Regions\n\n");
    let shares =
        |of: &dyn Fn(&RegionOutcome) -> f64| mean(&outcomes.iter().map(of).collect::<Vec<_>>());
    let look_ups: u64 = outcomes.iter().map(|outcome| outcome.watched.look_ups).sum();
    let _ = writeln!(
        text,
        "{} regions, {look_ups} look-ups; {} of visits and {} of first visits explained.\n",
        outcomes.len(),
        percent(shares(&|outcome| outcome.watched.explained)),
        percent(shares(&|outcome| outcome.watched.first_explained))
    );
    text.push_str(
        "| lot | seed | staff | patients | days | tidiness | shape | explained | kinds | named | lost | false alarms |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for outcome in outcomes {
        let settings = &outcome.plan.settings;
        let (found, kinds) = outcome.kinds();
        let named = outcome.thieves.iter().filter(|thief| thief.found()).count();
        let lost: usize = outcome.thieves.iter().map(|thief| thief.lost).sum();
        let lot = match outcome.plan.lot {
            Lot::Untidy => "untidy",
            Lot::Ordinary => "ordinary",
            Lot::Clean => "clean",
            Lot::Large => "large",
        };
        let _ = writeln!(
            text,
            "| {lot} | {} | {} | {} | {} | {:.2} | {} | {} | {found} of {kinds} | {named} of {} | {lost} | {} |",
            settings.seed,
            settings.staff,
            settings.patients,
            settings.days,
            settings.tidiness,
            settings.shape.in_words(),
            percent(outcome.watched.explained),
            outcome.thieves.len(),
            outcome.false_alarms.len()
        );
    }
    text
}
