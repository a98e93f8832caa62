//! How long a host takes to start the components: compiled, precompiled, and until the first report.
//!
//! `cargo xtask bench wasi` runs it. Times are medians; where it says CPU, they are of the processor and do not depend
//! on what else the machine does.
#![allow(clippy::print_stdout, reason = "a table for people")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use driftglass_wasi_host::world::exports::driftglass::monitor::inference::{Elements, Tensor};
use driftglass_wasi_host::world::exports::driftglass::monitor::monitoring::{Arm, Field, Observation};
use driftglass_wasi_host::{Host, Prepared, Running, component, load, precompile};
use rustix::time::{ClockId, clock_gettime};
use wasmtime::component::ResourceAny;
use wasmtime::{Engine, Error, Result};

const SPEC: &str = include_str!("../../../pkg-config.json");
const MODEL: &[u8] = include_bytes!("../../../demo/model/late-arrival-1.onnx");
const WEEK: u64 = 604_800;
const STARTS: usize = 31;

fn main() -> Result<()> {
    // A process of its own, which does nothing but start a component and make a report.
    if let Some(file) = std::env::args_os().nth(1) {
        let prepared = Prepared::link(&load(&Engine::default(), Path::new(&file))?)?;
        return report(&mut prepared.start(Host::system())?).map(drop);
    }
    for world in ["core", "full"] {
        println!("{world}: {} bytes", std::fs::metadata(component(world))?.len());
        let engine = Engine::default();
        let (began, processor) = (Instant::now(), processor_time());
        let file = precompile(&engine, world)?;
        let (wall, processor) = (began.elapsed(), processor_time() - processor);
        println!("  compile                        {:>9} ({} CPU)", shown(wall), shown(processor));
        println!("  machine code                   {:>9} bytes", std::fs::metadata(&file)?.len());
        let mut steps = Steps::default();
        for _ in 0..STARTS {
            start(&file, &mut steps)?;
            let began = Instant::now();
            let status = Command::new(std::env::current_exe()?).arg(&file).status()?;
            steps.add("a process, to its first report", began.elapsed());
            if !status.success() {
                return Err(Error::msg("the process failed"));
            }
        }
        for (name, times) in &mut steps.0 {
            times.sort();
            println!("  {name:<30} {:>9} (best {})", shown(times[times.len() / 2]), shown(times[0]));
        }
    }
    Ok(())
}

/// What each step took in each start, in the order of the steps.
#[derive(Default)]
struct Steps(Vec<(&'static str, Vec<Duration>)>);

impl Steps {
    fn add(&mut self, name: &'static str, time: Duration) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, times)) => times.push(time),
            None => self.0.push((name, vec![time])),
        }
    }
}

/// What a host does from nothing to its first report.
fn start(file: &Path, steps: &mut Steps) -> Result<()> {
    let began = Instant::now();
    let engine = Engine::default();
    let component = load(&engine, file)?;
    steps.add("map the machine code", began.elapsed());
    let prepared = Prepared::link(&component)?;
    let mut running = prepared.start(Host::system())?;
    steps.add("… link and instantiate", began.elapsed());
    let monitor = report(&mut running)?;
    steps.add("… spec, join, first report", began.elapsed());

    let again = Instant::now();
    let other = prepared.start(Host::system())?;
    steps.add("another instance", again.elapsed());
    drop(other);
    observe(&mut running, monitor, steps)?;
    if running.inference.is_some() {
        infer(&mut running, monitor, steps)?;
    }
    Ok(())
}

/// A device that joins, and answers its first window.
fn report(running: &mut Running) -> Result<ResourceAny> {
    let calls = running.monitoring.monitor();
    let store = &mut running.store;
    let monitor = calls.call_create(&mut *store, SPEC, "all", Arm::Stable)?.map_err(refused)?;
    let state = calls.call_join(&mut *store, monitor, None, 10 * WEEK)?.map_err(refused)?;
    let now = 12 * WEEK;
    let window = calls.call_due(&mut *store, monitor, &state, now)?.map_err(refused)?;
    let window = window.ok_or_else(|| Error::msg("no window is due"))?;
    let answer = calls.call_answer(&mut *store, monitor, &state, window, now, None)?.map_err(refused)?;
    (answer.report.len() == 45).then_some(monitor).ok_or_else(|| Error::msg("a report has 45 bytes here"))
}

/// Time of a call with eleven values.
fn observe(running: &mut Running, monitor: ResourceAny, steps: &mut Steps) -> Result<()> {
    const CALLS: u32 = 1000;
    let field = |name: &str, elements| Field { name: name.to_owned(), elements };
    let seen = Observation {
        inputs: vec![
            field("numeric", Elements::Float32(vec![12.0, 18.0, 733.0, 64.9, 8.0, 0.0, 10.0, 1012.0])),
            field("carrier", Elements::Int64(vec![3])),
            field("origin", Elements::Int64(vec![1])),
        ],
        outputs: vec![field("probabilities", Elements::Float32(vec![0.9, 0.1]))],
        latency_ms: Some(0.3),
        failed: false,
    };
    let calls = running.monitoring.monitor();
    let began = Instant::now();
    for _ in 0..CALLS {
        calls.call_observe(&mut running.store, monitor, &seen, None, 12 * WEEK)?;
    }
    steps.add("observe", began.elapsed() / CALLS);
    Ok(())
}

/// A model that is loaded, prepared by its first run, and run again.
fn infer(running: &mut Running, monitor: ResourceAny, steps: &mut Steps) -> Result<()> {
    const RUNS: u32 = 100;
    let inference = running.inference.as_ref().ok_or_else(|| Error::msg("no inference engine"))?;
    let store = &mut running.store;
    let tensor = |name: &str, dims: &[u32], elements| Tensor { name: name.to_owned(), dims: dims.to_vec(), elements };
    let feeds = [
        tensor("numeric", &[1, 8], Elements::Float32(vec![12.0, 18.0, 733.0, 64.9, 8.0, 0.0, 10.0, 1012.0])),
        tensor("carrier", &[1], Elements::Int64(vec![3])),
        tensor("origin", &[1], Elements::Int64(vec![1])),
    ];
    let began = Instant::now();
    let session = inference.session().call_load(&mut *store, MODEL)?.map_err(refused)?;
    steps.add("load the demo's model", began.elapsed());
    let mut once = || -> Result<()> {
        let run = inference.session().call_run(&mut *store, session, &feeds)?.map_err(refused)?;
        inference.run().call_observe(&mut *store, run, monitor, &[], None, 12 * WEEK)?.map_err(refused)?;
        inference.run().call_outputs(&mut *store, run)?.map_err(refused)?;
        run.resource_drop(&mut *store)
    };
    once()?;
    steps.add("… its first run", began.elapsed());
    let began = Instant::now();
    for _ in 0..RUNS {
        once()?;
    }
    steps.add("a run, observed", began.elapsed() / RUNS);
    Ok(())
}

fn refused(error: impl std::fmt::Debug) -> Error {
    Error::msg(format!("the component refused: {error:?}"))
}

/// Processor time of this process, all threads together.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn shown(time: Duration) -> String {
    let secs = time.as_secs_f64();
    match secs {
        1.0.. => format!("{secs:.1} s"),
        0.001.. => format!("{:.2} ms", secs * 1e3),
        _ => format!("{:.2} µs", secs * 1e6),
    }
}
