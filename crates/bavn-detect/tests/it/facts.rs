//! What a line says: a countable fact in both languages, and no patient.

use crate::hospital::{Hospital, ORDINARY, hospital};
use bavn_detect::words::Language;
use bavn_detect::{Engine, OcsfOptions, Settings, ocsf_line};
use bavn_model::Finding;
use serde_json::Value;

const THEFTS: &str = "
        group armed-forces p1600..p1619
        staff gone nurse ward-2 away to=2024-01-15
        read 2024-02-26T01:00:00Z s4 p1200..p1290 every=6
        read 2024-02-27T08:00:00Z s9 p1600..p1604 every=2400
        read 2024-02-27T20:00:00Z gone p1700
        read 2024-02-28T14:00:00Z s17 p1400..p1440 every=2
        search 2024-02-28T14:00:00Z s21 times=60 every=30
";

fn run() -> (Vec<Finding>, Engine, bavn_model::Directory) {
    let Hospital { directory, context, accesses } = hospital(&format!("{ORDINARY}{THEFTS}"));
    let mut engine = Engine::new(context, Settings { budget_per_10k_staff_day: 20.0 });
    let mut findings = Vec::new();
    for access in &accesses {
        engine.observe(access, &mut findings);
    }
    (findings, engine, directory)
}

#[test]
fn every_line_counts_something_in_each_language_and_names_no_patient() {
    let (findings, engine, directory) = run();
    assert!(findings.len() >= 5, "{}", findings.len());
    for finding in &findings {
        for language in [Language::English, Language::Bokmaal] {
            let options = OcsfOptions { language, patients: false };
            let line = ocsf_line(finding, &directory, engine.context(), options);
            assert!(!line.contains('\n'));
            let value: Value = serde_json::from_str(&line).unwrap();
            let because = value["unmapped"]["bavn"]["because"].as_array().unwrap();
            assert!(!because.is_empty(), "{line}");
            for fact in because {
                let text = fact["text"].as_str().unwrap();
                let counts = text.chars().any(|c| c.is_ascii_digit())
                    || ["once", "twice", "én gang"].iter().any(|word| text.contains(word));
                assert!(counts, "nothing counted in `{text}`");
            }
            assert_eq!(value["class_uid"], 2004);
            assert_eq!(value["type_uid"], 200_400 + value["activity_id"].as_i64().unwrap());
            assert!(value.get("resources").is_none());
            for patient in &finding.patients {
                let name = format!("\"{}\"", directory.patients.name(*patient));
                assert!(!line.contains(&name), "{name} in {line}");
            }
        }
    }
}

#[test]
fn patients_are_named_only_when_asked_for() {
    let (findings, engine, directory) = run();
    let finding = findings.iter().find(|finding| !finding.patients.is_empty()).unwrap();
    let options = OcsfOptions { patients: true, ..OcsfOptions::default() };
    let line = ocsf_line(finding, &directory, engine.context(), options);
    let value: Value = serde_json::from_str(&line).unwrap();
    let resources = value["resources"].as_array().unwrap();
    assert_eq!(resources.len(), finding.patients.len());
    assert_eq!(resources[0]["type"], "Patient");
}

#[test]
fn sorting_by_risk_ranks_by_chance() {
    let (mut findings, ..) = run();
    findings.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    let scores: Vec<f64> = findings.iter().map(bavn_detect::risk_score).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
    assert!(scores.iter().all(|score| (0.0..=100.0).contains(score)));
}

#[test]
fn state_stays_within_eight_kilobytes_a_reader() {
    let (_, engine, _) = run();
    let by_detectors: usize =
        engine.report().bytes_by_detector.iter().map(|&(_, bytes)| bytes).sum();
    assert!(by_detectors / 41 <= 8 * 1_024, "{by_detectors}");
}

#[test]
fn a_muted_detector_says_nothing_more() {
    let (findings, ..) = run();
    let names = Engine::detector_names();
    for finding in &findings {
        assert!(finding.detectors.iter().all(|name| names.contains(name)), "{finding:?}");
    }
    let muted = vec!["burst".to_owned(), "day_volume".to_owned()];
    let Hospital { context, accesses, .. } = hospital(&format!("{ORDINARY}{THEFTS}"));
    let settings = Settings { budget_per_10k_staff_day: 20.0 };
    let mut engine = Engine::without(context, settings, &muted);
    let mut left = Vec::new();
    for access in &accesses {
        engine.observe(access, &mut left);
    }
    let said = |found: &[Finding], name: &str| {
        found.iter().any(|finding| finding.detectors.contains(&name))
    };
    assert!(said(&findings, "burst") && !left.is_empty());
    assert!(!said(&left, "burst") && !said(&left, "day_volume"));
}
