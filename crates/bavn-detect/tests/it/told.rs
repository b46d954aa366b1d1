//! What is said and signed of a case: clocks are not set later, two persons sign, no thief is warned.

use bavn_detect::cases::{
    Alarm, Book, CaseNumber, Deed, Duty, ENDED, Refusal, Said, deed_in_words, json_of,
};
use bavn_detect::house::{House, agreement};
use bavn_detect::words::Language;
use bavn_model::Timestamp;
use std::collections::BTreeSet;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_secs(1_767_744_000 + hour * 3_600)
}

fn set(name: &str) -> BTreeSet<String> {
    std::iter::once(name.to_owned()).collect()
}

fn raise(book: &mut Book, uid: &str, reader: &str) {
    let alarm = Alarm {
        uid: uid.to_owned(),
        detector: "burst".to_owned(),
        detectors: set("burst"),
        raised_at: at(0),
        first_seen: at(0),
        last_seen: at(0),
        risk: 90.0,
        rank: 5.0,
        expected_false: 0.1,
        patients: 4,
        marks: BTreeSet::new(),
        identities: set(reader),
        also: BTreeSet::new(),
        units: set("ward 4"),
        hosts: set("pc-1"),
        clients: set("ehr"),
        shared: BTreeSet::new(),
        english: Said::default(),
        bokmaal: Said::default(),
    };
    for act in book.receive(alarm, at(0), &Duty::default()) {
        book.push(act);
    }
}

fn book() -> Book {
    let mut book = Book::new("north");
    raise(&mut book, "a", "u1");
    raise(&mut book, "b", "u2");
    book
}

fn act(book: &mut Book, hour: i64, by: &str, case: u32, deed: Deed) -> Result<(), Refusal> {
    for act in book.propose(at(hour), by, CaseNumber(case), deed, None)? {
        book.push(act);
    }
    Ok(())
}

fn aware(since: Timestamp) -> Deed {
    Deed::Declared { event: "aware".to_owned(), since, why: "sure now".to_owned() }
}

fn since(book: &Book, case: u32) -> Option<Timestamp> {
    Some(book.case(CaseNumber(case))?.file.declared.get("aware")?.since)
}

fn prepared(record: &str) -> Deed {
    Deed::Prepared {
        regime: "gdpr-33".to_owned(),
        phase: "initial".to_owned(),
        record: record.to_owned(),
        sha256: "0".repeat(64),
    }
}

#[test]
fn a_clock_is_set_earlier_never_later_and_every_try_is_seen() {
    let mut book = book();
    act(&mut book, 5, "kari", 1, aware(at(4))).unwrap();
    let later = act(&mut book, 6, "ola", 1, aware(at(5))).unwrap_err();
    assert_eq!(
        later,
        Refusal::ClockRuns { event: "aware".to_owned(), by: "kari".to_owned(), since: at(4) }
    );
    assert!(act(&mut book, 6, "ola", 1, aware(at(4))).is_err());
    act(&mut book, 6, "ola", 1, aware(at(2))).unwrap();
    assert_eq!(since(&book, 1), Some(at(2)));
    assert_eq!(act(&mut book, 6, "ola", 2, aware(at(7))), Err(Refusal::Future));
    // Merging wins no time, from whichever side.
    act(&mut book, 6, "ola", 2, aware(at(1))).unwrap();
    act(&mut book, 7, "ola", 2, Deed::Merged { into: CaseNumber(1) }).unwrap();
    assert_eq!(since(&book, 1), Some(at(1)));
    // An undo within minutes is an act of its own, and is shown.
    let mut book = self::book();
    act(&mut book, 5, "kari", 1, aware(at(4))).unwrap();
    for act in book.propose_undo(at(5), "kari", CaseNumber(1)).unwrap() {
        book.push(act);
    }
    assert_eq!(since(&book, 1), None);
    let all = book.acts().iter().map(|act| deed_in_words(act, Language::English));
    assert!(all.collect::<Vec<_>>().join("\n").contains("declared aware since"));
}

#[test]
fn when_it_ended_can_be_said_anew_and_merging_leaves_no_look_up_out() {
    let ended = |hour| Deed::Declared {
        event: ENDED.to_owned(),
        since: at(hour),
        why: "the account was closed".to_owned(),
    };
    let until = |book: &Book, case| Some(book.case(CaseNumber(case)).unwrap().file.ended()?.since);
    let mut book = book();
    let before = act(&mut book, 9, "kari", 1, ended(-1));
    assert_eq!(before, Err(Refusal::EndedBefore { first: at(0) }));
    assert_eq!(act(&mut book, 9, "kari", 1, ended(10)), Err(Refusal::Future));
    for hour in [3, 5, 4] {
        act(&mut book, 9, "kari", 1, ended(hour)).unwrap();
        assert_eq!(until(&book, 1), Some(at(hour)));
    }
    act(&mut book, 9, "ola", 2, ended(6)).unwrap();
    act(&mut book, 9, "ola", 2, Deed::Merged { into: CaseNumber(1) }).unwrap();
    assert_eq!(until(&book, 1), Some(at(6)), "the later of both");
    let mut book = self::book();
    act(&mut book, 9, "kari", 1, ended(3)).unwrap();
    act(&mut book, 9, "ola", 2, Deed::Merged { into: CaseNumber(1) }).unwrap();
    assert_eq!(until(&book, 1), None, "one of both goes on");
}

#[test]
fn a_notice_is_signed_once_by_another_as_it_was_last_made_ready() {
    let mut book = book();
    act(&mut book, 1, "kari", 1, prepared("{}")).unwrap();
    let first = book.acts().len() - 1;
    assert_eq!(
        act(&mut book, 1, "kari", 1, Deed::Signed { act: first }),
        Err(Refusal::SecondPerson)
    );
    act(&mut book, 2, "kari", 1, prepared("{\"changed\":1}")).unwrap();
    let second = book.acts().len() - 1;
    let signed = |act| Deed::Signed { act };
    assert_eq!(act(&mut book, 2, "ola", 1, signed(first)), Err(Refusal::NothingToSign), "older");
    assert_eq!(act(&mut book, 2, "ola", 1, signed(99)), Err(Refusal::NothingToSign));
    act(&mut book, 3, "ola", 1, signed(second)).unwrap();
    assert_eq!(act(&mut book, 3, "ola", 1, signed(second)), Err(Refusal::NothingToSign), "twice");
    let file = &book.case(CaseNumber(1)).unwrap().file;
    let sent = file.last_signed("gdpr-33").unwrap();
    assert_eq!((sent.act, sent.signed.clone()), (second, Some(("ola".to_owned(), at(3)))));
    assert_eq!(sent.record, "{\"changed\":1}");
    assert!(file.waiting("gdpr-33", "initial").is_none());
    assert!(book.propose_undo(at(3), "ola", CaseNumber(1)).is_err(), "it is out of the house");
    let big = prepared(&"x".repeat((1 << 20) + 1));
    assert!(matches!(act(&mut book, 4, "ola", 1, big), Err(Refusal::TooLong { .. })));
    let case = book.case(CaseNumber(1)).unwrap();
    assert!(!json_of(&book, case, true).to_string().contains("changed\\\""));
}

#[test]
fn a_list_leaves_by_two_and_a_reader_is_asked_after_a_thief_is_ruled_out() {
    let mut book = book();
    let asked = || Deed::Asked { reader: "u1".to_owned(), sha256: "a".repeat(64) };
    let replied = || Deed::Replied { reader: "u1".to_owned(), text: "on duty".to_owned() };
    assert_eq!(act(&mut book, 1, "kari", 1, asked()), Err(Refusal::ThiefNotRuledOut));
    act(&mut book, 1, "kari", 1, Deed::RuledOut { why: "spoke with her".to_owned() }).unwrap();
    assert_eq!(act(&mut book, 1, "kari", 1, replied()), Err(Refusal::NotAsked));
    act(&mut book, 1, "kari", 1, asked()).unwrap();
    act(&mut book, 2, "kari", 1, replied()).unwrap();
    assert_eq!(book.case(CaseNumber(1)).unwrap().file.replies.len(), 1);

    let released = |act| Deed::ListReleased { act, sha256: "b".repeat(64) };
    assert_eq!(act(&mut book, 3, "ola", 1, released(0)), Err(Refusal::NothingToSign));
    act(&mut book, 3, "kari", 1, Deed::ListWanted { why: "letters".to_owned() }).unwrap();
    let wanted = book.acts().len() - 1;
    assert_eq!(act(&mut book, 3, "kari", 1, released(wanted)), Err(Refusal::SecondPerson));
    act(&mut book, 3, "ola", 1, released(wanted)).unwrap();
    assert!(book.case(CaseNumber(1)).unwrap().file.list_waiting().is_none());
}

#[test]
fn the_employees_side_agrees_and_may_change_its_mind() {
    let mut book = book();
    let house = House::default();
    assert_eq!(agreement(&book, &house), None);
    let agreed = Deed::SignedOff {
        by: "Tillitsvalgt".to_owned(),
        on: "2026-01-05".to_owned(),
        sha256: "c".repeat(64),
    };
    let wrong = Deed::SignedOff { by: "T".to_owned(), on: "x".to_owned(), sha256: "c".to_owned() };
    assert_eq!(book.propose_sign_off(at(1), "kari", wrong, None), Err(Refusal::NotADigest));
    let someday =
        Deed::SignedOff { by: "T".to_owned(), on: "2030-01-01".to_owned(), sha256: "c".repeat(64) };
    assert_eq!(book.propose_sign_off(at(1), "kari", someday, None), Err(Refusal::NotADay));
    let reader = book.case(CaseNumber(1)).unwrap().identities().into_iter().next().unwrap();
    let own = Deed::SignedOff {
        by: reader.to_owned(),
        on: "2026-01-05".to_owned(),
        sha256: "c".repeat(64),
    };
    assert_eq!(book.propose_sign_off(at(1), "kari", own, None), Err(Refusal::OwnCaseOpen));
    let withdrawn = || Deed::SignOffWithdrawn { why: "it changed".to_owned() };
    assert!(
        book.propose_sign_off(at(1), "kari", withdrawn(), None).is_err(),
        "nothing to withdraw"
    );
    assert!(act(&mut book, 1, "kari", 1, agreed.clone()).is_err(), "it is of no case");
    let next = book.next_number();
    for act in book.propose_sign_off(at(1), "kari", agreed, None).unwrap() {
        book.push(act);
    }
    let held = agreement(&book, &house);
    assert_eq!(held.as_ref().map(|held| held.by.as_str()), Some("Tillitsvalgt"));
    assert_eq!(book.next_number(), next, "it makes no case");
    for act in book.propose_sign_off(at(2), "ola", withdrawn(), held.as_ref()).unwrap() {
        book.push(act);
    }
    assert_eq!(agreement(&book, &house), None);
}
