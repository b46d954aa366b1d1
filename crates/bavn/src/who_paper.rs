//! The patient's report on paper: who has read the record, newest first, in large enough print.

use bavn_model::{Flag, Kind, Timestamp};
use bavn_share::{Document, Language, Part, Table};
use bavn_store::{Class, Reading, Who};

/// The report as parts to be set.
pub(crate) fn document(who: &Who, language: Language) -> Document {
    let words = words(language);
    let mut parts = vec![
        Part::Paragraph(format!("{} {}", words.of, who.patient)),
        Part::Small(format!("{} {}", words.as_of, minute(who.as_of.committed_at))),
    ];
    for silence in &who.silences {
        let (from, to) = (minute(silence.from), minute(silence.to));
        parts.push(Part::Warning(format!("! {} {}: {from} – {to}", words.silent, silence.source)));
    }
    parts.push(Part::Heading(words.readers.to_owned()));
    let reader = |held: &bavn_store::Reader| {
        let name = held.who.clone().unwrap_or_else(|| words.nobody.to_owned());
        vec![name, held.look_ups.to_string(), minute(held.first), minute(held.last)]
    };
    parts.push(Part::Table(Table {
        columns: columns(words.reader_columns, [6, 2, 3, 3]),
        rows: who.readers.iter().map(reader).collect(),
    }));
    parts.push(Part::Heading(words.look_ups.to_owned()));
    parts.push(Part::Table(Table {
        columns: columns(words.columns, [4, 5, 4, 4, 5]),
        rows: who.readings.iter().rev().map(|held| row(held, words)).collect(),
    }));
    parts.push(Part::Paragraph(words.not_seen.to_owned()));
    parts.push(Part::Paragraph(words.ask.to_owned()));
    let foot = format!("{} SHA-256 {}", words.manifest, who.as_of.manifest);
    Document { title: words.title.to_owned(), language, parts, foot }
}

fn columns<const N: usize>(names: [&str; N], shares: [u16; N]) -> Vec<(String, u16)> {
    names.into_iter().map(str::to_owned).zip(shares).collect()
}

fn row(held: &Reading, words: &Words) -> Vec<String> {
    let mut done = words.kinds.get(held.kind as usize).copied().unwrap_or_default().to_owned();
    for (word, holds) in [
        (words.own, held.flags.has(Flag::OwnAccess)),
        (words.denied, held.class == Class::Attempt),
        (words.emergency, held.flags.has(Flag::BreakGlass)),
    ] {
        if holds {
            done = format!("{done}, {word}");
        }
    }
    let reason = held.reason.clone().or_else(|| held.purpose.clone());
    vec![
        minute(held.at),
        held.who.clone().unwrap_or_else(|| words.nobody.to_owned()),
        done,
        held.resource.clone().unwrap_or_default(),
        reason.unwrap_or_else(|| words.no_reason.to_owned()),
    ]
}

/// `2026-03-03 08:15 UTC`.
fn minute(at: Timestamp) -> String {
    let text: String = at.to_string().chars().take(16).collect();
    format!("{} UTC", text.replace('T', " "))
}

#[derive(Debug)]
struct Words {
    title: &'static str,
    of: &'static str,
    as_of: &'static str,
    silent: &'static str,
    readers: &'static str,
    reader_columns: [&'static str; 4],
    look_ups: &'static str,
    columns: [&'static str; 5],
    nobody: &'static str,
    own: &'static str,
    denied: &'static str,
    emergency: &'static str,
    no_reason: &'static str,
    not_seen: &'static str,
    ask: &'static str,
    manifest: &'static str,
    /// In the order of [`Kind`].
    kinds: [&'static str; KINDS],
}

const fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &ENGLISH,
        Language::Nb => &BOKMAAL,
    }
}

static ENGLISH: Words = Words {
    title: "Who has read the record?",
    of: "The record of",
    as_of: "As of",
    silent: "Not complete, for this source was silent:",
    readers: "Readers",
    reader_columns: ["Who", "Look-ups", "First", "Last"],
    look_ups: "Every look-up, the newest first",
    columns: ["When", "Who", "What was done", "Which content", "Stated reason"],
    nobody: "the source names nobody",
    own: "own access",
    denied: "denied or failed",
    emergency: "emergency access",
    no_reason: "none stated",
    not_seen: "Not seen: reads below the application (database, backup, disk), and systems that send no look-ups here.",
    ask: "You may ask about any of these look-ups: say when and who, and you get an answer in writing.",
    manifest: "Of the store's commit:",
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

static BOKMAAL: Words = Words {
    title: "Hvem har lest journalen?",
    of: "Journalen til",
    as_of: "Per",
    silent: "Ikke fullstendig, for denne kilden var taus:",
    readers: "Lesere",
    reader_columns: ["Hvem", "Oppslag", "Første", "Siste"],
    look_ups: "Hvert oppslag, det nyeste først",
    columns: ["Når", "Hvem", "Hva ble gjort", "Hvilket innhold", "Oppgitt grunn"],
    nobody: "kilden oppgir ingen",
    own: "egen tilgang",
    denied: "avvist eller mislykket",
    emergency: "nødtilgang",
    no_reason: "ingen oppgitt",
    not_seen: "Ikke sett: lesing under fagsystemet (database, sikkerhetskopi, disk), og systemer som ikke sender oppslag hit.",
    ask: "Du kan spørre om hvert av disse oppslagene: si når og hvem, så får du svar skriftlig.",
    manifest: "Av lagerets innføring:",
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

const KINDS: usize = Kind::Other as usize + 1;
