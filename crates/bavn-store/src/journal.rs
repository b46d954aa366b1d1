//! The acts on cases, those of the house, and alarms not yet told: sealed lists that only grow, beside
//! the look-ups.
//!
//! ```text
//! "bavncase" ("bavnhous", "bavnalrm") | salt, 16 bytes        in clear, and the salt part of the key
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
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// A journal of a store, read up to some entry. Several processes may hold one.
#[derive(Debug)]
pub struct Journal {
    of: List,
    path: PathBuf,
    folder: PathBuf,
    ring: KeyRing,
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
    /// Alarms that are not told until the employees' side agrees.
    Alarms,
}

impl List {
    pub(crate) const ALL: [Self; 3] = [Self::Cases, Self::House, Self::Alarms];

    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Cases => "cases.db",
            Self::House => "house.db",
            Self::Alarms => "alarms.db",
        }
    }

    pub(crate) const fn lock(self) -> &'static str {
        match self {
            Self::Cases => "cases.lock",
            Self::House => "house.lock",
            Self::Alarms => "alarms.lock",
        }
    }

    const fn magic(self) -> &'static [u8; MAGIC_BYTES] {
        match self {
            Self::Cases => b"bavncase",
            Self::House => b"bavnhous",
            Self::Alarms => b"bavnalrm",
        }
    }

    const fn sealed_as(self) -> &'static [u8] {
        match self {
            Self::Cases => b"bavn cases 1",
            Self::House => b"bavn house 1",
            Self::Alarms => b"bavn alarms 1",
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
                let (header, _) = begin(of, &ring, chance)?;
                files::replace(&path, &header)?;
                sync_folder(store)?;
            }
        }
        let (file, key) = opened(of, &path, &ring)?;
        let (folder, controller) = (store.to_owned(), ring.controller().to_owned());
        let end = HEADER_BYTES as u64;
        Ok(Self { of, path, folder, ring, file, key, controller, entries: 0, end })
    }

    /// Whose cases these are.
    pub fn controller(&self) -> &str {
        &self.controller
    }

    /// The entries that were added since the last call, by whomever.
    pub fn news(&mut self) -> Result<Vec<Vec<u8>>> {
        self.follow()?;
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
        let written = sealed(self.of, &self.key, self.entries, entry, chance)?;
        let failed = |error| io(&self.path, "written")(error);
        // What a crash left behind the last whole entry is overwritten, and cut if it was longer.
        self.file.set_len(self.end).map_err(failed)?;
        let written_whole =
            self.file.write_all_at(&written, self.end).and_then(|()| self.file.sync_all());
        if let Err(error) = written_whole {
            // What was refused must not turn up later. If this fails too, it is cut or whole, and the
            // next who adds sees which.
            self.file.set_len(self.end).unwrap_or_default();
            return Err(failed(error));
        }
        self.end += written.len() as u64;
        self.entries += 1;
        Ok(told)
    }

    /// Writes every entry anew as `change` gives it, in the place of the file before, which is gone then.
    /// There are as many entries as before: whoever holds the journal goes on behind what he has read.
    pub fn rewrite(
        &mut self,
        chance: &mut Chance,
        mut change: impl FnMut(Vec<u8>) -> Vec<u8>,
    ) -> Result<()> {
        let _lock = lock(&self.folder, self.of)?;
        self.follow()?;
        (self.entries, self.end) = (0, HEADER_BYTES as u64);
        let (before, mut is_changed) = (self.news()?, false);
        let (mut bytes, key) = begin(self.of, &self.ring, chance)?;
        for (number, entry) in (0..).zip(before) {
            let after = change(entry.clone());
            is_changed |= after != entry;
            bytes.extend(sealed(self.of, &key, number, after, chance)?);
        }
        if is_changed {
            files::replace(&self.path, &bytes)?;
            self.follow()?;
        }
        Ok(())
    }

    /// Opens the file that lies there now, if another process has written it anew.
    fn follow(&mut self) -> Result<()> {
        let (held, now) = (self.file.metadata(), std::fs::metadata(&self.path));
        let (held, now) = (held.map_err(named(&self.path))?, now.map_err(named(&self.path))?);
        if (held.dev(), held.ino()) == (now.dev(), now.ino()) {
            return Ok(());
        }
        (self.file, self.key) = opened(self.of, &self.path, &self.ring)?;
        self.end = HEADER_BYTES as u64;
        for _ in 0..std::mem::take(&mut self.entries) {
            let damaged = || StoreError::damaged(&self.path, "it holds fewer acts than before");
            let (_, end) = self.next()?.ok_or_else(damaged)?;
            (self.end, self.entries) = (end, self.entries + 1);
        }
        Ok(())
    }

    /// Reads every act of a store's journal, if it has one. Returns its bytes.
    pub(crate) fn check(store: &Path, of: List, ring: &KeyRing) -> Result<Option<u64>> {
        Ok(entries(store, of, ring)?.map(|(_, bytes)| bytes))
    }

    /// The entry at the end of what was read, and where it ends; none if it is not whole.
    fn next(&self) -> Result<Option<(Vec<u8>, u64)>> {
        let Self { of, path, file, key, entries, end, .. } = self;
        Reading { of: *of, path, file, key, entries: *entries, end: *end }.next()
    }
}

/// A journal's file, read up to some entry.
struct Reading<'a> {
    of: List,
    path: &'a Path,
    file: &'a File,
    key: &'a LessSafeKey,
    entries: u64,
    end: u64,
}

impl Reading<'_> {
    /// The entry at the end of what was read, and where it ends; none if it is not whole.
    fn next(&self) -> Result<Option<(Vec<u8>, u64)>> {
        let length = self.file.metadata().map_err(named(self.path))?.len();
        let rest = length.saturating_sub(self.end);
        let mut head = [0; ENTRY_HEAD_BYTES];
        if rest < head.len() as u64 {
            return Ok(None);
        }
        self.file.read_exact_at(&mut head, self.end).map_err(named(self.path))?;
        let (bytes, nonce) = head.split_at(4);
        let damaged = || StoreError::damaged(self.path, "an act is not what was written");
        let bytes = bytes.try_into().map(u32::from_le_bytes).map_err(|_| damaged())?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| damaged())?;
        if bytes as usize > ENTRY_BYTES_MAX + TAG_BYTES_MAX {
            return Err(damaged());
        }
        let begin = self.end + head.len() as u64;
        if rest < head.len() as u64 + u64::from(bytes) {
            if self.is_whole_at_another_length(begin, rest - head.len() as u64, bytes, nonce)? {
                return Err(damaged());
            }
            return Ok(None);
        }
        let mut sealed = vec![0; bytes as usize];
        self.file.read_exact_at(&mut sealed, begin).map_err(named(self.path))?;
        let aad = aad(self.of, self.entries);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self.key.open_in_place(nonce, Aad::from(&aad), &mut sealed);
        let plain = plain.map_err(|_| damaged())?.to_vec();
        Ok(Some((plain, begin + u64::from(bytes))))
    }

    /// Whether an entry that seems to have been cut opens at a length of which one byte differs: then it
    /// was not cut, its length was changed.
    fn is_whole_at_another_length(
        &self,
        begin: u64,
        rest: u64,
        bytes: u32,
        nonce: [u8; NONCE_LEN],
    ) -> Result<bool> {
        let mut sealed = vec![0; usize::try_from(rest).unwrap_or(0).min(ENTRY_BYTES_MAX)];
        self.file.read_exact_at(&mut sealed, begin).map_err(named(self.path))?;
        let aad = aad(self.of, self.entries);
        let others =
            (0..4).flat_map(|byte| (1..=255_u32).map(move |flip| bytes ^ (flip << (8 * byte))));
        let fitting = others.filter_map(|length| sealed.get(..length as usize));
        Ok(fitting.filter(|entry| entry.len() > TAG_BYTES_MAX).any(|entry| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            self.key.open_in_place(nonce, Aad::from(&aad), &mut entry.to_vec()).is_ok()
        }))
    }
}

/// Every act that a store's journal holds, if it has one, and how many bytes it has.
pub(crate) fn entries(
    store: &Path,
    of: List,
    ring: &KeyRing,
) -> Result<Option<(Vec<Vec<u8>>, u64)>> {
    let path = store.join(of.file());
    let file = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(named(&path))?,
    };
    let key = header_key(of, &path, &file, ring)?;
    let bytes = file.metadata().map_err(named(&path))?.len();
    let mut reading =
        Reading { of, path: &path, file: &file, key: &key, entries: 0, end: HEADER_BYTES as u64 };
    let mut found = Vec::new();
    while let Some((entry, end)) = reading.next()? {
        found.push(entry);
        (reading.end, reading.entries) = (end, reading.entries + 1);
    }
    Ok(Some((found, bytes)))
}

/// The header of a new journal, and its key.
fn begin(of: List, ring: &KeyRing, chance: &mut Chance) -> Result<(Vec<u8>, LessSafeKey)> {
    let salt: [u8; SALT_BYTES] = random(chance)?;
    Ok(([&of.magic()[..], &salt].concat(), key_of(of, ring, &salt)?))
}

fn opened(of: List, path: &Path, ring: &KeyRing) -> Result<(File, LessSafeKey)> {
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(named(path))?;
    let key = header_key(of, path, &file, ring)?;
    Ok((file, key))
}

fn header_key(of: List, path: &Path, file: &File, ring: &KeyRing) -> Result<LessSafeKey> {
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0).map_err(named(path))?;
    let (magic, salt) = header.split_at(MAGIC_BYTES);
    if magic != of.magic() {
        return Err(StoreError::damaged(path, "it does not begin as a journal of its kind"));
    }
    key_of(of, ring, salt)
}

fn key_of(of: List, ring: &KeyRing, salt: &[u8]) -> Result<LessSafeKey> {
    let missing = StoreError::Library { doing: "finding the store's key" };
    file_key(ring.key(STORE_KEY).ok_or(missing)?, salt, of.sealed_as())
}

/// An entry as it lies in the file.
fn sealed(
    of: List,
    key: &LessSafeKey,
    number: u64,
    entry: Vec<u8>,
    chance: &mut Chance,
) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE_LEN] = random(chance)?;
    let mut sealed = entry;
    let (aad, unique) = (aad(of, number), Nonce::assume_unique_for_key(nonce));
    key.seal_in_place_append_tag(unique, Aad::from(&aad), &mut sealed)
        .map_err(|_| StoreError::Library { doing: "sealing" })?;
    Ok([&(sealed.len() as u32).to_le_bytes()[..], &nonce, &sealed].concat())
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
    fn a_journal_written_anew_goes_on_for_whoever_holds_it() {
        let folder = store();
        let open = || Journal::open(folder.path(), List::Cases, &kek(), &mut *chance()).unwrap();
        let (mut one, mut two) = (open(), open());
        add(&mut one, b"to be forgotten");
        assert_eq!(two.news().unwrap().len(), 1);
        add(&mut one, b"stays");
        let before = std::fs::read(folder.path().join(List::Cases.file())).unwrap();
        // Another chance: no key is drawn twice.
        let mut other = crate::keys::counted(100);
        let forget = |entry: Vec<u8>| if entry == b"stays" { entry } else { b"past".to_vec() };
        one.rewrite(&mut *other, forget).unwrap();
        assert_eq!(add(&mut two, b"more"), 1, "the second is told of what it had not read");
        assert_eq!(one.news().unwrap(), [b"more"]);
        assert_eq!(open().news().unwrap(), [&b"past"[..], b"stays", b"more"]);
        assert_ne!(
            std::fs::read(folder.path().join(List::Cases.file())).unwrap()[..24],
            before[..24]
        );
        // Nothing to change: the file stays.
        let before = std::fs::read(folder.path().join(List::Cases.file())).unwrap();
        one.rewrite(&mut *other, |entry| entry).unwrap();
        assert_eq!(std::fs::read(folder.path().join(List::Cases.file())).unwrap(), before);
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
                Ok(news) => unreachable!("byte {at}: {} acts", news.len()),
            }
        }
    }
}
