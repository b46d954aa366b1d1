//! Other programs read a segment with its month's key, and nothing without. They come into the
//! Python of `cargo xtask test`; elsewhere a test without its program says so and passes.

use super::store::{Place, row};
use super::{path, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[test]
fn pyarrow_reads_a_segment_with_the_key_only() {
    let Some(python) = python_with("pyarrow") else { return };
    let segment = Segment::new();
    let read = |file: &Path, key: &str| {
        let script = here("tests/data/other_programs/pyarrow_read.py");
        Command::new(&python).args([path(&script), path(file), key]).output().unwrap()
    };
    assert_eq!(words(&read(&segment.rows, &segment.key)), rows_as_written());
    assert_eq!(words(&read(&segment.evidence, &segment.key)), LOOK_UPS.to_string());
    assert!(!read(&segment.rows, &"11".repeat(32)).status.success());
}

#[test]
fn spark_reads_a_segment_with_the_key_only() {
    let Some(python) = python_with("pyspark") else { return };
    let Some(java) = java() else { return };
    let segment = Segment::new();
    let script = here("tests/data/other_programs/spark_read.py");
    let source = here("../../tools/spark/SegmentKey.scala");
    let read = Command::new(&python)
        .args([&script, &java, &source, &segment.rows, &segment.evidence])
        .arg(&segment.key)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        // So short a run is faster without the best code.
        .env("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .current_dir(segment.place.folder.path())
        .output()
        .unwrap();
    let failed_with_another_and_none = "True True";
    let all = format!("{}\n{LOOK_UPS}\n{failed_with_another_and_none}", rows_as_written());
    assert_eq!(words(&read), all);
    assert!(!stderr(&read).contains(&segment.key), "the key stands in what Spark logs");
}

/// The one segment of a store of [`LOOK_UPS`], with its key.
struct Segment {
    place: Place,
    rows: PathBuf,
    evidence: PathBuf,
    key: String,
}

impl Segment {
    fn new() -> Self {
        let place = Place::new();
        place.watched(LOOK_UPS);
        let ring = std::fs::read(place.store().join("keys/ring.json")).unwrap();
        let ring: Value = serde_json::from_slice(&ring).unwrap();
        // Keys of a month are named by it, the others by small numbers.
        let ids = ring["keys"].as_array().unwrap().iter().filter_map(|key| key["id"].as_u64());
        let month = ids.max().unwrap();
        let month = format!("{}-{:02}", month / 100, month % 100);
        let exported = place.ask(&["store", "export-key", "--month", &month]);
        let file = |part| place.store().join(format!("segments/00000001.{part}.parquet"));
        Self { key: words(&exported), rows: file("rows"), evidence: file("evidence"), place }
    }
}

/// How many look-ups, the sums of their seconds and of the numbers of their patients, and the words
/// of the first: as each script prints them.
fn rows_as_written() -> String {
    let seconds: u64 = (0..LOOK_UPS).map(|number| FIRST_DAY + u64::from(row(number).2)).sum();
    // Patients are numbered as they come.
    let mut numbers = Vec::new();
    let patients: usize = (0..LOOK_UPS)
        .map(|number| {
            let patient = row(number).1;
            numbers.iter().position(|known| *known == patient).unwrap_or_else(|| {
                numbers.push(patient);
                numbers.len() - 1
            })
        })
        .sum();
    format!("{LOOK_UPS} {seconds} {patients}\nread success")
}

/// The Python of `cargo xtask test`, or the machine's, if it has the module.
fn python_with(module: &str) -> Option<PathBuf> {
    let python = std::env::var_os("BAVN_PYTHON").unwrap_or_else(|| "python3".into());
    runs(PathBuf::from(python), &["-c", &format!("import {module}")])
}

fn java() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let java = home.map_or_else(|| "java".into(), |home| home.join("bin/java"));
    runs(java, &["--add-modules", "jdk.incubator.vector", "--version"])
}

#[expect(clippy::print_stderr, reason = "why a test did nothing")]
fn runs(program: PathBuf, arguments: &[&str]) -> Option<PathBuf> {
    let output = Command::new(&program).args(arguments).output();
    if output.is_ok_and(|output| output.status.success()) {
        return Some(program);
    }
    eprintln!("skipped: `{} {}` fails", program.display(), arguments.join(" "));
    None
}

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn words(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output).trim().to_owned()
}

const LOOK_UPS: u32 = 500;
/// The first of March 2024, when the look-ups of a [`Place`] begin.
const FIRST_DAY: u64 = 1_709_251_200;
