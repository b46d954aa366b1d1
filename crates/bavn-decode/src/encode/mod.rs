//! The other way round: a look-up as a source would have written it, for drills and tests.

mod atna;
mod fhir;

use bavn_model::Timestamp;
use std::fmt::Write as _;

/// One look-up to be written.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub id: u64,
    pub at: Timestamp,
    /// Hours east of UTC in which the source writes its times.
    pub utc_offset_hours: i64,
    pub who: Spelled<'a>,
    pub patient: Option<Spelled<'a>>,
    /// A search's own text.
    pub query: Option<&'a str>,
    pub action: char,
    /// FHIR REST interaction: `read`, `search-type`, `update`, `print`.
    pub interaction: &'a str,
    pub resource: &'a str,
    pub purpose: &'a str,
    pub denied: bool,
    pub source: &'a str,
    pub application: &'a str,
    pub address: &'a str,
}

/// How a person is named.
#[derive(Clone, Copy, Debug)]
pub enum Spelled<'a> {
    Reference(&'a str),
    Identifier { system: &'a str, value: &'a str },
}

/// The wire formats that a drill's hospitals speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    FhirR4,
    FhirR5,
    /// DICOM audit message in a syslog frame (RFC 5424), one a line.
    AtnaSyslog,
}

/// Appends the look-up and its line end.
pub fn encode(dialect: Dialect, look_up: &Outgoing<'_>, out: &mut String) {
    match dialect {
        Dialect::FhirR4 => fhir::r4(look_up, out),
        Dialect::FhirR5 => fhir::r5(look_up, out),
        Dialect::AtnaSyslog => atna::syslog(look_up, out),
    }
    out.push('\n');
}

/// The time in the source's own zone, with its offset.
fn local(look_up: &Outgoing<'_>) -> String {
    if look_up.utc_offset_hours == 0 {
        return look_up.at.to_string();
    }
    let mut text = look_up.at.plus_secs(look_up.utc_offset_hours * 3_600).to_string();
    text.pop();
    let sign = if look_up.utc_offset_hours < 0 { '-' } else { '+' };
    let hours = look_up.utc_offset_hours.abs();
    // Writing to a string cannot fail.
    let _written = write!(text, "{sign}{hours:02}:00");
    text
}
