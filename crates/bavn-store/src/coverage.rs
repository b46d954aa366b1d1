//! Which source was heard when, and where is a gap?

use crate::error::Result;
use crate::names::Of;
use crate::reader::{AsOf, Store, Window};
use crate::row::NOBODY;
use crate::said::Said;
use crate::silence::Silence;
use bavn_model::Timestamp;
use std::collections::BTreeMap;

/// What is known of all sources in a window.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// By name.
    pub sources: Vec<OfSource>,
    /// The latest result of reads that were made to be looked for, if there is one in the window.
    pub canaries: Option<crate::said::Canaries>,
    pub as_of: AsOf,
}

/// What is known of one source.
#[derive(Clone, Debug)]
pub struct OfSource {
    pub source: String,
    /// The source is this program: who asked for names.
    pub is_own: bool,
    pub look_ups: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// Look-ups by day and hour (UTC), of hours with any.
    pub hours: BTreeMap<(i32, u8), u64>,
    /// How often it has promised to say something.
    pub promised_secs: Option<i64>,
    /// Half-open stretches of time without a word: longer than promised, or a day and a half where
    /// nothing is promised.
    pub silences: Vec<Silence>,
    /// Numbers that are missing, each stretch with the times of the records around it.
    pub gaps: Vec<Gap>,
}

/// Numbers of a source that have not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub first: u64,
    pub last: u64,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl OfSource {
    /// Whether something of it is missing in the window.
    pub fn has_gap(&self) -> bool {
        !self.silences.is_empty() || !self.gaps.is_empty()
    }
}

impl Coverage {
    pub fn has_gap(&self) -> bool {
        self.sources.iter().any(OfSource::has_gap)
    }
}

impl Store {
    /// Every source of the window, hour by hour, from the look-ups themselves; and those that have
    /// promised to speak and did not.
    pub fn coverage(&self, window: Window) -> Result<Coverage> {
        let names = self.names(Of::Source)?;
        let own = self.manifest.own_source;
        let mut found: BTreeMap<u32, OfSource> = BTreeMap::new();
        let known = self.manifest.heard();
        let promised = self.manifest.promises.keys().copied();
        for source in known.map(|heard| heard.source).chain(promised) {
            found.entry(source).or_insert_with(|| OfSource {
                source: names.known(source).unwrap_or_default().to_owned(),
                is_own: Some(source) == own,
                look_ups: 0,
                first: None,
                last: None,
                hours: BTreeMap::new(),
                promised_secs: self.manifest.promises.get(&source).copied(),
                silences: Vec::new(),
                gaps: self.manifest.counted.get(&source).map_or_else(Vec::new, |counted| {
                    let holes = counted.holes().into_iter().map(Gap::from);
                    holes.filter(|gap| gap.from < window.to && gap.to > window.from).collect()
                }),
            });
        }
        let mut spoke: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
        for segment in &self.manifest.segments {
            if segment.from >= window.to.micros() || segment.to < window.from.micros() {
                continue;
            }
            for (at, source) in self.segment(segment, false)?.heard()? {
                if !window.has(at) {
                    continue;
                }
                let Some(of) = found.get_mut(&source) else { continue };
                let at_time = Timestamp::from_micros(at);
                of.look_ups += 1;
                of.first = Some(of.first.map_or(at_time, |first| first.min(at_time)));
                of.last = of.last.max(Some(at_time));
                let day = at_time.day();
                let hour = (at - Timestamp::start_of_day(day).micros()) / HOUR_MICROS;
                *of.hours.entry((day, hour as u8)).or_default() += 1;
                if of.promised_secs.is_some() {
                    spoke.entry(source).or_default().push(at);
                }
            }
        }
        for silence in self.silences(window)? {
            // What has been promised is more exact.
            if let Some(of) = found.values_mut().find(|of| of.source == silence.source)
                && of.promised_secs.is_none()
            {
                of.silences.push(silence);
            }
        }
        for (&source, of) in &mut found {
            if let Some(every_secs) = of.promised_secs {
                let times = spoke.remove(&source).unwrap_or_default();
                of.silences = self.broken_promises(source, of, every_secs, times, window);
            }
        }
        let canaries = self.statements().into_iter().rev().find_map(|(_, said)| match said {
            Said::Canaries(probed)
                if probed.from < window.to.micros() && probed.to >= window.from.micros() =>
            {
                Some(probed)
            }
            _ => None,
        });
        found.remove(&NOBODY);
        let mut sources: Vec<OfSource> = found.into_values().collect();
        sources.sort_by(|a, b| a.source.cmp(&b.source));
        Ok(Coverage { sources, canaries, as_of: self.as_of() })
    }

    /// Where a source was silent for longer than it promised, up to the last word of any source.
    fn broken_promises(
        &self,
        source: u32,
        of: &OfSource,
        every_secs: i64,
        mut times: Vec<i64>,
        window: Window,
    ) -> Vec<Silence> {
        times.sort_unstable();
        let (from, to) = (window.from.micros(), window.to.micros());
        let heard = || self.manifest.heard().filter(|heard| heard.source == source);
        // The days know the words around the window, to the day; a silence that begins before it is
        // told from the window's beginning at the latest.
        let before =
            heard().filter(|heard| heard.first < from).map(|heard| heard.last.min(from)).max();
        let after = heard().filter(|heard| heard.last >= to).map(|heard| heard.first.max(to)).min();
        let end = self.manifest.last_heard().unwrap_or(i64::MIN).min(to);
        let mut silences = Vec::new();
        let mut last = before;
        let ends = times.into_iter().map(|at| (at, true));
        let ends = ends.chain([(after.map_or(end, |after| after.min(end)), after.is_some())]);
        for (at, ended) in ends {
            if let Some(last) = last
                && at.saturating_sub(last) > every_secs.saturating_mul(1_000_000)
            {
                silences.push(Silence {
                    source: of.source.clone(),
                    from: Timestamp::from_micros(last),
                    to: Timestamp::from_micros(at),
                    ended,
                });
            }
            last = last.max(Some(at));
        }
        silences
    }
}

impl From<(u64, u64, i64, i64)> for Gap {
    fn from((first, last, from, to): (u64, u64, i64, i64)) -> Self {
        let at = Timestamp::from_micros;
        Self { first, last, from: at(from), to: at(to) }
    }
}

const HOUR_MICROS: i64 = 3_600_000_000;
