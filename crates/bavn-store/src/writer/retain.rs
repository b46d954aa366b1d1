//! What is past its time goes, from every file; what is held stays.
//!
//! Segments that hold such look-ups are written anew without them, names that no look-up uses any more are
//! forgotten, and the files before go at once. The log keeps its entries, which say nothing by
//! themselves, and gets one more: what went, when, why and of which entries.

use super::remake::{Fate, Shares, rows_of};
use super::{NONCE_BYTES, Writer, random};
use crate::error::{Result, StoreError};
use crate::keys::to_hex;
use crate::manifest::{Judgements, Manifest, Named, Segment};
use crate::names::{Dictionary, Of, Same, meant};
use crate::proof::{Entry, Log, sha256};
use crate::retention::{Held, Keep, Order, Policy, Retired, Retirement, Shield};
use crate::row::{Evidence, Row};
use crate::stretches::{RETIRED, Stretches};
use crate::verdict::{self, VerdictFile};
use bavn_model::Timestamp;
use std::collections::BTreeSet;

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Look-ups that went as a whole.
    pub look_ups: u64,
    /// Look-ups that lost their original bytes.
    pub originals: u64,
    /// Names that no look-up uses any more.
    pub names: u64,
    /// Look-ups past their time that are held.
    pub held: u64,
}

impl Writer {
    /// Takes a policy, which holds from the next [`Self::retain`] on, and for what comes in at once.
    pub fn set_policy(&mut self, policy: &Policy, now: Timestamp) -> Result<()> {
        self.attempt(|writer| writer.set_policy_all(policy, now))
    }

    fn set_policy_all(&mut self, policy: &Policy, now: Timestamp) -> Result<()> {
        self.commit_all(now)?;
        let mut manifest = self.next_manifest(now);
        manifest.retention = Some(policy.clone());
        let log = self.ledger.log();
        self.put_in_force(manifest, log)
    }

    pub fn policy(&self) -> Policy {
        self.manifest.retention.clone().unwrap_or_default()
    }

    /// Places a legal hold: look-ups that fit stay, whatever the policy says, and a case keeps its
    /// acts. Returns its number.
    pub fn hold(&mut self, case: Option<u32>, keep: &Keep, said: &Order) -> Result<u32> {
        self.attempt(|writer| writer.hold_all(case, keep, said))
    }

    fn hold_all(&mut self, case: Option<u32>, keep: &Keep, said: &Order) -> Result<u32> {
        self.commit_all(said.at)?;
        let number = self.manifest.holds.len() as u32 + 1;
        let held = Held {
            number,
            case,
            identities: self.meant_all(Of::Identity, "identity", &keep.identities)?,
            patients: self.meant_all(Of::Patient, "patient", &keep.patients)?,
            from: keep.window.from.micros(),
            to: keep.window.to.micros(),
            placed: said.clone(),
            released: None,
        };
        let mut manifest = self.next_manifest(said.at);
        manifest.holds.push(held);
        let log = self.ledger.log();
        self.put_in_force(manifest, log)?;
        Ok(number)
    }

    /// Ends a legal hold. False if there is none of that number in force.
    pub fn release(&mut self, number: u32, said: &Order) -> Result<bool> {
        self.attempt(|writer| writer.release_all(number, said))
    }

    fn release_all(&mut self, number: u32, said: &Order) -> Result<bool> {
        self.commit_all(said.at)?;
        let mut manifest = self.next_manifest(said.at);
        let mut in_force = manifest.holds.iter_mut().filter(|held| held.released.is_none());
        let Some(held) = in_force.find(|held| held.number == number) else { return Ok(false) };
        held.released = Some(said.clone());
        let log = self.ledger.log();
        self.put_in_force(manifest, log)?;
        Ok(true)
    }

    pub(super) fn meant_all(
        &self,
        of: Of,
        what: &'static str,
        typed: &[String],
    ) -> Result<Vec<u32>> {
        let names = self.dictionary.of(of);
        let same = names.same();
        let mut all = BTreeSet::new();
        for name in typed {
            all.extend(meant(names, &same, what, name)?);
        }
        Ok(all.into_iter().collect())
    }

    /// What [`Self::retain`] would do under a policy.
    pub fn would_expire(
        &mut self,
        policy: &Policy,
        keep: &[Keep],
        now: Timestamp,
    ) -> Result<Expired> {
        self.attempt(|writer| writer.would_expire_all(policy, keep, now))
    }

    fn would_expire_all(
        &mut self,
        policy: &Policy,
        keep: &[Keep],
        now: Timestamp,
    ) -> Result<Expired> {
        self.commit_all(now)?;
        let clocks = self.clocks(policy, keep, now)?;
        let mut expired = Expired::default();
        for segment in self.manifest.segments.clone() {
            let counted = self.count(&clocks, &segment)?;
            expired.look_ups += counted.look_ups;
            expired.originals += counted.originals;
            expired.held += counted.held;
        }
        Ok(expired)
    }

    /// Lets everything go that is past its time by the policy, and that neither a hold nor `keep` keeps:
    /// what belongs to an open case or to a proven breach is known above the store.
    pub fn retain(&mut self, keep: &[Keep], said: &Order) -> Result<Expired> {
        self.attempt(|writer| writer.retain_all(keep, said))
    }

    fn retain_all(&mut self, keep: &[Keep], said: &Order) -> Result<Expired> {
        let now = said.at;
        self.commit_all(now)?;
        let clocks = self.clocks(&self.policy(), keep, now)?;
        let mut expired = Expired::default();
        let mut places = Vec::new();
        self.passed.begin(self.manifest.rows);
        for (place, segment) in self.manifest.segments.clone().iter().enumerate() {
            self.passed.add(segment.rows);
            let counted = self.count(&clocks, segment)?;
            expired.held += counted.held;
            if counted.look_ups + counted.originals > 0 {
                places.push(place);
            }
        }
        if places.is_empty() {
            return Ok(expired);
        }
        let mut manifest = self.next_replacing(now)?;
        let mut shares = Shares::default();
        let at = |&place: &usize| manifest.segments.get(place);
        self.passed.begin(rows_of(places.iter().filter_map(at)));
        for place in places.into_iter().rev() {
            let range = place..place + 1;
            let remade =
                self.remake(&mut manifest, range, &mut |row, said| clocks.fate(row, said), now)?;
            shares.take(remade);
        }
        let shares = shares.in_order();
        (expired.look_ups, expired.originals) = (shares.gone.len(), shares.lost.len());
        manifest.rows -= expired.look_ups;
        let mut log = self.ledger.log();
        self.retire(&mut manifest, &mut log, (Retired::LookUps, &shares.gone), said)?;
        if let Some(retirement) = manifest.retired.last_mut().filter(|_| expired.look_ups > 0) {
            retirement.before = Some(clocks.look_ups_before);
        }
        self.retire(&mut manifest, &mut log, (Retired::Originals, &shares.lost), said)?;
        if expired.look_ups > 0 {
            self.drop_verdicts(&mut manifest, &clocks, now)?;
            expired.names = self.forget_unused(&mut manifest, now)?;
            if expired.names > 0 {
                // What was learned names people too.
                manifest.state = None;
            }
        }
        self.put_in_force_and_forget(manifest, log)?;
        Ok(expired)
    }

    /// Verdicts go with the look-ups that they speak of; those on people who are held stay.
    fn drop_verdicts(
        &mut self,
        manifest: &mut Manifest,
        clocks: &Clocks,
        now: Timestamp,
    ) -> Result<()> {
        let over = |since: i64| verdict::visit_end(since) < clocks.look_ups_before;
        let held = |entry: &verdict::Entry| {
            let (reader, patient) = ([entry.identity], [entry.patient]);
            clocks.shields.iter().any(|shield| shield.is_about(&reader, &patient))
        };
        let all = std::mem::take(&mut manifest.verdicts);
        for (number, judgements) in all.into_iter().enumerate() {
            if !over(judgements.first) {
                manifest.verdicts.push(judgements);
                continue;
            }
            let file = VerdictFile::open(&self.store.join(&judgements.file.name), &self.ring)?;
            let mut entries = Vec::new();
            file.all(&mut |entry| {
                if !over(entry.since) || held(entry) {
                    entries.push(*entry);
                }
            })?;
            let (Some(first), Some(last)) = (
                entries.iter().map(|entry| entry.since).min(),
                entries.iter().map(|entry| entry.since).max(),
            ) else {
                continue;
            };
            let name = format!("verdicts/{:08}-{number}.verdicts", manifest.commit);
            let key = self.key_of(now)?;
            verdict::write(self.sealed(&name, verdict::SEALED_AS, key)?, file.words(), &entries)?;
            let file = Named::of(&self.store, name)?;
            manifest.verdicts.push(Judgements { first, last, file, ..judgements });
        }
        Ok(())
    }

    /// What was replaced must not be read any more, by nobody.
    pub(super) fn put_in_force_and_forget(
        &mut self,
        mut manifest: Manifest,
        log: Log,
    ) -> Result<()> {
        manifest.leaving.clear();
        self.put_in_force(manifest, log)?;
        self.manifest.sweep(&self.store)?;
        let mut dictionary = Dictionary::default();
        for file in &self.manifest.dictionaries {
            dictionary.read(&self.store.join(&file.name), &self.ring, &Of::ALL)?;
        }
        self.dictionary = dictionary;
        self.persons.clear();
        self.linked.clear();
        Ok(())
    }

    fn clocks(&self, policy: &Policy, keep: &[Keep], now: Timestamp) -> Result<Clocks> {
        let [identities, patients] =
            [Of::Identity, Of::Patient].map(|of| self.dictionary.of(of).same());
        let mut shields = self.manifest.shields(&identities, &patients);
        for keep in keep {
            shields.extend(self.shield(keep)?);
        }
        Ok(Clocks {
            look_ups_before: policy.look_ups_before(now),
            originals_before: policy.originals_before(now),
            shields,
        })
    }

    /// None if it names somebody whom no look-up names.
    pub(super) fn shield(&self, keep: &Keep) -> Result<Option<Shield>> {
        let all = |of: Of, what: &'static str, typed: &[String]| {
            let mut all = BTreeSet::new();
            for name in typed {
                match self.meant_all(of, what, std::slice::from_ref(name)) {
                    Ok(found) => all.extend(found),
                    Err(StoreError::Unknown { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(all)
        };
        let identities = all(Of::Identity, "identity", &keep.identities)?;
        let patients = all(Of::Patient, "patient", &keep.patients)?;
        let is_anybody = identities.is_empty() == keep.identities.is_empty()
            && patients.is_empty() == keep.patients.is_empty();
        Ok(is_anybody.then_some(Shield { identities, patients, window: keep.window }))
    }

    fn count(&self, clocks: &Clocks, segment: &Segment) -> Result<Expired> {
        let mut expired = Expired::default();
        let any_original = segment.original_bytes > 0 && segment.from < clocks.originals_before;
        if segment.from >= clocks.look_ups_before && !any_original {
            return Ok(expired);
        }
        let reader = crate::known::open(&self.store, &self.ring, segment, true)?;
        reader.each_with_evidence(|_, row, evidence| {
            match clocks.fate(row, evidence) {
                Fate::Goes => expired.look_ups += 1,
                Fate::LosesOriginal => expired.originals += 1,
                _ => expired.held += u64::from(clocks.is_held(row)),
            }
            Ok(())
        })?;
        Ok(expired)
    }

    /// The log's entry of what went.
    pub(super) fn retire(
        &mut self,
        manifest: &mut Manifest,
        log: &mut Log,
        (what, list): (Retired, &Stretches),
        said: &Order,
    ) -> Result<()> {
        if list.is_empty() && what != Retired::Identity {
            return Ok(());
        }
        let name = format!("segments/{:08}-{}.retired", manifest.commit, what as u8);
        list.write(self.sealed(&name, RETIRED, crate::keys::STORE_KEY)?)?;
        let nonce: [u8; NONCE_BYTES] = random(&mut *self.chance)?;
        let retirement = Retirement {
            what,
            said: said.clone(),
            look_ups: list.len(),
            list: Named::of(&self.store, name)?,
            nonce: to_hex(&nonce),
            entry: log.size(),
            before: None,
            patients: Vec::new(),
            identities: Vec::new(),
        };
        let hidden = sha256(&[&nonce, &retirement.canonical(list)]);
        log.append(&Entry::Retired(hidden).bytes())?;
        manifest.retired.push(retirement);
        Ok(())
    }

    /// Writes the names anew without those that no look-up uses. Returns how many went.
    fn forget_unused(&mut self, manifest: &mut Manifest, now: Timestamp) -> Result<u64> {
        let used = self.used_names(manifest)?;
        let forget = |of: Of, id: u32| !used.has(of, id);
        let unused = |of: Of| {
            let names = self.dictionary.of(of);
            (0..names.len()).filter(|&id| forget(of, id) && !names.is_forgotten(id)).count() as u64
        };
        let count = Of::ALL.into_iter().map(unused).sum();
        if count > 0 {
            self.merge_names(manifest, 0, &forget, now)?;
        }
        Ok(count)
    }

    fn used_names(&self, manifest: &Manifest) -> Result<Used> {
        let mut used = Used::new(&self.dictionary);
        for segment in &manifest.segments {
            let reader = crate::known::open(&self.store, &self.ring, segment, true)?;
            reader.each(|_, row| {
                used.row(row);
                Ok(())
            })?;
            reader.inputs()?.into_iter().for_each(|id| used.add(Of::File, id));
        }
        let sources = manifest.silences.iter().map(|silence| silence.source);
        let sources = sources.chain(manifest.heard().map(|heard| heard.source));
        let sources = sources.chain(manifest.promises.keys().copied());
        let sources = sources.chain(manifest.counted.keys().copied());
        sources.chain(manifest.own_source).for_each(|id| used.add(Of::Source, id));
        manifest.inputs.keys().for_each(|&id| used.add(Of::File, id));
        for of in [Of::Identity, Of::Patient] {
            manifest.held_names(of).for_each(|id| used.add(of, id));
            used.spread(of, &self.dictionary.of(of).same());
        }
        Ok(used)
    }
}

/// Which names are used.
struct Used([Vec<bool>; Of::ALL.len()]);

impl Used {
    fn new(dictionary: &Dictionary) -> Self {
        Self(Of::ALL.map(|of| vec![false; dictionary.of(of).len() as usize]))
    }

    fn has(&self, of: Of, id: u32) -> bool {
        self.0.get(of as usize).and_then(|names| names.get(id as usize)).is_some_and(|used| *used)
    }

    fn add(&mut self, of: Of, id: u32) {
        let slot = self.0.get_mut(of as usize).and_then(|names| names.get_mut(id as usize));
        if let Some(slot) = slot {
            *slot = true;
        }
    }

    fn row(&mut self, row: &Row<'_>) {
        self.add(Of::Identity, row.identity);
        self.add(Of::Identity, row.on_behalf_of);
        self.add(Of::Client, row.client);
        self.add(Of::Host, row.host);
        self.add(Of::Source, row.source);
        row.patients.iter().for_each(|&patient| self.add(Of::Patient, patient));
    }

    /// Every spelling of whoever is used under one.
    fn spread(&mut self, of: Of, same: &Same) {
        let linked: Vec<u32> = same.linked().collect();
        let leaders: BTreeSet<u32> =
            linked.iter().filter(|&&id| self.has(of, id)).map(|&id| same.leader(id)).collect();
        let all = linked.into_iter().filter(|&id| leaders.contains(&same.leader(id)));
        all.for_each(|id| self.add(of, id));
    }
}

/// The policy at one instant.
struct Clocks {
    look_ups_before: i64,
    originals_before: i64,
    shields: Vec<Shield>,
}

impl Clocks {
    fn is_over(&self, row: &Row<'_>) -> bool {
        row.at < self.look_ups_before || row.at < self.originals_before
    }

    fn is_held(&self, row: &Row<'_>) -> bool {
        self.is_over(row) && self.shields.iter().any(|shield| shield.has(row))
    }

    fn fate(&self, row: &Row<'_>, evidence: &Evidence<'_>) -> Fate {
        if !self.is_over(row) || self.is_held(row) {
            Fate::Stays
        } else if row.at < self.look_ups_before {
            Fate::Goes
        } else if evidence.original.is_some() {
            Fate::LosesOriginal
        } else {
            Fate::Stays
        }
    }
}
