//! The same record met twice is one event.

use bavn_model::{EventId, Timestamp};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Ids of the events of the last days of event time; older ones are forgotten, so that memory
/// follows the rate of look-ups (8 bytes each) and not the length of the log.
#[derive(Debug, Default)]
pub(super) struct Seen {
    days: HashMap<i32, HashSet<u64, BuildHasherDefault<AlreadyHashed>>>,
    newest_day: Option<i32>,
}

impl Seen {
    /// Whether this event is new. The day is the event's own, so a copy finds its original
    /// wherever in the log it stands.
    pub(super) fn is_new(&mut self, id: EventId, at: Timestamp) -> bool {
        let day = at.day();
        if self.newest_day.is_none_or(|newest| day > newest) {
            self.newest_day = Some(day);
            self.days.retain(|&held, _| held > day - DAYS_KEPT);
        }
        self.days.entry(day).or_default().insert((id.0 >> 64) as u64 ^ id.0 as u64)
    }
}

/// The ids are digests already.
#[derive(Debug, Default)]
pub(super) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

const DAYS_KEPT: i32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_known_for_three_days_of_event_time() {
        let mut seen = Seen::default();
        let first = Timestamp::start_of_day(100);
        assert!(seen.is_new(EventId(1), first));
        assert!(!seen.is_new(EventId(1), first));
        assert!(seen.is_new(EventId(2), first.plus_secs(2 * 86_400)));
        assert!(!seen.is_new(EventId(1), first));
        assert!(seen.is_new(EventId(3), first.plus_secs(3 * 86_400)));
        assert_eq!(seen.days.len(), 2);
    }
}
