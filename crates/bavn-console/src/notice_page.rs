//! What must be told of a case, to whom, by when, and what is still missing?

use crate::answer::{Here, Sent};
use crate::notice_forms;
use crate::notice_view::BreachView;
use crate::notice_words::{NoticeWords, notice_words};
use crate::page::short;
use crate::plain;
use crate::reply::{Answer, Shape, csv, json, missing};
use crate::scope_page::until_when;
use crate::text::{Language, code};
use crate::view::Trouble;
use bavn_detect::cases::{Book, Case, CaseNumber, ENDED, Prepared};
use bavn_model::Timestamp;
use bavn_share::{Breach, Due, Duty, Instant, Notice, Regime, clocks, duty, event_name, shipped};
use maud::{Markup, html};
use serde_json::json;
use std::collections::BTreeSet;

/// The record of a case and its notices, as the page needs them.
pub(crate) struct Told {
    pub(crate) case: Case,
    pub(crate) record: Breach,
    other: Breach,
    pub(crate) regimes: Vec<Regime>,
    pub(crate) now: Instant,
}

impl Told {
    /// The notices of this case, once; or the answer to give instead.
    pub(crate) fn of(here: &Here<'_>, number: CaseNumber) -> Result<Self, Answer> {
        let found = here.peek(|book| book.case(book.settled(number)).cloned());
        let case = match found {
            Err(trouble) => return Err(here.failed(&trouble)),
            Ok(None) => return Err(missing(here.language)),
            Ok(Some(case)) => case,
        };
        if let Some(answer) = here.not_recorded(&format!("notices of case {number}"), number) {
            return Err(answer);
        }
        let Some(notices) = here.board.notices() else { return Err(missing(here.language)) };
        let BreachView { record, other, regimes: wanted } = notices
            .breach(number, &here.visitor, here.language)
            .map_err(|trouble| here.failed(&trouble))?;
        let known = shipped()
            .map_err(|error| here.failed(&Trouble::Failed(error.to_string())))?
            .into_iter();
        let mut regimes: Vec<Regime> = known.filter(|regime| wanted.contains(&regime.id)).collect();
        regimes.sort_by_key(|regime| wanted.iter().position(|id| *id == regime.id));
        let now = Instant::from_micros(here.now.micros());
        Ok(Self { case, record, other, regimes, now })
    }

    /// The phase that comes next: the first that was not signed, or the last.
    pub(crate) fn phase<'r>(&self, regime: &'r Regime) -> &'r str {
        let signed = |phase: &str| {
            let of = |held: &Prepared| held.regime == regime.id && held.phase == phase;
            self.case.file.notices.iter().any(|held| of(held) && held.signed.is_some())
        };
        let next = regime.phases.iter().find(|phase| !signed(&phase.id));
        next.or(regime.phases.last()).map_or("", |phase| phase.id.as_str())
    }

    pub(crate) fn notice(&self, regime: &Regime, language: Language) -> Option<Notice> {
        let before = self.case.file.last_signed(&regime.id);
        let before = before.and_then(|held| Breach::parse(held.record.as_bytes()).ok());
        let phase = self.phase(regime);
        let fill = |record: &Breach| {
            Notice::fill(record, regime, phase, spoken(language), before.as_ref(), self.now).ok()
        };
        let mut notice = fill(&self.record)?;
        if before.is_none() {
            return Some(notice);
        }
        // What only the language of the signed one tells apart has not changed.
        for (field, other) in notice.fields.iter_mut().zip(fill(&self.other)?.fields) {
            if other.was.is_none() {
                field.was = None;
            }
        }
        Some(notice)
    }

    /// What a notice cannot be made ready without.
    pub(crate) fn lacks(&self, regime: &Regime, language: Language) -> Vec<String> {
        self.notice(regime, language).map_or_else(Vec::new, |notice| notice.missing)
    }

    /// Notices that are owed and not signed in the phase that comes next.
    pub(crate) fn owed(&self) -> impl Iterator<Item = &Regime> {
        self.regimes.iter().filter(|regime| duty(&self.record, regime) == Duty::Owed)
    }

    /// What nobody has declared and a clock of these laws counts from, beside awareness.
    pub(crate) fn events(&self) -> BTreeSet<&str> {
        let clocks = self.regimes.iter().flat_map(|regime| &regime.clocks);
        let events = clocks.map(|clock| clock.from.as_str()).filter(|event| *event != "aware");
        events.filter(|event| !self.record.declared.contains_key(*event)).collect()
    }

    pub(crate) fn waiting(&self) -> Vec<&Prepared> {
        let waits = |regime: &Regime| self.case.file.waiting(&regime.id, self.phase(regime));
        self.regimes.iter().filter_map(waits).collect()
    }
}

pub(crate) const fn spoken(language: Language) -> bavn_share::Language {
    match language {
        Language::English => bavn_share::Language::En,
        Language::Bokmaal => bavn_share::Language::Nb,
    }
}

/// All notices of a case.
pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let told = match Told::of(here, number) {
        Ok(told) => told,
        Err(answer) => return answer,
    };
    match sent.shape {
        Shape::Json => json(&json!({
            "record": told.record, "file": told.case.file,
            "notices": rows(&told, here.language).iter().map(|row| json!({
                "regime": row.regime, "phase": row.phase, "filled": row.filled,
                "fields": row.fields, "missing": row.missing, "duty": row.duty, "state": row.state,
            })).collect::<Vec<_>>(),
            "clocks": clocks(&told.record, &told.regimes, told.now),
        })),
        Shape::Csv => csv(
            "regime,phase,filled,fields,missing,state",
            rows(&told, here.language).into_iter().map(|row| {
                let (filled, fields) = (row.filled.to_string(), row.fields.to_string());
                vec![row.regime, row.phase, filled, fields, row.missing.join("; "), row.state]
            }),
        ),
        Shape::Html => {
            let words = notice_words(here.language);
            let title = format!("C-{number}: {}", words.title);
            here.page(&title, sent.path, &body(here, number, &told, words))
        }
    }
}

/// One regime's line.
struct Row {
    regime: String,
    title: String,
    phase: String,
    phase_name: String,
    filled: usize,
    fields: usize,
    missing: Vec<String>,
    duty: Duty,
    state: String,
}

fn rows(told: &Told, language: Language) -> Vec<Row> {
    let words = notice_words(language);
    let row = |regime: &Regime| {
        let notice = told.notice(regime, language)?;
        let duty = duty(&told.record, regime);
        let state = match (told.case.file.waiting(&regime.id, &notice.phase), duty) {
            (Some(held), _) => format!("{} {}", words.waits, plain::desk(language, &held.by)),
            (None, _) if told.case.file.last_signed(&regime.id).is_some() => {
                let held = told.case.file.last_signed(&regime.id);
                let signed = held.and_then(|held| Some((held, held.signed.as_ref()?)));
                signed.map_or_else(String::new, |(held, (by, at))| {
                    let phase = regime.phase(&held.phase);
                    let phase = phase.map_or("", |phase| phase.name.of(spoken(language)));
                    let by = plain::desk(language, by);
                    format!("{} {by}, {} ({phase})", words.signed, short(*at))
                })
            }
            (None, _) if notice.fields_total == 0 => words.own_use.to_owned(),
            (None, Duty::Owed) => words.open.to_owned(),
            (None, Duty::NotOwed) => words.no_duty.to_owned(),
            (None, Duty::NotAssessed) => words.unjudged.to_owned(),
            (None, Duty::NotDeclared) => {
                let event = regime.clocks.first().map_or("", |clock| clock.from.as_str());
                format!("{} {}", words.undeclared, event_name(event, spoken(language)))
            }
        };
        Some(Row {
            regime: regime.id.clone(),
            title: notice.title.clone(),
            phase: notice.phase.clone(),
            phase_name: notice.phase_name.clone(),
            filled: notice.filled,
            fields: notice.fields_total,
            missing: notice.missing,
            duty,
            state,
        })
    };
    told.regimes.iter().filter_map(row).collect()
}

fn body(here: &Here<'_>, number: CaseNumber, told: &Told, words: &NoticeWords) -> Markup {
    let lang = code(here.language);
    html! {
        p { a href=(format!("/case/{number}?lang={lang}")) { "C-" (number) } }
        h1 { "C-" (number) ": " (words.title) }
        (clock_list(told, here.language, words))
        (table(number, told, here.language, words))
        (until_when(here, number, told.case.file.ended().map(|held| held.since)))
        p { a href=(format!("/case/{number}/recipients?lang={lang}")) { (words.recipients) } }
        div class="forms" {
            (notice_forms::signature(here, told, words))
            @if !told.record.declared.contains_key("aware") {
                (notice_forms::declaration(here, told, "aware", Some("d")))
            }
            (notice_forms::left(here, told, words))
            (notice_forms::prepare(here, told, words))
            @for event in told.events() { details {
                summary { (notice_forms::declare_words(here.language, event)[0]) }
                (notice_forms::declaration(here, told, event, None))
            } }
            details id="ended" {
                summary { (notice_forms::declare_words(here.language, ENDED)[0]) }
                (notice_forms::declaration(here, told, ENDED, None))
            }
        }
    }
}

fn clock_list(told: &Told, language: Language, words: &NoticeWords) -> Markup {
    let running: Vec<Due> = clocks(&told.record, &told.regimes, told.now)
        .into_iter()
        .filter(|due| due.duty != Duty::NotOwed)
        .collect();
    html! {
        h2 { (words.clocks) }
        ul { @for due in &running { li {
            strong { (due.name.of(spoken(language))) } ": "
            (due.left(spoken(language), &told.record.time_zone, told.now))
        } } }
        @if let Some(held) = told.case.file.declared.get("aware") {
            p class="facts" { (words.aware_since) " " (short(held.since)) " (" (plain::desk(language, &held.by)) "): " (held.why) }
        }
    }
}

fn table(number: CaseNumber, told: &Told, language: Language, words: &NoticeWords) -> Markup {
    let link = |row: &Row| format!("/case/{number}/notice/{}", row.regime);
    html! {
        table class="queue" {
            thead { tr {
                th scope="col" { (words.notice) }
                th scope="col" class="number" { (words.filled) }
                th scope="col" { (words.state) }
            } }
            tbody { @for row in rows(told, language) { tr {
                td {
                    a data-row href=(format!("{}?lang={}", link(&row), code(language))) { (row.title) }
                    " (" (row.phase_name) ") "
                    a href=(format!("{}/paper?lang={}", link(&row), code(language))) { "PDF" }
                    @if !row.missing.is_empty() {
                        br; "! " (words.missing) ": " (row.missing.join("; "))
                    }
                }
                td class="number" data-label=(words.filled) {
                    @if row.fields > 0 { (row.filled) " " (words.of) " " (row.fields) } @else { "–" }
                }
                td data-label=(words.state) { (row.state) }
            } } }
        }
    }
}

/// Breaches whose notices are not all signed: for the queue.
pub(crate) fn waiting(book: &Book, now: Timestamp, language: Language) -> Markup {
    let words = notice_words(language);
    let is_breach = |case: &&Case| {
        let verdict = case.verdict.as_ref();
        let held = verdict.is_some_and(|held| held.verdict.is_breach());
        let fresh = verdict.is_some_and(|held| now.secs_since(held.at) < TOLD_SECS);
        case.merged_into.is_none() && held && fresh
    };
    let cases: Vec<&Case> = book.cases().filter(is_breach).collect();
    html! {
        @if !cases.is_empty() {
            h2 { (words.to_tell) }
            ul { @for case in cases.into_iter().rev().take(CASES_SHOWN) { li {
                a data-row href=(format!("/case/{}/notice?lang={}", case.number, code(language))) { "C-" (case.number) }
                @let waits = case.file.notices.iter().filter(|held| held.signed.is_none()).count();
                @let signed = case.file.notices.iter().filter(|held| held.signed.is_some()).count();
                @if let Some(aware) = case.file.declared.get("aware") {
                    ": " (words.aware_since) " " time datetime=(aware.since) { (short(aware.since)) }
                }
                @if signed > 0 { "; " (words.count_signed) " " (signed) }
                @if waits > 0 { "; " (words.count_waiting) " " (waits) }
            } } }
        }
    }
}

const CASES_SHOWN: usize = 20;
/// Until a breach leaves the first page: longer than any notice takes.
const TOLD_SECS: i64 = 90 * 86_400;
