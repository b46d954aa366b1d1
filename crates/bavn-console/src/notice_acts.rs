//! What is said, made ready, signed and asked for by the forms of the pages on notices.

use crate::answer::{Here, Sent};
use crate::notice_page::{Told, spoken};
use crate::notice_words::notice_words;
use crate::reply::{Answer, go, missing};
use crate::text::code;
use crate::view::Wish;
use bavn_detect::cases::{Case, CaseNumber, Deed};
use bavn_model::Timestamp;
use bavn_share::{check_answer, questions};
use maud::html;

pub(crate) fn declare(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let typed = sent.form.field("since");
    let since = if typed.is_empty() {
        here.now
    } else if let Ok((since, _)) = Timestamp::parse(typed) {
        since
    } else {
        let said = here.say("is not a time, such as", "er ikke et tidspunkt, slik som");
        let sentence = format!("`{typed}` {said} 2026-03-03 07:15");
        return here.refused_with(&sentence);
    };
    let (event, why) = (sent.form.field("event").to_owned(), sent.form.field("why").to_owned());
    let wish = Deed::Declared { event, since, why };
    done(here, sent, vec![wish])
}

/// What is new among the answers; an empty one was not given.
pub(crate) fn answers(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let held = here.peek(|book| book.case(number).map(|case| case.file.answers.clone()));
    let Ok(Some(held)) = held else { return missing(here.language) };
    let mut deeds = Vec::new();
    for question in questions() {
        let text = sent.form.field(&format!("q.{}", question.path));
        let is_same = held.get(question.path).is_some_and(|answer| answer.text == text);
        if text.is_empty() || is_same {
            continue;
        }
        if let Err(error) = check_answer(question.path, text) {
            return here.refused_with(&error.to_string());
        }
        let (question, text) = (question.path.to_owned(), text.to_owned());
        let language = Some(code(here.language).to_owned());
        deeds.push(Deed::Answered { question, text, language });
    }
    done(here, sent, deeds)
}

/// Every notice that is owed and lacks nothing, in the phase that comes next.
pub(crate) fn prepare(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let told = match Told::of(here, number) {
        Ok(told) => told,
        Err(answer) => return answer,
    };
    let Ok(record) = serde_json::to_string(&told.record) else { return missing(here.language) };
    let sha256 = told.record.digest();
    let complete = |regime: &&bavn_share::Regime| told.lacks(regime, here.language).is_empty();
    if let Some(regime) = told.owed().next().filter(|_| !told.owed().any(|one| complete(&one))) {
        let lacks = told.lacks(regime, here.language).join("; ");
        let (title, words) = (regime.title.of(spoken(here.language)), notice_words(here.language));
        return here.refused_with(&format!("{title}: {}: {lacks}", words.missing));
    }
    let deed = |regime: &bavn_share::Regime| Deed::Prepared {
        regime: regime.id.clone(),
        phase: told.phase(regime).to_owned(),
        record: record.clone(),
        sha256: sha256.clone(),
    };
    let deeds = told.owed().filter(complete).map(deed).collect();
    done(here, sent, deeds)
}

/// What waits, of those that the page showed; each signing goes on record in the log too.
pub(crate) fn sign(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let told = match Told::of(here, number) {
        Ok(told) => told,
        Err(answer) => return answer,
    };
    let shown = |act: usize| sent.form.field(&format!("act.{act}")) == "1";
    let signed: Vec<_> = told.waiting().into_iter().filter(|held| shown(held.act)).collect();
    for held in &signed {
        let what = format!("signs notice {} {} {}", held.regime, held.phase, held.sha256);
        if let Some(answer) = here.not_recorded(&what, number) {
            return answer;
        }
    }
    done(here, sent, signed.iter().map(|held| Deed::Signed { act: held.act }).collect())
}

pub(crate) fn want_list(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let why = sent.form.field("why").to_owned();
    act(here, sent, vec![Deed::ListWanted { why }], "recipients")
}

/// Shows the key once: this answer is the only place where it is.
pub(crate) fn release_list(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    if let Some(answer) = here.not_recorded(&format!("list of case {number}"), number) {
        return answer;
    }
    let seen = sent.form.field("seen").parse().unwrap_or(0);
    let (words, lang) = (notice_words(here.language), code(here.language));
    let Some(notices) = here.board.notices() else { return missing(here.language) };
    match notices.release_list(number, &here.visitor, seen) {
        Err(trouble) => here.failed(&trouble),
        Ok((name, key)) => {
            let body = html! {
                p { a href=(format!("/case/{number}/recipients?lang={lang}")) { (words.recipients) } }
                h1 { (words.list) }
                p { code { (name) } }
                p { (words.key) }
                p { code { (key) } }
            };
            here.page(words.list, &format!("/case/{number}/recipients"), &body)
        }
    }
}

fn done(here: &Here<'_>, sent: &Sent<'_>, deeds: Vec<Deed>) -> Answer {
    act(here, sent, deeds, "notice")
}

/// Does one after the other; the first must have seen the case as it is, the rest follow it.
fn act(here: &Here<'_>, sent: &Sent<'_>, deeds: Vec<Deed>, page: &str) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let mut seen = sent.form.field("seen").parse().unwrap_or(0);
    for deed in deeds {
        if let Err(trouble) = here.board.act(&here.visitor.name, number, Wish::Do(deed), seen) {
            return here.failed(&trouble);
        }
        seen = revision(here, number);
    }
    go(&format!("/case/{number}/{page}?lang={}", code(here.language)))
}

fn revision(here: &Here<'_>, number: CaseNumber) -> usize {
    here.peek(|book| book.case(number).map_or(0, Case::revision)).unwrap_or(0)
}
