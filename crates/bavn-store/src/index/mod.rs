//! The index of a segment: what each reader did, and who read whom on which day, by patient, host and
//! client.

mod blocks;
mod look_ups;
mod postings;

use crate::error::Result;
use crate::keys::KeyRing;
use crate::row::LookUp;
use crate::sealed::SealedWriter;
use bavn_model::Timestamp;
use blocks::Blocks;
use postings::Format;
pub(crate) use postings::{Posting, Sorted};
use std::path::Path;

/// By what the index is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum By {
    Identity,
    Patient,
    Host,
    Client,
}

impl By {
    pub(crate) const ALL: [Self; 4] = [Self::Identity, Self::Patient, Self::Host, Self::Client];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Patient => "patient",
            Self::Host => "host",
            Self::Client => "client",
        }
    }

    /// Whether its lists carry classes, counts and times, or only say who was there: hosts and
    /// clients are seldom asked for, and the rows know the rest.
    pub(crate) const fn is_full(self) -> bool {
        matches!(self, Self::Identity | Self::Patient)
    }

    pub(crate) const fn sealed_as(self) -> &'static [u8] {
        match self {
            Self::Identity => b"bavn index 1 identity",
            Self::Patient => b"bavn index 1 patient",
            Self::Host => b"bavn index 1 host",
            Self::Client => b"bavn index 1 client",
        }
    }
}

/// One look-up of one patient, as the index needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touch {
    pub(crate) at: i64,
    pub(crate) identity: u32,
    pub(crate) patient: u32,
    pub(crate) host: u32,
    pub(crate) client: u32,
    /// Number among the acts of the segment.
    act: u32,
    pub(crate) class: u8,
    /// Of the same look-up as the touch before.
    is_more: bool,
}

impl Touch {
    const fn key(&self, by: By) -> u32 {
        match by {
            By::Identity => self.identity,
            By::Patient => self.patient,
            By::Host => self.host,
            By::Client => self.client,
        }
    }

    const fn partner(&self, by: By) -> u32 {
        match by {
            By::Patient => self.identity,
            _ => self.patient,
        }
    }
}

/// The look-ups of a segment, of which its index is made.
#[derive(Debug, Default)]
pub(crate) struct Touches {
    list: Vec<Touch>,
    acts: look_ups::Acts,
}

impl Touches {
    pub(crate) fn push(&mut self, look_up: &LookUp<'_>) {
        let act = self.acts.number(look_up);
        let LookUp { at, identity, host, client, .. } = *look_up;
        let mut is_more = false;
        look_up.concerns(|patient, class| {
            let class = class.code();
            self.list.push(Touch { at, identity, patient, host, client, act, class, is_more });
            is_more = true;
        });
    }

    /// In one direction, sorted.
    pub(crate) fn sorted(&self, by: By) -> Sorted {
        Sorted::of(&self.list, by)
    }

    /// The coarsest unit of time in which all are whole, in microseconds.
    fn unit(&self) -> i64 {
        // A day is a whole number of each unit.
        let fits = |unit: i64| self.list.iter().all(|touch| touch.at % unit == 0);
        [1_000_000, 1_000].into_iter().find(|&unit| fits(unit)).unwrap_or(1)
    }
}

/// Writes one direction of a segment's index.
pub(crate) fn write(file: SealedWriter, touches: &Touches, by: By) -> Result<()> {
    let unit = touches.unit();
    match by {
        By::Identity => look_ups::write(file, unit, FORMAT_FOUR, touches),
        _ => postings::write(file, unit, FORMAT_THREE, &touches.sorted(by)),
    }
}

/// One direction of one segment's index.
#[derive(Debug)]
pub(crate) struct Index {
    blocks: Blocks,
    lists: Lists,
}

#[derive(Debug)]
enum Lists {
    Postings(postings::Told),
    /// With the unit of time in microseconds.
    LookUps(look_ups::Told, i64),
}

impl Index {
    pub(crate) fn open(path: &Path, by: By, ring: &KeyRing) -> Result<Self> {
        let (lists, blocks) = Blocks::open(path, by.sealed_as(), ring, |input| {
            let head = input.number()?;
            let unit = i64::try_from(head & !(FORMAT_THREE | FORMAT_FOUR)).ok()?;
            if head & FORMAT_FOUR != 0 {
                return Some((Lists::LookUps(look_ups::Told::read(input)?, unit), true));
            }
            let is_measured = head & FORMAT_THREE != 0;
            let format = if is_measured { Format::Three } else { Format::Before };
            Some((Lists::Postings(postings::Told { by, format, unit }), is_measured))
        })?;
        Ok(Self { blocks, lists })
    }

    /// Whether it tells each look-up of a key.
    pub(crate) const fn tells_look_ups(&self) -> bool {
        matches!(self.lists, Lists::LookUps(..))
    }

    /// Calls `found` for each look-up of a key within days, both included, if the index tells them.
    pub(crate) fn each_look_up(
        &self,
        key: u32,
        days: (i32, i32),
        mut found: impl FnMut(&LookUp<'_>),
    ) -> Result<()> {
        let Lists::LookUps(told, unit) = &self.lists else { return Ok(()) };
        self.blocks.each(key, days, |list| {
            let of = (list.key, list.day, list.entries);
            told.read_list(*unit, of, &mut list.input, |look_up| {
                if list.is_wanted {
                    found(look_up);
                }
            })
        })
    }

    /// Calls `found` for every posting of a key within days, both included; of an index that tells
    /// look-ups, for each of them.
    pub(crate) fn each(
        &self,
        key: u32,
        days: (i32, i32),
        mut found: impl FnMut(&Posting),
    ) -> Result<()> {
        match &self.lists {
            Lists::LookUps(..) => self.each_look_up(key, days, |look_up| {
                let (day, first) = (day_of(look_up.at), look_up.at);
                look_up.concerns(|partner, class| {
                    let class = class.code();
                    found(&Posting { key, day, partner, class, count: 1, first, last: first });
                });
            }),
            Lists::Postings(told) => self.blocks.each(key, days, |list| {
                let of = (list.key, list.day, list.entries);
                told.read_list(of, &mut list.input, |posting| {
                    if list.is_wanted {
                        found(posting);
                    }
                })
            }),
        }
    }

    /// Whether it is made of these look-ups and no others, each where the fence says.
    pub(crate) fn is_of(&self, touches: &Touches) -> Result<bool> {
        match &self.lists {
            Lists::LookUps(told, unit) => look_ups::is_of(&self.blocks, told, *unit, touches),
            Lists::Postings(told) => told.is_of(&self.blocks, &touches.sorted(told.by)),
        }
    }
}

const fn day_of(at: i64) -> i32 {
    Timestamp::from_micros(at).day()
}

/// In a file's head, beside the unit of time. Lists of postings were last changed with format 3 of the
/// store, in which those of readers were such; since format 4 these hold look-ups.
const FORMAT_THREE: u64 = 1 << 32;
const FORMAT_FOUR: u64 = 1 << 33;
