//! Who had to do with whom on which day: for each key and day the sorted partners, each with what the
//! look-ups were, how many, the first and the last. Lists of small differences, which at rest take
//! less than bitmaps: the readers of one patient and day are thinly spread.

use super::blocks::{Blocks, BlocksWriter};
use super::{By, Touch, day_of};
use crate::error::Result;
use crate::row::{Class, NOBODY};
use crate::sealed::SealedWriter;
use crate::varint::{Input, put};
use bavn_model::Timestamp;

/// What one key had to do with one partner on one day, in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting {
    pub(crate) key: u32,
    pub(crate) day: i32,
    pub(crate) partner: u32,
    pub(crate) class: u8,
    pub(crate) count: u32,
    /// Microseconds since the epoch.
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Posting {
    pub(crate) fn class(&self) -> Class {
        Class::from_code(self.class)
    }

    fn concerns_nobody(&self) -> bool {
        self.partner == NOBODY && self.class() == Class::NoExposure
    }
}

/// Of which format of the store a file is: the first and second, or the third, in which the lists of
/// readers told each time between the first and the last, and look-ups that concern nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Before,
    Three,
}

/// Touches in one direction, sorted.
pub(crate) struct Sorted {
    by: By,
    touches: Vec<Packed>,
    days: Vec<i32>,
}

impl Sorted {
    pub(crate) fn of(touches: &[Touch], by: By) -> Self {
        let mut days: Vec<i32> = touches.iter().map(|touch| day_of(touch.at)).collect();
        days.dedup();
        days.sort_unstable();
        days.dedup();
        let there = touches.iter().filter(|touch| by == By::Identity || touch.key(by) != NOBODY);
        let mut touches: Vec<Packed> = there.map(|touch| Packed::of(touch, by, &days)).collect();
        touches.sort_unstable();
        Self { by, touches, days }
    }

    /// Added up.
    pub(crate) fn postings(&self) -> impl Iterator<Item = Posting> {
        let groups = self.touches.chunk_by(|a, b| a.0 >> TIME_BITS == b.0 >> TIME_BITS);
        groups.filter_map(|group| {
            let (first, last) = (group.first()?, group.last()?);
            let posting = first.posting(&self.days);
            let last = posting.first + last.time() - first.time();
            Some(Posting { count: group.len() as u32, last, ..posting })
        })
    }

    /// What an index has of them: all, or each partner of a key and day once. Only lists of readers of
    /// format 3 have look-ups that concern nobody.
    fn listed(&self, format: Format) -> impl Iterator<Item = Posting> {
        let mut before = None;
        self.postings().filter(move |posting| {
            let pair = Some((posting.key, posting.day, posting.partner));
            let is_told = format == Format::Three || !posting.concerns_nobody();
            is_told && (self.by.is_full() || std::mem::replace(&mut before, pair) != pair)
        })
    }
}

/// A touch in one direction as one number, in the order of postings: key, day, partner, class and
/// time. Days are told by their place among those that there are, so that all of it has room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Packed(u128);

impl Packed {
    fn of(touch: &Touch, by: By, days: &[i32]) -> Self {
        let day = day_of(touch.at);
        let parts = [
            (u128::from(touch.key(by)), 32),
            (days.partition_point(|&before| before < day) as u128, DAY_BITS),
            (u128::from(touch.partner(by)), 32),
            (u128::from(touch.class), CLASS_BITS),
            ((touch.at - Timestamp::start_of_day(day).micros()) as u128, TIME_BITS),
        ];
        Self(parts.into_iter().fold(0, |packed, (part, bits)| packed << bits | part))
    }

    /// Microseconds since midnight.
    const fn time(self) -> i64 {
        (self.0 & ((1 << TIME_BITS) - 1)) as i64
    }

    /// The posting of this touch alone.
    fn posting(self, days: &[i32]) -> Posting {
        let mut rest = self.0;
        let mut part = |bits: u32| {
            let part = rest & ((1 << bits) - 1);
            rest >>= bits;
            part
        };
        let (time, class) = (part(TIME_BITS) as i64, part(CLASS_BITS) as u8);
        let (partner, place) = (part(32) as u32, part(DAY_BITS) as usize);
        let day = days.get(place).copied().unwrap_or_default();
        let at = Timestamp::start_of_day(day).micros() + time;
        Posting { key: part(32) as u32, day, partner, class, count: 1, first: at, last: at }
    }
}

/// Writes the postings of one direction.
pub(super) fn write(file: SealedWriter, unit: i64, mark: u64, sorted: &Sorted) -> Result<()> {
    let mut head = Vec::new();
    let unit = if sorted.by.is_full() { unit } else { 0 };
    put(&mut head, mark | unit as u64);
    let mut blocks = BlocksWriter::new(file, head);
    let (mut list, mut bytes) = (Vec::new(), Vec::new());
    let mut postings = sorted.listed(Format::Three).peekable();
    while let Some(posting) = postings.next() {
        list.push(posting);
        let key = (posting.key, posting.day);
        // A list that fills blocks by itself is cut, and each part is a list.
        let is_whole = postings.peek().is_none_or(|next| (next.key, next.day) != key);
        if is_whole || list.len() == LIST_MAX {
            bytes.clear();
            put_list(&mut bytes, unit, &list);
            blocks.add(key, list.len(), &bytes)?;
            list.clear();
        }
    }
    blocks.finish()
}

fn put_list(out: &mut Vec<u8>, unit: i64, list: &[Posting]) {
    let mut before = 0;
    for posting in list {
        put(out, u64::from(posting.partner - before));
        before = posting.partner;
        if unit == 0 {
            continue;
        }
        let short = posting.count.min(COUNT_SHORT);
        out.push(posting.class | (short as u8) << 3);
        if short == COUNT_SHORT {
            put(out, u64::from(posting.count - COUNT_SHORT));
        }
        let midnight = Timestamp::start_of_day(posting.day).micros();
        put(out, ((posting.first - midnight) / unit) as u64);
        if posting.count > 1 {
            put(out, ((posting.last - posting.first) / unit) as u64);
        }
    }
}

/// How the postings of one file are told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) by: By,
    pub(super) format: Format,
    /// Of time, in microseconds; 0: without counts and times.
    pub(super) unit: i64,
}

impl Told {
    /// Calls `found` for every posting of a list.
    pub(super) fn read_list(
        self,
        (key, day, postings): (u32, i32, u64),
        input: &mut Input<'_>,
        mut found: impl FnMut(&Posting),
    ) -> Option<()> {
        let midnight = Timestamp::start_of_day(day).micros();
        let tells_between = self.by == By::Identity && self.format == Format::Three;
        let mut partner = 0_u32;
        for _ in 0..postings {
            partner = partner.checked_add(input.number32()?)?;
            if self.unit == 0 {
                let (class, first) = (Class::NoExposure.code(), midnight);
                found(&Posting { key, day, partner, class, count: 0, first, last: first });
                continue;
            }
            let [head] = input.array()?;
            let mut count = u32::from(head >> 3);
            if count == COUNT_SHORT {
                count = count.checked_add(input.number32()?)?;
            }
            let first = midnight.checked_add((input.number()? as i64).checked_mul(self.unit)?)?;
            let mut last = first;
            for _ in 1..if tells_between { count } else { count.min(2) } {
                last = last.checked_add((input.number()? as i64).checked_mul(self.unit)?)?;
            }
            found(&Posting { key, day, partner, class: head & 7, count, first, last });
        }
        Some(())
    }

    /// Whether lists hold these postings and no others.
    pub(super) fn is_of(self, blocks: &Blocks, sorted: &Sorted) -> Result<bool> {
        let mut rest = sorted.listed(self.format);
        let mut is_same = true;
        let is_fenced = blocks.all(|list| {
            let of = (list.key, list.day, list.entries);
            self.read_list(of, &mut list.input, |found| {
                is_same &= rest.next().is_some_and(|posting| self.holds(&posting) == *found);
            })
        })?;
        Ok(is_same && is_fenced && rest.next().is_none())
    }

    /// What is left of a posting in a list of this direction.
    fn holds(self, posting: &Posting) -> Posting {
        if self.by.is_full() {
            return *posting;
        }
        let midnight = Timestamp::start_of_day(posting.day).micros();
        let class = Class::NoExposure.code();
        Posting { class, count: 0, first: midnight, last: midnight, ..*posting }
    }
}

/// Of a day's place: four times as many as a segment has look-ups.
const DAY_BITS: u32 = 24;
/// Of [`Class::code`].
const CLASS_BITS: u32 = 3;
/// Of the microseconds of a day.
const TIME_BITS: u32 = 37;
// Key and partner have 32 bits each.
const _: () = assert!(2 * 32 + DAY_BITS + CLASS_BITS + TIME_BITS == u128::BITS);
/// Postings of one list.
const LIST_MAX: usize = 4_096;
/// Counts from here on are written out.
const COUNT_SHORT: u32 = 31;
