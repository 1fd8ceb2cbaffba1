//! The world behind a lock, its outputs on their way to the connections, and its timers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand_chacha::ChaCha12Rng;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use wa_binary::Node;
use wa_noise::ServerIdentity;

use super::keys::ServerKeys;
use super::session::Command;
use crate::clock::Clock;
use crate::config::SimConfig;
use crate::faults::{Action, Chain, CloseHow, Phase};
use crate::stanza::Read as _;
use crate::state::{SavedState, StateError};
use crate::watch::Rule;
use crate::world::{ConnId, Output, World};

/// A connection that lets so many stanzas wait is closed: its reader is dead.
const BACKLOG: u64 = 200_000;

/// Most levels of a client's stanza.
const DEPTH: usize = 64;
/// Most attributes of a node of it.
const ATTRIBUTES: usize = 1024;

/// Whether a stanza is past the limits of chapter 10 §16.
fn too_large(node: &Node, depth: usize) -> bool {
    depth > DEPTH
        || node.attr_values().len() > ATTRIBUTES
        || node.kids().iter().any(|child| too_large(child, depth + 1))
}

/// Shared by all tasks of a simulator.
#[derive(Debug)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
    /// The next deadline changed.
    timer: Notify,
    /// Something happened that somebody may wait for.
    pub(crate) happened: Notify,
    armed: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    world: World,
    clock: Clock,
    keys: ServerKeys,
    lines: HashMap<ConnId, Line>,
    refuse_until_ms: u64,
}

#[derive(Debug)]
struct Line {
    commands: UnboundedSender<Command>,
    waiting: Arc<AtomicU64>,
}

/// What the world tells one connection, counted.
#[derive(Debug)]
pub(crate) struct Commands {
    receiver: UnboundedReceiver<Command>,
    waiting: Arc<AtomicU64>,
}

impl Commands {
    /// Waits for the next one.
    pub(crate) async fn recv(&mut self) -> Option<Command> {
        let command = self.receiver.recv().await?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(command)
    }

    /// The next one if it is there.
    pub(crate) fn try_recv(&mut self) -> Option<Command> {
        let command = self.receiver.try_recv().ok()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(command)
    }
}

impl Hub {
    pub(crate) fn new(config: SimConfig) -> Arc<Self> {
        let clock = Clock::new(config.clock, config.start_ms);
        let keys = ServerKeys::new(config.seed, config.root_seed);
        let world = World::new(config, clock.now_ms());
        Self::around(world, clock, keys)
    }

    /// A run taken up where it was saved.
    pub(crate) fn resume(config: SimConfig, saved: &SavedState) -> Result<Arc<Self>, StateError> {
        let (clock, keys) = saved_shell(&config, saved);
        Ok(Self::around(World::load(config, saved)?, clock, keys))
    }

    fn around(world: World, clock: Clock, keys: ServerKeys) -> Arc<Self> {
        let inner = Inner { world, clock, keys, lines: HashMap::new(), refuse_until_ms: 0 };
        Arc::new(Self {
            inner: Mutex::new(inner),
            timer: Notify::new(),
            happened: Notify::new(),
            armed: AtomicU64::new(u64::MAX),
        })
    }

    /// Calls into the world with the present, and carries out what it says.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World, u64) -> T) -> T {
        let mut inner = self.inner.lock();
        let now_ms = inner.clock.now_ms();
        let result = act(&mut inner.world, now_ms);
        inner.dispatch();
        let next = inner.world.next_deadline().unwrap_or(u64::MAX);
        drop(inner);
        if next < self.armed.load(Ordering::Acquire) {
            self.timer.notify_one();
        }
        self.happened.notify_waiters();
        result
    }

    /// Looks at the world without changing it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.inner.lock().world)
    }

    /// Changes the clock; timers follow.
    pub(crate) fn clock<T>(&self, act: impl FnOnce(&mut Clock) -> T) -> T {
        let result = act(&mut self.inner.lock().clock);
        self.with(World::tick);
        self.timer.notify_one();
        result
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.inner.lock().clock.now_ms()
    }

    pub(crate) fn root_public(&self) -> [u8; 32] {
        self.inner.lock().keys.root_public()
    }

    pub(crate) fn rotate_static(&self) {
        self.inner.lock().keys.rotate();
    }

    /// Runs the world's timers for as long as the simulator lives.
    pub(crate) async fn run_timers(self: Arc<Self>) {
        loop {
            let (deadline, wait) = {
                let inner = self.inner.lock();
                let deadline = inner.world.next_deadline();
                (deadline, deadline.and_then(|deadline| inner.clock.until(deadline)))
            };
            self.armed.store(deadline.unwrap_or(u64::MAX), Ordering::Release);
            match wait {
                Some(wait) if wait.is_zero() => self.with(World::tick),
                Some(wait) => {
                    tokio::select! {
                        () = sleep(wait.max(Duration::from_millis(1))) => self.with(World::tick),
                        () = self.timer.notified() => {}
                    }
                }
                None => self.timer.notified().await,
            }
        }
    }

    /// A connection was accepted.
    pub(crate) fn open(&self, remote: &str) -> (ConnId, Commands) {
        let (commands, receiver) = unbounded_channel();
        let waiting = Arc::new(AtomicU64::new(0));
        let mut inner = self.inner.lock();
        let now_ms = inner.clock.now_ms();
        let conn = inner.world.connect(now_ms, remote);
        inner.lines.insert(conn, Line { commands, waiting: waiting.clone() });
        (conn, Commands { receiver, waiting })
    }

    /// A connection is no more.
    pub(crate) fn gone(&self, conn: ConnId) {
        self.inner.lock().lines.remove(&conn);
        self.with(|world, now_ms| world.gone(now_ms, conn));
    }

    /// Faults at a stage.
    pub(crate) fn stage(&self, conn: ConnId, phase: Phase) -> Vec<Action> {
        self.with(|world, _| world.stage(Some(conn), phase))
    }

    /// Faults at a stage before there is a connection.
    pub(crate) fn early_stage(&self, phase: Phase) -> Vec<Action> {
        self.with(|world, _| world.stage(None, phase))
    }

    /// What a handshake needs. The ephemeral key is drawn from a stream of the connection's own.
    pub(crate) fn handshake_material(
        &self,
        conn: ConnId,
        fault: Option<Chain>,
    ) -> (ServerIdentity, ChaCha12Rng) {
        let inner = self.inner.lock();
        (inner.keys.identity(fault), inner.world.seed().stream("noise ephemeral", conn.0))
    }

    pub(crate) fn payload(&self, conn: ConnId, key: [u8; 32], payload: &[u8]) {
        self.with(|world, now_ms| world.payload(now_ms, conn, key, payload));
    }

    /// A decrypted frame.
    pub(crate) fn frame(&self, conn: ConnId, plaintext: &[u8]) {
        match wa_binary::decode(plaintext) {
            Ok(node) if too_large(&node, 1) => {
                let why = format!("deeper than {DEPTH}, or a node with more than {ATTRIBUTES} attributes");
                self.with(|world, now_ms| world.undecodable(now_ms, conn, &why));
            }
            Ok(node) => self.with(|world, now_ms| world.stanza(now_ms, conn, node)),
            Err(error) => self.with(|world, now_ms| world.undecodable(now_ms, conn, &error.to_string())),
        }
    }

    pub(crate) fn observe(&self, conn: ConnId, rule: Rule, detail: String) {
        self.with(|world, now_ms| world.observe(now_ms, Some(conn), rule, detail));
    }

    /// What waits to be written, over all connections.
    pub(crate) fn backlog(&self) -> u64 {
        self.inner.lock().lines.values().map(|line| line.waiting.load(Ordering::Relaxed)).sum()
    }

    /// Refuses new connections for a while.
    pub(crate) fn refuse_for(&self, ms: u64) {
        let mut inner = self.inner.lock();
        inner.refuse_until_ms = inner.clock.now_ms().saturating_add(ms);
    }

    pub(crate) fn refuses(&self) -> bool {
        let inner = self.inner.lock();
        inner.clock.now_ms() < inner.refuse_until_ms
    }

    /// The run as it is.
    pub(crate) fn save(&self) -> Result<SavedState, StateError> {
        self.inner.lock().save()
    }

    /// Ends all connections for good, and gives the run as it is then: nothing that a client sends later is taken or
    /// answered any more.
    pub(crate) fn stop(&self) -> Result<SavedState, StateError> {
        let mut inner = self.inner.lock();
        let now_ms = inner.clock.now_ms();
        inner.refuse_until_ms = u64::MAX;
        inner.world.drop_all(now_ms, CloseHow::Fin);
        inner.dispatch();
        let conns: Vec<ConnId> = inner.world.connections().map(|conn| conn.id).collect();
        for conn in conns {
            inner.world.gone(now_ms, conn);
        }
        inner.dispatch();
        inner.save()
    }

    /// Goes on from a saved run; connections are closed.
    pub(crate) fn load(&self, saved: &SavedState) -> Result<(), StateError> {
        let mut inner = self.inner.lock();
        let config = inner.world.config.as_ref().clone();
        let (clock, keys) = saved_shell(&config, saved);
        let world = World::load(config, saved)?;
        (inner.clock, inner.keys) = (clock, keys);
        inner.replace(world);
        drop(inner);
        self.with(World::tick);
        self.timer.notify_one();
        Ok(())
    }

    /// Back to the seed state; connections are closed.
    pub(crate) fn reset(&self) {
        let mut inner = self.inner.lock();
        let now_ms = inner.clock.now_ms();
        let config = inner.world.config.as_ref().clone();
        inner.replace(World::new(config, now_ms));
    }
}

/// Clock and Noise keys of a saved run.
fn saved_shell(config: &SimConfig, saved: &SavedState) -> (Clock, ServerKeys) {
    let clock = Clock::resume(config.clock, config.start_ms, saved.head.clock);
    (clock, ServerKeys::rotated(config.seed, config.root_seed, saved.head.rotations))
}

impl Inner {
    fn save(&self) -> Result<SavedState, StateError> {
        let mut saved = self.world.save()?;
        saved.head.rotations = self.keys.rotations();
        saved.head.clock = self.clock.saved();
        Ok(saved)
    }

    /// Closes all connections, and goes on with another world.
    fn replace(&mut self, world: World) {
        let now_ms = self.clock.now_ms();
        self.world.drop_all(now_ms, CloseHow::Fin);
        self.dispatch();
        let next = self.world.next_conn().max(world.next_conn());
        let hosts = core::mem::take(&mut self.world.media_hosts);
        self.world = world;
        self.world.media_hosts = hosts;
        self.world.continue_from(next);
    }

    fn dispatch(&mut self) {
        for output in self.world.take_outputs() {
            let (conn, command) = match output {
                Output::Send { conn, node, damage } => (conn, Command::Send { node, damage }),
                Output::Close { conn, how } => (conn, Command::Close(how)),
                Output::Freeze { conn, mode } => (conn, Command::Freeze(mode)),
                Output::Throttle { conn, bytes_per_second } => (conn, Command::Throttle(bytes_per_second)),
            };
            let Some(line) = self.lines.get_mut(&conn) else { continue };
            if line.waiting.fetch_add(1, Ordering::Relaxed) > BACKLOG {
                tracing::warn!("connection {} does not read: closed", conn.0);
                self.lines.remove(&conn);
                continue;
            }
            // A receiver that is gone means a connection about to be reported as gone.
            let _ = line.commands.send(command);
        }
    }
}
