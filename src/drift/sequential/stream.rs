//! One stream of windows against its reference: all sequential statements, look by look.
//!
//! A stream is one question in one segment and arm. [`Comparison`] is its e-process alone, [`Stream`] adds the
//! e-detector and the effect's bounds.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | f̂ | | unbiased shares of the symbols, from the sums of all looks | may lie outside \[0, 1\] |
//! | d̂ | | Σ of f̂ over the data cells: share of answers with data | |
//! | g, S_ref | `reference` | reference shares among answers with data; their covariance | |
//! | Z | | f̂_v − g_v d̂, over the k data cells; sums to 0 | |
//! | J | | I − g 1ᵀ: Z = J f̂ | |
//! | p | | shares of the reference and all looks pooled, clipped and renormalized: a nuisance | \[0, 1\] |
//! | S | | J C(p d, 1 − d) Jᵀ, C the channel's covariance of one report | |
//! | B | | d² (S_ref + R + Ω), see below | |
//! | R | | diag(max(0, p − g))/(reference's answers) | |
//! | ρ, M | [`Repetition`] | correlation of the answers of one device; devices | |
//!
//! **Why Z.** It is linear in the reports (see `sampling`): its mean is exactly (p − g) d in every window, however few
//! its reports and however d changes. And S is linear in d, so the sums over windows of different d have the covariance
//! at the average d. Only the integers Σ support and Σ reports are kept, so nothing depends on rounding before the look
//! at which it is used.
//!
//! **Nuisances.** S and B depend on p and d, which are estimated from everything seen, this look included, and
//! evaluated again whenever the reports have grown by a tenth: a function of counts. They set the scale of the noise,
//! not the direction of a bet. R repairs a reference in which a rare cell happened to be empty: its S_ref is too small,
//! and the pooled share shows by how much.
//!
//! **Repetition** is what the operator declares, see [`super::wald_mixture`] for the argument and what breaks it: Ω = ρ
//! (diag p − ppᵀ)/M if devices draw fresh noise; S/M whole (already in the scale of Z) if their answers are memoized,
//! for a device then counts once per comparison. If the reference comes from *other* devices, theirs count too: give M
//! with 1/M = 1/M_current + 1/M_reference. For the same devices their part cancels, and B errs on the safe side.
//!
//! **Late and disordered windows.** Looks are numbered in the order in which windows *close*. A window enters once,
//! when it closes; what arrives later belongs to a look of its own that closes later, or to none. No past value is
//! computed again, and a number that is not above the last is refused ([`LookError::Order`]). So the same closed
//! windows replay to the same values, bit for bit. It is the closing order that must not depend on the answers.
//!
//! **Cost** of a look: k² plus J·k² for J remembered starts of the detector; some k³ whenever the covariances are
//! evaluated again (24 times per tenfold growth). Memory: k (J + 2) numbers and 2 k² for the coordinates.
//!
//! **Does not hold when** the channel or its parameters change: that is another stream.

use super::bet::{Detection, LEARNT_CONCENTRATIONS, MEMORY, ShiftDetector};
use super::dirichlet::CONCENTRATIONS;
use super::interval::{EffectBounds, effect_bounds};
use super::sampling::{Sampling, multinomial};
use super::wald_mixture::WaldMixture;
use crate::drift::{Measure, QuestionReference};
use crate::estimate::{Channel, Matrix, clipped};

/// The correlation of the answers of one device that is assumed unless declared.
pub const DEFAULT_CORRELATION: f64 = 0.2;

/// The share of answers with data that is assumed at least, to have a scale at all.
pub(super) const LEAST_WITH_DATA: f64 = 0.01;

/// How often one device answers in a comparison, and what its answers have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Repetition {
    /// Each device answers in one window at most.
    Once,
    /// Devices answer in many windows, with fresh noise.
    Fresh {
        /// Upper bound of the intra-class correlation of the true answers of a device, in \[0, 1\].
        correlation: f64,
        /// Devices that take part; a lower bound.
        devices: u64,
    },
    /// Devices answer in many windows with the same noise.
    Memoized {
        /// Devices that take part; a lower bound.
        devices: u64,
    },
}

/// A look that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    /// The window had closed already, or closes out of turn.
    #[error("look {number} does not follow look {last}: windows enter once, in the order in which they close")]
    Order {
        /// The number of this look.
        number: u64,
        /// The number of the last look.
        last: u64,
    },
    /// The sums are those of another question.
    #[error("expected counts for {expected} symbols, found {found}")]
    Symbols {
        /// Symbols of the channel.
        expected: usize,
        /// Length of the counts.
        found: usize,
    },
}

/// The e-process of one stream.
#[derive(Debug, Clone)]
pub struct Comparison {
    channel: Channel,
    reference: QuestionReference,
    repetition: Repetition,
    reports: u64,
    support: Vec<u64>,
    last: Option<u64>,
    /// Covariances in coordinates, with the reports at which they were evaluated.
    scale: Option<(u64, WaldMixture)>,
}

impl Comparison {
    /// A comparison with `reference`, over the data cells of a channel whose symbols are those cells, or those and "no
    /// data". `None` when the channel has other symbols, or there are fewer than two cells, or a declared
    /// correlation is outside \[0, 1\], or no device is declared.
    #[must_use]
    pub fn new(
        channel: &Channel,
        symbols: usize,
        reference: &QuestionReference,
        repetition: Repetition,
    ) -> Option<Self> {
        let cells = reference.shares.len();
        let declared = match repetition {
            Repetition::Once => true,
            Repetition::Fresh { correlation, devices } => (0.0..=1.0).contains(&correlation) && devices > 0,
            Repetition::Memoized { devices } => devices > 0,
        };
        let fits = cells >= 2 && (symbols == cells || symbols == cells + 1) && reference.covariance.size() == cells;
        (declared && fits).then(|| Self {
            channel: channel.clone(),
            reference: reference.clone(),
            repetition,
            reports: 0,
            support: vec![0; symbols],
            last: None,
            scale: None,
        })
    }

    /// Adds the window that closed as number `number`: its reports and how many support each symbol. Gives ln E; −∞ if
    /// the covariances have no coordinates yet.
    ///
    /// # Errors
    ///
    /// [`LookError`]; then nothing has changed.
    pub fn look(&mut self, number: u64, reports: u64, support: &[u64]) -> Result<f64, LookError> {
        if let Some(last) = self.last.filter(|last| number <= *last) {
            return Err(LookError::Order { number, last });
        }
        if support.len() != self.support.len() {
            return Err(LookError::Symbols { expected: self.support.len(), found: support.len() });
        }
        self.last = Some(number);
        self.reports = self.reports.saturating_add(reports);
        self.support.iter_mut().zip(support).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        Ok(self.log_e())
    }

    /// Reports of all looks.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    fn log_e(&mut self) -> f64 {
        let Some(shares) = self.channel.shares(self.reports, &self.support) else { return 0.0 };
        self.rescale(&shares);
        let Some((_, mixture)) = &self.scale else { return f64::NEG_INFINITY };
        mixture.log_e(&self.deviation(&shares), self.reports as f64)
    }

    /// Z.
    fn deviation(&self, shares: &[f64]) -> Vec<f64> {
        let g = &self.reference.shares;
        let with_data: f64 = shares[..g.len()].iter().sum();
        g.iter().zip(shares).map(|(g, f)| f - g * with_data).collect()
    }

    /// Evaluates the covariances again when the reports have grown by a tenth.
    fn rescale(&mut self, shares: &[f64]) {
        let due = self.scale.as_ref().is_none_or(|(at, _)| self.reports / 11 >= at / 10);
        if due {
            let (sampling, persistent) = self.null_covariances(shares);
            if let Some(mixture) = WaldMixture::new(&sampling, &persistent, &CONCENTRATIONS) {
                self.scale = Some((self.reports.max(1), mixture));
            }
        }
    }

    /// S and B.
    fn null_covariances(&self, shares: &[f64]) -> (Matrix, Matrix) {
        let (g, weight) = (&self.reference.shares, self.reference.device_windows as f64);
        let n = self.reports as f64;
        let with_data = self.with_data(shares);
        let pool = |(g, f): (&f64, &f64)| (weight * g + n * f) / (weight + n * with_data);
        let pooled = clipped(&g.iter().zip(shares).map(pool).collect::<Vec<_>>());
        let sampling = Sampling::new(&self.channel, &pooled, with_data, g).own;
        let offset = self.offset(&pooled, &sampling, with_data);
        let persistent = Matrix::symmetric(g.len(), |i, j| {
            let rare = if i == j { (pooled[i] - g[i]).max(0.0) / weight.max(1.0) } else { 0.0 };
            with_data * with_data * (self.reference.covariance.at(i, j) + rare) + offset.at(i, j)
        });
        (sampling, persistent)
    }

    /// d, within what is possible.
    fn with_data(&self, shares: &[f64]) -> f64 {
        if shares.len() == self.reference.shares.len() {
            return 1.0;
        }
        shares[..self.reference.shares.len()].iter().sum::<f64>().clamp(LEAST_WITH_DATA, 1.0)
    }

    /// The covariance that devices bring which answer in many windows, in the scale of Z.
    fn offset(&self, cells: &[f64], sampling: &Matrix, with_data: f64) -> Matrix {
        Matrix::symmetric(cells.len(), |i, j| match self.repetition {
            Repetition::Once => 0.0,
            Repetition::Fresh { correlation, devices } => {
                // Devices with data are M d, and the scale of Z is d.
                with_data * correlation * multinomial(cells, i, j) / devices as f64
            }
            Repetition::Memoized { devices } => sampling.at(i, j) / devices as f64,
        })
    }

    /// Bounds for the effect on shares among answers with data, at error probability α over all looks: of the pooled
    /// looks against the reference. `None` while the answers with data cannot be told from none.
    #[must_use]
    pub fn effect(&self, measure: Measure, alpha: f64) -> Option<EffectBounds> {
        let shares = self.channel.shares(self.reports, &self.support)?;
        let k = self.reference.shares.len();
        let total: f64 = shares[..k].iter().sum();
        let with_data = self.with_data(&shares);
        let current = clipped(&shares[..k].iter().map(|f| f / with_data).collect::<Vec<_>>());
        let one = self.channel.covariance(&clipped(&shares), self.reports as f64);
        let variance: f64 = (0..k).map(|i| (0..k).map(|j| one.at(i, j)).sum::<f64>()).sum();
        // NaN counts as too few.
        let enough = total.partial_cmp(&(3.0 * libm::sqrt(variance.max(0.0)))) == Some(core::cmp::Ordering::Greater);
        if !enough {
            return None;
        }
        // The ratio by the delta method, at the estimate: the effect need not be 0.
        let square = with_data * with_data;
        let sampling = Sampling::new(&self.channel, &current, with_data, &current).own;
        let per_report = Matrix::symmetric(k, |i, j| sampling.at(i, j) / square);
        let offset = self.offset(&current, &sampling, with_data);
        let persistent = Matrix::symmetric(k, |i, j| self.reference.covariance.at(i, j) + offset.at(i, j) / square);
        let difference: Vec<f64> = self.reference.shares.iter().zip(&shares).map(|(g, f)| f / total - g).collect();
        Some(effect_bounds(measure, &difference, &per_report, &persistent, self.reports as f64, alpha))
    }
}

/// What a stream is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreamSettings {
    /// The effect to bound.
    pub measure: Measure,
    /// What is declared about devices that answer often.
    pub repetition: Repetition,
    /// Error probability of the effect's bounds, over all looks.
    pub alpha: f64,
    /// Starts of a change that are remembered, at least 1.
    pub memory: usize,
}

impl StreamSettings {
    /// Defaults for a fleet of `devices`: L∞, correlation 0.2, α 0.05, 64 starts.
    #[must_use]
    pub fn of_fleet(devices: u64) -> Self {
        let repetition = Repetition::Fresh { correlation: DEFAULT_CORRELATION, devices };
        Self { measure: Measure::LInfinity, repetition, alpha: 0.05, memory: MEMORY }
    }
}

/// What is known after a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Number of the look.
    pub number: u64,
    /// ln E against "nothing has moved from the reference": for e-BH over streams, and for [`super::AlarmBudget`]'s
    /// threshold.
    pub log_e: f64,
    /// The e-detector: alarms when its logarithm reaches ln A.
    pub detection: Detection,
    /// Bounds of the effect that hold at all looks, where answers with data can be told from none.
    pub effect: Option<EffectBounds>,
}

/// The state of one stream.
#[derive(Debug, Clone)]
pub struct Stream {
    comparison: Comparison,
    detector: ShiftDetector,
    settings: StreamSettings,
}

impl Stream {
    /// A stream before its first look. `None` as for [`Comparison::new`], and when α is not in (0, 1) or nothing is
    /// remembered.
    #[must_use]
    pub fn new(
        channel: &Channel,
        symbols: usize,
        reference: &QuestionReference,
        settings: StreamSettings,
    ) -> Option<Self> {
        let proper = settings.memory > 0 && settings.alpha > 0.0 && settings.alpha < 1.0;
        let comparison = Comparison::new(channel, symbols, reference, settings.repetition).filter(|_| proper)?;
        let detector = ShiftDetector::new(reference.shares.len(), &LEARNT_CONCENTRATIONS, settings.memory);
        Some(Self { comparison, detector, settings })
    }

    /// Adds the window that closed as number `number`.
    ///
    /// # Errors
    ///
    /// [`LookError`]; then nothing has changed.
    pub fn look(&mut self, number: u64, reports: u64, support: &[u64]) -> Result<Step, LookError> {
        let log_e = self.comparison.look(number, reports, support)?;
        let comparison = &self.comparison;
        let cells = comparison.reference.shares.len();
        let own = comparison.channel.shares(reports, support);
        let own = own.map_or(vec![0.0; cells], |shares| comparison.deviation(&shares));
        let detection = match &comparison.scale {
            Some((_, mixture)) => self.detector.look(mixture, &own, reports as f64),
            None => Detection { log_shiryaev_roberts: f64::NEG_INFINITY, log_cusum: f64::NEG_INFINITY, looks_since: 1 },
        };
        let effect = comparison.effect(self.settings.measure, self.settings.alpha);
        Ok(Step { number, log_e, detection, effect })
    }

    /// Begins the detector anew, after an alarm; the e-process and the bounds go on.
    pub fn restart_detector(&mut self) {
        self.detector.reset();
    }
}

/// All steps of a stream over its closed windows (number, reports, support), in order; the detector begins anew after
/// each look at which it reaches `log_threshold`.
///
/// # Errors
///
/// [`LookError`] of the first look that cannot be taken.
pub fn replay<'a>(
    mut stream: Stream,
    windows: impl IntoIterator<Item = (u64, u64, &'a [u64])>,
    log_threshold: f64,
) -> Result<Vec<Step>, LookError> {
    let mut steps = Vec::new();
    for (number, reports, support) in windows {
        let step = stream.look(number, reports, support)?;
        if step.detection.log_shiryaev_roberts >= log_threshold {
            stream.restart_detector();
        }
        steps.push(step);
    }
    Ok(steps)
}
