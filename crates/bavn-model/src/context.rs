//! What the hospital's own systems say: who works where, who is treated where and by whom.
//!
//! Built once from files by [`ContextBuilder`], read-only after. Every fact carries the time from
//! which it could have been known; asking about an instant never sees a later fact, so a replay
//! says what a live run would have said.

use crate::{Directory, IdentityId, PatientId, RoleId, Timestamp, UnitId};
use serde::Serialize;

/// A recorded tie between a patient and a unit or a member of staff.
///
/// An encounter with a ward and two doctors is three ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tie {
    pub patient: PatientId,
    pub kind: TieKind,
    /// The unit tied to the patient, if the tie is to a unit.
    pub unit: Option<UnitId>,
    /// The member of staff tied to the patient, if the tie is to a person.
    pub identity: Option<IdentityId>,
    /// Who made the record, where the context says so: a tie made by the reader never explains
    /// alone.
    pub author: Option<IdentityId>,
    pub from: Timestamp,
    /// [`Timestamp::MAX`] while it lasts.
    pub to: Timestamp,
    /// From when the hospital's systems knew of it.
    pub known_at: Timestamp,
}

impl Tie {
    /// Whether it is the same tie once more, or the leg of a stay that is the whole stay.
    fn says_no_more_than(&self, stay: &Self) -> bool {
        let is_stay = |kind| matches!(kind, TieKind::Stay | TieKind::Move);
        let kind = if is_stay(self.kind) && is_stay(stay.kind) { stay.kind } else { self.kind };
        Self { kind, ..*self } == *stay
    }

    fn order(&self) -> impl Ord + use<> {
        let who = (self.unit, self.identity, self.author);
        (self.patient, self.from, self.known_at, self.to, who, self.kind)
    }
}

/// What kind of record made a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TieKind {
    /// `Encounter`: admission, or a visit to a clinic or emergency department.
    Stay,
    /// `Encounter.location` or `.serviceProvider` of one leg of a stay.
    Move,
    /// `Appointment`.
    Booking,
    /// `ServiceRequest`, the side that performs it.
    Order,
    /// `ServiceRequest`, the side that asked.
    OrderRequest,
    /// `ServiceRequest` with the intent of a referral, the side that receives it.
    Referral,
    /// `CareTeam`.
    CareTeam,
    /// `Patient.generalPractitioner` and other standing responsibility.
    Responsible,
    /// `Task`: coding, billing, discharge letters.
    Task,
    /// `ResearchSubject` or a registry's or quality project's cohort.
    Project,
}

/// One period of work in one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Assignment {
    pub identity: IdentityId,
    pub unit: Option<UnitId>,
    pub role: Option<RoleId>,
    pub from: Timestamp,
    /// [`Timestamp::MAX`] while it lasts.
    pub to: Timestamp,
}

/// What is known of a member of staff beside the assignments. Name, household and address are
/// numbers that can only be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Staff {
    /// The same person as a patient.
    pub patient: Option<PatientId>,
    pub family_name: Option<u32>,
    pub household: Option<u32>,
    pub postal_area: Option<u32>,
    /// FHIR `Practitioner.active`; not dated, so it must not count before the assignments end.
    pub active: Option<bool>,
    /// A `Device`: a system account.
    pub system: bool,
}

/// What is known of a patient beside ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Patient {
    pub family_name: Option<u32>,
    pub household: Option<u32>,
    pub postal_area: Option<u32>,
    /// Days since the epoch.
    pub born: Option<i32>,
    /// Days since the epoch.
    pub died: Option<i32>,
    /// Known to be dead, on whichever day. No detector asks for it, so a learned state does not turn
    /// on it.
    #[serde(skip)]
    pub dead: bool,
    /// `meta.security` R, V or a protected address.
    pub restricted: bool,
}

/// Two patients known to be kin or to act for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Kin {
    pub patient: PatientId,
    pub of: PatientId,
}

/// A hospital, ward, clinic or laboratory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    pub id: UnitId,
    /// In words, to show.
    pub name: String,
    pub part_of: Option<UnitId>,
}

/// A code of a member of staff's function, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    pub id: RoleId,
    pub name: String,
}

/// A protected or watched set of patients, such as armed forces personnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// As the source calls it, to show ("armed-forces"); members are never shown.
    pub name: String,
    /// Sorted.
    pub members: Vec<PatientId>,
}

/// Collects facts in any order; later files add to earlier ones.
#[derive(Debug, Default)]
pub struct ContextBuilder {
    pub directory: Directory,
    pub ties: Vec<Tie>,
    pub assignments: Vec<Assignment>,
    pub staff: Vec<(IdentityId, Staff)>,
    /// Names of staff in words, for the patient's report; nothing is compared by them.
    pub staff_names: Vec<(IdentityId, Box<str>)>,
    pub patients: Vec<(PatientId, Patient)>,
    pub kin: Vec<Kin>,
    pub units: Vec<Unit>,
    pub roles: Vec<Role>,
    pub groups: Vec<Group>,
}

impl ContextBuilder {
    /// Settles who is whom and sorts everything for look-up by key.
    pub fn build(mut self) -> (Directory, Context) {
        let identity_now = self.directory.identities.settle();
        let patient_now = self.directory.patients.settle();
        let identity = |id: IdentityId| identity_now.get(usize::from(id)).copied().unwrap_or(id);
        let patient = |id: PatientId| patient_now.get(usize::from(id)).copied().unwrap_or(id);

        for tie in &mut self.ties {
            tie.patient = patient(tie.patient);
            tie.identity = tie.identity.map(identity);
            tie.author = tie.author.map(identity);
        }
        // In place: a region has millions. The whole key, so that the order is one.
        self.ties.sort_unstable_by_key(Tie::order);
        self.ties.dedup_by(|next, tie| next.says_no_more_than(tie));
        self.ties.shrink_to_fit();
        for assignment in &mut self.assignments {
            assignment.identity = identity(assignment.identity);
        }
        self.assignments
            .sort_unstable_by_key(|held| (held.identity, held.from, held.to, held.unit, held.role));
        self.assignments.dedup();

        let mut staff = vec![Staff::default(); self.directory.identities.len()];
        for (id, facts) in self.staff {
            if let Some(held) = staff.get_mut(usize::from(identity(id))) {
                *held = Staff {
                    patient: facts.patient.map(patient).or(held.patient),
                    family_name: facts.family_name.or(held.family_name),
                    household: facts.household.or(held.household),
                    postal_area: facts.postal_area.or(held.postal_area),
                    active: facts.active.or(held.active),
                    system: facts.system || held.system,
                };
            }
        }
        for (id, _) in &mut self.staff_names {
            *id = identity(*id);
        }
        self.staff_names.sort_unstable();
        self.staff_names.dedup_by_key(|(id, _)| *id);
        let mut patients = vec![Patient::default(); self.directory.patients.len()];
        for (id, facts) in self.patients {
            if let Some(held) = patients.get_mut(usize::from(patient(id))) {
                *held = Patient {
                    family_name: facts.family_name.or(held.family_name),
                    household: facts.household.or(held.household),
                    postal_area: facts.postal_area.or(held.postal_area),
                    born: facts.born.or(held.born),
                    died: facts.died.or(held.died),
                    dead: facts.dead || held.dead,
                    restricted: facts.restricted || held.restricted,
                };
            }
        }
        let mut kin: Vec<Kin> = self
            .kin
            .iter()
            .map(|pair| (patient(pair.patient), patient(pair.of)))
            .flat_map(|(a, b)| [Kin { patient: a, of: b }, Kin { patient: b, of: a }])
            .collect();
        kin.sort_unstable();
        kin.dedup();
        for group in &mut self.groups {
            for member in &mut group.members {
                *member = patient(*member);
            }
            group.members.sort_unstable();
            group.members.dedup();
        }
        self.groups.sort_by(|a, b| a.name.cmp(&b.name));

        let mut units: Vec<Option<Unit>> = vec![None; self.directory.units.len()];
        for unit in self.units {
            if let Some(slot) = units.get_mut(usize::from(unit.id)) {
                *slot = Some(unit);
            }
        }
        let mut role_names = vec![String::new(); self.directory.roles.len()];
        for role in self.roles {
            if let Some(slot) = role_names.get_mut(usize::from(role.id)) {
                *slot = role.name;
            }
        }
        let context = Context {
            tie_starts: starts(self.directory.patients.len(), &self.ties, |tie| tie.patient.into()),
            ties: self.ties,
            assignment_starts: starts(
                self.directory.identities.len(),
                &self.assignments,
                |assignment| assignment.identity.into(),
            ),
            assignments: self.assignments,
            staff,
            staff_names: self.staff_names,
            patients,
            kin,
            units,
            role_names,
            groups: self.groups,
        };
        (self.directory, context)
    }
}

/// Everything that could explain an access, sorted for look-up by identity and by patient.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Context {
    ties: Vec<Tie>,
    /// By patient: where its ties begin; one more entry than patients.
    tie_starts: Vec<u32>,
    assignments: Vec<Assignment>,
    assignment_starts: Vec<u32>,
    staff: Vec<Staff>,
    /// Sorted.
    staff_names: Vec<(IdentityId, Box<str>)>,
    patients: Vec<Patient>,
    kin: Vec<Kin>,
    units: Vec<Option<Unit>>,
    role_names: Vec<String>,
    groups: Vec<Group>,
}

impl Context {
    /// All ties of a patient, sorted by `from`. Whoever asks must heed `known_at`.
    pub fn ties(&self, patient: PatientId) -> &[Tie] {
        slice_of(&self.ties, &self.tie_starts, patient.into())
    }

    /// All periods of work of an identity, sorted by `from`.
    pub fn assignments(&self, identity: IdentityId) -> &[Assignment] {
        slice_of(&self.assignments, &self.assignment_starts, identity.into())
    }

    pub fn staff(&self, identity: IdentityId) -> Staff {
        self.staff.get(usize::from(identity)).copied().unwrap_or_default()
    }

    /// The member of staff who is called so, if that is one person.
    pub fn staff_named(&self, name: &str) -> Option<IdentityId> {
        let name = name.to_lowercase();
        let mut called = self.staff_names.iter().filter(|(_, held)| held.to_lowercase() == name);
        let (first, _) = called.next()?;
        called.next().is_none().then_some(*first)
    }

    /// A member of staff's name in words, to show to a patient who asks.
    pub fn staff_name(&self, identity: IdentityId) -> Option<&str> {
        let at = self.staff_names.binary_search_by_key(&identity, |&(id, _)| id).ok()?;
        self.staff_names.get(at).map(|(_, name)| &**name)
    }

    pub fn patient(&self, patient: PatientId) -> Patient {
        self.patients.get(usize::from(patient)).copied().unwrap_or_default()
    }

    /// Whether the two patients are recorded as kin.
    pub fn are_kin(&self, patient: PatientId, of: PatientId) -> bool {
        self.kin.binary_search(&Kin { patient, of }).is_ok()
    }

    pub fn unit(&self, unit: UnitId) -> Option<&Unit> {
        self.units.get(usize::from(unit))?.as_ref()
    }

    /// What the unit is part of, at the top.
    pub fn hospital(&self, unit: UnitId) -> UnitId {
        let mut top = unit;
        for _ in 0..LEVELS_MAX {
            let Some(above) = self.unit(top).and_then(|held| held.part_of) else { break };
            top = above;
        }
        top
    }

    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().flatten()
    }

    pub fn role_name(&self, role: RoleId) -> &str {
        self.role_names.get(usize::from(role)).map_or("", String::as_str)
    }

    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Number of identities with at least one assignment.
    pub fn staff_count(&self) -> usize {
        self.assignment_starts.windows(2).filter(|pair| pair.first() != pair.last()).count()
    }

    /// Every identity that context knows of, with what it says.
    pub fn all_staff(&self) -> impl Iterator<Item = (IdentityId, Staff)> {
        self.staff.iter().enumerate().map(|(index, &staff)| (IdentityId(index as u32), staff))
    }

    /// Number of patients that context knows of.
    pub fn patient_count(&self) -> usize {
        self.patients.len()
    }

    pub fn all_ties(&self) -> &[Tie] {
        &self.ties
    }

    pub fn bytes_held(&self) -> usize {
        size_of_val(self.ties.as_slice())
            + size_of_val(self.assignments.as_slice())
            + size_of_val(self.staff.as_slice())
            + size_of_val(self.patients.as_slice())
    }
}

fn starts<T>(keys: usize, sorted: &[T], key: impl Fn(&T) -> usize) -> Vec<u32> {
    let mut starts = Vec::with_capacity(keys + 1);
    let mut at = 0;
    for wanted in 0..=keys {
        while sorted.get(at).is_some_and(|item| key(item) < wanted) {
            at += 1;
        }
        starts.push(at as u32);
    }
    starts
}

fn slice_of<'s, T>(all: &'s [T], starts: &[u32], key: usize) -> &'s [T] {
    match (starts.get(key), starts.get(key + 1)) {
        (Some(&from), Some(&to)) => all.get(from as usize..to as usize).unwrap_or(&[]),
        _ => &[],
    }
}

/// Levels of a hospital's chart; more are a ring.
const LEVELS_MAX: usize = 16;
