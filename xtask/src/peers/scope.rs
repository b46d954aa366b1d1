//! Whose records, and who read this one: bavn beside `ClickHouse` and `DuckDB` on the same rows.
//!
//! Each peer holds the rows twice, sorted by reader and by patient, since one copy answers one direction
//! only; as numbers, which is its best case: bavn takes names, encrypts, indexes and proves.

use super::{has, venv};
use crate::{product, shell};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// How many look-ups, over how many days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) look_ups: u64,
    pub(crate) days: u64,
}

impl Size {
    /// `LOOK-UPS/DAYS`, such as `214000000/60`.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let (look_ups, days) = text.split_once('/').context("write LOOK-UPS/DAYS")?;
        Ok(Self { look_ups: look_ups.parse()?, days: days.parse()? })
    }
}

/// What one program needed.
#[derive(Debug)]
struct Figures {
    name: String,
    load_seconds: f64,
    bytes_a_look_up: f64,
    scope_ms: f64,
    readers_ms: f64,
    union_ms: f64,
}

/// Prints a table; whether every bar is met, as far as peers are there.
pub(crate) fn run(size: Size, require_all: bool) -> Result<bool> {
    let bavn = product::released()?;
    let folder = product::scratch(&bavn, "scope-peers")?;
    let (rows, questions) = (folder.join("rows.csv"), folder.join("questions.json"));
    println!(
        "{} look-ups of {} days by {STAFF} staff of {PATIENTS} patients{}",
        size.look_ups,
        size.days,
        if size.look_ups < REGION { "; the region of 60 days has 214 million" } else { "" }
    );
    let ours = ours(&bavn, size, &folder, &rows, &questions)?;
    let mut peers = Vec::new();
    for (engine, package, name) in PEERS {
        match peer(engine, package, name, size, &folder, &rows, &questions) {
            Ok(figures) => peers.push(figures),
            Err(why) => println!("skipped: {name}: {why:#}"),
        }
    }
    let all_there = peers.len() == PEERS.len();
    let met = table(&ours, &peers);
    std::fs::remove_dir_all(&folder)?;
    Ok(met && (all_there || !require_all))
}

/// Times to answer as the store grows: the same number of look-ups a day, more days.
pub(crate) fn growth(size: Size) -> Result<bool> {
    let bavn = product::released()?;
    println!("days  look-ups    scope      readers    40 readers  (answer: patients)");
    for times in [1, 2, 4] {
        let folder = product::scratch(&bavn, "scope-growth")?;
        let size = Size { look_ups: size.look_ups * times, days: size.days * times };
        let said = bench(&bavn, size, &folder.join("store"), None)?;
        let milliseconds = |what: &str| number(&said[what]["milliseconds_p50"]);
        println!(
            "{:>4}  {:>9}  {:>6.2} ms  {:>6.2} ms  {:>6.2} ms   {} and {}",
            size.days,
            size.look_ups,
            milliseconds("scope")?,
            milliseconds("readers")?,
            milliseconds("union")?,
            said["scope"]["answer"],
            said["union"]["answer"],
        );
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(true)
}

fn bench(bavn: &Path, size: Size, store: &Path, rows: Option<&Path>) -> Result<Value> {
    let mut command = Command::new(bavn);
    command.args(["bench", "scope", "--json"]);
    command.args(["--look-ups", &size.look_ups.to_string(), "--days", &size.days.to_string()]);
    command.args(["--staff", &STAFF.to_string(), "--patients", &PATIENTS.to_string()]);
    if let Some(rows) = rows {
        command.arg("--rows").arg(rows);
    }
    let text = shell::output(command.arg(store))?;
    serde_json::from_str(&text).context("`bavn bench scope` wrote no JSON")
}

fn ours(bavn: &Path, size: Size, folder: &Path, rows: &Path, questions: &Path) -> Result<Figures> {
    let said = bench(bavn, size, &folder.join("store"), Some(rows))?;
    std::fs::write(questions, serde_json::to_vec(&said["asked"])?)?;
    let bytes = &said["bytes_a_look_up"];
    Ok(Figures {
        name: "bavn".to_owned(),
        load_seconds: number(&said["load_seconds"])?,
        bytes_a_look_up: number(&bytes["columns"])? + number(&bytes["index"])?,
        scope_ms: number(&said["scope"]["milliseconds_p50"])?,
        readers_ms: number(&said["readers"]["milliseconds_p50"])?,
        union_ms: number(&said["union"]["milliseconds_p50"])?,
    })
}

fn peer(
    engine: &str,
    package: &str,
    name: &str,
    size: Size,
    folder: &Path,
    rows: &Path,
    questions: &Path,
) -> Result<Figures> {
    let python = venv(folder).context("it needs python3 with venv and pip")?;
    if !has(&python, engine_module(engine), package) {
        anyhow::bail!("`pip install {package}` does not work here");
    }
    let place = folder.join(engine);
    std::fs::create_dir_all(&place)?;
    let script = shell::root().join("xtask/data/scope_peers.py");
    let mut command = Command::new(python);
    command.arg(script).arg(engine).arg(rows).arg(questions).arg(&place);
    let text = shell::output(&mut command)?;
    let said: Value = serde_json::from_str(&text).context("the peer's script wrote no JSON")?;
    let version = said["version"].as_str().unwrap_or_default();
    Ok(Figures {
        name: format!("{name} {version}"),
        load_seconds: number(&said["load_seconds"])?,
        bytes_a_look_up: number(&said["bytes"])? / size.look_ups as f64,
        scope_ms: number(&said["scope_ms"])?,
        readers_ms: number(&said["readers_ms"])?,
        union_ms: number(&said["union_ms"])?,
    })
}

fn engine_module(engine: &str) -> &str {
    if engine == "clickhouse" { "chdb" } else { engine }
}

fn number(value: &Value) -> Result<f64> {
    value.as_f64().context("a figure is missing")
}

/// Whether bavn meets its bars against the first peer, `ClickHouse`.
fn table(ours: &Figures, peers: &[Figures]) -> bool {
    println!(
        "{:<18} {:>12} {:>12} {:>12} {:>10} {:>9}",
        "", "5 readers", "1 patient", "40 readers", "load", "bytes"
    );
    for of in std::iter::once(ours).chain(peers) {
        println!(
            "{:<18} {:>9.2} ms {:>9.2} ms {:>9.2} ms {:>8.1} s {:>9.1}",
            of.name, of.scope_ms, of.readers_ms, of.union_ms, of.load_seconds, of.bytes_a_look_up
        );
    }
    for peer in peers {
        println!(
            "{:<18} {:>11.1}x {:>11.1}x {:>11.1}x {:>9.1}x {:>8.1}x",
            format!("  as fast as {}", peer.name.split(' ').next().unwrap_or_default()),
            peer.scope_ms / ours.scope_ms,
            peer.readers_ms / ours.readers_ms,
            peer.union_ms / ours.union_ms,
            peer.load_seconds / ours.load_seconds,
            peer.bytes_a_look_up / ours.bytes_a_look_up
        );
    }
    let mut met = true;
    let mut bar = |what: &str, is_met: bool| {
        println!("{what}: {}", if is_met { "ok" } else { "MISSED" });
        met &= is_met;
    };
    if let Some(peer) = peers.iter().find(|peer| peer.name.starts_with("ClickHouse")) {
        bar("scope 5 times as fast as ClickHouse", peer.scope_ms >= 5.0 * ours.scope_ms);
        bar("readers 3 times as fast", peer.readers_ms >= 3.0 * ours.readers_ms);
        bar("load twice as fast", peer.load_seconds >= 2.0 * ours.load_seconds);
    }
    bar("union of 40 readers within 15 ms", ours.union_ms <= 15.0);
    bar("at most 26 bytes a look-up", ours.bytes_a_look_up <= 26.0);
    met
}

const STAFF: u64 = 57_000;
const PATIENTS: u64 = 2_900_000;
const REGION: u64 = 214_000_000;
/// Engine, package, name.
const PEERS: &[(&str, &str, &str)] =
    &[("clickhouse", "chdb>=4,<5", "ClickHouse"), ("duckdb", "duckdb>=2,<3", "DuckDB")];

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(name: &str, ms: f64) -> Figures {
        Figures {
            name: name.to_owned(),
            load_seconds: ms,
            bytes_a_look_up: 20.0,
            scope_ms: ms,
            readers_ms: ms,
            union_ms: ms,
        }
    }

    #[test]
    fn a_bar_that_is_missed_is_not_met() {
        let peer = [figures("ClickHouse 1", 10.0)];
        assert!(table(&figures("bavn", 1.0), &peer));
        assert!(!table(&figures("bavn", 3.0), &peer));
        assert!(table(&figures("bavn", 3.0), &[]), "nobody to compare with");
        assert!(!table(&figures("bavn", 16.0), &[]));
    }

    #[test]
    fn a_size_is_look_ups_and_days() {
        let size = Size::read("214000000/60").unwrap();
        assert_eq!((size.look_ups, size.days), (REGION, 60));
        assert!(Size::read("214000000").is_err());
    }
}
