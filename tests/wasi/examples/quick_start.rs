//! The quick start of `docs/wasi.md`: from nothing to the first report.
#![allow(clippy::print_stdout, reason = "an example")]
#![allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "generated")]

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Result, Store};

wasmtime::component::bindgen!({ path: "../../wit", world: "core" });
use exports::driftglass::monitor::monitoring::{Arm, Elements, Field, Observation};

/// Entropy is all that the component asks of its host.
struct Host;

impl wasi::random::random::Host for Host {
    fn get_random_bytes(&mut self, len: u64) -> Vec<u8> {
        let mut bytes = vec![0; len as usize];
        getrandom::fill(&mut bytes).expect("entropy of the system");
        bytes
    }

    fn get_random_u64(&mut self) -> u64 {
        getrandom::u64().expect("entropy of the system")
    }
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasi::random::random::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
    let component = Component::from_file(&engine, "target/wasi/driftglass-core.wasm")?;
    let mut store = Store::new(&engine, Host);
    let core = Core::instantiate(&mut store, &component, &linker)?;
    let monitors = core.driftglass_monitor_monitoring().monitor();

    const WEEK: u64 = 604_800;
    let spec = std::fs::read_to_string("pkg-config.json")?;
    let monitor = monitors.call_create(&mut store, &spec, "all", Arm::Stable)?.expect("a valid spec");
    let state = monitors.call_join(&mut store, monitor, None, 10 * WEEK)?.expect("entropy");
    let input = Field { name: "numeric".into(), elements: Elements::Float32(vec![12.0, 18.0, 733.0, 64.9]) };
    let seen = Observation { inputs: vec![input], outputs: vec![], latency_ms: None, failed: false };
    monitors.call_observe(&mut store, monitor, &seen, None, 11 * WEEK)?;
    let answer = monitors.call_answer(&mut store, monitor, &state, 11, 12 * WEEK, None)?.expect("window 11 is due");
    // Commit `answer.state` and `answer.report` in one transaction; then the report may be sent.
    println!("{} bytes about window {}", answer.report.len(), answer.window);
    Ok(())
}
