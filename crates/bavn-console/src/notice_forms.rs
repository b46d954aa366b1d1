//! The forms of the page on notices: what a person declares, answers, makes ready and signs.

use crate::answer::Here;
use crate::notice_page::{Told, spoken};
use crate::notice_words::{NoticeWords, notice_words, written_in};
use crate::text::{Language, code};
use bavn_detect::cases::{Answer, Prepared, Verdict};
use bavn_share::{Factors, Question, Regime, RiskLevel, RiskRules, Suggestion, questions};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// By question.
type Answers = BTreeMap<String, Answer>;

pub(crate) fn declaration(here: &Here<'_>, told: &Told, event: &str, key: Option<&str>) -> Markup {
    let words = notice_words(here.language);
    let [title, text] = declare_words(here.language, event);
    let why = told.case.verdict.as_ref().map_or("", |held| held.reason.as_str());
    let (since, reason) = (format!("{event}-since"), format!("{event}-why"));
    form(
        here,
        told,
        "declare",
        &html! {
            h2 { (title) }
            p { (text) }
            input type="hidden" name="event" value=(event);
            label for=(since) { (words.since) }
            input id=(since) name="since" maxlength="40";
            label for=(reason) { (words.why) }
            input id=(reason) name="why" required value=(why) maxlength="4000";
            button data-key=[key] accesskey=[key] { (words.declare) @if let Some(key) = key { " " kbd { (key) } } }
        },
    )
}

/// How an event is asked for, and what declaring it does.
pub(crate) fn declare_words(language: Language, event: &str) -> [&'static str; 2] {
    let words = notice_words(language);
    let known = words.declare_events.iter().find(|[known, ..]| *known == event);
    known.map_or([words.declare, ""], |[_, title, text]| [title, text])
}

/// Questions that a field of a wanted notice waits for come first, with drafts; the rest folded.
pub(crate) fn left(here: &Here<'_>, told: &Told, words: &NoticeWords) -> Markup {
    let answers = &told.case.file.answers;
    let is_first = |question: &&Question| FIRST_ASKED.contains(&question.path);
    let is_asked = |question: &&Question| question.choices.is_empty();
    let field = |question: &Question| {
        let why = told.case.verdict.as_ref().map(|held| held.reason.as_str());
        let draft = question.draft(spoken(here.language));
        let preset = if question.path == "risk.why" { draft.or(why) } else { draft };
        let said = answers.get(question.path).map(|answer| {
            question.draft_of(&answer.text, spoken(here.language)).unwrap_or(&answer.text)
        });
        let said = said.or(preset);
        let id = format!("q.{}", question.path);
        html! {
            label for=(id) { (question.label(spoken(here.language))) (in_other(here.language, question, answers)) }
            @if question.path == "measures_taken" { (done_tasks(told, words)) }
            textarea id=(id) name=(id) rows="2" maxlength="8000" { (said.unwrap_or_default()) }
        }
    };
    let level = answers.get("risk.level").map(|answer| answer.text.as_str());
    form(
        here,
        told,
        "answers",
        &html! {
            h2 { (words.left) }
            p { (words.left_text) }
            @for question in questions().iter().filter(is_asked).filter(is_first) { (field(question)) }
            details {
                summary { (words.more) }
                @for question in questions().iter().filter(is_asked).filter(|one| !is_first(one)) {
                    (label_and_field(here, question, answers))
                }
            }
            @if let Some(found) = suggested(told, here.language) {
                p {
                    (words.suggested) " " strong { (level_name(found.level, words)) } ". "
                    (found.because) " (" (found.factors.join("; ")) ")"
                }
            }
            p { (words.save) }
            @for ((value, key), name) in LEVELS.into_iter().zip(words.levels) {
                button name="q.risk.level" value=(value) data-key=(key) accesskey=(key) {
                    (name) " " kbd { (key) } @if level == Some(value) { " ✓" }
                }
            }
        },
    )
}

/// What was done, as those who work on the case noted it: nothing of it goes anywhere by itself.
fn done_tasks(told: &Told, words: &NoticeWords) -> Markup {
    let done: Vec<_> = told.case.tasks.iter().filter(|task| task.done.is_some()).collect();
    html! {
        @if !done.is_empty() {
            p class="note" { (words.done_tasks) }
            ul { @for task in done { li { (task.text) } } }
        }
    }
}

/// What the rules of risk make of what the case itself shows.
fn suggested(told: &Told, language: Language) -> Option<Suggestion> {
    let recipient = match told.case.verdict.as_ref()?.verdict {
        Verdict::Compromise => "malicious",
        Verdict::Snooping => "inside",
        _ => return None,
    };
    let given = [("data", "health"), ("recipient", recipient), ("acquired", "yes")];
    let factors: Factors =
        given.into_iter().map(|(id, answer)| (id.to_owned(), answer.to_owned())).collect();
    RiskRules::shipped().ok()?.suggest(&factors, spoken(language)).ok()?
}

const fn level_name(level: RiskLevel, words: &NoticeWords) -> &'static str {
    let [unlikely, risk, high] = words.levels;
    match level {
        RiskLevel::Unlikely => unlikely,
        RiskLevel::Risk => risk,
        RiskLevel::High => high,
    }
}

/// That the answer which is held is in the other language.
fn in_other(language: Language, question: &Question, answers: &Answers) -> Markup {
    let held = answers.get(question.path);
    let is_other = held.is_some_and(|held| {
        let own_draft = question.draft_of(&held.text, spoken(language)).is_some();
        !own_draft && held.language.as_deref().is_some_and(|held| held != code(language))
    });
    html! { @if is_other { " ! " (written_in(language, spoken(language).other())) } }
}

fn label_and_field(here: &Here<'_>, question: &Question, answers: &Answers) -> Markup {
    let id = format!("q.{}", question.path);
    let said = answers.get(question.path).map(|answer| answer.text.as_str());
    html! {
        label for=(id) { (question.label(spoken(here.language))) (in_other(here.language, question, answers)) }
        textarea id=(id) name=(id) rows="2" maxlength="8000" { (said.unwrap_or_default()) }
    }
}

pub(crate) fn signature(here: &Here<'_>, told: &Told, words: &NoticeWords) -> Markup {
    let waiting = told.waiting();
    let (own, others): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|held| held.by == here.visitor.name);
    html! {
        @if !own.is_empty() { p { (words.sign_other) } }
        @if !others.is_empty() {
            (form(here, told, "sign", &html! {
                p { (words.sign_text) }
                ul { @for held in &others { li {
                    (waiting_link(here, told, held)) ": SHA-256 " code { (held.sha256) }
                    input type="hidden" name=(format!("act.{}", held.act)) value="1";
                } } }
                button data-key="s" accesskey="s" { (words.sign) " " kbd { "s" } }
            }))
        }
    }
}

/// To the notice that waits, so that it is read before it is signed.
fn waiting_link(here: &Here<'_>, told: &Told, held: &Prepared) -> Markup {
    let regime = told.regimes.iter().find(|regime| regime.id == held.regime);
    let path = here.link(&format!("/case/{}/notice/{}", told.case.number, held.regime));
    html! { a href=(path) {
        (regime.map_or(held.regime.as_str(), |regime| regime.title.of(spoken(here.language))))
    } }
}

/// What is ready already can be made ready again, which is not what comes next.
pub(crate) fn prepare(here: &Here<'_>, told: &Told, words: &NoticeWords) -> Markup {
    let waits = |regime: &Regime| told.case.file.waiting(&regime.id, told.phase(regime)).is_some();
    let is_first = told.owed().any(|regime| !waits(regime));
    let lacking: Vec<(&str, Vec<String>)> = told
        .owed()
        .map(|regime| (regime.title.of(spoken(here.language)), told.lacks(regime, here.language)))
        .filter(|(_, lacks)| !lacks.is_empty())
        .collect();
    let fields = html! {
        p { (words.prepare_text) }
        @if !lacking.is_empty() {
            p { (words.not_ready) }
            ul { @for (title, lacks) in &lacking { li { (title) ": " (lacks.join("; ")) } } }
        }
        button data-key="p" accesskey="p" { (words.prepare) " " kbd { "p" } }
    };
    html! {
        @if is_first { (form(here, told, "prepare", &fields)) }
        @else if told.owed().next().is_some() {
            details { summary { (words.prepare_again) } (form(here, told, "prepare", &fields)) }
        }
    }
}

/// A form that says what its sender has seen.
pub(crate) fn form(here: &Here<'_>, told: &Told, deed: &str, fields: &Markup) -> Markup {
    let lang = code(here.language);
    html! {
        form method="post" action=(format!("/case/{}/{deed}?lang={lang}", told.case.number)) {
            input type="hidden" name="token" value=(here.visitor.form_token);
            input type="hidden" name="seen" value=(told.case.revision());
            (fields)
        }
    }
}

/// Levels of risk and their keys.
const LEVELS: [(&str, &str); 3] = [("unlikely", "u"), ("risk", "r"), ("high", "h")];
/// What the first notice to an authority needs of a person.
const FIRST_ASKED: [&str; 7] = [
    "risk.why",
    "likely_consequences",
    "measures_taken",
    "measures_planned",
    "other_countries",
    "other_authorities",
    "advice",
];
