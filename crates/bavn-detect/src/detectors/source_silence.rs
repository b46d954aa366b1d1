//! A source says nothing, far less or far more than usual, or its clock moved by hours.
//!
//! ## What it sees
//! Look-ups an hour of each source, against what that hour of a working day or of a week-end usually
//! brings: hours in which nothing came at all; a sum, both ways, of what speaks for a third or three
//! times the usual; and once a day whether the whole day fits better a few hours earlier or later, while the
//! other sources' days do not. It tells what cannot be seen, names nobody and is paid by no budget.
//! ## Why it matters
//! Whoever can stop a log need not hide from it; and a log that stands still makes every quiet day a lie.
//! ## What makes it harmless
//! Maintenance, a holiday, an interface that waits and then sends all at once; summer time.
//! ## First thing to do
//! Ask who runs the source what happened at the time given, and have the missing records sent again.
//! ## Memory
//! 900 bytes a source, at most 4,096 of them.
//! ## Source
//! Page, Continuous inspection schemes (1954), both ways.

use super::{Ended, Evidence, Gathered, Gathering, Restoring, Saving, Seen, StateError};
use crate::calibrate::negative_binomial_gain;
use crate::queue::Cause;
use bavn_model::{Access, Fact, Family, InnocentStory, NextStep, SourceId, Timestamp};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SourceSilence {
    sources: Vec<Heard>,
    /// The hour of the log (since the epoch) that is being counted.
    hour: Option<i64>,
}

/// One source.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Heard {
    now: u32,
    /// Look-ups of each hour of a working day and of a week-end day, fading; and of how many days.
    usual: [[f32; HOURS]; 2],
    days: [f32; 2],
    /// Excess over Poisson, and squares of what was expected.
    scatter: (f32, f32),
    today: [u32; HOURS],
    /// Hours of silence so far, what they usually bring, and the nats that speak against chance.
    silent: Stretch,
    /// What speaks for a third of the usual, and for three times.
    sums: [Stretch; 2],
}

/// Hours in a row.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Stretch {
    nats: f32,
    hours: u32,
    records: u32,
    usual: f32,
    /// It was told; it must end before it is told again.
    told: bool,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            now: 0,
            usual: [[0.0; HOURS]; 2],
            days: [0.0; 2],
            scatter: (0.0, 0.0),
            today: [0; HOURS],
            silent: Stretch::default(),
            sums: [Stretch::default(); 2],
        }
    }
}

impl SourceSilence {
    pub(crate) fn new() -> Self {
        Self { sources: Vec::new(), hour: None }
    }
}

impl Gathering for SourceSilence {
    fn name(&self) -> &'static str {
        "source_silence"
    }

    fn observe(&mut self, _seen: &Seen<'_>, _out: &mut Vec<Gathered>) {}

    fn heard(&mut self, access: &Access) {
        let Some(source) = access.source.map(usize::from).filter(|&source| source < SOURCES_MAX)
        else {
            return;
        };
        if self.sources.len() <= source {
            self.sources.resize_with(source + 1, Heard::default);
        }
        if let Some(held) = self.sources.get_mut(source) {
            held.now += 1;
        }
        self.hour.get_or_insert(access.at.secs().div_euclid(3_600));
    }

    fn hours_over(&mut self, now: Timestamp, out: &mut Vec<Gathered>) {
        let Some(first) = self.hour else { return };
        let end = now.secs().div_euclid(3_600);
        // A log with a hole of months is another log.
        let from = first.max(end - HOURS_AT_ONCE_MAX);
        for hour in from..end {
            let at = Timestamp::from_secs((hour + 1) * 3_600);
            for (index, held) in self.sources.iter_mut().enumerate() {
                for fact in held.close_hour(SourceId(index as u32), hour) {
                    out.push(gathered(index, fact, at));
                }
            }
        }
        self.hour = Some(end.max(first));
    }

    fn end_day(&mut self, ended: &Ended<'_>, out: &mut Vec<Gathered>) {
        let shifts: Vec<i32> =
            self.sources.iter().map(|held| held.shifted(ended.day).unwrap_or(0)).collect();
        let heard = self.sources.iter().filter(|held| held.today.iter().sum::<u32>() > 0).count();
        let at = Timestamp::start_of_day(ended.day + 1);
        for (index, &hours) in shifts.iter().enumerate() {
            let alike = shifts.iter().filter(|&&other| other == hours).count();
            // Where most clocks move together, it is the season.
            if hours != 0 && 2 * alike <= heard {
                let fact = Fact::SourceClock { source: SourceId(index as u32), hours };
                out.push(gathered(index, fact, at));
            }
        }
        for (held, shifted) in self.sources.iter_mut().zip(shifts) {
            held.close_day(ended.day, shifted != 0);
        }
    }

    fn bytes_held(&self) -> usize {
        self.sources.capacity() * size_of::<Heard>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

impl Heard {
    /// What an hour of this day usually brings; none before it is known.
    fn expected(&self, day: i32, hour_of_day: usize) -> Option<f32> {
        let kind = kind_of(day);
        let days = *self.days.get(kind)?;
        let sum = *self.usual.get(kind)?.get(hour_of_day)?;
        (days >= DAYS_MIN).then(|| sum / days)
    }

    fn size(&self) -> f32 {
        let scatter = (self.scatter.0 + SCATTER_SHIPPED * SQUARES_SHIPPED)
            / (self.scatter.1 + SQUARES_SHIPPED);
        1.0 / scatter.clamp(0.01, 2.0)
    }

    fn close_hour(&mut self, source: SourceId, hour: i64) -> Vec<Fact> {
        let (day, of_day) = (hour.div_euclid(24) as i32, hour.rem_euclid(24) as usize);
        let count = std::mem::take(&mut self.now);
        if let Some(held) = self.today.get_mut(of_day) {
            *held = count;
        }
        let Some(usual) = self.expected(day, of_day) else { return Vec::new() };
        let mean = usual.max(MEAN_MIN);
        let size = self.size();
        let mut facts = Vec::new();
        if count == 0 {
            // `-ln P(0)` of a negative binomial.
            self.silent.add(size * (1.0 + mean / size).ln(), count, usual);
        } else {
            self.silent = Stretch::default();
        }
        if let Some(held) = self.silent.tell(SILENT_NATS) {
            facts.push(Fact::SourceSilent {
                source,
                hours: f64::from(held.hours),
                usual_per_hour: f64::from(held.usual / held.hours as f32),
            });
        }
        for (sum, times) in self.sums.iter_mut().zip(TIMES) {
            let (each, whole) = negative_binomial_gain(mean, mean * times, size);
            sum.add(
                (count as f32 * each + whole).clamp(-HOUR_NATS_MAX, HOUR_NATS_MAX),
                count,
                usual,
            );
            if sum.nats <= 0.0 {
                *sum = Stretch::default();
            }
            let is_silence = times < 1.0 && (count == 0 || self.silent.told);
            if let Some(held) =
                sum.tell(VOLUME_NATS).filter(|held| !is_silence && held.is_far_off())
            {
                facts.push(Fact::SourceVolume {
                    source,
                    records: held.records,
                    usual: f64::from(held.usual),
                    hours: f64::from(held.hours),
                });
            }
        }
        facts
    }

    /// By how many hours the day fits better, if by any.
    fn shifted(&self, day: i32) -> Option<i32> {
        let records: u32 = self.today.iter().sum();
        let usual = self.usual.get(kind_of(day))?;
        let all: f32 = usual.iter().sum();
        if *self.days.get(kind_of(day))? < CLOCK_DAYS_MIN || (records as f32) < RECORDS_MIN {
            return None;
        }
        let fit = |shift: i32| -> f32 {
            let of_hour = |(hour, &count): (usize, &u32)| {
                let before = (hour as i32 - shift).rem_euclid(HOURS as i32) as usize;
                let share = (usual.get(before).copied().unwrap_or(0.0) + 0.5) / (all + 12.0);
                count as f32 * share.ln()
            };
            self.today.iter().enumerate().map(of_hour).sum()
        };
        let best = (-SHIFT_MAX..=SHIFT_MAX)
            .filter(|&shift| shift != 0)
            .max_by(|&a, &b| fit(a).total_cmp(&fit(b)))?;
        // A busy source's days differ by more than Poisson's law says.
        (fit(best) - fit(0) > CLOCK_NATS_A_RECORD * records as f32).then_some(best)
    }

    fn close_day(&mut self, day: i32, odd: bool) {
        let today = std::mem::replace(&mut self.today, [0; HOURS]);
        let kind = kind_of(day);
        // What was told teaches nothing, unless it goes on and on.
        let told = odd || self.silent.told || self.sums.iter().any(|sum| sum.told);
        let weight = if told { ODD_WEIGHT } else { 1.0 };
        for (of_day, &count) in today.iter().enumerate() {
            if let Some(usual) = self.expected(day, of_day).filter(|_| !told) {
                let off = count as f32 - usual;
                self.scatter.0 = self.scatter.0 * FADE_HOUR + off * off - usual;
                self.scatter.1 = self.scatter.1 * FADE_HOUR + usual * usual;
            }
        }
        if let (Some(usual), Some(days)) = (self.usual.get_mut(kind), self.days.get_mut(kind)) {
            for (held, count) in usual.iter_mut().zip(today) {
                *held = *held * FADE + count as f32 * weight;
            }
            *days = *days * FADE + weight;
        }
    }
}

impl Stretch {
    fn add(&mut self, nats: f32, count: u32, usual: f32) {
        self.nats += nats;
        self.hours += 1;
        self.records += count;
        self.usual += usual;
    }

    /// Half the usual and twice are no news: in two regions without theft they were told 77 and 50 times
    /// in 75 days.
    fn is_far_off(&self) -> bool {
        let records = self.records as f32;
        records <= FEW * self.usual || records >= MANY * self.usual
    }

    /// The stretch, once it says enough, once.
    fn tell(&mut self, nats: f32) -> Option<Self> {
        if self.told || self.nats < nats {
            return None;
        }
        self.told = true;
        Some(*self)
    }
}

/// Working days, and week-ends. 1970-01-01 was a Thursday.
fn kind_of(day: i32) -> usize {
    usize::from(matches!((day + 3).rem_euclid(7), 5 | 6))
}

fn gathered(source: usize, fact: Fact, at: Timestamp) -> Gathered {
    let kind = match fact {
        Fact::SourceSilent { .. } => 0,
        Fact::SourceClock { .. } => 1,
        _ => 2,
    };
    let hours = match fact {
        Fact::SourceSilent { hours, .. } | Fact::SourceVolume { hours, .. } => hours as i64,
        _ => 24,
    };
    Gathered {
        detector: "source_silence",
        cause: Cause::Source,
        family: Family::Identity,
        subject: source as u32 * 4 + kind,
        false_per_day: f64::INFINITY,
        first_seen: at.minus_secs(hours * 3_600),
        entities: Vec::new(),
        patients: Vec::new(),
        tried: Vec::new(),
        evidence: Evidence::of(vec![fact], InnocentStory::ChangedJob, NextStep::CheckSource),
    }
}

const HOURS: usize = 24;
const TIMES: [f32; 2] = [1.0 / 3.0, 3.0];
/// Once in some centuries of a source's hours, by the law.
const SILENT_NATS: f32 = 14.0;
const VOLUME_NATS: f32 = 14.0;
const FEW: f32 = 0.4;
const MANY: f32 = 2.5;
/// One wild hour says no more than this.
const HOUR_NATS_MAX: f32 = 5.0;
const SHIFT_MAX: i32 = 3;
/// A record an hour off speaks as much for a moved clock on average, where days have a shape.
const CLOCK_NATS_A_RECORD: f32 = 0.1;
const RECORDS_MIN: f32 = 200.0;
/// Days of a kind before an hour's usual is known; week-ends bring two a week.
const DAYS_MIN: f32 = 3.5;
const CLOCK_DAYS_MIN: f32 = 6.0;
/// Half weight after some thirty days of the kind.
const FADE: f32 = 0.977;
const FADE_HOUR: f32 = 0.999;
const ODD_WEIGHT: f32 = 0.25;
const SCATTER_SHIPPED: f32 = 0.1;
const SQUARES_SHIPPED: f32 = 2_000.0;
const MEAN_MIN: f32 = 0.05;
const SOURCES_MAX: usize = 4_096;
const HOURS_AT_ONCE_MAX: i64 = 24 * 35;

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours of some weeks, by a rule; the facts, with the hour since the first at which each came.
    fn weeks(days: i64, count: impl Fn(i64, i64) -> u32) -> Vec<(i64, Fact)> {
        let mut held = Heard::default();
        let mut facts = Vec::new();
        // A Monday.
        let first = 19_723 * 24;
        for hour in 0..days * 24 {
            held.now = count(hour / 24, hour % 24);
            let found = held.close_hour(SourceId(0), first + hour);
            facts.extend(found.into_iter().map(|fact| (hour, fact)));
            if hour % 24 == 23 {
                let day = ((first + hour) / 24) as i32;
                let shifted = held.shifted(day);
                let clock = shifted.map(|hours| Fact::SourceClock { source: SourceId(0), hours });
                facts.extend(clock.map(|fact| (hour, fact)));
                held.close_day(day, shifted.is_some());
            }
        }
        facts
    }

    fn usual(day: i64, hour: i64) -> u32 {
        let busy = if (7..16).contains(&hour) { 90 } else { 6 };
        let rest = if day % 7 >= 5 { 3 } else { 1 };
        let wobble = (day * 7_919 + hour * 104_729) % 11;
        (busy + busy * wobble as u32 / 25) / rest
    }

    #[test]
    fn usual_weeks_are_silent_about_it() {
        assert_eq!(weeks(60, usual), []);
    }

    #[test]
    fn silence_is_told_once_within_two_busy_hours() {
        let facts =
            weeks(
                40,
                |day, hour| {
                    if day == 30 && (9..15).contains(&hour) { 0 } else { usual(day, hour) }
                },
            );
        let told = 30 * 24 + 10;
        assert!(matches!(facts[..], [(at, Fact::SourceSilent { .. })] if at <= told), "{facts:?}");
    }

    #[test]
    fn a_third_and_four_times_are_told_and_so_is_a_moved_clock() {
        let third = weeks(40, |day, hour| usual(day, hour) / if day >= 30 { 3 } else { 1 });
        let is_few = |fact: &Fact| matches!(fact, Fact::SourceVolume { records, usual, .. } if f64::from(*records) < *usual);
        assert!(third.iter().any(|(at, fact)| *at < 32 * 24 && is_few(fact)), "{third:?}");
        let many = weeks(40, |day, hour| usual(day, hour) * if day >= 30 { 4 } else { 1 });
        assert!(many.iter().any(|(at, fact)| *at < 31 * 24 && !is_few(fact)), "{many:?}");
        let moved =
            weeks(40, |day, hour| usual(day, if day >= 30 { (hour + 22) % 24 } else { hour }));
        let clock = |fact: &Fact| matches!(fact, Fact::SourceClock { hours: 2, .. });
        assert!(moved.iter().any(|(_, fact)| clock(fact)), "{moved:?}");
    }

    #[test]
    fn a_source_holds_little() {
        assert!(size_of::<Heard>() <= 900);
        let mut held = SourceSilence::new();
        held.sources.resize_with(SOURCES_MAX, Heard::default);
        assert!(held.bytes_held() <= 4_000_000);
    }
}
