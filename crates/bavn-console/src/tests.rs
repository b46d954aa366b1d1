//! The pages as a browser meets them: who gets what, and in which form.

use crate::access::Role;
use crate::session::{Doors, Visitor};
use crate::view::{Alarm, Board, HourBar, QueueView, ScopeView, Trouble, Wish};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bavn_detect::cases::{Act, Book, CaseNumber, Deed, Duty, Said};
use bavn_model::Timestamp;
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;

/// One case of one alarm, in memory; what was put on record stands in `recorded`.
struct Fixed {
    view: QueueView,
    book: Mutex<Book>,
    recorded: Mutex<Vec<String>>,
    disk_is_full: bool,
}

impl Board for Fixed {
    fn queue(&self) -> Arc<QueueView> {
        Arc::new(self.view.clone())
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_704_067_200)
    }

    fn look(&self, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble> {
        seen(&self.book.lock().unwrap());
        Ok(())
    }

    fn act(&self, by: &str, case: CaseNumber, wish: Wish, seen: usize) -> Result<(), Trouble> {
        let mut book = self.book.lock().unwrap();
        let acts = match wish {
            Wish::Do(deed) => book.propose(self.now(), by, case, deed, Some(seen)),
            Wish::Undo => book.propose_undo(self.now(), by, case),
        };
        let acts = acts.map_err(|refusal| Trouble::Refused(refusal.to_string()))?;
        for act in acts {
            book.push(act);
        }
        Ok(())
    }

    fn keeps_look_ups(&self) -> bool {
        true
    }

    fn scope(&self, _: CaseNumber) -> Result<ScopeView, Trouble> {
        let days = vec![("2024-01-01".to_owned(), 50, 41)];
        Ok(ScopeView { lower: 40, best: 41, days, ..ScopeView::default() })
    }

    fn record(&self, who: &Visitor, what: &str, purpose: &str) -> Result<(), Trouble> {
        if self.disk_is_full {
            return Err(Trouble::Failed("the disk is full".to_owned()));
        }
        self.recorded.lock().unwrap().push(format!("{} {what}, {purpose}", who.name));
        Ok(())
    }
}

/// A console, somebody logged in, and the board behind it.
struct Console {
    router: axum::Router,
    board: Arc<Fixed>,
    cookie: String,
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Console {
    fn new(role: Role) -> Self {
        Self::over(role, view(), false)
    }

    fn over(role: Role, view: QueueView, disk_is_full: bool) -> Self {
        let (book, recorded) = (Mutex::new(book()), Mutex::default());
        let board = Arc::new(Fixed { view, book, recorded, disk_is_full });
        let mut next = 0_u64;
        let doors = Doors::new(
            Box::new(move |bytes| {
                next += 1;
                bytes[..8].copy_from_slice(&next.to_be_bytes());
                true
            }),
            None,
        );
        let link = doors.link("kari", role).unwrap();
        let shared: Arc<dyn Board> = board.clone();
        let router = crate::router(shared, Arc::new(doors));
        let mut console = Self { router, board, cookie: String::new() };
        let entered = console.ask("GET", &link, "", &[]);
        assert_eq!(entered.status, StatusCode::SEE_OTHER);
        let cookie = entered.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        console.cookie = cookie.split(';').next().unwrap().to_owned();
        console
    }

    fn ask(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Got {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut request = Request::builder().method(method).uri(path);
            request = request.header("cookie", &self.cookie).header("host", "localhost");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::from(body.to_owned())).unwrap();
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            Got { status: parts.status, headers: parts.headers, text }
        })
    }

    fn get(&self, path: &str) -> Got {
        self.ask("GET", path, "", &[("accept-language", "en")])
    }

    /// A form of the case's page, filled in.
    fn post(&self, deed: &str, fields: &str) -> Got {
        let page = self.get("/case/1").text;
        let hidden = |name: &str| {
            let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
            from.split('"').next().unwrap().to_owned()
        };
        let body = format!("token={}&seen={}&{fields}", hidden("token"), hidden("seen"));
        self.ask("POST", &format!("/case/1/{deed}"), &body, &[])
    }
}

fn said(title: &str) -> Said {
    Said {
        title: title.to_owned(),
        summary: "hcw-7 (<script>alert(1)</script>): 41 patients".to_owned(),
        reasons: vec!["41 patients in 6 minutes; usual 3".to_owned()],
        tried: vec!["a stay in the unit: not found for 41 visits".to_owned()],
        innocent_story: "A registry project".to_owned(),
        next_step: "Block the account".to_owned(),
        counterfactual: "4 patients or fewer".to_owned(),
    }
}

fn view() -> QueueView {
    let at = Timestamp::from_secs(1_704_067_200);
    QueueView {
        now: Some(at),
        look_ups: 12_345,
        identities: 300,
        patients: 20_000,
        explained_share: 0.93,
        budget: 2.0,
        simulated: true,
        alarms: vec![Alarm {
            uid: "abc".to_owned(),
            raised_at: at,
            first_seen: at,
            last_seen: at,
            risk: 97.0,
            patients: 41,
            expected_false: 0.01,
            english: said("Many new patients within minutes"),
            bokmaal: said("Mange nye pasienter på minutter"),
            hours: vec![HourBar { from: at, patients: 41, busiest_other: 6 }],
        }],
    }
}

fn book() -> Book {
    let at = Timestamp::from_secs(1_704_067_200);
    let names = |name: &str| std::iter::once(name.to_owned()).collect();
    let alarm = bavn_detect::cases::Alarm {
        uid: "abc".to_owned(),
        detector: "burst".to_owned(),
        detectors: names("burst"),
        raised_at: at,
        first_seen: at,
        last_seen: at,
        risk: 97.0,
        rank: 9.0,
        expected_false: 0.01,
        patients: 41,
        marks: (90_001..90_042).collect(),
        identities: names("hcw-7"),
        units: names("<b>ward</b>"),
        hosts: names("pc-1"),
        clients: names("ehr"),
        shared: std::collections::BTreeSet::new(),
        english: said("Many new patients within minutes"),
        bokmaal: said("Mange nye pasienter på minutter"),
    };
    let mut book = Book::new("north");
    let acts = book.receive(alarm, at, &Duty::default());
    for act in acts {
        book.push(act);
    }
    book
}

const PAGES: [&str; 5] = ["/", "/alarms/abc", "/case/1", "/case/1/scope", "/me"];

/// The exact table: what each role gets of each page and its twins, and of each form.
#[test]
fn every_route_for_every_role() {
    let sees = [Role::PrivacyOfficer, Role::SocAnalyst, Role::IncidentLead];
    for role in Role::ALL {
        let console = Console::new(role);
        let may = sees.contains(&role);
        let expect = |allowed: bool| if allowed { StatusCode::OK } else { StatusCode::FORBIDDEN };
        for path in PAGES {
            for twin in ["", ".json", ".csv"] {
                let path =
                    if path == "/" { format!("/queue{twin}") } else { format!("{path}{twin}") };
                let got = console.get(&path);
                assert_eq!(got.status, expect(may || path.starts_with("/me")), "{role:?} {path}");
            }
        }
        let token = console.get("/me").text;
        let token = token.split("name=\"token\" value=\"").nth(1).unwrap().get(..64).unwrap();
        for (deed, fields) in [
            ("take", ""),
            ("note", "text=x"),
            ("task", "text=x"),
            ("done", "task=1"),
            ("decide", "verdict=harmless&reason=x"),
            ("undo", ""),
        ] {
            let body = format!("token={token}&seen=99&{fields}");
            let got = console.ask("POST", &format!("/case/1/{deed}"), &body, &[]);
            let may = may && (deed != "decide" || role != Role::SocAnalyst);
            let wanted = if may { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
            assert_eq!(got.status, wanted, "{role:?} {deed}");
        }
        if !may {
            let recorded = console.board.recorded.lock().unwrap();
            assert!(recorded.iter().all(|line| line.contains("refused")) && recorded.len() > 10);
        }
    }
}

/// No address counts, ranks or lists the work of members of staff outside a case.
#[test]
fn nothing_groups_by_staff() {
    let console = Console::new(Role::IncidentLead);
    for path in [
        "/staff",
        "/staff.json",
        "/staff.csv",
        "/person",
        "/person/hcw-7",
        "/persons.csv",
        "/reader/hcw-7",
        "/readers.json",
        "/identities",
        "/identities.csv",
        "/unit/ward/staff",
        "/queue/by/identity",
        "/queue/hcw-7",
        "/alarms",
        "/alarms.csv",
        "/case/1/staff",
        "/case/1/scope/hcw-7",
        "/sessions.csv",
        "/hours/hcw-7",
        "/productivity",
    ] {
        assert_eq!(console.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
    let plain = console.get("/queue.csv").text;
    let grouped = console.get("/queue.csv?by=identity&group=staff").text;
    assert_eq!(plain, grouped, "a query in the address changes nothing");
}

#[test]
fn nobody_is_let_in_without_a_session_or_with_a_forged_form() {
    let mut console = Console::new(Role::PrivacyOfficer);
    for (fields, headers) in
        [("token=forged&seen=9&text=x", &[][..]), ("seen=9&text=x", &[]), ("token=%zz", &[])]
    {
        let got = console.ask("POST", "/case/1/note", fields, headers);
        assert!(matches!(got.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), "{fields}");
    }
    let token = console.get("/me").text;
    let token = token.split("name=\"token\" value=\"").nth(1).unwrap().get(..64).unwrap();
    let body = format!("token={token}&seen=9&text=x");
    for foreign in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let got = console.ask("POST", "/case/1/note", &body, &[foreign]);
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{foreign:?}");
    }
    let big = format!("token={token}&text={}", "x".repeat(10 << 20));
    assert_eq!(
        console.ask("POST", "/case/1/note", &big, &[]).status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(console.ask("PUT", "/case/1", "", &[]).status, StatusCode::METHOD_NOT_ALLOWED);
    let left = console.ask("POST", "/leave", &body, &[]);
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    for cookie in [console.cookie.clone(), "bavn=forged".to_owned(), String::new()] {
        console.cookie = cookie;
        for path in PAGES {
            let got = console.get(path);
            assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(!got.text.contains("hcw-7"));
        }
    }
    assert_eq!(console.get("/enter/0000").status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_case_is_read_taken_decided_and_undone() {
    let console = Console::new(Role::PrivacyOfficer);
    let page = console.get("/case/1").text;
    for wanted in
        ["41 patients in 6 minutes", "A registry project", "Block the account", "<svg", "<table"]
    {
        assert!(page.contains(wanted), "`{wanted}` is missing");
    }
    assert!(page.contains(": read"), "that it was read is part of the case");
    assert_eq!(console.post("take", "").status, StatusCode::SEE_OTHER);
    assert_eq!(console.post("note", "text=asked+HR").status, StatusCode::SEE_OTHER);
    assert_eq!(console.post("decide", "verdict=harmless&reason=").status, StatusCode::CONFLICT);
    assert_eq!(
        console.post("decide", "verdict=harmless&reason=visit").status,
        StatusCode::SEE_OTHER
    );
    assert!(console.get("/").text.contains("No case waits"));
    assert_eq!(console.post("undo", "").status, StatusCode::SEE_OTHER);
    assert!(!console.get("/").text.contains("No case waits"));
    let acts = console.get("/case/1.csv").text;
    assert!(acts.contains("harmless: visit,true"), "{acts}");
    assert!(console.get("/me").text.contains("asked HR"));
}

#[test]
fn the_second_of_two_is_told_who_was_first() {
    let console = Console::new(Role::PrivacyOfficer);
    let page = console.get("/case/1").text;
    let of = |name: &str| {
        let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        from.split('"').next().unwrap().to_owned()
    };
    let note = Deed::Noted { text: "first".to_owned() };
    let at = console.board.now();
    let act = Act { at, by: "ola".to_owned(), case: CaseNumber(1), deed: note };
    console.board.book.lock().unwrap().push(act);
    let body = format!("token={}&seen={}&verdict=harmless&reason=x", of("token"), of("seen"));
    let got = console.ask("POST", "/case/1/decide", &body, &[]);
    assert_eq!(got.status, StatusCode::CONFLICT);
    assert!(got.text.contains("ola acted"), "{}", got.text);
}

#[test]
fn a_view_that_cannot_be_put_on_record_is_not_shown() {
    let console = Console::over(Role::PrivacyOfficer, view(), true);
    for path in ["/case/1", "/case/1.json", "/case/1.csv", "/case/1/scope"] {
        let got = console.get(path);
        assert_eq!(got.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(!got.text.contains("hcw-7"), "{path}");
    }
    let console = Console::new(Role::SocAnalyst);
    console.get("/case/1");
    console.get("/case/1/scope.json");
    let recorded = console.board.recorded.lock().unwrap();
    assert_eq!(*recorded, ["kari case 1, case 1", "kari scope of case 1, case 1"]);
}

#[test]
fn every_page_is_guarded_light_and_escaped() {
    let console = Console::new(Role::IncidentLead);
    let assets = ["/style.css", "/live.js", "/nowhere", "/queue.json", "/case/1.json"];
    for path in PAGES.into_iter().chain(assets) {
        let got = console.get(path);
        let wanted = if path == "/nowhere" { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(got.status, wanted, "{path}");
        let policy = got.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert_eq!(got.headers["cache-control"], "no-store", "{path}");
        assert!(got.text.len() < 60_000, "{path} weighs {} bytes", got.text.len());
        let page = got.headers["content-type"].to_str().unwrap().starts_with("text/html");
        assert!(!page || !got.text.contains("<script>alert"), "{path} does not escape");
        assert!(!page || !got.text.contains("<b>ward"), "{path} does not escape");
        assert!(!got.text.contains("9000"), "{path} shows a mark of a patient");
    }
    let script = include_str!("live.js");
    assert!(script.len() <= 6_144 && script.lines().count() <= 150);
}

#[test]
fn the_address_beats_the_browser_in_the_choice_of_language() {
    let console = Console::new(Role::PrivacyOfficer);
    for (path, accepts, expected) in [
        ("/", "nb-NO", "Mange nye pasienter"),
        ("/", "en", "Many new patients"),
        ("/?lang=nb", "en", "Mange nye pasienter"),
        ("/case/1?lang=nb", "en", "Taler mot"),
        ("/alarms/abc?lang=tlh", "nb", "Mange nye pasienter"),
    ] {
        let got = console.ask("GET", path, "", &[("accept-language", accepts)]);
        assert!(got.text.contains(expected), "{path} {accepts}");
    }
}

#[test]
fn an_empty_queue_and_what_is_not_there_have_pages() {
    let empty = QueueView { alarms: Vec::new(), ..view() };
    let console = Console::over(Role::PrivacyOfficer, empty, false);
    assert!(console.get("/").text.contains("Nothing needs you"));
    for path in
        ["/alarms/abc", "/alarms/..%2Fqueue", "/case/2", "/case/x", "/case/2/scope", "/case/1/no"]
    {
        assert_eq!(console.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// WCAG 2.2, 1.4.3: text has a contrast of 4.5 at least, lines and bars of 3 (1.4.11).
#[test]
fn colours_are_told_apart_in_light_and_dark() {
    let style = include_str!("style.css");
    let (light, dark) = style.split_once("@media (prefers-color-scheme: dark)").unwrap();
    for theme in [light, dark] {
        let paper = colour(theme, "--paper");
        for (name, wanted) in [
            ("--ink", 4.5),
            ("--soft", 4.5),
            ("--mark", 4.5),
            ("--link", 4.5),
            ("--bar", 3.0),
            ("--peers", 3.0),
        ] {
            let contrast = contrast(colour(theme, name), paper);
            assert!(contrast >= wanted, "{name} has {contrast:.2}");
        }
    }
}
fn colour(theme: &str, name: &str) -> [f64; 3] {
    let hex = theme.split_once(&format!("{name}: #")).unwrap().1;
    [0, 2, 4]
        .map(|at| f64::from(u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap()) / 255.0)
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let [red, green, blue] = colour.map(|part: f64| {
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (high, low) = (luminance(a).max(luminance(b)), luminance(a).min(luminance(b)));
    (high + 0.05) / (low + 0.05)
}
