//! One file per command: parse, ask, print.

mod bench;
mod bench_scope;
mod bench_verify;
mod canary;
pub(crate) mod case;
mod console;
mod context;
mod coverage;
mod decode;
mod demo;
pub(crate) mod dpia;
mod drill;
mod evaluate;
mod explain;
mod explain_mapping;
pub(crate) mod formats;
mod go_on;
pub(crate) mod hunt;
pub(crate) mod keep;
mod life;
pub(crate) mod notice;
mod notice_case;
mod proof;
pub(crate) mod reader;
pub(crate) mod scope;
mod serve;
mod shred;
mod store;
mod trail;
mod verify;
pub(crate) mod watch;
mod who;

use crate::cli::{Bench, Cli, Command, ContextCommand};
use crate::error::CommandResult;
use std::fmt;
use std::io::Write;

pub(crate) fn run(cli: Cli) -> CommandResult {
    match cli.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Decode(arguments) => decode::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Scope(arguments) => scope::run(&arguments),
        Command::Who(arguments) => who::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Coverage(arguments) => coverage::run(&arguments),
        Command::Proof(command) => proof::run(&command),
        Command::Case(command) => case::run(command),
        Command::Console(arguments) => console::run(&arguments),
        Command::Digest(arguments) => case::digest(&arguments),
        Command::Hunt(arguments) => hunt::run(&arguments),
        Command::Store(command) => store::run(&command),
        Command::Context(ContextCommand::Check(arguments)) => context::check(&arguments),
        Command::Notice(command) => notice::run(&command),
        Command::Dpia(arguments) => dpia::run(&arguments),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Bench(Bench::Decode(arguments)) => bench::decode(&arguments),
        Command::Bench(Bench::Watch(arguments)) => bench::watch(&arguments),
        Command::Bench(Bench::Scope(arguments)) => bench_scope::run(&arguments),
        Command::Bench(Bench::Verify(arguments)) => bench_verify::run(&arguments),
    }
}

/// Words for the person at the terminal. When stderr is gone there is nobody to tell.
pub(crate) fn say(words: impl fmt::Display) {
    let _nobody_there = writeln!(std::io::stderr(), "{words}");
}
