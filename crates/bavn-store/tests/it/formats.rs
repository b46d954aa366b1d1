//! A store of every format that was ever written is opened, asked, verified and gone on with.
//!
//! `tests/data/formats/vN/store` is what [`make`] wrote when N was the format of the day. A new format
//! gets a folder of its own; the old ones are never written again.

use crate::compact::told;
use crate::region::{Plain, chance, kek, look_ups, now, open, patient_name, record, write};
use bavn_store::{Depth, Frame, Journal, List, Opening, Purpose, Window, Writer, verify};
use std::path::{Path, PathBuf};

/// Two commits, a link between two spellings, and two acts on cases.
fn make(folder: &Path) {
    let all = made_of();
    write(folder, &all[..90], 90);
    let mut writer = Writer::open(folder, "test-trust", kek(), chance(1)).unwrap();
    let mut frame = Frame::default();
    for plain in &all[90..] {
        frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
    }
    writer.take(&frame, now()).unwrap();
    writer.link(|_, name| (name == patient_name(0) || name == patient_name(1)).then_some(17));
    writer.commit(now()).unwrap();
    drop(writer);
    let mut journal = Journal::open(folder, List::Cases, &kek(), &mut *chance(3)).unwrap();
    for act in ACTS {
        journal.add(&mut *chance(4), |_| (Some(act.to_vec()), ())).unwrap();
    }
}

fn made_of() -> Vec<Plain> {
    look_ups(31, 150)
}

const ACTS: [&[u8]; 2] = [b"an act on a case", b"another"];

/// Copies of all that was ever written, by format.
fn old_stores() -> Vec<(u32, tempfile::TempDir)> {
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(formats).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let format = name.strip_prefix('v').unwrap().parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        crate::verify::copy(&path.join("store"), folder.path());
        found.push((format, folder));
    }
    found.sort_by_key(|(format, _)| *format);
    found
}

fn whole(folder: &Path, kept: &str) {
    let outside = [(PathBuf::from("kept"), kept.to_owned())];
    let found = verify(folder, &kek(), Depth::LookUps, &outside).unwrap();
    assert!(found.is_whole() && found.agreed.len() == 1, "{found:?}");
    assert!(found.strangers.is_empty(), "{found:?}");
}

#[test]
fn a_store_of_any_format_tells_what_one_of_today_tells() {
    let today = tempfile::tempdir().unwrap();
    make(today.path());
    let all = made_of();
    let expected = told(today.path(), &all);
    let old = old_stores();
    assert_eq!(old.iter().map(|(format, _)| *format).collect::<Vec<_>>(), [1, 2, 3]);
    for (format, folder) in old {
        let folder = folder.path();
        let text = std::fs::read_to_string(folder.join("FORMAT")).unwrap();
        assert_eq!(text, format!("bavn store {format}\n"));
        assert_eq!(told(folder, &all), expected, "format {format}");
        let store = open(folder);
        let kept = store.last_checkpoint().unwrap();
        assert_eq!(store.as_of().look_ups, 150);
        whole(folder, &kept);
        let entry = store.entry_of(all[100].id).unwrap().unwrap();
        assert!(store.prove(entry, Opening::Shown).unwrap().text.contains("tlog-proof"));
        let mut journal = Journal::open(folder, List::Cases, &kek(), &mut *chance(5)).unwrap();
        assert_eq!(journal.news().unwrap(), ACTS);
    }
}

/// An upgrade is the next commit, whoever makes it.
#[test]
fn a_store_of_any_format_goes_on_in_todays() {
    for (format, folder) in old_stores() {
        let folder = folder.path();
        let kept = open(folder).last_checkpoint().unwrap();
        let all = look_ups(31, 400);
        let taken = write(folder, &all, 100);
        assert_eq!((taken.known, taken.new), (150, 250), "format {format}");
        let text = std::fs::read_to_string(folder.join("FORMAT")).unwrap();
        assert_eq!(text, "bavn store 4\n");
        whole(folder, &kept);
        let before = told(folder, &all);
        let mut writer = Writer::open(folder, "test-trust", kek(), chance(6)).unwrap();
        assert_eq!(writer.compact(now()).unwrap().segments, 1);
        drop(writer);
        assert_eq!(told(folder, &all), before);
        whole(folder, &kept);
        let who = open(folder).who(&patient_name(0), Window::ALL, &Purpose::Drill).unwrap();
        let either = |plain: &&Plain| {
            plain.patients.contains(&patient_name(0)) || plain.patients.contains(&patient_name(1))
        };
        assert_eq!(who.readings.len(), all.iter().filter(either).count());
    }
}

/// Killed between saying the new format and the first commit in it.
#[test]
fn a_store_whose_upgrade_was_cut_off_is_of_the_old_format_still() {
    for (format, folder) in old_stores() {
        let folder = folder.path();
        let kept = open(folder).last_checkpoint().unwrap();
        drop(Writer::open(folder, "test-trust", kek(), chance(7)).unwrap());
        whole(folder, &kept);
        // Back to the old word, once there is a commit of today's.
        write(folder, &look_ups(32, 10), 10);
        std::fs::write(folder.join("FORMAT"), format!("bavn store {format}\n")).unwrap();
        let error = verify(folder, &kek(), Depth::Bytes, &[]).unwrap_err();
        assert!(error.is_integrity(), "{error}");
    }
}
