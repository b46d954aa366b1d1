//! A small hospital in a few lines of text.
//!
//! ```text
//! unit ward-1
//! staff anna nurse ward-1 [patient=p9] [household=7] [family=3] [from=DATE] [to=DATE] [system]
//! patients p1..p500                      numbered; each in a household of its own
//! patient p9 household=7 family=3
//! group armed-forces p3 p4 p5
//! stay p1 ward-1 DATE..DATE [known=TIME]
//! routine DATE..DATE                     everybody reads the own unit's patients on weekdays
//! read TIME anna p1 [host=h] [client=c] [every=SECS] [emergency]       p1..p40 reads them one by one
//! search TIME anna times=N every=SECS
//! ```

use bavn_model::{
    Access, Action, Assignment, ClientId, Context, ContextBuilder, Directory, EventId, Flag, Flags,
    Group, HostId, IdentityId, Kind, Outcome, Patient, PatientId, PatientSet, PurposeSet, Role,
    Staff, Tie, TieKind, Timestamp, Unit,
};

/// Context and look-ups, in order.
pub(crate) struct Hospital {
    pub(crate) directory: Directory,
    pub(crate) context: Context,
    pub(crate) accesses: Vec<Access>,
}

#[derive(Default)]
struct Draft {
    builder: ContextBuilder,
    staff: Vec<(IdentityId, usize)>,
    /// Patients of each unit with the time of their stay.
    stays: Vec<(usize, PatientId, Timestamp, Timestamp)>,
    units: Vec<String>,
    accesses: Vec<Access>,
}

pub(crate) fn hospital(text: &str) -> Hospital {
    let mut draft = Draft::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !line.starts_with('#') {
            draft.line(line);
        }
    }
    draft.accesses.sort_by_key(|access| access.at);
    for (seq, access) in draft.accesses.iter_mut().enumerate() {
        access.seq = seq as u64;
        access.id = EventId(seq as u128);
    }
    let (directory, context) = draft.builder.build();
    Hospital { directory, context, accesses: draft.accesses }
}

impl Draft {
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let option =
            |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| option(name).map(|text| text.parse::<u32>().unwrap());
        match words[0] {
            "unit" => {
                let id = self.builder.directory.units.intern(words[1]);
                self.builder.units.push(Unit { id, name: words[1].to_owned(), part_of: None });
                self.units.push(words[1].to_owned());
            }
            "staff" => self.staff(&words, option, number),
            "patients" => {
                for index in span(words[1]) {
                    self.patient(&format!("p{index}"), Patient::default());
                }
            }
            "patient" => self.patient(
                words[1],
                Patient {
                    household: number("household"),
                    family_name: number("family"),
                    postal_area: number("area"),
                    ..Patient::default()
                },
            ),
            "group" => {
                let members = words[2..].iter().flat_map(|word| self.people(word)).collect();
                self.builder.groups.push(Group { name: words[1].to_owned(), members });
            }
            "stay" => self.stay(&words),
            "routine" => self.routine(words[1]),
            "read" => self.read(&words, option),
            "search" => {
                let mut at = time(words[1]);
                for _ in 0..number("times").unwrap() {
                    let mut access = self.access(at, words[2], None);
                    access.kind = Kind::Search;
                    self.accesses.push(access);
                    at = at.plus_secs(i64::from(number("every").unwrap()));
                }
            }
            other => panic!("`{other}` is no word of this language"),
        }
    }

    fn staff<'t>(
        &mut self,
        words: &[&'t str],
        option: impl Fn(&str) -> Option<&'t str>,
        number: impl Fn(&str) -> Option<u32>,
    ) {
        let identity = self.builder.directory.identities.declare(words[1]);
        let role = self.builder.directory.roles.intern(words[2]);
        self.builder.roles.push(Role { id: role, name: words[2].to_owned() });
        let unit = self.builder.directory.units.intern(words[3]);
        self.builder.assignments.push(Assignment {
            identity,
            unit: Some(unit),
            role: Some(role),
            from: option("from").map_or(time("2020-01-01"), time),
            to: option("to").map_or(Timestamp::MAX, time),
        });
        let patient = option("patient").map(|name| self.builder.directory.patients.declare(name));
        self.builder.staff.push((
            identity,
            Staff {
                patient,
                household: number("household"),
                family_name: number("family"),
                postal_area: number("area"),
                system: words.contains(&"system"),
                active: None,
            },
        ));
        if !words.contains(&"system") && !words.contains(&"away") {
            self.staff.push((identity, usize::from(unit)));
        }
    }

    fn patient(&mut self, name: &str, facts: Patient) {
        let id = self.builder.directory.patients.declare(name);
        self.builder.patients.push((id, facts));
    }

    fn stay(&mut self, words: &[&str]) {
        let unit = self.builder.directory.units.intern(words[2]);
        let (from, to) = words[3].split_once("..").unwrap();
        let (from, to) = (time(from), time(to));
        let known = words.iter().find_map(|word| word.strip_prefix("known="));
        for patient in self.people(words[1]) {
            self.stays.push((usize::from(unit), patient, from, to));
            self.builder.ties.push(Tie {
                patient,
                kind: TieKind::Stay,
                unit: Some(unit),
                identity: None,
                author: None,
                from,
                to,
                known_at: known.map_or(from, time),
            });
        }
    }

    /// Everybody opens a dozen patients of the own unit on weekdays between 8 and 15, and now and
    /// then, by a fixed rule, one whom no record ties to it (never the last tenth of the register).
    fn routine(&mut self, days: &str) {
        let (from, to) = days.split_once("..").unwrap();
        let patients = self.builder.directory.patients.len();
        for day in time(from).day()..=time(to).day() {
            if (day + 3).rem_euclid(7) >= 5 {
                continue;
            }
            for (index, &(identity, unit)) in self.staff.clone().iter().enumerate() {
                let mut at = Timestamp::start_of_day(day).plus_secs(8 * 3_600 + index as i64 * 61);
                let own: Vec<PatientId> = self
                    .stays
                    .iter()
                    .filter(|&&(of, _, from, to)| of == unit && from <= at && at < to)
                    .map(|&(_, patient, ..)| patient)
                    .collect();
                let mix = (day as usize).wrapping_mul(7_919).wrapping_add(index * 104_729);
                for turn in 0..12 + mix % 5 {
                    if let Some(&patient) = own.get((mix / 3 + turn * 7) % own.len().max(1)) {
                        self.push(at, identity, patient);
                    }
                    at = at.plus_secs(300 + ((mix + turn * 37) % 1_100) as i64);
                }
                if mix.is_multiple_of(11) {
                    self.push(at, identity, PatientId((mix / 11 % (patients * 9 / 10)) as u32));
                }
            }
        }
    }

    fn read<'t>(&mut self, words: &[&'t str], option: impl Fn(&str) -> Option<&'t str>) {
        let mut at = time(words[1]);
        let every: i64 = option("every").map_or(60, |secs| secs.parse().unwrap());
        for patient in self.people(words[3]) {
            let mut access = self.access(at, words[2], Some(patient));
            let directory = &mut self.builder.directory;
            if words.contains(&"emergency") {
                access.purpose = PurposeSet::EMERGENCY;
                access.flags = access.flags.with(Flag::BreakGlass);
            }
            access.host = option("host").map(|name| directory.hosts.intern(name)).or(access.host);
            access.client =
                option("client").map(|name| directory.clients.intern(name)).or(access.client);
            self.accesses.push(access);
            at = at.plus_secs(every);
        }
    }

    fn push(&mut self, at: Timestamp, identity: IdentityId, patient: PatientId) {
        let name = self.builder.directory.identities.name(identity).to_owned();
        let access = self.access(at, &name, Some(patient));
        self.accesses.push(access);
    }

    fn access(&mut self, at: Timestamp, who: &str, patient: Option<PatientId>) -> Access {
        let directory = &mut self.builder.directory;
        let identity = directory.identities.intern(who);
        let host: HostId = directory.hosts.intern(&format!("desk-{who}"));
        let client: ClientId = directory.clients.intern("ehr");
        let system = self.builder.staff.iter().any(|(id, staff)| *id == identity && staff.system);
        Access {
            id: EventId(0),
            at,
            seq: 0,
            identity: Some(identity),
            patients: patient.into_iter().collect::<PatientSet>(),
            patient_number: patient.map(|patient| u64::from(patient.0)),
            source: None,
            host: Some(host),
            client: Some(client),
            session: None,
            resource: None,
            action: Some(Action::Read),
            kind: Kind::Read,
            found_by: None,
            purpose: PurposeSet::default(),
            outcome: Outcome::Success,
            flags: if system { Flags::NONE.with(Flag::SystemIdentity) } else { Flags::NONE },
        }
    }

    fn people(&mut self, word: &str) -> Vec<PatientId> {
        if word.contains("..") {
            return span(word)
                .map(|index| self.builder.directory.patients.declare(&format!("p{index}")))
                .collect();
        }
        word.split(',').map(|name| self.builder.directory.patients.declare(name)).collect()
    }
}

/// `p3..p9`, both included.
fn span(word: &str) -> std::ops::RangeInclusive<u32> {
    let (from, to) = word.split_once("..").unwrap();
    let index = |name: &str| name.trim_start_matches('p').parse::<u32>().unwrap();
    index(from)..=index(to)
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|_| panic!("`{text}` is no time")).0
}

/// A hospital with enough ordinary life to be calibrated on: four wards, forty staff, 35 days.
pub(crate) const ORDINARY: &str = include_str!("../data/ordinary.txt");
