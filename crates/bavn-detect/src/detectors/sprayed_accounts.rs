//! Many accounts open a few cold patients each, on one day.
//!
//! ## What it sees
//! Every hour, over all readers of the day: do more of them have an unlikely count of cold patients
//! than past days had? Asked at several levels of unlikeliness, as higher criticism does, but each
//! against its own past days. It names the accounts among whom fewer than one in ten is there by
//! chance. Readers who cross the alarm line by themselves, but in numbers that no day explains, join
//! the same case.
//! ## Why it matters
//! Thieves with forty passwords take fifteen records from each, and no single account stands out.
//! ## What makes it harmless
//! An upgrade or an outage that hides everybody's context for a day.
//! ## First thing to do
//! Look for what the accounts share: an address, an application, an hour.
//! ## Memory
//! 8 bytes a reader of the day, and a few dozen for what past days were like.
//! ## Source
//! Donoho and Jin, Higher criticism (2004); Gong, Kipnis and Xie (2024) for naming.

use super::{Evidence, Gathered, Gathering, Restoring, Saving, Seen, StateError};
use crate::calibrate::{People, Stream, negative_binomial_surprise};
use crate::queue::Cause;
use bavn_model::{
    Fact, Family, HostId, IdentityId, InnocentStory, NextStep, Timestamp, Trait, Tried,
    TriedOutcome,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SprayedAccounts {
    levels: [Level; LEVELS.len()],
    #[serde(with = "crate::sorted")]
    hosts: HashMap<IdentityId, HostId, foldhash::fast::FixedState>,
}

/// How many readers of a day are as unlikely as one level asks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Level {
    /// The most of today so far.
    readers: u32,
    /// Of past days, fading: how many, their counts, the squares of what was expected, and of what
    /// came beyond Poisson.
    days: f32,
    sum: f32,
    squares: f32,
    excess: f32,
}

impl Level {
    fn mean(&self) -> f32 {
        (self.sum + READERS_SHIPPED * PRIOR_DAYS) / (self.days + PRIOR_DAYS)
    }

    /// `-ln` of the chance of so many on a day.
    fn surprise(&self) -> f32 {
        let weight = PRIOR_DAYS * self.mean().powi(2);
        let scatter = (self.excess + weight * SCATTER_SHIPPED) / (self.squares + weight);
        negative_binomial_surprise(self.readers, self.mean(), 1.0 / scatter.clamp(0.05, 5.0))
    }

    fn close_day(&mut self) {
        let mean = self.mean();
        // A day of theft must not teach what days are like.
        let kept = (self.readers as f32).min(mean + 2.0 * mean.sqrt() + 2.0);
        self.excess = self.excess * FADE + (kept - mean).powi(2) - mean;
        self.squares = self.squares * FADE + mean * mean;
        self.sum = self.sum * FADE + kept;
        self.days = self.days * FADE + 1.0;
        self.readers = 0;
    }
}

impl SprayedAccounts {
    pub(crate) fn new() -> Self {
        Self { levels: Default::default(), hosts: HashMap::default() }
    }

    fn fact_of_hosts(&self, named: &[IdentityId]) -> Option<Fact> {
        let mut counts: HashMap<HostId, u32, foldhash::fast::FixedState> = HashMap::default();
        for host in named.iter().filter_map(|identity| self.hosts.get(identity)) {
            *counts.entry(*host).or_default() += 1;
        }
        let most = counts.values().copied().max().filter(|&most| most >= 3)?;
        let all = self.hosts.len().max(1) as f64;
        let hosts = {
            let mut hosts: Vec<HostId> = self.hosts.values().copied().collect();
            hosts.sort_unstable();
            hosts.dedup();
            hosts.len().max(1) as f64
        };
        Some(Fact::SharedTrait {
            shared: Trait::Host,
            accounts: most,
            of: named.len() as u32,
            expected: named.len() as f64 * (all / hosts) / all,
        })
    }
}

impl Gathering for SprayedAccounts {
    fn name(&self) -> &'static str {
        "sprayed_accounts"
    }

    fn observe(&mut self, seen: &Seen<'_>, _out: &mut Vec<Gathered>) {
        if let (Some(_), Some(host)) = (seen.unexplained(), seen.access.host) {
            self.hosts.insert(seen.identity, host);
        }
    }

    fn close_hour(
        &mut self,
        now: Timestamp,
        chances: &[(IdentityId, f32)],
        people: &People,
        out: &mut Vec<Gathered>,
    ) {
        if chances.len() < READERS_MIN {
            return;
        }
        let mut sorted: Vec<(IdentityId, f64)> =
            chances.iter().map(|&(identity, p)| (identity, f64::from(p))).collect();
        sorted.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        for (level, limit) in self.levels.iter_mut().zip(LEVELS) {
            let readers = sorted.partition_point(|&(_, p)| p <= limit) as u32;
            level.readers = level.readers.max(readers);
        }
        let highest = self.levels.iter().map(Level::surprise).fold(0.0, f32::max);
        let false_per_day = (f64::from(-highest).exp() * LEVELS.len() as f64).min(1.0);
        if self.levels.iter().any(|level| level.days < DAYS_MIN) || false_per_day > WORTH_PER_DAY {
            return;
        }
        let named = named(&sorted);
        if named.len() < NAMED_MIN {
            return;
        }
        let cold = |identity: &IdentityId| {
            people.get(*identity).map_or(0, |person| person.count(Stream::Cold))
        };
        let patients: u32 = named.iter().map(cold).sum();
        let limit = sorted.get(named.len() - 1).map_or(0.0, |&(_, p)| p);
        let mut because = vec![Fact::AccountsWithColdReads {
            accounts: named.len() as u32,
            expected: limit * sorted.len() as f64,
            patients,
        }];
        because.extend(self.fact_of_hosts(&named));
        out.push(Gathered {
            detector: "sprayed_accounts",
            cause: Cause::Cohort,
            family: Family::Relation,
            subject: now.minus_secs(1).day().unsigned_abs(),
            false_per_day,
            first_seen: Timestamp::start_of_day(now.minus_secs(1).day()),
            entities: named,
            patients: Vec::new(),
            tried: vec![Tried {
                template: "unit_worked_with_patient",
                outcome: TriedOutcome::NotFound,
                visits: patients,
            }],
            evidence: Evidence::of(
                because,
                InnocentStory::SharedWorkstation,
                NextStep::BlockAccount,
            ),
        });
    }

    fn close_day(&mut self, _day: i32) {
        self.levels.iter_mut().for_each(Level::close_day);
        self.hosts.clear();
    }

    fn bytes_held(&self) -> usize {
        self.hosts.capacity() * size_of::<(IdentityId, HostId)>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

/// The accounts among which at most one in ten is expected by chance (Benjamini-Hochberg).
fn named(sorted: &[(IdentityId, f64)]) -> Vec<IdentityId> {
    let n = sorted.len() as f64;
    let last = sorted
        .iter()
        .enumerate()
        .take(sorted.len() / 4 + 1)
        .rfind(|(index, (_, p))| p * n <= WRONGLY_NAMED_MAX * (index + 1) as f64)
        .map_or(0, |(index, _)| index + 1);
    sorted.iter().take(last).map(|&(identity, _)| identity).collect()
}

const READERS_MIN: usize = 50;
const NAMED_MIN: usize = 4;
const WRONGLY_NAMED_MAX: f64 = 0.1;
/// Boards come once a week: a second one must have been seen.
const DAYS_MIN: f32 = 12.0;
const FADE: f32 = 0.98;
/// Chances that a reader's cold count may have.
const LEVELS: [f64; 3] = [0.02, 0.005, 0.00125];
/// What a day is expected to be like before any was seen, and for how many days that speaks.
const READERS_SHIPPED: f32 = 1.0;
const SCATTER_SHIPPED: f32 = 0.5;
const PRIOR_DAYS: f32 = 5.0;
const WORTH_PER_DAY: f64 = 0.5;
