//! Is a score this high how people work, or what one person did once?
//!
//! Beyond the body of a law stand two kinds of days. A practice that comes now and then (a board, a
//! waiting-list review) is shared: by several readers, at several times. One reader's streak, and
//! one day of many readers, are no practice, and must not teach that days like them are innocent.

use serde::{Deserialize, Serialize};

/// The highest scores of one class, each reader's highest in each stretch of days.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Practice {
    /// Sorted, highest first, once frozen.
    held: Vec<High>,
    /// Each reader's and each stretch's highest, highest first; of readers, whether under alarm.
    readers: Vec<(f32, u32, bool)>,
    stretches: Vec<(f32, i32)>,
}

/// Readers who had a score before, and how much what they did is how people work, from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    pub(super) readers: f32,
    pub(super) weight: f32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct High {
    score: f32,
    subject: u32,
    stretch: i32,
    is_suspect: bool,
}

impl Practice {
    pub(super) fn learn(&mut self, score: f32, subject: u32, day: i32, is_suspect: bool) {
        let stretch = day.div_euclid(STRETCH_DAYS);
        let same = self.held.iter_mut().find(|h| h.subject == subject && h.stretch == stretch);
        match same {
            Some(held) => held.score = held.score.max(score),
            None => self.held.push(High { score, subject, stretch, is_suspect }),
        }
        if self.held.len() >= 2 * HELD_MAX {
            self.freeze();
        }
    }

    pub(super) fn freeze(&mut self) {
        self.held.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.held.truncate(HELD_MAX);
        self.readers.clear();
        self.stretches.clear();
        for high in &self.held {
            if !self.readers.iter().any(|held| held.1 == high.subject) {
                self.readers.push((high.score, high.subject, high.is_suspect));
            }
            if !self.stretches.iter().any(|&(_, stretch)| stretch == high.stretch) {
                self.stretches.push((high.score, high.stretch));
            }
        }
    }

    /// How many other readers had at least this score, and for how much of `all` that counts.
    pub(super) fn counts(&self, score: f32, subject: u32) -> Shared {
        let reached = self.readers.iter().take_while(|held| held.0 >= score);
        let others = reached.filter(|held| held.1 != subject);
        let (mut readers, mut suspects) = (0, 0);
        for other in others {
            readers += 1;
            suspects += usize::from(other.2);
        }
        let times = self.stretches.iter().take_while(|(highest, _)| *highest >= score).count();
        let weight = match readers.min(times) {
            0 => 0.0,
            // Nor need what raised an alarm be how people work, until several do it again.
            1 if suspects == readers => 0.0,
            1 => ONCE / readers as f32,
            shared if shared < SHARED => (shared as f32 - 1.0) / (shared as f32 + 1.0),
            _ => 1.0,
        };
        Shared { readers: readers as f32, weight }
    }

    /// Scores from here on are all held.
    pub(super) fn complete_from(&self) -> f32 {
        let lowest = self.held.get(HELD_MAX - 1);
        lowest.map_or(0.0, |held| held.score)
    }

    pub(super) fn bytes_held(&self) -> usize {
        (self.held.capacity() + self.readers.capacity() + self.stretches.capacity())
            * size_of::<High>()
    }
}

/// What happens on neighbouring days is one happening.
const STRETCH_DAYS: i32 = 4;
/// Readers, and stretches of days, from which on a score is how people work.
const SHARED: usize = 6;
/// What one reader's streak, or one happening, counts.
const ONCE: f32 = 0.3;
const HELD_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: u32 = 99;

    #[test]
    fn what_many_do_at_many_times_counts_in_full() {
        let mut practice = Practice::default();
        for week in 0..8 {
            practice.learn(20.0, week, 7 * week as i32, false);
        }
        practice.freeze();
        let shared = practice.counts(15.0, STRANGER);
        assert!((shared.readers - 8.0).abs() < 1e-6 && (shared.weight - 1.0).abs() < 1e-6);
        assert!(practice.counts(21.0, STRANGER).weight < 1e-6);
    }

    #[test]
    fn a_streak_and_one_day_of_many_are_no_practice() {
        let (mut streak, mut raid) = (Practice::default(), Practice::default());
        for number in 0..30 {
            streak.learn(20.0, 1, number, false);
            raid.learn(20.0, number as u32, 5, false);
        }
        streak.freeze();
        raid.freeze();
        for practice in [&streak, &raid] {
            let shared = practice.counts(15.0, STRANGER);
            assert!(shared.readers * shared.weight < 1.0);
        }
        // Nobody's own days speak for him.
        assert!(streak.counts(15.0, 1).weight < 1e-6);
    }

    #[test]
    fn alarms_hide_nothing_until_others_do_the_same_again() {
        let mut practice = Practice::default();
        practice.learn(20.0, 1, 0, true);
        practice.learn(20.0, 2, 0, true);
        practice.freeze();
        assert!(practice.counts(15.0, STRANGER).weight < 1e-6);
        practice.learn(20.0, 3, 14, true);
        practice.freeze();
        let shared = practice.counts(15.0, STRANGER);
        assert!(shared.readers * shared.weight >= 1.0 - 1e-6);
    }

    #[test]
    fn only_the_highest_are_held() {
        let mut practice = Practice::default();
        for number in 0..10_000 {
            practice.learn(number as f32, number, number as i32, false);
        }
        practice.freeze();
        assert_eq!(practice.held.len(), HELD_MAX);
        assert!(practice.held.iter().all(|held| held.score >= 9_000.0));
    }
}
