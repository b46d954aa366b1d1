//! Programs that are not ours check our proofs: Go's own `sumdb`, and the verifier that ships beside
//! bavn. Where an interpreter is missing, the test says so and checks nothing.

use crate::region::{Dice, look_ups, open, write};
use bavn_store::{Opening, Store};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A log of several commits, its verifier key and its checkpoints in files.
struct Log {
    folder: tempfile::TempDir,
    checkpoints: Vec<String>,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let all = look_ups(41, 2_600);
        let mut checkpoints = Vec::new();
        for part in [&all[..1], &all[1..255], &all[255..300], &all[300..1_500], &all[1_500..]] {
            write(&store, part, part.len());
            checkpoints.push(open(&store).last_checkpoint().unwrap());
        }
        Self { folder, checkpoints }
    }

    fn store(&self) -> Store {
        open(&self.folder.path().join("store"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self) -> PathBuf {
        self.path("store/proof/verifier.key")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn consistency(&self, older: usize, newer: usize) -> String {
        let (older, newer) = (&self.checkpoints[older], &self.checkpoints[newer]);
        self.store().prove_consistency(older, newer).unwrap().unwrap()
    }
}

fn is_there(program: &str, arguments: &[&str]) -> bool {
    let ran = Command::new(program).args(arguments).output();
    ran.is_ok_and(|output| output.status.success())
}

/// Past the capture of what tests print: whoever runs them must see it.
fn skip(why: &str) {
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

/// Of entries drawn from all over the log.
const PROOFS: u64 = 10_000;

#[test]
fn go_checks_the_checkpoint_and_random_proofs_each_also_with_a_bit_flipped() {
    let source = "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog";
    if !is_there("go", &["version"]) || !Path::new(source).exists() {
        skip("no Go with golang.org/x/mod (Debian: golang-go golang-golang-x-mod-dev)");
        return;
    }
    let log = Log::new();
    let (store, mut list, mut dice) = (log.store(), String::new(), Dice(41));
    let entries = store.as_of().entries;
    for number in 0..PROOFS {
        let receipt = store.prove(dice.below(entries), Opening::Hidden).unwrap();
        let path = log.file(&format!("{number}.tlog-proof"), &receipt.text);
        writeln!(list, "inclusion {}", path.display()).unwrap();
    }
    let count = log.checkpoints.len();
    for (older, newer) in
        (0..count).flat_map(|older| (older..count).map(move |newer| (older, newer)))
    {
        let path = log.file(&format!("{older}-{newer}"), &log.consistency(older, newer));
        writeln!(list, "consistency {}", path.display()).unwrap();
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/proof/verify.go");
    let mut go = Command::new("go")
        .args(["run", program.to_str().unwrap()])
        .arg(log.key())
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", log.path("go-cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    go.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let output = go.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, format!("held: {PROOFS} inclusion, 15 consistency\n"));
}

fn python(log: &Log, arguments: &[&Path]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/verify_proof.py");
    Command::new("python3").arg(script).arg(log.key()).args(arguments).output().unwrap()
}

fn no_python() -> bool {
    let missing = !is_there("python3", &["--version"]);
    if missing {
        skip("there is no python3");
    }
    missing
}

#[test]
fn the_shipped_verifier_checks_proofs_and_refuses_changed_ones() {
    if no_python() {
        return;
    }
    let log = Log::new();
    let store = log.store();
    let proves = |text: &str| python(&log, &[&log.file("proof", text)]).status.code();
    for index in [0, 1, 255, 256, 257, 1_500, store.as_of().entries - 1] {
        for opening in [Opening::Hidden, Opening::Shown] {
            assert_eq!(proves(&store.prove(index, opening).unwrap().text), Some(0), "{index}");
        }
    }
    for (older, newer) in [(0, 4), (1, 2), (2, 4), (3, 3)] {
        assert_eq!(proves(&log.consistency(older, newer)), Some(0), "{older} to {newer}");
    }
    let (inclusion, joined) =
        (store.prove(1_000, Opening::Shown).unwrap().text, log.consistency(2, 4));
    for good in [&inclusion, &joined] {
        for at in (0..good.len()).step_by(good.len() / 20) {
            let mut bad = good.clone().into_bytes();
            bad[at] ^= 1;
            let Ok(bad) = String::from_utf8(bad) else { continue };
            assert_eq!(proves(&bad), Some(1), "byte {at}: {bad}");
        }
    }
    let shown = String::from_utf8(python(&log, &[&log.file("proof", &inclusion)]).stdout).unwrap();
    assert!(shown.contains("reader: Practitioner/secret-"), "{shown}");
    assert!(shown.contains("as the source wrote it: <original of"), "{shown}");
    assert_eq!(python(&log, &[]).status.code(), Some(2));
}

#[test]
fn the_shipped_verifier_checks_a_copy_of_the_whole_log() {
    if no_python() {
        return;
    }
    let log = Log::new();
    let proof = log.path("store/proof");
    let kept = log.file("kept", &log.checkpoints[3]);
    assert_eq!(python(&log, &[&proof, &kept]).status.code(), Some(0));
    for part in ["tile/0/003", "tile/entries/004", "tile/1/000.p/10", "checkpoint"] {
        let path = proof.join(part);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        std::fs::write(&path, bad).unwrap();
        assert_eq!(python(&log, &[&proof]).status.code(), Some(1), "{part}");
        std::fs::write(&path, good).unwrap();
    }
    // The log of another store under the same key, longer by other look-ups.
    let other = Log { folder: tempfile::tempdir().unwrap(), checkpoints: Vec::new() };
    write(&other.path("store"), &look_ups(42, 3_000), 3_000);
    let output = python(&other, &[&other.path("store/proof"), &kept]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("another history"), "{words}");
}
