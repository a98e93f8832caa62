//! What follows: evidence *and* a practical effect, or no alert.
//!
//! | Verdict | When |
//! | --- | --- |
//! | drift | the lower bound of the effect is above delta |
//! | stable | the upper bound is at or below delta |
//! | inconclusive | neither, or fewer than [`MIN_ANSWERS`] answers with data |
//!
//! The interval errs with probability at most α, so each verdict is wrong with probability at most α; over M tests a year that is α·M wrong ones at most on
//! average, whatever their dependence. The knob is that number: α = false alarms per year / M.

use super::effect::{Effect, Measure, effect};
use super::reference::QuestionReference;
use super::wald::{Wald, wald};
use crate::aggregate::Aggregate;
use crate::estimate::{Channel, Estimate, clipped};
use crate::privacy::decoder_of;
use crate::spec::Question;

/// Answers with data below which nothing is concluded. The interval is asymptotic: at ε = 3 and α = 0.27 % a binary question that did not
/// drift was called drifted in 9 % of spans with 2 answers, 0.8 % with 20, 0.2 % with 40 and 0 % with 100.
pub const MIN_ANSWERS: f64 = 100.0;

/// What is concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The distribution moved by more than delta.
    Drift,
    /// It did not.
    Stable,
    /// The data do not say.
    Inconclusive,
}

/// All that is known about one question in one window.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// Shares of all symbols, "no data" last; they sum to 1.
    pub symbols: Estimate,
    /// Shares of the cells among devices with data.
    pub cells: Estimate,
    /// The omnibus test, where it can be computed.
    pub wald: Option<Wald>,
    /// The effect with its interval.
    pub effect: Effect,
    /// The conclusion.
    pub verdict: Verdict,
    /// For an inconclusive verdict: reports in a window that would decide at the present estimate, if any number would.
    pub reports_needed: Option<u64>,
}

/// Compares an aggregate with the reference at error probability `alpha`; `None` when no device with data can be told from none.
#[must_use]
pub fn assess(
    question: &Question,
    ordered: bool,
    aggregate: &Aggregate,
    reference: &QuestionReference,
    delta: f64,
    alpha: f64,
) -> Option<Assessment> {
    let channel = Channel::of(&question.randomizer, question.domain_size)?;
    let support = decoder_of(question).oracle()?.support(aggregate.counters());
    let symbols = channel.estimate(aggregate.reports(), &support)?.sum_to_one();
    let cells = symbols.given_data()?;
    let difference: Vec<f64> = cells.shares.iter().zip(&reference.shares).map(|(now, then)| now - then).collect();
    let measure = if ordered { Measure::Ks } else { Measure::LInfinity };
    let effect = effect(measure, &difference, &cells.covariance.plus(&reference.covariance), alpha);
    let answered = 1.0 - symbols.shares[question.no_data()];
    let answers = aggregate.reports() as f64 * answered;
    let verdict = match effect {
        _ if answers < MIN_ANSWERS => Verdict::Inconclusive,
        Effect { lower, .. } if lower > delta => Verdict::Drift,
        Effect { upper, .. } if upper <= delta => Verdict::Stable,
        _ => Verdict::Inconclusive,
    };
    let reports_needed = (verdict == Verdict::Inconclusive)
        .then(|| reports_needed(&effect, &cells, reference, delta, aggregate.reports()))
        .flatten()
        .map(|needed| needed.max(libm::ceil(MIN_ANSWERS / answered) as u64));
    let wald = under_no_change(&channel, &symbols, reference, aggregate.reports() as f64)
        .and_then(|covariance| wald(&difference, &covariance));
    Some(Assessment { symbols, cells, wald, effect, verdict, reports_needed })
}

/// Covariance of the difference if nothing changed: the channel at the pooled shares, plus that of the reference.
fn under_no_change(
    channel: &Channel,
    symbols: &Estimate,
    reference: &QuestionReference,
    reports: f64,
) -> Option<crate::estimate::Matrix> {
    let now = clipped(&symbols.shares);
    let with_data = 1.0 - now[now.len() - 1];
    let weight = reference.device_windows as f64;
    let pool = |(then, now): (&f64, &f64)| (weight * then + reports * now) / (weight + reports * with_data);
    let pooled: Vec<f64> = reference.shares.iter().zip(&now).map(pool).collect();
    let shares: Vec<f64> = pooled.iter().map(|share| share * with_data).chain([1.0 - with_data]).collect();
    let covariance = channel.covariance(&shares, reports);
    let null = Estimate { shares, covariance }.given_data()?;
    Some(null.covariance.plus(&reference.covariance))
}

/// Solves z² (v_now · n/N + v_then) = (estimate − delta)² for N, the reports that would decide.
fn reports_needed(
    effect: &Effect,
    cells: &Estimate,
    reference: &QuestionReference,
    delta: f64,
    reports: u64,
) -> Option<u64> {
    let contrast = effect.contrast(cells.shares.len());
    let now = cells.covariance.quadratic(&contrast) * reports as f64;
    let then = reference.covariance.quadratic(&contrast);
    let z2 = effect.z * effect.z;
    let room = (effect.estimate - delta) * (effect.estimate - delta) - z2 * then;
    let needed = libm::ceil(z2 * now / room);
    (room > 0.0 && needed < 1e12).then_some(needed as u64)
}
