//! The accounting of the crate against reference tables.
//!
//! | File or table | From | Tolerance |
//! | --- | --- | --- |
//! | `composition_reference.csv` | the formulas of `accounting::composition`, evaluated elsewhere and printed to 4 decimals | 1e-4 relative for `kov_exact` and `rdp_exact` (half a unit of the last decimal is 7.2e-5 of the smallest, 0.6999); 1e-3 for the two columns of zCDP |
//! | `shuffle_amplification_reference.csv` | the sums of `accounting::shuffle` without stride or truncation | 1e-3 relative |
//! | blanket | k-ary randomized response at δ = 1e-6, on a conservative grid, printed to 5 decimals | below by at most 2e-5 (the grid) + 5e-6 (the print), above by at most 5e-6 |
//! | memoized | n·Var of the best hash | half a unit of the last digit printed |

use driftglass::accounting::blanket::{self, BlanketLaw};
use driftglass::accounting::memoized::Calibration;
use driftglass::accounting::shuffle::{self, Clones};
use driftglass::accounting::{Delta, Epsilon, PairLaw, Summary, composition};

/// A table of numbers; an empty field is no number.
struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<Option<f64>>>,
}

impl Table {
    fn parse(text: &'static str) -> Self {
        let mut lines = text.lines();
        let header = lines.next().expect("a header").split(',').collect();
        let number = |field: &str| (!field.is_empty()).then(|| field.parse().expect("a number"));
        Self { header, rows: lines.map(|line| line.split(',').map(number).collect()).collect() }
    }

    fn composition() -> Self {
        Self::parse(include_str!("../vectors/privacy/composition_reference.csv"))
    }

    fn shuffle() -> Self {
        Self::parse(include_str!("../vectors/privacy/shuffle_amplification_reference.csv"))
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|title| *title == name).expect("a column")
    }

    /// Calls `value` with ε, the count and δ of each row, and compares with a column.
    fn check(
        &self,
        name: &str,
        tolerance: f64,
        [epsilon, count]: [&str; 2],
        value: impl Fn(Epsilon, u32, Delta) -> Option<f64>,
    ) {
        let [epsilon, count, delta, expected] = [epsilon, count, "delta", name].map(|name| self.column(name));
        assert_eq!(self.rows.len(), if name.contains("fmt") || name.contains("lower") { 48 } else { 50 });
        for row in &self.rows {
            let number = |place: usize| row[place].expect("a parameter");
            let found = value(
                Epsilon::new(number(epsilon)).expect("an epsilon"),
                number(count) as u32,
                Delta::new(number(delta)).expect("a delta"),
            );
            let agrees = match (found, row[expected]) {
                (Some(found), Some(expected)) => (found - expected).abs() <= tolerance * expected,
                (found, expected) => found == expected,
            };
            assert!(agrees, "{name} of {row:?}: {found:?}");
        }
    }
}

const WINDOWS: [&str; 2] = ["eps_window", "T"];
const CROWD: [&str; 2] = ["eps0", "n"];

#[test]
fn basic_and_optimal_composition_agree_with_the_table() {
    let table = Table::composition();
    table.check("basic", 1e-15, WINDOWS, |epsilon, count, _| Some(composition::basic(epsilon, count)));
    table.check("kov_exact", 1e-4, WINDOWS, |epsilon, count, delta| Some(composition::optimal(epsilon, count, delta)));
}

#[test]
fn renyi_composition_agrees_with_the_table() {
    Table::composition().check("rdp_exact", 1e-4, WINDOWS, |epsilon, count, delta| {
        Some(composition::renyi(&PairLaw::randomized_response(epsilon), count, delta))
    });
}

#[test]
fn zcdp_composition_agrees_with_the_table() {
    let table = Table::composition();
    table.check("zcdp_rho_tanh", 1e-3, WINDOWS, |epsilon, count, delta| {
        // The numeric supremum must itself find ε tanh(ε/2).
        let rho = PairLaw::randomized_response(epsilon).zcdp();
        Some(composition::zcdp(rho, epsilon, count, delta))
    });
    table.check("zcdp_rho_half_eps2", 1e-3, WINDOWS, |epsilon, count, delta| {
        Some(composition::zcdp(0.5 * epsilon.nats() * epsilon.nats(), epsilon, count, delta))
    });
}

/// Classes of subset selection by whether a set holds the one input and the other.
fn subset_selection(nats: f64, k: u32, w: u32) -> PairLaw {
    let law = BlanketLaw::subset_selection(Epsilon::new(nats).expect("an epsilon"), k, w);
    law.expect("a law").pair().clone()
}

/// ρ = ε tanh(ε/2) for the worst law; the figures for the others were computed elsewhere as suprema over α, to the digits given.
#[test]
fn rho_of_known_randomizers() {
    let check = |law: &PairLaw, expected: f64, tolerance: f64| {
        let rho = law.zcdp();
        assert!((rho - expected).abs() <= tolerance, "{rho}, wanted {expected}");
    };
    for nats in [0.1_f64, 0.5, 1.0, 2.0, 4.0, 8.0] {
        let expected = nats * (nats / 2.0).tanh();
        check(&PairLaw::randomized_response(Epsilon::new(nats).expect("an epsilon")), expected, 2e-6 * expected);
    }
    // k-ary, k = 16.
    check(&subset_selection(1.0, 16, 1), 0.113, 5e-4);
    // The best subset of 128 symbols.
    check(&subset_selection(0.5, 128, 48), 0.06163, 5e-6);
    check(&subset_selection(1.0, 128, 34), 0.23195, 5e-6);
    check(&subset_selection(2.0, 128, 15), 0.76188, 5e-6);
    // Optimized unary encoding on two inputs: the two bits that differ, kept with 1/2 and set with 1/(E+1).
    let unary = |nats: f64| {
        let (p, q) = (0.5, 1.0 / (nats.exp() + 1.0));
        let ((p0, q0), (p1, q1)) = ((1.0 - p, 1.0 - q), (p, q));
        PairLaw::new(vec![(p1 * q1, q1 * p1), (p1 * q0, q1 * p0), (p0 * q1, q0 * p1), (p0 * q0, q0 * p0)])
            .expect("a law")
    };
    check(&unary(4.0), 1.950, 5e-4);
    check(&unary(2.0), 0.5 * 2.0 * 1.0_f64.tanh(), 1e-5);
}

#[test]
fn a_summary_says_what_windows_compose_to() {
    let delta = Delta::new(1e-8).expect("a delta");
    let worst = PairLaw::randomized_response(Epsilon::new(0.5).expect("an epsilon"));
    let found = Summary::of(&worst, 52, delta);
    for (found, expected) in [(found.basic, 26.0), (found.optimal, 22.9658), (found.renyi, 23.6619), (found.zcdp, 26.0)]
    {
        assert!((found - expected).abs() < 1e-3, "{found}, wanted {expected}");
    }
    // The law of the mechanism itself beats the best that follows from ε.
    let exact = Summary::of(&subset_selection(0.5, 128, 48), 365, delta);
    assert!(exact.renyi < 62.0 && exact.optimal > 94.0, "{exact:?}");
}

#[test]
fn closed_forms_agree_with_the_table() {
    let table = Table::shuffle();
    table.check("fmt21_closed", 1e-12, CROWD, shuffle::fmt21_closed);
    table.check("fmt23_closed", 1e-12, CROWD, shuffle::fmt23_closed);
}

#[test]
fn clones_of_2021_agree_with_the_table() {
    Table::shuffle().check("fmt21_numeric", 1e-3, CROWD, |epsilon0, reports, delta| {
        Some(shuffle::upper(Clones::Fmt21, epsilon0, reports, delta))
    });
}

#[test]
fn clones_of_2023_agree_with_the_table() {
    Table::shuffle().check("fmt23_numeric", 1e-3, CROWD, |epsilon0, reports, delta| {
        Some(shuffle::upper(Clones::Fmt23, epsilon0, reports, delta))
    });
}

#[test]
fn lower_bounds_agree_with_the_table() {
    Table::shuffle()
        .check("lower_grr3", 1e-3, CROWD, |epsilon0, reports, delta| Some(shuffle::lower(epsilon0, reports, delta)));
}

/// (ε₀, n, k, ε): k-ary randomized response at δ = 1e-6.
const BLANKETS: [(f64, u32, u32, f64); 15] = [
    (1.0, 10_000, 3, 0.03802),
    (1.0, 10_000, 16, 0.01860),
    (1.0, 10_000, 128, 0.00629),
    (1.0, 100_000, 3, 0.01092),
    (1.0, 100_000, 16, 0.00529),
    (1.0, 100_000, 128, 0.00175),
    (1.0, 1_000_000, 3, 0.00308),
    (1.0, 1_000_000, 16, 0.00147),
    (1.0, 1_000_000, 128, 0.00047),
    (2.0, 10_000, 3, 0.10770),
    (2.0, 10_000, 16, 0.06752),
    (2.0, 10_000, 128, 0.02577),
    (2.0, 100_000, 3, 0.03123),
    (2.0, 100_000, 16, 0.01952),
    (2.0, 100_000, 128, 0.00736),
];

#[test]
fn blankets_agree_with_the_table_and_stay_between_the_bounds() {
    let delta = Delta::new(1e-6).expect("a delta");
    for (nats, reports, k, expected) in BLANKETS {
        let epsilon0 = Epsilon::new(nats).expect("an epsilon");
        let law = BlanketLaw::subset_selection(epsilon0, k, 1).expect("a law");
        let found = blanket::upper(&law, reports, delta);
        eprintln!("{nats} {reports} {k} {expected} {found}");
        assert!(
            found >= expected - 2.5e-5 && found <= expected + 5e-6,
            "{nats} {reports} {k}: {found}, wanted {expected}"
        );
        if k == 3 {
            let exact = shuffle::lower(epsilon0, reports, delta);
            assert!(exact <= found && found <= exact * 1.002, "{nats} {reports}: {found} and {exact}");
        }
        assert!(found < shuffle::upper(Clones::Fmt23, epsilon0, reports, delta), "{nats} {reports} {k}: {found}");
    }
}

/// (ε_∞, ε₁, best g, n·Var, half a unit of its last digit).
#[test]
fn memoized_calibration_agrees_with_the_table() {
    for (infinity, one, cells, variance, tolerance) in [
        (1.0, 0.5, 3, 15.82, 5e-3),
        (2.0, 1.0, 4, 3.692, 5e-4),
        (4.0, 2.0, 8, 0.7246, 5e-5),
        (5.0, 2.5, 13, 0.3897, 5e-5),
    ] {
        let [infinity, one] = [infinity, one].map(|nats| Epsilon::new(nats).expect("an epsilon"));
        let best = Calibration::best(infinity, one, 2..=64).expect("a calibration");
        assert_eq!(best.cells, cells);
        assert!((best.variance() - variance).abs() <= tolerance, "{best:?}: {}", best.variance());
    }
}
