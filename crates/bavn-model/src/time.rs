//! When did it happen?

use std::fmt;

/// An instant in UTC, in whole microseconds since 1970-01-01T00:00:00Z. Covers years 1 to 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Whether the text that a time was read from said which zone it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// `Z`, `+01:00` and the like: the instant is certain.
    Stated,
    /// No offset in the text; it was read as UTC.
    Missing,
}

/// The text is no RFC 3339 time, nor one of the partial dates that FHIR allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct ParseTimeError;

impl Timestamp {
    /// Earlier than every time that a record can state.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every time that a record can state.
    pub const MAX: Self = Self(i64::MAX);

    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * MICROS_PER_SEC)
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, the unit of OCSF's `time`.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    pub const fn secs(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SEC)
    }

    /// Whole days since the epoch, counted in UTC.
    pub const fn day(self) -> i32 {
        self.0.div_euclid(MICROS_PER_DAY) as i32
    }

    /// Hour of the day in UTC, 0 to 23.
    pub const fn hour_of_day(self) -> u8 {
        (self.0.rem_euclid(MICROS_PER_DAY) / MICROS_PER_HOUR) as u8
    }

    /// Midnight (UTC) at which the given day since the epoch begins.
    pub const fn start_of_day(day: i32) -> Self {
        Self(day as i64 * MICROS_PER_DAY)
    }

    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(MICROS_PER_SEC)))
    }

    pub const fn minus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_sub(secs.saturating_mul(MICROS_PER_SEC)))
    }

    /// Seconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub const fn secs_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(MICROS_PER_SEC)
    }

    /// Reads a time as FHIR `instant`/`dateTime` and `xs:dateTime` spell it: any number of
    /// fraction digits (beyond microseconds cut off), any offset or none, and the partial forms
    /// `2015`, `2015-03` and `2015-03-01`, which mean their first instant.
    pub fn parse(text: &str) -> Result<(Self, Zone), ParseTimeError> {
        let mut rest = Digits { bytes: text.as_bytes() };
        let year = rest.number(4)?;
        let (mut month, mut day, mut secs, mut micros) = (1, 1, 0, 0);
        let mut zone = Zone::Missing;
        if rest.eat(b'-') {
            month = rest.number(2)?;
            if rest.eat(b'-') {
                day = rest.number(2)?;
            }
        }
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return Err(ParseTimeError);
        }
        if rest.eat(b'T') || rest.eat(b't') || rest.eat(b' ') {
            let hour = rest.number(2)?;
            rest.expect(b':')?;
            let minute = rest.number(2)?;
            let second = if rest.eat(b':') { rest.number(2)? } else { 0 };
            // 24:00:00 is ISO 8601's end of day; 60 is a leap second.
            if hour > 24 || minute > 59 || second > 60 || (hour == 24 && minute + second > 0) {
                return Err(ParseTimeError);
            }
            secs = hour * 3_600 + minute * 60 + second;
            if rest.eat(b'.') || rest.eat(b',') {
                micros = rest.fraction_micros()?;
            }
            if rest.eat(b'Z') || rest.eat(b'z') {
                zone = Zone::Stated;
            } else if let Some(sign) = rest.sign() {
                let hours = rest.number(2)?;
                let _colon = rest.eat(b':');
                let minutes = if rest.bytes.is_empty() { 0 } else { rest.number(2)? };
                if hours > 23 || minutes > 59 {
                    return Err(ParseTimeError);
                }
                secs -= sign * (hours * 3_600 + minutes * 60);
                zone = Zone::Stated;
            }
        }
        if !rest.bytes.is_empty() {
            return Err(ParseTimeError);
        }
        let total = days_from_civil(year, month, day) * 86_400 + secs;
        Ok((Self(total * MICROS_PER_SEC + micros), zone))
    }
}

/// RFC 3339 in UTC, with 0, 3 or 6 digits of fraction, as many as are needed.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(MICROS_PER_DAY));
        let of_day = self.0.rem_euclid(MICROS_PER_DAY);
        let (secs, micros) = (of_day / MICROS_PER_SEC, of_day % MICROS_PER_SEC);
        let (hour, minute, second) = (secs / 3_600, secs / 60 % 60, secs % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros % 1_000 != 0 {
            write!(f, ".{micros:06}")?;
        } else if micros != 0 {
            write!(f, ".{:03}", micros / 1_000)?;
        }
        f.write_str("Z")
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        serializer.serialize_i64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map(|(at, _)| at).map_err(serde::de::Error::custom)
    }
}

struct Digits<'a> {
    bytes: &'a [u8],
}

impl Digits<'_> {
    fn number(&mut self, digits: usize) -> Result<i64, ParseTimeError> {
        let (head, tail) = self.bytes.split_at_checked(digits).ok_or(ParseTimeError)?;
        let mut number = 0;
        for byte in head {
            if !byte.is_ascii_digit() {
                return Err(ParseTimeError);
            }
            number = number * 10 + i64::from(byte - b'0');
        }
        self.bytes = tail;
        Ok(number)
    }

    fn fraction_micros(&mut self) -> Result<i64, ParseTimeError> {
        let digits = self.bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (head, tail) = self.bytes.split_at_checked(digits).ok_or(ParseTimeError)?;
        if head.is_empty() {
            return Err(ParseTimeError);
        }
        self.bytes = tail;
        let sixth = head.iter().chain(std::iter::repeat(&b'0')).take(6);
        Ok(sixth.fold(0, |micros, byte| micros * 10 + i64::from(byte - b'0')))
    }

    fn eat(&mut self, wanted: u8) -> bool {
        match self.bytes.split_first() {
            Some((&first, tail)) if first == wanted => {
                self.bytes = tail;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), ParseTimeError> {
        if self.eat(wanted) { Ok(()) } else { Err(ParseTimeError) }
    }

    fn sign(&mut self) -> Option<i64> {
        if self.eat(b'+') {
            Some(1)
        } else if self.eat(b'-') {
            Some(-1)
        } else {
            None
        }
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-compatible
/// low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

const MICROS_PER_SEC: i64 = 1_000_000;
const MICROS_PER_HOUR: i64 = 3_600 * MICROS_PER_SEC;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SEC;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, zone: Zone) {
        let (at, found) = Timestamp::parse(text).unwrap();
        assert_eq!((at.to_string().as_str(), found), (expected, zone), "{text}");
    }

    #[test]
    fn reads_what_sources_write() {
        check("2012-10-26T22:04:27+11:00", "2012-10-26T11:04:27Z", Zone::Stated);
        check("2024-12-05T17:25:00.605+01:00", "2024-12-05T16:25:00.605Z", Zone::Stated);
        check("2013-10-17T15:12:04.287-06:00", "2013-10-17T21:12:04.287Z", Zone::Stated);
        check("2001-12-17T09:30:47", "2001-12-17T09:30:47Z", Zone::Missing);
        check("2024-02-29T00:00:00.123456789Z", "2024-02-29T00:00:00.123456Z", Zone::Stated);
        check("2015", "2015-01-01T00:00:00Z", Zone::Missing);
        check("2015-03", "2015-03-01T00:00:00Z", Zone::Missing);
        check("1900-01-01", "1900-01-01T00:00:00Z", Zone::Missing);
        check("2100-12-31T24:00:00Z", "2101-01-01T00:00:00Z", Zone::Stated);
        check("2018-01-01 02:00:00+0100", "2018-01-01T01:00:00Z", Zone::Stated);
    }

    #[test]
    fn refuses_what_is_no_time() {
        let refused = [
            "",
            "now",
            "2015-13",
            "2015-02-29",
            "2015-01-01T25:00:00Z",
            "2015-01-01Tx",
            "2015-01-01T10:00:00.Z",
            "2015-01-01T10:00:00Zjunk",
            "2015-01-01T10:00:00+99:00",
        ];
        for text in refused {
            assert_eq!(Timestamp::parse(text), Err(ParseTimeError), "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        for day in (-30_000..120_000).step_by(7) {
            let at = Timestamp::start_of_day(day).plus_secs(3_723);
            let (read, _) = Timestamp::parse(&at.to_string()).unwrap();
            assert_eq!((read, read.day(), read.hour_of_day()), (at, day, 1));
        }
    }
}
