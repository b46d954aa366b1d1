//! Every answer is that of a plain scan.

use crate::region::{Plain, chance, kek, look_ups, now, open, patient_name, record, write};
use bavn_model::{Flag, Kind, Timestamp};
use bavn_store::{Class, Depth, Frame, Grade, Purpose, Subject, Window, Writer, class, verify};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// By patient: grade, certain, look-ups, first, last.
pub(crate) type Answer = BTreeMap<String, (Grade, bool, u64, Timestamp, Timestamp)>;

fn has(window: Window, at: Timestamp) -> bool {
    window.from <= at && at < window.to
}

pub(crate) fn slow_scope(all: &[Plain], is_it: impl Fn(&Plain) -> bool, window: Window) -> Answer {
    let mut answer = Answer::new();
    for plain in all.iter().filter(|plain| is_it(plain) && has(window, plain.at)) {
        let (grade, certain) = match class(plain.kind, plain.outcome, plain.flags) {
            Class::Certain(grade) => (grade, true),
            Class::Possible(grade) => (grade, false),
            _ => continue,
        };
        for patient in plain.patients.iter().collect::<BTreeSet<_>>() {
            let found =
                answer.entry(patient.clone()).or_insert((grade, certain, 0, plain.at, plain.at));
            found.0 = found.0.max(grade);
            found.1 |= certain;
            found.2 += 1;
            found.3 = found.3.min(plain.at);
            found.4 = found.4.max(plain.at);
        }
    }
    answer
}

pub(crate) fn fast_scope(folder: &std::path::Path, subject: &Subject, window: Window) -> Answer {
    let store = open(folder);
    let scope = store.scope(subject, window).unwrap();
    let names = store.patient_names(&scope.exposed, &Purpose::Drill).unwrap();
    let answer: Answer = names
        .into_iter()
        .zip(&scope.exposed)
        .map(|(names, e)| (names[0].clone(), (e.grade, e.certain, e.look_ups, e.first, e.last)))
        .collect();
    assert_eq!(scope.best, answer.len() as u64);
    assert_eq!(scope.lower, answer.values().filter(|found| found.1).count() as u64);
    assert_eq!(scope.look_ups, answer.values().map(|found| found.2).sum::<u64>());
    assert_eq!(store.scope(subject, window).unwrap().digest, scope.digest);
    answer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn scope_and_readers_are_those_of_a_plain_scan(
        seed in any::<u64>(),
        a_commit in 60_usize..400,
        from in 0_i64..5 * 86_400,
        length in 1_i64..5 * 86_400,
        whole_days in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let all = look_ups(seed, 400);
        prop_assert_eq!(write(folder.path(), &all, a_commit).new, 400);
        let start = now().plus_secs(-10 * 86_400);
        let mut window = Window { from: start.plus_secs(from), to: start.plus_secs(from + length) };
        if whole_days {
            window = Window {
                from: Timestamp::start_of_day(window.from.day()),
                to: Timestamp::start_of_day(window.to.day() + 1),
            };
        }
        let known: BTreeSet<&String> = all.iter().filter_map(|plain| plain.who.as_ref()).collect();
        for name in known.iter().take(3) {
            let subject = Subject::Identities(vec![(*name).clone()]);
            let slow = slow_scope(&all, |plain| plain.who.as_ref() == Some(name), window);
            prop_assert_eq!(fast_scope(folder.path(), &subject, window), slow);
        }
        let two: Vec<String> = known.iter().take(2).map(|name| (*name).clone()).collect();
        let slow = slow_scope(
            &all,
            |plain| plain.who.as_ref().is_some_and(|who| two.contains(who)),
            window,
        );
        prop_assert_eq!(fast_scope(folder.path(), &Subject::Identities(two), window), slow);
        if all.iter().any(|plain| plain.host.as_deref() == Some("workplace-1")) {
            let host = "workplace-1".to_owned();
            let slow = slow_scope(&all, |plain| plain.host.as_ref() == Some(&host), window);
            prop_assert_eq!(fast_scope(folder.path(), &Subject::Host(host), window), slow);
        }
        check_who(folder.path(), &all, window);
    }
}

fn check_who(folder: &std::path::Path, all: &[Plain], window: Window) {
    let store = open(folder);
    for number in 0..5 {
        let patient = patient_name(number);
        if !all.iter().any(|plain| plain.patients.contains(&patient)) {
            continue;
        }
        let who = store.who(&patient, window, &Purpose::Drill).unwrap();
        let slow: Vec<&Plain> = all
            .iter()
            .filter(|plain| plain.patients.contains(&patient) && has(window, plain.at))
            .collect();
        let mut rows: Vec<_> = slow
            .iter()
            .map(|p| (p.at, p.id, &p.who, &p.host, p.kind, p.outcome, Some("TREAT"), p.flags))
            .collect();
        rows.sort_unstable_by_key(|row| (row.0, row.1));
        let found: Vec<_> = who
            .readings
            .iter()
            .map(|r| {
                let purpose = r.purpose.as_deref();
                (r.at, r.id.0, &r.who, &r.host, r.kind, r.outcome, purpose, r.flags)
            })
            .collect();
        assert_eq!(found, rows);
        let mut counts: BTreeMap<Option<String>, (u64, Timestamp, Timestamp)> = BTreeMap::new();
        for plain in &slow {
            let count = counts.entry(plain.who.clone()).or_insert((0, plain.at, plain.at));
            count.0 += 1;
            count.1 = count.1.min(plain.at);
            count.2 = count.2.max(plain.at);
        }
        let readers: BTreeMap<_, _> =
            who.readers.into_iter().map(|r| (r.who, (r.look_ups, r.first, r.last))).collect();
        assert_eq!(readers, counts);
    }
}

/// Rows of several pages and row groups, of which only those are opened that can hold what is asked
/// for: in the order of time these are few.
#[test]
fn answers_from_many_pages_are_those_of_a_plain_scan() {
    let (noon, late) = (-8 * 86_400 + 43_200, -6 * 86_400 + 79_000);
    let cut = Window { from: now().plus_secs(noon), to: now().plus_secs(late) };
    for is_sorted in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut all = look_ups(12, 25_000);
        if is_sorted {
            all.sort_by_key(|plain| plain.at);
        }
        write(folder.path(), &all, 22_000);
        for window in [Window::ALL, cut] {
            check_who(folder.path(), &all, window);
            let host = "workplace-1".to_owned();
            let slow = slow_scope(&all, |plain| plain.host.as_ref() == Some(&host), window);
            assert_eq!(fast_scope(folder.path(), &Subject::Host(host), window), slow);
            let who = "Practitioner/secret-3".to_owned();
            let by_who: Vec<&Plain> =
                all.iter().filter(|plain| plain.who.as_ref() == Some(&who)).collect();
            let subject = Subject::Identities(vec![who.clone()]);
            let slow = slow_scope(&all, |plain| plain.who.as_ref() == Some(&who), window);
            assert_eq!(fast_scope(folder.path(), &subject, window), slow);
            check_traces(folder.path(), &subject, &by_who, window);
        }
    }
}

/// The index tells look-ups of readers with all but their texts.
fn check_traces(folder: &std::path::Path, subject: &Subject, by_who: &[&Plain], window: Window) {
    let store = open(folder);
    let found: Vec<_> = store
        .traces(subject, window)
        .unwrap()
        .into_iter()
        .map(|t| (t.at, t.who, t.host, t.client, t.source, t.kind, t.class, t.patients.len()))
        .collect();
    let of_window: Vec<&&Plain> = by_who.iter().filter(|plain| has(window, plain.at)).collect();
    let mut slow: Vec<_> = of_window
        .iter()
        .map(|p| {
            let patients = p.patients.iter().collect::<BTreeSet<_>>().len();
            let (client, source) = ("ehr-application-name".to_owned(), p.source.to_owned());
            let class = class(p.kind, p.outcome, p.flags);
            let (who, host) = (p.who.clone(), p.host.clone());
            (p.at, who, host, Some(client), Some(source), p.kind, class, patients)
        })
        .collect();
    let in_order = |rows: &mut Vec<_>| rows.sort_by_key(|row| format!("{row:?}"));
    let mut found = found;
    in_order(&mut found);
    in_order(&mut slow);
    assert_eq!(found, slow);
    let scope = store.scope(subject, window).unwrap();
    let contents = store.scope_contents(subject, window, &scope).unwrap();
    let exposing = of_window.iter().filter(|plain| {
        class(plain.kind, plain.outcome, plain.flags).exposes() && !plain.patients.is_empty()
    });
    let of: Vec<(&String, u64)> =
        contents.types.iter().map(|(of, counts)| (of, counts.look_ups)).collect();
    assert_eq!(of, [(&"Observation".to_owned(), exposing.count() as u64)]);
}

#[test]
fn a_rebuilt_index_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(3, 500);
    write(folder.path(), &all, 200);
    let subject = Subject::Identities(vec!["Practitioner/secret-3".to_owned()]);
    let before = fast_scope(folder.path(), &subject, Window::ALL);
    for entry in std::fs::read_dir(folder.path().join("index")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert!(open(folder.path()).scope(&subject, Window::ALL).unwrap_err().is_integrity());
    let mut writer = Writer::open(folder.path(), "test-trust", kek(), chance(9)).unwrap();
    assert_eq!(writer.rebuild_index(now()).unwrap(), 500);
    drop(writer);
    assert!(!before.is_empty());
    assert_eq!(fast_scope(folder.path(), &subject, Window::ALL), before);
    assert!(verify(folder.path(), &kek(), Depth::LookUps, &[]).unwrap().is_whole());
}

#[test]
fn each_look_up_is_stored_once_however_often_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(4, 300);
    assert_eq!(write(folder.path(), &all[..200], 70).new, 200);
    let again = write(folder.path(), &all, 90);
    assert_eq!((again.new, again.known), (100, 200));
    assert_eq!(open(folder.path()).as_of().look_ups, 300);
}

#[test]
fn two_spellings_of_one_person_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(5, 200);
    let mut writer = Writer::open(folder.path(), "test-trust", kek(), chance(1)).unwrap();
    let mut frame = Frame::default();
    for plain in &all {
        frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
    }
    writer.take(&frame, now()).unwrap();
    // The caller's context knows that patients 0 and 1 are one person.
    writer.link(|_, name| (name == patient_name(0) || name == patient_name(1)).then_some(17));
    writer.commit(now()).unwrap();
    drop(writer);
    let store = open(folder.path());
    let ids = |name: &str| {
        let who = store.who(name, Window::ALL, &Purpose::Drill).unwrap();
        who.readings.iter().map(|read| read.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&patient_name(0)), ids(&patient_name(1)));
    // The bare value finds the patient as well.
    assert_eq!(ids(&patient_name(0)), ids("hidden-0000000"));
    assert_ne!(ids(&patient_name(0)), ids(&patient_name(2)));
}

#[test]
fn bounds_say_why_they_differ() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = look_ups(6, 1);
    let base = Plain {
        who: Some("a".to_owned()),
        patients: vec![patient_name(1)],
        kind: Kind::Read,
        outcome: bavn_model::Outcome::Success,
        flags: bavn_model::Flags::NONE,
        ..all.remove(0)
    };
    let unresolved = bavn_model::Flags::NONE.with(Flag::PatientUnresolved);
    let unknown = bavn_model::Outcome::Unknown;
    let certain = base.clone();
    let unstated =
        Plain { id: 2, patients: vec![patient_name(2)], outcome: unknown, ..base.clone() };
    let nobody = Plain { id: 3, patients: vec![], flags: unresolved, ..base.clone() };
    let search = Plain { id: 4, patients: vec![], kind: Kind::Search, ..base.clone() };
    let subject = Subject::Identities(vec!["a".to_owned()]);
    write(folder.path(), &[certain, unstated, nobody], 10);
    let scope = open(folder.path()).scope(&subject, Window::ALL).unwrap();
    assert_eq!((scope.lower, scope.best, scope.upper), (1, 2, Some(3)));
    assert_eq!(scope.reasons.len(), 2);
    write(folder.path(), &[search], 10);
    let scope = open(folder.path()).scope(&subject, Window::ALL).unwrap();
    assert_eq!((scope.lower, scope.best, scope.upper), (1, 2, None));
    assert_eq!(scope.reasons.len(), 3);
}
