//! `bavn context check`: how complete is the context, and what does it feed or starve?

use crate::cli::{ContextCheck, ContextPaths};
use crate::error::CommandResult;
use crate::input::load_context;
use serde::Serialize;
use std::io::Write;
use std::sync::Arc;

/// The check as JSON.
#[derive(Serialize)]
struct Check<'a> {
    completeness: &'a bavn_decode::context::Completeness,
    problems: Vec<String>,
    problem_count: u64,
}

pub(crate) fn check(arguments: &ContextCheck) -> CommandResult {
    let mappings = Arc::new(super::formats::mappings(&arguments.mapping)?);
    let asked = ContextPaths { context: arguments.paths.clone(), ..ContextPaths::default() };
    let loaded = load_context(&asked, &mappings)?;
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let problem_count = loaded.problem_count;
        let check = Check { completeness: &loaded.completeness, problems, problem_count };
        serde_json::to_writer(&mut out, &check)?;
        return Ok(writeln!(out)?);
    }
    for line in loaded.completeness.lines() {
        writeln!(out, "{line}")?;
    }
    for problem in problems {
        super::say(problem);
    }
    if loaded.problem_count > 0 {
        super::say(format_args!("{} records could not be read", loaded.problem_count));
    }
    Ok(())
}
