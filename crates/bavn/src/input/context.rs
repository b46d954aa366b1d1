//! What the hospital's own systems say, from files.

use crate::error::{CommandError, CommandResult};
use bavn_decode::Mappings;
use bavn_model::{Context, ContextBuilder, Directory};

pub fn load_context(paths: &[String], _mappings: &Mappings) -> CommandResult<(Directory, Context)> {
    if !paths.is_empty() {
        return Err(CommandError::usage("this build cannot read context"));
    }
    Ok(ContextBuilder::default().build())
}
