//! How is this repository checked, documented and measured?
//!
//! `cargo xtask test` is the whole of it: the README's test command and all of CI.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the tool's output is its purpose")]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a developer's tool on the repository's own files: a broken assumption may stop it"
)]

mod browser;
mod corpora;
mod docs;
mod faults;
mod peers;
mod product;
mod schema;
mod shell;
mod smoke;
mod source;
mod test;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(false),
        ["test", "--require-all"] => test::run(true),
        ["tidy"] => tidy::run(),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::are_current(),
        ["schemas"] => smoke::schemas(),
        ["benches"] => smoke::benches(),
        ["walk"] => browser::walk(None),
        ["walk", "--screenshots", folder] => browser::walk(Some(folder)),
        ["bench-peers"] => peers::run(false),
        ["bench-peers", "--require-all"] => peers::run(true),
        ["bench-peers", "scope", size] => {
            peers::Size::read(size).and_then(|size| peers::run_scope(size, false))
        }
        ["bench-peers", "growth", size] => peers::Size::read(size).and_then(peers::growth),
        ["faults", "--kills", kills] => faults::run(kills),
        ["corpora", folder] => corpora::run(Path::new(folder)),
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
  tidy                   the rules of the house that no compiler knows
  docs [--check]         write the generated pages of the manual, or see that they are current
  schemas                hold what bavn prints against its JSON Schemas
  benches                run each bench once, in small
  walk [--screenshots DIR]
                         every page of the console in Chromium: axe, reflow, weight; what people come
                         for, by keys alone, pictures of it into DIR; and what was measured beside
                         the bars
  corpora DIR            hold `bavn decode` against public samples of audit records
  faults --kills NUMBER  kill whoever writes a store so often, cut files, fill and lock the disk
  bench-peers [--require-all]
                         time bavn and DuckDB in turns, and print the ratios; then
                         scope, readers, load and size beside ClickHouse and DuckDB
  bench-peers scope|growth LOOK-UPS/DAYS
                         that alone, on so many look-ups; or as the store grows to twice and four
                         times that";
