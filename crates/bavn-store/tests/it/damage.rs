//! What lies on the disk shows nobody, and nothing of it can be changed unseen.

use crate::region::{chance, kek, look_ups, now, open, write};
use bavn_store::{Depth, Kek, Purpose, Store, StoreError, Window, Writer, verify};
use std::path::{Path, PathBuf};

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn no_name_and_no_record_stands_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(7, 500);
    write(folder.path(), &all, 200);
    let mut secrets: Vec<String> = all.iter().map(|plain| plain.original.clone()).collect();
    secrets.extend(all.iter().flat_map(|plain| plain.patients.clone()));
    secrets.extend(all.iter().filter_map(|plain| plain.who.clone()));
    secrets.extend(all.iter().filter_map(|plain| plain.host.clone()));
    for text in [
        "hidden-",
        "secret-",
        "nobody-must-see",
        "hospital-source",
        "session-of",
        "under-cover",
        "a reason in words",
        "ehr-application",
        "input-file-name",
    ] {
        secrets.push(text.to_owned());
    }
    secrets.sort();
    secrets.dedup();
    let mut bytes_read = 0;
    for path in files(folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        bytes_read += bytes.len();
        let seen =
            |secret: &String| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        let found: Vec<_> = secrets.iter().filter(|secret| seen(secret)).collect();
        assert!(found.is_empty(), "{} shows {found:?}", path.display());
        let name = path.to_string_lossy();
        assert!(!secrets.iter().any(|secret| name.contains(secret.as_str())));
    }
    assert!(bytes_read > 10_000);
}

/// What each reader of a file finds by itself, without the digests of the manifest.
#[test]
fn two_segments_that_changed_places_are_found() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &look_ups(8, 120), 60);
    let rows: Vec<PathBuf> = files(folder.path())
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with("rows.parquet"))
        .collect();
    assert_eq!(rows.len(), 2);
    let (a, b) = (std::fs::read(&rows[0]).unwrap(), std::fs::read(&rows[1]).unwrap());
    std::fs::write(&rows[0], b).unwrap();
    std::fs::write(&rows[1], a).unwrap();
    let store = open(folder.path());
    let error =
        store.who(&crate::region::patient_name(3), Window::ALL, &Purpose::Drill).unwrap_err();
    assert!(error.is_integrity());
}

#[test]
fn a_wrong_key_opens_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &look_ups(9, 50), 50);
    let other = || Kek::read(&[8; 32]).unwrap();
    assert!(Store::open(folder.path(), &other()).unwrap_err().is_refusal());
    let error = Writer::open(folder.path(), "test-trust", other(), chance(1)).unwrap_err();
    assert!(error.is_refusal());
    // Under a new key nothing is rewritten but the ring.
    bavn_store::rotate(folder.path(), &kek(), &other(), &mut *chance(2)).unwrap();
    assert!(verify(folder.path(), &other(), Depth::LookUps, &[]).unwrap().is_whole());
    assert!(Store::open(folder.path(), &kek()).unwrap_err().is_refusal());
}

#[test]
fn one_writer_at_a_time_and_no_foreign_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let first = Writer::open(&store, "test-trust", kek(), chance(1)).unwrap();
    let second = Writer::open(&store, "test-trust", kek(), chance(1)).unwrap_err();
    assert!(matches!(second, StoreError::Busy { .. }));
    drop(first);
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.txt"), "mine").unwrap();
    let error = Writer::open(&foreign, "test-trust", kek(), chance(1)).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }));
    // Only the word of a file that anybody can write: all that is sealed says otherwise.
    std::fs::write(store.join("FORMAT"), "bavn store 5\n").unwrap();
    assert!(Store::open(&store, &kek()).unwrap_err().is_integrity());
    std::fs::write(store.join("manifest"), "in a form of its own").unwrap();
    let error = Store::open(&store, &kek()).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 5, known: 4, .. }));
}

#[test]
fn what_a_crash_leaves_unnamed_is_swept_away() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(10, 100);
    write(folder.path(), &all[..50], 50);
    let before = files(folder.path());
    let mut writer = Writer::open(folder.path(), "test-trust", kek(), chance(3)).unwrap();
    let mut frame = bavn_store::Frame::default();
    for plain in &all {
        frame.push(&crate::region::record(plain), plain.original.as_bytes(), "input");
    }
    writer.take(&frame, now()).unwrap();
    // Never committed.
    drop(writer);
    assert!(files(folder.path()).len() > before.len());
    assert_eq!(open(folder.path()).as_of().look_ups, 50);
    assert_eq!(write(folder.path(), &all, 100).new, 50);
    assert_eq!(open(folder.path()).as_of().look_ups, 100);
}
