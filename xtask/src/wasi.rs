//! The plugin as a component for WASI hosts.
//!
//! rustc compiles for `wasm32-unknown-unknown`, where the standard library has no world to import, and wit-component
//! wraps the module by the description of its world, which the bindings put into it. So a component imports what `wit/`
//! says and nothing else; for `wasm32-wasip2` the library alone would bring 13 to 18 imports. What that target has and this
//! one lacks, a generator of random numbers for libraries, the plugin does not need: see `src/infer/seeds.rs`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use wit_component::ComponentEncoder;

use crate::wasm::{self, Flavour, Profile};

/// A world of `wit/`.
#[derive(Clone, Copy)]
pub(crate) struct World {
    flavour: Flavour,
    /// The profile in `Cargo.toml`, the same for tests and for what is shipped.
    profile: &'static str,
}

/// The monitor alone.
pub(crate) const CORE: World = World {
    flavour: Flavour { name: "core", features: "wasi", opt_level: Some("s"), rustflags: &[NO_NAMES] },
    profile: "pack",
};

/// The monitor and the inference engine, for which fat LTO takes minutes.
pub(crate) const FULL: World = World {
    flavour: Flavour { name: "full", features: "wasi,onnx", opt_level: None, rustflags: &[NO_NAMES, NO_ENTROPY] },
    profile: "wasm",
};

/// Every world.
pub(crate) const WORLDS: [World; 2] = [CORE, FULL];

/// Nobody reads them, and they would be a quarter of the file.
const NO_NAMES: &str = "-Cstrip=symbols";

/// Of the crate getrandom, which the inference engine links.
const NO_ENTROPY: &str = "--cfg=getrandom_backend=\"unsupported\"";

/// What hosts take, by its name.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Makes the components that tests load, in `target/wasi`.
///
/// # Errors
///
/// Cargo fails, a module is none of its world, or a file cannot be written.
pub(crate) fn build(worlds: &[World]) -> Result<()> {
    for world in worlds {
        let File { name, bytes } = component(&world.profile("target/wasi", Vec::new()), *world)?;
        let path = Path::new("target/wasi").join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        println!("    {}", path.display());
    }
    Ok(())
}

/// Makes what is shipped: the components, and the description that bindings are made from.
///
/// # Errors
///
/// Cargo fails, or a module is none of its world.
pub(crate) fn pack(rustflags: &[String]) -> Result<Vec<File>> {
    let made = |world: &World| component(&world.profile("target/pack/wasi", rustflags.to_vec()), *world);
    let mut files = WORLDS.iter().map(made).collect::<Result<Vec<_>>>()?;
    let bytes = fs::read("wit/monitor.wit").context("cannot read wit/monitor.wit")?;
    files.push(File { name: "driftglass.wit".to_owned(), bytes });
    Ok(files)
}

/// Clippy on the code of a world.
pub(crate) fn clippy(world: World) -> Command {
    wasm::look("clippy", &world.profile("target/wasi", Vec::new()), world.flavour)
}

impl World {
    /// Each world has its own directory inside `targets`.
    fn profile(self, targets: &'static str, rustflags: Vec<String>) -> Profile {
        Profile { name: self.profile, targets, rustflags, ..Profile::dev() }
    }
}

/// Compiles a world and wraps it.
fn component(profile: &Profile, world: World) -> Result<File> {
    wasm::compile(profile, world.flavour)?;
    let path = profile.compiled(world.flavour);
    let module = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut encoder = ComponentEncoder::default().validate(true).module(&module)?;
    let bytes = encoder.encode().with_context(|| format!("{} is none of its world", path.display()))?;
    Ok(File { name: format!("driftglass-{}.wasm", world.flavour.name), bytes })
}
