//! The channel of the crate against the theory of frequency oracles.
//!
//! `tests/vectors/privacy/theory_freq_oracles.csv` was computed from the papers' formulas with the real number e^ε.
//! Here the weights are integers: W_f = 2^32 and W_t the largest with W_t/W_f ≤ e^ε, so that the ratio is below e^ε by
//! at most 2^-32 relative; n·Var moves by less than 2^-32 · 2e^ε/(e^ε − 1) < 1.2e-9 relative for ε ≥ 0.5. The csv has
//! five decimals for noise and three for influence, so the tolerance is half of the last one for its rounding and 1e-8
//! relative for the weights.
//!
//! | Column | Meaning |
//! | --- | --- |
//! | `…_noise` | n·Var of one share f = 1/k: (f p(1−p) + (1−f) q(1−q)) / (p−q)² |
//! | `…_nVar` | the same plus f(1−f), as devices are a sample |
//! | `…_influence` | n times what one fake report can move a share by: (1−q)/(p−q) |
//! | `SS_w`; `PGR_q`, `PGR_t` | the subset size with the least n·Var; the field and the dimension |

use driftglass::estimate::Channel;
use driftglass::spec::{Geometry, Mechanism, MonitorSpec, Weights, rank_bits};

use crate::randomizers::{at_epsilon, subsets, weights};

struct Row {
    header: &'static str,
    fields: Vec<f64>,
}

impl Row {
    fn at(&self, name: &str) -> f64 {
        let place = self.header.split(',').position(|title| title == name);
        self.fields[place.unwrap_or_else(|| panic!("no column {name}"))]
    }

    fn k(&self) -> usize {
        self.at("k") as usize
    }

    fn epsilon(&self) -> f64 {
        self.at("eps")
    }

    fn w(&self) -> usize {
        self.at("SS_w") as usize
    }

    /// Subset selection, where a payload holds the rank of the best size.
    fn subset_selection(&self) -> Option<Mechanism> {
        rank_bits(self.k(), self.w()).map(|_| Mechanism::SubsetSelection { subset_size: self.w() })
    }

    /// Projective geometry, where the csv's field has an order that is implemented and hyperplanes for all symbols.
    fn projective_geometry(&self) -> Option<Mechanism> {
        let (field_size, dimension) = (self.at("PGR_q") as u32, self.at("PGR_t") as u32);
        let geometry = Geometry::of(field_size, dimension)?;
        (self.k() <= geometry.symbols as usize).then_some(Mechanism::ProjectiveGeometry { field_size, dimension })
    }

    fn local_hashing(&self) -> Mechanism {
        Mechanism::LocalHashing { hash_range: libm::exp(self.epsilon()).round() as u32 + 1 }
    }

    fn channel(&self, mechanism: Mechanism) -> Channel {
        Channel::of(&at_epsilon(mechanism, self.epsilon()), self.k()).expect("a frequency oracle")
    }

    /// Noise and influence of a mechanism against its columns; `relative` is what the mechanism differs by from the
    /// formula.
    fn check(&self, prefix: &str, mechanism: Mechanism, relative: f64) {
        let channel = self.channel(mechanism);
        let close = |column: &str, found: f64, rounding: f64| {
            let expected = self.at(column);
            let tolerance = rounding + (1e-8 + relative) * expected;
            let (k, epsilon) = (self.k(), self.epsilon());
            assert!((found - expected).abs() <= tolerance, "k {k} ε {epsilon}: {column} {found}, not {expected}");
        };
        close(&format!("{prefix}_noise"), channel.noise(1.0 / self.k() as f64), 5e-6);
        // The csv has no such column for some.
        let influence = format!("{prefix}_influence");
        assert!(self.header.contains(&influence));
        close(&influence, channel.influence(), 5e-4);
    }
}

/// All rows of the sizes and budgets that are promised.
fn rows() -> Vec<Row> {
    let mut lines = include_str!("../vectors/privacy/theory_freq_oracles.csv").lines();
    let header = lines.next().expect("a header");
    let columns = header.split(',').count() - 1;
    let row = |line: &str| {
        // The last column is text.
        let fields = line.split(',').take(columns).map(|field| field.parse().expect("a number")).collect();
        Row { header, fields }
    };
    let promised = [2, 16, 64, 128, 256, 512, 1_024, 4_096];
    lines.map(row).filter(|row| promised.contains(&row.k())).collect()
}

#[test]
fn every_promised_size_and_budget_has_a_row() {
    assert_eq!(rows().len(), 8 * 6);
    let subsets = rows().iter().filter(|row| row.subset_selection().is_some()).count();
    let geometries = rows().iter().filter(|row| row.projective_geometry().is_some()).count();
    // Five of 1,024 and 4,096 symbols at ε ≥ 4 fit, and all below 512 but few; fields of order 9 and 27 are not
    // implemented.
    assert!(subsets >= 34 && geometries >= 40, "{subsets} {geometries}");
}

#[test]
fn k_ary_response() {
    rows().iter().for_each(|row| row.check("GRR", Mechanism::KAry, 0.0));
}

#[test]
fn subset_selection() {
    for row in rows() {
        if let Some(mechanism) = row.subset_selection() {
            row.check("SS", mechanism, 0.0);
        }
    }
}

#[test]
fn optimized_unary() {
    rows().iter().for_each(|row| row.check("OUE", Mechanism::OptimizedUnary, 0.0));
}

#[test]
fn hadamard() {
    rows().iter().for_each(|row| row.check("HR", Mechanism::Hadamard, 0.0));
}

#[test]
fn projective_geometry() {
    for row in rows() {
        if let Some(mechanism) = row.projective_geometry() {
            row.check("PGR", mechanism, 0.0);
        }
    }
}

/// Buckets have sizes 1/g + δ with |δ| < 2^-16 that sum to 1, so q = o + (p−o) Σ (1/g + δ)² with o = (1−p)/(g−1), which
/// is 1/g + (p−o) Σ δ²: above 1/g by at most dq = g 2^-32. The noise then moves by less than dq (1/q + 2/(p−q))
/// relative, the influence by less than dq (1/(1−q) + 1/(p−q)).
#[test]
fn local_hashing() {
    for row in rows() {
        let mechanism = row.local_hashing();
        let Mechanism::LocalHashing { hash_range } = mechanism else { unreachable!("it is local hashing") };
        let (g, e) = (f64::from(hash_range), libm::exp(row.epsilon()));
        let (p, q) = (e / (e + g - 1.0), 1.0 / g);
        let channel = row.channel(mechanism);
        let moved = channel.false_probability() - q;
        let bound = g / f64::from(2.0_f32.powi(32));
        assert!((-1e-16..=bound).contains(&moved), "ε {}: {moved}", row.epsilon());
        row.check("OLH", mechanism, bound * (1.0 / q + 2.0 / (p - q)));
    }
}

#[test]
fn covariance_adds_the_sample() {
    for row in rows().into_iter().filter(|row| row.k() <= 128) {
        let k = row.k();
        let shares = vec![1.0 / k as f64; k];
        let candidates = [
            ("SS_nVar", row.subset_selection()),
            ("GRR_nVar", Some(Mechanism::KAry)),
            ("OUE_nVar", Some(Mechanism::OptimizedUnary)),
            ("HR_nVar", Some(Mechanism::Hadamard)),
            ("PGR_nVar", row.projective_geometry()),
        ];
        for (column, mechanism) in candidates {
            let Some(mechanism) = mechanism else { continue };
            let covariance = row.channel(mechanism).covariance(&shares, 1.0);
            let (found, expected) = (covariance.at(0, 0), row.at(column));
            let tolerance = 5e-6 + 1e-8 * expected;
            assert!((found - expected).abs() <= tolerance, "k {k} ε {}: {column} {found}", row.epsilon());
            if matches!(mechanism, Mechanism::SubsetSelection { .. } | Mechanism::KAry) {
                // Estimates sum to 1 whatever is reported, because each report supports exactly w symbols: rows of the
                // covariance sum to 0. The sum of k terms of size at most n·Var rounds off by less than k² ulp.
                let sum: f64 = (0..k).map(|column| covariance.at(0, column)).sum();
                assert!(sum.abs() < expected * 128.0 * 128.0 * f64::EPSILON, "k {k} ε {}: {sum}", row.epsilon());
            }
        }
    }
}

#[test]
fn the_subset_size_is_the_best() {
    for row in rows().into_iter().filter(|row| row.k() <= 128) {
        let noise = |w: usize| {
            let channel = Channel::of(&subsets(w, row.epsilon()), row.k()).expect("a frequency oracle");
            channel.noise(1.0 / row.k() as f64)
        };
        let at_w = noise(row.w());
        for w in (1..row.k()).filter(|w| *w != row.w()) {
            // Sizes w and k − w are as good as each other only as ε → 0; a tie would be a fault of the table.
            assert!(noise(w) > at_w, "k {} ε {}: w = {w} beats {}", row.k(), row.epsilon(), row.w());
        }
    }
}

/// What cannot be counted into shares has no channel.
#[test]
fn only_frequency_oracles_have_a_channel() {
    let none = [
        Mechanism::SquareWave { half_width: 2 },
        Mechanism::DuchiBit,
        Mechanism::Piecewise { half_width: 2 },
        Mechanism::Hybrid { half_width: 2, window_share: 9 },
        Mechanism::DiscreteLaplace,
    ];
    assert!(none.into_iter().all(|mechanism| Channel::of(&at_epsilon(mechanism, 1.0), 8).is_none()));
}

/// ln(W_t/W_f) ≤ ε, and W_t + 1 would break it: the bound is as tight as integers allow. The parser decides the same.
#[test]
fn weights_keep_within_epsilon() {
    let spec = |weight_true: u64, micronats: u64| {
        let faults: serde_json::Value =
            serde_json::from_str(include_str!("../vectors/spec-faults.json")).expect("the file of faults");
        let mut document = faults["base"].clone();
        let question = &mut document["measurement"]["questions"][0];
        question["epsilon_micronats"] = micronats.into();
        question["randomizer"]["weight_true"] = weight_true.into();
        MonitorSpec::parse(&document.to_string())
    };
    for epsilon in [0.5, 1.0, 2.0, 3.0, 4.0, 6.0] {
        let (within, micronats) = (weights(epsilon), (epsilon * 1e6) as u64);
        let loss = |of_true: u64| Weights { of_true, ..within }.loss();
        let weight = within.of_true;
        assert!(loss(weight) <= epsilon && loss(weight + 1) > epsilon, "ε {epsilon}");
        assert!(spec(weight, micronats).is_ok(), "ε {epsilon}");
        let error = spec(weight + 1, micronats).expect_err("too much");
        assert_eq!(error.pointer, "/measurement/questions/0/randomizer/weight_true");
        assert!(spec(weight, micronats - 1).is_err(), "ε {epsilon}");
    }
}
