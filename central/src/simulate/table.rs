//! Scores for the terminal.

use std::fmt::Write as _;

use super::{Scores, Settings};
use crate::simulate::score::{Delays, Rate};

/// One line for each scenario, then the questions and segments of each.
pub(super) fn table(settings: &Settings, all: &[Scores]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = lines(&mut text, settings, all);
    text
}

fn lines(out: &mut String, settings: &Settings, all: &[Scores]) -> std::fmt::Result {
    let (years, knob) = all.first().map_or((0.0, 0.0), |scores| (scores.years, scores.knob));
    writeln!(
        out,
        "{} runs of {} devices, {} windows after {} of reference, seed {}: {years:.1} years; {knob} accepted a year",
        settings.runs, settings.fleet, settings.windows, settings.reference_windows, settings.seed
    )?;
    writeln!(
        out,
        "\n{:<13} {:>22} {:>22} {:>7} {:>9} {:>12} {:>12} {:>12} {:>12}",
        "",
        "false drift/year",
        "false alarms/year",
        "recall",
        "precision",
        "delay 50/90",
        "alarm 50/90",
        "inconclusive",
        "wrong stable"
    )?;
    for scores in all {
        writeln!(
            out,
            "{:<13} {:>22} {:>22} {:>7} {:>9} {:>12} {:>12} {:>12} {:>12}",
            scores.scenario.name(),
            rate(&scores.false_drift),
            rate(&scores.false_alarms),
            share(scores.recall),
            share(scores.precision),
            delays(&scores.delay),
            delays(&scores.alarm_delay),
            share(scores.inconclusive),
            scores.wrong_stable.count,
        )?;
    }
    for scores in all {
        writeln!(out, "\n{}: {}", scores.scenario.name(), scores.meaning)?;
        writeln!(
            out,
            "  {:<28} {:>11} {:>7} {:>12} {:>12} {:>12} {:>11}",
            "question", "true effect", "recall", "delay 50/90", "alarm 50/90", "inconclusive", "false drift"
        )?;
        for question in &scores.questions {
            let counts = &question.counts;
            let inconclusive = counts.inconclusive as f64 / (counts.question_windows as f64).max(1.0);
            writeln!(
                out,
                "  {:<28} {:>11.3} {:>7} {:>12} {:>12} {:>12} {:>11}",
                question.name,
                question.true_effect,
                share(question.recall),
                delays(&question.delay),
                delays(&question.alarm_delay),
                share(Some(inconclusive)),
                counts.drift_false,
            )?;
        }
        for group in &scores.groups {
            let counts = &group.counts;
            writeln!(
                out,
                "  segment {}, last window: drift said of {} of {} that drifted and {} others; \
                 unlike the rest said of {} of {} that are and {} others",
                group.segment,
                counts.drift_true,
                counts.above_delta,
                counts.drift_false,
                counts.differs_true,
                counts.unlike_rest,
                counts.differs_false,
            )?;
        }
        if scores.counts.waiting > 0 {
            writeln!(out, "  without a reference or data: {} of the question-windows", share(scores.waiting))?;
        }
        if !scores.not_simulated.is_empty() {
            writeln!(out, "  not simulated: {}", scores.not_simulated.join(", "))?;
        }
    }
    Ok(())
}

fn rate(rate: &Rate) -> String {
    format!("{:.2} ({:.2} to {:.2})", rate.per_year, rate.lower, rate.upper)
}

fn share(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

fn delays(delays: &Delays) -> String {
    let part = |windows: Option<u32>| windows.map_or("never".to_owned(), |windows| windows.to_string());
    if delays.changed == 0 {
        return "-".to_owned();
    }
    format!("{} / {}", part(delays.median), part(delays.ninety))
}
