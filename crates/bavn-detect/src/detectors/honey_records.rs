//! Somebody opens the record of a patient who does not exist.
//!
//! ## What it sees
//! A look-up by a person of a patient on the list that the hospital calls `decoys`: invented
//! patients whom no work can lead to. Hits in a search are not counted, since names are alike.
//! ## Why it matters
//! Whoever walks through the register, or takes whoever comes, meets one sooner or later, however
//! slowly he goes and whatever he covers it with.
//! ## What makes it harmless
//! A slip among search results; a test of the system; a decoy that somebody came to treat.
//! ## First thing to do
//! Look at everything else the account opened today before anybody is asked.
//! ## Memory
//! 12 bytes a reader.
//! ## Source
//! Spitzner, Honeytokens (2003); the list is a `Group`, or keyed tokens, in the context.

use super::{Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::Person;
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct HoneyRecords {
    readers: PerReader<Touched>,
    /// Of the context's lists, the one of decoys.
    list: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Touched {
    day: i32,
    opened: u32,
}

impl HoneyRecords {
    pub(crate) fn new(context: &Context) -> Self {
        let list = context.groups().iter().position(|group| group.name == DECOYS);
        Self { readers: PerReader::new(), list }
    }
}

impl Detector for HoneyRecords {
    fn name(&self) -> &'static str {
        "honey_records"
    }

    fn family(&self) -> Family {
        Family::Target
    }

    fn lane(&self) -> Lane {
        Lane::Deterministic
    }

    fn shipped_nats(&self) -> f32 {
        1.0
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let list = self.list.and_then(|list| seen.context.groups().get(list));
        let (Some(list), Some(patient)) = (list, seen.patient.filter(|_| seen.opens)) else {
            return;
        };
        if seen.person.system || list.members.binary_search(&patient).is_err() {
            return;
        }
        let day = seen.person.day;
        self.readers.with(seen.identity, |touched| {
            if touched.day != day {
                *touched = Touched { day, opened: 0 };
            }
            touched.opened += 1;
            out.raise(0, TOUCH_NATS * touched.opened as f32);
        });
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let touched = self.readers.get(identity).filter(|touched| touched.day == person.day);
        let Some(touched) = touched.filter(|touched| touched.opened > 0) else {
            return Evidence::nothing();
        };
        let because = vec![Fact::Decoys { opened: touched.opened }];
        Evidence::of(because, InnocentStory::None, NextStep::BlockAccount)
    }

    fn bytes_held(&self) -> usize {
        self.readers.bytes_held()
    }

    fn save(&self, out: &mut Saving) {
        out.put(&self.readers);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        self.readers = from.take()?;
        Ok(())
    }
}

/// Name of the list.
const DECOYS: &str = "decoys";
/// One innocent touch a year among 10,000 readers is one in 3,650,000 days of readers.
const TOUCH_NATS: f32 = 15.0;
