//! What an audit found: the one structure behind the text, the JSON and the privacy card. `docs/audit.md` is its
//! reference.
//!
//! Field names are part of the interface. Integers that leave what JSON carries exactly are decimal text.

use std::collections::BTreeMap;

use serde::Serialize;

/// The version of this structure.
pub const AUDIT_VERSION: u32 = 1;

/// The result of an audit.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// [`AUDIT_VERSION`].
    pub audit_version: u32,
    /// Whether every check passed.
    pub passed: bool,
    /// What was claimed.
    pub spec: SpecFacts,
    /// What was run.
    pub module: ModuleFacts,
    /// One for each question of the spec, in order.
    pub questions: Vec<QuestionAudit>,
    /// Whether the auditor itself catches what it must.
    pub self_test: SelfTest,
    /// Checks that belong to no single question.
    pub checks: Vec<Check>,
    /// What this audit does not show, in sentences.
    pub limits: Vec<String>,
}

/// The spec.
#[derive(Debug, Clone, Serialize)]
pub struct SpecFacts {
    /// 32 hexadecimal digits, which stand in every report.
    pub id: String,
    /// The app whose ledger pays.
    pub app: String,
    /// For people.
    pub description: String,
    /// Models that may run.
    pub models: Vec<ModelFacts>,
    /// Length of a window in seconds.
    pub window_secs: u64,
    /// How long after its end a window takes reports, in seconds.
    pub grace_secs: u64,
    /// `next_window` or `immediately`.
    pub join: &'static str,
    /// Answers of a device in a window.
    pub answers_per_window: u32,
    /// What the loss of a report is about: `device-window`, or `event` if some question is event-level.
    pub unit: &'static str,
    /// The most that a device-window costs, in millionths of ε; event-level questions are counted for one event.
    pub window_epsilon_micronats: u64,
    /// Spending limits.
    pub caps: Vec<CapFacts>,
    /// Segment labels, which travel in clear.
    pub segments: Vec<String>,
    /// Bytes of every report.
    pub report_bytes: usize,
    /// Of these, bytes that are known before the answer is.
    pub header_bytes: usize,
    /// Of these, bytes that hide the answer.
    pub payload_bytes: usize,
}

/// A model that may run.
#[derive(Debug, Clone, Serialize)]
pub struct ModelFacts {
    /// Its version.
    pub version: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// A spending limit and what it comes to.
#[derive(Debug, Clone, Serialize)]
pub struct CapFacts {
    /// Length of the span in seconds.
    pub period_secs: u64,
    /// Most that is spent in any such span, in millionths of ε.
    pub epsilon_micronats: u64,
    /// Windows that fit in the span, a part of one counted as one.
    pub windows_in_period: u64,
    /// Windows that the cap pays for when each costs the most it can.
    pub windows_paid: u64,
    /// What a device spends in the span if it answers every window it may, by adding up: min(cap, windows · ε), in
    /// millionths.
    pub basic_micronats: u64,
    /// Tighter figures, where they were computed. Secondary: the ledger counts by adding up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounting: Option<Accounting>,
}

/// Secondary figures for the reports of one cap's period.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Accounting {
    /// δ of the (ε, δ) figures.
    pub delta: f64,
    /// Reports that are composed.
    pub reports: u64,
    /// ε of the exact optimal composition at δ: the best that follows from ε alone, whatever is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimal_epsilon: Option<f64>,
    /// ε from Rényi divergences at δ, if all answers are to `renyi_question`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renyi_epsilon: Option<f64>,
    /// The question for which `renyi_epsilon` is largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renyi_question: Option<String>,
    /// ε of one report at δ when it is shuffled among `shuffle_devices`, from above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle_upper_epsilon: Option<f64>,
    /// The same from below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle_lower_epsilon: Option<f64>,
    /// Devices among which a report is shuffled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle_devices: Option<u64>,
}

/// The wasm file that was audited.
#[derive(Debug, Clone, Serialize)]
pub struct ModuleFacts {
    /// Its path as it was given.
    pub file: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Length.
    pub bytes: u64,
    /// The import that gives entropy, which the audit scripts.
    pub entropy_import: String,
    /// Imports besides it. None of them was called while a report was made, or the audit fails.
    pub other_imports: usize,
}

/// What was found about one question.
#[derive(Debug, Clone, Serialize)]
pub struct QuestionAudit {
    /// Its index in the spec.
    pub index: u16,
    /// Its name.
    pub name: String,
    /// The metric it asks about.
    pub metric: String,
    /// The metric's unit, for people; may be empty.
    pub metric_unit: String,
    /// What it asks, by the spec's name.
    pub kind: &'static str,
    /// The threshold it asks about, in the metric's unit.
    pub threshold: Option<f64>,
    /// Number of true symbols: 2^32 for an open vocabulary.
    pub symbols: u64,
    /// How often it is asked, as a share of the questions.
    pub asked_share: f64,
    /// Name of the mechanism.
    pub mechanism: &'static str,
    /// Its parameters by their names in the spec.
    pub parameters: BTreeMap<&'static str, u64>,
    /// W_t.
    pub weight_true: u64,
    /// W_f.
    pub weight_false: u64,
    /// What one answer is charged, in millionths of ε.
    pub claim_micronats: u64,
    /// Whether the loss is about one event of the window and not about the whole window: then m events cost m times
    /// as much.
    pub event_level: bool,
    /// ln(W_t/W_f), between these ends.
    pub loss: Enclosure,
    /// Claim less the upper end of what the ledger must pay for: at least 0, or the audit fails.
    pub slack: f64,
    /// How many times more one fake report moves the estimate than 1/n.
    pub influence: Option<f64>,
    /// The same in words.
    pub influence_in_words: String,
    /// Bits of a payload.
    pub payload_bits: u32,
    /// Number of outputs, as decimal text.
    pub outputs: String,
    /// How a report comes about, for a reader who is no engineer.
    pub law_in_words: String,
    /// The enumerated law.
    pub exact: Exact,
    /// What sampling shows.
    pub black_box: BlackBox,
    /// Executed instructions by symbol.
    pub control_flow: ControlFlow,
    /// Every check of this question.
    pub checks: Vec<Check>,
}

/// A real number between two others.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Enclosure {
    /// At most the number.
    pub lower: f64,
    /// At least the number.
    pub upper: f64,
}

/// What enumerating the law through the module gave.
#[derive(Debug, Clone, Serialize)]
pub struct Exact {
    /// `all-outputs`, `branches`, `per-coin` or `per-memo-key`.
    pub method: &'static str,
    /// The method in a sentence.
    pub method_in_words: String,
    /// True symbols whose law was enumerated.
    pub symbols: u64,
    /// Public coins or memo keys for which it was enumerated.
    pub coins: u64,
    /// Runs of the module.
    pub runs: u64,
    /// Largest ratio of two probabilities of one output: numerator, as decimal text.
    pub ratio_numerator: String,
    /// Its denominator.
    pub ratio_denominator: String,
    /// Its logarithm: the exact ε.
    pub epsilon: Enclosure,
    /// Reports made with random entropy that the enumerated law foretold.
    pub foretold: u64,
}

/// A lower bound on ε that no sound explanation of the sample goes below, but for the stated error.
#[derive(Debug, Clone, Serialize)]
pub struct BlackBox {
    /// Reports made with the platform's entropy.
    pub reports: u64,
    /// The event whose probability was compared.
    pub event: String,
    /// The lower bound.
    pub lower_bound: f64,
    /// Lower bound from the output that looked worst on the first half of the sample, tested on the second half.
    pub found_lower_bound: Option<f64>,
    /// Lower bound over what the event can show: the claim, but for mechanisms whose event is looser.
    pub share_of_claim: f64,
    /// Chance that a sound module gets a bound above its true ε.
    pub error: f64,
}

/// Executed instructions of the module, compared over symbols with the same entropy.
#[derive(Debug, Clone, Serialize)]
pub struct ControlFlow {
    /// Whether each symbol took the same number of instructions whenever the report was the same. Informative: it
    /// decides nothing.
    pub constant: bool,
    /// Fewest instructions of a report.
    pub least: u64,
    /// Most.
    pub most: u64,
    /// What it means.
    pub note: String,
}

/// One thing that was checked.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Short name, stable.
    pub name: &'static str,
    /// The part of the audit.
    pub part: Part,
    /// The outcome.
    pub passed: bool,
    /// What was found, in a sentence.
    pub sentence: String,
}

/// Parts of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// From the spec alone.
    Static,
    /// From the enumerated law.
    Exact,
    /// From reports with the platform's entropy.
    BlackBox,
    /// From the bytes and the requests for entropy.
    Format,
    /// About the auditor.
    SelfTest,
}

/// Randomizers that were broken on purpose, and sound ones.
#[derive(Debug, Clone, Serialize)]
pub struct SelfTest {
    /// The broken ones.
    pub planted: Vec<PlantedBug>,
    /// Sound randomizers that were audited.
    pub sound: u64,
    /// Of these, accused.
    pub false_accusations: u64,
}

/// A randomizer that was broken on purpose.
#[derive(Debug, Clone, Serialize)]
pub struct PlantedBug {
    /// Its name.
    pub name: &'static str,
    /// What is wrong with it.
    pub description: &'static str,
    /// The parts that accused it; it is caught if there is one.
    pub caught_by: Vec<Part>,
    /// What the first of them said.
    pub finding: String,
}

impl Check {
    /// The outcome of a check.
    #[must_use]
    pub fn new(name: &'static str, part: Part, passed: bool, sentence: impl Into<String>) -> Self {
        Self { name, part, passed, sentence: sentence.into() }
    }
}

impl QuestionAudit {
    /// Whether each of its checks passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

impl SelfTest {
    /// Whether every planted bug was caught and nothing sound accused.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.planted.iter().all(|bug| !bug.caught_by.is_empty()) && self.false_accusations == 0
    }
}
