//! What the drift tests promise, measured by simulation: `cargo xtask bench drift [--calibration] [--power] [--time]
//! [--quick]`.
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
//! The name of a module asks for it alone: `cargo bench -p driftglass --bench drift -- delay`. Without flag or name all
//! are asked. Tables are to be read; [`one_shot`] also judges its own, and the bench ends with status 1 if a level is not
//! as asked.

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
use std::process::ExitCode;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    /// Fewer repetitions, to try the bench itself.
    quick: bool,
    /// A Python with numpy and the peers.
    python: Option<PathBuf>,
}

/// What runs a part.
enum Run {
    /// A table to be read.
    Measures(fn(&Options)),
    /// Says also whether it is as asked.
    Judges(fn(&Options) -> bool),
}

/// A module, the flag that asks for it, and what runs it.
type Part = (&'static str, &'static str, Run);

const PARTS: [Part; 8] = [
    ("one_shot", "--calibration", Run::Judges(one_shot::run)),
    ("effects", "--calibration", Run::Measures(effects::run)),
    ("sequential", "--calibration", Run::Measures(sequential::run)),
    ("power", "--power", Run::Measures(power::run)),
    ("delay", "--power", Run::Measures(delay::run)),
    ("root_cause", "--power", Run::Measures(root_cause::run)),
    ("label_free", "--power", Run::Measures(label_free::run)),
    ("batch", "--time", Run::Measures(batch::run)),
];

impl Run {
    /// Whether all that it judges is as asked.
    fn run(&self, options: &Options) -> bool {
        match self {
            Self::Measures(part) => {
                part(options);
                true
            }
            Self::Judges(part) => part(options),
        }
    }
}

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut asked: Vec<String> = Vec::new();
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--quick") => options.quick = true,
            Some("--python") => options.python = arguments.next().map(PathBuf::from),
            Some(word) if PARTS.iter().any(|(name, flag, _)| [*name, *flag].contains(&word)) => asked.push(word.into()),
            // Cargo adds `--bench`.
            _ => {}
        }
    }
    let wanted = |part: &&Part| asked.is_empty() || asked.iter().any(|word| word == part.0 || word == part.1);
    let missed: Vec<&str> =
        PARTS.iter().filter(wanted).filter(|part| !part.2.run(&options)).map(|part| part.0).collect();
    if missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("NOT MET: {}", missed.join(", "));
    ExitCode::FAILURE
}
