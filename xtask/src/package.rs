//! `cargo xtask package`: every published crate builds alone, from the files that its package holds.

use anyhow::Result;

use crate::shell::{Steps, target_folder};

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    // Cargo packs all members that may be published and builds each from its package against the others' packages.
    let mut package = steps.cargo(&["package", "--workspace", "--allow-dirty", "--no-metadata", "--quiet"]);
    package.env("CARGO_TARGET_DIR", target_folder(&steps.root).join("package"));
    steps.run("packages", &mut package)
}
