//! Components that were compiled once for all tests.

use std::sync::OnceLock;

use driftglass_wasi_host::{Host, Prepared, Running, compile, component};
use wasmtime::component::Component;
use wasmtime::{Config, Engine, OptLevel};

/// The worlds of `wit/`.
pub(crate) const WORLDS: [&str; 2] = ["core", "full"];

/// The compiled component of a world.
pub(crate) fn compiled(world: &str) -> &'static Component {
    static COMPILED: [OnceLock<Component>; 2] = [OnceLock::new(), OnceLock::new()];
    let place = WORLDS.iter().position(|name| *name == world).expect("a world");
    COMPILED[place].get_or_init(|| {
        let file = component(world);
        let hint = "build it with `cargo xtask build --only wasi`";
        // Nothing here is timed, and compiling `full` is most of the work.
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::None);
        let engine = Engine::new(&config).expect("an engine");
        compile(&engine, world).unwrap_or_else(|error| panic!("{}: {error:#}; {hint}", file.display()))
    })
}

/// An instance with the system's entropy.
pub(crate) fn start(world: &str) -> Running {
    start_with(world, Host::system())
}

/// An instance with a host.
pub(crate) fn start_with(world: &str, host: Host) -> Running {
    Prepared::link(compiled(world)).and_then(|prepared| prepared.start(host)).expect("a component that starts")
}
