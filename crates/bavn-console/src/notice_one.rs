//! One notice: its form, what is missing, what has changed, and the same on paper.

use crate::answer::{Here, Sent};
use crate::notice_page::Told;
use crate::notice_words::{notice_words, written_in};
use crate::reply::{Answer, Shape, csv, json, missing, pdf as sent_pdf};
use crate::text::code;
use crate::view::Trouble;
use bavn_detect::cases::CaseNumber;
use bavn_share::{Notice, notice_document, pdf};
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn one(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let (number, notice) = match wanted(here, sent) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match sent.shape {
        Shape::Json => json(&json!(notice)),
        Shape::Csv => csv(
            "field,value",
            notice
                .fields
                .into_iter()
                .map(|field| vec![field.label, field.value.unwrap_or_default()]),
        ),
        Shape::Html => {
            let title = format!("C-{number}: {}", notice.title);
            here.page(&title, sent.path, &preview(here, number, &notice))
        }
    }
}

/// The same on paper.
pub(crate) fn paper(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    match wanted(here, sent).map(|(_, notice)| pdf(&notice_document(&notice))) {
        Ok(Ok(bytes)) => sent_pdf(bytes),
        Ok(Err(error)) => here.failed(&Trouble::Failed(error.to_string())),
        Err(answer) => answer,
    }
}

fn wanted(here: &Here<'_>, sent: &Sent<'_>) -> Result<(CaseNumber, Notice), Answer> {
    let number = sent.case().ok_or_else(|| missing(here.language))?;
    let told = Told::of(here, number)?;
    let regime = told.regimes.iter().find(|regime| regime.id == sent.part(1));
    let notice = regime.and_then(|regime| told.notice(regime, here.language));
    Ok((number, notice.ok_or_else(|| missing(here.language))?))
}

fn preview(here: &Here<'_>, number: CaseNumber, notice: &Notice) -> Markup {
    let (words, lang) = (notice_words(here.language), code(here.language));
    let has_before = notice.fields.iter().any(|field| field.was.is_some());
    html! {
        p class="screen" {
            a href=(format!("/case/{number}/notice?lang={lang}")) { "C-" (number) ": " (words.title) }
            " · "
            a href=(format!("/case/{number}/notice/{}/paper?lang={lang}", notice.regime)) { "PDF" }
            " · "
            a href=(format!("/case/{number}/notice/{}.csv?lang={lang}", notice.regime)) { "CSV" }
        }
        h1 { (notice.title) " (" (notice.phase_name) ")" }
        p class="facts" { (notice.receiver) ". " (notice.source) ". " (notice.made_at) }
        @for banner in &notice.banners { p class="note" { "! " (banner) } }
        @if !notice.paragraphs.is_empty() {
            h2 { (words.letter) }
            @if !notice.letter_head.is_empty() {
                p { @for line in &notice.letter_head { (line) br; } }
            }
            @for (heading, text) in &notice.paragraphs {
                h3 { (heading) }
                @for part in text.split("\n\n") { p { (part) } }
            }
        }
        @if notice.fields_total > 0 {
            h2 { (notice.filled) " " (words.of) " " (notice.fields_total) }
            p { (words.copy) @if has_before { " " (words.differs) } }
            ol { @for field in &notice.fields { li {
                strong { (field.label) } br;
                @match &field.value {
                    Some(value) => { @for line in value.lines() { (line) br; } }
                    None if field.required => strong class="gap" { "! " (words.missing) },
                    None => "–",
                }
                @if let Some(language) = field.written_in {
                    p class="note" { "! " (written_in(here.language, language)) }
                }
                @if let Some(was) = &field.was {
                    p class="note" { "△ " (words.was) ": " (was.as_deref().unwrap_or(words.nothing)) }
                }
            } } }
        }
        h2 { (words.evidence) }
        ul { @for one in &notice.evidence { li { code { (one) } } } }
        p class="facts" { "SHA-256 " code { (notice.record) } }
    }
}
