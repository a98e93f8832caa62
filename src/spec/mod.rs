//! The monitor spec: what is measured, what is asked, how it is hidden and what it may cost.
//!
//! A [`MonitorSpec`] exists only in valid form: [`MonitorSpec::parse`] reads the JSON of `pkg-config.json`, refuses what it
//! does not know, and every error names the JSON pointer, the rule and the limit, never a value of the document. The
//! fields and their ranges are in `docs/spec.md`.
//!
//! ```
//! # let text = include_str!("../../pkg-config.json");
//! let spec = driftglass::spec::MonitorSpec::parse(text)?;
//! println!("{} asks {} questions", spec.id(), spec.questions.len());
//! # Ok::<(), driftglass::spec::SpecError>(())
//! ```

use alloc::{borrow::ToOwned, string::String, vec::Vec};

mod canonical;
mod document;
mod laplace;
mod mechanism;
mod model;
mod parse;
mod parse_question;
mod question;
mod read;
mod text;
mod word;

pub use canonical::SpecId;
#[cfg(all(feature = "js", not(feature = "std"), target_arch = "wasm32", target_os = "unknown"))]
pub(crate) use document::Number;
pub(crate) use document::Value;
pub use laplace::LaplaceWeights;
pub use mechanism::{Geometry, HYBRID_SHARES, Mechanism, Randomizer, Weights, rank_bits};
pub use model::{ModelRefused, ModelShape};
pub use question::{Question, QuestionKind};
pub use read::SpecError;
#[cfg(all(feature = "js", target_arch = "wasm32", target_os = "unknown"))]
pub(crate) use read::hex_bytes;
#[cfg(feature = "std")]
pub(crate) use read::{Node, json, read};
pub(crate) use text::{Part, hex, joined, sentence};
pub use word::word;

/// The longest period of a cap, in seconds: ten years. A ledger remembers that long, whatever spec is in force.
pub const MAX_CAP_PERIOD_SECS: u64 = 10 * 31_536_000;

/// The version of the spec document this crate reads.
pub const SPEC_VERSION: u64 = 1;

/// A valid spec.
#[derive(Debug, Clone)]
pub struct MonitorSpec {
    /// The app whose ledger pays for reports.
    pub app: String,
    /// For people.
    pub description: String,
    /// The models that may run.
    pub models: Vec<ModelEntry>,
    /// How time is cut.
    pub window: Window,
    /// Spending limits; every one holds.
    pub caps: Vec<Cap>,
    /// Of each block of so many consecutive windows, window index / `rotation_windows`, a device answers one; 1 to 520.
    pub rotation_windows: u32,
    /// How predictions wait for their outcome.
    pub outcome: OutcomeRule,
    /// Segment labels; they travel in clear.
    pub segments: Vec<String>,
    /// The monitored quantities.
    pub metrics: Vec<Metric>,
    /// What a device may be asked.
    pub questions: Vec<Question>,
    /// How reports travel.
    pub upload: Upload,
    /// What the centre alerts on.
    pub detection: Detection,
    id: SpecId,
}

impl MonitorSpec {
    /// Reads a spec from JSON text.
    ///
    /// # Errors
    ///
    /// [`SpecError`] names the first rule that does not hold, with the JSON pointer and the limit.
    #[cfg(feature = "text")]
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        Self::read(&read::json(text)?)
    }

    /// Reads a spec from a document that someone else took apart.
    pub(crate) fn read(document: &Value) -> Result<Self, SpecError> {
        read::read(document, parse::parse)
    }

    /// The hash of the measured part, which stands in every report.
    #[must_use]
    pub fn id(&self) -> SpecId {
        self.id
    }

    /// Bytes of a payload: the most that any question needs, so that all reports of a spec have one length.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        self.questions.iter().map(Question::payload_bytes).max().unwrap_or(0)
    }

    /// The metric a question asks about.
    #[must_use]
    pub fn metric_of(&self, question: &Question) -> &Metric {
        &self.metrics[question.metric]
    }

    /// Whether a model with this SHA-256 may run.
    #[must_use]
    pub fn lists_model(&self, sha256: &[u8; 32]) -> bool {
        self.models.iter().any(|model| &model.sha256 == sha256)
    }
}

/// A model that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    /// Its version.
    pub version: String,
    /// SHA-256 of the ONNX file.
    pub sha256: [u8; 32],
}

/// Number of a window: floor(Unix seconds / window length).
pub type WindowIndex = u32;

/// How time is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Length in seconds.
    pub length_secs: u64,
    /// How long after its end a window still takes reports, in seconds.
    pub grace_secs: u64,
    /// Which window a new device answers first.
    pub join: Join,
}

impl Window {
    /// The window that contains a moment.
    #[must_use]
    pub fn index_at(&self, now_secs: u64) -> WindowIndex {
        WindowIndex::try_from(now_secs / self.length_secs).unwrap_or(WindowIndex::MAX)
    }

    /// First second of a window.
    #[must_use]
    pub fn start_secs(&self, window: WindowIndex) -> u64 {
        u64::from(window) * self.length_secs
    }

    /// First second after a window.
    #[must_use]
    pub fn end_secs(&self, window: WindowIndex) -> u64 {
        self.start_secs(window) + self.length_secs
    }

    /// Whether reports of a window are still taken.
    #[must_use]
    pub fn is_open(&self, window: WindowIndex, now_secs: u64) -> bool {
        now_secs < self.end_secs(window) + self.grace_secs
    }
}

/// Which window a new device answers first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// The one after it joined, so that clearing storage buys at most one report per window.
    NextWindow,
    /// The one it joined in. For tests.
    Immediately,
}

/// In any span of `period_secs` a device spends at most `epsilon_micronats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// Length of the span in seconds.
    pub period_secs: u64,
    /// Most that is spent in it, in millionths of ε.
    pub epsilon_micronats: u64,
}

/// How predictions wait for their outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomeRule {
    /// Longest wait in seconds.
    pub horizon_secs: u64,
    /// Most predictions that wait.
    pub max_pending: usize,
}

/// One monitored quantity.
#[derive(Debug, Clone)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Unit, for people; may be empty.
    pub unit: String,
    /// Where its value comes from.
    pub source: Source,
    /// How a value becomes a cell.
    pub cells: Cells,
}

/// Where a metric's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// One element of an input tensor.
    Input {
        /// Name of the tensor.
        tensor: String,
        /// Index of the element.
        index: usize,
    },
    /// One element of an output tensor.
    Output {
        /// Name of the tensor.
        tensor: String,
        /// Index of the element.
        index: usize,
    },
    /// Index of the largest element of an output tensor: the predicted class.
    Argmax {
        /// Name of the tensor.
        tensor: String,
    },
    /// Largest element of an output tensor: the confidence.
    Max {
        /// Name of the tensor.
        tensor: String,
    },
    /// Milliseconds of one inference.
    Latency,
    /// Whether an inference failed: 1 if so, else 0.
    Error,
    /// Number of the vector that a tensor is nearest to.
    Codebook(Codebook),
    /// Cell of one metric × cell of another, both of one inference; indices of two metrics.
    Joint {
        /// The metric whose cells are the rows.
        first: usize,
        /// The metric whose cells are the columns.
        second: usize,
    },
    /// What turned out to be true, told later.
    Outcome,
    /// Cell of a prediction × cell of its outcome; indices of two metrics.
    Pair {
        /// The metric of the prediction.
        prediction: usize,
        /// The metric of the outcome.
        outcome: usize,
    },
}

/// Public vectors that a tensor is compared with, so that many numbers become one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Codebook {
    /// Name of the tensor.
    pub tensor: String,
    /// Whether it is an output or an input.
    pub of_output: bool,
    /// The vectors, all of one length; their number is that of the metric's labels.
    pub vectors: Vec<Vec<f64>>,
}

impl Codebook {
    /// Length of the vectors.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.vectors.first().map_or(0, Vec::len)
    }
}

/// How a value becomes a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// The shape of the cells.
    pub kind: CellKind,
    /// Whether values that are no label have a cell of their own.
    pub other: bool,
    /// Whether missing values have a cell of their own.
    pub missing: bool,
    /// Cells for values that should not occur.
    pub codes: QualityCodes,
    /// The edges of numeric cells and then the limits of their range, as the canonical form of the spec spells them.
    pub spellings: Vec<String>,
}

/// Which values that should not occur have a cell of their own; these cells stand after all others, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QualityCodes {
    /// Numbers below the first and above the second have a cell each.
    pub range: Option<[f64; 2]>,
    /// NaN, which without a cell counts as missing.
    pub nan: bool,
    /// Text where numbers are expected, and numbers that cannot be an index where labels are; without a cell they count
    /// as "other".
    pub wrong_type: bool,
}

impl QualityCodes {
    /// Number of their cells.
    #[must_use]
    pub fn count(&self) -> usize {
        2 * usize::from(self.range.is_some()) + usize::from(self.nan) + usize::from(self.wrong_type)
    }
}

impl Cells {
    /// Number of cells.
    #[must_use]
    pub fn count(&self) -> usize {
        self.first_code() + self.codes.count()
    }

    /// Whether the cells have an order that drift is measured along.
    #[must_use]
    pub fn ordered(&self) -> bool {
        matches!(self.kind, CellKind::Numeric { .. }) && !self.missing && self.codes.count() == 0
    }

    /// The cell of values that are no label.
    #[must_use]
    pub fn other_cell(&self) -> Option<usize> {
        self.other.then(|| self.base())
    }

    /// The cell of missing values.
    #[must_use]
    pub fn missing_cell(&self) -> Option<usize> {
        self.missing.then(|| self.base() + usize::from(self.other))
    }

    /// The cell of numbers below the range; that of numbers above it is the next.
    #[must_use]
    pub fn below_cell(&self) -> Option<usize> {
        self.codes.range.map(|_| self.first_code())
    }

    /// The cell of NaN.
    #[must_use]
    pub fn nan_cell(&self) -> Option<usize> {
        self.codes.nan.then(|| self.first_code() + 2 * usize::from(self.codes.range.is_some()))
    }

    /// The cell of values of the wrong type: the last.
    #[must_use]
    pub fn wrong_type_cell(&self) -> Option<usize> {
        self.codes.wrong_type.then(|| self.count() - 1)
    }

    /// A name for each cell.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        use Part::Text;
        let mut labels: Vec<String> = Vec::with_capacity(self.count());
        match &self.kind {
            CellKind::Numeric { edges } => {
                let edges = self.spellings.get(..edges.len()).unwrap_or(&[]);
                let mut below: Option<&str> = None;
                for edge in edges {
                    labels.push(match below {
                        None => joined("≤ ", edge),
                        Some(below) => sentence(&[Text("("), Text(below), Text(", "), Text(edge), Text("]")]),
                    });
                    below = Some(edge);
                }
                if let Some(last) = below {
                    labels.push(joined("> ", last));
                }
            }
            CellKind::Category { labels: names } => labels.extend_from_slice(names),
            CellKind::Text { .. } => {}
        }
        let mut code = |there: bool, name: &str| {
            if there {
                labels.push(name.to_owned());
            }
        };
        code(self.other, "other");
        code(self.missing, "missing");
        if let (Some(_), [.., low, high]) = (self.codes.range, self.spellings.as_slice()) {
            code(true, &joined("below ", low));
            code(true, &joined("above ", high));
        }
        code(self.codes.nan, "NaN");
        code(self.codes.wrong_type, "wrong type");
        labels
    }

    /// Most different words that a device counts in a window; 0 unless the cells are text.
    #[must_use]
    pub fn max_words(&self) -> usize {
        match self.kind {
            CellKind::Text { max_words } => max_words,
            _ => 0,
        }
    }

    fn first_code(&self) -> usize {
        self.base() + usize::from(self.other) + usize::from(self.missing)
    }

    fn base(&self) -> usize {
        match &self.kind {
            CellKind::Numeric { edges } => edges.len() + 1,
            CellKind::Category { labels } => labels.len(),
            CellKind::Text { .. } => 0,
        }
    }
}

/// The shape of a metric's cells.
#[derive(Debug, Clone, PartialEq)]
pub enum CellKind {
    /// Right-closed intervals between increasing edges; the end cells are open.
    Numeric {
        /// Inner edges, in the metric's unit.
        edges: Vec<f64>,
    },
    /// Named values.
    Category {
        /// Their names; an integer value is an index into them.
        labels: Vec<String>,
    },
    /// Words that no list knows, for an open vocabulary. No cells: words are counted by their hash.
    Text {
        /// Most different words that a device counts in a window; those that come later are not counted.
        max_words: usize,
    },
}

/// How reports travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Where they are posted.
    pub endpoint: String,
    /// Most bytes of one body.
    pub max_body_bytes: usize,
}

/// What the centre alerts on.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Alarms a year that are accepted when nothing is wrong.
    pub false_alarms_per_year: f64,
    /// A verdict is about this many windows: the one it is given for and those before it.
    pub span_windows: u32,
    /// For each question, in order, the smallest effect that matters.
    pub deltas: Vec<f64>,
}
