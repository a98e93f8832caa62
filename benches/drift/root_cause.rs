//! Whether the metrics that moved are ranked first.

use super::Options;

pub(super) fn run(_options: &Options) {}
