//! A Postgres server for the tests: the one that `DATABASE_URL` names, or none.

use anyhow::Result;

use crate::shell::Steps;

/// A server that the tests may use; its tests are skipped without one.
pub(crate) struct Postgres {
    url: Option<String>,
}

impl Postgres {
    /// Finds or starts a server.
    pub(crate) fn start(_steps: &mut Steps) -> Result<Self> {
        Ok(Self { url: std::env::var("DATABASE_URL").ok() })
    }

    /// What tests find it by.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.url.iter().map(|url| ("DATABASE_URL", url.as_str()))
    }
}
