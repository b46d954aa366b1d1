//! An account opens patients from a place, or through a program, that is not its owner's.
//!
//! ## What it sees
//! Unexplained patients opened from an address, a part of the network or an application that neither
//! the reader nor anybody of the unit used in ninety days; and an account that is in use at two
//! places by turns, one of them such a one. Each place is weighed by how rarely a day of anybody
//! brings one: where people move from desk to desk, a new desk says little.
//! ## Why it matters
//! A stolen password is used from where the thief is, often while its owner is at work.
//! ## What makes it harmless
//! A new computer, a day of work from home, a desk borrowed on another ward.
//! ## First thing to do
//! Ask the reader whether it was he; end the account's sessions if not.
//! ## Memory
//! At most 40 places of 16 bytes a reader, and 400,000 of 24 for all units.
//! ## Source
//! Freeman and others, Who are you? A statistical approach to measuring user authenticity (2016), for
//! weighing places by how common they are.

use super::{
    Detector, Evidence, PerReader, Restoring, Saving, Scores, Seen, StateError, is_unexplained,
};
use crate::calibrate::Person;
use bavn_model::{
    Access, Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, Trait, UnitId,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// See the module's text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StrangePlace {
    readers: PerReader<Places>,
    /// Of each unit: the places its people used, and the last day.
    #[serde(with = "crate::sorted")]
    of_unit: HashMap<(UnitId, u8, u64), i32, foldhash::fast::FixedState>,
    /// Readers' days so far, and those that brought a new place, for each trait; fading.
    days: f32,
    novel: [f32; TRAITS.len()],
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Places {
    day: i32,
    known: Vec<Known>,
    /// Today's new place of each trait, and patients opened there without a reason.
    new: [Option<u64>; TRAITS.len()],
    patients: [u16; TRAITS.len()],
    /// The last new and the last known host, in seconds of the log; and how often they took turns.
    last: [i64; 2],
    was_new: bool,
    turns: u16,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Known {
    value: u64,
    kind: u8,
    last: i32,
}

impl StrangePlace {
    pub(crate) fn new() -> Self {
        Self {
            readers: PerReader::new(),
            of_unit: HashMap::default(),
            days: 0.0,
            novel: [0.0; TRAITS.len()],
        }
    }

    /// One in so many days brings such a place.
    fn one_in(&self, index: usize) -> f32 {
        let novel = self.novel.get(index).copied().unwrap_or(0.0);
        (self.days + DAYS_SHIPPED) / (novel + NOVEL_SHIPPED)
    }

    fn nats(&self, places: &Places) -> f32 {
        let mut nats = 0.0_f32;
        // A new address lies in a new part of the network, mostly: the rarest speaks for all.
        for (index, &patients) in places.patients.iter().enumerate() {
            if patients >= PATIENTS_MIN {
                let of_place = self.one_in(index).ln();
                nats = nats.max(of_place + PATIENTS_WEIGHT * f32::from(patients).ln());
            }
        }
        if nats > 0.0 { nats + TURN_NATS * f32::from(places.turns.min(TURNS_MAX)) } else { 0.0 }
    }

    /// Notes a place; whether it is new to the reader and to his unit.
    fn is_new(&mut self, seen: &Seen<'_>, kind: u8, value: u64) -> bool {
        let (day, person) = (seen.person.day, seen.person);
        let own = self.readers.with(seen.identity, |places| places.note(kind, value, day));
        let of_unit = person.unit.map(|unit| {
            if self.of_unit.len() >= PAIRS_MAX {
                self.of_unit.retain(|_, last| day - last.abs() < FORGOTTEN_DAYS / 4);
            }
            note(self.of_unit.entry((unit, kind, value)).or_insert(-day), day)
        });
        own == Some(true) && of_unit != Some(false)
    }
}

impl Detector for StrangePlace {
    fn name(&self) -> &'static str {
        "strange_place"
    }

    fn family(&self) -> Family {
        Family::Identity
    }

    fn lane(&self) -> Lane {
        Lane::Live
    }

    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores) {
        let person = seen.person;
        if person.system {
            return;
        }
        let settled = person.days_seen >= OWN_DAYS_MIN;
        let day = person.day;
        self.readers.with(seen.identity, |places| {
            if places.day != day {
                *places =
                    Places { day, known: std::mem::take(&mut places.known), ..Places::default() };
            }
        });
        let mut is_new = [false; TRAITS.len()];
        for (index, value) in values(seen.access).into_iter().enumerate() {
            let Some(value) = value else { continue };
            let new = self.is_new(seen, index as u8, value) && settled;
            if let Some(held) = is_new.get_mut(index) {
                *held = new;
            }
        }
        let unexplained = seen.opens && !seen.crowded && seen.visit.is_some_and(is_unexplained);
        let at = seen.access.at.secs();
        self.readers.with(seen.identity, |places| {
            let strange = is_new.iter().any(|&new| new);
            places.take_turn(strange, at);
            for ((new, held), (patients, value)) in is_new
                .into_iter()
                .zip(&mut places.new)
                .zip(places.patients.iter_mut().zip(values(seen.access)))
            {
                if new {
                    *held = value;
                    *patients = patients.saturating_add(u16::from(unexplained));
                }
            }
        });
        if unexplained
            && is_new.iter().any(|&new| new)
            && let Some(places) = self.readers.get(seen.identity)
        {
            out.raise(0, self.nats(places));
        }
    }

    fn close_person_day(&mut self, identity: IdentityId, person: &Person) {
        if person.system || person.days_seen < OWN_DAYS_MIN {
            return;
        }
        self.days = self.days * FADE + 1.0;
        let Some(places) = self.readers.get(identity).filter(|held| held.day == person.day) else {
            return;
        };
        for (novel, new) in self.novel.iter_mut().zip(places.new) {
            *novel = *novel * FADE + f32::from(u8::from(new.is_some()));
        }
    }

    fn evidence(&self, identity: IdentityId, person: &Person, _context: &Context) -> Evidence {
        let held = self.readers.get(identity).filter(|held| held.day == person.day);
        let Some(places) = held else { return Evidence::nothing() };
        let rarest = (0..TRAITS.len())
            .filter(|&index| places.patients.get(index).is_some_and(|&patients| patients > 0))
            .max_by(|&a, &b| self.one_in(a).total_cmp(&self.one_in(b)));
        let Some((place, patients)) =
            rarest.and_then(|index| Some((*TRAITS.get(index)?, *places.patients.get(index)?)))
        else {
            return Evidence::nothing();
        };
        let one_in = f64::from(rarest.map_or(1.0, |index| self.one_in(index)));
        let mut because =
            vec![Fact::NewPlace { place, patients: u32::from(patients), one_in: one_in.max(1.0) }];
        if places.turns > 0 {
            because.push(Fact::TwoPlaces {
                times: u32::from(places.turns),
                minutes: (TURN_SECS / 60) as u32,
            });
        }
        Evidence::of(because, InnocentStory::SharedWorkstation, NextStep::BlockAccount)
    }

    fn bytes_held(&self) -> usize {
        let of = |places: &Places| places.known.capacity() * size_of::<Known>();
        self.readers.bytes_held()
            + self.readers.held.iter().map(of).sum::<usize>()
            + self.of_unit.capacity() * size_of::<((UnitId, u8, u64), i32)>()
    }

    fn save(&self, out: &mut Saving) {
        out.put(self);
    }

    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError> {
        *self = from.take()?;
        Ok(())
    }
}

impl Places {
    /// Whether the reader had not used it in the last months, before today.
    fn note(&mut self, kind: u8, value: u64, day: i32) -> bool {
        let same = |held: &&mut Known| held.kind == kind && held.value == value;
        if let Some(held) = self.known.iter_mut().find(same) {
            return note(&mut held.last, day);
        }
        if self.known.len() >= KNOWN_MAX {
            let oldest = self.known.iter().enumerate().min_by_key(|(_, held)| held.last.abs());
            if let Some((index, _)) = oldest {
                self.known.swap_remove(index);
            }
        }
        self.known.push(Known { value, kind, last: -day });
        true
    }

    /// The new place and the old one by turns, within minutes: two people.
    fn take_turn(&mut self, strange: bool, at: i64) {
        let [known, new] = &mut self.last;
        let (mine, other) = if strange { (new, known) } else { (known, new) };
        if self.was_new != strange && *other > 0 && *mine > 0 && at - *mine <= TURN_SECS {
            self.turns = self.turns.saturating_add(1);
        }
        *mine = at;
        self.was_new = strange;
    }
}

/// Whether a place last used on `last` is new today. What is new stays so for the day, which a negative
/// day marks.
fn note(last: &mut i32, day: i32) -> bool {
    let new = *last == -day || day - last.abs() >= FORGOTTEN_DAYS;
    *last = if new { -day } else { day };
    new
}

fn values(access: &Access) -> [Option<u64>; TRAITS.len()] {
    [
        access.host.map(|host| u64::from(host.0)),
        access.network.map(|network| network.0),
        access.client.map(|client| u64::from(client.0)),
    ]
}

const TRAITS: [Trait; 3] = [Trait::Host, Trait::Network, Trait::Client];
/// Before a reader has places of his own, every one is new.
const OWN_DAYS_MIN: u32 = 5;
const FORGOTTEN_DAYS: i32 = 90;
const KNOWN_MAX: usize = 40;
const PAIRS_MAX: usize = 400_000;
/// In a region without history: one day in fifty brings a new place.
const DAYS_SHIPPED: f32 = 100.0;
const NOVEL_SHIPPED: f32 = 2.0;
/// Half weight after so many readers' days as a hospital of 500 has in two months.
const FADE: f32 = 0.999_96;
/// One is a slip, wherever it happens.
const PATIENTS_MIN: u16 = 2;
const PATIENTS_WEIGHT: f32 = 1.5;
const TURN_SECS: i64 = 15 * 60;
const TURN_NATS: f32 = 1.0;
const TURNS_MAX: u16 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_new_for_one_day_and_again_when_forgotten() {
        let mut places = Places::default();
        assert!(places.note(0, 7, 100) && places.note(0, 7, 100));
        assert!(!places.note(0, 7, 101) && places.note(1, 7, 101));
        assert!(!places.note(0, 7, 180));
        assert!(places.note(0, 7, 270));
    }

    #[test]
    fn few_places_are_held() {
        let mut places = Places::default();
        for number in 0..5_000 {
            places.note(0, number, 100 + (number / 50) as i32);
        }
        assert_eq!(places.known.len(), KNOWN_MAX);
    }

    #[test]
    fn two_places_by_turns_are_two_people_and_moving_once_is_not() {
        let mut places = Places::default();
        for (at, strange) in [(60, false), (120, true), (4_000, true), (4_100, false)] {
            places.take_turn(strange, at);
        }
        assert_eq!(places.turns, 0);
        for (at, strange) in [(4_200, true), (4_260, false), (4_300, true)] {
            places.take_turn(strange, at);
        }
        assert_eq!(places.turns, 3);
    }
}
