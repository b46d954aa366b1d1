//! Which controller does a source belong to?
//!
//! ```toml
//! [sources]
//! "Moss hospital*" = "Ostfold trust"      # everything that begins so; the longest that fits decides
//! "RIS|ris-2" = "Ostfold trust"
//! ```

use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Sources by the controller that they belong to; all others belong to the store's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Controllers {
    sources: BTreeMap<String, String>,
}

impl Controllers {
    /// As a file says it; without one, everything belongs to the store's controller.
    pub(crate) fn read(file: Option<&Path>) -> CommandResult<Self> {
        let Some(file) = file else { return Ok(Self::default()) };
        let usage = |error: anyhow::Error| CommandError::new(Kind::Usage, error);
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("`{}` cannot be read", file.display()))
            .map_err(usage)?;
        toml::from_str(&text)
            .with_context(|| format!("`{}` does not say which source is whose", file.display()))
            .map_err(usage)
    }

    /// Whose a source is.
    pub(crate) fn of<'c>(&'c self, source: Option<&str>, own: &'c str) -> &'c str {
        let Some(source) = source else { return own };
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(head) => source.starts_with(head),
            None => source == pattern,
        };
        let fitting = self.sources.iter().filter(|(pattern, _)| fits(pattern));
        fitting.max_by_key(|(pattern, _)| pattern.len()).map_or(own, |(_, controller)| controller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pattern_decides_and_the_rest_is_the_stores_own() {
        let text =
            "[sources]\n\"moss*\" = \"south\"\n\"moss ris*\" = \"labs\"\n\"x\" = \"north\"\n";
        let controllers: Controllers = toml::from_str(text).unwrap();
        for (source, controller) in [
            (Some("moss"), "south"),
            (Some("moss ris 2"), "labs"),
            (Some("x"), "north"),
            (Some("xy"), "own"),
            (None, "own"),
        ] {
            assert_eq!(controllers.of(source, "own"), controller, "{source:?}");
        }
        assert!(toml::from_str::<Controllers>("[source]\nx = \"y\"\n").is_err());
    }
}
