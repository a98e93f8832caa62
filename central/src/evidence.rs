//! What all closed windows say together: statements that hold however often one looks.
//!
//! A [`Stream`] of the core is replayed over the closed windows of one question, in order, so that the same sums give the
//! same evidence on every reading. It answers other questions than a span does: *has anything moved since the
//! reference?* (e-process), *when did it begin?* (e-detector), *by how much, all windows pooled?* (confidence sequence).
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | M | `streams` | questions × (the whole fleet, and each segment and arm where there are several) |
//! | F | | false alarms per year that the spec accepts |
//! | A | `log_threshold` is ln A | looks per year · M/F: an e-detector alarms when it reaches A |
//! | devices | | lower bound of the devices that take part: the most reports of one window, as a device sends one at most |
//!
//! Against a reference with seasons each window is held against the mix of its own seasons ([`SeasonalStream`]), and the
//! errors of seasons are kept apart. Where these depend on each other over the months of a year, the reference may be one
//! that predicts a *new* year; so the stream begins anew with each year.
//!
//! Devices answer in many windows, so their lasting deviation from one another is part of the null hypothesis: with
//! correlation 0.2 at most (`driftglass::drift::sequential::stream`).

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::sequential::stream::DEFAULT_CORRELATION;
use driftglass::drift::sequential::{
    AlarmBudget, Repetition, SeasonalSettings, SeasonalStream, Step, Stream, StreamSettings,
};
use driftglass::drift::{Measure, QuestionReference, Reference, SeasonKind, SpanPart};
use driftglass::estimate::Channel;
use driftglass::privacy::decoder_of;
use driftglass::spec::{Mechanism, Question, WindowIndex};
use serde::Serialize;

/// Starts of a change that are remembered: two years of weeks.
const MEMORY: usize = 104;
/// The same where each start costs as much as a window: half a year of weeks.
const SEASONAL_MEMORY: usize = 26;
/// Mean length of a year in the Gregorian calendar.
const YEAR_SECS: u64 = 31_556_952;

/// What is known after a closed window, from it and all before it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Evidence {
    /// ln of the e-process against "nothing has moved from the reference"; null before it can be computed.
    pub(crate) log_e: Option<f64>,
    /// ln of the e-detector; null likewise.
    pub(crate) log_detector: Option<f64>,
    /// The e-detector alarms when it reaches this.
    pub(crate) log_threshold: f64,
    /// Whether it does.
    pub(crate) alarm: bool,
    /// The window with which the change began most likely, if there is one.
    pub(crate) likeliest_start: WindowIndex,
    /// The effect in all windows pooled: at least and at most.
    pub(crate) effect: Option<Bounds>,
}

/// Bounds that hold at all looks together.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bounds {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// What all streams of a spec share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) budget: AlarmBudget,
    /// Error probability of the effect's bounds, over all looks.
    pub(crate) alpha: f64,
}

/// The evidence after each of the closed windows of a question; empty where there is no stream for it.
pub(crate) fn evidence<'a>(
    question: &Question,
    ordered: bool,
    reference: &QuestionReference,
    closed: impl Iterator<Item = (WindowIndex, &'a Aggregate)>,
    devices: u64,
    rule: Rule,
) -> BTreeMap<WindowIndex, Evidence> {
    let randomizer = decoder_of(question);
    let Some((oracle, mut stream)) = randomizer.oracle().zip(stream(question, ordered, reference, devices, rule))
    else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    let mut windows: Vec<WindowIndex> = Vec::new();
    for (window, sum) in closed {
        windows.push(window);
        let Ok(step) = stream.look(u64::from(window), sum.reports(), &oracle.support(sum.counters())) else { break };
        let evidence = Evidence::of(&step, &windows, rule);
        if evidence.alarm {
            stream.restart_detector();
        }
        found.insert(window, evidence);
    }
    found
}

/// The same against a reference with seasons, of question number `index`. A window of a season that the reference lacks
/// is passed over.
pub(crate) fn seasonal_evidence<'a>(
    question: &Question,
    ordered: bool,
    index: usize,
    reference: &Reference,
    closed: impl Iterator<Item = (WindowIndex, SpanPart, &'a Aggregate)>,
    devices: u64,
    rule: Rule,
) -> BTreeMap<WindowIndex, Evidence> {
    let randomizer = decoder_of(question);
    // The seasons that are known, and what a group departs by.
    let errors = reference.averages(index) + 1;
    let independent = reference.has_independent_errors(index);
    let inflation = if independent { 1.0 } else { errors as f64 };
    let measure = if ordered { Measure::Ks } else { Measure::LInfinity };
    let repetition = repetition(question, devices);
    let settings = SeasonalSettings { measure, repetition, alpha: rule.alpha, memory: SEASONAL_MEMORY, inflation };
    let begin = || {
        let channel = Channel::of(&question.randomizer, question.domain_size)?;
        SeasonalStream::new(&channel, question.data_cells(), errors, settings)
    };
    let Some((oracle, mut stream)) = randomizer.oracle().zip(begin()) else { return BTreeMap::new() };
    let of_one_year = !independent && reference.calendar.kind == SeasonKind::Month;
    let mut found = BTreeMap::new();
    let mut windows: Vec<WindowIndex> = Vec::new();
    let mut since = None;
    for (window, part, sum) in closed {
        let Some(expected) = reference.expectation(index, [part]) else { continue };
        let first = *since.get_or_insert(part.start_secs);
        if of_one_year && part.start_secs >= first + YEAR_SECS {
            let Some(anew) = begin() else { break };
            (stream, since) = (anew, Some(part.start_secs));
            windows.clear();
        }
        windows.push(window);
        let support = oracle.support(sum.counters());
        let Ok(step) = stream.look(u64::from(window), sum.reports(), &support, &expected) else { break };
        let evidence = Evidence::of(&step, &windows, rule);
        if evidence.alarm {
            stream.restart_detector();
        }
        found.insert(window, evidence);
    }
    found
}

impl Evidence {
    /// What a step says, of which `windows` are the windows so far.
    fn of(step: &Step, windows: &[WindowIndex], rule: Rule) -> Self {
        let finite = |log: f64| Some(log).filter(|log| log.is_finite());
        let log_threshold = rule.budget.log_detector_threshold();
        Self {
            log_e: finite(step.log_e),
            log_detector: finite(step.detection.log_shiryaev_roberts),
            log_threshold,
            alarm: step.detection.log_shiryaev_roberts >= log_threshold,
            likeliest_start: windows[windows.len().saturating_sub(step.detection.looks_since)],
            effect: step.effect.map(|effect| Bounds { lower: effect.lower, upper: effect.upper }),
        }
    }
}

fn repetition(question: &Question, devices: u64) -> Repetition {
    match question.randomizer.mechanism {
        Mechanism::MemoizedHashing { .. } => Repetition::Memoized { devices },
        _ => Repetition::Fresh { correlation: DEFAULT_CORRELATION, devices },
    }
}

fn stream(
    question: &Question,
    ordered: bool,
    reference: &QuestionReference,
    devices: u64,
    rule: Rule,
) -> Option<Stream> {
    let channel = Channel::of(&question.randomizer, question.domain_size)?;
    let measure = if ordered { Measure::Ks } else { Measure::LInfinity };
    let repetition = repetition(question, devices);
    let settings = StreamSettings { measure, repetition, alpha: rule.alpha, memory: MEMORY };
    Stream::new(&channel, question.domain_size, reference, settings)
}
