//! Whether nothing alarms too often, however long one looks and at however many metrics.

use super::Options;

pub(super) fn run(_options: &Options) {}
