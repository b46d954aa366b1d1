//! One JSON value a line.

use crate::Decoded;
use crate::frame::{Block, Endless, RECORD_BYTES_MAX, reject, too_long};
use crate::records::Records;
use bavn_model::{Origin, RejectReason};
use memchr::memchr;

/// Takes lines off blocks.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// A line over the limit is being skipped.
    endless: Option<Endless>,
}

impl Lines {
    pub(crate) fn decode<'a>(
        &mut self,
        block: &mut Block<'a>,
        records: &mut Records,
        out: &mut Decoded<'a>,
    ) {
        if !self.skip_endless(block, out) {
            return;
        }
        loop {
            let rest = block.rest();
            let place = block.place();
            let Some(length) = memchr(b'\n', rest) else {
                self.last_line(block, records, out);
                return;
            };
            let line = rest.get(..length).unwrap_or_default();
            line_record(line, place, records, out);
            block.advance_line(length + 1);
        }
    }

    /// What stands after the last line end of the block.
    fn last_line<'a>(
        &mut self,
        block: &mut Block<'a>,
        records: &mut Records,
        out: &mut Decoded<'a>,
    ) {
        let (rest, place) = (block.rest(), block.place());
        if block.at_end {
            line_record(rest, place, records, out);
        } else if rest.len() > RECORD_BYTES_MAX {
            self.endless = Some(Endless { origin: place, bytes: rest.len() as u64 });
        } else {
            return;
        }
        block.finish();
    }

    /// Goes on skipping a line over the limit. False if the block ends before the line does.
    fn skip_endless(&mut self, block: &mut Block<'_>, out: &mut Decoded<'_>) -> bool {
        let Some(endless) = self.endless.take() else { return true };
        let rest = block.rest();
        match memchr(b'\n', rest) {
            Some(length) => {
                out.rejects.push(endless.ended(length));
                block.advance_line(length + 1);
                true
            }
            None if block.at_end => {
                out.rejects.push(endless.ended(rest.len()));
                block.finish();
                false
            }
            None => {
                self.endless =
                    Some(Endless { bytes: endless.bytes + rest.len() as u64, ..endless });
                block.finish();
                false
            }
        }
    }
}

fn line_record<'a>(line: &'a [u8], place: Origin, records: &mut Records, out: &mut Decoded<'a>) {
    let start = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let trimmed = line.trim_ascii();
    // Only at the start of the file, but writers also concatenate files that have one.
    let text = trimmed.strip_prefix(b"\xef\xbb\xbf").unwrap_or(trimmed);
    let start = start + trimmed.len() - text.len();
    if text.is_empty() {
        return;
    }
    let mut origin = Origin { byte_offset: place.byte_offset + start as u64, ..place };
    if text.len() > RECORD_BYTES_MAX {
        out.rejects.push(reject(origin, text, too_long(text.len() as u64)));
        return;
    }
    // A writer that crashed leaves NUL bytes, and goes on behind them.
    let nul = text.iter().take_while(|&&byte| byte == 0).count();
    let (lost, text) = text.split_at_checked(nul).unwrap_or((text, &[]));
    if !lost.is_empty() {
        let malformed = RejectReason::Malformed { format: "JSON", at: 0 };
        out.rejects.push(reject(origin, lost, malformed));
        origin.byte_offset += nul as u64;
    }
    if !text.is_empty() {
        records.line(text, origin, out);
    }
}
