//! Each folder's input, decoded whole and in blocks of every awkward size.

use bavn_decode::{Decoded, Decoder, Mapping, Mappings, sniff};
use bavn_model::{Record, Reject};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[test]
fn every_folder_is_read_as_expected() {
    let cases = cases();
    assert!(cases.len() > 20, "only {} folders found", cases.len());
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(failures.is_empty(), "{} folders:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// Every sample of every area, with its name.
pub(crate) fn inputs() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let areas = folders(&root);
    let places = areas.iter().flat_map(|area| [vec![area.clone()], folders(area)].concat());
    let files = places.flat_map(|place| std::fs::read_dir(place).unwrap());
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_string_lossy().contains("input."));
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

/// All case folders, sorted.
fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut cases: Vec<PathBuf> = folders(&root).iter().flat_map(|area| folders(area)).collect();
    cases.sort();
    cases
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

fn check(case: &Path) -> Result<(), String> {
    let told = |what: String| format!("{}: {what}", case.display());
    if !case.join("about.md").exists() {
        return Err(told("about.md is missing".into()));
    }
    let Some(input) = input(case) else { return Err(told("no file `input.*`".into())) };
    let mappings = mappings(case).map_err(told)?;
    let bytes = std::fs::read(&input).unwrap();
    let name = input.file_name().unwrap().to_string_lossy().into_owned();
    let found = decode(&name, &bytes, &mappings, bytes.len());

    let path = case.join("expected.jsonl");
    if std::env::var_os("BAVN_REWRITE_EXPECTED").is_some() {
        std::fs::write(&path, found.join("\n") + "\n").unwrap();
    }
    let expected = std::fs::read_to_string(&path).map_err(|error| told(error.to_string()))?;
    let expected: Vec<String> = expected.lines().map(str::to_owned).collect();
    if found != expected {
        return Err(told(differences(&expected, &found)));
    }
    for block_bytes in [1, 7, 61, 1_024] {
        if bytes.len() / block_bytes > BLOCKS_MAX {
            continue;
        }
        let in_blocks = decode(&name, &bytes, &mappings, block_bytes);
        if in_blocks != expected {
            let what = differences(&expected, &in_blocks);
            return Err(told(format!("in blocks of {block_bytes} bytes: {what}")));
        }
    }
    Ok(())
}

fn input(case: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
    let is_input = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == "input");
    let mut inputs: Vec<PathBuf> = entries.filter(is_input).collect();
    inputs.sort();
    inputs.into_iter().next()
}

/// The shipped mappings, and those of the folder.
fn mappings(case: &Path) -> Result<Arc<Mappings>, String> {
    let mut mappings = Mappings::shipped();
    for entry in std::fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).unwrap();
            mappings.add(Mapping::parse(&text).map_err(|error| error.to_string())?);
        }
    }
    Ok(Arc::new(mappings))
}

/// Decodes an input as an edge would that reads `block_bytes` at a time.
fn decode(name: &str, bytes: &[u8], mappings: &Arc<Mappings>, block_bytes: usize) -> Vec<String> {
    let format = match sniff(name, bytes, mappings) {
        Ok(format) => format,
        Err(error) => return vec![json!({ "refused": error.to_string() }).to_string()],
    };
    let mut decoder = Decoder::new(format, Arc::clone(mappings), 0, name);
    let mut lines = Vec::new();
    let (mut from, mut to) = (0, 0);
    loop {
        to = bytes.len().min(to + block_bytes);
        let mut out = Decoded::default();
        let at_end = to == bytes.len();
        from += decoder.decode(&bytes[from..to], at_end, &mut out);
        lines.extend(printed(&out));
        if at_end {
            assert_eq!(from, to, "{name}: not all bytes were taken");
            break;
        }
    }
    // Blocks may tell a reject before or after the records beside it.
    lines.sort_by_key(|(place, _)| *place);
    lines.into_iter().map(|(_, line)| line).collect()
}

type Place = (u64, Option<u32>, bool);

fn printed(decoded: &Decoded<'_>) -> Vec<(Place, String)> {
    let records = decoded.records.iter().map(|record| {
        let origin = record.origin;
        ((origin.byte_offset, origin.entry, false), record_line(record))
    });
    let rejects = decoded.rejects.iter().map(|reject| {
        let origin = reject.origin;
        ((origin.byte_offset, origin.entry, true), reject_line(reject))
    });
    records.chain(rejects).collect()
}

fn record_line(record: &Record<'_>) -> String {
    #[derive(serde::Serialize)]
    struct Line<'r, 'a> {
        #[serde(flatten)]
        record: &'r Record<'a>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        who_also: Vec<&'r str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        patients_also: Vec<Vec<&'r str>>,
        origin: Value,
    }
    let also: Vec<Vec<&str>> = record
        .patients
        .iter()
        .map(|patient| patient.also.iter().map(AsRef::as_ref).collect())
        .collect();
    let line = Line {
        record,
        who_also: record.who_also.iter().map(AsRef::as_ref).collect(),
        patients_also: if also.iter().all(Vec::is_empty) { Vec::new() } else { also },
        origin: json!({
            "line": record.origin.line,
            "entry": record.origin.entry,
            "byte_offset": record.origin.byte_offset,
        }),
    };
    serde_json::to_string(&line).unwrap()
}

fn reject_line(reject: &Reject) -> String {
    let origin = reject.origin;
    json!({
        "reject": reject.reason.code(),
        "why": reject.reason.to_string(),
        "line": origin.line,
        "entry": origin.entry,
        "byte_offset": origin.byte_offset,
        "bytes": reject.bytes,
    })
    .to_string()
}

fn differences(expected: &[String], found: &[String]) -> String {
    let mut text = format!("{} lines expected, {} found", expected.len(), found.len());
    let longest = expected.len().max(found.len());
    let nothing = String::from("(nothing)");
    let differing = (0..longest)
        .map(|index| {
            (expected.get(index).unwrap_or(&nothing), found.get(index).unwrap_or(&nothing))
        })
        .filter(|(one, other)| one != other)
        .take(LINES_SHOWN);
    for (one, other) in differing {
        let _written = write!(text, "\n  expected {one}\n  found    {other}");
    }
    text
}

/// Decoding again and again from a record's start is quadratic in tiny blocks.
const BLOCKS_MAX: usize = 20_000;
const LINES_SHOWN: usize = 3;
