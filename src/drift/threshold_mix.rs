//! Which answer tells most about a small shift of a number, and how a fleet is divided between two of them.
//!
//! A device that answers with one sampled event can say whether it lies above the median of the reference (a threshold
//! bit), or in which cell of a histogram it lies. The bit hides among 2 symbols and detects a shift with far fewer
//! reports at small ε; only the histogram shows what changed, and sees a change that leaves the median.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | f | `shares` | shares of the cells in order |
//! | δ | | change of f by a shift of one standard deviation, to first order, for a normal variable |
//! | S(f) | | covariance of one report's de-biased support |
//! | I | [`location_information`] | δᵀS⁺δ, the Fisher information of one report about the shift |
//! | 1/I | | the data price: reports for each event that the z-test without privacy needs |
//! | a | [`ThresholdMix::evidence`] | weight of the threshold's p-value |
//!
//! The mean of n events without privacy has information n (in squared standard deviations), the most there can be. A
//! test of noisy shares has non-centrality n I h² against a shift of h, so that equal power takes 1/I times the data,
//! in every sample alike.
//!
//! **Default mix** ([`threshold_mix`]). Where a bit has at least [`MIN_THRESHOLD_GAIN`] times the information of a
//! histogram answer, 3 of 4 devices answer the bit; below that all answer the histogram. The evidence of both halves is
//! combined by [`combined_p_value`], the weighted product of Good: devices are different ones, so p-values are
//! independent. Its weights follow the expected non-centralities and leave at least 1/5 to either.
//!
//! **Cost** O(k³). **Limits.** Events are one per device and window; for many events per device the anchored bit is
//! better ([`super::question_mix()`]). The shape is that of a normal variable; for a heavier tail the bit is worth
//! more, for a change of width it is worth nothing.
//!
//! [`combined_p_value`]: super::combined_p_value

use super::ordered::location_shift;
use crate::estimate::{Channel, constrained};

/// Least gain for which the threshold bit is asked: a quarter of the devices' answers is what the mix costs the
/// histogram's precision most visibly.
pub const MIN_THRESHOLD_GAIN: f64 = 1.25;

/// Weights of threshold bit and histogram where both are asked.
pub const THRESHOLD_TO_HISTOGRAM: [u32; 2] = [3, 1];

/// Least weight of either half in the combined evidence.
const LEAST_EVIDENCE: f64 = 0.2;

/// How a fleet is divided between a threshold bit and a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdMix {
    /// Weight of the threshold bit; 0 where it is not asked.
    pub threshold: u32,
    /// Weight of the histogram.
    pub histogram: u32,
    /// Weight of the threshold's p-value in [`super::combined_p_value`], 0–1.
    pub evidence: f64,
    /// Information of a bit over that of a histogram answer.
    pub gain: f64,
}

/// I: information of one report about a shift, in squared standard deviations. `None` for fewer than two cells, or a
/// singular covariance.
///
/// # Panics
///
/// If there are not as many shares as the channel has symbols.
#[must_use]
pub fn location_information(channel: &Channel, shares: &[f64]) -> Option<f64> {
    assert_eq!(shares.len(), channel.symbols(), "a share for each symbol");
    let df = shares.len().checked_sub(1).filter(|df| *df > 0)?;
    let shift = location_shift(shares);
    let (_, covariance) = constrained(shares, &channel.covariance(shares, 1.0), 1.0);
    let whitened = covariance.cholesky(df)?.whiten(&shift);
    Some(whitened.iter().map(|value| value * value).sum())
}

/// The default division for a bit and a histogram at one ε: the channel of a median split, and that of the histogram
/// with its shares in the reference. `None` where the histogram has no information to compare with.
///
/// # Panics
///
/// If the bit's channel has not two symbols, or there are not as many shares as the histogram has symbols.
#[must_use]
pub fn threshold_mix(bit: &Channel, histogram: &Channel, shares: &[f64]) -> Option<ThresholdMix> {
    assert_eq!(bit.symbols(), 2, "below or above");
    let gain = location_information(bit, &[0.5, 0.5])? / location_information(histogram, shares)?;
    if !(gain.is_finite() && gain >= MIN_THRESHOLD_GAIN) {
        return gain.is_finite().then_some(ThresholdMix { threshold: 0, histogram: 1, evidence: 0.0, gain });
    }
    let [threshold, histogram] = THRESHOLD_TO_HISTOGRAM;
    let expected = f64::from(threshold) * gain / (f64::from(threshold) * gain + f64::from(histogram));
    let evidence = expected.clamp(LEAST_EVIDENCE, 1.0 - LEAST_EVIDENCE);
    Some(ThresholdMix { threshold, histogram, evidence, gain })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn k_ary(k: usize, epsilon: f64) -> Channel {
        let e = libm::exp(epsilon);
        Channel::k_ary(k, e / (e + k as f64 - 1.0))
    }

    /// Of a median split I = 4 φ(0)² (2p − 1)² = (2/π) tanh²(ε/2).
    #[test]
    fn information_of_a_median_split() {
        for epsilon in [0.5, 1.0, 2.0, 4.0] {
            let contrast = libm::tanh(epsilon / 2.0);
            let expected = core::f64::consts::FRAC_2_PI * contrast * contrast;
            let found = location_information(&k_ary(2, epsilon), &[0.5, 0.5]).expect("two cells");
            assert!((found / expected - 1.0).abs() < 1e-6, "{found}, not {expected}");
        }
    }

    /// With ever more cells and hardly any noise, nearly all that the events know: less is never lost than 1 − Σ δ²/f.
    #[test]
    fn information_of_many_cells_is_near_one() {
        let found = location_information(&k_ary(64, 20.0), &[1.0 / 64.0; 64]).expect("cells");
        assert!((0.98..1.0).contains(&found), "{found}");
    }

    #[test]
    fn the_bit_is_asked_where_it_pays() {
        let mix = |epsilon| threshold_mix(&k_ary(2, epsilon), &k_ary(10, epsilon), &[0.1; 10]).expect("cells");
        assert_eq!((mix(1.0).threshold, mix(1.0).histogram), (3, 1));
        assert!(mix(1.0).gain > 4.0 && mix(1.0).evidence == 0.8);
        assert_eq!((mix(4.0).threshold, mix(4.0).evidence), (0, 0.0));
    }
}
