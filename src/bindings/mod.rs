//! The thin edges. Each names its host's bindings; nothing else does.

mod js;
