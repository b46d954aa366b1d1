//! What names people, asked for with a purpose.

use super::as_of;
use super::health::silence;
use crate::case_scope::CaseScope;
use crate::commands::hunt::{Entry, hunt as hunted};
use crate::commands::scope::date;
use crate::error::CommandResult;
use crate::report::{self, Around};
use bavn_console::{
    Granted, HeldAbout, HuntRow, HuntView, Machine, PatientView, PersonRow, PersonView,
    ReadingGroup, Revealed,
};
use bavn_detect::cases::{Book, CaseNumber, State};
use bavn_detect::words::{Language, post};
use bavn_model::{Flag, Kind, Timestamp};
use bavn_store::{
    Class, OWN_SOURCE, PatientNumber, Purpose, Reading, Store, StoreError, Subject, Trace, Window,
};
use std::collections::{BTreeMap, BTreeSet};

/// The purpose of the console, in the store's words.
fn purpose(why: &Granted) -> Purpose {
    match (why.purpose(), why.case()) {
        (bavn_console::Purpose::Case, Some(case)) => Purpose::Case(case.to_string()),
        (bavn_console::Purpose::Insight, _) => Purpose::Insight,
        (bavn_console::Purpose::Drill, _) => Purpose::Drill,
        _ => Purpose::Audit,
    }
}

/// With the words of the hospital's systems, as `bavn who --context` has them, where they are known.
pub(super) fn patient(
    store: &Store,
    typed: &str,
    why: &Granted,
    around: Option<Around<'_>>,
) -> CommandResult<PatientView> {
    let who = store.who(typed, Window::ALL, &purpose(why))?;
    let rows = report::groups(&who, around);
    Ok(PatientView {
        patient: who.patient.clone(),
        look_ups: who.readings.len() as u64,
        groups: groups(&who.readings, around),
        silences: who.silences.iter().cloned().map(silence).collect(),
        as_of: as_of(&who.as_of),
        html: LANGUAGES.map(|words| report::html(&who, &rows, words, report::Style::Served)),
        json: report::json(&who, &rows, &report::ENGLISH),
        csv: report::csv(&rows, &report::ENGLISH),
    })
}

/// Look-ups of one reader on one day together, newest first.
fn groups(readings: &[Reading], around: Option<Around<'_>>) -> Vec<ReadingGroup> {
    let mut groups: BTreeMap<(i32, Option<&str>), ReadingGroup> = BTreeMap::new();
    for reading in readings {
        let key = (reading.at.day(), reading.who.as_deref());
        let place = [reading.source.as_deref(), reading.client.as_deref(), reading.host.as_deref()];
        let new = || {
            let [name, role, unit] =
                around.map_or([const { None }; 3], |around| around.post(reading));
            let post = |language| {
                let words = [&role, &unit].into_iter().flatten();
                words.map(|word| post(language, word)).collect::<Vec<_>>().join(", ")
            };
            let is_known = role.is_some() || unit.is_some();
            let plain = reading.who.as_deref().map(|who| report::plain_name(who).to_owned());
            // Whoever works on it needs the account as well.
            let named = name.map(|name| match &plain {
                Some(account) => format!("{name} ({account})"),
                None => name,
            });
            ReadingGroup {
                day: date(reading.at),
                who: named.or(plain),
                post: is_known.then(|| [Language::English, Language::Bokmaal].map(post)),
                look_ups: 0,
                first: reading.at,
                last: reading.at,
                content: Vec::new(),
                reasons: Vec::new(),
                place: place.into_iter().flatten().collect::<Vec<_>>().join(", "),
                emergency: false,
                denied: 0,
            }
        };
        let group = groups.entry(key).or_insert_with(new);
        group.look_ups += 1;
        group.last = group.last.max(reading.at);
        group.emergency |= reading.flags.has(Flag::BreakGlass);
        group.denied += u64::from(reading.class == Class::Attempt);
        for (list, words) in
            [(&mut group.content, content(reading)), (&mut group.reasons, reason(reading))]
        {
            let is_new = |words: &[String; 2]| list.len() < WORDS_SHOWN && !list.contains(words);
            list.extend(words.filter(is_new));
        }
    }
    let mut groups: Vec<ReadingGroup> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.last, group.first)));
    groups
}

/// In English and bokmål, as is what follows.
fn content(reading: &Reading) -> Option<[String; 2]> {
    let resource = reading.resource.as_deref()?;
    Some(LANGUAGES.map(|words| words.content(resource).to_owned()))
}

fn reason(reading: &Reading) -> Option<[String; 2]> {
    if let (false, Some(reason)) = (reading.source.as_deref() == Some(OWN_SOURCE), &reading.reason)
    {
        return Some([reason.clone(), reason.clone()]);
    }
    let codes = reading.purpose.as_deref()?;
    Some(LANGUAGES.map(|words| words.purpose(codes)))
}

pub(super) fn person(store: &Store, account: &str, window: Window) -> CommandResult<PersonView> {
    let subject = Subject::Identities(vec![account.to_owned()]);
    let scope = store.scope(&subject, window)?;
    let traces = store.traces(&subject, window)?;
    let by_kind = store.scope_by(&subject, window, &scope, |kind, _| report::word(kind))?;
    let mut machines: BTreeMap<&str, (u64, BTreeSet<PatientNumber>, Timestamp)> = BTreeMap::new();
    for trace in &traces {
        for name in [trace.host.as_deref(), trace.client.as_deref()].into_iter().flatten() {
            let (look_ups, patients, _) =
                machines.entry(name).or_insert((0, BTreeSet::new(), trace.at));
            *look_ups += 1;
            patients.extend(trace.patients.iter().copied());
        }
    }
    let machine = |(name, (look_ups, patients, first)): (&str, (u64, BTreeSet<_>, Timestamp))| {
        let patients = patients.len() as u64;
        Machine { name: name.to_owned(), look_ups, patients, first }
    };
    Ok(PersonView {
        account: account.to_owned(),
        look_ups: scope.look_ups,
        patients: scope.best,
        first: traces.first().map(|trace| trace.at),
        last: traces.last().map(|trace| trace.at),
        hours: hours(&traces),
        machines: machines.into_iter().map(machine).collect(),
        kinds: by_kind.into_iter().map(|(kind, of)| (kind, of.look_ups, of.patients)).collect(),
        rows: traces.iter().rev().take(ROWS_SHOWN).map(row).collect(),
        as_of: as_of(&scope.as_of),
    })
}

/// Patients in each of the hours around the busiest.
fn hours(traces: &[Trace]) -> Vec<bavn_console::HourBar> {
    let mut hours: BTreeMap<i64, BTreeSet<PatientNumber>> = BTreeMap::new();
    for trace in traces {
        let hour = trace.at.secs().div_euclid(3_600);
        hours.entry(hour).or_default().extend(trace.patients.iter().copied());
    }
    let busiest = hours.iter().max_by_key(|(_, patients)| patients.len());
    let Some((&busiest, _)) = busiest else { return Vec::new() };
    let bar = |hour: i64| bavn_console::HourBar {
        from: Timestamp::from_secs(hour * 3_600),
        patients: hours.get(&hour).map_or(0, |patients| patients.len() as u32),
        ..bavn_console::HourBar::default()
    };
    (busiest - HOURS_AROUND..=busiest + HOURS_AROUND).map(bar).collect()
}

fn row(trace: &Trace) -> PersonRow {
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    PersonRow {
        at: trace.at,
        kind: kind_word(trace.kind),
        machine: word(if trace.host.is_some() { &trace.host } else { &trace.client }),
        source: word(&trace.source),
        patients: trace.patients.len() as u64,
    }
}

fn kind_word(kind: Kind) -> String {
    let word = serde_json::to_value(kind).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

pub(super) fn hunt(store: &Store, list: &str) -> CommandResult<HuntView> {
    let found = hunted(store, list, Window::ALL)?;
    let entry = |entry: &Entry| HuntRow {
        value: entry.value.clone(),
        found: entry.found.map(str::to_owned),
        problem: entry.problem.clone(),
        look_ups: entry.look_ups.len() as u64,
        patients: entry.patients.len() as u64,
        first: entry.times().min(),
        last: entry.times().max(),
    };
    let name = |&at: &usize| found.entries.get(at).map(|entry| entry.value.clone());
    Ok(HuntView {
        lower: found.lower as u64,
        best: found.best as u64,
        first: found.first,
        last: found.last,
        entries: found.entries.iter().map(entry).collect(),
        clusters: found
            .clusters
            .iter()
            .map(|cluster| cluster.iter().filter_map(name).collect())
            .collect(),
        silences: found.silences.iter().cloned().map(silence).collect(),
        as_of: Some(as_of(&found.as_of)),
        digest: found.digest.clone(),
        json: found.json().to_string(),
        csv: found.csv(),
    })
}

pub(super) fn reveal(
    store: &Store,
    asked: &CaseScope,
    why: &Purpose,
) -> CommandResult<Vec<Revealed>> {
    let scope = asked.ask(store)?.scope;
    let names = store.patient_names(&scope.exposed, why)?;
    let one = |(exposed, names): (&bavn_store::Exposed, Vec<String>)| Revealed {
        patient: names.into_iter().next().unwrap_or_default(),
        grade: format!("{:?}", exposed.grade).to_lowercase(),
        certain: exposed.certain,
        look_ups: exposed.look_ups,
        first: exposed.first,
        last: exposed.last,
    };
    Ok(scope.exposed.iter().zip(names).map(one).collect())
}

/// Cases about a person that are closed.
pub(super) fn closed_about(book: &Book, name: &str) -> BTreeSet<CaseNumber> {
    let mine = book.cases().filter(|case| case.state() == State::Closed && case.is_about(name));
    mine.map(|case| case.number).collect()
}

pub(super) fn held_about(
    store: &Store,
    name: &str,
    closed: &BTreeSet<CaseNumber>,
) -> CommandResult<HeldAbout> {
    let own = store.own(Window::ALL)?;
    let bare = |who: &Option<String>| {
        who.as_deref().unwrap_or_default().rsplit('|').next().unwrap_or_default().to_owned()
    };
    let (mut held, mut looked_at, mut looked_at_by) =
        (HeldAbout::default(), Vec::new(), Vec::new());
    for own in own.iter().rev() {
        let (who, what) = (bare(&own.who), own.reason.clone().unwrap_or_default());
        if who == name {
            looked_at.push((own.at, what));
        } else if closed.iter().any(|&case| is_of(&what, case)) {
            looked_at_by.push((own.at, who, what));
        }
    }
    let subject = Subject::Identities(vec![name.to_owned()]);
    match store.scope(&subject, Window::ALL) {
        Ok(scope) => {
            held.look_ups = scope.look_ups;
            held.first = scope.exposed.iter().map(|exposed| exposed.first).min();
            held.last = scope.exposed.iter().map(|exposed| exposed.last).max();
        }
        // Whoever only works here has no look-ups of their own elsewhere.
        Err(StoreError::Unknown { .. } | StoreError::Ambiguous { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(HeldAbout { looked_at, looked_at_by, ..held })
}

/// Whether a look-up of this program was for a case: its purpose ends the reason.
fn is_of(reason: &str, case: CaseNumber) -> bool {
    reason.ends_with(&format!(", purpose case {case}"))
}

const LANGUAGES: [&report::Words; 2] = [&report::ENGLISH, &report::BOKMAAL];
/// Kinds of content and reasons that a group names.
const WORDS_SHOWN: usize = 5;
/// Look-ups of an account that the page and its twins list.
const ROWS_SHOWN: usize = 1_000;
const HOURS_AROUND: i64 = 12;
