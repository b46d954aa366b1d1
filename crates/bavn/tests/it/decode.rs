//! `bavn decode`.

use super::{audit_event, bavn, path, stderr, stdout};

#[test]
fn a_record_prints_with_the_contracted_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.ndjson");
    std::fs::write(&file, audit_event("a1", "2024-03-01T09:30:00+01:00", "7", "17")).unwrap();
    let output = bavn(&["decode", path(&file)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let event: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let keys = [
        "id",
        "at",
        "who",
        "on_behalf_of",
        "application",
        "patients",
        "action",
        "kind",
        "purpose",
        "outcome",
        "source",
        "address",
        "session",
        "query",
        "origin",
        "flags",
    ];
    for key in keys {
        assert!(event.get(key).is_some(), "`{key}` is missing in {event}");
    }
    assert_eq!(event["at"], "2024-03-01T08:30:00Z");
    assert_eq!(event["who"], "Practitioner/7");
    assert_eq!(event["patients"], serde_json::json!(["Patient/17"]));
    assert_eq!((&event["action"], &event["kind"]), (&"R".into(), &"read".into()));
    assert_eq!((&event["outcome"], &event["address"]), (&"success".into(), &"10.0.0.7".into()));
    assert_eq!(event["origin"]["file"], path(&file));
    assert_eq!((&event["origin"]["line"], &event["origin"]["byte_offset"]), (&1.into(), &0.into()));
}

#[test]
fn rejects_are_written_with_a_keyed_digest_and_without_content() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.ndjson");
    let good = audit_event("a1", "2024-03-01T09:30:00Z", "7", "17");
    let cut = r#"{"resourceType":"AuditEvent","id":"Kari Nordmann"#;
    std::fs::write(&file, format!("{good}\n{cut}\n{good}x\n")).unwrap();
    let rejects = folder.path().join("rejects.ndjson");
    let run = || {
        let output = bavn(&["decode", "--rejects", path(&rejects), path(&file)]);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(stdout(&output).lines().count(), 1);
        assert!(!stderr(&output).contains("Nordmann"));
        std::fs::read_to_string(&rejects).unwrap()
    };
    let written = run();
    let lines: Vec<serde_json::Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["line"], 2);
    assert_eq!(lines[0]["byte_offset"], good.len() + 1);
    assert_eq!(lines[0]["hmac"].as_str().unwrap().len(), 64);
    assert!(!written.contains("Nordmann"));
    assert_eq!(run(), written, "the same key gives the same digests");
    // Another key gives other digests.
    std::fs::remove_file(folder.path().join("rejects.ndjson.key")).unwrap();
    assert_ne!(run(), written);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.ndjson");
    let lines: Vec<String> = (0..20_000)
        .map(|number| audit_event(&format!("a{number}"), "2024-03-01T09:30:00Z", "7", "17"))
        .collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bavn"))
        .args(["decode", path(&file)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("panicked"));
}

#[test]
fn a_mapping_is_explained_row_by_row_without_the_patient() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("own.toml");
    std::fs::write(
        &mapping,
        "name = \"own\"\nkind = \"events\"\n[match]\nheader = [\"reader\", \"chart\", \"when\"]\n\
         [format]\nzone = \"Europe/Oslo\"\n[fields]\nwho = \"reader\"\nat = \"when\"\n\
         patients = \"chart\"\n",
    )
    .unwrap();
    let file = folder.path().join("log.csv");
    std::fs::write(&file, "reader,chart,when\nhansen,12345678,2024-03-01T09:30:00\n").unwrap();
    let output = bavn(&["decode", "--mapping", path(&mapping), "--explain-mapping", path(&file)]);
    let (words, complaints) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{complaints}");
    assert!(
        words.contains("by mapping `own`") && words.contains("2024-03-01T08:30:00Z"),
        "{words}"
    );
    assert!(!words.contains("12345678"), "{words}");
}
