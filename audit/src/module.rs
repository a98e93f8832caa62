//! The shipped wasm file, run with its entropy import scripted.
//!
//! The file is loaded as it is. It wants imports from its JavaScript glue; the one that gives entropy is answered
//! from a [`Tape`], those with which the `core` module reads a spec are answered from its text (`values`), any other
//! stops the run, so that a report is known to depend on the spec, the symbol, the public
//! coin, the memo key and the tape alone. Calls follow the generated glue, `driftglass_bg.js`.

use std::path::{Path, PathBuf};

use driftglass::privacy::EntropySource;
use sha2::{Digest, Sha256};
use wasmtime::{
    Caller, Config, Engine, Extern, ExternType, Func, HeapType, Instance, Linker, Memory, Module, Ref, Store, Table,
    TypedFunc, Val,
};

use crate::probe::{Known, Probe, ProbeError};
use crate::tape::Tape;
use crate::values;
use crate::verdict::ModuleFacts;

/// Start of the name of the import that gives entropy. A hash follows.
const ENTROPY: &str = "__wbg_getRandomValues_";
/// The table of references to JavaScript values.
const REFERENCES: &str = "__wbindgen_externrefs";

/// Why a file cannot be audited.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("cannot read {}: {error}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is no module of this package.
    #[error("{}: {rule}", file.display())]
    NotOurs {
        /// The file.
        file: PathBuf,
        /// What is missing.
        rule: String,
    },
}

/// A compiled module.
#[derive(Debug)]
pub struct Shipped {
    module: Module,
    facts: ModuleFacts,
}

impl Shipped {
    /// Reads and compiles a file.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when it cannot be read, or has no probe or no import of entropy.
    pub fn load(file: &Path) -> Result<Self, LoadError> {
        let bytes = std::fs::read(file).map_err(|error| LoadError::Read { file: file.to_owned(), error })?;
        let not_ours = |rule: String| LoadError::NotOurs { file: file.to_owned(), rule };
        let mut config = Config::new();
        config.consume_fuel(true);
        let module = Engine::new(&config)
            .and_then(|engine| Module::new(&engine, &bytes))
            .map_err(|error| not_ours(format!("not a module: {error:#}")))?;
        if module.get_export("randomizerprobe_report").is_none() {
            return Err(not_ours("has no RandomizerProbe; is it a build of this package?".to_owned()));
        }
        let entropy: Vec<_> = module.imports().filter(|import| import.name().starts_with(ENTROPY)).collect();
        let [import] = &entropy[..] else {
            return Err(not_ours(format!("has {} imports of entropy, not one", entropy.len())));
        };
        let facts = ModuleFacts {
            file: file.display().to_string(),
            sha256: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: bytes.len() as u64,
            entropy_import: import.name().to_owned(),
            other_imports: module.imports().len() - 1,
        };
        Ok(Self { module, facts })
    }

    /// What it is.
    #[must_use]
    pub fn facts(&self) -> &ModuleFacts {
        &self.facts
    }

    /// Starts the module with a spec.
    ///
    /// # Errors
    ///
    /// [`ProbeError`] when the module refuses the spec.
    pub fn start(&self, spec: &str) -> Result<Running, ProbeError> {
        start(&self.module, spec).map_err(|error| ProbeError(format!("the module did not start: {error:#}")))
    }
}

/// The probe, question, symbol, and place and length of what is known of the report.
type ReportArguments = (i32, i32, i32, i32, i32);

/// Place and length of the report, then an error and whether there is one.
type ReportResults = (i32, i32, i32, i32);

/// A module that has read a spec.
#[allow(missing_debug_implementations, reason = "holds the machine")]
pub struct Running {
    store: Store<Host>,
    memory: Memory,
    allocate: TypedFunc<(i32, i32), i32>,
    release: TypedFunc<(i32, i32, i32), ()>,
    report: TypedFunc<ReportArguments, ReportResults>,
    randomizers: i32,
    instructions: u64,
}

impl Running {
    /// The randomizer of a question.
    pub fn question(&mut self, index: u16) -> QuestionProbe<'_> {
        QuestionProbe { running: self, index }
    }

    fn make(&mut self, question: u16, symbol: u32, known: &Known) -> wasmtime::Result<Option<Vec<u8>>> {
        let chance = put(&mut self.store, &self.memory, &self.allocate, known)?;
        self.store.set_fuel(FUEL)?;
        let arguments = (self.randomizers, i32::from(question), symbol.cast_signed(), chance, known.len() as i32);
        let (at, length, _, failed) = self.report.call(&mut self.store, arguments)?;
        self.instructions = FUEL - self.store.get_fuel()?;
        if failed != 0 {
            return Err(wasmtime::Error::msg("the probe threw"));
        }
        if at == 0 {
            return Ok(None);
        }
        let range = at.cast_unsigned() as usize..(at.cast_unsigned() + length.cast_unsigned()) as usize;
        let bytes = self.memory.data(&self.store)[range].to_vec();
        self.release.call(&mut self.store, (at, length, 1))?;
        Ok(Some(bytes))
    }
}

/// One question of a running module.
#[allow(missing_debug_implementations, reason = "holds the machine")]
pub struct QuestionProbe<'m> {
    running: &'m mut Running,
    index: u16,
}

impl Probe for QuestionProbe<'_> {
    fn report(&mut self, symbol: u32, known: &Known, tape: &mut Tape) -> Result<Option<Vec<u8>>, ProbeError> {
        std::mem::swap(&mut self.running.store.data_mut().tape, tape);
        let report = self.running.make(self.index, symbol, known);
        std::mem::swap(&mut self.running.store.data_mut().tape, tape);
        report.map_err(|error| ProbeError(format!("{error:#}")))
    }

    fn instructions(&self) -> Option<u64> {
        Some(self.running.instructions)
    }
}

/// Fuel for one call. The most expensive report takes some 10^6.
const FUEL: u64 = 1 << 40;

pub(crate) struct Host {
    tape: Tape,
    memory: Option<Memory>,
    references: Option<Table>,
}

fn start(module: &Module, spec: &str) -> wasmtime::Result<Running> {
    let engine = module.engine();
    let mut store = Store::new(engine, Host { tape: Tape::default(), memory: None, references: None });
    store.set_fuel(FUEL)?;
    let instance = linker(module)?.instantiate(&mut store, module)?;
    let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| wasmtime::Error::msg("no memory"))?;
    store.data_mut().memory = Some(memory);
    store.data_mut().references = instance.get_table(&mut store, REFERENCES);
    instance.get_typed_func::<(), ()>(&mut store, "__wbindgen_start")?.call(&mut store, ())?;

    let allocate = function(&instance, &mut store, "__wbindgen_malloc")?;
    let text = put(&mut store, &memory, &allocate, spec.as_bytes())?;
    let new = instance.get_typed_func::<(i32, i32), (i32, i32, i32)>(&mut store, "randomizerprobe_new")?;
    let (randomizers, _, failed) = new.call(&mut store, (text, i32::try_from(spec.len())?))?;
    if failed != 0 {
        return Err(wasmtime::Error::msg("the module refused the spec"));
    }
    Ok(Running {
        release: function(&instance, &mut store, "__wbindgen_free")?,
        report: function(&instance, &mut store, "randomizerprobe_report")?,
        store,
        memory,
        allocate,
        randomizers,
        instructions: 0,
    })
}

fn function<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
    instance: &Instance,
    store: &mut Store<Host>,
    name: &str,
) -> wasmtime::Result<TypedFunc<P, R>> {
    instance.get_typed_func(store, name)
}

/// Copies bytes into the module; the callee frees them.
fn put(
    store: &mut Store<Host>,
    memory: &Memory,
    allocate: &TypedFunc<(i32, i32), i32>,
    bytes: &[u8],
) -> wasmtime::Result<i32> {
    let at = allocate.call(&mut *store, (i32::try_from(bytes.len())?, 1))?;
    memory.write(store, at.cast_unsigned() as usize, bytes)?;
    Ok(at)
}

/// Entropy from the tape, the table of references made ready, and a stop for everything else.
fn linker(module: &Module) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(module.engine());
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        let ExternType::Func(signature) = import.ty() else {
            return Err(wasmtime::Error::msg(format!("imports {name}, which is no function")));
        };
        if name.starts_with(ENTROPY) {
            linker.func_wrap(from, name, entropy)?;
        } else if name == "__wbindgen_init_externref_table" {
            linker.func_wrap(from, name, init_references)?;
        } else if !values::answer(&mut linker, from, name, &signature)? {
            let label = name.to_owned();
            linker.func_new(from, name, signature, move |mut caller, arguments, _| {
                Err(wasmtime::Error::msg(format!("the module called {label}{}", text(&mut caller, arguments))))
            })?;
        }
    }
    Ok(linker)
}

/// As the glue does: undefined, null, true and false come first. None of them is looked at here.
fn init_references(mut caller: Caller<'_, Host>) -> wasmtime::Result<()> {
    let table = caller.data().references.ok_or_else(|| wasmtime::Error::msg("no table of references"))?;
    table.grow(&mut caller, 4, Ref::null(&HeapType::Extern))?;
    Ok(())
}

fn entropy(mut caller: Caller<'_, Host>, at: i32, length: i32) -> wasmtime::Result<()> {
    let memory = caller.data().memory.ok_or_else(|| wasmtime::Error::msg("entropy was asked for at start"))?;
    let (data, host) = memory.data_and_store_mut(&mut caller);
    let start = at.cast_unsigned() as usize;
    let buffer = data.get_mut(start..start + length.cast_unsigned() as usize);
    let buffer = buffer.ok_or_else(|| wasmtime::Error::msg("entropy was asked for outside the memory"))?;
    if host.tape.fill(buffer).is_ok() {
        return Ok(());
    }
    throw(&mut caller)
}

/// What the glue does with an exception: it is stored, and the call returns.
pub(crate) fn throw(caller: &mut Caller<'_, Host>) -> wasmtime::Result<()> {
    let alloc = exported(caller, "__externref_table_alloc")?;
    let store = exported(caller, "__wbindgen_exn_store")?;
    let index = alloc.typed::<(), i32>(&caller)?.call(&mut *caller, ())?;
    store.typed::<i32, ()>(&caller)?.call(&mut *caller, index)
}

/// A function that the module exports.
pub(crate) fn exported(caller: &mut Caller<'_, Host>, name: &str) -> wasmtime::Result<Func> {
    let function = caller.get_export(name).and_then(Extern::into_func);
    function.ok_or_else(|| wasmtime::Error::msg(format!("no {name}")))
}

/// The memory of the module, once it has started.
pub(crate) fn memory(caller: &Caller<'_, Host>) -> wasmtime::Result<Memory> {
    caller.data().memory.ok_or_else(|| wasmtime::Error::msg("the memory was asked for at start"))
}

/// The text of an error that the module wants to throw, if these are its address and length.
fn text(caller: &mut Caller<'_, Host>, arguments: &[Val]) -> String {
    let (&[Val::I32(at), Val::I32(length)], Some(memory)) = (arguments, caller.data().memory) else {
        return String::new();
    };
    let start = at.cast_unsigned() as usize;
    let bytes = memory.data(&*caller).get(start..start + (length.cast_unsigned() as usize).min(500));
    bytes.map_or_else(String::new, |bytes| format!(": {}", String::from_utf8_lossy(bytes)))
}
