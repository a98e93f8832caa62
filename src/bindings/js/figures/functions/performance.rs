//! Figures of performance and labels.

use serde_json::Value;

use super::Figure;
use super::library::drift::performance::budget::{State, budget};
use super::library::drift::performance::calibration::{calibration_error, drift_of_calibration, reliability};
use super::library::drift::performance::confusion::{Confusion, coverage};
use super::library::drift::performance::label_free::{CalibrationMap, Shape, expected_rate, label_free};
use super::library::drift::performance::label_shift::label_shift;
use super::library::drift::performance::segments::{ArmState, Segment, arms, contrasts, distributions};
use super::library::drift::performance::{PairCells, Refused, given_data};
use super::library::estimate::{Estimate, Scalar};
use super::parts::{self, channel, count, counts, interval, number, numbers, rows, scalar};

pub(super) const FIGURES: &[(&str, Figure)] = &[
    ("confusion", confusion),
    ("label_coverage", label_coverage),
    ("label_shift", shift),
    ("label_free", free),
    ("calibration", calibration),
    ("budget", slo),
    ("segments", segments),
    ("arms", of_arms),
];

/// The de-biased estimate of the symbols whose supports are in a field.
fn symbols(inputs: &Value, field: &str) -> Estimate {
    channel(inputs).estimate(count(inputs, "reports"), &counts(inputs, field)).expect("reports")
}

fn pairs(inputs: &Value, field: &str) -> PairCells {
    let [rows, columns] = ["rows", "columns"].map(|field| count(inputs, field) as usize);
    PairCells::of_symbols(&symbols(inputs, field), rows, columns).expect("data")
}

fn known(figure: Result<Scalar, Refused>) -> [f64; 2] {
    scalar(figure.expect("enough"))
}

fn of_confusion(table: &Confusion) -> Vec<f64> {
    let of = |class: usize| {
        [
            scalar(table.base_rate(class)),
            scalar(table.predicted_share(class)),
            known(table.precision(class)),
            known(table.recall(class)),
            known(table.f1(class)),
            known(table.false_positive_rate(class)),
        ]
        .concat()
    };
    let classes = (0..table.classes()).flat_map(of);
    let of_all = [scalar(table.accuracy()), known(table.balanced_accuracy())].concat();
    of_all.into_iter().chain(classes).collect()
}

fn confusion(inputs: &Value) -> Vec<f64> {
    let pairs = pairs(inputs, "support");
    let margins = [parts::estimate(&pairs.row_shares()), parts::estimate(&pairs.column_shares())].concat();
    let table = Confusion::new(pairs).expect("square");
    let weighted = table.reweighted(&numbers(inputs, "completeness")).expect("complete enough");
    [margins, of_confusion(&table), of_confusion(&weighted)].concat()
}

fn label_coverage(inputs: &Value) -> Vec<f64> {
    let of = |part: &str| symbols(&inputs[part], "support");
    known(coverage(&of("pairs"), &of("predictions"))).to_vec()
}

fn shift(inputs: &Value) -> Vec<f64> {
    let current = given_data(&symbols(&inputs["current"], "support")).expect("data");
    let found = label_shift(&pairs(&inputs["reference"], "support"), &current).expect("invertible");
    let residual = found.residual.map_or(Vec::new(), |test| vec![test.statistic, test.df as f64, test.p_value]);
    let impossible = found.impossible();
    let estimates = [parts::estimate(&found.labels), parts::estimate(&found.shift)].concat();
    [estimates, vec![found.condition, impossible], residual].concat()
}

fn free(inputs: &Value) -> Vec<f64> {
    let current = given_data(&symbols(&inputs["current"], "support")).expect("data");
    let mut figures = Vec::new();
    for shape in [Shape::Free, Shape::Increasing] {
        let map = CalibrationMap::fit(pairs(&inputs["reference"], "support"), shape).expect("two columns");
        let predicted: Vec<bool> = (0..map.bins()).map(|bin| 2 * bin >= map.bins()).collect();
        let found = label_free(&map, &current, &predicted).expect("as many bins");
        let known = [found.precision, found.recall, found.roc_auc].map(known);
        figures.extend([scalar(found.accuracy), scalar(found.base_rate)].concat());
        figures.extend(known.concat());
        figures.extend(scalar(expected_rate(&map, &current).expect("as many bins")));
        figures.extend((0..map.bins()).flat_map(|bin| scalar(map.rate(bin).expect("enough"))));
    }
    figures
}

fn calibration(inputs: &Value) -> Vec<f64> {
    let [reference, current] = ["then", "now"].map(|field| pairs(inputs, field));
    let centers = numbers(inputs, "centers");
    let bins = reliability(&current, &centers).expect("two columns");
    let bins = bins.into_iter().flat_map(|bin| {
        [vec![bin.center], scalar(bin.share).to_vec(), known(bin.rate).to_vec(), scalar(bin.gap).to_vec()].concat()
    });
    let error = calibration_error(&current, &centers, 0.95).expect("two columns");
    let moved = drift_of_calibration(&reference, &current).expect("positive definite");
    let listed = moved.differences.iter().flat_map(|(bin, difference)| {
        let [value, error] = scalar(*difference);
        [*bin as f64, value, error]
    });
    let tests = [error.wald, moved.wald].map(|test| [test.statistic, test.df as f64, test.p_value]).concat();
    let errors = [scalar(error.error), interval(error.interval)].concat();
    bins.chain(errors).chain([error.biased]).chain(tests).chain(listed).collect()
}

fn slo(inputs: &Value) -> Vec<f64> {
    let cells = given_data(&symbols(inputs, "support")).expect("data");
    let found = budget(&cells, |cell| cell == 0, number(inputs, "objective"), 0.95).expect("cells");
    let state = match found.state {
        State::Kept => 0.0,
        State::Burning => 1.0,
        State::Unknown => 0.5,
    };
    [scalar(found.failing), interval(found.interval), scalar(found.burn_rate), [state, 0.0]].concat()
}

fn segments(inputs: &Value) -> Vec<f64> {
    let segment = |row: &Vec<f64>| Segment { figure: figure_of(row), weight: row[2] };
    let segments: Vec<Segment> = rows(inputs, "segments").iter().map(segment).collect();
    let found = contrasts(&segments, 0.1).expect("segments");
    let listed = found.iter().flat_map(|found| {
        let [value, error] = scalar(found.difference);
        let chosen = [found.by_evidence, found.by_p_value].map(|chosen| f64::from(u8::from(chosen)));
        [value, error, found.p_value, found.e_value, chosen[0], chosen[1]]
    });
    let [one, rest] = ["one", "rest"].map(|field| given_data(&symbols(inputs, field)).expect("data"));
    let test = distributions(&one, &rest).expect("positive definite");
    listed.chain([test.statistic, test.df as f64, test.p_value]).collect()
}

fn figure_of(row: &[f64]) -> Scalar {
    Scalar { value: row[0], standard_error: row[1] }
}

fn of_arms(inputs: &Value) -> Vec<f64> {
    let of = |row: &Vec<f64>| {
        let found = arms(figure_of(&row[..2]), figure_of(&row[2..4]), row[4], 0.95);
        let state = match found.state {
            ArmState::NotWorse => 0.0,
            ArmState::Worse => 1.0,
            ArmState::Inconclusive => 0.5,
        };
        [scalar(found.difference), interval(found.interval), [found.p_value, state]].concat()
    };
    rows(inputs, "arms").iter().flat_map(of).collect()
}
