//! Who of those exposed gets a letter, and who must be reached in another way?
//!
//! Everyone has exactly one way. Where several hold, the one that could hurt most if missed wins:
//! nobody writes to the dead, and no letter goes to the old address of who hides.

use crate::breach::About;
use bavn_model::{Context, Directory, PatientId};
use bavn_share::Recipients;
use bavn_store::Exposed;
use std::collections::{BTreeMap, BTreeSet};

/// How one person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Letter,
    /// Dead: next of kin, if they are to be told.
    NextOfKin,
    /// Own handling, by hand: never by post to an address that is on file.
    Protected,
    /// A child: whoever has parental responsibility.
    Guardian,
    /// No address on file, or the person is not in the context: ask the population register.
    NoAddress,
}

impl Way {
    pub(crate) const ALL: [Self; 5] =
        [Self::Letter, Self::NextOfKin, Self::Protected, Self::Guardian, Self::NoAddress];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Letter => "by_letter",
            Self::NextOfKin => "dead",
            Self::Protected => "protected_address",
            Self::Guardian => "minors",
            Self::NoAddress => "moved",
        }
    }
}

/// How all of them are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// In the order of the scope.
    pub(crate) ways: Vec<Way>,
    /// Of groups and classes that a notice names.
    categories: BTreeSet<String>,
    guardian_below_years: u32,
}

impl Told {
    /// `names`: every spelling of each patient of the scope.
    pub(crate) fn of(
        exposed: &[Exposed],
        names: &[Vec<String>],
        directory: &Directory,
        context: &Context,
        about: &About,
    ) -> Self {
        let staff: BTreeSet<PatientId> =
            context.all_staff().filter_map(|(_, staff)| staff.patient).collect();
        let guardian_below_years = about.letter_to_guardian_below;
        let mut told = Self { guardian_below_years, ..Self::default() };
        for (patient, spellings) in exposed.iter().zip(names) {
            let known = spellings.iter().find_map(|name| directory.patients.find(name));
            let Some(id) = known else {
                told.ways.push(Way::NoAddress);
                continue;
            };
            let facts = context.patient(id);
            let day = patient.last.day();
            let years = f64::from(about.letter_to_guardian_below);
            let is_child =
                facts.born.is_some_and(|born| f64::from(day - born) < years * DAYS_A_YEAR);
            let way = if facts.dead {
                Way::NextOfKin
            } else if facts.restricted {
                Way::Protected
            } else if is_child {
                Way::Guardian
            } else if facts.postal_area.is_none() {
                Way::NoAddress
            } else {
                Way::Letter
            };
            told.ways.push(way);
            if way != Way::Letter && way != Way::NoAddress {
                told.categories.insert(way.word().to_owned());
            }
            if staff.contains(&id) {
                told.categories.insert("employees".to_owned());
            }
            let groups = context.groups().iter();
            let groups = groups.filter(|group| group.members.binary_search(&id).is_ok());
            told.categories.extend(groups.map(|group| group.name.clone()));
        }
        told
    }

    pub(crate) fn counts(&self) -> BTreeMap<Way, u64> {
        let mut counts: BTreeMap<Way, u64> = Way::ALL.iter().map(|&way| (way, 0)).collect();
        for &way in &self.ways {
            *counts.entry(way).or_default() += 1;
        }
        counts
    }

    pub(crate) fn recipients(&self) -> Recipients {
        let counts = self.counts();
        let of = |way| counts.get(&way).copied().unwrap_or_default();
        Recipients {
            by_letter: of(Way::Letter),
            dead: of(Way::NextOfKin),
            moved: of(Way::NoAddress),
            minors: of(Way::Guardian),
            minors_below: Some(self.guardian_below_years),
            protected_address: of(Way::Protected),
        }
    }

    pub(crate) fn categories(&self) -> Vec<String> {
        std::iter::once("patients".to_owned()).chain(self.categories.iter().cloned()).collect()
    }
}

/// The list for who prints the letters: a row a person, no letter to anybody but `by_letter`.
pub(crate) fn list(told: &Told, exposed: &[Exposed], names: &[Vec<String>]) -> String {
    let mut out = String::from("patient,also,way,first,last\r\n");
    for ((way, patient), spellings) in told.ways.iter().zip(exposed).zip(names) {
        let first = spellings.first().cloned().unwrap_or_default();
        let also = spellings.get(1..).unwrap_or_default().join(" ");
        let cells = [
            first,
            also,
            way.word().to_owned(),
            patient.first.to_string(),
            patient.last.to_string(),
        ];
        let row: Vec<String> = cells.iter().map(|cell| crate::report::csv_cell(cell)).collect();
        out.push_str(&row.join(","));
        out.push_str("\r\n");
    }
    out
}

const DAYS_A_YEAR: f64 = 365.25;
