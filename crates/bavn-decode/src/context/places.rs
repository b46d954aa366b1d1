//! FHIR resources about places and sets of people: units, groups and studies.

use super::completeness::Measure;
use super::dates::{Written, end_of, instant};
use super::draft::{Draft, Study, Subject, identifier_of};
use crate::tree::Value;
use bavn_model::UnitId;

pub(super) fn unit(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let id = draft.builder.directory.units.intern(name);
    for identifier in resource.get("identifier").items() {
        if let Some(number) = identifier_of(identifier) {
            draft.unit_also(id, &number);
        }
    }
    let is_location = name.starts_with("Location/");
    let kind = if is_location { "Location" } else { "Organization" };
    let part_of = draft.unit(resource.get("partOf"), resource, kind);
    let manager = match name.split_once('/') {
        Some(("Location", _)) => resource.get("managingOrganization"),
        Some(("HealthcareService", _)) => resource.get("providedBy"),
        _ => &crate::tree::NULL,
    };
    let managed_by = draft.unit(manager, resource, "Organization");
    let shown = resource.get("name").str();
    draft.measure(Measure::UnitName, shown.is_some());
    draft.place(id, shown.unwrap_or(""), part_of, managed_by, is_location);
}

impl Draft {
    pub(super) fn unit_also(&mut self, id: UnitId, spelling: &str) {
        if let Some(other) = self.builder.directory.units.alias(spelling, id) {
            self.same_units.push((other, id));
        }
    }

    pub(super) fn place(
        &mut self,
        id: UnitId,
        name: &str,
        part_of: Option<UnitId>,
        managed_by: Option<UnitId>,
        is_location: bool,
    ) {
        let held = self.places.entry(id).or_default();
        if held.name.is_empty() {
            name.clone_into(&mut held.name);
        }
        held.part_of = held.part_of.or(part_of);
        held.managed_by = held.managed_by.or(managed_by);
        held.is_location |= is_location;
    }
}

/// A set of patients. It counts as protected or watched unless a study enrols it.
pub(super) fn group(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let of_people = matches!(resource.get("type").str(), None | Some("person"));
    if !of_people {
        return;
    }
    let mut members = Vec::new();
    for member in resource.get("member").items() {
        if member.get("inactive").bool() == Some(true) {
            continue;
        }
        members.extend(draft.patient(member.get("entity"), resource));
    }
    let code = resource.get("code");
    let shown = resource.get("name").str();
    let shown = shown.or(code.get("text").str()).or(code.get("coding").first().get("code").str());
    let held = draft.groups.entry(name.into()).or_default();
    held.name = shown.map_or_else(|| name.to_owned(), ToOwned::to_owned);
    held.members.extend(members);
}

pub(super) fn study(draft: &mut Draft, resource: &Value<'_>, name: &str) {
    let mut parties = Vec::new();
    let sites = resource.get("site").items();
    // R4 names them one by one, R5 in a list of parties.
    let listed = resource.get("associatedParty").items().iter().map(|held| held.get("party"));
    let named = [resource.get("principalInvestigator"), resource.get("sponsor")];
    for reference in named.into_iter().chain(sites).chain(listed) {
        parties.extend(draft.party(reference, resource, "Practitioner"));
    }
    let recruited = resource.get("recruitment").get("actualGroup");
    let mut groups = Vec::new();
    for reference in resource.get("enrollment").items().iter().chain(recruited.items()) {
        if let Some(group) = draft.named(reference, resource, "Group") {
            groups.push(group.name.as_ref().into());
        }
    }
    let period = resource.get("period");
    let (from, to) = (instant(period.get("start")), end_of(period.get("end")));
    draft.studies.insert(name.into(), Study { parties, groups, from, to });
}

pub(super) fn subject(draft: &mut Draft, resource: &Value<'_>) {
    let individual = resource.get("individual");
    let person = if individual.is_null() { resource.get("subject") } else { individual };
    let Some(patient) = draft.patient(person, resource) else { return };
    let study = draft.named(resource.get("study"), resource, "ResearchStudy");
    let Some(study) = study.map(|study| study.name.as_ref().into()) else { return };
    let period = resource.get("period");
    let (from, to) = (instant(period.get("start")), end_of(period.get("end")));
    let known_at = Written::of(resource).last.filter(|_| from.is_none());
    draft.subjects.push(Subject { patient, study, from, to, known_at });
}
