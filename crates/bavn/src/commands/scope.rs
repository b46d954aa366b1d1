//! `bavn scope`: whose records, exactly, with bounds and their reasons.

use super::keep::{open, purpose, record_asking, window};
use crate::case_scope::{CaseScope, Counts};
use crate::cli::{Scope as Arguments, ScopeBy, StoreAccess};
use crate::controllers::Controllers;
use crate::error::{CommandError, CommandResult, Kind};
use crate::input::load_context;
use crate::scope_by::CountedBy;
use bavn_decode::Mappings;
use bavn_detect::cases::CaseNumber;
use bavn_model::Timestamp;
use bavn_store::{
    Explained, Exposed, Grade, OfDay, Purpose, Reason, Scope, Store, Subject, Window,
};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::Arc;

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let mut wanted = window(&arguments.period)?;
    let needs_names = arguments.list || arguments.by == Some(ScopeBy::Class);
    let why = needs_names
        .then(|| purpose(arguments.purpose.as_deref(), &arguments.access))
        .transpose()?;
    let of_case = arguments
        .subject
        .case
        .map(|number| scope_of_case(&arguments.access, number))
        .transpose()?;
    if let Some(of_case) = &of_case {
        if arguments.period.from.is_none() {
            wanted.from = of_case.window.from;
        }
        if arguments.period.to.is_none() {
            wanted.to = of_case.window.to;
        }
    }
    let subject = of_case.as_ref().map_or_else(|| subject(arguments), |of| of.subject.clone());
    let store = open(&arguments.access)?;
    let (scope, counted) = match of_case {
        Some(of_case) if !arguments.minus_explained => {
            let answer = CaseScope { window: wanted, ..of_case }.ask(&store)?;
            let is_counted = answer.counts == Counts::All;
            (answer.scope, is_counted.then_some(answer.explained))
        }
        _ if arguments.minus_explained => (store.scope_unexplained(&subject, wanted)?, None),
        _ => (store.scope(&subject, wanted)?, None),
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
        counted,
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

/// Who is meant, if it is no case.
fn subject(arguments: &Arguments) -> Subject {
    let given = &arguments.subject;
    match (&given.host, &given.client) {
        (Some(host), _) => Subject::Host(host.clone()),
        (None, Some(client)) => Subject::Client(client.clone()),
        (None, None) => Subject::Identities(given.identity.clone()),
    }
}

pub(crate) fn scope_of_case(access: &StoreAccess, number: CaseNumber) -> CommandResult<CaseScope> {
    let access = access.clone();
    let desk = super::case::desk(&crate::cli::CaseStore { access, duty: None })?;
    desk.look(|book| CaseScope::of(book, number))?
        .ok_or_else(|| CommandError::usage(format_args!("there is no case {number} with a reader")))
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
    window: Window,
    scope: &Scope,
    names: &[Vec<String>],
) -> CommandResult<Vec<(String, OfDay)>> {
    let controllers = Controllers::read(arguments.controllers.as_deref())?;
    let known = if by == ScopeBy::Class {
        if arguments.context.context.is_empty() {
            return Err(CommandError::usage("`--by class` needs `--context`"));
        }
        let loaded = load_context(&arguments.context, &Arc::new(Mappings::default()))?;
        Some((loaded.directory, loaded.context))
    } else {
        None
    };
    let known = known.as_ref().map(|known| (known, names));
    let counted = CountedBy { store, subject, window, scope, controllers: &controllers, known };
    Ok(counted.counts(by)?)
}

struct Answer<'a> {
    scope: &'a Scope,
    /// What is explained and counted all the same.
    counted: Option<Explained>,
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

    /// Left out, or counted all the same.
    fn explained(&self) -> Option<Explained> {
        self.scope.explained.or(self.counted)
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
            "explained": self.explained().map(|explained| json!({
                "left_out": scope.explained.is_some(),
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
            format!("{} exposed (at least {}, {upper})", said(scope.best, "patient"), scope.lower),
            format!(
                "  {listed} listed, {opened} opened, {taken} taken; {}",
                said(scope.look_ups, "look-up")
            ),
            format!(
                "  denied or failed, and not counted: {} of {}",
                said(scope.attempts.look_ups, "look-up"),
                said(scope.attempts.patients, "patient")
            ),
        ];
        if let Some(explained) = self.explained() {
            let until = explained.judged_until.map_or("never".to_owned(), |at| at.to_string());
            let of = said(explained.patients, "patient");
            let how =
                if self.counted.is_some() { "counted, whoever made them" } else { "left out" };
            lines.push(format!(
                "  {how}: {of} whose {} were all explained, as far as was known at {until}",
                said(explained.look_ups, "look-up")
            ));
        }
        lines.extend(scope.reasons.iter().map(|reason| format!("  {}", reason_text(reason))));
        if let Some(by) = self.by {
            lines.push(format!("by {}:", format!("{by:?}").to_lowercase()));
            lines.extend(self.counts.iter().map(|(key, count)| {
                let (patients, look_ups) = (count.patients, count.look_ups);
                format!("  {key}  {}, {}", said(patients, "patient"), said(look_ups, "look-up"))
            }));
        }
        for (exposed, names) in scope.exposed.iter().zip(self.names) {
            let sure = if exposed.certain { "" } else { ", outcome not stated" };
            lines.push(format!(
                "{}  {:?}{sure}, {}, {} to {}",
                names.join(" = "),
                exposed.grade,
                said(exposed.look_ups, "look-up"),
                exposed.first,
                exposed.last
            ));
        }
        let last = scope.as_of.last_look_up.map_or("none".to_owned(), |at| at.to_string());
        lines.push(format!(
            "as of commit {} of `{}` ({}, the last at {last})",
            scope.as_of.commit,
            self.controller,
            said(scope.as_of.look_ups, "look-up")
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
            let of = said(*patients, "patient");
            format!("of {of} no source says whether the look-up succeeded")
        }
        Reason::PatientUnresolved { look_ups } => {
            format!("{} opened a record without saying whose", said(*look_ups, "look-up"))
        }
        Reason::HitsUnknown { look_ups: 1 } => {
            "1 search or export does not say whom it showed".to_owned()
        }
        Reason::HitsUnknown { look_ups } => {
            format!("{look_ups} searches or exports do not say whom they showed")
        }
        Reason::NotJudged { patients } => {
            let of = said(*patients, "patient");
            format!("of {of} it cannot be judged whether the look-ups are explained")
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

/// `1 patient`, `2 patients`.
pub(crate) fn said(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// `2026-11-23`.
pub(crate) fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// Until a source covers it, said with every answer.
pub(crate) const NOT_SEEN: &str =
    "reads below the application (database, backup, disk), and systems that send no look-ups here";
