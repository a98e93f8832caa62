//! The thin edges. Each names its host's bindings; nothing else does.

#[cfg(feature = "onnx")]
mod batch;
#[cfg(all(feature = "js", target_os = "unknown"))]
mod js;
mod report;
#[cfg(not(feature = "std"))]
mod runtime;
#[cfg(feature = "wasi")]
mod wasi;
