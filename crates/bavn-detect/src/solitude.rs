//! Whom has nobody else opened, a day before or after?
//!
//! Care is shared: whoever is treated, or soon will be, is opened by others within a day, and a
//! look-up that nothing explains is then most often one whose reason nobody wrote down. A thief's
//! patients stay alone. Known only a day later, when records that came meanwhile have had their say.

use crate::later::Waiting;
use crate::visit::Visit;
use bavn_model::{Context, IdentityId, PatientId, Timestamp};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// The last readers of every patient opened within a day, and the look-ups that are alone so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Solitude {
    #[serde(with = "crate::sorted")]
    readers: Map<PatientId, Readers>,
    #[serde(with = "crate::sorted")]
    alone: Map<PatientId, IdentityId>,
    /// In the order of time.
    waiting: VecDeque<Waiting>,
}

/// The last reader of a patient, and when somebody else last was.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Readers {
    last: IdentityId,
    last_at: Timestamp,
    other_at: Option<Timestamp>,
}

impl Solitude {
    /// A person's visit begins.
    pub(crate) fn note(&mut self, visit: &Visit, unexplained: bool) {
        let (identity, patient, at) = (visit.identity, visit.patient, visit.first);
        let new = Readers { last: identity, last_at: at, other_at: None };
        let held = self.readers.entry(patient).or_insert(new);
        if held.last != identity {
            held.other_at = Some(held.last_at);
            held.last = identity;
        }
        held.last_at = at;
        let in_company = held.other_at.is_some_and(|other| at.secs_since(other) <= ALONE_SECS);
        if in_company {
            self.alone.remove(&patient);
        } else if unexplained && self.waiting.len() < WAITING_MAX {
            self.alone.insert(patient, identity);
            self.waiting.push_back(Waiting::of(visit));
        }
    }

    /// The readers who were alone with a patient for a day that is now over.
    pub(crate) fn over(&mut self, now: Timestamp, context: &Context, out: &mut Vec<IdentityId>) {
        while let Some(&look_up) = self.waiting.front()
            && now.secs_since(look_up.since) > ALONE_SECS
        {
            self.waiting.pop_front();
            if self.alone.get(&look_up.patient) == Some(&look_up.identity)
                && look_up.judge(now, context).is_none()
            {
                out.push(look_up.identity);
            }
        }
    }

    pub(crate) fn close_day(&mut self, end: Timestamp) {
        self.readers.retain(|_, held| end.secs_since(held.last_at) <= ALONE_SECS);
        let Self { readers, alone, .. } = self;
        alone.retain(|patient, _| readers.contains_key(patient));
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.readers.capacity() * size_of::<(PatientId, Readers)>()
            + self.alone.capacity() * size_of::<(PatientId, IdentityId)>()
            + self.waiting.capacity() * size_of::<Waiting>()
    }
}

/// Nobody else for so long, before and after.
const ALONE_SECS: i64 = 86_400;
/// Look-ups that wait: more than a day's unexplained ones of the largest region.
const WAITING_MAX: usize = 1 << 20;
