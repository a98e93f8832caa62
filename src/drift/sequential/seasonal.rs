//! One stream of windows against a reference with seasons: all sequential statements, look by look.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | g_t | [`Expectation`] | what window t is expected to say: the mix of its seasons, and of a group what it departs by | |
//! | θ_s, C_s | `sources` | the error of season s, one for all windows of that season; its covariance | |
//! | c_ts | | how much of it is in g_t | |
//! | f̂, d̂, Z_t, S, Ω | | as in [`super::stream`], with g_t for g: Z_t = f̂ − g_t d̂ | |
//! | κ | `inflation` | what C_s is multiplied by, for seasons whose errors depend on each other | ≥ 1 |
//! | δ | | shift of the shares among answers with data, the same in all windows since look j; prior N(0, S₀/K) | |
//!
//! If nothing moved, Z_t = d (Σ_s c_ts θ_s + u) + ε_t: the errors of the reference, what the choice of devices makes (u,
//! of covariance Ω, in all windows alike), and the noise of the window's reports. Two windows of one January share an
//! error, a week of January and February has part in both, and the January after shares that of the first. `filter`
//! keeps the law of all these errors given the looks so far, so that a season that was seen often makes a better
//! reference than the one that was given, and a first look at a new season proves nothing. Evidence, detector and bounds
//! follow from it as they do in [`super::stream`] from one offset.
//!
//! **Dependent seasons** (the same devices or years in several) may have any joint law. By Jensen's inequality the
//! covariance of all errors together is at most that of independent ones with κ C_s, κ the number of errors: for
//! (Σ_s a_s)(Σ_s a_s)ᵀ ≤ κ Σ_s a_s a_sᵀ.
//!
//! **Nuisances.** The noise of a window is evaluated where the window's own estimate and its expectation agree best, and
//! d at all looks so far; both set scales, not the direction of a bet. A cell that the reference never saw gets the
//! variance that the window shows it to need, as in [`super::stream`].
//!
//! **Level.** An exact martingale for normal estimates, independent seasons and the C_s that are given (`filter` has the
//! argument). With κ > 1 the mean at any look named beforehand is at most 1; that it is so at looks chosen by looking,
//! and all nuisances, is measured in `tests/it/seasons.rs`.
//!
//! **Cost** of a look: with N = (cells − 1)(1 + errors) numbers, (cells − 1) N² and as much for some 20 starts.
//! **Does not hold when** an error is not the same whenever its season comes again. So a reference whose covariance is
//! that of a *new* block, another year for example, is for one cycle of seasons: begin anew with the next.

use std::collections::VecDeque;

use super::bet::{LEARNT_CONCENTRATIONS, detection};
use super::dirichlet::CONCENTRATIONS;
use super::filter::{Filter, Shift};
use super::interval::{EffectBounds, INTERVAL_CONCENTRATION, contrast_bounds, half_width};
use super::sampling::{Sampling, multinomial};
use super::stream::{LEAST_WITH_DATA, LookError, Repetition, Step};
use crate::drift::{ErrorSource, Expectation, Measure};
use crate::estimate::{Channel, Cholesky, Matrix, clipped};

/// The most numbers that the errors of a stream may have: beyond, a look takes millions of steps.
pub const MOST_NUMBERS: usize = 1_024;

/// What a stream with seasons is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeasonalSettings {
    /// The effect to bound.
    pub measure: Measure,
    /// What is declared about devices that answer often.
    pub repetition: Repetition,
    /// Error probability of the effect's bounds, over all looks.
    pub alpha: f64,
    /// Starts of a change that are remembered, at least 1.
    pub memory: usize,
    /// κ: 1 for seasons whose errors are independent, else the number of errors.
    pub inflation: f64,
}

/// The state of one stream.
#[derive(Debug, Clone)]
pub struct SeasonalStream {
    channel: Channel,
    settings: SeasonalSettings,
    cells: usize,
    last: Option<u64>,
    reports: u64,
    support: Vec<u64>,
    filter: Filter,
    /// The errors that are known, in the order of their blocks; block 0 is the choice of devices.
    sources: Vec<ErrorSource>,
    /// S₀ and its factor, from the first look on.
    unit: Option<(Matrix, Cholesky)>,
    all: Shift,
    starts: VecDeque<Shift>,
}

impl SeasonalStream {
    /// A stream over data cells before its first look, against a reference with at most `errors` errors. `None` when the
    /// channel's symbols are not those cells and "no data", there are fewer than two cells, a setting is out of its
    /// range, or the errors have more than [`MOST_NUMBERS`] numbers.
    #[must_use]
    pub fn new(channel: &Channel, cells: usize, errors: usize, settings: SeasonalSettings) -> Option<Self> {
        let declared = match settings.repetition {
            Repetition::Once => true,
            Repetition::Fresh { correlation, devices } => (0.0..=1.0).contains(&correlation) && devices > 0,
            Repetition::Memoized { devices } => devices > 0,
        };
        let proper = settings.memory > 0 && settings.alpha > 0.0 && settings.alpha < 1.0 && settings.inflation >= 1.0;
        let fits = cells >= 2 && channel.symbols() == cells + 1 && (cells - 1) * (errors + 1) <= MOST_NUMBERS;
        (declared && proper && fits).then(|| Self {
            channel: channel.clone(),
            settings,
            cells,
            last: None,
            reports: 0,
            support: vec![0; cells + 1],
            filter: Filter::new(cells - 1),
            sources: Vec::new(),
            unit: None,
            all: Shift::new(cells - 1),
            starts: VecDeque::new(),
        })
    }

    /// Adds the window that closed as number `number`, with what it was expected to say.
    ///
    /// # Errors
    ///
    /// [`LookError`]; then nothing has changed.
    pub fn look(
        &mut self,
        number: u64,
        reports: u64,
        support: &[u64],
        expected: &Expectation,
    ) -> Result<Step, LookError> {
        if let Some(last) = self.last.filter(|last| number <= *last) {
            return Err(LookError::Order { number, last });
        }
        for found in [support.len(), expected.shares.len() + 1] {
            if found != self.support.len() {
                return Err(LookError::Symbols { expected: self.support.len(), found });
            }
        }
        self.last = Some(number);
        self.reports = self.reports.saturating_add(reports);
        self.support.iter_mut().zip(support).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        if self.starts.len() == self.settings.memory {
            self.starts.pop_front();
        }
        self.starts.push_back(Shift::new(self.cells - 1));
        if let Some(shares) = self.channel.shares(reports, support) {
            self.observe(&shares, reports as f64, expected);
        }
        let log_e: Vec<f64> = self.starts.iter().map(|start| start.log_e(&LEARNT_CONCENTRATIONS)).collect();
        Ok(Step { number, log_e: self.all.log_e(&CONCENTRATIONS), detection: detection(&log_e), effect: self.effect() })
    }

    /// Begins the detector anew, after an alarm; the e-process and the bounds go on.
    pub fn restart_detector(&mut self) {
        self.starts.clear();
    }

    fn observe(&mut self, shares: &[f64], n: f64, expected: &Expectation) {
        let (k, m) = (self.cells, self.cells - 1);
        let g = &expected.shares;
        let with_data = self.with_data();
        let own: f64 = shares[..k].iter().sum();
        let weight = expected.errors.iter().map(|error| error.device_windows as f64).fold(f64::INFINITY, f64::min);
        let weight = if weight.is_finite() { weight } else { 0.0 };
        let pool = |(g, f): (&f64, &f64)| (weight * g + n * f) / (weight + n * with_data);
        let pooled = clipped(&g.iter().zip(shares).map(pool).collect::<Vec<_>>());
        if self.unit.is_none() {
            let sampling = Sampling::new(&self.channel, &clipped(g), 1.0, &clipped(g)).own;
            let Some(root) = sampling.cholesky(m) else { return };
            self.unit = Some((sampling, root));
            self.filter.add_block(&self.offset(&clipped(g), with_data));
        }
        let noise = Sampling::new(&self.channel, &pooled, with_data, g).own;
        let noise = Matrix::symmetric(k, |i, j| noise.at(i, j) / n).cholesky(m);
        let (Some(noise), Some((_, root))) = (noise, &self.unit) else { return };
        let scale = Matrix::from_fn(m, |i, a| with_data * root.row(i)[a]);
        let mut coefficients = vec![(0, with_data)];
        for error in &expected.errors {
            let block = self.sources.iter().position(|source| *source == error.source).unwrap_or_else(|| {
                let inflation = if error.source == ErrorSource::Start { 1.0 } else { self.settings.inflation };
                let rare = |i: usize| (pooled[i] - g[i]).max(0.0) / (error.device_windows as f64).max(1.0);
                let prior = Matrix::symmetric(m, |i, j| {
                    inflation * (error.covariance.at(i, j) + if i == j { rare(i) } else { 0.0 })
                });
                self.filter.add_block(&prior);
                self.sources.push(error.source);
                self.sources.len() - 1
            });
            coefficients.push((1 + block, with_data * error.coefficient));
        }
        let observed: Vec<f64> = (0..m).map(|cell| shares[cell] - g[cell] * own).collect();
        let mut shifts: Vec<&mut Shift> = self.starts.iter_mut().chain([&mut self.all]).collect();
        self.filter.look(&observed, &noise, &coefficients, &scale, &mut shifts);
    }

    /// Share of answers with data at all looks, within what is possible.
    fn with_data(&self) -> f64 {
        let shares = self.channel.shares(self.reports, &self.support).unwrap_or_default();
        shares.iter().take(self.cells).sum::<f64>().clamp(LEAST_WITH_DATA, 1.0)
    }

    /// Ω.
    fn offset(&self, cells: &[f64], with_data: f64) -> Matrix {
        match self.settings.repetition {
            Repetition::Once => Matrix::symmetric(cells.len(), |_, _| 0.0),
            Repetition::Fresh { correlation, devices } => Matrix::symmetric(cells.len(), |i, j| {
                correlation * multinomial(cells, i, j) / (with_data * devices as f64)
            }),
            Repetition::Memoized { devices } => {
                let own = Sampling::new(&self.channel, cells, with_data, cells).own;
                Matrix::symmetric(cells.len(), |i, j| own.at(i, j) / (with_data * with_data * devices as f64))
            }
        }
    }

    /// Bounds of the shift in the mean over all looks, where answers with data can be told from none.
    fn effect(&self) -> Option<EffectBounds> {
        let (sampling, root) = self.unit.as_ref()?;
        let m = root.size();
        let shares = self.channel.shares(self.reports, &self.support)?;
        let total: f64 = shares[..self.cells].iter().sum();
        let now = clipped(&shares[..self.cells]);
        let one = Sampling::new(&self.channel, &now, self.with_data(), &now).share / self.reports as f64;
        // NaN counts as too few.
        if total.partial_cmp(&(3.0 * libm::sqrt(one.max(0.0)))) != Some(core::cmp::Ordering::Greater) {
            return None;
        }
        let (units, covariance) = self.all.estimate()?;
        // From units of S₀'s factor to shares, and from m of them to all cells, which sum to 0.
        let row = |cell: usize| -> Vec<f64> {
            let of = |i: usize| root.row(i);
            (0..m).map(|a| if cell < m { of(cell)[a] } else { -(0..m).map(|i| of(i)[a]).sum::<f64>() }).collect()
        };
        let rows: Vec<Vec<f64>> = (0..self.cells).map(row).collect();
        let dot = |row: &[f64]| row.iter().zip(&units).map(|(a, b)| a * b).sum::<f64>();
        let difference: Vec<f64> = rows.iter().map(|row| dot(row)).collect();
        Some(contrast_bounds(self.settings.measure, &difference, |cells, contrasts| {
            let contrast: Vec<f64> = (0..m).map(|a| cells.clone().map(|cell| rows[cell][a]).sum()).collect();
            let prior: f64 = cells.clone().map(|i| cells.clone().map(|j| sampling.at(i, j)).sum::<f64>()).sum();
            let variance = covariance.quadratic(&contrast).max(0.0);
            half_width(variance, 0.0, prior.max(0.0) / INTERVAL_CONCENTRATION, self.settings.alpha / contrasts as f64)
        }))
    }
}
