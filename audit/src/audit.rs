//! One audit: every question, every part.

use driftglass::spec::{MonitorSpec, SpecError};

use crate::black_box;
use crate::claims;
use crate::exact;
use crate::format;
use crate::module::Shipped;
use crate::probe::{Probe, ProbeError};
use crate::secondary;
use crate::self_test;
use crate::tape::Chance;
use crate::verdict::{AUDIT_VERSION, Audit, BlackBox, Check, ControlFlow, Part, QuestionAudit};

/// How thorough an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Reports of each question with the platform's entropy.
    pub reports: u64,
    /// Reports of each question that the enumerated law must foretell.
    pub foretell: u64,
}

impl Effort {
    /// The ordinary audit.
    pub const NORMAL: Self = Self { reports: 1_000_000, foretell: 20_000 };
    /// With bounds that come near the claim.
    pub const FULL: Self = Self { reports: 10_000_000, foretell: 100_000 };
}

/// Chance that an audit of sound randomizers ends with an accusation: shared by its questions.
pub const ERROR: f64 = 1e-6;

/// Why there was no audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The spec is none.
    #[error("the spec is not valid: {0}")]
    Spec(#[from] SpecError),
    /// The module does not run.
    #[error(transparent)]
    Module(#[from] ProbeError),
}

/// Audits a module against a spec.
///
/// # Errors
///
/// [`AuditError`] when there is nothing to audit. A module that fails during the audit fails the audit.
pub fn audit(text: &str, shipped: &Shipped, effort: Effort) -> Result<Audit, AuditError> {
    let spec = MonitorSpec::parse(text)?;
    let mut running = shipped.start(text)?;
    let error = ERROR / spec.questions.len() as f64;
    let mut choices = Chance::system();
    let mut questions = Vec::new();
    for index in 0..spec.questions.len() as u16 {
        let seeds = Seeds { points: choices.word(), choices: choices.word(), entropy: None };
        questions.push(question(&mut running.question(index), &spec, index, effort, error, seeds));
    }
    let self_test = self_test::quick(choices.word());
    let checks = vec![
        one_length(&spec),
        loss_in_caps(&spec),
        Check::new(
            "imports",
            Part::Format,
            questions.iter().all(QuestionAudit::made_reports),
            "the module made reports from spec, symbol, coin, memo key and entropy alone: any other import would \
                have stopped it",
        ),
        Check::new(
            "planted-bugs",
            Part::SelfTest,
            self_test.passed(),
            format!(
                "{} of {} planted bugs caught, {} of {} sound randomizers accused",
                self_test.planted.iter().filter(|bug| !bug.caught_by.is_empty()).count(),
                self_test.planted.len(),
                self_test.false_accusations,
                self_test.sound
            ),
        ),
    ];
    let mut facts = claims::of_spec(&spec);
    for cap in &mut facts.caps {
        cap.accounting = secondary::accounting(&spec, cap.basic_micronats);
    }
    let passed = questions.iter().all(QuestionAudit::passed) && checks.iter().all(|check| check.passed);
    Ok(Audit {
        audit_version: AUDIT_VERSION,
        passed,
        spec: facts,
        module: shipped.facts().clone(),
        questions,
        self_test,
        checks,
        limits: LIMITS.map(str::to_owned).to_vec(),
    })
}

const LIMITS: [&str; 6] = [
    "The audit is about the noise. That the right thing is asked, and that the ledger pays for every report, is \
        shown by the tests of the package.",
    "Decisions are located by bisection between documented and random places; a piece so small that no random report \
        met it, at a place no document names, would be missed.",
    "Entropy is taken to be uniform. The audit shows what the module does with it, not how good the platform's \
        generator is.",
    "A public coin and a memo key are pseudo-random (HMAC-SHA-256 of the device secret): to someone who breaks it \
        they are not random.",
    "Instructions are counted, not time: the count shows the paths that were taken, not caches or the speed of \
        single instructions.",
    "A report is one answer. What many answers of a device come to is bounded by the caps.",
];

/// What fixes the chance of an audit of one question.
#[derive(Debug, Clone, Copy)]
pub struct Seeds {
    /// Test points of the enumeration and of the format.
    pub points: u64,
    /// Symbols and public coins of the sample.
    pub choices: u64,
    /// Entropy of the sample; the platform's if there is none.
    pub entropy: Option<u64>,
}

/// Audits one question through a probe.
pub fn question(
    probe: &mut dyn Probe,
    spec: &MonitorSpec,
    index: u16,
    effort: Effort,
    error: f64,
    seeds: Seeds,
) -> QuestionAudit {
    let question = &spec.questions[usize::from(index)];
    let metric = spec.metric_of(question);
    let claim = question.epsilon_micronats as f64 / 1e6;
    let (check, slack) = claims::check_loss(question);
    let mut checks = vec![check];

    let exact = match exact::exact(probe, question, effort.foretell, seeds.points) {
        Ok(exact) => {
            checks.push(check_exact(&exact, question, claim));
            exact
        }
        Err(violation) => {
            checks.push(Check::new("law", Part::Exact, false, violation.to_string()));
            exact::unknown()
        }
    };
    let entropy = seeds.entropy.map_or_else(Chance::system, Chance::seeded);
    let black_box =
        match black_box::sample(probe, question, effort.reports, error, entropy, Chance::seeded(seeds.choices)) {
            Ok(black_box) => {
                checks.push(check_sample(&black_box, claim));
                black_box
            }
            Err(failure) => {
                checks.push(Check::new("sample", Part::BlackBox, false, failure.to_string()));
                BlackBox {
                    reports: 0,
                    event: String::new(),
                    lower_bound: 0.0,
                    found_lower_bound: None,
                    share_of_claim: 0.0,
                    error,
                }
            }
        };
    let control_flow = match format::format(probe, spec, index, seeds.points) {
        Ok((found, control_flow)) => {
            checks.extend(found);
            control_flow
        }
        Err(failure) => {
            checks.push(Check::new("reports", Part::Format, false, failure.to_string()));
            ControlFlow { constant: false, least: 0, most: 0, note: "no report to look at".to_owned() }
        }
    };
    let total: u64 = spec.questions.iter().map(|question| u64::from(question.weight)).sum();
    let (influence, influence_in_words) = claims::influence(question);
    let weights = question.randomizer.weights;
    QuestionAudit {
        index,
        name: question.name.clone(),
        metric: metric.name.clone(),
        metric_unit: metric.unit.clone(),
        kind: question.kind.name(),
        threshold: question.kind.threshold(),
        symbols: claims::symbols(question),
        asked_share: f64::from(question.weight) / total as f64,
        mechanism: question.randomizer.mechanism.name(),
        parameters: claims::parameters(question.randomizer.mechanism),
        weight_true: weights.of_true,
        weight_false: weights.of_false,
        claim_micronats: question.epsilon_micronats,
        event_level: question.is_event_level(),
        loss: claims::loss(weights),
        slack,
        influence,
        influence_in_words,
        payload_bits: question.payload_bits(),
        outputs: claims::outputs(question).to_string(),
        law_in_words: claims::law_in_words(question),
        exact,
        black_box,
        control_flow,
        checks,
    }
}

fn check_exact(exact: &crate::verdict::Exact, question: &driftglass::spec::Question, claim: f64) -> Check {
    let ratio = crate::law::Fraction {
        numerator: exact.ratio_numerator.parse().expect("digits"),
        denominator: exact.ratio_denominator.parse().expect("digits"),
    };
    let bound = claims::report_ratio(&question.randomizer);
    let within = !ratio.exceeds(&bound) && exact.epsilon.upper < claim;
    let relation = if within { "at most" } else { "above" };
    let sentence = format!(
        "the largest ratio of the enumerated law is {relation} {}/{}: exact ε {:.12} for a claim of {claim} ({} \
            symbols, {} runs)",
        bound.numerator, bound.denominator, exact.epsilon.upper, exact.symbols, exact.runs
    );
    Check::new("law", Part::Exact, within, sentence)
}

fn check_sample(black_box: &BlackBox, claim: f64) -> Check {
    let found = black_box.found_lower_bound.unwrap_or(0.0);
    let within = black_box.lower_bound <= claim && found <= claim;
    let sentence = format!(
        "ε is at least {:.6} by {} reports (error {:.1e}), {:.3} of the claim",
        black_box.lower_bound.max(found),
        black_box.reports,
        black_box.error,
        black_box.share_of_claim
    );
    Check::new("sample", Part::BlackBox, within, sentence)
}

fn one_length(spec: &MonitorSpec) -> Check {
    let facts = claims::of_spec(spec);
    let fits = spec.questions.iter().all(|question| question.payload_bytes() <= facts.payload_bytes);
    let sentence = format!(
        "every report of every question has {} bytes: {} of header, {} of payload",
        facts.report_bytes, facts.header_bytes, facts.payload_bytes
    );
    Check::new("one-length-for-all-questions", Part::Static, fits, sentence)
}

fn loss_in_caps(spec: &MonitorSpec) -> Check {
    let facts = claims::of_spec(spec);
    let answerable = facts.caps.iter().all(|cap| cap.windows_paid > 0);
    let sentence = format!(
        "a device-window costs at most {}, and every cap pays for at least one",
        facts.window_epsilon_micronats as f64 / 1e6
    );
    Check::new("caps", Part::Static, answerable, sentence)
}

impl QuestionAudit {
    /// Whether the module made reports when it had entropy.
    #[must_use]
    fn made_reports(&self) -> bool {
        self.black_box.reports > 0
    }
}
