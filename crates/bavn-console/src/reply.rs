//! What is sent back, as a page or one of its twins.

use crate::page::{self, Shell};
use crate::text::{Language, texts};
use maud::Markup;
use serde_json::{Value, json};

/// One answer, without its wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) cookie: Option<String>,
    pub(crate) location: Option<String>,
    /// Title and sentence of a page that says no: all that its twins have.
    pub(crate) said: Option<Box<[String; 2]>>,
}

impl Answer {
    /// Says no in the form in which a page was wanted.
    pub(crate) fn shaped(self, shape: Shape) -> Self {
        match (self.said.as_deref(), shape) {
            (None, _) | (_, Shape::Html) => self,
            (Some([title, sentence]), Shape::Json) => {
                let body = json!({ "error": title, "because": sentence });
                Self { status: self.status, cookie: self.cookie, ..crate::reply::json(&body) }
            }
            (Some([title, sentence]), Shape::Csv) => Self {
                kind: "text/plain; charset=utf-8",
                body: format!("{title}: {sentence}\n").into_bytes(),
                ..self
            },
        }
    }
}

/// In which form a page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Html,
    Json,
    Csv,
}

impl Shape {
    /// The path without its ending, and what the ending asks for.
    pub(crate) fn of(path: &str) -> (&str, Self) {
        match path.rsplit_once('.') {
            Some((stem, "json")) => (stem, Self::Json),
            Some((stem, "csv")) => (stem, Self::Csv),
            _ => (path, Self::Html),
        }
    }
}

pub(crate) fn html(page: &Markup) -> Answer {
    let (kind, body) = ("text/html; charset=utf-8", page.0.clone().into_bytes());
    Answer { status: 200, kind, body, cookie: None, location: None, said: None }
}

pub(crate) fn json(value: &Value) -> Answer {
    let (kind, body) = ("application/json", format!("{value}\n").into_bytes());
    Answer { status: 200, kind, body, cookie: None, location: None, said: None }
}

pub(crate) fn pdf(body: Vec<u8>) -> Answer {
    Answer { status: 200, kind: "application/pdf", body, cookie: None, location: None, said: None }
}

/// RFC 4180; a cell that a spreadsheet would run as a formula is made text.
pub(crate) fn csv(head: &str, rows: impl Iterator<Item = Vec<String>>) -> Answer {
    let cell = |cell: &String| {
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if formula { format!("'{cell}") } else { cell.clone() };
        let quoted = text.contains([',', '"', '\n', '\r']);
        if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let mut body = format!("{head}\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        body.push_str(&cells.join(","));
        body.push_str("\r\n");
    }
    let (kind, body) = ("text/csv; charset=utf-8", body.into_bytes());
    Answer { status: 200, kind, body, cookie: None, location: None, said: None }
}

pub(crate) fn go(location: &str) -> Answer {
    let location = Some(location.to_owned());
    Answer { status: 303, kind: "text/plain", body: Vec::new(), cookie: None, location, said: None }
}

pub(crate) fn missing(language: Language) -> Answer {
    let words = texts(language);
    let page = page::word(words.missing, words.missing_text, language, &Shell::default());
    let said = [words.missing, words.missing_text].map(str::to_owned);
    Answer { status: 404, said: Some(Box::new(said)), ..html(&page) }
}

pub(crate) fn outside(language: Language) -> Answer {
    let words = texts(language);
    let page = page::word(words.enter, words.enter_text, language, &Shell::default());
    let said = [words.enter, words.enter_text].map(str::to_owned);
    Answer { status: 401, said: Some(Box::new(said)), ..html(&page) }
}
