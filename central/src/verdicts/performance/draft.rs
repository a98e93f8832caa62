//! One figure: first what the estimators say, then what is told of it at the level that all figures share.

use driftglass::drift::performance::Refused;
use driftglass::drift::{Influence, MIN_ANSWERS};
use driftglass::estimate::Scalar;
use driftglass::spec::MonitorSpec;
use serde::Serialize;

use super::super::Interval;
use super::reason;

/// A figure as estimated.
pub(super) struct Draft {
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) class: Option<String>,
    /// The question that it rests on first, and others.
    pub(super) question: usize,
    pub(super) others: Vec<usize>,
    pub(super) now: Result<Scalar, Refused>,
    /// The same in the reference; none without one.
    pub(super) then: Option<Result<Scalar, Refused>>,
    /// The change, where it is not just the difference of two independent figures.
    pub(super) change: Option<Scalar>,
    /// Answers that the figure is about.
    pub(super) answers: f64,
    pub(super) reports: u64,
    pub(super) trust: Option<Trusted>,
    /// The share that may fail, of a budget.
    pub(super) objective: Option<f64>,
}

/// What fake reports would have to move.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trusted {
    /// Cells that the figure adds up.
    pub(super) cells: usize,
    /// Their share among all reports.
    pub(super) share: f64,
    /// By how much that share moves when the figure moves by 1.
    pub(super) scale: f64,
}

/// What is told of a figure.
#[derive(Debug, Serialize)]
pub(crate) struct FigureOf {
    /// `labeled`, `unlabeled`, `coverage` or `budget`.
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    /// The class that a rate is about.
    pub(crate) class: Option<String>,
    pub(crate) questions: Vec<String>,
    pub(crate) estimate: Option<Interval>,
    pub(crate) reference: Option<Interval>,
    pub(crate) change: Option<Interval>,
    /// `rose`, `fell` (by more than delta), `steady` (by less), `inconclusive`, `waiting` (nothing to compare with), of a
    /// budget `kept`, `burning` or `inconclusive`.
    pub(crate) state: &'static str,
    pub(crate) delta: f64,
    /// Answers with data that the figure is about.
    pub(crate) answers: u64,
    /// Reports in a span that would decide at the present estimate, if any number would.
    pub(crate) reports_needed: Option<u64>,
    /// Added fake reports that could feign or hide a change of delta.
    pub(crate) fakes_for_delta: Option<u64>,
    /// Share that may fail, of a budget, and the failing share over it.
    pub(crate) objective: Option<f64>,
    pub(crate) burn_rate: Option<Interval>,
    /// Why there is no estimate.
    pub(crate) note: Option<String>,
}

/// The level at which all figures are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finish {
    pub(super) level: f64,
}

impl Finish {
    pub(super) fn coverage(self) -> f64 {
        1.0 - self.level
    }

    /// The interval of a share, cut to what is possible.
    pub(super) fn share(self, scalar: Scalar) -> Interval {
        let Interval { estimate, lower, upper } = self.number(scalar);
        let cut = |share: f64| share.clamp(0.0, 1.0);
        Interval { estimate: cut(estimate), lower: cut(lower), upper: cut(upper) }
    }

    /// The interval of any number.
    pub(super) fn number(self, scalar: Scalar) -> Interval {
        let interval = scalar.interval(self.coverage());
        Interval { estimate: scalar.value, lower: interval.lower, upper: interval.upper }
    }

    pub(super) fn figure(self, spec: &MonitorSpec, draft: Draft) -> FigureOf {
        let delta = spec.detection.deltas[draft.question];
        let question = &spec.questions[draft.question];
        let now = draft.now.as_ref().ok().copied();
        let then = draft.then.as_ref().and_then(|then| then.as_ref().ok().copied());
        let between = |(now, then): (Scalar, Scalar)| Scalar {
            value: now.value - then.value,
            standard_error: f64::hypot(now.standard_error, then.standard_error),
        };
        let change = draft.change.or_else(|| now.zip(then).map(between));
        let state = match draft.objective {
            Some(objective) => now.map_or("inconclusive", |now| self.budget(now, objective, draft.answers)),
            None => change.map_or("waiting", |change| self.change(change, delta, draft.answers)),
        };
        let needed = || {
            let (change, now) = (change?, now?);
            self.reports_needed(change, now, delta, draft.reports, draft.answers)
        };
        let trusted = |trusted: Trusted| {
            let influence = Influence::of(question, trusted.cells, trusted.share, draft.reports)?;
            influence.fakes_for(delta * trusted.scale)
        };
        let names = [draft.question].into_iter().chain(draft.others).map(|at| spec.questions[at].name.clone());
        FigureOf {
            group: draft.group,
            name: draft.name,
            class: draft.class,
            questions: names.collect(),
            estimate: now.map(|now| self.share(now)),
            reference: then.map(|then| self.share(then)),
            change: change.map(|change| self.number(change)),
            state,
            delta,
            answers: draft.answers.max(0.0).round() as u64,
            reports_needed: if state == "inconclusive" && draft.objective.is_none() { needed() } else { None },
            fakes_for_delta: draft.trust.and_then(trusted),
            objective: draft.objective,
            burn_rate: draft.objective.zip(now).map(|(objective, now)| {
                self.number(Scalar { value: now.value / objective, standard_error: now.standard_error / objective })
            }),
            note: draft.now.as_ref().err().map(reason),
        }
    }

    fn change(self, change: Scalar, delta: f64, answers: f64) -> &'static str {
        match change.interval(self.coverage()) {
            _ if answers < MIN_ANSWERS => "inconclusive",
            interval if interval.lower > delta => "rose",
            interval if interval.upper < -delta => "fell",
            interval if interval.lower >= -delta && interval.upper <= delta => "steady",
            _ => "inconclusive",
        }
    }

    fn budget(self, failing: Scalar, objective: f64, answers: f64) -> &'static str {
        match failing.interval(self.coverage()) {
            _ if answers < MIN_ANSWERS => "inconclusive",
            interval if interval.upper <= objective => "kept",
            interval if interval.lower > objective => "burning",
            _ => "inconclusive",
        }
    }

    /// Solves z² (v_now · n/N + v_then) = (|change| − delta)² for N, and asks for the least number of answers.
    fn reports_needed(self, change: Scalar, now: Scalar, delta: f64, reports: u64, answers: f64) -> Option<u64> {
        let z = Scalar { value: 0.0, standard_error: 1.0 }.interval(self.coverage()).upper;
        let square = |x: f64| x * x;
        let of_now = square(now.standard_error);
        let of_then = (square(change.standard_error) - of_now).max(0.0);
        let room = square(change.value.abs() - delta) - z * z * of_then;
        let needed = z * z * of_now * reports as f64 / room;
        let least = MIN_ANSWERS / answers.max(1.0) * reports as f64;
        (room > 0.0 && needed < 1e12).then(|| needed.max(least).ceil() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINISH: Finish = Finish { level: 0.01 };

    /// Intervals reach 2.58 standard errors of .01.
    fn check(value: f64, answers: f64, expected: &str) {
        assert_eq!(FINISH.change(Scalar { value, standard_error: 0.01 }, 0.05, answers), expected, "{value}");
    }

    #[test]
    fn the_interval_of_the_change_decides() {
        check(0.08, 1e3, "rose");
        check(-0.08, 1e3, "fell");
        check(0.02, 1e3, "steady");
        check(-0.02, 1e3, "steady");
        check(0.04, 1e3, "inconclusive");
        check(-0.06, 1e3, "inconclusive");
        check(0.5, 99.0, "inconclusive");
        let failing = |value| FINISH.budget(Scalar { value, standard_error: 0.01 }, 0.1, 1e3);
        assert_eq!([failing(0.05), failing(0.2), failing(0.11)], ["kept", "burning", "inconclusive"]);
    }

    /// With N reports in place of n the interval just decides: 2.576² · v n/N = (.06 − .05)².
    #[test]
    fn reports_needed_decide() {
        let now = Scalar { value: 0.5, standard_error: 0.01 };
        let change = Scalar { value: 0.06, standard_error: 0.01 };
        let needed = FINISH.reports_needed(change, now, 0.05, 1_000, 500.0).expect("some number");
        assert!((needed as f64 / (6.635 * 1_000.0) - 1.0).abs() < 1e-3, "{needed}");
        let by_reference = Scalar { value: 0.06, standard_error: 0.1 };
        assert_eq!(FINISH.reports_needed(by_reference, now, 0.05, 1_000, 500.0), None);
    }
}
