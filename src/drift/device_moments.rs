//! Shares and their covariance from device to device, whatever a device reports and however often.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | n | [`DeviceMoments::devices`] | devices |
//! | x_i | `report` | what device i reports in all, a vector of k numbers (say de-biased shares of its events) |
//! | h | [`Estimate::shares`] | mean of the x_i |
//! | S | [`Estimate::covariance`] | Σ (x_i − h)(x_i − h)ᵀ/(n (n−1)) |
//!
//! Events of one device resemble each other, and one coin of a device may lie in all of them; the multinomial
//! covariance knows neither and alarms too often, up to always. The empirical covariance of what devices report has
//! everything inside it: the sampling of devices, their likeness to themselves, and the noise, of any mechanism. The
//! unit is the device (as in survey sampling: Cochran, "Sampling Techniques", 3rd ed. 1977, chapter 9, clusters).
//!
//! Sums and products are kept, so accumulators merge: in any order to the same up to rounding, about k 2⁻⁵³ of the
//! largest sum. Report vectors of moderate size (|x| below 1e6) lose nothing that matters.
//!
//! **Cost** O(k²) for each device. **Limits.** χ² needs many more devices than cells: with n₁ + n₂ devices the
//! statistic has the law of Hotelling's T², so that [`DeviceMoments::p_value`] uses F; below 2k devices nothing is
//! said.

use super::wald::Wald;
use crate::estimate::{Estimate, Matrix};

/// Mergeable sums of the report vectors of devices.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceMoments {
    devices: u64,
    sums: Vec<f64>,
    /// Σ x xᵀ, the lower triangle row by row.
    products: Vec<f64>,
}

/// Moments of vectors of different lengths, or a vector that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only finite report vectors of one length can be added")]
pub struct LengthMismatch;

impl DeviceMoments {
    /// No devices, with vectors of `cells` numbers.
    #[must_use]
    pub fn new(cells: usize) -> Self {
        Self { devices: 0, sums: vec![0.0; cells], products: vec![0.0; cells * (cells + 1) / 2] }
    }

    /// Devices so far.
    #[must_use]
    pub fn devices(&self) -> u64 {
        self.devices
    }

    /// Adds what one device reports.
    ///
    /// # Errors
    ///
    /// [`LengthMismatch`] when the vector has another length or an entry is not finite; then nothing is added.
    pub fn accumulate(&mut self, report: &[f64]) -> Result<(), LengthMismatch> {
        if report.len() != self.sums.len() || !report.iter().all(|value| value.is_finite()) {
            return Err(LengthMismatch);
        }
        self.devices += 1;
        self.sums.iter_mut().zip(report).for_each(|(sum, value)| *sum += value);
        let pairs = (0..report.len()).flat_map(|u| (0..=u).map(move |v| (u, v)));
        self.products.iter_mut().zip(pairs).for_each(|(sum, (u, v))| *sum += report[u] * report[v]);
        Ok(())
    }

    /// Adds all devices of another accumulator; no device may be in both.
    ///
    /// # Errors
    ///
    /// [`LengthMismatch`] when they have vectors of different lengths.
    pub fn merge(&mut self, other: &Self) -> Result<(), LengthMismatch> {
        if self.sums.len() != other.sums.len() {
            return Err(LengthMismatch);
        }
        self.devices += other.devices;
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, more)| *sum += more);
        self.products.iter_mut().zip(&other.products).for_each(|(sum, more)| *sum += more);
        Ok(())
    }

    /// The mean with its covariance. `None` for fewer than two devices.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        if self.devices < 2 {
            return None;
        }
        let n = self.devices as f64;
        let shares: Vec<f64> = self.sums.iter().map(|sum| sum / n).collect();
        let product = |u: usize, v: usize| self.products[u * (u + 1) / 2 + v];
        let covariance =
            Matrix::symmetric(shares.len(), |u, v| (product(u, v) - n * shares[u] * shares[v]) / (n * (n - 1.0)));
        Some(Estimate { shares, covariance })
    }

    /// The p-value of a test of k − 1 contrasts of two samples of devices, by Hotelling's law instead of χ²: with ν =
    /// n₁ + n₂ − 2 and m degrees of freedom of the test, T (ν − m + 1)/(ν m) is F with m and ν − m + 1. `None` below 2m
    /// devices.
    #[must_use]
    pub fn p_value(test: &Wald, devices: u64) -> Option<f64> {
        let (m, nu) = (test.df as f64, devices as f64 - 2.0);
        if devices < 2 * test.df as u64 + 2 {
            return None;
        }
        let rest = nu - m + 1.0;
        Some(f_survival(test.statistic * rest / (nu * m), m, rest))
    }
}

/// P\[F_{a,b} > x\] = I_{b/(b + ax)}(b/2, a/2) (NIST DLMF 8.17), by Lentz's continued fraction 8.17.22.
fn f_survival(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let y = b / (b + a * x);
    let (p, q) = (b / 2.0, a / 2.0);
    if y < (p + 1.0) / (p + q + 2.0) { beta_fraction(y, p, q) } else { 1.0 - beta_fraction(1.0 - y, q, p) }
}

/// I_y(p, q) for y below its mean.
fn beta_fraction(y: f64, p: f64, q: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if libm::fabs(value) < TINY { TINY } else { value };
    let scale = libm::lgamma(p + q) - libm::lgamma(p) - libm::lgamma(q) + p * libm::log(y) + q * libm::log1p(-y);
    let (mut c, mut d) = (1.0, 1.0 / nonzero(1.0 - (p + q) * y / (p + 1.0)));
    let mut value = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let even = i * (q - i) * y / ((p + 2.0 * i - 1.0) * (p + 2.0 * i));
        let odd = -(p + i) * (p + q + i) * y / ((p + 2.0 * i) * (p + 2.0 * i + 1.0));
        let mut factor = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / nonzero(1.0 + numerator * d);
            c = nonzero(1.0 + numerator / c);
            factor = c * d;
            value *= factor;
        }
        if libm::fabs(factor - 1.0) < f64::EPSILON {
            break;
        }
    }
    libm::exp(scale) * value / p
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(reports: &[[f64; 2]]) -> DeviceMoments {
        let mut moments = DeviceMoments::new(2);
        reports.iter().for_each(|report| moments.accumulate(report).expect("two finite numbers"));
        moments
    }

    /// (1, 0), (0, 1), (1, 1), (0, 0): means 1/2, squares 4 · 1/4 = 1, so variances 1/(4 · 3); no covariance.
    #[test]
    fn moments_of_four_devices() {
        let found = of(&[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]).estimate().expect("two devices");
        assert_eq!(found.shares, [0.5, 0.5]);
        assert!((found.covariance.at(0, 0) - 1.0 / 12.0).abs() < 1e-16 && found.covariance.at(0, 1) == 0.0);
        assert_eq!(of(&[[1.0, 0.0]]).estimate(), None);
    }

    proptest! {
        /// Whole numbers: sums are exact, and so is equality.
        #[test]
        fn any_split_gives_the_same(
            reports in prop::collection::vec([-50_i8..50, -50_i8..50], 2..30),
            at in 0_usize..30,
        ) {
            let reports: Vec<[f64; 2]> = reports.iter().map(|report| report.map(f64::from)).collect();
            let (left, right) = reports.split_at(at.min(reports.len()));
            let mut merged = of(right);
            merged.merge(&of(left)).expect("one length");
            prop_assert_eq!(merged, of(&reports));
        }
    }

    #[test]
    fn what_does_not_fit_is_not_added() {
        let mut moments = of(&[[1.0, 2.0]]);
        let before = moments.clone();
        assert_eq!(moments.accumulate(&[1.0]), Err(LengthMismatch));
        assert_eq!(moments.accumulate(&[1.0, f64::NAN]), Err(LengthMismatch));
        assert_eq!(moments.merge(&DeviceMoments::new(3)), Err(LengthMismatch));
        assert_eq!(moments, before);
    }

    /// Closed forms: P\[F_{2,b} > x\] = (1 + 2x/b)^(−b/2); and F_{1,1} > x: 2/π · arctan(1/√x).
    #[test]
    fn tails_of_f() {
        for (b, x) in [(7.0, 0.3), (40.0, 3.0), (1_000.0, 9.0)] {
            let expected = libm::pow(1.0 + 2.0 * x / b, -b / 2.0);
            assert!((f_survival(x, 2.0, b) / expected - 1.0).abs() < 1e-11);
        }
        let expected = 2.0 / core::f64::consts::PI * libm::atan(0.5);
        assert!((f_survival(4.0, 1.0, 1.0) / expected - 1.0).abs() < 1e-12);
        assert_eq!(DeviceMoments::p_value(&Wald::of(3.0, 4), 9), None);
        // With very many devices it is χ².
        let test = Wald::of(11.0, 4);
        let found = DeviceMoments::p_value(&test, 100_000_000).expect("devices");
        assert!((found / test.p_value - 1.0).abs() < 1e-5, "{found} {}", test.p_value);
    }
}
