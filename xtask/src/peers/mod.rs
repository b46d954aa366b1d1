//! How fast is bavn beside its peers, in the same run?
//!
//! Absolute figures of a busy machine mean little; the ratio of medians of runs that alternate
//! does. `DuckDB` comes into a virtual environment under cargo's folder; without Python it is skipped.

mod records;
mod scope;

pub(crate) use scope::{Size, growth, run as run_scope};

use crate::{product, shell};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Times bavn and `DuckDB` in turns; whether every bar is met. A skipped peer meets it unless all
/// are required.
pub(crate) fn run(require_all: bool) -> Result<bool> {
    let bavn = product::released()?;
    let folder = product::scratch(&bavn, "peers")?;
    let Some(python) = python(&folder, "duckdb", "duckdb>=2,<3") else {
        println!("skipped: DuckDB needs python3 with venv and pip");
        return Ok(!require_all);
    };
    let shapes = std::fs::read_to_string(shell::root().join("xtask/data/audit_shapes.ndjson"))?;
    let file = folder.join("records.ndjson");
    let written = records::write(&file, &shapes, BYTES_MIN, SEED)?;
    println!(
        "{} records, {} MB, {} shapes and others never seen before",
        written.records,
        written.bytes / 1_000_000,
        shapes.lines().count()
    );
    if !reads_all(&bavn, &file, written.records)? {
        return Ok(false);
    }
    let region = folder.join("region");
    drill(&bavn, &region)?;
    let events = ndjson_files(&region.join("events"))?;

    let mut decode = Race::new("decode", DECODE_TIMES_MIN);
    let mut watch = Race::new("watch", WATCH_TIMES_MIN);
    for turn in 1..=TURNS {
        decode.peer.push(duckdb(&python, std::slice::from_ref(&file))?);
        decode.ours.push(events_per_second(&bench(&bavn, &["decode"], &file)?)?);
        watch.peer.push(duckdb(&python, &events)?);
        watch.ours.push(events_per_second(&bench(&bavn, &["watch"], &region)?)?);
        println!("turn {turn} of {TURNS}: {}; {}", decode.last(), watch.last());
    }
    let met = [decode.report(), watch.report(), run_scope(SCOPE_SIZE, require_all)?];
    Ok(met.iter().all(|met| *met))
}

/// Events a second of two programs on the same work, run by run.
struct Race {
    name: &'static str,
    times_min: f64,
    ours: Vec<f64>,
    peer: Vec<f64>,
}

impl Race {
    fn new(name: &'static str, times_min: f64) -> Self {
        Self { name, times_min, ours: Vec::new(), peer: Vec::new() }
    }

    fn last(&self) -> String {
        let of = |runs: &[f64]| runs.last().copied().unwrap_or_default();
        format!("{} {:.0} against {:.0} events/s", self.name, of(&self.ours), of(&self.peer))
    }

    fn report(&self) -> bool {
        let ratio = median(&self.ours) / median(&self.peer);
        let met = ratio >= self.times_min;
        println!(
            "{}: {:.0} events/s, DuckDB's reading {:.0}: {ratio:.2} times (bar {}) {}",
            self.name,
            median(&self.ours),
            median(&self.peer),
            self.times_min,
            if met { "ok" } else { "MISSED" }
        );
        met
    }
}

fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Python with a module, of a package that is installed if need be, in an environment beside the folder.
pub(crate) fn python(folder: &Path, module: &str, package: &str) -> Option<PathBuf> {
    let python = venv(folder)?;
    has(&python, module, package).then_some(python)
}

/// A Python of our own beside the folder, or none when this machine cannot make one.
pub(crate) fn venv(folder: &Path) -> Option<PathBuf> {
    let venv = folder.with_file_name("venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        shell::output(Command::new("python3").args(["-m", "venv"]).arg(&venv)).ok()?;
    }
    Some(python)
}

/// Whether the module can be imported, if need be after its package has been installed.
fn has(python: &Path, module: &str, package: &str) -> bool {
    let import = format!("import {module}");
    let is_there = || shell::output(Command::new(python).args(["-c", &import])).is_ok();
    let install = ["-m", "pip", "install", "--quiet", package];
    is_there() || (shell::output(Command::new(python).args(install)).is_ok() && is_there())
}

/// Events a second of `DuckDB`, start of the program not counted.
fn duckdb(python: &Path, files: &[PathBuf]) -> Result<f64> {
    let script = shell::root().join("xtask/data/duckdb_read.py");
    let text = shell::output(Command::new(python).arg(script).args(files))?;
    let said: Value = serde_json::from_str(&text).context("DuckDB's script wrote no JSON")?;
    let (records, seconds) = (said["records"].as_f64(), said["seconds"].as_f64());
    let (records, seconds) = records.zip(seconds).context("DuckDB's script gave no figures")?;
    Ok(records / seconds)
}

/// Whether every record is delivered whole: as many as were written, and the fast path's digest
/// that of the full parser.
fn reads_all(bavn: &Path, file: &Path, records: u64) -> Result<bool> {
    let fast = bench(bavn, &["decode"], file)?;
    let slow = bench(bavn, &["decode", "--slow"], file)?;
    let complete = fast["events"].as_u64() == Some(records) && fast["digest"] == slow["digest"];
    println!(
        "decode: {} of {records} records, digest {} against the full parser's {}: {}",
        fast["events"],
        fast["digest"],
        slow["digest"],
        if complete { "ok" } else { "FAILED" }
    );
    Ok(complete)
}

/// What `bavn bench WORK PATH` measured.
fn bench(bavn: &Path, work: &[&str], path: &Path) -> Result<Value> {
    let mut command = Command::new(bavn);
    let text = shell::output(command.arg("bench").args(work).arg("--json").arg(path))?;
    serde_json::from_str(&text).context("`bavn bench` wrote no JSON")
}

fn events_per_second(measured: &Value) -> Result<f64> {
    measured["events_per_second"].as_f64().context("`bavn bench` gave no `events_per_second`")
}

/// A region with a theft in it, large enough that starting up does not count.
fn drill(bavn: &Path, region: &Path) -> Result<()> {
    let mut command = Command::new(bavn);
    command.arg("drill").args(REGION).arg("--out").arg(region);
    shell::output(&mut command).map(drop)
}

/// What `DuckDB` can read of a region: its NDJSON.
fn ndjson_files(events: &Path) -> Result<Vec<PathBuf>> {
    let mut files = shell::files(events)?;
    files.retain(|path| path.to_string_lossy().contains(".ndjson"));
    Ok(files)
}

/// How many times as fast as `DuckDB`'s reading bavn must be.
const DECODE_TIMES_MIN: f64 = 6.0;
const WATCH_TIMES_MIN: f64 = 2.5;

/// Of the density of a region, at a size that any machine bears; a region has ten times as many.
const SCOPE_SIZE: Size = Size { look_ups: 20_000_000, days: 6 };
const TURNS: usize = 5;
const BYTES_MIN: u64 = 500_000_000;
const SEED: u64 = 20_261_123;
const REGION: &[&str] =
    &["--staff", "2000", "--patients", "100000", "--days", "10", "--seed", "20261123"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides() {
        let mut race = Race::new("decode", 2.0);
        race.ours = vec![30.0, 1.0, 20.0];
        race.peer = vec![9.0, 10.0, 500.0];
        assert!(race.report());
        race.peer = vec![10.1, 10.1, 10.1];
        assert!(!race.report());
    }
}
