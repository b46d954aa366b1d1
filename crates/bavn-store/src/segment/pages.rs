//! Pages of an encrypted Parquet file, opened one by one.
//!
//! The `parquet` crate reads encrypted pages only together with Arrow, whose crates would double
//! the time of a clean build; it does open the footer and decode pages. What lies between is here:
//! Parquet modular encryption (`AES_GCM_V1`), section 5 of its specification.

use super::thrift::{Value, fields};
use crate::error::{Result, StoreError, named};
use crate::keys::{KEY_BYTES, cipher};
use crate::sealed::unpacked;
use crate::varint::Input;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An encrypted Parquet file, its footer opened.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    path: PathBuf,
    file: Arc<File>,
    key: LessSafeKey,
    file_aad: Vec<u8>,
    metadata: ParquetMetaData,
}

impl ParquetFile {
    pub(crate) fn open(path: &Path, key: &[u8; KEY_BYTES]) -> Result<Self> {
        let file = File::open(path).map_err(named(path))?;
        let damaged = |what| StoreError::damaged(path, what);
        let file_aad = file_aad(path, &file)?;
        let properties = FileDecryptionProperties::builder(key.to_vec())
            .build()
            .map_err(|_| StoreError::Library { doing: "setting a key" })?;
        let metadata = ParquetMetaDataReader::new()
            .with_decryption_properties(Some(properties))
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&file)
            .map_err(|_| damaged("its footer or its page index is not what was written"))?;
        let (path, file) = (path.to_owned(), Arc::new(file));
        Ok(Self { path, file, key: cipher(key)?, file_aad, metadata })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn row_groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    pub(crate) fn rows_in(&self, row_group: usize) -> usize {
        self.metadata.row_groups().get(row_group).map_or(0, |group| group.num_rows() as usize)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.metadata.file_metadata().num_rows() as u64
    }

    /// The first page that does not open.
    pub(crate) fn first_damage(&self) -> Result<Option<Damage>> {
        for (row_group, group) in self.metadata.row_groups().iter().enumerate() {
            for (number, chunk) in group.columns().iter().enumerate() {
                let (start, length) = chunk.byte_range();
                let mut pages = self.pages((row_group, number), chunk, None)?;
                while pages.at < pages.bytes.len() {
                    let from = start + pages.at as u64;
                    if pages.open_page().is_none() {
                        let column = chunk.column_descr().name().to_owned();
                        return Ok(Some(Damage { row_group, column, from, to: start + length }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// A value of the footer's own table.
    pub(crate) fn note(&self, key: &str) -> Option<&str> {
        let notes = self.metadata.file_metadata().key_value_metadata()?;
        notes.iter().find(|note| note.key == key)?.value.as_deref()
    }

    /// Decodes one column of one row group.
    pub(crate) fn column(&self, row_group: usize, column: usize) -> Result<ColumnReader> {
        let damaged = || StoreError::damaged(&self.path, "a column is missing");
        let group = self.metadata.row_groups().get(row_group).ok_or_else(damaged)?;
        let chunk = group.columns().get(column).ok_or_else(damaged)?;
        let located = self.located(row_group, column);
        let pages = self.pages((row_group, column), chunk, located)?;
        Ok(get_column_reader(chunk.column_descr_ptr(), Box::new(pages)))
    }

    /// Rows of a row group page by page, with the least and the greatest value that one column has
    /// there. Segments from before format 3 of the store do not say: all of the group, with any value.
    pub(crate) fn bounds(
        &self,
        row_group: usize,
        column: usize,
    ) -> Result<Vec<(Range<usize>, i64, i64)>> {
        let all = || vec![(0..self.rows_in(row_group), i64::MIN, i64::MAX)];
        let Some(index) = self.metadata.page_index() else { return Ok(all()) };
        let Some(ColumnIndexMetaData::INT64(values)) = index.column_index(row_group, column) else {
            return Ok(all());
        };
        let values = values.min_values().iter().zip(values.max_values());
        let pages = self.located(row_group, column).ok_or_else(|| self.wrong())?;
        if pages.len() != values.len() {
            return Err(self.wrong());
        }
        Ok(pages
            .iter()
            .zip(values)
            .map(|(page, (&least, &most))| (page.rows.clone(), least, most))
            .collect())
    }

    /// Where the pages of a column lie, if the file says so.
    fn located(&self, row_group: usize, column: usize) -> Option<Vec<Located>> {
        let locations = self.metadata.page_index()?.page_locations(row_group, column)?;
        let rows_end = self.rows_in(row_group);
        let chunk = self.metadata.row_groups().get(row_group)?.columns().get(column)?;
        let (start, length) = chunk.byte_range();
        let after = locations.iter().skip(1);
        let ends = after.map(|next| (next.offset, next.first_row_index as usize));
        let ends = ends.chain([((start + length) as i64, rows_end)]);
        let page = |(page, (end, rows_end)): (&PageLocation, (i64, usize))| Located {
            bytes: page.offset as u64..end as u64,
            rows: page.first_row_index as usize..rows_end,
        };
        Some(locations.iter().zip(ends).map(page).collect())
    }

    /// The pages of a column, still sealed: read one by one where it is known where they lie, else all
    /// at once.
    fn pages(
        &self,
        (row_group, column): (usize, usize),
        chunk: &ColumnChunkMetaData,
        located: Option<Vec<Located>>,
    ) -> Result<Pages> {
        let mut place = self.file_aad.clone();
        place.push(0);
        place.extend_from_slice(&(row_group as i16).to_le_bytes());
        place.extend_from_slice(&(column as i16).to_le_bytes());
        let start = chunk.byte_range().0;
        Ok(Pages {
            bytes: if located.is_some() { Vec::new() } else { self.chunk(chunk)? },
            at: 0,
            dictionary_next: chunk.dictionary_page_offset().is_some(),
            located: located.map(|pages| (self.file.clone(), start, pages)),
            key: self.key.clone(),
            place,
            kind_at: self.file_aad.len(),
            page: 0,
            peeked: None,
            compressed: chunk.compression() != Compression::UNCOMPRESSED,
        })
    }

    /// All bytes of a column.
    fn chunk(&self, chunk: &ColumnChunkMetaData) -> Result<Vec<u8>> {
        let (start, length) = chunk.byte_range();
        let file_length = self.file.metadata().map_err(named(&self.path))?.len();
        if start.checked_add(length).is_none_or(|end| end > file_length) {
            return Err(StoreError::damaged(&self.path, "a column is missing"));
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, start).map_err(named(&self.path))?;
        Ok(bytes)
    }

    pub(crate) fn wrong(&self) -> StoreError {
        StoreError::damaged(&self.path, "a page is not what was written")
    }
}

/// Where a segment's file is not what was written; bytes are counted from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) row_group: usize,
    pub(crate) column: String,
    /// Of the page, and to the end of the column's pages.
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// What is unique to the file in every tag, from the part of its footer that stands in clear.
fn file_aad(path: &Path, file: &File) -> Result<Vec<u8>> {
    let damaged = || StoreError::damaged(path, "it does not begin and end as an encrypted file");
    let length = file.metadata().map_err(named(path))?.len();
    let (mut head, mut tail) = ([0; 4], [0; 8]);
    file.read_exact_at(&mut head, 0).map_err(named(path))?;
    file.read_exact_at(&mut tail, length.saturating_sub(8)).map_err(named(path))?;
    let mut input = Input(&tail);
    let footer_bytes = input.array().map_or(0, u32::from_le_bytes);
    let footer_at = length.checked_sub(8 + u64::from(footer_bytes)).ok_or_else(damaged)?;
    if head != *MAGIC || input.0 != MAGIC {
        return Err(damaged());
    }
    let mut footer = vec![0; footer_bytes as usize];
    file.read_exact_at(&mut footer, footer_at).map_err(named(path))?;
    let mut unique = None;
    fields(&mut Input(&footer), &mut |id, value| {
        let (1, Value::Structure(mut algorithm)) = (id, value) else { return };
        fields(&mut algorithm, &mut |id, value| {
            let (1, Value::Structure(mut gcm)) = (id, value) else { return };
            fields(&mut gcm, &mut |id, value| {
                if let (2, Value::Bytes(bytes)) = (id, value) {
                    unique = Some(bytes.to_vec());
                }
            });
        });
    });
    unique.ok_or_else(damaged)
}

/// Where a page lies in the file, and which rows of its row group it holds.
struct Located {
    bytes: Range<u64>,
    rows: Range<usize>,
}

/// The pages of one column of one row group.
struct Pages {
    /// All of them, or the one that was read last.
    bytes: Vec<u8>,
    at: usize,
    /// The file, where the column begins in it, and each page but the dictionary.
    located: Option<(Arc<File>, u64, Vec<Located>)>,
    key: LessSafeKey,
    /// File, kind of module, row group, column: the start of every tag's associated data.
    place: Vec<u8>,
    kind_at: usize,
    page: u16,
    dictionary_next: bool,
    /// The header of the next page, if it has been opened.
    peeked: Option<Header>,
    compressed: bool,
}

impl Pages {
    /// Opens the module that comes next: length, nonce, ciphertext, tag.
    fn module(&mut self, kind: u8, page: Option<u16>) -> Option<Vec<u8>> {
        let mut input = Input(self.bytes.get(self.at..)?);
        let length = input.array().map(u32::from_le_bytes)? as usize;
        let nonce: [u8; NONCE_LEN] = input.array()?;
        let mut sealed = input.take(length.checked_sub(NONCE_LEN)?)?.to_vec();
        self.at += 4 + length;
        let mut place = self.place.clone();
        if let Some(slot) = place.get_mut(self.kind_at) {
            *slot = kind;
        }
        if let Some(page) = page {
            place.extend_from_slice(&page.to_le_bytes());
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self.key.open_in_place(nonce, Aad::from(&place), &mut sealed).ok()?.len();
        sealed.truncate(plain);
        Some(sealed)
    }

    /// Header and content of the next page, and whether it is a dictionary.
    fn open_page(&mut self) -> Option<(bool, Vec<u8>, Vec<u8>)> {
        if std::mem::take(&mut self.dictionary_next) {
            return Some((
                true,
                self.module(DICTIONARY_HEADER, None)?,
                self.module(DICTIONARY, None)?,
            ));
        }
        let page = Some(self.page);
        self.page = self.page.checked_add(1)?;
        Some((false, self.module(DATA_HEADER, page)?, self.module(DATA, page)?))
    }

    /// The header of the next page.
    fn peek(&mut self) -> Option<&Header> {
        if self.peeked.is_none() {
            let (kind, page) = if self.dictionary_next {
                (DICTIONARY_HEADER, None)
            } else {
                (DATA_HEADER, Some(self.page))
            };
            let header = Header::read(&self.module(kind, page)?)?;
            if self.dictionary_next != (header.kind == KIND_DICTIONARY) {
                return None;
            }
            self.peeked = Some(header);
        }
        self.peeked.as_ref()
    }

    /// Which page comes next; from then on it has been passed.
    fn pass(&mut self) -> Option<(Header, Option<u16>)> {
        self.peek()?;
        let header = self.peeked.take()?;
        if std::mem::take(&mut self.dictionary_next) {
            return Some((header, None));
        }
        let page = self.page;
        self.page = page.checked_add(1)?;
        Some((header, Some(page)))
    }

    /// Passes the next page without opening its content.
    fn skip_page(&mut self) -> Option<()> {
        self.pass()?;
        let length = Input(self.bytes.get(self.at..)?).array().map(u32::from_le_bytes)?;
        let end = self.at.checked_add(4)?.checked_add(length as usize)?;
        self.at = Some(end).filter(|&end| end <= self.bytes.len())?;
        Some(())
    }

    fn is_at_end(&self) -> bool {
        match &self.located {
            Some((.., pages)) => !self.dictionary_next && usize::from(self.page) >= pages.len(),
            None => self.at == self.bytes.len(),
        }
    }

    /// Reads the bytes of the page that comes next, if they are not there.
    fn fetch(&mut self) -> Option<()> {
        let Some((file, start, pages)) = &self.located else { return Some(()) };
        let range = if self.dictionary_next {
            *start..pages.first()?.bytes.start
        } else {
            pages.get(usize::from(self.page))?.bytes.clone()
        };
        let length = range.end.checked_sub(range.start)?;
        self.bytes.resize(usize::try_from(length).ok()?, 0);
        self.at = 0;
        file.read_exact_at(&mut self.bytes, range.start).ok()
    }

    fn next_page(&mut self) -> Option<Page> {
        self.fetch()?;
        let (header, page) = self.pass()?;
        let is_dictionary = page.is_none();
        let data = self.module(if is_dictionary { DICTIONARY } else { DATA }, page)?;
        let data = if self.compressed { unpacked(&data, header.plain_bytes)? } else { data };
        let (buf, num_values) = (Bytes::from(data), header.values);
        Some(if is_dictionary {
            let encoding = header.encoding?;
            Page::DictionaryPage { buf, num_values, encoding, is_sorted: false }
        } else {
            Page::DataPage {
                buf,
                num_values,
                encoding: header.encoding?,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            }
        })
    }
}

/// What a page says of itself.
struct Header {
    kind: i64,
    plain_bytes: usize,
    values: u32,
    encoding: Option<Encoding>,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut header = Self { kind: -1, plain_bytes: 0, values: 0, encoding: None };
        fields(&mut Input(bytes), &mut |id, value| match (id, value) {
            (1, Value::Number(kind)) => header.kind = kind,
            (2, Value::Number(bytes)) => header.plain_bytes = usize::try_from(bytes).unwrap_or(0),
            (5 | 7, Value::Structure(mut of_page)) => {
                fields(&mut of_page, &mut |id, value| match (id, value) {
                    (1, Value::Number(values)) => {
                        header.values = u32::try_from(values).unwrap_or(0);
                    }
                    (2, Value::Number(code)) => header.encoding = encoding(code),
                    _ => {}
                });
            }
            _ => {}
        })?;
        (header.plain_bytes <= PAGE_BYTES_MAX).then_some(header)
    }
}

/// The encodings that segments are written with.
fn encoding(code: i64) -> Option<Encoding> {
    Some(match code {
        0 => Encoding::PLAIN,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        8 => Encoding::RLE_DICTIONARY,
        _ => return None,
    })
}

impl Iterator for Pages {
    type Item = parquet::errors::Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> parquet::errors::Result<Option<Page>> {
        if self.is_at_end() {
            return Ok(None);
        }
        self.next_page().map(Some).ok_or_else(wrong)
    }

    fn peek_next_page(&mut self) -> parquet::errors::Result<Option<PageMetadata>> {
        if self.is_at_end() {
            return Ok(None);
        }
        let is_dict = self.dictionary_next;
        if let Some((.., pages)) = &self.located {
            let page = pages.get(usize::from(self.page)).filter(|_| !is_dict);
            let num_rows = page.map(|page| page.rows.len());
            return Ok(Some(PageMetadata { num_rows, num_levels: None, is_dict }));
        }
        let num_levels = self.peek().ok_or_else(wrong)?.values as usize;
        Ok(Some(PageMetadata { num_rows: None, num_levels: Some(num_levels), is_dict }))
    }

    fn skip_next_page(&mut self) -> parquet::errors::Result<()> {
        if self.located.is_some() && !self.dictionary_next {
            self.page = self.page.checked_add(1).ok_or_else(wrong)?;
            return Ok(());
        }
        self.fetch().and_then(|()| self.skip_page()).ok_or_else(wrong)
    }

    /// Where the file says where pages lie, each begins with a row.
    fn at_record_boundary(&mut self) -> parquet::errors::Result<bool> {
        Ok(self.located.is_some() || self.is_at_end())
    }
}

fn wrong() -> ParquetError {
    ParquetError::General("a page is not what was written".to_owned())
}

const MAGIC: &[u8; 4] = b"PARE";
/// Kinds of module, as the specification numbers them.
const DATA: u8 = 2;
const DICTIONARY: u8 = 3;
const DATA_HEADER: u8 = 4;
const DICTIONARY_HEADER: u8 = 5;
/// `PageType.DICTIONARY_PAGE`.
const KIND_DICTIONARY: i64 = 2;
/// Far over what is written; a page that says more is wrong.
const PAGE_BYTES_MAX: usize = 1 << 30;
