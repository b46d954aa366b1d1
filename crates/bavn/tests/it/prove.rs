//! `bavn verify` and `bavn proof`, as whoever must answer for a store meets them.

use super::store::Place;
use super::{bavn, path, stderr, stdout};
use std::path::{Path, PathBuf};

fn keep(place: &Place, name: &str) -> PathBuf {
    let file = place.folder.path().join(name);
    std::fs::write(&file, place.ask(&["proof", "checkpoint"]).stdout).unwrap();
    file
}

#[test]
fn a_whole_store_is_zero_a_changed_one_five_and_a_wrong_key_six() {
    let place = Place::new();
    place.watched(700);
    let kept = keep(&place, "kept");
    place.is_whole(std::slice::from_ref(&kept));
    let plain = stdout(&place.ask(&["verify"]));
    assert!(
        plain.contains("700 look-ups") && plain.contains("no checkpoint from elsewhere"),
        "{plain}"
    );
    let other = place.folder.path().join("other");
    bavn(&["store", "make-key", path(&other)]);
    let wrong = bavn(&["verify", "--store", path(&place.store()), "--key-file", path(&other)]);
    assert_eq!(wrong.status.code(), Some(6), "{}", stderr(&wrong));

    let rows = place.store().join("segments/00000001.rows.parquet");
    let good = std::fs::read(&rows).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 3] ^= 1;
    std::fs::write(&rows, bad).unwrap();
    let output = place.ask(&["verify"]);
    assert_eq!(output.status.code(), Some(5));
    let words = stderr(&output);
    assert!(words.contains("rows.parquet`, row group 0, column `"), "{words}");
    assert!(words.contains("still good: 0 of 1 segments"), "{words}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&place.ask(&["verify", "--json"]))).unwrap();
    assert_eq!((&json["whole"], json["faults"].as_array().unwrap().len()), (&false.into(), 1));
    std::fs::write(&rows, good).unwrap();
    place.is_whole(&[kept]);
}

#[test]
fn an_old_copy_put_back_is_found_with_a_checkpoint() {
    let place = Place::new();
    place.watched(100);
    let (early, old) = (keep(&place, "early"), place.folder.path().join("old"));
    copy(&place.store(), &old);
    place.watched(200);
    let late = keep(&place, "late");
    let proven = place.ask(&["proof", "consistency", "--from", path(&early), "--to", path(&late)]);
    assert!(stdout(&proven).starts_with("bavn/consistency-proof@v1\n"), "{}", stderr(&proven));
    std::fs::remove_dir_all(place.store()).unwrap();
    std::fs::rename(&old, place.store()).unwrap();
    place.is_whole(&[early]);
    let output = place.ask(&["verify", "--checkpoint", path(&late)]);
    assert_eq!(output.status.code(), Some(5));
    assert!(stderr(&output).contains("put back to an earlier state"), "{}", stderr(&output));
    assert_eq!(place.ask(&["proof", "consistency", "--from", path(&late)]).status.code(), Some(5));
}

#[test]
fn a_proof_that_shows_names_needs_a_purpose_and_is_itself_a_look_up() {
    let place = Place::new();
    place.watched(300);
    let source = place.folder.path().join("source.ndjson");
    let decoded = stdout(&bavn(&["decode", path(&source)]));
    let first: serde_json::Value = serde_json::from_str(decoded.lines().nth(41).unwrap()).unwrap();
    let id = first["id"].as_str().unwrap();
    let hidden = place.ask(&["proof", "inclusion", "--event", id]);
    assert!(stdout(&hidden).contains("\nindex 41\n"), "{}", stdout(&hidden));
    assert!(hidden.stdout.len() < 2_048);
    let show = ["proof", "inclusion", "--event", id, "--show"];
    let refused = place.ask(&show);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(6), 0));
    let shown = place.ask(&[&show[..], &["--purpose", "case 9"]].concat());
    assert!(shown.stdout.len() > hidden.stdout.len() + 500, "{}", stderr(&shown));
    // Asking was a commit of its own: a look-up, and the commit's entry.
    let size = |text: &str| text.lines().nth(1).unwrap().parse::<u64>().unwrap();
    assert_eq!(size(&stdout(&place.ask(&["proof", "checkpoint"]))), 301 + 2);
    let far = place.ask(&["proof", "inclusion", "--entry", "999"]);
    assert_eq!(far.status.code(), Some(2), "{}", stderr(&far));
    for unknown in ["--event=00", "--event=ffffffffffffffffffffffffffffffff"] {
        assert_eq!(place.ask(&["proof", "inclusion", unknown]).status.code(), Some(2));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
