//! Every folder `tests/data/mapping_*`: `input.*` through the shipped mappings, or through the
//! folder's own `mapping.toml`, must give `expected.ndjson`.

use bavn_decode::mapping::{Base, CsvTable, Mapping, MappingError, Mappings, Purpose, SHIPPED};
use bavn_decode::{Decoded, fhir, tree};
use bavn_model::{Origin, Record, Reject};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn mappings_of(folder: &Path) -> Mappings {
    let mut mappings = Mappings::shipped();
    if let Ok(text) = std::fs::read_to_string(folder.join("mapping.toml")) {
        mappings.add(Mapping::parse(&text).unwrap());
    }
    mappings
}

fn line_of(record: &Record<'_>) -> String {
    let mut value = serde_json::to_value(record).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null() && *value != serde_json::json!([]));
    fields.remove("id");
    fields.insert("line".into(), record.origin.line.into());
    let also: Vec<_> = record.who_also.iter().map(ToString::to_string).collect();
    if !also.is_empty() {
        fields.insert("who_also".into(), also.into());
    }
    let also: Vec<_> = record.patients.iter().flat_map(|patient| &patient.also).collect();
    if !also.is_empty() {
        let also: Vec<_> = also.iter().map(ToString::to_string).collect();
        fields.insert("patients_also".into(), also.into());
    }
    value.to_string()
}

fn reject_line(reject: &Reject) -> String {
    format!("reject at line {}: {}", reject.origin.line, reject.reason)
}

fn read_csv(mappings: &Mappings, name: &str, bytes: &[u8]) -> Vec<String> {
    let table = CsvTable::open(mappings, name, bytes).unwrap().unwrap();
    let mut out = Decoded::default();
    let body = &bytes[table.header_bytes()..];
    let at = Origin {
        line: 1 + table.header_lines(),
        byte_offset: table.header_bytes() as u64,
        ..Origin::default()
    };
    let (consumed, _) = table.decode(body, at, true, &mut out);
    assert_eq!(consumed, body.len());
    for record in &out.records {
        // The place is the row's own.
        let start = record.origin.byte_offset as usize;
        assert!(start == 0 || bytes[start - 1] == b'\n' || bytes[start - 1] == 0xbf);
    }
    out.records.iter().map(line_of).chain(out.rejects.iter().map(reject_line)).collect()
}

fn read_json(mappings: &Mappings, name: &str, bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = Origin { line: 1, ..Origin::default() };
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let record = tree::parse(line).and_then(|value| {
            let over = mappings.find_over(Base::Fhir, name, &value);
            if value.get("resourceType").str() == Some("AuditEvent") {
                let mut record = fhir::read(&value, line, at)?;
                if let Some(mapping) = over {
                    mapping.add_to(&value, &mut record);
                }
                return Ok(line_of(&record));
            }
            let mapping = mappings.find_for_json(name, &value);
            let mapping = mapping.ok_or(bavn_model::RejectReason::NoMapping)?;
            mapping.read_json(&value, line, at).map(|record| line_of(&record))
        });
        let text = record.unwrap_or_else(|reason| {
            reject_line(&Reject { origin: at, bytes: line.len() as u64, reason })
        });
        lines.push(text);
        at.line += 1;
        at.byte_offset += line.len() as u64;
    }
    lines
}

#[test]
fn every_folder_reads_as_expected() {
    let update = std::env::var_os("BAVN_UPDATE_EXPECTED").is_some();
    let mut folders = 0;
    let mut wrong = String::new();
    let mut all: Vec<_> = std::fs::read_dir(data()).unwrap().map(|entry| entry.unwrap()).collect();
    all.sort_by_key(std::fs::DirEntry::file_name);
    for folder in all.iter().map(std::fs::DirEntry::path) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("mapping_") {
            continue;
        }
        folders += 1;
        assert!(folder.join("about.md").exists(), "{name} has no about.md");
        let mappings = mappings_of(&folder);
        let mut text = String::new();
        let mut inputs: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_string_lossy().contains("input"))
            .collect();
        inputs.sort();
        for input in &inputs {
            let file = input.file_name().unwrap().to_string_lossy();
            let bytes = std::fs::read(input).unwrap();
            let lines = match input.extension().unwrap().to_str().unwrap() {
                "ndjson" => read_json(&mappings, &file, &bytes),
                _ => read_csv(&mappings, &file, &bytes),
            };
            writeln!(text, "# {file}").unwrap();
            for line in lines {
                writeln!(text, "{line}").unwrap();
            }
        }
        let expected = folder.join("expected.ndjson");
        if update {
            std::fs::write(&expected, &text).unwrap();
        } else if std::fs::read_to_string(&expected).ok().as_deref() != Some(&text) {
            writeln!(wrong, "== {name}, read now:\n{text}").unwrap();
        }
    }
    assert!(folders >= 6, "only {folders} folders");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn shipped_mappings_are_whole() {
    for (name, text) in SHIPPED {
        let mapping = Mapping::parse(text).unwrap_or_else(|error| {
            panic!("{name}: {error} at {:?}: {:?}", error.span(), text.get(error.span()))
        });
        assert_eq!(format!("{}.toml", mapping.name), name);
        assert!(!mapping.about.is_empty());
    }
    assert_eq!(Mappings::shipped().all().count(), SHIPPED.len());
}

#[test]
fn the_decision_templates_are_all_there() {
    let shipped = Mappings::shipped();
    let norway = shipped.all().find(|mapping| mapping.name == "norway-trust-framework").unwrap();
    assert_eq!(norway.purpose, Purpose::EventsOver(Base::Fhir));
    let reasons = norway.reasons();
    let derived = reasons
        .values()
        .filter(|reason| reason.choice == bavn_decode::mapping::Choice::Derived)
        .count();
    assert_eq!((reasons.len(), derived), (38, 19));
    assert!(reasons.values().all(|reason| !reason.en.is_empty() && !reason.nb.is_empty()));
}

#[test]
fn what_is_wrong_with_a_mapping_is_told_with_its_place() {
    let fields = "[fields]\nat = \"T\"\n";
    let cases = [
        ("name = \"x\"\nkind = \"events\"\nnmae = 1\n", "nmae", "unknown field `nmae`"),
        (
            "name = \"x\"\nkind = \"events\"\n[fields]\nat = \"T\"\nwhoo = \"U\"\n",
            "whoo",
            "no field `whoo`",
        ),
        ("name = \"x\"\nkind = \"events\"\n[fields]\nwho = \"U\"\n", "n", "needs the field `at`"),
        (
            "name = \"x\"\nkind = \"events\"\n[fields]\nat = { from = \"T\", zone = \"Mars/Olympus\" }\n",
            "\"Mars/Olympus\"",
            "no IANA time zone",
        ),
        (
            "name = \"x\"\nkind = \"events\"\n[fields]\nat = { from = \"T\", formats = [\"yyyy\"] }\n",
            "\"yyyy\"",
            "neither strptime",
        ),
        (
            "name = \"x\"\nkind = \"events\"\n[fields]\nat = \"T\"\nkind = { from = \"A\", values = { a = \"peek\" } }\n",
            "\"peek\"",
            "`peek` is no kind",
        ),
        (
            "name = \"x\"\nkind = \"events\"\n[fields]\nat = \"T\"\nwho = { system = \"s\" }\n",
            "who",
            "takes its value from nothing",
        ),
        (
            "name = \"x\"\nkind = \"events\"\n[fields]\nat = \"T\"\nkind = { from = \"A\", values = \"acts\" }\n",
            "kind",
            "no table `values.acts`",
        ),
        ("name = \"x\"\nkind = \"context\"\n", "\"context\"", "`table` is for"),
        (
            "name = \"x\"\nkind = \"events\"\n[match]\nkeys = [\"a[\"]\n[fields]\nat = \"T\"\n",
            "\"a[\"",
            "is no path",
        ),
        (
            "name = \"x\"\nkind = \"events\"\n[format]\ndelimiter = \"||\"\n[fields]\nat = \"T\"\n",
            "\"||\"",
            "one ASCII character",
        ),
        ("name = \"x\"\nkind = ", "", ""),
    ];
    assert!(Mapping::parse(&format!("name = \"x\"\nkind = \"events\"\n{fields}")).is_ok());
    for (text, place, words) in cases {
        let error = Mapping::parse(text).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(words), "{shown}");
        let span = error.span();
        assert!(span.end <= text.len(), "{shown}: {span:?}");
        if !place.is_empty() {
            assert_eq!(text.get(span).unwrap(), place, "{shown}");
        }
    }
}

#[test]
fn a_column_that_the_input_lacks_is_a_configuration_error() {
    let text =
        "name = \"x\"\nkind = \"events\"\n[fields]\nat = [\"When\", \"Time\"]\nwho = \"Staff\"\n";
    let mut mappings = Mappings::default();
    mappings.add(Mapping::parse(text).unwrap());
    let error = CsvTable::open(&mappings, "log.csv", b"When,Nurse\n").unwrap_err();
    assert!(matches!(&error, MappingError::MissingColumn { column, .. } if column == "Staff"));
    assert_eq!(text.get(error.span()), Some("who"));
    // One of several spellings is enough.
    assert!(CsvTable::open(&mappings, "log.csv", b"TIME;staff\n").unwrap().is_some());
    // No mapping at all is for a file of this header.
    assert!(CsvTable::open(&Mappings::shipped(), "x.csv", b"a,b\n").unwrap().is_none());
}

#[test]
fn a_row_can_be_explained_without_showing_its_patient() {
    let bytes = std::fs::read(data().join("mapping_epic_access_log/input.csv")).unwrap();
    let table = CsvTable::open(&Mappings::shipped(), "input.csv", &bytes).unwrap().unwrap();
    let at = Origin { line: 2, ..Origin::default() };
    let rows = table.explain(&bytes[table.header_bytes()..], at, 1);
    let text = serde_json::to_string(&rows).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(text.contains("ACCESS_TIME") && text.contains("through a table of values"), "{text}");
    assert!(!text.contains("Z1000017") && text.contains("**17"), "{text}");
}

/// Every cut and many changed bytes of every sample: an answer, never a panic, and no more rows
/// than there are lines.
#[test]
fn cut_and_changed_samples_are_answered() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let shipped = Mappings::shipped();
    for entry in std::fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path().join("input.csv");
        let Ok(sample) = std::fs::read(path) else { continue };
        for round in 0..600_usize {
            let mut bytes = sample.clone();
            bytes.truncate(if round < 200 { round * bytes.len() / 200 } else { bytes.len() });
            for _ in 0..round % 4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if !bytes.is_empty() {
                    let place = (seed >> 33) as usize % bytes.len();
                    bytes[place] = (seed >> 20) as u8;
                }
            }
            let lines = bytes.split(|&byte| byte == b'\n').count();
            if let Ok(Some(table)) = CsvTable::open(&shipped, "input.csv", &bytes) {
                let mut out = Decoded::default();
                let body = &bytes[table.header_bytes()..];
                let (consumed, _) = table.decode(body, Origin::default(), true, &mut out);
                assert_eq!(consumed, body.len());
                assert!(out.records.len() + out.rejects.len() <= lines);
            }
        }
    }
}

#[test]
fn the_example_of_the_page_on_mappings_is_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/mappings/README.md");
    let page = std::fs::read_to_string(root).unwrap();
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    Mapping::parse(example.unwrap()).unwrap();
}
