//! From when could the hospital's systems have known a fact, and for how long does it hold?

use crate::tree::Value;
use bavn_model::Timestamp;

/// An instant, or the first instant of a date.
pub(super) fn instant(value: &Value<'_>) -> Option<Timestamp> {
    Timestamp::parse(value.str()?).ok().map(|(at, _)| at)
}

/// The end of a period. FHIR counts all of the day, month or year that a partial date names.
pub(super) fn end_of(value: &Value<'_>) -> Option<Timestamp> {
    end_of_text(value.str()?)
}

pub(super) fn end_of_text(text: &str) -> Option<Timestamp> {
    let (at, _) = Timestamp::parse(text).ok()?;
    let days = match text.len() {
        4 => 366,
        7 => 31,
        10 => 1,
        _ => return Some(at),
    };
    // The next year or month begins on its first day, however long this one was.
    let next = at.plus_secs(days * DAY_SECS).to_string();
    let whole = match text.len() {
        4 => next.get(..4),
        7 => next.get(..7),
        _ => next.get(..10),
    };
    Timestamp::parse(whole?).ok().map(|(at, _)| at)
}

/// Days since the epoch of a date or instant.
pub(super) fn day(value: &Value<'_>) -> Option<i32> {
    instant(value).map(Timestamp::day)
}

/// When a record was last changed, and whether it was its first writing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) last: Option<Timestamp>,
    pub(super) first: bool,
}

impl Written {
    pub(super) fn of(resource: &Value<'_>) -> Self {
        let meta = resource.get("meta");
        Self {
            last: instant(meta.get("lastUpdated")),
            first: meta.get("versionId").str() == Some("1"),
        }
    }

    /// From when a stay was known. The last change of a finished stay is mostly its discharge or an
    /// export, which says nothing of when it became known: such a stay counts from its start. A
    /// change before the end can be the late entry of the stay itself, so it counts from there.
    pub(super) fn of_stay(self, start: Timestamp, end: Option<Timestamp>) -> Timestamp {
        match self.last {
            Some(last) if self.first || end.is_none_or(|end| last < end) => last,
            _ => start,
        }
    }

    /// From when a booking was known: from its creation, else from its last change, else from the
    /// day on whose list it stood.
    pub(super) fn of_booking(self, created: Option<Timestamp>, start: Timestamp) -> Timestamp {
        created.or(self.last).unwrap_or_else(|| Timestamp::start_of_day(start.day()).min(start))
    }
}

pub(super) const DAY_SECS: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap().0
    }

    #[test]
    fn a_partial_end_counts_whole() {
        for (text, end) in [
            ("2024", "2025-01-01"),
            ("2023", "2024-01-01"),
            ("2024-02", "2024-03-01"),
            ("2023-12", "2024-01-01"),
            ("2024-02-29", "2024-03-01"),
            ("2024-02-29T10:00:00Z", "2024-02-29T10:00:00Z"),
        ] {
            assert_eq!(end_of_text(text), Some(at(end)), "{text}");
        }
        assert_eq!(end_of_text("soon"), None);
    }

    #[test]
    fn nothing_is_known_before_it_could_be() {
        let (start, end) = (at("2024-03-01T10:00:00Z"), at("2024-03-03"));
        let written = |last: &str, first| Written { last: Some(at(last)), first };
        let late = at("2024-03-02");
        // Changed at discharge: known from the start. Entered late, while it lasted: from then.
        assert_eq!(written("2024-03-03", false).of_stay(start, Some(end)), start);
        assert_eq!(written("2024-03-02", false).of_stay(start, Some(end)), late);
        assert_eq!(written("2024-03-02", false).of_stay(start, None), late);
        // Written once, after the end: nobody could know before.
        assert_eq!(written("2024-03-09", true).of_stay(start, Some(end)), at("2024-03-09"));
        assert_eq!(Written::default().of_stay(start, Some(end)), start);
        let created = at("2024-01-05");
        assert_eq!(written("2024-03-02", false).of_booking(Some(created), start), created);
        assert_eq!(written("2024-03-02", false).of_booking(None, start), late);
        assert_eq!(Written::default().of_booking(None, start), at("2024-03-01"));
    }
}
