//! What a case, its scope and its acts say of a breach: the record that notices are made from.
//!
//! What records tell is filled in; what only a person can tell is taken from the answers among the
//! acts, and else stays open. No patient and no member of staff is named.

use crate::case_scope::{CaseAnswer, CaseScope, Counts};
use crate::error::{CommandError, CommandResult, Kind};
use crate::recipients::Told;
use bavn_detect::cases::{Case, Verdict};
use bavn_detect::words;
use bavn_model::Timestamp;
use bavn_share::{
    Breach, Contact, Count, Declared, Evidence, Instant, Language, Organisation, Sent, questions,
};
use bavn_store::{Contents, Grade, Scope, Store};
use serde::Deserialize;
use std::path::PathBuf;

/// What is the same in every breach of one controller, as it wrote it down.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) time_zone: String,
    /// The controller's name and number, if notices are to show others than the store's.
    pub(crate) controller: Option<String>,
    pub(crate) controller_number: Option<String>,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) processors: Vec<Processor>,
    pub(crate) measures_before: Option<String>,
    /// Below this age a letter goes to whoever has parental responsibility.
    pub(crate) letter_to_guardian_below: u32,
    /// Ids of the regimes whose notices this controller may owe, in the order of its pages.
    pub(crate) regimes: Vec<String>,
    /// None: no reader is asked by message.
    pub(crate) reader_message: Option<ReaderMail>,
}

/// Who asks readers, where their answers go, and the folder that messages are taken from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReaderMail {
    pub(crate) sender: String,
    pub(crate) answer_to: String,
    pub(crate) outbox: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Processor {
    name: String,
    number: Option<String>,
}

impl Default for About {
    fn default() -> Self {
        Self {
            time_zone: "Europe/Oslo".to_owned(),
            controller: None,
            controller_number: None,
            contacts: Vec::new(),
            processors: Vec::new(),
            measures_before: None,
            letter_to_guardian_below: GUARDIAN_BELOW_YEARS,
            regimes: REGIMES.map(str::to_owned).to_vec(),
            reader_message: None,
        }
    }
}

/// What the store says of a case.
#[derive(Debug)]
pub(crate) struct Seen {
    controller: String,
    pub(crate) answer: CaseAnswer,
    contents: Contents,
    /// Entries of the log, and the root that a checkpoint signs.
    checkpoint: Option<(u64, String)>,
}

impl Seen {
    pub(crate) fn of(store: &Store, asked: &CaseScope) -> CommandResult<Self> {
        let answer = asked.ask(store)?;
        let contents = store.scope_contents(&asked.subject, asked.window, &answer.scope)?;
        let note = store.last_checkpoint().unwrap_or_default();
        let mut lines = note.lines().skip(1);
        let size = lines.next().and_then(|size| size.parse().ok());
        let root = lines.next().map(str::to_owned);
        let controller = store.controller().to_owned();
        Ok(Self { controller, answer, contents, checkpoint: size.zip(root) })
    }

    pub(crate) const fn scope(&self) -> &Scope {
        &self.answer.scope
    }
}

/// The record as it stands, in one language.
pub(crate) fn record(
    case: &Case,
    seen: &Seen,
    told: Option<&Told>,
    about: &About,
    language: Language,
) -> CommandResult<Breach> {
    let say = |english: &str, bokmaal: &str| match language {
        Language::En => english.to_owned(),
        Language::Nb => bokmaal.to_owned(),
    };
    let scope = seen.scope();
    let persons = Count { lower: scope.lower, best: scope.best, upper: scope.upper };
    let look_ups = Count {
        lower: look_ups_at_least(&seen.answer),
        best: scope.look_ups,
        upper: scope.upper.map(|_| scope.look_ups + scope.attempts.look_ups),
    };
    let first = scope.exposed.iter().map(|held| held.first).min().or(case.first_seen());
    let last = scope.exposed.iter().map(|held| held.last).max().or(case.last_seen());
    let contact = |held: &Contact| held.clone();
    let mut breach = Breach {
        id: format!("C-{}", case.number),
        title: say("Look-ups in health records without a reason", "Oppslag i journaler uten grunn"),
        time_zone: about.time_zone.clone(),
        discovered_at: case.alarms.iter().map(|alarm| alarm.raised_at).min().map(instant),
        from: first.map(instant),
        until: last.map(instant),
        what_happened: Some(what_happened(case, seen, language)),
        main_cause: main_cause(case, language),
        kinds: kinds(&seen.contents),
        persons: Some(persons),
        person_categories: person_categories(told, language),
        relation: Some("patients".to_owned()),
        records: Some(look_ups),
        record_categories: record_categories(&seen.contents, language),
        recipients: told.map(Told::recipients),
        where_data_are: Some(where_data_are(scope, language)),
        encryption: Some(say(
            "The look-ups went through the application, which shows records in clear; encryption of disks and lines did not hinder them.",
            "Oppslagene gikk gjennom fagsystemet, som viser journaler i klartekst; kryptering av disker og linjer hindret dem ikke.",
        )),
        measures_before: about.measures_before.clone(),
        measures_taken: Some(measures_taken(scope, language)),
        contacts: about.contacts.iter().map(contact).collect(),
        controllers: vec![Organisation {
            name: about.controller.clone().unwrap_or_else(|| seen.controller.clone()),
            number: about.controller_number.clone(),
            persons: Some(persons),
        }],
        processors: about
            .processors
            .iter()
            .map(|held| {
                let (name, number) = (held.name.clone(), held.number.clone());
                Organisation { name, number, persons: None }
            })
            .collect(),
        indicators: indicators(case),
        evidence: evidence(case, seen, language),
        ..Breach::default()
    };
    add_acts(&mut breach, case, language)?;
    Ok(breach)
}

/// Declarations, answers and notices that were signed.
fn add_acts(breach: &mut Breach, case: &Case, language: Language) -> CommandResult {
    for (event, held) in &case.file.declared {
        let (by, why) = (held.by.clone(), held.why.clone());
        breach.declared.insert(event.clone(), Declared { at: instant(held.since), by, why });
    }
    for notice in &case.file.notices {
        let Some((_, at)) = &notice.signed else { continue };
        breach.sent.push(Sent {
            regime: notice.regime.clone(),
            phase: notice.phase.clone(),
            at: instant(*at),
            digest: Some(notice.sha256.clone()),
        });
    }
    let letters = breach.sent.iter().filter(|sent| LETTERS.contains(&sent.regime.as_str()));
    breach.persons_told = Some(match (letters.map(|sent| sent.at).min(), language) {
        (Some(at), Language::En) => format!("By letter, signed {}.", at.day()),
        (Some(at), Language::Nb) => format!("Med brev, signert {}.", at.day()),
        (None, Language::En) => "Not yet.".to_owned(),
        (None, Language::Nb) => "Ikke ennå.".to_owned(),
    });
    for question in questions() {
        let Some(answer) = case.file.answers.get(question.path) else { continue };
        let draft = question.draft_of(&answer.text, language);
        let text = draft.unwrap_or(&answer.text);
        breach
            .answer(question.path, text, &answer.by, instant(answer.at))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
        let is_other = answer.language.as_deref().is_some_and(|held| held != language.code());
        if is_other && draft.is_none() && question.choices.is_empty() {
            breach.in_other_language.push(question.path.to_owned());
        }
    }
    Ok(())
}

/// As many as are certain: all of what nothing explains where that is certain, else one a patient.
fn look_ups_at_least(answer: &CaseAnswer) -> u64 {
    let sure = &answer.unexplained;
    if sure.lower == sure.best { sure.look_ups } else { sure.lower }
}

/// Says nothing of who it was: that is for the case.
fn what_happened(case: &Case, seen: &Seen, language: Language) -> String {
    let accounts = case.identities().len();
    let (patients, verdict) = (seen.scope().best, case.verdict.as_ref().map(|held| held.verdict));
    let opened = match language {
        Language::En => {
            let hand = match (verdict, accounts) {
                (Some(Verdict::Compromise), 1) => {
                    "Somebody else than its owner used an account".to_owned()
                }
                (Some(Verdict::Compromise), _) => {
                    format!("Somebody else than their owners used {accounts} accounts")
                }
                (Some(Verdict::Snooping), 1) => {
                    "A person who works with us used an account".to_owned()
                }
                (_, 1) => "An account was used".to_owned(),
                (_, _) => format!("{accounts} accounts were used"),
            };
            let records = if patients == 1 { "record" } else { "records" };
            format!("{hand} to open the {records} of {}.", of_patients(patients, language))
        }
        Language::Nb => {
            let hand = match (verdict, accounts) {
                (Some(Verdict::Compromise), 1) => {
                    "Noen andre enn eieren brukte en konto".to_owned()
                }
                (Some(Verdict::Compromise), _) => {
                    format!("Noen andre enn eierne brukte {accounts} kontoer")
                }
                (Some(Verdict::Snooping), 1) => {
                    "En person som arbeider hos oss brukte en konto".to_owned()
                }
                (_, 1) => "En konto ble brukt".to_owned(),
                (_, _) => format!("{accounts} kontoer ble brukt"),
            };
            let records = if patients == 1 { "journalen" } else { "journalene" };
            format!("{hand} til å åpne {records} til {}.", of_patients(patients, language))
        }
    };
    [opened, why_counted(&seen.answer, verdict, language)].join(" ")
}

/// What is known of the reasons for these look-ups, and why those are counted that have one.
fn why_counted(answer: &CaseAnswer, verdict: Option<Verdict>, language: Language) -> String {
    let explained = match answer.counts {
        Counts::All => answer.explained.patients,
        Counts::Unexplained => 0,
    };
    let open = answer.explained.not_judged;
    let none_found = answer.unexplained.best.saturating_sub(open);
    let is_english = language == Language::En;
    let of = |count| of_patients(count, language);
    let mut said = Vec::new();
    if explained > 0 {
        let of = of(explained);
        said.push(match (verdict, is_english) {
            (Some(Verdict::Compromise), true) => format!("Of these, {of} may have been looked up in the owner's daily work, which explains the look-ups; they are counted, since somebody else had the account."),
            (Some(Verdict::Compromise), false) => format!("Av disse kan {of} være slått opp i eierens daglige arbeid, som forklarer oppslagene; de er regnet med, siden noen andre hadde kontoen."),
            (_, true) => format!("Of these, {of} may have been looked up in the owner's daily work, which explains the look-ups; they are counted as long as it is not settled who used the account."),
            (_, false) => format!("Av disse kan {of} være slått opp i eierens daglige arbeid, som forklarer oppslagene; de er regnet med så lenge det ikke er avgjort hvem som brukte kontoen."),
        });
    }
    if none_found > 0 {
        said.push(match (explained + open, is_english) {
            (0, true) => "We found no treatment and no other work as the reason.".to_owned(),
            (0, false) => "Vi har ikke funnet behandling eller annet arbeid som grunn.".to_owned(),
            (_, true) => format!(
                "For {} we found no treatment and no other work as the reason.",
                of(none_found)
            ),
            (_, false) => format!(
                "For {} har vi ikke funnet behandling eller annet arbeid som grunn.",
                of(none_found)
            ),
        });
    }
    if open > 0 {
        said.push(if is_english {
            format!(
                "For {} our systems do not tell whether there was a reason; they are counted.",
                of(open)
            )
        } else {
            format!(
                "For {} sier ikke systemene våre om det var en grunn; de er regnet med.",
                of(open)
            )
        });
    }
    said.join(" ")
}

fn of_patients(count: u64, language: Language) -> String {
    match (count, language) {
        (1, Language::En) => "1 patient".to_owned(),
        (_, Language::En) => format!("{count} patients"),
        (1, Language::Nb) => "1 pasient".to_owned(),
        (_, Language::Nb) => format!("{count} pasienter"),
    }
}

fn main_cause(case: &Case, language: Language) -> Option<String> {
    let verdict = case.verdict.as_ref()?.verdict;
    let words = match (verdict, language) {
        (Verdict::Compromise, Language::En) => "Unauthorised access with a stolen account",
        (Verdict::Compromise, Language::Nb) => "Uautorisert tilgang med en stjålet konto",
        (Verdict::Snooping, Language::En) => "Look-ups by staff without a need of the service",
        (Verdict::Snooping, Language::Nb) => "Oppslag av ansatte uten tjenstlig behov",
        _ => return None,
    };
    Some(words.to_owned())
}

fn kinds(contents: &Contents) -> Vec<String> {
    let changed = ["create", "update", "delete"];
    let has_changed = changed.iter().any(|kind| contents.kinds.contains_key(kind));
    let mut kinds = vec!["confidentiality".to_owned()];
    if has_changed {
        kinds.push("integrity".to_owned());
    }
    kinds
}

fn person_categories(told: Option<&Told>, language: Language) -> Vec<String> {
    let categories = told.map_or_else(|| vec!["patients".to_owned()], Told::categories);
    let language = match language {
        Language::En => words::Language::English,
        Language::Nb => words::Language::Bokmaal,
    };
    categories.iter().map(|name| words::post(language, name).to_owned()).collect()
}

/// Types of content in words where they are known ones, the most look-ups first.
fn record_categories(contents: &Contents, language: Language) -> Vec<String> {
    let mut types: Vec<_> = contents.types.iter().collect();
    types.sort_by_key(|(name, count)| (std::cmp::Reverse(count.look_ups), name.as_str()));
    let mut said: Vec<String> = Vec::new();
    for (name, _) in types {
        let known = CONTENT.iter().find(|(code, ..)| code == name);
        let words = match (known, language) {
            (Some((_, english, _)), Language::En) => (*english).to_owned(),
            (Some((.., bokmaal)), Language::Nb) => (*bokmaal).to_owned(),
            (None, _) => name.clone(),
        };
        if !said.contains(&words) {
            said.push(words);
        }
    }
    said
}

fn where_data_are(scope: &Scope, language: Language) -> String {
    let taken = scope.exposed.iter().filter(|held| held.grade == Grade::Taken).count();
    match (taken, language) {
        (0, Language::En) => "Shown on screens; no export or print is on record. Where they are now is not known.".to_owned(),
        (0, Language::Nb) => "Vist på skjerm; ingen eksport eller utskrift er registrert. Hvor de er nå, vet vi ikke.".to_owned(),
        (taken, Language::En) => format!("The records of {taken} patients were exported or printed, the others shown on screens. Where they are now is not known."),
        (taken, Language::Nb) => format!("Journalene til {taken} pasienter ble eksportert eller skrevet ut, resten vist på skjerm. Hvor de er nå, vet vi ikke."),
    }
}

/// What finding it out took. What was done about it is for a person to say: tasks are notes among
/// those who work on the case.
fn measures_taken(scope: &Scope, language: Language) -> String {
    let (look_ups, patients) = (scope.look_ups, of_patients(scope.best, language));
    match language {
        Language::En => format!(
            "All {look_ups} look-ups of {patients} were found in the log and counted one by one; the log is sealed as evidence."
        ),
        Language::Nb => format!(
            "Alle {look_ups} oppslag på {patients} er funnet i loggen og talt ett for ett; loggen er sikret som bevis."
        ),
    }
}

/// Machines and programs, by which others may find the same hand.
fn indicators(case: &Case) -> Vec<String> {
    let (hosts, clients) = (case.hosts(), case.clients());
    hosts.into_iter().chain(clients).take(INDICATORS_MAX).map(str::to_owned).collect()
}

fn evidence(case: &Case, seen: &Seen, language: Language) -> Vec<Evidence> {
    let mut evidence = vec![Evidence {
        what: "bavn scope".to_owned(),
        digest: format!("SHA-256 {}", seen.scope().digest),
    }];
    if let Some((entries, root)) = &seen.checkpoint {
        let entries = words::grouped(*entries);
        let (what, digest) = match language {
            Language::En => (format!("bavn log, {entries} entries"), format!("root {root}")),
            Language::Nb => (format!("bavn-logg, {entries} innførsler"), format!("rot {root}")),
        };
        evidence.push(Evidence { what, digest });
    }
    let filed = case
        .evidence
        .iter()
        .map(|(what, sha256)| Evidence { what: what.clone(), digest: format!("SHA-256 {sha256}") });
    evidence.extend(filed);
    evidence
}

/// Both are microseconds of the same calendar.
pub(crate) fn instant(at: Timestamp) -> Instant {
    Instant::from_micros(at.micros())
}

/// Of a hospital in Norway.
const REGIMES: [&str; 5] = ["no-datatilsynet", "gdpr-33", "no-24h", "gdpr-34", "brief"];
/// Regimes whose notice is a letter to the persons.
const LETTERS: [&str; 2] = ["gdpr-34", "hipaa-letter"];
const INDICATORS_MAX: usize = 50;
/// In Norway a patient of 16 decides on health matters; from memory, and a setting.
const GUARDIAN_BELOW_YEARS: u32 = 16;
/// Types of FHIR R4 in words of a letter.
const CONTENT: &[(&str, &str, &str)] = &[
    ("", "content whose type the source does not name", "innhold som kilden ikke oppgir typen av"),
    ("AllergyIntolerance", "allergies", "allergier"),
    ("Appointment", "appointments", "timeavtaler"),
    ("CarePlan", "care plans", "behandlingsplaner"),
    ("Composition", "notes of the record", "journalnotater"),
    ("Condition", "diagnoses", "diagnoser"),
    ("DiagnosticReport", "test and imaging reports", "prøvesvar og bildebeskrivelser"),
    ("DocumentReference", "notes and letters of the record", "journalnotater og brev"),
    ("Encounter", "stays and visits", "opphold og besøk"),
    ("ImagingStudy", "medical images", "medisinske bilder"),
    ("Immunization", "vaccinations", "vaksiner"),
    ("Medication", "medicines", "legemidler"),
    ("MedicationRequest", "prescriptions", "resepter"),
    ("MedicationStatement", "medicines", "legemidler"),
    ("Observation", "measurements and test results", "målinger og prøvesvar"),
    (
        "Patient",
        "name, birth date, address and other personal details",
        "navn, fødselsdato, adresse og andre personopplysninger",
    ),
    ("Procedure", "operations and treatments", "operasjoner og behandlinger"),
    ("QuestionnaireResponse", "answers to forms", "svar på skjemaer"),
    ("ServiceRequest", "referrals and orders", "henvisninger og rekvisisjoner"),
];
