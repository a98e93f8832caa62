//! How long until a change is seen.

use super::Options;

pub(super) fn run(_options: &Options) {}
