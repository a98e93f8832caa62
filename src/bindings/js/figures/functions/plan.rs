//! Figures of what is planned, referred to and explained: power, mixes of questions, references, change points, causes.

use serde_json::Value;

use super::Figure;
use super::library::aggregate::Aggregate;
use super::library::drift::{
    Calendar, Conditions, Detector, Direction, Fleet, Look, RawShares, SeasonKind, Suspect, WindowDifference,
    change_point, moved, moved_together, pooled, question_mix, rank, slope, threshold_mix,
};
use super::library::estimate::{Channel, Matrix, clipped};
use super::library::spec::{CellKind, Cells, Metric, QualityCodes, Source};
use super::parts::{
    channel, count, count_rows, counts, exact, flag, matrix, number, numbers, question, randomizer, rows,
};

pub(super) const FIGURES: &[(&str, Figure)] = &[
    ("detector", detector),
    ("question_mix", mix),
    ("threshold_mix", thresholds),
    ("change_point", change),
    ("cause", cause),
    ("pooled_reference", pooled_reference),
    ("raw_reference", raw_reference),
    ("calendar", calendar),
];

fn detector(inputs: &Value) -> Vec<f64> {
    let shares = numbers(inputs, "shares");
    let labels = (0..shares.len()).map(|cell| format!("{cell}")).collect();
    let edges: Vec<f64> = (1..shares.len()).map(|edge| edge as f64).collect();
    let spellings = edges.iter().map(f64::to_string).collect();
    let kind = if flag(inputs, "ordered") { CellKind::Numeric { edges } } else { CellKind::Category { labels } };
    let metric = Metric {
        name: "metric".to_owned(),
        unit: String::new(),
        source: Source::Outcome,
        cells: Cells { kind, other: false, missing: false, codes: QualityCodes::default(), spellings },
    };
    let reference = exact(&shares, count(inputs, "devices"));
    let conditions = Conditions {
        with_data: number(inputs, "with_data"),
        reference: Some(&reference),
        delta: number(inputs, "delta"),
        fleet: Fleet { events: &[(1, 1.0)], concentration: 1.0 },
        before: 60.0,
    };
    let detector = Detector::new(&question(inputs), &metric, &conditions).expect("it has shares");
    let mut figures = Vec::new();
    for over_time in [false, true] {
        let look = Look { reports: number(inputs, "reports"), level: number(inputs, "level"), over_time };
        for direction in [Direction::Worst, detector.typical()] {
            let found = [
                Some(detector.power(look, direction, 0.05)),
                detector.detectable(look, direction, 0.8),
                detector.reports_needed(look, direction, 0.1, 0.8).map(|reports| reports as f64),
                detector.reports_until_stable(look).map(|reports| reports as f64),
            ];
            figures.extend(found.map(|figure| figure.unwrap_or(-1.0)));
        }
    }
    figures
}

fn mix(inputs: &Value) -> Vec<f64> {
    let events: Vec<(u64, f64)> = counts(inputs, "events").into_iter().zip(numbers(inputs, "shares")).collect();
    let concentration = number(inputs, "concentration");
    let weights = randomizer(inputs).weights;
    let fleet = Fleet { events: &events, concentration };
    let noise = channel(inputs).noise(0.0);
    let mix = question_mix(fleet, count(inputs, "symbols") as usize, [weights.of_true, weights.of_false], noise);
    let slopes = events.iter().map(|(events, _)| slope(*events, concentration));
    let mixed = [f64::from(mix.anchored), f64::from(mix.sampled), mix.anchored_evidence, mix.gain];
    mixed.into_iter().chain(slopes).collect()
}

fn thresholds(inputs: &Value) -> Vec<f64> {
    let bit = Channel::of(&randomizer(&inputs["bit"]), 2).expect("shares are counted from it");
    let found = threshold_mix(&bit, &channel(inputs), &numbers(inputs, "shares")).expect("shares");
    vec![f64::from(found.threshold), f64::from(found.histogram), found.evidence, found.gain]
}

fn change(inputs: &Value) -> Vec<f64> {
    let (channel, reports) = (channel(inputs), count(inputs, "reports"));
    let then = counts(inputs, "then");
    let reference = channel.estimate(then.iter().sum(), &then).expect("reports");
    let estimates: Vec<_> = count_rows(inputs, "windows")
        .iter()
        .map(|support| channel.estimate(reports, support).expect("reports"))
        .collect();
    let less = |shares: &[f64]| shares.iter().zip(&reference.shares).map(|(now, then)| now - then).collect();
    let differences: Vec<Vec<f64>> = estimates.iter().map(|estimate| less(&estimate.shares)).collect();
    let windows: Vec<WindowDifference<'_>> = differences
        .iter()
        .zip(&estimates)
        .map(|(difference, estimate)| WindowDifference { reports, difference, covariance: &estimate.covariance })
        .collect();
    let found = change_point(&windows, &reference.covariance, 0.1).expect("windows");
    let set = found.set.iter().map(|window| *window as f64).collect();
    [vec![found.window as f64, found.statistic, found.p_value], set, found.shift].concat()
}

fn cause(inputs: &Value) -> Vec<f64> {
    let channel = channel(inputs);
    let reports = count(inputs, "reports");
    let then = counts(inputs, "then");
    let reference = channel.estimate(then.iter().sum(), &then).expect("reports");
    let pooled = clipped(&reference.shares);
    let mut suspects = Vec::new();
    for (metric, support) in count_rows(inputs, "windows").iter().enumerate() {
        let now = channel.estimate(reports, support).expect("reports");
        let difference: Vec<f64> = now.shares.iter().zip(&reference.shares).map(|(now, then)| now - then).collect();
        let covariance: Matrix = now.covariance.plus(&reference.covariance);
        for ordered in [true, false] {
            let evidence = -moved(&difference, &covariance, &pooled, ordered).expect("cells");
            let first = (metric % 3) as u32;
            suspects.push(Suspect {
                metric,
                segment: usize::from(ordered),
                evidence,
                changed: Some([first, first + 2]),
            });
        }
    }
    let order = rank(&suspects).into_iter().map(|index| index as f64);
    let groups = moved_together(&suspects, 3.0);
    let members = groups.iter().flat_map(|group| group.members.iter().map(|member| *member as f64));
    suspects.iter().map(|suspect| suspect.evidence).chain(order).chain(members).collect()
}

fn pooled_reference(inputs: &Value) -> Vec<f64> {
    let aggregate = Aggregate::from_sums(count(inputs, "reports"), counts(inputs, "counters"));
    let found = pooled(&question(inputs), &aggregate).expect("a question with shares");
    [vec![found.device_windows as f64], found.shares, matrix(&found.covariance)].concat()
}

fn raw_reference(inputs: &Value) -> Vec<f64> {
    let rows = rows(inputs, "device_windows");
    let mut shares = RawShares::new(rows[0].len());
    rows.iter().enumerate().for_each(|(at, row)| shares.add(at as u64 / 2, row));
    let found = [shares.clustered().expect("units"), shares.of_a_new_block().expect("blocks")];
    found.into_iter().flat_map(|found| [found.shares, matrix(&found.covariance)].concat()).collect()
}

fn calendar(inputs: &Value) -> Vec<f64> {
    let spans = count_rows(inputs, "spans");
    let kinds = [SeasonKind::Month, SeasonKind::DayOfWeek, SeasonKind::HourOfWeek];
    let of = |kind: SeasonKind| {
        let calendar = Calendar { kind, utc_offset_secs: count(inputs, "utc_offset_secs") as i32 };
        spans.iter().flat_map(move |span| calendar.overlap(span[0], span[1])).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(of).flat_map(|(season, weight)| [f64::from(season), weight]).collect()
}
