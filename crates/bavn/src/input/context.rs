//! What the hospital's own systems say, from files.

use super::{BLOCK_BYTES, BlockReader, expand};
use crate::cli::ContextPaths;
use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_decode::Mappings;
use bavn_decode::context::{ContextLoader, Loaded};
use std::path::Path;
use std::sync::Arc;

/// Reads every file of context; records that could not be read are counted in the result.
pub fn load_context(asked: &ContextPaths, mappings: &Arc<Mappings>) -> CommandResult<Loaded> {
    let mut loader = ContextLoader::new(Arc::clone(mappings));
    for input in expand(&asked.context)? {
        let label = input.label();
        let unreadable = |error: super::OpenError| {
            CommandError::new(Kind::Input, anyhow::Error::new(error).context(format!("`{label}`")))
        };
        let mut reader = BlockReader::open(&input).map_err(unreadable)?;
        loader.begin(&label).map_err(|error| misfit(&label, error))?;
        while !reader.at_end() {
            reader.refill(reader.block().len(), BLOCK_BYTES).map_err(unreadable)?;
            loader.push(reader.block()).map_err(|error| misfit(&label, error))?;
        }
        loader.end().map_err(|error| misfit(&label, error))?;
    }
    for list in &asked.protected_list {
        let (group, path) = list
            .split_once('=')
            .ok_or_else(|| CommandError::usage(format!("`{list}` is not NAME=FILE")))?;
        loader.tokens(group, &read(Path::new(path))?);
    }
    let key = asked.protected_list_key.as_deref().map(read).transpose()?;
    let token_of =
        key.as_deref().map(|key| move |name: &str| crate::keyed::digest(key, name.as_bytes()));
    let token_of = token_of.as_ref().map(|token_of| token_of as &dyn Fn(&str) -> String);
    loader.finish(token_of).map_err(|error| misfit("context", error))
}

fn misfit(label: &str, error: bavn_decode::mapping::MappingError) -> CommandError {
    CommandError::new(Kind::Usage, anyhow::Error::new(error).context(format!("`{label}`")))
}

fn read(path: &Path) -> CommandResult<Vec<u8>> {
    std::fs::read(path)
        .with_context(|| format!("`{}` cannot be read", path.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))
}
