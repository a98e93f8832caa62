//! From sums to what people read: estimates with intervals, tests, verdicts. Pure; the shape is that of `docs/http-api.md`.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | M | `tests_per_year` | questions × windows in a year |
//! | α | `level` | error probability of each interval: false alarms per year / M, at most 1/2 |
//! | z | `z` | Φ⁻¹(1 − α/2): half-width, in standard errors, of the pointwise interval of one share |
//!
//! A span is the windows with reports among the `span_windows` last ones. Spans of neighbouring windows overlap, so their verdicts are dependent; the bound on false
//! alarms per year holds whatever the dependence.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::{Assessment, Measure, QuestionReference, Verdict, assess, normal_quantile};
use driftglass::estimate::Estimate;
use driftglass::spec::{MonitorSpec, Question, WindowIndex};
use serde::Serialize;

use crate::clock::Clock;
use crate::figure::{Figure, MAX_REFERENCE_WINDOWS};
use crate::registry::Registered;
use crate::store::Sums;

/// Mean length of a year in the Julian calendar.
const YEAR_SECS: f64 = 31_557_600.0;

/// All that is known about a spec's questions.
#[derive(Debug, Serialize)]
pub struct SpecVerdicts {
    pub(crate) spec_id: String,
    pub(crate) app: String,
    pub(crate) clock: ClockState,
    pub(crate) window_length_secs: u64,
    pub(crate) false_alarms_per_year: f64,
    pub(crate) span_windows: u32,
    pub(crate) tests_per_year: f64,
    pub(crate) level: f64,
    pub(crate) questions: Vec<QuestionVerdicts>,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClockState {
    mode: &'static str,
    now_secs: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct QuestionVerdicts {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) metric: String,
    pub(crate) unit: String,
    pub(crate) kind: &'static str,
    pub(crate) threshold: Option<f64>,
    pub(crate) cells: Vec<String>,
    pub(crate) ordered: bool,
    pub(crate) epsilon: f64,
    pub(crate) weight: u32,
    pub(crate) mechanism: &'static str,
    pub(crate) payload_bits: u32,
    pub(crate) delta: f64,
    pub(crate) reference: Option<ReferenceShares>,
    pub(crate) first_alert_window: Option<WindowIndex>,
    pub(crate) windows: Vec<WindowVerdict>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ReferenceShares {
    pub(crate) shares: Vec<f64>,
    pub(crate) device_windows: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct WindowVerdict {
    pub(crate) window: WindowIndex,
    pub(crate) start_secs: u64,
    pub(crate) end_secs: u64,
    pub(crate) closed: bool,
    pub(crate) reports: u64,
    pub(crate) span_first_window: WindowIndex,
    pub(crate) span_reports: u64,
    pub(crate) answered_share: Option<f64>,
    pub(crate) shares: Option<Vec<Interval>>,
    pub(crate) no_data: Option<Interval>,
    pub(crate) wald: Option<WaldTest>,
    pub(crate) effect: Option<EffectSize>,
    pub(crate) figure: Option<Figure>,
    pub(crate) verdict: &'static str,
    pub(crate) reports_needed: Option<u64>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Interval {
    pub(crate) estimate: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct WaldTest {
    pub(crate) statistic: f64,
    pub(crate) df: usize,
    pub(crate) p_value: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct EffectSize {
    pub(crate) measure: &'static str,
    #[serde(flatten)]
    pub(crate) interval: Interval,
    pub(crate) cell: usize,
}

/// The rules that all questions of a spec share.
struct Rules<'a> {
    spec: &'a MonitorSpec,
    now_secs: u64,
    level: f64,
    z: f64,
}

/// Judges all questions of a spec in all windows that have reports.
#[must_use]
pub fn verdicts(registered: &Registered, sums: &Sums, clock: &Clock) -> SpecVerdicts {
    let spec = &registered.spec;
    let tests_per_year = spec.questions.len() as f64 * YEAR_SECS / spec.window.length_secs as f64;
    let level = (spec.detection.false_alarms_per_year / tests_per_year).min(0.5);
    let clock = ClockState::of(clock);
    let rules = Rules { spec, now_secs: clock.now_secs, level, z: normal_quantile(1.0 - level / 2.0) };
    let reference = |index: usize| registered.reference.as_ref().map(|reference| &reference.questions[index]);
    SpecVerdicts {
        spec_id: spec.id().to_string(),
        app: spec.app.clone(),
        clock,
        window_length_secs: spec.window.length_secs,
        false_alarms_per_year: spec.detection.false_alarms_per_year,
        span_windows: spec.detection.span_windows,
        tests_per_year,
        level,
        questions: sums.iter().enumerate().map(|(index, sums)| rules.question(index, reference(index), sums)).collect(),
    }
}

impl SpecVerdicts {
    /// Whether a question drifts in its last closed window.
    #[must_use]
    pub fn drifts(&self) -> bool {
        self.questions.iter().any(|question| question.told().is_some_and(|window| window.verdict == "drift"))
    }
}

impl QuestionVerdicts {
    /// The last closed window, of which people are told.
    pub(crate) fn told(&self) -> Option<&WindowVerdict> {
        self.windows.iter().rev().find(|window| window.closed)
    }
}

impl ClockState {
    /// What a clock shows now.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        Self { mode: clock.mode(), now_secs: clock.now_secs() }
    }

    /// Whether the time is the system's no longer.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.mode == "simulated"
    }
}

impl Rules<'_> {
    fn question(
        &self,
        index: usize,
        reference: Option<&QuestionReference>,
        sums: &BTreeMap<WindowIndex, Aggregate>,
    ) -> QuestionVerdicts {
        let question = &self.spec.questions[index];
        let metric = self.spec.metric_of(question);
        let mut cells = if question.has_shares() { question.symbol_labels(metric) } else { Vec::new() };
        cells.pop();
        let windows: Vec<_> = sums.keys().map(|&window| self.window(index, reference, sums, window)).collect();
        QuestionVerdicts {
            index,
            name: question.name.clone(),
            metric: metric.name.clone(),
            unit: metric.unit.clone(),
            kind: question.kind.name(),
            threshold: question.kind.threshold(),
            cells,
            ordered: question.ordered(metric),
            epsilon: question.epsilon_micronats as f64 / 1e6,
            weight: question.weight,
            mechanism: question.randomizer.mechanism.name(),
            payload_bits: question.payload_bits(),
            delta: self.spec.detection.deltas[index],
            reference: reference.map(|reference| ReferenceShares {
                shares: reference.shares.clone(),
                device_windows: reference.device_windows,
            }),
            first_alert_window: windows
                .iter()
                .find(|window| window.closed && window.verdict == "drift")
                .map(|window| window.window),
            windows,
        }
    }

    fn window(
        &self,
        index: usize,
        reference: Option<&QuestionReference>,
        sums: &BTreeMap<WindowIndex, Aggregate>,
        window: WindowIndex,
    ) -> WindowVerdict {
        let question = &self.spec.questions[index];
        let (span_first_window, span) = self.span(sums, window);
        let before = sums.range(..span_first_window).rev().take(MAX_REFERENCE_WINDOWS).map(|(_, sum)| sum);
        let figure = Figure::of(question, self.spec.metric_of(question), &span, &merged(before), self.level);
        let ordered = question.ordered(self.spec.metric_of(question));
        let delta = self.spec.detection.deltas[index];
        let reference = reference.filter(|_| question.has_shares());
        let known = reference.and_then(|reference| assess(question, ordered, &span, reference, delta, self.level));
        let empty = WindowVerdict {
            window,
            start_secs: self.spec.window.start_secs(window),
            end_secs: self.spec.window.end_secs(window),
            closed: !self.spec.window.is_open(window, self.now_secs),
            reports: sums.get(&window).map_or(0, Aggregate::reports),
            span_first_window,
            span_reports: span.reports(),
            answered_share: None,
            shares: None,
            no_data: None,
            wald: None,
            effect: None,
            verdict: figure.as_ref().map_or("waiting", |figure| figure.verdict(self.level, delta)),
            figure,
            reports_needed: None,
        };
        match known {
            Some(assessment) => self.filled(empty, question, &assessment),
            None => empty,
        }
    }

    /// Adds what an assessment says.
    fn filled(&self, empty: WindowVerdict, question: &Question, assessment: &Assessment) -> WindowVerdict {
        let no_data = self.interval(&assessment.symbols, question.no_data());
        let effect = &assessment.effect;
        WindowVerdict {
            answered_share: Some(1.0 - no_data.estimate),
            shares: Some((0..question.data_cells()).map(|cell| self.interval(&assessment.cells, cell)).collect()),
            no_data: Some(no_data),
            wald: assessment.wald.map(|wald| WaldTest {
                statistic: wald.statistic,
                df: wald.df,
                p_value: wald.p_value,
            }),
            effect: Some(EffectSize {
                measure: match effect.measure {
                    Measure::Ks => "ks",
                    Measure::LInfinity => "l_infinity",
                },
                interval: Interval { estimate: effect.estimate, lower: effect.lower, upper: effect.upper },
                cell: effect.cell,
            }),
            verdict: match assessment.verdict {
                Verdict::Drift => "drift",
                Verdict::Stable => "stable",
                Verdict::Inconclusive => "inconclusive",
            },
            reports_needed: assessment.reports_needed,
            ..empty
        }
    }

    /// The first window with reports of the span that ends with a window, and the sum over the span.
    fn span(&self, sums: &BTreeMap<WindowIndex, Aggregate>, window: WindowIndex) -> (WindowIndex, Aggregate) {
        let first = window.saturating_sub(self.spec.detection.span_windows - 1);
        let with_reports = sums.range(first..=window);
        let first = with_reports.clone().next().map_or(window, |(first, _)| *first);
        (first, merged(with_reports.map(|(_, sum)| sum)))
    }

    fn interval(&self, estimate: &Estimate, cell: usize) -> Interval {
        let (share, error) = (estimate.shares[cell], self.z * estimate.standard_error(cell));
        let clip = |share: f64| share.clamp(0.0, 1.0);
        Interval { estimate: clip(share), lower: clip(share - error), upper: clip(share + error) }
    }
}

/// The sum of aggregates of one question; without counters if there are none.
fn merged<'a>(mut sums: impl Iterator<Item = &'a Aggregate>) -> Aggregate {
    let Some(mut total) = sums.next().cloned() else { return Aggregate::new(0) };
    for sum in sums {
        // Cannot fail: the store gives all aggregates of a question the counters of its randomizer.
        total.merge(sum).expect("one question");
    }
    total
}
