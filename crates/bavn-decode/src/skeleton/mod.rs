//! Has a record of this very shape been read before?
//!
//! Records of one source, in JSON or as audit messages in XML, repeat one skeleton: literal stretches between a few free values. A
//! skeleton keeps where in a record the pieces of its draft stand; a record that matches it byte
//! for byte outside the slots, and in each slot by class, is read without being parsed. Any
//! difference goes to the full parser, so this is exact: both ways give the same record.

mod message;
mod shape;
mod slot;
mod trie;

use crate::fhir::{self, Draft, Text};
use crate::tree::{self, Value};
use bavn_model::{EventId, Origin, Record, RejectReason};
use shape::Slot;
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;
use trie::Trie;

/// The skeletons that one worker has learnt, a bounded number.
#[derive(Debug, Default)]
pub struct Skeletons {
    trie: Trie,
    known: Vec<Skeleton>,
    /// Shapes that were seen, by the low bits of their digests: one is learnt the second time, so
    /// that one-off records cannot fill the tree. Inverted where nothing can be learnt.
    seen: Vec<u64>,
    ends: Vec<u32>,
    hits: u64,
    misses: u64,
}

/// How to read every record of one shape.
#[derive(Debug)]
struct Skeleton {
    draft: Draft<Place>,
    /// Stands in for the reason that the record itself gives.
    reason: Option<String>,
}

/// A record that has a known skeleton.
#[derive(Debug)]
struct Filling<'a, 'e> {
    text: &'a str,
    /// The ends of its slots.
    ends: &'e [u32],
    escaped: bool,
    /// A piece was not where the skeleton says: the record is not of it after all.
    failed: Cell<bool>,
}

impl<'a> Filling<'a, '_> {
    fn piece(&self, place: &Place) -> Text<'a> {
        self.find(place).unwrap_or_else(|| {
            self.failed.set(true);
            Cow::Borrowed("")
        })
    }

    fn find(&self, place: &Place) -> Option<Text<'a>> {
        let at = |anchor: Anchor| {
            Some((self.ends.get(usize::from(anchor.slots))? + anchor.bytes) as usize)
        };
        let piece = self.text.get(at(place.start)?..at(place.end)?)?;
        // Literal pieces hold no escapes, or the skeleton would not have been learnt.
        if !self.escaped || memchr::memchr(b'\\', piece.as_bytes()).is_none() {
            return Some(Cow::Borrowed(piece));
        }
        tree::unescape(piece).map(Cow::Owned)
    }
}

/// A piece of text in a record: both ends as distances from the end of a slot before them.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: Anchor,
    end: Anchor,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    /// How many slots end before; 0 is the start of the record.
    slots: u16,
    bytes: u32,
}

impl Skeletons {
    /// Nothing learnt yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records were read by a skeleton, and how many by the full parser.
    pub const fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits, self.misses)
    }

    /// Reads one `AuditEvent` in JSON that fills `line`, exactly as [`fhir::read_json`] does.
    pub fn decode_line<'a>(
        &mut self,
        line: &'a [u8],
        origin: Origin,
    ) -> Result<Record<'a>, RejectReason> {
        let mut known = Vec::new();
        self.recall(line, origin, &mut known);
        match known.pop() {
            Some(record) => Ok(record),
            None => self.read(&tree::parse(line)?, line, origin, |_| {}),
        }
    }

    /// Reads a record if its skeleton is known; `None` if it must be parsed. It goes straight to
    /// where records are collected, since it is large.
    pub(crate) fn recall<'a>(
        &mut self,
        line: &'a [u8],
        origin: Origin,
        out: &mut Vec<Record<'a>>,
    ) -> Option<()> {
        if line.len() > RECORD_BYTES_MAX {
            return None;
        }
        let text = simdutf8::basic::from_utf8(line).ok()?.trim_end_matches(SPACE);
        self.ends.clear();
        self.ends.push(0);
        let (leaf, escaped) = self.trie.find(text, &mut self.ends)?;
        let skeleton = self.known.get(leaf as usize)?;
        let filling = Filling { text, ends: &self.ends, escaped, failed: Cell::new(false) };
        skeleton.fill(&filling, crate::event_id(line), origin.spanning(line), out)?;
        self.hits += 1;
        Some(())
    }

    /// Reads the audit message in XML with which `bytes` begin, if its skeleton is known, and
    /// returns its length.
    pub(crate) fn recall_message<'a>(
        &mut self,
        bytes: &'a [u8],
        origin: Origin,
        out: &mut Vec<Record<'a>>,
    ) -> Option<usize> {
        if self.known.is_empty() {
            return None;
        }
        let message = bytes.get(..message::end(bytes)?)?;
        self.recall(message, origin, out)?;
        Some(message.len())
    }

    /// Learns the skeleton of an audit message in XML that was read by parsing.
    pub(crate) fn learn_message(&mut self, message: &[u8], record: &Record<'_>) {
        self.misses += 1;
        if message.len() > RECORD_BYTES_MAX {
            return;
        }
        let Ok(text) = std::str::from_utf8(message) else { return };
        let read = crate::digest(record);
        let (id, origin) = (record.id, record.origin);
        self.learn(text, message::slots(text), |text, slots| {
            let skeleton = Skeleton { draft: message::draft(text, slots)?, reason: None };
            let ends: Vec<u32> =
                std::iter::once(0).chain(slots.iter().map(|slot| slot.range.end as u32)).collect();
            let filling = Filling { text, ends: &ends, escaped: false, failed: Cell::new(false) };
            let mut filled = Vec::new();
            skeleton.fill(&filling, id, origin, &mut filled)?;
            (crate::digest(filled.first()?) == read).then_some(skeleton)
        });
    }

    /// Reads a record whose tree has been parsed, and learns its skeleton.
    ///
    /// `adjust` may change the record; what it does must depend on nothing that is a slot.
    pub(crate) fn read<'a>(
        &mut self,
        event: &Value<'a>,
        line: &'a [u8],
        origin: Origin,
        adjust: impl FnOnce(&mut Record<'a>),
    ) -> Result<Record<'a>, RejectReason> {
        self.misses += 1;
        let draft = fhir::pick_strict(event)?;
        let id = crate::event_id(line);
        let mut record = fhir::finish(&draft, Clone::clone, id, origin.spanning(line))?;
        let before = crate::digest(&record);
        let plain_reason = record.reason.clone();
        adjust(&mut record);
        let reason = (record.reason != plain_reason).then(|| record.reason.clone()).flatten();
        // A skeleton can give another reason, and nothing else.
        let adjusted = std::mem::replace(&mut record.reason, plain_reason);
        let learnable = crate::digest(&record) == before;
        record.reason = adjusted;
        if learnable
            && line.len() <= RECORD_BYTES_MAX
            && let Ok(text) = std::str::from_utf8(line)
        {
            let text = text.trim_end_matches(SPACE);
            self.learn(text, shape::slots(text), |text, slots| {
                let draft = draft.try_map(|piece| place(text, piece, slots))?;
                Some(Skeleton { draft, reason: reason.map(Cow::into_owned) })
            });
        }
        Ok(record)
    }

    fn learn(
        &mut self,
        text: &str,
        slots: Option<Vec<Slot>>,
        skeleton: impl FnOnce(&str, &[Slot]) -> Option<Skeleton>,
    ) {
        if self.known.len() >= SKELETONS_MAX {
            return;
        }
        let Some(slots) = slots.filter(|slots| slots.len() < SLOTS_MAX) else { return };
        let digest = shape_digest(text, &slots);
        if self.seen.is_empty() {
            self.seen = vec![0; SEEN_MAX];
        }
        let Some(held) = self.seen.get_mut(digest as usize % SEEN_MAX) else { return };
        if *held == !digest {
            return;
        }
        if std::mem::replace(held, digest) != digest {
            return;
        }
        match skeleton(text, &slots) {
            Some(skeleton) if self.trie.insert(text, &slots, self.known.len() as u32) => {
                self.known.push(skeleton);
            }
            _ => *held = !digest,
        }
    }
}

impl Skeleton {
    /// Adds the record that the texts in its places make. `None` if a text is not in its place, or
    /// the record is refused.
    fn fill<'a>(
        &self,
        filling: &Filling<'a, '_>,
        id: EventId,
        origin: Origin,
        out: &mut Vec<Record<'a>>,
    ) -> Option<()> {
        out.push(fhir::finish(&self.draft, |place| filling.piece(place), id, origin).ok()?);
        if filling.failed.get() {
            out.pop();
            return None;
        }
        if let (Some(reason), Some(record)) = (&self.reason, out.last_mut()) {
            record.reason = Some(Cow::Owned(reason.clone()));
        }
        Some(())
    }
}

/// A digest of what all records of a shape have in common.
fn shape_digest(text: &str, slots: &[Slot]) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut at = 0;
    for slot in slots {
        hasher.update(text.as_bytes().get(at..slot.range.start).unwrap_or_default());
        hasher.update(&[0, slot.class as u8]);
        at = slot.range.end;
    }
    hasher.update(text.as_bytes().get(at..).unwrap_or_default());
    hasher.digest()
}
/// Where in `text` the piece stands. `None` if it was made up, or does not end where a slot ends.
fn place(text: &str, piece: &Text<'_>, slots: &[Slot]) -> Option<Place> {
    let Cow::Borrowed(piece) = piece else { return None };
    let start = (piece.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + piece.len();
    if end > text.len() {
        return None;
    }
    place_of(start..end, slots)
}

fn place_of(range: Range<usize>, slots: &[Slot]) -> Option<Place> {
    Some(Place { start: anchor(range.start, slots)?, end: anchor(range.end, slots)? })
}

fn anchor(at: usize, slots: &[Slot]) -> Option<Anchor> {
    let before = slots.partition_point(|slot| slot.range.end <= at);
    if slots.get(before).is_some_and(|slot| slot.range.start < at) {
        return None;
    }
    let base = before.checked_sub(1).and_then(|last| slots.get(last)).map_or(0, |s| s.range.end);
    Some(Anchor { slots: before as u16, bytes: (at - base) as u32 })
}

/// What JSON allows after a value.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
/// Longer records are always parsed; their positions would not fit.
const RECORD_BYTES_MAX: usize = 1 << 20;
/// A region has a few dozen shapes in each of its dialects; the rest is parsed.
const SKELETONS_MAX: usize = 4_096;
const SLOTS_MAX: usize = 1_000;
const SEEN_MAX: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, who: &str, patient: &str) -> String {
        format!(
            r#"{{"resourceType":"AuditEvent","id":"{id}","recorded":"2020-01-01T00:00:00Z","agent":[{{"who":{{"reference":"Practitioner/{who}"}},"requestor":true}}],"entity":[{{"what":{{"reference":"Patient/{patient}"}}}}]}}"#
        )
    }

    #[test]
    fn a_shape_is_learnt_the_second_time_and_then_known() {
        let mut skeletons = Skeletons::new();
        for number in 0..5 {
            let line = line(&number.to_string(), &format!("p{number}"), "17");
            let record = skeletons.decode_line(line.as_bytes(), Origin::default()).unwrap();
            assert_eq!(record.who.as_deref(), Some(&*format!("Practitioner/p{number}")));
        }
        assert_eq!(skeletons.hits_and_misses(), (3, 2));
        // Values that do not fit their slots go to the full parser.
        for (who, patient) in [("unknown", "17"), ("7", "17/_history/2"), ("7", "17?x"), ("7", "")]
        {
            let line = line("x", who, patient);
            let fast = skeletons.decode_line(line.as_bytes(), Origin::default()).unwrap();
            let full = fhir::read_json(line.as_bytes(), Origin::default()).unwrap();
            assert_eq!(crate::digest(&fast), crate::digest(&full));
        }
        assert_eq!(skeletons.hits_and_misses(), (3, 6));
    }

    #[test]
    fn one_off_shapes_fill_nothing() {
        let mut skeletons = Skeletons::new();
        for number in 0..5_000 {
            let line = line("x", "7", "17").replacen('{', &format!("{{\"x{number}\":1,"), 1);
            skeletons.decode_line(line.as_bytes(), Origin::default()).unwrap();
        }
        assert!(skeletons.known.is_empty());
    }
}
