//! The plugin as WebAssembly, with bindings.
//!
//! The bundler target of wasm-bindgen gives one plain ES module of glue, `driftglass_bg.js`, and the wasm. Its third
//! file, a wrapper that imports the wasm as a module, works in few places, so it is thrown away: the loaders in `js/`
//! instantiate by hand. The declarations of the wrapper are those of the glue and take its name.
//!
//! What is shipped is compiled by another [`Profile`] than what the demo and the tests load. Each has directories of its
//! own, so that neither overwrites the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::cargo::cargo;
use crate::step;

/// The target that rustc compiles to.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A build with its own set of features.
#[derive(Clone, Copy)]
pub(crate) struct Flavour {
    pub(crate) name: &'static str,
    pub(crate) features: &'static str,
    /// How the shipped module is optimized, where that is not as the profile says.
    pub(crate) opt_level: Option<&'static str>,
    /// Flags for rustc beside those of the profile.
    pub(crate) rustflags: &'static [&'static str],
}

/// SHA-256 as a loop: unrolled, and with vector instructions, it has twice the bytes, and a device hashes little.
const SMALL: [&str; 4] = ["--cfg", "sha2_backend=\"soft\"", "--cfg", "sha2_backend_soft=\"compact\""];

/// All but inference.
pub(crate) const CORE: Flavour = Flavour { name: "core", features: "js", opt_level: Some("z"), rustflags: &SMALL };

/// With the inference engine.
pub(crate) const FULL: Flavour = Flavour { name: "full", features: "js,onnx", opt_level: None, rustflags: &[] };

/// For tests: entropy from a seed, so that vectors can be replayed. Never shipped.
pub(crate) const SEEDED: Flavour =
    Flavour { name: "seeded", features: "js,seeded-entropy", opt_level: None, rustflags: &[] };

/// What the npm package holds.
pub(crate) const SHIPPED: [Flavour; 2] = [CORE, FULL];

/// Every flavour.
pub(crate) const FLAVOURS: [Flavour; 3] = [CORE, FULL, SEEDED];

impl Flavour {
    /// The name of its directories.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// Whether it is made for size.
    pub(crate) fn is_small(self) -> bool {
        self.opt_level.is_some()
    }

    /// The features of the plugin crate, as cargo wants them.
    pub(crate) fn features(self) -> &'static str {
        self.features
    }
}

/// How flavours are compiled, and where that leaves them.
pub(crate) struct Profile {
    /// The profile in `Cargo.toml`.
    pub(crate) name: &'static str,
    /// Holds the target directory of each flavour.
    pub(crate) targets: &'static str,
    /// Holds the bindings of each flavour.
    pub(crate) bindings: &'static str,
    /// Flags for rustc beside those of `.cargo/config.toml`.
    pub(crate) rustflags: Vec<String>,
}

impl Profile {
    /// What the demo and the tests load.
    pub(crate) fn dev() -> Self {
        Self { name: "wasm", targets: "target/wasm", bindings: "js/wasm", rustflags: Vec::new() }
    }

    /// What `cargo xtask pack` ships.
    pub(crate) fn pack(rustflags: Vec<String>) -> Self {
        Self { name: "pack", targets: "target/pack/cargo", bindings: "target/pack/bindings", rustflags }
    }

    /// Each flavour has its own directory. A cdylib has no hash in its file name, so flavours in one directory would
    /// overwrite each other and be compiled anew in every build.
    pub(crate) fn target_dir(&self, flavour: Flavour) -> String {
        format!("{}/{}", self.targets, flavour.name)
    }

    /// Where the bindings of a flavour are: the files [`KEPT`].
    pub(crate) fn bindings(&self, flavour: Flavour) -> PathBuf {
        Path::new(self.bindings).join(flavour.name)
    }

    /// What cargo makes of a flavour.
    pub(crate) fn compiled(&self, flavour: Flavour) -> PathBuf {
        Path::new(&self.target_dir(flavour)).join(TARGET).join(self.name).join("driftglass.wasm")
    }

    /// Beside the input and not beside the output, so that no package carries it.
    fn stamp(&self, flavour: Flavour) -> PathBuf {
        Path::new(&self.target_dir(flavour)).join("bindings.sha256")
    }
}

/// Compiles the flavours and generates their bindings.
///
/// # Errors
///
/// Cargo fails, the module is not one that wasm-bindgen knows, or a file cannot be written.
pub(crate) fn build(profile: &Profile, flavours: &[Flavour]) -> Result<()> {
    for &flavour in flavours {
        compile(profile, flavour)?;
        bind(profile, flavour)?;
    }
    Ok(())
}

/// Compiles a flavour, without bindings.
///
/// # Errors
///
/// Cargo fails.
pub(crate) fn compile(profile: &Profile, flavour: Flavour) -> Result<()> {
    let mut build = look("build", profile, flavour);
    step::run(&format!("wasm {} ({})", flavour.name, flavour.features), &mut build)
}

/// `cargo build` of a flavour, or another command that looks at the same code with the same flags.
pub(crate) fn look(subcommand: &str, profile: &Profile, flavour: Flavour) -> Command {
    let mut command = cargo(subcommand, &profile.target_dir(flavour));
    command.args(["--package", "driftglass", "--lib", "--target", TARGET, "--profile", profile.name]);
    command.args(["--no-default-features", "--features", flavour.features]);
    if let Some(level) = flavour.opt_level {
        command.arg("--config").arg(format!("profile.{}.opt-level={level:?}", profile.name));
    }
    let rustflags: Vec<_> =
        profile.rustflags.iter().map(String::as_str).chain(flavour.rustflags.iter().copied()).collect();
    if !rustflags.is_empty() {
        // Joined with the flags of `.cargo/config.toml`, which a variable would replace.
        command.arg("--config").arg(format!("target.{TARGET}.rustflags={rustflags:?}"));
    }
    command
}

const STEM: &str = "driftglass";
const WRAPPER: &str = "driftglass.js";
const WRAPPER_TYPES: &str = "driftglass.d.ts";
const GLUE_TYPES: &str = "driftglass_bg.d.ts";

/// The module among [`KEPT`].
pub(crate) const MODULE: &str = "driftglass_bg.wasm";

/// The files that bindings consist of.
pub(crate) const KEPT: [&str; 4] = ["driftglass_bg.js", MODULE, "driftglass_bg.wasm.d.ts", GLUE_TYPES];

/// Generates the bindings, unless those at hand came from the same bytes.
fn bind(profile: &Profile, flavour: Flavour) -> Result<()> {
    let input = profile.compiled(flavour);
    let output = profile.bindings(flavour);
    let bytes = fs::read(&input).with_context(|| format!("cannot read {}", input.display()))?;
    let stamp = fingerprint(&bytes);
    if is_current(profile, flavour, &stamp) {
        println!("    bindings in {} are current", output.display());
        return Ok(());
    }

    step::announce(&format!("bindings {}", flavour.name));
    let began = Instant::now();
    if output.exists() {
        fs::remove_dir_all(&output).with_context(|| format!("cannot empty {}", output.display()))?;
    }
    Bindgen::new()
        .bundler(true)?
        .typescript(true)
        .remove_producers_section(true)
        .out_name(STEM)
        .input_path(&input)
        .generate(&output)
        .with_context(|| format!("wasm-bindgen refused {}", input.display()))?;
    fs::remove_file(output.join(WRAPPER)).context("wasm-bindgen wrote no wrapper to remove")?;
    fs::rename(output.join(WRAPPER_TYPES), output.join(GLUE_TYPES)).context("wasm-bindgen wrote no declarations")?;
    for name in KEPT {
        fs::metadata(output.join(name)).with_context(|| format!("wasm-bindgen did not write {name}"))?;
    }
    fs::write(profile.stamp(flavour), stamp).context("cannot write the stamp of the bindings")?;
    println!("    {} in {}", step::seconds(began.elapsed()), output.display());
    Ok(())
}

/// Covers the module and this file, which holds the generator's options.
fn fingerprint(module: &[u8]) -> String {
    hex(&Sha256::new().chain_update(include_bytes!("wasm.rs")).chain_update(module).finalize())
}

fn is_current(profile: &Profile, flavour: Flavour, stamp: &str) -> bool {
    let complete = KEPT.iter().all(|name| profile.bindings(flavour).join(name).exists());
    complete && fs::read_to_string(profile.stamp(flavour)).is_ok_and(|old| old == stamp)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
