//! Same hand elsewhere? A list from a CERT, and every look-up that was made from it.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::coverage_page::silent;
use crate::page::{as_of, short};
use crate::plain;
use crate::reply::{Answer, Shape, csv, go, json, missing};
use crate::session::Behind;
use crate::text::{Language, grouped, patients, texts};
use crate::view::HuntView;
use bavn_detect::cases::{Book, Case, CaseNumber};
use maud::{Markup, html};
use serde_json::json;

/// The form; its twins say what it takes.
pub(crate) fn ask(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let fields = ["case", "list", "file"];
    match sent.shape {
        Shape::Html => here.page(here.say("Hunt", "Jakt"), "/hunt", &form(here)),
        Shape::Json => json(&json!({ "fields": fields })),
        Shape::Csv => csv("field", fields.into_iter().map(|name| vec![name.to_owned()])),
    }
}

/// The list, kept in the session under a handle.
pub(crate) fn listed(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let text = format!("{}\n{}", sent.form.field("list"), sent.form.field("file"));
    let case = sent.form.field("case").parse().ok();
    let (Some(case), false) = (case, text.trim().is_empty()) else {
        return here.refused_with(here.say(
            "A list and the case that it is for are needed.",
            "En liste og saken den gjelder, trengs.",
        ));
    };
    match here.hold(Behind::List { text: text.trim().to_owned(), case }) {
        Some(handle) => go(&here.link(&format!("/hunt/{handle}"))),
        None => missing(here.language),
    }
}

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(Behind::List { text, case }) = here.behind(sent.part(0)) else {
        return here.unknown(sent.path);
    };
    let what = format!("a hunt with {} lines", text.lines().count());
    let granted = match here.granted(Right::Hunt, Purpose::Case, Some(case), &what, &[]) {
        Ok(granted) => granted,
        Err(answer) => return answer,
    };
    let view = match here.board.hunt(&text, &granted) {
        Ok(view) => view,
        Err(trouble) => return here.failed(&trouble),
    };
    match sent.shape {
        Shape::Html => {
            let path = format!("/hunt/{}", sent.part(0));
            here.page(here.say("Hunt", "Jakt"), &path, &body(here, &path, &view))
        }
        Shape::Json => Answer { body: view.json.into_bytes(), ..json(&json!(null)) },
        Shape::Csv => Answer { body: view.csv.into_bytes(), ..csv("", std::iter::empty()) },
    }
}

fn form(here: &Here<'_>) -> Markup {
    let cases = here.peek(|book| offered(book, here.language)).unwrap_or_default();
    html! {
        h1 { (here.say("Same hand elsewhere?", "Samme hånd andre steder?")) }
        p { (here.say(
            "One value a line, or a sheet with the values in its first column: accounts, machines, addresses, \
             applications. Everything they looked up is counted; the hunt is kept as a look-up of yours.",
            "Én verdi per linje, eller et ark med verdiene i første kolonne: kontoer, maskiner, adresser, \
             applikasjoner. Alt de slo opp, telles; jakten lagres som et oppslag du gjorde.",
        )) }
        @if cases.is_empty() {
            p { (here.say("A hunt is for a case, and there is none that waits or was a breach.", "En jakt er for en sak, og ingen sak venter eller var et brudd.")) }
        } @else {
            form class="stack" method="post" action="/hunt" enctype="multipart/form-data" autocomplete="off" {
                input type="hidden" name="token" value=(here.visitor.form_token);
                label for="case" { (here.say("For which case?", "For hvilken sak?")) }
                select id="case" name="case" { @for (number, title) in &cases {
                    option value=(number) { "C-" (number) " " (title) }
                } }
                label for="list" { (here.say("Values", "Verdier")) }
                textarea id="list" name="list" rows="8" maxlength="60000" spellcheck="false" {}
                label for="file" { (here.say("Or a file (CSV)", "Eller en fil (CSV)")) }
                input id="file" name="file" type="file" accept=".csv,.txt,text/csv,text/plain";
                button { (here.say("Hunt", "Let")) }
            }
        }
    }
}

/// What a hunt may be for: cases that wait, and breaches, of which more may come to light.
fn offered(book: &Book, language: Language) -> Vec<(CaseNumber, String)> {
    let is_breach = |case: &&Case| {
        let verdict = case.verdict.as_ref();
        case.merged_into.is_none() && verdict.is_some_and(|held| held.verdict.is_breach())
    };
    let waiting = book.queue();
    let waits = |case: &&Case| !waiting.iter().any(|held| held.number == case.number);
    let breaches: Vec<&Case> = book.cases().filter(is_breach).filter(waits).collect();
    let cases = waiting.iter().copied().chain(breaches.into_iter().rev());
    let named = cases.map(|case| {
        let title = case.leading().map(|alarm| alarm.said(language).title.clone());
        (case.number, title.unwrap_or_default())
    });
    named.take(CASES_OFFERED).collect()
}

fn body(here: &Here<'_>, path: &str, view: &HuntView) -> Markup {
    let words = texts(here.language);
    let found = view.entries.iter().filter(|row| row.found.is_some()).count() as u64;
    html! {
        p { a href=(here.link("/hunt")) { (here.say("Another list", "En annen liste")) } }
        h1 { (here.say("What the list turned up", "Hva listen viste")) }
        p class="summary" {
            strong { (patients(here.language, view.best)) } " "
            @if view.lower < view.best { "(" (words.scope_lower) " " (grouped(view.lower)) ") " }
            "for " (grouped(found)) " " (here.say("of", "av")) " "
            (grouped(view.entries.len() as u64)) " " (here.say("values", "verdier")) "."
            @if let (Some(first), Some(last)) = (view.first, view.last) {
                " " time datetime=(first) { (short(first)) } " – " time datetime=(last) { (short(last)) } "."
            }
        }
        p { (here.say("Every look-up", "Hvert oppslag")) ": " a href=(format!("{path}.csv")) { "CSV" } ", "
            a href=(format!("{path}.json")) { "JSON" } }
        @if !view.clusters.is_empty() {
            h2 { (words.same_hand) }
            p { (here.say(
                "These worked from one machine, as one account, or had largely the same patients.",
                "Disse arbeidet fra én maskin, som én konto, eller hadde stort sett de samme pasientene.",
            )) }
            ul { @for cluster in &view.clusters { li { (cluster.join(", ")) } } }
        }
        (entries(here, view))
        @if !view.silences.is_empty() {
            h2 { (here.say("Not complete", "Ikke fullstendig")) }
            ul { @for silence in &view.silences { li { (silent(here, silence)) } } }
        }
        h2 { (words.unseen) }
        p { (words.unseen_text) }
        @if let Some(held) = &view.as_of { (as_of(here.language, held)) }
        p class="facts" { (here.say("This answer: SHA-256", "Dette svaret: SHA-256")) " " code { (view.digest) } }
    }
}

fn entries(here: &Here<'_>, view: &HuntView) -> Markup {
    let words = texts(here.language);
    let kind = here.say("Found as", "Funnet som");
    html! {
        table class="queue" {
            thead { tr {
                th scope="col" { (here.say("Value", "Verdi")) } th scope="col" { (kind) }
                th scope="col" class="number" { (words.look_ups_day) } th scope="col" class="number" { (words.exposed) }
                th scope="col" { (words.since) }
            } }
            tbody { @for row in view.entries.iter().take(ROWS_SHOWN) { tr {
                td { (row.value) }
                td data-label=(kind) { @match (&row.found, &row.problem) {
                    (Some(found), _) => { (plain::found(here.language, found)) }
                    (None, Some(problem)) => { (problem) }
                    (None, None) => { (here.say("no look-up names it", "intet oppslag nevner den")) }
                } }
                td class="number" data-label=(words.look_ups_day) { (grouped(row.look_ups)) }
                td class="number" data-label=(words.exposed) { (grouped(row.patients)) }
                td data-label=(words.since) { @if let Some(first) = row.first { time datetime=(first) { (short(first)) } } @else { "–" } }
            } } }
        }
    }
}

/// Rows of the page; the twins have all.
const ROWS_SHOWN: usize = 300;
const CASES_OFFERED: usize = 200;
