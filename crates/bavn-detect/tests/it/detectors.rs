//! Each detector's folder: what must alarm, and what must stay quiet.
//!
//! `expected.txt` holds a line for each claim: `alarm DETECTOR WHO..` (inside the budget, and the
//! detector is among those named), `finding DETECTOR WHO..` (written at least), `quiet WHO..` (no
//! alarm names them, and nothing is noted of them by the detector whose folder it is). A source is
//! named as a reader is.

use crate::hospital::{ORDINARY, hospital};
use bavn_detect::{ContextDigest, Engine, Settings};
use bavn_model::{Fact, Finding, Lane};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_folder_is_as_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/detectors");
    let mut failures = Vec::new();
    for detector in folders(&root) {
        let cases = folders(&detector);
        let said: Vec<String> = cases
            .iter()
            .map(|case| fs::read_to_string(case.join("expected.txt")).unwrap())
            .collect();
        let alarming = said.iter().any(|text| !text.starts_with("quiet"));
        let quiet = said.iter().any(|text| text.lines().all(|line| line.starts_with("quiet")));
        if !alarming || !quiet {
            failures.push(format!("{}: one case must alarm, one stay quiet", detector.display()));
        }
        for case in cases {
            check(&case, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(case: &Path, failures: &mut Vec<String>) {
    assert!(case.join("about.md").exists(), "{}: about.md is missing", case.display());
    let input = fs::read_to_string(case.join("input.txt")).unwrap();
    let text = input.replace("include ordinary", ORDINARY);
    let hospital = hospital(&text);
    let mut engine = Engine::new(hospital.context, Settings { budget_per_10k_staff_day: 2.0 });
    let mut findings: Vec<Finding> = Vec::new();
    // Stopped and gone on from on the way: what a detector forgets to save fails its own case.
    let stop = hospital.accesses.len() * 19 / 20;
    for (number, access) in hospital.accesses.iter().enumerate() {
        if number == stop {
            engine = restarted(&engine, &text);
        }
        engine.observe(access, &mut findings);
    }
    let mut now = hospital.accesses.last().unwrap().at;
    now = now.plus_secs(3_600);
    engine.advance(now, &mut findings);
    let names = |finding: &Finding| -> BTreeSet<String> {
        let named = finding.entities.iter();
        let people = named.map(|held| hospital.directory.identities.name(held.identity));
        let source = |fact: &Fact| match *fact {
            Fact::SourceSilent { source, .. }
            | Fact::SourceVolume { source, .. }
            | Fact::SourceClock { source, .. } => Some(hospital.directory.sources.name(source)),
            _ => None,
        };
        people.chain(finding.because.iter().filter_map(source)).map(str::to_owned).collect()
    };
    for line in fs::read_to_string(case.join("expected.txt")).unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (claim, who) = match words[0] {
            "quiet" => ("quiet", &words[1..]),
            claim => (claim, &words[2..]),
        };
        for &reader in who {
            let about = |finding: &&Finding| names(finding).contains(reader);
            let noted = |finding: &Finding| {
                let is_note = matches!(finding.lane, Lane::Coverage | Lane::Audit);
                is_note && case.parent().is_some_and(|folder| folder.ends_with(finding.detector))
            };
            let by = |finding: &&Finding| finding.detectors.contains(&words[1]);
            let held = match claim {
                "alarm" => findings.iter().filter(about).any(|f| f.is_alert && by(&f)),
                "finding" => findings.iter().filter(about).any(|f| by(&f)),
                "quiet" => !findings.iter().filter(about).any(|f| f.is_alert || noted(f)),
                other => panic!("`{other}` is no claim"),
            };
            if !held {
                let said: Vec<String> = findings
                    .iter()
                    .filter(about)
                    .map(|f| format!("{:?} alert={} p={:.1e}", f.detectors, f.is_alert, f.p_value))
                    .collect();
                failures.push(format!("{}: `{line}` does not hold; {said:?}", case.display()));
            }
        }
    }
}

fn restarted(engine: &Engine, text: &str) -> Engine {
    let hospital = hospital(text);
    let digest = ContextDigest::of(&hospital.directory, &hospital.context);
    let settings = Settings { budget_per_10k_staff_day: 2.0 };
    let state = engine.save(digest).unwrap();
    Engine::restore(hospital.context, settings, &[], digest, &state).unwrap()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}
