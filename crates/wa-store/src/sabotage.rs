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
