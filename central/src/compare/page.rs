//! The result as one page for a slide: what drifted, how sure, how much, and each column before and after.
//!
//! One file without scripts, fonts or pictures, which asks no server for anything and says so to the browser. Names and
//! labels come from files and are escaped by `maud`.

mod chart;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::comparison::ColumnComparison;
use super::terminal::p_text;
use super::verdict::{MODERATE, SEVERE};
use super::{Comparison, Severity, Window};

/// What the page may load: its own styles, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The worst first.
const SEVERITIES: [Severity; 4] = [Severity::Severe, Severity::Moderate, Severity::Trifle, Severity::None];

/// The page.
#[must_use]
pub fn page(comparison: &Comparison) -> String {
    let columns = comparison.by_evidence();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Drift: " (name(&comparison.current)) " against " (name(&comparison.reference)) }
                style { (PreEscaped(include_str!("page/page.css"))) }
            }
            body {
                main {
                    (head(comparison))
                    (overview(&columns))
                    (left_out(comparison))
                    section.columns {
                        h2 { "Column by column" }
                        p.key {
                            i.swatch.before {} "reference " i.swatch.after {} "current. Share of the present rows in "
                            "each cell; cells of numbers are bounded by the reference's deciles."
                        }
                        div.cards { @for column in &columns { (card(column)) } }
                    }
                    (reading(comparison))
                }
            }
        }
    }
    .into_string()
}

/// The name of a file without its directories.
fn name(window: &Window) -> String {
    window
        .file
        .file_name()
        .map_or_else(|| window.file.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn head(comparison: &Comparison) -> Markup {
    let (drifted, of) = (comparison.drifted(), comparison.columns.len());
    let vanished = comparison.skipped.iter().filter(|(_, reason)| reason.is_drift()).count();
    let count = |severity| comparison.columns.iter().filter(|column| column.severity == severity).count();
    html! {
        header {
            p.kicker { "Drift between two windows" }
            h1 {
                @if drifted == 0 { "No column drifted" }
                @else if drifted == 1 { "1 of " (of + vanished) " columns drifted" }
                @else { (drifted) " of " (of + vanished) " columns drifted" }
            }
            dl.windows {
                @for (what, window) in [("Reference", &comparison.reference), ("Current", &comparison.current)] {
                    div {
                        dt { (what) }
                        dd { code { (name(window)) } " " span.soft { (grouped(window.rows)) " rows" } }
                    }
                }
            }
            ul.tally {
                @for severity in SEVERITIES.into_iter().filter(|severity| count(*severity) > 0) {
                    li class=(severity.word()) { b { (count(severity)) } " " (severity.word()) }
                }
                @if vanished > 0 { li.severe { b { (vanished) } " without a value" } }
            }
        }
    }
}

fn overview(columns: &[&ColumnComparison]) -> Markup {
    html! {
        section {
            h2 { "By evidence" }
            div.scroll {
                table {
                    thead { tr {
                        th { "Column" } th { "Drift" } th.n { "p, adjusted" } th.bar { "Moved" }
                        th.n { "PSI" } th.n { "JS" } th.n { "W₁/σ" } th.n { "Missing" }
                    } }
                    tbody {
                        @for column in columns {
                            tr {
                                th scope="row" { (column.name) }
                                td { (badge(column.severity)) }
                                td.n { (p_text(column.evidence())) }
                                td.bar { (chart::moved(column)) }
                                td.n { (fixed(column.divergences.psi, 3)) }
                                td.n { (fixed(column.divergences.js_distance, 3)) }
                                td.n {
                                    @if let Some(numeric) = column.numeric { (fixed(numeric.wasserstein_normed, 2)) }
                                    @else { "–" }
                                }
                                td.n { (missing(column)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn badge(severity: Severity) -> Markup {
    html! { span class={ "badge " (severity.word()) } { (severity.word()) } }
}

fn missing(column: &ColumnComparison) -> Markup {
    let (before, after) = column.missing_test.shares;
    html! { @if column.missing == (0, 0) { "–" } @else { (percent(before)) " → " (percent(after)) } }
}

fn left_out(comparison: &Comparison) -> Markup {
    let list = |what: &str, names: &[String]| {
        html! {
            @if !names.is_empty() {
                dt { (what) }
                dd { @for (at, name) in names.iter().enumerate() { @if at > 0 { ", " } code { (name) } } }
            }
        }
    };
    let unmatched = !comparison.only_in_reference.is_empty() || !comparison.only_in_current.is_empty();
    html! {
        @if unmatched || !comparison.skipped.is_empty() {
            section {
                h2 { "Not compared" }
                dl.left-out {
                    (list("Only in the reference", &comparison.only_in_reference))
                    (list("Only in the current window", &comparison.only_in_current))
                    @for (name, reason) in &comparison.skipped {
                        dt { code { @if name.is_empty() { "(no name)" } @else { (name) } } }
                        dd { (reason.reason()) @if reason.is_drift() { " " (badge(Severity::Severe)) } }
                    }
                }
            }
        }
    }
}

fn card(column: &ColumnComparison) -> Markup {
    let d = &column.divergences;
    html! {
        article {
            header {
                h3 { (column.name) }
                (badge(column.severity))
            }
            (chart::cells(column))
            dl.facts {
                @if let Some(numeric) = column.numeric {
                    (fact("mean", &format!("{} → {}", short(numeric.means.0), short(numeric.means.1))))
                    (fact("std", &format!("{} → {}", short(numeric.stds.0), short(numeric.stds.1))))
                    (fact("KS", &fixed(numeric.distance.ks, 3)))
                    (fact("W₁", &short(numeric.distance.wasserstein)))
                    @if numeric.outside > 0.0 { (fact("outside range", &percent(numeric.outside))) }
                } @else {
                    (fact("χ²", &format!("{}, {} df", short(d.chi2.statistic), d.chi2.df)))
                    (fact("largest change", &percent(d.l_inf)))
                    @let (labels, share) = column.new_labels();
                    @if labels > 0 { (fact("new labels", &format!("{labels}, {}", percent(share)))) }
                    @if let Some((labels, (before, after))) = chart::undrawn(column) {
                        (fact("labels not drawn", &format!("{labels}, {} → {}", percent(before), percent(after))))
                    }
                }
                (fact("p", &p_text(column.p_value)))
                (fact("Hellinger", &fixed(d.hellinger, 3)))
                @if column.missing != (0, 0) {
                    div { dt { "missing" } dd { (missing(column)) } }
                }
            }
        }
    }
}

fn fact(what: &str, value: &str) -> Markup {
    html! { div { dt { (what) } dd { (value) } } }
}

fn reading(comparison: &Comparison) -> Markup {
    html! {
        footer {
            p {
                b { "How to read this. " }
                "Drift needs evidence and effect. Evidence: the Kolmogorov–Smirnov test for numbers and χ² for labels "
                "and missing rows, all p-values adjusted together so that about " (percent(comparison.alpha))
                " of the columns called drifted are false at most (Benjamini–Hochberg). Effect: "
                (percent(MODERATE.moved)) " of the rows moved to other cells beyond what chance moves, or a "
                "Wasserstein distance of " (MODERATE.wasserstein_normed) " standard deviations, or a missing "
                "share that changed by "
                (percent(MODERATE.missing)) "; severe from " (percent(SEVERE.moved)) ", " (SEVERE.wasserstein_normed)
                " and " (percent(SEVERE.missing))
                ". What is significant and smaller is a trifle."
            }
            p {
                "p-values suppose rows that do not depend on each other; rows in a series do, and make evidence look "
                "stronger. "
                "PSI counts a share of zero as 0.0001; JS is the Jensen–Shannon distance with the natural logarithm. "
                "Made by " code { "driftglass compare --html" } "."
            }
        }
    }
}

fn percent(share: f64) -> String {
    let percents = 100.0 * share;
    if percents > 0.0 && percents < 0.05 {
        return "<0.1 %".to_owned();
    }
    let digits = usize::from(percents < 9.95 && percents.fract() != 0.0);
    format!("{percents:.digits$} %")
}

/// Three or four digits that say something, whatever the unit.
fn short(number: f64) -> String {
    significant(number, 3)
}

/// At least as many digits as are asked for, without zeros at the end of a fraction.
fn significant(number: f64, digits: i32) -> String {
    let size = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if !number.is_finite() {
        "–".to_owned()
    } else if !(1e-3..1e6).contains(&size) {
        format!("{number:.2e}")
    } else {
        let digits = (digits - 1 - size.log10().floor() as i32).clamp(0, 9) as usize;
        let text = format!("{number:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

fn fixed(number: f64, digits: usize) -> String {
    if number.is_finite() { format!("{number:.digits$}") } else { "–".to_owned() }
}

/// 12000 as 12,000.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let cases =
            [(0.0, "0"), (12_345.6, "12346"), (1.5, "1.5"), (0.012_345, "0.0123"), (1e7, "1.00e7"), (-2.0, "-2")];
        for (number, text) in cases {
            assert_eq!(short(number), text);
        }
        assert_eq!(
            (grouped(12), grouped(1_234), grouped(1_234_567)),
            ("12".into(), "1,234".into(), "1,234,567".into())
        );
        assert_eq!((percent(0.05), percent(0.0123), percent(0.5)), ("5 %".into(), "1.2 %".into(), "50 %".into()));
    }
}
