//! Look-ups of several sources in the order of time, though none of them waits for another.

use bavn_model::{Access, Timestamp};
use std::collections::BTreeMap;

/// Look-ups that wait for earlier ones which may still come.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    held: BTreeMap<(Timestamp, u64), Access>,
}

impl Waiting {
    pub(crate) fn push(&mut self, access: Access) {
        self.held.insert((access.at, access.seq), access);
    }

    /// The earliest, if nothing before it is awaited any more.
    pub(crate) fn pop(&mut self, until: Timestamp) -> Option<Access> {
        let first = self.held.first_entry()?;
        (first.key().0 < until).then(|| first.remove())
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }
}

/// One source, as far as it decides what may still come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    /// Up to when it has been read; none if nothing of it has been.
    pub(crate) at: Option<Timestamp>,
    /// More lies there already.
    pub(crate) is_behind: bool,
    /// By the machine's clock: when it last gave something.
    pub(crate) spoke: Timestamp,
}

/// Until when everything is there, but for what is later than `disorder` allows. Who is silent for as
/// long is not waited for.
pub(crate) fn watermark(
    fronts: impl IntoIterator<Item = Front>,
    now: Timestamp,
    disorder_secs: i64,
) -> Timestamp {
    let speaks = |front: &Front| front.is_behind || now.secs_since(front.spoke) <= disorder_secs;
    let awaited = fronts.into_iter().filter(speaks);
    let earliest = awaited.map(|front| front.at.unwrap_or(Timestamp::MIN)).min();
    match earliest {
        None => Timestamp::MAX,
        Some(Timestamp::MIN) => Timestamp::MIN,
        Some(at) => at.minus_secs(disorder_secs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_is_waited_for_and_the_silent_is_not() {
        let now = Timestamp::start_of_day(100);
        let at = |secs: i64| Timestamp::start_of_day(99).plus_secs(secs);
        let front = |secs: i64, ago: i64| Front {
            at: Some(at(secs)),
            is_behind: false,
            spoke: now.minus_secs(ago),
        };
        assert_eq!(watermark([front(900, 1), front(700, 5)], now, 60), at(640));
        assert_eq!(watermark([front(900, 1), front(100, 61)], now, 60), at(840));
        let behind = Front { is_behind: true, ..front(100, 9_000) };
        assert_eq!(watermark([front(900, 1), behind], now, 60), at(40));
        assert_eq!(watermark([front(900, 61)], now, 60), Timestamp::MAX);
        assert_eq!(watermark([Front { at: None, ..behind }], now, 60), Timestamp::MIN);
    }
}
