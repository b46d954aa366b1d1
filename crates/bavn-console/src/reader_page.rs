//! Asking a reader: what the case's page offers, once the controller has switched it on.
//!
//! A stolen account is ruled out first, so that no thief is warned.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::case_page::form;
use crate::page::short;
use crate::plain;
use crate::reply::{Answer, go, missing};
use crate::text::code;
use bavn_detect::cases::Case;
use maud::{Markup, html};

/// The step that comes next with each reader of a case.
pub(crate) fn section(here: &Here<'_>, case: &Case) -> Markup {
    let is_offered = here.board.asks_readers() && here.may(Right::Decide, Purpose::Case);
    html! {
        @if is_offered && case.merged_into.is_none() {
            h2 class="screen" { (here.say("Ask the reader", "Spør leseren")) }
            @match &case.file.ruled_out {
                None => (rule_out(here, case)),
                Some(held) => {
                    p class="facts" {
                        (here.say("A stolen account is ruled out", "Stjålet konto er utelukket")) " ("
                        (plain::desk(here.language, &held.by)) ", " (short(held.at)) "): " (held.text)
                    }
                    @for (place, reader) in case.identities().into_iter().enumerate() {
                        h3 { (reader) }
                        div class="forms" { (ask(here, case, reader, place)) }
                    }
                }
            }
        }
    }
}

fn rule_out(here: &Here<'_>, case: &Case) -> Markup {
    let why = here.say(
        "Nobody else used the account; this rests on",
        "Ingen andre brukte kontoen; det bygger på",
    );
    html! {
        p class="screen" { (here.say(
            "A friendly message may ask why the record was opened. First hold that the account was not stolen: \
             a thief would be warned.",
            "En vennlig melding kan spørre hvorfor journalen ble åpnet. Slå først fast at kontoen ikke er stjålet: \
             en tyv ville blitt advart.",
        )) }
        div class="forms" { (form(here, case, "rule-out", &html! {
            label for="ruled" { (why) }
            input id="ruled" name="text" required maxlength="4000";
            button { (here.say("Rule out", "Utelukk")) }
        })) }
    }
}

fn ask(here: &Here<'_>, case: &Case, reader: &str, place: usize) -> Markup {
    let replies = case.file.replies.iter().filter(|(of, _)| of == reader);
    let said = html! { input type="hidden" name="reader" value=(reader); };
    let [hint, answer] = here.say(
        [
            "About which record, without naming anybody (such as: on ward 3)",
            "The answer, in the reader's own words",
        ],
        [
            "Om hvilken journal, uten å navngi noen (for eksempel: på sengepost 3)",
            "Svaret, med leserens egne ord",
        ],
    );
    html! {
        @for (_, reply) in replies { p { (short(reply.at)) ": " (reply.text) } }
        @if case.file.is_asked(reader) {
            p class="facts" { (here.say("The message is written.", "Meldingen er skrevet.")) }
            (form(here, case, "reply", &html! {
                (said)
                label for=(format!("reply-{place}")) { (answer) }
                textarea id=(format!("reply-{place}")) name="text" rows="2" required maxlength="4000" {}
                button { (here.say("Keep the answer", "Ta vare på svaret")) }
            }))
        } @else {
            (form(here, case, "ask", &html! {
                (said)
                label for=(format!("hint-{place}")) { (hint) }
                input id=(format!("hint-{place}")) name="hint" maxlength="200";
                select name="language" aria-label=(here.say("Language", "Språk")) {
                    option value="nb" { "Bokmål" }
                    option value="en" { "English" }
                }
                button { (here.say("Write the message", "Skriv meldingen")) }
            }))
        }
    }
}

pub(crate) fn asked(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    let (reader, hint) = (sent.form.field("reader"), sent.form.field("hint").trim());
    let language = match sent.form.field("language") {
        "en" => bavn_share::Language::En,
        _ => bavn_share::Language::Nb,
    };
    let hint = (!hint.is_empty()).then_some(hint);
    match here.board.ask_reader(&here.visitor.name, number, reader, hint, language) {
        Ok(()) => go(&format!("/case/{number}?lang={}", code(here.language))),
        Err(trouble) => here.failed(&trouble),
    }
}
