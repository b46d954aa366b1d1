//! One row of the bar: what is asked, what was measured, how sure that is.

use super::outcome::Thief;
use super::statistics::{self, Estimate};
use serde::Serialize;

/// A row of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub what: String,
    pub bar: String,
    pub moonshot: String,
    pub measured: String,
    /// 95 %.
    pub interval: String,
    pub n: String,
    pub met: Met,
}

/// Where the measured value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    Missed,
    /// Too little was seen to say.
    Undecided,
    Bar,
    Moonshot,
    /// No bar is set; the figure is there to be seen.
    Shown,
    /// Nothing to measure it on in this run.
    NotMeasured,
}

impl Met {
    pub(crate) const fn of(bar: bool, moonshot: bool) -> Self {
        match (bar, moonshot) {
            (_, true) => Self::Moonshot,
            (true, false) => Self::Bar,
            (false, false) => Self::Missed,
        }
    }

    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Missed => "**missed**",
            Self::Undecided => "undecided",
            Self::Bar => "met",
            Self::Moonshot => "moonshot",
            Self::Shown => "shown",
            Self::NotMeasured => "not measured",
        }
    }
}

/// A condition on a thief, and the share of thieves that must meet it.
pub(crate) struct Asked<'a> {
    pub(crate) share: f64,
    pub(crate) of: &'a dyn Fn(&Thief) -> bool,
}

/// A row on the share of thieves that meet a condition.
pub(crate) fn share_row(
    what: &str,
    words: (&str, &str),
    thieves: &[&Thief],
    bar: &Asked<'_>,
    moonshot: &Asked<'_>,
) -> Row {
    let hits = |asked: &Asked<'_>| thieves.iter().filter(|thief| (asked.of)(thief)).count();
    let estimate = statistics::share(hits(bar), thieves.len());
    let enough = |asked: &Asked<'_>| {
        let held = statistics::share(hits(asked), thieves.len()).value;
        held + 1e-9 >= asked.share
    };
    let mut row = Row {
        what: what.to_owned(),
        bar: words.0.to_owned(),
        moonshot: words.1.to_owned(),
        measured: format!(
            "{} of {} ({}){}",
            hits(bar),
            thieves.len(),
            percent(estimate.value),
            typical(thieves)
        ),
        interval: percent_span(estimate),
        n: format!("{} identities", thieves.len()),
        met: Met::of(enough(bar), enough(moonshot)),
    };
    if thieves.is_empty() {
        row.not_measured();
    }
    row
}

impl Row {
    pub(crate) fn not_measured(&mut self) {
        "-".clone_into(&mut self.measured);
        "-".clone_into(&mut self.interval);
        self.met = Met::NotMeasured;
    }
}

/// How much they took and how long it lasted until the alarm.
fn typical(thieves: &[&Thief]) -> String {
    let lost: Vec<f64> = thieves.iter().map(|thief| thief.lost as f64).collect();
    let secs: Vec<f64> = thieves
        .iter()
        .map(|thief| thief.secs_to_alarm().map_or(f64::INFINITY, |secs| secs as f64))
        .collect();
    let found = thieves.iter().filter(|thief| thief.found()).count();
    format!(
        "; named at all {found}; lost: median {:.0}, worst {:.0}; median time {}",
        statistics::median(&lost),
        statistics::quantile(&lost, 1.0),
        duration(statistics::median(&secs))
    )
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

pub(crate) fn percent_span(estimate: Estimate) -> String {
    format!("{:.0} to {:.0} %", estimate.low * 100.0, estimate.high * 100.0)
}

pub(crate) fn span(estimate: Estimate) -> String {
    let digits = usize::from(estimate.high < 20.0) * 2;
    format!("{:.digits$} to {:.digits$}", estimate.low, estimate.high)
}

pub(crate) fn duration(secs: f64) -> String {
    match secs {
        secs if !secs.is_finite() => "never".to_owned(),
        secs if secs < 120.0 => format!("{secs:.0} s"),
        secs if secs < 7_200.0 => format!("{:.0} min", secs / 60.0),
        secs if secs < 172_800.0 => format!("{:.0} h", secs / 3_600.0),
        secs => format!("{:.0} days", secs / 86_400.0),
    }
}
