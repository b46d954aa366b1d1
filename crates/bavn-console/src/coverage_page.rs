//! What can we not see? Sources day by day, shares of units, and how often alarms are false.

use crate::answer::{Here, Sent};
use crate::heat;
use crate::page::{as_of, short};
use crate::plain;
use crate::reply::{Answer, Shape, csv, json};
use crate::text::{decimal, grouped, look_ups, shortest, texts};
use crate::view::{CoverageView, DayState, RunView, SilenceRow};
use bavn_detect::cases::{Book, State, Verdict};
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let view = match here.board.coverage() {
        Ok(view) => view,
        Err(trouble) => return here.failed(&trouble),
    };
    match sent.shape {
        Shape::Html => here.page(here.say("Coverage", "Dekning"), "/coverage", &body(here, &view)),
        Shape::Json => json(&json!(view)),
        Shape::Csv => csv(
            "source,day,look_ups,state",
            view.sources.iter().flat_map(|row| {
                view.days.iter().zip(&row.cells).map(|(day, cell)| {
                    let state = word(cell.state).to_owned();
                    vec![row.source.clone(), day.clone(), cell.look_ups.to_string(), state]
                })
            }),
        ),
    }
}

/// Of all cases that were closed, how many were no misuse after all.
pub(crate) fn judged(book: &Book) -> (u64, u64) {
    let closed = book.cases().filter(|case| case.state() == State::Closed);
    let verdicts: Vec<Verdict> =
        closed.filter_map(|case| case.verdict.as_ref()).map(|held| held.verdict).collect();
    let is_false = |verdict: &&Verdict| !verdict.is_breach();
    (verdicts.len() as u64, verdicts.iter().filter(is_false).count() as u64)
}

pub(crate) const fn word(state: DayState) -> &'static str {
    match state {
        DayState::OnTime => "on_time",
        DayState::Late => "late",
        DayState::Silent => "silent",
        DayState::NotYet => "not_yet",
    }
}

fn body(here: &Here<'_>, view: &CoverageView) -> Markup {
    html! {
        h1 { (here.say("What can we not see?", "Hva kan vi ikke se?")) }
        (as_of(here.language, &view.as_of))
        h2 { (here.say("Sources, day by day", "Kilder, dag for dag")) }
        @if view.sources.is_empty() {
            p { (here.say("No source has spoken yet.", "Ingen kilde har meldt seg ennå.")) }
        } @else { (heat::sources(here, view)) }
        h2 { (texts(here.language).unseen) }
        ul {
            @for silence in &view.silences { li { (silent(here, silence)) } }
            li { (texts(here.language).unseen_text) }
        }
        @match &view.run {
            Some(run) => { (of_run(here, run)) }
            None => { p { (here.say(
                "No run of the watch has ended with this store, so shares and false alarms are not known.",
                "Ingen kjøring har endt mot dette lageret, så andeler og falske alarmer er ukjent.",
            )) } }
        }
    }
}

pub(crate) fn silent(here: &Here<'_>, silence: &SilenceRow) -> Markup {
    let until =
        if silence.ended { here.say("until", "til") } else { here.say("and still at", "og ennå") };
    html! {
        code { (silence.source) } " " (here.say("was silent from", "var taus fra")) " "
        time datetime=(silence.from) { (short(silence.from)) } " " (until) " "
        time datetime=(silence.to) { (short(silence.to)) }
    }
}

fn of_run(here: &Here<'_>, run: &RunView) -> Markup {
    let percent = |share: f64| format!("{}\u{a0}%", decimal(here.language, share * 100.0, 1));
    html! {
        h2 { (here.say("What was read", "Det som ble lest")) }
        p {
            (here.say("The last run ended", "Siste kjøring endte")) " "
            time datetime=(run.at) { (short(run.at)) } ": " (look_ups(here.language, run.look_ups)) ". " (percent(run.explained_share)) " "
            (texts(here.language).explained) "; " (percent(run.cannot_judge_share)) " "
            (here.say(
                "cannot be judged for want of a feed, which is coverage and not suspicion.",
                "kan ikke vurderes fordi opplysninger mangler; det er dekning og ikke mistanke.",
            ))
        }
        @if !run.inputs.is_empty() { (inputs(here, run)) }
        h2 { (here.say("False alarms, allowed and found", "Falske alarmer, tillatt og funnet")) }
        p {
            (here.say("Allowed in this run", "Tillatt i denne kjøringen")) ": "
            strong { (decimal(here.language, run.false_alarms_allowed, 1)) } " ("
            (shortest(here.language, run.budget)) " " (texts(here.language).budget) "; "
            (grouped(run.staff as u64)) " " (here.say("staff", "ansatte")) ", " (grouped(run.days)) " "
            (here.say("days", "døgn")) "). " (here.say("Alarms", "Alarmer")) ": "
            strong { (grouped(run.alarms)) } ". "
            @if run.judged > 0 {
                (here.say("Judged", "Vurdert")) ": " (grouped(run.judged)) ", "
                (here.say("of which false", "derav falske")) ": " (grouped(run.judged_false)) "."
            } @else { (here.say("None has been judged yet.", "Ingen er vurdert ennå.")) }
        }
        (lanes(here, run))
        @if !run.units.is_empty() {
            h2 { (here.say("How much of each unit's work is explained", "Hvor mye av hver enhets arbeid som er forklart")) }
            (heat::units(here, run))
        }
    }
}

fn inputs(here: &Here<'_>, run: &RunView) -> Markup {
    let over = |read: u64, rejected: u64| rejected * 100 > read + rejected;
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(here.say("Inputs", "Innlesing")) { table {
            thead { tr {
                th scope="col" { (here.say("Input", "Innlesing")) }
                th scope="col" class="number" { (here.say("Read", "Lest")) }
                th scope="col" class="number" { (here.say("Rejected", "Avvist")) }
            } }
            tbody { @for (input, read, rejected) in run.inputs.iter().take(INPUTS_SHOWN) { tr {
                td { (input) } td class="number" { (grouped(*read)) }
                td class="number" {
                    (grouped(*rejected))
                    @if over(*read, *rejected) { " " strong { "! " (here.say("over 1 %", "over 1 %")) } }
                }
            } } }
        } }
    }
}

fn lanes(here: &Here<'_>, run: &RunView) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { (here.say("Kind of evidence", "Slag av grunnlag")) }
                th scope="col" class="number" { (here.say("Candidates", "Kandidater")) }
                th scope="col" class="number" { (here.say("Alarms, renewed ones too", "Alarmer, også fornyede")) }
            } }
            tbody { @for (lane, offered, alarms) in &run.lanes { tr {
                td { (plain::lane(here.language, lane)) } td class="number" { (grouped(*offered)) } td class="number" { (grouped(*alarms)) }
            } } }
        }
    }
}

/// Rows of the page; the twins have all.
const INPUTS_SHOWN: usize = 100;
