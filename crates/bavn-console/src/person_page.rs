//! What is known of this account, in this case?

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::chart;
use crate::page::{as_of, short};
use crate::reply::{Answer, Shape, csv, json, missing};
use crate::session::Behind;
use crate::text::{grouped, look_ups, patients, post, texts};
use crate::view::PersonView;
use bavn_detect::cases::CaseNumber;
use bavn_detect::words::kind;
use maud::{Markup, html};
use serde_json::json;
use std::collections::BTreeSet;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(Behind::Person { account, case }) = here.behind(sent.part(0)) else {
        return here.unknown(sent.path);
    };
    let is_of_case = here.peek(|book| {
        book.case(book.settled(case))
            .is_some_and(|case| case.identities().contains(account.as_str()))
    });
    if !is_of_case.unwrap_or(false) {
        return missing(here.language);
    }
    let what = format!("an account of case {case}");
    let granted = match here.granted(Right::SeePerson, Purpose::Case, Some(case), &what, &[]) {
        Ok(granted) => granted,
        Err(answer) => return answer,
    };
    let view = match here.board.person(&account, &granted) {
        Ok(view) => view,
        Err(trouble) => return here.failed(&trouble),
    };
    match sent.shape {
        Shape::Html => {
            let path = format!("/person/{}", sent.part(0));
            here.page(&account, &path, &body(here, case, &view))
        }
        Shape::Json => json(&json!(view)),
        Shape::Csv => csv(
            "at,kind,machine,source,patients",
            view.rows.iter().map(|row| {
                let (kind, machine, source) =
                    (row.kind.clone(), row.machine.clone(), row.source.clone());
                vec![row.at.to_string(), kind, machine, source, row.patients.to_string()]
            }),
        ),
    }
}

fn body(here: &Here<'_>, number: CaseNumber, view: &PersonView) -> Markup {
    let words = texts(here.language);
    let units: BTreeSet<String> = here
        .peek(|book| {
            let units = book.case(book.settled(number)).map(|case| {
                let of_account =
                    case.alarms.iter().filter(|alarm| alarm.identities.contains(&view.account));
                of_account.flat_map(|alarm| alarm.units.iter().cloned()).collect()
            });
            units.unwrap_or_default()
        })
        .unwrap_or_default();
    html! {
        p { a href=(here.link(&format!("/case/{number}"))) { "C-" (number) } }
        h1 { (view.account) }
        p class="facts" { (here.say(
            "What the look-ups of this case tell of the account; nothing is shown of other days or other work.",
            "Det oppslagene i denne saken forteller om kontoen; intet vises om andre dager eller annet arbeid.",
        )) }
        p class="summary" {
            strong { (patients(here.language, view.patients)) } ", " (look_ups(here.language, view.look_ups)) "."
            @if let (Some(first), Some(last)) = (view.first, view.last) {
                " " time datetime=(first) { (short(first)) } " – " time datetime=(last) { (short(last)) } "."
            }
        }
        @if !units.is_empty() {
            p { (here.say("Unit, as the alarm had it", "Enhet, slik alarmen hadde den")) ": "
                (units.iter().map(|unit| post(here.language, unit)).collect::<Vec<_>>().join(", ")) "." }
        }
        @if !view.hours.is_empty() { (chart::hours(&view.hours, here.language)) }
        h2 { (here.say("Machines and applications", "Maskiner og applikasjoner")) }
        table class="queue" {
            thead { tr {
                th scope="col" { (here.say("Name", "Navn")) } th scope="col" class="number" { (words.look_ups_day) }
                th scope="col" class="number" { (words.exposed) } th scope="col" { (words.since) }
            } }
            tbody { @for machine in &view.machines { tr {
                td { (machine.name) } td class="number" data-label=(words.look_ups_day) { (grouped(machine.look_ups)) }
                td class="number" data-label=(words.exposed) { (grouped(machine.patients)) }
                td data-label=(words.since) { time datetime=(machine.first) { (short(machine.first)) } }
            } } }
        }
        h2 { (here.say("What was done", "Hva som ble gjort")) }
        table {
            thead { tr { th scope="col" { (here.say("Kind", "Slag")) } th scope="col" class="number" { (words.look_ups_day) }
                th scope="col" class="number" { (words.exposed) } } }
            tbody { @for (done, look_ups, patients) in &view.kinds { tr {
                td { (kind(here.language, done)) } td class="number" { (grouped(*look_ups)) } td class="number" { (grouped(*patients)) }
            } } }
        }
        h2 { (here.say("The last look-ups", "De siste oppslagene")) }
        table class="queue" {
            thead { tr {
                th scope="col" { (here.say("When", "Når")) } th scope="col" { (here.say("Kind", "Slag")) }
                th scope="col" { (here.say("Machine", "Maskin")) } th scope="col" class="number" { (words.exposed) }
            } }
            tbody { @for row in view.rows.iter().take(ROWS_SHOWN) { tr {
                td { time datetime=(row.at) { (short(row.at)) } } td data-label=(here.say("Kind", "Slag")) { (kind(here.language, &row.kind)) }
                td data-label=(here.say("Machine", "Maskin")) { (row.machine) }
                td class="number" data-label=(words.exposed) { (grouped(row.patients)) }
            } } }
        }
        (as_of(here.language, &view.as_of))
    }
}

/// Rows of the page; the twins have all.
const ROWS_SHOWN: usize = 50;
