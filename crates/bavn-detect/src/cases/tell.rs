//! Cases and acts as people and programs are told of them.

use super::act::{Act, Deed, Side, Verdict};
use super::book::{Book, Case, State};
use crate::words::Language;
use serde_json::{Value, json};

/// One act in a few words.
pub fn deed_in_words(act: &Act, language: Language) -> String {
    let say = |english: String, bokmaal: String| match language {
        Language::English => english,
        Language::Bokmaal => bokmaal,
    };
    match &act.deed {
        Deed::Raised(alarm) => {
            let (title, patients) = (&alarm.said(language).title, alarm.patients);
            say(
                format!("alarm: {title}, {patients} patients"),
                format!("alarm: {title}, {patients} pasienter"),
            )
        }
        Deed::Assigned { to } => say(format!("given to {to}"), format!("gitt til {to}")),
        Deed::Escalated { level, to } => {
            say(format!("call {level}, to {to}"), format!("varsel {level}, til {to}"))
        }
        Deed::Read => say("looked at the case".to_owned(), "så på saken".to_owned()),
        Deed::Decided { verdict, reason } => format!("{}: {reason}", verdict.named(language)),
        Deed::Covered { .. } => say(
            "closed by the explanation of the unit".to_owned(),
            "lukket med enhetens forklaring".to_owned(),
        ),
        Deed::Explained(waiver) => {
            let (unit, until, count) = (&waiver.unit, waiver.until, waiver.closes.len());
            let reason = &waiver.reason;
            say(
                format!("explained for {unit} until {until}: {reason}; closes {count} cases"),
                format!("forklart for {unit} til {until}: {reason}; lukker {count} saker"),
            )
        }
        Deed::Noted { text } => say(format!("note: {text}"), format!("notat: {text}")),
        Deed::Planned { task } => say(format!("task: {task}"), format!("oppgave: {task}")),
        Deed::Done { task } => say(format!("task {task} done"), format!("oppgave {task} utført")),
        Deed::Filed { what, sha256 } => {
            say(format!("filed {what} {sha256}"), format!("arkiverte {what} {sha256}"))
        }
        Deed::Weighed { side: Side::For, text } => {
            say(format!("for misuse: {text}"), format!("taler for misbruk: {text}"))
        }
        Deed::Weighed { side: Side::Against, text } => {
            say(format!("against: {text}"), format!("taler mot: {text}"))
        }
        Deed::Merged { into } => {
            say(format!("merged into C-{into}"), format!("slått sammen med C-{into}"))
        }
        Deed::Split { alarms, into } => {
            let count = alarms.len();
            say(
                format!("{count} alarms split off into C-{into}"),
                format!("{count} alarmer skilt ut til C-{into}"),
            )
        }
        Deed::Expired => say("past its time".to_owned(), "utløpt".to_owned()),
        Deed::Declared { event, since, why } => say(
            format!("declared {event} since {since}: {why}"),
            format!("erklærte {event} fra {since}: {why}"),
        ),
        Deed::Answered { question, text, .. } => {
            say(format!("answered {question}: {text}"), format!("svarte på {question}: {text}"))
        }
        Deed::Prepared { regime, phase, sha256, .. } => say(
            format!("made ready {regime} {phase} {sha256}"),
            format!("gjorde klar {regime} {phase} {sha256}"),
        ),
        Deed::Signed { act } => say(
            format!("signed the notice of act {act}"),
            format!("signerte meldingen i handling {act}"),
        ),
        Deed::RuledOut { why } => say(
            format!("ruled out a stolen account: {why}"),
            format!("utelukket at kontoen var stjålet: {why}"),
        ),
        Deed::Asked { reader, sha256 } => say(
            format!("a message to {reader} was written {sha256}"),
            format!("en melding til {reader} ble skrevet {sha256}"),
        ),
        Deed::Replied { reader, text } => {
            say(format!("{reader} answered: {text}"), format!("{reader} svarte: {text}"))
        }
        Deed::ListWanted { why } => say(
            format!("wants the list of those to be told: {why}"),
            format!("ønsker listen over dem som skal varsles: {why}"),
        ),
        Deed::ListReleased { sha256, .. } => say(
            format!("let the list go, sealed: {sha256}"),
            format!("ga ut listen, forseglet: {sha256}"),
        ),
        Deed::SignedOff { by, on, sha256 } => say(
            format!("{by} agreed on {on} to the assessment {sha256}"),
            format!("{by} godkjente {on} vurderingen {sha256}"),
        ),
        Deed::SignOffWithdrawn { why } => say(
            format!("the agreement was withdrawn: {why}"),
            format!("godkjenningen ble trukket: {why}"),
        ),
        Deed::Undone { act } => say(format!("undid act {act}"), format!("angret handling {act}")),
    }
}

impl Verdict {
    pub const fn named(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::English, Self::Compromise) => "stolen account",
            (Language::English, _) => self.word(),
            (Language::Bokmaal, Self::Snooping) => "snoking",
            (Language::Bokmaal, Self::Compromise) => "stjålet konto",
            (Language::Bokmaal, Self::Harmless) => "harmløst",
            (Language::Bokmaal, Self::Fault) => "feil i data",
            (Language::Bokmaal, Self::Reopened) => "gjenåpnet",
        }
    }
}

impl State {
    pub const fn named(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::English, _) => self.word(),
            (Language::Bokmaal, Self::New) => "ny",
            (Language::Bokmaal, Self::InHand) => "i arbeid",
            (Language::Bokmaal, Self::Closed) => "lukket",
            (Language::Bokmaal, Self::Merged) => "slått sammen",
        }
    }
}

/// A case for a program; with all of it, or a line of a list. Holds no patient.
pub fn json_of(book: &Book, case: &Case, whole: bool) -> Value {
    let mut value = json!(case);
    let Some(fields) = value.as_object_mut() else { return value };
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("state", json!(case.state()));
    put("hand", json!(case.hand()));
    put("patients", json!(case.patients()));
    put("first_seen", json!(case.first_seen()));
    put("last_seen", json!(case.last_seen()));
    put("identities", json!(case.identities()));
    put("hosts", json!(case.hosts()));
    put("clients", json!(case.clients()));
    put("units", json!(case.units()));
    if whole {
        let alarms = case.alarms.iter().map(|alarm| {
            let mut alarm = json!(alarm);
            if let Some(fields) = alarm.as_object_mut() {
                // Marks of patients stay in the store.
                fields.remove("marks");
            }
            alarm
        });
        put("alarms", alarms.collect());
        put("grounds", json!(case.grounds(Language::English)));
        put("alike", json!(book.alike(case)));
        let acts = book.acts().iter().enumerate().filter(|(_, act)| act.case == case.number);
        let acts = acts.map(|(number, act)| {
            json!({
                "number": number, "at": act.at, "by": act.by,
                "what": deed_in_words(act, Language::English), "undone": book.is_undone(number),
            })
        });
        put("acts", acts.collect());
    }
    value
}
