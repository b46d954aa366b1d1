//! The acts on cases, and those of the house: sealed lists that only grow, beside the look-ups.
//!
//! ```text
//! "bavncase" (or "bavnhous") | salt, 16 bytes        in clear, and the salt part of the key
//! length, 4 bytes | nonce, 12 bytes | sealed | tag   AES-256-GCM; the number of the entry is checked
//! ...
//! ```
//! An entry that a crash cut short never happened; one that is whole and does not open was changed.
//! Entries that belong together are one, so that they are kept or absent together. That entries were
//! cut off at the end shows only to who knew them: that is for the store's proof.

use crate::error::{Result, StoreError, io, named};
use crate::files::{self, sync_folder};
use crate::format::check_format;
use crate::keys::{Chance, Kek, KeyRing, RING, STORE_KEY, file_key, random};
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// A journal of a store, read up to some entry. Several processes may hold one.
#[derive(Debug)]
pub struct Journal {
    of: List,
    path: PathBuf,
    folder: PathBuf,
    file: File,
    key: LessSafeKey,
    controller: String,
    entries: u64,
    /// Where the next entry begins.
    end: u64,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// What is done to cases.
    Cases,
    /// Settings, runs, and what else concerns no case.
    House,
}

impl List {
    pub(crate) const ALL: [Self; 2] = [Self::Cases, Self::House];

    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Cases => "cases.db",
            Self::House => "house.db",
        }
    }

    pub(crate) const fn lock(self) -> &'static str {
        match self {
            Self::Cases => "cases.lock",
            Self::House => "house.lock",
        }
    }

    const fn magic(self) -> &'static [u8; MAGIC_BYTES] {
        match self {
            Self::Cases => b"bavncase",
            Self::House => b"bavnhous",
        }
    }

    const fn sealed_as(self) -> &'static [u8] {
        match self {
            Self::Cases => b"bavn cases 1",
            Self::House => b"bavn house 1",
        }
    }
}

impl Journal {
    /// Opens a journal of a store, and makes it if it is not there.
    pub fn open(store: &Path, of: List, kek: &Kek, chance: &mut Chance) -> Result<Self> {
        check_format(store)?;
        let ring = KeyRing::open(&store.join(RING), kek)?;
        let path = store.join(of.file());
        if !path.exists() {
            let _lock = lock(store, of)?;
            if !path.exists() {
                let salt: [u8; SALT_BYTES] = random(chance)?;
                files::replace(&path, &[&of.magic()[..], &salt].concat())?;
                sync_folder(store)?;
            }
        }
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(named(&path))?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(named(&path))?;
        let (magic, salt) = header.split_at(MAGIC_BYTES);
        if magic != of.magic() {
            return Err(StoreError::damaged(&path, "it does not begin as a journal of its kind"));
        }
        let missing = StoreError::Library { doing: "finding the store's key" };
        let key = file_key(ring.key(STORE_KEY).ok_or(missing)?, salt, of.sealed_as())?;
        let (folder, controller) = (store.to_owned(), ring.controller().to_owned());
        let end = HEADER_BYTES as u64;
        Ok(Self { of, path, folder, file, key, controller, entries: 0, end })
    }

    /// Whose cases these are.
    pub fn controller(&self) -> &str {
        &self.controller
    }

    /// The entries that were added since the last call, by whomever.
    pub fn news(&mut self) -> Result<Vec<Vec<u8>>> {
        let mut news = Vec::new();
        while let Some((entry, end)) = self.next()? {
            news.push(entry);
            (self.end, self.entries) = (end, self.entries + 1);
        }
        Ok(news)
    }

    /// Lets `decide` see what is new while nobody else can add, and adds what it gives as one entry,
    /// durably, before it returns. `decide` may give nothing.
    pub fn add<T>(
        &mut self,
        chance: &mut Chance,
        decide: impl FnOnce(Vec<Vec<u8>>) -> (Option<Vec<u8>>, T),
    ) -> Result<T> {
        let _lock = lock(&self.folder, self.of)?;
        let (entry, told) = decide(self.news()?);
        let Some(entry) = entry else { return Ok(told) };
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(StoreError::TooMany {
                what: "bytes in one act",
                max: ENTRY_BYTES_MAX as u64,
            });
        }
        let nonce: [u8; NONCE_LEN] = random(chance)?;
        let mut sealed = entry;
        let aad = aad(self.of, self.entries);
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&aad),
                &mut sealed,
            )
            .map_err(|_| StoreError::Library { doing: "sealing" })?;
        let written = [&(sealed.len() as u32).to_le_bytes()[..], &nonce, &sealed].concat();
        let failed = |error| io(&self.path, "written")(error);
        // What a crash left behind the last whole entry is overwritten, and cut if it was longer.
        self.file.set_len(self.end).map_err(failed)?;
        self.file.write_all_at(&written, self.end).map_err(failed)?;
        self.file.sync_all().map_err(failed)?;
        self.end += written.len() as u64;
        self.entries += 1;
        Ok(told)
    }

    /// The entry at the end of what was read, and where it ends; none if it is not whole.
    fn next(&self) -> Result<Option<(Vec<u8>, u64)>> {
        let length = self.file.metadata().map_err(named(&self.path))?.len();
        let rest = length.saturating_sub(self.end);
        let mut head = [0; ENTRY_HEAD_BYTES];
        if rest < head.len() as u64 {
            return Ok(None);
        }
        self.file.read_exact_at(&mut head, self.end).map_err(named(&self.path))?;
        let (bytes, nonce) = head.split_at(4);
        let damaged = || StoreError::damaged(&self.path, "an act is not what was written");
        let bytes = bytes.try_into().map(u32::from_le_bytes).map_err(|_| damaged())?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| damaged())?;
        if bytes as usize > ENTRY_BYTES_MAX + TAG_BYTES_MAX {
            return Err(damaged());
        }
        let begin = self.end + head.len() as u64;
        if rest < head.len() as u64 + u64::from(bytes) {
            return Ok(None);
        }
        let mut sealed = vec![0; bytes as usize];
        self.file.read_exact_at(&mut sealed, begin).map_err(named(&self.path))?;
        let aad = aad(self.of, self.entries);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self.key.open_in_place(nonce, Aad::from(&aad), &mut sealed);
        let plain = plain.map_err(|_| damaged())?.to_vec();
        Ok(Some((plain, begin + u64::from(bytes))))
    }
}

/// What the tag covers besides: which file it is, and the place in it.
fn aad(of: List, number: u64) -> Vec<u8> {
    [of.sealed_as(), &number.to_be_bytes()].concat()
}

/// Held while something is added: seldom, and for milliseconds.
fn lock(store: &Path, of: List) -> Result<File> {
    let path = store.join(of.lock());
    let file = File::create(&path).map_err(io(&path, "written"))?;
    file.lock().map_err(io(&path, "locked"))?;
    Ok(file)
}

const MAGIC_BYTES: usize = 8;
const SALT_BYTES: usize = 16;
const HEADER_BYTES: usize = MAGIC_BYTES + SALT_BYTES;
const ENTRY_HEAD_BYTES: usize = 4 + NONCE_LEN;
const TAG_BYTES_MAX: usize = 16;
/// Of what is added at once; an alarm of the largest kind has a tenth of it.
const ENTRY_BYTES_MAX: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::Writer;

    fn chance() -> Box<Chance> {
        let mut next = 0_u8;
        Box::new(move |bytes| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(1);
            }
            true
        })
    }

    fn kek() -> Kek {
        Kek::read(&[7; 32]).unwrap()
    }

    fn store() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        drop(Writer::open(folder.path(), "north", kek(), chance()).unwrap());
        folder
    }

    fn add(journal: &mut Journal, entry: &[u8]) -> usize {
        journal.add(&mut *chance(), |news| (Some(entry.to_vec()), news.len())).unwrap()
    }

    #[test]
    fn two_who_write_see_each_other_and_nothing_lies_in_clear() {
        let folder = store();
        let mut one = Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
        let mut two = Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
        add(&mut one, b"kari decides about Practitioner/77");
        assert_eq!(add(&mut two, b"ola"), 1, "the second sees the first before it adds");
        assert_eq!(one.news().unwrap(), [b"ola"]);
        let bytes = std::fs::read(folder.path().join(List::Cases.file())).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"kari" || window == b"Prac"));
        assert!(
            Journal::open(
                folder.path(),
                List::Cases,
                &Kek::read(&[8; 32]).unwrap(),
                &mut *chance()
            )
            .is_err()
        );
    }

    #[test]
    fn one_list_cannot_be_passed_off_as_the_other() {
        let folder = store();
        let mut cases = Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
        add(&mut cases, b"a verdict");
        let mut bytes = std::fs::read(folder.path().join(List::Cases.file())).unwrap();
        bytes[..MAGIC_BYTES].copy_from_slice(List::House.magic());
        std::fs::write(folder.path().join(List::House.file()), bytes).unwrap();
        let mut house = Journal::open(folder.path(), List::House, &kek(), &mut *chance()).unwrap();
        assert!(house.news().unwrap_err().is_integrity());
    }

    #[test]
    fn an_act_is_kept_whole_or_absent_wherever_a_crash_cuts() {
        let folder = store();
        let path = folder.path().join(List::Cases.file());
        let mut journal =
            Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
        add(&mut journal, b"first");
        let kept = std::fs::metadata(&path).unwrap().len() as usize;
        add(&mut journal, b"second, a verdict");
        let whole = std::fs::read(&path).unwrap();
        for cut in kept..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut again =
                Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
            assert_eq!(again.news().unwrap(), [b"first"], "cut at {cut}");
            add(&mut again, b"x");
            let mut again =
                Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
            assert_eq!(again.news().unwrap(), [&b"first"[..], b"x"], "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_never_gives_an_act_that_was_not_written() {
        let folder = store();
        let path = folder.path().join(List::Cases.file());
        let mut journal =
            Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
        for entry in [&b"first"[..], b"second", b"third"] {
            add(&mut journal, entry);
        }
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            let told = Journal::open(folder.path(), List::Cases, &kek(), &mut *chance())
                .and_then(|mut journal| journal.news());
            match told {
                Err(error) => assert!(error.is_integrity(), "byte {at}: {error}"),
                // Only a length that grew past the end looks like an entry that was cut.
                Ok(news) => {
                    assert!(news.len() < 3, "byte {at}");
                    let known = [&b"first"[..], b"second", b"third"];
                    assert!(news.iter().zip(known).all(|(a, b)| a == b), "byte {at}");
                }
            }
        }
    }
}
