//! The front door: bytes of one input in, records and rejects out.

use crate::Decoded;
use crate::frame::Block;
use crate::frame_json;
use crate::frame_lines::Lines;
use crate::frame_xml::XmlStream;
use crate::mapping::{CsvTable, Mappings};
use crate::records::Records;
use crate::syslog::Syslog;
use bavn_model::Origin;
use std::sync::Arc;

/// How the records of an input stand in its bytes. What each of them is, is told from itself.
#[derive(Clone, Debug)]
pub enum Format {
    /// One JSON value a line: `AuditEvent`s, Bundles, audit messages, records of a mapping.
    Lines,
    /// JSON over many lines: a resource, a Bundle, an array, or several one after the other.
    Json,
    /// `AuditMessage`s or `AuditEvent`s in XML, in any number and in a root of any name.
    Xml,
    /// Syslog messages that hold XML or JSON.
    Syslog,
    /// CSV through a mapping.
    Csv(Arc<CsvTable>),
}

impl Format {
    /// Whether a newline always ends a record, so that blocks cut at newlines can be decoded by
    /// [`Decoder`]s of their own.
    pub const fn splits_at_lines(&self) -> bool {
        matches!(self, Self::Lines)
    }

    /// What to call it, for the operator.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Lines => "JSON lines",
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::Syslog => "syslog",
            Self::Csv(_) => "CSV",
        }
    }
}

/// Decodes one input, block by block.
///
/// Each call takes as many whole records as the bytes hold; what is left over comes again, with
/// more behind it, in the next call. Memory is bounded by the block and by [`RECORD_BYTES_MAX`],
/// but for JSON documents, of which nothing is taken before their end is there.
///
/// [`RECORD_BYTES_MAX`]: crate::RECORD_BYTES_MAX
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    records: Records,
    /// Where the next byte is in the input.
    place: Origin,
}

#[derive(Debug)]
enum Framing {
    Lines(Lines),
    Json,
    Xml(XmlStream),
    Syslog(Syslog),
    Csv { table: Arc<CsvTable>, header_read: bool },
}

impl Decoder {
    /// `file` becomes `origin.file`; `file_name` chooses among mappings that ask for one.
    pub fn new(format: Format, mappings: Arc<Mappings>, file: u32, file_name: &str) -> Self {
        let framing = match format {
            Format::Lines => Framing::Lines(Lines::default()),
            Format::Json => Framing::Json,
            Format::Xml => Framing::Xml(XmlStream::default()),
            Format::Syslog => Framing::Syslog(Syslog::default()),
            Format::Csv(table) => Framing::Csv { table, header_read: false },
        };
        let records = Records::new(mappings, file_name.to_owned());
        Self { framing, records, place: Origin { file, line: 1, ..Origin::default() } }
    }

    /// Starts behind the beginning of the input: the next byte is at `byte_offset`, on `line`.
    pub fn at(mut self, line: u64, byte_offset: u64) -> Self {
        self.place = Origin { line, byte_offset, ..self.place };
        if let Framing::Csv { header_read, .. } = &mut self.framing {
            *header_read = true;
        }
        self
    }

    /// Where the next byte is in the input.
    pub const fn place(&self) -> Origin {
        self.place
    }

    /// How many records were of a known shape and read without being parsed.
    pub fn recalled(&self) -> u64 {
        self.records.recalled()
    }

    /// Decodes the whole records of `bytes` and returns how many bytes they took; at the end of
    /// the input all of them. The caller keeps the rest and puts more behind it.
    pub fn decode<'a>(&mut self, bytes: &'a [u8], at_end: bool, out: &mut Decoded<'a>) -> usize {
        let mut block = Block::new(bytes, self.place, at_end);
        match &mut self.framing {
            Framing::Lines(lines) => lines.decode(&mut block, &mut self.records, out),
            Framing::Json => frame_json::decode(&mut block, &mut self.records, out),
            Framing::Xml(stream) => stream.decode(&mut block, self.records.skeletons(), out),
            Framing::Syslog(syslog) => syslog.decode(&mut block, &mut self.records, out),
            Framing::Csv { table, header_read } => {
                if !*header_read && (at_end || bytes.len() >= table.header_bytes()) {
                    block.advance(table.header_bytes().min(bytes.len()));
                    *header_read = true;
                }
                if *header_read {
                    let (taken, _) = table.decode(block.rest(), block.place(), at_end, out);
                    block.advance(taken);
                }
            }
        }
        self.place = block.place();
        block.consumed()
    }
}
