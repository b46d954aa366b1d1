//! Who is told, and how? Counts for those who see the case; names leave by a sealed list only.

use crate::answer::{Here, Sent};
use crate::notice_forms::form;
use crate::notice_page::Told;
use crate::notice_words::{NoticeWords, notice_words};
use crate::page::short;
use crate::reply::{Answer, Shape, csv, json, missing};
use crate::text::{code, grouped};
use bavn_share::Recipients;
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let told = match Told::of(here, number) {
        Ok(told) => told,
        Err(answer) => return answer,
    };
    let held = told.record.recipients;
    match sent.shape {
        Shape::Json => json(&json!({
            "persons": told.record.persons, "ways": held.map(|held| held.counts().0),
            "minors_below": held.and_then(|held| held.minors_below), "lists": told.case.file.lists,
        })),
        Shape::Csv => {
            let rows = held.iter().flat_map(|held| counts(*held));
            csv("way,persons", rows.map(|(way, count)| vec![way.to_owned(), count.to_string()]))
        }
        Shape::Html => {
            let words = notice_words(here.language);
            let title = format!("C-{number}: {}", words.recipients);
            let body = body(here, &told, &title, words);
            here.page(&title, &format!("/case/{number}/recipients"), &body)
        }
    }
}

/// In the order of the words.
fn counts(held: Recipients) -> [(&'static str, u64); 5] {
    [
        ("by_letter", held.by_letter),
        ("dead", held.dead),
        ("protected_address", held.protected_address),
        ("minors", held.minors),
        ("moved", held.moved),
    ]
}

fn body(here: &Here<'_>, told: &Told, title: &str, words: &NoticeWords) -> Markup {
    let (number, lang) = (told.case.number, code(here.language));
    html! {
        p { a href=(format!("/case/{number}/notice?lang={lang}")) { "C-" (number) ": " (words.title) } }
        h1 { (title) }
        @match told.record.recipients {
            None => p { (words.no_context) },
            Some(held) => {
                table class="queue" {
                    thead { tr {
                        th scope="col" { (words.way) }
                        th scope="col" class="number" { (words.persons) }
                        th scope="col" { (words.handling) }
                    } }
                    tbody { @for ((word, count), [way, handling]) in counts(held).into_iter().zip(words.ways) { tr {
                        td { (way) @if let ("minors", Some(years)) = (word, held.minors_below) {
                            " (" (here.say("below", "under")) " " (years) " " (here.say("years", "år")) ")"
                        } }
                        td class="number" data-label=(words.persons) { (grouped(count)) }
                        td data-label=(words.handling) { (handling) }
                    } } }
                }
                (list(here, told, words))
            }
        }
    }
}

fn list(here: &Here<'_>, told: &Told, words: &NoticeWords) -> Markup {
    let waiting = told.case.file.list_waiting();
    html! {
        h2 class="screen" { (words.list) }
        p class="screen" { (words.list_text) }
        ul { @for held in &told.case.file.lists { li {
            (words.wanted) " " (held.by) ", " (short(held.at)) ": " (held.why)
            @if let Some((by, sha256)) = &held.released {
                ". " (words.released) " " (by) ": SHA-256 " code { (sha256) }
            }
        } } }
        div class="forms" {
            @match waiting {
                None => (form(here, told, "want-list", &html! {
                    label for="why" { (words.why) }
                    input id="why" name="why" required maxlength="4000";
                    button data-key="l" accesskey="l" { (words.want) " " kbd { "l" } }
                })),
                Some(held) if held.by == here.visitor.name => p { (words.sign_other) },
                Some(_) => (form(here, told, "release-list", &html! {
                    button data-key="l" accesskey="l" { (words.release) " " kbd { "l" } }
                })),
            }
        }
    }
}
