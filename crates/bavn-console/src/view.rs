//! What the pages show: ready sentences and counts, no patients.

use crate::notice_view::Notices;
use crate::session::Visitor;
use crate::text::Language;
use bavn_detect::cases::{Book, CaseNumber, Deed, Said};
use bavn_model::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::watch;

/// Whoever knows what needs a human. Asked anew for every page.
pub trait Board: Send + Sync + 'static {
    fn queue(&self) -> Arc<QueueView>;
    /// Told whenever the queue has changed.
    fn changes(&self) -> watch::Receiver<u64>;
    /// By which sessions end and acts are dated.
    fn now(&self) -> Timestamp;
    /// Shows the cases as they stand.
    fn look(&self, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble>;
    /// Does what somebody wants done, or says why not. `seen` is the revision that was looked at.
    fn act(&self, by: &str, case: CaseNumber, wish: Wish, seen: usize) -> Result<(), Trouble>;
    /// Whether look-ups are kept, so that a scope can be asked for.
    fn keeps_look_ups(&self) -> bool;
    /// Whose records the readers of a case had, since it was first seen.
    fn scope(&self, case: CaseNumber) -> Result<ScopeView, Trouble>;
    /// Whoever can make the breach record of a case; none where no look-ups are kept.
    fn notices(&self) -> Option<&dyn Notices> {
        None
    }
    /// Puts on record who sees names, before they are shown.
    fn record(&self, who: &Visitor, what: &str, purpose: &str) -> Result<(), Trouble>;
}

/// What somebody wants done to a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    Do(Deed),
    Undo,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// What was wanted cannot be: a sentence for who wanted it.
    Refused(String),
    /// A disk or a key: a sentence for who keeps the machine.
    Failed(String),
}

/// How many patients, with bounds. Names nobody.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ScopeView {
    pub lower: u64,
    pub best: u64,
    /// None: no number is certain to be enough.
    pub upper: Option<u64>,
    pub look_ups: u64,
    pub listed: u64,
    pub opened: u64,
    pub taken: u64,
    /// Why the bounds differ, in English and bokmål.
    pub reasons: Vec<[String; 2]>,
    /// Date, look-ups, distinct patients.
    pub days: Vec<(String, u64, u64)>,
    pub as_of: String,
    /// SHA-256 of question, commit and answer.
    pub digest: String,
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
    pub english: Said,
    pub bokmaal: Said,
    /// Distinct patients that the reader opened in each of the last hours.
    pub hours: Vec<HourBar>,
}

impl Alarm {
    pub fn words(&self, language: Language) -> &Said {
        match language {
            Language::English => &self.english,
            Language::Bokmaal => &self.bokmaal,
        }
    }
}

/// One hour of a reader, beside the busiest of all others in that hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HourBar {
    pub from: Timestamp,
    pub patients: u32,
    pub busiest_other: u32,
}
