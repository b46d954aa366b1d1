//! The service: files that grow, a kill, a restart, and the alarms of one watch over all of it.

use super::state::{Region, time};
use super::{bavn, path, stderr, stdout};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Service<'r> {
    region: &'r Region,
    /// Of each file: lines written so far.
    written: std::collections::BTreeMap<&'r str, usize>,
}

impl<'r> Service<'r> {
    /// A source a file, each awaited for some seconds.
    fn of(region: &'r Region) -> Self {
        std::fs::create_dir_all(region.below("logs")).unwrap();
        let mut config = String::from(
            "store = { folder = \"served\", key_file = \"key\" }\n\
             alarms.file = \"served.alarms\"\n\
             context.paths = [\"region/context\"]\n\
             detection = { budget = 20.0, disorder_seconds = 6 }\n\
             commit = { every_seconds = 1 }\n\
             reading = { look_every_milliseconds = 50 }\n",
        );
        for name in region.files.keys() {
            writeln!(config, "[[source]]\nname = \"{name}\"\npath = \"logs/{name}\"").unwrap();
        }
        config.push_str("[[source]]\nname = \"never there\"\npath = \"logs/nothing\"\n");
        std::fs::write(region.below("bavn.toml"), config).unwrap();
        Self { region, written: BTreeMap::new() }
    }

    fn start(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bavn"));
        command.args(["serve", "--config", path(&self.region.below("bavn.toml"))]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Lets the files grow up to a time, each in two writes of which the first ends within a line.
    fn grow(&mut self, until: Option<&str>) {
        let until = until.map(time);
        let (mut heads, mut tails) = (Vec::new(), Vec::new());
        for (name, lines) in &self.region.files {
            let written = self.written.entry(name).or_default();
            let then = lines.iter().skip(*written);
            let then = then.take_while(|(at, _)| until.is_none_or(|until| *at < until));
            let text: String = then
                .inspect(|_| *written += 1)
                .flat_map(|(_, line)| [line.as_str(), "\n"])
                .collect();
            let middle = (0..=text.len() / 2).rfind(|&at| text.is_char_boundary(at)).unwrap();
            let file = self.region.below("logs").join(name);
            let (head, tail) = text.split_at(middle);
            heads.push((file.clone(), head.to_owned()));
            tails.push((file, tail.to_owned()));
        }
        for parts in [heads, tails] {
            for (file, text) in parts {
                let file = std::fs::File::options().append(true).create(true).open(file);
                file.unwrap().write_all(text.as_bytes()).unwrap();
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn alarms(&self) -> String {
        std::fs::read_to_string(self.region.below("served.alarms")).unwrap_or_default()
    }

    /// Ends it as a machine that is shut down does. Returns what it said.
    fn stop(service: Child) -> String {
        let pid = service.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let output = service.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    }
}

/// Whoever asks by this program is judged by the service like everybody else.
#[test]
fn what_was_asked_while_it_runs_is_judged_too() {
    let region = Region::drilled();
    let mut service = Service::of(&region);
    let run = service.start();
    service.grow(Some("2024-01-02T12:00:00Z"));
    std::thread::sleep(Duration::from_secs(2));
    let (store, key, list) = (region.below("served"), region.below("key"), region.below("list"));
    std::fs::write(&list, "nobody-of-this-name\n").unwrap();
    let of_store = ["--store", path(&store), "--key-file", path(&key), "--purpose", "drill"];
    let asked = bavn(&[&["hunt", path(&list)], &of_store[..]].concat());
    assert!(asked.status.success(), "{}", stderr(&asked));
    // The sources are silent for as long as they are awaited, and a commit comes each second.
    std::thread::sleep(Duration::from_secs(10));
    let said = Service::stop(run);
    let number = |word: &str| {
        let rest = said.split(word).nth(1).unwrap();
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<u64>().unwrap()
    };
    assert!(number("stopped; read ") > 0, "{said}");
    assert_eq!(number(", judged "), number("stopped; read ") + 1, "{said}");
}

#[test]
fn killed_and_stopped_on_the_way_a_service_tells_what_one_watch_does() {
    let region = Region::drilled();
    region.until(None);
    let all = region.watched("whole")["stored"].clone();
    let expected = region.alarms("whole");

    let mut service = Service::of(&region);
    let mut run = service.start();
    for until in ["2024-01-03T10:00:00Z", "2024-01-06T14:00:00Z"] {
        service.grow(Some(until));
        std::thread::sleep(Duration::from_secs(1));
    }
    let said = Service::stop(run);
    assert!(said.contains("source `never there`") && said.contains("is not there"), "{said}");
    run = service.start();
    for until in ["2024-01-09T10:37:21Z", "2024-01-12T16:00:00Z"] {
        service.grow(Some(until));
        std::thread::sleep(Duration::from_secs(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    // Until the employees' side agrees, what was found waits, and no command names anybody either.
    assert_eq!(service.alarms(), "", "nobody has agreed that people are named");
    let (store, key) = (region.below("served"), region.below("key"));
    let of_store = ["--store", path(&store), "--key-file", path(&key)];
    let ask = |asked: &[&str]| bavn(&[asked, &of_store[..]].concat());
    for asked in [&["case", "list", "--all"][..], &["case", "show", "1"], &["case", "trail", "1"]] {
        let refused = ask(asked);
        assert_eq!(refused.status.code(), Some(6), "{asked:?}: {}", stdout(&refused));
        assert!(stderr(&refused).contains("shadow mode: the employees' side has not signed yet"));
    }
    assert_eq!(ask(&["digest"]).status.code(), Some(0), "it counts");
    run = service.start();
    std::thread::sleep(Duration::from_secs(1));
    let signed = ask(&["dpia", "--sign-off", "Siri, union", "--on", "2024-01-01", "--with-gaps"]);
    assert_eq!(signed.status.code(), Some(0), "{}", stderr(&signed));
    service.grow(None);
    let lines = expected.lines().count();
    for _ in 0..300 {
        if service.alarms().lines().count() >= lines {
            break;
        }
        assert!(run.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(300));
    }
    let said = Service::stop(run);
    assert!(said.contains("stopped; read"), "{said}");

    let told = service.alarms();
    let set = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(told.lines().count(), set(&told).len(), "an alarm stands there twice");
    assert!(set(&told) == set(&expected), "{} and {lines} alarms", told.lines().count());
    let names = std::fs::metadata(region.below("served.alarms")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&names) & 0o777, 0o600);
    assert_eq!(ask(&["case", "list"]).status.code(), Some(0));
    let verified = bavn(&["verify", "--json", "--store", path(&store), "--key-file", path(&key)]);
    let verified: Value = serde_json::from_str(&stdout(&verified)).unwrap();
    assert_eq!(verified["look_ups"], all, "{verified}");
    // Nothing is new to a watch on the same store, and nothing is judged again.
    let after = region.watched("served");
    assert_eq!((&after["stored"], &after["findings"]), (&0.into(), &0.into()), "{after}");
}

#[test]
fn a_config_with_a_mistake_shows_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bavn.toml");
    std::fs::write(&config, "[store]\nfolder = \"s\"\nkeyfile = \"k\"\n").unwrap();
    let refused = bavn(&["serve", "--config", path(&config)]);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("unknown field `keyfile`") && said.contains("here"), "{said}");
}
