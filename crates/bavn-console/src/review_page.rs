//! Are ordinary look-ups in order? Some that nothing explains and nothing alarmed on, drawn by lot.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::page::short;
use crate::reply::{Answer, Shape, csv, go, json, missing};
use crate::text::{grouped, post};
use crate::view::Trouble;
use bavn_detect::cases::Case;
use bavn_detect::house::{Drawn, House, HouseDeed, Ruling};
use bavn_model::Timestamp;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

/// One look-up of the sample, and what was said of it.
#[derive(Clone, Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    drawn: Drawn,
    ruling: Option<Ruling>,
    by: Option<String>,
    reason: Option<String>,
}

/// The sample of the last run of the watch.
#[derive(Clone, Debug, Default, Serialize)]
struct Sample {
    at: Option<Timestamp>,
    rows: Vec<Row>,
}

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let what = "look-ups drawn by lot";
    if let Err(answer) = here.granted(Right::Review, Purpose::Review, None, what, &[]) {
        return answer;
    }
    let sample = match sample(here) {
        Ok(sample) => sample,
        Err(trouble) => return here.failed(&trouble),
    };
    match sent.shape {
        Shape::Html => here.page(here.say("Review", "Stikkprøve"), "/review", &body(here, &sample)),
        Shape::Json => json(&json!(sample)),
        Shape::Csv => csv(
            "lot,at,reader,role,unit,ruling,by,reason",
            sample.rows.into_iter().map(|row| {
                let drawn = row.drawn;
                vec![
                    drawn.lot,
                    drawn.at.to_string(),
                    drawn.reader,
                    drawn.role,
                    drawn.unit,
                    row.ruling.map_or(String::new(), |ruling| ruling.word().to_owned()),
                    row.by.unwrap_or_default(),
                    row.reason.unwrap_or_default(),
                ]
            }),
        ),
    }
}

pub(crate) fn rule(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let word = sent.form.field("ruling");
    let ruling = Ruling::ALL.into_iter().find(|ruling| ruling.word() == word);
    let Some(ruling) = ruling else { return missing(here.language) };
    let (drawn, reason) = (sent.form.field("lot").to_owned(), sent.form.field("reason").to_owned());
    let what = "look-ups drawn by lot: a ruling";
    if let Err(answer) = here.granted(Right::Review, Purpose::Review, None, what, &[]) {
        return answer;
    }
    match here.board.settle(&here.visitor, HouseDeed::Ruled { drawn, ruling, reason }) {
        Ok(()) => go(&here.link("/review")),
        Err(trouble) => here.failed(&trouble),
    }
}

fn sample(here: &Here<'_>) -> Result<Sample, Trouble> {
    let of = |house: &House| {
        let (at, run) = house.last_run()?;
        let row = |drawn: &Drawn| {
            let ruled = house.ruling(&drawn.lot);
            let reason = ruled.map(|(_, act)| match &act.deed {
                HouseDeed::Ruled { reason, .. } => reason.clone(),
                _ => String::new(),
            });
            Row {
                drawn: drawn.clone(),
                ruling: ruled.map(|(ruling, _)| ruling),
                by: ruled.map(|(_, act)| act.by.clone()),
                reason,
            }
        };
        // Nobody rules on a look-up of their own.
        let others = run.drawn.iter().filter(|drawn| !is_same(&drawn.reader, &here.visitor.name));
        Some(Sample { at: Some(at), rows: others.map(row).collect() })
    };
    let mut found = Sample::default();
    here.board.house(&mut |house| found = of(house).unwrap_or_default())?;
    Ok(found)
}

fn is_same(reader: &str, name: &str) -> bool {
    let bare = |name: &str| name.rsplit(['|', '/']).next().unwrap_or_default().to_lowercase();
    bare(reader) == bare(name)
}

fn body(here: &Here<'_>, sample: &Sample) -> Markup {
    let ruled = sample.rows.iter().filter(|row| row.ruling.is_some());
    let without = ruled.clone().filter(|row| row.ruling == Some(Ruling::NoReason)).count() as u64;
    let ruled = ruled.count() as u64;
    html! {
        h1 { (here.say("Are ordinary look-ups in order?", "Er vanlige oppslag i orden?")) }
        p { (here.say(
            "These were drawn by lot among look-ups that no record explains and no alarm named, some of each \
             function. Nobody chose them, and being drawn is no suspicion. The patient is not shown.",
            "Disse er trukket ved lodd blant oppslag som ingen registrering forklarer og ingen alarm nevnte, \
             noen fra hver funksjon. Ingen har valgt dem, og å bli trukket er ingen mistanke. Pasienten vises ikke.",
        )) }
        p class="summary" {
            (grouped(ruled)) " " (here.say("of", "av")) " " (grouped(sample.rows.len() as u64)) " "
            (here.say("have been looked into", "er undersøkt"))
            @if ruled > 0 {
                ", " (grouped(without)) " " (here.say("of them without a reason", "av dem uten grunn"))
            } "."
        }
        @if sample.rows.is_empty() {
            p { (here.say(
                "Nothing has been drawn: a run of the watch with this store draws when it ends.",
                "Ingenting er trukket: en kjøring mot dette lageret trekker når den er ferdig.",
            )) }
        }
        ol class="cards" { @for (place, row) in sample.rows.iter().take(ROWS_SHOWN).enumerate() { li { (card(here, place, row)) } } }
        (audits(here))
        @if let Some(at) = sample.at { p class="facts" { (here.say("Drawn", "Trukket")) " " time datetime=(at) { (short(at)) } } }
    }
}

/// Cases that a lot of the watch itself opened.
fn audits(here: &Here<'_>) -> Markup {
    let cases = here.peek(|book| {
        let drawn = |case: &&Case| case.alarms.iter().all(|alarm| alarm.detector == BY_LOT);
        let queue = book.queue().into_iter().filter(drawn).take(ROWS_SHOWN);
        let said =
            |case: &Case| case.leading().map(|alarm| alarm.said(here.language).summary.clone());
        queue.map(|case| (case.number, said(case).unwrap_or_default())).collect::<Vec<_>>()
    });
    let cases = cases.unwrap_or_default();
    html! {
        @if !cases.is_empty() {
            h2 { (here.say("Cases drawn by lot", "Saker trukket ved lodd")) }
            ul { @for (number, summary) in &cases { li {
                a href=(here.link(&format!("/case/{number}"))) { "C-" (number) } " " (summary)
            } } }
        }
    }
}

fn card(here: &Here<'_>, place: usize, row: &Row) -> Markup {
    let drawn = &row.drawn;
    html! {
        p {
            strong { (drawn.reader) } @if !drawn.role.is_empty() { ", " (post(here.language, &drawn.role)) } @if !drawn.unit.is_empty() { ", " (post(here.language, &drawn.unit)) } ": "
            time datetime=(drawn.at) { (short(drawn.at)) }
            @if drawn.first_ever { ", " (here.say("the reader's first look-up of this patient", "leserens første oppslag på denne pasienten")) } "."
        }
        @match (row.ruling, &row.by) {
            (Some(ruling), Some(by)) => { p class="facts" {
                @match ruling {
                    Ruling::InOrder => { (here.say("In order", "I orden")) }
                    Ruling::NoReason => { (here.say("No reason found", "Ingen grunn funnet")) }
                }
                " (" (by) "): " (row.reason.as_deref().unwrap_or_default())
            } }
            _ => { form method="post" action="/review" {
                input type="hidden" name="token" value=(here.visitor.form_token);
                input type="hidden" name="lot" value=(drawn.lot);
                label for=(format!("reason-{place}")) { (here.say("What it was", "Hva det var")) }
                input id=(format!("reason-{place}")) name="reason" required maxlength="4000";
                button name="ruling" value=(Ruling::InOrder.word()) { (here.say("In order", "I orden")) }
                button name="ruling" value=(Ruling::NoReason.word()) { (here.say("No reason found", "Ingen grunn funnet")) }
            } }
        }
    }
}

/// The detector that draws.
const BY_LOT: &str = "random_audit";
/// Rows of the page; the twins have all.
const ROWS_SHOWN: usize = 100;
