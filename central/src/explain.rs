//! Why each question of a spec has its mechanism: all candidates side by side.

use std::fmt::Write as _;

use driftglass::chooser::{Candidate, Limits, candidate, candidates};
use driftglass::spec::{MonitorSpec, Question, Randomizer};
use serde::Serialize;

/// What there is to say about the randomizer of one question.
#[derive(Debug, Serialize)]
pub struct Explanation {
    question: String,
    kind: &'static str,
    symbols: usize,
    epsilon: f64,
    /// The one in the spec.
    frozen: Row,
    /// The best of each mechanism, the least noise first; none where only one mechanism serves the kind.
    candidates: Vec<Row>,
    /// n·Var of the frozen one over the least that keeps to the limits.
    noise_over_best: Option<f64>,
    why: String,
}

/// One mechanism.
#[derive(Debug, Serialize)]
struct Row {
    mechanism: String,
    noise: Option<f64>,
    influence: Option<f64>,
    bits: u32,
    fits: bool,
}

/// Explains every question of a spec.
#[must_use]
pub fn explain(spec: &MonitorSpec, limits: &Limits) -> Vec<Explanation> {
    spec.questions.iter().map(|question| Explanation::of(question, limits)).collect()
}

impl Explanation {
    fn of(question: &Question, limits: &Limits) -> Self {
        let choice = if question.has_shares() {
            candidates(question.domain_size, question.epsilon_micronats)
        } else {
            Vec::new()
        };
        let frozen = candidate(question.randomizer, question.domain_size).filter(|_| question.has_shares());
        let best = choice.iter().find(|candidate| candidate.fits(limits));
        let noise_over_best = frozen.as_ref().zip(best).map(|(frozen, best)| frozen.noise / best.noise);
        Self {
            question: question.name.clone(),
            kind: question.kind.name(),
            symbols: question.domain_size,
            epsilon: question.epsilon_micronats as f64 / 1e6,
            frozen: frozen.as_ref().map_or_else(|| Row::unranked(question), |frozen| Row::of(frozen, limits)),
            candidates: choice.iter().map(|candidate| Row::of(candidate, limits)).collect(),
            noise_over_best,
            why: why(question, frozen.as_ref(), best, limits),
        }
    }
}

/// One sentence.
fn why(question: &Question, frozen: Option<&Candidate>, best: Option<&Candidate>, limits: &Limits) -> String {
    let limits = format!("{} bits and influence {}", limits.max_bits, limits.max_influence);
    match (frozen, best) {
        (Some(frozen), Some(best)) if frozen.noise <= best.noise * (1.0 + 1e-6) && frozen.bits <= best.bits => {
            format!("the least variance that fits {limits}")
        }
        (Some(frozen), Some(best)) => {
            let percent = 100.0 * (frozen.noise / best.noise - 1.0);
            let (size, word) = (percent.abs(), if percent < 0.0 { "less" } else { "more" });
            format!("{size:.1} % {word} variance than {}, the best that fits {limits}", name(&best.randomizer))
        }
        (_, None) if question.has_shares() => format!("no mechanism fits {limits} at this epsilon"),
        _ => format!("{} is what hides a question of kind {}", name(&question.randomizer), question.kind.name()),
    }
}

impl Row {
    fn of(candidate: &Candidate, limits: &Limits) -> Self {
        Self {
            mechanism: name(&candidate.randomizer),
            noise: Some(candidate.noise),
            influence: Some(candidate.influence),
            bits: candidate.bits,
            fits: candidate.fits(limits),
        }
    }

    /// A mechanism that shares are not counted from.
    fn unranked(question: &Question) -> Self {
        let mechanism = name(&question.randomizer);
        Self { mechanism, noise: None, influence: None, bits: question.payload_bits(), fits: true }
    }

    fn line(&self) -> String {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
        let mark = if self.fits { "" } else { "  does not fit" };
        format!(
            "{:<46} {:>12} {:>12} {:>6}{mark}",
            self.mechanism,
            number(self.noise),
            number(self.influence),
            self.bits
        )
    }
}

/// The mechanism with its parameters.
fn name(randomizer: &Randomizer) -> String {
    let parameters = randomizer.mechanism.parameters();
    let parameters: Vec<String> = parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if parameters.is_empty() {
        randomizer.mechanism.name().to_owned()
    } else {
        format!("{} ({})", randomizer.mechanism.name(), parameters.join(", "))
    }
}

/// The explanations as a table for people.
#[must_use]
pub fn table(explanations: &[Explanation]) -> String {
    let mut text = String::new();
    for said in explanations {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}: {}, {}, ε {}\n  {}: {}",
            said.question,
            said.kind,
            if said.symbols == 0 { "any word".to_owned() } else { format!("{} symbols", said.symbols) },
            said.epsilon,
            said.frozen.mechanism,
            said.why,
        );
        if !said.candidates.is_empty() {
            let _ = writeln!(text, "    {:<46} {:>12} {:>12} {:>6}", "candidates", "n·Var", "influence", "bits");
        }
        for row in &said.candidates {
            let _ = writeln!(text, "    {}", row.line());
        }
        text.push('\n');
    }
    text.push_str("n·Var: variance of one estimated share at equal shares, times the number of reports.\n");
    text.push_str("Influence: how far one fake report moves one share, in reports.\n");
    text
}
