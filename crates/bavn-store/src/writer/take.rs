//! Look-ups into the segment being written, by two threads: one says which are new and gives names
//! their numbers, the other hashes and lays them out.

use super::{Building, Taken, Writer};
use crate::error::{Result, StoreError};
use crate::frame::{Frame, Incoming};
use crate::keys::random;
use crate::known::Past;
use crate::names::{Of, as_kept};
use crate::proof::sha256;
use crate::row::{Evidence, NOBODY, NONCE_BYTES, Row};
use crate::varint::Input;
use bavn_model::Timestamp;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

/// What a frame's look-ups are measured by.
#[derive(Clone, Copy)]
struct Limits {
    /// Older look-ups are not taken.
    expired: i64,
    /// Of older ones the source's bytes are not kept.
    originals: i64,
}

/// A look-up on its way from one thread to the other.
struct Numbered<'f> {
    look_up: Incoming<'f>,
    numbers: Numbers,
    nonce: [u8; NONCE_BYTES],
    keeps_original: bool,
    /// The source has promised to speak.
    is_promised: bool,
}

/// What the dictionary says for a look-up's names.
struct Numbers {
    identity: u32,
    on_behalf_of: u32,
    client: u32,
    host: u32,
    source: u32,
    file: u32,
    patients: SmallVec<[u32; 2]>,
}

/// The second thread at work.
struct Writing<'s, 'f> {
    numbered: SyncSender<Vec<Numbered<'f>>>,
    thread: ScopedJoinHandle<'s, Result<Building>>,
}

impl Writer {
    pub(super) fn take_all(&mut self, frame: &Frame, now: Timestamp) -> Result<Taken> {
        let policy = self.policy();
        let limits = Limits {
            expired: policy.look_ups_before(now),
            originals: policy.originals_before(now),
        };
        let mut taken = Taken::default();
        let mut input = Input(frame.bytes());
        let mut left = frame.look_ups();
        std::thread::scope(|threads| {
            let mut writing = None;
            while left > 0 {
                let count = left.min(LOOK_UPS_AT_ONCE);
                left -= count;
                let look_ups: Option<Vec<Incoming<'_>>> =
                    (0..count).map(|_| Incoming::read(&mut input)).collect();
                let look_ups = look_ups.ok_or(StoreError::Library { doing: "reading a frame" })?;
                let numbered = self.number_new(look_ups, limits, &mut taken)?;
                if numbered.is_empty() {
                    continue;
                }
                let Writing { numbered: to, .. } = match &mut writing {
                    Some(writing) => writing,
                    None => writing.insert(self.begin_writing(threads, now)?),
                };
                // It has failed if it takes no more, and says so at the end.
                if to.send(numbered).is_err() {
                    break;
                }
            }
            if let Some(Writing { numbered, thread }) = writing {
                drop(numbered);
                let stopped = |_| StoreError::Library { doing: "writing look-ups" };
                self.building = Some(thread.join().map_err(stopped)??);
            }
            Ok(taken)
        })
    }

    fn begin_writing<'s, 'f: 's>(
        &mut self,
        threads: &'s Scope<'s, '_>,
        now: Timestamp,
    ) -> Result<Writing<'s, 'f>> {
        let building = match self.building.take() {
            Some(building) => building,
            None => self.begin_segment(now)?,
        };
        let (numbered, from) = sync_channel(BATCHES_WAITING);
        Ok(Writing { numbered, thread: threads.spawn(move || building.write(&from)) })
    }

    /// Those that the store does not hold yet.
    fn number_new<'f>(
        &mut self,
        look_ups: Vec<Incoming<'f>>,
        limits: Limits,
        taken: &mut Taken,
    ) -> Result<Vec<Numbered<'f>>> {
        let day = |look_up: &Incoming<'_>| Timestamp::from_micros(look_up.at).day();
        self.known.fetch(look_ups.iter().map(|look_up| (day(look_up), look_up.id)));
        let mut found = self.find_names(&look_ups);
        let mut numbered = Vec::with_capacity(look_ups.len());
        for look_up in look_ups {
            let found = found.next(&look_up);
            if look_up.at < limits.expired {
                taken.expired += 1;
                continue;
            }
            let (store, ring) = (&self.store, &self.ring);
            let past = Past { store, ring, segments: &self.manifest.segments };
            let day = day(&look_up);
            if !self.known.is_new(day, look_up.id, &past)? {
                taken.known += 1;
                continue;
            }
            let numbers = self.number(&look_up, &found)?;
            numbered.push(Numbered {
                nonce: self.nonce()?,
                keeps_original: look_up.at >= limits.originals,
                is_promised: self.manifest.promises.contains_key(&numbers.source),
                numbers,
                look_up,
            });
            *self.added_on.entry(day).or_default() += 1;
            taken.new += 1;
        }
        Ok(numbered)
    }

    /// Of the kinds that there are many of.
    fn find_names(&self, look_ups: &[Incoming<'_>]) -> FoundNames {
        let find = |of: Of, names: Vec<&str>| self.dictionary.of(of).find_all(&names).into_iter();
        let patients = look_ups.iter().flat_map(|look_up| &look_up.patients);
        FoundNames {
            identities: find(Of::Identity, look_ups.iter().filter_map(|one| one.who).collect()),
            hosts: find(Of::Host, look_ups.iter().filter_map(|one| one.address).collect()),
            patients: find(Of::Patient, patients.map(|&(patient, _)| patient).collect()),
        }
    }

    fn number(&mut self, look_up: &Incoming<'_>, found: &Found) -> Result<Numbers> {
        let mut name = |of: Of, text: Option<&str>, found: Option<u32>| match (text, found) {
            (None, _) => Ok(NOBODY),
            (_, Some(found)) => Ok(found),
            (Some(text), None) => self.dictionary.of_mut(of).intern(text),
        };
        let mut numbers = Numbers {
            identity: name(Of::Identity, look_up.who, found.identity)?,
            on_behalf_of: name(Of::Identity, look_up.on_behalf_of, None)?,
            client: name(Of::Client, look_up.application, None)?,
            host: name(Of::Host, look_up.address, found.host)?,
            source: name(Of::Source, look_up.source, None)?,
            file: name(Of::File, Some(look_up.input), None)?,
            patients: SmallVec::new(),
        };
        for ((patient, also), &found) in look_up.patients.iter().zip(&found.patients) {
            let id = match found {
                Some(id) => id,
                None => self.dictionary.of_mut(Of::Patient).intern(patient)?,
            };
            self.link_others(Of::Patient, id, also)?;
            numbers.patients.push(id);
        }
        if look_up.who.is_some() {
            self.link_others(Of::Identity, numbers.identity, &look_up.who_also)?;
        }
        Ok(numbers)
    }

    fn nonce(&mut self) -> Result<[u8; NONCE_BYTES]> {
        if let Some(nonce) = self.nonces.pop() {
            return Ok(nonce);
        }
        // Drawn many at a time: asking the system for each is slow.
        let drawn: [u8; NONCE_BYTES * NONCES_DRAWN] = random(&mut *self.chance)?;
        self.nonces.extend_from_slice(drawn.as_chunks().0);
        self.nonces.pop().ok_or(StoreError::Library { doing: "drawing random bytes" })
    }

    /// A record's other spellings of a person mean the same one.
    fn link_others(&mut self, of: Of, id: u32, also: &[&str]) -> Result<()> {
        let names = self.dictionary.of_mut(of);
        for spelling in also {
            let other = names.intern(spelling)?;
            names.link(id, other);
        }
        Ok(())
    }
}

/// Numbers of the names of many look-ups, those that were known before.
struct FoundNames {
    identities: std::vec::IntoIter<Option<u32>>,
    hosts: std::vec::IntoIter<Option<u32>>,
    patients: std::vec::IntoIter<Option<u32>>,
}

/// Of one look-up.
struct Found {
    identity: Option<u32>,
    host: Option<u32>,
    patients: SmallVec<[Option<u32>; 1]>,
}

impl FoundNames {
    fn next(&mut self, look_up: &Incoming<'_>) -> Found {
        Found {
            identity: look_up.who.and_then(|_| self.identities.next().flatten()),
            host: look_up.address.and_then(|_| self.hosts.next().flatten()),
            patients: self.patients.by_ref().take(look_up.patients.len()).collect(),
        }
    }
}

impl Building {
    fn write(mut self, numbered: &Receiver<Vec<Numbered<'_>>>) -> Result<Self> {
        let mut canonical = Vec::new();
        for numbered in numbered.iter().flatten() {
            let Numbered { look_up, numbers, nonce, keeps_original, is_promised } = &numbered;
            let row = row(look_up, numbers);
            let evidence = Evidence {
                id: look_up.id,
                nonce: *nonce,
                file: numbers.file,
                line: look_up.line,
                entry: look_up.entry.unwrap_or(NOBODY),
                byte_offset: look_up.byte_offset,
                query: look_up.query.map(Into::into),
                original: keeps_original.then(|| look_up.original.into()),
            };
            row.canonical(&evidence, names(look_up), &mut canonical);
            let hidden = sha256(&[nonce, &canonical]);
            if *is_promised {
                self.spoke.entry(row.source).or_default().push(row.at);
            }
            if let Some(number) = look_up.sequence {
                self.numbers.entry(row.source).or_default().push((row.at, number));
            }
            self.push(&row, &evidence, hidden)?;
        }
        Ok(self)
    }
}

fn row<'f>(look_up: &Incoming<'f>, numbers: &Numbers) -> Row<'f> {
    Row {
        at: look_up.at,
        identity: numbers.identity,
        on_behalf_of: numbers.on_behalf_of,
        client: numbers.client,
        host: numbers.host,
        source: numbers.source,
        patients: numbers.patients.clone(),
        session: look_up.session.map(Into::into),
        resource: look_up.resource.map(Into::into),
        purpose: purpose(&look_up.purpose),
        reason: look_up.reason.map(Into::into),
        action: look_up.action,
        kind: look_up.kind,
        found_by: look_up.found_by,
        outcome: look_up.outcome,
        flags: look_up.flags,
    }
}

/// Codes, with a space between them.
fn purpose<'f>(codes: &[&'f str]) -> Option<Cow<'f, str>> {
    match codes {
        [] => None,
        [one] => Some((*one).into()),
        many => Some(many.join(" ").into()),
    }
}

/// As the dictionary has them, in the order of [`Row::names`].
fn names<'f>(look_up: &Incoming<'f>) -> impl Iterator<Item = Option<Cow<'f, str>>> {
    let others = [
        look_up.who,
        look_up.on_behalf_of,
        look_up.application,
        look_up.address,
        look_up.source,
        Some(look_up.input),
    ];
    let patients = look_up.patients.iter().map(|&(patient, _)| Some(patient));
    patients.chain(others).map(|name| name.map(as_kept))
}

/// Nonces drawn at a time.
const NONCES_DRAWN: usize = 256;
/// Look-ups whose names are found together: more would not stay in the processor's cache.
const LOOK_UPS_AT_ONCE: usize = 256;
/// Of that many look-ups each.
const BATCHES_WAITING: usize = 16;
