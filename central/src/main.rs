//! Entry point of the centre.

use std::process::ExitCode;

fn main() -> ExitCode {
    driftglass_central::cli::main()
}
