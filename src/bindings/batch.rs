//! A model that runs beside the monitor: each row of a batch is an observation of its own. For both edges.

use alloc::{string::String, vec::Vec};

use crate::infer::{InferError, InferenceSession, Tensor};
use crate::monitor::Monitor;
use crate::observe::{Observation, Values};

/// A run that is over, whether it failed or not.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) session: &'a InferenceSession,
    pub(super) feeds: &'a [Tensor],
    pub(super) outcome: &'a Result<Vec<Tensor>, InferError>,
    /// How long all rows took together.
    pub(super) latency_ms: Option<f64>,
}

impl Run<'_> {
    /// Counts each row. `keys` name the rows whose outcome comes later.
    pub(super) fn observe(self, monitor: &mut Monitor, keys: &[String], now_secs: u64) {
        let rows = rows(self.session, self.feeds);
        let latency_ms = self.latency_ms.map(|all| all / rows as f64);
        let (outputs, failed) = (self.outcome.as_deref().unwrap_or_default(), self.outcome.is_err());
        for row in 0..rows {
            let names = self.session.inputs().iter().map(|input| input.name.as_str());
            let inputs = row_of(names, self.feeds, row, rows);
            let outputs = row_of(self.session.outputs().iter().map(String::as_str), outputs, row, rows);
            let seen = Observation { inputs: &inputs, outputs: &outputs, latency_ms, failed };
            // What failed waits for no outcome.
            let key = keys.get(row).filter(|_| !failed).map(String::as_str);
            monitor.observe(&seen, key, now_secs);
        }
    }
}

/// Rows of a batch: the first dimension where the caller chooses it for every input, else 1.
fn rows(session: &InferenceSession, feeds: &[Tensor]) -> usize {
    let batched = session.inputs().iter().all(|input| input.dims.first() == Some(&None));
    let first = feeds.first().and_then(|feed| feed.dims.first().copied()).unwrap_or(1);
    let agree = feeds.iter().all(|feed| feed.dims.first() == Some(&first));
    if batched && agree { first } else { 1 }
}

fn row_of<'a>(
    names: impl Iterator<Item = &'a str>,
    tensors: &'a [Tensor],
    row: usize,
    rows: usize,
) -> Vec<(&'a str, Values<'a>)> {
    names.zip(tensors).map(|(name, tensor)| (name, tensor.data.values().row(row, rows))).collect()
}
