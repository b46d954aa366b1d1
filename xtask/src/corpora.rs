//! Are public samples of audit records read as a person reads them?
//!
//! Every audit record of the samples' folder goes through `bavn decode`; what comes out is held
//! against `xtask/data/expected_readings.toml`. The samples stay where they are: some licences
//! forbid copying them here.

use crate::{product, shell};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use toml::Table;

/// Folders of the samples that hold audit records.
const FOLDERS: &[&str] = &["fhir-auditevent", "dicom-audit"];

/// Files beside them that are none: resources that the records refer to, and another program's own
/// JSON, which needs a mapping.
const NO_AUDIT_RECORDS: &[&str] =
    &["fhir-auditevent/balp-r4-related/", "dicom-audit/openhim-json/"];

/// Reads every file of the folders and prints a line for each; whether all are as expected.
pub(crate) fn run(samples: &Path) -> Result<bool> {
    if !samples.is_dir() {
        bail!("`{}` is no folder", samples.display());
    }
    let bavn = product::built()?;
    let readings = readings()?;
    let (mut passed, mut failed, mut absent) = (0, 0, 0);
    for name in names(samples, &readings)? {
        let expected = readings.iter().find(|reading| text(reading, "file") == Some(&name));
        let path = samples.join(&name);
        if !path.exists() {
            absent += 1;
            println!("absent  {name}");
            continue;
        }
        let wrong = match product::decode(&bavn, &path) {
            Ok(decoded) => differences(&decoded, expected.unwrap_or(&Table::new())),
            Err(error) => vec![format!("{error:#}")],
        };
        if wrong.is_empty() {
            passed += 1;
            println!("ok      {name}");
        } else {
            failed += 1;
            println!("FAILED  {name}\n          {}", wrong.join("\n          "));
        }
    }
    println!("{passed} passed, {failed} failed, {absent} absent");
    Ok(failed == 0 && passed > 0)
}

/// The table, one entry a file.
fn readings() -> Result<Vec<Table>> {
    let path = shell::root().join("xtask/data/expected_readings.toml");
    let table: Table = std::fs::read_to_string(&path)?.parse()?;
    let list = table.get("reading").and_then(|list| list.as_array());
    let list = list.context("no readings in the table")?;
    Ok(list.iter().filter_map(|reading| reading.as_table().cloned()).collect())
}

/// Every file to try: those in the folders and those in the table.
fn names(samples: &Path, readings: &[Table]) -> Result<BTreeSet<String>> {
    let mut names: BTreeSet<String> =
        readings.iter().filter_map(|reading| text(reading, "file")).map(str::to_owned).collect();
    for folder in FOLDERS.iter().map(|folder| samples.join(folder)).filter(|path| path.is_dir()) {
        for path in shell::files(&folder)? {
            let name = path.strip_prefix(samples)?.to_string_lossy().replace('\\', "/");
            if !NO_AUDIT_RECORDS.iter().any(|other| name.starts_with(other)) {
                names.insert(name);
            }
        }
    }
    Ok(names)
}

/// In what the reading of a file differs from what is expected of it.
fn differences(decoded: &product::Decoded, expected: &Table) -> Vec<String> {
    let mut wrong = Vec::new();
    let records = decoded.events.len() + decoded.rejects.len();
    match expected.get("records").and_then(toml::Value::as_integer) {
        Some(wanted) if wanted as usize == records => return wrong,
        Some(wanted) => return vec![format!("{records} records instead of {wanted}")],
        None => {}
    }
    if !decoded.rejects.is_empty() || decoded.events.is_empty() {
        wrong.push(format!(
            "{} events and {} rejects",
            decoded.events.len(),
            decoded.rejects.len()
        ));
    }
    let Some(event) = decoded.events.first() else { return wrong };
    for key in ["who", "on_behalf_of", "outcome"] {
        let found = event[key].as_str().unwrap_or_default();
        if let Some(spellings) = strings(expected, key)
            && !spellings.iter().any(|spelling| matches(spelling, found))
        {
            wrong.push(format!("{key} is not {spellings:?}"));
        }
    }
    for key in ["patients", "purpose"] {
        let found = set(&event[key]);
        if let Some(wanted) = strings(expected, key) {
            let each = wanted.iter().all(|name| found.iter().any(|other| matches(name, other)));
            if !each || wanted.len() != found.len() {
                wrong.push(format!("{key} are not {wanted:?} but {} in number", found.len()));
            }
        }
    }
    for key in ["action", "kind", "at"] {
        if let Some(wanted) = text(expected, key)
            && event[key].as_str() != Some(wanted)
        {
            wrong.push(format!("{key} is {} instead of {wanted}", event[key]));
        }
    }
    let flags = set(&event["flags"]);
    for flag in strings(expected, "flags").unwrap_or_default() {
        if !flags.contains(&flag) {
            wrong.push(format!("flag {flag} is missing among {flags:?}"));
        }
    }
    let has_person = !event["who"].is_null() && !flags.iter().any(|flag| flag == "system_identity");
    if expected.contains_key("no_person") && has_person {
        wrong.push("a person is named who is none".to_owned());
    }
    let query = event["query"].as_str().unwrap_or_default();
    if text(expected, "query").is_some_and(|part| !query.contains(part)) {
        wrong.push("the query is not the one sent".to_owned());
    }
    wrong
}

/// Whether a spelling, in which `?` stands for any one digit, is the one found.
fn matches(spelling: &str, found: &str) -> bool {
    spelling == found
        || spelling.len() == found.len()
            && spelling.ends_with('?')
            && spelling
                .bytes()
                .zip(found.bytes())
                .all(|(wanted, byte)| wanted == byte || wanted == b'?' && byte.is_ascii_digit())
}

fn set(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn text<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key)?.as_str()
}

fn strings(table: &Table, key: &str) -> Option<Vec<String>> {
    let list = table.get(key)?.as_array()?;
    Some(list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Value {
        json!({
            "who": "a|1234", "patients": ["Patient/1", "Patient/2"], "action": "R",
            "at": "2020-01-01T00:00:00Z", "outcome": "success", "purpose": [], "flags": ["no_zone"],
        })
    }

    fn wrong(expected: &str) -> usize {
        let decoded = product::Decoded { events: vec![event()], rejects: Vec::new() };
        differences(&decoded, &expected.parse().unwrap()).len()
    }

    #[test]
    fn a_reading_as_expected_passes() {
        let expected = "who = ['b', 'a|12??']\npatients = ['Patient/2', 'Patient/1']\n\
                        purpose = []\naction = 'R'\nflags = ['no_zone']\non_behalf_of = ['']";
        assert_eq!(wrong(expected), 0);
    }

    #[test]
    fn every_kind_of_difference_is_seen() {
        for expected in [
            "who = ['a|12?']",
            "who = ['']",
            "patients = ['Patient/1']",
            "purpose = ['TREAT']",
            "action = 'E'",
            "flags = ['break_glass']",
            "no_person = true",
            "query = 'x'",
            "records = 2",
        ] {
            assert_eq!(wrong(expected), 1, "{expected}");
        }
    }

    #[test]
    fn a_reject_is_a_difference_unless_only_the_number_is_asked() {
        let decoded = product::Decoded { events: Vec::new(), rejects: vec![json!({})] };
        assert_eq!(differences(&decoded, &Table::new()).len(), 1);
        assert_eq!(differences(&decoded, &"records = 1".parse().unwrap()).len(), 0);
    }

    #[test]
    fn the_table_can_be_read() {
        assert!(readings().unwrap().iter().all(|reading| text(reading, "file").is_some()));
    }
}
