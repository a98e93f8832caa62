//! Bets that learn: what an e-detector stakes on a look follows from the looks before it.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | j | an element of `starts` | look with which the change may have begun | 1..=t |
//! | Λ^j_t | | mixture e-process of looks j..=t alone; 1 for t < j | (0, ∞) |
//! | SR_t | [`Detection::log_shiryaev_roberts`] | Σ_{j≤t} Λ^j_t | |
//! | C_t | [`Detection::log_cusum`] | max_{j≤t} Λ^j_t | |
//! | e_t | | SR_t/(SR_{t−1} + 1) | |
//! | J | `memory` | starts that are remembered | ≥ 1 |
//!
//! **The bet.** Λ^j_t/Λ^j_{t−1} is the ratio of the predictive density of look t, given looks j..t−1 and the prior, to
//! the density under no change. So e_t is the average over j of such ratios, weighted by Λ^j_{t−1}: by how well the bet
//! that was learnt on the windows since j has paid *so far* (1 for the new one, which has learnt nothing). Short
//! memories win just after a change, long ones when it is small; nothing is tuned. Look t itself enters no weight and
//! no prediction, so E\[e_t; past\] ≤ 1 and the promise of [`super::detector`] holds: this is the e-detector of Shin,
//! Ramdas and Rinaldo (2024) made of the e-processes of [`super::dirichlet`] ([`DirichletDetector`]) or
//! [`super::wald_mixture`] ([`ShiftDetector`]). In place of a plug-in estimate of the shift stands its posterior, which
//! shrinks by itself.
//!
//! **Forgetting.** Only the last J starts are kept. Leaving out a Λ^j makes SR_t smaller, so the bound of false alarms
//! stays; a change so small that it takes more than J looks is found later, or by the e-process of all looks.
//!
//! **Cost**: J (number of K) 2k log-gamma functions a look for [`DirichletDetector`]; J (k² + k · number of K) for
//! [`ShiftDetector`]. Memory: J k numbers. **Does not hold when** the e-processes do not: see their modules.

use std::collections::VecDeque;

use super::dirichlet::log_dirichlet_mixture;
use super::logarithm::{log_mean, log_sum};
use super::wald_mixture::{MOST_CONCENTRATIONS, WaldMixture};

/// Starts that are remembered unless asked otherwise.
pub const MEMORY: usize = 64;

/// The K that learnt bets average over unless asked otherwise. Fewer than for an e-process of all looks: a detector
/// sums over starts, and what K = 100 would gain on large shifts is less than half a look (`benches/drift/delay.rs`).
pub const LEARNT_CONCENTRATIONS: [f64; 2] = [1e3, 1e4];

/// The state of an e-detector after a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// ln SR_t: an alarm when it is at least ln A.
    pub log_shiryaev_roberts: f64,
    /// ln C_t.
    pub log_cusum: f64,
    /// Looks since the likeliest start of a change, this look included; at least 1.
    pub looks_since: usize,
}

/// Of the Λ^j_t, oldest start first.
pub(super) fn detection(log_e: &[f64]) -> Detection {
    // NaN is never the largest: evidence that cannot be computed is none.
    let largest = |best: usize, at: usize| if log_e[at] > log_e[best] { at } else { best };
    let best = (0..log_e.len()).fold(0, largest);
    Detection {
        log_shiryaev_roberts: log_sum(log_e.iter().copied().filter(|log| !log.is_nan())),
        log_cusum: log_e[best],
        looks_since: log_e.len() - best,
    }
}

/// The e-detector of answers with one symbol each, against known probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct DirichletDetector {
    probabilities: Vec<f64>,
    concentrations: Vec<f64>,
    memory: usize,
    /// For each start, oldest first, the counts since.
    starts: VecDeque<Vec<u64>>,
}

impl DirichletDetector {
    /// The detector before the first look. `None` if the probabilities are not positive with sum 1 within 1e-9, there
    /// is no K, one is not positive, or nothing is remembered.
    #[must_use]
    pub fn new(probabilities: &[f64], concentrations: &[f64], memory: usize) -> Option<Self> {
        let positive = |values: &[f64]| !values.is_empty() && values.iter().all(|value| *value > 0.0);
        let sum: f64 = probabilities.iter().sum();
        let proper = positive(probabilities) && positive(concentrations) && memory > 0 && libm::fabs(sum - 1.0) <= 1e-9;
        proper.then(|| Self {
            probabilities: probabilities.to_vec(),
            concentrations: concentrations.to_vec(),
            memory,
            starts: VecDeque::new(),
        })
    }

    /// Adds the counts of a look.
    ///
    /// # Panics
    ///
    /// If there is not one count for each symbol.
    pub fn look(&mut self, counts: &[u64]) -> Detection {
        assert_eq!(counts.len(), self.probabilities.len(), "one count for each probability");
        if self.starts.len() == self.memory {
            self.starts.pop_front();
        }
        self.starts.push_back(vec![0; counts.len()]);
        for start in &mut self.starts {
            start.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        }
        let of_start = |start: &Vec<u64>| {
            let log = |k: &f64| log_dirichlet_mixture(&self.probabilities, start, *k);
            log_mean(&self.concentrations.iter().map(log).collect::<Vec<_>>())
        };
        detection(&self.starts.iter().map(of_start).collect::<Vec<_>>())
    }

    /// Forgets all looks, as after an alarm.
    pub fn reset(&mut self) {
        self.starts.clear();
    }
}

/// The e-detector of de-biased shares, with a persistent offset in the null hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftDetector {
    memory: usize,
    concentrations: Vec<f64>,
    /// Σ n_s (h_s − r) and Σ n_s over all looks.
    total: Sum,
    /// The same over the looks before each start, oldest first.
    starts: VecDeque<Sum>,
}

#[derive(Debug, Clone, PartialEq)]
struct Sum {
    weighted: Vec<f64>,
    reports: f64,
}

impl Sum {
    fn less(&self, other: &Self) -> Self {
        let weighted = self.weighted.iter().zip(&other.weighted).map(|(all, part)| all - part).collect();
        Self { weighted, reports: self.reports - other.reports }
    }

    /// The pooled difference in the coordinates of a mixture; 0 without reports.
    fn coordinates(&self, mixture: &WaldMixture) -> Vec<f64> {
        let scale = if self.reports > 0.0 { 1.0 / self.reports } else { 0.0 };
        mixture.coordinates(&self.weighted.iter().map(|sum| sum * scale).collect::<Vec<_>>())
    }
}

impl ShiftDetector {
    /// The detector before the first look, for differences of `cells` shares.
    ///
    /// # Panics
    ///
    /// If nothing is remembered, or there are not 1 to 8 values of K, all positive.
    #[must_use]
    pub fn new(cells: usize, concentrations: &[f64], memory: usize) -> Self {
        assert!(memory > 0, "at least one start");
        assert!((1..=MOST_CONCENTRATIONS).contains(&concentrations.len()), "one to eight concentrations");
        assert!(concentrations.iter().all(|k| *k > 0.0), "positive concentrations");
        let concentrations = concentrations.to_vec();
        Self {
            memory,
            concentrations,
            total: Sum { weighted: vec![0.0; cells], reports: 0.0 },
            starts: VecDeque::new(),
        }
    }

    /// Adds a look: the differences of its own shares from the reference, and its reports. `mixture` holds S and B
    /// (its K are not used); it must not depend on this look but through nuisances (see [`super::stream`]).
    ///
    /// # Panics
    ///
    /// If the number of shares is another than before.
    pub fn look(&mut self, mixture: &WaldMixture, difference: &[f64], reports: f64) -> Detection {
        assert_eq!(difference.len(), self.total.weighted.len(), "one difference for each share");
        if self.starts.len() == self.memory {
            self.starts.pop_front();
        }
        self.starts.push_back(self.total.clone());
        self.total.weighted.iter_mut().zip(difference).for_each(|(sum, d)| *sum += reports * d);
        self.total.reports += reports;
        let of_start = |before: &Sum| {
            let after = self.total.less(before);
            let (x, y) = (before.coordinates(mixture), after.coordinates(mixture));
            mixture.log_e_since((&x, before.reports), (&y, after.reports), &self.concentrations)
        };
        detection(&self.starts.iter().map(of_start).collect::<Vec<_>>())
    }

    /// Begins anew after an alarm: the change may start with the next look at the earliest. What was learnt on the
    /// offset is kept.
    pub fn reset(&mut self) {
        self.starts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: [f64; 3] = [0.2, 0.3, 0.5];

    /// The recursion of `ShiryaevRoberts` on e_t = SR_t/(SR_{t−1}+1), and e_t as the weighted average of predictions.
    #[test]
    fn the_bet_is_a_weighted_average_of_predictions() {
        let looks: [[u64; 3]; 4] = [[12, 30, 58], [25, 28, 47], [40, 20, 40], [38, 25, 37]];
        let mut detector = DirichletDetector::new(&P, &[200.0], 64).expect("probabilities");
        let mut before = 0.0;
        for (t, look) in looks.iter().enumerate() {
            let found = libm::exp(detector.look(look).log_shiryaev_roberts);
            let process = |j: usize, end: usize| {
                let counts = looks[j..end].iter().fold([0; 3], |sum, look| [0, 1, 2].map(|i| sum[i] + look[i]));
                libm::exp(log_dirichlet_mixture(&P, &counts, 200.0))
            };
            let paid: f64 = (0..=t).map(|j| process(j, t)).sum();
            let bet: f64 = (0..=t).map(|j| process(j, t) * (process(j, t + 1) / process(j, t))).sum::<f64>() / paid;
            assert!((found / ((before + 1.0) * bet) - 1.0).abs() < 1e-10);
            before = found;
        }
    }

    /// Changing look t changes nothing that was said before it, and what is forgotten only lowers the sum.
    #[test]
    fn bets_do_not_see_their_look() {
        let run = |last: [u64; 3], memory: usize| {
            let mut detector = DirichletDetector::new(&P, &[1e2, 1e3], memory).expect("probabilities");
            [[22, 28, 50], [18, 33, 49], last].map(|look| detector.look(&look))
        };
        let (a, b) = (run([20, 30, 50], 64), run([90, 5, 5], 64));
        assert_eq!(a[..2], b[..2]);
        assert!(b[2].log_shiryaev_roberts > a[2].log_shiryaev_roberts);
        assert_eq!(b[2].looks_since, 1);
        assert!(run([90, 5, 5], 1)[2].log_shiryaev_roberts < b[2].log_shiryaev_roberts);
    }

    /// The start with the most evidence is the one after which all windows are shifted.
    #[test]
    fn the_likeliest_start() {
        let mut detector = DirichletDetector::new(&P, &[1e2, 1e3], 64).expect("probabilities");
        let mut last = None;
        for look in [[200, 300, 500], [200, 300, 500], [260, 270, 470], [260, 270, 470], [260, 270, 470]] {
            last = Some(detector.look(&look));
        }
        assert_eq!(last.expect("a look").looks_since, 3);
    }
}
