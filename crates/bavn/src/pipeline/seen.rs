//! The same record met twice is one event, in one run and over several.

use bavn_model::{EventId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Ids of the events of the last days of event time; older ones are forgotten, so that memory
/// follows the rate of look-ups (8 bytes each) and not the length of the log.
#[derive(Debug, Default)]
pub struct Seen {
    days: Days,
    newest_day: Option<i32>,
    before: Before,
}

/// What earlier runs have given away.
#[derive(Debug, Default)]
struct Before {
    days: Days,
    /// Of this day and those before it, no event is taken any more: which of them were given away
    /// is forgotten.
    forgotten: Option<i32>,
}

type Days = HashMap<i32, HashSet<u64, BuildHasherDefault<AlreadyHashed>>>;

/// What is known of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    New,
    /// A copy of one of this run.
    Again,
    /// Given away by an earlier run, or older than can be told.
    Before,
}

/// The ids of each day, sorted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SeenDays {
    newest_day: Option<i32>,
    days: BTreeMap<i32, Vec<u64>>,
}

impl SeenDays {
    /// An event has another id from now on; nothing if it was not met, or was forgotten.
    pub fn rename(&mut self, at: Timestamp, from: EventId, to: EventId) {
        let Some(ids) = self.days.get_mut(&at.day()) else { return };
        let Ok(place) = ids.binary_search(&folded(from)) else { return };
        ids.remove(place);
        let place = ids.partition_point(|&id| id < folded(to));
        ids.insert(place, folded(to));
    }
}

impl Seen {
    /// The day is the event's own, so a copy finds its original wherever in the log it stands.
    pub fn meet(&mut self, id: EventId, at: Timestamp) -> Meeting {
        if self.was_before(id, at) {
            return Meeting::Before;
        }
        let (day, id) = (at.day(), folded(id));
        if self.newest_day.is_none_or(|newest| day > newest) {
            self.newest_day = Some(day);
            for days in [&mut self.days, &mut self.before.days] {
                days.retain(|&held, _| held > day - DAYS_KEPT);
            }
        }
        if self.days.entry(day).or_default().insert(id) { Meeting::New } else { Meeting::Again }
    }

    /// Whether an earlier run gave the event away, or it is older than can be told.
    pub fn was_before(&self, id: EventId, at: Timestamp) -> bool {
        let (day, id) = (at.day(), folded(id));
        self.before.forgotten.is_some_and(|forgotten| day <= forgotten)
            || self.before.days.get(&day).is_some_and(|held| held.contains(&id))
    }

    /// Whether the event is so old that a copy of it could not be told.
    pub fn is_forgotten(&self, at: Timestamp) -> bool {
        self.newest_day.is_some_and(|newest| at.day() <= newest - DAYS_KEPT)
    }

    /// The first day whose events are told apart; none when all are.
    pub fn first_day(&self) -> Option<i32> {
        self.before.forgotten.map(|forgotten| forgotten + 1)
    }

    pub fn save(&self) -> SeenDays {
        let mut days: BTreeMap<i32, Vec<u64>> = BTreeMap::new();
        for (&day, ids) in self.before.days.iter().chain(&self.days) {
            days.entry(day).or_default().extend(ids);
        }
        for ids in days.values_mut() {
            ids.sort_unstable();
        }
        SeenDays { newest_day: self.newest_day, days }
    }

    pub fn restore(saved: &SeenDays) -> Self {
        let days = saved.days.iter().map(|(&day, ids)| (day, ids.iter().copied().collect()));
        let forgotten = saved.newest_day.map(|newest| newest - DAYS_KEPT);
        let before = Before { days: days.collect(), forgotten };
        Self { days: Days::default(), newest_day: saved.newest_day, before }
    }
}

fn folded(id: EventId) -> u64 {
    (id.0 >> 64) as u64 ^ id.0 as u64
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
        assert_eq!(seen.meet(EventId(1), first), Meeting::New);
        assert_eq!(seen.meet(EventId(1), first), Meeting::Again);
        assert_eq!(seen.meet(EventId(2), first.plus_secs(2 * 86_400)), Meeting::New);
        assert_eq!(seen.meet(EventId(1), first), Meeting::Again);
        assert_eq!(seen.meet(EventId(3), first.plus_secs(3 * 86_400)), Meeting::New);
        assert_eq!(seen.days.len(), 2);
    }

    #[test]
    fn another_run_knows_what_was_given_away_and_takes_what_was_not() {
        let mut seen = Seen::default();
        let first = Timestamp::start_of_day(100);
        for day in 0..6 {
            seen.meet(EventId(10 + day), first.plus_secs(86_400 * day as i64));
        }
        let mut seen = Seen::restore(&seen.save());
        let day = |day: i64| first.plus_secs(86_400 * day);
        // The same file from its start, grown by one late event and one of the day after.
        for number in 0..6 {
            assert_eq!(seen.meet(EventId(10 + number), day(number as i64)), Meeting::Before);
        }
        assert_eq!(seen.meet(EventId(90), day(4)), Meeting::New);
        assert_eq!(seen.meet(EventId(91), day(1)), Meeting::Before, "older than can be told");
        assert_eq!(seen.meet(EventId(92), day(6)), Meeting::New);
        assert_eq!(seen.meet(EventId(90), day(4)), Meeting::Again);
        let again = Seen::restore(&seen.save());
        assert_eq!(again.first_day(), Some(104));
        assert_eq!(again.save().days[&104].len(), 2);
    }
}
