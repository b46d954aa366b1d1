//! All randomness comes from here, and all of it from one seed.

use fastrand::Rng;

/// A generator for one purpose: the same seed and name give the same numbers, whatever else is
/// drawn meanwhile.
pub(crate) fn stream(seed: u64, name: &str) -> Rng {
    // FNV-1a (Fowler, Noll, Vo), enough to keep purposes apart.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Rng::with_seed(hash)
}

/// A number in `0..1` that depends only on its arguments: the same question has one answer.
pub(crate) fn fixed(seed: u64, a: u64, b: u64) -> f64 {
    Rng::with_seed(
        seed ^ a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xc2b2_ae3d_27d4_eb4f),
    )
    .f64()
}

pub(crate) fn happens(rng: &mut Rng, chance: f64) -> bool {
    rng.f64() < chance
}

/// A whole number with mean `mean`: Poisson for small means, rounded normal for large ones.
pub(crate) fn count(rng: &mut Rng, mean: f64) -> usize {
    if mean > 30.0 {
        return (mean + mean.sqrt() * normal(rng)).round().max(0.0) as usize;
    }
    let (limit, mut product, mut events) = ((-mean).exp(), rng.f64(), 0);
    while product > limit {
        product *= rng.f64();
        events += 1;
    }
    events
}

/// Standard normal (Box and Muller, 1958).
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

/// A positive factor with median 1 and the given spread of its logarithm.
pub(crate) fn spread(rng: &mut Rng, sigma: f64) -> f64 {
    (sigma * normal(rng)).exp()
}

/// A waiting time with the given mean.
pub(crate) fn wait(rng: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - rng.f64()).ln()
}

/// The index of one of `weights`, each as likely as it is large.
pub(crate) fn weighted(rng: &mut Rng, weights: &[f64]) -> usize {
    let mut left = rng.f64() * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left <= 0.0 {
            return index;
        }
    }
    weights.len().saturating_sub(1)
}

/// Up to `count` of the items, each at most once.
pub(crate) fn some<T: Copy>(rng: &mut Rng, items: &[T], count: usize) -> Vec<T> {
    rng.choose_multiple(items.iter().copied(), count)
}
