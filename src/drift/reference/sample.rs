//! A reference from raw rows that an operator owns: shares averaged over device-windows, with the covariance of the
//! average by what varies as a whole.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | x_i | `shares` of [`RawShares::add`] | shares of the cells among the events of device-window i | \[0, 1\], sum 1 |
//! | u | `unit` | what varies independently of the others: a row, a device, a year | |
//! | N, U | `device_windows`, [`RawShares::units`] | device-windows; units | N ≥ U ≥ 2 |
//! | n_u | `Unit::device_windows` | device-windows of unit u | ≥ 1 |
//! | g | `shares` of the result | Σ_i x_i / N | \[0, 1\], sum 1 |
//! | r_u | | Σ_{i in u} (x_i − g) = Σ_{i in u} x_i − n_u g | |
//!
//! **Clustered** ([`RawShares::clustered`]). The windows of one device are alike, so the device is the unit, not the
//! window. The covariance of g, a ratio of two sums over units, is by linearization
//!
//! C = U/(U − 1) · Σ_u r_u r_uᵀ / N²
//!
//! (Cochran, "Sampling Techniques", 3rd ed. 1977, section 9A.3 with 6.3; Liang and Zeger, Biometrika 73(1), 1986: the
//! sandwich for a mean). With one window in each unit it is the sample covariance of the x_i over N, and with one event
//! in each window the multinomial (diag g − g gᵀ)/(N − 1).
//!
//! **Blocks** ([`RawShares::of_a_new_block`]). What moves all devices together, weather above all, is no sampling
//! error: however many devices there are, another year is another year. Then the years are the units, g is the plain
//! average of the B block means x̄_b, with S their sample covariance, and the reference is used to predict a *new*
//! block, of which the error has covariance S + S/B. S is itself estimated: a contrast of the prediction error over
//! its estimated standard error is t with B − 1 degrees of freedom, of longer tails than the normal that the tests
//! assume. So
//!
//! C = (t/3)² · (1 + 1/B) · S, where t exceeds as rarely as a normal exceeds 3 (0.135 %),
//!
//! by Fisher's expansion of t in 1/(B − 1) (Abramowitz and Stegun, 26.7.5). Three standard errors are then what they
//! seem; fewer are too many, which is safe, and more are too few.
//!
//! **Cost**: memory O(units × cells). **Limits.** Linearization wants some tens of units; with fewer the covariance is
//! too small more often than too large. Beyond three standard errors the interval of a new block errs more often than
//! it says: at B = 17, 4 of them stand for 3.69 (the expansion, solved). A cell that no row fell into has variance 0:
//! what the reference never saw it is sure of. Blocks must be as long as the spans that are compared: a mean over a
//! month varies less than one over a week.

use std::collections::BTreeMap;

use super::QuestionReference;
use crate::estimate::Matrix;

/// Fewest blocks that a prediction is made from: from 5 on, the expansion of t is right to 1 %.
pub const MIN_BLOCKS: u64 = 5;

/// Shares of device-windows, added up by unit.
#[derive(Debug, Clone)]
pub struct RawShares {
    cells: usize,
    device_windows: u64,
    units: BTreeMap<u64, Unit>,
}

#[derive(Debug, Clone)]
struct Unit {
    device_windows: u64,
    sum: Vec<f64>,
}

impl RawShares {
    /// Of no device-window, over a number of cells.
    #[must_use]
    pub fn new(cells: usize) -> Self {
        Self { cells, device_windows: 0, units: BTreeMap::new() }
    }

    /// Adds the shares of one device-window, which belongs to a unit. Shares sum to 1.
    ///
    /// # Panics
    ///
    /// If there is not one share for each cell.
    pub fn add(&mut self, unit: u64, shares: &[f64]) {
        assert_eq!(shares.len(), self.cells, "one share for each cell");
        let empty = || Unit { device_windows: 0, sum: vec![0.0; shares.len()] };
        let of_unit = self.units.entry(unit).or_insert_with(empty);
        of_unit.device_windows += 1;
        of_unit.sum.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
        self.device_windows += 1;
    }

    /// Device-windows that were added.
    #[must_use]
    pub fn device_windows(&self) -> u64 {
        self.device_windows
    }

    /// Units that they belong to.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units.len() as u64
    }

    /// The average over device-windows, with the error that choosing these units by chance makes. `None` for fewer than
    /// two units.
    #[must_use]
    pub fn clustered(&self) -> Option<QuestionReference> {
        let (units, n) = (self.units() as f64, self.device_windows as f64);
        let shares = self.mean(n, |unit, cell| unit.sum[cell]);
        let rest = |unit: &Unit| -> Vec<f64> {
            let expected = |share: &f64| share * unit.device_windows as f64;
            unit.sum.iter().zip(&shares).map(|(sum, share)| sum - expected(share)).collect()
        };
        let rests: Vec<Vec<f64>> = self.units.values().map(rest).collect();
        let scale = units / (units - 1.0) / (n * n);
        self.reference(2, shares, &rests, scale)
    }

    /// The average over blocks, with the error that it makes for a block that is not among them. `None` for fewer than
    /// [`MIN_BLOCKS`] blocks.
    #[must_use]
    pub fn of_a_new_block(&self) -> Option<QuestionReference> {
        let blocks = self.units() as f64;
        let mean = |unit: &Unit, cell: usize| unit.sum[cell] / unit.device_windows as f64;
        let shares = self.mean(blocks, mean);
        let rest = |unit: &Unit| (0..self.cells).map(|cell| mean(unit, cell) - shares[cell]).collect();
        let rests: Vec<Vec<f64>> = self.units.values().map(rest).collect();
        let wider = student_at_three(blocks - 1.0) / 3.0;
        let scale = wider * wider * (1.0 + 1.0 / blocks) / (blocks - 1.0);
        self.reference(MIN_BLOCKS, shares, &rests, scale)
    }

    fn mean(&self, divisor: f64, entry: impl Fn(&Unit, usize) -> f64) -> Vec<f64> {
        (0..self.cells).map(|cell| self.units.values().map(|unit| entry(unit, cell)).sum::<f64>() / divisor).collect()
    }

    fn reference(&self, least: u64, shares: Vec<f64>, rests: &[Vec<f64>], scale: f64) -> Option<QuestionReference> {
        if self.units() < least {
            return None;
        }
        let product = |row: usize, column: usize| rests.iter().map(|rest| rest[row] * rest[column]).sum::<f64>();
        let covariance = Matrix::symmetric(self.cells, |row, column| scale * product(row, column));
        Some(QuestionReference { device_windows: self.device_windows, shares, covariance })
    }
}

/// The quantile of t with ν degrees of freedom that a normal has at z = 3.
fn student_at_three(nu: f64) -> f64 {
    // The numerators at z = 3 of z³ + z, 5z⁵ + 16z³ + 3z, 3z⁷ + 19z⁵ + 17z³ − 15z and 79z⁹ + 776z⁷ + 1482z⁵ − 1920z³
    // − 945z.
    const NUMERATORS: [f64; 4] = [30.0, 1_656.0, 11_592.0, 3_557_520.0];
    const DENOMINATORS: [f64; 4] = [4.0, 96.0, 384.0, 92_160.0];
    let mut power = 1.0;
    let term = |(numerator, denominator): (f64, f64)| {
        power *= nu;
        numerator / (denominator * power)
    };
    3.0 + NUMERATORS.into_iter().zip(DENOMINATORS).map(term).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_HOT: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-14
    }

    /// Rows that are their own units give the multinomial with n − 1.
    #[test]
    fn rows_by_themselves_are_multinomial() {
        let mut raw = RawShares::new(3);
        (0..10).for_each(|row| raw.add(row, &ONE_HOT[[0, 0, 0, 0, 0, 1, 1, 1, 2, 2][row as usize]]));
        let found = raw.clustered().expect("ten units");
        let g = [0.5, 0.3, 0.2];
        for (row, a) in g.iter().enumerate() {
            assert!(near(found.shares[row], *a));
            for (column, b) in g.iter().enumerate() {
                let expected = (if row == column { *a } else { 0.0 } - a * b) / 9.0;
                assert!(near(found.covariance.at(row, column), expected), "{row} {column}");
            }
        }
        assert_eq!((found.device_windows, raw.units()), (10, 10));
    }

    /// Two devices that repeat themselves are two observations, however many windows there are: g = 3/4, rests ±(1/4) ·
    /// windows, C = 2 · 2 · (n/4 · …)²/N².
    #[test]
    fn windows_of_one_device_are_one_observation() {
        let variance = |windows: u64| {
            let mut raw = RawShares::new(2);
            for _ in 0..windows {
                raw.add(1, &[1.0, 0.0]);
                raw.add(2, &[0.5, 0.5]);
            }
            let found = raw.clustered().expect("two units");
            assert!(near(found.shares[0], 0.75) && near(found.covariance.at(0, 1), -found.covariance.at(0, 0)));
            found.covariance.at(0, 0)
        };
        // 2/(2 − 1) · 2 (w/4)² / (2w)² = 1/16, the sample variance 1/8 over 2.
        assert!(near(variance(1), 1.0 / 16.0) && near(variance(50), 1.0 / 16.0));
        let mut one = RawShares::new(2);
        (0..100).for_each(|_| one.add(7, &[1.0, 0.0]));
        assert!(one.clustered().is_none(), "one device tells nothing about others");
    }

    /// Block means 0.1, 0.2, 0.3, 0.4, 0.5: S = 0.025, C = (t/3)² · 6/5 · 0.025, whatever a block weighs.
    #[test]
    fn a_new_block_varies_like_the_old_ones() {
        let mut raw = RawShares::new(2);
        for block in 1..=5 {
            let share = block as f64 / 10.0;
            (0..block).for_each(|_| raw.add(block, &[share, 1.0 - share]));
            assert_eq!(raw.of_a_new_block().is_some(), block >= MIN_BLOCKS);
        }
        let found = raw.of_a_new_block().expect("five blocks");
        assert!(
            near(found.shares[0], 0.3) && near(found.covariance.at(0, 0), 0.03 * (student_at_three(4.0) / 3.0).powi(2))
        );
        assert_eq!(found.device_windows, 15);
    }

    /// Against quantiles found by integrating the density of t (Simpson, 4,000 steps).
    #[test]
    fn tails_are_those_of_t() {
        for (nu, expected, tolerance) in [(4.0, 6.620_206, 0.01), (16.0, 3.544_128, 1e-4), (32.0, 3.252_180, 1e-5)] {
            assert!((student_at_three(nu) / expected - 1.0).abs() < tolerance, "{nu}");
        }
    }

    /// Devices with shares of their own, several windows each: over 4,000 fleets the mean of C is the variance of g.
    /// Standard error of a variance from 4,000 normal draws: 2.2 %; the limit of 9 % is four of them.
    #[test]
    fn the_covariance_is_that_of_the_average() {
        let mut generator = fastrand::Rng::with_seed(41);
        let (mut sum, mut squares, mut claimed) = (0.0, 0.0, 0.0);
        const FLEETS: u32 = 4_000;
        for _ in 0..FLEETS {
            let mut raw = RawShares::new(2);
            for device in 0..60 {
                let own = generator.f64();
                for _ in 0..1 + generator.u32(..6) {
                    let late = f64::from((0..3).filter(|_| generator.f64() < own).count() as u32) / 3.0;
                    raw.add(device, &[late, 1.0 - late]);
                }
            }
            let found = raw.clustered().expect("sixty units");
            sum += found.shares[0];
            squares += found.shares[0] * found.shares[0];
            claimed += found.covariance.at(0, 0);
        }
        let n = f64::from(FLEETS);
        let seen = (squares - sum * sum / n) / (n - 1.0);
        assert!((claimed / n / seen - 1.0).abs() < 0.09, "{} against {seen}", claimed / n);
    }
}
