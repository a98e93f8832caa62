//! What a module holds only for a text that nobody can read.
//!
//! The `core` module's panic handler stops and looks at nothing. The compiler does not see that from where panics come
//! from, so it keeps what would have made their texts. Two kinds of functions are replaced by the trap that they end in:
//!
//! 1. **Those that cannot return.** Every path ends in a trap or in another function of this kind, and nothing else is
//!    called, so nothing outside the module can tell what happened before the trap.
//! 2. **Those in the table that nothing can call.** Code that is reachable from the exports has no indirect call of
//!    their type, no other table is there, and the host does not see this one. Those that format texts (`fmt` in their
//!    name) count as called by none but each other, unless reachable code calls one of them by name.
//!
//! wasm-opt, which runs next, then drops their callers' arguments.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, anyhow, ensure};
use walrus::ir::{Instr, InstrSeqId, Unreachable, Value, Visitor, dfs_in_order};
use walrus::{ElementItems, ExportItem, FunctionId, FunctionKind, LocalFunction, Module, TypeId};

/// The module without them, and how many there were of either kind.
///
/// # Errors
///
/// The bytes are no module, or one whose table the host sees.
pub(super) fn snip(bytes: &[u8]) -> Result<(Vec<u8>, [usize; 2])> {
    let mut module = Module::from_buffer(bytes).map_err(|error| anyhow!("not a module: {error:#}"))?;
    let trapping = trapping(&module);
    trapping.iter().for_each(|id| trap(&mut module, *id));
    let uncalled = uncalled(&module)?;
    uncalled.iter().for_each(|id| trap(&mut module, *id));
    Ok((module.emit_wasm(), [trapping.len(), uncalled.len()]))
}

fn trap(module: &mut Module, id: FunctionId) {
    let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
    let body = &mut function.block_mut(function.entry_block()).instrs;
    body.truncate(1);
    let place = body.first().map(|(_, place)| *place).unwrap_or_default();
    *body = vec![(Instr::Unreachable(Unreachable {}), place)];
}

/// Functions that cannot return and call only each other.
fn trapping(module: &Module) -> HashSet<FunctionId> {
    let mut known = HashSet::new();
    loop {
        let more: Vec<FunctionId> = module
            .funcs
            .iter_local()
            .filter(|(id, function)| !known.contains(id) && Paths::of(function, &known).all_trap())
            .map(|(id, _)| id)
            .collect();
        if more.is_empty() {
            return known;
        }
        known.extend(more);
    }
}

/// Where a sequence of instructions leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Path {
    /// Into a trap, or to where a jump was noted; never to what follows it.
    Trap,
    /// To what follows it, on some path.
    On,
    /// Out of the function, or to the world: nothing is claimed.
    Away,
}

/// The paths through a function.
struct Paths<'a> {
    function: &'a LocalFunction,
    known: &'a HashSet<FunctionId>,
    /// Blocks that something jumps out of, so that what follows them is reached.
    left: HashSet<InstrSeqId>,
}

impl<'a> Paths<'a> {
    fn of(function: &'a LocalFunction, known: &'a HashSet<FunctionId>) -> Self {
        Self { function, known, left: HashSet::new() }
    }

    fn all_trap(mut self) -> bool {
        let entry = self.function.entry_block();
        self.through(entry) == Path::Trap && !self.left.contains(&entry)
    }

    fn through(&mut self, sequence: InstrSeqId) -> Path {
        for (instruction, _) in &self.function.block(sequence).instrs {
            let path = match instruction {
                Instr::Unreachable(_) => Path::Trap,
                Instr::Call(call) if self.known.contains(&call.func) => Path::Trap,
                Instr::Block(block) => match self.through(block.seq) {
                    Path::Trap if self.left.contains(&block.seq) => Path::On,
                    path => path,
                },
                Instr::IfElse(branch) => match [branch.consequent, branch.alternative].map(|part| self.through(part)) {
                    [Path::Away, _] | [_, Path::Away] => Path::Away,
                    [Path::Trap, Path::Trap]
                        if ![branch.consequent, branch.alternative].iter().any(|part| self.left.contains(part)) =>
                    {
                        Path::Trap
                    }
                    _ => Path::On,
                },
                Instr::Br(jump) => {
                    self.left.insert(jump.block);
                    Path::Trap
                }
                Instr::BrTable(jump) => {
                    self.left.extend(jump.blocks.iter().copied().chain([jump.default]));
                    Path::Trap
                }
                Instr::BrIf(jump) => {
                    self.left.insert(jump.block);
                    Path::On
                }
                Instr::LocalGet(_)
                | Instr::LocalSet(_)
                | Instr::LocalTee(_)
                | Instr::GlobalGet(_)
                | Instr::GlobalSet(_)
                | Instr::Const(_)
                | Instr::Binop(_)
                | Instr::Unop(_)
                | Instr::Select(_)
                | Instr::Load(_)
                | Instr::Store(_)
                | Instr::Drop(_) => Path::On,
                // Loops among them: a jump back would be taken for one that leaves.
                _ => Path::Away,
            };
            if path != Path::On {
                return path;
            }
        }
        Path::On
    }
}

/// Functions of the table that no reachable code can call.
fn uncalled(module: &Module) -> Result<Vec<FunctionId>> {
    let seen = |item: &ExportItem| matches!(item, ExportItem::Table(id) if !is_of_references(module, *id));
    ensure!(!module.exports.iter().any(|export| seen(&export.item)), "the host sees the table of functions");

    let mut in_table: HashMap<TypeId, Vec<FunctionId>> = HashMap::new();
    for element in module.elements.iter() {
        let ElementItems::Functions(functions) = &element.items else { continue };
        for id in functions {
            in_table.entry(module.funcs.get(*id).ty()).or_default().push(*id);
        }
    }
    let done = match reachable(module, &in_table, true) {
        done if done.iter().any(|id| formats(module, *id)) => reachable(module, &in_table, false),
        done => done,
    };
    let mut left: Vec<FunctionId> = in_table.into_values().flatten().filter(|id| !done.contains(id)).collect();
    left.sort_unstable();
    left.dedup();
    left.retain(|id| matches!(module.funcs.get(*id).kind, FunctionKind::Local(_)));
    Ok(left)
}

/// What the exports reach; an indirect call reaches all functions of its type, without those that format if so told.
fn reachable(
    module: &Module,
    in_table: &HashMap<TypeId, Vec<FunctionId>>,
    without_formats: bool,
) -> HashSet<FunctionId> {
    let mut reached = Reached { called: Vec::new(), of_types: HashSet::new() };
    for export in module.exports.iter() {
        if let ExportItem::Function(id) = export.item {
            reached.called.push(id);
        }
    }
    reached.called.extend(module.start);
    let mut done = HashSet::new();
    loop {
        while let Some(id) = reached.called.pop() {
            if let (true, FunctionKind::Local(function)) = (done.insert(id), &module.funcs.get(id).kind) {
                dfs_in_order(&mut reached, function, function.entry_block());
            }
        }
        let callable = reached.of_types.iter().filter_map(|of_type| in_table.get(of_type)).flatten();
        let callable = callable.filter(|id| !(without_formats && formats(module, **id)));
        reached.called = callable.filter(|id| !done.contains(id)).copied().collect();
        if reached.called.is_empty() {
            return done;
        }
    }
}

/// Whether a function is one of the traits and helpers that make texts of values.
fn formats(module: &Module, id: FunctionId) -> bool {
    module.funcs.get(id).name.as_ref().is_some_and(|name| name.contains("::fmt::"))
}

fn is_of_references(module: &Module, table: walrus::TableId) -> bool {
    module.tables.get(table).element_ty == walrus::RefType::EXTERNREF
}

/// What the code that was looked at calls, and what types it calls indirectly.
struct Reached {
    called: Vec<FunctionId>,
    of_types: HashSet<TypeId>,
}

impl<'instr> Visitor<'instr> for Reached {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.called.push(*function);
    }

    fn visit_call_indirect(&mut self, call: &walrus::ir::CallIndirect) {
        self.of_types.insert(call.ty);
    }

    fn visit_value(&mut self, _: &Value) {}
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ModuleConfig, ValType};

    use super::*;

    /// A module that exports one function, which calls another if its argument is not 0, and then returns.
    fn module(callee: impl FnOnce(&mut Module, &mut FunctionBuilder)) -> (Vec<u8>, usize) {
        let mut module = Module::with_config(ModuleConfig::new());
        let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
        callee(&mut module, &mut builder);
        let called = builder.finish(Vec::new(), &mut module.funcs);
        let argument = module.locals.add(ValType::I32);
        let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
        builder.func_body().local_get(argument).if_else(None, |then| _ = then.call(called), |_| ());
        let exported = builder.finish(vec![argument], &mut module.funcs);
        module.exports.add("run", exported);
        let [trapping, _] = snip(&module.emit_wasm()).expect("a module").1;
        (module.emit_wasm(), trapping)
    }

    #[test]
    fn what_prepares_its_own_trap_is_snipped() {
        let (_, trapping) = module(|_, builder| _ = builder.func_body().i32_const(7).drop().unreachable());
        assert_eq!(trapping, 1);
        let both = |_: &mut Module, builder: &mut FunctionBuilder| {
            let mut body = builder.func_body();
            body.i32_const(7).if_else(None, |then| _ = then.unreachable(), |other| _ = other.unreachable());
        };
        assert_eq!(module(both).1, 1);
    }

    #[test]
    fn what_may_return_or_tells_the_world_stays() {
        assert_eq!(module(|_, builder| _ = builder.func_body().i32_const(7).drop()).1, 0);
        let one = |_: &mut Module, builder: &mut FunctionBuilder| {
            builder.func_body().i32_const(7).if_else(None, |then| _ = then.unreachable(), |_| ());
        };
        assert_eq!(module(one).1, 0);
        let jump = |_: &mut Module, builder: &mut FunctionBuilder| {
            builder.func_body().block(None, |block| {
                let outside = block.id();
                block.i32_const(7).br_if(outside).unreachable();
            });
        };
        assert_eq!(module(jump).1, 0);
        let tells = |module: &mut Module, builder: &mut FunctionBuilder| {
            let of_type = module.types.add(&[], &[]);
            let (import, _) = module.add_import_func("host", "tell", of_type);
            builder.func_body().call(import).unreachable();
        };
        assert_eq!(module(tells).1, 0);
    }
}
