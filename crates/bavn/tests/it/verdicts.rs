//! `bavn watch --store` keeps what explained each visit; `bavn scope --minus-explained` leaves it out.

use super::{audit_event, bavn, path, stderr, stdout};
use serde_json::Value;
use std::fs;

/// Anna's ward has p1; p3 is ordered to it five hours after she looked; nothing ties p2 to it.
const CONTEXT: &str = r#"{"resourceType":"Organization","id":"ward-1","name":"Ward 1"}
{"resourceType":"Organization","id":"ward-2","name":"Ward 2"}
{"resourceType":"Practitioner","id":"anna"}
{"resourceType":"Practitioner","id":"bob"}
{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/anna"},"organization":{"reference":"Organization/ward-1"},"period":{"start":"2023-01-01"},"code":[{"coding":[{"code":"nurse"}]}]}
{"resourceType":"Patient","id":"p1"}
{"resourceType":"Patient","id":"p2"}
{"resourceType":"Patient","id":"p3"}
{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/p1"},"period":{"start":"2024-02-28T10:00:00Z","end":"2024-03-04T10:00:00Z"},"serviceProvider":{"reference":"Organization/ward-1"}}
{"resourceType":"Encounter","id":"e2","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/p2"},"period":{"start":"2024-02-28T10:00:00Z","end":"2024-03-04T10:00:00Z"},"serviceProvider":{"reference":"Organization/ward-2"}}
{"resourceType":"ServiceRequest","id":"o1","status":"active","intent":"order","subject":{"reference":"Patient/p3"},"authoredOn":"2024-03-01T15:00:00Z","requester":{"reference":"Practitioner/bob"},"performer":[{"reference":"Organization/ward-1"}]}
"#;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Watches the first look-ups; the last is days later, so that time goes on.
    fn watched(look_ups: usize) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        bavn(&["store", "make-key", path(&place.at("key"))]);
        fs::write(place.at("context.ndjson"), CONTEXT).unwrap();
        place.watch(look_ups);
        place
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn watch(&self, look_ups: usize) {
        let events =
            [("1T08", "p1"), ("1T09", "p2"), ("1T10", "p3"), ("1T11", "p3"), ("5T08", "p1")];
        let lines: Vec<String> = events
            .iter()
            .enumerate()
            .take(look_ups)
            .map(|(n, (at, p))| {
                audit_event(&format!("x{n}"), &format!("2024-03-0{at}:00:00Z"), "anna", p)
            })
            .collect();
        fs::write(self.at("events.ndjson"), lines.join("\n")).unwrap();
        let (context, events) = (self.at("context.ndjson"), self.at("events.ndjson"));
        let watched =
            self.ask(&["watch", "--context", path(&context), "--alarms", "-", path(&events)]);
        assert_eq!(watched.status.code(), Some(0), "{}", stderr(&watched));
    }

    fn ask(&self, arguments: &[&str]) -> std::process::Output {
        let (store, key) = (self.at("store"), self.at("key"));
        let mut all = arguments.to_vec();
        all.extend(["--store", path(&store), "--key-file", path(&key)]);
        bavn(&all)
    }

    fn scope(&self, more: &[&str]) -> Value {
        let ask = ["scope", "--identity", "anna", "--json", "--minus-explained"];
        let output = self.ask(&[&ask[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_str(&stdout(&output)).unwrap()
    }
}

#[test]
fn what_was_explained_at_once_or_later_is_left_out_and_counted() {
    let place = Place::watched(4);
    let scope = place.scope(&[]);
    assert_eq!(scope["patients"]["best"], 2, "the order is not known yet");
    assert_eq!(scope["explained"]["patients"], 1);
    // A day has gone by; the verdicts of the first run are not stored again.
    place.watch(5);
    let scope = place.scope(&["--list", "--purpose", "drill"]);
    assert_eq!((&scope["patients"]["lower"], &scope["patients"]["best"]), (&1.into(), &1.into()));
    assert_eq!(scope["list"][0]["patient"], "Patient/p2");
    assert_eq!(scope["explained"]["patients"], 2);
    assert_eq!(scope["explained"]["look_ups"], 4);
    assert_eq!(scope["explained"]["not_judged"], 0);
    assert_eq!(scope["explained"]["judged_until"], "2024-03-05T08:00:00Z");
    let verified = place.ask(&["verify", "--look-ups"]);
    assert_eq!(verified.status.code(), Some(0), "{}", stderr(&verified));
}

#[test]
fn a_scope_is_cut_by_day_action_controller_and_class() {
    let place = Place::watched(5);
    let (controllers, context) = (place.at("controllers.toml"), place.at("context.ndjson"));
    fs::write(&controllers, "[sources]\n\"nobody*\" = \"others\"\n").unwrap();
    let by = |by: &str, more: &[&str]| {
        let all = [&["scope", "--identity", "anna", "--json", "--by", by][..], more].concat();
        let output = place.ask(&all);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let answer: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let counts = answer["counts"].as_array().unwrap().iter();
        let one = |count: &Value| {
            let number = |key: &str| count[key].as_u64().unwrap();
            (count["key"].as_str().unwrap().to_owned(), number("patients"), number("look_ups"))
        };
        counts.map(one).collect::<Vec<_>>()
    };
    let days = [("2024-03-01".to_owned(), 3, 4), ("2024-03-05".to_owned(), 1, 1)];
    assert_eq!(by("day", &[]), days);
    assert_eq!(by("action", &[]), [("read".to_owned(), 3, 5)]);
    assert_eq!(by("action", &["--minus-explained"]), [("read".to_owned(), 1, 1)]);
    let controllers = ["--controllers", path(&controllers)];
    assert_eq!(by("controller", &controllers), [("region".to_owned(), 3, 5)]);
    let classes = ["--context", path(&context), "--purpose", "drill"];
    assert_eq!(by("class", &classes), []);
}
