//! The result for a terminal: one line per column, by evidence, and a sentence on what a verdict means.

use std::fmt::Write;

use super::Comparison;
use super::verdict::MODERATE;

/// A p-value as people read it.
#[must_use]
pub fn p_text(p: f64) -> String {
    if p == 0.0 {
        "<1e-300".to_owned()
    } else if p < 0.0001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.4}")
    }
}

/// The text, ending in a line end.
#[must_use]
pub fn table(comparison: &Comparison) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_table(&mut text, comparison);
    text
}

fn write_table(out: &mut String, comparison: &Comparison) -> std::fmt::Result {
    let (reference, current) = (&comparison.reference, &comparison.current);
    writeln!(out, "reference  {}  {} rows", reference.file.display(), reference.rows)?;
    writeln!(out, "current    {}  {} rows", current.file.display(), current.rows)?;
    writeln!(out, "drift      {} of {} columns\n", comparison.drifted(), comparison.columns.len())?;
    let header = ["column", "kind", "drift", "p adjusted", "moved", "PSI", "JS", "W1/sd", "missing"].map(str::to_owned);
    let mut rows = vec![header];
    for column in comparison.by_evidence() {
        let test = &column.missing_test;
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        let missing = if column.missing == (0, 0) {
            "-".to_owned()
        } else {
            format!("{} -> {}", percent(test.shares.0), percent(test.shares.1))
        };
        rows.push([
            printable(&column.name),
            if column.numeric.is_some() { "numeric" } else { "categorical" }.to_owned(),
            column.severity.word().to_owned(),
            p_text(column.evidence()),
            percent(column.moved()),
            format!("{:.4}", column.divergences.psi),
            format!("{:.4}", column.divergences.js_distance),
            column.numeric.map_or_else(|| "-".to_owned(), |numeric| format!("{:.3}", numeric.wasserstein_normed)),
            missing,
        ]);
    }
    let widths: [usize; 9] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    for row in rows {
        let cells = row
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(at, (cell, width))| if at < 3 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    writeln!(out)?;
    for (what, names) in
        [("only in the reference", &comparison.only_in_reference), ("only in current", &comparison.only_in_current)]
    {
        if !names.is_empty() {
            writeln!(out, "{what}: {}", names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", "))?;
        }
    }
    for (name, reason) in &comparison.skipped {
        let sign = if reason.is_drift() { "drift" } else { "not compared" };
        writeln!(out, "{sign}: {:?}, {}", name, reason.reason())?;
    }
    writeln!(
        out,
        "drift is evidence (false discovery rate {}) and effect: {:.0}% of rows moved to other cells beyond chance,",
        comparison.alpha,
        100.0 * MODERATE.moved
    )?;
    writeln!(
        out,
        "or W1 of {} standard deviations, or {:.0}% more or fewer rows missing; what is real and smaller is a trifle.",
        MODERATE.wasserstein_normed,
        100.0 * MODERATE.missing
    )
}

/// A name without what would move the cursor.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
