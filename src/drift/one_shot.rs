//! All tests of one question at one time, and one p-value from them.
//!
//! | Test | Asked of | Finds best | p-value by |
//! | --- | --- | --- | --- |
//! | omnibus | all cells | anything | χ² ([`wald()`](super::wald())) |
//! | location, scale | ordered cells | a shift; another width | normal law ([`super::location_shift`]) |
//! | KS | ordered cells | a shift of much mass | simulated normal law ([`super::NormLaw`]) |
//! | W1 | ordered cells | a shift of all mass | the same |
//! | largest cell | unordered cells | one cell that moved | the same, few supports counted ([`super::SupportLaw`]) |
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
//!
//! Rare cells are merged first ([`RareCells`]); what is left below two cells is too few to test, and the answer is
//! `None`. **Cost** O(k³), and B k²/2 to simulate the laws (B = 8,192) unless a [`NormLaws`] has them.
//!
//! One look: who looks again and again needs the anytime-valid tests. Evidence, not size:
//! with many reports a change of no consequence is found; [`super::effect()`] has the size.

use super::cauchy::cauchy_combination;
use super::comparison::Comparison;
use super::kept_laws::NormLaws;
use super::largest_cell::largest_cell;
use super::norm_law::NormLaw;
use super::ordered::{Contrast, directed, location_shift, scale_shift};
use super::rare_cells::{LEAST_EXPECTED, RareCells};
use super::wald::Wald;

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
        let largest_cell = largest_cell(&merged, &laws[0]);
        if df > 1 {
            p_values.push(largest_cell.p_value);
        }
        Shape::Unordered { largest_cell }
    };
    Some(OneShot { omnibus, shape, combined: cauchy_combination(&p_values)?, tested })
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

    #[test]
    fn one_cell_that_moved() {
        let found = one_shot(&comparison(&[2_200, 2_450, 2_250, 1_650, 1_450], &THEN), false, &mut NormLaws::default());
        let Shape::Unordered { largest_cell } = found.expect("five cells").shape else { panic!("unordered cells") };
        assert!(largest_cell.p_value < 0.01);
    }

    #[test]
    fn too_few_reports() {
        let channel = Channel::k_ary(3, 0.9);
        let (now, then) = (Sample { reports: 4, support: &[2, 1, 1] }, Sample { reports: 3, support: &[1, 1, 1] });
        let compared = Comparison::of_samples(&channel, now, then).expect("reports");
        assert_eq!(one_shot(&compared, true, &mut NormLaws::default()), None);
    }
}
