//! One file that may still grow.

use crate::input::{BLOCK_BYTES, BlockReader, Formats, HEAD_BYTES, Input, Source};
use crate::pipeline::{FileMark, RECORD_BITS, bytes_of, original, plain_words};
use bavn_decode::{Decoded, Decoder, Format, SniffError};
use bavn_model::{Record, Reject, Timestamp};
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// A file of a source, and how far it has been read. It is opened for each block: a folder may hold
/// more files than a process may have open.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    label: String,
    number: u32,
    records: u64,
    front: Option<Timestamp>,
    mark: FileMark,
    inode: u64,
    /// By the machine's clock.
    changed_at: Timestamp,
    whole_after_secs: i64,
    /// It could not be read when it was last looked at: nobody waits for it.
    is_failing: bool,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Nothing was read yet.
    Unknown,
    /// Record by record, as it grows; `rest` was read and is no whole record yet.
    Growing { decoder: Box<Decoder>, rest: Vec<u8>, read: u64 },
    /// Compressed, or one document: at once, when it has come to rest.
    Whole,
    /// Read to its end as it stands.
    Done,
}

/// Who gets what is read.
pub(crate) trait Take {
    /// `seq` orders look-ups of the same time.
    fn record(&mut self, label: &str, record: &Record<'_>, original: &[u8], seq: u64);
    fn reject(&mut self, label: &str, reject: &Reject, bytes: &[u8]);
}

impl Tail {
    /// `done`: an earlier run has read it to its end, when it was so.
    pub(super) fn new(
        path: PathBuf,
        number: u32,
        done: Option<FileMark>,
        whole_after_secs: i64,
    ) -> Self {
        let label = path.display().to_string();
        let mark = done.unwrap_or(FileMark { bytes: 0, changed_at: 0 });
        let way = if done.is_some() { Way::Done } else { Way::Unknown };
        Self {
            path,
            label,
            number,
            records: 0,
            front: None,
            mark,
            inode: 0,
            changed_at: Timestamp::default(),
            whole_after_secs,
            is_failing: false,
            way,
        }
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn front(&self) -> Option<Timestamp> {
        self.front
    }

    /// How it is, if all of it has been read.
    pub(super) fn done(&self) -> Option<FileMark> {
        let is_done = match &self.way {
            Way::Done => true,
            Way::Growing { rest, read, .. } => rest.is_empty() && *read == self.mark.bytes,
            Way::Unknown | Way::Whole => false,
        };
        is_done.then_some(self.mark)
    }

    /// Notes how the file stands now. One that became shorter, or another file under its name, is
    /// read anew.
    pub(super) fn look(&mut self, file: &Metadata, now: Timestamp) {
        self.is_failing = false;
        let changed_at = i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec());
        let mark = FileMark { bytes: file.len(), changed_at };
        let is_first = self.inode == 0;
        if mark == self.mark && (is_first || file.ino() == self.inode) {
            self.inode = file.ino();
            return;
        }
        let is_other = !is_first && file.ino() != self.inode;
        let is_shorter = file.len() < self.mark.bytes;
        let goes_on = match &self.way {
            Way::Growing { .. } => !is_other && !is_shorter,
            Way::Unknown | Way::Whole => true,
            Way::Done => false,
        };
        if !goes_on {
            self.way = Way::Unknown;
        }
        (self.mark, self.inode, self.changed_at) = (mark, file.ino(), now);
    }

    /// Whether there is something to read now.
    pub(super) fn is_behind(&self, now: Timestamp) -> bool {
        if self.is_failing {
            return false;
        }
        match &self.way {
            Way::Unknown => self.mark.bytes > 0,
            Way::Growing { read, .. } => *read < self.mark.bytes,
            Way::Whole => self.is_at_rest(now),
            Way::Done => false,
        }
    }

    fn is_at_rest(&self, now: Timestamp) -> bool {
        now.secs_since(self.changed_at) >= self.whole_after_secs
    }

    /// Reads the next block; false when there is none yet after all. The error is in words.
    pub(super) fn read(
        &mut self,
        formats: &Formats,
        now: Timestamp,
        take: &mut dyn Take,
    ) -> Result<bool, String> {
        let read = self.read_next(formats, now, take);
        self.is_failing = read.is_err();
        read
    }

    fn read_next(
        &mut self,
        formats: &Formats,
        now: Timestamp,
        take: &mut dyn Take,
    ) -> Result<bool, String> {
        let is_at_rest = self.is_at_rest(now);
        match &mut self.way {
            Way::Unknown => self.find_way(formats, is_at_rest).map_err(|error| error.to_string()),
            Way::Growing { decoder, rest, read } => {
                let begin = *read - rest.len() as u64;
                let more = more(&self.path, *read, BLOCK_BYTES, rest)
                    .map_err(|error| format!("cannot be read: {error}"))?;
                *read += more;
                let mut decoded = Decoded::default();
                let consumed = decoder.decode(rest, false, &mut decoded);
                let mut giving = Giving {
                    label: &self.label,
                    number: self.number,
                    records: &mut self.records,
                    front: &mut self.front,
                    take,
                };
                giving.give(&decoded, rest, begin);
                drop(decoded);
                rest.drain(..consumed);
                if rest.len() > RECORD_BYTES_MAX {
                    rest.clear();
                    return Err("holds a record without end, which is left out".to_owned());
                }
                Ok(more > 0)
            }
            Way::Whole => {
                self.way = Way::Done;
                let input = Input::File(self.path.clone());
                let mut source = Source::open(&input, self.number, formats)
                    .map_err(|error| plain_words(&error))?;
                loop {
                    let mut giving = Giving {
                        label: &self.label,
                        number: self.number,
                        records: &mut self.records,
                        front: &mut self.front,
                        take: &mut *take,
                    };
                    let read = source.next_block(|decoded, block, offset| {
                        giving.give(&decoded, block, offset);
                    });
                    match read {
                        Ok(true) => {}
                        Ok(false) => return Ok(true),
                        Err(error) => return Err(plain_words(&error)),
                    }
                }
            }
            Way::Done => Ok(false),
        }
    }

    /// Finds from its head how the file is to be read; not before a line of it is whole.
    fn find_way(&mut self, formats: &Formats, is_at_rest: bool) -> Result<bool, SniffError> {
        let mut head = Vec::new();
        // What cannot be opened is told when it is read.
        if more(&self.path, 0, HEAD_BYTES, &mut head).is_err() {
            self.way = Way::Whole;
            return Ok(true);
        }
        if !is_at_rest && head.len() < HEAD_BYTES && !head.contains(&b'\n') {
            return Ok(false);
        }
        let is_packed = BlockReader::is_packed(&head);
        let format = if is_packed { Ok(Format::Json) } else { formats.of(&self.label, &head) };
        self.way = match format {
            Err(SniffError::Empty) => return Ok(false),
            Err(error) => {
                self.way = Way::Done;
                return Err(error);
            }
            Ok(Format::Json) => Way::Whole,
            Ok(format) => {
                let mappings = std::sync::Arc::clone(&formats.mappings);
                let decoder = Decoder::new(format, mappings, self.number, &self.label);
                Way::Growing { decoder: Box::new(decoder), rest: Vec::new(), read: 0 }
            }
        };
        Ok(true)
    }
}

struct Giving<'a> {
    label: &'a str,
    number: u32,
    records: &'a mut u64,
    front: &'a mut Option<Timestamp>,
    take: &'a mut dyn Take,
}

impl Giving<'_> {
    fn give(&mut self, decoded: &Decoded<'_>, block: &[u8], begin: u64) {
        for record in &decoded.records {
            let seq = u64::from(self.number) << RECORD_BITS | *self.records;
            *self.records += 1;
            *self.front = (*self.front).max(Some(record.at));
            self.take.record(self.label, record, original(record.origin, block, begin), seq);
        }
        for reject in &decoded.rejects {
            self.take.reject(self.label, reject, bytes_of(reject, block, begin));
        }
    }
}

/// Appends up to `bytes` of the file from `offset` on.
fn more(path: &std::path::Path, offset: u64, bytes: usize, out: &mut Vec<u8>) -> io::Result<u64> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(file.take(bytes as u64).read_to_end(out)? as u64)
}

/// Far over the longest record that a decoder takes.
const RECORD_BYTES_MAX: usize = 256 << 20;
