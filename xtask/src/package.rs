//! `cargo xtask package`: every published crate compiles alone, from the files that its package holds.
//!
//! `cargo package` would build each package in a target folder of its own, with every dependency once more, which takes
//! longer than all tests. So it only packs here. The packages are unpacked into a workspace whose members replace the
//! registry's crates of their names, and each is compiled by itself there, with no features but those that it asks for and
//! with the lock file of this workspace. Compiled, not linked: a package can lack a file, a feature or a dependency, and
//! all of that shows before code is generated.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use toml::Table;

use crate::shell::{Steps, target_folder};

/// A crate of this workspace that is published.
struct Published {
    name: String,
    version: String,
}

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    let (published, unpublished) = members(steps)?;
    let target = target_folder(&steps.root);
    let mut pack =
        steps.cargo(&["package", "--workspace", "--allow-dirty", "--no-metadata", "--no-verify", "--quiet"]);
    for name in &unpublished {
        pack.args(["--exclude", name]);
    }
    steps.run("packages", pack.env("CARGO_TARGET_DIR", &target))?;
    let alone = unpack(steps, &published, &target)?;
    for Published { name, .. } in &published {
        let mut check = steps.cargo(&["check", "--quiet", "--manifest-path"]);
        check.arg(alone.join("Cargo.toml")).args(["--package", name]).env("CARGO_TARGET_DIR", &target);
        steps.run(&format!("package {name}"), &mut check)?;
    }
    Ok(())
}

/// Unpacks the packages and writes the workspace around them; gives its folder.
fn unpack(steps: &mut Steps, published: &[Published], target: &Path) -> Result<PathBuf> {
    let packages = target.join("package");
    let alone = packages.join("alone");
    if alone.exists() {
        fs::remove_dir_all(&alone)?;
    }
    fs::create_dir_all(&alone)?;
    let (mut folders, mut patches) = (Vec::new(), Table::new());
    for Published { name, version } in published {
        let folder = format!("{name}-{version}");
        // Files get the time of now (-m): theirs is the same in every package, and cargo goes by time.
        let archive = packages.join(format!("{folder}.crate"));
        let mut tar = steps.command("tar", &["-x", "-z", "-m", "-C"]);
        let status = tar.arg(&alone).arg("-f").arg(&archive).status().context("tar")?;
        ensure!(status.success(), "{} cannot be unpacked", archive.display());
        patches.insert(name.clone(), Table::from_iter([("path".to_owned(), folder.clone().into())]).into());
        folders.push(toml::Value::from(folder));
    }
    let root: Table = fs::read_to_string(steps.root.join("Cargo.toml"))?.parse()?;
    let workspace =
        Table::from_iter([("resolver".to_owned(), "3".into()), ("members".to_owned(), folders.into())]);
    let patch = Table::from_iter([("crates-io".to_owned(), patches.into())]);
    let mut manifest =
        Table::from_iter([("workspace".to_owned(), workspace.into()), ("patch".to_owned(), patch.into())]);
    if let Some(profiles) = root.get("profile") {
        manifest.insert("profile".to_owned(), profiles.clone());
    }
    fs::write(alone.join("Cargo.toml"), toml::to_string(&manifest)?)?;
    fs::copy(steps.root.join("Cargo.lock"), alone.join("Cargo.lock"))?;
    Ok(alone)
}

/// The published members, and the names of the others.
fn members(steps: &Steps) -> Result<(Vec<Published>, Vec<String>)> {
    let mut command = steps.cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.stderr(Stdio::inherit()).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let (mut published, mut unpublished) = (Vec::new(), Vec::new());
    for package in metadata["packages"].as_array().context("no packages")? {
        let text =
            |field: &str| package[field].as_str().map(str::to_owned).context("a package without a name");
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            unpublished.push(text("name")?);
        } else {
            published.push(Published { name: text("name")?, version: text("version")? });
        }
    }
    Ok((published, unpublished))
}
