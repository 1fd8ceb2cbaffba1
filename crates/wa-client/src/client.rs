//! The client of one account: how it is built, and what the application asks of it.

use std::sync::Arc;
use std::time::Duration;

use rand_core::CryptoRng;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};
use wa_noise::RootCa;
use wa_store::{Account, AccountId, AccountStore, Changes, StoreError, Table, tables};

use crate::config::{BackOff, ClientVersion, Config, DeviceName, InboxLimit, Timeouts, VersionSource};
use crate::connection::link::{RequestError, iq};
use crate::connection::outcome::Ended;
use crate::connection::supervisor::{Control, Supervisor};
use crate::connection::transport::Connector;
use crate::credentials::{self, Own};
use crate::egress::Egress;
use crate::events::EventStream;
use crate::health::board::Board;
use crate::health::{Cause, Condition, Health, Status};
use crate::identity::Peer;
use crate::linking::{LinkCheck, PasskeyAuthenticator};
use crate::shared::{Rng, Shared};

/// Builds a client. Every setting has a safe default.
#[must_use]
pub struct Builder {
    account: Account,
    config: Config,
    lease_wait: Option<Box<dyn LeaseWait>>,
}

/// Why a client could not be started. Trouble of the network is never here: that is [`Health`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The store or the lease.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The URL is not `ws://` or `wss://` with a host.
    #[error("not a WebSocket URL: {0}")]
    Url(String),
    /// TLS settings.
    #[error(transparent)]
    Egress(#[from] crate::egress::EgressError),
}

impl Builder {
    /// Another server: the simulator's URL.
    pub fn url(mut self, url: Uri) -> Self {
        self.config.url = url;
        self
    }

    /// Another root of trust for the server's certificate chain: the simulator's. There is no switch that skips the
    /// check.
    pub fn root(mut self, root: RootCa) -> Self {
        self.config.root = root;
        self
    }

    /// Proxy and TLS for every byte that leaves.
    pub fn egress(mut self, egress: Egress) -> Self {
        self.config.egress = egress;
        self
    }

    /// Another `Origin` header, or none.
    pub fn origin(mut self, origin: Option<HeaderValue>) -> Self {
        self.config.origin = origin;
        self
    }

    /// A further header of the WebSocket upgrade.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.config.headers.push((name, value));
        self
    }

    /// How the device is shown in the phone's list.
    pub fn device(mut self, device: DeviceName) -> Self {
        self.config.device = device;
        self
    }

    /// Another client version than the built-in one.
    pub fn version(mut self, version: ClientVersion) -> Self {
        self.config.version = version;
        self
    }

    /// Where the current version is looked up when the server refuses ours.
    pub fn version_source(mut self, source: impl VersionSource + 'static) -> Self {
        self.config.version_source = Some(Arc::new(source));
        self
    }

    /// Other limits of time.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.config.timeouts = timeouts;
        self
    }

    /// Other waits between attempts to connect.
    pub fn back_off(mut self, back_off: BackOff) -> Self {
        self.config.back_off = back_off;
        self
    }

    /// Another way to open connections.
    pub fn connector(mut self, connector: impl Connector + 'static) -> Self {
        self.config.connector = Arc::new(connector);
        self
    }

    /// Another way to open connections to the media hosts.
    pub fn media_connector(mut self, connector: impl crate::media::MediaConnector + 'static) -> Self {
        self.config.media_connector = Some(Arc::new(connector));
        self
    }

    /// Whether the account is shown as online while connected (default: yes).
    pub fn mark_online(mut self, presence: crate::presence::OnConnect) -> Self {
        self.config.presence = presence;
        self
    }

    /// How much may wait for the application.
    pub fn inbox_limit(mut self, limit: InboxLimit) -> Self {
        self.config.inbox = limit;
        self
    }

    /// How many numbers may be looked up on the server.
    pub fn lookup_budget(mut self, budget: crate::contacts::LookupBudget) -> Self {
        self.config.lookups = budget;
        self
    }

    /// The application's check of an account before it is linked.
    pub fn link_check(mut self, check: impl LinkCheck + 'static) -> Self {
        self.config.link_check = Some(Arc::new(check));
        self
    }

    /// The application's part of a link that demands a passkey. Without it such a link fails.
    pub fn passkey(mut self, authenticator: impl PasskeyAuthenticator + 'static) -> Self {
        self.config.passkey = Some(Arc::new(authenticator));
        self
    }

    /// Waits for the account when another process holds it, instead of failing. `told` hears the health
    /// ([`HeldByAnotherProcess`](crate::health::Status::HeldByAnotherProcess)) before each wait, and says whether to go on.
    pub fn wait_for_lease(mut self, told: impl LeaseWait + 'static) -> Self {
        self.lease_wait = Some(Box::new(told));
        self
    }

    /// Another generator than the operating system's: a seeded one makes a run repeatable. Never for production.
    pub fn randomness(mut self, rng: impl CryptoRng + Send + Sync + 'static) -> Self {
        self.config.randomness = Some(Box::new(rng));
        self
    }

    /// Breaks a promise, so that a test can show that it would notice.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(mut self, sabotage: crate::sabotage::Sabotage) -> Self {
        self.config.sabotage = sabotage;
        self
    }

    /// Calls a hook at every point at which a test may kill the process.
    #[cfg(feature = "sabotage")]
    pub fn points(mut self, points: crate::sabotage::Points) -> Self {
        self.config.points = points;
        self
    }

    /// Opens the account and starts to connect in the background.
    ///
    /// # Errors
    /// [`ConnectError`]: store, lease or settings. Whatever the network does is told by [`Client::health`] and by
    /// events.
    pub async fn connect(mut self) -> Result<(Client, EventStream), ConnectError> {
        if !matches!(self.config.url.scheme_str(), Some("ws" | "wss")) || self.config.url.host().is_none() {
            return Err(ConnectError::Url(self.config.url.to_string()));
        }
        // Settings fail here and not at the first attempt.
        let tls = self.config.egress.tls()?;
        let (store, occupied) = open(&self.account, self.lease_wait.take()).await?;
        let mut rng: Rng = match self.config.randomness.take() {
            Some(rng) => rng,
            None => Box::new(os_seeded()?),
        };
        let device = match store.one(tables::Devices, &()).await? {
            Some(device) => device,
            None => {
                let (device, signed) = credentials::create(store.store().clock().now(), &mut rng);
                let mut changes = Changes::new();
                credentials::store_new(&mut changes, &device, &signed);
                let _ = store.commit(changes).await.map_err(StoreError::from)?;
                device
            }
        };
        // What a look-up has brought before counts, unless this build or the application knows a newer one.
        if let Some(known) = crate::state::known_version(&store).await {
            self.config.version = self.config.version.max(known);
        }
        let (tell, control) = mpsc::unbounded_channel();
        let has_rows = occupied.contains(&Table::Inbox);
        let shared = Arc::new(Shared::new(self.config, store, device, rng, tell, occupied));
        let running = Arc::new(Running { supervisor: parking_lot::Mutex::new(None), _tls: tls });
        let client = Client { shared: Arc::clone(&shared), running };
        // Before anything new comes: what is in the inbox now was there before.
        let events = EventStream::open(client.clone(), has_rows).await?;
        let supervisor = tokio::spawn(Supervisor::new(shared, control).run());
        *client.running.supervisor.lock() = Some(supervisor);
        Ok((client, events))
    }
}

/// Why a push name was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushNameError {
    /// It is empty.
    #[error("an account cannot be called nothing")]
    Empty,
    /// It was not stored: the health says why.
    #[error("the name was not stored")]
    Store,
}

/// Hears that another process holds the account.
pub trait LeaseWait: Send {
    /// The health meanwhile: who holds the account, and until when. False gives up.
    fn held(&mut self, health: &Health) -> bool;
}

/// Longest wait between two looks at a lease.
const LEASE_LOOK: Duration = Duration::from_secs(5);

/// Takes the lease; with the tables that hold something, of those that a start asks about.
async fn open(
    account: &Account,
    mut told: Option<Box<dyn LeaseWait>>,
) -> Result<(AccountStore, Vec<Table>), StoreError> {
    let glance = crate::state::glance();
    let mut since = None;
    loop {
        let error = match account.open_with(&glance).await {
            Err(error @ StoreError::Held { .. }) => error,
            other => return other,
        };
        let (StoreError::Held { holder, until, .. }, Some(told)) = (&error, &mut told) else {
            return Err(error);
        };
        let now = account.store().clock().now();
        let status = Status::HeldByAnotherProcess { holder: holder.to_string(), until: *until };
        let wait = until.since(now).clamp(Duration::from_millis(100), LEASE_LOOK);
        let mut condition = Condition::new(status, Cause::HeldElsewhere, *since.get_or_insert(now))
            .next_attempt(now.after(wait));
        condition.deadline = Some(*until);
        let mut board = Board::new(now, account.store().durability());
        board.connection(condition);
        if !told.held(&board.health()) {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
    }
}

/// The operating system's randomness, as the seed of a generator that cannot fail later.
fn os_seeded() -> Result<impl CryptoRng + Send + Sync, StoreError> {
    use rand::SeedableRng;
    rand::rngs::StdRng::try_from_rng(&mut rand::rngs::SysRng)
        .map_err(|error| StoreError::Randomness(Arc::new(error)))
}

struct Running {
    supervisor: parking_lot::Mutex<Option<JoinHandle<()>>>,
    /// Kept for the server's tickets, which otherwise would end with the connection.
    _tls: Arc<rustls::ClientConfig>,
}

impl Drop for Running {
    // Dropping the last handle is as safe as a crash: nothing is half done that a new start does not finish.
    fn drop(&mut self) {
        if let Some(task) = self.supervisor.get_mut().take() {
            task.abort();
        }
    }
}

/// A handle of one account's client. Clones are the same client; it ends with the last one.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    running: Arc<Running>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("account", self.account()).finish_non_exhaustive()
    }
}

/// The health of an account as it changes. States that were passed while nobody looked are skipped.
#[derive(Debug, Clone)]
pub struct HealthChanges(tokio::sync::watch::Receiver<Health>);

impl HealthChanges {
    /// The health as it is now; [`next`](Self::next) waits for another one.
    pub fn now(&mut self) -> Health {
        self.0.borrow_and_update().clone()
    }

    /// The next state that was not seen yet; `None` when the client is gone.
    pub async fn next(&mut self) -> Option<Health> {
        self.0.changed().await.ok()?;
        Some(self.now())
    }
}

/// Why waiting for the connection ended without one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not online within {within:?}: {health}")]
pub struct NotOnline {
    /// How long was waited.
    pub within: Duration,
    /// The health at the end.
    pub health: Box<Health>,
}

impl Client {
    /// Begins to build a client for an account of a store.
    pub fn builder(account: Account) -> Builder {
        Builder { account, config: Config::default(), lease_wait: None }
    }

    /// The account's name.
    pub fn account(&self) -> &AccountId {
        self.shared.store.id()
    }

    /// Who the account is, once it is linked.
    pub fn me(&self) -> Option<Peer> {
        let device = self.shared.device();
        Some(Peer::of(&device.pn()?, device.lid().as_ref()))
    }

    /// What the account calls itself, once that is known.
    pub fn push_name(&self) -> Option<String> {
        Some(self.shared.device().push_name.to_string()).filter(|name| !name.is_empty())
    }

    /// Sets what the account calls itself: others see it from now on, and the phone and the other devices follow.
    /// Stored before it is shown.
    ///
    /// # Errors
    /// [`PushNameError`].
    pub async fn set_push_name(&self, name: &str) -> Result<(), PushNameError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(PushNameError::Empty);
        }
        let shared = &self.shared;
        crate::vault::change_device(shared, |device, changes| {
            device.push_name = name.into();
            if device.registration.is_some() {
                crate::app_state::pend_push_name(changes, name, shared.server_now());
            }
        })
        .await
        .map_err(|_| PushNameError::Store)?;
        crate::app_state::push_pending(shared);
        if let Some(link) = self.shared.sending_link() {
            crate::presence::on_connect(&self.shared, &link);
        }
        Ok(())
    }

    /// The health as it is now.
    pub fn health(&self) -> Health {
        self.shared.health().borrow().clone()
    }

    /// Watches the health: the newest state, apart from the events. Any number of watchers.
    pub fn health_changes(&self) -> HealthChanges {
        HealthChanges(self.shared.health())
    }

    /// Waits until the account is online.
    ///
    /// # Errors
    /// [`NotOnline`] after `timeout`, with the health that explains it.
    pub async fn wait_online(&self, timeout: Duration) -> Result<(), NotOnline> {
        let mut health = self.shared.health();
        match tokio::time::timeout(timeout, health.wait_for(Health::is_online)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(NotOnline { within: timeout, health: Box::new(self.health()) }),
        }
    }

    /// Connects now: ends a wait, lifts a stop (after a conflict or expired codes), renews a connection.
    pub fn reconnect_now(&self) {
        self.shared.control(Control::Reconnect);
    }

    /// Proves the round trip: asks the server and waits for its answer.
    ///
    /// # Errors
    /// [`RequestError`]: there is no connection, or no answer came.
    pub async fn probe(&self) -> Result<Duration, RequestError> {
        let started = tokio::time::Instant::now();
        // Any answer proves the round trip, a refusal too.
        match self.shared.link()?.ask(|id| iq(id, "get", "w:p")).await {
            Ok(_) | Err(RequestError::Refused { .. }) => Ok(started.elapsed()),
            Err(error) => Err(error),
        }
    }

    /// Unlinks the device: tells the server, then deletes what belongs to the number. The application's data stays.
    ///
    /// # Errors
    /// [`RequestError`]: the server was not told, and nothing is deleted.
    pub async fn logout(&self) -> Result<(), RequestError> {
        let link = self.shared.link()?;
        let own = self.shared.device().pn().ok_or(RequestError::Disconnected)?;
        let remove =
            wa_binary::Node::new("remove-companion-device").attr("jid", own).attr("reason", "user_initiated");
        // The server may end the connection right behind its answer.
        self.shared.set_leaving(true);
        let told = link.ask(|id| iq(id, "set", "md").child(remove)).await;
        if told.is_err() {
            self.shared.set_leaving(false);
        }
        told?;
        link.end(Ended::LoggedOut);
        Ok(())
    }

    /// Unlinks the device whether the server can be told or not: what belongs to the number is deleted, and nothing
    /// that was on its way is sent. A server that was not told keeps the device until it is removed on the phone.
    pub async fn logout_force(&self) {
        if self.me().is_some() && self.logout().await.is_err() {
            self.shared.control(Control::Forget);
        }
    }

    /// Stops reading, finishes the commit in flight, sends its acks, closes and gives the lease back. After `deadline`
    /// it is as if the process had crashed, which is safe as well.
    pub async fn shutdown(&self, deadline: Duration) {
        self.shared.control(Control::Shutdown);
        let task = self.running.supervisor.lock().take();
        if let Some(mut task) = task
            && tokio::time::timeout(deadline, &mut task).await.is_err()
        {
            task.abort();
            self.shared.set_stopped();
        }
    }
}
