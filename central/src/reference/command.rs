//! `driftglass reference …`: make a reference, keep its versions, choose the one in use.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use driftglass::drift::{Calendar, Fallback, Reference, SeasonKind};
use driftglass::spec::{MonitorSpec, SpecError, SpecId, WindowIndex};
use serde_json::{Value, json};

use super::from_file::{Columns, from_file};
use super::from_windows::from_windows;
use super::{Made, MakeError, Seasons, VersionSummary};
use crate::clock::Clock;
use crate::registry::{Registered, Registry};
use crate::store::{
    Store, StoreError, add_reference, first_open_window, list_references, reference_document, strata, total,
    use_reference,
};

/// What `driftglass reference` does.
#[derive(Debug, Subcommand)]
pub(crate) enum ReferenceCommand {
    /// Make a reference from raw rows: CSV with a header line
    FromFile {
        /// The spec
        #[arg(value_name = "SPEC")]
        spec: PathBuf,
        /// The rows
        #[arg(value_name = "DATA.csv")]
        data: PathBuf,
        /// The column of a metric's values; once for each metric
        #[arg(long, value_name = "METRIC=COLUMN", required = true, value_parser = pair)]
        map: Vec<(String, String)>,
        /// The column that says which device a row is of; devices, not rows, then vary independently
        #[arg(long, value_name = "COLUMN")]
        device: Option<String>,
        /// The column of Unix seconds
        #[arg(long, value_name = "COLUMN")]
        time: Option<String>,
        /// The column of what varies as a whole, a year for example; the reference then expects a new one of them
        #[arg(long, value_name = "COLUMN")]
        block: Option<String>,
        #[command(flatten)]
        seasons: SeasonOptions,
        /// Where the reference is written; printed if absent
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Make a reference from the fleet's own closed windows
    FromWindows {
        #[command(flatten)]
        of: OfSpec,
        /// The windows, both included
        #[arg(long, value_name = "A..B", value_parser = range)]
        windows: [WindowIndex; 2],
        #[command(flatten)]
        seasons: SeasonOptions,
        /// Where the reference is written, instead of into the database
        #[arg(long, value_name = "FILE", conflicts_with = "use_it")]
        output: Option<PathBuf>,
        /// Compare with it from now on
        #[arg(long = "use")]
        use_it: bool,
    },
    /// Keep a reference as a new version; a spec's first is used at once
    Add {
        /// The reference
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where the database is
        #[arg(long, value_name = "DIR")]
        data_dir: PathBuf,
        /// Compare with it from now on
        #[arg(long = "use")]
        use_it: bool,
    },
    /// List the versions of a spec's reference
    List {
        #[command(flatten)]
        of: OfSpec,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a version's document; without a version, that of the one in use
    Show {
        /// The first 8 digits of the version, or more
        #[arg(value_name = "VERSION")]
        version: Option<String>,
        #[command(flatten)]
        of: OfSpec,
    },
    /// Compare with another version from now on
    Use {
        /// The first 8 digits of the version, or more
        #[arg(value_name = "VERSION")]
        version: String,
        #[command(flatten)]
        of: OfSpec,
    },
}

/// A registered spec.
#[derive(Debug, Args)]
pub(crate) struct OfSpec {
    /// Where the database is
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// The spec, 32 hexadecimal digits
    #[arg(long, value_name = "ID", value_parser = spec_id)]
    spec_id: SpecId,
}

/// How seasons are told apart.
#[derive(Debug, Args)]
pub(crate) struct SeasonOptions {
    /// What repeats
    #[arg(long, value_enum, default_value_t = SeasonChoice::None)]
    season: SeasonChoice,
    /// Local time − UTC in seconds
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i32).range(-50_400..=50_400)
    )]
    utc_offset_secs: i32,
    /// What stands for a season without data
    #[arg(long, value_enum, default_value_t = FallbackChoice::Wait)]
    fallback: FallbackChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SeasonChoice {
    None,
    Month,
    DayOfWeek,
    HourOfWeek,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FallbackChoice {
    Wait,
    AllSeasons,
}

impl SeasonOptions {
    fn seasons(&self) -> Seasons {
        let kind = match self.season {
            SeasonChoice::None => SeasonKind::None,
            SeasonChoice::Month => SeasonKind::Month,
            SeasonChoice::DayOfWeek => SeasonKind::DayOfWeek,
            SeasonChoice::HourOfWeek => SeasonKind::HourOfWeek,
        };
        let fallback = match self.fallback {
            FallbackChoice::Wait => Fallback::Wait,
            FallbackChoice::AllSeasons => Fallback::AllSeasons,
        };
        Seasons { calendar: Calendar { kind, utc_offset_secs: self.utc_offset_secs }, fallback }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (metric, column) = text.split_once('=').ok_or("a metric, '=' and a column")?;
    Ok((metric.to_owned(), column.to_owned()))
}

fn range(text: &str) -> Result<[WindowIndex; 2], String> {
    let read = |part: &str| part.parse::<WindowIndex>().map_err(|_| "two numbers of windows: A..B".to_owned());
    let (first, last) = text.split_once("..").ok_or("two numbers of windows: A..B")?;
    Ok([read(first)?, read(last)?])
}

fn spec_id(text: &str) -> Result<SpecId, String> {
    SpecId::from_hex(text).ok_or_else(|| "32 hexadecimal digits in lower case".to_owned())
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// A document that breaks a rule.
    #[error("{}: {rule}", file.display())]
    Document {
        /// The file.
        file: PathBuf,
        /// The rule.
        #[source]
        rule: SpecError,
    },
    /// A file that cannot be read or written.
    #[error("cannot use {}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// No reference can be made.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// No database there.
    #[error("{} holds no database; `spec add` and `serve` make one", .0.display())]
    NoStore(PathBuf),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Standard output.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl ReferenceError {
    /// Whether what was given is at fault, and not the environment.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Document { .. } => true,
            Self::Make(error) => !matches!(error, MakeError::Read(_) | MakeError::Store(_)),
            Self::Store(error) => matches!(error, StoreError::UnknownSpec | StoreError::UnknownReference),
            Self::File { .. } | Self::NoStore(_) | Self::Output(_) => false,
        }
    }
}

/// Runs a command.
///
/// # Errors
///
/// [`ReferenceError`] says why it did not do what it was asked.
pub(crate) fn run(command: ReferenceCommand) -> Result<(), ReferenceError> {
    match command {
        ReferenceCommand::FromFile { spec, data, map, device, time, block, seasons, output } => {
            let columns = Columns { metrics: map, device, time, block };
            make_from_file(&spec, &data, &columns, &seasons.seasons(), output.as_deref())
        }
        ReferenceCommand::FromWindows { of, windows, seasons, output, use_it } => {
            make_from_windows(&of, windows, &seasons.seasons(), output.as_deref(), use_it)
        }
        ReferenceCommand::Add { file, data_dir, use_it } => add(&file, &data_dir, use_it),
        ReferenceCommand::List { of, json } => list(&of, json),
        ReferenceCommand::Show { version, of } => {
            let document = reference_document(&of.store()?.connect()?, of.spec_id, version.as_deref())?;
            Ok(writeln!(io::stdout(), "{}", document.trim_end())?)
        }
        ReferenceCommand::Use { version, of } => {
            let now = Clock::System.now_secs();
            let version = use_reference(&mut of.store()?.connect()?, of.spec_id, &version, now)?;
            Ok(writeln!(io::stdout(), "in use: {version}")?)
        }
    }
}

impl OfSpec {
    fn store(&self) -> Result<Store, ReferenceError> {
        open(&self.data_dir)
    }
}

fn open(data_dir: &Path) -> Result<Store, ReferenceError> {
    if !Store::exists(data_dir) {
        return Err(ReferenceError::NoStore(data_dir.to_owned()));
    }
    Ok(Store::open(data_dir)?)
}

fn registered(store: Arc<Store>, spec: SpecId) -> Result<Arc<Registered>, ReferenceError> {
    let snapshot = Registry::load(store)?.snapshot();
    Ok(snapshot.by_id(spec).cloned().ok_or(StoreError::UnknownSpec)?)
}

fn read(file: &Path) -> Result<String, ReferenceError> {
    fs::read_to_string(file).map_err(|error| ReferenceError::File { file: file.to_owned(), error })
}

fn make_from_file(
    spec: &Path,
    data: &Path,
    columns: &Columns,
    seasons: &Seasons,
    output: Option<&Path>,
) -> Result<(), ReferenceError> {
    let rule = |rule| ReferenceError::Document { file: spec.to_owned(), rule };
    let spec = MonitorSpec::parse(&read(spec)?).map_err(rule)?;
    let rows = File::open(data).map_err(|error| ReferenceError::File { file: data.to_owned(), error })?;
    write(&from_file(&spec, rows, columns, seasons)?, output)
}

fn make_from_windows(
    of: &OfSpec,
    windows: [WindowIndex; 2],
    seasons: &Seasons,
    output: Option<&Path>,
    use_it: bool,
) -> Result<(), ReferenceError> {
    let store = Arc::new(of.store()?);
    let registered = registered(Arc::clone(&store), of.spec_id)?;
    let (open, strata) =
        store.read(|connection| Ok((first_open_window(connection, of.spec_id)?, strata(connection, &registered)?)))?;
    let made = from_windows(&registered, &total(&registered, strata.values()), windows, open, seasons)?;
    if output.is_some() {
        return write(&made, output);
    }
    let now = Clock::System.now_secs();
    let (version, new) = add_reference(&mut store.connect()?, of.spec_id, &made.document, use_it, now)?;
    tell(&made)?;
    Ok(writeln!(io::stdout(), "{} {version}", if new { "added" } else { "known" })?)
}

/// Writes a document, and says on standard error what it lacks.
fn write(made: &Made, output: Option<&Path>) -> Result<(), ReferenceError> {
    tell(made)?;
    let Some(output) = output else { return Ok(writeln!(io::stdout(), "{}", made.document)?) };
    fs::write(output, format!("{}\n", made.document))
        .map_err(|error| ReferenceError::File { file: output.to_owned(), error })
}

fn tell(made: &Made) -> io::Result<()> {
    let mut out = io::stderr();
    for (question, reason) in &made.not_covered {
        writeln!(out, "not covered: {question}: {reason}")?;
    }
    for (question, seasons) in &made.missing_seasons {
        let list: Vec<String> = seasons.iter().map(u16::to_string).collect();
        writeln!(out, "{question} lacks the seasons {}", list.join(", "))?;
    }
    Ok(())
}

fn add(file: &Path, data_dir: &Path, use_it: bool) -> Result<(), ReferenceError> {
    let text = read(file)?;
    let document = |rule| ReferenceError::Document { file: file.to_owned(), rule };
    let id = Reference::spec_id_of(&text).map_err(document)?;
    let store = Arc::new(open(data_dir)?);
    let registered = registered(Arc::clone(&store), id)?;
    Reference::parse(&text, &registered.spec).map_err(document)?;
    let (version, new) = add_reference(&mut store.connect()?, id, &text, use_it, Clock::System.now_secs())?;
    Ok(writeln!(io::stdout(), "{} {version}", if new { "added" } else { "known" })?)
}

fn list(of: &OfSpec, as_json: bool) -> Result<(), ReferenceError> {
    let versions = list_references(&of.store()?.connect()?, of.spec_id)?;
    let summaries: Vec<VersionSummary> = versions.into_iter().map(VersionSummary::of).collect();
    let mut out = io::stdout();
    if as_json {
        return Ok(writeln!(out, "{}", json!(summaries))?);
    }
    for version in &summaries {
        let mark = if version.in_use { "in use" } else { "kept" };
        let source = version.lineage.get("source").and_then(Value::as_str).unwrap_or("document");
        writeln!(out, "{}  {mark}  from {source}, added at {}", version.version, version.created_at_secs)?;
    }
    Ok(())
}
