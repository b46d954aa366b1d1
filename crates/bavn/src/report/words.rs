//! The words of a patient's report: plain, in two languages, and never a judgement of a reader.

use super::purposes;
use bavn_detect::cases::Zone;
use bavn_detect::words::{Language, kind};
use bavn_model::{Flag, Timestamp};
use bavn_store::{Class, OWN_SOURCE, Reached, Reading, Verdict};
use std::borrow::Cow;

/// The words of a report in one language.
#[derive(Debug)]
pub(crate) struct Words {
    pub(super) language: Language,
    /// Of the language (BCP 47).
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) intro: &'static str,
    pub(super) readers: &'static str,
    pub(super) by_time: &'static str,
    pub(super) none: &'static str,
    pub(super) columns: [&'static str; 6],
    pub(super) nobody: &'static str,
    pub(super) stay: &'static str,
    pub(super) own: &'static str,
    pub(super) denied: &'static str,
    pub(super) unstated: &'static str,
    pub(super) emergency: &'static str,
    pub(super) on_behalf_of: &'static str,
    pub(super) not_stated: &'static str,
    pub(super) no_reason: &'static str,
    pub(super) made_by_reader: &'static str,
    pub(super) not_checked: &'static str,
    pub(super) came_later: &'static str,
    pub(super) asked_here: &'static str,
    pub(super) gaps: &'static str,
    pub(super) silent: &'static str,
    pub(super) ask: &'static str,
    pub(super) how_to_ask: &'static str,
    pub(super) times: &'static str,
    pub(super) as_of: &'static str,
    pub(super) not_seen: &'static str,
    /// `FHIR` types of content.
    content: [&'static str; CONTENT.len()],
    /// In the order of [`TEMPLATES`].
    templates: [&'static str; TEMPLATES.len()],
    months: [&'static str; 12],
    day_stop: &'static str,
}

pub(crate) const ENGLISH: Words = Words {
    language: Language::English,
    code: "en",
    title: "Who has read the record of",
    intro: "Every look-up in your record that this system knows of, the newest first. The reason \
            stated is what the reader or the reader's system gave at the time. The reason found is \
            what other records say about why.",
    readers: "Readers",
    by_time: "Look-ups",
    none: "No look-up is known.",
    columns: ["When", "Who", "What was done", "Reason stated", "Reason found", "Reference"],
    nobody: "the source names nobody",
    stay: "Stay or visit",
    own: "own access",
    denied: "denied or failed",
    unstated: "outcome not stated",
    emergency: "EMERGENCY ACCESS",
    on_behalf_of: "on behalf of",
    not_stated: "none stated",
    no_reason: "no reason recorded",
    made_by_reader: "no reason recorded but what the reader wrote",
    not_checked: "could not be checked: records are missing",
    came_later: "recorded later",
    asked_here: "somebody asked this system about you, for the purpose stated",
    gaps: "What may be missing",
    silent: "sent nothing, so look-ups may be missing, from",
    ask: "How to ask",
    how_to_ask: "You may ask about any row and have it explained. Give its reference to the \
                 hospital's privacy officer.",
    times: "Times are Central European.",
    as_of: "As of",
    not_seen: "Not seen: reads below the application (database, backup, disk), and systems that send \
               no look-ups here.",
    content: [
        "name and contact details",
        "measurements and test results",
        "documents and notes",
        "medicines",
        "medicines",
        "reports",
        "images",
        "diagnoses",
        "allergies",
        "stays and visits",
        "procedures",
        "vaccines",
        "care plans",
        "appointments",
        "orders and referrals",
    ],
    templates: [
        "you were treated in the reader's unit",
        "you had an appointment there",
        "something was ordered there for you",
        "you were referred there",
        "the reader is in your care team",
        "the reader has a standing responsibility for you",
        "a task on your record, such as coding or a letter",
        "an approved quality or research project that you are part of",
        "several in the same unit work with you",
        "the unit works together with the one that treats you",
    ],
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    day_stop: "",
};

pub(crate) const BOKMAAL: Words = Words {
    language: Language::Bokmaal,
    code: "nb",
    title: "Hvem har lest journalen til",
    intro: "Alle oppslag i journalen din som dette systemet kjenner, de nyeste først. Oppgitt grunn er \
            det leseren eller leserens system oppga da. Funnet grunn er det andre registreringer sier \
            om hvorfor.",
    readers: "Lesere",
    by_time: "Oppslag",
    none: "Ingen oppslag er kjent.",
    columns: ["Når", "Hvem", "Hva ble gjort", "Oppgitt grunn", "Funnet grunn", "Referanse"],
    nobody: "kilden oppgir ingen",
    stay: "Opphold eller besøk",
    own: "egen tilgang",
    denied: "avvist eller mislykket",
    unstated: "utfall ikke oppgitt",
    emergency: "NØDTILGANG",
    on_behalf_of: "på vegne av",
    not_stated: "ingen oppgitt",
    no_reason: "ingen grunn registrert",
    made_by_reader: "ingen grunn registrert utover det leseren selv skrev",
    not_checked: "kunne ikke kontrolleres: opplysninger mangler",
    came_later: "registrert senere",
    asked_here: "noen spurte dette systemet om deg, med formålet som er oppgitt",
    gaps: "Hva som kan mangle",
    silent: "sendte ingenting, så oppslag kan mangle, fra",
    ask: "Slik spør du",
    how_to_ask: "Du kan spørre om hver rad og få den forklart. Oppgi referansen til sykehusets \
                 personvernombud.",
    times: "Klokkeslett er norsk tid.",
    as_of: "Per",
    not_seen: "Ikke sett: lesing under applikasjonen (database, sikkerhetskopi, disk), og systemer \
               som ikke sender oppslag hit.",
    content: [
        "navn og kontaktopplysninger",
        "målinger og prøvesvar",
        "dokumenter og notater",
        "legemidler",
        "legemidler",
        "svarrapporter",
        "bilder",
        "diagnoser",
        "allergier",
        "opphold og besøk",
        "prosedyrer",
        "vaksiner",
        "behandlingsplaner",
        "timeavtaler",
        "rekvisisjoner og henvisninger",
    ],
    templates: [
        "du var til behandling i leserens enhet",
        "du hadde time der",
        "noe ble rekvirert der for deg",
        "du var henvist dit",
        "leseren er i behandlingsteamet ditt",
        "leseren har et fast ansvar for deg",
        "en oppgave i journalen din, som koding eller brev",
        "et godkjent kvalitets- eller forskningsprosjekt som du er med i",
        "flere i samme enhet arbeider med deg",
        "enheten samarbeider med den som behandler deg",
    ],
    months: bavn_share::MONTHS,
    day_stop: ".",
};

impl Words {
    pub(super) fn who<'r>(&self, who: Option<&'r str>) -> Cow<'r, str> {
        who.map_or(Cow::Borrowed(self.nobody), |who| Cow::Borrowed(plain_name(who)))
    }

    /// What was done, with which kind of content.
    pub(super) fn done(&self, reading: &Reading) -> String {
        let word = super::word(reading.kind);
        let kind = kind(self.language, &word);
        let mut parts = vec![match &reading.resource {
            Some(resource) => format!("{kind}: {}", self.content(resource)),
            None => kind.to_owned(),
        }];
        for (word, holds) in [
            (self.own, reading.flags.has(Flag::OwnAccess)),
            (self.denied, reading.class == Class::Attempt),
            (self.unstated, matches!(reading.class, Class::Possible(_))),
            (self.emergency, reading.flags.has(Flag::BreakGlass)),
        ] {
            if holds {
                parts.push(word.to_owned());
            }
        }
        parts.join(", ")
    }

    /// `Observation/17` in words; what is no reference of a known type stays as the source has it.
    pub(crate) fn content<'r>(&self, resource: &'r str) -> &'r str {
        let kind = resource.split('/').next().unwrap_or(resource);
        let known = CONTENT.iter().position(|&known| known == kind);
        known.and_then(|at| self.content.get(at).copied()).unwrap_or(resource)
    }

    pub(super) fn stated(&self, reading: &Reading) -> String {
        let purpose = reading.purpose.as_deref().map(|codes| self.purpose(codes));
        // What this program writes of itself is for its own staff.
        if let (Some(OWN_SOURCE), Some(purpose)) = (reading.source.as_deref(), &purpose) {
            return purpose.clone();
        }
        match (&reading.reason, purpose) {
            (Some(reason), Some(purpose)) => format!("{reason} ({purpose})"),
            (Some(reason), None) => reason.clone(),
            (None, Some(purpose)) => purpose,
            (None, None) => self.not_stated.to_owned(),
        }
    }

    /// Codes of a purpose of use in words; one that is not known stays as the source has it.
    pub(crate) fn purpose(&self, codes: &str) -> String {
        let word = |code| match purposes::in_words(code) {
            Some([_, bokmaal]) if self.language == Language::Bokmaal => bokmaal,
            Some([english, _]) => english,
            None => code,
        };
        let mut words: Vec<&str> = codes.split(' ').map(word).collect();
        words.dedup();
        words.join(", ")
    }

    /// What was found; a look-up that exposed nothing, or the patient's own, needs none.
    pub(super) fn found(&self, reading: &Reading) -> String {
        if !reading.class.exposes() {
            return "–".to_owned();
        }
        if reading.source.as_deref() == Some(OWN_SOURCE) {
            return self.asked_here.to_owned();
        }
        let Some(verdict) = &reading.verdict else { return self.not_checked.to_owned() };
        match verdict.reached {
            Reached::Explained => self.template(verdict),
            Reached::MadeByReader => self.made_by_reader.to_owned(),
            Reached::Unexplained => self.no_reason.to_owned(),
            Reached::CannotJudge => self.not_checked.to_owned(),
        }
    }

    fn template(&self, verdict: &Verdict) -> String {
        let known = TEMPLATES.iter().position(|&name| name == verdict.by);
        let text = known.and_then(|at| self.templates.get(at).copied()).unwrap_or(&verdict.by);
        if verdict.known_at.is_some() {
            return format!("{text} ({})", self.came_later);
        }
        text.to_owned()
    }

    /// `1 March 2024`, where the patient lives.
    pub(super) fn date(&self, at: Timestamp) -> String {
        let text = Zone::default().local(at).to_string();
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<usize>().ok();
        let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10))
        else {
            return text;
        };
        let month = self.months.get(month.saturating_sub(1)).copied().unwrap_or_default();
        format!("{day}{} {month} {year}", self.day_stop)
    }

    /// `1 March 2024 08:05`.
    pub(super) fn minute(&self, at: Timestamp) -> String {
        let text = Zone::default().local(at).to_string();
        format!("{} {}", self.date(at), text.get(11..16).unwrap_or_default())
    }
}

/// Users of this program without the system in which it names them.
pub(crate) fn plain_name(who: &str) -> &str {
    match who.split_once('|') {
        Some(("urn:bavn:user" | "urn:bavn:os-user", name)) => name,
        _ => who,
    }
}

const CONTENT: [&str; 15] = [
    "Patient",
    "Observation",
    "DocumentReference",
    "MedicationRequest",
    "MedicationStatement",
    "DiagnosticReport",
    "ImagingStudy",
    "Condition",
    "AllergyIntolerance",
    "Encounter",
    "Procedure",
    "Immunization",
    "CarePlan",
    "Appointment",
    "ServiceRequest",
];
/// As the engine names them.
const TEMPLATES: [&str; 10] = [
    "stay_in_unit",
    "booking",
    "order",
    "referral",
    "care_team",
    "standing_responsibility",
    "task",
    "project",
    "colleagues_of_unit",
    "flow_between_units",
];
