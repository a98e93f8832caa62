//! A reference from raw rows that an operator owns: the data that a model was trained on, or old windows kept in full.
//!
//! Each row is an event. Its values fall into the cells of the spec by the look-up that devices use ([`Binning`]). A
//! device-window is the rows of one device in one window of the spec; what a device would draw its sampled event from
//! are the shares of its rows, and these are averaged ([`RawShares`]).
//!
//! | Columns given | A device-window is | What varies independently | Covariance |
//! | --- | --- | --- | --- |
//! | none | a row | a row | multinomial |
//! | `device` | the rows of a device | a device | clustered by device |
//! | `device`, `time` | the rows of a device in a window | a device | clustered by device |
//! | `block`, with or without those | as above | a block, a year for example | that of a block not in the file |
//!
//! **Limits.** Raw rows stay where they are: only shares and covariances are written. Devices without rows in a window
//! are not in the file and need not be: shares are those of devices with data. A question about a pair or the predicted
//! class needs a column that holds it, as label or as number of the label.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};

use csv::{ReaderBuilder, StringRecord};
use driftglass::drift::{MIN_BLOCKS, NotCovered, QuestionReference, RawShares, SeasonalReference};
use driftglass::observe::Value;
use driftglass::sketch::Binning;
use driftglass::spec::{CellKind, MonitorSpec, Question, QuestionKind};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};

use super::{Made, MakeError, Seasons, finish};
use crate::clock::MAX_SECS;

/// Which column holds what.
#[derive(Debug, Clone)]
pub struct Columns {
    /// Metrics with their columns.
    pub metrics: Vec<(String, String)>,
    /// What is a device.
    pub device: Option<String>,
    /// Unix seconds of a row.
    pub time: Option<String>,
    /// What varies as a whole.
    pub block: Option<String>,
}

/// What rows are summed by: block or device, device, window, season. Rows without a device are each its own.
type Key = (u64, u64, u32, u16);

/// Makes the reference of a spec from CSV with a header line.
///
/// # Errors
///
/// [`MakeError`] names the column, the line or the limit.
pub fn from_file(spec: &MonitorSpec, file: impl Read, columns: &Columns, seasons: &Seasons) -> Result<Made, MakeError> {
    if seasons.calendar.kind != driftglass::drift::SeasonKind::None && columns.time.is_none() {
        return Err(MakeError::SeasonWithoutTime);
    }
    let mut hashing = Hashing { inner: file, digest: Sha256::new() };
    let mut reader = ReaderBuilder::new().from_reader(&mut hashing);
    let rows = Rows::read(spec, &mut reader, columns, seasons)?;
    drop(reader);
    let digest: String = hashing.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let questions = spec.questions.iter().map(|question| rows.question(question, seasons)).collect();
    let covariance = match (&columns.block, &columns.device) {
        (Some(_), _) => "of a new block",
        (None, Some(_)) => "clustered by device",
        (None, None) => "multinomial",
    };
    let mut lineage = Map::new();
    lineage.insert("source".to_owned(), json!("file"));
    lineage.insert("file_sha256".to_owned(), json!(digest));
    lineage.insert("rows".to_owned(), json!(rows.rows));
    lineage.insert("columns".to_owned(), json!(columns.metrics.iter().cloned().collect::<BTreeMap<_, _>>()));
    for (name, column) in [("device", &columns.device), ("time", &columns.time), ("block", &columns.block)] {
        lineage.insert(name.to_owned(), json!(column));
    }
    lineage.insert("covariance".to_owned(), json!(covariance));
    // The rows of one device or block are in several seasons; rows by themselves are not.
    let independent = columns.device.is_none() && columns.block.is_none();
    finish(spec, questions, seasons, independent, lineage)
}

/// What the rows add up to.
struct Rows {
    rows: u64,
    in_blocks: bool,
    /// For each metric with a column, counts by cell.
    metrics: Vec<Option<BTreeMap<Key, Vec<u32>>>>,
}

impl Rows {
    fn read(
        spec: &MonitorSpec,
        reader: &mut csv::Reader<impl Read>,
        columns: &Columns,
        seasons: &Seasons,
    ) -> Result<Self, MakeError> {
        let header = reader.headers().map_err(|error| refusal(&error, 1))?.clone();
        let place = |name: &String| {
            header.iter().position(|column| column == name).ok_or_else(|| MakeError::NoColumn(name.clone()))
        };
        let optional = |name: &Option<String>| name.as_ref().map(place).transpose();
        let (device, time, block) = (optional(&columns.device)?, optional(&columns.time)?, optional(&columns.block)?);
        let mut mapped: Vec<Option<usize>> = vec![None; spec.metrics.len()];
        for (metric, column) in &columns.metrics {
            let index = spec.metrics.iter().position(|known| known.name == *metric);
            mapped[index.ok_or_else(|| MakeError::NoMetric(metric.clone()))?] = Some(place(column)?);
        }
        let binnings: Vec<Binning> = spec.metrics.iter().map(|metric| Binning::of(&metric.cells)).collect();
        let mut rows = Self {
            rows: 0,
            in_blocks: block.is_some(),
            metrics: mapped.iter().map(|column| column.map(|_| BTreeMap::new())).collect(),
        };
        let (mut devices, mut blocks) = (Ids::default(), Ids::default());
        let mut record = StringRecord::new();
        loop {
            let line = reader.position().line();
            if !reader.read_record(&mut record).map_err(|error| refusal(&error, line))? {
                return Ok(rows);
            }
            rows.rows += 1;
            let secs = time.map(|column| unix_secs(&record[column]).ok_or(MakeError::Time(line))).transpose()?;
            let device_id = device.map_or(rows.rows, |column| devices.of(&record[column]));
            let unit = block.map_or(device_id, |column| blocks.of(&record[column]));
            let window = device.and(secs).map_or(0, |secs| spec.window.index_at(secs));
            let season = secs.map_or(0, |secs| seasons.calendar.season_at(secs));
            for (index, column) in mapped.iter().enumerate() {
                let (Some(column), Some(counts)) = (column, &mut rows.metrics[index]) else { continue };
                let cells = &spec.metrics[index].cells;
                let Some(cell) = binnings[index].cell(value(&record[*column], &cells.kind)) else { continue };
                let empty = || vec![0; cells.count()];
                counts.entry((unit, device_id, window, season)).or_insert_with(empty)[cell] += 1;
            }
        }
    }

    fn question(&self, question: &Question, seasons: &Seasons) -> Result<SeasonalReference, NotCovered> {
        if !question.has_shares() {
            return Err(NotCovered::NoShares);
        }
        let counts = self.metrics[question.metric].as_ref().ok_or(NotCovered::NoColumn)?;
        let empty = || RawShares::new(question.data_cells());
        let mut all = empty();
        let mut of_season: BTreeMap<u16, RawShares> = BTreeMap::new();
        for ((unit, _, _, season), cells) in counts {
            let Some(shares) = shares(question, cells) else { continue };
            all.add(*unit, &shares);
            of_season.entry(*season).or_insert_with(empty).add(*unit, &shares);
        }
        let average = |raw: &RawShares| if self.in_blocks { raw.of_a_new_block() } else { raw.clustered() };
        let known: BTreeMap<u16, QuestionReference> =
            of_season.iter().filter_map(|(season, raw)| Some((*season, average(raw)?))).collect();
        let least = if self.in_blocks { MIN_BLOCKS } else { 2 };
        if known.is_empty() {
            return Err(NotCovered::TooFewUnits(least));
        }
        let seasonal = seasons.calendar.kind != driftglass::drift::SeasonKind::None;
        Ok(SeasonalReference { seasons: known, all: if seasonal { average(&all) } else { None } })
    }
}

/// Shares of a question's data cells among the events of a device-window, as the device draws from them.
fn shares(question: &Question, cells: &[u32]) -> Option<Vec<f64>> {
    let sum = |cells: &[u32]| cells.iter().copied().map(f64::from).sum::<f64>();
    let counts: Vec<f64> = match &question.kind {
        QuestionKind::ThresholdBit { cells_below, cells_seen, .. } => {
            vec![sum(&cells[..*cells_below]), sum(&cells[*cells_below..*cells_seen])]
        }
        _ => cells.iter().copied().map(f64::from).collect(),
    };
    let total: f64 = counts.iter().sum();
    (total > 0.0).then(|| counts.iter().map(|count| count / total).collect())
}

/// A field as the device would see it: empty or NaN is missing, a label is itself, any other number a number.
fn value<'a>(field: &'a str, kind: &CellKind) -> Value<'a> {
    let field = field.trim();
    if field.is_empty() {
        return Value::Missing;
    }
    if let CellKind::Category { labels } = kind
        && labels.iter().any(|label| label == field)
    {
        return Value::Text(field);
    }
    match field.parse::<f64>() {
        Ok(number) if number.is_nan() => Value::Missing,
        Ok(number) => Value::Number(number),
        Err(_) => Value::Text(field),
    }
}

fn unix_secs(field: &str) -> Option<u64> {
    field.trim().parse().ok().filter(|secs| *secs <= MAX_SECS)
}

fn refusal(error: &csv::Error, line: u64) -> MakeError {
    match error.kind() {
        csv::ErrorKind::Io(error) => MakeError::Read(io::Error::new(error.kind(), "input/output")),
        _ => MakeError::Csv(error.position().map_or(line, csv::Position::line)),
    }
}

/// Numbers for names, in the order in which they come.
#[derive(Default)]
struct Ids(HashMap<String, u64>);

impl Ids {
    fn of(&mut self, name: &str) -> u64 {
        if let Some(id) = self.0.get(name) {
            return *id;
        }
        let id = self.0.len() as u64;
        self.0.insert(name.to_owned(), id);
        id
    }
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}
