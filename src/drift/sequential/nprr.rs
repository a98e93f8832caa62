//! Means of numbers in \[0, 1\] from one private bit per answer: intervals for a fixed n, and for all times.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | ε | `epsilon` | privacy loss of one answer | > 0 |
//! | r | [`keep`] | (e^ε − 1)/(e^ε + 1): P\[the rounded bit is kept\], else a fair coin is sent | (0, 1) |
//! | z_t | `bit` | the bit that was sent, E\[z\] = r μ + (1 − r)/2 | 0 or 1 |
//! | μ | | mean of the numbers | \[0, 1\] |
//! | α | `alpha` | error probability | (0, 1) |
//! | λ_t | | min(1, √(8 ln(2/α)/(t ln(t + 1)))) | (0, 1\] |
//!
//! **Fixed n** ([`fixed`]): μ̂ = (z̄ − (1 − r)/2)/r ± √(ln(2/α)/(2 n r²)), Hoeffding's inequality for z̄.
//! **All times** ([`MeanSequence`]): Σ λ_t (z_t − (1 − r)/2)/(r Σ λ_t) ± (ln(2/α) + Σ λ_t²/8)/(r Σ λ_t).
//!
//! Waudby-Smith, Wu and Ramdas, "Nonparametric extensions of randomized response for private confidence sets", ICML
//! 2023 (arXiv 2202.08728), with one bit (G = 1). *Argument for all times*: a bit is
//! 1/2-sub-Gaussian, so exp(±λ_t (z_t − E z_t) − λ_t²/8) has mean at most 1 for λ_t chosen before z_t; each sign gets
//! α/2 (Ville).
//!
//! **Windows.** Sums over a window have lost the order of its bits. [`MeanSequence::window`] gives all bits of a window
//! the λ of its last one: λ depends on counts alone, so it is still chosen before the bits.
//!
//! **Cost**: constant. **Does not hold when** a device answers several times, or answers depend on each other: the mean
//! given the past must be the same for each bit.

use crate::estimate::{Interval, Scalar};

/// r.
#[must_use]
pub fn keep(epsilon: f64) -> f64 {
    // expm1 keeps the digits of a small ε.
    libm::expm1(epsilon) / (libm::exp(epsilon) + 1.0)
}

/// An estimate with the half-width of its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanBounds {
    /// Centre: unbiased, may lie outside \[0, 1\].
    pub estimate: f64,
    /// Half of the interval's length.
    pub half_width: f64,
}

impl MeanBounds {
    /// The interval, cut to \[0, 1\].
    #[must_use]
    pub fn interval(&self) -> Interval {
        super::interval::share_bounds(self.estimate, self.half_width, 0.0, 1.0)
    }
}

/// Bounds from `ones` of n bits, for an n that was fixed beforehand. `None` without bits, or if `ones` exceeds them.
#[must_use]
pub fn fixed(ones: u64, bits: u64, r: f64, alpha: f64) -> Option<MeanBounds> {
    if bits == 0 || ones > bits {
        return None;
    }
    let n = bits as f64;
    let estimate = (ones as f64 / n - (1.0 - r) / 2.0) / r;
    Some(MeanBounds { estimate, half_width: libm::sqrt(libm::log(2.0 / alpha) / (2.0 * n * r * r)) })
}

/// The same mean as a [`Scalar`]: its standard error is √(z̄(1 − z̄)/n)/r, for use beside other estimates.
#[must_use]
pub fn scalar(ones: u64, bits: u64, r: f64) -> Option<Scalar> {
    let mean = fixed(ones, bits, r, 0.5)?;
    let share = ones as f64 / bits as f64;
    Some(Scalar { value: mean.estimate, standard_error: libm::sqrt(share * (1.0 - share) / bits as f64) / r })
}

/// Bounds that hold at all times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSequence {
    r: f64,
    alpha: f64,
    bits: u64,
    /// Σ λ (z − (1 − r)/2), Σ λ, Σ λ²/8.
    weighted: f64,
    weights: f64,
    penalty: f64,
}

impl MeanSequence {
    /// Before the first bit.
    ///
    /// # Panics
    ///
    /// If r or α are not in (0, 1).
    #[must_use]
    pub fn new(r: f64, alpha: f64) -> Self {
        assert!(r > 0.0 && r < 1.0 && alpha > 0.0 && alpha < 1.0, "r and alpha strictly between 0 and 1");
        Self { r, alpha, bits: 0, weighted: 0.0, weights: 0.0, penalty: 0.0 }
    }

    /// Adds one bit.
    pub fn bit(&mut self, bit: bool) {
        self.window(u64::from(bit), 1);
    }

    /// Adds the bits of a window. Bits beyond `bits` that claim to be ones are not counted.
    pub fn window(&mut self, ones: u64, bits: u64) {
        if bits == 0 {
            return;
        }
        self.bits = self.bits.saturating_add(bits);
        let (t, n) = (self.bits as f64, bits as f64);
        let lambda = libm::sqrt(8.0 * libm::log(2.0 / self.alpha) / (t * libm::log(t + 1.0))).min(1.0);
        self.weighted += lambda * (ones.min(bits) as f64 - n * (1.0 - self.r) / 2.0);
        self.weights += lambda * n;
        self.penalty += lambda * lambda * n / 8.0;
    }

    /// The bounds; `None` before the first bit.
    #[must_use]
    pub fn bounds(&self) -> Option<MeanBounds> {
        (self.bits > 0).then(|| MeanBounds {
            estimate: self.weighted / (self.r * self.weights),
            half_width: (libm::log(2.0 / self.alpha) + self.penalty) / (self.r * self.weights),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The half-widths that the paper's formula gives at α = 0.05, ε = 1, n = 10,000; without privacy r would be 1.
    #[test]
    fn fixed_half_widths() {
        let found = fixed(5_300, 10_000, keep(1.0), 0.05).expect("bits");
        assert!((found.half_width - 0.029_388_684_111_905_525).abs() < 1e-15);
        assert_eq!(fixed(1, 0, 0.5, 0.05), None);
        assert_eq!(fixed(2, 1, 0.5, 0.05), None);
    }

    /// A window of bits has the λ of its last bit for each.
    #[test]
    fn windows_and_bits() {
        let (mut one, mut all) = (MeanSequence::new(0.4, 0.05), MeanSequence::new(0.4, 0.05));
        assert_eq!(one.bounds(), None);
        one.bit(true);
        all.window(1, 1);
        assert_eq!(one, all);
        all.window(300, 999);
        let lambda = libm::sqrt(8.0 * libm::log(40.0) / (1_000.0 * libm::log(1_001.0)));
        let bounds = all.bounds().expect("bits");
        let weights = 1.0 + 999.0 * lambda;
        let penalty = (1.0 + 999.0 * lambda * lambda) / 8.0;
        assert!((bounds.half_width - (libm::log(40.0) + penalty) / (0.4 * weights)).abs() < 1e-14);
        assert!((bounds.estimate - (0.7 + lambda * (300.0 - 999.0 * 0.3)) / (0.4 * weights)).abs() < 1e-14);
    }
}
