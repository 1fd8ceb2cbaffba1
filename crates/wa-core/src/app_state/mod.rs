//! App state: the account's end-to-end encrypted key/value store, as records, hashes, patches and snapshots.
//!
//! Chapter 07 of the protocol: [`keys`] (§2), [`mutation`] one record (§4), [`lthash`] and the aggregate MACs (§5),
//! [`apply`] what a device does with a patch or snapshot (§7), [`build`] what it sends (§9.1), [`recovery`] the
//! phone's plain snapshot (§7.6), [`wire`] the sync iq (§6). No function changes what it was given: the new state
//! is returned and stored in one commit, or dropped.

pub mod apply;
pub mod build;
mod error;
pub mod index;
pub mod keys;
pub mod lthash;
pub mod mutation;
pub mod recovery;
pub mod wire;

pub use apply::{
    Applied, Head, PatchPolicy, RecordChange, RecordMacs, SnapshotPolicy, apply_patch, apply_snapshot,
    decode_mutations,
};
pub use build::{
    BuiltPatch, BuiltSnapshot, Replaced, build_patch, build_patch_replacing, build_patch_with, build_snapshot,
};
pub use error::AppStateError;
pub use keys::{ExpandedKeys, KeyRing, SyncKey, active_key, key_device_and_epoch};
pub use lthash::LtHash;
pub use mutation::{Mutation, Operation};

#[cfg(test)]
mod tests;

/// Most records that a snapshot may have.
pub const MAX_RECORDS: usize = 1_000_000;
/// Longest index text, bytes.
pub const MAX_INDEX: usize = 4096;

/// One of the five independently versioned stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// Push name and locale: fetched before a session is announced.
    CriticalBlock,
    /// Contacts.
    CriticalUnblockLow,
    /// Mutes, stars, deletions.
    RegularHigh,
    /// Pins, archive, read state, settings.
    RegularLow,
    /// Labels, quick replies and the rest.
    Regular,
}

impl Collection {
    /// All of them, the critical pair first, in the order of the first fetch.
    pub const ALL: [Self; 5] =
        [Self::CriticalBlock, Self::CriticalUnblockLow, Self::Regular, Self::RegularHigh, Self::RegularLow];

    /// Wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CriticalBlock => "critical_block",
            Self::CriticalUnblockLow => "critical_unblock_low",
            Self::RegularHigh => "regular_high",
            Self::RegularLow => "regular_low",
            Self::Regular => "regular",
        }
    }

    /// From a wire name; `None` for an unknown one, which is skipped with a warning.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }
}

impl core::fmt::Display for Collection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
