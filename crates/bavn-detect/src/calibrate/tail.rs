//! The chance of a score as high, learned from past days.
//!
//! A histogram of day-maxima per class of reader, with a generalised Pareto tail beyond its 98 %
//! quantile, shrunk to all classes together. The histogram that a day is judged by was frozen the
//! evening before. The tail is fitted on quantiles (Pickands), not moments, so that a few thieves
//! among the days learned from do not raise it.

/// One statistic's distribution among innocent days, for each class of reader and for all.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    all: Fitted,
    classes: Vec<Fitted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scores,
    Rule,
    Chances,
}

#[derive(Clone, Debug)]
struct Fitted {
    /// Weighted count of days for each bin of the score.
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
}

impl Tail {
    /// `shipped_nats`: how far innocent scores reach before anything was learned.
    pub(crate) fn new(shipped_nats: f32) -> Self {
        Self { all: Fitted::shipped(shipped_nats), classes: Vec::new() }
    }

    /// A tail for scores that are a known chance's nats by themselves: nothing ordinary stretches
    /// them as a waiting-list review stretches a count.
    pub(crate) fn of_rule(shipped_nats: f32) -> Self {
        let mut tail = Self::new(shipped_nats);
        tail.all.kind = Kind::Rule;
        tail
    }

    /// A tail for scores that are chances already, combined and calibrated part by part: only its
    /// body is fitted, so that the days of many thieves among those learned do not bend it.
    pub(crate) fn of_chances(shipped_nats: f32) -> Self {
        let mut tail = Self::new(shipped_nats);
        tail.all.kind = Kind::Chances;
        tail
    }

    /// Adds one reader's day. `weight` is under 1 for readers under suspicion.
    pub(crate) fn learn(&mut self, class: usize, score: f32, weight: f32) {
        self.all.learn(score, weight);
        let class = class.min(CLASSES_MAX);
        if self.classes.len() <= class {
            let kind = self.all.kind;
            self.classes.resize_with(class + 1, || Fitted { kind, ..Fitted::empty() });
        }
        if let Some(fitted) = self.classes.get_mut(class) {
            fitted.learn(score, weight);
        }
    }

    /// Freezes what was learned, for the day to come.
    pub(crate) fn freeze(&mut self) {
        self.all.fit();
        for class in &mut self.classes {
            class.fit();
        }
    }

    /// Chance of a score of at least `score` on an innocent day.
    pub(crate) fn p(&self, class: usize, score: f32) -> f64 {
        self.chance(class, score, 0.0)
    }

    fn chance(&self, class: usize, score: f32, own: f32) -> f64 {
        if score <= 0.0 {
            return 1.0;
        }
        let all = self.all.p(score, own);
        match self.classes.get(class.min(CLASSES_MAX)) {
            Some(held) if held.frozen_days >= 1.0 => {
                let trust = f64::from(held.frozen_days / (held.frozen_days + SHRINK_DAYS));
                // Shrunk on the log scale, since chances differ by orders of magnitude.
                (trust * held.p(score, own).ln() + (1.0 - trust) * all.ln()).exp()
            }
            _ => all,
        }
    }

    /// Chance of a score that was itself learned from: without its own part in the count.
    pub(crate) fn p_of_learned(&self, class: usize, score: f32) -> f64 {
        self.chance(class, score, 1.0)
    }

    /// Days learned from, all classes together, beyond the shipped ones.
    pub(crate) fn days(&self) -> f32 {
        self.all.days - SHIPPED_DAYS
    }

    pub(crate) fn bytes_held(&self) -> usize {
        (self.classes.len() + 1) * (size_of::<Fitted>() + 2 * BINS * size_of::<f32>())
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
            shape: SHAPE_SHIPPED,
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

    fn fit(&mut self) {
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
        let body = self.body();
        let from = self.quantile(body).max(SCORE_MIN);
        self.from = from;
        self.beyond = (self.above(from) / self.days).clamp(1e-4, 1.0 - body);
        // Half and three quarters of the way from the body's end to certainty.
        let half = self.quantile(1.0 - self.beyond / 2.0) - from;
        let quarter = self.quantile(1.0 - self.beyond / 4.0) - from;
        let (half, quarter) = (half.max(0.05 * from), quarter.max(0.1 * from));
        let exceedances = self.beyond * self.days;
        let raw = (quarter / half - 1.0).max(0.5).log2();
        let trust = exceedances / (exceedances + SHRINK_EXCEEDANCES);
        if self.kind == Kind::Chances {
            // Chances fall as e^-nats, times a constant that the body tells.
            self.shape = SHAPE_OF_CHANCES;
            self.scale = (half / std::f32::consts::LN_2).clamp(SCALE_MIN, SCALE_OF_CHANCES_MAX);
            return;
        }
        let shipped = if self.kind == Kind::Rule { SHAPE_OF_RULE } else { SHAPE_SHIPPED };
        self.shape = (trust * raw + (1.0 - trust) * shipped).clamp(0.02, SHAPE_MAX);
        self.scale = (self.shape * half / (2.0_f32.powf(self.shape) - 1.0)).max(SCALE_MIN);
    }

    fn p(&self, score: f32, own: f32) -> f64 {
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
        if self.kind == Kind::Chances {
            return fitted;
        }
        // What happened is never rarer than it was: a kind of work that comes once a month
        // lies beyond every fit to the body.
        fitted.max(f64::from((self.above(score) - own).max(0.0) / self.frozen_days))
    }

    /// Weighted days with a score in the bin of `score` or higher, as frozen.
    fn above(&self, score: f32) -> f32 {
        self.above.get(bin_of(score)).copied().unwrap_or(0.0)
    }

    fn body(&self) -> f32 {
        match self.kind {
            Kind::Scores | Kind::Rule => BODY,
            Kind::Chances => BODY_OF_CHANCES,
        }
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

fn bin_of(score: f32) -> usize {
    ((1.0 + score.max(0.0)).log2() * BINS_PER_DOUBLING) as usize
}

fn lower(bin: usize) -> f32 {
    (bin as f32 / BINS_PER_DOUBLING).exp2() - 1.0
}

const BINS_PER_DOUBLING: f32 = 8.0;
/// Scores to 2^20.
const BINS: usize = 161;
const CLASSES_MAX: usize = 255;
/// Share of days that the histogram itself judges.
const BODY: f32 = 0.98;
const BODY_OF_CHANCES: f32 = 0.95;
const SCORE_MIN: f32 = 0.05;
/// A class of reader has a voice of its own from about this many days.
const SHRINK_DAYS: f32 = 500.0;
/// Exceedances after which the region's own shape counts as much as the shipped, heavy one: the
/// first waiting-list review of a region is an order of magnitude beyond all that it had seen.
const SHRINK_EXCEEDANCES: f32 = 100.0;
const SHAPE_SHIPPED: f32 = 0.4;
const SHAPE_OF_RULE: f32 = 0.05;
const SHAPE_MAX: f32 = 0.5;
/// Scores are in nats: a steeper fall than e^-s would be more than the model itself claims.
const SCALE_MIN: f32 = 1.0;
const SHAPE_OF_CHANCES: f32 = 0.02;
const SCALE_OF_CHANCES_MAX: f32 = 2.0;
const SHIPPED_DAYS: f32 = 200.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of an exponential law with the given mean, evenly spread.
    fn learn_exponential(tail: &mut Tail, class: usize, mean: f32, days: u32) {
        for day in 0..days {
            let share = (day as f32 + 0.5) / days as f32;
            tail.learn(class, -mean * (1.0 - share).ln(), 1.0);
        }
        tail.freeze();
    }

    #[test]
    fn chances_of_a_known_law_are_right_far_out() {
        let mut tail = Tail::new(2.0);
        learn_exponential(&mut tail, 0, 1.0, 50_000);
        // Cautious: never much under the truth, and not far over it.
        for (score, expected) in [(1.0_f32, 0.368), (4.0, 0.0183), (9.0, 1.2e-4)] {
            let p = tail.p(0, score);
            assert!(p > expected / 1.5 && p < expected * 4.0, "{score}: {p}, not {expected}");
        }
    }

    #[test]
    fn chances_fall_as_scores_rise() {
        let mut tail = Tail::new(2.0);
        learn_exponential(&mut tail, 1, 3.0, 700);
        let mut before = 1.0;
        for step in 1..4_000 {
            let p = tail.p(1, step as f32 * 0.1);
            assert!(p <= before * 1.0001, "at {step}: {p} after {before}");
            before = p;
        }
        assert!(before > 0.0);
    }

    #[test]
    fn a_few_thieves_do_not_bend_the_fit_and_still_count() {
        let (mut clean, mut mixed) = (Tail::new(2.0), Tail::new(2.0));
        learn_exponential(&mut clean, 0, 1.0, 20_000);
        for _ in 0..20 {
            mixed.learn(0, 500.0, 1.0);
        }
        learn_exponential(&mut mixed, 0, 1.0, 20_000);
        let ratio = mixed.p(0, 6.0) / clean.p(0, 6.0);
        assert!(ratio < 3.0, "{ratio}");
        let counted = mixed.p(0, 400.0);
        assert!((5e-4..2e-3).contains(&counted), "{counted}");
    }

    #[test]
    fn without_history_only_strong_scores_count() {
        let tail = Tail::new(2.0);
        assert!(tail.p(0, 5.0) > 0.01);
        assert!(tail.p(0, 60.0) < 1e-4);
    }
}
