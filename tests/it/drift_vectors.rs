//! Shares, covariances, statistics and p-values against fixtures that were computed by an independent implementation.
//!
//! One `check_<kind>` for each kind of case, and a dispatcher over a whole file. Channels are made of the real numbers
//! p and q of e^ε ([`Channel::unary`], [`Channel::k_ary`]), so that all values agree within 1e-9 relative; the channel
//! of integer weights is compared with them in [`integer_weights_are_near`].
//!
//! Known reference: Wald's statistic over all cells but one at the null covariance equals Σ (c_j − nπ_j)²/(nπ_j), which
//! is what the fixture holds (Gaboardi and Rogers, ICML 2018). Two samples: `projected_wald` of the fixture is the
//! projected form, at the covariance of the pooled shares, clipped; the linear contrast has the weights 0, 1, …, k − 1.
//! [`Comparison`] takes its covariance where the reports are, for its level (see there), and is compared more coarsely.
//!
//! With `DRIFTGLASS_LDP_VECTORS` set to a file of the same form, its cases are compared too.

use driftglass::drift::{
    Comparison, Sample, chi_squared_survival, linear_contrast, pearson_known, projected_wald, unary_wald, wald,
};
use driftglass::estimate::{Channel, Estimate, clipped};
use serde_json::Value;

use crate::sequential_vectors;

use crate::randomizers::subsets;

/// Fields that `sequential_vectors` compares.
const SEQUENTIAL_FIELDS: [&str; 2] = ["dirichlet_mixture", "gauss_mixture"];

const TOLERANCE: f64 = 1e-9;

fn file(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn cases() -> Value {
    file(include_str!("../vectors/drift/ldp_vectors.json"))
}

fn small_cases() -> Value {
    file(include_str!("../vectors/drift/ldp_vectors_small.json"))
}

fn number(case: &Value, field: &str) -> f64 {
    case[field].as_f64().unwrap_or_else(|| panic!("{field} is a number"))
}

fn numbers(case: &Value, field: &str) -> Vec<f64> {
    case[field].as_array().expect("a list").iter().map(|item| item.as_f64().expect("a number")).collect()
}

fn counts(case: &Value, field: &str) -> Vec<u64> {
    case[field].as_array().expect("a list").iter().map(|item| item.as_u64().expect("a count")).collect()
}

#[track_caller]
fn agrees(found: f64, case: &Value, field: &str) {
    near(found, number(case, field), field);
}

/// Within 1e-9 of the value.
#[track_caller]
fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= TOLERANCE * expected.abs(), "{what}: {found}, not {expected}");
}

/// Vectors within 1e-9 of their largest entry: a share near 0 is a difference of larger numbers.
#[track_caller]
fn all_agree(found: &[f64], case: &Value, field: &str) {
    let expected = numbers(case, field);
    assert_eq!(found.len(), expected.len(), "{field}");
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= TOLERANCE * largest, "{field}: {found}, not {expected}");
    }
}

/// Fails for a field that nothing compares.
fn only(case: &Value, fields: &[&str]) {
    for field in case.as_object().expect("an object").keys().map(String::as_str) {
        assert!(fields.contains(&field) || SEQUENTIAL_FIELDS.contains(&field), "{field} is not compared");
    }
}

/// Compares every case of a file, and gives their number.
fn check_all(cases: &Value) -> usize {
    let mut compared = 0;
    for case in cases.as_array().expect("a list of cases") {
        match case["kind"].as_str().expect("a kind") {
            "grr_gof_known_ref" => check_grr_gof_known_ref(case),
            "oue_two_sample" => check_oue_two_sample(case),
            "sue_two_sample" => check_sue_two_sample(case),
            "e_bh" => sequential_vectors::check_e_bh(case),
            "bh" => sequential_vectors::check_bh(case),
            "e_detector" => sequential_vectors::check_e_detector(case),
            "nprr_G1" => sequential_vectors::check_nprr_g1(case),
            kind => panic!("no check for kind {kind}"),
        }
        compared += 1;
    }
    compared
}

fn check_grr_gof_known_ref(case: &Value) {
    only(case, &["kind", "eps", "p_ref", "counts", "n", "debiased", "chi2", "df", "p"]);
    check_grr(number(case, "eps"), &numbers(case, "p_ref"), case, ["chi2", "p"]);
    sequential_vectors::check_grr_gof_known_ref(case);
    assert_eq!(counts(case, "counts").iter().sum::<u64>(), case["n"].as_u64().expect("reports"));
}

/// Randomized response against known shares; `names` are the fields of statistic and p-value.
fn check_grr(epsilon: f64, shares: &[f64], case: &Value, [statistic, p_value]: [&str; 2]) {
    let (k, e, support) = (shares.len(), libm::exp(epsilon), counts(case, "counts"));
    let channel = Channel::k_ary(k, e / (e + k as f64 - 1.0));
    let sample = Sample { reports: support.iter().sum(), support: &support };
    all_agree(&channel.shares(sample.reports, &support).expect("reports"), case, "debiased");
    let compared = Comparison::with_known(&channel, sample, shares).expect("reports");
    let in_shares = wald(&compared.difference, &compared.covariance).expect("positive definite");
    let projected = projected_wald(&compared.difference, &compared.covariance).expect("positive definite");
    let in_answers = pearson_known(&support, &channel.support_law(shares), 0.0).expect("answers");
    for found in [in_shares, projected, in_answers] {
        agrees(found.statistic, case, statistic);
        assert_eq!(found.df as u64, case["df"].as_u64().expect("degrees of freedom"));
        agrees(found.p_value, case, p_value);
    }
}

fn check_oue_two_sample(case: &Value) {
    near(number(case, "q"), 1.0 / (1.0 + libm::exp(number(case, "eps"))), "q of OUE");
    check_unary_two_sample(case);
}

fn check_sue_two_sample(case: &Value) {
    near(number(case, "q"), 1.0 / (1.0 + libm::exp(number(case, "eps") / 2.0)), "q of SUE");
    check_unary_two_sample(case);
}

fn check_unary_two_sample(case: &Value) {
    only(
        case,
        &[
            "kind",
            "eps",
            "p",
            "q",
            "n_ref",
            "n_cur",
            "bits_ref",
            "bits_cur",
            "debiased_ref",
            "debiased_cur",
            "pooled_clip_norm",
            "projected_wald",
            "df",
            "p_value",
            "gls_sum_to_one_ref",
            "gls_sum_to_one_cur",
            "linear_contrast_z_after_gls",
            "ks_stat_after_gls",
            "w1_bins_after_gls",
            "psi_raw_floor1e4",
            "psi_debiased",
        ],
    );
    let (bits_ref, bits_cur) = (counts(case, "bits_ref"), counts(case, "bits_cur"));
    let k = bits_ref.len();
    let channel = Channel::unary(k, number(case, "p"), number(case, "q"));
    let reports = |field: &str| case[field].as_u64().expect("reports");
    let reference = Sample { reports: reports("n_ref"), support: &bits_ref };
    let current = Sample { reports: reports("n_cur"), support: &bits_cur };
    let free = |sample: Sample<'_>| channel.shares(sample.reports, sample.support).expect("reports");
    let (h1, h2) = (free(reference), free(current));
    all_agree(&h1, case, "debiased_ref");
    all_agree(&h2, case, "debiased_cur");

    let compared = Comparison::of_samples(&channel, current, reference).expect("reports");
    all_agree(&compared.shares, case, "pooled_clip_norm");
    let per_report = channel.covariance(&compared.shares, 1.0);
    let constrained =
        |shares: &[f64]| Estimate { shares: shares.to_vec(), covariance: per_report.clone() }.sum_to_one().shares;
    let (g1, g2) = (constrained(&h1), constrained(&h2));
    all_agree(&g1, case, "gls_sum_to_one_ref");
    all_agree(&g2, case, "gls_sum_to_one_cur");
    let published: Vec<f64> = g2.iter().zip(&g1).map(|(now, then)| now - then).collect();

    // Both projected forms, dense and in O(k).
    let (n1, n2) = (reference.reports as f64, current.reports as f64);
    let difference: Vec<f64> = h2.iter().zip(&h1).map(|(now, then)| now - then).collect();
    let covariance = channel.covariance(&compared.shares, n1 * n2 / (n1 + n2));
    let noise: Vec<f64> = compared.shares.iter().map(|share| channel.noise(*share)).collect();
    let dense = projected_wald(&difference, &covariance).expect("positive definite");
    let quick = unary_wald(&difference, &compared.shares, &noise, 1.0 / n1 + 1.0 / n2).expect("cells");
    for found in [dense, quick] {
        agrees(found.statistic, case, "projected_wald");
        assert_eq!(found.df as u64, case["df"].as_u64().expect("degrees of freedom"));
        agrees(found.p_value, case, "p_value");
    }

    let weights: Vec<f64> = (0..k).map(|cell| cell as f64).collect();
    let of_published = Estimate { shares: h1.clone(), covariance: covariance.clone() }.sum_to_one().covariance;
    let contrast = linear_contrast(&weights, &published, &of_published).expect("a variance");
    agrees(contrast.z, case, "linear_contrast_z_after_gls");
    let cumulative: Vec<f64> = (1..k).map(|cells| published[..cells].iter().sum::<f64>().abs()).collect();
    agrees(cumulative.iter().copied().fold(0.0, f64::max), case, "ks_stat_after_gls");
    agrees(cumulative.iter().sum(), case, "w1_bins_after_gls");

    // What is tested has the covariance of the reports that were seen: the same to a hundredth of a standard error.
    for (cell, found) in compared.difference.iter().enumerate() {
        let error = libm::sqrt(compared.covariance.at(cell, cell));
        assert!((found - published[cell]).abs() < 0.01 * error, "cell {cell}: {found}, not {}", published[cell]);
        assert!((error / libm::sqrt(of_published.at(cell, cell)) - 1.0).abs() < 0.01, "cell {cell}");
    }

    // The population stability index as it is usually computed, and what is left of it without the noise.
    let floored = |share: &f64| share.max(1e-4);
    let term = |(now, then): (f64, f64)| (now - then) * libm::log(now / then);
    agrees(h2.iter().map(floored).zip(h1.iter().map(floored)).map(term).sum(), case, "psi_raw_floor1e4");
    let debiased = |cell: usize| (difference[cell].powi(2) - covariance.at(cell, cell)) / compared.shares[cell];
    let debiased: f64 = (0..k).filter(|cell| compared.shares[*cell] > 0.0).map(debiased).sum();
    agrees(debiased, case, "psi_debiased");
}

/// The small file: an object of cases by name, of which some hold one part per channel.
fn check_small(cases: &Value) -> usize {
    let mut compared = 0;
    for (name, case) in cases.as_object().expect("an object of cases") {
        if name.starts_with("nprr_") {
            sequential_vectors::check_nprr_small(case);
            compared += 1;
        } else if let Some((_, epsilon)) = name.split_once("_eps").filter(|_| name.starts_with("gof_")) {
            compared += check_small_known(epsilon.parse().expect("ε"), case);
        } else {
            assert_eq!(name, "two_sample_oue_k5_n1e5_eps1", "no check for this case");
            check_small_two_sample(case);
            compared += 1;
        }
    }
    compared
}

fn check_small_known(epsilon: f64, case: &Value) -> usize {
    let shares = numbers(case, "p0");
    for (part, body) in case.as_object().expect("an object").iter().filter(|(part, _)| *part != "p0") {
        if part == "grr" {
            only(body, &["p", "q", "counts", "debiased", "T", "df", "pvalue"]);
            check_grr(epsilon, &shares, body, ["T", "pvalue"]);
            continue;
        }
        assert!(["sue_basic_rappor", "oue"].contains(&part.as_str()), "no check for part {part}");
        only(body, &["p", "q", "bit_counts", "T_projected", "T_fast_check", "df", "pvalue"]);
        let e = libm::exp(if part == "oue" { epsilon } else { epsilon / 2.0 });
        let p = if part == "oue" { 0.5 } else { e / (1.0 + e) };
        near(p, number(body, "p"), "p");
        near(1.0 / (1.0 + e), number(body, "q"), "q");
        let channel = Channel::unary(shares.len(), p, 1.0 / (1.0 + e));
        let bits = counts(body, "bit_counts");
        let n = 10_000;
        let estimate = channel.shares(n, &bits).expect("reports");
        let difference: Vec<f64> = estimate.iter().zip(&shares).map(|(now, then)| now - then).collect();
        let noise: Vec<f64> = shares.iter().map(|share| channel.noise(*share)).collect();
        let dense = projected_wald(&difference, &channel.covariance(&shares, n as f64)).expect("positive definite");
        let quick = unary_wald(&difference, &shares, &noise, 1.0 / n as f64).expect("cells");
        for found in [dense, quick] {
            agrees(found.statistic, body, "T_projected");
            agrees(found.p_value, body, "pvalue");
        }
        if part == "sue_basic_rappor" {
            agrees(quick.statistic, body, "T_fast_check");
        }
    }
    case.as_object().expect("an object").len() - 1
}

fn check_small_two_sample(case: &Value) {
    only(
        case,
        &[
            "bit_counts_ref",
            "bit_counts_cur",
            "n1",
            "n2",
            "debiased_ref",
            "debiased_cur",
            "pooled_clipped_normalised",
            "T",
            "df",
            "pvalue",
        ],
    );
    let (then, now) = (counts(case, "bit_counts_ref"), counts(case, "bit_counts_cur"));
    let channel = Channel::unary(then.len(), 0.5, 1.0 / (1.0 + libm::exp(1.0)));
    let [n1, n2] = ["n1", "n2"].map(|field| case[field].as_u64().expect("reports"));
    let (h1, h2) = (channel.shares(n1, &then).expect("reports"), channel.shares(n2, &now).expect("reports"));
    all_agree(&h1, case, "debiased_ref");
    all_agree(&h2, case, "debiased_cur");
    let (n, sums) = (n1 + n2, now.iter().zip(&then).map(|(a, b)| a + b).collect::<Vec<u64>>());
    let pooled = clipped(&channel.shares(n, &sums).expect("reports"));
    all_agree(&pooled, case, "pooled_clipped_normalised");
    let difference: Vec<f64> = h2.iter().zip(&h1).map(|(now, then)| now - then).collect();
    let covariance = channel.covariance(&pooled, n1 as f64 * n2 as f64 / n as f64);
    let found = projected_wald(&difference, &covariance).expect("positive definite");
    agrees(found.statistic, case, "T");
    agrees(found.p_value, case, "pvalue");
}

#[test]
fn every_case_agrees() {
    assert_eq!(check_all(&cases()), 33);
}

#[test]
fn every_small_case_agrees() {
    assert_eq!(check_small(&small_cases()), 4 * 3 + 2);
}

/// A file from outside the repository, of the form of `tests/vectors/drift/ldp_vectors.json`.
#[test]
fn cases_of_another_file_agree() {
    if let Some(path) = std::env::var_os("DRIFTGLASS_LDP_VECTORS") {
        let text = std::fs::read_to_string(&path).expect("the file that DRIFTGLASS_LDP_VECTORS names");
        assert!(check_all(&file(&text)) > 0, "cases to compare");
    }
}

/// The comparisons see an error of 1e-8, in counts, statistics and kinds.
#[test]
fn a_wrong_case_is_noticed() {
    let fails = |change: &dyn Fn(&mut Value)| {
        let mut cases = cases();
        change(&mut cases);
        std::panic::catch_unwind(|| check_all(&cases)).is_err()
    };
    assert!(fails(&|cases| cases[0]["chi2"] = (cases[0]["chi2"].as_f64().expect("a number") * (1.0 + 1e-8)).into()));
    let index = cases().as_array().expect("a list").iter().position(|case| case["kind"] == "sue_two_sample");
    let index = index.expect("a case");
    for field in ["projected_wald", "linear_contrast_z_after_gls", "w1_bins_after_gls", "psi_debiased"] {
        let changed = |cases: &mut Value| {
            cases[index][field] = (cases[index][field].as_f64().expect("a number") * (1.0 + 1e-8)).into();
        };
        assert!(fails(&changed), "{field}");
    }
    assert!(fails(&|cases| cases[index]["bits_cur"][0] = 1.into()));
    assert!(fails(&|cases| cases[1]["kind"] = "unheard_of".into()));
    assert!(!fails(&|_| ()));
}

/// The channel of integer weights has W_t/W_f within 2^-32 below e^ε: its shares and covariances are those of the real
/// numbers within 1e-8 of the largest.
#[test]
fn integer_weights_are_near() {
    for case in cases().as_array().expect("a list").iter().filter(|case| case["kind"] == "grr_gof_known_ref") {
        let (epsilon, shares, support) = (number(case, "eps"), numbers(case, "p_ref"), counts(case, "counts"));
        let (k, e) = (shares.len(), libm::exp(epsilon));
        let n = support.iter().sum();
        let real = Channel::k_ary(k, e / (e + k as f64 - 1.0));
        let integer = Channel::of(&subsets(1, epsilon), k).expect("a frequency oracle");
        let [a, b] = [&real, &integer].map(|channel| channel.estimate(n, &support).expect("reports"));
        for cell in 0..k {
            assert!((a.shares[cell] - b.shares[cell]).abs() < 1e-8);
            for other in 0..k {
                let error = (a.covariance.at(cell, other) - b.covariance.at(cell, other)).abs();
                assert!(error < 1e-8 * a.covariance.at(cell, cell), "({cell}, {other})");
            }
        }
    }
}

/// Whichever cell is left out, and whatever form: for randomized response the statistic is one.
#[test]
fn leaving_out_a_cell_is_the_projection() {
    for case in cases().as_array().expect("a list").iter().filter(|case| case["kind"] == "grr_gof_known_ref") {
        let (shares, support) = (numbers(case, "p_ref"), counts(case, "counts"));
        let (k, e) = (shares.len(), libm::exp(number(case, "eps")));
        let channel = Channel::k_ary(k, e / (e + k as f64 - 1.0));
        let estimate = channel.shares(support.iter().sum(), &support).expect("reports");
        let covariance = channel.covariance(&shares, support.iter().sum::<u64>() as f64);
        let turn = |place: usize| (place + 1) % k;
        let difference: Vec<f64> = (0..k).map(|place| estimate[turn(place)] - shares[turn(place)]).collect();
        let turned = driftglass::estimate::Matrix::from_fn(k, |u, v| covariance.at(turn(u), turn(v)));
        agrees(wald(&difference, &turned).expect("positive definite").statistic, case, "chi2");
    }
}

/// Every p-value of the fixtures, from the fixture's own statistic.
#[test]
fn all_chi_square_tails_agree() {
    let mut seen = 0;
    let mut check = |body: &Value| {
        let of = |names: &[&str]| names.iter().find_map(|name| body.get(name).and_then(Value::as_f64));
        let statistic = of(&["chi2", "projected_wald", "T", "T_projected"]);
        let p_value = of(&["p_value", "pvalue", "p"]);
        if let (Some(statistic), Some(df), Some(expected)) = (statistic, body["df"].as_u64(), p_value) {
            near(chi_squared_survival(statistic, df as usize), expected, "a tail of χ²");
            seen += 1;
        }
    };
    cases().as_array().expect("a list").iter().for_each(&mut check);
    for case in small_cases().as_object().expect("an object").values() {
        check(case);
        case.as_object().expect("an object").values().filter(|part| part.is_object()).for_each(&mut check);
    }
    assert_eq!(seen, 27 + 3 * 4 + 1);
}
