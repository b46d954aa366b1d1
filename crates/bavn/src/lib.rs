//! Run it: command line, files, threads and clock around the pure rooms.

mod agreement;
mod alarms;
mod board;
mod breach;
mod case_scope;
pub mod cli;
mod commands;
mod controllers;
mod demo;
mod desk;
mod drilled;
pub mod error;
mod forgotten;
mod house_desk;
pub mod input;
mod keyed;
mod mend;
mod outbox;
pub mod pipeline;
mod progress;
mod recipients;
mod register;
mod report;
mod scope_by;
mod serve;
mod watchers;

use clap::Parser;
use error::Kind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs one command line and says how it ended (exit codes: `docs/contracts.md`).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        // clap prints help and version to stdout and everything else to stderr, and knows its code.
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(Kind::Usage as u8);
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::FAILURE,
            };
        }
    };
    allow_many_files();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| commands::run(cli)));
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            commands::say(&error);
            ExitCode::from(error.kind as u8)
        }
        Err(_) => ExitCode::from(Kind::Internal as u8),
    }
}

/// A region's years are thousands of files, and many systems let a program open 1,024 unless it asks;
/// where it may not have more, a store that needs them says so.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Nofile, wanted).unwrap_or_default();
}
