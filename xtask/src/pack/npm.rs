//! The npm packages that the package needs at run time, from the lock file of the workspace.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One package as the lock file pins it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
}

/// All that the package in `folder` depends on, directly or through others.
///
/// # Errors
///
/// The lock file does not name the folder, or lacks a package that another needs.
pub(crate) fn runtime(lock: &Value, folder: &str) -> Result<BTreeSet<Package>> {
    let packages = lock["packages"].as_object().context("the lock file has no packages")?;
    let mut pending = vec![folder.to_owned()];
    let (mut visited, mut found) = (BTreeSet::new(), BTreeSet::new());
    while let Some(place) = pending.pop() {
        let entry = packages.get(&place).with_context(|| format!("the lock file does not name {place}"))?;
        for name in entry["dependencies"].as_object().into_iter().flat_map(|list| list.keys()) {
            let Some(at) = resolved(&place, name).find(|at| packages.contains_key(at)) else {
                bail!("the lock file names {name}, which {place} needs, nowhere");
            };
            if visited.insert(at.clone()) {
                found.insert(package(name, &packages[&at])?);
                pending.push(at);
            }
        }
    }
    Ok(found)
}

/// Where Node looks for a package: beside the one that asks, then ever further up.
fn resolved<'a>(place: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let ups = std::iter::successors(Some(place), |place| {
        let end = place.rfind('/').unwrap_or(0);
        (!place.is_empty()).then(|| &place[..end])
    });
    ups.map(move |up| if up.is_empty() { format!("node_modules/{name}") } else { format!("{up}/node_modules/{name}") })
}

fn package(name: &str, entry: &Value) -> Result<Package> {
    let text = |field: &str| entry[field].as_str().map(str::to_owned);
    Ok(Package {
        name: name.to_owned(),
        version: text("version").with_context(|| format!("the lock file has no version of {name}"))?,
        license: text("license"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn follows_what_node_would_load() {
        let lock = json!({"packages": {
            "js": {"dependencies": {"a": "^1"}, "devDependencies": {"tool": "*"}},
            "node_modules/tool": {"version": "9.0.0"},
            "node_modules/a": {"version": "1.0.0", "license": "MIT", "dependencies": {"@s/b": "^2", "a": "*"}},
            "node_modules/@s/b": {"version": "1.0.0"},
            "node_modules/a/node_modules/@s/b": {"version": "2.0.0"},
        }});
        let found: Vec<_> = runtime(&lock, "js").unwrap().into_iter().map(|one| (one.name, one.version)).collect();
        assert_eq!(found, [("@s/b".into(), "2.0.0".into()), ("a".into(), "1.0.0".into())] as [(String, String); 2]);
    }

    #[test]
    fn a_gap_in_the_lock_file_is_an_error() {
        let lock = json!({"packages": {"js": {"dependencies": {"a": "^1"}}}});
        assert_eq!(runtime(&lock, "js").unwrap_err().to_string(), "the lock file names a, which js needs, nowhere");
        assert!(runtime(&lock, "www").is_err());
    }
}
