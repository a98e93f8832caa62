//! Figures of repeated looks: e-processes, detectors, bounds over time, selection over streams.

use serde_json::Value;

use super::Figure;
use super::library::drift::Measure;
use super::library::drift::sequential::dirichlet::CONCENTRATIONS;
use super::library::drift::sequential::interval::{half_width, share_bounds};
use super::library::drift::sequential::nprr::{MeanSequence, fixed, keep, scalar};
use super::library::drift::sequential::stream::LookError;
use super::library::drift::sequential::{
    AlarmBudget, Cusum, Detection, Dirichlet, DirichletDetector, EffectBounds, Repetition, ShiryaevRoberts, Step,
    Stream, StreamSettings, TwoSample, WaldMixture, benjamini_hochberg, benjamini_yekutieli, e_bh, effect_bounds,
    log_dirichlet_mixture, log_gaussian_mixture, log_threshold, replay,
};
use super::parts::{self, channel, count, count_rows, exact, flag, interval, number, numbers, rows};

pub(super) const FIGURES: &[(&str, Figure)] = &[
    ("dirichlet", dirichlet),
    ("gaussian_mixture", gaussian_mixture),
    ("wald_mixture", wald_mixture),
    ("two_sample", two_sample),
    ("detectors", detectors),
    ("dirichlet_detector", dirichlet_detector),
    ("effect_bounds", bounds),
    ("nprr", nprr),
    ("selection", selection),
    ("alarm_budget", alarm_budget),
    ("stream", stream),
];

fn of_detection(found: Detection) -> [f64; 3] {
    [found.log_shiryaev_roberts, found.log_cusum, found.looks_since as f64]
}

fn of_bounds(found: EffectBounds) -> [f64; 3] {
    [found.largest, found.lower, found.upper]
}

fn dirichlet(inputs: &Value) -> Vec<f64> {
    let probabilities = numbers(inputs, "probabilities");
    let windows = count_rows(inputs, "windows");
    let mut process = Dirichlet::new(&probabilities).expect("a law");
    let looks: Vec<f64> = windows.iter().map(|window| process.look(window)).collect();
    let mixtures =
        CONCENTRATIONS.map(|concentration| log_dirichlet_mixture(&probabilities, &windows[0], concentration));
    [looks, mixtures.to_vec(), vec![process.log_e()]].concat()
}

fn gaussian_mixture(inputs: &Value) -> Vec<f64> {
    let of = |row: &Vec<f64>| log_gaussian_mixture(row[0], row[1] as usize, row[2], row[3]);
    rows(inputs, "cases").iter().map(of).collect()
}

fn wald_mixture(inputs: &Value) -> Vec<f64> {
    let (channel, shares) = (channel(inputs), numbers(inputs, "shares"));
    let sampling = channel.covariance(&shares, 1.0);
    let persistent = exact(&shares, count(inputs, "devices")).covariance;
    let mixture = WaldMixture::new(&sampling, &persistent, &CONCENTRATIONS).expect("positive definite");
    let difference = numbers(inputs, "difference");
    numbers(inputs, "reports").into_iter().map(|reports| mixture.log_e(&difference, reports)).collect()
}

fn two_sample(inputs: &Value) -> Vec<f64> {
    let (stable, canary) = (count_rows(inputs, "stable"), count_rows(inputs, "canary"));
    let mut process = TwoSample::new(stable[0].len());
    stable.iter().zip(&canary).map(|(stable, canary)| process.look([stable.as_slice(), canary.as_slice()])).collect()
}

fn detectors(inputs: &Value) -> Vec<f64> {
    let (mut sum, mut largest) = (ShiryaevRoberts::default(), Cusum::default());
    let looks = numbers(inputs, "log_e");
    let looks = looks.into_iter().flat_map(|log_e| [sum.look(log_e), largest.look(log_e)]);
    looks.chain([log_threshold(number(inputs, "average_run_length"))]).collect()
}

fn dirichlet_detector(inputs: &Value) -> Vec<f64> {
    let probabilities = numbers(inputs, "probabilities");
    let memory = count(inputs, "memory") as usize;
    let mut detector = DirichletDetector::new(&probabilities, &CONCENTRATIONS, memory).expect("a law");
    count_rows(inputs, "windows").iter().flat_map(|window| of_detection(detector.look(window))).collect()
}

fn bounds(inputs: &Value) -> Vec<f64> {
    let (channel, shares) = (channel(inputs), numbers(inputs, "shares"));
    let sampling = channel.covariance(&shares, 1.0);
    let persistent = exact(&shares, count(inputs, "devices")).covariance;
    let difference = numbers(inputs, "difference");
    let (reports, alpha) = (number(inputs, "reports"), number(inputs, "alpha"));
    let of = |measure| of_bounds(effect_bounds(measure, &difference, &sampling, &persistent, reports, alpha));
    let [by_ks, by_cell] = [Measure::Ks, Measure::LInfinity].map(of);
    let width = half_width(sampling.at(0, 0) / reports, persistent.at(0, 0), 1e-3, alpha);
    let share = interval(share_bounds(shares[0], width, 0.0, 1.0));
    [by_ks.to_vec(), by_cell.to_vec(), vec![width], share.to_vec()].concat()
}

fn nprr(inputs: &Value) -> Vec<f64> {
    let r = keep(number(inputs, "epsilon"));
    let alpha = number(inputs, "alpha");
    let windows = count_rows(inputs, "windows");
    let mut sequence = MeanSequence::new(r, alpha);
    let mut figures = vec![r];
    for window in &windows {
        sequence.window(window[0], window[1]);
        let found = sequence.bounds().expect("bits");
        figures.extend([found.estimate, found.half_width]);
        figures.extend(interval(found.interval()));
        let found = fixed(window[0], window[1], r, alpha).expect("bits");
        figures.extend([found.estimate, found.half_width]);
        figures.extend(parts::scalar(scalar(window[0], window[1], r).expect("bits")));
    }
    sequence.bit(true);
    figures.push(sequence.bounds().expect("bits").half_width);
    figures
}

fn selection(inputs: &Value) -> Vec<f64> {
    let (log_e, weights) = (numbers(inputs, "log_e"), numbers(inputs, "weights"));
    let p: Vec<f64> = log_e.iter().map(|log_e| libm::fmin(1.0, libm::exp(-log_e))).collect();
    let level = number(inputs, "level");
    let chosen = [
        e_bh(&log_e, None, level),
        e_bh(&log_e, Some(&weights), level),
        benjamini_hochberg(&p, Some(&weights), level),
        benjamini_yekutieli(&p, None, level),
    ];
    let figures = chosen.into_iter().flat_map(|chosen| {
        let length = chosen.len() as f64;
        std::iter::once(length).chain(chosen.into_iter().map(|index| index as f64)).collect::<Vec<_>>()
    });
    figures.collect()
}

fn alarm_budget(inputs: &Value) -> Vec<f64> {
    let of = |row: &Vec<f64>| {
        let budget = AlarmBudget::new(row[0], row[1], row[2] as u64).expect("a budget");
        let thresholds = [budget.log_detector_threshold(), budget.log_e_threshold(row[3])];
        [budget.average_run_length(), budget.e_bh_level(row[3]), thresholds[0], thresholds[1]]
    };
    rows(inputs, "budgets").iter().flat_map(of).collect()
}

fn stream(inputs: &Value) -> Vec<f64> {
    let channel = channel(inputs);
    let cells = numbers(inputs, "shares");
    let devices = count(inputs, "devices");
    let repetition = match inputs["repetition"].as_str().expect("a repetition") {
        "once" => Repetition::Once,
        "fresh" => Repetition::Fresh { correlation: 0.2, devices },
        "memoized" => Repetition::Memoized { devices },
        unknown => panic!("{unknown} is no repetition"),
    };
    let measure = if flag(inputs, "ordered") { Measure::Ks } else { Measure::LInfinity };
    let settings = StreamSettings { measure, repetition, alpha: 0.05, memory: 8 };
    let stream = Stream::new(&channel, channel.symbols(), &exact(&cells, devices), settings).expect("a scale");
    let windows = count_rows(inputs, "windows");
    let reports = count(inputs, "reports");
    let looks = windows.iter().enumerate().map(|(number, support)| (number as u64, reports, support.as_slice()));
    let steps: Result<Vec<Step>, LookError> = replay(stream, looks, number(inputs, "log_threshold"));
    let of = |step: Step| {
        let effect = step.effect.map_or([-1.0; 3], of_bounds);
        [vec![step.number as f64, step.log_e], of_detection(step.detection).to_vec(), effect.to_vec()].concat()
    };
    steps.expect("looks in order").into_iter().flat_map(of).collect()
}
