//! What an anonymous crowd adds, for any randomizer: the ε at which n shuffled reports, one a device, are (ε, δ)-DP.
//!
//! **Promise.** [`upper`] holds for every ε₀-LDP randomizer, adaptively chosen; no bound of that kind can lie below
//! [`lower`], which k-ary randomized response over three symbols attains. The closed forms are looser and need no
//! computer.
//!
//! *Papers*: FMT21: Feldman, McMillan and Talwar, "Hiding among the clones", FOCS 2021, theorem 3.1. FMT23: the same
//! authors, "Stronger privacy amplification by shuffling for Rényi and approximate differential privacy", SODA 2023.
//!
//! **Which proof the bounds rest on.** Each report of another device is, with some probability, a *clone*: drawn as if
//! from one of the two inputs in question, each with probability 1/2, whatever the device's true value. For FMT21 that
//! probability is e^−ε₀ in all, and follows in one line from R(x) ≥ e^−ε₀ R(x₀). For FMT23 it is 2/(e^ε₀ + 1); that
//! reduction is **taken from the paper** and not derived again here. What follows from the reduction is computed
//! without further approximation.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | ε₀, E | `epsilon0` | pure parameter of one report in nats, e^ε₀ | 0–64 |
//! | ε | `epsilon` | what is bounded, nats | 0–ε₀ |
//! | n | `reports` | reports **of honest devices** in the batch, all with the same public parameters | ≥ 1 |
//! | C | | other reports that are clones, Bin(n−1, c) | |
//! | T | `coins` | C and the victim's own: fair coins but for one | |
//! | a | | heads among the T | 0–T |
//! | p, q, r | `keep`, `flip`, `hide` | victim is heads, tails, no coin, given x₀; given x₁ p, q swap | p = e^ε₀ q |
//! | b_T, S_T | | mass and survival function of Bin(T, 1/2) | |
//! | w₁, w₀ | `with_victim`, `without` | P\[C = T−1\], P\[C = T\] | |
//!
//! **The sum.** P(a, T) = b_T(a) (w₁ (2/T)(p a + q (T−a)) + w₀ r), and Q swaps p and q. P − e^ε Q grows with a and is
//! positive where the tails T − a are fewer than t* = T (2 w₁ (p − e^ε q) − w₀ r (e^ε − 1)) / (2 w₁ (p − q)(1 + e^ε)):
//! tails and not heads, as t* keeps its digits when e^ε is large. With m = T + 1 − ⌈t*⌉ heads or more the part of δ(ε)
//! at T is w₁ (p − e^ε q) b_{T−1}(m−1) − (e^ε − 1) (w₁ (p+q) S_{T−1}(m) + w₀ r (S_{T−1}(m) + b_{T−1}(m−1)/2)). For the
//! clones r = 0, p = E/(E+1). Three-ary randomized response, when all others hold the third symbol, has r = q, p =
//! E/(E+2) and c = 2/(E+2).
//!
//! **The stride.** T runs in steps of up to T/5000. Throwing one more fair coin of one's own turns the law at T into
//! the law at T + 1, so by post-processing a group of several T is at most as revealing as its least T ([`upper`] uses
//! that one), and telling only its largest T after throwing the missing coins reveals less ([`lower`] does that).
//! Measured cost: at most 6e-5 of ε (`cargo bench --bench accounting`).
//!
//! **Truncation.** C is cut where at most 1e-6 δ is left on either side: [`upper`] adds that mass below and lets the
//! mass above count as the largest group; [`lower`] drops it.
//!
//! **Rounding.** Every positive term is raised, and every negative one lowered, by 1e-9 for [`upper`]; the
//! other way for [`lower`].
//!
//! **Cost**: some hundred binomial tails for each of about a dozen steps.
//!
//! **Does not protect** without a real anonymizer: something must remove the sender, and n counts devices that followed
//! the protocol. A secondary figure, never the headline.

use super::binomial::{SLACK, Window, fair_mass_and_tail};
use super::solve::bracket;
use super::{Delta, Epsilon};

/// Share of δ left out on either side of the clones' law.
const CUT: f64 = 1e-6;

/// A group of T spans at most 1/5000 of T: ln δ moves by about z²/2 < 20 times that, and ln ε by 1/z² of it.
const GROUPS: u32 = 5_000;

/// How many clones a report of another device is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clones {
    /// With probability e^−ε₀ (Feldman, McMillan and Talwar 2021).
    Fmt21,
    /// With probability 2/(e^ε₀ + 1) (Feldman, McMillan and Talwar 2023). Tighter, so the default.
    #[default]
    Fmt23,
}

/// Theorem 3.1 of FMT21: ln(1 + (E−1)/(E+1) · (8 sqrt(E ln(4/δ)/n) + 8E/n)). `None` unless ε₀ ≤ ln(n / (16 ln(2/δ))).
#[must_use]
pub fn fmt21_closed(epsilon0: Epsilon, reports: u32, delta: Delta) -> Option<f64> {
    let (e, n, d) = (libm::exp(epsilon0.nats()), f64::from(reports), delta.probability());
    let in_range = e <= n / (16.0 * libm::log(2.0 / d));
    let amplified = 8.0 * libm::sqrt(e * libm::log(4.0 / d) / n) + 8.0 * e / n;
    in_range.then(|| libm::log1p((e - 1.0) / (e + 1.0) * amplified))
}

/// The closed form of FMT23: ln(1 + (E−1) (4 sqrt(2 ln(4/δ)/((E+1) n)) + 4/n)). `None` unless ε₀ ≤ ln(n / (8 ln(2/δ)) −
/// 1).
#[must_use]
pub fn fmt23_closed(epsilon0: Epsilon, reports: u32, delta: Delta) -> Option<f64> {
    let (e, n, d) = (libm::exp(epsilon0.nats()), f64::from(reports), delta.probability());
    let in_range = e <= n / (8.0 * libm::log(2.0 / d)) - 1.0;
    let amplified = 4.0 * libm::sqrt(2.0 * libm::log(4.0 / d) / ((e + 1.0) * n)) + 4.0 / n;
    in_range.then(|| libm::log1p((e - 1.0) * amplified))
}

/// No ε₀-LDP randomizer reveals more than this at δ, once its reports are shuffled.
#[must_use]
pub fn upper(clones: Clones, epsilon0: Epsilon, reports: u32, delta: Delta) -> f64 {
    let (inverse, e) = (libm::exp(-epsilon0.nats()), libm::exp(epsilon0.nats()));
    let (clone, original) = match clones {
        Clones::Fmt21 => (inverse, -libm::expm1(-epsilon0.nats())),
        Clones::Fmt23 => (2.0 / (e + 1.0), (e - 1.0) / (e + 1.0)),
    };
    let victim = Victim { epsilon0: epsilon0.nats(), keep: 1.0 / (1.0 + inverse), flip: 1.0 / (e + 1.0), hide: 0.0 };
    let window = Window::new(reports.saturating_sub(1), clone, original, CUT * delta.probability());
    let groups = at_their_least(&window);
    let curve = |epsilon: f64| {
        let parts = groups.iter().map(|group| victim.part(group, epsilon));
        let sum: f64 = parts.map(|(gain, loss)| f64::max(0.0, gain * (1.0 + SLACK) - loss * (1.0 - SLACK))).sum();
        sum + window.below
    };
    bracket(delta.probability(), epsilon0.nats(), curve).1
}

/// Some ε₀-LDP randomizer reveals at least this at δ, in spite of the shuffling: three-ary randomized response, when
/// all others hold the third symbol.
#[must_use]
pub fn lower(epsilon0: Epsilon, reports: u32, delta: Delta) -> f64 {
    let e = libm::exp(epsilon0.nats());
    let (keep, flip) = (1.0 / (1.0 + 2.0 * libm::exp(-epsilon0.nats())), 1.0 / (e + 2.0));
    let victim = Victim { epsilon0: epsilon0.nats(), keep, flip, hide: flip };
    let window = Window::new(reports.saturating_sub(1), 2.0 * flip, e * flip, CUT * delta.probability());
    let groups = at_their_largest(&window);
    let curve = |epsilon: f64| {
        let parts = groups.iter().map(|group| victim.part(group, epsilon));
        parts.map(|(gain, loss)| f64::max(0.0, gain * (1.0 - SLACK) - loss * (1.0 + SLACK))).sum()
    };
    bracket(delta.probability(), epsilon0.nats(), curve).0
}

/// What the victim's report can be.
#[derive(Debug, Clone, Copy)]
struct Victim {
    epsilon0: f64,
    keep: f64,
    flip: f64,
    hide: f64,
}

/// Several T treated as one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Group {
    coins: u32,
    with_victim: f64,
    without: f64,
}

impl Victim {
    /// Gain and loss, whose difference is the part of δ(ε) at this T; 0 ≤ ε ≤ ε₀.
    fn part(&self, group: &Group, epsilon: f64) -> (f64, f64) {
        if self.epsilon0 == 0.0 || group.with_victim == 0.0 {
            return (0.0, 0.0);
        }
        let growth = libm::expm1(epsilon);
        // p − e^ε q, where p = e^ε₀ q.
        let edge = self.keep * -libm::expm1(epsilon - self.epsilon0);
        let hidden = group.without * self.hide;
        let rise = 2.0 * group.with_victim * (self.keep - self.flip) * (2.0 + growth);
        let tails = f64::from(group.coins) * (2.0 * group.with_victim * edge - hidden * growth) / rise;
        if tails <= 0.0 {
            return (0.0, 0.0);
        }
        // At most T/2 + 1, so there are more heads than tails.
        let least_heads = group.coins + 1 - libm::ceil(tails) as u32;
        let (mass, tail) = fair_mass_and_tail(group.coins - 1, least_heads);
        let gain = group.with_victim * edge * mass;
        let loss = growth * (group.with_victim * (self.keep + self.flip) * tail + hidden * (tail + 0.5 * mass));
        (gain, loss)
    }
}

/// How many T, from `coins` upwards, make a group.
fn stride(coins: u32) -> usize {
    (coins / GROUPS).max(1) as usize
}

/// Groups of T = C + 1 that count as their least T. The mass above the window joins the last group.
fn at_their_least(window: &Window) -> Vec<Group> {
    let mut groups = Vec::new();
    let (mut coins, mut rest) = (window.first + 1, window.masses.as_slice());
    while !rest.is_empty() {
        let (group, others) = rest.split_at(stride(coins).min(rest.len()));
        groups.push(Group { coins, with_victim: group.iter().sum(), without: 0.0 });
        // At most as many as trials, which are a u32.
        coins += group.len() as u32;
        rest = others;
    }
    if let Some(last) = groups.last_mut() {
        last.with_victim += window.above;
    }
    groups
}

/// Groups of T that count as their largest T; those T alone of which both C = T − 1 and C = T lie in the window.
fn at_their_largest(window: &Window) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut pairs = window.masses.windows(2);
    let mut coins = window.first;
    loop {
        let (mut with_victim, mut without) = (0.0, 0.0);
        let mut size = 0;
        for pair in pairs.by_ref().take(stride(coins)) {
            with_victim += pair[0];
            without += pair[1];
            size += 1;
        }
        if size == 0 {
            return groups;
        }
        coins += size;
        groups.push(Group { coins, with_victim, without });
    }
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

    fn choose(n: u32, k: u32) -> f64 {
        (0..k).fold(1.0, |value, i| value * f64::from(n - i) / f64::from(i + 1))
    }

    fn binomial(n: u32, k: u32, p: f64) -> f64 {
        choose(n, k) * libm::pow(p, f64::from(k)) * libm::pow(1.0 - p, f64::from(n - k))
    }

    /// δ(ε) of n reports by adding up every outcome (heads, tails) of the process itself, not of the formula.
    fn by_enumeration(reports: u32, clone: f64, keep: f64, flip: f64, hide: f64, epsilon: f64) -> f64 {
        let size = reports as usize + 1;
        let mut laws = [vec![0.0; size * size], vec![0.0; size * size]];
        for others in 0..reports {
            for heads in 0..=others {
                let mass = binomial(reports - 1, others, clone) * binomial(others, heads, 0.5);
                let at = |heads: u32, tails: u32| heads as usize * size + tails as usize;
                for (law, (head, tail)) in laws.iter_mut().zip([(keep, flip), (flip, keep)]) {
                    law[at(heads + 1, others - heads)] += mass * head;
                    law[at(heads, others - heads + 1)] += mass * tail;
                    law[at(heads, others - heads)] += mass * hide;
                }
            }
        }
        laws[0].iter().zip(&laws[1]).map(|(p, q)| f64::max(0.0, p - libm::exp(epsilon) * q)).sum()
    }

    /// The enumerated curve crosses δ at the bound: it is at most δ there, and above δ just below (or just above, for
    /// the lower bound).
    #[test]
    fn bounds_of_small_crowds_equal_the_enumeration() {
        for reports in [1, 2, 5, 40] {
            for nats in [0.3, 1.0, 3.0, 40.0] {
                for d in [0.1, 1e-3, 1e-6] {
                    let e = libm::exp(nats);
                    let found = upper(Clones::Fmt23, epsilon(nats), reports, delta(d));
                    let curve =
                        |x: f64| by_enumeration(reports, 2.0 / (e + 1.0), e / (e + 1.0), 1.0 / (e + 1.0), 0.0, x);
                    assert!(curve(found) <= d, "{reports} {nats} {d}: {found}");
                    assert!(found == 0.0 || curve(found * (1.0 - 1e-5)) > d, "{reports} {nats} {d}: {found}");

                    let found = lower(epsilon(nats), reports, delta(d));
                    let q = 1.0 / (e + 2.0);
                    let curve = |x: f64| by_enumeration(reports, 2.0 * q, e * q, q, q, x);
                    assert!(found == 0.0 || curve(found) >= d, "{reports} {nats} {d}: {found}");
                }
            }
        }
    }

    /// Without the last T, which has no partner in the window, the lower bound loses little.
    #[test]
    fn the_lower_bound_is_near_the_enumeration() {
        let e = libm::exp(1.0);
        let q = 1.0 / (e + 2.0);
        let found = lower(epsilon(1.0), 100, delta(1e-4));
        let curve = |x: f64| by_enumeration(100, 2.0 * q, e * q, q, q, x);
        assert!(curve(found) >= 1e-4 && curve(found * (1.0 + 1e-4)) < 1e-4, "{found}: {}", curve(found));
    }

    #[test]
    fn groups_hold_the_whole_window_in_order() {
        let window = Window::new(999_999, 0.4, 0.6, 1e-12);
        let total: f64 = window.masses.iter().sum();
        let least = at_their_least(&window);
        assert!(libm::fabs(least.iter().map(|group| group.with_victim).sum::<f64>() - total - window.above) < 1e-12);
        assert_eq!(least[0].coins, window.first + 1);
        assert!(least.is_sorted_by(|a, b| a.coins < b.coins) && least.len() < window.masses.len() / 50);
        let largest = at_their_largest(&window);
        let last = window.first + window.masses.len() as u32 - 1;
        assert_eq!(largest.last().map(|group| group.coins), Some(last));
        assert!(largest.is_sorted_by(|a, b| a.coins < b.coins));
    }

    #[test]
    fn a_crowd_of_one_hides_nothing_and_no_secret_needs_no_crowd() {
        // δ(ε) of randomized response alone: (E − e^ε)/(E + 1).
        let e = libm::exp(2.0);
        let alone = libm::log(e - 1e-3 * (e + 1.0));
        let found = upper(Clones::Fmt23, epsilon(2.0), 1, delta(1e-3));
        assert!(libm::fabs(found - alone) < 1e-6, "{found} {alone}");
        assert_eq!(upper(Clones::Fmt23, epsilon(0.0), 100, delta(1e-6)), 0.0);
        assert_eq!(lower(epsilon(0.0), 100, delta(1e-6)), 0.0);
        assert_eq!(
            upper(Clones::Fmt21, epsilon(1.0), 0, delta(1e-3)),
            upper(Clones::Fmt21, epsilon(1.0), 1, delta(1e-3))
        );
    }

    #[test]
    fn closed_forms_end_at_their_range() {
        // ln(1e4 / (8 ln 2e6) − 1) = 4.4445 and ln(1e4 / (16 ln 2e6)) = 3.763.
        assert!(fmt23_closed(epsilon(4.44), 10_000, delta(1e-6)).is_some());
        assert!(fmt23_closed(epsilon(4.45), 10_000, delta(1e-6)).is_none());
        assert!(fmt21_closed(epsilon(3.76), 10_000, delta(1e-6)).is_some());
        assert!(fmt21_closed(epsilon(3.77), 10_000, delta(1e-6)).is_none());
        assert!(fmt23_closed(epsilon(0.1), 10, delta(1e-6)).is_none());
    }
}
