//! Limits: what is refused at one past them, what it costs, and what stands beside it.

use bavn_decode::{Decoded, Decoder, Format, Mappings, RECORD_BYTES_MAX, SniffError, sniff};
use bavn_model::RejectReason;
use std::sync::Arc;

const EVENT: &str =
    r#"{"resourceType":"AuditEvent","recorded":"2024-03-01T08:00:00Z","agent":[],"x":""}"#;
const MESSAGE: &str = "<AuditMessage><EventIdentification EventDateTime='2024-03-01T08:00:00Z'/>\
                       <ActiveParticipant UserID=''/></AuditMessage>";

/// `record` with text put in before its last `mark`, so that it is `bytes` long.
fn stretched(record: &str, mark: &str, bytes: usize) -> String {
    let at = record.rfind(mark).unwrap();
    let mut text = record.to_owned();
    text.insert_str(at, &"x".repeat(bytes - record.len()));
    text
}

/// What becomes of a stream read as an edge does: in blocks, with what was not taken put before
/// the next. Also the most bytes that were held.
fn decode(format: &Format, stream: &[u8]) -> (usize, Vec<(u64, u64, RejectReason)>, usize) {
    let mut decoder = Decoder::new(format.clone(), Arc::new(Mappings::default()), 0, "");
    let (mut records, mut rejects, mut held_max) = (0, Vec::new(), 0);
    let mut held: Vec<u8> = Vec::new();
    let mut blocks = stream.chunks(BLOCK_BYTES).peekable();
    while let Some(block) = blocks.next() {
        held.extend_from_slice(block);
        held_max = held_max.max(held.len());
        let at_end = blocks.peek().is_none();
        let taken = {
            let mut out = Decoded::default();
            let taken = decoder.decode(&held, at_end, &mut out);
            records += out.records.len();
            let told = std::mem::take(&mut out.rejects).into_iter();
            rejects.extend(told.map(|told| (told.origin.line, told.bytes, told.reason)));
            taken
        };
        held.drain(..taken);
    }
    assert!(held.is_empty(), "{} bytes were left", held.len());
    (records, rejects, held_max)
}

#[test]
fn a_record_at_the_limit_is_read_and_one_past_it_is_not() {
    let frame = |message: &str| format!("<85>1 - - - - - - {message}");
    let header = frame("").len();
    for (format, record) in [
        (Format::Lines, stretched(EVENT, "\"}", RECORD_BYTES_MAX)),
        (Format::Json, stretched(EVENT, "\"}", RECORD_BYTES_MAX)),
        (Format::Xml, stretched(MESSAGE, "'/>", RECORD_BYTES_MAX)),
        (Format::Syslog, frame(&stretched(MESSAGE, "'/>", RECORD_BYTES_MAX - header))),
    ] {
        let (records, rejects, _) = decode(&format, record.as_bytes());
        assert_eq!((records, rejects.len()), (1, 0), "{}", format.name());

        let mark = if matches!(format, Format::Lines | Format::Json) { "\"}" } else { "'/>" };
        let longer = stretched(&record, mark, RECORD_BYTES_MAX + 1);
        let (records, rejects, _) = decode(&format, longer.as_bytes());
        let bytes = RECORD_BYTES_MAX as u64 + 1;
        let refused = RejectReason::TooLong { bytes, bytes_max: RECORD_BYTES_MAX as u64 };
        assert_eq!((records, rejects), (0, vec![(1, bytes, refused)]), "{}", format.name());
    }
}

#[test]
fn an_endless_record_costs_a_counter_and_not_its_neighbours() {
    let long = 3 * RECORD_BYTES_MAX;
    for (format, neighbour, endless) in [
        (Format::Lines, EVENT.to_owned(), stretched(EVENT, "\"}", long)),
        (Format::Xml, MESSAGE.to_owned(), stretched(MESSAGE, "'/>", long)),
        (
            Format::Syslog,
            format!("<85>1 - - - - - - {MESSAGE}"),
            format!("<85>1 - - - - - - {}", stretched(MESSAGE, "'/>", long)),
        ),
    ] {
        let stream = [&*neighbour, &endless, &neighbour].join("\n");
        let (records, rejects, held_max) = decode(&format, stream.as_bytes());
        assert_eq!(records, 2, "{}", format.name());
        let [(2, bytes, RejectReason::TooLong { .. })] = rejects[..] else {
            panic!("{}: {rejects:?}", format.name());
        };
        assert!(bytes >= endless.len() as u64, "{}: {bytes} bytes told", format.name());
        assert!(held_max <= RECORD_BYTES_MAX + 2 * BLOCK_BYTES, "{}: {held_max}", format.name());
    }
}

#[test]
fn nesting_of_any_depth_is_refused_and_not_followed() {
    let deep = 100_000;
    let json = format!("{}\n{EVENT}\n", "{\"a\":[".repeat(deep));
    let (records, rejects, _) = decode(&Format::Lines, json.as_bytes());
    assert_eq!((records, rejects.len()), (1, 1));
    assert!(matches!(rejects[0].2, RejectReason::TooDeep { .. }));

    let closed = format!("{}1{}", "[".repeat(deep), "]".repeat(deep));
    for format in [Format::Lines, Format::Json] {
        let (records, rejects, _) = decode(&format, closed.as_bytes());
        assert_eq!((records, rejects.len()), (0, 1));
        assert!(matches!(rejects[0].2, RejectReason::TooDeep { .. }));
    }

    let inside = format!("<AuditMessage>{}</AuditMessage>\n{MESSAGE}", "<a>".repeat(deep));
    let (records, rejects, _) = decode(&Format::Xml, inside.as_bytes());
    assert_eq!((records, rejects.len()), (1, 1));
    assert!(matches!(rejects[0].2, RejectReason::TooDeep { .. }));

    // Around the records depth is only counted.
    let around = format!("{}{MESSAGE}{}", "<a>".repeat(deep), "</a>".repeat(deep));
    assert_eq!(decode(&Format::Xml, around.as_bytes()).0, 1);
}

#[test]
fn formats_are_told_from_content() {
    let name = |text: &str| sniff("x", text.as_bytes(), &Mappings::default()).map(|f| f.name());
    let pretty = "{\n \"resourceType\": \"AuditEvent\"\n}";
    for (text, expected) in [
        (EVENT.to_owned(), "JSON lines"),
        (format!("{EVENT}\n{EVENT}\n"), "JSON lines"),
        (format!("\u{feff}\r\n{EVENT}"), "JSON lines"),
        (format!("{}\n{EVENT}\n", EVENT.get(..40).unwrap()), "JSON lines"),
        (format!("[]\n{EVENT}\n"), "JSON lines"),
        (pretty.to_owned(), "JSON"),
        (format!("{pretty}\n{pretty}"), "JSON"),
        (pretty.get(..20).unwrap().to_owned(), "JSON"),
        (format!("[{EVENT}]"), "JSON"),
        (
            format!(
                "{{\"resourceType\":\"Bundle\",\"entry\":[\n{{\"resource\":{EVENT}}},\n{{\"resource\":{EVENT}}}\n]}}"
            ),
            "JSON",
        ),
        (MESSAGE.to_owned(), "XML"),
        (format!(" <?xml version='1.0'?>{MESSAGE}"), "XML"),
        (format!("<85>1 - - - - - - {MESSAGE}"), "syslog"),
        (format!("120 <85>1 - - - - - - {MESSAGE}"), "syslog"),
        (format!("Mar  1 08:00:00 host app: {MESSAGE}"), "syslog"),
    ] {
        assert_eq!(name(&text), Ok(expected), "{text}");
    }
    assert_eq!(name(" \n"), Err(SniffError::Empty));
    assert_eq!(name("Dear all"), Err(SniffError::Unknown));
    let utf_16: Vec<u8> = MESSAGE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = sniff("x", &utf_16, &Mappings::default()).map(|f| f.name());
    assert_eq!(refused, Err(SniffError::Encoding { name: "UTF-16" }));
}

#[test]
fn blocks_cut_at_lines_can_be_decoded_apart() {
    let lines = format!("{EVENT}\n\n{EVENT}\n");
    let at = lines.rfind("{\"res").unwrap();
    let mut decoder =
        Decoder::new(Format::Lines, Arc::new(Mappings::default()), 7, "").at(3, at as u64);
    let mut out = Decoded::default();
    decoder.decode(&lines.as_bytes()[at..], true, &mut out);
    let origin = out.records[0].origin;
    assert_eq!((origin.file, origin.line, origin.byte_offset), (7, 3, at as u64));
}

const BLOCK_BYTES: usize = 4 << 20;
