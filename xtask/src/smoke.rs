//! Does the built program do in small what the docs say it does?
//!
//! It decodes every test record, watches a small drilled region with a theft in it, and runs each
//! bench once. What it prints, of alarms and of what a store is asked, is held against the JSON Schemas that other programs rely on.

use crate::{product, schema, shell};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether events, alarms and rejects are what `docs/schema/` says; and whether there were any.
pub(crate) fn schemas() -> Result<bool> {
    let bavn = product::built()?;
    let folder = product::scratch(&bavn, "schemas")?;
    let events = test_events(&bavn, &folder)?;
    let region = region(&bavn, &folder)?;
    let alarms = folder.join("alarms.ndjson");
    let (store, key) = (folder.join("store"), folder.join("key"));
    shell::output(Command::new(&bavn).args(["store", "make-key"]).arg(&key))?;
    let mut watch = Command::new(&bavn);
    watch.arg("watch").arg("--context").arg(region.join("context"));
    watch.arg("--store").arg(&store).arg("--key-file").arg(&key);
    shell::output(watch.arg("--alarms").arg(&alarms).arg(region.join("events")))?;
    let alarms = product::lines(&std::fs::read_to_string(alarms)?)?;
    let asked = Asked { bavn: &bavn, region: &region, store: &store, key: &key };
    Ok(fits("event", &events)? & fits("alarm", &alarms)? & asked.fit(&folder)?)
}

/// A store of the region, and what is asked of it.
struct Asked<'a> {
    bavn: &'a Path,
    region: &'a Path,
    store: &'a Path,
    key: &'a Path,
}

impl Asked<'_> {
    /// Whether every answer about a few readers and patients is what its schema says.
    fn fit(&self, folder: &Path) -> Result<bool> {
        let Some(file) = ndjson_file(&self.region.join("events"))? else { return Ok(false) };
        let text = shell::output(Command::new(self.bavn).arg("decode").arg(file))?;
        let events = product::lines(&text)?;
        let read = events.iter().filter(|event| event["kind"] == "read");
        let read = read.filter(|event| event["who"].is_string());
        let some: Vec<&Value> = read.step_by(events.len().div_ceil(ASKED_ABOUT)).collect();
        let (mut scopes, mut whos, mut explained) = (Vec::new(), Vec::new(), Vec::new());
        let (context, drill) = (self.region.join("context"), ["--purpose", "drill"]);
        for event in &some {
            let (Some(who), Some(id)) = (event["who"].as_str(), event["id"].as_str()) else {
                continue;
            };
            for more in [&["--by", "action"][..], &["--list", "--minus-explained"]] {
                let scope = ["scope", "--json", "--identity", who];
                scopes.push(self.ask(&[&scope[..], &drill, more].concat())?);
            }
            if let Some(patient) = event["patients"][0].as_str() {
                let who = ["who", "--format", "json", "--patient", patient];
                whos.push(self.ask(&[&who[..], &drill].concat())?);
            }
            let mut explain = Command::new(self.bavn);
            explain.args(["explain", id, "--json", "--context"]).arg(&context);
            explained
                .extend(product::lines(&shell::output(explain.arg(self.region.join("events")))?)?);
        }
        let list = folder.join("list.csv");
        let names: Vec<&str> = some.iter().filter_map(|event| event["who"].as_str()).collect();
        std::fs::write(&list, names.join("\n") + "\nnobody-at-all\n")?;
        let list = list.to_string_lossy();
        let hunted = self.ask(&[&["hunt", "--json", &list][..], &drill].concat())?;
        let verified = self.ask(&["verify", "--json"])?;
        Ok(fits("scope", &scopes)?
            & fits("who", &whos)?
            & fits("explain", &explained)?
            & fits("hunt", &[hunted])?
            & fits("verify", &[verified])?)
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(self.bavn);
        command.args(arguments).arg("--store").arg(self.store).arg("--key-file").arg(self.key);
        let output = command.output().context("bavn could not be started")?;
        if !matches!(output.status.code(), Some(0 | A_SOURCE_WAS_SILENT)) {
            bail!("`bavn {}` ended with {}", arguments.join(" "), output.status);
        }
        serde_json::from_slice(&output.stdout).context("an answer is no JSON")
    }
}

/// Whether each bench runs to its end and counts what it read.
pub(crate) fn benches() -> Result<bool> {
    let bavn = product::built()?;
    let folder = product::scratch(&bavn, "benches")?;
    let region = region(&bavn, &folder)?;
    let Some(file) = ndjson_file(&region.join("events"))? else { bail!("no NDJSON was drilled") };
    let mut counted = true;
    for (work, path) in [("decode", &file), ("watch", &region)] {
        let text = shell::output(Command::new(&bavn).args(["bench", work, "--json"]).arg(path))?;
        let said: Value = serde_json::from_str(&text).context("`bavn bench` wrote no JSON")?;
        let per_second = said["events_per_second"].as_f64().unwrap_or_default();
        println!("bench {work}: {per_second:.0} events/s in the dev profile");
        counted &= per_second > 0.0;
    }
    let store = folder.join("bench-store");
    let scope = ["bench", "scope", "--json", "--look-ups", "20000", "--staff", "100"];
    let text = shell::output(Command::new(&bavn).args(scope).arg(&store))?;
    let said: Value = serde_json::from_str(&text).context("`bavn bench` wrote no JSON")?;
    let milliseconds = said["scope"]["milliseconds_p50"].as_f64().unwrap_or_default();
    println!("bench scope: {milliseconds:.1} ms in the dev profile");
    let store = folder.join("bench-verify");
    let verify = ["bench", "verify", "--json", "--look-ups", "20000", "--staff", "100"];
    let text = shell::output(Command::new(&bavn).args(verify).arg(&store))?;
    let verified: Value = serde_json::from_str(&text).context("`bavn bench` wrote no JSON")?;
    let megabytes = verified["bytes"]["megabytes"].as_f64().unwrap_or_default();
    println!("bench verify: {megabytes:.1} MB read in the dev profile");
    counted &= megabytes > 1.0;
    Ok(counted && milliseconds > 0.0 && said["scope"]["answer"].as_u64() > Some(0))
}

/// What `bavn decode` makes of every input among its tests. Some of them cannot be read to their
/// end, which is what they are there for.
fn test_events(bavn: &Path, folder: &Path) -> Result<Vec<Value>> {
    let data = shell::root().join("crates/bavn-decode/tests/data");
    let mut inputs = shell::files(&data)?;
    inputs.retain(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains("input."))
    });
    let mut command = Command::new(bavn);
    command.arg("decode").arg("--rejects").arg(folder.join("rejects.ndjson")).args(inputs);
    let output = command.output().context("bavn could not be started")?;
    if !matches!(output.status.code(), Some(0 | INPUT_NOT_READ_TO_ITS_END)) {
        bail!("`bavn decode` ended with {}", output.status);
    }
    product::lines(&String::from_utf8(output.stdout)?)
}

/// A small region with a theft under way.
fn region(bavn: &Path, folder: &Path) -> Result<PathBuf> {
    let region = folder.join("region");
    let mut drill = Command::new(bavn);
    shell::output(drill.arg("drill").args(REGION).arg("--out").arg(&region))?;
    Ok(region)
}

fn ndjson_file(events: &Path) -> Result<Option<PathBuf>> {
    let files = shell::files(events)?;
    Ok(files.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "ndjson")))
}

/// Prints the first violations; whether there is at least one value and all fit.
fn fits(name: &str, values: &[Value]) -> Result<bool> {
    let path = shell::root().join(format!("docs/schema/{name}.schema.json"));
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("`{}` could not be read", path.display()))?;
    let schema: Value = serde_json::from_str(&text).context("a schema is no JSON")?;
    let mut wrong = 0;
    for (at, value) in values.iter().enumerate() {
        let violations = schema::violations(&schema, value);
        if let Some(first) = violations.first() {
            wrong += 1;
            if wrong <= SHOWN_MAX {
                println!("error: {name} {}: {first}", at + 1);
            }
        }
    }
    println!("{name}: {} checked, {wrong} wrong", values.len());
    Ok(wrong == 0 && !values.is_empty())
}

const SHOWN_MAX: usize = 10;
const INPUT_NOT_READ_TO_ITS_END: i32 = 3;
const A_SOURCE_WAS_SILENT: i32 = 4;
/// Look-ups whose reader and patient are asked about.
const ASKED_ABOUT: usize = 3;
const REGION: &[&str] = &[
    "--staff",
    "120",
    "--patients",
    "6000",
    "--days",
    "21",
    "--seed",
    "7",
    "--attacks",
    "burst_night",
];
