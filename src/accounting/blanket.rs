//! What an anonymous crowd adds, for one randomizer: the privacy blanket.
//!
//! **Promise.** [`upper`] bounds the ε at which n shuffled reports of this randomizer are (ε, δ)-DP. It needs the
//! randomizer's law and is tighter than [`shuffle::upper`](super::shuffle::upper) where the law leaves more to chance
//! than the worst ε₀-LDP law does; both hold, so the smaller counts.
//!
//! *Papers*: Balle, Bell, Gascón and Nissim, "The privacy blanket of the shuffle model", CRYPTO 2019; Su, Cheng and
//! Wang, arXiv 2504.07414, show that no other decomposition of this kind does better.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | R_x | `first`, `second` | law of a report given x₀, given x₁: mass of a class | \[0, 1\] |
//! | γω | `blanket` | Σ over the class of min_x R_x(y): what a report gives whatever the input | (0, `first`\] |
//! | X_i | | (R_x₀ − e^ε R_x₁)/γω of a class with probability γω, else 0 | |
//! | S | | X_1 + … + X_n, so that **δ(ε) ≤ E\[max(0, S)\]/n** | |
//! | m(s) | `moment` | E e^(sX) | |
//! | τ | `tilt` | where the line of integration crosses the real axis | > 0 |
//! | σ | `smoothing` | deviation of the noise added to S | |
//! | h | `spacing` | distance of the points of integration | |
//! | u | | position on the line s = τ + iu | |
//!
//! **How E\[max(0, S)\] is bounded.** max(0, ·) is convex, so independent noise of mean 0 can only raise the
//! expectation (Jensen); let S' = S + N(0, σ²). The Fourier transform of y ↦ e^(τy) E\[max(0, S' − y)\] is F(τ + iu) =
//! m(s)ⁿ e^(σ²s²/2)/s² at s = τ + iu. By Poisson's summation formula (h/2π) Σ_k F(τ + ikh) = Σ_j e^(τ y_j) E\[max(0, S'
//! − y_j)\], y_j = 2πj/h. The term j = 0 is what is wanted and **no term is negative**: so the sum is a bound from
//! above for every h, σ and τ. It is cut at σu = 8.5; what |F| ≤ F(τ) e^(−σ²u²/2) τ²/u² allows beyond is added. No grid
//! of values is laid, so n costs nothing.
//!
//! τ minimizes F; h makes the terms j ≠ 0 vanish; σ is 1/200 of the deviation of S at τ, which costs about 1.5e-5 of ε
//! (measured against the exact law of three-ary randomized response at n = 10^7; `cargo bench --bench accounting`).
//!
//! **Rounding**: n ln m errs by at most some n·2^−52 in the phase; an allowance of that size times Σ|F| is added.
//!
//! **Cost**: about 3,250 points, each two sines for each class, for each of about a dozen steps; never more than 8,192
//! points, so a crowd too small for its ε₀ and δ gets a looser figure; it is then near ε₀, and finding that takes up to
//! 0.7 s instead of some milliseconds.
//!
//! **Limits**: the pair (x₀, x₁) must be the worst; for randomizers that treat all symbols alike every pair is. What
//! [`shuffle`](super::shuffle) says about anonymizers holds here too.

use super::solve::bracket;
use super::{Delta, Epsilon, PairLaw, PairLawError};

/// σ as a share of the deviation of S.
const SMOOTHING: f64 = 1.0 / 200.0;

/// The line ends where σu is this: e^(−8.5²/2) < 2.1e-16.
const END: f64 = 8.5;

/// More points than this are not evaluated; the line is shortened by more smoothing instead. About 3,250 are needed
/// where δ is the tail of a sum of many terms.
const MAX_POINTS: f64 = 8_192.0;

/// By how much a blanket may exceed a mass, relative.
const TOLERANCE: f64 = 1e-9;

/// Outputs that have the same ratio of both masses and the blanket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlanketClass {
    /// Probability of the class given x₀.
    pub first: f64,
    /// Probability of the class given x₁.
    pub second: f64,
    /// Sum over the class of the least probability given any input.
    pub blanket: f64,
}

/// The law of a randomizer on its worst pair of inputs, together with its blanket.
#[derive(Debug, Clone, PartialEq)]
pub struct BlanketLaw {
    pair: PairLaw,
    classes: Vec<BlanketClass>,
}

/// Classes that are not such a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlanketError {
    /// The blanket is not above 0, or exceeds one of the masses.
    #[error("the blanket of class {class} must be above 0 and at most both of its masses")]
    Blanket {
        /// Position in the list.
        class: usize,
    },
    /// The masses are not the law of a locally private randomizer.
    #[error(transparent)]
    Pair(#[from] PairLawError),
    /// See [`BlanketLaw::subset_selection`].
    #[error("a subset must have at least one symbol and leave out at least one of the domain's")]
    Subset,
}

impl BlanketLaw {
    /// From classes in any order.
    ///
    /// # Errors
    ///
    /// [`BlanketError::Blanket`], [`BlanketError::Pair`].
    pub fn new(classes: Vec<BlanketClass>) -> Result<Self, BlanketError> {
        let fits = |class: &BlanketClass| {
            class.blanket > 0.0 && class.blanket <= f64::min(class.first, class.second) * (1.0 + TOLERANCE)
        };
        if let Some(class) = classes.iter().position(|class| !fits(class)) {
            return Err(BlanketError::Blanket { class });
        }
        let pair = PairLaw::new(classes.iter().map(|class| (class.first, class.second)).collect())?;
        Ok(Self { pair, classes })
    }

    /// Subset selection of `subset_size` among `domain_size` symbols; with size 1, k-ary randomized response.
    ///
    /// A set has probability E/N if it holds the input and 1/N if not, so the blanket is uniform: N is the sum over all
    /// sets, and shares of sets are counted by whether they hold x₀ and x₁.
    ///
    /// # Errors
    ///
    /// [`BlanketError::Subset`] unless 1 ≤ `subset_size` < `domain_size`.
    pub fn subset_selection(epsilon: Epsilon, domain_size: u32, subset_size: u32) -> Result<Self, BlanketError> {
        if subset_size == 0 || subset_size >= domain_size {
            return Err(BlanketError::Subset);
        }
        let (e, k, w) = (libm::exp(epsilon.nats()), f64::from(domain_size), f64::from(subset_size));
        let pairs = k * (k - 1.0);
        let (both, one, none) = (w * (w - 1.0) / pairs, w * (k - w) / pairs, (k - w) * (k - w - 1.0) / pairs);
        let blanket = k / (w * e + (k - w));
        let class = |share: f64, first: f64, second: f64| {
            let blanket = share * blanket;
            BlanketClass { first: first * blanket, second: second * blanket, blanket }
        };
        let classes = [class(both, e, e), class(one, e, 1.0), class(one, 1.0, e), class(none, 1.0, 1.0)];
        Self::new(classes.into_iter().filter(|class| class.blanket > 0.0).collect())
    }

    /// The same law without its blanket: what composition needs.
    #[must_use]
    pub fn pair(&self) -> &PairLaw {
        &self.pair
    }

    fn swapped(&self) -> Self {
        let swap = |class: &BlanketClass| BlanketClass { first: class.second, second: class.first, ..*class };
        Self { pair: self.pair.swapped(), classes: self.classes.iter().map(swap).collect() }
    }

    fn sorted(&self) -> Vec<BlanketClass> {
        let mut classes = self.classes.clone();
        let order = |a: &BlanketClass, b: &BlanketClass| {
            a.first.total_cmp(&b.first).then(a.second.total_cmp(&b.second)).then(a.blanket.total_cmp(&b.blanket))
        };
        classes.sort_by(order);
        classes
    }
}

/// The shuffled reports of this randomizer reveal at most this at δ, whichever of the two inputs is the true one.
#[must_use]
pub fn upper(law: &BlanketLaw, reports: u32, delta: Delta) -> f64 {
    let swapped = law.swapped();
    // Most laws are their own mirror image; then one direction says it all.
    let directions = if swapped.sorted() == law.sorted() { &[law][..] } else { &[law, &swapped][..] };
    let curve = |epsilon: f64| directions.iter().map(|law| curve(law, reports, epsilon)).fold(0.0, f64::max);
    bracket(delta.probability(), law.pair.epsilon().nats(), curve).1
}

/// A bound from above of E\[max(0, S)\]/n.
fn curve(law: &BlanketLaw, reports: u32, epsilon: f64) -> f64 {
    let step = Step::new(law, epsilon);
    let n = f64::from(reports.max(1));
    // Every X is at most 0.
    if step.largest() <= 0.0 {
        return 0.0;
    }
    let tilt = step.tilt(n);
    let (moment, values) = step.tilted(tilt);
    let mean: f64 = values.iter().map(|(x, mass)| mass * x).sum();
    let square: f64 = values.iter().map(|(x, mass)| mass * x * x).sum();
    let variance = n * f64::max(0.0, square - mean * mean);
    let deviation = f64::max(libm::sqrt(variance), step.largest());
    // The terms j ≠ 0 lie 2π/h from 0: a dozen deviations, and fifty e-folds of e^(−τy).
    let spacing = 2.0 * core::f64::consts::PI / f64::max(12.0 * deviation, 50.0 / tilt);
    let smoothing = f64::max(SMOOTHING * deviation, END / (MAX_POINTS * spacing));
    let end = END / smoothing;

    // F(τ + iu) over F(τ) τ², so that every factor is at most 1 but for 1/s².
    let integrand = |u: f64| {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (x, mass) in &values {
            let half = libm::sin(0.5 * u * x);
            real -= 2.0 * mass * half * half;
            imaginary += mass * libm::sin(u * x);
        }
        let ln_size = 0.5 * n * libm::log1p(2.0 * real + real * real + imaginary * imaginary);
        let gauss = 0.5 * smoothing * smoothing * u * u;
        let phase =
            n * libm::atan2(imaginary, 1.0 + real) + smoothing * smoothing * tilt * u - 2.0 * libm::atan2(u, tilt);
        let size = libm::exp(ln_size - gauss) / (tilt * tilt + u * u);
        (size * libm::cos(phase), size)
    };
    let mut sum = 1.0 / (tilt * tilt);
    let mut sizes = sum;
    let mut u = spacing;
    let mut k = 1.0;
    while u <= end {
        let (real, size) = integrand(u);
        sum += 2.0 * real;
        sizes += 2.0 * size;
        k += 1.0;
        u = k * spacing;
    }
    // Both tails: at most 2 ∫ e^(−σ²u²/2)/u² du, from the last point on. There are over 3,000 points, so it is not 0.
    let last = u - spacing;
    let tail = 2.0 * libm::exp(-0.5 * smoothing * smoothing * last * last) / last;
    let rounding = 4.0 * f64::EPSILON * n * (1.0 + end * step.span()) * sizes;
    let scale = libm::exp(n * libm::log(moment) + 0.5 * smoothing * smoothing * tilt * tilt);
    scale * (spacing * (sum + rounding) + tail) / (2.0 * core::f64::consts::PI) / n
}

/// The law of X at one ε: value and probability of each class. What is left of the probability is X = 0.
struct Step {
    values: Vec<(f64, f64)>,
}

impl Step {
    fn new(law: &BlanketLaw, epsilon: f64) -> Self {
        let growth = libm::exp(epsilon);
        let value = |class: &BlanketClass| ((class.first - growth * class.second) / class.blanket, class.blanket);
        Self { values: law.classes.iter().map(value).collect() }
    }

    fn largest(&self) -> f64 {
        self.values.iter().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max)
    }

    /// max |X|.
    fn span(&self) -> f64 {
        self.values.iter().map(|(x, _)| libm::fabs(*x)).fold(0.0, f64::max)
    }

    /// m(τ), and the law of X under the density e^(τX)/m(τ).
    fn tilted(&self, tilt: f64) -> (f64, Vec<(f64, f64)>) {
        let moment = 1.0 + self.values.iter().map(|(x, mass)| mass * libm::expm1(tilt * x)).sum::<f64>();
        let values = self.values.iter().map(|(x, mass)| (*x, mass * libm::exp(tilt * x) / moment)).collect();
        (moment, values)
    }

    /// Where n ln m(τ) − 2 ln τ is least. It is convex; its derivative n E_τ X − 2/τ is followed by halving.
    fn tilt(&self, n: f64) -> f64 {
        let is_past = |tilt: f64| self.tilted(tilt).1.iter().map(|(x, mass)| mass * x).sum::<f64>() * n * tilt > 2.0;
        let mut high = 1.0 / (self.span() * n);
        // The second condition holds back laws with masses so small that e^(τX) would overflow first.
        while !is_past(high) && high * self.largest() < 300.0 {
            high *= 2.0;
        }
        let mut low = 0.5 * high;
        // 2^−20 of the best tilt: F is flat there, and any tilt gives a bound.
        for _ in 0..20 {
            let middle = 0.5 * (low + high);
            if is_past(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(nats: f64, domain_size: u32, subset_size: u32) -> BlanketLaw {
        let epsilon = Epsilon::new(nats).expect("an epsilon");
        BlanketLaw::subset_selection(epsilon, domain_size, subset_size).expect("a law")
    }

    /// E[max(0, S)]/n by adding up all sequences of classes.
    fn by_enumeration(law: &BlanketLaw, reports: u32, epsilon: f64) -> f64 {
        let step = Step::new(law, epsilon);
        let rest = 1.0 - step.values.iter().map(|(_, mass)| mass).sum::<f64>();
        let mut sums = vec![(0.0, 1.0)];
        for _ in 0..reports {
            let outcomes = || step.values.iter().copied().chain([(0.0, rest)]);
            sums = sums.iter().flat_map(|(s, p)| outcomes().map(move |(x, mass)| (s + x, p * mass))).collect();
        }
        sums.iter().map(|(s, p)| f64::max(0.0, *s) * p).sum::<f64>() / f64::from(reports)
    }

    /// Never below, and above by no more than the smoothing can cost: E\[max(0, S + Z)\] − E\[max(0, S)\] is largest at
    /// S = 0, where it is σ/sqrt(2π); and σ is at most 1/200 of sqrt(n) (max X − min X). The terms j ≠ 0 get 1e-9.
    #[test]
    fn the_integral_bounds_the_enumerated_sum() {
        for law in [law(1.0, 3, 1), law(2.0, 4, 2), law(0.5, 8, 3)] {
            for reports in [1, 2, 6] {
                for share in [0.0, 0.3, 0.7] {
                    let epsilon = share * law.pair.epsilon().nats();
                    let exact = by_enumeration(&law, reports, epsilon);
                    let found = curve(&law, reports, epsilon);
                    let n = f64::from(reports);
                    let range = 2.0 * Step::new(&law, epsilon).span();
                    let smoothing = range * libm::sqrt(n) * SMOOTHING;
                    let cost = smoothing / libm::sqrt(2.0 * core::f64::consts::PI) / n;
                    assert!(exact <= found && found <= exact + cost + 1e-9, "{reports} {epsilon}: {exact} {found}");
                }
            }
        }
    }

    #[test]
    fn a_crowd_of_one_hides_nothing() {
        // δ(ε) of three-ary randomized response alone: (E − e^ε)/(E + 2).
        let e = libm::exp(1.0);
        let alone = libm::log(e - 0.01 * (e + 2.0));
        let found = upper(&law(1.0, 3, 1), 1, Delta::new(0.01).expect("a delta"));
        assert!(alone <= found && found <= 1.0, "{found} {alone}");
    }

    #[test]
    fn laws_hold_together() {
        for law in [law(1.0, 3, 1), law(3.0, 16, 5), law(1.0, 2, 1)] {
            assert_eq!(BlanketLaw::new(law.classes.clone()), Ok(law));
        }
    }

    #[test]
    fn faulty_laws_are_refused() {
        let class = |first, second, blanket| BlanketClass { first, second, blanket };
        let refused = |classes: &[BlanketClass]| BlanketLaw::new(classes.to_vec()).expect_err("a fault");
        assert_eq!(refused(&[class(0.5, 0.5, 0.5), class(0.5, 0.5, 0.0)]), BlanketError::Blanket { class: 1 });
        assert_eq!(refused(&[class(0.5, 0.4, 0.45)]), BlanketError::Blanket { class: 0 });
        assert_eq!(refused(&[class(f64::NAN, 0.5, 0.1)]), BlanketError::Pair(PairLawError::Mass { class: 0 }));
        assert_eq!(refused(&[class(0.5, 0.5, 0.1)]), BlanketError::Pair(PairLawError::Sum));
        let epsilon = Epsilon::new(1.0).expect("an epsilon");
        for size in [0, 4, 5] {
            assert_eq!(BlanketLaw::subset_selection(epsilon, 4, size), Err(BlanketError::Subset));
        }
    }
}
