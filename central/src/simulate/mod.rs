//! `driftglass simulate`: fleets whose drift is known, and how the whole detector does on them. For those who change
//! thresholds, deltas, weights or ε and want to know what that does before devices are asked anything.
//!
//! | Module | Idea |
//! | --- | --- |
//! | `fleet` | the devices: who they are and what is true on them |
//! | [`scenario`] | what happens to them, and when |
//! | `run` | one run: from shares over reports to verdicts, all by shipped code |
//! | `tally` | what a run found, beside what is true |
//! | [`score`] | false alarms, recall, precision and delay over all runs |
//! | `table` | scores for the terminal |
//! | [`cli`] | the command |
//!
//! A run is a function of spec, settings and its number, so the same seed gives the same output on any number of
//! threads. Runs of different scenarios with one number begin with the same devices.

pub mod cli;
mod fleet;
mod run;
pub mod scenario;
pub mod score;
mod table;
mod tally;

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use driftglass::drift::Reference;
use driftglass::spec::MonitorSpec;
use rand::Rng;
use rand::rngs::SmallRng;
use serde::Serialize;

pub use scenario::Scenario;
pub use score::Scores;
pub use tally::{Counts, GroupCounts};

/// What is drawn, and how much of it.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// Devices, at least 1.
    pub fleet: usize,
    /// Judged windows, at least 4.
    pub windows: u32,
    /// Windows before them, of which the reference is made; at least 1.
    pub reference_windows: u32,
    /// Largest effect of the change on a question, in its own measure; in (0, 1].
    pub strength: f64,
    /// How alike devices are, above 0.
    pub concentration: f64,
    /// Probability that a device takes part in a window, in (0, 1].
    pub participation: f64,
    /// Probability that a device that is asked has no data, in [0, 1).
    pub no_data: f64,
    /// Share of the devices that change, in (0, 1], where a scenario changes some; the scenario's own if none.
    pub affected: Option<f64>,
    /// The question that changes where one does.
    pub question: usize,
    /// Runs, at least 1.
    pub runs: u64,
    /// Where chance begins.
    pub seed: u64,
}

/// Draws fleets to which a scenario happens and scores the detector on them.
///
/// The population's shares are those of `reference`, if it is given. A spec with one segment gets a second
/// one where a segment changes.
#[must_use]
pub fn simulate(spec: &MonitorSpec, reference: Option<&Reference>, scenario: Scenario, settings: &Settings) -> Scores {
    let mut spec = spec.clone();
    if scenario == Scenario::Segment && spec.segments.len() == 1 {
        spec.segments.push(if spec.segments[0] == "changed" { "changed-too" } else { "changed" }.to_owned());
    }
    let next = AtomicU64::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= settings.runs {
                return;
            }
            let tally = run::run(&spec, reference, scenario, settings, number);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((number, tally));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(settings.runs as usize);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut tallies = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    tallies.sort_by_key(|(number, _)| *number);
    let tallies: Vec<_> = tallies.into_iter().map(|(_, tally)| tally).collect();
    Scores::of(&spec, scenario, settings, &tallies)
}

/// A uniform number in [0, 1), a multiple of 2^-53.
fn uniform(rng: &mut SmallRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
