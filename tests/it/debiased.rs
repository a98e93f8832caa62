//! De-biased distances cover the true one as often as they say, and have little bias, by simulation.
//!
//! 8 ordered cells, optimized unary encoding at ε = 1, n = 10⁴ reports in the reference and as many now, without a
//! shift and with one of 0.3 standard deviations. A report's bits are independent given its symbol, so supports are
//! drawn exactly, as sums of two binomials. Nominal cover 90 %, 60 pairs per case, seed 4. The number of covered
//! pairs is Bin(60, ≥ 0.9): below 44 with probability 6e-5 each, 1e-3 for all 16. Where nothing changed an estimate
//! is 0 in half of the pairs, Bin(60, 1/2): more than 44 above 0 with probability 7e-5. At the shift the mean is
//! within 4.5 standard errors and 15 % of a standard deviation, for what is of second order. The whole table is that
//! of the bench `drift --calibration --only effects`, with 2,000 pairs a case.

use driftglass::drift::{DebiasedPair, Distance, normal_quantile};
use driftglass::estimate::{Channel, Estimate, Matrix};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Binomial, Distribution};

const CELLS: usize = 8;
const PAIRS: u32 = 60;
const REPORTS: u64 = 10_000;
const POSITIONS: [f64; CELLS] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];
const DISTANCES: [Distance<'static>; 8] = [
    Distance::Psi,
    Distance::Ks,
    Distance::JensenShannon,
    Distance::Hellinger,
    Distance::Wasserstein,
    Distance::WassersteinNormed(&POSITIONS),
    Distance::LInfinity,
    Distance::TotalVariation,
];

fn binomial(n: u64, p: f64, rng: &mut SmallRng) -> u64 {
    Binomial::new(n, p.clamp(0.0, 1.0)).expect("a probability").sample(rng)
}

fn estimate(shares: &[f64], channel: &Channel, rng: &mut SmallRng) -> Estimate {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    let (mut left, mut mass) = (REPORTS, 1.0);
    let support: Vec<u64> = (shares.iter().enumerate())
        .map(|(cell, share)| {
            let count = if cell + 1 == shares.len() { left } else { binomial(left, share / mass, rng) };
            left -= count;
            mass -= share;
            binomial(count, p, rng) + binomial(REPORTS - count, q, rng)
        })
        .collect();
    channel.estimate(REPORTS, &support).expect("reports")
}

/// Shares of N(shift, 1) in the cells whose edges are the quantiles of N(0, 1).
fn located(shift: f64) -> Vec<f64> {
    let below = |edge: usize| match edge {
        0 => 0.0,
        CELLS => 1.0,
        edge => libm::erfc((shift - normal_quantile(edge as f64 / CELLS as f64)) / core::f64::consts::SQRT_2) / 2.0,
    };
    (0..CELLS).map(|cell| below(cell + 1) - below(cell)).collect()
}

fn pair_without_noise(after: &[f64], before: &[f64]) -> DebiasedPair {
    let exact = |shares: &[f64]| Estimate { shares: shares.to_vec(), covariance: Matrix::symmetric(CELLS, |_, _| 0.0) };
    DebiasedPair::new(&exact(after), &exact(before))
}

#[test]
fn cover_and_bias() {
    let mut rng = SmallRng::seed_from_u64(4);
    let channel = Channel::unary(CELLS, 0.5, 1.0 / (1.0 + libm::exp(1.0)));
    for shift in [0.0, 0.3] {
        let [before, after] = [located(0.0), located(shift)];
        let truth = pair_without_noise(&after, &before);
        let pairs: Vec<DebiasedPair> = (0..PAIRS)
            .map(|_| {
                let then = estimate(&before, &channel, &mut rng);
                DebiasedPair::new(&estimate(&after, &channel, &mut rng), &then)
            })
            .collect();
        for distance in DISTANCES {
            let true_one = truth.debiased(distance, 0.9).raw;
            let (mut covered, mut above, mut sum, mut squares, mut raw) = (0, 0, 0.0, 0.0, 0.0);
            for pair in &pairs {
                let found = pair.debiased(distance, 0.9);
                let off = found.estimate - true_one;
                covered += u32::from(found.interval.contains(true_one));
                above += u32::from(off > 0.0);
                sum += off;
                squares += off * off;
                raw += found.raw - true_one;
            }
            let n = f64::from(PAIRS);
            let (bias, raw) = (sum / n, raw / n);
            let deviation = (squares / n - bias * bias).sqrt();
            assert!(covered >= 44, "shift {shift}, {distance:?}: {covered} of {PAIRS} covered");
            if shift == 0.0 {
                assert!(above <= 44, "{distance:?}: {above} of {PAIRS} above 0");
                assert!(bias < 0.85 * raw, "{distance:?}: {bias}, raw {raw}");
            } else {
                let bound = deviation * (4.5 / n.sqrt() + 0.15);
                assert!(bias.abs() < bound, "{distance:?}: {bias}, more than {bound}");
            }
        }
    }
}
