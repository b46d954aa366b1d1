//! Few segments answer and prove what many did.

use crate::damage::files;
use crate::region::{Plain, chance, kek, look_ups, now, open, patient_name, record, write};
use bavn_model::Timestamp;
use bavn_store::{
    Compacted, Depth, Frame, Opening, Purpose, Store, Subject, Verified, Window, Writer, verify,
};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// Everything that a store tells, in words.
pub(crate) fn told(folder: &Path, all: &[Plain]) -> Vec<String> {
    let store = open(folder);
    let mut told = Vec::new();
    let half = Window { from: Timestamp::MIN, to: now().plus_secs(-8 * 86_400) };
    for window in [Window::ALL, half] {
        for number in 0..12 {
            let subject = Subject::Identities(vec![format!("Practitioner/secret-{number}")]);
            told.push(scope_of(&store, &subject, window));
        }
        for number in 0..5 {
            told.push(scope_of(&store, &Subject::Host(format!("workplace-{number}")), window));
        }
        for number in 0..40 {
            let who = store.who(&patient_name(number), window, &Purpose::Drill);
            told.push(who.map_or_else(
                |error| error.to_string(),
                |who| format!("{:?} {:?} {:?}", who.readers, who.readings, who.silences),
            ));
        }
    }
    told.extend(
        all.iter().step_by(9).map(|plain| format!("{:?}", store.entry_of(plain.id).unwrap())),
    );
    told
}

fn scope_of(store: &Store, subject: &Subject, window: Window) -> String {
    let Ok(scope) = store.scope(subject, window) else { return "nobody".to_owned() };
    let names = store.patient_names(&scope.exposed, &Purpose::Drill).unwrap();
    let grades: Vec<_> =
        scope.exposed.iter().map(|e| (e.grade, e.look_ups, e.first, e.last)).collect();
    format!("{:?} {:?} {names:?} {grades:?}", (scope.lower, scope.best, scope.upper), scope.days)
}

fn whole(folder: &Path) -> Verified {
    let found = verify(folder, &kek(), Depth::LookUps, &[]).unwrap();
    assert!(found.is_whole() && found.strangers.is_empty(), "{found:?}");
    found
}

fn compact(folder: &Path, at: Timestamp) -> Compacted {
    Writer::open(folder, "test-trust", kek(), chance(77)).unwrap().compact(at).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn a_compacted_store_tells_what_it_told(seed in any::<u64>(), a_commit in 7_usize..60) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let all = look_ups(seed, 240);
        write(folder, &all[..200], a_commit);
        let kept = open(folder).last_checkpoint().unwrap();
        let before = told(folder, &all[..200]);
        compact(folder, now());
        prop_assert_eq!(open(folder).sizes().segments, 1);
        prop_assert_eq!(told(folder, &all[..200]), before);
        let outside = [(PathBuf::from("kept"), kept.clone())];
        let found = verify(folder, &kek(), Depth::LookUps, &outside).unwrap();
        prop_assert!(found.is_whole() && found.agreed.len() == 1, "{:?}", found);
        // It goes on as any other, and once more.
        prop_assert_eq!(write(folder, &all, a_commit).new, 40);
        let before = told(folder, &all);
        compact(folder, now());
        prop_assert_eq!(told(folder, &all), before);
        whole(folder);
        let store = open(folder);
        for plain in all.iter().step_by(17) {
            let entry = store.entry_of(plain.id).unwrap().unwrap();
            let shown = store.prove(entry, Opening::Shown).unwrap();
            let mut patients = plain.patients.clone();
            patients.dedup();
            prop_assert!(plain.patients.iter().all(|patient| shown.patients.contains(patient)));
        }
        let newest = store.last_checkpoint().unwrap();
        prop_assert!(store.prove_consistency(&kept, &newest).unwrap().is_ok());
    }
}

/// One look-up a commit, so that every segment is of the smallest size.
fn write_singly(folder: &Path, all: &[Plain]) -> Vec<u64> {
    let mut writer = Writer::open(folder, "test-trust", kek(), chance(1)).unwrap();
    let mut segments = Vec::new();
    for plain in all {
        let mut frame = Frame::default();
        frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
        writer.take(&frame, now()).unwrap();
        writer.commit(now()).unwrap();
        segments.push(open(folder).sizes().segments);
    }
    segments
}

#[test]
fn sixteen_small_segments_stand_and_one_more_makes_them_one() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(51, 35);
    let segments = write_singly(folder.path(), &all);
    let expected = (1..=16).chain([1]).chain(2..=17).chain([2, 3]);
    assert_eq!(segments, expected.collect::<Vec<u64>>());
    assert_eq!(whole(folder.path()).look_ups, 35);
    let again = tempfile::tempdir().unwrap();
    write(again.path(), &all, 35);
    assert_eq!(told(folder.path(), &[]), told(again.path(), &[]));
}

#[test]
fn what_was_replaced_stays_ten_minutes_for_whoever_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(52, 90);
    write(folder, &all[..60], 20);
    let reading = open(folder);
    let compacted = compact(folder, now());
    assert_eq!((compacted.segments_before, compacted.segments, compacted.look_ups), (3, 1, 60));
    let subject = Subject::Identities(vec!["Practitioner/secret-3".to_owned()]);
    let late = |store: &Store| scope_of(store, &subject, Window::ALL);
    assert_eq!(late(&reading), late(&open(folder)));
    whole(folder);
    let mut writer = Writer::open(folder, "test-trust", kek(), chance(78)).unwrap();
    let mut replaced_after = |plain: &Plain, at: Timestamp| {
        let mut frame = Frame::default();
        frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
        writer.take(&frame, at).unwrap();
        writer.commit(at).unwrap();
        let is_old = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            ["00000001", "00000002", "00000003"].iter().any(|number| name.starts_with(number))
        };
        let all: Vec<PathBuf> = ["segments", "index", "names"]
            .iter()
            .flat_map(|part| files(&folder.join(part)))
            .collect();
        all.iter().filter(is_old).count()
    };
    // Of each segment two files, four of its index, and the names of its commit.
    assert_eq!(replaced_after(&all[60], now().plus_secs(599)), 21);
    assert_eq!(replaced_after(&all[61], now().plus_secs(600)), 0);
    whole(folder);
}

#[test]
fn a_segment_of_another_month_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(53, 40);
    let mut writer = Writer::open(folder, "test-trust", kek(), chance(1)).unwrap();
    for (number, part) in (0..).zip(all.chunks(10)) {
        let mut frame = Frame::default();
        for plain in part {
            frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
        }
        let at = now().plus_secs(number / 2 * 40 * 86_400);
        writer.take(&frame, at).unwrap();
        writer.commit(at).unwrap();
    }
    let at = now().plus_secs(90 * 86_400);
    assert_eq!(writer.compact(at).unwrap().segments, 2);
    assert_eq!(writer.compact(at).unwrap().look_ups, 0);
    drop(writer);
    whole(folder);
}

#[test]
fn what_was_there_at_the_start_is_told_from_what_came_after_though_one_segment_holds_both() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(31, 90);
    write(folder, &all[..60], 20);
    let mut writer = Writer::open(folder, "test-trust", kek(), chance(78)).unwrap();
    let mut frame = Frame::default();
    for plain in &all[60..] {
        frame.push(&record(plain), plain.original.as_bytes(), "input");
    }
    writer.take(&frame, now()).unwrap();
    writer.commit(now()).unwrap();
    let there = |writer: &Writer| {
        let mut there = Vec::new();
        writer.each_since(i32::MIN, |record| there.push(record.id.0)).unwrap();
        there
    };
    let before = there(&writer);
    assert_eq!(before, all[..60].iter().map(|plain| plain.id).collect::<Vec<_>>());
    writer.compact(now()).unwrap();
    assert_eq!(open(folder).sizes().segments, 1);
    assert_eq!(there(&writer), before);
}
