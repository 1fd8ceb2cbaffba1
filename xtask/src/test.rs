//! `cargo xtask test`: everything that must pass, with its set-up. `cargo xtask soak`: the big tests with the numbers
//! that the project promises, instead of the reduced ones.

use anyhow::{Result, bail};

use crate::{interop, postgres::Postgres, shell::Steps};

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    // Without the store: in a run of the whole workspace its Postgres tests do without a server, and here they may not.
    let mut tests = steps.cargo(&["test", "--workspace", "--exclude", "wa-store"]);
    steps.run("tests", &mut tests)?;
    store(steps, "store, Postgres", &[])?;
    providers(steps)?;
    interop::run(steps, None)
}

/// The tests that need a server.
pub(crate) fn postgres(steps: &mut Steps) -> Result<()> {
    store(steps, "Postgres", &["--test", "postgres*"])
}

/// The store's tests, with a server.
fn store(steps: &mut Steps, step: &str, which: &[&str]) -> Result<()> {
    let server = Postgres::start(steps)?;
    let mut tests = steps.cargo(&["test", "-p", "wa-store"]);
    tests.args(which).envs(server.environment());
    steps.run(step, &mut tests)
}

/// The vectors and the cryptography under each provider. The workspace's own run has `ring` on, since `wa-client`
/// turns it on.
fn providers(steps: &mut Steps) -> Result<()> {
    const CRATES: [&str; 4] = ["-p", "wa-crypto", "-p", "wa-conformance"];
    for (name, features) in [("pure Rust", None), ("aws-lc", Some("wa-crypto/aws-lc"))] {
        let mut tests = steps.cargo(&["test", "--lib", "--tests"]);
        tests.args(CRATES).args(features.map(|feature| ["--features", feature]).into_iter().flatten());
        steps.run(&format!("vectors, {name}"), &mut tests)?;
    }
    Ok(())
}

/// A test that runs reduced everywhere else. It reads `WA_SOAK` (set to 1 here) for its numbers and prints its seed
/// and counts.
struct Big {
    name: &'static str,
    package: &'static str,
    /// Arguments of `cargo test` behind the package: `--test <file>` and a filter.
    arguments: &'static [&'static str],
}

/// The big tests, one line each.
const BIG: &[Big] = &[
    Big {
        name: "signal-sessions",
        package: "wa-signal",
        arguments: &["--test", "model_sessions", "every_outcome"],
    },
    Big {
        name: "signal-sender-keys",
        package: "wa-signal",
        arguments: &["--test", "model_sender_keys", "every_outcome"],
    },
    Big { name: "store-crash", package: "wa-store", arguments: &["--test", "crash"] },
    Big { name: "store-power", package: "wa-store", arguments: &["--test", "power"] },
    Big { name: "store-faults", package: "wa-store", arguments: &["--test", "faults"] },
    Big { name: "store-postgres", package: "wa-store", arguments: &["--test", "postgres_faults", "loses"] },
    Big { name: "client-kill", package: "wa-client", arguments: &["--test", "kill", "killed_at"] },
    Big { name: "client-media", package: "wa-client", arguments: &["--test", "media", "takes_less"] },
    Big { name: "client-day", package: "wa-client", arguments: &["--test", "time", "a_day_of"] },
];

/// Suites below `interop/` that have big numbers as well; named `interop-<suite>`.
const INTEROP_SOAK: [&str; 1] = ["signal"];

pub(crate) fn soak(steps: &mut Steps, arguments: &[String]) -> Result<()> {
    let suites = INTEROP_SOAK.into_iter();
    let suites: Vec<&str> = match arguments {
        [] => suites.collect(),
        [name] => suites.filter(|suite| format!("interop-{suite}") == *name).collect(),
        _ => Vec::new(),
    };
    for suite in &suites {
        interop::soak(steps, suite)?;
    }
    if !arguments.is_empty() && !suites.is_empty() {
        return Ok(());
    }
    let chosen: Vec<&Big> = match arguments {
        [] => BIG.iter().collect(),
        [name] => BIG.iter().filter(|big| big.name == name).collect(),
        _ => bail!("usage: cargo xtask soak [name]"),
    };
    if chosen.is_empty() {
        bail!("no such big test; there are {:?}", BIG.iter().map(|big| big.name).collect::<Vec<_>>());
    }
    for big in chosen {
        let mut tests = steps.cargo(&["test", "--release", "-p", big.package]);
        tests.args(big.arguments).env("WA_SOAK", "1");
        if !big.arguments.contains(&"--") {
            tests.arg("--");
        }
        tests.args(["--nocapture", "--test-threads=1"]);
        steps.run(big.name, &mut tests)?;
    }
    Ok(())
}
