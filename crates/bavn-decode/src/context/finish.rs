//! Who is whom, who works where: what only all files together can tell.

use super::completeness::{Completeness, Measure};
use super::draft::{Draft, Party};
use bavn_model::{Assignment, Context, Directory, IdentityId, PatientId, Staff, TieKind};
use hashbrown::{HashMap, HashSet};

/// Turns a text `system|value` into its keyed token.
pub type TokenOf<'f> = &'f dyn Fn(&str) -> String;

impl Draft {
    pub(super) fn finish(
        mut self,
        token_of: Option<TokenOf<'_>>,
    ) -> (Directory, Context, Completeness) {
        self.settle_people();
        self.drop_crowds();
        let leader = self.settle_units();
        self.assign(&leader);
        let working = self.working_units();
        self.settle_ties(&leader, &working);
        self.expand_standing(&leader);
        self.expand_projects(&leader);
        self.expand_groups(token_of);
        self.expand_kin();
        self.find_staff_among_patients();
        self.measure_staff();
        self.place_bookings();
        self.expand_units(&leader);
        let restricted = self.patients.iter().filter(|facts| facts.restricted).count() as u64;
        let groups = self.builder.groups.len();
        let staff = std::mem::take(&mut self.staff);
        self.builder.staff.extend(staff.iter().map(|held| (held.identity, held.facts)));
        let facts = std::mem::take(&mut self.patients);
        let ids = (0..facts.len() as u32).map(PatientId);
        self.builder.patients.extend(ids.zip(facts));
        let (directory, context) = self.builder.build();
        (directory, context, Completeness::new(self.counts, groups, restricted))
    }

    /// From here on every person has one id.
    fn settle_people(&mut self) {
        let identities = self.builder.directory.identities.settle();
        let patients = self.builder.directory.patients.settle();
        let identity = |id: &mut IdentityId| {
            *id = identities.get(usize::from(*id)).copied().unwrap_or(*id);
        };
        let patient = |id: &mut PatientId| {
            *id = patients.get(usize::from(*id)).copied().unwrap_or(*id);
        };
        for tie in &mut self.builder.ties {
            patient(&mut tie.patient);
            tie.identity.as_mut().map(identity);
            tie.author.as_mut().map(identity);
        }
        for held in &mut self.builder.kin {
            patient(&mut held.patient);
            patient(&mut held.of);
        }
        for held in &mut self.staff {
            identity(&mut held.identity);
            held.facts.patient.as_mut().map(patient);
        }
        self.roles.iter_mut().for_each(|held| identity(&mut held.identity));
        self.staff_numbers.iter_mut().for_each(|(held, _)| identity(held));
        for standing in &mut self.standing {
            patient(&mut standing.patient);
            if let Party::Identity(held) = &mut standing.party {
                identity(held);
            }
        }
        for study in self.studies.values_mut() {
            for party in &mut study.parties {
                if let Party::Identity(held) = party {
                    identity(held);
                }
            }
        }
        self.kin.iter_mut().for_each(|(held, _)| patient(held));
        self.subjects.iter_mut().for_each(|held| patient(&mut held.patient));
        for group in self.groups.values_mut() {
            group.members.iter_mut().for_each(patient);
        }
        for index in 0..self.patients.len() {
            let mut id = PatientId(index as u32);
            patient(&mut id);
            if usize::from(id) == index {
                continue;
            }
            let facts = self.patients.get_mut(index).map(std::mem::take).unwrap_or_default();
            let face = self.patient_faces.get_mut(index).map_or(0, std::mem::take);
            self.patient_facts(id, facts, face);
        }
    }

    /// An address with more people than a family is an institution's, or a placeholder.
    fn drop_crowds(&mut self) {
        let mut people = vec![0_u32; self.households.len()];
        let patients = self.patients.iter().filter_map(|facts| facts.household);
        let staff = self.staff.iter().filter_map(|held| held.facts.household);
        for household in patients.chain(staff) {
            if let Some(count) = people.get_mut(household as usize) {
                *count += 1;
            }
        }
        let crowded = |household: &u32| {
            people.get(*household as usize).is_some_and(|&count| count > HOUSEHOLD_MAX)
        };
        for facts in &mut self.patients {
            facts.household = facts.household.filter(|household| !crowded(household));
        }
        for held in &mut self.staff {
            held.facts.household = held.facts.household.filter(|household| !crowded(household));
        }
    }

    /// Staff are patients of their own region: by a number that both records bear, else by a name
    /// and a date of birth that only one patient bears.
    fn find_staff_among_patients(&mut self) {
        let mut found: HashMap<IdentityId, PatientId, foldhash::fast::FixedState> =
            HashMap::default();
        for (identity, number) in std::mem::take(&mut self.staff_numbers) {
            if let Some(patient) = self.builder.directory.patients.find_exact(&number) {
                found.entry(identity).or_insert(patient);
            }
        }
        let wanted: HashSet<u64, foldhash::fast::FixedState> = self
            .staff
            .iter()
            .filter(|held| held.face != 0 && !found.contains_key(&held.identity))
            .map(|held| held.face)
            .collect();
        let mut bearers: HashMap<u64, Option<PatientId>, foldhash::fast::FixedState> =
            HashMap::default();
        for (index, face) in self.patient_faces.iter().enumerate() {
            if wanted.contains(face) {
                let patient = PatientId(index as u32);
                bearers.entry(*face).and_modify(|held| *held = None).or_insert(Some(patient));
            }
        }
        for held in &mut self.staff {
            let by_number = held.facts.patient.or(found.get(&held.identity).copied());
            let by_face = || {
                let patient = bearers.get(&held.face).copied().flatten()?;
                let facts = self.patients.get(usize::from(patient))?;
                let (here, there) = (held.facts.postal_area, facts.postal_area);
                (here.is_none() || there.is_none() || here == there).then_some(patient)
            };
            held.facts.patient = by_number.or_else(by_face);
            let own = held.facts.patient;
            if let Some(own) = own.and_then(|patient| self.patients.get(usize::from(patient))) {
                // What the patient's record knows better: staff records often hold a work address.
                let facts = &mut held.facts;
                facts.household = own.household.or(facts.household);
                facts.postal_area = own.postal_area.or(facts.postal_area);
                facts.family_name = facts.family_name.or(own.family_name);
            }
        }
    }

    fn measure_staff(&mut self) {
        let working: HashSet<IdentityId, foldhash::fast::FixedState> = self
            .builder
            .assignments
            .iter()
            .filter(|held| held.unit.is_some())
            .map(|held| held.identity)
            .collect();
        let people = self.staff.iter().filter(|held| !held.facts.system);
        let (mut all, mut own, mut placed) = (0, 0, 0);
        for Staff { patient, .. } in people.clone().map(|held| held.facts) {
            all += 1;
            own += u64::from(patient.is_some());
        }
        for held in people {
            placed += u64::from(working.contains(&held.identity));
        }
        self.counts.add_many(Measure::StaffAsPatient, own, all);
        self.counts.add_many(Measure::StaffWithWork, placed, all);
    }

    /// A booking that names staff but no place is at the unit where that person then works, if
    /// that is one unit: the clinic's other staff prepare it.
    fn place_bookings(&mut self) {
        let mut work: HashMap<IdentityId, Vec<Assignment>, foldhash::fast::FixedState> =
            HashMap::default();
        for held in self.builder.assignments.iter().filter(|held| held.unit.is_some()) {
            work.entry(held.identity).or_default().push(*held);
        }
        for tie in &mut self.builder.ties {
            let (TieKind::Booking, None, Some(identity)) = (tie.kind, tie.unit, tie.identity)
            else {
                continue;
            };
            let held = work.get(&identity).map_or(&[][..], Vec::as_slice);
            let mut units = held.iter().filter(|held| held.from <= tie.from && tie.from < held.to);
            let unit = units.next().and_then(|held| held.unit);
            if units.all(|held| held.unit == unit) {
                tie.unit = unit;
            }
        }
    }
}

/// More people at one address are no family.
const HOUSEHOLD_MAX: u32 = 12;
