//! What the tasks of one client share. No lock here is held while waiting for the network; the vault's own lock is
//! the order in which cryptographic state changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rand::RngExt;
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use tokio::sync::{Mutex as OrderedMutex, mpsc, watch};
use wa_binary::Jid;
use wa_store::{AccountStore, Changes, Device, InboxRow, StoreError, Table, UnixTime, tables};

use crate::config::{ClientVersion, Config};
use crate::connection::beat::Beat;
use crate::connection::link::{Link, RequestError, RequestIds};
use crate::connection::supervisor::Control;
use crate::events::{Inbox, Kind, Slot, Stored, StoredEvent, Transients};
use crate::health::Health;
use crate::health::board::{Board, Place};
use crate::identity::{Peer, user_row};
use crate::messages::outbox::Workers;
use crate::messages::sending::Reports;
use crate::vault::Vault;
use crate::vault::together::Together;

/// The generator of a client.
pub(crate) type Rng = Box<dyn CryptoRng + Send + Sync>;

/// One client's state.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: AccountStore,
    /// Tables that held rows when the account was opened, of those that a start asks about.
    pub(crate) occupied: Vec<Table>,
    pub(crate) vault: OrderedMutex<Vault>,
    pub(crate) transients: Transients,
    pub(crate) ids: Arc<RequestIds>,
    pub(crate) beat: Beat,
    device: RwLock<Arc<Device>>,
    /// A login was counted in the credentials since they were stored.
    has_counted: AtomicBool,
    board: Mutex<Board>,
    health: watch::Sender<Health>,
    link: watch::Sender<Option<Link>>,
    control: mpsc::UnboundedSender<Control>,
    rng: Mutex<Rng>,
    /// Server time minus local time, milliseconds, as two's complement.
    skew: AtomicU64,
    pub(crate) inbox: Inbox,
    /// Events that wait there.
    inbox_rows: AtomicU64,
    stopped: AtomicBool,
    /// Whether the account is shown as online: receipts are active then.
    active: AtomicBool,
    /// The application is logging out: what ends the connection is its own doing.
    leaving: AtomicBool,
    /// The connection that messages may be sent on: one that has caught up.
    ready: AtomicU64,
    pub(crate) version: Mutex<ClientVersion>,
    pub(crate) reports: Reports,
    pub(crate) workers: Workers,
    pub(crate) together: Together,
    pub(crate) linking: crate::linking::Room,
    pub(crate) media: crate::media::Shares,
    pub(crate) held: Mutex<crate::backlog::Held>,
    pub(crate) absence: crate::absence::Absence,
    pub(crate) app_state: crate::app_state::Room,
    pub(crate) questions: crate::peer::Questions,
    pub(crate) fetching_history: crate::history::Fetching,
    pub(crate) asking_phone: crate::messages::placeholder::Asking,
    pub(crate) lookups: OrderedMutex<crate::contacts::Spent>,
    /// When the server last told of a new device of the account.
    new_device: Mutex<Option<tokio::time::Instant>>,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        store: AccountStore,
        device: Device,
        mut rng: Rng,
        control: mpsc::UnboundedSender<Control>,
        occupied: Vec<Table>,
    ) -> Self {
        let now = store.store().clock().now();
        let board = Board::new(now, store.store().durability());
        let ids = RequestIds::new(rng.random(), rng.random());
        Self {
            vault: OrderedMutex::new(Vault::new()),
            transients: Transients::default(),
            ids: Arc::new(ids),
            beat: Beat::new(store.store().holder(), &config.egress),
            device: RwLock::new(Arc::new(device)),
            has_counted: AtomicBool::new(false),
            health: watch::Sender::new(board.health()),
            board: Mutex::new(board),
            link: watch::Sender::new(None),
            control,
            rng: Mutex::new(rng),
            skew: AtomicU64::new(0),
            inbox: Inbox::default(),
            inbox_rows: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            active: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            ready: AtomicU64::new(0),
            version: Mutex::new(config.version),
            reports: Reports::default(),
            workers: Workers::default(),
            together: Together::default(),
            linking: crate::linking::Room::default(),
            media: crate::media::Shares::new(config.http()),
            held: Mutex::default(),
            absence: crate::absence::Absence::default(),
            app_state: crate::app_state::Room::default(),
            questions: crate::peer::Questions::default(),
            fetching_history: crate::history::Fetching::default(),
            asking_phone: crate::messages::placeholder::Asking::default(),
            lookups: OrderedMutex::default(),
            new_device: Mutex::new(None),
            config,
            store,
            occupied,
        }
    }

    /// Wall time.
    pub(crate) fn now(&self) -> UnixTime {
        self.store.store().clock().now()
    }

    /// Wall time as the server sees it.
    pub(crate) fn server_now(&self) -> UnixTime {
        let skew = self.skew.load(Ordering::Relaxed).cast_signed();
        UnixTime::from_millis(self.now().as_millis().saturating_add_signed(skew))
    }

    /// Learns the difference to the server's clock from a time that it just gave.
    pub(crate) fn learn_time(&self, server_seconds: u64) {
        if server_seconds > 0 {
            let skew = UnixTime::from_secs(server_seconds).as_millis().wrapping_sub(self.now().as_millis());
            self.skew.store(skew, Ordering::Relaxed);
        }
    }

    /// The device's credentials as they are now.
    pub(crate) fn device(&self) -> Arc<Device> {
        Arc::clone(&self.device.read())
    }

    /// Replaces the credentials: only after the commit that stored them.
    pub(crate) fn set_device(&self, device: Device) {
        *self.device.write() = Arc::new(device);
        self.has_counted.store(false, Ordering::Relaxed);
    }

    /// Counts a login, in the vault's order. The number alone waits for the next commit: a crash may forget it.
    pub(crate) fn count_login(&self) {
        Arc::make_mut(&mut *self.device.write()).login_counter += 1;
        self.has_counted.store(true, Ordering::Relaxed);
    }

    /// The credentials, if a login was counted in them that is not stored.
    pub(crate) fn counted(&self) -> Option<Arc<Device>> {
        self.has_counted.load(Ordering::Relaxed).then(|| self.device())
    }

    /// The count is stored.
    pub(crate) fn stored_count(&self) {
        self.has_counted.store(false, Ordering::Relaxed);
    }

    /// The client's generator. Draws are short; never hold two.
    pub(crate) fn rng(&self) -> Draws<'_> {
        Draws(&self.rng)
    }

    /// A wait between two bounds.
    pub(crate) fn draw(&self, (least, most): (Duration, Duration)) -> Duration {
        if least >= most { least } else { self.rng.lock().random_range(least..=most) }
    }

    /// Reports on the board and publishes the result if it differs.
    pub(crate) fn report(&self, change: impl FnOnce(&mut Board)) {
        let health = {
            let mut board = self.board.lock();
            change(&mut board);
            board.health()
        };
        let changed = self.health.send_if_modified(|old| {
            let differs = *old != health;
            if differs {
                old.clone_from(&health);
            }
            differs
        });
        if changed {
            self.transients.put(Slot::Health, Kind::Health(Box::new(health)));
        }
    }

    /// Takes a side condition down; says whether it was up. Nearly always it is not, and nothing has to be compared.
    pub(crate) fn clear(&self, place: Place) -> bool {
        let mut was_up = self.board.lock().is_up(place);
        if was_up {
            self.report(|board| was_up = board.clear(place));
        }
        was_up
    }

    /// Watches the health.
    pub(crate) fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Publishes a connection, or its end.
    pub(crate) fn set_link(&self, link: Option<Link>) {
        self.link.send_replace(link);
    }

    /// Watches the connection.
    pub(crate) fn links(&self) -> watch::Receiver<Option<Link>> {
        self.link.subscribe()
    }

    /// A person with both forms, as far as they are known.
    pub(crate) async fn whole_peer(&self, peer: &Peer) -> Result<Peer, StoreError> {
        let other = match peer {
            Peer { lid: Some(lid), pn: None, .. } => self.store.pn_of(&user_row(lid)).await?,
            Peer { lid: None, pn: Some(pn), .. } => self.store.lid_of(&user_row(pn)).await?,
            _ => None,
        };
        let other: Option<Jid> = other.and_then(|other| other.as_str().parse().ok());
        let whole = peer.jid().map(|jid| Peer::of(jid, other.as_ref()));
        Ok(Peer { username: peer.username.clone(), ..whole.unwrap_or_default() })
    }

    /// The connection that stands now.
    pub(crate) fn link(&self) -> Result<Link, RequestError> {
        self.link.borrow().clone().filter(Link::is_open).ok_or(RequestError::Disconnected)
    }

    /// A connection has caught up: messages may be sent on it.
    pub(crate) fn set_ready(&self, link: &Link) {
        self.ready.store(link.generation(), Ordering::Release);
    }

    /// The connection to send messages on, if there is one.
    pub(crate) fn sending_link(&self) -> Option<Link> {
        let ready = self.ready.load(Ordering::Acquire);
        self.link().ok().filter(|link| link.generation() == ready)
    }

    /// Whether delivery receipts are active.
    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// The account was shown as online, or as offline.
    pub(crate) fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Relaxed);
    }

    /// Whether the account is logged in and has caught up.
    pub(crate) fn is_logged_in(&self) -> bool {
        self.sending_link().is_some()
    }

    /// The server told of a new device of the account.
    pub(crate) fn note_new_device(&self) {
        *self.new_device.lock() = Some(tokio::time::Instant::now());
    }

    /// Whether the account got a new device within the last minute.
    pub(crate) fn had_new_device(&self) -> bool {
        self.new_device.lock().is_some_and(|at| at.elapsed() < Duration::from_secs(60))
    }

    /// Whether the application is logging out.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// The application begins to log out, or has.
    pub(crate) fn set_leaving(&self, leaving: bool) {
        self.leaving.store(leaving, Ordering::Release);
    }

    /// Writes events into the inbox, as one row of somebody's commit; to be handed over once that is done.
    pub(crate) fn event_row(&self, changes: &mut Changes, events: Vec<StoredEvent>) -> Stored {
        let row = InboxRow { received: self.now(), event: StoredEvent::encode_all(&events) };
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let first = self.store.next_cursors(count);
        changes.put(tables::Inbox, &first, &row);
        self.inbox.comes(first, events.len());
        Stored { first, events, bytes: row.event.len() }
    }

    /// Tells the supervisor something; a supervisor that is gone needs nothing.
    pub(crate) fn control(&self, control: Control) {
        let _ = self.control.send(control);
    }

    /// Rows were committed: hands their events over to the stream and rings for it.
    pub(crate) fn inbox_came(&self, rows: Vec<Stored>) {
        let events: usize = rows.iter().map(|row| row.events.len()).sum();
        if events > 0 {
            self.inbox.came(rows);
            self.inbox_grew(events as u64);
        }
    }

    /// Events came into the inbox: rings for the stream.
    pub(crate) fn inbox_grew(&self, events: u64) {
        if events > 0 {
            self.inbox_rows.fetch_add(events, Ordering::Relaxed);
            self.transients.bell.notify_one();
        }
    }

    /// Rows were acknowledged. Once the application has caught up, what the server kept is asked for again.
    pub(crate) fn inbox_taken(&self, rows: u64) {
        let less = |waiting: u64| Some(waiting.saturating_sub(rows));
        let Ok(before) = self.inbox_rows.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) else {
            return;
        };
        let enough = self.config.inbox.rows / 2;
        let is_enough = before > enough && before.saturating_sub(rows) <= enough;
        if is_enough && self.clear(Place::Application) {
            self.control(Control::Reconnect);
        }
    }

    /// Rows that wait for the application.
    pub(crate) fn inbox_waiting(&self) -> u64 {
        self.inbox_rows.load(Ordering::Relaxed)
    }

    /// Whether the client has stopped for good.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// The client has stopped: the stream ends when everything was taken.
    pub(crate) fn set_stopped(&self) {
        self.stopped.store(true, Ordering::Release);
        self.transients.bell.notify_one();
    }
}

/// Draws from the client's generator, locked for each draw alone.
pub(crate) struct Draws<'a>(&'a Mutex<Rng>);

impl TryRng for Draws<'_> {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.lock().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.lock().next_u64())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.0.lock().fill_bytes(out);
        Ok(())
    }
}

impl TryCryptoRng for Draws<'_> {}
