//! From a confirmed theft to a signed notice, letters, and a list that left sealed: by two persons,
//! over the wire, with scripts off.

use super::cases::Place;
use super::{bavn, path, stderr, stdout};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// What is the same in every breach of this hospital.
const ABOUT: &str = r#"
time_zone = "Europe/Oslo"
controller = "Hospital North"
controller_number = "999 999 999"
measures_before = "Look-ups are logged and watched."
contacts = [{ role = "Data protection officer", name = "Kari N", reach = "dpo@north.example" }]
processors = [{ name = "Regional IT", number = "888 888 888" }]
"#;

/// A console of the store, with two persons let in.
struct Console {
    child: Child,
    address: String,
    /// Cookie and form token by name.
    visitors: BTreeMap<String, (String, String)>,
}

impl Drop for Console {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Console {
    fn over(place: &Place) -> Self {
        let (about, context) = (place.at("about.toml"), place.at("region/context"));
        let outbox = place.at("outbox");
        std::fs::create_dir_all(&outbox).unwrap();
        let mut command = place.command(&["console", "--port", "0"]);
        command.args(["--user", "kari=privacy-officer", "--user", "ola=incident-lead"]);
        command.args(["--about", path(&about), "--context", path(&context)]);
        command.args(["--outbox", path(&outbox)]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut console = Self { child, address: String::new(), visitors: BTreeMap::new() };
        for _ in 0..2 {
            let line = lines.next().unwrap().unwrap();
            let (name, link) = line.split_once(" (").unwrap();
            let link = link.split_once("http://").unwrap().1;
            let (address, token) = link.split_once('/').unwrap();
            address.clone_into(&mut console.address);
            let entered = console.send("", &format!("GET /{token}"), "");
            let cookie = entered.split("bavn=").nth(1).unwrap().split(';').next().unwrap();
            let page = console.send(cookie, "GET /me", "");
            let token = value_of(&page, "token");
            console.visitors.insert(name.to_owned(), (cookie.to_owned(), token));
        }
        console
    }

    fn send(&self, cookie: &str, what: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, bytes) = (&self.address, body.len());
        let head = format!(
            "{what} HTTP/1.1\r\nHost: {address}\r\nCookie: bavn={cookie}\r\nConnection: close\r\n\
             Accept-Language: en\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {bytes}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, who: &str, path: &str) -> String {
        let answer = self.send(&self.visitors[who].0, &format!("GET {path}"), "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        answer
    }

    fn json(&self, who: &str, path: &str) -> Value {
        let answer = self.get(who, path);
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1.trim()).unwrap()
    }

    /// Sends the form of a page as it stands, with these fields changed or added.
    fn press(&self, who: &str, page: &str, deed: &str, fields: &[(&str, &str)]) -> String {
        let shown = self.get(who, page);
        let action = format!("/{deed}?lang=");
        let form =
            shown.split("<form ").find(|form| form.split('>').next().unwrap().contains(&action));
        assert!(form.is_some(), "no form {deed} on {page}: {shown}");
        let form = form.unwrap();
        let form = form.split("</form>").next().unwrap();
        let mut sent = BTreeMap::new();
        for input in form.split("<input ").skip(1) {
            let tag = input.split('>').next().unwrap();
            if let Some(name) = attribute(tag, "name") {
                sent.insert(name, attribute(tag, "value").unwrap_or_default());
            }
        }
        for area in form.split("<textarea ").skip(1) {
            let (tag, rest) = area.split_once('>').unwrap();
            let text = rest.split("</textarea>").next().unwrap();
            sent.insert(attribute(tag, "name").unwrap(), unescaped(text));
        }
        for (name, value) in fields {
            sent.insert((*name).to_owned(), (*value).to_owned());
        }
        let body: Vec<String> =
            sent.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let action = attribute(form.split('>').next().unwrap(), "action").unwrap();
        self.send(&self.visitors[who].0, &format!("POST {}", unescaped(&action)), &body.join("&"))
    }

    fn done(&self, who: &str, page: &str, deed: &str, fields: &[(&str, &str)]) {
        let answer = self.press(who, page, deed, fields);
        assert!(answer.starts_with("HTTP/1.1 303"), "{deed}: {answer}");
    }
}

fn value_of(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split(&format!("{name}=\"")).nth(1)?;
    Some(unescaped(rest.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn encoded(text: &str) -> String {
    let hex = |byte: u8| {
        [
            b'%',
            b"0123456789ABCDEF"[usize::from(byte >> 4)],
            b"0123456789ABCDEF"[usize::from(byte & 15)],
        ]
    };
    text.bytes().flat_map(hex).map(char::from).collect()
}

fn notice(told: &Value, regime: &str) -> Value {
    let notices = told["notices"].as_array().unwrap();
    notices.iter().find(|notice| notice["regime"] == regime).unwrap().clone()
}

fn share(notice: &Value) -> u64 {
    notice["filled"].as_u64().unwrap() * 100 / notice["fields"].as_u64().unwrap()
}

/// The whole way; `stolen` is the answer key's list of patients.
pub(super) fn is_told(place: &Place, number: &str, stolen: &[String]) {
    std::fs::write(place.at("about.toml"), ABOUT).unwrap();
    place.said(&["case", "task", number, "Call the husband of patient 7"]);
    place.said(&["case", "done", number, "1"]);
    place.said(&["case", "task", number, "Ask ward 4 again"]);
    place.said(&["case", "verdict", number, "compromise", "--reason", "nobody was at work"]);
    let page = format!("/case/{number}/notice");
    let twin = format!("{page}.json");
    // Until the employees' side has agreed, the pages name nobody.
    let before = Console::over(place);
    let refused = before.send(&before.visitors["kari"].0, &format!("GET {twin}"), "");
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    drop(before);
    place.said(&["dpia", "--sign-off", "Tillitsvalgt A", "--on", "2026-11-01", "--with-gaps"]);
    let console = Console::over(place);

    // What records fill without anybody.
    let told = console.json("kari", &twin);
    let auto = share(&notice(&told, "gdpr-33"));
    assert!(auto >= 60, "{auto} % without a word: {told}");
    assert!(!told.to_string().contains("Patient/") && !told.to_string().contains("hcw"));
    let persons = &told["record"]["persons"];
    assert!(persons["best"].as_u64().unwrap() >= stolen.len() as u64, "{persons}");
    for task in ["husband", "ward 4"] {
        assert!(!told["record"].to_string().contains(task), "a task flows into notices: {told}");
    }
    assert!(console.get("kari", &page).contains("<li>Call the husband of patient 7"));

    // A thief may have hidden behind what the owner's work explains: it is counted, and said.
    let certain = place.json(&["scope", "--case", number, "--minus-explained", "--json"]);
    assert_eq!(persons["lower"], certain["patients"]["lower"]);
    assert!(certain["explained"]["patients"].as_u64().unwrap() > 0, "{certain}");
    let happened = told["record"]["what_happened"].as_str().unwrap();
    assert!(happened.contains("which explains the look-ups; they are counted"), "{happened}");

    // A clock starts with reasons, and is never set later.
    console.done("kari", &page, "declare", &[("since", "2026-01-16T08:00:00+01:00")]);
    let later = place.run(&["notice", "declare", number, "aware", "--why", "again"]);
    assert_eq!(later.status.code(), Some(2));
    assert!(stderr(&later).contains("a clock is not set later"), "{}", stderr(&later));

    // The case shows the clocks of this controller's laws, until their notices are signed.
    let case = format!("/case/{number}");
    let before = console.get("kari", &case);
    assert!(before.contains("(72 h)") && !before.contains("HIPAA"), "{before}");

    // The drafts as they stand, and a level of risk: one form, one key.
    console.done("kari", &page, "answers", &[("q.risk.level", "high")]);
    let told = console.json("kari", &twin);
    let after = share(&notice(&told, "gdpr-33"));
    assert!(after >= 85, "{after} % after the answers: {told}");
    assert_eq!(notice(&told, "gdpr-33")["missing"], serde_json::json!([]));

    // Two persons: who made it ready cannot sign it.
    console.done("kari", &page, "prepare", &[]);
    let ready = console.get("kari", &page);
    assert!(ready.contains("somebody else signs it") && !ready.contains("/sign?lang="));
    console.done("ola", &page, "sign", &[]);
    assert!(!console.get("ola", &case).contains("(72 h)"));
    let told = console.json("ola", &twin);
    for regime in ["gdpr-33", "no-datatilsynet", "gdpr-34"] {
        let state = notice(&told, regime)["state"].to_string();
        assert!(state.contains("signed and sent by ola"), "{regime}: {state}");
    }
    let clocks = told["clocks"].as_array().unwrap();
    assert!(clocks.iter().any(|clock| clock["regime"] == "gdpr-33" && !clock["sent_at"].is_null()));

    // The next phase differs from what was signed.
    place.said(&["notice", "answer", number, "measures_taken", "The way in was closed."]);
    let next = console.json("ola", &format!("{page}/gdpr-33.json"));
    assert_eq!(next["phase"], "follow-up");
    let fields = next["fields"].as_array().unwrap();
    let changed: Vec<&str> = fields
        .iter()
        .filter(|field| field.get("was").is_some())
        .map(|field| field["key"].as_str().unwrap())
        .collect();
    assert!(changed.contains(&"measures_taken") && changed.len() <= 3, "{changed:?}");
    let paper = console.get("ola", &format!("{page}/gdpr-34/paper?lang=nb"));
    assert!(paper.contains("%PDF-1.7") && paper.contains("/Lang(nb)"));

    list_leaves_sealed(place, &console, number, stolen);
    drop(console);
    from_the_command_line(place, number);
    reader_is_asked(place, number);
    without_what_is_explained(place, number);
    until_it_ended(place, number);
}

/// The owner of the account did it: what the owner's work explains is no breach, and no number, list
/// or letter counts it.
fn without_what_is_explained(place: &Place, number: &str) {
    let best = |more: &[&str]| {
        let asked = [&["scope", "--case", number, "--json"], more].concat();
        place.json(&asked)["patients"]["best"].as_u64().unwrap()
    };
    let (all, unexplained) = (best(&[]), best(&["--minus-explained"]));
    assert!(unexplained > 0 && unexplained < all, "{unexplained} of {all}");
    place.said(&["case", "verdict", number, "reopened", "--reason", "the owner has said so"]);
    place.said(&["case", "verdict", number, "snooping", "--reason", "the owner has said so"]);
    assert_eq!(best(&[]), unexplained);

    let (about, context) = (place.at("about.toml"), place.at("region/context"));
    let of = ["--case", number, "--about", path(&about), "--context", path(&context)];
    let record = place.json(&[&["notice", "record"], &of[..]].concat());
    assert_eq!(record["persons"]["best"], unexplained);
    let happened = record["what_happened"].as_str().unwrap();
    assert!(happened.contains(&format!("the records of {unexplained} patients.")), "{happened}");
    assert!(!happened.contains("explains"), "{happened}");
    let ways = place.json(&[&["notice", "recipients", "--json"], &of[..]].concat());
    let told = ways["ways"].as_object().unwrap().values().map(|count| count.as_u64().unwrap());
    assert_eq!(told.sum::<u64>(), unexplained);
    assert_eq!(ways["minors_below"], 16);

    let console = Console::over(place);
    let scope = console.json("kari", &format!("/case/{number}/scope.json"));
    assert_eq!(scope["best"], unexplained);
    assert_eq!(scope["all"]["best"], all);
    assert_eq!(scope["unexplained"]["best"], unexplained);
    let kinds = scope["by"]["action"].as_array().unwrap();
    assert!(kinds.iter().any(|kind| kind["patients"].as_u64().unwrap() > 0), "{scope}");
    assert!(!scope["by"]["class"].as_array().unwrap().is_empty(), "{scope}");
    let page = console.get("kari", &format!("/case/{number}/scope"));
    assert!(page.contains("Without what is explained ✓") && page.contains("say when it ended"));
}

/// What somebody says of the end holds for every number of the case.
fn until_it_ended(place: &Place, number: &str) {
    let case = place.json(&["case", "show", number, "--json"]);
    let first = case["first_seen"].as_str().unwrap();
    let asked = ["scope", "--case", number, "--json"];
    let whole = place.json(&asked);
    let console = Console::over(place);
    let page = format!("/case/{number}/notice");
    console.done("kari", &page, "declare", &[("event", "ended"), ("since", first), ("why", "x")]);
    let until = place.json(&asked);
    assert_ne!(until["to"], whole["to"]);
    assert!(until["look_ups"].as_u64() < whole["look_ups"].as_u64(), "{until}");
    let told = console.json("kari", &format!("{page}.json"));
    assert_eq!(told["record"]["persons"]["best"], until["patients"]["best"]);
    let trail = place.json(&["case", "trail", number, "--json"]);
    assert!(trail["trail"]["last"].as_str().unwrap() < until["to"].as_str().unwrap(), "{trail}");
    let shown = console.get("kari", &format!("/case/{number}/scope"));
    assert!(shown.contains("Look-ups count until it ended") && shown.contains(&page));
}

fn list_leaves_sealed(place: &Place, console: &Console, number: &str, stolen: &[String]) {
    let page = format!("/case/{number}/recipients");
    let told = console.json("kari", &format!("{page}.json"));
    let ways = told["ways"].as_object().unwrap();
    let all: u64 = ways.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(all, told["persons"]["best"].as_u64().unwrap(), "everyone has one way");
    assert!(ways["by_letter"].as_u64().unwrap() > 0, "{told}");
    console.done("kari", &page, "want-list", &[("why", "letters")]);
    assert!(!console.get("kari", &page).contains("/release-list?"));
    let released = console.press("ola", &page, "release-list", &[]);
    let mut codes = released.split("<code>").skip(1).map(|code| code.split('<').next().unwrap());
    let (name, key) = (codes.next().unwrap(), codes.next().unwrap());
    let file = place.at("outbox").join(name);
    assert!(!std::fs::read(&file).unwrap().windows(7).any(|part| part == b"patient"));
    let list = stdout(&bavn(&["notice", "open-list", path(&file), "--key", key]));
    for patient in stolen {
        let is_in = list.lines().any(|line| line.contains(patient));
        assert!(is_in, "{patient} is not told");
    }
    assert_eq!(list.lines().count() as u64, all + 1);
    let again = console.get("ola", &page);
    assert!(!again.contains(key), "a key is shown once");
    let wrong = bavn(&["notice", "open-list", path(&file), "--key", &"0".repeat(64)]);
    assert_eq!(wrong.status.code(), Some(6));
}

fn from_the_command_line(place: &Place, number: &str) {
    let (about, context) = (place.at("about.toml"), place.at("region/context"));
    let of = ["--case", number, "--about", path(&about), "--context", path(&context)];
    let letter = place
        .said(&[&["notice", "draft", "--regime", "gdpr-34", "--language", "nb"], &of[..]].concat());
    assert!(letter.contains("Noen andre enn eieren brukte en konto"), "{letter}");
    let sheet =
        place.said(&[&["notice", "draft", "--regime", "no-datatilsynet"], &of[..]].concat());
    assert!(sheet.contains("Unauthorised access with a stolen account"), "{sheet}");
    let incident = place.json(&[&["notice", "incident"], &of[..]].concat());
    assert_eq!(incident["class_uid"], 2005);
    assert_eq!(incident["activity_id"], 2, "a notice was signed");
    assert!(!incident["finding_info_list"][0]["uid"].as_str().unwrap().is_empty());
    let record = place.said(&[&["notice", "record"], &of[..]].concat());
    let file = place.at("record.json");
    std::fs::write(&file, &record).unwrap();
    let same = bavn(&["notice", "draft", "--breach", path(&file), "--regime", "gdpr-33"]);
    assert_eq!(same.status.code(), Some(0), "{}", stderr(&same));
    let own = [&["notice", "prepare", "--regime", "gdpr-33", "--phase", "final"], &of[..]].concat();
    place.said(&own);
    let sign = [&["notice", "sign", "--regime", "gdpr-33", "--phase", "final"], &of[..]].concat();
    let refused = place.run(&sign);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("a second person must"), "{}", stderr(&refused));
}

fn reader_is_asked(place: &Place, number: &str) {
    let case = place.json(&["case", "show", number, "--json"]);
    let reader = case["identities"][0].as_str().unwrap().to_owned();
    let about = place.at("about.toml");
    let ask = ["case", "ask", number, "--reader", &reader, "--about", path(&about)];
    let off = place.run(&ask);
    assert_eq!(off.status.code(), Some(6), "off by default");
    let mail = format!(
        "{ABOUT}\n[reader_message]\nsender = \"Privacy officer\"\nanswer_to = \"po@north.example\"\n\
         outbox = {:?}\n",
        path(&place.at("outbox"))
    );
    std::fs::write(&about, mail).unwrap();
    let held = place.run(&ask);
    assert!(stderr(&held).contains("a thief would be warned"), "{}", stderr(&held));
    place.said(&["case", "rule-out", number, "--why", "spoke with the owner in person"]);
    let early = place.run(&["case", "answer", number, "--reader", &reader, "I was on duty"]);
    assert!(stderr(&early).contains("was not asked"), "{}", stderr(&early));
    place.said(&ask);
    let written = std::fs::read_dir(place.at("outbox")).unwrap().map(|file| file.unwrap().path());
    let written: Vec<_> =
        written.filter(|file| file.to_string_lossy().contains("-reader-")).collect();
    assert_eq!(written.len(), 1, "{written:?}");
    let text = std::fs::read_to_string(&written[0]).unwrap();
    for wanted in [&format!("To: {reader}"), "voluntary", "no sign of guilt", "po@north.example"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("Patient/"));
    place.said(&["case", "answer", number, "--reader", &reader, "I was on duty and was asked"]);
    let shown = place.said(&["case", "show", number]);
    assert!(shown.contains("answered: I was on duty and was asked"), "{shown}");
}
