//! How rare is a reader's day, all detectors together?
//!
//! Counted, not fitted: how many days of other readers, in the last weeks, looked as odd as this one
//! does? What [`Practice`] has seen only once or of one reader counts little, and a reader under alarm
//! counts by the chance that the alarm is false: a few thieves must not hide the next one, and a
//! run of false alarms must not go uncounted.

use super::practice::Practice;
use super::tail::{BINS, SubjectDay, bin_of};
use serde::{Deserialize, Serialize};

/// The law of the combined score over the last weeks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ranking {
    /// Days with a score in each bin; then, frozen, in the bin or a higher one.
    bins: Vec<f32>,
    days: f32,
    classes: Vec<OfClass>,
    practice: Practice,
    /// Readers under alarm.
    suspects: Vec<Suspect>,
    highest: f32,
    of: Of,
}

/// Whose days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Of {
    /// Compared with one another.
    People,
    /// System accounts have no peers: each is compared with its own past as well.
    Systems,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Suspect {
    highest: f32,
    reader: u32,
    innocent: f32,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct OfClass {
    days: f32,
    odd: f32,
}

impl Ranking {
    pub(crate) fn new(of: Of) -> Self {
        Self {
            bins: vec![0.0; BINS],
            days: 0.0,
            classes: vec![OfClass::default(); CLASSES],
            practice: Practice::default(),
            suspects: Vec::new(),
            highest: 0.0,
            of,
        }
    }

    pub(crate) fn learn_quiet(&mut self, class: u8, days: f32) {
        self.days += days;
        if let Some(held) = self.classes.get_mut(usize::from(class)) {
            held.days += days;
        }
    }

    /// Adds a day; `innocent` is the chance that a reader under alarm is.
    pub(crate) fn learn(&mut self, of: SubjectDay, nats: f32, innocent: Option<f32>) {
        self.learn_quiet(of.class, 1.0);
        if let Some(innocent) = innocent {
            match self.suspects.iter_mut().find(|held| held.reader == of.subject) {
                Some(held) => held.highest = held.highest.max(nats),
                None => {
                    self.suspects.push(Suspect { highest: nats, reader: of.subject, innocent });
                }
            }
            return;
        }
        if let Some(bin) = self.bins.get_mut(bin_of(nats)) {
            *bin += 1.0;
        }
        if nats > ODD_NATS {
            self.practice.learn(nats, of.subject, of.day, false);
            if let Some(held) = self.classes.get_mut(usize::from(of.class)) {
                held.odd += 1.0;
            }
        }
        self.highest = self.highest.max(nats);
    }

    pub(crate) fn freeze(&mut self) {
        self.practice.freeze();
        let mut sum = 0.0;
        for held in self.bins.iter_mut().rev() {
            sum += *held;
            *held = sum;
        }
    }

    /// Chance of such a day.
    pub(crate) fn p(&self, of: SubjectDay, nats: f32) -> f64 {
        if nats <= 0.0 {
            return 1.0;
        }
        let counted = if self.of == Of::People && nats > self.practice.complete_from().max(ODD_NATS)
        {
            let shared = self.practice.counts(nats, of.subject);
            shared.readers * shared.weight
        } else {
            self.bins.get(bin_of(nats)).copied().unwrap_or(0.0)
        };
        let others =
            self.suspects.iter().filter(|held| held.highest >= nats && held.reader != of.subject);
        let suspects: f32 = others.map(|held| held.innocent).sum();
        // The next day may always be the first of its kind; less so the odder it is.
        let beyond = (nats - self.highest.max(HIGHEST_SHIPPED)).max(0.0);
        let unseen = (1.0 + beyond / UNSEEN_NATS).powi(-4);
        let counted = counted + suspects;
        let p = match self.of {
            Of::People => {
                let seen = (counted + MODEL_DAYS * (-nats).exp()) / (self.days + DAYS_SHIPPED);
                (seen + unseen / (self.days + UNSEEN_DAYS)) * self.of_class(of.class)
            }
            Of::Systems => counted / (self.days + 1.0) + unseen / (self.days + UNSEEN_NIGHTS),
        };
        f64::from(p.min(1.0))
    }

    /// Days learned from.
    pub(crate) fn days(&self) -> f32 {
        self.days
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.practice.bytes_held()
            + (BINS + CLASSES * 2 + self.suspects.capacity() * 3) * size_of::<f32>()
    }

    /// How much odder this class's days are than all.
    fn of_class(&self, class: u8) -> f32 {
        let all = self.classes.iter().map(|held| held.odd).sum::<f32>() / self.days.max(1.0);
        let Some(held) = self.classes.get(usize::from(class)) else { return 1.0 };
        let expected = held.days * all + ODD_SHIPPED;
        ((held.odd + ODD_SHIPPED) / expected).clamp(1.0 / RATIO_MAX, RATIO_MAX)
    }
}

const CLASSES: usize = 256;
/// A class that has more days beyond this than others is judged more mildly.
const ODD_NATS: f32 = 2.0;
const ODD_SHIPPED: f32 = 5.0;
const RATIO_MAX: f32 = 3.0;
const DAYS_SHIPPED: f32 = 200.0;
/// What no region that bavn was made with exceeded in so many days of people, or of one system: a
/// young region need not see it first.
const HIGHEST_SHIPPED: f32 = 6.0;
const UNSEEN_DAYS: f32 = 4_000.0;
/// Days that fall as the chances say, where none was seen yet.
const MODEL_DAYS: f32 = 100.0;
const UNSEEN_NIGHTS: f32 = 30.0;
const UNSEEN_NATS: f32 = 8.0;
