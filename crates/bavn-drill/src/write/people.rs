//! Organisations, patients, staff and lists, as their registers hold them.

use super::{LICENCE, LOGIN, NATIONAL, Names, NdJson, RECORD_NUMBER, Sink, organization};
use crate::life::DAY;
use crate::people::{Patient, Staff};
use crate::region::Cast;
use crate::services::SERVICES;
use crate::shape::{Missing, Shape};
use bavn_model::Timestamp;
use serde_json::{Value, json};
use std::io;

/// Writes organisations, people, protected groups and projects.
pub(crate) fn people(cast: &Cast, shape: &Shape, sink: &mut dyn Sink) -> io::Result<()> {
    places(cast, sink)?;
    patients(cast, sink)?;
    staff(cast, shape, sink)?;
    lists(cast, sink)
}

fn places(cast: &Cast, sink: &mut dyn Sink) -> io::Result<()> {
    let mut file = NdJson::new("Organization");
    for hospital in &cast.hospitals {
        file.add(
            &json!({"resourceType": "Organization", "id": hospital.name, "name": hospital.name}),
            sink,
        )?;
    }
    for unit in &cast.units {
        let above = format!("Organization/{}", cast.hospitals[unit.hospital].name);
        file.add(
            &json!({
                "resourceType": "Organization",
                "id": unit.id,
                "name": unit.kind.name(),
                "partOf": {"reference": above},
            }),
            sink,
        )?;
    }
    file.end(sink)?;
    let mut file = NdJson::new("Location");
    for unit in &cast.units {
        file.add(
            &json!({
                "resourceType": "Location",
                "id": format!("beds-{}", unit.id),
                "managingOrganization": {"reference": organization(unit)},
            }),
            sink,
        )?;
    }
    file.end(sink)
}

fn patients(cast: &Cast, sink: &mut dyn Sink) -> io::Result<()> {
    let patients = &cast.patients;
    let mut file = NdJson::new("Patient");
    let mut kin = NdJson::new("RelatedPerson");
    for (index, patient) in patients.iter().enumerate() {
        file.add(&patient_resource(&cast.names, index, patient), sink)?;
        let before = index.checked_sub(1).map(|before| (before, &patients[before]));
        let Some((before, kinsman)) = before else { continue };
        if kinsman.household == patient.household && index % 3 == 0 {
            let number = Names::national_number(before, kinsman.age);
            kin.add(
                &json!({
                    "resourceType": "RelatedPerson",
                    "id": format!("kin-{index}"),
                    "patient": {"reference": cast.names.patient(index)},
                    "identifier": [{"system": NATIONAL, "value": number}],
                }),
                sink,
            )?;
        }
    }
    file.end(sink)?;
    kin.end(sink)
}

/// Protected groups, system accounts, and the cohorts of approved projects.
fn lists(cast: &Cast, sink: &mut dyn Sink) -> io::Result<()> {
    let mut file = NdJson::new("Group");
    let members: Vec<Value> = cast
        .patients
        .iter()
        .enumerate()
        .filter(|(_, patient)| patient.armed_forces)
        .map(|(index, _)| json!({"entity": {"reference": cast.names.patient(index)}}))
        .collect();
    file.add(
        &json!({
            "resourceType": "Group",
            "id": "armed-forces",
            "type": "person",
            "actual": true,
            "name": "armed forces personnel",
            "member": members,
        }),
        sink,
    )?;
    file.end(sink)?;
    let mut file = NdJson::new("Device");
    for service in SERVICES {
        file.add(&json!({"resourceType": "Device", "id": service, "status": "active"}), sink)?;
    }
    file.end(sink)?;
    let Some(project) = &cast.project else { return Ok(()) };
    let mut file = NdJson::new("ResearchStudy");
    file.add(
        &json!({
            "resourceType": "ResearchStudy",
            "id": "quality-audit",
            "status": "active",
            "principalInvestigator": {"reference": Names::staff(project.reader)},
            "period": {
                "start": date(cast.names.at(i64::from(project.from_day - 7) * DAY)),
                "end": date(cast.names.at(i64::from(project.to_day + 1) * DAY)),
            },
        }),
        sink,
    )?;
    file.end(sink)?;
    let mut file = NdJson::new("ResearchSubject");
    for (place, &patient) in project.cohort.iter().enumerate() {
        file.add(
            &json!({
                "resourceType": "ResearchSubject",
                "id": format!("subject-{place}"),
                "status": "on-study",
                "study": {"reference": "ResearchStudy/quality-audit"},
                "individual": {"reference": cast.names.patient(patient)},
            }),
            sink,
        )?;
    }
    file.end(sink)
}

fn address(household: u32) -> Value {
    json!([{"line": [format!("Storgata {}", household % 9_973)], "postalCode": format!("{:04}", household % 431 + 1_000), "country": "NO"}])
}

fn patient_resource(names: &Names, index: usize, patient: &Patient) -> Value {
    json!({
        "resourceType": "Patient",
        "id": names.patient_id(index),
        "identifier": [
            {"system": NATIONAL, "value": Names::national_number(index, patient.age)},
            {"system": RECORD_NUMBER, "value": names.record_number(index)},
        ],
        "name": [{"family": format!("Testesen{}", patient.family_name)}],
        "birthDate": format!("{}", 2020 - i32::from(patient.age)),
        "address": address(patient.household),
    })
}

fn staff(cast: &Cast, shape: &Shape, sink: &mut dyn Sink) -> io::Result<()> {
    let mut people = NdJson::new("Practitioner");
    let mut roles = NdJson::new("PractitionerRole");
    for (index, person) in cast.staff.iter().enumerate() {
        people.add(&practitioner(cast, index, person), sink)?;
        let no_roster = shape.missing == Missing::Roster && cast.units[person.unit].hospital == 0;
        if person.missing_in_hr || no_roster {
            continue;
        }
        let posts = [Some(person.unit), person.second_unit];
        for (place, unit) in posts.into_iter().flatten().enumerate() {
            let mut period =
                json!({"start": date(cast.names.at(i64::from(person.from_day) * DAY))});
            if let Some(end) = person.to_day {
                period["end"] = json!(date(cast.names.at(i64::from(end) * DAY)));
            }
            roles.add(
                &json!({
                    "resourceType": "PractitionerRole",
                    "id": format!("post-{index}-{place}"),
                    "period": period,
                    "practitioner": {"reference": Names::staff(index)},
                    "organization": {"reference": organization(&cast.units[unit])},
                    "code": [{"coding": [{"code": person.role.name()}]}],
                }),
                sink,
            )?;
        }
    }
    people.end(sink)?;
    roles.end(sink)
}

fn practitioner(cast: &Cast, index: usize, person: &Staff) -> Value {
    let mut identifiers = vec![
        json!({"system": LICENCE, "value": Names::licence(index)}),
        json!({"system": LOGIN, "value": Names::login(index)}),
    ];
    let mut resource = json!({
        "resourceType": "Practitioner",
        "id": format!("hcw-{index}"),
        "active": person.to_day.is_none(),
        "name": [{"family": format!("Testesen{}", person.family_name)}],
    });
    if let Some(own) = person.patient {
        let national = Names::national_number(own, cast.patients[own].age);
        identifiers.push(json!({"system": NATIONAL, "value": national}));
        resource["address"] = address(cast.patients[own].household);
    }
    resource["identifier"] = Value::Array(identifiers);
    resource
}

fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
