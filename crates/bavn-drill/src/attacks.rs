//! Thieves: who they are, when they come, and what they take.

use crate::chance::{self, some};
use crate::hospital::Kind;
use crate::life::DAY;
use crate::people::{Role, Shift, Staff, is_weekend};
use crate::services;
use crate::work::{self, Lookup, Reader, Scene, What};
use fastrand::Rng;

/// Every kind of theft, with what it is.
pub const ATTACKS: [(&str, &str); 19] = [
    ("burst_night", "a stolen account takes hundreds of records in an hour of the night"),
    ("burst_day", "the same at noon, from the owner's own desk"),
    ("blend", "three times the own volume, strangers among the day's patients"),
    ("slow", "a third more than usual, all of it strangers, for weeks"),
    ("half_own_unit", "as slow, half of it from the own ward"),
    ("sprayed", "many accounts, a few strangers each, within two days"),
    ("dripped", "several accounts, a stranger or two a day, for weeks"),
    ("batch_in_profile", "the batch account reads other records at its hour, from its host"),
    ("api_ordered", "an app's token pages through records in the order of identifiers"),
    ("api_random", "the same at random"),
    ("vip", "a dozen curious readers of one admitted person"),
    ("news", "readers all over the region of one person in the news"),
    ("household", "one look at somebody of the own household"),
    ("co_worker", "one look at a colleague"),
    ("neighbour", "one look at people next door"),
    ("targeting", "a few members of the armed forces a day"),
    ("leaver", "an account still open after its owner left"),
    ("search_harvest", "searches by the dozen, the hit lists being the loot"),
    ("covering", "each stranger is hidden among look-ups of the own ward"),
];

/// One theft, with its thieves chosen.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) thieves: Vec<Reader>,
    from_day: i32,
    to_day: i32,
    /// The patient of `vip` and `news`; the first of a range for others.
    target: usize,
    /// For each stolen record: who, whose, when (milliseconds of the log).
    pub(crate) reads: Vec<(Reader, usize, i64)>,
}

/// Chooses thieves for the named attacks; each member of staff is in one at most. Those who leave
/// are marked so in `staff`.
pub(crate) fn choose(
    rng: &mut Rng,
    names: &[&'static str],
    days: i32,
    staff: &mut [Staff],
    patients: usize,
    begin: i32,
) -> Vec<Attack> {
    let mut free: Vec<usize> = (0..staff.len())
        .filter(|&index| {
            let person = &staff[index];
            person.from_day < 0 && person.to_day.is_none() && !matches!(person.role, Role::Coder)
        })
        .collect();
    rng.shuffle(&mut free);
    let mut attacks = Vec::new();
    for &name in names {
        let wanted = match name {
            "sprayed" => (staff.len() / 20).clamp(8, 50),
            "vip" | "news" => 12.min(staff.len() / 12),
            "dripped" => 6.min(staff.len() / 20),
            "household" | "co_worker" | "neighbour" => 3,
            "batch_in_profile" => 0,
            _ => 1,
        };
        let suits = |person: &Staff| match name {
            "household" | "neighbour" => person.patient.is_some(),
            _ => true,
        };
        let mut thieves = Vec::new();
        free.retain(|&index| {
            let taken = thieves.len() < wanted && suits(&staff[index]);
            if taken {
                thieves.push(Reader::Staff(index));
            }
            !taken
        });
        let mut from_day = begin + rng.i32(0..((days - begin) / 2).max(1));
        while is_weekend(from_day) && from_day + 2 < days {
            from_day += 1;
        }
        let length = match name {
            "blend" | "covering" => 6,
            "slow" | "half_own_unit" | "dripped" => 28,
            "targeting" => 12,
            "sprayed" => 2,
            "batch_in_profile" | "news" | "search_harvest" => 5,
            "vip" => 4,
            "household" | "co_worker" | "neighbour" => days,
            _ => 3,
        };
        if name == "leaver" {
            for thief in &thieves {
                if let Reader::Staff(index) = thief {
                    staff[*index].to_day = Some((from_day - 6).max(1));
                }
            }
        }
        if name == "batch_in_profile" {
            thieves.push(Reader::Service(services::BATCH));
        }
        attacks.push(Attack {
            name,
            thieves,
            from_day,
            to_day: (from_day + length).min(days),
            target: rng.usize(0..patients.saturating_sub(700).max(1)),
            reads: Vec::new(),
        });
    }
    attacks
}

/// One record after another, `pause` seconds apart.
struct Raid {
    begin: i64,
    pause: f64,
    client: &'static str,
    address: Option<&'static str>,
}

impl Attack {
    /// Adds this day's thefts.
    pub(crate) fn day(&mut self, rng: &mut Rng, scene: &Scene<'_>, out: &mut Vec<Lookup>) {
        if scene.day < self.from_day || scene.day >= self.to_day {
            return;
        }
        if matches!(self.name, "vip") && scene.day == self.from_day {
            self.pick_vip(rng, scene);
        }
        for place in 0..self.thieves.len() {
            match self.thieves[place] {
                Reader::Staff(index) => self.person(rng, scene, index, out),
                Reader::Service(_) => self.batch(rng, scene, out),
            }
        }
    }

    fn person(&mut self, rng: &mut Rng, scene: &Scene<'_>, index: usize, out: &mut Vec<Lookup>) {
        let person = &scene.staff[index];
        let today = i64::from(scene.day) * DAY;
        let on_shift = person.shift(scene.seed, index, scene.day);
        let done = self.reads.iter().any(|(reader, ..)| *reader == Reader::Staff(index));
        if !done && self.raid(rng, scene, index, on_shift, out) {
            return;
        }
        let Some(shift) = on_shift else { return };
        let begin = today + shift.from + 3_600;
        let own_ward = || scene.life.present(person.unit, begin + 2 * 3_600);
        let take = match self.name {
            "blend" => strangers(rng, scene, (person.pace * 2.0) as usize),
            "slow" => {
                let count = chance::count(rng, person.pace * 0.3);
                strangers(rng, scene, count)
            }
            "half_own_unit" => {
                let count = chance::count(rng, person.pace * 0.35);
                let mut loot = strangers(rng, scene, count);
                loot.extend(some(rng, &own_ward(), count));
                loot
            }
            "sprayed" => {
                let count = rng.usize(4..12);
                strangers(rng, scene, count)
            }
            "dripped" if chance::happens(rng, 0.7) => {
                let count = rng.usize(1..3);
                strangers(rng, scene, count)
            }
            "targeting" => {
                let listed: Vec<usize> = (0..scene.patients.len())
                    .filter(|&patient| scene.patients[patient].armed_forces)
                    .collect();
                some(rng, &listed, 9)
            }
            "vip" | "news" if !done && chance::happens(rng, 0.5) => vec![self.target],
            "household" if !done && chance::happens(rng, 0.4) => relatives(scene, person),
            "neighbour" if !done && chance::happens(rng, 0.4) => neighbours(rng, scene, person),
            "co_worker" if !done && chance::happens(rng, 0.4) => colleague(rng, scene, index),
            "search_harvest" => {
                searches(rng, scene, index, begin, out);
                strangers(rng, scene, 20)
            }
            "covering" => {
                let loot = strangers(rng, scene, 3);
                let cover = own_ward();
                for _ in 0..20 {
                    let at = begin + rng.i64(0..5 * 3_600);
                    for patient in some(rng, &cover, 2) {
                        work::visit(rng, scene, index, patient, at, 0.5, out);
                    }
                }
                loot
            }
            _ => return,
        };
        for patient in take {
            let at = begin + rng.i64(0..6 * 3_600);
            self.reads.push((Reader::Staff(index), patient, at * 1_000));
            let first = out.len();
            work::visit(rng, scene, index, patient, at, 0.6, out);
            // The first row of the visit is the theft's time.
            if let (Some(row), Some(read)) = (out.get(first), self.reads.last_mut()) {
                read.2 = row.at_millis;
            }
        }
    }

    /// The thefts that are over in an hour or two. False if this is none, or not its time.
    fn raid(
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
        let (loot, raid) = match (self.name, at_work) {
            ("burst_night", _) => {
                let begin = today + DAY + 3_600 + rng.i64(0..3_600);
                let address = Some("10.200.7.21");
                (strangers(rng, scene, 700), Raid { begin, pause: 5.0, address, ..desk })
            }
            ("leaver", _) => {
                let begin = today + 20 * 3_600;
                (strangers(rng, scene, 45), Raid { begin, pause: 110.0, ..desk })
            }
            ("burst_day", Some(begin)) => {
                (strangers(rng, scene, 280), Raid { begin: begin + 3_600, pause: 18.0, ..desk })
            }
            ("api_random", Some(begin)) => {
                let raid = Raid { begin, pause: 2.0, client: "patient-app", address: None };
                (strangers(rng, scene, 400), raid)
            }
            ("api_ordered", Some(begin)) => {
                let raid = Raid { begin, pause: 2.0, client: "patient-app", address: None };
                ((self.target..scene.patients.len()).take(400).collect(), raid)
            }
            _ => return false,
        };
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
        true
    }

    /// Looks like the batch in hour, host, client and kind of record; only the patients differ.
    fn batch(&mut self, rng: &mut Rng, scene: &Scene<'_>, out: &mut Vec<Lookup>) {
        let mut at_millis = (i64::from(scene.day) * DAY + services::batch_hour_secs()) * 1_000;
        for _ in 0..30 {
            at_millis += rng.i64(300..1_900);
            let patient = rng.usize(0..scene.patients.len());
            self.reads.push((Reader::Service(services::BATCH), patient, at_millis));
            out.push(services::row(services::BATCH, patient, at_millis, "Appointment"));
        }
    }

    /// Somebody who lies in a surgical ward as it begins.
    fn pick_vip(&mut self, rng: &mut Rng, scene: &Scene<'_>) {
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

fn searches(rng: &mut Rng, scene: &Scene<'_>, index: usize, begin: i64, out: &mut Vec<Lookup>) {
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

fn strangers(rng: &mut Rng, scene: &Scene<'_>, count: usize) -> Vec<usize> {
    (0..count).map(|_| rng.usize(0..scene.patients.len())).collect()
}

fn relatives(scene: &Scene<'_>, person: &Staff) -> Vec<usize> {
    let Some(own) = person.patient else { return Vec::new() };
    let household = scene.patients[own].household;
    // A household's members stand side by side.
    let near = own.saturating_sub(8)..(own + 8).min(scene.patients.len());
    near.filter(|&other| other != own && scene.patients[other].household == household)
        .take(1)
        .collect()
}

fn neighbours(rng: &mut Rng, scene: &Scene<'_>, person: &Staff) -> Vec<usize> {
    let Some(own) = person.patient else { return Vec::new() };
    let near = own.saturating_sub(12)..(own + 12).min(scene.patients.len());
    let household = scene.patients[own].household;
    let others: Vec<usize> =
        near.filter(|&other| scene.patients[other].household != household).collect();
    some(rng, &others, 1)
}

fn colleague(rng: &mut Rng, scene: &Scene<'_>, index: usize) -> Vec<usize> {
    let colleagues: Vec<usize> = scene.units[scene.staff[index].unit]
        .staff
        .iter()
        .filter(|&&other| other != index)
        .filter_map(|&other| scene.staff[other].patient)
        .collect();
    some(rng, &colleagues, 1)
}
