//! When did one stream change? The first changed window, with a confidence set.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | W | | windows, numbered from 0 |
//! | x_t, n_t | [`WindowDifference`] | shares of window t less the reference's, and reports behind them |
//! | C | | covariance of one report: Σ_t n_t Σ_t/Σ n_t scaled to one report |
//! | n_R | | reports that the reference is worth: df/tr(C⁻¹ Σ_R) |
//! | τ | [`ChangePoint::window`] | first changed window; 0 if all are |
//! | df | | cells − 1 |
//! | T(τ) | [`ChangePoint::statistic`] | twice the log-likelihood ratio of a change at τ with the best shift against none |
//! | D(τ) | | T(τ̂) − T(τ) |
//!
//! **Scan.** Reference and windows before τ have one mean, windows from τ on another, all normal. The windows' noise
//! has the covariance C/n_t and the reference enters as n_R reports that came before. The shift is learnt, and T(τ) =
//! N_b N_a/(N_b + N_a) ‖m_a − m_b‖² with weighted means m and sums N of reports, in coordinates where C is the identity
//! (Csörgő and Horváth, "Limit theorems in change-point analysis", 1997, section 1.1: the Gaussian CUSUM with an unknown
//! shift). τ̂ has the largest T.
//!
//! **Set.** τ belongs to it if D(τ) is at most the 1 − α quantile of its law when the change is at τ: the test of every
//! τ inverted (Siegmund, "Confidence sets in change-point problems", Int. Stat. Rev. 56(1), 1988, by likelihood ratio).
//! The law depends on the direction of the shift not at all and on its size through δ² = max(T(τ) − df, 0) alone, and is
//! simulated by [`DRAWS`] normal streams from a fixed seed. The same streams without shift give the p-value of "no
//! change at all", corrected for having looked at every τ.
//!
//! **Calibration** (`tests/it/change_point.rs`): see the figures there. **Cost**: O(DRAWS · W · (df + W)).
//!
//! **Does not hold when** the stream changes more than once (τ̂ is the change that explains most), drifts slowly (the set
//! covers the best split), or windows share their noise: devices that memoize, or answer in all windows about what does
//! not vary. Noise of one covariance is assumed: mechanism and ε fixed, shares changed by little against 1.

use super::normal_draws::Normals;
use crate::estimate::{Cholesky, Matrix};

/// Streams that laws are simulated by: a 95 % quantile is off by ±1 point of probability.
const DRAWS: usize = 499;

/// Any fixed number.
const SEED: u64 = 0x00c4_a96e;

/// One window of a stream.
#[derive(Debug, Clone, Copy)]
pub struct WindowDifference<'a> {
    /// Reports behind it, above 0.
    pub reports: u64,
    /// Shares less those of the reference.
    pub difference: &'a [f64],
    /// Covariance of the window's shares, without that of the reference.
    pub covariance: &'a Matrix,
}

/// When a stream changed.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePoint {
    /// The first changed window, as an index; 0 if the stream differs from the reference from its start.
    pub window: usize,
    /// The windows that may be the first changed one, in order. All confidence sets hold `window`.
    pub set: Vec<usize>,
    /// T(τ̂).
    pub statistic: f64,
    /// P\[max T this large if nothing changed\], from 1/(DRAWS + 1).
    pub p_value: f64,
    /// Mean after less mean before, one per cell.
    pub shift: Vec<f64>,
}

impl ChangePoint {
    /// First and last window of the set.
    ///
    /// # Panics
    ///
    /// Never: the set holds `window`.
    #[must_use]
    pub fn interval(&self) -> [usize; 2] {
        [self.set[0], self.set[self.set.len() - 1]]
    }
}

/// The likeliest change of a stream, and the set that holds the first changed window with probability 1 − `alpha` if
/// there is one. `reference` is the covariance of the reference's shares.
///
/// `None` for fewer than two windows or cells, a window without reports, or a covariance without full rank on all cells
/// but one.
///
/// # Panics
///
/// If sizes differ, or `alpha` is not in (0, 1).
#[must_use]
pub fn change_point(windows: &[WindowDifference<'_>], reference: &Matrix, alpha: f64) -> Option<ChangePoint> {
    assert!(alpha > 0.0 && alpha < 1.0, "an error probability");
    let cells = reference.size();
    let same = |window: &WindowDifference<'_>| window.difference.len() == cells && window.covariance.size() == cells;
    assert!(windows.iter().all(same), "one size");
    let df = cells.checked_sub(1).filter(|df| *df > 0)?;
    if windows.len() < 2 || windows.iter().any(|window| window.reports == 0) {
        return None;
    }
    let reports: Vec<f64> = windows.iter().map(|window| window.reports as f64).collect();
    let total: f64 = reports.iter().sum();
    let one_report = |u: usize, v: usize| {
        let entry = |(window, n): (&WindowDifference<'_>, &f64)| n * n * window.covariance.at(u, v);
        windows.iter().zip(&reports).map(entry).sum::<f64>() / total
    };
    let root = Matrix::symmetric(df, one_report).cholesky(df)?;
    let white: Vec<Vec<f64>> = windows.iter().map(|window| root.whiten(&window.difference[..df])).collect();
    let scan = Scan { before: reference_reports(&root, reference, total), reports };
    let found = scan.statistics(&white);
    let window = argmax(&found);
    let draws = scan.draws(df);
    let above = draws.iter().filter(|draw| max(&draw.without_shift()) >= found[window]).count();
    let may_be = |tau: usize| tau == window || scan.may_be(tau, &found, df, &draws, alpha);
    let [before, after] = scan.means(windows, window, cells);
    Some(ChangePoint {
        window,
        set: (0..windows.len()).filter(|tau| may_be(*tau)).collect(),
        statistic: found[window],
        p_value: (above + 1) as f64 / (DRAWS + 1) as f64,
        shift: after.iter().zip(&before).map(|(after, before)| after - before).collect(),
    })
}

/// n_R; a reference without noise is worth 10⁶ times the stream.
fn reference_reports(root: &Cholesky, reference: &Matrix, total: f64) -> f64 {
    // tr(L⁻¹ Σ L⁻ᵀ), with the columns of L⁻¹ Σ first.
    let df = reference.size() - 1;
    let column = |v: usize| root.whiten(&(0..df).map(|u| reference.at(u, v)).collect::<Vec<_>>());
    let half: Vec<Vec<f64>> = (0..df).map(column).collect();
    let entry = |row: usize| root.whiten(&half.iter().map(|column| column[row]).collect::<Vec<_>>())[row];
    let trace: f64 = (0..df).map(entry).sum();
    if trace > 0.0 { (df as f64 / trace).min(1e6 * total) } else { 1e6 * total }
}

/// Reports before the stream and in each window.
struct Scan {
    before: f64,
    reports: Vec<f64>,
}

/// A simulated stream, reduced to what T depends on: for each τ the standardized difference of means, along the shift
/// and across it.
struct Draw {
    along: Vec<f64>,
    across: Vec<f64>,
}

impl Draw {
    fn without_shift(&self) -> Vec<f64> {
        self.along.iter().zip(&self.across).map(|(along, across)| along * along + across).collect()
    }
}

impl Scan {
    /// N_b and N_a of a change at τ.
    fn sizes(&self, tau: usize) -> [f64; 2] {
        let before = self.before + self.reports[..tau].iter().sum::<f64>();
        [before, self.reports[tau..].iter().sum()]
    }

    /// T(τ) for each τ.
    fn statistics(&self, white: &[Vec<f64>]) -> Vec<f64> {
        let df = white[0].len();
        let mut statistics = vec![0.0; white.len()];
        for coordinate in 0..df {
            let values = self.standardized(white.iter().map(|window| window[coordinate]));
            statistics.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * value);
        }
        statistics
    }

    /// √(N_b N_a/(N_b + N_a)) (m_a − m_b) for each τ, of one coordinate; the reference is at 0.
    fn standardized(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let weighted: Vec<f64> = values.zip(&self.reports).map(|(value, n)| value * n).collect();
        let (sum, total) = (weighted.iter().sum::<f64>(), self.before + self.reports.iter().sum::<f64>());
        let (mut below, mut before) = (0.0, self.before);
        let step = |(value, n): (&f64, &f64)| {
            let after = total - before;
            let between = (sum - below) / after - below / before;
            let standardized = between * libm::sqrt(before * after / total);
            below += value;
            before += n;
            standardized
        };
        weighted.iter().zip(&self.reports).map(step).collect()
    }

    fn draws(&self, df: usize) -> Vec<Draw> {
        let mut normals = Normals::new(SEED);
        let deviations: Vec<f64> = self.reports.iter().map(|n| 1.0 / libm::sqrt(*n)).collect();
        let draw = |_| {
            let mut coordinate = || {
                // The reference's own error: all windows are seen from it.
                let origin = normals.draw() / libm::sqrt(self.before);
                let values: Vec<f64> = deviations.iter().map(|deviation| normals.draw() * deviation - origin).collect();
                self.standardized(values.into_iter())
            };
            let along = coordinate();
            let mut across = vec![0.0; along.len()];
            for _ in 1..df {
                across.iter_mut().zip(coordinate()).for_each(|(sum, value)| *sum += value * value);
            }
            Draw { along, across }
        };
        (0..DRAWS).map(draw).collect()
    }

    /// Whether a change at τ would leave T(τ̂) − T(τ) this large in more than α of the streams.
    fn may_be(&self, tau: usize, found: &[f64], df: usize, draws: &[Draw], alpha: f64) -> bool {
        let behind = max(found) - found[tau];
        let size = libm::sqrt((found[tau] - df as f64).max(0.0));
        let profile = self.profile(tau, size);
        let larger = |draw: &&Draw| {
            let value = |s: usize| {
                let along = draw.along[s] + profile[s];
                along * along + draw.across[s]
            };
            let best = (0..found.len()).map(value).fold(0.0, f64::max);
            best - value(tau) >= behind
        };
        (draws.iter().filter(larger).count() + 1) as f64 > alpha * (DRAWS + 1) as f64
    }

    /// What a change at τ of standardized size δ adds to the standardized difference of means at each s.
    fn profile(&self, tau: usize, size: f64) -> Vec<f64> {
        let step = (0..self.reports.len()).map(|window| f64::from(u8::from(window >= tau)));
        let profile = self.standardized(step);
        let scale = size / profile[tau];
        profile.into_iter().map(|value| value * scale).collect()
    }

    /// Weighted mean differences before (reference included, as 0) and after.
    fn means(&self, windows: &[WindowDifference<'_>], tau: usize, cells: usize) -> [Vec<f64>; 2] {
        let sum = |windows: &[WindowDifference<'_>], size: f64| -> Vec<f64> {
            let entry = |window: &WindowDifference<'_>, cell: usize| window.reports as f64 * window.difference[cell];
            (0..cells).map(|cell| windows.iter().map(|window| entry(window, cell)).sum::<f64>() / size).collect()
        };
        let [before, after] = self.sizes(tau);
        [sum(&windows[..tau], before), sum(&windows[tau..], after)]
    }
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The first place of the largest value.
fn argmax(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, place| if values[place] > values[best] { place } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two cells with variance 1/n: T is computed by hand for a stream without noise.
    #[test]
    fn a_clean_step_is_found() {
        let covariance = Matrix::symmetric(2, |u, v| if u == v { 0.01 } else { -0.01 });
        let exact = Matrix::symmetric(2, |_, _| 0.0);
        let values: Vec<[f64; 2]> = [0.0, 0.0, 0.0, 1.0, 1.0].map(|d| [d, -d]).to_vec();
        let window = |value| WindowDifference { reports: 100, difference: value, covariance: &covariance };
        let windows: Vec<_> = values.iter().map(|value| window(value)).collect();
        let found = change_point(&windows, &exact, 0.05).expect("a stream");
        // N_b is as good as infinite: N_a ‖1‖²/C with C = 1, N_a = 200.
        assert!((found.statistic / 200.0 - 1.0).abs() < 1e-5);
        assert_eq!((found.window, &found.set[..], found.interval()), (3, &[3][..], [3, 3]));
        assert!(found.p_value <= 0.002 && (found.shift[0] - 1.0).abs() < 1e-5);
        // A reference of 100 reports: N_b = 400, so T = 400 · 200/600.
        let found = change_point(&windows, &covariance, 0.05).expect("a stream");
        assert!((found.statistic / (400.0 * 200.0 / 600.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_scanned() {
        let covariance = Matrix::symmetric(2, |u, v| if u == v { 0.01 } else { -0.01 });
        let window = |reports| WindowDifference { reports, difference: &[0.0, 0.0], covariance: &covariance };
        assert_eq!(change_point(&[window(5)], &covariance, 0.05), None);
        assert_eq!(change_point(&[window(5), window(0)], &covariance, 0.05), None);
        let none = Matrix::symmetric(2, |_, _| 0.0);
        let exact = WindowDifference { reports: 5, difference: &[0.0, 0.0], covariance: &none };
        assert_eq!(change_point(&[exact, exact], &none, 0.05), None);
    }
}
