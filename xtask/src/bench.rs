//! The benches: each prints its own table. Only those that have a bound fail for what they measure: `wrap`, `page`, and the
//! levels of `drift --calibration`.
//!
//! `bench privacy` runs the four of the privacy core. For the first it makes what a bench cannot make for itself: the
//! wasm module of the same loops, and the peers. A peer that does
//! not install is named with the reason, and the table stands without it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::cargo::{NATIVE_TARGET_DIR, cargo};
use crate::wasm::{CORE, TARGET};
use crate::{build, pack, setup, step, wasi, wasm, web};

/// What to measure.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Error and time of randomizers, peers, accounting, square wave, anchored bit
    Privacy,
    /// Calibration, power, delay and time of the drift tests
    Drift,
    /// What `monitor.wrap` adds to a call of onnxruntime-web
    Wrap,
    /// How long a WASI host takes to start the components
    Wasi,
    /// What watching costs a page, through the worker and without, in three browsers
    Page,
    /// The core module from nothing to its first report, beside other modules, in Node and Chromium; observing
    Core,
}

/// How to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// What to measure
    #[arg(value_enum)]
    subject: Subject,
    /// Also write the figures of randomizers and peers to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fewer repetitions, to try the bench itself
    #[arg(long)]
    quick: bool,
    /// Leave out other libraries, which take minutes to install
    #[arg(long)]
    no_peers: bool,
    /// Of drift: only whether tests keep their level
    #[arg(long)]
    calibration: bool,
    /// Of drift: only what tests find, and how soon
    #[arg(long)]
    power: bool,
    /// Of drift: only how long they take
    #[arg(long)]
    time: bool,
}

impl Options {
    /// With paths that hold wherever xtask goes.
    ///
    /// # Errors
    ///
    /// A path cannot be resolved.
    pub(crate) fn resolved(mut self) -> Result<Self> {
        if let Some(path) = &mut self.json {
            *path = std::path::absolute(&*path).context("cannot resolve the path of --json")?;
        }
        Ok(self)
    }
}

/// Runs the benches of a subject.
///
/// # Errors
///
/// A bench does not compile or crashes, or finds a level that is not as asked.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::toolchain()?;
    match options.subject {
        Subject::Privacy => privacy(options)?,
        Subject::Drift => drift(options)?,
        Subject::Wrap => wrap(options)?,
        Subject::Wasi => wasi()?,
        Subject::Page => page(options)?,
        Subject::Core => core(options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Plain and watched calls in turn; fails above its bound.
fn wrap(options: &Options) -> Result<()> {
    setup::npm_packages(Path::new("tests/adapters"))?;
    build::all()?;
    let mut bench = Command::new("node");
    bench.arg("tests/adapters/overhead.mjs");
    if options.quick {
        bench.arg("--quick");
    }
    step::run("bench wrap", &mut bench)
}

/// Fails if a call costs the page more than its budget.
fn page(options: &Options) -> Result<()> {
    let chromium = setup::engines()?;
    wasm::build(&wasm::Profile::dev(), &[wasm::CORE, wasm::FULL])?;
    step::run("js", web::npm().args(["run", "--silent", "build", "--workspace", "js"]))?;
    let mut bench = Command::new("node");
    bench.arg("benches/page/main.mjs").env("CHROMIUM", chromium);
    if options.quick {
        bench.arg("--quick");
    }
    if let Some(path) = &options.json {
        bench.arg("--json").arg(path);
    }
    step::run("bench page", &mut bench)
}

/// The components as they ship.
fn wasi() -> Result<()> {
    wasi::build(&wasi::WORLDS)?;
    let mut bench = cargo("run", NATIVE_TARGET_DIR);
    bench.args(["--package", "driftglass-wasi-host"]);
    step::run("bench wasi", &mut bench)
}

/// The module as it is shipped. Without a browser the table says so.
fn core(options: &Options) -> Result<()> {
    pack::module(CORE)?;
    setup::npm_packages(Path::new("benches/core"))?;
    let mut bench = Command::new("node");
    bench.arg("benches/core/main.mjs");
    if options.quick {
        bench.arg("--quick");
    }
    match setup::browser() {
        Ok(chromium) => drop(bench.env("CHROMIUM", chromium)),
        Err(reason) => println!("    without pages: {reason:#}"),
    }
    step::run("bench core", &mut bench)
}

fn privacy(options: &Options) -> Result<()> {
    for name in ["privacy", "accounting", "square_wave", "anchored"].into_iter().filter(|name| exists(name)) {
        let mut bench = cargo("bench", NATIVE_TARGET_DIR);
        bench.args(["--package", "driftglass", "--bench", name, "--"]);
        if options.quick {
            bench.arg("--quick");
        }
        if name == "privacy" {
            prepare(options, &mut bench);
        }
        step::run(&format!("bench {name}"), &mut bench)?;
    }
    Ok(())
}

fn drift(options: &Options) -> Result<()> {
    let mut bench = cargo("bench", NATIVE_TARGET_DIR);
    bench.args(["--package", "driftglass", "--bench", "drift", "--"]);
    let flags = [
        ("--quick", options.quick),
        ("--calibration", options.calibration),
        ("--power", options.power),
        ("--time", options.time),
    ];
    bench.args(flags.iter().filter(|(_, given)| *given).map(|(flag, _)| flag));
    if !options.no_peers {
        match python() {
            Ok(path) => drop(bench.arg("--python").arg(path)),
            Err(reason) => println!("    left out: {reason:#}"),
        }
    }
    step::run("bench drift", &mut bench)
}

fn exists(bench: &str) -> bool {
    Path::new("benches").join(bench).with_extension("rs").exists()
        || Path::new("benches").join(bench).join("main.rs").exists()
}

/// Makes the parts of the privacy bench and tells it where they are. What cannot be made is left out.
fn prepare(options: &Options, bench: &mut Command) {
    let mut part = |flag: &str, made: Result<PathBuf>| match made {
        Ok(path) => {
            bench.arg(flag).arg(path);
        }
        Err(reason) => println!("    left out: {reason:#}"),
    };
    part("--wasm", wasm());
    if !options.no_peers {
        part("--python", python());
        part("--opendp", opendp());
    }
    if let Some(path) = &options.json {
        bench.arg("--json").arg(path);
    }
}

/// The loops as WebAssembly, with the profile that ships.
fn wasm() -> Result<PathBuf> {
    const DIR: &str = "target/wasm/bench";
    let mut command = cargo("build", DIR);
    command.args(["--package", "driftglass-bench-wasm", "--target", TARGET, "--profile", "wasm"]);
    step::run("wasm bench", &mut command)?;
    Ok(Path::new(DIR).join(TARGET).join("wasm/driftglass_bench_wasm.wasm"))
}

/// A Python of its own with the peers that are written in it.
fn python() -> Result<PathBuf> {
    const DIR: &str = "target/bench-venv";
    let python = Path::new(DIR).join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        step::run("Python for peers", Command::new("python3").args(["-m", "venv", DIR]))?;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--requirement", "benches/peers/requirements.txt"]);
    step::run("peers from PyPI", &mut pip)?;
    Ok(python)
}

/// The peer from crates.io, in a workspace of its own: nothing of ours depends on it.
fn opendp() -> Result<PathBuf> {
    const DIR: &str = "target/bench-opendp";
    let mut command = cargo("build", DIR);
    command.args(["--release", "--manifest-path", "benches/peers/opendp/Cargo.toml"]);
    step::run("peer opendp", &mut command)?;
    Ok(Path::new(DIR).join("release/driftglass-peer-opendp"))
}
