//! Each kind of document as parts to be set on paper.

use crate::clock::Due;
use crate::document::{Document, Entry, Part};
use crate::instant::Instant;
use crate::notice::{Filled, Notice};
use crate::text::state;
use crate::words::{Language, Texts};
use jiff::tz::TimeZone;

/// A notice; of a letter, the letter first and by itself, then what only its sender needs.
pub fn notice_document(notice: &Notice) -> Document {
    let texts = notice.language.texts();
    let is_letter = !notice.paragraphs.is_empty() && notice.fields_total > 0;
    let mut parts = Vec::new();
    if is_letter {
        parts.push(Part::Paragraph(notice.letter_head.join("\n")));
        parts.extend(paragraphs(notice));
        parts.extend([Part::NewPage, Part::Heading(texts.for_sender.to_owned())]);
        parts.extend(heading(notice, texts));
    } else {
        parts.extend(heading(notice, texts));
        parts.extend(paragraphs(notice));
    }
    if notice.fields_total > 0 {
        let (filled, total) = (notice.filled, notice.fields_total);
        let share = notice.filled_percent();
        parts.push(Part::Small(format!("{filled}/{total} {} ({share} %)", texts.filled)));
        parts.push(Part::Entries(notice.fields.iter().map(|one| entry(one, texts)).collect()));
    }
    if !notice.clocks.is_empty() {
        let said = said(&notice.clocks, notice.language, &notice.zone, notice.now);
        parts.push(Part::Small(format!("{}\n{}", texts.clocks, said.join("\n"))));
    }
    if !notice.evidence.is_empty() {
        parts.push(Part::Small(format!("{}\n{}", texts.evidence, notice.evidence.join("\n"))));
    }
    let foot = format!(
        "{} · {} {} · {} SHA-256 {}",
        notice.breach, notice.regime, notice.version, texts.of_record, notice.record
    );
    Document { title: notice.title.clone(), language: notice.language, parts, foot }
}

/// Every clock.
pub fn clocks_document(clocks: &[Due], language: Language, zone: &str, now: Instant) -> Document {
    let zone = crate::instant::zone_named(zone).unwrap_or(TimeZone::UTC);
    let texts = language.texts();
    let parts = vec![Part::List(said(clocks, language, &zone, now))];
    let foot = format!("{} {}", texts.made_at, now.local(&zone));
    Document { title: texts.clocks.to_owned(), language, parts, foot }
}

fn heading(notice: &Notice, texts: &Texts) -> Vec<Part> {
    let mut parts = vec![
        Part::Paragraph(format!("{} {}", notice.breach, notice.breach_title)),
        Part::Small(format!(
            "{}: {}\n{}: {} ({})\n{}: {} · {}",
            texts.to,
            notice.receiver,
            texts.law,
            notice.source,
            notice.version,
            texts.made_at,
            notice.made_at,
            notice.phase_name
        )),
        Part::Small(texts.draft.to_owned()),
    ];
    parts.extend(notice.banners.iter().map(|banner| Part::Warning(format!("! {banner}"))));
    if !notice.missing.is_empty() {
        let count = notice.missing.len();
        let missing = notice.missing.join("; ");
        parts.push(Part::Warning(format!("! {} ({count}): {missing}", texts.missing)));
    }
    parts
}

fn paragraphs(notice: &Notice) -> impl Iterator<Item = Part> {
    notice.paragraphs.iter().flat_map(|(heading, text)| {
        let said = text.split("\n\n").map(|part| Part::Paragraph(part.to_owned()));
        std::iter::once(Part::Heading(heading.clone())).chain(said)
    })
}

fn entry(field: &Filled, texts: &Texts) -> Entry {
    let is_gap = field.value.is_none() && field.required;
    let gap = if is_gap { format!("! {}", texts.missing_here) } else { "–".to_owned() };
    let was = field
        .was
        .as_ref()
        .map(|was| format!("{}: {}", texts.was, was.as_deref().unwrap_or(texts.nothing)));
    let other = field.written_in.map(|_| format!("! {}", texts.written_in_other));
    let over = field.over_by.map(|over| format!("! {over} {}", texts.too_long));
    Entry {
        label: field.label.clone(),
        value: field.value.clone().unwrap_or(gap),
        is_gap,
        notes: was.into_iter().chain(other).chain(over).collect(),
    }
}

/// A line a clock.
fn said(clocks: &[Due], language: Language, zone: &TimeZone, now: Instant) -> Vec<String> {
    let said = clocks
        .iter()
        .map(|due| format!("{}: {}", due.name.of(language), state(due, language, zone, now)));
    said.collect()
}
