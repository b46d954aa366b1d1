//! How long is what kept, what must stay nevertheless, and what has gone?

use crate::error::Result;
use crate::manifest::{Manifest, Named};
use crate::names::{Of, Same};
use crate::proof::{Hash, sha256};
use crate::reader::{Store, Window};
use crate::row::Row;
use crate::stretches::{RETIRED, Stretches};
use bavn_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How long is what kept. What is not named is kept for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The bytes that a source wrote.
    #[serde(default)]
    pub original: Original,
    /// Days after a look-up, after which it goes as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_ups_days: Option<u32>,
    /// Days after the verdict that a case was innocent, after which its acts go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_cases_days: Option<u32>,
    /// Days after the verdict that patients were wronged. Until then its look-ups stay too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaches_days: Option<u32>,
}

/// How long the original bytes are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Original {
    /// As long as the look-up.
    #[default]
    Full,
    /// After the look-up.
    Days(u32),
    /// Never.
    None,
}

impl Policy {
    /// Look-ups before this instant go.
    pub(crate) fn look_ups_before(&self, now: Timestamp) -> i64 {
        self.look_ups_days.map_or(i64::MIN, |days| days_before(now, days))
    }

    /// The original bytes of look-ups before this instant go.
    pub(crate) fn originals_before(&self, now: Timestamp) -> i64 {
        match self.original {
            Original::Full => i64::MIN,
            Original::Days(days) => days_before(now, days),
            Original::None => i64::MAX,
        }
    }
}

fn days_before(now: Timestamp, days: u32) -> i64 {
    now.plus_secs(-i64::from(days) * 86_400).micros()
}

/// What is to stay though its time is over: look-ups that fit all that is named. By name, as in a
/// question; without any name, all of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    pub identities: Vec<String>,
    pub patients: Vec<String>,
    pub window: Window,
}

/// A legal hold, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Held {
    pub(crate) number: u32,
    pub(crate) case: Option<u32>,
    pub(crate) identities: Vec<u32>,
    pub(crate) patients: Vec<u32>,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) placed: Order,
    pub(crate) released: Option<Order>,
}

/// Who said so, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub by: String,
    pub why: String,
    pub at: Timestamp,
}

/// A legal hold, as it is shown: without names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub number: u32,
    pub case: Option<u32>,
    /// Whether it is for certain patients or readers only.
    pub of_patients: bool,
    pub of_identities: bool,
    pub window: Window,
    pub placed: Order,
    pub released: Option<Order>,
}

/// Look-ups that stay, by numbers.
#[derive(Clone, Debug)]
pub(crate) struct Shield {
    pub(crate) identities: BTreeSet<u32>,
    pub(crate) patients: BTreeSet<u32>,
    pub(crate) window: Window,
}

impl Shield {
    pub(crate) fn has(&self, row: &Row<'_>) -> bool {
        self.window.has(row.at) && self.is_about(&[row.identity, row.on_behalf_of], &row.patients)
    }

    pub(crate) fn is_about(&self, readers: &[u32], patients: &[u32]) -> bool {
        let among = |all: &BTreeSet<u32>, ids: &[u32]| {
            all.is_empty() || ids.iter().any(|id| all.contains(id))
        };
        among(&self.identities, readers) && among(&self.patients, patients)
    }
}

impl Held {
    /// With all spellings that mean the same today.
    pub(crate) fn shield(&self, identities: &Same, patients: &Same) -> Shield {
        let window =
            Window { from: Timestamp::from_micros(self.from), to: Timestamp::from_micros(self.to) };
        Shield {
            identities: identities.all_of(&self.identities).into_iter().collect(),
            patients: patients.all_of(&self.patients).into_iter().collect(),
            window,
        }
    }
}

/// What went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retired {
    /// The bytes that the source wrote.
    Originals,
    /// Look-ups as a whole.
    LookUps,
    /// Who the patient was, with everything that could tell.
    Identity,
}

impl Retired {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Originals => "original bytes",
            Self::LookUps => "look-ups",
            Self::Identity => "who a patient was",
        }
    }
}

/// One time that something went, which is an entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retirement {
    pub(crate) what: Retired,
    pub(crate) said: Order,
    /// Look-ups of which it went.
    pub(crate) look_ups: u64,
    /// Which entries of the log they are.
    pub(crate) list: Named,
    pub(crate) nonce: String,
    /// Its own place in the log.
    pub(crate) entry: u64,
    /// Look-ups from before this instant, in microseconds since the epoch, unless they are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<i64>,
    /// Numbers of the patient and, where the patient is a reader too, of that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) patients: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) identities: Vec<u32>,
}

impl Retirement {
    /// What its entry of the log commits to, laid out as that of a silence.
    pub(crate) fn canonical(&self, list: &Stretches) -> Vec<u8> {
        let mut bytes = b"bavn retirement 1\0".to_vec();
        bytes.extend_from_slice(&self.said.at.micros().to_be_bytes());
        bytes.extend_from_slice(&self.look_ups.to_be_bytes());
        bytes.push(self.what as u8);
        let digest = crate::keys::to_hex(&list.digest());
        for text in [self.what.word(), &self.said.by, &self.said.why, &digest] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

impl Stretches {
    /// SHA-256 of `first-last` and a line end for each stretch.
    fn digest(&self) -> Hash {
        let mut text = String::new();
        for (first, last) in self.ends() {
            // Writing to a string cannot fail.
            let _never = writeln!(text, "{first}-{last}");
        }
        sha256(&[text.as_bytes()])
    }
}

/// One time that something went, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub what: Retired,
    pub said: Order,
    pub look_ups: u64,
    /// Of the log: first and last of each stretch, at most [`STRETCHES_TOLD_MAX`].
    pub entries: Vec<(u64, u64)>,
    /// Its own place in the log.
    pub entry: u64,
}

impl Store {
    pub fn policy(&self) -> Policy {
        self.manifest.retention.clone().unwrap_or_default()
    }

    /// Legal holds, released ones too.
    pub fn holds(&self) -> Vec<Hold> {
        let hold = |held: &Held| Hold {
            number: held.number,
            case: held.case,
            of_patients: !held.patients.is_empty(),
            of_identities: !held.identities.is_empty(),
            window: Window {
                from: Timestamp::from_micros(held.from),
                to: Timestamp::from_micros(held.to),
            },
            placed: held.placed.clone(),
            released: held.released.clone(),
        };
        self.manifest.holds.iter().map(hold).collect()
    }

    /// What has been retired, in the order of the log.
    pub fn gone(&self) -> Result<Vec<Gone>> {
        let gone = |retirement: &Retirement| {
            let list = self.retired_list(retirement)?;
            Ok(Gone {
                what: retirement.what,
                said: retirement.said.clone(),
                look_ups: retirement.look_ups,
                entries: list.ends().take(STRETCHES_TOLD_MAX).collect(),
                entry: retirement.entry,
            })
        };
        self.manifest.retired.iter().map(gone).collect()
    }

    /// Since when every look-up is still there, if some are not.
    pub(crate) fn kept_since(&self) -> Option<Timestamp> {
        let before = self.manifest.retired.iter().filter_map(|retirement| retirement.before);
        before.max().map(Timestamp::from_micros)
    }

    pub(crate) fn retired_list(&self, retirement: &Retirement) -> Result<Stretches> {
        Stretches::read(&self.folder.join(&retirement.list.name), RETIRED, &self.ring)
    }
}

impl Manifest {
    /// Holds that are in force.
    pub(crate) fn shields(&self, identities: &Same, patients: &Same) -> Vec<Shield> {
        let in_force = self.holds.iter().filter(|held| held.released.is_none());
        // A case by itself holds its acts; which look-ups belong to it is known above the store.
        let of_rows = in_force.filter(|held| held.case.is_none() || held.names_anybody());
        of_rows.map(|held| held.shield(identities, patients)).collect()
    }

    /// Names that a hold in force needs.
    pub(crate) fn held_names(&self, of: Of) -> impl Iterator<Item = u32> {
        let in_force = self.holds.iter().filter(|held| held.released.is_none());
        in_force.flat_map(move |held| match of {
            Of::Identity => held.identities.iter().copied(),
            Of::Patient => held.patients.iter().copied(),
            _ => [].iter().copied(),
        })
    }
}

impl Held {
    pub(crate) const fn names_anybody(&self) -> bool {
        !self.identities.is_empty() || !self.patients.is_empty()
    }
}

/// Stretches of entries that are told of one retirement.
const STRETCHES_TOLD_MAX: usize = 1_000;
