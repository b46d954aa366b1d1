//! Records of care, some of them late, some of them never made.

use super::{Names, Sink, organization};
use crate::life::{Care, DAY};
use crate::region::Cast;
use crate::shape::{Missing, Shape};
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;

/// Keeps the records of care, as untidily as its region does.
#[derive(Debug)]
pub(crate) struct Clerk {
    rng: Rng,
    next_id: u64,
    tidy: f64,
}

impl Clerk {
    pub(crate) fn new(rng: Rng, tidy: f64) -> Self {
        Self { rng, next_id: 0, tidy }
    }
}

/// Writes what the hospitals' systems recorded of care: some of it late, some of it never.
pub(crate) fn care(
    clerk: &mut Clerk,
    cast: &Cast,
    happened: &[Care],
    shape: &Shape,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let mut files: BTreeMap<&'static str, String> = BTreeMap::new();
    for care in happened {
        // Never recorded: paper, telephone, another system.
        if clerk.rng.f64() > clerk.tidy && clerk.rng.f64() < 0.12 {
            continue;
        }
        let booked = matches!(care, Care::Appointment { .. });
        if booked && shape.missing == Missing::Appointments {
            continue;
        }
        clerk.next_id += 1;
        let (unit, made) = made(care);
        let hours = cast.hospitals[cast.units[unit].hospital].context_late_hours;
        let is_late = hours > 0 && clerk.rng.f64() < 0.4;
        let mut late_secs = if is_late { clerk.rng.i64(0..hours * 3_600) } else { 0 };
        if shape.missing == Missing::OrdersLate && matches!(care, Care::Order { .. }) {
            late_secs += DAY;
        }
        if let Some((day, days)) = shape.outage {
            let (from, to) = (i64::from(day) * DAY, i64::from(day + days) * DAY);
            if (from..to).contains(&(made + late_secs)) {
                late_secs = to - made;
            }
        }
        let paper = Paper { cast, id: clerk.next_id, late_secs };
        let (kind, resource) = paper.resource(care);
        let text = files.entry(kind).or_default();
        let copies = if clerk.next_id.is_multiple_of(1_013) { 2 } else { 1 };
        // Exports overlap, so some resources come twice.
        for _ in 0..copies {
            text.push_str(&resource.to_string());
            text.push('\n');
        }
    }
    for (kind, text) in files {
        sink.write(&format!("context/{kind}.ndjson"), text.as_bytes())?;
    }
    Ok(())
}

/// Where an event of care belongs, and when its record is made.
fn made(care: &Care) -> (usize, i64) {
    match care {
        Care::Encounter { legs, .. } => legs.first().map_or((0, 0), |leg| (leg.0, leg.1)),
        Care::Appointment { unit, created, .. } => (*unit, *created),
        Care::Order { unit, at, .. } | Care::Referral { unit, at, .. } => (*unit, *at),
        Care::CareTeam { unit, from, .. } => (*unit, *from),
    }
}

/// One record of care to be written.
struct Paper<'a> {
    cast: &'a Cast,
    id: u64,
    late_secs: i64,
}

impl Paper<'_> {
    fn resource(&self, care: &Care) -> (&'static str, Value) {
        match care {
            Care::Encounter { patient, legs, staff, class } => {
                ("Encounter", self.encounter(*patient, legs, staff, class))
            }
            Care::Appointment { patient, unit, staff, created, at, cancelled } => {
                let status = if *cancelled { "cancelled" } else { "booked" };
                ("Appointment", self.appointment(*patient, *unit, *staff, (*created, *at), status))
            }
            Care::Order { patient, unit, requester, at } => {
                let mut order = self.request(*patient, *unit, *at);
                order["requester"] = json!({"reference": Names::staff(*requester)});
                ("ServiceRequest", order)
            }
            Care::Referral { patient, unit, at } => {
                let mut referral = self.request(*patient, *unit, *at);
                referral["category"] = json!([{"coding": [{
                    "system": "http://snomed.info/sct",
                    "code": "3457005",
                    "display": "Patient referral",
                }]}]);
                ("ServiceRequest", referral)
            }
            Care::CareTeam { patient, unit, staff, from } => {
                ("CareTeam", self.care_team(*patient, *unit, staff, *from))
            }
        }
    }

    fn at(&self, secs: i64) -> String {
        self.cast.names.at(secs).to_string()
    }

    fn known(&self, secs: i64) -> Value {
        json!({"lastUpdated": self.at(secs + self.late_secs)})
    }

    fn patient(&self, index: usize) -> Value {
        json!({"reference": self.cast.names.patient(index)})
    }

    fn beds(&self, unit: usize) -> Value {
        json!({"reference": format!("Location/beds-{}", self.cast.units[unit].id)})
    }

    fn encounter(
        &self,
        patient: usize,
        legs: &[(usize, i64, i64)],
        staff: &[usize],
        class: &str,
    ) -> Value {
        let first = legs.first().copied().unwrap_or_default();
        let last = legs.last().copied().unwrap_or_default();
        let participants: Vec<Value> = staff
            .iter()
            .map(|&index| json!({"individual": {"reference": Names::staff(index)}}))
            .collect();
        let mut resource = json!({
            "resourceType": "Encounter",
            "id": format!("enc-{}", self.id),
            "meta": self.known(first.1),
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class},
            "subject": self.patient(patient),
            "period": {"start": self.at(first.1), "end": self.at(last.2)},
            "serviceProvider": {"reference": organization(&self.cast.units[first.0])},
            "participant": participants,
        });
        if legs.len() > 1 {
            let leg = |&(unit, from, to): &(usize, i64, i64)| {
                let period = json!({"start": self.at(from), "end": self.at(to)});
                json!({"location": self.beds(unit), "period": period})
            };
            resource["location"] = legs.iter().map(leg).collect();
        }
        resource
    }

    fn appointment(
        &self,
        patient: usize,
        unit: usize,
        staff: usize,
        (created, at): (i64, i64),
        status: &str,
    ) -> Value {
        json!({
            "resourceType": "Appointment",
            "id": format!("app-{}", self.id),
            "meta": self.known(created),
            "status": status,
            "created": self.at(created),
            "start": self.at(at),
            "end": self.at(at + 1_800),
            "participant": [
                {"actor": self.patient(patient), "status": "accepted"},
                {"actor": {"reference": Names::staff(staff)}, "status": "accepted"},
                {"actor": self.beds(unit), "status": "accepted"},
            ],
        })
    }

    fn request(&self, patient: usize, unit: usize, at: i64) -> Value {
        json!({
            "resourceType": "ServiceRequest",
            "id": format!("req-{}", self.id),
            "meta": self.known(at),
            "status": "active",
            "intent": "order",
            "subject": self.patient(patient),
            "authoredOn": self.at(at),
            "performer": [{"reference": organization(&self.cast.units[unit])}],
        })
    }

    fn care_team(&self, patient: usize, unit: usize, staff: &[usize], from: i64) -> Value {
        let members: Vec<Value> = staff
            .iter()
            .map(|&index| json!({"member": {"reference": Names::staff(index)}}))
            .collect();
        json!({
            "resourceType": "CareTeam",
            "id": format!("team-{}", self.id),
            "meta": self.known(from),
            "status": "active",
            "subject": self.patient(patient),
            "period": {"start": self.at(from)},
            "participant": members,
            "managingOrganization": [{"reference": organization(&self.cast.units[unit])}],
        })
    }
}
