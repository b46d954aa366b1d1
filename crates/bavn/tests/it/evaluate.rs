//! The bar is measured by one command, and the command says what was wrong with it.

use crate::bavn;
use std::fs;

#[test]
fn a_quick_evaluation_writes_the_table_and_the_curves() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("evaluation");
    let out = out.to_str().unwrap();
    let run = bavn(&["drill", "evaluate", "--quick", "--without", "break_glass", "--out", out]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let table = String::from_utf8(run.stdout).unwrap();
    for row in ["above all: identities named", "API paging at random", "innocent: locum"] {
        assert!(table.contains(row), "{table}");
    }
    assert!(table.starts_with("`bavn drill evaluate --quick"), "{table}");
    assert!(table.contains("--without break_glass --out evaluation`"));
    // Among hundreds stolen in an hour, somebody must have been named.
    let csv = fs::read_to_string(format!("{out}/table.csv")).unwrap();
    let burst = csv.lines().find(|line| line.contains("burst of 3,000")).unwrap();
    assert!(burst.contains("named at all 1"), "{burst}");
    for curve in ["recall-against-budget", "lost-against-time"] {
        let svg = fs::read_to_string(format!("{out}/{curve}.svg")).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("<polyline points=\"6"), "{curve}");
        assert!(fs::read_to_string(format!("{out}/{curve}.csv")).unwrap().lines().count() > 3);
    }
}

#[test]
fn what_cannot_be_left_out_is_refused() {
    let run = bavn(&["drill", "evaluate", "--quick", "--without", "luck", "--out", "unused"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("there is no detector `luck`"));
}
