//! One encrypted file of blocks that are opened one by one.
//!
//! ```text
//! "bavnseal" | key id, 4 bytes | salt, 16 bytes          in clear, and part of what is checked
//! block 0 | block 1 | ...                                AES-256-GCM, each with its tag
//! directory                                              likewise: the writer's head, then lengths
//! bytes of the directory, 8 bytes | "bavnseal"           in clear
//! ```
//! The file's key comes from a data key and the salt, so the number of a block serves as its nonce.
//! What a file is for is part of every tag: one file cannot stand in for another.

use crate::error::{Result, StoreError, io, named};
use crate::keys::{Chance, KEY_BYTES, KeyId, KeyRing, file_key, random};
use crate::varint::{Input, put};
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use zstd::bulk::{Compressor, Decompressor};

/// Writes a sealed file block by block.
#[derive(Debug)]
pub(crate) struct SealedWriter {
    path: PathBuf,
    what: &'static [u8],
    file: BufWriter<File>,
    key: LessSafeKey,
    lengths: Vec<u32>,
    scratch: Vec<u8>,
}

impl SealedWriter {
    pub(crate) fn create(
        path: &Path,
        what: &'static [u8],
        key_id: KeyId,
        key: &[u8; KEY_BYTES],
        chance: &mut Chance,
    ) -> Result<Self> {
        let salt: [u8; SALT_BYTES] = random(chance)?;
        let mut file = BufWriter::new(File::create(path).map_err(io(path, "written"))?);
        file.write_all(MAGIC).map_err(io(path, "written"))?;
        file.write_all(&key_id.to_le_bytes()).map_err(io(path, "written"))?;
        file.write_all(&salt).map_err(io(path, "written"))?;
        let key = file_key(key, &salt, what)?;
        let (path, scratch) = (path.to_owned(), Vec::new());
        Ok(Self { path, what, file, key, lengths: Vec::new(), scratch })
    }

    /// Appends a block, compressed if that makes it smaller.
    pub(crate) fn block(&mut self, plain: &[u8]) -> Result<()> {
        self.scratch.clear();
        let packed = PACKING.with_borrow_mut(|packing| match packing {
            Some(packing) => packing.compress(plain).ok(),
            None => None,
        });
        let packed = packed.ok_or(StoreError::Library { doing: "compressing" })?;
        if packed.len() + packed.len() / 16 < plain.len() {
            self.scratch.push(PACKED);
            self.scratch.extend_from_slice(&(plain.len() as u32).to_le_bytes());
            self.scratch.extend_from_slice(&packed);
            return self.seal();
        }
        self.block_as_it_is(plain)
    }

    /// Appends a block that is read so often that unpacking would tell.
    pub(crate) fn block_as_it_is(&mut self, plain: &[u8]) -> Result<()> {
        self.scratch.clear();
        self.scratch.push(PLAIN);
        self.scratch.extend_from_slice(plain);
        self.seal()
    }

    fn seal(&mut self) -> Result<()> {
        let number = self.lengths.len() as u64;
        seal(&self.key, self.what, number, &mut self.scratch)?;
        self.lengths.push(self.scratch.len() as u32);
        self.file.write_all(&self.scratch).map_err(io(&self.path, "written"))
    }

    /// Ends the file with its directory, durably.
    pub(crate) fn finish(mut self, head: &[u8]) -> Result<()> {
        let mut directory = Vec::new();
        put(&mut directory, head.len() as u64);
        directory.extend_from_slice(head);
        put(&mut directory, self.lengths.len() as u64);
        for &length in &self.lengths {
            put(&mut directory, u64::from(length));
        }
        seal(&self.key, self.what, DIRECTORY, &mut directory)?;
        let failed = |error| io(&self.path, "written")(error);
        self.file.write_all(&directory).map_err(failed)?;
        self.file.write_all(&(directory.len() as u64).to_le_bytes()).map_err(failed)?;
        self.file.write_all(MAGIC).map_err(failed)?;
        self.file.flush().map_err(failed)?;
        self.file.get_ref().sync_all().map_err(failed)
    }
}

/// A sealed file, open for reading.
#[derive(Debug)]
pub(crate) struct Sealed {
    path: PathBuf,
    what: &'static [u8],
    file: File,
    key: LessSafeKey,
    /// Where each block ends; the first begins after the header.
    ends: Vec<u64>,
    head: Vec<u8>,
}

impl Sealed {
    pub(crate) fn open(path: &Path, what: &'static [u8], ring: &KeyRing) -> Result<Self> {
        let file = File::open(path).map_err(named(path))?;
        let length = file.metadata().map_err(named(path))?.len();
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(named(path))?;
        let mut trailer = [0; TRAILER_BYTES];
        let trailer_at = length.saturating_sub(TRAILER_BYTES as u64);
        file.read_exact_at(&mut trailer, trailer_at).map_err(named(path))?;
        let damaged = |what| StoreError::damaged(path, what);
        let mut input = Input(&header);
        let (magic, key_id) = (input.take(MAGIC.len()), input.array().map(u32::from_le_bytes));
        let salt = input.take(SALT_BYTES);
        let mut input = Input(&trailer);
        let bytes = input.array().map(u64::from_le_bytes);
        if magic != Some(MAGIC) || input.take(MAGIC.len()) != Some(MAGIC) {
            return Err(damaged("it does not begin and end as a sealed file"));
        }
        let (Some(key_id), Some(salt), Some(bytes)) = (key_id, salt, bytes) else {
            return Err(damaged("its header is cut"));
        };
        let key = ring.key(key_id).ok_or_else(|| damaged("it names a key that is not there"))?;
        let key = file_key(key, salt, what)?;
        let start = trailer_at
            .checked_sub(bytes)
            .filter(|&start| start >= HEADER_BYTES as u64)
            .ok_or_else(|| damaged("its directory is longer than it"))?;
        let mut directory = vec![0; bytes as usize];
        file.read_exact_at(&mut directory, start).map_err(named(path))?;
        let plain = open(&key, what, DIRECTORY, &mut directory)
            .ok_or_else(|| damaged("its directory is not what was written"))?;
        let mut input = Input(plain);
        let read = (|| {
            let head = input.bytes()?.to_vec();
            let mut at = HEADER_BYTES as u64;
            let ends = (0..input.number()?).map(|_| {
                at += input.number()?;
                Some(at)
            });
            Some((head, ends.collect::<Option<Vec<u64>>>()?))
        })();
        let (head, ends) = read.ok_or_else(|| damaged("its directory is cut"))?;
        if ends.last().copied().unwrap_or(HEADER_BYTES as u64) != start {
            return Err(damaged("its blocks do not fill it"));
        }
        Ok(Self { path: path.to_owned(), what, file, key, ends, head })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the writer left for finding blocks.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(crate) fn blocks(&self) -> usize {
        self.ends.len()
    }

    /// The first block that does not open, and its bytes in the file.
    pub(crate) fn first_damage(&self) -> Option<(usize, u64, u64)> {
        let number = (0..self.blocks()).find(|&number| self.block(number).is_err())?;
        let before = number.checked_sub(1).and_then(|before| self.ends.get(before).copied());
        let from = before.unwrap_or(HEADER_BYTES as u64);
        Some((number, from, self.ends.get(number).copied().unwrap_or(from)))
    }

    pub(crate) fn block(&self, number: usize) -> Result<Vec<u8>> {
        self.with_block(number, <[u8]>::to_vec)
    }

    /// What `read` makes of a block.
    pub(crate) fn with_block<T>(&self, number: usize, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let damaged = || StoreError::damaged(&self.path, "a block is not what was written");
        let start = match number.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(HEADER_BYTES as u64),
        };
        let (Some(start), Some(&end)) = (start, self.ends.get(number)) else {
            return Err(damaged());
        };
        let mut sealed = vec![0; (end - start) as usize];
        self.file.read_exact_at(&mut sealed, start).map_err(named(&self.path))?;
        let plain = open(&self.key, self.what, number as u64, &mut sealed).ok_or_else(damaged)?;
        match plain.split_first() {
            Some((&PLAIN, rest)) => Ok(read(rest)),
            Some((&PACKED, rest)) => {
                let mut rest = Input(rest);
                let length = rest.array().map(u32::from_le_bytes).ok_or_else(damaged)?;
                let unpacked = unpacked(rest.0, length as usize).ok_or_else(damaged)?;
                Ok(read(&unpacked))
            }
            _ => Err(damaged()),
        }
    }
}

/// Seals bytes in place and appends the tag. The number must be new for the key.
pub(crate) fn seal(key: &LessSafeKey, what: &[u8], number: u64, bytes: &mut Vec<u8>) -> Result<()> {
    key.seal_in_place_append_tag(nonce(number), Aad::from(what), bytes)
        .map_err(|_| StoreError::Library { doing: "sealing" })
}

/// Opens bytes in place; `None` if they are not what was sealed.
pub(crate) fn open<'b>(
    key: &LessSafeKey,
    what: &[u8],
    number: u64,
    bytes: &'b mut [u8],
) -> Option<&'b [u8]> {
    key.open_in_place(nonce(number), Aad::from(what), bytes).ok().map(|plain| &*plain)
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (byte, from) in bytes.iter_mut().skip(4).zip(number.to_be_bytes()) {
        *byte = from;
    }
    Nonce::assume_unique_for_key(bytes)
}

/// What was packed, if it takes no more than so many bytes.
pub(crate) fn unpacked(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    UNPACKING.with_borrow_mut(|unpacking| match unpacking {
        Some(unpacking) => unpacking.decompress(packed, length).ok(),
        None => None,
    })
}

thread_local! {
    /// Made once a thread: making one takes longer than a block.
    static PACKING: RefCell<Option<Compressor<'static>>> =
        RefCell::new(Compressor::new(LEVEL).ok());
    static UNPACKING: RefCell<Option<Decompressor<'static>>> =
        RefCell::new(Decompressor::new().ok());
}

const MAGIC: &[u8] = b"bavnseal";
const SALT_BYTES: usize = 16;
const HEADER_BYTES: usize = 8 + 4 + SALT_BYTES;
const TRAILER_BYTES: usize = 8 + 8;
/// The nonce of the directory: no file has as many blocks.
const DIRECTORY: u64 = u64::MAX;
const PLAIN: u8 = 0;
const PACKED: u8 = 1;
const LEVEL: i32 = 1;
