//! What a PDF is: tagged, of one language, the same every time, whole whatever stands in it.

use bavn_share::{
    Assessed, Breach, Document, Entry, Instant, Language, Notice, Part, Table, assessment_document,
    notice_document, pdf, shipped,
};

fn document(parts: Vec<Part>) -> Document {
    Document { title: "Æ title".to_owned(), language: Language::Nb, parts, foot: "F".to_owned() }
}

fn has(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

fn pages(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    text.matches("/Type/Page").count() + text.matches("/Type /Page").count()
        - text.matches("/Type/Pages").count()
        - text.matches("/Type /Pages").count()
}

#[test]
fn every_notice_has_a_tagged_pdf_in_its_language() {
    let breach = Breach::parse(include_bytes!("../data/full/breach.json")).unwrap();
    let now = Instant::parse("2026-03-05T08:00:00+01:00").unwrap();
    for regime in shipped().unwrap() {
        for (language, code) in [(Language::Nb, "nb"), (Language::En, "en")] {
            let phase = &regime.phases.first().unwrap().id;
            let notice = Notice::fill(&breach, &regime, phase, language, None, now).unwrap();
            let bytes = pdf(&notice_document(&notice)).unwrap();
            assert_eq!(bytes, pdf(&notice_document(&notice)).unwrap(), "{}", regime.id);
            assert!(bytes.starts_with(b"%PDF-1.7"));
            assert!(bytes.len() < 60_000, "{} weighs {} bytes", regime.id, bytes.len());
            let language = format!("/Lang({code})");
            for wanted in ["/StructTreeRoot", "/Marked true", "/DisplayDocTitle true", &language] {
                assert!(has(&bytes, wanted), "{}: {wanted}", regime.id);
            }
        }
    }
    let assessed = Assessed::default();
    assert!(pdf(&assessment_document(&assessed, Language::En)).is_ok());
}

#[test]
fn a_letter_goes_out_without_what_only_its_sender_needs() {
    let breach = Breach::parse(include_bytes!("../data/full/breach.json")).unwrap();
    let now = Instant::parse("2026-03-05T08:00:00+01:00").unwrap();
    let regime = shipped().unwrap().into_iter().find(|regime| regime.id == "gdpr-34").unwrap();
    let notice = Notice::fill(&breach, &regime, "initial", Language::En, None, now).unwrap();
    let parts = notice_document(&notice).parts;
    let end = parts.iter().position(|part| *part == Part::NewPage).unwrap();
    let letter = format!("{:?}", parts.get(..end).unwrap());
    for wanted in ["What happened?", "What can you do yourself?"] {
        assert!(letter.contains(wanted), "{wanted}");
    }
    for unwanted in ["Draft", "lawyer", "checklist", "protected", "SHA-256", "Missing"] {
        assert!(!letter.contains(unwanted), "{unwanted}");
    }
}

#[test]
fn long_tables_long_words_and_strange_letters_are_set() {
    let row = |at: usize| vec![at.to_string(), "x".repeat(at % 300), String::new()];
    let columns = vec![("No".to_owned(), 1), ("Word".to_owned(), 4), ("Empty".to_owned(), 1)];
    let tall = vec!["tall".to_owned(), "word ".repeat(9_000), "–".to_owned()];
    let rows = (0..400).map(row).chain([tall]).collect();
    let strange = "Čoahkkin Łódź ǥ ʒ ₿ 漢字 العربية \u{feff}\u{0}\u{7f}\t\r\n\u{fffe} 🏥 e\u{301}";
    let entry = |value: &str| Entry {
        label: strange.to_owned(),
        value: value.to_owned(),
        is_gap: false,
        notes: vec![strange.to_owned(), String::new()],
    };
    let bytes = pdf(&document(vec![
        Part::Heading(strange.to_owned()),
        Part::Heading(String::new()),
        Part::Paragraph(strange.repeat(200)),
        Part::Warning("w".repeat(5_000)),
        Part::List(vec![strange.to_owned(), String::new(), "y ".repeat(3_000)]),
        Part::Entries(vec![entry(strange), entry(""), entry(&"z\n".repeat(200))]),
        Part::Table(Table { columns: columns.clone(), rows }),
        Part::Table(Table { columns, rows: Vec::new() }),
        Part::NewPage,
        Part::NewPage,
        Part::Small(String::new()),
    ]))
    .unwrap();
    assert!((20..100).contains(&pages(&bytes)), "{} pages", pages(&bytes));
}

#[test]
fn a_document_of_nothing_is_a_page() {
    let bytes = pdf(&document(Vec::new())).unwrap();
    assert_eq!(pages(&bytes), 1);
}
