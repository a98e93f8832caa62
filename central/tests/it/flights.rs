//! The flights of the demo, each aircraft a device with the plugin's own pipeline, reporting to a real centre.
//!
//! In place of the demo's network a logistic curve in the delay of departure predicts a late arrival: a model too, and
//! one that needs no runtime here. Inputs, outcomes and their times are those of the data.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use driftglass::monitor::Monitor;
use driftglass::observe::{Observation, Value, Values};
use driftglass::privacy::DeviceState;
use driftglass::report::Arm;
use driftglass::spec::{MonitorSpec, WindowIndex};
use driftglass_central::clock::Clock;
use driftglass_central::store::{Registration, Store, add_spec};
use driftglass_central::writer::QueueLimits;

use crate::support::{Centre, KEY, SeededEntropy, body, post};

/// The first full window of the data: from Thursday, 3 January 2013.
pub(crate) const FIRST_WEEK: WindowIndex = 2_244;
/// 2013-01-01, the wall clock of New York read as UTC.
const EPOCH_SECS: u64 = 1_356_998_400;
/// Reports of one upload: below 1 MiB.
const UPLOAD: usize = 8_000;

/// One flight.
pub(crate) struct Flight {
    departure_secs: u64,
    outcome_secs: u64,
    numeric: [f32; 8],
    carrier: i64,
    pub(crate) origin: i64,
    /// None for a flight that never arrived.
    late: Option<bool>,
}

/// Flights by aircraft, in order of departure.
static FLIGHTS: LazyLock<BTreeMap<u32, Vec<Flight>>> = LazyLock::new(|| {
    let packed =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/data/flights.csv.gz")).expect("data");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let place = |name: &str| header.iter().position(|column| *column == name).expect("a column");
    let numeric = ["dep_delay", "hour", "distance", "temp", "wind_speed", "precip", "visib", "pressure"].map(place);
    let [departure, arrival, carrier, origin, device, late] =
        ["departure", "arrival", "carrier", "origin", "device", "late"].map(place);
    let mut flights: BTreeMap<u32, Vec<Flight>> = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let minutes = |place: usize| fields[place].parse::<u64>().unwrap_or(0);
        let departure_secs = EPOCH_SECS + 60 * minutes(departure);
        let flight = Flight {
            departure_secs,
            outcome_secs: departure_secs + 60 * minutes(arrival),
            numeric: numeric.map(|place| fields[place].parse().unwrap_or(f32::NAN)),
            carrier: fields[carrier].parse().expect("an index"),
            origin: fields[origin].parse().expect("an index"),
            late: fields[late].parse::<u8>().ok().map(|late| late == 1),
        };
        flights.entry(fields[device].parse().expect("a number")).or_default().push(flight);
    }
    flights
});

/// What runs on a device.
#[derive(Clone, Copy)]
pub(crate) struct Deployment {
    pub(crate) arm: Arm,
    /// Place of the segment in the spec.
    pub(crate) segment: usize,
    /// Delay of departure, in minutes, at which the model says "late" with probability one half.
    pub(crate) half: f32,
    /// From this week on another such delay, and ten times the latency.
    pub(crate) broken: Option<(WindowIndex, f32)>,
}

impl Deployment {
    /// The model of the stable arm, in the first segment.
    pub(crate) const STABLE: Self = Self { arm: Arm::Stable, segment: 0, half: 12.0, broken: None };

    /// The delay of one half, and the latency in milliseconds, in a week.
    fn model(&self, week: WindowIndex) -> (f32, f64) {
        self.broken.filter(|(from, _)| week >= *from).map_or((self.half, 0.5), |(_, half)| (half, 5.0))
    }
}

/// A replay of some weeks.
pub(crate) struct Replay<'a> {
    pub(crate) spec: &'a MonitorSpec,
    /// Its text.
    pub(crate) document: &'a str,
    pub(crate) weeks: std::ops::Range<WindowIndex>,
    /// What runs on an aircraft with this number and these flights.
    pub(crate) deployment: &'a dyn Fn(u32, &[Flight]) -> Deployment,
    /// Where chance begins.
    pub(crate) seed: u64,
}

impl Replay<'_> {
    /// Replays into a new centre, whose clock then stands after the grace of the last week.
    pub(crate) fn run(&self) -> Centre {
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        let store = Store::open(dir.path()).expect("a store");
        let new = Registration {
            spec_id: self.spec.id(),
            document: self.document,
            reference: None,
            new_key: KEY,
            now_secs: 0,
        };
        add_spec(&mut store.connect().expect("a connection"), &new).expect("a registration");
        drop(store);
        let window = self.spec.window;
        let centre = Centre::start(dir, Clock::simulated(window.start_secs(self.weeks.start)), QueueLimits::default());
        let url = format!("{}/v1/reports?key={KEY}", centre.url);
        for (week, reports) in self.reports() {
            assert_eq!(centre.set_clock(window.end_secs(week) + 1).status, 200);
            for part in reports.chunks(UPLOAD) {
                let answer = post(&url, &body(part));
                assert_eq!((answer.status, answer.counts()[0]), (202, part.len() as u64), "{answer:?}");
            }
        }
        assert_eq!(centre.set_clock(window.end_secs(self.weeks.end - 1) + window.grace_secs).status, 200);
        centre
    }

    /// What is true of the outcomes that arrived in some weeks: the share of right predictions and of late arrivals among
    /// the flights of a device-week, averaged over device-weeks. No centre sees it.
    pub(crate) fn truth(&self, weeks: std::ops::Range<WindowIndex>) -> [f64; 2] {
        let (mut sums, mut device_weeks) = ([0.0; 2], 0.0);
        for (device, flights) in FLIGHTS.iter() {
            let deployment = (self.deployment)(*device, flights);
            for week in weeks.clone() {
                let arrived = |flight: &&Flight| self.spec.window.index_at(flight.outcome_secs) == week;
                let known: Vec<(bool, bool)> = flights
                    .iter()
                    .filter(arrived)
                    .filter_map(|flight| {
                        let departed = self.spec.window.index_at(flight.departure_secs);
                        let (half, _) = deployment.model(departed);
                        Some(((late(flight, half) > 0.5), flight.late?))
                    })
                    .collect();
                if known.is_empty() {
                    continue;
                }
                let share =
                    |of: fn(&&(bool, bool)) -> bool| known.iter().filter(of).count() as f64 / known.len() as f64;
                device_weeks += 1.0;
                sums[0] += share(|(predicted, late)| predicted == late);
                sums[1] += share(|(_, late)| *late);
            }
        }
        sums.map(|sum| sum / device_weeks)
    }

    /// All reports by week.
    fn reports(&self) -> BTreeMap<WindowIndex, Vec<Vec<u8>>> {
        let mut entropy = SeededEntropy(self.seed);
        let mut reports: BTreeMap<WindowIndex, Vec<Vec<u8>>> = BTreeMap::new();
        for (device, flights) in FLIGHTS.iter() {
            let deployment = (self.deployment)(*device, flights);
            let segment = &self.spec.segments[deployment.segment];
            let mut monitor = Monitor::new(self.spec.clone(), deployment.arm, segment).expect("a segment");
            let start = self.spec.window.start_secs(self.weeks.start);
            let mut state = DeviceState::join(self.spec, start - 1, &mut entropy).expect("entropy");
            for week in self.weeks.clone() {
                let [from, to] = [self.spec.window.start_secs(week), self.spec.window.end_secs(week)];
                for (secs, place, is_outcome) in events(flights, from, to) {
                    let flight = &flights[place];
                    match (is_outcome, flight.late) {
                        (true, Some(late)) => {
                            monitor.outcome(&place.to_string(), Value::Number(f64::from(u8::from(late))), secs);
                        }
                        _ => observe(&mut monitor, flight, place, deployment.model(week)),
                    }
                }
                let now = to + 1;
                if monitor.due(&state, now) == Some(week) {
                    let answer = monitor.answer(&mut state, week, now, &mut entropy).expect("within the caps");
                    reports.entry(week).or_default().push(answer.report.encode());
                }
            }
        }
        reports
    }
}

/// Probability of a late arrival.
fn late(flight: &Flight, half: f32) -> f32 {
    1.0 / (1.0 + (-(flight.numeric[0] - half) / 6.0).exp())
}

fn observe(monitor: &mut Monitor, flight: &Flight, place: usize, (half, latency_ms): (f32, f64)) {
    let late = late(flight, half);
    let (carrier, origin, probabilities) = ([flight.carrier], [flight.origin], [1.0 - late, late]);
    let inputs = [
        ("numeric", Values::F32(&flight.numeric)),
        ("carrier", Values::I64(&carrier)),
        ("origin", Values::I64(&origin)),
    ];
    let outputs = [("probabilities", Values::F32(&probabilities))];
    let seen = Observation { inputs: &inputs, outputs: &outputs, latency_ms: Some(latency_ms), failed: false };
    monitor.observe(&seen, Some(&place.to_string()), flight.departure_secs);
}

/// Departures and outcomes of a span of time, in order.
fn events(flights: &[Flight], from: u64, to: u64) -> Vec<(u64, usize, bool)> {
    let within = |secs: u64| (from..to).contains(&secs);
    let mut events = Vec::new();
    for (place, flight) in flights.iter().enumerate() {
        if within(flight.departure_secs) {
            events.push((flight.departure_secs, place, false));
        }
        if flight.late.is_some() && within(flight.outcome_secs) {
            events.push((flight.outcome_secs, place, true));
        }
    }
    events.sort_unstable();
    events
}
