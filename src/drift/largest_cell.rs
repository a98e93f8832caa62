//! The cell that changed most, with supports counted where they are few.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | s_j | | d_j/√Σ_jj, the score of cell j |
//! | γ_j | | skewness of s_j |
//! | w_j | [`unskewed`] | (3/(2γ))((1 + γs)^(2/3) − 1 + γ²/9), s where γ is 0 |
//! | M | | max \|w_j\| |
//! | E | `exceedances` | Σ_j P\[\|w_j\| ≥ M\], cell by cell |
//! | z | | the normal score of E: 2kΦ(−z) = E |
//!
//! The largest of k cells looks at the tail 0.05/k of each, where counts are far from normal: they are skewed where the
//! samples differ in size, and they come in steps. To first order in γ the tail beyond z is off by the factor
//! exp(±γz³/6), so both tails together by cosh(γz³/6): at k = 64 (z = 3.4) and γ = e^(−1/2) that is a level of .06 up to e
//! = 100 expected supports, and the rule of five says nothing about it. Steps make tails that are too light or, with
//! half a step of correction, as much too heavy: without an answer to them this test rejected 2.7 to 3.3 % at 5 %.
//! Merging all such cells would leave nothing to test.
//!
//! So the tail of each cell is computed: exactly by its [`SupportLaw`] where σ² is below [`FEW`], and as that of a
//! normal w_j above. E is what the p-value would be if no two cells exceeded M together. How often they do is a matter
//! of their correlations, for which the simulated law of k normal scores is asked at z.
//!
//! w is Anscombe's power 2/3 for Poisson counts (the power without skewness: Anscombe, "Contribution to the discussion
//! of a paper by H. Hotelling", JRSS B 15, 1953), written for a count with mean 1/γ² and standard score s; its mean is 0
//! to order γ². It begins as s − γ(s² − 1)/6, like the expansion of Cornish and Fisher, but it is monotone, and says
//! which of two cells is the more surprising one, even where their skewness differs.
//!
//! **Cost** O(k), and the sums of the cells with few supports. **Limits.** A p-value that counts steps is at most 5 % in
//! at most 5 % of all cases, in fewer where few values are possible.

use core::f64::consts::SQRT_2;

use super::comparison::Comparison;
use super::norm_law::NormLaw;
use super::one_shot::Norm;
use super::support_law::SupportLaw;
use crate::estimate::normal_quantile;

/// σ² of the support below which its steps are counted: at 100 they are a tenth of a standard error.
const FEW: f64 = 100.0;

/// What counts as reaching the largest score in spite of rounding.
const TIE: f64 = 1e-9;

/// The test, given the law of the largest of k normal scores with the correlations of the difference.
pub(super) fn largest_cell(compared: &Comparison, law: &NormLaw) -> Norm {
    let cells: Vec<Cell> = (0..compared.difference.len()).map(|cell| Cell::new(compared, cell)).collect();
    let statistic = cells.iter().map(|cell| libm::fabs(unskewed(cell.score, cell.skewness))).fold(0.0, f64::max);
    let few = cells.iter().any(|cell| cell.counted.is_some());
    let score = if few { normal_score(&cells, statistic) } else { statistic };
    Norm { statistic, p_value: law.survival(score) }
}

/// z.
fn normal_score(cells: &[Cell], statistic: f64) -> f64 {
    let exceedances: f64 = cells.iter().map(|cell| cell.tails(statistic * (1.0 - TIE))).sum();
    let tail = exceedances / (2.0 * cells.len() as f64);
    match tail {
        // Beyond what `f64` tells apart.
        tail if tail <= 0.0 => statistic,
        tail if tail < 0.5 => -normal_quantile(tail),
        _ => 0.0,
    }
}

/// One cell as it enters.
struct Cell {
    /// s.
    score: f64,
    /// γ.
    skewness: f64,
    /// Where supports are few, their law, and the share of the variance of s that is theirs.
    counted: Option<(SupportLaw, f64)>,
}

impl Cell {
    fn new(compared: &Comparison, cell: usize) -> Self {
        let variance = compared.covariance.at(cell, cell);
        let score = compared.difference[cell] / libm::sqrt(variance);
        let Some((law, step)) = compared.support_of(cell).filter(|(law, _)| law.variance() > 0.0) else {
            return Self { score, skewness: 0.0, counted: None };
        };
        let own = (variance / (step * step * law.variance())).min(1.0);
        // A k-ary answer has no other cells in it, up to rounding.
        let own = if own > 1.0 - TIE { 1.0 } else { own };
        let counted = (law.variance() < FEW).then_some((law, own));
        Self { score, skewness: law.skewness() * own * libm::sqrt(own), counted }
    }

    /// P\[|w| ≥ `statistic`\].
    fn tails(&self, statistic: f64) -> f64 {
        match self.counted {
            Some((law, own)) => law.tails(own, [-statistic, statistic].map(|w| skewed(w, self.skewness))),
            None => libm::erfc(statistic / SQRT_2),
        }
    }
}

/// Below, the difference of w and s is less than rounding makes of it.
const LEAST_SKEWNESS: f64 = 1e-5;

/// The normal score w of a standard score s with skewness γ.
fn unskewed(score: f64, skewness: f64) -> f64 {
    if libm::fabs(skewness) < LEAST_SKEWNESS {
        return score;
    }
    let base = libm::cbrt((1.0 + skewness * score).max(0.0));
    1.5 / skewness * (base * base - 1.0 + skewness * skewness / 9.0)
}

/// The score s of a normal score w: infinite where w is beyond all of them.
fn skewed(normal: f64, skewness: f64) -> f64 {
    if libm::fabs(skewness) < LEAST_SKEWNESS {
        return normal;
    }
    let square = 1.0 - skewness * skewness / 9.0 + skewness * normal / 1.5;
    if square < 0.0 {
        return libm::copysign(f64::INFINITY, -skewness);
    }
    (square * libm::sqrt(square) - 1.0) / skewness
}

#[cfg(test)]
mod tests {
    use super::super::kept_laws::NormLaws;
    use super::super::one_shot::{Shape, one_shot};
    use super::*;
    use crate::drift::Sample;
    use crate::estimate::Channel;

    /// All ways to share out the answers of both samples, each with its probability: the level at 5 % and 20 %, exactly.
    /// Steps keep it below; that it is near needs all the tails of all cells.
    #[test]
    fn the_level_of_few_answers() {
        const ALL: [u64; 4] = [14, 17, 19, 20];
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |ways, i| ways * (n - i) as f64 / (i + 1) as f64);
        let channel = Channel::k_ary(4, 0.8);
        let (mut mass, mut levels) = (0.0, [0.0; 2]);
        let mut laws = NormLaws::default();
        for first in 0..=ALL[0] {
            for second in 0..=ALL[1] {
                for third in 0..=ALL[2] {
                    let Some(last) = 30_u64.checked_sub(first + second + third).filter(|last| *last <= ALL[3]) else {
                        continue;
                    };
                    let now = [first, second, third, last];
                    let then = [0, 1, 2, 3].map(|cell| ALL[cell] - now[cell]);
                    let ways = [0, 1, 2, 3].map(|cell| choose(ALL[cell], now[cell])).iter().product::<f64>();
                    let [now, then] = [&now, &then].map(|support| Sample { reports: support.iter().sum(), support });
                    let compared = Comparison::of_samples(&channel, now, then).expect("reports");
                    let found = one_shot(&compared, false, &mut laws).expect("four cells");
                    let Shape::Unordered { largest_cell } = found.shape else { panic!("unordered cells") };
                    mass += ways;
                    levels[0] += if largest_cell.p_value <= 0.05 { ways } else { 0.0 };
                    levels[1] += if largest_cell.p_value <= 0.2 { ways } else { 0.0 };
                }
            }
        }
        assert!((mass / choose(70, 30) - 1.0).abs() < 1e-12);
        let [at_5, at_20] = levels.map(|level| level / mass);
        assert!((0.04..=0.051).contains(&at_5) && (0.17..=0.202).contains(&at_20), "{at_5}, {at_20}");
    }

    /// A Poisson count of mean 8, skewness 8^(−1/2): the score of each count against Φ⁻¹ of the middle of its
    /// probability, summed exactly. Within 0.2 down to 1e-5, where s itself is off by more than 0.6.
    #[test]
    fn skewed_counts_have_normal_scores() {
        let mean: f64 = 8.0;
        let (mut probability, mut below) = (libm::exp(-mean), 0.0);
        for count in 0..26 {
            let score = (f64::from(count) - mean) / mean.sqrt();
            let found = unskewed(score, 1.0 / mean.sqrt());
            let middle = below + probability / 2.0;
            if middle.min(1.0 - middle) > 1e-5 && count > 0 {
                let expected = normal_quantile(middle);
                assert!((found - expected).abs() < 0.2, "{count}: {found}, not {expected}");
                assert!((-unskewed(-score, -1.0 / mean.sqrt()) - found).abs() < 1e-12, "mirrored");
                assert!((skewed(found, 1.0 / mean.sqrt()) - score).abs() < 1e-12, "and back");
            }
            below += probability;
            probability *= mean / f64::from(count + 1);
        }
        assert!((unskewed(3.0, 1e-5) - unskewed(3.0, 0.9e-5)).abs() < 1e-4);
        assert!(skewed(-9.0, 0.4).is_infinite() && skewed(9.0, -0.4).is_infinite());
    }
}
