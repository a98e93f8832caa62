//! `driftglass plan`: before deployment, what a fleet can find with the questions of a spec, and what it never can.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | N | `fleet` | devices |
//! | x | `participation` | share of them that report in a window in which they are asked |
//! | w/Σw | | chance that a device is asked this question |
//! | B | `rotation_windows` | of so many windows a device answers one |
//! | c | `within_caps` | share of the answers that the caps leave, at most 1 |
//! | n | `reports_per_window` | N x c (w/Σw)/B |
//! | α | `level` | error probability of one verdict: false alarms per year over verdicts per year, as in `verdicts` |
//!
//! One window and one span use α. *Over time* means that every window may be looked at; then a year's false alarms are
//! shared by the questions: α = false alarms per year/questions for each year that is looked at, at most 1/2. The detectable
//! shifts are those of [`Detector`].

mod page;

use std::fmt::Write as _;

use driftglass::chooser::{Limits, recommend};
use driftglass::drift::{Conditions, Detector, Direction, Fleet, Look, Measure, Reference};
use driftglass::spec::{MonitorSpec, Question, QuestionKind};
use serde::Serialize;

pub use page::page;

/// Mean length of a year in the Julian calendar.
const YEAR_SECS: f64 = 31_557_600.0;

/// Windows before the span that means, counts and anchored bits are compared with.
const WINDOWS_BEFORE: f64 = crate::figure::MAX_REFERENCE_WINDOWS as f64;

/// A shift that is found only beyond this multiple of what matters is called gross.
const GROSS: f64 = 4.0;

/// What is assumed of a fleet.
#[derive(Debug, Clone, Copy)]
pub struct Assumptions {
    /// Devices.
    pub fleet: u64,
    /// Share of them that report, in (0, 1].
    pub participation: f64,
    /// Share of the answers that have data, in (0, 1].
    pub with_data: f64,
    /// Windows over which is looked, at least 1.
    pub windows: u32,
    /// Events per device and window, for anchored bits.
    pub events: u64,
    /// How alike devices are, above 0.
    pub concentration: f64,
    /// A shift to find, in each question's measure.
    pub shift: Option<f64>,
}

/// The plan of a spec.
#[derive(Debug, Serialize)]
pub struct SpecPlan {
    app: String,
    spec_id: String,
    fleet: u64,
    participation: f64,
    with_data: f64,
    windows: u32,
    window_length_secs: u64,
    span_windows: u32,
    false_alarms_per_year: f64,
    level: f64,
    level_over_time: f64,
    within_caps: f64,
    reference: bool,
    questions: Vec<QuestionPlan>,
}

#[derive(Debug, Serialize)]
struct QuestionPlan {
    question: String,
    kind: &'static str,
    cells: usize,
    epsilon: f64,
    mechanism: &'static str,
    delta: f64,
    measure: &'static str,
    typical_measure: &'static str,
    reports_per_window: f64,
    looks: Vec<LookPlan>,
    curve: Vec<Point>,
    /// Windows from which `stable` can be concluded when nothing moved.
    stable_windows: Option<u64>,
    wished: Option<Wished>,
    warnings: Vec<String>,
}

/// What one way of looking finds.
#[derive(Debug, Serialize)]
struct LookPlan {
    look: &'static str,
    windows: u32,
    reports: f64,
    /// Smallest shift found with power 0.8 and 0.95, in the measure.
    power_80: Option<f64>,
    power_95: Option<f64>,
    /// Smallest shift of the whole metric found with power 0.8, in the typical measure.
    typical_80: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Point {
    windows: u32,
    power_80: Option<f64>,
    power_95: Option<f64>,
}

/// What it takes to find a wished shift within a span with power 0.8.
#[derive(Debug, Serialize)]
struct Wished {
    shift: f64,
    reports: Option<u64>,
    fleet: Option<u64>,
    epsilon: Option<f64>,
}

/// What all questions share.
struct Planner<'a> {
    spec: &'a MonitorSpec,
    reference: Option<&'a Reference>,
    assumptions: &'a Assumptions,
    within_caps: f64,
    level: f64,
    level_over_time: f64,
}

/// Plans every question of a spec.
#[must_use]
pub fn plan(spec: &MonitorSpec, reference: Option<&Reference>, assumptions: &Assumptions) -> SpecPlan {
    let questions = spec.questions.len() as f64;
    let windows_per_year = YEAR_SECS / spec.window.length_secs as f64;
    let accepted = spec.detection.false_alarms_per_year;
    let years = (f64::from(assumptions.windows) / windows_per_year).max(1.0);
    let planner = Planner {
        spec,
        reference,
        assumptions,
        within_caps: within_caps(spec),
        level: (accepted / (questions * windows_per_year)).min(0.5),
        level_over_time: (accepted * years / questions).min(0.5),
    };
    SpecPlan {
        app: spec.app.clone(),
        spec_id: spec.id().to_string(),
        fleet: assumptions.fleet,
        participation: assumptions.participation,
        with_data: assumptions.with_data,
        windows: assumptions.windows,
        window_length_secs: spec.window.length_secs,
        span_windows: spec.detection.span_windows,
        false_alarms_per_year: accepted,
        level: planner.level,
        level_over_time: planner.level_over_time,
        within_caps: planner.within_caps,
        reference: reference.is_some(),
        questions: (0..spec.questions.len()).map(|index| planner.question(index)).collect(),
    }
}

/// The share of a device's answers that its caps leave, in the long run.
fn within_caps(spec: &MonitorSpec) -> f64 {
    let total: f64 = spec.questions.iter().map(|question| f64::from(question.weight)).sum();
    let cost = |question: &Question| {
        let once = question.epoch_windows().map_or(1.0, f64::from);
        f64::from(question.weight) / total * question.epsilon_micronats as f64 / once
    };
    let per_window = spec.questions.iter().map(cost).sum::<f64>() / f64::from(spec.rotation_windows);
    let left = |cap: &driftglass::spec::Cap| {
        let windows = cap.period_secs as f64 / spec.window.length_secs as f64;
        cap.epsilon_micronats as f64 / (windows * per_window)
    };
    spec.caps.iter().map(left).fold(1.0, f64::min)
}

impl Planner<'_> {
    fn question(&self, index: usize) -> QuestionPlan {
        let question = &self.spec.questions[index];
        let delta = self.spec.detection.deltas[index];
        let per_window = self.share_of_fleet(question) * self.assumptions.fleet as f64;
        let detector = self.detector(index, question);
        let [measure, typical_measure] = measures(question, detector.as_ref());
        let mut planned = QuestionPlan {
            question: question.name.clone(),
            kind: question.kind.name(),
            cells: if question.domain_size == 0 { 0 } else { question.data_cells() },
            epsilon: question.epsilon_micronats as f64 / 1e6,
            mechanism: question.randomizer.mechanism.name(),
            delta,
            measure,
            typical_measure,
            reports_per_window: per_window,
            looks: Vec::new(),
            curve: Vec::new(),
            stable_windows: None,
            wished: None,
            warnings: Vec::new(),
        };
        let Some(detector) = detector else {
            planned.warnings.push("words are found, not compared: no shift is planned".to_owned());
            return planned;
        };
        let span = self.spec.detection.span_windows;
        for (look, windows, over_time) in
            [("one window", 1, false), ("a span", span, false), ("over time", self.assumptions.windows, true)]
        {
            let at = self.look(windows, per_window, over_time);
            let shift = |direction, power| detector.detectable(at, direction, power);
            planned.looks.push(LookPlan {
                look,
                windows,
                reports: at.reports,
                power_80: shift(Direction::Worst, 0.8),
                power_95: shift(Direction::Worst, 0.95),
                typical_80: shift(detector.typical(), 0.8),
            });
        }
        let point = |windows: u32| {
            let at = self.look(windows, per_window, true);
            let shift = |power| detector.detectable(at, Direction::Worst, power);
            Point { windows, power_80: shift(0.8), power_95: shift(0.95) }
        };
        planned.curve = grid(self.assumptions.windows).into_iter().map(point).collect();
        let one = self.look(span, per_window, false);
        planned.stable_windows =
            detector.reports_until_stable(one).map(|reports| (reports as f64 / per_window).ceil() as u64);
        planned.wished = self.assumptions.shift.map(|shift| self.wished(index, &detector, one, shift));
        planned.warnings = self.warnings(question, &planned, &detector, one);
        planned
    }

    fn detector(&self, index: usize, question: &Question) -> Option<Detector> {
        // Of a reference with seasons the average over them, or one season for all.
        let known = self.reference.and_then(|reference| reference.questions[index].as_ref());
        let reference = known.and_then(|known| known.all.as_ref().or_else(|| known.seasons.values().next()));
        let reference = reference.filter(|_| question.has_shares());
        let events = [(self.assumptions.events, 1.0)];
        let conditions = Conditions {
            with_data: self.assumptions.with_data,
            reference,
            delta: self.spec.detection.deltas[index],
            fleet: Fleet { events: &events, concentration: self.assumptions.concentration },
            before: WINDOWS_BEFORE / f64::from(self.spec.detection.span_windows),
        };
        Detector::new(question, self.spec.metric_of(question), &conditions)
    }

    /// Reports of one question in one window, per device.
    fn share_of_fleet(&self, question: &Question) -> f64 {
        let total: f64 = self.spec.questions.iter().map(|question| f64::from(question.weight)).sum();
        let asked = f64::from(question.weight) / total / f64::from(self.spec.rotation_windows);
        self.assumptions.participation * self.within_caps * asked
    }

    fn look(&self, windows: u32, per_window: f64, over_time: bool) -> Look {
        let level = if over_time { self.level_over_time } else { self.level };
        Look { reports: per_window * f64::from(windows), level, over_time }
    }

    fn wished(&self, index: usize, detector: &Detector, look: Look, shift: f64) -> Wished {
        let question = &self.spec.questions[index];
        let span = f64::from(self.spec.detection.span_windows);
        let reports = detector.reports_needed(look, Direction::Worst, shift, 0.8);
        let fleet = reports.map(|reports| (reports as f64 / span / self.share_of_fleet(question)).ceil() as u64);
        let finds = |tenth: u64| {
            let micronats = tenth * 100_000;
            let randomizer = recommend(&question.kind, question.domain_size, micronats, &Limits::default());
            let other = |randomizer| Question { epsilon_micronats: micronats, randomizer, ..question.clone() };
            let detector = randomizer.and_then(|randomizer| self.detector(index, &other(randomizer)));
            detector.is_some_and(|detector| detector.power(look, Direction::Worst, shift) >= 0.8)
        };
        // Tenths of ε up to 8, which is as far as a spec goes; more ε finds more.
        let (mut fails, mut enough) = (0, 80);
        while enough - fails > 1 {
            let middle = (fails + enough) / 2;
            if finds(middle) { enough = middle } else { fails = middle }
        }
        let epsilon = finds(enough).then_some(enough as f64 / 10.0);
        Wished { shift, reports, fleet, epsilon }
    }

    fn warnings(&self, question: &Question, planned: &QuestionPlan, detector: &Detector, span: Look) -> Vec<String> {
        let mut warnings = Vec::new();
        let [in_span, over_time] = [1, 2].map(|look| planned.looks[look].power_80);
        let answers = span.reports * self.assumptions.with_data;
        if question.has_shares() && answers < driftglass::drift::MIN_ANSWERS {
            warnings.push(format!("never concluded in a span: {answers:.0} answers, and 100 are needed"));
        } else if in_span.is_none() {
            warnings.push("never concluded in a span: not even the largest shift stands out of the noise".to_owned());
        }
        let windows = self.assumptions.windows;
        match over_time {
            None => {
                warnings.push(format!("nothing is ever found in {windows} windows: raise fleet, weight or epsilon"));
            }
            Some(shift) if planned.delta > 0.0 && shift > GROSS * planned.delta => warnings.push(format!(
                "shifts below {shift:.3} are missed even after {windows} windows, though {:.3} matters",
                planned.delta
            )),
            Some(_) => {}
        }
        let stable = !matches!(question.kind, QuestionKind::AnchoredBit { .. });
        match planned.stable_windows {
            None if stable => warnings.push("`stable` is never concluded".to_owned()),
            Some(needed) if needed > u64::from(self.spec.detection.span_windows) => warnings.push(format!(
                "`stable` is not concluded in a span of {}: it takes {needed} windows",
                self.spec.detection.span_windows
            )),
            _ => {}
        }
        let all = Look { reports: 1e12, ..span };
        if let Some(floor) = detector.detectable(all, Direction::Worst, 0.8).filter(|at| *at > planned.delta + 0.005) {
            warnings.push(format!("the reference is the limit: no number of reports finds less than {floor:.3}"));
        }
        warnings
    }
}

/// The names of the measure and the typical measure.
fn measures(question: &Question, detector: Option<&Detector>) -> [&'static str; 2] {
    match (&question.kind, detector.and_then(Detector::measure)) {
        (_, Some(Measure::Ks)) => ["KS distance", "standard deviations"],
        (_, Some(Measure::LInfinity)) => ["L∞ distance", "total variation"],
        (QuestionKind::AnchoredBit { .. }, _) => ["total variation", "total variation"],
        (QuestionKind::OpenVocabulary, _) => ["–", "–"],
        _ => ["part of the range", "standard deviations"],
    }
}

/// From 1 to `last`, each about a quarter more than the one before.
fn grid(last: u32) -> Vec<u32> {
    let mut windows = vec![1];
    while let Some(at) = windows.last().copied().filter(|at| *at < last) {
        windows.push((at + (at / 4).max(1)).min(last));
    }
    windows
}

fn number(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.3}"))
}

/// Smaller is better: a bar of a detectable shift, one mark for each twentieth; full at 1.
fn bar(value: Option<f64>) -> String {
    let marks = value.map_or(20, |value| ((value * 20.0).ceil() as usize).clamp(1, 20));
    format!("{}{}", "█".repeat(marks), "·".repeat(20 - marks))
}

/// The plan as text for people.
#[must_use]
pub fn table(plan: &SpecPlan) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}: {} devices, {:.0} % take part, {:.0} % of answers with data, {} false alarms a year\n",
        plan.app,
        plan.fleet,
        100.0 * plan.participation,
        100.0 * plan.with_data,
        plan.false_alarms_per_year,
    );
    if plan.within_caps < 1.0 {
        let _ = writeln!(text, "the caps leave {:.0} % of the answers\n", 100.0 * plan.within_caps);
    }
    for question in &plan.questions {
        let _ = writeln!(
            text,
            "{}: {}, {} cells, ε {}, {}; {:.0} reports a window; {} matters",
            question.question,
            question.kind,
            question.cells,
            question.epsilon,
            question.mechanism,
            question.reports_per_window,
            question.delta,
        );
        if !question.looks.is_empty() {
            let [measure, typical] = [question.measure, question.typical_measure];
            let _ = writeln!(
                text,
                "    {:<24} {:>10} {:>10}  {measure}, and in {typical}",
                "found with power", ".8", ".95"
            );
        }
        for look in &question.looks {
            let name = if look.windows == 1 {
                look.look.to_owned()
            } else {
                format!("{} ({} windows)", look.look, look.windows)
            };
            let [low, high, typical] = [look.power_80, look.power_95, look.typical_80].map(number);
            let _ = writeln!(text, "    {name:<24} {low:>10} {high:>10}  {} {typical:>8}", bar(look.power_80));
        }
        if let Some(wished) = &question.wished {
            let or_none = |value: Option<String>| value.unwrap_or_else(|| "no number".to_owned());
            let _ = writeln!(
                text,
                "    a shift of {}: {} reports in a span, {} devices; or ε {}",
                wished.shift,
                or_none(wished.reports.map(|n| n.to_string())),
                or_none(wished.fleet.map(|n| n.to_string())),
                or_none(wished.epsilon.map(|epsilon| format!("{epsilon:.1}"))),
            );
        }
        for warning in &question.warnings {
            let _ = writeln!(text, "  ! {warning}");
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "Shares {}. \"Over time\" may be looked at after every window; the other two are one verdict each.",
        if plan.reference { "are those of the reference" } else { "are taken as even, and the reference as exact" }
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(fleet: u64, shift: Option<f64>) -> SpecPlan {
        let spec = MonitorSpec::parse(include_str!("../../pkg-config.json")).expect("the shipped spec");
        let assumptions = Assumptions {
            fleet,
            participation: 0.9,
            with_data: 0.8,
            windows: 52,
            events: 10,
            concentration: 20.0,
            shift,
        };
        plan(&spec, None, &assumptions)
    }

    #[test]
    fn reports_follow_fleet_weights_and_participation() {
        let plan = planned(17_000, None);
        // Weights sum to 17; the caps, 39 ε in 13 windows and 159 in 52.18, leave all answers of ε 3.
        assert_eq!(plan.within_caps, 1.0);
        assert!((plan.questions[0].reports_per_window - 17_000.0 * 0.9 * 4.0 / 17.0).abs() < 1e-9);
        let looks = &plan.questions[0].looks;
        assert!(looks[0].power_80 > looks[1].power_80 && looks[1].power_80 > looks[2].power_80);
    }

    #[test]
    fn a_fleet_too_small_is_told_so() {
        let plan = planned(150, None);
        let said = table(&plan);
        assert!(said.contains("never concluded in a span"), "{said}");
        assert!(plan.questions.iter().all(|question| question.looks[0].power_80.is_none()));
    }

    /// With the fleet that a shift is said to need, the plan finds it.
    #[test]
    fn a_wished_shift_is_found_by_the_fleet_it_needs() {
        let wished = planned(5_000, Some(0.12)).questions.into_iter().map(|question| question.wished);
        for (index, wished) in wished.enumerate() {
            let fleet = wished.expect("asked for").fleet.expect("a number");
            let found = planned(fleet, None).questions[index].looks[1].power_80.expect("found");
            assert!((found - 0.12).abs() < 0.002, "question {index}: {found} with {fleet}");
        }
    }

    #[test]
    fn the_page_is_closed_and_escaped() {
        let mut plan = planned(5_000, Some(0.1));
        plan.questions[0].question = "<script>".to_owned();
        let page = page(&plan);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script") && page.contains("default-src 'none'"));
        assert!(page.matches("<svg").count() == plan.questions.len());
    }

    #[test]
    fn windows_of_a_chart() {
        assert_eq!(grid(1), [1]);
        assert_eq!(grid(10), [1, 2, 3, 4, 5, 6, 7, 8, 10]);
    }
}
