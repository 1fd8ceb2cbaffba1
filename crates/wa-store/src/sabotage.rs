//! Switches that break a promise on purpose, so that a test can show that it would notice. Only under the feature
//! `sabotage`, which nothing that ships turns on; without it a backend's [`Promises`] are all kept.

use crate::lease::Fencing;

/// What a backend keeps of its promises. Takes no room in a build that ships.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Promises {
    #[cfg(feature = "sabotage")]
    broken: Sabotage,
}

impl Promises {
    /// All but one.
    #[cfg(feature = "sabotage")]
    pub(crate) const fn without(broken: Sabotage) -> Self {
        Self { broken }
    }

    /// Whether the epoch of a commit is looked at.
    #[cfg_attr(
        not(feature = "sabotage"),
        expect(clippy::unused_self, reason = "only a sabotaged one has a choice")
    )]
    pub(crate) const fn fencing(self) -> Fencing {
        #[cfg(feature = "sabotage")]
        if matches!(self.broken, Sabotage::NoFenceCheck) {
            return Fencing::Ignored;
        }
        Fencing::Checked
    }

    /// Whether commits are answered before they are durable.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    #[cfg_attr(
        not(feature = "sabotage"),
        expect(clippy::unused_self, reason = "only a sabotaged one has a choice")
    )]
    pub(crate) const fn answers_early(self) -> bool {
        #[cfg(feature = "sabotage")]
        return matches!(self.broken, Sabotage::AckBeforeCommit);
        #[cfg(not(feature = "sabotage"))]
        false
    }
}

/// Which promise is broken.
#[cfg(feature = "sabotage")]
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

/// Hears where each group commit of SQLite stands; runs on the writing thread, so a hook may kill the process there.
#[cfg(all(feature = "sabotage", feature = "sqlite"))]
#[derive(Clone)]
pub struct Points(std::sync::Arc<dyn Fn(crate::sqlite::Point) + Send + Sync>);

#[cfg(all(feature = "sabotage", feature = "sqlite"))]
impl Points {
    /// Calls `hook` at every point.
    pub fn new(hook: impl Fn(crate::sqlite::Point) + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(hook))
    }

    pub(crate) fn at(&self, point: crate::sqlite::Point) {
        (self.0)(point);
    }
}

#[cfg(all(feature = "sabotage", feature = "sqlite"))]
impl std::fmt::Debug for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Points")
    }
}
