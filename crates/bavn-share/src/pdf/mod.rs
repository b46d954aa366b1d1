//! A document as PDF: tagged for who hears it read, the same bytes every time.
//!
//! PDF/UA-1 (ISO 14289-1), which the writer checks as it writes. A letter that the fonts lack is
//! shown as a mark, and stays itself in the text below.

mod face;
mod layout;

use crate::document::Document;
use face::Face;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, SpanTag, TableHeaderScope, Tag,
    TagGroup, TagKind, TagTree,
};
use layout::{Branch, Faces, Group, Layout, PAGE, Placed, Role, Style, Tone, lay_out};
use std::num::NonZeroU16;

/// A document that has no PDF. Neither is known to happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PdfError {
    #[error("the fonts in the program cannot be read")]
    Font,
    #[error("the document cannot be written as PDF/UA-1")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The whole file.
pub fn pdf(document: &Document) -> Result<Vec<u8>, PdfError> {
    let faces = Faces { plain: Face::new(PLAIN)?, bold: Face::new(BOLD)? };
    let layout = lay_out(document, &faces);
    let configuration = ConfigurationBuilder::new()
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| failed(&error))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut file = krilla::Document::new_with(settings);
    let mut texts: Vec<Vec<Identifier>> = vec![Vec::new(); layout.slots];
    for placed in &layout.pages {
        let size = PageSettings::from_wh(PAGE.0, PAGE.1).unwrap_or_default();
        let mut page = file.start_page_with(size);
        let mut surface = page.surface();
        for one in placed {
            draw(&mut surface, one, &faces, &mut texts);
        }
        surface.finish();
        page.finish();
    }
    file.set_outline(outline(&layout));
    let mut tree = TagTree::new();
    for part in &layout.tree {
        tree.push(group(part, &mut texts));
    }
    file.set_tag_tree(tree);
    let metadata = Metadata::new()
        .title(document.title.clone())
        .language(document.language.code().to_owned())
        .creator("bavn".to_owned());
    file.set_metadata(metadata);
    file.finish().map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Debug) -> PdfError {
    PdfError::Write(format!("{error:?}").into())
}

fn draw(surface: &mut Surface<'_>, placed: &Placed, faces: &Faces, texts: &mut [Vec<Identifier>]) {
    match placed {
        Placed::Bar { x, y, width, height, tone } => {
            surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
            surface.set_fill(Some(fill(*tone)));
            if let Some(bar) = Rect::from_xywh(*x, *y, *width, *height) {
                let mut path = PathBuilder::new();
                path.push_rect(bar);
                if let Some(path) = path.finish() {
                    surface.draw_path(&path);
                }
            }
            surface.end_tagged();
        }
        Placed::Line { x, y, style, text, slot } => {
            let repeated = Artifact::with_kind(ArtifactType::PaginationOther);
            let tag = match slot {
                Some(_) => ContentTag::Span(SpanTag::empty()),
                None => ContentTag::Artifact(repeated),
            };
            let held = surface.start_tagged(tag);
            set(surface, *style, faces, (*x, *y), text);
            surface.end_tagged();
            if let Some(of) = slot.and_then(|slot| texts.get_mut(slot)) {
                of.push(held);
            }
        }
    }
}

fn set(surface: &mut Surface<'_>, style: Style, faces: &Faces, (x, y): (f32, f32), text: &str) {
    let face = if style.is_bold { &faces.bold } else { &faces.plain };
    surface.set_fill(Some(fill(style.tone)));
    // The letters stand on the line, whose top is `y`.
    let start = Point::from_xy(x, y + style.size);
    let glyphs = face.glyphs(text);
    surface.draw_glyphs(start, &glyphs, face.font.clone(), text, style.size, false);
}

fn fill(tone: Tone) -> Fill {
    let colour = match tone {
        Tone::Ink => rgb::Color::new(20, 20, 20),
        Tone::Quiet => rgb::Color::new(85, 85, 85),
        Tone::Alert => rgb::Color::new(143, 29, 20),
        Tone::Rule => rgb::Color::new(180, 180, 180),
    };
    Fill { paint: colour.into(), ..Fill::default() }
}

fn outline(layout: &Layout<'_>) -> Outline {
    let mut outline = Outline::new();
    for (text, page, y) in &layout.headings {
        let place = XyzDestination::new(*page, Point::from_xy(0.0, *y));
        outline.push_child(OutlineNode::new(text.clone(), place));
    }
    outline
}

fn group(Group(role, children): &Group, texts: &mut [Vec<Identifier>]) -> TagGroup {
    let mut tags = TagGroup::new(kind(role));
    for child in children {
        match child {
            Branch::Group(inner) => tags.push(group(inner, texts)),
            Branch::Leaf(slot) => {
                let held = texts.get_mut(*slot).map(std::mem::take).unwrap_or_default();
                for identifier in held {
                    tags.push(identifier);
                }
            }
        }
    }
    tags
}

fn kind(role: &Role) -> TagKind {
    match role {
        Role::Heading(level, text) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(text.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::Bullets => Tag::L(ListNumbering::Disc).into(),
        Role::Numbers => Tag::L(ListNumbering::Decimal).into(),
        Role::Item => Tag::LI.into(),
        Role::Label => Tag::Lbl.into(),
        Role::Body => Tag::LBody.into(),
        Role::Table => Tag::Table.into(),
        Role::Head => Tag::THead.into(),
        Role::Rows => Tag::TBody.into(),
        Role::Row => Tag::TR.into(),
        Role::HeadCell => Tag::TH(TableHeaderScope::Column).into(),
        Role::Cell => Tag::TD.into(),
    }
}

/// Latin letters of a free font; which, and how they were cut out, stands beside them.
const PLAIN: &[u8] = include_bytes!("../../fonts/DejaVuSansCondensed-latin.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/DejaVuSansCondensed-Bold-latin.ttf");
