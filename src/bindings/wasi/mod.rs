//! The WASI edge: the only place that names the WIT bindings.
//!
//! `wit/monitor.wit` says what the component offers. Its types are the wire; they are converted by hand and never reach
//! the core. The world `core` is the monitor alone and links no standard library; `full` adds inference.

mod entropy;
mod error;
mod monitor;
#[cfg(feature = "onnx")]
mod session;
mod view;

/// What the macro makes of `wit/`.
#[allow(unsafe_code, missing_docs, reason = "generated: memory crosses the boundary of the component here")]
mod wit {
    #[cfg(not(feature = "onnx"))]
    wit_bindgen::generate!({ path: "wit", world: "core", generate_all, std_feature });
    #[cfg(feature = "onnx")]
    wit_bindgen::generate!({ path: "wit", world: "full", generate_all, std_feature });

    use super::Component;
    export!(Component);
}

/// What the component exports.
struct Component;
