//! Tasks of the workspace: tests with their set-up, soak runs, checks, code generation. `cargo xtask` lists them.
#![allow(clippy::print_stdout)] // a command-line tool

mod checks;
#[cfg(test)]
mod dependencies;
mod fuzz;
mod interop;
mod package;
mod postgres;
mod proto;
mod schema;
mod shell;
mod test;
mod tokens;

use std::path::PathBuf;

use anyhow::{Result, bail};

use shell::Steps;

const USAGE: &str = "usage: cargo xtask <task>

  test                            all tests, with their set-up (interop suites included)
  test postgres                   only those of the Postgres backend, with a server of their own
  smoke                           every fuzz target for a few seconds
  soak [name]                     the big tests with the promised numbers
  checks                          format, clippy, docs, licences and sources
  package                         every published crate compiles alone
  fuzz [target…] [--seconds N]    libFuzzer on the stable toolchain, ten minutes a target by default
  interop [name]                  suites with other people's implementations
  proto [--check]                 write (or compare) the .proto files and generated types of wa-proto
  tokens [--check]                write (or compare) the token dictionary of wa-binary
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = workspace_root();
    let Some((task, rest)) = arguments.split_first() else { bail!("{USAGE}") };
    let mut steps = Steps::new(&root);
    let outcome = match (task.as_str(), rest) {
        ("test", []) => test::run(&mut steps),
        ("test", [name]) if name == "postgres" => test::postgres(&mut steps),
        ("soak", rest) => test::soak(&mut steps, rest),
        ("checks", []) => checks::run(&mut steps),
        ("package", []) => package::run(&mut steps),
        ("smoke", []) => fuzz::smoke(&mut steps),
        ("fuzz", rest) => fuzz::run(&mut steps, rest),
        ("interop", []) => interop::run(&mut steps, None),
        ("interop", [name]) => interop::run(&mut steps, Some(name)),
        ("proto", rest) => proto::run(&root, rest),
        ("tokens", rest) => tokens::run(&root, rest),
        _ => bail!("{USAGE}"),
    };
    steps.summary();
    outcome
}

/// The folder that holds the workspace.
pub(crate) fn workspace_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}
