//! A region as files: context as FHIR R4 NDJSON, look-ups in each hospital's own dialect.

use crate::hospital::{Hospital, Spelling, Unit};
use crate::life::{Care, DAY};
use crate::people::{Patient, Staff};
use crate::services::SERVICES;
use crate::work::{Lookup, Reader, What};
use bavn_decode::encode::{self, Dialect, Outgoing, Spelled};
use bavn_model::Timestamp;
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;

/// Takes what is written, chunk after chunk of each file; files grow side by side.
pub trait Sink {
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()>;
}

/// Files in memory, for tests and for the demonstration.
#[derive(Debug, Default)]
pub struct Memory {
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Sink for Memory {
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.entry(file.to_owned()).or_default().extend_from_slice(bytes);
        Ok(())
    }
}

/// The names under which people stand in context and logs.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) start: Timestamp,
}

impl Names {
    pub(crate) fn at(&self, secs: i64) -> Timestamp {
        self.start.plus_secs(secs)
    }

    pub(crate) fn at_millis(&self, millis: i64) -> Timestamp {
        Timestamp::from_micros(self.start.micros() + millis * 1_000)
    }

    pub(crate) fn staff(index: usize) -> String {
        format!("Practitioner/hcw-{index}")
    }

    pub(crate) fn reader(reader: Reader) -> String {
        match reader {
            Reader::Staff(index) => Self::staff(index),
            Reader::Service(index) => format!("Device/{}", SERVICES[index]),
        }
    }

    pub(crate) fn patient(index: usize) -> String {
        format!("Patient/p{index}")
    }

    fn licence(index: usize) -> String {
        format!("{}", 9_000_001 + index * 7)
    }

    fn login(index: usize) -> String {
        format!("u{:05}", index * 3 + 11)
    }

    fn record_number(index: usize) -> String {
        format!("{}", 30_000_000 + index * 11)
    }

    /// A number for a person who does not exist: the month is 80 too high, as in the test range
    /// of Skatteetaten's synthetic register.
    fn national_number(index: usize, age: u8) -> String {
        let year = (100 - u32::from(age) + 20) % 100;
        format!("{:02}{:02}{year:02}{:05}", index % 28 + 1, index / 28 % 12 + 81, index % 99_991)
    }
}

/// Writes the look-ups of a day, which are in the order of time.
pub(crate) fn lookups(
    names: &Names,
    hospitals: &[Hospital],
    staff: &[Staff],
    patients: &[Patient],
    rows: &[Lookup],
    next_id: &mut u64,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let mut texts: Vec<String> = vec![String::new(); hospitals.len() + 1];
    for row in rows {
        let hospital = &hospitals[row.hospital];
        // System accounts have a log of their own.
        let service = matches!(row.reader, Reader::Service(_));
        let file = if service { hospitals.len() } else { row.hospital };
        let (dialect, spelling) = if service {
            (Dialect::FhirR4, Spelling::Reference)
        } else {
            (hospital.dialect, hospital.spelling)
        };
        let reader = spelled_reader(row.reader, spelling);
        let patient = row.patient.map(|patient| spelled_patient(patient, patients, spelling));
        let address = row.address.clone().unwrap_or_else(|| match row.reader {
            Reader::Staff(index) => staff[index].address.clone(),
            Reader::Service(_) => String::new(),
        });
        let query = (row.what == What::Search).then(|| format!("Patient?name=x{}", *next_id % 997));
        let (action, interaction) = match row.what {
            What::Read => ('R', "read"),
            What::Search => ('E', "search-type"),
            What::Update => ('U', "update"),
            What::Print => ('R', "print"),
        };
        let outgoing = Outgoing {
            id: *next_id,
            at: names.at_millis(row.at_millis + hospital.clock_offset * 1_000),
            utc_offset_hours: if service { 0 } else { hospital.utc_offset_hours },
            who: as_spelled(&reader),
            patient: patient.as_ref().map(as_spelled),
            query: query.as_deref(),
            action,
            interaction,
            resource: row.resource,
            purpose: row.purpose,
            denied: row.denied,
            source: if service { "shared-services" } else { &hospital.name },
            application: row.client,
            address: &address,
        };
        *next_id += 1;
        encode::encode(dialect, &outgoing, &mut texts[file]);
        // Some systems send the same record twice.
        if next_id.is_multiple_of(4_999) {
            encode::encode(dialect, &outgoing, &mut texts[file]);
        }
    }
    for (index, text) in texts.iter().enumerate() {
        let Some(hospital) = hospitals.get(index) else {
            sink.write("events/shared-services.ndjson", text.as_bytes())?;
            continue;
        };
        let ending = if hospital.dialect == Dialect::AtnaSyslog { "syslog" } else { "ndjson" };
        sink.write(&format!("events/{}.{ending}", hospital.name), text.as_bytes())?;
    }
    Ok(())
}

enum Name {
    Reference(String),
    Identifier(&'static str, String),
}

fn as_spelled(name: &Name) -> Spelled<'_> {
    match name {
        Name::Reference(reference) => Spelled::Reference(reference),
        Name::Identifier(system, value) => Spelled::Identifier { system, value },
    }
}

fn spelled_reader(reader: Reader, spelling: Spelling) -> Name {
    match (reader, spelling) {
        (Reader::Staff(index), Spelling::LocalNumber) => {
            Name::Identifier(LOGIN, Names::login(index))
        }
        (Reader::Staff(index), Spelling::National) => {
            Name::Identifier(LICENCE, Names::licence(index))
        }
        (reader, _) => Name::Reference(Names::reader(reader)),
    }
}

fn spelled_patient(index: usize, patients: &[Patient], spelling: Spelling) -> Name {
    match spelling {
        Spelling::Reference => Name::Reference(Names::patient(index)),
        Spelling::LocalNumber => Name::Identifier(RECORD_NUMBER, Names::record_number(index)),
        Spelling::National => {
            Name::Identifier(NATIONAL, Names::national_number(index, patients[index].age))
        }
    }
}

/// Writes organisations, people and protected groups.
pub(crate) fn people(
    names: &Names,
    hospitals: &[Hospital],
    units: &[Unit],
    staff: &[Staff],
    patients: &[Patient],
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let mut file = NdJson::new("Organization");
    for hospital in hospitals {
        file.add(
            &json!({"resourceType": "Organization", "id": hospital.name, "name": hospital.name}),
            sink,
        )?;
    }
    for unit in units {
        let above = format!("Organization/{}", hospitals[unit.hospital].name);
        file.add(&json!({"resourceType": "Organization", "id": unit.id, "name": unit.kind.name(), "partOf": {"reference": above}}), sink)?;
    }
    file.end(sink)?;
    let mut file = NdJson::new("Location");
    for unit in units {
        file.add(&json!({"resourceType": "Location", "id": format!("beds-{}", unit.id), "managingOrganization": {"reference": organization(unit)}}), sink)?;
    }
    file.end(sink)?;
    let mut file = NdJson::new("Patient");
    let mut kin = NdJson::new("RelatedPerson");
    for (index, patient) in patients.iter().enumerate() {
        file.add(&patient_resource(index, patient), sink)?;
        let with_before = index > 0 && patients[index - 1].household == patient.household;
        if with_before && index % 3 == 0 {
            kin.add(&json!({
                "resourceType": "RelatedPerson", "id": format!("kin-{index}"),
                "patient": {"reference": Names::patient(index)},
                "identifier": [{"system": NATIONAL, "value": Names::national_number(index - 1, patients[index - 1].age)}],
            }), sink)?;
        }
    }
    file.end(sink)?;
    kin.end(sink)?;
    staff_resources(names, units, staff, patients, sink)?;
    let mut file = NdJson::new("Group");
    let members: Vec<Value> = patients
        .iter()
        .enumerate()
        .filter(|(_, patient)| patient.armed_forces)
        .map(|(index, _)| json!({"entity": {"reference": Names::patient(index)}}))
        .collect();
    file.add(&json!({"resourceType": "Group", "id": "armed-forces", "type": "person", "actual": true, "name": "armed forces personnel", "member": members}), sink)?;
    file.end(sink)?;
    let mut file = NdJson::new("Device");
    for service in SERVICES {
        file.add(&json!({"resourceType": "Device", "id": service, "status": "active"}), sink)?;
    }
    file.end(sink)
}

fn organization(unit: &Unit) -> String {
    format!("Organization/{}", unit.id)
}

fn address(household: u32) -> Value {
    json!([{"line": [format!("Storgata {}", household % 9_973)], "postalCode": format!("{:04}", household % 431 + 1_000), "country": "NO"}])
}

fn patient_resource(index: usize, patient: &Patient) -> Value {
    json!({
        "resourceType": "Patient",
        "id": format!("p{index}"),
        "identifier": [
            {"system": NATIONAL, "value": Names::national_number(index, patient.age)},
            {"system": RECORD_NUMBER, "value": Names::record_number(index)},
        ],
        "name": [{"family": format!("Testesen{}", patient.family_name)}],
        "birthDate": format!("{}", 2020 - i32::from(patient.age)),
        "address": address(patient.household),
    })
}

fn staff_resources(
    names: &Names,
    units: &[Unit],
    staff: &[Staff],
    patients: &[Patient],
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let mut people = NdJson::new("Practitioner");
    let mut roles = NdJson::new("PractitionerRole");
    for (index, person) in staff.iter().enumerate() {
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
            let national = Names::national_number(own, patients[own].age);
            identifiers.push(json!({"system": NATIONAL, "value": national}));
            resource["address"] = address(patients[own].household);
        }
        resource["identifier"] = Value::Array(identifiers);
        people.add(&resource, sink)?;
        if person.missing_in_hr {
            continue;
        }
        for (place, unit) in
            [Some(person.unit), person.second_unit].into_iter().flatten().enumerate()
        {
            let mut period = json!({"start": date(names.at(i64::from(person.from_day) * DAY))});
            if let Some(end) = person.to_day {
                period["end"] = json!(date(names.at(i64::from(end) * DAY)));
            }
            roles.add(
                &json!({
                    "resourceType": "PractitionerRole",
                    "id": format!("post-{index}-{place}"),
                    "period": period,
                    "practitioner": {"reference": Names::staff(index)},
                    "organization": {"reference": organization(&units[unit])},
                    "code": [{"coding": [{"code": person.role.name()}]}],
                }),
                sink,
            )?;
        }
    }
    people.end(sink)?;
    roles.end(sink)
}

fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

#[expect(clippy::too_many_arguments, reason = "everything that a record of care names")]
/// Writes what the hospitals' systems recorded of care: some of it late, some of it never.
pub(crate) fn care(
    rng: &mut Rng,
    names: &Names,
    hospitals: &[Hospital],
    units: &[Unit],
    happened: &[Care],
    tidy: f64,
    next_id: &mut u64,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let mut files: BTreeMap<&'static str, String> = BTreeMap::new();
    for care in happened {
        // Never recorded: paper, telephone, another system.
        if rng.f64() > tidy && rng.f64() < 0.12 {
            continue;
        }
        *next_id += 1;
        let unit = match care {
            Care::Encounter { legs, .. } => legs.first().map_or(0, |leg| leg.0),
            Care::Appointment { unit, .. }
            | Care::Order { unit, .. }
            | Care::Referral { unit, .. }
            | Care::CareTeam { unit, .. } => *unit,
        };
        let late = hospitals[units[unit].hospital].context_late_hours;
        let late_secs = if late > 0 && rng.f64() < 0.4 { rng.i64(0..late * 3_600) } else { 0 };
        let (kind, resource) = care_resource(names, units, care, *next_id, late_secs);
        let text = files.entry(kind).or_default();
        text.push_str(&resource.to_string());
        text.push('\n');
        // Exports overlap, so some resources come twice.
        if next_id.is_multiple_of(1_013) {
            let again = resource.to_string();
            text.push_str(&again);
            text.push('\n');
        }
    }
    for (kind, text) in files {
        sink.write(&format!("context/{kind}.ndjson"), text.as_bytes())?;
    }
    Ok(())
}

fn care_resource(
    names: &Names,
    units: &[Unit],
    care: &Care,
    id: u64,
    late_secs: i64,
) -> (&'static str, Value) {
    let at = |secs: i64| names.at(secs).to_string();
    let known = |secs: i64| json!({"lastUpdated": at(secs + late_secs)});
    match care {
        Care::Encounter { patient, legs, staff, class } => {
            let (first, last) = (
                legs.first().copied().unwrap_or_default(),
                legs.last().copied().unwrap_or_default(),
            );
            let participants: Vec<Value> = staff
                .iter()
                .map(|&index| json!({"individual": {"reference": Names::staff(index)}}))
                .collect();
            let mut resource = json!({
                "resourceType": "Encounter", "id": format!("enc-{id}"), "meta": known(first.1), "status": "finished",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class},
                "subject": {"reference": Names::patient(*patient)},
                "period": {"start": at(first.1), "end": at(last.2)},
                "serviceProvider": {"reference": organization(&units[first.0])},
                "participant": participants,
            });
            if legs.len() > 1 {
                resource["location"] = legs
                    .iter()
                    .map(|&(unit, from, to)| {
                        json!({
                            "location": {"reference": format!("Location/beds-{}", units[unit].id)},
                            "period": {"start": at(from), "end": at(to)},
                        })
                    })
                    .collect();
            }
            ("Encounter", resource)
        }
        Care::Appointment { patient, unit, staff, created, at: when, cancelled } => (
            "Appointment",
            json!({
                "resourceType": "Appointment", "id": format!("app-{id}"), "meta": known(*created),
                "status": if *cancelled { "cancelled" } else { "booked" },
                "created": at(*created), "start": at(*when), "end": at(*when + 1_800),
                "participant": [
                    {"actor": {"reference": Names::patient(*patient)}, "status": "accepted"},
                    {"actor": {"reference": Names::staff(*staff)}, "status": "accepted"},
                    {"actor": {"reference": format!("Location/beds-{}", units[*unit].id)}, "status": "accepted"},
                ],
            }),
        ),
        Care::Order { patient, unit, requester, at: when } => (
            "ServiceRequest",
            json!({
                "resourceType": "ServiceRequest", "id": format!("req-{id}"), "meta": known(*when),
                "status": "active", "intent": "order",
                "subject": {"reference": Names::patient(*patient)}, "authoredOn": at(*when),
                "requester": {"reference": Names::staff(*requester)},
                "performer": [{"reference": organization(&units[*unit])}],
            }),
        ),
        Care::Referral { patient, unit, at: when } => (
            "ServiceRequest",
            json!({
                "resourceType": "ServiceRequest", "id": format!("req-{id}"), "meta": known(*when),
                "status": "active", "intent": "order",
                "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "3457005", "display": "Patient referral"}]}],
                "subject": {"reference": Names::patient(*patient)}, "authoredOn": at(*when),
                "performer": [{"reference": organization(&units[*unit])}],
            }),
        ),
        Care::CareTeam { patient, unit, staff, from } => {
            let members: Vec<Value> = staff
                .iter()
                .map(|&index| json!({"member": {"reference": Names::staff(index)}}))
                .collect();
            (
                "CareTeam",
                json!({
                    "resourceType": "CareTeam", "id": format!("team-{id}"), "meta": known(*from),
                    "status": "active", "subject": {"reference": Names::patient(*patient)},
                    "period": {"start": at(*from)}, "participant": members,
                    "managingOrganization": [{"reference": organization(&units[*unit])}],
                }),
            )
        }
    }
}

/// One NDJSON file, written in chunks.
struct NdJson {
    file: String,
    text: String,
}

impl NdJson {
    fn new(kind: &str) -> Self {
        Self { file: format!("context/{kind}.ndjson"), text: String::new() }
    }

    fn add(&mut self, resource: &Value, sink: &mut dyn Sink) -> io::Result<()> {
        self.text.push_str(&resource.to_string());
        self.text.push('\n');
        if self.text.len() > CHUNK_BYTES {
            sink.write(&self.file, self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }

    fn end(self, sink: &mut dyn Sink) -> io::Result<()> {
        sink.write(&self.file, self.text.as_bytes())
    }
}

const CHUNK_BYTES: usize = 1 << 20;
const NATIONAL: &str = "urn:oid:2.16.578.1.12.4.1.4.1";
const LICENCE: &str = "urn:oid:2.16.578.1.12.4.1.4.4";
const LOGIN: &str = "https://region.example/login";
const RECORD_NUMBER: &str = "https://region.example/record-number";
