//! Every file: its digest, and if that differs, where.

use super::fault::{Fault, Place, What};
use super::{Depth, Verified};
use crate::asked;
use crate::error::Result;
use crate::format::FORMAT_FILE;
use crate::history::HISTORY;
use crate::index::{By, Index, Touches};
use crate::journal::{Journal, List};
use crate::keys::RING;
use crate::manifest::{MANIFEST, Named, Segment};
use crate::names::{DICTIONARY, Dictionary, Of};
use crate::proof::{
    CHECKPOINT, Entry, Kind, PROOF, TileName, Tiles, VERIFIER, WIDTH, bundle_entries, sha256,
};
use crate::reader::Store;
use crate::sealed::Sealed;
use crate::segment::{Part, damage};
use crate::state::STATE;
use crate::stretches::{PLACES, RETIRED, Stretches};
use crate::verdict;
use std::path::{Path, PathBuf};

pub(super) fn check(
    store: &Store,
    depth: Depth,
    found: &mut Verified,
    told: &mut dyn FnMut(u64, u64),
) {
    let names = match depth {
        Depth::LookUps => store.dictionary().ok(),
        Depth::Bytes => None,
    };
    let retired = if names.is_some() { all_retired(store) } else { Stretches::default() };
    let mut read = 0;
    told(read, store.manifest.rows);
    for segment in &store.manifest.segments {
        let before = found.faults.len() as u64 + found.more_faults;
        for (part, file) in [(Part::Rows, &segment.columns), (Part::Evidence, &segment.evidence)] {
            check_file(store, file, found, || in_segment(store, segment, part, file));
        }
        for (by, file) in By::ALL.into_iter().zip(&segment.index) {
            check_file(store, file, found, || in_sealed(store, file, by.sealed_as()));
        }
        if let Some(file) = &segment.places {
            check_file(store, file, found, || in_sealed(store, file, PLACES));
        }
        let is_good = |found: &Verified| found.faults.len() as u64 + found.more_faults == before;
        if let Some(names) = names.as_ref().filter(|_| is_good(found))
            && let Some(fault) = in_look_ups(store, segment, names, &retired)
        {
            found.fault(fault);
        }
        if is_good(found) {
            found.good_segments += 1;
            found.good_look_ups += segment.rows;
        }
        read += segment.rows;
        told(read, store.manifest.rows);
    }
    for file in &store.manifest.dictionaries {
        check_file(store, file, found, || in_sealed(store, file, DICTIONARY));
    }
    for held in &store.manifest.verdicts {
        check_file(store, &held.file, found, || in_sealed(store, &held.file, verdict::SEALED_AS));
    }
    for retirement in &store.manifest.retired {
        let file = &retirement.list;
        check_file(store, file, found, || in_sealed(store, file, RETIRED));
    }
    for part in &store.manifest.history {
        check_file(store, &part.file, found, || in_sealed(store, &part.file, HISTORY));
    }
    if let Some(file) = &store.manifest.state {
        check_file(store, file, found, || in_sealed(store, file, STATE));
    }
    for name in [MANIFEST, RING, FORMAT_FILE] {
        // Opening the store has read and authenticated them.
        let bytes = std::fs::metadata(store.folder.join(name)).map_or(0, |file| file.len());
        found.files += 1;
        found.bytes += bytes;
    }
    if depth == Depth::LookUps {
        check_said(store, found);
    }
    if let Err(error) = asked::left(&store.folder, &store.ring) {
        let named = error.path().and_then(|path| path.strip_prefix(&store.folder).ok());
        let file = named.unwrap_or(Path::new(asked::ASKED)).to_owned();
        found.fault(Fault { file, place: Place::Whole, what: error.into() });
    }
    for list in List::ALL {
        match Journal::check(&store.folder, list, &store.ring) {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                found.files += 1;
                found.bytes += bytes;
            }
            Err(error) => {
                let file = list.file().into();
                found.fault(Fault { file, place: Place::Whole, what: error.into() });
            }
        }
    }
    check_all_else(store, found);
}

/// Compares length and digest; only if they differ is the file looked into.
fn check_file(
    store: &Store,
    file: &Named,
    found: &mut Verified,
    locate: impl FnOnce() -> Option<(Place, What)>,
) {
    found.files += 1;
    found.bytes += file.bytes;
    let Err(error) = file.check(&store.folder) else { return };
    let what: What = error.into();
    let (place, what) = match what {
        What::Changed(_) => locate().unwrap_or((Place::Whole, what)),
        _ => (Place::Whole, what),
    };
    found.fault(Fault { file: (&file.name).into(), place, what });
}

/// The first part of a segment's file that does not open; if all do, whoever wrote it had the key,
/// and the first look-up that is not the logged one tells.
fn in_segment(store: &Store, segment: &Segment, part: Part, file: &Named) -> Option<(Place, What)> {
    let path = store.folder.join(&file.name);
    let key = store.ring.key(segment.key)?;
    match damage(&path, part, segment.number, key) {
        Err(error) => Some((Place::Whole, error.into())),
        Ok(Some(at)) => {
            let place = Place::Column {
                row_group: at.row_group,
                column: at.column,
                from: at.from,
                to: at.to,
            };
            Some((place, What::Changed("it is not what was written")))
        }
        Ok(None) => {
            let names = store.dictionary().ok()?;
            first_other_look_up(
                store,
                segment,
                &names,
                &all_retired(store),
                &mut Touches::default(),
            )
        }
    }
}

fn in_sealed(store: &Store, file: &Named, what: &'static [u8]) -> Option<(Place, What)> {
    match Sealed::open(&store.folder.join(&file.name), what, &store.ring) {
        Err(error) => Some((Place::Whole, error.into())),
        Ok(sealed) => sealed.first_damage().map(|(number, from, to)| {
            (Place::Block { number, from, to }, What::Changed("it is not what was written"))
        }),
    }
}

/// What the manifest keeps of silences and statements against their entries of the log.
fn check_said(store: &Store, found: &mut Verified) {
    let mut entries = Entries { tiles: store.tiles(), bundle: Vec::new(), from: u64::MAX };
    let Ok(names) = store.dictionary() else { return };
    let silences = store.manifest.silences.iter().map(|silence| {
        let name = names.of(Of::Source).known(silence.source).unwrap_or_default();
        (silence.entry, silence.logged(name))
    });
    let statements = store.manifest.statements.iter();
    for (index, entry) in silences.chain(statements.map(|said| (said.entry, said.logged()))) {
        if !entries.is(index, &entry).unwrap_or(false) {
            let what = What::Changed("it is not what was logged of a source");
            found.fault(Fault { file: MANIFEST.into(), place: Place::Entry { index }, what });
        }
    }
}

/// Every look-up of a segment against its entry of the log, and the index against the look-ups.
fn in_look_ups(
    store: &Store,
    segment: &Segment,
    names: &Dictionary,
    retired: &Stretches,
) -> Option<Fault> {
    let mut touches = Touches::default();
    if let Some((place, what)) = first_other_look_up(store, segment, names, retired, &mut touches) {
        return Some(Fault { file: (&segment.columns.name).into(), place, what });
    }
    By::ALL.into_iter().zip(&segment.index).find_map(|(by, file)| {
        let read = Index::open(&store.folder.join(&file.name), by, &store.ring);
        let what: What = match read.and_then(|read| read.is_of(&touches)) {
            Ok(true) => return None,
            Ok(false) => What::Changed("it is not the index of the look-ups that were logged"),
            Err(error) => error.into(),
        };
        Some(Fault { file: (&file.name).into(), place: Place::Whole, what })
    })
}

/// Entries that cannot be computed any more. A list that cannot be read is told by itself.
fn all_retired(store: &Store) -> Stretches {
    let lists = store.manifest.retired.iter().map(|retirement| store.retired_list(retirement));
    Stretches::any_of(&lists.filter_map(Result::ok).collect::<Vec<_>>())
}

/// The first look-up of a segment whose entry in the log is not made of it.
fn first_other_look_up(
    store: &Store,
    segment: &Segment,
    names: &Dictionary,
    retired: &Stretches,
    touches: &mut Touches,
) -> Option<(Place, What)> {
    let mut entries = Entries { tiles: store.tiles(), bundle: Vec::new(), from: u64::MAX };
    let mut canonical = Vec::new();
    let mut first = None;
    let places = match Stretches::of(&store.folder, &store.ring, segment) {
        Ok(places) => places,
        Err(error) => return Some((Place::Whole, error.into())),
    };
    let read = store.segment(segment, true).and_then(|reader| {
        reader.each_with_evidence(|row, look_up, evidence| {
            touches.push(&look_up.look_up());
            look_up.canonical(evidence, look_up.names(evidence, names), &mut canonical);
            let hidden = sha256(&[&evidence.nonce, &canonical]);
            let entry = places.at(row).unwrap_or(u64::MAX);
            if retired.place(entry).is_some() {
                return Ok(());
            }
            if first.is_none() && !entries.is(entry, &Entry::LookUp(hidden))? {
                first = Some(Place::Row { row, entry });
            }
            Ok(())
        })
    });
    if let Err(error) = read {
        return Some((Place::Whole, error.into()));
    }
    first.map(|place| (place, What::Changed("it is not the look-up that was logged")))
}

/// Entries one after another, a bundle at a time.
struct Entries {
    tiles: Tiles,
    bundle: Vec<Vec<u8>>,
    from: u64,
}

impl Entries {
    fn is(&mut self, index: u64, entry: &Entry) -> Result<bool> {
        if index.checked_sub(self.from).is_none_or(|at| at >= WIDTH) {
            self.from = index - index % WIDTH;
            let name = self.tiles.name(Kind::Entries, index / WIDTH);
            let bytes = name.map(|name| self.tiles.bytes(name)).transpose()?.unwrap_or_default();
            let read = bundle_entries(&bytes).unwrap_or_default();
            self.bundle = read.into_iter().map(<[u8]>::to_vec).collect();
        }
        let held = self.bundle.get((index - self.from) as usize);
        Ok(held.is_some_and(|held| *held == entry.bytes()))
    }
}

/// Whatever else lies in the folder: what there was of the log's tiles before, and strangers.
fn check_all_else(store: &Store, found: &mut Verified) {
    let manifest = &store.manifest;
    let mut known = manifest.names();
    known.extend([MANIFEST, RING, FORMAT_FILE, CHECKPOINT, VERIFIER, LOCK]);
    known.extend(List::ALL.into_iter().flat_map(|list| [list.file(), list.lock()]));
    let tiles = store.tiles();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(store.folder.join(&folder)) else { continue };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
                continue;
            }
            let tile =
                path.strip_prefix(PROOF).ok().and_then(Path::to_str).and_then(TileName::read);
            let is_known = match tile {
                Some(tile) => check_earlier(&tiles, tile, &path, found),
                None => path.to_str().is_some_and(|path| known.contains(path)),
            };
            if !is_known && !path.starts_with(asked::ASKED) {
                found.strangers.push(path);
            }
        }
    }
    found.strangers.sort();
}

/// A tile as of an earlier size must begin the one of today. False if it lies beyond the log.
fn check_earlier(tiles: &Tiles, tile: TileName, path: &Path, found: &mut Verified) -> bool {
    let Some(now) = tiles.name(tile.kind, tile.index) else { return false };
    if tile.width >= now.width {
        return tile.width == now.width;
    }
    let what = match (tiles.bytes(tile), tiles.bytes(now)) {
        (Ok(then), Ok(now)) => {
            found.files += 1;
            found.bytes += then.len() as u64;
            let is_whole = match tile.kind {
                Kind::Hashes(_) => then.len() as u64 == tile.width * 32,
                Kind::Entries => {
                    bundle_entries(&then).is_some_and(|all| all.len() as u64 == tile.width)
                }
            };
            if is_whole && now.starts_with(&then) {
                return true;
            }
            What::Changed("it does not begin what the log holds today")
        }
        (Err(error), _) => error.into(),
        // Today's tile is missing, which has been said.
        (_, Err(_)) => return true,
    };
    found.fault(Fault { file: path.to_owned(), place: Place::Whole, what });
    true
}

const LOCK: &str = "lock";
