//! What speaks for misuse, what against, and where else is the same hand?

use super::act::{CaseNumber, Side};
use super::alarm::Shared;
use super::book::{Book, Case};
use crate::words::Language;
use serde::Serialize;
use std::collections::BTreeSet;

/// One ground, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ground {
    pub side: Side,
    pub text: String,
    /// Who put it there: the detector, or a person.
    pub from: String,
}

/// Another case that has something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alike {
    pub case: CaseNumber,
    pub identities: BTreeSet<String>,
    pub hosts: BTreeSet<String>,
    /// Only where an alarm says that the client is what is new or shared.
    pub clients: BTreeSet<String>,
    pub patients: bool,
}

impl Case {
    /// Facts of the alarms and what people added, each once.
    pub fn grounds(&self, language: Language) -> Vec<Ground> {
        let mut grounds: Vec<Ground> = Vec::new();
        let mut add = |side, text: &str, from: &str| {
            if !text.is_empty() && !grounds.iter().any(|held| held.text == text) {
                grounds.push(Ground { side, text: text.to_owned(), from: from.to_owned() });
            }
        };
        for alarm in &self.alarms {
            let said = alarm.said(language);
            for reason in said.reasons.iter().chain(&said.tried) {
                add(Side::For, reason, &alarm.detector);
            }
            add(Side::Against, &said.innocent_story, &alarm.detector);
            add(Side::Against, &said.counterfactual, &alarm.detector);
        }
        for (side, note) in &self.weighed {
            add(*side, &note.text, &note.by);
        }
        grounds
    }
}

impl Book {
    /// Same hand elsewhere: every other case with a reader, a machine or the patients of this one.
    pub fn alike(&self, case: &Case) -> Vec<Alike> {
        let both = |a: BTreeSet<&str>, b: &BTreeSet<&str>| -> BTreeSet<String> {
            a.intersection(b).map(|&name| name.to_owned()).collect()
        };
        let names_client =
            |case: &Case| case.alarms.iter().any(|alarm| alarm.shared.contains(&Shared::Client));
        let others = self.cases().filter(|other| other.number != case.number);
        let alike = others.map(|other| Alike {
            case: other.number,
            identities: both(case.identities(), &other.identities()),
            hosts: both(case.hosts(), &other.hosts()),
            clients: if names_client(case) || names_client(other) {
                both(case.clients(), &other.clients())
            } else {
                BTreeSet::new()
            },
            patients: case
                .alarms
                .iter()
                .any(|alarm| other.alarms.iter().any(|held| held.same_patients(alarm))),
        });
        let is_any = |alike: &Alike| {
            alike.patients
                || [&alike.identities, &alike.hosts, &alike.clients]
                    .iter()
                    .any(|set| !set.is_empty())
        };
        alike.filter(is_any).collect()
    }
}
