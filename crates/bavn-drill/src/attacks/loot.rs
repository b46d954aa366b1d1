//! Whose records thieves want.

use crate::chance::{self, some};
use crate::people::Staff;
use crate::work::{Lookup, Reader, Scene, What};
use fastrand::Rng;

pub(super) fn strangers(rng: &mut Rng, scene: &Scene<'_>, count: usize) -> Vec<usize> {
    (0..count).map(|_| rng.usize(0..scene.patients.len())).collect()
}

/// Each target lies in the own unit with the chance `own`, else anywhere.
pub(super) fn strangers_and_own(
    rng: &mut Rng,
    scene: &Scene<'_>,
    index: usize,
    at: i64,
    count: usize,
    own: f64,
) -> Vec<usize> {
    let from_ward = (0..count).filter(|_| chance::happens(rng, own)).count();
    let ward = scene.life.present(scene.staff[index].unit, at + 2 * 3_600);
    let mut targets = some(rng, &ward, from_ward);
    targets.extend(strangers(rng, scene, count - from_ward));
    targets
}

/// Patients who lie in other wards of the own hospital.
pub(super) fn other_wards(
    rng: &mut Rng,
    scene: &Scene<'_>,
    index: usize,
    at: i64,
    count: usize,
) -> Vec<usize> {
    let own = scene.staff[index].unit;
    let hospital = &scene.hospitals[scene.units[own].hospital];
    let lying: Vec<usize> = hospital
        .wards(scene.units)
        .filter(|&ward| ward != own)
        .flat_map(|ward| scene.life.present(ward, at))
        .collect();
    some(rng, &lying, count)
}

pub(super) fn armed_forces(rng: &mut Rng, scene: &Scene<'_>, count: usize) -> Vec<usize> {
    let listed: Vec<usize> =
        (0..scene.patients.len()).filter(|&patient| scene.patients[patient].armed_forces).collect();
    some(rng, &listed, count)
}

/// A household's members stand side by side.
pub(super) fn relatives(scene: &Scene<'_>, person: &Staff) -> Vec<usize> {
    let Some(own) = person.patient else { return Vec::new() };
    let household = scene.patients[own].household;
    let near = own.saturating_sub(8)..(own + 8).min(scene.patients.len());
    near.filter(|&other| other != own && scene.patients[other].household == household)
        .take(1)
        .collect()
}

pub(super) fn neighbours(rng: &mut Rng, scene: &Scene<'_>, person: &Staff) -> Vec<usize> {
    let Some(own) = person.patient else { return Vec::new() };
    let near = own.saturating_sub(12)..(own + 12).min(scene.patients.len());
    let household = scene.patients[own].household;
    let others: Vec<usize> =
        near.filter(|&other| scene.patients[other].household != household).collect();
    some(rng, &others, 1)
}

pub(super) fn colleague(rng: &mut Rng, scene: &Scene<'_>, index: usize) -> Vec<usize> {
    let colleagues: Vec<usize> = scene.units[scene.staff[index].unit]
        .staff
        .iter()
        .filter(|&&other| other != index)
        .filter_map(|&other| scene.staff[other].patient)
        .collect();
    some(rng, &colleagues, 1)
}

pub(super) fn searches(
    rng: &mut Rng,
    scene: &Scene<'_>,
    index: usize,
    begin: i64,
    out: &mut Vec<Lookup>,
) {
    for _ in 0..60 {
        out.push(Lookup {
            at_millis: (begin + rng.i64(0..3 * 3_600)) * 1_000,
            reader: Reader::Staff(index),
            patient: None,
            hospital: scene.units[scene.staff[index].unit].hospital,
            what: What::Search,
            resource: "Patient",
            purpose: "TREAT",
            client: "ehr-desktop",
            address: None,
            denied: false,
        });
    }
}
