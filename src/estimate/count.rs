//! Mean counts from reports of the discrete Laplace mechanism. **Event-level.**
//!
//! Ghosh, Roughgarden and Sundararajan, SIAM J. Comput. 41(6), 2012, definition 2.4 (the mechanism); the estimator
//! follows from its table.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | counts 0 … k−1; a larger count stands as k−1 | 2–64 |
//! | W_xy, T | | weight of report y given count x; sum of a row, the same for all | integers |
//! | g(y) | `values` | value of a report | events |
//!
//! **Unbiased**: g solves Σ_y W_xy g(y) = T x for every count x, so E\[g(y)\] = x. The table is close to a geometric
//! law of ratio r = W_t/W_f that is cut at the ends, and there the noise beyond an end has no memory, so that g(y) = y
//! inside, −1/(r−1) at 0 and k−1 + 1/(r−1) at k−1. The integers of the table change ratios by up to 2⁻²⁰ and so move g
//! by less than 2⁻¹⁹ (1 + r/(r−1)²); the system is solved for them: Gaussian elimination with row pivots, then one step
//! of refinement.
//!
//! **Variance**: the standard error is s/√n with the sample variance of g(y), which contains how devices differ;
//! [`CountLaw::noise`] is the part of the mechanism, about 2r/(r−1)² in the middle.
//!
//! **Cost**: O(k³) once, O(k) an estimate. **Limits**: counts above k−1 stand as k−1, so the mean is that of min(count,
//! k−1). The protection is that of one event: m events of a device cost it m times as much.

use super::interval::Scalar;
use super::law::{Law, Rows};
use crate::spec::{LaplaceWeights, Mechanism, Randomizer};

/// How the report of a count depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct CountLaw {
    values: Vec<f64>,
    noise: Vec<f64>,
}

impl CountLaw {
    /// The law of the discrete Laplace mechanism over the counts below `domain_size`; `None` for any other mechanism,
    /// or if [`LaplaceWeights::of`] has no table.
    #[must_use]
    pub fn of(randomizer: &Randomizer, domain_size: usize) -> Option<Self> {
        LaplaceWeights::of(domain_size, randomizer.weights)?;
        (randomizer.mechanism == Mechanism::DiscreteLaplace)
            .then(|| Self::of_law(&Rows::of_laplace(domain_size, randomizer.weights)))
    }

    fn of_law(law: &Rows) -> Self {
        let counts: Vec<f64> = (0..law.symbols()).map(|count| count as f64).collect();
        let mut values = solve(law, counts.clone());
        let missed = counts.iter().zip(law.expected(&values)).map(|(count, mean)| count - mean).collect();
        values.iter_mut().zip(solve(law, missed)).for_each(|(value, more)| *value += more);
        let squares: Vec<f64> = values.iter().map(|value| value * value).collect();
        let noise = law.expected(&squares).iter().zip(&counts).map(|(square, count)| square - count * count).collect();
        Self { values, noise }
    }

    /// g: for each report, its value in events.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Variance of the value of a report at a true count, in events².
    ///
    /// # Panics
    ///
    /// If there is no such count.
    #[must_use]
    pub fn noise(&self, count: usize) -> f64 {
        self.noise[count]
    }

    /// The mean count of the devices behind the counters of a question, in events. `None` for fewer than two reports,
    /// or counters of another question.
    #[must_use]
    pub fn estimate(&self, counters: &[u64]) -> Option<Scalar> {
        (counters.len() == self.values.len()).then(|| Scalar::of_mean(counters, &self.values))?
    }
}

/// The g with Σ_y P\[y | x\] g(y) = `wanted`\[x\] for each x.
///
/// # Panics
///
/// If the law, a square one, is singular.
fn solve(law: &Rows, mut wanted: Vec<f64>) -> Vec<f64> {
    let k = law.symbols();
    let mut rows: Vec<Vec<f64>> = (0..k).map(|symbol| law.row(symbol).to_vec()).collect();
    for column in 0..k {
        let size = |row: &usize| libm::fabs(rows[*row][column]);
        let pivot = (column..k).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(column);
        rows.swap(column, pivot);
        wanted.swap(column, pivot);
        let (above, below) = rows.split_at_mut(column + 1);
        let top = &above[column];
        assert!(top[column] != 0.0, "a law that tells counts apart");
        let known = wanted[column];
        for (row, value) in below.iter_mut().zip(&mut wanted[column + 1..]) {
            let factor = row[column] / top[column];
            row[column..].iter_mut().zip(&top[column..]).for_each(|(entry, of_top)| *entry -= factor * of_top);
            *value -= factor * known;
        }
    }
    for column in (0..k).rev() {
        let solved: f64 = (column + 1..k).map(|later| rows[column][later] * wanted[later]).sum();
        wanted[column] = (wanted[column] - solved) / rows[column][column];
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Weights;

    fn law(k: usize, weights: Weights) -> CountLaw {
        CountLaw::of(&Randomizer { mechanism: Mechanism::DiscreteLaplace, weights }, k).expect("a table")
    }

    const TABLES: [(usize, u64); 8] = [
        (2, 4_337_916_969), // ε = 0.01
        (64, 4_337_916_969),
        (16, 7_081_203_761), // ε = 0.5
        (64, 7_081_203_761),
        (2, 11_674_931_554), // ε = 1
        (20, 11_674_931_554),
        (64, 11_674_931_554),
        (9, 1_732_713_190_318), // ε = 6
    ];

    /// The residual of a solution of k ≤ 64 equations with values below 200 is below 1e-10 in doubles; that each E\[g\]
    /// is x shows at once that g is unbiased for every mixture of counts.
    #[test]
    fn reports_have_the_true_count_as_their_mean() {
        for (k, of_true) in TABLES {
            let weights = Weights { of_true, of_false: 1 << 32 };
            let means = Rows::of_laplace(k, weights).expected(law(k, weights).values());
            for (count, mean) in means.iter().enumerate() {
                assert!((mean - count as f64).abs() < 1e-10, "k {k} W_t {of_true}: {mean} at {count}");
            }
        }
    }

    #[test]
    fn values_of_the_geometric_law() {
        for (k, of_true) in TABLES {
            let weights = Weights { of_true, of_false: 1 << 32 };
            let law = law(k, weights);
            let r = of_true as f64 / weights.of_false as f64;
            let (beyond, moved) = (1.0 / (r - 1.0), (1.0 + r / ((r - 1.0) * (r - 1.0))) / 524_288.0);
            for (report, value) in law.values().iter().enumerate() {
                let expected = match report {
                    0 => -beyond,
                    _ if report == k - 1 => report as f64 + beyond,
                    _ => report as f64,
                };
                assert!((value - expected).abs() < moved, "k {k} W_t {of_true}: {value}, not {expected}");
            }
        }
    }

    /// In the middle of 64 counts at r = e the ends are 31 noise scales away: 2r/(r−1)² up to e⁻³¹ and the integers of
    /// the table.
    #[test]
    fn noise_in_the_middle() {
        let law = law(64, Weights { of_true: 11_674_931_554, of_false: 1 << 32 });
        let r = core::f64::consts::E;
        assert!((law.noise(31) - 2.0 * r / ((r - 1.0) * (r - 1.0))).abs() < 1e-4, "{}", law.noise(31));
    }

    /// With k = 2 the table is randomized response of a bit with r = 2: g is (3·bit − 1), as P\[1\] is 1/3 or 2/3.
    #[test]
    fn one_event_or_none() {
        let law = law(2, Weights { of_true: 2, of_false: 1 });
        assert!((law.values()[0] + 1.0).abs() < 1e-15 && (law.values()[1] - 2.0).abs() < 1e-15);
        let found = law.estimate(&[500, 500]).expect("reports");
        assert!((found.value - 0.5).abs() < 1e-14);
        assert!((found.standard_error - 1.5 / libm::sqrt(999.0)).abs() < 1e-14);
        assert_eq!(law.estimate(&[5]), None);
        let bit = Randomizer { mechanism: Mechanism::DuchiBit, weights: Weights { of_true: 2, of_false: 1 } };
        assert_eq!(CountLaw::of(&bit, 2), None);
    }
}
