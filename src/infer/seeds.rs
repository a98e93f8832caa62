//! Seeds for operators that draw random numbers and have none.
//!
//! Where a model gives no seed, ONNX leaves it to the runtime, and tract asks the platform. A platform that gives no
//! entropy to libraries gets its seeds here, from whoever loads the model. The difference is small: `Multinomial` then
//! draws the same numbers in every run of a session.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, GraphProto};

/// Operators that take the attribute `seed` (ONNX, operator set 22).
const DRAWING: [&str; 5] = ["Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"];

/// Gives each operator of a graph, and of the graphs inside it, the seed that it lacks.
pub(super) fn fill(graph: &mut GraphProto, seed: &mut dyn FnMut() -> u32) {
    for node in &mut graph.node {
        let seeded = node.attribute.iter().any(|attribute| attribute.name == "seed");
        if DRAWING.contains(&node.op_type.as_str()) && !seeded {
            // The attribute is a float, which holds 24 bits exactly.
            let value = (seed() >> 8) as f32;
            let kind = AttributeType::Float as i32;
            node.attribute.push(AttributeProto { name: "seed".into(), f: value, r#type: kind, ..Default::default() });
        }
        for attribute in &mut node.attribute {
            attribute.g.iter_mut().chain(&mut attribute.graphs).for_each(|inner| fill(inner, seed));
        }
    }
}
