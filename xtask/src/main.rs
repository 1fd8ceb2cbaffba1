//! Tasks of the workspace: tests with their set-up, soak runs, code generation. `cargo xtask` lists them.
#![allow(clippy::print_stdout)] // a command-line tool

mod proto;
mod schema;
mod tokens;

use std::path::PathBuf;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask <task>

  proto [--check]     write (or compare) the .proto files and generated types of wa-proto
  tokens [--check]    write (or compare) the token dictionary of wa-binary
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = workspace_root();
    match arguments.split_first() {
        Some((task, rest)) if task == "proto" => proto::run(&root, rest),
        Some((task, rest)) if task == "tokens" => tokens::run(&root, rest),
        _ => bail!("{USAGE}"),
    }
}

/// The folder that holds the workspace.
pub(crate) fn workspace_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}
