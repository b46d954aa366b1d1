//! `bavn explain`: the record that a look-up rests on, or what was missing.

use super::{audit_event, bavn, path, stderr, stdout};
use serde_json::Value;
use std::fs;

const CONTEXT: &str = r#"{"resourceType":"Organization","id":"ward-1","name":"Ward 1"}
{"resourceType":"Organization","id":"ward-2","name":"Ward 2"}
{"resourceType":"Practitioner","id":"anna"}
{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/anna"},"organization":{"reference":"Organization/ward-1"},"period":{"start":"2023-01-01"},"code":[{"coding":[{"code":"nurse"}]}]}
{"resourceType":"Patient","id":"p1"}
{"resourceType":"Patient","id":"p2"}
{"resourceType":"Patient","id":"p3"}
{"resourceType":"Practitioner","id":"bob"}
{"resourceType":"ServiceRequest","id":"o1","status":"active","intent":"order","subject":{"reference":"Patient/p3"},"authoredOn":"2024-03-01T15:00:00Z","requester":{"reference":"Practitioner/bob"},"performer":[{"reference":"Organization/ward-1"}]}
{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/p1"},"period":{"start":"2024-02-28T10:00:00Z","end":"2024-03-04T10:00:00Z"},"serviceProvider":{"reference":"Organization/ward-1"}}
{"resourceType":"Encounter","id":"e2","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/p2"},"period":{"start":"2024-02-28T10:00:00Z","end":"2024-03-04T10:00:00Z"},"serviceProvider":{"reference":"Organization/ward-2"}}
"#;

/// A folder with context, two look-ups, and their ids as `bavn decode` prints them.
fn hospital() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("context.ndjson"), CONTEXT).unwrap();
    let events = [("x1", "08:00", "p1"), ("x2", "09:00", "p2"), ("x3", "10:00", "p3")]
        .map(|(id, at, who)| audit_event(id, &format!("2024-03-01T{at}:00Z"), "anna", who));
    let file = folder.path().join("events.ndjson");
    fs::write(&file, events.join("\n")).unwrap();
    let decoded = stdout(&bavn(&["decode", path(&file)]));
    let mut ids = decoded.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["id"].as_str().unwrap().to_owned()
    });
    let (own, other) = (ids.next().unwrap(), ids.next().unwrap());
    (folder, own, other)
}

fn explain(folder: &tempfile::TempDir, event: &str, options: &[&str]) -> std::process::Output {
    let (context, events) =
        (folder.path().join("context.ndjson"), folder.path().join("events.ndjson"));
    let mut arguments = vec!["explain", event, "--context", path(&context)];
    arguments.extend(options);
    arguments.push(path(&events));
    bavn(&arguments)
}

#[test]
fn a_stay_in_the_own_ward_holds_and_is_told_in_both_languages() {
    let (folder, own, _) = hospital();
    let english = stdout(&explain(&folder, &own, &[]));
    assert!(english.contains("Practitioner/anna (nurse, Organization/ward-1)"), "{english}");
    assert!(english.contains("explained by a stay"), "{english}");
    assert!(
        english
            .contains("a stay: holds, Organization/ward-1, 2024-02-28 10:00 to 2024-03-04 10:00"),
        "{english}"
    );
    assert!(english.contains("appointments (Appointment) would settle it"), "{english}");
    let bokmaal = stdout(&explain(&folder, &own, &["--language", "nb"]));
    assert!(bokmaal.contains("forklart av et opphold"), "{bokmaal}");
    assert!(!english.contains("Patient/p1") && !bokmaal.contains("Patient/p1"));
}

#[test]
fn another_wards_patient_is_told_as_such_in_json() {
    let (folder, _, other) = hospital();
    let said: Value =
        serde_json::from_str(&stdout(&explain(&folder, &other, &["--json"]))).unwrap();
    assert_eq!(
        (said["who"].as_str(), said["id"].as_str()),
        (Some("Practitioner/anna"), Some(&*other))
    );
    let visit = &said["visits"][0];
    assert_eq!(visit["explained"], false);
    let tried = visit["tried"].as_array().unwrap();
    let stay = tried.iter().find(|trial| trial["template"] == "stay_in_unit").unwrap();
    assert_eq!(stay["holds"], false);
    assert!(stay["text"]["en"].as_str().unwrap().contains("somebody else's (Organization/ward-2"));
    assert!(stay["text"]["nb"].as_str().unwrap().contains("noen andres"));
}

#[test]
fn an_order_that_came_five_hours_later_is_told_beside_what_was_known() {
    let (folder, ..) = hospital();
    let decoded = stdout(&bavn(&["decode", path(&folder.path().join("events.ndjson"))]));
    let third: Value = serde_json::from_str(decoded.lines().nth(2).unwrap()).unwrap();
    let third = third["id"].as_str().unwrap();
    let english = stdout(&explain(&folder, third, &[]));
    assert!(english.contains("\nunexplained; "), "{english}");
    let later = "\nexplained later by an order, known 5 hours after the visit had begun\n";
    assert!(english.contains(later), "{english}");
    let said: Value = serde_json::from_str(&stdout(&explain(&folder, third, &["--json"]))).unwrap();
    let visit = &said["visits"][0];
    assert_eq!(visit["explained"], false, "what was known then stays");
    assert_eq!(visit["later"]["known_at"], "2024-03-01T15:00:00Z");
    assert_eq!(visit["later"]["judged_at"], "2024-03-02T10:00:00Z");
}

#[test]
fn an_id_of_nothing_is_a_usage_error() {
    let (folder, ..) = hospital();
    let unknown = explain(&folder, &"0".repeat(32), &[]);
    assert_eq!(unknown.status.code(), Some(2), "{}", stderr(&unknown));
    let cut = explain(&folder, "0123abcd", &[]);
    assert_eq!(cut.status.code(), Some(2));
    assert!(stderr(&cut).contains("is no event id"));
}
