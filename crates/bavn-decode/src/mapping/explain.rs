//! How did a mapping read this row? For people who write one.

use super::compile::Field;
use super::words::Target;
use super::{Cells, CsvTable, JsonCells, Mapping};
use crate::tree::Value;
use bavn_model::Origin;

/// One row, field by field.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ExplainedRow {
    pub mapping: String,
    pub line: u64,
    pub fields: Vec<ExplainedField>,
    /// Why the row is no event, if it is none.
    pub reject: Option<String>,
}

/// What became of one field. Whatever may tell a patient is masked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ExplainedField {
    pub field: Target,
    /// The columns or paths that it is read from.
    pub from: Vec<String>,
    pub raw: Vec<String>,
    pub read: Vec<String>,
    pub rule: String,
}

impl CsvTable {
    /// Explains the first `rows_max` rows of a block that begins where a row begins.
    pub fn explain(&self, block: &[u8], at: Origin, rows_max: usize) -> Vec<ExplainedRow> {
        let mut rows = Vec::new();
        self.each_row(block, at, true, &mut |raw, origin, row| {
            if rows.len() >= rows_max {
                return;
            }
            let mut explained = ExplainedRow {
                mapping: self.mapping().name.clone(),
                line: origin.line,
                fields: Vec::new(),
                reject: None,
            };
            match row {
                Ok(cells) => {
                    explained.fields = self.mapping().explain(&cells);
                    let record = self.mapping().record(&cells, raw, origin);
                    explained.reject = record.err().map(|reason| reason.to_string());
                }
                Err(reason) => explained.reject = Some(reason.to_string()),
            }
            rows.push(explained);
        });
        rows
    }
}

impl Mapping {
    /// Explains one JSON record.
    pub fn explain_json(&self, record: &Value<'_>, raw: &[u8], origin: Origin) -> ExplainedRow {
        let cells = JsonCells { mapping: self, root: record };
        let over = matches!(self.purpose, super::Purpose::EventsOver(_));
        let read = if over { Ok(()) } else { self.record(&cells, raw, origin).map(|_| ()) };
        ExplainedRow {
            mapping: self.name.clone(),
            line: origin.line,
            fields: self.explain(&cells),
            reject: read.err().map(|reason| reason.to_string()),
        }
    }

    fn explain(&self, cells: &dyn Cells<'_>) -> Vec<ExplainedField> {
        self.fields().iter().map(|field| self.explain_field(field, cells)).collect()
    }

    fn explain_field(&self, field: &Field, cells: &dyn Cells<'_>) -> ExplainedField {
        let target = field.target;
        if !self.applies(field, cells) {
            let rule = "not read: its condition does not hold".to_owned();
            let (from, raw, read) = (Vec::new(), Vec::new(), Vec::new());
            return ExplainedField { field: target, from, raw, read, rule };
        }
        let slots = field.join.iter().chain(&field.from);
        let from = slots.filter_map(|&slot| self.slots.get(slot));
        let show = |text: &str| {
            if target.is_about_patient() { masked(text) } else { text.to_owned() }
        };
        let read: Vec<String> = match (target, &field.clock) {
            (_, Some(clock)) => {
                let texts = self.texts_of(field, cells);
                let times = texts.iter().filter_map(|text| clock.read(text));
                times.map(|(at, _)| show(&at.to_string())).collect()
            }
            (Target::Who | Target::Patients | Target::Person | Target::Patient, _) => {
                let people = self.people_of(field, cells);
                people.iter().flatten().map(|name| show(name)).collect()
            }
            (condition, _) if condition.is_condition() => {
                self.holds(field, cells).map(|holds| holds.to_string()).into_iter().collect()
            }
            _ => self.texts_of(field, cells).iter().map(|text| show(text)).collect(),
        };
        ExplainedField {
            field: target,
            from: from.map(|slot| slot.path.as_str().to_owned()).collect(),
            raw: self.raw_texts(field, cells).iter().map(|text| show(text)).collect(),
            read,
            rule: rule_of(field),
        }
    }
}

fn rule_of(field: &Field) -> String {
    let mut parts = Vec::new();
    if !field.join.is_empty() {
        parts.push("joined by a space".to_owned());
    } else if field.from.len() > 1 {
        parts.push("first that holds anything".to_owned());
    } else if field.from.is_empty() {
        parts.push("constant".to_owned());
    }
    if let Some(separator) = &field.split {
        parts.push(format!("split at `{separator}`"));
    }
    if field.base64 {
        parts.push("base64 undone".to_owned());
    }
    if let Some(mark) = &field.after_last {
        parts.push(format!("what follows the last `{mark}`"));
    }
    if field.values.is_some() {
        parts.push("through a table of values".to_owned());
    }
    if let Some(system) = &field.system {
        parts.push(format!("an identifier of `{system}`"));
    }
    if let Some(kind) = &field.reference {
        parts.push(format!("a reference to {kind}"));
    }
    if field.look_up_reason {
        parts.push("looked up among the mapping's reasons".to_owned());
    }
    if !field.also.is_empty() {
        parts.push(format!("with {} further spellings", field.also.len()));
    }
    if parts.is_empty() { "as it stands".to_owned() } else { parts.join(", ") }
}

/// The last two characters of five or more, so that two patients can be told apart by somebody who
/// has the source.
fn masked(text: &str) -> String {
    let count = text.chars().count();
    let shown = if count >= 5 { 2 } else { 0 };
    let stars = "*".repeat(count.min(STARS_MAX) - shown.min(count.min(STARS_MAX)));
    let tail: String = text.chars().skip(count - shown).collect();
    stars + &tail
}

const STARS_MAX: usize = 12;
