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
mod dispatch;
mod form;
mod me_page;
mod notice_acts;
mod notice_page;
#[cfg(test)]
mod notice_tests;
mod notice_view;
mod notice_words;
mod page;
mod queue_page;
mod recipients_page;
mod reply;
mod routes;
mod scope_page;
mod session;
mod session_acts;
#[cfg(test)]
mod tests;
mod text;
mod view;

pub use access::{Purpose, Right, Role, permits};
pub use notice_view::{BreachView, Notices};
pub use routes::router;
pub use session::{Chance, Doors, Visitor};
pub use view::{Alarm, Board, HourBar, QueueView, ScopeView, Trouble, Wish};
