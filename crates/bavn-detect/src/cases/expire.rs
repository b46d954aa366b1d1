//! Which cases are past their time, and what is left of their acts?

use super::act::{Act, CaseNumber, Deed, SYSTEM};
use super::book::{Book, Case, State};
use std::collections::{BTreeMap, BTreeSet};

impl Book {
    /// Cases that may go: all that were ever joined to them by a merge or a split must be over as well.
    pub fn over(&self, is_over: impl Fn(&Case) -> bool) -> BTreeSet<CaseNumber> {
        let mut groups: BTreeMap<CaseNumber, CaseNumber> = BTreeMap::new();
        for act in self.acts() {
            if let Deed::Merged { into } | Deed::Split { into, .. } = act.deed {
                let (a, b) = (leader(&groups, act.case), leader(&groups, into));
                if a != b {
                    groups.insert(a.max(b), a.min(b));
                }
            }
        }
        let stays = |case: &&Case| case.state() != State::Merged && !is_over(case);
        let staying: BTreeSet<CaseNumber> =
            self.cases().filter(stays).map(|case| leader(&groups, case.number)).collect();
        let numbers = self.cases().map(|case| case.number);
        numbers.filter(|&number| !staying.contains(&leader(&groups, number))).collect()
    }
}

fn leader(groups: &BTreeMap<CaseNumber, CaseNumber>, mut number: CaseNumber) -> CaseNumber {
    while let Some(&above) = groups.get(&number) {
        number = above;
    }
    number
}

impl Act {
    /// What is left of it: that there was an act on this case. The explanation of a unit stays, since
    /// it speaks for other cases too, and of nobody; and so does what was undone.
    pub fn expired(self) -> Self {
        let by = SYSTEM.to_owned();
        match self.deed {
            Deed::Explained(_) => self,
            Deed::Undone { .. } => Self { by, ..self },
            _ => Self { by, deed: Deed::Expired, ..self },
        }
    }
}
