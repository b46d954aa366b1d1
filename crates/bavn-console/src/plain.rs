//! Words of programs as people say them. Twins have them as they are.

use crate::access::Role;
use crate::notice_page::spoken;
use crate::notice_words::notice_words;
use crate::page::short;
use crate::text::{Language, pick};
use bavn_detect::Engine;
use bavn_detect::cases::{Act, Book, Deed, deed_in_words};
use bavn_detect::words::{known, post, title};
use bavn_share::{Regime, event_name, questions, shipped};
use std::borrow::Cow;
use std::sync::OnceLock;

/// How far a record came out.
pub(crate) fn grade(language: Language, word: &str) -> &str {
    known(language, word, &GRADES)
}

/// A class of patients, as the scope counts them; a group of the hospital's own by its name.
pub(crate) fn class(language: Language, word: &str) -> String {
    known(language, post(language, word), &CLASSES).to_owned()
}

/// What a value of a list turned out to be.
pub(crate) fn found(language: Language, word: &str) -> &str {
    known(language, word, &FOUND)
}

/// By what kind of evidence an alarm is raised.
pub(crate) fn lane(language: Language, word: &str) -> &str {
    known(language, word, &LANES)
}

/// What a detector finds; the name, where no detector is called so.
pub(crate) fn detector(language: Language, name: &str) -> &str {
    if Engine::detector_names().contains(&name) { title(language, name) } else { name }
}

/// Whoever acts or owns: a name, or a desk that is called by its duty.
pub(crate) fn desk(language: Language, name: &str) -> &str {
    if name == "soc" {
        pick(language, "security operations", "sikkerhetssenteret")
    } else {
        role(language, name)
    }
}

pub(crate) fn role(language: Language, word: &str) -> &str {
    let role = Role::ALL.into_iter().find(|role| role.word() == word);
    role.map_or(word, |role| {
        let [english, bokmaal] = role.said();
        pick(language, english, bokmaal)
    })
}

/// A view that was put on record, such as `bavn console (auditor): case 3, purpose case 3`.
pub(crate) fn looked_at(language: Language, reason: &str) -> String {
    let (what, purpose) = reason.rsplit_once(", purpose ").unwrap_or((reason, ""));
    let in_console = what.strip_prefix("bavn console (").and_then(|rest| rest.split_once("): "));
    let what = begun(language, in_console.map_or(what, |(_, what)| what), &VIEWS);
    if purpose.is_empty() || purpose.starts_with("case ") {
        return what;
    }
    format!("{what} ({})", known(language, purpose, &PURPOSES))
}

/// What begins as it is known to, and goes on with a number or a name.
fn begun(language: Language, what: &str, table: &[[&str; 3]]) -> String {
    let row = table.iter().find(|[begin, ..]| what.starts_with(begin));
    row.map_or_else(
        || what.to_owned(),
        |[begin, english, bokmaal]| what.replacen(begin, pick(language, english, bokmaal), 1),
    )
}

/// An act on a case, with questions, events, notices and other acts of the book by their names.
pub(crate) fn deed(language: Language, book: &Book, act: &Act) -> String {
    let other = |number: usize| book.acts().get(number);
    match &act.deed {
        Deed::Assigned { to } => {
            format!("{} {}", pick(language, "given to", "gitt til"), desk(language, to))
        }
        Deed::Escalated { level, to } => {
            let [call, to_whom] = pick(language, ["call", "to"], ["varsel", "til"]);
            format!("{call} {level}, {to_whom} {}", desk(language, to))
        }
        Deed::Declared { event, since, why } => {
            let event = event_name(event, spoken(language));
            let [declared, from] = pick(language, ["declared", "since"], ["erklærte", "fra"]);
            format!("{declared} {event} {from} {}: {why}", short(*since))
        }
        Deed::Answered { question, text, .. } => {
            let answered = pick(language, "answered", "svarte på");
            format!(
                "{answered} «{}»: {}",
                asked(language, question),
                level(language, question, text)
            )
        }
        Deed::Prepared { regime, phase, .. } => {
            format!(
                "{} {}",
                pick(language, "made ready:", "gjorde klar:"),
                notice(language, regime, phase)
            )
        }
        Deed::Signed { act: number } => match other(*number).map(|held| &held.deed) {
            Some(Deed::Prepared { regime, phase, .. }) => format!(
                "{} {}",
                pick(language, "signed and sent:", "signerte og sendte:"),
                notice(language, regime, phase)
            ),
            _ => deed_in_words(act, language),
        },
        Deed::Undone { act: number } => match other(*number) {
            Some(undone) => {
                format!("{} {}", pick(language, "undid:", "angret:"), deed(language, book, undone))
            }
            None => deed_in_words(act, language),
        },
        Deed::Noted { text } => {
            format!("{}: {}", pick(language, "note", "notat"), begun(language, text, &NOTES))
        }
        _ => deed_in_words(act, language),
    }
}

fn asked(language: Language, path: &str) -> Cow<'_, str> {
    let question = questions().iter().find(|question| question.path == path);
    question.map_or(path.into(), |question| question.label(spoken(language)).into())
}

fn level<'t>(language: Language, path: &str, text: &'t str) -> &'t str {
    let levels = notice_words(language).levels;
    let place = ["unlikely", "risk", "high"].iter().position(|level| *level == text);
    place.filter(|_| path == "risk.level").and_then(|at| levels.get(at).copied()).unwrap_or(text)
}

/// A notice and its phase, as its page calls them.
pub(crate) fn notice(language: Language, regime: &str, phase: &str) -> String {
    static REGIMES: OnceLock<Vec<Regime>> = OnceLock::new();
    let regimes = REGIMES.get_or_init(|| shipped().unwrap_or_default());
    let held = regimes.iter().find(|held| held.id == regime);
    let named = held.and_then(|held| {
        let phase = held.phases.iter().find(|held| held.id == phase)?;
        Some(format!("{} ({})", held.title.of(spoken(language)), phase.name.of(spoken(language))))
    });
    named.unwrap_or_else(|| format!("{regime} {phase}"))
}

const GRADES: [[&str; 3]; 3] = [
    ["listed", "seen in a list", "sett i en liste"],
    ["opened", "opened", "åpnet"],
    ["taken", "taken out", "tatt ut"],
];
const CLASSES: [[&str; 3]; 5] = [
    ["protected", "protected address", "sperret adresse"],
    ["under 18 years", "under 18 years", "under 18 år"],
    ["dead", "dead", "døde"],
    ["staff", "staff", "ansatte"],
    ["not in the context", "not in the context", "ikke i konteksten"],
];
const FOUND: [[&str; 3]; 3] = [
    ["identity", "account", "konto"],
    ["host", "machine or address", "maskin eller adresse"],
    ["client", "application", "applikasjon"],
];
const LANES: [[&str; 3]; 7] = [
    ["live", "while it happens", "mens det skjer"],
    ["daily", "over a day", "over et døgn"],
    ["slow", "over weeks", "over uker"],
    ["cohort", "many accounts together", "mange kontoer sammen"],
    ["deterministic", "a fixed rule was broken", "brudd på en fast regel"],
    ["coverage", "a source is not as usual", "en kilde er ikke som vanlig"],
    ["audit", "drawn by lot", "trukket ved lodd"],
];
const PURPOSES: [[&str; 3]; 3] = [
    ["insight", "the patient asked", "pasienten har spurt"],
    ["audit", "control", "kontroll"],
    ["drill", "drill", "øvelse"],
];
/// What the views are recorded as, in English and bokmål.
const VIEWS: [[&str; 3]; 20] = [
    ["case ", "case ", "sak "],
    ["scope of case ", "scope of case ", "omfanget av sak "],
    ["notices of case ", "notices of case ", "meldingene i sak "],
    ["list of case ", "list of case ", "listen i sak "],
    ["an account of case ", "an account of case ", "en konto i sak "],
    ["the patients of case ", "the patients of case ", "pasientene i sak "],
    ["readers of a patient", "readers of a patient", "hvem som har lest en pasients journal"],
    [
        "look-ups drawn by lot: a ruling",
        "look-ups drawn by lot: a ruling",
        "oppslag trukket ved lodd: en avgjørelse",
    ],
    ["look-ups drawn by lot", "look-ups drawn by lot", "oppslag trukket ved lodd"],
    ["signs notice ", "signs notice ", "signerer melding "],
    ["a hunt with ", "a hunt with ", "jakt med så mange linjer: "],
    ["refused: ", "refused: ", "avslått: "],
    [
        "bavn notice (recipients counted)",
        "the recipients of a notice were counted",
        "mottakerne av en melding ble talt",
    ],
    [
        "bavn notice (list released)",
        "the list of those to be told was let go, sealed",
        "listen over dem som skal varsles, ble gitt ut, forseglet",
    ],
    ["bavn who", "readers of a patient", "hvem som har lest en pasients journal"],
    ["bavn scope", "the patients of readers, by name", "pasientene til lesere, med navn"],
    ["bavn hunt", "a hunt with a list", "jakt med en liste"],
    ["bavn proof inclusion", "the receipt of a look-up", "kvitteringen for et oppslag"],
    ["bavn store shred", "a patient was shredded", "en pasient ble makulert"],
    ["own report", "your own report", "din egen rapport"],
];
/// What these pages put before what somebody writes.
const NOTES: [[&str; 3]; 2] =
    [["names shown: ", "names shown: ", "navn vist: "], ["answer: ", "answer: ", "svar: "]];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_record_is_said_in_the_reader_s_language() {
        let reason = "bavn console (privacy-officer): scope of case 3, purpose case 3";
        assert_eq!(looked_at(Language::English, reason), "scope of case 3");
        assert_eq!(looked_at(Language::Bokmaal, reason), "omfanget av sak 3");
        let reason = "bavn console (privacy-officer): readers of a patient, purpose insight";
        assert_eq!(
            looked_at(Language::English, reason),
            "readers of a patient (the patient asked)"
        );
        let reason = "bavn notice (recipients counted), purpose case 3";
        assert_eq!(looked_at(Language::English, reason), "the recipients of a notice were counted");
        let strange = "something of another release";
        assert_eq!(looked_at(Language::Bokmaal, strange), strange);
        assert_eq!(role(Language::Bokmaal, "privacy-officer"), "Loggkontrollør");
    }
}
