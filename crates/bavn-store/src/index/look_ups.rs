//! The look-ups of each reader and day, by time: whom, where and how, but no texts. Who asks what
//! readers did opens no column.
//!
//! A list begins with the places at which its reader was, and each look-up names one of them, and one
//! of the segment's acts: what was done, by which source, with what outcome, on which type of content.
//! A segment has few of either.

use super::blocks::{Blocks, BlocksWriter};
use super::{Touch, Touches, day_of};
use crate::error::Result;
use crate::row::{CONTENTS_MAX, Class, LookUp, NOBODY, OTHERS, kind_of, kind_word};
use crate::sealed::SealedWriter;
use crate::varint::{Input, put, put_bytes};
use bavn_model::{Kind, Timestamp};
use foldhash::fast::FixedState;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::Hash;

/// What was done in a look-up, whoever did it to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Act {
    source: u32,
    kind: Kind,
    class: Class,
    is_unresolved: bool,
    /// Number of the type of content.
    content: u32,
}

/// The acts of a segment as its look-ups come, each with its number.
#[derive(Debug, Default)]
pub(super) struct Acts {
    numbers: HashMap<Act, u32, FixedState>,
    contents: HashMap<String, u32, FixedState>,
}

impl Acts {
    pub(super) fn number(&mut self, look_up: &LookUp<'_>) -> u32 {
        let known = self.contents.get(look_up.content).copied();
        let content = known.unwrap_or_else(|| {
            // Types that nobody would read through go under one name.
            let is_one_more = self.contents.len() < CONTENTS_MAX;
            let of = if is_one_more { look_up.content } else { OTHERS };
            let next = self.contents.len() as u32;
            *self.contents.entry(of.to_owned()).or_insert(next)
        });
        let LookUp { source, kind, class, is_unresolved, .. } = *look_up;
        let next = self.numbers.len() as u32;
        *self.numbers.entry(Act { source, kind, class, is_unresolved, content }).or_insert(next)
    }

    fn told(&self) -> Told {
        let acts = by_number(&self.numbers).into_iter().copied().collect();
        let contents = by_number(&self.contents).into_iter().cloned().collect();
        Told { acts, contents }
    }
}

fn by_number<T: Eq + Hash>(numbered: &HashMap<T, u32, FixedState>) -> Vec<&T> {
    let mut all: Vec<(&T, u32)> = numbered.iter().map(|(of, &number)| (of, number)).collect();
    all.sort_unstable_by_key(|&(_, number)| number);
    all.into_iter().map(|(of, _)| of).collect()
}

/// The acts of a segment, in a file's head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    acts: Vec<Act>,
    contents: Vec<String>,
}

impl Told {
    fn put(&self, out: &mut Vec<u8>) {
        put(out, self.contents.len() as u64);
        for content in &self.contents {
            put_bytes(out, content.as_bytes());
        }
        put(out, self.acts.len() as u64);
        for act in &self.acts {
            put_number(out, act.source);
            put_bytes(out, kind_word(act.kind).as_bytes());
            out.push(act.class.code() << 1 | u8::from(act.is_unresolved));
            put(out, u64::from(act.content));
        }
    }

    pub(super) fn read(input: &mut Input<'_>) -> Option<Self> {
        let contents = (0..input.number()?).map(|_| Some(input.text()?.to_owned()));
        let contents: Vec<String> = contents.collect::<Option<_>>()?;
        let act = |input: &mut Input<'_>| {
            let (source, kind) = (number(input)?, kind_of(input.bytes()?)?);
            let [bits] = input.array()?;
            let content = input.number32().filter(|&at| (at as usize) < contents.len())?;
            let (class, is_unresolved) = (Class::from_code(bits >> 1), bits & 1 != 0);
            Some(Act { source, kind, class, is_unresolved, content })
        };
        let acts = (0..input.number()?).map(|_| act(input)).collect::<Option<_>>()?;
        Some(Self { acts, contents })
    }

    /// Calls `found` for every look-up of a list.
    pub(super) fn read_list(
        &self,
        unit: i64,
        (identity, day, look_ups): (u32, i32, u64),
        input: &mut Input<'_>,
        mut found: impl FnMut(&LookUp<'_>),
    ) -> Option<()> {
        let place = |input: &mut Input<'_>| Some((number(input)?, number(input)?));
        let places: SmallVec<[(u32, u32); 4]> =
            (0..input.number()?).map(|_| place(input)).collect::<Option<_>>()?;
        let mut at = Timestamp::start_of_day(day).micros();
        let mut patients: SmallVec<[u32; 4]> = SmallVec::new();
        for _ in 0..look_ups {
            at = at.checked_add((input.number()? as i64).checked_mul(unit)?)?;
            let act = self.acts.get(input.number()? as usize)?;
            let place = if places.len() > 1 { input.number()? as usize } else { 0 };
            let &(host, client) = places.get(place)?;
            match input.number()? {
                SAME => {}
                SEVERAL => {
                    patients.clear();
                    for _ in 0..input.number()? {
                        patients.push(input.number32()?);
                    }
                }
                patient => {
                    patients.clear();
                    patients.push(u32::try_from(patient - PATIENT).ok()?);
                }
            }
            let &Act { source, kind, class, is_unresolved, content } = act;
            let content = self.contents.get(content as usize)?;
            let patients = &patients;
            found(&LookUp {
                at,
                identity,
                host,
                client,
                source,
                kind,
                class,
                is_unresolved,
                content,
                patients,
            });
        }
        Some(())
    }
}

/// One look-up of a segment: a touch for each patient.
pub(super) type Row<'t> = &'t [Touch];

/// The look-ups of a segment by reader and time.
pub(super) struct ByReader<'t> {
    touches: &'t [Touch],
    /// Reader, time and place of each row's first touch.
    order: Vec<u128>,
}

impl<'t> ByReader<'t> {
    pub(super) fn of(touches: &'t [Touch]) -> Self {
        let firsts = touches.iter().enumerate().filter(|(_, touch)| !touch.is_more);
        let key = |(place, touch): (usize, &Touch)| {
            // Times from before 1970 come first too.
            let at = touch.at as u64 ^ 1 << 63;
            u128::from(touch.identity) << 96 | u128::from(at) << 32 | place as u128
        };
        let mut order: Vec<u128> = firsts.map(key).collect();
        order.sort_unstable();
        Self { touches, order }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'t>> {
        self.order.iter().filter_map(|key| {
            let rest = self.touches.get(*key as u32 as usize..)?;
            let more = rest.iter().skip(1).take_while(|touch| touch.is_more).count();
            rest.get(..=more)
        })
    }
}

/// Writes the look-ups of each reader and day as a list.
pub(super) fn write(file: SealedWriter, unit: i64, mark: u64, touches: &Touches) -> Result<()> {
    let mut head = Vec::new();
    put(&mut head, mark | unit as u64);
    touches.acts.told().put(&mut head);
    let mut blocks = BlocksWriter::new(file, head);
    let by_reader = ByReader::of(&touches.list);
    let (mut list, mut bytes) = (Vec::<Row<'_>>::new(), Vec::new());
    let of = |row: Row<'_>| row.first().map(|touch| (touch.identity, day_of(touch.at)));
    let mut touched = 0;
    let mut rows = by_reader.rows().peekable();
    while let Some(row) = rows.next() {
        list.push(row);
        touched += row.len();
        // A list that fills blocks by itself is cut, and each part is a list.
        let is_whole = rows.peek().is_none_or(|next| of(next) != of(row));
        if let Some(key) = of(row).filter(|_| is_whole || touched >= TOUCHES_MAX) {
            bytes.clear();
            put_list(&mut bytes, unit, key.1, &list);
            blocks.add(key, list.len(), &bytes)?;
            list.clear();
            touched = 0;
        }
    }
    blocks.finish()
}

fn put_list(out: &mut Vec<u8>, unit: i64, day: i32, rows: &[Row<'_>]) {
    let place = |touch: &Touch| (touch.host, touch.client);
    let mut places: Vec<(u32, u32)> =
        rows.iter().filter_map(|row| row.first()).map(place).collect();
    places.sort_unstable();
    places.dedup();
    put(out, places.len() as u64);
    for &(host, client) in &places {
        put_number(out, host);
        put_number(out, client);
    }
    let (mut before, mut last) = (Timestamp::start_of_day(day).micros(), None);
    for row in rows {
        let Some(first) = row.first() else { continue };
        put(out, ((first.at - before) / unit) as u64);
        before = first.at;
        put(out, u64::from(first.act));
        if places.len() > 1 {
            put(out, places.partition_point(|before| *before < place(first)) as u64);
        }
        let named = named(row);
        if last.as_ref() == Some(&named) {
            put(out, SAME);
        } else if let [patient] = *named {
            put(out, PATIENT + u64::from(patient));
        } else {
            put(out, SEVERAL);
            put(out, named.len() as u64);
            for &patient in &named {
                put(out, u64::from(patient));
            }
        }
        last = Some(named);
    }
}

/// The patients that a look-up names.
fn named(row: Row<'_>) -> SmallVec<[u32; 4]> {
    row.iter().map(|touch| touch.patient).filter(|&patient| patient != NOBODY).collect()
}

/// Whether lists hold these look-ups and no others.
pub(super) fn is_of(blocks: &Blocks, told: &Told, unit: i64, touches: &Touches) -> Result<bool> {
    let by_reader = ByReader::of(&touches.list);
    let mut rest = by_reader.rows();
    let mut is_same = *told == touches.acts.told();
    let is_fenced = blocks.all(|list| {
        let of = (list.key, list.day, list.entries);
        told.read_list(unit, of, &mut list.input, |found| {
            is_same &= rest.next().is_some_and(|row| {
                row.first().is_some_and(|first| {
                    let act = told.acts.get(first.act as usize);
                    let done = act.map(|act| (act.source, act.kind, act.class, act.is_unresolved));
                    (first.at, first.identity) == (found.at, found.identity)
                        && (first.host, first.client) == (found.host, found.client)
                        && done
                            == Some((found.source, found.kind, found.class, found.is_unresolved))
                        && *named(row) == *found.patients
                })
            });
        })
    })?;
    Ok(is_same && is_fenced && rest.next().is_none())
}

/// [`NOBODY`] takes one byte.
fn put_number(out: &mut Vec<u8>, number: u32) {
    put(out, u64::from(number.wrapping_add(1)));
}

fn number(input: &mut Input<'_>) -> Option<u32> {
    Some(input.number32()?.wrapping_sub(1))
}

/// How whom a look-up was of is told: as the one before, by a count and numbers, or by one number.
const SAME: u64 = 0;
const SEVERAL: u64 = 1;
const PATIENT: u64 = 2;
/// Patients of one list's look-ups, but for the last.
const TOUCHES_MAX: usize = 4_096;
