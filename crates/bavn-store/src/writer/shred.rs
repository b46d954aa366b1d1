//! Nobody can tell any more who a patient was: not from any file, and not with the store's key.
//!
//! The patient's spellings are forgotten, and every look-up that names the patient, or whose text does, loses
//! all text, its id and its nonce; its number, time, reader and kind stay, so counts stay. The log's
//! entries stay too, and nobody can test a guess against them.
//!
//! A tombstone says by entries of the log whom that was, and names nobody. It lies outside the store:
//! a copy from before is shredded again with it.

use super::Writer;
use super::remake::{Fate, Fates, Renamed, Shares, rows_of};
use crate::error::{Result, StoreError};
use crate::keys::to_hex;
use crate::manifest::Segment;
use crate::names::Of;
use crate::proof::Tiles;
use crate::retention::{Keep, Order, Retired, Shield};
use crate::row::{Evidence, Row};
use crate::stretches::Stretches;
use bavn_model::Timestamp;
use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whom to shred, for this store and every copy of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// Origin of the store's log.
    pub log: String,
    pub patients: Vec<Witness>,
}

/// A number of a patient, and the first entry of the log that hides a look-up of it: whoever has the
/// same entry has given the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    number: u32,
    entry: u64,
    /// The entry, in hexadecimal digits.
    says: String,
}

/// What a shredding came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shredded {
    /// Look-ups that lost what could tell.
    pub look_ups: u64,
    /// Spellings that were forgotten. None: the patient is not in this copy, or was shredded before.
    pub spellings: u64,
    /// The ids that went, for whoever holds them: by an id a guess can be tested.
    pub renamed: Vec<Renamed>,
}

impl Writer {
    /// The tombstone of a patient. Keep it outside the store before shredding.
    pub fn tombstone(&mut self, typed: &str, now: Timestamp) -> Result<Tombstone> {
        self.attempt(|writer| writer.tombstone_all(typed, now))
    }

    fn tombstone_all(&mut self, typed: &str, now: Timestamp) -> Result<Tombstone> {
        self.commit_all(now)?;
        let ids = self.meant_all(Of::Patient, "patient", &[typed.to_owned()])?;
        let mut first: BTreeMap<u32, u64> = BTreeMap::new();
        for segment in &self.manifest.segments {
            let places = Stretches::of(&self.store, &self.ring, segment)?;
            crate::known::open(&self.store, &self.ring, segment, false)?.each(|place, row| {
                for &id in row.patients.iter().filter(|id| ids.contains(id)) {
                    first.entry(id).or_insert(places.at(place).unwrap_or_default());
                }
                Ok(())
            })?;
        }
        if first.is_empty() {
            return Err(StoreError::Unknown { what: "patient", name: typed.to_owned() });
        }
        let tiles = self.tiles();
        let witness =
            |(number, entry)| Ok(Witness { number, entry, says: to_hex(&tiles.entry(entry)?) });
        let patients = first.into_iter().map(witness).collect::<Result<_>>()?;
        Ok(Tombstone { log: self.ledger.origin().to_owned(), patients })
    }

    /// Every spelling of the patient that this store still knows.
    pub fn spellings(&self, tombstone: &Tombstone) -> Result<Vec<String>> {
        let names = self.dictionary.of(Of::Patient);
        let ids = self.ids_of(tombstone)?;
        Ok(ids.into_iter().map(|id| names.name(id).to_owned()).collect())
    }

    /// Shreds whom a tombstone means, with all files that held it gone when this returns. Refused if a
    /// hold keeps a look-up of theirs; `held` are those of cases, which are known above the store. Once
    /// nothing refuses, `first` is given the spellings, for what lies beside the look-ups; false ends it.
    pub fn shred(
        &mut self,
        tombstone: &Tombstone,
        held: &[(u32, Keep)],
        said: &Order,
        first: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<Shredded> {
        self.attempt(|writer| writer.shred_all(tombstone, held, said, first))
    }

    fn shred_all(
        &mut self,
        tombstone: &Tombstone,
        held: &[(u32, Keep)],
        said: &Order,
        first: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<Shredded> {
        let now = said.at;
        self.commit_all(now)?;
        let patients = self.ids_of(tombstone)?;
        if patients.is_empty() {
            return Ok(Shredded::default());
        }
        let whom = Whom::new(self, patients);
        let places = self.places_of(&whom, held)?;
        if !first(&self.spellings(tombstone)?) {
            return Err(StoreError::Library { doing: "what comes before shredding" });
        }
        let mut manifest = self.next_replacing(now)?;
        let mut shares = Shares::default();
        let at = |&place: &usize| manifest.segments.get(place);
        self.passed.begin(rows_of(places.iter().filter_map(at)));
        let decide = &mut |row: &Row<'_>, evidence: &Evidence<'_>| {
            if whom.is_in(row, evidence) { Fate::Hides } else { Fate::Stays }
        };
        for place in places.into_iter().rev() {
            let remade = self.remake(&mut manifest, place..place + 1, decide, now)?;
            shares.take(remade);
        }
        let Fates { hidden, renamed, .. } = shares.in_order();
        let mut log = self.ledger.log();
        self.retire(&mut manifest, &mut log, (Retired::Identity, &hidden), said)?;
        if let Some(retirement) = manifest.retired.last_mut() {
            retirement.patients = whom.patients.iter().copied().collect();
            retirement.identities = whom.identities.iter().copied().collect();
        }
        self.merge_names(&mut manifest, 0, &|of, id| whom.has(of, id), now)?;
        // What was learned names people too.
        manifest.state = None;
        self.put_in_force_and_forget(manifest, log)?;
        let spellings = (whom.patients.len() + whom.identities.len()) as u64;
        Ok(Shredded { look_ups: hidden.len(), spellings, renamed })
    }

    /// The numbers that a tombstone means in this copy and that still have a name.
    fn ids_of(&self, tombstone: &Tombstone) -> Result<BTreeSet<u32>> {
        if tombstone.log != self.ledger.origin() {
            return Err(StoreError::OtherHistory);
        }
        let (tiles, names) = (self.tiles(), self.dictionary.of(Of::Patient));
        let mut ids = Vec::new();
        for witness in &tombstone.patients {
            // Later than this copy.
            if witness.entry >= self.manifest.log.size {
                continue;
            }
            if to_hex(&tiles.entry(witness.entry)?) != witness.says {
                return Err(StoreError::OtherHistory);
            }
            ids.push(witness.number);
        }
        let all = names.same().all_of(&ids).into_iter();
        Ok(all.filter(|&id| id < names.len() && !names.is_forgotten(id)).collect())
    }

    fn tiles(&self) -> Tiles {
        Tiles::new(&self.store, self.manifest.log.size)
    }

    /// Which segments tell of the patient; an error if a hold keeps a look-up of them.
    fn places_of(&self, whom: &Whom, held: &[(u32, Keep)]) -> Result<Vec<usize>> {
        let [identities, patients] =
            [Of::Identity, Of::Patient].map(|of| self.dictionary.of(of).same());
        let in_force = self.manifest.holds.iter().filter(|held| held.released.is_none());
        let mut shields: Vec<(u32, Shield)> = in_force
            .filter(|held| held.case.is_none() || held.names_anybody())
            .map(|held| (held.number, held.shield(&identities, &patients)))
            .collect();
        for (number, keep) in held {
            shields.extend(self.shield(keep)?.map(|shield| (*number, shield)));
        }
        let mut places = Vec::new();
        for (place, segment) in self.manifest.segments.iter().enumerate() {
            if self.tells_of(whom, segment, &shields)? {
                places.push(place);
            }
        }
        Ok(places)
    }

    fn tells_of(&self, whom: &Whom, segment: &Segment, shields: &[(u32, Shield)]) -> Result<bool> {
        let mut tells = false;
        let reader = crate::known::open(&self.store, &self.ring, segment, true)?;
        reader.each_with_evidence(|_, row, evidence| {
            if !whom.is_in(row, evidence) {
                return Ok(());
            }
            tells = true;
            match shields.iter().find(|(_, shield)| shield.has(row)) {
                Some(&(number, _)) => Err(StoreError::Held { number }),
                None => Ok(()),
            }
        })?;
        Ok(tells)
    }
}

/// The patient, by numbers and by everything that text may hold.
struct Whom {
    patients: BTreeSet<u32>,
    /// Where the patient reads the own record.
    identities: BTreeSet<u32>,
    needles: Vec<Finder<'static>>,
}

impl Whom {
    fn new(writer: &Writer, patients: BTreeSet<u32>) -> Self {
        let names = writer.dictionary.of(Of::Patient);
        let readers = writer.dictionary.of(Of::Identity);
        let spellings: Vec<&str> = patients.iter().map(|&id| names.name(id)).collect();
        let identities = spellings.iter().filter_map(|name| readers.find(name)).collect();
        let bare = spellings.iter().filter_map(|name| name.rsplit(['|', '/']).next());
        let bare = bare.filter(|bare| bare.len() >= BARE_BYTES_MIN);
        let texts: BTreeSet<&str> = spellings.iter().copied().chain(bare).collect();
        let needles = texts.into_iter().map(|text| Finder::new(text).into_owned()).collect();
        Self { patients, identities, needles }
    }

    fn has(&self, of: Of, id: u32) -> bool {
        match of {
            Of::Patient => self.patients.contains(&id),
            Of::Identity => self.identities.contains(&id),
            _ => false,
        }
    }

    fn is_in(&self, row: &Row<'_>, evidence: &Evidence<'_>) -> bool {
        let is_named = row.patients.iter().any(|id| self.patients.contains(id))
            || self.identities.contains(&row.identity)
            || self.identities.contains(&row.on_behalf_of);
        let texts = [&row.session, &row.resource, &row.reason, &evidence.query];
        let texts = texts.into_iter().flatten().map(|text| text.as_bytes());
        is_named || texts.chain(evidence.original.as_deref()).any(|text| self.is_told(text))
    }

    fn is_told(&self, text: &[u8]) -> bool {
        let ends_word = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        self.needles.iter().any(|needle| {
            needle.find_iter(text).any(|at| {
                let before = at.checked_sub(1).and_then(|before| text.get(before));
                ends_word(before) && ends_word(text.get(at + needle.needle().len()))
            })
        })
    }
}

/// A bare value in the text of a look-up that does not name the patient counts from this length on:
/// short ones stand for other things as well.
const BARE_BYTES_MIN: usize = 8;
