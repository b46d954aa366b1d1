//! The frame around every page.

use crate::access::{Purpose, Right, Role, permits};
use crate::session::Visitor;
use crate::text::{Language, Texts, code, other, pick};
use maud::{DOCTYPE, Markup, html};

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
    let about = Shell { path: "/", simulated: false, shadow: false, visitor, reloads: false };
    shell(title, language, &about, &body)
}

/// What stands around a page.
pub(crate) struct Shell<'a> {
    pub(crate) path: &'a str,
    pub(crate) simulated: bool,
    /// Nobody is named yet.
    pub(crate) shadow: bool,
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
                    @if let Some(visitor) = about.visitor {
                        (pages(visitor, about, language))
                        (whom(visitor, about.simulated, texts))
                    }
                    a hreflang=(code(other_language)) lang=(code(other_language))
                        href=(format!("{}?lang={}", about.path, code(other_language))) { (texts.other_language) }
                }
                main id="main" tabindex="-1" {
                    @if about.simulated { p class="note" { (texts.simulated) } }
                    @if about.shadow { p class="note" { (texts.shadow) } }
                    p class="news" role="status" data-news=(texts.news) hidden {}
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

/// The pages that this visitor may see.
fn pages(visitor: &Visitor, about: &Shell<'_>, language: Language) -> Markup {
    let may = |right: Right, purpose| {
        permits(right, visitor.role, purpose) && !(about.shadow && right.names_people())
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
    let shown = all.into_iter().filter(|&(.., right, purpose)| may(right, purpose));
    html! {
        nav class="pages" aria-label=(pick(language, "Pages", "Sider")) { ul {
            @for (place, (path, name, ..)) in shown.enumerate() { li {
                @let key = (place + 1).to_string();
                a data-key=(key) accesskey=(key) href=(format!("{path}?lang={}", code(language)))
                    aria-current=[(path == about.path).then_some("page")] { (name) }
            } }
        } }
    }
}

/// Who is logged in; in a demonstration, with other roles to take.
fn whom(visitor: &Visitor, simulated: bool, texts: &Texts) -> Markup {
    html! {
        nav class="whom" aria-label=(texts.me) {
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
