//! Links the wasm module so that its constructors run once.
//!
//! tract registers its kernels with `inventory`, which makes constructors. If nothing calls `__wasm_call_ctors`, wasm-ld
//! takes the module for a command and wraps *every* export in a call of all constructors: a run cost 157 µs instead of
//! a tenth of that. Exporting the function turns the wrapping off; the loader in `js/` calls it once.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("ARCH") == "wasm32" && target("OS") == "unknown" {
        println!("cargo::rustc-link-arg-cdylib=--export=__wasm_call_ctors");
    }
}
