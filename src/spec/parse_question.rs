//! From JSON to questions and their randomizers.

use alloc::{borrow::ToOwned, vec::Vec};

use super::mechanism::{Geometry, Mechanism, Randomizer, Weights};
use super::parse::metric_index;
use super::question::{Question, QuestionKind, cells_at_edge};
use super::read::Node;
use super::text::Part;
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

/// Their names.
const NAMES: &str = "sampled-event threshold-bit anchored-bit mean event-count open-vocabulary";
const KINDS: [Kind; 6] =
    [Kind::SampledEvent, Kind::ThresholdBit, Kind::AnchoredBit, Kind::Mean, Kind::EventCount, Kind::OpenVocabulary];

pub(super) fn questions(node: Node<'_>, metrics: &[Metric]) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    node.items(1..=256).each(|node| {
        if let Some(question) = question(node, metrics) {
            if questions.iter().any(|earlier| earlier.name == question.name) {
                node.note("must have a name that is unique among the questions");
            }
            questions.push(question);
        }
    });
    questions
}

/// `None` where a rule is broken without which nothing more can be said; it is noted.
fn question(node: Node<'_>, metrics: &[Metric]) -> Option<Question> {
    node.object("name metric kind threshold baseline max_count event_level weight epsilon_micronats randomizer");
    let metric = metric_index(node.field("metric"), metrics)?;
    let cells = &metrics[metric].cells;
    let word = node.field("kind");
    let of_kind = KINDS[word.word(NAMES)];
    if (of_kind == Kind::OpenVocabulary) != matches!(cells.kind, CellKind::Text { .. }) {
        word.note("must be open-vocabulary for a metric whose cells are text, and for no other");
        return None;
    }
    let (kind, domain_size) = match of_kind {
        Kind::SampledEvent => (QuestionKind::SampledEvent, cells.count() + 1),
        Kind::ThresholdBit => {
            let (threshold, cells_below, cells_seen) = threshold(node, cells)?;
            (QuestionKind::ThresholdBit { cells_below, cells_seen, threshold }, 3)
        }
        Kind::AnchoredBit => (QuestionKind::AnchoredBit { baseline: baseline(node.field("baseline"), cells) }, 2),
        Kind::Mean => {
            if !cells.ordered() {
                word.note("must not be mean for a metric whose cells have no order");
            }
            (QuestionKind::Mean, cells.count())
        }
        Kind::EventCount => {
            let flag = node.field("event_level");
            if !flag.boolean() {
                flag.note("must be true: m events of a device cost m times as much");
            }
            let (threshold, cells_below, cells_seen) = threshold(node, cells)?;
            let most = node.field("max_count").size(1..=LaplaceWeights::MAX_DOMAIN - 1);
            (QuestionKind::EventCount { cells_below, cells_seen, threshold }, most + 1)
        }
        Kind::OpenVocabulary => (QuestionKind::OpenVocabulary, 0),
    };
    only_what_belongs(node, of_kind);
    if domain_size > MAX_DOMAIN {
        let [before, after] = [Part::Text("must have at most "), Part::Text(" symbols, \"no data\" included")];
        node.note_parts(&[before, Part::Number(MAX_DOMAIN as u64), after]);
    }
    let epsilon_micronats = node.field("epsilon_micronats").integer(10_000..=8_000_000);
    let name = node.field("name").name('_').to_owned();
    // Fits: the limit is 1,000.
    let weight = node.field("weight").integer(1..=1_000) as u32;
    let given = node.field("randomizer");
    if node.failed() {
        return None;
    }
    let randomizer = randomizer(given, of_kind, domain_size, epsilon_micronats)?;
    Some(Question { name, metric, kind, weight, epsilon_micronats, randomizer, domain_size })
}

fn only_what_belongs(node: Node<'_>, kind: Kind) {
    let others: &[&str] = match kind {
        Kind::SampledEvent | Kind::Mean | Kind::OpenVocabulary => {
            &["threshold", "baseline", "max_count", "event_level"]
        }
        Kind::ThresholdBit => &["baseline", "max_count", "event_level"],
        Kind::AnchoredBit => &["threshold", "max_count", "event_level"],
        Kind::EventCount => &["baseline"],
    };
    for name in others {
        if let Some(node) = node.optional(name) {
            node.note("must be absent for a question of this kind");
        }
    }
}

fn threshold(node: Node<'_>, cells: &Cells) -> Option<(f64, usize, usize)> {
    let given = node.field("threshold");
    let value = given.finite();
    let found = cells_at_edge(value, cells);
    if found.is_none() {
        given.note("must be one of the metric's edges");
    }
    let (below, seen) = found?;
    Some((value, below, seen))
}

fn baseline(node: Node<'_>, cells: &Cells) -> Vec<u32> {
    // Fits: the limit is a million.
    let baseline = node.items(cells.count()..=cells.count()).each(|item| item.integer(0..=1_000_000) as u32);
    if baseline.iter().filter(|weight| **weight > 0).count() < 2 {
        node.note("must have at least 2 weights above 0");
    }
    baseline
}

fn randomizer(node: Node<'_>, kind: Kind, domain_size: usize, epsilon_micronats: u64) -> Option<Randomizer> {
    let mechanism = mechanism(node, kind);
    let weights = weights(node, "weight_true", "weight_false");
    let losses = match mechanism {
        // Each bucket is memoized once.
        Mechanism::MemoizedHashing { hash_range, .. } => u64::from(hash_range),
        _ => 1,
    };
    if node.failed() {
        return None;
    }
    if !weights.keep_within(epsilon_micronats / losses) {
        node.field("weight_true").note("must keep ln(weight_true / weight_false) within epsilon_micronats");
    }
    if mechanism.payload_bits(domain_size).is_none() {
        node.note("must have outputs of at most 256 bits, and parameters that fit the number of symbols");
    }
    if mechanism == Mechanism::DiscreteLaplace && LaplaceWeights::of(domain_size, weights).is_none() {
        node.note("must have a table of weights below 2^114: take a smaller max_count or a smaller ratio");
    }
    Some(Randomizer { mechanism, weights })
}

fn weights(node: Node<'_>, of_true: &str, of_false: &str) -> Weights {
    let of_false = node.field(of_false).integer(1..=MAX_WEIGHT - 1);
    Weights { of_true: node.field(of_true).integer(of_false + 1..=MAX_WEIGHT), of_false }
}

/// Names of the mechanisms that hide the answers to questions of a kind.
fn mechanisms(kind: Kind) -> &'static str {
    match kind {
        Kind::SampledEvent => {
            "k-ary subset-selection optimized-unary local-hashing hadamard projective-geometry square-wave \
             memoized-hashing"
        }
        Kind::ThresholdBit => "k-ary subset-selection memoized-hashing",
        Kind::AnchoredBit => "k-ary",
        Kind::Mean => "duchi piecewise hybrid",
        Kind::EventCount => "discrete-laplace",
        Kind::OpenVocabulary => "local-hashing",
    }
}

fn mechanism(node: Node<'_>, kind: Kind) -> Mechanism {
    let names = mechanisms(kind);
    // Fit: every limit is below 2^32.
    let small = |name: &str, range| node.field(name).integer(range) as u32;
    let (mechanism, known) = match names.split(' ').nth(node.field("mechanism").word(names)).unwrap_or("") {
        "subset-selection" => {
            let subset_size = node.field("subset_size").size(1..=1_023);
            (Mechanism::SubsetSelection { subset_size }, "mechanism weight_true weight_false subset_size")
        }
        "optimized-unary" => (Mechanism::OptimizedUnary, "mechanism weight_true weight_false"),
        "local-hashing" => {
            let hash_range = small("hash_range", 2..=32_767);
            (Mechanism::LocalHashing { hash_range }, "mechanism weight_true weight_false hash_range")
        }
        "hadamard" => (Mechanism::Hadamard, "mechanism weight_true weight_false"),
        "projective-geometry" => {
            let field_size = small("field_size", 2..=u64::from(Geometry::MAX_FIELD_SIZE));
            let dimension = small("dimension", 2..=Geometry::MAX_DIMENSION as u64);
            let known = "mechanism weight_true weight_false field_size dimension";
            (Mechanism::ProjectiveGeometry { field_size, dimension }, known)
        }
        "square-wave" => {
            let half_width = small("half_width", 0..=1_023);
            (Mechanism::SquareWave { half_width }, "mechanism weight_true weight_false half_width")
        }
        "duchi" => (Mechanism::DuchiBit, "mechanism weight_true weight_false"),
        "piecewise" => {
            let half_width = small("half_width", 0..=1_023);
            (Mechanism::Piecewise { half_width }, "mechanism weight_true weight_false half_width")
        }
        "hybrid" => {
            let half_width = small("half_width", 0..=1_023);
            let window_share = small("window_share", 1..=65_535);
            (
                Mechanism::Hybrid { half_width, window_share },
                "mechanism weight_true weight_false half_width window_share",
            )
        }
        "discrete-laplace" => (Mechanism::DiscreteLaplace, "mechanism weight_true weight_false"),
        "memoized-hashing" => {
            let hash_range = small("hash_range", 2..=256);
            let cohorts = small("cohorts", 1..=4_096);
            let epoch_windows = small("epoch_windows", 2..=520);
            let fresh = weights(node, "fresh_weight_true", "fresh_weight_false");
            (
                Mechanism::MemoizedHashing { hash_range, cohorts, epoch_windows, fresh },
                "mechanism weight_true weight_false hash_range cohorts epoch_windows fresh_weight_true \
                 fresh_weight_false",
            )
        }
        _ => (Mechanism::KAry, "mechanism weight_true weight_false"),
    };
    node.object(known);
    mechanism
}
