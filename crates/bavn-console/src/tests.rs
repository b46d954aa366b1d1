//! The pages as a browser meets them: who gets what, and in which form.

mod crowd;

use crate::access::Role;
use crate::access::{Granted, Purpose, Right};
use crate::dispatch::ROUTES;
use crate::session::{Doors, Visitor};
use crate::view::{
    Alarm, AsOf, Board, ClockView, Counted, CountedRow, CoverageView, DayCell, DayState, DrillView,
    Growth, HeldAbout, HourBar, HowMany, HuntRow, HuntView, Lane, Machine, PatientView, PersonRow,
    PersonView, ProofView, QueueView, ReadingGroup, RegimeLine, Revealed, RunView, ScopeView,
    SilenceRow, SourceRow, Theft, TrailView, Trouble, UnitRow, VerifiedView, Wish,
};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bavn_detect::cases::{Act, Book, CaseNumber, Deed, Duty, Said};
use bavn_detect::house::{Agreement, Drawn, House, HouseAct, HouseDeed, Run, agreement};
use bavn_model::Timestamp;
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;

/// One case of one alarm, in memory; what was put on record stands in `recorded`.
struct Fixed {
    view: QueueView,
    book: Mutex<Book>,
    house: Mutex<House>,
    recorded: Mutex<Vec<String>>,
    disk_is_full: bool,
    signed: bool,
    changed: tokio::sync::watch::Sender<u64>,
    /// Patients of the case.
    best: u64,
}

impl Board for Fixed {
    fn queue(&self) -> Arc<QueueView> {
        Arc::new(self.view.clone())
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changed.subscribe()
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
        let acts = acts.map_err(|refusal| {
            Trouble::Refused(
                [crate::text::Language::English, crate::text::Language::Bokmaal]
                    .map(|of| refusal.in_words(of)),
            )
        })?;
        for act in acts {
            book.push(act);
        }
        Ok(())
    }

    fn keeps_look_ups(&self) -> bool {
        true
    }

    fn scope(&self, _: CaseNumber) -> Result<ScopeView, Trouble> {
        let until = |hours: i64, lower, best, upper| Growth {
            until: self.now().plus_secs(hours * 3_600),
            lower,
            best,
            upper,
        };
        let growth = vec![until(0, 20, 21, Some(22)), until(1, 40, 1_041, None)];
        let all = HowMany { lower: 41, best: self.best, upper: None, look_ups: 50 };
        let unexplained = HowMany { lower: 40, best: 40, upper: Some(40), look_ups: 44 };
        let digest = "d1e57".to_owned();
        let scope = ScopeView {
            lower: 40,
            best: self.best,
            all,
            unexplained,
            growth,
            digest,
            ..ScopeView::default()
        };
        Ok(scope)
    }

    fn scope_by(&self, case: CaseNumber) -> Result<(ScopeView, Counted), Trouble> {
        let row = |key: &str| vec![CountedRow { key: key.to_owned(), look_ups: 50, patients: 41 }];
        let class = self.best.is_multiple_of(2).then(|| row("under 18 years"));
        let counted = Counted {
            controller: row("north"),
            class,
            action: row("export"),
            day: row("2024-01-01"),
        };
        Ok((self.scope(case)?, counted))
    }

    fn asks_readers(&self) -> bool {
        true
    }

    fn ask_reader(
        &self,
        by: &str,
        case: CaseNumber,
        reader: &str,
        _: Option<&str>,
        _: bavn_share::Language,
    ) -> Result<(), Trouble> {
        let sha256 = "a".repeat(64);
        let asked = Deed::Asked { reader: reader.to_owned(), sha256 };
        let revision = self.book.lock().unwrap().case(case).unwrap().revision();
        self.act(by, case, Wish::Do(asked), revision)
    }

    fn record(
        &self,
        who: &Visitor,
        what: &str,
        purpose: &str,
        patients: &[String],
    ) -> Result<(), Trouble> {
        if self.disk_is_full {
            return Err(Trouble::Failed("the disk is full".to_owned()));
        }
        let of =
            if patients.is_empty() { String::new() } else { format!(" of {}", patients.join(" ")) };
        self.recorded.lock().unwrap().push(format!("{} {what}{of}, {purpose}", who.name));
        Ok(())
    }

    fn trail(&self, _: CaseNumber) -> Result<TrailView, Trouble> {
        let times = vec![self.now(), self.now().plus_secs(3_600)];
        let lane = |name: &str, is_machine| Lane {
            name: name.to_owned(),
            is_machine,
            look_ups: vec![7, 0],
        };
        let lanes = vec![lane("hcw-7", false), lane("pc-1", true)];
        Ok(TrailView { last: times.first().copied(), times, lanes, patients: vec![41, 0] })
    }

    fn clocks(&self, _: CaseNumber) -> Vec<ClockView> {
        let (english, bokmaal) = ("Call".to_owned(), "Varsel".to_owned());
        vec![ClockView { english, bokmaal, from: self.now(), due: self.now().plus_secs(900) }]
    }

    fn house(&self, seen: &mut dyn FnMut(&House)) -> Result<(), Trouble> {
        seen(&self.house.lock().unwrap());
        Ok(())
    }

    fn settle(&self, who: &Visitor, deed: HouseDeed) -> Result<(), Trouble> {
        let mut house = self.house.lock().unwrap();
        let act = house.propose(self.now(), &who.name, who.role.word(), deed);
        house.push(act.map_err(|refusal| {
            Trouble::Refused(
                [crate::text::Language::English, crate::text::Language::Bokmaal]
                    .map(|of| refusal.in_words(of)),
            )
        })?);
        Ok(())
    }

    fn agreed(&self) -> Result<Option<Agreement>, Trouble> {
        if self.signed {
            return Ok(Some(signed()));
        }
        Ok(agreement(&self.book.lock().unwrap(), &self.house.lock().unwrap()))
    }

    fn regimes(&self) -> Vec<RegimeLine> {
        vec![RegimeLine {
            id: "gdpr-33".to_owned(),
            version: "2016-679".to_owned(),
            title: ["Notice".to_owned(), "Melding".to_owned()],
            review_by: "2023-01-01".to_owned(),
            reviewed_by: None,
            is_overdue: true,
        }]
    }

    fn coverage(&self) -> Result<CoverageView, Trouble> {
        let cell = |state| DayCell { look_ups: 9, state };
        let states = [DayState::NotYet, DayState::OnTime, DayState::Late, DayState::Silent];
        let cells = states.map(cell).to_vec();
        let days = (1..=4).map(|day| format!("2024-01-0{day}")).collect();
        let sources = vec![SourceRow { source: "<i>ehr</i>".to_owned(), cells }];
        let units = vec![UnitRow { unit: "oncology".to_owned(), shares: vec![Some(0.9), None] }];
        let weeks = vec!["2024-01-01".to_owned(), "2024-01-08".to_owned()];
        let inputs = vec![("a.json".to_owned(), 90, 10)];
        let run = Some(RunView {
            inputs,
            units,
            weeks,
            judged: 4,
            judged_false: 1,
            ..RunView::default()
        });
        Ok(CoverageView { days, sources, silences: vec![silence()], run, as_of: AsOf::default() })
    }

    fn proof(&self) -> Result<ProofView, Trouble> {
        let by = "ola".to_owned();
        let verified =
            VerifiedView { at: self.now(), by, look_ups: 9, faults: 0, every_look_up: true };
        let checkpoint = "bavn north\n12\nroot".to_owned();
        Ok(ProofView { entries: 12, checkpoint, verified: Some(verified), ..ProofView::default() })
    }

    fn drill(&self) -> Result<Option<DrillView>, Trouble> {
        let theft = |name: &str, secs_to_alarm, patients_lost| Theft {
            name: name.to_owned(),
            words: [format!("{name} in words"), format!("{name} i ord")],
            secs_to_alarm,
            patients_lost,
            patients_stolen: 900,
        };
        let thefts = vec![theft("burst", Some(40), 3), theft("slow", None, 900)];
        Ok(Some(DrillView { source: "s.json".to_owned(), thefts, ..DrillView::default() }))
    }

    fn patient(&self, typed: &str, _: &Granted) -> Result<PatientView, Trouble> {
        if typed == "nobody" {
            return Err(Trouble::Refused(["no patient is called so"; 2].map(str::to_owned)));
        }
        let group = ReadingGroup {
            day: "2024-01-01".to_owned(),
            who: Some("hcw-7".to_owned()),
            post: None,
            look_ups: 2,
            first: self.now(),
            last: self.now(),
            content: vec![["<script>alert(1)</script>".to_owned(), "prøvesvar".to_owned()]],
            reasons: Vec::new(),
            place: "ehr".to_owned(),
            emergency: true,
            denied: 1,
        };
        let page = format!("<!DOCTYPE html><html lang=\"en\"><title>x</title>{typed}</html>");
        Ok(PatientView {
            patient: typed.to_owned(),
            look_ups: 2,
            groups: vec![group],
            silences: vec![silence()],
            html: [page.clone(), page],
            json: "{}".to_owned(),
            csv: "at\r\n".to_owned(),
            ..PatientView::default()
        })
    }

    fn person(&self, account: &str, _: &Granted) -> Result<PersonView, Trouble> {
        let at = self.now();
        let machine = Machine { name: "pc-1".to_owned(), look_ups: 9, patients: 3, first: at };
        let row = PersonRow {
            at,
            kind: "read".to_owned(),
            machine: "pc-1".to_owned(),
            source: "ehr".to_owned(),
            patients: 1,
        };
        Ok(PersonView {
            account: account.to_owned(),
            machines: vec![machine],
            rows: vec![row],
            kinds: vec![("read".to_owned(), 9, 3)],
            ..PersonView::default()
        })
    }

    fn hunt(&self, list: &str, _: &Granted) -> Result<HuntView, Trouble> {
        let row = |value: &str| HuntRow {
            value: value.to_owned(),
            found: None,
            problem: None,
            look_ups: 0,
            patients: 0,
            first: None,
            last: None,
        };
        let entries = list.lines().map(row).collect();
        Ok(HuntView { entries, json: "{}".to_owned(), ..HuntView::default() })
    }

    fn reveal(&self, _: &Granted) -> Result<Vec<Revealed>, Trouble> {
        let (patient, grade) = ("Patient/p-1".to_owned(), "opened".to_owned());
        let at = self.now();
        Ok(vec![Revealed { patient, grade, certain: true, look_ups: 1, first: at, last: at }])
    }

    fn held_about(&self, _: &Visitor) -> Result<HeldAbout, Trouble> {
        let looked_at_by = vec![(self.now(), "ola".to_owned(), "case 1".to_owned())];
        Ok(HeldAbout { look_ups: 7, looked_at_by, ..HeldAbout::default() })
    }
}

pub(crate) fn signed() -> Agreement {
    Agreement { by: "eva".to_owned(), date: "2023-12-01".to_owned(), sha256: None }
}

fn silence() -> SilenceRow {
    let (from, to) = (Timestamp::default(), Timestamp::from_secs(200_000));
    SilenceRow { source: "ris".to_owned(), from, to, ended: true }
}

/// A run that drew one look-up.
fn house() -> House {
    let drawn = Drawn { lot: "lot-1".to_owned(), reader: "hcw-9".to_owned(), ..Drawn::default() };
    let run = Run {
        drawn: vec![drawn],
        days: 10,
        staff: 500.0,
        budget_per_10k_staff_day: 2.0,
        false_alarms_allowed: 1.0,
        ..Run::default()
    };
    let mut house = House::default();
    let (by, role) = ("bavn".to_owned(), String::new());
    let deed = HouseDeed::Ran(Box::new(run));
    house.push(HouseAct { at: Timestamp::from_secs(1_704_067_000), by, role, deed });
    house
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
        Self::named("kari", role, Self::board(view, disk_is_full, true))
    }

    fn board(view: QueueView, disk_is_full: bool, signed: bool) -> Arc<Fixed> {
        let (book, house, recorded) = (Mutex::new(book()), Mutex::new(house()), Mutex::default());
        let changed = tokio::sync::watch::channel(0).0;
        Arc::new(Fixed { view, book, house, recorded, disk_is_full, signed, changed, best: 41 })
    }

    /// Somebody logged in to a board.
    fn named(name: &str, role: Role, board: Arc<Fixed>) -> Self {
        let mut next = 0_u64;
        let doors = Doors::new(
            Box::new(move |bytes| {
                next += 1;
                bytes[..8].copy_from_slice(&next.to_be_bytes());
                true
            }),
            None,
        );
        let link = doors.link(name, role).unwrap();
        let shared: Arc<dyn Board> = board.clone();
        let router = crate::router(shared, Arc::new(doors));
        let mut console = Self { router, board, cookie: String::new() };
        let entered = console.ask("GET", &link, "", &[]);
        assert_eq!(entered.status, StatusCode::SEE_OTHER);
        let cookie = entered.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        console.cookie = cookie.split(';').next().unwrap().to_owned();
        let first = entered.headers["location"].to_str().unwrap();
        assert_eq!(console.get(first).status, StatusCode::OK, "{role:?} begins with {first}");
        console.board.recorded.lock().unwrap().clear();
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

    fn token(&self) -> String {
        let page = self.get("/me").text;
        page.split("name=\"token\" value=\"").nth(1).unwrap().get(..64).unwrap().to_owned()
    }

    fn send(&self, path: &str, fields: &str) -> Got {
        self.ask("POST", path, &format!("token={}&{fields}", self.token()), &[])
    }

    /// Where a form leads, without the language.
    fn sent_to(&self, path: &str, fields: &str) -> String {
        let got = self.send(path, fields);
        assert_eq!(got.status, StatusCode::SEE_OTHER, "{path} {fields}: {}", got.text);
        got.headers["location"].to_str().unwrap().split('?').next().unwrap().to_owned()
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
            hours: vec![HourBar {
                from: at,
                patients: 41,
                busiest_other: 6,
                others_low: 1,
                others_high: 4,
            }],
        }],
    }
}

fn alarm() -> bavn_detect::cases::Alarm {
    let at = Timestamp::from_secs(1_704_067_200);
    let names = |name: &str| std::iter::once(name.to_owned()).collect();
    bavn_detect::cases::Alarm {
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
        identities: names("Practitioner/hcw-7"),
        also: names("https://login|siri"),
        units: names("<b>ward</b>"),
        hosts: names("pc-1"),
        clients: names("ehr"),
        shared: std::collections::BTreeSet::new(),
        english: said("Many new patients within minutes"),
        bokmaal: said("Mange nye pasienter på minutter"),
    }
}

fn book() -> Book {
    let mut book = Book::new("north");
    let acts = book.receive(alarm(), Timestamp::from_secs(1_704_067_200), &Duty::default());
    for act in acts {
        book.push(act);
    }
    book
}

const PAGES: [&str; 9] = [
    "/",
    "/alarms/abc",
    "/case/1",
    "/case/1/scope",
    "/me",
    "/coverage",
    "/proof",
    "/drill",
    "/settings",
];

const OFFICERS: &str = "privacy-officer soc-analyst incident-lead";
const TWO: &str = "privacy-officer incident-lead";
const EVERYONE: &str = "privacy-officer soc-analyst incident-lead manager auditor patient employee representative administrator";

/// The exact table, as a person would write it: method, path, what is needed, and who has it.
#[rustfmt::skip]
const TABLE: &[(&str, &str, Right, Purpose, &str)] = &[
    ("GET", "", Right::SeeQueue, Purpose::None, OFFICERS),
    ("GET", "queue", Right::SeeQueue, Purpose::None, OFFICERS),
    ("GET", "alarms/*", Right::SeeQueue, Purpose::None, OFFICERS),
    ("GET", "case/*", Right::SeeCase, Purpose::Case, OFFICERS),
    ("GET", "case/*/scope", Right::SeeScope, Purpose::Case, OFFICERS),
    ("GET", "case/*/patients", Right::Reveal, Purpose::Case, TWO),
    ("GET", "person/*", Right::SeePerson, Purpose::Case, OFFICERS),
    ("GET", "hunt", Right::Hunt, Purpose::Case, "soc-analyst incident-lead"),
    ("GET", "hunt/*", Right::Hunt, Purpose::Case, "soc-analyst incident-lead"),
    ("GET", "patient", Right::AskForPatient, Purpose::None, TWO),
    ("GET", "patient/*", Right::AskForPatient, Purpose::None, TWO),
    ("GET", "patient/*/report", Right::AskForPatient, Purpose::None, TWO),
    ("GET", "coverage", Right::SeeCoverage, Purpose::None, "privacy-officer soc-analyst incident-lead manager auditor administrator"),
    ("GET", "drill", Right::SeeScore, Purpose::None, "privacy-officer soc-analyst incident-lead manager auditor administrator"),
    ("GET", "proof", Right::SeeProof, Purpose::None, EVERYONE),
    ("GET", "review", Right::Review, Purpose::Review, "privacy-officer"),
    ("GET", "settings", Right::SeeSettings, Purpose::None, "privacy-officer soc-analyst incident-lead auditor employee representative administrator"),
    ("GET", "case/*/notice", Right::SeeNotices, Purpose::Case, TWO),
    ("GET", "case/*/notice/*", Right::SeeNotices, Purpose::Case, TWO),
    ("GET", "case/*/notice/*/paper", Right::SeeNotices, Purpose::Case, TWO),
    ("GET", "case/*/recipients", Right::SeeNotices, Purpose::Case, TWO),
    ("GET", "me", Right::SeeOneself, Purpose::None, EVERYONE),
    ("GET", "me/report", Right::SeeOwnRecord, Purpose::Insight, "patient"),
    ("POST", "case/*/take", Right::WorkOnCase, Purpose::Case, OFFICERS),
    ("POST", "case/*/note", Right::WorkOnCase, Purpose::Case, OFFICERS),
    ("POST", "case/*/task", Right::WorkOnCase, Purpose::Case, OFFICERS),
    ("POST", "case/*/done", Right::WorkOnCase, Purpose::Case, OFFICERS),
    ("POST", "case/*/undo", Right::WorkOnCase, Purpose::Case, OFFICERS),
    ("POST", "case/*/decide", Right::Decide, Purpose::Case, TWO),
    ("POST", "case/*/rule-out", Right::Decide, Purpose::Case, TWO),
    ("POST", "case/*/ask", Right::Decide, Purpose::Case, TWO),
    ("POST", "case/*/reply", Right::Decide, Purpose::Case, TWO),
    ("POST", "case/*/patients", Right::Reveal, Purpose::Case, TWO),
    ("POST", "hunt", Right::Hunt, Purpose::Case, "soc-analyst incident-lead"),
    ("POST", "patient", Right::AskForPatient, Purpose::None, TWO),
    ("POST", "review", Right::Review, Purpose::Review, "privacy-officer"),
    ("POST", "settings", Right::ChangeSettings, Purpose::None, "privacy-officer incident-lead administrator"),
    ("POST", "settings/*/confirm", Right::ChangeSettings, Purpose::None, "privacy-officer incident-lead administrator"),
    ("POST", "settings/*/decline", Right::ChangeSettings, Purpose::None, "privacy-officer incident-lead administrator"),
    ("POST", "settings/*/sign", Right::SignForEmployees, Purpose::None, "representative"),
    ("POST", "settings/*/object", Right::SignForEmployees, Purpose::None, "representative"),
    ("POST", "settings/withdraw", Right::SignForEmployees, Purpose::None, "representative"),
    ("POST", "me", Right::SeeOneself, Purpose::None, EVERYONE),
    ("POST", "case/*/declare", Right::WorkOnNotices, Purpose::Case, TWO),
    ("POST", "case/*/answers", Right::WorkOnNotices, Purpose::Case, TWO),
    ("POST", "case/*/prepare", Right::WorkOnNotices, Purpose::Case, TWO),
    ("POST", "case/*/sign", Right::WorkOnNotices, Purpose::Case, TWO),
    ("POST", "case/*/want-list", Right::WorkOnNotices, Purpose::Case, TWO),
    ("POST", "case/*/release-list", Right::WorkOnNotices, Purpose::Case, TWO),
    ("POST", "role", Right::SeeOneself, Purpose::None, EVERYONE),
    ("POST", "leave", Right::SeeOneself, Purpose::None, EVERYONE),
];

/// What each role gets of each page and its twins, and of each form: refused exactly where the
/// table says so, each refusal on record.
#[test]
fn every_route_for_every_role() {
    let method = |is_post: bool| if is_post { "POST" } else { "GET" };
    let wanted: Vec<_> = TABLE.iter().map(|row| (row.0, row.1, row.2, row.3)).collect();
    let held: Vec<_> = ROUTES
        .iter()
        .map(|route| (method(route.is_post), route.path, route.right, route.purpose))
        .collect();
    assert_eq!(held, wanted, "a route is in the table, and a row of the table is a route");
    for role in Role::ALL {
        let console = Console::new(role);
        let mut refused = 0;
        for &(method, path, .., roles) in TABLE.iter().filter(|row| row.1 != "leave") {
            let may = roles.split(' ').any(|word| word == role.word());
            // A change of role is of demonstrations alone.
            let may = may && path != "role";
            let path = path.replace("alarms/*", "alarms/abc").replace('*', "1");
            let twins: &[&str] =
                if method == "GET" && !path.is_empty() { &["", ".json", ".csv"] } else { &[""] };
            for twin in twins {
                let got = match method {
                    "GET" => console.get(&format!("/{path}{twin}")),
                    _ => console
                        .send(&format!("/{path}"), "seen=99&text=x&verdict=harmless&reason=x"),
                };
                let is_refused = got.status == StatusCode::FORBIDDEN;
                // Names are not shown before a reason is given, whoever asks.
                let not_yet = may && path == "case/1/patients" && !twin.is_empty();
                assert_eq!(is_refused, !may || not_yet, "{role:?} {method} {path}{twin}");
                assert!(!got.status.is_server_error(), "{role:?} {method} {path}{twin}");
                refused += usize::from(is_refused);
            }
        }
        let recorded = console.board.recorded.lock().unwrap();
        let is_refusal =
            |line: &&String| line.contains("refused") && !line.contains("no such page");
        let noted = recorded.iter().filter(is_refusal).count();
        assert_eq!(noted, refused, "{role:?}: each refusal is on record");
    }
}

/// In three steps, each of which the page offers when it is its turn.
#[test]
fn a_reader_is_asked_once_and_only_when_a_stolen_account_is_ruled_out() {
    let console = Console::new(Role::PrivacyOfficer);
    let revision = |console: &Console| {
        console.board.book.lock().unwrap().case(CaseNumber(1)).unwrap().revision()
    };
    let page = console.get("/case/1").text;
    assert!(page.contains("/case/1/rule-out") && !page.contains("/case/1/ask"));
    let asked = "reader=Practitioner%2Fhcw-7&hint=on+ward+3&language=nb";
    assert_eq!(
        console.send("/case/1/ask", asked).status,
        StatusCode::CONFLICT,
        "a thief would be warned"
    );
    let seen = revision(&console);
    console.send("/case/1/rule-out", &format!("seen={seen}&text=spoke+with+the+owner"));
    let page = console.get("/case/1").text;
    assert!(page.contains("/case/1/ask") && page.contains("spoke with the owner"));
    console.send("/case/1/ask", asked);
    assert_eq!(console.send("/case/1/ask", asked).status, StatusCode::CONFLICT, "one message");
    let seen = revision(&console);
    let reply = format!("seen={seen}&reader=Practitioner%2Fhcw-7&text=I+was+on+duty");
    console.send("/case/1/reply", &reply);
    assert!(console.get("/case/1").text.contains("I was on duty"));
}

/// No address counts, ranks or lists the work of members of staff outside a case.
#[test]
fn nothing_groups_by_staff() {
    let console = Console::new(Role::IncidentLead);
    let paths = [
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
    ];
    assert_eq!(paths.len(), 20);
    for path in paths {
        let got = console.get(path);
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!got.text.contains("hcw-7"), "{path}");
    }
    let recorded = console.board.recorded.lock().unwrap().clone();
    assert_eq!(recorded.len(), 20, "each try is on record: {recorded:?}");
    assert!(recorded.iter().all(|line| line.contains("refused: no such page")));
    let queries = [
        "/queue.csv?by=identity&group=staff",
        "/coverage.csv?by=staff",
        "/review.csv?group=reader&lang=nb",
        "/case/1.csv?by=reader",
        "/?sort=look_ups",
    ];
    for path in queries {
        assert_eq!(console.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
    let recorded = console.board.recorded.lock().unwrap().len();
    assert_eq!(recorded, 20 + queries.len(), "so is each query");
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
    assert!(page.contains(": looked at the case"), "that it was read is part of the case");
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
    assert!(!console.get("/").text.contains("Nothing needs you"), "a case waits");
    console.post("decide", "verdict=harmless&reason=x");
    assert!(console.get("/").text.contains("Nothing needs you"));
    for path in
        ["/alarms/abc", "/alarms/..%2Fqueue", "/case/2", "/case/x", "/case/2/scope", "/case/1/no"]
    {
        assert_eq!(console.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// WCAG 2.2, 1.4.3: text has a contrast of 4.5 at least, lines and bars of 3 (1.4.11). Paper is never dark.
#[test]
fn colours_are_told_apart_in_light_and_dark() {
    let style = include_str!("style.css");
    let (light, dark) = style.split_once("@media screen and (prefers-color-scheme: dark)").unwrap();
    for theme in [light, dark] {
        let paper = colour(theme, "--paper");
        for (name, wanted) in [
            ("--ink", 4.5),
            ("--soft", 4.5),
            ("--mark", 4.5),
            ("--link", 4.5),
            ("--bar", 3.0),
            ("--peers", 3.0),
            ("--good", 3.0),
            ("--cross", 3.0),
        ] {
            let contrast = contrast(colour(theme, name), paper);
            assert!(contrast >= wanted, "{name} has {contrast:.2}");
        }
    }
}

/// Nothing in an address, a log line of a proxy or a bookmark says who a patient is.
#[test]
fn a_patient_is_typed_once_and_stands_in_no_address() {
    let console = Console::new(Role::PrivacyOfficer);
    let path = console.sent_to("/patient", "patient=Patient/p-77&purpose=insight");
    assert!(path.starts_with("/patient/") && !path.contains("p-77"), "{path}");
    for twin in ["", ".json", ".csv", "/report"] {
        assert_eq!(console.get(&format!("{path}{twin}")).status, StatusCode::OK, "{twin}");
    }
    let page = console.get(&path).text;
    assert!(page.contains("Patient/p-77") && page.contains("emergency access"));
    let addresses = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert!(addresses.into_iter().all(|address| !address.contains("p-77")));
    {
        let recorded = console.board.recorded.lock().unwrap();
        let line = "kari readers of a patient of Patient/p-77, insight";
        assert!(recorded.iter().filter(|held| *held == line).count() >= 4, "{recorded:?}");
    }
    let other = Console::named("ola", Role::PrivacyOfficer, console.board.clone());
    assert_eq!(other.get(&path).status, StatusCode::NOT_FOUND, "a handle is of one session");
    for fields in [
        "patient=&purpose=insight",
        "patient=x&purpose=case",
        "patient=x&purpose=case&case=x",
        "patient=x",
    ] {
        let status = console.send("/patient", fields).status;
        assert!(matches!(status, StatusCode::CONFLICT | StatusCode::NOT_FOUND), "{fields}");
    }
    let lead = Console::new(Role::IncidentLead);
    let status = lead.send("/patient", "patient=x&purpose=insight").status;
    assert_eq!(status, StatusCode::FORBIDDEN, "not for this purpose");
    let path = lead.sent_to("/patient", "patient=nobody&purpose=case&case=1");
    assert_eq!(lead.get(&path).status, StatusCode::CONFLICT);
    let path = lead.sent_to("/patient", "patient=x&purpose=case&case=99");
    assert_eq!(lead.get(&path).status, StatusCode::NOT_FOUND, "no such case");
    let full = Console::over(Role::PrivacyOfficer, view(), true);
    let path = full.sent_to("/patient", "patient=p-77&purpose=insight");
    let got = full.get(&path);
    assert_eq!(got.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!got.text.contains("hcw-7"), "what cannot be put on record is not shown");
}

#[test]
fn an_account_is_seen_only_through_its_case() {
    let console = Console::new(Role::SocAnalyst);
    let page = console.get("/case/1").text;
    let path = page.split("href=\"/person/").nth(1).unwrap().split('?').next().unwrap();
    assert!(!path.contains("hcw"), "{path}");
    let got = console.get(&format!("/person/{path}"));
    assert_eq!(got.status, StatusCode::OK);
    assert!(got.text.contains("hcw-7") && got.text.contains("pc-1"));
    assert!(
        console
            .board
            .recorded
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains("an account of case 1"))
    );
    assert_eq!(console.get("/person/0123456789abcdef").status, StatusCode::NOT_FOUND);
}

#[test]
fn a_list_is_pasted_or_sent_as_a_file_and_hunted_for_a_case() {
    let console = Console::new(Role::SocAnalyst);
    let path = console.sent_to("/hunt", "case=1&list=hcw-7%0D%0Apc-1");
    let page = console.get(&path).text;
    assert!(page.contains("hcw-7") && page.contains("no look-up names it"));
    let token = console.token();
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = [("token", token.as_str()), ("case", "1"), ("file", "10.0.0.9;x\n")];
    let body: String = parts.iter().map(|(name, value)| part(name, value)).collect();
    let kind = ("content-type", "multipart/form-data; boundary=b");
    let got = console.ask("POST", "/hunt", &format!("{body}--b--"), &[kind]);
    assert_eq!(got.status, StatusCode::SEE_OTHER, "{}", got.text);
    let path = got.headers["location"].to_str().unwrap().to_owned();
    assert!(console.get(&path).text.contains("10.0.0.9"));
    for fields in ["case=1&list=", "list=hcw-7", "case=x&list=hcw-7"] {
        assert_eq!(console.send("/hunt", fields).status, StatusCode::CONFLICT, "{fields}");
    }
}

#[test]
fn a_scope_is_counted_both_ways_and_by_all_that_it_can_be_counted_by() {
    let mut board = Console::board(view(), false, true);
    Arc::get_mut(&mut board).unwrap().best = 42;
    let console = Console::named("kari", Role::PrivacyOfficer, board);
    let page = console.get("/case/1/scope").text;
    for wanted in
        ["All look-ups ✓", "Without what is explained", "say when it ended", "under 18 years"]
    {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let bokmaal = console.get("/case/1/scope?lang=nb").text;
    assert!(bokmaal.contains("under 18 år") && bokmaal.contains("si når det tok slutt"));
    let twin = console.get("/case/1/scope.csv").text;
    let mut lines = twin.lines();
    assert_eq!(lines.next(), Some("by,key,look_ups,patients,lower,upper,as_of,manifest,digest"));
    let lines: Vec<&str> = lines.collect();
    assert!(lines.iter().all(|line| line.ends_with(",d1e57")), "{twin}");
    assert!(lines[1].starts_with("in all,all,50,42,41,,"), "{twin}");
    assert!(lines[2].starts_with("in all,unexplained,44,40,40,40,"), "{twin}");
    assert!(twin.contains("\nclass,under 18 years,50,41,"), "{twin}");
    let twin = console.get("/case/1/scope.json").text;
    assert!(twin.contains("\"digest\":\"d1e57\"") && twin.contains("\"controller\":[{"), "{twin}");
    let without = Console::new(Role::PrivacyOfficer).get("/case/1/scope").text;
    assert!(without.contains("started without context") && !without.contains("under 18"));
}

#[test]
fn few_names_take_a_reason_and_many_a_second_person() {
    let mut few = Console::board(view(), false, true);
    Arc::get_mut(&mut few).unwrap().best = 5;
    let console = Console::named("kari", Role::PrivacyOfficer, few);
    assert!(!console.get("/case/1/patients").text.contains("p-1"), "a reason first");
    assert_eq!(console.send("/case/1/patients", "reason=").status, StatusCode::CONFLICT);
    assert_eq!(console.get("/case/1/patients.csv").status, StatusCode::FORBIDDEN);
    console.sent_to("/case/1/patients", "reason=to+ask+her");
    assert!(console.get("/case/1/patients").text.contains("Patient/p-1"));
    assert!(console.get("/case/1/patients.csv").text.contains("Patient/p-1"));
    let told = console.board.recorded.lock().unwrap().clone();
    assert!(told.contains(&"kari the patients of case 1 of Patient/p-1, case 1".to_owned()));
    let lead = Console::named("ola", Role::IncidentLead, console.board.clone());
    assert!(!lead.get("/case/1/patients").text.contains("p-1"), "for who asked alone");

    let many = Console::new(Role::PrivacyOfficer);
    many.sent_to("/case/1/patients", "reason=letters");
    assert!(!many.get("/case/1/patients").text.contains("p-1"));
    assert_eq!(many.send("/settings/1/confirm", "").status, StatusCode::CONFLICT, "not oneself");
    let lead = Console::named("ola", Role::IncidentLead, many.board.clone());
    lead.sent_to("/settings/1/confirm", "");
    assert!(many.get("/case/1/patients").text.contains("Patient/p-1"));
    assert!(!lead.get("/case/1/patients").text.contains("p-1"));
}

/// Until the employees' side has agreed, everything that names somebody is refused.
#[test]
fn in_shadow_mode_nobody_is_named() {
    let board = Console::board(QueueView { simulated: false, ..view() }, false, false);
    for role in Role::ALL {
        let console = Console::named("kari", role, board.clone());
        for row in TABLE.iter().filter(|row| row.0 == "GET") {
            let path = row.1.replace("alarms/*", "alarms/abc").replace('*', "1");
            for twin in ["", ".json", ".csv"].into_iter().take(if path.is_empty() { 1 } else { 3 })
            {
                let got = console.get(&format!("/{path}{twin}"));
                assert!(!got.text.contains("hcw-"), "{role:?} {path}{twin}");
                assert!(row.2.names_people() <= (got.status == StatusCode::FORBIDDEN), "{path}");
            }
        }
    }
    let officer = Console::named("kari", Role::PrivacyOfficer, board.clone());
    let page = officer.get("/").text;
    assert!(page.contains("What would have been alarmed") && page.contains("Shadow mode"));
    assert!(
        page.contains("came at <strong>2.00</strong> per 10"),
        "one in 5,000 staff days: {page}"
    );
    assert!(officer.get("/case/1").text.contains("has not signed yet"), "not for want of a role");
    let patient = Console::named("nn", Role::Patient, board.clone());
    assert!(patient.get("/case/1").text.contains("Your role does not see this"));
    assert!(patient.get("/me").text.contains("/me/report"), "a right of the patient's own");
    let report = patient.get("/me/report");
    assert!(
        report.status == StatusCode::OK && report.text.contains(">nn</html>"),
        "{}",
        report.text
    );
    assert_eq!(board.recorded.lock().unwrap().last().unwrap(), "nn own report of nn, insight");
    officer.sent_to("/settings", "what=sign-off&value=2023-12-31&reason=met");
    let lead = Console::named("ola", Role::IncidentLead, board.clone());
    assert_eq!(lead.send("/settings/1/confirm", "").status, StatusCode::CONFLICT);
    let employee = Console::named("per", Role::Employee, board.clone());
    assert_eq!(employee.send("/settings/1/sign", "").status, StatusCode::FORBIDDEN);
    let subject = Console::named("siri", Role::Representative, board.clone());
    assert_eq!(subject.send("/settings/1/sign", "").status, StatusCode::CONFLICT, "an open case");
    let representative = Console::named("eva", Role::Representative, board);
    representative.sent_to("/settings/1/sign", "");
    assert!(officer.get("/case/1").text.contains("hcw-7"), "from now on");
    assert_eq!(officer.send("/settings/withdraw", "reason=x").status, StatusCode::FORBIDDEN);
    representative.sent_to("/settings/withdraw", "reason=a+new+source");
    assert_eq!(officer.get("/case/1").status, StatusCode::FORBIDDEN, "and no longer");
}

/// Programs that ask for a twin are told in its form; HEAD is GET without a body.
#[test]
fn a_twin_says_no_in_its_own_form() {
    let console = Console::new(Role::PrivacyOfficer);
    for (path, status) in [
        ("/case/99.json", StatusCode::NOT_FOUND),
        ("/hunt.json", StatusCode::FORBIDDEN),
        ("/nothing.json", StatusCode::NOT_FOUND),
    ] {
        let got = console.get(path);
        assert_eq!(got.status, status, "{path}");
        let told: serde_json::Value = serde_json::from_str(&got.text).unwrap();
        assert!(told["error"].is_string() && told["because"].is_string(), "{told}");
        let plain = console.get(&path.replace("json", "csv"));
        assert!(plain.status == status && !plain.text.contains('<'), "{}", plain.text);
    }
    assert_eq!(console.ask("HEAD", "/coverage", "", &[]).status, StatusCode::OK);
    assert_eq!(console.send("/patient", "").status, StatusCode::CONFLICT, "says what is needed");
}

#[test]
fn words_of_programs_are_said_in_the_reader_s_language() {
    let console = Console::new(Role::PrivacyOfficer);
    for (path, wanted, never) in [
        ("/?lang=nb", "sikkerhetssenteret", ">soc<"),
        ("/drill?lang=nb", "slow i ord", "slow in words"),
        ("/drill", "slow in words", "slow i ord"),
        ("/coverage?lang=nb", "kreftavdeling", "oncology"),
        ("/coverage", "<code>ris</code> was silent", "`"),
        ("/settings?lang=nb", ">Pasienter langt fra leserens arbeid<", ">cold_reads<"),
    ] {
        let page = console.get(path).text;
        assert!(page.contains(wanted) && !page.contains(never), "{path}: {page}");
    }
}

#[test]
fn a_setting_takes_two_persons() {
    let officer = Console::new(Role::PrivacyOfficer);
    officer.sent_to("/settings", "what=budget&value=5&reason=too+many");
    assert!(officer.get("/settings").text.contains("Waiting for a second person"));
    assert_eq!(officer.send("/settings/1/confirm", "").status, StatusCode::CONFLICT);
    let long = officer.send("/settings", "what=mute&detector=burst&value=100000&reason=x");
    assert!(long.text.contains("92 days at most"), "{}", long.text);
    for fields in [
        "what=budget&value=much&reason=x",
        "what=budget&value=5&reason=",
        "what=mute&detector=no&value=5&reason=x",
    ] {
        assert_eq!(officer.send("/settings", fields).status, StatusCode::CONFLICT, "{fields}");
    }
    let page = officer.send("/settings/1/confirm?lang=nb", "").text;
    assert!(page.contains("det trengs en annen person"), "{page}");
    let other = Console::named("ola", Role::Administrator, officer.board.clone());
    other.sent_to("/settings/1/confirm", "");
    let page = officer.get("/settings").text;
    assert!(
        !page.contains("Waiting for")
            && page.contains("confirmed proposal 1")
            && page.contains("overdue")
    );
    assert!(officer.get("/settings.json").text.contains("\"budget_per_10k_staff_day\":5.0"));
}

#[test]
fn what_was_drawn_by_lot_is_ruled_on_once_and_not_by_its_reader() {
    let console = Console::new(Role::PrivacyOfficer);
    assert!(console.get("/review").text.contains("hcw-9"));
    assert_eq!(
        console.send("/review", "lot=lot-2&ruling=in-order&reason=x").status,
        StatusCode::CONFLICT
    );
    assert_eq!(
        console.send("/review", "lot=lot-1&ruling=in-order&reason=").status,
        StatusCode::CONFLICT
    );
    console.sent_to("/review", "lot=lot-1&ruling=in-order&reason=a+visit");
    assert!(console.get("/review.csv").text.contains("in-order,kari,a visit"));
    let own = Console::named("hcw-9", Role::PrivacyOfficer, console.board.clone());
    assert!(!own.get("/review.csv").text.contains("lot-1"));
}

/// The one whom a case is about sees it when it is closed, and may answer.
#[test]
fn nobody_sees_or_works_on_a_case_about_oneself_but_may_answer() {
    let board = Console::board(view(), false, true);
    let own = Console::named("siri", Role::PrivacyOfficer, board.clone());
    for path in ["/case/1", "/case/1.json", "/case/1/scope", "/case/1/patients"] {
        assert_eq!(own.get(path).status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(own.send("/case/1/take", "seen=99").status, StatusCode::CONFLICT);
    assert!(!own.get("/me").text.contains("C-1"), "an open case warns nobody");
    assert_eq!(own.send("/me", "case=1&text=x").status, StatusCode::NOT_FOUND);
    let other = Console::named("kari", Role::PrivacyOfficer, board);
    other.post("decide", "verdict=snooping&reason=no+ground");
    let page = own.get("/me").text;
    assert!(page.contains("C-1") && page.contains("snooping") && page.contains("ola"));
    own.sent_to("/me", "case=1&text=she+asked+me");
    assert!(other.get("/case/1").text.contains("answer: she asked me"));
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
