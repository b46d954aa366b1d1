//! Look-ups back out of the store as records, for whoever has to judge them once more.

use crate::error::Result;
use crate::known::{self, Past};
use crate::names::{Dictionary, Names, Of, Same};
use crate::row::{Evidence, Row};
use crate::stretches::Stretches;
use crate::writer::OWN_SOURCE;
use bavn_model::{EventId, Origin, PatientName, Record, Timestamp};
use std::borrow::Cow;
use std::collections::HashMap;

/// Every look-up of a day and later ones whose entry is among so many first ones of the log: a segment
/// that others were put together into may hold later look-ups too.
pub(crate) fn each_since(
    past: &Past<'_>,
    names: &Dictionary,
    (day, entries): (i32, u64),
    mut each: impl FnMut(&Record<'_>),
) -> Result<()> {
    let own = names.of(Of::Source).find(OWN_SOURCE);
    let people = [Of::Identity, Of::Patient].map(|of| Spellings::of(names.of(of)));
    let later = |at: i64| Timestamp::from_micros(at).day() >= day;
    let there = past.segments.iter().filter(|segment| segment.first_entry < entries);
    for segment in there.filter(|segment| later(segment.to)) {
        let reader = known::open(past.store, past.ring, segment, true)?;
        let places = Stretches::of(past.store, past.ring, segment)?;
        reader.each_with_evidence(|place, row, evidence| {
            let is_there = places.at(place).is_some_and(|entry| entry < entries);
            if is_there && later(row.at) && (own.is_none() || Some(row.source) != own) {
                each(&record(row, evidence, names, &people));
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn record<'n>(
    row: &'n Row<'_>,
    evidence: &'n Evidence<'_>,
    names: &'n Dictionary,
    [identities, patients]: &[Spellings<'n>; 2],
) -> Record<'n> {
    let name = |of: Of, id: u32| names.of(of).known(id).map(Cow::Borrowed);
    let word = |word: &'n Option<Cow<'_, str>>| word.as_deref().map(Cow::Borrowed);
    Record {
        id: EventId(evidence.id),
        at: Timestamp::from_micros(row.at),
        who: name(Of::Identity, row.identity),
        who_also: identities.others(row.identity).map(Cow::Borrowed).collect(),
        on_behalf_of: name(Of::Identity, row.on_behalf_of),
        application: name(Of::Client, row.client),
        patients: row
            .patients
            .iter()
            .filter_map(|&patient| {
                let also = patients.others(patient).map(Cow::Borrowed).collect();
                Some(PatientName { name: name(Of::Patient, patient)?, also })
            })
            .collect(),
        resource: word(&row.resource),
        action: row.action,
        kind: row.kind,
        found_by: row.found_by,
        purpose: row.purpose.iter().flat_map(|codes| codes.split(' ')).map(Cow::Borrowed).collect(),
        reason: word(&row.reason),
        outcome: row.outcome,
        source: name(Of::Source, row.source),
        address: name(Of::Host, row.host),
        session: word(&row.session),
        query: word(&evidence.query),
        sequence: None,
        origin: Origin {
            line: evidence.line,
            byte_offset: evidence.byte_offset,
            ..Origin::default()
        },
        flags: row.flags,
    }
}

/// By the number of a spelling: all that mean the same person.
struct Spellings<'n> {
    names: &'n Names,
    same: Same,
    by_leader: HashMap<u32, Vec<u32>>,
}

impl<'n> Spellings<'n> {
    fn of(names: &'n Names) -> Self {
        let same = names.same();
        let mut by_leader: HashMap<u32, Vec<u32>> = HashMap::new();
        for (id, leader) in same.led() {
            by_leader.entry(leader).or_insert_with(|| vec![leader]).push(id);
        }
        Self { names, same, by_leader }
    }

    fn others(&self, id: u32) -> impl Iterator<Item = &'n str> + use<'n, '_> {
        let all = self.by_leader.get(&self.same.leader(id)).into_iter().flatten();
        all.filter(move |&&other| other != id).map(|&other| self.names.name(other))
    }
}
