//! Before deployment: which shift can a question find from n reports, and how many reports does a shift need?
//!
//! A plan uses the rules that verdicts are given by ([`super::assess`], [`super::anchored_test`], intervals of means),
//! and asks how often they will say `drift`.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | n | `reports` | reports together in one verdict | ≥ 0 |
//! | C, R | | covariance of one report's cell shares among devices with data; of the reference's shares | |
//! | c_j, J | | contrasts of the effect: cumulative shares (KS) or shares (L∞); their number | |
//! | s_j | | standard error of contrast j, √(c_jᵀ(C/n + R)c_j) | |
//! | Δ | [`Conditions::delta`] | the smallest effect that matters | 0–1 |
//! | α | [`Look::level`] | error probability | (0, 1) |
//! | z | | half-width of the interval in standard errors | |
//! | π | `power` | probability of the verdict `drift` | (0, 1) |
//! | δ | `size` | true shift, in the unit of its [`Direction`] | |
//!
//! **Verdict by effect** (shares): `drift` if |c_jᵀd| − z s_j > Δ for any j, with z = Φ⁻¹(1 − α/(2J)).
//!
//! - [`Direction::Worst`]: only the contrast with the largest s_j moves, by δ. π(δ) = Φ((δ − Δ)/s − z) + Φ((−δ − Δ)/s −
//!   z); others can only add, so this is a lower bound, and the shift found with power π is Δ + (z + Φ⁻¹(π)) s.
//! - [`Direction::Location`] (ordered): a Gaussian whose quantiles are the cells moves by δ standard deviations; cumulative
//!   share j moves by Φ(Φ⁻¹(F_j) − δ) − F_j. [`Direction::Spread`] (unordered): every other cell falls, the others rise, in
//!   proportion to their shares, by δ in total variation. All contrasts move; π is the share of [`DRAWS`] fixed normal
//!   draws of the d noise with a verdict of `drift` (standard error at most 1.3 points).
//!
//! **Over time.** A verdict may be looked at after every window when z is that of a time-uniform interval, the normal
//! mixture of Robbins ("Statistical methods related to the law of the iterated logarithm", Ann. Math. Stat. 41(5), 1970,
//! section 5): z² = (1 + 1/r)(2 ln(J/α) + ln(1 + r)), r the ratio of n to the mixture's own size, chosen best for the n of
//! the plan. It is the power at that look alone; an earlier look can only add.
//!
//! **Anchored bits**: the test is close to χ² with k − 1 degrees of freedom and noncentrality n′ (2p − 1)² b² K/(K − 1)
//! ‖δ‖² ([`super::question_mix()`]), n′ = n/(1 + n/N) against N reports of windows before; over time, T must pass (1 + 1/r)(2
//! ln(1/α) + (k − 1) ln(1 + r)), the same mixture in k − 1 dimensions. No Δ enters. **Means and counts**: one contrast,
//! with s² = (v + w)(1/n + 1/N), v the largest noise variance of the mechanism and w that of even answers.
//!
//! **Validated** in `tests/it/plan.rs`: simulated power against planned, by the shipped verdict rule.
//!
//! **Cost**: O(DRAWS · k²) a question, O(DRAWS · k) for each power. C is that of the
//! shares after the shift, as verdicts take it from what they see. **Limits**: devices are alike in what they report; devices that answer alike in all windows (memoized) give less over time than planned.

use super::Measure;
use super::normal_draws::Normals;
use super::question_mix::{Fleet, slope};
use super::reference::QuestionReference;
use super::special::{log_chi_squared_survival, noncentral_chi_squared_survival, normal_quantile};
use super::verdict::MIN_ANSWERS;
use crate::estimate::{Channel, Cholesky, CountLaw, Estimate, Matrix, MeanLaw, clipped};
use crate::sketch::hadamard_order;
use crate::spec::{Metric, Question, QuestionKind};

/// Draws that a power is computed from, where all contrasts move.
const DRAWS: usize = 1_500;

const SEED: u64 = 0x0061_a4e5;

/// More reports than this are no plan.
const MOST_REPORTS: f64 = 1e12;

/// What a plan assumes about a question.
#[derive(Debug, Clone, Copy)]
pub struct Conditions<'a> {
    /// Share of the reports that carry data, in (0, 1].
    pub with_data: f64,
    /// Where the cells are now; even shares that are known exactly if absent.
    pub reference: Option<&'a QuestionReference>,
    /// Smallest effect that matters, 0–1.
    pub delta: f64,
    /// For anchored bits.
    pub fleet: Fleet<'a>,
    /// For answers that are compared with earlier windows: how many times as many reports those hold, above 0.
    pub before: f64,
}

/// How a verdict is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Reports in it.
    pub reports: f64,
    /// Error probability: of this verdict, or of all looks together.
    pub level: f64,
    /// Whether every window up to this one may be looked at.
    pub over_time: bool,
}

/// How shares move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// As little as the effect can show: in the effect's own measure.
    Worst,
    /// All of an ordered metric, in standard deviations.
    Location,
    /// All of an unordered metric, in total variation.
    Spread,
}

/// What a question can find.
#[derive(Debug, Clone)]
pub struct Detector {
    rule: Rule,
    delta: f64,
    with_data: f64,
}

#[derive(Debug, Clone)]
enum Rule {
    Contrasts(Box<Contrasts>),
    /// Degrees of freedom, noncentrality of one answer for a spread of size 1 with its largest size, and N/n.
    Quadratic {
        df: f64,
        gain: f64,
        most: f64,
        before: f64,
    },
    /// Variance of one report, in parts of the range; and that of a standard deviation of even answers.
    Level {
        variance: f64,
        deviation: f64,
        before: f64,
    },
}

#[derive(Debug, Clone)]
struct Contrasts {
    measure: Measure,
    shares: Vec<f64>,
    channel: Channel,
    with_data: f64,
    /// Variances of the contrasts from one report at these shares, and from the reference.
    one: Vec<f64>,
    reference: Vec<f64>,
    /// Draws of the contrasts' noise, from one report and from the reference.
    noise: Vec<[Vec<f64>; 2]>,
}

impl Detector {
    /// The detector of a question about a metric; `None` for an open vocabulary, whose words are found and not compared.
    ///
    /// # Panics
    ///
    /// If the conditions are out of their ranges, or the reference is not this question's.
    #[must_use]
    pub fn new(question: &Question, metric: &Metric, conditions: &Conditions<'_>) -> Option<Self> {
        let Conditions { with_data, delta, before, .. } = *conditions;
        assert!(with_data > 0.0 && with_data <= 1.0 && before > 0.0 && delta >= 0.0, "conditions in their ranges");
        let rule = match &question.kind {
            QuestionKind::SampledEvent | QuestionKind::ThresholdBit { .. } => {
                Rule::Contrasts(Box::new(Contrasts::new(question, metric, conditions)?))
            }
            QuestionKind::AnchoredBit { baseline } => {
                let weights = question.randomizer.weights;
                let (of_true, of_false) = (weights.of_true as f64, weights.of_false as f64);
                let contrast = (of_true - of_false) / (of_true + of_false);
                let fleet = conditions.fleet;
                let total: f64 = fleet.events.iter().map(|(_, weight)| weight).sum();
                let slopes = fleet.events.iter().map(|(m, weight)| weight * slope(*m, fleet.concentration));
                let slope = slopes.sum::<f64>() / total;
                let order = hadamard_order(baseline.len()) as f64;
                let shares = even_weights(baseline);
                let square: f64 = spread(&shares, 1.0).iter().map(|delta| delta * delta).sum();
                let gain = contrast * contrast * slope * slope * order / (order - 1.0) * square;
                Rule::Quadratic { df: baseline.len() as f64 - 1.0, gain, most: most_spread(&shares), before }
            }
            QuestionKind::Mean => {
                let law = MeanLaw::of(&question.randomizer, question.domain_size)?;
                Rule::level(law.worst_noise(), question.domain_size, before)
            }
            QuestionKind::EventCount { .. } => {
                let law = CountLaw::of(&question.randomizer, question.domain_size)?;
                let worst = (0..question.domain_size).map(|count| law.noise(count)).fold(0.0, f64::max);
                Rule::level(worst, question.domain_size, before)
            }
            QuestionKind::OpenVocabulary => return None,
        };
        Some(Self { rule, delta, with_data })
    }

    /// The measure of the effect, of questions that have shares.
    #[must_use]
    pub fn measure(&self) -> Option<Measure> {
        match &self.rule {
            Rule::Contrasts(contrasts) => Some(contrasts.measure),
            _ => None,
        }
    }

    /// How all of the metric may move: the direction that is planned for beside [`Direction::Worst`].
    #[must_use]
    pub fn typical(&self) -> Direction {
        match &self.rule {
            Rule::Contrasts(contrasts) if contrasts.measure == Measure::Ks => Direction::Location,
            Rule::Level { .. } => Direction::Location,
            _ => Direction::Spread,
        }
    }

    /// Probability that this look says `drift` when the shares moved by `size`.
    #[must_use]
    pub fn power(&self, look: Look, direction: Direction, size: f64) -> f64 {
        let answers = look.reports * self.with_data;
        match &self.rule {
            Rule::Contrasts(_) if answers < MIN_ANSWERS => 0.0,
            Rule::Contrasts(contrasts) => contrasts.power(look, direction, size, self.delta),
            Rule::Quadratic { df, gain, before, .. } => {
                let noncentrality = look.reports / (1.0 + 1.0 / before) * gain * size * size;
                noncentral_chi_squared_survival(squared_bound(look, *df), *df, noncentrality)
            }
            Rule::Level { variance, deviation, before } => {
                let error = libm::sqrt(variance / look.reports * (1.0 + 1.0 / before));
                let size = if direction == Direction::Location { size * deviation } else { size };
                tails(size, error, self.delta, half_width(look, 1.0))
            }
        }
    }

    /// The smallest shift that this look finds with probability `power`; `None` if it finds none that can be.
    #[must_use]
    pub fn detectable(&self, look: Look, direction: Direction, power: f64) -> Option<f64> {
        let most = self.most(direction);
        let found = |size: f64| self.power(look, direction, size) >= power;
        found(most).then(|| bisect(0.0, most, &found))
    }

    /// The fewest reports in one look that find a shift with probability `power`; `None` if no number does.
    #[must_use]
    pub fn reports_needed(&self, look: Look, direction: Direction, size: f64, power: f64) -> Option<u64> {
        let found = |log: f64| self.power(Look { reports: libm::exp(log), ..look }, direction, size) >= power;
        let most = libm::log(MOST_REPORTS);
        (size <= self.most(direction) && found(most)).then(|| libm::ceil(libm::exp(bisect(0.0, most, &found))) as u64)
    }

    /// The fewest reports from which `stable` can be concluded when nothing moved: every interval then lies below Δ with
    /// probability 1/2 at least for the widest of them. `None` if no number does, or where `stable` is never said.
    #[must_use]
    pub fn reports_until_stable(&self, look: Look) -> Option<u64> {
        let widest = |reports: f64| match &self.rule {
            Rule::Contrasts(contrasts) => {
                let error = contrasts.errors(reports).into_iter().fold(0.0, f64::max);
                (half_width(look, contrasts.one.len() as f64) + normal_quantile(0.75)) * error
            }
            Rule::Quadratic { .. } => f64::INFINITY,
            Rule::Level { variance, before, .. } => {
                let error = libm::sqrt(variance / reports * (1.0 + 1.0 / before));
                (half_width(look, 1.0) + normal_quantile(0.75)) * error
            }
        };
        let stable = |log: f64| widest(libm::exp(log)) <= self.delta;
        let most = libm::log(MOST_REPORTS);
        let least = MIN_ANSWERS / self.with_data;
        stable(most).then(|| libm::ceil(libm::exp(bisect(0.0, most, &stable)).max(least)) as u64)
    }

    /// The largest shift that can be.
    fn most(&self, direction: Direction) -> f64 {
        match (&self.rule, direction) {
            (_, Direction::Location) => 6.0,
            (Rule::Contrasts(contrasts), Direction::Worst) => contrasts.largest_effect(),
            (Rule::Contrasts(contrasts), Direction::Spread) => most_spread(&contrasts.shares),
            (Rule::Quadratic { most, .. }, _) => *most,
            (Rule::Level { .. }, _) => 1.0,
        }
    }
}

impl Rule {
    fn level(noise: f64, domain_size: usize, before: f64) -> Self {
        let (k, range) = (domain_size as f64, domain_size as f64 - 1.0);
        let even = (k * k - 1.0) / 12.0;
        let deviation = libm::sqrt(even) / range;
        Self::Level { variance: (noise + even) / (range * range), deviation, before }
    }
}

impl Contrasts {
    fn new(question: &Question, metric: &Metric, conditions: &Conditions<'_>) -> Option<Self> {
        let cells = question.data_cells();
        let shares = conditions.reference.map_or_else(|| vec![1.0 / cells as f64; cells], |known| known.shares.clone());
        assert_eq!(shares.len(), cells, "the reference of this question");
        let channel = Channel::of(&question.randomizer, question.domain_size)?;
        let with_data = conditions.with_data;
        let one = one_report(&channel, &shares, with_data)?;
        let known = Matrix::symmetric(cells, |u, v| conditions.reference.map_or(0.0, |r| r.covariance.at(u, v)));
        let measure = if question.ordered(metric) { Measure::Ks } else { Measure::LInfinity };
        let empty = (Vec::new(), Vec::new(), Vec::new());
        let mut contrasts =
            Self { measure, shares, channel, with_data, one: empty.0, reference: empty.1, noise: empty.2 };
        let units: Vec<Vec<f64>> = (0..contrasts.number()).map(|j| contrasts.weights(j)).collect();
        contrasts.one = units.iter().map(|c| one.quadratic(c).max(0.0)).collect();
        contrasts.reference = units.iter().map(|c| known.quadratic(c).max(0.0)).collect();
        let roots = [Some(one.root()), conditions.reference.map(|_| known.root())];
        let mut normals = Normals::new(SEED);
        let mut noise = |root: &Option<Cholesky>| match root {
            Some(root) => contrasts.of(&root.times(&normals.by_ref().take(cells).collect::<Vec<_>>())),
            None => vec![0.0; contrasts.number()],
        };
        contrasts.noise = (0..DRAWS).map(|_| [noise(&roots[0]), noise(&roots[1])]).collect();
        Some(contrasts)
    }

    /// J, as the effect counts them.
    fn number(&self) -> usize {
        let cells = self.shares.len();
        if self.measure == Measure::Ks || cells == 2 { cells - 1 } else { cells }
    }

    fn weights(&self, j: usize) -> Vec<f64> {
        let adds = |cell: usize| if self.measure == Measure::Ks { cell <= j } else { cell == j };
        (0..self.shares.len()).map(|cell| f64::from(u8::from(adds(cell)))).collect()
    }

    /// The contrasts of a difference.
    fn of(&self, difference: &[f64]) -> Vec<f64> {
        let mut sum = 0.0;
        let mut next = |d: &f64| {
            sum = if self.measure == Measure::Ks { sum + d } else { *d };
            sum
        };
        difference.iter().take(self.number()).map(&mut next).collect()
    }

    fn errors(&self, reports: f64) -> Vec<f64> {
        self.one.iter().zip(&self.reference).map(|(one, known)| libm::sqrt(one / reports + known)).collect()
    }

    fn power(&self, look: Look, direction: Direction, size: f64, delta: f64) -> f64 {
        let z = half_width(look, self.number() as f64);
        if direction == Direction::Worst {
            return tails(size, self.worst_error(look.reports, size), delta, z);
        }
        let difference = self.difference(direction, size);
        let moved = self.of(&difference);
        let one = self.variances(&difference);
        let errors: Vec<f64> =
            one.iter().zip(&self.reference).map(|(one, known)| libm::sqrt(one / look.reports + known)).collect();
        // The draws are of the noise before the shift.
        let scale = |(after, before): (&f64, &f64)| libm::sqrt(after / (before * look.reports));
        let scales: Vec<f64> = one.iter().zip(&self.one).map(scale).collect();
        let drift = |[now, then]: &&[Vec<f64>; 2]| {
            (0..moved.len()).any(|j| libm::fabs(moved[j] + now[j] * scales[j] + then[j]) - z * errors[j] > delta)
        };
        self.noise.iter().filter(drift).count() as f64 / DRAWS as f64
    }

    /// The standard error of the contrast that has the largest, after it moved by `size` up or down, whichever is worse.
    fn worst_error(&self, reports: f64, size: f64) -> f64 {
        let errors = self.errors(reports);
        let worst = (0..errors.len()).fold(0, |worst, j| if errors[j] > errors[worst] { j } else { worst });
        let error = |size: f64| {
            let mut difference = vec![0.0; self.shares.len()];
            if self.measure == Measure::Ks {
                (difference[worst], difference[worst + 1]) = (size, -size);
            } else {
                let rest = 1.0 - self.shares[worst];
                difference.iter_mut().zip(&self.shares).for_each(|(d, share)| *d = -size * share / rest);
                difference[worst] = size;
            }
            libm::sqrt(self.variances(&difference)[worst] / reports + self.reference[worst])
        };
        error(size).max(error(-size))
    }

    /// Variances of the contrasts from one report when the shares moved by this difference.
    fn variances(&self, difference: &[f64]) -> Vec<f64> {
        let moved: Vec<f64> = self.shares.iter().zip(difference).map(|(share, d)| share + d).collect();
        let Some(one) = one_report(&self.channel, &clipped(&moved), self.with_data) else { return self.one.clone() };
        if self.measure == Measure::LInfinity {
            return (0..self.number()).map(|v| one.at(v, v).max(0.0)).collect();
        }
        // Each cumulative share has the variance of the one before, and what its last cell adds.
        let mut variance = 0.0;
        let mut next = |j: usize| {
            let with_those_before: f64 = (0..j).map(|v| one.at(j, v)).sum();
            variance += one.at(j, j) + 2.0 * with_those_before;
            variance.max(0.0)
        };
        (0..self.number()).map(&mut next).collect()
    }

    /// By how much each share moves.
    fn difference(&self, direction: Direction, size: f64) -> Vec<f64> {
        if direction == Direction::Spread || self.measure == Measure::LInfinity {
            return spread(&self.shares, size);
        }
        let cumulative = |share: f64| match share {
            share if !(1e-12..=1.0 - 1e-12).contains(&share) => 0.0,
            share => libm::erfc((size - normal_quantile(share)) / core::f64::consts::SQRT_2) / 2.0 - share,
        };
        let mut below = 0.0;
        let mut moved = |share: &f64| {
            let before = cumulative(below);
            below += share;
            cumulative(below) - before
        };
        self.shares.iter().map(&mut moved).collect()
    }

    /// The largest value that the contrast with the largest error can have.
    fn largest_effect(&self) -> f64 {
        let room = |share: &f64| share.max(1.0 - share);
        self.of(&self.shares).iter().map(room).fold(0.0, f64::max)
    }
}

/// C: the covariance of the cell shares among devices with data, from one report.
fn one_report(channel: &Channel, shares: &[f64], with_data: f64) -> Option<Matrix> {
    let symbols: Vec<f64> = shares.iter().map(|share| share * with_data).chain([1.0 - with_data]).collect();
    // So many reports that the share with data is known; then scaled to one report.
    let covariance = channel.covariance(&symbols, MOST_REPORTS);
    let many = Estimate { shares: symbols, covariance }.given_data()?.covariance;
    Some(Matrix::symmetric(shares.len(), |u, v| many.at(u, v) * MOST_REPORTS))
}

/// P\[|X| − z s > Δ\] for X normal with mean δ and standard error s.
fn tails(size: f64, error: f64, delta: f64, z: f64) -> f64 {
    if error <= 0.0 {
        return f64::from(u8::from(size > delta));
    }
    let below = |at: f64| libm::erfc(-at / core::f64::consts::SQRT_2) / 2.0;
    below((size - delta) / error - z) + below((-size - delta) / error - z)
}

/// z of an interval for each of `contrasts` contrasts together.
fn half_width(look: Look, contrasts: f64) -> f64 {
    if !look.over_time {
        return -normal_quantile(look.level / (2.0 * contrasts));
    }
    libm::sqrt(mixture_bound(2.0 * libm::log(contrasts / look.level), 1.0))
}

/// What a χ²-like statistic must pass.
fn squared_bound(look: Look, df: f64) -> f64 {
    if look.over_time {
        return mixture_bound(-2.0 * libm::log(look.level), df);
    }
    let above = |x: f64| log_chi_squared_survival(x, df) <= libm::log(look.level);
    bisect(0.0, 20.0 * (df + 100.0), &above)
}

/// The least of (1 + 1/r)(a + df ln(1 + r)) over r > 0: it falls to one minimum and rises.
fn mixture_bound(a: f64, df: f64) -> f64 {
    let bound = |log: f64| {
        let r = libm::exp(log);
        (1.0 + 1.0 / r) * (a + df * libm::log1p(r))
    };
    let (mut low, mut high) = (-10.0, 15.0);
    while high - low > 1e-6 {
        let third = (high - low) / 3.0;
        if bound(low + third) <= bound(high - third) { high -= third } else { low += third }
    }
    bound(low)
}

/// The least argument for which a monotone condition holds, given that it holds at `high`; to 10⁻⁶ of the range.
fn bisect(mut low: f64, mut high: f64, holds: &dyn Fn(f64) -> bool) -> f64 {
    let close = (high - low) * 1e-6;
    while high - low > close {
        let middle = (low + high) / 2.0;
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

/// Every other cell falls, the others rise, in proportion to their shares, by `size` in total variation.
fn spread(shares: &[f64], size: f64) -> Vec<f64> {
    let hold = |odd: usize| shares.iter().skip(odd).step_by(2).sum::<f64>();
    let holds = [hold(0), hold(1)];
    let signs = [1.0, -1.0];
    shares.iter().enumerate().map(|(cell, share)| signs[cell % 2] * size * share / holds[cell % 2]).collect()
}

/// The falling cells can lose all.
fn most_spread(shares: &[f64]) -> f64 {
    shares.iter().skip(1).step_by(2).sum()
}

fn even_weights(baseline: &[u32]) -> Vec<f64> {
    let total: f64 = baseline.iter().copied().map(f64::from).sum();
    baseline.iter().map(|weight| f64::from(*weight) / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::MonitorSpec;

    const FLEET: Fleet<'static> = Fleet { events: &[(10, 1.0)], concentration: 20.0 };

    fn conditions() -> Conditions<'static> {
        Conditions { with_data: 1.0, reference: None, delta: 0.05, fleet: FLEET, before: 60.0 }
    }

    fn detector(name: &str) -> Detector {
        let spec = MonitorSpec::parse(include_str!("../../pkg-config.json")).expect("the shipped spec");
        let question = spec.questions.iter().find(|question| question.name == name).expect("a question");
        Detector::new(question, spec.metric_of(question), &conditions()).expect("it has shares")
    }

    const LOOK: Look = Look { reports: 2_000.0, level: 0.01, over_time: false };

    /// Δ + (z + Φ⁻¹(π)) s for a binary question, with s of k-ary response over its three symbols by hand.
    #[test]
    fn a_binary_question_by_hand() {
        let found = detector("departed_late").detectable(LOOK, Direction::Worst, 0.8).expect("below 1");
        // k-ary response over 3 symbols, all with data: a report names a cell with (p, q) or (q, p), else "no data" with q.
        let e = libm::exp(3.0);
        let (p, q) = (e / (e + 2.0), 1.0 / (e + 2.0));
        // Share g = f₁/(f₁ + f₂) at f = (g, 1 − g, 0) after the shift: n Var g = (1−g)² V₁₁ + g² V₂₂ − 2g(1−g) V₁₂.
        let g = 0.5 + found;
        let named = [p * g + q * (1.0 - g), p * (1.0 - g) + q * g];
        let v =
            |i: usize, j: usize| ((if i == j { named[i] } else { 0.0 }) - named[i] * named[j]) / ((p - q) * (p - q));
        let variance = (1.0 - g) * (1.0 - g) * v(0, 0) + g * g * v(1, 1) - 2.0 * g * (1.0 - g) * v(0, 1);
        let error = libm::sqrt(variance / 2_000.0);
        let expected = 0.05 + (normal_quantile(0.995) + normal_quantile(0.8)) * error;
        assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    }

    #[test]
    fn more_reports_find_less_and_time_has_its_price() {
        for name in ["departed_late", "hour", "carrier"] {
            let detector = detector(name);
            for direction in [Direction::Worst, detector.typical()] {
                let at = |reports, over_time| {
                    let look = Look { reports, over_time, ..LOOK };
                    detector.detectable(look, direction, 0.8).expect("large enough")
                };
                assert!(at(50_000.0, false) < at(20_000.0, false) && at(20_000.0, false) < at(20_000.0, true));
                let needed = detector.reports_needed(LOOK, direction, at(20_000.0, false), 0.8).expect("a number");
                assert!((needed as f64 / 20_000.0 - 1.0).abs() < 0.01, "{name}: {needed}");
            }
        }
    }

    #[test]
    fn what_cannot_be_found() {
        let detector = detector("carrier");
        let few = Look { reports: 99.0, ..LOOK };
        assert_eq!(detector.detectable(few, Direction::Worst, 0.8), None, "below 100 answers");
        assert_eq!(detector.reports_needed(LOOK, Direction::Worst, 0.05, 0.8), None, "an effect of Δ itself");
        assert!(detector.reports_until_stable(LOOK).is_some());
    }

    /// One look at 1 % needs z = 2.58; the mixture for one contrast is the solution of Robbins' bound, about 3.5.
    #[test]
    fn bounds() {
        let z = half_width(Look { over_time: true, ..LOOK }, 1.0);
        assert!((3.3..3.6).contains(&z), "{z}");
        assert!((squared_bound(LOOK, 1.0) - 6.634_896_6).abs() < 0.01);
    }
}
