//! The Postgres backend: rows of one process or many in one database. Group commits from one task per opened store, reads
//! from a pool; leases by the server's clock; `synchronous_commit = on` in every transaction that writes.

mod commit;
mod fault;
mod lease;
mod read;
mod schema;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
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
use crate::sabotage::Promises;
use crate::store::{Store, StoreBuilder};
use crate::{StoreError, UnixTime};

/// How long one host of the URL may take to let us in, when the URL does not say.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a call waits for the server.
const PATIENCE: Duration = Duration::from_secs(30);
/// For what takes as long as the tables are large.
const UNTIL_DONE: Duration = Duration::MAX;

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
    patience: Duration,
    tls: Option<Arc<ClientConfig>>,
    migrations: Vec<&'static str>,
    promises: Promises,
}

impl PostgresOptions {
    /// A URL or a `key=value` text as libpq takes it, with these defaults: schema `wa_store`, four connections, 10 s of
    /// patience with a server that does not let us in, 30 s with one that has fallen silent or is not reached any more
    /// (TCP's own limits: `keepalives_idle` 15 s, three of them 5 s apart, `tcp_user_timeout` 30 s).
    ///
    /// # Errors
    /// [`StoreError::Settings`] for a text that does not parse.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(store_error)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
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
            patience: PATIENCE,
            tls: None,
            migrations: schema::MIGRATIONS.to_vec(),
            promises: Promises::default(),
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

    /// How long one call waits for the server at most, for a free connection and a new one included; then it fails with
    /// [`StoreError::NoAnswer`], as a server that is stopped while its connections live would hold it for ever. Default
    /// 30 s, at least 1 ms. Commits that wait behind such a one fail after it, each at the latest when its turn has taken
    /// as long; migrations, `vacuum` and `check` take the time that they need.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience.max(Duration::from_millis(1));
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
        self.promises = Promises::without(sabotage);
        self
    }

    /// One migration behind the newest: what the next version of the library will bring. `{s}` in it is the schema.
    #[cfg(feature = "sabotage")]
    pub fn further_migration(mut self, script: &'static str) -> Self {
        self.migrations.push(script);
        self
    }

    /// Connects, and makes the tables or brings them up to date. Inside a Tokio runtime that lives as long as the store.
    ///
    /// # Errors
    /// [`StoreError::ConnectionLost`], [`StoreError::ServerUnavailable`], [`StoreError::NoAnswer`], [`StoreError::ServerFull`],
    /// [`StoreError::AccessDenied`], [`StoreError::UnknownDatabase`], [`StoreError::Tls`], [`StoreError::Settings`],
    /// [`StoreError::ForeignSchema`], [`StoreError::NewerSchema`], [`StoreError::ReadOnly`].
    pub async fn open(self) -> Result<PostgresBackend, StoreError> {
        schema::check_name(&self.schema)?;
        let pool = self.pool()?;
        let looked = within(self.patience, async {
            let client = pool.get().await.map_err(pool_error)?;
            let durability = schema::durability(&client).await?;
            let version = schema::version(&client, &self.schema).await?;
            Ok((client, durability, version))
        });
        let (mut client, durability, version) = looked.await?;
        // A role that may not change the schema can use it as it is.
        if version != Some(self.migrations.len()) {
            schema::migrate(&mut client, &self.schema, &self.migrations).await?;
        }
        drop(client);
        let sql = Arc::new(Sql::new(&self.schema));
        let committer = Committer::start(pool.clone(), Arc::clone(&sql), self.patience, self.promises);
        Ok(PostgresBackend { schema: self.schema, durability, patience: self.patience, pool, sql, committer })
    }

    fn pool(&self) -> Result<Pool, StoreError> {
        let mut config = self.config.clone();
        // The timeout of the URL ends with the TCP connection; a server may take that and then say nothing.
        let hosts = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
        let patience = config.get_connect_timeout().copied().unwrap_or(CONNECT);
        let patience = patience.saturating_mul(u32::try_from(hosts).unwrap_or(u32::MAX));
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
        let pool = Pool::builder(manager).max_size(self.connections).runtime(Runtime::Tokio1);
        let pool = pool.create_timeout(Some(patience)).build();
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
    patience: Duration,
    pool: Pool,
    sql: Arc<Sql>,
    committer: Committer,
}

/// Waits for the server, but not for ever.
async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let done = tokio::time::timeout(patience, work).await;
    done.unwrap_or(Err(StoreError::NoAnswer { waited: patience }))
}

/// Runs one call on a connection of the pool. One that has failed or was given up does not go back into the pool: it may
/// look alive for a moment longer, and the next call would fail as well.
macro_rules! lent {
    ($self:ident, $client:ident => $work:expr) => {
        lent!($self, $self.patience, $client => $work)
    };
    ($self:ident, $patience:expr, $client:ident => $work:expr) => {{
        let mut lent: Option<Object> = None;
        let done = within($patience, async {
            let $client = lent.insert($self.pool.get().await.map_err(pool_error)?);
            $work.await
        });
        let done = done.await;
        if matches!(
            done,
            Err(StoreError::ConnectionLost(_) | StoreError::ServerUnavailable(_) | StoreError::NoAnswer { .. })
        ) {
            drop(lent.map(Object::take));
        }
        done
    }};
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
        lent!(self, client => read::get_many(client, &self.sql, account, &keys))
    }

    async fn scan(&self, account: &AccountId, scan: Scan) -> Result<Page, StoreError> {
        lent!(self, client => read::scan(client, &self.sql, account, &scan))
    }

    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>> {
        self.committer.commit(batches).await
    }

    async fn heartbeat(&self, holder: &HolderId, _now: UnixTime, ttl: Duration) -> Result<(), StoreError> {
        lent!(self, client => lease::heartbeat(client, &self.sql, holder, ttl))
    }

    async fn retire(&self, holder: &HolderId) -> Result<(), StoreError> {
        lent!(self, client => lease::retire(client, &self.sql, holder))
    }

    async fn acquire(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        _now: UnixTime,
    ) -> Result<Acquired, StoreError> {
        lent!(self, client => lease::acquire(client, &self.sql, account, holder, intent))
    }

    async fn release(&self, account: &AccountId, epoch: u64) -> Result<(), StoreError> {
        lent!(self, client => lease::release(client, &self.sql, account, epoch))
    }

    async fn set_state(&self, account: &AccountId, epoch: u64, to: AccountState) -> Result<(), StoreError> {
        lent!(self, client => lease::set_state(client, &self.sql, account, epoch, to))
    }

    async fn accounts(
        &self,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountInfo>, StoreError> {
        lent!(self, client => lease::accounts(client, &self.sql, after, limit))
    }

    async fn delete_account(&self, account: &AccountId, epoch: u64) -> Result<Deletion, StoreError> {
        lent!(self, client => lease::delete_account(client, &self.sql, account, epoch))
    }

    async fn prune(&self, now: UnixTime, limit: usize) -> Result<u64, StoreError> {
        lent!(self, client => lease::prune(client, &self.sql, now, limit))
    }

    /// Makes the room of deleted rows usable again; the server keeps it.
    async fn vacuum(&self) -> Result<(), StoreError> {
        lent!(self, UNTIL_DONE, client => async { client.batch_execute(&self.sql.vacuum).await.map_err(store_error) })
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        lent!(self, UNTIL_DONE, client => read::check(client, &self.sql))
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.committer.close().await;
        self.pool.close();
        Ok(())
    }
}
