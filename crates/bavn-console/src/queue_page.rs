//! What needs me now? The cases and alarms that wait, and one alarm alone.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::case_page;
use crate::chart;
use crate::notice_page;
use crate::page::{Shell, grouped, shell, short};
use crate::reply::{Answer, Shape, csv, html as sent_html, json, missing};
use crate::session::Visitor;
use crate::text::{Language, Texts, code};
use crate::view::{Alarm, QueueView};
use bavn_detect::cases::json_of;
use bavn_model::Timestamp;
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn queue(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let view = here.board.queue();
    here.looked(|book| match sent.shape {
        Shape::Html => {
            let cases = html! {
                (case_page::waiting(book, here.language))
                @if here.may(Right::SeeNotices, Purpose::Case) && here.board.notices().is_some() {
                    (notice_page::waiting(book, here.now, here.language))
                }
            };
            sent_html(&queue_page(&view, &cases, &here.visitor, here.language))
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
    let view = here.board.queue();
    let Some(found) = view.alarms.iter().find(|alarm| alarm.uid == sent.part(0)) else {
        return missing(here.language);
    };
    match sent.shape {
        Shape::Html => sent_html(&alarm_page(&view, found, &here.visitor, here.language)),
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
fn queue_page(view: &QueueView, cases: &Markup, visitor: &Visitor, language: Language) -> Markup {
    let texts = crate::text::texts(language);
    let body = html! {
        h1 { (texts.queue) }
        (status(view, texts))
        (cases)
        @if view.alarms.is_empty() {
            p class="quiet" { (texts.quiet) }
        } @else {
            h2 { (texts.alarms) }
            (table(view, language))
        }
        @if let Some(first) = view.alarms.first() {
            (alarm_body(first, language, 2))
        }
    };
    let about =
        Shell { path: "/", simulated: view.simulated, visitor: Some(visitor), reloads: true };
    shell(texts.queue, language, &about, &body)
}

/// One alarm.
fn alarm_page(view: &QueueView, alarm: &Alarm, visitor: &Visitor, language: Language) -> Markup {
    let texts = crate::text::texts(language);
    let path = format!("/alarms/{}", alarm.uid);
    let body = html! {
        nav { a href=(format!("/?lang={}", code(language))) { (texts.back) } }
        (alarm_body(alarm, language, 1))
    };
    let about =
        Shell { path: &path, simulated: view.simulated, visitor: Some(visitor), reloads: true };
    shell(&alarm.words(language).title, language, &about, &body)
}

fn status(view: &QueueView, texts: &Texts) -> Markup {
    html! {
        p class="status" {
            @if let Some(now) = view.now {
                (texts.reached) " " time datetime=(now) { (short(now)) } ": "
            }
            (grouped(view.look_ups)) " " (texts.look_ups)
            @if view.identities == 0 { "." } @else {
            ", "
            (grouped(view.identities as u64)) " " (texts.readers) ", "
            (grouped(view.patients as u64)) " " (texts.patients) ". "
            (format!("{:.0}", view.explained_share * 100.0)) " % " (texts.explained) ". "
            (view.budget) " " (texts.budget) "."
            }
        }
    }
}

fn table(view: &QueueView, language: Language) -> Markup {
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
                @for alarm in &view.alarms {
                    @let words = alarm.words(language);
                    tr {
                        td {
                            a href=(format!("/alarms/{}?lang={}", alarm.uid, code(language))) { (words.title) }
                            br; (words.summary)
                        }
                        td class="number" data-label=(texts.exposed) { (grouped(alarm.patients as u64)) }
                        td data-label=(texts.since) { time datetime=(alarm.first_seen) { (short(alarm.first_seen)) } }
                        td class="number" data-label=(texts.risk) { (format!("{:.0}", alarm.risk)) }
                    }
                }
            }
        }
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
            @if level == 1 { h1 { (words.title) } } @else { h2 { (words.title) } }
            p class="summary" { (words.summary) }
            p class="facts" {
                (texts.raised) " " time datetime=(alarm.raised_at) { (short(alarm.raised_at)) } ". "
                (texts.exposed) ": " strong { (grouped(alarm.patients as u64)) } ". "
                (format!("{:.3}", alarm.expected_false)) " " (texts.expected) "."
            }
            (part(texts.why, html! { ol { @for reason in &words.reasons { li { (reason) } } } }))
            @if !alarm.hours.is_empty() { (chart::hours(&alarm.hours, texts)) }
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
