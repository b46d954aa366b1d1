//! What is done to a case by a form of its page.

use crate::answer::{Here, Sent};
use crate::reply::{Answer, go, missing};
use crate::text::code;
use crate::view::Wish;
use bavn_detect::cases::{Deed, Verdict};

pub(crate) fn take(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    act(here, sent, Wish::Do(Deed::Assigned { to: here.visitor.name.clone() }))
}

pub(crate) fn note(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    act(here, sent, Wish::Do(Deed::Noted { text: sent.form.field("text").to_owned() }))
}

pub(crate) fn task(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    act(here, sent, Wish::Do(Deed::Planned { task: sent.form.field("text").to_owned() }))
}

pub(crate) fn done(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let task = sent.form.field("task").parse().unwrap_or(0);
    act(here, sent, Wish::Do(Deed::Done { task }))
}

pub(crate) fn rule_out(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    act(here, sent, Wish::Do(Deed::RuledOut { why: sent.form.field("text").to_owned() }))
}

pub(crate) fn reply(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let field = |name: &str| sent.form.field(name).to_owned();
    act(here, sent, Wish::Do(Deed::Replied { reader: field("reader"), text: field("text") }))
}

pub(crate) fn undo(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    act(here, sent, Wish::Undo)
}

pub(crate) fn decide(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let word = sent.form.field("verdict");
    let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.word() == word);
    let Some(verdict) = verdict else { return missing(here.language) };
    let reason = sent.form.field("reason").to_owned();
    act(here, sent, Wish::Do(Deed::Decided { verdict, reason }))
}

fn act(here: &Here<'_>, sent: &Sent<'_>, wish: Wish) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let seen = sent.form.field("seen").parse().unwrap_or(0);
    match here.board.act(&here.visitor.name, number, wish, seen) {
        Ok(()) => go(&format!("/case/{number}?lang={}", code(here.language))),
        Err(trouble) => here.failed(&trouble),
    }
}
