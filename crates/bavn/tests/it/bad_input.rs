//! Bad input is ordinary: a clear error, everything else read on, the contracted exit code.

use super::{audit_event, bavn, path, stderr, stdout};
use std::io::Write;

/// Runs `decode` over a good file and a bad input; the good one must be read whatever happens.
fn beside_a_good_file(bad: &str, expected_code: i32, expected_words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.ndjson");
    std::fs::write(&good, audit_event("a1", "2024-03-01T09:30:00Z", "7", "17")).unwrap();
    let output = bavn(&["decode", bad, path(&good)]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(expected_code), "{bad}: {words}");
    assert!(words.contains(expected_words), "{bad}: {words}");
    assert!(!words.contains("panicked"), "{bad}: {words}");
    assert_eq!(stdout(&output).lines().count(), 1, "{bad}: {words}");
}

#[test]
fn a_device_is_refused_and_the_rest_is_read() {
    beside_a_good_file("/dev/null", 3, "`/dev/null` is a device or socket, not a file");
}

#[test]
fn an_empty_file_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.ndjson");
    std::fs::write(&empty, "").unwrap();
    beside_a_good_file(path(&empty), 0, "1 records read");
}

#[test]
fn a_file_of_no_known_format_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("notes.txt");
    std::fs::write(&odd, "Dear all,\nplease find the minutes below.\n").unwrap();
    beside_a_good_file(path(&odd), 3, "notes.txt");
}

#[test]
fn a_cut_gzip_gives_its_whole_records_and_exit_3() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.ndjson.gz");
    let lines: Vec<String> = (0..50)
        .map(|number| audit_event(&format!("a{number}"), "2024-03-01T09:30:00Z", "7", "17"))
        .collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(lines.join("\n").as_bytes()).unwrap();
    let mut bytes = gzip.finish().unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&file, bytes).unwrap();
    let output = bavn(&["decode", path(&file)]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("cannot be read past byte"), "{}", stderr(&output));
    let read = stdout(&output).lines().count();
    assert!((20..=25).contains(&read), "{read}");
}

#[test]
fn a_line_of_200_megabytes_costs_itself_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.ndjson");
    let good = audit_event("a1", "2024-03-01T09:30:00Z", "7", "17");
    let other = audit_event("a2", "2024-03-01T09:31:00Z", "7", "18");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    writeln!(out, "{good}").unwrap();
    write!(out, r#"{{"resourceType":"AuditEvent","id":""#).unwrap();
    let filler = vec![b'x'; 1 << 20];
    for _ in 0..200 {
        out.write_all(&filler).unwrap();
    }
    writeln!(out, "\"}}\n{other}").unwrap();
    drop(out);
    let rejects = folder.path().join("rejects");
    let output = bavn(&["decode", "--rejects", path(&rejects), path(&file)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 2);
    let reject = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(reject.lines().count(), 1, "{reject}");
    assert!(
        reject.contains(r#""reason":"too_long""#) && reject.contains(r#""line":2"#),
        "{reject}"
    );
}

#[test]
fn a_name_that_matches_nothing_is_a_usage_error() {
    let output = bavn(&["decode", "/no/such/place/*.ndjson"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is no file, folder or glob"));
}

#[test]
fn a_folder_is_read_whole_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    for (name, patient) in [("b.ndjson", "2"), ("a.ndjson", "1"), ("deep/c.ndjson", "3")] {
        let line = audit_event(name, "2024-03-01T09:30:00Z", "7", patient);
        std::fs::write(folder.path().join(name), line).unwrap();
    }
    let output = bavn(&["decode", path(folder.path())]);
    let patients: Vec<String> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["patients"][0].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(patients, ["Patient/1", "Patient/2", "Patient/3"]);
}
