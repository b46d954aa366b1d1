//! The frame around every page.

use crate::access::{Purpose, Right, Role, permits};
use crate::session::Visitor;
use crate::text::{Language, code, other, pick};
use crate::view::AsOf;
use maud::{DOCTYPE, Markup, html};

/// A title and a sentence: nothing is there, or not for you, or not done. The way back is to a page
/// that this visitor may see.
pub(crate) fn word(title: &str, sentence: &str, language: Language, about: &Shell<'_>) -> Markup {
    let texts = crate::text::texts(language);
    let (path, name) = about.visitor.map_or(("/", texts.back), |visitor| {
        let first = first(visitor.role, about.shadow, language);
        let mut pages = shown(visitor.role, about.shadow, language);
        pages.find(|(path, _)| *path == first).unwrap_or((first, texts.me))
    });
    let body = html! {
        h1 { (title) }
        p { (sentence) }
        p { a href=(format!("{path}?lang={}", code(language))) { "← " (name) } }
    };
    shell(title, language, about, &body)
}

/// What stands around a page.
#[derive(Default)]
pub(crate) struct Shell<'a> {
    pub(crate) path: &'a str,
    pub(crate) simulated: bool,
    /// Nobody is named yet.
    pub(crate) shadow: bool,
    pub(crate) visitor: Option<&'a Visitor>,
    /// How many changes the page knows of, if it is asked for again when there are more; without a
    /// script every few seconds. Never where somebody may be typing, nor where a view is put on record.
    pub(crate) live: Option<u64>,
}

pub(crate) fn shell(title: &str, language: Language, about: &Shell<'_>, body: &Markup) -> Markup {
    let texts = crate::text::texts(language);
    let other_language = other(language);
    let first = about.visitor.map_or("/", |visitor| first(visitor.role, about.shadow, language));
    html! {
        (DOCTYPE)
        html lang=(code(language)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if about.live.is_some() { noscript { meta http-equiv="refresh" content="5"; } }
                title { (title) " · bavn" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
                script src="/live.js" defer {}
            }
            body {
                a class="skip" href="#main" { (texts.skip) }
                header {
                    a class="mark" href=(format!("{first}?lang={}", code(language))) { "bavn" }
                    @if let Some(visitor) = about.visitor {
                        (pages(visitor, about, language))
                        (whom(visitor, about.simulated, language))
                    }
                    a hreflang=(code(other_language)) lang=(code(other_language))
                        href=(format!("{}?lang={}", about.path, code(other_language))) { (texts.other_language) }
                }
                main id="main" tabindex="-1" {
                    @if let Some(seen) = about.live { p class="news" role="status" data-news=(texts.news) data-seen=(seen) {} }
                    @if about.simulated { p class="note" { (texts.simulated) } }
                    @if about.shadow { p class="note" { (texts.shadow) } }
                    (body)
                }
                @if about.visitor.is_some() { footer {
                    p class="facts" { (texts.keys) }
                    button type="button" data-keys data-on=(texts.keys_on) data-off=(texts.keys_off) hidden { (texts.keys_off) }
                } }
            }
        }
    }
}

/// The page with which somebody of this role begins.
pub(crate) fn first(role: Role, shadow: bool, language: Language) -> &'static str {
    match role {
        Role::Patient | Role::Employee => "/me",
        Role::Representative => "/settings",
        _ => shown(role, shadow, language).next().map_or("/me", |(path, _)| path),
    }
}

/// The pages that somebody of this role may see.
fn shown(
    role: Role,
    shadow: bool,
    language: Language,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let may = move |right: Right, purpose| {
        permits(right, role, purpose) && !(shadow && right.names_people())
    };
    let all = [
        ("/", pick(language, "Now", "Nå"), Right::SeeQueue, Purpose::None),
        ("/hunt", pick(language, "Hunt", "Jakt"), Right::Hunt, Purpose::Case),
        ("/patient", pick(language, "Patient", "Pasient"), Right::AskForPatient, Purpose::None),
        ("/review", pick(language, "Review", "Stikkprøve"), Right::Review, Purpose::Review),
        ("/coverage", pick(language, "Coverage", "Dekning"), Right::SeeCoverage, Purpose::None),
        ("/drill", pick(language, "Drill", "Øvelse"), Right::SeeScore, Purpose::None),
        ("/proof", pick(language, "Proof", "Bevis"), Right::SeeProof, Purpose::None),
        ("/settings", pick(language, "Settings", "Oppsett"), Right::SeeSettings, Purpose::None),
    ];
    let shown = all.into_iter().filter(move |&(.., right, purpose)| may(right, purpose));
    shown.map(|(path, name, ..)| (path, name))
}

fn pages(visitor: &Visitor, about: &Shell<'_>, language: Language) -> Markup {
    let shown = shown(visitor.role, about.shadow, language);
    html! {
        nav class="pages" aria-label=(pick(language, "Pages", "Sider")) { ul {
            @for (place, (path, name)) in shown.enumerate() { li {
                @let key = (place + 1).to_string();
                a data-key=(key) accesskey=(key) href=(format!("{path}?lang={}", code(language)))
                    aria-current=[(path == about.path).then_some("page")] { (name) }
            } }
        } }
    }
}

/// Who is logged in; in a demonstration, with other roles to take.
fn whom(visitor: &Visitor, simulated: bool, language: Language) -> Markup {
    let texts = crate::text::texts(language);
    let said = |role: Role| {
        let [english, bokmaal] = role.said();
        pick(language, english, bokmaal)
    };
    html! {
        nav class="whom" aria-label=(texts.me) {
            a href=(format!("/me?lang={}", code(language))) {
                @if simulated { (texts.me) } @else { (visitor.name) }
            }
            @if simulated {
                form method="post" action="/role" {
                    input type="hidden" name="token" value=(visitor.form_token);
                    select name="role" aria-label=(texts.role) {
                        @for role in Role::ALL {
                            option value=(role.word()) selected[role == visitor.role] { (said(role)) }
                        }
                    }
                    button { (texts.change_role) }
                }
            } @else {
                " (" (said(visitor.role)) ") "
                form method="post" action="/leave" {
                    input type="hidden" name="token" value=(visitor.form_token);
                    button { (texts.leave) }
                }
            }
        }
    }
}

/// What stands between backticks is set as code.
pub(crate) fn coded(text: &str) -> Markup {
    html! { @for (place, part) in text.split('`').enumerate() {
        @if place % 2 == 1 { code { (part) } } @else { (part) }
    } }
}

/// The state of a store that a page rests on.
pub(crate) fn as_of(language: Language, held: &AsOf) -> Markup {
    html! { p class="facts" {
        (pick(language, "As the store was", "Slik lageret var")) " "
        time datetime=(held.committed_at) { (short(held.committed_at)) } ": " code { (held.manifest) }
    } }
}

/// `2024-01-16 01:42 UTC`.
pub(crate) fn short(at: bavn_model::Timestamp) -> String {
    let text = at.to_string();
    let minute: String = text.chars().take(16).collect();
    format!("{} UTC", minute.replace('T', " "))
}
