//! An ordinary day at work: which records people open, with and without a recorded reason.

use crate::chance::{self, count, happens, some};
use crate::hospital::{Hospital, Kind, Unit};
use crate::life::{DAY, Life};
use crate::people::{Patient, Role, Shift, Staff, is_weekend};
use crate::region::Project;
use crate::shape::Shape;
use fastrand::Rng;
use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;

/// One row of an audit log, before it is spelt in a dialect.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// Milliseconds of the log.
    pub(crate) at_millis: i64,
    pub(crate) reader: Reader,
    pub(crate) patient: Option<usize>,
    /// The log that it is written to.
    pub(crate) hospital: usize,
    pub(crate) what: What,
    pub(crate) resource: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) client: &'static str,
    pub(crate) address: Option<String>,
    pub(crate) denied: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reader {
    Staff(usize),
    Service(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Read,
    Search,
    Update,
    Print,
}

/// Everything that a day's work depends on.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) seed: u64,
    pub(crate) hospitals: &'a [Hospital],
    pub(crate) units: &'a [Unit],
    pub(crate) staff: &'a [Staff],
    pub(crate) patients: &'a [Patient],
    pub(crate) life: &'a Life,
    pub(crate) shape: &'a Shape,
    pub(crate) day: i32,
    pub(crate) project: Option<&'a Project>,
    /// An upgrade of the record system, when people click twice as much.
    pub(crate) upgrade: bool,
}

/// What people remember from day to day.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    former: HashMap<usize, Vec<usize>>,
}

/// All look-ups that one member of staff makes on a shift.
pub(crate) fn shift(
    rng: &mut Rng,
    scene: &Scene<'_>,
    memory: &mut Memory,
    index: usize,
    shift: Shift,
    out: &mut Vec<Lookup>,
) {
    let person = &scene.staff[index];
    let start = i64::from(scene.day) * DAY + shift.from;
    let unit = workplace(rng, scene, person);
    let day_pace = person.pace * chance::spread(rng, 0.25);
    let wanted = count(rng, day_pace).max(1);
    let mut patients = the_units_patients(rng, scene, index, unit, start + 4 * 3_600, wanted);
    without_a_record(rng, scene, memory, index, unit, start + 4 * 3_600, &mut patients);
    let pages = if scene.upgrade { 2.0 } else { 1.0 };
    let first = out.len();
    for patient in &patients {
        let at = start + rng.i64(300..shift.to - shift.from - 900);
        visit(rng, scene, index, *patient, at, pages, out);
    }
    if let Some(address) = elsewhere(scene, index, unit) {
        for row in out.iter_mut().skip(first) {
            row.address = Some(address.clone());
        }
    }
    // What is met at work today may be looked up again in weeks to come.
    let former = memory.former.entry(index).or_default();
    for patient in patients.into_iter().take(2) {
        if former.len() < FORMER_MAX {
            former.push(patient);
        } else {
            let place = rng.usize(0..FORMER_MAX);
            former[place] = patient;
        }
    }
    searches(rng, scene, index, start, out);
}

/// Where somebody sits today who is not at the usual desk: at one of the unit that is helped out, or at
/// home, with whatever address the remote access gives.
fn elsewhere(scene: &Scene<'_>, index: usize, unit: usize) -> Option<String> {
    let person = &scene.staff[index];
    let today = chance::fixed(scene.seed, index as u64, scene.day as u64 ^ 0x0de5);
    if unit != person.unit {
        let desk = 2 + (today * 10.0) as u8;
        return Some(format!("10.{}.{}.{desk}", scene.units[unit].hospital + 20, unit % 250));
    }
    let may = chance::fixed(scene.seed, index as u64, 0x40e) < HOME_SHARE;
    let at_home = may && today < HOME_DAYS;
    at_home.then(|| {
        let address = (today / HOME_DAYS * 1_000.0) as usize;
        format!("10.250.{}.{}", address / 250, 1 + address % 250)
    })
}

/// A visit: several rows within minutes, of several kinds of content.
pub(crate) fn visit(
    rng: &mut Rng,
    scene: &Scene<'_>,
    index: usize,
    patient: usize,
    at: i64,
    pages: f64,
    out: &mut Vec<Lookup>,
) {
    let rows = 1 + count(rng, 2.2 * pages);
    let person = &scene.staff[index];
    let mut at_millis = at * 1_000 + rng.i64(0..1_000);
    for row in 0..rows {
        let what = match (row, happens(rng, 0.08), happens(rng, 0.01)) {
            (0, ..) => What::Read,
            (_, true, _) => What::Update,
            (_, _, true) => What::Print,
            _ => What::Read,
        };
        out.push(Lookup {
            at_millis,
            reader: Reader::Staff(index),
            patient: Some(patient),
            hospital: scene.units[person.unit].hospital,
            what,
            resource: RESOURCES[rng.usize(0..RESOURCES.len())],
            purpose: purpose(rng, person.role),
            client: "ehr-desktop",
            address: None,
            denied: happens(rng, 0.003),
        });
        at_millis += 1_000 + (chance::wait(rng, 40.0) * 1_000.0) as i64;
    }
}

fn purpose(rng: &mut Rng, role: Role) -> &'static str {
    match role {
        Role::Coder => "HPAYMT",
        Role::Secretary => "HOPERAT",
        _ if happens(rng, 0.0015) => "BTG",
        _ => "TREAT",
    }
}

/// Where a person works today: floats anywhere, week-ends cover a neighbour, some have two posts.
fn workplace(rng: &mut Rng, scene: &Scene<'_>, person: &Staff) -> usize {
    let hospital = &scene.hospitals[scene.units[person.unit].hospital];
    let wards: Vec<usize> = hospital.wards(scene.units).collect();
    let covers =
        scene.units[person.unit].kind.has_beds() && is_weekend(scene.day) && happens(rng, 0.2);
    if person.floats || covers {
        return wards[rng.usize(0..wards.len())];
    }
    match person.second_unit {
        Some(unit) if happens(rng, 0.4) => unit,
        _ => person.unit,
    }
}

/// Patients whom some system says this unit has to do with.
fn the_units_patients(
    rng: &mut Rng,
    scene: &Scene<'_>,
    index: usize,
    unit: usize,
    mid: i64,
    wanted: usize,
) -> Vec<usize> {
    let (life, person) = (scene.life, &scene.staff[index]);
    let hospital_index = scene.units[unit].hospital;
    let hospital = &scene.hospitals[hospital_index];
    let today = i64::from(scene.day) * DAY;
    let bookings = |ahead_days: i64, mine: bool| -> Vec<usize> {
        let soon = today..today + ahead_days * DAY;
        let held = life.bookings[unit].iter().filter(|held| soon.contains(&held.at));
        held.filter(|held| !mine || held.staff == index).map(|held| held.patient).collect()
    };
    let everywhere = |wards: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
        wards.flat_map(|ward| life.present(ward, mid)).collect()
    };
    let mut pool = match scene.units[unit].kind {
        // Pre-reading: the doctor's own clinic of the next days, the front desk's of today.
        Kind::Outpatient if person.role == Role::Doctor => bookings(3, true),
        Kind::Outpatient => bookings(1, false),
        Kind::Radiology | Kind::Laboratory | Kind::Physiotherapy => {
            queued(&life.orders[unit], mid - 30 * 3_600..=mid + 3 * 3_600)
        }
        Kind::Coding => queued(&life.discharged[hospital_index], mid - 5 * DAY..=mid),
        Kind::ReferralOffice => queued(&life.referred[hospital_index], i64::MIN..=mid),
        Kind::Anaesthesia => everywhere(
            &mut hospital
                .of_kind(scene.units, Kind::Surgery)
                .chain(hospital.of_kind(scene.units, Kind::Orthopaedics)),
        ),
        Kind::InfectionControl => everywhere(&mut hospital.wards(scene.units)),
        Kind::Palliative => everywhere(
            &mut hospital
                .of_kind(scene.units, Kind::Oncology)
                .chain(hospital.of_kind(scene.units, Kind::Medicine)),
        ),
        _ => {
            let mut pool = life.present(unit, mid);
            pool.extend(bookings(2, true));
            pool
        }
    };
    rng.shuffle(&mut pool);
    pool.truncate(wanted.max(3));
    pool
}

fn queued(queue: &VecDeque<(usize, i64)>, when: RangeInclusive<i64>) -> Vec<usize> {
    queue.iter().filter(|(_, at)| when.contains(at)).map(|&(patient, _)| patient).collect()
}

/// Patients whom no record ties to the reader, each for a good reason.
fn without_a_record(
    rng: &mut Rng,
    scene: &Scene<'_>,
    memory: &Memory,
    index: usize,
    unit: usize,
    mid: i64,
    patients: &mut Vec<usize>,
) {
    let (life, person) = (scene.life, &scene.staff[index]);
    let chance = |usual: f64| (usual * scene.shape.unexplained).min(0.95);
    let clinical = matches!(person.role, Role::Doctor | Role::Nurse);
    // Sign-off: letters and results after the patient went home.
    if clinical && happens(rng, chance(0.35)) {
        let left: Vec<usize> = life.stays[unit]
            .iter()
            .filter(|stay| stay.to < mid && mid - stay.to < 9 * DAY)
            .map(|stay| stay.patient)
            .collect();
        patients.extend(some(rng, &left, 2));
    }
    // A question from the next ward.
    if clinical && happens(rng, chance(0.18)) {
        let hospital = &scene.hospitals[scene.units[unit].hospital];
        let wards: Vec<usize> = hospital.wards(scene.units).collect();
        let ward = wards[rng.usize(0..wards.len())];
        patients.extend(some(rng, &life.present(ward, mid), 1));
    }
    // What became of a former patient.
    if happens(rng, chance(0.14))
        && let Some(former) = memory.former.get(&index).filter(|former| !former.is_empty())
    {
        patients.push(former[rng.usize(0..former.len())]);
    }
    // The wrong patient, and then the right one.
    if happens(rng, chance(0.05)) {
        let right = patients.first().copied();
        patients.push(rng.usize(0..scene.patients.len()));
        patients.extend(right);
    }
    meetings_and_reviews(rng, scene, index, unit, mid, patients);
}

/// Whole lists of patients at once: boards, calls from elsewhere, reviews.
fn meetings_and_reviews(
    rng: &mut Rng,
    scene: &Scene<'_>,
    index: usize,
    unit: usize,
    mid: i64,
    patients: &mut Vec<usize>,
) {
    let (life, person) = (scene.life, &scene.staff[index]);
    let chance = |usual: f64| (usual * scene.shape.unexplained).min(0.95);
    let hospital_index = scene.units[unit].hospital;
    let hospital = &scene.hospitals[hospital_index];
    let doctor = person.role == Role::Doctor;
    // The weekly tumour board.
    let on_board = matches!(
        scene.units[person.unit].kind,
        Kind::Oncology | Kind::Surgery | Kind::Radiology | Kind::Palliative
    );
    let board_day = scene.day.rem_euclid(7) == crate::life::board_weekday(hospital_index) + 1;
    if doctor && on_board && board_day && happens(rng, chance(0.5)) {
        patients.extend(life.board[hospital_index].iter().copied());
    }
    // A stroke call: the specialist reads a patient who lies in another hospital.
    if doctor && happens(rng, chance(0.02)) && scene.hospitals.len() > 1 {
        let other = &scene.hospitals[(hospital_index + 1) % scene.hospitals.len()];
        if let Some(emergency) = other.of_kind(scene.units, Kind::Emergency).next() {
            patients.extend(some(rng, &life.present(emergency, mid), 1));
        }
    }
    // The review of a whole waiting list.
    // Each office has a week-day of its own for it, every other week.
    let turn = unit as i32 * 3 + (scene.seed % 14) as i32;
    let reviews = person.role == Role::Secretary && (scene.day + turn).rem_euclid(14) == 8;
    if reviews
        && happens(rng, chance(0.25))
        && let Some(clinic) = hospital.of_kind(scene.units, Kind::Outpatient).next()
    {
        let waiting: Vec<usize> = life.bookings[clinic]
            .iter()
            .filter(|held| held.at > mid + 4 * DAY)
            .map(|held| held.patient)
            .collect();
        patients.extend(some(rng, &waiting, 260));
    }
    // The approved audit of a register, cohort by cohort.
    if let Some(project) = scene.project
        && project.reader == index
        && (project.from_day..=project.to_day).contains(&scene.day)
    {
        patients.extend(some(rng, &project.cohort, 60));
    }
}

/// Searches by name that open nothing.
fn searches(rng: &mut Rng, scene: &Scene<'_>, index: usize, start: i64, out: &mut Vec<Lookup>) {
    let hospital = scene.units[scene.staff[index].unit].hospital;
    for _ in 0..count(rng, 0.6) {
        out.push(Lookup {
            at_millis: (start + rng.i64(600..27_000)) * 1_000,
            reader: Reader::Staff(index),
            patient: None,
            hospital,
            what: What::Search,
            resource: "Patient",
            purpose: "TREAT",
            client: "ehr-desktop",
            address: None,
            denied: false,
        });
    }
}

pub(crate) const RESOURCES: [&str; 9] = [
    "Observation",
    "DocumentReference",
    "MedicationRequest",
    "DiagnosticReport",
    "Condition",
    "AllergyIntolerance",
    "Encounter",
    "Procedure",
    "CarePlan",
];
/// Staff who may work from home, and on how many of their days.
const HOME_SHARE: f64 = 0.15;
const HOME_DAYS: f64 = 0.1;
/// Former patients whom a person still thinks of.
const FORMER_MAX: usize = 60;
