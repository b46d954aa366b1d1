//! `bavn scope`: whose records, exactly, with bounds and their reasons.

use super::keep::{open, purpose, record_asking, window};
use crate::cli::{Scope as Arguments, ScopeBy, StoreAccess};
use crate::controllers::Controllers;
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::load_context;
use bavn_decode::Mappings;
use bavn_detect::cases::{Book, CaseNumber};
use bavn_model::{Context, Directory, PatientId, Timestamp};
use bavn_store::{Exposed, Grade, OfDay, Purpose, Reason, Scope, Store, Subject, Window};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let mut wanted = window(&arguments.period)?;
    let needs_names = arguments.list || arguments.by == Some(ScopeBy::Class);
    let why = needs_names
        .then(|| purpose(arguments.purpose.as_deref(), &arguments.access))
        .transpose()?;
    let (subject, since) = subject(arguments)?;
    if arguments.period.from.is_none() {
        wanted.from = since;
    }
    let store = open(&arguments.access)?;
    let scope = if arguments.minus_explained {
        store.scope_unexplained(&subject, wanted)?
    } else {
        store.scope(&subject, wanted)?
    };
    let names = match &why {
        Some(why) => names(arguments, &store, &scope, why)?,
        None => Vec::new(),
    };
    if follows_somebody(arguments) {
        let what = "bavn scope (what accounts did day by day)";
        record_asking(&arguments.access, &store, &Purpose::Audit, what, &[])?;
    }
    let counts = match arguments.by {
        Some(by) => counts(arguments, by, &store, &subject, wanted, &scope, &names)?,
        None => Vec::new(),
    };
    let answer = Answer {
        scope: &scope,
        controller: store.controller(),
        by: arguments.by,
        counts: &counts,
        names: if arguments.list { &names } else { &[] },
    };
    let text = if arguments.json {
        format!("{}\n", answer.json(arguments, wanted))
    } else {
        answer.text()
    };
    std::io::stdout().write_all(text.as_bytes())?;
    if scope.reasons.iter().any(|reason| matches!(reason, Reason::Silent(_))) {
        let error = anyhow::anyhow!("a source was silent: the answer may be incomplete");
        return Err(CommandError::new(Kind::Incomplete, error));
    }
    Ok(())
}

/// Whether it shows what people did day by day, or how, outside a case: the question is on record.
fn follows_somebody(arguments: &Arguments) -> bool {
    !arguments.subject.identity.is_empty()
        && matches!(arguments.by, Some(ScopeBy::Day | ScopeBy::Action))
}

/// Who is meant, and since when, if the command line does not say.
fn subject(arguments: &Arguments) -> CommandResult<(Subject, Timestamp)> {
    let given = &arguments.subject;
    if let Some(number) = given.case {
        return subject_of_case(&arguments.access, number);
    }
    let subject = match (&given.host, &given.client) {
        (Some(host), _) => Subject::Host(host.clone()),
        (None, Some(client)) => Subject::Client(client.clone()),
        (None, None) => Subject::Identities(given.identity.clone()),
    };
    Ok((subject, Window::ALL.from))
}

pub(crate) fn subject_of_case(
    access: &StoreAccess,
    number: CaseNumber,
) -> CommandResult<(Subject, Timestamp)> {
    let access = access.clone();
    let desk = super::case::desk(&crate::cli::CaseStore { access, duty: None })?;
    desk.look(|book| case_subject(book, number))?
        .ok_or_else(|| CommandError::usage(format_args!("there is no case {number} with a reader")))
}

/// The readers of a case, where it goes on if it was merged, and since when it is about them.
pub(crate) fn case_subject(book: &Book, number: CaseNumber) -> Option<(Subject, Timestamp)> {
    let case = book.case(book.settled(number))?;
    let readers: Vec<String> = case.identities().into_iter().map(str::to_owned).collect();
    let since = case.first_seen().unwrap_or(Window::ALL.from);
    (!readers.is_empty()).then_some((Subject::Identities(readers), since))
}

/// All spellings of each patient; that they were asked for is on record first.
fn names(
    arguments: &Arguments,
    store: &Store,
    scope: &Scope,
    why: &Purpose,
) -> CommandResult<Vec<Vec<String>>> {
    let names = store.patient_names(&scope.exposed, why)?;
    let shown: Vec<&str> = names.iter().filter_map(|all| all.first().map(String::as_str)).collect();
    record_asking(&arguments.access, store, why, "bavn scope", &shown)?;
    Ok(names)
}

/// Counts by what was asked for, in order.
fn counts(
    arguments: &Arguments,
    by: ScopeBy,
    store: &Store,
    subject: &Subject,
    wanted: Window,
    scope: &Scope,
    names: &[Vec<String>],
) -> CommandResult<Vec<(String, OfDay)>> {
    let count = |key: &dyn Fn(bavn_model::Kind, Option<&str>) -> String| {
        store.scope_by(subject, wanted, scope, key).map(|counts| counts.into_iter().collect())
    };
    Ok(match by {
        ScopeBy::Controller => {
            let controllers = Controllers::read(arguments.controllers.as_deref())?;
            let own = store.controller();
            count(&|_, source| controllers.of(source, own).to_owned())?
        }
        ScopeBy::Action => count(&|kind, _| crate::report::word(kind))?,
        ScopeBy::Day => {
            let day = |day: i32| date(Timestamp::start_of_day(day));
            scope.days.iter().map(|(&at, &count)| (day(at), count)).collect()
        }
        ScopeBy::Class => {
            if arguments.context.context.is_empty() {
                return Err(CommandError::usage("`--by class` needs `--context`"));
            }
            let loaded = load_context(&arguments.context, &Arc::new(Mappings::default()))?;
            by_class(&scope.exposed, names, &loaded.directory, &loaded.context)
        }
    })
}

/// By what context says of each patient; one patient may be in several classes, or in none.
fn by_class(
    exposed: &[Exposed],
    names: &[Vec<String>],
    directory: &Directory,
    context: &Context,
) -> Vec<(String, OfDay)> {
    let staff: std::collections::BTreeSet<PatientId> =
        context.all_staff().filter_map(|(_, staff)| staff.patient).collect();
    let mut classes: BTreeMap<String, OfDay> = BTreeMap::new();
    for (patient, spellings) in exposed.iter().zip(names) {
        let known = spellings.iter().find_map(|name| directory.patients.find(name));
        let mut found: Vec<&str> = Vec::new();
        match known {
            None => found.push("not in the context"),
            Some(id) => {
                let facts = context.patient(id);
                let adult = |born: i32| patient.first.day() - born >= ADULT_DAYS;
                for (name, holds) in [
                    ("protected", facts.restricted),
                    ("minor", facts.born.is_some_and(|born| !adult(born))),
                    ("dead", facts.died.is_some_and(|died| died <= patient.last.day())),
                    ("staff", staff.contains(&id)),
                ] {
                    if holds {
                        found.push(name);
                    }
                }
                let groups = context.groups().iter();
                let groups = groups.filter(|group| group.members.binary_search(&id).is_ok());
                found.extend(groups.map(|group| group.name.as_str()));
            }
        }
        for class in found {
            let count = classes.entry(class.to_owned()).or_default();
            count.patients += 1;
            count.look_ups += patient.look_ups;
        }
    }
    classes.into_iter().collect()
}

struct Answer<'a> {
    scope: &'a Scope,
    controller: &'a str,
    by: Option<ScopeBy>,
    counts: &'a [(String, OfDay)],
    names: &'a [Vec<String>],
}

impl Answer<'_> {
    fn grades(&self) -> [usize; 3] {
        let count = |grade| self.scope.exposed.iter().filter(|e| e.grade == grade).count();
        [count(Grade::Listed), count(Grade::Opened), count(Grade::Taken)]
    }

    fn json(&self, arguments: &Arguments, wanted: Window) -> Value {
        let (scope, as_of) = (self.scope, &self.scope.as_of);
        let [listed, opened, taken] = self.grades();
        let end = |at: Timestamp, open: Timestamp| (at != open).then(|| at.to_string());
        let mut answer = json!({
            "subject": {
                "identity": arguments.subject.identity,
                "case": arguments.subject.case,
                "host": arguments.subject.host,
                "client": arguments.subject.client,
            },
            "from": end(wanted.from, Window::ALL.from),
            "to": end(wanted.to, Window::ALL.to),
            "controller": self.controller,
            "patients": { "lower": scope.lower, "best": scope.best, "upper": scope.upper },
            "reasons": scope.reasons.iter().map(reason_json).collect::<Vec<_>>(),
            "grades": { "listed": listed, "opened": opened, "taken": taken },
            "look_ups": scope.look_ups,
            "attempts": {
                "look_ups": scope.attempts.look_ups,
                "patients": scope.attempts.patients,
            },
            "as_of": {
                "commit": as_of.commit,
                "committed_at": as_of.committed_at.to_string(),
                "last_look_up": as_of.last_look_up.map(|at| at.to_string()),
                "look_ups": as_of.look_ups,
                "manifest": as_of.manifest,
            },
            "explained": scope.explained.map(|explained| json!({
                "patients": explained.patients,
                "look_ups": explained.look_ups,
                "not_judged": explained.not_judged,
                "judged_until": explained.judged_until.map(|at| at.to_string()),
            })),
            "digest": scope.digest,
            "not_seen": NOT_SEEN,
        });
        if let (Some(by), Some(answer)) = (self.by, answer.as_object_mut()) {
            let count = |(key, count): &(String, OfDay)| json!({ "key": key, "patients": count.patients, "look_ups": count.look_ups });
            let counts: Vec<Value> = self.counts.iter().map(count).collect();
            answer.insert("by".to_owned(), json!(format!("{by:?}").to_lowercase()));
            answer.insert("counts".to_owned(), json!(counts));
        }
        if let (false, Some(answer)) = (self.names.is_empty(), answer.as_object_mut()) {
            let of = |(exposed, names): (&Exposed, &Vec<String>)| {
                json!({
                    "patient": names.first(),
                    "also": names.get(1..).unwrap_or_default(),
                    "grade": exposed.grade,
                    "certain": exposed.certain,
                    "look_ups": exposed.look_ups,
                    "first": exposed.first.to_string(),
                    "last": exposed.last.to_string(),
                })
            };
            let list: Vec<Value> = scope.exposed.iter().zip(self.names).map(of).collect();
            answer.insert("list".to_owned(), json!(list));
        }
        answer
    }

    fn text(&self) -> String {
        let scope = self.scope;
        let upper = match scope.upper {
            Some(upper) => format!("at most {upper}"),
            None => "no certain upper bound".to_owned(),
        };
        let [listed, opened, taken] = self.grades();
        let mut lines = vec![
            format!("{} patients exposed (at least {}, {upper})", scope.best, scope.lower),
            format!(
                "  {listed} listed, {opened} opened, {taken} taken; {} look-ups",
                scope.look_ups
            ),
            format!(
                "  {} denied or failed look-ups of {} patients are not counted",
                scope.attempts.look_ups, scope.attempts.patients
            ),
        ];
        if let Some(explained) = scope.explained {
            let until = explained.judged_until.map_or("never".to_owned(), |at| at.to_string());
            lines.push(format!(
                "  left out: {} patients whose {} look-ups were all explained, as far as was known \
                 at {until}",
                explained.patients, explained.look_ups
            ));
        }
        lines.extend(scope.reasons.iter().map(|reason| format!("  {}", reason_text(reason))));
        if let Some(by) = self.by {
            lines.push(format!("by {}:", format!("{by:?}").to_lowercase()));
            lines.extend(self.counts.iter().map(|(key, count)| {
                format!("  {key}  {} patients, {} look-ups", count.patients, count.look_ups)
            }));
        }
        for (exposed, names) in scope.exposed.iter().zip(self.names) {
            let sure = if exposed.certain { "" } else { ", outcome not stated" };
            lines.push(format!(
                "{}  {:?}{sure}, {} look-ups, {} to {}",
                names.join(" = "),
                exposed.grade,
                exposed.look_ups,
                exposed.first,
                exposed.last
            ));
        }
        let last = scope.as_of.last_look_up.map_or("none".to_owned(), |at| at.to_string());
        lines.push(format!(
            "as of commit {} of `{}` ({} look-ups, the last at {last})",
            scope.as_of.commit, self.controller, scope.as_of.look_ups
        ));
        lines.push(format!("not seen: {NOT_SEEN}"));
        lines.push(format!("digest {}", scope.digest));
        lines.push(String::new());
        lines.join("\n")
    }
}

pub(crate) fn reason_text(reason: &Reason) -> String {
    match reason {
        Reason::OutcomeUnstated { patients } => {
            format!("of {patients} patients no source says whether the look-up succeeded")
        }
        Reason::PatientUnresolved { look_ups } => {
            format!("{look_ups} look-ups opened a record without saying whose")
        }
        Reason::HitsUnknown { look_ups } => {
            format!("{look_ups} searches or exports do not say whom they showed")
        }
        Reason::NotJudged { patients } => {
            format!("of {patients} patients it cannot be judged whether the look-ups are explained")
        }
        Reason::Silent(silence) => {
            let end = if silence.ended { "to" } else { "and still at" };
            format!("`{}` was silent from {} {end} {}", silence.source, silence.from, silence.to)
        }
        Reason::NoLongerKept { before } => {
            format!("look-ups before {before} are no longer kept")
        }
    }
}

fn reason_json(reason: &Reason) -> Value {
    match reason {
        Reason::OutcomeUnstated { patients } => {
            json!({ "reason": "outcome_unstated", "patients": patients })
        }
        Reason::PatientUnresolved { look_ups } => {
            json!({ "reason": "patient_unresolved", "look_ups": look_ups })
        }
        Reason::HitsUnknown { look_ups } => {
            json!({ "reason": "hits_unknown", "look_ups": look_ups })
        }
        Reason::NotJudged { patients } => {
            json!({ "reason": "not_judged", "patients": patients })
        }
        Reason::Silent(silence) => json!({
            "reason": "source_silent",
            "source": silence.source,
            "from": silence.from.to_string(),
            "to": silence.to.to_string(),
            "ended": silence.ended,
        }),
        Reason::NoLongerKept { before } => {
            json!({ "reason": "no_longer_kept", "before": before.to_string() })
        }
    }
}

/// `2026-11-23`.
pub(crate) fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// Until a source covers it, said with every answer.
pub(crate) const NOT_SEEN: &str =
    "reads below the application (database, backup, disk), and systems that send no look-ups here";
const ADULT_DAYS: i32 = 6_574;
