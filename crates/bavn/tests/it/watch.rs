//! `bavn watch`: the same input gives the same bytes, and half of it half of the alarms.

use super::{audit_event, bavn, path, stderr, stdout};
use std::fmt::Write as _;

/// Twelve nurses who each open a few patients a day for ten days; on the ninth night one of them
/// opens eighty patients in half an hour. 2024-03-01 is day 0.
fn region() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut add = |day: u32, minute: u32, who: u32, patient: u32| {
        let second = lines.len() % 60;
        let (hour, minute) = (minute / 60, minute % 60);
        let at = format!("2024-03-{:02}T{hour:02}:{minute:02}:{second:02}Z", day + 1);
        let id = format!("e{}", lines.len());
        let line = audit_event(&id, &at, &format!("nurse-{who}"), &format!("p{patient}"));
        lines.push((at, line));
    };
    for day in 0..10 {
        for who in 0..12 {
            for read in 0..6 {
                add(day, 8 * 60 + read * 70 + who * 5, who, who * 40 + (read + day) % 20);
            }
        }
    }
    for read in 0..80 {
        add(8, 23 * 60 + read / 3, 5, 1_000 + read * 7);
    }
    lines.sort();
    lines
}

fn file_of(lines: &[(String, String)]) -> tempfile::NamedTempFile {
    let mut text = String::new();
    for (_, line) in lines {
        writeln!(text, "{line}").unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn alarms(lines: &[(String, String)]) -> String {
    let file = file_of(lines);
    let output = bavn(&["watch", path(file.path())]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn a_mass_read_at_night_is_alarmed_and_named() {
    let text = alarms(&region());
    let alert = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|alarm| alarm["is_alert"] == true)
        .expect("no alarm was raised");
    assert_eq!(alert["class_uid"], 2004);
    assert_eq!(alert["evidences"][0]["actor"]["user"]["uid"], "Practitioner/nurse-5");
    // No patient travels with an alarm.
    assert!(!text.contains("Patient/"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let lines = region();
    assert_eq!(alarms(&lines), alarms(&lines));
}

#[test]
fn a_prefix_gives_a_prefix() {
    let lines = region();
    let whole = alarms(&lines);
    for kept in (50..lines.len()).step_by(97) {
        let part = alarms(&lines[..kept]);
        assert!(whole.starts_with(&part), "the first {kept} lines raise other alarms");
    }
}

#[test]
fn newest_first_gives_the_alarms_of_oldest_first() {
    let mut lines = region();
    let expected = alarms(&lines);
    lines.reverse();
    let alarms = alarms(&lines);
    assert_eq!(alarms.lines().count(), expected.lines().count());
    let named = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            // Look-ups of one instant come in the order of the file, and a lot may fall otherwise.
            .filter(|alarm| alarm["unmapped"]["bavn"]["lane"] != "audit")
            .map(|alarm| {
                // Readers of one crowd are named in the order in which the file met them.
                let evidences = alarm["evidences"].as_array().unwrap().iter();
                let mut readers: Vec<String> =
                    evidences.map(|held| held["actor"]["user"]["uid"].to_string()).collect();
                readers.sort();
                format!("{readers:?} {}", alarm["time"])
            })
            .collect()
    };
    assert_eq!(named(&alarms), named(&expected));
}

#[test]
fn the_same_record_twice_is_one_event() {
    let lines = region();
    let doubled: Vec<_> = lines.iter().flat_map(|line| [line.clone(), line.clone()]).collect();
    let file = file_of(&doubled);
    let output = bavn(&["watch", path(file.path())]);
    let words = stderr(&output);
    assert!(words.contains(&format!("{} duplicates", lines.len())), "{words}");
    assert_eq!(stdout(&output), alarms(&lines));
}

#[test]
fn an_alarm_can_fail_the_run() {
    let file = file_of(&region());
    let output = bavn(&["watch", "--fail-on-alarm", path(file.path())]);
    assert_eq!(output.status.code(), Some(1));
    let quiet: Vec<_> = region().into_iter().filter(|(_, line)| !line.contains("/p1")).collect();
    let quiet = file_of(&quiet[..300]);
    let output = bavn(&["watch", "--fail-on-alarm", path(quiet.path())]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
