//! Certain bounds: of a logarithm by outward rounding, of a probability by Clopper and Pearson.
//!
//! Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
//! Biometrika 26(4), 1934. With x hits of n the lower bound at error α is the p for which P\[at least x hits\] = α,
//! that is I_p(x, n−x+1) = α, where I is the regularized incomplete beta function; the upper bound likewise.

use num_bigint::BigUint;

use crate::law::Fraction;
use crate::verdict::Enclosure;

/// ln of a fraction, both ends rounded outward.
///
/// The quotient is taken of integers scaled so that it has 64 bits, rounded down and up; `libm::log` errs by less
/// than one ulp, and two are given.
///
/// # Panics
///
/// If the fraction is 0.
#[must_use]
pub fn ln(fraction: &Fraction) -> Enclosure {
    assert!(fraction.numerator > BigUint::ZERO, "the logarithm of a positive number");
    // x = m · 2^e with m of 64 bits.
    let shift = 64 + fraction.denominator.bits() as i64 - fraction.numerator.bits() as i64;
    let (above, below) = match u64::try_from(shift) {
        Ok(shift) => (&fraction.numerator << shift, fraction.denominator.clone()),
        Err(_) => (fraction.numerator.clone(), &fraction.denominator << shift.unsigned_abs()),
    };
    let quotient = &above / &below;
    // Fits: the quotient has 64 or 65 bits.
    let quotient = quotient.iter_u64_digits().rev().fold(0_u128, |sum, digit| sum << 64 | u128::from(digit));
    let down = (quotient as f64).next_down();
    let up = ((quotient + 1) as f64).next_up();
    let scale = libm::ldexp(1.0, -(shift as i32));
    let two_ulps = |x: f64, outward: fn(f64) -> f64| outward(outward(x));
    Enclosure {
        lower: two_ulps(libm::log(down * scale), f64::next_down),
        upper: two_ulps(libm::log(up * scale), f64::next_up),
    }
}

/// The lower bound of a probability that gave `hits` of `trials`, wrong with probability `error` at most.
#[must_use]
pub fn lower(hits: u64, trials: u64, error: f64) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    let (a, b) = (hits as f64, (trials - hits) as f64 + 1.0);
    bisect(|p| incomplete_beta(a, b, p) > error).0
}

/// The upper bound.
#[must_use]
pub fn upper(hits: u64, trials: u64, error: f64) -> f64 {
    if hits == trials {
        return 1.0;
    }
    let (a, b) = (hits as f64 + 1.0, (trials - hits) as f64);
    bisect(|p| incomplete_beta(b, a, 1.0 - p) < error).1
}

/// Both sides of the place in (0, 1) where a predicate turns true.
fn bisect(above: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..100 {
        let middle = low + (high - low) / 2.0;
        if above(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    (low, high)
}

/// I_x(a, b) by Lentz's continued fraction (Press et al., "Numerical recipes", 3rd edition, 6.4).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front =
        libm::exp(libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let keep = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    // Needs of the order of √max(a, b) terms.
    for term in 1..100_000 {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / keep(1.0 + even * d);
        c = keep(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / keep(1.0 + odd * d);
        c = keep(1.0 + odd / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_enclosed() {
        let ln = |a: u64, b: u64| ln(&Fraction { numerator: a.into(), denominator: b.into() });
        // e^3 by its weights in the package's own spec; ln 2 and ln 3/2 to 20 digits.
        for (enclosure, value) in [(ln(2, 1), std::f64::consts::LN_2), (ln(3, 2), 0.405_465_108_108_164_4)] {
            assert!(enclosure.lower <= value && value <= enclosure.upper);
            assert!(enclosure.upper - enclosure.lower < 1e-14);
        }
        assert!(ln(1, 1).lower <= 0.0 && ln(1, 1).upper >= 0.0);
        let small = ln(1, 1 << 60);
        assert!(small.lower < -41.5 && small.upper > -41.6);
    }

    /// With no hits of n the upper bound is 1 − α^(1/n); with n of n the lower bound is α^(1/n).
    #[test]
    fn bounds_at_the_ends_are_powers() {
        for (n, error) in [(10_u64, 0.05), (1_000, 1e-6)] {
            let root = libm::pow(error, 1.0 / n as f64);
            assert!((upper(0, n, error) - (1.0 - root)).abs() < 1e-12);
            assert!((lower(n, n, error) - root).abs() < 1e-12);
        }
    }

    /// By direct summation of the binomial distribution.
    #[test]
    fn bounds_solve_the_binomial_tail() {
        let (hits, trials, error) = (7_u64, 40_u64, 1e-3);
        let tail = |p: f64, from: u64| -> f64 {
            let mut mass = libm::pow(1.0 - p, trials as f64);
            let mut sum = if from == 0 { mass } else { 0.0 };
            for x in 1..=trials {
                mass *= (trials - x + 1) as f64 / x as f64 * p / (1.0 - p);
                sum += if x >= from { mass } else { 0.0 };
            }
            sum
        };
        assert!((tail(lower(hits, trials, error), hits) - error).abs() < 1e-9);
        assert!((1.0 - tail(upper(hits, trials, error), hits + 1) - error).abs() < 1e-9);
    }

    #[test]
    fn large_samples_come_near_the_normal_bound() {
        let (hits, trials) = (2_550_000_u64, 100_000_000_u64);
        let p = hits as f64 / trials as f64;
        // 4.753 standard deviations are an error of 1e-6 on one side.
        let normal = p - 4.753_424 * libm::sqrt(p * (1.0 - p) / trials as f64);
        assert!((lower(hits, trials, 1e-6) - normal).abs() < 1e-3 * (p - normal));
    }
}
