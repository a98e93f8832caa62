//! What happens to the fleet, and when: a law of its own for each question, and how much of it is in force in a window.
//!
//! In window t a device draws the cell of an answer with data from (1 − λ_t) p + λ_t p′, where p are its own shares and
//! p′ its shares after the change. A scenario is the function λ, the questions and devices that change, and p′.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | t | `t` | judged windows before this one; negative in the windows of the reference |
//! | W | `windows` | judged windows |
//! | c | `change` | first window of the change, ⌊W/4⌋ |
//! | λ_t | `Scenario::in_force` | part of the change that is in force, 0 to 1 |
//! | X | `strength` | largest effect of the whole change on a question of the devices that change, in its own measure |
//! | v | | where answers move: the rarer end cell where cells are ordered, else the rarest; the last of equals |
//! | s | `part` | part of the answers that moves, X/(1 − θ_v) for the fleet's shares θ, at most 1 |
//!
//! | Law after the change | p′ |
//! | --- | --- |
//! | `Toward` | (1 − s) p + s e_v: each answer moves to cell v with probability s |
//! | `Reweight` | ∝ p_{ŷ,y} π′_y/π_y, where π are the fleet's shares of outcomes and π′ = (1 − s) π + s e_v |
//!
//! The first makes an effect of exactly X on a fleet with shares θ: along an order the largest difference of cumulative
//! shares is s (1 − θ_v), reached at an end cell; without an order it is that of cell v. The second does so for the
//! outcome on devices that all have θ. Where devices are unlike, each is normalized by its own sum, and the fleet moves
//! a little less; a pair moves less again, as its cells share the change. Scores use the effect on the fleet that was
//! drawn.
//!
//! Does not hold: reweighting keeps P(prediction | outcome), the definition of a label shift (Lipton, Wang and Smola,
//! "Detecting and correcting for label shift with black box predictors", ICML 2018, section 2). In nature P(input |
//! outcome) stays as well, so that inputs and predictions move a little; here questions without an outcome stay.

use clap::ValueEnum;
use driftglass::spec::{MonitorSpec, Question, Source};
use serde::Serialize;

/// What happens to the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Nothing changes
    Null,
    /// All questions change at once and for good
    Sudden,
    /// All questions change by and by, over half of the judged windows
    Gradual,
    /// All questions swing to and fro, once in the judged windows
    Seasonal,
    /// All questions change in one segment
    Segment,
    /// One question changes
    Feature,
    /// Outcomes change, and pairs of prediction and outcome with them
    LabelShift,
    /// Some devices say the same cell whatever happens
    BadPipeline,
    /// Some devices send one fixed report, made to support one cell; what is true does not change
    Poisoned,
}

/// How the shares of a question change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// They do not.
    Stays,
    /// Answers move to a cell.
    Toward { cell: usize, part: f64 },
    /// Cells are reweighted, each by the ratio of its column.
    Reweight { ratios: Vec<f64> },
}

impl Scenario {
    /// All, in the order in which they are run.
    pub const ALL: [Self; 9] = [
        Self::Null,
        Self::Sudden,
        Self::Gradual,
        Self::Seasonal,
        Self::Segment,
        Self::Feature,
        Self::LabelShift,
        Self::BadPipeline,
        Self::Poisoned,
    ];

    /// Its name, as in options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Sudden => "sudden",
            Self::Gradual => "gradual",
            Self::Seasonal => "seasonal",
            Self::Segment => "segment",
            Self::Feature => "feature",
            Self::LabelShift => "label-shift",
            Self::BadPipeline => "bad-pipeline",
            Self::Poisoned => "poisoned",
        }
    }

    /// What happens, in plain words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Null => "nothing changes",
            Self::Sudden => "all questions change at once and for good",
            Self::Gradual => "all questions change by and by, over half of the judged windows",
            Self::Seasonal => "all questions swing to and fro, once in the judged windows",
            Self::Segment => "all questions change in one segment",
            Self::Feature => "one question changes",
            Self::LabelShift => "outcomes change, and pairs of prediction and outcome with them",
            Self::BadPipeline => "some devices say the same cell whatever happens",
            Self::Poisoned => "some devices send one fixed report; what is true does not change",
        }
    }

    /// Share of the devices that change, unless it is chosen.
    #[must_use]
    pub fn affected(self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Segment => 0.3,
            Self::BadPipeline => 0.2,
            Self::Poisoned => 0.02,
            _ => 1.0,
        }
    }

    /// Whether the devices that change can be fewer than all.
    #[must_use]
    pub fn is_partial(self) -> bool {
        matches!(self, Self::Segment | Self::BadPipeline | Self::Poisoned)
    }

    /// The part of the change that is in force in a window, 0 to 1.
    pub(super) fn in_force(self, t: i64, windows: u32) -> f64 {
        let since = t - i64::from(change_window(windows));
        match self {
            Self::Null | Self::Poisoned => 0.0,
            Self::Seasonal => 0.5 - 0.5 * (core::f64::consts::TAU * t as f64 / f64::from(windows)).cos(),
            Self::Gradual if since >= 0 => {
                let length = (windows / 2).max(1);
                ((since + 1) as f64 / f64::from(length)).min(1.0)
            }
            _ if since >= 0 => 1.0,
            _ => 0.0,
        }
    }

    /// How a question with these shares changes on the devices that change.
    pub(super) fn change(self, spec: &MonitorSpec, index: usize, chosen: usize, shares: &[f64], x: f64) -> Change {
        let question = &spec.questions[index];
        let ordered = question.ordered(spec.metric_of(question));
        match self {
            Self::Null | Self::Poisoned => Change::Stays,
            Self::Feature if index != chosen => Change::Stays,
            Self::BadPipeline => Change::Toward { cell: target(shares, ordered), part: 1.0 },
            Self::LabelShift => match outcomes(spec, question) {
                Some(columns) => {
                    let margin = margin(shares, columns);
                    let cell = target(&margin, ordered);
                    let part = part(x, margin[cell]);
                    let moved = |(y, share): (usize, &f64)| {
                        let after = (1.0 - part) * share + if y == cell { part } else { 0.0 };
                        if *share > 0.0 { after / share } else { 0.0 }
                    };
                    Change::Reweight { ratios: margin.iter().enumerate().map(moved).collect() }
                }
                None => Change::Stays,
            },
            _ => {
                let cell = target(shares, ordered);
                Change::Toward { cell, part: part(x, shares[cell]) }
            }
        }
    }
}

impl Change {
    /// The shares after the change.
    pub(super) fn of(&self, shares: &[f64]) -> Vec<f64> {
        match self {
            Self::Stays => shares.to_vec(),
            Self::Toward { cell, part } => {
                let moved = |(at, share): (usize, &f64)| (1.0 - part) * share + if at == *cell { *part } else { 0.0 };
                shares.iter().enumerate().map(moved).collect()
            }
            Self::Reweight { ratios } => {
                let moved: Vec<f64> =
                    shares.iter().enumerate().map(|(at, share)| share * ratios[at % ratios.len()]).collect();
                let sum: f64 = moved.iter().sum();
                if sum > 0.0 { moved.into_iter().map(|share| share / sum).collect() } else { shares.to_vec() }
            }
        }
    }
}

/// The first judged window of a change.
pub(super) fn change_window(windows: u32) -> u32 {
    windows / 4
}

/// Where answers move.
pub(super) fn target(shares: &[f64], ordered: bool) -> usize {
    let last = shares.len() - 1;
    let ends = [0, last];
    let all: Vec<usize> = (0..shares.len()).collect();
    let candidates: &[usize] = if ordered { &ends } else { &all };
    candidates.iter().copied().rev().min_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or(last)
}

/// The part of the answers that moves to a cell with this share, so that the effect is `x`.
fn part(x: f64, share: f64) -> f64 {
    if share < 1.0 { (x / (1.0 - share)).min(1.0) } else { 0.0 }
}

/// Number of outcomes that the cells of a question repeat, if it is about outcomes.
pub(super) fn outcomes(spec: &MonitorSpec, question: &Question) -> Option<usize> {
    match spec.metric_of(question).source {
        Source::Outcome => Some(question.data_cells()),
        Source::Pair { outcome, .. } => Some(spec.metrics[outcome].cells.count()),
        _ => None,
    }
}

/// Shares of the columns.
fn margin(shares: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).map(|column| shares.iter().skip(column).step_by(columns).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_make_the_effect_they_are_asked_for() {
        let shares = [0.5, 0.2, 0.3];
        assert_eq!((target(&shares, true), target(&shares, false)), (2, 1));
        let moved = Change::Toward { cell: 2, part: part(0.14, 0.3) }.of(&shares);
        assert!((moved[0] - 0.4).abs() < 1e-12 && (moved[2] - 0.44).abs() < 1e-12, "{moved:?}");
        assert!((moved[0] + moved[1] - 0.7 + 0.14).abs() < 1e-12, "KS is 0.14");
    }

    #[test]
    fn reweighting_keeps_predictions_given_outcomes() {
        let shares = [0.4, 0.1, 0.2, 0.3];
        let moved = Change::Reweight { ratios: vec![0.5, 1.75] }.of(&shares);
        assert!((moved[0] / (moved[0] + moved[2]) - 2.0 / 3.0).abs() < 1e-12);
        assert!((moved[0] + moved[2] - 0.3).abs() < 1e-12, "{moved:?}");
    }

    #[test]
    fn time() {
        let at = |scenario: Scenario, t| scenario.in_force(t, 20);
        assert_eq!([4, 5].map(|t| at(Scenario::Sudden, t)), [0.0, 1.0]);
        assert_eq!([4, 5, 14, 15].map(|t| at(Scenario::Gradual, t)), [0.0, 0.1, 1.0, 1.0]);
        assert_eq!(at(Scenario::Null, 19), 0.0);
        assert!((at(Scenario::Seasonal, -3) - at(Scenario::Seasonal, 17)).abs() < 1e-12);
        assert!((at(Scenario::Seasonal, 10) - 1.0).abs() < 1e-12);
    }
}
