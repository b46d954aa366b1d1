//! A watch that was stopped goes on as if it had not: the same alarms, byte for byte, each once.

use super::store::Place;
use super::{bavn, path, stderr, stdout};
use bavn_model::Timestamp;
use bavn_store::{Kek, Store, Writer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A drilled region, its look-ups by time, and a place for a store.
pub(super) struct Region {
    place: Place,
    /// Of each file: when, and the line.
    pub(super) files: BTreeMap<String, Vec<(Timestamp, String)>>,
}

impl Region {
    pub(super) fn drilled() -> Self {
        let place = Place::new();
        let folder = place.folder.path().join("region");
        let size = ["--staff", "80", "--patients", "2500", "--days", "15", "--seed", "5"];
        let attacks = ["--attacks", "burst_night,leaver,api_ordered"];
        let drilled = bavn(&[&["drill", "--out", path(&folder)][..], &size, &attacks].concat());
        assert_eq!(drilled.status.code(), Some(0), "{}", stderr(&drilled));
        let mut files: BTreeMap<String, Vec<(Timestamp, String)>> = BTreeMap::new();
        for entry in std::fs::read_dir(folder.join("events")).unwrap() {
            let file = entry.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            let held = files.entry(name).or_default();
            for record in stdout(&bavn(&["decode", path(&file)])).lines() {
                let record: Value = serde_json::from_str(record).unwrap();
                let line = record["origin"]["line"].as_u64().unwrap() as usize;
                let at = time(record["at"].as_str().unwrap());
                held.push((at, lines[line - 1].to_owned()));
            }
        }
        Self { place, files }
    }

    pub(super) fn below(&self, name: &str) -> PathBuf {
        self.place.folder.path().join(name)
    }

    /// Writes the files as they stood at a time; all of them if it is none. Returns the look-ups.
    pub(super) fn until(&self, until: Option<&str>) -> usize {
        let until = until.map(time);
        let folder = self.below("grown");
        std::fs::create_dir_all(&folder).unwrap();
        let mut count = 0;
        for (name, lines) in &self.files {
            let then = lines.iter().filter(|(at, _)| until.is_none_or(|until| *at < until));
            let text: Vec<&str> = then.map(|(_, line)| line.as_str()).collect();
            count += text.len();
            std::fs::write(folder.join(name), text.join("\n") + "\n").unwrap();
        }
        count
    }

    /// Watches into the store of this name.
    fn watch(&self, store: &str, alarms: &Path, inputs: &Path) -> Output {
        self.start(store, alarms, inputs).stdout(Stdio::piped()).output().unwrap()
    }

    fn start(&self, store: &str, alarms: &Path, inputs: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bavn"));
        command
            .args(["watch", "--json", "--budget", "20", "--store", path(&self.below(store))])
            .args(["--key-file", path(&self.below("key"))])
            .args(["--context", path(&self.below("region/context"))])
            .args(["--alarms", path(alarms), path(inputs)]);
        command
    }

    fn file_of_alarms(&self, store: &str) -> PathBuf {
        self.below(&format!("{store}.alarms"))
    }

    pub(super) fn watched(&self, store: &str) -> Value {
        summary(&self.watch(store, &self.file_of_alarms(store), &self.below("grown")))
    }

    /// Somebody whose last look-up lies between these times becomes a stranger to the context.
    fn rename_a_patient_last_seen(&mut self, from: &str, to: &str) {
        let (from, to) = (time(from), time(to));
        let mut times: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        for (at, line) in self.files.values().flatten() {
            let names = line.split('"').filter(|text| text.starts_with("Patient/"));
            names.for_each(|name| times.entry(name.to_owned()).or_default().push(*at));
        }
        let last = |times: &[Timestamp]| times.iter().copied().max();
        let mut names =
            times.iter().filter(|(_, times)| (Some(from)..Some(to)).contains(&last(times)));
        let (name, _) = names.next().unwrap();
        for (_, line) in self.files.values_mut().flatten() {
            *line = line.replace(&format!("\"{name}\""), &format!("\"{STRANGER}\""));
        }
    }

    /// `bavn store` on the store of this name.
    fn on(&self, store: &str, arguments: &[&str], more: &[&str]) -> Output {
        let (store, key) = (self.below(store), self.below("key"));
        let access = ["--store", path(&store), "--key-file", path(&key)];
        bavn(&[&["store"], arguments, &access[..], more].concat())
    }

    /// What was learned, as it lies in the store of this name.
    fn state(&self, store: &str) -> Vec<u8> {
        let key = std::fs::read(self.below("key")).unwrap();
        let kek = Kek::read(&key).unwrap();
        let store = self.below(store);
        let controller = Store::open(&store, &kek).unwrap().controller().to_owned();
        let writer = Writer::open(&store, &controller, kek, Box::new(|_| false)).unwrap();
        writer.state().unwrap().unwrap()
    }

    pub(super) fn alarms(&self, store: &str) -> String {
        std::fs::read_to_string(self.file_of_alarms(store)).unwrap()
    }
}

/// A patient whom the context does not know.
const STRANGER: &str = "Patient/stranger-31415926";

pub(super) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap().0
}

fn summary(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    serde_json::from_str(&stdout(output)).unwrap()
}

#[test]
fn stopped_at_any_time_a_watch_goes_on_as_if_it_had_not() {
    let region = Region::drilled();
    region.until(None);
    let whole = region.watched("whole");
    let alarms = region.alarms("whole");
    let times: Vec<i64> = alarms
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|alarm| alarm["is_alert"] == true)
        .map(|alarm| alarm["time"].as_i64().unwrap())
        .collect();
    assert!(times.len() >= 4, "{alarms}");
    // In the middle of a day and of its visits, at midnight, and while a theft goes on.
    let theft = Timestamp::from_micros(times[times.len() / 2] * 1_000 + 1_000);
    let theft = theft.to_string();
    let cuts = ["2024-01-09T10:37:21Z", &theft, "2024-01-12T00:00:00Z", "2024-01-14T13:05:00.5Z"];
    let mut cuts: Vec<&str> = cuts.to_vec();
    cuts.sort_unstable();
    let mut stored = 0_u64;
    for cut in cuts.into_iter().map(Some).chain([None, None]) {
        region.until(cut);
        stored += region.watched("cut")["stored"].as_u64().unwrap();
        let told = region.alarms("cut");
        assert!(alarms.starts_with(&told), "until {cut:?} other alarms are raised");
    }
    assert_eq!(whole["stored"], stored);
    assert!(alarms == region.alarms("cut"));
}

#[test]
fn killed_at_any_instant_each_alarm_stands_there_once() {
    let region = Region::drilled();
    region.until(None);
    region.watched("whole");
    region.until(Some("2024-01-08T11:00:00Z"));
    region.watched("killed");
    region.until(None);
    let inputs = region.below("grown");
    let mut killed = 0;
    for milliseconds in [100, 400, 800, 1_300, 1_900, 2_600, 3_400, 4_500] {
        let mut command = region.start("killed", &region.file_of_alarms("killed"), &inputs);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        // It may have come to its end.
        killed += usize::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap();
        run.wait().unwrap();
    }
    assert!(killed >= 2, "only {killed} runs were killed");
    region.watched("killed");
    assert!(region.alarms("whole") == region.alarms("killed"));
    assert_eq!(region.watched("killed")["stored"], 0);
}

#[test]
fn what_was_stored_and_not_judged_is_judged_though_its_input_is_gone() {
    let region = Region::drilled();
    let all = region.until(None);
    region.watched("whole");
    let before = region.until(Some("2024-01-08T11:00:00Z"));
    region.watched("gone");
    region.until(None);
    let stopped = region.watch("gone", Path::new("/dev/full"), &region.below("grown"));
    assert_ne!(stopped.status.code(), Some(0), "alarms went to a full disk");
    std::fs::remove_dir_all(region.below("grown")).unwrap();
    let nothing = region.below("nothing.ndjson");
    std::fs::write(&nothing, "").unwrap();
    let watched = summary(&region.watch("gone", &region.file_of_alarms("gone"), &nothing));
    assert_eq!(watched["stored"], 0);
    assert!(all > before);
    assert!(region.alarms("whole") == region.alarms("gone"));
}

#[test]
fn after_a_shredding_a_watch_goes_on_as_if_it_had_not_stopped() {
    let mut region = Region::drilled();
    let cut = "2024-01-08T11:00:00Z";
    region.rename_a_patient_last_seen("2024-01-08T00:00:00Z", cut);
    region.until(None);
    region.watched("whole");
    region.until(Some(cut));
    region.watched("shredded");
    let is_told = |region: &Region| {
        region.state("shredded").windows(STRANGER.len()).any(|part| part == STRANGER.as_bytes())
    };
    assert!(is_told(&region), "nobody would be forgotten");
    let shredded = region.on(
        "shredded",
        &["shred", "--patient", STRANGER, "--purpose", "insight", "--reason", "asked for"],
        &["--tombstones", path(&region.below("tombstones"))],
    );
    assert_eq!(shredded.status.code(), Some(0), "{}", stderr(&shredded));
    assert!(!is_told(&region), "the name stands in what was learned");
    // In the source's own log the patient would come back.
    for lines in region.files.values_mut() {
        lines.retain(|(_, line)| !line.contains(STRANGER));
    }
    region.until(None);
    region.watched("shredded");
    assert!(region.alarms("whole") == region.alarms("shredded"));
}

#[test]
fn a_state_under_another_context_is_refused_with_a_way_out() {
    let place = Place::new();
    place.watched(3_000);
    let context = place.folder.path().join("context");
    std::fs::create_dir(&context).unwrap();
    let nurse = r#"{"resourceType":"Practitioner","id":"nurse-1","active":true}"#;
    std::fs::write(context.join("Practitioner.ndjson"), nurse).unwrap();
    let source = place.folder.path().join("source.ndjson");
    let watch = |more: &[&str]| {
        let given = ["watch", "--context", path(&context), path(&source)];
        place.ask(&[&given[..], more].concat())
    };
    let refused = watch(&[]);
    assert_eq!(refused.status.code(), Some(6), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("was made with another context"), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--fresh-state"));
    assert_eq!(watch(&["--fresh-state"]).status.code(), Some(0));
    let again = watch(&[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(stderr(&again).contains("3000 were judged before"), "{}", stderr(&again));
}
