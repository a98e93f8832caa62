//! Cargo, started from inside cargo.
//!
//! `cargo run` hands its variables to xtask, and a person may have set others. Flags in the environment replace those of
//! `.cargo/config.toml`, so an inherited `RUSTFLAGS` would silently build wasm without SIMD, and an inherited target
//! would put the centre where nobody looks. They are dropped here.

use std::process::Command;

/// Where native builds go; wasm goes to `target/wasm`.
pub(crate) const NATIVE_TARGET_DIR: &str = "target";

/// Variables that change what is built or where it lands.
const DROPPED: [&str; 10] = [
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_RUSTDOCFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
];

/// What `cargo run` tells a program about its own package, true of xtask and false of what xtask builds; and what
/// would replace parts of the profiles in `Cargo.toml`.
const DROPPED_PREFIXES: [&str; 4] = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_PROFILE_"];

/// `cargo <subcommand> --locked --target-dir <target_dir>`.
pub(crate) fn cargo(subcommand: &str, target_dir: &str) -> Command {
    let mut command = bare(subcommand);
    command.args(["--locked", "--target-dir", target_dir]);
    command
}

/// `cargo <subcommand>`, for those that build nothing.
pub(crate) fn bare(subcommand: &str) -> Command {
    let mut command = Command::new("cargo");
    command.arg(subcommand);
    for name in DROPPED {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        let own = DROPPED_PREFIXES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix));
        if own {
            command.env_remove(name);
        }
    }
    command
}
