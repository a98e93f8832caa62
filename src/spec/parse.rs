//! From JSON to a valid [`MonitorSpec`], section by section, in the order of `docs/spec.md`.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::parse_question::questions;
use super::read::Node;
use super::text::{Part, sentence};
use super::{
    Cap, CellKind, Cells, Codebook, Detection, Join, MAX_CAP_PERIOD_SECS, Metric, ModelEntry, MonitorSpec, OutcomeRule,
    QualityCodes, Question, SPEC_VERSION, Source, SpecId, Upload, Window,
};

const YEAR_SECS: u64 = 31_536_000;
/// Most cells of a joint metric: those of the largest question, less "no data".
const MAX_JOINT_CELLS: usize = 1_023;
/// Most edges of numeric cells.
const MAX_EDGES: usize = 1_022;
/// Most numbers of a codebook, which every device downloads and every inference reads.
const MAX_CODEBOOK_NUMBERS: usize = 16_384;

/// Reads a spec. What is read counts only if no rule was noted.
pub(super) fn parse(root: Node<'_>) -> MonitorSpec {
    root.object("$schema spec_version app description models measurement upload detection");
    root.field("spec_version").integer(SPEC_VERSION..=SPEC_VERSION);
    let app = root.field("app");
    let measurement = root.field("measurement");
    measurement.object("window privacy outcome segments metrics questions");
    let window = window(measurement.field("window"));
    let metrics = metrics(measurement.field("metrics"));
    let questions = questions(measurement.field("questions"), &metrics);
    let (caps, rotation_windows) = privacy(measurement.field("privacy"));
    MonitorSpec {
        id: SpecId::of(app.value(), measurement.value()),
        app: app.name('-').to_owned(),
        description: root.field("description").text(0..=500).to_owned(),
        models: root.field("models").items(0..=16).each(model),
        outcome: outcome(measurement.field("outcome")),
        segments: measurement.field("segments").items(1..=64).each(|label| label.text(1..=64).to_owned()),
        upload: upload(root.field("upload")),
        detection: detection(root.field("detection"), &questions),
        window,
        caps,
        rotation_windows,
        metrics,
        questions,
    }
}

fn model(model: Node<'_>) -> ModelEntry {
    model.object("version sha256 lineage");
    if let Some(lineage) = model.optional("lineage") {
        lineage.text(1..=200);
    }
    ModelEntry { version: model.field("version").text(1..=64).to_owned(), sha256: model.field("sha256").hex() }
}

fn window(window: Node<'_>) -> Window {
    window.object("length_secs grace_secs join");
    let length_secs = window.field("length_secs").integer(3_600..=YEAR_SECS);
    Window {
        length_secs,
        grace_secs: window.field("grace_secs").integer(0..=length_secs),
        join: match window.field("join").word("next_window immediately") {
            0 => Join::NextWindow,
            _ => Join::Immediately,
        },
    }
}

/// The caps and the rotation. A rotation that is absent stays absent in the canonical form, so that a spec without one
/// keeps its id.
fn privacy(privacy: Node<'_>) -> (Vec<Cap>, u32) {
    privacy.object("unit answers_per_window caps rotation_windows");
    privacy.field("unit").word("device-window");
    privacy.field("answers_per_window").integer(1..=1);
    let caps = privacy.field("caps").items(1..=4).each(|cap| {
        cap.object("period_secs epsilon_micronats");
        Cap {
            period_secs: cap.field("period_secs").integer(3_600..=MAX_CAP_PERIOD_SECS),
            epsilon_micronats: cap.field("epsilon_micronats").integer(1..=1_000_000_000),
        }
    });
    // Fits: the limit is 520, ten years of weeks.
    (caps, privacy.optional("rotation_windows").map_or(1, |node| node.integer(1..=520)) as u32)
}

fn outcome(outcome: Node<'_>) -> OutcomeRule {
    outcome.object("horizon_secs max_pending");
    OutcomeRule {
        horizon_secs: outcome.field("horizon_secs").integer(1..=YEAR_SECS),
        max_pending: outcome.field("max_pending").size(1..=4_096),
    }
}

fn metrics(node: Node<'_>) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    node.items(1..=64).each(|node| {
        let metric = metric(node, &metrics);
        metrics.push(metric);
    });
    metrics
}

fn metric(node: Node<'_>, earlier: &[Metric]) -> Metric {
    node.object("name unit source cells");
    let name = node.field("name");
    let text = name.name('_');
    if earlier.iter().any(|metric| metric.name == text) {
        name.note("must be unique among the metrics");
    }
    let source = source(node.field("source"), earlier);
    let cells = match &source {
        Source::Pair { prediction: first, outcome: second } | Source::Joint { first, second } => {
            pair_cells(node, &earlier[*first], &earlier[*second])
        }
        Source::Codebook(codebook) => codebook_cells(node.field("cells"), codebook),
        _ => cells(node.field("cells")),
    };
    let unit = node.optional("unit").map_or("", |unit| unit.text(0..=16)).to_owned();
    Metric { name: text.to_owned(), unit, source, cells }
}

fn source(node: Node<'_>, earlier: &[Metric]) -> Source {
    node.object("kind tensor index prediction outcome of vectors first second");
    let kind = node.field("kind").word("input output argmax max latency outcome pair error codebook joint");
    node.object(match kind {
        0 | 1 => "kind tensor index",
        2 | 3 => "kind tensor",
        6 => "kind prediction outcome",
        8 => "kind tensor of vectors",
        9 => "kind first second",
        _ => "kind",
    });
    let tensor = || node.field("tensor").text(1..=128).to_owned();
    let index = || node.field("index").size(0..=(1 << 24) - 1);
    match kind {
        0 => Source::Input { tensor: tensor(), index: index() },
        1 => Source::Output { tensor: tensor(), index: index() },
        2 => Source::Argmax { tensor: tensor() },
        3 => Source::Max { tensor: tensor() },
        4 => Source::Latency,
        6 => pair(node, earlier).unwrap_or(Source::Outcome),
        7 => Source::Error,
        8 => Source::Codebook(Codebook {
            tensor: tensor(),
            of_output: node.field("of").word("input output") == 1,
            vectors: vectors(node.field("vectors")),
        }),
        9 => joint(node, earlier).unwrap_or(Source::Outcome),
        _ => Source::Outcome,
    }
}

/// A prediction and its outcome.
fn pair(node: Node<'_>, earlier: &[Metric]) -> Option<Source> {
    let given = node.field("prediction");
    let prediction = metric_index(given, earlier)?;
    // A pair of pairs would multiply its cells without limit, and no inference has a value for it.
    if matches!(earlier[prediction].source, Source::Outcome | Source::Pair { .. }) {
        given.note("must name a metric whose value an inference has");
    }
    has_cells(given, &earlier[prediction]);
    let given = node.field("outcome");
    let outcome = metric_index(given, earlier)?;
    if earlier[outcome].source != Source::Outcome {
        given.note("must name a metric whose source is an outcome");
    }
    has_cells(given, &earlier[outcome]);
    Some(Source::Pair { prediction, outcome })
}

/// Two metrics that one inference has a value for.
fn joint(node: Node<'_>, earlier: &[Metric]) -> Option<Source> {
    let part = |node: Node<'_>| {
        let index = metric_index(node, earlier)?;
        if matches!(earlier[index].source, Source::Outcome | Source::Pair { .. } | Source::Joint { .. }) {
            node.note("must name a metric whose value an inference has, and no joint one");
        }
        has_cells(node, &earlier[index]);
        Some(index)
    };
    let (rows, columns) = (node.field("first"), node.field("second"));
    let (first, second) = (part(rows)?, part(columns)?);
    if earlier[first].cells.count() * earlier[second].cells.count() > MAX_JOINT_CELLS {
        let [before, after] = [Part::Text("must make at most "), Part::Text(" cells with the first")];
        columns.note_parts(&[before, Part::Number(MAX_JOINT_CELLS as u64), after]);
    }
    Some(Source::Joint { first, second })
}

fn vectors(node: Node<'_>) -> Vec<Vec<f64>> {
    let mut length = None;
    let vectors = node.items(2..=256).each(|item| {
        let numbers = item.items(1..=512);
        let vector = numbers.each(|number| number.number(-1e6..=1e6, "must be a number, from -1000000 to 1000000"));
        if *length.get_or_insert(vector.len()) != vector.len() {
            item.note("must be as long as the first vector");
        }
        vector
    });
    if vectors.len() * length.unwrap_or(0) > MAX_CODEBOOK_NUMBERS {
        let [before, after] = [Part::Text("must have at most "), Part::Text(" numbers in all")];
        node.note_parts(&[before, Part::Number(MAX_CODEBOOK_NUMBERS as u64), after]);
    }
    vectors
}

/// A pair has a cell for each pair of cells, so words cannot be paired.
fn has_cells(node: Node<'_>, metric: &Metric) {
    if matches!(metric.cells.kind, CellKind::Text { .. }) {
        node.note("must name a metric that has cells");
    }
}

/// The index of the metric that is named; `None` if there is none, which is noted.
pub(super) fn metric_index(node: Node<'_>, metrics: &[Metric]) -> Option<usize> {
    let name = node.text(1..=64);
    let found = metrics.iter().position(|metric| metric.name == name);
    if found.is_none() {
        node.note("must name a metric listed before");
    }
    found
}

fn cells(node: Node<'_>) -> Cells {
    node.object("kind edges labels max_words other missing range nan wrong_type");
    let kind = node.field("kind").word("numeric category text");
    node.object(match kind {
        0 => "kind edges missing range nan wrong_type",
        1 => "kind labels other missing nan wrong_type",
        _ => "kind max_words",
    });
    let (kind, other) = match kind {
        0 => (CellKind::Numeric { edges: edges(node.field("edges")) }, false),
        1 => (CellKind::Category { labels: labels(node.field("labels")) }, node.flag("other")),
        _ => (CellKind::Text { max_words: node.field("max_words").size(1..=4_096) }, false),
    };
    let mut spellings = Vec::new();
    if let Some(edges) = node.optional("edges") {
        edges.spellings(&mut spellings);
    }
    let mut codes = QualityCodes::default();
    if let (CellKind::Numeric { edges }, Some(limits)) = (&kind, node.optional("range")) {
        codes.range = Some(range(limits, edges));
        limits.spellings(&mut spellings);
    }
    codes.nan = node.flag("nan");
    codes.wrong_type = node.flag("wrong_type");
    Cells { kind, other, missing: node.flag("missing"), codes, spellings }
}

/// Lowest and highest number that should occur: the end cells are not empty between them.
fn range(node: Node<'_>, edges: &[f64]) -> [f64; 2] {
    let limits = node.items(2..=2);
    let (low, high) = (limits.at(0).finite(), limits.at(1).finite());
    if edges.first().is_some_and(|edge| low > *edge) {
        limits.at(0).note("must be at most the first edge");
    }
    if edges.last().is_some_and(|edge| high <= *edge) {
        limits.at(1).note("must be greater than the last edge");
    }
    [low, high]
}

/// The cells of a codebook: a label for each vector.
fn codebook_cells(node: Node<'_>, codebook: &Codebook) -> Cells {
    let cells = cells(node);
    if !matches!(&cells.kind, CellKind::Category { labels } if labels.len() == codebook.vectors.len()) {
        node.note("must be of kind category with one label for each vector of the codebook");
    }
    cells
}

fn edges(node: Node<'_>) -> Vec<f64> {
    let items = node.items(1..=MAX_EDGES);
    let edges = items.each(Node::finite);
    if let Some(at) = edges.windows(2).position(|pair| pair[0] >= pair[1]) {
        items.at(at + 1).note("must be greater than the edge before it");
    }
    edges
}

fn labels(node: Node<'_>) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    node.items(2..=1_021).each(|item| {
        let label = item.text(1..=64);
        if labels.iter().any(|earlier| earlier == label) {
            item.note("must be unique among the labels");
        }
        labels.push(label.to_owned());
    });
    labels
}

/// The cells of a pair follow from its two metrics: prediction-major.
fn pair_cells(node: Node<'_>, prediction: &Metric, outcome: &Metric) -> Cells {
    if let Some(cells) = node.optional("cells") {
        cells.note("must be absent: the cells of a pair are the product of its metrics' cells");
    }
    let (rows, columns) = (prediction.cells.labels(), outcome.cells.labels());
    let mut labels = Vec::with_capacity(rows.len() * columns.len());
    for row in &rows {
        for column in &columns {
            labels.push(sentence(&[Part::Text(row), Part::Text(" → "), Part::Text(column)]));
        }
    }
    Cells {
        kind: CellKind::Category { labels },
        other: false,
        missing: false,
        codes: QualityCodes::default(),
        spellings: Vec::new(),
    }
}

fn upload(upload: Node<'_>) -> Upload {
    upload.object("endpoint max_body_bytes");
    Upload {
        endpoint: upload.field("endpoint").text(1..=500).to_owned(),
        max_body_bytes: upload.field("max_body_bytes").size(4_096..=65_536),
    }
}

fn detection(detection: Node<'_>, questions: &[Question]) -> Detection {
    detection.object("false_alarms_per_year span_windows deltas");
    let deltas = detection.field("deltas");
    let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    let mut known = String::new();
    for name in &names {
        known.push_str(if known.is_empty() { "" } else { " " });
        known.push_str(name);
    }
    deltas.object(&known);
    Detection {
        false_alarms_per_year: detection
            .field("false_alarms_per_year")
            .number(1e-6..=1e6, "must be a number, from 0.000001 to 1000000"),
        // Fits: the limit is 64.
        span_windows: detection.field("span_windows").integer(1..=64) as u32,
        deltas: names
            .iter()
            .map(|name| deltas.field(name).number(0.0..=1.0, "must be a number, from 0 to 1"))
            .collect(),
    }
}
