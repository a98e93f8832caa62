//! The anchored bit: does this device's window have more events in a public half-space than the reference expects?
//!
//! One bit that says the more about a change of the shares the more events the device has: it moves by about √(2m/π)
//! times the change of the half-space's share, where one sampled event moves by that change itself. It is the product
//! form of user-level testing (Acharya, Liu and Sun, "Discrete distribution estimation under user-level local
//! differential privacy", AISTATS 2023): a public coin picks a row of the Hadamard matrix, the device compares its
//! count in the row's half-space with the median under the reference, and hides the answer by randomized response.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `cells` | cells of the metric | 1–2^31 |
//! | K | [`hadamard_order`] | smallest power of two ≥ max(2, k) | |
//! | r | `row` | row of the Hadamard matrix, the public coin | 1–K−1 |
//! | S | [`half_space`] | cells v with odd parity of the ones of r AND v | K/2 of K places |
//! | s | `share` | share of S under the reference, W_S/W | \[0, 1\] |
//! | m, Z | `total`, `inside` | events of the device's window; those in S | integers |
//! | U | `draw` | a private uniform word of 64 bits, as a fraction | \[0, 1) |
//! | C | [`Anchor::threshold`] | the median of Z + U given m under the reference | |
//!
//! **The bit** is 1\[Z + U ≥ C\]: 1 above the median of Z, 0 below it, and at the median 1 with the probability that
//! makes both values equally likely. So P\[bit = 1 | m\] = 1/2 for *every* m when the device follows the reference: a
//! week with fewer events changes nothing, while the plain 1\[Z > median\] would jump by up to P\[Z = median\] from one
//! m to the next. It costs little: 1\[Z > c\] answers a change of s with slope m·P\[Bin(m−1, s) = c\], which is largest
//! at c = ⌊ms⌋, next to or at the median, and nearly as large beside it. Without events Z = C − 1/2 = 0 and the bit is
//! a fair coin.
//!
//! **Arithmetic.** Integers alone. Up to [`EXACT_EVENTS`] events C comes from the binomial law in fixed point (2^-62;
//! 127 roundings down leave |P\[bit = 1\] − 1/2| < 2^-48). Beyond, C = ms + 1/2 − (1 − 2s)/6, the Cornish–Fisher median
//! of the smoothed count; there |P\[bit = 1\] − 1/2| < 0.0015 for 1/32 ≤ s ≤ 31/32 and < 0.0001 for 1/4 ≤ s ≤ 3/4
//! (`tests/it/anchored.rs` measures both).
//!
//! **Public coin.** The row follows from the report id ([`row_of`]), a pseudo-random function of device secret, spec,
//! window and question, which stands in the header of the report. So it costs no bit of payload, is the same on every
//! retry, and cannot depend on the data of an honest device. A *dishonest* one can pick its id and with it the row:
//! fake devices can pool their weight on few rows.
//!
//! **Privacy** is the randomizer's business and holds for any bit. **Control flow** does not depend on the counts:
//! every cell and every threshold is visited, and masks select. **Cost**: one [`Anchor`] is 2 kB and some 8,000
//! multiplications, which depend on public values only and may be kept; a bit visits the cells once and the thresholds
//! once.
//!
//! **Limits.** A device whose own shares differ from the fleet's gives a bit that is fair on average only to second
//! order, and answers a change the less the more it differs. The direction inside the half-space is lost: one row shows
//! one contrast.
//!
//! ```
//! use driftglass::sketch::{anchored_bit, hadamard_order, row_of};
//!
//! let counts = [9, 1, 7, 2]; // Events by cell: much of the weight lies in even cells.
//! let baseline = [1, 1, 1, 1]; // The reference expects equal shares.
//! let row = row_of(&[7; 16], counts.len());
//! assert!((1..hadamard_order(counts.len())).contains(&row));
//! // Row 1 holds the odd cells: 3 of 19 events are far below the median, whatever is drawn.
//! assert_eq!(anchored_bit(&counts, 1, &baseline, u64::MAX), 0);
//! // Row 2 holds cells 2 and 3: 9 of 19 events, the median with 10: just below.
//! assert_eq!(anchored_bit(&counts, 2, &baseline, u64::MAX), 0);
//! ```

use alloc::{vec, vec::Vec};

use subtle::{ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

/// Most events for which the threshold comes from the exact law.
pub const EXACT_EVENTS: usize = 127;

/// Binary digits of probabilities after the point.
const PROBABILITY_BITS: u32 = 62;
const ONE: u64 = 1 << PROBABILITY_BITS;

/// K: the order of the Hadamard matrix whose rows are asked, the smallest power of two that is at least 2 and at least
/// `cells`.
#[must_use]
pub fn hadamard_order(cells: usize) -> usize {
    cells.max(2).next_power_of_two()
}

/// Whether `cell` lies in the half-space of `row`: odd parity of the ones of row AND cell.
#[must_use]
pub fn half_space(row: usize, cell: usize) -> bool {
    (row & cell).count_ones() % 2 == 1
}

/// The row that a report answers: 1 + (u mod (K − 1)), with u the first 8 bytes of its id, big-endian.
///
/// Ids are uniform, so each row has probability 1/(K − 1) within 2^-64, and no row is favored by more than K/2^64
/// relative.
#[must_use]
pub fn row_of(report_id: &[u8; 16], cells: usize) -> usize {
    let [a, b, c, d, e, f, g, h, ..] = *report_id;
    let rows = hadamard_order(cells) as u64 - 1;
    // Fits: below K, which is a usize.
    1 + (u64::from_be_bytes([a, b, c, d, e, f, g, h]) % rows) as usize
}

/// The anchored bit of one row: 0 or 1. See [`Anchor`], which may be kept between calls.
///
/// # Panics
///
/// As [`Anchor::new`] and [`Anchor::bit`].
#[must_use]
pub fn anchored_bit(counts: &[u32], row: usize, baseline: &[u32], draw: u64) -> usize {
    Anchor::new(row, baseline).bit(counts, draw)
}

/// A row with the medians of its count under the reference. Holds public values only.
#[derive(Debug, Clone)]
pub struct Anchor {
    row: usize,
    cells: usize,
    /// s in units of 2^-62.
    share: u64,
    /// C in units of 2^-64, by the number of events.
    exact: Vec<u128>,
}

impl Anchor {
    /// The anchor of `row` under reference shares proportional to `baseline`, one weight per cell.
    ///
    /// # Panics
    ///
    /// If `row` is not in 1–K−1, there are more than 2^31 cells, or no weight is above 0.
    #[must_use]
    pub fn new(row: usize, baseline: &[u32]) -> Self {
        assert!((1..hadamard_order(baseline.len())).contains(&row), "a row of the Hadamard matrix, but not row 0");
        assert!(baseline.len() <= 1 << 31, "at most 2^31 cells");
        let total: u128 = baseline.iter().copied().map(u128::from).sum();
        assert!(total > 0, "a reference has weight");
        let inside: u128 =
            (0..baseline.len()).filter(|cell| half_space(row, *cell)).map(|cell| u128::from(baseline[cell])).sum();
        // Fits: at most 2^62.
        let share = ((inside << PROBABILITY_BITS) / total) as u64;
        Self { row, cells: baseline.len(), share, exact: exact_thresholds(share) }
    }

    /// The bit of a window with these counts, 0 or 1. `draw` is a uniform private word.
    ///
    /// # Panics
    ///
    /// If there are not as many counts as the reference has cells.
    #[must_use]
    pub fn bit(&self, counts: &[u32], draw: u64) -> usize {
        assert_eq!(counts.len(), self.cells, "one count per cell");
        let total: u64 = counts.iter().copied().map(u64::from).sum();
        let count = |(cell, count): (usize, &u32)| u64::from(*count) * u64::from(half_space(self.row, cell));
        self.bit_of(total, counts.iter().enumerate().map(count).sum(), draw)
    }

    /// The bit of `inside` among `total` events in the half-space, 0 or 1. At most 2^63 events.
    #[must_use]
    pub fn bit_of(&self, total: u64, inside: u64, draw: u64) -> usize {
        let smoothed = u128::from(inside) << 64 | u128::from(draw);
        usize::from((!smoothed.ct_lt(&self.threshold(total))).unwrap_u8())
    }

    /// C for `total` events, in units of 2^-64: the bit is 1 when Z · 2^64 + draw is at least this.
    #[must_use]
    pub fn threshold(&self, total: u64) -> u128 {
        let mut threshold = self.limit_threshold(total);
        for (events, exact) in self.exact.iter().enumerate() {
            threshold.conditional_assign(exact, total.ct_eq(&(events as u64)));
        }
        threshold
    }

    /// ms + 1/2 − (1 − 2s)/6 = ms + s/3 + 1/3, in units of 2^-64. The division is by a constant and of public values.
    fn limit_threshold(&self, total: u64) -> u128 {
        let share = u128::from(self.share) << (64 - PROBABILITY_BITS);
        u128::from(total) * share + (share + (1 << 64)) / 3
    }
}

/// C by number of events, from the law of Bin(m, s) by Pascal's rule.
fn exact_thresholds(share: u64) -> Vec<u128> {
    let times = |a: u64, b: u64| ((u128::from(a) * u128::from(b)) >> PROBABILITY_BITS) as u64;
    let mut law = vec![0; EXACT_EVENTS + 1];
    law[0] = ONE;
    let mut thresholds = Vec::with_capacity(EXACT_EVENTS + 1);
    for events in 0..=EXACT_EVENTS {
        thresholds.push(smoothed_median(&law[..=events]));
        for count in (0..=events).rev().filter(|count| *count < EXACT_EVENTS) {
            law[count + 1] += times(law[count], share);
            law[count] = times(law[count], ONE - share);
        }
    }
    thresholds
}

/// The median of Z + U, in units of 2^-64: with τ the median of Z, τ + (1/2 − P\[Z < τ\]) / P\[Z = τ\].
fn smoothed_median(law: &[u64]) -> u128 {
    let half = law.iter().sum::<u64>() / 2;
    let mut below = 0;
    for (median, probability) in law.iter().enumerate() {
        if below + probability >= half && *probability > 0 {
            let part = (u128::from(half - below) << 64) / u128::from(*probability);
            return ((median as u128) << 64) + part;
        }
        below += probability;
    }
    unreachable!("the law sums to twice the half, or to one more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_events_the_bit_is_a_fair_coin() {
        for baseline in [[1, 1, 1, 1], [5, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1]] {
            for row in 1..4 {
                let anchor = Anchor::new(row, &baseline);
                assert_eq!(anchor.threshold(0), 1 << 63);
                assert_eq!(anchor.bit(&[0; 4], (1 << 63) - 1), 0);
                assert_eq!(anchor.bit(&[0; 4], 1 << 63), 1);
            }
        }
    }

    #[test]
    fn an_even_reference_needs_a_coin_only_for_even_counts() {
        let anchor = Anchor::new(1, &[1, 1]);
        assert_eq!(anchor.threshold(3), 2 << 64, "0 and 1 of 3 lie below, 2 and 3 above");
        assert_eq!(anchor.threshold(4), (2 << 64) + (1 << 63), "2 of 4 is a coin");
        assert_eq!(anchor.threshold(1_000), (500 << 64) + (1 << 63));
    }

    #[test]
    fn one_event_of_a_share() {
        // P[Z = 1] = 3/5; so Z = 1 gives 1 with probability 5/6: C = 1 + 1/6.
        let found = Anchor::new(1, &[2, 3]).threshold(1);
        let expected = (1 << 64) + (1_u128 << 64) / 6;
        assert!(found.abs_diff(expected) < 1 << 8, "{found}");
    }

    #[test]
    fn the_largest_counts_do_not_overflow() {
        let anchor = Anchor::new(1, &[u32::MAX, u32::MAX]);
        assert_eq!(anchor.bit(&[u32::MAX, 0], u64::MAX), 0);
        assert_eq!(anchor.bit(&[0, u32::MAX], 0), 1);
        assert_eq!(Anchor::new(1, &[0, 1]).bit_of(1 << 63, (1 << 63) - 1, u64::MAX), 0);
    }
}
