//! FHIR resources about people: who they are, where they work and who is kin to whom.

use super::completeness::Measure;
use super::dates::{Written, day, end_of, instant};
use super::draft::{Draft, Party, RoleDraft, StaffDraft, Standing, digest, identifier_of};
use crate::tree::Value;
use bavn_model::{IdentityId, Patient, PatientId, Staff, Timestamp};

pub(super) fn patient(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let patient = draft.builder.directory.patients.declare(name);
    let identified = patient_identifiers(draft, resource, patient);
    let face = face_of(draft, resource);
    let facts = Patient {
        family_name: face.family,
        household: face.household,
        postal_area: face.postal_area,
        born: day(resource.get("birthDate")),
        died: day(resource.get("deceasedDateTime")),
        dead: is_dead(resource),
        restricted: is_restricted(resource),
    };
    draft.patient_facts(patient, facts, face.whole);
    draft.measure(Measure::PatientIdentifier, identified);
    draft.measure(Measure::PatientName, face.family.is_some());
    draft.measure(Measure::PatientBorn, facts.born.is_some());
    draft.measure(Measure::PatientAddress, face.household.is_some());
    let mut has_doctor = false;
    for responsible in resource.get("generalPractitioner").items() {
        if let Some(party) = draft.party(responsible, resource, "Practitioner") {
            has_doctor = true;
            draft.standing.push(Standing { patient, party });
        }
    }
    draft.measure(Measure::PatientDoctor, has_doctor);
    for link in resource.get("link").items() {
        link_patient(draft, link.get("other"), resource, patient);
    }
}

/// FHIR `Patient.deceased[x]`: that it is so, or since when, be it only a year.
fn is_dead(resource: &Value<'_>) -> bool {
    resource.get("deceasedBoolean").bool() == Some(true)
        || resource.get("deceasedDateTime").text().is_some()
}

/// Every kind of `Patient.link` says that both records are of one person.
fn link_patient(draft: &mut Draft, other: &Value<'_>, root: &Value<'_>, patient: PatientId) {
    let Some(named) = draft.named(other, root, "Patient") else { return };
    let name = named.name.into_owned();
    match named.kind.as_ref() {
        "Patient" => draft.builder.directory.patients.declare_also(&name, patient),
        "RelatedPerson" => {
            let shown = draft.builder.directory.patients.name(patient).to_owned();
            draft.related.entry(name.into()).or_default().push(shown.into());
        }
        _ => {}
    }
}

fn patient_identifiers(draft: &mut Draft, resource: &Value<'_>, patient: PatientId) -> bool {
    let mut any = false;
    for identifier in resource.get("identifier").items() {
        let patients = &mut draft.builder.directory.patients;
        if let Some(name) = identifier_of(identifier) {
            patients.declare_also(&name, patient);
            any = true;
        } else if let Some(value) = identifier.get("value").str() {
            patients.declare_bare_only(value, patient);
        }
    }
    any
}

/// Confidentiality `R` or `V` of HL7 v3, on the record or on an address.
fn is_restricted(resource: &Value<'_>) -> bool {
    let labels = resource.get("meta").get("security").items();
    let address = resource.get("address").items().iter();
    let protected = address.flat_map(|address| address.get("extension").items()).any(|extension| {
        matches!(extension.get("valueCode").str(), Some("R" | "V"))
            || matches!(extension.get("valueCoding").get("code").str(), Some("R" | "V"))
    });
    protected || labels.iter().any(|label| matches!(label.get("code").str(), Some("R" | "V")))
}

pub(super) fn practitioner(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let identity = draft.builder.directory.identities.declare(name);
    let identified = staff_identifiers(draft, resource, identity);
    let face = face_of(draft, resource);
    let facts = Staff {
        family_name: face.family,
        household: face.household,
        postal_area: face.postal_area,
        active: resource.get("active").bool(),
        ..Staff::default()
    };
    draft.staff.push(StaffDraft { identity, facts, face: face.whole });
    if let Some(name) = name_in_words(resource) {
        draft.builder.staff_names.push((identity, name.into()));
    }
    draft.measure(Measure::StaffIdentifier, identified);
    draft.measure(Measure::StaffName, face.family.is_some());
    draft.measure(Measure::StaffBorn, !resource.get("birthDate").is_null());
    draft.measure(Measure::StaffAddress, face.household.is_some());
}

pub(super) fn device(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let identity = draft.builder.directory.identities.declare(name);
    staff_identifiers(draft, resource, identity);
    let facts = Staff { system: true, ..Staff::default() };
    draft.staff.push(StaffDraft { identity, facts, face: 0 });
}

/// A `Person` ties together the records that one human being has in several functions.
pub(super) fn person(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let mut staff: Option<IdentityId> = None;
    let mut patient: Option<PatientId> = None;
    for link in resource.get("link").items() {
        let target = link.get("target");
        if let Some(found) = draft.patient(target, resource) {
            patient = patient.or(Some(found));
        } else if let Some(found) = draft.identity(target, resource) {
            staff = staff.or(Some(found));
        }
    }
    if let Some(identity) = staff {
        draft.builder.directory.identities.declare_also(name, identity);
        staff_identifiers(draft, resource, identity);
        let facts = Staff { patient, ..Staff::default() };
        draft.staff.push(StaffDraft { identity, facts, face: 0 });
    }
}

fn staff_identifiers(draft: &mut Draft, resource: &Value<'_>, identity: IdentityId) -> bool {
    let mut any = false;
    for identifier in resource.get("identifier").items() {
        if let Some(name) = identifier_of(identifier) {
            any = true;
            draft.staff_number(identity, name);
        } else if let Some(value) = identifier.get("value").str() {
            draft.builder.directory.identities.declare_bare_only(value, identity);
        }
    }
    any
}

pub(super) fn practitioner_role(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let Some(identity) = draft.identity(resource.get("practitioner"), resource) else {
        draft.counts.without_person += 1;
        return;
    };
    draft.builder.directory.identities.declare_exact_also(name, identity);
    let organization = draft.unit(resource.get("organization"), resource, "Organization");
    let mut locations = Vec::new();
    for place in resource.get("location").items() {
        locations.extend(draft.unit(place, resource, "Location"));
    }
    if organization.is_none() && locations.is_empty() {
        let service = resource.get("healthcareService").first();
        locations.extend(draft.unit(service, resource, "HealthcareService"));
    }
    let function = resource.get("code").first();
    let coding = function.get("coding").first();
    let code = coding.get("code").str().or(function.get("text").str());
    let shown = coding.get("display").str().or(function.get("text").str()).or(code);
    let role = code.map(|code| draft.role(code, shown.unwrap_or(code)));
    let period = resource.get("period");
    let (from, to) = (instant(period.get("start")), end_of(period.get("end")));
    // A function that is no longer active ended at the last change of its record, at the latest.
    let inactive = resource.get("active").bool() == Some(false);
    let left = if inactive { Written::of(resource).last } else { None };
    draft.measure(Measure::RoleUnit, organization.is_some() || !locations.is_empty());
    draft.measure(Measure::RoleFunction, role.is_some());
    draft.measure(Measure::RoleDates, from.is_some());
    draft.roles.push(RoleDraft {
        identity,
        role,
        organization,
        locations,
        from: from.unwrap_or(Timestamp::MIN),
        to: to.or(left).unwrap_or(Timestamp::MAX),
    });
}

pub(super) fn related_person(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let Some(patient) = draft.patient(resource.get("patient"), resource) else { return };
    for identifier in resource.get("identifier").items() {
        if let Some(number) = identifier_of(identifier) {
            draft.related.entry(name.into()).or_default().push(number.into());
        }
    }
    draft.kin.push((patient, name.into()));
}

/// What a name, a date of birth and an address come to, as numbers.
struct Face {
    family: Option<u32>,
    household: Option<u32>,
    postal_area: Option<u32>,
    whole: u64,
}

fn face_of(draft: &mut Draft, resource: &Value<'_>) -> Face {
    let name = current(resource.get("name"), &["old", "maiden", "anonymous"]);
    let text = name.get("text").str();
    let family = name.get("family").str().or(text.and_then(|text| text.rsplit(' ').next()));
    let given = name.get("given").first().str().or(text);
    let given = given.and_then(|given| given.split_whitespace().next());
    let born = resource.get("birthDate").str();
    let whole = match (family, given, born) {
        (Some(family), Some(given), Some(born)) => digest([family, given, born]).unwrap_or(0),
        _ => 0,
    };
    let address = current(resource.get("address"), &["old", "work", "billing", "temp"]);
    let (household, postal_area) = address_tokens(draft, address);
    Face {
        family: family.and_then(|family| digest([family])).map(|digest| draft.families.of(digest)),
        household,
        postal_area,
        whole,
    }
}

/// As it is written, or made of its parts.
fn name_in_words(resource: &Value<'_>) -> Option<String> {
    let name = current(resource.get("name"), &["old", "maiden", "anonymous"]);
    let parts = name.get("given").items().iter().chain([name.get("family")]);
    let parts: Vec<&str> = parts.filter_map(Value::str).collect();
    let made = (!parts.is_empty()).then(|| parts.join(" "));
    name.get("text").str().map(str::to_owned).or(made)
}

/// The first entry whose `use` is not one of `past` and whose period has no end; else none.
fn current<'v, 'a>(entries: &'v Value<'a>, past: &[&str]) -> &'v Value<'a> {
    let is_current = |entry: &&Value<'_>| {
        entry.get("use").str().is_none_or(|word| !past.contains(&word))
            && entry.get("period").get("end").is_null()
    };
    entries.items().iter().find(is_current).unwrap_or(&crate::tree::NULL)
}

fn address_tokens(draft: &mut Draft, address: &Value<'_>) -> (Option<u32>, Option<u32>) {
    let postal = address.get("postalCode").str();
    let area = postal.or(address.get("city").str());
    let lines = address.get("line").items().iter().filter_map(Value::str);
    let street: Vec<&str> = lines.collect();
    (draft.household(&street.join(" "), area), draft.postal_area(postal))
}

impl Draft {
    /// A household: one address line in one postal area.
    pub(super) fn household(&mut self, street: &str, area: Option<&str>) -> Option<u32> {
        let digest = digest([street, area?])?;
        Some(self.households.of(digest))
    }

    pub(super) fn postal_area(&mut self, postal: Option<&str>) -> Option<u32> {
        let digest = digest([postal?])?;
        Some(self.postal_areas.of(digest))
    }

    /// A numbered spelling of a member of staff.
    pub(super) fn staff_number(&mut self, identity: IdentityId, name: String) {
        self.builder.directory.identities.declare_also(&name, identity);
        self.staff_numbers.push((identity, name.into()));
    }

    pub(super) fn responsible(&mut self, patient: PatientId, party: Party) {
        self.standing.push(Standing { patient, party });
    }
}
