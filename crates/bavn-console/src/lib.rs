//! What needs a human now?
//!
//! Pages over a [`Board`] that somebody else fills: a handler parses, asks and renders. Who may see
//! what stands in one table ([`permits`]). No page names a patient, no page needs a script, and
//! nothing is loaded from anywhere else.

mod access;
mod answer;
mod case_acts;
mod case_page;
mod chart;
mod coverage_page;
mod dispatch;
mod drill_page;
mod form;
mod heat;
mod hunt_page;
mod me_page;
mod notice_acts;
mod notice_forms;
mod notice_one;
mod notice_page;
#[cfg(test)]
mod notice_tests;
mod notice_view;
mod notice_words;
mod page;
mod patient_page;
mod person_page;
mod plain;
mod proof_page;
mod queue_page;
mod reader_page;
mod recipients_page;
mod reply;
mod reveal_page;
mod review_page;
mod routes;
mod scope_page;
mod session;
mod session_acts;
mod settings_page;
#[cfg(test)]
mod tests;
mod text;
mod trail;
mod view;

pub use access::{Granted, Purpose, Right, Role, permits};
pub use notice_view::{BreachView, Notices};
pub use routes::{REPORT_STYLE, router};
pub use session::{Chance, Doors, Proxy, Visitor};
pub use settings_page::roles_in_words;
pub use view::{
    Alarm, AsOf, Board, ClockView, Counted, CountedRow, CoverageView, DayCell, DayState, DrillView,
    Growth, HeldAbout, HourBar, HowMany, HuntRow, HuntView, Lane, Machine, PatientView, PersonRow,
    PersonView, ProofView, QueueView, ReadingGroup, RegimeLine, Revealed, RunView, ScopeView,
    SilenceRow, SourceRow, Theft, TrailView, Trouble, UnitRow, VerifiedView, Wish,
};
