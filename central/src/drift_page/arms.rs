//! The canary beside stable, on the page and in a terminal.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{chart, words};
use crate::verdicts::{ArmQuestion, ArmVerdicts, SpecVerdicts};

/// The canary's last run; nothing without one.
pub(super) fn section(verdicts: &SpecVerdicts) -> Markup {
    let Some(arms) = &verdicts.arms else { return html! {} };
    html! {
        section.ranking.arms aria-label="Canary beside stable" {
            h2 { (headline(arms)) }
            p.sub { (subline(verdicts, arms)) }
            table {
                thead { tr {
                    th scope="col" { "Question" }
                    th scope="col" { "Canary is" }
                    th scope="col" { "Difference, with bounds for all windows" }
                    th scope="col" { "Bounds by window" }
                    th scope="col" { "Odds that it differs" }
                    th scope="col" { "Reports, stable / canary" }
                } }
                tbody {
                    @for question in ranked(arms) {
                        tr {
                            th scope="row" { (question.name) }
                            td { span class={ "badge " (badge(question.verdict)) } { (words::arm_verdict(question.verdict)) } }
                            td.effect { (difference(verdicts, question)) }
                            td { (by_window(verdicts, question)) }
                            td { (question.log_e.map_or_else(|| "–".to_owned(), words::odds_of)) }
                            td { (words::grouped(question.reports.stable)) " / " (words::grouped(question.reports.canary)) (needed(question)) }
                        }
                    }
                }
            }
            p.behind {
                "Compared within each segment and window, so that neither a growing canary nor a population that changes under both looks like a difference. "
                "The bounds of a question hold at all windows of the run together but with probability " (format!("{:.2} %", 100.0 * arms.alpha)) "; the dashed line is what matters."
            }
        }
    }
}

/// The same in a terminal.
pub(super) fn table(verdicts: &SpecVerdicts) -> String {
    let Some(arms) = &verdicts.arms else { return String::new() };
    let mut text = format!("\n{}\n{}\n\n", headline(arms), subline(verdicts, arms));
    text += &format!(
        "{:<28}{:<15}{:>8}{:>17}{:>8}  {:<22}{}\n",
        "question", "canary is", "seen", "bounds", "delta", "odds that it differs", "reports stable/canary"
    );
    for question in ranked(arms) {
        let [seen, bounds] = match &question.effect {
            Some(effect) => {
                [format!("{:.3}", effect.largest), format!("{:.3} to {:.3}", effect.bounds.lower, effect.bounds.upper)]
            }
            None => ["–".to_owned(), "–".to_owned()],
        };
        let odds = question.log_e.map_or_else(|| "–".to_owned(), words::odds_of);
        let _ = writeln!(
            text,
            "{:<28}{:<15}{seen:>8}{bounds:>17}{:>8}  {odds:<22}{}/{}",
            question.name,
            words::arm_verdict(question.verdict),
            verdicts.questions[question.index].delta,
            question.reports.stable,
            question.reports.canary
        );
    }
    text
}

/// Those that differ first, by evidence.
fn ranked(arms: &ArmVerdicts) -> Vec<&ArmQuestion> {
    let mut ranked: Vec<_> = arms.questions.iter().collect();
    let evidence = |question: &ArmQuestion| question.log_e.unwrap_or(f64::NEG_INFINITY);
    ranked.sort_by(|a, b| {
        (b.verdict == "differs").cmp(&(a.verdict == "differs")).then(evidence(b).total_cmp(&evidence(a)))
    });
    ranked
}

fn headline(arms: &ArmVerdicts) -> String {
    let with = |verdict: &str| arms.questions.iter().filter(|question| question.verdict == verdict).count();
    match (with("differs"), with("alike"), arms.questions.len()) {
        (0, alike, all) if alike == all => "The canary answers like stable".to_owned(),
        (0, alike, all) => {
            format!("The canary is not shown to differ; {alike} of {all} questions are shown to be alike")
        }
        (differs, _, all) => {
            format!("The canary differs from stable in {differs} of {}", words::count(all as f64, "question"))
        }
    }
}

fn subline(verdicts: &SpecVerdicts, arms: &ArmVerdicts) -> String {
    let day = |window: u32| words::date(u64::from(window) * verdicts.window_length_secs);
    format!("Canary beside stable, windows of {} to {}", day(arms.first_window), day(arms.last_window))
}

fn badge(verdict: &str) -> &str {
    match verdict {
        "differs" => "drift",
        "alike" => "stable",
        other => other,
    }
}

fn difference(verdicts: &SpecVerdicts, question: &ArmQuestion) -> Markup {
    let delta = verdicts.questions[question.index].delta;
    match (&question.effect, question.method) {
        (Some(effect), _) => {
            let reach = [effect.bounds.lower, effect.bounds.upper];
            let high = reach[1].max(2.0 * delta);
            html! {
                (chart::reach(effect.largest, reach, &[delta], high))
                span.number { (format!("{:.2} ({:.2} to {:.2})", effect.largest, reach[0], reach[1])) }
            }
        }
        (None, "interval") => html! { "by the interval of the last span" },
        (None, "none") => html! { "not compared: no shares" },
        (None, _) => html! { "–" },
    }
}

fn by_window(verdicts: &SpecVerdicts, question: &ArmQuestion) -> Markup {
    let bounds: Vec<[f64; 2]> =
        question.windows.iter().filter_map(|window| window.effect.map(|effect| [effect.lower, effect.upper])).collect();
    let delta = verdicts.questions[question.index].delta;
    let high = bounds.iter().map(|[_, upper]| *upper).fold(2.0 * delta, f64::max);
    chart::narrowing(&bounds, delta, high)
}

fn needed(question: &ArmQuestion) -> Markup {
    html! {
        @if let Some(needed) = question.canary_reports_needed {
            div.asked { "about " (words::grouped(needed)) " of the canary would decide" }
        }
    }
}
