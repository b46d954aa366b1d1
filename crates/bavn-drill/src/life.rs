//! Who falls ill, where they lie, what is booked and ordered: the reasons for look-ups.

use crate::chance::{self, count, happens, some, wait};
use crate::hospital::{Hospital, Kind, Unit};
use crate::people::{Patient, is_weekend};
use fastrand::Rng;
use std::collections::VecDeque;

/// A patient in a unit, in seconds of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stay {
    pub(crate) patient: usize,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Booking {
    pub(crate) patient: usize,
    pub(crate) at: i64,
    pub(crate) staff: usize,
}

/// What the hospitals' own systems would record of an event of care.
#[expect(clippy::enum_variant_names, reason = "a care team is called so in FHIR")]
#[derive(Clone, Debug)]
pub(crate) enum Care {
    /// Legs of one encounter, one unit each.
    Encounter {
        patient: usize,
        legs: Vec<(usize, i64, i64)>,
        staff: Vec<usize>,
        class: &'static str,
    },
    Appointment {
        patient: usize,
        unit: usize,
        staff: usize,
        created: i64,
        at: i64,
        cancelled: bool,
    },
    Order {
        patient: usize,
        unit: usize,
        requester: usize,
        at: i64,
    },
    Referral {
        patient: usize,
        unit: usize,
        at: i64,
    },
    CareTeam {
        patient: usize,
        unit: usize,
        staff: Vec<usize>,
        from: i64,
    },
}

/// The present state of care in the region.
#[derive(Debug)]
pub(crate) struct Life {
    rng: Rng,
    chronic_by_home: Vec<Vec<usize>>,
    anyone_by_home: Vec<Vec<usize>>,
    /// By unit.
    pub(crate) stays: Vec<VecDeque<Stay>>,
    pub(crate) bookings: Vec<VecDeque<Booking>>,
    pub(crate) orders: Vec<VecDeque<(usize, i64)>>,
    /// By hospital: left the hospital, in order.
    pub(crate) discharged: Vec<VecDeque<(usize, i64)>>,
    /// By hospital: referred, and not yet booked.
    pub(crate) referred: Vec<VecDeque<(usize, i64)>>,
    /// By hospital: this week's tumour board.
    pub(crate) board: Vec<Vec<usize>>,
    pub(crate) happened: Vec<Care>,
}

impl Life {
    pub(crate) fn new(rng: Rng, patients: &[Patient], hospitals: usize, units: usize) -> Self {
        let mut chronic_by_home = vec![Vec::new(); hospitals];
        let mut anyone_by_home = vec![Vec::new(); hospitals];
        for (index, patient) in patients.iter().enumerate() {
            anyone_by_home[usize::from(patient.home)].push(index);
            if patient.chronic {
                chronic_by_home[usize::from(patient.home)].push(index);
            }
        }
        Self {
            rng,
            chronic_by_home,
            anyone_by_home,
            stays: vec![VecDeque::new(); units],
            bookings: vec![VecDeque::new(); units],
            orders: vec![VecDeque::new(); units],
            discharged: vec![VecDeque::new(); hospitals],
            referred: vec![VecDeque::new(); hospitals],
            board: vec![Vec::new(); hospitals],
            happened: Vec::new(),
        }
    }

    /// Lets one day of care happen. `crowd` is how many come to the first hospital at once, on the
    /// day of a mass-casualty event.
    pub(crate) fn day(&mut self, day: i32, hospitals: &[Hospital], units: &[Unit], crowd: usize) {
        let start = i64::from(day) * DAY;
        for (index, hospital) in hospitals.iter().enumerate() {
            let size: usize = hospital.units.iter().map(|&unit| units[unit].staff.len()).sum();
            let admissions = count(&mut self.rng, size as f64 * 0.085);
            for _ in 0..admissions {
                let at = start + self.rng.i64(0..DAY);
                self.admit(index, hospital, units, at);
            }
            if index == 0 {
                for _ in 0..crowd {
                    let at = start + 13 * 3_600 + self.rng.i64(0..7_200);
                    self.admit(index, hospital, units, at);
                }
            }
            if !is_weekend(day) {
                for _ in 0..count(&mut self.rng, size as f64 * 0.3) {
                    self.book(day, index, hospital, units);
                }
                for _ in 0..count(&mut self.rng, size as f64 * 0.06) {
                    self.refer(start, index, hospital, units);
                }
            }
            if day.rem_euclid(7) == board_weekday(index) {
                self.board[index] = some(&mut self.rng, &self.chronic_by_home[index], 18);
            }
        }
        self.forget(start - 40 * DAY);
    }

    fn patient_of(&mut self, hospital: usize) -> usize {
        let chronic = &self.chronic_by_home[hospital];
        let pool = if !chronic.is_empty() && happens(&mut self.rng, 0.7) {
            chronic
        } else {
            &self.anyone_by_home[hospital]
        };
        let pool = if pool.is_empty() { &self.anyone_by_home[0] } else { pool };
        pool[self.rng.usize(0..pool.len())]
    }

    fn admit(&mut self, index: usize, hospital: &Hospital, units: &[Unit], at: i64) {
        let patient = self.patient_of(index);
        let mut from = at;
        if happens(&mut self.rng, 0.65) {
            let Some(emergency) = hospital.of_kind(units, Kind::Emergency).next() else { return };
            let to = from + self.rng.i64(5_400..28_000);
            self.stay(emergency, patient, from, to);
            let seen_by = some(&mut self.rng, &units[emergency].staff, 2);
            self.encounter(patient, vec![(emergency, from, to)], seen_by, "EMER");
            from = to;
            if happens(&mut self.rng, 0.3) {
                self.discharged[index].push_back((patient, to));
                return;
            }
        }
        let wards: Vec<usize> = hospital.wards(units).collect();
        let weights: Vec<f64> = wards.iter().map(|&ward| units[ward].kind.weight()).collect();
        let ward = wards[chance::weighted(&mut self.rng, &weights)];
        let days = wait(&mut self.rng, 3.4) + 0.3;
        let to = from + (days * DAY as f64) as i64;
        let mut legs = vec![(ward, from, to)];
        if days > 1.5 && happens(&mut self.rng, 0.22) {
            let moved = from + (to - from) / 2;
            let next = wards[self.rng.usize(0..wards.len())];
            legs = vec![(ward, from, moved), (next, moved, to)];
        }
        for &(unit, from, to) in &legs {
            self.stay(unit, patient, from, to);
            self.orders_for(patient, unit, hospital, units, from, to);
        }
        let staff = some(&mut self.rng, &units[ward].staff, 2);
        if happens(&mut self.rng, 0.15) {
            let team = some(&mut self.rng, &units[ward].staff, 4);
            self.happened.push(Care::CareTeam { patient, unit: ward, staff: team, from });
        }
        self.encounter(patient, legs, staff, "IMP");
        self.discharged[index].push_back((patient, to));
    }

    fn orders_for(
        &mut self,
        patient: usize,
        unit: usize,
        hospital: &Hospital,
        units: &[Unit],
        from: i64,
        to: i64,
    ) {
        for kind in [Kind::Radiology, Kind::Laboratory, Kind::Physiotherapy] {
            let chance = if kind == Kind::Laboratory { 0.75 } else { 0.35 };
            let Some(performer) = hospital.of_kind(units, kind).next() else { continue };
            if !happens(&mut self.rng, chance) || units[unit].staff.is_empty() {
                continue;
            }
            let at = from + self.rng.i64(600..(to - from).clamp(1_200, 2 * DAY));
            self.orders[performer].push_back((patient, at));
            let requester = units[unit].staff[self.rng.usize(0..units[unit].staff.len())];
            self.happened.push(Care::Order { patient, unit: performer, requester, at });
        }
    }

    fn book(&mut self, day: i32, index: usize, hospital: &Hospital, units: &[Unit]) {
        // A patient from the referral queue, or one who comes back.
        let referred =
            if happens(&mut self.rng, 0.2) { self.referred[index].pop_front() } else { None };
        let patient = referred.map_or_else(|| self.patient_of(index), |(patient, _)| patient);
        let clinics: Vec<usize> = hospital
            .units
            .iter()
            .copied()
            .filter(|&unit| units[unit].kind.has_clinic() && !units[unit].staff.is_empty())
            .collect();
        if clinics.is_empty() {
            return;
        }
        let weights: Vec<f64> = clinics
            .iter()
            .map(|&unit| if units[unit].kind == Kind::Outpatient { 30.0 } else { 6.0 })
            .collect();
        let unit = clinics[chance::weighted(&mut self.rng, &weights)];
        let staff = units[unit].staff[self.rng.usize(0..units[unit].staff.len())];
        let created = i64::from(day) * DAY + self.rng.i64(8 * 3_600..16 * 3_600);
        let mut in_days = day + self.rng.i32(2..35);
        while is_weekend(in_days) {
            in_days += 1;
        }
        let at = i64::from(in_days) * DAY + self.rng.i64(8 * 3_600..15 * 3_600);
        let cancelled = happens(&mut self.rng, 0.06);
        self.happened.push(Care::Appointment { patient, unit, staff, created, at, cancelled });
        if !cancelled {
            self.bookings[unit].push_back(Booking { patient, at, staff });
            let to = at + self.rng.i64(1_200..4_000);
            self.stay(unit, patient, at, to);
            self.encounter(patient, vec![(unit, at, to)], vec![staff], "AMB");
            self.discharged[index].push_back((patient, to));
        }
    }

    fn refer(&mut self, start: i64, index: usize, hospital: &Hospital, units: &[Unit]) {
        let patient = self.patient_of(index);
        let at = start + self.rng.i64(7 * 3_600..17 * 3_600);
        self.referred[index].push_back((patient, at));
        // Half of the referrals are letters that no system holds as data.
        if let Some(unit) = hospital.of_kind(units, Kind::Outpatient).next()
            && happens(&mut self.rng, 0.5)
        {
            self.happened.push(Care::Referral { patient, unit, at });
        }
    }

    fn stay(&mut self, unit: usize, patient: usize, from: i64, to: i64) {
        self.stays[unit].push_back(Stay { patient, from, to });
    }

    fn encounter(
        &mut self,
        patient: usize,
        legs: Vec<(usize, i64, i64)>,
        staff: Vec<usize>,
        class: &'static str,
    ) {
        self.happened.push(Care::Encounter { patient, legs, staff, class });
    }

    fn forget(&mut self, before: i64) {
        for stays in &mut self.stays {
            stays.retain(|stay| stay.to >= before);
        }
        for bookings in &mut self.bookings {
            bookings.retain(|booking| booking.at >= before);
        }
        for queue in self.orders.iter_mut().chain(&mut self.discharged).chain(&mut self.referred) {
            queue.retain(|&(_, at)| at >= before);
        }
    }

    /// Patients in a unit's beds or chairs around `at`.
    pub(crate) fn present(&self, unit: usize, at: i64) -> Vec<usize> {
        let mut present: Vec<usize> = self.stays[unit]
            .iter()
            .filter(|stay| stay.from - 5_400 <= at && at <= stay.to + 6 * 3_600)
            .map(|stay| stay.patient)
            .collect();
        present.dedup();
        present
    }
}

/// The week-day on which a hospital's board gets its list; it meets on the next.
pub(crate) const fn board_weekday(hospital: usize) -> i32 {
    ((hospital + 3) % 4) as i32
}

pub(crate) const DAY: i64 = 86_400;
