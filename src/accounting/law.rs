//! How the outputs of each mechanism fall into classes of one likelihood ratio, for the pair of symbols that is told apart best.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | e | W_t/W_f |
//! | u, v | the pair of symbols; P is the law given u, Q given v |
//! | Z | sum of the weights of all outputs, in units of W_f or of the number of sets with a symbol |
//!
//! Mechanisms that treat all symbols alike have one pair law. For hashing it is that of two symbols in different buckets, for a sliding window that of the two ends. Discrete
//! Laplace noise and memoized hashing are given the worst law of their ε: binary randomized response.

use super::{Epsilon, PairLaw, PairLawError};
use crate::spec::{Geometry, HYBRID_SHARES, Mechanism, Randomizer, Weights};

/// The pair law of a randomizer over a domain.
///
/// # Errors
///
/// [`PairLawError`] when the parameters do not fit the domain.
pub fn pair_law(randomizer: &Randomizer, domain_size: usize) -> Result<PairLaw, PairLawError> {
    let e = randomizer.weights.of_true as f64 / randomizer.weights.of_false as f64;
    let k = domain_size as f64;
    PairLaw::new(match randomizer.mechanism {
        Mechanism::KAry => one_of(k, e),
        Mechanism::SubsetSelection { subset_size } => {
            let w = subset_size as f64;
            // In units of C(k−1, w−1) sets: those with u and not v, with both, and all.
            let (apart, both) = ((k - w) / (k - 1.0), (w - 1.0) / (k - 1.0));
            two_sets(e, apart, both, k / w - 2.0 * apart - both)
        }
        Mechanism::OptimizedUnary => {
            let q = 1.0 / (1.0 + e);
            let (set, clear) = (0.5 * q, 0.5 * (1.0 - q));
            vec![(clear, set), (set, clear), (set, set), (clear, clear)]
        }
        Mechanism::LocalHashing { hash_range } => one_of(f64::from(hash_range), e),
        Mechanism::Hadamard | Mechanism::DuchiBit => one_of(2.0, e),
        Mechanism::ProjectiveGeometry { field_size, dimension } => {
            let geometry = Geometry::of(field_size, dimension).ok_or(PairLawError::Sum)?;
            let [points, one, two] = [geometry.points, geometry.on_hyperplane, geometry.on_two].map(f64::from);
            two_sets(e, one - two, two, points - 2.0 * one + two)
        }
        Mechanism::SquareWave { half_width } => sliding(k + 2.0 * f64::from(half_width), f64::from(half_width), e),
        Mechanism::Piecewise { half_width } => sliding(k, f64::from(half_width), e),
        Mechanism::Hybrid { half_width, window_share } => {
            let share = f64::from(window_share) / f64::from(HYBRID_SHARES);
            let scaled = |classes: Vec<(f64, f64)>, by: f64| classes.into_iter().map(move |(p, q)| (p * by, q * by));
            scaled(sliding(k, f64::from(half_width), e), share).chain(scaled(one_of(2.0, e), 1.0 - share)).collect()
        }
        Mechanism::DiscreteLaplace => one_of(2.0, e),
        Mechanism::MemoizedHashing { hash_range, .. } => {
            return Ok(PairLaw::randomized_response(epoch_loss(randomizer.weights, hash_range)));
        }
    })
}

/// g·ε_∞, as far as it is accounted for.
fn epoch_loss(weights: Weights, hash_range: u32) -> Epsilon {
    let nats = f64::min(weights.loss() * f64::from(hash_range), Epsilon::MAX);
    // Cannot fail: it lies between the least loss of two weights and the largest ε.
    Epsilon::new(f64::max(nats, Epsilon::MIN)).expect("an epsilon in range")
}

/// k-ary response.
fn one_of(k: f64, e: f64) -> Vec<(f64, f64)> {
    two_sets(e, 1.0, 0.0, k - 2.0)
}

/// Outputs near u alone, near both, near neither; as many are near v alone as near u alone.
fn two_sets(e: f64, apart: f64, both: f64, neither: f64) -> Vec<(f64, f64)> {
    let total = e * (apart + both) + apart + neither;
    let mass = |weight: f64| weight / total;
    vec![
        (mass(e * apart), mass(apart)),
        (mass(apart), mass(e * apart)),
        (mass(e * both), mass(e * both)),
        (mass(neither), mass(neither)),
    ]
}

/// Windows of 2b+1 places about the two ends of k places.
fn sliding(k: f64, b: f64, e: f64) -> Vec<(f64, f64)> {
    let width = 2.0 * b + 1.0;
    let apart = f64::min(k - 1.0, width);
    two_sets(e, apart, width - apart, k + 2.0 * b - 2.0 * apart - (width - apart))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(mechanism: Mechanism, epsilon_micronats: u64, k: usize) -> PairLaw {
        let weights = Weights::within(epsilon_micronats);
        pair_law(&Randomizer { mechanism, weights }, k).expect("a law")
    }

    #[test]
    fn every_law_reaches_its_epsilon_and_no_more() {
        let mechanisms = [
            Mechanism::KAry,
            Mechanism::SubsetSelection { subset_size: 4 },
            Mechanism::OptimizedUnary,
            Mechanism::LocalHashing { hash_range: 4 },
            Mechanism::Hadamard,
            Mechanism::ProjectiveGeometry { field_size: 4, dimension: 3 },
            Mechanism::SquareWave { half_width: 3 },
            Mechanism::DuchiBit,
            Mechanism::Piecewise { half_width: 9 },
            Mechanism::Hybrid { half_width: 3, window_share: 20_000 },
            Mechanism::DiscreteLaplace,
        ];
        for mechanism in mechanisms {
            let loss = law(mechanism, 1_000_000, 16).epsilon().nats();
            assert!((loss - 1.0).abs() < 1e-9, "{mechanism:?}: {loss}");
        }
    }

    /// The values of GRR at k = 16 and ε = 1, and of subset selection at k = 128.
    #[test]
    fn concentrated_losses() {
        let check = |mechanism, epsilon, k, rho: f64, tolerance| {
            let found = law(mechanism, epsilon, k).zcdp();
            assert!((found - rho).abs() < tolerance, "{mechanism:?}: {found}, not {rho}");
        };
        check(Mechanism::KAry, 1_000_000, 16, 0.113, 5e-4);
        check(Mechanism::SubsetSelection { subset_size: 48 }, 500_000, 128, 0.06163, 5e-5);
        check(Mechanism::SubsetSelection { subset_size: 34 }, 1_000_000, 128, 0.23195, 5e-5);
        check(Mechanism::SubsetSelection { subset_size: 15 }, 2_000_000, 128, 0.76191, 5e-5);
        check(Mechanism::OptimizedUnary, 4_000_000, 128, 1.950, 5e-4);
        check(Mechanism::Hadamard, 4_000_000, 128, 4.0 * (2.0_f64).tanh(), 5e-4);
    }
}
