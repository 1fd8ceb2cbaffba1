//! Upkeep beside live traffic: pruning, vacuum, checks, backup.

use std::path::Path;

use bytes::Bytes;

use crate::account::AccountStore;
use crate::backend::Scan;
use crate::error::{Damage, RedactedKey, StoreError};
use crate::key::Key;
use crate::store::Store;
use crate::tables::Table;

/// Rows that one step of a pruning deletes.
const PRUNED_AT_ONCE: usize = 1_000;

/// What a check of one account found.
#[derive(Debug, Clone, Default)]
pub struct AccountCheck {
    /// Rows that were read.
    pub rows: u64,
    /// Rows that do not decode; [`AccountStore::quarantine`] moves them out of the way.
    pub damaged: Vec<DamagedRow>,
}

/// A row that does not decode.
#[derive(Debug, Clone)]
pub struct DamagedRow {
    /// Its table.
    pub table: Table,
    /// Its key.
    pub key: RedactedKey,
    /// What is wrong.
    pub damage: Damage,
}

impl Store {
    /// Deletes what has expired, in steps between which commits go on. Rows without an expiry are never touched, so
    /// nothing that somebody still has to acknowledge. Gives the number of rows.
    ///
    /// # Errors
    /// What the backend says; what was deleted until then stays deleted.
    pub async fn prune(&self) -> Result<u64, StoreError> {
        let (now, mut all) = (self.now(), 0);
        loop {
            let pruned = self.0.backend.prune(now, PRUNED_AT_ONCE).await?;
            all += pruned;
            if pruned < PRUNED_AT_ONCE as u64 {
                return Ok(all);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Gives unused space back to the system.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`], and what the backend says.
    pub async fn vacuum(&self) -> Result<(), StoreError> {
        self.0.backend.vacuum().await
    }

    /// Checks the medium; an empty list is a clean bill. Rows are checked by [`AccountStore::check`].
    ///
    /// # Errors
    /// What the backend says.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.0.backend.check().await
    }

    /// Writes a consistent copy of all accounts to a new file while everything runs. An account in the copy opens only
    /// with [`Account::restore`](crate::Account::restore).
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`] if the file exists, [`StoreError::Unsupported`], and what the backend says.
    pub async fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        self.0.backend.backup(to.as_ref()).await
    }
}

impl AccountStore {
    /// Reads and decodes every row of the account.
    ///
    /// # Errors
    /// What the backend says; damaged rows are findings, not errors.
    pub async fn check(&self) -> Result<AccountCheck, StoreError> {
        let mut report = AccountCheck::default();
        for &table in Table::ALL {
            let mut scan = Scan { table, prefix: Bytes::new(), after: None, limit: 512 };
            loop {
                let page = self.raw_page(scan.clone()).await?;
                let Some((last, _)) = page.last() else { break };
                scan.after = Some(last.key.clone());
                report.rows += page.len() as u64;
                for (key, payload) in page {
                    let checked = payload.and_then(|(payload, _)| {
                        table.key_reader()(&key.key).then_some(()).ok_or(Damage::Key)?;
                        table.check_record(&payload)
                    });
                    if let Err(damage) = checked {
                        report.damaged.push(DamagedRow { table, key: RedactedKey(key.key), damage });
                    }
                }
            }
        }
        Ok(report)
    }
}

/// Reads a key of type `K` only to see whether it can be read.
pub(crate) fn reads_as<K: Key>(key: &[u8]) -> bool {
    K::from_bytes(key).is_some()
}
