//! What the pages show, and whoever knows it.

mod health;
mod people;

pub use health::{
    CoverageView, DayCell, DayState, DrillView, ProofView, RegimeLine, RunView, SilenceRow,
    SourceRow, Theft, UnitRow, VerifiedView,
};
pub use people::{
    HeldAbout, HuntRow, HuntView, Machine, PatientView, PersonRow, PersonView, ReadingGroup,
    Revealed,
};

use crate::access::Granted;
use crate::notice_view::Notices;
use crate::session::Visitor;
use crate::text::Language;
use bavn_detect::cases::{Book, CaseNumber, Deed, Said};
use bavn_detect::house::{Agreement, House, HouseDeed};
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
    /// Whose records the readers of a case had, since it was first seen and until it ended.
    fn scope(&self, case: CaseNumber) -> Result<ScopeView, Trouble>;
    /// The same, and counted by all that it can be counted by.
    fn scope_by(&self, case: CaseNumber) -> Result<(ScopeView, Counted), Trouble>;
    /// What the readers of a case did over time; counts patients.
    fn trail(&self, case: CaseNumber) -> Result<TrailView, Trouble>;
    /// What the law wants done about a case, and by when.
    fn clocks(&self, case: CaseNumber) -> Vec<ClockView>;
    /// Whoever can make the breach record of a case; none where no look-ups are kept.
    fn notices(&self) -> Option<&dyn Notices> {
        None
    }
    /// Whether readers may be asked in a friendly message: off until the controller says how.
    fn asks_readers(&self) -> bool {
        false
    }
    /// Writes the message to a reader of a case, with a hint at the record that names nobody.
    fn ask_reader(
        &self,
        _by: &str,
        _case: CaseNumber,
        _reader: &str,
        _hint: Option<&str>,
        _language: bavn_share::Language,
    ) -> Result<(), Trouble> {
        let off = ["messages to readers are off", "meldinger til lesere er slått av"];
        Err(Trouble::Refused(off.map(str::to_owned)))
    }
    /// Puts on record who sees names, before they are shown: a look-up like all others, of these
    /// patients, if any.
    fn record(
        &self,
        who: &Visitor,
        what: &str,
        purpose: &str,
        patients: &[String],
    ) -> Result<(), Trouble>;

    /// Shows settings, runs and what else concerns no case.
    fn house(&self, seen: &mut dyn FnMut(&House)) -> Result<(), Trouble>;
    /// Does what somebody wants done in the house, or says why not.
    fn settle(&self, who: &Visitor, deed: HouseDeed) -> Result<(), Trouble>;
    /// Whether the employees' side agrees that people are named.
    fn agreed(&self) -> Result<Option<Agreement>, Trouble>;
    /// Laws and rules that are kept as data.
    fn regimes(&self) -> Vec<RegimeLine>;
    fn coverage(&self) -> Result<CoverageView, Trouble>;
    fn proof(&self) -> Result<ProofView, Trouble>;
    /// None: no drill has been scored.
    fn drill(&self) -> Result<Option<DrillView>, Trouble>;

    /// Everyone who has read the record of a patient as somebody typed it.
    fn patient(&self, typed: &str, why: &Granted) -> Result<PatientView, Trouble>;
    /// One account of a case.
    fn person(&self, account: &str, why: &Granted) -> Result<PersonView, Trouble>;
    /// Every look-up that was made from a list, one value a line.
    fn hunt(&self, list: &str, why: &Granted) -> Result<HuntView, Trouble>;
    /// Who the patients of a case are.
    fn reveal(&self, why: &Granted) -> Result<Vec<Revealed>, Trouble>;
    /// Of the one who asks, and for nobody else.
    fn held_about(&self, visitor: &Visitor) -> Result<HeldAbout, Trouble>;
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
    /// What was wanted cannot be: a sentence for who wanted it, in English and bokmål.
    Refused([String; 2]),
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
    /// The owner of the account made the look-ups, so that what is explained is not counted.
    pub leaves_out_explained: bool,
    pub all: HowMany,
    /// Without patients all of whose look-ups were explained.
    pub unexplained: HowMany,
    /// Those patients.
    pub explained: u64,
    pub judged_until: Option<Timestamp>,
    pub listed: u64,
    pub opened: u64,
    pub taken: u64,
    /// Why the bounds differ, in English and bokmål.
    pub reasons: Vec<[String; 2]>,
    /// Since the beginning, by the end of each of some equal stretches of time.
    pub growth: Vec<Growth>,
    pub since: Timestamp,
    /// None: nobody has said that it ended.
    pub until: Option<Timestamp>,
    pub as_of: AsOf,
    /// SHA-256 of question, commit and answer.
    pub digest: String,
}

/// Patients between bounds, and the look-ups that exposed them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HowMany {
    pub lower: u64,
    pub best: u64,
    pub upper: Option<u64>,
    pub look_ups: u64,
}

/// An answer counted by each thing that it can be counted by.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counted {
    pub controller: Vec<CountedRow>,
    /// None: what hospital systems say of patients is not known here.
    pub class: Option<Vec<CountedRow>>,
    pub action: Vec<CountedRow>,
    pub day: Vec<CountedRow>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CountedRow {
    pub key: String,
    pub look_ups: u64,
    pub patients: u64,
}

/// The state of a store that an answer rests on; in twins one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsOf {
    pub committed_at: Timestamp,
    pub manifest: String,
}

impl Serialize for AsOf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} ({})", self.committed_at, self.manifest))
    }
}

/// What the readers of a case did, in equal stretches of time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TrailView {
    /// When each stretch begins.
    pub times: Vec<Timestamp>,
    /// Accounts, then machines, the busiest first.
    pub lanes: Vec<Lane>,
    /// Different patients in each stretch.
    pub patients: Vec<u32>,
    /// Of the latest look-up.
    pub last: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lane {
    pub name: String,
    pub is_machine: bool,
    pub look_ups: Vec<u32>,
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClockView {
    pub english: String,
    pub bokmaal: String,
    pub from: Timestamp,
    pub due: Timestamp,
}

/// How many patients until then: at least, best, at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Growth {
    pub until: Timestamp,
    pub lower: u64,
    pub best: u64,
    /// None: no number is certain to be enough.
    pub upper: Option<u64>,
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

/// One hour of a reader, beside all others who worked in that hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HourBar {
    pub from: Timestamp,
    pub patients: u32,
    pub busiest_other: u32,
    /// One in twenty of the others had fewer than the first, one in twenty more than the second.
    pub others_low: u32,
    pub others_high: u32,
}
