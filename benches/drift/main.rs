//! What the drift tests promise, measured by simulation: `cargo xtask bench drift [--calibration] [--power] [--time]
//! [--quick] [--only MODULE]`.
//!
//! | Module | Question | Asked with |
//! | --- | --- | --- |
//! | [`one_shot`] | does each test reject at its level when nothing changed? | `--calibration` |
//! | [`effects`] | do the intervals of distances cover them, without bias? | `--calibration` |
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
mod effects;
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
    /// The one module to run.
    only: Option<String>,
}

/// A module's name, whether its flag is given, and what runs it.
type Part = (&'static str, bool, fn(&Options));

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
            Some("--only") => options.only = arguments.next().and_then(|name| name.into_string().ok()),
            // Cargo adds `--bench`.
            _ => {}
        }
    }
    let all = !calibration && !power && !time;
    let parts: [Part; 8] = [
        ("one_shot", calibration, one_shot::run),
        ("effects", calibration, effects::run),
        ("sequential", calibration, sequential::run),
        ("power", power, power::run),
        ("delay", power, delay::run),
        ("root_cause", power, root_cause::run),
        ("label_free", power, label_free::run),
        ("batch", time, batch::run),
    ];
    for (name, asked, run) in parts {
        if (all || asked) && options.only.as_deref().is_none_or(|only| only == name) {
            run(&options);
        }
    }
}
