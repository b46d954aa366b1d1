//! What a finding would have to show: each reader's recent look-ups that nothing explains.

use crate::detectors::is_unexplained;
use crate::later::Judgement;
use crate::visit::{Verdict, Visit, Warmth};
use bavn_model::{
    Access, ClientId, Entity, Finding, HostId, IdentityId, PatientId, Timestamp, Tried,
    TriedOutcome,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::num::NonZeroU16;

/// The recent unexplained look-ups of every reader, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Dossiers {
    readers: Vec<Dossier>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Dossier {
    entries: Vec<Entry>,
    host: Option<HostId>,
    client: Option<ClientId>,
    opened_today: u32,
    day: i32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    at_secs: u32,
    patient: PatientId,
    warmth: Warmth,
    made_by_reader: bool,
    explained: bool,
    /// A later record explains it: hours after the look-up, and one.
    later: Option<NonZeroU16>,
}

impl Dossiers {
    /// Notes a visit that began. Explained ones count too while an alarm is open (`keep_all`).
    pub(crate) fn note(
        &mut self,
        access: &Access,
        identity: IdentityId,
        visit: &Visit,
        keep_all: bool,
    ) {
        let index = usize::from(identity);
        if self.readers.len() <= index {
            self.readers.resize_with(index + 1, Dossier::default);
        }
        let Some(dossier) = self.readers.get_mut(index) else { return };
        let day = access.at.day();
        if dossier.day != day {
            (dossier.day, dossier.opened_today) = (day, 0);
        }
        dossier.opened_today += 1;
        let unexplained = is_unexplained(visit);
        if unexplained || dossier.host.is_none() {
            dossier.host = access.host.or(dossier.host);
            dossier.client = access.client.or(dossier.client);
        }
        if !unexplained && !keep_all && dossier.opened_today <= EXPLAINED_FROM {
            return;
        }
        let limit = if keep_all { ENTRIES_OPEN_MAX } else { ENTRIES_MAX };
        if dossier.entries.len() >= limit {
            // Half at a time, so that the attack is not the slow case.
            dossier.entries.drain(..limit / 2);
        }
        dossier.entries.push(Entry {
            at_secs: in_secs(access.at),
            patient: visit.patient,
            warmth: visit.warmth,
            made_by_reader: matches!(visit.verdict, Verdict::MadeByReader { .. }),
            explained: !unexplained,
            later: None,
        });
    }

    /// The patients since `from`, when the first was opened, and what was tried to explain them.
    pub(crate) fn since(&self, identity: IdentityId, from: Timestamp) -> Exposed {
        let mut exposed = Exposed { first: None, patients: Vec::new(), tried: Vec::new() };
        let (mut not_found, mut cold, mut made) = (0, 0, 0);
        for entry in self.entries(identity, from) {
            exposed.patients.push(entry.patient);
            exposed.first.get_or_insert(Timestamp::from_secs(i64::from(entry.at_secs)));
            not_found += u32::from(!entry.explained && !entry.made_by_reader);
            cold += u32::from(!entry.explained && entry.warmth == Warmth::Cold);
            made += u32::from(entry.made_by_reader);
        }
        exposed.patients.sort_unstable();
        exposed.patients.dedup();
        for (template, outcome, visits) in [
            ("record_of_care", TriedOutcome::NotFound, not_found),
            ("unit_worked_with_patient", TriedOutcome::NotFound, cold),
            ("own_record", TriedOutcome::MadeByReader, made),
        ] {
            if visits > 0 {
                exposed.tried.push(Tried { template, outcome, visits });
            }
        }
        exposed
    }

    /// Notes that a later record explains a visit.
    pub(crate) fn explain(&mut self, judgement: &Judgement) {
        let Some(dossier) = self.readers.get_mut(usize::from(judgement.identity)) else { return };
        let at = in_secs(judgement.since);
        let first = dossier.entries.partition_point(|entry| entry.at_secs < at);
        let same = dossier.entries.iter_mut().skip(first).take_while(|entry| entry.at_secs == at);
        let hours = u16::try_from(judgement.hours_late()).unwrap_or(u16::MAX - 1);
        for entry in same.filter(|entry| entry.patient == judgement.patient) {
            entry.later = NonZeroU16::new(hours + 1);
        }
    }

    /// How late the last record came that explains what a finding of this reader rests on; none if
    /// anything of it is still unexplained, or no longer known.
    pub(crate) fn answer(&self, identity: IdentityId, finding: &Finding) -> Option<u32> {
        let entries = self.entries(identity, finding.first_seen);
        let mut met: BTreeSet<PatientId> = BTreeSet::new();
        let mut latest = None;
        for entry in entries.iter().filter(|of| finding.patients.binary_search(&of.patient).is_ok())
        {
            if !entry.explained {
                latest = latest.max(Some(entry.later?));
            }
            met.insert(entry.patient);
        }
        let hours = u32::from(latest?.get()) - 1;
        (met.len() == finding.patients.len()).then_some(hours)
    }

    /// Patients since `from` whose look-ups nothing has explained, not even later.
    pub(crate) fn unexplained(&self, identity: IdentityId, from: Timestamp) -> usize {
        let entries = self.entries(identity, from).iter();
        let open = entries.filter(|entry| !entry.explained && entry.later.is_none());
        open.map(|entry| entry.patient).collect::<BTreeSet<_>>().len()
    }

    fn entries(&self, identity: IdentityId, from: Timestamp) -> &[Entry] {
        let Some(dossier) = self.readers.get(usize::from(identity)) else { return &[] };
        let from = in_secs(from);
        let first = dossier.entries.partition_point(|entry| entry.at_secs < from);
        dossier.entries.get(first..).unwrap_or_default()
    }

    pub(crate) fn entity(&self, identity: IdentityId) -> Entity {
        let dossier = self.readers.get(usize::from(identity));
        Entity {
            identity,
            host: dossier.and_then(|dossier| dossier.host),
            client: dossier.and_then(|dossier| dossier.client),
        }
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.readers.capacity() * size_of::<Dossier>()
            + self
                .readers
                .iter()
                .map(|held| held.entries.capacity() * size_of::<Entry>())
                .sum::<usize>()
    }
}

/// What a finding exposes.
#[derive(Debug)]
pub(crate) struct Exposed {
    pub(crate) first: Option<Timestamp>,
    /// Sorted, each once.
    pub(crate) patients: Vec<PatientId>,
    pub(crate) tried: Vec<Tried>,
}

fn in_secs(at: Timestamp) -> u32 {
    at.secs().clamp(0, i64::from(u32::MAX)) as u32
}

const ENTRIES_MAX: usize = 128;
/// Over any real theft by one reader in a month; the exact scope is the store's.
const ENTRIES_OPEN_MAX: usize = 65_536;
/// A day of more patients than this is noted whole: its volume may be the finding.
const EXPLAINED_FROM: u32 = 150;
