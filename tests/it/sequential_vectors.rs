//! E-values, detectors, selection and private means against fixtures that were computed by an independent
//! implementation.
//!
//! Within 1e-9 relative. The fixtures of mixture e-processes use the real number e^ε, and the values here are computed
//! from it too: ln E adds up k terms of size n ln n < 1e7, each rounded to 1e-16 relative, so that it is exact to 1e-8
//! absolute at worst and to 1e-9 relative where |ln E| > 10; the tolerance is the larger of the two.

use driftglass::drift::sequential::nprr::{MeanSequence, fixed, keep};
use driftglass::drift::sequential::{
    Cusum, ShiryaevRoberts, benjamini_hochberg, e_bh, log_dirichlet_mixture, log_gaussian_mixture,
};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

fn integers(value: &Value) -> Vec<u64> {
    value.as_array().expect("a list").iter().map(|item| item.as_u64().expect("an integer")).collect()
}

#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{what}: {found}, not {expected}");
}

fn rejected(case: &Value) -> Vec<usize> {
    integers(&case["rejected"]).into_iter().map(|number| number as usize).collect()
}

/// The mixtures of a test of counts against a known reference.
pub(crate) fn check_grr_gof_known_ref(case: &Value) {
    let (epsilon, shares, counts) = (number(&case["eps"]), numbers(&case["p_ref"]), integers(&case["counts"]));
    let (e, k, n) = (libm::exp(epsilon), shares.len() as f64, counts.iter().sum::<u64>() as f64);
    let (keep, false_one) = (e / (e + k - 1.0), 1.0 / (e + k - 1.0));
    let sent: Vec<f64> = shares.iter().map(|share| false_one + (keep - false_one) * share).collect();
    let dirichlet = &case["dirichlet_mixture"];
    let found = log_dirichlet_mixture(&sent, &counts, number(&dirichlet["kappa"]));
    let expected = number(&dirichlet["log_e"]);
    assert!((found - expected).abs() <= 1e-8_f64.max(1e-9 * expected.abs()), "{found}, not {expected}");
    let gauss = &case["gauss_mixture"];
    let df = case["df"].as_u64().expect("degrees of freedom") as usize;
    let found = log_gaussian_mixture(number(&case["chi2"]), df, n, number(&gauss["rho"]));
    close(found, number(&gauss["log_e"]), "Gaussian mixture");
}

/// e-BH.
pub(crate) fn check_e_bh(case: &Value) {
    let log_e: Vec<f64> = numbers(&case["e"]).into_iter().map(libm::log).collect();
    assert_eq!(e_bh(&log_e, None, number(&case["q"])), rejected(case));
}

/// BH.
pub(crate) fn check_bh(case: &Value) {
    assert_eq!(benjamini_hochberg(&numbers(&case["p"]), None, number(&case["q"])), rejected(case));
}

/// Shiryaev–Roberts and CUSUM, and the looks at which they first exceed the threshold of 50.
pub(crate) fn check_e_detector(case: &Value) {
    let (mut sr, mut cusum) = (ShiryaevRoberts::default(), Cusum::default());
    let (expected_sr, expected_cusum) = (numbers(&case["shiryaev_roberts"]), numbers(&case["cusum"]));
    let mut alarms = [None; 2];
    for (t, e) in numbers(&case["e"]).into_iter().enumerate() {
        let found = [sr.look(libm::log(e)), cusum.look(libm::log(e))];
        close(libm::exp(found[0]), expected_sr[t], "Shiryaev–Roberts");
        close(libm::exp(found[1]), expected_cusum[t], "CUSUM");
        for (alarm, log) in alarms.iter_mut().zip(found) {
            if log >= libm::log(50.0) {
                alarm.get_or_insert(t as u64);
            }
        }
    }
    assert_eq!(alarms.map(|alarm| alarm.expect("an alarm")).to_vec(), integers(&case["alarm_at_threshold_50"]));
}

/// Private means: one bit after the other.
pub(crate) fn check_nprr_g1(case: &Value) {
    let r = keep(number(&case["eps"]));
    close(r, number(&case["r"]), "r");
    let bits = integers(&case["z"]);
    let found = fixed(bits.iter().sum(), bits.len() as u64, r, 0.05).expect("bits");
    close(found.estimate, number(&case["fixed_n"]["mu_hat"]), "estimate");
    close(found.half_width, number(&case["fixed_n"]["two_sided95_halfwidth"]), "half-width");
    let mut sequence = MeanSequence::new(r, 0.05);
    bits.iter().for_each(|bit| sequence.bit(*bit == 1));
    let found = sequence.bounds().expect("bits");
    close(found.estimate, number(&case["time_uniform"]["centre_at_500"]), "centre");
    close(found.half_width, number(&case["time_uniform"]["half_at_500"]), "half-width at all times");
}

/// The private mean of the small file.
pub(crate) fn check_nprr_small(case: &Value) {
    let r = keep(1.0);
    close(r, number(&case["r"]), "r");
    let found = fixed(5_300, 10_000, r, 0.05).expect("bits");
    close(found.estimate, number(&case["mu_hat"]), "estimate");
    close(found.half_width, number(&case["two_sided95_halfwidth"]), "half-width");
    let public = fixed(5_300, 10_000, 1.0, 0.05).expect("bits").half_width;
    close(public, number(&case["nonprivate_halfwidth"]), "half-width without privacy");
}
