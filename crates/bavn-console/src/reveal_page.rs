//! Who are the patients of a case? Shown to who asked, for a reason; a long list takes two persons.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::page::short;
use crate::plain;
use crate::reply::{Answer, Shape, csv, go, json, missing};
use crate::text::{self, grouped, texts};
use crate::view::{Revealed, Wish};
use bavn_detect::cases::{CaseNumber, Deed};
use bavn_detect::house::{Change, HouseDeed};
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    match is_revealed(here, number) {
        Err(answer) => answer,
        Ok(false) if sent.shape == Shape::Html => match here
            .peek(|book| book.case(number).is_some())
        {
            Ok(true) if !here.is_about_visitor(number) => {
                here.page(here.say("Names", "Navn"), &format!("/case/{number}"), &ask(here, number))
            }
            Ok(true) => here.refused(sent.path),
            _ => missing(here.language),
        },
        Ok(false) => here.refused(sent.path),
        Ok(true) => shown(here, sent, number),
    }
}

/// A reason was given: few names are shown at once, many when a second person agrees.
pub(crate) fn asked(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let reason = sent.form.field("reason").to_owned();
    if here.is_about_visitor(number) {
        return here.refused(sent.path);
    }
    let scope = match here.board.scope(number) {
        Ok(scope) => scope,
        Err(trouble) => return here.failed(&trouble),
    };
    if reason.is_empty() {
        return here.refused_with(here.say("A reason is needed.", "En begrunnelse trengs."));
    }
    let path = here.link(&format!("/case/{number}/patients"));
    let seen = here.peek(|book| book.case(number).map(bavn_detect::cases::Case::revision));
    let Ok(Some(seen)) = seen else { return missing(here.language) };
    let until = here.now.plus_secs(REVEALED_SECS);
    let change = Change::Reveal { case: number, until };
    let noted = Wish::Do(Deed::Noted { text: format!("{REVEAL}{reason}") });
    if let Err(trouble) = here.board.act(&here.visitor.name, number, noted, seen) {
        return here.failed(&trouble);
    }
    if scope.best > ALONE_MAX {
        let deed = HouseDeed::Proposed { change, reason };
        return match here.board.settle(&here.visitor, deed) {
            Ok(()) => go(&path),
            Err(trouble) => here.failed(&trouble),
        };
    }
    go(&path)
}

/// Whether this visitor may see the names now: two persons agreed, or there are few and a reason
/// stands in the case.
fn is_revealed(here: &Here<'_>, number: CaseNumber) -> Result<bool, Answer> {
    let (name, mut agreed) = (&here.visitor.name, false);
    let seen = here.board.house(&mut |house| agreed = house.is_revealed(number, name, here.now));
    seen.map_err(|trouble| here.failed(&trouble))?;
    if agreed {
        return Ok(true);
    }
    let has_reason = here.peek(|book| {
        let mut acts = book.acts().iter().rev().filter(|act| act.case == number && act.by == *name);
        acts.any(|act| {
            let is_reason = matches!(&act.deed, Deed::Noted { text } if text.starts_with(REVEAL));
            is_reason && here.now.secs_since(act.at) < REVEALED_SECS
        })
    });
    if !has_reason.unwrap_or(false) {
        return Ok(false);
    }
    let scope = here.board.scope(number).map_err(|trouble| here.failed(&trouble))?;
    Ok(scope.best <= ALONE_MAX)
}

fn shown(here: &Here<'_>, sent: &Sent<'_>, number: CaseNumber) -> Answer {
    let what = format!("the patients of case {number}");
    let granted = match here.granted(Right::Reveal, Purpose::Case, Some(number), &what, &[]) {
        Ok(granted) => granted,
        Err(answer) => return answer,
    };
    let patients = match here.board.reveal(&granted) {
        Ok(patients) => patients,
        Err(trouble) => return here.failed(&trouble),
    };
    // Each of them was looked up: that is on record before a name is shown.
    let names: Vec<String> = patients.iter().map(|held| held.patient.clone()).collect();
    let recorded = here.board.record(&here.visitor, &what, &format!("case {number}"), &names);
    if let Err(trouble) = recorded {
        return here.failed(&trouble);
    }
    match sent.shape {
        Shape::Html => {
            let body = list(here, number, &patients);
            here.page(here.say("Names", "Navn"), &format!("/case/{number}/patients"), &body)
        }
        Shape::Json => json(&json!(patients)),
        Shape::Csv => csv(
            "patient,grade,certain,look_ups,first,last",
            patients.into_iter().map(|held| {
                let (first, last) = (held.first.to_string(), held.last.to_string());
                let certain = held.certain.to_string();
                vec![held.patient, held.grade, certain, held.look_ups.to_string(), first, last]
            }),
        ),
    }
}

fn ask(here: &Here<'_>, number: CaseNumber) -> Markup {
    let mut waits = false;
    let is_mine =
        |change: &Change| matches!(change, Change::Reveal { case, .. } if *case == number);
    let seen = here.board.house(&mut |house| {
        waits = house.open().any(|open| open.by == here.visitor.name && is_mine(&open.change));
    });
    waits &= seen.is_ok();
    html! {
        p { a href=(here.link(&format!("/case/{number}"))) { "C-" (number) } }
        h1 { (here.say("Who are the patients?", "Hvem er pasientene?")) }
        p { (here.say(
            "The names are shown for 24 hours to you alone. Your reason is kept with the case, and each name \
             shown is kept as a look-up of yours. More than five names take a second person, who confirms on \
             the page of settings.",
            "Navnene vises i 24 timer, bare for deg. Begrunnelsen lagres med saken, og hvert navn som vises, \
             lagres som et oppslag du gjorde. Mer enn fem navn krever en person til, som bekrefter på siden \
             for oppsett.",
        )) }
        @if waits {
            p class="next" { (here.say("Waits for a second person.", "Venter på en person til.")) " "
                a href=(here.link("/settings")) { (here.say("Settings", "Oppsett")) } }
        } @else {
            form class="stack" method="post" action=(format!("/case/{number}/patients")) {
                input type="hidden" name="token" value=(here.visitor.form_token);
                label for="reason" { (texts(here.language).reason) }
                input id="reason" name="reason" required maxlength="4000";
                button { (here.say("Show the names", "Vis navnene")) }
            }
        }
    }
}

fn list(here: &Here<'_>, number: CaseNumber, patients: &[Revealed]) -> Markup {
    let words = texts(here.language);
    html! {
        p { a href=(here.link(&format!("/case/{number}"))) { "C-" (number) } }
        h1 { (here.say("The patients of the case", "Pasientene i saken")) }
        p class="summary" { strong { (text::patients(here.language, patients.len() as u64)) } ". "
            a href=(format!("/case/{number}/patients.csv")) { "CSV" } }
        table class="queue" {
            thead { tr {
                th scope="col" { (here.say("Patient", "Pasient")) } th scope="col" { (here.say("How far", "Hvor langt")) }
                th scope="col" class="number" { (words.look_ups_day) } th scope="col" { (words.since) }
            } }
            tbody { @for held in patients.iter().take(ROWS_SHOWN) { tr {
                td { (held.patient) }
                td data-label=(here.say("How far", "Hvor langt")) { (plain::grade(here.language, &held.grade)) @if !held.certain { " (" (here.say("outcome not stated", "utfall ikke oppgitt")) ")" } }
                td class="number" data-label=(words.look_ups_day) { (grouped(held.look_ups)) }
                td data-label=(words.since) { time datetime=(held.first) { (short(held.first)) } }
            } } }
        }
    }
}

/// Names that one person may see alone: a household, a few colleagues.
const ALONE_MAX: u64 = 5;
const REVEALED_SECS: i64 = 24 * 3_600;
/// Before the reason in a case's note.
const REVEAL: &str = "names shown: ";
const ROWS_SHOWN: usize = 500;
