//! Figures of `estimate` and `chooser`: shares, means and counts with their noise.

use serde_json::Value;

use super::Figure;
use super::library::chooser::{Limits, candidates, choose};
use super::library::estimate::{
    Channel, CountLaw, MeanLaw, Stop, Windows, clipped, maximize_smoothed, mean_mechanism, norm_sub, normal_quantile,
    square_wave, square_wave_half_width,
};
use super::library::spec::{Mechanism, Weights};
use super::parts::{channel, count, counts, estimate, interval, matrix, number, numbers, randomizer, scalar, symbols};

pub(super) const FIGURES: &[(&str, Figure)] = &[
    ("channel", of_channel),
    ("support_law", support_law),
    ("mean_law", mean_law),
    ("mean_mechanism", best_mean),
    ("count_law", count_law),
    ("square_wave", wave),
    ("simplex", simplex),
    ("chooser", chooser),
    ("normal_quantile", quantile),
];

fn of_channel(inputs: &Value) -> Vec<f64> {
    let channel = channel(inputs);
    let found = channel.estimate(count(inputs, "reports"), &counts(inputs, "support")).expect("reports");
    let truth = clipped(&found.shares);
    let constrained = found.sum_to_one();
    [
        vec![channel.keep_probability(), channel.false_probability(), channel.influence(), channel.noise(0.1)],
        channel.diagonal().map_or(Vec::new(), Vec::from),
        channel.support_law(&truth),
        matrix(&channel.covariance(&truth, 1e4)),
        estimate(&found),
        estimate(&constrained),
        estimate(&constrained.given_data().expect("data")),
        interval(found.share(0).interval(0.95)).to_vec(),
    ]
    .concat()
}

fn support_law(inputs: &Value) -> Vec<f64> {
    channel(inputs).support_law(&numbers(inputs, "shares"))
}

fn mean_law(inputs: &Value) -> Vec<f64> {
    let law = MeanLaw::of(&randomizer(inputs), symbols(inputs)).expect("a mechanism for means");
    let found = law.estimate(&counts(inputs, "counters")).expect("reports");
    let last = symbols(inputs) - 1;
    let noise = [law.noise(0), law.noise(last / 2), law.noise(last), law.worst_noise()];
    let scalars = [found.places, found.of_range(), found.centered()].map(scalar);
    [law.values().to_vec(), noise.to_vec(), scalars.concat()].concat()
}

fn best_mean(inputs: &Value) -> Vec<f64> {
    let best = |epsilon: f64| {
        let weights = Weights::within(libm::round(epsilon * 1e6) as u64);
        match mean_mechanism(symbols(inputs), weights) {
            Mechanism::Piecewise { half_width } => [1.0, f64::from(half_width), 0.0],
            Mechanism::Hybrid { half_width, window_share } => [2.0, f64::from(half_width), f64::from(window_share)],
            _ => [0.0; 3],
        }
    };
    let epsilons = numbers(inputs, "epsilons");
    let widths = epsilons.iter().map(|epsilon| f64::from(square_wave_half_width(symbols(inputs), *epsilon)));
    epsilons.iter().flat_map(|epsilon| best(*epsilon)).chain(widths).collect()
}

fn count_law(inputs: &Value) -> Vec<f64> {
    let law = CountLaw::of(&randomizer(inputs), symbols(inputs)).expect("a mechanism for counts");
    let found = law.estimate(&counts(inputs, "counters")).expect("reports");
    let noise = (0..symbols(inputs)).map(|symbol| law.noise(symbol)).collect();
    [law.values().to_vec(), noise, scalar(found).to_vec()].concat()
}

fn wave(inputs: &Value) -> Vec<f64> {
    let (randomizer, counters) = (randomizer(inputs), counts(inputs, "counters"));
    let found = square_wave(&randomizer, symbols(inputs), &counters).expect("reports");
    let Mechanism::SquareWave { half_width } = randomizer.mechanism else { panic!("a square wave") };
    let law = Windows::square_wave(symbols(inputs), half_width, randomizer.weights);
    let stop = Stop { gain: 1e-9, max_steps: 500 };
    let fine = maximize_smoothed(&law, &counters, symbols(inputs) - 1, stop).expect("reports");
    let likelihoods = [&found, &fine].map(|found| vec![found.log_likelihood, f64::from(found.steps)]);
    [found.shares, fine.shares, likelihoods.concat()].concat()
}

fn simplex(inputs: &Value) -> Vec<f64> {
    let shares = numbers(inputs, "shares");
    [norm_sub(&shares), clipped(&shares)].concat()
}

fn chooser(inputs: &Value) -> Vec<f64> {
    let micronats = libm::round(number(inputs, "epsilon") * 1e6) as u64;
    let limits = Limits { max_bits: 64, max_influence: 8.0 };
    let all = candidates(symbols(inputs), micronats);
    let best = choose(symbols(inputs), micronats, &limits).expect("one fits");
    let channels = all.iter().filter_map(|found| Channel::of(&found.randomizer, symbols(inputs)));
    let figures = all.iter().chain([&best]).flat_map(|found| [found.noise, found.influence, f64::from(found.bits)]);
    figures.chain(channels.map(|channel| channel.keep_probability())).collect()
}

fn quantile(inputs: &Value) -> Vec<f64> {
    numbers(inputs, "probabilities").into_iter().map(normal_quantile).collect()
}
