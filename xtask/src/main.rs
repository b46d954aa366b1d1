//! How is this repository checked, documented and measured?
//!
//! `cargo xtask test` is the whole of it: the README's test command and all of CI.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the tool's output is its purpose")]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a developer's tool on the repository's own files: a broken assumption may stop it"
)]

mod shell;
mod source;
mod test;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(false),
        ["test", "--require-all"] => test::run(true),
        ["tidy"] => tidy::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "usage: cargo xtask COMMAND

  test [--require-all]   every check there is; a skipped check fails with --require-all
  tidy                   the rules of the house that no compiler knows";
