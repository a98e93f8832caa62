//! The crates that a flavour is linked from: what cargo says of the wasm target, with the flavour's features.
//!
//! `cargo tree` and not `cargo metadata`, which answers for the whole workspace and would name crates that only the
//! centre or a test uses. Macros and build scripts run on the machine that builds and are not in the module, so their
//! edges are not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};

use crate::cargo::bare;
use crate::step;
use crate::wasm::{Flavour, TARGET};

/// Name and version: unique, since all crates come from one registry or from the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What is known of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crate {
    /// An SPDX expression; none if the crate only has a licence file.
    pub(crate) license: Option<String>,
    /// SHA-256 of the crate's archive, in hexadecimal; none for members of the workspace.
    pub(crate) checksum: Option<String>,
    /// What it is linked with.
    pub(crate) dependencies: BTreeSet<Id>,
}

/// Crates by name and version.
pub(crate) type Crates = BTreeMap<Id, Crate>;

/// The crates of a flavour, the plugin itself among them.
///
/// # Errors
///
/// Cargo fails, or prints what cannot be read.
pub(crate) fn linked(flavour: Flavour) -> Result<Crates> {
    let mut command = bare("tree");
    command.args(["--locked", "--package", "driftglass", "--target", TARGET, "--features", flavour.features()]);
    command.args(["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}\t{l}"]);
    let lock = fs::read_to_string("Cargo.lock").context("cannot read Cargo.lock")?;
    parse_tree(&step::query(&mut command)?, &parse_lock(&lock))
}

/// Reads lines like `2 getrandom v0.4.3⇥MIT OR Apache-2.0 (*)`: depth, crate, licence, and a mark where children were
/// listed before.
fn parse_tree(tree: &str, checksums: &BTreeMap<Id, String>) -> Result<Crates> {
    let mut crates = Crates::new();
    let mut path: Vec<Id> = Vec::new();
    for line in tree.lines() {
        let unreadable = || format!("cargo tree printed a line that cannot be read: {line}");
        let (depth, rest) = line.split_once(' ').with_context(unreadable)?;
        let (package, license) = rest.split_once('\t').with_context(unreadable)?;
        let mut words = package.split(' ');
        let name = words.next().with_context(unreadable)?.to_owned();
        let version = words.next().and_then(|word| word.strip_prefix('v')).with_context(unreadable)?.to_owned();
        let id = Id { name, version };

        let depth: usize = depth.parse().with_context(unreadable)?;
        ensure!(depth <= path.len(), unreadable());
        path.truncate(depth);
        if let Some(parent) = path.last().and_then(|parent| crates.get_mut(parent)) {
            parent.dependencies.insert(id.clone());
        }
        crates.entry(id.clone()).or_insert_with(|| Crate {
            license: spdx(license.trim_end_matches("(*)").trim()),
            checksum: checksums.get(&id).cloned(),
            dependencies: BTreeSet::new(),
        });
        path.push(id);
    }
    Ok(crates)
}

/// The checksums of a `Cargo.lock`, which has one field a line.
fn parse_lock(lock: &str) -> BTreeMap<Id, String> {
    let packages = lock.split("[[package]]").skip(1);
    packages
        .filter_map(|package| {
            let field = |name: &str| {
                let value = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
                value.strip_suffix('"').map(str::to_owned)
            };
            Some((Id { name: field("name")?, version: field("version")? }, field("checksum")?))
        })
        .collect()
}

/// A licence as SPDX writes it. Old manifests say `/` for "or".
fn spdx(license: &str) -> Option<String> {
    (!license.is_empty()).then(|| license.split('/').map(str::trim).collect::<Vec<_>>().join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, version: &str) -> Id {
        Id { name: name.into(), version: version.into() }
    }

    const TREE: &str = "\
0 driftglass v0.1.0 (/somewhere/else)\tMIT OR Apache-2.0
1 hmac v0.13.0\tMIT/Apache-2.0
2 digest v0.11.3\tZlib
3 typenum v1.20.1\t
1 sha2 v0.11.1\tMIT
2 digest v0.11.3\tZlib (*)
";

    const LOCK: &str = r#"version = 4

[[package]]
name = "digest"
version = "0.11.3"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "0011"
dependencies = [
 "typenum",
]

[[package]]
name = "driftglass"
version = "0.1.0"
"#;

    #[test]
    fn the_tree_becomes_crates_with_edges() {
        let crates = parse_tree(TREE, &parse_lock(LOCK)).unwrap();
        assert_eq!(crates.len(), 5);
        let dependencies = |name, version| crates[&id(name, version)].dependencies.iter().cloned().collect::<Vec<_>>();
        assert_eq!(dependencies("driftglass", "0.1.0"), [id("hmac", "0.13.0"), id("sha2", "0.11.1")]);
        assert_eq!(dependencies("sha2", "0.11.1"), [id("digest", "0.11.3")]);
        assert_eq!(dependencies("digest", "0.11.3"), [id("typenum", "1.20.1")], "children of the first mention stay");
        assert_eq!(crates[&id("hmac", "0.13.0")].license.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(crates[&id("digest", "0.11.3")].license.as_deref(), Some("Zlib"));
        assert_eq!(crates[&id("typenum", "1.20.1")].license, None);
        assert_eq!(crates[&id("digest", "0.11.3")].checksum.as_deref(), Some("0011"));
        assert_eq!(crates[&id("driftglass", "0.1.0")].checksum, None);
    }

    #[test]
    fn an_unreadable_tree_is_an_error() {
        for tree in ["digest v1\tMIT", "0 digest\tMIT", "0 digest 1.0.0\tMIT", "1 digest v1.0.0\tMIT", "0 digest v1"] {
            parse_tree(tree, &BTreeMap::new()).unwrap_err();
        }
    }
}
