//! What is held about whoever asks?

use crate::answer::{Here, Sent};
use crate::page::short;
use crate::reply::{Answer, Shape, csv, json};
use crate::session::Visitor;
use crate::text::{Language, texts};
use bavn_detect::cases::{Act, Book, deed_in_words};
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Visitor { name, role, .. } = &here.visitor;
    here.looked(|book| {
        let mine = book.acts().iter().filter(|act| act.by == *name);
        let row = |act: &Act| {
            let what = deed_in_words(act, Language::English);
            vec![act.at.to_string(), act.case.to_string(), what]
        };
        match sent.shape {
            Shape::Html => {
                let words = texts(here.language);
                here.page(words.me, "/me", &body(book, &here.visitor, here.language))
            }
            Shape::Json => {
                let acts: Vec<_> = mine.map(row).collect();
                json(&json!({ "name": name, "role": role, "acts": acts }))
            }
            Shape::Csv => csv("at,case,what", mine.map(row)),
        }
    })
}

fn body(book: &Book, visitor: &Visitor, language: Language) -> Markup {
    let words = texts(language);
    let mine = book.acts().iter().filter(|act| act.by == visitor.name).rev().take(ACTS_SHOWN);
    html! {
        h1 { (words.me) }
        p { strong { (visitor.name) } ", " (visitor.role.word()) }
        p { (words.me_text) }
        ol class="history" { @for act in mine { li {
            time datetime=(act.at) { (short(act.at)) } " C-" (act.case) ": " (deed_in_words(act, language))
        } } }
    }
}

/// Rows of the page; the twins have all.
const ACTS_SHOWN: usize = 500;
