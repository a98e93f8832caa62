//! Rebuilds the crate when the pages it embeds change.

use std::path::Path;

fn main() {
    let pages = "../www/dist";
    // Cargo runs a script that watches a missing path on every build; the folder above appears first.
    let watched = if Path::new(pages).exists() { pages } else { "../www" };
    println!("cargo::rerun-if-changed={watched}");
}
