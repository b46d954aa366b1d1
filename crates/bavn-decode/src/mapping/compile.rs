//! From the TOML as written to a mapping that cannot be wrong.

use super::clock::Clock;
use super::spec::{FieldSpec, FieldTable, KindWord, MappingFile, Names, ValuesSpec};
use super::words::Target;
use super::{Mapping, MappingError, Match, Path, Purpose, Reason, Table};
use crate::csv::Dialect;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// A column or path that fields read.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) path: Path,
}

/// One field of a mapping, ready to be read.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) target: Target,
    /// The first of these that holds anything counts. Indexes of slots.
    pub(crate) from: Vec<usize>,
    /// All of these, joined by a space.
    pub(crate) join: Vec<usize>,
    pub(crate) value: Option<String>,
    pub(crate) system: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) also: Vec<Self>,
    pub(crate) values: Option<ValueTable>,
    pub(crate) otherwise: Option<String>,
    pub(crate) split: Option<String>,
    pub(crate) base64: bool,
    pub(crate) after_last: Option<String>,
    pub(crate) empty: Vec<String>,
    pub(crate) is: Vec<String>,
    pub(crate) clock: Option<Clock>,
    pub(crate) look_up_reason: bool,
    /// The field is read only where this holds.
    pub(crate) when: Option<Box<Self>>,
    pub(crate) optional: bool,
    /// Where the mapping names the field.
    pub(crate) span: Range<usize>,
}

/// What the words of a column mean; `*` in a key stands for any text.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueTable {
    /// Keys in lower case.
    exact: BTreeMap<String, String>,
    /// Longest pattern first.
    patterns: Vec<(String, String)>,
}

impl ValueTable {
    fn new(words: &BTreeMap<String, Spanned<String>>) -> Self {
        let mut table = Self::default();
        for (key, word) in words {
            let word = word.get_ref().clone();
            if key.contains('*') {
                table.patterns.push((key.clone(), word));
            } else {
                table.exact.insert(key.trim().to_lowercase(), word);
            }
        }
        table.patterns.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b)));
        table
    }

    pub(crate) fn find(&self, text: &str) -> Option<&str> {
        let held = if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            self.exact.get(&text.to_lowercase())
        } else {
            self.exact.get(text)
        };
        held.or_else(|| {
            let fitting = self.patterns.iter().find(|(key, _)| super::words::fits(key, text));
            fitting.map(|(_, word)| word)
        })
        .map(String::as_str)
    }
}

pub(super) fn compile(text: &str) -> Result<Mapping, MappingError> {
    let file: MappingFile = toml::from_str(text).map_err(|error| MappingError::Toml {
        message: error.message().to_owned(),
        span: error.span().unwrap_or(0..text.len().min(1)),
    })?;
    let whole = 0..text.len().min(1);
    let purpose = purpose_of(&file)?;
    let mut compiler = Compiler {
        slots: Vec::new(),
        values: &file.values,
        zone: file.format.zone.as_ref(),
        purpose,
        paths: match_is_json(&file),
    };
    let mut fields = Vec::new();
    for (name, spec) in &file.fields {
        fields.push(compiler.named_field(name, spec)?);
    }
    // `action` and `kind` may complete one another, so the order is the targets' own.
    fields.sort_by_key(|field| field.target);
    for needed in needed(purpose) {
        if !fields.iter().any(|field| field.target == *needed) {
            return Err(MappingError::FieldNeeded { field: needed.name(), span: whole });
        }
    }
    let dialect = dialect_of(&file)?;
    Ok(Mapping {
        name: file.name.clone(),
        about: file.about.trim().to_owned(),
        purpose,
        matching: match_of(&file)?,
        dialect,
        delimiter_stated: file.format.delimiter.is_some(),
        columns: file.format.columns.clone(),
        slots: compiler.slots,
        fields,
        empty: file.format.empty.clone().unwrap_or_else(|| vec!["NULL".into(), "\\N".into()]),
        reasons: file
            .reasons
            .iter()
            .map(|(code, reason)| {
                let (en, nb) = (reason.en.clone(), reason.nb.clone());
                (code.clone(), Reason { en, nb, choice: reason.choice })
            })
            .collect(),
    })
}

fn purpose_of(file: &MappingFile) -> Result<Purpose, MappingError> {
    match (file.kind.get_ref(), file.table, file.base) {
        (KindWord::Events, None, None) => Ok(Purpose::Events),
        (KindWord::Events, None, Some(base)) => Ok(Purpose::EventsOver(base)),
        (KindWord::Context, Some(table), None) => Ok(Purpose::Context(table)),
        _ => Err(MappingError::TableAndKind { span: file.kind.span() }),
    }
}

fn needed(purpose: Purpose) -> &'static [Target] {
    match purpose {
        Purpose::Events => &[Target::At],
        Purpose::EventsOver(_) => &[],
        Purpose::Context(table) => table.needed(),
    }
}

impl Table {
    /// As mappings spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Assignments => "assignments",
            Self::Patients => "patients",
            Self::Units => "units",
            Self::Stays => "stays",
            Self::Moves => "moves",
            Self::Bookings => "bookings",
            Self::Orders => "orders",
            Self::Referrals => "referrals",
            Self::CareTeams => "care_teams",
            Self::Tasks => "tasks",
            Self::Projects => "projects",
            Self::Households => "households",
            Self::Kin => "kin",
            Self::Groups => "groups",
        }
    }

    /// Fields without which a row of the table says nothing.
    fn needed(self) -> &'static [Target] {
        match self {
            Self::Staff | Self::Assignments => &[Target::Person],
            Self::Units => &[Target::Unit],
            Self::Patients => &[Target::Patient],
            Self::Households => &[Target::Household],
            Self::Kin => &[Target::Patient, Target::Kin],
            Self::Groups => &[Target::Group],
            _ => &[Target::Patient, Target::From],
        }
    }

    /// Every field that a row of the table may have.
    pub fn targets(self) -> &'static [Target] {
        use Target as T;
        match self {
            Self::Staff => &[
                T::Person,
                T::Patient,
                T::Unit,
                T::Role,
                T::From,
                T::To,
                T::FamilyName,
                T::GivenName,
                T::Born,
                T::AddressLine,
                T::PostalCode,
                T::Household,
                T::Active,
                T::SystemIdentity,
            ],
            Self::Assignments => &[T::Person, T::Unit, T::Role, T::From, T::To],
            Self::Patients => &[
                T::Patient,
                T::Person,
                T::Unit,
                T::FamilyName,
                T::GivenName,
                T::Born,
                T::Died,
                T::AddressLine,
                T::PostalCode,
                T::Household,
                T::Restricted,
            ],
            Self::Units => &[T::Unit, T::Name, T::PartOf],
            Self::Households => &[T::Patient, T::Person, T::Household],
            Self::Kin => &[T::Patient, T::Kin],
            Self::Groups => &[T::Group, T::Patient, T::Token],
            _ => &[
                T::Patient,
                T::Unit,
                T::Person,
                T::From,
                T::To,
                T::KnownAt,
                T::Author,
                T::Cancelled,
            ],
        }
    }
}

struct Compiler<'f> {
    slots: Vec<Slot>,
    values: &'f BTreeMap<String, BTreeMap<String, Spanned<String>>>,
    zone: Option<&'f Spanned<String>>,
    purpose: Purpose,
    /// Whether names must be paths; a CSV column may be called anything.
    paths: bool,
}

impl Compiler<'_> {
    fn named_field(
        &mut self,
        name: &Spanned<String>,
        spec: &FieldSpec,
    ) -> Result<Field, MappingError> {
        let known: &[Target] = match self.purpose {
            Purpose::Context(table) => table.targets(),
            _ => &Target::EVENT,
        };
        let target = known.iter().copied().find(|target| target.name() == name.get_ref());
        let target = target.ok_or_else(|| MappingError::UnknownField {
            field: name.get_ref().clone(),
            span: name.span(),
        })?;
        self.field(target, &spec.0, &name.span())
    }

    fn field(
        &mut self,
        target: Target,
        spec: &FieldTable,
        span: &Range<usize>,
    ) -> Result<Field, MappingError> {
        if spec.from.0.is_empty() && spec.join.0.is_empty() && spec.value.is_none() {
            let field = target.name().to_owned();
            return Err(MappingError::NoSource { field, span: span.clone() });
        }
        let mut also = Vec::with_capacity(spec.also.len());
        for further in &spec.also {
            also.push(self.field(target, &further.0, span)?);
        }
        let when = match &spec.when {
            Some(when) => Some(Box::new(self.field(target, &when.0, span)?)),
            None => None,
        };
        Ok(Field {
            target,
            when,
            from: self.slots_of(&spec.from, span)?,
            join: self.slots_of(&spec.join, span)?,
            value: spec.value.clone(),
            system: spec.system.clone(),
            reference: spec.reference.clone(),
            also,
            values: self.value_table(target, spec, span)?,
            otherwise: spec.otherwise.clone(),
            split: spec.split.clone().filter(|separator| !separator.is_empty()),
            base64: spec.base64,
            after_last: spec.after_last.clone().filter(|mark| !mark.is_empty()),
            empty: spec.empty.clone(),
            is: spec.is.clone(),
            clock: if target.is_time() { Some(self.clock(spec)?) } else { None },
            look_up_reason: spec.look_up_reason,
            optional: spec.optional,
            span: span.clone(),
        })
    }

    fn slots_of(&mut self, names: &Names, span: &Range<usize>) -> Result<Vec<usize>, MappingError> {
        let mut indexes = Vec::with_capacity(names.0.len());
        for name in &names.0 {
            let held = self.slots.iter().position(|slot| slot.path.as_str() == name);
            if let Some(index) = held {
                indexes.push(index);
                continue;
            }
            let path = match path_of(name, span) {
                Err(_) if !self.paths => Path::key(name),
                path => path?,
            };
            indexes.push(self.slots.len());
            self.slots.push(Slot { path });
        }
        Ok(indexes)
    }

    fn value_table(
        &self,
        target: Target,
        spec: &FieldTable,
        span: &Range<usize>,
    ) -> Result<Option<ValueTable>, MappingError> {
        let words = match &spec.values {
            None => return Ok(None),
            Some(ValuesSpec::Inline(words)) => words,
            Some(ValuesSpec::Named(table)) => self.values.get(table).ok_or_else(|| {
                MappingError::UnknownTable { table: table.clone(), span: span.clone() }
            })?,
        };
        if let Some(word) = words.values().find(|word| !target.takes(word.get_ref())) {
            return Err(MappingError::UnknownWord {
                field: target.name().to_owned(),
                word: word.get_ref().clone(),
                span: word.span(),
            });
        }
        let fixed = spec.otherwise.as_ref().or(spec.value.as_ref());
        if let Some(word) = fixed.filter(|word| !target.takes(word)) {
            return Err(MappingError::UnknownWord {
                field: target.name().to_owned(),
                word: word.clone(),
                span: span.clone(),
            });
        }
        Ok(Some(ValueTable::new(words)))
    }

    fn clock(&self, spec: &FieldTable) -> Result<Clock, MappingError> {
        let zone = match spec.zone.as_ref().or(self.zone) {
            None => None,
            Some(name) => Some(Clock::zone(name.get_ref()).ok_or_else(|| {
                MappingError::UnknownZone { zone: name.get_ref().clone(), span: name.span() }
            })?),
        };
        let mut clock = Clock::new(zone);
        for format in &spec.formats {
            if !clock.add(format.get_ref()) {
                let (format, span) = (format.get_ref().clone(), format.span());
                return Err(MappingError::BadTimeFormat { format, span });
            }
        }
        Ok(clock)
    }
}

fn match_is_json(file: &MappingFile) -> bool {
    let spec = &file.matching;
    let json = !spec.keys.is_empty() || !spec.profiles.is_empty() || spec.resource_type.is_some();
    file.base.is_some() || (json && spec.header.is_empty())
}

fn path_of(name: &str, span: &Range<usize>) -> Result<Path, MappingError> {
    Path::parse(name)
        .map_err(|_| MappingError::BadPath { path: name.to_owned(), span: span.clone() })
}

fn match_of(file: &MappingFile) -> Result<Match, MappingError> {
    let spec = &file.matching;
    let mut keys = Vec::new();
    for names in &spec.keys {
        let paths: Result<Vec<Path>, MappingError> =
            names.get_ref().0.iter().map(|name| path_of(name, &names.span())).collect();
        keys.push(paths?);
    }
    Ok(Match {
        files: spec.files.clone(),
        header: spec.header.iter().map(|names| names.0.clone()).collect(),
        keys,
        resource_type: spec.resource_type.clone(),
        profiles: spec.profiles.clone(),
    })
}

fn dialect_of(file: &MappingFile) -> Result<Dialect, MappingError> {
    let usual = Dialect::default();
    Ok(Dialect {
        delimiter: one_byte("delimiter", file.format.delimiter.as_ref())?.unwrap_or(b','),
        quote: one_byte("quote", file.format.quote.as_ref())?.unwrap_or(usual.quote),
        escape: one_byte("escape", file.format.escape.as_ref())?,
        encoding: file.format.encoding,
    })
}

fn one_byte(key: &'static str, text: Option<&Spanned<String>>) -> Result<Option<u8>, MappingError> {
    let Some(text) = text else { return Ok(None) };
    match text.get_ref().as_bytes() {
        [byte] if byte.is_ascii() && !b"\r\n".contains(byte) => Ok(Some(*byte)),
        _ => Err(MappingError::NotOneCharacter { key, span: text.span() }),
    }
}
