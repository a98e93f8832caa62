//! What the spec's questions do not tell, and what question would.

use driftglass::spec::{MonitorSpec, QuestionKind, Source};
use serde::Serialize;

use super::{Pair, Told, scores};

/// A figure that is not given.
#[derive(Debug, Serialize)]
pub(crate) struct Missing {
    pub(crate) figure: &'static str,
    pub(crate) needs: String,
}

/// What is missing. A figure whose question is there but has no answers yet is not.
pub(super) fn missing(spec: &MonitorSpec, pairs: &[Pair<'_, '_>], told: &[&Told<'_>]) -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut lacks = |figure, needs: String| missing.push(Missing { figure, needs });
    let asks = |wanted: &dyn Fn(&Source) -> bool| {
        spec.questions.iter().any(|question| question.has_shares() && wanted(&spec.metric_of(question).source))
    };
    let metric = |wanted: &dyn Fn(&Source) -> bool| spec.metrics.iter().find(|metric| wanted(&metric.source));
    let pair_questions = || {
        spec.questions.iter().filter_map(|question| match spec.metric_of(question).source {
            Source::Pair { prediction, .. } if question.kind == QuestionKind::SampledEvent => Some(prediction),
            _ => None,
        })
    };
    if pair_questions().next().is_none() {
        let pair = metric(&|source| matches!(source, Source::Pair { .. }));
        let about = pair.map_or_else(
            || "a metric of kind pair, of a prediction and its outcome".to_owned(),
            |pair| format!("the metric \"{}\"", pair.name),
        );
        lacks("accuracy, rates and confusion matrix", format!("a sampled-event question about {about}"));
    }
    for pair in pairs.iter().filter(|pair| pair.then.is_none()) {
        let name = &pair.told.question.name;
        lacks("changes of accuracy and rates", format!("a reference that covers the question \"{name}\""));
    }
    let is_asked = |prediction: usize| {
        let parts: Vec<usize> = match spec.metrics[prediction].source {
            Source::Joint { first, second } => vec![prediction, first, second],
            _ => vec![prediction],
        };
        spec.questions.iter().any(|question| question.has_shares() && parts.contains(&question.metric))
    };
    if let Some(first) = pair_questions().next().filter(|_| !pair_questions().any(is_asked)) {
        let needs = format!("a sampled-event question about the metric \"{}\"", spec.metrics[first].name);
        lacks("accuracy and label shares before labels arrive", needs);
    }
    let is_scored = |prediction: usize| match spec.metrics[prediction].source {
        Source::Joint { first, .. } => scores(&spec.metrics[first]).is_some(),
        Source::Output { .. } => scores(&spec.metrics[prediction]).is_some(),
        _ => false,
    };
    if !pair_questions().any(is_scored) {
        let needs = "a sampled-event question about a pair of a score (an output with edges between 0 and 1, or a joint of \
                     confidence and prediction) and the outcome";
        lacks("calibration error", needs.to_owned());
    }
    for (figure, wanted, kind) in [
        ("latency budget", &(|source: &Source| *source == Source::Latency) as &dyn Fn(&Source) -> bool, "latency"),
        ("error budget", &|source: &Source| *source == Source::Error, "error"),
    ] {
        if !asks(wanted) {
            let about = metric(wanted)
                .map_or_else(|| format!("a metric of kind {kind}"), |metric| format!("the metric \"{}\"", metric.name));
            lacks(figure, format!("a threshold-bit or sampled-event question about {about}"));
        } else if told.iter().any(|told| wanted(&told.metric.source) && told.then.is_none()) {
            lacks(figure, format!("a reference that covers the question about {kind}"));
        }
    }
    if !asks(&|source| matches!(source, Source::Joint { .. } | Source::Codebook(_))) {
        lacks("drift of several metrics together", "a question about a metric of kind joint or codebook".to_owned());
    }
    if spec.segments.len() < 2 {
        lacks("weak segments", "several segments".to_owned());
    }
    missing
}
