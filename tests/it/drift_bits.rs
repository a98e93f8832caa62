//! The statistics give the same bits natively and in WebAssembly: `tests/vectors/drift-v1.json` holds both to it.
//!
//! | Field of a case | Meaning |
//! | --- | --- |
//! | `name`, `figure` | what the case is; the function that it calls |
//! | `inputs` | numbers as decimals that read back as the same f64, never −0 |
//! | `outputs` | 16 hexadecimal digits for the bits of each f64, in the function's order |
//!
//! `tests/node/drift.test.mjs` runs the same file through the seeded WebAssembly build. Written anew by
//! `DRIFTGLASS_WRITE_VECTORS=1 cargo test -p driftglass --test it drift_bits`; a change of the file is a change of
//! results, to be explained where it is made. No output is NaN, whose bits WebAssembly leaves open.

use std::collections::BTreeSet;

use driftglass as library;
use serde_json::{Value, json};

use cases::cases;

mod cases;
#[path = "../../src/bindings/js/figures/functions/mod.rs"]
mod functions;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/drift-v1.json");

fn with(inputs: &Value, more: Value) -> Value {
    let mut all = inputs.clone();
    let (Value::Object(all_fields), Value::Object(more)) = (&mut all, more) else { panic!("objects") };
    all_fields.extend(more);
    all
}

fn bits(outputs: &[f64]) -> Vec<String> {
    outputs.iter().map(|output| format!("{:016x}", output.to_bits())).collect()
}

/// The case with its outputs.
fn answered(case: &Value) -> Value {
    let (name, figure) = (&case["name"], case["figure"].as_str().expect("a figure"));
    let outputs = functions::outputs(figure, &case["inputs"]).unwrap_or_else(|| panic!("{name}: no figure {figure}"));
    assert!(!outputs.is_empty(), "{name}: nothing to compare");
    assert!(outputs.iter().all(|output| !output.is_nan()), "{name}: {outputs:?}");
    with(case, json!({ "outputs": bits(&outputs) }))
}

/// One case a line, so that a change can be read.
fn text(cases: &[Value]) -> String {
    let lines: Vec<String> = cases.iter().map(|case| format!("  {case}")).collect();
    format!("{{\"cases\": [\n{}\n]}}\n", lines.join(",\n"))
}

/// The cases of a text, of which the first that differs from this build is named.
fn check(text: &str) -> Result<usize, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let recorded = file["cases"].as_array().ok_or("no cases")?;
    for case in recorded {
        let (found, recorded) = (answered(case), &case["outputs"]);
        if let Some(at) =
            (0..).zip(found["outputs"].as_array().expect("a list")).find(|(at, bits)| recorded[*at] != **bits)
        {
            return Err(format!("{}, output {}: {}, not {}", case["name"], at.0, at.1, recorded[at.0]));
        }
        if found != *case {
            return Err(format!("{}: other outputs than recorded", case["name"]));
        }
    }
    Ok(recorded.len())
}

#[test]
fn drift_bits_are_those_of_the_file() {
    if std::env::var_os("DRIFTGLASS_WRITE_VECTORS").is_some() {
        let cases: Vec<Value> = cases().iter().map(answered).collect();
        std::fs::write(FILE, text(&cases)).expect("the vectors are written");
    }
    let recorded = std::fs::read_to_string(FILE).expect("the vectors");
    let compared = check(&recorded).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(compared >= 60, "{compared} cases");
    // What is compared is what is listed here, for every figure and mechanism.
    let file: Value = serde_json::from_str(&recorded).expect("JSON");
    let without = |case: &Value| json!({ "name": case["name"], "figure": case["figure"], "inputs": case["inputs"] });
    let listed: Vec<Value> = file["cases"].as_array().expect("cases").iter().map(without).collect();
    assert!(listed == cases(), "the cases of the file are not those of this test");
    let called: BTreeSet<&str> = listed.iter().filter_map(|case| case["figure"].as_str()).collect();
    assert_eq!(called, functions::names().collect());
}

#[test]
fn drift_bits_that_changed_are_found() {
    let recorded = std::fs::read_to_string(FILE).expect("the vectors");
    let file: Value = serde_json::from_str(&recorded).expect("JSON");
    let cases = file["cases"].as_array().expect("cases");
    for at in (0..cases.len()).step_by(11) {
        let mut case = cases[at].clone();
        let last = case["outputs"].as_array().expect("outputs").len() - 1;
        let bits = u64::from_str_radix(case["outputs"][last].as_str().expect("bits"), 16).expect("bits");
        case["outputs"][last] = format!("{:016x}", bits ^ 1).into();
        let difference = check(&text(&[case])).expect_err("one bit was changed");
        assert!(difference.contains(&format!("output {last}")), "{difference}");
    }
    assert_eq!(check(&text(&cases[..1])), Ok(1));
}
