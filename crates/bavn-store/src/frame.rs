//! Look-ups on their way in: encoded once, handed between threads or logged as they are.

use crate::heard::Own;
use crate::row::{
    action_of, action_word, flag_bits, found_by_of, found_by_word, kind_of, kind_word, outcome_of,
    outcome_word,
};
use crate::varint::{Input, put, put_bytes, put_signed};
use bavn_model::{Action, Flags, FoundBy, Kind, Outcome, Record, Timestamp};
use smallvec::SmallVec;

/// Encoded look-ups.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    bytes: Vec<u8>,
    look_ups: usize,
}

impl Frame {
    pub(crate) fn from_parts(bytes: Vec<u8>, look_ups: usize) -> Self {
        Self { bytes, look_ups }
    }

    pub fn is_empty(&self) -> bool {
        self.look_ups == 0
    }

    pub fn bytes_held(&self) -> usize {
        self.bytes.len()
    }

    pub fn look_ups(&self) -> usize {
        self.look_ups
    }

    /// Adds one look-up: what was made of it, the bytes that the source wrote, and from which
    /// input they came.
    pub fn push(&mut self, record: &Record<'_>, original: &[u8], input: &str) {
        let out = &mut self.bytes;
        out.extend_from_slice(&record.id.0.to_le_bytes());
        put_signed(out, record.at.micros());
        let texts = [
            record.who.as_deref(),
            record.on_behalf_of.as_deref(),
            record.application.as_deref(),
            record.resource.as_deref(),
            record.reason.as_deref(),
            record.source.as_deref(),
            record.address.as_deref(),
            record.session.as_deref(),
            record.query.as_deref(),
            record.action.map(action_word),
            Some(kind_word(record.kind)),
            record.found_by.map(found_by_word),
            Some(outcome_word(record.outcome)),
            Some(input),
        ];
        for text in texts {
            put_optional(out, text);
        }
        put_all(out, record.who_also.iter().map(|text| &**text));
        put(out, record.patients.len() as u64);
        for patient in &record.patients {
            put_bytes(out, patient.name.as_bytes());
            put_all(out, patient.also.iter().map(|text| &**text));
        }
        put_all(out, record.purpose.iter().map(|text| &**text));
        let counted = if record.sequence.is_some() { COUNTED } else { 0 };
        put(out, u64::from(flag_bits(record.flags)) | counted);
        if let Some(number) = record.sequence {
            put(out, number);
        }
        put(out, record.origin.line);
        put(out, record.origin.entry.map_or(0, |entry| u64::from(entry) + 1));
        put(out, record.origin.byte_offset);
        put_bytes(out, original);
        self.look_ups += 1;
    }

    /// As this program's own.
    pub(crate) fn look_ups_of_own(&self) -> Vec<Own> {
        let mut input = Input(&self.bytes);
        let read = (0..self.look_ups).map_while(|_| Incoming::read(&mut input));
        read.map(|one| Own {
            at: Timestamp::from_micros(one.at),
            who: one.who.map(str::to_owned),
            reason: one.reason.map(str::to_owned),
            original: one.original.to_vec(),
        })
        .collect()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// One look-up of a frame, its names still as text.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) id: u128,
    pub(crate) at: i64,
    pub(crate) who: Option<&'a str>,
    pub(crate) on_behalf_of: Option<&'a str>,
    pub(crate) application: Option<&'a str>,
    pub(crate) resource: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) query: Option<&'a str>,
    pub(crate) action: Option<Action>,
    pub(crate) kind: Kind,
    pub(crate) found_by: Option<FoundBy>,
    pub(crate) outcome: Outcome,
    pub(crate) input: &'a str,
    pub(crate) who_also: Vec<&'a str>,
    pub(crate) patients: SmallVec<[Person<'a>; 1]>,
    pub(crate) purpose: SmallVec<[&'a str; 2]>,
    pub(crate) sequence: Option<u64>,
    pub(crate) flags: Flags,
    pub(crate) line: u64,
    pub(crate) entry: Option<u32>,
    pub(crate) byte_offset: u64,
    pub(crate) original: &'a [u8],
}

impl<'a> Incoming<'a> {
    /// Reads the look-up at which `input` stands.
    pub(crate) fn read(input: &mut Input<'a>) -> Option<Self> {
        let id = u128::from_le_bytes(input.array()?);
        let at = input.signed()?;
        let mut texts = [None; 14];
        for text in &mut texts {
            *text = optional(input)?;
        }
        let [
            who,
            on_behalf_of,
            application,
            resource,
            reason,
            source,
            address,
            session,
            query,
            action,
            kind,
            found_by,
            outcome,
            label,
        ] = texts;
        let (who_also, patients) = (all(input)?, people(input)?);
        let purpose = all(input)?;
        let bits = input.number()?;
        let sequence = if bits & COUNTED == 0 { None } else { Some(input.number()?) };
        Some(Self {
            id,
            at,
            who,
            on_behalf_of,
            application,
            resource,
            reason,
            source,
            address,
            session,
            query,
            action: action.and_then(|word| action_of(word.as_bytes())),
            kind: kind_of(kind?.as_bytes())?,
            found_by: found_by.and_then(|word| found_by_of(word.as_bytes())),
            outcome: outcome_of(outcome?.as_bytes())?,
            input: label?,
            who_also,
            patients,
            purpose,
            sequence,
            flags: crate::row::flags_of(u16::try_from(bits & !COUNTED).ok()?),
            line: input.number()?,
            entry: input.number()?.checked_sub(1).and_then(|entry| u32::try_from(entry).ok()),
            byte_offset: input.number()?,
            original: input.bytes()?,
        })
    }
}

fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => put(out, 0),
        Some(text) => {
            put(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// The outer `Option` is whether it could be read.
#[expect(clippy::option_option, reason = "absent and unreadable are two things")]
fn optional<'a>(input: &mut Input<'a>) -> Option<Option<&'a str>> {
    match input.number()?.checked_sub(1) {
        None => Some(None),
        Some(length) => {
            let bytes = input.take(usize::try_from(length).ok()?)?;
            std::str::from_utf8(bytes).ok().map(Some)
        }
    }
}

fn put_all<'t>(out: &mut Vec<u8>, texts: impl ExactSizeIterator<Item = &'t str>) {
    put(out, texts.len() as u64);
    for text in texts {
        put_bytes(out, text.as_bytes());
    }
}

fn all<'a, All: FromIterator<&'a str>>(input: &mut Input<'a>) -> Option<All> {
    (0..input.number()?).map(|_| input.text()).collect()
}

/// A spelling, and others that mean the same.
type Person<'a> = (&'a str, Vec<&'a str>);

fn people<'a>(input: &mut Input<'a>) -> Option<SmallVec<[Person<'a>; 1]>> {
    (0..input.number()?).map(|_| Some((input.text()?, all(input)?))).collect()
}

/// Beside the flags: the source's own number follows. What was left before there were any is read
/// as well.
const COUNTED: u64 = 1 << 32;
