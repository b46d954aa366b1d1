//! Patients with households and kin, staff with shifts and desks, some of them patients as well.

use crate::chance::{self, fixed, happens, spread};
use crate::hospital::{Hospital, Kind, Unit};
use crate::region::Settings;
use crate::shape::Missing;
use fastrand::Rng;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Patient {
    pub(crate) household: u32,
    pub(crate) family_name: u16,
    pub(crate) home: u8,
    /// Years of age when the log begins.
    pub(crate) age: u8,
    /// Is in and out of hospital; the others come once in a while.
    pub(crate) chronic: bool,
    pub(crate) armed_forces: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Nurse,
    Doctor,
    Assistant,
    Technician,
    Secretary,
    Coder,
}

impl Role {
    pub(crate) const ALL: [(Self, &'static str); 6] = [
        (Self::Nurse, "nurse"),
        (Self::Doctor, "doctor"),
        (Self::Assistant, "healthcare-assistant"),
        (Self::Technician, "technician"),
        (Self::Secretary, "secretary"),
        (Self::Coder, "coder"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(role, _)| *role == self).map_or("", |(_, name)| name)
    }
}

#[expect(clippy::struct_excessive_bools, reason = "independent traits of one person")]
#[derive(Clone, Debug)]
pub(crate) struct Staff {
    pub(crate) unit: usize,
    /// A second post in another unit.
    pub(crate) second_unit: Option<usize>,
    pub(crate) role: Role,
    pub(crate) patient: Option<usize>,
    pub(crate) family_name: u16,
    /// Patients on a usual day.
    pub(crate) pace: f64,
    pub(crate) rotates: bool,
    pub(crate) shift_hours: i64,
    pub(crate) day_begins_hour: i64,
    pub(crate) floats: bool,
    /// Days of the log on which the person begins, and has left.
    pub(crate) from_day: i32,
    pub(crate) to_day: Option<i32>,
    /// From then on at home, and employed all the same.
    pub(crate) absent_from: Option<i32>,
    pub(crate) locum: bool,
    pub(crate) missing_in_hr: bool,
    pub(crate) address: String,
}

/// A member of staff's hours on one day: when the shift begins, in seconds of the day, and ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shift {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Staff {
    /// The shift on `day`, if any: asked twice it says the same, so thieves keep their hours.
    pub(crate) fn shift(&self, seed: u64, index: usize, day: i32) -> Option<Shift> {
        let gone = |end: Option<i32>| end.is_some_and(|end| day >= end);
        if day < self.from_day || gone(self.to_day) || gone(self.absent_from) {
            return None;
        }
        let chance = fixed(seed, index as u64, day as u64 ^ 0x5157);
        let weekend = is_weekend(day);
        let present = match (self.rotates, weekend) {
            (true, true) => 0.38,
            (true, false) => 0.62,
            (false, true) => 0.0,
            (false, false) => 0.86,
        };
        if chance > present {
            return None;
        }
        let part = chance / present;
        let begins = self.day_begins_hour * 3_600;
        let from = match (self.rotates, self.shift_hours) {
            (false, _) => begins + (part * 5_400.0) as i64,
            (true, _) if part < 0.5 => begins,
            (true, 12..) => begins + 12 * 3_600,
            (true, _) if part < 0.8 => begins + 7 * 3_600 + 1_800,
            (true, _) => begins + 15 * 3_600,
        };
        let hours = if self.rotates { self.shift_hours } else { 8 };
        Some(Shift { from, to: from + hours * 3_600 })
    }
}

/// Day 0 of every region is a Monday.
pub(crate) const fn is_weekend(day: i32) -> bool {
    day.rem_euclid(7) >= 5
}

pub(crate) fn patients(rng: &mut Rng, count: usize, hospitals: usize) -> Vec<Patient> {
    let mut patients: Vec<Patient> = Vec::with_capacity(count);
    let mut household = 0;
    while patients.len() < count {
        household += 1;
        let (home, family_name) = (rng.usize(0..hospitals) as u8, family_name(rng));
        for member in 0..=chance::count(rng, 1.3) {
            let other_name = member > 0 && happens(rng, 0.25);
            patients.push(Patient {
                household,
                family_name: if other_name { self::family_name(rng) } else { family_name },
                home,
                age: if member < 2 { rng.u8(19..95) } else { rng.u8(0..24) },
                chronic: happens(rng, 0.3),
                armed_forces: happens(rng, 0.006),
            });
        }
    }
    patients.truncate(count);
    patients
}

/// Few names are common and most are rare.
fn family_name(rng: &mut Rng) -> u16 {
    (chance::wait(rng, 40.0).powf(1.6) as u64).min(4_000) as u16
}

/// Staff for `wanted.staff`, each entered in a unit.
pub(crate) fn staff(
    rng: &mut Rng,
    wanted: &Settings,
    hospitals: &[Hospital],
    units: &mut [Unit],
    patients: &[Patient],
) -> Vec<Staff> {
    let Settings { staff: count, days, tidiness, shape, .. } = wanted;
    let (count, days) = (*count, *days);
    let hr_gaps = if shape.missing == Missing::HrGaps { 0.2 } else { 0.06 };
    let weights: Vec<f64> = units.iter().map(|unit| unit.kind.weight()).collect();
    let mut staff = Vec::with_capacity(count);
    for index in 0..count {
        // Every unit has somebody before any has many.
        let unit = if index < units.len() { index } else { chance::weighted(rng, &weights) };
        let Unit { kind, hospital, .. } = units[unit];
        let role = role(rng, kind);
        let patient = happens(rng, 0.5).then(|| rng.usize(0..patients.len()));
        let rotates = kind.round_the_clock() && happens(rng, shape.rotating_share);
        let locum = happens(rng, 0.025);
        let own_desk = happens(rng, shape.own_desk_share);
        let new = happens(rng, 0.04) || locum;
        let from_day = if new && days > 12 { rng.i32(2..days - 4) } else { -1_000 };
        let siblings: Vec<usize> = hospitals[hospital].wards(units).collect();
        staff.push(Staff {
            unit,
            second_unit: (kind.has_beds() && happens(rng, 0.05))
                .then(|| siblings[rng.usize(0..siblings.len())]),
            role,
            patient,
            family_name: patient
                .map_or_else(|| family_name(rng), |patient| patients[patient].family_name),
            pace: (pace(role, kind) * spread(rng, 0.35)).max(4.0),
            rotates,
            shift_hours: shape.shift_hours,
            day_begins_hour: shape.day_begins_hour,
            floats: kind.has_beds() && happens(rng, 0.04),
            from_day,
            to_day: (locum && from_day > 0).then(|| from_day + rng.i32(5..30)),
            absent_from: None,
            locum,
            missing_in_hr: rng.f64() > *tidiness && happens(rng, hr_gaps),
            address: if own_desk {
                format!("10.{}.{}.{}", hospital + 20, unit % 250, 100 + index % 150)
            } else {
                // A ward's shared workstations.
                format!("10.{}.{}.{}", hospital + 20, unit % 250, rng.u8(2..12))
            },
        });
        units[unit].staff.push(index);
    }
    staff
}

fn role(rng: &mut Rng, kind: Kind) -> Role {
    match kind {
        Kind::Coding => Role::Coder,
        Kind::ReferralOffice => Role::Secretary,
        Kind::Radiology | Kind::Laboratory => {
            if happens(rng, 0.8) {
                Role::Technician
            } else {
                Role::Doctor
            }
        }
        Kind::Outpatient => {
            [Role::Doctor, Role::Nurse, Role::Secretary][chance::weighted(rng, &[5.0, 3.0, 2.0])]
        }
        _ => [Role::Nurse, Role::Doctor, Role::Assistant, Role::Secretary]
            [chance::weighted(rng, &[58.0, 26.0, 12.0, 4.0])],
    }
}

const fn pace(role: Role, kind: Kind) -> f64 {
    match (role, kind) {
        (Role::Coder, _) => 48.0,
        (Role::Secretary, _) => 36.0,
        (Role::Technician, _) => 32.0,
        (_, Kind::Emergency | Kind::InfectionControl | Kind::Anaesthesia) => 26.0,
        (Role::Assistant, _) => 10.0,
        _ => 17.0,
    }
}
