//! The law of a randomizer on its worst pair of inputs, as far as privacy accounting can see it.
//!
//! **Promise.** Rényi divergences and ρ of the law given, for outputs that fall into finitely many classes of one
//! likelihood ratio each. Merging outputs of equal ratio loses nothing: a divergence depends on the law of the ratio
//! alone.
//!
//! *Papers*: Mironov, "Rényi differential privacy", CSF 2017, definition 3; Bun and Steinke, "Concentrated differential
//! privacy", TCC 2016, definition 1.1 (ρ-zCDP: `D_α ≤ ρα` for all α > 1).
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | P, Q | `p`, `q` | mass of a class under the one input and the other | (0, 1\] |
//! | L | `ln_ratio` | ln(P/Q) of a class, nats | −64 to 64 |
//! | α | `alpha` | order of a divergence | > 1 |
//! | t | `t` | α − 1 | > 0 |
//! | `K(t)` | `log_moment` | ln Σ P (P/Q)ᵗ = t D_{1+t}(P‖Q); convex, `K(0) = 0` | |
//! | ρ | | sup over α > 1 of `D_α/α`, over both directions, nats | |
//!
//! **Cost**: O(classes) for a divergence; thousands of divergences for ρ. **Limit**: the caller says that the pair is
//! the worst; for randomizers that treat all symbols alike every pair is.

use super::Epsilon;

/// How closely ρ is enclosed, relative.
const RHO_TOLERANCE: f64 = 1e-6;

/// By how much masses may fail to sum to 1, and a log ratio may exceed the largest, relative.
const SUM_TOLERANCE: f64 = 1e-9;

/// Joint masses of classes of outputs under two inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct PairLaw {
    classes: Vec<Class>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Class {
    p: f64,
    q: f64,
    ln_ratio: f64,
}

/// Masses that are not the law of a locally private randomizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairLawError {
    /// A mass is negative or not a number.
    #[error("the masses of class {class} must be numbers of at least 0")]
    Mass {
        /// Position in the list.
        class: usize,
    },
    /// The masses of one input do not sum to 1 within 1e-9.
    #[error("the masses under each input must sum to 1 within 1e-9")]
    Sum,
    /// One input gives the class and the other does not, or the ratio exceeds e^64.
    #[error("the masses of class {class} must have a ratio of at most e^64")]
    Ratio {
        /// Position in the list.
        class: usize,
    },
}

impl PairLaw {
    /// From `(P, Q)` of each class, in any order. Classes that no input gives are dropped.
    ///
    /// # Errors
    ///
    /// [`PairLawError`] says which class breaks which rule.
    pub fn new(masses: Vec<(f64, f64)>) -> Result<Self, PairLawError> {
        let mut classes = Vec::with_capacity(masses.len());
        let (mut total_p, mut total_q) = (0.0, 0.0);
        for (class, (p, q)) in masses.into_iter().enumerate() {
            if !(p >= 0.0 && q >= 0.0) {
                return Err(PairLawError::Mass { class });
            }
            total_p += p;
            total_q += q;
            if p == 0.0 && q == 0.0 {
                continue;
            }
            let ln_ratio = libm::log(p / q);
            // Infinite, or not a number, where only one mass is finite and above 0.
            if ln_ratio.is_nan() || libm::fabs(ln_ratio) > Epsilon::MAX * (1.0 + SUM_TOLERANCE) {
                return Err(PairLawError::Ratio { class });
            }
            classes.push(Class { p, q, ln_ratio });
        }
        let is_one = |total: f64| libm::fabs(total - 1.0) <= SUM_TOLERANCE;
        if is_one(total_p) && is_one(total_q) { Ok(Self { classes }) } else { Err(PairLawError::Sum) }
    }

    /// Binary randomized response: of all ε-LDP laws the worst for every divergence (Kairouz, Oh and Viswanath, ICML
    /// 2015).
    #[must_use]
    pub fn randomized_response(epsilon: Epsilon) -> Self {
        let nats = epsilon.nats();
        let (truth, lie) = (1.0 / (1.0 + libm::exp(-nats)), 1.0 / (1.0 + libm::exp(nats)));
        Self { classes: vec![Class { p: truth, q: lie, ln_ratio: nats }, Class { p: lie, q: truth, ln_ratio: -nats }] }
    }

    /// The same pair, the other way round.
    #[must_use]
    pub fn swapped(&self) -> Self {
        let swap = |class: &Class| Class { p: class.q, q: class.p, ln_ratio: -class.ln_ratio };
        Self { classes: self.classes.iter().map(swap).collect() }
    }

    /// The largest log ratio, in either direction.
    #[must_use]
    pub fn epsilon(&self) -> Epsilon {
        let largest = self.classes.iter().map(|class| libm::fabs(class.ln_ratio)).fold(0.0, f64::max);
        Epsilon(f64::min(largest, Epsilon::MAX))
    }

    /// `D_α(P‖Q)` in nats; the other direction is that of [`swapped`](Self::swapped).
    ///
    /// # Panics
    ///
    /// If `alpha` is not a finite number above 1.
    #[must_use]
    pub fn renyi(&self, alpha: f64) -> f64 {
        assert!(alpha > 1.0 && alpha.is_finite(), "alpha must be a finite number above 1");
        self.log_moment(alpha - 1.0) / (alpha - 1.0)
    }

    /// The larger `K(t)` of both directions; convex as a maximum of convex functions.
    pub(super) fn worst_log_moment(&self, t: f64) -> f64 {
        let swapped = self.classes.iter().map(|class| (class.q, -class.ln_ratio));
        f64::max(self.log_moment(t), log_moment(swapped, t))
    }

    fn log_moment(&self, t: f64) -> f64 {
        log_moment(self.classes.iter().map(|class| (class.p, class.ln_ratio)), t)
    }

    /// ρ, from above and within 1e-6 relative of the supremum.
    ///
    /// *How the supremum is enclosed.* Let `K` be the larger of both directions and f(t) = K(t) / (t (1+t)), which is
    /// `D_α/α` at α = 1 + t. On \[a, b\] the chord m t + c of the convex `K` lies above it, so f is at most the maximum
    /// of (m t + c) / (t (1+t)), whose only stationary point solves m t² + 2ct + c = 0. (c ≤ 0, because `K(0) = 0`; on
    /// \[0, b\] the maximum is m, at 0.) Beyond the last interval `D_α ≤ ε` gives f ≤ ε/(1+t), below the best value
    /// seen. An interval is halved until its bound is within the tolerance of the best value seen; the largest
    /// remaining bound is returned.
    #[must_use]
    pub fn zcdp(&self) -> f64 {
        let epsilon = self.epsilon().nats();
        let moment = |t: f64| self.worst_log_moment(t);
        let value = |t: f64, moment: f64| moment / (t * (1.0 + t));
        let mut best = value(1.0, moment(1.0));
        // All ratios are 1, or so near that f underflows.
        if best <= 0.0 {
            return 0.0;
        }
        let end = f64::max(1.0, epsilon / best);
        let mut intervals = vec![((0.0, 0.0), (end, moment(end)))];
        let mut bound = best;
        while let Some(((a, at_a), (b, at_b))) = intervals.pop() {
            let slope = (at_b - at_a) / (b - a);
            let intercept = at_a - slope * a;
            let highest = if intercept < 0.0 {
                let stationary = (-intercept + libm::sqrt(intercept * (intercept - slope))) / slope;
                let t = stationary.clamp(a, b);
                (slope + intercept / t) / (1.0 + t)
            } else {
                slope / (1.0 + a)
            };
            if highest <= best * (1.0 + RHO_TOLERANCE) || b - a <= b * 1e-9 {
                bound = f64::max(bound, highest);
                continue;
            }
            let middle = 0.5 * (a + b);
            let at_middle = moment(middle);
            best = f64::max(best, value(middle, at_middle));
            intervals.push(((middle, at_middle), (b, at_b)));
            intervals.push(((a, at_a), (middle, at_middle)));
        }
        bound
    }
}

/// ln Σ mass · e^(t · ln ratio), of a law given as `(mass, ln ratio)`.
fn log_moment(law: impl Iterator<Item = (f64, f64)> + Clone, t: f64) -> f64 {
    let exponents = || law.clone().map(|(mass, ln_ratio)| (mass, t * ln_ratio));
    let (least, largest) = exponents().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, largest), (_, x)| {
        (f64::min(least, x), f64::max(largest, x))
    });
    if -1.0 < least && largest < 1.0 {
        // Near t = 0 the sum is near 1: keep its distance from 1.
        return libm::log1p(exponents().map(|(mass, x)| mass * libm::expm1(x)).sum());
    }
    largest + libm::log(exponents().map(|(mass, x)| mass * libm::exp(x - largest)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> PairLaw {
        PairLaw::new(vec![(0.6, 0.2), (0.1, 0.5), (0.3, 0.3)]).expect("a law")
    }

    #[test]
    fn divergences_equal_their_definition() {
        for alpha in [1.000_01, 1.1, 2.0, 3.5, 40.0] {
            let sum: f64 = [(0.6, 0.2), (0.1, 0.5), (0.3, 0.3)]
                .map(|(p, q): (f64, f64)| libm::pow(p, alpha) * libm::pow(q, 1.0 - alpha))
                .iter()
                .sum();
            let expected = libm::log(sum) / (alpha - 1.0);
            let found = three().renyi(alpha);
            // The definition cancels near α = 1: ln(1 + small) / small.
            assert!(libm::fabs(found - expected) < 1e-14 / (alpha - 1.0) + 1e-13, "{alpha}: {found} {expected}");
        }
        assert!(libm::fabs(three().epsilon().nats() - libm::log(5.0)) < 1e-15);
        assert_eq!(three().swapped().swapped().renyi(2.0), three().renyi(2.0));
    }

    /// A grid so fine that it misses less than its relative step; the enclosure must lie between the grid and that.
    #[test]
    fn rho_is_the_supremum_of_a_fine_grid() {
        let mut laws: Vec<PairLaw> = [0.01, 0.5, 1.0, 4.0, 8.0]
            .map(|epsilon| PairLaw::randomized_response(Epsilon::new(epsilon).expect("an epsilon")))
            .to_vec();
        laws.push(three());
        for law in laws {
            let rho = law.zcdp();
            let mut grid = 0.0_f64;
            let mut t = 1e-5;
            while t < 1e4 {
                grid = grid.max(law.worst_log_moment(t) / (t * (1.0 + t)));
                t *= 1.001;
            }
            assert!(grid <= rho && rho <= grid * (1.0 + 2e-5), "{grid} {rho}");
        }
    }

    #[test]
    fn rho_of_laws_without_privacy_loss_is_zero() {
        assert_eq!(PairLaw::new(vec![(0.5, 0.5), (0.5, 0.5), (0.0, 0.0)]).expect("a law").zcdp(), 0.0);
    }

    #[test]
    fn faulty_masses_are_refused() {
        let refused = |masses: &[(f64, f64)]| PairLaw::new(masses.to_vec()).expect_err("a fault");
        assert_eq!(refused(&[(0.5, 0.5), (-0.5, 0.5)]), PairLawError::Mass { class: 1 });
        assert_eq!(refused(&[(f64::NAN, 0.5)]), PairLawError::Mass { class: 0 });
        assert_eq!(refused(&[(1.0, 0.5)]), PairLawError::Sum);
        assert_eq!(refused(&[]), PairLawError::Sum);
        assert_eq!(refused(&[(1.0, 0.5), (0.0, 0.5)]), PairLawError::Ratio { class: 1 });
        assert_eq!(refused(&[(0.5, 0.5), (0.5, f64::INFINITY)]), PairLawError::Ratio { class: 1 });
    }
}
