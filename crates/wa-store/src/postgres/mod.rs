//! The Postgres backend: rows of one process or many in one database. Group commits from one task per opened store, reads
//! from a pool; leases by the server's clock; `synchronous_commit = on` in every transaction that writes.

mod commit;
mod fault;
mod lease;
mod schema;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use rustls::ClientConfig;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::commit::Committer;
use self::fault::{Unusable, pool_error, store_error};
use self::schema::Sql;
use crate::backend::{
    AccountId, AccountInfo, Applied, Backend, Batch, Deletion, Durability, HolderId, Page, Row, RowKey, Scan,
};
use crate::error::cause;
use crate::lease::{AccountState, Acquired, Intent};
use crate::store::{Store, StoreBuilder};
use crate::{StoreError, UnixTime};

/// A page of a scan has at most so many rows, however many were asked for.
const PAGE_ROWS: usize = 4096;

/// Opens stores in Postgres databases.
#[derive(Debug)]
pub struct PostgresStore;

impl PostgresStore {
    /// Opens or makes the store in the database of the URL (`postgres://user:password@host/database`) with safe defaults.
    ///
    /// # Errors
    /// As [`PostgresOptions::new`] and [`PostgresOptions::open`], and [`StoreError::KeyRequired`].
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        Self::builder(url).await?.open().await
    }

    /// Opens or makes it; the store's own knobs follow.
    ///
    /// # Errors
    /// As [`open`](Self::open), without the key.
    pub async fn builder(url: &str) -> Result<StoreBuilder, StoreError> {
        Ok(Store::builder(Arc::new(PostgresOptions::new(url)?.open().await?)))
    }
}

/// Knobs of the Postgres backend.
#[derive(Clone)]
#[must_use]
pub struct PostgresOptions {
    config: Config,
    schema: String,
    connections: usize,
    tls: Option<Arc<ClientConfig>>,
    #[cfg(feature = "sabotage")]
    sabotage: crate::sabotage::Sabotage,
}

impl PostgresOptions {
    /// A URL or a `key=value` text as libpq takes it, with these defaults: schema `wa_store`, four connections, 10 s of
    /// patience with a server that does not let us in, 30 s with one that has fallen silent.
    ///
    /// # Errors
    /// [`StoreError::Settings`] for a text that does not parse.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(store_error)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        if config.get_keepalives_interval().is_none() {
            let (idle, interval) = (Duration::from_secs(15), Duration::from_secs(5));
            config.keepalives_idle(idle).keepalives_interval(interval).keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("wa-store");
        }
        Ok(Self {
            config,
            schema: "wa_store".to_owned(),
            connections: 4,
            tls: None,
            #[cfg(feature = "sabotage")]
            sabotage: crate::sabotage::Sabotage::None,
        })
    }

    /// The schema that holds the tables; made if it does not exist. 1 to 63 bytes.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Most connections, at least 2: one commits, the others read and renew leases.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(2);
        self
    }

    /// Encrypts every connection and checks the server's certificate as this configuration says. Without it only servers
    /// on this machine are spoken to, unless the URL says `sslmode=disable`.
    pub fn tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Breaks a promise on purpose.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(mut self, sabotage: crate::sabotage::Sabotage) -> Self {
        self.sabotage = sabotage;
        self
    }

    /// Connects, and makes the tables or brings them up to date. Inside a Tokio runtime that lives as long as the store.
    ///
    /// # Errors
    /// [`StoreError::ConnectionLost`], [`StoreError::ServerUnavailable`], [`StoreError::ServerFull`],
    /// [`StoreError::AccessDenied`], [`StoreError::UnknownDatabase`], [`StoreError::Tls`], [`StoreError::Settings`],
    /// [`StoreError::ForeignSchema`], [`StoreError::NewerSchema`], [`StoreError::ReadOnly`].
    pub async fn open(self) -> Result<PostgresBackend, StoreError> {
        schema::check_name(&self.schema)?;
        let pool = self.pool()?;
        let mut client = pool.get().await.map_err(pool_error)?;
        let durability = schema::durability(&client).await?;
        schema::migrate(&mut client, &self.schema).await?;
        drop(client);
        let sql = Arc::new(Sql::new(&self.schema));
        let committer = Committer::start(
            pool.clone(),
            Arc::clone(&sql),
            #[cfg(feature = "sabotage")]
            self.sabotage,
        );
        Ok(PostgresBackend { schema: self.schema, durability, pool, sql, committer })
    }

    fn pool(&self) -> Result<Pool, StoreError> {
        let mut config = self.config.clone();
        let manage = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &self.tls {
            Some(tls) => {
                config.ssl_mode(SslMode::Require);
                Manager::from_config(config, MakeRustlsConnect::new(ClientConfig::clone(tls)), manage)
            }
            None => {
                match config.get_ssl_mode() {
                    SslMode::Disable => {}
                    SslMode::Require => return Err(Unusable::NoTlsConfiguration.into()),
                    _ if leaves_the_machine(&config) => return Err(Unusable::PlainOverNetwork.into()),
                    _ => {}
                }
                Manager::from_config(config, NoTls, manage)
            }
        };
        let pool = Pool::builder(manager).max_size(self.connections).build();
        pool.map_err(|error| StoreError::Settings(cause(error)))
    }
}

fn leaves_the_machine(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return !addresses.iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().any(|host| match host {
        Host::Tcp(name) => {
            name != "localhost" && !name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => false,
    })
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Rows in a Postgres database.
pub struct PostgresBackend {
    schema: String,
    durability: Durability,
    pool: Pool,
    sql: Arc<Sql>,
    committer: Committer,
}

impl PostgresBackend {
    async fn connection(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(pool_error)
    }
}

impl fmt::Debug for PostgresBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBackend").field("schema", &self.schema).finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for PostgresBackend {
    /// [`Durability::Process`] if the server runs without `fsync` or `full_page_writes`.
    fn durability(&self) -> Durability {
        self.durability
    }

    async fn get_many(&self, account: &AccountId, keys: Vec<RowKey>) -> Result<Vec<Option<Row>>, StoreError> {
        let client = self.connection().await?;
        let select = client.prepare_cached(&self.sql.get_many).await.map_err(store_error)?;
        let tables: Vec<i16> = keys.iter().map(|key| key.table.number().into()).collect();
        let names: Vec<&[u8]> = keys.iter().map(|key| &key.key[..]).collect();
        let found =
            client.query(&select, &[&account.as_str(), &tables, &names]).await.map_err(store_error)?;
        let mut rows = vec![None; keys.len()];
        for row in found {
            let place: i64 = row.try_get(0).map_err(store_error)?;
            let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
            if let Some(slot) = rows.get_mut(place) {
                *slot = Some(row_at(&row, 1)?);
            }
        }
        Ok(rows)
    }

    async fn scan(&self, account: &AccountId, scan: Scan) -> Result<Page, StoreError> {
        let client = self.connection().await?;
        let select = client.prepare_cached(&self.sql.scan).await.map_err(store_error)?;
        let wanted = scan.limit.clamp(1, PAGE_ROWS);
        let limit = i64::try_from(wanted + 1).unwrap_or(i64::MAX);
        let end = upper_bound(&scan.prefix);
        let table = i16::from(scan.table.number());
        let found = client
            .query(
                &select,
                &[&account.as_str(), &table, &&scan.prefix[..], &scan.after.as_deref(), &end, &limit],
            )
            .await
            .map_err(store_error)?;
        let more = found.len() > wanted;
        let rows = found.iter().take(wanted).map(|row| Ok((bytes_at(row, 0)?, row_at(row, 1)?)));
        Ok(Page { rows: rows.collect::<Result<_, StoreError>>()?, more })
    }

    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>> {
        self.committer.commit(batches).await
    }

    async fn heartbeat(&self, holder: &HolderId, _now: UnixTime, ttl: Duration) -> Result<(), StoreError> {
        lease::heartbeat(&mut self.connection().await?, &self.sql, holder, ttl).await
    }

    async fn retire(&self, holder: &HolderId) -> Result<(), StoreError> {
        lease::retire(&mut self.connection().await?, &self.sql, holder).await
    }

    async fn acquire(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        _now: UnixTime,
    ) -> Result<Acquired, StoreError> {
        lease::acquire(&mut self.connection().await?, &self.sql, account, holder, intent).await
    }

    async fn release(&self, account: &AccountId, epoch: u64) -> Result<(), StoreError> {
        lease::release(&mut self.connection().await?, &self.sql, account, epoch).await
    }

    async fn set_state(&self, account: &AccountId, epoch: u64, to: AccountState) -> Result<(), StoreError> {
        lease::set_state(&mut self.connection().await?, &self.sql, account, epoch, to).await
    }

    async fn accounts(
        &self,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountInfo>, StoreError> {
        lease::accounts(&self.connection().await?, &self.sql, after, limit).await
    }

    async fn delete_account(&self, account: &AccountId, epoch: u64) -> Result<Deletion, StoreError> {
        lease::delete_account(&mut self.connection().await?, &self.sql, account, epoch).await
    }

    async fn prune(&self, now: UnixTime, limit: usize) -> Result<u64, StoreError> {
        let mut client = self.connection().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let transaction = schema::writing(&mut client).await?;
        let pruned = transaction.execute(&self.sql.prune, &[&signed(now.as_millis()), &limit]).await;
        let pruned = pruned.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(pruned)
    }

    /// Makes the room of deleted rows usable again; the server keeps it.
    async fn vacuum(&self) -> Result<(), StoreError> {
        self.connection().await?.batch_execute(&self.sql.vacuum).await.map_err(store_error)
    }

    /// Rows without an account. The server's own files are the business of `pg_amcheck`.
    async fn check(&self) -> Result<Vec<String>, StoreError> {
        let orphans = self.connection().await?.query(&self.sql.orphans, &[]).await.map_err(store_error)?;
        let findings = orphans.iter().map(|row| {
            let (account, rows): (i64, i64) =
                (row.try_get(0).map_err(store_error)?, row.try_get(1).map_err(store_error)?);
            Ok(format!("{rows} rows belong to account number {account}, which does not exist"))
        });
        findings.collect()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.committer.close().await;
        self.pool.close();
        Ok(())
    }
}

/// The first key behind all that begin with `prefix`; `None` if there is no such key.
fn upper_bound(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut upper = prefix.get(..=kept)?.to_vec();
    *upper.last_mut()? += 1;
    Some(upper)
}

fn bytes_at(row: &tokio_postgres::Row, column: usize) -> Result<Bytes, StoreError> {
    row.try_get::<_, &[u8]>(column).map(Bytes::copy_from_slice).map_err(store_error)
}

/// Columns `value, expires` from `first` on.
fn row_at(row: &tokio_postgres::Row, first: usize) -> Result<Row, StoreError> {
    let expires: Option<i64> = row.try_get(first + 1).map_err(store_error)?;
    Ok(Row { value: bytes_at(row, first)?, expires: expires.map(time) })
}

fn time(millis: i64) -> UnixTime {
    UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn millis(time: Option<UnixTime>) -> Option<i64> {
    time.map(|time| signed(time.as_millis()))
}

/// Postgres's integers are signed; epochs and times never come near the end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
