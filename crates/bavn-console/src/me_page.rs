//! What is held about whoever asks, and who looked at it?

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::page::short;
use crate::plain;
use crate::reply::{Answer, Shape, csv, go, json, missing};
use crate::text::{Language, grouped, look_ups, texts};
use crate::view::{HeldAbout, Wish};
use bavn_detect::cases::{Act, Book, Case, CaseNumber, Deed, State, deed_in_words};
use bavn_model::Timestamp;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Cases that named the visitor and are closed; what is open could warn a thief.
#[derive(Clone, Debug, Serialize)]
struct Closed {
    case: CaseNumber,
    verdict: Option<String>,
    summary: String,
}

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let held = match here.board.held_about(&here.visitor) {
        Ok(held) => held,
        Err(trouble) => return here.failed(&trouble),
    };
    here.looked(|book| {
        let mine = book.acts().iter().filter(|act| act.by == here.visitor.name);
        let closed = closed(here, book);
        let row = |act: &Act| {
            let what = deed_in_words(act, Language::English);
            vec![act.at.to_string(), act.case.to_string(), what]
        };
        match sent.shape {
            Shape::Html => {
                let body = body(here, book, &held, &closed);
                here.page(texts(here.language).me, "/me", &body)
            }
            Shape::Json => {
                let acts: Vec<_> = mine.map(row).collect();
                let (name, role) = (&here.visitor.name, here.visitor.role);
                json(&json!({
                    "name": name, "role": role, "acts": acts, "held": held, "cases": closed,
                }))
            }
            Shape::Csv => csv("at,case,what", mine.map(row)),
        }
    })
}

/// The right to answer, in a case about oneself that is closed.
pub(crate) fn answer_case(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.form.field("case").parse().ok().map(CaseNumber) else {
        return missing(here.language);
    };
    let open = here.peek(|book| {
        let case = book.case(number).filter(|case| is_told(case, &here.visitor.name));
        case.map(Case::revision)
    });
    let Ok(Some(seen)) = open else { return missing(here.language) };
    let text = sent.form.field("text");
    let text = if text.is_empty() { String::new() } else { format!("{ANSWER}{text}") };
    match here.board.act(&here.visitor.name, number, Wish::Do(Deed::Noted { text }), seen) {
        Ok(()) => go(&here.link("/me")),
        Err(trouble) => here.failed(&trouble),
    }
}

fn is_told(case: &Case, name: &str) -> bool {
    case.state() == State::Closed && case.is_about(name)
}

fn closed(here: &Here<'_>, book: &Book) -> Vec<Closed> {
    let mine = book.cases().filter(|case| is_told(case, &here.visitor.name));
    let of = |case: &Case| Closed {
        case: case.number,
        verdict: case.verdict.as_ref().map(|held| held.verdict.named(here.language).to_owned()),
        summary: case
            .leading()
            .map_or(String::new(), |alarm| alarm.said(here.language).summary.clone()),
    };
    mine.map(of).collect()
}

fn body(here: &Here<'_>, book: &Book, held: &HeldAbout, closed: &[Closed]) -> Markup {
    let (visitor, words) = (&here.visitor, texts(here.language));
    let mine = book.acts().iter().filter(|act| act.by == visitor.name).rev().take(ROWS_SHOWN);
    let mine: Vec<&Act> = mine.collect();
    html! {
        h1 { (words.me) }
        @let [english, bokmaal] = visitor.role.said();
        p { strong { (visitor.name) } ": " (here.say(english, bokmaal)) }
        p { (words.me_text) }
        @if here.may(Right::SeeOwnRecord, Purpose::Insight) {
            p { a data-key="r" accesskey="r" href=(here.link("/me/report")) {
                (here.say("Who has read your record?", "Hvem har lest journalen din?")) " " kbd { "r" }
            } }
        }
        h2 { (here.say("Look-ups of yours that are kept", "Oppslag du har gjort som er lagret")) }
        p {
            @if held.look_ups == 0 { (here.say("None under this name.", "Ingen under dette navnet.")) }
            @else {
                strong { (look_ups(here.language, held.look_ups)) }
                @if let (Some(first), Some(last)) = (held.first, held.last) {
                    ", " time datetime=(first) { (short(first)) } " – " time datetime=(last) { (short(last)) }
                } ". "
                (here.say(
                    "They are compared with records that explain them; nobody is measured by them.",
                    "De sammenholdes med registreringer som forklarer dem; ingen måles etter dem.",
                ))
            }
        }
        @if !closed.is_empty() {
            h2 { (here.say("Closed cases about you", "Avsluttede saker om deg")) }
            @for case in closed { (about(here, case)) }
        }
        h2 { (here.say("Who looked at cases about you", "Hvem som har sett på saker om deg")) }
        @if held.looked_at_by.is_empty() { p { (here.say("Nobody.", "Ingen.")) } }
        @let by = held.looked_at_by.iter().map(|(at, who, what)| (*at, (who.as_str(), plain::looked_at(here.language, what))));
        ol class="history" { @for row in folded(by) { li {
            time datetime=(row.at) { (short(row.at)) } " " strong { (row.of.0) } ": " (row.of.1) (times(here, &row))
        } } }
        @if !held.looked_at.is_empty() {
            h2 { (here.say("What you looked at here", "Det du har sett på her")) }
            @let own = held.looked_at.iter().map(|(at, what)| (*at, plain::looked_at(here.language, what)));
            ol class="history" { @for row in folded(own) { li {
                time datetime=(row.at) { (short(row.at)) } " " (row.of) (times(here, &row))
            } } }
        }
        h2 { (here.say("What you did", "Det du har gjort")) }
        @if mine.is_empty() { p { (here.say("Nothing.", "Ingenting.")) } }
        ol class="history" { @for act in mine { li {
            time datetime=(act.at) { (short(act.at)) } " C-" (act.case) ": " (plain::deed(here.language, book, act))
        } } }
    }
}

/// The same thing, seen once or again.
struct Folded<T> {
    /// The last time.
    at: Timestamp,
    of: T,
    times: u64,
}

/// What was seen again is told once, where it was seen last. The latest comes first.
fn folded<T: Ord + Clone>(seen: impl Iterator<Item = (Timestamp, T)>) -> Vec<Folded<T>> {
    let mut rows: Vec<Folded<T>> = Vec::new();
    let mut places: BTreeMap<T, usize> = BTreeMap::new();
    for (at, of) in seen {
        let next = rows.len();
        let place = *places.entry(of.clone()).or_insert(next);
        match rows.get_mut(place) {
            Some(row) => row.times += 1,
            None if place == next && next < ROWS_SHOWN => rows.push(Folded { at, of, times: 1 }),
            None => {}
        }
    }
    rows
}

fn times<T>(here: &Here<'_>, row: &Folded<T>) -> String {
    if row.times < 2 {
        return String::new();
    }
    format!(" ({} {})", grouped(row.times), here.say("times, last then", "ganger, sist da"))
}

fn about(here: &Here<'_>, case: &Closed) -> Markup {
    let id = format!("answer-{}", case.case);
    html! {
        p { "C-" (case.case) ": " (case.summary.trim_end_matches('.')) ". " @if let Some(verdict) = &case.verdict { strong { (verdict) } "." } }
        form class="stack" method="post" action="/me" {
            input type="hidden" name="token" value=(here.visitor.form_token);
            input type="hidden" name="case" value=(case.case);
            label for=(id) { (here.say("Your answer; it is kept with the case", "Ditt svar; det lagres med saken")) }
            textarea id=(id) name="text" rows="2" required maxlength="4000" {}
            button { (here.say("Answer", "Svar")) }
        }
    }
}

/// Rows of the page; the twins have all.
const ROWS_SHOWN: usize = 500;
/// Before what a person says in a case about them.
const ANSWER: &str = "answer: ";
