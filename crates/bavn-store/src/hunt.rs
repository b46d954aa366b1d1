//! Every look-up of a subject, one by one.

use crate::error::{Result, StoreError};
use crate::names::Of;
use crate::reader::{Store, Window, With};
use crate::row::{Class, NOBODY};
use crate::scope::{PatientNumber, Subject};
use bavn_model::{Kind, Timestamp};
use std::collections::BTreeSet;

/// One look-up, with the names of everything but the patients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub at: Timestamp,
    pub who: Option<String>,
    pub host: Option<String>,
    pub client: Option<String>,
    pub source: Option<String>,
    pub kind: Kind,
    pub class: Class,
    /// Each once.
    pub patients: Vec<PatientNumber>,
}

impl Store {
    /// The look-ups of a subject in a window, by time; at most [`TRACES_MAX`].
    pub fn traces(&self, subject: &Subject, window: Window) -> Result<Vec<Trace>> {
        let (by, keys) = self.keys(subject)?;
        for of in [Of::Identity, Of::Host, Of::Client, Of::Source] {
            self.names(of)?;
        }
        let name = |of: Of, id: u32| {
            let names = self.names(of).ok().filter(|_| id != NOBODY)?;
            Some(names.name(id).to_owned())
        };
        let same = self.same(Of::Patient);
        let mut traces = Vec::new();
        self.look_ups(by, &keys, window, With::Nothing, |look_up| {
            if traces.len() >= TRACES_MAX {
                return Err(StoreError::TooMany {
                    what: "look-ups in one list",
                    max: TRACES_MAX as u64,
                });
            }
            let patients = look_up.patients.iter().map(|&patient| same.leader(patient));
            let patients: BTreeSet<u32> = patients.collect();
            traces.push(Trace {
                at: Timestamp::from_micros(look_up.at),
                who: name(Of::Identity, look_up.identity),
                host: name(Of::Host, look_up.host),
                client: name(Of::Client, look_up.client),
                source: name(Of::Source, look_up.source),
                kind: look_up.kind,
                class: look_up.class,
                patients: patients.into_iter().map(PatientNumber).collect(),
            });
            Ok(())
        })?;
        traces.sort_by_key(|trace| trace.at);
        Ok(traces)
    }
}

/// A list that a person or a sheet can still take.
const TRACES_MAX: usize = 1_000_000;
