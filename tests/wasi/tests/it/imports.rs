//! What the components can reach.

use crate::running::{WORLDS, compiled};

/// All that a component can do to the world is in this list, so it is short.
#[test]
fn components_import_entropy_and_nothing_else() {
    for world in WORLDS {
        let component = compiled(world);
        let engine = component.engine();
        let names: Vec<String> = component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, ["wasi:random/random@0.2.0"], "{world}");
    }
}

#[test]
fn worlds_export_what_they_say() {
    let exports = |world| {
        let component = compiled(world);
        let names = component.component_type();
        names.exports(component.engine()).map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    let [types, monitoring, inference] =
        ["types", "monitoring", "inference"].map(|name| format!("driftglass:monitor/{name}@0.1.0"));
    assert_eq!(exports("core"), [types.clone(), monitoring.clone()]);
    assert_eq!(exports("full"), [types, monitoring, inference]);
}
