//! The patient's report in the forms that people and programs take.

mod group;
mod paper;
mod purposes;
mod words;

pub(crate) use group::{Around, groups};
pub(crate) use paper::document;
pub(crate) use words::{BOKMAAL, ENGLISH, Words, plain_name};

use bavn_detect::words::{look_ups, post};
use bavn_model::{Flag, Kind, Outcome};
use bavn_store::{Reading, Who};
use group::{Group, Row};
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

impl Words {
    /// When, who, what, stated reason, found reason, reference.
    fn cells(&self, row: &Row<'_>) -> [String; 6] {
        let reading = row.reading;
        let mut who = self.who(reading.who.as_deref()).into_owned();
        if let Some(name) = &row.name {
            who = format!("{name}, {who}");
        }
        if let Some(other) = &reading.on_behalf_of {
            let _never = write!(who, " {} {other}", self.on_behalf_of);
        }
        let mut posts: Vec<&str> = [&row.role, &row.unit]
            .into_iter()
            .flatten()
            .map(|name| post(self.language, name))
            .collect();
        posts.extend(reading.source.as_deref().filter(|_| row.unit.is_none()));
        if !posts.is_empty() {
            let _never = write!(who, " ({})", posts.join(", "));
        }
        let found = self.found(reading);
        [
            self.minute(reading.at),
            who,
            self.done(reading),
            self.stated(reading),
            found,
            reference(reading),
        ]
    }

    fn readers_of(&self, who: &Who, groups: &[Group<'_>]) -> Vec<String> {
        let named =
            |(_, row): (&Group<'_>, &Row<'_>)| Some((row.reading.who.clone()?, row.name.clone()?));
        let names: BTreeMap<String, String> = rows(groups).filter_map(named).collect();
        let line = |reader: &bavn_store::Reader| {
            let denied = match reader.attempts {
                0 => String::new(),
                attempts => format!(" ({attempts} {})", self.denied),
            };
            let who = self.who(reader.who.as_deref());
            let name = reader.who.as_ref().and_then(|who| names.get(who));
            let name = name.map(|name| format!("{name}, ")).unwrap_or_default();
            let (first, last) = (self.date(reader.first), self.date(reader.last));
            let when = if first == last { first } else { format!("{first} – {last}") };
            let look_ups = look_ups(self.language, reader.look_ups);
            format!("{name}{who}: {look_ups}{denied}, {when}")
        };
        let mut readers: Vec<&bavn_store::Reader> = who.readers.iter().collect();
        readers.sort_by_key(|reader| std::cmp::Reverse(reader.last));
        readers.into_iter().map(line).collect()
    }

    /// What may be missing: times at which a source said nothing, and what no source covers.
    fn gaps_of(&self, who: &Who) -> Vec<String> {
        let gap = |s: &bavn_store::Silence| {
            format!("{} {} {} – {}", s.source, self.silent, self.minute(s.from), self.minute(s.to))
        };
        let mut lines: Vec<String> = who.silences.iter().map(gap).collect();
        lines.push(self.not_seen.to_owned());
        lines
    }

    fn as_of(&self, who: &Who) -> String {
        format!(
            "{} {} ({}). {}",
            self.as_of,
            self.minute(who.as_of.committed_at),
            who.as_of.manifest,
            self.times
        )
    }
}

/// By which a row is asked about: the beginning of the look-up's id.
fn reference(reading: &Reading) -> String {
    reading.id.to_string().chars().take(REFERENCE_DIGITS).collect()
}

pub(crate) fn text(who: &Who, groups: &[Group<'_>], words: &Words) -> String {
    let mut lines = vec![format!("{} {}", words.title, who.patient), String::new()];
    lines.push(words.intro.to_owned());
    lines.push(String::new());
    lines.push(format!("{}:", words.readers));
    lines.extend(words.readers_of(who, groups).into_iter().map(|line| format!("  {line}")));
    for group in groups {
        lines.push(String::new());
        lines.push(group.about.title(words));
        for row in &group.rows {
            let cells = words.cells(row);
            let named = words.columns.iter().zip(&cells).skip(3);
            let named: Vec<String> = named.map(|(name, cell)| format!("{name}: {cell}")).collect();
            let said: Vec<&str> = cells.iter().take(3).map(String::as_str).collect();
            lines.push(format!("  {}; {}", said.join("; "), named.join("; ")));
        }
    }
    if groups.is_empty() {
        lines.push(words.none.to_owned());
    }
    for (heading, said) in
        [(words.gaps, words.gaps_of(who)), (words.ask, vec![words.how_to_ask.to_owned()])]
    {
        lines.extend([String::new(), format!("{heading}:")]);
        lines.extend(said.into_iter().map(|line| format!("  {line}")));
    }
    lines.extend([String::new(), words.as_of(who), String::new()]);
    lines.join("\n")
}

/// RFC 4180; the header is the same in every language.
pub(crate) fn csv(groups: &[Group<'_>], words: &Words) -> String {
    let mut out = String::from(
        "at,who,on_behalf_of,kind,outcome,resource,purpose,reason,source,client,host,event,name,role,unit,\
         break_glass,found,reason_found,stay\r\n",
    );
    for (group, row) in rows(groups) {
        let reading = row.reading;
        let verdict = reading.verdict.as_ref();
        let cells = [
            reading.at.to_string(),
            reading.who.clone().unwrap_or_default(),
            reading.on_behalf_of.clone().unwrap_or_default(),
            word(reading.kind),
            word(reading.outcome),
            reading.resource.clone().unwrap_or_default(),
            reading.purpose.clone().unwrap_or_default(),
            reading.reason.clone().unwrap_or_default(),
            reading.source.clone().unwrap_or_default(),
            reading.client.clone().unwrap_or_default(),
            reading.host.clone().unwrap_or_default(),
            reading.id.to_string(),
            row.name.clone().unwrap_or_default(),
            row.role.clone().unwrap_or_default(),
            row.unit.clone().unwrap_or_default(),
            if reading.flags.has(Flag::BreakGlass) { "yes" } else { "no" }.to_owned(),
            verdict.map(|verdict| word(verdict.reached)).unwrap_or_default(),
            words.found(reading),
            group.about.title(words),
        ];
        let row: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        out.push_str(&row.join(","));
        out.push_str("\r\n");
    }
    out
}

fn rows<'g, 'w>(groups: &'g [Group<'w>]) -> impl Iterator<Item = (&'g Group<'w>, &'g Row<'w>)> {
    groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row)))
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
pub(crate) fn word(of: impl serde::Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn json(who: &Who, groups: &[Group<'_>], words: &Words) -> String {
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
    let look_ups: Vec<Value> =
        rows(groups).map(|(group, row)| look_up(group, row, words)).collect();
    let silences: Vec<Value> = who
        .silences
        .iter()
        .map(|s| value!({ "source": s.source, "from": s.from.to_string(), "to": s.to.to_string() }))
        .collect();
    let report = value!({
        "patient": who.patient, "readers": readers, "look_ups": look_ups, "silent": silences,
        "judged_until": who.judged_until.map(|at| at.to_string()),
        "as_of": {
            "commit": who.as_of.commit, "committed_at": who.as_of.committed_at.to_string(),
            "manifest": who.as_of.manifest,
        },
        "not_seen": words.not_seen,
    });
    format!("{report}\n")
}

fn look_up(group: &Group<'_>, row: &Row<'_>, words: &Words) -> Value {
    let reading = row.reading;
    let found = reading.verdict.as_ref().map(|verdict| {
        value!({
            "reached": verdict.reached,
            "by": (!verdict.by.is_empty()).then_some(&verdict.by),
            "judged_at": verdict.at.to_string(),
            "known_at": verdict.known_at.map(|at| at.to_string()),
        })
    });
    value!({
        "id": reading.id, "at": reading.at.to_string(), "who": reading.who,
        "name": row.name, "role": row.role, "unit": row.unit, "stay": group.about.title(words),
        "on_behalf_of": reading.on_behalf_of, "kind": reading.kind,
        "outcome": reading.outcome, "resource": reading.resource,
        "purpose": reading.purpose, "reason": reading.reason, "source": reading.source,
        "client": reading.client, "host": reading.host, "flags": reading.flags,
        "found": found, "reason_found": words.found(reading), "reference": reference(reading),
    })
}

/// Where a page has its style from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    /// The page needs nothing else: a file to be sent.
    Within,
    /// As the console serves it, whose pages may hold no style of their own.
    Served,
}

impl Style {
    fn markup(self) -> String {
        match self {
            Self::Within => format!("<style>{}</style>", bavn_console::REPORT_STYLE),
            Self::Served => "<link rel=\"stylesheet\" href=\"/report.css\">\
                             <link rel=\"icon\" href=\"data:,\">"
                .to_owned(),
        }
    }
}

/// One page that fits a telephone without scrolling sideways.
pub(crate) fn html(who: &Who, groups: &[Group<'_>], words: &Words, style: Style) -> String {
    let title = escape(&format!("{} {}", words.title, who.patient));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title>{}</head><body><main>\n<h1>{title}</h1>\n\
         <p>{}</p>\n<h2>{}</h2>\n<ul>\n",
        words.code,
        style.markup(),
        words.intro,
        words.readers,
    );
    for line in words.readers_of(who, groups) {
        let _never = writeln!(page, "<li>{}</li>", escape(&line));
    }
    let _never = writeln!(page, "</ul>\n<h2>{}</h2>", words.by_time);
    if groups.is_empty() {
        let _never = writeln!(page, "<p>{}</p>", words.none);
    }
    for group in groups {
        html_group(&mut page, group, words);
    }
    let _never = writeln!(page, "<h2>{}</h2>\n<ul>", words.gaps);
    for line in words.gaps_of(who) {
        let _never = writeln!(page, "<li>{}</li>", escape(&line));
    }
    let _never = writeln!(
        page,
        "</ul>\n<h2>{}</h2>\n<p>{}</p>\n<p>{}</p>\n</main></body></html>",
        words.ask,
        words.how_to_ask,
        escape(&words.as_of(who))
    );
    page
}

/// A heading and its table. The roles say what the table is where a narrow screen shows its rows as
/// blocks, which would take that from whoever listens to the page.
fn html_group(page: &mut String, group: &Group<'_>, words: &Words) {
    let title = escape(&group.about.title(words));
    let _never = write!(
        page,
        "<h3>{title}</h3>\n<table role=\"table\" aria-label=\"{title}\">\n<thead role=\"rowgroup\">\
         <tr role=\"row\">"
    );
    for column in words.columns {
        let _never = write!(page, "<th scope=\"col\" role=\"columnheader\">{column}</th>");
    }
    page.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for row in &group.rows {
        let class =
            if row.reading.flags.has(Flag::BreakGlass) { " class=\"emergency\"" } else { "" };
        let _never = write!(page, "<tr role=\"row\"{class}>");
        for (column, cell) in words.columns.iter().zip(words.cells(row)) {
            let _never =
                write!(page, "<td role=\"cell\" data-name=\"{column}\">{}</td>", escape(&cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A collection of FHIR R4 `AuditEvent`.
pub(crate) fn fhir(who: &Who, groups: &[Group<'_>]) -> String {
    let rows = rows(groups).map(|(_, row)| audit_event(row.reading, &who.patient));
    let entries: Vec<Value> = rows.collect();
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

/// Enough to tell the rows of one report apart.
const REFERENCE_DIGITS: usize = 8;
