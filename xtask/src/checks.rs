//! `cargo xtask checks`: format, lints, docs, licences and sources. Warnings are errors.

use anyhow::Result;

use crate::shell::{Steps, is_installed};

/// The version of cargo-deny that is installed when there is none.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// The workspaces of their own. They use crates of this one, so a new dependency here goes into their lock files too.
/// `benches/whatsapp-rust` uses none of them, and its libraries take half an hour to build on two cores: `benches/run costs`
/// builds it.
const OTHERS: [&str; 4] = ["benches", "fuzz", "interop/matrix", "interop/signal"];

/// What nothing in the workspace turns on by itself, but for its own tests.
const OPTIONAL: [&str; 2] = ["--features", "wa-store/postgres"];

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    let mut format = steps.cargo(&["fmt", "--all", "--check"]);
    steps.run("format", &mut format)?;
    for workspace in OTHERS {
        let manifest = format!("{workspace}/Cargo.toml");
        let mut format = steps.cargo(&["fmt", "--all", "--check", "--manifest-path", &manifest]);
        steps.run(&format!("format, {workspace}"), &mut format)?;
        let mut fetch = steps.cargo(&["fetch", "--quiet", "--locked", "--manifest-path", &manifest]);
        steps.run(&format!("lock file, {workspace}"), &mut fetch)?;
    }
    licences(steps)?;
    let mut clippy = steps.cargo(&["clippy", "--workspace", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    steps.run("clippy", &mut clippy)?;
    let mut docs = steps.cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    docs.args(OPTIONAL);
    // Private items are linted too, but a public doc may not link to them unless the reader can follow.
    docs.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    steps.run("docs", &mut docs)
}

/// Licences, sources and banned crates as `deny.toml` says. Advisories are left out: they need a database from
/// outside, and a build must not fail because of what the world learnt since (`cargo deny check advisories` by hand).
fn licences(steps: &mut Steps) -> Result<()> {
    if !is_installed("cargo-deny", &["--version"]) {
        // Unoptimised: it runs for a second, and builds in a third of the time.
        let mut install =
            steps.cargo(&["install", CARGO_DENY, "--locked", "--debug", "--no-default-features"]);
        // Its own folder below the target folder of this workspace would be thrown away with it.
        install.env_remove("CARGO_TARGET_DIR");
        steps.run("cargo-deny", &mut install)?;
    }
    let mut deny =
        steps.cargo(&["deny", "--offline", "check", "--hide-inclusion-graph", "licenses", "sources", "bans"]);
    steps.run("licences and sources", &mut deny)
}
