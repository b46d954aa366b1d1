//! `bavn context check`.

use crate::cli::ContextCheck;
use crate::error::CommandResult;
use crate::input::load_context;

pub(crate) fn check(arguments: &ContextCheck) -> CommandResult {
    let mappings = super::formats::mappings(&arguments.mapping)?;
    let (_directory, context) = load_context(&arguments.paths, &mappings)?;
    super::say(format_args!("{} staff", context.staff_count()));
    Ok(())
}
