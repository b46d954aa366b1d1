//! What a source did not say is found, said in the log, and shown.

use crate::region::{Plain, chance, kek, look_ups, now, open, record};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bavn_model::Timestamp;
use bavn_store::{Depth, Frame, Opening, PlannedRead, Said, Store, Window, Writer, verify};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

fn writer(folder: &Path) -> Writer {
    Writer::open(folder, "test-trust", kek(), chance(3)).unwrap()
}

/// Stores look-ups in one commit; each with its number, if it has one.
fn store(folder: &Path, all: &[(Plain, Option<u64>)]) {
    let mut frame = Frame::default();
    for (plain, sequence) in all {
        let mut record = record(plain);
        record.sequence = *sequence;
        frame.push(&record, plain.original.as_bytes(), "input");
    }
    let mut writer = writer(folder);
    writer.take(&frame, now()).unwrap();
    writer.commit(now()).unwrap();
}

fn leave(folder: &Path, said: &Said) {
    let store = open(folder);
    // What is left has a name of its own each time.
    store.leave_said(said, &mut *chance(store.as_of().commit)).unwrap();
    writer(folder).commit(now()).unwrap();
}

fn at(minute: i64) -> Timestamp {
    Timestamp::start_of_day(19_900).plus_secs(minute * 60)
}

/// A look-up of a source at a minute.
fn heard(source: &'static str, minute: i64, number: u128) -> Plain {
    Plain { id: number, at: at(minute), source, ..look_ups(51, 1).remove(0) }
}

fn said(folder: &Path) -> Vec<Said> {
    let store = open(folder);
    let said = store.statements();
    for (entry, _) in &said {
        opens(&store, *entry);
    }
    let found = verify(folder, &kek(), Depth::LookUps, &[]).unwrap();
    assert!(found.is_whole(), "{:?}", found.faults);
    said.into_iter().map(|(_, said)| said).collect()
}

/// The entry of the log hides exactly what is shown.
fn opens(store: &Store, entry: u64) {
    let text = store.prove(entry, Opening::Shown).unwrap().text;
    let extra = text.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
    let extra = STANDARD.decode(extra).unwrap();
    assert_eq!(extra[0], 5);
    assert_eq!(Sha256::digest(&extra[33..]).as_slice(), &extra[1..33]);
    assert!(extra[49..].starts_with(b"bavn statement 1\0{\"said\":\""));
}

#[test]
fn hours_are_those_of_a_plain_scan() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = look_ups(52, 700);
    for (number, plain) in all.iter_mut().enumerate() {
        plain.source = if number % 3 == 0 { "lab" } else { "ehr" };
    }
    for part in all.chunks(150) {
        store(folder.path(), &part.iter().map(|plain| (plain.clone(), None)).collect::<Vec<_>>());
    }
    let start = all.iter().map(|plain| plain.at).min().unwrap();
    let windows =
        [Window::ALL, Window { from: start.plus_secs(30_000), to: start.plus_secs(200_000) }];
    for window in windows {
        let mut slow: BTreeMap<(&str, i32, u8), u64> = BTreeMap::new();
        for plain in all.iter().filter(|p| window.from <= p.at && p.at < window.to) {
            let day = plain.at.day();
            let hour = plain.at.secs_since(Timestamp::start_of_day(day)) / 3_600;
            *slow.entry((plain.source, day, hour as u8)).or_default() += 1;
        }
        let coverage = open(folder.path()).coverage(window).unwrap();
        let mut fast = BTreeMap::new();
        for source in &coverage.sources {
            assert_eq!(source.look_ups, source.hours.values().sum::<u64>());
            let of = source.hours.iter();
            fast.extend(of.map(|(&(day, hour), &n)| ((source.source.as_str(), day, hour), n)));
        }
        assert_eq!(fast, slow);
    }
}

#[test]
fn a_broken_promise_stands_in_the_log_and_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    store(folder, &[(heard("lab", 0, 1), None), (heard("ehr", 0, 2), None)]);
    let promise = Said::Promised { source: "lab".to_owned(), every_secs: 3_600 };
    leave(folder, &promise);
    // Of a source that has never been heard.
    let other = Said::Promised { source: "never".to_owned(), every_secs: 60 };
    leave(folder, &other);
    let minutes = [30, 90, 200, 210];
    let lab: Vec<_> =
        minutes.iter().map(|&minute| (heard("lab", minute, 10 + minute as u128), None)).collect();
    store(folder, &lab);
    store(folder, &[(heard("ehr", 400, 3), None)]);
    store(folder, &[(heard("ehr", 500, 4), None)]);
    store(folder, &[(heard("lab", 510, 5), None)]);
    let micros = |minute: i64| at(minute).micros();
    let missed = |from: i64, to: Option<i64>| Said::Missed {
        source: "lab".to_owned(),
        from: micros(from),
        to: to.map(micros),
    };
    let right = [promise, other, missed(90, Some(200)), missed(210, None), missed(210, Some(510))];
    assert_eq!(said(folder), right);

    let coverage = open(folder).coverage(Window::ALL).unwrap();
    let names: Vec<&str> = coverage.sources.iter().map(|source| source.source.as_str()).collect();
    assert_eq!(names, ["ehr", "lab", "never"]);
    let silent = |window: Window| {
        let coverage = open(folder).coverage(window).unwrap();
        let lab = coverage.sources.into_iter().find(|source| source.source == "lab").unwrap();
        let minute = |at: Timestamp| at.secs_since(self::at(0)) / 60;
        lab.silences
            .into_iter()
            .map(|silence| (minute(silence.from), minute(silence.to), silence.ended))
            .collect::<Vec<_>>()
    };
    assert_eq!(silent(Window::ALL), [(90, 200, true), (210, 510, true)]);
    assert_eq!(silent(Window { from: at(0), to: at(505) }), [(90, 200, true), (210, 505, true)]);
    assert_eq!(silent(Window { from: at(0), to: at(200) }), [(90, 200, true)]);
    leave(folder, &Said::Promised { source: "lab".to_owned(), every_secs: 0 });
    assert_eq!(silent(Window::ALL), []);
}

#[test]
fn a_gap_in_the_numbers_stands_in_the_log_until_it_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let numbered = |numbers: &[u64]| -> Vec<_> {
        let one = |&n: &u64| (heard("ehr", n as i64, u128::from(n)), Some(n));
        numbers.iter().map(one).collect()
    };
    store(folder, &numbered(&[100, 101, 102, 105]));
    store(folder, &numbered(&[106, 104]));
    let micros = |minute: i64| at(minute).micros();
    let (source, filled) = ("ehr".to_owned(), "ehr".to_owned());
    let gap = Said::Gap { source, first: 103, last: 104, from: micros(102), to: micros(105) };
    let part = Said::Filled { source: filled, first: 104, last: 104 };
    assert_eq!(said(folder), [gap, part]);
    let gaps = |folder: &Path| open(folder).coverage(Window::ALL).unwrap().sources[0].gaps.clone();
    assert_eq!((gaps(folder)[0].first, gaps(folder)[0].last), (103, 103));
    store(folder, &numbered(&[103]));
    assert_eq!(said(folder).len(), 3);
    assert!(gaps(folder).is_empty());
    // The same record again is known, and begins nothing.
    store(folder, &numbered(&[100, 101]));
    assert_eq!(said(folder).len(), 3);
}

#[test]
fn reads_that_were_planned_are_found_and_what_is_lost_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let patient = |number: u64| format!("Patient/probe-{}", number % 7);
    let planned: Vec<PlannedRead> = (0..3_000_u64)
        .map(|number| PlannedRead { patient: patient(number), at: at(number as i64 * 2) })
        .collect();
    // One in a thousand never arrives.
    let lost = |number: usize| number % 1_000 == 17;
    let arrived: Vec<_> = planned
        .iter()
        .enumerate()
        .filter(|(number, _)| !lost(*number))
        .map(|(number, read)| {
            let late = (number % 50) as i64;
            let plain = heard("ehr", number as i64 * 2, number as u128);
            (
                Plain {
                    at: plain.at.plus_secs(late),
                    patients: vec![read.patient.clone()],
                    ..plain
                },
                None,
            )
        })
        .collect();
    store(folder, &arrived);
    let probe = |reads: &[PlannedRead], now: Timestamp| {
        open(folder).probe(reads, 60, 600, now, "plan".to_owned()).unwrap()
    };
    let all = probe(&planned, now());
    assert_eq!(all.missing, [17, 1_017, 2_017]);
    assert_eq!((all.canaries.found, all.canaries.planned, all.not_due), (2_997, 3_000, 0));
    assert!(all.canaries.loss_below > 0.001 && all.canaries.loss_below < 0.003);
    let kept: Vec<_> =
        (0..3_000).filter(|&number| !lost(number)).map(|n| planned[n].clone()).collect();
    let found = probe(&kept, now());
    assert!(found.missing.is_empty() && (found.canaries.loss_below * 1e4).floor() <= 10.0);
    let early = probe(&planned, planned[1_500].at.plus_secs(600));
    assert_eq!((early.not_due, early.missing.len()), (1_499, 2));
    let nobody = [PlannedRead { patient: "Patient/never".to_owned(), at: at(1) }];
    assert_eq!(probe(&nobody, now()).missing, [0]);

    let told = Said::Canaries(all.canaries.clone());
    // Left while somebody else writes, and taken in with the next commit, once.
    let mut held = writer(folder);
    open(folder).leave_said(&told, &mut *chance(9)).unwrap();
    assert!(open(folder).statements().is_empty());
    held.commit(now()).unwrap();
    held.commit(now()).unwrap();
    drop(held);
    assert_eq!(said(folder), [told]);
    assert_eq!(open(folder).coverage(Window::ALL).unwrap().canaries, Some(all.canaries));
}

/// As a crash leaves it: the commit is in force, and what it took in still lies there.
#[test]
fn what_was_left_is_said_once_though_its_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    store(folder, &[(heard("ehr", 0, 1), None)]);
    let promise = Said::Promised { source: "ehr".to_owned(), every_secs: 60 };
    open(folder).leave_said(&promise, &mut *chance(4)).unwrap();
    let left = std::fs::read_dir(folder.join("asked")).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&left).unwrap();
    writer(folder).commit(now()).unwrap();
    assert!(!left.exists());
    std::fs::write(&left, &bytes).unwrap();
    store(folder, &[(heard("ehr", 1, 2), None)]);
    assert!(!left.exists());
    assert_eq!(said(folder), [promise]);
}

#[test]
fn a_clock_that_jumps_back_never_takes_the_time_of_commits_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    store(folder, &[(heard("ehr", 0, 1), None)]);
    let before = open(folder).as_of().committed_at;
    let (back, jitter) = (before.plus_secs(-7_200), before.plus_secs(-1));
    let mut writer = writer(folder);
    assert_eq!(writer.ahead_of_clock(back), Some(before));
    assert_eq!((writer.ahead_of_clock(jitter), writer.ahead_of_clock(before)), (None, None));
    for (number, clock) in [(2, back), (3, jitter), (4, before)] {
        let mut frame = Frame::default();
        frame.push(&record(&heard("ehr", number, number as u128)), b"x", "input");
        writer.take(&frame, clock).unwrap();
        writer.commit(clock).unwrap();
    }
    drop(writer);
    let store = open(folder);
    assert_eq!((store.as_of().committed_at, store.as_of().look_ups), (before, 4));
    let (clock, last_commit) = (back.micros(), before.micros());
    assert_eq!(said(folder), [Said::ClockBack { clock, last_commit }]);
    assert_eq!(store.checkpoint_at(before).unwrap(), Some(store.last_checkpoint().unwrap()));
    assert_eq!(store.checkpoint_at(jitter).unwrap(), None);
}
