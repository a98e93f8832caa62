//! All tests of one question at one time, and one p-value from them.
//!
//! | Test | Asked of | Finds best | p-value by |
//! | --- | --- | --- | --- |
//! | omnibus | all cells | anything | χ² ([`wald()`](super::wald())) |
//! | location, scale | ordered cells | a shift; another width | normal law ([`super::location_shift`]) |
//! | KS | ordered cells | a shift of much mass | simulated normal law ([`super::NormLaw`]) |
//! | W1 | ordered cells | a shift of all mass | the same |
//! | largest cell | unordered cells | one cell that moved | the same |
//! | **combined** | | the question "has it drifted?" | [`cauchy_combination`] |
//!
//! Combined are omnibus, location and scale for ordered cells (of two cells all are one test, of three the last two
//! span the first), omnibus and largest cell for unordered ones. KS and W1 are shown and not combined: they look where
//! location looks.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | d, Σ | [`Comparison`] | difference and covariance, both made to sum to 0 |
//! | L | | Cholesky's factor of Σ without its last row |
//! | D_j | | d_1 + … + d_j |
//! | KS, W1 | [`Norm::statistic`] | max \|D_j\|; Σ \|D_j\|, in cells |
//! | γ_j, s_j | | κ_j/Σ_jj^(3/2), the skewness of d_j; d_j/√Σ_jj |
//! | M | | max \|w(s_j ∓ γ_j/2, γ_j)\|, w(s, γ) = (3/(2γ))((1 + γs)^(2/3) − 1 + γ²/9) |
//!
//! **Skew.** Supports are counts: where few are expected in the smaller sample s_j is skewed to the right, and the
//! largest of k cells looks at the tail 0.05/k of each, where that matters. To first order in γ the tail beyond z is
//! off by the factor exp(±γz³/6), so both tails together by cosh(γz³/6): at k = 64 (z = 3.4) and γ = e^(−1/2) that is
//! a level of .06 up to e = 100 expected supports, and the rule of five says nothing about it. Merging all of those
//! would leave nothing to test; the scores are transformed instead. w is Anscombe's power 2/3 for Poisson counts (the
//! power without skewness: Anscombe, "Contribution to the discussion of a paper by H. Hotelling", JRSS B 15, 1953),
//! written for a count with mean 1/γ² and standard score s; its mean is 0 to order γ². It begins as s − γ(s² − 1)/6,
//! like the expansion of Cornish and Fisher, but it is monotone. Counts come in steps, of γ in s: half a step less
//! than seen makes the tail that of "as many or more" and not between steps (Yates), without which the largest of 64
//! looks at cells of 9 expected supports where 1 has a p-value of .0012 and would be given .0006. γ = 0 leaves s as
//! it is, as for samples of equal size.
//!
//! Rare cells are merged first ([`RareCells`]); what is left below two cells is too few to test, and the answer is
//! `None`. **Cost** O(k³), and B k²/2 to simulate the laws (B = 4,096) unless a [`NormLaws`] has them.
//!
//! **Limits.** The largest of 64 even cells of 8 expected supports (OUE, ε = 8, 1,000 reports against 10,000) rejects
//! 3.1 % at 5 % (10,000 runs, standard error 0.2), too few: steps are partly filled by the reference there, and half of
//! one is more than need be; without it 6.0 % (5,000 runs). With γ = 0, 1,000 against 1,000, it is 2.9 %.
//!
//! One look: who looks again and again needs the anytime-valid tests. Evidence, not size:
//! with many reports a change of no consequence is found; [`super::effect()`] has the size.

use super::cauchy::cauchy_combination;
use super::comparison::Comparison;
use super::norm_law::{NormLaw, norm_laws};
use super::ordered::{Contrast, directed, location_shift, scale_shift};
use super::rare_cells::{LEAST_EXPECTED, RareCells};
use super::wald::Wald;
use crate::estimate::{Cholesky, Matrix};

/// A norm of the difference with its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm {
    /// The norm.
    pub statistic: f64,
    /// P\[as large or larger\] if nothing changed.
    pub p_value: f64,
}

/// The tests that only some cells have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Of ordered cells.
    Ordered {
        /// Whether the distribution lies higher.
        location: Contrast,
        /// Whether it is wider; `None` for two cells.
        scale: Option<Contrast>,
        /// Largest change of a cumulative share.
        ks: Norm,
        /// Sum of the changes of cumulative shares, in cells.
        w1: Norm,
    },
    /// Of unordered cells.
    Unordered {
        /// The cell that changed most, in standard errors.
        largest_cell: Norm,
    },
}

/// All tests of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct OneShot {
    /// Whether any share changed.
    pub omnibus: Wald,
    /// The tests by kind of cells.
    pub shape: Shape,
    /// The p-value of all together.
    pub combined: f64,
    /// Which cells were tested together.
    pub tested: RareCells,
}

/// Keeps simulated null laws from one comparison to the next.
///
/// A law depends on the shape of the covariance alone, Σ/trace Σ, which hardly changes for one question from window to
/// window: it is simulated again when an entry of Σ/trace Σ differs by more than a tolerance times the largest.
#[derive(Debug, Clone)]
pub struct NormLaws {
    tolerance: f64,
    kept: Option<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    ordered: bool,
    /// Covariance of which the laws are.
    covariance: Matrix,
    laws: [NormLaw; 2],
}

impl Default for NormLaws {
    /// With a tolerance of 2 %.
    fn default() -> Self {
        Self::with_tolerance(0.02)
    }
}

impl NormLaws {
    /// Nothing kept yet; 0 simulates for every comparison.
    ///
    /// # Panics
    ///
    /// If the tolerance is below 0.
    #[must_use]
    pub fn with_tolerance(tolerance: f64) -> Self {
        assert!(tolerance >= 0.0, "a tolerance from 0 on");
        Self { tolerance, kept: None }
    }

    /// The laws for a covariance with its factor, and what statistics are multiplied with before they are asked.
    fn laws(&mut self, ordered: bool, covariance: &Matrix, factor: &Cholesky) -> (&[NormLaw; 2], f64) {
        let near = |kept: &Kept| kept.ordered == ordered && kept.is_near(covariance, self.tolerance);
        let kept = match self.kept.take().filter(near) {
            Some(kept) => kept,
            None => {
                let rows = if ordered { cumulative_rows(factor) } else { cell_rows(factor, covariance) };
                Kept { ordered, covariance: covariance.clone(), laws: norm_laws(&rows, factor.size()) }
            }
        };
        let kept = self.kept.insert(kept);
        // The largest cell is in standard errors already.
        let scale = if ordered { libm::sqrt(trace(&kept.covariance) / trace(covariance)) } else { 1.0 };
        (&kept.laws, scale)
    }
}

impl Kept {
    fn is_near(&self, covariance: &Matrix, tolerance: f64) -> bool {
        let k = covariance.size();
        if self.covariance.size() != k {
            return false;
        }
        let (then, now) = (trace(&self.covariance), trace(covariance));
        let largest = (0..k).map(|cell| covariance.at(cell, cell) / now).fold(0.0, f64::max);
        let differs =
            |row, column| libm::fabs(self.covariance.at(row, column) / then - covariance.at(row, column) / now);
        (0..k).all(|row| (0..=row).all(|column| differs(row, column) <= tolerance * largest))
    }
}

fn trace(matrix: &Matrix) -> f64 {
    (0..matrix.size()).map(|cell| matrix.at(cell, cell)).sum()
}

/// D_1 … D_{k−1} as contrasts of L⁻¹d: sums of the rows of L.
fn cumulative_rows(factor: &Cholesky) -> Vec<Vec<f64>> {
    let mut sum = vec![0.0; factor.size()];
    let row = |cell: usize| {
        sum.iter_mut().zip(factor.row(cell)).for_each(|(sum, entry)| *sum += entry);
        sum[..=cell].to_vec()
    };
    (0..factor.size()).map(row).collect()
}

/// d_j/√Σ_jj as contrasts of L⁻¹d; the last cell is what the others leave.
fn cell_rows(factor: &Cholesky, covariance: &Matrix) -> Vec<Vec<f64>> {
    let size = factor.size();
    let scaled = |row: Vec<f64>, cell: usize| {
        let error = libm::sqrt(covariance.at(cell, cell));
        row.into_iter().map(|entry| entry / error).collect::<Vec<f64>>()
    };
    let last = (0..size).map(|column| -(column..size).map(|row| factor.row(row)[column]).sum::<f64>()).collect();
    let rows = (0..size).map(|cell| scaled(factor.row(cell)[..=cell].to_vec(), cell));
    // Two cells move by the same amount: one says it.
    if size == 1 { rows.collect() } else { rows.chain([scaled(last, size)]).collect() }
}

/// All tests of a comparison. `None` when fewer than two cells are left after rare ones are merged, or the covariance
/// is singular: too few reports.
#[must_use]
pub fn one_shot(comparison: &Comparison, ordered: bool, laws: &mut NormLaws) -> Option<OneShot> {
    let tested = RareCells::new(&comparison.expected, ordered, LEAST_EXPECTED);
    let df = tested.groups.checked_sub(1).filter(|df| *df > 0)?;
    let merged = comparison.merged(&tested.group);
    let factor = merged.covariance.cholesky(df)?;
    let whitened = factor.whiten(&merged.difference);
    let omnibus = Wald::of(whitened.iter().map(|value| value * value).sum(), df);
    let (laws, scale) = laws.laws(ordered, &merged.covariance, &factor);
    let norm = |law: &NormLaw, statistic: f64| Norm { statistic, p_value: law.survival(statistic * scale) };
    let mut p_values = vec![omnibus.p_value];
    let shape = if ordered {
        let location = directed(&location_shift(&merged.shares), &factor, &whitened);
        // When one cell has all shares no quantile lies between cells: any direction is as good.
        let location = location.or_else(|| directed(&ramp(df + 1), &factor, &whitened))?;
        let scale = directed(&scale_shift(&merged.shares), &factor, &whitened).filter(|_| df > 1);
        if df > 1 {
            p_values.push(location.p_value);
            p_values.extend(scale.map(|scale| scale.p_value));
        }
        let mut sum = 0.0;
        let mut size = |difference: &f64| {
            sum += difference;
            libm::fabs(sum)
        };
        let sizes: Vec<f64> = merged.difference[..df].iter().map(&mut size).collect();
        Shape::Ordered {
            location,
            scale,
            ks: norm(&laws[0], sizes.iter().copied().fold(0.0, f64::max)),
            w1: norm(&laws[1], sizes.iter().sum()),
        }
    } else {
        let score = |cell: usize| {
            let error = libm::sqrt(merged.covariance.at(cell, cell));
            let skewness = merged.third_cumulant[cell] / (error * error * error);
            libm::fabs(unskewed(merged.difference[cell] / error, skewness))
        };
        let largest_cell = norm(&laws[0], (0..=df).map(score).fold(0.0, f64::max));
        if df > 1 {
            p_values.push(largest_cell.p_value);
        }
        Shape::Unordered { largest_cell }
    };
    Some(OneShot { omnibus, shape, combined: cauchy_combination(&p_values)?, tested })
}

/// The normal score w of a standard score s with skewness γ.
fn unskewed(score: f64, skewness: f64) -> f64 {
    // Below, the difference is less than rounding makes of it.
    if libm::fabs(skewness) < 1e-5 {
        return score;
    }
    let half = libm::copysign(libm::fabs(score).min(libm::fabs(skewness) / 2.0), score);
    let base = libm::cbrt((1.0 + skewness * (score - half)).max(0.0));
    1.5 / skewness * (base * base - 1.0 + skewness * skewness / 9.0)
}

/// From below to above 0 in even steps.
fn ramp(cells: usize) -> Vec<f64> {
    let middle = (cells as f64 - 1.0) / 2.0;
    (0..cells).map(|cell| cell as f64 - middle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{Sample, wald};
    use crate::estimate::Channel;

    fn comparison(now: &[u64], then: &[u64]) -> Comparison {
        let channel = Channel::k_ary(now.len(), 0.6);
        let sample = |support| Sample { reports: 10_000, support };
        Comparison::of_samples(&channel, sample(now), sample(then)).expect("reports")
    }

    const THEN: [u64; 5] = [2_000, 2_500, 2_300, 1_700, 1_500];

    #[test]
    fn a_shift_is_seen_as_one() {
        let compared = comparison(&[1_900, 2_450, 2_300, 1_750, 1_600], &THEN);
        let found = one_shot(&compared, true, &mut NormLaws::default()).expect("five cells");
        assert_eq!(found.omnibus, wald(&compared.difference, &compared.covariance).expect("positive definite"));
        let Shape::Ordered { location, scale, ks, w1 } = found.shape else { panic!("ordered cells") };
        assert!(location.z > 2.0 && location.p_value < 0.05);
        assert!(scale.expect("five cells").p_value > 0.2);
        let d = &compared.difference;
        let sums = [d[0], d[0] + d[1], d[0] + d[1] + d[2], -d[4]].map(f64::abs);
        assert!((ks.statistic - sums.iter().copied().fold(0.0, f64::max)).abs() < 1e-12);
        assert!((w1.statistic - sums.iter().sum::<f64>()).abs() < 1e-12);
        assert!(ks.p_value < 0.1 && w1.p_value < 0.05 && found.combined < 0.1);
    }

    /// Two cells: every test is the same two-sided one, exactly.
    #[test]
    fn two_cells_are_one_test() {
        let compared = comparison(&[5_100, 4_900], &[4_950, 5_050]);
        let p_value = wald(&compared.difference, &compared.covariance).expect("positive definite").p_value;
        let same = |p: f64| assert!((p / p_value - 1.0).abs() < 1e-9, "{p}, not {p_value}");
        let found = one_shot(&compared, true, &mut NormLaws::default()).expect("two cells");
        let Shape::Ordered { location, scale: None, ks, w1 } = found.shape else { panic!("ordered cells") };
        [location.p_value, ks.p_value, w1.p_value, found.combined].into_iter().for_each(same);
        let found = one_shot(&compared, false, &mut NormLaws::default()).expect("two cells");
        let Shape::Unordered { largest_cell } = found.shape else { panic!("unordered cells") };
        [largest_cell.p_value, found.combined].into_iter().for_each(same);
    }

    /// A Poisson count of mean 8, skewness 8^(−1/2): the score of each count against Φ⁻¹ of the probability of one as
    /// far out or further, summed exactly. Within 0.15 down to 1e-5, where s itself is off by more than 1.
    #[test]
    fn skewed_counts_have_normal_scores() {
        let mean: f64 = 8.0;
        let (mut probability, mut below) = (libm::exp(-mean), 0.0);
        for count in 0..26 {
            let score = (f64::from(count) - mean) / mean.sqrt();
            let found = unskewed(score, 1.0 / mean.sqrt());
            let tail = if score > 0.0 { 1.0 - below } else { below + probability };
            if tail > 1e-5 && score.abs() > 1.0 {
                let expected = crate::drift::normal_quantile(tail).copysign(score);
                assert!((found - expected).abs() < 0.15, "{count}: {found}, not {expected}");
                assert!((-unskewed(-score, -1.0 / mean.sqrt()) - found).abs() < 1e-12, "mirrored");
            }
            below += probability;
            probability *= mean / f64::from(count + 1);
        }
        assert!((unskewed(3.0, 1e-5) - unskewed(3.0, 0.9e-5)).abs() < 1e-4);
    }

    #[test]
    fn one_cell_that_moved() {
        let found = one_shot(&comparison(&[2_200, 2_450, 2_250, 1_650, 1_450], &THEN), false, &mut NormLaws::default());
        let Shape::Unordered { largest_cell } = found.expect("five cells").shape else { panic!("unordered cells") };
        assert!(largest_cell.p_value < 0.01);
    }

    /// A law that is kept gives what a new one gives, up to the scale it is asked at.
    #[test]
    fn kept_laws_serve_other_sample_sizes() {
        let first = comparison(&[1_900, 2_450, 2_300, 1_750, 1_600], &THEN);
        let mut second = first.clone();
        second.covariance = Matrix::from_fn(5, |row, column| 0.5 * first.covariance.at(row, column));
        for ordered in [true, false] {
            let mut kept = NormLaws::default();
            one_shot(&first, ordered, &mut kept).expect("five cells");
            let cached = one_shot(&second, ordered, &mut kept).expect("five cells").shape;
            let fresh = one_shot(&second, ordered, &mut NormLaws::with_tolerance(0.0)).expect("five cells").shape;
            let p_value = |shape| match shape {
                Shape::Ordered { ks, .. } => ks.p_value,
                Shape::Unordered { largest_cell } => largest_cell.p_value,
            };
            assert!((p_value(cached) / p_value(fresh) - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn too_few_reports() {
        let channel = Channel::k_ary(3, 0.9);
        let (now, then) = (Sample { reports: 4, support: &[2, 1, 1] }, Sample { reports: 3, support: &[1, 1, 1] });
        let compared = Comparison::of_samples(&channel, now, then).expect("reports");
        assert_eq!(one_shot(&compared, true, &mut NormLaws::default()), None);
    }
}
