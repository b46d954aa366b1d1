//! What can go wrong with a store: each has its exit code, and a sentence that says what is wrong, what
//! is still good and what to do.

use super::store::{Place, listed, scan};
use super::{bavn, path, stderr, stdout};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The exit code, and the words to the letter.
fn is(output: &Output, code: i32, words: &str) {
    assert_eq!(stderr(output), words);
    assert_eq!(output.status.code(), Some(code));
    assert_eq!(stdout(output), "");
}

fn scope(place: &Place) -> Output {
    place.ask(&["scope", "--identity", "nurse-1"])
}

fn watch(place: &Place, count: u32) -> Output {
    place.watch(&place.source(count)).stderr(Stdio::piped()).output().unwrap()
}

/// The store answers for so many look-ups, as a plain scan does, and every byte is as written.
fn holds(place: &Place, count: u32) {
    place.is_whole(&[]);
    for who in [0, 3] {
        let name = format!("nurse-{who}");
        let answer = place.scope(&["--identity", &name, "--list", "--purpose", "drill"]);
        assert_eq!(listed(&answer), scan(count, |row| row.0 == who));
    }
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let place = Place::new();
    place.watched(100);
    let store = place.store();
    std::fs::write(store.join("FORMAT"), "bavn store 99\n").unwrap();
    std::fs::write(store.join("manifest"), "in a form of its own").unwrap();
    let before = contents(&store);
    for output in [scope(&place), watch(&place, 200), place.ask(&["verify"])] {
        let words = stderr(&output);
        let (first, rest) = words.split_once('\n').unwrap();
        let sentence =
            format!("error: `{}` has format 99; this release reads up to ", path(&store));
        assert!(first.starts_with(&sentence), "{words}");
        let hint =
            "  hint: nothing was changed; install the release that wrote it, or a later one\n";
        assert_eq!((rest, output.status.code()), (hint, Some(2)));
    }
    assert_eq!(contents(&store), before);
}

#[test]
fn a_foreign_folder_is_left_alone() {
    let place = Place::new();
    std::fs::create_dir(place.store()).unwrap();
    std::fs::write(place.store().join("thesis.txt"), "mine").unwrap();
    let words = format!(
        "error: `{}` is not a store of bavn\n  hint: nothing was changed; give the folder of a store, \
         or an empty one for a new store\n",
        path(&place.store())
    );
    for output in [scope(&place), watch(&place, 10), place.ask(&["verify"])] {
        is(&output, 2, &words);
    }
    assert_eq!(contents(&place.store()).len(), 1);
}

#[test]
fn the_second_of_two_writers_waits_its_turn() {
    let place = Place::new();
    let lines = std::fs::read(place.source(300)).unwrap();
    let mut first = place.watch(Path::new("-")).stdin(Stdio::piped()).spawn().unwrap();
    // A live input: the store is held for as long as it is open.
    while !place.store().join("FORMAT").exists() {
        std::thread::yield_now();
    }
    let words = format!(
        "error: `{}` is being written by another process\n  hint: nothing was changed; questions (`bavn \
         scope`, `bavn verify`) are answered meanwhile\n  hint: wait until the other has ended, or end \
         it: what it has committed is safe\n",
        path(&place.store())
    );
    is(&watch(&place, 300), 2, &words);
    assert_eq!(place.ask(&["verify"]).status.code(), Some(0));
    first.stdin.take().unwrap().write_all(&lines).unwrap();
    assert!(first.wait().unwrap().success());
    holds(&place, 300);
}

#[test]
fn changed_and_missing_files_are_named() {
    let place = Place::new();
    place.watched(400);
    let store = place.store();
    let who = || place.ask(&["who", "--patient", "secret-3", "--purpose", "drill"]);
    let good =
        "\n  hint: every other file is still good unless `bavn verify` names it too\n  hint: ";
    let restore = "keep it as evidence, and restore the file from a backup\n";
    let rows = store.join("segments/00000001.rows.parquet");
    let whole = std::fs::read(&rows).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 3] ^= 1;
    std::fs::write(&rows, &changed).unwrap();
    let words = format!("error: `{}` was changed: ", path(&rows));
    let output = who();
    assert!(stderr(&output).starts_with(&words), "{}", stderr(&output));
    assert!(stderr(&output).ends_with(&format!("{good}{restore}")), "{}", stderr(&output));
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(5), ""));

    std::fs::remove_file(&rows).unwrap();
    let missing =
        format!("error: `{}` is missing, and the last commit names it{good}", path(&rows));
    is(&who(), 5, &format!("{missing}{restore}"));
    let output = place.ask(&["verify"]);
    assert_eq!(output.status.code(), Some(5));
    let words = "error: `segments/00000001.rows.parquet`: it is missing\n  hint: still good: 0 of ";
    assert!(stderr(&output).starts_with(words), "{}", stderr(&output));

    // The disk does not give it back: a folder in its place, which nobody can read as a file.
    std::fs::create_dir(&rows).unwrap();
    let words = format!(
        "error: `{}` cannot be read, and the last commit names it\n  because: Is a directory (os error \
         21){good}{restore}",
        path(&rows)
    );
    is(&who(), 5, &words);
    std::fs::remove_dir(&rows).unwrap();
    std::fs::write(&rows, &whole).unwrap();

    let index = store.join("index/00000001-00000001.identity");
    let whole = std::fs::read(&index).unwrap();
    std::fs::remove_file(&index).unwrap();
    let missing =
        format!("error: `{}` is missing, and the last commit names it{good}", path(&index));
    let rebuild = "`bavn store rebuild-index` makes it anew from the segments\n";
    is(&scope(&place), 5, &format!("{missing}{rebuild}"));
    std::fs::write(&index, whole).unwrap();
    place.is_whole(&[]);
}

#[test]
fn a_missing_key_and_a_missing_ring_are_told_apart() {
    let place = Place::new();
    place.watched(50);
    let (store, gone) = (place.store(), place.folder.path().join("gone"));
    let ask = ["scope", "--identity", "nurse-1", "--store", path(&store)];
    let words = "error: a store opens only with its controller's key\n  hint: give `--key-file FILE` or \
                 `--key-command COMMAND`\n";
    is(&bavn(&ask), 6, words);
    let words = format!(
        "error: the key file `{}` cannot be read\n  because: No such file or directory (os error 2)\n",
        path(&gone)
    );
    is(&bavn(&[&ask[..], &["--key-file", path(&gone)]].concat()), 6, &words);
    bavn(&["store", "make-key", path(&gone)]);
    let words = "error: the key is not that of controller `region`; nothing was changed\n  hint: without \
                 the controller's own key nobody can read this store\n";
    is(&bavn(&[&ask[..], &["--key-file", path(&gone)]].concat()), 6, words);
    let ring = store.join("keys/ring.json");
    std::fs::rename(&ring, &gone).unwrap();
    let words = format!(
        "error: `{}` is missing, and the last commit names it\n  hint: every other file is still good \
         unless `bavn verify` names it too\n  hint: keep it as evidence, and restore the file from a \
         backup\n",
        path(&ring)
    );
    for output in [scope(&place), watch(&place, 60), place.ask(&["verify"])] {
        is(&output, 5, &words);
    }
    std::fs::rename(&gone, &ring).unwrap();
    holds(&place, 50);
}

#[test]
fn a_checkpoint_under_another_key_is_no_proof() {
    let (place, other) = (Place::new(), Place::new());
    place.watched(50);
    other.watched(50);
    let foreign = place.folder.path().join("foreign");
    std::fs::write(&foreign, other.ask(&["proof", "checkpoint"]).stdout).unwrap();
    let origin = std::fs::read_to_string(&foreign).unwrap().lines().next().unwrap().to_owned();
    let words = format!(
        "error: `{}`: it is of another log, `{origin}`\n  hint: still good: 1 of 1 segments with 50 of 50 \
         look-ups, and everything not named here\n  hint: make sure that the checkpoint is of this store \
         (`bavn proof key`); if it is, this store is not\n",
        path(&foreign)
    );
    is(&place.ask(&["verify", "--checkpoint", path(&foreign)]), 5, &words);
}

/// A disk of its own, of which a test can take away all room; none if this user may not mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: &Place) -> Option<Self> {
        let folder = place.store();
        std::fs::create_dir(&folder).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=16m", "tmpfs", path(&folder)];
        let mounted = Command::new("mount").args(options).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    fn is_writable(&self, yes: bool) {
        let options = if yes { "remount,rw" } else { "remount,ro" };
        let arguments = ["-o", options, path(&self.0)];
        assert!(Command::new("mount").args(arguments).status().unwrap().success());
    }

    /// Fills it up until so many bytes are left.
    fn leave(&self, bytes: u64) {
        let filler = self.0.join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write(&[0; 1 << 12]).is_ok_and(|written| written == 1 << 12) {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(bytes)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ended = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Past the capture of what tests print: whoever runs them must see it.
fn skip(why: &str) {
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

const ROOM: &str = "  hint: everything up to the last commit is safe, and nothing is stored twice\n  hint: \
                    make room, then run the same again\n";

#[test]
fn a_full_disk_loses_nothing_that_was_committed() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place) else {
        skip("only root can fill a disk of its own; files that may not grow are tested instead");
        return;
    };
    place.watched(200);
    let mut failed = 0;
    let mut count = 200;
    for kilobytes in [0, 4, 12, 24, 40, 64, 96, 128, 180, 240, 320] {
        disk.leave(kilobytes << 10);
        let output = watch(&place, count + 400);
        let words = stderr(&output);
        if output.status.success() {
            count += 400;
            disk.make_room();
            continue;
        }
        failed += 1;
        assert_eq!(output.status.code(), Some(2), "{kilobytes}: {words}");
        assert!(words.starts_with(&format!("error: `{}", path(&place.store()))), "{words}");
        assert!(words.contains("No space left on device (os error 28)"), "{words}");
        assert!(words.ends_with(ROOM), "{kilobytes}: {words}");
        // Even without room, what was committed can be read.
        assert_eq!(place.ask(&["verify"]).status.code(), Some(0), "{kilobytes}");
        let stored = place.scope(&["--identity", "nurse-3"]);
        assert!(stored["as_of"]["look_ups"].as_u64().unwrap() >= u64::from(count));
        disk.make_room();
        count += 400;
        place.watched(count);
        holds(&place, count);
    }
    assert!(failed >= 5, "{failed}");
    holds(&place, count);
}

/// Where nobody may mount a disk: no file may grow beyond a size.
#[test]
fn files_that_may_not_grow_lose_nothing_that_was_committed() {
    let place = Place::new();
    place.watched(200);
    let mut failed = 0;
    for blocks in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
        let watch = place.watch(&place.source(900));
        let output = Command::new("sh")
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
            .arg(watch.get_program())
            .args(watch.get_args())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        if output.status.success() {
            break;
        }
        failed += 1;
        let words = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{blocks}: {words}");
        assert!(words.contains("File too large (os error 27)"), "{blocks}: {words}");
        assert!(words.ends_with(ROOM), "{blocks}: {words}");
        holds(&place, 200);
    }
    assert!(failed >= 3, "{failed}");
    place.watched(900);
    holds(&place, 900);
}

#[test]
fn a_read_only_disk_answers_and_takes_nothing() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place) else {
        skip("only root can mount a disk that is read-only");
        return;
    };
    place.watched(200);
    disk.is_writable(false);
    assert_eq!(scope(&place).status.code(), Some(0));
    assert_eq!(place.ask(&["verify"]).status.code(), Some(0));
    let hints = "\n  because: Read-only file system (os error 30)\n  hint: what is stored can be asked for \
                 (`bavn scope`, `bavn verify`), but names cannot: asking for them is itself stored\n  hint: \
                 make the disk writable, then run the same again\n";
    let words = format!("error: `{}` cannot be written{hints}", path(&place.store().join("lock")));
    is(&watch(&place, 300), 2, &words);
    let output = place.ask(&["who", "--patient", "secret-3", "--purpose", "drill"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    assert!(stderr(&output).ends_with(hints), "{}", stderr(&output));
    disk.is_writable(true);
    place.watched(300);
    holds(&place, 300);
}

/// The machine's clock is behind the store's last commit: set back, or once set forward.
#[test]
fn a_clock_that_jumped_back_is_told_and_the_store_goes_on() {
    let place = Place::new();
    place.watched(100);
    let kek = bavn_store::Kek::read(&std::fs::read(place.key()).unwrap()).unwrap();
    let chance = Box::new(|bytes: &mut [u8]| getrandom::fill(bytes).is_ok());
    let mut writer = bavn_store::Writer::open(&place.store(), "region", kek, chance).unwrap();
    let tomorrow = bavn_model::Timestamp::parse("2099-01-01T00:00:00Z").unwrap().0;
    let mut frame = bavn_store::Frame::default();
    let line = super::audit_event("e100", "2024-03-01T01:01:40Z", "nurse-9", "secret-1");
    let record =
        bavn_decode::fhir::read_json(line.as_bytes(), bavn_model::Origin::default()).unwrap();
    frame.push(&record, line.as_bytes(), "elsewhere");
    writer.take(&frame, tomorrow).unwrap();
    writer.commit(tomorrow).unwrap();
    drop(writer);
    let output = watch(&place, 200);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let words = "warning: the clock of this machine is behind the store, whose last commit was at \
                 2099-01-01T00:00:00Z\n  hint: every look-up is stored; until the clock has passed that \
                 time, commits bear it, and the log says so\n  hint: set the clock\n";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    place.is_whole(&[]);
    let answer = place.scope(&["--identity", "nurse-3"]);
    assert_eq!(answer["as_of"]["committed_at"], "2099-01-01T00:00:00Z");
    assert_eq!(answer["as_of"]["look_ups"], 201);
}

/// Every file of a folder with its bytes.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}
