//! The result for programs: one object, columns by their names in the order of the reference.
//!
//! What does not exist is `null`: what only numbers have in a categorical column, and what is not finite. `n_ref` and
//! `n_cur` count present values.

use serde_json::{Map, Value, json};

use super::Comparison;
use super::comparison::{Cells, ColumnComparison, Test};
use super::verdict::{Effects, MODERATE, SEVERE};

/// The object.
#[must_use]
pub fn json(comparison: &Comparison) -> Value {
    let columns: Map<String, Value> =
        comparison.columns.iter().map(|column| (column.name.clone(), of_column(column))).collect();
    let drifted: Vec<&str> = comparison
        .by_evidence()
        .into_iter()
        .filter(|column| column.severity.is_drift())
        .map(|column| column.name.as_str())
        .chain(comparison.skipped.iter().filter(|(_, reason)| reason.is_drift()).map(|(name, _)| name.as_str()))
        .collect();
    let skipped: Vec<Value> = comparison
        .skipped
        .iter()
        .map(|(name, reason)| json!({ "name": name, "reason": reason.reason(), "drift": reason.is_drift() }))
        .collect();
    let window = |window: &super::Window| json!({ "file": window.file.display().to_string(), "rows": window.rows });
    json!({
        "reference": window(&comparison.reference),
        "current": window(&comparison.current),
        "verdict": {
            "drift": !drifted.is_empty(),
            "drifted": drifted,
            "compared": comparison.columns.len(),
            "alpha": comparison.alpha,
            "correction": "benjamini-hochberg",
            "moderate": effects(&MODERATE),
            "severe": effects(&SEVERE),
        },
        "columns": columns,
        "only_in_ref": comparison.only_in_reference,
        "only_in_cur": comparison.only_in_current,
        "not_compared": skipped,
    })
}

fn effects(effects: &Effects) -> Value {
    json!({
        "moved": effects.moved,
        "wasserstein_normed": effects.wasserstein_normed,
        "missing_change": effects.missing,
    })
}

fn of_column(column: &ColumnComparison) -> Value {
    let d = &column.divergences;
    let mut value = json!({
        "type": if column.numeric.is_some() { "numeric" } else { "categorical" },
        "n_ref": column.present.0,
        "n_cur": column.present.1,
        "missing_ref": column.missing.0,
        "missing_cur": column.missing.1,
        "severity": column.severity.word(),
        "drift": column.severity.is_drift(),
        "evidence": {
            "test": match column.test { Test::Ks => "ks", Test::ChiSquaredPooled => "chi2_pooled" },
            "p_value": column.p_value,
            "p_adjusted": column.p_adjusted,
        },
        "moved": column.moved(),
        "missing": {
            "share_ref": column.missing_test.shares.0,
            "share_cur": column.missing_test.shares.1,
            "p_value": column.missing_test.p_value,
            "p_adjusted": column.missing_test.p_adjusted,
        },
        "psi": d.psi,
        "js_distance": d.js_distance,
        "js_distance_base2": d.js_distance_base2,
        "hellinger": d.hellinger,
        "tvd": d.tvd,
        "tvd_by_chance": d.tvd_by_chance,
        "l_inf": d.l_inf,
        "wasserstein": column.numeric.map(|numeric| numeric.distance.wasserstein),
        "wasserstein_normed": column.numeric.map(|numeric| numeric.wasserstein_normed),
        "ks": column.numeric.map(|numeric| json!({ "statistic": numeric.distance.ks, "p_value": numeric.ks_p })),
        "chi2": { "statistic": d.chi2.statistic, "df": d.chi2.df, "p_value": d.chi2.p_value },
        "chi2_pooled": {
            "statistic": d.chi2_pooled.statistic,
            "df": d.chi2_pooled.df,
            "p_value": d.chi2_pooled.p_value,
        },
    });
    let bounds = match &column.cells {
        Cells::Intervals(edges) => ("inner_edges", json!(edges)),
        Cells::Labels(labels) => ("labels", json!(labels)),
    };
    value["cells"] = json!({ bounds.0: bounds.1, "ref": column.counts.0, "cur": column.counts.1 });
    if let Some(numeric) = column.numeric {
        value["mean_ref"] = json!(numeric.means.0);
        value["mean_cur"] = json!(numeric.means.1);
        value["std_ref"] = json!(numeric.stds.0);
        value["std_cur"] = json!(numeric.stds.1);
        value["outside_ref_range"] = json!(numeric.outside);
    } else {
        let (labels, share) = column.new_labels();
        value["new_labels"] = json!({ "count": labels, "share": share });
    }
    value
}
