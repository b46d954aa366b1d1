//! What must be told, to whom, by when?
//!
//! One [`Breach`] record, many documents: law is data ([`Regime`]), a [`Notice`] is a record seen
//! through a regime, and rendering is the last step. Nothing here sends, reads a file or a clock.

mod breach;
mod clock;
mod dpia;
mod html;
mod instant;
mod notice;
mod ocsf;
mod reader_message;
mod regime;
mod text;
mod words;

pub use breach::{
    Breach, BreachError, Contact, Count, Declared, Evidence, Organisation, RECORD_BYTES_MAX,
    Recipients, Risk, RiskLevel, Sent,
};
pub use clock::{Due, Duty, clocks, duty};
pub use dpia::{Assessed, SignOff, Source, assessment_html, assessment_markdown};
pub use html::{clocks_html, notice_html};
pub use instant::{Instant, ParseInstantError};
pub use notice::{Filled, Notice, NoticeError};
pub use ocsf::incident_finding;
pub use reader_message::{ReaderMessage, ReaderMessageError};
pub use regime::{Clock, Field, Regime, RegimeError, Trigger, shipped};
pub use text::{clocks_text, notice_text};
pub use words::Language;
