//! Notices and clocks as one HTML page each: no script, nothing loaded, ready for paper.

use crate::clock::Due;
use crate::instant::Instant;
use crate::notice::{Filled, Notice};
use crate::text::state;
use crate::words::{Language, Texts};
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The whole notice, in the form's own order.
pub fn notice_html(notice: &Notice) -> String {
    let texts = notice.language.texts();
    let body = html! {
        header {
            p class="draft" { (texts.draft) }
            h1 { (notice.title) }
            p { strong { (notice.breach) } " " (notice.breach_title) }
            p class="small" {
                (texts.to) ": " (notice.receiver) br;
                (texts.law) ": " (notice.source) " (" (notice.version) ")" br;
                (texts.made_at) ": " (notice.made_at) " · " (notice.phase_name)
            }
        }
        @for banner in &notice.banners { p class="banner" { "! " (banner) } }
        @if !notice.missing.is_empty() {
            section class="missing" {
                h2 { (texts.missing) " (" (notice.missing.len()) ")" }
                ul { @for label in &notice.missing { li { (label) } } }
            }
        }
        @if !notice.letter_head.is_empty() {
            p { @for line in &notice.letter_head { (line) br; } }
        }
        @for (heading, text) in &notice.paragraphs {
            h2 { (heading) }
            @for part in text.split("\n\n") { p class="said" { (part) } }
        }
        @if notice.fields_total > 0 {
            p { (notice.filled) "/" (notice.fields_total) " " (texts.filled)
                " (" (notice.filled_percent()) " %)" }
            ol { @for field in &notice.fields { (one_field(field, texts)) } }
        }
        @if !notice.clocks.is_empty() {
            h2 { (texts.clocks) }
            (clock_list(&notice.clocks, notice.language, &notice.zone, notice.now))
        }
        @if !notice.evidence.is_empty() {
            footer {
                h2 { (texts.evidence) }
                ul { @for one in &notice.evidence { li { code { (one) } } } }
            }
        }
    };
    page(&notice.title, notice.language, &body)
}

/// Every clock, as a page of its own.
pub fn clocks_html(clocks: &[Due], language: Language, zone: &str, now: Instant) -> String {
    let zone = crate::instant::zone_named(zone).unwrap_or(TimeZone::UTC);
    let title = language.texts().clocks;
    let body = html! { h1 { (title) } (clock_list(clocks, language, &zone, now)) };
    page(title, language, &body)
}

fn one_field(field: &Filled, texts: &Texts) -> Markup {
    html! {
        li {
            h3 { (field.label) }
            @match &field.value {
                Some(value) => p class="said" { (value) },
                None if field.required => p class="gap" { "! " (texts.missing_here) },
                None => p { "–" },
            }
            @if field.written_in.is_some() { p class="gap" { "! " (texts.written_in_other) } }
            @if let Some(was) = &field.was {
                p class="small was" { (texts.was) ": " (was.as_deref().unwrap_or(texts.nothing)) }
            }
            @if let Some(over) = field.over_by {
                p class="gap" { "! " (over) " " (texts.too_long) }
            }
        }
    }
}

fn clock_list(clocks: &[Due], language: Language, zone: &TimeZone, now: Instant) -> Markup {
    html! {
        ul class="clocks" {
            @for due in clocks {
                li class=[due.is_overdue(now).then_some("gap")] {
                    strong { (due.name.of(language)) } br;
                    (state(due, language, zone, now))
                }
            }
        }
    }
}

/// A whole page around a body.
pub(crate) fn page(title: &str, language: Language, body: &Markup) -> String {
    let whole = html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(include_str!("notice.css"))) }
            }
            body { main { (body) } }
        }
    };
    whole.into_string()
}
