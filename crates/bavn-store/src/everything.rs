//! What would somebody read who has the folder and the key?
//!
//! For whoever must be sure that something is in no file of a store any more: every file is opened, named by
//! the commit in force or not.

use crate::asked;
use crate::error::Result;
use crate::history::HISTORY;
use crate::index::By;
use crate::journal;
use crate::keys::{Kek, KeyRing, RING};
use crate::names::DICTIONARY;
use crate::sealed::Sealed;
use crate::segment::SegmentReader;
use crate::stretches::{PLACES, RETIRED};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// All that the files of a store hold once they are opened, one after another, ids in hexadecimal digits.
pub fn everything(store: &Path, kek: &Kek) -> Result<Vec<u8>> {
    let ring = KeyRing::open(&store.join(RING), kek)?;
    let mut all = Vec::new();
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                put_sealed(&path, &ring, &mut all);
                put_segment(&path, &ring, &mut all);
            }
        }
    }
    if let Ok(Some((entries, _))) = journal::entries(store, &ring) {
        all.extend(entries.concat());
    }
    Ok(all)
}

fn put_sealed(path: &Path, ring: &KeyRing, all: &mut Vec<u8>) {
    let index = By::ALL.map(By::sealed_as);
    let others = [
        DICTIONARY,
        HISTORY,
        PLACES,
        RETIRED,
        asked::SEALED_AS,
        asked::SAID_SEALED_AS,
        crate::manifest::SEALED_AS,
    ];
    for what in index.into_iter().chain(others) {
        let Ok(file) = Sealed::open(path, what, ring) else { continue };
        all.extend_from_slice(file.head());
        for number in 0..file.blocks() {
            all.extend(file.block(number).unwrap_or_default());
        }
    }
}

/// A segment's rows lie beside what the source said of them.
fn put_segment(path: &Path, ring: &KeyRing, all: &mut Vec<u8>) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(number) = name.strip_suffix(".rows.parquet") else { return };
    let evidence: PathBuf = path.with_file_name(format!("{number}.evidence.parquet"));
    let Ok(number) = number.parse() else { return };
    for key in ring.all() {
        let Ok(reader) = SegmentReader::open(path, Some(&evidence), number, key) else { continue };
        // What opens in part is told in part.
        let _told = reader.each_with_evidence(|_, row, said| {
            let _never = write!(all, "{row:?} {:032x} {:?}", said.id, said.query);
            all.extend_from_slice(said.original.as_deref().unwrap_or_default());
            Ok(())
        });
    }
}
