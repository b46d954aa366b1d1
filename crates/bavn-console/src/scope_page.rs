//! Which patients? How many, with bounds; names nobody.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::case_page::notices_link;
use crate::page::{as_of, short};
use crate::reply::{Answer, Shape, csv, json, missing};
use crate::text::{Language, grouped, look_ups, patients, pick, texts};
use crate::trail;
use crate::view::ScopeView;
use bavn_detect::cases::CaseNumber;
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    if !here.board.keeps_look_ups()
        || !here.peek(|book| book.case(number).is_some()).unwrap_or(false)
    {
        return missing(here.language);
    }
    if let Some(answer) = here.not_recorded(&format!("scope of case {number}"), number) {
        return answer;
    }
    let scope = match here.board.scope(number) {
        Err(trouble) => return here.failed(&trouble),
        Ok(scope) => scope,
    };
    match sent.shape {
        Shape::Html => {
            let heading = format!("C-{number}: {}", texts(here.language).scope);
            let body = body(here, number, &heading, &scope);
            here.page(&heading, &format!("/case/{number}/scope"), &body)
        }
        Shape::Json => json(&json!(scope)),
        Shape::Csv => csv(
            "day,look_ups,patients",
            scope.days.iter().map(|(day, look_ups, patients)| {
                vec![day.clone(), look_ups.to_string(), patients.to_string()]
            }),
        ),
    }
}

fn body(here: &Here<'_>, number: CaseNumber, heading: &str, scope: &ScopeView) -> Markup {
    let (language, words) = (here.language, texts(here.language));
    html! {
        p { a href=(here.link(&format!("/case/{number}"))) { "C-" (number) } }
        h1 { (heading) }
        p class="summary" {
            (bounds(language, scope)) " " (look_ups(language, scope.look_ups)) "."
        }
        ul { @for [english, bokmaal] in &scope.reasons { li {
            @if language == Language::Bokmaal { (bokmaal) } @else { (english) }
        } } }
        @if !scope.growth.is_empty() { (trail::growth(here, &scope.growth)) }
        (notices_link(here, number))
        @if here.may(Right::Reveal, Purpose::Case) {
            p { a href=(here.link(&format!("/case/{number}/patients"))) data-key="r" accesskey="r" {
                (here.say("Who are they? (a reason is needed)", "Hvem er de? (en begrunnelse trengs)")) " " kbd { "r" } } }
        }
        table {
            thead { tr { th scope="col" { (words.day) } th scope="col" class="number" { (words.look_ups_day) }
                th scope="col" class="number" { (words.exposed) } } }
            tbody { @for (day, look_ups, patients) in &scope.days { tr {
                td class="share" { (day) } td class="number" { (grouped(*look_ups)) } td class="number" { (grouped(*patients)) }
            } } }
        }
        h2 { (words.unseen) }
        p { (words.unseen_text) }
        p class="facts" {
            (here.say("Look-ups since", "Oppslag siden")) " " time datetime=(scope.since) { (short(scope.since)) } ". "
            (here.say("This answer: SHA-256", "Dette svaret: SHA-256")) " " code { (scope.digest) }
        }
        (as_of(language, &scope.as_of))
    }
}

/// How many patients, and between which bounds.
pub(crate) fn bounds(language: Language, scope: &ScopeView) -> Markup {
    let words = texts(language);
    let is_exact = scope.lower == scope.best && scope.upper == Some(scope.best);
    html! {
        strong { (patients(language, scope.best)) }
        @if is_exact { ", " (pick(language, "no fewer and no more", "verken færre eller flere")) "." } @else {
            " (" (words.scope_lower) " " (grouped(scope.lower)) ", "
            @match scope.upper {
                Some(upper) => { (words.scope_upper) " " (grouped(upper)) }
                None => { (words.scope_open) }
            } ")."
        }
    }
}
