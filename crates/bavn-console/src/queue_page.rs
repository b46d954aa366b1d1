//! What needs me now? The cases and alarms that wait, and one alarm alone.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::case_page;
use crate::chart;
use crate::notice_page;
use crate::page::{coded, short};
use crate::plain;
use crate::reply::{Answer, Shape, csv, json, missing};
use crate::text::{Language, code, decimal, grouped, look_ups, patients, pick, shortest, texts};
use crate::view::{Alarm, ClockView, QueueView};
use bavn_detect::cases::{Book, CaseNumber, State, json_of};
use bavn_detect::house::Run;
use bavn_model::Timestamp;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

pub(crate) fn queue(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    if here.shadow {
        return shadow(here, sent.shape);
    }
    let (view, clocks) = (here.board.queue(), case_page::queue_clocks(here));
    here.looked(|book| match sent.shape {
        Shape::Html => {
            let told = html! {
                @if here.may(Right::SeeNotices, Purpose::Case) && here.board.notices().is_some() {
                    (notice_page::waiting(book, here.now, here.language))
                }
            };
            let body = queue_body(here, book, &view, &clocks, &told);
            here.live_page(texts(here.language).queue, "/", &body)
        }
        Shape::Json => {
            let mut value = json!(*view);
            let cases = book.queue().into_iter().map(|case| json_of(book, case, false));
            value.as_object_mut().map(|fields| fields.insert("cases".to_owned(), cases.collect()));
            json(&value)
        }
        Shape::Csv => {
            let rows = book.queue().into_iter().map(|case| {
                let at = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.to_string());
                vec![
                    case.number.to_string(),
                    case.state().word().to_owned(),
                    case.owner.clone().unwrap_or_default(),
                    case.patients().to_string(),
                    at(case.first_seen()),
                    at(case.last_seen()),
                ]
            });
            csv("case,state,owner,patients,first_seen,last_seen", rows)
        }
    })
}

pub(crate) fn alarm(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    if here.shadow {
        return here.refused_in_shadow(sent.path);
    }
    let view = here.board.queue();
    let Some(found) = view.alarms.iter().find(|alarm| alarm.uid == sent.part(0)) else {
        return missing(here.language);
    };
    match sent.shape {
        Shape::Html => {
            let (back, path) = (texts(here.language).back, format!("/alarms/{}", found.uid));
            let body = html! {
                nav { a href=(here.link("/")) { (back) } }
                (alarm_body(found, here.language, 1))
            };
            here.live_page(&found.words(here.language).title, &path, &body)
        }
        Shape::Json => json(&json!(found)),
        Shape::Csv => csv(
            "hour,patients,busiest_other",
            found.hours.iter().map(|hour| {
                let (patients, other) = (hour.patients, hour.busiest_other);
                vec![hour.from.to_string(), patients.to_string(), other.to_string()]
            }),
        ),
    }
}

/// The queue, its first alarm opened.
fn queue_body(
    here: &Here<'_>,
    book: &Book,
    view: &QueueView,
    clocks: &BTreeMap<CaseNumber, Vec<ClockView>>,
    told: &Markup,
) -> Markup {
    let texts = texts(here.language);
    // An alarm is told by its case, if it has one, and is done with when that is closed.
    let uids = |is_closed: bool| {
        let cases = book.cases().filter(move |case| (case.state() == State::Closed) == is_closed);
        cases.flat_map(|case| &case.alarms).map(|alarm| alarm.uid.as_str()).collect::<HashSet<_>>()
    };
    let (told_by_case, done) = (uids(false), uids(true));
    let open = view.alarms.iter().filter(|alarm| !done.contains(alarm.uid.as_str()));
    let open: Vec<&Alarm> = open.collect();
    let alone = open.iter().copied().filter(|alarm| !told_by_case.contains(alarm.uid.as_str()));
    let alone: Vec<&Alarm> = alone.collect();
    html! {
        h1 data-total=(book.queue().len() + alone.len()) { (texts.queue) }
        (status(view, here.language))
        (case_page::waiting(here, book, clocks))
        (told)
        @if open.is_empty() && book.queue().is_empty() && told.0.is_empty() { p class="quiet" { (texts.quiet) } }
        @if !alone.is_empty() {
            h2 { (texts.alarms) }
            (table(&alone, here.language))
            (more(alone.len(), here.language))
        }
        @if let Some(first) = open.first() {
            (alarm_body(first, here.language, 2))
        }
    }
}

/// The queue without a name, while the employees' side has not agreed.
fn shadow(here: &Here<'_>, shape: Shape) -> Answer {
    let view = here.board.queue();
    let mut run = None;
    let seen = here.board.house(&mut |house| run = house.last_run().map(|(_, run)| run.clone()));
    if let Err(trouble) = seen {
        return here.failed(&trouble);
    }
    here.looked(|book| {
        let aggregate = Aggregate::of(book, &view, run.as_ref());
        match shape {
            Shape::Html => here.live_page(texts(here.language).queue, "/", &aggregate.body(here)),
            Shape::Json => json(&json!(aggregate)),
            Shape::Csv => csv(
                "kind,alarms",
                aggregate.kinds.iter().map(|(kind, count)| vec![kind.clone(), count.to_string()]),
            ),
        }
    })
}

/// Counts of alarms, and how many of those that were judged were false.
#[derive(Debug, Serialize)]
struct Aggregate {
    look_ups: u64,
    alarms: u64,
    /// Detector, alarms; those that are fewer than five together.
    kinds: Vec<(String, u64)>,
    judged: u64,
    judged_false: u64,
    /// Against what was expected; none until a run has ended.
    rate: Option<Rate>,
}

/// How many alarms there were, against the false ones that were expected.
#[derive(Clone, Copy, Debug, Serialize)]
struct Rate {
    days: u64,
    staff: f64,
    alarms_per_10k_staff_day: f64,
    /// What the chances say that the detectors learned from these staff's own past days.
    expected_false: f64,
    expected_false_per_10k_staff_day: f64,
}

impl Rate {
    fn of(run: &Run, alarms: u64) -> Option<Self> {
        let staff_days = run.staff * run.days as f64;
        (staff_days > 0.0).then(|| Self {
            days: run.days,
            staff: run.staff,
            alarms_per_10k_staff_day: alarms as f64 / staff_days * 10_000.0,
            expected_false: run.false_alarms_allowed,
            expected_false_per_10k_staff_day: run.budget_per_10k_staff_day,
        })
    }

    fn body(&self, here: &Here<'_>) -> Markup {
        let number = |value: f64| decimal(here.language, value, 2);
        html! {
            h2 { (here.say("How many of them are false?", "Hvor mange av dem er falske?")) }
            p {
                (here.say("On", "På")) " " (grouped(self.days)) " " (here.say("days, with", "døgn, med")) " "
                (decimal(here.language, self.staff, 0)) " " (here.say(
                    "members of staff in the reckoning, alarms came at",
                    "ansatte i regnskapet, kom alarmene med",
                )) " " strong { (number(self.alarms_per_10k_staff_day)) } " "
                (here.say("per 10\u{202f}000 staff a day. Of false ones,", "per 10\u{a0}000 ansatte per døgn. Av falske var høyst"))
                " " strong { (number(self.expected_false_per_10k_staff_day)) } " "
                (here.say("a day were expected at most,", "per døgn ventet,")) " "
                (decimal(here.language, self.expected_false, 1)) " " (here.say("in all.", "i alt."))
            }
            p class="facts" { (here.say(
                "The first figure is counted: were every alarm false, this would be the rate of false \
                 alarms, so the true one is not above it. The second is the budget, by the chances that \
                 the detectors learned from past days. Which alarms are false can be said only by \
                 somebody who may read them, once the employees' side has agreed.",
                "Det første tallet er talt: var hver alarm falsk, ville dette vært andelen falske \
                 alarmer, så den riktige er ikke høyere. Det andre er budsjettet, etter sjansene \
                 detektorene har lært av tidligere døgn. Hvilke alarmer som er falske, kan bare sies av \
                 en som får lese dem, når de ansattes side har sagt seg enig.",
            )) }
        }
    }
}

impl Aggregate {
    fn of(book: &Book, view: &QueueView, run: Option<&Run>) -> Self {
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        let alarms = || book.cases().flat_map(|case| &case.alarms);
        for alarm in alarms() {
            *kinds.entry(alarm.detector.clone()).or_default() += 1;
        }
        let (few, mut kinds): (Vec<_>, Vec<_>) =
            kinds.into_iter().partition(|&(_, count)| count < CELL_MIN);
        let few: u64 = few.into_iter().map(|(_, count)| count).sum();
        if few > 0 {
            kinds.push((OTHERS.to_owned(), few));
        }
        let (judged, judged_false) = crate::coverage_page::judged(book);
        let alarms = alarms().count() as u64;
        Self {
            look_ups: view.look_ups,
            alarms,
            kinds,
            judged,
            judged_false,
            rate: run.and_then(|run| Rate::of(run, alarms)),
        }
    }

    fn body(&self, here: &Here<'_>) -> Markup {
        let share = self.judged_false as f64 / self.judged.max(1) as f64 * 100.0;
        html! {
            h1 { (here.say("What would have been alarmed", "Det som ville gitt alarm")) }
            p class="summary" {
                strong { (grouped(self.alarms)) } " "
                (here.say("alarms on", "alarmer av")) " " (look_ups(here.language, self.look_ups)) ". "
                @if self.judged > 0 {
                    (grouped(self.judged_false)) " " (here.say("of", "av")) " " (grouped(self.judged))
                    " " (here.say("that were judged were false", "som ble vurdert, var falske"))
                    " (" (decimal(here.language, share, 0)) "\u{a0}%)."
                }
            }
            @if let Some(rate) = &self.rate { (rate.body(here)) }
            table {
                thead { tr {
                    th scope="col" { (here.say("Detector", "Detektor")) }
                    th scope="col" class="number" { (here.say("Alarms", "Alarmer")) }
                } }
                tbody { @for (kind, count) in &self.kinds { tr {
                    td { (shadowed(here.language, kind)) } td class="number" { (grouped(*count)) }
                } } }
            }
            p { (coded(here.say(
                "Names are shown from the day on which the employees' side has agreed: on paper, as \
                 `bavn dpia --sign-off` keeps it, or on the page of settings.",
                "Navn vises fra den dagen de ansattes side har sagt seg enig: på papir, slik \
                 `bavn dpia --sign-off` lagrer det, eller på siden for oppsett.",
            ))) " " a href=(here.link("/settings")) { (here.say("Settings", "Oppsett")) } }
        }
    }
}

fn shadowed(language: Language, kind: &str) -> &str {
    if kind == OTHERS { pick(language, "others", "andre") } else { plain::detector(language, kind) }
}

fn status(view: &QueueView, language: Language) -> Markup {
    let texts = texts(language);
    html! {
        p class="status" {
            @if let Some(now) = view.now {
                (texts.reached) " " time datetime=(now) { (short(now)) } ": "
            }
            (look_ups(language, view.look_ups))
            @if view.identities == 0 { "." } @else {
            ", "
            (grouped(view.identities as u64)) " " (texts.readers) ", "
            (patients(language, view.patients as u64)) ". "
            (decimal(language, view.explained_share * 100.0, 0)) "\u{a0}% " (texts.explained) ". "
            (shortest(language, view.budget)) " " (texts.budget) "."
            }
        }
    }
}

fn table(alarms: &[&Alarm], language: Language) -> Markup {
    let texts = crate::text::texts(language);
    html! {
        table class="queue" {
            thead { tr {
                th scope="col" { (texts.alarm) }
                th scope="col" class="number" { (texts.exposed) }
                th scope="col" { (texts.since) }
                th scope="col" class="number" { (texts.risk) }
            } }
            tbody {
                @for alarm in alarms.iter().take(ROWS_SHOWN) {
                    @let words = alarm.words(language);
                    tr {
                        td {
                            a data-row href=(format!("/alarms/{}?lang={}", alarm.uid, code(language))) { (words.title) }
                            br; (words.summary)
                        }
                        td class="number" data-label=(texts.exposed) { (grouped(alarm.patients as u64)) }
                        td data-label=(texts.since) { time datetime=(alarm.first_seen) { (short(alarm.first_seen)) } }
                        td class="number" data-label=(texts.risk) { (decimal(language, alarm.risk, 0)) }
                    }
                }
            }
        }
    }
}

/// What a list does not show, and where it stands.
pub(crate) fn more(all: usize, language: Language) -> Markup {
    let [shown, of, twin] = pick(
        language,
        ["The first", "of", "are shown; all stand in"],
        ["De første", "av", "vises; alle står i"],
    );
    html! {
        @if all > ROWS_SHOWN { p class="facts" {
            (shown) " " (grouped(ROWS_SHOWN as u64)) " " (of) " " (grouped(all as u64)) " " (twin) " "
            a href="/queue.csv" { "queue.csv" } ", " a href="/queue.json" { "queue.json" } "."
        } }
    }
}

/// An alarm under a heading of the given level, 1 or 2.
fn alarm_body(alarm: &Alarm, language: Language, level: u8) -> Markup {
    let texts = crate::text::texts(language);
    let words = alarm.words(language);
    let part = |title: &str, body: Markup| {
        html! {
            @if level == 1 { h2 { (title) } } @else { h3 { (title) } }
            (body)
        }
    };
    html! {
        article {
            @if level == 1 { h1 { (words.title) } } @else {
                h2 { a href=(format!("/alarms/{}?lang={}", alarm.uid, code(language))) { (words.title) } }
            }
            p class="summary" { (words.summary) }
            p class="facts" {
                (texts.raised) " " time datetime=(alarm.raised_at) { (short(alarm.raised_at)) } ". "
                (texts.exposed) ": " strong { (grouped(alarm.patients as u64)) } ". "
                (texts.expected.replace("{}", &decimal(language, alarm.expected_false, 3))) "."
            }
            (part(texts.why, html! { ol { @for reason in &words.reasons { li { (reason) } } } }))
            @if !alarm.hours.is_empty() { (chart::hours(&alarm.hours, language)) }
            @if !words.tried.is_empty() {
                (part(texts.tried, html! { ul { @for tried in &words.tried { li { (tried) } } } }))
            }
            (part(texts.innocent, html! { p { (words.innocent_story) } }))
            (part(texts.next, html! { p class="next" { (words.next_step) } }))
            @if !words.counterfactual.is_empty() {
                (part(texts.below, html! { p { (words.counterfactual) } }))
            }
            (part(texts.unseen, html! { p { (texts.unseen_text) } }))
        }
    }
}

/// Rows of a list; the twins have all.
pub(crate) const ROWS_SHOWN: usize = 200;
/// Smaller counts are added up: they could point to somebody.
const CELL_MIN: u64 = 5;
const OTHERS: &str = "others";
