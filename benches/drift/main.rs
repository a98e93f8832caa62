//! What the drift tests promise, measured by simulation: `cargo xtask bench drift [--calibration] [--power] [--time]
//! [--quick]`.
//!
//! | Module | Question | Asked with |
//! | --- | --- | --- |
//! | [`one_shot`] | does each test reject at its level when nothing changed? | `--calibration` |
//! | [`sequential`] | does nothing alarm too often, however long one looks and at however many metrics? | `--calibration` |
//! | [`power`] | how much data does a shift need, beside the optimum without privacy? | `--power` |
//! | [`delay`] | how long until a change is seen? | `--power` |
//! | [`root_cause`] | are the metrics that moved ranked first? | `--power` |
//! | [`label_free`] | how near is the accuracy without labels to the one with? | `--power` |
//! | [`batch`] | how long does a night of many metrics and segments take? | `--time` |
//!
//! Without such a flag all are asked. A bench measures and does not judge: it ends with status 0 whatever it finds.

#![allow(clippy::print_stdout, reason = "a bench prints its tables")]

mod batch;
mod delay;
mod label_free;
mod one_shot;
mod power;
mod root_cause;
mod sequential;
mod simulated;

use std::path::PathBuf;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    /// Fewer repetitions, to try the bench itself.
    quick: bool,
    /// A Python with numpy and the peers.
    python: Option<PathBuf>,
}

fn main() {
    let mut options = Options::default();
    let (mut calibration, mut power, mut time) = (false, false, false);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--calibration") => calibration = true,
            Some("--power") => power = true,
            Some("--time") => time = true,
            Some("--quick") => options.quick = true,
            Some("--python") => options.python = arguments.next().map(PathBuf::from),
            // Cargo adds `--bench`.
            _ => {}
        }
    }
    let all = !calibration && !power && !time;
    if all || calibration {
        one_shot::run(&options);
        sequential::run(&options);
    }
    if all || power {
        power::run(&options);
        delay::run(&options);
        root_cause::run(&options);
        label_free::run(&options);
    }
    if all || time {
        batch::run(&options);
    }
}
