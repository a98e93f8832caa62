//! How well the model does, from the same sums: what the last closed span says of accuracy, of rates, of labels that
//! have not arrived, of calibration, budgets, pairs, segments and the canary.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | C | | figures and tests that the spec's questions give: a number that the answers do not change |
//! | | `level` | error probability of each interval and test: false alarms per year / (C × windows in a year), at most 1/2 |
//!
//! So of all claims of a year here F are expected to be wrong at most, however often one looks: a budget of the same size
//! as that of the verdicts, beside it. No verdict depends on anything here.
//!
//! A figure is compared with the same figure of the reference. It is *inconclusive* below 100 answers that it is about,
//! and where its interval does not decide; what cannot be computed says why; and what the spec does not ask names the
//! question that would tell it.

mod budgets;
mod calibrated;
mod confusion;
mod draft;
mod missing;
mod strata;
mod unlabeled;

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::Reference;
use driftglass::drift::performance::{PairCells, Refused};
use driftglass::estimate::{Channel, Estimate, Scalar};
use driftglass::privacy::decoder_of;
use driftglass::spec::{Metric, Question, QuestionKind, Source, WindowIndex};
use serde::Serialize;

pub(crate) use calibrated::Calibration;
pub(crate) use confusion::ConfusionTable;
pub(crate) use draft::FigureOf;
use draft::{Draft, Finish};
pub(crate) use missing::Missing;
pub(crate) use strata::{ArmFigure, SegmentFigure};

use super::{Interval, Rules, YEAR_SECS};
use crate::clock::Clock;
use crate::registry::Registered;
use crate::store::{Stratum, Sums, total};

/// How well the model does, as far as the spec's questions tell.
#[derive(Debug, Serialize)]
pub struct Performance {
    pub(crate) spec_id: String,
    /// Error probability of each interval and test.
    pub(crate) level: f64,
    /// The questions that the figures rest on.
    pub(crate) questions: Vec<Basis>,
    pub(crate) figures: Vec<FigureOf>,
    pub(crate) confusion: Vec<ConfusionTable>,
    pub(crate) calibration: Vec<Calibration>,
    pub(crate) joint: Vec<JointShift>,
    pub(crate) segments: Vec<SegmentFigure>,
    pub(crate) arms: Vec<ArmFigure>,
    /// Figures that the spec's questions do not give.
    pub(crate) missing: Vec<Missing>,
}

/// What a question's figures rest on.
#[derive(Debug, Serialize)]
pub(crate) struct Basis {
    pub(crate) question: String,
    pub(crate) window: WindowIndex,
    pub(crate) span_first_window: WindowIndex,
    pub(crate) reports: u64,
    /// Reports of the span over those of as many windows like the best one so far.
    pub(crate) response_rate: f64,
    /// Share of the answers that had data; of a question about outcomes, the label coverage.
    pub(crate) coverage: Interval,
    pub(crate) has_reference: bool,
}

/// Whether two metrics moved, each alone and both together: p-values of one look.
#[derive(Debug, Serialize)]
pub(crate) struct JointShift {
    pub(crate) question: String,
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) first_alone: Option<f64>,
    pub(crate) second_alone: Option<f64>,
    pub(crate) together: Option<f64>,
    /// `drift` if the pairs moved at `level`, else `inconclusive`.
    pub(crate) state: &'static str,
}

/// Looks at how well the model does.
#[must_use]
pub fn performance(registered: &Registered, strata: &BTreeMap<Stratum, Sums>, clock: &Clock) -> Performance {
    let rules = Rules::of(registered, clock, strata);
    let sums = total(registered, strata.values());
    let all = rules.told_all(registered.reference.as_ref(), &sums);
    let told: Vec<&Told<'_>> = all.iter().flatten().collect();
    let pairs: Vec<Pair<'_, '_>> = told.iter().filter_map(|told| Pair::of(&rules, told)).collect();
    let joints: Vec<(&Told<'_>, [usize; 2])> = told.iter().filter_map(|told| Some((*told, joint_of(told)?))).collect();
    let mut drafts: Vec<Draft> = Vec::new();
    pairs.iter().for_each(|pair| drafts.extend(confusion::drafts(pair)));
    pairs.iter().for_each(|pair| drafts.extend(unlabeled::drafts(&rules, pair, &told)));
    drafts.extend(unlabeled::label_coverage(&told));
    drafts.extend(told.iter().filter_map(|told| budgets::draft(told)));
    let calibrations: Vec<_> = pairs.iter().filter_map(|pair| calibrated::Table::of(&rules, pair)).collect();
    let claims = drafts.len() + 2 * calibrations.len() + joints.len() + pairs.len() * strata.len();
    let windows_per_year = YEAR_SECS / rules.spec.window.length_secs as f64;
    let accepted = rules.spec.detection.false_alarms_per_year;
    let finish = Finish { level: (accepted / (claims.max(1) as f64 * windows_per_year)).min(0.5) };
    let spec = rules.spec;
    Performance {
        spec_id: spec.id().to_string(),
        level: finish.level,
        questions: told.iter().map(|told| told.basis(finish)).collect(),
        figures: drafts.into_iter().map(|draft| finish.figure(spec, draft)).collect(),
        confusion: pairs.iter().filter_map(|pair| confusion::table(&rules, pair, &sums, finish)).collect(),
        calibration: calibrations.iter().map(|table| table.finish(finish)).collect(),
        joint: joints.iter().map(|(told, cells)| joint_shift(&rules, told, *cells, finish)).collect(),
        segments: pairs.iter().flat_map(|pair| strata::segments(&rules, pair, strata, finish)).collect(),
        arms: pairs.iter().filter_map(|pair| strata::arms(&rules, pair, strata, finish)).collect(),
        missing: missing::missing(spec, &pairs, &told),
    }
}

/// The last closed span of a question with shares.
struct Told<'a> {
    index: usize,
    question: &'a Question,
    metric: &'a Metric,
    delta: f64,
    window: WindowIndex,
    first: WindowIndex,
    reports: u64,
    response_rate: f64,
    /// Shares of all symbols, "no data" last, with sum 1.
    symbols: Estimate,
    /// Shares of the cells among answers with data, now and in the reference.
    now: Estimate,
    then: Option<Estimate>,
}

impl<'a> Rules<'a> {
    fn told_all(&self, reference: Option<&Reference>, sums: &Sums) -> Vec<Option<Told<'a>>> {
        sums.iter().enumerate().map(|(index, sums)| self.told(index, reference, sums)).collect()
    }

    fn told(
        &self,
        index: usize,
        reference: Option<&Reference>,
        sums: &BTreeMap<WindowIndex, Aggregate>,
    ) -> Option<Told<'a>> {
        let question = &self.spec.questions[index];
        let closed = || {
            sums.iter().filter(|(window, sum)| !self.spec.window.is_open(**window, self.now_secs) && sum.reports() > 0)
        };
        let window = *closed().next_back()?.0;
        let (first, span) = self.span(sums, window);
        let symbols = symbols(question, &span)?;
        let now = symbols.given_data()?;
        let then = reference.and_then(|reference| reference.for_span(index, self.parts(sums, first, window)));
        let best = closed().map(|(_, sum)| sum.reports()).max().unwrap_or(1).max(1);
        let windows = closed().filter(|(at, _)| **at >= first).count().max(1) as u64;
        Some(Told {
            index,
            question,
            metric: self.spec.metric_of(question),
            delta: self.spec.detection.deltas[index],
            window,
            first,
            reports: span.reports(),
            response_rate: span.reports() as f64 / (best * windows) as f64,
            symbols,
            now,
            then: then.map(|then| Estimate { shares: then.shares, covariance: then.covariance }),
        })
    }
}

impl Told<'_> {
    fn with_data(&self) -> f64 {
        1.0 - self.symbols.shares[self.question.no_data()]
    }

    /// Answers with data.
    fn answers(&self) -> f64 {
        self.with_data() * self.reports as f64
    }

    fn basis(&self, finish: Finish) -> Basis {
        let no_data = self.symbols.share(self.question.no_data());
        let coverage = Scalar { value: 1.0 - no_data.value, standard_error: no_data.standard_error };
        Basis {
            question: self.question.name.clone(),
            window: self.window,
            span_first_window: self.first,
            reports: self.reports,
            response_rate: self.response_rate,
            coverage: finish.share(coverage),
            has_reference: self.then.is_some(),
        }
    }
}

/// A question about pairs of a prediction and its outcome.
struct Pair<'t, 'a> {
    told: &'t Told<'a>,
    prediction: usize,
    rows: usize,
    columns: usize,
    /// Names of the outcomes.
    labels: Vec<String>,
    now: PairCells,
    then: Option<PairCells>,
    /// For each pair of cells whether the prediction was right; none where cells do not tell.
    right: Option<Vec<bool>>,
}

impl<'t, 'a> Pair<'t, 'a> {
    fn of(rules: &Rules<'a>, told: &'t Told<'a>) -> Option<Self> {
        let Source::Pair { prediction, outcome } = told.metric.source else { return None };
        if told.question.kind != QuestionKind::SampledEvent {
            return None;
        }
        let metrics = &rules.spec.metrics;
        let [rows, columns] = [prediction, outcome].map(|metric| metrics[metric].cells.count());
        let table = |shares: &Estimate| PairCells::new(shares, rows, columns);
        let is_right = is_right(metrics, prediction, outcome);
        let cells = (0..rows * columns).map(|cell| (cell / columns, cell % columns));
        Some(Self {
            told,
            prediction,
            rows,
            columns,
            labels: metrics[outcome].cells.labels(),
            now: table(&told.now).ok()?,
            then: told.then.as_ref().and_then(|then| table(then).ok()),
            right: is_right.map(|is_right| cells.map(|(row, column)| is_right(row, column)).collect()),
        })
    }

    fn is_right(&self, row: usize, column: usize) -> Option<bool> {
        self.right.as_ref().map(|right| right[row * self.columns + column])
    }
}

/// Whether a cell of a prediction names the cell of its outcome: the same class, a score on the right side of one half,
/// or the class beside its confidence.
fn is_right(metrics: &[Metric], prediction: usize, outcome: usize) -> Option<Box<dyn Fn(usize, usize) -> bool>> {
    let labels = metrics[outcome].cells.labels();
    let is_class = |metric: &Metric| metric.cells.labels() == labels;
    match &metrics[prediction].source {
        _ if is_class(&metrics[prediction]) => Some(Box::new(|row, column| row == column)),
        Source::Joint { first, second } if is_class(&metrics[*second]) && scores(&metrics[*first]).is_some() => {
            let classes = labels.len();
            Some(Box::new(move |row, column| row % classes == column))
        }
        Source::Output { .. } if labels.len() == 2 => {
            let centers = scores(&metrics[prediction])?;
            Some(Box::new(move |row, column| (centers[row] > 0.5) == (column == 1)))
        }
        _ => None,
    }
}

/// The middle of each cell of a score from 0 to 1; none for a metric that is no such score.
fn scores(metric: &Metric) -> Option<Vec<f64>> {
    let driftglass::spec::CellKind::Numeric { edges } = &metric.cells.kind else { return None };
    let is_score = matches!(metric.source, Source::Output { .. } | Source::Max { .. });
    let within = edges.iter().all(|edge| *edge > 0.0 && *edge < 1.0);
    let ends: Vec<f64> = [0.0].into_iter().chain(edges.iter().copied()).chain([1.0]).collect();
    let middles = ends.windows(2).map(|ends| f64::midpoint(ends[0], ends[1])).collect::<Vec<f64>>();
    (is_score && within && middles.len() == metric.cells.count()).then_some(middles)
}

fn joint_of(told: &Told<'_>) -> Option<[usize; 2]> {
    match told.metric.source {
        Source::Joint { first, second } if told.question.kind == QuestionKind::SampledEvent => Some([first, second]),
        _ => None,
    }
}

fn joint_shift(rules: &Rules<'_>, told: &Told<'_>, [first, second]: [usize; 2], finish: Finish) -> JointShift {
    let metrics = &rules.spec.metrics;
    let [rows, columns] = [first, second].map(|metric| metrics[metric].cells.count());
    let tables = || {
        let of = |shares: &Estimate| PairCells::new(shares, rows, columns).ok();
        of(&told.now).zip(told.then.as_ref().and_then(of))
    };
    let p_value = |of: fn(&PairCells) -> Estimate| {
        let (now, then) = tables()?;
        let wald = driftglass::drift::performance::segments::distributions(&of(&now), &of(&then));
        wald.ok().map(|wald| wald.p_value)
    };
    let together = p_value(|pairs| pairs.joint().clone());
    let enough = told.answers() >= driftglass::drift::MIN_ANSWERS;
    JointShift {
        question: told.question.name.clone(),
        first: metrics[first].name.clone(),
        second: metrics[second].name.clone(),
        first_alone: p_value(PairCells::row_shares),
        second_alone: p_value(PairCells::column_shares),
        together,
        state: if enough && together.is_some_and(|p| p <= finish.level) { "drift" } else { "inconclusive" },
    }
}

/// Shares of all symbols, "no data" last, with sum 1.
fn symbols(question: &Question, sum: &Aggregate) -> Option<Estimate> {
    let channel = Channel::of(&question.randomizer, question.domain_size)?;
    let randomizer = decoder_of(question);
    let oracle = randomizer.oracle().filter(|_| sum.reports() > 0 && question.has_shares())?;
    Some(channel.estimate(sum.reports(), &oracle.support(sum.counters()))?.sum_to_one())
}

/// Why a figure is not given, in the reader's words.
fn reason(refused: &Refused) -> String {
    refused.to_string()
}
