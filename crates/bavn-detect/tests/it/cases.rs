//! Cases: what joins, who is called, what may be done, and that the list of acts is all there is.

use bavn_detect::cases::{
    Act, Alarm, Book, CaseNumber, Deed, Desk, Duty, Hand, InnocentCause, Person, Refusal, Said,
    Shared, Side, State, Verdict, Waiver, Work, Zone,
};
use bavn_model::Timestamp;
use std::collections::BTreeSet;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap().0
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn alarm(uid: &str, detector: &str, identity: &str, seen: Timestamp) -> Alarm {
    let mark = uid.bytes().fold(7_u64, |hash, byte| hash * 31 + u64::from(byte));
    Alarm {
        uid: uid.to_owned(),
        detector: detector.to_owned(),
        detectors: set(&[detector]),
        raised_at: seen,
        first_seen: seen,
        last_seen: seen,
        risk: 90.0,
        rank: 5.0,
        expected_false: 0.1,
        patients: 4,
        marks: (0..4).map(|n| mark * 1_000 + n).collect(),
        identities: set(&[identity]),
        also: BTreeSet::new(),
        units: set(&["ward 4"]),
        hosts: set(&["pc-1"]),
        clients: set(&["ehr"]),
        shared: BTreeSet::new(),
        english: Said { reasons: vec![format!("{identity} read 4")], ..Said::default() },
        bokmaal: Said::default(),
    }
}

fn receive(book: &mut Book, alarm: Alarm, now: Timestamp) -> CaseNumber {
    let acts = book.receive(alarm, now, &Duty::default());
    let case = acts.first().map_or(CaseNumber(0), |act| act.case);
    push(book, acts);
    case
}

fn push(book: &mut Book, acts: Vec<Act>) {
    for act in acts {
        book.push(act);
    }
}

fn act(book: &mut Book, now: Timestamp, by: &str, case: u32, deed: Deed) -> Result<(), Refusal> {
    let acts = book.propose(now, by, CaseNumber(case), deed, None)?;
    push(book, acts);
    Ok(())
}

fn decided(verdict: Verdict) -> Deed {
    Deed::Decided { verdict, reason: "a planned visit".to_owned() }
}

const NIGHT: &str = "2026-01-07T00:10:00Z";

#[test]
fn alarms_with_one_hand_are_one_case_and_others_are_not() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    assert_eq!(receive(&mut book, alarm("a", "burst", "u1", now), now), CaseNumber(1));
    assert_eq!(receive(&mut book, alarm("b", "cold_reads", "u1", now), now), CaseNumber(1));
    // The same application or machine alone is no tie: everybody has it.
    assert_eq!(receive(&mut book, alarm("c", "burst", "u2", now), now), CaseNumber(2));
    let mut same_patients = alarm("d", "burst", "u3", now);
    same_patients.marks = alarm("c", "burst", "u2", now).marks;
    assert_eq!(receive(&mut book, same_patients, now), CaseNumber(2));
    let mut by_client = alarm("e", "service_account", "s1", now);
    by_client.shared = BTreeSet::from([Shared::Client]);
    by_client.clients = set(&["odd-client"]);
    assert_eq!(receive(&mut book, by_client.clone(), now), CaseNumber(3));
    by_client.uid = "f".to_owned();
    by_client.identities = set(&["s2"]);
    by_client.marks.clear();
    assert_eq!(receive(&mut book, by_client, now), CaseNumber(3));
    // 31 days later the same reader is another case; what is known already causes nothing.
    let later = now.plus_secs(31 * 86_400);
    assert_eq!(receive(&mut book, alarm("g", "burst", "u1", later), later), CaseNumber(4));
    assert_eq!(book.receive(alarm("a", "burst", "u1", now), later, &Duty::default()), []);
    let first = book.case(CaseNumber(1)).unwrap();
    assert_eq!((first.alarms.len(), first.hand()), (2, Hand::Stolen));
    let alike = book.alike(first);
    assert_eq!(alike.len(), 3, "the machine pc-1 is in all");
    assert!(alike.iter().any(|alike| alike.identities == set(&["u1"])));
}

#[test]
fn a_burst_at_night_reaches_somebody_awake_and_climbs_until_it_is_taken() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    receive(&mut book, alarm("a", "burst", "u1", now), now);
    receive(&mut book, alarm("b", "related_patients", "u2", now), now);
    let owner = |book: &Book, case| book.case(CaseNumber(case)).unwrap().owner.clone().unwrap();
    assert_eq!((owner(&book, 1), owner(&book, 2)), ("soc".to_owned(), "soc".to_owned()));
    let day = at("2026-01-07T09:00:00Z");
    receive(&mut book, alarm("c", "related_patients", "u3", day), day);
    assert_eq!(owner(&book, 3), "privacy-officer");

    assert_eq!(book.due(now.plus_secs(899), &Duty::default()), []);
    let acts = book.due(now.plus_secs(900), &Duty::default());
    assert_eq!(acts.len(), 1);
    // Looked at a day later, each call stands at the time at which it fell due.
    let acts = book.due(at("2026-01-07T07:00:00Z"), &Duty::default());
    assert_eq!(acts.iter().filter(|act| act.case == CaseNumber(1)).count(), 8);
    assert_eq!(acts[1].at, now.plus_secs(1_800));
    push(&mut book, acts);
    assert_eq!(book.due(at("2026-01-07T07:00:00Z"), &Duty::default()), []);
    act(&mut book, day, "kari", 2, Deed::Read).unwrap();
    let until = at("2026-01-09T08:59:00Z");
    let calls = |book: &Book, case| {
        let acts = book.due(until, &Duty::default()).into_iter();
        acts.filter(|act| act.case == CaseNumber(case)).map(|act| act.at).collect::<Vec<_>>()
    };
    assert_eq!(calls(&book, 2), [at("2026-01-08T09:00:00Z")], "to look is not to own");
    act(&mut book, day, "kari", 2, Deed::Assigned { to: "kari".to_owned() }).unwrap();
    assert_eq!(calls(&book, 2), []);
    assert_eq!(calls(&book, 3), [at("2026-01-08T09:00:00Z")]);
}

#[test]
fn on_a_saturday_no_call_goes_to_somebody_who_is_off_duty() {
    let saturday = at("2026-01-10T12:00:00Z");
    let mut book = Book::new("north");
    receive(&mut book, alarm("a", "burst", "u1", saturday), saturday);
    let acts = book.due(saturday.plus_secs(3_600), &Duty::default());
    let to_soc = |act: &Act| matches!(&act.deed, Deed::Escalated { to, .. } if to == "soc");
    assert!(!acts.is_empty() && acts.iter().all(to_soc), "{acts:?}");
}

#[test]
fn a_merge_is_undone_though_somebody_has_looked_since() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    receive(&mut book, alarm("a", "burst", "u1", now), now);
    receive(&mut book, alarm("b", "related_patients", "u2", now), now);
    act(&mut book, now, "kari", 1, Deed::Merged { into: CaseNumber(2) }).unwrap();
    act(&mut book, now, "kari", 2, Deed::Read).unwrap();
    let undone = book.propose_undo(now, "kari", CaseNumber(1)).unwrap();
    push(&mut book, undone);
    assert_eq!(book.case(CaseNumber(1)).unwrap().state(), State::InHand);
}

/// Whoever watches is watched: a case about the privacy officer goes to another, climbs past him,
/// and he can do nothing to it but answer.
#[test]
fn nobody_is_given_or_decides_a_case_about_oneself() {
    let mut book = Book::new("north");
    let day = at("2026-11-23T10:00:00Z");
    let officer = alarm("a", "related_patients", "Practitioner/privacy-officer", day);
    let number = receive(&mut book, officer, day);
    let owner = |book: &Book| book.case(number).unwrap().owner.clone().unwrap();
    assert_eq!(owner(&book), "soc");
    for act in book.due(day.plus_secs(10 * 86_400), &Duty::default()) {
        book.push(act);
    }
    assert_eq!(owner(&book), "soc", "no call reaches the one whom it is about");
    let told = act(&mut book, day, "privacy-officer", 1, decided(Verdict::Harmless));
    assert_eq!(told, Err(Refusal::OwnCase));
    let answer = Deed::Noted { text: "she asked me to look".to_owned() };
    act(&mut book, day, "privacy-officer", 1, answer).unwrap();
    act(&mut book, day, "soc", 1, decided(Verdict::Harmless)).unwrap();
}

#[test]
fn hours_of_duty_follow_the_wall_clock() {
    let zone = Zone::default();
    for (utc, local) in [
        ("2026-03-29T00:59:59Z", "2026-03-29T01:59:59Z"),
        ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z"),
        ("2026-10-25T00:59:59Z", "2026-10-25T02:59:59Z"),
        ("2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"),
    ] {
        assert_eq!(zone.local(at(utc)), at(local), "{utc}");
    }
    let duty = Duty::default();
    for (utc, expected) in [
        ("2026-07-06T05:29:00Z", "soc"), // Monday, 07:29 in summer
        ("2026-07-06T05:30:00Z", "privacy-officer"),
        ("2026-07-06T14:00:00Z", "soc"),
        ("2026-07-05T10:00:00Z", "soc"), // Sunday
    ] {
        assert_eq!(duty.owner("north", Hand::Own, at(utc), |_| false), expected, "{utc}");
    }
    let person = |name: &str| Person { name: name.to_owned(), hours: None };
    let mut two = duty.clone();
    two.desks.push(Desk {
        controller: Some("south".to_owned()),
        hand: None,
        owner: person("ola"),
        deputy: person("eva"),
    });
    assert_eq!(two.owner("south", Hand::Stolen, at(NIGHT), |_| false), "ola");
    assert!(duty.check().is_ok());
    assert!(Duty { zone, desks: vec![] }.check().is_err());
    assert!(Duty { zone, desks: two.desks.split_off(2) }.check().is_err(), "nobody for north");
}

#[test]
fn a_verdict_needs_a_reason_and_is_undone_for_ten_minutes() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    receive(&mut book, alarm("a", "cold_reads", "u1", now), now);
    let empty = Deed::Decided { verdict: Verdict::Harmless, reason: " ".to_owned() };
    assert_eq!(act(&mut book, now, "kari", 1, empty), Err(Refusal::NoText));
    let unknown = Err(Refusal::UnknownCase { case: CaseNumber(9) });
    assert_eq!(act(&mut book, now, "kari", 9, Deed::Read), unknown);
    let long = Deed::Noted { text: "x".repeat(10 << 20) };
    assert!(matches!(act(&mut book, now, "kari", 1, long), Err(Refusal::TooLong { .. })));
    act(&mut book, now, "kari", 1, decided(Verdict::Harmless)).unwrap();
    let state = |book: &Book| book.case(CaseNumber(1)).unwrap().state();
    assert_eq!((state(&book), book.queue().len()), (State::Closed, 0));
    let again = act(&mut book, now, "ola", 1, decided(Verdict::Snooping));
    assert_eq!(again, Err(Refusal::Closed { case: CaseNumber(1) }));
    let one = CaseNumber(1);
    let others = book.propose_undo(now, "ola", one);
    assert_eq!(others, Err(Refusal::NothingToUndo { case: one }));
    let late = book.propose_undo(now.plus_secs(601), "kari", one);
    assert_eq!(late, Err(Refusal::TooLate { minutes: 10 }));
    let undo = book.propose_undo(now.plus_secs(600), "kari", one).unwrap();
    push(&mut book, undo);
    assert_eq!(state(&book), State::InHand, "open again, and read");
    assert_eq!(book.acts().len(), 4, "and nothing is lost");
}

#[test]
fn the_second_of_two_who_act_at_once_sees_the_first() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    receive(&mut book, alarm("a", "cold_reads", "u1", now), now);
    let seen = Some(book.case(CaseNumber(1)).unwrap().revision());
    act(&mut book, now, "kari", 1, Deed::Noted { text: "mine".to_owned() }).unwrap();
    let refused = book.propose(now, "ola", CaseNumber(1), decided(Verdict::Harmless), seen);
    let Err(Refusal::Changed { by, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(by, "kari");
    // The program's own acts are no reason to look again.
    let seen = Some(book.case(CaseNumber(1)).unwrap().revision());
    receive(&mut book, alarm("b", "cold_reads", "u1", now), now);
    assert!(book.propose(now, "ola", CaseNumber(1), decided(Verdict::Harmless), seen).is_ok());
}

#[test]
fn merge_split_and_their_undoing_keep_every_alarm() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    for (uid, who) in [("a", "u1"), ("b", "u1"), ("c", "u2")] {
        receive(&mut book, alarm(uid, "cold_reads", who, now), now);
    }
    let merged = Deed::Merged { into: CaseNumber(2) };
    act(&mut book, now, "kari", 1, merged.clone()).unwrap();
    let alarms = |book: &Book, case| book.case(CaseNumber(case)).map(|case| case.alarms.len());
    assert_eq!((alarms(&book, 1), alarms(&book, 2)), (Some(0), Some(3)));
    assert_eq!(book.settled(CaseNumber(1)), CaseNumber(2));
    let back = act(&mut book, now, "kari", 2, Deed::Merged { into: CaseNumber(1) });
    assert_eq!(back, Err(Refusal::Itself), "no circle");
    let grown = Alarm { raised_at: now.plus_secs(9), ..alarm("a", "cold_reads", "u1", now) };
    assert_eq!(receive(&mut book, grown, now), CaseNumber(2), "an update follows");
    let split = Deed::Split { alarms: set(&["c"]), into: book.next_number() };
    act(&mut book, now, "kari", 2, split).unwrap();
    assert_eq!((alarms(&book, 2), alarms(&book, 3)), (Some(2), Some(1)));
    let all = Deed::Split { alarms: set(&["a", "b"]), into: book.next_number() };
    assert_eq!(act(&mut book, now, "kari", 2, all), Err(Refusal::NoSuchAlarm));
    let undo = book.propose_undo(now, "kari", CaseNumber(2)).unwrap();
    push(&mut book, undo);
    assert_eq!((alarms(&book, 2), alarms(&book, 3)), (Some(3), None));
    assert_eq!(book.next_number(), CaseNumber(4), "3 is never given again");
}

#[test]
fn ten_cases_of_one_innocent_cause_are_closed_by_one_explanation_of_a_unit() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    for number in 0..10 {
        let who = format!("u{number}");
        receive(&mut book, alarm(&who, "cold_reads", &who, now), now);
    }
    receive(&mut book, alarm("x", "related_patients", "u77", now), now);
    let waiver = |unit: &str, days: i64| Waiver {
        unit: unit.to_owned(),
        detectors: BTreeSet::new(),
        cause: InnocentCause::WardMoved,
        reason: "ward 4 moved to ward 9 on 6 January".to_owned(),
        from: now,
        until: now.plus_secs(days * 86_400),
        closes: BTreeSet::new(),
    };
    let one = CaseNumber(1);
    let propose = |book: &Book, waiver| book.propose_waiver(now, "kari", one, waiver);
    assert_eq!(propose(&book, waiver("ward 9", 30)), Err(Refusal::NotTheUnit));
    assert_eq!(propose(&book, waiver("ward 4", 500)), Err(Refusal::TooLongTime { days: 183 }));
    let alone = book.propose_waiver(now, "kari", CaseNumber(11), waiver("ward 4", 30));
    assert_eq!(alone, Err(Refusal::ForAPerson));
    let acts = propose(&book, waiver("ward 4", 30)).unwrap();
    assert_eq!(acts.len(), 11);
    push(&mut book, acts);
    assert_eq!(book.queue().len(), 1, "the relative is still asked about");
    // It speaks for later alarms too, as long as it lasts, and not for a stolen account.
    receive(&mut book, alarm("y", "cold_reads", "u20", now), now.plus_secs(86_400));
    assert_eq!(book.queue().len(), 1);
    let over = now.plus_secs(31 * 86_400);
    receive(&mut book, alarm("z", "cold_reads", "u21", over), over);
    receive(&mut book, alarm("w", "burst", "u22", now), now.plus_secs(1));
    assert_eq!(book.queue().len(), 3);
    let stolen = book.propose_waiver(now, "kari", CaseNumber(14), waiver("ward 4", 30));
    assert_eq!(stolen, Err(Refusal::StolenAccount));
    let undo = book.propose_undo(now.plus_secs(60), "kari", one).unwrap();
    push(&mut book, undo);
    assert_eq!(book.queue().len(), 14, "undone as one");
}

#[test]
fn a_closed_case_that_outgrows_its_verdict_opens_again() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    receive(&mut book, alarm("a", "cold_reads", "u1", now), now);
    act(&mut book, now, "kari", 1, decided(Verdict::Harmless)).unwrap();
    let grown = |patients, secs| Alarm {
        patients,
        raised_at: now.plus_secs(secs),
        ..alarm("a", "cold_reads", "u1", now)
    };
    receive(&mut book, grown(7, 10), now);
    assert_eq!(book.queue().len(), 0);
    receive(&mut book, grown(8, 20), now);
    assert_eq!(book.queue().len(), 1);
}

#[test]
fn the_morning_digest_adds_up_and_says_what_fits() {
    let mut book = Book::new("north");
    let before = at("2026-01-05T12:00:00Z");
    receive(&mut book, alarm("old", "cold_reads", "old", before), before);
    act(&mut book, before, "kari", 1, Deed::Planned { task: "ask HR".to_owned() }).unwrap();
    let night = at("2026-01-07T00:10:00Z");
    for number in 0..14 {
        let who = format!("u{number}");
        receive(&mut book, alarm(&who, "cold_reads", &who, night), night);
    }
    let digest = book.digest(at("2026-01-07T06:31:00Z"), Zone::default());
    assert_eq!(digest.at, at("2026-01-07T06:30:00Z"));
    assert_eq!(digest.since, at("2026-01-06T06:30:00Z"));
    assert_eq!((digest.new, digest.carried_over), (14, 1));
    assert_eq!(digest.minutes, 10 + 14 * 2);
    assert_eq!(digest.fits, 11, "10 minutes for the first, then 10 of 2 each");
    assert_eq!(digest.lines[0].work, Work::Decide);
    let earlier = book.digest(at("2026-01-07T06:29:00Z"), Zone::default());
    assert_eq!(earlier.at, at("2026-01-06T06:30:00Z"));
}

#[test]
fn the_digest_keeps_a_breach_that_nobody_was_told_of_and_what_has_grown_since() {
    let now = at("2026-01-06T12:00:00Z");
    let mut book = Book::new("north");
    let decided = |verdict| Deed::Decided { verdict, reason: "seen".to_owned() };
    for (number, uid, verdict) in [(1, "a", Verdict::Snooping), (2, "b", Verdict::Harmless)] {
        receive(&mut book, alarm(uid, "cold_reads", uid, now), now);
        act(&mut book, now, "kari", number, decided(verdict)).unwrap();
    }
    let work = |book: &Book| {
        let digest = book.digest(at("2026-01-07T06:31:00Z"), Zone::default());
        digest.lines.iter().map(|line| (line.case.0, line.work)).collect::<Vec<_>>()
    };
    assert_eq!(work(&book), [(1, Work::Tell)]);
    let later = now.plus_secs(3_600);
    let grown = Alarm { patients: 7, raised_at: later, ..alarm("b", "cold_reads", "b", now) };
    receive(&mut book, grown, later);
    assert_eq!(work(&book), [(1, Work::Tell), (2, Work::LookAgain)]);
    assert_eq!(book.case(CaseNumber(2)).unwrap().grown(), Some((4, 7)));
}

#[test]
fn what_was_kept_gives_the_same_cases() {
    let now = at(NIGHT);
    let mut book = Book::new("north");
    receive(&mut book, alarm("a", "burst", "u1", now), now);
    receive(&mut book, alarm("b", "burst", "u2", now), now);
    let sha256 = "a".repeat(64);
    let against = Deed::Weighed { side: Side::Against, text: "upgrade planned".to_owned() };
    for deed in [
        Deed::Read,
        Deed::Noted { text: "<script>".to_owned() },
        Deed::Planned { task: "call".to_owned() },
        Deed::Done { task: 1 },
        Deed::Filed { what: "scope".to_owned(), sha256 },
        against,
        Deed::Merged { into: CaseNumber(2) },
    ] {
        act(&mut book, now, "kari", 1, deed).unwrap();
    }
    act(&mut book, now, "kari", 2, decided(Verdict::Compromise)).unwrap();
    let undo = book.propose_undo(now, "kari", CaseNumber(2)).unwrap();
    push(&mut book, undo);
    let mut again = Book::new("north");
    for act in book.acts() {
        let kept = serde_json::to_vec(act).unwrap();
        again.push(serde_json::from_slice(&kept).unwrap());
    }
    assert_eq!(again.acts(), book.acts());
    let seen = |book: &Book| format!("{:?}", book.cases().collect::<Vec<_>>());
    assert_eq!(seen(&again), seen(&book));
    let bad = Deed::Filed { what: "x".to_owned(), sha256: "AB".to_owned() };
    assert_eq!(act(&mut book, now, "kari", 2, bad), Err(Refusal::NotADigest));
}

#[test]
fn a_case_that_is_over_leaves_its_number_and_nothing_else() {
    let (mut book, night) = (Book::new("north"), at(NIGHT));
    for (uid, identity) in [("a", "prac-1"), ("b", "prac-2"), ("c", "prac-3"), ("d", "prac-4")] {
        receive(&mut book, alarm(uid, "burst", identity, night), night);
    }
    let merged = Deed::Merged { into: CaseNumber(3) };
    act(&mut book, night, "kari", 4, merged).unwrap();
    for case in [1, 2] {
        act(&mut book, night, "kari", case, decided(Verdict::Harmless)).unwrap();
    }
    let closed = |case: &bavn_detect::cases::Case| case.state() == State::Closed;
    // The third waits, and what was merged into it waits with it.
    let over = book.over(closed);
    assert_eq!(over, BTreeSet::from([CaseNumber(1), CaseNumber(2)]));
    let next = book.next_number();
    let mut left = Book::new("north");
    for act in book.acts() {
        let act = act.clone();
        left.push(if over.contains(&act.case) { act.expired() } else { act });
    }
    let numbers: Vec<u32> = left.cases().map(|case| case.number.0).collect();
    assert_eq!((numbers, left.next_number()), (vec![3, 4], next));
    assert_eq!(left.case(CaseNumber(3)).map(|case| case.alarms.len()), Some(2));
    let text = serde_json::to_string(left.acts()).unwrap();
    assert!(
        !text.contains("prac-1") && !text.contains("a planned visit") && text.contains("prac-3")
    );
    act(&mut book, night, "kari", 3, decided(Verdict::Harmless)).unwrap();
    assert_eq!(book.over(closed).len(), 4);
}
