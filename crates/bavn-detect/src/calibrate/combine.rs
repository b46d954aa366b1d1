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

/// Combines chances. Families' signals are rarely independent (a cold look-up of a neighbour is both
/// cold and a neighbour's), so weak ones are not multiplied.
pub(crate) fn inside(chances: impl IntoIterator<Item = f64>) -> f64 {
    let mut combined = Combined::default();
    for p in chances {
        combined.add(p);
    }
    combined.p()
}

const P_MIN: f64 = 1e-200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_strong_signal_survives_among_many_dull_ones() {
        let p = inside([1e-9, 0.7, 0.9, 0.4, 0.6]);
        assert!((1e-9..2e-8).contains(&p), "{p}");
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
        assert!(inside([1.0; 5]) <= 1.0);
        assert!((inside([]) - 1.0).abs() < f64::EPSILON);
    }
}
