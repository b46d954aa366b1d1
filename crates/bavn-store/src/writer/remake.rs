//! Segments made of others, by the one way of reading each look-up and deciding what becomes of it.

use super::{Building, Writer, random};
use crate::error::{Result, StoreError, io};
use crate::history::{self, HISTORY, History, PastCommit};
use crate::keys::{Chance, STORE_KEY};
use crate::manifest::{Heard, Leaving, Manifest, Named, Segment, names_of};
use crate::names::{self, DICTIONARY, Of};
use crate::row::{Evidence, Row};
use crate::stretches::{PLACES, Stretches};
use bavn_model::{EventId, Timestamp};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// What becomes of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    LosesOriginal,
    /// It stays, and nothing in it tells any more who the patient was.
    Hides,
    Goes,
}

/// Decides, knowing the look-up and what its source said.
pub(super) type Decide<'a> = dyn FnMut(&Row<'_>, &Evidence<'_>) -> Fate + 'a;

/// What segments were made into.
#[derive(Debug, Default)]
pub(super) struct Remade {
    /// None if nothing is left.
    pub(super) segment: Option<Segment>,
    fates: Fates,
}

/// Entries of the log whose look-ups did not stay as they were.
#[derive(Debug, Default)]
pub(super) struct Fates {
    pub(super) lost: Stretches,
    pub(super) hidden: Stretches,
    pub(super) gone: Stretches,
    /// The ids of what was hidden, before and after.
    pub(super) renamed: Vec<Renamed>,
}

/// A look-up that has another id now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renamed {
    pub at: Timestamp,
    pub from: EventId,
    pub to: EventId,
}

impl Fates {
    fn all(&self) -> [&Stretches; 3] {
        [&self.lost, &self.hidden, &self.gone]
    }

    fn all_mut(&mut self) -> [&mut Stretches; 3] {
        [&mut self.lost, &mut self.hidden, &mut self.gone]
    }
}

pub(super) fn rows_of<'s>(segments: impl IntoIterator<Item = &'s Segment>) -> u64 {
    segments.into_iter().map(|segment| segment.rows).sum()
}

/// The fates in several segments, of which the last was made anew first.
#[derive(Debug, Default)]
pub(super) struct Shares(Vec<Fates>);

impl Shares {
    pub(super) fn take(&mut self, remade: Remade) {
        self.0.push(remade.fates);
    }

    pub(super) fn in_order(self) -> Fates {
        let mut together = Fates::default();
        for fates in self.0.iter().rev() {
            for (all, some) in together.all_mut().into_iter().zip(fates.all()) {
                some.ends().for_each(|(first, last)| all.extend(first, last - first + 1));
            }
            together.renamed.extend(&fates.renamed);
        }
        together
    }
}

impl Writer {
    /// The manifest of a commit that replaces files of earlier ones: what those commits added stands
    /// in a file of its own from now on.
    pub(super) fn next_replacing(&mut self, now: Timestamp) -> Result<Manifest> {
        let mut manifest = self.next_manifest(now);
        let late = manifest.late_commits();
        manifest.commits.clear();
        if late.is_empty() {
            return Ok(manifest);
        }
        let mut parts = vec![late];
        let mut folded = parts.iter().map(Vec::len).sum::<usize>() as u64;
        // A file is merged once what comes after it has half its size: each commit is copied seldom.
        while let Some(last) = manifest.history.last()
            && last.commits <= folded * 2
        {
            parts.push(last.read(&self.store, &self.ring)?);
            folded += last.commits;
            let file = manifest.history.pop().map(|part| part.file);
            leave(&mut manifest, file.iter(), now);
        }
        let commits: Vec<PastCommit> = parts.into_iter().rev().flatten().collect();
        let name = format!("segments/{:08}.commits", manifest.commit);
        history::write(self.sealed(&name, HISTORY, STORE_KEY)?, &commits)?;
        let file = Named::of(&self.store, name)?;
        manifest.history.push(History { commits: folded, file });
        Ok(manifest)
    }

    /// Puts neighbouring segments into one, which takes their place in the manifest.
    pub(super) fn remake(
        &mut self,
        manifest: &mut Manifest,
        range: Range<usize>,
        decide: &mut Decide<'_>,
        now: Timestamp,
    ) -> Result<Remade> {
        let group = manifest.segments.get(range.clone()).unwrap_or_default().to_vec();
        let number = manifest.next_segment();
        let remade = self.remake_group(&group, number, manifest.commit, decide)?;
        leave(manifest, group.iter().flat_map(Segment::files), now);
        manifest.highest_segment = number;
        self.passed.add(rows_of(&group));
        if remade.segment.is_none() {
            let gone = heard(group.iter().flat_map(|segment| &segment.heard));
            manifest.heard_before = heard(manifest.heard_before.iter().chain(&gone));
        }
        manifest.segments.splice(range, remade.segment.clone());
        Ok(remade)
    }

    fn remake_group(
        &mut self,
        group: &[Segment],
        number: u64,
        commit: u64,
        decide: &mut Decide<'_>,
    ) -> Result<Remade> {
        let mut building: Option<Building> = None;
        let mut places = Stretches::default();
        let mut fates = Fates::default();
        for source in group {
            let stand = Stretches::of(&self.store, &self.ring, source)?;
            let reader = crate::known::open(&self.store, &self.ring, source, true)?;
            reader.each_with_evidence(|place, row, evidence| {
                let failed = || StoreError::Library { doing: "finding a look-up in the log" };
                let entry = stand.at(place).ok_or_else(failed)?;
                let mut row = Cow::Borrowed(row);
                let mut evidence = evidence.clone();
                match decide(&row, &evidence) {
                    Fate::Stays => {}
                    Fate::LosesOriginal => {
                        evidence.original = None;
                        fates.lost.push(entry);
                    }
                    Fate::Hides => {
                        let renamed = hide(row.to_mut(), &mut evidence, &mut *self.chance)?;
                        fates.renamed.push(renamed);
                        fates.hidden.push(entry);
                    }
                    Fate::Goes => {
                        fates.gone.push(entry);
                        return Ok(());
                    }
                }
                places.push(entry);
                if building.is_none() {
                    building = Some(self.begin_numbered(number, source.key)?);
                }
                let Some(building) = &mut building else { return Ok(()) };
                building.push(&row, &evidence, [0; 32])?;
                building.hidden.clear();
                Ok(())
            })?;
        }
        let Some(building) = building else { return Ok(Remade { segment: None, fates }) };
        let heard = heard(group.iter().flat_map(|segment| &segment.heard));
        let segment = self.end_remade(building, &places, heard, commit)?;
        Ok(Remade { segment: Some(segment), fates })
    }

    fn end_remade(
        &mut self,
        building: Building,
        places: &Stretches,
        heard: Vec<Heard>,
        commit: u64,
    ) -> Result<Segment> {
        building.files.finish()?;
        let (number, key) = (building.number, building.key);
        let index = self.write_index(number, key, commit, &building.touches)?;
        let places_file = if places.is_one() {
            None
        } else {
            let name = format!("segments/{number:08}.places");
            places.write(self.sealed(&name, PLACES, key)?)?;
            Some(Named::of(&self.store, name)?)
        };
        let [columns, evidence] = building.names;
        Ok(Segment {
            number,
            key,
            commit,
            first_entry: places.first(),
            rows: building.rows,
            from: building.from,
            to: building.to,
            original_bytes: building.original_bytes,
            columns: Named::of(&self.store, columns)?,
            evidence: Named::of(&self.store, evidence)?,
            index,
            heard,
            places: places_file,
        })
    }

    /// Puts the files of names from one on into one file.
    pub(super) fn merge_names(
        &mut self,
        manifest: &mut Manifest,
        from: usize,
        forget: &dyn Fn(Of, u32) -> bool,
        now: Timestamp,
    ) -> Result<()> {
        let merged = manifest.dictionaries.split_off(from.min(manifest.dictionaries.len()));
        let paths: Vec<_> = merged.iter().map(|file| self.store.join(&file.name)).collect();
        let name = names_of(manifest.commit);
        let file = self.sealed(&name, DICTIONARY, STORE_KEY)?;
        names::merge(&paths, &self.ring, file, forget)?;
        manifest.dictionaries.push(Named::of(&self.store, name)?);
        leave(manifest, merged.iter(), now);
        Ok(())
    }

    /// Removes the files of which the time has come, now that a commit no longer names them.
    pub(super) fn sweep_left(&self, before: &Manifest) -> Result<()> {
        let held = self.manifest.names();
        for file in before.leaving.iter().filter(|file| !held.contains(file.name.as_str())) {
            let path = self.store.join(&file.name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io(&path, "removed")(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Replaced files stay named as such for a while.
pub(super) fn leave<'f>(
    manifest: &mut Manifest,
    files: impl Iterator<Item = &'f Named>,
    now: Timestamp,
) {
    let at = now.micros();
    manifest.leaving.extend(files.map(|file| Leaving { name: file.name.clone(), at }));
}

/// Takes everything out of a look-up by which the patient could be found again: all text, and id and
/// nonce, against which guesses could be tested.
fn hide(row: &mut Row<'_>, evidence: &mut Evidence<'_>, chance: &mut Chance) -> Result<Renamed> {
    (row.session, row.resource, row.reason) = (None, None, None);
    (evidence.query, evidence.original) = (None, None);
    let from = EventId(evidence.id);
    evidence.id = u128::from_be_bytes(random(chance)?);
    evidence.nonce = random(chance)?;
    Ok(Renamed { at: Timestamp::from_micros(row.at), from, to: EventId(evidence.id) })
}

/// What sources said on which day, added up.
fn heard<'h>(all: impl Iterator<Item = &'h Heard>) -> Vec<Heard> {
    let mut days: BTreeMap<(u32, i32), Heard> = BTreeMap::new();
    for heard in all {
        let day = days.entry((heard.source, heard.day)).or_insert(Heard { look_ups: 0, ..*heard });
        day.look_ups += heard.look_ups;
        day.first = day.first.min(heard.first);
        day.last = day.last.max(heard.last);
    }
    days.into_values().collect()
}
