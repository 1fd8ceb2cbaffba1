//! What the tests against the simulator share: a simulator and a store on one clock, which follows the runtime's time
//! and so can be paused; a client on an in-memory pipe; waiting for what should happen.
#![allow(dead_code, reason = "not every test uses everything")]

#[path = "../first_light/pipe.rs"]
pub(crate) mod pipe;

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::{Instant, timeout};
use wa_client::events::{Event, EventStream, Kind};
use wa_client::health::Health;
use wa_client::{Builder, Client};
use wa_sim::faults::{Action, CloseHow, Fault, Match, Phase};
use wa_sim::phone::Received;
use wa_sim::seed::{SeedAccount, SeedFile};
use wa_sim::{Sim, SimConfig, SimHandle};
use wa_store::{Clock, MemoryStore, Store, UnixTime};

/// Number of the account under test.
pub(crate) const BOT: u64 = 15_550_100;
/// Number of somebody else.
pub(crate) const ADA: u64 = 15_550_101;
/// How long something may take before it counts as lost; in paused time it costs nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Where the clocks start, seconds: later than the machine's present, from which the simulator's certificates hold.
const START: u64 = 2_000_000_000;

/// Wall time that follows the runtime's.
#[derive(Debug)]
pub(crate) struct FollowingClock {
    started: Instant,
}

impl Clock for FollowingClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(START).after(self.started.elapsed())
    }
}

/// A simulator and a store.
pub(crate) struct Stage {
    pub(crate) sim: Arc<SimHandle>,
    pub(crate) store: Store,
    pub(crate) seed: u64,
}

impl Stage {
    /// With Bot and Ada.
    pub(crate) async fn new(seed: u64) -> Self {
        Self::with(seed, |_| {}).await
    }

    /// With another configuration of the simulator.
    pub(crate) async fn with(seed: u64, change: impl FnOnce(&mut SimConfig)) -> Self {
        let account = |name: &str, number| SeedAccount {
            name: name.into(),
            number: Some(number),
            ..Default::default()
        };
        let world =
            SeedFile { accounts: vec![account("Bot", BOT), account("Ada", ADA)], ..SeedFile::default() };
        let mut config = SimConfig {
            seed: wa_sim::Seed(seed),
            start_ms: Some(START * 1000),
            world: Some(world),
            ..SimConfig::default()
        };
        change(&mut config);
        let sim = Arc::new(Sim::start(config));
        let clock = Arc::new(FollowingClock { started: Instant::now() });
        let store = MemoryStore::builder().clock(clock).open().await.expect("a store");
        Self { sim, store, seed }
    }

    /// A builder on the in-memory pipe, with the stage's seed.
    pub(crate) fn builder(&self) -> Builder {
        Client::builder(self.store.account("main"))
            .connector(pipe::Pipe(Arc::clone(&self.sim)))
            .media_connector(pipe::Pipe(Arc::clone(&self.sim)))
            .root(pipe::root(&self.sim))
            .randomness(StdRng::seed_from_u64(self.seed))
    }

    pub(crate) async fn start(&self) -> (Client, EventStream) {
        self.builder().connect().await.expect("the client starts")
    }

    /// Starts a client and links it by QR code.
    pub(crate) async fn linked(&self) -> (Client, EventStream) {
        let (client, mut events) = self.start().await;
        self.link(&client, &mut events).await;
        (client, events)
    }

    /// The phone of Bot scans what the client shows.
    pub(crate) async fn link(&self, client: &Client, events: &mut EventStream) {
        self.link_to(BOT, client, events).await;
    }

    async fn link_to(&self, number: u64, client: &Client, events: &mut EventStream) {
        let qr = next(events, "a QR code", |event| match &event.kind {
            Kind::LinkingQr(qr) => Some(qr.clone()),
            _ => None,
        })
        .await;
        self.sim.scan_qr(&qr.url(), Some(number)).expect("the phone scans");
        client.wait_online(PATIENCE).await.expect("the account comes online");
    }

    /// A further client, on a store's account of its own, linked to somebody's phone.
    pub(crate) async fn another(&self, account: &str, number: u64) -> (Client, EventStream) {
        let builder = Client::builder(self.store.account(account))
            .connector(pipe::Pipe(Arc::clone(&self.sim)))
            .media_connector(pipe::Pipe(Arc::clone(&self.sim)))
            .root(pipe::root(&self.sim));
        let (client, mut events) = builder.connect().await.expect("the client starts");
        self.link_to(number, &client, &mut events).await;
        (client, events)
    }

    /// Cuts what is connected and closes whatever comes, until [`SimHandle::heal`].
    pub(crate) fn unreachable(&self) {
        self.sim.fault(Fault::new(
            Match::phase(Phase::Hello),
            Action::Close { how: CloseHow::Fin, after: false },
        ));
        self.sim.outage(Duration::ZERO);
    }

    /// The one connection that waits to be linked.
    pub(crate) fn pending(&self) -> wa_sim::world::ConnId {
        let pending = self.sim.world(|world, _| world.pending());
        let [one] = &pending[..] else { panic!("{pending:?}") };
        wa_sim::world::ConnId(one.connection)
    }

    /// Waits until somebody's phone has so many messages that fit; gives them, oldest first.
    pub(crate) async fn inbox_of(
        &self,
        number: u64,
        count: usize,
        fits: impl Fn(&Received) -> bool,
    ) -> Vec<Received> {
        let found = self.sim.until(PATIENCE, |world| {
            let inbox = world.phone(world.find_pn(number)?)?.inbox();
            let found: Vec<Received> = inbox.iter().filter(|one| fits(one)).cloned().collect();
            (found.len() >= count).then_some(found)
        });
        found.await.unwrap_or_else(|_| panic!("{number} never got {count} messages"))
    }

    pub(crate) fn assert_clean(&self) {
        let violations = self.sim.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

/// Takes events until one fits.
pub(crate) async fn next<T>(
    events: &mut EventStream,
    what: &str,
    fits: impl FnMut(&Event) -> Option<T>,
) -> T {
    next_within(events, what, PATIENCE, fits).await
}

pub(crate) async fn next_within<T>(
    events: &mut EventStream,
    what: &str,
    within: Duration,
    mut fits: impl FnMut(&Event) -> Option<T>,
) -> T {
    timeout(within, async {
        loop {
            let event = events.next().await.expect("the stream goes on");
            if let Some(found) = fits(&event) {
                return found;
            }
        }
    })
    .await
    .unwrap_or_else(|_| panic!("never saw {what}"))
}

/// Waits until the health fits.
pub(crate) async fn healthy(client: &Client, what: &str, fits: impl Fn(&Health) -> bool) -> Health {
    healthy_within(client, what, PATIENCE, fits).await
}

pub(crate) async fn healthy_within(
    client: &Client,
    what: &str,
    within: Duration,
    fits: impl Fn(&Health) -> bool,
) -> Health {
    let mut changes = client.health_changes();
    let found = timeout(within, async {
        let mut health = changes.now();
        while !fits(&health) {
            health = changes.next().await.expect("the client goes on");
        }
        health
    });
    found.await.unwrap_or_else(|_| panic!("never saw {what}: {}", client.health()))
}
