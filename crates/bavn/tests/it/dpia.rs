//! The assessment of a store, and the agreement of the employees' side.

use super::store::Place;
use super::{stderr, stdout};

#[test]
fn the_assessment_names_what_is_there_and_keeps_who_agreed() {
    let place = Place::new();
    place.watched(40);
    let said = |arguments: &[&str]| {
        let output = place.ask(&[&["dpia"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let text = said(&[]);
    for wanted in [
        "hospital-north",
        "(burst)",
        "Privacy officer: the queue",
        "Signed off by the employees' side",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let sign = ["--sign-off", "Tillitsvalgt A", "--on", "2026-11-01"];
    let incomplete = place.ask(&[&["dpia"], &sign[..]].concat());
    assert_eq!(incomplete.status.code(), Some(2));
    assert!(
        stderr(&incomplete).contains("missing: Purposes; Lawful basis"),
        "{}",
        stderr(&incomplete)
    );
    let sign = [&sign[..], &["--with-gaps"]].concat();
    for day in ["soon", "2126-11-01"] {
        let wrong =
            place.ask(&["dpia", "--sign-off", "Tillitsvalgt A", "--on", day, "--with-gaps"]);
        assert_eq!(wrong.status.code(), Some(2), "{day}");
    }
    assert!(said(&sign).contains("Tillitsvalgt A, 2026-11-01"));
    assert!(said(&["--language", "nb"]).contains("Tillitsvalgt A, 2026-11-01"));
    // What is assessed has changed since: that is said.
    let config = place.folder.path().join("dpia.toml");
    std::fs::write(&config, "retention = \"5 years\"").unwrap();
    assert!(said(&["--config", config.to_str().unwrap()]).contains("of an earlier text"));
    assert!(!said(&["--withdraw", "a new source"]).contains("Tillitsvalgt"));
    let again = place.ask(&["dpia", "--withdraw", "twice"]);
    assert_eq!(again.status.code(), Some(2));
    let paper = place.ask(&["dpia", "--format", "pdf"]);
    assert!(paper.stdout.starts_with(b"%PDF-1.7"));
}
