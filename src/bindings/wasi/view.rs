//! What the host gets back: records.

use super::wit::exports::driftglass::monitor::monitoring::{
    Answer as AnswerView, LedgerView, MergedSketches, MetricView, ProfileView, QuestionView, ReportField, ReportView,
    Spending,
};
use super::wit::exports::driftglass::monitor::types;
use crate::bindings::report;
use crate::monitor::{Answer, Merged, Monitor};
use crate::privacy::DeviceState;
use crate::report::{Arm, Report};
use crate::sketch::{CellCounts, Sketches};
use crate::spec::{Cap, Metric, WindowIndex, hex};

/// An answer with the state that paid for it.
pub(super) fn answer(monitor: &Monitor, answer: &Answer, state: &DeviceState) -> AnswerView {
    let spec = monitor.spec();
    let index = answer.report.question;
    let question = &spec.questions[usize::from(index)];
    AnswerView {
        window: answer.report.window,
        question: QuestionView {
            index,
            name: question.name.clone(),
            metric: spec.metric_of(question).name.clone(),
            kind: question.kind.name().into(),
            epsilon_micronats: question.epsilon_micronats,
        },
        true_symbol: answer.true_symbol,
        state: state.to_bytes(),
        report: answer.report.encode(),
    }
}

/// The sketches of a window; zero counts if nothing was seen in it.
pub(super) fn profile(monitor: &Monitor, sketches: &Sketches, window: WindowIndex) -> ProfileView {
    let profile = sketches.profile(window);
    let metric = |(index, metric): (usize, &Metric)| {
        let cells = metric.cells.labels();
        let seen = profile.map(|profile| &profile.metrics()[index]);
        MetricView {
            name: metric.name.clone(),
            unit: metric.unit.clone(),
            counts: seen.map_or_else(|| alloc::vec![0; cells.len()], |counts| counts.cells().to_vec()),
            cells,
            missing: seen.map_or(0, CellCounts::missing),
            other: seen.map_or(0, CellCounts::other),
            events: seen.map_or(0, CellCounts::total),
        }
    };
    ProfileView {
        window,
        metrics: monitor.spec().metrics.iter().enumerate().map(metric).collect(),
        // Fits: at most 4,096 wait.
        pending: sketches.pending().len() as u32,
    }
}

/// Sketches for the store.
pub(super) fn merged(merged: Merged) -> MergedSketches {
    MergedSketches {
        sketches: merged.snapshot.into_store(),
        // Fits: a spec lets at most 4,096 outcomes wait.
        unknown_outcomes: merged.unknown_outcomes as u32,
        discarded: merged.discarded,
    }
}

/// What was spent of each cap.
pub(super) fn ledger(monitor: &Monitor, state: &DeviceState, now_secs: u64) -> LedgerView {
    let spending = |cap: &Cap| Spending {
        cap: types::Cap { period_secs: cap.period_secs, epsilon_micronats: cap.epsilon_micronats },
        spent_micronats: state.ledger.spent_within(cap.period_secs, now_secs),
        most_micronats: state.ledger.most_spent_within(cap.period_secs),
    };
    LedgerView { next_window: state.next_window(), spent: monitor.spec().caps.iter().map(spending).collect() }
}

/// A report of this spec taken apart; `None` if its question or payload is none of the spec's.
pub(super) fn parsed(monitor: &Monitor, report: &Report) -> Option<ReportView> {
    let spec = monitor.spec();
    let question = spec.questions.get(usize::from(report.question))?;
    // All reports of a spec have one length; leading zeros of a longer one would say the same number.
    (report.payload.len() == spec.payload_len()).then_some(())?;
    // Fits: a report has some dozen bytes.
    let field = |(name, offset, length): (&str, usize, usize)| ReportField {
        name: name.into(),
        offset: offset as u32,
        length: length as u32,
    };
    Some(ReportView {
        spec_id: hex(report.spec_id.as_bytes()),
        arm: match report.arm {
            Arm::Stable => types::Arm::Stable,
            Arm::Canary => types::Arm::Canary,
        },
        window: report.window,
        question: report.question,
        segment: report.segment,
        symbols: report::supported(question, report)?,
        fields: report::fields(report).into_iter().map(field).collect(),
    })
}
