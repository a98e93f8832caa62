//! What can be read off a spec without running anything.

use std::collections::BTreeMap;

use driftglass::report::HEADER_BYTES;
use driftglass::spec::{Geometry, Join, Mechanism, MonitorSpec, Question, QuestionKind, Randomizer, Weights};
use num_bigint::BigUint;

use crate::bound;
use crate::law::Fraction;
use crate::support::choose;
use crate::verdict::{CapFacts, Check, Enclosure, ModelFacts, Part, SpecFacts};

/// The facts of a spec.
#[must_use]
pub fn of_spec(spec: &MonitorSpec) -> SpecFacts {
    let most = spec.questions.iter().map(|question| question.epsilon_micronats).max().unwrap_or(0);
    let event_level = spec.questions.iter().any(Question::is_event_level);
    let caps = spec.caps.iter().map(|cap| {
        let windows_in_period = cap.period_secs.div_ceil(spec.window.length_secs);
        let paid = cap.epsilon_micronats / most.max(1);
        CapFacts {
            period_secs: cap.period_secs,
            epsilon_micronats: cap.epsilon_micronats,
            windows_in_period,
            windows_paid: paid.min(windows_in_period),
            basic_micronats: cap.epsilon_micronats.min(windows_in_period.saturating_mul(most)),
            accounting: None,
        }
    });
    SpecFacts {
        id: spec.id().to_string(),
        app: spec.app.clone(),
        description: spec.description.clone(),
        models: spec
            .models
            .iter()
            .map(|model| ModelFacts {
                version: model.version.clone(),
                sha256: model.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            })
            .collect(),
        window_secs: spec.window.length_secs,
        grace_secs: spec.window.grace_secs,
        join: match spec.window.join {
            Join::NextWindow => "next_window",
            Join::Immediately => "immediately",
        },
        answers_per_window: 1,
        unit: if event_level { "event" } else { "device-window" },
        window_epsilon_micronats: most,
        caps: caps.collect(),
        segments: spec.segments.clone(),
        report_bytes: HEADER_BYTES + spec.payload_len(),
        header_bytes: HEADER_BYTES,
        payload_bytes: spec.payload_len(),
    }
}

/// ln(W_t/W_f).
#[must_use]
pub fn loss(weights: Weights) -> Enclosure {
    bound::ln(&ratio(weights))
}

/// W_t/W_f.
#[must_use]
pub fn ratio(weights: Weights) -> Fraction {
    Fraction { numerator: weights.of_true.into(), denominator: weights.of_false.into() }
}

/// The ratio that the law of a report may reach: of the fresh round where the first is memoized.
#[must_use]
pub fn report_ratio(randomizer: &Randomizer) -> Fraction {
    match randomizer.mechanism {
        Mechanism::MemoizedHashing { fresh, .. } => ratio(fresh),
        _ => ratio(randomizer.weights),
    }
}

/// How often the loss of the weights is paid for by one charge.
#[must_use]
pub fn losses_per_charge(mechanism: Mechanism) -> u64 {
    match mechanism {
        Mechanism::MemoizedHashing { hash_range, .. } => u64::from(hash_range),
        _ => 1,
    }
}

/// The check of the claim against the weights, and the slack.
#[must_use]
pub fn check_loss(question: &Question) -> (Check, f64) {
    let losses = losses_per_charge(question.randomizer.mechanism);
    let loss = loss(question.randomizer.weights);
    let claim = question.epsilon_micronats as f64 / 1e6;
    let slack = (claim.next_down() - (loss.upper * losses as f64).next_up()).next_down();
    let times = if losses == 1 { String::new() } else { format!("{losses} memoized answers of ") };
    let sentence = format!(
        "{times}ln({} / {}) lies in [{:.15}, {:.15}]; the claim is {claim}, so {slack:.3e} is to spare",
        question.randomizer.weights.of_true, question.randomizer.weights.of_false, loss.lower, loss.upper
    );
    (Check::new("weights-within-claim", Part::Static, slack >= 0.0, sentence), slack)
}

/// The mechanism's parameters by their names in a spec.
#[must_use]
pub fn parameters(mechanism: Mechanism) -> BTreeMap<&'static str, u64> {
    let named: Vec<(&'static str, u64)> = match mechanism {
        Mechanism::SubsetSelection { subset_size } => vec![("subset_size", subset_size as u64)],
        Mechanism::LocalHashing { hash_range } => vec![("hash_range", hash_range.into())],
        Mechanism::ProjectiveGeometry { field_size, dimension } => {
            vec![("field_size", field_size.into()), ("dimension", dimension.into())]
        }
        Mechanism::SquareWave { half_width } | Mechanism::Piecewise { half_width } => {
            vec![("half_width", half_width.into())]
        }
        Mechanism::Hybrid { half_width, window_share } => {
            vec![("half_width", half_width.into()), ("window_share", window_share.into())]
        }
        Mechanism::MemoizedHashing { hash_range, cohorts, epoch_windows, fresh } => vec![
            ("hash_range", hash_range.into()),
            ("cohorts", cohorts.into()),
            ("epoch_windows", epoch_windows.into()),
            ("fresh_weight_true", fresh.of_true),
            ("fresh_weight_false", fresh.of_false),
        ],
        _ => Vec::new(),
    };
    named.into_iter().collect()
}

/// Number of true symbols.
#[must_use]
pub fn symbols(question: &Question) -> u64 {
    if question.kind == QuestionKind::OpenVocabulary { 1 << 32 } else { question.domain_size as u64 }
}

/// Number of outputs.
#[must_use]
pub fn outputs(question: &Question) -> BigUint {
    let k = question.domain_size;
    match question.randomizer.mechanism {
        Mechanism::KAry | Mechanism::DiscreteLaplace => k.into(),
        Mechanism::SubsetSelection { subset_size } => choose(k, subset_size),
        Mechanism::OptimizedUnary => BigUint::from(1_u8) << k,
        Mechanism::LocalHashing { hash_range } => hash_range.into(),
        Mechanism::Hadamard | Mechanism::DuchiBit => 2_u8.into(),
        Mechanism::ProjectiveGeometry { field_size, dimension } => {
            Geometry::of(field_size, dimension).map_or(0, |geometry| geometry.points).into()
        }
        Mechanism::SquareWave { half_width } => (k + 4 * half_width as usize).into(),
        Mechanism::Piecewise { half_width } => (k + 2 * half_width as usize).into(),
        Mechanism::Hybrid { half_width, .. } => (k + 2 * half_width as usize + 2).into(),
        Mechanism::MemoizedHashing { hash_range, cohorts, .. } => (u64::from(hash_range) * u64::from(cohorts)).into(),
    }
}

/// P\[a report supports the true symbol\] and P\[it supports another one\], for mechanisms that shares are counted
/// from.
#[must_use]
pub fn supports(question: &Question) -> Option<(f64, f64)> {
    let weights = question.randomizer.weights;
    let (of_true, of_false) = (weights.of_true as f64, weights.of_false as f64);
    let k = question.domain_size as f64;
    let response = |symbols: f64, of_true: f64, of_false: f64| {
        let total = of_true + (symbols - 1.0) * of_false;
        (of_true / total, of_false / total)
    };
    if question.kind == QuestionKind::OpenVocabulary {
        return None;
    }
    match question.randomizer.mechanism {
        Mechanism::KAry => Some(response(k, of_true, of_false)),
        Mechanism::SubsetSelection { subset_size } => {
            let w = subset_size as f64;
            let p = w * of_true / (w * of_true + (k - w) * of_false);
            Some((p, (p * (w - 1.0) + (1.0 - p) * w) / (k - 1.0)))
        }
        Mechanism::OptimizedUnary => Some((0.5, of_false / (of_true + of_false))),
        Mechanism::LocalHashing { hash_range } => {
            let g = f64::from(hash_range);
            Some((response(g, of_true, of_false).0, 1.0 / g))
        }
        Mechanism::Hadamard => Some((response(2.0, of_true, of_false).0, 0.5)),
        Mechanism::ProjectiveGeometry { field_size, dimension } => {
            let geometry = Geometry::of(field_size, dimension)?;
            let (points, on, on_two) =
                (f64::from(geometry.points), f64::from(geometry.on_hyperplane), f64::from(geometry.on_two));
            let total = on * of_true + (points - on) * of_false;
            Some((on * of_true / total, (on_two * of_true + (on - on_two) * of_false) / total))
        }
        Mechanism::MemoizedHashing { hash_range, fresh, .. } => {
            let g = f64::from(hash_range);
            let (p1, q1) = response(g, of_true, of_false);
            let (p2, q2) = response(g, fresh.of_true as f64, fresh.of_false as f64);
            Some((p1 * p2 + (g - 1.0) * q1 * q2, 1.0 / g))
        }
        _ => None,
    }
}

/// How many times 1/n one fake report among n moves the estimate, and the same in words.
#[must_use]
pub fn influence(question: &Question) -> (Option<f64>, String) {
    if let Some((p, q)) = supports(question) {
        let factor = (1.0 - q) / (p - q);
        return (
            Some(factor),
            format!("one fake report among n moves the estimated share of a symbol by at most {factor:.3}/n"),
        );
    }
    let weights = question.randomizer.weights;
    let (of_true, of_false) = (weights.of_true as f64, weights.of_false as f64);
    let places = question.domain_size as f64;
    let bit = of_true / (of_true - of_false);
    // E[y] is a straight line in the place; its slope s turns the widest report into the widest estimate.
    let window = |half_width: u32| {
        let width = 2.0 * f64::from(half_width) + 1.0;
        let slope = width * (of_true - of_false) / (width * of_true + (places - 1.0) * of_false);
        let outputs = places + width - 1.0;
        // By symmetry the middle stands for the middle.
        0.5 + (outputs - 1.0) / (2.0 * slope * (places - 1.0))
    };
    let factor = match question.randomizer.mechanism {
        Mechanism::DuchiBit => bit,
        Mechanism::Piecewise { half_width } => window(half_width),
        Mechanism::Hybrid { half_width, .. } => window(half_width).max(bit),
        Mechanism::DiscreteLaplace => {
            return (
                Some(1.0),
                "one fake report among n moves the mean count by at most the whole range, max_count/n".into(),
            );
        }
        Mechanism::SquareWave { .. } => {
            return (
                None,
                "distributions are found by maximum likelihood: one fake report among n has the weight of \
                1/n of the reports"
                    .into(),
            );
        }
        _ => return (None, "heavy hitters are found from all reports: one fake report counts as one".into()),
    };
    (Some(factor), format!("one fake report among n moves the estimated mean by at most {factor:.3}/n of its range"))
}

/// How a report comes about, for a reader who is no engineer.
#[must_use]
pub fn law_in_words(question: &Question) -> String {
    let weights = question.randomizer.weights;
    let ratio = weights.of_true as f64 / weights.of_false as f64;
    let times = format!("{ratio:.2} times");
    let k = question.domain_size;
    match question.randomizer.mechanism {
        Mechanism::KAry => {
            let (p, _) = supports(question).unwrap_or((0.0, 0.0));
            format!(
                "The device reports its true answer in {:.1} of 100 cases and otherwise one of the {} others at \
                    random; so the true answer is {times} as likely as any other one.",
                100.0 * p,
                k - 1
            )
        }
        Mechanism::SubsetSelection { subset_size } => {
            let (p, _) = supports(question).unwrap_or((0.0, 0.0));
            format!(
                "The device reports a set of {subset_size} of the {k} answers. In {:.1} of 100 cases the true one is \
                    among them. A set with the true answer is {times} as likely as one without it.",
                100.0 * p
            )
        }
        Mechanism::OptimizedUnary => format!(
            "The device reports a yes or no for each of the {k} answers: for the true one the toss of a coin, for \
                each other one a yes in {:.1} of 100 cases. No report is more than {times} as likely for one true \
                answer as for another.",
            100.0 / (1.0 + ratio)
        ),
        Mechanism::LocalHashing { hash_range } => format!(
            "Answers are sorted by public chance into {hash_range} buckets. The device reports the bucket of its \
                answer {times} as often as any other bucket."
        ),
        Mechanism::Hadamard => format!(
            "Public chance divides the answers in two halves. The device says which half its answer is in, and the \
                right one {times} as often as the wrong one."
        ),
        Mechanism::ProjectiveGeometry { .. } => format!(
            "Every answer stands for a set of numbers, all sets of one size. The device reports a number; each in \
                the set of the true answer is {times} as likely as any other."
        ),
        Mechanism::SquareWave { .. } | Mechanism::Piecewise { .. } => format!(
            "The device reports a place on a scale. Each place near the true one is {times} as likely as each place \
                far from it."
        ),
        Mechanism::DuchiBit => format!(
            "The device reports the upper or the lower end of the scale, the upper one the more often the higher its \
                value is; no report is more than {times} as likely for one value as for another."
        ),
        Mechanism::Hybrid { window_share, .. } => format!(
            "In {:.1} of 100 cases the device reports a place on a scale, near the true one {times} as often as far \
                from it; else one of the ends of the scale. No report is more than {times} as likely for one value \
                as for another.",
            100.0 * f64::from(window_share) / 65_536.0
        ),
        Mechanism::DiscreteLaplace => format!(
            "The device adds noise to a count. One event more or less changes the chance of any report at most \
                {times}; m events change it at most that factor multiplied by itself m times."
        ),
        Mechanism::MemoizedHashing { hash_range, epoch_windows, .. } => format!(
            "Answers are sorted into {hash_range} buckets. The device draws once for {epoch_windows} windows which \
                bucket it shows in place of each, the true one {times} as likely as any other, and adds fresh noise \
                to every report."
        ),
    }
}
