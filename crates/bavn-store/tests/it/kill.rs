//! A process that writes is killed at random instants; what it said was committed must be there.
//!
//! The process is this test program itself, started with [`WRITES_TO`] set. It tells each commit, so
//! what was acknowledged is known to the line.

use crate::region::{Plain, chance, kek, look_ups, now, open, record};
use crate::same_as_scan::{fast_scope, slow_scope};
use bavn_store::{Depth, Frame, Subject, Window, Writer, verify};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The store that the killed process writes, if this is that process.
const WRITES_TO: &str = "BAVN_KILLED_WRITES_TO";
const SEED: &str = "BAVN_KILLED_SEED";
/// How often to kill: at least 300 in every run of the tests.
const KILLS: &str = "BAVN_KILLS";
const KILLS_MIN: u64 = 300;
/// A store gets slower to check as it grows, so there are several.
const KILLS_A_STORE: u64 = 25;
/// Look-ups that one store can come to; whoever has written all waits to be killed.
const LOOK_UPS_MAX: usize = 6_000;

/// Not a test of its own: the process that is killed.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(WRITES_TO) else { return };
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let all = look_ups(seed, LOOK_UPS_MAX);
    let mut dice = crate::region::Dice(u64::from(std::process::id()));
    let drawn = chance(dice.below(u64::MAX));
    let mut writer = Writer::open(Path::new(&folder), "test-trust", kek(), drawn).unwrap();
    let mut next = writer.rows() as usize;
    tell(&folder, 0);
    while next < all.len() {
        // An input is read again from before the last commit; what is known must stay known.
        let from = next.saturating_sub(dice.below(60) as usize);
        let until = all.len().min(next + 1 + dice.below(40) as usize);
        let mut frame = Frame::default();
        for plain in &all[from..until] {
            frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
        }
        writer.take(&frame, now()).unwrap();
        writer.commit(now()).unwrap();
        next = until;
        tell(&folder, next);
    }
    // Until it is killed, or whoever would do that is gone.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Look-ups committed, and the checkpoint that everybody can see by then, on one line.
fn tell(folder: &std::ffi::OsStr, look_ups: usize) {
    let checkpoint = std::fs::read_to_string(Path::new(folder).join("proof/checkpoint")).unwrap();
    let line = format!("\n{ACKNOWLEDGED}{look_ups} {}\n", checkpoint.replace('\n', "|"));
    // Past the capture of what tests print.
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

const ACKNOWLEDGED: &str = "acknowledged ";

fn start(folder: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(WRITES_TO, folder)
        .env(SEED, seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What was acknowledged before the process died: the number of look-ups, and every checkpoint.
fn acknowledged(child: &mut Child) -> (u64, Vec<String>) {
    let (mut look_ups, mut checkpoints) = (0, Vec::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        let Some((number, checkpoint)) =
            line.strip_prefix(ACKNOWLEDGED).and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        // A line that the kill cut short was not said.
        if checkpoint.ends_with('|') {
            look_ups = number.parse().unwrap();
            checkpoints.push(checkpoint.replace('|', "\n"));
        }
    }
    (look_ups, checkpoints)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the instants to kill at are real ones")]
fn killed_at_random_instants_no_acknowledged_look_up_is_lost_and_none_doubled() {
    let kills = std::env::var(KILLS).map_or(KILLS_MIN, |kills| kills.parse().unwrap());
    let mut dice = crate::region::Dice(kills);
    let (mut killed, mut stored, mut lost, mut with_commits) = (0, 0, 0, 0);
    while killed < kills {
        let folder = place();
        let seed = dice.below(1 << 40);
        let all = look_ups(seed, LOOK_UPS_MAX);
        let (mut acknowledged_before, mut kept) = (0, Vec::new());
        // How long a start and some commits take, on this machine today.
        let started = Instant::now();
        let mut child = start(folder.path(), seed);
        std::thread::sleep(WARM_UP);
        child.kill().unwrap();
        child.wait().unwrap();
        let first = acknowledged(&mut child);
        let span = started.elapsed().max(WARM_UP);
        for round in 0..KILLS_A_STORE {
            let mut child = start(folder.path(), seed);
            std::thread::sleep(span.mul_f64(dice.below(1_000) as f64 / 1_000.0));
            child.kill().unwrap();
            assert!(child.wait().unwrap().code().is_none(), "it ended before it was killed");
            killed += 1;
            let (mut look_ups, mut checkpoints) = acknowledged(&mut child);
            if round == 0 {
                look_ups = look_ups.max(first.0);
                checkpoints.extend(first.1.clone());
            }
            with_commits += u64::from(look_ups > 0);
            acknowledged_before = look_ups.max(acknowledged_before);
            if !folder.path().join("FORMAT").exists() {
                assert_eq!(acknowledged_before, 0, "what was acknowledged has no store");
                continue;
            }
            kept.extend(checkpoints.into_iter().map(|text| (PathBuf::from("kept"), text)));
            let look_ups = is_whole(folder.path(), &kept, round % 5 == 0);
            lost += acknowledged_before.saturating_sub(look_ups);
            assert!(look_ups >= acknowledged_before, "{look_ups} of {acknowledged_before}");
            let published = std::fs::read_to_string(folder.path().join("proof/checkpoint"));
            kept.push((PathBuf::from("published"), published.unwrap()));
            is_prefix(
                folder.path(),
                &all[..look_ups as usize],
                &mut dice,
                round + 1 == KILLS_A_STORE,
            );
            if round + 1 == KILLS_A_STORE {
                stored += look_ups;
            }
        }
    }
    assert!(with_commits > kills / 10, "{with_commits} of {kills} had committed before the kill");
    println!(
        "{killed} kills, {with_commits} after a commit: {stored} look-ups, {lost} lost, 0 doubled"
    );
}

/// Memory if there is any: a kill takes nothing from the disk that was written, and the instants
/// should not all fall into waiting for it.
fn place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
}

/// Every byte, now and then every look-up; and no checkpoint that was ever seen is contradicted.
/// Returns how many look-ups there are.
fn is_whole(folder: &Path, kept: &[(PathBuf, String)], every_look_up: bool) -> u64 {
    let depth = if every_look_up { Depth::LookUps } else { Depth::Bytes };
    let recent = kept.get(kept.len().saturating_sub(20)..).unwrap();
    let outside = if every_look_up { kept } else { recent };
    let found = verify(folder, &kek(), depth, outside).unwrap();
    assert!(found.is_whole(), "{:?}", found.faults);
    assert_eq!(found.agreed.len(), outside.len());
    assert_eq!(found.good_look_ups, found.look_ups);
    found.look_ups
}

/// The store holds exactly these look-ups, each once: asked of one reader, or of all.
fn is_prefix(folder: &Path, plain: &[Plain], dice: &mut crate::region::Dice, of_all: bool) {
    let one = dice.below(12);
    for number in (0..12).filter(|&number| of_all || number == one) {
        let name = format!("Practitioner/secret-{number}");
        let is_it = |plain: &Plain| plain.who.as_ref() == Some(&name);
        if !plain.iter().any(is_it) {
            continue;
        }
        let subject = Subject::Identities(vec![name.clone()]);
        let slow = slow_scope(plain, is_it, Window::ALL);
        assert_eq!(fast_scope(folder, &subject, Window::ALL), slow, "{name}");
    }
    assert_eq!(open(folder).as_of().look_ups, plain.len() as u64);
}

/// Time for a start and a handful of commits.
const WARM_UP: Duration = Duration::from_millis(250);
