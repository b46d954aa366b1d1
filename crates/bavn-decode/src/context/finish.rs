//! Who is whom, who works where: what only all files together can tell.

use super::completeness::{Completeness, Measure};
use super::draft::{Draft, GroupDraft, Party, Place, RoleDraft, Window};
use bavn_model::{
    Assignment, Context, Directory, Group, IdentityId, Kin, PatientId, Staff, TieKind, Timestamp,
    Unit, UnitId,
};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;

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

    /// By unit: the unit that all its spellings mean.
    fn settle_units(&mut self) -> Vec<UnitId> {
        let count = self.builder.directory.units.len();
        let mut leader: Vec<UnitId> = (0..count as u32).map(UnitId).collect();
        for (a, b) in std::mem::take(&mut self.same_units) {
            let (a, b) = (top(&leader, a), top(&leader, b));
            if let Some(slot) = leader.get_mut(usize::from(a.max(b))) {
                *slot = a.min(b);
            }
        }
        let settled: Vec<UnitId> = leader.iter().map(|&unit| top(&leader, unit)).collect();
        let mut places: HashMap<UnitId, Place, _> = HashMap::default();
        let mut before: Vec<_> = std::mem::take(&mut self.places).into_iter().collect();
        before.sort_unstable_by_key(|(unit, _)| *unit);
        for (unit, place) in before {
            let held = places.entry(now(&settled, unit)).or_insert_with(Place::default);
            if held.name.is_empty() {
                held.name = place.name;
            }
            held.part_of = held.part_of.or(place.part_of.map(|unit| now(&settled, unit)));
            held.managed_by = held.managed_by.or(place.managed_by.map(|unit| now(&settled, unit)));
            held.is_location |= place.is_location;
        }
        self.places = places;
        settled
    }

    /// Functions become periods of work. Where a function names a whole hospital and one of its
    /// several locations, the location is the unit.
    fn assign(&mut self, leader: &[UnitId]) {
        for held in &mut self.builder.assignments {
            held.unit = held.unit.map(|unit| now(leader, unit));
        }
        let mut locations: BTreeMap<UnitId, HashSet<UnitId, foldhash::fast::FixedState>> =
            BTreeMap::new();
        for role in &mut self.roles {
            role.organization = role.organization.map(|unit| now(leader, unit));
            for place in &mut role.locations {
                *place = now(leader, *place);
            }
            if let Some(organization) = role.organization {
                locations.entry(organization).or_default().extend(&role.locations);
            }
        }
        let wide = |organization: UnitId| {
            let top_level =
                self.places.get(&organization).is_none_or(|place| place.part_of.is_none());
            top_level && locations.get(&organization).is_some_and(|places| places.len() > 1)
        };
        let mut assignments = Vec::new();
        for role in &self.roles {
            let RoleDraft { identity, role, organization, ref locations, from, to } = *role;
            let units: Vec<Option<UnitId>> = match organization {
                Some(organization) if locations.is_empty() || !wide(organization) => {
                    vec![Some(organization)]
                }
                _ if locations.is_empty() => vec![None],
                _ => locations.iter().copied().map(Some).collect(),
            };
            for unit in units {
                assignments.push(Assignment { identity, unit, role, from, to });
            }
        }
        self.builder.assignments.extend(assignments);
    }

    fn working_units(&self) -> HashSet<UnitId, foldhash::fast::FixedState> {
        self.builder.assignments.iter().filter_map(|held| held.unit).collect()
    }

    /// A tie to a location at which nobody is recorded to work belongs to the nearest place above
    /// it where somebody is.
    fn settle_ties(
        &mut self,
        leader: &[UnitId],
        working: &HashSet<UnitId, foldhash::fast::FixedState>,
    ) {
        let count = self.builder.directory.units.len() as u32;
        let settled: Vec<UnitId> =
            (0..count).map(|unit| self.climb(now(leader, UnitId(unit)), working)).collect();
        let mut used = vec![false; settled.len()];
        for tie in &mut self.builder.ties {
            let Some(unit) = tie.unit else { continue };
            let unit = now(&settled, unit);
            tie.unit = Some(unit);
            if matches!(tie.kind, TieKind::Stay | TieKind::Move)
                && let Some(slot) = used.get_mut(usize::from(unit))
            {
                *slot = true;
            }
        }
        for (unit, _) in used.iter().enumerate().filter(|(_, used)| **used) {
            let staffed = working.contains(&UnitId(unit as u32));
            self.counts.add(Measure::UnitWithStaff, staffed);
        }
    }

    fn climb(&self, unit: UnitId, working: &HashSet<UnitId, foldhash::fast::FixedState>) -> UnitId {
        let mut at = unit;
        for _ in 0..LEVELS_MAX {
            if working.contains(&at) {
                return at;
            }
            let Some(place) = self.places.get(&at).filter(|place| place.is_location) else { break };
            let Some(above) = place.part_of.or(place.managed_by) else { break };
            at = above;
        }
        if working.contains(&at) { at } else { unit }
    }

    /// A patient's own doctor counts only where that doctor's work is known: a region has millions
    /// of patients, and most of their doctors work outside it.
    fn expand_standing(&mut self, leader: &[UnitId]) {
        let working: HashSet<IdentityId, foldhash::fast::FixedState> =
            self.builder.assignments.iter().map(|held| held.identity).collect();
        let units = self.working_units();
        let always = Window::new(Timestamp::MIN, Timestamp::MAX, Timestamp::MIN);
        for standing in std::mem::take(&mut self.standing) {
            let party = match standing.party {
                Party::Identity(identity) if working.contains(&identity) => standing.party,
                Party::Unit(unit) if units.contains(&now(leader, unit)) => {
                    Party::Unit(now(leader, unit))
                }
                _ => continue,
            };
            self.tie(standing.patient, TieKind::Responsible, party, None, always);
        }
    }

    fn expand_projects(&mut self, leader: &[UnitId]) {
        let studies = std::mem::take(&mut self.studies);
        let mut subjects = std::mem::take(&mut self.subjects);
        let mut named: Vec<_> = studies.iter().collect();
        named.sort_unstable_by_key(|(name, _)| *name);
        for (name, study) in named {
            for group in &study.groups {
                let Some(group) = self.groups.get_mut(group) else { continue };
                group.cohort = true;
                for &patient in &group.members {
                    subjects.push(super::draft::Subject {
                        patient,
                        study: name.clone(),
                        from: None,
                        to: None,
                        known_at: None,
                    });
                }
            }
        }
        for subject in subjects {
            let study = studies.get(&subject.study);
            let parties = study.map_or(&[][..], |study| &study.parties);
            self.counts.add(Measure::ProjectStaff, !parties.is_empty());
            let from = subject.from.or(subject.known_at).or(study.and_then(|study| study.from));
            let Some(from) = from else {
                self.counts.without_date += 1;
                continue;
            };
            let to = subject.to.or(study.and_then(|study| study.to)).unwrap_or(Timestamp::MAX);
            for &party in parties {
                let party = match party {
                    Party::Unit(unit) => Party::Unit(now(leader, unit)),
                    identity @ Party::Identity(_) => identity,
                };
                let window = Window::new(from, to, from);
                self.tie(subject.patient, TieKind::Project, party, None, window);
            }
        }
    }

    fn expand_groups(&mut self, token_of: Option<TokenOf<'_>>) {
        let mut groups: Vec<(Box<str>, GroupDraft)> = std::mem::take(&mut self.groups)
            .into_iter()
            .filter(|(_, group)| !group.cohort)
            .collect();
        groups.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(token_of) = token_of {
            let mut wanted: HashMap<String, Vec<usize>, foldhash::fast::FixedState> =
                HashMap::default();
            for (index, (_, group)) in groups.iter().enumerate() {
                for token in &group.tokens {
                    wanted.entry(token.to_lowercase()).or_default().push(index);
                }
            }
            if !wanted.is_empty() {
                for (spelling, patient) in self.builder.directory.patients.spellings() {
                    if !spelling.contains('|') {
                        continue;
                    }
                    let hits = wanted.get(&token_of(spelling).to_lowercase());
                    for &index in hits.into_iter().flatten() {
                        if let Some((_, group)) = groups.get_mut(index) {
                            group.members.push(patient);
                        }
                    }
                }
            }
        }
        let groups = groups.into_iter().filter(|(_, group)| !group.members.is_empty());
        let groups = groups.map(|(_, group)| Group { name: group.name, members: group.members });
        self.builder.groups.extend(groups);
    }

    fn expand_kin(&mut self) {
        for (patient, name) in std::mem::take(&mut self.kin) {
            let Some(spellings) = self.related.get(&name) else { continue };
            let patients = &self.builder.directory.patients;
            let found = spellings.iter().find_map(|spelling| patients.find_exact(spelling));
            if let Some(of) = found.filter(|&of| of != patient) {
                self.builder.kin.push(Kin { patient, of });
            }
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

    fn expand_units(&mut self, leader: &[UnitId]) {
        let mut units = std::mem::take(&mut self.builder.units);
        for unit in &mut units {
            unit.id = now(leader, unit.id);
        }
        for (&id, place) in &self.places {
            let name = if place.name.is_empty() {
                self.builder.directory.units.name(id).to_owned()
            } else {
                place.name.clone()
            };
            let part_of = place.part_of.or(place.managed_by).filter(|&above| above != id);
            units.push(Unit { id, name, part_of });
        }
        let named: HashSet<UnitId, foldhash::fast::FixedState> =
            units.iter().map(|unit| unit.id).collect();
        // Units that are only referred to are shown by their reference.
        for index in 0..self.builder.directory.units.len() as u32 {
            let id = UnitId(index);
            if now(leader, id) == id && !named.contains(&id) {
                let name = self.builder.directory.units.name(id).to_owned();
                units.push(Unit { id, name, part_of: None });
            }
        }
        units.sort_unstable_by_key(|unit| unit.id);
        self.builder.units = units;
        self.builder.directory.units.remap(leader);
    }
}

fn now(leader: &[UnitId], unit: UnitId) -> UnitId {
    leader.get(usize::from(unit)).copied().unwrap_or(unit)
}

fn top(leader: &[UnitId], unit: UnitId) -> UnitId {
    let mut at = unit;
    while let Some(&above) = leader.get(usize::from(at)) {
        if above == at {
            break;
        }
        at = above;
    }
    at
}

/// More people at one address are no family.
const HOUSEHOLD_MAX: u32 = 12;
/// A location lies in so many others at most; also ends a circle.
const LEVELS_MAX: usize = 16;
