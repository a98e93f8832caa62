//! The command line.
//!
//! Exit codes: 0 done; 1 a failure of the environment; 2 wrong usage or an invalid document; 3 drift, where it was asked
//! to fail on that.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use driftglass::chooser::Limits;
use driftglass::drift::Reference;
use driftglass::spec::{MonitorSpec, SpecError, SpecId};
use serde_json::json;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::clock::{Clock, MAX_SECS};
use crate::compare::cli::CompareArgs;
use crate::drift_page;
use crate::explain::{explain, table};
use crate::freeze::{FreezeError, freeze};
use crate::http::SpecSummary;
use crate::keys::new_ingest_key;
use crate::plan::{self, Assumptions};
use crate::reference::command::{self as reference, ReferenceCommand, ReferenceError};
use crate::registry::Registry;
use crate::server::{Config, ServeError, Server};
use crate::simulate;
use crate::store::{Registration, Store, StoreError, add_spec, last_clock, strata, total};
use crate::verdicts::{causes, performance, verdicts};
use crate::writer::QueueLimits;

/// Drift monitoring for models on people's own devices: the centre
#[derive(Debug, Parser)]
#[command(name = "driftglass", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take reports in, judge drift, show pages
    Serve(Serve),
    /// Compare two windows whose rows are at hand: CSV, gzipped CSV or Parquet
    Compare(CompareArgs),
    /// Register and check specs
    #[command(subcommand)]
    Spec(SpecCommand),
    /// Say what drifted, from the reports of the windows that are closed
    Drift(Drift),
    /// Make references, keep their versions, choose the one in use
    #[command(subcommand)]
    Reference(ReferenceCommand),
    /// Say before deployment which shifts a fleet can find with the questions of a spec
    Plan(PlanOptions),
    /// Draw fleets with known drift and score the whole detector on them
    Simulate(simulate::cli::Options),
    /// Check what the module that devices load does to an answer against what a spec claims
    #[cfg(feature = "audit")]
    Audit(driftglass_audit::cli::Options),
}

#[derive(Debug, Args)]
struct PlanOptions {
    /// The spec
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,
    /// Devices
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    fleet: u64,
    /// Where the shares are now; even shares, known exactly, if absent
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Share of the devices that report
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = share)]
    participation: f64,
    /// Share of the answers that have data
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = share)]
    with_data: f64,
    /// Windows that are looked at
    #[arg(long, value_name = "W", default_value_t = 52, value_parser = clap::value_parser!(u32).range(1..=5_200))]
    windows: u32,
    /// Events of a device in a window, for anchored bits
    #[arg(long, value_name = "M", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    events: u64,
    /// How alike devices are, for anchored bits: concentration of their shares around those of the fleet
    #[arg(long, value_name = "A", default_value_t = driftglass::drift::HETEROGENEOUS, value_parser = positive)]
    concentration: f64,
    /// Shift to find, in the measure of each question: say what it takes
    #[arg(long, value_name = "D", value_parser = share)]
    shift: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Where a page with charts is written
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A number in (0, 1].
fn share(text: &str) -> Result<f64, String> {
    positive(text).and_then(|value| if value <= 1.0 { Ok(value) } else { Err("at most 1".to_owned()) })
}

/// A finite number above 0.
fn positive(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "a number".to_owned())?;
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err("above 0".to_owned()) }
}

#[derive(Debug, Args)]
struct Serve {
    /// Where the database is; made if missing
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Where the time comes from; a simulated clock is moved by POST /v1/clock
    #[arg(long, value_enum, default_value_t = ClockKind::System)]
    clock: ClockKind,
    /// Unix seconds at which a simulated clock starts
    #[arg(long, value_name = "T", required_if_eq("clock", "simulated"), value_parser = clap::value_parser!(u64).range(..=MAX_SECS))]
    start_secs: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    System,
    Simulated,
}

#[derive(Debug, Args)]
struct Drift {
    /// Where the database is; a server may be running on it
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Which spec, if several are registered
    #[arg(long, value_name = "ID")]
    spec_id: Option<String>,
    /// Print verdicts, causes and performance as JSON, as GET /v1/specs/{spec_id}/verdicts, …/causes and …/performance do
    #[arg(long)]
    json: bool,
    /// Write one page to show to others
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// End with status 3 if a question drifts in its last closed window
    #[arg(long)]
    fail_on_drift: bool,
}

#[derive(Debug, Subcommand)]
enum SpecCommand {
    /// Register a spec and print its ingest key; a known spec keeps its key
    Add {
        #[command(flatten)]
        documents: Documents,
        /// Where the database is; made if missing
        #[arg(long, value_name = "DIR")]
        data_dir: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List registered specs
    List {
        /// Where the database is
        #[arg(long, value_name = "DIR")]
        data_dir: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check documents and register nothing
    Check {
        #[command(flatten)]
        documents: Documents,
    },
    /// Show for each question all mechanisms that could hide it, and why it has the one it has
    Explain {
        /// The spec
        #[arg(value_name = "FILE")]
        spec: PathBuf,
        #[command(flatten)]
        limits: LimitOptions,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give each question without a randomizer the best one, and print or write the spec
    Freeze {
        /// The draft: a spec whose questions may lack their randomizer
        #[arg(value_name = "FILE")]
        draft: PathBuf,
        #[command(flatten)]
        limits: LimitOptions,
        /// Where the spec is written; printed if absent
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// What a mechanism must keep to.
#[derive(Debug, Args)]
struct LimitOptions {
    /// Most bits of a payload
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_bits, value_parser = clap::value_parser!(u32).range(1..=256))]
    max_bits: u32,
    /// Most that one fake report may move a share, in reports
    #[arg(long, value_name = "X", default_value_t = Limits::default().max_influence)]
    max_influence: f64,
}

impl LimitOptions {
    fn limits(&self) -> Limits {
        Limits { max_bits: self.max_bits, max_influence: self.max_influence }
    }
}

#[derive(Debug, Args)]
struct Documents {
    /// The spec
    #[arg(value_name = "FILE")]
    spec: PathBuf,
    /// The reference that reports are compared with
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("{}: {rule}", file.display())]
    Document {
        file: PathBuf,
        #[source]
        rule: SpecError,
    },
    #[error("cannot read {}: {error}", file.display())]
    Read {
        file: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("{}: {reason}", file.display())]
    Draft {
        file: PathBuf,
        #[source]
        reason: FreezeError,
    },
    #[error("cannot write {}: {error}", file.display())]
    Write {
        file: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("--start-secs is for --clock simulated")]
    StartSecs,
    #[error("no such spec is registered; `spec list` shows those that are")]
    NoSpec,
    #[error("{0} specs are registered; say which with --spec-id")]
    WhichSpec(usize),
    #[error("{} holds no database; `spec add` and `serve` make one", .0.display())]
    NoStore(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    System(#[from] io::Error),
    #[error("the system gave no entropy for a key: {0}")]
    Entropy(#[from] getrandom::Error),
}

impl CliError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Document { .. } | Self::Draft { .. } | Self::StartSecs | Self::NoSpec | Self::WhichSpec(_) => {
                ExitCode::from(2)
            }
            Self::Reference(error) if error.is_usage() => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Runs the command that the process was given.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        #[cfg(feature = "audit")]
        Command::Audit(options) => return driftglass_audit::cli::run(&options),
        Command::Compare(args) => return crate::compare::cli::run(args),
        Command::Simulate(options) => return simulate::cli::run(&options),
        Command::Serve(options) => serve(options),
        Command::Drift(options) => match drift(&options) {
            Ok(true) if options.fail_on_drift => return ExitCode::from(3),
            done => done.map(drop),
        },
        Command::Reference(command) => reference::run(command).map_err(CliError::from),
        Command::Plan(options) => plan_spec(&options),
        Command::Spec(SpecCommand::Add { documents, data_dir, json }) => add(&documents, &data_dir, json),
        Command::Spec(SpecCommand::List { data_dir, json }) => list(&data_dir, json),
        Command::Spec(SpecCommand::Check { documents }) => check(&documents),
        Command::Spec(SpecCommand::Explain { spec, limits, json }) => explain_spec(&spec, &limits.limits(), json),
        Command::Spec(SpecCommand::Freeze { draft, limits, output }) => {
            freeze_draft(&draft, &limits.limits(), output.as_deref())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell the failure to.
            let _ = writeln!(io::stderr(), "error: {error}");
            error.exit_code()
        }
    }
}

fn serve(options: Serve) -> Result<(), CliError> {
    let clock = match (options.clock, options.start_secs) {
        (ClockKind::System, None) => Clock::System,
        (ClockKind::System, Some(_)) => return Err(CliError::StartSecs),
        (ClockKind::Simulated, start) => Clock::simulated(start.unwrap_or(0)),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let config = Config { data_dir: options.data_dir, listen: options.listen, clock, queue: QueueLimits::default() };
    Runtime::new()?.block_on(async {
        let stop = signal()?;
        let server = Server::bind(config).await?;
        let mut out = io::stdout();
        writeln!(out, "driftglass listens on http://{}", server.address())?;
        out.flush()?;
        Ok(server.run(stop).await?)
    })
}

/// Done at the first signal to stop.
#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done at the first signal to stop.
#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn add(documents: &Documents, data_dir: &Path, as_json: bool) -> Result<(), CliError> {
    let read = documents.read()?;
    let store = Store::open(data_dir)?;
    let registration = Registration {
        spec_id: read.spec.id(),
        document: &read.text,
        reference: read.reference.as_deref(),
        new_key: &new_ingest_key()?,
        now_secs: Clock::System.now_secs(),
    };
    let (key, added) = add_spec(&mut store.connect()?, &registration)?;
    let id = read.spec.id().to_string();
    let mut out = io::stdout();
    if as_json {
        writeln!(out, "{}", json!({ "spec_id": id, "ingest_key": key, "added": added }))?;
    } else {
        writeln!(out, "{} spec {id}", if added { "registered" } else { "updated" })?;
        writeln!(out, "ingest key {key}")?;
    }
    Ok(())
}

fn list(data_dir: &Path, as_json: bool) -> Result<(), CliError> {
    if !Store::exists(data_dir) {
        return Err(CliError::NoStore(data_dir.to_owned()));
    }
    let registry = Registry::load(Arc::new(Store::open(data_dir)?))?;
    let snapshot = registry.snapshot();
    let mut out = io::stdout();
    if as_json {
        let specs: Vec<_> = snapshot.specs().iter().map(|spec| SpecSummary::of(spec)).collect();
        writeln!(out, "{}", json!(specs))?;
        return Ok(());
    }
    for spec in snapshot.specs() {
        let reference = if spec.reference.is_some() { "reference" } else { "no reference" };
        writeln!(out, "{}  {}  key {}  {reference}", spec.spec.id(), spec.spec.app, spec.ingest_key)?;
    }
    Ok(())
}

/// Whether a question drifts in its last closed window.
fn drift(options: &Drift) -> Result<bool, CliError> {
    if !Store::exists(&options.data_dir) {
        return Err(CliError::NoStore(options.data_dir.clone()));
    }
    let store = Arc::new(Store::open(&options.data_dir)?);
    let snapshot = Registry::load(Arc::clone(&store))?.snapshot();
    let spec = match (&options.spec_id, snapshot.specs()) {
        (Some(id), _) => SpecId::from_hex(id).and_then(|id| snapshot.by_id(id)).ok_or(CliError::NoSpec)?,
        (None, [spec]) => spec,
        (None, []) => return Err(CliError::NoSpec),
        (None, specs) => return Err(CliError::WhichSpec(specs.len())),
    };
    let (strata, clock) = store.read(|connection| Ok((strata(connection, spec)?, last_clock(connection, spec)?)))?;
    let sums = total(spec, strata.values());
    let (verdicts, causes) = (verdicts(spec, &sums, &strata, &clock), causes(spec, &sums, &clock));
    let performance = performance(spec, &strata, &clock);
    let mut out = io::stdout();
    if let Some(file) = &options.html {
        let error = |error| CliError::Write { file: file.clone(), error };
        fs::write(file, drift_page::page(&verdicts, &causes, &performance)).map_err(error)?;
    }
    if options.json {
        writeln!(out, "{}", json!({ "verdicts": verdicts, "causes": causes, "performance": performance }))?;
    } else {
        write!(out, "{}", drift_page::table(&verdicts, &causes, &performance))?;
    }
    Ok(verdicts.drifts())
}

fn check(documents: &Documents) -> Result<(), CliError> {
    let read = documents.read()?;
    let bytes = driftglass::report::HEADER_BYTES + read.spec.payload_len();
    let questions = read.spec.questions.len();
    writeln!(io::stdout(), "valid: spec {}, {questions} questions, reports of {bytes} bytes", read.spec.id())?;
    Ok(())
}

fn explain_spec(file: &Path, limits: &Limits, as_json: bool) -> Result<(), CliError> {
    let rule = |rule| CliError::Document { file: file.to_owned(), rule };
    let explanations = explain(&MonitorSpec::parse(&read(file)?).map_err(rule)?, limits);
    let mut out = io::stdout();
    if as_json {
        writeln!(out, "{}", json!(explanations))?;
    } else {
        write!(out, "{}", table(&explanations))?;
    }
    Ok(())
}

fn plan_spec(options: &PlanOptions) -> Result<(), CliError> {
    let documents = Documents { spec: options.spec.clone(), reference: options.reference.clone() };
    let Valid { spec, reference, .. } = documents.read()?;
    let invalid = |rule| CliError::Document { file: options.spec.clone(), rule };
    let reference = reference.map(|text| Reference::parse(&text, &spec)).transpose().map_err(invalid)?;
    let assumptions = Assumptions {
        fleet: options.fleet,
        participation: options.participation,
        with_data: options.with_data,
        windows: options.windows,
        events: options.events,
        concentration: options.concentration,
        shift: options.shift,
    };
    let planned = plan::plan(&spec, reference.as_ref(), &assumptions);
    if let Some(file) = &options.html {
        let failed = |error| CliError::Write { file: file.clone(), error };
        fs::write(file, plan::page(&planned)).map_err(failed)?;
    }
    let mut out = io::stdout();
    if options.json {
        writeln!(out, "{}", json!(planned))?;
    } else {
        write!(out, "{}", plan::table(&planned))?;
    }
    Ok(())
}

fn freeze_draft(file: &Path, limits: &Limits, output: Option<&Path>) -> Result<(), CliError> {
    let draft = |reason| CliError::Draft { file: file.to_owned(), reason };
    let (text, named) = freeze(&read(file)?, limits).map_err(draft)?;
    let Some(output) = output else { return Ok(io::stdout().write_all(text.as_bytes())?) };
    fs::write(output, text).map_err(|error| CliError::Write { file: output.to_owned(), error })?;
    let given = if named.is_empty() { "none lacked a randomizer".to_owned() } else { named.join(", ") };
    writeln!(io::stdout(), "wrote {}: {given}", output.display())?;
    Ok(())
}

struct Valid {
    spec: MonitorSpec,
    text: String,
    reference: Option<String>,
}

impl Documents {
    fn read(&self) -> Result<Valid, CliError> {
        let text = read(&self.spec)?;
        let invalid = |file: &Path| {
            let file = file.to_owned();
            move |rule| CliError::Document { file, rule }
        };
        let spec = MonitorSpec::parse(&text).map_err(invalid(&self.spec))?;
        let reference = match &self.reference {
            Some(file) => {
                let text = read(file)?;
                Reference::parse(&text, &spec).map_err(invalid(file))?;
                Some(text)
            }
            None => None,
        };
        Ok(Valid { spec, text, reference })
    }
}

fn read(file: &Path) -> Result<String, CliError> {
    fs::read_to_string(file).map_err(|error| CliError::Read { file: file.to_owned(), error })
}
