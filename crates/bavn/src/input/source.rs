//! Records of one input, block by block, each block's rejects digested while its bytes are there.

use super::{BlockReader, Input, OpenError};
use bavn_decode::{Decoded, Decoder, Format, Mappings, SniffError};
use std::sync::Arc;

/// How the inputs of a run are to be read.
#[derive(Clone, Debug)]
pub struct Formats {
    pub family: Family,
    pub mappings: Arc<Mappings>,
}

/// What an input is known to hold; how it stands in the bytes is always found from the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    #[default]
    Any,
    Fhir,
    Atna,
}

impl Formats {
    /// How the bytes of an input of this name stand.
    pub fn of(&self, file_name: &str, head: &[u8]) -> Result<Format, SniffError> {
        match self.family {
            Family::Any => bavn_decode::sniff(file_name, head, &self.mappings),
            Family::Fhir => Ok(bavn_decode::sniff_fhir(head)),
            Family::Atna => Ok(bavn_decode::sniff_atna(head)),
        }
    }
}

/// Why an input could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Sniff(#[from] SniffError),
    #[error("is one document of more than {bytes_max} bytes")]
    DocumentTooLong { bytes_max: usize },
}

/// One input being decoded.
#[derive(Debug)]
pub struct Source {
    reader: BlockReader,
    decoder: Option<Decoder>,
    consumed: usize,
    /// How many records the last block held: the next one holds about as many.
    usual: usize,
    /// Of the block's first byte in the content.
    block_offset: u64,
    /// An error met while reading; told once everything read before it has been decoded.
    failed: Option<SourceError>,
    done: bool,
}

impl Source {
    /// Opens an input and finds its format. `file` becomes `origin.file`.
    pub fn open(input: &Input, file: u32, formats: &Formats) -> Result<Self, SourceError> {
        let mut reader = BlockReader::open(input)?;
        let failed = reader.refill(0, HEAD_BYTES).err().map(SourceError::from);
        let decoder = if reader.block().trim_ascii().is_empty() {
            None
        } else {
            let label = input.label();
            let format = formats.of(&label, reader.block())?;
            Some(Decoder::new(format, Arc::clone(&formats.mappings), file, &label))
        };
        let done = decoder.is_none() && reader.at_end();
        Ok(Self { reader, decoder, consumed: 0, usual: 0, block_offset: 0, failed, done })
    }

    /// Decodes the next block and hands over what became of it, with the block's bytes and the
    /// offset of the first of them. False when there is nothing left.
    pub fn next_block(
        &mut self,
        mut take: impl FnMut(Decoded<'_>, &[u8], u64),
    ) -> Result<bool, SourceError> {
        let Some(decoder) = self.decoder.as_mut().filter(|_| !self.done) else {
            return self.failed.take().map_or(Ok(false), Err);
        };
        let mut wanted = BLOCK_BYTES;
        loop {
            if self.failed.is_none() {
                self.block_offset += self.consumed as u64;
                self.failed = self.reader.refill(self.consumed, wanted).err().map(Into::into);
                self.consumed = 0;
            }
            let mut decoded = Decoded::default();
            decoded.records.reserve(self.usual);
            let at_end = self.reader.at_end();
            let consumed = decoder.decode(self.reader.block(), at_end, &mut decoded);
            if consumed > 0 || at_end {
                self.usual = decoded.records.len().min(USUAL_MAX);
                take(decoded, self.reader.block(), self.block_offset);
                self.consumed = consumed;
                self.done = at_end;
                return Ok(true);
            }
            // A record longer than the block, or a document that must be read whole.
            wanted *= 2;
            if wanted > DOCUMENT_BYTES_MAX {
                self.done = true;
                return Err(SourceError::DocumentTooLong { bytes_max: DOCUMENT_BYTES_MAX });
            }
        }
    }

    /// Bytes of content read so far, after decompression.
    pub fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    /// Bytes of the input so far, packed as it lies there.
    pub fn bytes_taken(&self) -> u64 {
        self.reader.bytes_taken()
    }
}

/// Large enough that the work between blocks is nothing, small enough to stay in a core's cache.
pub const BLOCK_BYTES: usize = 1 << 19;
/// What the format is found from.
pub const HEAD_BYTES: usize = 1 << 20;
/// A block may hold far more records than the one after it.
const USUAL_MAX: usize = 1_024;
/// A Bundle is read whole; one that is larger should be split by its exporter.
const DOCUMENT_BYTES_MAX: usize = 1 << 30;
