//! The anchored bit from the counts on the device to the test at the centre: exact facts, and small simulations with
//! fixed seeds.
//!
//! A level α is the probability that a sound implementation fails under a fresh seed; with the seed fixed a test always
//! passes or always fails. The full tables of false alarms and power are `cargo bench --bench anchored`.

use driftglass::drift::{
    Fleet, HETEROGENEOUS, anchored_test, chi_squared_survival, combined_p_value, question_mix, slope,
};
use driftglass::sketch::{Anchor, EXACT_EVENTS, anchored_bit, hadamard_order, half_space, row_of};

use crate::entropy::Generator;
use crate::randomizers::weights;

/// Natural logarithm of C(m, z) s^z (1 − s)^(m − z).
fn log_pmf(m: u64, z: u64, s: f64) -> f64 {
    let (m, z) = (m as f64, z as f64);
    libm::lgamma(m + 1.0) - libm::lgamma(z + 1.0) - libm::lgamma(m - z + 1.0)
        + z * libm::log(s)
        + (m - z) * libm::log(1.0 - s)
}

/// P\[bit = 1\] for Z ~ Bin(m, s): over all Z, the share of draws that give 1, found by bisection on the bit itself.
fn chance_of_one(anchor: &Anchor, m: u64, s: f64) -> f64 {
    let share_of_draws = |z: u64| {
        let (mut zeros, mut ones) = (0_u64, u64::MAX);
        if anchor.bit_of(m, z, zeros) == 1 {
            return 1.0;
        }
        if anchor.bit_of(m, z, ones) == 0 {
            return 0.0;
        }
        while ones - zeros > 1 {
            let middle = zeros + (ones - zeros) / 2;
            if anchor.bit_of(m, z, middle) == 1 { ones = middle } else { zeros = middle }
        }
        1.0 - ones as f64 / libm::exp2(64.0)
    };
    (0..=m).map(|z| libm::exp(log_pmf(m, z, s)) * share_of_draws(z)).sum()
}

#[test]
fn half_spaces_are_balanced_and_orthogonal() {
    for cells in [1_usize, 2, 3, 16, 31, 32, 33, 128] {
        let order = hadamard_order(cells);
        assert!(order.is_power_of_two() && order >= cells.max(2) && (order == 2 || order / 2 < cells), "{cells}");
        for row in 1..order {
            assert_eq!((0..order).filter(|cell| half_space(row, *cell)).count(), order / 2);
            let differ = |other: usize| (0..order).filter(|v| half_space(row, *v) != half_space(other, *v)).count();
            assert!((1..row).all(|other| differ(other) == order / 2), "rows are orthogonal");
        }
    }
}

/// χ² over the 31 rows, 31,000 ids, α = 1e-3, seed 1; and no row outside 1–K−1 at the ends of the range.
#[test]
fn rows_follow_the_report_id_evenly() {
    let mut generator = Generator::new(1);
    let mut seen = [0_u64; 32];
    for _ in 0..31_000 {
        let id = (u128::from(generator.next()) << 64 | u128::from(generator.next())).to_be_bytes();
        seen[row_of(&id, 32)] += 1;
    }
    assert_eq!(seen[0], 0);
    let statistic: f64 = seen[1..].iter().map(|count| (*count as f64 - 1_000.0).powi(2) / 1_000.0).sum();
    assert!(chi_squared_survival(statistic, 30) > 1e-3, "{statistic}");
    // 2^64 − 1 mod 31 = 15.
    assert_eq!((row_of(&[0; 16], 32), row_of(&[255; 16], 32), row_of(&[255; 16], 1)), (1, 16, 1));
}

/// Brute force up to 12 events and six cells: the threshold splits the law of Z + U in halves, with all words of the
/// law as exact integers.
#[test]
fn the_median_is_right_against_brute_force() {
    let baseline = [3_u32, 1, 4, 1, 5, 2];
    let total: u128 = 16;
    for row in 1..8 {
        let inside: u128 = (0..6).filter(|cell| half_space(row, *cell)).map(|cell| u128::from(baseline[cell])).sum();
        let anchor = Anchor::new(row, &baseline);
        for m in 0..=12_u32 {
            // Numbers of sequences of m events, of weight 16^m in all, by how many lie inside.
            let choose =
                |z: u32| (0..z).fold(1_u128, |count, step| count * u128::from(m - step) / u128::from(step + 1));
            let weight = |z: u32| choose(z) * inside.pow(z) * (total - inside).pow(m - z);
            let all = total.pow(m);
            // 2 · 2^32 · weight of {Z + U ≥ C}, with C at 32 binary digits, is 2^32 · all within the weight of the
            // rounding.
            let threshold = anchor.threshold(u64::from(m)) >> 32;
            let above = |z: u32| {
                let low = (u128::from(z)) << 32;
                weight(z) * (low + (1 << 32)).saturating_sub(threshold.max(low))
            };
            let found: u128 = 2 * (0..=m).map(above).sum::<u128>();
            assert!(found.abs_diff(all << 32) <= 4 * all, "row {row}, {m} events: {found} of {}", all << 32);
        }
    }
}

/// The figures of the module docs: 2^-48 and rounding of the sum here (1e-11) up to 127 events, then the limit.
#[test]
fn the_bit_is_fair_under_the_reference_for_every_number_of_events() {
    let weights = |inside: u32, total: u32| [total - inside, inside];
    for (inside, beyond) in [(2, 1.5e-3), (7, 1.5e-3), (16, 1e-4), (21, 1e-4), (32, 1e-4), (48, 1e-4), (62, 1.5e-3)] {
        let (anchor, s) = (Anchor::new(1, &weights(inside, 64)), f64::from(inside) / 64.0);
        for m in [1, 2, 3, 5, 8, 17, 50, 126, 127] {
            assert!(m <= EXACT_EVENTS as u64);
            let off = (chance_of_one(&anchor, m, s) - 0.5).abs();
            assert!(off < 1e-11, "s {s}, {m} events: {off}");
        }
        for m in [128, 129, 140, 200, 300, 1_000] {
            let off = (chance_of_one(&anchor, m, s) - 0.5).abs();
            assert!(off < beyond, "s {s}, {m} events: {off}");
        }
    }
}

/// The change of P\[bit = 1\] with the share is what the chooser reckons with: for even half-spaces exactly (1e-6 for
/// the difference quotient).
#[test]
fn the_slope_is_as_stated() {
    let anchor = Anchor::new(1, &[1, 1]);
    for m in [1, 2, 3, 4, 10, 50, 127] {
        let step = 1e-5;
        let measured = (chance_of_one(&anchor, m, 0.5 + step) - chance_of_one(&anchor, m, 0.5 - step)) / (2.0 * step);
        let stated = slope(m, f64::INFINITY);
        assert!((measured / stated - 1.0).abs() < 1e-6, "{m} events: {measured}, not {stated}");
    }
    assert_eq!(slope(0, 20.0), 0.0);
    assert!((slope(1_001, f64::INFINITY) / slope(999, f64::INFINITY) - 1.0).abs() < 2e-3, "the limit joins");
    assert!(slope(50, 20.0) < slope(50, f64::INFINITY));
}

/// A fleet of like devices, event by event, through the device's code.
struct Like<'a> {
    shares: &'a [u32],
    baseline: &'a [u32],
    events: u64,
}

impl Like<'_> {
    /// Adds the reports of some devices to 2K counters.
    fn answer(&self, devices: usize, counters: &mut [u64], anchors: &[Anchor], generator: &mut Generator) {
        let total: u32 = self.shares.iter().sum();
        let mut cell_of = Vec::new();
        self.shares.iter().enumerate().for_each(|(cell, weight)| cell_of.extend(vec![cell; *weight as usize]));
        for _ in 0..devices {
            let mut counts = vec![0_u32; self.shares.len()];
            for _ in 0..self.events {
                let point = (u128::from(generator.next()) * u128::from(total)) >> 64;
                counts[cell_of[point as usize]] += 1;
            }
            let id = (u128::from(generator.next()) << 64 | u128::from(generator.next())).to_be_bytes();
            let row = row_of(&id, self.shares.len());
            let bit = anchors[row - 1].bit(&counts, generator.next());
            let kept = (u128::from(generator.next()) * u128::from(weights(1.0).of_true + weights(1.0).of_false)) >> 64;
            let lie = usize::from(kept >= u128::from(weights(1.0).of_true));
            counters[2 * row + (bit ^ lie)] += 1;
        }
    }

    fn sample(&self, devices: usize, generator: &mut Generator) -> Vec<u64> {
        let order = hadamard_order(self.shares.len());
        let anchors: Vec<Anchor> = (1..order).map(|row| Anchor::new(row, self.baseline)).collect();
        let mut counters = vec![0; 2 * order];
        self.answer(devices, &mut counters, &anchors, generator);
        counters
    }
}

const SHARES: [u32; 6] = [30, 24, 18, 12, 10, 6];

/// Nothing changed but the number of events, 9 then and 4 now: the level holds. 500 runs of 200 against 600 devices at
/// ε = 1, six cells; 5 % within 3.3 standard errors (α = 1e-3), seed 2.
#[test]
fn false_alarms_are_as_stated_when_activity_changes() {
    let mut generator = Generator::new(2);
    let then = Like { shares: &SHARES, baseline: &SHARES, events: 9 };
    let now = Like { events: 4, ..then };
    let alarm = |_: &u32| {
        let (then, now) = (then.sample(600, &mut generator), now.sample(200, &mut generator));
        let test = anchored_test(&now, &then, &SHARES, weights(1.0).of_true, weights(1.0).of_false).expect("answers");
        test.p_value < 0.05
    };
    let alarms = (0..500).filter(alarm).count() as f64 / 500.0;
    assert!((alarms - 0.05).abs() < 3.3 * (0.05_f64 * 0.95 / 500.0).sqrt(), "{alarms}");
}

/// Cell 0 loses 12 points to cell 5: found in 20 of 20 runs (3,000 devices with 20 events, ε = 1, reference of 9,000),
/// the two cells most moved, each in its direction, and the row shifts within 4.5 standard errors of the exact ones
/// (140 shifts, α = 0.1 %); seed 3.
#[test]
fn a_planted_shift_is_found_and_explained() {
    let mut generator = Generator::new(3);
    let moved = [18, 24, 18, 12, 10, 18];
    let then = Like { shares: &SHARES, baseline: &SHARES, events: 20 };
    let now = Like { shares: &moved, ..then };
    let share = |shares: &[u32], row| -> f64 {
        (0..6).filter(|cell| half_space(row, *cell)).map(|cell| f64::from(shares[cell])).sum::<f64>() / 100.0
    };
    for _ in 0..20 {
        let (reference, current) = (then.sample(9_000, &mut generator), now.sample(3_000, &mut generator));
        let test =
            anchored_test(&current, &reference, &SHARES, weights(1.0).of_true, weights(1.0).of_false).expect("answers");
        assert!(test.p_value < 1e-6 && test.mean_square_shift > 0.0, "{}", test.p_value);
        let mut first = [test.cells[0], test.cells[1]];
        first.sort_by_key(|cell| cell.cell);
        assert_eq!(first.map(|cell| cell.cell), [0, 5]);
        assert!(first[0].score < 0.0 && first[1].score > 0.0);
        for found in &test.rows {
            let anchor = Anchor::new(found.row, &SHARES);
            let expected = chance_of_one(&anchor, 20, share(&moved, found.row))
                - chance_of_one(&anchor, 20, share(&SHARES, found.row));
            let z = (found.shift - expected) / found.standard_error;
            assert!(z.abs() < 4.5, "row {}: {} ± {}, not {expected}", found.row, found.shift, found.standard_error);
        }
    }
}

#[test]
fn equal_samples_show_nothing_and_empty_ones_say_so() {
    let counters: Vec<u64> = (0..16).map(|entry| 100 + entry).collect();
    let test =
        |now: &[u64], then: &[u64]| anchored_test(now, then, &SHARES, weights(1.0).of_true, weights(1.0).of_false);
    let same = test(&counters, &counters).expect("answers");
    assert_eq!((same.statistic, same.p_value, same.rows.len()), (0.0, 1.0, 7));
    assert!(same.mean_square_shift < 0.0 && same.df > 3.0 && same.df < 5.0);
    assert_eq!(test(&[0; 16], &counters), None);
    assert_eq!(test(&counters, &[0; 16]), None);
    let mut one_row = [0; 16];
    one_row[6..8].copy_from_slice(&[40, 60]);
    let one = test(&one_row, &counters).expect("a row");
    assert_eq!((one.rows.len(), one.rows[0].row), (1, 3));
    // One row is a two-sample test of shares: z² with the hypergeometric variance.
    let (n, all, ones) = (100.0, 313.0, 167.0 / 313.0);
    let difference: f64 = 0.6 - 107.0 / 213.0;
    let variance = ones * (1.0 - ones) * (1.0 / n + 1.0 / (all - n)) * all / (all - 1.0);
    assert!((one.statistic - difference * difference / variance).abs() < 1e-9 && (one.df - 1.0).abs() < 1e-12);
    assert!((one.p_value - chi_squared_survival(one.statistic, 1)).abs() < 1e-9);
}

/// Two cells have one row and the ordinary test; a single cell has nothing to compare but is no error.
#[test]
fn few_cells() {
    let test = anchored_test(&[0, 0, 40, 60], &[0, 0, 106, 107], &[1, 1], weights(1.0).of_true, weights(1.0).of_false);
    assert_eq!(test.expect("a row").rows.len(), 1);
    assert_eq!(anchored_bit(&[3], 1, &[1], u64::MAX), 1, "a coin: no event can lie in the half-space");
    assert_eq!(anchored_bit(&[3], 1, &[1], 0), 0);
}

/// n·Var of a small share by subset selection over 33 symbols, w of them at a time.
fn sampled_noise(w: f64, epsilon: f64) -> f64 {
    let (k, e) = (33.0, libm::exp(epsilon));
    let p = w * e / (w * e + k - w);
    let q = p * (w - 1.0) / (k - 1.0) + (1.0 - p) * w / (k - 1.0);
    q * (1.0 - q) / ((p - q) * (p - q))
}

#[test]
fn the_mix_follows_events_and_epsilon() {
    let mix = |events: &[(u64, f64)], epsilon: f64, w: f64| {
        let fleet = Fleet { events, concentration: HETEROGENEOUS };
        question_mix(fleet, 32, [weights(epsilon).of_true, weights(1.0).of_false], sampled_noise(w, epsilon))
    };
    let weights = |events: &[(u64, f64)], epsilon, w| {
        let mix = mix(events, epsilon, w);
        (mix.anchored, mix.sampled)
    };
    assert_eq!(weights(&[(1, 1.0)], 1.0, 9.0), (0, 1));
    assert_eq!(weights(&[(4, 1.0)], 1.0, 9.0), (0, 1));
    assert_eq!(weights(&[(5, 1.0)], 1.0, 9.0), (3, 1), "the rule of thumb: from about 5 events on");
    assert_eq!(weights(&[(1, 0.5), (100, 0.5)], 1.0, 9.0), (3, 1));
    assert_eq!(weights(&[(50, 1.0)], 4.0, 1.0), (0, 1), "a sampled event at ε = 4 is hardly hidden");
    assert_eq!(weights(&[(0, 1.0)], 1.0, 9.0), (0, 1), "without events neither helps");
    let found = mix(&[(50, 1.0)], 1.0, 9.0);
    assert!(found.reason.contains("50.0 events") && found.reason.contains("3 of 4"), "{}", found.reason);
    assert!(found.anchored_evidence == 0.8 && mix(&[(1, 1.0)], 1.0, 9.0).anchored_evidence == 0.0);
}

/// The law of the combination on a grid of independent uniform p-values: P\[combined ≤ x\] = x within the grid's error,
/// (number of boundary cells)/(number of cells) < 2/500.
#[test]
fn combined_p_values_are_uniform() {
    for evidence in [0.0, 0.2, 0.5, 0.500_1, 0.8, 1.0] {
        for x in [0.01, 0.05, 0.3] {
            let p = |place: i32| (f64::from(place) + 0.5) / 500.0;
            let places = (0..500).flat_map(|one| (0..500).map(move |two| (p(one), p(two))));
            let below = places.filter(|(one, two)| combined_p_value(*one, *two, evidence) <= x).count();
            let share = below as f64 / 250_000.0;
            assert!((share - x).abs() < 0.004, "weight {evidence}: {share}, not {x}");
        }
    }
    assert_eq!(combined_p_value(0.0, 0.5, 0.8), 0.0);
    assert_eq!(combined_p_value(1.0, 1.0, 0.8), 1.0);
    assert!(combined_p_value(0.5, 1e-12, 0.8) < 0.01, "the smaller half counts too");
}
