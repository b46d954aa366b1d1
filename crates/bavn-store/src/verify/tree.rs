//! The log: every entry hashed anew, every tile held against it, every commit's entry against the
//! manifest.

use super::Verified;
use super::fault::{Fault, Place, What};
use crate::error::Result;
use crate::keys::from_hex;
use crate::manifest::MANIFEST;
use crate::proof::{
    CHECKPOINT, Checkpoint, CommitEntry, Entry, Hash, Kind, PROOF, TileName, Tiles, VERIFIER,
    WIDTH, bundle_entries, fold, hashes_of, leaf_hash, sha256,
};
use crate::reader::Store;
use crate::retention::Retired;
use std::path::{Path, PathBuf};

pub(super) fn check(store: &Store, found: &mut Verified) -> Result<()> {
    let size = store.manifest.log.size;
    let root = store.root()?;
    found.log = Some(Checkpoint { origin: store.signer()?.origin().to_owned(), size, root });
    let mut tree = Tree {
        tiles: store.tiles(),
        root,
        edge: Vec::new(),
        commits: Vec::new(),
        look_ups: 0,
        retirements: Vec::new(),
        found,
    };
    for index in 0..size.div_ceil(WIDTH) {
        tree.bundle(index);
    }
    tree.end();
    let Tree { commits, look_ups, retirements, .. } = tree;
    // What a changed log says of the manifest proves nothing.
    if found.is_whole() {
        check_commits(store, &commits, found)?;
        check_retired(store, look_ups, &retirements, found)?;
    }
    check_published(store, found)
}

/// The log as it is computed anew.
struct Tree<'a> {
    tiles: Tiles,
    root: Hash,
    /// By level, the hashes of the tile under way.
    edge: Vec<Vec<Hash>>,
    commits: Vec<(u64, CommitEntry)>,
    look_ups: u64,
    retirements: Vec<(u64, Hash)>,
    found: &'a mut Verified,
}

impl Tree<'_> {
    fn bundle(&mut self, index: u64) {
        let (Some(entries), Some(hashes)) =
            (self.tiles.name(Kind::Entries, index), self.tiles.name(Kind::Hashes(0), index))
        else {
            return;
        };
        let bytes = self.read(entries);
        let read = bytes.as_deref().and_then(bundle_entries).unwrap_or_default();
        if bytes.is_some() && read.len() as u64 != entries.width {
            self.fault(entries, Place::Whole, "it does not hold as many entries as it did");
        }
        let computed: Vec<Hash> = read.iter().map(|entry| leaf_hash(entry)).collect();
        let stored = self.read(hashes).unwrap_or_default();
        let stored = hashes_of(&stored).unwrap_or_default();
        let first = index * WIDTH;
        for (at, entry) in (first..).zip(&read) {
            match Entry::read(entry) {
                Some(Entry::Commit(commit)) => self.commits.push((at, commit)),
                Some(Entry::LookUp(_)) => self.look_ups += 1,
                Some(Entry::Retired(hidden)) => self.retirements.push((at, hidden)),
                Some(Entry::Silence(_) | Entry::Statement(_)) => {}
                None => self.fault(entries, Place::Entry { index: at }, "it is no entry"),
            }
        }
        if computed == stored && computed.len() as u64 == hashes.width {
            self.push(index, computed);
            return;
        }
        // One of the two is wrong; what lies above says which.
        let is_right = |tile: &[Hash]| self.is_right(index, tile);
        let (entries_right, hashes_right) = (is_right(&computed), is_right(stored));
        let differ = computed.iter().zip(stored).take_while(|(a, b)| a == b).count();
        let place = Place::Entry { index: first + differ as u64 };
        // One of another length has been told already.
        if !entries_right && computed.len() as u64 == entries.width {
            self.fault(entries, place.clone(), "it is not the entry that was logged");
        }
        if !hashes_right && stored.len() as u64 == hashes.width {
            self.fault(hashes, place, "it is not the hash that was logged");
        }
        self.push(index, if hashes_right { stored.to_vec() } else { computed });
    }

    /// Whether the hashes of a lowest tile fit what lies above: its parent, or at the edge the root.
    fn is_right(&self, index: u64, hashes: &[Hash]) -> bool {
        let whole = self.tiles.name(Kind::Hashes(0), index).is_some_and(|name| name.width == WIDTH);
        if !whole {
            let mut below = fold(hashes);
            for level in self.edge.iter().skip(1).filter(|level| !level.is_empty()) {
                let hashes: Vec<Hash> = level.iter().copied().chain([below]).collect();
                below = fold(&hashes);
            }
            return below == self.root;
        }
        let Some(parent) = self.tiles.name(Kind::Hashes(1), index / WIDTH) else { return false };
        let parents = self.tiles.hashes(parent).unwrap_or_default();
        parents.get((index % WIDTH) as usize) == Some(&fold(hashes))
    }

    /// Takes the hashes of a lowest tile, and compares each tile above as it is complete.
    fn push(&mut self, index: u64, lowest: Vec<Hash>) {
        let is_whole = lowest.len() as u64 == WIDTH;
        let mut hash = fold(&lowest);
        if self.edge.is_empty() {
            self.edge.push(Vec::new());
        }
        if let Some(first) = self.edge.first_mut() {
            *first = if is_whole { Vec::new() } else { lowest };
        }
        if !is_whole {
            return;
        }
        for level in 1_u8.. {
            let at = usize::from(level);
            if self.edge.len() == at {
                self.edge.push(Vec::new());
            }
            let Some(tile) = self.edge.get_mut(at) else { return };
            tile.push(hash);
            if (tile.len() as u64) < WIDTH {
                return;
            }
            let tile = std::mem::take(tile);
            hash = fold(&tile);
            let complete = Kind::Hashes(level).count((index + 1) * WIDTH) / WIDTH;
            self.compare(level, complete - 1, &tile);
        }
    }

    /// Compares a tile above the lowest with what was computed.
    fn compare(&mut self, level: u8, index: u64, computed: &[Hash]) {
        let Some(name) = self.tiles.name(Kind::Hashes(level), index) else { return };
        let Some(bytes) = self.read(name) else { return };
        let stored = hashes_of(&bytes).unwrap_or_default();
        if stored != computed {
            let same = computed.iter().zip(stored).take_while(|(a, b)| a == b).count() as u64;
            let place = Place::Hash { level, index: index * WIDTH + same };
            self.fault(name, place, "it is not the hash that was logged");
        }
    }

    /// The tiles at the edge, and the root.
    fn end(&mut self) {
        let edge = std::mem::take(&mut self.edge);
        let mut below: Option<Hash> = None;
        for (level, tile) in (0_u8..).zip(&edge) {
            if tile.is_empty() {
                continue;
            }
            if level > 0 {
                let index = Kind::Hashes(level).count(self.tiles.size()) / WIDTH;
                self.compare(level, index, tile);
            }
            let hashes: Vec<Hash> = tile.iter().copied().chain(below).collect();
            below = Some(fold(&hashes));
        }
        if below.unwrap_or_else(|| fold(&[])) != self.root {
            let file = PathBuf::from(CHECKPOINT);
            let what = What::Changed("the log's entries have another root than was signed");
            self.found.fault(Fault { file, place: Place::Checkpoint, what });
        }
    }

    /// The bytes of a tile; one of hashes that is not as long as it must be is told.
    fn read(&mut self, name: TileName) -> Option<Vec<u8>> {
        match self.tiles.bytes(name) {
            Ok(bytes) => {
                self.found.files += 1;
                self.found.bytes += bytes.len() as u64;
                let is_hashes = matches!(name.kind, Kind::Hashes(_));
                if is_hashes && bytes.len() as u64 != name.width * 32 {
                    self.fault(name, Place::Whole, "it is not as long as it was");
                }
                Some(bytes)
            }
            Err(error) => {
                let file = Path::new(PROOF).join(name.path());
                self.found.fault(Fault { file, place: Place::Whole, what: error.into() });
                None
            }
        }
    }

    fn fault(&mut self, name: TileName, place: Place, what: &'static str) {
        let file = Path::new(PROOF).join(name.path());
        self.found.fault(Fault { file, place, what: What::Changed(what) });
    }
}

/// Each commit's entry stands where the manifest says and says what the manifest says; the last one
/// fixes the manifest itself.
fn check_commits(store: &Store, logged: &[(u64, CommitEntry)], found: &mut Verified) -> Result<()> {
    let manifest = &store.manifest;
    let mut fault = |index: u64, what: &'static str| {
        let file = PathBuf::from(MANIFEST);
        found.fault(Fault { file, place: Place::Entry { index }, what: What::Changed(what) });
    };
    let commits = match manifest.all_commits(&store.folder, &store.ring) {
        Ok(commits) => commits,
        // The file of those commits is named with all the others.
        Err(error) if error.is_integrity() => return Ok(()),
        Err(error) => return Err(error),
    };
    if logged.len() != commits.len() || commits.len() as u64 != manifest.commit {
        fault(manifest.log.size, "it does not count as many commits as the log");
    }
    for (number, (commit, (index, entry))) in (1..).zip(commits.iter().zip(logged)) {
        let is_it = (entry.commit, entry.at, index + 1) == (number, commit.at, commit.size);
        if !is_it || entry.added != commit.added {
            fault(*index, "it names other files for this commit than were logged");
        }
    }
    if commits.is_empty() {
        return Ok(());
    }
    let last = logged.last().map(|(_, entry)| (entry.manifest, entry.rows));
    if last != Some((manifest.digest()?, manifest.rows)) {
        fault(manifest.log.size - 1, "it is not the manifest that was logged");
    }
    Ok(())
}

/// Every look-up of the log is in a segment or was retired, and what was retired says so in the log.
fn check_retired(
    store: &Store,
    look_ups: u64,
    logged: &[(u64, Hash)],
    found: &mut Verified,
) -> Result<()> {
    let manifest = &store.manifest;
    let file = PathBuf::from(MANIFEST);
    let mut gone = 0;
    let mut said = Vec::new();
    for retirement in &manifest.retired {
        let list = match store.retired_list(retirement) {
            Ok(list) => list,
            // The list is named among the files.
            Err(error) if error.is_integrity() => return Ok(()),
            Err(error) => return Err(error),
        };
        if retirement.what == Retired::LookUps {
            gone += list.len();
        }
        let nonce = from_hex(&retirement.nonce).unwrap_or_default();
        said.push((retirement.entry, sha256(&[&nonce, &retirement.canonical(&list)])));
    }
    if said != logged {
        let index = said.iter().zip(logged).find(|(a, b)| a != b).map_or(0, |(_, b)| b.0);
        let what = What::Changed("it says otherwise than the log what was retired");
        found.fault(Fault { file: file.clone(), place: Place::Entry { index }, what });
    }
    let held: u64 = manifest.segments.iter().map(|segment| segment.rows).sum();
    if held != manifest.rows || held + gone != look_ups {
        let what = What::Changed("look-ups of the log are neither in a segment nor retired");
        found.fault(Fault { file, place: Place::Whole, what });
    }
    Ok(())
}

/// What everybody sees is the last commit's checkpoint; after a crash, the one before.
fn check_published(store: &Store, found: &mut Verified) -> Result<()> {
    let verifier = format!("{}\n", store.signer()?.verifier());
    let checkpoint = store.last_checkpoint()?;
    let before = &store.manifest.log.before;
    for (name, right, before) in
        [(CHECKPOINT, &checkpoint, before), (VERIFIER, &verifier, &verifier)]
    {
        let what = match std::fs::read(store.folder.join(name)) {
            Ok(bytes) => {
                found.files += 1;
                found.bytes += bytes.len() as u64;
                if bytes == right.as_bytes() {
                    continue;
                }
                if bytes == before.as_bytes() {
                    found.published_late = true;
                    continue;
                }
                let signed = std::str::from_utf8(&bytes).map(|note| store.agrees_with(note));
                match signed {
                    Ok(Ok(Err(why))) if name == CHECKPOINT => What::Checkpoint(why),
                    Ok(Ok(Ok(_))) if name == CHECKPOINT => {
                        What::Changed("it is an older checkpoint than that of the last commit")
                    }
                    _ => What::Changed("it is not what was written"),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => What::Gone,
            Err(error) => What::Unreadable(error.to_string()),
        };
        found.fault(Fault { file: PathBuf::from(name), place: Place::Whole, what });
    }
    Ok(())
}
