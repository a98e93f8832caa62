//! The bill of materials: CycloneDX 1.6 as JSON, about what is inside the package.
//!
//! The package depends on its modules, a module on the crates that it is linked from. The tools that made it are named
//! with their versions, since others would make other bytes. There is no serial number and no time, so that equal
//! packages have equal bills.
//!
//! Written with `serde_json`: the crate `cyclonedx-bom` brings fifty others, which each demo on a new machine would
//! compile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::crates::Id;
use super::{Module, npm};

/// All that the bill names.
pub(crate) struct Materials<'a> {
    /// `package.json` of the package.
    pub(crate) manifest: &'a Value,
    pub(crate) modules: &'a [Module],
    /// What npm installs beside the package.
    pub(crate) npm: &'a BTreeSet<npm::Package>,
    /// Names and versions of what made it.
    pub(crate) tools: &'a [(&'static str, String)],
    /// Release of the Rust standard library, which each module holds.
    pub(crate) rust: &'a str,
}

/// The bill as JSON.
pub(crate) fn cyclonedx(materials: &Materials<'_>) -> Value {
    let text = |field: &str| materials.manifest[field].as_str().unwrap_or_default();
    let package = format!("pkg:npm/{}@{}", text("name"), text("version"));
    let std = format!("pkg:generic/rust-std@{}", materials.rust);
    let mut components = BTreeMap::new();
    let mut dependencies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();

    let standard_library = library(&std, "rust-std", materials.rust, Some("MIT OR Apache-2.0"), None);
    components.insert(std.clone(), standard_library);
    for module in materials.modules {
        let file = format!("file:{}", module.path);
        components.insert(file.clone(), module_component(&file, module));
        dependencies.entry(package.clone()).or_default().insert(file.clone());
        dependencies.entry(file.clone()).or_default().insert(std.clone());
        for (id, one) in &module.crates {
            let purl = crate_purl(id);
            let (license, checksum) = (one.license.as_deref(), one.checksum.as_deref());
            components.insert(purl.clone(), library(&purl, &id.name, &id.version, license, checksum));
            dependencies.entry(file.clone()).or_default().insert(purl.clone());
            dependencies.entry(purl).or_default().extend(one.dependencies.iter().map(crate_purl));
        }
    }
    for one in materials.npm {
        let purl = format!("pkg:npm/{}@{}", one.name.replacen('@', "%40", 1), one.version);
        components.insert(purl.clone(), library(&purl, &one.name, &one.version, one.license.as_deref(), None));
        dependencies.entry(package.clone()).or_default().insert(purl);
    }

    let main = library(&package, text("name"), text("version"), Some(text("license")), None);
    let tools: Vec<Value> = materials
        .tools
        .iter()
        .map(|(name, version)| json!({"type": "application", "name": name, "version": version}))
        .collect();
    let dependencies: Vec<Value> =
        dependencies.into_iter().map(|(from, on)| json!({"ref": from, "dependsOn": on})).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"tools": {"components": tools}, "component": main},
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies,
    })
}

fn crate_purl(id: &Id) -> String {
    // The only character of a version that a package URL escapes.
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

fn library(purl: &str, name: &str, version: &str, license: Option<&str>, sha256: Option<&str>) -> Value {
    let mut component = json!({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl});
    if let Some(license) = license {
        component["licenses"] = json!([{"expression": license}]);
    }
    if let Some(sha256) = sha256 {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sha256}]);
    }
    component
}

fn module_component(reference: &str, module: &Module) -> Value {
    json!({
        "type": "file",
        "bom-ref": reference,
        "name": module.path,
        "hashes": [{"alg": "SHA-256", "content": module.sha256}],
    })
}

#[cfg(test)]
mod tests {
    use super::super::Sizes;
    use super::super::crates::{Crate, Crates};
    use super::*;

    fn id(name: &str, version: &str) -> Id {
        Id { name: name.into(), version: version.into() }
    }

    fn krate(license: &str, checksum: Option<&str>, dependencies: &[Id]) -> Crate {
        Crate {
            license: Some(license.into()),
            checksum: checksum.map(str::to_owned),
            dependencies: dependencies.iter().cloned().collect(),
        }
    }

    fn bill() -> Value {
        let manifest = json!({"name": "driftglass", "version": "0.1.0", "license": "MIT OR Apache-2.0"});
        let dual = "MIT OR Apache-2.0";
        let crates = Crates::from([
            (id("driftglass", "0.1.0"), krate(dual, None, &[id("prost", "1.0.0+spec")])),
            (id("prost", "1.0.0+spec"), krate(dual, Some(&"ab".repeat(32)), &[])),
        ]);
        let path = "dist/full.wasm".to_owned();
        let sizes = Sizes { raw: 3, gzip: 2, brotli: 1 };
        let modules = [Module { path, sha256: "cd".repeat(32), spec_id: "ef".repeat(32), sizes, crates }];
        let one = npm::Package { name: "@scope/a".into(), version: "2.0.0".into(), license: Some("ISC".into()) };
        let npm = BTreeSet::from([one]);
        let tools = [("rustc", "1.95.0".to_owned())];
        cyclonedx(&Materials { manifest: &manifest, modules: &modules, npm: &npm, tools: &tools, rust: "1.95.0" })
    }

    fn strings<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
        list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap()).collect()
    }

    #[test]
    fn names_every_material_once() {
        let bill = bill();
        assert_eq!(
            strings(&bill["components"], "bom-ref"),
            [
                "file:dist/full.wasm",
                "pkg:cargo/driftglass@0.1.0",
                "pkg:cargo/prost@1.0.0%2Bspec",
                "pkg:generic/rust-std@1.95.0",
                "pkg:npm/%40scope/a@2.0.0",
            ]
        );
        assert_eq!(bill["components"][2]["hashes"], json!([{"alg": "SHA-256", "content": "ab".repeat(32)}]));
        assert_eq!(bill["components"][1].get("hashes"), None);
    }

    #[test]
    fn says_what_is_linked_into_what() {
        let bill = bill();
        let on = |from: &str| {
            let all = bill["dependencies"].as_array().unwrap();
            all.iter().find(|one| one["ref"] == from).unwrap()["dependsOn"].clone()
        };
        assert_eq!(on("pkg:npm/driftglass@0.1.0"), json!(["file:dist/full.wasm", "pkg:npm/%40scope/a@2.0.0"]));
        assert_eq!(
            on("file:dist/full.wasm"),
            json!(["pkg:cargo/driftglass@0.1.0", "pkg:cargo/prost@1.0.0%2Bspec", "pkg:generic/rust-std@1.95.0"])
        );
        assert_eq!(on("pkg:cargo/driftglass@0.1.0"), json!(["pkg:cargo/prost@1.0.0%2Bspec"]));
    }

    /// The required fields of bom-1.6.schema.json: of the document, of components, tools, hashes and dependencies.
    #[test]
    fn has_the_fields_that_the_schema_requires() {
        let bill = bill();
        assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
        assert!(bill["version"].as_u64().is_some_and(|version| version >= 1));
        let mut components: Vec<&Value> = bill["components"].as_array().unwrap().iter().collect();
        components.push(&bill["metadata"]["component"]);
        components.extend(bill["metadata"]["tools"]["components"].as_array().unwrap());
        for component in &components {
            assert!(["library", "application", "file"].contains(&component["type"].as_str().unwrap()));
            assert!(!component["name"].as_str().unwrap().is_empty());
            for hash in component["hashes"].as_array().into_iter().flatten() {
                let content = hash["content"].as_str().unwrap();
                assert_eq!((&hash["alg"], content.len()), (&json!("SHA-256"), 64));
                assert!(content.bytes().all(|byte| byte.is_ascii_hexdigit()));
            }
        }
        let references: BTreeSet<&str> = components.iter().filter_map(|one| one["bom-ref"].as_str()).collect();
        for dependency in bill["dependencies"].as_array().unwrap() {
            assert!(references.contains(dependency["ref"].as_str().unwrap()));
            for on in dependency["dependsOn"].as_array().unwrap() {
                assert!(references.contains(on.as_str().unwrap()), "{on} is no component");
            }
        }
    }
}
