//! How surprising is a count? Negative binomial, since people's days scatter more than Poisson.

/// `-ln P(X >= count)` for a negative binomial of the given mean and size (variance
/// `mean + mean²/size`), in nats; 0 where the count is not over the mean.
pub(crate) fn negative_binomial_surprise(count: u32, mean: f32, size: f32) -> f32 {
    let (x, mean, size) = (f64::from(count), f64::from(mean).max(1e-6), f64::from(size).max(1e-3));
    if x <= mean {
        return 0.0;
    }
    let q = mean / (size + mean);
    let ln_first = ln_gamma(x + size) - ln_gamma(x + 1.0) - ln_gamma(size)
        + size * (size / (size + mean)).ln()
        + x * q.ln();
    // Terms shrink by q(size + j)/(j + 1), which is under 1 beyond the mean.
    let (mut sum, mut term, mut j) = (1.0, 1.0, x);
    for _ in 0..TERMS_MAX {
        term *= q * (size + j) / (j + 1.0);
        sum += term;
        j += 1.0;
        if term < sum * 1e-4 {
            break;
        }
    }
    let ln_tail: f64 = ln_first + sum.ln();
    (-ln_tail).max(0.0) as f32
}

/// Log-likelihood ratio of mean `raised` against `mean`: what each count adds, and what a whole day
/// takes away (negative).
pub(crate) fn negative_binomial_gain(mean: f32, raised: f32, size: f32) -> (f32, f32) {
    let each = (raised * (size + mean) / (mean * (size + raised))).ln();
    let day = size * ((size + mean) / (size + raised)).ln();
    (each, day)
}

/// Lanczos' approximation, good to 1e-10 for positive arguments.
fn ln_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection keeps small sizes exact.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    let mut at = x;
    for coefficient in COEFFICIENTS {
        at += 1.0;
        sum += coefficient / at;
    }
    let t = x + G + 0.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

const TERMS_MAX: u32 = 400;

#[cfg(test)]
mod tests {
    use super::*;

    /// Slow and obvious: one minus the sum of the probabilities below.
    fn slowly(count: u32, mean: f64, size: f64) -> f64 {
        let (q, mut pmf, mut below) = (mean / (size + mean), 0.0, 0.0);
        for x in 0..count {
            let x = f64::from(x);
            pmf = if x == 0.0 {
                (size / (size + mean)).powf(size)
            } else {
                pmf * q * (size + x - 1.0) / x
            };
            below += pmf;
        }
        -(1.0 - below).ln()
    }

    #[test]
    fn tail_equals_the_sum_of_its_terms() {
        for (count, mean, size) in
            [(3, 0.2, 0.5), (9, 2.0, 3.0), (40, 25.0, 10.0), (60, 25.0, 10.0), (2, 0.01, 1.0)]
        {
            let fast = negative_binomial_surprise(count, mean, size);
            let slow = slowly(count, f64::from(mean), f64::from(size));
            assert!((f64::from(fast) - slow).abs() < 0.01, "{count} {mean} {size}: {fast} {slow}");
        }
    }

    #[test]
    fn a_usual_day_is_no_surprise_and_a_mass_read_is_finite() {
        assert!(negative_binomial_surprise(20, 25.0, 10.0).abs() < f32::EPSILON);
        let mass = negative_binomial_surprise(50_000, 25.0, 10.0);
        assert!(mass.is_finite() && mass > 1_000.0);
    }
}
