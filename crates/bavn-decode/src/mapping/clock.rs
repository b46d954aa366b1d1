//! Which instant does a cell mean, in the format and the zone that its mapping states?

use bavn_model::{Timestamp, Zone};
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// The formats and the zone of one column of times.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    formats: Vec<Format>,
    zone: Option<TimeZone>,
}

#[derive(Clone, Debug)]
enum Format {
    /// `strptime` directives.
    Directives(String),
    /// A count since midnight of a day: Epic counts seconds since 1840-12-31, Unix since 1970.
    Count { micros_each: i64, since: Timestamp },
}

impl Clock {
    /// `None` if the zone is no IANA name.
    pub(crate) fn zone(name: &str) -> Option<TimeZone> {
        TimeZone::get(name).ok()
    }

    pub(crate) fn new(zone: Option<TimeZone>) -> Self {
        Self { formats: Vec::new(), zone }
    }

    /// Adds a format; false if it is neither directives nor a count.
    pub(crate) fn add(&mut self, text: &str) -> bool {
        if let Some(count) = count_format(text) {
            self.formats.push(count);
            return true;
        }
        let example = jiff::civil::date(2024, 1, 2).at(3, 4, 5, 0).to_zoned_datetime(TimeZone::UTC);
        let known = example.is_ok_and(|at| BrokenDownTime::from(&at).to_string(text).is_ok());
        let directives = text.contains('%') && known;
        if directives {
            self.formats.push(Format::Directives(text.to_owned()));
        }
        directives
    }

    /// The instant, and whether the text or the mapping said its zone. A local time that a clock
    /// change skips is moved on by the skipped hour; one that comes twice is the first.
    pub(crate) fn read(&self, text: &str) -> Option<(Timestamp, Zone)> {
        for format in &self.formats {
            let read = match format {
                Format::Directives(directives) => self.read_directives(directives, text),
                Format::Count { micros_each, since } => self.read_count(text, *micros_each, *since),
            };
            if read.is_some() {
                return read;
            }
        }
        let (at, zone) = Timestamp::parse(text).ok()?;
        match zone {
            Zone::Stated => Some((at, zone)),
            Zone::Missing => self.localise(at),
        }
    }

    fn read_directives(&self, directives: &str, text: &str) -> Option<(Timestamp, Zone)> {
        let broken = BrokenDownTime::parse(directives, text).ok()?;
        if let Ok(at) = broken.to_timestamp() {
            return Some((Timestamp::from_micros(at.as_microsecond()), Zone::Stated));
        }
        let local = match broken.to_datetime() {
            Ok(local) => local,
            Err(_) => broken.to_date().ok()?.at(0, 0, 0, 0),
        };
        self.resolve(local)
    }

    fn read_count(
        &self,
        text: &str,
        micros_each: i64,
        since: Timestamp,
    ) -> Option<(Timestamp, Zone)> {
        let micros = if let Ok(count) = text.parse::<i64>() {
            count.checked_mul(micros_each)?
        } else {
            let count = text.parse::<f64>().ok().filter(|count| count.is_finite())?;
            (count * micros_each as f64).round() as i64
        };
        let at = Timestamp::from_micros(since.micros().checked_add(micros)?);
        // A Unix time is an instant; a count of a hospital's own is in the hospital's zone.
        if since.micros() == 0 { Some((at, Zone::Stated)) } else { self.localise(at) }
    }

    /// A local time that was read as if it were UTC.
    fn localise(&self, at: Timestamp) -> Option<(Timestamp, Zone)> {
        if self.zone.is_none() {
            return Some((at, Zone::Missing));
        }
        let utc = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
        self.resolve(TimeZone::UTC.to_datetime(utc))
    }

    fn resolve(&self, local: DateTime) -> Option<(Timestamp, Zone)> {
        let (zone, said) = match &self.zone {
            Some(zone) => (zone, Zone::Stated),
            None => (&TimeZone::UTC, Zone::Missing),
        };
        let at = zone.to_ambiguous_timestamp(local).compatible().ok()?;
        Some((Timestamp::from_micros(at.as_microsecond()), said))
    }
}

/// `seconds since 1840-12-31`, `milliseconds since 1970-01-01`, `days since 1899-12-30`.
fn count_format(text: &str) -> Option<Format> {
    let (unit, since) = text.split_once(" since ")?;
    let micros_each = match unit.trim() {
        "microseconds" => 1,
        "milliseconds" => 1_000,
        "seconds" => 1_000_000,
        "days" => 86_400_000_000,
        _ => return None,
    };
    let (since, _) = Timestamp::parse(since.trim()).ok()?;
    Some(Format::Count { micros_each, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(zone: Option<&str>, formats: &[&str], text: &str) -> Option<(String, Zone)> {
        let mut clock = Clock::new(zone.map(|name| Clock::zone(name).unwrap()));
        for format in formats {
            assert!(clock.add(format), "{format}");
        }
        clock.read(text).map(|(at, zone)| (at.to_string(), zone))
    }

    #[test]
    fn zones_and_clock_changes_are_heeded() {
        let oslo = Some("Europe/Oslo");
        let norwegian = ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y"];
        for (text, expected) in [
            ("01.07.2024 12:00:00", "2024-07-01T10:00:00Z"),
            ("01.01.2024 12:00:00", "2024-01-01T11:00:00Z"),
            // 02:30 does not exist on this day, and comes twice on the other.
            ("31.03.2024 02:30:00", "2024-03-31T01:30:00Z"),
            ("27.10.2024 02:30:00", "2024-10-27T00:30:00Z"),
            ("05.05.2024", "2024-05-04T22:00:00Z"),
            ("2024-07-01T12:00:00", "2024-07-01T10:00:00Z"),
            ("2024-07-01T12:00:00+00:00", "2024-07-01T12:00:00Z"),
        ] {
            let read = read(oslo, &norwegian, text);
            assert_eq!(read, Some((expected.to_owned(), Zone::Stated)), "{text}");
        }
    }

    #[test]
    fn a_zone_is_missing_only_where_neither_text_nor_mapping_says_one() {
        let us = ["%m/%d/%Y %I:%M:%S %p"];
        let (at, zone) = read(None, &us, "7/4/2024 1:05:09 PM").unwrap();
        assert_eq!((at.as_str(), zone), ("2024-07-04T13:05:09Z", Zone::Missing));
        assert_eq!(read(None, &[], "2024-07-04 13:05:09").unwrap().1, Zone::Missing);
        assert_eq!(
            read(None, &["%Y-%m-%d %H:%M %z"], "2024-07-04 13:05 +0200").unwrap().1,
            Zone::Stated
        );
    }

    #[test]
    fn counts_are_read_from_their_day() {
        let epic = ["seconds since 1840-12-31"];
        let midsummer = 184.0 * 365.25 * 86_400.0;
        let (at, _) = read(Some("America/Chicago"), &epic, &format!("{midsummer}")).unwrap();
        assert!(at.starts_with("2024-12-31") || at.starts_with("2025-01-01"), "{at}");
        let unix = ["milliseconds since 1970-01-01"];
        assert_eq!(read(None, &unix, "1710830705000").unwrap().0, "2024-03-19T06:45:05Z");
        assert_eq!(
            read(None, &["days since 1899-12-30"], "45292.5").unwrap().0,
            "2024-01-01T12:00:00Z"
        );
        assert_eq!(read(None, &unix, "NaN"), None);
    }

    #[test]
    fn unknown_formats_and_zones_are_told() {
        assert!(Clock::zone("Europe/Osloo").is_none());
        let mut clock = Clock::new(None);
        assert!(!clock.add("%K!"));
        assert!(!clock.add("yyyy-mm-dd"));
        assert!(!clock.add("fortnights since 1970-01-01"));
    }
}
