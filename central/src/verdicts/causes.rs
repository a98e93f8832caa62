//! What is behind the verdict on each question's last closed span: every test, every effect, what the estimate rests
//! on, when the change began, and what moved together.
//!
//! Verdicts and alarms do not depend on anything here. Tests and effects are of one look, so the p-values of spans that
//! one waited for are too small; what holds at all looks is the evidence of the verdicts. Questions are ranked by
//! evidence, never by effect: a rare cell with much noise has the largest effects.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::{
    self, Comparison, DebiasedPair, Distance, Influence, NormLaws, QuestionReference, Reference, Shape, Suspect,
    WindowDifference, change_point, moved, moved_together, one_shot,
};
use driftglass::estimate::{Channel, Estimate, clipped};
use driftglass::privacy::decoder_of;
use driftglass::spec::{Question, WindowIndex};
use serde::Serialize;

use super::{Interval, Rules};
use crate::clock::Clock;
use crate::registry::Registered;
use crate::store::Sums;

/// Coverage of the intervals of effects, and of the set that holds the start of a change.
const COVERAGE: f64 = 0.95;

/// What is behind the verdicts of a spec.
#[derive(Debug, Serialize)]
pub struct Causes {
    pub(crate) spec_id: String,
    /// Coverage of intervals, and of the set of windows with which a change may have begun.
    pub(crate) coverage: f64,
    /// One per question that has shares, a reference and a closed window; the most evidence first.
    pub(crate) questions: Vec<QuestionCauses>,
    /// Questions that moved, by when they did.
    pub(crate) moved_together: Vec<MovedTogether>,
}

/// One question in its last closed span.
#[derive(Debug, Serialize)]
pub(crate) struct QuestionCauses {
    pub(crate) question: String,
    pub(crate) window: WindowIndex,
    /// −ln p of "nothing moved", by all tests.
    pub(crate) evidence: Option<f64>,
    pub(crate) tests: Option<Tests>,
    pub(crate) effects: Effects,
    pub(crate) trust: Option<Trust>,
    pub(crate) change: Option<Change>,
}

/// p-values of one look.
#[derive(Debug, Serialize)]
pub(crate) struct Tests {
    pub(crate) omnibus: f64,
    pub(crate) location: Option<f64>,
    pub(crate) scale: Option<f64>,
    pub(crate) ks: Option<f64>,
    pub(crate) wasserstein: Option<f64>,
    pub(crate) largest_cell: Option<f64>,
    pub(crate) combined: f64,
}

/// Distances without the bias of noise. To be shown, never to be ranked or alerted on.
#[derive(Debug, Serialize)]
pub(crate) struct Effects {
    pub(crate) psi: Interval,
    pub(crate) jensen_shannon: Interval,
    pub(crate) hellinger: Interval,
    pub(crate) total_variation: Interval,
    pub(crate) l_infinity: Interval,
    /// Ordered cells alone.
    pub(crate) ks: Option<Interval>,
    /// In cells; ordered cells alone.
    pub(crate) wasserstein: Option<Interval>,
}

/// What the estimate rests on.
#[derive(Debug, Serialize)]
pub(crate) struct Trust {
    /// Added fake reports that could feign a shift of delta, or hide one.
    pub(crate) fakes_for_delta: Option<u64>,
    /// By how much one fake report in a hundred could move the share that moved most.
    pub(crate) moved_by_one_percent: f64,
    /// Reports of the span over those of as many windows like the best one so far.
    pub(crate) response_rate: f64,
    /// Share of the answers that had data; of a question about outcomes, the label coverage.
    pub(crate) coverage: Interval,
}

/// When the change began.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    /// The likeliest first changed window.
    pub(crate) window: WindowIndex,
    /// The windows from `first` to `last` hold the first changed one.
    pub(crate) first: WindowIndex,
    pub(crate) last: WindowIndex,
    pub(crate) p_value: f64,
}

/// Questions whose changes may have begun in the same window.
#[derive(Debug, Serialize)]
pub(crate) struct MovedTogether {
    pub(crate) questions: Vec<String>,
    pub(crate) first: Option<WindowIndex>,
    pub(crate) last: Option<WindowIndex>,
}

/// Looks behind the verdicts of a spec.
#[must_use]
pub fn causes(registered: &Registered, sums: &Sums, clock: &Clock) -> Causes {
    let rules = Rules::of(registered, clock, &BTreeMap::new());
    let spec = &registered.spec;
    let known = |index: usize| rules.causes(index, registered.reference.as_ref()?, &sums[index]);
    let mut found: Vec<(usize, QuestionCauses)> =
        (0..spec.questions.len()).filter_map(|index| Some((index, known(index)?))).collect();
    found.sort_by(|(_, a), (_, b)| b.evidence.unwrap_or(0.0).total_cmp(&a.evidence.unwrap_or(0.0)));
    let suspects: Vec<Suspect> = found.iter().map(|(index, causes)| causes.suspect(*index)).collect();
    // All questions together err with 1 − COVERAGE.
    let threshold = (suspects.len() as f64 / (1.0 - COVERAGE)).ln();
    let group = |group: drift::Group| MovedTogether {
        questions: group.members.iter().map(|member| found[*member].1.question.clone()).collect(),
        first: group.changed.map(|[first, _]| first),
        last: group.changed.map(|[_, last]| last),
    };
    let moved_together = moved_together(&suspects, threshold).into_iter().map(group).collect();
    let questions = found.into_iter().map(|(_, causes)| causes).collect();
    Causes { spec_id: spec.id().to_string(), coverage: COVERAGE, questions, moved_together }
}

impl QuestionCauses {
    fn suspect(&self, metric: usize) -> Suspect {
        let changed = self.change.as_ref().map(|change| [change.first, change.last]);
        Suspect { metric, segment: 0, evidence: self.evidence.unwrap_or(0.0), changed }
    }
}

impl Rules<'_> {
    fn causes(
        &self,
        index: usize,
        reference: &Reference,
        sums: &BTreeMap<WindowIndex, Aggregate>,
    ) -> Option<QuestionCauses> {
        let question = &self.spec.questions[index];
        let closed: BTreeMap<WindowIndex, &Aggregate> = sums
            .iter()
            .filter(|(window, sum)| !self.spec.window.is_open(**window, self.now_secs) && sum.reports() > 0)
            .map(|(window, sum)| (*window, sum))
            .collect();
        let window = *closed.keys().next_back()?;
        let (first, span) = self.span(sums, window);
        let then = reference.for_span(index, self.parts(sums, first, window))?;
        let symbols = symbols(question, &span)?;
        let now = symbols.given_data()?;
        let ordered = question.ordered(self.spec.metric_of(question));
        let known = Estimate { shares: then.shares.clone(), covariance: then.covariance.clone() };
        let difference: Vec<f64> = now.shares.iter().zip(&then.shares).map(|(now, then)| now - then).collect();
        let change = self.change(index, reference, &closed, &then);
        Some(QuestionCauses {
            question: question.name.clone(),
            window,
            evidence: moved(&difference, &now.covariance.plus(&then.covariance), &clipped(&now.shares), ordered),
            tests: tests(question, &symbols, &now, &known, [span.reports(), then.device_windows], ordered),
            effects: Effects::of(&DebiasedPair::new(&now, &known), ordered),
            trust: self.trust(index, &symbols, &difference, &span, &closed, first),
            change,
        })
    }

    /// The windows one by one against the reference.
    fn change(
        &self,
        index: usize,
        reference: &Reference,
        closed: &BTreeMap<WindowIndex, &Aggregate>,
        then: &QuestionReference,
    ) -> Option<Change> {
        let question = &self.spec.questions[index];
        let mut windows = Vec::new();
        for (window, sum) in closed {
            let alone = BTreeMap::from([(*window, (*sum).clone())]);
            let of_window = reference.for_span(index, self.parts(&alone, *window, *window));
            let now = symbols(question, sum).and_then(|symbols| symbols.given_data());
            if let Some((then, now)) = of_window.zip(now) {
                let difference: Vec<f64> = now.shares.iter().zip(&then.shares).map(|(now, then)| now - then).collect();
                windows.push((*window, sum.reports(), difference, now.covariance));
            }
        }
        let differences: Vec<WindowDifference<'_>> = windows
            .iter()
            .map(|(_, reports, difference, covariance)| WindowDifference { reports: *reports, difference, covariance })
            .collect();
        let found = change_point(&differences, &then.covariance, 1.0 - COVERAGE)?;
        let [first, last] = found.interval().map(|place| windows[place].0);
        Some(Change { window: windows[found.window].0, first, last, p_value: found.p_value })
    }

    fn trust(
        &self,
        index: usize,
        symbols: &Estimate,
        difference: &[f64],
        span: &Aggregate,
        closed: &BTreeMap<WindowIndex, &Aggregate>,
        first: WindowIndex,
    ) -> Option<Trust> {
        let question = &self.spec.questions[index];
        let most_moved = (0..difference.len()).max_by(|a, b| difference[*a].abs().total_cmp(&difference[*b].abs()))?;
        let influence = Influence::of(question, 1, symbols.shares[most_moved], span.reports())?;
        let coverage = symbols.share(question.no_data());
        let with_data = (1.0 - coverage.value).max(f64::MIN_POSITIVE);
        let best = closed.values().map(|sum| sum.reports()).max().unwrap_or(0).max(1);
        let windows = closed.range(first..).count().max(1) as u64;
        let reach = self.z * coverage.standard_error;
        Some(Trust {
            fakes_for_delta: influence.fakes_for(self.spec.detection.deltas[index] * with_data),
            moved_by_one_percent: influence.moved_by(span.reports() / 100).into_iter().fold(0.0, f64::max) / with_data,
            response_rate: span.reports() as f64 / (best * windows) as f64,
            coverage: Interval { estimate: with_data, lower: with_data - reach, upper: with_data + reach },
        })
    }
}

impl Effects {
    fn of(pair: &DebiasedPair, ordered: bool) -> Self {
        let distance = |distance| {
            let found = pair.debiased(distance, COVERAGE);
            Interval { estimate: found.estimate, lower: found.interval.lower, upper: found.interval.upper }
        };
        Self {
            psi: distance(Distance::Psi),
            jensen_shannon: distance(Distance::JensenShannon),
            hellinger: distance(Distance::Hellinger),
            total_variation: distance(Distance::TotalVariation),
            l_infinity: distance(Distance::LInfinity),
            ks: ordered.then(|| distance(Distance::Ks)),
            wasserstein: ordered.then(|| distance(Distance::Wasserstein)),
        }
    }
}

/// All tests of a question; `None` with too few reports.
fn tests(
    question: &Question,
    symbols: &Estimate,
    now: &Estimate,
    then: &Estimate,
    [reports, device_windows]: [u64; 2],
    ordered: bool,
) -> Option<Tests> {
    let channel = Channel::of(&question.randomizer, question.domain_size)?;
    let (q, spread) = (channel.false_probability(), channel.keep_probability() - channel.false_probability());
    let with_data = 1.0 - symbols.shares[question.no_data()];
    let supports = |share: &f64| reports as f64 * (q + spread * share.clamp(0.0, 1.0) * with_data);
    let expected: Vec<f64> = then.shares.iter().map(supports).collect();
    let answers = reports as f64 * with_data;
    let comparison = Comparison::of_estimates(now, then, [answers, device_windows as f64], expected)?;
    let found = one_shot(&comparison, ordered, &mut NormLaws::default())?;
    let none = Tests {
        omnibus: found.omnibus.p_value,
        location: None,
        scale: None,
        ks: None,
        wasserstein: None,
        largest_cell: None,
        combined: found.combined,
    };
    Some(match found.shape {
        Shape::Ordered { location, scale, ks, w1 } => Tests {
            location: Some(location.p_value),
            scale: scale.map(|scale| scale.p_value),
            ks: Some(ks.p_value),
            wasserstein: Some(w1.p_value),
            ..none
        },
        Shape::Unordered { largest_cell } => Tests { largest_cell: Some(largest_cell.p_value), ..none },
    })
}

/// Shares of all symbols, "no data" last, with sum 1.
fn symbols(question: &Question, sum: &Aggregate) -> Option<Estimate> {
    let channel = Channel::of(&question.randomizer, question.domain_size)?;
    let randomizer = decoder_of(question);
    let oracle = randomizer.oracle().filter(|_| sum.reports() > 0)?;
    Some(channel.estimate(sum.reports(), &oracle.support(sum.counters()))?.sum_to_one())
}
