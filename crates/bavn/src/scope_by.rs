//! A scope by what it is counted by: controller, class of patient, kind of act, day.

use crate::cli::ScopeBy;
use crate::commands::scope::date;
use crate::controllers::Controllers;
use crate::report::word;
use bavn_model::{Context, Directory, PatientId, Timestamp};
use bavn_store::{Exposed, OfDay, Scope, Store, StoreError, Subject, Window};
use std::collections::{BTreeMap, BTreeSet};

/// Who belongs to which class, as hospital systems say.
pub(crate) type Known = (Directory, Context);

/// What counts are made with.
#[derive(Debug)]
pub(crate) struct CountedBy<'a> {
    pub(crate) store: &'a Store,
    pub(crate) subject: &'a Subject,
    pub(crate) window: Window,
    pub(crate) scope: &'a Scope,
    pub(crate) controllers: &'a Controllers,
    /// With every spelling of each patient; none: there are no classes.
    pub(crate) known: Option<(&'a Known, &'a [Vec<String>])>,
}

impl CountedBy<'_> {
    /// In order.
    pub(crate) fn counts(&self, by: ScopeBy) -> Result<Vec<(String, OfDay)>, StoreError> {
        let count = |key: &dyn Fn(bavn_model::Kind, Option<&str>) -> String| {
            let counts = self.store.scope_by(self.subject, self.window, self.scope, key);
            counts.map(|counts| counts.into_iter().collect())
        };
        match by {
            ScopeBy::Controller => {
                let own = self.store.controller();
                count(&|_, source| self.controllers.of(source, own).to_owned())
            }
            ScopeBy::Action => count(&|kind, _| word(kind)),
            ScopeBy::Day => {
                let day = |day: i32| date(Timestamp::start_of_day(day));
                Ok(self.scope.days.iter().map(|(&at, &count)| (day(at), count)).collect())
            }
            ScopeBy::Class => Ok(self.known.map_or_else(Vec::new, |(known, names)| {
                by_class(&self.scope.exposed, names, known)
            })),
        }
    }
}

/// By what context says of each patient; one patient may be in several classes, or in none.
fn by_class(
    exposed: &[Exposed],
    names: &[Vec<String>],
    (directory, context): &Known,
) -> Vec<(String, OfDay)> {
    let staff: BTreeSet<PatientId> =
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
                    ("under 18 years", facts.born.is_some_and(|born| !adult(born))),
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

const ADULT_DAYS: i32 = 6_574;
