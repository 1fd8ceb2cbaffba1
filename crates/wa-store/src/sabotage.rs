//! Switches that break a promise on purpose, so that a test can show that it would notice. Only under the feature
//! `sabotage`, which nothing that ships turns on.

use crate::lease::Fencing;

/// Which promise is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// None.
    #[default]
    None,
    /// Commits are answered before they are durable.
    AckBeforeCommit,
    /// Commits with an old epoch are applied.
    NoFenceCheck,
}

impl Sabotage {
    pub(crate) const fn fencing(self) -> Fencing {
        match self {
            Self::NoFenceCheck => Fencing::Ignored,
            _ => Fencing::Checked,
        }
    }
}

/// Hears where each group commit of SQLite stands; runs on the writing thread, so a hook may kill the process there.
#[cfg(feature = "sqlite")]
#[derive(Clone)]
pub struct Points(std::sync::Arc<dyn Fn(crate::sqlite::Point) + Send + Sync>);

#[cfg(feature = "sqlite")]
impl Points {
    /// Calls `hook` at every point.
    pub fn new(hook: impl Fn(crate::sqlite::Point) + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(hook))
    }

    pub(crate) fn at(&self, point: crate::sqlite::Point) {
        (self.0)(point);
    }
}

#[cfg(feature = "sqlite")]
impl std::fmt::Debug for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Points")
    }
}
