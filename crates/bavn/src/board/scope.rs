//! Whose records the readers of a case had, as its page shows it.

use super::as_of;
use super::time::growth;
use crate::case_scope::{Amount, CaseAnswer, CaseScope, Counts};
use crate::cli::ScopeBy;
use crate::commands::scope::reason_text;
use crate::controllers::Controllers;
use crate::scope_by::{CountedBy, Known};
use bavn_console::{Counted, CountedRow, HowMany, ScopeView};
use bavn_detect::cases::CaseNumber;
use bavn_model::Timestamp;
use bavn_store::{Grade, OfDay, Purpose, Reason, Store, StoreError, Window};

pub(super) fn view(store: &Store, asked: &CaseScope) -> Result<ScopeView, StoreError> {
    Ok(shown(&asked.ask(store)?, asked.window))
}

/// Classes are found by name: that the page was asked for is on record.
pub(super) fn view_by(
    store: &Store,
    asked: &CaseScope,
    number: CaseNumber,
    known: Option<&Known>,
) -> Result<(ScopeView, Counted), StoreError> {
    let answer = asked.ask(store)?;
    let scope = &answer.scope;
    let names = match known {
        Some(_) => store.patient_names(&scope.exposed, &Purpose::Case(number.to_string()))?,
        None => Vec::new(),
    };
    let (subject, window, controllers) = (&asked.subject, asked.window, &Controllers::default());
    let known = known.map(|known| (known, names.as_slice()));
    let by = CountedBy { store, subject, window, scope, controllers, known };
    let row = |(key, of): (String, OfDay)| {
        let OfDay { look_ups, patients } = of;
        CountedRow { key, look_ups, patients }
    };
    let rows = |of| Ok(by.counts(of)?.into_iter().map(row).collect::<Vec<_>>());
    let counted = Counted {
        controller: rows(ScopeBy::Controller)?,
        class: known.is_some().then(|| rows(ScopeBy::Class)).transpose()?,
        action: rows(ScopeBy::Action)?,
        day: rows(ScopeBy::Day)?,
    };
    Ok((shown(&answer, window), counted))
}

fn shown(answer: &CaseAnswer, window: Window) -> ScopeView {
    let scope = &answer.scope;
    let count = |grade| scope.exposed.iter().filter(|held| held.grade == grade).count() as u64;
    let how_many = |amount: Amount| HowMany {
        lower: amount.lower,
        best: amount.best,
        upper: amount.upper,
        look_ups: amount.look_ups,
    };
    ScopeView {
        lower: scope.lower,
        best: scope.best,
        upper: scope.upper,
        look_ups: scope.look_ups,
        leaves_out_explained: answer.counts == Counts::Unexplained,
        all: how_many(answer.all),
        unexplained: how_many(answer.unexplained),
        explained: answer.explained.patients,
        judged_until: answer.explained.judged_until,
        listed: count(Grade::Listed),
        opened: count(Grade::Opened),
        taken: count(Grade::Taken),
        reasons: scope.reasons.iter().map(|reason| [english(reason), bokmaal(reason)]).collect(),
        growth: growth(scope),
        since: window.from,
        until: (window.to != Window::ALL.to).then_some(window.to),
        as_of: as_of(&scope.as_of),
        digest: scope.digest.clone(),
    }
}

fn english(reason: &Reason) -> String {
    match reason {
        Reason::NoLongerKept { before } => {
            format!("look-ups before {} are no longer kept", minute(*before))
        }
        Reason::Silent(silence) => {
            let end = if silence.ended { "to" } else { "and still at" };
            let (from, to) = (minute(silence.from), minute(silence.to));
            format!("{} was silent from {from} {end} {to}", silence.source)
        }
        _ => reason_text(reason),
    }
}

fn bokmaal(reason: &Reason) -> String {
    match reason {
        Reason::OutcomeUnstated { patients } => {
            format!("for {patients} pasienter sier ingen kilde om oppslaget lyktes")
        }
        Reason::PatientUnresolved { look_ups } => {
            format!("{look_ups} oppslag åpnet en journal uten å si hvem sin")
        }
        Reason::HitsUnknown { look_ups } => {
            format!("{look_ups} søk eller uttrekk sier ikke hvem de viste")
        }
        Reason::NoLongerKept { before } => {
            format!("oppslag før {} oppbevares ikke lenger", minute(*before))
        }
        Reason::Silent(silence) => {
            let end = if silence.ended { "til" } else { "og ennå" };
            let (from, to) = (minute(silence.from), minute(silence.to));
            format!("{} var taus fra {from} {end} {to}", silence.source)
        }
        Reason::NotJudged { patients } => {
            format!("for {patients} pasienter kan det ikke avgjøres om oppslagene er forklart")
        }
    }
}

/// `2024-01-16 01:42 UTC`.
fn minute(at: Timestamp) -> String {
    let minute: String = at.to_string().chars().take(16).collect();
    format!("{} UTC", minute.replace('T', " "))
}
