//! How far long work has come, with a rate and an end: a line for whoever sits at the terminal.

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::io::IsTerminal as _;
use std::time::Duration;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Bytes,
    LookUps,
    Days,
    Regions,
}

impl Unit {
    const fn template(self) -> &'static str {
        match self {
            Self::Bytes => {
                "{percent:>3} %  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {left}  {msg}"
            }
            Self::LookUps => {
                "{percent:>3} %  {human_pos} of {human_len} look-ups  {rate}  {left}  {msg}"
            }
            Self::Days => "{percent:>3} %  {pos} of {len} days  {rate}  {left}",
            Self::Regions => "{percent:>3} %  {pos} of {len} regions  {rate}  {left}",
        }
    }

    /// While nobody knows how much there is.
    const fn endless(self) -> &'static str {
        match self {
            Self::Bytes => "{decimal_bytes}  {decimal_bytes_per_sec}  for {elapsed}  {msg}",
            Self::LookUps | Self::Days | Self::Regions => "{human_pos}  {rate}  for {elapsed}",
        }
    }
}

/// The line. It goes when this value does, and where stderr is no terminal it never comes.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// `is_wanted`: whether words to a person are, beside what the command prints.
    pub(crate) fn begin(is_wanted: bool, whole: Option<u64>, unit: Unit) -> Self {
        let is_seen = is_wanted && std::io::stderr().is_terminal();
        let target =
            if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let line = ProgressBar::with_draw_target(whole, target);
        let template = if whole.is_some() { unit.template() } else { unit.endless() };
        if let Ok(style) = ProgressStyle::with_template(template) {
            line.set_style(style.with_key("rate", rate).with_key("left", left));
        }
        if is_seen {
            line.enable_steady_tick(TICK);
        }
        Self(line)
    }

    pub(crate) fn reached(&self, done: u64) {
        self.0.set_position(done);
    }

    /// The whole may change on the way: work that is done in passes begins again.
    pub(crate) fn reached_of(&self, done: u64, whole: u64) {
        if done == 0 {
            self.0.reset();
        }
        self.0.set_length(whole);
        self.0.set_position(done);
    }

    pub(crate) fn say(&self, words: String) {
        self.0.set_message(words);
    }
}

/// `740/s`; of slow work, `0.25/s`.
fn rate(state: &ProgressState, line: &mut dyn fmt::Write) {
    let decimals = if state.per_sec() < 10.0 { 2 } else { 0 };
    let _nobody_there = write!(line, "{:.decimals$}/s", state.per_sec());
}

/// `27s left`, once something has been done by which that can be told.
fn left(state: &ProgressState, line: &mut dyn fmt::Write) {
    if state.pos() > 0 {
        let _nobody_there = write!(line, "{:#} left", HumanDuration(state.eta()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

const TICK: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_can_be_set_and_has_a_rate_and_an_end() {
        for unit in [Unit::Bytes, Unit::LookUps, Unit::Days, Unit::Regions] {
            for template in [unit.template(), unit.endless()] {
                assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
                assert!(template.contains("{rate}") || template.contains("per_sec}"), "{template}");
            }
            assert!(unit.template().contains("{left}"));
        }
    }
}
