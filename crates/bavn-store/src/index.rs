//! Who read whom on which day: the four directions of the exposure index.
//!
//! For each key (an identity, a patient, a host or a client, and a day) the sorted partners, each
//! with what the look-ups were, how many, the first and the last; of identities when each was. Lists
//! of small differences, which at rest take less than bitmaps: the patients of one reader and day are
//! thinly spread.

use crate::error::{Result, StoreError};
use crate::keys::KeyRing;
use crate::row::{Class, NOBODY, Row};
use crate::sealed::{Sealed, SealedWriter};
use crate::varint::{Input, put, put_signed};
use bavn_model::Timestamp;
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

    /// Whether its lists tell when each look-up was, not only the first and the last.
    const fn tells_times(self) -> bool {
        matches!(self, Self::Identity)
    }

    /// What is left of a posting in a list of this direction.
    fn holds(self, posting: &Posting) -> Posting {
        if self.is_full() {
            return *posting;
        }
        let midnight = Timestamp::start_of_day(posting.day).micros();
        let class = Class::NoExposure.code();
        Posting { class, count: 0, first: midnight, last: midnight, ..*posting }
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
    pub(crate) class: u8,
}

impl Touch {
    /// What a row touches. One that may have shown patients it does not name touches [`NOBODY`]; one
    /// that concerns no patient does so without exposing anybody.
    pub(crate) fn of(row: &Row<'_>, out: &mut Vec<Self>) {
        let touch = |patient: u32| Self {
            at: row.at,
            identity: row.identity,
            patient,
            host: row.host,
            client: row.client,
            class: row.class().code(),
        };
        for (place, &patient) in row.patients.iter().enumerate() {
            // One record may name a patient twice.
            if row.patients.iter().take(place).all(|&before| before != patient) {
                out.push(touch(patient));
            }
        }
        if row.hides_patients() {
            out.push(touch(NOBODY));
        } else if row.patients.is_empty() {
            out.push(Self { class: Class::NoExposure.code(), ..touch(NOBODY) });
        }
    }

    const fn day(&self) -> i32 {
        Timestamp::from_micros(self.at).day()
    }

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

/// Of what format of the store an index is. From the third on long lists say how many bytes they
/// take, and those of readers tell each time and every look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
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
        let mut days: Vec<i32> = touches.iter().map(Touch::day).collect();
        days.dedup();
        days.sort_unstable();
        days.dedup();
        let there = touches.iter().filter(|touch| by == By::Identity || touch.key(by) != NOBODY);
        let mut touches: Vec<Packed> = there.map(|touch| Packed::of(touch, by, &days)).collect();
        touches.sort_unstable();
        Self { by, touches, days }
    }

    /// Added up, each with the touches that it is made of.
    pub(crate) fn postings(&self) -> impl Iterator<Item = (Posting, &[Packed])> {
        let groups = self.touches.chunk_by(|a, b| a.0 >> TIME_BITS == b.0 >> TIME_BITS);
        groups.filter_map(|group| {
            let (first, last) = (group.first()?, group.last()?);
            let posting = first.posting(&self.days);
            let last = posting.first + last.time() - first.time();
            Some((Posting { count: group.len() as u32, last, ..posting }, group))
        })
    }

    /// What an index has of them: all, or each partner of a key and day once. Before format 3 none had
    /// look-ups that concern nobody.
    fn listed(&self, format: Format) -> impl Iterator<Item = (Posting, &[Packed])> {
        let mut before = None;
        self.postings().filter(move |(posting, _)| {
            let pair = Some((posting.key, posting.day, posting.partner));
            let is_told = format == Format::Three || !posting.concerns_nobody();
            is_told && (self.by.is_full() || std::mem::replace(&mut before, pair) != pair)
        })
    }

    /// The coarsest unit of time in which all are whole, in microseconds; 0: without times.
    fn unit(&self) -> i64 {
        if !self.by.is_full() {
            return 0;
        }
        // A day is a whole number of each unit.
        let fits = |unit: i64| self.touches.iter().all(|touch| touch.time() % unit == 0);
        [1_000_000, 1_000].into_iter().find(|&unit| fits(unit)).unwrap_or(1)
    }
}

/// A touch in one direction as one number, in the order of postings: key, day, partner, class and
/// time. Days are told by their place among those that there are, so that all of it has room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packed(u128);

impl Packed {
    fn of(touch: &Touch, by: By, days: &[i32]) -> Self {
        let day = touch.day();
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

/// Times of touches of a day but the first and the last.
fn times_between(touches: &[Packed], day: i32) -> Vec<i64> {
    let midnight = Timestamp::start_of_day(day).micros();
    let inner = touches.get(1..touches.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().map(|touch| midnight + touch.time()).collect()
}

/// Writes postings as blocks, with a fence: where each block begins.
pub(crate) fn write(file: SealedWriter, sorted: &Sorted) -> Result<()> {
    let mut blocks = Blocks::new(file, sorted);
    let mut list: Vec<(Posting, &[Packed])> = Vec::new();
    for (posting, touches) in sorted.listed(Format::Three) {
        // A list that fills blocks by itself is cut, and each part is a list.
        let is_of =
            |(first, _): &(Posting, _)| (first.key, first.day) == (posting.key, posting.day);
        if list.len() == LIST_MAX || !list.first().is_none_or(is_of) {
            blocks.add(&list)?;
            list.clear();
        }
        list.push((posting, touches));
    }
    blocks.add(&list)?;
    blocks.finish()
}

struct Blocks {
    file: SealedWriter,
    unit: i64,
    tells_times: bool,
    fence: Vec<u8>,
    block: Vec<u8>,
    list: Vec<u8>,
    key_before: u32,
}

impl Blocks {
    fn new(file: SealedWriter, sorted: &Sorted) -> Self {
        let (unit, tells_times) = (sorted.unit(), sorted.by.tells_times());
        let mut fence = Vec::new();
        put(&mut fence, FORMAT_THREE | unit as u64);
        let (block, list) = (Vec::with_capacity(BLOCK_BYTES * 2), Vec::new());
        Self { file, unit, tells_times, fence, block, list, key_before: 0 }
    }

    /// Adds what one key had on one day.
    fn add(&mut self, list: &[(Posting, &[Packed])]) -> Result<()> {
        let Some((head, _)) = list.first() else { return Ok(()) };
        if self.block.is_empty() {
            put(&mut self.fence, u64::from(head.key));
            put_signed(&mut self.fence, i64::from(head.day));
            self.key_before = 0;
        }
        put(&mut self.block, u64::from(head.key - self.key_before));
        self.key_before = head.key;
        put_signed(&mut self.block, i64::from(head.day));
        put(&mut self.block, list.len() as u64);
        self.list.clear();
        self.put_list(list);
        if list.len() >= MEASURED_MIN {
            put(&mut self.block, self.list.len() as u64);
        }
        self.block.extend_from_slice(&self.list);
        if self.block.len() >= BLOCK_BYTES {
            self.file.block(&self.block)?;
            self.block.clear();
        }
        Ok(())
    }

    fn put_list(&mut self, list: &[(Posting, &[Packed])]) {
        let (out, unit) = (&mut self.list, self.unit);
        let mut before = 0;
        for (posting, touches) in list {
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
            let told = if self.tells_times { *touches } else { &[] };
            match (told, posting.count) {
                (_, 1) => {}
                ([], _) => put(out, ((posting.last - posting.first) / unit) as u64),
                (told, _) => {
                    for pair in told.windows(2) {
                        let [a, b] = pair else { continue };
                        put(out, ((b.time() - a.time()) / unit) as u64);
                    }
                }
            }
        }
    }

    fn finish(mut self) -> Result<()> {
        if !self.block.is_empty() {
            self.file.block(&self.block)?;
        }
        self.file.finish(&self.fence)
    }
}

/// One direction of one segment's index.
#[derive(Debug)]
pub(crate) struct Index {
    file: Sealed,
    by: By,
    unit: i64,
    format: Format,
    /// Key and day at which each block begins.
    fence: Vec<(u32, i32)>,
}

impl Index {
    pub(crate) fn open(path: &Path, by: By, ring: &KeyRing) -> Result<Self> {
        let file = Sealed::open(path, by.sealed_as(), ring)?;
        let mut input = Input(file.head());
        let read = (|| {
            let head = input.number()?;
            let unit = i64::try_from(head & !FORMAT_THREE).ok()?;
            let format = if head & FORMAT_THREE == 0 { Format::Before } else { Format::Three };
            let mut fence = Vec::new();
            while !input.is_empty() {
                fence.push((input.number32()?, i32::try_from(input.signed()?).ok()?));
            }
            (fence.len() == file.blocks()).then_some((unit, format, fence))
        })();
        match read {
            Some((unit, format, fence)) => Ok(Self { file, by, unit, format, fence }),
            None => Err(StoreError::damaged(path, "its fence is cut")),
        }
    }

    /// Whether it tells when each look-up of a key was, and of those that concern no patient too.
    pub(crate) fn tells_times(&self) -> bool {
        self.by.tells_times() && self.format == Format::Three
    }

    /// Calls `found` for every posting of a key within days, both included, with the times between its
    /// first and its last if the index tells them.
    pub(crate) fn each(
        &self,
        key: u32,
        days: (i32, i32),
        found: &mut dyn FnMut(&Posting, &[i64]),
    ) -> Result<()> {
        let first = self.fence.partition_point(|&start| start < (key, days.0)).saturating_sub(1);
        for (number, start) in self.fence.iter().enumerate().skip(first) {
            if *start > (key, days.1) {
                break;
            }
            let read = self
                .file
                .with_block(number, |block| self.read_block(block, Some((key, days)), found));
            read?.ok_or_else(|| self.cut())?;
        }
        Ok(())
    }

    /// Whether it holds the postings of these and no others, and each where the fence says.
    pub(crate) fn is_of(&self, sorted: &Sorted) -> Result<bool> {
        let mut rest = sorted.listed(self.format);
        let mut is_same = true;
        for (number, start) in self.fence.iter().enumerate() {
            let mut is_first = true;
            let mut compare = |found: &Posting, between: &[i64]| {
                is_same &= rest.next().is_some_and(|(posting, touches)| {
                    let is_told =
                        !self.tells_times() || times_between(touches, posting.day) == between;
                    is_told && sorted.by.holds(&posting) == *found
                });
                is_same &= !std::mem::take(&mut is_first) || (found.key, found.day) == *start;
            };
            let read =
                self.file.with_block(number, |block| self.read_block(block, None, &mut compare));
            read?.ok_or_else(|| self.cut())?;
            is_same &= !is_first;
        }
        Ok(is_same && rest.next().is_none())
    }

    fn cut(&self) -> StoreError {
        StoreError::damaged(self.file.path(), "a block is cut")
    }

    /// Calls `found` for the postings of a block: all, or those of a key within days, both included.
    fn read_block(
        &self,
        block: &[u8],
        wanted: Option<(u32, (i32, i32))>,
        found: &mut dyn FnMut(&Posting, &[i64]),
    ) -> Option<()> {
        let mut input = Input(block);
        let mut key = 0_u32;
        while !input.is_empty() {
            key = key.checked_add(input.number32()?)?;
            let day = i32::try_from(input.signed()?).ok()?;
            let is_wanted = match wanted {
                Some((wanted, (_, to))) if (key, day) > (wanted, to) => return Some(()),
                Some((wanted, (from, _))) => (key, day) >= (wanted, from),
                None => true,
            };
            let count = input.number()?;
            if self.format == Format::Before || count < MEASURED_MIN as u64 {
                self.read_list(&mut input, (key, day, count), is_wanted, found)?;
                continue;
            }
            let mut list = Input(input.bytes()?);
            if is_wanted {
                self.read_list(&mut list, (key, day, count), true, found)?;
                list.is_empty().then_some(())?;
            }
        }
        Some(())
    }

    fn read_list(
        &self,
        input: &mut Input<'_>,
        (key, day, count): (u32, i32, u64),
        is_wanted: bool,
        found: &mut dyn FnMut(&Posting, &[i64]),
    ) -> Option<()> {
        let midnight = Timestamp::start_of_day(day).micros();
        let mut partner = 0_u32;
        let mut between: Vec<i64> = Vec::new();
        for _ in 0..count {
            partner = partner.checked_add(input.number32()?)?;
            if self.unit == 0 {
                if is_wanted {
                    let (class, first) = (Class::NoExposure.code(), midnight);
                    found(&Posting { key, day, partner, class, count: 0, first, last: first }, &[]);
                }
                continue;
            }
            let [head] = input.array()?;
            let mut count = u32::from(head >> 3);
            if count == COUNT_SHORT {
                count = count.checked_add(input.number32()?)?;
            }
            let first = midnight.checked_add((input.number()? as i64).checked_mul(self.unit)?)?;
            between.clear();
            let mut last = first;
            for number in 1..if self.tells_times() { count } else { count.min(2) } {
                if number > 1 && is_wanted {
                    between.push(last);
                }
                last = last.checked_add((input.number()? as i64).checked_mul(self.unit)?)?;
            }
            if is_wanted {
                let class = head & 7;
                found(&Posting { key, day, partner, class, count, first, last }, &between);
            }
        }
        Some(())
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
/// A block is read whole to answer for one key: small, but not so small that tags weigh.
const BLOCK_BYTES: usize = 2 << 10;
/// Postings of one list.
const LIST_MAX: usize = 4_096;
/// Lists of so many postings say how many bytes they take, so that who asks for another key need not
/// read them.
const MEASURED_MIN: usize = 4;
/// In a file's head: it is of format 3 of the store.
const FORMAT_THREE: u64 = 1 << 32;
/// Counts from here on are written out.
const COUNT_SHORT: u32 = 31;
