//! Whether each test rejects at its level when nothing changed.

use super::Options;

pub(super) fn run(_options: &Options) {}
