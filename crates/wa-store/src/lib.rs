#![forbid(unsafe_code)]
//! Storage for accounts: many reads, one durable commit.
//!
//! Two layers. Below, a [`Backend`] keeps rows: memory, SQLite, or your own. Above, [`Store`], [`Account`] and
//! [`AccountStore`] give them types, leases, encryption, restores; written once for every backend. The only write is
//! [`AccountStore::commit`] of [`Changes`]: atomic, durable, fenced. What it allows to leave (an ack, a stanza, an
//! event) is inside [`Committed`], which exists only after it has returned (chapter 04 §21).
//!
//! ```
//! use wa_store::{Address, Changes, MemoryStore, Session, tables::Sessions};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let store = MemoryStore::open().await?;
//! let account = store.account("main").open().await?;
//! let phone = Address::new("15550100@s.whatsapp.net", 0);
//! let mut changes = Changes::new();
//! changes.put(Sessions, &phone, &Session::new(b"record".as_slice().into()));
//! let committed = account.commit(changes.holding("the ack")).await?;
//! assert_eq!(committed.release(), "the ack");
//! assert!(account.one(Sessions, &phone).await?.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod address;
pub mod backend;
mod cache;
mod changes;
mod clock;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod columns;
#[cfg(feature = "conformance")]
pub mod conformance;
mod envelope;
mod error;
mod export;
pub mod key;
pub mod lease;
mod maintenance;
mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod records;
mod restore;
#[cfg(feature = "sabotage")]
pub mod sabotage;
#[cfg(not(feature = "sabotage"))]
mod sabotage;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod store;
pub mod tables;

pub use account::{AccountStore, Glance, InboxEntry, PageMark, Records};
pub use address::{Address, Chat, ChatKey, InboxCursor, OutboxOrder, User};
pub use backend::{AccountId, AccountInfo, Backend, Durability, HolderId};
pub use bytes::Bytes;
pub use changes::{Changes, Committed, Pending, Uncommitted};
pub use clock::{Clock, ManualClock, SystemClock, UnixTime};
pub use envelope::StoreKey;
pub use error::{Cause, Damage, ExportDamage, RedactedKey, Retry, StoreError};
pub use export::{EXPORT_VERSION, ExportReport, ImportReport};
pub use maintenance::{AccountCheck, DamagedRow};
pub use memory::{MemoryBackend, MemoryStore};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresBackend, PostgresOptions, PostgresStore};
pub use records::{
    AppStateKey, Attempt, ChatRecord, Collection, CollectionState, Contact, ContactNames, DeadLetter, Device,
    DeviceEntry, DeviceList, DistributionMark, InboxRow, KeyPair, LidRecord, LtHash, MappingSource,
    MarkState, MessageSecret, OutboxRow, OutboxState, PnRecord, PreKey, PreKeyState, PrivacyToken, RecordMac,
    Registration, SecretPage, SecretSource, SendRecord, Sending, SentRow, Session, SignedPreKey,
    SignedPreKeyState,
};
pub use restore::Restored;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteBackend, SqliteOptions, SqliteStore};
pub use store::{Account, Store, StoreBuilder};
pub use tables::{Scope, Table};
