//! An audit as aligned text: one line for each question, then what failed, then the verdict.

use std::fmt::Write;

use crate::verdict::{Audit, Part, QuestionAudit};

/// The text.
#[must_use]
pub fn text(audit: &Audit) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    let (spec, module) = (&audit.spec, &audit.module);
    line(format!("spec    {}  {}", spec.id, spec.app));
    line(format!("module  {}  {} bytes, SHA-256 {}", module.file, module.bytes, module.sha256));
    let epsilon = |micronats: u64| micronats as f64 / 1e6;
    line(format!(
        "loss    at most {} a {}, {} answer in each window of {} s; joins: {}",
        epsilon(spec.window_epsilon_micronats),
        spec.unit,
        spec.answers_per_window,
        spec.window_secs,
        spec.join
    ));
    for cap in &spec.caps {
        line(format!(
            "cap     {} in {} s: pays for {} of {} windows, which add up to {}",
            epsilon(cap.epsilon_micronats),
            cap.period_secs,
            cap.windows_paid,
            cap.windows_in_period,
            epsilon(cap.basic_micronats)
        ));
    }
    line(format!(
        "report  {} bytes: {} of header, {} of payload",
        spec.report_bytes, spec.header_bytes, spec.payload_bytes
    ));
    line(String::new());
    line(format!(
        "{:<24} {:<20} {:>6} {:>8} {:>14} {:>14} {:>10} {:>9} {:>6}  {}",
        "question", "mechanism", "k", "claim", "exact ε", "slack", "seen ≥", "influence", "bits", "verdict"
    ));
    for question in &audit.questions {
        line(row(question));
    }
    line(String::new());
    for question in &audit.questions {
        for check in question.checks.iter().filter(|check| !check.passed) {
            line(format!("FAILED  {} / {} ({}): {}", question.name, check.name, part(check.part), check.sentence));
        }
        if question.event_level {
            line(format!(
                "note    {}: one event costs ε, m events of a window cost m · {}",
                question.name,
                epsilon(question.claim_micronats)
            ));
        }
    }
    for check in &audit.checks {
        let outcome = if check.passed { "ok    " } else { "FAILED" };
        line(format!("{outcome}  {} ({}): {}", check.name, part(check.part), check.sentence));
    }
    for bug in &audit.self_test.planted {
        let by: Vec<&str> = bug.caught_by.iter().map(|found| part(*found)).collect();
        let by = if by.is_empty() { "NOT CAUGHT".to_owned() } else { format!("caught by {}", by.join(", ")) };
        line(format!("        {:<16} {by}: {}", bug.name, bug.finding));
    }
    line(String::new());
    line(if audit.passed { "PASS: the module keeps what the spec claims".to_owned() } else { "FAIL".to_owned() });
    out
}

/// One question on one line.
#[must_use]
pub fn row(question: &QuestionAudit) -> String {
    let exact =
        if question.exact.method == "none" { "-".to_owned() } else { format!("{:.10}", question.exact.epsilon.upper) };
    format!(
        "{:<24} {:<20} {:>6} {:>8} {exact:>14} {:>14.3e} {:>10.6} {:>9} {:>6}  {}",
        question.name,
        question.mechanism,
        question.symbols,
        question.claim_micronats as f64 / 1e6,
        question.slack,
        question.black_box.lower_bound,
        question.influence.map_or_else(|| "-".to_owned(), |factor| format!("{factor:.3}")),
        question.payload_bits,
        if question.passed() { "pass" } else { "FAIL" }
    )
}

/// The name of a part.
#[must_use]
pub fn part(part: Part) -> &'static str {
    match part {
        Part::Static => "static",
        Part::Exact => "exact",
        Part::BlackBox => "black box",
        Part::Format => "format",
        Part::SelfTest => "self-test",
    }
}
