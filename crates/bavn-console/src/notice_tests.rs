//! The pages on notices as a browser meets them: two languages, twins, who may, and what is refused.

use crate::access::{Granted, Role};
use crate::notice_view::{BreachView, Notices};
use crate::session::{Doors, Visitor};
use crate::text::{Language, code, pick};
use crate::view::{
    Board, ClockView, Counted, CoverageView, DrillView, HeldAbout, HuntView, PatientView,
    PersonView, ProofView, QueueView, RegimeLine, Revealed, ScopeView, TrailView, Trouble, Wish,
};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bavn_detect::cases::{Alarm, Book, CaseNumber, Deed, Duty, Said, Verdict};
use bavn_detect::house::{Agreement, House, HouseDeed};
use bavn_model::Timestamp;
use bavn_share::{Breach, Contact, Count, Declared, Instant, Organisation, Recipients, questions};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;

/// A case of a stolen account, in memory.
struct Told {
    book: Mutex<Book>,
    recorded: Mutex<Vec<String>>,
}

const NOW: i64 = 1_767_744_000;

fn none<T>() -> Result<T, Trouble> {
    Err(Trouble::Refused(["this board has notices only"; 2].map(str::to_owned)))
}

impl Board for Told {
    fn queue(&self) -> Arc<QueueView> {
        Arc::new(QueueView::default())
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(NOW)
    }

    fn look(&self, seen: &mut dyn FnMut(&Book)) -> Result<(), Trouble> {
        seen(&self.book.lock().unwrap());
        Ok(())
    }

    fn act(&self, by: &str, case: CaseNumber, wish: Wish, seen: usize) -> Result<(), Trouble> {
        let Wish::Do(deed) = wish else { return Ok(()) };
        let mut book = self.book.lock().unwrap();
        let acts = book.propose(self.now(), by, case, deed, Some(seen)).map_err(|refusal| {
            Trouble::Refused([Language::English, Language::Bokmaal].map(|of| refusal.in_words(of)))
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
        Ok(ScopeView::default())
    }

    fn scope_by(&self, _: CaseNumber) -> Result<(ScopeView, Counted), Trouble> {
        none()
    }

    fn notices(&self) -> Option<&dyn Notices> {
        Some(self)
    }

    fn record(&self, who: &Visitor, what: &str, _: &str, _: &[String]) -> Result<(), Trouble> {
        self.recorded.lock().unwrap().push(format!("{} {what}", who.name));
        Ok(())
    }

    fn trail(&self, _: CaseNumber) -> Result<TrailView, Trouble> {
        none()
    }

    fn clocks(&self, _: CaseNumber) -> Vec<ClockView> {
        Vec::new()
    }

    fn house(&self, seen: &mut dyn FnMut(&House)) -> Result<(), Trouble> {
        seen(&House::default());
        Ok(())
    }

    fn settle(&self, _: &Visitor, _: HouseDeed) -> Result<(), Trouble> {
        none()
    }

    fn agreed(&self) -> Result<Option<Agreement>, Trouble> {
        Ok(Some(crate::tests::signed()))
    }

    fn regimes(&self) -> Vec<RegimeLine> {
        Vec::new()
    }

    fn coverage(&self) -> Result<CoverageView, Trouble> {
        none()
    }

    fn proof(&self) -> Result<ProofView, Trouble> {
        none()
    }

    fn drill(&self) -> Result<Option<DrillView>, Trouble> {
        none()
    }

    fn patient(&self, _: &str, _: &Granted) -> Result<PatientView, Trouble> {
        none()
    }

    fn person(&self, _: &str, _: &Granted) -> Result<PersonView, Trouble> {
        none()
    }

    fn hunt(&self, _: &str, _: &Granted) -> Result<HuntView, Trouble> {
        none()
    }

    fn reveal(&self, _: &Granted) -> Result<Vec<Revealed>, Trouble> {
        none()
    }

    fn held_about(&self, _: &Visitor) -> Result<HeldAbout, Trouble> {
        Ok(HeldAbout::default())
    }
}

impl Notices for Told {
    fn breach(
        &self,
        number: CaseNumber,
        _: &Visitor,
        language: Language,
    ) -> Result<BreachView, Trouble> {
        let book = self.book.lock().unwrap();
        let case = book.case(number).unwrap();
        let [english, bokmaal] = ["Records were opened <b>", "Journaler ble åpnet <b>"];
        let [what, again] = pick(language, [english, bokmaal], [bokmaal, english]);
        let mut record = Breach {
            id: format!("C-{number}"),
            title: "T".to_owned(),
            time_zone: "Europe/Oslo".to_owned(),
            what_happened: Some(what.to_owned()),
            main_cause: Some("A stolen account".to_owned()),
            kinds: vec!["confidentiality".to_owned()],
            discovered_at: Some(Instant::from_micros(self.now().micros())),
            from: Some(Instant::from_micros(self.now().micros())),
            until: Some(Instant::from_micros(self.now().micros())),
            record_categories: vec!["notes".to_owned()],
            measures_taken: Some("The account was closed".to_owned()),
            contacts: vec![Contact {
                role: "DPO".to_owned(),
                name: "Kari".to_owned(),
                reach: "dpo@north.example".to_owned(),
            }],
            controllers: vec![Organisation {
                name: "Hospital North".to_owned(),
                number: None,
                persons: None,
            }],
            persons: Some(Count { lower: 40, best: 41, upper: None }),
            recipients: Some(Recipients {
                by_letter: 30,
                dead: 2,
                moved: 3,
                minors: 4,
                minors_below: Some(16),
                protected_address: 2,
            }),
            ..Breach::default()
        };
        for (event, held) in &case.file.declared {
            let at = Instant::from_micros(held.since.micros());
            let (by, why) = (held.by.clone(), held.why.clone());
            record.declared.insert(event.clone(), Declared { at, by, why });
        }
        for question in questions() {
            if let Some(answer) = case.file.answers.get(question.path) {
                let at = Instant::from_micros(answer.at.micros());
                record.answer(question.path, &answer.text, &answer.by, at).unwrap();
                if answer.language.as_deref() != Some(code(language)) && question.choices.is_empty()
                {
                    record.in_other_language.push(question.path.to_owned());
                }
            }
        }
        let regimes = ["no-datatilsynet", "gdpr-33", "gdpr-34"].map(str::to_owned).to_vec();
        let other = Breach { what_happened: Some(again.to_owned()), ..record.clone() };
        Ok(BreachView { record, other, regimes })
    }

    fn release_list(
        &self,
        case: CaseNumber,
        who: &Visitor,
        seen: usize,
    ) -> Result<(String, String), Trouble> {
        let act = self.book.lock().unwrap().case(case).unwrap().file.list_waiting().unwrap().act;
        let deed = Deed::ListReleased { act, sha256: "a".repeat(64) };
        self.act(&who.name, case, Wish::Do(deed), seen)?;
        Ok(("case-1-list.bavnlist".to_owned(), "key-shown-once".to_owned()))
    }
}

fn board() -> Arc<Told> {
    let at = Timestamp::from_secs(NOW);
    let set = |name: &str| -> BTreeSet<String> { std::iter::once(name.to_owned()).collect() };
    let alarm = Alarm {
        uid: "abc".to_owned(),
        detector: "burst".to_owned(),
        detectors: set("burst"),
        raised_at: at,
        first_seen: at,
        last_seen: at,
        risk: 97.0,
        rank: 9.0,
        expected_false: 0.01,
        patients: 41,
        marks: BTreeSet::new(),
        identities: set("hcw-7"),
        also: BTreeSet::new(),
        units: set("ward"),
        hosts: set("pc-1"),
        clients: set("ehr"),
        shared: BTreeSet::new(),
        english: Said::default(),
        bokmaal: Said::default(),
    };
    let mut book = Book::new("north");
    for act in book.receive(alarm, at, &Duty::default()) {
        book.push(act);
    }
    let verdict = Verdict::Compromise;
    let decided = Deed::Decided { verdict, reason: "nobody was at work".to_owned() };
    for act in book.propose(at, "kari", CaseNumber(1), decided, None).unwrap() {
        book.push(act);
    }
    Arc::new(Told { book: Mutex::new(book), recorded: Mutex::default() })
}

/// Somebody logged in.
struct Person {
    router: axum::Router,
    cookie: String,
}

impl Person {
    fn new(board: &Arc<Told>, name: &str, role: Role) -> Self {
        let mut next = u64::from(name.as_bytes()[0]);
        let chance = Box::new(move |bytes: &mut [u8]| {
            next += 1;
            bytes[..8].copy_from_slice(&next.to_be_bytes());
            true
        });
        let doors = Doors::new(chance, None);
        let link = doors.link(name, role).unwrap();
        let router = crate::router(Arc::clone(board) as Arc<dyn Board>, Arc::new(doors));
        let mut person = Self { router, cookie: String::new() };
        let (_, _, cookie) = person.ask("GET", &link, "");
        person.cookie = cookie;
        person
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (StatusCode, String, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", &self.cookie)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let status = answer.status();
            let cookie = answer.headers().get("set-cookie");
            let cookie = cookie.map_or_else(String::new, |cookie| {
                cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
            });
            let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            (status, String::from_utf8_lossy(&bytes).into_owned(), cookie)
        })
    }

    fn get(&self, path: &str) -> String {
        let (status, text, _) = self.ask("GET", path, "");
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    fn post(&self, deed: &str, fields: &str) -> (StatusCode, String) {
        // Any page bears the token of the session, a refusal too.
        let (_, page, _) = self.ask("GET", "/me", "");
        let token = page.split("name=\"token\" value=\"").nth(1).unwrap().get(..64).unwrap();
        let body = format!("token={token}&seen=99&{fields}");
        let (status, text, _) = self.ask("POST", &format!("/case/1/{deed}"), &body);
        (status, text)
    }
}

const PAGES: [&str; 5] = [
    "/case/1/notice",
    "/case/1/notice/gdpr-33",
    "/case/1/notice/gdpr-34",
    "/case/1/notice/gdpr-34/paper",
    "/case/1/recipients",
];
const DEEDS: [(&str, &str); 6] = [
    ("declare", "event=aware&why=sure"),
    ("answers", "q.risk.level=high&q.risk.why=health+data"),
    ("prepare", ""),
    ("sign", ""),
    ("want-list", "why=letters"),
    ("release-list", ""),
];

#[test]
fn officer_and_lead_see_and_act_and_nobody_else() {
    for role in Role::ALL {
        let may = matches!(role, Role::PrivacyOfficer | Role::IncidentLead);
        let board = board();
        let person = Person::new(&board, "ola", role);
        for path in PAGES {
            for twin in ["", ".json", ".csv"] {
                let (status, ..) = person.ask("GET", &format!("{path}{twin}"), "");
                let wanted = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
                assert_eq!(status, wanted, "{role:?} {path}{twin}");
            }
        }
        if !may {
            for (deed, fields) in DEEDS {
                assert_eq!(person.post(deed, fields).0, StatusCode::FORBIDDEN, "{role:?} {deed}");
            }
            let book = board.book.lock().unwrap();
            assert!(book.case(CaseNumber(1)).unwrap().file.declared.is_empty());
        }
    }
}

#[test]
fn two_persons_tell_and_the_second_signs() {
    let board = board();
    let kari = Person::new(&board, "kari", Role::PrivacyOfficer);
    let ola = Person::new(&board, "ola", Role::IncidentLead);
    let page = kari.get("/case/1/notice?lang=nb");
    for wanted in
        ["Erklær kjennskap", "Sannsynlige konsekvenser", "høy risiko", "Det loggene ikke sier"]
    {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert!(page.contains("&lt;b&gt;") || !page.contains("<b>"), "everything is escaped");
    let wrong = kari.post("declare", "event=aware&why=sure&since=yesterday");
    assert_eq!(wrong.0, StatusCode::CONFLICT);
    for (deed, fields) in DEEDS.get(..3).unwrap() {
        assert_eq!(kari.post(deed, fields).0, StatusCode::SEE_OTHER, "{deed}");
    }
    assert_eq!(kari.post("answers", "q.risk.level=enormous").0, StatusCode::CONFLICT);
    let made_ready = || -> Vec<usize> {
        let book = board.book.lock().unwrap();
        let file = &book.case(CaseNumber(1)).unwrap().file;
        file.notices.iter().map(|held| held.act).collect()
    };
    assert_eq!(made_ready().len(), 2, "no letter without advice");
    let page = kari.get("/case/1/notice");
    assert!(page.contains("cannot be made ready") && page.contains("Advice; "), "{page}");
    let said = "q.advice=Ask+us&q.likely_consequences=Talk&q.measures_planned=We+look";
    assert_eq!(kari.post("answers?lang=en", said).0, StatusCode::SEE_OTHER);
    // What is said in one language is missing in a letter of the other.
    let bokmaal = kari.get("/case/1/notice?lang=nb");
    assert!(bokmaal.contains("! skrevet på engelsk"), "{bokmaal}");
    assert!(!kari.get("/case/1/notice").contains("written in English"));
    assert_eq!(kari.post("prepare?lang=nb", "").0, StatusCode::SEE_OTHER);
    assert_eq!(made_ready().len(), 4, "the letter is in no language");
    assert_eq!(kari.post("prepare", "").0, StatusCode::SEE_OTHER);
    let acts = made_ready().split_off(4);
    assert_eq!(acts.len(), 3, "two for the authority, a letter");
    let fields: Vec<String> = acts.iter().map(|act| format!("act.{act}=1")).collect();
    let fields = fields.join("&");
    let first = ola.get("/");
    assert!(first.contains("wait for a second person") && !first.contains("Nothing needs you"));
    let own = kari.post("sign", &fields);
    assert!(own.0 == StatusCode::CONFLICT && own.1.contains("second person"), "{}", own.1);
    assert_eq!(ola.post("sign", &fields).0, StatusCode::SEE_OTHER);
    let page = ola.get("/case/1/notice");
    assert!(page.contains("signed and sent by ola") && page.contains("(Initial)"), "{page}");
    let history = ola.get("/case/1");
    assert!(history.contains("signed and sent: Notice to the supervisory authority"), "{history}");
    // In whatever language it is read: nothing has changed since, and then one field has.
    for language in ["en", "nb"] {
        assert!(!ola.get(&format!("/case/1/notice/gdpr-33?lang={language}")).contains('△'));
    }
    assert_eq!(kari.post("answers", "q.likely_consequences=none").0, StatusCode::SEE_OTHER);
    for language in ["en", "nb"] {
        let again = ola.get(&format!("/case/1/notice/gdpr-33?lang={language}"));
        assert_eq!(again.matches('△').count(), 1, "{again}");
    }
    assert!(ola.get("/case/1/notice/gdpr-33.json").contains("follow-up"));
    assert!(ola.get("/").contains("Breaches to tell"));
    let recorded = board.recorded.lock().unwrap().join("\n");
    assert!(recorded.contains("ola signs notice gdpr-33 initial"), "{recorded}");
}

#[test]
fn a_list_is_asked_for_by_one_and_let_go_by_another() {
    let board = board();
    let kari = Person::new(&board, "kari", Role::PrivacyOfficer);
    let ola = Person::new(&board, "ola", Role::IncidentLead);
    assert_eq!(kari.post("want-list", "why=").0, StatusCode::CONFLICT);
    assert_eq!(kari.post("want-list", "why=letters").0, StatusCode::SEE_OTHER);
    assert_eq!(kari.post("release-list", "").0, StatusCode::CONFLICT);
    assert!(!kari.get("/case/1/recipients").contains("/case/1/release-list"));
    let released = ola.post("release-list", "");
    assert!(released.0 == StatusCode::OK && released.1.contains("key-shown-once"));
    let page = ola.get("/case/1/recipients?lang=nb");
    assert!(!page.contains("key-shown-once") && page.contains("Sperret adresse"));
    let counts = ola.get("/case/1/recipients.csv");
    assert_eq!(counts.lines().count(), 6, "{counts}");
}

#[test]
fn what_is_not_there_is_missing_and_pages_stay_light() {
    let board = board();
    let kari = Person::new(&board, "kari", Role::PrivacyOfficer);
    for path in ["/case/9/notice", "/case/1/notice/nis9", "/case/x/recipients"] {
        assert_eq!(kari.ask("GET", path, "").0, StatusCode::NOT_FOUND, "{path}");
    }
    for path in PAGES {
        let page = kari.get(path);
        assert!(page.len() < 60_000, "{path} weighs {} bytes", page.len());
        assert!(!page.contains("opened <b>"), "{path} does not escape");
    }
    assert!(kari.get("/case/1/notice/gdpr-34/paper").starts_with("%PDF"));
}
