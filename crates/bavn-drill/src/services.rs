//! System accounts: nightly batch, the interface engine, a research client.

use crate::chance::{count, some};
use crate::life::DAY;
use crate::work::{Lookup, Reader, Scene, What};
use fastrand::Rng;

/// Number and name of each system account.
pub(crate) const SERVICES: [&str; 3] = ["svc-appointment-letters", "svc-interface", "svc-registry"];
pub(crate) const BATCH: usize = 0;
const INTERFACE: usize = 1;
const REGISTRY: usize = 2;

/// Seconds of the day at which the batch begins.
const BATCH_AT: i64 = 3 * 3_600;

pub(crate) fn day(rng: &mut Rng, scene: &Scene<'_>, out: &mut Vec<Lookup>) {
    let today = i64::from(scene.day) * DAY;
    // Letters for everybody who is booked in two days; at month's end, for a week ahead.
    let ahead = if scene.day.rem_euclid(30) == 29 { 7 } else { 1 };
    let mut at_millis = (today + BATCH_AT) * 1_000;
    for bookings in &scene.life.bookings {
        for held in bookings {
            if today + 2 * DAY <= held.at && held.at < today + (2 + ahead) * DAY {
                at_millis += rng.i64(300..1_900);
                out.push(row(BATCH, held.patient, at_millis, "Appointment"));
            }
        }
    }
    // The interface engine follows admissions round the clock.
    for stays in &scene.life.stays {
        for stay in stays.iter().filter(|stay| today <= stay.from && stay.from < today + DAY) {
            out.push(row(
                INTERFACE,
                stay.patient,
                (stay.from + rng.i64(20..200)) * 1_000,
                "Encounter",
            ));
        }
    }
    // A registry takes in last week's cancer patients, on week-days.
    if scene.day.rem_euclid(7) == 1 {
        let cohort: Vec<usize> = scene.life.board.iter().flatten().copied().collect();
        let wanted = count(rng, 25.0);
        for (place, patient) in some(rng, &cohort, wanted).into_iter().enumerate() {
            let at = today + 9 * 3_600 + place as i64 * 20;
            out.push(row(REGISTRY, patient, at * 1_000, "Condition"));
        }
    }
}

/// One row of a system account, at its usual host and client.
pub(crate) fn row(
    service: usize,
    patient: usize,
    at_millis: i64,
    resource: &'static str,
) -> Lookup {
    Lookup {
        at_millis,
        reader: Reader::Service(service),
        patient: Some(patient),
        hospital: 0,
        what: What::Read,
        resource,
        purpose: if service == REGISTRY { "HRESCH" } else { "HOPERAT" },
        client: SERVICES[service],
        address: Some(format!("10.9.0.{}", 5 + service)),
        denied: false,
    }
}

/// When a theft through the batch account would hide: just after the batch's own rows.
pub(crate) const fn batch_hour_secs() -> i64 {
    BATCH_AT + 900
}
