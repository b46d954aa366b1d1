//! The words around the record, in English and bokmål, and how its values are spoken.

use crate::instant::Instant;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

/// A language of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Nb,
    En,
}

impl Language {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nb => "nb",
            Self::En => "en",
        }
    }

    pub const fn other(self) -> Self {
        match self {
            Self::Nb => Self::En,
            Self::En => Self::Nb,
        }
    }

    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::Nb => &BOKMAAL,
            Self::En => &ENGLISH,
        }
    }
}

/// What somebody declares, as a person calls it; the code where nobody has named it.
pub fn event_name(event: &str, language: Language) -> &str {
    let known = EVENTS.iter().find(|(known, ..)| *known == event);
    known.map_or(event, |(_, nb, en)| match language {
        Language::Nb => nb,
        Language::En => en,
    })
}

const EVENTS: &[(&str, &str, &str)] = &[
    ("aware", "kjennskap", "awareness"),
    ("significant", "en betydelig hendelse", "a significant incident"),
    (
        "nis2_notified",
        "at hendelsen er meldt etter NIS2",
        "that the incident was notified under NIS2",
    ),
    ("hipaa_discovered", "oppdagelse etter HIPAA", "discovery under HIPAA"),
    ("ended", "at det tok slutt", "that it ended"),
];

/// Every fixed text of a notice.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) draft: &'static str,
    pub(crate) to: &'static str,
    pub(crate) law: &'static str,
    pub(crate) made_at: &'static str,
    pub(crate) filled: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) missing_here: &'static str,
    /// Of a field of a notice in this language.
    pub(crate) written_in_other: &'static str,
    pub(crate) was: &'static str,
    pub(crate) nothing: &'static str,
    pub(crate) too_long: &'static str,
    pub(crate) evidence: &'static str,
    pub(crate) for_sender: &'static str,
    pub(crate) of_record: &'static str,
    pub(crate) clocks: &'static str,
    pub(crate) due: &'static str,
    pub(crate) overdue: &'static str,
    pub(crate) hours_left: &'static str,
    pub(crate) hours_over: &'static str,
    pub(crate) sent: &'static str,
    pub(crate) sent_late: &'static str,
    pub(crate) not_started: &'static str,
    pub(crate) no_fixed_time: &'static str,
    pub(crate) not_owed: &'static str,
    pub(crate) not_assessed: &'static str,
    pub(crate) declared_by: &'static str,
    pub(crate) past_review: &'static str,
    pub(crate) unreviewed: &'static str,
    pub(crate) unverified: &'static str,
    pub(crate) unverified_clock: &'static str,
}

const ENGLISH: Texts = Texts {
    draft: "Draft. bavn sends nothing: a person reads, signs and sends.",
    to: "To",
    law: "Law",
    made_at: "As known at",
    filled: "fields filled",
    missing: "Still missing",
    missing_here: "missing",
    written_in_other: "written in Norwegian",
    was: "Before",
    nothing: "nothing",
    too_long: "characters too long for the form",
    evidence: "Evidence, by digest",
    for_sender: "For the sender: not part of the letter",
    of_record: "of the record",
    clocks: "Clocks",
    due: "Due",
    overdue: "OVERDUE",
    hours_left: "hours left",
    hours_over: "hours over",
    sent: "Sent",
    sent_late: "Sent LATE",
    not_started: "not started: nobody has declared",
    no_fixed_time: "without undue delay; the law names no time",
    not_owed: "not owed by the recorded judgement of risk; keep in the register",
    not_assessed: "nobody has judged yet whether it is owed",
    declared_by: "declared by",
    past_review: "The description of this law should have been reviewed by",
    unreviewed: "No lawyer has reviewed this description of the law.",
    unverified: "Parts of this description were written from memory and not checked against the law.",
    unverified_clock: "not checked against the law",
};

const BOKMAAL: Texts = Texts {
    draft: "Utkast. bavn sender ingenting: et menneske leser, signerer og sender.",
    to: "Til",
    law: "Lov",
    made_at: "Slik det er kjent",
    filled: "felt er fylt ut",
    missing: "Mangler fortsatt",
    missing_here: "mangler",
    written_in_other: "skrevet på engelsk",
    was: "Før",
    nothing: "ingenting",
    too_long: "tegn for langt for skjemaet",
    evidence: "Bevis, med kontrollsum",
    for_sender: "For avsenderen: ikke en del av brevet",
    of_record: "av opplysningene",
    clocks: "Frister",
    due: "Frist",
    overdue: "OVERSITTET",
    hours_left: "timer igjen",
    hours_over: "timer over",
    sent: "Sendt",
    sent_late: "Sendt FOR SENT",
    not_started: "ikke startet: ingen har erklært",
    no_fixed_time: "uten ugrunnet opphold; loven nevner ingen tid",
    not_owed: "ikke pliktig etter den risikovurderingen som er gjort; skal stå i registeret",
    not_assessed: "ingen har vurdert om det er pliktig",
    declared_by: "erklært av",
    past_review: "Beskrivelsen av dette regelverket skulle vært gjennomgått innen",
    unreviewed: "Ingen jurist har gjennomgått denne beskrivelsen av regelverket.",
    unverified: "Deler av beskrivelsen er skrevet etter hukommelsen og ikke kontrollert mot loven.",
    unverified_clock: "ikke kontrollert mot loven",
};

/// Speaks the record's values.
#[derive(Debug)]
pub(crate) struct Speaker {
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
    /// To somebody who is no clerk: times as people write them.
    pub(crate) in_letter: bool,
}

impl Speaker {
    /// Nothing for what is absent or empty.
    pub(crate) fn say(&self, value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            Value::String(text) => self.say_text(text),
            Value::Array(values) => {
                let said: Vec<String> = values.iter().filter_map(|it| self.say(it)).collect();
                let structured = values.iter().any(Value::is_object);
                (!said.is_empty()).then(|| said.join(if structured { "\n" } else { ", " }))
            }
            Value::Object(map) => self.say_map(map),
        }
    }

    fn say_text(&self, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            return None;
        }
        Some(match Instant::parse(text) {
            Ok(instant) if self.in_letter => instant.in_letter(&self.zone, self.language),
            Ok(instant) => instant.local(&self.zone),
            Err(_) => self.word(text).unwrap_or(text).to_owned(),
        })
    }

    fn say_map(&self, map: &Map<String, Value>) -> Option<String> {
        let number = |key: &str| map.get(key).and_then(Value::as_u64);
        if let (Some(lower), Some(best)) = (number("lower"), number("best")) {
            return Some(self.say_count(lower, best, number("upper")));
        }
        let said: Vec<String> = map
            .iter()
            .filter_map(|(key, value)| {
                let said = self.say(value)?;
                Some(match self.word(key) {
                    Some(word) => format!("{word}: {said}"),
                    None => said,
                })
            })
            .collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    fn say_count(&self, lower: u64, best: u64, upper: Option<u64>) -> String {
        let (least, most, open) = match self.language {
            Language::Nb => ("minst", "høyst", "ingen sikker øvre grense"),
            Language::En => ("at least", "at most", "no certain upper bound"),
        };
        match upper {
            Some(upper) if lower == best && best == upper => best.to_string(),
            Some(upper) => format!("{best} ({least} {lower}, {most} {upper})"),
            None => format!("{best} ({least} {lower}, {open})"),
        }
    }

    /// The word for a code or a key of the record; none where the value speaks for itself.
    fn word(&self, code: &str) -> Option<&'static str> {
        let (_, nb, en) = CODES.iter().find(|(known, _, _)| *known == code)?;
        Some(match self.language {
            Language::Nb => nb,
            Language::En => en,
        })
    }
}

const CODES: &[(&str, &str, &str)] = &[
    ("confidentiality", "konfidensialitet", "confidentiality"),
    ("integrity", "integritet", "integrity"),
    ("availability", "tilgjengelighet", "availability"),
    ("unlikely", "risiko er lite sannsynlig", "a risk is unlikely"),
    ("risk", "risiko", "risk"),
    ("high", "høy risiko", "high risk"),
    ("by_letter", "kan nås med brev", "can be reached by letter"),
    ("dead", "døde", "dead"),
    ("moved", "flyttet, adresse ukjent", "moved, address unknown"),
    ("minors", "mindreårige", "minors"),
    ("minors_below", "aldersgrense for mindreårige", "age below which one is a minor"),
    ("protected_address", "sperret adresse", "protected address"),
    ("patients", "pasienter", "patients"),
    ("employees", "ansatte", "employees"),
    ("persons", "personer", "persons"),
    ("number", "org.nr.", "no."),
    ("at", "tid", "at"),
    ("by", "av", "by"),
    ("why", "fordi", "because"),
    ("digest", "kontrollsum", "digest"),
    ("phase", "fase", "phase"),
];
