//! A system account reads from where, through what, when or what it never did.
//!
//! ## What it sees
//! For accounts that are systems: the hosts, applications, hours and kinds of record of its past,
//! and today's look-ups outside them, each weighed by how settled that part of the profile is.
//! ## Why it matters
//! A batch account reads thousands without anybody looking; whoever holds its key is invisible.
//! ## What makes it harmless
//! A job that was moved or changed, a month's end, a failover host: a change ticket says so.
//! ## First thing to do
//! Ask the operator for the change ticket; rotate the credential if there is none.
//! ## Memory
//! At most 2 KB an account; only system accounts have any.
//! ## Source
//! None known for health records; the allow-profile follows database activity monitoring.

use super::{Detector, Evidence, Restoring, Saving, Scores, Seen, StateError, is_unexplained};
use crate::calibrate::{Person, Stream};
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Kind, Lane, NextStep, Trait};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServiceAccount {
    #[serde(with = "crate::sorted")]
    accounts: HashMap<IdentityId, Profile, foldhash::fast::FixedState>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Profile {
    day: i32,
    days: u32,
    reads: u64,
    traits: [Vec<Known>; TRAITS.len()],
    /// Of today, outside the profile: reads, and nats, for each trait.
    outside: [u32; TRAITS.len()],
    nats: [f32; TRAITS.len()],
    highest: f32,
}

/// One value of a trait: on how many days it was seen, and the last of them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Known {
    value: u32,
    days: u32,
    last: i32,
}

impl ServiceAccount {
    pub(crate) fn new() -> Self {
        Self { accounts: HashMap::default() }
    }
}

impl Detector for ServiceAccount {
    fn name(&self) -> &'static str {
        "service_account"
    }

    fn family(&self) -> Family {
        Family::Identity
    }

    fn lane(&self) -> Lane {
        Lane::Live
    }

    fn channels(&self) -> usize {
        2
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        if !seen.person.system {
            return;
        }
        let profile = self.accounts.entry(seen.identity).or_default();
        let highest = profile.highest;
        profile.observe(seen);
        if profile.highest > highest {
            out.raise(0, profile.highest);
        }
        // In profile but for whom it reads: patients that its job never had.
        if seen.opens && seen.visit.is_some_and(is_unexplained) {
            out.raise(
                1,
                seen.person.surprise(Stream::Cold).max(seen.person.surprise(Stream::Away)),
            );
        }
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let Some(profile) = self.accounts.get(&identity) else { return Evidence::nothing() };
        let mut because: Vec<(f32, Fact)> = Vec::new();
        for (index, shared) in TRAITS.into_iter().enumerate() {
            let reads = profile.outside.get(index).copied().unwrap_or(0);
            let nats = profile.nats.get(index).copied().unwrap_or(0.0);
            if reads > 0 && nats > 0.0 {
                let reads_before = profile.reads.min(u64::from(u32::MAX)) as u32;
                because.push((nats, Fact::NewTrait { shared, reads, reads_before }));
            }
        }
        let cold = person.count(Stream::Cold);
        if cold > 0 {
            because.push((
                person.surprise(Stream::Cold),
                Fact::ColdPatients {
                    cold,
                    usual: f64::from(person.mean(Stream::Cold)),
                    window_secs: super::DAY_SECS,
                },
            ));
        }
        because.sort_by(|a, b| b.0.total_cmp(&a.0));
        let because = because.into_iter().map(|(_, fact)| fact).collect();
        Evidence::of(because, InnocentStory::ChangedJob, NextStep::RotateCredential)
    }

    fn bytes_held(&self) -> usize {
        let each = |profile: &Profile| -> usize {
            size_of::<Profile>()
                + profile
                    .traits
                    .iter()
                    .map(|held| held.capacity() * size_of::<Known>())
                    .sum::<usize>()
        };
        self.accounts.values().map(each).sum()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

impl Profile {
    fn observe(&mut self, seen: &Seen<'_>) {
        let (access, day) = (seen.access, seen.access.at.day());
        if self.day != day {
            self.day = day;
            self.days += 1;
            self.outside = [0; TRAITS.len()];
            self.nats = [0.0; TRAITS.len()];
            self.highest = 0.0;
        }
        self.reads += 1;
        let values = [
            access.host.map(|host| host.0),
            access.client.map(|client| client.0),
            Some(u32::from(access.at.hour_of_day())),
            Some(kind_of(access.kind) << 24 | access.resource.map_or(0, |kind| kind.0 + 1)),
        ];
        for (index, value) in values.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let (Some(known), Some(outside), Some(nats)) =
                (self.traits.get_mut(index), self.outside.get_mut(index), self.nats.get_mut(index))
            else {
                continue;
            };
            // Good-Turing: how often did a day bring a value never seen before?
            let days = self.days.saturating_sub(1) as f32;
            let held = known.iter_mut().find(|held| held.value == value);
            let novel = if let Some(held) = held {
                let novel = held.days <= 1 && held.last == day;
                if held.last != day {
                    held.days += 1;
                    held.last = day;
                }
                novel
            } else {
                if known.len() < VALUES_MAX {
                    known.push(Known { value, days: 1, last: day });
                }
                true
            };
            if novel && days >= DAYS_MIN {
                let once = known.iter().filter(|held| held.days == 1).count() as f32;
                *outside += 1;
                let rarity = ((days + 1.0) / once.max(0.5)).ln().max(0.0);
                // One odd read is a slip; a run of them is a use.
                let weight = if index == 2 { 1.0 } else { 2.5 };
                *nats = weight * rarity * (1.0 + (*outside as f32).ln() / 3.0);
            }
        }
        self.highest = self.nats.iter().sum();
    }
}

const fn kind_of(kind: Kind) -> u32 {
    kind as u32
}

const TRAITS: [Trait; 4] = [Trait::Host, Trait::Client, Trait::Hour, Trait::RecordKind];
/// A profile of fewer working days says nothing yet.
const DAYS_MIN: f32 = 4.0;
/// Values held of one trait.
const VALUES_MAX: usize = 40;
