//! Whether nothing alarms too often, however long one looks and at however many metrics.

use fastrand::Rng;

use super::Options;

pub(super) fn run(_options: &Options) {}

/// Mean with its standard error.
pub(super) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, libm::sqrt(squares / (n - 1.0) / n))
}

/// A standard normal draw (Box and Muller, 1958).
pub(super) fn normal(rng: &mut Rng) -> f64 {
    libm::sqrt(-2.0 * libm::log(1.0 - rng.f64())) * libm::cos(2.0 * core::f64::consts::PI * rng.f64())
}

/// A gamma draw of shape a and scale 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000; below shape 1 their section 6).
fn gamma(a: f64, rng: &mut Rng) -> f64 {
    if a < 1.0 {
        return gamma(a + 1.0, rng) * libm::pow(1.0 - rng.f64(), 1.0 / a);
    }
    let d = a - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        if v > 0.0 && libm::log(1.0 - rng.f64()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// Counts of n draws with these probabilities, which sum to 1: one binomial draw a cell.
pub(super) fn multinomial(n: u64, probabilities: &[f64], rng: &mut Rng) -> Vec<u64> {
    let mut counts = vec![0; probabilities.len()];
    multinomial_into(n, probabilities, &mut counts, rng);
    counts
}

fn multinomial_into(n: u64, probabilities: &[f64], counts: &mut [u64], rng: &mut Rng) {
    let (mut left, mut rest) = (n, 1.0);
    let last = probabilities.len() - 1;
    for (count, p) in counts[..last].iter_mut().zip(probabilities) {
        *count = binomial(left, (p / rest).clamp(0.0, 1.0), rng);
        left -= *count;
        rest = (rest - p).max(1e-300);
    }
    counts[last] = left;
}

/// An exact binomial draw: by inversion for a mean below 10, else by transformed rejection (Hörmann, "The generation of
/// binomial random variates", JSCS 46, 1993, algorithm BTRS).
fn binomial(n: u64, p: f64, rng: &mut Rng) -> u64 {
    if p > 0.5 {
        return n - binomial(n, 1.0 - p, rng);
    }
    let size = n as f64;
    if size * p < 10.0 {
        let odds = p / (1.0 - p);
        let mut chance = libm::exp(size * libm::log1p(-p));
        let (mut u, mut count) = (rng.f64(), 0);
        while u > chance && count < n {
            u -= chance;
            chance *= odds * (n - count) as f64 / (count + 1) as f64;
            count += 1;
        }
        return count;
    }
    let spread = libm::sqrt(size * p * (1.0 - p));
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let c = size * p + 0.5;
    let squeeze = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * spread;
    let mode = libm::floor((size + 1.0) * p);
    loop {
        let (u, v) = (rng.f64() - 0.5, 1.0 - rng.f64());
        let distance = 0.5 - libm::fabs(u);
        let count = libm::floor((2.0 * a / distance + b) * u + c);
        if count < 0.0 || count > size {
            continue;
        }
        if distance >= 0.07 && v <= squeeze {
            return count as u64;
        }
        let log_chance = |x: f64| -libm::lgamma(x + 1.0) - libm::lgamma(size - x + 1.0);
        let bound = log_chance(count) - log_chance(mode) + (count - mode) * libm::log(p / (1.0 - p));
        if libm::log(v * alpha / (a / (distance * distance) + b)) <= bound {
            return count as u64;
        }
    }
}
