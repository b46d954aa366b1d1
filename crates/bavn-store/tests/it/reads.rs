//! A disk that gives back less than was written, or nothing: every answer is right, or says which file is
//! damaged; and whoever writes on loses nothing of what is still good.

use crate::damage::files;
use crate::region::{Dice, Plain, chance, kek, look_ups, now, record, write};
use crate::same_as_scan::slow_scope;
use crate::verify::named;
use bavn_store::{Frame, Purpose, Store, StoreError, Subject, Window, Writer};
use std::path::{Path, PathBuf};

const READER: &str = "Practitioner/secret-3";

/// The scope of a reader: that of a plain scan, or an error.
fn scope(folder: &Path, plain: &[Plain]) -> Result<(), StoreError> {
    let store = Store::open(folder, &kek())?;
    let subject = Subject::Identities(vec![READER.to_owned()]);
    let scope = store.scope(&subject, Window::ALL)?;
    let names = store.patient_names(&scope.exposed, &Purpose::Drill)?;
    let slow = slow_scope(plain, |plain| plain.who.as_deref() == Some(READER), Window::ALL);
    let found: Vec<_> =
        names.iter().zip(&scope.exposed).map(|(n, e)| (&n[0], e.look_ups)).collect();
    let mut right: Vec<_> = slow.iter().map(|(name, found)| (name, found.2)).collect();
    right.sort_unstable();
    let mut found = found;
    found.sort_unstable();
    assert_eq!(found, right);
    Ok(())
}

/// Whether the error is of this file, and says that it is not what was written; or, of one that is
/// written anew, that it cannot be.
fn is_of(error: &StoreError, path: &Path) -> bool {
    let is_published = path.parent().is_some_and(|folder| folder.ends_with("proof"));
    (error.is_integrity() || is_published) && error.path() == Some(path)
}

/// Asks, and writes on; `bad` is a file that is not what was written.
fn goes_on_beside(folder: &Path, bad: &Path, plain: &[Plain]) {
    if let Err(error) = scope(folder, plain) {
        assert!(is_of(&error, bad), "{}: {error}", bad.display());
    }
    let written = Writer::open(folder, "test-trust", kek(), chance(1)).and_then(|mut writer| {
        let mut frame = Frame::default();
        for plain in plain {
            frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
        }
        let taken = writer.take(&frame, now())?;
        writer.commit(now())?;
        Ok(taken)
    });
    match written {
        // All that is still there was known.
        Ok(taken) => assert_eq!(taken.new, 0, "{}", bad.display()),
        Err(error) => assert!(is_of(&error, bad), "{}: {error}", bad.display()),
    }
}

fn store() -> (tempfile::TempDir, Vec<Plain>) {
    let folder = tempfile::tempdir().unwrap();
    let plain = look_ups(61, 400);
    write(folder.path(), &plain, 200);
    (folder, plain)
}

fn copy(from: &Path, to: &Path) -> Vec<PathBuf> {
    let copied = files(from).into_iter().map(|path| {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&path, &target).unwrap();
        target
    });
    copied.collect()
}

#[test]
fn a_file_cut_at_any_length_is_named_and_nothing_wrong_is_answered() {
    let (good, plain) = store();
    let mut dice = Dice(61);
    for _ in 0..CUTS {
        let folder = tempfile::tempdir().unwrap();
        let mut all = copy(good.path(), folder.path());
        all.retain(|path| !path.ends_with("lock"));
        let path = &all[dice.below(all.len() as u64) as usize];
        let bytes = std::fs::read(path).unwrap();
        let length = dice.below(bytes.len() as u64) as usize;
        std::fs::write(path, &bytes[..length]).unwrap();
        let name = path.strip_prefix(folder.path()).unwrap();
        let names = named(folder.path());
        assert!(
            names.iter().any(|named| named == name),
            "{} to {length}: {names:?}",
            name.display()
        );
        goes_on_beside(folder.path(), path, &plain);
    }
}

/// A folder in its place, and a link that leads nowhere: neither can be read as a file, by any user.
#[test]
fn a_file_that_cannot_be_read_is_named_and_nothing_wrong_is_answered() {
    let (good, plain) = store();
    for number in 0..files(good.path()).len() {
        let folder = tempfile::tempdir().unwrap();
        let path = &copy(good.path(), folder.path())[number];
        if path.ends_with("lock") {
            continue;
        }
        std::fs::remove_file(path).unwrap();
        if number % 2 == 0 {
            std::fs::create_dir(path).unwrap();
        } else {
            std::os::unix::fs::symlink(path, path).unwrap();
        }
        let name = path.strip_prefix(folder.path()).unwrap();
        let names = named(folder.path());
        assert!(names.iter().any(|named| named == name), "{}: {names:?}", name.display());
        goes_on_beside(folder.path(), path, &plain);
    }
}

/// Files cut at random lengths.
const CUTS: u32 = 120;
