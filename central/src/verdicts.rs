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
use driftglass::drift::{
    Assessment, Measure, QuestionReference, Reference, SpanPart, Verdict, assess, normal_quantile,
};
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
    spec_id: String,
    app: String,
    clock: ClockState,
    reference_version: Option<String>,
    window_length_secs: u64,
    false_alarms_per_year: f64,
    span_windows: u32,
    tests_per_year: f64,
    level: f64,
    questions: Vec<QuestionVerdicts>,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClockState {
    mode: &'static str,
    now_secs: u64,
}

#[derive(Debug, Serialize)]
struct QuestionVerdicts {
    index: usize,
    name: String,
    metric: String,
    unit: String,
    kind: &'static str,
    threshold: Option<f64>,
    cells: Vec<String>,
    ordered: bool,
    epsilon: f64,
    weight: u32,
    mechanism: &'static str,
    payload_bits: u32,
    delta: f64,
    reference: Option<ReferenceShares>,
    first_alert_window: Option<WindowIndex>,
    windows: Vec<WindowVerdict>,
}

#[derive(Debug, Serialize)]
struct ReferenceShares {
    shares: Vec<f64>,
    device_windows: u64,
}

/// What a span is compared with where the reference tells seasons apart.
#[derive(Debug, Serialize)]
struct SeasonalShares {
    #[serde(flatten)]
    mix: ReferenceShares,
    /// Each season of the span with its part.
    seasons: Vec<SeasonShare>,
}

#[derive(Debug, Serialize)]
struct SeasonShare {
    season: u16,
    weight: f64,
}

#[derive(Debug, Serialize)]
struct WindowVerdict {
    window: WindowIndex,
    start_secs: u64,
    end_secs: u64,
    closed: bool,
    reports: u64,
    span_first_window: WindowIndex,
    span_reports: u64,
    reference: Option<SeasonalShares>,
    answered_share: Option<f64>,
    shares: Option<Vec<Interval>>,
    no_data: Option<Interval>,
    wald: Option<WaldTest>,
    effect: Option<EffectSize>,
    figure: Option<Figure>,
    verdict: &'static str,
    reports_needed: Option<u64>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Interval {
    estimate: f64,
    lower: f64,
    upper: f64,
}

#[derive(Debug, Serialize)]
struct WaldTest {
    statistic: f64,
    df: usize,
    p_value: f64,
}

#[derive(Debug, Serialize)]
struct EffectSize {
    measure: &'static str,
    #[serde(flatten)]
    interval: Interval,
    cell: usize,
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
    let reference = registered.reference.as_ref();
    SpecVerdicts {
        spec_id: spec.id().to_string(),
        app: spec.app.clone(),
        clock,
        reference_version: reference.map(|reference| reference.version.to_string()),
        window_length_secs: spec.window.length_secs,
        false_alarms_per_year: spec.detection.false_alarms_per_year,
        span_windows: spec.detection.span_windows,
        tests_per_year,
        level,
        questions: sums.iter().enumerate().map(|(index, sums)| rules.question(index, reference, sums)).collect(),
    }
}

impl ClockState {
    /// What a clock shows now.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        Self { mode: clock.mode(), now_secs: clock.now_secs() }
    }
}

impl Rules<'_> {
    fn question(
        &self,
        index: usize,
        reference: Option<&Reference>,
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
            reference: reference
                .and_then(|reference| match reference.questions[index].as_ref()? {
                    // With seasons: the average over them, if there is one.
                    known if reference.tells_seasons() => known.all.as_ref(),
                    known => known.seasons.values().next(),
                })
                .map(ReferenceShares::of),
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
        reference: Option<&Reference>,
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
        let mix =
            reference.and_then(|reference| reference.for_span(index, self.parts(sums, span_first_window, window)));
        let known = mix.as_ref().and_then(|mix| assess(question, ordered, &span, mix, delta, self.level));
        let seasonal = reference.filter(|reference| reference.tells_seasons()).zip(mix.as_ref());
        let empty = WindowVerdict {
            window,
            start_secs: self.spec.window.start_secs(window),
            end_secs: self.spec.window.end_secs(window),
            closed: !self.spec.window.is_open(window, self.now_secs),
            reports: sums.get(&window).map_or(0, Aggregate::reports),
            span_first_window,
            span_reports: span.reports(),
            reference: seasonal.map(|(reference, mix)| SeasonalShares {
                mix: ReferenceShares::of(mix),
                seasons: reference
                    .weights(self.parts(sums, span_first_window, window))
                    .into_iter()
                    .map(|(season, weight)| SeasonShare { season, weight })
                    .collect(),
            }),
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

    /// The windows of a span, as a reference with seasons needs them.
    fn parts(
        &self,
        sums: &BTreeMap<WindowIndex, Aggregate>,
        first: WindowIndex,
        last: WindowIndex,
    ) -> impl Iterator<Item = SpanPart> {
        let cut = self.spec.window;
        sums.range(first..=last).map(move |(&window, sum)| SpanPart {
            start_secs: cut.start_secs(window),
            end_secs: cut.end_secs(window),
            reports: sum.reports(),
        })
    }

    fn interval(&self, estimate: &Estimate, cell: usize) -> Interval {
        let (share, error) = (estimate.shares[cell], self.z * estimate.standard_error(cell));
        let clip = |share: f64| share.clamp(0.0, 1.0);
        Interval { estimate: clip(share), lower: clip(share - error), upper: clip(share + error) }
    }
}

impl ReferenceShares {
    fn of(reference: &QuestionReference) -> Self {
        Self { shares: reference.shares.clone(), device_windows: reference.device_windows }
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
