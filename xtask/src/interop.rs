//! `cargo xtask interop [name]`: the suites below `interop/`, in which other people's implementations talk to ours.
//! A suite is a folder with an executable `run` that installs what it needs and fails when anything does. The name of a
//! client in the matrix runs the pairs that it is in, `kinds` what it does with every kind of message.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::shell::{Steps, target_folder};

/// The suite in which whole clients converse, and its clients: folders with a driver and no `run`.
const MATRIX: &str = "matrix";
/// The part of the matrix in which every kind of message crosses.
const KINDS: &str = "kinds";
const CLIENTS: [&str; 3] = ["baileys", "whatsmeow", "ours"];

pub(crate) fn run(steps: &mut Steps, only: Option<&str>) -> Result<()> {
    if let Some(client) = only.filter(|name| CLIENTS.contains(name)) {
        return run_pairs(steps, client);
    }
    if only == Some(KINDS) {
        let mut command = suite_command(steps, MATRIX);
        command.arg(KINDS);
        return steps.run("interop kinds", &mut command);
    }
    let folder = steps.root.join("interop");
    let mut suites = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().join("run").is_file() && only.is_none_or(|only| only == name) {
                suites.push(name);
            }
        }
    }
    suites.sort();
    if let Some(only) = only {
        ensure!(!suites.is_empty(), "no suite interop/{only} with a file `run`");
    }
    for suite in suites {
        let mut command = suite_command(steps, &suite);
        steps.run(&format!("interop {suite}"), &mut command)?;
    }
    Ok(())
}

/// The pairs of the matrix in which a client has a role.
fn run_pairs(steps: &mut Steps, client: &str) -> Result<()> {
    let all = CLIENTS.iter().flat_map(|first| CLIENTS.iter().map(move |second| (*first, *second)));
    let mut command = suite_command(steps, MATRIX);
    let pairs = all
        .filter(|(first, second)| [*first, *second].contains(&client))
        .map(|(first, second)| format!("{first}-{second}"));
    command.args(pairs);
    steps.run(&format!("interop {client}"), &mut command)
}

/// A suite with the numbers of a soak run (`WA_SOAK=1`).
pub(crate) fn soak(steps: &mut Steps, suite: &str) -> Result<()> {
    let mut command = suite_command(steps, suite);
    command.env("WA_SOAK", "1");
    steps.run(&format!("interop {suite}"), &mut command)
}

fn suite_command(steps: &Steps, suite: &str) -> Command {
    let mut command = steps.command("bash", &[&format!("interop/{suite}/run")]);
    let target = target_folder(&steps.root);
    command.env("CARGO_TARGET_DIR", target.join("interop")).env("WA_TARGET_DIR", target);
    command
}
