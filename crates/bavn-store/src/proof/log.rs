//! Adding to the log.
//!
//! What is written lies beyond the size that the last commit names, so it does not exist until the
//! next one does: no file that a commit names is ever written again.

use super::entry::Entry;
use super::hash::{Hash, fold, leaf_hash, sha256};
use super::note::{CHECKPOINT, Signer};
use super::tiles::{Kind, PROOF, TileName, Tiles, WIDTH, bundle_entries};
use crate::error::{Result, StoreError, io};
use crate::files;
use crate::keys::KEY_BYTES;
use std::path::{Path, PathBuf};

/// The right edge of the log: what is not yet in whole tiles.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    /// Entries of the last commit.
    committed: u64,
    size: u64,
    /// By level, the hashes of the tile that is not whole.
    edge: Vec<Vec<Hash>>,
    /// Entries of the bundle that is not whole.
    bundle: Vec<u8>,
}

impl Log {
    /// Opens the log as a commit left it, and clears away what came after that.
    pub(crate) fn open(store: &Path, size: u64, root: &Hash) -> Result<Self> {
        let tiles = Tiles::new(store, size);
        let mut log = Self {
            folder: store.join(PROOF),
            committed: size,
            size,
            edge: Vec::new(),
            bundle: Vec::new(),
        };
        for kind in Kind::all() {
            let Some(name) = tiles.name(kind, kind.count(size) / WIDTH) else {
                if let Kind::Hashes(_) = kind {
                    log.edge.push(Vec::new());
                }
                continue;
            };
            log.sweep(name)?;
            match kind {
                Kind::Entries => log.bundle = log.open_bundle(&tiles, name)?,
                Kind::Hashes(_) => log.edge.push(tiles.hashes(name)?),
            }
        }
        let is_it = log.root() == *root;
        let checkpoint = store.join(CHECKPOINT);
        let wrong = || StoreError::damaged(&checkpoint, "the log beside it has another root");
        is_it.then_some(log).ok_or_else(wrong)
    }

    fn open_bundle(&self, tiles: &Tiles, name: TileName) -> Result<Vec<u8>> {
        let mut bundle = tiles.bytes(name)?;
        let damaged = || StoreError::damaged(&self.folder.join(name.path()), "it is cut");
        let is_whole = |entries: &Vec<&[u8]>| entries.len() as u64 >= name.width;
        let entries = bundle_entries(&bundle).filter(is_whole).ok_or_else(damaged)?;
        let bytes = entries.iter().take(name.width as usize).map(|entry| entry.len() + 2).sum();
        bundle.truncate(bytes);
        Ok(bundle)
    }

    /// Removes what an interrupted commit wrote of the tile that comes next.
    fn sweep(&self, name: TileName) -> Result<()> {
        let folder = self.folder.join(name.partial_folder());
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) };
        for entry in entries {
            let entry = entry.map_err(io(&folder, "read"))?;
            let width: Option<u64> = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if width.is_none_or(|width| width > name.width) {
                std::fs::remove_file(entry.path()).map_err(io(&folder, "written"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The root over all entries so far.
    pub(crate) fn root(&self) -> Hash {
        let mut below: Option<Hash> = None;
        for level in &self.edge {
            if !level.is_empty() {
                let hashes: Vec<Hash> = level.iter().copied().chain(below).collect();
                below = Some(fold(&hashes));
            }
        }
        below.unwrap_or_else(|| fold(&[]))
    }

    /// Adds an entry; tiles that become whole are written at once.
    pub(crate) fn append(&mut self, entry: &[u8]) -> Result<()> {
        let failed = StoreError::TooMany { what: "bytes of an entry", max: u64::from(u16::MAX) };
        let length = u16::try_from(entry.len()).map_err(|_| failed)?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let index = self.size / WIDTH;
        self.size += 1;
        if self.size.is_multiple_of(WIDTH) {
            let bundle = std::mem::take(&mut self.bundle);
            self.write(TileName { kind: Kind::Entries, index, width: WIDTH }, &bundle)?;
        }
        let mut hash = leaf_hash(entry);
        let folder = self.folder.clone();
        for (level, tile) in (0_u8..).zip(&mut self.edge) {
            tile.push(hash);
            if (tile.len() as u64) < WIDTH {
                return Ok(());
            }
            hash = fold(tile);
            let index = Kind::Hashes(level).count(self.size) / WIDTH - 1;
            let name = TileName { kind: Kind::Hashes(level), index, width: WIDTH };
            write_new(&folder, self.committed, name, tile.as_flattened())?;
            tile.clear();
        }
        Err(StoreError::TooMany { what: "entries in the log", max: 1 << 48 })
    }

    /// Writes what there is of the tiles that are not whole.
    pub(crate) fn write_edge(&self) -> Result<()> {
        let partial =
            |kind: Kind, width: u64| TileName { kind, index: kind.count(self.size) / WIDTH, width };
        if !self.bundle.is_empty() {
            self.write(partial(Kind::Entries, self.size % WIDTH), &self.bundle)?;
        }
        for (level, tile) in (0_u8..).zip(&self.edge) {
            if !tile.is_empty() {
                let name = partial(Kind::Hashes(level), tile.len() as u64);
                self.write(name, tile.as_flattened())?;
            }
        }
        Ok(())
    }

    fn write(&self, name: TileName, bytes: &[u8]) -> Result<()> {
        write_new(&self.folder, self.committed, name, bytes)
    }

    /// After a commit: what there was of tiles that have become whole is no longer needed.
    pub(crate) fn committed(&mut self) -> Result<()> {
        let before = std::mem::replace(&mut self.committed, self.size);
        for kind in Kind::all() {
            let index = kind.count(before) / WIDTH;
            if kind.count(self.size) / WIDTH > index {
                let name = TileName { kind, index, width: WIDTH };
                remove(&self.folder.join(name.partial_folder()))?;
            }
        }
        Ok(())
    }
}

/// What `bavn bench verify` times: a log by itself, each batch durable and signed for before the next.
pub fn append_batches(store: &Path, batches: u64, entries_a_batch: u64) -> Result<()> {
    let signer = Signer::new("bench", &[0; KEY_BYTES])?;
    let mut log = Log::open(store, 0, &fold(&[]))?;
    for _ in 0..batches {
        for _ in 0..entries_a_batch {
            let hidden = sha256(&[&log.size().to_be_bytes()]);
            log.append(&Entry::LookUp(hidden).bytes())?;
        }
        log.write_edge()?;
        files::sync_all(store)?;
        let checkpoint = signer.sign(log.size(), &log.root());
        files::replace(&store.join(CHECKPOINT), checkpoint.as_bytes())?;
        log.committed()?;
    }
    Ok(())
}

/// Writes a file unless the last commit named it already.
fn write_new(folder: &Path, committed: u64, name: TileName, bytes: &[u8]) -> Result<()> {
    let before = name.kind.count(committed).saturating_sub(name.index * WIDTH);
    if before >= name.width {
        return Ok(());
    }
    if before == 0 {
        // What an interrupted commit left of this tile is of other entries.
        remove(&folder.join(name.partial_folder()))?;
    }
    write(&folder.join(name.path()), bytes)
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io(folder, "removed")(error))
        }
        _ => Ok(()),
    }
}

/// Durable with the rest of the commit.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    match std::fs::write(path, bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            std::fs::create_dir_all(folder).map_err(io(folder, "made"))?;
            std::fs::write(path, bytes).map_err(io(path, "written"))
        }
        written => written.map_err(io(path, "written")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof};
    use sha2::Sha256;
    use sha2::digest::Output;

    fn entry(number: u64) -> Vec<u8> {
        format!("entry {number}").into_bytes()
    }

    /// Appends up to `size` in one commit.
    fn commit(log: &mut Log, size: u64) -> Hash {
        while log.size() < size {
            log.append(&entry(log.size())).unwrap();
        }
        log.write_edge().unwrap();
        log.committed().unwrap();
        log.root()
    }

    /// A commit that never came into force may have ended in a tile that the next one goes beyond.
    #[test]
    fn no_part_of_a_tile_stays_of_entries_that_were_never_committed() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path(), 0, &fold(&[])).unwrap();
        let root = commit(&mut log, 300);
        for beyond in [520, 800, 1_100] {
            let mut lost = Log::open(folder.path(), 300, &root).unwrap();
            while lost.size() < beyond {
                lost.append(b"lost").unwrap();
            }
            lost.write_edge().unwrap();
        }
        let mut log = Log::open(folder.path(), 300, &root).unwrap();
        commit(&mut log, 2_000);
        for kind in [Kind::Entries, Kind::Hashes(0)] {
            for index in 2..2_000 / WIDTH {
                let name = TileName { kind, index, width: WIDTH };
                assert!(!folder.path().join(PROOF).join(name.partial_folder()).exists());
            }
        }
    }

    fn digests(proof: &[Hash]) -> Vec<Output<Sha256>> {
        proof.iter().map(|hash| Output::<Sha256>::from(*hash)).collect()
    }

    #[test]
    fn proofs_from_tiles_are_those_of_another_implementation() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path(), 0, &fold(&[])).unwrap();
        let mut other: MemoryBackedTree<Sha256, Vec<u8>> = MemoryBackedTree::new();
        let mut older = Vec::new();
        for size in [1, 2, 3, 100, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 66_000] {
            let root = commit(&mut log, size);
            while other.len() < size {
                other.push(entry(other.len()));
            }
            assert_eq!(root.as_slice(), other.root().as_bytes().as_slice(), "{size}");
            let tiles = Tiles::new(folder.path(), size);
            assert_eq!(tiles.root(size).unwrap(), root);
            for index in [0, size / 3, size / 2, size - 1] {
                assert_eq!(tiles.entry(index).unwrap(), entry(index));
                let proof = digests(&tiles.inclusion(index, size).unwrap());
                let proof = InclusionProof::<Sha256>::from_digests(&proof);
                other.root().verify_inclusion(&entry(index), index, &proof).unwrap();
            }
            for (before, then) in &older {
                let proof = digests(&tiles.consistency(*before, size).unwrap());
                let proof = ConsistencyProof::<Sha256>::from_digests(&proof);
                other.root().verify_consistency(then, &proof).unwrap();
            }
            older.push((size, other.root()));
            log = Log::open(folder.path(), size, &root).unwrap();
        }
        assert!(Log::open(folder.path(), 66_000, &[0; 32]).unwrap_err().is_integrity());
    }

    /// A commit that was cut off leaves whole and part tiles of entries that never were.
    #[test]
    fn what_an_interrupted_commit_wrote_is_as_if_it_were_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path(), 0, &fold(&[])).unwrap();
        let root = commit(&mut log, 250);
        let mut lost = log.clone();
        for number in 0..600 {
            lost.append(format!("never {number}").as_bytes()).unwrap();
        }
        lost.write_edge().unwrap();
        let mut again = Log::open(folder.path(), 250, &root).unwrap();
        let root = commit(&mut again, 252);
        let names = || std::fs::read_dir(folder.path().join("proof/tile/0/000.p")).unwrap().count();
        assert_eq!((Tiles::new(folder.path(), 252).root(252).unwrap(), names()), (root, 2));
        let root = commit(&mut again, 900);
        assert_eq!(Tiles::new(folder.path(), 900).root(900).unwrap(), root);
        let partial = folder.path().join("proof/tile/0/003.p");
        assert_eq!(std::fs::read_dir(partial).unwrap().count(), 1);
        assert!(!folder.path().join("proof/tile/0/000.p").exists());
    }
}
