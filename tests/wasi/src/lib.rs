//! A host of the WASI components, on wasmtime: what their tests and benches run in.
//!
//! The host answers the one import of a component, `wasi:random`, from a source that the caller chooses: the system's
//! generator, or a script. Nothing else is there to be imported.

use std::path::{Path, PathBuf};

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Engine, Result, Store};

/// What wasmtime makes of `wit/`.
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "generated")]
pub mod world {
    wasmtime::component::bindgen!({ path: "../../wit", world: "full" });
}

use self::world::exports::driftglass::monitor::{inference, monitoring};
use self::world::wasi::random::random;

/// Fills a buffer with random bytes.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// What a component can reach: nothing but entropy.
#[allow(missing_debug_implementations, reason = "holds a function")]
pub struct Host {
    /// Where random bytes come from.
    pub entropy: Entropy,
}

impl Host {
    /// The system's generator.
    ///
    /// # Panics
    ///
    /// When the system has no entropy.
    #[must_use]
    pub fn system() -> Self {
        Self { entropy: Box::new(|buffer| getrandom::fill(buffer).expect("entropy of the system")) }
    }
}

impl random::Host for Host {
    fn get_random_bytes(&mut self, len: u64) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(len).expect("a length that fits the memory")];
        (self.entropy)(&mut bytes);
        bytes
    }

    fn get_random_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        (self.entropy)(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

/// A component that is ready to be instantiated.
#[allow(missing_debug_implementations, reason = "holds the machine")]
pub struct Prepared {
    pre: InstancePre<Host>,
    monitoring: monitoring::GuestIndices,
    inference: Option<inference::GuestIndices>,
}

impl Prepared {
    /// Links a compiled component.
    ///
    /// # Errors
    ///
    /// The component imports something else than entropy, or does not export `monitoring`.
    pub fn link(component: &Component) -> Result<Self> {
        let mut linker = Linker::new(component.engine());
        random::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
        let pre = linker.instantiate_pre(component)?;
        Ok(Self {
            monitoring: monitoring::GuestIndices::new(&pre)?,
            // The world `core` does without.
            inference: inference::GuestIndices::new(&pre).ok(),
            pre,
        })
    }

    /// Starts an instance.
    ///
    /// # Errors
    ///
    /// The component does not start.
    pub fn start(&self, host: Host) -> Result<Running> {
        let mut store = Store::new(self.pre.engine(), host);
        let instance = self.pre.instantiate(&mut store)?;
        let monitoring = self.monitoring.load(&mut store, &instance)?;
        let inference = match &self.inference {
            Some(indices) => Some(indices.load(&mut store, &instance)?),
            None => None,
        };
        Ok(Running { store, monitoring, inference })
    }
}

/// An instance.
#[allow(missing_debug_implementations, reason = "holds the machine")]
pub struct Running {
    /// Its memory, and the host that it reaches.
    pub store: Store<Host>,
    /// The monitor.
    pub monitoring: monitoring::Guest,
    /// The inference engine, in the world `full`.
    pub inference: Option<inference::Guest>,
}

/// Where `cargo xtask build --only wasi` leaves the component of a world.
#[must_use]
pub fn component(world: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/wasi/driftglass-{world}.wasm"))
}

/// Compiles a component to machine code.
///
/// # Errors
///
/// The file cannot be read or is no component.
pub fn compile(engine: &Engine, world: &str) -> Result<Component> {
    Component::from_file(engine, component(world))
}

/// Compiles a component to a file of machine code beside it, for [`load`], and returns its path.
///
/// # Errors
///
/// The file cannot be read or written, or is no component.
pub fn precompile(engine: &Engine, world: &str) -> Result<PathBuf> {
    let file = component(world).with_extension("cwasm");
    std::fs::write(&file, engine.precompile_component(&std::fs::read(component(world))?)?)?;
    Ok(file)
}

/// Maps a file that [`precompile`] wrote into memory; nothing is compiled.
///
/// # Errors
///
/// The file is of another release or configuration of wasmtime.
#[allow(unsafe_code, reason = "machine code is trusted like a program: the caller wrote the file and keeps it")]
pub fn load(engine: &Engine, file: &Path) -> Result<Component> {
    // SAFETY: the bytes are what `Engine::precompile_component` returned, and nobody else writes the file.
    unsafe { Component::deserialize_file(engine, file) }
}
