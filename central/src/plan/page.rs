//! The page of a plan: one file without scripts, fonts or pictures.
//!
//! One chart per question: the smallest shift that is found against the windows that were looked at, both on logarithmic
//! scales, so that halving a shift is one length wherever it starts. All charts have the same axes.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{LookPlan, QuestionPlan, SpecPlan, number};

/// What the page may load: its own styles, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 190.0;
/// Left, right, top and bottom of the plot.
const PLOT: [f64; 4] = [38.0, 322.0, 10.0, 166.0];
/// Shifts shown, from bottom to top.
const SHIFTS: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// The page.
#[must_use]
pub fn page(plan: &SpecPlan) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Plan: " (plan.app) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                main {
                    p.kicker { "Driftglass · plan" }
                    h1 { (plan.app) }
                    p.lead { "What " (thousands(plan.fleet as f64)) " devices can find with these questions, before the "
                        "first of them has answered." }
                    (facts(plan))
                    div.charts { @for question in &plan.questions { (card(plan, question)) } }
                    (reading(plan))
                    footer { "Made by " code { "driftglass plan --html" } " from spec " code { (plan.spec_id) } "." }
                }
            }
        }
    }
    .into_string()
}

fn facts(plan: &SpecPlan) -> Markup {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    html! {
        dl.facts {
            div { dt { "Take part" } dd { (percent(plan.participation)) } }
            div { dt { "Answers with data" } dd { (percent(plan.with_data)) } }
            @if plan.within_caps < 1.0 { div { dt { "Left by the caps" } dd { (percent(plan.within_caps)) } } }
            div { dt { "False alarms accepted" } dd { (plan.false_alarms_per_year) " a year" } }
            div { dt { "A verdict spans" } dd { (plan.span_windows) " windows" } }
            div { dt { "Looked at for" } dd { (plan.windows) " windows" } }
        }
    }
}

fn card(plan: &SpecPlan, question: &QuestionPlan) -> Markup {
    html! {
        section {
            h2 { (question.question) }
            p.note {
                (question.kind) ", " (question.cells) " cells, ε " (question.epsilon) ", " (question.mechanism) "; "
                b { (thousands(question.reports_per_window)) " reports" } " a window"
            }
            (chart(plan, question))
            @if !question.looks.is_empty() {
                table {
                    thead { tr { th { "Found, " (question.measure) } th.n { "power .8" } th.n { ".95" }
                        th.n { "in " (short(question.typical_measure)) } } }
                    tbody { @for look in &question.looks { (row(look)) } }
                }
            }
            @if let Some(wished) = &question.wished {
                p.wished { "To find " b { (wished.shift) } " in a span: "
                    (wished.fleet.map_or("no number of devices is enough".to_owned(),
                        |n| format!("{} devices", thousands(n as f64))))
                    (wished.epsilon.map_or("; no ε is enough with these".to_owned(),
                        |epsilon| format!(", or ε {epsilon:.1} with these")))
                }
            }
            @for warning in &question.warnings { p.warning { (warning) } }
        }
    }
}

fn row(look: &LookPlan) -> Markup {
    let windows = if look.windows == 1 { String::new() } else { format!(", {} windows", look.windows) };
    html! {
        tr {
            th { (look.look) (windows) }
            td.n { (number(look.power_80)) }
            td.n { (number(look.power_95)) }
            td.n { (number(look.typical_80)) }
        }
    }
}

fn short(measure: &str) -> &str {
    match measure {
        "standard deviations" => "sd",
        "total variation" => "TV",
        other => other,
    }
}

/// The curves; a band below the shift that matters; a point for the span.
fn chart(plan: &SpecPlan, question: &QuestionPlan) -> Markup {
    let [left, right, top, bottom] = PLOT;
    let last = f64::from(plan.windows.max(2)).ln();
    let x = |windows: f64| left + (right - left) * windows.ln() / last;
    let [low, high] = [SHIFTS[0].ln(), SHIFTS[SHIFTS.len() - 1].ln()];
    let y = |shift: f64| bottom - (bottom - top) * ((shift.ln() - low) / (high - low)).clamp(0.0, 1.0);
    let line = |of: &dyn Fn(&super::Point) -> Option<f64>| {
        let points = question.curve.iter().filter_map(|point| Some((point.windows, of(point)?)));
        points.map(|(windows, shift)| format!("{:.1},{:.1}", x(f64::from(windows)), y(shift))).collect::<Vec<_>>()
    };
    let [likely, sure] = [line(&|point| point.power_80), line(&|point| point.power_95)].map(|line| line.join(" "));
    let ticks = [1, 2, 4, 8, 13, 26, 52, 104, 208, 520].into_iter().filter(|at| *at <= plan.windows);
    let matters = y(question.delta.max(SHIFTS[0]));
    let text = format!(
        "{}: smallest shift found with power 0.8 over {} windows: {}",
        question.question,
        plan.windows,
        number(question.curve.last().and_then(|point| point.power_80)),
    );
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(text) {
            @if question.delta > 0.0 {
                rect.matters x=(left) y=(matters) width=(right - left) height=(bottom - matters) {}
                text.small.end x=(right - 4.0) y=(bottom - 5.0) { "too small to matter" }
            }
            @for shift in SHIFTS {
                line.grid x1=(left) x2=(right) y1=(y(shift)) y2=(y(shift)) {}
                text.small.end x=(left - 5.0) y=(y(shift) + 3.5) { (shift) }
            }
            @for at in ticks { text.small.middle x=(x(f64::from(at))) y=(bottom + 13.0) { (at) } }
            text.small.end x=(right) y=(HEIGHT - 1.0) { "windows looked at" }
            @if likely.is_empty() {
                text.none.middle x=((left + right) / 2.0) y=((top + bottom) / 2.0) { "nothing is found" }
            }
            polyline.sure points=(sure) {}
            polyline.likely points=(likely) {}
            @if let Some((look, shift)) = question.looks.get(1).and_then(|look| Some((look, look.power_80?))) {
                circle.span cx=(x(f64::from(look.windows.min(plan.windows)))) cy=(y(shift)) r="4" {}
            }
        }
    }
}

fn reading(plan: &SpecPlan) -> Markup {
    html! {
        section.reading {
            h2 { "How to read this" }
            ul {
                li { "Lines: the smallest shift that is found with probability " b { ".8" } " (strong) and " b { ".95" }
                    " (pale) if one may look after every window; " b { "lower is better" } ". The point is one verdict over "
                    "a span of " (plan.span_windows) " windows." }
                li { "A shift counts as found when its interval lies above what matters, so no line goes below the band." }
                li { "Shares are " (if plan.reference { "those of the reference, with its own noise." } else {
                    "taken as even, and the reference as exact: give one with --reference." }) }
                li { "In sd: the whole metric moves by so many standard deviations. In TV: so large a share of it moves." }
                li { "Error probability of one verdict " (format!("{:.2} %", 100.0 * plan.level)) ", of a question over "
                    "all windows " (format!("{:.1} %", 100.0 * plan.level_over_time)) "." }
            }
        }
    }
}

/// With a space between thousands.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
