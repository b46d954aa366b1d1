//! `bavn bench`: speed and memory of the real work, for comparison with a peer in the same run.

use super::formats::mappings;
use super::watch::Plan;
use crate::cli::{BenchDecode, BenchWatch, ContextPaths};
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::{Family, Formats, Input, expand};
use anyhow::Context as _;
use bavn_decode::{Decoded, Decoder, Format, Mappings};
use bavn_detect::OcsfOptions;
use bavn_model::{Origin, Reject};
use memchr::memchr;
use serde::Serialize;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

#[derive(Debug, Default, Serialize)]
struct Decoding {
    threads: usize,
    events: u64,
    rejects: u64,
    /// Sum of the records' digests, so that it is the same in any order.
    digest: String,
    seconds: f64,
    events_per_second: f64,
    megabytes_per_second: f64,
    peak_rss_megabytes: Option<f64>,
}

/// Decodes a plain NDJSON file on several threads, each taking the next stretch of it.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn decode(arguments: &BenchDecode) -> CommandResult {
    let bytes = std::fs::metadata(&arguments.file)
        .with_context(|| format!("`{}` cannot be read", arguments.file.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?
        .len();
    let mappings = Arc::new(Mappings::default());
    let next = AtomicU64::new(0);
    let threads = arguments.threads.max(1);
    let started = Instant::now();
    let parts: Vec<CommandResult<Part>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&arguments.file, bytes, &next, &mappings, arguments.slow)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let mut whole = Part::default();
    for part in parts {
        let part = part?;
        whole.events += part.events;
        whole.rejects += part.rejects;
        whole.digest = whole.digest.wrapping_add(part.digest);
    }
    let result = Decoding {
        threads,
        events: whole.events,
        rejects: whole.rejects,
        digest: format!("{:016x}", whole.digest),
        seconds,
        events_per_second: whole.events as f64 / seconds,
        megabytes_per_second: bytes as f64 / seconds / 1e6,
        peak_rss_megabytes: peak_rss_megabytes(),
    };
    print(&result, arguments.json, || {
        format!(
            "{} events, {} rejects, digest {} in {:.2} s on {} threads: {:.0} events/s, {:.0} MB/s{}",
            result.events,
            result.rejects,
            result.digest,
            result.seconds,
            result.threads,
            result.events_per_second,
            result.megabytes_per_second,
            rss_words(result.peak_rss_megabytes),
        )
    })
}

#[derive(Debug, Default)]
struct Part {
    events: u64,
    rejects: u64,
    digest: u64,
}

fn work(
    path: &Path,
    bytes: u64,
    next: &AtomicU64,
    mappings: &Arc<Mappings>,
    slow: bool,
) -> CommandResult<Part> {
    let fail = |error: std::io::Error| CommandError::new(Kind::Input, error);
    let mut file = File::open(path).map_err(fail)?;
    let mut decoder = Decoder::new(Format::Lines, Arc::clone(mappings), 0, "");
    let mut part = Part::default();
    let mut block = Vec::new();
    let mut usual = 0;
    loop {
        let start = next.fetch_add(STRETCH_BYTES, Ordering::Relaxed);
        if start >= bytes {
            return Ok(part);
        }
        let begin = read_stretch(&mut file, start, bytes, &mut block).map_err(fail)?;
        let lines = block.get(begin..).unwrap_or_default();
        let mut decoded = Decoded::default();
        decoded.records.reserve(usual);
        if slow {
            full_parser_alone(lines, &mut decoded);
        } else {
            decoder.decode(lines, true, &mut decoded);
        }
        usual = decoded.records.len();
        part.events += decoded.records.len() as u64;
        part.rejects += decoded.rejects.len() as u64;
        for record in &mut decoded.records {
            // Stretches are taken by whichever thread is free, so lines are not counted.
            record.origin = Origin::default();
            part.digest = part.digest.wrapping_add(bavn_decode::digest(record));
        }
    }
}

/// What the fast path must equal: each line parsed whole.
fn full_parser_alone<'a>(lines: &'a [u8], out: &mut Decoded<'a>) {
    for line in lines.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() {
            continue;
        }
        let origin = Origin::default();
        match bavn_decode::fhir::read_json(line, origin) {
            Ok(record) => out.records.push(record),
            Err(reason) => out.rejects.push(Reject { origin, bytes: line.len() as u64, reason }),
        }
    }
}

/// The lines that begin in `start..start + STRETCH_BYTES`, and where in `block` they begin.
fn read_stretch(
    file: &mut File,
    start: u64,
    bytes: u64,
    block: &mut Vec<u8>,
) -> std::io::Result<usize> {
    // One byte earlier, to see whether a line begins exactly at `start`.
    let from = start.saturating_sub(1);
    file.seek(SeekFrom::Start(from))?;
    // Kept at its length from stretch to stretch, so that it is cleared only once.
    block.resize((start + STRETCH_BYTES).min(bytes).saturating_sub(from) as usize, 0);
    file.read_exact(block)?;
    let mut probe = Vec::new();
    while !block.ends_with(b"\n") && from + (block.len() as u64) < bytes {
        probe.clear();
        file.take(LINE_PROBE_BYTES).read_to_end(&mut probe)?;
        let line_end = memchr(b'\n', &probe).map_or(probe.len(), |at| at + 1);
        block.extend_from_slice(probe.get(..line_end).unwrap_or_default());
        if line_end < probe.len() {
            break;
        }
    }
    let cut = start > 0;
    Ok(if cut { memchr(b'\n', block).map_or(block.len(), |at| at + 1) } else { 0 })
}

#[derive(Serialize)]
struct Watching<'a> {
    #[serde(flatten)]
    summary: &'a super::watch::Summary,
    peak_rss_megabytes: Option<f64>,
}

/// The whole `watch`, with every detector and all context, its alarms counted and thrown away.
pub(crate) fn watch(arguments: &BenchWatch) -> CommandResult {
    let below = |name: &str| arguments.dir.join(name).display().to_string();
    let inputs: Vec<Input> = expand(&[below("events")])?;
    let formats = Formats { family: Family::Any, mappings: Arc::new(mappings(&[] as &[&Path])?) };
    let context = ContextPaths { context: vec![below("context")], ..ContextPaths::default() };
    let plan = Plan {
        keeper: None,
        saved: None,
        desk: None,
        watchers: &crate::watchers::Watchers::default(),
        muted: &[],
        inputs: &inputs,
        formats: &formats,
        context: &context,
        budget: 2.0,
        rejects: None,
        options: OcsfOptions::default(),
        progress: false,
    };
    let watched = plan.watch(|_line| Ok(()))?;
    let rss = peak_rss_megabytes();
    print(&Watching { summary: &watched.summary, peak_rss_megabytes: rss }, arguments.json, || {
        format!(
            "{}; {:.0} MB/s{}",
            watched.summary,
            watched.summary.bytes as f64 / watched.summary.seconds / 1e6,
            rss_words(rss)
        )
    })
}

pub(super) fn print(
    result: &impl Serialize,
    as_json: bool,
    words: impl Fn() -> String,
) -> CommandResult {
    let line = if as_json { serde_json::to_string(result)? } else { words() };
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

pub(super) fn rss_words(megabytes: Option<f64>) -> String {
    megabytes.map_or_else(String::new, |megabytes| format!(", peak memory {megabytes:.0} MB"))
}

/// `VmHWM` of this process; None where there is no `/proc`.
pub(super) fn peak_rss_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1_000.0)
}

/// User and system time of this process so far; 0 where there is no `/proc`.
pub(super) fn core_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in brackets, may hold blanks; user and system time are fields 14 and 15.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * TICK_SECONDS
}

/// Stays in a core's cache while it is decoded.
const STRETCH_BYTES: u64 = 128 << 10;
/// How much is read at a time to find the end of a stretch's last line.
const LINE_PROBE_BYTES: u64 = 1 << 13;
/// Linux counts a process's time in hundredths of a second.
pub(super) const TICK_SECONDS: f64 = 0.01;
