//! Binomial masses and tails, to about fourteen digits and with bounds for what is cut off.
//!
//! Point masses by Loader's saddle-point form ("Fast and accurate computation of binomial probabilities", 2000): ln of
//! a mass is a sum of small terms, where a difference of log-gammas would lose seven digits at n = 10^7. Runs of masses
//! by the recurrence from the mode. Tails of the fair coin by the continued fraction of the incomplete beta function
//! (NIST DLMF 8.17.22), which takes some tens of terms where the tail is small.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | n | `trials` | number of trials |
//! | p, q | `p`, `q` | probability of success and 1 − p, given apart because 1 − p cannot be formed near 1 |

/// What callers allow for rounding of masses and tails, relative. A window has fewer than 2^20 steps of four roundings
/// each for any `u32` of trials: 2^22 · 2^−53 < 5e-10. A point mass or tail errs by less than 1e-12 (see the tests).
pub(super) const SLACK: f64 = 1e-9;

const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The masses of Bin(n, p) around its mode, and bounds for the mass on either side.
#[derive(Debug)]
pub(super) struct Window {
    /// The number of successes of the first mass.
    pub(super) first: u32,
    pub(super) masses: Vec<f64>,
    /// At least P[X < first], at most the cut asked for.
    pub(super) below: f64,
    /// At least P[X > last], at most the cut asked for.
    pub(super) above: f64,
}

impl Window {
    /// Leaves at most `cut > 0` out on either side. Takes O(sqrt(n p q · ln(1/cut))) time and memory.
    pub(super) fn new(trials: u32, p: f64, q: f64, cut: f64) -> Self {
        let n = f64::from(trials);
        // p ≤ 1, so the floor is at most n + 1.
        let mode = f64::min(n, libm::floor((n + 1.0) * p)) as u32;
        let top = libm::exp(ln_mass(trials, mode, p, q));

        let mut rising = vec![top];
        let (mut k, mut mass) = (mode, top);
        // The ratio of neighbors falls away from the mode, so a geometric series bounds each side.
        let above = loop {
            if k == trials {
                break 0.0;
            }
            let ratio = |k: u32| (n - f64::from(k)) / (f64::from(k) + 1.0) * (p / q);
            mass *= ratio(k);
            let rest = geometric(mass, ratio(k + 1));
            if rest <= cut {
                break rest;
            }
            k += 1;
            rising.push(mass);
        };

        let mut falling = Vec::new();
        (k, mass) = (mode, top);
        let below = loop {
            if k == 0 {
                break 0.0;
            }
            let ratio = |k: u32| f64::from(k) / (n - f64::from(k) + 1.0) * (q / p);
            mass *= ratio(k);
            let rest = geometric(mass, ratio(k - 1));
            if rest <= cut {
                break rest;
            }
            k -= 1;
            falling.push(mass);
        };
        falling.reverse();
        falling.append(&mut rising);
        Self { first: k, masses: falling, below, above }
    }

    /// Number of successes and mass, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        (self.first..).zip(self.masses.iter().copied())
    }
}

/// Σ mass·ratioʲ.
fn geometric(mass: f64, ratio: f64) -> f64 {
    if ratio < 1.0 { mass / (1.0 - ratio) } else { f64::INFINITY }
}

/// ln P[Bin(n, p) = k].
fn ln_mass(trials: u32, k: u32, p: f64, q: f64) -> f64 {
    let (n, x) = (f64::from(trials), f64::from(k));
    if k == 0 {
        return n * libm::log1p(-p);
    }
    if k == trials {
        return n * libm::log1p(-q);
    }
    let y = n - x;
    let stirling = stirling_error(n) - stirling_error(x) - stirling_error(y);
    stirling - deviance(x, n * p) - deviance(y, n * q) - HALF_LN_TWO_PI - 0.5 * (libm::log(x) + libm::log(y / n))
}

/// ln n! − ln(sqrt(2πn) (n/e)ⁿ) for n ≥ 1.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - HALF_LN_TWO_PI;
    }
    // The next term, 1/(1188 n⁹), is below 2^−46 at 16 and is included; the one after is below 1e-16.
    let m = 1.0 / (n * n);
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - m / 1188.0) * m) * m) * m) / n
}

/// x ln(x/μ) + μ − x, without cancellation near x = μ.
fn deviance(x: f64, mean: f64) -> f64 {
    let v = (x - mean) / (x + mean);
    if libm::fabs(v) >= 0.1 {
        return x * libm::log(x / mean) + mean - x;
    }
    // x ln(x/μ) = 2x (v + v³/3 + v⁵/5 + …) and μ − x = −v (x + μ).
    let mut sum = (x - mean) * v;
    let mut power = 2.0 * x * v;
    let mut odd = 3.0;
    loop {
        power *= v * v;
        let next = sum + power / odd;
        if next == sum {
            return sum;
        }
        sum = next;
        odd += 2.0;
    }
}

/// `(P[X = a − 1], P[X ≥ a])` for X ~ Bin(n, 1/2) and a > n/2.
pub(super) fn fair_mass_and_tail(trials: u32, a: u32) -> (f64, f64) {
    if a > trials + 1 {
        return (0.0, 0.0);
    }
    let mass = libm::exp(ln_mass(trials, a - 1, 0.5, 0.5));
    let (n, a) = (f64::from(trials), f64::from(a));
    // P[X ≥ a] = I_½(a, n−a+1) = P[X = a] · ½ · (the fraction), and P[X = a] follows from P[X = a − 1].
    let tail = if a > n { 0.0 } else { mass * ((n - a + 1.0) / a) * 0.5 * beta_fraction(a, n - a + 1.0) };
    (mass, tail)
}

/// 1/(1 + d₁/(1 + d₂/(1 + …))) of NIST DLMF 8.17.22 at x = 1/2, by the modified Lentz algorithm. a > b, where it
/// converges fast.
fn beta_fraction(a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const X: f64 = 0.5;
    let nonzero = |value: f64| if libm::fabs(value) < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * X / (a + 1.0));
    let mut value = d;
    let mut m = 1.0;
    loop {
        let even = m * (b - m) * X / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * X / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        value *= d * c;
        // The fraction is finite when b is an integer: it ends at m = b.
        if libm::fabs(d * c - 1.0) < 4.0 * f64::EPSILON || m >= b {
            return value;
        }
        m += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C(n, k) / 2ⁿ in exact integers, n ≤ 120.
    fn fair_mass_exactly(n: u32, k: u32) -> f64 {
        let choose = (0..k).fold(1_u128, |value, i| value * u128::from(n - i) / u128::from(i + 1));
        choose as f64 / libm::exp2(f64::from(n))
    }

    fn check(what: &str, value: f64, expected: f64, tolerance: f64) {
        assert!(libm::fabs(value - expected) <= tolerance * expected, "{what}: {value}, wanted {expected}");
    }

    #[test]
    fn masses_and_tails_of_the_fair_coin_equal_integer_sums() {
        for n in [0_u32, 1, 2, 3, 7, 30, 31, 32, 64, 120] {
            for a in n / 2 + 1..=n + 1 {
                let (mass, tail) = fair_mass_and_tail(n, a);
                check("mass", mass, fair_mass_exactly(n, a - 1), 2e-13);
                check("tail", tail, (a..=n).rev().map(|k| fair_mass_exactly(n, k)).sum(), 2e-13);
            }
            assert_eq!(fair_mass_and_tail(n, n + 2), (0.0, 0.0));
        }
    }

    /// The tail of a large coin, summed mass by mass with the recurrence.
    #[test]
    fn tails_of_large_coins_equal_sums_of_masses() {
        for (n, deviations) in [(10_000_u32, 0.1), (10_000, 3.0), (1_000_001, 5.0), (5_000_000, 5.5), (5_000_000, 8.0)]
        {
            let a = (f64::from(n) / 2.0 + deviations * libm::sqrt(f64::from(n)) / 2.0) as u32 + 1;
            let (mass, tail) = fair_mass_and_tail(n, a);
            let (mut sum, mut term) = (0.0, mass);
            for k in a..=n {
                term *= f64::from(n - k + 1) / f64::from(k);
                sum += term;
                if term < 1e-18 * sum {
                    break;
                }
            }
            check("tail", tail, sum, 1e-11);
        }
    }

    #[test]
    fn windows_hold_all_but_the_cut() {
        for (n, p) in [(1_u32, 0.3), (10, 0.5), (9_999, 2.0 / 404.0), (100_000, 0.24), (9_999_999, 0.54)] {
            let window = Window::new(n, p, 1.0 - p, 1e-12);
            let total: f64 = window.masses.iter().sum();
            assert!(libm::fabs(total - 1.0) < 5e-12, "n = {n}: {total}");
            assert!(window.below <= 1e-12 && window.above <= 1e-12);
            // The recurrence against the point masses, at both ends.
            let last = window.first + window.masses.len() as u32 - 1;
            check("first", window.masses[0], libm::exp(ln_mass(n, window.first, p, 1.0 - p)), 1e-10);
            check("last", window.masses[window.masses.len() - 1], libm::exp(ln_mass(n, last, p, 1.0 - p)), 1e-10);
        }
    }

    /// P[X < first] of a coin small enough to sum.
    #[test]
    fn what_is_left_out_is_bounded_from_above() {
        for cut in [1e-2, 1e-4, 1e-9] {
            let window = Window::new(100, 0.5, 0.5, cut);
            let below: f64 = (0..window.first).map(|k| fair_mass_exactly(100, k)).sum();
            assert!(0.0 < below && below <= window.below && window.below <= cut, "{below} {}", window.below);
        }
    }

    #[test]
    fn certain_outcomes_need_one_mass() {
        for (p, first) in [(0.0, 0), (1.0, 5)] {
            let window = Window::new(5, p, 1.0 - p, 1e-9);
            assert_eq!((window.first, window.masses.as_slice()), (first, [1.0].as_slice()));
        }
    }
}
