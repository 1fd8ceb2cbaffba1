//! A simulator inside a program: started, called, and dropped (chapter 10 §1, §14).

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wa_binary::Node;

use super::hub::Hub;
use super::listener::{self, Tls, TlsFiles, Transports};
use super::pipe::{Raw, ResetSwitch};
use super::{Info, SimError, http, session};
use crate::config::SimConfig;
use crate::faults::{CloseHow, Fault};
use crate::pairing::Linked;
use crate::phone::Received;
use crate::state::SavedState;
use crate::trace::{Filter, Passed};
use crate::watch::Violation;
use crate::world::{AccountId, DeviceKey, Stats, World};

/// The media hosts of a simulator without sockets: both are [`SimHandle::http`].
const MEMORY_HOSTS: [&str; 2] = ["media.sim", "media-fallback.sim"];

/// Where to listen.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// Address; port 0 means any.
    pub address: SocketAddr,
    /// Addresses that others can reach are refused unless this is set.
    pub allow_remote: bool,
    /// TLS, plain, or both.
    pub transports: Transports,
    /// Certificate and key; self-signed unless given.
    pub tls: Option<TlsFiles>,
    /// A second port that takes the same bytes without WebSocket.
    pub raw: Option<SocketAddr>,
    /// A saved run to take up.
    pub resume: Option<SavedState>,
    /// Where `POST /admin/state` saves the run.
    pub state_file: Option<PathBuf>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 0),
            allow_remote: false,
            transports: Transports::default(),
            tls: None,
            raw: None,
            resume: None,
            state_file: None,
        }
    }
}

/// Starts simulators.
#[derive(Debug)]
pub struct Sim;

impl Sim {
    /// A simulator without sockets: connections are made with [`SimHandle::connect`]. Runs on the present runtime.
    ///
    /// ```
    /// # async fn run() {
    /// let sim = wa_sim::Sim::start(wa_sim::SimConfig::default());
    /// let stream = sim.connect();
    /// # let _ = stream;
    /// # }
    /// ```
    #[must_use]
    pub fn start(config: SimConfig) -> SimHandle {
        Self::around(Hub::new(config))
    }

    /// A simulator without sockets that goes on where another was saved. Seed and root seed must be those of the state;
    /// the rest of the settings may differ.
    ///
    /// # Errors
    /// [`SimError::State`].
    pub fn resume(config: SimConfig, state: &SavedState) -> Result<SimHandle, SimError> {
        Ok(Self::around(Hub::resume(config, state)?))
    }

    fn around(hub: Arc<Hub>) -> SimHandle {
        let hosts = MEMORY_HOSTS.map(str::to_owned).to_vec();
        hub.with(|world, _| world.media_hosts = hosts);
        let timers = tokio::spawn(hub.clone().run_timers());
        let info = Arc::new(Info {
            address: "in-memory".to_owned(),
            raw: None,
            seed: hub.look(World::seed).0,
            root_public: hub.root_public(),
            certificate_pem: String::new(),
            secure: false,
            state_file: None,
        });
        SimHandle { hub, info, tasks: vec![timers], listen: None, raw: None }
    }

    /// A simulator on a port.
    ///
    /// # Errors
    /// [`SimError`] when it cannot listen there, or not take up the saved run.
    pub async fn listen(config: SimConfig, options: ListenOptions) -> Result<SimHandle, SimError> {
        let bind = async |address: SocketAddr| {
            if !address.ip().is_loopback() && !options.allow_remote {
                return Err(SimError::Remote(address.to_string()));
            }
            let listening = TcpListener::bind(address).await;
            listening.map_err(|source| SimError::Listen { address: address.to_string(), source })
        };
        let listener = bind(options.address).await?;
        let raw = match options.raw {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let local = |listener: &TcpListener| {
            listener
                .local_addr()
                .map_err(|source| SimError::Listen { address: options.address.to_string(), source })
        };
        let address = local(&listener)?;
        let tls = Arc::new(Tls::new(options.tls.clone())?);
        let mut handle = match &options.resume {
            Some(state) => Self::resume(config, state)?,
            None => Self::start(config),
        };
        handle.raw = raw.as_ref().map(local).transpose()?;
        let info = Info {
            address: address.to_string(),
            raw: handle.raw.map(|raw| raw.to_string()),
            seed: handle.info.seed,
            root_public: handle.info.root_public,
            certificate_pem: tls.certificate_pem.clone(),
            secure: options.transports != Transports::PlainOnly,
            state_file: options.state_file.clone(),
        };
        handle.info = Arc::new(info);
        handle.listen = Some(address);
        let hosts = vec![address.to_string(), format!("localhost:{}", address.port())];
        handle.hub.with(|world, _| world.media_hosts = hosts);
        let accept =
            listener::accept(handle.hub.clone(), handle.info.clone(), listener, tls, options.transports);
        handle.tasks.push(tokio::spawn(accept));
        if let Some(raw) = raw {
            handle.tasks.push(tokio::spawn(accept_raw(handle.hub.clone(), raw)));
        }
        Ok(handle)
    }
}

async fn accept_raw(hub: Arc<Hub>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) if !hub.refuses() => {
                // Where the option is unknown, small stanzas are merely later.
                let _ = stream.set_nodelay(true);
                tokio::spawn(session::run(hub.clone(), Raw { stream }, peer.ip().to_string()));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// A running simulator. Dropping it stops everything.
#[derive(Debug)]
pub struct SimHandle {
    hub: Arc<Hub>,
    info: Arc<Info>,
    tasks: Vec<JoinHandle<()>>,
    listen: Option<SocketAddr>,
    raw: Option<SocketAddr>,
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.hub.with(|world, now_ms| {
            world.trace().flush();
            world.drop_all(now_ms, CloseHow::Fin);
        });
    }
}

impl SimHandle {
    /// The address that was chosen.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// The address without WebSocket framing.
    #[must_use]
    pub fn raw_address(&self) -> Option<SocketAddr> {
        self.raw
    }

    /// The line that the binary prints: addresses, Noise root, certificate, seed.
    #[must_use]
    pub fn info(&self) -> serde_json::Value {
        self.info.to_json()
    }

    /// Public key of the Noise root; its serial is 0.
    #[must_use]
    pub fn noise_root(&self) -> [u8; 32] {
        self.info.root_public
    }

    /// The certificate of the port, for clients that check it.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.info.certificate_pem
    }

    /// Media hosts as `media_conn` names them.
    #[must_use]
    pub fn media_hosts(&self) -> Vec<String> {
        self.hub.look(|world| world.media_hosts.clone())
    }

    /// A connection in memory: the same byte stream that a WebSocket carries.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(256 << 10);
        tokio::spawn(session::run(self.hub.clone(), Raw { stream: far }, "memory".to_owned()));
        near
    }

    /// A client's stream on which HTTP/1.1 is spoken: the media host and the admin API, without a socket.
    #[must_use]
    pub fn http(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 << 10);
        let (hub, info) = (self.hub.clone(), self.info.clone());
        tokio::spawn(async move {
            let far = TokioIo::new(far);
            if let Err(error) = http::serve(hub, info, far, "memory".to_owned(), ResetSwitch::default()).await
            {
                tracing::debug!(%error, "an HTTP connection in memory");
            }
        });
        near
    }

    /// Calls into the world, between two stanzas. `now_ms` is the present that its calls take.
    pub fn world<T>(&self, act: impl FnOnce(&mut World, u64) -> T) -> T {
        self.hub.with(act)
    }

    /// The present of the run, milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.hub.now_ms()
    }

    /// Moves the clock forward; what is due happens now.
    pub fn advance(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.hub.clock(|clock| clock.advance(ms));
    }

    /// Sets the clock fault: how far the server's time is off, in milliseconds (`t` of stanzas, tokens).
    pub fn set_clock_offset(&self, ms: i64) {
        self.hub.clock(|clock| clock.set_offset(ms));
    }

    /// The other clock fault: how many microseconds the server's clock gains in a second.
    pub fn set_clock_drift(&self, ppm: i32) {
        self.hub.clock(|clock| clock.set_drift(ppm));
    }

    /// Makes a phone's next sends wrong (chapter 10 §11 "encryption"); each is used once.
    ///
    /// # Errors
    /// [`SimError::Unknown`].
    pub fn misbehave(&self, number: u64, how: crate::phone::Misbehaviour) -> Result<(), SimError> {
        self.hub.with(|world, _| {
            let account = known(world, number)?;
            world.misbehave(account, how);
            Ok(())
        })
    }

    /// Sets a fault and gives its id.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.hub.with(|world, _| world.faults().add(fault))
    }

    /// Takes all faults away and lets the stanzas go that some of them keep.
    pub fn heal(&self) {
        self.hub.with(|world, now_ms| {
            world.faults().clear();
            world.release_held(now_ms);
        });
    }

    /// Lets the stanzas go that hold faults keep; how many there were.
    pub fn release(&self) -> usize {
        self.hub.with(World::release_held)
    }

    /// Drops all connections, and refuses new ones for a while.
    pub fn outage(&self, down: Duration) {
        self.hub.refuse_for(u64::try_from(down.as_millis()).unwrap_or(u64::MAX));
        self.hub.with(|world, now_ms| world.drop_all(now_ms, CloseHow::Fin));
    }

    /// The phone of the companion's account (or of `number`) scans a QR text.
    ///
    /// # Errors
    /// [`SimError::Pairing`].
    pub fn scan_qr(&self, text: &str, number: Option<u64>) -> Result<Linked, SimError> {
        self.hub.with(|world, now_ms| {
            let account = number.map(|number| known(world, number)).transpose()?;
            Ok(world.scan_qr(now_ms, text, account)?)
        })
    }

    /// The phone's user types a code.
    ///
    /// # Errors
    /// [`SimError::Pairing`].
    pub fn enter_code(&self, number: Option<u64>, code: &str) -> Result<Linked, SimError> {
        self.hub.with(|world, now_ms| Ok(world.enter_code(now_ms, number, code)?))
    }

    /// A deed of a phone's user; gives the id of what was sent, if anything was.
    ///
    /// # Errors
    /// [`SimError`] when there is no such account, or the phone refuses.
    pub fn act(&self, number: u64, action: crate::phone::Action) -> Result<Option<String>, SimError> {
        self.hub.with(|world, now_ms| {
            let account = known(world, number)?;
            Ok(world.act(now_ms, account, action)?)
        })
    }

    /// Changes a setting on a phone; its companions hear of it by app state.
    ///
    /// # Errors
    /// [`SimError`] when there is no such account, or the phone refuses.
    pub fn change_app_state(&self, number: u64, action: &crate::phone::AppAction) -> Result<(), SimError> {
        self.hub.with(|world, now_ms| {
            let account = known(world, number)?;
            Ok(world.change_app_state(now_ms, account, action)?)
        })
    }

    /// What a phone decrypted so far.
    #[must_use]
    pub fn inbox(&self, number: u64) -> Vec<Received> {
        self.hub.look(|world| {
            let phone = world.find_pn(number).and_then(|account| world.phone(account));
            phone.map(|phone| phone.inbox().to_vec()).unwrap_or_default()
        })
    }

    /// The file of a message that a phone sent or received, decrypted; `None` when the phone does not have it.
    #[must_use]
    pub fn file(&self, number: u64, id: &str) -> Option<Vec<u8>> {
        self.hub.look(|world| world.phone(world.find_pn(number)?)?.file(id))
    }

    /// Puts a sealed file on the media host, as an upload does, and gives its direct path.
    #[must_use]
    pub fn put_file(&self, kind: crate::phone::MediaKind, sealed: bytes::Bytes) -> String {
        let hash = wa_crypto::digest::sha256(&[&sealed]);
        self.hub.with(|world, _| world.keep_file(kind.mms_type().unwrap_or("o"), sealed.into(), &hash))
    }

    /// What the media host answers for a direct path.
    ///
    /// # Errors
    /// The status: 403, 404 or 410.
    pub fn fetch_file(&self, direct_path: &str) -> Result<bytes::Bytes, u16> {
        let (path, query) = direct_path.split_once('?').unwrap_or((direct_path, ""));
        let file = self.hub.look(|world| world.download(path, query))?;
        file.whole().map_err(|_| 500)
    }

    /// How a phone answers from now on when a companion asks for a file again.
    ///
    /// # Errors
    /// [`SimError::Unknown`].
    pub fn media_retry(&self, number: u64, how: crate::phone::MediaRetry) -> Result<(), SimError> {
        self.hub.with(|world, _| {
            let account = known(world, number)?;
            world.set_media_retry(account, how);
            Ok(())
        })
    }

    /// Sends any stanza to a device as it is; `false` when it is not connected.
    pub fn send(&self, number: u64, device: u16, node: Node) -> bool {
        self.hub.with(|world, now_ms| match world.find_pn(number) {
            Some(account) => world.push(now_ms, DeviceKey { account, device }, node),
            None => false,
        })
    }

    /// What clients did that they must not (chapter 10 §15).
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.hub.look(|world| world.watch().violations().cloned().collect())
    }

    /// Stanzas that wait to be written to connections.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        self.hub.backlog()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.hub.look(|world| world.stats().clone())
    }

    /// Stanzas of the trace that fit.
    #[must_use]
    pub fn trace(&self, filter: &Filter) -> Vec<Passed> {
        self.hub.with(|world, _| world.trace().find(filter).cloned().collect())
    }

    /// Waits for the first stanza that fits, those that passed already included.
    ///
    /// # Errors
    /// [`SimError::Timeout`].
    pub async fn expect(&self, filter: &Filter, within: Duration) -> Result<Passed, SimError> {
        self.hub.expect(filter, within).await
    }

    /// Waits until the world shows something: `look` is asked now and after everything that happens.
    ///
    /// # Errors
    /// [`SimError::Timeout`].
    pub async fn until<T>(
        &self,
        within: Duration,
        look: impl FnMut(&World) -> Option<T>,
    ) -> Result<T, SimError> {
        self.hub.until(within, look).await
    }

    /// Waits for a message that fits in the inbox of an account's phone.
    ///
    /// # Errors
    /// [`SimError::Timeout`], for an unknown account as well.
    pub async fn received<T>(
        &self,
        number: u64,
        within: Duration,
        mut fits: impl FnMut(&Received) -> Option<T>,
    ) -> Result<T, SimError> {
        self.until(within, |world| world.phone(world.find_pn(number)?)?.inbox().iter().find_map(&mut fits))
            .await
    }

    /// Answers incoming stanzas by hand: what `answer` gives for one that fits is written to the same connection, and
    /// the server does not see it. The number is for [`World::stop_intercepting`].
    pub fn intercept(
        &self,
        filter: Filter,
        answer: impl FnMut(&Node) -> Option<Vec<Node>> + Send + 'static,
    ) -> u64 {
        self.hub.with(|world, _| world.intercept(filter, answer))
    }

    /// The run as it is, to be taken up later. Connections go on; what they bring from now on is not in it.
    ///
    /// # Errors
    /// [`SimError::State`].
    pub fn save(&self) -> Result<SavedState, SimError> {
        Ok(self.hub.save()?)
    }

    /// Ends everything, as an orderly stop does: connections are closed, none is let in any more, and whatever a client was
    /// answered is in the state.
    ///
    /// # Errors
    /// [`SimError::State`].
    pub fn stop(self) -> Result<SavedState, SimError> {
        Ok(self.hub.stop()?)
    }

    /// Goes on from a saved run of the same seed; connections are closed.
    ///
    /// # Errors
    /// [`SimError::State`]; the run is as it was then.
    pub fn load(&self, state: &SavedState) -> Result<(), SimError> {
        Ok(self.hub.load(state)?)
    }

    /// Back to the seed state; connections are closed.
    pub fn reset(&self) {
        self.hub.reset();
    }

    /// Shows a node as the recordings do.
    #[must_use]
    pub fn show(node: &Node) -> serde_json::Value {
        crate::stanza::to_json(node)
    }
}

fn known(world: &World, number: u64) -> Result<AccountId, SimError> {
    world.find_pn(number).ok_or_else(|| SimError::Unknown(format!("account {number}")))
}

impl Hub {
    /// Waits for the first stanza that fits.
    pub(crate) async fn expect(&self, filter: &Filter, within: Duration) -> Result<Passed, SimError> {
        self.until(within, |world| world.find_in_trace(filter)).await
    }

    async fn until<T>(
        &self,
        within: Duration,
        mut look: impl FnMut(&World) -> Option<T>,
    ) -> Result<T, SimError> {
        let found = async {
            loop {
                let happened = self.happened.notified();
                // Not through `with`, which wakes those who wait.
                if let Some(found) = self.look(&mut look) {
                    return found;
                }
                happened.await;
            }
        };
        let ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        timeout(within, found).await.map_err(|_| SimError::Timeout(ms))
    }
}
