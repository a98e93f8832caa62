//! Specs of one mechanism each, and the matrix of them that `cargo xtask audit` goes through.

use driftglass::spec::{LaplaceWeights, Weights};
use serde_json::{Value, json};

use crate::tape::Chance;

/// Names of the mechanisms a configuration can have: those of a spec, and `open-vocabulary`.
pub const MECHANISMS: [&str; 13] = [
    "k-ary",
    "subset-selection",
    "optimized-unary",
    "local-hashing",
    "hadamard",
    "projective-geometry",
    "square-wave",
    "memoized-hashing",
    "duchi",
    "piecewise",
    "hybrid",
    "discrete-laplace",
    "open-vocabulary",
];

/// A mechanism over k symbols with one ε, its other parameters near the best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// One of [`MECHANISMS`], or `projective-geometry-2` for a field of characteristic 2.
    pub mechanism: &'static str,
    /// Symbols.
    pub symbols: u32,
    /// In millionths.
    pub epsilon_micronats: u64,
}

impl Configuration {
    /// A short name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} k={} ε={}", self.mechanism, self.symbols, self.epsilon_micronats as f64 / 1e6)
    }

    /// The spec with this one question.
    #[must_use]
    pub fn spec(&self) -> String {
        let epsilon = self.epsilon_micronats as f64 / 1e6;
        let odds = libm::exp(epsilon);
        let k = self.symbols;
        let mut epsilon_micronats = self.epsilon_micronats;
        let mut weights = Weights::within(epsilon_micronats);
        let mut randomizer = json!({ "mechanism": self.mechanism });
        let set = |randomizer: &mut Value, name: &str, value: u64| randomizer[name] = json!(value);
        match self.mechanism {
            "subset-selection" => {
                let w = (f64::from(k) / (odds + 1.0) + 0.5) as u64;
                set(&mut randomizer, "subset_size", w.clamp(1, u64::from(k) - 1));
            }
            "local-hashing" | "open-vocabulary" => {
                randomizer["mechanism"] = json!("local-hashing");
                set(&mut randomizer, "hash_range", (odds + 1.5) as u64);
            }
            "projective-geometry" | "projective-geometry-2" => {
                randomizer["mechanism"] = json!("projective-geometry");
                let (q, t) = self.geometry(odds);
                set(&mut randomizer, "field_size", q.into());
                set(&mut randomizer, "dimension", t.into());
            }
            "square-wave" => {
                // Li et al., section 5.3.
                let share = (epsilon * odds - odds + 1.0) / (2.0 * odds * (odds - 1.0 - epsilon));
                set(&mut randomizer, "half_width", (share * f64::from(k)) as u64);
            }
            "piecewise" | "hybrid" => {
                set(&mut randomizer, "half_width", (f64::from(k) / (2.0 * libm::sqrt(odds))) as u64);
                if self.mechanism == "hybrid" {
                    set(&mut randomizer, "window_share", (65_536.0 * (1.0 - libm::exp(-epsilon / 2.0))) as u64);
                }
            }
            "memoized-hashing" => {
                let g = 4;
                weights = Weights::within(epsilon_micronats);
                let fresh = Weights::within(epsilon_micronats / 2);
                set(&mut randomizer, "hash_range", g);
                set(&mut randomizer, "cohorts", 16);
                set(&mut randomizer, "epoch_windows", 26);
                set(&mut randomizer, "fresh_weight_true", fresh.of_true);
                set(&mut randomizer, "fresh_weight_false", fresh.of_false);
                epsilon_micronats = (g * epsilon_micronats).min(8_000_000);
                weights = if g * self.epsilon_micronats > 8_000_000 {
                    Weights::within(epsilon_micronats / g)
                } else {
                    weights
                };
            }
            _ => {}
        }
        set(&mut randomizer, "weight_true", weights.of_true);
        set(&mut randomizer, "weight_false", weights.of_false);
        self.document(&randomizer, epsilon_micronats)
    }

    /// A field near e^ε + 1 and the least dimension that holds the symbols.
    fn geometry(&self, odds: f64) -> (u32, u32) {
        let powers = self.mechanism == "projective-geometry-2";
        let fits = |q: &u32| {
            if powers { q.is_power_of_two() } else { (2..*q).all(|divisor| !q.is_multiple_of(divisor)) }
        };
        let distance = |q: &u32| (f64::from(*q) - odds - 1.0).abs();
        // Some prime and some power of two are near; 2 always fits.
        let q = (2..=128).filter(fits).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(2);
        let t = (2..).find(|t| u64::from(q).pow(t - 1) >= u64::from(self.symbols)).unwrap_or(2);
        (q, t)
    }

    fn document(&self, randomizer: &Value, epsilon_micronats: u64) -> String {
        let k = self.symbols as usize;
        let edges = |cells: usize| -> Vec<usize> { (1..cells).collect() };
        let numeric = |cells: usize| json!({ "kind": "numeric", "edges": edges(cells) });
        let (cells, kind) = match self.mechanism {
            "open-vocabulary" => (json!({ "kind": "text", "max_words": 16 }), "open-vocabulary"),
            "duchi" | "piecewise" | "hybrid" => (numeric(k), "mean"),
            "discrete-laplace" => (numeric(2), "event-count"),
            // Two symbols: "no data" would be a third.
            _ if k == 2 => (numeric(4), "anchored-bit"),
            _ => (numeric(k - 1), "sampled-event"),
        };
        let mut question = json!({
            "name": "audited", "metric": "audited", "kind": kind, "weight": 1,
            "epsilon_micronats": epsilon_micronats, "randomizer": randomizer,
        });
        if kind == "anchored-bit" {
            question["baseline"] = json!([1, 1, 1, 1]);
        }
        if kind == "event-count" {
            question["threshold"] = json!(1);
            question["max_count"] = json!(k - 1);
            question["event_level"] = json!(true);
        }
        let source =
            if kind == "open-vocabulary" { json!({ "kind": "outcome" }) } else { json!({ "kind": "latency" }) };
        json!({
            "spec_version": 1, "app": "audit", "description": self.name(), "models": [],
            "measurement": {
                "window": { "length_secs": 604_800, "grace_secs": 86_400, "join": "next_window" },
                "privacy": {
                    "unit": "device-window", "answers_per_window": 1,
                    "caps": [{ "period_secs": 7_862_400, "epsilon_micronats": 13 * epsilon_micronats }],
                },
                "outcome": { "horizon_secs": 172_800, "max_pending": 16 },
                "segments": ["all"],
                "metrics": [{ "name": "audited", "source": source, "cells": cells }],
                "questions": [question],
            },
            "upload": { "endpoint": "https://example.org/v1/reports", "max_body_bytes": 49_152 },
            "detection": { "false_alarms_per_year": 1, "span_windows": 4, "deltas": { "audited": 0.05 } },
        })
        .to_string()
    }

    /// A configuration at random, one that a spec can have.
    #[must_use]
    pub fn random(chance: &mut Chance) -> Self {
        let mechanism = MECHANISMS[chance.below(MECHANISMS.len() as u64) as usize];
        let symbols = 3 + chance.below(if mechanism == "optimized-unary" { 8 } else { 22 }) as u32;
        let most = if mechanism == "discrete-laplace" { 1_500_000 } else { 4_000_000 };
        let epsilon_micronats = 250_000 + chance.below(most);
        let random = Self { mechanism, symbols, epsilon_micronats };
        let table = LaplaceWeights::of(symbols as usize, Weights::within(epsilon_micronats));
        if mechanism == "discrete-laplace" && table.is_none() { Self { symbols: 8, ..random } } else { random }
    }
}

/// Every mechanism, and several sizes and ε of those whose bounds are tested.
#[must_use]
pub fn matrix() -> Vec<Configuration> {
    let mut matrix = Vec::new();
    let mut add = |mechanism, symbols: &[u32], epsilons: &[u64]| {
        for symbols in symbols {
            for epsilon_micronats in epsilons {
                matrix.push(Configuration { mechanism, symbols: *symbols, epsilon_micronats: *epsilon_micronats });
            }
        }
    };
    const FOUR: [u64; 4] = [500_000, 1_000_000, 2_000_000, 4_000_000];
    add("k-ary", &[2, 16, 64], &FOUR);
    add("subset-selection", &[16, 64], &FOUR);
    add("optimized-unary", &[8, 64], &[1_000_000]);
    add("local-hashing", &[64, 1_024], &[1_000_000, 3_000_000]);
    add("hadamard", &[64, 1_000], &[1_000_000]);
    add("projective-geometry", &[64, 256], &[1_000_000, 2_000_000]);
    add("projective-geometry-2", &[64, 256], &[1_000_000, 2_000_000]);
    add("square-wave", &[64], &[1_000_000]);
    add("memoized-hashing", &[64], &[1_000_000]);
    add("duchi", &[64], &[1_000_000]);
    add("piecewise", &[64], &[1_000_000]);
    add("hybrid", &[32], &[2_000_000]);
    add("discrete-laplace", &[16], &[1_000_000]);
    add("open-vocabulary", &[0], &[1_000_000, 3_000_000]);
    matrix
}
