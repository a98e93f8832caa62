//! The cases of `tests/vectors/drift-v1.json`, without their outputs.
//!
//! Every figure and every oracle mechanism has one at least. Supports are n times the law of the channel plus a normal
//! error of the right size, from seed 4; statistics reach into the tails, where other branches are taken.

use driftglass::drift::normal_quantile;
use driftglass::estimate::{Law, Windows};
use driftglass::spec::Weights;
use fastrand::Rng;
use serde_json::{Value, json};

use super::{functions, with};

/// Oracle mechanisms with their parameters, ε and number of symbols.
const ORACLES: [(&str, &[u64], f64, usize); 7] = [
    ("k-ary", &[], 1.0, 6),
    ("subset-selection", &[3], 1.5, 10),
    ("optimized-unary", &[], 2.0, 8),
    ("local-hashing", &[4], 1.1, 9),
    ("hadamard", &[], 0.5, 7),
    ("projective-geometry", &[3, 3], 1.0, 9),
    ("memoized-hashing", &[5, 1_000_000], 3.0, 6),
];

struct Cases {
    found: Vec<Value>,
    rng: Rng,
}

impl Cases {
    fn add(&mut self, name: &str, figure: &str, inputs: Value) {
        self.found.push(json!({ "name": name, "figure": figure, "inputs": inputs }));
    }

    /// Supports of n reports about symbols with these shares.
    fn support(&mut self, mechanism: &Value, shares: &[f64], reports: u64) -> Vec<u64> {
        let n = reports as f64;
        let inputs = with(mechanism, json!({ "shares": shares }));
        let law = functions::outputs("support_law", &inputs).expect("a figure");
        let mut support: Vec<u64> = law
            .iter()
            .map(|p| {
                let error = normal_quantile(self.rng.f64().clamp(1e-6, 1.0 - 1e-6));
                libm::round(n * p + error * libm::sqrt(n * p * (1.0 - p))).clamp(0.0, n) as u64
            })
            .collect();
        // Reports that support a fixed number of symbols.
        let of_report = match mechanism["mechanism"].as_str() {
            Some("k-ary") => 1,
            Some("subset-selection") => mechanism["parameters"][0].as_u64().expect("a size"),
            _ => return support,
        };
        let (last, others) = support.split_last_mut().expect("a symbol");
        *last = (of_report * reports).checked_sub(others.iter().sum()).expect("room in the last cell");
        support
    }

    fn counts(&mut self, length: usize, most: u64) -> Vec<u64> {
        (0..length).map(|_| self.rng.u64(0..=most)).collect()
    }
}

fn mechanism(name: &str, parameters: &[u64], epsilon: f64, symbols: usize) -> Value {
    json!({ "mechanism": name, "parameters": parameters, "epsilon": epsilon, "symbols": symbols })
}

fn oracle((name, parameters, epsilon, symbols): (&str, &[u64], f64, usize)) -> Value {
    mechanism(name, parameters, epsilon, symbols)
}

/// Falling shares, 1 : 1/2 : 1/3 : …
fn falling(k: usize) -> Vec<f64> {
    let total: f64 = (1..=k).map(|cell| 1.0 / cell as f64).sum();
    (1..=k).map(|cell| 1.0 / cell as f64 / total).collect()
}

fn moved(shares: &[f64], size: f64) -> Vec<f64> {
    let mut moved = shares.to_vec();
    moved[0] -= size;
    moved[shares.len() / 2] += size;
    moved
}

pub(super) fn cases() -> Vec<Value> {
    let mut cases = Cases { found: Vec::new(), rng: Rng::with_seed(4) };
    estimates(&mut cases);
    one_look(&mut cases);
    counts_alone(&mut cases);
    tails(&mut cases);
    plans(&mut cases);
    sequences(&mut cases);
    performance(&mut cases);
    accounts(&mut cases);
    cases.found
}

fn estimates(cases: &mut Cases) {
    for spec in ORACLES {
        let (inputs, shares) = (oracle(spec), falling(spec.3));
        let support = cases.support(&inputs, &shares, 20_000);
        cases.add(
            &format!("channel of {}", spec.0),
            "channel",
            with(&inputs, json!({ "reports": 20_000, "support": support })),
        );
    }
    let law = with(&oracle(ORACLES[5]), json!({ "shares": falling(ORACLES[5].3) }));
    cases.add("law of supports", "support_law", law);
    for (name, parameters, epsilon, counters) in [
        ("duchi-bit", &[][..], 1.0, 2),
        ("piecewise", &[20], 3.0, 33 + 2 * 20),
        ("hybrid", &[16, 40_000], 2.0, 33 + 2 * 16 + 2),
    ] {
        let inputs =
            with(&mechanism(name, parameters, epsilon, 33), json!({ "counters": cases.counts(counters, 900) }));
        cases.add(&format!("mean by {name}"), "mean_law", inputs);
    }
    cases.add(
        "best mechanisms for a mean",
        "mean_mechanism",
        json!({ "symbols": 129, "epsilons": [0.3, 0.7, 1.0, 2.5] }),
    );
    let inputs = with(&mechanism("discrete-laplace", &[], 1.0, 9), json!({ "counters": cases.counts(9, 700) }));
    cases.add("count by Laplace noise", "count_law", inputs);
    let outputs = Windows::square_wave(17, 8, Weights::within(2_000_000)).outputs();
    let inputs = with(&mechanism("square-wave", &[8], 2.0, 17), json!({ "counters": cases.counts(outputs, 400) }));
    cases.add("square wave", "square_wave", inputs);
    cases.add("onto the simplex", "simplex", json!({ "shares": [0.5, -0.02, 0.31, 0.007, 0.26, -0.11, 0.05] }));
    for (epsilon, symbols) in [(0.5, 8), (1.0, 32), (4.0, 100)] {
        cases.add(&format!("chooser at {epsilon}"), "chooser", json!({ "epsilon": epsilon, "symbols": symbols }));
    }
    let probabilities = [1e-300, 1e-17, 1e-9, 0.001, 0.02425, 0.1, 0.3, 0.5, 0.7, 0.975, 0.999, 0.999999999];
    cases.add("quantiles of the normal law", "normal_quantile", json!({ "probabilities": probabilities }));
}

fn one_look(cases: &mut Cases) {
    for spec in ORACLES {
        let (inputs, shares) = (oracle(spec), falling(spec.3));
        for (size, reports) in [(0.0, 12_000), (0.12, 40_000)] {
            let then = cases.support(&inputs, &shares, 50_000);
            let now = cases.support(&inputs, &moved(&shares, size), reports);
            let samples = json!({ "now": now, "then": then, "reports_now": reports, "reports_then": 50_000 });
            let name = format!("two samples of {}, shift {size}", spec.0);
            cases.add(&name, "two_samples", with(&inputs, samples));
        }
    }
    for spec in [ORACLES[0], ORACLES[2]] {
        let (inputs, shares) = (oracle(spec), falling(spec.3));
        let now = cases.support(&inputs, &moved(&shares, 0.03), 30_000);
        let sample = json!({ "now": now, "reports_now": 30_000, "shares": shares });
        cases.add(&format!("known shares, {}", spec.0), "known_reference", with(&inputs, sample));
        let then = cases.support(&inputs, &shares, 60_000);
        let more = json!({ "now": now, "then": then, "reports_now": 30_000, "reports_then": 60_000 });
        cases.add(&format!("debiased distances, {}", spec.0), "debiased", with(&inputs, more));
        let more = json!({ "support": now, "reports": 30_000, "share": 0.2, "expected": 41_000.0 });
        cases.add(&format!("influence, {}", spec.0), "influence", with(&inputs, more));
    }
    for (spec, size, ordered) in
        [(ORACLES[0], 0.0, true), (ORACLES[0], 0.15, false), (ORACLES[2], 0.03, true), (ORACLES[2], 0.08, false)]
    {
        let (inputs, k) = (oracle(spec), spec.3);
        let cells = falling(k - 1);
        let symbols: Vec<f64> = moved(&cells, size).iter().map(|share| 0.9 * share).chain([0.1]).collect();
        let counters = cases.support(&inputs, &symbols, 25_000);
        let more = json!({
            "reports": 25_000, "counters": counters, "shares": cells, "devices": 80_000, "delta": 0.05, "alpha": 0.01,
            "ordered": ordered,
        });
        cases.add(&format!("verdict of {}, shift {size}", spec.0), "assess", with(&inputs, more));
    }
    for (epsilon, symbols) in [(2.0, 8), (1.0, 33), (4.0, 200)] {
        let inputs = mechanism("optimized-unary", &[], epsilon, symbols);
        let shares = falling(symbols);
        let windows: Vec<_> =
            [0.0, 0.02, 0.2].map(|size| cases.support(&inputs, &moved(&shares, size * shares[0]), 9_000)).into();
        let known = json!({ "shares": shares, "reports_then": 100_000, "rho": 0.001 });
        let more = with(&known, json!({ "reports_now": 9_000, "windows": windows }));
        cases.add(&format!("batch of {symbols} cells"), "evaluator", with(&inputs, more));
    }
    for most in [400, 2_000] {
        let more = json!({
            "now": cases.counts(16, most), "then": cases.counts(16, most), "baseline": [5, 1, 2, 9, 4, 4, 1, 3],
            "weights": [11_674_931_554_u64, 4_294_967_296_u64],
        });
        cases.add(&format!("anchored rows of {most}"), "anchored_test", more);
    }
}

fn counts_alone(cases: &mut Cases) {
    let now = cases.counts(12, 3_000);
    let then = cases.counts(12, 3_000);
    let law = falling(12);
    cases.add("Pearson's tests", "pearson", json!({ "now": now, "then": then, "law": law, "least": 5.0 }));
    cases.add("raw divergences", "count_pair", json!({ "now": now, "then": then }));
    cases.add(
        "raw divergences with empty cells",
        "count_pair",
        json!({ "now": [0, 7, 100, 0, 3], "then": [5, 0, 90, 1, 0] }),
    );
    let devices: Vec<Vec<f64>> = (0..40)
        .map(|_| {
            let row = [0.0; 4].map(|_: f64| cases.rng.f64());
            let total: f64 = row.iter().sum();
            row.map(|part| part / total).to_vec()
        })
        .collect();
    cases.add(
        "moments over devices",
        "device_moments",
        json!({ "devices": devices, "shares": [0.3, 0.25, 0.25, 0.2] }),
    );
    cases.add("raw reference", "raw_reference", json!({ "device_windows": devices }));
    for k in [2, 5, 40] {
        cases.add(&format!("shifts of {k} cells"), "shifts", json!({ "shares": falling(k) }));
    }
}

fn tails(cases: &mut Cases) {
    let statistics = [1e-9, 0.3, 1.0, 3.84, 12.5, 40.0, 99.0, 400.0, 1500.0];
    let df: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 7.0, 30.0, 255.0, 1023.0];
    cases.add("tails of χ²", "chi_squared_survival", json!({ "statistics": statistics, "df": df }));
    cases.add(
        "logarithms of tails of χ²",
        "log_chi_squared_survival",
        json!({ "statistics": [0.5, 9.0, 80.0, 3e3, 1e5], "df": [1.0, 2.0, 2.5, 9.0, 64.5, 511.0] }),
    );
    let central = json!({ "statistics": [0.2, 5.0, 30.0, 120.0], "df": [1.0, 4.0, 31.0] });
    let shifts = with(&central, json!({ "noncentralities": [0.0, 0.4, 10.0, 90.0] }));
    cases.add("tails of noncentral χ²", "noncentral_chi_squared_survival", shifts);
    for (name, weights) in
        [("alike", vec![1.0; 6]), ("falling", falling(9)), ("one", vec![2.5]), ("mixed", vec![7.0, 0.4, 0.4, 1e-6])]
    {
        let inputs = json!({ "weights": weights, "statistics": [0.01, 0.5, 2.0, 9.0, 31.0, 100.0] });
        cases.add(&format!("quadratic form, weights {name}"), "quadratic_form_survival", inputs);
    }
    let rows: Vec<Vec<f64>> = (0..9).map(|_| (0..9).map(|_| cases.rng.f64() - 0.5).collect()).collect();
    cases.add("eigenvalues", "eigenvalues", json!({ "matrix": rows }));
    for coordinates in [1, 3, 9] {
        let rows: Vec<&[f64]> = rows.iter().map(|row| &row[..coordinates]).collect();
        let inputs = json!({ "rows": rows, "coordinates": coordinates, "statistics": [0.1, 0.7, 1.5, 3.0, 8.0] });
        cases.add(&format!("norms in {coordinates} dimensions"), "norm_laws", inputs);
    }
    cases.add("table of normal draws", "normal_draws", json!({}));
    let p_values = json!({
        "p_values": [[0.5], [0.01, 0.9, 0.4], [1e-12, 1.0, 0.3], [1e-300, 0.2], [0.999, 0.9999], [0.05, 0.05, 0.05]],
    });
    cases.add("Cauchy combination", "cauchy_combination", p_values);
    let halves =
        json!({ "halves": [[0.03, 0.2, 0.7], [0.5, 0.5, 0.5], [1e-9, 0.9, 0.95], [0.4, 1e-12, 0.1], [1.0, 1.0, 0.3]] });
    cases.add("both halves of a fleet", "combined_p_value", halves);
    cases.add(
        "products of p-values",
        "combined_log_p",
        json!({ "logs": [[-3.0, -0.1], [-0.5, -0.5, -0.5, -0.5], [-900.0, -2.0]] }),
    );
}

fn plans(cases: &mut Cases) {
    for (name, ordered, k, delta) in
        [("k-ary", true, 2, 0.05), ("optimized-unary", true, 8, 0.02), ("k-ary", false, 6, 0.0)]
    {
        let inputs = mechanism(name, &[], 2.0, k + 1);
        let more = json!({
            "shares": falling(k), "ordered": ordered, "devices": 20_000, "with_data": 0.9, "delta": delta,
            "reports": 6_000.0, "level": 0.01,
        });
        cases.add(&format!("plan for {k} cells, {name}"), "detector", with(&inputs, more));
    }
    for (epsilon, concentration) in [(1.0, 20.0), (4.0, 1e6)] {
        let inputs = mechanism("optimized-unary", &[], epsilon, 33);
        let more = json!({
            "events": [0, 1, 5, 40, 200], "shares": [0.1, 0.2, 0.3, 0.3, 0.1], "concentration": concentration,
        });
        cases.add(&format!("mix of questions at {epsilon}"), "question_mix", with(&inputs, more));
    }
    let more = json!({ "bit": mechanism("k-ary", &[], 1.0, 2), "shares": falling(16) });
    cases.add("threshold or histogram", "threshold_mix", with(&mechanism("optimized-unary", &[], 1.0, 16), more));
    let inputs = oracle(ORACLES[0]);
    let shares = falling(ORACLES[0].3);
    let then = cases.support(&inputs, &shares, 40_000);
    let windows: Vec<_> =
        (0..12).map(|t| cases.support(&inputs, &moved(&shares, if t < 7 { 0.0 } else { 0.1 }), 4_000)).collect();
    let more = json!({ "then": then, "windows": windows, "reports": 4_000 });
    cases.add("change point", "change_point", with(&inputs, more.clone()));
    cases.add("ranking of causes", "cause", with(&inputs, more));
    for spec in [ORACLES[0], ORACLES[2]] {
        let inputs = oracle(spec);
        let counters = cases.support(&inputs, &falling(spec.3), 30_000);
        let more = json!({ "reports": 30_000, "counters": counters });
        cases.add(&format!("pooled reference, {}", spec.0), "pooled_reference", with(&inputs, more));
    }
    let spans = [[1_700_000_000_u64, 1_700_604_800], [1_709_100_000, 1_709_300_001], [0, 3_599]];
    cases.add("seasons of windows", "calendar", json!({ "spans": spans, "utc_offset_secs": 19_800 }));
}

fn sequences(cases: &mut Cases) {
    let windows: Vec<_> = (0..14).map(|t| cases.counts(5, 40 + 30 * (t / 7))).collect();
    let law = [0.3, 0.25, 0.2, 0.15, 0.1];
    cases.add("Dirichlet mixture", "dirichlet", json!({ "probabilities": law, "windows": windows }));
    let more = json!({ "probabilities": law, "windows": windows, "memory": 4 });
    cases.add("detector of answers", "dirichlet_detector", more);
    let rows = [[0.0, 3.0, 1e3, 1e-3], [40.0, 7.0, 1e5, 1e-3], [900.0, 31.0, 2e6, 0.01], [12.0, 1.0, 10.0, 0.5]];
    cases.add("Gaussian mixture", "gaussian_mixture", json!({ "cases": rows }));
    for spec in ORACLES {
        let k = spec.3;
        let difference: Vec<f64> = (0..k).map(|cell| 0.01 * (cell as f64 - (k as f64 - 1.0) / 2.0)).collect();
        let more = json!({
            "shares": falling(k), "devices": 30_000, "difference": difference, "reports": [1.0, 500.0, 2e4, 3e6],
        });
        cases.add(&format!("Wald mixture, {}", spec.0), "wald_mixture", with(&oracle(spec), more));
    }
    let [stable, canary] = [60, 80].map(|most| (0..9).map(|_| cases.counts(4, most)).collect::<Vec<_>>());
    cases.add("two arms", "two_sample", json!({ "stable": stable, "canary": canary }));
    let looks = [-0.3, 0.2, 1.4, -2.0, -7.0, 0.9, 3.3, 700.0, 20.0];
    cases.add("detectors", "detectors", json!({ "log_e": looks, "average_run_length": 5e4 }));
    for spec in [ORACLES[0], ORACLES[2], ORACLES[4]] {
        let (inputs, k) = (oracle(spec), spec.3);
        let difference = moved(&vec![0.0; k], 0.04);
        let more =
            json!({ "shares": falling(k), "devices": 30_000, "difference": difference, "reports": 2e4, "alpha": 0.05 });
        cases.add(&format!("bounds of an effect, {}", spec.0), "effect_bounds", with(&inputs, more));
    }
    let windows = [[300, 700], [280, 640], [512, 900], [1, 3], [40_000, 80_000]];
    for epsilon in [0.5, 2.0] {
        cases.add(
            &format!("mean over time at {epsilon}"),
            "nprr",
            json!({ "epsilon": epsilon, "alpha": 0.05, "windows": windows }),
        );
    }
    let more = json!({
        "log_e": [9.0, -1.0, 4.4, 0.2, 6.1, 30.0, -800.0, 2.9], "weights": [1.0, 2.0, 0.5, 1.0, 1.5, 0.5, 1.0, 0.5],
        "level": 0.1,
    });
    cases.add("selection over streams", "selection", more);
    let budgets = [[1.0, 365.0, 40.0, 3.0], [12.0, 8_760.0, 1e4, 0.0], [0.1, 52.0, 1.0, 26.0]];
    cases.add("alarm budgets", "alarm_budget", json!({ "budgets": budgets }));
    for (spec, repetition, ordered) in [
        (ORACLES[0], "once", false),
        (ORACLES[2], "fresh", true),
        (ORACLES[1], "fresh", false),
        (ORACLES[6], "memoized", false),
    ] {
        let (inputs, k) = (oracle(spec), spec.3);
        let cells = falling(k - 1);
        let windows: Vec<_> = (0..16)
            .map(|t| {
                let moved = moved(&cells, if t < 9 { 0.0 } else { 0.15 });
                let symbols: Vec<f64> = moved.iter().map(|share| 0.9 * share).chain([0.1]).collect();
                cases.support(&inputs, &symbols, 5_000)
            })
            .collect();
        let more = json!({
            "shares": cells, "devices": 50_000, "reports": 5_000, "windows": windows, "repetition": repetition,
            "ordered": ordered, "log_threshold": 9.2,
        });
        cases.add(&format!("stream of {}, {repetition}", spec.0), "stream", with(&inputs, more));
    }
}

fn performance(cases: &mut Cases) {
    for (name, epsilon) in [("k-ary", 2.0), ("optimized-unary", 1.0)] {
        let of = |rows: usize, columns: usize| {
            let shape = json!({ "rows": rows, "columns": columns, "reports": 60_000 });
            with(&mechanism(name, &[], epsilon, rows * columns + 1), shape)
        };
        let single = |cells: usize| with(&mechanism(name, &[], epsilon, cells + 1), json!({ "reports": 60_000 }));
        let mut support = |inputs: &Value, cells: &[f64]| {
            let symbols: Vec<f64> = cells.iter().map(|share| 0.9 * share).chain([0.1]).collect();
            let support = cases.support(inputs, &symbols, 60_000);
            with(inputs, json!({ "support": support }))
        };
        let three = [0.30, 0.03, 0.02, 0.04, 0.25, 0.03, 0.02, 0.03, 0.28];
        let confusion = support(&of(3, 3), &three);
        let coverage = json!({
            "pairs": support(&of(2, 2), &[0.3, 0.1, 0.15, 0.45]),
            "predictions": support(&single(2), &[0.45, 0.55]),
        });
        let shift = json!({ "reference": confusion, "current": support(&single(3), &[0.25, 0.3, 0.45]) });
        let scores = [0.20, 0.02, 0.17, 0.05, 0.12, 0.09, 0.06, 0.12, 0.02, 0.15];
        let later = [0.17, 0.04, 0.16, 0.06, 0.10, 0.11, 0.07, 0.12, 0.03, 0.14];
        let [then, now] = [scores, later].map(|cells| support(&of(5, 2), &cells));
        let free = json!({ "reference": then, "current": support(&single(5), &[0.2, 0.2, 0.2, 0.2, 0.2]) });
        let calibration = with(
            &of(5, 2),
            json!({ "then": then["support"], "now": now["support"], "centers": [0.1, 0.3, 0.5, 0.7, 0.9] }),
        );
        let budget = with(&support(&single(4), &[0.02, 0.4, 0.3, 0.28]), json!({ "objective": 0.99 }));
        let [one, rest] = [[0.25, 0.25, 0.3, 0.2], [0.3, 0.25, 0.25, 0.2]].map(|cells| support(&single(4), &cells));
        let listed = [[0.81, 0.01, 0.2], [0.84, 0.012, 0.5], [0.71, 0.02, 0.1], [0.83, 0.015, 0.2]];
        let segments = with(&single(4), json!({ "segments": listed, "one": one["support"], "rest": rest["support"] }));
        let confusion = with(&confusion, json!({ "completeness": [0.9, 0.6, 0.75] }));
        for (figure, inputs) in [
            ("confusion", confusion),
            ("label_coverage", coverage),
            ("label_shift", shift),
            ("label_free", free),
            ("calibration", calibration),
            ("budget", budget),
            ("segments", segments),
        ] {
            cases.add(&format!("{figure} by {name}"), figure, inputs);
        }
    }
    let rows = [[0.9, 0.01, 0.88, 0.012, 0.01], [0.9, 0.003, 0.9, 0.002, 0.02], [0.9, 0.01, 0.7, 0.02, 0.05]];
    cases.add("stable against canary", "arms", json!({ "arms": rows }));
}

fn accounts(cases: &mut Cases) {
    for (name, parameters, epsilon, symbols) in [ORACLES[0], ORACLES[1], ORACLES[3], ("discrete-laplace", &[], 1.0, 9)]
    {
        let more = json!({ "reports": 52, "delta": 1e-6, "orders": [1.5, 2.0, 16.0, 300.0] });
        cases.add(
            &format!("composition of {name}"),
            "composition",
            with(&mechanism(name, parameters, epsilon, symbols), more),
        );
    }
    for (epsilon, reports) in [(0.5, 10_000), (2.0, 100_000), (4.0, 1_000_000)] {
        let inputs = json!({ "epsilon": epsilon, "reports": reports, "delta": 1e-8 });
        cases.add(&format!("shuffled at {epsilon}"), "shuffle", inputs);
    }
    for (symbols, subset_size) in [(8, 1), (32, 6)] {
        let inputs =
            json!({ "epsilon": 1.0, "symbols": symbols, "subset_size": subset_size, "reports": 5_000, "delta": 1e-6 });
        cases.add(&format!("blanket of {subset_size} of {symbols}"), "blanket", inputs);
    }
    cases.add("memoized rounds", "memoized", json!({ "epsilon_infinity": 3.0, "epsilon_1": 1.0, "cells": 5 }));
}
