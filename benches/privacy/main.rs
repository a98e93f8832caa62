//! Error and time of every randomizer that shares are counted from, beside the peers: `cargo xtask bench privacy
//! [--json FILE] [--quick]`.
//!
//! | Module | Question |
//! | --- | --- |
//! | [`error`] | is n·Var what the formula says, and how near is it to the best known mechanism? |
//! | [`time`] | how long do privatizing and counting take, natively and in wasm? |
//! | [`peers`] | what do other libraries need for the same data? |
//! | [`outcome`] | targets, met or missed; the file of figures |
//!
//! A bench measures and does not judge: it ends with status 0 whatever it finds. `cargo bench --bench privacy` alone
//! runs
//! the native part; xtask builds the wasm module and the peers and says where they are.

#![allow(clippy::print_stdout, reason = "a bench prints its tables")]

mod error;
mod outcome;
mod peers;
mod time;
#[path = "../work/mod.rs"]
mod work;

use std::path::PathBuf;

use outcome::Outcome;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    /// Larger standard errors and fewer batches, to try the bench itself.
    quick: bool,
    /// Where the figures go.
    json: Option<PathBuf>,
    /// The module of `benches/wasm`.
    wasm: Option<PathBuf>,
    /// A Python with the peers.
    python: Option<PathBuf>,
    /// The program of `benches/peers/opendp`.
    opendp: Option<PathBuf>,
}

impl Options {
    fn read() -> Self {
        let mut options = Self::default();
        let mut arguments = std::env::args_os().skip(1);
        while let Some(argument) = arguments.next() {
            let place = match argument.to_str() {
                Some("--json") => &mut options.json,
                Some("--wasm") => &mut options.wasm,
                Some("--python") => &mut options.python,
                Some("--opendp") => &mut options.opendp,
                Some("--quick") => {
                    options.quick = true;
                    continue;
                }
                // Cargo adds `--bench`.
                _ => continue,
            };
            *place = arguments.next().map(PathBuf::from);
        }
        options
    }
}

fn main() {
    let options = Options::read();
    let mut outcome = Outcome::default();
    error::run(options.quick, &mut outcome);
    time::run(options.quick, options.wasm.as_deref(), &mut outcome);
    peers::run(options.quick, options.python.as_deref(), options.opendp.as_deref(), &mut outcome);
    outcome.print();
    if let Some(path) = options.json {
        match std::fs::write(&path, outcome.to_json()) {
            Ok(()) => println!("\nfigures in {}", path.display()),
            Err(error) => println!("\ncannot write {}: {error}", path.display()),
        }
    }
}
