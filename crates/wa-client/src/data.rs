//! The application's own corner of the account's store: rows by name space and key. It belongs to the application:
//! unlinking, linking again and another number leave it alone.

use compact_str::CompactString;
use wa_store::{Bytes, Changes, StoreError, tables};

use crate::client::Client;

/// A name space of the application's rows.
#[derive(Debug, Clone)]
pub struct Data<'c> {
    client: &'c Client,
    space: CompactString,
}

impl Client {
    /// The application's rows of a name space. Names that begin with `wa/` are reserved.
    pub fn data(&self, space: impl Into<CompactString>) -> Data<'_> {
        Data { client: self, space: space.into() }
    }
}

impl Data<'_> {
    fn at(&self, key: &str) -> (CompactString, Bytes) {
        (self.space.clone(), Bytes::copy_from_slice(key.as_bytes()))
    }

    /// A row.
    ///
    /// # Errors
    /// What the store says.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.client.shared.store.one(tables::KeyValues, &self.at(key)).await
    }

    /// Writes a row; when this returns, it is stored.
    ///
    /// # Errors
    /// What the store says; nothing was written.
    pub async fn set(&self, key: &str, value: impl Into<Bytes>) -> Result<(), StoreError> {
        let mut changes = Changes::new();
        changes.put(tables::KeyValues, &self.at(key), &value.into());
        self.commit(changes).await
    }

    /// Deletes a row; no error if there is none.
    ///
    /// # Errors
    /// What the store says; nothing was deleted.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let mut changes = Changes::new();
        changes.delete(tables::KeyValues, &self.at(key));
        self.commit(changes).await
    }

    /// All rows of the name space, by key.
    ///
    /// # Errors
    /// What the store says.
    pub async fn all(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        let rows = self.client.shared.store.all(tables::KeyValues, &self.space).await?;
        Ok(rows
            .into_iter()
            .map(|((_, key), value)| (String::from_utf8_lossy(&key).into_owned(), value))
            .collect())
    }

    async fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        let _ = self.client.shared.store.commit(changes).await.map_err(StoreError::from)?;
        Ok(())
    }
}
