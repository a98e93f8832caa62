//! Accuracy and rates from pairs of a prediction and its outcome, as outcomes arrive.
//!
//! A pair is counted in the window in which its outcome arrived, so a span is about the outcomes that came in it; the
//! core's `performance::confusion` says when that is what one wants.

use driftglass::drift::performance::Refused;
use driftglass::drift::performance::confusion::Confusion;
use driftglass::estimate::{Estimate, Scalar};
use driftglass::spec::WindowIndex;
use serde::Serialize;

use super::super::{Interval, Rules};
use super::draft::{Draft, Finish, Trusted};
use super::{Pair, symbols};
use crate::store::Sums;

/// The whole matrix, and the accuracy of every closed span.
#[derive(Debug, Serialize)]
pub(crate) struct ConfusionTable {
    pub(crate) question: String,
    /// Classes of both, where predictions are classes; of the outcome in any case.
    pub(crate) outcomes: Vec<String>,
    pub(crate) predictions: Vec<String>,
    /// Shares of all pairs, row by row: one row a cell of the prediction.
    pub(crate) now: Vec<Interval>,
    pub(crate) reference: Option<Vec<f64>>,
    pub(crate) accuracy: Vec<AccuracyAt>,
}

/// Accuracy of the span that ends with a window.
#[derive(Debug, Serialize)]
pub(crate) struct AccuracyAt {
    pub(crate) window: WindowIndex,
    #[serde(flatten)]
    pub(crate) interval: Interval,
    pub(crate) answers: u64,
}

/// Share of right predictions.
pub(super) fn accuracy(pair: &Pair<'_, '_>, joint: &Estimate) -> Option<Scalar> {
    let right = pair.right.as_ref()?;
    let weights: Vec<f64> = right.iter().map(|right| f64::from(u8::from(*right))).collect();
    let value = joint.shares.iter().zip(&weights).map(|(share, weight)| share * weight).sum();
    Some(Scalar { value, standard_error: joint.covariance.quadratic(&weights).max(0.0).sqrt() })
}

/// Accuracy, and the rates of each class where predictions are classes.
pub(super) fn drafts(pair: &Pair<'_, '_>) -> Vec<Draft> {
    let told = pair.told;
    let mut drafts = Vec::new();
    let of = |joint: &Estimate| accuracy(pair, joint);
    let Some(now) = of(pair.now.joint()) else { return drafts };
    let right = pair.right.iter().flatten().filter(|right| **right).count();
    let draft =
        |name: &'static str, class: Option<&String>, now, then, cells: usize, share: f64, denominator: f64| Draft {
            group: "labeled",
            name,
            class: class.cloned(),
            question: told.index,
            others: Vec::new(),
            now,
            then,
            change: None,
            answers: told.answers() * denominator,
            reports: told.reports,
            trust: Some(Trusted { cells, share: share * told.with_data(), scale: denominator * told.with_data() }),
            objective: None,
        };
    let then = pair.then.as_ref().and_then(|then| of(then.joint())).map(Ok);
    drafts.push(draft("accuracy", None, Ok(now), then, right, now.value, 1.0));
    let table = |pairs: &driftglass::drift::performance::PairCells| Confusion::new(pairs.clone()).ok();
    let Some(matrix) = table(&pair.now).filter(|_| pair.rows == pair.columns) else { return drafts };
    let earlier = pair.then.as_ref().and_then(table);
    let mut rate = |name, class: usize, cells: usize, share: f64, denominator: f64, of: RateOf| {
        let then = earlier.as_ref().map(|earlier| of(earlier, class));
        drafts.push(draft(name, pair.labels.get(class), of(&matrix, class), then, cells, share, denominator));
    };
    for class in 0..pair.columns {
        let hit = matrix.pairs().joint().shares[class * pair.columns + class];
        let (predicted, actual) = (matrix.predicted_share(class).value, matrix.base_rate(class).value);
        rate("precision", class, 1, hit, predicted, Confusion::precision);
        rate("recall", class, 1, hit, actual, Confusion::recall);
        rate("F1", class, 1, hit, f64::midpoint(predicted, actual), Confusion::f1);
        // Of two classes the second tells it all.
        if pair.columns > 2 || class == 1 {
            let wrong = predicted - hit;
            rate("false-positive rate", class, pair.rows - 1, wrong, 1.0 - actual, Confusion::false_positive_rate);
            rate("predicted share", class, pair.columns, predicted, 1.0, |of, class| Ok(of.predicted_share(class)));
            rate("outcome share", class, pair.rows, actual, 1.0, |of, class| Ok(of.base_rate(class)));
        }
    }
    drafts
}

/// A rate of one class.
type RateOf = fn(&Confusion, usize) -> Result<Scalar, Refused>;

/// The matrix of the last closed span, and the accuracy of all.
pub(super) fn table(rules: &Rules<'_>, pair: &Pair<'_, '_>, sums: &Sums, finish: Finish) -> Option<ConfusionTable> {
    let (told, spec) = (pair.told, rules.spec);
    let sums = &sums[told.index];
    let at = |window: &WindowIndex| {
        let (_, span) = rules.span(sums, *window);
        let symbols = symbols(told.question, &span)?;
        let joint = symbols.given_data()?;
        let answers = (1.0 - symbols.shares[told.question.no_data()]) * span.reports() as f64;
        let interval = finish.share(accuracy(pair, &joint)?);
        Some(AccuracyAt { window: *window, interval, answers: answers.max(0.0).round() as u64 })
    };
    let closed = sums.keys().filter(|window| !spec.window.is_open(**window, rules.now_secs));
    let joint = pair.now.joint();
    Some(ConfusionTable {
        question: told.question.name.clone(),
        outcomes: pair.labels.clone(),
        predictions: spec.metrics[pair.prediction].cells.labels(),
        now: (0..joint.shares.len()).map(|cell| finish.share(joint.share(cell))).collect(),
        reference: pair.then.as_ref().map(|then| then.joint().shares.clone()),
        accuracy: closed.filter_map(at).collect(),
    })
}
