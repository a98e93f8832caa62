//! The sentences of the page.

use jiff::Timestamp;

use super::Ranked;
use crate::severity::Severity;
use crate::verdicts::{EffectSize, Interval, QuestionCauses, QuestionVerdicts, SpecVerdicts, WindowVerdict};

/// "27 Jun 2013".
pub(super) fn date(secs: u64) -> String {
    i64::try_from(secs)
        .ok()
        .and_then(|secs| Timestamp::from_second(secs).ok())
        .map_or_else(|| secs.to_string(), |time| time.strftime("%-d %b %Y").to_string())
}

/// "1 false alarm", "2 false alarms", "0.5 false alarms".
pub(super) fn count(number: f64, noun: &str) -> String {
    if number == 1.0 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

pub(super) fn headline(ranked: &[Ranked<'_>]) -> String {
    let drifting: Vec<_> = ranked.iter().filter(|row| row.drifts()).collect();
    match drifting.as_slice() {
        [] if ranked.iter().all(|row| row.now.is_none()) => "Nothing has been judged yet".to_owned(),
        [] if ranked.iter().all(|row| row.now.is_none_or(|now| now.verdict == "waiting")) => {
            "Nothing could be compared with a reference yet".to_owned()
        }
        [] => format!("No drift in {}", questions(ranked.len())),
        [one] => format!("{} drifted: 1 of {}", one.question.metric, questions(ranked.len())),
        [first, second] => {
            let names = format!("{} and {}", first.question.metric, second.question.metric);
            format!("{names} drifted: 2 of {}", questions(ranked.len()))
        }
        [first, ..] => {
            format!("{} of {} drifted, {} most clearly", drifting.len(), questions(ranked.len()), first.question.metric)
        }
    }
}

fn questions(number: usize) -> String {
    count(number as f64, "question")
}

pub(super) fn subline(verdicts: &SpecVerdicts, ranked: &[Ranked<'_>]) -> String {
    let Some(last) = ranked.iter().filter_map(|row| row.now).max_by_key(|now| now.window) else {
        return format!("No window of {} has closed with reports.", verdicts.app);
    };
    let first = ranked.iter().filter_map(|row| row.now).map(|now| now.span_first_window).min().unwrap_or(last.window);
    let start = u64::from(first) * verdicts.window_length_secs;
    let reports: u64 = ranked.iter().filter_map(|row| row.now).map(|now| now.span_reports).sum();
    format!("{} to {}, {} reports", date(start), date(last.end_secs - 1), grouped(reports))
}

/// "12,345".
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What is asked of the metric.
pub(super) fn asked(question: &QuestionVerdicts) -> String {
    match question.threshold {
        Some(threshold) => format!("above {threshold} {}", question.unit).trim_end().to_owned(),
        None if question.cells.is_empty() => question.kind.replace('-', " "),
        None => format!("over {} cells", question.cells.len()),
    }
}

pub(super) fn verdict(word: &str) -> &str {
    match word {
        "inconclusive" => "not known yet",
        word => word,
    }
}

pub(super) fn measure(question: &QuestionVerdicts) -> &'static str {
    if question.ordered {
        "Largest difference of cumulative shares (KS)"
    } else {
        "Largest difference of a share (L∞)"
    }
}

/// The first window of the drift that goes on.
fn start_of_drift(question: &QuestionVerdicts) -> Option<&WindowVerdict> {
    let closed = || question.windows.iter().rev().filter(|window| window.closed);
    closed().take_while(|window| window.verdict == "drift").last()
}

pub(super) fn since(verdicts: &SpecVerdicts, question: &QuestionVerdicts) -> String {
    start_of_drift(question)
        .map_or_else(|| "–".to_owned(), |window| date(u64::from(window.window) * verdicts.window_length_secs))
}

/// The p-value of the last closed span, by all tests.
pub(super) fn evidence(behind: Option<&QuestionCauses>) -> String {
    match behind.and_then(|behind| behind.tests.as_ref()) {
        None => "–".to_owned(),
        Some(tests) if tests.combined < 1e-4 => "p < 0.0001".to_owned(),
        Some(tests) if tests.combined < 0.01 => format!("p = {:.4}", tests.combined),
        Some(tests) => format!("p = {:.2}", tests.combined),
    }
}

/// The odds that all closed windows together give against "nothing has moved", where they speak for a change.
fn odds(now: &WindowVerdict) -> Option<String> {
    let tens = now.evidence.as_ref()?.log_e? / std::f64::consts::LN_10;
    (tens > 1.0).then(|| format!(" All windows together: 10^{tens:.0} to 1 that it moved."))
}

/// The odds of an e-process: "10^6 to 1", "12 to 1", "none".
pub(super) fn odds_of(log_e: f64) -> String {
    let tens = log_e / std::f64::consts::LN_10;
    match tens {
        tens if tens >= 3.0 => format!("10^{tens:.0} to 1"),
        tens if tens >= 0.5 => format!("{:.0} to 1", log_e.exp()),
        _ => "none".to_owned(),
    }
}

pub(super) fn arm_verdict(word: &str) -> &str {
    match word {
        "differs" => "different",
        "inconclusive" => "not known yet",
        word => word,
    }
}

/// How bad it is, where there is something to say.
fn meaning(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown | Severity::None | Severity::Moderate => "",
        other => other.meaning(),
    }
}

/// "0.11 (0.07 to 0.15)".
pub(super) fn effect(effect: &EffectSize) -> String {
    let interval = &effect.interval;
    format!("{:.2} ({:.2} to {:.2})", interval.estimate, interval.lower, interval.upper)
}

pub(super) fn sentence(verdicts: &SpecVerdicts, question: &QuestionVerdicts, now: Option<&WindowVerdict>) -> String {
    let Some((now, effect)) = now.and_then(|now| Some((now, now.effect.as_ref()?))) else {
        return "No answer with data yet, or nothing to compare it with.".to_owned();
    };
    // Of two cells the second tells it, for the first is its complement.
    let told = if question.cells.len() == 2 { 1 } else { effect.cell };
    let cell = question.cells.get(told).map_or("", String::as_str);
    let what = match question.threshold {
        Some(threshold) => format!("{} above {threshold} {}", question.metric, question.unit).trim_end().to_owned(),
        None if question.ordered && question.cells.len() > 2 => {
            format!("{} up to {}", question.metric, upper_edge(cell))
        }
        None => format!("{} “{cell}”", question.metric),
    };
    let size = self::effect(effect);
    let told = format!("The share of {what} differs from the reference by {size}.");
    let threshold = format!("{}", question.delta);
    let rest = match (now.verdict, now.reports_needed) {
        ("drift", _) => {
            format!("What matters begins at {threshold}; it has been so since {}.", since(verdicts, question))
        }
        ("stable", _) => format!("That is at most what matters, {threshold}."),
        (_, Some(needed)) => {
            format!("About {} reports in a span would decide; it has {}.", grouped(needed), grouped(now.span_reports))
        }
        _ => format!("The threshold that matters, {threshold}, lies inside the interval."),
    };
    format!("{told} {rest} {}", meaning(now.severity)).trim_end().to_owned()
}

/// Effects that people know, when it began, and what could fake it.
pub(super) fn behind(verdicts: &SpecVerdicts, behind: &QuestionCauses, now: Option<&WindowVerdict>) -> String {
    let effects = &behind.effects;
    let of = |name: &str, interval: &Interval| {
        format!("{name} {:.2} ({:.2} to {:.2})", interval.estimate, interval.lower, interval.upper)
    };
    let mut text = format!("{}, {}", of("PSI", &effects.psi), of("Jensen–Shannon", &effects.jensen_shannon));
    if let Some(wasserstein) = &effects.wasserstein {
        text += &format!(", {}", of("Wasserstein", wasserstein));
    }
    text += ".";
    text += &now.and_then(odds).unwrap_or_default();
    let day = |window| date(u64::from(window) * verdicts.window_length_secs);
    if let Some(change) = behind.change.as_ref().filter(|change| change.p_value < 0.05) {
        text += &match change.first == change.last {
            true => format!(" It began in the window of {}.", day(change.window)),
            false => format!(
                " It began most likely in the window of {} (from {} to {}).",
                day(change.window),
                day(change.first),
                day(change.last)
            ),
        };
    }
    if let Some(trust) = &behind.trust {
        let share = 100.0 * trust.coverage.estimate;
        text += &format!(" {share:.0} % of the answers had data.");
        if let Some(fakes) = trust.fakes_for_delta {
            text += &format!(" {} fake devices could feign or hide what matters.", grouped(fakes));
        }
    }
    text
}

/// The upper edge in the label of a numeric cell: "(8, 12]" ends at 12, "≤ 8" at 8.
fn upper_edge(label: &str) -> &str {
    let inside = label.trim_end_matches(']');
    inside.rsplit([' ', ',']).next().unwrap_or(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!(date(1_372_291_200), "27 Jun 2013");
        assert_eq!([upper_edge("(8, 12]"), upper_edge("≤ 8")], ["12", "8"]);
        assert_eq!([odds_of(14.0), odds_of(3.0), odds_of(-2.0)], ["10^6 to 1", "20 to 1", "none"]);
        assert_eq!(count(1.0, "false alarm"), "1 false alarm");
        assert_eq!(count(0.5, "false alarm"), "0.5 false alarms");
    }
}
