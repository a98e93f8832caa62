//! The sections of the card, from top to bottom.

use maud::{Markup, html};

use super::outcome;
use super::words;
use crate::text;
use crate::verdict::{Accounting, Audit, Check, Part, QuestionAudit, SpecFacts};

/// What the noise does not protect from; `PRIVACY.md` says more of each.
const NOT_CLAIMED: [(&str, &str); 6] = [
    (
        "Many reports.",
        "The factor above is for one report. Behavior that is the same in every window is protected by \
        the sum over time alone.",
    ),
    ("The network address.", "Whoever receives a request sees the address it comes from."),
    ("Taking part.", "That a device reports at all is visible, and when, and so is its segment."),
    (
        "A cleared or copied device.",
        "Clearing the storage of a device, or restoring an old copy, makes its ledger \
        forget what was spent.",
    ),
    ("The device itself.", "Whoever controls the device or the app sees what it does."),
    ("Other traffic.", "What the app sends by itself is not changed."),
];

/// Title, verdict and what identifies the spec.
pub(super) fn head(audit: &Audit) -> Markup {
    let spec = &audit.spec;
    html! {
        header {
            div {
                p.kicker { "Driftglass · privacy card" }
                h1 { (spec.app) }
                @if !spec.description.is_empty() { p.lead { (spec.description) } }
            }
            div.verdict {
                (outcome(audit.passed))
                p { @if audit.passed { "The module keeps what the spec claims." } @else {
                    "The module does not keep what the spec claims, or it was not shown." } }
            }
        }
        dl.identity {
            dt { "Spec id" } dd { code { (spec.id) } span.note { "stands in every report" } }
            @for model in &spec.models {
                dt { "Model " (model.version) } dd { code { (model.sha256) } }
            }
        }
    }
}

/// The unit of privacy, ε of a report, the caps and the bytes: four facts and a sentence.
pub(super) fn in_short(audit: &Audit) -> Markup {
    let spec = &audit.spec;
    let window = words::span(spec.window_secs);
    let factor = words::factor(spec.window_epsilon_micronats);
    html! {
        section.short {
            dl {
                div {
                    dt { "One report protects" }
                    dd { @if is_event_level(spec) { "one event" } @else { (window) } }
                    dd.note { (unit_in_words(spec)) }
                }
                div {
                    dt { "Privacy loss of a report" }
                    dd { "ε ≤ " (words::epsilon(spec.window_epsilon_micronats)) }
                    dd.note { "any report at most " (factor) " times likelier" }
                }
                @for cap in &spec.caps {
                    div {
                        dt { "Most in " (words::span(cap.period_secs)) }
                        dd { "ε ≤ " (words::epsilon(cap.epsilon_micronats)) }
                        dd.note { "then the device stays silent" }
                    }
                }
                div {
                    dt { "Leaves the device" }
                    dd { (words::bytes(spec.report_bytes)) }
                    dd.note { "at most, in each window of " (window) }
                }
            }
            p.promise {
                @if is_event_level(spec) {
                    "Whether or not any single event happened on your device, any report is at most e" sup { "ε" }
                    " = " b { (factor) " times" } " likelier than it would otherwise have been. For what "
                    i { "m" } " events have in common, that factor is multiplied by itself " i { "m" } " times."
                } @else {
                    "Whatever your device did in the window of " (window) ", any report is at most e" sup { "ε" }
                    " = " b { (factor) " times" } " likelier than if it had done anything else. This holds against \
                        anyone who sees the report, whatever else they know."
                }
            }
        }
    }
}

fn is_event_level(spec: &SpecFacts) -> bool {
    spec.unit == "event"
}

fn unit_in_words(spec: &SpecFacts) -> String {
    if is_event_level(spec) {
        "the unit of privacy is the event: some questions hide one event of a window, not all of it".to_owned()
    } else {
        format!("the unit of privacy is the {}: all that one device did in the window", spec.unit)
    }
}

/// What many reports of one device come to.
pub(super) fn over_time(audit: &Audit) -> Markup {
    let spec = &audit.spec;
    let accounting = spec.caps.iter().find_map(|cap| cap.accounting.as_ref());
    html! {
        section {
            h2 { "Over time" }
            p { "Losses add up. A ledger on the device pays for each report before it is made, and refuses one that \
                would exceed a cap in any span of the cap's length, wherever the span begins." }
            table.time {
                thead { tr {
                    th { "In any" } th.n { "Cap, ε" } th.n { "Reports paid" } th.n.main { "Adds up to, ε" }
                    @if accounting.is_some() { th.n { "Optimal, ε" } th.n { "Rényi, ε" } }
                } }
                tbody { @for cap in &spec.caps { tr {
                    td { (words::span(cap.period_secs)) }
                    td.n { (words::epsilon(cap.epsilon_micronats)) }
                    td.n { (cap.windows_paid) " of " (cap.windows_in_period) }
                    td.n.main { (words::epsilon(cap.basic_micronats)) }
                    @if let Some(found) = &cap.accounting {
                        td.n { (bound(found.optimal_epsilon)) } td.n { (bound(found.renyi_epsilon)) }
                    } @else if accounting.is_some() { td.n { "–" } td.n { "–" } }
                } } }
            }
            @if let Some(found) = accounting { (secondary(found, spec)) }
        }
    }
}

fn bound(figure: Option<f64>) -> String {
    figure.map_or_else(|| "–".to_owned(), words::above)
}

fn secondary(found: &Accounting, spec: &SpecFacts) -> Markup {
    html! {
        p.note {
            "The sum always holds and is what the device enforces. The other figures are secondary: each may fail with \
                probability δ = " (power_of_ten(found.delta)) ". Optimal holds whatever is asked"
            @if let Some(question) = &found.renyi_question {
                "; Rényi if every answer is to " q { (question) } ", for which it is largest"
            }
            "."
            @if let (Some(upper), Some(lower), Some(devices)) =
                (found.shuffle_upper_epsilon, found.shuffle_lower_epsilon, found.shuffle_devices) {
                " To someone who sees the reports of " (words::grouped(devices)) " devices only shuffled, without \
                    addresses, one report of ε = " (words::epsilon(spec.window_epsilon_micronats)) " has ε ≤ "
                (words::above(upper)) " at this δ; for some mechanism of that ε it is at least "
                (words::below(lower)) ". The center itself sees addresses: for it the first figure stands."
            }
        }
    }
}

/// δ, as a power of ten where it is one.
fn power_of_ten(delta: f64) -> Markup {
    let text = format!("{delta:e}");
    match text.strip_prefix("1e-") {
        Some(power) => html! { "10" sup { "−" (power) } },
        None => html! { (text) },
    }
}

/// The bytes that leave.
pub(super) fn bytes(audit: &Audit) -> Markup {
    let spec = &audit.spec;
    html! {
        section {
            h2 { "The bytes that leave" }
            p {
                b { (words::bytes(spec.header_bytes)) " of header" } " + "
                b { (words::bytes(spec.payload_bytes)) " of payload" } " = " (words::bytes(spec.report_bytes))
                ", the same for every question and every answer. The header is known before the answer is; only the \
                    payload depends on what the device did, through the noise."
            }
            ol.layout {
                li { b { "4" } " format, arm" } li { b { "16" } " spec id" } li { b { "4" } " window" }
                li { b { "2" } " question" } li { b { "2" } " segment" } li { b { "16" } " report id" }
                li.payload { b { (spec.payload_bytes) } " payload: the noisy answer" }
            }
            p.note {
                "Segments, in clear: "
                @for (index, segment) in spec.segments.iter().enumerate() {
                    @if index > 0 { ", " } q { (segment) }
                }
                ". The report id comes from a secret that stays on the device; reports of different windows cannot be \
                    linked by it."
            }
        }
    }
}

/// The law of every question.
pub(super) fn questions(audit: &Audit) -> Markup {
    html! {
        section {
            h2 { "The questions and their noise" }
            p { "In a window a device answers at most one question, the turn of which follows from its secret and the \
                window, never from data. W" sub { "t" } " and W" sub { "f" } " are the two integers that fix the \
                noise: how often the true answer is favored, against any other." }
            table.questions {
                thead { tr { th { "Question" } th { "How the answer is made" } th { "W" sub { "t" } ", W" sub { "f" } }
                    th.n { "ln(W" sub { "t" } "/W" sub { "f" } ")" } th { "One fake device" } th {} } }
                tbody { @for question in &audit.questions { (row(question)) } }
            }
            p.note { i { "n" } " is the number of reports that an estimate is made from. A device that lies moves the \
                estimate no further than shown, whatever it sends." }
        }
    }
}

fn row(question: &QuestionAudit) -> Markup {
    html! {
        tr {
            td { b { (breakable(&question.name)) } span.under { (asks(question)) } }
            td { (question.law_in_words)
                @if question.event_level { " " b { "Protects one event, not the whole window." } } }
            td.weights { (question.weight_true) br; (question.weight_false)
                span.under { (question.mechanism)
                    @for (name, value) in &question.parameters { ", " (name) " " (value) } } }
            td.n { "≤ " (words::closely_above(question.loss.upper))
                span.under { "paid: " (words::epsilon(question.claim_micronats)) } }
            td { @match question.influence {
                Some(factor) => { span.nowrap { "≤ " (words::above(factor)) "/" i { "n" } }
                    span.under { (moved(question)) } }
                None => { (question.influence_in_words) }
            } }
            td { (outcome(question.passed())) }
        }
    }
}

/// A name that may be broken after its underscores.
fn breakable(name: &str) -> Markup {
    html! { @for piece in name.split_inclusive('_') { (piece) wbr; } }
}

/// What is moved, from the sentence that ends with the factor.
fn moved(question: &QuestionAudit) -> &'static str {
    match question.kind {
        "mean" => "of the range of the mean",
        "event-count" => "of the range of the mean count",
        _ => "of the share of an answer",
    }
}

/// What a question asks, in words.
fn asks(question: &QuestionAudit) -> String {
    let metric = &question.metric;
    let at = question.threshold.map(|threshold| format!("{threshold} {}", question.metric_unit).trim_end().to_owned());
    match (question.kind, at) {
        ("threshold-bit", Some(at)) => format!("is {metric} of one event at most {at}, or is there no data?"),
        ("event-count", Some(at)) => format!("how many events have {metric} above {at}?"),
        ("sampled-event", _) => format!("{metric} of one event, in cells, or no data"),
        ("anchored-bit", _) => format!("is {metric} more often than usual in a public half of its cells?"),
        ("mean", _) => format!("the mean of {metric}"),
        ("open-vocabulary", _) => format!("the word in {metric} of one event"),
        (kind, _) => format!("{kind} of {metric}"),
    }
}

/// Which file was audited, and each part of the audit.
pub(super) fn audited(audit: &Audit) -> Markup {
    let module = &audit.module;
    let file = module.file.rsplit(['/', '\\']).next().unwrap_or(&module.file);
    html! {
        section {
            h2 { "The audit" }
            p { "The file that devices load was run, not its source. Compare its hash with that of the file you were \
                given." }
            dl.identity {
                dt { "File" } dd { code { (file) } span.note { (words::grouped(module.bytes)) " bytes" } }
                dt { "SHA-256" } dd { code { (module.sha256) } }
            }
            table.parts { tbody {
                (part(audit, Part::Static, html! { "ln(W" sub { "t" } "/W" sub { "f" } "), rounded against us, is at \
                    most the ε that is paid." }))
                (part(audit, Part::Exact, exact(audit)))
                (part(audit, Part::BlackBox, black_box(audit)))
                (part(audit, Part::Format, html! { "One length; the header is known before the answer; the same \
                    requests for entropy whatever the answer; no report when entropy is refused; nothing else is \
                    asked of the host." }))
                (part(audit, Part::SelfTest, self_test(audit)))
            } }
        }
    }
}

fn part(audit: &Audit, part: Part, found: Markup) -> Markup {
    let checks: Vec<(Option<&str>, &Check)> = audit
        .questions
        .iter()
        .flat_map(|question| question.checks.iter().map(|check| (Some(question.name.as_str()), check)))
        .chain(audit.checks.iter().map(|check| (None, check)))
        .filter(|(_, check)| check.part == part)
        .collect();
    // A part that checked nothing has shown nothing.
    let passed = !checks.is_empty() && checks.iter().all(|(_, check)| check.passed);
    html! {
        tr {
            th { (text::part(part)) }
            td {
                (found)
                @for (question, check) in checks.iter().filter(|(_, check)| !check.passed) {
                    p.failed { @if let Some(question) = question { (question) ": " } (check.name) ": "
                        (check.sentence) }
                }
            }
            td { (outcome(passed)) }
        }
    }
}

fn exact(audit: &Audit) -> Markup {
    let runs = audit.questions.iter().map(|question| question.exact.runs).sum();
    let epsilon = audit.questions.iter().map(|question| question.exact.epsilon.upper).fold(0.0, f64::max);
    html! { "The law of the reports, enumerated through the file in " (words::grouped(runs)) " runs and compared in \
    whole numbers: the largest ratio is e" sup { (words::closely_above(epsilon)) } "." }
}

fn black_box(audit: &Audit) -> Markup {
    let seen = |question: &QuestionAudit| {
        f64::max(question.black_box.lower_bound, question.black_box.found_lower_bound.unwrap_or(0.0))
    };
    let reports = audit.questions.iter().map(|question| question.black_box.reports).min().unwrap_or(0);
    let most = audit.questions.iter().map(seen).fold(0.0, f64::max);
    let error: f64 = audit.questions.iter().map(|question| question.black_box.error).sum();
    html! { "From " (words::grouped(reports)) " reports of each question with the system's entropy: ε is at least "
    (words::below(most)) ", nowhere more than is paid. A sound file is accused with a probability of at most "
    (format!("{error:.0e}")) "." }
}

fn self_test(audit: &Audit) -> Markup {
    let test = &audit.self_test;
    let caught = test.planted.iter().filter(|bug| !bug.caught_by.is_empty()).count();
    html! {
        (caught) " of " (test.planted.len()) " bugs planted on purpose were caught, " (test.false_accusations) " of "
        (test.sound) " sound mechanisms accused."
        ul.planted { @for bug in &test.planted { li {
            (if bug.caught_by.is_empty() { "✗ " } else { "✓ " }) b { (bug.name) } ": " (bug.description)
        } } }
    }
}

/// What is not claimed and what the audit does not show.
pub(super) fn limits(audit: &Audit) -> Markup {
    html! {
        section.limits {
            h2 { "What is not claimed" }
            ul { @for (what, sentence) in NOT_CLAIMED { li { b { (what) } " " (sentence) } } }
            h2 { "What the audit does not show" }
            ul { @for limit in &audit.limits { li { (limit) } } }
        }
    }
}
