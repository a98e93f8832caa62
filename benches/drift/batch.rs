//! How long a night of many metrics and segments takes.

use super::Options;

pub(super) fn run(_options: &Options) {}
