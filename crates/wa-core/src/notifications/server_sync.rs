//! App state has changed elsewhere (chapter 09d §7).

use compact_str::CompactString;
use wa_binary::NodeRef;

use crate::app_state::Collection;
use crate::fields::{number, text};

/// A collection as a `server_sync` notification names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionedCollection {
    /// Its name; one that is not known is skipped.
    pub name: CompactString,
    /// Its version at the server; 0 when not stated, which is always newer.
    pub version: u64,
}

/// What to do about a notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncPlan {
    /// To be fetched, in one batch.
    pub sync: Vec<Collection>,
    /// As new as the server's.
    pub up_to_date: Vec<Collection>,
    /// Not known.
    pub unknown: Vec<CompactString>,
}

/// Reads the collections of a notification.
pub fn collections(node: NodeRef<'_>) -> Vec<VersionedCollection> {
    let read = |collection| {
        let version = number(collection, "version").unwrap_or(0);
        Some(VersionedCollection { name: text(collection, "name")?, version })
    };
    node.each("collection").filter_map(read).collect()
}

impl SyncPlan {
    /// Sorts collections by what is stored of them; `local` gives 0 for one that was never fetched.
    pub fn of(collections: &[VersionedCollection], local: impl Fn(Collection) -> u64) -> Self {
        let mut plan = Self::default();
        for VersionedCollection { name, version } in collections {
            match Collection::from_name(name) {
                None => plan.unknown.push(name.clone()),
                Some(collection) if *version == 0 || local(collection) < *version => {
                    plan.sync.push(collection);
                }
                Some(collection) => plan.up_to_date.push(collection),
            }
        }
        plan
    }
}
