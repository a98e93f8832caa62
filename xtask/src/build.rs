//! The whole build, in the order its parts need each other.
//!
//! wasm before the TypeScript packages, since tsc reads the generated declarations; the pages before the centre, which
//! embeds them.

use anyhow::Result;
use clap::ValueEnum;

use crate::wasm::Profile;
use crate::{centre, wasi, wasm, web};

/// A part that can be built alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The plugin as WebAssembly, all flavours
    Wasm,
    /// The `core` flavour alone: without the inference engine, so it builds fast
    Core,
    /// The `seeded` flavour alone, which the vectors run on
    Seeded,
    /// The components for WASI hosts: the monitor alone, and with the inference engine
    Wasi,
    /// The component of the monitor alone, which builds fast
    WasiCore,
    /// The TypeScript packages: js, www, demo
    Web,
    /// The native binary `driftglass`
    Centre,
    /// The same with `driftglass audit` in it: takes minutes longer
    Auditor,
}

/// Builds everything.
///
/// # Errors
///
/// A step fails; those after it are not run.
pub(crate) fn all() -> Result<()> {
    wasm::build(&Profile::dev(), &wasm::FLAVOURS)?;
    wasi::build(&wasi::WORLDS)?;
    web::build()?;
    centre::build()
}

/// Builds what the demo runs: the wasm flavours that the package holds.
///
/// # Errors
///
/// A step fails; those after it are not run.
pub(crate) fn for_demo() -> Result<()> {
    wasm::build(&Profile::dev(), &wasm::SHIPPED)?;
    web::build()?;
    centre::build()
}

/// Builds one part. What it needs from the others must be there.
///
/// # Errors
///
/// A step fails; those after it are not run.
pub(crate) fn one(part: Part) -> Result<()> {
    match part {
        Part::Wasm => wasm::build(&Profile::dev(), &wasm::FLAVOURS),
        Part::Core => wasm::build(&Profile::dev(), &[wasm::CORE]),
        Part::Seeded => wasm::build(&Profile::dev(), &[wasm::SEEDED]),
        Part::Wasi => wasi::build(&wasi::WORLDS),
        Part::WasiCore => wasi::build(&[wasi::CORE]),
        Part::Web => web::build(),
        Part::Centre => centre::build(),
        Part::Auditor => centre::build_with_auditor(),
    }
}
