//! Users of this program, who are watched like everybody else.

use bavn_model::{Context, Directory, Fact, Finding, Relation};
use std::collections::BTreeSet;

/// As this program's own look-ups name them: system and name.
#[derive(Debug, Default)]
pub(crate) struct Watchers(BTreeSet<String>);

impl Watchers {
    pub(crate) fn add(&mut self, names: impl IntoIterator<Item = String>) {
        self.0.extend(names);
    }

    /// Who is known here by the name that the registers have is that member of staff.
    pub(crate) fn meet(&self, directory: &mut Directory, context: &Context) {
        for watcher in &self.0 {
            let Some((_, name)) = watcher.rsplit_once('|') else { continue };
            if let (None, Some(staff)) =
                (directory.identities.find(watcher), context.staff_named(name))
            {
                directory.identities.declare_exact_also(watcher, staff);
            }
        }
    }

    /// Whether one of them looked at their own record or family: that is a case whatever the budget.
    pub(crate) fn read_their_own(&self, finding: &Finding, names: &Directory) -> bool {
        let near = |fact: &Fact| {
            let Fact::RelatedPatients { relation, .. } = fact else { return false };
            matches!(relation, Relation::Oneself | Relation::Kin | Relation::Household)
        };
        let watchers = self.0.iter().filter_map(|name| names.identities.find(name));
        let watchers: BTreeSet<_> = watchers.collect();
        finding.because.iter().any(near)
            && finding.entities.iter().any(|entity| watchers.contains(&entity.identity))
    }
}
