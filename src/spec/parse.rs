//! From JSON to a valid [`MonitorSpec`], section by section, in the order of `docs/spec.md`.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::document::Value;
use super::parse_question::questions;
use super::read::{Breach, Node, Object};
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

pub(super) fn parse(document: &Value) -> Result<MonitorSpec, Breach> {
    let root = Node::root(document);
    let top = root.object(&[
        "$schema",
        "spec_version",
        "app",
        "description",
        "models",
        "measurement",
        "upload",
        "detection",
    ])?;
    top.field("spec_version")?.integer(SPEC_VERSION..=SPEC_VERSION)?;
    let app = top.field("app")?;
    let measurement = top.field("measurement")?;
    let part = measurement.object(&["window", "privacy", "outcome", "segments", "metrics", "questions"])?;
    let window = window(&part.field("window")?)?;
    let metrics = metrics(&part.field("metrics")?)?;
    let questions = questions(&part.field("questions")?, &metrics)?;
    let (caps, rotation_windows) = privacy(&part.field("privacy")?)?;
    Ok(MonitorSpec {
        id: SpecId::of(app.value(), measurement.value()),
        app: app.name('-')?.to_owned(),
        description: top.field("description")?.text(0..=500)?.to_owned(),
        models: models(&top.field("models")?)?,
        outcome: outcome(&part.field("outcome")?)?,
        segments: segments(&part.field("segments")?)?,
        upload: upload(&top.field("upload")?)?,
        detection: detection(&top.field("detection")?, &questions)?,
        window,
        caps,
        rotation_windows,
        metrics,
        questions,
    })
}

fn models(node: &Node<'_>) -> Result<Vec<ModelEntry>, Breach> {
    let read = |node: Node<'_>| {
        let model = node.object(&["version", "sha256", "lineage"])?;
        if let Some(lineage) = model.optional("lineage") {
            lineage.text(1..=200)?;
        }
        let version = model.field("version")?.text(1..=64)?.to_owned();
        Ok(ModelEntry { version, sha256: model.field("sha256")?.hex()? })
    };
    node.items(0..=16)?.into_iter().map(read).collect()
}

fn window(node: &Node<'_>) -> Result<Window, Breach> {
    let window = node.object(&["length_secs", "grace_secs", "join"])?;
    let length_secs = window.field("length_secs")?.integer(3_600..=YEAR_SECS)?;
    Ok(Window {
        length_secs,
        grace_secs: window.field("grace_secs")?.integer(0..=length_secs)?,
        join: window.field("join")?.word(&[("next_window", Join::NextWindow), ("immediately", Join::Immediately)])?,
    })
}

/// The caps and the rotation. A rotation that is absent stays absent in the canonical form, so that a spec without one
/// keeps its id.
fn privacy(node: &Node<'_>) -> Result<(Vec<Cap>, u32), Breach> {
    let privacy = node.object(&["unit", "answers_per_window", "caps", "rotation_windows"])?;
    privacy.field("unit")?.word(&[("device-window", ())])?;
    privacy.field("answers_per_window")?.integer(1..=1)?;
    let read = |node: Node<'_>| {
        let cap = node.object(&["period_secs", "epsilon_micronats"])?;
        Ok(Cap {
            period_secs: cap.field("period_secs")?.integer(3_600..=MAX_CAP_PERIOD_SECS)?,
            epsilon_micronats: cap.field("epsilon_micronats")?.integer(1..=1_000_000_000)?,
        })
    };
    let caps = privacy.field("caps")?.items(1..=4)?.into_iter().map(read).collect::<Result<_, _>>()?;
    // Fits: the limit is 520, ten years of weeks.
    let rotation = |node: Node<'_>| Ok::<_, Breach>(node.integer(1..=520)? as u32);
    Ok((caps, privacy.optional("rotation_windows").map_or(Ok(1), rotation)?))
}

fn outcome(node: &Node<'_>) -> Result<OutcomeRule, Breach> {
    let outcome = node.object(&["horizon_secs", "max_pending"])?;
    Ok(OutcomeRule {
        horizon_secs: outcome.field("horizon_secs")?.integer(1..=YEAR_SECS)?,
        max_pending: outcome.field("max_pending")?.size(1..=4_096)?,
    })
}

fn segments(node: &Node<'_>) -> Result<Vec<String>, Breach> {
    node.items(1..=64)?.iter().map(|label| Ok(label.text(1..=64)?.to_owned())).collect()
}

fn metrics(node: &Node<'_>) -> Result<Vec<Metric>, Breach> {
    let mut metrics: Vec<Metric> = Vec::new();
    for node in node.items(1..=64)? {
        let object = node.object(&["name", "unit", "source", "cells"])?;
        let name = object.field("name")?;
        let text = name.name('_')?;
        if metrics.iter().any(|metric| metric.name == text) {
            return Err(name.error("must be unique among the metrics"));
        }
        let source = source(&object.field("source")?, &metrics)?;
        let cells = match source {
            Source::Pair { prediction, outcome } => pair_cells(&object, &metrics[prediction], &metrics[outcome])?,
            Source::Joint { first, second } => pair_cells(&object, &metrics[first], &metrics[second])?,
            Source::Codebook(ref codebook) => codebook_cells(&object.field("cells")?, codebook)?,
            _ => cells(&object.field("cells")?)?,
        };
        let unit = object.optional("unit").map_or(Ok(""), |unit| unit.text(0..=16))?.to_owned();
        metrics.push(Metric { name: text.to_owned(), unit, source, cells });
    }
    Ok(metrics)
}

fn source(node: &Node<'_>, earlier: &[Metric]) -> Result<Source, Breach> {
    #[derive(Clone, Copy)]
    enum Kind {
        Input,
        Output,
        Argmax,
        Max,
        Latency,
        Outcome,
        Pair,
        Error,
        Codebook,
        Joint,
    }
    let source =
        node.object(&["kind", "tensor", "index", "prediction", "outcome", "of", "vectors", "first", "second"])?;
    let kind = source.field("kind")?.word(&[
        ("input", Kind::Input),
        ("output", Kind::Output),
        ("argmax", Kind::Argmax),
        ("max", Kind::Max),
        ("latency", Kind::Latency),
        ("outcome", Kind::Outcome),
        ("pair", Kind::Pair),
        ("error", Kind::Error),
        ("codebook", Kind::Codebook),
        ("joint", Kind::Joint),
    ])?;
    let needs: &[&str] = match kind {
        Kind::Input | Kind::Output => &["kind", "tensor", "index"],
        Kind::Argmax | Kind::Max => &["kind", "tensor"],
        Kind::Latency | Kind::Outcome | Kind::Error => &["kind"],
        Kind::Codebook => &["kind", "tensor", "of", "vectors"],
        Kind::Joint => &["kind", "first", "second"],
        Kind::Pair => &["kind", "prediction", "outcome"],
    };
    let source = node.object(needs)?;
    let tensor = || Ok::<_, Breach>(source.field("tensor")?.text(1..=128)?.to_owned());
    let index = || source.field("index")?.size(0..=(1 << 24) - 1);
    Ok(match kind {
        Kind::Input => Source::Input { tensor: tensor()?, index: index()? },
        Kind::Output => Source::Output { tensor: tensor()?, index: index()? },
        Kind::Argmax => Source::Argmax { tensor: tensor()? },
        Kind::Max => Source::Max { tensor: tensor()? },
        Kind::Latency => Source::Latency,
        Kind::Outcome => Source::Outcome,
        Kind::Error => Source::Error,
        Kind::Codebook => Source::Codebook(Codebook {
            tensor: tensor()?,
            of_output: source.field("of")?.word(&[("input", false), ("output", true)])?,
            vectors: vectors(&source.field("vectors")?)?,
        }),
        Kind::Joint => joint(&source.field("first")?, &source.field("second")?, earlier)?,
        Kind::Pair => {
            let node = source.field("prediction")?;
            let prediction = metric_index(&node, earlier)?;
            // A pair of pairs would multiply its cells without limit, and no inference has a value for it.
            if matches!(earlier[prediction].source, Source::Outcome | Source::Pair { .. }) {
                return Err(node.error("must name a metric whose value an inference has"));
            }
            has_cells(&node, &earlier[prediction])?;
            let node = source.field("outcome")?;
            let outcome = metric_index(&node, earlier)?;
            if earlier[outcome].source != Source::Outcome {
                return Err(node.error("must name a metric whose source is an outcome"));
            }
            has_cells(&node, &earlier[outcome])?;
            Source::Pair { prediction, outcome }
        }
    })
}

/// Two metrics that one inference has a value for.
fn joint(first: &Node<'_>, second: &Node<'_>, earlier: &[Metric]) -> Result<Source, Breach> {
    let part = |node: &Node<'_>| {
        let index = metric_index(node, earlier)?;
        if matches!(earlier[index].source, Source::Outcome | Source::Pair { .. } | Source::Joint { .. }) {
            return Err(node.error("must name a metric whose value an inference has, and no joint one"));
        }
        has_cells(node, &earlier[index])?;
        Ok(index)
    };
    let (rows, columns) = (part(first)?, part(second)?);
    if earlier[rows].cells.count() * earlier[columns].cells.count() > MAX_JOINT_CELLS {
        return Err(second.error_with(format_args!("must make at most {MAX_JOINT_CELLS} cells with the first")));
    }
    Ok(Source::Joint { first: rows, second: columns })
}

fn vectors(node: &Node<'_>) -> Result<Vec<Vec<f64>>, Breach> {
    let items = node.items(2..=256)?;
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(items.len());
    for item in items {
        let numbers = item.items(1..=512)?;
        let vector: Vec<f64> = numbers
            .iter()
            .map(|number| number.number(-1e6..=1e6, "must be a number, from -1000000 to 1000000"))
            .collect::<Result<_, _>>()?;
        if vectors.first().is_some_and(|first| first.len() != vector.len()) {
            return Err(item.error("must be as long as the first vector"));
        }
        vectors.push(vector);
    }
    if vectors.len() * vectors[0].len() > MAX_CODEBOOK_NUMBERS {
        return Err(node.error_with(format_args!("must have at most {MAX_CODEBOOK_NUMBERS} numbers in all")));
    }
    Ok(vectors)
}

/// A pair has a cell for each pair of cells, so words cannot be paired.
fn has_cells(node: &Node<'_>, metric: &Metric) -> Result<(), Breach> {
    match metric.cells.kind {
        CellKind::Text { .. } => Err(node.error("must name a metric that has cells")),
        _ => Ok(()),
    }
}

pub(super) fn metric_index(node: &Node<'_>, metrics: &[Metric]) -> Result<usize, Breach> {
    let name = node.text(1..=64)?;
    let found = metrics.iter().position(|metric| metric.name == name);
    found.ok_or_else(|| node.error("must name a metric listed before"))
}

fn cells(node: &Node<'_>) -> Result<Cells, Breach> {
    #[derive(Clone, Copy)]
    enum Kind {
        Numeric,
        Category,
        Text,
    }
    let object =
        node.object(&["kind", "edges", "labels", "max_words", "other", "missing", "range", "nan", "wrong_type"])?;
    let kinds = [("numeric", Kind::Numeric), ("category", Kind::Category), ("text", Kind::Text)];
    let (kind, other) = match object.field("kind")?.word(&kinds)? {
        Kind::Numeric => {
            node.object(&["kind", "edges", "missing", "range", "nan", "wrong_type"])?;
            (CellKind::Numeric { edges: edges(&object.field("edges")?)? }, false)
        }
        Kind::Category => {
            node.object(&["kind", "labels", "other", "missing", "nan", "wrong_type"])?;
            (CellKind::Category { labels: labels(&object.field("labels")?)? }, object.flag("other")?)
        }
        Kind::Text => {
            node.object(&["kind", "max_words"])?;
            (CellKind::Text { max_words: object.field("max_words")?.size(1..=4_096)? }, false)
        }
    };
    let range = match (&kind, object.optional("range")) {
        (CellKind::Numeric { edges }, Some(node)) => Some(range(&node, edges)?),
        _ => None,
    };
    let codes = QualityCodes { range, nan: object.flag("nan")?, wrong_type: object.flag("wrong_type")? };
    let numbers = ["edges", "range"].into_iter().filter_map(|name| object.optional(name));
    let spellings = numbers.flat_map(|list| list.spellings()).collect();
    Ok(Cells { kind, other, missing: object.flag("missing")?, codes, spellings })
}

/// Lowest and highest number that should occur: the end cells are not empty between them.
fn range(node: &Node<'_>, edges: &[f64]) -> Result<[f64; 2], Breach> {
    let items = node.items(2..=2)?;
    let (low, high) = (items[0].finite()?, items[1].finite()?);
    if edges.first().is_some_and(|edge| low > *edge) {
        return Err(items[0].error("must be at most the first edge"));
    }
    if edges.last().is_some_and(|edge| high <= *edge) {
        return Err(items[1].error("must be greater than the last edge"));
    }
    Ok([low, high])
}

/// The cells of a codebook: a label for each vector.
fn codebook_cells(node: &Node<'_>, codebook: &Codebook) -> Result<Cells, Breach> {
    let cells = cells(node)?;
    match &cells.kind {
        CellKind::Category { labels } if labels.len() == codebook.vectors.len() => Ok(cells),
        _ => Err(node.error("must be of kind category with one label for each vector of the codebook")),
    }
}

fn edges(node: &Node<'_>) -> Result<Vec<f64>, Breach> {
    let items = node.items(1..=MAX_EDGES)?;
    let edges: Vec<f64> = items.iter().map(Node::finite).collect::<Result<_, _>>()?;
    match edges.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(at) => Err(items[at + 1].error("must be greater than the edge before it")),
        None => Ok(edges),
    }
}

fn labels(node: &Node<'_>) -> Result<Vec<String>, Breach> {
    let items = node.items(2..=1_021)?;
    let mut labels: Vec<String> = Vec::new();
    for item in items {
        let label = item.text(1..=64)?;
        if labels.iter().any(|earlier| earlier == label) {
            return Err(item.error("must be unique among the labels"));
        }
        labels.push(label.to_owned());
    }
    Ok(labels)
}

/// The cells of a pair follow from its two metrics: prediction-major.
fn pair_cells(object: &Object<'_>, prediction: &Metric, outcome: &Metric) -> Result<Cells, Breach> {
    if let Some(node) = object.optional("cells") {
        return Err(node.error("must be absent: the cells of a pair are the product of its metrics' cells"));
    }
    let product =
        |p: &String| outcome.cells.labels().into_iter().map(move |o| format!("{p} → {o}")).collect::<Vec<_>>();
    let labels = prediction.cells.labels().iter().flat_map(product).collect();
    Ok(Cells {
        kind: CellKind::Category { labels },
        other: false,
        missing: false,
        codes: QualityCodes::default(),
        spellings: Vec::new(),
    })
}

fn upload(node: &Node<'_>) -> Result<Upload, Breach> {
    let upload = node.object(&["endpoint", "max_body_bytes"])?;
    Ok(Upload {
        endpoint: upload.field("endpoint")?.text(1..=500)?.to_owned(),
        max_body_bytes: upload.field("max_body_bytes")?.size(4_096..=65_536)?,
    })
}

fn detection(node: &Node<'_>, questions: &[Question]) -> Result<Detection, Breach> {
    let detection = node.object(&["false_alarms_per_year", "span_windows", "deltas"])?;
    let node = detection.field("deltas")?;
    let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    let deltas = node.object(&names)?;
    Ok(Detection {
        false_alarms_per_year: detection
            .field("false_alarms_per_year")?
            .number(1e-6..=1e6, "must be a number, from 0.000001 to 1000000")?,
        // Fits: the limit is 64.
        span_windows: detection.field("span_windows")?.integer(1..=64)? as u32,
        deltas: names
            .iter()
            .map(|name| deltas.field(name)?.number(0.0..=1.0, "must be a number, from 0 to 1"))
            .collect::<Result<_, _>>()?,
    })
}
