//! What do the hospital's own systems say: who works where, who is treated where and by whom?
//!
//! Reads FHIR R4 bulk exports (with R5's changed fields), Bundles and single resources, and any
//! other system's CSV or JSON through a mapping of kind `context`. Files come in any order and in
//! blocks of any size; what refers forward is joined at the end. A line that cannot be read is
//! reported by file and line, and the rest is used.
//!
//! Nothing counts before it could have been known: see `dates`.

mod clinical;
mod completeness;
mod dates;
mod draft;
mod expand;
mod finish;
mod people;
mod places;
mod table;
mod units;

pub use completeness::{Completeness, Measure, Need, Supply, Tally};
pub use finish::TokenOf;

use crate::mapping::{CsvTable, JsonCells, MappingError, Mappings, Purpose};
use crate::tree::{self, Value};
use crate::xml;
use bavn_model::{Context, Directory, Origin, RejectReason};
use draft::Draft;
use memchr::{memchr, memchr_iter};
use std::sync::Arc;

/// Reads context from files that the edge hands over block by block.
#[derive(Debug)]
pub struct ContextLoader {
    mappings: Arc<Mappings>,
    draft: Draft,
    file: File,
    problems: Vec<ContextProblem>,
    problem_count: u64,
}

/// The file being read.
#[derive(Debug, Default)]
struct File {
    name: String,
    /// Bytes that end no line yet.
    rest: Vec<u8>,
    /// Lines before `rest`.
    lines: u64,
    form: Form,
}

#[derive(Debug, Default)]
enum Form {
    #[default]
    Unknown,
    /// One JSON resource a line.
    Lines,
    /// One JSON or XML document, kept whole.
    Document,
    Csv(Box<CsvTable>),
    /// Nothing can read it; that was said once.
    Foreign,
}

/// A record of context that could not be read. Never quotes the record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {reason}")]
pub struct ContextProblem {
    pub file: String,
    pub line: u64,
    pub reason: RejectReason,
}

/// Everything that the files said, with who is whom settled.
#[derive(Debug)]
pub struct Loaded {
    pub directory: Directory,
    pub context: Context,
    pub completeness: Completeness,
    /// The first [`PROBLEMS_MAX`].
    pub problems: Vec<ContextProblem>,
    pub problem_count: u64,
}

impl ContextLoader {
    pub fn new(mappings: Arc<Mappings>) -> Self {
        Self {
            mappings,
            draft: Draft::default(),
            file: File::default(),
            problems: Vec::new(),
            problem_count: 0,
        }
    }

    /// A file begins; the one before it, if any, has ended.
    pub fn begin(&mut self, file_name: &str) -> Result<(), MappingError> {
        self.end()?;
        self.file = File { name: file_name.to_owned(), ..File::default() };
        Ok(())
    }

    /// The next bytes of the file. The error is that of a mapping which is for this file but names
    /// a column that it lacks.
    pub fn push(&mut self, block: &[u8]) -> Result<(), MappingError> {
        if self.file.rest.is_empty() && matches!(self.file.form, Form::Lines) {
            let used = self.lines(block, false);
            self.file.rest.extend_from_slice(block.get(used..).unwrap_or_default());
            return Ok(());
        }
        self.file.rest.extend_from_slice(block);
        // A line that a block cuts grows until it ends, not byte by byte.
        if memchr(b'\n', block).is_none() && self.file.rest.len() < LINE_BYTES_MAX {
            return Ok(());
        }
        self.work(false)
    }

    /// The file has ended.
    pub fn end(&mut self) -> Result<(), MappingError> {
        let done = self.work(true);
        self.draft.full_urls.clear();
        self.file = File::default();
        done
    }

    /// A whole file at once.
    pub fn file(&mut self, file_name: &str, bytes: &[u8]) -> Result<(), MappingError> {
        self.begin(file_name)?;
        self.push(bytes)?;
        self.end()
    }

    /// A list of keyed tokens of patients, one a line (or the first cell of a CSV row, or the key
    /// `token` of a JSON line): members of a group whose owner never hands it over in clear.
    pub fn tokens(&mut self, group: &str, bytes: &[u8]) {
        let held = self.draft.groups.entry(group.into()).or_default();
        group.clone_into(&mut held.name);
        for line in bytes.split(|&byte| byte == b'\n') {
            let text = match tree::parse(line) {
                Ok(value) if !value.get("token").is_null() => {
                    value.get("token").str().map(ToOwned::to_owned)
                }
                _ => std::str::from_utf8(line).ok().and_then(|line| {
                    let cell = line.trim().split([',', ';', '\t']).next()?;
                    Some(cell.trim_matches(['"', ' ', '\u{feff}']).to_owned())
                }),
            };
            held.tokens.extend(text.filter(|text| is_token(text)).map(Into::into));
        }
    }

    /// Settles who is whom. `token_of` makes the keyed token of a `system|value`; without it,
    /// lists of tokens name nobody.
    pub fn finish(mut self, token_of: Option<TokenOf<'_>>) -> Result<Loaded, MappingError> {
        self.end()?;
        let (directory, context, completeness) = self.draft.finish(token_of);
        let Self { problems, problem_count, .. } = self;
        Ok(Loaded { directory, context, completeness, problems, problem_count })
    }

    /// Reads what has arrived of the file, as far as records are whole.
    fn work(&mut self, last: bool) -> Result<(), MappingError> {
        if matches!(self.file.form, Form::Unknown) {
            match self.find_form(last) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    // Told once; the rest of the file is passed over.
                    self.file.form = Form::Foreign;
                    self.file.rest.clear();
                    return Err(error);
                }
            }
        }
        let rest = std::mem::take(&mut self.file.rest);
        let used = match &self.file.form {
            Form::Unknown | Form::Foreign => rest.len(),
            Form::Lines => self.lines(&rest, last),
            Form::Document if last => {
                self.document(&rest);
                rest.len()
            }
            Form::Document if rest.len() > DOCUMENT_BYTES_MAX => {
                let bytes = rest.len() as u64;
                let bytes_max = DOCUMENT_BYTES_MAX as u64;
                self.problem(1, RejectReason::TooLong { bytes, bytes_max });
                self.file.form = Form::Foreign;
                rest.len()
            }
            Form::Document => 0,
            Form::Csv(_) => self.rows(&rest, last),
        };
        self.file.rest = rest;
        self.file.rest.drain(..used);
        Ok(())
    }

    /// Finds out what kind of file this is. False while too little of it has arrived.
    fn find_form(&mut self, last: bool) -> Result<bool, MappingError> {
        let head = self.file.rest.as_slice();
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let line_end = memchr(b'\n', text);
        if text.is_empty() || (line_end.is_none() && !last && text.len() < LINE_BYTES_MAX) {
            return Ok(false);
        }
        let line = text.get(..line_end.unwrap_or(text.len())).unwrap_or_default();
        let form = match text.first() {
            Some(b'<' | b'[') => Form::Document,
            // A resource spread over lines: its first line is no whole object.
            Some(b'{') if matches!(tree::parse(line), Err(RejectReason::CutShort)) => {
                Form::Document
            }
            Some(b'{') => Form::Lines,
            _ => {
                let table = CsvTable::open_context(&self.mappings, &self.file.name, head)?;
                if let Some(table) = table {
                    self.file.rest.drain(..table.header_bytes());
                    self.file.lines = table.header_lines();
                    Form::Csv(Box::new(table))
                } else {
                    self.problem(1, RejectReason::NoMapping);
                    Form::Foreign
                }
            }
        };
        self.file.form = form;
        Ok(true)
    }

    /// Reads whole lines; returns how many bytes they are.
    fn lines(&mut self, block: &[u8], last: bool) -> usize {
        let mut start = 0;
        for end in memchr_iter(b'\n', block).chain(last.then_some(block.len())) {
            self.file.lines += 1;
            let line = block.get(start..end).unwrap_or_default().trim_ascii();
            if !line.is_empty() {
                self.line(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line));
            }
            start = (end + 1).min(block.len());
        }
        if block.len() - start > LINE_BYTES_MAX {
            let bytes = (block.len() - start) as u64;
            let bytes_max = LINE_BYTES_MAX as u64;
            self.problem(self.file.lines + 1, RejectReason::TooLong { bytes, bytes_max });
            // What follows is the rest of that line, up to its end.
            start = block.len();
        }
        start
    }

    fn line(&mut self, line: &[u8]) {
        if let Some(kind) = resource_type_ahead(line).filter(|kind| !is_read(kind)) {
            self.draft.counts.skip(kind);
            return;
        }
        let at = self.file.lines;
        match tree::parse(line) {
            Ok(value) => self.value(&value, at),
            Err(reason) => self.problem(at, reason),
        }
    }

    fn document(&mut self, bytes: &[u8]) {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        if text.starts_with(b"<") {
            match xml::element(after_prolog(text), xml::Style::Fhir, None) {
                Ok(element) => self.value(&element.value, 1),
                Err(broken) => self.problem(1, broken.reason),
            }
            return;
        }
        match tree::parse(bytes) {
            Ok(value) => self.value(&value, 1),
            // Lines after all: the first of them was cut.
            Err(_) if looks_like_lines(bytes) => {
                self.lines(bytes, true);
            }
            Err(reason) => self.problem(1, reason),
        }
    }

    fn value(&mut self, value: &Value<'_>, line: u64) {
        if let Value::Array(items) = value {
            for item in items {
                self.value(item, line);
            }
            return;
        }
        match value.get("resourceType").str() {
            Some("Bundle") => self.bundle(value, line),
            Some(kind) => self.resource(kind, value, line),
            None => self.foreign(value, line),
        }
    }

    fn bundle(&mut self, bundle: &Value<'_>, line: u64) {
        let entries = bundle.get("entry").items();
        for entry in entries {
            let resource = entry.get("resource");
            let full = entry.get("fullUrl").str().filter(|url| url.starts_with("urn:"));
            let (kind, id) = (resource.get("resourceType").str(), resource.get("id").str());
            if let (Some(url), Some(kind), Some(id)) = (full, kind, id) {
                self.draft.full_urls.insert(url.to_owned(), format!("{kind}/{id}"));
            }
        }
        for entry in entries {
            self.value(entry.get("resource"), line);
        }
    }

    fn resource(&mut self, kind: &str, resource: &Value<'_>, line: u64) {
        let draft = &mut self.draft;
        let Some(id) = resource.get("id").str() else {
            self.problem(line, RejectReason::Missing { field: "id" });
            return;
        };
        let name = format!("{kind}/{id}");
        match kind {
            "Patient" => people::patient(draft, resource, &name),
            "Practitioner" => people::practitioner(draft, resource, &name),
            "PractitionerRole" => people::practitioner_role(draft, resource, &name),
            "RelatedPerson" => people::related_person(draft, resource, &name),
            "Person" => people::person(draft, resource, &name),
            "Device" => people::device(draft, resource, &name),
            "Organization" | "Location" | "HealthcareService" => {
                places::unit(draft, resource, &name);
            }
            "Group" => places::group(draft, resource, &name),
            "ResearchStudy" => places::study(draft, resource, &name),
            "ResearchSubject" => places::subject(draft, resource),
            "Encounter" => clinical::encounter(draft, resource),
            "Appointment" => clinical::appointment(draft, resource),
            "ServiceRequest" => clinical::service_request(draft, resource),
            "CareTeam" => clinical::care_team(draft, resource),
            "EpisodeOfCare" => clinical::episode(draft, resource),
            "Task" => clinical::task(draft, resource),
            other => {
                draft.counts.skip(other);
                return;
            }
        }
        self.draft.counts.took(kind);
    }

    /// A JSON record that is no FHIR resource.
    fn foreign(&mut self, value: &Value<'_>, line: u64) {
        let found = self.mappings.find_context_for_json(&self.file.name, value);
        let Some(mapping) = found.map(Arc::clone) else {
            self.draft.counts.skip("records that are no FHIR resource");
            return;
        };
        let Purpose::Context(table) = mapping.purpose else { return };
        let cells = JsonCells { mapping: &mapping, root: value };
        let row = table::Row { mapping: &mapping, cells: &cells };
        match table::read(&mut self.draft, table, &row) {
            Ok(()) => self.draft.counts.took(table.name()),
            Err(reason) => self.problem(line, reason),
        }
    }

    fn rows(&mut self, block: &[u8], last: bool) -> usize {
        let Form::Csv(csv) = std::mem::take(&mut self.file.form) else { return block.len() };
        let at = Origin { line: self.file.lines + 1, ..Origin::default() };
        let (used, lines) = csv.each_row(block, at, last, &mut |_, origin, cells| {
            let Purpose::Context(table) = csv.mapping().purpose else { return };
            let read = cells.and_then(|cells| {
                let row = table::Row { mapping: csv.mapping(), cells: &cells };
                table::read(&mut self.draft, table, &row)
            });
            match read {
                Ok(()) => self.draft.counts.took(table.name()),
                Err(reason) => self.problem(origin.line, reason),
            }
        });
        self.file.lines += lines;
        self.file.form = Form::Csv(csv);
        used
    }

    fn problem(&mut self, line: u64, reason: RejectReason) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            let file = self.file.name.clone();
            self.problems.push(ContextProblem { file, line, reason });
        }
    }
}

/// What follows the XML declaration and comments.
fn after_prolog(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        let end = match rest {
            [b'<', b'?', ..] => memchr::memmem::find(rest, b"?>").map(|at| at + 2),
            [b'<', b'!', b'-', b'-', ..] => memchr::memmem::find(rest, b"-->").map(|at| at + 3),
            _ => None,
        };
        let Some(after) = end.and_then(|end| rest.get(end..)) else { return rest };
        rest = after.trim_ascii_start();
    }
}

fn looks_like_lines(bytes: &[u8]) -> bool {
    let starts = bytes.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"{"));
    starts.take(2).count() == 2
}

/// The type of a resource whose first key is `resourceType`, as every exporter writes it.
fn resource_type_ahead(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"resourceType\"")?;
    let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"")?;
    let end = memchr(b'"', rest.get(..TYPE_BYTES_MAX).unwrap_or(rest))?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// Whether resources of this type are read at all.
fn is_read(kind: &str) -> bool {
    matches!(
        kind,
        "Bundle"
            | "Patient"
            | "Practitioner"
            | "PractitionerRole"
            | "RelatedPerson"
            | "Person"
            | "Device"
            | "Organization"
            | "Location"
            | "HealthcareService"
            | "Group"
            | "ResearchStudy"
            | "ResearchSubject"
            | "Encounter"
            | "Appointment"
            | "ServiceRequest"
            | "CareTeam"
            | "EpisodeOfCare"
            | "Task"
    )
}

fn is_token(text: &str) -> bool {
    text.len() >= TOKEN_CHARS_MIN && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Problems beyond these are counted only.
pub const PROBLEMS_MAX: usize = 1_000;
/// A line of context longer than this is refused; a Bundle on one line may be long.
pub const LINE_BYTES_MAX: usize = 64 << 20;
/// A Bundle or resource spread over lines is held whole.
pub const DOCUMENT_BYTES_MAX: usize = 256 << 20;
/// No type of FHIR has a longer name.
const TYPE_BYTES_MAX: usize = 64;
/// The shortest keyed token taken for one: 16 hexadecimal digits.
const TOKEN_CHARS_MIN: usize = 16;
