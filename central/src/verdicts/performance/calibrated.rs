//! Are scores right as often as they say, and are predictions right as often as they were?

use driftglass::drift::MIN_ANSWERS;
use driftglass::drift::performance::calibration::{calibration_error, drift_of_calibration, reliability};
use driftglass::drift::performance::{PairCells, Refused};
use driftglass::estimate::Scalar;
use driftglass::spec::Source;
use serde::Serialize;

use super::super::{Interval, Rules, WaldTest};
use super::draft::Finish;
use super::{Pair, reason, scores};

/// Rates by cell of the score, or of the predicted class.
#[derive(Debug, Serialize)]
pub(crate) struct Calibration {
    pub(crate) question: String,
    /// What a rate is of: the second outcome, or right predictions.
    pub(crate) rate_of: String,
    pub(crate) rows: Vec<CalibrationRow>,
    /// Expected calibration error without its bias, of scores alone.
    pub(crate) error: Option<Interval>,
    /// The test that no rate changed since the reference.
    pub(crate) drift: Option<WaldTest>,
    /// `drift` if it did at `level`, else `inconclusive`; `waiting` without a reference.
    pub(crate) state: &'static str,
    pub(crate) answers: u64,
    /// Why there is no test.
    pub(crate) note: Option<String>,
}

/// One cell.
#[derive(Debug, Serialize)]
pub(crate) struct CalibrationRow {
    pub(crate) cell: String,
    /// What the score says: the middle of the cell.
    pub(crate) says: Option<f64>,
    pub(crate) rate: Option<Interval>,
    pub(crate) reference: Option<Interval>,
}

/// Rates as cells of two columns, the second being what the rate is of.
pub(super) struct Table {
    question: String,
    rate_of: String,
    cells: Vec<String>,
    centers: Option<Vec<f64>>,
    now: PairCells,
    then: Option<PairCells>,
    answers: f64,
}

impl Table {
    pub(super) fn of(rules: &Rules<'_>, pair: &Pair<'_, '_>) -> Option<Self> {
        let metrics = &rules.spec.metrics;
        let metric = &metrics[pair.prediction];
        // Scores of the second of two outcomes as they are; the confidence beside a class, and classes, by being right.
        let (cells, centers, by_right, divisor) = match metric.source {
            Source::Output { .. } if pair.columns == 2 => (metric.cells.labels(), scores(metric), false, 1),
            Source::Joint { first, second } => {
                (metrics[first].cells.labels(), scores(&metrics[first]), true, metrics[second].cells.count())
            }
            _ => (metric.cells.labels(), None, true, 1),
        };
        if by_right && pair.right.is_none() {
            return None;
        }
        let bins = cells.len();
        let merged = |pairs: &PairCells| {
            let column = |row, label| match by_right {
                true => usize::from(pair.is_right(row, label) == Some(true)),
                false => label,
            };
            let groups = pairs.merged(2 * bins, |row, label| Some(row / divisor * 2 + column(row, label)));
            PairCells::new(&groups, bins, 2).ok()
        };
        Some(Self {
            question: pair.told.question.name.clone(),
            rate_of: if by_right { "right predictions".to_owned() } else { pair.labels[1].clone() },
            cells,
            centers,
            now: merged(&pair.now)?,
            then: pair.then.as_ref().and_then(merged),
            answers: pair.told.answers(),
        })
    }

    pub(super) fn finish(&self, finish: Finish) -> Calibration {
        let nowhere = vec![0.0; self.cells.len()];
        let rates = |pairs: &PairCells| -> Vec<Option<Interval>> {
            let lines = reliability(pairs, &nowhere).unwrap_or_default();
            lines.into_iter().map(|line| line.rate.ok().map(|rate: Scalar| finish.share(rate))).collect()
        };
        let (now, then) = (rates(&self.now), self.then.as_ref().map(rates));
        let drift = self.then.as_ref().map(|then| drift_of_calibration(then, &self.now));
        let wald = drift.as_ref().and_then(|drift| drift.as_ref().ok()).map(|drift| drift.wald);
        let error = self.centers.as_ref().and_then(|centers| {
            let found = calibration_error(&self.now, centers, finish.coverage()).ok()?;
            Some(Interval {
                estimate: found.error.value.max(0.0),
                lower: found.interval.lower,
                upper: found.interval.upper,
            })
        });
        let row = |cell: usize| CalibrationRow {
            cell: self.cells[cell].clone(),
            says: self.centers.as_ref().map(|centers| centers[cell]),
            rate: now.get(cell).copied().flatten(),
            reference: then.as_ref().and_then(|then| then.get(cell).copied().flatten()),
        };
        Calibration {
            question: self.question.clone(),
            rate_of: self.rate_of.clone(),
            rows: (0..self.cells.len()).map(row).collect(),
            error: error.filter(|_| self.answers >= MIN_ANSWERS),
            drift: wald.map(WaldTest::of),
            state: match wald {
                None if self.then.is_none() => "waiting",
                Some(wald) if self.answers >= MIN_ANSWERS && wald.p_value <= finish.level => "drift",
                _ => "inconclusive",
            },
            answers: self.answers.max(0.0).round() as u64,
            note: drift.and_then(|drift| drift.err().as_ref().map(|refused: &Refused| reason(refused))),
        }
    }
}
