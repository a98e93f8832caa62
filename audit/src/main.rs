//! Entry point of the auditor by itself; `driftglass audit` is the same.

use std::process::ExitCode;

fn main() -> ExitCode {
    driftglass_audit::cli::main()
}
