//! One document before it has pages: what every PDF is made of.

use crate::words::Language;

/// Parts in reading order, under one title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub title: String,
    pub language: Language,
    pub parts: Vec<Part>,
    /// At the foot of every page: what it was made from, with its digest.
    pub foot: String,
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Heading(String),
    Paragraph(String),
    /// Of less weight: to whom, by which law.
    Small(String),
    /// To be seen first.
    Warning(String),
    List(Vec<String>),
    /// The fields of a form, numbered in its order.
    Entries(Vec<Entry>),
    Table(Table),
    /// What follows begins on a page of its own.
    NewPage,
}

/// A field of a form and what is said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub label: String,
    pub value: String,
    /// Whether `value` only says that something must still be filled in.
    pub is_gap: bool,
    /// Small, below: what stood there before, what is too long.
    pub notes: Vec<String>,
}

/// Rows under a head that is repeated on every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// A column's name, and its share of the width.
    pub columns: Vec<(String, u16)>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<String>>,
}
