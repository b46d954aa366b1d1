//! The log's files (C2SP tlog-tiles), and what is computed from them.
//!
//! A tile holds 256 neighbouring hashes of one level; each level's hashes are the roots of the whole
//! tiles below. Entries lie in bundles of 256, each behind its length in two bytes.

use super::hash::{Hash, fold, largest_power_below};
use crate::error::{Result, StoreError, named};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What a file of the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Entries,
    /// Of this level, counted in tiles: 0 holds the hashes of entries.
    Hashes(u8),
}

impl Kind {
    /// Levels that a log of any size can have, and its entries.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Entries).chain((0..LEVELS_MAX).map(Self::Hashes))
    }

    fn level(self) -> u8 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => level,
        }
    }

    /// Entries or hashes of this kind in a log of this size.
    pub(crate) fn count(self, size: u64) -> u64 {
        size >> (8 * u32::from(self.level()))
    }
}

/// One file of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TileName {
    pub(crate) kind: Kind,
    pub(crate) index: u64,
    /// 1 to 256, which is a whole tile.
    pub(crate) width: u64,
}

impl TileName {
    /// Below the folder of the log, such as `tile/0/x001/x234/067` or `tile/entries/005.p/12`.
    pub(crate) fn path(self) -> String {
        let stem = self.stem();
        if self.width == WIDTH { stem } else { format!("{stem}.p/{}", self.width) }
    }

    /// The folder of what there is of the tile before it is whole.
    pub(crate) fn partial_folder(self) -> String {
        format!("{}.p", self.stem())
    }

    fn stem(self) -> String {
        let mut path = format!("{:03}", self.index % 1_000);
        let mut rest = self.index / 1_000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1_000);
            rest /= 1_000;
        }
        match self.kind {
            Kind::Entries => format!("tile/entries/{path}"),
            Kind::Hashes(level) => format!("tile/{level}/{path}"),
        }
    }

    /// Reads what [`Self::path`] wrote; `None` for any other spelling.
    pub(crate) fn read(path: &str) -> Option<Self> {
        let (stem, width) = match path.split_once(".p/") {
            Some((stem, width)) => (stem, width.parse().ok()?),
            None => (path, WIDTH),
        };
        let (level, digits) = stem.strip_prefix("tile/")?.split_once('/')?;
        let kind = match level {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok()?),
        };
        let mut index = 0_u64;
        for part in digits.split('/') {
            let number: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
            index = index.checked_mul(1_000)?.checked_add(number)?;
        }
        let name = Self { kind, index, width };
        (name.path() == path).then_some(name)
    }
}

/// The log as it was at one size, read from its files.
#[derive(Debug)]
pub(crate) struct Tiles {
    folder: PathBuf,
    size: u64,
    read: RefCell<HashMap<(u8, u64), Vec<Hash>>>,
}

impl Tiles {
    pub(crate) fn new(store: &Path, size: u64) -> Self {
        Self { folder: store.join(PROOF), size, read: RefCell::default() }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The file that holds the tile at this size; `None` beyond the end.
    pub(crate) fn name(&self, kind: Kind, index: u64) -> Option<TileName> {
        let left = kind.count(self.size).checked_sub(index.checked_mul(WIDTH)?)?;
        (left > 0).then_some(TileName { kind, index, width: left.min(WIDTH) })
    }

    pub(crate) fn path(&self, name: TileName) -> PathBuf {
        self.folder.join(name.path())
    }

    /// The bytes of a tile. What was part of one may have become whole since.
    pub(crate) fn bytes(&self, name: TileName) -> Result<Vec<u8>> {
        let path = self.path(name);
        match read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && name.width < WIDTH => {
                let whole = self.path(TileName { width: WIDTH, ..name });
                read(&whole).map_err(|_| named(&path)(error))
            }
            read => read.map_err(named(&path)),
        }
    }

    pub(crate) fn hashes(&self, name: TileName) -> Result<Vec<Hash>> {
        let mut hashes = hashes_of(&self.bytes(name)?).unwrap_or_default().to_vec();
        if (hashes.len() as u64) < name.width {
            return Err(StoreError::damaged(&self.path(name), "it is shorter than it was"));
        }
        hashes.truncate(name.width as usize);
        Ok(hashes)
    }

    /// The bytes of one entry.
    pub(crate) fn entry(&self, index: u64) -> Result<Vec<u8>> {
        let missing = StoreError::TooMany { what: "entries of this log", max: self.size };
        let name = self.name(Kind::Entries, index / WIDTH).filter(|_| index < self.size);
        let name = name.ok_or(missing)?;
        let bundle = self.bytes(name)?;
        let entries = bundle_entries(&bundle).unwrap_or_default();
        let entry = entries.get((index % WIDTH) as usize);
        let damaged = || StoreError::damaged(&self.path(name), "an entry is cut");
        Ok(entry.ok_or_else(damaged)?.to_vec())
    }

    /// The root over the first `size` entries.
    pub(crate) fn root(&self, size: u64) -> Result<Hash> {
        if size == 0 { Ok(fold(&[])) } else { self.subtree(0, size) }
    }

    /// What leads from an entry's hash to the root (RFC 6962, section 2.1.1), from the leaf up.
    pub(crate) fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>> {
        let (mut from, mut to) = (0, size);
        let mut path = Vec::new();
        while to - from > 1 {
            let middle = from + largest_power_below(to - from);
            if index < middle {
                path.push(self.subtree(middle, to)?);
                to = middle;
            } else {
                path.push(self.subtree(from, middle)?);
                from = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// What shows that the first `old` entries of `size` are those of an older root (RFC 6962,
    /// section 2.1.2).
    pub(crate) fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>> {
        if old == 0 || old >= size {
            return Ok(Vec::new());
        }
        let (mut from, mut to) = (0, size);
        let mut proof = Vec::new();
        // INVARIANT: from < old <= to.
        while old < to {
            let middle = from + largest_power_below(to - from);
            if old <= middle {
                proof.push(self.subtree(middle, to)?);
                to = middle;
            } else {
                proof.push(self.subtree(from, middle)?);
                from = middle;
            }
        }
        if from > 0 {
            proof.push(self.subtree(from, to)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The root over entries `from` to `to`, as the tree has them.
    fn subtree(&self, from: u64, to: u64) -> Result<Hash> {
        let count = to - from;
        if count.is_power_of_two() {
            return self.node(count.trailing_zeros(), from >> count.trailing_zeros());
        }
        let middle = from + largest_power_below(count);
        Ok(fold(&[self.subtree(from, middle)?, self.subtree(middle, to)?]))
    }

    /// The root over a whole subtree of `2^height` entries.
    fn node(&self, height: u32, index: u64) -> Result<Hash> {
        let (level, within) = (height / 8, height % 8);
        let start = index << within;
        let missing = StoreError::TooMany { what: "entries of this log", max: self.size };
        let name = self.name(Kind::Hashes(level as u8), start / WIDTH).ok_or(missing)?;
        let mut read = self.read.borrow_mut();
        if read.len() > TILES_HELD_MAX {
            read.clear();
        }
        let tile = match read.entry((level as u8, name.index)) {
            Slot::Occupied(held) => held.into_mut(),
            Slot::Vacant(free) => free.insert(self.hashes(name)?),
        };
        let at = (start % WIDTH) as usize;
        let below = tile.get(at..at + (1 << within));
        let damaged = || StoreError::damaged(&self.path(name), "it is shorter than it was");
        Ok(fold(below.ok_or_else(damaged)?))
    }
}

/// A whole file that is most likely a tile or a bundle: asking for its length first would take as long
/// as reading it.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = vec![0; READ_BYTES];
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            bytes.resize(2 * filled, 0);
        }
        match file.read(bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The hashes of a tile; `None` if its bytes are no whole hashes.
pub(crate) fn hashes_of(bytes: &[u8]) -> Option<&[Hash]> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then_some(hashes)
}

/// The entries of a bundle; `None` if it is cut.
pub(crate) fn bundle_entries(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::with_capacity(WIDTH as usize);
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

/// The folder of the log.
pub(crate) const PROOF: &str = "proof";
/// Hashes or entries of a whole tile.
pub(crate) const WIDTH: u64 = 256;
/// A bundle of look-ups with some commits among them.
const READ_BYTES: usize = 9 << 10;
/// 256^6 entries are more than a region makes in a million years.
const LEVELS_MAX: u8 = 6;
/// 8 KB each.
const TILES_HELD_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let name = |kind, index, width| TileName { kind, index, width };
        let hashes = name(Kind::Hashes(0), 1_234_067, WIDTH);
        assert_eq!(hashes.path(), "tile/0/x001/x234/067");
        let partial = name(Kind::Entries, 5, 12);
        assert_eq!(partial.path(), "tile/entries/005.p/12");
        for name in
            [hashes, partial, name(Kind::Hashes(3), 999, 255), name(Kind::Entries, 1_000, WIDTH)]
        {
            assert_eq!(TileName::read(&name.path()), Some(name));
        }
        for bad in [
            "tile/0/1",
            "tile/00/001",
            "tile/0/x000/001",
            "tile/0/001.p/012",
            "tile/0/001.p/0x",
            "checkpoint",
        ] {
            assert_eq!(TileName::read(bad), None, "{bad}");
        }
    }

    /// The example of the specification: 70,000 entries.
    #[test]
    fn widths_follow_from_the_size() {
        let tiles = Tiles::new(Path::new("nowhere"), 70_000);
        let width = |kind, index| tiles.name(kind, index).map(|name| name.width);
        assert_eq!(width(Kind::Hashes(0), 272), Some(WIDTH));
        assert_eq!(width(Kind::Hashes(0), 273), Some(112));
        assert_eq!(width(Kind::Hashes(0), 274), None);
        assert_eq!((width(Kind::Hashes(1), 0), width(Kind::Hashes(1), 1)), (Some(WIDTH), Some(17)));
        assert_eq!((width(Kind::Hashes(2), 0), width(Kind::Hashes(3), 0)), (Some(1), None));
    }

    #[test]
    fn a_bundle_that_is_cut_is_none() {
        let bundle = [0, 2, 7, 8, 0, 0, 0, 1, 9];
        assert_eq!(bundle_entries(&bundle).unwrap(), [&[7, 8][..], &[], &[9]]);
        for end in [1, 2, 3, 5, 7, 8] {
            assert!(bundle_entries(&bundle[..end]).is_none(), "{end}");
        }
    }
}
