//! The pages themselves.

use crate::access::Role;
use crate::chart;
use crate::session::Visitor;
use crate::text::{Language, Texts, code, other};
use crate::view::{Alarm, QueueView};
use maud::{DOCTYPE, Markup, html};

/// The queue, its first alarm opened.
pub(crate) fn queue(
    view: &QueueView,
    cases: &Markup,
    visitor: &Visitor,
    language: Language,
) -> Markup {
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
pub(crate) fn alarm(
    view: &QueueView,
    alarm: &Alarm,
    visitor: &Visitor,
    language: Language,
) -> Markup {
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

/// A title and a sentence: nothing is there, or not for you, or not done.
pub(crate) fn word(
    title: &str,
    sentence: &str,
    visitor: Option<&Visitor>,
    language: Language,
) -> Markup {
    let body = html! {
        h1 { (title) }
        p { (sentence) }
        p { a href="/" { (crate::text::texts(language).back) } }
    };
    let about = Shell { path: "/", simulated: false, visitor, reloads: false };
    shell(title, language, &about, &body)
}

/// What stands around a page.
pub(crate) struct Shell<'a> {
    pub(crate) path: &'a str,
    pub(crate) simulated: bool,
    pub(crate) visitor: Option<&'a Visitor>,
    /// Without a script the page loads itself again: never where somebody may be typing.
    pub(crate) reloads: bool,
}

pub(crate) fn shell(title: &str, language: Language, about: &Shell<'_>, body: &Markup) -> Markup {
    let texts = crate::text::texts(language);
    let other_language = other(language);
    html! {
        (DOCTYPE)
        html lang=(code(language)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if about.reloads { noscript { meta http-equiv="refresh" content="5"; } }
                title { (title) " · bavn" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
                script src="/live.js" defer {}
            }
            body {
                a class="skip" href="#main" { (texts.skip) }
                header {
                    a class="mark" href=(format!("/?lang={}", code(language))) { "bavn" }
                    @if let Some(visitor) = about.visitor { (whom(visitor, about.simulated, texts)) }
                    a hreflang=(code(other_language)) lang=(code(other_language))
                        href=(format!("{}?lang={}", about.path, code(other_language))) { (texts.other_language) }
                }
                main id="main" tabindex="-1" {
                    @if about.simulated { p class="note" { (texts.simulated) } }
                    (body)
                }
            }
        }
    }
}

/// Who is logged in; in a demonstration, with other roles to take.
fn whom(visitor: &Visitor, simulated: bool, texts: &Texts) -> Markup {
    html! {
        nav aria-label=(texts.me) {
            a href="/me" { (visitor.name) }
            @if simulated {
                form method="post" action="/role" {
                    input type="hidden" name="token" value=(visitor.form_token);
                    select name="role" aria-label=(texts.role) {
                        @for role in Role::ALL {
                            option value=(role.word()) selected[role == visitor.role] { (role.word()) }
                        }
                    }
                    button { (texts.change_role) }
                }
            } @else {
                " (" (visitor.role.word()) ") "
                form method="post" action="/leave" {
                    input type="hidden" name="token" value=(visitor.form_token);
                    button { (texts.leave) }
                }
            }
        }
    }
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

/// `2024-01-16 01:42 UTC`.
pub(crate) fn short(at: bavn_model::Timestamp) -> String {
    let text = at.to_string();
    let minute: String = text.chars().take(16).collect();
    format!("{} UTC", minute.replace('T', " "))
}

/// Digits in threes, with a thin space.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts_are_grouped_in_threes() {
        for (count, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (2_900_000, "2\u{202f}900\u{202f}000"),
        ] {
            assert_eq!(super::grouped(count), expected);
        }
    }
}
