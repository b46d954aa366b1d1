//! One reader opens members of a protected or watched list without a reason.
//!
//! ## What it sees
//! Unexplained look-ups of patients on a list (armed forces, protected address, staff as patients)
//! or marked restricted, against what the list's share of all patients would bring by chance.
//! ## Why it matters
//! Listed people are who a spy, a stalker or a newspaper looks for.
//! ## What makes it harmless
//! Care that no system recorded; a list so long that chance meets it.
//! ## First thing to do
//! Ask the reader for the reason the same day; tell nobody who is on the list.
//! ## Memory
//! 24 bytes a reader and a word a listed patient.
//! ## Source
//! Boxwala and others (2011), whose rules counted 1,487 such hits in two months.

use super::{Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError};
use crate::calibrate::{Person, Stream};
use crate::clientele::Attribute;
use crate::visit::Warmth;
use bavn_model::{Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep};
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug)]
pub(crate) struct ListedPatients {
    readers: PerReader<Listed>,
    /// Of each list: its members' share of all patients.
    shares: Vec<f32>,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Listed {
    day: i32,
    group: u32,
    opened: u32,
    expected: f32,
    highest: f32,
}

impl ListedPatients {
    pub(crate) fn new(context: &Context) -> Self {
        let patients = (context.patient_count() as f32).max(1.0);
        let shares = context.groups().iter().map(|group| group.members.len() as f32 / patients);
        Self { readers: PerReader::new(), shares: shares.collect(), bytes: 0 }
    }
}

impl Detector for ListedPatients {
    fn name(&self) -> &'static str {
        "listed_patients"
    }

    fn family(&self) -> Family {
        Family::Target
    }

    fn lane(&self) -> Lane {
        Lane::Live
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let Some(visit) = seen.unexplained() else { return };
        if seen.person.system {
            return;
        }
        let found = seen
            .context
            .groups()
            .iter()
            .zip(&self.shares)
            .enumerate()
            .find(|(_, (group, _))| group.members.binary_search(&visit.patient).is_ok());
        let Some((group, (_, &share))) = found else { return };
        let stream = match visit.warmth {
            Warmth::Cold => Stream::Cold,
            Warmth::Elsewhere => Stream::Away,
            _ => Stream::Unexplained,
        };
        let person = seen.person;
        let list = Attribute::Group(group as u32);
        let share = seen.clientele.share(visit.unit, list, share);
        let expected = person.mean(stream).max(RATE_MIN) * share;
        self.readers.with(seen.identity, |listed| {
            if listed.day != person.day {
                *listed = Listed { day: person.day, ..Listed::default() };
            }
            listed.opened += 1;
            listed.group = group as u32;
            listed.expected = listed.expected.max(expected);
            let count = listed.opened as f32;
            // Poisson, Chernoff: a bound is enough where the score is calibrated.
            let ratio = count / listed.expected.max(1e-6);
            let nats = if ratio > 1.0 { count * ratio.ln() - count + listed.expected } else { 0.0 };
            if nats > listed.highest {
                listed.highest = nats;
                out.raise(0, nats);
            }
        });
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let listed = self.readers.get(identity).filter(|listed| listed.day == person.day);
        let Some(listed) = listed.filter(|listed| listed.opened > 0) else {
            return Evidence::nothing();
        };
        let because = vec![Fact::ListedPatients {
            group: listed.group,
            opened: listed.opened,
            of: person.count(Stream::Unexplained),
            expected: f64::from(listed.expected),
        }];
        Evidence::of(because, InnocentStory::AskedToHelp, NextStep::AskReader)
    }

    fn bytes_held(&self) -> usize {
        self.readers.bytes_held() + self.bytes
    }

    fn save(&self, out: &mut Saving) {
        out.put(&self.readers);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        self.readers = from.take()?;
        Ok(())
    }
}

const RATE_MIN: f32 = 0.05;
