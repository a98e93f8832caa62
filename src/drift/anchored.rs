//! Has the distribution changed? From anchored bits of two samples of windows.
//!
//! Each device answered for one row r of the Hadamard matrix whether its events in the half-space S_r are above the
//! median of the reference ([`crate::sketch::Anchor`]), through randomized response. The test compares the answers by
//! row, current windows against reference windows, and asks whether all differences are noise.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | k, K | cells; order of the Hadamard matrix, so rows 1..K |
//! | n_r, N_r | current and reference answers for row r |
//! | a_r, A_r | those that are 1 |
//! | d_r | a_r/n_r − A_r/N_r |
//! | V_r | variance of d_r if nothing changed |
//! | χ_r(v) | +1 if cell v lies in S_r, else −1 |
//! | g_v | share of cell v in the reference |
//! | q_v | prior weight of cell v, (g_v + 1/k)/2 |
//! | p | P\[the true bit is sent\] = W_t/(W_t + W_f) |
//!
//! **Statistic.** If the shares moved by δ, row r moves by an amount proportional to Σ_v χ_r(v) δ_v. So u_v = Σ_r
//! χ_r(v) d_r/V_r collects what the rows say about cell v, and
//!
//! T = Σ_v q_v (u_v − ū)², ū = Σ_v q_v u_v,
//!
//! is the locally most powerful statistic against δ ~ N(0, τ² diag(q)) given Σ δ_v = 0 (the score test of a variance
//! component: Lin, "Variance component testing in generalised linear models with random effects", Biometrika 84(2),
//! 1997). The plain sum Σ d_r²/V_r is the case q_v = 1/k: it expects a rare cell to move by as much as a common one and
//! spreads its power over k − 1 directions. With half of the prior following the shares, T needs far less evidence when
//! common cells move, and loses little when only rare ones do.
//!
//! **Null law.** V_r = π(1 − π) (1/n_r + 1/N_r) · (n_r + N_r)/(n_r + N_r − 1) with π the pooled share of ones: given
//! n_r, N_r and a_r + A_r this is the exact variance of d_r for exchangeable answers (hypergeometric), whatever the
//! size of either sample. Rows are independent; T is Σ λ_j χ²_1 with λ the eigenvalues of A_rs = Σ_v q_v (χ_r(v) −
//! χ̄_r)(χ_s(v) − χ̄_s) / √(V_r V_s). The reference enters with its own noise, so 5 windows serve as honestly as 60,
//! only with less power. Nothing is assumed about the median: if the stated shares are off, both samples are off alike.
//!
//! **The same devices in both samples.** Devices differ, and a fleet's own mean y_r does not cancel by itself; it
//! cancels because it is the same in both samples. What is left is the choice of devices for row r and their coins,
//! fresh in each window. With devices assigned by chance with probability 1/(K−1), one window's mean has variance \[ȳ(1
//! − ȳ) − B/(K−1)\]/n_r, with B ≤ (2p − 1)²/4 the variance between devices; two windows are uncorrelated, and two rows
//! have correlation of at most B/((K−1) ȳ(1 − ȳ)) in size. So the binomial V_r is right to B/((K−1) ȳ(1 − ȳ)) — 0.7 %
//! at K = 32 and ε = 1 — and errs on the safe side. For K = 2, where every device answers the one row in every window,
//! the test is conservative by up to (2p − 1)² of the variance. If the fleet turns over, the binomial variance is
//! exact.
//!
//! **Cost**: O(K² k + K³) at the centre. **Limits.** Real change that is no drift of shares also counts: when devices
//! differ and the active ones are others than in the reference, their mean moves. A shift inside the half-spaces that
//! no row sees does not exist: the rows span all contrasts. Answers of few devices are not protected against liars, who
//! may choose their row.

use super::quadratic_form::{eigenvalues, quadratic_form_survival};
use crate::estimate::Matrix;
use crate::sketch::{hadamard_order, half_space};

/// Result of the test.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredTest {
    /// T Σλ/Σλ²: on average `df` if nothing changed, with variance 2 `df`.
    pub statistic: f64,
    /// (Σλ)²/Σλ², the effective number of directions: k − 1 for even shares, fewer when few cells hold most events.
    pub df: f64,
    /// P\[Σ λ_j χ²_1 > T\].
    pub p_value: f64,
    /// The rows that were answered in both samples, in order.
    pub rows: Vec<RowShift>,
    /// The cells, most moved first.
    pub cells: Vec<CellScore>,
    /// Mean of the squared shifts of the rows, without the noise: unbiased, so possibly negative.
    pub mean_square_shift: f64,
}

/// What one row shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowShift {
    /// The row.
    pub row: usize,
    /// Change of the share of devices above the median of the reference, de-biased: d_r/(2p − 1). Above 0 when the
    /// half-space gained.
    pub shift: f64,
    /// Its standard error from both samples, without assuming that nothing changed.
    pub standard_error: f64,
}

/// What the rows together show about one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellScore {
    /// The cell.
    pub cell: usize,
    /// u_v less the mean over the cells, in standard errors: above 0 when the share of the cell grew.
    pub score: f64,
}

/// One row of both samples.
struct Row {
    row: usize,
    now: [f64; 2],
    then: [f64; 2],
}

/// Compares current with reference answers. Each is a vector of 2K counters: entry 2r counts the answers 0 of row r,
/// entry 2r + 1 the answers 1; row 0 is not asked and not read. `baseline` holds the weights of the reference shares
/// that the devices use; W_t and W_f those of the randomizer.
///
/// `None` when no row has answers in both samples and both answers among them: then there is nothing to compare.
///
/// # Panics
///
/// If a vector has not 2K counters, the baseline no weight, or `weight_true` ≤ `weight_false`.
#[must_use]
pub fn anchored_test(
    current: &[u64],
    reference: &[u64],
    baseline: &[u32],
    weight_true: u64,
    weight_false: u64,
) -> Option<AnchoredTest> {
    let order = hadamard_order(baseline.len());
    assert!(current.len() == 2 * order && reference.len() == 2 * order, "two counters for each of {order} rows");
    assert!(weight_true > weight_false, "a bit that tells something");
    let pair = |counters: &[u64], row: usize| [counters[2 * row] as f64, counters[2 * row + 1] as f64];
    let row = |row| Row { row, now: pair(current, row), then: pair(reference, row) };
    let rows: Vec<Row> = (1..order).map(row).filter(Row::compares).collect();
    if rows.is_empty() {
        return None;
    }
    let prior = prior(baseline);
    // How cell v enters row r: χ_r(v)/√V_r, so that the standardized differences have variance 1.
    let deviation: Vec<f64> = rows.iter().map(|row| libm::sqrt(row.null_variance())).collect();
    let standardized: Vec<f64> =
        rows.iter().zip(&deviation).map(|(row, deviation)| row.difference() / deviation).collect();
    let signs = centered(&rows, &deviation, &prior);
    let u = |cell: usize| -> f64 { signs.iter().zip(&standardized).map(|(signs, d)| signs[cell] * d).sum() };
    let statistic: f64 = prior.iter().enumerate().map(|(cell, weight)| weight * u(cell) * u(cell)).sum();
    let form = Matrix::from_fn(rows.len(), |r, s| {
        prior.iter().zip(signs[r].iter().zip(&signs[s])).map(|(weight, (a, b))| weight * a * b).sum()
    });
    let weights: Vec<f64> = eigenvalues(&form).into_iter().map(|weight| weight.max(0.0)).collect();
    let (sum, squares) = (weights.iter().sum::<f64>(), weights.iter().map(|weight| weight * weight).sum::<f64>());
    let contrast = (weight_true - weight_false) as f64 / (weight_true as f64 + weight_false as f64);
    let shifts: Vec<RowShift> = rows.iter().map(|row| row.shift(contrast)).collect();
    let unbiased = |row: &RowShift| row.shift * row.shift - row.standard_error * row.standard_error;
    Some(AnchoredTest {
        statistic: statistic * sum / squares,
        df: sum * sum / squares,
        p_value: quadratic_form_survival(&weights, statistic),
        mean_square_shift: shifts.iter().map(unbiased).sum::<f64>() / shifts.len() as f64,
        rows: shifts,
        cells: scores(&rows, &deviation, &standardized, baseline.len()),
    })
}

/// q: half of the weight follows the shares, half is even.
fn prior(baseline: &[u32]) -> Vec<f64> {
    let total: f64 = baseline.iter().copied().map(f64::from).sum();
    assert!(total > 0.0, "a reference has weight");
    baseline.iter().map(|weight| (f64::from(*weight) / total + 1.0 / baseline.len() as f64) / 2.0).collect()
}

/// (χ_r(v) − χ̄_r)/√V_r for each row and cell, with the mean over the cells by weight.
fn centered(rows: &[Row], deviation: &[f64], weights: &[f64]) -> Vec<Vec<f64>> {
    let sign = |row: &Row, cell: usize| if half_space(row.row, cell) { 1.0 } else { -1.0 };
    let of_row = |(row, deviation): (&Row, &f64)| {
        let mean: f64 = weights.iter().enumerate().map(|(cell, weight)| weight * sign(row, cell)).sum();
        (0..weights.len()).map(|cell| (sign(row, cell) - mean) / deviation).collect()
    };
    rows.iter().zip(deviation).map(of_row).collect()
}

/// The cells by the size of their scores.
fn scores(rows: &[Row], deviation: &[f64], standardized: &[f64], cells: usize) -> Vec<CellScore> {
    let signs = centered(rows, deviation, &vec![1.0 / cells as f64; cells]);
    let score = |cell: usize| {
        let value: f64 = signs.iter().zip(standardized).map(|(signs, d)| signs[cell] * d).sum();
        let variance: f64 = signs.iter().map(|signs| signs[cell] * signs[cell]).sum();
        CellScore { cell, score: if variance > 0.0 { value / libm::sqrt(variance) } else { 0.0 } }
    };
    let mut scores: Vec<CellScore> = (0..cells).map(score).collect();
    scores.sort_by(|a, b| libm::fabs(b.score).total_cmp(&libm::fabs(a.score)));
    scores
}

impl Row {
    /// Answers in both samples, and both answers among them: else the row says nothing.
    fn compares(&self) -> bool {
        let both = |[zeros, ones]: [f64; 2]| zeros + ones > 0.0;
        both(self.now) && both(self.then) && (0..2).all(|answer| self.now[answer] + self.then[answer] > 0.0)
    }

    /// d_r.
    fn difference(&self) -> f64 {
        share(self.now) - share(self.then)
    }

    /// V_r.
    fn null_variance(&self) -> f64 {
        let pooled = [self.now[0] + self.then[0], self.now[1] + self.then[1]];
        let (n, all) = (self.now[0] + self.now[1], pooled[0] + pooled[1]);
        let ones = share(pooled);
        ones * (1.0 - ones) * (1.0 / n + 1.0 / (all - n)) * all / (all - 1.0)
    }

    fn shift(&self, contrast: f64) -> RowShift {
        // Unbiased variance of a share: s(1 − s)/(n − 1); from one answer the largest, 1/4.
        let variance = |[zeros, ones]: [f64; 2]| {
            let n = zeros + ones;
            if n > 1.0 { zeros * ones / (n * n * (n - 1.0)) } else { 0.25 }
        };
        RowShift {
            row: self.row,
            shift: self.difference() / contrast,
            standard_error: libm::sqrt(variance(self.now) + variance(self.then)) / contrast,
        }
    }
}

/// The share of ones.
fn share([zeros, ones]: [f64; 2]) -> f64 {
    ones / (zeros + ones)
}
