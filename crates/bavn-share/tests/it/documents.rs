//! What a document says, and what it refuses to say.

use bavn_share::{
    Assessed, Breach, Instant, Language, Notice, ReaderMessage, Regime, assessment_html,
    assessment_markdown, clocks, incident_finding, notice_html, notice_text, shipped,
};
use serde_json::Value;

const FULL: &str = include_str!("../data/full/breach.json");

fn full() -> Breach {
    Breach::parse(FULL.as_bytes()).unwrap()
}

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn now() -> Instant {
    at("2026-03-05T08:00:00+01:00")
}

fn regime(id: &str) -> Regime {
    shipped().unwrap().into_iter().find(|regime| regime.id == id).unwrap()
}

#[test]
fn every_field_of_every_regime_speaks_for_a_full_record() {
    for regime in shipped().unwrap() {
        for phase in &regime.phases {
            for language in [Language::Nb, Language::En] {
                let notice =
                    Notice::fill(&full(), &regime, &phase.id, language, None, now()).unwrap();
                let silent: Vec<&str> = notice
                    .fields
                    .iter()
                    .filter(|field| field.value.is_none() && field.key != "delay")
                    .map(|field| field.key.as_str())
                    .collect();
                assert_eq!(silent, Vec::<&str>::new(), "{} {}", regime.id, phase.id);
                let text = notice_text(&notice);
                assert!(!text.contains("[missing") && !text.contains("[mangler"), "{text}");
            }
        }
    }
}

#[test]
fn a_missing_field_is_named_and_a_letter_shows_its_hole() {
    let mut breach = full();
    breach.advice = None;
    let letter =
        Notice::fill(&breach, &regime("gdpr-34"), "initial", Language::Nb, None, now()).unwrap();
    assert_eq!(letter.missing, ["Råd"]);
    assert!(notice_text(&letter).contains("[mangler: Hva en person kan gjøre selv]"));
    assert_eq!(letter.filled_percent(), 85);
    assert_eq!(letter.letter_head[1..], ["5. mars 2026"], "{:?}", letter.letter_head);
    breach.in_other_language = vec!["what_happened".to_owned()];
    let letter =
        Notice::fill(&breach, &regime("gdpr-34"), "initial", Language::Nb, None, now()).unwrap();
    assert_eq!(letter.missing, ["Bruddets art (skrevet på engelsk)", "Råd"]);
}

#[test]
fn a_follow_up_marks_what_changed_and_only_that() {
    let mut later = full();
    later.main_cause = Some("Another cause".to_owned());
    later.delay_reason = Some("The count took time".to_owned());
    let regime = regime("gdpr-33");
    let notice =
        Notice::fill(&later, &regime, "follow-up", Language::En, Some(&full()), now()).unwrap();
    let changed: Vec<_> = notice.fields.iter().filter(|field| field.was.is_some()).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].key.as_str(), &changed[0].was), ("delay", &Some(None)));
    later.id = "C-18".to_owned();
    assert!(
        Notice::fill(&later, &regime, "follow-up", Language::En, Some(&full()), now()).is_err()
    );
}

#[test]
fn clocks_run_from_their_own_events_and_say_when_they_are_over() {
    let due = clocks(&full(), &shipped().unwrap(), at("2026-03-10T08:00:00+01:00"));
    let of = |regime: &str, phase: &str| {
        due.iter().find(|due| due.regime == regime && due.phase == phase).unwrap()
    };
    let now = at("2026-03-10T08:00:00+01:00");
    assert!(!of("gdpr-33", "initial").is_overdue(now), "it was sent in time");
    assert!(of("no-datatilsynet", "initial").is_overdue(now));
    assert_eq!(of("no-24h", "early").by, Some(at("2026-03-04T15:00:00+01:00")));
    // A calendar month, over the change to summer time.
    assert_eq!(of("nis2", "final").by, Some(at("2026-04-05T12:00:00+02:00")));
    assert_eq!(of("gdpr-34", "initial").by, None);
    let mut breach = full();
    breach.declared.clear();
    assert!(clocks(&breach, &shipped().unwrap(), now).iter().all(|due| due.by.is_none()));
}

#[test]
fn a_regime_past_its_review_says_so() {
    let fill = |now| {
        let notice =
            Notice::fill(&full(), &regime("gdpr-33"), "initial", Language::En, None, now).unwrap();
        notice.banners.iter().any(|banner| banner.contains("should have been reviewed"))
    };
    assert!(!fill(at("2027-05-23T12:00:00+02:00")));
    assert!(fill(at("2027-05-24T12:00:00+02:00")));
}

#[test]
fn markup_in_a_record_stays_text() {
    let mut breach = full();
    breach.what_happened = Some("<script>alert(1)</script>".to_owned());
    breach.title = "<img src=x>".to_owned();
    let notice =
        Notice::fill(&breach, &regime("gdpr-34"), "initial", Language::En, None, now()).unwrap();
    let page = notice_html(&notice);
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    let assessed = Assessed { controller: Some("<b>x".to_owned()), ..Assessed::default() };
    assert!(!assessment_markdown(&assessed, Language::En).contains("<b>"));
    assert!(!assessment_html(&assessed, Language::En).contains("<b>"));
}

#[test]
fn bad_records_are_refused_without_quoting_them() {
    let broken = |from: &str, to: &str| {
        assert!(FULL.contains(from), "{from}");
        Breach::parse(FULL.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    assert!(broken("\"lower\": 4102", "\"lower\": 9999").contains("bounds of `persons`"));
    assert!(broken("Europe/Oslo", "Mars/Base").contains("time_zone"));
    assert!(broken("\"until\": \"2026", "\"until\": \"2020").contains("before `from`"));
    assert!(broken("confidentiality", "secrecy").contains("kinds"));
    let unknown = broken("\"main_cause\"", "\"Ola Nordmann\"");
    assert!(unknown.contains("unknown") && !unknown.contains("Ola"), "{unknown}");
    let long = vec![b' '; bavn_share::RECORD_BYTES_MAX + 1];
    assert!(Breach::parse(&long).unwrap_err().to_string().contains("limit"));
}

#[test]
fn a_record_survives_being_written_and_the_schema_knows_its_keys() {
    let written = serde_json::to_vec(&full()).unwrap();
    assert_eq!(Breach::parse(&written).unwrap(), full());
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/schema/breach.schema.json")).unwrap();
    let known: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let record: Value = serde_json::from_slice(&written).unwrap();
    let keys: Vec<&String> = record.as_object().unwrap().keys().collect();
    assert_eq!(known, keys);
}

#[test]
fn an_incident_finding_names_no_contact() {
    let finding = incident_finding(&full(), &["F-1".to_owned()], now());
    assert_eq!(
        (finding["class_uid"].as_u64(), finding["type_uid"].as_u64()),
        (Some(2_005), Some(200_502))
    );
    assert_eq!(finding["finding_info_list"][0]["uid"], "F-1");
    assert!(!finding.to_string().contains("Kari"));
}

const MESSAGE: &str = r#"{"reader": "Ada", "opened_at": "2026-03-03T10:00:00+01:00",
    "time_zone": "Europe/Oslo", "record_hint": null, "sender": "The privacy officer",
    "answer_to": "privacy@sykehus.example", "stolen_account_ruled_out_by": "Officer 2"}"#;

#[test]
fn a_reader_is_asked_gently_and_never_before_a_thief_is_ruled_out() {
    let message = ReaderMessage::parse(MESSAGE.as_bytes()).unwrap();
    let text = message.text(Language::En);
    for said in ["2026-03-03 10:00", "voluntary", "no sign of guilt", "Nothing follows by itself"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(message.text(Language::Nb).contains("frivillig"));
    let not_yet = MESSAGE.replace("Officer 2", " ");
    assert!(ReaderMessage::parse(not_yet.as_bytes()).unwrap_err().to_string().contains("thief"));
}

#[test]
fn an_assessment_says_what_is_missing() {
    let nothing = assessment_markdown(&Assessed::default(), Language::En);
    assert_eq!(nothing.matches("MISSING").count(), 12);
    let assessed = Assessed { retention: Some("13 months".to_owned()), ..Assessed::default() };
    assert_eq!(assessment_markdown(&assessed, Language::En).matches("MISSING").count(), 11);
}
