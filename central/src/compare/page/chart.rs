//! Pictures of a column as inline SVG: how many rows moved, and its cells before and after.

use maud::{Markup, html};

use crate::compare::comparison::{Cells, ColumnComparison};
use crate::compare::page::{percent, significant};
use crate::compare::verdict::{MODERATE, SEVERE};

/// Most labels of a picture: those whose shares changed most, in the order of the reference's shares.
const MAX_BARS: usize = 12;
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 118.0;
/// Where the bars stand.
const BASE: f64 = 100.0;
const TOP: f64 = 14.0;
/// Width of a digit of the small text, with some space.
const DIGIT: f64 = 6.2;

/// A bar of the moved share; full at twice the severe share.
pub(super) fn moved(column: &ColumnComparison) -> Markup {
    let full = 2.0 * SEVERE.moved;
    let at = |share: f64| format!("{:.1}", 100.0 * (share / full).min(1.0));
    html! {
        svg.moved viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.track x="0" y="2" width="100" height="4" rx="2" {}
            rect class={ "fill " (column.severity.word()) } x="0" y="2" width=(at(column.moved())) height="4" rx="2" {}
            @for share in [MODERATE.moved, SEVERE.moved] { rect.mark x=(at(share)) y="0" width=".6" height="8" {} }
        }
        span { (percent(column.moved())) }
    }
}

/// One cell of a picture.
struct Bar {
    /// Share of the reference, share of the current window.
    shares: (f64, f64),
    title: String,
    below: String,
}

/// Two bars per cell.
pub(super) fn cells(column: &ColumnComparison) -> Markup {
    let bars = bars(column);
    let tallest = bars.iter().map(|bar| bar.shares.0.max(bar.shares.1)).fold(0.0, f64::max);
    let step = WIDTH / bars.len().max(1) as f64;
    let (gap, width) = (step * 0.12, step * 0.37);
    let height = |share: f64| (BASE - TOP) * share / tallest.max(f64::MIN_POSITIVE);
    let middle = |at: usize| (at as f64 + 0.5) * step;
    let label = format!("Shares of {}, before and after", column.name);
    let bar = |class: &str, left: f64, share: f64| {
        let (top, height) = (at_pixel(BASE - height(share)), at_pixel(height(share)));
        html! { rect class=(class) x=(at_pixel(left)) y=(top) width=(at_pixel(width)) height=(height) {} }
    };
    let intervals = matches!(column.cells, Cells::Intervals(_));
    // Edges that would run into each other are written in part.
    let longest = bars.iter().map(|bar| bar.below.chars().count()).max().unwrap_or(0);
    let every = (longest as f64 * DIGIT / step).ceil().max(1.0) as usize;
    html! {
        svg.cells viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
            line.grid x1="0" x2=(WIDTH) y1=(TOP) y2=(TOP) {}
            text.scale x=(WIDTH) y=(TOP - 4.0) { (percent(tallest)) }
            @for (at, Bar { shares, title, below }) in bars.iter().enumerate() {
                @let left = at as f64 * step + gap;
                g {
                    title { (title) }
                    (bar("before", left, shares.0))
                    (bar("after", left + width, shares.1))
                    rect.hit x=(at_pixel(at as f64 * step)) y="0" width=(at_pixel(step)) height=(HEIGHT) {}
                }
                @if intervals {
                    @if at > 0 && at % every == 0 {
                        text.edge x=(at_pixel(at as f64 * step)) y=(BASE + 12.0) { (below) }
                    }
                } @else {
                    text.edge x=(at_pixel(middle(at))) y=(BASE + 12.0) { (below) }
                }
            }
            line.axis x1="0" x2=(WIDTH) y1=(BASE) y2=(BASE) {}
        }
    }
}

fn at_pixel(position: f64) -> String {
    format!("{position:.1}")
}

/// Shares of a cell in the reference and in the current window.
fn share(column: &ColumnComparison, at: usize) -> (f64, f64) {
    let of = |counts: &[u64], present: u64| counts[at] as f64 / present as f64;
    (of(&column.counts.0, column.present.0), of(&column.counts.1, column.present.1))
}

/// Labels that are drawn, and the others.
fn drawn(column: &ColumnComparison) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..column.counts.0.len()).collect();
    let change = |at: usize| (share(column, at).0 - share(column, at).1).abs();
    order.sort_by(|a, b| change(*b).total_cmp(&change(*a)));
    let rest = order.split_off(MAX_BARS.min(order.len()));
    order.sort_by(|a, b| share(column, *b).0.total_cmp(&share(column, *a).0));
    (order, rest)
}

/// How many labels are not drawn, and their shares before and after.
pub(super) fn undrawn(column: &ColumnComparison) -> Option<(usize, (f64, f64))> {
    let (_, rest) = drawn(column);
    let sum = |sum: (f64, f64), (before, after): (f64, f64)| (sum.0 + before, sum.1 + after);
    (!rest.is_empty()).then(|| (rest.len(), rest.iter().map(|at| share(column, *at)).fold((0.0, 0.0), sum)))
}

fn bars(column: &ColumnComparison) -> Vec<Bar> {
    let title = |what: &str, (before, after): (f64, f64)| format!("{what}: {} → {}", percent(before), percent(after));
    match &column.cells {
        Cells::Intervals(edges) => {
            let texts = edge_texts(edges);
            let bar = |at: usize| {
                let shares = share(column, at);
                let what = match (at.checked_sub(1).map(|below| &texts[below]), texts.get(at)) {
                    (None, Some(high)) => format!("up to {high}"),
                    (Some(low), Some(high)) => format!("{low} to {high}"),
                    (Some(low), None) => format!("above {low}"),
                    (None, None) => "all".to_owned(),
                };
                let below = at.checked_sub(1).map_or_else(String::new, |edge| texts[edge].clone());
                Bar { shares, title: title(&what, shares), below }
            };
            (0..=edges.len()).map(bar).collect()
        }
        Cells::Labels(labels) => {
            let (drawn, _) = drawn(column);
            let room = (60 / drawn.len().max(1)).max(3);
            let bar = |at: usize| {
                let shares = share(column, at);
                Bar { shares, title: title(&labels[at], shares), below: cut(&labels[at], room) }
            };
            drawn.into_iter().map(bar).collect()
        }
    }
}

/// Edges with as few digits as tell neighbors apart.
fn edge_texts(edges: &[f64]) -> Vec<String> {
    let texts = |digits| edges.iter().map(|edge| significant(*edge, digits)).collect::<Vec<String>>();
    let apart = |texts: &Vec<String>| texts.windows(2).all(|pair| pair[0] != pair[1]);
    (3..6).map(texts).find(apart).unwrap_or_else(|| texts(6))
}

/// A label that fits below its bar.
fn cut(label: &str, room: usize) -> String {
    if label.chars().count() <= room {
        return label.to_owned();
    }
    label.chars().take(room - 1).chain(['…']).collect()
}
