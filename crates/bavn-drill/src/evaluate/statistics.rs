//! How sure is a figure?

use fastrand::Rng;

/// A figure with the interval that holds it with a chance of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// A share of trials (Wilson, 1927).
pub(crate) fn share(hits: usize, trials: usize) -> Estimate {
    if trials == 0 {
        return Estimate { value: f64::NAN, low: 0.0, high: 1.0 };
    }
    let (n, p) = (trials as f64, hits as f64 / trials as f64);
    let middle = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    let low = if hits == 0 { 0.0 } else { (middle - spread) / whole };
    let high = if hits == trials { 1.0 } else { (middle + spread) / whole };
    Estimate { value: p, low, high }
}

/// Events per unit of exposure, as rare as they come (Byar's approximation to the exact Poisson
/// interval).
pub(crate) fn rate(events: usize, exposure: f64) -> Estimate {
    let limit = |count: f64, z: f64| {
        if count <= 0.0 {
            return 0.0;
        }
        count * (1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt())).powi(3)
    };
    let count = events as f64;
    let scale = 1.0 / exposure.max(f64::MIN_POSITIVE);
    Estimate {
        value: count * scale,
        low: limit(count, -Z) * scale,
        high: limit(count + 1.0, Z) * scale,
    }
}

/// The difference of two shares, in points of a hundred (Newcombe, 1998, method 10).
pub(crate) fn fall(before: (usize, usize), after: (usize, usize)) -> Estimate {
    let (a, b) = (share(before.0, before.1), share(after.0, after.1));
    let below = ((a.value - a.low).powi(2) + (b.high - b.value).powi(2)).sqrt();
    let above = ((a.high - a.value).powi(2) + (b.value - b.low).powi(2)).sqrt();
    let value = a.value - b.value;
    Estimate { value: value * 100.0, low: (value - below) * 100.0, high: (value + above) * 100.0 }
}

/// Any statistic of a sample, by drawing samples from it (Efron, 1979). Draws are the same in
/// every run.
pub(crate) fn bootstrap(sample: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Estimate {
    let value = statistic(sample);
    if sample.len() < 2 {
        return Estimate { value, low: value, high: value };
    }
    let mut rng = Rng::with_seed(sample.len() as u64);
    let mut drawn = vec![0.0; sample.len()];
    let mut statistics: Vec<f64> = (0..DRAWS)
        .map(|_| {
            drawn.fill_with(|| sample[rng.usize(0..sample.len())]);
            statistic(&drawn)
        })
        .collect();
    statistics.sort_by(f64::total_cmp);
    Estimate { value, low: statistics[DRAWS / 40], high: statistics[DRAWS - 1 - DRAWS / 40] }
}

pub(crate) fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / (sample.len() as f64).max(1.0)
}

/// The value below which `part` of the sample lies; infinite values are fine.
pub(crate) fn quantile(sample: &[f64], part: f64) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median(sample: &[f64]) -> f64 {
    quantile(sample, 0.5)
}

/// Of the standard normal, for 95 %.
const Z: f64 = 1.96;
const DRAWS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn near(estimate: Estimate, low: f64, high: f64) {
        assert!((estimate.low - low).abs() < 0.02 * high, "{estimate:?}");
        assert!((estimate.high - high).abs() < 0.02 * high, "{estimate:?}");
    }

    #[test]
    fn intervals_are_those_of_the_textbooks() {
        // Newcombe (1998), table I: 81 of 263 and 0 of 20.
        near(share(81, 263), 0.2553, 0.3662);
        near(share(0, 20), 0.0, 0.1611);
        // Exact Poisson limits for 0, 5 and 20 events.
        near(rate(0, 1.0), 0.0, 3.689);
        near(rate(5, 1.0), 1.624, 11.668);
        near(rate(20, 10.0), 1.222, 3.089);
        // Newcombe (1998), 56 of 70 against 48 of 80.
        near(fall((56, 70), (48, 80)), 5.24, 33.39);
    }

    #[test]
    fn a_bootstrap_holds_the_mean_and_is_the_same_twice() {
        let sample: Vec<f64> = (0..100).map(f64::from).collect();
        let held = bootstrap(&sample, mean);
        assert!(held.low < 49.5 && 49.5 < held.high && held.high - held.low < 15.0, "{held:?}");
        assert_eq!(held, bootstrap(&sample, mean));
        assert_eq!((median(&sample), quantile(&sample, 0.9)), (49.0, 89.0));
    }
}
