//! Sources that number their records: which numbers have come, and which are missing?

use crate::said::Said;
use serde::{Deserialize, Serialize};

/// Which numbers of one source have come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    /// Sorted, none touching the next; holes between them are gaps.
    stretches: Vec<Stretch>,
}

/// Numbers that have all come, and the times of the first and the last of them in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stretch {
    first: u64,
    last: u64,
    first_at: i64,
    last_at: i64,
}

impl Counted {
    /// Takes what came since the last commit, by time and number, and says what that shows.
    pub(crate) fn take(&mut self, source: &str, mut came: Vec<(i64, u64)>) -> Vec<Said> {
        came.sort_unstable();
        let mut said = Vec::new();
        let mut before = self.holes();
        let mut given_up: Option<(u64, u64, u64)> = None;
        for (at, number) in came {
            if self.begins_anew(at, number) {
                self.tell(source, &before, &mut said);
                self.stretches.clear();
                before.clear();
                said.push(Said::CountedAnew { source: source.to_owned(), at });
            }
            self.add(at, number);
            if self.stretches.len() > STRETCHES_MAX
                && let Some((first, last)) = self.give_up_lowest()
                && !before.iter().any(|&(a, b, ..)| a <= first && last <= b)
            {
                let (lowest, _, missing) = given_up.unwrap_or((first, last, 0));
                given_up = Some((lowest, last, missing + (last - first + 1)));
            }
        }
        if let Some((first, last, missing)) = given_up {
            said.push(Said::ManyGaps { source: source.to_owned(), first, last, missing });
        }
        self.tell(source, &before, &mut said);
        said
    }

    /// Follows the lowest hole no longer, and says which it was.
    fn give_up_lowest(&mut self) -> Option<(u64, u64)> {
        let hole = self.holes().first().map(|&(first, last, ..)| (first, last));
        self.stretches.remove(0);
        hole
    }

    /// 0 or 1, later than all that came, although it or a larger one had come: the source was
    /// started anew (RFC 5424, section 7.3.1).
    fn begins_anew(&self, at: i64, number: u64) -> bool {
        let last = self.stretches.last();
        number <= 1 && last.is_some_and(|last| last.last >= number.max(1) && at > last.last_at)
    }

    fn add(&mut self, at: i64, number: u64) {
        let next = self.stretches.partition_point(|stretch| stretch.first <= number);
        let before = next.checked_sub(1).and_then(|before| self.stretches.get_mut(before));
        let mut grown = None;
        if let Some(stretch) = before {
            if number <= stretch.last {
                return;
            }
            if number == stretch.last + 1 {
                (stretch.last, stretch.last_at) = (number, at);
                grown = Some(*stretch);
            }
        }
        let touches = |stretch: &&Stretch| number.checked_add(1) == Some(stretch.first);
        let after = self.stretches.get(next).filter(touches).copied();
        match (grown, after) {
            (Some(grown), Some(after)) => {
                self.stretches.remove(next);
                if let Some(stretch) = self.stretches.get_mut(next - 1) {
                    *stretch = Stretch { last: after.last, last_at: after.last_at, ..grown };
                }
            }
            (None, Some(_)) => {
                if let Some(stretch) = self.stretches.get_mut(next) {
                    (stretch.first, stretch.first_at) = (number, at);
                }
            }
            (None, None) => {
                let alone = Stretch { first: number, last: number, first_at: at, last_at: at };
                self.stretches.insert(next, alone);
            }
            (Some(_), None) => {}
        }
    }

    pub(crate) fn holes(&self) -> Vec<(u64, u64, i64, i64)> {
        let pairs = self.stretches.iter().zip(self.stretches.iter().skip(1));
        pairs.map(|(a, b)| (a.last + 1, b.first - 1, a.last_at, b.first_at)).collect()
    }

    /// Says which holes are new, and what has been filled of those before.
    fn tell(&self, source: &str, before: &[(u64, u64, i64, i64)], said: &mut Vec<Said>) {
        let now = self.holes();
        let source = || source.to_owned();
        for &(first, last, from, to) in &now {
            // What is left of one that was said is not another.
            if !before.iter().any(|&(a, b, ..)| a <= first && last <= b) {
                said.push(Said::Gap { source: source(), first, last, from, to });
            }
        }
        let lowest = self.stretches.first().map_or(u64::MAX, |stretch| stretch.first);
        for &(first, last, ..) in before.iter().filter(|hole| lowest <= hole.0) {
            let mut from = first;
            for &(a, b, ..) in now.iter().filter(|hole| first <= hole.0 && hole.1 <= last) {
                if from < a {
                    said.push(Said::Filled { source: source(), first: from, last: a - 1 });
                }
                from = b + 1;
            }
            if from <= last {
                said.push(Said::Filled { source: source(), first: from, last });
            }
        }
    }
}

/// Gaps of one source that are followed until they are filled.
const STRETCHES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn words(said: Vec<Said>) -> Vec<String> {
        said.into_iter()
            .map(|said| match said {
                Said::Gap { first, last, from, to, .. } => {
                    format!("gap {first}-{last} from {from} to {to}")
                }
                Said::Filled { first, last, .. } => format!("filled {first}-{last}"),
                Said::CountedAnew { at, .. } => format!("anew {at}"),
                Said::ManyGaps { first, last, missing, .. } => {
                    format!("{missing} of {first}-{last}")
                }
                other => unreachable!("{other:?}"),
            })
            .collect()
    }

    fn take(counted: &mut Counted, numbers: &[u64], at: i64) -> Vec<String> {
        words(counted.take("s", numbers.iter().map(|&n| (at + n as i64, n)).collect()))
    }

    #[test]
    fn a_hole_is_said_once_and_once_more_when_it_is_filled() {
        let mut counted = Counted::default();
        assert_eq!(take(&mut counted, &[7, 5, 6, 8], 0), [""; 0]);
        assert_eq!(take(&mut counted, &[9, 12, 13], 0), ["gap 10-11 from 9 to 12"]);
        assert_eq!(take(&mut counted, &[14, 20], 0), ["gap 15-19 from 14 to 20"]);
        assert_eq!(take(&mut counted, &[17, 10], 100), ["filled 10-10", "filled 17-17"]);
        assert_eq!(take(&mut counted, &[11, 21], 100), ["filled 11-11"]);
        let rest = take(&mut counted, &[15, 16, 18, 19], 100);
        assert_eq!(rest, ["filled 15-16", "filled 18-19"]);
        assert_eq!(counted.holes(), []);
    }

    #[test]
    fn a_source_that_was_started_anew_has_no_gap() {
        let mut counted = Counted::default();
        assert_eq!(take(&mut counted, &[1, 2, 3, 4, 5], 0), [""; 0]);
        assert_eq!(
            take(&mut counted, &[1, 2, 4], 1_000),
            ["anew 1001", "gap 3-3 from 1002 to 1004"]
        );
        // A record that was late, or came twice, begins nothing.
        assert_eq!(take(&mut counted, &[1, 3], 500), ["filled 3-3"]);
    }

    #[test]
    fn the_holes_are_those_of_the_plain_set() {
        let mut seed = 7_u64;
        let mut below = |limit: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        let (mut counted, mut plain) = (Counted::default(), BTreeSet::new());
        for _ in 0..400 {
            let numbers: Vec<u64> = (0..below(6)).map(|_| 2 + below(200)).collect();
            plain.extend(&numbers);
            counted.take("s", numbers.iter().map(|&n| (n as i64, n)).collect());
            let holes: BTreeSet<u64> =
                counted.holes().into_iter().flat_map(|(first, last, ..)| first..=last).collect();
            let (low, high) =
                (plain.first().copied().unwrap_or(0), plain.last().copied().unwrap_or(0));
            let missing: BTreeSet<u64> = (low..=high).filter(|n| !plain.contains(n)).collect();
            assert_eq!(holes, if plain.is_empty() { BTreeSet::new() } else { missing });
        }
    }

    #[test]
    fn so_many_gaps_are_followed_and_no_more() {
        let mut counted = Counted::default();
        let numbers: Vec<u64> = (1..=2 * STRETCHES_MAX as u64 + 10).map(|n| n * 2).collect();
        let said = take(&mut counted, &numbers, 0);
        assert_eq!(counted.stretches.len(), STRETCHES_MAX);
        assert_eq!((said.len(), said[0].as_str()), (STRETCHES_MAX, "266 of 3-533"));
    }
}
