//! `bavn watch --store`, and what is asked of the store: against a plain scan of the source file.

use super::{audit_event, bavn, path, stderr, stdout};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A folder with a key, a source file of `count` look-ups and room for a store.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
}

/// One look-up in the file: reader, patient, second.
pub(super) type Row = (u32, u32, u32);

/// Six readers, forty patients; the same for the same number.
pub(super) fn row(number: u32) -> Row {
    let mixed = number.wrapping_mul(2_654_435_761) >> 7;
    (mixed % 6, mixed / 7 % 40, number * 37)
}

pub(super) fn at(second: u32) -> String {
    let (day, rest) = (second / 86_400 + 1, second % 86_400);
    format!("2024-03-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

impl Place {
    pub(super) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let made = bavn(&["store", "make-key", path(&place.key())]);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        place
    }

    pub(super) fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(super) fn source(&self, count: u32) -> PathBuf {
        let mut lines = String::new();
        for number in 0..count {
            let (who, patient, second) = row(number);
            let (who, patient) = (format!("nurse-{who}"), format!("secret-{patient}"));
            lines.push_str(&audit_event(&format!("e{number}"), &at(second), &who, &patient));
            lines.push('\n');
        }
        let file = self.folder.path().join("source.ndjson");
        std::fs::write(&file, lines).unwrap();
        file
    }

    pub(super) fn watch(&self, source: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bavn"));
        command
            .args(["watch", "--store", path(&self.store()), "--key-file", path(&self.key())])
            .arg(source)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub(super) fn watched(&self, count: u32) {
        assert!(self.watch(&self.source(count)).status().unwrap().success());
    }

    pub(super) fn ask(&self, arguments: &[&str]) -> std::process::Output {
        let (store, key) = (self.store(), self.key());
        let mut all = arguments.to_vec();
        all.extend(["--store", path(&store), "--key-file", path(&key)]);
        bavn(&all)
    }

    /// Every byte and every look-up, and the log begins as each of the checkpoints says.
    pub(super) fn is_whole(&self, checkpoints: &[PathBuf]) {
        let mut arguments = vec!["verify", "--look-ups"];
        arguments.extend(checkpoints.iter().flat_map(|kept| ["--checkpoint", path(kept)]));
        let output = self.ask(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let agreed = stdout(&output).matches("agrees with the checkpoint").count();
        assert_eq!(agreed, checkpoints.len());
    }

    pub(super) fn scope(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["scope", "--json"];
        all.extend_from_slice(arguments);
        let output = self.ask(&all);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_str(&stdout(&output)).unwrap()
    }
}

/// Look-ups, first and last by patient, counted the plain way.
pub(super) fn scan(
    count: u32,
    is_it: impl Fn(Row) -> bool,
) -> BTreeMap<String, (u64, String, String)> {
    let mut found: BTreeMap<String, (u64, String, String)> = BTreeMap::new();
    for (_, patient, second) in (0..count).map(row).filter(|&row| is_it(row)) {
        let patient = found.entry(format!("Patient/secret-{patient}")).or_insert((
            0,
            at(second),
            String::new(),
        ));
        patient.0 += 1;
        patient.2 = at(second);
    }
    found
}

pub(super) fn listed(answer: &Value) -> BTreeMap<String, (u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = answer["list"].as_array().unwrap();
    list.iter()
        .map(|row| {
            let counts =
                (row["look_ups"].as_u64().unwrap(), text(&row["first"]), text(&row["last"]));
            (text(&row["patient"]), counts)
        })
        .collect()
}

#[test]
fn scope_and_who_are_those_of_a_plain_scan() {
    let place = Place::new();
    place.watched(5_000);
    let purpose = ["--list", "--purpose", "drill"];
    let answer = place.scope(&[&["--identity", "nurse-3"][..], &purpose].concat());
    assert_eq!(listed(&answer), scan(5_000, |(who, ..)| who == 3));
    let (from, to) = (40_000, 130_000);
    let window = ["--from", &at(from), "--to", &at(to)].map(str::to_owned);
    let window: Vec<&str> = window.iter().map(String::as_str).collect();
    let two = ["--identity", "Practitioner/nurse-1", "--identity", "nurse-2"];
    let answer = place.scope(&[&two[..], &purpose, &window].concat());
    let slow = scan(5_000, |(who, _, at)| (who == 1 || who == 2) && (from..to).contains(&at));
    assert_eq!(listed(&answer), slow);
    assert_eq!(answer["patients"]["lower"], slow.len());
    assert_eq!(answer["patients"]["upper"], slow.len());

    let output =
        place.ask(&["who", "--patient", "secret-7", "--purpose", "insight", "--format", "json"]);
    let who: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let mut times: Vec<String> = who["look_ups"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|look_up| look_up["source"].as_str().is_some_and(|source| source != "bavn"))
        .map(|look_up| look_up["at"].as_str().unwrap().to_owned())
        .filter(|at| at.starts_with("2024"))
        .collect();
    times.sort();
    let slow: BTreeSet<String> =
        (0..5_000).map(row).filter(|row| row.1 == 7).map(|row| at(row.2)).collect();
    assert_eq!(times, slow.into_iter().collect::<Vec<_>>());
}

#[test]
fn an_input_newest_first_is_stored_and_counted_once() {
    let place = Place::new();
    // Far more than may be out of order without being read twice.
    let source = place.source(20_000);
    let text = std::fs::read_to_string(&source).unwrap();
    let reversed: Vec<&str> = text.lines().rev().collect();
    std::fs::write(&source, reversed.join("\n")).unwrap();
    let again = || {
        let output = place.watch(&source).stderr(Stdio::piped()).output().unwrap();
        stderr(&output)
    };
    let (first, second) = (again(), again());
    assert!(first.contains("20000 look-ups are new in the store"), "{first}");
    assert!(second.contains("0 look-ups are new in the store"), "{second}");
    let answer = place.scope(&["--identity", "nurse-3", "--list", "--purpose", "drill"]);
    assert_eq!(listed(&answer), scan(20_000, |row| row.0 == 3));
}

/// Several hospitals, each in its own dialect: every reader's scope against what `bavn decode` says of
/// the same files; and no name of theirs stands anywhere in the store.
#[test]
fn a_drilled_region_is_answered_as_a_plain_scan_does_and_shows_no_name() {
    let place = Place::new();
    let region = place.folder.path().join("region");
    let size = ["--staff", "60", "--patients", "2000", "--days", "6", "--seed", "77"];
    let drilled = bavn(&[&["drill", "--out", path(&region)][..], &size].concat());
    assert_eq!(drilled.status.code(), Some(0), "{}", stderr(&drilled));
    let events = region.join("events");
    assert!(place.watch(&events).status().unwrap().success());

    let mut records: BTreeMap<String, Value> = BTreeMap::new();
    for line in stdout(&bavn(&["decode", path(&events)])).lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        records.insert(record["id"].as_str().unwrap().to_owned(), record);
    }
    let mut readers: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let mut endings = BTreeSet::new();
    let ending = |name: &str| name.as_bytes()[name.len().saturating_sub(ENDING)..].to_vec();
    for record in records.values() {
        let Some(who) = record["who"].as_str() else { continue };
        readers.entry(who).or_default().push(record);
        let patients = record["patients"].as_array().unwrap().iter();
        let names = patients.map(|patient| patient.as_str().unwrap()).chain([who]);
        endings.extend(names.filter(|name| name.len() >= ENDING).map(ending));
    }
    assert!(readers.len() > 50 && endings.len() > 200);
    for (who, looked) in readers.iter().step_by(4) {
        let mut slow: BTreeMap<String, (u64, String, String)> = BTreeMap::new();
        for record in looked.iter().filter(|record| exposes(record)) {
            let at = record["at"].as_str().unwrap().to_owned();
            let patients = record["patients"].as_array().unwrap().iter();
            for patient in patients.map(|p| p.as_str().unwrap()).collect::<BTreeSet<_>>() {
                let found = slow.entry(patient.to_owned());
                let (count, first, last) = found.or_insert((0, at.clone(), at.clone()));
                *count += 1;
                *first = at.clone().min(first.clone());
                *last = at.clone().max(last.clone());
            }
        }
        let ask = ["scope", "--json", "--identity", who, "--list", "--purpose", "drill"];
        let answer: Value = serde_json::from_str(&stdout(&place.ask(&ask))).unwrap();
        let fast = if slow.is_empty() { BTreeMap::new() } else { listed(&answer) };
        assert_eq!(fast, slow, "{who}");
    }
    who_is_that_of_a_scan(&place, &records);
    let mut folders = vec![place.store()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let found = entry.unwrap().path();
            if found.is_dir() {
                folders.push(found);
                continue;
            }
            let bytes = std::fs::read(&found).unwrap();
            let shown = bytes.windows(ENDING).any(|window| endings.contains(window));
            assert!(!shown, "{} shows a name", found.display());
        }
    }
}

/// Some patients' reports, row for row.
fn who_is_that_of_a_scan(place: &Place, records: &BTreeMap<String, Value>) {
    let row = |record: &Value| {
        let text = |key: &str| record[key].as_str().map(str::to_owned);
        (text("id"), text("at"), text("who"), text("kind"), text("outcome"))
    };
    let mut patients: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    for record in records.values() {
        for patient in record["patients"].as_array().unwrap() {
            patients.entry(patient.as_str().unwrap()).or_default().insert(row(record));
        }
    }
    for (patient, slow) in patients.iter().step_by(patients.len() / 12) {
        let ask = ["who", "--format", "json", "--purpose", "drill", "--patient", patient];
        let answer: Value = serde_json::from_str(&stdout(&place.ask(&ask))).unwrap();
        let look_ups = answer["look_ups"].as_array().unwrap();
        let fast = look_ups.iter().filter(|look_up| look_up["source"] != "bavn").map(row);
        assert_eq!(fast.collect::<BTreeSet<_>>(), *slow);
    }
}

/// Whether `bavn decode` says that content came back to somebody else than the patient.
fn exposes(record: &Value) -> bool {
    let flags = record["flags"].as_array().unwrap();
    let is_none = flags.iter().any(|flag| flag == "own_access" || flag == "decision_only")
        || record["kind"] == "login"
        || record["kind"] == "decision";
    !is_none && (record["outcome"] == "success" || record["outcome"] == "unknown")
}

/// Bytes of a name's end that are looked for: no chance makes them.
const ENDING: usize = 10;

#[test]
fn names_need_a_purpose_and_asking_is_a_look_up() {
    let place = Place::new();
    place.watched(300);
    let refused = place.ask(&["scope", "--identity", "nurse-1", "--list"]);
    assert_eq!(refused.status.code(), Some(6));
    assert!(!stdout(&refused).contains("secret"));
    assert_eq!(place.ask(&["who", "--patient", "secret-7"]).status.code(), Some(6));
    let before = place.scope(&["--identity", "nurse-1"])["as_of"]["look_ups"].as_u64().unwrap();
    let asked = ["who", "--patient", "secret-7", "--purpose", "case 12", "--format", "csv"];
    assert_eq!(place.ask(&asked).status.code(), Some(0));
    let asked = ["who", "--patient", "secret-7", "--purpose", "audit", "--format", "csv"];
    let again = place.ask(&asked);
    assert!(stdout(&again).contains("purpose case 12"), "{}", stdout(&again));
    let after = place.scope(&["--identity", "nurse-1"])["as_of"]["look_ups"].as_u64().unwrap();
    assert_eq!(after, before + 2);
}

#[test]
fn names_are_not_shown_where_asking_cannot_be_put_on_record() {
    let place = Place::new();
    place.watched(300);
    let list = place.folder.path().join("list");
    std::fs::write(&list, "nurse-1\n").unwrap();
    let questions: [&[&str]; 3] = [
        &["scope", "--identity", "nurse-1", "--list"],
        &["who", "--patient", "secret-7"],
        &["hunt", path(&list), "--csv"],
    ];
    for question in questions {
        assert_eq!(place.ask(question).status.code(), Some(6), "{question:?}");
        let told = place.ask(&[question, &["--purpose", "case 3"]].concat());
        assert_eq!(told.status.code(), Some(0), "{question:?}: {}", stderr(&told));
        assert!(stdout(&told).contains("nurse-1") || stdout(&told).contains("secret"));
    }
    // Nothing can be written where a disk is full or read-only.
    let asked = place.store().join("asked");
    std::fs::remove_dir(&asked).unwrap();
    std::fs::write(&asked, "").unwrap();
    for question in questions {
        let refused = place.ask(&[question, &["--purpose", "case 3"]].concat());
        assert_ne!(refused.status.code(), Some(0), "{question:?}");
        assert_eq!(stdout(&refused), "", "{question:?}");
    }
}

#[test]
fn every_form_of_the_report_names_every_look_up() {
    let place = Place::new();
    place.watched(400);
    let count = (0..400).map(row).filter(|row| row.1 == 3).count();
    assert!(count > 3);
    for (format, mark) in [("text", "  "), ("csv", "2024-03"), ("html", "<tr role=\"row\">")] {
        for language in ["en", "nb"] {
            let form = ["--format", format, "--language", language];
            let ask = ["who", "--patient", "secret-3", "--purpose", "drill"];
            let output = place.ask(&[&ask[..], &form].concat());
            let text = stdout(&output);
            let rows = text
                .lines()
                .filter(|line| line.starts_with(mark) && line.contains("Practitioner/nurse"))
                .filter(|line| format != "text" || line.contains("; "));
            assert_eq!(rows.count(), count, "{format}: {text}");
        }
    }
    // The Bundle is read by the same decoder that reads sources.
    let ask = ["who", "--patient", "secret-3", "--purpose", "drill", "--format", "fhir"];
    let bundle = place.folder.path().join("bundle.json");
    std::fs::write(&bundle, place.ask(&ask).stdout).unwrap();
    let decoded = stdout(&bavn(&["decode", path(&bundle)]));
    let nurses = decoded.lines().filter(|line| line.contains("Practitioner/nurse")).count();
    assert_eq!(nurses, count);
}

#[test]
fn a_wrong_key_is_six_and_a_changed_byte_is_five() {
    let place = Place::new();
    place.watched(300);
    let other = place.folder.path().join("other");
    bavn(&["store", "make-key", path(&other)]);
    let store = place.store();
    let with = |key: &Path, store: &Path| {
        let arguments = ["scope", "--identity", "nurse-1", "--store", path(store), "--key-file"];
        bavn(&[&arguments[..], &[path(key)]].concat()).status.code()
    };
    assert_eq!(with(&other, &store), Some(6));
    assert_eq!(with(&place.folder.path().join("missing"), &store), Some(6));
    assert_eq!(bavn(&["scope", "--identity", "a", "--store", path(&store)]).status.code(), Some(6));
    let rotated = place.ask(&["store", "rotate-key", "--new-key-file", path(&other)]);
    assert_eq!(rotated.status.code(), Some(0), "{}", stderr(&rotated));
    assert_eq!((with(&other, &store), with(&place.key(), &store)), (Some(0), Some(6)));
    let index = std::fs::read_dir(store.join("index")).unwrap().map(|entry| entry.unwrap().path());
    let index =
        index.into_iter().find(|path| path.ends_with("00000001-00000001.identity")).unwrap();
    let mut bytes = std::fs::read(&index).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&index, bytes).unwrap();
    assert_eq!(with(&other, &store), Some(5));
    // The index can be made anew, and then answers again.
    let key = ["--store", path(&store), "--key-file", path(&other)];
    let rebuilt = bavn(&[&["store", "rebuild-index"][..], &key].concat());
    assert_eq!(rebuilt.status.code(), Some(0), "{}", stderr(&rebuilt));
    assert_eq!(with(&other, &store), Some(0));
}

/// The source grows, so that every run has something to commit, and every run but the last is
/// killed: early in some, in the middle of the commit in others.
#[test]
#[expect(clippy::disallowed_methods, reason = "the instants to kill at are real ones")]
fn killed_at_any_instant_nothing_is_lost_and_nothing_doubled() {
    let place = Place::new();
    let started = std::time::Instant::now();
    place.watched(100);
    let whole = started.elapsed();
    let mut count = 100;
    let mut killed = 0;
    let mut kept = Vec::new();
    let long_run = std::env::var("BAVN_KILLS").ok().and_then(|kills| kills.parse::<u32>().ok());
    let kills = long_run.map_or(KILLS, |kills| kills / 10).max(KILLS);
    for round in 0..kills {
        count += 3;
        let mut child = place.watch(&place.source(count)).spawn().unwrap();
        let part = round.wrapping_mul(2_654_435_761) % 1_000;
        std::thread::sleep(whole * part / 900 + Duration::from_micros(u64::from(part)));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        if round % 10 == 0 {
            let answer = place.scope(&["--identity", "nurse-3"]);
            let look_ups = answer["as_of"]["look_ups"].as_u64().unwrap();
            assert!(look_ups >= 100 && look_ups <= u64::from(count), "{look_ups} of {count}");
            // What has been published is never taken back.
            let checkpoint = place.folder.path().join(format!("kept-{round}"));
            std::fs::copy(place.store().join("proof/checkpoint"), &checkpoint).unwrap();
            kept.push(checkpoint);
            place.is_whole(&kept);
        }
    }
    place.watched(count);
    place.is_whole(&kept);
    let purpose = ["--list", "--purpose", "drill"];
    for who in 0..6 {
        let name = format!("nurse-{who}");
        let answer = place.scope(&[&["--identity", &name][..], &purpose].concat());
        assert_eq!(listed(&answer), scan(count, |row| row.0 == who));
    }
    assert!(killed > kills / 4, "{killed} of {kills} runs were killed before they ended");
}

/// Of the whole program, whose start is slow; the store's own tests kill a writer 300 times.
const KILLS: u32 = 40;
