//! Bytes of an input in blocks, gzip and zstd undone by their magic numbers.

use super::Input;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why an input gives no (more) bytes. The path is the caller's to add.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot be opened")]
    Open(#[source] io::Error),
    #[error("is a device or socket, not a file")]
    NotAFile,
    #[error("cannot be read past byte {byte_offset} of its content")]
    Read { byte_offset: u64, source: io::Error },
}

/// Reads an input block by block; what the decoder leaves over stands at the head of the next one.
pub struct BlockReader {
    bytes: Box<dyn Read + Send>,
    /// Its first `filled` bytes are the block; what is behind them is room that was used before.
    buffer: Vec<u8>,
    filled: usize,
    /// Of the content, after decompression.
    bytes_read: u64,
    /// Of the input as it lies there.
    bytes_taken: Arc<AtomicU64>,
    at_end: bool,
}

impl std::fmt::Debug for BlockReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockReader").field("bytes_read", &self.bytes_read).finish_non_exhaustive()
    }
}

impl BlockReader {
    pub fn open(input: &Input) -> Result<Self, OpenError> {
        let raw: Box<dyn Read + Send> = match input {
            Input::Stdin => Box::new(io::stdin()),
            Input::Own(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
            Input::File(path) => {
                let file = File::open(path).map_err(OpenError::Open)?;
                let kind = file.metadata().map_err(OpenError::Open)?.file_type();
                if kind.is_dir() {
                    return Err(OpenError::Open(io::Error::from(io::ErrorKind::PermissionDenied)));
                }
                if !kind.is_file() && !is_pipe(kind) {
                    return Err(OpenError::NotAFile);
                }
                Box::new(file)
            }
        };
        Self::from_reader(raw)
    }

    /// As [`Self::open`], of any bytes.
    pub fn from_reader(raw: Box<dyn Read + Send>) -> Result<Self, OpenError> {
        let bytes_taken = Arc::new(AtomicU64::new(0));
        let mut raw = Counting { raw, taken: Arc::clone(&bytes_taken) };
        let mut magic = Vec::with_capacity(4);
        raw.by_ref().take(4).read_to_end(&mut magic).map_err(OpenError::Open)?;
        let whole = io::Cursor::new(magic.clone()).chain(raw);
        let bytes: Box<dyn Read + Send> = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(
                BufReader::with_capacity(COMPRESSED_BUFFER_BYTES, whole),
            )),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                Box::new(zstd::Decoder::new(whole).map_err(OpenError::Open)?)
            }
            _ => Box::new(whole),
        };
        Ok(Self { bytes, buffer: Vec::new(), filled: 0, bytes_read: 0, bytes_taken, at_end: false })
    }

    /// Whether bytes that begin so are compressed.
    pub fn is_packed(head: &[u8]) -> bool {
        matches!(head, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..])
    }

    /// Takes the first `consumed` bytes away and fills the block up to at least `bytes_wanted`.
    /// On an error everything read so far is in the block, and nothing more will come.
    pub fn refill(&mut self, consumed: usize, bytes_wanted: usize) -> Result<(), OpenError> {
        let consumed = consumed.min(self.filled);
        self.buffer.copy_within(consumed..self.filled, 0);
        self.filled -= consumed;
        if self.buffer.len() < bytes_wanted {
            self.buffer.resize(bytes_wanted, 0);
        }
        while self.filled < bytes_wanted && !self.at_end {
            let room = self.buffer.get_mut(self.filled..bytes_wanted);
            match room.map_or(Ok(0), |room| self.bytes.read(room)) {
                Ok(read) => {
                    self.filled += read;
                    self.bytes_read += read as u64;
                    self.at_end = read == 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    self.at_end = true;
                    return Err(OpenError::Read { byte_offset: self.bytes_read, source });
                }
            }
        }
        Ok(())
    }

    pub fn block(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Whether the block holds all that is left.
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// As the input lies there: of a packed one, packed.
    pub fn bytes_taken(&self) -> u64 {
        self.bytes_taken.load(Ordering::Relaxed)
    }
}

/// Counts what is taken from an input, beneath whatever unpacks it.
struct Counting {
    raw: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(into)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(unix)]
fn is_pipe(kind: std::fs::FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_kind: std::fs::FileType) -> bool {
    false
}

const COMPRESSED_BUFFER_BYTES: usize = 256 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_all(bytes: Vec<u8>) -> (Vec<u8>, Option<String>) {
        let mut reader = BlockReader::from_reader(Box::new(io::Cursor::new(bytes))).unwrap();
        let mut all = Vec::new();
        let mut error = None;
        while !reader.at_end() {
            error = reader.refill(0, 7).err().map(|error| error.to_string());
            all.extend_from_slice(reader.block());
            let consumed = reader.block().len();
            reader.refill(consumed, 0).unwrap();
        }
        (all, error)
    }

    #[test]
    fn plain_gzip_and_zstd_read_alike() {
        let plain = b"one line\nand another, long enough to be more than one block\n".to_vec();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(read_all(plain.clone()).0, plain);
        assert_eq!(read_all(zstd::encode_all(plain.as_slice(), 1).unwrap()).0, plain);
        assert_eq!(read_all(gzip.clone()).0, plain);
        // Two gzip members end to end, as rotated logs are.
        assert_eq!(read_all([gzip.clone(), gzip].concat()).0, [plain.clone(), plain].concat());
    }

    #[test]
    fn a_cut_gzip_gives_what_it_holds_and_then_the_error() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gzip.write_all(&[b'x'; 1_000]).unwrap();
        let mut bytes = gzip.finish().unwrap();
        bytes.truncate(500);
        let (read, error) = read_all(bytes);
        assert!(read.len() > 400, "{}", read.len());
        assert!(error.unwrap().contains("cannot be read past byte"));
    }

    #[test]
    fn empty_and_tiny_inputs_are_read() {
        assert_eq!(read_all(Vec::new()).0, b"");
        assert_eq!(read_all(vec![0x1f]).0, [0x1f]);
    }
}
