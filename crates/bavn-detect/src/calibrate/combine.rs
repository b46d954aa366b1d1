//! One chance out of several that depend on one another.
//!
//! Cauchy combination (Liu and Xie 2020): valid to first order under any dependence, and unlike
//! Fisher's sum it does not count the same oddity twice. Chances over one half add nothing rather
//! than taking away, so that an innocent look-up can't dilute another one; the result is therefore
//! calibrated once more.

/// The chance inside one family, and across families.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Combined {
    sum: f64,
    parts: u32,
}

impl Combined {
    pub(crate) fn add(&mut self, p: f64) {
        let p = p.clamp(P_MIN, 0.5);
        self.sum += if p < 1e-8 {
            1.0 / (p * std::f64::consts::PI)
        } else {
            ((0.5 - p) * std::f64::consts::PI).tan()
        };
        self.parts += 1;
    }

    pub(crate) fn p(self) -> f64 {
        if self.parts == 0 {
            return 1.0;
        }
        let mean = self.sum / f64::from(self.parts);
        if mean > 1e6 {
            return 1.0 / (mean * std::f64::consts::PI);
        }
        0.5 - mean.atan() / std::f64::consts::PI
    }
}

/// Combines the chances of one family's detectors.
pub(crate) fn inside(chances: impl IntoIterator<Item = f64>) -> f64 {
    let mut combined = Combined::default();
    for p in chances {
        combined.add(p);
    }
    combined.p()
}

/// Combines families: one strong signal (Cauchy), or many weak ones (truncated product at 5 %);
/// the better of the two, for which the factor 2 pays.
pub(crate) fn across(families: &[f64]) -> f64 {
    let one_strong = inside(families.iter().copied());
    let weak = families.iter().filter(|&&p| p <= TRUNCATE_AT);
    let product: f64 = weak.map(|p| (p.max(P_MIN) / TRUNCATE_AT).ln()).sum();
    // Under independence, each family is below the cut with 5 %; a crude bound that calibration
    // then corrects: e^product times the chance of that many below the cut.
    let below = families.iter().filter(|&&p| p <= TRUNCATE_AT).count();
    let many_weak = if below < 2 { 1.0 } else { many_below(-product, families.len(), below) };
    (2.0 * one_strong.min(many_weak)).min(1.0)
}

/// P(truncated product as small), summed over how many of `families` fall below the cut
/// (Zaykin and others 2002).
fn many_below(nats: f64, families: usize, _below: usize) -> f64 {
    let mut p = 0.0;
    let mut choose = 1.0;
    for k in 1..=families {
        choose *= (families - k + 1) as f64 / k as f64;
        let weight =
            choose * TRUNCATE_AT.powi(k as i32) * (1.0 - TRUNCATE_AT).powi((families - k) as i32);
        // Gamma tail: sum of k unit exponentials over `nats`.
        let (mut term, mut tail) = ((-nats).exp(), 0.0);
        for j in 0..k {
            tail += term;
            term *= nats / (j + 1) as f64;
        }
        p += weight * tail;
    }
    p
}

const P_MIN: f64 = 1e-200;
const TRUNCATE_AT: f64 = 0.05;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_strong_signal_survives_among_many_dull_ones() {
        let p = across(&[1e-9, 0.7, 0.9, 0.4, 0.6]);
        assert!(p < 2e-8 && p > 1e-9, "{p}");
    }

    #[test]
    fn several_weak_signals_add_up() {
        let p = across(&[0.001, 0.001, 0.001, 0.9, 0.9]);
        assert!(p < 1e-5, "{p}");
    }

    #[test]
    fn the_same_signal_twice_is_no_stronger() {
        let once = inside([1e-4]);
        let twice = inside([1e-4, 1e-4, 1e-4]);
        assert!((once / twice - 1.0).abs() < 0.01);
    }

    #[test]
    fn extremes_stay_in_range() {
        assert!(inside([0.0]) > 0.0);
        assert!(across(&[1.0; 5]) <= 1.0);
        assert!((inside([]) - 1.0).abs() < f64::EPSILON);
    }
}
