//! How does any other system's export say who read what?
//!
//! A mapping is a TOML file: which column (CSV) or path (JSON) holds which field, in which format
//! and zone, and what the source's words mean. `[match]` says which inputs it is for, so that one
//! folder may mix dialects. The shipped ones are data, in `rules/mappings`.

mod clock;
mod compile;
mod error;
mod explain;
pub(crate) mod names;
mod path;
mod read;
mod spec;
mod table;
mod words;

pub use error::MappingError;
pub use explain::{ExplainedField, ExplainedRow};
pub use path::{BadPath, Path};
pub use table::CsvTable;
pub use words::Target;

pub(crate) use compile::{Field, Slot};
pub(crate) use read::{Cells, JsonCells};

use crate::csv::Dialect;
use crate::tree::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A mapping that has been read and found whole.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub name: String,
    /// Where the layout is from, in words.
    pub about: String,
    pub purpose: Purpose,
    matching: Match,
    /// How the mapping says that its files are written; the delimiter is guessed if it does not.
    dialect: Dialect,
    delimiter_stated: bool,
    /// The header of files that have none.
    columns: Vec<String>,
    slots: Vec<Slot>,
    fields: Vec<Field>,
    /// Texts that mean "nothing", such as `NULL`.
    empty: Vec<String>,
    reasons: BTreeMap<String, Reason>,
}

/// What the rows of a mapped input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Accesses, read by the mapping alone.
    Events,
    /// Accesses that a built-in decoder reads; the mapping adds to them.
    EventsOver(Base),
    /// What the hospital's systems know.
    Context(Table),
}

/// A built-in decoder over which a mapping may be laid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    Fhir,
}

/// What a row of a context file tells.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    Staff,
    Assignments,
    Patients,
    Units,
    Stays,
    Moves,
    Bookings,
    Orders,
    Referrals,
    CareTeams,
    Tasks,
    Projects,
    Households,
    Kin,
    Groups,
}

/// A stated reason of a source, in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub en: String,
    /// Bokmål.
    pub nb: String,
    pub choice: Choice,
}

/// Who found the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The source system found a treatment relation in its own records.
    Derived,
    /// The reader chose it from a list: their own word only.
    HandPicked,
}

impl Choice {
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Derived => "found by the system",
            Self::HandPicked => "chosen by the reader",
        }
    }
}

/// Which inputs a mapping is for. All that is stated must hold, but `profiles` and `keys` are each
/// other's alternative.
#[derive(Clone, Debug, Default)]
struct Match {
    files: Vec<String>,
    /// Columns that the header must have, each in one of its spellings.
    header: Vec<Vec<String>>,
    keys: Vec<Vec<Path>>,
    resource_type: Option<String>,
    profiles: Vec<String>,
}

impl Mapping {
    /// Reads a mapping from its TOML text.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        compile::compile(text)
    }

    /// Words of every reason code that the mapping knows, by code.
    pub fn reasons(&self) -> &BTreeMap<String, Reason> {
        &self.reasons
    }

    /// The header that the mapping gives to files without one.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How well the mapping fits a file of this name and header; `None` if it does not.
    fn fit_header(&self, file_name: &str, header: &[&str]) -> Option<usize> {
        let json_only = self.matching.header.is_empty() && self.matching.is_json();
        if json_only || matches!(self.purpose, Purpose::EventsOver(_)) {
            return None;
        }
        let files = self.fit_file(file_name)?;
        let has = |name: &String| header.iter().any(|cell| same_column(cell, name));
        let all = self.matching.header.iter().all(|spellings| spellings.iter().any(has));
        all.then(|| files + self.matching.header.len())
    }

    /// How well the mapping fits a JSON record; `None` if it does not.
    fn fit_json(&self, file_name: &str, record: &Value<'_>) -> Option<usize> {
        let wanted = &self.matching;
        let csv_only = !wanted.is_json() && (!wanted.header.is_empty() || !self.columns.is_empty());
        if csv_only {
            return None;
        }
        let files = self.fit_file(file_name)?;
        let mut points = files;
        if let Some(wanted) = &wanted.resource_type {
            if record.get("resourceType").str() != Some(wanted) {
                return None;
            }
            points += 1;
        }
        if !wanted.keys.is_empty() || !wanted.profiles.is_empty() {
            let profiles = record.get("meta").get("profile");
            let named = profiles
                .items()
                .iter()
                .filter_map(Value::str)
                .any(|profile| wanted.profiles.iter().any(|known| known == profile));
            let keyed = !wanted.keys.is_empty()
                && wanted.keys.iter().all(|paths| paths.iter().any(|path| path.is_in(record)));
            if !named && !keyed {
                return None;
            }
            points += wanted.keys.len().max(1);
        }
        Some(points)
    }

    fn fit_file(&self, file_name: &str) -> Option<usize> {
        let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        let globs = &self.matching.files;
        if globs.is_empty() {
            return Some(0);
        }
        globs.iter().any(|glob| words::fits(glob, name)).then_some(FILE_POINTS)
    }
}

impl Match {
    /// Whether it says anything about JSON records.
    fn is_json(&self) -> bool {
        self.resource_type.is_some() || !self.keys.is_empty() || !self.profiles.is_empty()
    }
}

/// Column names are compared without case, spaces around them and quotes.
pub(crate) fn same_column(cell: &str, name: &str) -> bool {
    cell.trim().trim_matches(['"', '`', '\u{feff}']).eq_ignore_ascii_case(name.trim())
}

/// A file named by the mapping beats any number of columns.
const FILE_POINTS: usize = 1_000;

/// All mappings of a run: the shipped ones, and before them those that the user added.
#[derive(Clone, Debug, Default)]
pub struct Mappings {
    /// The user's, in the order given.
    added: Vec<Arc<Mapping>>,
    shipped: Vec<Arc<Mapping>>,
}

impl Mappings {
    /// The mappings of `rules/mappings`, compiled in.
    pub fn shipped() -> Self {
        let shipped = SHIPPED
            .iter()
            .filter_map(|(_, text)| Mapping::parse(text).ok())
            .map(Arc::new)
            .collect();
        Self { added: Vec::new(), shipped }
    }

    /// Adds a mapping of the user's; it is asked before the shipped ones.
    pub fn add(&mut self, mapping: Mapping) {
        self.added.push(Arc::new(mapping));
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Mapping>> {
        self.added.iter().chain(&self.shipped)
    }

    /// The mapping for a CSV file of events with this header.
    pub fn find_for_header(&self, file_name: &str, header: &[&str]) -> Option<&Arc<Mapping>> {
        self.best(|mapping| {
            let events = mapping.purpose == Purpose::Events;
            events.then(|| mapping.fit_header(file_name, header)).flatten()
        })
    }

    /// The mapping for a CSV file of context with this header.
    pub fn find_context_for_header(
        &self,
        file_name: &str,
        header: &[&str],
    ) -> Option<&Arc<Mapping>> {
        self.best(|mapping| {
            let context = matches!(mapping.purpose, Purpose::Context(_));
            context.then(|| mapping.fit_header(file_name, header)).flatten()
        })
    }

    /// The mapping that reads a JSON record which no built-in decoder knows.
    pub fn find_for_json(&self, file_name: &str, record: &Value<'_>) -> Option<&Arc<Mapping>> {
        self.best(|mapping| {
            let events = mapping.purpose == Purpose::Events;
            events.then(|| mapping.fit_json(file_name, record)).flatten()
        })
    }

    /// The mapping that reads a JSON record of context which is no FHIR resource.
    pub fn find_context_for_json(
        &self,
        file_name: &str,
        record: &Value<'_>,
    ) -> Option<&Arc<Mapping>> {
        self.best(|mapping| {
            let context = matches!(mapping.purpose, Purpose::Context(_));
            context.then(|| mapping.fit_json(file_name, record)).flatten()
        })
    }

    /// The mapping that adds to what the base decoder reads from this record.
    pub fn find_over(
        &self,
        base: Base,
        file_name: &str,
        record: &Value<'_>,
    ) -> Option<&Arc<Mapping>> {
        self.best(|mapping| {
            let over = mapping.purpose == Purpose::EventsOver(base);
            over.then(|| mapping.fit_json(file_name, record)).flatten()
        })
    }

    /// Whether the user laid a mapping of their own over a base decoder for this file.
    pub(crate) fn any_added_over(&self, base: Base, file_name: &str) -> bool {
        self.added.iter().any(|mapping| {
            mapping.purpose == Purpose::EventsOver(base) && mapping.fit_file(file_name).is_some()
        })
    }

    /// The first of those that fit best; the user's own beat the shipped ones.
    fn best(&self, fit: impl Fn(&Mapping) -> Option<usize>) -> Option<&Arc<Mapping>> {
        let best_of = |mappings: &[Arc<Mapping>]| {
            let mut best: Option<(usize, usize)> = None;
            for (index, mapping) in mappings.iter().enumerate() {
                let Some(points) = fit(mapping) else { continue };
                if best.is_none_or(|(held, _)| points > held) {
                    best = Some((points, index));
                }
            }
            best.map(|(_, index)| index)
        };
        best_of(&self.added)
            .and_then(|index| self.added.get(index))
            .or_else(|| best_of(&self.shipped).and_then(|index| self.shipped.get(index)))
    }
}

/// The shipped mappings by file name.
pub const SHIPPED: [(&str, &str); 5] = [
    (
        "norway-trust-framework.toml",
        include_str!("../../../../rules/mappings/norway-trust-framework.toml"),
    ),
    ("epic-access-log.toml", include_str!("../../../../rules/mappings/epic-access-log.toml")),
    ("openemr-log.toml", include_str!("../../../../rules/mappings/openemr-log.toml")),
    ("openmrs-audit-log.toml", include_str!("../../../../rules/mappings/openmrs-audit-log.toml")),
    ("generic-healthcare.toml", include_str!("../../../../rules/mappings/generic-healthcare.toml")),
];
