//! Which patients? How many, with bounds; names nobody.

use crate::access::{Purpose, Right};
use crate::answer::{Here, Sent};
use crate::case_page::notices_link;
use crate::page::{as_of, short};
use crate::plain;
use crate::reply::{Answer, Shape, csv, json, missing};
use crate::text::{Language, grouped, look_ups, patients, pick, texts};
use crate::trail;
use crate::view::{Counted, CountedRow, HowMany, ScopeView};
use bavn_detect::cases::CaseNumber;
use bavn_detect::words::kind;
use bavn_model::Timestamp;
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let Some(number) = sent.case() else { return missing(here.language) };
    if !here.board.keeps_look_ups()
        || !here.peek(|book| book.case(number).is_some()).unwrap_or(false)
    {
        return missing(here.language);
    }
    if let Some(answer) = here.not_recorded(&format!("scope of case {number}"), number) {
        return answer;
    }
    let (scope, counted) = match here.board.scope_by(number) {
        Err(trouble) => return here.failed(&trouble),
        Ok(found) => found,
    };
    match sent.shape {
        Shape::Html => {
            let heading = format!("C-{number}: {}", texts(here.language).scope);
            let body = body(here, number, &heading, &scope, &counted);
            here.page(&heading, &format!("/case/{number}/scope"), &body)
        }
        Shape::Json => {
            let mut twin = json!(scope);
            if let Some(twin) = twin.as_object_mut() {
                twin.insert("by".to_owned(), json!(counted));
            }
            json(&twin)
        }
        Shape::Csv => csv(
            "by,key,look_ups,patients,lower,upper,as_of,manifest,digest",
            rows(&scope, &counted).into_iter(),
        ),
    }
}

/// What counts, both ways of counting, then each count of what counts.
fn rows(scope: &ScopeView, counted: &Counted) -> Vec<Vec<String>> {
    let in_all = HowMany {
        lower: scope.lower,
        best: scope.best,
        upper: scope.upper,
        look_ups: scope.look_ups,
    };
    let sure = [("counted", in_all), ("all", scope.all), ("unexplained", scope.unexplained)];
    let sure = sure.into_iter().map(|(key, many)| {
        let upper = many.upper.map_or_else(String::new, |upper| upper.to_string());
        (
            ["in all", key].map(str::to_owned),
            [many.look_ups, many.best],
            [many.lower.to_string(), upper],
        )
    });
    let rows = |by: &'static str, rows: &[CountedRow]| -> Vec<_> {
        let row = |row: &CountedRow| {
            let (by, none) = (by.to_owned(), String::new);
            ([by, row.key.clone()], [row.look_ups, row.patients], [none(), none()])
        };
        rows.iter().map(row).collect()
    };
    let counts = [
        rows("controller", &counted.controller),
        rows("class", counted.class.as_deref().unwrap_or_default()),
        rows("action", &counted.action),
        rows("day", &counted.day),
    ];
    let as_of =
        [scope.as_of.committed_at.to_string(), scope.as_of.manifest.clone(), scope.digest.clone()];
    sure.chain(counts.into_iter().flatten())
        .map(|(what, counts, bounds)| {
            let counts = counts.map(|count| count.to_string());
            [&what[..], &counts, &bounds, &as_of].concat()
        })
        .collect()
}

fn body(
    here: &Here<'_>,
    number: CaseNumber,
    heading: &str,
    scope: &ScopeView,
    counted: &Counted,
) -> Markup {
    let (language, words) = (here.language, texts(here.language));
    html! {
        p { a href=(here.link(&format!("/case/{number}"))) { "C-" (number) } }
        h1 { (heading) }
        p class="summary" {
            (bounds(language, scope)) " " (look_ups(language, scope.look_ups)) "."
        }
        ul { @for [english, bokmaal] in &scope.reasons { li {
            @if language == Language::Bokmaal { (bokmaal) } @else { (english) }
        } } }
        (both_ways(here, number, scope))
        @if !scope.growth.is_empty() { (trail::growth(here, &scope.growth)) }
        (notices_link(here, number))
        @if here.may(Right::Reveal, Purpose::Case) {
            p { a href=(here.link(&format!("/case/{number}/patients"))) data-key="r" accesskey="r" {
                (here.say("Who are they? (a reason is needed)", "Hvem er de? (en begrunnelse trengs)")) " " kbd { "r" } } }
        }
        (counts(here, counted))
        h2 { (words.unseen) }
        p { (words.unseen_text) }
        p class="facts" {
            (here.say("Look-ups since", "Oppslag siden")) " " time datetime=(scope.since) { (short(scope.since)) }
            @if let Some(until) = scope.until {
                " " (here.say("and before", "og før")) " " time datetime=(until) { (short(until)) }
            } ". "
            (here.say("This answer: SHA-256", "Dette svaret: SHA-256")) " " code { (scope.digest) }
        }
        (as_of(language, &scope.as_of))
    }
}

/// All look-ups, and without what is explained; which of the two notices, letters and lists count.
fn both_ways(here: &Here<'_>, number: CaseNumber, scope: &ScopeView) -> Markup {
    let words = texts(here.language);
    let left_out = scope.leaves_out_explained;
    let row = |name: &str, many: &HowMany, counts: bool| {
        html! { tr {
            td { (name) @if counts { " ✓" } }
            td data-label=(words.exposed) { (grouped(many.best)) ", "
                (words.scope_lower) " " (grouped(many.lower)) ", "
                @match many.upper {
                    Some(upper) => { (words.scope_upper) " " (grouped(upper)) }
                    None => { (words.scope_open) }
                }
            }
            td class="number" data-label=(words.look_ups_day) { (grouped(many.look_ups)) }
        } }
    };
    html! {
        h2 { (here.say("With and without what is explained", "Med og uten det som er forklart")) }
        table class="queue" {
            thead { tr { th scope="col" { (here.say("Counted", "Regnet med")) }
                th scope="col" { (words.exposed) }
                th scope="col" class="number" { (words.look_ups_day) } } }
            tbody {
                (row(here.say("All look-ups", "Alle oppslag"), &scope.all, !left_out))
                (row(here.say("Without what is explained", "Uten det som er forklart"), &scope.unexplained, left_out))
            }
        }
        p {
            "✓ " @if left_out {
                (here.say(
                    "The verdict is that the owner of the account made the look-ups, so notices, letters and lists leave out patients all of whose look-ups daily work explains.",
                    "Avgjørelsen er at eieren av kontoen gjorde oppslagene. Meldinger, brev og lister utelater derfor pasienter der det daglige arbeidet forklarer alle oppslag.",
                ))
            } @else {
                (here.say(
                    "Notices, letters and lists count all look-ups: somebody else may have made them. The lower bound counts those that nothing explains.",
                    "Meldinger, brev og lister regner med alle oppslag: noen andre kan ha gjort dem. Den nedre grensen regner med dem ingenting forklarer.",
                ))
            }
        }
        (until_when(here, number, scope.until))
    }
}

/// Until when look-ups count, and that a person can say so.
pub(crate) fn until_when(here: &Here<'_>, number: CaseNumber, until: Option<Timestamp>) -> Markup {
    html! { p {
        @match until {
            Some(until) => {
                (here.say("Look-ups count until it ended:", "Oppslag regnes med til det tok slutt:")) " "
                time datetime=(until) { (short(until)) } "."
            }
            None => {
                (here.say("Look-ups count until the last one;", "Oppslag regnes med til og med det siste;")) " "
                @if here.may(Right::WorkOnNotices, Purpose::Case) {
                    a href=(format!("{}#ended", here.link(&format!("/case/{number}/notice")))) { (here.say("say when it ended", "si når det tok slutt")) }
                } @else { (here.say("the privacy officer says when it ended", "loggkontrolløren sier når det tok slutt")) } "."
            }
        }
    } }
}

/// By controller, class of patient, kind of act and day.
fn counts(here: &Here<'_>, counted: &Counted) -> Markup {
    let (language, words) = (here.language, texts(here.language));
    let table = |title: &str, rows: &[CountedRow], said: &dyn Fn(&str) -> String| {
        html! {
            h3 { (title) }
            table class="queue" {
                thead { tr { th scope="col" { (title) }
                    th scope="col" class="number" { (words.look_ups_day) }
                    th scope="col" class="number" { (words.exposed) } } }
                tbody { @for row in rows { tr {
                    td { (said(&row.key)) }
                    td class="number" data-label=(words.look_ups_day) { (grouped(row.look_ups)) }
                    td class="number" data-label=(words.exposed) { (grouped(row.patients)) }
                } } }
            }
        }
    };
    let plain = |key: &str| key.to_owned();
    html! {
        h2 { (here.say("Of what counts", "Av det som regnes med")) }
        (table(here.say("Controller", "Behandlingsansvarlig"), &counted.controller, &plain))
        @match &counted.class {
            Some(rows) => {
                (table(here.say("Class of patient", "Gruppe av pasienter"), rows, &|key| plain::class(language, key)))
                p class="note" { (here.say("A patient may be in several, or in none.", "En pasient kan være i flere, eller i ingen.")) }
            }
            None => {
                h3 { (here.say("Class of patient", "Gruppe av pasienter")) }
                p { (here.say(
                    "Protected addresses, minors and the dead cannot be told apart: the console was started without context.",
                    "Sperrede adresser, mindreårige og døde kan ikke skilles ut: konsollen ble startet uten kontekst.",
                )) }
            }
        }
        (table(here.say("Kind of act", "Type handling"), &counted.action, &|key| kind(language, key).to_owned()))
        (table(words.day, &counted.day, &plain))
    }
}

/// How many patients, and between which bounds.
pub(crate) fn bounds(language: Language, scope: &ScopeView) -> Markup {
    let words = texts(language);
    let is_exact = scope.lower == scope.best && scope.upper == Some(scope.best);
    html! {
        strong { (patients(language, scope.best)) }
        @if is_exact { ", " (pick(language, "no fewer and no more", "verken færre eller flere")) "." } @else {
            " (" (words.scope_lower) " " (grouped(scope.lower)) ", "
            @match scope.upper {
                Some(upper) => { (words.scope_upper) " " (grouped(upper)) }
                None => { (words.scope_open) }
            } ")."
        }
    }
}
