//! Does a store survive what can happen to it, in the long run?
//!
//! The tests do this in small each time; here the process that writes is killed as often as one likes.

use crate::shell;
use anyhow::Result;

/// Runs the tests that kill, cut, fill and lock; whether all passed.
pub(crate) fn run(kills: &str) -> Result<bool> {
    let kills: u32 = kills.parse()?;
    let mut all = true;
    for (package, tests) in TESTS {
        let mut command = shell::cargo(&["test", "--package", package, "--test", "it", "--"]);
        command.args(*tests).arg("--nocapture").env("BAVN_KILLS", kills.to_string());
        all &= shell::succeeds(&mut command)?;
    }
    Ok(all)
}

/// By package, which tests.
const TESTS: &[(&str, &[&str])] =
    &[("bavn-store", &["kill::", "reads::", "verify::"]), ("bavn", &["faults::", "killed_at"])];
