//! Who has read this record, when, and why as stated?

use crate::error::Result;
use crate::index::By;
use crate::names::Of;
use crate::reader::{AsOf, Store, Window};
use crate::row::{Class, NOBODY};
use crate::scope::Purpose;
use crate::silence::Silence;
use crate::verdict::Verdict;
use bavn_model::{EventId, Flags, Kind, Outcome, Timestamp};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// One look-up of a patient's record, with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub id: EventId,
    pub at: Timestamp,
    pub who: Option<String>,
    pub on_behalf_of: Option<String>,
    pub client: Option<String>,
    pub host: Option<String>,
    pub source: Option<String>,
    pub kind: Kind,
    /// Which content, as the source names it.
    pub resource: Option<String>,
    /// As the source states them.
    pub purpose: Option<String>,
    pub reason: Option<String>,
    pub outcome: Outcome,
    pub flags: Flags,
    pub class: Class,
    /// What explained the visit that it belongs to, if that was judged.
    pub verdict: Option<Verdict>,
}

/// One reader of a patient's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// None: the records name nobody.
    pub who: Option<String>,
    pub look_ups: u64,
    /// Of those, the ones that were denied or failed.
    pub attempts: u64,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// The patient's report.
#[derive(Clone, Debug)]
pub struct Who {
    /// The spelling that the store met first.
    pub patient: String,
    /// By first look-up.
    pub readers: Vec<Reader>,
    /// By time.
    pub readings: Vec<Reading>,
    pub silences: Vec<Silence>,
    /// As of when the store's verdicts are.
    pub judged_until: Option<Timestamp>,
    pub as_of: AsOf,
}

impl Store {
    /// Everyone who has read this patient's record; the patient's own look-ups too.
    pub fn readers(&self, patient: &str, window: Window, _: &Purpose) -> Result<Vec<Reader>> {
        let keys = self.find(Of::Patient, "patient", patient)?;
        let same = self.same(Of::Identity);
        let mut readers: BTreeMap<u32, (u64, u64, i64, i64)> = BTreeMap::new();
        for posting in self.postings(By::Patient, &keys, window)? {
            let reader = readers.entry(same.leader(posting.partner));
            let (look_ups, attempts, first, last) =
                reader.or_insert((0, 0, posting.first, posting.last));
            *look_ups += u64::from(posting.count);
            if posting.class() == Class::Attempt {
                *attempts += u64::from(posting.count);
            }
            *first = (*first).min(posting.first);
            *last = (*last).max(posting.last);
        }
        let names = self.names(Of::Identity)?;
        let mut readers: Vec<Reader> = readers
            .into_iter()
            .map(|(who, (look_ups, attempts, first, last))| Reader {
                who: (who != NOBODY).then(|| names.name(who).to_owned()),
                look_ups,
                attempts,
                first: Timestamp::from_micros(first),
                last: Timestamp::from_micros(last),
            })
            .collect();
        readers.sort_by(|a, b| (a.first, &a.who).cmp(&(b.first, &b.who)));
        Ok(readers)
    }

    /// The whole report, look-up by look-up.
    pub fn who(&self, typed: &str, window: Window, purpose: &Purpose) -> Result<Who> {
        let readers = self.readers(typed, window, purpose)?;
        let keys = self.find(Of::Patient, "patient", typed)?;
        for of in Of::ALL {
            self.names(of)?;
        }
        let name = |of: Of, id: u32| {
            let names = self.names(of).ok().filter(|_| id != NOBODY)?;
            Some(names.name(id).to_owned())
        };
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let (mut readings, mut by) = (Vec::new(), Vec::new());
        self.rows_with_ids(By::Patient, &keys, window, |row, id| {
            by.push(row.identity);
            readings.push(Reading {
                id: EventId(id),
                at: Timestamp::from_micros(row.at),
                who: name(Of::Identity, row.identity),
                on_behalf_of: name(Of::Identity, row.on_behalf_of),
                client: name(Of::Client, row.client),
                host: name(Of::Host, row.host),
                source: name(Of::Source, row.source),
                kind: row.kind,
                resource: text(&row.resource),
                purpose: text(&row.purpose),
                reason: text(&row.reason),
                outcome: row.outcome,
                flags: row.flags,
                class: row.class(),
                verdict: None,
            });
            Ok(())
        })?;
        self.judge_readings(&keys, window, &mut readings, &by)?;
        readings.sort_by_key(|reading| (reading.at, reading.id));
        let silences = self.silences(window)?;
        let patient = name(Of::Patient, keys.first().copied().unwrap_or(NOBODY));
        let patient = patient.unwrap_or_else(|| typed.to_owned());
        let (judged_until, as_of) = (self.judged_until(), self.as_of());
        Ok(Who { patient, readers, readings, silences, judged_until, as_of })
    }

    /// Adds what was found of each look-up; `by` holds their readers.
    fn judge_readings(
        &self,
        patient: &[u32],
        window: Window,
        readings: &mut [Reading],
        by: &[u32],
    ) -> Result<()> {
        let same = self.same(Of::Identity);
        let readers: BTreeSet<u32> = by.iter().copied().filter(|&who| who != NOBODY).collect();
        let readers: Vec<u32> = readers.into_iter().collect();
        let verdicts = self.verdicts(&same.all_of(&readers), window)?;
        let patients = self.same(Of::Patient);
        let Some(patient) = patient.first().map(|&of| patients.leader(of)) else { return Ok(()) };
        for (reading, &who) in readings.iter_mut().zip(by) {
            if reading.class.exposes() {
                reading.verdict = verdicts.of(same.leader(who), patient, reading.at.micros());
            }
        }
        Ok(())
    }
}
