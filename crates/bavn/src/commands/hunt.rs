//! `bavn hunt`: a list from a CERT, and every look-up that was made from it.

use super::keep::{open, purpose, record_asking, window};
use super::scope::said;
use crate::cli::Hunt as Arguments;
use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_model::Timestamp;
use bavn_store::{
    AsOf, PatientNumber, Purpose, Silence, Store, StoreError, Subject, Trace, Window,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let wanted = window(&arguments.period)?;
    let why = purpose(arguments.purpose.as_deref(), &arguments.access)?;
    if why == Purpose::Insight {
        let error = anyhow::anyhow!("a patient's insight is no reason to follow accounts");
        return Err(CommandError::new(Kind::Refused, error).hint("see `bavn who`"));
    }
    let text = std::fs::read_to_string(&arguments.file)
        .with_context(|| format!("`{}` cannot be read as text", arguments.file.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let store = open(&arguments.access)?;
    let hunted = hunt(&store, &text, wanted)?;
    // It says what accounts did: that somebody asked is on record before anything is shown.
    record_asking(&arguments.access, &store, &why, "bavn hunt", &[])?;
    let answer = if arguments.json {
        format!("{}\n", hunted.json())
    } else if arguments.csv {
        hunted.csv()
    } else {
        hunted.text()
    };
    std::io::stdout().write_all(answer.as_bytes())?;
    if hunted.silences.is_empty() {
        return Ok(());
    }
    let error = anyhow::anyhow!("a source was silent: the answer may be incomplete");
    Err(CommandError::new(Kind::Incomplete, error))
}

/// What a list turned up.
#[derive(Debug)]
pub(crate) struct Hunted {
    /// In the order of the list; what was not found too.
    pub(crate) entries: Vec<Entry>,
    /// Distinct patients over all entries: certain, and best.
    pub(crate) lower: usize,
    pub(crate) best: usize,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// Places in `entries` that belong together.
    pub(crate) clusters: Vec<Vec<usize>>,
    pub(crate) silences: Vec<Silence>,
    pub(crate) as_of: AsOf,
    /// SHA-256 of the values and the digest of each one's scope.
    pub(crate) digest: String,
}

/// One value of the list.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) value: String,
    /// As what it was found; none: nowhere.
    pub(crate) found: Option<&'static str>,
    /// Why it could not be asked for.
    pub(crate) problem: Option<String>,
    pub(crate) look_ups: Vec<Trace>,
    pub(crate) patients: BTreeSet<PatientNumber>,
}

impl Entry {
    pub(crate) fn times(&self) -> impl Iterator<Item = Timestamp> {
        self.look_ups.iter().map(|trace| trace.at)
    }
}

/// Looks for every value of a list: one a line, in the first column of a sheet.
pub(crate) fn hunt(store: &Store, list: &str, wanted: Window) -> CommandResult<Hunted> {
    let lines = list.lines().filter_map(value).enumerate();
    let lines = lines.filter(|(place, value)| *place > 0 || !is_heading(value));
    let values: BTreeSet<&str> = lines.map(|(_, value)| value).collect();
    if values.len() > VALUES_MAX {
        let sentence =
            format!("the list has {} values; at most {VALUES_MAX} are hunted", values.len());
        return Err(CommandError::usage(sentence));
    }
    let (mut entries, mut certain) = (Vec::new(), BTreeSet::new());
    let (mut silences, mut scopes) = (Vec::new(), String::from("bavn hunt 1"));
    for value in values {
        let mut entry = Entry {
            value: value.to_owned(),
            found: None,
            problem: None,
            look_ups: Vec::new(),
            patients: BTreeSet::new(),
        };
        for (kind, subject) in [
            ("identity", Subject::Identities(vec![value.to_owned()])),
            ("host", Subject::Host(value.to_owned())),
            ("client", Subject::Client(value.to_owned())),
        ] {
            match store.scope(&subject, wanted) {
                Ok(scope) => {
                    entry.found = Some(kind);
                    // Writing to a string cannot fail.
                    let _never = write!(scopes, "\n{value:?} {kind} {}", scope.digest);
                    entry.patients.extend(scope.exposed.iter().map(|exposed| exposed.patient));
                    let sure = scope.exposed.iter().filter(|exposed| exposed.certain);
                    certain.extend(sure.map(|exposed| exposed.patient));
                    entry.look_ups.extend(store.traces(&subject, wanted)?);
                    silences = scope.reasons.into_iter().filter_map(silent).collect();
                }
                Err(StoreError::Unknown { .. }) => {}
                Err(error @ StoreError::Ambiguous { .. }) => {
                    entry.problem = Some(error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        entries.push(entry);
    }
    let all: BTreeSet<PatientNumber> =
        entries.iter().flat_map(|entry| &entry.patients).copied().collect();
    let times = || entries.iter().flat_map(Entry::times);
    Ok(Hunted {
        lower: certain.len(),
        best: all.len(),
        first: times().min(),
        last: times().max(),
        clusters: clusters(&entries),
        silences,
        as_of: store.as_of(),
        digest: crate::keyed::sha256(scopes.as_bytes()),
        entries,
    })
}

/// Whether the first line of a sheet names its column.
fn is_heading(value: &str) -> bool {
    HEADINGS.iter().any(|heading| value.eq_ignore_ascii_case(heading))
}

const HEADINGS: [&str; 14] = [
    "account",
    "address",
    "client",
    "device",
    "host",
    "hostname",
    "identity",
    "indicator",
    "ip",
    "machine",
    "session",
    "user",
    "username",
    "value",
];

fn silent(reason: bavn_store::Reason) -> Option<Silence> {
    match reason {
        bavn_store::Reason::Silent(silence) => Some(silence),
        _ => None,
    }
}

/// The value of a line; none for an empty one or a comment.
fn value(line: &str) -> Option<&str> {
    let first = line.split([',', ';', '\t']).next().unwrap_or_default();
    let value = first.trim().trim_matches('"').trim();
    (!value.is_empty() && !value.starts_with('#')).then_some(value)
}

/// Values that worked from one machine or as one account, or had largely the same patients.
fn clusters(entries: &[Entry]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..entries.len()).collect();
    let traits: Vec<BTreeSet<(&str, &str)>> = entries.iter().map(traits).collect();
    for (one, (a, a_traits)) in entries.iter().zip(&traits).enumerate() {
        for (other, (b, b_traits)) in entries.iter().zip(&traits).enumerate().skip(one + 1) {
            let both = a.patients.intersection(&b.patients).count();
            let smaller = a.patients.len().min(b.patients.len());
            let patients = both >= SAME_PATIENTS_MIN && both * 2 >= smaller;
            if patients || !a_traits.is_disjoint(b_traits) {
                let (from, into) = (leader.get(other).copied(), leader.get(one).copied());
                let (Some(from), Some(into)) = (from, into) else { continue };
                leader.iter_mut().filter(|held| **held == from).for_each(|held| *held = into);
            }
        }
    }
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, leader) in leader.into_iter().enumerate() {
        found.entry(leader).or_default().push(at);
    }
    found.into_values().filter(|cluster| cluster.len() > 1).collect()
}

/// Accounts and machines; an application is everybody's.
fn traits(entry: &Entry) -> BTreeSet<(&str, &str)> {
    entry
        .look_ups
        .iter()
        .flat_map(|trace| {
            let who = trace.who.as_deref().map(|who| ("who", who));
            let host = trace.host.as_deref().map(|host| ("host", host));
            [who, host]
        })
        .flatten()
        .collect()
}

impl Hunted {
    pub(crate) fn json(&self) -> Value {
        let entry = |entry: &Entry| {
            json!({
                "value": entry.value, "found": entry.found, "problem": entry.problem,
                "look_ups": entry.look_ups.len(), "patients": entry.patients.len(),
                "first": entry.times().min(),
                "last": entry.times().max(),
            })
        };
        let names = |cluster: &Vec<usize>| -> Vec<&str> {
            cluster.iter().filter_map(|&at| Some(self.entries.get(at)?.value.as_str())).collect()
        };
        json!({
            "patients": { "lower": self.lower, "best": self.best },
            "first": self.first, "last": self.last,
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "same_hand": self.clusters.iter().map(names).collect::<Vec<_>>(),
            "silent": self.silences.iter().map(|silence| json!({
                "source": silence.source, "from": silence.from, "to": silence.to,
            })).collect::<Vec<_>>(),
            "manifest": self.as_of.manifest,
            "digest": self.digest,
            "not_seen": super::scope::NOT_SEEN,
        })
    }

    /// Every look-up, one a row; patients are counted, not named.
    pub(crate) fn csv(&self) -> String {
        let mut out = String::from("value,at,who,host,client,source,kind,patients\r\n");
        for entry in &self.entries {
            for trace in &entry.look_ups {
                let word = |word: &Option<String>| word.clone().unwrap_or_default();
                let kind = serde_json::to_value(trace.kind).unwrap_or_default();
                let cells = [
                    entry.value.clone(),
                    trace.at.to_string(),
                    word(&trace.who),
                    word(&trace.host),
                    word(&trace.client),
                    word(&trace.source),
                    kind.as_str().unwrap_or_default().to_owned(),
                    trace.patients.len().to_string(),
                ];
                let row: Vec<String> =
                    cells.iter().map(|cell| crate::report::csv_cell(cell)).collect();
                out.push_str(&row.join(","));
                out.push_str("\r\n");
            }
        }
        out
    }

    fn text(&self) -> String {
        let found = self.entries.iter().filter(|entry| entry.found.is_some()).count();
        let mut lines = vec![format!(
            "{} exposed (at least {}) by {found} of {}",
            said(self.best as u64, "patient"),
            self.lower,
            said(self.entries.len() as u64, "value")
        )];
        if let (Some(first), Some(last)) = (self.first, self.last) {
            lines.push(format!("  from {first} to {last}"));
        }
        for entry in &self.entries {
            let what = match (entry.found, &entry.problem) {
                (Some(kind), _) => format!(
                    "{kind}, {}, {}",
                    said(entry.look_ups.len() as u64, "look-up"),
                    said(entry.patients.len() as u64, "patient")
                ),
                (None, Some(problem)) => problem.clone(),
                (None, None) => "no look-up names it".to_owned(),
            };
            lines.push(format!("{}  {what}", entry.value));
        }
        for cluster in &self.clusters {
            let names = cluster.iter().filter_map(|&at| self.entries.get(at));
            let names: Vec<&str> = names.map(|entry| entry.value.as_str()).collect();
            lines.push(format!("same hand: {}", names.join(", ")));
        }
        for silence in &self.silences {
            lines.push(format!(
                "`{}` was silent from {} to {}",
                silence.source, silence.from, silence.to
            ));
        }
        let last = self.as_of.last_look_up.map_or("none".to_owned(), |at| at.to_string());
        let (commit, look_ups) = (self.as_of.commit, self.as_of.look_ups);
        lines.push(format!("as of commit {commit} ({look_ups} look-ups, the last at {last})"));
        lines.push(format!("not seen: {}", super::scope::NOT_SEEN));
        lines.push(format!("digest {}", self.digest));
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A CERT's list; each value is asked for on its own.
const VALUES_MAX: usize = 1_000;
const SAME_PATIENTS_MIN: usize = 3;
