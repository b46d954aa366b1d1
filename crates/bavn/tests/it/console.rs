//! The console over a store: shadow mode until two persons end it, and a watch over its own users.

use super::{bavn, path, stderr, stdout};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// A store that has watched a small region in which nothing is stolen.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let region = place.at("region");
        let size = ["--staff", "60", "--patients", "3000", "--days", "16", "--seed", "3"];
        let what = ["--attacks", "none", "--tidiness", "0.9", "--out", path(&region)];
        let made = bavn(&[&["drill"], &size[..], &what[..]].concat());
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        place.call_officer("Kari Nordmann");
        bavn(&["store", "make-key", path(&place.at("key"))]);
        std::fs::write(place.at("duty"), DUTY.replace("OFFICER", &place.officer().0)).unwrap();
        place.watch();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bavn"));
        command.args(arguments);
        command.args(["--store", path(&self.at("store")), "--key-file", path(&self.at("key"))]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        output
    }

    fn watch(&self) {
        let (context, events) =
            (self.at("region").join("context"), self.at("region").join("events"));
        let (alarms, duty) = (self.at("alarms"), self.at("duty"));
        let inputs = ["watch", "--context", path(&context), "--duty", path(&duty)];
        self.run(&[&inputs[..], &["--alarms", path(&alarms), path(&events)]].concat());
    }

    fn lines(&self, file: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.at("region").join("context").join(file)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Gives the officer a name that nobody else has.
    fn call_officer(&self, called: &str) {
        let (_, _, name) = self.officer();
        let mut staff = self.lines("Practitioner.ndjson");
        let officer = staff.iter_mut().find(|held| name.ends_with(held["id"].as_str().unwrap()));
        officer.unwrap()["name"][0]["text"] = called.into();
        let lines: Vec<String> = staff.iter().map(Value::to_string).collect();
        let lines = lines.join("\n") + "\n";
        std::fs::write(self.at("region").join("context/Practitioner.ndjson"), lines).unwrap();
    }

    /// A member of staff who lives with a patient: the name at log-in, the patient, and the name in
    /// the registers.
    fn officer(&self) -> (String, String, String) {
        let patients = self.lines("Patient.ndjson");
        let home = |person: &Value| {
            let address = &person["address"][0];
            (!address.is_null()).then(|| (address["line"].clone(), address["postalCode"].clone()))
        };
        let staff = self.lines("Practitioner.ndjson");
        let found = staff.iter().find_map(|officer| {
            let lives = home(officer)?;
            let own = officer["identifier"].as_array()?;
            let is_self = |patient: &Value| {
                let ids = patient["identifier"].as_array().into_iter().flatten();
                ids.into_iter().any(|id| own.iter().any(|held| held["value"] == id["value"]))
            };
            let with = patients
                .iter()
                .find(|patient| home(patient).as_ref() == Some(&lives) && !is_self(patient))?;
            let login = own.iter().find(|id| id["system"] == "https://region.example/login")?;
            let id = format!("Patient/{}", with["id"].as_str()?);
            let name = format!("Practitioner/{}", officer["id"].as_str()?);
            Some((login["value"].as_str()?.to_owned(), id, name))
        });
        found.expect("nobody of the staff lives with a patient")
    }
}

/// A console that runs, and the links that it printed.
struct Running {
    child: Child,
    address: String,
    links: Vec<String>,
}

impl Running {
    fn new(place: &Place, users: &[&str]) -> Self {
        let mut command = place.command(&["console", "--port", "0"]);
        for user in users {
            command.args(["--user", user]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let links: Vec<String> = lines
            .take(users.len())
            .map(|line| line.split("http://").nth(1).unwrap().to_owned())
            .collect();
        let address = links[0].split('/').next().unwrap().to_owned();
        let links = links.iter().map(|link| link.replacen(&address, "", 1)).collect();
        Self { child, address, links }
    }

    fn ask(&self, method: &str, path: &str, cookie: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    /// Enters by a link: the cookie.
    fn enter(&self, link: usize) -> String {
        let page = self.ask("GET", &self.links[link], "", "");
        let cookie = page.split("set-cookie: ").nth(1).unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    fn get(&self, path: &str, cookie: &str) -> String {
        self.ask("GET", path, cookie, "")
    }

    /// Sends a form; where it leads.
    fn send(&self, path: &str, cookie: &str, fields: &str) -> String {
        let page = self.get("/me", cookie);
        let token =
            page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let page = self.ask("POST", path, cookie, &format!("token={token}&{fields}"));
        assert!(page.starts_with("HTTP/1.1 303"), "{path}: {page}");
        let location = page.split("location: ").nth(1).unwrap();
        location.split("\r\n").next().unwrap().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

const DUTY: &str = r#"{"zone": {"minutes": 60, "european_summer": true}, "desks": [{"controller": null,
    "hand": null, "owner": {"name": "OFFICER", "hours": null}, "deputy": {"name": "ola", "hours": null}}]}"#;

/// Whoever watches is watched: the officer reads the record of somebody of his own home, with a
/// purpose and all, and another officer gets the case.
#[test]
fn an_officers_own_family_opens_a_case_for_another() {
    let place = Place::new();
    let (officer, patient, name) = place.officer();
    let user = format!("{officer}=privacy-officer");
    let running = Running::new(&place, &[&user, "ola=incident-lead", "eva=representative"]);
    let [kari, ola, eva] = [0, 1, 2].map(|link| running.enter(link));

    let page = running.get("/", &kari);
    assert!(page.contains("Shadow mode") && page.contains("What would have been alarmed"));
    assert!(running.get("/review", &kari).starts_with("HTTP/1.1 403"), "it would name readers");
    let set = |what: &str, other: &str, agrees: &str| {
        running.send("/settings", &kari, what);
        let proposals = running.get("/settings.json", other);
        let body = proposals.split("\r\n\r\n").nth(1).unwrap();
        let number = serde_json::from_str::<Value>(body).unwrap()["open"][0]["number"].clone();
        running.send(&format!("/settings/{number}/{agrees}"), other, "");
    };
    set("what=sign-off&value=2026-01-05&reason=met", &eva, "sign");
    set("what=retention&value=3650&reason=the+law", &ola, "confirm");
    assert!(!running.get("/", &kari).contains("Shadow mode"));

    for (path, wanted) in [
        ("/coverage", "hospital-north"),
        ("/coverage", "unit"),
        ("/proof", "bavn"),
        ("/settings", "gdpr-33"),
        ("/review", "drawn by lot"),
    ] {
        let page = running.get(path, &kari);
        assert!(page.starts_with("HTTP/1.1 200") && page.contains(wanted), "{path}: {page}");
    }
    let typed = patient.replace('/', "%2F");
    let report = running.send("/patient", &kari, &format!("patient={typed}&purpose=insight"));
    assert!(!report.contains(patient.trim_start_matches("Patient/")), "{report}");
    let page = running.get(&report, &kari);
    // Nobody may have read it yet: that he asked is kept all the same.
    assert!(page.starts_with("HTTP/1.1 200") || page.starts_with("HTTP/1.1 409"), "{page}");
    assert!(running.get("/me", &ola).starts_with("HTTP/1.1 200"));
    let me = running.get("/me", &kari);
    assert!(me.contains("readers of a patient"), "not only what is committed: {me}");
    drop(running);

    let status = stdout(&place.run(&["store", "status"]));
    assert!(status.contains("look-ups 3650 days"), "before the next night: {status}");
    place.run(&["store", "retain"]);
    let status = stdout(&place.run(&["store", "status", "--json"]));
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["policy"]["look_ups_days"], 3650, "what two persons set is kept by");
    // What was set and signed on the pages is what the assessment says, and is withdrawn from here too.
    let dpia = |more: &[&str]| stdout(&place.run(&[&["dpia"], more].concat()));
    let assessed = dpia(&[]);
    assert!(assessed.contains("kept for 3650 days, set by two persons"), "{assessed}");
    assert!(assessed.contains("eva, 2026-01-05"), "{assessed}");
    let assessed = dpia(&["--withdraw", "a new source", "--language", "nb"]);
    assert!(!assessed.contains("eva,") && assessed.contains("Tillitsvalgt: "), "{assessed}");
    assert!(assessed.contains("signere for de ansatte"), "{assessed}");
    assert!(!assessed.contains("see queue"), "{assessed}");

    place.watch();
    let list = stdout(&place.run(&["case", "list", "--all", "--json"]));
    let cases: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_about = |case: &&Value| case["identities"][0] == name.as_str();
    let about = cases.iter().find(is_about);
    let about = about.unwrap_or_else(|| panic!("no case about {officer}: {list}"));
    assert_eq!(about["owner"], "ola", "never given to the one whom it is about: {about}");
}

/// The same by the name that the registers have, as a proxy hands it on.
#[test]
fn an_officer_known_by_name_is_the_member_of_staff() {
    let place = Place::new();
    let (_, patient, name) = place.officer();
    place.run(&["dpia", "--sign-off", "Siri", "--on", "2026-01-05", "--with-gaps"]);
    let running = Running::new(&place, &["Kari Nordmann=privacy-officer"]);
    let cookie = running.enter(0);
    let typed = patient.replace('/', "%2F");
    let report = running.send("/patient", &cookie, &format!("patient={typed}&purpose=insight"));
    running.get(&report, &cookie);
    drop(running);
    place.watch();
    let list = stdout(&place.run(&["case", "list", "--all", "--json"]));
    let cases: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_about = |case: &Value| case["identities"][0] == name.as_str();
    assert!(cases.iter().any(is_about), "no case about {name}: {list}");
}

/// No command counts, ranks or lists the work of members of staff.
#[test]
fn no_command_groups_by_staff() {
    for by in ["identity", "reader", "staff", "who", "role", "unit", "session", "hour"] {
        let store = ["--store", "s", "--key-file", "k"];
        let asked = [&["scope", "--identity", "x", "--by", by], &store[..]].concat();
        assert_eq!(bavn(&asked).status.code(), Some(2), "scope --by {by}");
        let asked = [&["hunt", "list", "--by", by], &store[..]].concat();
        assert_eq!(bavn(&asked).status.code(), Some(2), "hunt --by {by}");
        let asked = [&["who", "--patient", "x", "--by", by], &store[..]].concat();
        assert_eq!(bavn(&asked).status.code(), Some(2), "who --by {by}");
    }
    for command in ["staff", "person", "readers", "productivity"] {
        assert_eq!(bavn(&[command]).status.code(), Some(2), "{command}");
    }
}
