//! Which question a fleet should answer about a metric: the anchored bit, one sampled event, or some devices each.
//!
//! The anchored bit detects; the sampled event explains, as it estimates every share. A device answers one of them per
//! window, drawn by weight from its secret: it never splits its budget, and never chooses by its data.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | m | [`Fleet::events`] | events per device and window, with the share of the device-windows that have so many |
//! | α | [`Fleet::concentration`] | how alike devices are: shares of a device ~ Dirichlet(α · shares of the fleet) |
//! | ν | `sampled_noise` | n·Var of a small share under the sampled question |
//! | p | | P\[the true bit is sent\] = W_t/(W_t + W_f) |
//! | b(m) | [`slope`] | change of P\[bit = 1\] per change of the half-space's share |
//! | δ | | change of the shares |
//!
//! **Gain.** How much more one answer adds to the non-centrality of the test of no change: with devices of both kinds
//! at K rows,
//!
//! - anchored: (2p − 1)² · E\[b(m)\]² · 4 · Σ_r (½ Σ_v χ_r(v) δ_v)²/(K − 1) = (2p − 1)² E\[b(m)\]² K/(K − 1) ‖δ‖²;
//! - sampled: P\[m > 0\]² ‖δ‖²/ν.
//!
//! b(m) = m · P\[Bin(m−1, ½) = ⌊(m−1)/2⌋\] for like devices, about √(2m/π); devices that differ lower it by √((α +
//! 1)/(α + m)), the ratio of the standard deviations of Z/m. The gain is their ratio; as power against a change grows
//! with the product of gain and devices, the anchored bit is worth its name from a gain of [`MIN_GAIN`] on. At ε = 1
//! and k = 32 that is at 5 events per device; at ε = 4, where a sampled event is hardly hidden, it may be never.
//!
//! **Mix.** Below that gain all devices sample. Above it 3 of 4 answer the anchored bit: detection keeps three quarters
//! of the best non-centrality, and the standard errors of the shares double against a fleet that only samples.
//!
//! **Both tests together.** The devices of the two questions are different ones with their own coins, so the p-values
//! are independent under no change. They are combined by the weighted product of Good ("On the weighted combination of
//! significance tests", J. Roy. Stat. Soc. B 17(2), 1955; Fisher's product is the case of equal weights): t = −a ln p₁
//! − b ln p₂ with a + b = 1 has P\[≥ t\] = (a e^(−t/a) − b e^(−t/b))/(a − b). The level is that of the p-values. The
//! weights follow what each half is expected to add to the non-centrality, but none is below 1/5: a change that only
//! one half sees still counts.

use crate::sketch::hadamard_order;

/// Least gain for which the anchored bit is asked. Below 2 it would buy less than the loss of explanation costs.
pub const MIN_GAIN: f64 = 2.0;

/// Weights of anchored bit and sampled event where both are asked.
pub const ANCHORED_TO_SAMPLED: [u32; 2] = [3, 1];

/// Least weight of either half in the combined test.
const LEAST_EVIDENCE: f64 = 0.2;

/// A concentration for a fleet whose devices differ visibly and of which nothing else is known: a cell of share 10 %
/// varies by ±6.5 points from device to device.
pub const HETEROGENEOUS: f64 = 20.0;

/// What is expected of a fleet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fleet<'a> {
    /// Numbers of events per device and window, each with its weight; weights need not sum to 1.
    pub events: &'a [(u64, f64)],
    /// α > 0; [`f64::INFINITY`] for like devices.
    pub concentration: f64,
}

/// How a fleet is divided, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionMix {
    /// Weight of the anchored bit; 0 where it is not asked.
    pub anchored: u32,
    /// Weight of the sampled event.
    pub sampled: u32,
    /// Weight of the anchored half in [`combined_p_value`], 0–1.
    pub anchored_evidence: f64,
    /// Non-centrality of an anchored answer over that of a sampled one.
    pub gain: f64,
    /// The reason, for a person.
    pub reason: String,
}

/// Divides a fleet between the two questions about a metric of `cells` cells, with the weights of the bit's randomizer
/// and the n·Var of a small share under the sampled question at the same ε.
///
/// # Panics
///
/// If the events have no weight above 0 or a negative one, the concentration or the noise is not above 0, or W_t ≤ W_f.
#[must_use]
pub fn question_mix(
    fleet: Fleet<'_>,
    cells: usize,
    [weight_true, weight_false]: [u64; 2],
    sampled_noise: f64,
) -> QuestionMix {
    let total: f64 = fleet.events.iter().map(|(_, weight)| weight).sum();
    assert!(total > 0.0 && fleet.events.iter().all(|(_, weight)| *weight >= 0.0), "weights of numbers of events");
    assert!(fleet.concentration > 0.0 && sampled_noise > 0.0 && weight_true > weight_false, "positive parameters");
    let mean = |value: &dyn Fn(u64) -> f64| {
        fleet.events.iter().map(|(events, weight)| weight * value(*events)).sum::<f64>() / total
    };
    let slope = mean(&|events| slope(events, fleet.concentration));
    let with_data = mean(&|events| if events > 0 { 1.0 } else { 0.0 });
    let contrast = (weight_true - weight_false) as f64 / (weight_true as f64 + weight_false as f64);
    let order = hadamard_order(cells) as f64;
    let anchored = contrast * contrast * slope * slope * order / (order - 1.0);
    let sampled = with_data * with_data / sampled_noise;
    // Without events neither question says anything.
    let gain = if sampled > 0.0 { anchored / sampled } else { 0.0 };
    let [anchored, sampled] = if gain >= MIN_GAIN { ANCHORED_TO_SAMPLED } else { [0, 1] };
    let choice = if anchored > 0 {
        format!("{anchored} of {} devices answer it, the others explain by a sampled event", anchored + sampled)
    } else {
        "all devices answer by a sampled event".to_owned()
    };
    let reason = format!(
        "with {:.1} events per device-window on average, an anchored bit detects like {gain:.2} sampled events \
         (asked from {MIN_GAIN} on): {choice}",
        mean(&|events| events as f64),
    );
    let expected = f64::from(anchored) * gain / (f64::from(anchored) * gain + f64::from(sampled));
    let anchored_evidence = if anchored > 0 { expected.clamp(LEAST_EVIDENCE, 1.0 - LEAST_EVIDENCE) } else { 0.0 };
    QuestionMix { anchored, sampled, anchored_evidence, gain, reason }
}

/// b(m): change of P\[bit = 1\] per change of the share of an even half-space, for devices of this concentration.
#[must_use]
pub fn slope(events: u64, concentration: f64) -> f64 {
    // (2j + 1)/(2j) for each step to the next odd number; the even number after it gives the same.
    let product = |odd: u64| (1..=odd / 2).map(|j| 1.0 + 0.5 / j as f64).product::<f64>();
    let m = events as f64;
    let alike = match events {
        0 => return 0.0,
        1..=1_000 => product(events - (events + 1) % 2),
        _ => libm::sqrt(2.0 * m / core::f64::consts::PI),
    };
    if concentration.is_infinite() { alike } else { alike * libm::sqrt((concentration + 1.0) / (concentration + m)) }
}

/// Good's combination of the p-values of the two halves: uniform under no change if both are. `anchored_evidence` is
/// the weight a of the anchored half; with 1 or 0 one half alone counts.
///
/// # Panics
///
/// If the weight is not in 0–1.
#[must_use]
pub fn combined_p_value(anchored: f64, sampled: f64, anchored_evidence: f64) -> f64 {
    let (a, b) = (anchored_evidence, 1.0 - anchored_evidence);
    assert!((0.0..=1.0).contains(&a), "a weight from 0 to 1");
    if a == 0.0 || b == 0.0 {
        return if b == 0.0 { anchored } else { sampled };
    }
    let t = -a * libm::log(anchored) - b * libm::log(sampled);
    let survival = if t.is_infinite() {
        0.0
    } else if libm::fabs(a - b) < 1e-6 {
        (1.0 + 2.0 * t) * libm::exp(-2.0 * t)
    } else {
        (a * libm::exp(-t / a) - b * libm::exp(-t / b)) / (a - b)
    };
    survival.clamp(0.0, 1.0)
}
