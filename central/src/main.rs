//! Entry point of the centre.
fn main() {}
