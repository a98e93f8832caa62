//! Figures that are laws and combinations: tails of χ² and of quadratic forms, norms, and products of p-values.

use serde_json::Value;

use super::Figure;
use super::library::drift::{
    COORDINATES, cauchy_combination, chi_squared_survival, combined_log_p, combined_p_value, eigenvalues,
    log_chi_squared_survival, noncentral_chi_squared_survival, norm_laws, normal_draws, quadratic_form_survival,
};
use super::library::estimate::Matrix;
use super::parts::{number, numbers, rows};

pub(super) const FIGURES: &[(&str, Figure)] = &[
    ("chi_squared_survival", survival),
    ("log_chi_squared_survival", log_survival),
    ("noncentral_chi_squared_survival", noncentral),
    ("quadratic_form_survival", quadratic_form),
    ("eigenvalues", spectrum),
    ("norm_laws", norms),
    ("normal_draws", draws),
    ("cauchy_combination", cauchy),
    ("combined_p_value", combined),
    ("combined_log_p", combined_logs),
];

/// One value for each degree of freedom and statistic.
fn each(inputs: &Value, value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let statistics = numbers(inputs, "statistics");
    numbers(inputs, "df").iter().flat_map(|df| statistics.iter().map(|x| value(*x, *df)).collect::<Vec<_>>()).collect()
}

fn survival(inputs: &Value) -> Vec<f64> {
    each(inputs, |x, df| chi_squared_survival(x, df as usize))
}

fn log_survival(inputs: &Value) -> Vec<f64> {
    each(inputs, log_chi_squared_survival)
}

fn noncentral(inputs: &Value) -> Vec<f64> {
    let shifts = numbers(inputs, "noncentralities");
    shifts.iter().flat_map(|shift| each(inputs, |x, df| noncentral_chi_squared_survival(x, df, *shift))).collect()
}

fn quadratic_form(inputs: &Value) -> Vec<f64> {
    let weights = numbers(inputs, "weights");
    numbers(inputs, "statistics").into_iter().map(|x| quadratic_form_survival(&weights, x)).collect()
}

fn spectrum(inputs: &Value) -> Vec<f64> {
    let rows = rows(inputs, "matrix");
    eigenvalues(&Matrix::symmetric(rows.len(), |u, v| rows[u.max(v)][u.min(v)]))
}

fn norms(inputs: &Value) -> Vec<f64> {
    let rows = rows(inputs, "rows");
    let laws = norm_laws(&rows, number(inputs, "coordinates") as usize);
    let statistics = numbers(inputs, "statistics");
    laws.iter().flat_map(|law| statistics.iter().map(|x| law.survival(*x)).collect::<Vec<_>>()).collect()
}

/// Sums over the whole table, and every 97th of its entries.
fn draws(_: &Value) -> Vec<f64> {
    let of = |coordinate: usize| {
        let draws = normal_draws(coordinate);
        [draws.iter().sum::<f64>(), draws[(97 * coordinate) % draws.len()], draws[draws.len() - 1]]
    };
    (0..COORDINATES).flat_map(of).collect()
}

fn cauchy(inputs: &Value) -> Vec<f64> {
    rows(inputs, "p_values").iter().map(|row| cauchy_combination(row).expect("p-values")).collect()
}

fn combined(inputs: &Value) -> Vec<f64> {
    rows(inputs, "halves").iter().map(|row| combined_p_value(row[0], row[1], row[2])).collect()
}

fn combined_logs(inputs: &Value) -> Vec<f64> {
    rows(inputs, "logs").iter().map(|row| combined_log_p(row)).collect()
}
