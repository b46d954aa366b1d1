//! Lists under a key and a day, in sealed blocks, with a fence: where each block begins.

use crate::error::{Result, StoreError};
use crate::keys::KeyRing;
use crate::sealed::{Sealed, SealedWriter};
use crate::varint::{Input, put, put_signed};
use std::path::Path;

/// Writes lists in the order of their keys and days.
pub(super) struct BlocksWriter {
    file: SealedWriter,
    /// What the lists' own format has in the head, then the fence.
    head: Vec<u8>,
    block: Vec<u8>,
    key_before: u32,
}

impl BlocksWriter {
    pub(super) fn new(file: SealedWriter, head: Vec<u8>) -> Self {
        Self { file, head, block: Vec::with_capacity(BLOCK_BYTES * 2), key_before: 0 }
    }

    /// Adds a list of so many entries.
    pub(super) fn add(
        &mut self,
        (key, day): (u32, i32),
        entries: usize,
        list: &[u8],
    ) -> Result<()> {
        if self.block.is_empty() {
            put(&mut self.head, u64::from(key));
            put_signed(&mut self.head, i64::from(day));
            self.key_before = 0;
        }
        put(&mut self.block, u64::from(key - self.key_before));
        self.key_before = key;
        put_signed(&mut self.block, i64::from(day));
        put(&mut self.block, entries as u64);
        if entries >= MEASURED_MIN {
            put(&mut self.block, list.len() as u64);
        }
        self.block.extend_from_slice(list);
        if self.block.len() >= BLOCK_BYTES {
            self.file.block_as_it_is(&self.block)?;
            self.block.clear();
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<()> {
        if !self.block.is_empty() {
            self.file.block_as_it_is(&self.block)?;
        }
        self.file.finish(&self.head)
    }
}

/// A list where it stands in its block.
pub(super) struct List<'b> {
    pub(super) key: u32,
    pub(super) day: i32,
    pub(super) entries: u64,
    /// Whether its entries are asked for; others are only read over.
    pub(super) is_wanted: bool,
    pub(super) input: Input<'b>,
}

/// The blocks of one file.
#[derive(Debug)]
pub(super) struct Blocks {
    file: Sealed,
    /// Key and day at which each block begins.
    fence: Vec<(u32, i32)>,
    /// Whether long lists say how many bytes they take.
    is_measured: bool,
}

impl Blocks {
    /// Opens a file; `read_head` takes what the lists' own format has before the fence, and whether
    /// long lists are measured.
    pub(super) fn open<H>(
        path: &Path,
        sealed_as: &'static [u8],
        ring: &KeyRing,
        read_head: impl FnOnce(&mut Input<'_>) -> Option<(H, bool)>,
    ) -> Result<(H, Self)> {
        let file = Sealed::open(path, sealed_as, ring)?;
        let mut input = Input(file.head());
        let read = (|| {
            let (head, is_measured) = read_head(&mut input)?;
            let mut fence = Vec::new();
            while !input.is_empty() {
                fence.push((input.number32()?, i32::try_from(input.signed()?).ok()?));
            }
            (fence.len() == file.blocks()).then_some((head, fence, is_measured))
        })();
        let cut = || StoreError::damaged(path, "its head is cut");
        let (head, fence, is_measured) = read.ok_or_else(cut)?;
        Ok((head, Self { file, fence, is_measured }))
    }

    /// Calls `read` for each list of a key within days, both included, and for short ones that stand
    /// before it; `read` takes a list's entries off its input.
    pub(super) fn each(
        &self,
        key: u32,
        days: (i32, i32),
        mut read: impl FnMut(&mut List<'_>) -> Option<()>,
    ) -> Result<()> {
        let first = self.fence.partition_point(|&start| start < (key, days.0)).saturating_sub(1);
        for (number, start) in self.fence.iter().enumerate().skip(first) {
            if *start > (key, days.1) {
                break;
            }
            self.block(number, Some((key, days)), &mut read)?;
        }
        Ok(())
    }

    /// Calls `read` for every list, and says whether each block begins where the fence says.
    pub(super) fn all(&self, mut read: impl FnMut(&mut List<'_>) -> Option<()>) -> Result<bool> {
        let mut is_fenced = true;
        for (number, start) in self.fence.iter().enumerate() {
            let mut first = None;
            self.block(number, None, |list: &mut List<'_>| {
                first.get_or_insert((list.key, list.day));
                read(list)
            })?;
            is_fenced &= first == Some(*start);
        }
        Ok(is_fenced)
    }

    fn block(
        &self,
        number: usize,
        wanted: Option<(u32, (i32, i32))>,
        read: impl FnMut(&mut List<'_>) -> Option<()>,
    ) -> Result<()> {
        let cut = || StoreError::damaged(self.file.path(), "a block is cut");
        self.file.with_block(number, |block| self.lists(block, wanted, read))?.ok_or_else(cut)
    }

    /// Calls `read` for the lists of a block.
    fn lists(
        &self,
        block: &[u8],
        wanted: Option<(u32, (i32, i32))>,
        mut read: impl FnMut(&mut List<'_>) -> Option<()>,
    ) -> Option<()> {
        let mut input = Input(block);
        let mut key = 0_u32;
        while !input.is_empty() {
            key = key.checked_add(input.number32()?)?;
            let day = i32::try_from(input.signed()?).ok()?;
            let is_wanted = match wanted {
                Some((wanted, (_, to))) if (key, day) > (wanted, to) => return Some(()),
                Some((wanted, (from, _))) => (key, day) >= (wanted, from),
                None => true,
            };
            let entries = input.number()?;
            if !self.is_measured || entries < MEASURED_MIN as u64 {
                let mut list = List { key, day, entries, is_wanted, input };
                read(&mut list)?;
                input = list.input;
                continue;
            }
            let mut list = List { key, day, entries, is_wanted, input: Input(input.bytes()?) };
            if is_wanted {
                read(&mut list)?;
                list.input.is_empty().then_some(())?;
            }
        }
        Some(())
    }
}

/// A block is read whole to answer for one key: small, but not so small that tags weigh.
const BLOCK_BYTES: usize = 2 << 10;
/// Lists of so many entries say how many bytes they take, so that who asks for another key need not
/// read them.
const MEASURED_MIN: usize = 4;
