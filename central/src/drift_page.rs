//! `driftglass drift`: what drifted, as one page to show to others.
//!
//! The page is one file without scripts, fonts or pictures; it asks no server for anything and says so to the browser.
//! Its first screen is a slide: one sentence, the ranking, the worst question in pictures. Everything else follows below.

mod arms;
mod chart;
mod performance;
mod words;

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::verdicts::{Causes, Performance, QuestionCauses, QuestionVerdicts, SpecVerdicts, WindowVerdict};

/// What the page may load: its own styles, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Questions that are drawn large on the first screen.
const SHOWN_FIRST: usize = 2;

/// The page about the last closed window of each question.
#[must_use]
pub fn page(verdicts: &SpecVerdicts, causes: &Causes, performance: &Performance) -> String {
    let ranked = ranked(verdicts);
    let (first, rest) = ranked.split_at(ranked.len().min(SHOWN_FIRST));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Drift: " (verdicts.app) }
                style { (PreEscaped(include_str!("drift_page/page.css"))) }
            }
            body {
                main {
                    header {
                        p.app { (verdicts.app) @if verdicts.clock.is_simulated() { span.simulated { "simulated clock" } } }
                        h1 { (words::headline(&ranked)) }
                        p.sub { (words::subline(verdicts, &ranked)) }
                    }
                    section.ranking aria-label="Ranking" { (ranking(verdicts, causes, &ranked)) }
                    section.panels aria-label="What moved most" {
                        @for row in first { (panel(verdicts, causes, row)) }
                    }
                    (performance::section(verdicts, performance))
                    @if !rest.is_empty() {
                        section.panels.rest aria-label="All other questions" {
                            @for row in rest { (panel(verdicts, causes, row)) }
                        }
                    }
                    (together(causes))
                    (arms::section(verdicts))
                    (groups(verdicts))
                    (how_to_read(verdicts))
                    footer {
                        "Made by " code { "driftglass drift --html" } " from aggregates of noisy answers. Spec "
                        code { (verdicts.spec_id) } "."
                    }
                }
            }
        }
    }
    .into_string()
}

fn behind<'a>(causes: &'a Causes, row: &Ranked<'_>) -> Option<&'a QuestionCauses> {
    causes.questions.iter().find(|behind| behind.question == row.question.name)
}

/// The same in a terminal.
#[must_use]
pub fn table(verdicts: &SpecVerdicts, causes: &Causes, performance: &Performance) -> String {
    let ranked = ranked(verdicts);
    let mut text = format!("{}\n{}\n\n", words::headline(&ranked), words::subline(verdicts, &ranked));
    text += &format!(
        "{:<28}{:<15}{:>8}{:>17}{:>8}  {:<14}evidence\n",
        "question", "verdict", "effect", "interval", "delta", "since"
    );
    for row in &ranked {
        let question = row.question;
        let verdict = words::verdict(row.now.map_or("waiting", |now| now.verdict));
        let [estimate, reach] = match row.now.and_then(|now| now.effect.as_ref()) {
            Some(effect) => {
                let interval = &effect.interval;
                [format!("{:.3}", interval.estimate), format!("{:.3} to {:.3}", interval.lower, interval.upper)]
            }
            None => ["–".to_owned(), "–".to_owned()],
        };
        let (since, evidence) = (words::since(verdicts, question), words::evidence(behind(causes, row)));
        let _ = writeln!(
            text,
            "{:<28}{verdict:<15}{estimate:>8}{reach:>17}{:>8}  {since:<14}{evidence}",
            question.name, question.delta
        );
    }
    text += &performance::table(verdicts, performance);
    text += &arms::table(verdicts);
    text
}

/// A question with the window that is told about it.
struct Ranked<'a> {
    question: &'a QuestionVerdicts,
    /// The last closed window; none if there is none.
    now: Option<&'a WindowVerdict>,
}

/// Those that drift first, by how clearly the effect stands above its threshold.
fn ranked<'a>(verdicts: &'a SpecVerdicts) -> Vec<Ranked<'a>> {
    let of = |question: &'a QuestionVerdicts| Ranked { question, now: question.told() };
    let mut ranked: Vec<_> = verdicts.questions.iter().map(of).collect();
    ranked.sort_by(|a, b| b.drifts().cmp(&a.drifts()).then(b.clearness().total_cmp(&a.clearness())));
    ranked
}

impl Ranked<'_> {
    fn drifts(&self) -> bool {
        self.now.is_some_and(|now| now.verdict == "drift")
    }

    /// Lower bound of the effect over the threshold that matters.
    fn clearness(&self) -> f64 {
        let lower = self.now.and_then(|now| now.effect.as_ref()).map_or(-1.0, |effect| effect.interval.lower);
        lower / self.question.delta
    }
}

fn ranking(verdicts: &SpecVerdicts, causes: &Causes, ranked: &[Ranked<'_>]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Question" }
                th scope="col" { "Verdict" }
                th scope="col" { "Effect, with its interval" }
                th scope="col" { "Since" }
                th scope="col" { "Evidence" }
            } }
            tbody {
                @for row in ranked {
                    tr {
                        th scope="row" { (row.question.metric) " " span.asked { (words::asked(row.question)) } }
                        td { (badge(row)) }
                        td.effect { (chart::interval(row.question, row.now)) }
                        td { (words::since(verdicts, row.question)) }
                        td { (words::evidence(behind(causes, row))) }
                    }
                }
            }
        }
    }
}

fn badge(row: &Ranked<'_>) -> Markup {
    let verdict = row.now.map_or("waiting", |now| now.verdict);
    html! { span class={ "badge " (verdict) } { (words::verdict(verdict)) } }
}

fn panel(verdicts: &SpecVerdicts, causes: &Causes, row: &Ranked<'_>) -> Markup {
    let question = row.question;
    html! {
        article {
            h2 { (question.metric) " " span.asked { (words::asked(question)) } " " (badge(row)) }
            p { (words::sentence(verdicts, question, row.now)) }
            @if let Some(behind) = behind(causes, row) { p.behind { (words::behind(verdicts, behind, row.now)) } }
            div.figures {
                figure { (chart::effect_by_window(verdicts, question)) figcaption { (words::measure(question)) " by window, with its interval; dashed: the threshold that matters" } }
                figure { (chart::shares(question, row.now)) figcaption { "Shares of devices: " span.key.then {} " reference " span.key.now {} " now" } }
            }
        }
    }
}

/// Questions that moved at the same time, which one cause may explain.
fn together(causes: &Causes) -> Markup {
    let several = || causes.moved_together.iter().filter(|group| group.questions.len() > 1);
    html! {
        @for group in several() {
            p { "Moved at the same time, so that one cause may be behind them: " b { (group.questions.join(", ")) } "." }
        }
    }
}

/// Segments and arms that drifted, or that are unlike the others.
fn groups(verdicts: &SpecVerdicts) -> Markup {
    let rows = verdicts.groups.iter().flat_map(|group| group.questions.iter().map(move |question| (group, question)));
    let told = |drifts: bool, differs: bool| match (drifts, differs) {
        (true, true) => "drifted, and unlike all others",
        (true, false) => "drifted since its first windows",
        _ => "unlike all others",
    };
    let notable: Vec<_> = rows
        .filter_map(|(group, question)| {
            let drifts = question.since_start.told().is_some_and(|now| now.verdict == "drift");
            let rest = question.against_rest.as_ref();
            let differs = rest.is_some_and(|rest| rest.differs);
            (drifts || differs).then(|| (group, &question.since_start, told(drifts, differs), rest))
        })
        .collect();
    html! {
        @if !verdicts.groups.is_empty() {
            section.ranking aria-label="Segments and arms" {
                h2 { "Segments and arms" }
                @if notable.is_empty() { p { "None of them drifted by itself, and none is shown to be unlike the others." } }
                @else {
                    table {
                        thead { tr { th { "Group" } th { "Question" } th { "What" } th { "Difference to all others" } } }
                        tbody {
                            @for (group, question, what, rest) in notable {
                                tr {
                                    th scope="row" { (group.segment) @if group.arm == "canary" { " (canary)" } }
                                    td { (question.metric) " " span.asked { (words::asked(question)) } }
                                    td { (what) }
                                    td { @if let Some(rest) = rest { (words::effect(&rest.effect)) } @else { "–" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn how_to_read(verdicts: &SpecVerdicts) -> Markup {
    html! {
        details {
            summary { "How to read this" }
            p {
                "Every answer was made noisy on the device before it was sent; all intervals hold that noise and the finite "
                "sample of the reference. " b { "Drift" } " means that the whole interval of the effect lies above the threshold that matters, "
                b { "stable" } " that it lies at or below it, " b { "inconclusive" } " that the answers so far do not say. "
                "The intervals are so wide that at most " (words::count(verdicts.false_alarms_per_year, "false alarm"))
                " a year is expected over all questions, however often one looks."
            }
        }
    }
}
