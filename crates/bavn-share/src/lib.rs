//! What must be told, to whom, by when?
//!
//! One [`Breach`] record, many documents: law is data ([`Regime`]), a [`Notice`] is a record seen
//! through a regime, and rendering is the last step. Nothing here sends, reads a file or a clock.

mod breach;
mod clock;
mod digest;
mod document;
mod dpia;
mod html;
mod instant;
mod notice;
mod ocsf;
mod paper;
mod pdf;
mod questions;
mod reader_message;
mod regime;
mod risk;
mod text;
mod words;

pub use breach::{
    Breach, BreachError, Contact, Count, Declared, Evidence, Organisation, RECORD_BYTES_MAX,
    Recipients, Risk, RiskLevel, Sent,
};
pub use clock::{Due, Duty, clocks, duty};
pub use document::{Document, Entry, Part, Table};
pub use dpia::{
    Assessed, SignOff, Source, assessment_digest, assessment_document, assessment_gaps,
    assessment_html, assessment_markdown,
};
pub use html::{clocks_html, notice_html};
pub use instant::{Instant, MONTHS, ParseInstantError, is_date, is_zone};
pub use notice::{Filled, Notice, NoticeError};
pub use ocsf::incident_finding;
pub use paper::{clocks_document, notice_document};
pub use pdf::{PdfError, pdf};
pub use questions::{AnswerError, Question, check_answer, questions};
pub use reader_message::{ReaderMessage, ReaderMessageError};
pub use regime::{Clock, Field, Regime, RegimeError, Trigger, shipped};
pub use risk::{Factors, RiskError, RiskOption, RiskQuestion, RiskRules, Suggestion};
pub use text::{clocks_text, notice_text};
pub use words::{Language, event_name};
