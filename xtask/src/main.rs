//! Tasks of the workspace: tests with their set-up, soak runs, code generation.

fn main() {}
