//! Canary against stable: does the one answer unlike the other, with the noise of any channel, at all looks together?
//!
//! Both arms are unknown and both are noisy; the population may drift under both, and devices answer in many windows.
//! So only answers of one window and one segment are compared with each other, and what is added up are differences.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | s | a stratum | one segment in one window; only those in which both arms reported | |
//! | a, b | 0, 1 | the arms, stable and canary | |
//! | n_a | `reports` | reports of an arm in the stratum | > 0 |
//! | f̂_a, d̂_a | | unbiased shares of the symbols; Σ of them over the k data cells | |
//! | Z_s | | f̂_b d̂_a − f̂_a d̂_b over the data cells; sums to 0 | |
//! | m_s | | n_a n_b/(n_a + n_b): reports that a comparison with something known would need for as little noise | |
//! | N, X | `weight` | Σ m_s; Σ m_s Z_s/N | |
//! | D | `product` | Σ m_s d̂_a d̂_b | |
//! | S, κ, c | `Sampling` | covariances of one report of an arm, see `sampling` | |
//! | Q/N | | Cov\[X\] less the offset, below | |
//! | B | | (d_a d_b)² (Ω_a + Ω_b), the offset between the devices of the arms | |
//! | ρ, M_s | [`ArmRepetition`], `devices` | correlation of the answers of one device; devices of the arm in the stratum | |
//!
//! **Why Z.** The arms are independent, so E\[Z_s\] = (p_b − p_a) d_a d_b *exactly*, p the shares among answers with data:
//! 0 under the null hypothesis in every stratum, however the population moves from window to window, however few answers
//! there are, and even if one arm has no data more often than the other. Pooling each arm over windows and comparing the
//! pools has none of this: while the canary grows and the population drifts, the two pools are of different times.
//!
//! **Covariance.** With A = f̂_a − p d̂_a and the same for b, Z = B d̂_a − A d̂_b, all factors of different arms independent,
//! so that with n reports each (no term is left out)
//!
//! Cov\[Z\] = S_b/n_b (d_a² + c_a/n_a) + S_a/n_a (d_b² + c_b/n_b) − (κ_a κ_bᵀ + κ_b κ_aᵀ)/(n_a n_b).
//!
//! It depends on the stratum through n alone, so Q = Σ m_s² Cov\[Z_s\] needs three sums. p, d_a and d_b are those of all
//! looks pooled, evaluated again whenever the reports have grown by a tenth, as in [`super::stream`]. S is concave in p,
//! so what it is at the average is at least the average of what it is over the windows.
//!
//! **Evidence.** m_s makes S_s (1/n_a + 1/n_b) = S_s/m_s, so each Z_s is as good as m_s reports against a known
//! reference, and X, N, S = Q and B go into the e-process of [`super::wald_mixture`]. Its argument holds with Z_s for h_s − r.
//! Where S is too large the process stays a supermartingale: it is convex in X, so less noise lowers its mean.
//!
//! **Offset.** Arms have different devices, so they differ for good by the choice of devices, Ω = ρ (diag p − p pᵀ)/(M d).
//! M is not constant while a canary grows: the deviation of a weighted average is at most the weighted average of
//! standard deviations, 1/√M = Σ m_s M_s^(−½)/N within a segment; segments have different devices, so squares add up
//! over segments. If answers are memoized, S/M takes the place of ρ d (diag p − p pᵀ)/M.
//!
//! **Effect** ([`ArmStep::effect`]): Σ m_s Z_s/D estimates p_b − p_a, in the mean over strata, with Cov = Q/D², where A
//! and B are centered at the arm's own shares; its bounds hold at all looks together ([`super::interval`]).
//!
//! **Which channels.** All that shares are counted from: k-ary response, subset selection, unary encoding, Hadamard,
//! hashing, projective geometry. Means, counts of events and anchored bits have no shares.
//!
//! **Cost** of a look: k for each stratum, k²; some k³ when covariances are evaluated again. **Does not hold when** a
//! device changes its arm because of its answers; when arms are not drawn by chance and segments do not tell what makes
//! them different; and, as ever here, when ρ or M are misjudged. S is estimated, so the level is asymptotic; measured in
//! `tests/it/arms.rs`.

use super::dirichlet::CONCENTRATIONS;
use super::interval::{EffectBounds, effect_bounds};
use super::sampling::{Sampling, multinomial};
use super::stream::{LEAST_WITH_DATA, LookError};
use super::wald_mixture::WaldMixture;
use crate::drift::Measure;
use crate::estimate::{Channel, Matrix, clipped};

/// What the answers of one device have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ArmRepetition {
    /// Each device answers once.
    Once,
    /// Fresh noise, and an upper bound of the intra-class correlation of the true answers of a device, in \[0, 1\].
    Fresh(f64),
    /// The same noise each time.
    Memoized,
}

/// What a comparison is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmSettings {
    /// The effect to bound.
    pub measure: Measure,
    /// What is declared about devices that answer often.
    pub repetition: ArmRepetition,
    /// Error probability of the effect's bounds, over all looks.
    pub alpha: f64,
}

/// One arm in one segment and window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmSums<'a> {
    /// Reports about the question.
    pub reports: u64,
    /// How many of them support each symbol.
    pub support: &'a [u64],
    /// Devices of the arm in this segment and window; a lower bound, for example their reports about all questions.
    pub devices: u64,
}

/// What is known after a look.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmStep {
    /// ln E against "both arms answer alike"; 0 before there is anything to compare.
    pub log_e: f64,
    /// Bounds of the effect, where both arms' answers with data can be told from none.
    pub effect: Option<ArmEffect>,
}

/// How the canary differs.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmEffect {
    /// Bounds that hold at all looks together.
    pub bounds: EffectBounds,
    /// Canary less stable, for each cell; noise and all.
    pub difference: Vec<f64>,
    /// Answers with data that are compared, of stable and canary.
    pub answers: [f64; 2],
}

/// The e-process of two arms.
#[derive(Debug, Clone)]
pub struct Arms {
    channel: Channel,
    settings: ArmSettings,
    last: Option<u64>,
    reports: [u64; 2],
    support: [Vec<u64>; 2],
    /// N.
    weight: f64,
    /// Σ m_s Z_s.
    weighted: Vec<f64>,
    /// D.
    product: f64,
    /// Σ m_s²/n of each arm, and Σ m_s²/(n_a n_b).
    squares: [f64; 2],
    square_of_both: f64,
    /// For each segment and arm, Σ m_s M_s^(−½).
    deviations: Vec<[f64; 2]>,
    /// Covariances in coordinates, with the reports at which they were evaluated.
    scale: Option<(u64, WaldMixture)>,
}

/// Shares among answers with data and the share of these, of one arm, within what is possible.
struct Nuisance {
    cells: Vec<f64>,
    with_data: f64,
}

impl Arms {
    /// A comparison before its first look, over so many segments. `None` when the channel has fewer than two data cells
    /// and "no data", there is no segment, α is not in (0, 1), or the correlation not in \[0, 1\].
    #[must_use]
    pub fn new(channel: &Channel, segments: usize, settings: ArmSettings) -> Option<Self> {
        let declared = match settings.repetition {
            ArmRepetition::Fresh(correlation) => (0.0..=1.0).contains(&correlation),
            ArmRepetition::Once | ArmRepetition::Memoized => true,
        };
        let proper = declared && segments > 0 && settings.alpha > 0.0 && settings.alpha < 1.0;
        let symbols = channel.symbols();
        (proper && symbols >= 3).then(|| Self {
            channel: channel.clone(),
            settings,
            last: None,
            reports: [0; 2],
            support: [vec![0; symbols], vec![0; symbols]],
            weight: 0.0,
            weighted: vec![0.0; symbols - 1],
            product: 0.0,
            squares: [0.0; 2],
            square_of_both: 0.0,
            deviations: vec![[0.0; 2]; segments],
            scale: None,
        })
    }

    /// Adds the window that closed as number `number`: for each segment, stable and canary.
    ///
    /// # Errors
    ///
    /// [`LookError`]; then nothing has changed.
    ///
    /// # Panics
    ///
    /// If there are not as many segments as before.
    pub fn look(&mut self, number: u64, segments: &[[ArmSums<'_>; 2]]) -> Result<ArmStep, LookError> {
        assert_eq!(segments.len(), self.deviations.len(), "one pair of arms for each segment");
        if let Some(last) = self.last.filter(|last| number <= *last) {
            return Err(LookError::Order { number, last });
        }
        let expected = self.channel.symbols();
        if let Some(wrong) = segments.iter().flatten().find(|arm| arm.support.len() != expected) {
            return Err(LookError::Symbols { expected, found: wrong.support.len() });
        }
        self.last = Some(number);
        for (segment, arms) in segments.iter().enumerate() {
            self.add(segment, arms);
        }
        Ok(ArmStep { log_e: self.log_e(), effect: self.effect() })
    }

    /// Reports that are compared, of stable and canary.
    #[must_use]
    pub fn reports(&self) -> [u64; 2] {
        self.reports
    }

    /// How many times as many reports of the same kind would put the effect's interval on one side of `delta`, at the
    /// present estimate; `None` if no number up to a million times would, for the choice of devices does not average out.
    #[must_use]
    pub fn growth_needed(&self, delta: f64) -> Option<f64> {
        let decides = |growth: f64| {
            self.effect_at(growth).is_some_and(|effect| effect.bounds.lower > delta || effect.bounds.upper <= delta)
        };
        let (mut low, mut high) = (1.0, 1e6);
        if !decides(high) {
            return None;
        }
        while high / low > 1.01 {
            let middle = libm::sqrt(low * high);
            if decides(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    fn add(&mut self, segment: usize, arms: &[ArmSums<'_>; 2]) {
        let shares = arms.map(|arm| self.channel.shares(arm.reports, arm.support));
        let [Some(stable), Some(canary)] = shares else { return };
        let k = self.weighted.len();
        let [a, b] = arms.map(|arm| arm.reports as f64);
        let m = a * b / (a + b);
        let [d_a, d_b] = [&stable, &canary].map(|shares| shares[..k].iter().sum::<f64>());
        self.weight += m;
        self.product += m * d_a * d_b;
        for (sum, (f_a, f_b)) in self.weighted.iter_mut().zip(stable.iter().zip(&canary)) {
            *sum += m * (f_b * d_a - f_a * d_b);
        }
        self.square_of_both += m * m / (a * b);
        for (place, arm) in arms.iter().enumerate() {
            self.squares[place] += m * m / arm.reports as f64;
            self.deviations[segment][place] += m / libm::sqrt(arm.devices.max(1) as f64);
            self.reports[place] = self.reports[place].saturating_add(arm.reports);
            let sums = self.support[place].iter_mut().zip(arm.support);
            sums.for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        }
    }

    fn log_e(&mut self) -> f64 {
        let total = self.reports[0].saturating_add(self.reports[1]);
        if total == 0 {
            return 0.0;
        }
        if self.scale.as_ref().is_none_or(|(at, _)| total / 11 >= at / 10) {
            let pooled = self.pooled();
            let [a, b] = [0, 1].map(|arm| Nuisance { cells: pooled.clone(), with_data: self.nuisance(arm).with_data });
            let offset = self.offset(&a, &b);
            let square = a.with_data * a.with_data * b.with_data * b.with_data;
            let persistent = Matrix::symmetric(pooled.len(), |i, j| square * offset.at(i, j));
            if let Some(mixture) = WaldMixture::new(&self.sampling(&a, &b), &persistent, &CONCENTRATIONS) {
                self.scale = Some((total, mixture));
            }
        }
        let Some((_, mixture)) = &self.scale else { return f64::NEG_INFINITY };
        let difference: Vec<f64> = self.weighted.iter().map(|sum| sum / self.weight).collect();
        mixture.log_e(&difference, self.weight)
    }

    fn effect(&self) -> Option<ArmEffect> {
        self.effect_at(1.0)
    }

    /// The effect as it would be with `growth` times as many reports that say the same.
    fn effect_at(&self, growth: f64) -> Option<ArmEffect> {
        let k = self.weighted.len();
        let told = |arm: usize| {
            let shares = self.channel.shares(self.reports[arm], &self.support[arm])?;
            let nuisance = self.nuisance(arm);
            let one = Sampling::new(&self.channel, &nuisance.cells, nuisance.with_data, &nuisance.cells);
            let total: f64 = shares[..k].iter().sum();
            let enough = total > 3.0 * libm::sqrt(one.share.max(0.0) / self.reports[arm] as f64);
            enough.then_some((nuisance, total * self.reports[arm] as f64))
        };
        let ((a, answers_a), (b, answers_b)) = (told(0)?, told(1)?);
        // NaN counts as nothing to divide by.
        if self.product.partial_cmp(&0.0) != Some(core::cmp::Ordering::Greater) {
            return None;
        }
        let share = self.product / self.weight;
        let sampling = self.sampling(&a, &b);
        let one = Matrix::symmetric(k, |i, j| sampling.at(i, j) / (share * share));
        let difference: Vec<f64> = self.weighted.iter().map(|sum| sum / self.product).collect();
        let ArmSettings { measure, alpha, .. } = self.settings;
        let bounds = effect_bounds(measure, &difference, &one, &self.offset(&a, &b), growth * self.weight, alpha);
        Some(ArmEffect { bounds, difference, answers: [answers_a, answers_b] })
    }

    /// Shares among answers with data of both arms together.
    fn pooled(&self) -> Vec<f64> {
        let k = self.weighted.len();
        let of = |arm: usize| self.channel.shares(self.reports[arm], &self.support[arm]);
        let (a, b) = (of(0), of(1));
        let weighted = |shares: &Option<Vec<f64>>, arm: usize, cell: usize| {
            shares.as_ref().map_or(0.0, |shares| self.reports[arm] as f64 * shares[cell])
        };
        let total: f64 = self.reports.iter().map(|reports| *reports as f64).sum();
        let answers = |cell: usize| (weighted(&a, 0, cell) + weighted(&b, 1, cell)) / total;
        clipped(&(0..k).map(answers).collect::<Vec<_>>())
    }

    fn nuisance(&self, arm: usize) -> Nuisance {
        let k = self.weighted.len();
        let Some(shares) = self.channel.shares(self.reports[arm], &self.support[arm]) else {
            return Nuisance { cells: vec![1.0 / k as f64; k], with_data: LEAST_WITH_DATA };
        };
        let with_data = shares[..k].iter().sum::<f64>().clamp(LEAST_WITH_DATA, 1.0);
        Nuisance { cells: clipped(&shares[..k].iter().map(|share| share / with_data).collect::<Vec<_>>()), with_data }
    }

    /// Q/N.
    fn sampling(&self, a: &Nuisance, b: &Nuisance) -> Matrix {
        let of = |arm: &Nuisance| Sampling::new(&self.channel, &arm.cells, arm.with_data, &arm.cells);
        let (one_a, one_b) = (of(a), of(b));
        let both = self.square_of_both;
        let (d_a, d_b) = (a.with_data * a.with_data, b.with_data * b.with_data);
        let by_a = self.squares[0] * d_b + both * one_b.share;
        let by_b = self.squares[1] * d_a + both * one_a.share;
        let (x, y) = (&one_a.with_share, &one_b.with_share);
        Matrix::symmetric(x.len(), |i, j| {
            let shared = both * (x[i] * y[j] + y[i] * x[j]);
            (by_a * one_a.own.at(i, j) + by_b * one_b.own.at(i, j) - shared) / self.weight
        })
    }

    /// Ω_a + Ω_b, of shares among answers with data.
    fn offset(&self, a: &Nuisance, b: &Nuisance) -> Matrix {
        self.offset_of(0, a).plus(&self.offset_of(1, b))
    }

    fn offset_of(&self, place: usize, arm: &Nuisance) -> Matrix {
        let (cells, with_data) = (&arm.cells, arm.with_data);
        let squares: f64 = self.deviations.iter().map(|segment| segment[place] * segment[place]).sum();
        let one_in_devices = squares / (self.weight * self.weight);
        match self.settings.repetition {
            ArmRepetition::Once => Matrix::symmetric(cells.len(), |_, _| 0.0),
            ArmRepetition::Fresh(correlation) => Matrix::symmetric(cells.len(), |i, j| {
                correlation * multinomial(cells, i, j) * one_in_devices / with_data
            }),
            ArmRepetition::Memoized => {
                let own = Sampling::new(&self.channel, cells, with_data, cells).own;
                Matrix::symmetric(cells.len(), |i, j| own.at(i, j) * one_in_devices / (with_data * with_data))
            }
        }
    }
}
