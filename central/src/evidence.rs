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
//! Devices answer in many windows, so their lasting deviation from one another is part of the null hypothesis: with
//! correlation 0.2 at most (`driftglass::drift::sequential::stream`).

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::sequential::stream::DEFAULT_CORRELATION;
use driftglass::drift::sequential::{AlarmBudget, Repetition, Stream, StreamSettings};
use driftglass::drift::{Measure, QuestionReference};
use driftglass::estimate::Channel;
use driftglass::privacy::decoder_of;
use driftglass::spec::{Mechanism, Question, WindowIndex};
use serde::Serialize;

/// Starts of a change that are remembered: two years of weeks.
const MEMORY: usize = 104;

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
    let log_threshold = rule.budget.log_detector_threshold();
    let finite = |log: f64| Some(log).filter(|log| log.is_finite());
    let mut found = BTreeMap::new();
    let mut windows: Vec<WindowIndex> = Vec::new();
    for (window, sum) in closed {
        windows.push(window);
        let Ok(step) = stream.look(u64::from(window), sum.reports(), &oracle.support(sum.counters())) else { break };
        let alarm = step.detection.log_shiryaev_roberts >= log_threshold;
        if alarm {
            stream.restart_detector();
        }
        let evidence = Evidence {
            log_e: finite(step.log_e),
            log_detector: finite(step.detection.log_shiryaev_roberts),
            log_threshold,
            alarm,
            likeliest_start: windows[windows.len().saturating_sub(step.detection.looks_since)],
            effect: step.effect.map(|effect| Bounds { lower: effect.lower, upper: effect.upper }),
        };
        found.insert(window, evidence);
    }
    found
}

fn stream(
    question: &Question,
    ordered: bool,
    reference: &QuestionReference,
    devices: u64,
    rule: Rule,
) -> Option<Stream> {
    let channel = Channel::of(&question.randomizer, question.domain_size)?;
    let repetition = match question.randomizer.mechanism {
        Mechanism::MemoizedHashing { .. } => Repetition::Memoized { devices },
        _ => Repetition::Fresh { correlation: DEFAULT_CORRELATION, devices },
    };
    let measure = if ordered { Measure::Ks } else { Measure::LInfinity };
    let settings = StreamSettings { measure, repetition, alpha: rule.alpha, memory: MEMORY };
    Stream::new(&channel, question.domain_size, reference, settings)
}
