//! `bavn coverage` and `bavn proof canary`, as whoever must answer for sources meets them.

use super::store::Place;
use super::{path, stderr, stdout};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;

const MAPPING: &str = r#"
name = "counted-log"
kind = "events"

[match]
files = ["counted-*.csv"]

[fields]
at = "time"
who = "reader"
patients = "patient"
source = { value = "ward-log" }
sequence = "number"
kind = { value = "read" }
outcome = { value = "success" }
"#;

/// Watches rows of `minute, number, patient` of one day.
fn watched(place: &Place, name: &str, rows: &[(u32, u64, &str)]) {
    let (file, mapping) = (place.folder.path().join(name), place.folder.path().join("map.toml"));
    let mut text = "time,reader,patient,number\n".to_owned();
    for (minute, number, patient) in rows {
        let (hour, minute) = (minute / 60, minute % 60);
        writeln!(text, "2024-03-01T{hour:02}:{minute:02}:00Z,nurse-1,{patient},{number}").unwrap();
    }
    std::fs::write(&file, text).unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    let watched = place.watch(&file).arg("--mapping").arg(&mapping).output().unwrap();
    assert!(watched.status.success(), "{}", stderr(&watched));
}

fn coverage(place: &Place) -> Value {
    let output = place.ask(&["coverage", "--json"]);
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn missing_numbers_and_broken_promises_are_shown_and_logged() {
    let place = Place::new();
    watched(&place, "counted-1.csv", &[(0, 1, "a"), (20, 2, "a"), (40, 3, "b"), (60, 4, "a")]);
    let whole = place.ask(&["coverage"]);
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));
    let words = stdout(&whole);
    assert!(
        words.starts_with("ward-log: 4 look-ups\n  2024-03-01  93......................  4\n"),
        "{words}"
    );
    assert!(words.contains("what a source leaves out is not measured"), "{words}");

    let promise = ["proof", "promise", "--source", "ward-log", "--every", "30"];
    assert_eq!(place.ask(&promise).status.code(), Some(0));
    watched(&place, "counted-2.csv", &[(80, 5, "a"), (200, 9, "a"), (210, 10, "b")]);
    let output = place.ask(&["coverage"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(
        stderr(&output).starts_with("error: one source has a gap\n  hint: "),
        "{}",
        stderr(&output)
    );
    let words = stdout(&output);
    let silent = "silent from 2024-03-01T01:20:00Z to 2024-03-01T03:20:00Z, and promised to speak every 30 minutes";
    assert!(words.contains(silent), "{words}");
    let missing = "3 records are missing, numbers 6 to 8, between 2024-03-01T01:20:00Z and 2024-03-01T03:20:00Z";
    assert!(words.contains(missing), "{words}");
    let json = coverage(&place);
    let source = &json["sources"][0];
    assert_eq!((&source["promised_secs"], &source["gaps"][0]["first"]), (&1_800.into(), &6.into()));
    assert_eq!(
        source["hours"][0],
        serde_json::json!({ "from": "2024-03-01T00:00:00Z", "look_ups": 3 })
    );

    // They come after all: the gap in the numbers is gone, and the silence too.
    let late: Vec<(u32, u64, &str)> =
        vec![(105, 6, "a"), (130, 7, "a"), (155, 8, "a"), (180, 11, "a")];
    watched(&place, "counted-3.csv", &late);
    let output = place.ask(&["coverage"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    place.is_whole(&[]);
}

#[test]
fn canary_reads_bound_what_is_lost() {
    let place = Place::new();
    let rows: Vec<(u32, u64, &str)> =
        (0..200).map(|number| (number * 5, u64::from(number), "Patient/probe")).collect();
    watched(&place, "counted-1.csv", &rows);
    let plan = |name: &str, minutes: &[u32]| -> PathBuf {
        let mut text = "patient,time\n".to_owned();
        for minute in minutes {
            let (hour, minute) = (minute / 60, minute % 60);
            writeln!(text, "Patient/probe,2024-03-01T{hour:02}:{minute:02}:30Z").unwrap();
        }
        let file = place.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let all: Vec<u32> = (0..200).map(|number| number * 5).collect();
    let good = plan("good.csv", &all);
    let output = place.ask(&["proof", "canary", "--plan", path(&good)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let right = "200 of 200 planned reads are in the store: with 95 % confidence, less than 1.487 % of reads \
                 are lost\n";
    assert_eq!(stdout(&output), right);
    // One minute of which there is no read, and one read that is claimed twice.
    let bad = plan("bad.csv", &[0, 7, 10, 10]);
    let output = place.ask(&["proof", "canary", "--plan", path(&bad), "--json"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["missing_lines"], serde_json::json!([3, 5]));
    assert_eq!((&json["planned"], &json["found"]), (&4.into(), &2.into()));
    assert!(!stderr(&output).contains("probe"), "{}", stderr(&output));
    assert_eq!(coverage(&place)["canaries"]["found"], 2);
    let unread = place.folder.path().join("unread.csv");
    std::fs::write(&unread, "Patient/probe,2024-03-01T00:00:00Z\nPatient/probe,yesterday\n")
        .unwrap();
    let output = place.ask(&["proof", "canary", "--plan", path(&unread)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("line 2 of"), "{}", stderr(&output));
    place.is_whole(&[]);
}
