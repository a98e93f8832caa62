//! From sums to what people read: estimates with intervals, tests, verdicts. Pure; the shape is that of `docs/http-api.md`.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | C | `comparisons` | 1 for the whole fleet; where there are several segments or arms, 1 for each with its own first windows, and 1 more with all others if there are several segments; 1 for the canary beside stable if there is one |
//! | M | `tests_per_year` | questions × windows in a year × C |
//! | α | `level` | error probability of each interval: false alarms per year / M, at most 1/2 |
//! | | `stream_alpha` | error probability of bounds that hold at all windows together: false alarms per year / (questions × C) |
//! | z | `z` | Φ⁻¹(1 − α/2): half-width, in standard errors, of the pointwise interval of one share |
//!
//! A span is the windows with reports among the `span_windows` last ones. Spans of neighbouring windows overlap, so their verdicts are dependent; the bound on false
//! alarms per year holds whatever the dependence. So the intervals of all spans of a year hold together but for F of them: they
//! may be looked at as often as one likes. What all windows say together is [`evidence`].

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::sequential::{AlarmBudget, e_bh};
use driftglass::drift::{
    Assessment, Effect, Measure, QuestionReference, Reference, SpanPart, Verdict, Wald, assess, normal_quantile,
};
use driftglass::estimate::Estimate;
use driftglass::spec::{MonitorSpec, Question, WindowIndex};
use serde::Serialize;

use crate::clock::Clock;
use crate::evidence::{self, Evidence, seasonal_evidence};
use crate::figure::{Figure, MAX_REFERENCE_WINDOWS};
use crate::registry::Registered;
use crate::severity::Severity;
use crate::store::{Stratum, Sums, total};

mod arms;
mod causes;
mod groups;
mod performance;

pub(crate) use arms::{ArmQuestion, ArmVerdicts};
pub(crate) use causes::QuestionCauses;
pub use causes::{Causes, causes};
pub(crate) use groups::GroupVerdicts;
pub(crate) use performance::{Basis, Calibration, ConfusionTable, FigureOf, JointShift};
pub use performance::{Performance, performance};

/// Mean length of a year in the Julian calendar.
const YEAR_SECS: f64 = 31_557_600.0;

/// All that is known about a spec's questions.
#[derive(Debug, Serialize)]
pub struct SpecVerdicts {
    pub(crate) spec_id: String,
    pub(crate) app: String,
    pub(crate) clock: ClockState,
    pub(crate) reference_version: Option<String>,
    pub(crate) window_length_secs: u64,
    pub(crate) false_alarms_per_year: f64,
    pub(crate) span_windows: u32,
    pub(crate) tests_per_year: f64,
    pub(crate) level: f64,
    /// What has moved since the reference, the strongest evidence first.
    pub(crate) moved: Moved,
    pub(crate) questions: Vec<QuestionVerdicts>,
    /// The same questions in each segment and arm, where there are several; their last closed window alone.
    pub(crate) groups: Vec<GroupVerdicts>,
    /// The canary beside stable, in the canary's last run.
    pub(crate) arms: Option<ArmVerdicts>,
}

/// The streams that e-BH names.
#[derive(Debug, Serialize)]
pub(crate) struct Moved {
    /// Expected share of wrong ones among them, at most.
    pub(crate) level: f64,
    pub(crate) streams: Vec<MovedStream>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct MovedStream {
    pub(crate) question: String,
    /// None for the whole fleet.
    pub(crate) segment: Option<String>,
    pub(crate) arm: Option<&'static str>,
    pub(crate) log_e: Option<f64>,
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

/// What a span is compared with where the reference tells seasons apart.
#[derive(Debug, Serialize)]
pub(crate) struct SeasonalShares {
    #[serde(flatten)]
    pub(crate) mix: ReferenceShares,
    /// Each season of the span with its part.
    seasons: Vec<SeasonShare>,
}

#[derive(Debug, Serialize)]
struct SeasonShare {
    season: u16,
    weight: f64,
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
    pub(crate) reference: Option<SeasonalShares>,
    pub(crate) answered_share: Option<f64>,
    pub(crate) shares: Option<Vec<Interval>>,
    pub(crate) no_data: Option<Interval>,
    pub(crate) wald: Option<WaldTest>,
    pub(crate) effect: Option<EffectSize>,
    pub(crate) figure: Option<Figure>,
    pub(crate) verdict: &'static str,
    pub(crate) severity: Severity,
    /// Of all closed windows up to this one; none for an open window.
    pub(crate) evidence: Option<Evidence>,
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

impl WaldTest {
    fn of(wald: Wald) -> Self {
        Self { statistic: wald.statistic, df: wald.df, p_value: wald.p_value }
    }
}

impl EffectSize {
    fn of(effect: &Effect) -> Self {
        let measure = match effect.measure {
            Measure::Ks => "ks",
            Measure::LInfinity => "l_infinity",
        };
        let interval = Interval { estimate: effect.estimate, lower: effect.lower, upper: effect.upper };
        Self { measure, interval, cell: effect.cell }
    }
}

/// The rules that all questions of a spec share.
struct Rules<'a> {
    spec: &'a MonitorSpec,
    now_secs: u64,
    tests_per_year: f64,
    level: f64,
    z: f64,
    stream_alpha: f64,
    evidence: evidence::Rule,
}

/// Judges all questions of a spec in all windows that have reports: over the whole fleet (`sums`), and in each segment and
/// arm where there are several (`strata`).
#[must_use]
pub fn verdicts(registered: &Registered, sums: &Sums, strata: &BTreeMap<Stratum, Sums>, clock: &Clock) -> SpecVerdicts {
    let rules = Rules::of(registered, clock, strata);
    let spec = &registered.spec;
    let reference = registered.reference.as_ref();
    let questions = rules.questions(reference, sums);
    let rest = |stratum| total(registered, strata.iter().filter(|(other, _)| **other != stratum).map(|(_, sums)| sums));
    let groups: Vec<_> = match strata.len() {
        0 | 1 => Vec::new(),
        _ => {
            let others = |stratum| has_several_segments(strata).then(|| rest(stratum));
            strata
                .iter()
                .map(|(stratum, sums)| rules.group(*stratum, sums, others(*stratum).as_ref(), reference))
                .collect()
        }
    };
    SpecVerdicts {
        spec_id: spec.id().to_string(),
        app: spec.app.clone(),
        clock: ClockState::of(clock),
        reference_version: reference.map(|reference| reference.version.to_string()),
        window_length_secs: spec.window.length_secs,
        false_alarms_per_year: spec.detection.false_alarms_per_year,
        span_windows: spec.detection.span_windows,
        tests_per_year: rules.tests_per_year,
        level: rules.level,
        moved: moved(&questions, &groups, rules.evidence.budget.e_bh_level(1.0)),
        questions,
        groups,
        arms: rules.arms(strata),
    }
}

/// e-BH over the last evidence of all streams: of what it names, a share of `level` at most is expected to be wrong,
/// however often one looks and whatever depends on what.
fn moved(questions: &[QuestionVerdicts], groups: &[GroupVerdicts], level: f64) -> Moved {
    let whole = questions.iter().map(|question| (question, None));
    let parts = groups
        .iter()
        .flat_map(|group| group.questions.iter().map(move |question| (&question.since_start, Some(group))));
    let log_e = |question: &QuestionVerdicts| question.last_evidence().and_then(|evidence| evidence.log_e);
    let streams: Vec<_> = whole
        .chain(parts)
        .map(|(question, group)| MovedStream {
            question: question.name.clone(),
            segment: group.map(|group| group.segment.clone()),
            arm: group.map(|group| group.arm),
            log_e: log_e(question),
        })
        .collect();
    let values: Vec<_> = streams.iter().map(|stream| stream.log_e.unwrap_or(f64::NEG_INFINITY)).collect();
    let mut named: Vec<_> = e_bh(&values, None, level).into_iter().map(|at| streams[at].clone()).collect();
    named.sort_by(|a, b| b.log_e.unwrap_or(0.0).total_cmp(&a.log_e.unwrap_or(0.0)));
    Moved { level, streams: named }
}

impl SpecVerdicts {
    /// Whether a question drifts in its last closed window.
    #[must_use]
    pub fn drifts(&self) -> bool {
        self.questions.iter().any(|question| question.told().is_some_and(|window| window.verdict == "drift"))
    }
}

impl QuestionVerdicts {
    /// What all closed windows say together.
    pub(crate) fn last_evidence(&self) -> Option<&Evidence> {
        self.windows.iter().rev().find_map(|window| window.evidence.as_ref())
    }

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

impl<'a> Rules<'a> {
    /// The rules for the whole fleet, and each segment and arm of `strata` where there are several.
    fn of(registered: &'a Registered, clock: &Clock, strata: &BTreeMap<Stratum, Sums>) -> Self {
        let spec = &registered.spec;
        let windows_per_year = YEAR_SECS / spec.window.length_secs as f64;
        let questions = spec.questions.len();
        let groups = if strata.len() > 1 { strata.len() } else { 0 };
        let has_canary = strata.keys().any(|stratum| stratum.arm == arms::CANARY);
        let with_others = if has_several_segments(strata) { groups } else { 0 };
        let comparisons = (questions * (1 + groups + with_others + usize::from(has_canary))) as f64;
        let streams = questions * (1 + groups);
        let (accepted, tests_per_year) = (spec.detection.false_alarms_per_year, comparisons * windows_per_year);
        let level = (accepted / tests_per_year).min(0.5);
        // Cannot fail: the spec's knob is above 0, a year has a window at least, and there is a question.
        let budget = AlarmBudget::new(accepted, windows_per_year.max(1.0), streams as u64).expect("numbers in range");
        Self {
            spec,
            now_secs: clock.now_secs(),
            tests_per_year,
            level,
            z: normal_quantile(1.0 - level / 2.0),
            stream_alpha: (accepted / comparisons).min(0.5),
            evidence: evidence::Rule { budget, alpha: (accepted / streams as f64).min(0.5) },
        }
    }
}

impl Rules<'_> {
    fn questions(&self, reference: Option<&Reference>, sums: &Sums) -> Vec<QuestionVerdicts> {
        let devices = most_reports_of_a_window(sums);
        let judge = |(index, sums)| self.question(index, reference, sums, devices);
        sums.iter().enumerate().map(judge).collect()
    }

    fn question(
        &self,
        index: usize,
        reference: Option<&Reference>,
        sums: &BTreeMap<WindowIndex, Aggregate>,
        devices: u64,
    ) -> QuestionVerdicts {
        let question = &self.spec.questions[index];
        let metric = self.spec.metric_of(question);
        let mut cells = if question.has_shares() { question.symbol_labels(metric) } else { Vec::new() };
        cells.pop();
        let mut windows: Vec<_> = sums.keys().map(|&window| self.window(index, reference, sums, window)).collect();
        let mut found = reference
            .filter(|_| question.has_shares())
            .map(|reference| self.evidence_of(index, reference, sums, devices))
            .unwrap_or_default();
        for window in &mut windows {
            window.evidence = found.remove(&window.window);
        }
        for window in &mut windows {
            window.severity = Severity::of(window, self.spec.detection.deltas[index]);
        }
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

    /// What all closed windows of a question say together, by window.
    fn evidence_of(
        &self,
        index: usize,
        reference: &Reference,
        sums: &BTreeMap<WindowIndex, Aggregate>,
        devices: u64,
    ) -> BTreeMap<WindowIndex, Evidence> {
        let question = &self.spec.questions[index];
        let ordered = question.ordered(self.spec.metric_of(question));
        let is_closed = |window: WindowIndex| !self.spec.window.is_open(window, self.now_secs);
        let closed = sums.iter().filter(|(window, _)| is_closed(**window)).map(|(window, sum)| (*window, sum));
        if reference.tells_seasons() {
            let cut = self.spec.window;
            let part = |window: WindowIndex, sum: &Aggregate| SpanPart {
                start_secs: cut.start_secs(window),
                end_secs: cut.end_secs(window),
                reports: sum.reports(),
            };
            let closed = closed.map(|(window, sum)| (window, part(window, sum), sum));
            return seasonal_evidence(question, ordered, index, reference, closed, devices, self.evidence);
        }
        let all_year = reference.questions[index].as_ref().and_then(|known| known.seasons.values().next());
        all_year
            .map(|known| evidence::evidence(question, ordered, known, closed, devices, self.evidence))
            .unwrap_or_default()
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
            severity: Severity::Unknown,
            evidence: None,
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
            wald: assessment.wald.map(WaldTest::of),
            effect: Some(EffectSize::of(effect)),
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

/// With one segment, a group beside all others is the canary beside stable.
fn has_several_segments(strata: &BTreeMap<Stratum, Sums>) -> bool {
    let mut segments = strata.keys().map(|stratum| stratum.segment);
    segments.next().is_some_and(|first| segments.any(|segment| segment != first))
}

/// A device sends one report a window at most.
fn most_reports_of_a_window(sums: &Sums) -> u64 {
    let mut reports: BTreeMap<WindowIndex, u64> = BTreeMap::new();
    for (window, sum) in sums.iter().flatten() {
        *reports.entry(*window).or_default() += sum.reports();
    }
    reports.into_values().max().unwrap_or(0)
}

impl ReferenceShares {
    fn of(reference: &QuestionReference) -> Self {
        Self { shares: reference.shares.clone(), device_windows: reference.device_windows }
    }
}

/// The sum of aggregates of one question; without counters if there are none.
pub(crate) fn merged<'a>(mut sums: impl Iterator<Item = &'a Aggregate>) -> Aggregate {
    let Some(mut total) = sums.next().cloned() else { return Aggregate::new(0) };
    for sum in sums {
        // Cannot fail: the store gives all aggregates of a question the counters of its randomizer.
        total.merge(sum).expect("one question");
    }
    total
}
