//! What may stand in a mapping file?
//!
//! The TOML as written; `compile` turns it into a [`super::Mapping`] that cannot be wrong.

use crate::csv::Encoding;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingFile {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) about: String,
    pub(crate) kind: Spanned<KindWord>,
    pub(crate) table: Option<super::Table>,
    pub(crate) base: Option<super::Base>,
    #[serde(default, rename = "match")]
    pub(crate) matching: MatchSpec,
    #[serde(default)]
    pub(crate) format: FormatSpec,
    #[serde(default)]
    pub(crate) fields: BTreeMap<Spanned<String>, FieldSpec>,
    #[serde(default)]
    pub(crate) values: BTreeMap<String, BTreeMap<String, Spanned<String>>>,
    #[serde(default)]
    pub(crate) reasons: BTreeMap<String, ReasonSpec>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindWord {
    Events,
    Context,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MatchSpec {
    pub(crate) files: Vec<String>,
    pub(crate) header: Vec<Names>,
    pub(crate) keys: Vec<Spanned<Names>>,
    pub(crate) resource_type: Option<String>,
    pub(crate) profiles: Vec<String>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FormatSpec {
    pub(crate) delimiter: Option<Spanned<String>>,
    pub(crate) quote: Option<Spanned<String>>,
    pub(crate) escape: Option<Spanned<String>>,
    pub(crate) encoding: Encoding,
    pub(crate) columns: Vec<String>,
    pub(crate) zone: Option<Spanned<String>>,
    pub(crate) empty: Option<Vec<String>>,
}

/// One or several spellings of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<String>);

#[derive(Debug, Default)]
pub(crate) struct FieldSpec(pub(crate) FieldTable);

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FieldTable {
    pub(crate) from: Names,
    pub(crate) join: Names,
    pub(crate) value: Option<String>,
    pub(crate) optional: bool,
    pub(crate) system: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) also: Vec<FieldSpec>,
    pub(crate) values: Option<ValuesSpec>,
    pub(crate) otherwise: Option<String>,
    pub(crate) split: Option<String>,
    pub(crate) base64: bool,
    pub(crate) after_last: Option<String>,
    pub(crate) empty: Vec<String>,
    pub(crate) is: Vec<String>,
    pub(crate) formats: Vec<Spanned<String>>,
    pub(crate) zone: Option<Spanned<String>>,
    pub(crate) look_up_reason: bool,
    pub(crate) when: Option<Box<FieldSpec>>,
}

#[derive(Debug)]
pub(crate) enum ValuesSpec {
    Named(String),
    Inline(BTreeMap<String, Spanned<String>>),
}

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonSpec {
    pub(crate) en: String,
    pub(crate) nb: String,
    pub(crate) choice: super::Choice,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Names, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(names)).map(Names)
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// `who = "USER_ID"`, `who = ["USER_ID", "USERID"]` or `who = { from = ..., ... }`.
impl<'de> Deserialize<'de> for FieldSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShortOrLong;
        impl<'de> Visitor<'de> for ShortOrLong {
            type Value = FieldSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column, a list of columns, or a table")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<FieldSpec, E> {
                let from = Names(vec![name.to_owned()]);
                Ok(FieldSpec(FieldTable { from, ..FieldTable::default() }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<FieldSpec, A::Error> {
                let names = Deserialize::deserialize(SeqAccessDeserializer::new(names))?;
                Ok(FieldSpec(FieldTable { from: Names(names), ..FieldTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<FieldSpec, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(table)).map(FieldSpec)
            }
        }
        deserializer.deserialize_any(ShortOrLong)
    }
}

impl<'de> Deserialize<'de> for ValuesSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = ValuesSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a table under `values`, or a table")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<ValuesSpec, E> {
                Ok(ValuesSpec::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<ValuesSpec, A::Error> {
                let table = Deserialize::deserialize(MapAccessDeserializer::new(table))?;
                Ok(ValuesSpec::Inline(table))
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}
