//! Which spellings mean one unit, which unit does somebody work in, and to which does a tie belong?

use super::completeness::Measure;
use super::draft::{Draft, Place, RoleDraft};
use bavn_model::{Assignment, TieKind, Unit, UnitId};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;

impl Draft {
    /// By unit: the unit that all its spellings mean.
    pub(super) fn settle_units(&mut self) -> Vec<UnitId> {
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
    pub(super) fn assign(&mut self, leader: &[UnitId]) {
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

    pub(super) fn working_units(&self) -> HashSet<UnitId, foldhash::fast::FixedState> {
        self.builder.assignments.iter().filter_map(|held| held.unit).collect()
    }

    /// A tie to a location at which nobody is recorded to work belongs to the nearest place above
    /// it where somebody is.
    pub(super) fn settle_ties(
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

    pub(super) fn expand_units(&mut self, leader: &[UnitId]) {
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

pub(super) fn now(leader: &[UnitId], unit: UnitId) -> UnitId {
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

/// A location lies in so many others at most; also ends a circle.
const LEVELS_MAX: usize = 16;
