//! Who has read this record? The id is typed into a form and never stands in an address.

use crate::access::{Granted, Purpose, Right};
use crate::answer::{Here, Sent};
use crate::coverage_page::silent;
use crate::page::{as_of, short};
use crate::reply::{Answer, Shape, csv, go, html as sent_html, json, missing};
use crate::session::Behind;
use crate::text::{Language, grouped, look_ups, texts};
use crate::view::{PatientView, ReadingGroup, Trouble};
use bavn_detect::cases::CaseNumber;
use maud::{Markup, PreEscaped, html};
use serde_json::json;

/// The form; its twins say what it takes.
pub(crate) fn ask(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    match sent.shape {
        Shape::Html => here.page(here.say("Patient", "Pasient"), "/patient", &form(here)),
        Shape::Json => json(&json!({ "fields": ["patient", "purpose", "case"] })),
        Shape::Csv => csv(
            "field",
            ["patient", "purpose", "case"].into_iter().map(|name| vec![name.to_owned()]),
        ),
    }
}

/// What was typed, kept in the session under a handle.
pub(crate) fn typed(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let (typed, case) = (sent.form.field("patient"), sent.form.field("case"));
    let purpose = match sent.form.field("purpose") {
        "insight" => Some(Purpose::Insight),
        "case" => Some(Purpose::Case),
        _ => None,
    };
    let case: Option<CaseNumber> = case.parse().ok().filter(|_| purpose == Some(Purpose::Case));
    let is_good = !typed.is_empty()
        && typed.len() <= TYPED_BYTES_MAX
        && (purpose == Some(Purpose::Case)) == case.is_some();
    let Some(purpose) = purpose.filter(|_| is_good) else {
        return here.refused_with(here.say(
            "A patient's id and a purpose are needed; for work on a case, its number too.",
            "En pasients id og et formål trengs; ved arbeid med en sak også nummeret på saken.",
        ));
    };
    if !here.may(Right::SeePatient, purpose) {
        return here.refused("a patient for this purpose");
    }
    let behind = Behind::Patient { typed: typed.to_owned(), purpose, case };
    match here.hold(behind) {
        Some(handle) => go(&here.link(&format!("/patient/{handle}"))),
        None => missing(here.language),
    }
}

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    asked(here, sent, |here, view| {
        let path = format!("/patient/{}", sent.part(0));
        here.page(
            here.say("Who has read this record?", "Hvem har lest denne journalen?"),
            &path,
            &body(here, &path, view),
        )
    })
}

/// As the patient gets it: on its own, to be printed.
pub(crate) fn report(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    asked(here, sent, on_paper)
}

/// The same, of whoever asks: of the record of the name under which the patient entered, and no other.
pub(crate) fn own(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let patients = [here.visitor.name.clone()];
    let granted =
        here.granted(Right::SeeOwnRecord, Purpose::Insight, None, "own report", &patients);
    let view = match granted {
        Ok(granted) => here.board.patient(&here.visitor.name, &granted),
        Err(answer) => return answer,
    };
    match (view, sent.shape) {
        // Nobody has read it, as far as this is told: that is an answer.
        (Err(Trouble::Refused([english, bokmaal])), Shape::Html) => {
            let title = here.say("Who has read your record?", "Hvem har lest journalen din?");
            let sentence = here.say(&*english, &*bokmaal);
            here.page(title, sent.path, &html! { h1 { (title) } p { (sentence) } })
        }
        (view, shape) => told(here, shape, view, on_paper),
    }
}

fn on_paper(here: &Here<'_>, view: &PatientView) -> Answer {
    let [english, bokmaal] = &view.html;
    sent_html(&PreEscaped(match here.language {
        Language::English => english.clone(),
        Language::Bokmaal => bokmaal.clone(),
    }))
}

fn asked(
    here: &Here<'_>,
    sent: &Sent<'_>,
    page: impl Fn(&Here<'_>, &PatientView) -> Answer,
) -> Answer {
    let Some(Behind::Patient { typed, purpose, case }) = here.behind(sent.part(0)) else {
        return here.unknown(sent.path);
    };
    let patients = [typed.clone()];
    let granted = here.granted(Right::SeePatient, purpose, case, "readers of a patient", &patients);
    shown(here, sent.shape, &typed, granted, page)
}

fn shown(
    here: &Here<'_>,
    shape: Shape,
    typed: &str,
    granted: Result<Granted, Answer>,
    page: impl Fn(&Here<'_>, &PatientView) -> Answer,
) -> Answer {
    match granted {
        Ok(granted) => told(here, shape, here.board.patient(typed, &granted), page),
        Err(answer) => answer,
    }
}

fn told(
    here: &Here<'_>,
    shape: Shape,
    view: Result<PatientView, Trouble>,
    page: impl Fn(&Here<'_>, &PatientView) -> Answer,
) -> Answer {
    match (view, shape) {
        (Err(trouble), _) => here.failed(&trouble),
        (Ok(view), Shape::Html) => page(here, &view),
        (Ok(view), Shape::Json) => Answer { body: view.json.into_bytes(), ..json(&json!(null)) },
        (Ok(view), Shape::Csv) => {
            Answer { body: view.csv.into_bytes(), ..csv("", std::iter::empty()) }
        }
    }
}

fn form(here: &Here<'_>) -> Markup {
    let insight = here.may(Right::SeePatient, Purpose::Insight);
    html! {
        h1 { (here.say("Who has read this record?", "Hvem har lest denne journalen?")) }
        p { (here.say(
            "Asking is itself a look-up of this record, and is kept like all others.",
            "Å spørre er selv et oppslag i journalen, og lagres som alle andre.",
        )) }
        form class="stack" method="post" action="/patient" autocomplete="off" {
            input type="hidden" name="token" value=(here.visitor.form_token);
            label for="patient" { (here.say("The patient's id, as a source writes it", "Pasientens id, slik en kilde skriver den")) " " kbd { "p" } }
            input id="patient" name="patient" required maxlength="400" data-key="p" accesskey="p";
            fieldset {
                legend { (here.say("For what purpose?", "Til hvilket formål?")) }
                @if insight { div { input type="radio" id="insight" name="purpose" value="insight" checked;
                    label for="insight" { (here.say("The patient asked", "Pasienten har spurt")) } } }
                div { input type="radio" id="case-purpose" name="purpose" value="case" checked[!insight];
                    label for="case-purpose" { (here.say("Work on a case", "Arbeid med en sak")) } }
                label for="case" { (here.say("Number of the case, if it is for one", "Sakens nummer, om det er for en sak")) }
                input id="case" name="case" inputmode="numeric" maxlength="9";
            }
            button { (here.say("Show who has read it", "Vis hvem som har lest den")) }
        }
    }
}

fn body(here: &Here<'_>, path: &str, view: &PatientView) -> Markup {
    html! {
        h1 { (here.say("Who has read this record?", "Hvem har lest denne journalen?")) }
        p class="summary" {
            strong { (view.patient) } ": " (look_ups(here.language, view.look_ups)) "."
        }
        p { a data-key="r" accesskey="r" href=(here.link(&format!("{path}/report"))) { (here.say("The report for the patient", "Rapporten til pasienten")) " " kbd { "r" } }
            ", " a href=(format!("{path}.csv")) { "CSV" } ", " a href=(format!("{path}.json")) { "JSON" } }
        @if view.groups.is_empty() {
            p { (here.say("Nobody has read it, as far as the sources tell.", "Ingen har lest den, så langt kildene forteller.")) }
        } @else { (groups(here, &view.groups)) }
        @if view.groups.len() > GROUPS_SHOWN {
            p class="facts" { (here.say("Older look-ups stand in the report.", "Eldre oppslag står i rapporten.")) }
        }
        @if !view.silences.is_empty() {
            h2 { (here.say("Not complete", "Ikke fullstendig")) }
            ul { @for silence in &view.silences { li { (silent(here, silence)) } } }
        }
        h2 { (texts(here.language).unseen) }
        p { (texts(here.language).unseen_text) }
        (as_of(here.language, &view.as_of))
    }
}

fn groups(here: &Here<'_>, groups: &[ReadingGroup]) -> Markup {
    let [when, who, what, why, place] = here.say(
        ["When", "Who", "What", "Stated reason", "Where"],
        ["Når", "Hvem", "Hva", "Oppgitt grunn", "Hvor"],
    );
    let said = |words: &[[String; 2]], joint: &str| {
        let words = words.iter().map(|[english, bokmaal]| here.say(english.as_str(), bokmaal));
        words.collect::<Vec<_>>().join(joint)
    };
    html! {
        table class="queue" {
            thead { tr {
                th scope="col" { (when) } th scope="col" { (who) } th scope="col" { (what) }
                th scope="col" { (why) } th scope="col" { (place) }
            } }
            tbody { @for group in groups.iter().take(GROUPS_SHOWN) { tr {
                td { time datetime=(group.first) { (short(group.first)) } }
                td data-label=(who) {
                    (group.who.as_deref().unwrap_or(here.say("the source names nobody", "kilden oppgir ingen")))
                    @if let Some([english, bokmaal]) = &group.post { ", " (here.say(english.as_str(), bokmaal)) }
                }
                td data-label=(what) {
                    (look_ups(here.language, group.look_ups))
                    @if !group.content.is_empty() { ": " (said(&group.content, ", ")) }
                    @if group.emergency { " " strong { (here.say("emergency access", "nødtilgang")) } }
                    @if group.denied > 0 { " (" (grouped(group.denied)) " " (here.say("denied or failed", "avvist eller mislykket")) ")" }
                }
                td data-label=(why) {
                    @if group.reasons.is_empty() { (here.say("none stated", "ingen oppgitt")) } @else { (said(&group.reasons, "; ")) }
                }
                td data-label=(place) { (group.place) }
            } } }
        }
    }
}

const TYPED_BYTES_MAX: usize = 400;
/// Rows of the page; the report and the twins have all.
const GROUPS_SHOWN: usize = 200;
