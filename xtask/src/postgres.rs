//! A Postgres server for the tests: the one that `DATABASE_URL` names, or one of the system's packages, installed if need
//! be and started as a non-root user on a free port in a temporary folder. It ends with this.

use anyhow::{Error, Result};

use crate::shell::{Steps, apt_install};

/// The tests of the backend start servers too, when nobody gives them one.
#[path = "../../crates/wa-store/tests/server/mod.rs"]
mod server;

/// A server that the tests may use.
pub(crate) struct Postgres {
    url: String,
    _server: Option<server::Server>,
}

impl Postgres {
    /// Finds or starts a server.
    pub(crate) fn start(steps: &mut Steps) -> Result<Self> {
        // Its programs are needed in either case: some tests kill a server of their own.
        apt_install(steps, server::is_installed, &["postgresql"])?;
        if let Ok(url) = std::env::var("DATABASE_URL") {
            return Ok(Self { url, _server: None });
        }
        // What survives a power cut is not what these tests look at.
        let server = server::Server::start(server::Reach::Port, "fsync = off").map_err(Error::msg)?;
        let url = server.url().to_owned();
        println!("a Postgres server for the tests: {url}");
        Ok(Self { url, _server: Some(server) })
    }

    /// What tests find it by.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 1] {
        [("DATABASE_URL", &self.url)]
    }
}
