//! The patient's report in the forms that people and programs take.

use bavn_model::{Flag, Kind, Outcome};
use bavn_store::{Class, Reading, Who};
use serde_json::{Value, json as value};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The words of a report in one language.
#[derive(Debug)]
pub(crate) struct Words {
    language: &'static str,
    title: &'static str,
    readers: &'static str,
    look_ups: &'static str,
    columns: [&'static str; 6],
    nobody: &'static str,
    own: &'static str,
    denied: &'static str,
    unstated: &'static str,
    no_reason: &'static str,
    emergency: &'static str,
    silent: &'static str,
    as_of: &'static str,
    not_seen: &'static str,
    kinds: [&'static str; 10],
}

pub(crate) const ENGLISH: Words = Words {
    language: "en",
    title: "Who has read the record of",
    readers: "Readers",
    look_ups: "look-ups",
    columns: ["When", "Who", "What was done", "Which content", "Stated reason", "Where"],
    nobody: "the source names nobody",
    own: "own access",
    denied: "denied or failed",
    unstated: "outcome not stated",
    no_reason: "none stated",
    emergency: "emergency access",
    silent: "was silent, so look-ups may be missing, from",
    as_of: "As of",
    not_seen: "Not seen: reads below the application (database, backup, disk), and systems that send \
               no look-ups here.",
    kinds: [
        "read",
        "searched",
        "created",
        "updated",
        "deleted",
        "exported",
        "printed",
        "logged in",
        "access decided",
        "other",
    ],
};

pub(crate) const BOKMAAL: Words = Words {
    language: "nb",
    title: "Hvem har lest journalen til",
    readers: "Lesere",
    look_ups: "oppslag",
    columns: ["Når", "Hvem", "Hva ble gjort", "Hvilket innhold", "Oppgitt grunn", "Hvor"],
    nobody: "kilden oppgir ingen",
    own: "egen tilgang",
    denied: "avvist eller mislykket",
    unstated: "utfall ikke oppgitt",
    no_reason: "ingen oppgitt",
    emergency: "nødtilgang",
    silent: "var taus, så oppslag kan mangle, fra",
    as_of: "Per",
    not_seen: "Ikke sett: lesing under applikasjonen (database, sikkerhetskopi, disk), og systemer \
               som ikke sender oppslag hit.",
    kinds: [
        "lest",
        "søkt",
        "opprettet",
        "endret",
        "slettet",
        "eksportert",
        "skrevet ut",
        "logget inn",
        "tilgang avgjort",
        "annet",
    ],
};

impl Words {
    fn kind(&self, kind: Kind) -> &'static str {
        self.kinds.get(kind as usize).copied().unwrap_or_default()
    }

    fn who<'r>(&self, who: Option<&'r str>) -> Cow<'r, str> {
        who.map_or(Cow::Borrowed(self.nobody), Cow::Borrowed)
    }

    fn done(&self, reading: &Reading) -> String {
        let mut done = self.kind(reading.kind).to_owned();
        for (word, holds) in [
            (self.own, reading.flags.has(Flag::OwnAccess)),
            (self.denied, reading.class == Class::Attempt),
            (self.unstated, matches!(reading.class, Class::Possible(_))),
            (self.emergency, reading.flags.has(Flag::BreakGlass)),
        ] {
            if holds {
                let _never = write!(done, ", {word}");
            }
        }
        done
    }

    fn reason(&self, reading: &Reading) -> String {
        match (&reading.reason, &reading.purpose) {
            (Some(reason), Some(purpose)) => format!("{reason} ({purpose})"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => self.no_reason.to_owned(),
        }
    }

    fn cells(&self, reading: &Reading) -> [String; 6] {
        let place = [reading.source.as_deref(), reading.client.as_deref(), reading.host.as_deref()];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        [
            reading.at.to_string(),
            self.who(reading.who.as_deref()).into_owned(),
            self.done(reading),
            reading.resource.clone().unwrap_or_default(),
            self.reason(reading),
            place.join(", "),
        ]
    }

    fn readers_of(&self, who: &Who) -> Vec<String> {
        let line = |reader: &bavn_store::Reader| {
            let denied = match reader.attempts {
                0 => String::new(),
                attempts => format!(" ({attempts} {})", self.denied),
            };
            let name = self.who(reader.who.as_deref());
            let (look_ups, first, last) = (reader.look_ups, reader.first, reader.last);
            format!("{name}: {look_ups} {}{denied}, {first} – {last}", self.look_ups)
        };
        who.readers.iter().map(line).collect()
    }

    fn ending(&self, who: &Who) -> Vec<String> {
        let mut lines: Vec<String> = who
            .silences
            .iter()
            .map(|s| format!("{} {} {} – {}", s.source, self.silent, s.from, s.to))
            .collect();
        lines.push(format!("{} {} ({})", self.as_of, who.as_of.committed_at, who.as_of.manifest));
        lines.push(self.not_seen.to_owned());
        lines
    }
}

pub(crate) fn text(who: &Who, words: &Words) -> String {
    let mut lines = vec![format!("{} {}", words.title, who.patient), String::new()];
    lines.push(format!("{}:", words.readers));
    lines.extend(words.readers_of(who).into_iter().map(|line| format!("  {line}")));
    lines.push(String::new());
    for reading in &who.readings {
        let cells = words.cells(reading);
        let filled: Vec<&str> =
            cells.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        lines.push(filled.join("; "));
    }
    lines.push(String::new());
    lines.extend(words.ending(who));
    lines.push(String::new());
    lines.join("\n")
}

/// RFC 4180; the header is the same in every language.
pub(crate) fn csv(who: &Who) -> String {
    let mut out = String::from(
        "at,who,on_behalf_of,kind,outcome,resource,purpose,reason,source,client,host,event\r\n",
    );
    for reading in &who.readings {
        let outcome = word(reading.outcome);
        let cells = [
            reading.at.to_string(),
            reading.who.clone().unwrap_or_default(),
            reading.on_behalf_of.clone().unwrap_or_default(),
            word(reading.kind),
            outcome,
            reading.resource.clone().unwrap_or_default(),
            reading.purpose.clone().unwrap_or_default(),
            reading.reason.clone().unwrap_or_default(),
            reading.source.clone().unwrap_or_default(),
            reading.client.clone().unwrap_or_default(),
            reading.host.clone().unwrap_or_default(),
            reading.id.to_string(),
        ];
        let row: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        out.push_str(&row.join(","));
        out.push_str("\r\n");
    }
    out
}

/// Quoted where it must be; a cell that a spreadsheet would run as a formula is made text.
pub(crate) fn csv_cell(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

/// A value's one word, as `bavn decode` prints it.
fn word(of: impl serde::Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn json(who: &Who) -> String {
    let readers: Vec<Value> = who
        .readers
        .iter()
        .map(|reader| {
            value!({
                "who": reader.who, "look_ups": reader.look_ups, "attempts": reader.attempts,
                "first": reader.first.to_string(), "last": reader.last.to_string(),
            })
        })
        .collect();
    let readings: Vec<Value> = who
        .readings
        .iter()
        .map(|reading| {
            value!({
                "id": reading.id, "at": reading.at.to_string(), "who": reading.who,
                "on_behalf_of": reading.on_behalf_of, "kind": reading.kind,
                "outcome": reading.outcome, "resource": reading.resource,
                "purpose": reading.purpose, "reason": reading.reason, "source": reading.source,
                "client": reading.client, "host": reading.host, "flags": reading.flags,
            })
        })
        .collect();
    let silences: Vec<Value> = who
        .silences
        .iter()
        .map(|s| value!({ "source": s.source, "from": s.from.to_string(), "to": s.to.to_string() }))
        .collect();
    let report = value!({
        "patient": who.patient, "readers": readers, "look_ups": readings, "silent": silences,
        "as_of": {
            "commit": who.as_of.commit, "committed_at": who.as_of.committed_at.to_string(),
            "manifest": who.as_of.manifest,
        },
        "not_seen": ENGLISH.not_seen,
    });
    format!("{report}\n")
}

/// One page that needs nothing else.
pub(crate) fn html(who: &Who, words: &Words) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}}\
         table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;vertical-align:top;\
         padding:.3em .6em;border-bottom:1px solid #ccc}}</style></head><body>\n<h1>{title}</h1>\n\
         <h2>{}</h2>\n<ul>\n",
        words.language,
        words.readers,
        title = escape(&format!("{} {}", words.title, who.patient)),
    );
    for line in words.readers_of(who) {
        let _never = writeln!(page, "<li>{}</li>", escape(&line));
    }
    page.push_str("</ul>\n<table>\n<thead><tr>");
    for column in words.columns {
        let _never = write!(page, "<th scope=\"col\">{column}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for reading in &who.readings {
        page.push_str("<tr>");
        for cell in words.cells(reading) {
            let _never = write!(page, "<td>{}</td>", escape(&cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
    for line in words.ending(who) {
        let _never = writeln!(page, "<p>{}</p>", escape(&line));
    }
    page.push_str("</body></html>\n");
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A collection of FHIR R4 `AuditEvent`.
pub(crate) fn fhir(who: &Who) -> String {
    let entries: Vec<Value> = who.readings.iter().map(|r| audit_event(r, &who.patient)).collect();
    let bundle = value!({
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": who.as_of.committed_at.to_string(),
        "entry": entries,
    });
    format!("{bundle}\n")
}

fn audit_event(reading: &Reading, patient: &str) -> Value {
    let (action, interaction) = match reading.kind {
        Kind::Create => ("C", "create"),
        Kind::Update => ("U", "update"),
        Kind::Delete => ("D", "delete"),
        Kind::Search => ("E", "search-type"),
        _ => ("R", "read"),
    };
    let mut event = value!({
        "resourceType": "AuditEvent",
        "id": reading.id.to_string(),
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest",
        },
        "subtype": [{
            "system": "http://hl7.org/fhir/restful-interaction", "code": interaction,
        }],
        "action": action,
        "recorded": reading.at.to_string(),
        "agent": [{
            "who": named(reading.who.as_deref().unwrap_or("unknown")),
            "requestor": true,
        }],
        "source": { "observer": { "display": reading.source.as_deref().unwrap_or("unknown") } },
        "entity": [{
            "what": named(patient),
            "type": {
                "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1",
            },
            "role": {
                "system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1",
            },
        }],
    });
    let outcome = match reading.outcome {
        Outcome::Success => Some("0"),
        Outcome::MinorFailure => Some("4"),
        Outcome::SeriousFailure => Some("8"),
        Outcome::MajorFailure => Some("12"),
        Outcome::Unknown => None,
    };
    let mut set = |key: &str, found: Option<Value>| {
        if let (Some(found), Some(event)) = (found, event.as_object_mut()) {
            event.insert(key.to_owned(), found);
        }
    };
    set("outcome", outcome.map(Value::from));
    set("outcomeDesc", reading.reason.clone().map(Value::from));
    let codes = reading.purpose.as_deref().map(|codes| {
        let concept = |code: &str| value!({ "coding": [{ "code": code }] });
        value!(codes.split(' ').map(concept).collect::<Vec<_>>())
    });
    set("purposeOfEvent", codes);
    value!({ "resource": event })
}

/// A reference, an identifier or words, by the form of the name.
fn named(name: &str) -> Value {
    match name.rsplit_once('|') {
        Some((system, value)) => value!({ "identifier": { "system": system, "value": value } }),
        None if name.contains('/') => value!({ "reference": name }),
        None => value!({ "display": name }),
    }
}
