//! How well the model does, on the page and in a terminal.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{chart, words};
use crate::verdicts::{Calibration, ConfusionTable, FigureOf, Interval, JointShift, Performance, SpecVerdicts};

/// Classes of a matrix that fits on the page.
const MAX_CLASSES: usize = 8;

/// All that the spec's questions tell of the model.
pub(super) fn section(verdicts: &SpecVerdicts, performance: &Performance) -> Markup {
    html! {
        section.ranking.performance aria-label="How well the model does" {
            h2 { (headline(performance)) }
            p.sub { (subline(verdicts, performance)) }
            @for matrix in &performance.confusion { (pictures(verdicts, performance, matrix)) }
            @if !performance.figures.is_empty() { (figures(performance)) }
            p.behind {
                "Intervals err with probability " (format!("{:.3} %", 100.0 * performance.level)) " each. \"Rose\" and \"fell\" mean by more than delta, "
                "\"fakes\" how many added fake devices could feign or hide that. "
                @if performance.figures.iter().any(|figure| figure.group == "unlabeled") {
                    "Figures without labels take the rates of the reference to hold in each cell; calibration says whether they do."
                }
            }
            @for calibration in &performance.calibration { (rates(calibration)) }
            (together(&performance.joint))
            (strata(performance))
            @if !performance.missing.is_empty() {
                details {
                    summary { "What the spec's questions do not tell" }
                    ul { @for missing in &performance.missing { li { b { (missing.figure) } ": needs " (missing.needs) "." } } }
                }
            }
        }
    }
}

/// The same in a terminal.
pub(super) fn table(verdicts: &SpecVerdicts, performance: &Performance) -> String {
    let mut text = format!("\n{}\n{}\n", headline(performance), subline(verdicts, performance));
    if !performance.figures.is_empty() {
        let _ = writeln!(
            text,
            "\n{:<46}{:<15}{:>8}{:>17}{:>11}{:>26}{:>10}  fakes",
            "figure", "state", "now", "interval", "reference", "change", "answers"
        );
    }
    for figure in &performance.figures {
        let [now, interval] = match &figure.estimate {
            Some(found) => [format!("{:.3}", found.estimate), format!("{:.3} to {:.3}", found.lower, found.upper)],
            None => ["–".to_owned(), "–".to_owned()],
        };
        let reference = figure.reference.map_or_else(|| "–".to_owned(), |found| format!("{:.3}", found.estimate));
        let change = figure.change.map_or_else(|| "–".to_owned(), |change| signed(&change));
        let fakes = figure.fakes_for_delta.map_or_else(|| "–".to_owned(), words::grouped);
        let _ = writeln!(
            text,
            "{:<46}{:<15}{now:>8}{interval:>17}{reference:>11}{change:>26}{:>10}  {fakes}",
            format!("{} {}", title(figure), beside(performance, figure)).trim_end(),
            if figure.group == "coverage" { "–" } else { state(figure.state) },
            words::grouped(figure.answers)
        );
    }
    for calibration in &performance.calibration {
        let _ = writeln!(text, "\n{}", calibrated(calibration));
    }
    for joint in &performance.joint {
        let _ = writeln!(text, "\n{}", jointly(joint));
    }
    for segment in &performance.segments {
        let difference = segment.difference.map_or_else(|| "–".to_owned(), |difference| signed(&difference));
        let _ = writeln!(
            text,
            "{:<46}{:<15}{difference}",
            format!("accuracy in {} by {}", segment.segment, segment.question),
            state(segment.state)
        );
    }
    for arm in &performance.arms {
        let _ = writeln!(
            text,
            "{:<46}{:<15}{}",
            format!("accuracy of the canary by {}", arm.question),
            state(arm.state),
            signed(&arm.difference)
        );
    }
    if !performance.missing.is_empty() {
        text += "\nnot told by the spec's questions:\n";
    }
    for missing in &performance.missing {
        let _ = writeln!(text, "  {}: needs {}", missing.figure, missing.needs);
    }
    text
}

fn headline(performance: &Performance) -> String {
    let named = |name: &str| performance.figures.iter().find(|figure| figure.name == name);
    let Some(accuracy) = named("accuracy").or_else(|| named("expected accuracy")) else {
        return "How well the model does is not asked".to_owned();
    };
    let Some(now) = &accuracy.estimate else { return "How well the model does is not known yet".to_owned() };
    let what = if accuracy.group == "labeled" { "right" } else { "expected to be right" };
    let share = |share: f64| format!("{:.0} %", 100.0 * share);
    let told = format!("{} of the predictions are {what}", share(now.estimate));
    match (accuracy.state, &accuracy.change) {
        (state @ ("rose" | "fell"), Some(change)) => {
            format!("{told}: accuracy {state} by {:.0} points", 100.0 * change.estimate.abs())
        }
        ("steady", _) => format!("{told}, as in the reference"),
        ("inconclusive", Some(_)) => format!("{told}; whether that changed by what matters is not known yet"),
        _ => told,
    }
}

fn subline(verdicts: &SpecVerdicts, performance: &Performance) -> String {
    let questions: Vec<_> =
        performance.questions.iter().filter(|question| rests(performance, &question.question)).collect();
    let (Some(first), Some(last)) = (
        questions.iter().map(|question| question.span_first_window).min(),
        questions.iter().map(|question| question.window).max(),
    ) else {
        return "No figure rests on a closed window.".to_owned();
    };
    let start = u64::from(first) * verdicts.window_length_secs;
    let end = (u64::from(last) + 1) * verdicts.window_length_secs - 1;
    let of = |question: &&crate::verdicts::Basis| {
        let coverage = 100.0 * question.coverage.estimate;
        let response = 100.0 * question.response_rate;
        format!(
            "{}: {} reports, {response:.0} % of the best windows', {coverage:.0} % of them with data",
            question.question,
            words::grouped(question.reports)
        )
    };
    let rests: Vec<String> = questions.iter().map(of).collect();
    format!("{} to {}. {}.", words::date(start), words::date(end), rests.join("; "))
}

fn rests(performance: &Performance, question: &str) -> bool {
    performance.figures.iter().any(|figure| figure.questions.iter().any(|name| name == question))
        || performance.joint.iter().any(|joint| joint.question == question)
}

/// "recall of late".
fn title(figure: &FigureOf) -> String {
    figure.class.as_ref().map_or_else(|| figure.name.to_owned(), |class| format!("{} of {class}", figure.name))
}

/// What tells a figure from another of the same name: without labels, or the question that it rests on.
fn beside(performance: &Performance, figure: &FigureOf) -> String {
    let alike = |other: &&FigureOf| other.name == figure.name && other.class == figure.class;
    match figure.questions.first() {
        _ if figure.group == "unlabeled" => "without labels".to_owned(),
        Some(question) if performance.figures.iter().filter(alike).count() > 1 => format!("by {question}"),
        _ => String::new(),
    }
}

fn state(word: &str) -> &str {
    match word {
        "inconclusive" => "not known yet",
        "waiting" => "no reference",
        word => word,
    }
}

fn badge(word: &str) -> Markup {
    let color = match word {
        "fell" | "rose" | "burning" | "drift" | "weak" | "worse" => "drift",
        "steady" | "kept" | "like" | "not worse" => "stable",
        "inconclusive" => "inconclusive",
        _ => "waiting",
    };
    html! { span class={ "badge " (color) } { (state(word)) } }
}

/// "−0.06 (−0.09 to −0.03)".
fn signed(interval: &Interval) -> String {
    let sign = |value: f64| format!("{value:+.2}").replace('-', "−");
    format!("{} ({} to {})", sign(interval.estimate), sign(interval.lower), sign(interval.upper))
}

/// Accuracy over time, and the matrix.
fn pictures(verdicts: &SpecVerdicts, performance: &Performance, matrix: &ConfusionTable) -> Markup {
    let reference = performance
        .figures
        .iter()
        .find(|figure| figure.name == "accuracy" && figure.questions.first() == Some(&matrix.question))
        .and_then(|figure| figure.reference.map(|reference| reference.estimate));
    let points: Vec<(u32, Interval)> = matrix.accuracy.iter().map(|at| (at.window, at.interval)).collect();
    html! {
        div.pictures {
            figure {
                (chart::share_by_window(verdicts, &points, reference))
                figcaption { "Share of right predictions by span, with its interval" @if reference.is_some() { "; dashed: the reference" } }
            }
            @if matrix.predictions.len() <= MAX_CLASSES && matrix.outcomes.len() <= MAX_CLASSES {
                figure {
                    table.matrix {
                        thead {
                            tr { th {} @for outcome in &matrix.outcomes { th scope="col" { (outcome) } } }
                        }
                        tbody {
                            @for (row, prediction) in matrix.predictions.iter().enumerate() {
                                tr {
                                    th scope="row" { (prediction) }
                                    @for column in 0..matrix.outcomes.len() { (cell(matrix, row * matrix.outcomes.len() + column)) }
                                }
                            }
                        }
                    }
                    figcaption { "Shares of predictions (rows) and outcomes (columns) now" @if matrix.reference.is_some() { ", and in the reference" } }
                }
            }
        }
    }
}

fn cell(matrix: &ConfusionTable, place: usize) -> Markup {
    let now = &matrix.now[place];
    html! {
        td style=(format!("--share: {:.0}%", 100.0 * now.estimate)) title=(format!("{:.3} to {:.3}", now.lower, now.upper)) {
            b { (format!("{:.1} %", 100.0 * now.estimate)) }
            @if let Some(reference) = &matrix.reference {
                span.asked { (format!("{:.1} %", 100.0 * reference[place])) }
            }
        }
    }
}

fn figures(performance: &Performance) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Figure" }
                th scope="col" { "Changed" }
                th scope="col" { "Now, with its interval; dashed: the reference" }
                th scope="col" { "Change" }
                th scope="col" { "Answers" }
                th scope="col" { "Fakes for delta" }
            } }
            tbody {
                @for figure in &performance.figures {
                    tr {
                        th scope="row" { (title(figure)) " " span.asked { (beside(performance, figure)) } }
                        td { @if figure.group == "coverage" { "–" } @else { (badge(figure.state)) } }
                        td.effect { (now(figure)) }
                        td { (changed(figure)) }
                        td.wraps { (words::grouped(figure.answers)) @if let Some(needed) = figure.reports_needed { div.asked { "about " (words::grouped(needed)) " reports would decide" } } }
                        td { (figure.fakes_for_delta.map_or_else(|| "–".to_owned(), words::grouped)) }
                    }
                }
            }
        }
    }
}

fn now(figure: &FigureOf) -> Markup {
    let Some(found) = &figure.estimate else {
        return html! { span.asked { (figure.note.as_deref().unwrap_or("–")) } };
    };
    let marks: Vec<f64> =
        figure.objective.or(figure.reference.map(|reference| reference.estimate)).into_iter().collect();
    let reach = [found.lower, found.upper];
    html! {
        (chart::reach(found.estimate, reach, &marks, 1.0))
        span.number { (format!("{:.2} ({:.2} to {:.2})", found.estimate, found.lower, found.upper)) }
    }
}

fn changed(figure: &FigureOf) -> String {
    match (&figure.objective, &figure.change) {
        (Some(objective), _) => format!("at most {:.1} % may", 100.0 * objective),
        (None, Some(change)) => signed(change),
        (None, None) => "–".to_owned(),
    }
}

fn calibrated(calibration: &Calibration) -> String {
    let p = calibration.drift.as_ref().map(|wald| match wald.p_value {
        p if p < 1e-4 => "p < 0.0001".to_owned(),
        p => format!("p = {p:.4}"),
    });
    let drift = match (calibration.state, p, &calibration.note) {
        ("drift", Some(p), _) => format!("changed since the reference ({p})"),
        (_, Some(p), _) => format!("are not shown to have changed since the reference ({p})"),
        (_, None, Some(note)) => format!("could not be compared with the reference: {note}"),
        (_, None, None) => "have no reference".to_owned(),
    };
    let error = calibration.error.map_or_else(String::new, |error| {
        format!(" Calibration error {:.3} ({:.3} to {:.3}).", error.estimate, error.lower, error.upper)
    });
    format!("Rates of {} by cell of {} {drift}.{error}", calibration.rate_of, calibration.question)
}

fn rates(calibration: &Calibration) -> Markup {
    let interval = |found: &Option<Interval>| {
        found.map_or_else(
            || "–".to_owned(),
            |found| format!("{:.2} ({:.2} to {:.2})", found.estimate, found.lower, found.upper),
        )
    };
    html! {
        h3 { "Calibration " (badge(calibration.state)) }
        p { (calibrated(calibration)) }
        table {
            thead { tr {
                th scope="col" { "Cell" }
                @if calibration.error.is_some() { th scope="col" { "Score says" } }
                th scope="col" { "Rate now" }
                th scope="col" { "Rate in the reference" }
            } }
            tbody {
                @for row in &calibration.rows {
                    tr {
                        th scope="row" { (row.cell) }
                        @if calibration.error.is_some() { td { (row.says.map_or_else(|| "–".to_owned(), |says| format!("{says:.2}"))) } }
                        td { (interval(&row.rate)) }
                        td { (interval(&row.reference)) }
                    }
                }
            }
        }
    }
}

fn jointly(joint: &JointShift) -> String {
    let p = |p: Option<f64>| p.map_or_else(|| "unknown".to_owned(), |p| format!("p = {p:.4}"));
    format!(
        "{} and {} together: {} ({} alone: {}; {} alone: {})",
        joint.first,
        joint.second,
        p(joint.together),
        joint.first,
        p(joint.first_alone),
        joint.second,
        p(joint.second_alone)
    )
}

fn together(joints: &[JointShift]) -> Markup {
    html! {
        @if !joints.is_empty() {
            h3 { "Metrics together" }
            @for joint in joints { p { (badge(joint.state)) " " (jointly(joint)) "." } }
        }
    }
}

fn strata(performance: &Performance) -> Markup {
    html! {
        @if !performance.segments.is_empty() {
            h3 { "Accuracy by segment" }
            table {
                thead { tr { th { "Segment" } th { "It is" } th { "Accuracy" } th { "Less that of all others" } th { "Answers" } } }
                tbody {
                    @for segment in &performance.segments {
                        tr {
                            th scope="row" { (segment.segment) " " span.asked { "by " (segment.question) } }
                            td { (badge(segment.state)) }
                            td { (segment.accuracy.map_or_else(|| "–".to_owned(), |found| format!("{:.2} ({:.2} to {:.2})", found.estimate, found.lower, found.upper))) }
                            td { (segment.difference.map_or_else(|| "–".to_owned(), |difference| signed(&difference))) }
                            td { (words::grouped(segment.answers)) }
                        }
                    }
                }
            }
        }
        @for arm in &performance.arms {
            p { "Accuracy of the canary: " (badge(arm.state)) " " (signed(&arm.difference)) " beside stable, from "
                (words::grouped(arm.answers_canary)) " answers of the canary and " (words::grouped(arm.answers_stable)) " of stable." }
        }
    }
}
