//! Audit records in syslog frames: RFC 5424, octet-counted or newline-framed (RFC 6587), and the
//! older RFC 3164 and files written by log daemons, with or without a priority.
//!
//! Audit messages hold newlines, so a newline ends a message only where the next one's header
//! follows it. A header's time is never the event's.

use crate::Decoded;
use crate::frame::{Block, Endless, RECORD_BYTES_MAX, reject, too_long};
use crate::frame_json;
use crate::frame_xml::XmlStream;
use crate::records::Records;
use bavn_model::RejectReason;
use memchr::{memchr_iter, memmem};

/// Takes syslog messages off blocks.
#[derive(Debug, Default)]
pub(crate) struct Syslog {
    /// A message over the limit is being skipped.
    endless: Option<Endless>,
}

impl Syslog {
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
            let between = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
            let skipped = block.rest().iter().take_while(between).count();
            block.advance(skipped);
            let rest = block.rest();
            if rest.is_empty() {
                return;
            }
            let Some((count, length)) = frame(rest, block.at_end) else {
                if rest.len() <= RECORD_BYTES_MAX {
                    return;
                }
                self.endless = Some(Endless { origin: block.place(), bytes: rest.len() as u64 });
                block.finish();
                return;
            };
            let raw = rest.get(..count + length).unwrap_or_default();
            if raw.len() > RECORD_BYTES_MAX {
                let reason = too_long(raw.len() as u64);
                out.rejects.push(reject(block.place(), raw, reason));
            } else {
                let frame = Block::new(raw, block.place(), true);
                message(frame, count, records, out);
            }
            block.advance(raw.len());
        }
    }

    /// Goes on skipping a message over the limit. False if the block ends before it does.
    fn skip_endless(&mut self, block: &mut Block<'_>, out: &mut Decoded<'_>) -> bool {
        let Some(mut endless) = self.endless.take() else { return true };
        let rest = block.rest();
        let end = match newline_framed(rest, false) {
            Some(end) => end,
            None if block.at_end => rest.len(),
            None => rest.len().saturating_sub(HEADER_BYTES_MIN),
        };
        let ended = end < rest.len().saturating_sub(HEADER_BYTES_MIN) || block.at_end;
        block.advance(end);
        endless.bytes += end as u64;
        if ended {
            out.rejects.push(endless.ended(0));
        } else {
            self.endless = Some(endless);
        }
        ended
    }
}

/// The next message: bytes of its octet count, and bytes behind it. `None` if it is cut.
fn frame(rest: &[u8], at_end: bool) -> Option<(usize, usize)> {
    if let Some((count, length)) = octet_count(rest) {
        match rest.get(count + length..) {
            // A wrong count would cost the next message as well.
            Some(next) if may_follow(next, at_end)? => return Some((count, length)),
            None if !at_end && length <= RECORD_BYTES_MAX => return None,
            _ => {}
        }
        let body = rest.get(count..).unwrap_or_default();
        return newline_framed(body, at_end).map(|length| (count, length));
    }
    newline_framed(rest, at_end).map(|length| (0, length))
}

/// `123 <`: the digits with the space, and the number that they write.
fn octet_count(rest: &[u8]) -> Option<(usize, usize)> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=COUNT_DIGITS_MAX).contains(&digits) || rest.get(digits..digits + 2)? != b" <" {
        return None;
    }
    let number = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    Some((digits + 1, number))
}

/// Whether a message stands here, or nothing more. `None`: too few bytes to tell.
fn may_follow(next: &[u8], at_end: bool) -> Option<bool> {
    let between = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
    let next = next.get(next.iter().take_while(between).count()..).unwrap_or_default();
    if next.len() < HEADER_BYTES_MIN && !at_end {
        return None;
    }
    Some(next.is_empty() || has_priority(next))
}

/// Bytes up to the newline behind which another message's header stands.
fn newline_framed(rest: &[u8], at_end: bool) -> Option<usize> {
    for at in memchr_iter(b'\n', rest) {
        let next = rest.get(at + 1..).unwrap_or_default();
        let blank = next.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let next = next.get(blank..).unwrap_or_default();
        if next.len() < HEADER_BYTES_MIN && !at_end {
            return None;
        }
        if begins_message(next) {
            return Some(at);
        }
    }
    at_end.then_some(rest.len())
}

/// Whether a syslog header stands here: `<85>`, `123 <85>`, or a daemon's time stamp.
pub(crate) fn begins_message(text: &[u8]) -> bool {
    has_priority(text) || begins_with_time(text)
}

/// `<85>` or `123 <85>`: no other format begins so.
pub(crate) fn has_priority(text: &[u8]) -> bool {
    let counted = octet_count(text).map_or(0, |(count, _)| count);
    priority(text.get(counted..).unwrap_or_default()).is_some()
}

/// Length of `<85>`.
fn priority(text: &[u8]) -> Option<usize> {
    let digits = text.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    let framed = text.first() == Some(&b'<') && text.get(digits + 1) == Some(&b'>');
    (framed && (1..=3).contains(&digits)).then_some(digits + 2)
}

/// `Mar  5 12:52:31 ` or `2015-03-05T12:52:31`.
fn begins_with_time(text: &[u8]) -> bool {
    const SHAPES: [&[u8]; 2] = [b"Aaa d0 00:00:00 ", b"0000-00-00T00:00:00"];
    SHAPES.iter().any(|shape| {
        text.get(..shape.len()).is_some_and(|head| {
            head.iter().zip(*shape).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                b'd' => byte.is_ascii_digit() || *byte == b' ',
                b'A' => byte.is_ascii_uppercase(),
                b'a' => byte.is_ascii_lowercase(),
                literal => byte == literal,
            })
        })
    })
}

/// Reads the record in one message; `count` bytes of octet count stand before it.
fn message<'a>(mut frame: Block<'a>, count: usize, records: &mut Records, out: &mut Decoded<'a>) {
    let (origin, raw) = (frame.place(), frame.rest());
    let (records_before, rejects_before) = (out.records.len(), out.rejects.len());
    let text = raw.get(count..).unwrap_or_default();
    let header = header_bytes(text);
    let body = text.get(header..).unwrap_or_default();
    frame.advance(count + header + payload_start(body));
    match frame.rest().first() {
        Some(b'<') => XmlStream::default().decode(&mut frame, records.skeletons(), out),
        Some(b'{' | b'[') => frame_json::document(&mut frame, records, out, 0),
        _ => {}
    }
    for record in out.records.iter_mut().skip(records_before) {
        let place = bavn_model::Origin { entry: record.origin.entry, ..origin };
        record.origin = place.spanning(raw);
    }
    for found in out.rejects.iter_mut().skip(rejects_before) {
        found.origin = bavn_model::Origin { entry: found.origin.entry, ..origin };
        found.bytes = raw.len() as u64;
    }
    if (out.records.len(), out.rejects.len()) == (records_before, rejects_before) {
        out.rejects.push(reject(origin, raw, RejectReason::OtherResource));
    }
}

/// Bytes of the header, so that nothing in it is taken for the record: structured data may hold any
/// text.
fn header_bytes(text: &[u8]) -> usize {
    let Some(priority) = priority(text) else { return 0 };
    let rfc5424 = text.get(priority..priority + 2) == Some(b"1 ");
    if !rfc5424 {
        return priority;
    }
    // Time, host, application, process and kind of message.
    let mut at = priority + 2;
    for _ in 0..5 {
        let rest = text.get(at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b' ') else { return priority };
        at += length + 1;
    }
    let mut in_quotes = false;
    let mut in_element = false;
    let mut escaped = false;
    for &byte in text.get(at..).unwrap_or_default() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' if in_element => in_quotes = !in_quotes,
            b'[' if !in_quotes => in_element = true,
            b']' if !in_quotes => in_element = false,
            // Ends at a space; where it was left out, the message begins at once.
            b' ' | b'<' | b'{' if !in_element => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Where the record begins in a message without its header.
fn payload_start(body: &[u8]) -> usize {
    // Nearly always at once, and then the rest need not be searched.
    let blank = body.iter().take_while(|byte| **byte == b' ').count();
    let text = body.get(blank..).unwrap_or_default();
    if [b"<AuditMessage".as_slice(), b"<?xml", b"{"].iter().any(|mark| text.starts_with(mark)) {
        return blank;
    }
    let xml = [b"<?xml".as_slice(), b"<AuditMessage", b"<AuditEvent", b":AuditMessage"]
        .iter()
        .filter_map(|mark| memmem::find(body, mark))
        .min()
        .map(|at| {
            let head = body.get(..=at).unwrap_or_default();
            head.iter().rposition(|&byte| byte == b'<').unwrap_or(at)
        });
    let json = body.iter().position(|&byte| byte == b'{');
    match (xml, json) {
        (Some(xml), Some(json)) => xml.min(json),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => body.iter().position(|&byte| byte == b'<').unwrap_or(body.len()),
    }
}

/// Ten digits write more than any message holds.
const COUNT_DIGITS_MAX: usize = 9;
/// Enough bytes to tell a header from a message's next line.
const HEADER_BYTES_MIN: usize = 32;
