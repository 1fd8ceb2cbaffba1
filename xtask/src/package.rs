//! `cargo xtask package`: every published crate builds alone, from the files that its package holds.

use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::{Steps, target_folder};

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    let unpublished = unpublished(steps)?;
    // Cargo packs all members and builds each from its package, against the others' packages.
    let mut package = steps.cargo(&["package", "--workspace", "--allow-dirty", "--no-metadata", "--quiet"]);
    for name in &unpublished {
        package.args(["--exclude", name]);
    }
    package.env("CARGO_TARGET_DIR", target_folder(&steps.root).join("package"));
    steps.run("packages", &mut package)
}

/// Members with `publish = false`.
fn unpublished(steps: &Steps) -> Result<Vec<String>> {
    let mut command = steps.cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.stderr(Stdio::inherit()).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let is_unpublished = |package: &&Value| package["publish"].as_array().is_some_and(Vec::is_empty);
    Ok(packages
        .iter()
        .filter(is_unpublished)
        .filter_map(|it| it["name"].as_str().map(str::to_owned))
        .collect())
}
