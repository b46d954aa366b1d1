//! The chance of a score as high, learned from past days.
//!
//! A histogram of day-maxima per class of reader, with a generalised Pareto tail beyond its 98 %
//! quantile, shrunk to all classes together. The histogram that a day is judged by was frozen the
//! evening before. The tail is fitted on quantiles (Pickands), not moments, so that a few thieves
//! among the days learned from do not raise it; what [`Practice`] has seen often raises it.

use super::practice::Practice;
use serde::{Deserialize, Serialize};

/// One statistic's distribution among innocent days, for each class of reader and for all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tail {
    all: Fitted,
    classes: Vec<Fitted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Scores,
    Volume,
    Rule,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fitted {
    /// Count of days for each bin of the score.
    bins: Vec<f32>,
    days: f32,
    /// As frozen the evening before: days in each bin or a higher one, and all days.
    above: Vec<f32>,
    frozen_days: f32,
    /// Score beyond which the Pareto tail holds, and the share of days beyond it.
    from: f32,
    beyond: f32,
    kind: Kind,
    scale: f32,
    shape: f32,
    practice: Practice,
}

/// The class of system accounts.
pub(crate) const SYSTEM_CLASS: u8 = 0;

/// Whose day, to learn from or to judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubjectDay {
    /// Dense id of a reader, or of a patient where patients are judged.
    pub(crate) subject: u32,
    pub(crate) class: u8,
    pub(crate) day: i32,
}

impl Tail {
    /// `shipped_nats`: how far innocent scores reach before anything was learned.
    pub(crate) fn new(shipped_nats: f32) -> Self {
        Self { all: Fitted::shipped(shipped_nats), classes: Vec::new() }
    }

    /// A tail for counts that ordinary work stretches without limit.
    pub(crate) fn of_volume(shipped_nats: f32) -> Self {
        let mut tail = Self::new(shipped_nats);
        tail.all.kind = Kind::Volume;
        tail
    }

    /// A tail for scores that are a known chance's nats by themselves: nothing ordinary stretches
    /// them as a waiting-list review stretches a count.
    pub(crate) fn of_rule(shipped_nats: f32) -> Self {
        let mut tail = Self::new(shipped_nats);
        tail.all.kind = Kind::Rule;
        tail
    }

    /// Adds a day; of a reader under alarm, [`Practice`] must know.
    pub(crate) fn learn(&mut self, of: SubjectDay, score: f32, is_suspect: bool) {
        self.all.learn(score, 1.0);
        self.all.remember(score, of, is_suspect);
        let class = self.class_mut(of.class);
        class.learn(score, 1.0);
        class.remember(score, of, is_suspect);
    }

    /// Freezes what was learned, for the day to come.
    pub(crate) fn freeze(&mut self) {
        self.all.fit();
        for class in &mut self.classes {
            class.fit();
        }
    }

    /// Chance of a score of at least `score` on an innocent day.
    pub(crate) fn p(&self, of: SubjectDay, score: f32) -> f64 {
        self.chance(of, score, 0.0)
    }

    /// Chance of a score that was itself learned from: without its own part in the count.
    pub(crate) fn p_of_learned(&self, of: SubjectDay, score: f32) -> f64 {
        self.chance(of, score, 1.0)
    }

    fn chance(&self, of: SubjectDay, score: f32, own: f32) -> f64 {
        if score <= 0.0 {
            return 1.0;
        }
        let all = self.all.p(score, own, of.subject);
        match self.classes.get(usize::from(of.class)) {
            // What people do says nothing about a system account.
            Some(held) if of.class == SYSTEM_CLASS => held.p(score, own, u32::MAX),
            Some(held) if held.frozen_days >= 1.0 => {
                let trust = f64::from(held.frozen_days / (held.frozen_days + SHRINK_DAYS));
                // Shrunk on the log scale, since chances differ by orders of magnitude.
                let of_class = held.p(score, own, of.subject).ln();
                (trust * of_class + (1.0 - trust) * all.ln()).exp()
            }
            _ => all,
        }
    }

    pub(crate) fn bytes_held(&self) -> usize {
        (self.classes.len() + 1) * (size_of::<Fitted>() + 2 * BINS * size_of::<f32>())
            + std::iter::once(&self.all)
                .chain(&self.classes)
                .map(|fitted| fitted.practice.bytes_held())
                .sum::<usize>()
    }

    fn class_mut(&mut self, class: u8) -> &mut Fitted {
        let class = usize::from(class);
        if self.classes.len() <= class {
            let kind = self.all.kind;
            self.classes.resize_with(class + 1, || Fitted { kind, ..Fitted::empty() });
        }
        self.classes.get_mut(class).unwrap_or(&mut self.all)
    }
}

impl Fitted {
    fn empty() -> Self {
        Self {
            bins: Vec::new(),
            days: 0.0,
            above: Vec::new(),
            frozen_days: 0.0,
            from: f32::MAX,
            beyond: 0.0,
            kind: Kind::Scores,
            scale: 1.0,
            shape: SHAPE,
            practice: Practice::default(),
        }
    }

    /// A cautious guess for a region without history: an exponential law with this mean.
    fn shipped(nats: f32) -> Self {
        let mut fitted = Self::empty();
        fitted.bins = vec![0.0; BINS];
        let mut left = 1.0;
        for (bin, held) in fitted.bins.iter_mut().enumerate() {
            let reached = (-lower(bin + 1) / nats).exp();
            *held = SHIPPED_DAYS * (left - reached);
            left = reached;
        }
        fitted.days = SHIPPED_DAYS;
        fitted.fit();
        fitted
    }

    fn learn(&mut self, score: f32, weight: f32) {
        if self.bins.is_empty() {
            self.bins = vec![0.0; BINS];
        }
        if let Some(bin) = self.bins.get_mut(bin_of(score)) {
            *bin += weight;
        }
        self.days += weight;
    }

    fn remember(&mut self, score: f32, of: SubjectDay, is_suspect: bool) {
        if score > self.from {
            self.practice.learn(score, of.subject, of.day, is_suspect);
        }
    }

    fn fit(&mut self) {
        self.practice.freeze();
        if self.days < 1.0 {
            return;
        }
        self.frozen_days = self.days;
        self.above.clone_from(&self.bins);
        let mut sum = 0.0;
        for held in self.above.iter_mut().rev() {
            sum += *held;
            *held = sum;
        }
        let from = self.quantile(BODY).max(SCORE_MIN);
        self.from = from;
        self.beyond = (self.above(from) / self.days).clamp(1e-4, 1.0 - BODY);
        // Scores are nats by a model: where it holds they fall as e^-s, and the body tells how far it
        // does not.
        let reach = |share: f32| self.quantile(share) / -(1.0 - share).ln();
        self.scale = reach(BODY).max(reach(1.0 - (1.0 - BODY) / 2.0)).max(SCALE_MIN);
        self.shape = match self.kind {
            Kind::Rule => SHAPE_OF_RULE,
            Kind::Scores => SHAPE,
            Kind::Volume => SHAPE_OF_VOLUME,
        };
    }

    fn p(&self, score: f32, own: f32, subject: u32) -> f64 {
        if self.frozen_days < 1.0 {
            return 1.0;
        }
        if score <= self.from {
            return f64::from(
                ((self.above(score) + 1.0 - own) / (self.frozen_days + 1.0))
                    .clamp(self.beyond, 1.0),
            );
        }
        let over = f64::from((score - self.from) / self.scale);
        let shape = f64::from(self.shape);
        let fitted = f64::from(self.beyond) * (1.0 + shape * over).powf(-1.0 / shape);
        // A practice is never rarer than it was: a kind of work that comes once a month lies beyond
        // every fit to the body.
        let days = (self.above(score) - own).max(0.0);
        let shared = self.practice.counts(score, subject);
        let counts = shared.weight * if shared.weight < 1.0 { shared.readers } else { days };
        fitted.max(f64::from(counts / self.frozen_days))
    }

    /// Days with a score in the bin of `score` or higher, as frozen.
    fn above(&self, score: f32) -> f32 {
        self.above.get(bin_of(score)).copied().unwrap_or(0.0)
    }

    fn quantile(&self, share: f32) -> f32 {
        let wanted = (1.0 - share) * self.days;
        let mut above = 0.0;
        for (bin, held) in self.bins.iter().enumerate().rev() {
            if above + held > wanted {
                // Linear inside the bin.
                let part = (wanted - above) / held;
                return lower(bin + 1) - part * (lower(bin + 1) - lower(bin));
            }
            above += held;
        }
        0.0
    }
}

pub(super) fn bin_of(score: f32) -> usize {
    ((1.0 + score.max(0.0)).log2() * BINS_PER_DOUBLING) as usize
}

fn lower(bin: usize) -> f32 {
    (bin as f32 / BINS_PER_DOUBLING).exp2() - 1.0
}

const BINS_PER_DOUBLING: f32 = 8.0;
/// Scores to 2^20.
pub(super) const BINS: usize = 161;
/// Share of days that the histogram itself judges.
const BODY: f32 = 0.98;
const SCORE_MIN: f32 = 0.05;
/// A class of reader has a voice of its own from about this many days.
const SHRINK_DAYS: f32 = 500.0;
/// Days far beyond the model come a little oftener than it says.
const SHAPE: f32 = 0.12;
/// The first waiting-list review of a region is an order of magnitude beyond all that it had seen.
const SHAPE_OF_VOLUME: f32 = 0.4;
const SHAPE_OF_RULE: f32 = 0.05;
/// Scores are in nats: a steeper fall than e^-s would be more than the model itself claims.
const SCALE_MIN: f32 = 1.0;
const SHIPPED_DAYS: f32 = 200.0;

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: SubjectDay = SubjectDay { subject: u32::MAX, class: 0, day: 0 };

    /// Quantiles of an exponential law with the given mean, evenly spread over readers and days.
    fn learn_exponential(tail: &mut Tail, class: u8, mean: f32, days: u32) {
        for day in 0..days {
            let share = (day as f32 + 0.5) / days as f32;
            let of = SubjectDay { subject: day % 97, class, day: (day % 31) as i32 };
            tail.learn(of, -mean * (1.0 - share).ln(), false);
        }
        tail.freeze();
    }

    #[test]
    fn chances_of_a_known_law_are_right_far_out() {
        let mut tail = Tail::new(2.0);
        learn_exponential(&mut tail, 0, 1.0, 50_000);
        // Cautious: never much under the truth, and not far over it.
        for (score, expected) in [(1.0_f32, 0.368), (4.0, 0.0183), (9.0, 1.2e-4)] {
            let p = tail.p(NOBODY, score);
            assert!(p > expected / 1.5 && p < expected * 4.0, "{score}: {p}, not {expected}");
        }
    }

    #[test]
    fn chances_fall_as_scores_rise() {
        let mut tail = Tail::new(2.0);
        learn_exponential(&mut tail, 1, 3.0, 700);
        let mut before = 1.0;
        for step in 1..4_000 {
            let p = tail.p(SubjectDay { class: 1, ..NOBODY }, step as f32 * 0.1);
            assert!(p <= before * 1.0001, "at {step}: {p} after {before}");
            before = p;
        }
        assert!(before > 0.0);
    }

    #[test]
    fn a_thief_does_not_hide_the_next_one_and_a_practice_counts() {
        let (mut clean, mut mixed, mut shared) = (Tail::new(2.0), Tail::new(2.0), Tail::new(2.0));
        for tail in [&mut clean, &mut mixed, &mut shared] {
            learn_exponential(tail, 0, 1.0, 20_000);
        }
        for number in 0..20 {
            mixed.learn(SubjectDay { subject: 500, class: 0, day: number }, 500.0, false);
            let of = SubjectDay { subject: number as u32, class: 0, day: 7 * number };
            shared.learn(of, 500.0, false);
        }
        for tail in [&mut mixed, &mut shared] {
            tail.freeze();
        }
        let ratio = mixed.p(NOBODY, 6.0) / clean.p(NOBODY, 6.0);
        assert!(ratio < 3.0, "{ratio}");
        let (once, often) = (mixed.p(NOBODY, 400.0), shared.p(NOBODY, 400.0));
        assert!(once < 5e-5, "{once}");
        assert!((5e-4..2e-3).contains(&often), "{often}");
    }

    #[test]
    fn without_history_only_strong_scores_count() {
        let tail = Tail::new(2.0);
        assert!(tail.p(NOBODY, 5.0) > 0.01);
        assert!(tail.p(NOBODY, 60.0) < 1e-4);
    }
}
