//! The simulated service as one deterministic, synchronous state (chapter 10).
//!
//! Accounts, devices, queues, groups and phones live in [`World`]. What happens to it comes in by calls that carry the
//! present; what it does in turn is collected as [`Output`]s. No sockets, no clock, no randomness but the seed's: the
//! same calls give the same outputs. The async shell around it is in `net`.

mod account;
mod deeds;
pub mod directives;
mod directory;
mod identity;
mod intercept;
mod io;
mod lifecycle;
mod login;
mod names;
mod new_chats;
mod phones;
mod registration;
mod switches;
mod timers;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};
use wa_binary::{Family, Node};

pub use crate::iq::kept::{Kept, Report};
pub use account::{Account, Device, Presence, SeenIds, Standing, Token, Username};
pub use deeds::{DeedError, GroupChange};
pub use directives::{DeviceListing, MexForm, Switches};
pub(crate) use directory::{NewAccount, phash};
pub use identity::{Identity, assign};
pub(crate) use io::{Copy, Origin};
pub use new_chats::{Cap, NewChats, TimeLock};
pub use registration::{Linked, Pending, PendingLink, Registration};
pub(crate) use timers::{SavedTimer, Timer};

use crate::config::SimConfig;
use crate::faults::{Book, CloseHow, Damage, FreezeMode, Phase};
use crate::group::Group;
use crate::pairing::PairingCodes;
use crate::phone::Phone;
use crate::trace::Trace;
use crate::watch::{Counters, Watch};

/// Names an account within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub u32);

/// Names a connection within a run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnId(pub u64);

/// Names a device within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceKey {
    /// Its account.
    pub account: AccountId,
    /// Its number; 0 is the phone.
    pub device: u16,
}

/// What the shell has to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write a stanza.
    Send {
        /// To this connection.
        conn: ConnId,
        /// The stanza.
        node: Arc<Node>,
        /// Damage to do to its frame.
        damage: Option<Damage>,
    },
    /// Close the connection.
    Close {
        /// This one.
        conn: ConnId,
        /// In this way.
        how: CloseHow,
    },
    /// Stop using the connection.
    Freeze {
        /// This one.
        conn: ConnId,
        /// Which half.
        mode: FreezeMode,
    },
    /// Write no faster than this.
    Throttle {
        /// This connection.
        conn: ConnId,
        /// Bytes per second.
        bytes_per_second: u32,
    },
}

/// A connection after its handshake, as the world sees it.
#[derive(Debug)]
pub struct Conn {
    /// Its name.
    pub id: ConnId,
    /// Address of the peer, without port.
    pub remote: String,
    /// What it is.
    pub stage: Stage,
    /// Stage as faults see it.
    pub phase: Phase,
    /// Stanzas received.
    pub received: u64,
    /// Stanzas written.
    pub sent: u64,
    /// When it was opened (ms).
    pub opened_ms: u64,
    /// When something was last heard (ms).
    pub heard_ms: u64,
    /// When it last pinged (ms).
    pub pinged_ms: Option<u64>,
    /// Number of the next iq of the server on this connection.
    pub next_iq: u64,
    /// Iqs of the server that wait for their result.
    pub asked: BTreeMap<String, Asked>,
    /// Hashes of iq ids of the client, to notice a second use.
    pub iq_ids: HashSet<u64>,
    /// State of the offline phase.
    pub drain: Drain,
    /// Stanzas that a reorder fault keeps, with how many have yet to pass.
    pub reordered: Vec<(u32, Arc<Node>)>,
    /// The same for incoming stanzas.
    pub reordered_in: Vec<(u32, Arc<Node>)>,
    /// Silence was already reported.
    pub silence_reported: bool,
}

/// What a connection is.
#[derive(Debug)]
pub enum Stage {
    /// The login payload was not read yet.
    Opened,
    /// Waits to be linked.
    Registering(Box<Registration>),
    /// Logged in as this device.
    Device(DeviceKey),
    /// `<failure>` or `<stream:error>` was written; nothing more is expected.
    Ending {
        /// A `<failure>`: traffic after it is a violation.
        failed: bool,
    },
}

/// An iq of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `pair-device`
    PairDevice,
    /// `pair-success`
    PairSuccess,
    /// `urn:xmpp:ping`
    Ping,
}

/// Where a connection stands in the offline phase (chapter 10 §6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drain {
    /// Not begun: the device is passive.
    #[default]
    Held,
    /// A preview was written; this many stanzas of it are still to come.
    Running {
        /// Announced in the preview.
        total: u32,
        /// Written so far.
        written: u32,
        /// Counts batch requests and timers, so that an old timer is ignored.
        step: u32,
    },
    /// `<offline/>` was written; deliveries go out as they come.
    Done,
}

/// Counters for `GET /admin/stats`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// Connections that finished a handshake.
    pub connections: u64,
    /// Frames received after a handshake, whatever was in them.
    pub frames_received: u64,
    /// Frames written after a handshake.
    pub frames_sent: u64,
    /// Stanzas received, by tag.
    pub received: BTreeMap<String, u64>,
    /// Stanzas written, by tag.
    pub sent: BTreeMap<String, u64>,
    /// Stanzas put into a device's queue.
    pub deliveries: u64,
    /// Stanzas that a phone received.
    pub to_phones: u64,
}

/// Streams of randomness that the world keeps, one per purpose (chapter 10 §12).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Streams {
    #[serde(with = "crate::state::foreign::one")]
    pub(crate) refs: ChaCha12Rng,
    #[serde(with = "crate::state::foreign::one")]
    pub(crate) ids: ChaCha12Rng,
    #[serde(with = "crate::state::foreign::one")]
    pub(crate) groups: ChaCha12Rng,
    #[serde(with = "crate::state::foreign::one")]
    pub(crate) tokens: ChaCha12Rng,
}

/// The service.
#[derive(Debug)]
pub struct World {
    pub(crate) config: Arc<SimConfig>,
    pub(crate) now_ms: u64,
    pub(crate) accounts: Vec<Account>,
    pub(crate) by_user: HashMap<(Family, u64), AccountId>,
    pub(crate) by_key: HashMap<String, AccountId>,
    pub(crate) phones: Vec<Option<Phone>>,
    pub(crate) conns: BTreeMap<ConnId, Conn>,
    pub(crate) groups: BTreeMap<u64, Group>,
    pub(crate) codes: PairingCodes,
    /// Addresses of the media host, as `media_conn` names them.
    pub media_hosts: Vec<String>,
    pub(crate) used_refs: std::collections::BTreeSet<String>,
    /// Refs of the last connections that went away before they were linked, oldest first.
    pub(crate) gone_refs: VecDeque<String>,
    pub(crate) ringing: BTreeMap<String, crate::calls::Ringing>,
    pub(crate) media: crate::media::MediaHost,
    pub(crate) faults: Book,
    pub(crate) held: Vec<timers::Held>,
    pub(crate) watch: Watch,
    pub(crate) counters: Counters,
    pub(crate) trace: Trace,
    pub(crate) stats: Stats,
    pub(crate) streams: Streams,
    timers: BTreeMap<(u64, u64), Timer>,
    next_timer: u64,
    next_conn: u64,
    next_fresh: u64,
    outputs: Vec<Output>,
    to_phones: VecDeque<(AccountId, Arc<Node>)>,
    /// What faults do to the answers of the stanza at hand.
    pub(crate) answering: io::Answering,
    pub(crate) interceptors: intercept::Interceptors,
    pub(crate) recent_logins: HashMap<[u8; 32], VecDeque<u64>>,
}

impl World {
    /// An empty service, with what the configuration's seed file names in it.
    #[must_use]
    pub fn new(config: SimConfig, now_ms: u64) -> Self {
        let mut world = Self::empty(config, now_ms);
        if let Some(seeded) = world.config.clone().world.as_ref() {
            world.plant(seeded);
        }
        world
    }

    /// A service without accounts, whatever the seed file says.
    pub(crate) fn empty(config: SimConfig, now_ms: u64) -> Self {
        let seed = config.seed;
        let mut world = Self {
            now_ms,
            accounts: Vec::new(),
            by_user: HashMap::new(),
            by_key: HashMap::new(),
            phones: Vec::new(),
            conns: BTreeMap::new(),
            groups: BTreeMap::new(),
            codes: PairingCodes::default(),
            media_hosts: Vec::new(),
            used_refs: std::collections::BTreeSet::new(),
            gone_refs: VecDeque::new(),
            ringing: BTreeMap::new(),
            media: crate::media::MediaHost::default(),
            faults: Book::new(seed.stream("faults", 0)),
            held: Vec::new(),
            watch: Watch::default(),
            counters: Counters::default(),
            trace: Trace::new(config.trace_length),
            stats: Stats::default(),
            streams: Streams {
                refs: seed.stream("refs", 0),
                ids: seed.stream("ids", 0),
                groups: seed.stream("groups", 0),
                tokens: seed.stream("tokens", 0),
            },
            timers: BTreeMap::new(),
            next_timer: 0,
            next_conn: 1,
            next_fresh: 0,
            outputs: Vec::new(),
            to_phones: VecDeque::new(),
            answering: io::Answering::default(),
            interceptors: intercept::Interceptors::default(),
            recent_logins: HashMap::new(),
            config: Arc::new(config),
        };
        for fault in world.config.clone().faults.iter() {
            world.faults.add(fault.clone());
        }
        world
    }

    /// The numbers of the next timer, connection and nameless account.
    pub(crate) const fn next_numbers(&self) -> (u64, u64, u64) {
        (self.next_timer, self.next_conn, self.next_fresh)
    }

    /// Takes timers and numbers of an earlier run up.
    pub(crate) fn go_on(&mut self, timers: Vec<((u64, u64), SavedTimer)>, next: (u64, u64, u64)) {
        self.timers = timers.into_iter().map(|(due, timer)| (due, timer.into())).collect();
        (self.next_timer, self.next_conn, self.next_fresh) = next;
    }

    /// The present, seconds since 1970.
    pub(crate) const fn now_s(&self) -> u64 {
        self.now_ms / 1000
    }

    /// The present as phones take it.
    pub(crate) const fn now(&self) -> crate::phone::Now {
        crate::phone::Now { unix_ms: self.now_ms }
    }

    /// The account with this id. Ids come from the world itself, and accounts are never moved.
    #[must_use]
    pub fn account(&self, id: AccountId) -> &Account {
        &self.accounts[id.0 as usize]
    }

    pub(crate) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        &mut self.accounts[id.0 as usize]
    }

    /// The device with this key, unless it was removed.
    #[must_use]
    pub fn device(&self, key: DeviceKey) -> Option<&Device> {
        self.account(key.account).devices.get(&key.device)
    }

    pub(crate) fn device_mut(&mut self, key: DeviceKey) -> Option<&mut Device> {
        self.account_mut(key.account).devices.get_mut(&key.device)
    }

    /// What the shell has to do, in order.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Violations so far.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The faults.
    pub fn faults(&mut self) -> &mut Book {
        &mut self.faults
    }

    /// All accounts.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The last stanzas.
    pub fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Open connections.
    pub fn connections(&self) -> impl Iterator<Item = &Conn> {
        self.conns.values()
    }
}
