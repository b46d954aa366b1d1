//! Where each line of a document stands, and of which part it is.

use super::face::Face;
use crate::document::{Document, Entry, Part, Table};
use crate::words::Language;

/// Where things stand, and what they are of.
pub(super) struct Layout<'f> {
    faces: &'f Faces,
    pub(super) pages: Vec<Vec<Placed>>,
    /// From the top of the page to the next line.
    y: f32,
    /// Texts so far; each is a leaf of the tree.
    pub(super) slots: usize,
    pub(super) tree: Vec<Group>,
    /// Heading, its page and height, for the outline.
    pub(super) headings: Vec<(String, usize, f32)>,
}

pub(super) struct Faces {
    pub(super) plain: Face,
    pub(super) bold: Face,
}

/// Something on a page.
pub(super) enum Placed {
    Line {
        x: f32,
        y: f32,
        style: Style,
        text: String,
        /// None: of no part, such as a head that is repeated.
        slot: Option<usize>,
    },
    /// A filled rectangle.
    Bar { x: f32, y: f32, width: f32, height: f32, tone: Tone },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) line: f32,
    pub(super) is_bold: bool,
    pub(super) tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Ink,
    Quiet,
    Alert,
    Rule,
}

/// The document as a reader that speaks it needs it.
pub(super) struct Group(pub(super) Role, pub(super) Vec<Branch>);

/// A text, by its slot, or a group within a group.
pub(super) enum Branch {
    Leaf(usize),
    Group(Group),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Heading(u16, String),
    Paragraph,
    Bullets,
    Numbers,
    Item,
    Label,
    Body,
    Table,
    Head,
    Rows,
    Row,
    HeadCell,
    Cell,
}

pub(super) fn lay_out<'f>(document: &Document, faces: &'f Faces) -> Layout<'f> {
    let mut layout = Layout {
        faces,
        pages: vec![Vec::new()],
        y: TOP,
        slots: 0,
        tree: Vec::new(),
        headings: Vec::new(),
    };
    layout.heading(&document.title, TITLE, 1);
    for part in &document.parts {
        layout.part(part);
    }
    layout.feet(document);
    layout
}

impl Layout<'_> {
    fn part(&mut self, part: &Part) {
        match part {
            Part::Heading(text) => self.heading(text, HEADING, 2),
            Part::Paragraph(text) => self.paragraph(text, BODY),
            Part::Small(text) => self.paragraph(text, SMALL),
            Part::Warning(text) => self.warning(text),
            Part::List(items) => self.list(items),
            Part::Entries(entries) => self.entries(entries),
            Part::Table(table) => self.table(table),
            Part::NewPage => self.new_page(),
        }
    }

    fn heading(&mut self, text: &str, style: Style, level: u16) {
        if text.trim().is_empty() {
            return;
        }
        if self.y > TOP {
            self.y += style.line * 0.7;
        }
        // Never alone at the foot of a page.
        self.need(style.line + 3.0 * BODY.line);
        self.headings.push((text.to_owned(), self.pages.len() - 1, self.y));
        let leaf = self.text(text, style, LEFT, WIDTH);
        self.tree.push(Group(Role::Heading(level, text.to_owned()), vec![leaf]));
        self.y += GAP;
    }

    fn paragraph(&mut self, text: &str, style: Style) {
        let leaf = self.text(text, style, LEFT, WIDTH);
        self.tree.push(Group(Role::Paragraph, vec![leaf]));
        self.y += GAP;
    }

    fn warning(&mut self, text: &str) {
        let lines = self.face(ALERT).lines(text, ALERT.size, WIDTH - INDENT).len();
        let height = lines as f32 * ALERT.line;
        self.need(height);
        let bar = Placed::Bar { x: LEFT, y: self.y, width: 3.0, height, tone: Tone::Alert };
        self.place(bar);
        let leaf = self.text(text, ALERT, LEFT + INDENT, WIDTH - INDENT);
        self.tree.push(Group(Role::Paragraph, vec![leaf]));
        self.y += GAP;
    }

    fn list(&mut self, items: &[String]) {
        let mut all = Vec::new();
        for item in items {
            self.need(BODY.line);
            let label = self.mark("•", LEFT + 2.0, BODY);
            let body = self.text(item, BODY, LEFT + INDENT, WIDTH - INDENT);
            all.push(item_of(label, vec![paragraph_of(body)]));
            self.y += 1.5;
        }
        self.tree.push(Group(Role::Bullets, all));
        self.y += GAP;
    }

    fn entries(&mut self, entries: &[Entry]) {
        let mut all = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            self.need(LABEL.line + BODY.line + GAP);
            self.rule(LEFT, WIDTH);
            self.y += GAP;
            let label = self.mark(&format!("{}.", at + 1), LEFT, LABEL);
            let (x, width) = (LEFT + WIDE_INDENT, WIDTH - WIDE_INDENT);
            let mut body = vec![paragraph_of(self.text(&entry.label, LABEL, x, width))];
            let style = if entry.is_gap { ALERT } else { BODY };
            body.push(paragraph_of(self.text(&entry.value, style, x, width)));
            for note in &entry.notes {
                body.push(paragraph_of(self.text(note, SMALL, x, width)));
            }
            all.push(item_of(label, body));
            self.y += GAP;
        }
        self.tree.push(Group(Role::Numbers, all));
    }

    fn table(&mut self, table: &Table) {
        let shares: f32 = table.columns.iter().map(|(_, share)| f32::from(*share)).sum();
        let mut x = LEFT;
        let columns: Vec<(f32, f32)> = table
            .columns
            .iter()
            .map(|(_, share)| {
                let width = WIDTH * f32::from(*share) / shares.max(1.0);
                let column = (x, width - CELL_GAP);
                x += width;
                column
            })
            .collect();
        let names: Vec<String> = table.columns.iter().map(|(name, _)| name.clone()).collect();
        let head = self.cells(&names, CELL_HEAD, &columns);
        self.need(head.height() + 2.0 * CELL.line);
        let head_row = self.row(&head, true, None);
        let mut rows = Vec::new();
        for row in &table.rows {
            let cells = self.cells(row, CELL, &columns);
            rows.push(grouped(Role::Row, self.row(&cells, false, Some(&head))));
        }
        let mut parts = vec![grouped(Role::Head, vec![grouped(Role::Row, head_row)])];
        if !rows.is_empty() {
            parts.push(grouped(Role::Rows, rows));
        }
        self.tree.push(Group(Role::Table, parts));
        self.y += GAP;
    }

    /// Sets a row, line by line where it is longer than what is left of an empty page.
    fn row(&mut self, cells: &Cells, is_head: bool, head: Option<&Cells>) -> Vec<Branch> {
        let whole = cells.height().min(BOTTOM - TOP - 4.0 * CELL.line);
        let has_room = |layout: &Self, height: f32| layout.y + height <= BOTTOM;
        if !has_room(self, whole) {
            self.next_of_table(head);
        }
        let slots: Vec<usize> = cells.lines.iter().map(|_| self.slot()).collect();
        for at in 0..cells.deepest() {
            if !has_room(self, cells.style.line) {
                self.next_of_table(head);
            }
            self.line_of_row(cells, at, &slots);
        }
        self.y += 3.0;
        self.rule(LEFT, WIDTH);
        self.y += 3.0;
        let role = if is_head { Role::HeadCell } else { Role::Cell };
        let leaf = |slot| grouped(role.clone(), vec![Branch::Leaf(slot)]);
        slots.into_iter().map(leaf).collect()
    }

    fn line_of_row(&mut self, cells: &Cells, at: usize, slots: &[usize]) {
        let y = self.y;
        for ((lines, (x, _)), slot) in cells.lines.iter().zip(&cells.columns).zip(slots) {
            if let Some(text) = lines.get(at) {
                let (text, slot) = (text.clone(), Some(*slot));
                self.place(Placed::Line { x: *x, y, style: cells.style, text, slot });
            }
        }
        self.y += cells.style.line;
    }

    /// The next page, with the head of the table that goes on.
    fn next_of_table(&mut self, head: Option<&Cells>) {
        self.new_page();
        let Some(head) = head else { return };
        for at in 0..head.deepest() {
            let y = self.y;
            for (lines, (x, _)) in head.lines.iter().zip(&head.columns) {
                if let Some(text) = lines.get(at) {
                    let text = text.clone();
                    self.place(Placed::Line { x: *x, y, style: head.style, text, slot: None });
                }
            }
            self.y += head.style.line;
        }
        self.y += 3.0;
        self.rule(LEFT, WIDTH);
        self.y += 3.0;
    }

    fn cells(&self, texts: &[String], style: Style, columns: &[(f32, f32)]) -> Cells {
        let face = self.face(style);
        let lines = texts.iter().zip(columns).map(|(text, (_, width))| {
            // An empty cell would be no cell to who hears the table read.
            let text = if text.trim().is_empty() { "–" } else { text };
            face.lines(text, style.size, *width)
        });
        Cells { lines: lines.collect(), style, columns: columns.to_vec() }
    }

    fn text(&mut self, text: &str, style: Style, x: f32, width: f32) -> Branch {
        let slot = self.slot();
        for text in self.face(style).lines(text, style.size, width) {
            self.need(style.line);
            let y = self.y;
            if !text.is_empty() {
                self.place(Placed::Line { x, y, style, text, slot: Some(slot) });
            }
            self.y += style.line;
        }
        Branch::Leaf(slot)
    }

    /// A bullet or number beside the line that follows.
    fn mark(&mut self, text: &str, x: f32, style: Style) -> Branch {
        let (slot, y, text) = (self.slot(), self.y, text.to_owned());
        self.place(Placed::Line { x, y, style, text, slot: Some(slot) });
        Branch::Leaf(slot)
    }

    fn rule(&mut self, x: f32, width: f32) {
        let y = self.y;
        self.place(Placed::Bar { x, y, width, height: 0.5, tone: Tone::Rule });
    }

    fn feet(&mut self, document: &Document) {
        let pages = self.pages.len();
        for (at, page) in self.pages.iter_mut().enumerate() {
            let number = match document.language {
                Language::En => format!("Page {} of {pages}", at + 1),
                Language::Nb => format!("Side {} av {pages}", at + 1),
            };
            let face = &self.faces.plain;
            let room = WIDTH - face.width(&number, FOOT.size) - INDENT;
            let (right, y) = (LEFT + WIDTH - face.width(&number, FOOT.size), FOOT_Y);
            page.push(Placed::Bar {
                x: LEFT,
                y: y - 5.0,
                width: WIDTH,
                height: 0.5,
                tone: Tone::Rule,
            });
            let foot = face.lines(&document.foot, FOOT.size, room);
            for (line, text) in foot.into_iter().take(FOOT_LINES_MAX).enumerate() {
                let y = y + line as f32 * FOOT.line;
                page.push(Placed::Line { x: LEFT, y, style: FOOT, text, slot: None });
            }
            page.push(Placed::Line { x: right, y, style: FOOT, text: number, slot: None });
        }
    }

    fn face(&self, style: Style) -> &Face {
        if style.is_bold { &self.faces.bold } else { &self.faces.plain }
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.new_page();
        }
    }

    fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    fn place(&mut self, placed: Placed) {
        if let Some(page) = self.pages.last_mut() {
            page.push(placed);
        }
    }
}

/// The cells of one row, cut into lines.
struct Cells {
    lines: Vec<Vec<String>>,
    style: Style,
    /// From where, and how wide.
    columns: Vec<(f32, f32)>,
}

impl Cells {
    fn deepest(&self) -> usize {
        self.lines.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn height(&self) -> f32 {
        self.deepest() as f32 * self.style.line + 6.0
    }
}

fn grouped(role: Role, children: Vec<Branch>) -> Branch {
    Branch::Group(Group(role, children))
}

fn paragraph_of(leaf: Branch) -> Branch {
    grouped(Role::Paragraph, vec![leaf])
}

fn item_of(label: Branch, body: Vec<Branch>) -> Branch {
    grouped(Role::Item, vec![grouped(Role::Label, vec![label]), grouped(Role::Body, body)])
}

/// A4, in points (ISO 216; a point is 1/72 inch).
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);
const LEFT: f32 = 62.0;
const WIDTH: f32 = PAGE.0 - 2.0 * LEFT;
const TOP: f32 = 60.0;
const BOTTOM: f32 = 762.0;
const FOOT_Y: f32 = 786.0;
const FOOT_LINES_MAX: usize = 2;
const GAP: f32 = 5.0;
const INDENT: f32 = 13.0;
const WIDE_INDENT: f32 = 24.0;
const CELL_GAP: f32 = 8.0;

const TITLE: Style = Style { size: 18.0, line: 23.0, is_bold: true, tone: Tone::Ink };
const HEADING: Style = Style { size: 12.5, line: 16.5, is_bold: true, tone: Tone::Ink };
const LABEL: Style = Style { size: 10.0, line: 14.0, is_bold: true, tone: Tone::Ink };
const BODY: Style = Style { size: 10.5, line: 15.0, is_bold: false, tone: Tone::Ink };
const ALERT: Style = Style { size: 10.5, line: 15.0, is_bold: true, tone: Tone::Alert };
const SMALL: Style = Style { size: 9.0, line: 12.5, is_bold: false, tone: Tone::Quiet };
const CELL: Style = Style { size: 8.8, line: 11.8, is_bold: false, tone: Tone::Ink };
const CELL_HEAD: Style = Style { size: 8.8, line: 11.8, is_bold: true, tone: Tone::Ink };
const FOOT: Style = Style { size: 7.5, line: 9.5, is_bold: false, tone: Tone::Quiet };
