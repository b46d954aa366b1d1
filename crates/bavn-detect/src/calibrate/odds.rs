//! How much have the last weeks spoken for a change?

use super::Person;
use bavn_model::{Fact, Timestamp};
use serde::{Deserialize, Serialize};

/// Shiryaev's and Roberts' sum of likelihood ratios over a reader's working days, with what it counted.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Odds {
    /// `ln(1 + R)`.
    nats: f32,
    /// Since the sum last spoke for nothing.
    patients: u32,
    expected: f32,
    days: u16,
    since_day: i32,
}

impl Odds {
    /// The sum if the person's day ended now: `R' = (1 + R) LR`, for `count` where `mean` is usual.
    pub(crate) fn with_day(self, person: &Person, count: u32, mean: f32) -> Self {
        let mean = mean.max(MEAN_MIN);
        let raised = mean + RAISED_BY;
        let ratio = count as f32 * (raised / mean).ln() - (raised - mean);
        let ln_next = self.nats + ratio.min(DAY_GAIN_MAX);
        // ln(1 + e^x), without overflow.
        let nats = if ln_next > 20.0 { ln_next } else { ln_next.exp().ln_1p() };
        if nats < NOTHING_NATS {
            return Self { nats, ..Self::default() };
        }
        Self {
            nats,
            patients: self.patients + count,
            expected: self.expected + mean,
            days: self.days.saturating_add(1),
            since_day: if self.days == 0 { person.day } else { self.since_day },
        }
    }

    pub(crate) const fn nats(self) -> f32 {
        self.nats
    }

    /// Adds what the sum has counted, where it is more than today's: first of all where today's few
    /// are no news by themselves.
    pub(crate) fn tell(self, today: u32, because: &mut Vec<Fact>) {
        if self.days <= 1 || self.patients == 0 {
            return;
        }
        let at = if today < ONE_DAY_MIN { 0 } else { because.len() };
        because.insert(
            at,
            Fact::SlowRise {
                patients: self.patients,
                usual: f64::from(self.expected),
                working_days: u32::from(self.days),
                since: Timestamp::start_of_day(self.since_day),
            },
        );
    }
}

const MEAN_MIN: f32 = 0.05;
/// Patients a day on top that the sum is tuned to.
const RAISED_BY: f32 = 1.0;
/// One wild day is for the day's detectors; here it may not carry weeks.
const DAY_GAIN_MAX: f32 = 8.0;
/// Under it a change is less likely than none.
const NOTHING_NATS: f32 = std::f32::consts::LN_2;
/// Patients of one day that are news by themselves.
const ONE_DAY_MIN: u32 = 3;
