//! Notices and clocks as plain text, for a terminal or a copy sheet.

use crate::clock::{Due, Duty};
use crate::instant::Instant;
use crate::notice::Notice;
use crate::regime::Verified;
use crate::words::{Language, event_name};
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// The whole notice, in the form's own order.
pub fn notice_text(notice: &Notice) -> String {
    let texts = notice.language.texts();
    let mut out = format!("{}\n{}\n\n", notice.title, texts.draft);
    let _ = writeln!(out, "{} {}", notice.breach, notice.breach_title);
    let _ = writeln!(out, "{}: {}", texts.to, notice.receiver);
    let _ = writeln!(out, "{}: {} ({})", texts.law, notice.source, notice.version);
    let _ = writeln!(out, "{}: {} · {}", texts.made_at, notice.made_at, notice.phase_name);
    for banner in &notice.banners {
        let _ = writeln!(out, "! {banner}");
    }
    if !notice.letter_head.is_empty() {
        let _ = writeln!(out, "\n{}", notice.letter_head.join("\n"));
    }
    for (heading, text) in &notice.paragraphs {
        let _ = writeln!(out, "\n{heading}\n\n{text}");
    }
    if notice.fields_total > 0 {
        let share = notice.filled_percent();
        let (filled, total) = (notice.filled, notice.fields_total);
        let _ = writeln!(out, "\n{filled}/{total} {} ({share} %)", texts.filled);
    }
    if !notice.missing.is_empty() {
        let _ = writeln!(out, "{}: {}", texts.missing, notice.missing.join(", "));
    }
    for (at, field) in notice.fields.iter().enumerate() {
        let missing = if field.required { texts.missing_here.to_uppercase() } else { "-".into() };
        let value = field.value.clone().unwrap_or(missing);
        let _ = writeln!(out, "\n{}. {}\n{value}", at + 1, field.label);
        if field.written_in.is_some() {
            let _ = writeln!(out, "({})", texts.written_in_other);
        }
        if let Some(was) = &field.was {
            let _ = writeln!(out, "({}: {})", texts.was, was.as_deref().unwrap_or(texts.nothing));
        }
        if let Some(over) = field.over_by {
            let _ = writeln!(out, "({over} {})", texts.too_long);
        }
    }
    if !notice.evidence.is_empty() {
        let _ = writeln!(out, "\n{}\n{}", texts.evidence, notice.evidence.join("\n"));
    }
    if !notice.clocks.is_empty() {
        let listed = lines(&notice.clocks, notice.language, &notice.zone, notice.now);
        let _ = write!(out, "\n{}\n{listed}", texts.clocks);
    }
    out
}

/// One line a clock.
pub fn clocks_text(clocks: &[Due], language: Language, zone: &str, now: Instant) -> String {
    let zone = crate::instant::zone_named(zone).unwrap_or(TimeZone::UTC);
    lines(clocks, language, &zone, now)
}

fn lines(clocks: &[Due], language: Language, zone: &TimeZone, now: Instant) -> String {
    let mut out = String::new();
    for due in clocks {
        let _ = writeln!(out, "{}: {}", due.name.of(language), state(due, language, zone, now));
    }
    out
}

/// What one clock says, in one sentence.
pub(crate) fn state(due: &Due, language: Language, zone: &TimeZone, now: Instant) -> String {
    let texts = language.texts();
    let mut said = left(due, language, zone, now);
    if let Some(declared) = &due.declared {
        let _ = write!(
            said,
            "; {} {}, {}: {}",
            texts.declared_by,
            declared.by,
            declared.at.local(zone),
            declared.why
        );
    }
    said.push_str(&owed(due, language));
    said
}

/// How much time is left, and nothing of who declared what.
pub(crate) fn left(due: &Due, language: Language, zone: &TimeZone, now: Instant) -> String {
    let texts = language.texts();
    match (&due.declared, due.by, due.sent_at) {
        (None, _, _) => format!("{} {}", texts.not_started, event_name(&due.from, language)),
        (Some(_), Some(by), Some(sent)) => {
            let word = if sent > by { texts.sent_late } else { texts.sent };
            format!("{word} {} ({} {})", sent.local(zone), texts.due, by.local(zone))
        }
        (Some(_), None, Some(sent)) => format!("{} {}", texts.sent, sent.local(zone)),
        (Some(_), None, None) => texts.no_fixed_time.to_owned(),
        (Some(_), Some(by), None) => {
            let hours = by.hours_since(now);
            let at = by.local(zone);
            if due.is_overdue(now) {
                format!("{}: {at}, {} {}", texts.overdue, -hours, texts.hours_over)
            } else {
                format!("{} {at}, {} {}", texts.due, hours.max(0), texts.hours_left)
            }
        }
    }
}

/// Whether it is owed, and by which law.
pub(crate) fn owed(due: &Due, language: Language) -> String {
    let texts = language.texts();
    let mut said = String::new();
    match due.duty {
        // That nobody has declared it is said by its clock.
        Duty::Owed | Duty::NotDeclared => {}
        Duty::NotOwed => {
            let _ = write!(said, "; {}", texts.not_owed);
        }
        Duty::NotAssessed => {
            let _ = write!(said, "; {}", texts.not_assessed);
        }
    }
    let _ = write!(said, " [{}]", due.law);
    if due.verified != Verified::Read {
        let _ = write!(said, " ({})", texts.unverified_clock);
    }
    said
}
