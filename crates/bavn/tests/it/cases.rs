//! From a theft in a log to a case, its scope, its verdict, and the list of a CERT.

use super::{bavn, path, stderr, stdout};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A store that has watched a region with one theft.
pub(super) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let region = place.at("region");
        let made = bavn(&[
            "drill",
            "--staff",
            "320",
            "--patients",
            "25000",
            "--days",
            "16",
            "--seed",
            "1",
            "--tidiness",
            "0.8",
            "--attacks",
            "burst_night",
            "--out",
            path(&region),
        ]);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        bavn(&["store", "make-key", path(&place.at("key"))]);
        let (context, events) = (region.join("context"), region.join("events"));
        let alarms = place.at("alarms");
        let inputs = ["--context", path(&context), "--alarms", path(&alarms), path(&events)];
        let watched = place.run(&[&["watch"], &inputs[..]].concat());
        assert!(stderr(&watched).contains("cases wait for a person"), "{}", stderr(&watched));
        place
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bavn"));
        command.args(arguments);
        command.args(["--store", path(&self.at("store")), "--key-file", path(&self.at("key"))]);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(super) fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.said(arguments)).unwrap()
    }
}

#[test]
fn a_theft_becomes_a_case_that_is_scoped_hunted_and_decided() {
    let place = Place::new();
    let truth: Value =
        serde_json::from_slice(&std::fs::read(place.at("region/truth.json")).unwrap()).unwrap();
    let theft = truth["truth"].as_array().unwrap().iter().find(|entry| entry["kind"] == "attack");
    let thief = theft.unwrap()["who"][0].as_str().unwrap().to_owned();

    let listed = place.said(&["case", "list", "--json"]);
    let mut cases = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let names_thief = |case: &Value| case["identities"][0].as_str().unwrap().ends_with(&thief);
    let case = cases.find(names_thief).expect(&listed);
    assert_eq!(case["state"], "new");
    let number = case["number"].to_string();
    let number = number.as_str();
    let shown = place.json(&["case", "show", number, "--json"]);
    assert!(shown["grounds"].as_array().unwrap().len() > 2);
    assert!(!shown.to_string().contains("Patient/") && !shown.to_string().contains("marks"));

    // Every record that was stolen is in the scope, which starts with the case.
    let scope = place.json(&["scope", "--case", number, "--list", "--purpose", "case 1", "--json"]);
    let list = scope["list"].as_array().unwrap();
    let stolen = theft.unwrap()["reads"].as_array().unwrap();
    assert!(stolen.len() > 100, "{}", stolen.len());
    for read in stolen {
        let patient = read[1].as_str().unwrap();
        let is_in = list.iter().any(|held| held.to_string().contains(&format!("{patient}\"")));
        assert!(is_in, "{patient} is missing");
    }

    let trail = place.json(&["case", "trail", number, "--json"]);
    let lanes = trail["trail"]["lanes"].as_array().unwrap();
    let look_ups = |machine: bool| -> u64 {
        let lanes = lanes.iter().filter(|lane| lane["is_machine"] == machine);
        let counts = lanes.flat_map(|lane| lane["look_ups"].as_array().unwrap());
        counts.map(|count| count.as_u64().unwrap()).sum()
    };
    let (by_account, by_machine) = (look_ups(false), look_ups(true));
    assert!(by_account >= stolen.len() as u64 && by_machine <= by_account, "{trail}");
    assert!(place.said(&["case", "trail", number]).contains(case["hosts"][0].as_str().unwrap()));
    let bokmaal = place.said(&["case", "trail", number, "--language", "nb"]);
    assert!(bokmaal.contains("  konto ") && !bokmaal.contains("look-up"), "{bokmaal}");
    let since = place.said(&["case", "show", number, "--since", "2099-01-01"]);
    assert_eq!(since.lines().count(), 1, "{since}");

    let indicators = place.at("cert.csv");
    let reader = case["identities"][0].as_str().unwrap();
    let host = case["hosts"][0].as_str().unwrap();
    let text =
        format!("# from a CERT\nindicator,first seen\n{reader},2024\n\"{host}\"\nnobody-9\n");
    std::fs::write(&indicators, text).unwrap();
    let found = place.json(&["hunt", path(&indicators), "--json", "--purpose", "drill"]);
    assert_eq!(found["same_hand"].as_array().unwrap().len(), 1, "{found}");
    assert!(found["patients"]["best"].as_u64() >= scope["patients"]["best"].as_u64());
    let rows = place.said(&["hunt", path(&indicators), "--csv", "--purpose", "drill"]);
    assert!(rows.lines().count() > stolen.len() && !rows.contains("Patient/"));

    place.said(&["case", "verdict", number, "compromise", "--reason", "nobody was at work"]);
    let line = format!("C-{number} ");
    assert!(!place.said(&["case", "list"]).contains(&line));
    let again = place.run(&["case", "verdict", number, "harmless", "--reason", "x"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("is closed"), "{}", stderr(&again));
    place.said(&["case", "undo", number]);
    assert!(place.said(&["digest"]).contains(&line));
    let person = ["case", "explain-unit", number, "--unit", reader, "--cause", "ward-moved"];
    let person = [&person[..], &["--reason", "x", "--until", "2099-01-01"]].concat();
    assert_eq!(place.run(&person).status.code(), Some(2), "never for a person");

    // The same log once more causes no second case.
    let (context, events) = (place.at("region/context"), place.at("region/events"));
    let about = || {
        let listed = place.said(&["case", "list", "--all"]);
        listed.lines().filter(|line| line.contains(reader)).count()
    };
    let before = about();
    place.said(&["watch", "--context", path(&context), "--alarms", "-", path(&events)]);
    // Whoever asked for names meanwhile may have become a case; the thief did not again.
    assert_eq!(about(), before);

    killed_in_the_middle(&place, number);
    let patients: Vec<String> =
        stolen.iter().map(|read| read[1].as_str().unwrap().to_owned()).collect();
    super::notices::is_told(&place, number, &patients);
    past_its_time(&place, number);
}

/// A cleared case whose time is over is gone from the list, and its number is not given again.
fn past_its_time(place: &Place, number: &str) {
    let policy = place.at("policy.toml");
    std::fs::write(&policy, "cleared_cases_days = 0\n").unwrap();
    place.said(&["case", "verdict", number, "reopened", "--reason", "the roster came late"]);
    place.said(&["case", "verdict", number, "harmless", "--reason", "on call that night"]);
    let hold = ["store", "hold", "--case", number, "--reason", "a letter"];
    place.said(&hold);
    place.said(&["store", "retain", "--policy", path(&policy)]);
    let line = format!("C-{number} ");
    assert!(place.said(&["case", "list", "--all"]).contains(&line));
    place.said(&["store", "release", "1", "--reason", "answered"]);
    place.said(&["store", "retain"]);
    assert!(!place.said(&["case", "list", "--all"]).contains(&line));
    assert_eq!(place.run(&["case", "show", number]).status.code(), Some(2));
    place.said(&["verify"]);
}

/// A kill at any moment leaves a note kept or absent, and the list readable.
fn killed_in_the_middle(place: &Place, number: &str) {
    for round in 0..12 {
        let text = format!("round {round} of the kill, {}", "x".repeat(4_000));
        let mut command = place.command(&["case", "note", number, &text]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(4 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let shown = place.json(&["case", "show", number, "--json"]);
        let notes = shown["notes"].as_array().unwrap();
        assert!(notes.iter().all(|note| note["text"].as_str().unwrap().len() > 4_000));
    }
}
