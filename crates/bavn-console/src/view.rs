//! What the pages show: ready sentences and counts, no patients.

use crate::text::Language;
use bavn_model::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::watch;

/// Whoever knows what needs a human. Asked anew for every page.
pub trait Board: Send + Sync + 'static {
    fn queue(&self) -> Arc<QueueView>;
    /// Told whenever the queue has changed.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// The queue at one instant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct QueueView {
    /// Event time that has been reached.
    pub now: Option<Timestamp>,
    pub look_ups: u64,
    pub identities: usize,
    pub patients: usize,
    /// Share of visits that a record explains, 0 to 1.
    pub explained_share: f64,
    /// False alarms the hospital said it can live with, per 10,000 staff a day.
    pub budget: f64,
    /// Whether the look-ups are of a simulated region.
    pub simulated: bool,
    /// The most urgent first.
    pub alarms: Vec<Alarm>,
}

/// One alarm, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Alarm {
    pub uid: String,
    pub raised_at: Timestamp,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// 0 to 100.
    pub risk: f64,
    pub patients: usize,
    /// Expected innocent findings as strong, per 10,000 staff a day.
    pub expected_false: f64,
    pub english: AlarmWords,
    pub bokmaal: AlarmWords,
    /// Distinct patients that the reader opened in each of the last hours.
    pub hours: Vec<HourBar>,
}

impl Alarm {
    pub fn words(&self, language: Language) -> &AlarmWords {
        match language {
            Language::English => &self.english,
            Language::Bokmaal => &self.bokmaal,
        }
    }
}

/// The sentences of an alarm in one language.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AlarmWords {
    pub title: String,
    /// Who did what, in one sentence.
    pub summary: String,
    pub reasons: Vec<String>,
    /// Explanations that were looked for.
    pub tried: Vec<String>,
    pub innocent_story: String,
    pub next_step: String,
    pub counterfactual: String,
}

/// One hour of a reader, beside the busiest of all others in that hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HourBar {
    pub from: Timestamp,
    pub patients: u32,
    pub busiest_other: u32,
}
