//! Whatever is changed, taken away, moved or put back is found, and named.

use crate::damage::files;
use crate::region::{chance, kek, look_ups, now, record, write};
use bavn_store::{
    CheckpointError, Depth, Frame, Journal, Kek, Place, Said, Store, StoreError, Verified, What,
    Writer, verify,
};
use std::path::{Path, PathBuf};

fn verified(folder: &Path) -> Result<Verified, StoreError> {
    verify(folder, &kek(), Depth::Bytes, &[])
}

/// The files that the finding names, below the store.
pub(crate) fn named(folder: &Path) -> Vec<PathBuf> {
    match verified(folder) {
        Ok(found) => found.faults.into_iter().map(|fault| fault.file).collect(),
        Err(error) if error.is_integrity() => {
            vec![error.path().unwrap().strip_prefix(folder).unwrap().to_owned()]
        }
        Err(error) => unreachable!("{error}"),
    }
}

/// Two commits of several hundred look-ups each, so that the log has whole tiles and parts of
/// tiles; and what somebody asked meanwhile.
fn store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &look_ups(8, 640), 320);
    let mut asked = Frame::default();
    let plain = &look_ups(9, 1)[0];
    asked.push(&record(plain), plain.original.as_bytes(), "bavn");
    let store = Store::open(folder.path(), &kek()).unwrap();
    store.leave_asked(&asked, &mut *chance(5)).unwrap();
    let promise = Said::Promised { source: "hospital-source-name".to_owned(), every_secs: 60 };
    store.leave_said(&promise, &mut *chance(6)).unwrap();
    let mut journal = Journal::open(folder.path(), &kek(), &mut *chance(7)).unwrap();
    for act in [&b"an act"[..], b"another", b"a third"] {
        journal.add(&mut *chance(act.len() as u64), |_| (Some(act.to_vec()), ())).unwrap();
    }
    folder
}

#[test]
fn a_flipped_byte_is_found_and_named_in_every_file() {
    let folder = store();
    let folder = folder.path();
    let found = verified(folder).unwrap();
    assert!(found.is_whole() && found.strangers.is_empty(), "{found:?}");
    let all = files(folder);
    let kinds = ["rows.parquet", "evidence.parquet", ".names", "manifest", "ring.json", "FORMAT"];
    let others = [
        ".identity",
        ".patient",
        ".host",
        ".client",
        ".asked",
        ".said",
        "cases.db",
        "checkpoint",
        "verifier.key",
    ];
    let tiles =
        ["tile/0/000", "tile/0/002.p", "tile/entries/001", "tile/entries/002.p", "tile/1/000.p/2"];
    for kind in kinds.iter().chain(&others).chain(&tiles) {
        assert!(all.iter().any(|path| path.to_string_lossy().contains(kind)), "{kind}");
    }
    let mut flipped = 0;
    for path in all.iter().filter(|path| !is_lock(path)) {
        let good = std::fs::read(path).unwrap();
        let name = path.strip_prefix(folder).unwrap();
        let last = good.len() - 1;
        // Head, body and tail, where header, lengths, padding and tags lie.
        let body = (0..good.len()).step_by((good.len() / 16).max(1));
        for at in (0..good.len().min(12)).chain(body).chain(last.saturating_sub(12)..=last) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(path, &bad).unwrap();
            let names = named(folder);
            let is_named = names.iter().any(|named| named == name);
            assert!(is_named, "{} byte {at}: {names:?}", name.display());
            assert!(names.len() <= 2, "{} byte {at}: {names:?}", name.display());
            flipped += 1;
        }
        std::fs::write(path, &good).unwrap();
    }
    assert!(flipped > 1_000, "{flipped}");
    assert!(verified(folder).unwrap().is_whole());
}

#[test]
fn a_file_cut_short_emptied_lengthened_or_deleted_is_found_and_named() {
    let folder = store();
    let folder = folder.path();
    for path in files(folder).iter().filter(|path| !is_lock(path)) {
        let good = std::fs::read(path).unwrap();
        let name = path.strip_prefix(folder).unwrap();
        let longer = [&good[..], b"\n"].concat();
        let is_journal = path.ends_with("cases.db");
        for bad in [&good[..good.len() - 1], &good[..good.len() / 2], &[], &longer] {
            std::fs::write(path, bad).unwrap();
            let names = named(folder);
            if is_journal && names.is_empty() {
                // It only grows, and has no commit to name it: its end may be what a crash left.
                continue;
            }
            let first = names.first().unwrap_or_else(|| panic!("{} passed", name.display()));
            assert!(first == name || name.starts_with("asked"), "{}: {names:?}", name.display());
        }
        std::fs::remove_file(path).unwrap();
        // Who asked, and what the log's tiles were before, nothing names.
        let unnamed = name.starts_with("asked") || is_earlier_part(name) || is_journal;
        assert_eq!(named(folder).first().map(PathBuf::as_path), (!unnamed).then_some(name));
        std::fs::write(path, &good).unwrap();
    }
    assert!(verified(folder).unwrap().is_whole());
}

/// Holds nothing.
fn is_lock(path: &Path) -> bool {
    path.ends_with("lock") || path.ends_with("cases.lock")
}

/// Parts of the tiles that hold 641 entries as they were at 321.
fn is_earlier_part(name: &Path) -> bool {
    let name = name.to_string_lossy();
    ["/001.p/65", "tile/1/000.p/1"].iter().any(|part| name.ends_with(part))
}

#[test]
fn files_that_changed_places_are_found() {
    let folder = store();
    let folder = folder.path();
    let all = files(folder);
    for ending in ["rows.parquet", "evidence.parquet", ".identity", ".patient"] {
        let two: Vec<&PathBuf> =
            all.iter().filter(|path| path.to_string_lossy().ends_with(ending)).collect();
        swap(folder, two[0], two[1]);
    }
    for [a, b] in [["tile/0/000", "tile/0/001"], ["tile/entries/000", "tile/entries/001"]] {
        swap(folder, &folder.join("proof").join(a), &folder.join("proof").join(b));
    }
}

fn swap(folder: &Path, a: &Path, b: &Path) {
    let (in_a, in_b) = (std::fs::read(a).unwrap(), std::fs::read(b).unwrap());
    std::fs::write(a, &in_b).unwrap();
    std::fs::write(b, &in_a).unwrap();
    let names = named(folder);
    let below = |path: &Path| path.strip_prefix(folder).unwrap().to_owned();
    assert!(names.contains(&below(a)) && names.contains(&below(b)), "{names:?}");
    std::fs::write(a, &in_a).unwrap();
    std::fs::write(b, &in_b).unwrap();
    assert!(verified(folder).unwrap().is_whole());
}

#[test]
fn the_row_group_and_the_column_are_named() {
    let folder = store();
    let folder = folder.path();
    let path = folder.join("segments/00000001.rows.parquet");
    let good = std::fs::read(&path).unwrap();
    let mut columns = Vec::new();
    for at in (10..good.len()).step_by(25) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        std::fs::write(&path, &bad).unwrap();
        let found = verified(folder).unwrap();
        assert_eq!((found.good_segments, found.segments), (1, 2));
        if let Place::Column { row_group: 0, column, from, to } = &found.faults[0].place {
            assert!((*from..*to).contains(&(at as u64)), "byte {at} in {from} to {to}");
            columns.push(column.clone());
        }
    }
    columns.dedup();
    assert!(columns.starts_with(&["at".to_owned(), "identity".to_owned()]), "{columns:?}");
    assert!(columns.contains(&"patient".to_owned()) && columns.contains(&"flags".to_owned()));
}

/// The whole folder as it was a commit ago opens and verifies; only a checkpoint from elsewhere tells.
#[test]
fn an_old_copy_put_back_and_another_history_are_found_with_a_checkpoint_kept_elsewhere() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = look_ups(21, 300);
    write(folder.path(), &all[..100], 100);
    copy(folder.path(), other.path());
    let early = checkpoint(folder.path());
    write(folder.path(), &all[100..200], 100);
    let late = checkpoint(folder.path());
    let against = |folder: &Path, note: &str| {
        let outside = [(PathBuf::from("kept"), note.to_owned())];
        let found = verify(folder, &kek(), Depth::Bytes, &outside).unwrap();
        found.faults.into_iter().map(|fault| fault.what).next()
    };
    assert_eq!((against(folder.path(), &early), against(folder.path(), &late)), (None, None));
    assert!(verified(other.path()).unwrap().is_whole());
    let rolled_back = CheckpointError::RolledBack { outside: 202, here: 101 };
    assert_eq!(against(other.path(), &late), Some(What::Checkpoint(rolled_back)));
    // From the old copy somebody goes on with other look-ups.
    write(other.path(), &all[200..], 100);
    assert!(verified(other.path()).unwrap().is_whole());
    let forked = CheckpointError::Forked { size: 202 };
    assert_eq!(against(other.path(), &late), Some(What::Checkpoint(forked)));
    assert_eq!(against(other.path(), &early), None);
}

#[test]
fn a_checkpoint_under_another_key_is_refused() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = look_ups(22, 50);
    write(folder.path(), &all, 50);
    let mut writer = Writer::open(other.path(), "test-trust", kek(), chance(99)).unwrap();
    let mut frame = Frame::default();
    for plain in &all {
        frame.push(&record(plain), plain.original.as_bytes(), "input");
    }
    writer.take(&frame, now()).unwrap();
    writer.commit(now()).unwrap();
    drop(writer);
    let foreign = checkpoint(other.path());
    std::fs::write(folder.path().join("proof/checkpoint"), &foreign).unwrap();
    let found = verified(folder.path()).unwrap();
    assert!(matches!(found.faults[0].what, What::Checkpoint(CheckpointError::OtherLog { .. })));
    // Under our name, but signed by the other key.
    let (ours, theirs) = (signer(folder.path()), signer(other.path()));
    let forged = foreign.replace(&theirs, &ours);
    std::fs::write(folder.path().join("proof/checkpoint"), forged).unwrap();
    let found = verified(folder.path()).unwrap();
    assert!(matches!(found.faults[0].what, What::Checkpoint(CheckpointError::OtherKey)));
    let wrong = Kek::read(&[8; 32]).unwrap();
    assert!(verify(folder.path(), &wrong, Depth::Bytes, &[]).unwrap_err().is_refusal());
}

/// A crash may leave the checkpoint before; anything older was put there.
#[test]
fn an_older_published_checkpoint_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(23, 90);
    let mut published = Vec::new();
    for part in all.chunks(30) {
        write(folder.path(), part, 30);
        published.push(checkpoint(folder.path()));
    }
    let put = |text: &str| std::fs::write(folder.path().join("proof/checkpoint"), text).unwrap();
    put(&published[1]);
    let found = verified(folder.path()).unwrap();
    assert!(found.is_whole() && found.published_late);
    put(&published[0]);
    assert_eq!(named(folder.path()), [Path::new("proof/checkpoint")]);
    // Whoever opens the store for writing publishes what is in force.
    drop(Writer::open(folder.path(), "test-trust", kek(), chance(1)).unwrap());
    assert!(!verified(folder.path()).unwrap().published_late);
}

fn checkpoint(folder: &Path) -> String {
    let published = std::fs::read_to_string(folder.join("proof/checkpoint")).unwrap();
    assert_eq!(Store::open(folder, &kek()).unwrap().last_checkpoint().unwrap(), published);
    published
}

fn signer(folder: &Path) -> String {
    Store::open(folder, &kek()).unwrap().signer().unwrap().origin().to_owned()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&path, target).unwrap();
    }
}
