//! From JSON to questions and their randomizers.

use alloc::{borrow::ToOwned, vec::Vec};

use super::mechanism::{Geometry, Mechanism, Randomizer, Weights};
use super::parse::metric_index;
use super::question::{Question, QuestionKind, cells_at_edge};
use super::read::{Breach, Node, Object};
use super::{CellKind, Cells, LaplaceWeights, Metric};

/// Largest domain of a question: its symbols, "no data" included.
const MAX_DOMAIN: usize = 1_024;
/// Largest randomizer weight: integers that JSON carries exactly.
const MAX_WEIGHT: u64 = (1 << 53) - 1;

/// The kinds of questions, without what belongs to each.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    SampledEvent,
    ThresholdBit,
    AnchoredBit,
    Mean,
    EventCount,
    OpenVocabulary,
}

const KINDS: [(&str, Kind); 6] = [
    ("sampled-event", Kind::SampledEvent),
    ("threshold-bit", Kind::ThresholdBit),
    ("anchored-bit", Kind::AnchoredBit),
    ("mean", Kind::Mean),
    ("event-count", Kind::EventCount),
    ("open-vocabulary", Kind::OpenVocabulary),
];

pub(super) fn questions(node: &Node<'_>, metrics: &[Metric]) -> Result<Vec<Question>, Breach> {
    let mut questions: Vec<Question> = Vec::new();
    for node in node.items(1..=256)? {
        let question = question(&node, metrics)?;
        if questions.iter().any(|earlier| earlier.name == question.name) {
            return Err(node.error("must have a name that is unique among the questions"));
        }
        questions.push(question);
    }
    Ok(questions)
}

fn question(node: &Node<'_>, metrics: &[Metric]) -> Result<Question, Breach> {
    let object = node.object(&[
        "name",
        "metric",
        "kind",
        "threshold",
        "baseline",
        "max_count",
        "event_level",
        "weight",
        "epsilon_micronats",
        "randomizer",
    ])?;
    let metric = metric_index(&object.field("metric")?, metrics)?;
    let cells = &metrics[metric].cells;
    let word = object.field("kind")?;
    let of_kind = word.word(&KINDS)?;
    if (of_kind == Kind::OpenVocabulary) != matches!(cells.kind, CellKind::Text { .. }) {
        return Err(word.error("must be open-vocabulary for a metric whose cells are text, and for no other"));
    }
    let (kind, domain_size) = match of_kind {
        Kind::SampledEvent => (QuestionKind::SampledEvent, cells.count() + 1),
        Kind::ThresholdBit => {
            let (threshold, cells_below, cells_seen) = threshold(&object, cells)?;
            (QuestionKind::ThresholdBit { cells_below, cells_seen, threshold }, 3)
        }
        Kind::AnchoredBit => (QuestionKind::AnchoredBit { baseline: baseline(&object, cells)? }, 2),
        Kind::Mean => {
            if !cells.ordered() {
                return Err(word.error("must not be mean for a metric whose cells have no order"));
            }
            (QuestionKind::Mean, cells.count())
        }
        Kind::EventCount => {
            let flag = object.field("event_level")?;
            if !flag.boolean()? {
                return Err(flag.error("must be true: m events of a device cost m times as much"));
            }
            let (threshold, cells_below, cells_seen) = threshold(&object, cells)?;
            let most = object.field("max_count")?.size(1..=LaplaceWeights::MAX_DOMAIN - 1)?;
            (QuestionKind::EventCount { cells_below, cells_seen, threshold }, most + 1)
        }
        Kind::OpenVocabulary => (QuestionKind::OpenVocabulary, 0),
    };
    only_what_belongs(&object, of_kind)?;
    if domain_size > MAX_DOMAIN {
        return Err(node.error_with(format_args!("must have at most {MAX_DOMAIN} symbols, \"no data\" included")));
    }
    let epsilon_micronats = object.field("epsilon_micronats")?.integer(10_000..=8_000_000)?;
    Ok(Question {
        name: object.field("name")?.name('_')?.to_owned(),
        metric,
        kind,
        // Fits: the limit is 1,000.
        weight: object.field("weight")?.integer(1..=1_000)? as u32,
        epsilon_micronats,
        randomizer: randomizer(&object.field("randomizer")?, of_kind, domain_size, epsilon_micronats)?,
        domain_size,
    })
}

fn only_what_belongs(object: &Object<'_>, kind: Kind) -> Result<(), Breach> {
    let belongs: &[&str] = match kind {
        Kind::SampledEvent | Kind::Mean | Kind::OpenVocabulary => &[],
        Kind::ThresholdBit => &["threshold"],
        Kind::AnchoredBit => &["baseline"],
        Kind::EventCount => &["threshold", "max_count", "event_level"],
    };
    let others =
        ["threshold", "baseline", "max_count", "event_level"].into_iter().filter(|name| !belongs.contains(name));
    match others.filter_map(|name| object.optional(name)).next() {
        Some(node) => Err(node.error("must be absent for a question of this kind")),
        None => Ok(()),
    }
}

fn threshold(object: &Object<'_>, cells: &Cells) -> Result<(f64, usize, usize), Breach> {
    let node = object.field("threshold")?;
    let value = node.finite()?;
    let (below, seen) = cells_at_edge(value, cells).ok_or_else(|| node.error("must be one of the metric's edges"))?;
    Ok((value, below, seen))
}

fn baseline(object: &Object<'_>, cells: &Cells) -> Result<Vec<u32>, Breach> {
    let node = object.field("baseline")?;
    let items = node.items(cells.count()..=cells.count())?;
    // Fits: the limit is a million.
    let baseline: Vec<u32> =
        items.iter().map(|item| Ok(item.integer(0..=1_000_000)? as u32)).collect::<Result<_, Breach>>()?;
    if baseline.iter().filter(|weight| **weight > 0).count() < 2 {
        return Err(node.error("must have at least 2 weights above 0"));
    }
    Ok(baseline)
}

fn randomizer(node: &Node<'_>, kind: Kind, domain_size: usize, epsilon_micronats: u64) -> Result<Randomizer, Breach> {
    let (mechanism, known) = mechanism(node, kind)?;
    let known: Vec<&str> =
        ["mechanism", "weight_true", "weight_false"].into_iter().chain(known.iter().copied()).collect();
    let object = node.object(&known)?;
    let weights = weights(&object, "weight_true", "weight_false")?;
    let losses = match mechanism {
        // Each bucket is memoized once.
        Mechanism::MemoizedHashing { hash_range, .. } => u64::from(hash_range),
        _ => 1,
    };
    if !weights.keep_within(epsilon_micronats / losses) {
        return Err(object
            .field("weight_true")?
            .error("must keep ln(weight_true / weight_false) within epsilon_micronats"));
    }
    if mechanism.payload_bits(domain_size).is_none() {
        return Err(node.error("must have outputs of at most 256 bits, and parameters that fit the number of symbols"));
    };
    if mechanism == Mechanism::DiscreteLaplace && LaplaceWeights::of(domain_size, weights).is_none() {
        return Err(node.error("must have a table of weights below 2^114: take a smaller max_count or a smaller ratio"));
    }
    Ok(Randomizer { mechanism, weights })
}

fn weights(object: &Object<'_>, of_true: &str, of_false: &str) -> Result<Weights, Breach> {
    let of_false = object.field(of_false)?.integer(1..=MAX_WEIGHT - 1)?;
    Ok(Weights { of_true: object.field(of_true)?.integer(of_false + 1..=MAX_WEIGHT)?, of_false })
}

/// Names of the mechanisms that hide the answers to questions of a kind.
fn mechanisms(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::SampledEvent => &[
            "k-ary",
            "subset-selection",
            "optimized-unary",
            "local-hashing",
            "hadamard",
            "projective-geometry",
            "square-wave",
            "memoized-hashing",
        ],
        Kind::ThresholdBit => &["k-ary", "subset-selection", "memoized-hashing"],
        Kind::AnchoredBit => &["k-ary"],
        Kind::Mean => &["duchi", "piecewise", "hybrid"],
        Kind::EventCount => &["discrete-laplace"],
        Kind::OpenVocabulary => &["local-hashing"],
    }
}

/// The mechanism, and the names of its parameters.
fn mechanism(node: &Node<'_>, kind: Kind) -> Result<(Mechanism, &'static [&'static str]), Breach> {
    let object = node.any_object()?;
    let names: Vec<(&str, &str)> = mechanisms(kind).iter().map(|name| (*name, *name)).collect();
    // Fit: every limit is below 2^32.
    let small = |name: &str, range| Ok(object.field(name)?.integer(range)? as u32);
    Ok(match object.field("mechanism")?.word(&names)? {
        "k-ary" => (Mechanism::KAry, &[]),
        "subset-selection" => {
            let subset_size = object.field("subset_size")?.size(1..=1_023)?;
            (Mechanism::SubsetSelection { subset_size }, &["subset_size"])
        }
        "optimized-unary" => (Mechanism::OptimizedUnary, &[]),
        "local-hashing" => (Mechanism::LocalHashing { hash_range: small("hash_range", 2..=32_767)? }, &["hash_range"]),
        "hadamard" => (Mechanism::Hadamard, &[]),
        "projective-geometry" => {
            let field_size = small("field_size", 2..=u64::from(Geometry::MAX_FIELD_SIZE))?;
            let dimension = small("dimension", 2..=Geometry::MAX_DIMENSION as u64)?;
            (Mechanism::ProjectiveGeometry { field_size, dimension }, &["field_size", "dimension"])
        }
        "square-wave" => (Mechanism::SquareWave { half_width: small("half_width", 0..=1_023)? }, &["half_width"]),
        "duchi" => (Mechanism::DuchiBit, &[]),
        "piecewise" => (Mechanism::Piecewise { half_width: small("half_width", 0..=1_023)? }, &["half_width"]),
        "hybrid" => {
            let half_width = small("half_width", 0..=1_023)?;
            let window_share = small("window_share", 1..=65_535)?;
            (Mechanism::Hybrid { half_width, window_share }, &["half_width", "window_share"])
        }
        "discrete-laplace" => (Mechanism::DiscreteLaplace, &[]),
        _ => {
            let hash_range = small("hash_range", 2..=256)?;
            let cohorts = small("cohorts", 1..=4_096)?;
            let epoch_windows = small("epoch_windows", 2..=520)?;
            let fresh = weights(&object, "fresh_weight_true", "fresh_weight_false")?;
            (
                Mechanism::MemoizedHashing { hash_range, cohorts, epoch_windows, fresh },
                &["hash_range", "cohorts", "epoch_windows", "fresh_weight_true", "fresh_weight_false"],
            )
        }
    })
}
