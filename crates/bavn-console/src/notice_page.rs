//! What must be told of a case, to whom, by when, and what is still missing?

use crate::answer::{Here, Sent};
use crate::notice_view::BreachView;
use crate::notice_words::{NoticeWords, notice_words};
use crate::page::short;
use crate::reply::{Answer, Shape, csv, json, missing, pdf as sent_pdf};
use crate::text::{Language, code};
use crate::view::Trouble;
use bavn_detect::cases::{Book, Case, CaseNumber, Prepared, Verdict};
use bavn_model::Timestamp;
use bavn_share::{
    Breach, Due, Duty, Factors, Instant, Notice, Question, Regime, RiskLevel, RiskRules,
    Suggestion, clocks, duty, notice_document, pdf, questions, shipped,
};
use maud::{Markup, html};
use serde_json::json;

/// The record of a case and its notices, as the page needs them.
pub(crate) struct Told {
    pub(crate) case: Case,
    pub(crate) record: Breach,
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
        let BreachView { record, regimes: wanted } = notices
            .breach(number, &here.visitor, here.language)
            .map_err(|trouble| here.failed(&trouble))?;
        let known = shipped()
            .map_err(|error| here.failed(&Trouble::Failed(error.to_string())))?
            .into_iter();
        let mut regimes: Vec<Regime> = known.filter(|regime| wanted.contains(&regime.id)).collect();
        regimes.sort_by_key(|regime| wanted.iter().position(|id| *id == regime.id));
        let now = Instant::from_micros(here.now.micros());
        Ok(Self { case, record, regimes, now })
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
        Notice::fill(&self.record, regime, phase, spoken(language), before.as_ref(), self.now).ok()
    }

    /// Notices that are owed and not signed in the phase that comes next.
    pub(crate) fn owed(&self) -> impl Iterator<Item = &Regime> {
        self.regimes.iter().filter(|regime| duty(&self.record, regime) == Duty::Owed)
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
            (Some(held), _) => format!("{} {}", words.waits, held.by),
            (None, _) if told.case.file.last_signed(&regime.id).is_some() => {
                let held = told.case.file.last_signed(&regime.id);
                let signed = held.and_then(|held| Some((held, held.signed.as_ref()?)));
                signed.map_or_else(String::new, |(held, (by, at))| {
                    format!("{} {by}, {} ({})", words.signed, short(*at), held.phase)
                })
            }
            (None, _) if notice.fields_total == 0 => words.own_use.to_owned(),
            (None, Duty::Owed) => words.open.to_owned(),
            (None, Duty::NotOwed) => words.no_duty.to_owned(),
            (None, Duty::NotAssessed) => words.unjudged.to_owned(),
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
        p { a href=(format!("/case/{number}/recipients?lang={lang}")) { (words.recipients) } }
        div class="forms" {
            (signature(here, told, words))
            @if !told.record.declared.contains_key("aware") {
                (declaration(here, told, "aware", words.aware, words.aware_text, Some("d")))
            }
            (left(here, told, words))
            (prepare(here, told, words))
            @if !told.record.declared.contains_key("significant") {
                details {
                    summary { (words.significant) }
                    (declaration(here, told, "significant", words.significant, words.significant_text, None))
                }
            }
        }
    }
}

/// What is ready already can be made ready again, which is not what comes next.
fn prepare(here: &Here<'_>, told: &Told, words: &NoticeWords) -> Markup {
    let waits = |regime: &Regime| told.case.file.waiting(&regime.id, told.phase(regime)).is_some();
    let is_first = told.owed().any(|regime| !waits(regime));
    let fields = html! {
        p { (words.prepare_text) }
        button data-key="p" accesskey="p" { (words.prepare) " " kbd { "p" } }
    };
    html! {
        @if is_first { (form(here, told, "prepare", &fields)) }
        @else if told.owed().next().is_some() {
            details { summary { (words.prepare_again) } (form(here, told, "prepare", &fields)) }
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
            strong { (clock_name(told, due, language)) } ": "
            @let left = due.left(spoken(language), &told.record.time_zone, told.now);
            (left.replace("`aware`", words.events[0]).replace("`significant`", words.events[1]))
        } } }
        @if let Some(held) = told.case.file.declared.get("aware") {
            p class="facts" { (words.aware_since) " " (short(held.since)) " (" (held.by) "): " (held.why) }
        }
    }
}

/// Notice and phase, as its page calls them.
fn clock_name(told: &Told, due: &Due, language: Language) -> String {
    let regime = told.regimes.iter().find(|regime| regime.id == due.regime);
    let name = regime.and_then(|regime| {
        let phase = regime.phases.iter().find(|phase| phase.id == due.phase)?;
        let spoken = spoken(language);
        Some(format!("{} ({})", regime.title.of(spoken), phase.name.of(spoken)))
    });
    name.unwrap_or_else(|| format!("{} / {}", due.regime, due.phase))
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

fn declaration(
    here: &Here<'_>,
    told: &Told,
    event: &str,
    title: &str,
    text: &str,
    key: Option<&str>,
) -> Markup {
    let words = notice_words(here.language);
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

/// Questions that a field of a wanted notice waits for come first, with drafts; the rest folded.
fn left(here: &Here<'_>, told: &Told, words: &NoticeWords) -> Markup {
    let answers = &told.case.file.answers;
    let is_first = |question: &&Question| FIRST_ASKED.contains(&question.path);
    let is_asked = |question: &&Question| question.choices.is_empty();
    let field = |question: &Question| {
        let why = told.case.verdict.as_ref().map(|held| held.reason.as_str());
        let draft = question.draft(spoken(here.language));
        let preset = if question.path == "risk.why" { draft.or(why) } else { draft };
        let said = answers.get(question.path).map(|answer| answer.text.as_str()).or(preset);
        let id = format!("q.{}", question.path);
        html! {
            label for=(id) { (question.label(spoken(here.language))) }
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
                    (label_and_field(here, question, answers.get(question.path).map(|one| one.text.as_str())))
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

fn label_and_field(here: &Here<'_>, question: &Question, said: Option<&str>) -> Markup {
    let id = format!("q.{}", question.path);
    html! {
        label for=(id) { (question.label(spoken(here.language))) }
        textarea id=(id) name=(id) rows="2" maxlength="8000" { (said.unwrap_or_default()) }
    }
}

fn signature(here: &Here<'_>, told: &Told, words: &NoticeWords) -> Markup {
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

/// One notice: its form, what is missing, what has changed.
pub(crate) fn one(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let (number, notice) = match wanted(here, sent) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match sent.shape {
        Shape::Json => json(&json!(notice)),
        Shape::Csv => csv(
            "field,value",
            notice
                .fields
                .into_iter()
                .map(|field| vec![field.label, field.value.unwrap_or_default()]),
        ),
        Shape::Html => {
            let title = format!("C-{number}: {}", notice.title);
            here.page(&title, sent.path, &preview(here, number, &notice))
        }
    }
}

/// The same on paper.
pub(crate) fn paper(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    match wanted(here, sent).map(|(_, notice)| pdf(&notice_document(&notice))) {
        Ok(Ok(bytes)) => sent_pdf(bytes),
        Ok(Err(error)) => here.failed(&Trouble::Failed(error.to_string())),
        Err(answer) => answer,
    }
}

fn wanted(here: &Here<'_>, sent: &Sent<'_>) -> Result<(CaseNumber, Notice), Answer> {
    let number = sent.case().ok_or_else(|| missing(here.language))?;
    let told = Told::of(here, number)?;
    let regime = told.regimes.iter().find(|regime| regime.id == sent.part(1));
    let notice = regime.and_then(|regime| told.notice(regime, here.language));
    Ok((number, notice.ok_or_else(|| missing(here.language))?))
}

fn preview(here: &Here<'_>, number: CaseNumber, notice: &Notice) -> Markup {
    let (words, lang) = (notice_words(here.language), code(here.language));
    let has_before = notice.fields.iter().any(|field| field.was.is_some());
    html! {
        p {
            a href=(format!("/case/{number}/notice?lang={lang}")) { "C-" (number) ": " (words.title) }
            " · "
            a href=(format!("/case/{number}/notice/{}/paper?lang={lang}", notice.regime)) { "PDF" }
            " · "
            a href=(format!("/case/{number}/notice/{}.csv?lang={lang}", notice.regime)) { "CSV" }
        }
        h1 { (notice.title) " (" (notice.phase_name) ")" }
        p class="facts" { (notice.receiver) ". " (notice.source) ". " (notice.made_at) }
        @for banner in &notice.banners { p class="note" { "! " (banner) } }
        @if !notice.paragraphs.is_empty() {
            h2 { (words.letter) }
            @for (heading, text) in &notice.paragraphs {
                h3 { (heading) }
                @for part in text.split("\n\n") { p { (part) } }
            }
        }
        @if notice.fields_total > 0 {
            h2 { (notice.filled) " " (words.of) " " (notice.fields_total) }
            p { (words.copy) @if has_before { " " (words.differs) } }
            ol { @for field in &notice.fields { li {
                strong { (field.label) } br;
                @match &field.value {
                    Some(value) => { @for line in value.lines() { (line) br; } }
                    None if field.required => strong class="gap" { "! " (words.missing) },
                    None => "–",
                }
                @if let Some(was) = &field.was {
                    p class="note" { "△ " (words.was) ": " (was.as_deref().unwrap_or(words.nothing)) }
                }
            } } }
        }
        h2 { (words.evidence) }
        ul { @for one in &notice.evidence { li { code { (one) } } } }
        p class="facts" { "SHA-256 " code { (notice.record) } }
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

/// Levels of risk and their keys.
const LEVELS: [(&str, &str); 3] = [("unlikely", "u"), ("risk", "r"), ("high", "h")];
/// What the first notice to an authority needs of a person.
const FIRST_ASKED: [&str; 6] = [
    "risk.why",
    "likely_consequences",
    "measures_planned",
    "other_countries",
    "other_authorities",
    "advice",
];
const CASES_SHOWN: usize = 20;
/// Until a breach leaves the first page: longer than any notice takes.
const TOLD_SECS: i64 = 90 * 86_400;
