//! What many reports of one device compose to.
//!
//! **Promise.** Each function bounds from above the ε at which `count` reports together are (ε, δ)-LDP, for reports
//! that may be chosen adaptively; none exceeds the basic sum.
//!
//! *Papers*: optimal composition: Kairouz, Oh and Viswanath, "The composition theorem for differential privacy", ICML
//! 2015, theorem 3.3 (with the whole curve δ(ε') as in Murtagh and Vadhan, TCC 2016). Rényi: Mironov, CSF 2017,
//! proposition 1; the conversion is Canonne, Kamath and Steinke, "The discrete Gaussian for differential privacy",
//! NeurIPS 2020, proposition 12. zCDP: Bun and Steinke, TCC 2016, lemma 1.7.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | ε, E | `epsilon` | pure parameter of one report in nats, e^ε | 0–64 |
//! | T | `count` | reports | any |
//! | δ | `delta` | probability of failure | (0, 1) |
//! | ε' | `total` | what is bounded, nats | 0–T ε |
//! | α, t | `t` | order of the divergence, α − 1 | > 0 |
//! | `K(t)` | `log_moment` | t times the sum of the divergences of order 1 + t | |
//!
//! **Cost**: optimal, O(sqrt(T)) exponentials for each of about a dozen steps; Rényi, about 90 divergences. **Does not
//! protect** more than the ledger does: these are other readings of the same spending.

use super::binomial::{SLACK, Window};
use super::pair_law::PairLaw;
use super::solve::bracket;
use super::{Delta, Epsilon};

/// Share of δ that the truncation of the optimal curve may cost.
const CUT: f64 = 1e-9;

/// The sum T ε. Holds with δ = 0.
#[must_use]
pub fn basic(epsilon: Epsilon, count: u32) -> f64 {
    f64::from(count) * epsilon.nats()
}

/// The least ε' that holds for every composition of `count` ε-LDP reports.
///
/// Solves δ(ε') = Σ_l C(T,l) E^l / (1+E)^T · max(0, 1 − e^(ε' − (2l−T) ε)). The sum runs over the l that carry all but
/// 1e-9 of δ; the mass beyond is added whole, because max(0, 1 − …) is at most 1.
#[must_use]
pub fn optimal(epsilon: Epsilon, count: u32, delta: Delta) -> f64 {
    let nats = epsilon.nats();
    let (truth, lie) = (1.0 / (1.0 + libm::exp(-nats)), 1.0 / (1.0 + libm::exp(nats)));
    let window = Window::new(count, truth, lie, CUT * delta.probability());
    let curve = |total: f64| {
        let loss = |truths: u32| (2.0 * f64::from(truths) - f64::from(count)) * nats;
        let sum: f64 = window
            .iter()
            .map(|(truths, mass)| (loss(truths), mass))
            .filter(|(loss, _)| *loss > total)
            .map(|(loss, mass)| mass * -libm::expm1(total - loss))
            .sum();
        sum * (1.0 + SLACK) + window.below + window.above
    };
    bracket(delta.probability(), basic(epsilon, count), curve).1
}

/// From the exact law of the randomizer, by the Rényi divergences of its worse direction.
#[must_use]
pub fn renyi(law: &PairLaw, count: u32, delta: Delta) -> f64 {
    renyi_of_several(&[(law, count)], delta)
}

/// The same for reports of several randomizers: `(law, number of reports)` each.
///
/// For each order and randomizer the worse direction is taken, because neighbors may differ one way in one report and
/// the other way in the next.
#[must_use]
pub fn renyi_of_several(reports: &[(&PairLaw, u32)], delta: Delta) -> f64 {
    let log_moment = |t: f64| reports.iter().map(|(law, count)| f64::from(*count) * law.worst_log_moment(t)).sum();
    let sum: f64 = reports.iter().map(|(law, count)| basic(law.epsilon(), *count)).sum();
    convert(log_moment, delta).clamp(0.0, sum)
}

/// From ρ of one report (nats): the divergence of order α is at most ρα.
#[must_use]
pub fn zcdp(rho: f64, epsilon: Epsilon, count: u32, delta: Delta) -> f64 {
    let total = f64::from(count) * rho;
    convert(|t| total * t * (1.0 + t), delta).clamp(0.0, basic(epsilon, count))
}

/// min over α > 1 of `D_α + ln((α−1)/α) − (ln δ + ln α)/(α−1)`.
///
/// Times t = α − 1 this is h(t) = K(t) − t ln(1 + 1/t) − ln(1+t) − ln δ: convex, since its part without `K` has the
/// second derivative 1/t − 1/(1+t). So h(t)/t falls and then rises, and a golden-section search over ln t finds its
/// minimum. Every t gives a valid bound; the search decides only how tight it is.
fn convert(log_moment: impl Fn(f64) -> f64, delta: Delta) -> f64 {
    /// 1/φ.
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let ln_delta = libm::log(delta.probability());
    let total = |ln_t: f64| {
        let t = libm::exp(ln_t);
        (log_moment(t) - ln_delta - libm::log1p(t)) / t - libm::log1p(1.0 / t)
    };
    // Orders from 1 + 2e-9 to 5e8: at the ends the δ term alone is beyond 1e8, or below 1e-7, nats for all δ of use.
    let (mut low, mut high) = (-20.0, 20.0);
    let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_left, mut at_right) = (total(left), total(right));
    while high - low > 1e-7 {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - GOLDEN * (high - low);
            at_left = total(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + GOLDEN * (high - low);
            at_right = total(right);
        }
    }
    f64::min(at_left, at_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epsilon(nats: f64) -> Epsilon {
        Epsilon::new(nats).expect("an epsilon")
    }

    fn delta(probability: f64) -> Delta {
        Delta::new(probability).expect("a delta")
    }

    /// One report: δ(ε') = (E − e^ε')/(E + 1) in closed form.
    #[test]
    fn one_report_composes_to_its_closed_form() {
        let found = optimal(epsilon(1.0), 1, delta(0.1));
        let e = libm::exp(1.0);
        let expected = libm::log(e - 0.1 * (e + 1.0));
        assert!(expected <= found && found <= expected * (1.0 + 1e-6), "{found} {expected}");
    }

    #[test]
    fn nothing_composes_to_nothing() {
        let law = PairLaw::randomized_response(epsilon(1.0));
        assert_eq!(optimal(epsilon(1.0), 0, delta(1e-6)), 0.0);
        assert_eq!(optimal(epsilon(0.0), 50, delta(1e-6)), 0.0);
        assert_eq!(renyi(&law, 0, delta(1e-6)), 0.0);
        assert_eq!(zcdp(0.0, epsilon(0.0), 10, delta(1e-6)), 0.0);
        assert_eq!(renyi_of_several(&[], delta(1e-6)), 0.0);
    }

    /// Optimal composition cannot be beaten from ε alone, and all bounds grow with the count.
    #[test]
    fn bounds_are_ordered_and_grow() {
        let law = PairLaw::randomized_response(epsilon(0.05));
        let mut last = 0.0;
        for count in [1, 10, 100, 1_000, 10_000, 1_000_000] {
            let delta = delta(1e-9);
            let (best, by_renyi) = (optimal(epsilon(0.05), count, delta), renyi(&law, count, delta));
            let by_rho = zcdp(law.zcdp(), epsilon(0.05), count, delta);
            let order =
                [last, best, by_renyi * (1.0 + 1e-6), by_rho * (1.0 + 1e-5), basic(epsilon(0.05), count) * 1.001];
            assert!(order.is_sorted(), "{count}: {order:?}");
            last = best;
        }
    }

    #[test]
    fn reports_of_several_randomizers_add_up() {
        let (one, two) = (PairLaw::randomized_response(epsilon(0.5)), PairLaw::randomized_response(epsilon(1.0)));
        let delta = delta(1e-6);
        assert_eq!(renyi_of_several(&[(&one, 20), (&one, 32)], delta), renyi(&one, 52, delta));
        let mixed = renyi_of_several(&[(&one, 50), (&two, 50)], delta);
        assert!(renyi(&one, 100, delta) < mixed && mixed < renyi(&two, 100, delta));
        assert!(mixed <= renyi(&one, 50, delta) + renyi(&two, 50, delta));
    }
}
