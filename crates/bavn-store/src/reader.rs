//! A store open for questions, as of its last commit.

use crate::error::{Result, StoreError};
use crate::format::{FORMAT, FORMAT_FILE, check_format};
use crate::index::{By, Index, Posting, Touches};
use crate::keys::{Kek, KeyRing, RING, to_hex};
use crate::manifest::{Manifest, Segment};
use crate::names::{Dictionary, Names, Of, Same, meant};
use crate::row::{LookUp, Row};
use crate::segment::SegmentReader;
use bavn_model::Timestamp;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;

/// A store open for reading. Sees the commit that was in force when it was opened, for as long as
/// that commit's files are there.
#[derive(Debug)]
pub struct Store {
    pub(crate) folder: PathBuf,
    pub(crate) ring: KeyRing,
    pub(crate) manifest: Manifest,
    digest: [u8; 32],
    names: [OnceLock<Dictionary>; Of::ALL.len()],
    /// By kind: who is whom.
    same: [Same; Of::ALL.len()],
    indexes: Vec<Indexes>,
}

/// Which commit an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    pub commit: u64,
    /// By the clock of the machine that wrote.
    pub committed_at: Timestamp,
    /// Of the latest look-up.
    pub last_look_up: Option<Timestamp>,
    pub look_ups: u64,
    /// Of the log.
    pub entries: u64,
    /// SHA-256 of the manifest, in hexadecimal digits: it names every file by its digest.
    pub manifest: String,
}

/// From, included, to, excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    pub const ALL: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    pub(crate) fn has(self, at: i64) -> bool {
        self.from.micros() <= at && at < self.to.micros()
    }

    /// Its first and its last instant in microseconds.
    const fn span(self) -> (i64, i64) {
        (self.from.micros(), self.to.micros().saturating_sub(1))
    }

    /// The days that it touches, both included.
    pub(crate) fn days(self) -> (i32, i32) {
        (self.from.day(), Timestamp::from_micros(self.to.micros().saturating_sub(1)).day())
    }
}

impl Store {
    pub fn open(folder: &Path, kek: &Kek) -> Result<Self> {
        let format = check_format(folder);
        let opened = KeyRing::open(&folder.join(RING), kek).and_then(|ring| {
            let (manifest, digest) = Manifest::read(folder, &ring)?;
            Ok((ring, manifest, digest))
        });
        let (ring, manifest, digest) = match (format, opened) {
            // It says at least the format of the commit in force: an upgrade begins with it.
            (Ok(format), opened) => {
                let opened = opened?;
                if opened.1.format > format {
                    return Err(other_format(folder));
                }
                opened
            }
            // All that is sealed says that it is a store of a format that is known.
            (Err(_), Ok((_, manifest, _))) if manifest.format <= FORMAT => {
                return Err(other_format(folder));
            }
            (Err(error), _) => return Err(error),
        };
        let mut links = Dictionary::default();
        for file in &manifest.dictionaries {
            links.read(&folder.join(&file.name), &ring, &[])?;
        }
        let indexes = manifest.segments.iter().map(|_| Default::default()).collect();
        let folder = folder.to_owned();
        let names = Default::default();
        let same = Of::ALL.map(|of| links.of(of).same());
        Ok(Self { folder, ring, manifest, digest, names, same, indexes })
    }

    /// Whether no other commit has come since it was opened.
    pub fn is_in_force(&self) -> bool {
        let now = Manifest::digest_in_force(&self.folder, &self.ring);
        now.is_ok_and(|digest| digest == self.digest)
    }

    pub fn controller(&self) -> &str {
        self.ring.controller()
    }

    pub fn as_of(&self) -> AsOf {
        let last = self.manifest.last_heard();
        AsOf {
            commit: self.manifest.commit,
            committed_at: Timestamp::from_micros(self.manifest.committed_at),
            last_look_up: last.map(Timestamp::from_micros),
            look_ups: self.manifest.rows,
            entries: self.manifest.log.size,
            manifest: to_hex(&self.digest),
        }
    }

    /// Bytes on disk: columns, index, evidence, names; and of the original records as they came.
    pub fn sizes(&self) -> Sizes {
        let segments = self.manifest.segments.len() as u64;
        let mut sizes = Sizes { segments, ..Sizes::default() };
        for segment in &self.manifest.segments {
            sizes.columns += segment.columns.bytes;
            sizes.evidence += segment.evidence.bytes;
            sizes.index += segment.index.iter().map(|file| file.bytes).sum::<u64>();
            sizes.original += segment.original_bytes;
        }
        sizes.names = self.manifest.dictionaries.iter().map(|file| file.bytes).sum();
        sizes
    }

    /// The names of one kind; read when first asked for, since most questions need few of them.
    pub(crate) fn names(&self, of: Of) -> Result<&Names> {
        let missing = StoreError::Library { doing: "finding names" };
        let slot = self.names.get(of as usize).ok_or(missing)?;
        if let Some(read) = slot.get() {
            return Ok(read.of(of));
        }
        let mut dictionary = Dictionary::default();
        for file in &self.manifest.dictionaries {
            let path = self.folder.join(&file.name);
            let read = dictionary.read(&path, &self.ring, &[of]);
            read.map_err(|error| self.unless_superseded(error))?;
        }
        Ok(slot.get_or_init(|| dictionary).of(of))
    }

    #[expect(clippy::indexing_slicing, reason = "one slot for each kind, by its number")]
    pub(crate) fn same(&self, of: Of) -> &Same {
        &self.same[of as usize]
    }

    /// Every number that means what was typed: a name as it stands in the source, or a bare value
    /// that only one bears.
    pub(crate) fn find(&self, of: Of, what: &'static str, typed: &str) -> Result<Vec<u32>> {
        meant(self.names(of)?, self.same(of), what, typed)
    }

    /// Every posting of the keys within the window, exactly: where a day is cut, from the rows.
    pub(crate) fn postings(&self, by: By, keys: &[u32], window: Window) -> Result<Vec<Posting>> {
        let segments = self.manifest.segments.iter().zip(&self.indexes);
        let segments: Vec<_> = segments.filter(|(one, _)| overlaps(one, window)).collect();
        let some = |segments: &[(&Segment, &Indexes)]| {
            let mut found = Vec::new();
            for (segment, indexes) in segments {
                self.postings_of(segment, indexes, (by, keys), window, &mut found)?;
            }
            Ok(found)
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share =
            segments.len().div_ceil(threads).max(BLOCKS_A_THREAD.div_ceil(keys.len().max(1)));
        let mut shares = segments.chunks(share);
        let Some(first) = shares.next() else { return Ok(Vec::new()) };
        std::thread::scope(|threads| {
            let others: Vec<_> = shares.map(|share| threads.spawn(move || some(share))).collect();
            let mut found = some(first)?;
            for other in others {
                let stopped = |_| StoreError::Library { doing: "reading the index" };
                found.extend(other.join().map_err(stopped)??);
            }
            Ok(found)
        })
    }

    fn postings_of(
        &self,
        segment: &Segment,
        indexes: &Indexes,
        (by, keys): (By, &[u32]),
        window: Window,
        found: &mut Vec<Posting>,
    ) -> Result<()> {
        let index = self.index(segment, indexes, by)?;
        let mut is_there = false;
        let mut cut: BTreeSet<(u32, i32, u32, u8)> = BTreeSet::new();
        for &key in keys {
            index.each(key, window.days(), |posting| {
                if !by.is_full() {
                    is_there = true;
                    return;
                }
                match (window.has(posting.first), window.has(posting.last)) {
                    (true, true) => found.push(*posting),
                    _ if posting.last < window.from.micros()
                        || posting.first >= window.to.micros() => {}
                    // Around an end of the window: only the rows know.
                    _ => {
                        cut.insert((posting.key, posting.day, posting.partner, posting.class));
                    }
                }
            })?;
        }
        if !cut.is_empty() {
            let keys = cut.iter().map(|&(key, ..)| key).collect();
            let is_cut = |p: &Posting| cut.contains(&(p.key, p.day, p.partner, p.class));
            self.recount(segment, by, (&keys, window), is_cut, found)?;
        }
        if is_there {
            let keys = keys.iter().copied().collect();
            self.recount(segment, by, (&keys, window), |_| true, found)?;
        }
        Ok(())
    }

    fn recount(
        &self,
        segment: &Segment,
        by: By,
        (keys, window): (&BTreeSet<u32>, Window),
        is_it: impl Fn(&Posting) -> bool,
        found: &mut Vec<Posting>,
    ) -> Result<()> {
        let mut touches = Touches::default();
        let reader = self.segment(segment, false)?;
        reader.pick_bare(&reader.places(by, keys, vec![window.span()])?, |row| {
            if window.has(row.at) {
                touches.push(&row.look_up());
            }
            Ok(())
        })?;
        let sorted = touches.sorted(by);
        found.extend(sorted.postings().filter(|one| keys.contains(&one.key) && is_it(one)));
        Ok(())
    }

    /// Calls `found` for each look-up of the window that concerns one of the keys. What the index does
    /// not tell is read from the rows: of segments whose index holds a key, the pages that hold such.
    pub(crate) fn look_ups(
        &self,
        by: By,
        keys: &[u32],
        window: Window,
        with: With,
        mut found: impl FnMut(&LookUp<'_>) -> Result<()>,
    ) -> Result<()> {
        let segments = self.manifest.segments.iter().zip(&self.indexes);
        let mut untold = Vec::new();
        for (segment, indexes) in segments.filter(|(segment, _)| overlaps(segment, window)) {
            let index = self.index(segment, indexes, by)?;
            if !index.tells_look_ups() {
                untold.push((segment, indexes));
                continue;
            }
            let mut stopped = Ok(());
            for &key in keys {
                index.each_look_up(key, window.days(), |look_up| {
                    if stopped.is_ok() && window.has(look_up.at) {
                        stopped = found(look_up);
                    }
                })?;
            }
            stopped?;
        }
        let mut of_row =
            |row: &Row<'_>| if window.has(row.at) { found(&row.look_up()) } else { Ok(()) };
        self.each_with_rows(untold, (by, keys), window, false, |reader, places| match with {
            With::Nothing => reader.pick_bare(places, &mut of_row),
            With::Content => reader.pick(places, &mut of_row),
        })
    }

    /// Calls `found` for each row of the window that concerns one of the keys, with its id.
    pub(crate) fn rows_with_ids(
        &self,
        by: By,
        keys: &[u32],
        window: Window,
        mut found: impl FnMut(&Row<'_>, u128) -> Result<()>,
    ) -> Result<()> {
        let segments = self.manifest.segments.iter().zip(&self.indexes);
        let segments = segments.filter(|(segment, _)| overlaps(segment, window)).collect();
        self.each_with_rows(segments, (by, keys), window, true, |reader, places| {
            let mut ids = reader.pick_ids(places)?.into_iter();
            reader.pick(places, |row| match ids.next() {
                Some(id) if window.has(row.at) => found(row, id),
                _ => Ok(()),
            })
        })
    }

    /// Calls `found` with each of the segments that holds rows of the keys, and their places, which
    /// another thread finds meanwhile.
    fn each_with_rows(
        &self,
        segments: Vec<(&Segment, &Indexes)>,
        (by, keys): (By, &[u32]),
        window: Window,
        with_evidence: bool,
        mut found: impl FnMut(&SegmentReader, &[u64]) -> Result<()>,
    ) -> Result<()> {
        let keys: BTreeSet<u32> = keys.iter().copied().collect();
        let mut places = segments.into_iter().filter_map(|(segment, indexes)| {
            let places = self.places((segment, indexes), by, &keys, window, with_evidence);
            places.transpose()
        });
        std::thread::scope(|threads| {
            let (to, from) = sync_channel(SEGMENTS_AHEAD);
            threads.spawn(move || places.all(|places| to.send(places).is_ok()));
            from.into_iter().try_for_each(|places| {
                let (reader, places) = places?;
                found(&reader, &places)
            })
        })
    }

    /// The places of the keys' rows in one segment, if its index holds a key.
    fn places(
        &self,
        (segment, indexes): (&Segment, &Indexes),
        by: By,
        keys: &BTreeSet<u32>,
        window: Window,
        with_evidence: bool,
    ) -> Result<Option<(SegmentReader, Vec<u64>)>> {
        let index = self.index(segment, indexes, by)?;
        let mut spans = Vec::new();
        for &key in keys {
            index.each(key, window.days(), |one| spans.push((one.first, one.last)))?;
        }
        if spans.is_empty() {
            return Ok(None);
        }
        // Of others the index does not know every look-up.
        if by != By::Patient {
            spans = vec![window.span()];
        }
        let reader = self.segment(segment, with_evidence)?;
        let places = reader.places(by, keys, spans)?;
        Ok(Some((reader, places)))
    }

    /// All names of all kinds.
    pub(crate) fn dictionary(&self) -> Result<Dictionary> {
        let mut dictionary = Dictionary::default();
        for file in &self.manifest.dictionaries {
            dictionary.read(&self.folder.join(&file.name), &self.ring, &Of::ALL)?;
        }
        Ok(dictionary)
    }

    fn index<'s>(&'s self, segment: &Segment, indexes: &'s Indexes, by: By) -> Result<&'s Index> {
        let missing = || StoreError::Missing { path: self.folder.join("index") };
        let slot = indexes.get(by as usize).ok_or_else(missing)?;
        if let Some(open) = slot.get() {
            return Ok(open);
        }
        let path = self.folder.join(&segment.index(by).ok_or_else(missing)?.name);
        let open = Index::open(&path, by, &self.ring);
        let open = open.map_err(|error| self.unless_superseded(error))?;
        Ok(slot.get_or_init(|| open))
    }

    pub(crate) fn segment(&self, segment: &Segment, with_evidence: bool) -> Result<SegmentReader> {
        let open = crate::known::open(&self.folder, &self.ring, segment, with_evidence);
        open.map_err(|error| self.unless_superseded(error))
    }

    /// A file that is not there is a fault only if no later commit took it away.
    fn unless_superseded(&self, error: StoreError) -> StoreError {
        let is_gone = matches!(error, StoreError::Missing { .. });
        let now = || Manifest::digest_in_force(&self.folder, &self.ring);
        if is_gone && now().is_ok_and(|digest| digest != self.digest) {
            StoreError::Superseded
        } else {
            error
        }
    }
}

/// What is asked of a look-up besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum With {
    Nothing,
    /// The type of content.
    Content,
}

fn other_format(folder: &Path) -> StoreError {
    let what = "it does not say the format that the manifest has";
    StoreError::damaged(&folder.join(FORMAT_FILE), what)
}

fn overlaps(segment: &Segment, window: Window) -> bool {
    segment.from < window.to.micros() && segment.to >= window.from.micros()
}

/// A segment's index, each direction opened when first asked.
type Indexes = [OnceLock<Index>; By::ALL.len()];

/// Blocks of the index for which a thread is worth its start: one a segment and key.
const BLOCKS_A_THREAD: usize = 64;
/// Segments whose rows have been found and not read yet.
const SEGMENTS_AHEAD: usize = 2;

/// Bytes of a store's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub segments: u64,
    pub columns: u64,
    pub index: u64,
    pub evidence: u64,
    pub names: u64,
    /// Of the original records, before compression; they lie in the evidence.
    pub original: u64,
}
