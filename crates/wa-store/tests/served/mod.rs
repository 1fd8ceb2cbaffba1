//! The server that a Postgres test runs against. Without one the test fails and says how to get one. Only where the whole
//! workspace is tested at once Rust alone is enough (feature `rust-alone`): there the tests of a file that finds no server
//! are left out, and the run says so.

#[path = "../server/mod.rs"]
mod server;

use std::io::Write;
use std::path::Path;

#[allow(unused_imports, reason = "not every file of tests names the server's type")]
pub(crate) use server::{Reach, Server};

/// As [`Server::start`].
#[allow(dead_code, reason = "not every file of tests takes a server as it comes")]
pub(crate) fn start(reach: Reach, settings: &str) -> Server {
    prepared(reach, settings, |_| Ok(()))
}

/// As [`Server::prepared`].
pub(crate) fn prepared(
    reach: Reach,
    settings: &str,
    prepare: impl FnOnce(&Path) -> Result<(), String>,
) -> Server {
    if cfg!(feature = "rust-alone") && !server::is_installed() {
        left_out();
    }
    Server::prepared(reach, settings, prepare).unwrap_or_else(|error| panic!("{error}"))
}

/// Ends the process well, so that no test claims to have passed.
fn left_out() -> ! {
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    // Not by a macro: the test runner would keep what it prints to itself. Locked to the end: others leave out as well.
    let mut told = std::io::stderr().lock();
    let _ = writeln!(told, "\nLEFT OUT: all tests of {name} ({})", server::HINT);
    std::process::exit(0)
}
