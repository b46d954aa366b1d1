//! Accounts that share a place, an application or an hour open patients far from all of them.
//!
//! ## What it sees
//! Over the last week, for each address, part of the network, application and hour: the cold patients
//! opened there (two of an account at most), against as many as the same accounts' usual share of
//! cold patients would bring among all that they opened there. Accounts of one unit speak with one
//! voice, since a unit has boards and lists. It names accounts only where at most one in ten of them is
//! there by chance.
//! ## Why it matters
//! Who holds fifty passwords takes one record a week with each, which no count of an account's own ever
//! shows; but he reads them all from where he is.
//! ## What makes it harmless
//! A new building, an upgrade of the application, a night on which one person reads for many wards.
//! ## First thing to do
//! Find out what stands at the shared address, and end the sessions of the accounts.
//! ## Memory
//! 16 bytes for each reader and place, application or hour of the last week: about 20 a reader, and two
//! million in all.
//! ## Source
//! Kulldorff, A spatial scan statistic (1997), over what accounts share in place of places on a map.

use super::{Evidence, Gathered, Gathering, Restoring, Saving, Seen, StateError, is_cold};
use crate::calibrate::{People, Stream, SubjectDay, Tail, negative_binomial_surprise};
use crate::queue::Cause;
use bavn_model::{
    Fact, Family, IdentityId, InnocentStory, NextStep, Timestamp, Trait, Tried, TriedOutcome,
    UnitId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CohortLink {
    shared: BTreeMap<Shared, Users>,
    pairs: usize,
    /// What had a cold patient since it was last looked at.
    pending: BTreeSet<Shared>,
    highest_today: f32,
    /// The last day on which something was told: what goes on is learned from once.
    told: i32,
    telling: bool,
    /// Open cases, each with its accounts: an address and its part of the network are one.
    cases: Vec<(u32, Vec<IdentityId>)>,
    tail: Tail,
    /// How far counts scatter beyond Poisson, for each trait: excess, and squares of the mean.
    scatter: [(f32, f32); TRAITS.len()],
}

/// A value of a trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
struct Shared {
    kind: u8,
    value: u64,
}

type Users = BTreeMap<IdentityId, Use>;

/// One account's visits at one place, fading.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Use {
    visits: f32,
    cold: f32,
}

/// What is known of one value.
#[derive(Debug, Default)]
struct Count {
    found: f32,
    expected: f32,
    accounts: Vec<IdentityId>,
    units: usize,
}

impl CohortLink {
    pub(crate) fn new() -> Self {
        Self {
            shared: BTreeMap::new(),
            pairs: 0,
            pending: BTreeSet::new(),
            highest_today: 0.0,
            told: i32::MIN,
            telling: false,
            cases: Vec::new(),
            tail: Tail::of_rule(2.0),
            scatter: [(5.0, 5.0); TRAITS.len()],
        }
    }

    fn count(&self, shared: Shared, people: &People) -> Count {
        let mut count = Count::default();
        let Some(users) = self.shared.get(&shared) else { return count };
        let mut units: Vec<(Option<UnitId>, f32)> = Vec::new();
        for (&identity, held) in users {
            let Some(person) = people.get(identity) else { continue };
            let [all, _, _, cold, _] = *person.usual();
            let usual = held.visits * (cold / all.max(0.5)).min(1.0);
            count.expected += usual.min(COLD_MAX);
            if held.cold < COLD_MIN {
                continue;
            }
            count.accounts.push(identity);
            let cold = held.cold.min(COLD_MAX);
            match units.iter_mut().find(|(unit, _)| person.unit.is_some() && *unit == person.unit) {
                Some((_, sum)) => *sum += cold,
                None => units.push((person.unit, cold)),
            }
        }
        // What a unit does together counts as what two of its people do.
        count.found = units.iter().map(|&(_, sum)| sum.min(2.0 * COLD_MAX)).sum();
        count.units = units.len();
        count
    }

    /// The case that most of the accounts are in already, or one of its own.
    fn case_of(&mut self, shared: Shared, accounts: &[IdentityId]) -> u32 {
        let same = |held: &[IdentityId]| {
            let both = accounts.iter().filter(|account| held.contains(account)).count();
            2 * both >= accounts.len().min(held.len())
        };
        if let Some((subject, held)) = self.cases.iter_mut().find(|(_, held)| same(held)) {
            accounts.clone_into(held);
            return *subject;
        }
        // Far over any day, which names the cases of sprayed accounts.
        let value = shared.value as u32 & 0x0fff_ffff;
        let subject = 1 << 31 | u32::from(shared.kind) << 28 | value;
        if self.cases.len() < CASES_MAX {
            self.cases.push((subject, accounts.to_vec()));
        }
        subject
    }

    fn nats(&self, kind: u8, count: &Count) -> f32 {
        let scatter = self.scatter.get(usize::from(kind)).copied().unwrap_or((1.0, 1.0));
        let size = (scatter.1 / scatter.0.max(0.01)).clamp(0.5, 50.0);
        negative_binomial_surprise(count.found as u32, count.expected.max(EXPECTED_MIN), size)
    }
}

impl Gathering for CohortLink {
    fn name(&self) -> &'static str {
        "cohort_link"
    }

    fn observe(&mut self, seen: &Seen<'_>, _out: &mut Vec<Gathered>) {
        let Some(visit) = seen.visit.filter(|_| seen.opens && !seen.person.system) else { return };
        let cold = is_cold(visit) && !seen.crowded;
        let access = seen.access;
        let values = [
            access.host.map(|host| u64::from(host.0)),
            access.network.map(|network| network.0),
            access.client.map(|client| u64::from(client.0)),
            Some(u64::from(access.at.hour_of_day())),
        ];
        for (kind, value) in values.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let shared = Shared { kind: kind as u8, value };
            let users = self.shared.entry(shared).or_default();
            let held = users.len();
            if !users.contains_key(&seen.identity) && self.pairs >= PAIRS_MAX {
                continue;
            }
            let user = users.entry(seen.identity).or_default();
            user.visits += 1.0;
            user.cold += f32::from(u8::from(cold));
            self.pairs += users.len() - held;
            if cold {
                self.pending.insert(shared);
            }
        }
    }

    fn close_hour(
        &mut self,
        now: Timestamp,
        _chances: &[(IdentityId, f32)],
        people: &People,
        out: &mut Vec<Gathered>,
    ) {
        let pending = std::mem::take(&mut self.pending);
        let looked_at = (self.shared.len() as f32).max(1.0);
        for shared in pending {
            let count = self.count(shared, people);
            if count.accounts.len() < ACCOUNTS_MIN || count.units < UNITS_MIN {
                continue;
            }
            // Any value could have been the one.
            let nats = self.nats(shared.kind, &count) - looked_at.ln();
            self.highest_today = self.highest_today.max(nats);
            let by_chance = count.expected / count.found.max(1.0);
            if nats <= 0.0 || by_chance > WRONGLY_NAMED_MAX {
                continue;
            }
            let day = now.minus_secs(1).day();
            let of = SubjectDay { subject: shared.value as u32, class: CLASS, day };
            let false_per_day = self.tail.p(of, nats) * BUDGET_PARTS;
            if false_per_day < WORTH_PER_DAY {
                let subject = self.case_of(shared, &count.accounts);
                self.telling = true;
                out.push(gathered(shared, subject, &count, false_per_day, people, now));
            }
        }
    }

    fn close_day(&mut self, day: i32) {
        let of = SubjectDay { subject: day.unsigned_abs(), class: CLASS, day };
        if !self.telling || day.saturating_sub(self.told) > DAYS_BACK {
            self.tail.learn(of, self.highest_today, self.telling);
        }
        if std::mem::take(&mut self.telling) {
            self.told = day;
        }
        if day.saturating_sub(self.told) > DAYS_BACK {
            self.cases.clear();
        }
        self.tail.freeze();
        self.highest_today = 0.0;
        for users in self.shared.values_mut() {
            users.retain(|_, held| {
                held.visits *= KEPT;
                held.cold *= KEPT;
                held.visits >= VISITS_MIN
            });
        }
        self.shared.retain(|_, users| !users.is_empty());
        self.pairs = self.shared.values().map(BTreeMap::len).sum();
    }

    fn bytes_held(&self) -> usize {
        let each = size_of::<(IdentityId, Use)>();
        self.shared.len() * size_of::<(Shared, Users)>()
            + self.pairs * each
            + self.tail.bytes_held()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

fn gathered(
    shared: Shared,
    subject: u32,
    count: &Count,
    false_per_day: f64,
    people: &People,
    now: Timestamp,
) -> Gathered {
    let accounts = count.accounts.len() as u32;
    let place = TRAITS.get(usize::from(shared.kind)).copied().unwrap_or(Trait::Host);
    let cold: u32 = count
        .accounts
        .iter()
        .filter_map(|&identity| Some(people.get(identity)?.count(Stream::Cold)))
        .sum();
    let because = vec![
        Fact::SharedTrait {
            shared: place,
            accounts,
            of: accounts,
            expected: f64::from(count.expected),
        },
        Fact::AccountsWithColdReads {
            accounts,
            expected: f64::from(count.expected),
            patients: cold.max(count.found as u32),
        },
    ];
    Gathered {
        detector: "cohort_link",
        cause: Cause::Cohort,
        family: Family::Relation,
        subject,
        false_per_day,
        first_seen: Timestamp::start_of_day(now.minus_secs(1).day() - DAYS_BACK),
        entities: count.accounts.clone(),
        patients: Vec::new(),
        tried: vec![Tried {
            template: "unit_worked_with_patient",
            outcome: TriedOutcome::NotFound,
            visits: cold,
        }],
        evidence: Evidence::of(because, InnocentStory::SharedWorkstation, NextStep::BlockAccount),
    }
}

const TRAITS: [Trait; 4] = [Trait::Host, Trait::Network, Trait::Client, Trait::Hour];
/// Cold patients of one account that count: one thief is no cohort.
const COLD_MAX: f32 = 2.0;
/// A cold patient counts for six days.
const COLD_MIN: f32 = 0.25;
const DAYS_BACK: i32 = 6;
const KEPT: f32 = 0.8;
const VISITS_MIN: f32 = 0.25;
/// Any but that of system accounts, which have no law but their own.
const CLASS: u8 = 1;
const CASES_MAX: usize = 64;
const ACCOUNTS_MIN: usize = 4;
const UNITS_MIN: usize = 3;
const EXPECTED_MIN: f32 = 0.05;
const WRONGLY_NAMED_MAX: f32 = 0.1;
const PAIRS_MAX: usize = 2_000_000;
/// Of the budget for cohorts, this is one part of two: sprayed accounts have the other.
const BUDGET_PARTS: f64 = 2.0;
const WORTH_PER_DAY: f64 = 0.5;
