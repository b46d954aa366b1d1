//! Many accounts open a few cold patients each, on one day.
//!
//! ## What it sees
//! Every hour, over all readers of the day: are more of their cold counts unlikely than chance
//! allows? Higher criticism, standardised by its own past days; it names the accounts among whom
//! fewer than one in ten is there by chance. Readers who cross the alarm line by themselves, but in
//! numbers that no day explains, join the same case.
//! ## Why it matters
//! Thieves with forty passwords take fifteen records from each, and no single account stands out.
//! ## What makes it harmless
//! An upgrade or an outage that hides everybody's context for a day.
//! ## First thing to do
//! Look for what the accounts share: an address, an application, an hour.
//! ## Memory
//! 8 bytes a reader of the day.
//! ## Source
//! Donoho and Jin, Higher criticism (2004); Gong, Kipnis and Xie (2024) for naming.

use super::{Evidence, Gathered, Gathering, Seen};
use crate::calibrate::{People, Stream};
use crate::queue::Cause;
use bavn_model::{
    Fact, Family, HostId, IdentityId, InnocentStory, NextStep, Timestamp, Trait, Tried,
    TriedOutcome,
};
use hashbrown::HashMap;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct SprayedAccounts {
    highest: f64,
    /// Of past days' highest: how many, mean and squares (faded).
    days: f64,
    mean: f64,
    squares: f64,
    hosts: HashMap<IdentityId, HostId, foldhash::fast::FixedState>,
}

impl SprayedAccounts {
    pub(crate) fn new() -> Self {
        Self { highest: 0.0, days: 0.0, mean: 0.0, squares: 0.0, hosts: HashMap::default() }
    }

    /// Chance of a day as high, whatever the law of the statistic (Cantelli).
    fn chance(&self, statistic: f64) -> f64 {
        if self.days < DAYS_MIN {
            return 1.0;
        }
        let variance = self.squares / self.days - (self.mean / self.days).powi(2);
        // A few days know little of their own spread.
        let spread = variance.max(0.0).sqrt().max(SPREAD_MIN) * (1.0 + 3.0 / self.days);
        let off = (statistic - self.mean / self.days) / spread;
        if off <= 0.0 { 1.0 } else { 1.0 / (1.0 + off * off) }
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
        let statistic = higher_criticism(&sorted);
        self.highest = self.highest.max(statistic);
        let false_per_day = self.chance(statistic);
        if false_per_day > WORTH_PER_DAY {
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
        self.days = self.days * FADE + 1.0;
        // A day of theft must not teach what days are like.
        let cap = if self.days > DAYS_MIN {
            self.mean / self.days + 4.0 * (self.squares / self.days).sqrt().max(1.0)
        } else {
            f64::MAX
        };
        let kept = self.highest.min(cap);
        self.mean = self.mean * FADE + kept;
        self.squares = self.squares * FADE + kept * kept;
        self.highest = 0.0;
        self.hosts.clear();
    }

    fn bytes_held(&self) -> usize {
        self.hosts.capacity() * size_of::<(IdentityId, HostId)>()
    }
}

/// `max over i <= n/10, p(i) >= 1/n of sqrt(n) (i/n - p(i)) / sqrt(p(i) (1 - p(i)))`.
fn higher_criticism(sorted: &[(IdentityId, f64)]) -> f64 {
    let n = sorted.len() as f64;
    let mut highest = 0.0_f64;
    for (index, &(_, p)) in sorted.iter().take(sorted.len() / 10 + 1).enumerate() {
        let p = p.max(1.0 / n);
        if p >= 0.2 {
            break;
        }
        let share = (index + 1) as f64 / n;
        highest = highest.max(n.sqrt() * (share - p) / (p * (1.0 - p)).sqrt());
    }
    highest
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
const DAYS_MIN: f64 = 7.0;
const SPREAD_MIN: f64 = 0.5;
const FADE: f64 = 0.98;
const WORTH_PER_DAY: f64 = 0.5;
