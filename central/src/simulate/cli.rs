//! `driftglass simulate`.
//!
//! Exit codes: 0 done; 1 a file could not be read, or the output not written; 2 wrong usage, or a file that is no
//! spec or no reference of it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use driftglass::drift::Reference;
use driftglass::spec::{MonitorSpec, SpecError};
use serde_json::json;

use super::run::is_simulated;
use super::scenario::outcomes;
use super::table::table;
use super::{Scenario, Scores, Settings, simulate};

/// Most devices: the shares of so many take 8 bytes for each cell of each question.
const MAX_FLEET: i64 = 1_000_000;

/// Draw fleets with known drift and score the whole detector on them
#[derive(Debug, Args)]
pub struct Options {
    /// The spec
    #[arg(value_name = "SPEC", required_unless_present = "list")]
    spec: Option<PathBuf>,
    /// List the scenarios and do nothing else
    #[arg(long)]
    list: bool,
    /// What happens to the fleet; `all` runs every scenario
    #[arg(long, value_name = "NAME", default_value = "all", value_parser = scenarios)]
    scenario: Chosen,
    /// Shares of the fleet before the change; a law of its own for each question if absent
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Devices
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = fleet())]
    fleet: u32,
    /// Windows that are judged
    #[arg(long, value_name = "W", default_value_t = 26, value_parser = clap::value_parser!(u32).range(4..=1_040))]
    windows: u32,
    /// Windows before them, of which the reference is made
    #[arg(long, value_name = "R", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_040))]
    reference_windows: u32,
    /// Largest effect of the change on a question, in its own measure
    #[arg(long, value_name = "X", default_value_t = 0.15, value_parser = share)]
    strength: f64,
    /// How alike devices are: concentration of their shares around those of the fleet
    #[arg(long, value_name = "A", default_value_t = 20.0, value_parser = positive)]
    concentration: f64,
    /// Probability that a device takes part in a window
    #[arg(long, value_name = "P", default_value_t = 1.0, value_parser = share)]
    participation: f64,
    /// Probability that a device that is asked has no data
    #[arg(long, value_name = "X", default_value_t = 0.1, value_parser = below_one)]
    no_data: f64,
    /// Share of the devices that change where a scenario changes some: segment 0.3, bad-pipeline 0.2, poisoned 0.02
    #[arg(long, value_name = "X", value_parser = share)]
    affected: Option<f64>,
    /// The question that changes where one does; the heaviest that is not about outcomes if absent
    #[arg(long, value_name = "NAME")]
    question: Option<String>,
    /// Fleets of each scenario
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    runs: u64,
    /// Where chance begins; one seed gives one output
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Instead of the spec's false alarms per year
    #[arg(long, value_name = "F", value_parser = positive)]
    false_alarms_per_year: Option<f64>,
    /// Instead of the spec's deltas, for all questions
    #[arg(long, value_name = "D", value_parser = below_one)]
    delta: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn fleet() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=MAX_FLEET)
}

#[derive(Debug, Clone)]
struct Chosen(Vec<Scenario>);

fn scenarios(name: &str) -> Result<Chosen, String> {
    if name == "all" {
        return Ok(Chosen(Scenario::ALL.to_vec()));
    }
    let names = Scenario::ALL.map(Scenario::name).join(", ");
    Scenario::from_str(name, false)
        .map(|scenario| Chosen(vec![scenario]))
        .map_err(|_| format!("no scenario; there are {names}, and all"))
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| "must be a number".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if (1e-6..=1e6).contains(&value) { Ok(value) } else { Err("must lie between 1e-6 and 1e6".to_owned()) }
}

fn share(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if value > 0.0 && value <= 1.0 { Ok(value) } else { Err("must lie above 0 and be 1 at most".to_owned()) }
}

fn below_one(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if (0.0..1.0).contains(&value) { Ok(value) } else { Err("must be 0 or more, and below 1".to_owned()) }
}

/// Why nothing was simulated.
#[derive(Debug, thiserror::Error)]
enum SimulateError {
    #[error("cannot read {}: {error}", file.display())]
    Read {
        file: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("{}: {rule}", file.display())]
    Document {
        file: PathBuf,
        #[source]
        rule: SpecError,
    },
    #[error("no question of the spec has this name, or its answers are no shares that could be simulated")]
    Question,
    #[error("no question of the spec has answers that could be simulated: sampled events and threshold bits can")]
    Nothing,
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Runs the command.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match answer(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell the failure to.
            let _ = writeln!(io::stderr(), "error: {error}");
            match error {
                SimulateError::Read { .. } | SimulateError::Output(_) => ExitCode::FAILURE,
                _ => ExitCode::from(2),
            }
        }
    }
}

fn answer(options: &Options) -> Result<(), SimulateError> {
    let mut out = io::stdout().lock();
    let Some(file) = options.spec.as_deref().filter(|_| !options.list) else {
        for scenario in Scenario::ALL {
            writeln!(out, "{:<13} {}", scenario.name(), scenario.meaning())?;
        }
        return Ok(());
    };
    let mut spec = MonitorSpec::parse(&read(file)?).map_err(invalid(file))?;
    let reference = match &options.reference {
        Some(file) => Some(Reference::parse(&read(file)?, &spec).map_err(invalid(file))?),
        None => None,
    };
    if let Some(knob) = options.false_alarms_per_year {
        spec.detection.false_alarms_per_year = knob;
    }
    if let Some(delta) = options.delta {
        spec.detection.deltas.fill(delta);
    }
    let settings = Settings {
        fleet: options.fleet as usize,
        windows: options.windows,
        reference_windows: options.reference_windows,
        strength: options.strength,
        concentration: options.concentration,
        participation: options.participation,
        no_data: options.no_data,
        affected: options.affected,
        question: question(&spec, options.question.as_deref())?,
        runs: options.runs,
        seed: options.seed,
    };
    let all: Vec<Scores> =
        options.scenario.0.iter().map(|one| simulate(&spec, reference.as_ref(), *one, &settings)).collect();
    if options.json {
        let document = json!({
            "app": spec.app,
            "spec_id": spec.id().to_string(),
            "settings": settings,
            "span_windows": spec.detection.span_windows,
            "scenarios": all,
        });
        writeln!(out, "{document}")?;
    } else {
        write!(out, "{}", table(&settings, &all))?;
    }
    Ok(out.flush()?)
}

/// The question that changes where one does.
fn question(spec: &MonitorSpec, name: Option<&str>) -> Result<usize, SimulateError> {
    let all = || spec.questions.iter().enumerate().filter(|(_, question)| is_simulated(question));
    if let Some(name) = name {
        let found = all().find(|(_, question)| question.name == name);
        return found.map(|(index, _)| index).ok_or(SimulateError::Question);
    }
    let heaviest = |of_outcomes: bool| {
        all()
            .rev()
            .filter(|(_, question)| outcomes(spec, question).is_some() == of_outcomes)
            .max_by_key(|(_, question)| question.weight)
    };
    heaviest(false).or_else(|| heaviest(true)).map(|(index, _)| index).ok_or(SimulateError::Nothing)
}

fn invalid(file: &Path) -> impl FnOnce(SpecError) -> SimulateError {
    let file = file.to_owned();
    move |rule| SimulateError::Document { file, rule }
}

fn read(file: &Path) -> Result<String, SimulateError> {
    fs::read_to_string(file).map_err(|error| SimulateError::Read { file: file.to_owned(), error })
}
