//! Figures of two samples in one look: tests, effects, verdicts, divergences, influence.

use serde_json::Value;

use super::Figure;
use super::library::aggregate::Aggregate;
use super::library::drift::{
    Comparison, CountPair, Coverage, DebiasedPair, DeviceMoments, Distance, Evaluator, Influence, Measure, NormLaws,
    OneShot, Sample, Shape, Verdict, Wald, anchored_test, assess, effect, linear_contrast, location_shift, one_shot,
    pearson_known, pearson_two_sample, projected_wald, scale_shift, unary_wald, wald,
};
use super::parts::{
    self, channel, count, counts, exact, flag, interval, matrix, number, numbers, question, rows, scalar,
};

pub(super) const FIGURES: &[(&str, Figure)] = &[
    ("two_samples", two_samples),
    ("known_reference", known_reference),
    ("assess", verdict),
    ("evaluator", evaluator),
    ("pearson", pearson),
    ("anchored_test", anchored),
    ("count_pair", count_pair),
    ("debiased", debiased),
    ("device_moments", device_moments),
    ("influence", influence),
    ("shifts", shifts),
];

fn of_wald(found: Wald) -> [f64; 3] {
    [found.statistic, found.df as f64, found.p_value]
}

fn of_one_shot(found: &OneShot) -> Vec<f64> {
    let shape = match found.shape {
        Shape::Ordered { location, scale, ks, w1 } => {
            let scale = scale.map_or(Vec::new(), |scale| vec![scale.z, scale.p_value]);
            let norms = [ks.statistic, ks.p_value, w1.statistic, w1.p_value];
            [vec![location.z, location.p_value], scale, norms.to_vec()].concat()
        }
        Shape::Unordered { largest_cell } => vec![largest_cell.statistic, largest_cell.p_value],
    };
    let groups = found.tested.group.iter().map(|group| *group as f64).collect();
    [of_wald(found.omnibus).to_vec(), shape, vec![found.combined], groups].concat()
}

/// The tests and effects of a comparison. Whatever mechanism: the simulated laws are made anew.
fn of_comparison(compared: &Comparison) -> Vec<f64> {
    let Comparison { difference, covariance, shares, expected, supports, step } = compared;
    let laws =
        supports.iter().flat_map(|law| [law.mean(), law.variance(), law.skewness(), law.tails(0.7, [-2.5, 2.5])]);
    let weights: Vec<f64> = (0..difference.len()).map(|cell| cell as f64).collect();
    let contrast = linear_contrast(&weights, difference, covariance).expect("a variance");
    let effects = [Measure::Ks, Measure::LInfinity].map(|measure| effect(measure, difference, covariance, 0.05));
    let tests = [wald(difference, covariance), projected_wald(difference, covariance)];
    let tests = tests.map(|test| of_wald(test.expect("positive definite")));
    let one_shots = [true, false].map(|ordered| {
        of_one_shot(&one_shot(compared, ordered, &mut NormLaws::with_tolerance(0.0)).expect("cells to test"))
    });
    [
        [difference.clone(), shares.clone(), expected.clone(), matrix(covariance), vec![*step]].concat(),
        laws.collect(),
        tests.concat(),
        vec![contrast.z, contrast.p_value],
        effects.map(|effect| parts::effect(&effect)).concat(),
        one_shots.concat(),
    ]
    .concat()
}

fn two_samples(inputs: &Value) -> Vec<f64> {
    let channel = channel(inputs);
    let (now, then) = (counts(inputs, "now"), counts(inputs, "then"));
    let [n, m] = ["reports_now", "reports_then"].map(|field| count(inputs, field));
    let (current, reference) = (Sample { reports: n, support: &now }, Sample { reports: m, support: &then });
    let compared = Comparison::of_samples(&channel, current, reference).expect("reports");
    let noise: Vec<f64> = compared.shares.iter().map(|share| channel.noise(*share)).collect();
    let per_report = 1.0 / n as f64 + 1.0 / m as f64;
    let quick = unary_wald(&compared.difference, &compared.shares, &noise, per_report).expect("cells");
    [of_comparison(&compared), of_wald(quick).to_vec()].concat()
}

fn known_reference(inputs: &Value) -> Vec<f64> {
    let now = counts(inputs, "now");
    let current = Sample { reports: count(inputs, "reports_now"), support: &now };
    of_comparison(&Comparison::with_known(&channel(inputs), current, &numbers(inputs, "shares")).expect("reports"))
}

fn verdict(inputs: &Value) -> Vec<f64> {
    let aggregate = Aggregate::from_sums(count(inputs, "reports"), counts(inputs, "counters"));
    let reference = exact(&numbers(inputs, "shares"), count(inputs, "devices"));
    let (delta, alpha) = (number(inputs, "delta"), number(inputs, "alpha"));
    let found = assess(&question(inputs), flag(inputs, "ordered"), &aggregate, &reference, delta, alpha);
    let found = found.expect("a question with shares");
    let verdict = match found.verdict {
        Verdict::Drift => 1.0,
        Verdict::Stable => 0.0,
        Verdict::Inconclusive => 0.5,
    };
    [
        parts::estimate(&found.symbols),
        parts::estimate(&found.cells),
        of_wald(found.wald.expect("positive definite")).to_vec(),
        parts::effect(&found.effect).to_vec(),
        vec![verdict, found.reports_needed.map_or(-1.0, |reports| reports as f64)],
    ]
    .concat()
}

fn evaluator(inputs: &Value) -> Vec<f64> {
    let channel = channel(inputs);
    let (reference, reports) = (numbers(inputs, "shares"), count(inputs, "reports_then"));
    let evaluator = Evaluator::new(&channel, &reference, reports, number(inputs, "rho")).expect("a diagonal");
    let window = |support: &Vec<u64>| {
        let support: Vec<u32> = support.iter().map(|count| u32::try_from(*count).expect("a few reports")).collect();
        let found = evaluator.evaluate(count(inputs, "reports_now"), &support).expect("reports");
        [found.statistic, found.p_value, found.log_e]
    };
    parts::count_rows(inputs, "windows").iter().flat_map(window).collect()
}

fn pearson(inputs: &Value) -> Vec<f64> {
    let (now, then, law) = (counts(inputs, "now"), counts(inputs, "then"), numbers(inputs, "law"));
    let least = number(inputs, "least");
    let tests = [pearson_known(&now, &law, least), pearson_two_sample(&now, &then, least)];
    tests.map(|test| of_wald(test.expect("two cells"))).concat()
}

fn anchored(inputs: &Value) -> Vec<f64> {
    let (now, then) = (counts(inputs, "now"), counts(inputs, "then"));
    let baseline: Vec<u32> = counts(inputs, "baseline").into_iter().map(|weight| weight as u32).collect();
    let weights = counts(inputs, "weights");
    let found = anchored_test(&now, &then, &baseline, weights[0], weights[1]).expect("answers");
    let rows = found.rows.iter().flat_map(|row| [row.row as f64, row.shift, row.standard_error]);
    let cells = found.cells.iter().flat_map(|cell| [cell.cell as f64, cell.score]);
    [found.statistic, found.df, found.p_value, found.mean_square_shift].into_iter().chain(rows).chain(cells).collect()
}

fn count_pair(inputs: &Value) -> Vec<f64> {
    let (now, then) = (counts(inputs, "now"), counts(inputs, "then"));
    let pair = CountPair::new(&then, &now).expect("counts");
    let test = pair.chi_squared();
    let distances = [
        pair.psi(),
        pair.js_divergence(),
        pair.js_distance(),
        pair.js_distance_base2(),
        pair.hellinger(),
        pair.tvd(),
        pair.tvd_by_chance(),
        pair.l_inf(),
        pair.ks(),
    ];
    // Infinite where one sample lacks a cell, which is a number with bits of its own.
    let exact = pair.psi_exact();
    distances.into_iter().chain([exact, test.statistic, test.df as f64, test.p_value]).collect()
}

fn debiased(inputs: &Value) -> Vec<f64> {
    let channel = channel(inputs);
    let of =
        |counts: &[u64], reports: &str| channel.estimate(count(inputs, reports), counts).expect("reports").sum_to_one();
    let (now, then) = (counts(inputs, "now"), counts(inputs, "then"));
    let pair = DebiasedPair::new(&of(&now, "reports_now"), &of(&then, "reports_then"));
    let positions: Vec<f64> = (1..=now.len()).map(|cell| libm::sqrt(cell as f64)).collect();
    let distances = [
        Distance::Psi,
        Distance::Ks,
        Distance::JensenShannon,
        Distance::Hellinger,
        Distance::Wasserstein,
        Distance::WassersteinNormed(&positions),
        Distance::LInfinity,
        Distance::TotalVariation,
    ];
    let figures = distances.into_iter().flat_map(|distance| {
        let found = pair.debiased(distance, 0.95);
        let [lower, upper] = interval(found.interval);
        [found.estimate, lower, upper, found.raw]
    });
    figures.collect()
}

fn device_moments(inputs: &Value) -> Vec<f64> {
    let rows = rows(inputs, "devices");
    let mut moments = DeviceMoments::new(rows[0].len());
    rows.iter().for_each(|row| moments.accumulate(row).expect("one number per cell"));
    let found = moments.estimate().expect("two devices");
    let reference = numbers(inputs, "shares");
    let difference: Vec<f64> = found.shares.iter().zip(&reference).map(|(now, then)| now - then).collect();
    let test = wald(&difference, &found.covariance).expect("positive definite");
    let p_value = DeviceMoments::p_value(&test, moments.devices()).expect("devices");
    [parts::estimate(&found), of_wald(test).to_vec(), vec![p_value]].concat()
}

fn influence(inputs: &Value) -> Vec<f64> {
    let reports = count(inputs, "reports");
    let found = Influence::of(&question(inputs), 2, number(inputs, "share"), reports).expect("shares");
    let fakes = found.fakes_for(0.05).map_or(-1.0, |fakes| fakes as f64);
    let symbols = channel(inputs).estimate(reports, &counts(inputs, "support")).expect("reports").sum_to_one();
    let coverage = Coverage::of(&symbols, reports, number(inputs, "expected"));
    let [with_data, error] = scalar(coverage.with_data);
    let rate = coverage.response_rate.unwrap_or(-1.0);
    let [up, down] = found.moved_by(25);
    vec![found.highest, found.lowest, up, down, fakes, found.replaced_by(25), with_data, error, rate]
}

fn shifts(inputs: &Value) -> Vec<f64> {
    let shares = numbers(inputs, "shares");
    [location_shift(&shares), scale_shift(&shares)].concat()
}
