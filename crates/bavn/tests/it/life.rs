//! The runbook of `docs/operate.md`, step by step, as somebody at a terminal does it.

use super::store::Place;
use super::{path, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};

impl Place {
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.done(&["store", "status", "--json"])).unwrap()
    }

    fn checkpoint(&self) -> PathBuf {
        let kept = self.folder.path().join("kept");
        std::fs::write(&kept, self.done(&["proof", "checkpoint"])).unwrap();
        kept
    }

    /// As the runbook says: everything but the manifest, then the manifest.
    fn back_up(&self) -> PathBuf {
        let backup = self.folder.path().join("backup");
        copy(&self.store(), &backup, &|path| !path.ends_with("manifest"));
        copy(&self.store(), &backup, &|path| path.ends_with("manifest"));
        backup
    }

    fn restore(&self, backup: &Path) {
        std::fs::remove_dir_all(self.store()).unwrap();
        copy(backup, &self.store(), &|_| true);
    }
}

fn copy(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let source = entry.unwrap().path();
        let target = to.join(source.file_name().unwrap());
        if source.is_dir() {
            copy(&source, &target, wanted);
        } else if wanted(&source) {
            std::fs::copy(&source, target).unwrap();
        }
    }
}

#[test]
fn a_backup_that_is_put_back_is_whole_and_shows_that_it_is_old() {
    let place = Place::new();
    place.watched(300);
    let backup = place.back_up();
    place.watched(600);
    let kept = place.checkpoint();
    place.is_whole(std::slice::from_ref(&kept));
    place.restore(&backup);
    place.is_whole(&[]);
    let output = place.ask(&["verify", "--checkpoint", path(&kept)]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("put back to an earlier state"), "{}", stderr(&output));
    // Reading the input again brings it up to date.
    place.watched(600);
    assert_eq!(place.status()["look_ups"], 600);
    place.is_whole(&[]);
}

#[test]
fn a_shredded_patient_does_not_come_back_with_a_backup() {
    let place = Place::new();
    place.watched(300);
    let kept = place.checkpoint();
    let backup = place.back_up();
    let tombstones = place.folder.path().join("tombstones");
    let shred = |to: &Path, purpose: &[&str]| {
        let mut arguments = vec!["store", "shred", "--patient", "Patient/secret-7"];
        arguments.extend(["--reason", "asked for, and right", "--tombstones", path(to)]);
        arguments.extend(purpose);
        place.ask(&arguments)
    };
    assert_eq!(shred(&tombstones, &[]).status.code(), Some(6));
    let within = shred(&place.store().join("tombstones"), &["--purpose", "insight"]);
    assert_eq!(within.status.code(), Some(2), "{}", stderr(&within));
    let output = shred(&tombstones, &["--purpose", "insight"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let who = || place.ask(&["who", "--patient", "Patient/secret-7", "--purpose", "insight"]);
    assert_eq!(who().status.code(), Some(2), "{}", stderr(&who()));
    assert!(stderr(&who()).contains("no look-up in the store names the patient"));
    place.is_whole(std::slice::from_ref(&kept));
    let told = place.done(&["verify"]);
    assert!(told.contains("who a patient was"), "{told}");
    assert!(!std::fs::read_to_string(&tombstones).unwrap().contains("secret-7"));
    place.restore(&backup);
    assert_eq!(who().status.code(), Some(0));
    let output = place.ask(&["store", "replay", path(&tombstones)]);
    assert!(stderr(&output).contains("1 patients were in this copy"), "{}", stderr(&output));
    assert_eq!(who().status.code(), Some(2));
    place.is_whole(std::slice::from_ref(&kept));
    let output = place.ask(&["store", "replay", path(&tombstones)]);
    assert!(stderr(&output).contains("0 patients were in this copy"), "{}", stderr(&output));
}

#[test]
fn a_lost_key_opens_nothing_and_a_new_one_takes_the_place_of_the_old() {
    let place = Place::new();
    place.watched(100);
    let old = place.folder.path().join("key");
    let other = Place::new();
    let with = |key: &Path, arguments: &[&str]| {
        let store = place.store();
        let mut all = arguments.to_vec();
        all.extend(["--store", path(&store), "--key-file", path(key)]);
        super::bavn(&all)
    };
    let elsewhere = other.folder.path().join("key");
    for command in [&["verify"][..], &["store", "status"], &["store", "compact"]] {
        let output = with(&elsewhere, command);
        assert_eq!(output.status.code(), Some(6), "{command:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains("the key is not that of controller"),
            "{}",
            stderr(&output)
        );
        let output = with(Path::new("/nowhere/key"), command);
        assert_eq!(output.status.code(), Some(6), "{command:?}: {}", stderr(&output));
    }
    let new = place.folder.path().join("new");
    assert_eq!(super::bavn(&["store", "make-key", path(&new)]).status.code(), Some(0));
    let backup = place.back_up();
    let segments: Vec<_> = std::fs::read_dir(place.store().join("segments")).unwrap().collect();
    let output = with(&old, &["store", "rotate-key", "--new-key-file", path(&new)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(with(&old, &["verify"]).status.code(), Some(6));
    assert_eq!(with(&new, &["verify", "--look-ups"]).status.code(), Some(0));
    assert!(segments.into_iter().all(|path| path.unwrap().path().exists()));
    place.restore(&backup);
    assert_eq!(with(&old, &["verify", "--look-ups"]).status.code(), Some(0));
}

#[test]
fn the_policy_lets_go_what_is_over_and_a_hold_keeps_it() {
    let place = Place::new();
    place.watched(200);
    let kept = place.checkpoint();
    let policy = place.folder.path().join("policy.toml");
    std::fs::write(&policy, "look_ups_days = 31\noriginal = { days = 10 }\n").unwrap();
    let retain = |more: &[&str]| {
        let mut arguments = vec!["store", "retain"];
        arguments.extend(more);
        let output = place.ask(&arguments);
        (output.status.code(), stderr(&output))
    };
    let hold = ["store", "hold", "--identity", "Practitioner/nurse-2", "--reason", "a letter"];
    place.done(&hold);
    let none = place.ask(&["store", "hold", "--reason", "a letter"]);
    assert_eq!(none.status.code(), Some(2));
    let (code, words) = retain(&["--policy", path(&policy), "--dry-run"]);
    assert!(code == Some(0) && words.contains("would go: "), "{words}");
    assert_eq!(place.status()["look_ups"], 200);
    let (code, words) = retain(&["--policy", path(&policy)]);
    assert!(code == Some(0) && words.contains("gone: "), "{words}");
    let status = place.status();
    let left = status["look_ups"].as_u64().unwrap();
    assert!(left > 0 && left < 200, "{status}");
    assert_eq!(status["policy"]["look_ups_days"], 31);
    let states = std::fs::read_dir(place.store().join("state")).unwrap().count();
    assert_eq!(states, 1, "what was learned stays, without the names that went");
    place.watched(200);
    assert_eq!(place.status()["look_ups"], left);
    assert_eq!(status["retired"][0]["look_ups"], 200 - left);
    place.is_whole(std::slice::from_ref(&kept));
    place.done(&["store", "release", "1", "--reason", "the letter is answered"]);
    assert_eq!(place.ask(&["store", "release", "1", "--reason", "again"]).status.code(), Some(2));
    retain(&[]);
    assert_eq!(place.status()["look_ups"], 0);
    place.is_whole(std::slice::from_ref(&kept));
    std::fs::write(&policy, "look_ups_years = 3\n").unwrap();
    assert_eq!(retain(&["--policy", path(&policy)]).0, Some(2));
}

#[test]
fn status_says_what_a_look_up_takes_and_how_long_a_disk_lasts() {
    let place = Place::new();
    place.watched(500);
    let status = place.status();
    let parts = status["bytes_a_look_up"].as_object().unwrap();
    let sum: f64 = parts.values().map(|part| part.as_f64().unwrap()).sum();
    let bytes = status["bytes"].as_f64().unwrap();
    assert!((sum * 500.0 - bytes).abs() < 1.0, "{status}");
    assert!(
        ["columns", "index", "names", "proof", "original"]
            .iter()
            .all(|part| parts.contains_key(*part))
    );
    let a_day = status["last_week"]["bytes_a_day"].as_f64().unwrap();
    let disk = format!("{}", (bytes + a_day * 10.5) as u64);
    let told = place.done(&["store", "status", "--disk", &disk]);
    assert!(told.contains("10 days until it is full"), "{told}");
}
