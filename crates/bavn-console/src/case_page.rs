//! What happened, is it harm, and what was done? A case, and the cases that wait.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::chart;
use crate::notice_words::notice_words;
use crate::page::short;
use crate::plain;
use crate::queue_page::{ROWS_SHOWN, more};
use crate::reader_page;
use crate::reply::{Answer, Shape, csv, json, missing};
use crate::scope_page;
use crate::session::Behind;
use crate::text::{Language, Texts, code, grouped, texts};
use crate::trail;
use crate::view::{ClockView, HourBar, ScopeView, TrailView, Wish};
use bavn_detect::cases::{
    Book, Case, CaseNumber, Deed, Side, State, Verdict, deed_in_words, json_of,
};
use maud::{Markup, html};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

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
    // Asked before the book is held: a question of the store may take its time.
    let clocks = here.board.clocks(number);
    let extra = (sent.shape == Shape::Html).then(|| Extra::of(here, number));
    here.looked(|book| {
        let Some(case) = book.case(number) else { return missing(here.language) };
        match (sent.shape, &extra) {
            (Shape::Csv, _) => acts_csv(book, number),
            (Shape::Html, Some(extra)) => page(here, book, case, extra, &clocks),
            _ => {
                let mut value = json_of(book, case, true);
                value
                    .as_object_mut()
                    .map(|fields| fields.insert("clocks".to_owned(), json!(clocks)));
                json(&value)
            }
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

fn page(here: &Here<'_>, book: &Book, case: &Case, extra: &Extra, clocks: &[ClockView]) -> Answer {
    let heading = format!("C-{} {}", case.number, title(case, here.language));
    let path = format!("/case/{}", case.number);
    here.page(&heading, &path, &body(here, book, case, (extra, clocks), &heading))
}

pub(crate) fn notices_link(here: &Here<'_>, number: CaseNumber) -> Markup {
    let is_there = here.board.notices().is_some() && here.may(Right::SeeNotices, Purpose::Case);
    let path = here.link(&format!("/case/{number}/notice"));
    html! {
        @if is_there { p { a data-key="t" accesskey="t" href=(path) { (notice_words(here.language).title) " " kbd { "t" } } } }
    }
}

/// What a case page needs beside the case.
struct Extra {
    trail: Option<TrailView>,
    scope: Option<ScopeView>,
    /// Handles of the pages of its accounts, by account.
    people: BTreeMap<String, String>,
    /// Of the queue: the alarm with patients by the hour, if it is one of the case.
    hours: Vec<HourBar>,
}

impl Extra {
    fn of(here: &Here<'_>, number: CaseNumber) -> Self {
        let named = |book: &Book| {
            let case = book.case(book.settled(number));
            let accounts = case.map(Case::identities).unwrap_or_default();
            let uids = case.iter().flat_map(|case| &case.alarms).map(|alarm| alarm.uid.clone());
            let accounts = accounts.into_iter().take(PEOPLE_SHOWN).map(str::to_owned);
            (accounts.collect::<Vec<String>>(), uids.collect::<BTreeSet<String>>())
        };
        let (accounts, uids) = here.peek(named).unwrap_or_default();
        let keeps = here.board.keeps_look_ups();
        let handle = |account: String| {
            let behind = Behind::Person { account: account.clone(), case: number };
            Some((account, here.hold(behind)?))
        };
        let may = here.may(Right::SeePerson, Purpose::Case) && keeps;
        let view = here.board.queue();
        let alarm = view.alarms.iter().find(|alarm| uids.contains(&alarm.uid));
        Self {
            trail: keeps.then(|| here.board.trail(number).ok()).flatten(),
            scope: keeps.then(|| here.board.scope(number).ok()).flatten(),
            people: accounts.into_iter().filter(|_| may).filter_map(handle).collect(),
            hours: alarm.map(|alarm| alarm.hours.clone()).unwrap_or_default(),
        }
    }
}

/// The clocks of the cases that the queue shows.
pub(crate) fn queue_clocks(here: &Here<'_>) -> BTreeMap<CaseNumber, Vec<ClockView>> {
    let numbers = |book: &Book| {
        let shown = book.queue().into_iter().take(ROWS_SHOWN);
        shown.map(|case| case.number).collect::<Vec<_>>()
    };
    let numbers = here.peek(numbers).unwrap_or_default();
    numbers.into_iter().map(|number| (number, here.board.clocks(number))).collect()
}

/// The cases that wait, the most urgent first.
pub(crate) fn waiting(
    here: &Here<'_>,
    book: &Book,
    clocks: &BTreeMap<CaseNumber, Vec<ClockView>>,
) -> Markup {
    let (language, words) = (here.language, texts(here.language));
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
                    @for (place, case) in queue.iter().take(ROWS_SHOWN).enumerate() {
                        tr {
                            td {
                                a data-row accesskey=[(place == 0).then_some("j")] href=(format!("/case/{}?lang={}", case.number, code(language))) {
                                    "C-" (case.number) " " (title(case, language))
                                }
                                br; (summary(case, language))
                            }
                            td data-label=(words.state) {
                                (case.state().named(language))
                                @if let Some(clocks) = clocks.get(&case.number) {
                                    br; (trail::next_clock(here, clocks))
                                }
                            }
                            td data-label=(words.owner) { (owner(case, language)) }
                            td class="number" data-label=(words.exposed) { (grouped(u64::from(case.patients()))) }
                        }
                    }
                }
            }
            (more(queue.len(), language))
        }
    }
}

fn owner(case: &Case, language: Language) -> &str {
    case.owner.as_deref().map_or("–", |name| plain::desk(language, name))
}

fn title(case: &Case, language: Language) -> &str {
    case.leading().map_or("", |alarm| alarm.said(language).title.as_str())
}

fn summary(case: &Case, language: Language) -> &str {
    case.leading().map_or("", |alarm| alarm.said(language).summary.as_str())
}

fn body(
    here: &Here<'_>,
    book: &Book,
    case: &Case,
    (extra, clocks): (&Extra, &[ClockView]),
    heading: &str,
) -> Markup {
    let (language, words) = (here.language, texts(here.language));
    let path = format!("/case/{}", case.number);
    html! {
        h1 { (heading) }
        (trail::clocks(here, clocks))
        p class="summary" { (summary(case, language)) }
        p class="facts" {
            (words.state) ": " (case.state().named(language)) ". " (words.owner) ": " (owner(case, language)) ". "
            strong { (grouped(u64::from(case.patients()))) } " " (words.patients_alarm) ". "
            @if let (Some(first), Some(last)) = (case.first_seen(), case.last_seen()) {
                time datetime=(first) { (short(first)) } " – " time datetime=(last) { (short(last)) } "."
            }
        }
        @if let Some((then, now)) = case.grown() {
            p class="next" {
                (here.say("Since it was decided its largest alarm has grown, patients:", "Siden avgjørelsen har det største varselet vokst, pasienter:"))
                " " (then) " → " (now) "."
            }
        }
        @if let Some(into) = case.merged_into { p { a href=(here.link(&format!("/case/{into}"))) { "→ C-" (into) } } }
        @if let Some(scope) = &extra.scope { (bounds(here, &path, scope)) }
        (notices_link(here, case.number))
        (scales(case, language, words))
        @if let Some(alarm) = case.leading() {
            h2 { (words.first_thing) }
            p class="next" { (alarm.said(language).next_step) }
        }
        @if case.merged_into.is_none() { (forms(here, case)) }
        @if !extra.hours.is_empty() { h2 { (words.chart) } (chart::hours(&extra.hours, language)) }
        @if let Some(trail) = extra.trail.as_ref().filter(|trail| !trail.times.is_empty()) {
            h2 { (here.say("The story in time", "Forløpet i tid")) }
            (trail::lanes(here, trail))
        }
        @if !extra.people.is_empty() { (people(here, extra)) }
        @if !case.alarms.is_empty() {
            h2 { (words.alarms) }
            (chart::lanes(&case.alarms, language, words))
            ul { @for alarm in &case.alarms { li { (alarm.said(language).summary) } } }
        }
        (elsewhere(book, case, words))
        @if !case.tasks.is_empty() {
            h2 { (words.task) }
            ol { @for (place, task) in case.tasks.iter().enumerate() { li {
                (task.text) " (" (plain::desk(language, &task.by)) ") "
                @if task.done.is_some() { "✓ " (words.done) } @else {
                    (form(here, case, "done", &html! {
                        input type="hidden" name="task" value=(place + 1);
                        button { (words.done) }
                    }))
                }
            } } }
        }
        (reader_page::section(here, case))
        (more_forms(here, case))
        (history(book, case, language, words))
        @if let Some(scope) = &extra.scope {
            p class="facts" {
                (here.say("Patients as counted here: SHA-256", "Pasientene slik de er telt her: SHA-256")) " "
                code { (scope.digest) }
            }
        }
    }
}

/// How many patients, and how that grew.
fn bounds(here: &Here<'_>, path: &str, scope: &ScopeView) -> Markup {
    let words = texts(here.language);
    html! {
        p {
            (scope_page::bounds(here.language, scope)) " "
            a data-key="w" accesskey="w" href=(here.link(&format!("{path}/scope"))) { (words.scope) " " kbd { "w" } }
        }
        @if !scope.growth.is_empty() { (trail::growth(here, &scope.growth)) }
    }
}

fn people(here: &Here<'_>, extra: &Extra) -> Markup {
    html! {
        h2 { (here.say("Accounts", "Kontoer")) }
        ul { @for (account, handle) in &extra.people { li {
            a href=(here.link(&format!("/person/{handle}"))) { (account) }
        } } }
    }
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

/// The decision, with its keys printed on the buttons.
fn forms(here: &Here<'_>, case: &Case) -> Markup {
    let words = texts(here.language);
    let may_decide = here.may(Right::Decide, Purpose::Case);
    let is_closed = case.state() == State::Closed;
    let story =
        case.leading().map_or("", |alarm| alarm.said(here.language).innocent_story.as_str());
    // Names nobody: it may become part of a notice.
    let first = case.leading().and_then(|alarm| alarm.said(here.language).reasons.first());
    let wrong = first.map_or("", String::as_str);
    let [explained, harmless, misuse] = here.say(
        ["It is explained, because", "It is harmless, because", "It is misuse, because"],
        ["Det er forklart, fordi", "Det er harmløst, fordi", "Det er misbruk, fordi"],
    );
    let reason = |id: &str, label: &str, preset: &str, key: Option<&str>| {
        html! {
            label for=(id) { (label) @if let Some(key) = key { " " kbd { (key) } } }
            input id=(id) name="reason" required value=(preset) maxlength="4000" data-key=[key] accesskey=[key];
        }
    };
    let button = |key: &str, verdict: Verdict, name: &str| {
        html! { button data-key=(key) accesskey=(key) name="verdict" value=(verdict.word()) { (name) " " kbd { (key) } } }
    };
    html! {
        h2 class="screen" { (words.decide) }
        div class="forms" {
            @if case.owner.as_deref() != Some(here.visitor.name.as_str()) {
                (form(here, case, "take", &html! { button data-key="a" accesskey="a" { (words.take) " " kbd { "a" } } }))
            }
            @if may_decide && is_closed {
                (form(here, case, "decide", &html! {
                    (reason("reopen", words.reason, "", None))
                    button name="verdict" value=(Verdict::Reopened.word()) { (words.reopen) }
                }))
            }
            @if may_decide && !is_closed {
                (form(here, case, "decide", &html! {
                    (reason("explained", explained, story, None))
                    (button("e", Verdict::Harmless, words.explained_button))
                }))
                (form(here, case, "decide", &html! {
                    (reason("harmless", harmless, "", Some("x")))
                    button name="verdict" value=(Verdict::Harmless.word()) { (words.harmless) }
                }))
                (form(here, case, "decide", &html! {
                    (reason("wrong", misuse, wrong, None))
                    (button("c", Verdict::Compromise, words.compromise))
                    (button("s", Verdict::Snooping, words.snooping))
                }))
            }
            (form(here, case, "undo", &html! { button data-key="u" accesskey="u" { (words.undo) " " kbd { "u" } } }))
        }
    }
}

/// Notes and tasks.
fn more_forms(here: &Here<'_>, case: &Case) -> Markup {
    let words = texts(here.language);
    html! {
        @if case.merged_into.is_none() { div class="forms" {
            (form(here, case, "note", &html! {
                label for="note" { (words.note) " " kbd { "n" } }
                textarea id="note" data-key="n" accesskey="n" name="text" rows="2" required maxlength="4000" {}
                button { (words.add_note) }
            }))
            (form(here, case, "task", &html! {
                label for="task" { (words.task) }
                input id="task" name="text" required maxlength="4000";
                button { (words.add_task) }
            }))
        } }
    }
}

/// A form that says what its sender has seen.
pub(crate) fn form(here: &Here<'_>, case: &Case, deed: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(format!("/case/{}/{deed}", case.number)) {
            input type="hidden" name="token" value=(here.visitor.form_token);
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
            ul { @for alike in alike.iter().take(ROWS_SHOWN) { li {
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
            time datetime=(act.at) { (short(act.at)) } " " strong { (plain::desk(language, &act.by)) } ": "
            @if book.is_undone(number) { s { (plain::deed(language, book, act)) } }
            @else { (plain::deed(language, book, act)) }
        } } }
    }
}

/// Accounts that a case page leads to; the scope counts all.
const PEOPLE_SHOWN: usize = 50;
