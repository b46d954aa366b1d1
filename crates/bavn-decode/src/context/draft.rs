//! Facts as they come in, in any order of files, before it is known who is whom.

use super::completeness::{Counts, Measure};
use super::dates::DAY_SECS;
use crate::fhir::names::{Target, from_identifier, target};
use crate::tree::Value;
use bavn_model::{
    ContextBuilder, IdentityId, Patient, PatientId, RoleId, Staff, Tie, TieKind, Timestamp, UnitId,
};
use hashbrown::HashMap;
use std::borrow::Cow;
use xxhash_rust::xxh3::xxh3_64;

#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) builder: ContextBuilder,
    pub(super) counts: Counts,
    /// By patient.
    pub(super) patients: Vec<Patient>,
    /// By patient: a digest of family name, first given name and date of birth; 0 if one is missing.
    pub(super) patient_faces: Vec<u64>,
    pub(super) staff: Vec<StaffDraft>,
    /// Identifiers of staff, to find the same person among the patients.
    pub(super) staff_numbers: Vec<(IdentityId, Box<str>)>,
    pub(super) households: Tokens,
    pub(super) families: Tokens,
    pub(super) postal_areas: Tokens,
    pub(super) roles: Vec<RoleDraft>,
    pub(super) places: HashMap<UnitId, Place, foldhash::fast::FixedState>,
    pub(super) same_units: Vec<(UnitId, UnitId)>,
    pub(super) standing: Vec<Standing>,
    pub(super) kin: Vec<(PatientId, Box<str>)>,
    /// `RelatedPerson/x`: other spellings of that person.
    pub(super) related: HashMap<Box<str>, Vec<Box<str>>, foldhash::fast::FixedState>,
    pub(super) groups: HashMap<Box<str>, GroupDraft, foldhash::fast::FixedState>,
    pub(super) studies: HashMap<Box<str>, Study, foldhash::fast::FixedState>,
    pub(super) subjects: Vec<Subject>,
    /// `urn:uuid:..` of the Bundle being read, and the `Type/id` that it is.
    pub(super) full_urls: HashMap<String, String, foldhash::fast::FixedState>,
}

/// What one record says of a member of staff.
#[derive(Clone, Copy, Debug)]
pub(super) struct StaffDraft {
    pub(super) identity: IdentityId,
    pub(super) facts: Staff,
    pub(super) face: u64,
}

/// One function of a member of staff, before it is known which of its places is the unit.
#[derive(Clone, Debug)]
pub(super) struct RoleDraft {
    pub(super) identity: IdentityId,
    pub(super) role: Option<RoleId>,
    pub(super) organization: Option<UnitId>,
    pub(super) locations: Vec<UnitId>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// How a unit stands among the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) part_of: Option<UnitId>,
    /// A `Location`; its staff may be recorded with the organisation that manages it.
    pub(super) managed_by: Option<UnitId>,
    pub(super) is_location: bool,
}

/// A responsibility without dates, such as a patient's own doctor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) patient: PatientId,
    pub(super) party: Party,
}

/// Whom or what a reference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    Identity(IdentityId),
    Unit(UnitId),
}

#[derive(Clone, Debug, Default)]
pub(super) struct GroupDraft {
    pub(super) name: String,
    pub(super) members: Vec<PatientId>,
    pub(super) tokens: Vec<Box<str>>,
    /// The cohort of a study, not a protected group.
    pub(super) cohort: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Study {
    pub(super) parties: Vec<Party>,
    pub(super) groups: Vec<Box<str>>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) patient: PatientId,
    pub(super) study: Box<str>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) known_at: Option<Timestamp>,
}

/// Numbers for texts that need only be compared. The texts are not kept.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    map: HashMap<u64, u32, foldhash::fast::FixedState>,
}

impl Tokens {
    pub(super) fn of(&mut self, digest: u64) -> u32 {
        let next = self.map.len() as u32;
        *self.map.entry(digest).or_insert(next)
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }
}

/// A digest of texts that does not heed case, punctuation and repeated spaces. `None` if nothing
/// is left of one of them.
pub(super) fn digest<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<u64> {
    let mut plain = String::with_capacity(48);
    for text in texts {
        let before = plain.len();
        if text.is_ascii() {
            push_ascii(&mut plain, text);
        } else {
            for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
                plain.extend(word.chars().flat_map(char::to_lowercase));
                plain.push(' ');
            }
        }
        if plain.len() == before {
            return None;
        }
        plain.push('|');
    }
    // 0 stands for "none".
    (!plain.is_empty()).then(|| xxh3_64(plain.as_bytes()).max(1))
}

/// The same for plain text, which most of it is.
fn push_ascii(plain: &mut String, text: &str) {
    let mut in_word = false;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            plain.push(char::from(byte.to_ascii_lowercase()));
            in_word = true;
        } else if in_word {
            plain.push(' ');
            in_word = false;
        }
    }
    if in_word {
        plain.push(' ');
    }
}

/// The window of a tie and from when it was known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) known_at: Timestamp,
}

impl Window {
    /// `to` never lies before `from`.
    pub(super) fn new(from: Timestamp, to: Timestamp, known_at: Timestamp) -> Self {
        Self { from, to: to.max(from), known_at }
    }

    /// Open ends are closed after so many days.
    pub(super) fn days_after(from: Timestamp, days: i64) -> Timestamp {
        from.plus_secs(days * DAY_SECS)
    }
}

impl Draft {
    pub(super) fn tie(
        &mut self,
        patient: PatientId,
        kind: TieKind,
        party: Party,
        author: Option<IdentityId>,
        window: Window,
    ) {
        let (identity, unit) = match party {
            Party::Identity(identity) => (Some(identity), None),
            Party::Unit(unit) => (None, Some(unit)),
        };
        let Window { from, to, known_at } = window;
        self.builder.ties.push(Tie { patient, kind, unit, identity, author, from, to, known_at });
    }

    pub(super) fn role(&mut self, code: &str, name: &str) -> RoleId {
        let known = self.builder.directory.roles.len();
        let id = self.builder.directory.roles.intern(code);
        if usize::from(id) >= known {
            self.builder.roles.push(bavn_model::Role { id, name: name.to_owned() });
        }
        id
    }

    /// Adds facts to those that are known of a patient; the first of two that differ counts.
    pub(super) fn patient_facts(&mut self, patient: PatientId, facts: Patient, face: u64) {
        let index = usize::from(patient);
        if self.patients.len() <= index {
            self.patients.resize(index + 1, Patient::default());
            self.patient_faces.resize(index + 1, 0);
        }
        if let Some(held) = self.patients.get_mut(index) {
            *held = Patient {
                family_name: held.family_name.or(facts.family_name),
                household: held.household.or(facts.household),
                postal_area: held.postal_area.or(facts.postal_area),
                born: held.born.or(facts.born),
                died: held.died.or(facts.died),
                dead: held.dead || facts.dead,
                restricted: held.restricted || facts.restricted,
            };
        }
        if let Some(held) = self.patient_faces.get_mut(index).filter(|held| **held == 0) {
            *held = face;
        }
    }

    /// The party that a FHIR Reference means. `usual` is the type where the reference says none.
    pub(super) fn party(
        &mut self,
        reference: &Value<'_>,
        root: &Value<'_>,
        usual: &str,
    ) -> Option<Party> {
        let named = self.named(reference, root, usual)?;
        match named.kind.as_ref() {
            "Practitioner" | "Device" | "Person" => {
                Some(Party::Identity(self.builder.directory.identities.declare(&named.name)))
            }
            "PractitionerRole" => {
                Some(Party::Identity(self.builder.directory.identities.declare_exact(&named.name)))
            }
            "Organization" | "Location" | "HealthcareService" => {
                Some(Party::Unit(self.builder.directory.units.intern(&named.name)))
            }
            _ => None,
        }
    }

    pub(super) fn identity(
        &mut self,
        reference: &Value<'_>,
        root: &Value<'_>,
    ) -> Option<IdentityId> {
        match self.party(reference, root, "Practitioner")? {
            Party::Identity(identity) => Some(identity),
            Party::Unit(_) => None,
        }
    }

    pub(super) fn unit(
        &mut self,
        reference: &Value<'_>,
        root: &Value<'_>,
        usual: &str,
    ) -> Option<UnitId> {
        match self.party(reference, root, usual)? {
            Party::Unit(unit) => Some(unit),
            Party::Identity(_) => None,
        }
    }

    pub(super) fn patient(&mut self, reference: &Value<'_>, root: &Value<'_>) -> Option<PatientId> {
        let named = self.named(reference, root, "Patient")?;
        (named.kind == "Patient").then(|| self.builder.directory.patients.declare(&named.name))
    }

    /// Type and spelling of a reference: `Type/id`, else an identifier.
    pub(super) fn named<'v>(
        &self,
        reference: &'v Value<'_>,
        root: &'v Value<'_>,
        usual: &'v str,
    ) -> Option<Named<'v>> {
        let stated = reference.get("type").str();
        let kind = |found: &'v str| Cow::Borrowed(stated.unwrap_or(found));
        if let Some(text) = reference.get("reference").str() {
            return match target(text) {
                Target::Instance { kind, folded } => {
                    Some(Named { kind: Cow::Borrowed(kind), name: Cow::Borrowed(folded) })
                }
                Target::Conditional { kind, query } => {
                    let identifier = query.strip_prefix("identifier=")?;
                    let name = from_identifier(None, &Cow::Borrowed(identifier)).spell();
                    Some(Named { kind: Cow::Borrowed(kind), name: Cow::Owned(name.into_owned()) })
                }
                Target::Contained(id) => {
                    let held = root.get("contained").items();
                    let resource = held.iter().find(|held| held.get("id").str() == Some(id))?;
                    let name = identifier_of(resource.get("identifier").first())?;
                    let kind = resource.get("resourceType").str().unwrap_or(usual);
                    Some(Named { kind: Cow::Borrowed(kind), name: Cow::Owned(name) })
                }
                Target::Other(text) => {
                    let named = self.full_urls.get(text)?;
                    let (kind, _) = named.split_once('/')?;
                    let kind = Cow::Owned(kind.to_owned());
                    Some(Named { kind, name: Cow::Owned(named.clone()) })
                }
                Target::Kind(_) => None,
            };
        }
        let name = identifier_of(reference.get("identifier"))?;
        Some(Named { kind: kind(usual), name: Cow::Owned(name) })
    }

    pub(super) fn measure(&mut self, measure: Measure, holds: bool) {
        self.counts.add(measure, holds);
    }
}

/// A reference taken apart.
#[derive(Clone, Debug)]
pub(super) struct Named<'v> {
    pub(super) kind: Cow<'v, str>,
    pub(super) name: Cow<'v, str>,
}

/// `system|value` of an Identifier; `None` without a value or a system.
pub(super) fn identifier_of(identifier: &Value<'_>) -> Option<String> {
    let system = identifier.get("system").str()?;
    let value = identifier.get("value").str().or_else(|| identifier.get("id").str())?;
    let name = from_identifier(Some(Cow::Borrowed(system)), &Cow::Borrowed(value));
    Some(name.spell().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_heed_words_only() {
        let one = digest(["Storgata 1 H0201", "0150"]);
        assert_eq!(digest(["STORGATA  1, h0201.", " 0150 "]), one);
        assert_ne!(digest(["Storgata 1", "H0201 0150"]), one);
        assert_eq!(digest(["Ærlig  Gate"]), digest(["ærlig-gate"]));
        assert_ne!(digest(["ab c"]), digest(["a bc"]));
        assert_eq!(digest([" - "]), None);
        assert_eq!(digest(["Gate 1", ""]), None);
    }
}
