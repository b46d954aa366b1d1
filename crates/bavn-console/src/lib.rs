//! What needs a human now?
//!
//! Pages over a [`Board`] that somebody else fills: a handler parses, asks and renders. No page
//! holds a patient, no page needs a script, and nothing is loaded from anywhere else.

mod chart;
mod page;
mod routes;
mod text;
mod view;

pub use routes::router;
pub use text::Language;
pub use view::{Alarm, AlarmWords, Board, HourBar, QueueView};
