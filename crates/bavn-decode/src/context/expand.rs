//! Facts that stand for many: responsibilities, projects, groups and kin become ties and members.

use super::completeness::Measure;
use super::draft::{Draft, GroupDraft, Party, Subject, Window};
use super::finish::TokenOf;
use super::units::now;
use bavn_model::{Group, IdentityId, Kin, TieKind, Timestamp, UnitId};
use hashbrown::{HashMap, HashSet};

impl Draft {
    /// A patient's own doctor counts only where that doctor's work is known: a region has millions
    /// of patients, and most of their doctors work outside it.
    pub(super) fn expand_standing(&mut self, leader: &[UnitId]) {
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

    pub(super) fn expand_projects(&mut self, leader: &[UnitId]) {
        let studies = std::mem::take(&mut self.studies);
        let mut subjects = std::mem::take(&mut self.subjects);
        let mut named: Vec<_> = studies.iter().collect();
        named.sort_unstable_by_key(|(name, _)| *name);
        for (name, study) in named {
            for group in &study.groups {
                let Some(group) = self.groups.get_mut(group) else { continue };
                group.cohort = true;
                for &patient in &group.members {
                    subjects.push(Subject {
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

    pub(super) fn expand_groups(&mut self, token_of: Option<TokenOf<'_>>) {
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

    pub(super) fn expand_kin(&mut self) {
        for (patient, name) in std::mem::take(&mut self.kin) {
            let Some(spellings) = self.related.get(&name) else { continue };
            let patients = &self.builder.directory.patients;
            let found = spellings.iter().find_map(|spelling| patients.find_exact(spelling));
            if let Some(of) = found.filter(|&of| of != patient) {
                self.builder.kin.push(Kin { patient, of });
            }
        }
    }
}
