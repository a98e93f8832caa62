//! The quick start of `docs/wasi.md` is the example that is compiled.

#[test]
fn the_documented_lines_are_those_of_the_example() {
    let document = include_str!("../../../../docs/wasi.md");
    let shown = document.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of Rust");
    let mut example = include_str!("../../examples/quick_start.rs").lines();
    let mut lines = shown.lines().filter(|line| !line.is_empty()).peekable();
    assert!(lines.peek().is_some());
    for line in lines {
        assert!(example.any(|given| given == line), "not in the example, or not in this order: {line}");
    }
}
