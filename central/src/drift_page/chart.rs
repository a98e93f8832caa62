//! The pictures of the page, as inline SVG. Colours come from the style sheet, so that they follow light and dark.

use maud::{Markup, html};

use super::words;
use crate::verdicts::{Interval, QuestionVerdicts, SpecVerdicts, WindowVerdict};

/// Where values of one axis lie on the picture.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn at(&self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }
}

/// Rounded for the file's sake.
fn text(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}

/// The end of the axis of effects: over the largest upper bound that is drawn.
fn largest_effect(question: &QuestionVerdicts) -> f64 {
    let uppers =
        question.windows.iter().filter_map(|window| window.effect.as_ref()).map(|effect| effect.interval.upper);
    uppers.fold(2.0 * question.delta, f64::max)
}

/// One effect with its interval, and the threshold that matters.
pub(super) fn interval(question: &QuestionVerdicts, now: Option<&WindowVerdict>) -> Markup {
    let Some(effect) = now.and_then(|now| now.effect.as_ref()) else { return html! { "–" } };
    let interval = &effect.interval;
    html! {
        (reach(interval.estimate, [interval.lower, interval.upper], &[question.delta], largest_effect(question)))
        span.number { (format!("{:.2}", interval.estimate)) }
    }
}

/// An estimate from 0 to `high` with its interval, and the thresholds that matter.
pub(super) fn reach(estimate: f64, [lower, upper]: [f64; 2], thresholds: &[f64], high: f64) -> Markup {
    let scale = Scale { low: 0.0, high, from: 4.0, to: 156.0 };
    let at = |value| text(scale.at(value));
    html! {
        svg.interval viewBox="0 0 160 20" role="img" aria-label=(format!("{estimate:.3}, from {lower:.3} to {upper:.3}")) {
            line.axis x1="4" y1="10" x2="156" y2="10" {}
            @for threshold in thresholds {
                line.threshold x1=(at(*threshold)) y1="1" x2=(at(*threshold)) y2="19" {}
            }
            line.reach x1=(at(lower)) y1="10" x2=(at(upper)) y2="10" {}
            circle.estimate cx=(at(estimate)) cy="10" r="4" {}
        }
    }
}

/// Bounds that hold at all windows together, narrowing from window to window, and the threshold that matters.
pub(super) fn narrowing(bounds: &[[f64; 2]], delta: f64, high: f64) -> Markup {
    let ([_, .., _], true) = (bounds, high > 0.0) else { return html! {} };
    let x = Scale { low: 0.0, high: (bounds.len() - 1) as f64, from: 2.0, to: 118.0 };
    let y = Scale { low: 0.0, high, from: 38.0, to: 2.0 };
    let point = |place: usize, value: f64| format!("{},{}", text(x.at(place as f64)), text(y.at(value)));
    let upper = bounds.iter().enumerate().map(|(place, [_, upper])| point(place, *upper));
    let lower = bounds.iter().enumerate().rev().map(|(place, [lower, _])| point(place, *lower));
    let band: Vec<String> = upper.chain(lower).collect();
    let at = text(y.at(delta));
    html! {
        svg.narrowing viewBox="0 0 120 40" role="img" aria-label="Bounds of the difference, window by window" {
            polygon.band points=(band.join(" ")) {}
            line.threshold x1="2" x2="118" y1=(at) y2=(at) {}
        }
    }
}

/// The effect of every window with its interval.
pub(super) fn effect_by_window(verdicts: &SpecVerdicts, question: &QuestionVerdicts) -> Markup {
    let drawn: Vec<_> =
        question.windows.iter().filter_map(|window| Some((window, &window.effect.as_ref()?.interval))).collect();
    let [first, .., last] = drawn.as_slice() else { return html! { p.nothing { "Fewer than two windows." } } };
    let x = Scale { low: first.0.window.into(), high: last.0.window.into(), from: 44.0, to: 508.0 };
    let y = Scale { low: 0.0, high: largest_effect(question), from: 150.0, to: 10.0 };
    let point =
        |window: &WindowVerdict, value: f64| format!("{},{}", text(x.at(window.window.into())), text(y.at(value)));
    let upper = drawn.iter().map(|(window, interval)| point(window, interval.upper));
    let lower = drawn.iter().rev().map(|(window, interval)| point(window, interval.lower));
    let band: Vec<_> = upper.chain(lower).collect();
    let line: Vec<_> = drawn.iter().map(|(window, interval)| point(window, interval.estimate)).collect();
    let day = |window: &WindowVerdict| words::date(u64::from(window.window) * verdicts.window_length_secs);
    html! {
        svg viewBox="0 0 520 178" role="img" aria-label="Effect by window" {
            @for value in [0.0, question.delta, y.high] {
                // A label that would lie on that of the threshold is left out.
                @if value > 0.0 || y.at(0.0) - y.at(question.delta) > 12.0 {
                text.tick x="38" y=(text(y.at(value) + 4.0)) text-anchor="end" { (format!("{value:.2}")) }
                }
            }
            line.axis x1="44" y1="150" x2="508" y2="150" {}
            polygon.band points=(band.join(" ")) {}
            line.threshold x1="44" x2="508" y1=(text(y.at(question.delta))) y2=(text(y.at(question.delta))) {}
            polyline.line points=(line.join(" ")) {}
            @for (window, interval) in &drawn {
                @if window.verdict == "drift" {
                    circle.drift cx=(text(x.at(window.window.into()))) cy=(text(y.at(interval.estimate))) r="3.5" {
                        title { (day(window)) ": drift" }
                    }
                }
            }
            text.tick x="44" y="170" { (day(first.0)) }
            text.tick x="508" y="170" text-anchor="end" { (day(last.0)) }
        }
    }
}

/// A share by window with its interval, and what it was in the reference.
pub(super) fn share_by_window(verdicts: &SpecVerdicts, points: &[(u32, Interval)], reference: Option<f64>) -> Markup {
    let [first, .., last] = points else { return html! { p.nothing { "Fewer than two windows." } } };
    let lowest = points.iter().map(|(_, interval)| interval.lower).chain(reference).fold(1.0, f64::min);
    let x = Scale { low: first.0.into(), high: last.0.into(), from: 44.0, to: 508.0 };
    // Down to a round tenth, so that the axis has even ticks.
    let y = Scale { low: (lowest * 10.0).floor() / 10.0, high: 1.0, from: 150.0, to: 10.0 };
    let point = |window: u32, value: f64| format!("{},{}", text(x.at(window.into())), text(y.at(value)));
    let upper = points.iter().map(|(window, interval)| point(*window, interval.upper));
    let lower = points.iter().rev().map(|(window, interval)| point(*window, interval.lower));
    let band: Vec<String> = upper.chain(lower).collect();
    let line: Vec<String> = points.iter().map(|(window, interval)| point(*window, interval.estimate)).collect();
    let day = |window: u32| words::date(u64::from(window) * verdicts.window_length_secs);
    html! {
        svg viewBox="0 0 520 178" role="img" aria-label="Share by window" {
            @for level in [y.low, f64::midpoint(y.low, 1.0), 1.0] {
                line.axis x1="44" x2="508" y1=(text(y.at(level))) y2=(text(y.at(level))) {}
                text.tick x="38" y=(text(y.at(level) + 4.0)) text-anchor="end" { (format!("{:.0} %", 100.0 * level)) }
            }
            polygon.band points=(band.join(" ")) {}
            @if let Some(reference) = reference {
                line.threshold x1="44" x2="508" y1=(text(y.at(reference))) y2=(text(y.at(reference))) {}
            }
            polyline.line points=(line.join(" ")) {}
            text.tick x="44" y="170" { (day(first.0)) }
            text.tick x="508" y="170" text-anchor="end" { (day(last.0)) }
        }
    }
}

/// Cells that fit into a picture.
const MAX_CELLS: usize = 12;

/// The share of each cell, in the reference and now.
pub(super) fn shares(question: &QuestionVerdicts, now: Option<&WindowVerdict>) -> Markup {
    let shares = now.and_then(|now| now.shares.as_ref());
    // De-biased shares of a private reference may leave what is possible.
    let cut = |shares: &Vec<f64>| shares.iter().map(|share| share.clamp(0.0, 1.0)).collect::<Vec<f64>>();
    // With seasons, what this span is compared with; else the one reference.
    let seasonal = now.and_then(|now| now.reference.as_ref()).map(|seasonal| &seasonal.mix);
    let reference = seasonal.or(question.reference.as_ref());
    let Some((then, now)) = reference.map(|reference| cut(&reference.shares)).zip(shares) else {
        return html! { p.nothing { "No shares to compare." } };
    };
    // The cells that moved most, in their own order.
    let mut cells: Vec<usize> = (0..then.len().min(now.len())).collect();
    cells.sort_by(|a, b| (now[*b].estimate - then[*b]).abs().total_cmp(&(now[*a].estimate - then[*a]).abs()));
    let left_out = cells.len().saturating_sub(MAX_CELLS);
    cells.truncate(MAX_CELLS);
    cells.sort_unstable();
    let largest = cells.iter().map(|cell| then[*cell].max(now[*cell].upper)).fold(0.05, f64::max);
    let x = Scale { low: 0.0, high: largest, from: 150.0, to: 410.0 };
    let row = (156.0 / cells.len() as f64).min(34.0);
    let height = 22.0 + row * cells.len() as f64;
    let thick = (row * 0.36).min(11.0);
    html! {
        svg viewBox={ "0 0 520 " (text(height)) } role="img" aria-label="Shares in the reference and now" {
            @for (place, cell) in cells.iter().enumerate() {
                @let middle = 8.0 + row * (place as f64 + 0.5);
                @let share = &now[*cell];
                text.cell x="142" y=(text(middle + 4.0)) text-anchor="end" { (question.cells.get(*cell).map_or("", String::as_str)) }
                rect.then x="150" y=(text(middle - thick)) width=(text(x.at(then[*cell]) - 150.0)) height=(text(thick)) {}
                rect.now x="150" y=(text(middle)) width=(text(x.at(share.estimate) - 150.0)) height=(text(thick)) {}
                line.reach x1=(text(x.at(share.lower))) x2=(text(x.at(share.upper))) y1=(text(middle + thick / 2.0)) y2=(text(middle + thick / 2.0)) {}
                text.tick x=(text(x.at(share.upper.max(then[*cell])) + 6.0)) y=(text(middle + 4.0)) { (format!("{:.0} % → {:.0} %", 100.0 * then[*cell], 100.0 * share.estimate)) }
            }
            @if left_out > 0 { text.tick x="150" y=(text(height - 2.0)) { "and " (left_out) " cells that moved less" } }
        }
    }
}
