//! Do two groups answer alike? An e-process for canary against stable when both are unknown.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | a, b | `arms` | the groups | |
//! | n_a, n_b | | answers of the groups in this look | integers |
//! | c_a, c_b | `counts` | how often each symbol was sent in this look | integers |
//! | C_a, C_b, N_a, N_b | `seen` | the same over all *earlier* looks | |
//! | q̄ | | (C_a + C_b + 1)/(N_a + N_b + k), what the groups have in common | (0, 1) |
//! | κ | [`SHRINKAGES`] | how many answers the common part counts as | > 0 |
//! | q_a | | (C_a + κ q̄)/(N_a + κ), and q_b alike | (0, 1) |
//! | q_0 | | (n_a q_a + n_b q_b)/(n_a + n_b) | (0, 1) |
//! | E | [`TwoSample::look`] gives ln E | evidence that the groups differ | (0, ∞) |
//!
//! E is multiplied in each look by Π_y (q_a(y)/q_0(y))^{c_a(y)} (q_b(y)/q_0(y))^{c_b(y)} (Turner, Ly and Grünwald,
//! "Generic E-variables for exact sequential k-sample tests that allow for optional stopping", JSPI 230, 2024; arXiv
//! 2106.02693).
//!
//! **Argument.** Let both groups send symbol y with probability θ(y), whatever θ is. Given the past and the sizes, the
//! mean of the factor is A^{n_a} B^{n_b}, A = Σ θ q_a/q_0, B = Σ θ q_b/q_0. By the inequality of arithmetic and
//! geometric means it is at most ((n_a A + n_b B)/(n_a + n_b))^{n_a + n_b} = (Σ θ q_0/q_0)^{…} = 1. The sizes need not
//! be equal, only not chosen after the answers. q_a and q_b come from earlier looks, so the product is a
//! supermartingale; the average over κ of such products is one too. The first look is a bet of 1.
//!
//! **Cost**: 3k logarithms for each κ. **Does not hold when** an answer supports several symbols, or devices answer in
//! several looks: then the arms differ by the choice of their devices, a persistent offset. [`super::arms`] allows both.

use super::logarithm::log_mean;

/// The weights κ that are averaged over: arms that differ much, somewhat, and little.
pub const SHRINKAGES: [f64; 3] = [1e2, 1e3, 1e4];

/// The e-process of two groups.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoSample {
    /// Counts of earlier looks, arm by arm.
    seen: [Vec<u64>; 2],
    /// ln of the product so far, for each κ.
    log_e: [f64; SHRINKAGES.len()],
}

impl TwoSample {
    /// The process before the first look at answers of `symbols` symbols.
    ///
    /// # Panics
    ///
    /// If there are no symbols.
    #[must_use]
    pub fn new(symbols: usize) -> Self {
        assert!(symbols > 0, "at least one symbol");
        Self { seen: [vec![0; symbols], vec![0; symbols]], log_e: [0.0; SHRINKAGES.len()] }
    }

    /// Adds the counts of the arms in one look; gives ln E after it.
    ///
    /// # Panics
    ///
    /// If there is not one count for each symbol and arm.
    pub fn look(&mut self, arms: [&[u64]; 2]) -> f64 {
        let symbols = self.seen[0].len();
        assert!(arms.iter().all(|counts| counts.len() == symbols), "one count for each symbol and arm");
        let sizes = arms.map(total);
        if sizes.iter().all(|size| *size > 0.0) {
            let seen = [total(&self.seen[0]), total(&self.seen[1])];
            for (log_e, kappa) in self.log_e.iter_mut().zip(SHRINKAGES) {
                for (y, (a, b)) in arms[0].iter().zip(arms[1]).enumerate() {
                    let before = [self.seen[0][y] as f64, self.seen[1][y] as f64];
                    let common = (before[0] + before[1] + 1.0) / (seen[0] + seen[1] + symbols as f64);
                    let fitted = [0, 1].map(|arm| (before[arm] + kappa * common) / (seen[arm] + kappa));
                    let null = (sizes[0] * fitted[0] + sizes[1] * fitted[1]) / (sizes[0] + sizes[1]);
                    *log_e += *a as f64 * libm::log(fitted[0] / null) + *b as f64 * libm::log(fitted[1] / null);
                }
            }
        }
        for (sum, counts) in self.seen.iter_mut().zip(arms) {
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        }
        self.log_e()
    }

    /// ln E of all looks so far.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        log_mean(&self.log_e)
    }
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().map(|count| *count as f64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of a look's factor over all outcomes of 4 and 2 answers is at most 1 whatever both send, and below 1 by
    /// no more than the arithmetic mean is above the geometric one.
    #[test]
    fn mean_at_most_one_over_all_outcomes() {
        let mut trained = TwoSample::new(2);
        trained.look([&[30, 70], &[60, 40]]);
        let before = libm::exp(trained.log_e());
        let choose = |n: i32, k: i32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        for theta in [0.05_f64, 0.3, 0.45, 0.9] {
            let law = |n: i32, k: i32| choose(n, k) * theta.powi(k) * (1.0 - theta).powi(n - k);
            let mut mean = 0.0;
            for a in 0..=4 {
                for b in 0..=2 {
                    let counts = |n: i32, k: i32| [k as u64, (n - k) as u64];
                    let after = trained.clone().look([&counts(4, a), &counts(2, b)]);
                    mean += law(4, a) * law(2, b) * libm::exp(after) / before;
                }
            }
            assert!(mean <= 1.0 + 1e-12 && mean > 0.5, "{mean} at {theta}");
        }
    }

    #[test]
    fn the_first_look_is_not_bet_on() {
        let mut process = TwoSample::new(3);
        assert!(process.look([&[100, 0, 0], &[0, 0, 100]]).abs() < 1e-12);
        assert!(process.look([&[100, 0, 0], &[0, 0, 100]]) > 5.0);
    }

    /// A look with one empty arm says nothing about the difference, but is learnt from.
    #[test]
    fn one_arm_alone() {
        let mut process = TwoSample::new(2);
        assert_eq!(process.look([&[5, 5], &[0, 0]]), 0.0);
        assert_eq!(process.seen[0], [5, 5]);
    }
}
