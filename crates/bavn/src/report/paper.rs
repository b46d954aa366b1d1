//! The report on paper, in large enough print.

use super::group::Group;
use super::words::Words;
use bavn_model::Flag;
use bavn_share::{Document, Language, Part, Table};
use bavn_store::Who;

/// The report as parts to be set.
pub(crate) fn document(
    who: &Who,
    groups: &[Group<'_>],
    words: &Words,
    language: Language,
) -> Document {
    let mut parts = vec![Part::Paragraph(words.intro.to_owned())];
    parts.push(Part::Heading(words.readers.to_owned()));
    parts.push(Part::List(words.readers_of(who, groups)));
    parts.push(Part::Heading(words.by_time.to_owned()));
    if groups.is_empty() {
        parts.push(Part::Paragraph(words.none.to_owned()));
    }
    for group in groups {
        let emergency = group.rows.iter().any(|row| row.reading.flags.has(Flag::BreakGlass));
        let title = group.about.title(words);
        parts.push(if emergency {
            Part::Warning(format!("! {title}: {}", words.emergency))
        } else {
            Part::Paragraph(title)
        });
        parts.push(Part::Table(Table {
            columns: words.columns.into_iter().map(str::to_owned).zip(SHARES).collect(),
            rows: group.rows.iter().map(|row| words.cells(row).to_vec()).collect(),
        }));
    }
    parts.push(Part::Heading(words.gaps.to_owned()));
    parts.push(Part::List(words.gaps_of(who)));
    parts.push(Part::Heading(words.ask.to_owned()));
    parts.push(Part::Paragraph(words.how_to_ask.to_owned()));
    let title = format!("{} {}", words.title, who.patient);
    Document { title, language, parts, foot: words.as_of(who) }
}

/// Widths of the columns, against each other.
const SHARES: [u16; 6] = [3, 5, 4, 4, 5, 3];
