//! Verdicts that wait for the commit of what they are about.

use super::file::{Entry, VerdictFile};
use super::{Judged, Reached};
use crate::error::{Result, StoreError};
use crate::keys::KeyRing;
use crate::manifest::{Judgements, Manifest};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What was judged since the last commit, and what that commit could not write, since the look-up is
/// still on its way.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    judged: Vec<Judged>,
    /// What the commit under way writes: it comes again if that fails.
    unsettled: Vec<Judged>,
    /// Commits up to this one may hold what is judged again: of an earlier run, or an earlier pass.
    again_until: u64,
}

/// Verdicts ready to be written: sorted, each new.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) words: Vec<(Reached, String)>,
    pub(crate) entries: Vec<Entry>,
}

impl Pending {
    pub(crate) fn add(&mut self, judged: impl IntoIterator<Item = Judged>) {
        self.judged.extend(judged);
    }

    pub(crate) fn len(&self) -> usize {
        self.judged.len()
    }

    /// From now on everything may be judged again that the store holds.
    pub(crate) fn begin_again(&mut self, commit: u64) {
        self.judged.clear();
        self.unsettled.clear();
        self.again_until = commit;
    }

    /// Those whose people the store knows; the others stay. `person` gives the store's number for
    /// the caller's.
    pub(crate) fn ready(
        &mut self,
        person: impl Fn(&Judged) -> Option<(u32, u32)>,
        manifest: &Manifest,
        store: &Path,
        ring: &KeyRing,
    ) -> Result<Option<Ready>> {
        self.judged.append(&mut self.unsettled);
        let unsettled = &mut self.unsettled;
        let mut numbers: BTreeMap<(Reached, &'static str), u32> = BTreeMap::new();
        let mut entries = Vec::new();
        self.judged.retain(|judged| {
            let Some((identity, patient)) = person(judged) else { return true };
            unsettled.push(*judged);
            let next = numbers.len() as u32;
            let word = *numbers.entry((judged.reached, judged.by)).or_insert(next);
            entries.push(Entry {
                identity,
                since: judged.since.micros(),
                patient,
                at: judged.at.micros().max(judged.since.micros()),
                word,
                known_at: judged.known_at.map(bavn_model::Timestamp::micros),
            });
            false
        });
        entries.sort_unstable();
        let mut words: Vec<_> = numbers.into_iter().collect();
        words.sort_unstable_by_key(|&(_, number)| number);
        let words: Vec<_> =
            words.into_iter().map(|((reached, by), _)| (reached, by.to_owned())).collect();
        self.drop_known(&mut entries, &words, manifest, store, ring)?;
        Ok((!entries.is_empty()).then_some(Ready { words, entries }))
    }

    /// The commit failed: they wait for the next. It may be in force all the same, so it is asked.
    pub(crate) fn go_back(&mut self, commit: u64) {
        self.judged.append(&mut self.unsettled);
        self.again_until = self.again_until.max(commit);
    }

    /// The commit is in force, or there was nothing to write.
    pub(crate) fn settle(&mut self) {
        self.unsettled.clear();
    }

    /// Drops what the store holds already, as a source that is read a second time gives it.
    fn drop_known(
        &self,
        entries: &mut Vec<Entry>,
        words: &[(Reached, String)],
        manifest: &Manifest,
        store: &Path,
        ring: &KeyRing,
    ) -> Result<()> {
        let key = |entry: &Entry| (entry.identity, entry.patient, entry.since, entry.at);
        let mut begun: Vec<i64> = entries.iter().map(|entry| entry.since).collect();
        begun.sort_unstable();
        let touches = |file: &Judgements| {
            let next = begun.get(begun.partition_point(|&since| since < file.first));
            next.is_some_and(|&since| since <= file.last)
        };
        let again = |file: &&Judgements| file.commit <= self.again_until && touches(file);
        let old: Vec<&Judgements> = manifest.verdicts.iter().filter(again).collect();
        if old.is_empty() {
            return Ok(());
        }
        let mut last: HashMap<_, Option<&(Reached, String)>> =
            entries.iter().map(|entry| (key(entry), None)).collect();
        let files =
            old.into_iter().map(|held| VerdictFile::open(&store.join(&held.file.name), ring));
        let files = files.collect::<Result<Vec<_>>>()?;
        for file in &files {
            file.all(&mut |entry| {
                if let Some(found) = last.get_mut(&key(entry)) {
                    *found = file.words().get(entry.word as usize);
                }
            })?;
        }
        entries.retain(|entry| {
            let known = last.get(&key(entry)).copied().flatten();
            known.is_none() || known != words.get(entry.word as usize)
        });
        Ok(())
    }
}

impl Ready {
    /// From when to when the visits began, and until when they were judged.
    pub(crate) fn span(&self) -> Result<(i64, i64, i64)> {
        let missing = || StoreError::Library { doing: "sorting verdicts" };
        let since = self.entries.iter().map(|entry| entry.since);
        let at = self.entries.iter().map(|entry| entry.at).max();
        match (since.clone().min(), since.max(), at) {
            (Some(first), Some(last), Some(at)) => Ok((first, last, at)),
            _ => Err(missing()),
        }
    }
}
