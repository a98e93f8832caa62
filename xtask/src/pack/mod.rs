//! The npm package as a tarball that anyone can make again, byte by byte.
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`paths`] | no path of this machine in what is shipped |
//! | [`optimize`] | wasm-opt, pinned |
//! | [`snip`](mod@snip) | before it: what is there only for the texts of panics |
//! | [`crates`](mod@crates) | the crates that a module is linked from |
//! | [`npm`] | what npm installs beside the package |
//! | [`lint`](mod@lint) | publint and Are The Types Wrong |
//! | [`sbom`] | both as a bill of materials |
//! | [`stage`] | the files of the package, collected |
//! | [`tarball`](mod@tarball) | tar and gzip without time, owner and order of their own |
//! | [`verify`](mod@verify) | the same again elsewhere |

mod crates;
mod lint;
mod npm;
mod optimize;
mod paths;
mod sbom;
mod snip;
mod stage;
mod tarball;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::crates::Crates;
use self::sbom::Materials;
use self::stage::STAGE;
use self::tarball::Strength;
use crate::wasm::{self, Flavour, Profile, SHIPPED, hex};
use crate::{setup, step, suite, wasi};

/// Features that no shipped module may have: with the first, whoever chose the seed can undo the noise.
const REFUSED: [&str; 1] = ["seeded-entropy"];

/// Tools from npm that the workspace itself does not need.
pub(crate) const NPM_FOLDER: &str = "xtask/npm";

/// Everything that is made here.
const FOLDER: &str = "target/pack";

/// Checksums, as `sha256sum -c` reads them in [`FOLDER`].
const SUMS: &str = "SHA256SUMS";

/// The bill of materials, here and inside the package.
const SBOM: &str = "sbom.cdx.json";

/// How to pack.
#[derive(Args)]
pub(crate) struct Options {
    /// A tarball to try things with: modules as the tests load them, without bill, checksums and checks
    #[arg(long, conflicts_with = "verify")]
    dev: bool,
    /// Then make the package again from a copy of the sources at another path, and compare
    #[arg(long)]
    verify: bool,
}

/// Makes the package, says what is in it, and uses it in an empty folder.
///
/// # Errors
///
/// A step fails; no tarball of an earlier run is left then.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let began = Instant::now();
    setup::toolchain()?;
    if options.dev {
        let tarball = dev()?;
        println!("\n{} in {}", tarball.display(), step::seconds(began.elapsed()));
        return Ok(ExitCode::SUCCESS);
    }
    let tarball = std::path::absolute(pack()?)?;
    let outcome = suite::node("packaging", "tests/packaging", |command| {
        command.env("DRIFTGLASS_TARBALL", &tarball);
    });
    ensure!(outcome.failed == 0, "the package does not pass tests/packaging");
    lint::lint(&tarball)?;
    println!("\npacked in {}", step::seconds(began.elapsed()));
    if options.verify {
        verify::verify()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a tarball from the modules that the tests load, with as little work as possible.
pub(crate) fn dev() -> Result<PathBuf> {
    const FOLDER: &str = "target/pack-dev";
    let profile = Profile::dev();
    wasm::build(&profile, &SHIPPED)?;
    let stage = Path::new(FOLDER).join("npm");
    stage::clear(&stage)?;
    for flavour in SHIPPED {
        stage::bindings(&profile, flavour, &stage)?;
    }
    stage::facade(&stage)?;
    let manifest = json(&stage.join("package.json"))?;
    let files = stage::files(&manifest, &[&stage, Path::new(".")], &[SBOM])?;
    let path = Path::new(FOLDER).join(file_name(&manifest));
    fs::write(&path, tarball::tarball(&files, Strength::Fast)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// As npm names a tarball.
fn file_name(manifest: &Value) -> String {
    let text = |field: &str| manifest[field].as_str().unwrap_or_default();
    format!("{}-{}.tgz", text("name"), text("version"))
}

/// Makes the tarball, the bill and the checksums; prints them and returns the tarball's path.
fn pack() -> Result<PathBuf> {
    let stage = Path::new(STAGE);
    stage::forget()?;
    stage::clear(stage)?;
    for flavour in SHIPPED {
        refuse_features(flavour)?;
    }
    let profile = Profile::pack(paths::rustflags()?);
    wasm::build(&profile, &SHIPPED)?;
    for flavour in SHIPPED {
        stage::module(&profile, flavour)?;
    }
    stage::facade(stage)?;
    let modules = SHIPPED.map(check).into_iter().collect::<Result<Vec<_>>>()?;

    let manifest = json(&stage.join("package.json"))?;
    let bill = bill(&manifest, &modules)?;
    let bill_text = format!("{bill:#}\n");
    write(SBOM, bill_text.as_bytes())?;
    let files = stage::files(&manifest, &[stage, Path::new(FOLDER), Path::new(".")], &[])?;
    for (name, bytes) in &files {
        paths::refuse(name, bytes)?;
    }
    let bytes = tarball::tarball(&files, Strength::Best)?;
    let name = file_name(&manifest);
    write(&name, &bytes)?;
    let sum = sha256(&bytes);
    let mut sums = format!("{sum}  {name}\n{}  {SBOM}\n", sha256(bill_text.as_bytes()));
    for module in &modules {
        sums += &format!("{}  npm/{}\n", module.sha256, module.path);
    }
    let components = wasi::pack(&paths::rustflags()?)?;
    for file in &components {
        paths::refuse(&file.name, &file.bytes)?;
        write(&file.name, &file.bytes)?;
        sums += &format!("{}  {}\n", sha256(&file.bytes), file.name);
    }
    write(SUMS, sums.as_bytes())?;

    println!("\n{FOLDER}/{name}: {} files, {} bytes\n  SHA-256 {sum}", files.len(), bytes.len());
    for module in &modules {
        let Sizes { raw, gzip, brotli } = module.sizes;
        println!("{}: {raw} bytes, gzip {gzip}, brotli {brotli}\n  SHA-256 {}", module.path, module.sha256);
        println!("  spec id of pkg-config.json {}", module.spec_id);
    }
    for file in &components {
        println!("{FOLDER}/{}: {} bytes", file.name, file.bytes.len());
    }
    println!("{FOLDER}/{SBOM}: {} components", bill["components"].as_array().map_or(0, Vec::len));
    println!("{FOLDER}/{SUMS}: check with\n  cd {FOLDER} && sha256sum -c {SUMS}");
    Ok(Path::new(FOLDER).join(name))
}

fn refuse_features(flavour: Flavour) -> Result<()> {
    let refused = flavour.features().split(',').find(|feature| REFUSED.contains(feature));
    match refused {
        Some(feature) => bail!("the flavour {} has the feature {feature}, which must not be shipped", flavour.name()),
        None => Ok(()),
    }
}

/// What the check of a module says about it, as JSON on standard output.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    /// Id of the demo's spec, as the module reads it.
    spec_id: String,
    #[serde(flatten)]
    sizes: Sizes,
}

/// Bytes of a module: as it is, and as servers send it at their strongest settings.
#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Sizes {
    pub(crate) raw: u64,
    pub(crate) gzip: u64,
    pub(crate) brotli: u64,
}

/// A module that works.
struct Module {
    /// Path inside the package.
    path: String,
    /// In lower-case hexadecimal.
    sha256: String,
    spec_id: String,
    sizes: Sizes,
    /// What it is linked from.
    crates: Crates,
}

/// Makes a module as it is shipped, runs it, and says how large it is.
///
/// # Errors
///
/// It does not compile, or does not work.
pub(crate) fn measure(flavour: Flavour) -> Result<Sizes> {
    let optimized = module(flavour)?;
    Ok(run_module(flavour, &Profile::pack(Vec::new()).bindings(flavour), &optimized)?.sizes)
}

/// Makes a module as it is shipped, and says where it lies.
///
/// # Errors
///
/// It does not compile.
pub(crate) fn module(flavour: Flavour) -> Result<PathBuf> {
    let profile = Profile::pack(paths::rustflags()?);
    wasm::build(&profile, &[flavour])?;
    optimize::optimize(&profile, flavour)
}

/// Runs an optimized module with its glue. One that fails is not replaced by one that was not optimized: a person
/// should look.
fn run_module(flavour: Flavour, bindings: &Path, module: &Path) -> Result<Checked> {
    step::announce(&format!("check of the optimized module {}", flavour.name()));
    let said = step::query(Command::new("node").arg("tests/packaging/module.mjs").arg(bindings).arg(module))
        .with_context(|| format!("the optimized module {} does not work", module.display()))?;
    println!("    {} works", module.display());
    serde_json::from_str(&said).context("the check printed no JSON")
}

fn check(flavour: Flavour) -> Result<Module> {
    let path = format!("dist/{}.wasm", flavour.name());
    let module = Path::new(STAGE).join(&path);
    let Checked { spec_id, sizes } = run_module(flavour, &Path::new(STAGE).join("wasm").join(flavour.name()), &module)?;
    let sha256 = sha256(&read(&module)?);
    Ok(Module { path, sha256, spec_id, sizes, crates: crates::linked(flavour)? })
}

fn bill(manifest: &Value, modules: &[Module]) -> Result<Value> {
    let lock = json(Path::new("package-lock.json"))?;
    let npm = npm::runtime(&lock, "js")?;
    let pinned = |lock: &Value, name: &str| {
        let version = lock["packages"][format!("node_modules/{name}")]["version"].as_str().map(str::to_owned);
        version.with_context(|| format!("the lock file does not name {name}"))
    };
    let rustc = step::query(Command::new("rustc").arg("--version"))?;
    let rustc = rustc.strip_prefix("rustc ").context("rustc does not say its version")?;
    let rust = rustc.split(' ').next().unwrap_or(rustc);
    let tools = [
        ("rustc", rustc.to_owned()),
        ("wasm-bindgen", wasm_bindgen(modules)?),
        ("binaryen", pinned(&json(Path::new(optimize::LOCK_FILE))?, "binaryen")?),
        ("esbuild", pinned(&lock, "esbuild")?),
        ("typescript", pinned(&lock, "typescript")?),
    ];
    Ok(sbom::cyclonedx(&Materials { manifest, modules, npm: &npm, tools: &tools, rust }))
}

/// The generator has the version of the library, by `Cargo.toml`.
fn wasm_bindgen(modules: &[Module]) -> Result<String> {
    let mut ids = modules.iter().flat_map(|module| module.crates.keys());
    let found = ids.find(|id| id.name == "wasm-bindgen").context("no module has wasm-bindgen")?;
    Ok(found.version.clone())
}

/// Writes into [`FOLDER`].
fn write(name: &str, bytes: &[u8]) -> Result<()> {
    let path = Path::new(FOLDER).join(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn json(path: &Path) -> Result<Value> {
    serde_json::from_slice(&read(path)?).with_context(|| format!("{} is not JSON", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_tests_are_refused() {
        for flavour in SHIPPED {
            refuse_features(flavour).unwrap();
        }
        let seeded = wasm::FLAVOURS.into_iter().find(|flavour| flavour.name() == "seeded").unwrap();
        let error = refuse_features(seeded).unwrap_err().to_string();
        assert_eq!(error, "the flavour seeded has the feature seeded-entropy, which must not be shipped");
    }
}
