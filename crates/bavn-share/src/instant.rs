//! An instant as people and files write it.

use crate::words::Language;
use jiff::{Span, Timestamp, ZonedDateTime, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant, written in RFC 3339 with its offset: what a clock of the law counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Timestamp);

/// The text is no RFC 3339 time with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time with an offset, such as 2026-03-03T08:15:00+01:00")]
pub struct ParseInstantError;

impl Instant {
    /// Reads RFC 3339. A time without an offset is refused: a deadline must not be guessed.
    pub fn parse(text: &str) -> Result<Self, ParseInstantError> {
        text.parse().map(Self).map_err(|_| ParseInstantError)
    }

    /// The instant so long after 1970; 1970 itself where the calendar ends.
    pub fn from_micros(micros: i64) -> Self {
        Self(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// `2026-03-03` in UTC.
    pub fn day(self) -> String {
        self.local_date(&TimeZone::UTC)
    }

    /// Milliseconds since 1970, as OCSF has it.
    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// `hours` and calendar `months` later, in the zone (law's months are calendar months).
    /// The instant itself where the sum leaves the calendar.
    pub(crate) fn later(self, hours: i64, months: i64, zone: &TimeZone) -> Self {
        let span = Span::new().try_months(months).and_then(|span| span.try_hours(hours));
        let zoned = ZonedDateTime::new(self.0, zone.clone());
        span.and_then(|span| zoned.checked_add(span)).map_or(self, |sum| Self(sum.timestamp()))
    }

    /// Whole hours from `earlier`, rounded down; negative if this is before it.
    pub(crate) fn hours_since(self, earlier: Self) -> i64 {
        (self.0.as_second() - earlier.0.as_second()).div_euclid(3_600)
    }

    /// `2026-03-03 08:15 (+01:00)`: local time of the zone, with its offset.
    pub(crate) fn local(self, zone: &TimeZone) -> String {
        ZonedDateTime::new(self.0, zone.clone()).strftime("%Y-%m-%d %H:%M (UTC%:z)").to_string()
    }

    /// `3 March 2026 at 08:15` in the zone, `3. mars 2026 kl. 08.15`.
    pub(crate) fn in_letter(self, zone: &TimeZone, language: Language) -> String {
        let at = ZonedDateTime::new(self.0, zone.clone());
        let month = usize::from(at.month().unsigned_abs()) - 1;
        match (language, MONTHS.get(month)) {
            (Language::Nb, Some(month)) => {
                at.strftime(&format!("%-d. {month} %Y kl. %H.%M")).to_string()
            }
            _ => at.strftime("%-d %B %Y at %H:%M").to_string(),
        }
    }

    /// `3. mars 2026` in the zone.
    pub(crate) fn date_in_letter(self, zone: &TimeZone, language: Language) -> String {
        let said = self.in_letter(zone, language);
        let end = said.find(match language {
            Language::Nb => " kl. ",
            Language::En => " at ",
        });
        said.get(..end.unwrap_or(said.len())).unwrap_or_default().to_owned()
    }

    /// `2026-03-03` in the zone.
    pub(crate) fn local_date(self, zone: &TimeZone) -> String {
        ZonedDateTime::new(self.0, zone.clone()).strftime("%Y-%m-%d").to_string()
    }
}

/// The months in bokmål.
pub const MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "mars",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "desember",
];

/// Whether this is a day as `2026-03-03`.
pub fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10
}

/// Whether this is the IANA name of a zone.
pub fn is_zone(name: &str) -> bool {
    zone_named(name).is_some()
}

/// The zone of this IANA name.
pub(crate) fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
