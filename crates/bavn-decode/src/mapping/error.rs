//! What is wrong with a mapping, and where in its text?

use std::ops::Range;

/// A mapping that cannot be used. [`Self::span`] is the place in the mapping's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// Not TOML, or a key that mappings do not have. The message is the TOML reader's.
    #[error("{message}")]
    Toml { message: String, span: Range<usize> },
    #[error("mappings of this kind have no field `{field}`")]
    UnknownField { field: String, span: Range<usize> },
    #[error("a mapping of this kind needs the field `{field}`")]
    FieldNeeded { field: &'static str, span: Range<usize> },
    #[error("field `{field}` takes its value from nothing: give `from`, `join` or `value`")]
    NoSource { field: String, span: Range<usize> },
    #[error("`{path}` is no path")]
    BadPath { path: String, span: Range<usize> },
    #[error("`{zone}` is no IANA time zone")]
    UnknownZone { zone: String, span: Range<usize> },
    #[error(
        "`{format}` is neither strptime directives nor a count such as `seconds since 1970-01-01`"
    )]
    BadTimeFormat { format: String, span: Range<usize> },
    #[error("there is no table `values.{table}`")]
    UnknownTable { table: String, span: Range<usize> },
    #[error("`{word}` is no {field}")]
    UnknownWord { field: String, word: String, span: Range<usize> },
    #[error("`{key}` must be one ASCII character")]
    NotOneCharacter { key: &'static str, span: Range<usize> },
    #[error("`table` is for mappings of kind `context`, and needed there")]
    TableAndKind { span: Range<usize> },
    /// The input's header lacks every column that the field may come from.
    #[error("the input has no column `{column}`, which the mapping names for `{field}`")]
    MissingColumn { field: String, column: String, span: Range<usize> },
}

impl MappingError {
    /// The bytes of the mapping's text that the error is about.
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::Toml { span, .. }
            | Self::UnknownField { span, .. }
            | Self::FieldNeeded { span, .. }
            | Self::NoSource { span, .. }
            | Self::BadPath { span, .. }
            | Self::UnknownZone { span, .. }
            | Self::BadTimeFormat { span, .. }
            | Self::UnknownTable { span, .. }
            | Self::UnknownWord { span, .. }
            | Self::NotOneCharacter { span, .. }
            | Self::TableAndKind { span }
            | Self::MissingColumn { span, .. } => span.clone(),
        }
    }
}
