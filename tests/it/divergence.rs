//! Divergences of counts against values that numpy and scipy 1.17 computed on five window pairs of real data, and the
//! χ² law against arbitrary precision.
//!
//! Tolerance 1e-9, relative: both sides sum at most some hundred terms in double precision, and the smallest value in
//! the file is 1e-5, so that the difference of two sums of terms below 1 keeps 10 digits at least. A p-value amplifies
//! the error of its statistic T by T/2, below 2,000: 1e-13 of the statistic becomes 2e-10.

use driftglass::drift::{CountPair, chi_squared_survival};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

fn counts(value: &Value) -> Vec<u64> {
    value.as_array().expect("a list").iter().map(|count| count.as_u64().expect("a count")).collect()
}

/// The file writes an infinite number as a word.
fn number(value: &Value) -> f64 {
    if value == "infinite" { f64::INFINITY } else { value.as_f64().expect("a number") }
}

#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    let same = found == expected || (found - expected).abs() <= TOLERANCE * expected.abs();
    assert!(same, "{what}: {found} is not {expected}");
}

#[test]
fn scipy_agrees_on_the_counts() {
    let text = include_str!("../vectors/drift/compare/expected.json");
    let cases: serde_json::Map<String, Value> = serde_json::from_str(text).expect("JSON");
    let mut columns = 0;
    for (case, expected) in &cases {
        for (name, column) in expected.as_object().expect("columns") {
            let cells = &column["fixed_ref_bins"];
            let (reference, current) = (counts(&cells["ref_counts"]), counts(&cells["cur_counts"]));
            let pair = CountPair::new(&reference, &current).expect("counts");
            let chi_squared = pair.chi_squared();
            let found = [
                ("psi_zero_to_1e4", pair.psi()),
                ("psi_exact", pair.psi_exact()),
                ("js_distance_nat", pair.js_distance()),
                ("js_distance_base2", pair.js_distance_base2()),
                ("js_divergence_nat", pair.js_divergence()),
                ("hellinger", pair.hellinger()),
                ("tvd", pair.tvd()),
                ("l_inf", pair.l_inf()),
                ("chi2_two_sample", chi_squared.statistic),
                ("chi2_df", chi_squared.df as f64),
                ("chi2_p", chi_squared.p_value),
            ];
            for (statistic, found) in found {
                close(found, number(&cells[statistic]), &format!("{case}, {name}, {statistic}"));
            }
            if column["type"] == "numeric" {
                close(pair.ks(), number(&cells["ks_on_bins"]), &format!("{case}, {name}, ks_on_bins"));
            }
            columns += 1;
        }
    }
    assert_eq!((cases.len(), columns), (5, 54), "no case is left out");
}

/// Q(df/2, x/2) by mpmath with 40 digits: the near side, the middle, and the tail down to the smallest normal numbers.
#[test]
fn the_chi_squared_law_far_into_its_tail() {
    let cases = [
        (1e-3, 1, 0.974_772_879_369_960_4),
        (1.0, 1, 0.317_310_507_862_914_1),
        (10.0, 1, 0.001_565_402_258_002_549_7),
        (100.0, 1, 1.523_970_604_832_105e-23),
        (500.0, 1, 9.505_397_766_554_092e-111),
        (1_300.0, 1, 1.130_372_844_149_274_2e-284),
        (30.0, 2, 3.059_023_205_018_258e-7),
        (1_300.0, 2, 5.111_951_948_651_156e-283),
        (1_300.0, 3, 1.471_743_710_698_010_3e-281),
        (10.0, 9, 0.350_485_212_323_361_34),
        (500.0, 9, 5.749_413_903_044_689e-102),
        (1_450.0, 9, 1.213_774_892_467_988_4e-306),
        (30.0, 14, 0.007_631_899_637_514_958),
        (1_450.0, 14, 2.784_840_029_383_943_8e-301),
        (75.7, 89, 0.841_519_809_111_853_3),
        (89.0, 89, 0.480_062_977_792_181_25),
        (489.2, 89, 1.420_264_390_676_395_4e-56),
        (199.0, 199, 0.486_667_825_972_319_03),
        (797.5, 199, 1.397_023_604_781_099_9e-72),
        (1_999.0, 1_999, 0.495_793_704_102_695_73),
        (3_895.9, 1_999, 7.350_592_145_149_516e-125),
        (19_800.0, 20_000, 0.841_348_807_806_435_3),
        (20_200.0, 20_000, 0.158_651_249_552_820_38),
        (26_000.0, 20_000, 4.712_347_177_485_644e-166),
    ];
    for (statistic, df, expected) in cases {
        close(chi_squared_survival(statistic, df), expected, &format!("{statistic}, {df} degrees"));
    }
    assert_eq!(chi_squared_survival(1e6, 9), 0.0, "below the smallest number");
}
