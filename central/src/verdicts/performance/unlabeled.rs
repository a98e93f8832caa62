//! Before labels arrive: accuracy and label shares of today, from predictions alone and the pairs of the reference; and
//! how many devices with a prediction have an outcome.
//!
//! Predictions are asked about in a question of their own; what pairs them with outcomes is the reference. A question
//! about a coarser view of the prediction, a threshold of a score or the confidence beside a class, will do as well:
//! the reference's pairs are added up to the same cells.

use driftglass::drift::performance::confusion::coverage;
use driftglass::drift::performance::label_free::{CalibrationMap, Shape, expected_rate, label_free};
use driftglass::drift::performance::label_shift::label_shift;
use driftglass::drift::performance::{PairCells, Refused};
use driftglass::estimate::Scalar;
use driftglass::spec::{QuestionKind, Source};

use super::super::Rules;
use super::confusion::accuracy;
use super::draft::Draft;
use super::{Pair, Told};

/// For each cell of the prediction, the cell of a question about it.
pub(super) struct View {
    groups: usize,
    group: Vec<usize>,
}

/// How a question looks at the prediction of a pair, if it does.
pub(super) fn view(rules: &Rules<'_>, pair: &Pair<'_, '_>, told: &Told<'_>) -> Option<View> {
    let metrics = &rules.spec.metrics;
    let asked = told.question.metric;
    match (&told.question.kind, &metrics[pair.prediction].source) {
        (QuestionKind::SampledEvent, _) if asked == pair.prediction => {
            Some(View { groups: pair.rows, group: (0..pair.rows).collect() })
        }
        (QuestionKind::ThresholdBit { cells_below, cells_seen, .. }, _)
            if asked == pair.prediction && *cells_seen == pair.rows =>
        {
            let side = |row: usize| usize::from(row >= *cells_below);
            Some(View { groups: 2, group: (0..pair.rows).map(side).collect() })
        }
        (QuestionKind::SampledEvent, Source::Joint { first, second }) => {
            let [rows, columns] = [*first, *second].map(|metric| metrics[metric].cells.count());
            let cell = |row: usize| if asked == *first { row / columns } else { row % columns };
            let groups = if asked == *first { rows } else { columns };
            ([*first, *second].contains(&asked)).then(|| View { groups, group: (0..pair.rows).map(cell).collect() })
        }
        _ => None,
    }
}

/// Figures of the first question that looks at the pair's prediction.
pub(super) fn drafts(rules: &Rules<'_>, pair: &Pair<'_, '_>, all: &[&Told<'_>]) -> Vec<Draft> {
    let seen = all.iter().find_map(|told| Some((*told, view(rules, pair, told)?)));
    let (Some((told, view)), Some(then)) = (seen, &pair.then) else { return Vec::new() };
    let merged = |columns: usize, column: &dyn Fn(usize, usize) -> usize| {
        let cells =
            then.merged(view.groups * columns, |row, label| Some(view.group[row] * columns + column(row, label)));
        PairCells::new(&cells, view.groups, columns)
    };
    let draft = |name, class: Option<&String>, now, then: Result<Scalar, Refused>, change| Draft {
        group: "unlabeled",
        name,
        class: class.cloned(),
        question: told.index,
        others: vec![pair.told.index],
        now,
        then: Some(then),
        change,
        answers: told.answers(),
        reports: told.reports,
        trust: None,
        objective: None,
    };
    let mut drafts = Vec::new();
    if let Some(before) = accuracy(pair, then.joint()) {
        let column = |row: usize, label: usize| usize::from(pair.is_right(row, label) == Some(true));
        let now = merged(2, &column)
            .and_then(|table| CalibrationMap::fit(table, Shape::Free))
            .and_then(|map| expected_rate(&map, &told.now));
        drafts.push(draft("expected accuracy", None, now, Ok(before), None));
    }
    let labels = merged(pair.columns, &|_, label| label);
    if pair.columns == 2 && view.groups == pair.rows {
        let figures = labels.clone().and_then(|table| CalibrationMap::fit(table, Shape::Free)).and_then(|map| {
            let positive = |row: usize| pair.is_right(row, 1) == Some(true);
            let predicted: Vec<bool> = (0..pair.rows).map(positive).collect();
            let reference = map.reference().row_shares();
            Ok([label_free(&map, &told.now, &predicted)?, label_free(&map, &reference, &predicted)?])
        });
        if pair.right.is_some() {
            let class = pair.labels.get(1);
            let both = |of: fn(&driftglass::drift::performance::label_free::LabelFree) -> Result<Scalar, Refused>| {
                let one = |place: usize| figures.and_then(|figures| of(&figures[place]));
                (one(0), one(1))
            };
            for (name, (now, then)) in [
                ("expected precision", both(|of| of.precision)),
                ("expected recall", both(|of| of.recall)),
                ("expected ROC AUC", both(|of| of.roc_auc)),
            ] {
                drafts.push(draft(name, class, now, then, None));
            }
        }
    }
    let shift = labels.and_then(|table| label_shift(&table, &told.now));
    let before = then.column_shares();
    for class in (0..pair.columns).filter(|class| pair.columns > 2 || *class == 1) {
        let now = shift.as_ref().map(|shift| shift.labels.share(class)).map_err(|refused| *refused);
        let change = shift.as_ref().ok().map(|shift| shift.shift.share(class));
        drafts.push(draft("label share by shift", pair.labels.get(class), now, Ok(before.share(class)), change));
    }
    drafts
}

/// Devices with an outcome over devices with a prediction, from the questions of each kind with most reports.
pub(super) fn label_coverage(all: &[&Told<'_>]) -> Option<Draft> {
    let of_outcome = |told: &Told<'_>| matches!(told.metric.source, Source::Outcome | Source::Pair { .. });
    let most = |wanted: bool| all.iter().filter(|told| of_outcome(told) == wanted).max_by_key(|told| told.reports);
    let (outcomes, predictions) = (most(true)?, most(false)?);
    Some(Draft {
        group: "coverage",
        name: "label coverage",
        class: None,
        question: outcomes.index,
        others: vec![predictions.index],
        now: coverage(&outcomes.symbols, &predictions.symbols),
        then: None,
        change: None,
        answers: outcomes.answers().min(predictions.answers()),
        reports: outcomes.reports,
        trust: None,
        objective: None,
    })
}
