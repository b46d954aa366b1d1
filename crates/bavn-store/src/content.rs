//! What kind of content did these readers have? Counts only: no patient, and no part of an address.

use crate::error::Result;
use crate::names::Of;
use crate::reader::{Store, Window, With};
use crate::row::{CONTENTS_MAX, NOBODY, OTHERS};
use crate::scope::{OfDay, Scope, Subject};
use bavn_model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What was done, and on what, by look-ups that exposed somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// By kind of act: read, search, export, …
    pub kinds: BTreeMap<&'static str, OfDay>,
    /// By type of content as sources name it (`DocumentReference`); empty: a source named none.
    pub types: BTreeMap<String, OfDay>,
}

impl Store {
    /// The contents of the look-ups of an answer.
    pub fn scope_contents(
        &self,
        subject: &Subject,
        window: Window,
        answer: &Scope,
    ) -> Result<Contents> {
        let (by, keys) = self.keys(subject)?;
        let same = self.same(Of::Patient);
        let of_answer: BTreeSet<u32> = answer.exposed.iter().map(|one| one.patient.0).collect();
        let mut kinds: BTreeMap<&'static str, (u64, BTreeSet<u32>)> = BTreeMap::new();
        let mut types: BTreeMap<String, (u64, BTreeSet<u32>)> = BTreeMap::new();
        self.look_ups(by, &keys, window, With::Content, |look_up| {
            let patients = look_up.patients.iter().map(|&id| same.leader(id));
            let patients: Vec<u32> = patients.filter(|id| of_answer.contains(id)).collect();
            if !look_up.class.exposes() || patients.is_empty() {
                return Ok(());
            }
            let kind = kinds.entry(crate::row::kind_word(look_up.kind)).or_default();
            kind.0 += 1;
            kind.1.extend(&patients);
            let of = look_up.content;
            // Types that nobody would read through go under the last name.
            let known = types.len() < CONTENTS_MAX || types.contains_key(of);
            let of = types.entry(if known { of } else { OTHERS }.to_owned()).or_default();
            of.0 += 1;
            of.1.extend(&patients);
            Ok(())
        })?;
        Ok(Contents { kinds: counted(kinds), types: counted(types) })
    }
}

/// A source as the store has heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub source: String,
    pub look_ups: u64,
    pub first: Timestamp,
    pub last: Timestamp,
}

impl Store {
    /// Every source that look-ups came from, by name.
    pub fn sources(&self) -> Result<Vec<Heard>> {
        let mut heard: BTreeMap<u32, (u64, i64, i64)> = BTreeMap::new();
        for day in self.manifest.segments.iter().flat_map(|segment| &segment.heard) {
            if day.source == NOBODY {
                continue;
            }
            let held = heard.entry(day.source).or_insert((0, i64::MAX, i64::MIN));
            *held = (held.0 + day.look_ups, held.1.min(day.first), held.2.max(day.last));
        }
        let names = self.names(Of::Source)?;
        let mut heard: Vec<Heard> = heard
            .into_iter()
            .map(|(source, (look_ups, first, last))| Heard {
                source: names.name(source).to_owned(),
                look_ups,
                first: Timestamp::from_micros(first),
                last: Timestamp::from_micros(last),
            })
            .collect();
        heard.sort_by(|a, b| a.source.cmp(&b.source));
        Ok(heard)
    }
}

fn counted<K: Ord>(found: BTreeMap<K, (u64, BTreeSet<u32>)>) -> BTreeMap<K, OfDay> {
    let count = |(look_ups, patients): (u64, BTreeSet<u32>)| OfDay {
        look_ups,
        patients: patients.len() as u64,
    };
    found.into_iter().map(|(key, found)| (key, count(found))).collect()
}
