//! Many metrics and segments in one go: test and evidence of each in linear time, without a matrix.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `reference.len()` | cells | 2–1,024 |
//! | n₁, n₂ | `reference_reports`, `reports` | reports of the reference and of the current window, by the same channel | ≥ 1 |
//! | h₁, h₂, d | | de-biased shares; h₂ − h₁ | |
//! | f | | (n₁h₁ + n₂h₂)/(n₁ + n₂), clipped at 0 and renormalized | \[0, 1\] |
//! | a + b f_v | [`Channel::diagonal`] | the part of the covariance of one report that differences of cells see | > 0 |
//! | ν | | 1/n₁ + 1/n₂ | |
//! | T | `statistic` | min over λ of (d − λ1)ᵀ S⁻¹ (d − λ1)/ν: the Wald statistic with the vector of ones projected out | ≥ 0 |
//! | E | `log_e` is ln E | (1 + ρn)^(−(k−1)/2) exp(ρnT/(2(1 + ρn))), n = 1/ν: the Wald mixture | |
//! | ρ | `rho` | 1/ρ reports are what the mixture's shift is as likely after as not | > 0 |
//!
//! **Linear time.** T only sees S through lᵀSl with lᵀ1 = 0, for T = max (lᵀd)²/(ν lᵀSl). So whatever has the form 1aᵀ +
//! a1ᵀ may be dropped from S, and what is left is D − ffᵀ with D = diag(a + b f). With A = Σ d²/D, B = Σ fd/D, C = Σ d/D,
//! F = Σ f/D, H = Σ 1/D and G = 1 − Σ f²/D (Sherman and Morrison),
//!
//! νT = A + B²/G − (C + FB/G)²/(H + F²/G).
//!
//! For unary encoding this is the O(k) form of Gaboardi and Rogers (ICML 2018), and for k-ary response Pearson's
//! statistic. It holds for every channel whose symbols are exchangeable: all but projective geometry, where the
//! covariance of two symbols depends on their line.
//!
//! **p-value** by the finite sums of χ² for whole degrees of freedom (NIST DLMF 8.4.10, 8.4.15): all terms positive, so
//! exact to a few ulp, and one exponential. **Cost**: some 20 k operations, 4 cells side by side.
//!
//! **Does not hold when** cells are rare: T is χ² asymptotically (see [`wald`](super::wald())). E is for one look; what
//! holds at all looks with a noisy reference is [`sequential`](super::sequential).

use crate::estimate::Channel;

/// Cells that are computed side by side.
const LANES: usize = 4;

/// So many cells are kept on the stack.
const FEW_CELLS: usize = 32;

/// What is known of one metric in one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// T.
    pub statistic: f64,
    /// P\[χ²_{k−1} > T\].
    pub p_value: f64,
    /// ln E.
    pub log_e: f64,
}

/// A metric with its reference, ready for any number of windows or segments.
#[derive(Debug, Clone)]
pub struct Evaluator {
    false_probability: f64,
    /// p − q.
    spread: f64,
    diagonal: [f64; 2],
    reference: Vec<f64>,
    reference_reports: f64,
    rho: f64,
    survival: Survival,
}

impl Evaluator {
    /// Most cells.
    pub const MAX_CELLS: usize = 1_024;

    /// An evaluator against de-biased `reference` shares from `reference_reports` reports. `None` for a channel without
    /// [`Channel::diagonal`], for fewer than 2 or more than 1,024 cells, without reports, or for ρ ≤ 0.
    #[must_use]
    pub fn new(channel: &Channel, reference: &[f64], reference_reports: u64, rho: f64) -> Option<Self> {
        let fits = (2..=Self::MAX_CELLS).contains(&reference.len()) && reference_reports > 0 && rho > 0.0;
        let diagonal = channel.diagonal().filter(|_| fits)?;
        Some(Self {
            false_probability: channel.false_probability(),
            spread: channel.keep_probability() - channel.false_probability(),
            diagonal,
            reference: reference.to_vec(),
            reference_reports: reference_reports as f64,
            rho,
            survival: Survival::new(reference.len() - 1),
        })
    }

    /// Compares the counts of `reports` reports, of which `support[v]` support cell v. `None` without reports, or when no
    /// pooled share is above 0.
    ///
    /// # Panics
    ///
    /// If there is not one count for each cell.
    #[must_use]
    pub fn evaluate(&self, reports: u64, support: &[u32]) -> Option<Evaluation> {
        let k = self.reference.len();
        assert_eq!(support.len(), k, "one count for each cell");
        if reports == 0 {
            return None;
        }
        // Clearing a page costs more than the sums of a few cells.
        if k <= FEW_CELLS {
            let (mut difference, mut pooled) = ([0.0; FEW_CELLS], [0.0; FEW_CELLS]);
            self.evaluate_in(reports as f64, support, &mut difference[..k], &mut pooled[..k])
        } else {
            self.evaluate_in(reports as f64, support, &mut vec![0.0; k], &mut vec![0.0; k])
        }
    }

    fn evaluate_in(&self, n: f64, support: &[u32], difference: &mut [f64], pooled: &mut [f64]) -> Option<Evaluation> {
        let total = self.pool(n, support, difference, pooled);
        if total <= 0.0 {
            return None;
        }
        let sums = self.sums(difference, pooled, 1.0 / total);
        let effective = n * self.reference_reports / (n + self.reference_reports);
        let statistic = sums.projected() * effective;
        let gain = self.rho * effective;
        let df = (support.len() - 1) as f64;
        let log_e = gain * statistic / (2.0 * (1.0 + gain)) - df / 2.0 * libm::log1p(gain);
        Some(Evaluation { statistic, p_value: self.survival.at(statistic), log_e })
    }

    /// d and the clipped pooled shares, with their sum.
    fn pool(&self, n: f64, support: &[u32], difference: &mut [f64], pooled: &mut [f64]) -> f64 {
        let scale = 1.0 / (n * self.spread);
        let offset = self.false_probability / self.spread;
        let weight = n / (n + self.reference_reports);
        let cell = |count: u32, then: f64| {
            let moved = f64::from(count) * scale - offset - then;
            let share = then + weight * moved;
            (moved, if share > 0.0 { share } else { 0.0 })
        };
        let mut totals = [0.0; LANES];
        let (counts, last_counts) = support.as_chunks::<LANES>();
        let (then, last_then) = self.reference.as_chunks::<LANES>();
        let (moves, last_moves) = difference.as_chunks_mut::<LANES>();
        let (shares, last_shares) = pooled.as_chunks_mut::<LANES>();
        for (((counts, then), moves), shares) in counts.iter().zip(then).zip(moves).zip(shares) {
            for lane in 0..LANES {
                (moves[lane], shares[lane]) = cell(counts[lane], then[lane]);
                totals[lane] += shares[lane];
            }
        }
        for lane in 0..last_counts.len() {
            (last_moves[lane], last_shares[lane]) = cell(last_counts[lane], last_then[lane]);
            totals[lane] += last_shares[lane];
        }
        add(totals)
    }

    /// A, B, C, F, H and G.
    fn sums(&self, difference: &[f64], pooled: &[f64], scale: f64) -> Sums {
        let [a, b] = self.diagonal;
        let mut lanes = [[0.0; LANES]; 6];
        let (moves, last_moves) = difference.as_chunks::<LANES>();
        let (shares, last_shares) = pooled.as_chunks::<LANES>();
        for (moves, shares) in moves.iter().zip(shares) {
            for lane in 0..LANES {
                let (d, f) = (moves[lane], shares[lane] * scale);
                let inverse = 1.0 / (a + b * f);
                let (d_over, f_over) = (d * inverse, f * inverse);
                lanes[0][lane] += d * d_over;
                lanes[1][lane] += f * d_over;
                lanes[2][lane] += d_over;
                lanes[3][lane] += f_over;
                lanes[4][lane] += inverse;
                lanes[5][lane] += f * f_over;
            }
        }
        for (lane, (d, share)) in last_moves.iter().zip(last_shares).enumerate() {
            let f = share * scale;
            let inverse = 1.0 / (a + b * f);
            let terms = [d * d, f * d, *d, f, 1.0, f * f];
            for (sum, term) in lanes.iter_mut().zip(terms) {
                sum[lane] += term * inverse;
            }
        }
        let [square, cross, moved, share, one, weight] = lanes.map(add);
        Sums { square, cross, moved, share, one, rest: 1.0 - weight }
    }
}

/// The sum of the lanes, always in one order, so that every machine rounds alike.
fn add(lanes: [f64; LANES]) -> f64 {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// A, B, C, F, H and G of the module's table, in this order.
struct Sums {
    square: f64,
    cross: f64,
    moved: f64,
    share: f64,
    one: f64,
    rest: f64,
}

impl Sums {
    /// νT.
    fn projected(&self) -> f64 {
        let slope = self.cross / self.rest;
        let off = self.moved + self.share * slope;
        let found = self.square + self.cross * slope - off * off / (self.one + self.share * self.share / self.rest);
        found.max(0.0)
    }
}

/// χ² with one number of degrees of freedom m: Q(m/2, x/2) = e^(−x/2) · polynomial, and for odd m erfc √(x/2) besides.
#[derive(Debug, Clone)]
struct Survival {
    odd: bool,
    /// Of x/2 for even m, 1/j!; of x for odd m, 1/(1·3·5…(2j + 1)); the highest power first.
    coefficients: Vec<f64>,
}

impl Survival {
    fn new(df: usize) -> Self {
        let odd = df % 2 == 1;
        let mut term = 1.0;
        let mut coefficients = Vec::with_capacity(df / 2);
        for j in 0..df / 2 {
            if j > 0 {
                term /= if odd { (2 * j + 1) as f64 } else { j as f64 };
            }
            coefficients.push(term);
        }
        coefficients.reverse();
        Self { odd, coefficients }
    }

    fn at(&self, statistic: f64) -> f64 {
        let half = statistic / 2.0;
        let at = if self.odd { statistic } else { half };
        let polynomial = self.coefficients.iter().fold(0.0, |sum, coefficient| sum * at + coefficient);
        let decay = libm::exp(-half);
        // Far out the polynomial overflows where the product is 0.
        let product = if decay == 0.0 { 0.0 } else { decay * polynomial };
        if !self.odd {
            return product;
        }
        let root = libm::sqrt(half);
        libm::erfc(root) + 2.0 * libm::sqrt(half / core::f64::consts::PI) * product
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::chi_squared_survival;
    use crate::estimate::Matrix;
    use crate::spec::{Mechanism, Randomizer, Weights};

    /// T by dense algebra: all cells less the last, which is one way to project the vector of ones out.
    fn dense(channel: &Channel, then: (&[f64], u64), now: (u64, &[u32])) -> f64 {
        let k = then.0.len();
        let support: Vec<u64> = now.1.iter().map(|count| u64::from(*count)).collect();
        let shares = channel.shares(now.0, &support).expect("reports");
        let (n1, n2) = (then.1 as f64, now.0 as f64);
        let pool = |(a, b): (&f64, &f64)| ((n1 * a + n2 * b) / (n1 + n2)).max(0.0);
        let pooled: Vec<f64> = then.0.iter().zip(&shares).map(pool).collect();
        let total: f64 = pooled.iter().sum();
        let one = channel.covariance(&pooled.iter().map(|share| share / total).collect::<Vec<_>>(), 1.0);
        let nu = 1.0 / n1 + 1.0 / n2;
        let last = k - 1;
        let covariance =
            Matrix::from_fn(last, |u, v| nu * (one.at(u, v) - one.at(u, last) - one.at(last, v) + one.at(last, last)));
        let d: Vec<f64> = shares.iter().zip(then.0).map(|(now, then)| now - then).collect();
        let contrasts: Vec<f64> = (0..last).map(|cell| d[cell] - d[last]).collect();
        covariance.inverse_quadratic(&contrasts).expect("positive definite")
    }

    #[test]
    fn agrees_with_dense_algebra_for_every_exchangeable_channel() {
        let weights = Weights { of_true: 3 << 32, of_false: 1 << 32 };
        let mechanisms = [
            Mechanism::KAry,
            Mechanism::SubsetSelection { subset_size: 3 },
            Mechanism::OptimizedUnary,
            Mechanism::LocalHashing { hash_range: 4 },
            Mechanism::Hadamard,
        ];
        for k in [2_usize, 5, 16, 19] {
            let then: Vec<f64> = (0..k).map(|v| 2.0 * (v as f64 + 1.0) / (k * (k + 1)) as f64).collect();
            for mechanism in mechanisms {
                if matches!(mechanism, Mechanism::SubsetSelection { .. }) && k <= 3 {
                    continue;
                }
                let channel = Channel::of(&Randomizer { mechanism, weights }, k).expect("shares");
                // As if the shares had turned round, but for some noise.
                let (q, spread) =
                    (channel.false_probability(), channel.keep_probability() - channel.false_probability());
                let count = |v: usize| libm::round(4_000.0 * (q + spread * then[k - 1 - v])) as u32 + v as u32 % 7;
                let counts: Vec<u32> = (0..k).map(count).collect();
                let evaluator = Evaluator::new(&channel, &then, 9_000, 1e-4).expect("exchangeable");
                let found = evaluator.evaluate(4_000, &counts).expect("reports");
                let expected = dense(&channel, (&then, 9_000), (4_000, &counts));
                let error = (found.statistic / expected - 1.0).abs();
                assert!(error < 1e-10, "{mechanism:?} k {k}: {} and {expected}", found.statistic);
                let gain = 1e-4 / (1.0 / 9_000.0 + 1.0 / 4_000.0);
                let log_e = gain * expected / (2.0 * (1.0 + gain)) - (k - 1) as f64 / 2.0 * libm::log1p(gain);
                assert!((found.log_e - log_e).abs() < 1e-9 * log_e.abs().max(1.0));
            }
        }
    }

    #[test]
    fn survival_is_that_of_the_incomplete_gamma_function() {
        for df in [1, 2, 3, 8, 15, 63, 255] {
            let survival = Survival::new(df);
            for statistic in [0.0, 1e-3, 0.7, 5.0, 15.0, 40.0, 200.0, 900.0] {
                let (found, expected) = (survival.at(statistic), chi_squared_survival(statistic, df));
                assert!((found - expected).abs() <= 1e-12 * expected, "df {df} at {statistic}: {found}, {expected}");
            }
            assert_eq!(survival.at(1e6), 0.0);
        }
    }

    #[test]
    fn what_cannot_be_compared() {
        let weights = Weights { of_true: 3, of_false: 1 };
        let channel = Channel::of(&Randomizer { mechanism: Mechanism::KAry, weights }, 3).expect("shares");
        let shares = [0.2, 0.3, 0.5];
        assert!(Evaluator::new(&channel, &shares, 0, 1e-4).is_none(), "no reports");
        assert!(Evaluator::new(&channel, &shares, 10, 0.0).is_none(), "no prior");
        let evaluator = Evaluator::new(&channel, &shares, 10, 1e-4).expect("a reference");
        assert_eq!(evaluator.evaluate(0, &[0, 0, 0]), None);
        let plane = Mechanism::ProjectiveGeometry { field_size: 2, dimension: 3 };
        let plane = Channel::of(&Randomizer { mechanism: plane, weights }, 3).expect("shares");
        assert!(Evaluator::new(&plane, &shares, 10, 1e-4).is_none(), "not exchangeable");
    }
}
