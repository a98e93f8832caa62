//! The devices: who they are, what is true on them, and how many alike.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | θ | `shares` | shares of a question's data cells in the population |
//! | A | `concentration` | how alike devices are |
//! | p | `devices[..]` | shares of one device, drawn once from Dirichlet(A θ) and kept over all windows |
//! | p̄, p̄′ | `before`, `after` | the mean of p over devices, and after the change |
//!
//! Because a device keeps its shares, its answers in different windows are correlated: 1/(A + 1) is the correlation of
//! the indicators of a cell in two answers of one device (Johnson, Kotz and Balakrishnan, "Discrete multivariate
//! distributions", 1997, chapter 35, the Dirichlet multinomial). Questions of one device are independent given θ.
//!
//! Without a reference, θ_j ∝ 1/(j + 1) in the order of the cells (Zipf's law with exponent 1). A pair of prediction ŷ
//! and outcome y has the outcome's θ_y and, given y, the matching prediction with probability [`ACCURACY`] beside a
//! prediction that does not depend on it; so the question about the outcome and the one about the pair agree.
//!
//! Cost: 8 bytes for each device and cell of a question.

use driftglass::drift::Reference;
use driftglass::spec::{MonitorSpec, Question, Source};
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Gamma};

use super::scenario::Change;

/// Probability with which a prediction without a reference is made to match.
const ACCURACY: f64 = 0.8;

/// Shares of one question.
#[derive(Debug)]
pub(super) struct Law {
    /// Of the population.
    pub(super) shares: Vec<f64>,
    /// How they change.
    pub(super) change: Change,
    cells: usize,
    /// Shares of device after device.
    devices: Vec<f64>,
}

/// The mean law of some devices, before and after the change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mean {
    pub(super) before: Vec<f64>,
    pub(super) after: Vec<f64>,
}

/// The population's shares of a question's data cells: those of a reference if it has them.
pub(super) fn population(spec: &MonitorSpec, index: usize, reference: Option<&Reference>) -> Vec<f64> {
    let question = &spec.questions[index];
    let known = reference.and_then(|reference| reference.questions[index].as_ref());
    let known = known.and_then(|known| known.all.as_ref().or_else(|| known.seasons.values().next()));
    match known {
        Some(known) => normalized(known.shares.iter().map(|share| share.max(0.0)).collect()),
        None => without_reference(spec, question),
    }
}

fn without_reference(spec: &MonitorSpec, question: &Question) -> Vec<f64> {
    let Source::Pair { outcome, .. } = spec.metric_of(question).source else { return zipf(question.data_cells()) };
    let columns = spec.metrics[outcome].cells.count();
    let rows = question.data_cells() / columns;
    let (predictions, outcomes) = (zipf(rows), zipf(columns));
    let share = |cell: usize| {
        let (row, column) = (cell / columns, cell % columns);
        let hit = if row == column.min(rows - 1) { ACCURACY } else { 0.0 };
        outcomes[column] * (hit + (1.0 - ACCURACY) * predictions[row])
    };
    (0..question.data_cells()).map(share).collect()
}

fn zipf(cells: usize) -> Vec<f64> {
    normalized((1..=cells).map(|rank| 1.0 / rank as f64).collect())
}

/// Shares that sum to 1; even ones if there is nothing.
fn normalized(weights: Vec<f64>) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 && sum.is_finite() {
        weights.into_iter().map(|weight| weight / sum).collect()
    } else {
        vec![1.0 / weights.len() as f64; weights.len()]
    }
}

impl Law {
    /// Draws the shares of all devices.
    pub(super) fn draw(shares: Vec<f64>, change: Change, fleet: usize, a: f64, rng: &mut SmallRng) -> Self {
        let cells = shares.len();
        let gammas: Vec<_> = shares.iter().map(|share| Gamma::new(a * share, 1.0).ok()).collect();
        let mut devices = Vec::with_capacity(fleet * cells);
        for _ in 0..fleet {
            let drawn: Vec<f64> =
                gammas.iter().map(|gamma| gamma.as_ref().map_or(0.0, |gamma| gamma.sample(rng))).collect();
            // All of a very small A may be too small for a number: such a device has one cell, by the population's law.
            if drawn.iter().sum::<f64>() > 0.0 {
                devices.extend(normalized(drawn));
            } else {
                let only = pick(&shares, super::uniform(rng));
                devices.extend((0..cells).map(|cell| if cell == only { 1.0 } else { 0.0 }));
            }
        }
        Self { shares, change, cells, devices }
    }

    /// Shares of a device.
    pub(super) fn of(&self, device: usize) -> &[f64] {
        &self.devices[device * self.cells..][..self.cells]
    }

    /// The cell of one event of a device of which the changed law is in force (`changed`) or not.
    pub(super) fn cell(&self, device: usize, changed: bool, rng: &mut SmallRng) -> usize {
        let u = super::uniform(rng);
        match &self.change {
            Change::Toward { cell, part } if changed => {
                if u < *part {
                    *cell
                } else {
                    pick(self.of(device), super::uniform(rng))
                }
            }
            Change::Reweight { .. } if changed => pick(&self.change.of(self.of(device)), u),
            _ => pick(self.of(device), u),
        }
    }

    /// The mean over devices; `changes` says which of them change.
    pub(super) fn mean(&self, devices: impl Iterator<Item = usize>, changes: impl Fn(usize) -> bool) -> Mean {
        let (mut before, mut after, mut n) = (vec![0.0; self.cells], vec![0.0; self.cells], 0.0);
        for device in devices {
            let own = self.of(device);
            before.iter_mut().zip(own).for_each(|(sum, share)| *sum += share);
            if changes(device) {
                after.iter_mut().zip(self.change.of(own)).for_each(|(sum, share)| *sum += share);
            } else {
                after.iter_mut().zip(own).for_each(|(sum, share)| *sum += share);
            }
            n += 1.0;
        }
        before.iter_mut().chain(&mut after).for_each(|sum| *sum /= n);
        Mean { before, after }
    }
}

impl Mean {
    /// The law of which a part of the change is in force.
    pub(super) fn at(&self, in_force: f64) -> Vec<f64> {
        self.before.iter().zip(&self.after).map(|(before, after)| before + in_force * (after - before)).collect()
    }
}

/// The largest difference of two laws: of cumulative shares along an order (KS), of shares otherwise (L∞).
pub(super) fn effect(ordered: bool, one: &[f64], other: &[f64]) -> f64 {
    let (mut sum, mut largest) = (0.0, 0.0_f64);
    for (one, other) in one.iter().zip(other) {
        sum = if ordered { sum + one - other } else { one - other };
        largest = largest.max(sum.abs());
    }
    largest
}

/// The cell at which the cumulative shares pass a number in [0, 1).
pub(super) fn pick(shares: &[f64], mut u: f64) -> usize {
    for (cell, share) in shares.iter().enumerate() {
        u -= share;
        if u < 0.0 {
            return cell;
        }
    }
    // Rounding alone leads here.
    shares.iter().rposition(|share| *share > 0.0).unwrap_or(shares.len() - 1)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Mean and variance of a share under Dirichlet(A θ): θ and θ(1 − θ)/(A + 1). 20,000 devices, seed 3; bounds are 4
    /// standard errors of the mean (α = 6e-5 for each of 3) and 5 % of the variance.
    #[test]
    fn devices_are_dirichlet() {
        let shares = vec![0.6, 0.3, 0.1];
        let mut rng = SmallRng::seed_from_u64(3);
        let law = Law::draw(shares.clone(), Change::Stays, 20_000, 4.0, &mut rng);
        for (cell, share) in shares.iter().enumerate() {
            let all: Vec<f64> = (0..20_000).map(|device| law.of(device)[cell]).collect();
            let mean = all.iter().sum::<f64>() / 20_000.0;
            let variance = all.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / 20_000.0;
            let expected = share * (1.0 - share) / 5.0;
            assert!((mean - share).abs() < 4.0 * (expected / 20_000.0).sqrt(), "{mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "{variance}, not {expected}");
        }
    }

    #[test]
    fn effects() {
        assert!((effect(true, &[0.1, 0.2, 0.7], &[0.2, 0.3, 0.5]) - 0.2).abs() < 1e-12);
        assert!((effect(false, &[0.1, 0.2, 0.7], &[0.2, 0.3, 0.5]) - 0.2).abs() < 1e-12);
        assert!((effect(false, &[0.1, 0.1, 0.8], &[0.2, 0.2, 0.6]) - 0.2).abs() < 1e-12);
        assert_eq!([0.0, 0.49, 0.5, 0.999_999].map(|u| pick(&[0.5, 0.5, 0.0], u)), [0, 0, 1, 1]);
    }
}
