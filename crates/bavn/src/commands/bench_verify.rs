//! `bavn bench verify`: a store of simulated look-ups is made, read again as a whole, and asked for
//! proofs; and a log is appended to by itself.

use super::bench::{TICK_SECONDS, core_seconds, peak_rss_megabytes, print, rss_words};
use super::bench_scope::{Dice, key, load};
use crate::cli::BenchScope;
use crate::error::{CommandError, CommandResult, Kind};
use bavn_store::{Depth, Kek, Opening, Store, append_batches, verify};
use serde::Serialize;
use std::time::Instant;

#[derive(Debug, Default, Serialize)]
struct Measured {
    look_ups: u64,
    load_look_ups_per_second: f64,
    proof_bytes_a_look_up: f64,
    /// Every byte, on one thread.
    bytes: Speed,
    /// Every look-up's entry besides.
    look_ups_too: Speed,
    proof: Proofs,
    /// Of a log by itself, each batch durable and signed for before the next.
    appends_per_second: f64,
    peak_rss_megabytes: Option<f64>,
}

#[derive(Debug, Default, Serialize)]
struct Speed {
    megabytes: f64,
    seconds: f64,
    /// Of a core's time, which others on the machine cannot take away.
    core_seconds: f64,
    megabytes_a_core_second: f64,
}

#[derive(Debug, Default, Serialize)]
struct Proofs {
    milliseconds_p50: f64,
    milliseconds_p99: f64,
    bytes_max: usize,
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn run(arguments: &BenchScope) -> CommandResult {
    let key = key(arguments)?;
    let kek = Kek::read(&key)?;
    let loaded = load(arguments, Kek::read(&key)?)?;
    let bytes = speed(arguments, &kek, Depth::Bytes)?;
    let look_ups_too = speed(arguments, &kek, Depth::LookUps)?;
    let store = Store::open(&arguments.dir, &kek)?;
    let sizes = store.sizes();
    let stored = sizes.columns + sizes.index + sizes.evidence + sizes.names;
    let proof = proofs(&store, arguments.seed)?;
    let log = arguments.dir.join("appended");
    let started = Instant::now();
    append_batches(&log, BATCHES, ENTRIES_A_BATCH)?;
    let appended = started.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&log)?;
    let look_ups = arguments.look_ups;
    let measured = Measured {
        look_ups,
        load_look_ups_per_second: look_ups as f64 / loaded.seconds,
        proof_bytes_a_look_up: (bytes.megabytes * 1e6 - stored as f64) / look_ups as f64,
        bytes,
        look_ups_too,
        proof,
        appends_per_second: (BATCHES * ENTRIES_A_BATCH) as f64 / appended,
        peak_rss_megabytes: peak_rss_megabytes(),
    };
    print(&measured, arguments.json, || in_words(&measured))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn speed(arguments: &BenchScope, kek: &Kek, depth: Depth) -> CommandResult<Speed> {
    let (started, core) = (Instant::now(), core_seconds());
    let found = verify(&arguments.dir, kek, depth, &[])?;
    let (seconds, core_seconds) = (started.elapsed().as_secs_f64(), core_seconds() - core);
    if let Some(fault) = found.faults.first() {
        return Err(CommandError::new(Kind::Integrity, anyhow::anyhow!("{fault}")));
    }
    let megabytes = found.bytes as f64 / 1e6;
    let megabytes_a_core_second = megabytes / core_seconds.max(TICK_SECONDS);
    Ok(Speed { megabytes, seconds, core_seconds, megabytes_a_core_second })
}

/// Proofs of entries all over the log, each from files alone.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn proofs(store: &Store, seed: u64) -> CommandResult<Proofs> {
    let mut dice = Dice(seed);
    let (mut taken, mut bytes_max) = (Vec::with_capacity(PROOFS), 0);
    for _ in 0..PROOFS {
        let started = Instant::now();
        let receipt = store.prove(dice.below(store.as_of().entries), Opening::Hidden)?;
        taken.push(started.elapsed().as_secs_f64() * 1e3);
        bytes_max = bytes_max.max(receipt.text.len());
    }
    taken.sort_by(f64::total_cmp);
    let at = |part: usize| taken.get((PROOFS - 1) * part / 100).copied().unwrap_or_default();
    Ok(Proofs { milliseconds_p50: at(50), milliseconds_p99: at(99), bytes_max })
}

fn in_words(measured: &Measured) -> String {
    let speed = |what: &str, speed: &Speed| {
        format!(
            "\n{what}: {:.0} MB in {:.2} s, {:.2} s of a core: {:.0} MB/s a core",
            speed.megabytes, speed.seconds, speed.core_seconds, speed.megabytes_a_core_second
        )
    };
    format!(
        "{} look-ups loaded at {:.0} look-ups/s; {:.1} bytes a look-up are proof{}{}{}\nproof of an \
         entry: p50 {:.2} ms, p99 {:.2} ms, at most {} bytes\nappended to a log by itself, \
         {ENTRIES_A_BATCH} a batch, each durable: {:.0} entries/s",
        measured.look_ups,
        measured.load_look_ups_per_second,
        measured.proof_bytes_a_look_up,
        rss_words(measured.peak_rss_megabytes),
        speed("every byte verified", &measured.bytes),
        speed("every look-up's entry besides", &measured.look_ups_too),
        measured.proof.milliseconds_p50,
        measured.proof.milliseconds_p99,
        measured.proof.bytes_max,
        measured.appends_per_second,
    )
}

const PROOFS: usize = 1_000;
const BATCHES: u64 = 8;
const ENTRIES_A_BATCH: u64 = 25_000;
