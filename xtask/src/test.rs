//! Is everything as it should be?
//!
//! Every check in one order, cheap ones first, the test suites last. All share the dev profile, so
//! that a cold build compiles each dependency once for checking and once for running.

use crate::{browser, docs, peers, product, shell, smoke, tidy};
use anyhow::{Context as _, Result};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What became of one check.
enum Verdict {
    Passed,
    Failed,
    Skipped(&'static str),
}

struct Check {
    name: &'static str,
    run: fn() -> Result<Verdict>,
}

const CHECKS: &[Check] = &[
    Check { name: "fmt", run: fmt },
    Check { name: "tidy", run: || tidy::run().map(verdict) },
    Check { name: "deny", run: deny },
    Check { name: "clippy", run: clippy },
    Check { name: "doc", run: doc },
    Check { name: "manual", run: || docs::are_current().map(verdict) },
    Check { name: "schemas", run: || smoke::schemas().map(verdict) },
    Check { name: "benches", run: || smoke::benches().map(verdict) },
    Check { name: "browser", run: browser },
    Check { name: "programs", run: programs },
];

/// Runs every check, then every test; prints the sum of both as the last line.
pub(crate) fn run(require_all: bool) -> Result<bool> {
    let mut sum = Sum::default();
    let mut report = Vec::new();
    for check in CHECKS {
        println!("== {}", check.name);
        let (verdict, took) = timed(check.run);
        let word = match verdict {
            Ok(Verdict::Passed) => "ok".to_owned(),
            Ok(Verdict::Failed) => "FAILED".to_owned(),
            Ok(Verdict::Skipped(why)) => format!("skipped: {why}"),
            Err(error) => format!("FAILED: {error:#}"),
        };
        let skipped = word.starts_with("skipped");
        sum.add(word == "ok", skipped && !require_all);
        report.push(format!("{:<8} {:>4} s  {word}", check.name, took.as_secs()));
    }
    println!("== tests");
    let (tests, took) = timed(tests);
    let tests = tests?;
    sum.passed += tests.passed;
    sum.failed += tests.failed;
    report.push(format!(
        "{:<8} {:>4} s  {} passed, {} failed",
        "tests",
        took.as_secs(),
        tests.passed,
        tests.failed
    ));
    println!("\n{}", report.join("\n"));
    println!("{} passed, {} failed", sum.passed, sum.failed);
    Ok(sum.failed == 0)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    passed: u64,
    failed: u64,
}

impl Sum {
    fn add(&mut self, passed: bool, skipped: bool) {
        match (passed, skipped) {
            (true, _) => self.passed += 1,
            (false, true) => {}
            (false, false) => self.failed += 1,
        }
    }

    /// Adds what a line of a test suite says; other lines say nothing.
    fn read(&mut self, line: &str) {
        let Some(rest) = line.trim_start().strip_prefix("test result: ") else { return };
        for part in rest.split([';', '.']) {
            match part.trim().split_once(' ') {
                Some((count, "passed")) => self.passed += count.parse().unwrap_or(0),
                Some((count, "failed")) => self.failed += count.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

fn fmt() -> Result<Verdict> {
    shell::succeeds(&mut shell::cargo(&["fmt", "--all", "--check"])).map(verdict)
}

fn clippy() -> Result<Verdict> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    shell::succeeds(&mut shell::cargo(&arguments)).map(verdict)
}

fn doc() -> Result<Verdict> {
    let mut command =
        shell::cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    // Private items are documented too, so a link to one leads somewhere.
    let flags = "-D warnings -A rustdoc::private-intra-doc-links";
    shell::succeeds(command.env("RUSTDOCFLAGS", flags)).map(verdict)
}

/// Licences are a rule of `tidy` as well, which needs no further tool; advisories need the world.
fn deny() -> Result<Verdict> {
    let installed = shell::cargo(&["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        return Ok(Verdict::Skipped("cargo-deny is not installed (cargo install cargo-deny)"));
    }
    if !shell::succeeds(&mut shell::cargo(&["deny", "check", "bans", "licenses", "sources"]))? {
        return Ok(Verdict::Failed);
    }
    let advisories = shell::cargo(&["deny", "check", "advisories"]).output()?;
    let words = String::from_utf8_lossy(&advisories.stderr);
    if advisories.status.success() {
        return Ok(Verdict::Passed);
    }
    if words.contains("failed to fetch advisory database") {
        return Ok(Verdict::Skipped("the advisory database cannot be reached"));
    }
    println!("{words}");
    Ok(Verdict::Failed)
}

/// Every page of the console in Chromium; each pair of language, colours and width, since
/// `cargo xtask walk` has all of them.
fn browser() -> Result<Verdict> {
    match browser::Tools::ready()? {
        Ok(tools) => browser::walk_with(&tools, false, None).map(verdict),
        Err(missing) => Ok(Verdict::Skipped(missing)),
    }
}

/// The programs that tests read a segment with: fetched here, run there.
fn programs() -> Result<Verdict> {
    let folder = python_folder()?;
    for (module, package) in [("pyarrow", "pyarrow>=20"), ("pyspark", "pyspark>=4,<5")] {
        if peers::python(&folder, module, package).is_none() {
            return Ok(Verdict::Skipped(
                "python3 with venv and pip could not fetch pyarrow, pyspark",
            ));
        }
    }
    let home = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let java = home.map_or_else(|| "java".into(), |home| home.join("bin/java"));
    // Older ones and trimmed ones lack the module, and Spark does not start on them.
    let asked = ["--add-modules", "jdk.incubator.vector", "--version"];
    if shell::output(Command::new(java).args(asked)).is_err() {
        return Ok(Verdict::Skipped("Spark needs a whole Java 17 or later"));
    }
    Ok(Verdict::Passed)
}

/// Beside it lies the Python of the tests, which stays there, so that it is made once.
fn python_folder() -> Result<PathBuf> {
    product::scratch(&product::built()?, "tests")
}

/// Unit, integration and documentation tests, and with them the mutation tests of each decoder.
fn tests() -> Result<Sum> {
    let mut command = shell::cargo(&["test", "--workspace", "--no-fail-fast"]);
    if let Some(python) = peers::venv(&python_folder()?) {
        command.env("BAVN_PYTHON", python);
    }
    let (mut sum, succeeded) = stream(&mut command)?;
    if !succeeded && sum.failed == 0 {
        sum.failed += 1; // it did not build, or a suite died without a word
    }
    Ok(sum)
}

/// Shows what a command writes while adding up its test results.
fn stream(command: &mut Command) -> Result<(Sum, bool)> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo could not be started")?;
    let mut sum = Sum::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("the tests wrote no UTF-8")?;
            println!("{line}");
            sum.read(&line);
        }
    }
    Ok((sum, child.wait()?.success()))
}

fn verdict(passed: bool) -> Verdict {
    if passed { Verdict::Passed } else { Verdict::Failed }
}

#[expect(clippy::disallowed_methods, reason = "how long a check took is for people to read")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_suites_are_added_up() {
        let mut sum = Sum::default();
        sum.read("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        sum.read("test names::tests::passed ... ok");
        sum.read("test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out");
        assert_eq!(sum, Sum { passed: 15, failed: 2 });
    }

    #[test]
    fn a_skipped_check_counts_only_when_all_are_required() {
        let mut sum = Sum::default();
        sum.add(false, true);
        assert_eq!(sum, Sum::default());
        sum.add(false, false);
        assert_eq!(sum, Sum { passed: 0, failed: 1 });
    }
}
