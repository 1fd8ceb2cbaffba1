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

/// Promises that are kept or not, and nothing between.
macro_rules! promises {
    ($($(#[$doc:meta])* $name:ident, but $broken:ident;)*) => {
        impl Promises {
            $(
                $(#[$doc])*
                #[cfg_attr(
                    not(feature = "sabotage"),
                    expect(clippy::unused_self, reason = "only a sabotaged one has a choice")
                )]
                pub(crate) const fn $name(self) -> bool {
                    #[cfg(feature = "sabotage")]
                    return !matches!(self.broken, Sabotage::$broken);
                    #[cfg(not(feature = "sabotage"))]
                    true
                }
            )*
        }
    };
}

promises! {
    /// Whether rows in memory follow what is committed.
    cache_follows_commits, but UntoldCache;
    /// Whether rows in memory are given up when nobody knows what became of a commit.
    cache_gives_up_in_doubt, but TrustedDoubt;
    /// Whether rows in memory belong to one opening of an account.
    cache_ends_with_the_opening, but KeptOverOpenings;
    /// Whether what was read before a commit is not kept after it.
    cache_refuses_late_reads, but LateReads;
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
    /// Rows that are kept in memory are not told of commits.
    UntoldCache,
    /// Rows that are kept in memory stay there when nobody knows what became of a commit.
    TrustedDoubt,
    /// Rows that are kept in memory outlive the opening that read them: another process may have written since.
    KeptOverOpenings,
    /// What was read before a commit is kept in memory after it.
    LateReads,
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
