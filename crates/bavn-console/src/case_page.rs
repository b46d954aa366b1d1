//! What happened, is it harm, and what was done? A case, and the cases that wait.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::chart;
use crate::notice_words::notice_words;
use crate::page::{Shell, grouped, shell, short};
use crate::reply::{Answer, Shape, csv, html as sent_html, json, missing};
use crate::session::Visitor;
use crate::text::{Language, Texts, code, texts};
use crate::view::{Alarm, Wish};
use bavn_detect::cases::{
    Book, Case, CaseNumber, Deed, Side, State, Verdict, deed_in_words, json_of,
};
use maud::{Markup, html};

/// A case names its readers, so that somebody sees it is itself on record.
pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let revision = match here.peek(|book| book.case(number).map(Case::revision)) {
        Err(trouble) => return here.failed(&trouble),
        Ok(None) => return missing(here.language),
        Ok(Some(revision)) => revision,
    };
    if let Some(answer) = here.not_recorded(&format!("case {number}"), number) {
        return answer;
    }
    let is_unread = |case: &Case| case.read_at.is_none() && case.merged_into.is_none();
    if here.peek(|book| book.case(number).is_some_and(is_unread)).unwrap_or(false) {
        // Somebody else may have read it first: that is as good.
        drop(here.board.act(&here.visitor.name, number, Wish::Do(Deed::Read), revision));
    }
    here.looked(|book| {
        let Some(case) = book.case(number) else { return missing(here.language) };
        match sent.shape {
            Shape::Json => json(&json_of(book, case, true)),
            Shape::Csv => acts_csv(book, number),
            Shape::Html => page(here, book, case),
        }
    })
}

fn acts_csv(book: &Book, number: CaseNumber) -> Answer {
    let acts = book.acts().iter().enumerate().filter(|(_, act)| act.case == number);
    let rows = acts.map(|(at, act)| {
        let undone = book.is_undone(at).to_string();
        vec![act.at.to_string(), act.by.clone(), deed_in_words(act, Language::English), undone]
    });
    csv("at,by,what,undone", rows)
}

fn page(here: &Here<'_>, book: &Book, case: &Case) -> Answer {
    let view = here.board.queue();
    let of_case = |uid: &str| case.alarms.iter().any(|alarm| alarm.uid == uid);
    let around = Around {
        visitor: &here.visitor,
        language: here.language,
        simulated: view.simulated,
        may_decide: here.may(Right::Decide, Purpose::Case),
        has_scope: here.board.keeps_look_ups(),
        notices: notices_link(here, case),
        alarm: view.alarms.iter().find(|alarm| of_case(&alarm.uid)),
    };
    sent_html(&self::case(book, case, &around))
}

fn notices_link(here: &Here<'_>, case: &Case) -> Markup {
    let is_there = here.board.notices().is_some() && here.may(Right::SeeNotices, Purpose::Case);
    let path = format!("/case/{}/notice?lang={}", case.number, code(here.language));
    html! {
        @if is_there { p { a data-key="t" href=(path) { (notice_words(here.language).title) } } }
    }
}

/// What a case page needs beside the case.
struct Around<'a> {
    visitor: &'a Visitor,
    language: Language,
    simulated: bool,
    may_decide: bool,
    has_scope: bool,
    /// The way to what must be told, for those who may see it.
    notices: Markup,
    /// Of the queue: the alarm with patients by the hour, if it is one of the case.
    alarm: Option<&'a Alarm>,
}

/// The cases that wait, the most urgent first.
pub(crate) fn waiting(book: &Book, language: Language) -> Markup {
    let words = texts(language);
    let queue = book.queue();
    html! {
        h2 { (words.cases) }
        @if queue.is_empty() { p { (words.no_cases) } } @else {
            table class="queue" {
                thead { tr {
                    th scope="col" { (words.case) }
                    th scope="col" { (words.state) }
                    th scope="col" { (words.owner) }
                    th scope="col" class="number" { (words.exposed) }
                } }
                tbody {
                    @for case in queue.iter().take(CASES_SHOWN) {
                        tr {
                            td {
                                a data-row href=(format!("/case/{}?lang={}", case.number, code(language))) {
                                    "C-" (case.number) " " (title(case, language))
                                }
                                br; (summary(case, language))
                            }
                            td data-label=(words.state) { (case.state().named(language)) }
                            td data-label=(words.owner) { (case.owner.as_deref().unwrap_or("–")) }
                            td class="number" data-label=(words.exposed) { (grouped(u64::from(case.patients()))) }
                        }
                    }
                }
            }
        }
    }
}

fn title(case: &Case, language: Language) -> &str {
    case.leading().map_or("", |alarm| alarm.said(language).title.as_str())
}

fn summary(case: &Case, language: Language) -> &str {
    case.leading().map_or("", |alarm| alarm.said(language).summary.as_str())
}

fn case(book: &Book, case: &Case, around: &Around<'_>) -> Markup {
    let (language, words) = (around.language, texts(around.language));
    let path = format!("/case/{}", case.number);
    let heading = format!("C-{} {}", case.number, title(case, language));
    let body = html! {
        h1 { (heading) }
        p class="summary" { (summary(case, language)) }
        p class="facts" {
            (case.state().named(language)) ". " (words.owner) ": " (case.owner.as_deref().unwrap_or("–")) ". "
            strong { (grouped(u64::from(case.patients()))) } " " (words.patients_alarm) ". "
            @if let (Some(first), Some(last)) = (case.first_seen(), case.last_seen()) {
                time datetime=(first) { (short(first)) } " – " time datetime=(last) { (short(last)) } "."
            }
        }
        @if let Some(into) = case.merged_into { p { a href=(format!("/case/{into}")) { "→ C-" (into) } } }
        (around.notices)
        @if around.has_scope { p { a href=(format!("{path}/scope?lang={}", code(language))) { (words.scope) } } }
        (scales(case, language, words))
        @if let Some(alarm) = case.leading() {
            h2 { (words.first_thing) }
            p class="next" { (alarm.said(language).next_step) }
        }
        @if case.merged_into.is_none() { (forms(case, around, words)) }
        @if let Some(alarm) = around.alarm { (chart::hours(&alarm.hours, words)) }
        @if !case.alarms.is_empty() {
            h2 { (words.alarms) }
            (chart::lanes(&case.alarms, language, words))
            ul { @for alarm in &case.alarms { li { (alarm.said(language).summary) } } }
        }
        (elsewhere(book, case, words))
        @if !case.tasks.is_empty() {
            h2 { (words.task) }
            ol { @for (place, task) in case.tasks.iter().enumerate() { li {
                (task.text) " (" (task.by) ") "
                @if task.done.is_some() { "✓ " (words.done) } @else {
                    (form(case, around.visitor, "done", &html! {
                        input type="hidden" name="task" value=(place + 1);
                        button { (words.done) }
                    }))
                }
            } } }
        }
        (history(book, case, language, words))
    };
    let about = Shell {
        path: &path,
        simulated: around.simulated,
        visitor: Some(around.visitor),
        reloads: false,
    };
    shell(&heading, language, &about, &body)
}

fn scales(case: &Case, language: Language, words: &Texts) -> Markup {
    let grounds = case.grounds(language);
    html! {
        div class="scales" {
            @for (name, side) in [(words.for_misuse, Side::For), (words.against, Side::Against)] {
                section {
                    h2 { (name) }
                    ul { @for ground in grounds.iter().filter(|ground| ground.side == side) { li { (ground.text) } } }
                }
            }
        }
    }
}

fn forms(case: &Case, around: &Around<'_>, words: &Texts) -> Markup {
    let is_closed = case.state() == State::Closed;
    let story =
        case.leading().map_or("", |alarm| alarm.said(around.language).innocent_story.as_str());
    let reason = |id: &str, preset: &str| {
        html! {
            label for=(id) { (words.reason) }
            input id=(id) name="reason" required value=(preset) maxlength="4000";
        }
    };
    html! {
        h2 { (words.decide) }
        div class="forms" {
            @if case.owner.as_deref() != Some(around.visitor.name.as_str()) {
                (form(case, around.visitor, "take", &html! { button data-key="a" { (words.take) } }))
            }
            @if around.may_decide && is_closed {
                (form(case, around.visitor, "decide", &html! {
                    (reason("reopen", ""))
                    button name="verdict" value=(Verdict::Reopened.word()) { (words.reopen) }
                }))
            }
            @if around.may_decide && !is_closed {
                (form(case, around.visitor, "decide", &html! {
                    (reason("harmless", story))
                    button data-key="x" name="verdict" value=(Verdict::Harmless.word()) { (words.harmless) }
                }))
                (form(case, around.visitor, "decide", &html! {
                    (reason("wrong", summary(case, around.language)))
                    button data-key="s" name="verdict" value=(Verdict::Snooping.word()) { (words.snooping) }
                    button data-key="c" name="verdict" value=(Verdict::Compromise.word()) { (words.compromise) }
                }))
            }
            (form(case, around.visitor, "note", &html! {
                label for="note" { (words.note) }
                textarea id="note" data-key="n" name="text" rows="2" required maxlength="4000" {}
                button { (words.add_note) }
            }))
            (form(case, around.visitor, "task", &html! {
                label for="task" { (words.task) }
                input id="task" name="text" required maxlength="4000";
                button { (words.add_task) }
            }))
            (form(case, around.visitor, "undo", &html! { button data-key="u" { (words.undo) } }))
        }
        p class="facts" { (words.keys) }
    }
}

/// A form that says what its sender has seen.
fn form(case: &Case, visitor: &Visitor, deed: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(format!("/case/{}/{deed}", case.number)) {
            input type="hidden" name="token" value=(visitor.form_token);
            input type="hidden" name="seen" value=(case.revision());
            (fields)
        }
    }
}

fn elsewhere(book: &Book, case: &Case, words: &Texts) -> Markup {
    let alike = book.alike(case);
    html! {
        @if !alike.is_empty() {
            h2 { (words.same_hand) }
            ul { @for alike in alike.iter().take(CASES_SHOWN) { li {
                a href=(format!("/case/{}", alike.case)) { "C-" (alike.case) } ": "
                @for name in alike.identities.iter().chain(&alike.hosts).chain(&alike.clients).take(5) { (name) " " }
                @if alike.patients { (words.patients) }
            } } }
        }
    }
}

fn history(book: &Book, case: &Case, language: Language, words: &Texts) -> Markup {
    let acts = book.acts().iter().enumerate().filter(|(_, act)| act.case == case.number);
    html! {
        h2 { (words.history) }
        ol class="history" { @for (number, act) in acts { li {
            time datetime=(act.at) { (short(act.at)) } " " strong { (act.by) } ": "
            @if book.is_undone(number) { s { (deed_in_words(act, language)) } }
            @else { (deed_in_words(act, language)) }
        } } }
    }
}

/// Rows of a page; the twins have all.
const CASES_SHOWN: usize = 200;
