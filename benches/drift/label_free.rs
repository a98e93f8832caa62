//! How near the accuracy without labels is to the one with.

use super::Options;

pub(super) fn run(_options: &Options) {}
