//! `driftglass compare` against values that numpy and scipy 1.17 computed on five window pairs of real data, its
//! verdicts on them, its file formats and its errors.
//!
//! Tolerance from files: 1e-6, relative. Where a p-value is below the smallest number both sides say 0.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Map, Value};

use crate::support::run;

mod errors;
mod parquet;

const TOLERANCE: f64 = 1e-6;

/// A window; `DRIFTGLASS_SHARED` may name a folder that holds the same as `fixtures/drift/NAME__ref.csv`.
fn window(case: &str, which: &str) -> String {
    if let Ok(shared) = std::env::var("DRIFTGLASS_SHARED") {
        return format!("{shared}/fixtures/drift/{case}__{which}.csv");
    }
    vectors().join(format!("{case}.{which}.csv.gz")).display().to_string()
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/drift/compare")
}

fn expected() -> Map<String, Value> {
    let text = std::fs::read_to_string(vectors().join("expected.json")).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// Options that make the columns of a case what the expected values take them for.
fn categorical(columns: &Value) -> Vec<String> {
    let columns = columns.as_object().expect("columns").iter();
    let categorical = columns.filter(|(_, column)| column["type"] == "categorical");
    categorical.flat_map(|(name, _)| ["--categorical".to_owned(), name.clone()]).collect()
}

fn output(arguments: &[&str]) -> Output {
    run(&[&["compare"], arguments].concat())
}

fn compare(reference: &str, current: &str, options: &[String]) -> Value {
    let mut arguments = vec!["compare", reference, current, "--json"];
    arguments.extend(options.iter().map(String::as_str));
    let output = run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn compare_case(case: &str) -> Value {
    compare(&window(case, "ref"), &window(case, "cur"), &categorical(&expected()[case]))
}

#[track_caller]
fn close(found: &Value, expected: &Value, what: &str) {
    if expected.is_null() {
        return;
    }
    let (Some(found), Some(expected)) = (found.as_f64(), expected.as_f64()) else {
        panic!("{what}: {found} is not {expected}");
    };
    let same = found == expected || (found - expected).abs() <= TOLERANCE * expected.abs();
    assert!(same, "{what}: {found} is not {expected}");
}

#[test]
fn scipy_agrees_on_the_rows() {
    let (mut columns, mut numbers) = (0, 0);
    for (case, expected) in &expected() {
        let found = compare_case(case);
        let expected = expected.as_object().expect("columns");
        assert_eq!(found["columns"].as_object().map(Map::len), Some(expected.len()), "{case}");
        for (name, expected) in expected {
            let (found, cells) = (&found["columns"][name], &expected["fixed_ref_bins"]);
            for same in ["type", "n_ref", "n_cur", "missing_ref", "missing_cur"] {
                assert_eq!(found[same], expected[same], "{case}, {name}, {same}");
            }
            let numeric = expected["type"] == "numeric";
            let bounds = if numeric { "inner_edges" } else { "labels" };
            assert_eq!(found["cells"][bounds], cells["inner_edges_or_labels"], "{case}, {name}");
            assert_eq!(found["cells"]["ref"], cells["ref_counts"], "{case}, {name}");
            assert_eq!(found["cells"]["cur"], cells["cur_counts"], "{case}, {name}");
            let of_cells = [
                ("/psi", "psi_zero_to_1e4"),
                ("/js_distance", "js_distance_nat"),
                ("/js_distance_base2", "js_distance_base2"),
                ("/hellinger", "hellinger"),
                ("/tvd", "tvd"),
                ("/l_inf", "l_inf"),
                ("/chi2/statistic", "chi2_two_sample"),
                ("/chi2/df", "chi2_df"),
                ("/chi2/p_value", "chi2_p"),
            ];
            let of_rows = [
                ("/ks/statistic", "ks_stat"),
                ("/ks/p_value", "ks_p_asymp"),
                ("/wasserstein", "wasserstein"),
                ("/wasserstein_normed", "wasserstein_over_ref_std_ddof0"),
                ("/mean_ref", "mean_ref"),
                ("/mean_cur", "mean_cur"),
            ];
            let of_cells = of_cells.map(|(pointer, key)| (pointer, &cells[key]));
            let of_rows = of_rows.map(|(pointer, key)| (pointer, &expected[key]));
            for (pointer, value) in of_cells.into_iter().chain(of_rows.into_iter().filter(|_| numeric)) {
                assert!(value.is_number(), "{case}, {name}, {pointer}: no value is expected");
                let found = found.pointer(pointer).unwrap_or_else(|| panic!("{case}, {name}: no {pointer}"));
                close(found, value, &format!("{case}, {name}, {pointer}"));
            }
            columns += 1;
            numbers += usize::from(numeric);
        }
    }
    assert_eq!((columns, numbers), (54, 32), "no column is left out");
}

/// October against October: the delays differ (p < 1e-7, the mean halves), and nothing else may alarm.
#[test]
fn what_did_not_change_does_not_alarm() {
    let found = compare_case("flights_oct_null");
    assert_eq!(found["verdict"]["drifted"], serde_json::json!(["arr_delay", "dep_delay"]));
    for unchanged in ["distance", "sched_arr_time", "carrier", "origin", "dest"] {
        assert_eq!(found["columns"][unchanged]["severity"], "none", "{unchanged}");
    }
    let found = compare_case("acs_employment_ref_vs_first");
    assert!(
        found["verdict"]["drifted"].as_array().expect("a list").iter().all(|name| name == "ANC" || name == "DIS"),
        "{}",
        found["verdict"]
    );
}

/// One outlier stretches equal-width bins until they see nothing; deciles and rows do see this column.
#[test]
fn what_did_change_alarms() {
    let found = compare_case("rain_first_vs_last_decade");
    for column in ["dew point", "sea-level pressure"] {
        assert_eq!(found["columns"][column]["severity"], "severe", "{column}");
    }
    let found = compare_case("california_ref_vs_analysis_tail");
    for column in ["Latitude", "Longitude"] {
        assert_eq!(found["columns"][column]["severity"], "severe", "{column}");
    }
    assert_eq!(found["columns"]["MedInc"]["drift"], false);
}

/// A trifle among many rows: 40,000 rows a side, shares of 50 % and 51.5 %. Evidence beyond doubt, no effect.
#[test]
fn significant_trifles_do_not_alarm() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, ones: usize| {
        let path = dir.path().join(name);
        let rows: String = (0..40_000).map(|row| if row < ones { "yes,1\n" } else { "no,0\n" }).collect();
        std::fs::write(&path, format!("label,number\n{rows}")).expect("a file");
        path.display().to_string()
    };
    let (reference, current) = (file("ref.csv", 20_000), file("cur.csv", 20_600));
    let found = compare(&reference, &current, &[]);
    for column in ["label", "number"] {
        let p = found["columns"][column]["evidence"]["p_adjusted"].as_f64().expect("a number");
        assert!(p < 0.001, "{p}");
        assert_eq!(found["columns"][column]["severity"], "trifle");
    }
    let again = ["--fail-on-drift", &reference, &current];
    assert_eq!(output(&again).status.code(), Some(0));
    let drifted = [again[0], again[1], &file("far.csv", 30_000)];
    assert_eq!(output(&drifted).status.code(), Some(3));
}

#[test]
fn the_table_and_the_page() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let rows = |label: &str| (0..100).map(|row| format!("{row},{label},{row}\n")).collect::<String>();
    let reference = file("ref.csv", &format!("x,<b>&,old\n{}", rows("a<i>")));
    let current = file("cur.csv", &format!("x,<b>&,new\n{}", rows("b<i>")));
    let page = dir.path().join("page.html").display().to_string();
    let found = output(&[&reference, &current, "--html", &page]);
    assert!(found.status.success());
    let text = String::from_utf8(found.stdout).expect("text");
    for part in ["drift      1 of 2 columns", "severe", "only in the reference: old", "only in current: new"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let page = std::fs::read_to_string(&page).expect("a page");
    for part in ["1 of 2 columns drifted", "&lt;b&gt;&amp;", "a&lt;i&gt;: 100 % → 0 %", "default-src 'none'"] {
        assert!(page.contains(part), "{part}");
    }
    for never in ["<script", "http://", "https://", "url(", "<b>&", "<i>:"] {
        assert!(!page.contains(never), "{never}");
    }
}
