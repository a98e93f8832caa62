//! How many reports of the current sample support a cell if nothing changed: an exact law, whatever the channel.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | N, n | `reports` | reports of both samples; of the current one |
//! | K | `supports` | reports of both samples that support the cell |
//! | m | `probability` | probability that a report supports the cell, where it is known |
//! | X | | reports of the current sample that support the cell |
//! | σ², γ | [`SupportLaw::variance`], [`SupportLaw::skewness`] | variance and skewness of X |
//! | ξ | | (X − E\[X\])/σ |
//! | ρ | `own` | share of the variance of a score that is ξ's |
//!
//! A report supports a cell or does not, and if nothing changed all N reports are exchangeable. So given K, X is
//! hypergeometric (R. A. Fisher, "The logic of inductive inference", JRSS 98, 1935), by randomized response as by any
//! other channel; against a known share it is binomial. σ² has N where the law has N − 1, as the covariance Σ that
//! scores are taken by does: ξ then is the score.
//!
//! Shares that are made to sum to 1 move with the other cells too: a score is S = √ρ ξ + √(1−ρ) Z, Z uncorrelated with
//! ξ and, being a sum over the other cells, taken as a standard normal. ρ = 1 for k-ary response.
//!
//! **Cost** some 40σ terms. **Limits.** Groups of cells have the sum of their supports, as if no report supported two:
//! exact for k-ary response, near it for cells so rare that they are merged.

use core::f64::consts::SQRT_2;

/// The law of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SupportLaw {
    /// Of the current sample, given both.
    TwoSamples {
        /// K.
        supports: u64,
        /// N − n and n, both above 0.
        reports: [u64; 2],
    },
    /// Of a sample of known law.
    Known {
        /// m.
        probability: f64,
        /// n > 0.
        reports: u64,
    },
}

impl SupportLaw {
    /// The law of two cells as one.
    pub(super) fn joined(self, other: Self) -> Self {
        match (self, other) {
            (Self::TwoSamples { supports, reports }, Self::TwoSamples { supports: more, .. }) => {
                Self::TwoSamples { supports: supports.saturating_add(more).min(reports[0] + reports[1]), reports }
            }
            (Self::Known { probability, reports }, Self::Known { probability: more, .. }) => {
                Self::Known { probability: (probability + more).min(1.0), reports }
            }
            _ => unreachable!("the cells of one comparison have laws of one kind"),
        }
    }

    /// n, m = K/N, and n/N, which is 0 for a known law.
    fn moments(self) -> [f64; 3] {
        match self {
            Self::TwoSamples { supports, reports: [then, now] } => {
                let all = (then + now) as f64;
                [now as f64, supports as f64 / all, now as f64 / all]
            }
            Self::Known { probability, reports } => [reports as f64, probability, 0.0],
        }
    }

    /// E\[X\].
    #[must_use]
    pub fn mean(self) -> f64 {
        let [n, m, _] = self.moments();
        n * m
    }

    /// σ².
    #[must_use]
    pub fn variance(self) -> f64 {
        let [n, m, drawn] = self.moments();
        n * m * (1.0 - m) * (1.0 - drawn)
    }

    /// γ, to order 1/N; 0 where X has one value only.
    #[must_use]
    pub fn skewness(self) -> f64 {
        let ([_, m, drawn], variance) = (self.moments(), self.variance());
        if variance > 0.0 { (1.0 - 2.0 * m) * (1.0 - 2.0 * drawn) / libm::sqrt(variance) } else { 0.0 }
    }

    /// P\[X = x + 1\]/P\[X = x\]; 0 beyond the largest value.
    fn ratio(self, x: f64) -> f64 {
        match self {
            Self::TwoSamples { supports, reports: [then, now] } => {
                let (supports, then, now) = (supports as f64, then as f64, now as f64);
                ((supports - x) * (now - x)).max(0.0) / ((x + 1.0) * (then - supports + x + 1.0))
            }
            Self::Known { probability, reports } => {
                (reports as f64 - x) * probability / ((x + 1.0) * (1.0 - probability))
            }
        }
    }

    /// P\[S ≥ `above`\] + P\[S ≤ `below`\] for the score S = √ρ ξ + √(1−ρ) Z.
    ///
    /// # Panics
    ///
    /// Unless 0 < ρ ≤ 1 and σ² > 0.
    #[must_use]
    pub fn tails(self, own: f64, [below, above]: [f64; 2]) -> f64 {
        let (mean, deviation) = (self.mean(), libm::sqrt(self.variance()));
        assert!(own > 0.0 && own <= 1.0 && deviation > 0.0, "a score that varies with its cell");
        let (root, rest) = (libm::sqrt(own), libm::sqrt(1.0 - own));
        let beyond = |x: f64| {
            let score = root * (x - mean) / deviation;
            if rest > 0.0 {
                let tail = |distance: f64| 0.5 * libm::erfc(distance / (rest * SQRT_2));
                tail(above - score) + tail(score - below)
            } else {
                f64::from(u8::from(score >= above)) + f64::from(u8::from(score <= below))
            }
        };
        // From the mean outwards, until what is left is nothing beside the mass so far.
        let start = libm::floor(mean);
        let (mut mass, mut tails) = (1.0, beyond(start));
        let (mut x, mut term) = (start, 1.0);
        while term > 1e-18 * mass {
            term *= self.ratio(x);
            x += 1.0;
            mass += term;
            tails += term * beyond(x);
        }
        (x, term) = (start, 1.0);
        while term > 1e-18 * mass && x > 0.0 {
            x -= 1.0;
            let ratio = self.ratio(x);
            // Below the least value that X can have the ratio has no denominator left.
            term = if ratio > 0.0 && ratio.is_finite() { term / ratio } else { 0.0 };
            mass += term;
            tails += term * beyond(x);
        }
        tails / mass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(n: u64, k: u64) -> f64 {
        (0..k).fold(1.0, |ways, i| ways * (n - i) as f64 / (i + 1) as f64)
    }

    #[track_caller]
    fn check(law: SupportLaw, probabilities: &[(u64, f64)]) {
        let (mean, deviation) = (law.mean(), law.variance().sqrt());
        for (x, _) in probabilities {
            let score = (*x as f64 - mean) / deviation;
            let [above, below] = [1e-9, -1e-9].map(|slack| score - slack);
            let sum = |part: &dyn Fn(u64) -> bool| -> f64 {
                probabilities.iter().filter(|(y, _)| part(*y)).map(|(_, p)| p).sum()
            };
            let upper = law.tails(1.0, [f64::NEG_INFINITY, above]);
            let lower = law.tails(1.0, [below, f64::INFINITY]);
            assert!((upper - sum(&|y| y >= *x)).abs() < 1e-13, "{x} or more: {upper}");
            assert!((lower - sum(&|y| y <= *x)).abs() < 1e-13, "{x} or fewer: {lower}");
        }
    }

    /// Against the probabilities by binomial coefficients; all values of K, so that the ends of the range are met.
    #[test]
    fn tails_are_exact() {
        for supports in 1..17 {
            let ways = |x: u64| if x <= supports { choose(6, x) * choose(11, supports - x) } else { 0.0 };
            let ways = |x: u64| if supports - x.min(supports) > 11 { 0.0 } else { ways(x) };
            let probabilities: Vec<(u64, f64)> = (0..=6).map(|x| (x, ways(x) / choose(17, supports))).collect();
            let possible: Vec<(u64, f64)> = probabilities.into_iter().filter(|(_, p)| *p > 0.0).collect();
            check(SupportLaw::TwoSamples { supports, reports: [11, 6] }, &possible);
        }
        let binomial = |x: u64| choose(9, x) * 0.3_f64.powi(x as i32) * 0.7_f64.powi(9 - x as i32);
        let probabilities: Vec<(u64, f64)> = (0..=9).map(|x| (x, binomial(x))).collect();
        check(SupportLaw::Known { probability: 0.3, reports: 9 }, &probabilities);
    }

    /// By the probabilities of a hypergeometric law of 400 reports; what is left out is of order 1/N.
    #[test]
    fn moments_are_those_of_the_law() {
        let (supports, reports) = (40, [300, 100]);
        let law = SupportLaw::TwoSamples { supports, reports };
        let probability = |x: u64| choose(100, x) * choose(300, supports - x) / choose(400, supports);
        let moment =
            |power: i32| -> f64 { (0..=supports).map(|x| probability(x) * (x as f64 - law.mean()).powi(power)).sum() };
        assert!(moment(1).abs() < 1e-9);
        assert!((law.variance() / moment(2) - 1.0).abs() < 2.0 / 400.0);
        assert!((law.skewness() / (moment(3) / moment(2).powf(1.5)) - 1.0).abs() < 4.0 / 400.0);
    }

    /// With all variance in the other cells the score is standard normal; in between it lies between.
    #[test]
    fn other_cells_smooth() {
        let law = SupportLaw::TwoSamples { supports: 16, reports: [500, 500] };
        let tail = |own: f64| law.tails(own, [-3.4, 3.4]);
        let normal = libm::erfc(3.4 / SQRT_2);
        assert!((tail(1e-6) / normal - 1.0).abs() < 0.01);
        assert!(tail(1.0) < tail(0.5) && tail(0.5) < normal);
    }
}
