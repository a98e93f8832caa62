//! Null laws of KS, W1 and the largest cell: the largest or the summed absolute contrast of a normal difference.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | A | `rows` | contrasts of a standard normal vector, one per row |
//! | m | `coordinates` | its coordinates |
//! | z = r u | | standard normal vector: length r, r² ~ χ²_m, and direction u, independent of it |
//! | ‖x‖ | | max or sum of the absolute entries of x |
//! | B | [`DRAWS`] | draws of u |
//!
//! The statistic is ‖A z‖ = r ‖A u‖. So P\[‖A z‖ > s\] is the mean over directions u of P\[χ²_m > s²/‖A u‖²\], of which
//! the directions are simulated ([`normal_draws`], a parametric bootstrap) and the lengths integrated exactly. That
//! leaves less error than counting draws above s — none for m = 1 — and p-values have no floor of 1/B: they keep
//! falling as they should. (Radial integration: Genz and Bretz, "Computation of Multivariate Normal and t
//! Probabilities", 2009, section 4.1.)
//!
//! Directions are kept as a histogram of ln ‖A u‖ with steps of 1/64 and the mean of ‖A u‖² in each: within a step
//! they differ by less than 1.6 %, which changes a p-value by its second order, below 1e-4 of it near 5 %.
//!
//! **Cost** B m/2 multiplications for each row to make, some 100 χ² tails to ask. **Limits.** Standard error of a
//! p-value p at most √(p(1−p)/B), 0.0024 at 5 %, and less for the table that was chosen; shared by all tests that use
//! it. Far in the tail the largest of B directions rules, and p-values are too small by a factor that grows with m; use them for ranks there.

use super::normal_draws::{DRAWS, normal_draws};

/// Steps of the histogram per e-fold of the norm.
const STEPS: f64 = 64.0;

/// Number of steps below the largest norm: down to e⁻⁵ of it.
const LENGTH: usize = 320;

/// The law of one norm of a normal vector.
#[derive(Debug, Clone, PartialEq)]
pub struct NormLaw {
    coordinates: usize,
    /// Share of the directions, and mean of ‖A u‖² among them, from the largest norm on.
    directions: Vec<(f64, f64)>,
}

/// The laws of the largest and of the summed absolute entry of A z. Rows may be shorter than m; what is missing is 0.
///
/// # Panics
///
/// If m is 0 or above the number of coordinates in the table, or all rows are 0.
#[must_use]
pub fn norm_laws(rows: &[Vec<f64>], coordinates: usize) -> [NormLaw; 2] {
    assert!(coordinates > 0, "a vector has coordinates");
    // In one dimension all directions are alike.
    let draws = if coordinates == 1 { 1 } else { DRAWS };
    let columns: Vec<&[f64]> = (0..coordinates).map(|j| &normal_draws(j)[..draws]).collect();
    let mut lengths = vec![0.0; draws];
    for column in &columns {
        lengths.iter_mut().zip(*column).for_each(|(sum, z)| *sum += z * z);
    }
    let (mut largest, mut sums, mut value) = (vec![0.0; draws], vec![0.0; draws], vec![0.0; draws]);
    for row in rows {
        value.fill(0.0);
        for (factor, column) in row.iter().zip(&columns).filter(|(factor, _)| **factor != 0.0) {
            value.iter_mut().zip(*column).for_each(|(sum, z)| *sum += factor * z);
        }
        for (b, value) in value.iter().enumerate() {
            let size = libm::fabs(*value);
            largest[b] = f64::max(largest[b], size);
            sums[b] += size;
        }
    }
    [largest, sums].map(|norms| NormLaw::new(coordinates, &norms, &lengths))
}

impl NormLaw {
    fn new(coordinates: usize, norms: &[f64], lengths: &[f64]) -> Self {
        let squares: Vec<f64> = norms.iter().zip(lengths).map(|(norm, length)| norm * norm / length).collect();
        let most = squares.iter().copied().fold(0.0, f64::max);
        assert!(most > 0.0, "contrasts that are not 0");
        let mut steps = vec![(0.0, 0.0); LENGTH];
        for square in &squares {
            let below = 0.5 * STEPS * libm::log(most / square);
            let step = if below < LENGTH as f64 { below as usize } else { LENGTH - 1 };
            steps[step].0 += 1.0;
            steps[step].1 += square;
        }
        let share = |(count, sum): (f64, f64)| (count / squares.len() as f64, sum / count);
        Self { coordinates, directions: steps.into_iter().filter(|(count, _)| *count > 0.0).map(share).collect() }
    }

    /// The norm that is exceeded with probability `tail`, to 2⁻⁴⁰ of itself.
    ///
    /// # Panics
    ///
    /// If the tail is not in (0, 1).
    #[must_use]
    pub fn quantile(&self, tail: f64) -> f64 {
        assert!(tail > 0.0 && tail < 1.0, "a probability strictly between 0 and 1");
        let (mut low, mut high) =
            (0.0, self.directions.iter().map(|(_, square)| libm::sqrt(*square)).fold(0.0, f64::max));
        while self.survival(high) > tail {
            (low, high) = (high, 2.0 * high);
        }
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            if self.survival(middle) > tail { low = middle } else { high = middle }
        }
        high
    }

    /// P\[‖A z‖ > statistic\].
    #[must_use]
    pub fn survival(&self, statistic: f64) -> f64 {
        if statistic <= 0.0 {
            return 1.0;
        }
        let tail = |(share, square): &(f64, f64)| match square {
            square if *square > 0.0 => share * length_survival(statistic * statistic / square, self.coordinates),
            _ => 0.0,
        };
        self.directions.iter().map(tail).sum::<f64>().min(1.0)
    }
}

/// P\[χ²_m > x\] as a finite sum (NIST DLMF 8.4.10 and 8.4.12), all of whose terms are positive.
fn length_survival(x: f64, m: usize) -> f64 {
    let half = x / 2.0;
    let odd = m % 2 == 1;
    let mut term = if odd { libm::sqrt(half) * core::f64::consts::FRAC_2_SQRT_PI } else { 1.0 };
    let mut sum = 0.0;
    for j in 0..m / 2 {
        if j > 0 {
            term *= half / (j as f64 + if odd { 0.5 } else { 0.0 });
        }
        sum += term;
    }
    let first = if odd { libm::erfc(libm::sqrt(half)) } else { 0.0 };
    first + libm::exp(-half) * sum
}

#[cfg(test)]
mod tests {
    use super::super::kept_laws::{cell_rows, cumulative_rows};
    use super::*;
    use crate::drift::chi_squared_survival;

    #[test]
    fn lengths_are_chi_squared() {
        for m in [1, 2, 3, 4, 9, 63, 126] {
            for x in [0.01, 1.0, 10.0, 80.0, 300.0] {
                let (found, expected) = (length_survival(x, m), chi_squared_survival(x, m));
                assert!((found - expected).abs() <= 1e-11 * expected, "χ²_{m} > {x}: {found}, not {expected}");
            }
        }
    }

    /// One contrast of one coordinate: 2Φ(−s), exactly.
    #[test]
    fn one_dimension_is_exact() {
        let [largest, sum] = norm_laws(&[vec![2.0], vec![-1.0]], 1);
        assert!((largest.survival(2.0 * 1.959_963_984_540_054) - 0.05).abs() < 1e-14);
        assert!((sum.survival(3.0 * 1.959_963_984_540_054) - 0.05).abs() < 1e-14);
        assert!((sum.quantile(0.05) / (3.0 * 1.959_963_984_540_054) - 1.0).abs() < 1e-11);
    }

    /// The largest of m independent coordinates: 1 − (1 − 2Φ(−s))^m. The bound is 4 standard errors √(p/B), and in
    /// truth less.
    #[test]
    fn the_largest_of_independent_coordinates() {
        for m in [2, 9, 63] {
            let rows: Vec<Vec<f64>> = (0..m).map(|j| (0..m).map(|i| f64::from(u8::from(i == j))).collect()).collect();
            let [law, _] = norm_laws(&rows, m);
            for p in [0.5, 0.05, 0.01, 0.001] {
                let single = 1.0 - libm::pow(1.0 - p, 1.0 / m as f64);
                let found = law.survival(-crate::drift::normal_quantile(single / 2.0));
                let bound = 4.0 * libm::sqrt(p * (1.0 - p) / DRAWS as f64);
                assert!((found - p).abs() < bound, "{m} coordinates: {found}, not {p}");
            }
        }
    }

    /// The points that the largest cell, KS and W1 of a multinomial difference exceed with 5 %, from 500,000 draws of
    /// another generator and more: within 2.5 %, of which theirs is 0.4 (one standard error of the rest, were the table
    /// not chosen, is up to 4.8 %).
    #[test]
    fn the_table_is_a_good_one() {
        let even = |k: usize| vec![1.0 / k as f64; k];
        let zipf = |k: usize| {
            let total: f64 = (1..=k).map(|rank| 1.0 / rank as f64).sum();
            (1..=k).map(|rank| 1.0 / rank as f64 / total).collect()
        };
        let cases: [(Vec<f64>, [f64; 3]); 6] = [
            (even(5), [2.554_34, 1.103_73, 2.801_91]),
            (even(10), [2.797_20, 1.175_24, 5.737_52]),
            (even(16), [2.945_68, 1.213_41, 9.245_48]),
            (zipf(16), [2.945_56, 1.182_66, 8.424_99]),
            (even(64), [3.351_38, 1.287_43, 37.265_05]),
            (zipf(64), [3.351_57, 1.247_71, 32.045_70]),
        ];
        for (shares, [cell, ks, w1]) in cases {
            let k = shares.len();
            let covariance = crate::estimate::Matrix::symmetric(k, |u, v| {
                (if u == v { shares[u] } else { 0.0 }) - shares[u] * shares[v]
            });
            let factor = covariance.cholesky(k - 1).expect("positive definite");
            let [largest_sum, sum] = norm_laws(&cumulative_rows(&factor), k - 1);
            let [largest_cell, _] = norm_laws(&cell_rows(&factor, &covariance), k - 1);
            for (law, point) in [(largest_cell, cell), (largest_sum, ks), (sum, w1)] {
                let found = law.survival(point);
                assert!((found / 0.05 - 1.0).abs() < 0.025, "{k} cells: {found} beyond {point}");
            }
        }
    }

    /// ‖z‖₁ in two dimensions: |z₁| + |z₂| > s is the outside of a square rotated by 45°, 1 − (1 − 2Φ(−s/√2))².
    #[test]
    fn the_sum_of_two_coordinates() {
        let [_, law] = norm_laws(&[vec![1.0], vec![0.0, 1.0]], 2);
        let single = 1.0 - libm::sqrt(0.95);
        let found = law.survival(-core::f64::consts::SQRT_2 * crate::drift::normal_quantile(single / 2.0));
        assert!((found - 0.05).abs() < 0.001, "{found}");
    }
}
