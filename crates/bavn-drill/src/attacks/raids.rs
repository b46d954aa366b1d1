//! Thefts that are over in an hour or two.

use super::{Attack, loot};
use crate::hospital::Kind;
use crate::life::DAY;
use crate::people::Shift;
use crate::services;
use crate::work::{Lookup, Reader, Scene, What};
use fastrand::Rng;

/// One record after another, `pause` seconds apart.
struct Raid {
    begin: i64,
    pause: f64,
    client: &'static str,
    address: Option<&'static str>,
}

impl Attack {
    /// False if this is no raid, or not its time.
    pub(super) fn raid(
        &mut self,
        rng: &mut Rng,
        scene: &Scene<'_>,
        index: usize,
        shift: Option<Shift>,
        out: &mut Vec<Lookup>,
    ) -> bool {
        let today = i64::from(scene.day) * DAY;
        let at_work = shift.map(|shift| today + shift.from + 3_600);
        let desk = Raid { begin: 0, pause: 0.0, client: "ehr-desktop", address: None };
        let take = |usual: usize| self.plan.take.unwrap_or(usual);
        let (loot, raid) = match (self.plan.name, at_work) {
            ("burst_night", _) => {
                let begin = today + DAY + 3_600 + rng.i64(0..3_600);
                let (address, wanted) = (Some("10.200.7.21"), take(700));
                // However much it is, it takes no more than two hours.
                let pause = (7_000.0 / wanted as f64).min(5.0);
                (loot::strangers(rng, scene, wanted), Raid { begin, pause, address, ..desk })
            }
            ("leaver", _) => {
                let begin = today + 20 * 3_600;
                (loot::strangers(rng, scene, take(45)), Raid { begin, pause: 110.0, ..desk })
            }
            ("dormant", _) => {
                let begin = today + 10 * 3_600;
                (loot::strangers(rng, scene, take(30)), Raid { begin, pause: 90.0, ..desk })
            }
            ("burst_day", Some(begin)) => {
                let raid = Raid { begin: begin + 3_600, pause: 18.0, ..desk };
                (loot::strangers(rng, scene, take(280)), raid)
            }
            ("api_random", Some(begin)) => {
                let raid = Raid { begin, pause: 2.0, client: "patient-app", address: None };
                (loot::strangers(rng, scene, take(400)), raid)
            }
            ("api_ordered", Some(begin)) => {
                let raid = Raid { begin, pause: 2.0, client: "patient-app", address: None };
                (self.in_order(scene, take(400)), raid)
            }
            ("log_cut", Some(begin)) => {
                let hospital = scene.units[scene.staff[index].unit].hospital;
                let from = (begin + CUT_AFTER_SECS) * 1_000;
                self.cut = Some((hospital, from..from + CUT_SECS * 1_000));
                let raid = Raid { begin, pause: 45.0, ..desk };
                (loot::strangers(rng, scene, take(60)), raid)
            }
            _ => return false,
        };
        self.carry_out(rng, scene, index, loot, &raid, out);
        true
    }

    fn carry_out(
        &mut self,
        rng: &mut Rng,
        scene: &Scene<'_>,
        index: usize,
        loot: Vec<usize>,
        raid: &Raid,
        out: &mut Vec<Lookup>,
    ) {
        let mut at_millis = raid.begin * 1_000;
        for patient in loot {
            at_millis += (raid.pause * 1_000.0 * (0.7 + 0.6 * rng.f64())) as i64;
            self.reads.push((Reader::Staff(index), patient, at_millis));
            out.push(Lookup {
                at_millis,
                reader: Reader::Staff(index),
                patient: Some(patient),
                hospital: scene.units[scene.staff[index].unit].hospital,
                what: What::Read,
                resource: "DocumentReference",
                purpose: "TREAT",
                client: raid.client,
                address: raid.address.map(str::to_owned),
                denied: false,
            });
        }
    }

    /// Patients from the target on, as their numbers follow one another.
    fn in_order(&self, scene: &Scene<'_>, take: usize) -> Vec<usize> {
        let mut by_number: Vec<usize> = (0..scene.patients.len()).collect();
        by_number.sort_unstable_by_key(|&index| scene.shape.identifiers.number(index));
        by_number.into_iter().skip(self.target).take(take).collect()
    }

    /// The batch account, in its profile of hour, client and kind of record; or with its credential
    /// elsewhere, on one night. Only the patients differ.
    pub(super) fn batch(&mut self, rng: &mut Rng, scene: &Scene<'_>, out: &mut Vec<Lookup>) {
        let elsewhere = self.plan.name == "batch_elsewhere";
        if elsewhere && !self.reads.is_empty() {
            return;
        }
        let mut at_millis = (i64::from(scene.day) * DAY + services::batch_hour_secs()) * 1_000;
        for _ in 0..self.plan.take.unwrap_or(if elsewhere { 150 } else { 30 }) {
            at_millis += rng.i64(300..1_900);
            let patient = rng.usize(0..scene.patients.len());
            self.reads.push((Reader::Service(services::BATCH), patient, at_millis));
            let mut row = services::row(services::BATCH, patient, at_millis, "Appointment");
            if elsewhere {
                row.address = Some("10.66.4.9".to_owned());
                row.resource = "DocumentReference";
            }
            out.push(row);
        }
    }

    /// Somebody who lies in a surgical ward as it begins.
    pub(super) fn pick_vip(&mut self, rng: &mut Rng, scene: &Scene<'_>) {
        let at = i64::from(scene.day) * DAY + 12 * 3_600;
        let lying: Vec<usize> = (0..scene.units.len())
            .filter(|&unit| scene.units[unit].kind == Kind::Surgery)
            .flat_map(|unit| scene.life.present(unit, at))
            .collect();
        if let Some(&patient) = rng.choice(&lying) {
            self.target = patient;
        }
    }
}

/// The log runs on for so long after the theft began, and is stopped for so long.
const CUT_AFTER_SECS: i64 = 8 * 60;
const CUT_SECS: i64 = 3 * 3_600;
