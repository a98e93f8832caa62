//! The demo's model in the component against onnxruntime (PyPI, computed once; `demo/prepare.py` writes the values),
//! and runs that are observed where they are made.

use std::io::Read;

use driftglass_wasi_host::Running;
use driftglass_wasi_host::world::exports::driftglass::monitor::inference::{
    ElementType, Elements, InferenceError, Tensor,
};
use driftglass_wasi_host::world::exports::driftglass::monitor::monitoring::{Arm, Error, OutcomeValue};
use driftglass_wasi_host::world::exports::driftglass::monitor::types::Refusal;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use wasmtime::component::ResourceAny;

use crate::pipeline::{SPEC, WEEK};
use crate::running::start;

const MODEL: &[u8] = include_bytes!("../../../../demo/model/late-arrival-1.onnx");
const FLIGHTS: &[u8] = include_bytes!("../../../../demo/data/flights.csv.gz");
const EXPECTED: &[u8] = include_bytes!("../../../../demo/model/expected-outputs.json.gz");

fn unzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
    text
}

/// The inputs of one flight.
struct Flight {
    numeric: Vec<f32>,
    carrier: i64,
    origin: i64,
}

/// Flights by their row, as many as asked for.
fn flights(rows: &[usize]) -> Vec<Flight> {
    const NUMERIC: [&str; 8] = ["dep_delay", "hour", "distance", "temp", "wind_speed", "precip", "visib", "pressure"];
    let text = unzip(FLIGHTS);
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let place = |name: &str| names.iter().position(|given| *given == name).expect("a column");
    let all: Vec<&str> = lines.collect();
    let flight = |row: &usize| {
        let cells: Vec<&str> = all[*row].split(',').collect();
        // An empty cell is missing, which the model takes as NaN.
        let number = |name: &str| cells[place(name)].parse::<f64>().map_or(f32::NAN, |number| number as f32);
        let code = |name: &str| cells[place(name)].parse().expect("an integer");
        Flight { numeric: NUMERIC.map(number).to_vec(), carrier: code("carrier"), origin: code("origin") }
    };
    rows.iter().map(flight).collect()
}

fn feeds(flights: &[Flight]) -> Vec<Tensor> {
    let tensor = |name: &str, dims: &[u32], elements| Tensor { name: name.to_owned(), dims: dims.to_vec(), elements };
    let rows = flights.len() as u32;
    // Not in the order of the model: feeds go by name.
    vec![
        tensor("origin", &[rows], Elements::Int64(flights.iter().map(|flight| flight.origin).collect())),
        tensor("carrier", &[rows], Elements::Int64(flights.iter().map(|flight| flight.carrier).collect())),
        tensor("numeric", &[rows, 8], Elements::Float32(flights.iter().flat_map(|f| f.numeric.clone()).collect())),
    ]
}

/// An instance with a loaded model.
struct Loaded {
    running: Running,
    session: ResourceAny,
}

impl Loaded {
    fn of(onnx: &[u8]) -> Result<Self, InferenceError> {
        let mut running = start("full");
        let calls = running.inference.as_ref().expect("the world full").session();
        let session = calls.call_load(&mut running.store, onnx).expect("no trap")?;
        Ok(Self { running, session })
    }

    fn run(&mut self, feeds: &[Tensor]) -> Result<ResourceAny, InferenceError> {
        let calls = self.running.inference.as_ref().expect("the world full").session();
        calls.call_run(&mut self.running.store, self.session, feeds).expect("no trap")
    }

    fn outputs(&mut self, run: ResourceAny) -> Result<Vec<Tensor>, InferenceError> {
        let calls = self.running.inference.as_ref().expect("the world full").run();
        calls.call_outputs(&mut self.running.store, run).expect("no trap")
    }

    fn monitor(&mut self, spec: &str) -> ResourceAny {
        let calls = self.running.monitoring.monitor();
        calls.call_create(&mut self.running.store, spec, "all", Arm::Stable).expect("no trap").expect("a valid spec")
    }

    fn observe(&mut self, run: ResourceAny, monitor: ResourceAny, keys: &[String], now: u64) -> Result<(), Error> {
        let calls = self.running.inference.as_ref().expect("the world full").run();
        calls.call_observe(&mut self.running.store, run, monitor, keys, Some(8.0), now).expect("no trap")
    }

    fn counts(&mut self, monitor: ResourceAny, metric: &str, window: u32) -> Vec<u32> {
        let calls = self.running.monitoring.monitor();
        let profile = calls.call_inspect(&mut self.running.store, monitor, window, None).expect("no trap");
        profile.metrics.into_iter().find(|view| view.name == metric).expect("a metric").counts
    }
}

fn floats(outputs: &[Tensor]) -> &[f32] {
    match &outputs[0].elements {
        Elements::Float32(floats) => floats,
        other => panic!("{other:?}"),
    }
}

#[test]
fn outputs_equal_those_of_onnxruntime_on_1000_flights() {
    let expected: Value = serde_json::from_str(&unzip(EXPECTED)).expect("JSON");
    let hash: String = Sha256::digest(MODEL).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(expected["model_sha256"], hash.as_str(), "the values belong to this model");
    let rows: Vec<usize> = serde_json::from_value(expected["rows"].clone()).expect("rows");
    let values: Vec<[f64; 2]> = serde_json::from_value(expected["probabilities"].clone()).expect("probabilities");
    assert_eq!(rows.len(), 1000);

    let mut loaded = Loaded::of(MODEL).expect("a model");
    let mut largest = 0.0_f64;
    for (flight, value) in flights(&rows).into_iter().zip(values) {
        let run = loaded.run(&feeds(&[flight])).expect("inputs that fit");
        let outputs = loaded.outputs(run).expect("a run");
        assert_eq!((outputs[0].name.as_str(), &outputs[0].dims[..]), ("probabilities", &[1, 2][..]));
        for (ours, theirs) in floats(&outputs).iter().zip(value) {
            largest = largest.max((f64::from(*ours) - theirs).abs());
        }
        run.resource_drop(&mut loaded.running.store).expect("a run");
    }
    assert!(largest < 1e-5, "largest difference: {largest}");
}

#[test]
fn a_session_describes_its_model() {
    let mut loaded = Loaded::of(MODEL).expect("a model");
    let calls = loaded.running.inference.as_ref().expect("the world full").session();
    let store = &mut loaded.running.store;
    assert_eq!(calls.call_sha256(&mut *store, loaded.session).expect("no trap"), &Sha256::digest(MODEL)[..]);
    let inputs = calls.call_inputs(&mut *store, loaded.session).expect("no trap");
    let inputs: Vec<_> = inputs.iter().map(|input| (input.name.as_str(), &input.dims[..])).collect();
    assert_eq!(inputs[0], ("numeric", &[None, Some(8)][..]));
    let types = calls.call_input_types(&mut *store, loaded.session).expect("no trap");
    assert_eq!(types, [ElementType::Float32, ElementType::Int64, ElementType::Int64]);
    assert_eq!(calls.call_outputs(&mut *store, loaded.session).expect("no trap"), ["probabilities"]);
}

#[test]
fn each_row_of_a_batch_is_observed() {
    let mut loaded = Loaded::of(MODEL).expect("a model");
    let monitor = loaded.monitor(SPEC);
    let run = loaded.run(&feeds(&flights(&[0, 1, 2, 3]))).expect("inputs that fit");
    let keys = ["a".to_owned(), "b".to_owned()];
    loaded.observe(run, monitor, &keys, 11 * WEEK).expect("a model of the spec");
    assert_eq!(loaded.counts(monitor, "prediction", 11).iter().sum::<u32>(), 4);
    assert_eq!(loaded.counts(monitor, "origin", 11).iter().sum::<u32>(), 4);
    // Eight milliseconds for four rows: the cell from 1 to 10.
    assert_eq!(loaded.counts(monitor, "latency", 11), [0, 0, 4, 0, 0]);
    let calls = loaded.running.monitoring.monitor();
    for (key, waits) in [("a", true), ("b", true), ("c", false)] {
        let value = OutcomeValue::Text("late".to_owned());
        let joined = calls.call_outcome(&mut loaded.running.store, monitor, key, &value, 11 * WEEK);
        assert_eq!(joined.expect("no trap"), waits, "{key}");
    }
}

#[test]
fn a_model_that_the_spec_does_not_list_is_not_observed() {
    let mut loaded = Loaded::of(MODEL).expect("a model");
    let other = SPEC.replace("\"sha256\": \"4905", "\"sha256\": \"5905");
    let monitor = loaded.monitor(&other);
    let run = loaded.run(&feeds(&flights(&[0]))).expect("inputs that fit");
    let refused = loaded.observe(run, monitor, &[], 11 * WEEK);
    assert!(matches!(refused, Err(Error::ModelRefused(Refusal::NotListed))));
    assert_eq!(loaded.counts(monitor, "prediction", 11).iter().sum::<u32>(), 0);
}

#[test]
fn inputs_that_do_not_fit_are_refused_with_what_they_must_be() {
    let mut loaded = Loaded::of(MODEL).expect("a model");
    let good = || feeds(&flights(&[0]));
    let mut missing = good();
    missing.remove(0);
    let Err(InferenceError::MissingInput(fault)) = loaded.run(&missing) else { panic!("an input is missing") };
    assert_eq!((fault.name.as_str(), fault.rule.as_str()), ("origin", "input \"origin\" is missing"));
    let mut retyped = good();
    retyped[0].elements = Elements::Float32(vec![1.0]);
    let Err(InferenceError::WrongType(fault)) = loaded.run(&retyped) else { panic!("no integers") };
    assert_eq!(fault.rule, "input \"origin\" must be int64");
    let mut reshaped = good();
    reshaped[2].dims = vec![1, 7];
    let run = loaded.run(&reshaped).expect("a run that failed");
    let Err(InferenceError::WrongShape(fault)) = loaded.outputs(run) else { panic!("seven of eight elements") };
    assert_eq!(fault.name, "numeric");
    let run = loaded.run(&good()).expect("inputs that fit");
    assert!(loaded.outputs(run).is_ok(), "a session outlives what it refused");
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    for bytes in [&[][..], &[7; 100], &MODEL[..1000], b"model"] {
        assert!(matches!(Loaded::of(bytes), Err(InferenceError::Unreadable | InferenceError::Unsupported)));
    }
}

/// The only entropy of a component is the host's, and operators that draw get none but by a seed.
#[test]
fn a_model_that_draws_random_numbers_runs() {
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let mut loaded = Loaded::of(&noise::model()).expect("a model");
        let feed = Tensor { name: "x".to_owned(), dims: vec![4], elements: Elements::Float32(vec![10.0; 4]) };
        for _ in 0..2 {
            let run = loaded.run(std::slice::from_ref(&feed)).expect("inputs that fit");
            let outputs = loaded.outputs(run).expect("a run");
            assert!(floats(&outputs).iter().all(|value| (10.0..11.0).contains(value)));
            drawn.push(floats(&outputs).to_vec());
        }
    }
    for (place, numbers) in drawn.iter().enumerate() {
        assert!(!drawn[..place].contains(numbers), "each run and each session draws anew");
    }
}

/// An ONNX file, field by field: y = x + RandomUniform(), without a seed.
mod noise {
    fn varint(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 127 {
            bytes.push(value as u8 & 127 | 128);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    /// Field `number` with an integer.
    fn integer(number: u64, value: u64) -> Vec<u8> {
        [varint(number << 3), varint(value)].concat()
    }

    /// Field `number` with bytes.
    fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
        [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
    }

    fn node(inputs: &[&str], output: &str, operator: &str, attribute: &[u8]) -> Vec<u8> {
        let inputs = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
        let rest = [field(2, output.as_bytes()), field(3, output.as_bytes()), field(4, operator.as_bytes())];
        field(1, &[inputs, rest.concat(), attribute.to_vec()].concat())
    }

    /// A tensor of four 32-bit floats.
    fn value(name: &str) -> Vec<u8> {
        let shape = field(2, &field(1, &integer(1, 4)));
        [field(1, name.as_bytes()), field(2, &field(1, &[integer(1, 1), shape].concat()))].concat()
    }

    pub(super) fn model() -> Vec<u8> {
        const INTS: u64 = 7;
        let shape = field(5, &[field(1, b"shape"), integer(8, 4), integer(20, INTS)].concat());
        let graph = [
            node(&[], "r", "RandomUniform", &shape),
            node(&["x", "r"], "y", "Add", &[]),
            field(2, b"noise"),
            field(11, &value("x")),
            field(12, &value("y")),
        ];
        [integer(1, 8), field(7, &graph.concat()), field(8, &integer(2, 17))].concat()
    }
}
