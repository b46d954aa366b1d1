//! What does a reader's day usually hold?
//!
//! Each reader is compared with his own past, shrunk to his cell (function and unit), that to his
//! function, and that to everybody: a consult team whose look-ups nothing ever explains is quiet,
//! and a thief on top of it stands out. The last fortnight does not count (less in a young log),
//! so that a slow thief does not teach his own baseline.

use super::Load;
use super::count::negative_binomial_surprise;
use bavn_model::{IdentityId, RoleId, Timestamp, UnitId};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// What is counted of a reader's day: distinct patients, from all to the strangest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    All,
    /// Without a record, made by somebody else, that explains the look-up.
    Unexplained,
    /// Of those: patients of no unit near the reader's.
    Away,
    /// Of those: patients of no unit at all that is near, in a year.
    Cold,
    /// Of those away: patients whom nobody else opened a day before or after. Counted when that
    /// day is over, on the working day that follows.
    Alone,
}

pub(crate) const STREAMS: usize = 5;

impl Stream {
    /// What is known as a visit begins.
    pub(crate) const AT_ONCE: [Self; 4] = [Self::All, Self::Unexplained, Self::Away, Self::Cold];
}

/// Distinct patients of one reader on one day, by [`Stream`].
pub(crate) type DayCounts = [u32; STREAMS];

/// When a reader's day began; each kind of day has its own usual counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shift {
    Day,
    Evening,
    Night,
    WeekendDay,
    WeekendEvening,
    WeekendNight,
}

impl Shift {
    pub(crate) fn of(at: Timestamp) -> Self {
        // 1970-01-01 was a Thursday.
        let weekend = matches!((at.day() + 3).rem_euclid(7), 5 | 6);
        match (weekend, at.hour_of_day()) {
            (false, 4..12) => Self::Day,
            (false, 12..19) => Self::Evening,
            (false, _) => Self::Night,
            (true, 4..12) => Self::WeekendDay,
            (true, 12..19) => Self::WeekendEvening,
            (true, _) => Self::WeekendNight,
        }
    }
}

/// A full day's usual count and how tightly days keep to it (size of the negative binomial).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Expected {
    pub(crate) mean: [f32; STREAMS],
    pub(crate) size: [f32; STREAMS],
}

/// One reader's counts of today, what was to be expected, and the past.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) unit: Option<UnitId>,
    pub(crate) role: Option<RoleId>,
    /// A system account: never compared with people.
    pub(crate) system: bool,
    /// Day (since the epoch) that `today` is of.
    pub(crate) day: i32,
    pub(crate) shift: Shift,
    pub(crate) today: DayCounts,
    /// [`Stream::Alone`] since the last working day.
    alone_since: u32,
    pub(crate) expected: Expected,
    /// How much more than usual today brings everybody near this reader.
    pub(crate) load: [f32; STREAMS],
    pub(crate) first_day: i32,
    /// Working days before today, and the last of them.
    pub(crate) days_seen: u32,
    pub(crate) day_before: i32,
    /// Days too young to count, oldest first: (day, shift, counts).
    recent: Vec<(i32, Shift, DayCounts)>,
    days: f32,
    /// Sums over counted days, each divided by the multiplier of its shift.
    sums: [f32; STREAMS],
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cell {
    days: f32,
    sums: [f32; STREAMS],
    /// For the scatter about each reader's own expectation.
    excess: [f32; STREAMS],
    squares: [f32; STREAMS],
}

/// All readers, and the cells that they are shrunk to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct People {
    readers: Vec<Option<Person>>,
    #[serde(with = "crate::sorted")]
    cells: HashMap<(Option<RoleId>, Option<UnitId>, bool), Cell, foldhash::fast::FixedState>,
    /// By function, with and without shift.
    #[serde(with = "crate::sorted")]
    roles: HashMap<(Option<RoleId>, bool), RoleDays, foldhash::fast::FixedState>,
    all: Cell,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct RoleDays {
    total: Cell,
    by_shift: [Cell; SHIFTS],
}

impl People {
    pub(crate) fn get(&self, identity: IdentityId) -> Option<&Person> {
        self.readers.get(usize::from(identity))?.as_ref()
    }

    /// Readers met so far.
    pub(crate) fn met(&self) -> usize {
        self.readers.iter().flatten().count()
    }

    /// The reader, with today opened: yesterday's counts put away, today's expectation made.
    pub(crate) fn open(&mut self, identity: IdentityId, at: Timestamp, standing: Standing) {
        let index = usize::from(identity);
        if self.readers.len() <= index {
            self.readers.resize(index + 1, None);
        }
        let shift = Shift::of(at);
        let fresh = self
            .readers
            .get(index)
            .is_none_or(|held| held.as_ref().is_none_or(|person| person.day != at.day()));
        if fresh {
            let mut person = self
                .readers
                .get_mut(index)
                .and_then(Option::take)
                .unwrap_or_else(|| Person::new(at.day(), standing));
            person.put_away(at.day());
            (person.unit, person.role, person.system) =
                (standing.unit, standing.role, standing.system);
            person.fold(at.day(), |role, shift| self.multiplier(role, shift));
            person.day = at.day();
            person.shift = shift;
            person.today = [0; STREAMS];
            let alone = std::mem::take(&mut person.alone_since);
            person.add_alone(alone);
            person.load = [1.0; STREAMS];
            person.expected = self.expect(&person);
            if let Some(slot) = self.readers.get_mut(index) {
                *slot = Some(person);
            }
        }
    }

    /// Counts a patient of today, in each stream that it belongs to.
    pub(crate) fn count(
        &mut self,
        identity: IdentityId,
        counted: [bool; STREAMS],
        load: &mut Load,
    ) {
        if let Some(Some(person)) = self.readers.get_mut(usize::from(identity)) {
            for (count, counts) in person.today.iter_mut().zip(counted) {
                *count += u32::from(counts);
            }
            person.load =
                if person.system { person.longer_run() } else { load.note(person, counted) };
        }
    }

    /// A patient of the reader's turns out to have been opened by nobody else.
    pub(crate) fn count_alone(&mut self, identity: IdentityId, day: i32) {
        if let Some(Some(person)) = self.readers.get_mut(usize::from(identity)) {
            if person.day == day {
                person.add_alone(1);
            } else {
                person.alone_since += 1;
            }
        }
    }

    /// Ends a day: cells learn from everybody who worked in it and is not under suspicion.
    pub(crate) fn close_day(&mut self, day: i32, trusted: impl Fn(IdentityId) -> bool) {
        for (index, person) in self.readers.iter().enumerate() {
            let Some(person) = person.as_ref().filter(|person| person.day == day) else { continue };
            if !trusted(IdentityId(index as u32)) {
                continue;
            }
            let role = self.roles.entry((person.role, person.system)).or_default();
            let cell = self.cells.entry((person.role, person.unit, person.system)).or_default();
            role.total.learn(person);
            cell.learn(person);
            if !person.system {
                self.all.learn(person);
            }
            if let Some(shift) = role.by_shift.get_mut(person.shift as usize) {
                shift.learn(person);
            }
        }
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.readers.capacity() * size_of::<Option<Person>>()
            + self.readers.iter().flatten().map(Person::bytes_held).sum::<usize>()
            + self.cells.capacity() * size_of::<Cell>()
            + self.roles.capacity() * size_of::<RoleDays>()
    }

    /// How a shift's counts compare with the function's mean.
    fn multiplier(&self, key: (Option<RoleId>, bool), shift: Shift) -> [f32; STREAMS] {
        let Some(role) = self.roles.get(&key) else { return [1.0; STREAMS] };
        let Some(of_shift) = role.by_shift.get(shift as usize) else { return [1.0; STREAMS] };
        std::array::from_fn(|stream| {
            let mean = role.total.mean(stream, 0.05, PRIOR_DAYS);
            let (sum, prior) = (at(&of_shift.sums, stream), SHIFT_PRIOR_DAYS * mean);
            let ratio = (sum + prior) / ((of_shift.days + SHIFT_PRIOR_DAYS) * mean);
            ratio.clamp(0.2, 5.0)
        })
    }

    fn expect(&self, person: &Person) -> Expected {
        let role_key = (person.role, person.system);
        let multiplier = self.multiplier(role_key, person.shift);
        let empty = RoleDays::default();
        let role = &self.roles.get(&role_key).unwrap_or(&empty).total;
        let no_cell = Cell::default();
        let cell = self.cells.get(&(person.role, person.unit, person.system)).unwrap_or(&no_cell);
        let mut expected = Expected { mean: [0.0; STREAMS], size: [0.0; STREAMS] };
        for stream in 0..STREAMS {
            let of_all = self.all.mean(stream, at(&SHIPPED_MEAN, stream), PRIOR_DAYS);
            let of_role = role.mean(stream, of_all, PRIOR_DAYS);
            let of_cell = cell.mean(stream, of_role, PRIOR_DAYS);
            let prior = OWN_PRIOR_DAYS;
            let own = at(&person.sums, stream) + prior * of_cell;
            let mean = (own / (person.days + prior)).max(MEAN_MIN) * at(&multiplier, stream);
            // Scatter from day to day, and doubt about the own mean.
            let scatter = cell
                .scatter(stream, role.scatter(stream, self.all.scatter(stream, SHIPPED_SCATTER)));
            let doubt = 1.0 / (at(&person.sums, stream) + prior * of_cell.max(MEAN_MIN) + 0.3);
            if let (Some(m), Some(s)) =
                (expected.mean.get_mut(stream), expected.size.get_mut(stream))
            {
                *m = mean;
                *s = 1.0 / (scatter + doubt.min(1.0));
            }
        }
        expected
    }
}

/// Where a reader works today, as far as context says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) unit: Option<UnitId>,
    pub(crate) role: Option<RoleId>,
    pub(crate) system: bool,
    /// A roster names the unit, or nothing does.
    pub(crate) rostered: bool,
}

impl Person {
    fn new(day: i32, standing: Standing) -> Self {
        Self {
            unit: standing.unit,
            role: standing.role,
            system: standing.system,
            day: i32::MIN,
            shift: Shift::Day,
            today: [0; STREAMS],
            alone_since: 0,
            expected: Expected { mean: SHIPPED_MEAN, size: [1.0; STREAMS] },
            load: [1.0; STREAMS],
            first_day: day,
            days_seen: 0,
            day_before: i32::MIN,
            recent: Vec::new(),
            days: 0.0,
            sums: [0.0; STREAMS],
        }
    }

    /// How surprising today's count is so far, in nats, given this reader's usual day.
    pub(crate) fn surprise(&self, stream: Stream) -> f32 {
        let index = stream as usize;
        negative_binomial_surprise(
            self.today.get(index).copied().unwrap_or(0),
            self.mean(stream),
            at(&self.expected.size, index),
        )
    }

    /// A system account that runs longer brings more of everything, in its usual shares.
    fn longer_run(&self) -> [f32; STREAMS] {
        let opened = self.today.first().copied().unwrap_or(0) as f32;
        let longer = (opened / at(&self.expected.mean, 0)).max(1.0);
        std::array::from_fn(|stream| if stream == Stream::All as usize { 1.0 } else { longer })
    }

    pub(crate) fn count(&self, stream: Stream) -> u32 {
        self.today.get(stream as usize).copied().unwrap_or(0)
    }

    pub(crate) fn mean(&self, stream: Stream) -> f32 {
        at(&self.expected.mean, stream as usize) * at(&self.load, stream as usize)
    }

    /// A usual day, before today's load.
    pub(crate) fn usual(&self) -> &[f32; STREAMS] {
        &self.expected.mean
    }

    pub(crate) fn size(&self, stream: Stream) -> f32 {
        at(&self.expected.size, stream as usize)
    }

    fn add_alone(&mut self, patients: u32) {
        if let Some(count) = self.today.get_mut(Stream::Alone as usize) {
            *count += patients;
        }
    }

    fn put_away(&mut self, today: i32) {
        if self.day == i32::MIN || self.day == today {
            return;
        }
        self.days_seen += 1;
        self.day_before = self.day;
        let mut counts = self.today;
        if let (true, Some(alone)) = (self.days_seen == 1, counts.get_mut(Stream::Alone as usize)) {
            // Of a first working day, nobody knows yet who is alone.
            *alone = at(&self.expected.mean, Stream::Alone as usize).round() as u32;
        }
        self.recent.push((self.day, self.shift, counts));
    }

    /// Lets days older than the gap count.
    fn fold(
        &mut self,
        today: i32,
        multiplier: impl Fn((Option<RoleId>, bool), Shift) -> [f32; STREAMS],
    ) {
        let gap = ((today - self.first_day) / 3).clamp(1, GAP_DAYS);
        let old = self.recent.iter().take_while(|(day, ..)| today - day > gap).count();
        let role = (self.role, self.system);
        for (_, shift, counts) in self.recent.drain(..old) {
            let by_shift = multiplier(role, shift);
            self.days = self.days * FADE + 1.0;
            for (stream, sum) in self.sums.iter_mut().enumerate() {
                let count = counts.get(stream).copied().unwrap_or(0) as f32;
                *sum = *sum * FADE + count / at(&by_shift, stream).max(0.2);
            }
        }
    }

    fn bytes_held(&self) -> usize {
        self.recent.capacity() * size_of::<(i32, Shift, DayCounts)>()
    }
}

impl Cell {
    fn learn(&mut self, person: &Person) {
        self.days += 1.0;
        for stream in 0..STREAMS {
            let mean = at(&person.expected.mean, stream);
            let unknown = stream == Stream::Alone as usize && person.days_seen == 0;
            let count = match person.today.get(stream) {
                Some(&count) if !unknown => count as f32,
                _ => mean,
            };
            // One wild day must not teach everybody that wild days are usual.
            let cap = mean + 2.0 * (mean + mean * mean).sqrt() + 1.0;
            let kept = count.min(cap);
            let off = kept - mean;
            for (sums, add) in [
                (&mut self.sums, kept),
                (&mut self.excess, off * off - mean),
                (&mut self.squares, mean * mean),
            ] {
                if let Some(sum) = sums.get_mut(stream) {
                    *sum += add;
                }
            }
        }
    }

    fn mean(&self, stream: usize, prior: f32, prior_days: f32) -> f32 {
        (at(&self.sums, stream) + prior_days * prior) / (self.days + prior_days)
    }

    /// Share of the mean's square by which days scatter beyond Poisson.
    fn scatter(&self, stream: usize, prior: f32) -> f32 {
        let squares = at(&self.squares, stream);
        let weight = 30.0 * squares / self.days.max(1.0);
        let scatter = (at(&self.excess, stream) + weight * prior) / (squares + weight + 1e-9);
        scatter.clamp(0.02, 20.0)
    }
}

fn at(values: &[f32; STREAMS], stream: usize) -> f32 {
    values.get(stream).copied().unwrap_or(0.0)
}

const SHIFTS: usize = 6;
/// A slow thief's own last days do not count.
const GAP_DAYS: i32 = 14;
/// Half weight after about ninety working days.
const FADE: f32 = 0.992;
/// Working days that a cell's mean is worth against a reader's own.
const OWN_PRIOR_DAYS: f32 = 3.0;
const PRIOR_DAYS: f32 = 10.0;
const SHIFT_PRIOR_DAYS: f32 = 30.0;
const MEAN_MIN: f32 = 0.02;
/// Before anything is known: 25 patients a day, of whom one in six is unexplained.
const SHIPPED_MEAN: [f32; STREAMS] = [25.0, 4.0, 1.0, 0.3, 0.3];
const SHIPPED_SCATTER: f32 = 0.3;
