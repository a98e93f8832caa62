//! Scores over all runs of a scenario.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | K, W | | runs; judged windows of each |
//! | Y | `years` | simulated years: K W · window length / a year |
//! | F | `knob` | false alarms per year that the spec accepts, over all streams |
//! | n | `count` | what was counted |
//!
//! | Score | Definition |
//! | --- | --- |
//! | rate | n/Y per year, with its Poisson interval χ²(0.025; 2n)/2 to χ²(0.975; 2n + 2)/2 over Y |
//! | recall | verdicts of drift among question-windows whose true effect is above delta |
//! | precision | true ones among all verdicts of drift |
//! | inconclusive, waiting | their share of all question-windows |
//! | delay | windows from the first whose own effect is above delta to the first true verdict |
//!
//! The interval is that of Garwood ("Fiducial limits for the Poisson distribution", Biometrika 28, 1936). Quantiles of
//! a delay are over all questions that changed by more than delta, of all runs; one that was never found took forever.
//!
//! Does not hold: spans of neighbouring windows overlap, so false verdicts come in groups, and the Poisson interval of
//! their rate is too short; runs with false verdicts (`runs_with`) are independent of one another.

use driftglass::drift::chi_squared_survival;
use driftglass::spec::MonitorSpec;
use serde::Serialize;

use super::scenario::{Scenario, change_window};
use super::tally::{Counts, Delay, GroupCounts, RunTally};
use super::{Settings, run};

/// Mean length of a year in the Julian calendar.
const YEAR_SECS: f64 = 31_557_600.0;

/// What a scenario's runs say of the detector.
#[derive(Debug, Serialize)]
pub struct Scores {
    /// What happened.
    pub scenario: Scenario,
    /// In plain words.
    pub meaning: &'static str,
    /// First judged window of the change, from 0; the season has none.
    pub change_window: Option<u32>,
    /// Simulated years.
    pub years: f64,
    /// False alarms per year that the spec accepts.
    pub knob: f64,
    /// Verdicts of drift on question-windows whose effect is at most delta.
    pub false_drift: Rate,
    /// Alarms of the e-detector before anything moved.
    pub false_alarms: Rate,
    /// Verdicts of stability on question-windows whose effect is above delta.
    pub wrong_stable: Rate,
    /// None if no effect is above delta.
    pub recall: Option<f64>,
    /// None if drift was never said.
    pub precision: Option<f64>,
    /// Share of the question-windows about which nothing was concluded.
    pub inconclusive: Option<f64>,
    /// Share of the question-windows without a reference or data.
    pub waiting: Option<f64>,
    /// Until a true verdict of drift.
    pub delay: Delays,
    /// Until an alarm of the e-detector.
    pub alarm_delay: Delays,
    /// The whole fleet, all questions.
    pub counts: Counts,
    /// By question.
    pub questions: Vec<QuestionScores>,
    /// By segment, where there are several; their last window alone.
    pub groups: Vec<GroupScores>,
    /// Questions that are not simulated.
    pub not_simulated: Vec<String>,
}

/// So many a year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// How many there were.
    pub count: u64,
    /// Runs in which there were any.
    pub runs_with: u64,
    /// Per year.
    pub per_year: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
}

/// How long it took, in windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delays {
    /// Questions of runs that changed by more than delta.
    pub changed: u64,
    /// Those that were found.
    pub found: u64,
    /// Half of the changed ones were found within so many windows; none if fewer than half were found.
    pub median: Option<u32>,
    /// And 90 %.
    pub ninety: Option<u32>,
}

/// One question.
#[derive(Debug, Serialize)]
pub struct QuestionScores {
    /// Its name.
    pub name: String,
    /// Smallest effect that matters.
    pub delta: f64,
    /// The largest true effect of a span, averaged over runs.
    pub true_effect: f64,
    /// Verdicts of drift among question-windows whose effect is above delta; none if no effect is.
    pub recall: Option<f64>,
    /// Until a true verdict of drift.
    pub delay: Delays,
    /// Until an alarm of the e-detector.
    pub alarm_delay: Delays,
    /// Its windows.
    pub counts: Counts,
}

/// One segment.
#[derive(Debug, Serialize)]
pub struct GroupScores {
    /// Its label.
    pub segment: String,
    /// Its questions over all runs.
    #[serde(flatten)]
    pub counts: GroupCounts,
}

impl Scores {
    pub(super) fn of(spec: &MonitorSpec, scenario: Scenario, settings: &Settings, runs: &[RunTally]) -> Self {
        let window_years = spec.window.length_secs as f64 / YEAR_SECS;
        let years = runs.len() as f64 * f64::from(settings.windows) * window_years;
        let rate = |count: &dyn Fn(&Counts) -> u64| {
            let of_run = |run: &RunTally| run.questions.iter().flatten().map(|tally| count(&tally.counts)).sum::<u64>();
            let counted: Vec<u64> = runs.iter().map(of_run).collect();
            Rate::of(counted.iter().sum(), counted.iter().filter(|count| **count > 0).count() as u64, years)
        };
        let questions: Vec<_> = spec.questions.iter().enumerate().collect();
        let scored: Vec<_> = questions
            .iter()
            .filter(|(_, question)| run::is_simulated(question))
            .map(|(index, question)| QuestionScores::of(&question.name, spec.detection.deltas[*index], *index, runs))
            .collect();
        let mut counts = Counts::default();
        scored.iter().for_each(|question| counts.add(&question.counts));
        let delays = || runs.iter().flat_map(|run| run.questions.iter().flatten().filter_map(|tally| tally.delay));
        let segment = |place: u16| {
            let mut counts = GroupCounts::default();
            runs.iter().filter_map(|run| run.groups.get(&place)).for_each(|group| counts.add(group));
            GroupScores { segment: spec.segments[usize::from(place)].clone(), counts }
        };
        let places = 0..u16::try_from(spec.segments.len()).unwrap_or(u16::MAX);
        let steps = !matches!(scenario, Scenario::Null | Scenario::Seasonal);
        Self {
            scenario,
            meaning: scenario.meaning(),
            change_window: steps.then(|| change_window(settings.windows)),
            years,
            knob: spec.detection.false_alarms_per_year,
            false_drift: rate(&|counts| counts.drift_false),
            false_alarms: rate(&|counts| counts.alarms_false),
            wrong_stable: rate(&|counts| counts.stable_wrong),
            recall: share(counts.drift_true, counts.above_delta),
            precision: share(counts.drift_true, counts.drift_true + counts.drift_false),
            inconclusive: share(counts.inconclusive, counts.question_windows),
            waiting: share(counts.waiting, counts.question_windows),
            delay: Delays::of(delays().map(|delay| delay.verdict)),
            alarm_delay: Delays::of(delays().map(|delay| delay.alarm)),
            counts,
            questions: scored,
            groups: if spec.segments.len() > 1 { places.map(segment).collect() } else { Vec::new() },
            not_simulated: questions
                .iter()
                .filter(|(_, question)| !run::is_simulated(question))
                .map(|(_, question)| question.name.clone())
                .collect(),
        }
    }
}

impl QuestionScores {
    fn of(name: &str, delta: f64, index: usize, runs: &[RunTally]) -> Self {
        let tallies: Vec<_> = runs.iter().filter_map(|run| run.questions[index].as_ref()).collect();
        let mut counts = Counts::default();
        tallies.iter().for_each(|tally| counts.add(&tally.counts));
        let delays =
            |of: &dyn Fn(Delay) -> Option<u32>| Delays::of(tallies.iter().filter_map(|tally| tally.delay).map(of));
        Self {
            name: name.to_owned(),
            delta,
            true_effect: tallies.iter().map(|tally| tally.largest).sum::<f64>() / tallies.len().max(1) as f64,
            recall: share(counts.drift_true, counts.above_delta),
            delay: delays(&|delay| delay.verdict),
            alarm_delay: delays(&|delay| delay.alarm),
            counts,
        }
    }
}

impl Rate {
    fn of(count: u64, runs_with: u64, years: f64) -> Self {
        let (lower, upper) = poisson_interval(count);
        Self { count, runs_with, per_year: count as f64 / years, lower: lower / years, upper: upper / years }
    }
}

impl Delays {
    fn of(delays: impl Iterator<Item = Option<u32>>) -> Self {
        let all: Vec<_> = delays.collect();
        let mut found: Vec<u32> = all.iter().copied().flatten().collect();
        found.sort_unstable();
        let quantile = |tenths: usize| found.get((all.len() * tenths).div_ceil(10).saturating_sub(1)).copied();
        Self { changed: all.len() as u64, found: found.len() as u64, median: quantile(5), ninety: quantile(9) }
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The exact 95 % interval of a Poisson mean of which `count` was seen.
fn poisson_interval(count: u64) -> (f64, f64) {
    let n = count as usize;
    let lower = if n == 0 { 0.0 } else { chi_squared_quantile(0.025, 2 * n) / 2.0 };
    (lower, chi_squared_quantile(0.975, 2 * n + 2) / 2.0)
}

/// The number below which χ² falls with probability p, by bisection; the distribution function is monotone.
fn chi_squared_quantile(p: f64, df: usize) -> f64 {
    let (mut low, mut high) = (0.0, 10.0 * df as f64 + 20.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if 1.0 - chi_squared_survival(middle, df) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Garwood's table, as R's `poisson.test` gives it.
    #[test]
    fn poisson_intervals() {
        for (count, lower, upper) in [(0, 0.0, 3.688_879), (1, 0.025_318, 5.571_643), (10, 4.795_389, 18.390_356)] {
            let found = poisson_interval(count);
            assert!((found.0 - lower).abs() < 1e-5 && (found.1 - upper).abs() < 1e-5, "{count}: {found:?}");
        }
    }

    #[test]
    fn what_was_never_found_took_forever() {
        let delays = Delays::of([Some(3), None, Some(1), Some(2)].into_iter());
        assert_eq!(delays, Delays { changed: 4, found: 3, median: Some(2), ninety: None });
        assert_eq!(Delays::of([].into_iter()), Delays { changed: 0, found: 0, median: None, ninety: None });
    }
}
